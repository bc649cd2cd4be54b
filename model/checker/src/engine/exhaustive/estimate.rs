//! About how many schedules there are, before the search: Knuth, "Estimating the efficiency of
//! backtrack programs" (1975).
//!
//! A schedule that is chosen at random, each choice alike, is one of as many as the numbers of its
//! choices multiplied say; on the mean that is right. It says little of the states of a search that
//! merges them, and much of why one does.

/// What random schedules say of the number of all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Estimate {
    schedules: u32,
    /// Decimal logarithm of the sum of what each of them says.
    log10_sum: f64,
}

impl Estimate {
    /// One more schedule: the decimal logarithm of the product of the numbers of its choices.
    pub(super) fn add(&mut self, log10: f64) {
        let (more, less) = if log10 > self.log10_sum {
            (log10, self.log10_sum)
        } else {
            (self.log10_sum, log10)
        };
        self.log10_sum = if self.schedules == 0 {
            log10
        } else {
            // A sum of numbers that may be larger than there are.
            more + (1.0 + 10f64.powf(less - more)).log10()
        };
        self.schedules += 1;
    }

    /// Decimal logarithm of about how many schedules there are; `None` if nothing is known.
    pub(super) fn log10(&self) -> Option<f64> {
        let mean = self.log10_sum - f64::from(self.schedules).log10();
        (self.schedules > 0).then_some(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::Estimate;

    #[test]
    fn the_mean_is_of_the_numbers_and_not_of_their_logarithms() {
        let mut estimate = Estimate::default();
        assert_eq!(estimate.log10(), None);
        for log10 in [2.0, 0.0, 400.0] {
            estimate.add(log10);
        }
        let mean = estimate.log10().expect("three schedules");
        assert!((mean - (400.0 - 3f64.log10())).abs() < 1e-9, "{mean}");
        let mut small = Estimate::default();
        small.add(2.0);
        small.add(0.0);
        let mean = small.log10().expect("two schedules");
        assert!((10f64.powf(mean) - 50.5).abs() < 1e-9, "{mean}");
    }
}
