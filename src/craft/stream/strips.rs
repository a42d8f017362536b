//! From planes to strips of the result: eight rows at a time, as columns of eight.
//!
//! The vertical pass makes eight rows of the result as wide as the source, and turns them round, so that the horizontal
//! pass works on eight rows at once whatever the ratio: each of its columns is a weighted sum of neighbours, and lies in
//! one register. These columns are what a JPEG's cosine transform begins with. Everything is plain arithmetic without
//! fused steps: compiled for whatever processor, it gives the same bits.

use super::feed::View;
use super::lanes::Lanes;
use super::means::{CellRow, Means};
use super::planes::Planes;
use super::taps::Taps;
use super::{Column, LANES};
use std::ops::Range;

/// One plane of the result, by the weights of both axes.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) plane: usize,
    pub(super) across: Taps,
    pub(super) down: Taps,
    /// How many rows of it are made at once.
    pub(super) rows: usize,
}

/// Makes strips of one picture, from any place on.
#[derive(Debug)]
pub(super) struct Strips<'a> {
    planes: Planes,
    /// Rows of the source as planes, in rotation.
    rows: Vec<f32>,
    /// Which row lies in each place.
    held: Vec<usize>,
    /// A strip as wide as the source.
    columns: Vec<Column>,
    /// The means of the source, nothing taken yet.
    means: &'a [Means],
    /// The rows whose cells are still wanted, and those of the rows before.
    unseen: Range<usize>,
    cells: Vec<CellRow>,
}

impl<'a> Strips<'a> {
    pub(super) fn new(planes: Planes, components: &[Component], means: &'a [Means]) -> Self {
        let most = |component: &Component| {
            (0..component.down.len()).map(|y| span(component, y, LANES)).map(|(first, end)| end - first).max()
        };
        let held = components.iter().filter_map(most).max().unwrap_or(1);
        Self {
            rows: vec![0.0; held * pitch(&planes)],
            held: vec![usize::MAX; held],
            columns: vec![[0.0; LANES]; planes.stride()],
            planes,
            means,
            unseen: 0..0,
            cells: Vec::new(),
        }
    }

    /// Begins to look at these rows of the source: their cells are made while the rows are at hand anyway.
    pub(super) fn look_at(&mut self, rows: Range<usize>) {
        self.unseen = rows;
    }

    /// Returns the cells of all rows that were to be looked at, those of each plane of a row one after another.
    #[inline(always)]
    pub(super) fn seen<L: Lanes>(&mut self, source: &View) -> Vec<CellRow> {
        for row in self.unseen.clone() {
            self.hold::<L>(source, row);
        }
        std::mem::take(&mut self.cells)
    }

    /// Makes the strip of a component that begins with row `y` of it, as wide as the source; rows behind the last one
    /// are that one again.
    #[inline(always)]
    pub(super) fn strip<L: Lanes>(&mut self, source: &View, component: &Component, y: usize) -> &[Column] {
        let (first, end) = span(component, y, LANES);
        for row in first..end {
            self.hold::<L>(source, row);
        }
        let (stride, taps) = (self.planes.stride(), component.down.count);
        let pitch = pitch(&self.planes);
        let last = component.down.len() - 1;
        let start = |n: usize| component.down.start((y + n).min(last));
        let weights: [&[f32]; LANES] = std::array::from_fn(|n| component.down.weights((y + n).min(last)));
        // For each tap the place of its row, and its weight, for all eight rows: sums that do not wait for one another.
        let steps: Vec<[(usize, f32); LANES]> = (0..taps)
            .map(|tap| std::array::from_fn(|n| ((start(n) + tap) % self.held.len() * pitch, weights[n][tap])))
            .collect();
        let plane = component.plane * stride;
        let mut x = 0;
        while x < stride {
            let mut sums = [L::splat(0.0); LANES];
            let rows = &self.rows[plane + x..];
            for step in &steps {
                for n in 0..LANES {
                    let (place, weight) = step[n];
                    let row = rows[place..].first_chunk().expect("a row has whole lanes");
                    sums[n] = sums[n].plus(L::load(row).times(L::splat(weight)));
                }
            }
            let columns: &mut [Column; LANES] = self.columns[x..].first_chunk_mut().expect("as many as a row has");
            let turned = L::transposed(sums);
            for n in 0..LANES {
                turned[n].store(&mut columns[n]);
            }
            x += LANES;
        }
        &self.columns
    }

    #[inline(always)]
    fn hold<L: Lanes>(&mut self, source: &View, row: usize) {
        let (place, stride) = (row % self.held.len(), self.planes.stride());
        let planes = &mut self.rows[place * pitch(&self.planes)..][..stride * self.planes.channels];
        if self.held[place] != row {
            self.held[place] = row;
            self.planes.write_row::<L>(source.row(row), planes);
        }
        if self.unseen.start == row && row < self.unseen.end {
            self.unseen.start += 1;
            for plane in 0..self.means.len() {
                self.cells.push(Means::row::<L>(&self.means[plane].across, &planes[plane * stride..]));
            }
        }
    }
}

/// Returns how far the planes of a row lie from those of the next one: an odd number of cache lines, so that the same
/// column of many rows does not fall on one set of the cache.
fn pitch(planes: &Planes) -> usize {
    const LINE: usize = 16;
    ((planes.stride() * planes.channels).div_ceil(LINE) | 1) * LINE
}

/// Returns the rows of the source that are looked at for their means while the components' `number`th rows are made:
/// each of them once, and close to those that these are made of.
pub(super) fn own_rows(components: &[Component], number: usize, height: usize) -> Range<usize> {
    let first = |number: usize| {
        let is_there = |component: &&Component| number * component.rows < component.down.len();
        let start = |component: &Component| component.down.start(number * component.rows);
        components.iter().filter(is_there).map(start).min().unwrap_or(height)
    };
    let start = if number == 0 { 0 } else { first(number) };
    start..first(number + 1)
}

/// Returns the rows of the source that the components' `number`th rows to `end`th need, and all that are looked at then.
pub(super) fn needed_rows(components: &[Component], numbers: Range<usize>, height: usize) -> Range<usize> {
    let mut needed = own_rows(components, numbers.start, height);
    needed.end = own_rows(components, numbers.end - 1, height).end;
    for component in components {
        let rows = numbers.len() * component.rows;
        let (first, end) = span(component, numbers.start * component.rows, rows);
        needed = needed.start.min(first)..needed.end.max(end);
    }
    needed
}

/// Returns which rows of the source so many rows from `y` on are made of.
fn span(component: &Component, y: usize, rows: usize) -> (usize, usize) {
    let last = component.down.len() - 1;
    let (first, end) = (component.down.start(y.min(last)), component.down.start((y + rows - 1).min(last)));
    (first, end + component.down.count)
}

/// Returns a column of a strip of the result. `N` is how many taps there are, or 0 for any number.
#[inline(always)]
pub(super) fn column<L: Lanes, const N: usize>(columns: &[Column], across: &Taps, x: usize) -> L {
    let (start, weights) = (across.start(x), across.weights(x));
    let mut sum = L::splat(0.0);
    if N == 0 {
        for n in 0..weights.len() {
            sum = sum.plus(L::load(&columns[start + n]).times(L::splat(weights[n])));
        }
    } else {
        let columns: &[Column; N] = columns[start..].first_chunk().expect("taps lie in the picture");
        let weights: &[f32; N] = weights.first_chunk().expect("as many as there are taps");
        for n in 0..N {
            sum = sum.plus(L::load(&columns[n]).times(L::splat(weights[n])));
        }
    }
    sum
}
