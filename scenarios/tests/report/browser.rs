//! The pages in a browser, from `file://`: no errors, keys step through runs, nothing is wider than
//! the window. Without a Chromium these tests say NOT RUN.

use super::devtools::Browser;
use super::site;
use scenarios::report::Folder;
use serde_json::{Value, json};
use std::io::Write;
use tempfile::TempDir;

/// The site in a folder, and a browser to look at it.
struct Shown {
    browser: Browser,
    folder: TempDir,
}

impl Shown {
    fn new(what: &str) -> Option<Self> {
        let browser = match Browser::start() {
            Ok(browser) => browser,
            Err(why) => {
                // Not eprintln!(): that is shown for failing tests only.
                let _ = writeln!(std::io::stderr(), "NOT RUN: {what}: {why}");
                return None;
            }
        };
        let folder = tempfile::tempdir().expect("a folder for the test");
        let written = Folder::open(folder.path()).and_then(|f| f.write(site()));
        written.unwrap_or_else(|e| panic!("{e}"));
        Some(Self { browser, folder })
    }

    fn open(&mut self, page: &str) {
        let url = format!("file://{}/{page}", self.folder.path().display());
        self.browser.open(&url);
    }

    /// The number of the highlighted step, as the page and its line of text have it.
    fn step(&mut self) -> Value {
        self.browser.run(
            "[...document.querySelectorAll('.step.on')].map(s => [s.closest('figure').id, \
             Number(s.dataset.step), s.getAttribute('aria-current'), \
             parseInt(s.closest('figure').querySelector('output').textContent)])",
        )
    }
}

fn pages() -> impl Iterator<Item = &'static str> {
    super::pages().map(|f| f.path.as_str())
}

#[test]
fn every_page_loads_without_a_complaint() {
    let Some(mut shown) = Shown::new("pages in a browser") else {
        return;
    };
    for page in pages() {
        shown.open(page);
        let title = shown.browser.run("document.title");
        assert!(
            title.as_str().is_some_and(|t| t.ends_with("probe-litmus")),
            "{page}: {title}"
        );
        let styled = shown.browser.run("getComputedStyle(document.body).margin");
        assert_eq!(styled, json!("0px"), "{page}: its style is there");
        assert_eq!(shown.browser.complaints, Vec::<String>::new(), "{page}");
    }
}

#[test]
fn an_error_of_a_script_would_be_seen() {
    let Some(mut shown) = Shown::new("errors in a browser") else {
        return;
    };
    shown.open("index.html");
    shown
        .browser
        .run("setTimeout(() => { throw new Error('seen') }, 0)");
    shown
        .browser
        .run("new Promise(done => setTimeout(done, 50))");
    let seen = shown.browser.complaints.iter().any(|c| c.contains("seen"));
    assert!(seen, "{:?}", shown.browser.complaints);
}

#[test]
fn keys_step_through_a_run() {
    let Some(mut shown) = Shown::new("keys in a browser") else {
        return;
    };
    shown.show_run();
    let total = shown
        .browser
        .run("document.querySelectorAll('#run1 .step').length");
    assert!(total.as_u64() > Some(10), "{total}");
    let at = |n: u64| json!([["run1", n, "step", n]]);
    let last = total.as_u64().unwrap_or(0);
    let pressed = [
        ("j", 1),
        ("j", 2),
        ("ArrowDown", 3),
        ("ArrowRight", 4),
        ("k", 3),
        ("ArrowUp", 2),
        ("ArrowLeft", 1),
        ("k", 1),
        ("End", last),
        ("j", last),
        ("Home", 1),
    ];
    for (key, expected) in pressed {
        shown.browser.press(key);
        assert_eq!(shown.step(), at(expected), "{key}");
    }
    assert_eq!(shown.browser.complaints, Vec::<String>::new());
}

impl Shown {
    /// A page, scrolled to its first run.
    fn show_run(&mut self) {
        self.browser.show(1200, "light");
        self.open("scenario/late-probe-at-bind.html");
        self.browser
            .run("document.querySelector('#run1').scrollIntoView()");
        assert_eq!(self.step(), json!([]));
    }
}

