//! Device tree source: what is read, and what is refused in which words.

use kernel::of::tree::Tree;
use proptest::prelude::*;

use super::super::{dts, parse_dts};
use super::{board, dtc, error};

/// Text between the braces of the root, on line 2 from column 5 on.
fn in_root(body: &str) -> String {
    format!("/dts-v1/;\n/ {{ {body} }};\n")
}

#[test]
fn values() {
    let table: &[(&str, &[u8])] = &[
        ("p;", b""),
        ("p = <>;", b""),
        (
            "p = <1 0x2 010 0XfF>;",
            b"\0\0\0\x01\0\0\0\x02\0\0\0\x08\0\0\0\xff",
        ),
        (
            "p = <0xffffffff 4294967295>;",
            b"\xff\xff\xff\xff\xff\xff\xff\xff",
        ),
        ("p = \"\";", b"\0"),
        ("p = \"a\", \"b\";", b"a\0b\0"),
        ("p = \"a\\0b\\n\\x41\\101\\\"\\\\\";", b"a\0b\nAA\"\\\0"),
        ("p = \"// no comment /* here\";", b"// no comment /* here\0"),
        ("p = \"\u{e9}\";", b"\xc3\xa9\0"),
        ("p = [00 fF1 2];", b"\0\xff\x12"),
        ("p = [], <1>, \"a\", [b], ;", b"?"),
        ("p = <1>, \"a\", [0b];", b"\0\0\0\x01a\0\x0b"),
        (
            "p = <1 /* c */ 2>, // d\n <3>;",
            b"\0\0\0\x01\0\0\0\x02\0\0\0\x03",
        ),
        ("p = &x, <&x>; x: y { z { }; };", b"/y\0\0\0\0\x01"),
        (
            "p = <&{/y/z} 7>, &{/y}; y { z { }; };",
            b"\0\0\0\x01\0\0\0\x07/y\0",
        ),
        ("p = <&r>; r: q { phandle = <9>; };", b"\0\0\0\x09"),
        ("p = [01]; hog { gpio-hog; gpios = <7 1>; };", b"\x01"),
        ("123,x#?+._-; p = [01];", b"\x01"),
    ];
    for (body, expected) in table {
        if *expected == b"?" {
            assert!(parse_dts("t.dts", &in_root(body)).is_err(), "{body}");
            continue;
        }
        let board = board("t.dts", in_root(body).as_bytes());
        assert_eq!(
            board.tree.property(Tree::ROOT, "p"),
            Some(*expected),
            "{body}"
        );
    }
}

