//! The states themselves beside their fingerprints: shows that no two that differ have the same.

use super::shared::locked;
use std::collections::HashMap;
use std::sync::Mutex;

/// The contents of states, by fingerprint.
#[derive(Default)]
pub(super) struct Exact {
    states: Mutex<HashMap<u128, Box<[u8]>>>,
}

impl Exact {
    /// Keeps the content of a state, or compares it with that of the same fingerprint.
    ///
    /// # Panics
    ///
    /// If they differ.
    pub(super) fn compare(&self, fingerprint: u128, content: &[u64]) {
        let packed = packed(content);
        let mut states = locked(&self.states);
        let Some(known) = states.get(&fingerprint) else {
            states.insert(fingerprint, packed);
            return;
        };
        let is_same = **known == *packed;
        drop(states);
        assert!(
            is_same,
            "two states that differ have the fingerprint {fingerprint:x}: what is behind one of \
             them would be lost"
        );
    }
}

/// The words, seven bits to a byte, since most are small.
fn packed(words: &[u64]) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(words.len());
    for word in words {
        let mut rest = *word;
        while rest >= 0x80 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::packed;

    #[test]
    fn words_that_differ_are_packed_differently() {
        let lists: [&[u64]; 6] = [&[], &[0], &[0, 0], &[128], &[0, 1], &[u64::MAX]];
        for (i, one) in lists.iter().enumerate() {
            for other in &lists[..i] {
                assert_ne!(packed(one), packed(other), "{one:?} {other:?}");
            }
        }
    }
}
