//! The exhaustive engine on small programs whose outcome sets are known.

use crate::programs::{Op, Program};
use checker::engine::exhaustive::{Go, Options, explore, explore_with};
use checker::outcome::{Complete, Interleavings, Report};
use std::sync::Arc;

fn outcomes(program: Program, options: &Options) -> (Vec<Vec<u64>>, Vec<String>, u64) {
    let report = explore(&Arc::new(program), options);
    assert_eq!(report.complete, Complete::Yes);
    let values = report
        .finals
        .keys()
        .filter(|f| f.deadlock.is_none())
        .map(|f| f.outcome.clone())
        .collect();
    let deadlocks = report
        .finals
        .keys()
        .filter_map(|f| f.deadlock.as_ref().map(ToString::to_string))
        .collect();
    (values, deadlocks, report.states)
}

fn with_all_options(program: &Program) -> (Vec<Vec<u64>>, Vec<String>) {
    let all = [(true, true), (true, false), (false, true), (false, false)];
    let mut results = all.map(|(merge, lock_aware)| {
        let (values, deadlocks, _) = outcomes(
            program.clone(),
            &Options {
                merge,
                lock_aware,
                checkpoints: merge,
                ..Options::default()
            },
        );
        (values, deadlocks)
    });
    for other in &results[1..] {
        assert_eq!(
            &results[0], other,
            "every reduction leaves the outcome set as it is"
        );
    }
    std::mem::take(&mut results[0])
}

#[test]
fn a_lost_update_is_found() {
    let increment = vec![Op::Load(0), Op::StoreLastPlus(0, 1)];
    let (values, _) = with_all_options(&Program::new(1, 0, vec![increment.clone(), increment]));
    assert_eq!(values, [vec![1], vec![2]]);
}

#[test]
fn a_common_lock_prevents_the_lost_update() {
    let increment = vec![
        Op::Lock(0),
        Op::Load(0),
        Op::StoreLastPlus(0, 1),
        Op::Unlock(0),
    ];
    let (values, _) = with_all_options(&Program::new(1, 1, vec![increment.clone(), increment]));
    assert_eq!(values, [vec![2]]);
}

#[test]
fn abba_is_a_deadlock_with_its_cycle() {
    let ab = vec![Op::Lock(0), Op::Lock(1), Op::Unlock(1), Op::Unlock(0)];
    let ba = vec![Op::Lock(1), Op::Lock(0), Op::Unlock(0), Op::Unlock(1)];
    let (values, deadlocks) = with_all_options(&Program::new(0, 2, vec![ab, ba]));
    assert_eq!(values, [Vec::<u64>::new()]);
    assert_eq!(
        deadlocks,
        ["P0 waits for lock1, held by P1; P1 waits for lock0, held by P0"]
    );
}

#[test]
fn a_task_that_takes_its_own_lock_is_a_deadlock() {
    let program = Program::new(0, 1, vec![vec![Op::Lock(0), Op::Lock(0)]]);
    let (values, deadlocks) = with_all_options(&program);
    assert!(values.is_empty());
    assert_eq!(deadlocks, ["P0 waits for lock0, held by itself"]);
}

#[test]
fn store_buffering_is_not_allowed_under_sequential_consistency() {
    let left = vec![Op::Store(0, 1), Op::Load(1), Op::StoreLastPlus(2, 0)];
    let right = vec![Op::Store(1, 1), Op::Load(0), Op::StoreLastPlus(3, 0)];
    let (values, _) = with_all_options(&Program::new(4, 0, vec![left, right]));
    let seen: Vec<(u64, u64)> = values.iter().map(|v| (v[2], v[3])).collect();
    assert_eq!(seen, [(0, 1), (1, 0), (1, 1)]);
}

#[test]
fn a_wait_for_what_nobody_does_is_a_deadlock() {
    let (values, deadlocks) =
        with_all_options(&Program::new(1, 0, vec![vec![Op::WaitUntil(0, 1)]]));
    assert!(values.is_empty());
    assert_eq!(deadlocks, ["P0 waits for x0"]);
}

#[test]
fn a_wake_up_reaches_the_waiter() {
    let waiter = vec![Op::WaitUntil(0, 1), Op::Store(1, 7)];
    let (values, deadlocks) =
        with_all_options(&Program::new(2, 0, vec![waiter, vec![Op::Store(0, 1)]]));
    assert_eq!(values, [vec![1, 7]]);
    assert!(deadlocks.is_empty());
}