#[test]
fn amendments() {
    let text = r#"
        /dts-v1/;
        / {
            one: first: node@1 { status = "disabled"; gone; child { a; }; };
            doomed: node@2 { };
            last { };
        };
        / { node@1 { late; }; fresh { }; };
        &one { status = "okay"; /delete-property/ gone; child { b; }; more: extra { }; };
        &{/last} { c; };
        /delete-node/ &doomed;
    "#;
    let board = board("folder/amended.dts", text.as_bytes());
    let paths: Vec<_> = board.tree.ids().map(|id| board.tree.path(id)).collect();
    let expected = [
        "/",
        "/node@1",
        "/node@1/child",
        "/node@1/extra",
        "/last",
        "/fresh",
    ];
    assert_eq!(paths, expected);
    let names = |path: &str| {
        let node = board
            .tree
            .node(board.tree.by_path(path).expect("it is there"));
        node.properties
            .iter()
            .map(|p| p.name.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("/node@1"), ["status", "late"]);
    assert_eq!(names("/node@1/child"), ["a", "b"]);
    assert_eq!(board.name, "amended");
    assert_eq!(
        board.labels.keys().collect::<Vec<_>>(),
        ["first", "more", "one"]
    );
    assert_eq!(board.find("one"), board.find("/node@1"));
    assert_eq!(board.label(board.labels["one"]), Some("first"));
    assert!(board.tree.is_available(board.labels["one"]));
}

#[test]
fn phandles_are_the_lowest_free_in_order_of_reference() {
    let text = in_root("p = <&c &a &b>; a: a { }; b: b { phandle = <2>; }; c: c { };");
    let board = board("t.dts", text.as_bytes());
    assert_eq!(board.tree.cells(Tree::ROOT, "p"), Some(vec![1, 3, 2]));
}

/// Bodies of a root (see [`in_root`]) and what is said about them.
#[rustfmt::skip]
const BODIES: &[(&str, &str)] = &[
    ("p", "2:7: found `}`, expected `=`, `;` or `{` after `p`"),
    ("p = ;", "2:9: found `;`, expected `<`, `\"`, `[` or `&`"),
    ("p = <1> <2>;", "2:13: found `<`, expected `,` or `;` after a value"),
    ("p = <1 x>;", "2:12: found `x`, expected a number, `&label` or `>`"),
    ("p = <1x>;", "2:10: found `1x`, expected a number"),
    ("p = <0x>;", "2:10: found `0x`, expected a number"),
    ("p = <08>;", "2:10: found `08`, expected a number"),
    ("p = <0x100000000>;", "2:10: found `0x100000000`, expected a number that fits a 32-bit cell"),
    ("p = <1", "2:12: found `}`, expected a number, `&label` or `>`"),
    ("p = <(1 + 2)>;", "2:10: arithmetic in parentheses is not in the supported subset"),
    ("p = <'a'>;", "2:10: a character literal is not in the supported subset"),
    ("p = \"a;", "2:9: this string has no end"),
    ("p = \"\\xg\";", "2:10: found an escape that is no byte, expected `\\0` to `\\377` or `\\x0` to `\\xff`"),
    ("p = [0];", "2:11: found `]`, expected two hexadecimal digits for each byte, or `]`"),
    ("p = /bits/ 8 <1>;", "2:9: `/bits/` is not in the supported subset"),
    ("p = <&nowhere>;", "2:10: no node has the label `nowhere`"),
    ("p = &{/no/where};", "2:9: no node has the path `/no/where`"),
    ("p = <&>;", "2:11: found `>`, expected a label or `{/path}` after `&`"),
    ("p = &{a};", "2:12: found `}`, expected a path that starts with `/`"),
    ("p; p;", "2:8: property `p` is given twice"),
    ("n { }; p;", "2:12: property `p` stands after a child node, expected it before"),
    ("p@1 = <1>;", "2:5: found `p@1`, expected a property name, which has no `@`"),
    ("n { }; n { };", "2:12: a sibling is called `n` already"),
    ("n@ { };", "2:5: found `n@`, expected a node name such as `mmc@ee100000`"),
    ("n { }", "2:11: found `}`, expected `;`"),
    ("l: a { }; l: b { };", "2:15: label `l` names /a already"),
    ("l: p;", "2:5: labels before properties are not in the supported subset"),
    ("0l: a { };", "2:5: found `0l`, expected a label of letters, digits and `_`"),
    ("a { phandle = <1>; }; b { phandle = <1>; };", "2:31: /a has phandle 0x1 already"),
    ("a { phandle = <0>; };", "2:9: found no phandle, expected one cell that is neither 0 nor 0xffffffff"),
    ("/delete-node/ a;", "2:19: / has no child `a` to delete"),
    ("/delete-property/ a;", "2:23: / has no property `a` to delete"),
    ("/incbin/;", "2:5: `/incbin/` is not in the supported subset"),
    ("#include \"a\"", "2:5: `#include` of the C preprocessor is not in the supported subset"),
    ("/* ", "2:5: this comment has no end"),
    ("\u{1}", "2:5: found `\\u{1}`, expected a property, a node or `}`"),
    ("iommus = <9 1>;", "2:15: /: iommus: no node has phandle 0x9"),
    ("iommus = [00];", "2:5: /: iommus: its 1 bytes are not a whole number of cells"),
    ("iommus = <&a>; a: a { };", "2:15: /: iommus: /a has no #iommu-cells"),
    ("iommus = <&a>; a: a { #iommu-cells = <1>; };", "2:15: /: iommus: /a takes 1 cells after its phandle, found 0"),
    ("x { clocks = [00000000], <7>; };", "2:31: /x: clocks: no node has phandle 0x7"),
    ("iommu-map = <0 &a 0>; a: a { #iommu-cells = <1>; };", "2:5: /: iommu-map: 3 cells are not a whole number of entries (input base, phandle, output base, length)"),
    ("iommu-map = <0 7 0 1>;", "2:20: /: iommu-map: no node has phandle 0x7"),
    ("iommu-map = <0 &a 0 1>; a: a { };", "2:20: /: iommu-map: /a has no #iommu-cells"),
    ("pinctrl-0 = <7>;", "2:18: /: pinctrl-0: no node has phandle 0x7"),
    ("vmmc-supply = <7>;", "2:20: /: vmmc-supply: no node has phandle 0x7"),
    ("gpios = <7 1>;", "2:14: /: gpios: no node has phandle 0x7"),
    ("cd-gpios = <&a>; a: a { };", "2:17: /: cd-gpios: /a has no #gpio-cells"),
];

/// Whole texts and what is said about them.
const TEXTS: &[(&str, &str)] = &[
    ("", "1:1: found the end of the file, expected `/dts-v1/;`"),
    ("/ { };", "1:1: found `/`, expected `/dts-v1/;`"),
    (
        "/dts-v1/; // only",
        "1:18: found the end of the file, expected `/ {` or `&label {`",
    ),
    (
        "/dts-v1/;\n\n  node { };",
        "3:3: found `node`, expected `/ {` or `&label {`",
    ),
    (
        "/dts-v1/;\n/memreserve/ 0 1;",
        "2:1: `/memreserve/` is not in the supported subset",
    ),
    (
        "/dts-v1/;\n/plugin/;",
        "2:1: `/plugin/` is not in the supported subset",
    ),
    (
        "/dts-v1/;\n/include/ \"a\"",
        "2:1: `/include/` is not in the supported subset",
    ),
    (
        "#include <a>\n/dts-v1/;",
        "1:1: `#include` of the C preprocessor is not in the supported subset",
    ),
    (
        "/dts-v1/;\n# define A 1",
        "2:1: `#define` of the C preprocessor is not in the supported subset",
    ),
    (
        "/dts-v1/;\n/ { };\n&late { };",
        "3:1: no node has the label `late`",
    ),
    (
        "/dts-v1/;\n/ { };\n/delete-node/ &{/};",
        "3:15: the root node cannot be deleted",
    ),
    (
        "/dts-v1/;\n/ { a: a { }; b = <",
        "2:15: property `b` stands after a child node, expected it before",
    ),
    (
        "/dts-v1/;\n/ { \"\u{e9}\u{e9}\" };",
        "2:5: found `\"`, expected a property, a node or `}`",
    ),
    (
        "/dts-v1/;\n/ { p = \"\u{e9}\u{e9}\" x };",
        "2:14: found `x`, expected `,` or `;` after a value",
    ),
];

#[test]
fn errors_name_the_place_and_what_was_expected() {
    let bodies = BODIES
        .iter()
        .map(|(body, message)| (in_root(body), *message));
    let texts = TEXTS
        .iter()
        .map(|(text, message)| ((*text).to_owned(), *message));
    for (text, message) in bodies.chain(texts) {
        let got = error("b/t.dts", text.as_bytes());
        let want = format!("b/t.dts:{message}");
        assert_eq!(got, want, "{text}");
    }
}

#[test]
fn excerpt_shows_the_place() {
    let error = parse_dts("t.dts", &in_root("iommus = <&nowhere 1>;")).unwrap_err();
    let mut shown = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none());
    handler
        .render_report(&mut shown, &error)
        .expect("it renders");
    assert!(shown.contains("iommus = <&nowhere 1>;"), "{shown}");
    assert!(shown.contains("t.dts:2:15"), "{shown}");
}

