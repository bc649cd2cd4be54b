//! Every line of a log is accounted for, and none makes the reader panic.

use crate::cases::BOOTS;
use proptest::collection::vec;
use proptest::prelude::*;
use scenarios::trace::{Log, Rest, Subject, What};

/// A few lines of each format that is read.
const FORMATS: &str = include_str!("../../../fuzz/corpus/trace/formats.txt");

fn accounted(log: &Log) {
    let rest: usize = log.rest.values().sum();
    assert_eq!(log.entries.len() + rest, log.lines);
    let unknown = log.rest.get(&Rest::Unknown).copied().unwrap_or(0);
    assert!(log.unknown.len() <= unknown);
    assert!(unknown == 0 || !log.unknown.is_empty());
}

#[test]
fn recorded_logs_have_no_line_that_is_not_understood() {
    for boot in BOOTS {
        let text = boot.text();
        let log = Log::of_text(boot.folder, &text);
        accounted(&log);
        assert_eq!(log.lines, text.lines().count());
        assert_eq!(log.rest.get(&Rest::Unknown), None, "{}", boot.folder);
    }
}

#[test]
fn each_format_is_read() {
    let mut log = Log::of_text("formats.txt", FORMATS);
    accounted(&log);
    assert_eq!(log.rest.get(&Rest::Unknown), Some(&1), "{:?}", log.unknown);
    assert_eq!(log.unknown[0].2, "this line is none of them");
    assert_eq!(log.release.as_deref(), Some("7.2.13+deb14-arm64"));
    assert_eq!(log.name_devices(), 1);
    let texts: Vec<String> = log.entries.iter().map(|e| show(&e.what)).collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Level("console")
    Level("fs")
    really_probe(pwrseq0) None Some("pwrseq_simple") None
    Exit { function: "really_probe", ret: Some(-517) }
    rk_iommu_of_xlate(both0) Some(Null) None Some(("iommu@7f100000", 7))
    __iommu_probe_device.part(both0) Some(Set) None None
    Message { driver: None, device: "both0", about: AddingToGroup }
    device_add(?) None None None
    deferred_probe_work_func(?) None None None
    device_add(pwrseq0) None None None
    really_probe(?) None None None
    really_probe(pwrseq0) None None None
    really_probe(pwrseq0) None None None
    driver_bound(pwrseq0) None None None
    Exit { function: "really_probe", ret: Some(-517) }
    iommu_fwspec_init(?) None None None
    Exit { function: "iommu_fwspec_init", ret: Some(-517) }
    Added { device: "pwrseq0", pid: Some(1) }
    Message { driver: Some(Name("dmaclient")), device: "dmaclient0", about: LateProbe }
    Message { driver: Some(Null), device: "pwrseq1", about: AddingToGroup }
    ipmmu_of_xlate(ec700000.dma-controller) Some(Null) None None
    ipmmu_of_xlate(ec700000.dma-controller) Some(Name("rcar-dmac")) None None
    ipmmu_of_xlate(ee300000.sata) Some(Null) None None
    "#);
}

fn show(what: &What) -> String {
    match what {
        What::Enter(call) => {
            let subject = match &call.subject {
                Subject::Name(name) => name.clone(),
                Subject::Address(_) => "address".to_owned(),
                Subject::Unknown => "?".to_owned(),
            };
            format!(
                "{}({subject}) {:?} {:?} {:?}",
                call.function, call.driver, call.binds, call.specifier
            )
        }
        other => format!("{other:?}"),
    }
}

/// A line that is made from another: bytes changed, cut off, doubled.
fn mutated(text: &str, edits: &[(usize, u8, char)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, kind, new) in edits {
        if chars.is_empty() {
            break;
        }
        let at = at % chars.len();
        match kind % 4 {
            0 => chars[at] = *new,
            1 => {
                chars.remove(at);
            }
            2 => chars.insert(at, *new),
            _ => {
                let tail = chars.split_off(at);
                chars.extend(tail.iter().rev());
            }
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_lines_are_accounted_for(
        lines in vec((any::<prop::sample::Index>(), vec((any::<usize>(), any::<u8>(), any::<char>()), 0..6)), 1..60)
    ) {
        let corpus: Vec<&str> = FORMATS.lines().collect();
        let text: String = lines
            .iter()
            .map(|(line, edits)| mutated(line.get::<&str>(&corpus), edits) + "\n")
            .collect();
        let mut log = Log::of_text("mutated", &text);
        accounted(&log);
        prop_assert_eq!(log.lines, text.lines().count());
        log.name_devices();
    }

    #[test]
    fn any_text_is_accounted_for(text in ".{0,300}") {
        let log = Log::of_text("any", &text);
        accounted(&log);
    }
}

/// The tracer says how much it had no room for, in two ways.
#[test]
fn events_that_the_tracer_lost_are_counted() {
    let text = "# tracer: nop\n\
                # entries-in-buffer/entries-written: 70/267   #P:2\n\
                CPU:1 [LOST 12 EVENTS]\n";
    let log = Log::of_text("trace.txt", text);
    accounted(&log);
    assert_eq!(log.lost, 209);
    assert_eq!(log.rest.get(&Rest::Heading), Some(&3));
    let all = "# entries-in-buffer/entries-written: 267/267   #P:2\n";
    assert_eq!(Log::of_text("trace.txt", all).lost, 0);
}
