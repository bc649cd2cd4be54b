//! A run as the text of `/sys/kernel/tracing/trace`.
//!
//! Calls and returns are the events that `probe-litmus trace-setup` records, so that whoever reads
//! such traces, [`crate::trace`] among them, reads this. The rest are events of names of our own.
//! Steps are microseconds. What a device is called is what the kernel calls it.

use super::{Happened, Record, Run, short};
use kernel::errno;
use std::fmt::Write as _;

/// Most characters of a thread's name: TASK_COMM_LEN without the end.
const COMM: usize = 15;

const LEGEND: &str = "\
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
";

/// All of it.
pub fn print(run: &Run) -> String {
    let (all, cpus) = (run.records.len(), run.tasks.len().max(1));
    let mut text = format!(
        "# tracer: nop\n#\n# entries-in-buffer/entries-written: {all}/{all}   #P:{cpus}\n#\n{LEGEND}"
    );
    let mut open: Vec<Vec<&str>> = vec![vec![]; run.tasks.len() + 1];
    for record in &run.records {
        let stack = &mut open[record.task.map_or(0, |task| task + 1)];
        let event = event(record, stack);
        let (comm, pid, cpu) = match record.task {
            Some(task) => (short(&run.tasks[task]), task + 1, task),
            None => ("<idle>", 0, 0),
        };
        let comm: String = comm.chars().take(COMM).collect();
        let (seconds, micros) = (record.step / 1_000_000, record.step % 1_000_000);
        let _ = writeln!(
            text,
            "{comm:>16}-{pid:<7} [{cpu:03}] ..... {seconds:>5}.{micros:06}: {event}"
        );
    }
    text
}

/// What stands behind the time.
fn event<'a>(record: &'a Record, stack: &mut Vec<&'a str>) -> String {
    match &record.happened {
        Happened::Enter {
            function,
            object,
            is_device,
        } => {
            stack.push(function);
            let key = if *is_device { "d" } else { "object" };
            let argument = match object.as_str() {
                "" => String::new(),
                object => format!(" {key}=\"{}\"", object.replace('"', "'")),
            };
            format!("p_{function}_0: ({function}+0x0/0x0){argument}")
        }
        Happened::Exit { function, ret } => {
            stack.pop();
            let caller = stack.last().copied().unwrap_or("ret_from_fork");
            format!(
                "r_{function}_0: ({caller}+0x0/0x0 <- {function}){}",
                returned(ret)
            )
        }
        Happened::Read { field, value } => format!("read: {field} is {value}"),
        Happened::StaleRead {
            field,
            value,
            newest,
        } => format!("stale_read: {field} is {value}, newest {newest}"),
        Happened::Write { field, old, new } => format!("write: {field} = {new}, was {old}"),
        Happened::WriteBefore { field, new, newest } => {
            format!("write_before: {field} = {new}, newest {newest}")
        }
        Happened::Lock { lock, .. } => format!("lock_acquired: {lock}"),
        Happened::Unlock { lock, .. } => format!("lock_release: {lock}"),
        Happened::Spawn { child } => format!("sched_wakeup_new: pid={}", child + 1),
        Happened::Wait => "sched_blocked: waits for a condition".to_owned(),
        Happened::Note { kind, text } => format!("{kind}: {text}"),
        Happened::Oops { text } => format!("oops: {text}"),
    }
}

/// ` ret=-517`; a pointer says only whether there is one.
fn returned(ret: &str) -> String {
    match (ret, errno::parse(ret)) {
        ("", _) => String::new(),
        (_, Some(number)) => format!(" ret={number}"),
        ("NULL", None) => " ret=0x0".to_owned(),
        _ => format!(" ret=\"{ret}\""),
    }
}