#[test]
fn a_failing_try_lock_is_explored() {
    let holder = vec![Op::Lock(0), Op::Unlock(0)];
    let trier = vec![Op::TryLockOrSkip(0, 3), Op::Store(0, 1), Op::Unlock(0)];
    let (values, _) = with_all_options(&Program::new(1, 1, vec![holder, trier]));
    assert_eq!(values, [vec![0], vec![1]]);
}

#[test]
fn more_than_five_tasks_are_no_problem() {
    let tasks = (0..8).map(|_| vec![Op::Add(0, 1)]).collect();
    let (values, _, _) = outcomes(Program::new(1, 0, tasks), &Options::default());
    assert_eq!(values, [vec![8]]);
}

#[test]
fn a_conflict_of_plain_accesses_is_a_data_race_with_both_sites() {
    let program =
        Program::new(1, 0, vec![vec![Op::Store(0, 1)], vec![Op::Load(0)]]).with_plain_fields();
    let report = explore(&Arc::new(program), &Options::default());
    let races: Vec<_> = report.data_races.keys().collect();
    assert_eq!(races.len(), 1);
    assert_eq!(races[0].field, "x0");
    assert_eq!(races[0].sites, ["P0 (writes)", "P1 (reads)"]);
}

#[test]
fn a_bound_is_said_in_words() {
    let tasks = (0..4)
        .map(|i| vec![Op::Store(0, i), Op::Store(0, i + 10)])
        .collect();
    let report = explore(
        &Arc::new(Program::new(1, 0, tasks)),
        &Options {
            max_states: 5,
            ..Options::default()
        },
    );
    assert_eq!(
        report.complete.to_string(),
        "no (stopped at the bound of 5 states; states: 5, depth: 4, untried choices: 12; raise the \
         bound to get further)"
    );
}

/// Where a step takes long, it takes long until so many states are new that they are told.
#[test]
fn a_search_is_interrupted_before_it_has_new_states_to_tell_of() {
    let increments = vec![[Op::Load(0), Op::StoreLastPlus(0, 1)]; 6].concat();
    let program = Arc::new(Program::new(1, 0, vec![increments; 4]));
    let options = Options {
        look: u64::MAX,
        share_after: u64::MAX,
        max_states: 10_000_000,
        ..Options::default()
    };
    let report = explore_with(&program, &options, &mut |_| Go::Stop);
    let why = report.complete.to_string();
    assert!(why.starts_with("no (interrupted after "), "{why}");
}

#[test]
fn merging_visits_fewer_states_than_there_are_interleavings() {
    let tasks = || {
        (0..3)
            .map(|i| vec![Op::Store(i, 1), Op::Add(3, 1), Op::Add(3, 1)])
            .collect()
    };
    let merged = outcomes(Program::new(4, 0, tasks()), &Options::default()).2;
    let plain = outcomes(
        Program::new(4, 0, tasks()),
        &Options {
            merge: false,
            ..Options::default()
        },
    )
    .2;
    assert!(
        merged * 2 < plain,
        "{merged} states merged, {plain} without"
    );
}

#[test]
fn interleavings_are_counted_over_the_graph_of_states() {
    // Two tasks of three steps each: 6! / (3! 3!) ways to merge them.
    let stores = |v| vec![Op::Store(0, v), Op::Store(0, v + 10), Op::Store(0, v + 20)];
    for merge in [true, false] {
        let options = Options {
            merge,
            ..Options::default()
        };
        let program = Program::new(1, 0, vec![stores(1), stores(2)]);
        let report = explore(&Arc::new(program), &options);
        assert_eq!(
            report.interleavings,
            Interleavings::Exactly(20),
            "merge {merge}"
        );
    }
}

#[test]
fn interleavings_beyond_a_bound_are_a_lower_bound() {
    let tasks = (0..3)
        .map(|i| vec![Op::Store(0, i), Op::Store(0, i + 10)])
        .collect();
    let options = Options {
        max_states: 12,
        ..Options::default()
    };
    let report = explore(&Arc::new(Program::new(1, 0, tasks)), &options);
    assert!(matches!(report.interleavings, Interleavings::AtLeast(n) if n < 90));
}

