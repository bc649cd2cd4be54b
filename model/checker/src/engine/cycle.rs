//! Finding that a sequence comes back to where it was.

/// Whether a sequence in which each element follows from the one before has come to a cycle (Brent,
/// "An improved Monte Carlo factorization algorithm", 1980).
#[derive(Debug)]
pub(super) struct CycleDetection<T> {
    /// An element that may come again.
    seen: Option<T>,
    /// How many have come since.
    since: u64,
    /// After how many it is given up for a later one.
    power: u64,
}

impl<T> Default for CycleDetection<T> {
    fn default() -> Self {
        Self {
            seen: None,
            since: 0,
            power: 1,
        }
    }
}

impl<T: PartialEq> CycleDetection<T> {
    /// The next element: whether it has been there before, if not at once then soon after.
    #[inline]
    pub(super) fn comes_to(&mut self, here: T) -> bool {
        if self.seen.as_ref() == Some(&here) {
            return true;
        }
        self.since += 1;
        if self.since == self.power {
            self.seen = Some(here);
            self.since = 0;
            self.power *= 2;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::CycleDetection;

    /// How many elements it takes to see that a sequence goes round, of so many first.
    fn seen_after(sequence: impl Iterator<Item = u64>) -> Option<usize> {
        let mut detection = CycleDetection::default();
        sequence
            .take(10_000)
            .position(|element| detection.comes_to(element))
    }

    #[test]
    fn a_cycle_is_seen_soon_and_nothing_else_is() {
        assert_eq!(seen_after(0..), None);
        for before in [0, 1, 5, 100] {
            for period in [1, 2, 3, 7, 64, 65] {
                let begin = 0..before;
                let round = (0..period).cycle().map(|i| 1_000 + i);
                let after = seen_after(begin.chain(round)).expect("it goes round");
                let least = before.max(period) as usize;
                assert!(
                    after >= (before + period) as usize && after <= 4 * least + 4,
                    "{before} {period}: {after}"
                );
            }
        }
    }
}
