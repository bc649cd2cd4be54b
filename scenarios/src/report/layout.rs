//! What every page has: head, navigation, foot; and links to commits.

use maud::{DOCTYPE, Markup, html};

/// Which page is being drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Index,
    Timeline,
    Scenario,
}

/// A whole page.
pub(super) fn page(at: At, title: &str, body: &Markup) -> String {
    let root = if at == At::Scenario { "../" } else { "" };
    let current = |here: At| (here == at).then_some("page");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href={ (root) "style.css" };
                script src={ (root) "script.js" } defer {}
            }
            body {
                header.top {
                    nav aria-label="Site" {
                        span.brand { "probe-litmus" }
                        a href={ (root) "index.html" } aria-current=[current(At::Index)] {
                            "Verdicts"
                        }
                        a href={ (root) "timeline.html" } aria-current=[current(At::Timeline)] {
                            "Time line"
                        }
                    }
                }
                main { (body) }
                footer {
                    "A verdict is about the model of the driver core and the IOMMU core, not about \
                     the C code. It holds for every interleaving of the model's steps, but where a \
                     search is called bounded: a Never there is a guess."
                }
            }
        }
    }
    .into_string()
}

/// A commit of the kernel, by its digits; anything else is text.
pub(super) fn commit(id: &str) -> Markup {
    if !is_sha(id) {
        return html! { (id) };
    }
    let href = format!("https://git.kernel.org/torvalds/c/{id}");
    html! { a.sha href=(href) { (id) } }
}

/// A revision, each commit in it with its link.
pub(super) fn revision(text: &str) -> Markup {
    html! {
        @for (i, word) in text.split(' ').enumerate() {
            @if i > 0 { " " }
            @match word.strip_suffix('^') {
                Some(id) => { (commit(id)) "^" }
                None => (commit(word)),
            }
        }
    }
}

fn is_sha(id: &str) -> bool {
    id.len() >= 12 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A table that scrolls by itself where it is too wide; the keyboard can scroll it too.
pub(super) fn scroll(label: &str, content: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" { (content) }
    }
}
