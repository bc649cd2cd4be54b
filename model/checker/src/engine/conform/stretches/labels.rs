//! What tasks are about to show, by number.

use super::set;
use crate::engine::numbered::Numbered;
use std::hash::Hash;

/// Numbers of labels, and which of them fit at a position of the log.
pub(crate) struct Labels<T> {
    numbered: Numbered<T>,
    /// By position: how many labels were looked at, and which of them fit.
    fitting: Vec<(usize, Vec<u64>)>,
}

impl<T> Default for Labels<T> {
    fn default() -> Self {
        Self {
            numbered: Numbered::default(),
            fitting: vec![],
        }
    }
}

impl<T: Clone + Eq + Hash> Labels<T> {
    /// Its number.
    pub(crate) fn number(&mut self, label: &T) -> u32 {
        self.numbered.number(label)
    }

    /// Those that fit at a position, as bits.
    pub(crate) fn fitting(&mut self, position: usize, fits: impl Fn(&T) -> bool) -> &[u64] {
        if self.fitting.len() <= position {
            self.fitting.resize(position + 1, (0, vec![]));
        }
        let (known, bits) = &mut self.fitting[position];
        for (number, label) in self.numbered.all().iter().enumerate().skip(*known) {
            if fits(label) {
                set(bits, number);
            }
        }
        *known = self.numbered.all().len();
        bits
    }
}
