//! Expression in, facts about the set out.

use super::*;
use crate::commit::{
    A2E7E59A9426, A2225B6E834A, AMBARUS_FWNODE, AMBARUS_READY_ALWAYS, B46064A18810, B67483B3C44E,
    BCB81AC6AE3C, D9D3CEDE4167, DA33E87BD2BF, DC23806A7C47, F48DCDA8F6A4, F2648BB3150A,
    F188056352BC, FD598F71B669, G0C8E9C148E29, G7D835134D4E1, G7FA1E85CFE68, G9DE68394A615,
    G17DE3F5FDD35, G38E8844005E6, G46B3DF8EB9BD, G58B116BCE136, G72B6F7CD89CE, G73D2F10957F5,
    G95DEEE37A123, G97CB1FA02726, G152F33EE30EE, G229E6EE43D2A, G280E5A301005, G78447D4545B2,
    G3832862EB9C4, table,
};

fn parse(text: &str) -> Revision {
    Revision::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> String {
    match Revision::parse(text) {
        Ok(revision) => panic!("{text} is {revision}"),
        Err(error) => error.to_string(),
    }
}

/// Asserts that the revision has all of `has` and none of `lacks`.
#[track_caller]
fn check(text: &str, has: &[CommitId], lacks: &[CommitId]) {
    let revision = parse(text);
    for &id in has {
        assert!(revision.has(id), "{text} lacks {id}");
    }
    for &id in lacks {
        assert!(!revision.has(id), "{text} has {id}");
    }
}

#[test]
fn a_tag_has_what_was_merged_up_to_it() {
    check(
        "v6.12",
        &[commit::B67483B3C44E],
        &[commit::F6440FCC9C7B, G229E6EE43D2A],
    );
    check(
        "v6.13",
        &[commit::F6440FCC9C7B, G229E6EE43D2A],
        &[G7D835134D4E1, G46B3DF8EB9BD],
    );
    check(
        "v6.14",
        &[G7D835134D4E1, G97CB1FA02726, G46B3DF8EB9BD],
        &[B46064A18810, BCB81AC6AE3C],
    );
    check(
        "v6.15-rc1",
        &[B46064A18810, BCB81AC6AE3C, G73D2F10957F5, F48DCDA8F6A4],
        &[D9D3CEDE4167],
    );
    check(
        "v6.15-rc2",
        &[D9D3CEDE4167, G280E5A301005, G38E8844005E6],
        &[G95DEEE37A123],
    );
    check(
        "v6.15",
        &[G95DEEE37A123],
        &[G0C8E9C148E29, DA33E87BD2BF, G152F33EE30EE],
    );
    check(
        "v6.16",
        &[G0C8E9C148E29, DA33E87BD2BF, G152F33EE30EE],
        &[G78447D4545B2, G72B6F7CD89CE],
    );
    check("v6.17-rc2", &[G78447D4545B2], &[G72B6F7CD89CE]);
    check("v7.0-rc2", &[DC23806A7C47], &[G9DE68394A615]);
    check("v7.0", &[G9DE68394A615], &[DC23806A7C47, A2225B6E834A]);
    check("v7.1", &[A2225B6E834A], &[F2648BB3150A]);
    check(
        "v7.2",
        &[F2648BB3150A, G7FA1E85CFE68],
        &[AMBARUS_READY_ALWAYS, AMBARUS_FWNODE],
    );
}

#[test]
fn a_commit_is_its_history() {
    check(
        "bcb81ac6ae3c",
        &[BCB81AC6AE3C, B46064A18810, G3832862EB9C4],
        &[G73D2F10957F5],
    );
    check(
        "bcb81ac6ae3c^",
        &[B46064A18810, FD598F71B669, G3832862EB9C4],
        &[BCB81AC6AE3C],
    );
    check("b46064a18810^", &[G46B3DF8EB9BD], &[B46064A18810]);
    check("9de68394a615^", &[DC23806A7C47], &[G9DE68394A615]);
    assert_eq!(parse("b46064a18810^"), parse("v6.14"));
    assert_eq!(parse("f6440fcc9c7b^"), parse("v6.12"));
}

#[test]
fn a_sha_may_be_shorter_or_longer() {
    for text in [
        "bcb81ac",
        "BCB81AC6AE3C",
        "bcb81ac6ae3c2ef95b44e7b54c3c9522364a245c",
    ] {
        assert_eq!(parse(text), parse("bcb81ac6ae3c"), "{text}");
        assert_eq!(parse(&format!("{text}^")), parse("bcb81ac6ae3c^"), "{text}");
    }
}

#[test]
fn stable_releases_have_their_backports() {
    check("6.12.3", &[], &[G229E6EE43D2A]);
    check(
        "6.12.25",
        &[G229E6EE43D2A, G38E8844005E6],
        &[B46064A18810, G280E5A301005],
    );
    check("6.12.26", &[B46064A18810, G280E5A301005], &[G3832862EB9C4]);
    check("6.12.31", &[G3832862EB9C4], &[BCB81AC6AE3C, G46B3DF8EB9BD]);
    check("6.12.72", &[DC23806A7C47], &[G9DE68394A615, A2225B6E834A]);
    check("6.12.73", &[G9DE68394A615], &[DC23806A7C47]);
    check("6.12.86", &[A2225B6E834A], &[F2648BB3150A]);
    check(
        "6.14.10",
        &[B46064A18810, G3832862EB9C4, DA33E87BD2BF],
        &[BCB81AC6AE3C, G0C8E9C148E29],
    );
    check(
        "6.15.1",
        &[G0C8E9C148E29, DA33E87BD2BF],
        &[G152F33EE30EE, G78447D4545B2],
    );
    check("6.15.10", &[G152F33EE30EE, G78447D4545B2], &[G72B6F7CD89CE]);
    check(
        "6.16.12",
        &[G152F33EE30EE, G78447D4545B2, G72B6F7CD89CE],
        &[DC23806A7C47],
    );
    check("6.18.27", &[A2225B6E834A, G9DE68394A615], &[DC23806A7C47]);
    // A branch has what the table knows of it.
    assert_eq!(parse("6.12.y"), parse("6.12.107"));
    assert_eq!(parse("v6.14.y"), parse("6.14.10"));
    assert_eq!(parse("7.2.y"), parse("v7.2"));
    assert_ne!(parse("6.12.y"), parse("v6.12"));
    assert_eq!(parse("7.2.13"), parse("v7.2"));
    assert_eq!(parse("6.16.0"), parse("v6.16"));
}

#[test]
fn what_uname_prints_is_a_revision() {
    let names = [
        ("6.12.107+deb13-arm64", "6.12.107 (stable)"),
        ("6.16.12+deb13-arm64", "6.16.12 (stable)"),
        ("7.2.13+deb14-arm64", "7.2.13 (stable)"),
        ("7.2.13", "7.2.13 (stable)"),
        ("6.12.74+deb13+1-amd64", "6.12.74 (stable)"),
        ("6.17.7-200.fc42.x86_64", "6.17.7 (stable)"),
        ("6.18.2-arch1-1", "6.18.2 (stable)"),
        ("6.14.0-27-generic", "v6.14"),
        ("6.16.0-rc3+", "v6.16-rc3"),
        ("6.16.0+", "v6.16"),
        ("6.14.0-rc3-rcar3-00020-g73d2f10957f5-dirty", "73d2f10957f5"),
        ("v6.14-rc3-20-g73d2f10957f5", "73d2f10957f5"),
    ];
    for (text, name) in names {
        assert_eq!(parse(text).to_string(), name, "{text}");
    }
    check(
        "6.12.107+deb13-arm64",
        &[B46064A18810, G3832862EB9C4, A2225B6E834A, G280E5A301005],
        &[BCB81AC6AE3C, G7D835134D4E1, DA33E87BD2BF, D9D3CEDE4167],
    );
}

#[test]
fn commits_are_added_and_taken_away() {
    check(
        "v7.3-rc7 + ambarus-ready-always",
        &[AMBARUS_READY_ALWAYS, DA33E87BD2BF],
        &[],
    );
    check("v6.16 - da33e87bd2bf", &[G0C8E9C148E29], &[DA33E87BD2BF]);
    let same = [
        "v7.3-rc7 + ambarus-ready-always + ambarus-fwnode - da33e87bd2bf",
        "v7.3-rc7+ambarus-ready-always+ambarus-fwnode-da33e87bd2bf",
        "  7.3-rc7 -da33e87 +ambarus-fwnode   + ambarus-ready-always ",
    ];
    for text in same {
        assert_eq!(parse(text), parse(same[0]), "{text}");
        assert_eq!(parse(text).to_string(), same[0], "{text}");
    }
    assert_eq!(parse("bcb81ac6ae3c^+bcb81ac6ae3c"), parse("bcb81ac6ae3c"));
    assert_eq!(
        parse("6.12.107+deb13-arm64 - a2225b6e834a"),
        parse("6.12.107-a2225b6e834a")
    );
    assert_eq!(
        parse("v6.16 - da33e87bd2bf + da33e87bd2bf").to_string(),
        "v6.16"
    );
}

#[test]
fn a_revert_and_what_it_reverts_exclude_each_other() {
    check("v7.3-rc7 + dc23806a7c47", &[DC23806A7C47], &[G9DE68394A615]);
    check("v7.3-rc7 - 9de68394a615", &[DC23806A7C47], &[G9DE68394A615]);
    check("v7.0-rc1 + 9de68394a615", &[G9DE68394A615], &[DC23806A7C47]);
    check(
        "v7.0-rc1 - dc23806a7c47",
        &[],
        &[G9DE68394A615, DC23806A7C47],
    );
    assert_eq!(
        parse("v7.3-rc7 - 9de68394a615").to_string(),
        "v7.3-rc7 + dc23806a7c47"
    );
}

#[test]
fn a_name_can_be_read_again() {
    let texts = [
        "v6.12",
        "v6.15-rc1",
        "bcb81ac6ae3c^",
        "6.12.107",
        "6.12.107 + da33e87bd2bf",
        "v7.3-rc7 - 9de68394a615",
        "v7.0-rc1 + 9de68394a615",
        "v6.16 - 3832862eb9c4 + ambarus-fwnode - da33e87bd2bf",
        "v6.12 - 58b116bce136",
        "v6.12 - a2e7e59a9426 - b67483b3c44e",
        "a2e7e59a9426^ + a16b5d1681ab + b19ca5922dff",
        "01657bc14a39^ - 58b116bce136",
    ];
    for text in texts {
        let revision = parse(text);
        let again = parse(&revision.to_string());
        assert_eq!(again, revision, "{text}");
        assert_eq!(again.to_string(), revision.to_string(), "{text}");
    }
}

/// Every merged row X is its parent and X, less what X reverts.
/// All mainline commits but the first of 32-bit ARM's, whose parent is not modelled.
fn named_by_parent() -> impl Iterator<Item = CommitId> {
    let mainline = CommitId::all().filter(|id| id.commit().is_mainline());
    mainline.filter(|id| *id != commit::G09515EF5DDAD)
}

#[test]
fn a_commit_is_its_parent_and_itself() {
    for id in named_by_parent() {
        let (after, before) = (parse(&id.to_string()), parse(&format!("{id}^")));
        assert_eq!(
            after,
            before.with(id).expect("the parent does not have it"),
            "{id}"
        );
        assert!(after.has(id) && !before.has(id), "{id}");
        assert!(before < after, "{id}");
    }
}

#[test]
fn the_table_is_chronological() {
    let mainline: Vec<_> = table().filter(|row| row.is_mainline()).collect();
    assert!(mainline.is_sorted_by_key(|row| row.version));
    assert!(
        table().is_sorted_by_key(|row| !row.is_mainline()),
        "proposed patches come last"
    );
    assert!(table().all(|row| row.version <= NEWEST));
    assert!(table().count() <= u128::BITS as usize);
}

#[test]
fn each_row_is_well_formed() {
    for id in CommitId::all() {
        let row = id.commit();
        assert_eq!(
            table().filter(|other| other.id == row.id).count(),
            1,
            "{id}"
        );
        assert_eq!(commit::find(row.id), Ok(id));
        if row.is_mainline() {
            assert!(row.id.len() == 12 && row.id.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert_eq!(commit::find(&row.id[..7]), Ok(id));
        }
        assert!(
            row.effect.ends_with('.') && !row.effect.contains("  "),
            "{id}"
        );
        assert!(row.stable.is_sorted(), "{id}");
        for point in row.stable {
            assert!(
                Version::release(point.major, point.minor) < row.version,
                "{id} {point}"
            );
        }
        if let Some(revert) = id.reverted_by() {
            assert!(revert > id && revert.reverts() == Some(id));
        }
    }
}

/// A later tag has every commit that an earlier one has, but for what was reverted in between.
#[test]
fn tags_only_gain() {
    let tags = [
        "v6.12",
        "v6.13",
        "v6.14",
        "v6.15-rc1",
        "v6.15-rc2",
        "v6.15-rc6",
        "v6.15",
        "v6.16",
        "v6.17",
        "v6.18",
        "v6.19",
        "v7.0-rc1",
        "v7.0-rc3",
        "v7.0",
        "v7.1",
        "v7.2",
        "v7.3-rc7",
    ];
    for pair in tags.windows(2) {
        let (earlier, later) = (parse(pair[0]), parse(pair[1]));
        assert!(earlier <= later, "{pair:?}");
        for id in earlier.commits().filter(|&id| !later.has(id)) {
            assert!(
                id.reverted_by().is_some_and(|by| later.has(by)),
                "{pair:?} {id}"
            );
        }
    }
    assert_eq!(parse("v6.12"), Revision::oldest());
    assert_eq!(parse("v7.3-rc7"), Revision::newest());
    assert!(Revision::newest().has(F2648BB3150A));
}

#[test]
fn commits_are_listed_in_order() {
    let commits: Vec<_> = parse("v6.15-rc1").commits().collect();
    assert!(commits.is_sorted());
    let series = [
        B46064A18810,
        FD598F71B669,
        G3832862EB9C4,
        BCB81AC6AE3C,
        G73D2F10957F5,
    ];
    assert!(commits.windows(series.len()).any(|window| window == series));
}

/// Those for 32-bit ARM, and what is not there besides.
#[test]
fn old_kernels_are_there_for_arm_alone() {
    use commit::{A93A121A9653, FC67E6F120A3, G26B37B946A5C, G09515EF5DDAD, G1874619A7DF4};
    check(
        "26b37b946a5c^",
        &[G09515EF5DDAD, commit::G01657BC14A39],
        &[G26B37B946A5C],
    );
    check(
        "a93a121a9653^ + arm-8674-1",
        &[G26B37B946A5C, commit::ARM_8674_1],
        &[A93A121A9653],
    );
    check("v4.20", &[A93A121A9653, G1874619A7DF4], &[FC67E6F120A3]);
    check(
        "v6.12 - fc67e6f120a3",
        &[commit::AE626EB97376],
        &[FC67E6F120A3],
    );
    for text in [
        "09515ef5ddad",
        "v4.12-rc1",
        "v4.14",
        "v5.2-rc1",
        "v6.12 - fc67e6f120a3",
    ] {
        assert!(parse(text).is_for_arm_alone(), "{text}");
        assert!(parse(text).is_for_arm_too(), "{text}");
    }
    assert_eq!(parse("v5.2-rc1"), parse("v6.12 - ae626eb97376"));
    for text in ["v6.12", "bcb81ac6ae3c^", "v7.3-rc7", "211ff31b3d33^"] {
        assert!(!parse(text).is_for_arm_alone(), "{text}");
    }
    assert!(!parse("211ff31b3d33^").is_for_arm_too());
    let range = "is older than v6.12; the model covers v6.12 to v7.3-rc7";
    for text in ["09515ef5ddad^", "v4.11", "v5.2", "v6.0"] {
        assert_eq!(
            error(text),
            format!("`{}` {range}", text.trim_end_matches('^'))
        );
    }
    check_errors(&[(
        "v4.21",
        "there is no `v4.21`: the release after v4.20 was v5.0",
    )]);
}

#[track_caller]
fn check_errors(cases: &[(&str, &str)]) {
    for &(text, expected) in cases {
        assert_eq!(error(text), expected, "{text}");
    }
}

/// What stands before v6.12 can be missing, one by one.
#[test]
fn an_older_commit_can_be_taken_away() {
    let old = parse("v6.12 - 58b116bce136");
    assert!(!old.has(G58B116BCE136) && old.has(A2E7E59A9426));
    assert_eq!(parse("v6.12").without(G58B116BCE136), Ok(old));
    let older = parse("a2e7e59a9426^");
    assert!(older.has(F188056352BC) && !older.has(G17DE3F5FDD35) && !older.has(B67483B3C44E));
}

#[test]
fn a_commit_needs_what_it_is_built_on() {
    check_errors(&[
        (
            "v6.16 - 01657bc14a39",
            "`v6.16 - 01657bc14a39` cannot be: f188056352bc (\"iommu: Avoid locking/unlocking for \
             iommu_probe_device()\") is built on 01657bc14a39; expected a kernel with both or \
             without both, such as `01657bc14a39^`",
        ),
        (
            "01657bc14a39^ + a2e7e59a9426",
            "`01657bc14a39^ + a2e7e59a9426` cannot be: a2e7e59a9426 (\"iommu: Avoid more races \
             around device probe\") is built on 01657bc14a39; expected a kernel with both or \
             without both, such as `01657bc14a39^`",
        ),
        (
            "v6.12 - b46064a18810",
            "`v6.12` does not have b46064a18810 (merged for v6.15-rc1)",
        ),
    ]);
}

/// What is built on another commit comes later, and every kernel that was has both.
#[test]
fn foundations_come_first() {
    for (later, earlier) in BUILT_ON {
        assert!(later > earlier, "{later} {earlier}");
    }
    for id in named_by_parent() {
        parse(&id.to_string());
        parse(&format!("{id}^"));
    }
}

#[test]
fn versions_outside_the_table_are_errors() {
    check_errors(&[
        (
            "6.8.0-45-generic",
            "`6.8.0` is older than v6.12; the model covers v6.12 to v7.3-rc7",
        ),
        (
            "v6.12-rc7",
            "`v6.12-rc7` is older than v6.12; the model covers v6.12 to v7.3-rc7",
        ),
        (
            "v7.3",
            "`v7.3` is newer than v7.3-rc7, the newest revision known; the model covers v6.12 \
             to v7.3-rc7",
        ),
        (
            "7.3.1",
            "`7.3.1` is newer than v7.3-rc7, the newest revision known; the model covers v6.12 \
             to v7.3-rc7",
        ),
        (
            "v800.1",
            "`v800.1` is newer than v7.3-rc7, the newest revision known; the model covers v6.12 \
             to v7.3-rc7",
        ),
        (
            "v6.20",
            "there is no `v6.20`: the release after v5.19 was v6.0, and the one after v6.19 was \
             v7.0",
        ),
        (
            "v6.15-rc9",
            "there is no `v6.15-rc9`: release candidates run from -rc1 to -rc8 at most",
        ),
        (
            "6.12.70000",
            "there is no `6.12.70000`: the last number is too large",
        ),
        (
            "6.12.5-rc1",
            "there is no `6.12.5-rc1`: the model does not know the candidates of a point \
             release",
        ),
    ]);
}

#[test]
fn what_is_no_revision_is_an_error() {
    check_errors(&[
        (
            "",
            "there is no revision here; expected a kernel (v6.16, 6.12.107, what uname -r \
             prints) or a commit (bcb81ac6ae3c, bcb81ac6ae3c^), then + or - and further commits",
        ),
        (
            "latest",
            "`latest` is not a revision; expected a kernel (v6.16, 6.12.107, what uname -r \
             prints) or a commit (bcb81ac6ae3c, bcb81ac6ae3c^), then + or - and further commits",
        ),
        (
            "6.16 stable",
            "`6.16 stable` is not a revision; expected a kernel (v6.16, 6.12.107, what uname -r \
             prints) or a commit (bcb81ac6ae3c, bcb81ac6ae3c^), then + or - and further commits",
        ),
        (
            "ambarus-fwnode",
            "`ambarus-fwnode` is a proposed patch; expected what it applies to, as in `v7.3-rc7 \
             + ambarus-fwnode`",
        ),
        (
            "v6.15^",
            "`v6.15^`: ^ may only stand once, after the first commit, as in `bcb81ac6ae3c^`",
        ),
        (
            "bcb81ac6ae3c^^",
            "`bcb81ac6ae3c^^`: ^ may only stand once, after the first commit, as in \
             `bcb81ac6ae3c^`",
        ),
        (
            "6.14.0-07422-gacb4f33713b9",
            "`6.14.0-07422-gacb4f33713b9` was built from acb4f33713b9, which the table does not \
             have; expected the nearest commit of the table or a tag, such as `v6.14`",
        ),
        (
            "6.12.26-00001-gacb4f33713b9",
            "`6.12.26-00001-gacb4f33713b9` was built from acb4f33713b9, which the table does \
             not have; expected the nearest commit of the table or a tag, such as `6.12.26`",
        ),
        (
            "6.14.0-rc6-next-20250312",
            "`6.14.0-rc6-next-20250312` was built from linux-next, which the table does not \
             have; expected the nearest commit of the table or a tag, such as `v6.14-rc6`",
        ),
    ]);
}

#[test]
fn what_is_no_commit_is_an_error() {
    check_errors(&[
        (
            "bcb81a",
            "`bcb81a` is too short for a commit; expected at least 7 hex digits",
        ),
        (
            "da33e87bd2be",
            "`da33e87bd2be` is not a commit of the table (did you mean da33e87bd2bf, \"iommu: \
             Handle yet another race around registration\"?); expected the sha of one, or the \
             name of a proposed patch",
        ),
        (
            "v7.3-rc7+ambarus-ready-alway",
            "`ambarus-ready-alway` is not a commit of the table (did you mean \
             ambarus-ready-always, \"iommu: Fix bypass of IOMMU readiness check for multi-IOMMU \
             devices\"?); expected the sha of one, or the name of a proposed patch",
        ),
        (
            "v6.16 + v6.15",
            "`v6.15` is not a commit of the table; expected the sha of one, or the name of a \
             proposed patch",
        ),
        (
            "v6.16 - da33e87bd2bf^",
            "`da33e87bd2bf^`: ^ may only stand once, after the first commit, as in \
             `bcb81ac6ae3c^`",
        ),
        (
            "v6.16 -",
            "nothing follows `-`; expected a commit, as in `v7.3-rc7 - da33e87bd2bf`",
        ),
        (
            "v6.16+",
            "nothing follows `+`; expected a commit, as in `v7.3-rc7 - da33e87bd2bf`",
        ),
        ("v6.16 + da33e87bd2bf", "`v6.16` has da33e87bd2bf already"),
        (
            "v6.15 - da33e87bd2bf",
            "`v6.15` does not have da33e87bd2bf (merged for v6.16-rc1)",
        ),
        (
            "v7.1 - dc23806a7c47",
            "`v7.1` does not have dc23806a7c47 (merged for v7.0-rc1, reverted by 9de68394a615 \
             for v7.0-rc3)",
        ),
        (
            "v7.1 - ambarus-fwnode",
            "`v7.1` does not have ambarus-fwnode (proposed, never merged)",
        ),
    ]);
    let ambiguous = RevisionError::from_find(
        "1234567",
        FindError::Ambiguous(vec![BCB81AC6AE3C, DA33E87BD2BF]),
    );
    assert_eq!(
        ambiguous.to_string(),
        "`1234567` is ambiguous: bcb81ac6ae3c, da33e87bd2bf; expected more digits"
    );
}

/// Whatever slips into a revision, it is refused, or its name reads back as the same set.
#[test]
fn a_slip_of_the_keyboard_does_no_harm() {
    let texts = [
        "v7.3-rc7 + ambarus-ready-always",
        "6.14.0-rc3-rcar3-00020-g73d2f10957f5-dirty",
        "6.12.107+deb13-arm64 - a2225b6e834a",
        "bcb81ac6ae3c^",
    ];
    for text in texts {
        for at in 0..=text.len() {
            for slip in [
                "",
                " ",
                "+",
                "-",
                "^",
                ".",
                "~",
                "0",
                "v",
                "g",
                "\u{e9}",
                "99999999999",
            ] {
                for rest in [at, at + 1] {
                    let slipped =
                        format!("{}{slip}{}", &text[..at], text.get(rest..).unwrap_or(""));
                    if let Ok(revision) = Revision::parse(&slipped) {
                        assert_eq!(parse(&revision.to_string()), revision, "{slipped}");
                    }
                }
            }
        }
    }
}
