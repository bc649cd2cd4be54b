// Steps through a run: buttons, keys, clicks, and `#run1.7` in the address. Without this script
// the pages lack nothing but that.
"use strict";

(() => {
  const figures = [...document.querySelectorAll("figure.run")].filter((f) => f.querySelector(".step"));
  let current = null;

  const steps = (figure) => [...figure.querySelectorAll(".step")];
  const at = (figure) => steps(figure).findIndex((s) => s.classList.contains("on"));

  // Makes a step the current one and brings it into view; the number is from 0 on.
  function select(figure, number, scroll = true) {
    const all = steps(figure);
    const nth = Math.max(0, Math.min(number, all.length - 1));
    const step = all[nth];
    current = figure;
    all.forEach((s) => {
      s.classList.toggle("on", s === step);
      if (s === step) s.setAttribute("aria-current", "step");
      else s.removeAttribute("aria-current");
    });
    for (const hand of figure.querySelectorAll(".hand")) {
      const ends = [hand.dataset.from, hand.dataset.to];
      hand.classList.toggle("on", ends.includes(String(nth + 1)));
    }
    const where = step.querySelector("title").textContent.split("\n")[0];
    figure.querySelector("output").textContent = `${nth + 1} of ${all.length}: ${where}`;
    if (scroll) reveal(figure, step);
    try {
      history.replaceState(null, "", `#${step.id}`);
    } catch {
      // A browser may keep pages of a folder from changing their address.
    }
  }

  // Scrolls no further than is needed, sideways only inside the drawing.
  function reveal(figure, step) {
    const row = step.querySelector(".row").getBoundingClientRect();
    const top = figure.querySelector(".controls").getBoundingClientRect().height + 24;
    if (row.top < top) scrollBy(0, row.top - top);
    if (row.bottom > innerHeight - 24) scrollBy(0, row.bottom - innerHeight + 24);
    const box = figure.querySelector(".scroll");
    const text = step.querySelector(".what");
    if (box && text) {
      const inner = text.getBBox();
      if (inner.x + inner.width > box.scrollLeft + box.clientWidth || inner.x < box.scrollLeft) {
        box.scrollLeft = Math.max(0, Math.min(inner.x - 90, inner.x + inner.width - box.clientWidth + 16));
      }
    }
  }

  const moves = {
    first: () => 0,
    back: (now) => now - 1,
    on: (now) => now + 1,
    last: () => Infinity,
  };

  function go(figure, how) {
    select(figure, moves[how](at(figure)));
  }

  // The run that keys are meant for: the one with the focus, the one last used if any of it is in
  // view, else the first in view.
  function target() {
    const focused = document.activeElement?.closest?.("figure.run");
    if (figures.includes(focused)) return focused;
    const inView = (f) => {
      const box = f.getBoundingClientRect();
      return box.bottom > 0 && box.top < innerHeight;
    };
    if (current && inView(current)) return current;
    return figures.find(inView) ?? null;
  }

  // Up, down, Home and End scroll the page, unless a run has been chosen to go through.
  const always = { j: "on", k: "back", ArrowRight: "on", ArrowLeft: "back" };
  const chosen = { ArrowDown: "on", ArrowUp: "back", Home: "first", End: "last" };

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const inTable = document.activeElement?.matches?.(".scroll:not(figure .scroll)");
    const figure = target();
    if (!figure || inTable) return;
    const isChosen = figure === current || figure.contains(document.activeElement);
    const how = always[event.key] ?? (isChosen ? chosen[event.key] : undefined);
    if (!how) return;
    event.preventDefault();
    go(figure, how);
  });

  for (const figure of figures) {
    figure.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-go]");
      const step = event.target.closest(".step");
      if (button) go(figure, button.dataset.go);
      else if (step) select(figure, Number(step.dataset.step) - 1, false);
    });
  }

  // `#run1.7`, or `#step=7` in the first run.
  function follow() {
    const name = decodeURIComponent(location.hash.slice(1));
    const short = name.match(/^step=(\d+)$/);
    if (short && figures.length) return select(figures[0], Number(short[1]) - 1);
    const step = document.getElementById(name);
    if (step?.matches(".step")) {
      select(step.closest("figure.run"), Number(step.dataset.step) - 1);
    }
  }
  addEventListener("hashchange", follow);
  // Once the browser itself has gone to the anchor.
  requestAnimationFrame(() => requestAnimationFrame(follow));
})();
