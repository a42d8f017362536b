//! Whether an enlarged picture looks like its source, told row by row while it is made: both are compared in small cells,
//! so that a colour that shifts, a black or blank area, or one that repeats another is seen where it begins.

use std::collections::VecDeque;

use super::CraftError;
use crate::model::Size;

/// The edge of a cell, in pixels of the source.
const CELL: usize = 8;
/// How far the mean of a cell may be off, of 255: a net moves an edge by less than a pixel, and smooths noise.
const CELL_MAX: f32 = 16.0;
/// How far the mean of a channel of the whole picture may be off.
const CHANNEL_MAX: f64 = 4.0;

/// The rows of a picture, and those of what is made of it.
pub(super) struct Likeness {
    channels: usize,
    source: Cells,
    result: Cells,
    /// The cells of the source that the result is not compared with yet.
    waiting: VecDeque<Vec<f32>>,
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
        for (at, (source, result)) in source.iter().zip(&result).enumerate() {
            let off = result - source;
            if off.is_nan() || off.abs() > CELL_MAX {
                return Err(CraftError::LooksWrong(format!("a part of it differs by {:.0} of 255", off.abs())));
            }
            self.off[at % self.channels] += f64::from(off);
        }
        self.compared += u32::try_from(source.len() / self.channels).expect("a row of cells");
        if self.result.is_done() {
            let worst = self.off.iter().map(|off| off.abs() / f64::from(self.compared)).fold(0.0, f64::max);
            if worst > CHANNEL_MAX {
                return Err(CraftError::LooksWrong(format!("its colours shifted by {worst:.1} of 255")));
            }
        }
        Ok(())
    }
}

/// The means of the cells of a picture, made of its rows.
struct Cells {
    width: usize,
    height: usize,
    channels: usize,
    edge: usize,
    /// How many rows were taken.
    y: usize,
    sums: Vec<f32>,
}

impl Cells {
    fn new(width: usize, height: usize, channels: usize, edge: usize) -> Self {
        Self { width, height, channels, edge, y: 0, sums: vec![0.0; width.div_ceil(edge) * channels] }
    }

    fn is_done(&self) -> bool {
        self.y == self.height
    }

    /// Takes a row; returns the means of a row of cells, channel by channel, once it is complete.
    fn add(&mut self, row: &[f32]) -> Option<Vec<f32>> {
        let (edge, channels) = (self.edge, self.channels);
        for (cell, sums) in row.chunks(edge * channels).zip(self.sums.chunks_exact_mut(channels)) {
            for pixel in cell.chunks_exact(channels) {
                sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
            }
        }
        self.y += 1;
        if !self.y.is_multiple_of(edge) && !self.is_done() {
            return None;
        }
        let rows = (self.y - 1) % edge + 1;
        let empty = vec![0.0; self.sums.len()];
        let mut means = std::mem::replace(&mut self.sums, empty);
        for (at, mean) in means.iter_mut().enumerate() {
            let columns = edge.min(self.width - at / channels * edge);
            #[expect(clippy::cast_precision_loss, reason = "the pixels of a cell")]
            let pixels = (rows * columns) as f32;
            *mean /= pixels;
        }
        Some(means)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 21, height: 19 };
    const TIMES: usize = 3;

    /// A value of a picture that differs everywhere.
    fn value(x: usize, y: usize, channel: usize) -> f32 {
        f32::from(u8::try_from((x * 5 + y * 7 + channel * 40) % 200 + 20).unwrap())
    }

    /// Compares a picture with itself enlarged, after `change` changed that.
    fn compared(change: impl Fn(usize, usize, usize, f32) -> f32) -> Result<(), CraftError> {
        let (width, height) = (SIZE.width as usize, SIZE.height as usize);
        let mut likeness = Likeness::new(SIZE, 3, TIMES);
        for y in 0..height {
            let row: Vec<f32> = (0..width * 3).map(|at| value(at / 3, y, at % 3)).collect();
            likeness.add_source(&row);
        }
        for y in 0..height * TIMES {
            let made = |at: usize| value(at / 3 / TIMES, y / TIMES, at % 3);
            let row: Vec<f32> = (0..width * TIMES * 3).map(|at| change(at / 3, y, at % 3, made(at))).collect();
            likeness.add_result(&row)?;
        }
        Ok(())
    }

    #[test]
    fn what_is_no_picture_of_its_source_is_refused() {
        type Change = fn(usize, usize, usize, f32) -> f32;
        let cases: [(&str, Change, bool); 10] = [
            ("the same", |_, _, _, value| value, true),
            (
                "noise is gone",
                |x, y, _, value| value + f32::from(u8::try_from((x + y) % 2).unwrap()) * 16.0 - 8.0,
                true,
            ),
            ("a shade darker", |_, _, _, value| value - 3.0, true),
            ("all of it is darker", |_, _, _, value| value - 5.0, false),
            ("one channel shifts", |_, _, channel, value| value + if channel == 1 { 6.0 } else { 0.0 }, false),
            ("a black part", |x, y, _, value| if x < 20 && y < 20 { 0.0 } else { value }, false),
            ("a black corner", |x, y, _, value| if x > 48 && y > 48 { 0.0 } else { value }, false),
            ("a blank row of cells", |_, y, _, value| if (24..48).contains(&y) { 255.0 } else { value }, false),
            ("one part comes twice", |x, y, c, _| super::tests::value(x / TIMES % 8, y / TIMES, c), false),
            ("no numbers", |x, _, _, value| if x == 7 { f32::NAN } else { value }, false),
        ];
        for (what, change, is_like) in cases {
            let found = compared(change);
            assert_eq!(found.is_ok(), is_like, "{what}: {found:?}");
            assert!(found.is_ok() || matches!(found, Err(CraftError::LooksWrong(_))), "{what}");
        }
    }
}
