//! What a picture looks like from afar: the mean of each plane in a coarse grid. A result whose means differ from those of
//! its source is no enlarged source, whatever went wrong.

use super::LANES;
use super::lanes::Lanes;
use super::taps::Taps;
#[cfg(test)]
use super::{
    feed::Feed,
    planes::{Planes, Space},
};
use crate::craft::CraftError;

/// Cells along each edge.
const CELLS: usize = 8;
/// The largest difference of a cell's mean, of 255: overshoot at edges cancels out within a cell.
const DIFFERENCE_MAX: f32 = 6.0;
/// What is added to it for cells of few source pixels: more of a small cell lies at its border, where its neighbours
/// blend in, and in noise it happens that they are all lighter or all darker; in a picture of some pixels that may be
/// most of a cell.
const DIFFERENCE_BY_EDGE: f32 = 64.0;
const DIFFERENCE_BY_AREA: f32 = 900.0;
const DIFFERENCE_BY_CELL_MAX: f32 = 100.0;

/// The means of a row of cells.
pub(super) type CellRow = [f32; CELLS];

/// The means of one plane.
#[derive(Debug, Clone)]
pub(super) struct Means {
    pub(super) across: Taps,
    down: Taps,
    /// How many samples there are on each axis.
    size: (usize, usize),
    /// Where the cells begin and end, as shares of the whole.
    edges: [Vec<f64>; 2],
    cells: [CellRow; CELLS],
}

impl Means {
    /// Begins with a plane of so many samples on each axis, which come as means of `step` samples. A cell is made of whole
    /// ones of these.
    pub(super) fn new(width: usize, height: usize, step: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a picture's edge")]
        let share = |part: usize, whole: usize| part as f64 / whole as f64;
        let edges = |length: usize| -> Vec<f64> {
            let pieces = length.div_ceil(step);
            let cells = pieces.min(CELLS);
            (0..=cells).map(|cell| share((cell * pieces / cells * step).min(length), length)).collect()
        };
        Self::between([edges(width), edges(height)], width, height, step)
    }

    fn between(edges: [Vec<f64>; 2], width: usize, height: usize, step: usize) -> Self {
        let (across, down) = (Taps::means(width, step, &edges[0]), Taps::means(height, step, &edges[1]));
        Self { across, down, size: (width, height), edges, cells: [[0.0; CELLS]; CELLS] }
    }

    /// Returns the cells of one row of values.
    #[inline(always)]
    pub(super) fn row<L: Lanes>(across: &Taps, values: &[f32]) -> CellRow {
        let mut cells = [0.0; CELLS];
        for x in 0..across.len() {
            cells[x] = product::<L>(&values[across.start(x)..], across.weights(x));
        }
        cells
    }

    /// Takes the cells of row `y`.
    pub(super) fn add(&mut self, y: usize, row: &CellRow) {
        for (at, cells) in self.cells.iter_mut().enumerate().take(self.down.len()) {
            let tap = y.checked_sub(self.down.start(at));
            let Some(weight) = tap.and_then(|tap| self.down.weights(at).get(tap)) else { continue };
            cells.iter_mut().zip(row).for_each(|(cell, value)| *cell += value * weight);
        }
    }

    /// Begins with the planes of a source of so many rows and columns, between the edges of others.
    pub(super) fn between_those_of(others: &[Self], width: usize, height: usize) -> Vec<Self> {
        others.iter().map(|other| Self::between(other.edges.clone(), width, height, 1)).collect()
    }

    /// Refuses a result that does not look like its source; `rounding` is how far each of its planes may be off by
    /// being coded.
    pub(super) fn check(source: &[Self], result: &[Self], rounding: f32) -> Result<(), CraftError> {
        let worst = source.iter().zip(result).map(|(a, b)| a.difference(b)).fold(0.0, f32::max);
        let edge = source.first().map_or(0, |means| (means.size.0.min(means.size.1) / CELLS).max(1));
        let edge = f32::from(u16::try_from(edge).unwrap_or(u16::MAX));
        let by_cell = DIFFERENCE_BY_EDGE / edge + DIFFERENCE_BY_AREA / (edge * edge);
        if worst <= DIFFERENCE_MAX + by_cell.min(DIFFERENCE_BY_CELL_MAX) + rounding {
            return Ok(());
        }
        Err(CraftError::LooksWrong(format!("a part of it differs by {worst:.0} of 255")))
    }

    /// Returns the means of a whole picture between the edges of others.
    #[cfg(test)]
    pub(super) fn of_picture(image: &image::DynamicImage, others: Option<&[Self]>) -> Vec<Self> {
        let mut source = Feed::of(image.clone());
        let planes = Planes::of(&source, Space::Own).expect("all kinds of pixels but floats");
        let rows = source.rows(&(0..planes.height)).expect("it is there as a whole");
        let own = || vec![Self::new(planes.width, planes.height, 1); planes.channels];
        let mut all = Self::between_those_of(others.unwrap_or(&own()), planes.width, planes.height);
        let mut row = vec![0.0; planes.stride() * planes.channels];
        for y in 0..planes.height {
            planes.write_row::<[f32; LANES]>(rows.row(y), &mut row);
            for (means, plane) in all.iter_mut().zip(row.chunks_exact(planes.stride())) {
                let cells = Self::row::<[f32; LANES]>(&means.across, plane);
                means.add(y, &cells);
            }
        }
        all
    }

    fn difference(&self, other: &Self) -> f32 {
        let pairs = self.cells.iter().flatten().zip(other.cells.iter().flatten());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }
}

/// Returns the sum of as many values as there are weights, by these: in one order on every processor.
#[inline(always)]
fn product<L: Lanes>(values: &[f32], weights: &[f32]) -> f32 {
    let values = &values[..weights.len()];
    let (mut even, mut odd) = (L::splat(0.0), L::splat(0.0));
    let ((pairs, last), (weight_pairs, last_weights)) = (values.as_chunks::<{ 2 * LANES }>(), weights.as_chunks());
    for n in 0..pairs.len() {
        let weights: &[f32; 2 * LANES] = &weight_pairs[n];
        let ((values, _), (weights, _)) = (pairs[n].as_chunks(), weights.as_chunks());
        even = even.plus(L::load(&values[0]).times(L::load(&weights[0])));
        odd = odd.plus(L::load(&values[1]).times(L::load(&weights[1])));
    }
    let mut sums = [0.0; LANES];
    even.plus(odd).store(&mut sums);
    let mut sum = 0.0;
    for lane in sums {
        sum += lane;
    }
    for n in 0..last.len() {
        sum += last[n] * last_weights[n];
    }
    sum
}

/// Returns the mean of eight rows of so many values.
#[inline(always)]
pub(super) fn mean_of_rows(column: &[f32; LANES], rows: usize) -> f32 {
    let mut sum = 0.0;
    for value in &column[..rows] {
        sum += value;
    }
    #[expect(clippy::cast_precision_loss, reason = "eight at most")]
    let rows = rows as f32;
    sum / rows
}