#[test]
fn buttons_clicks_and_addresses_step_too() {
    let Some(mut shown) = Shown::new("buttons in a browser") else {
        return;
    };
    shown.show_run();
    shown
        .browser
        .run("document.querySelector('#run2 [data-go=on]').click()");
    assert_eq!(shown.step(), json!([["run2", 1, "step", 1]]));
    let click = "dispatchEvent(new MouseEvent('click', {bubbles: true}))";
    shown
        .browser
        .run(&format!("document.getElementById('run2.5').{click}"));
    assert_eq!(shown.step(), json!([["run2", 5, "step", 5]]));
    let hands = "document.querySelectorAll('#run1 .hand').length";
    assert!(
        shown.browser.run(hands).as_u64() > Some(0),
        "arrows are there"
    );
    for (anchor, expected) in [("run2.7", ("run2", 7)), ("step=3", ("run1", 3))] {
        shown.open(&format!("scenario/late-probe-at-bind.html#{anchor}"));
        let (figure, n) = expected;
        assert_eq!(shown.step(), json!([[figure, n, "step", n]]), "{anchor}");
        let seen = shown.browser.run(
            "(b => b.top >= 0 && b.bottom <= innerHeight)(\
             document.querySelector('.step.on .row').getBoundingClientRect())",
        );
        assert_eq!(seen, json!(true), "{anchor} is in view");
    }
}

/// The order of locks takes the same keys as a run, and its arrows are in view and have a length.
#[test]
fn keys_step_through_the_lock_order() {
    let Some(mut shown) = Shown::new("lock order in a browser") else {
        return;
    };
    shown.browser.show(1200, "light");
    shown.open("scenario/walk-locks-its-own-iommu.html");
    shown
        .browser
        .run("document.querySelector('figure.order').focus()");
    for (key, n) in [("j", 1), ("ArrowDown", 2), ("k", 1), ("Home", 1)] {
        shown.browser.press(key);
        assert_eq!(shown.step(), json!([["locks1", n, "step", n]]), "{key}");
    }
    let drawn = shown.browser.run(
        "[...document.querySelectorAll('svg.locks')].every(svg => { \
         const box = svg.getBoundingClientRect(); \
         return [...svg.querySelectorAll('.edge, rect, .mark')].every(part => { \
         const b = part.getBoundingClientRect(); \
         return b.width > 2 && b.left >= box.left && b.right <= box.right \
         && b.top >= box.top && b.bottom <= box.bottom }) })",
    );
    assert_eq!(drawn, json!(true), "all of it lies in the drawing");
    assert_eq!(shown.browser.complaints, Vec::<String>::new());
}

#[test]
fn an_arrow_lights_up_with_its_step() {
    let Some(mut shown) = Shown::new("arrows in a browser") else {
        return;
    };
    shown.show_run();
    let lit = shown.browser.run(
        "(hand => { document.getElementById('run1.' + hand.dataset.to)\
         .dispatchEvent(new MouseEvent('click', {bubbles: true})); \
         return [hand.classList.contains('on'), \
         document.querySelectorAll('#run1 .hand.on').length < \
         document.querySelectorAll('#run1 .hand').length] })(document.querySelector('#run1 .hand'))",
    );
    assert_eq!(lit, json!([true, true]));
}

#[test]
fn pages_fit_phones_and_screens_light_and_dark() {
    let Some(mut shown) = Shown::new("widths in a browser") else {
        return;
    };
    let mut papers = vec![];
    for scheme in ["light", "dark"] {
        for width in [360, 768, 1440] {
            shown.browser.show(width, scheme);
            for page in pages() {
                shown.open(page);
                let fits = shown
                    .browser
                    .run("[document.documentElement.scrollWidth <= innerWidth, innerWidth]");
                assert_eq!(fits, json!([true, width]), "{page}, {scheme}");
            }
        }
        papers.push(
            shown
                .browser
                .run("getComputedStyle(document.body).backgroundColor"),
        );
    }
    assert_ne!(papers[0], papers[1], "light and dark are not the same");
}
