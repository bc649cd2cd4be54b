//! Good files and their trees, bad files and their messages, and files that nobody would write.

use proptest::prelude::*;

use super::{
    Comparison, Error, Expr, Litmus, Names, Op, PropertyKind, Quantifier, Value, Verdict,
    Vocabulary, parse, validate,
};

/// A good file with everything in it, in canonical layout.
const FULL: &str = r#"LITMUS late-probe-at-bind
(*
 * Result: Sometimes
 *
 * The walk passes a client by while its driver is being bound.
 *
 * Can a client's own bind be the first to find its IOMMU, after the bus walk
 * has passed it by?
 *
 * Link: <20250314@example.org>
 * Fixes: bcb81ac6ae3c ("iommu: Get DT/ACPI parsing into the proper probe path")
 *)
board   one-client.dts
kernels bcb81ac6ae3c^ v6.16 "v7.3-rc7 + ambarus-ready-always"
result  bcb81ac6ae3c^ Never
config  modules n
config  deferred_probe_timeout 30
allow   ee300000.sata
driver  client-drv on client0 client1 : async managed-dma probe=-EPROBE_DEFER

initial { driver_register(client-drv) }

P0 { driver_register(arm-smmu-v3) }
P1 {
    device_attach(client0)
    device_release_driver(client0)
}
P2 { deferred_probe_work_func }

always I9
always I13
sometimes late-walk: WARN(client0, "late IOMMU probe at driver bind")

exists (of_xlate(client0, platform) >= 1 /\ ~(deferred(client0) \/ dma(client0) = direct))
"#;

/// The file of [`FULL`].
const FILE: &str = "late-probe-at-bind.litmus";

/// The words of the model, and invariants that have names.
fn vocabulary() -> Vocabulary {
    Vocabulary {
        properties: &[
            "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13",
            "I14", "I15", "I16", "I17", "I18", "I19", "I20", "I21", "I22", "I23", "I24",
        ],
        ..Vocabulary::default()
    }
}

struct Board;

impl Names for Board {
    fn devices(&self) -> Vec<String> {
        ["client0", "client1", "ee300000.sata"]
            .map(str::to_owned)
            .to_vec()
    }

    fn drivers(&self) -> Vec<String> {
        ["arm-smmu-v3", "ipmmu-vmsa", "client-drv"]
            .map(str::to_owned)
            .to_vec()
    }

    fn instances(&self) -> Vec<String> {
        vec!["smmu0".to_owned()]
    }

    fn kernel(&self, revision: &str) -> Result<(), String> {
        let known = ["bcb81ac6ae3c", "v6.14", "v6.16", "v7.3-rc7"];
        let base = revision.split([' ', '^']).next().unwrap_or("");
        if known.contains(&base) {
            Ok(())
        } else {
            Err(format!("expected one of {}", known.join(", ")))
        }
    }
}

fn check(text: &str) -> Result<Litmus, Vec<Error>> {
    check_with(&vocabulary(), FILE, text)
}

fn check_with(vocabulary: &Vocabulary, file: &str, text: &str) -> Result<Litmus, Vec<Error>> {
    let litmus = parse(file, text).map_err(|error| vec![error])?;
    let errors = validate(&litmus, vocabulary, &Board);
    if errors.is_empty() {
        Ok(litmus)
    } else {
        Err(errors)
    }
}

/// What is wrong with `text`: one line for each error.
fn errors(text: &str) -> Vec<String> {
    errors_with(&vocabulary(), FILE, text)
}

/// What is wrong with `text`, if `file` is its name: one line for each error, without the file.
fn errors_with(vocabulary: &Vocabulary, file: &str, text: &str) -> Vec<String> {
    let place = |line: String| {
        let place = line
            .strip_prefix(file)
            .and_then(|line| line.strip_prefix(':'));
        place.expect("an error starts with the file").to_owned()
    };
    check_with(vocabulary, file, text)
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .map(place)
        .collect()
}

