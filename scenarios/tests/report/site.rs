//! What is in the pages, read by a parser that is not ours.

use super::files::scenario_files;
use super::{SCENARIOS, content, rooms, site};
use scenarios::report::Site;
use scraper::{ElementRef, Html, Selector};
use std::collections::{BTreeMap, BTreeSet};

fn pages() -> BTreeMap<&'static str, Html> {
    super::pages()
        .map(|f| (f.path.as_str(), Html::parse_document(&f.content)))
        .collect()
}

fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).expect("a selector");
    page.select(&selector).collect()
}

fn text(element: ElementRef<'_>) -> String {
    let words: Vec<&str> = element.text().flat_map(str::split_whitespace).collect();
    words.join(" ")
}

#[test]
fn the_pages_are_well_formed() {
    for (path, page) in pages() {
        assert_eq!(page.errors, Vec::<String>::new(), "{path}");
        assert_eq!(all(&page, "html[lang] head title").len(), 1, "{path}");
        assert_eq!(all(&page, "meta[name=viewport]").len(), 1, "{path}");
    }
}

#[test]
fn a_parse_error_would_be_seen() {
    let broken = content("index.html").replace("</td>", "</td></p></b>");
    assert!(!Html::parse_document(&broken).errors.is_empty());
}

#[test]
fn the_ids_of_a_page_are_unique() {
    for (path, page) in pages() {
        let mut seen = BTreeSet::new();
        for element in all(&page, "[id]") {
            let id = element.attr("id").unwrap_or_default();
            assert!(!id.is_empty() && seen.insert(id), "{path}: {id}");
        }
    }
}

#[test]
fn every_scenario_has_a_page_that_the_index_leads_to() {
    let pages = pages();
    let index = all(&pages["index.html"], "table.index tbody th a");
    let linked: BTreeSet<&str> = index.iter().filter_map(|a| a.attr("href")).collect();
    let expected: BTreeSet<String> = SCENARIOS
        .iter()
        .map(|s| format!("scenario/{}.html", s.split('/').next_back().unwrap_or(s)))
        .collect();
    assert!(
        linked
            .iter()
            .copied()
            .eq(expected.iter().map(String::as_str))
    );
    assert!(
        expected
            .iter()
            .all(|page| pages.contains_key(page.as_str()))
    );
}

