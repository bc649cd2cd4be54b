//! Parts of a memory by what they are of: stores by cell, what is handed on by lock.

use super::part::{Content, Part};
use super::view::View;
use crate::layout::CellId;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Parts, in order of what they are of. Copies share them all until one of them changes.
#[derive(Clone, Debug)]
pub(super) struct Parts<K, T>(Rc<BTreeMap<K, Part<T>>>);

impl<K, T> Default for Parts<K, T> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

impl<K: Copy + Ord, T: Content> Parts<K, T> {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The part of this, if there is one.
    pub(super) fn get(&self, key: K) -> Option<&Part<T>> {
        self.0.get(&key)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &Part<T>)> {
        self.0.iter().map(|(key, part)| (*key, part))
    }

    /// What they are of.
    pub(super) fn keys(&self) -> Vec<K> {
        self.0.keys().copied().collect()
    }

    /// To change the part of this, which is `new` if there is none.
    pub(super) fn change(&mut self, key: K, new: impl FnOnce() -> T) -> &mut T {
        let parts = Rc::make_mut(&mut self.0);
        parts
            .entry(key)
            .or_insert_with(|| Part::new(new()))
            .change()
    }

    /// Takes out the part of this.
    pub(super) fn remove(&mut self, key: K) {
        if self.0.contains_key(&key) {
            Rc::make_mut(&mut self.0).remove(&key);
        }
    }

    /// Takes out those that are not to be kept.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&T) -> bool) {
        if !self.0.values().all(|part| is_kept(part)) {
            Rc::make_mut(&mut self.0).retain(|_, part| is_kept(part));
        }
    }

    /// Leaves out of the views of one what stands in them just so.
    pub(super) fn forget(&mut self, key: K, known: &[(CellId, u32)]) {
        if known.is_empty() {
            return;
        }
        if let Some(part) = Rc::make_mut(&mut self.0).get_mut(&key) {
            part.forget(known);
        }
    }

    /// Changes each of the views of those of which one is past the oldest store of a cell.
    pub(super) fn each_view_past(&mut self, cell: CellId, change: &mut dyn FnMut(&mut View)) {
        if self.0.values().any(|part| part.has_view_past(cell)) {
            let parts = Rc::make_mut(&mut self.0).values_mut();
            parts.for_each(|part| part.each_view_past(cell, change));
        }
    }

    /// About how many bytes they take, if no copy shares any of them.
    pub(super) fn bytes(&self) -> usize {
        self.0.values().map(Part::bytes).sum()
    }
}
