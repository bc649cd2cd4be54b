//! Lists of fixed capacity: klists and `struct list_head` chains, as cells of the world.
//!
//! Each operation is one atomic step. In the kernel a klist takes its own spinlock inside each
//! operation, and other lists are touched under a lock of their owner, so this loses no behaviour.
//! For the same reason two operations on a list are never a data race.

use crate::backend::current;
use crate::layout::{CellId, CellKind, Layout};
use crate::task::limit;
use crate::word::Word;
use std::marker::PhantomData;

/// A list of up to a fixed number of elements. Positions are stable: an element that is taken
/// out leaves a hole, so an iterator that stands on it goes on where it was, as a klist's does.
#[derive(Debug)]
pub struct List<T> {
    first: CellId,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for List<T> {}

/// Cell 0 is the number of cells in use; the elements follow as `Option<T>`.
fn used(cells: &[u64]) -> usize {
    cells[0] as usize
}

impl<T: Word + PartialEq> List<T> {
    /// Lays out an empty list for `capacity` elements.
    pub fn new(layout: &mut Layout, object: &str, field: &'static str, capacity: usize) -> Self {
        let first = layout.range(object, field, CellKind::Shared, &vec![0; capacity + 1]);
        Self {
            first,
            of: PhantomData,
        }
    }

    /// The cell that stands for the list.
    pub fn cell(self) -> CellId {
        self.first
    }

    /// list_add_tail(). A list that is full is a limit of the model.
    pub fn push_back(self, element: T) {
        let full = current().compound(self.first, true, &mut |cells| {
            if used(cells) == 0 {
                cells[1..].fill(0);
            }
            let n = used(cells);
            if n + 1 == cells.len() {
                return n as u64;
            }
            cells[n + 1] = Some(element).to_word();
            cells[0] += 1;
            0
        });
        if full != 0 {
            limit(&format!(
                "a list of the model holds at most {full} elements"
            ));
        }
    }

    /// Takes the first element out and gives it.
    pub fn pop_front(self) -> Option<T> {
        let word = current().compound(self.first, true, &mut |cells| {
            let n = used(cells);
            let Some(at) = (1..=n).find(|i| cells[*i] != 0) else {
                return 0;
            };
            let head = cells[at];
            cells[at] = 0;
            compact(cells);
            head
        });
        Option::from_word(word)
    }

    /// list_del() by value: whether it was there. Leaves a hole, see [`List`].
    pub fn remove(self, element: T) -> bool {
        self.take_out(element, |_| {})
    }

    /// As [`List::remove`], and closes the hole: for lists that nobody iterates meanwhile.
    pub fn remove_compact(self, element: T) -> bool {
        self.take_out(element, compact)
    }

    fn take_out(self, element: T, afterwards: fn(&mut [u64])) -> bool {
        let word = Some(element).to_word();
        let found = current().compound(self.first, true, &mut |cells| {
            let n = used(cells);
            let Some(at) = (1..=n).find(|i| cells[*i] == word) else {
                return 0;
            };
            cells[at] = 0;
            afterwards(cells);
            1
        });
        found != 0
    }

    /// Whether the element is in the list.
    pub fn contains(self, element: T) -> bool {
        let word = Some(element).to_word();
        current().compound(self.first, false, &mut |cells| {
            u64::from(cells[1..=used(cells)].contains(&word))
        }) != 0
    }

    /// list_empty().
    pub fn is_empty(self) -> bool {
        current().compound(self.first, false, &mut |cells| {
            u64::from(cells[1..=used(cells)].iter().all(|c| *c == 0))
        }) != 0
    }

    /// The first element at or behind position `from`, and the position after it: one step of
    /// klist_next() or list_for_each_entry().
    pub fn next(self, from: u32) -> Option<(T, u32)> {
        let packed = current().compound(self.first, false, &mut |cells| {
            let at = (from as usize + 1..=used(cells)).find(|i| cells[*i] != 0);
            at.map_or(0, |i| ((i as u64) << 32) | cells[i])
        });
        (packed != 0).then(|| {
            let element =
                Option::from_word(packed & 0xffff_ffff).expect("only set elements are found");
            (element, (packed >> 32) as u32)
        })
    }

    /// The element before the one at the end: the last element. list_last_entry().
    pub fn last(self) -> Option<T> {
        let word = current().compound(self.first, false, &mut |cells| {
            (1..=used(cells))
                .rev()
                .find(|i| cells[*i] != 0)
                .map_or(0, |i| cells[i])
        });
        Option::from_word(word)
    }

    /// list_splice_tail_init(): moves all elements of `self` to the tail of `to`.
    pub fn splice_tail_to(self, to: List<T>) {
        while let Some(element) = self.pop_front() {
            to.push_back(element);
        }
    }

    /// All elements, for [`crate::model::Model::outcome`].
    pub fn peek(self) -> Vec<T> {
        let mut all = vec![];
        let mut at = 0;
        while let Some((element, next)) = self.next(at) {
            all.push(element);
            at = next;
        }
        all
    }
}

/// Moves the elements together; the order stays, and equal lists have equal cells.
fn compact(cells: &mut [u64]) {
    let n = used(cells);
    let mut to = 1;
    for from in 1..=n {
        if cells[from] != 0 {
            cells.swap(from, to);
            to += 1;
        }
    }
    cells[0] = to as u64 - 1;
}