#[test]
fn a_good_file_gives_its_tree() {
    let litmus = check(FULL).unwrap();
    assert_eq!(litmus.name.value, "late-probe-at-bind");
    assert_eq!(litmus.question.paragraphs.len(), 2);
    assert_eq!(
        litmus.question.last(),
        "Can a client's own bind be the first to find its IOMMU, \
         after the bus walk has passed it by?"
    );
    assert_eq!(litmus.links[0].value, "<20250314@example.org>");
    assert_eq!(litmus.fixes[0].value.commit, "bcb81ac6ae3c");
    assert_eq!(
        litmus.fixes[0].value.subject,
        "iommu: Get DT/ACPI parsing into the proper probe path"
    );
    assert_eq!(litmus.kernels[2].value, "v7.3-rc7 + ambarus-ready-always");
    assert_eq!(litmus.expected("bcb81ac6ae3c^"), Verdict::Never);
    assert_eq!(litmus.expected("v6.16"), Verdict::Sometimes);
    assert_eq!(litmus.config[1].value.value.value, Value::Number(30));
    let negative = parse(FILE, &FULL.replace("timeout 30", "timeout -1")).unwrap();
    assert_eq!(negative.config[1].value.value.value, Value::Number(-1));
    let driver = &litmus.drivers[0].value;
    assert_eq!(driver.devices.len(), 2);
    assert_eq!(
        driver.options[2].value.value.as_ref().unwrap().value,
        Value::Errno("-EPROBE_DEFER".to_owned())
    );
    assert_eq!(litmus.initial.len(), 1);
    assert_eq!(litmus.tasks.len(), 3);
    let calls: Vec<String> = litmus.tasks[1]
        .value
        .body
        .iter()
        .map(|call| call.value.to_string())
        .collect();
    assert_eq!(
        calls,
        ["device_attach(client0)", "device_release_driver(client0)"]
    );
    assert_eq!(litmus.properties[1].value.kind, PropertyKind::Always);
    assert_eq!(litmus.properties[1].value.expr, None);
    assert_eq!(litmus.properties[2].value.name.value, "late-walk");
}

#[test]
fn the_condition_gives_its_tree() {
    let litmus = check(FULL).unwrap();
    let condition = &litmus.condition.value;
    assert_eq!(condition.quantifier, Quantifier::Exists);
    let Expr::And(parts) = &condition.expr.value else {
        panic!("{condition:?}")
    };
    let Expr::Atom(first) = &parts[0].value else {
        panic!("{parts:?}")
    };
    assert_eq!(
        first.call.value.args[1].value,
        Value::Word("platform".to_owned())
    );
    let Some(Comparison { op, value }) = &first.comparison else {
        panic!("{first:?}")
    };
    assert_eq!((op.value, &value.value), (Op::Ge, &Value::Number(1)));
    let Expr::Not(inner) = &parts[1].value else {
        panic!("{parts:?}")
    };
    assert!(matches!(inner.value, Expr::Or(_)));
    assert!(
        condition
            .expr
            .value
            .holds(&mut |atom| atom.call.value.name.value == "of_xlate")
    );
    assert!(!condition.expr.value.holds(&mut |_| true));
}

#[test]
fn spans_are_where_the_words_stand() {
    let litmus = check(FULL).unwrap();
    let at = |span: super::Span| &FULL[span.start..span.end];
    assert_eq!(at(litmus.result.span), "Sometimes");
    assert_eq!(
        at(litmus.kernels[2].span),
        "\"v7.3-rc7 + ambarus-ready-always\""
    );
    assert_eq!(
        at(litmus.tasks[0].span),
        "P0 { driver_register(arm-smmu-v3) }"
    );
    assert_eq!(
        at(litmus.drivers[0].value.options[2].span),
        "probe=-EPROBE_DEFER"
    );
    assert_eq!(
        at(litmus.tasks[1].value.body[0].value.args[0].span),
        "client0"
    );
    assert_eq!(
        at(litmus.fixes[0].span),
        &FULL[litmus.fixes[0].span.start..][..70]
    );
    assert!(
        at(litmus.condition.span).starts_with("exists (")
            && at(litmus.condition.span).ends_with("direct))")
    );
}