/// Three tasks that add to a field without looking at it go in one order; where another adds and sees
/// the result, or stores, every order is tried.
#[test]
fn updates_that_commute_are_made_in_one_order() {
    let adds = vec![Op::Add(0, 1), Op::Add(0, 2)];
    let with = |fourth: Vec<Op>| {
        let mut tasks = vec![adds.clone(); 3];
        tasks.push(fourth);
        let report = explore(&Arc::new(Program::new(2, 0, tasks)), &Options::default());
        (report.finals.len(), report.interleavings)
    };
    assert_eq!(with(vec![]), (1, Interleavings::Exactly(1)));
    let (outcomes, _) = with(vec![Op::Load(0), Op::StoreLastPlus(1, 0)]);
    assert_eq!(outcomes, 9, "the sums of three of 0, 1 and 3");
    let (outcomes, _) = with(vec![Op::Store(0, 100)]);
    assert_eq!(outcomes, 9, "as much is added after the store");
}

/// With 12 bits, of some hundreds of states two have the same; with 128 none have.
#[test]
fn an_exact_search_catches_a_fingerprint_that_is_too_short() {
    for (weak_memory, stores) in [(false, 4), (true, 2)] {
        let tasks = (0..4).map(|i| vec![Op::Store(0, i); stores]).collect();
        let program = Arc::new(Program::new(1, 0, tasks));
        let exact = |fingerprint_bits| {
            let options = Options {
                exact: true,
                fingerprint_bits,
                weak_memory,
                ..Options::default()
            };
            std::panic::catch_unwind(|| explore(&program, &options))
        };
        let whole = exact(128).expect("no two states have the same fingerprint");
        assert!(whole.states > 400, "{}", whole.states);
        let caught = exact(12).expect_err("some have");
        let text = caught.downcast_ref::<String>().expect("it says why");
        assert!(
            text.starts_with("two states that differ have the fingerprint "),
            "{text}"
        );
    }
}

/// What a task reads under a lock may be old by the time that it stores it, once the lock is
/// dropped: to take a lock and to access a field behind its unlock are not one step.
#[test]
fn a_transaction_ends_where_a_lock_is_dropped() {
    let program = Arc::new(Program::new(
        2,
        1,
        vec![
            vec![
                Op::Lock(0),
                Op::Load(0),
                Op::Unlock(0),
                Op::StoreLastPlus(1, 5),
            ],
            vec![
                Op::Lock(0),
                Op::Store(0, 1),
                Op::Unlock(0),
                Op::Load(1),
                Op::StoreLastPlus(1, 10),
            ],
        ],
    ));
    let whole = explore(&program, &Options::default());
    let apart = Options {
        transactions: false,
        persistent_sets: false,
        ..Options::default()
    };
    let apart = explore(&program, &apart);
    assert_eq!(whole.outcomes(), apart.outcomes());
    let stale = |r: &Report<Vec<u64>>| r.finals.keys().any(|end| end.outcome[1] == 5);
    assert!(stale(&whole), "{:?}", whole.outcomes());
}

/// One task goes over fields that another writes, and tells beside each what it has seen, which
/// nobody reads: the outcomes are a product, the states are not.
#[test]
fn what_nobody_reads_any_more_multiplies_outcomes_and_not_states() {
    let clients = 5;
    let walk = |client| {
        [
            Op::Load(client),
            Op::StoreLastPlus(clients + client, 1),
            Op::Forget,
        ]
    };
    let walk = (0..clients).flat_map(walk).collect();
    let bind = (0..clients).map(|client| Op::Store(client, 1)).collect();
    let program = Arc::new(Program::new(2 * clients, 0, vec![walk, bind]));
    let without = explore(&program, &Options::default());
    let with = Options {
        live_variables: false,
        ..Options::default()
    };
    let with = explore(&program, &with);
    assert_eq!(without.outcomes(), with.outcomes());
    assert_eq!(without.outcomes().len(), 1 << clients);
    assert!(
        with.states > 4 * without.states,
        "{} {}",
        with.states,
        without.states
    );
}

/// Who tries a lock sees that it is taken before anything is done under it.
#[test]
fn no_transaction_begins_with_a_lock_that_is_tried() {
    let holds = vec![Op::Lock(0), Op::Store(0, 1), Op::Unlock(0)];
    let tries = vec![
        Op::TryLockOrSkip(0, 2),
        Op::Store(1, 1),
        Op::Unlock(0),
        Op::Add(0, 1),
    ];
    let (values, _) = with_all_options(&Program::new(2, 1, vec![holds, tries]));
    // The try has failed, and the addition comes before the store.
    assert!(values.contains(&vec![1, 0]), "{values:?}");
}
