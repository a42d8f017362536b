//! Rows of layers: lent from a pool, shared by the layers that are made of them, and gone when nobody needs them.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

use super::vector::{GROUP, Pixel};

/// The memory of rows that are gone, for those that come.
#[derive(Debug)]
pub(super) struct Pool<const C: usize> {
    /// How many places the longest row has.
    places_max: usize,
    free: Mutex<Vec<Vec<Pixel<C>>>>,
}

/// Returns how many places a row has: groups of them, and one outside on each side.
pub(super) fn places(width: usize) -> usize {
    width.next_multiple_of(GROUP) + 2
}

impl<const C: usize> Pool<C> {
    pub(super) fn new(width_max: usize) -> Arc<Self> {
        Arc::new(Self { places_max: places(width_max), free: Mutex::default() })
    }

    /// Lends a row of such a width; what stands in it is to be written over.
    pub(super) fn lend(self: &Arc<Self>, width: usize) -> Row<C> {
        let free = self.free.lock().expect("no holder panics").pop();
        let places = free.unwrap_or_else(|| vec![Pixel::ZERO; self.places_max]);
        Row { width, places, pool: Arc::clone(self) }
    }
}

/// A row of a layer; its first place lies left of the picture.
#[derive(Debug)]
pub(super) struct Row<const C: usize> {
    /// How many places lie in the picture.
    width: usize,
    places: Vec<Pixel<C>>,
    pool: Arc<Pool<C>>,
}

impl<const C: usize> Row<C> {
    /// Empties the places outside of the picture: convolutions see nothing there.
    pub(super) fn empty_outside(&mut self) {
        let end = self.width + 1;
        self[0] = Pixel::ZERO;
        self[end..].fill(Pixel::ZERO);
    }

    /// Returns an empty row, as there are above and below the picture.
    pub(super) fn empty(pool: &Arc<Pool<C>>, width: usize) -> Self {
        let mut row = pool.lend(width);
        row.fill(Pixel::ZERO);
        row
    }
}

impl<const C: usize> Deref for Row<C> {
    type Target = [Pixel<C>];

    fn deref(&self) -> &Self::Target {
        &self.places[..places(self.width)]
    }
}

impl<const C: usize> DerefMut for Row<C> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.places[..places(self.width)]
    }
}

impl<const C: usize> Drop for Row<C> {
    fn drop(&mut self) {
        let places = std::mem::take(&mut self.places);
        // Where a holder panicked, the memory just goes.
        if let Ok(mut free) = self.pool.free.lock() {
            free.push(places);
        }
    }
}

/// The rows of one layer that another is still to be made of.
#[derive(Debug)]
pub(super) struct Queue<const C: usize> {
    /// The number of the first row that is there.
    first: isize,
    /// `None` stands for a row outside of the picture.
    rows: VecDeque<Option<Arc<Row<C>>>>,
}

impl<const C: usize> Queue<C> {
    /// Begins with the first row that will come.
    pub(super) fn new(first: isize) -> Self {
        Self { first, rows: VecDeque::new() }
    }

    pub(super) fn push(&mut self, rows: &[Option<Arc<Row<C>>>]) {
        self.rows.extend(rows.iter().cloned());
    }

    /// Returns so many rows from one on; those before the first that came lie outside of the picture.
    pub(super) fn rows<const N: usize>(&self, from: isize) -> [Option<Arc<Row<C>>>; N] {
        std::array::from_fn(|n| {
            let at = from + n.cast_signed() - self.first;
            usize::try_from(at).ok().and_then(|at| self.rows[at].clone())
        })
    }

    pub(super) fn forget_before(&mut self, row: isize) {
        while self.first < row && self.rows.pop_front().is_some() {
            self.first += 1;
        }
    }
}