#[test]
fn canonical_layout_is_printed_as_it_was_read() {
    assert_eq!(check(FULL).unwrap().to_string(), FULL);
}

/// Free layouts: what each of them is printed as, from `board` on.
#[test]
fn any_layout_is_printed_in_canonical_layout() {
    let head = "LITMUS t (* Result: Never\nIs it so? *) ";
    let cases = [
        (
            "board b\nkernels v6.14\nP0 { boot; boot } forall (bound(a))",
            "board   b\nkernels v6.14\n\nP0 {\n    boot\n    boot\n}\n\nforall (bound(a))\n",
        ),
        (
            "// first\nkernels v6.14 (* why *)\nboard \"a b.dts\"\nkernels v6.16\n\
             P0\n{\nboot()\n}\n~exists not not a\n",
            "board   \"a b.dts\"\nkernels v6.14 v6.16\n\nP0 { boot }\n\n~exists (~~a)\n",
        ),
        (
            "board b\nkernels v6.14\nP0 { boot };P1 { boot }\nexists a",
            "t.litmus:4:12: found `;`, expected a directive, task, property or condition",
        ),
        (
            "board b\nkernels v6.14\nP0 { boot }\nalways I1 I2\n\
             exists a /\\ b\n \\/ ((c)) /\\ (d /\\ e) \\/ (f \\/ g = 0x10)",
            "board   b\nkernels v6.14\n\nP0 { boot }\n\nalways I1\nalways I2\n\n\
             exists (a /\\ b \\/ c /\\ (d /\\ e) \\/ (f \\/ g = 16))\n",
        ),
    ];
    for (text, expected) in cases {
        let printed = parse("t.litmus", &format!("{head}{text}"))
            .map_or_else(|e| e.to_string(), |t| t.to_string());
        let printed = printed
            .split_once("*)\n")
            .map_or(printed.as_str(), |(_, rest)| rest);
        assert_eq!(printed, expected, "{text}");
    }
}

#[test]
fn a_long_question_is_wrapped_and_no_word_becomes_a_tag() {
    let words = "word ".repeat(14);
    let text = FULL.replace(
        "Can a",
        &format!("Can {words} Link: {words} Result: {words} Like: a"),
    );
    let litmus = check(&text).unwrap();
    assert_eq!(parse(FILE, &litmus.to_string()).unwrap(), litmus);
}