#[test]
fn limits() {
    let nested = |levels: usize| {
        let open = "n { ".repeat(levels - 1);
        in_root(&format!("{open}{}", "}; ".repeat(levels - 1)))
    };
    assert_eq!(
        board("t.dts", nested(dts::MAX_DEPTH).as_bytes())
            .tree
            .nodes
            .len(),
        dts::MAX_DEPTH
    );
    let too_deep = error("t.dts", nested(100_000).as_bytes());
    assert_eq!(too_deep, "t.dts:2:257: nodes nest deeper than 64 levels");
    let long = " ".repeat(dts::MAX_TEXT + 1);
    let too_long = error("t.dts", long.as_bytes());
    assert_eq!(
        too_long,
        "t.dts:1:1: found a text of 4194305 bytes, expected at most 4194304"
    );
    let wide: Vec<_> = (0..100_000).map(|n| format!("n{n} {{ }};")).collect();
    assert_eq!(
        board("t.dts", in_root(&wide.join("\n")).as_bytes())
            .tree
            .nodes
            .len(),
        100_001
    );
}

#[test]
fn not_text() {
    let got = error("t.dts", b"/dts-v1/;\n\xff");
    assert_eq!(
        got,
        "t.dts:2:1: found byte 0xa that is not UTF-8, expected text or a device tree blob"
    );
    let missing = super::super::load(std::path::Path::new("no/such.dts")).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("no/such.dts: cannot read the file: ")
    );
}

