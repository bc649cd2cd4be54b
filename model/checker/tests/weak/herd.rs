//! A litmus test in the C of the Linux-kernel memory model, and what herd7 says of it.

use super::explore::{Outcome, REGISTERS};
use super::{Litmus, Op, Value};
use checker::backend::{Mode, Order, Rmw};
use checker::engine::weak::Fence;
use checker::layout::LockKind;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

impl Litmus {
    /// The test for herd7. LKMM has no mutex and no rw_semaphore: these are refused.
    pub fn to_c(&self, name: &str) -> String {
        assert!(self.locks.iter().all(|(_, k)| *k == LockKind::SpinLock));
        let cells = self.cells.iter().map(|c| format!("int *{c}"));
        let locks = self.locks.iter().map(|(l, _)| format!("spinlock_t *{l}"));
        let parameters = cells.chain(locks).collect::<Vec<_>>().join(", ");
        let mut text = format!("C {name}\n\n{{}}\n");
        let mut locations = String::new();
        for (i, task) in self.tasks.iter().enumerate() {
            let _ = writeln!(text, "\nP{i}({parameters})\n{{");
            for r in 0..REGISTERS {
                let _ = writeln!(text, "\tint r{r} = 0;");
                let _ = write!(locations, "{i}:r{r}; ");
            }
            for (at, op) in task.iter().enumerate() {
                Self::close(&mut text, task, at);
                let _ = writeln!(text, "\t{}", self.c(*op));
            }
            Self::close(&mut text, task, task.len());
            text.push_str("}\n");
        }
        let cells = self.cells.join("; ");
        let _ = write!(text, "\nlocations [{locations}{cells}]\nexists (true)\n");
        text
    }

    fn close(text: &mut String, task: &[Op], at: usize) {
        for op in task {
            if matches!(op, Op::Unless(_, _, to) if *to == at) {
                text.push_str("\t}\n");
            }
        }
    }

    fn c(&self, op: Op) -> String {
        let x = |cell: checker::layout::CellId| &self.cells[cell.index()];
        match op {
            Op::Load(r, c, Order::Relaxed) => format!("r{r} = READ_ONCE(*{});", x(c)),
            Op::Load(r, c, Order::AcquireRelease) => format!("r{r} = smp_load_acquire({});", x(c)),
            Op::Store(c, v, Order::Relaxed) => format!("WRITE_ONCE(*{}, {});", x(c), value(v)),
            Op::Store(c, v, Order::AcquireRelease) => {
                format!("smp_store_release({}, {});", x(c), value(v))
            }
            Op::Update(None, c, Rmw::Add(n)) => format!("atomic_add({n}, {});", x(c)),
            Op::Update(Some(r), c, Rmw::Add(n)) => {
                format!("r{r} = atomic_fetch_add({n}, {});", x(c))
            }
            Op::Update(Some(r), c, Rmw::Xchg(n)) => format!("r{r} = xchg({}, {n});", x(c)),
            Op::Update(Some(r), c, Rmw::CmpXchg(old, new)) => {
                format!("r{r} = cmpxchg({}, {old}, {new});", x(c))
            }
            Op::Update(..) => panic!("not in the notation"),
            Op::Fence(Fence::Mb) => "smp_mb();".to_owned(),
            Op::Fence(Fence::Rmb) => "smp_rmb();".to_owned(),
            Op::Fence(Fence::Wmb) => "smp_wmb();".to_owned(),
            Op::Lock(l, Mode::Exclusive) => format!("spin_lock({});", self.locks[l.index()].0),
            Op::Unlock(l, Mode::Exclusive) => format!("spin_unlock({});", self.locks[l.index()].0),
            Op::Lock(..) | Op::Unlock(..) => panic!("no rw_semaphore in LKMM"),
            Op::Unless(r, v, _) => format!("if (r{r} == {v}) {{"),
        }
    }

    /// One state of herd7: `0:r0=1; [x]=2;`.
    fn state(&self, line: &str) -> Outcome {
        let mut outcome = Outcome {
            registers: vec![[0; REGISTERS]; self.tasks.len()],
            cells: vec![0; self.cells.len()],
        };
        for term in line.split(';').map(str::trim).filter(|t| !t.is_empty()) {
            let (what, value) = term.split_once('=').unwrap();
            let value = value.parse().unwrap();
            if let Some((task, r)) = what.split_once(":r") {
                let (task, r): (usize, usize) = (task.parse().unwrap(), r.parse().unwrap());
                outcome.registers[task][r] = value;
            } else {
                let name = what.trim_matches(['[', ']']);
                let cell = self.cells.iter().position(|c| c == name).unwrap();
                outcome.cells[cell] = value;
            }
        }
        outcome
    }
}

fn value(v: Value) -> String {
    match v {
        Value::Number(n) => n.to_string(),
        Value::Register(r) => format!("r{r}"),
    }
}

/// Runs the command line `herd`, such as `herd7 -conf linux-kernel.cfg`, on all these.
pub fn run(herd: &str, tests: &BTreeMap<String, Litmus>) -> BTreeMap<String, BTreeSet<Outcome>> {
    let folder = tempfile::tempdir().unwrap();
    let mut words = herd.split_whitespace();
    let mut command = Command::new(words.next().expect("a command"));
    command.args(words);
    for (name, litmus) in tests {
        let path = folder.path().join(format!("{name}.litmus"));
        std::fs::write(&path, litmus.to_c(name)).unwrap();
        command.arg(path);
    }
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && errors.is_empty(),
        "herd7: {errors}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let mut all = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("Test ") else {
            continue;
        };
        let name = name.split(' ').next().unwrap();
        let states = lines.next().unwrap().strip_prefix("States ").unwrap();
        let states = lines.by_ref().take(states.parse().unwrap());
        let states = states.map(|l| tests[name].state(l)).collect();
        all.insert(name.to_owned(), states);
    }
    all
}