/// `FULL` with one edit, and all that is then wrong with it.
const BAD: &[(&str, &str, &str)] = &[
    (
        "LITMUS late",
        "LITMOS late",
        "1:1: found `LITMOS`, expected `LITMUS` and the name of the test",
    ),
    (
        "LITMUS late-probe-at-bind",
        "LITMUS",
        "1:7: found end of line, expected the name of the test",
    ),
    (
        "LITMUS late-probe-at-bind",
        "LITMUS late-probe",
        "1:8: found the name `late-probe` in `late-probe-at-bind.litmus`, \
         expected `late-probe-at-bind`",
    ),
    (
        " * Result: Sometimes\n",
        "",
        "2:1: found no `Result:` in the comment, expected `Result: Never`, `Result: Sometimes` or \
         `Result: Always`",
    ),
    (
        "Result: Sometimes",
        "Result: Somtimes",
        "3:12: unknown result `Somtimes`; did you mean `Sometimes`? expected `Never`, `Sometimes` \
         or `Always`",
    ),
    (
        "Result: Sometimes",
        "Result: Never\nResult: Never",
        "4:1: found `Result:` a second time, expected it once",
    ),
    (
        "Result: Sometimes",
        "Reslut: Sometimes",
        "3:4: unknown tag `Reslut:`; did you mean `Result:`? expected `Result:`, `Link:` or \
         `Fixes:`",
    ),
    (
        "passed it by?",
        "passed it by.",
        "8:18: found `by.` at the end of the question, expected `?`",
    ),
    (
        "Fixes: bcb81ac6ae3c (",
        "Fixes: bcb81ac (",
        "11:11: found `bcb81ac (\"iommu: Get DT/ACPI parsing into the proper probe path\")` after \
         `Fixes:`, expected `123456789abc (\"subject\")`",
    ),
    (
        "Link: <20250314@example.org>",
        "Link:",
        "10:9: found nothing after `Link:`, expected a message id",
    ),
    (
        "The walk passes",
        "The (* walk *) passes",
        "5:8: found `(*`, expected no comment within the comment that holds the question",
    ),
    (
        " *)\nboard",
        "board",
        "2:1: found end of file inside this comment, expected `*)`",
    ),
    (
        "board   one-client.dts\n",
        "",
        "34:1: found no board, expected a line such as `board one-client.dts`",
    ),
    (
        "one-client.dts",
        "",
        "13:6: found end of line, expected a file name",
    ),
    (
        "one-client.dts",
        "a.dts b.dts",
        "13:15: found `b.dts`, expected end of line",
    ),
    (
        "board   one",
        "board a\nboard   one",
        "14:1: found `board` a second time, expected it once",
    ),
    (
        "kernels bcb",
        "kernel bcb",
        "14:1: unknown directive `kernel`; did you mean `kernels`? expected one of board, kernels, \
         result, config, allow, driver, initial, always, sometimes, a task such as `P0`, `exists`, \
         `~exists` or `forall`",
    ),
    (
        "^ v6.16 ",
        "^ v6.16 v6.16 ",
        "14:29: found `v6.16` a second time, expected it once",
    ),
    (
        "^ v6.16 ",
        "^ v6.17 ",
        "14:23: unknown kernel `v6.17`: expected one of bcb81ac6ae3c, v6.14, v6.16, v7.3-rc7",
    ),
    (
        "result  bcb81ac6ae3c^",
        "result  v6.14",
        "15:9: found a result for `v6.14`, expected one of the kernels of this test: \
         bcb81ac6ae3c^, v6.16, v7.3-rc7 + ambarus-ready-always",
    ),
    (
        "config  modules n",
        "config  module n",
        "16:9: unknown config `module`; did you mean `modules`? expected one of modules, \
         fw_devlink, deferred_probe_timeout, async_memory, arch, xen, machine_notifier",
    ),
    (
        "config  modules n",
        "config  modules 0",
        "16:17: found the number `0` for `modules`, expected y or n, as in `config modules n`",
    ),
    (
        "allow   ee300000.sata",
        "allow   ee30000.sata",
        "18:9: unknown device `ee30000.sata`; did you mean `ee300000.sata`? expected one of the \
         devices of one-client.dts: client0, client1, ee300000.sata",
    ),
    (
        ": async managed-dma probe=-EPROBE_DEFER",
        ": asinc",
        "19:41: unknown driver option `asinc`; did you mean `async`? expected one of async, \
         managed-dma, probe, vfio, registers, configures, stage2, managed-memory",
    ),
    (
        "probe=-EPROBE_DEFER",
        "probe",
        "19:59: found no value for `probe`, expected an error, as in \
         `driver client-drv on client0 : probe=-EPROBE_DEFER`",
    ),
    (
        "probe=-EPROBE_DEFER",
        "probe=-eprobe",
        "19:65: found `-eprobe`, expected a number or an error such as `-EPROBE_DEFER`",
    ),
    (
        "P0 {",
        "P1 {",
        "23:1: found `P1`, expected `P0`: tasks are numbered in order",
    ),
    (
        "on client0 client1",
        "on client0 client0",
        "19:31: found `client0` a second time, expected it once",
    ),
    (
        ": async managed-dma",
        ": async async",
        "19:47: found `async` a second time, expected it once",
    ),
    (
        "allow  ",
        "allow client0\nallow client0 ",
        "19:7: found `client0` a second time, expected it once",
    ),
    (
        "always I13",
        "always I4 I4",
        "31:11: found `I4` a second time, expected it once",
    ),
    (
        "always I13",
        "always I9",
        "31:8: found `property I9` a second time, expected it once",
    ),
    (
        "P1 {",
        "P0 {",
        "24:1: found `P0` a second time, expected it once",
    ),
    (
        "P2 { deferred_probe_work_func }",
        "P2 { }",
        "28:1: found nothing in `P2 { }`, expected at least one verb",
    ),
    (
        "work_func }",
        "work_func",
        "30:8: found `I9`, expected `;`, `}` or end of line",
    ),
    (
        "work_func }",
        "work_func boot }",
        "28:31: found `boot`, expected `;`, `}` or end of line",
    ),
    (
        "device_attach(client0)",
        "device_atach(client0)",
        "25:5: unknown verb `device_atach`; did you mean `device_attach`? expected one of boot, \
         driver_register, delete_module, device_add, device_del, device_attach, device_driver_attach, \
         device_release_driver, deferred_probe_work_func, deferred_probe_initcall, \
         deferred_probe_timeout_work_func, wait_for_device_probe, device_shutdown, \
         iommu_domain_alloc, vfio_open, vfio_close, \
         iommu_device_register, iommu_device_unregister",
    ),
    (
        "device_attach(client0)",
        "device_attach(clinet0)",
        "25:19: unknown device `clinet0`; did you mean `client0`? expected one of the devices of \
         one-client.dts: client0, client1, ee300000.sata",
    ),
    (
        "device_attach(client0)",
        "device_attach()",
        "25:5: found no arguments for `device_attach`, expected 1 argument, as in \
         `device_attach(client0)`",
    ),
    (
        "device_attach(client0)",
        "device_attach(client0",
        "26:5: found `device_release_driver`, expected `,` or `)`",
    ),
    (
        "device_attach(client0)",
        "iommu_device_register(mmu0)",
        "25:27: unknown IOMMU instance `mmu0`; did you mean `smmu0`? expected one of the IOMMU \
         instances of one-client.dts: smmu0",
    ),
    (
        "register(arm-smmu-v3)",
        "register(client-drw)",
        "23:22: unknown driver `client-drw`; did you mean `client-drv`? expected one of the \
         drivers of the model: arm-smmu-v3, ipmmu-vmsa, client-drv",
    ),
    (
        "driver  client-drv on client0 client1 :",
        "driver  client-drw :",
        "19:9: unknown driver `client-drw`; did you mean `client-drv`? expected one of the drivers \
         of the model: arm-smmu-v3, ipmmu-vmsa, client-drv",
    ),
    (
        "client-drv on client0 client1 : async managed-dma probe=-EPROBE_DEFER\n\n\
         initial { driver_register(client-drv) }",
        "mine on client0\n\ninitial { driver_register(mine) }",
        "19:9: unknown driver `mine`; expected one of the drivers of the model: arm-smmu-v3, \
         ipmmu-vmsa, client-drv\n\
         21:27: unknown driver `mine`; expected one of the drivers of the model: arm-smmu-v3, \
         ipmmu-vmsa, client-drv",
    ),
    (
        "always I13",
        "always I31",
        "31:8: unknown property `I31`; did you mean `I1`? expected `NAME: proposition` or one of \
         I1, I2, I3, I4, I5, I6, I7, I8 and 16 more",
    ),
    (
        "late-walk: WARN",
        "late-walk WARN",
        "32:25: found `(`, expected `: ` and what is to be reached",
    ),
    (
        "always I9\n",
        "always I9\nallow client0\n",
        "31:1: found `allow` after the properties, expected directives, tasks, properties and \
         condition in this order",
    ),
    (
        "exists (of_xlate(client0, platform) >= 1 /\\ ~(deferred(client0) \\/ dma(client0) = \
         direct))",
        "",
        "35:1: found no condition, expected `exists (...)`, `~exists` or `forall`",
    ),
    (
        "platform) >= 1",
        "platform)",
        "34:9: found `of_xlate(client0, platform)` by itself, expected a comparison, as in \
      `of_xlate(client0, platform) = 1`",
    ),
    (
        "platform) >= 1",
        "platform) == 1",
        "34:37: found `==`, expected `=`",
    ),
    (
        "platform) >= 1",
        "platform) >= ",
        "34:41: found `/\\`, expected a number, word, error or string",
    ),
    (
        "platform) >= 1",
        "platform) >= one",
        "34:40: found the word `one` for `of_xlate`, expected a number, as in `of_xlate(client0, \
         platform) = 1`",
    ),
    (
        "platform) >= 1",
        "plattform) >= 1",
        "34:27: found the word `plattform` for `of_xlate`, expected platform or driver, \
         as in `of_xlate(client0, platform) = 1`",
    ),
    (
        "deferred(client0) \\/",
        "deferred(client0) = 1 \\/",
        "34:65: found a comparison of `deferred(client0)`, which holds or does not, expected \
         `deferred(client0)` or `~deferred(client0)` alone",
    ),
    (
        "= direct",
        "< direct",
        "34:81: found `<` after `dma`, which is not a number, expected `=` or `!=`",
    ),
    (
        "= direct))",
        "= direct)",
        "35:1: found end of file, expected `/\\`, `\\/` or `)`",
    ),
    (
        "= direct))",
        "= direct)) boot",
        "34:92: found `boot`, expected `/\\`, `\\/` or end of line",
    ),
    (
        "= direct))",
        "= direct))\nforall a",
        "35:1: found `condition` a second time, expected it once",
    ),
    ("/\\ ~(", "&& ~(", "34:42: found `&&`, expected `/\\`"),
    ("/\\ ~(", "/\\ !(", "34:45: found `!`, expected `~` or `!=`"),
    (
        "driver bind\")",
        "driver bind)",
        "32:36: found end of line inside a string, expected `\"`",
    ),
    (
        "driver bind\")",
        "driver \\bind\")",
        "32:64: found `\\` in a string, expected `\\\"` or `\\\\`",
    ),
];

