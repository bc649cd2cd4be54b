//! A search that is interrupted and goes on from its checkpoint ends as if nothing had happened.

use crate::programs::{Op, Program};
use crate::random;
use checker::engine::exhaustive::{
    CheckpointError, CheckpointFile, Go, Options, Problem, explore, try_explore_with,
};
use checker::outcome::{Complete, Report};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// All of a report that does not depend on the number of workers.
fn found(report: &Report<Vec<u64>>) -> String {
    let Report {
        finals,
        data_races,
        rounds,
        reached,
        lock_order,
        states,
        interleavings,
        depth,
        complete,
        marks,
        executions: _,
        can_go_on: _,
    } = report;
    format!(
        "{finals:?} {data_races:?} {rounds:?} {reached:?} {lock_order:?} {states} {interleavings:?} {depth} {complete:?} \
         {marks:?}"
    )
}

/// Also the count of executions, which one worker alone repeats.
fn found_alone(report: &Report<Vec<u64>>) -> String {
    format!("{} {}", found(report), report.executions)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room for temporary files")
}

fn saving(options: &Options, file: &Path) -> Options {
    Options {
        checkpoint: Some(CheckpointFile::new(file.to_owned())),
        ..options.clone()
    }
}

fn resuming(options: &Options, file: &Path) -> Options {
    Options {
        resume: Some(file.to_owned()),
        ..saving(options, file)
    }
}

/// Stops at look number `stop_at`, if it comes so far.
fn until(
    program: &Arc<Program>,
    options: &Options,
    stop_at: usize,
) -> Result<Report<Vec<u64>>, CheckpointError> {
    let mut looks = 0;
    try_explore_with(program, options, &mut |_| {
        looks += 1;
        if looks >= stop_at { Go::Stop } else { Go::On }
    })
}

fn finish(program: &Arc<Program>, options: &Options) -> Result<Report<Vec<u64>>, CheckpointError> {
    try_explore_with(program, options, &mut |_| Go::On)
}

/// Interrupts a search every few looks, each time in a new process as it were, until it is over;
/// gives the report and how often that was. `workers` says how many go on the nth time.
fn in_pieces(
    program: &Arc<Program>,
    options: &Options,
    looks: usize,
    workers: impl Fn(usize) -> usize,
) -> (Report<Vec<u64>>, usize) {
    let folder = folder();
    let file = folder.path().join("checkpoint");
    let mut pieces = 0;
    loop {
        let options = Options {
            workers: workers(pieces),
            ..options.clone()
        };
        let options = if pieces == 0 {
            saving(&options, &file)
        } else {
            resuming(&options, &file)
        };
        let report = until(program, &options, looks).expect("the checkpoint is our own");
        pieces += 1;
        if report.complete == Complete::Yes {
            return (report, pieces);
        }
    }
}

fn increments(tasks: usize, times: usize) -> Arc<Program> {
    let increment = vec![[Op::Load(0), Op::StoreLastPlus(0, 1)]; times].concat();
    Arc::new(Program::new(1, 0, vec![increment; tasks]))
}

fn with_looks(look: u64, share_after: u64) -> Options {
    Options {
        look,
        share_after,
        ..Options::default()
    }
}

/// Where the first round is wrong, is repaired or begun again, and goes by little that is so.
#[test]
fn a_search_that_is_interrupted_before_or_in_a_repair_ends_the_same() {
    random::check(100, |program| {
        let options = Options {
            repair: Some(1),
            sampled: false,
            live_variables: false,
            max_states: 2_000,
            ..with_looks(1, 0)
        };
        let mut looks = 0;
        let expected = try_explore_with(program, &options, &mut |_| {
            looks += 1;
            Go::On
        });
        let expected = expected.expect("no checkpoint");
        if expected.complete != Complete::Yes {
            return Ok(());
        }
        for stop_at in (1..looks).step_by(1 + looks / 16) {
            let folder = folder();
            let file = folder.path().join("checkpoint");
            until(program, &saving(&options, &file), stop_at).expect("no resume");
            let report = finish(program, &resuming(&options, &file)).expect("our own");
            prop_assert_eq!(found_alone(&report), found_alone(&expected));
        }
        Ok(())
    });
}