/// `scenario/a.html` and `../style.css` to `style.css`.
fn resolve(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn is_outside(link: &str) -> bool {
    let sha = link.strip_prefix("https://git.kernel.org/torvalds/c/");
    sha.is_some_and(|s| s.len() >= 12 && s.bytes().all(|b| b.is_ascii_hexdigit()))
        || link.starts_with("https://lore.kernel.org/all/")
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut followed = 0;
    for (path, page) in &pages {
        let links = all(page, "[href], [src]").into_iter();
        for link in links.filter_map(|e| e.attr("href").or(e.attr("src"))) {
            if is_outside(link) {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                (*path).to_owned()
            } else {
                resolve(path, file)
            };
            assert!(site().iter().any(|f| f.path == target), "{path}: {link}");
            if !anchor.is_empty() {
                let ids = all(&pages[target.as_str()], "[id]");
                assert!(
                    ids.iter().any(|e| e.attr("id") == Some(anchor)),
                    "{path}: {link}"
                );
            }
            followed += 1;
        }
    }
    assert!(followed > 4 * pages.len(), "{followed}");
}

#[test]
fn nothing_is_asked_of_the_network() {
    for (path, page) in pages() {
        for element in all(&page, "script, img, iframe, link, source, use, object") {
            let from = element
                .attr("src")
                .or(element.attr("href"))
                .unwrap_or_default();
            assert!(
                !from.contains(':') && !from.starts_with("//"),
                "{path}: {from}"
            );
        }
    }
    assert!(!content("style.css").contains("url(") && !content("style.css").contains("@import"));
    assert!(!content("script.js").contains("fetch("));
}

/// The row of a scenario in the index: for each kernel that it ran on, what the cell says.
fn cells(scenario: &str) -> Vec<String> {
    let index = Html::parse_document(content("index.html"));
    let rows = all(&index, "table.index tbody tr").into_iter();
    let link = Selector::parse("th a").expect("a selector");
    let mut of = rows.filter(|r| r.select(&link).any(|a| text(a) == scenario));
    let row = of.next().unwrap_or_else(|| panic!("no row of {scenario}"));
    let cell = Selector::parse("td.verdict").expect("a selector");
    row.select(&cell).map(text).collect()
}

#[test]
fn a_cell_has_its_verdict_in_letters_and_marks_what_moved() {
    let said = cells("driver-read-twice").join(" ");
    // bcb81ac6ae3c^, bcb81ac6ae3c, 95deee37a123^, 95deee37a123, v7.3-rc7
    assert_eq!(said, "N ever S ometimes ▲ S ometimes N ever ▼ N ever");
    let said = cells("rebind-by-hand").join(" ");
    assert_eq!(said, "N ever N ever N ever N ever");
}

#[test]
fn a_commit_alone_between_two_kernels_is_to_blame() {
    let index = Html::parse_document(content("index.html"));
    let rows: Vec<String> = all(&index, "table.moved tbody tr")
        .into_iter()
        .map(text)
        .collect();
    let row = |id: &str| {
        rows.iter()
            .find(|r| r.starts_with(id))
            .map_or("", String::as_str)
    };
    assert_eq!(
        row("95deee37a123"),
        "95deee37a123 platform: Fix race condition during DMA configure at IOMMU probe time \
         ▼ driver-read-twice S→N"
    );
    assert!(
        row("bcb81ac6ae3c").contains("▲ late-probe-at-bind N→S"),
        "{rows:?}"
    );
    assert!(
        row("bcb81ac6ae3c").contains("▼ driverless-client A→N"),
        "{rows:?}"
    );
    assert!(row("ambarus-ready-always").contains("proposed ▲ driverless-client N→A"));
}

#[test]
fn the_kernels_stand_in_the_order_of_history() {
    let index = Html::parse_document(content("index.html"));
    let head = Selector::parse("th.kernel").expect("a selector");
    let expected = [
        "v6.14",
        "bcb81ac6ae3c^",
        "bcb81ac6ae3c",
        "d9d3cede4167",
        "95deee37a123",
        "v6.16",
        "v7.3-rc7",
        "v7.3-rc7 + ambarus-ready-always",
    ];
    let mut seen = BTreeSet::new();
    for table in all(&index, "table.index") {
        let kernels: Vec<String> = table.select(&head).map(|th| th.text().collect()).collect();
        let place = |name: &&str| {
            kernels
                .iter()
                .position(|k| k.split(" = ").any(|n| n == *name))
        };
        let here: Vec<&str> = expected
            .into_iter()
            .filter(|n| place(n).is_some())
            .collect();
        let places: Vec<_> = here.iter().map(place).collect();
        assert!(places.windows(2).all(|w| w[0] < w[1]), "{kernels:?}");
        seen.extend(here);
    }
    assert_eq!(seen.len(), expected.len(), "{seen:?}");
}

#[test]
fn each_folder_has_a_table_with_its_kernels_alone() {
    let index = Html::parse_document(content("index.html"));
    let heads = all(&index, "section h2[id]").into_iter().map(text);
    let heads: Vec<String> = heads.filter(|h| !h.contains(' ')).collect();
    assert_eq!(heads, ["basics", "seeds", "museum", "findings"]);
    let (row, cell) = ("tbody tr", "td");
    let (row, cell) = (Selector::parse(row), Selector::parse(cell));
    let (row, cell) = (row.expect("a selector"), cell.expect("a selector"));
    for table in all(&index, "table.index") {
        let rows: Vec<Vec<bool>> = table
            .select(&row)
            .map(|r| {
                r.select(&cell)
                    .map(|c| c.attr("class") == Some("none"))
                    .collect()
            })
            .collect();
        for column in 0..rows[0].len() {
            assert!(rows.iter().any(|r| !r[column]), "column {column} is empty");
        }
    }
}

/// The lock order against the one of `graph lock-order`, which is checked elsewhere.
#[test]
fn the_lock_order_is_drawn_and_what_changed_is_said() {
    let page = Html::parse_document(content("scenario/late-probe-at-bind.html"));
    let figures = all(&page, "figure.order");
    assert!(figures.len() > 1, "it is not the same on all kernels");
    let (step, title) = ("svg.locks g.step", "title");
    let (step, title) = (Selector::parse(step), Selector::parse(title));
    let (step, title) = (step.expect("a selector"), title.expect("a selector"));
    let titles = |figure: &ElementRef<'_>| -> BTreeSet<String> {
        let steps = figure.select(&step);
        let title = steps.filter_map(|s| s.select(&title).next());
        let whole: Vec<String> = title.map(|t| t.text().collect()).collect();
        whole
            .iter()
            .map(|t| t.split([',', '\n']).next().unwrap_or_default().to_owned())
            .collect()
    };
    for pair in figures.windows(2) {
        let (then, now) = (titles(&pair[0]), titles(&pair[1]));
        let said = Selector::parse("ul.changes li").expect("a selector");
        let said: BTreeSet<String> = pair[1].select(&said).map(text).collect();
        let added = (&now - &then).into_iter().map(|e| format!("+ {e}"));
        let gone = (&then - &now).into_iter().map(|e| format!("− {e}"));
        assert_eq!(said, added.chain(gone).collect());
    }
    let first = "client0: &dev->mutex → iommu_probe_device_lock";
    assert!(
        titles(&figures[0]).contains(first),
        "{:?}",
        titles(&figures[0])
    );
    assert!(all(&page, "svg.locks .inverted").is_empty());
}