#[test]
fn every_mistake_has_its_message() {
    let mut wrong = Vec::new();
    for &(from, to, expected) in BAD {
        assert_eq!(
            FULL.matches(from).count(),
            1,
            "the edit of {from:?} is ambiguous"
        );
        let found = errors(&FULL.replace(from, to)).join("\n");
        if found != expected {
            wrong.push(format!(
                "{from:?} -> {to:?}\n  expected {expected}\n  found    {found}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.concat());
}

#[test]
fn all_that_is_wrong_is_said_in_the_order_of_the_file() {
    let text = FULL
        .replace("device_attach(client0)", "device_attach(x)")
        .replace("v6.16", "v6.99");
    let lines: Vec<String> = errors(&text)
        .iter()
        .map(|line| line.chars().take(5).collect())
        .collect();
    assert_eq!(lines, ["14:23", "25:19"]);
}

#[test]
fn a_diagnostic_shows_the_line() {
    let error = check(&FULL.replace("device_attach(client0)", "device_attach(clinet0)"))
        .unwrap_err()
        .remove(0);
    let mut shown = String::new();
    miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none())
        .render_report(&mut shown, &error)
        .unwrap();
    assert!(
        shown.contains(&format!("[{FILE}:25:19]")) && shown.contains("device_attach(clinet0)"),
        "{shown}"
    );
}

#[test]
fn a_test_is_called_what_its_file_is_called() {
    let with = |file: &str| errors_with(&vocabulary(), file, FULL);
    for file in [
        FILE,
        "dir.litmus/late-probe-at-bind.litmus",
        "t",
        "late.litmus/t.txt",
        "<stdin>",
        "",
    ] {
        assert_eq!(with(file), [""; 0], "{file}");
    }
    for (file, stem) in [
        ("t.litmus", "t"),
        ("late-probe-at-bind/t.litmus", "t"),
        ("late-probe-at-bind.2.litmus", "late-probe-at-bind.2"),
        ("Late-probe-at-bind.litmus", "Late-probe-at-bind"),
    ] {
        let expected = format!(
            "1:8: found the name `late-probe-at-bind` in `{stem}.litmus`, expected `{stem}`"
        );
        assert_eq!(with(file), [expected]);
    }
}

#[test]
fn without_named_invariants_a_property_needs_its_proposition() {
    let vocabulary = Vocabulary {
        properties: &[],
        ..Vocabulary::default()
    };
    let found = errors_with(&vocabulary, FILE, FULL);
    let expected = [
        "30:8: unknown property `I9`; expected `NAME: proposition`",
        "31:8: unknown property `I13`; expected `NAME: proposition`",
    ];
    assert_eq!(found, expected);
}

/// Every example in the tables is a correct use, in a test that is otherwise `FULL`.
#[test]
fn the_examples_of_the_vocabulary_are_correct() {
    let vocabulary = Vocabulary::default();
    for verb in vocabulary.verbs {
        let text = FULL.replace("deferred_probe_work_func", verb.example);
        assert_eq!(errors(&text), [""; 0], "{}", verb.name);
    }
    for predicate in vocabulary.predicates {
        let text = FULL.replace("deferred(client0)", predicate.signature.example);
        assert_eq!(errors(&text), [""; 0], "{}", predicate.signature.name);
    }
    for word in vocabulary.config.iter().chain(vocabulary.driver_options) {
        let text = FULL
            .lines()
            .filter(|line| !line.starts_with("config") && !line.starts_with("driver"));
        let text: Vec<&str> = text
            .flat_map(|line| {
                [
                    line,
                    if line.starts_with("allow") {
                        word.example
                    } else {
                        ""
                    },
                ]
            })
            .collect();
        assert_eq!(errors(&text.join("\n")), [""; 0], "{}", word.name);
    }
}

#[test]
fn the_readme_says_what_the_tables_say() {
    let readme = include_str!("../../README.md");
    let vocabulary = Vocabulary::default();
    let predicates = vocabulary
        .predicates
        .iter()
        .map(|predicate| &predicate.signature);
    let words = vocabulary
        .verbs
        .iter()
        .chain(predicates)
        .chain(vocabulary.config)
        .chain(vocabulary.driver_options);
    for word in words.clone() {
        let row = format!("| `{}` | {} |", word.example, word.doc);
        assert!(
            readme.contains(&row),
            "scenarios/README.md lacks this row:\n{row}"
        );
    }
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    assert_eq!(
        rows.count(),
        words.count(),
        "scenarios/README.md has a row too many"
    );
}

#[test]
fn the_readme_and_the_module_text_show_a_good_file_and_the_same_grammar() {
    let readme = include_str!("../../README.md");
    let module: Vec<&str> = include_str!("mod.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .collect();
    let module = module
        .iter()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    for fence in ["```litmus\n", "```text\nfile "] {
        let block = |text: &str| {
            let start = text.find(fence)?;
            let end = start + text[start..].find("\n```\n")?;
            Some(text[start..end].to_owned())
        };
        assert_eq!(block(readme), block(&module));
        if let Some(example) = block(readme).unwrap().strip_prefix("```litmus\n") {
            let found = errors_with(&Vocabulary::default(), FILE, example);
            assert_eq!(found, [""; 0]);
        }
    }
}

#[test]
fn limits_are_errors_and_not_crashes() {
    let deep = |open: &str, close: &str, n| {
        let condition = format!("exists {}boot{}", open.repeat(n), close.repeat(n));
        let text = FULL.split("exists (").next().unwrap().to_owned() + &condition;
        parse("t.litmus", &text)
            .err()
            .map(|error| error.to_string())
    };
    let message = Some(
        "t.litmus:34:72: found more than 64 levels within one another, expected no more".to_owned(),
    );
    for (open, close) in [("(", ")"), ("~", "")] {
        assert_eq!(deep(open, close, 64), None);
        assert_eq!(deep(open, close, 65), message);
        assert_eq!(deep(open, close, 30_000), message);
    }
    assert_eq!(deep("a /\\ ", "", 10_000), None);
    let long = parse("t.litmus", &" ".repeat(1 << 17))
        .unwrap_err()
        .to_string();
    assert_eq!(
        long,
        "t.litmus:1:1: found a file of more than 65536 bytes, expected a litmus test"
    );
    let comments = parse("t.litmus", &"(*".repeat(30_000))
        .unwrap_err()
        .to_string();
    assert_eq!(
        comments,
        "t.litmus:1:129: found more than 64 levels within one another, expected no more"
    );
}

/// Whatever the text: an answer, and if it is a test, one that is printed as itself and rendered
/// without a panic.
fn survives(text: &str) {
    match parse("t.litmus", text) {
        Ok(litmus) => {
            let printed = litmus.to_string();
            assert_eq!(
                parse("t.litmus", &printed).as_ref().ok(),
                Some(&litmus),
                "{printed}"
            );
            for error in validate(&litmus, &vocabulary(), &Board) {
                survives_report(&error);
            }
        }
        Err(error) => survives_report(&error),
    }
}

fn survives_report(error: &Error) {
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    let mut shown = String::new();
    miette::NarratableReportHandler::new()
        .render_report(&mut shown, error)
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_text_after_a_good_start_is_survived(text in "[\\PC\n\r]{0,40}", cut in 0..FULL.len()) {
        survives(&format!("{}{text}{}", &FULL[..cut], &FULL[cut..]));
    }

    #[test]
    fn any_mutation_is_survived(
        edits in prop::collection::vec(
            (0..FULL.len(), 0..40_usize, 0..FULL.len(), 0..40_usize),
            1..4,
        ),
    ) {
        let mut text = FULL.to_owned();
        for (at, remove, from, copy) in edits {
            let at = at.min(text.len());
            let piece = &FULL[from..(from + copy).min(FULL.len())];
            text.replace_range(at..(at + remove).min(text.len()), piece);
        }
        survives(&text);
    }

    #[test]
    fn any_tokens_are_survived(
        tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..30),
        cut in 0..2_usize,
    ) {
        let place = [FULL.find("board").unwrap(), FULL.find("exists (").unwrap()][cut];
        survives(&format!("{}{}\n{}", &FULL[..place], tokens.join(" "), &FULL[place..]));
        let start = &FULL[..FULL.find("exists (").unwrap()];
        survives(&format!("{start}exists {}", tokens.join(" ")));
    }
}

const TOKENS: &[&str] = &[
    "exists",
    "~",
    "(",
    ")",
    "/\\",
    "\\/",
    "a",
    "b(c)",
    "= 1",
    "not",
    "\n",
    "{",
    "}",
    ";",
    ":",
    "driver",
    "on",
    "x",
    "=",
    "-EIO",
    "\"s \\\" t\"",
    "allow",
    "config",
    "always",
    "P3",
    "initial",
    "kernels",
    "v1^",
    "0x10",
    "123456789012",
    "//",
    "(*",
    "*)",
    ",",
    "deadlock",
];