#[test]
fn a_search_that_is_interrupted_at_any_look_ends_the_same() {
    let kinds = [
        (0, false),
        (10, false),
        (20_000, false),
        (0, true),
        (20_000, true),
    ];
    for (share_after, weak_memory) in kinds {
        let program = increments(3, 1);
        let options = Options {
            weak_memory,
            ..with_looks(1, share_after)
        };
        let expected = explore(&program, &options);
        let mut looks = 0;
        let counted = try_explore_with(&program, &options, &mut |_| {
            looks += 1;
            Go::On
        });
        assert_eq!(counted.expect("no checkpoint").complete, Complete::Yes);
        assert!(looks > 20, "{looks}");
        for stop_at in 1..looks {
            let folder = folder();
            let file = folder.path().join("checkpoint");
            let stopped = until(&program, &saving(&options, &file), stop_at).expect("no resume");
            assert!(stopped.complete.to_string().starts_with("no (interrupted"));
            let report = finish(&program, &resuming(&options, &file)).expect("our own");
            assert_eq!(
                found_alone(&report),
                found_alone(&expected),
                "at look {stop_at}"
            );
        }
    }
}

/// A state is kept on it every now and then, and these have all been come to by the same choices.
#[test]
fn a_long_way_without_a_choice_may_be_interrupted_anywhere() {
    let begins = vec![Op::Load(0), Op::WaitUntil(1, 1)];
    let waits = [begins, vec![Op::Load(0); 25_000]].concat();
    let ends = vec![Op::Store(0, 2), Op::Store(1, 1)];
    let program = Arc::new(Program::new(2, 0, vec![waits, ends]));
    for workers in [1, 2] {
        let options = Options {
            lock_aware: false,
            workers,
            ..with_looks(1, 0)
        };
        let expected = explore(&program, &options);
        assert!(expected.states > 2, "{expected:?}");
        let (report, pieces) = in_pieces(&program, &options, 1, |_| workers);
        assert!(pieces > 2, "{pieces}");
        assert_eq!(found(&report), found(&expected));
    }
}

#[test]
fn random_programs_in_pieces_end_the_same() {
    random::check(32, |program| {
        for (share_after, weak_memory) in [(0, false), (20_000, false), (20_000, true)] {
            let options = Options {
                weak_memory,
                ..with_looks(1, share_after)
            };
            let expected = explore(program, &options);
            let looks = expected.states as usize / 4 + 1;
            let (report, _) = in_pieces(program, &options, looks, |_| 1);
            proptest::prop_assert_eq!(found_alone(&report), found_alone(&expected));
        }
        Ok(())
    });
}

/// So does that schedules were left out.
#[test]
fn a_bound_of_preemptions_is_kept_from_piece_to_piece() {
    let goes_on = |program: &Arc<Program>, weak_memory| {
        let options = Options {
            preemption_bound: Some(1),
            weak_memory,
            ..with_looks(1, 20_000)
        };
        let expected = explore(program, &options);
        let folder = folder();
        let file = folder.path().join("checkpoint");
        let looks = expected.states as usize / 2 + 1;
        until(program, &saving(&options, &file), looks).expect("our own");
        if file.is_file() {
            let report = finish(program, &resuming(&options, &file)).expect("our own");
            proptest::prop_assert_eq!(found_alone(&report), found_alone(&expected));
            // It may have left out schedules, but there is nothing to go on with.
            proptest::prop_assert!(!report.can_go_on && file.is_file());
        }
        Ok(())
    };
    for weak_memory in [false, true] {
        random::check(32, |program| goes_on(program, weak_memory));
    }
}

