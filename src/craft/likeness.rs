//! Whether an enlarged picture looks like its source, told row by row while it is made: both are compared in small cells,
//! so that a colour that shifts, a black or blank area, one that repeats another or lost its contrast, and a seam is seen.
//!
//! The limits are between what was measured of 828 sound results of photographs, drawn ones, text and noise, at restore 0,
//! 50 and 100, and of the same with a fault: a limit names the worst of the sound ones.

use std::collections::VecDeque;

use super::CraftError;
use crate::model::Size;

/// The edge of a cell, in pixels of the source.
const CELL: usize = 8;
/// How far the mean of a cell may be off, of 255: a net moves an edge by less than a pixel, and smooths noise.
const CELL_MAX: f32 = 16.0;
/// How far the mean of a channel of the whole picture may be off.
const CHANNEL_MAX: f64 = 4.0;
/// What is the contrast of a cell, as a standard deviation: noise has less; a pattern that has more is kept, by at least
/// 0.74, or the net paints it grey.
const CONTRAST_MIN: f32 = 32.0;
const CONTRAST_KEPT_MIN: f32 = 0.5;
/// How much more contrast a cell may have than the most of those around it in the source; sound ones have up to 16 more.
const CONTRAST_GAIN: f32 = 1.25;
const CONTRAST_ADDED: f32 = 32.0;
/// How much more all cells may have, in the mean; sound ones have up to 8 more.
const CONTRAST_ADDED_MEAN_MAX: f64 = 14.0;
/// What has less contrast shows a seam; so does what is neither black nor white, where none can be.
const FLAT_MAX: f32 = 16.0;
const GREY: std::ops::Range<f32> = 8.0..247.0;
/// How much brighter one cell is than its neighbour at a seam, where the source is not.
const SEAM_MIN: f32 = 1.5;
/// Of how many pairs along a line a seam can be told, and in how many of them it is there; by chance, in 1 of 2.
const SEAM_PAIRS_MIN: u32 = 4;
const SEAM_LINE_SHARE: u32 = 8;

/// The rows of a picture, and those of what is made of it.
pub(super) struct Likeness {
    channels: usize,
    source: Cells,
    result: Cells,
    /// The cells of the source that the result is not compared with yet.
    waiting: VecDeque<Vec<Shown>>,
    /// The cells of the source above those that are compared next.
    above: Vec<Shown>,
    seams: Seams,
    /// The sum of what all cells have more contrast.
    added: f64,
    /// The sum of the differences of all cells, by channel.
    off: Vec<f64>,
    /// How many cells were compared.
    compared: u32,
}

