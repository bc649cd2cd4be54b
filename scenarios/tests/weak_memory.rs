//! What weak memory adds on the kernel model.

use checker::engine::exhaustive::{self, Go, Options};
use checker::engine::weak;
use checker::outcome::{Complete, Report};
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use scenarios::litmus;
use scenarios::runner::Test;
use std::path::Path;
use std::sync::Arc;

const REGISTRATION: &str = "driver_register(arm-smmu-v3)";
const BIND: &str = "device_attach(client0)";
const WORKER: &str = "deferred_probe_work_func";

/// A scenario on the board one-client.dts, with the client's driver there.
fn kernel(revision: &str, tasks: &[&str]) -> Arc<Kernel> {
    let tasks = (0..).zip(tasks);
    let tasks: Vec<String> = tasks.map(|(n, t)| format!("P{n} {{ {t} }}\n")).collect();
    let text = format!(
        "LITMUS weak-memory\n(*\n * Result: Never\n *\n * Does it hang?\n *)\n\
         board one-client.dts\nkernels \"{revision}\"\n\
         initial {{ driver_register(client-drv) }}\n{}exists (deadlock)\n",
        tasks.concat()
    );
    let litmus = litmus::parse("weak-memory.litmus", &text).unwrap_or_else(|e| panic!("{e}"));
    let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
    let test = Test::with_board(litmus, &boards).unwrap_or_else(|e| panic!("{e}"));
    test.kernel(revision).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn trial2() {
    use checker::engine::loom;
    for revision in ["v6.16", "v7.3-rc7"] {
        let model = kernel(revision, &[REGISTRATION, BIND]);
        let sc = exhaustive::explore(&model, &Options::default());
        let t = std::time::Instant::now();
        let weak = weak::explore(&model, &Options::default(), &mut |_| Go::On);
        println!("{:?}", t.elapsed());
        for marks in [&sc.marks, &weak.marks] {
            let l = loom::explore(
                &model,
                &loom::Options {
                    loads: loom::Loads::Load,
                    preemption_bound: Some(2),
                    ..loom::Options::new(marks.clone())
                },
            )
            .unwrap();
            println!(
                "{revision} loom {} beyond sc {} beyond weak {}",
                l.finals.len(),
                l.finals
                    .keys()
                    .filter(|k| !sc.finals.contains_key(k))
                    .count(),
                l.finals
                    .keys()
                    .filter(|k| !weak.finals.contains_key(k))
                    .count()
            );
            for k in l.finals.keys().filter(|k| !weak.finals.contains_key(k)) {
                println!("  L {:?}", k.outcome.clients);
            }
        }
        for (k, s) in weak
            .finals
            .iter()
            .filter(|(k, _)| !sc.finals.contains_key(k))
        {
            println!("  W {s} {:?}", k.outcome.clients);
            let trace = weak::replay(&model, &weak.marks, s);
            for e in &trace.events {
                use checker::event::What;
                use checker::model::Model;
                match &e.what {
                    What::StaleRead {
                        cell,
                        value,
                        newest,
                    } => println!(
                        "    P{} stale {} {} {}",
                        e.task.0,
                        model.layout().cell_name(*cell),
                        model.show(*cell, *value),
                        model.show(*cell, *newest)
                    ),
                    What::WriteBefore { cell, new, newest } => println!(
                        "    P{} before {} {} {}",
                        e.task.0,
                        model.layout().cell_name(*cell),
                        new,
                        newest
                    ),
                    _ => {}
                }
            }
        }
        for k in sc.finals.keys() {
            println!("  S {:?}", k.outcome.clients);
        }
    }
}