/// The plain fields' data races go through the file as well.
#[test]
fn data_races_are_not_lost() {
    let fields = Program::new(1, 0, vec![vec![Op::Load(0), Op::Store(0, 1)]; 3]);
    let program = Arc::new(fields.with_plain_fields());
    let options = with_looks(1, 20_000);
    let expected = explore(&program, &options);
    assert!(!expected.data_races.is_empty());
    let (report, pieces) = in_pieces(&program, &options, 3, |_| 1);
    assert!(pieces > 2, "{pieces}");
    assert_eq!(found(&report), found(&expected));
}

#[test]
fn the_number_of_workers_may_change_from_piece_to_piece() {
    let strong = (increments(4, 2), with_looks(20, 50));
    let weak = Options {
        weak_memory: true,
        ..with_looks(1, 50)
    };
    for (program, options) in [strong, (increments(4, 1), weak)] {
        let expected = explore(&program, &options);
        let ends_the_same = &|workers: [usize; 2]| {
            let (report, pieces) = in_pieces(&program, &options, 12, |piece| workers[piece % 2]);
            // Who leads several may not get to look before the others are done.
            assert!(pieces > 1 || workers[0] > 1, "{pieces}");
            assert_eq!(found(&report), found(&expected), "{workers:?}");
        };
        // Most of the time they wait for each other.
        std::thread::scope(|scope| {
            for workers in [[1, 3], [3, 1], [2, 3]] {
                scope.spawn(move || ends_the_same(workers));
            }
        });
    }
}

/// With an interval of nothing there is a checkpoint at each look, for which all workers pause.
#[test]
fn checkpoints_on_the_way_change_nothing() {
    let program = increments(4, 2);
    let folder = folder();
    let file = folder.path().join("checkpoint");
    for workers in [1, 3] {
        let options = Options {
            workers,
            ..with_looks(400, 100)
        };
        let expected = explore(&program, &options);
        let report = finish(
            &program,
            &Options {
                checkpoint: Some(CheckpointFile {
                    path: file.clone(),
                    interval: Duration::ZERO,
                }),
                ..options.clone()
            },
        );
        assert_eq!(found(&report.expect("no resume")), found(&expected));
        // What was written last is good too.
        let again = finish(&program, &resuming(&options, &file)).expect("our own");
        assert_eq!(found(&again), found(&expected));
    }
}

#[test]
fn a_search_that_hit_its_bound_goes_on_under_a_higher_one() {
    let program = increments(3, 2);
    let folder = folder();
    let file = folder.path().join("checkpoint");
    let bounded = Options {
        max_states: 100,
        ..Options::default()
    };
    let stopped = finish(&program, &saving(&bounded, &file)).expect("no resume");
    let said = stopped.complete.to_string();
    assert!(
        said.contains("stopped at the bound of 100 states"),
        "{said}"
    );
    assert!(
        said.contains("go on from the checkpoint with a higher bound"),
        "{said}"
    );
    let report = finish(&program, &resuming(&Options::default(), &file)).expect("our own");
    let expected = explore(&program, &Options::default());
    assert_eq!(found_alone(&report), found_alone(&expected));
}

#[test]
fn no_time_at_all_ends_at_the_first_look() {
    let options = Options {
        max_seconds: Some(0),
        ..with_looks(1, 20_000)
    };
    let report = explore(&increments(3, 2), &options);
    let said = report.complete.to_string();
    assert!(
        said.starts_with("no (stopped at the bound of 0 seconds; states: 2, "),
        "{said}"
    );
}

/// A checkpoint of a search that was interrupted, as bytes.
fn bytes(program: &Arc<Program>, options: &Options) -> Vec<u8> {
    let folder = folder();
    let file = folder.path().join("checkpoint");
    until(program, &saving(options, &file), 4).expect("no resume");
    std::fs::read(file).expect("it was written")
}