impl Likeness {
    /// Begins with a picture of so many channels, which becomes so many times as large.
    pub(super) fn new(size: Size, channels: usize, times: usize) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        Self {
            channels,
            source: Cells::new(width, height, channels, CELL),
            result: Cells::new(width * times, height * times, channels, CELL * times),
            waiting: VecDeque::new(),
            above: Vec::new(),
            seams: Seams::default(),
            added: 0.0,
            off: vec![0.0; channels],
            compared: 0,
        }
    }

    /// Takes the next row of the source.
    pub(super) fn add_source(&mut self, row: &[f32]) {
        self.waiting.extend(self.source.add(row));
    }

    /// Takes the next row of the result; refuses it where it is no picture of its source.
    pub(super) fn add_result(&mut self, row: &[f32]) -> Result<(), CraftError> {
        let Some(result) = self.result.add(row) else { return Ok(()) };
        let source = self.waiting.pop_front().expect("a net reads rows before it makes some of them");
        for (at, (from, to)) in source.iter().zip(&result).enumerate() {
            unlike(*from, *to, self.contrast_around(&source, at))
                .map_or(Ok(()), |why| Err(CraftError::LooksWrong(why)))?;
            self.added += f64::from(to.contrast - from.contrast);
            self.off[at % self.channels] += f64::from(to.mean - from.mean);
        }
        self.compared += u32::try_from(source.len() / self.channels).expect("a row of cells");
        let both = source.chunks_exact(self.channels).zip(result.chunks_exact(self.channels));
        let is_seam = self.seams.add(both.map(|(source, result)| shade(source, result)).collect());
        if is_seam || self.result.is_done() && self.seams.is_between_columns() {
            return Err(CraftError::LooksWrong("it has a seam, and its source has none there".to_owned()));
        }
        if self.result.is_done() {
            self.unlike_as_a_whole().map_or(Ok(()), |why| Err(CraftError::LooksWrong(why)))?;
        }
        self.above = source;
        Ok(())
    }

    /// Returns what is wrong with all of a result.
    fn unlike_as_a_whole(&self) -> Option<String> {
        let cells = f64::from(self.compared);
        let worst = self.off.iter().map(|off| off.abs() / cells).fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "a few channels")]
        let added = self.added / cells / self.channels as f64;
        match () {
            () if worst > CHANNEL_MAX => Some(format!("its colours shifted by {worst:.1} of 255")),
            () if added > CONTRAST_ADDED_MEAN_MAX => Some("all over it has a pattern that is not there".to_owned()),
            () => None,
        }
    }

    /// Returns the most contrast of a channel in a cell of the source and in those around it.
    fn contrast_around(&self, source: &[Shown], at: usize) -> f32 {
        let beside = [at.checked_sub(self.channels), Some(at), at.checked_add(self.channels)];
        let rows = [Some(source), Some(self.above.as_slice()), self.waiting.front().map(Vec::as_slice)];
        let cells =
            rows.into_iter().flatten().flat_map(|row| beside.into_iter().flatten().filter_map(|at| row.get(at)));
        cells.map(|cell| cell.contrast).fold(0.0, f32::max)
    }
}

/// Returns what is wrong with a cell of a result; `around` is the most contrast of the cells around its source.
fn unlike(source: Shown, result: Shown, around: f32) -> Option<String> {
    let off = result.mean - source.mean;
    match () {
        () if off.is_nan() => Some("it has values that are no numbers".to_owned()),
        () if off.abs() > CELL_MAX => Some(format!("a part of it differs by {:.0} of 255", off.abs())),
        () if source.contrast > CONTRAST_MIN && result.contrast < source.contrast * CONTRAST_KEPT_MIN => {
            let kept = result.contrast / source.contrast * 100.0;
            Some(format!("a part of it keeps {kept:.0} % of its contrast"))
        }
        () if result.contrast > around * CONTRAST_GAIN + CONTRAST_ADDED => {
            Some("a part of it has a pattern that is not there".to_owned())
        }
        () => None,
    }
}

/// What a cell shows of a channel.
#[derive(Debug, Clone, Copy)]
struct Shown {
    mean: f32,
    /// The standard deviation.
    contrast: f32,
}

/// Returns how much brighter a cell of a result is than that of its source, where a seam would show.
fn shade(source: &[Shown], result: &[Shown]) -> Option<f32> {
    #[expect(clippy::cast_precision_loss, reason = "a few channels")]
    let mean = |cell: &[Shown]| cell.iter().map(|channel| channel.mean).sum::<f32>() / cell.len() as f32;
    let is_flat = source.iter().all(|channel| channel.contrast < FLAT_MAX) && GREY.contains(&mean(source));
    is_flat.then(|| mean(result) - mean(source))
}

/// How much brighter cells are than their neighbours, where the source is not. A net errs here and there; what was put
/// together of parts that differ errs along a whole line.
#[derive(Default)]
struct Seams {
    /// The last row of cells.
    above: Vec<Option<f32>>,
    rows: usize,
    between_columns: Vec<Jumps>,
}

