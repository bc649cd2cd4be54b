//! Different things by number.

use crate::hash::Words;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash};

/// Different things, numbered in the order in which they come.
#[derive(Clone, Debug)]
pub(crate) struct Numbered<T> {
    all: Vec<T>,
    numbers: HashMap<T, u32, BuildHasherDefault<Words>>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            all: vec![],
            numbers: HashMap::default(),
        }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    /// These, which all differ, in order.
    pub(crate) fn of(all: Vec<T>) -> Self {
        Self {
            numbers: all.iter().cloned().zip(0..).collect(),
            all,
        }
    }

    /// The number of one, which is the next if it is new.
    pub(crate) fn number<Q>(&mut self, one: &Q) -> u32
    where
        T: Borrow<Q>,
        Q: ToOwned<Owned = T> + Eq + Hash + ?Sized,
    {
        if let Some(number) = self.numbers.get(one) {
            return *number;
        }
        let fresh = self.all.len() as u32;
        self.all.push(one.to_owned());
        self.numbers.insert(one.to_owned(), fresh);
        fresh
    }

    /// All in order of their numbers.
    pub(crate) fn all(&self) -> &[T] {
        &self.all
    }

    /// As [`Numbered::all`], when no more are numbered.
    pub(crate) fn into_all(self) -> Vec<T> {
        self.all
    }
}
