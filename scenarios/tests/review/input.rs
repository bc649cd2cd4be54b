//! Bad input of `review` and `new-patch`, and their help.

use super::{run, stderr, stdout};

/// The input is refused with one error that has all of `parts`.
fn refused(arguments: &[&str], parts: &[&str]) {
    let output = run(arguments);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}\n{said}");
    assert_eq!(stdout(&output), "", "{arguments:?}");
    let is_error = |line: &&str| line.starts_with("  × ") || line.starts_with("error: ");
    let errors: Vec<&str> = said.lines().filter(is_error).collect();
    assert_eq!(errors.len(), 1, "{arguments:?}\n{said}");
    for part in parts {
        assert!(said.contains(part), "no `{part}` in\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn bad_input_is_refused() {
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["v6.16"],
            &["`v6.16`: found no `..`, expected BASE..PATCHED"],
        ),
        (&["A.."], &["`A..`: found no kernel after `..`"]),
        (&["..A"], &["`..A`: found no kernel before `..`"]),
        (&["v6.15...v6.16"], &["`v6.15...v6.16`: found three dots"]),
        (
            &["nothing..v6.16"],
            &["BASE..PATCHED: `nothing` is not a revision"],
        ),
        (
            &["v6.16..v9.99"],
            &["BASE..PATCHED: `v9.99` is newer than "],
        ),
        (&["v6.16..6.16"], &["have the same commits of the table"]),
        (
            &["v6.15..v6.16", "no-such.litmus"],
            &["no-such.litmus: cannot read the file"],
        ),
        (
            &["v6.15..v6.16", "model"],
            &["model: found no .litmus file"],
        ),
        (
            &["v6.15..v6.16", "--format", "html"],
            &["'html' for '--format"],
        ),
        (
            &["v6.15..v6.16", "--brief", "--full"],
            &["cannot be used with"],
        ),
        (
            &["--patch", "ambarus-fnode"],
            &["--patch: `ambarus-fnode` is not a commit"],
        ),
        (
            &["--patch", "bcb81ac6ae3c"],
            &["--patch: `v7.3-rc7` has bcb81ac6ae3c already"],
        ),
        (&[], &["required arguments were not provided"]),
    ];
    for (arguments, parts) in cases {
        refused(&[&["review"], *arguments].concat(), parts);
    }
    let all = ["new-patch", "a-b", "--subject", "s", "--effect", "e"];
    refused(&all[..2], &["required arguments were not provided"]);
    let taken = [
        "new-patch",
        "ambarus-fwnode",
        "--subject",
        "s",
        "--effect",
        "e",
    ];
    refused(
        &taken,
        &["NAME: `ambarus-fwnode` is taken, by ambarus-fwnode"],
    );
    refused(
        &[&all[..], &["--posted", "v9.9"]].concat(),
        &["--posted: found `v9.9`"],
    );
    refused(
        &[&all[..], &["--link", "x"]].concat(),
        &["--link: found `x`"],
    );
}

#[test]
fn the_help_has_examples_and_exit_codes() {
    for command in ["review", "new-patch"] {
        let output = run(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        let help = stdout(&output);
        assert!(help.contains("Example"), "{help}");
        assert!(help.contains(&format!("probe-litmus {command} ")), "{help}");
        assert!(help.contains("Exit codes: 0 "), "{help}");
    }
}
