//! Which of all that was found is one finding, and the smallest combination that has it.

use super::Row;
use super::signature::Signature;
use super::space::Combination;
use checker::engine::schedule::Schedule;
use serde::Serialize;
use std::collections::BTreeSet;

/// A signature and a smallest combination that has it. There may be several of one signature:
/// with tasks of other sorts, it comes about in another way.
#[derive(Clone, Debug, Serialize)]
pub struct Distinct {
    /// What is wrong.
    pub signature: Signature,
    /// The combination.
    pub example: Combination,
    /// A shortest schedule there; `None` for what is of no outcome.
    #[serde(skip)]
    pub schedule: Option<Schedule>,
    /// The causes whose steps it has; none also where there is no schedule.
    pub causes: Vec<String>,
    /// How many combinations have it, of which this is a part, or of three tasks.
    pub combinations: usize,
}

/// All distinct findings so far.
#[derive(Debug, Default)]
pub(super) struct Collection {
    pub(super) found: Vec<Distinct>,
}

impl Collection {
    /// Takes what a combination has. Smaller combinations come first.
    ///
    /// Nothing new is a signature that a combination within this one has, and one that is the sum of
    /// such: two bugs at once. Of three tasks nothing is new that any two have, on whatever board.
    pub(super) fn take(&mut self, row: &Row) {
        let combination = &row.combination;
        let mut by_size: Vec<_> = row.signatures.iter().collect();
        by_size.sort_by_key(|(signature, _)| signature.len());
        for (signature, schedule) in by_size {
            let mut parts = BTreeSet::new();
            let mut is_known = false;
            for known in &mut self.found {
                let of_two = known.example.steps.len() == 2 && combination.steps.len() == 3;
                if !of_two && !known.example.is_within(combination) {
                    continue;
                }
                if known.signature == *signature {
                    known.combinations += 1;
                    is_known = true;
                } else if known.signature.is_subset(signature) {
                    parts.extend(known.signature.iter().cloned());
                }
            }
            if !is_known && parts != *signature {
                self.found.push(Distinct {
                    signature: signature.clone(),
                    example: combination.clone(),
                    schedule: schedule.clone(),
                    causes: row.causes.get(signature).cloned().unwrap_or_default(),
                    combinations: 1,
                });
            }
        }
    }

    /// The worst first; of one sort the smallest first.
    pub(super) fn ranked(mut self) -> Vec<Distinct> {
        self.found.sort_by(|a, b| {
            let worst = |d: &Distinct| d.signature.first().map(|f| f.level);
            worst(a)
                .cmp(&worst(b))
                .then_with(|| a.signature.cmp(&b.signature))
        });
        self.found
    }
}
