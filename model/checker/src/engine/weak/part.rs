//! Parts of a memory that its copies share.

use super::view::View;
use crate::hash::Rolling;
use crate::layout::CellId;
use std::cell::OnceCell;
use std::ops::Deref;
use std::rc::Rc;

/// Where the words of a memory go: into its hash, or to be compared themselves.
pub(crate) trait Append {
    /// Appends a word.
    fn push(&mut self, word: u64);

    /// Appends a part.
    fn push_part<T: Content>(&mut self, part: &Part<T>);
}

impl Append for Rolling {
    fn push(&mut self, word: u64) {
        Rolling::push(self, word);
    }

    fn push_part<T: Content>(&mut self, part: &Part<T>) {
        self.push_hash(part.hash());
    }
}

impl Append for Vec<u64> {
    fn push(&mut self, word: u64) {
        Vec::push(self, word);
    }

    fn push_part<T: Content>(&mut self, part: &Part<T>) {
        part.content.append(self);
    }
}

/// What a part is made of.
pub(crate) trait Content: Clone {
    /// Its views.
    fn views(&self) -> impl Iterator<Item = &View>;

    /// Changes each of its views.
    fn each_view(&mut self, change: &mut dyn FnMut(&mut View));

    /// Appends it; what is appended of one is never the beginning of what is of another.
    fn append(&self, into: &mut impl Append) {
        self.views().for_each(|view| view.append(into));
    }
}

/// A part of a memory. Copies share it until one of them changes it: a step changes few of them, and
/// a search keeps a copy of the memory for each state on its path.
#[derive(Clone, Debug)]
pub(crate) struct Part<T> {
    content: Rc<T>,
    /// Its hash, once somebody has asked for it.
    hash: OnceCell<u128>,
}

impl<T: Content> Part<T> {
    pub(super) fn new(content: T) -> Self {
        Self {
            content: Rc::new(content),
            hash: OnceCell::new(),
        }
    }

    /// To change it.
    pub(super) fn change(&mut self) -> &mut T {
        self.hash.take();
        Rc::make_mut(&mut self.content)
    }

    /// Whether one of its views is past the oldest store of a cell.
    pub(super) fn has_view_past(&self, cell: CellId) -> bool {
        self.content.views().any(|view| view.at(cell) > 0)
    }

    /// Changes each of its views, if one of them is past the oldest store of a cell.
    pub(super) fn each_view_past(&mut self, cell: CellId, change: &mut dyn FnMut(&mut View)) {
        if self.has_view_past(cell) {
            self.change().each_view(change);
        }
    }

    /// Leaves out of its views what stands in them just so.
    pub(super) fn forget(&mut self, known: &[(CellId, u32)]) {
        if !known.is_empty() {
            self.change().each_view(&mut |view| view.forget(known));
        }
    }

    /// About how many bytes it takes, if no copy shares it.
    pub(super) fn bytes(&self) -> usize {
        let views = self.content.views();
        size_of::<T>() + views.map(View::bytes).sum::<usize>()
    }

    /// A hash of it.
    pub(super) fn hash(&self) -> u128 {
        *self.hash.get_or_init(|| {
            let mut hash = Rolling::default();
            self.content.append(&mut hash);
            hash.finish()
        })
    }
}

impl<T> Deref for Part<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.content
    }
}
