//! From planes to strips of the result: eight rows at a time, as columns of eight.
//!
//! The vertical pass makes eight rows of the result as wide as the source, and turns them round, so that the horizontal
//! pass works on eight rows at once whatever the ratio: each of its columns is a weighted sum of neighbours, and lies in
//! one register. These columns are what a JPEG's cosine transform begins with. Everything is plain arithmetic without
//! fused steps: compiled for whatever processor, it gives the same bits.

use super::lanes::Lanes;
use super::planes::Planes;
use super::taps::Taps;
use super::{Column, LANES};

/// One plane of the result, by the weights of both axes.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) plane: usize,
    pub(super) across: Taps,
    pub(super) down: Taps,
}

/// Makes strips of one picture, from any place on.
#[derive(Debug)]
pub(super) struct Strips<'a> {
    planes: Planes<'a>,
    /// Rows of the source as planes, in rotation.
    rows: Vec<f32>,
    /// Which row lies in each place.
    held: Vec<usize>,
    /// A strip as wide as the source.
    columns: Vec<Column>,
}

impl<'a> Strips<'a> {
    pub(super) fn new(planes: Planes<'a>, components: &[Component]) -> Self {
        let most = |component: &Component| {
            (0..component.down.len()).map(|y| span(component, y, LANES)).map(|(first, end)| end - first).max()
        };
        let held = components.iter().filter_map(most).max().unwrap_or(1);
        Self {
            rows: vec![0.0; held * planes.stride() * planes.channels],
            held: vec![usize::MAX; held],
            columns: vec![[0.0; LANES]; planes.stride()],
            planes,
        }
    }

    /// Makes the strip of a component that begins with row `y` of it, as wide as the source; rows behind the last one
    /// are that one again.
    #[inline(always)]
    pub(super) fn strip<L: Lanes>(&mut self, component: &Component, y: usize) -> &[Column] {
        let (first, end) = span(component, y, LANES);
        for row in first..end {
            self.hold(row);
        }
        let (stride, taps) = (self.planes.stride(), component.down.count);
        let size = stride * self.planes.channels;
        let last = component.down.len() - 1;
        let places: [Vec<usize>; LANES] = std::array::from_fn(|n| {
            let start = component.down.start((y + n).min(last));
            (start..start + taps).map(|row| row % self.held.len() * size).collect()
        });
        let weights: [&[f32]; LANES] = std::array::from_fn(|n| component.down.weights((y + n).min(last)));
        let plane = component.plane * stride;
        let mut x = 0;
        while x < stride {
            let mut sums = [L::splat(0.0); LANES];
            for y in 0..LANES {
                let mut sum = sums[y];
                for tap in 0..taps {
                    let row = self.rows[places[y][tap] + plane + x..].first_chunk().expect("a row has whole lanes");
                    sum = sum.plus(L::load(row).times(L::splat(weights[y][tap])));
                }
                sums[y] = sum;
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
    fn hold(&mut self, row: usize) {
        let place = row % self.held.len();
        if self.held[place] != row {
            self.held[place] = row;
            let size = self.planes.stride() * self.planes.channels;
            self.planes.write_row(row, &mut self.rows[place * size..][..size]);
        }
    }
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
