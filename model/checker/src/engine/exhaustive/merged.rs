//! Maps that several have filled, as one.

use std::collections::BTreeMap;
use std::collections::btree_map::IntoIter;
use std::iter::Peekable;

/// What is in any of some maps, in order; of what is in several, the least value.
pub(super) struct Merged<K, V>(Vec<Peekable<IntoIter<K, V>>>);

impl<K: Ord, V: Ord> Merged<K, V> {
    /// Of these maps.
    pub(super) fn new(maps: impl Iterator<Item = BTreeMap<K, V>>) -> Self {
        Self(maps.map(|map| map.into_iter().peekable()).collect())
    }
}

impl<K: Ord, V: Ord> Iterator for Merged<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<Self::Item> {
        let heads = self.0.iter_mut().enumerate();
        let heads = heads.filter_map(|(i, map)| Some((&map.peek()?.0, i)));
        let (_, first) = heads.min()?;
        let (key, mut least) = self.0[first].next()?;
        for map in &mut self.0[first + 1..] {
            if let Some((_, other)) = map.next_if(|(other, _)| *other == key) {
                least = least.min(other);
            }
        }
        Some((key, least))
    }
}

#[cfg(test)]
mod tests {
    use super::Merged;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Merged maps are what one map would be that is filled with all of them.
        #[test]
        fn merged_maps_are_one(maps in vec(btree_map(0..20u8, 0..4u8, 0..12), 0..5)) {
            let mut one = BTreeMap::new();
            for (key, value) in maps.iter().flatten() {
                let least = one.entry(*key).or_insert(*value);
                *least = *value.min(least);
            }
            let merged: Vec<(u8, u8)> = Merged::new(maps.into_iter()).collect();
            prop_assert_eq!(merged, one.into_iter().collect::<Vec<_>>());
        }
    }
}