impl Seams {
    /// Takes the next row of cells; returns whether there is a seam above it.
    fn add(&mut self, row: Vec<Option<f32>>) -> bool {
        self.between_columns.resize(row.len() - 1, Jumps::default());
        for (jumps, pair) in self.between_columns.iter_mut().zip(row.windows(2)) {
            jumps.add(pair[0], pair[1]);
        }
        let mut above = Jumps::default();
        self.above.iter().zip(&row).for_each(|(above_it, cell)| above.add(*above_it, *cell));
        let is_seam = above.are_seam(row.len());
        self.above = row;
        self.rows += 1;
        is_seam
    }

    fn is_between_columns(&self) -> bool {
        self.between_columns.iter().any(|jumps| jumps.are_seam(self.rows))
    }
}

/// The pairs of cells along a line.
#[derive(Debug, Clone, Copy, Default)]
struct Jumps {
    pairs: u32,
    brighter: u32,
    darker: u32,
}

impl Jumps {
    fn add(&mut self, from: Option<f32>, to: Option<f32>) {
        let (Some(from), Some(to)) = (from, to) else { return };
        self.pairs += 1;
        self.brighter += u32::from(to - from > SEAM_MIN);
        self.darker += u32::from(from - to > SEAM_MIN);
    }

    /// Returns whether nearly all of a line of so many cells go the same way.
    fn are_seam(self, line: usize) -> bool {
        let is_told = self.pairs >= SEAM_PAIRS_MIN && (self.pairs * SEAM_LINE_SHARE) as usize >= line;
        is_told && self.brighter.max(self.darker) * 4 >= self.pairs * 3
    }
}

/// The cells of a picture, made of its rows.
struct Cells {
    width: usize,
    height: usize,
    channels: usize,
    edge: usize,
    /// How many rows were taken, and how many of them belong to the cells that are not complete.
    y: usize,
    open: usize,
    /// The sums of values and of their squares.
    sums: Vec<[f32; 2]>,
}

impl Cells {
    fn new(width: usize, height: usize, channels: usize, edge: usize) -> Self {
        let sums = vec![[0.0; 2]; Self::count(width, edge) * channels];
        Self { width, height, channels, edge, y: 0, open: 0, sums }
    }

    /// Returns how many cells a length has: what is less than half of one at its end belongs to the last one, since an edge
    /// that moves by less than a pixel is much of it.
    fn count(length: usize, edge: usize) -> usize {
        ((length + edge / 2) / edge).max(1)
    }

    fn is_done(&self) -> bool {
        self.y == self.height
    }

    /// Takes a row; returns a row of cells, channel by channel, once it is complete.
    fn add(&mut self, row: &[f32]) -> Option<Vec<Shown>> {
        let (edge, channels) = (self.edge, self.channels);
        let cells = Self::count(self.width, edge);
        for (at, sums) in self.sums.chunks_exact_mut(channels).enumerate() {
            let end = if at + 1 == cells { self.width } else { (at + 1) * edge };
            for pixel in row[at * edge * channels..end * channels].chunks_exact(channels) {
                for ([sum, squares], value) in sums.iter_mut().zip(pixel) {
                    *sum += value;
                    *squares += value * value;
                }
            }
        }
        (self.y, self.open) = (self.y + 1, self.open + 1);
        let is_last = self.y / edge >= Self::count(self.height, edge);
        if !self.is_done() && (is_last || !self.y.is_multiple_of(edge)) {
            return None;
        }
        let rows = std::mem::take(&mut self.open);
        let empty = vec![[0.0; 2]; self.sums.len()];
        let sums = std::mem::replace(&mut self.sums, empty);
        let shown = sums.into_iter().enumerate().map(|(at, [sum, squares])| {
            let at = at / channels;
            let columns = if at + 1 == cells { self.width - at * edge } else { edge };
            #[expect(clippy::cast_precision_loss, reason = "the pixels of a cell")]
            let pixels = (rows * columns) as f32;
            let mean = sum / pixels;
            Shown { mean, contrast: (squares / pixels - mean * mean).max(0.0).sqrt() }
        });
        Some(shown.collect())
    }
}

#[cfg(test)]
mod tests;
