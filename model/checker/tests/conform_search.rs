//! The search for a schedule that explains a log says the same whether tasks are left out or not.

mod programs;
#[path = "programs/random.rs"]
mod random;

use checker::engine::conform::{Answer, Bounds, Log, Next, Says, Standing, search};
use checker::engine::exhaustive::replay;
use checker::engine::marks::Marks;
use checker::event::{Event, TaskId, What};
use checker::hash::Rolling;
use checker::model::Model;
use programs::Program;
use std::cell::Cell;
use std::sync::Arc;

/// A note of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Noted {
    /// Whose it is, if the log says so.
    task: Option<u32>,
    text: String,
    /// What the first field was then, if the log says so.
    field: Option<u64>,
}

/// A place in a log of notes.
#[derive(Clone, Debug)]
struct Notes {
    program: Arc<Program>,
    all: Arc<Vec<Noted>>,
    at: usize,
}

impl Notes {
    fn next(&self) -> Option<&Noted> {
        self.all.get(self.at)
    }
}

fn text(what: &What) -> Option<&str> {
    match what {
        What::Note { text, .. } => Some(text),
        _ => None,
    }
}

impl Log for Notes {
    type Label = (u32, String);

    fn ask(&self, _: &[Standing], task: TaskId, what: &What) -> Says<Self> {
        let Some(text) = text(what) else {
            let log = self.clone();
            return Says::Next(vec![Next {
                log,
                goes: true,
                at_once: true,
            }]);
        };
        let mut left = self.all[self.at..].iter();
        let all_say = self.all.iter().all(|n| n.task.is_some());
        let mine = left.find(|n| n.task == Some(task.0));
        if all_say && mine.is_some_and(|mine| mine.text != text) {
            return Says::Never;
        }
        let fits = |next: &&Noted| {
            next.task.is_none_or(|t| t == task.0)
                && next.text == text
                && next.field.is_none_or(|f| f == self.program.monitor(0))
        };
        let next = self.next().filter(fits).map(|next| Next {
            log: Self {
                at: self.at + 1,
                ..self.clone()
            },
            goes: true,
            at_once: next.task.is_some(),
        });
        Says::Next(next.into_iter().collect())
    }

    fn label(&self, _: &[Standing], task: TaskId, what: &What) -> Option<Self::Label> {
        Some((task.0, text(what)?.to_owned()))
    }

    fn may_be_next(&self, (task, text): &Self::Label) -> bool {
        let fits = |next: &Noted| next.task.is_none_or(|t| t == *task) && next.text == *text;
        self.next().is_some_and(fits)
    }

    fn only(&self, tasks: &[Standing]) -> Option<TaskId> {
        let task = self.next()?.task?;
        let is_there = tasks.get(task as usize).is_some_and(|t| !t.ended);
        is_there.then_some(TaskId(task))
    }

    fn mode(&self, _: TaskId) -> u64 {
        0
    }

    fn skip(&self) -> Option<Self> {
        None
    }

    fn rank(&self, _: &[Standing], task: TaskId) -> u32 {
        task.0
    }

    fn is_over(&self) -> bool {
        self.at == self.all.len()
    }

    fn position(&self) -> usize {
        self.at
    }

    fn digest(&self, _: &[Standing], explains: bool) -> u128 {
        let mut hash = Rolling::default();
        hash.push(if explains { self.at as u64 } else { 0 });
        hash.finish()
    }

    fn shows(&self, _: TaskId, what: &What) -> Option<String> {
        text(what).map(str::to_owned)
    }
}

/// Some numbers, always the same: xorshift (Marsaglia, 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// A log of a run, changed a little or not, and whether it was.
fn log(program: &Arc<Program>, numbers: &mut Numbers) -> (Vec<Noted>, bool) {
    let choices = (0..40).map(|_| TaskId(numbers.below(4) as u32));
    let run = replay(program, &Marks::all(program.layout()), &choices.collect());
    let noted = |event: &Event| {
        Some(Noted {
            task: Some(event.task.0),
            text: text(&event.what)?.to_owned(),
            field: None,
        })
    };
    let mut all: Vec<Noted> = run.events.iter().filter_map(noted).collect();
    if all.is_empty() {
        return (all, false);
    }
    let changes = numbers.below(3);
    for _ in 0..changes {
        let (a, b) = (numbers.below(all.len()), numbers.below(all.len()));
        match numbers.below(4) {
            0 => all.swap(a, b),
            1 => all[a].text = numbers.below(4).to_string(),
            2 => all[a].field = Some(numbers.below(4) as u64),
            _ => all[a].task = Some(numbers.below(3) as u32),
        }
    }
    if numbers.below(2) == 0 {
        for noted in &mut all {
            noted.task = noted.task.filter(|_| numbers.below(3) > 0);
        }
    }
    (all, changes > 0)
}

/// Whether the log is explained, and after how many states that is known.
fn explained(program: &Arc<Program>, log: &Notes, all_orders: bool) -> (Option<bool>, u64) {
    let bounds = Bounds {
        max_states: 100_000,
        quick_states: 0,
        all_orders,
    };
    let found = search(program, log, bounds);
    let answer = match found.answer {
        Answer::Accepted(_) => Some(true),
        Answer::Rejected(_) => Some(false),
        Answer::Undecided { .. } => None,
    };
    (answer, found.states)
}

#[test]
fn leaving_tasks_out_changes_no_answer() {
    let mut numbers = Numbers(7);
    let numbers = std::cell::RefCell::new(&mut numbers);
    let (accepted, rejected) = (Cell::new(0), Cell::new(0));
    let (all, fewer) = (Cell::new(0), Cell::new(0));
    random::check(2048, |program| {
        for _ in 0..8 {
            let (events, is_changed) = log(program, &mut numbers.borrow_mut());
            let events = Arc::new(events);
            let log = Notes {
                program: program.clone(),
                all: events.clone(),
                at: 0,
            };
            let (expected, states) = explained(program, &log, true);
            let (reduced, states_then) = explained(program, &log, false);
            proptest::prop_assert_eq!(expected, reduced, "{:?}: {:?}", program.tasks(), events);
            if !is_changed {
                // Somebody has been there.
                proptest::prop_assert_ne!(
                    expected,
                    Some(false),
                    "{:?}: {:?}",
                    program.tasks(),
                    events
                );
            }
            let count = match expected {
                Some(true) => &accepted,
                Some(false) => &rejected,
                None => continue,
            };
            count.set(count.get() + 1);
            all.set(all.get() + states);
            fewer.set(fewer.get() + states_then);
        }
        Ok(())
    });
    eprintln!("accepted {accepted:?}, rejected {rejected:?}, states {all:?} and {fewer:?}");
    // Both answers are there, and something is left out.
    assert!(accepted.get() > 500, "{accepted:?}");
    assert!(rejected.get() > 500, "{rejected:?}");
}