fn read_back(
    program: &Arc<Program>,
    options: &Options,
    bytes: &[u8],
) -> Result<Report<Vec<u64>>, CheckpointError> {
    let folder = folder();
    let file = folder.path().join("checkpoint");
    std::fs::write(&file, bytes).expect("the folder is ours");
    let options = Options {
        resume: Some(file),
        ..options.clone()
    };
    finish(program, &options)
}

#[test]
fn a_truncated_file_is_refused_at_any_length() {
    let (program, options) = (increments(2, 1), with_looks(1, 0));
    let whole = bytes(&program, &options);
    assert!(read_back(&program, &options, &whole).is_ok());
    for length in 0..whole.len() {
        let error = read_back(&program, &options, &whole[..length]).err();
        let is_refused = matches!(
            error.map(|e| e.problem),
            Some(Problem::Damaged { .. } | Problem::NoCheckpoint)
        );
        assert!(is_refused, "{length} of {} bytes", whole.len());
    }
}

#[test]
fn a_file_with_a_changed_byte_is_refused() {
    let (program, options) = (increments(2, 1), with_looks(1, 0));
    let whole = bytes(&program, &options);
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        let result = read_back(&program, &options, &changed);
        assert!(result.is_err(), "byte {at} of {}", whole.len());
    }
}

/// What is said of a file that was written for something else.
fn refusal(error: Option<CheckpointError>) -> String {
    let error = error.expect("the file is refused");
    let text = error.to_string();
    let file = error.file.display().to_string();
    text.strip_prefix(&file)
        .expect("the file is named first")
        .to_owned()
}

#[test]
fn the_checkpoint_of_another_search_is_refused_and_says_what_differs() {
    let (program, options) = (increments(2, 2), with_looks(1, 0));
    let whole = bytes(&program, &options);
    let labelled = Options {
        label: "another scenario".to_owned(),
        ..options.clone()
    };
    let said = refusal(read_back(&program, &labelled, &whole).err());
    assert_eq!(
        said,
        ": a checkpoint of something else: its label is ``, not `another scenario`"
    );
    let said = refusal(read_back(&increments(3, 2), &options, &whole).err());
    assert!(said.contains("its model is `"), "{said}");
    let every_step = Options {
        lock_aware: false,
        ..options.clone()
    };
    let said = refusal(read_back(&program, &every_step, &whole).err());
    assert!(said.contains("its options is `lock_aware=true"), "{said}");
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let (program, options) = (increments(2, 2), with_looks(1, 0));
    let mut newer = bytes(&program, &options);
    newer[24..28].copy_from_slice(&10u32.to_le_bytes());
    let said = refusal(read_back(&program, &options, &newer).err());
    assert_eq!(
        said,
        ": a checkpoint of format 10, but only format 9 is known"
    );
}

/// The layout is the same, and so is what the tasks are called.
#[test]
fn a_model_that_does_something_else_is_refused() {
    let others = vec![vec![Op::Store(0, 7), Op::Load(0), Op::Load(0), Op::Store(0, 8)]; 2];
    let other = Arc::new(Program::new(1, 0, others));
    for weak_memory in [false, true] {
        let options = Options {
            weak_memory,
            ..with_looks(1, 0)
        };
        let whole = bytes(&increments(2, 2), &options);
        let said = refusal(read_back(&other, &options, &whole).err());
        assert!(said.contains("the model does not do what it did"), "{said}");
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_said_at_the_beginning() {
    let folder = folder();
    let file = folder.path().join("no such folder/checkpoint");
    let result = finish(&increments(2, 2), &saving(&Options::default(), &file));
    assert!(matches!(result.map_err(|e| e.problem), Err(Problem::Io(_))));
}

#[test]
fn a_search_without_merging_has_no_checkpoints() {
    let options = Options {
        merge: false,
        ..Options::default()
    };
    let folder = folder();
    let result = finish(
        &increments(2, 2),
        &saving(&options, &folder.path().join("checkpoint")),
    );
    assert!(matches!(
        result.map_err(|e| e.problem),
        Err(Problem::Unsupported)
    ));
}
