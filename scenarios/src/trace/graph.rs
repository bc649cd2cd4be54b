//! The function_graph tracer, with the options `funcgraph-proc` and, for return values and
//! devices, `funcgraph-retval` and `funcgraph-args`:
//!
//! ```text
//!    2.587762 |   0)   init-1    |               |  really_probe(dev=0xffff000004445000) {
//!    2.587801 |   0)   init-1    |   0.541 us    |    driver_bound(dev=0xffff000004445000);
//!    2.588010 |   0)   init-1    | # 1234.500 us |  } /* really_probe ret=-517 */
//! ```

use super::ftrace::{call, micros};
use super::kprobe::{function, number};
use super::{Line, Rest, Thread, What};
use std::collections::BTreeMap;

/// The functions that have been entered, by thread or, where the log names none, by CPU.
#[derive(Default)]
pub(super) struct Open {
    stacks: BTreeMap<(Option<u32>, u32), Vec<String>>,
}

impl Open {
    /// Reads a line; `None` if it is none of this format.
    pub(super) fn line(&mut self, text: &str) -> Option<Line> {
        let (before, code) = text.rsplit_once('|')?;
        let mut cpu = None;
        let mut thread = None;
        let mut time = None;
        for column in before.split('|') {
            let column = column.trim();
            let (word, rest) = column.split_once(' ').unwrap_or((column, ""));
            if let Some(number) = word.strip_suffix(')').and_then(|n| n.parse::<u32>().ok()) {
                cpu = Some(number);
                thread = thread.or_else(|| named(rest));
            } else if let Some(at) = micros(column) {
                time = Some(at);
            } else {
                thread = thread.or_else(|| named(column));
            }
        }
        let stack = (thread.as_ref().map(|t| t.pid), cpu?);
        let stack = if stack.0.is_some() {
            (stack.0, 0)
        } else {
            stack
        };
        let what = self.code(stack, code.trim());
        Some(match what {
            Some(what) => Line::Event { thread, time, what },
            None => Line::Other(Rest::OtherEvent),
        })
    }

    /// `f() {`, `f();` or `} /* f */`. A call that is over at once counts as its beginning.
    fn code(&mut self, stack: (Option<u32>, u32), code: &str) -> Option<What> {
        let stack = self.stacks.entry(stack).or_default();
        if let Some(entered) = code.strip_suffix('{') {
            let call = call(entered.trim())?;
            stack.push(call.function.clone());
            return Some(What::Enter(call));
        }
        if let Some(rest) = code.strip_prefix('}') {
            let comment = rest.trim().strip_prefix("/*").map(str::trim);
            let comment = comment.and_then(|c| c.strip_suffix("*/")).unwrap_or("");
            let opened = stack.pop();
            let named = comment.split_whitespace().next().and_then(function);
            return Some(What::Exit {
                function: named.or(opened)?,
                ret: comment.split_once('=').and_then(|(_, r)| number(r.trim())),
            });
        }
        let (leaf, _) = code.split_once(';')?;
        call(leaf.trim()).map(What::Enter)
    }
}

/// `init-1`, `kworker/-46`: names are cut short in this format.
fn named(text: &str) -> Option<Thread> {
    let (comm, pid) = text.trim().rsplit_once('-')?;
    let pid = pid.trim().parse().ok()?;
    (!comm.is_empty()).then(|| Thread {
        comm: comm.trim().to_owned(),
        pid,
    })
}