#[test]
fn an_inversion_is_marked_in_more_than_colour() {
    let page = Html::parse_document(content("scenario/walk-locks-its-own-iommu.html"));
    let inverted = all(&page, "svg.locks .inverted");
    assert!(!inverted.is_empty());
    for arrow in inverted {
        let said = text(arrow);
        assert!(
            said.contains(", an inversion") && said.contains('!'),
            "{said}"
        );
        assert!(
            said.contains("held since ") && said.contains("taken in "),
            "{said}"
        );
    }
    let findings = all(&page, "table.matrix tr").into_iter().map(text);
    assert!(
        findings
            .into_iter()
            .any(|r| r.contains("lock-order inversion"))
    );
}

#[test]
fn a_page_says_what_check_says() {
    let page = Html::parse_document(content("scenario/late-probe-at-bind.html"));
    let question = all(&page, "p.question")
        .into_iter()
        .map(text)
        .collect::<String>();
    assert!(question.starts_with("Can a client's own bind be the first to find its IOMMU"));
    let rows: Vec<String> = all(&page, "table.matrix tr")
        .into_iter()
        .map(text)
        .collect();
    // As in the snapshots of the scenario: of_xlate once in each outcome, and three invariants.
    let has = |start: &str| rows.iter().any(|r| r.starts_with(start));
    assert!(
        has("Outcomes with the condition, of all 0/2 8/12 8/11 8/11 6/8"),
        "{rows:#?}"
    );
    assert!(has("I3 no probe at driver bind 8/12 client0"), "{rows:#?}");
    assert!(
        has("corrupt client0: DMA ops switched under the driver 2/12 2/11"),
        "{rows:#?}"
    );
    let bars: Vec<String> = all(&page, "svg.bars text").into_iter().map(text).collect();
    assert_eq!(bars[..2], ["bcb81ac6ae3c^", "0/1 always"]);
    assert_eq!(
        bars[bars.len() - 3..],
        ["v7.3-rc7", "0/1 in 4 of 8", "1/0 in 4 of 8"]
    );
}

#[test]
fn the_time_line_has_every_commit_of_the_table() {
    let page = Html::parse_document(content("timeline.html"));
    let entries: Vec<String> = all(&page, "svg.timeline .entry")
        .into_iter()
        .map(text)
        .collect();
    for commit in kernel::commit::table() {
        let said: Vec<_> = entries
            .iter()
            .filter(|e| e.contains(commit.subject))
            .collect();
        assert!(
            said.iter().any(|e| e.contains(commit.id)),
            "{} in {said:?}",
            commit.id
        );
    }
    let rooms: Vec<String> = all(&page, "svg.timeline .room")
        .into_iter()
        .map(text)
        .collect();
    assert!(
        rooms.contains(&"driver-read-twice ▼ fixed: S → N".to_owned()),
        "{rooms:?}"
    );
    // Not in this report: named, and no link.
    assert!(
        rooms.contains(&"coherent-flag-lost".to_owned()),
        "{rooms:?}"
    );
}

#[test]
fn every_scenario_of_the_time_line_is_there() {
    let page = Html::parse_document(content("timeline.html"));
    let named = all(&page, "svg.timeline .room").into_iter().map(text);
    let first = named.map(|said| said.split(' ').next().unwrap_or_default().to_owned());
    let there: BTreeSet<String> = scenario_files()
        .iter()
        .filter_map(|f| Some(f.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    let missing: Vec<String> = first.filter(|name| !there.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_bytes_do_not_depend_on_the_run() {
    let mut again = rooms();
    again.reverse();
    assert!(
        Site::new(again).files() == site(),
        "another site of the same scenarios"
    );
}

#[test]
fn the_bytes_say_nothing_of_this_machine() {
    for file in site() {
        let here = env!("CARGO_MANIFEST_DIR");
        assert!(!file.content.contains(here), "{}", file.path);
    }
}