/// One text with everything in it gives the bytes that dtc makes of it.
#[test]
fn dtc_agrees() {
    let text = r#"/dts-v1/;
        / {
            p = <&x &{/a/b} 010>, "s\0\x41\101\n", [00ff], &y, &{/a};
            #address-cells = <1>;
            a { q = <0>; b { c; }; };
            x: y: late@0 { status = "disabled"; p = <&x>; explicit = <&e>; };
            e: e { phandle = <1>; };
        };
        / { a { more; }; new { }; };
        &x { status = "okay"; p = <&fresh>; fresh: fresh { }; };
        &{/new} { deep { r = <&e>, <&y>; }; };
    "#;
    let ours = board("t.dts", text.as_bytes());
    if let Some(blob) = dtc("dts", "dtb", text.as_bytes()) {
        assert_eq!(board("t.dtb", &blob).tree, ours.tree);
    }
}

/// Words that texts are made of, so that random ones get past the first few letters.
const WORDS: &[&str] = &[
    "/dts-v1/;",
    "/ {",
    "{",
    "};",
    "}",
    ";",
    "=",
    "<",
    ">",
    "[",
    "]",
    "\"",
    "&",
    "&{/",
    "&a",
    "a: ",
    "a",
    "b@1",
    "phandle",
    "iommus",
    "#iommu-cells",
    "iommu-map",
    "1",
    "0x",
    "00",
    ",",
    "/*",
    "*/",
    "//",
    "\n",
    "\\",
    "\\x",
    "\u{e9}",
    "/delete-node/",
    "/delete-property/",
    "#include",
    "'",
    "(",
    "p = <1 &a>;",
    "a: a { phandle = <1>; };",
    "&a { };",
];

proptest! {
    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = super::from_bytes("t.dts", &bytes).map_err(|e| e.to_string());
        let mut text = b"/dts-v1/; / {".to_vec();
        text.extend(bytes);
        let _ = super::from_bytes("t.dts", &text).map_err(|e| e.to_string());
    }

    #[test]
    fn words_never_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..40)) {
        let body = words.concat();
        for text in [body.clone(), format!("/dts-v1/; / {{ {body} }};"), in_root(&words.join(" "))] {
            if let Err(error) = parse_dts("t.dts", &text) {
                prop_assert!(!error.to_string().contains('\n'), "{}", error);
                prop_assert!(error.to_string().starts_with("t.dts:"));
            }
        }
    }
}
