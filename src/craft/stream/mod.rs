//! Pictures in another size, in strips of eight rows: neither the whole source nor the whole result is in memory.
//!
//! Source rows come as they are needed (`feed`), become planes of numbers (`planes`), a vertical and a horizontal pass
//! make strips of the result (`strips`, by the weights of `taps`), and these become rows (`rows`) or blocks of a JPEG
//! (`jpeg`, `blocks`, `entropy`; in several scans `progressive`, whose blocks are all in memory). Bands of strips are made
//! by several threads (`bands`). The code is plain arithmetic, compiled for several processors (`cpu`): it gives the same
//! bytes on each, and for any number of threads.

#![expect(clippy::inline_always, reason = "what is compiled for a processor must be inlined into one function")]

mod bands;
mod blocks;
mod cpu;
mod entropy;
mod feed;
mod jpeg;
mod lanes;
mod means;
mod planes;
mod progressive;
mod rows;
mod strips;
mod taps;

pub(super) use blocks::nearest_quality;
pub(super) use feed::{Feed, FeedRows};
pub(super) use jpeg::{Coding, write_jpeg};
pub(super) use rows::in_size;

use super::CraftError;
use crate::model::Size;

/// How many rows are made at once.
const LANES: usize = 8;

/// Eight values, one below another.
type Column = [f32; LANES];

/// Returns about how many bytes of a source of such pixels are at hand at most: the first window, and all bands that are
/// being made.
pub(super) fn window_bytes(from: Size, to: Size, threads: usize, pixel_bytes: u64) -> u64 {
    let unit_rows = reach(from, to) * u64::from(from.width) * pixel_bytes;
    let band = (feed::BAND_BYTES as u64).max(unit_rows);
    feed::WINDOW_PIXELS as u64 * pixel_bytes + bands::in_flight(threads) * band
}

/// Returns about how many bytes the planes of all threads and the bands of the result take.
pub(super) fn work_bytes(from: Size, to: Size, threads: usize) -> u64 {
    const PLANES_BYTES: u64 = 4 * 4;
    const RESULT_ROW_BYTES: u64 = 8;
    let planes = reach(from, to) * u64::from(from.width) * PLANES_BYTES;
    let result = (rows::BAND * LANES) as u64 * u64::from(to.width) * RESULT_ROW_BYTES;
    planes * threads.max(1) as u64 + result * bands::in_flight(threads)
}

/// Returns how many bytes all blocks of a JPEG take, which is in memory as a whole if it has several scans.
pub(super) fn block_bytes(to: Size) -> u64 {
    const COMPONENTS: u64 = 3;
    to.pixels() * COMPONENTS * size_of::<blocks::Block>() as u64 / (LANES * LANES) as u64
}

/// Returns about how many rows of the source the rows of a unit are made of, the filter's reach included.
fn reach(from: Size, to: Size) -> u64 {
    const ROWS: u64 = 2 * LANES as u64 + 6;
    (u64::from(from.height.div_ceil(to.height.max(1)).max(1)) * ROWS).min(from.height.into())
}

/// Returns how many rows of the result so many bands hold.
fn rows_done(bands: usize, rows: usize, height: u32) -> u32 {
    u32::try_from(bands * rows).unwrap_or(u32::MAX).min(height)
}

/// Adds a segment of a JPEG, of some parts.
fn segment(to: &mut Vec<u8>, marker: u8, parts: &[&[u8]]) {
    let body = parts.concat();
    to.extend([0xff, marker]);
    to.extend(u16::try_from(body.len() + 2).expect("a table is short").to_be_bytes());
    to.extend(body);
}

/// Returns what a write gave.
pub(super) fn written(result: std::io::Result<()>) -> Result<(), CraftError> {
    result.map_err(|error| unwritten(&error))
}

/// Returns what a failed write means.
pub(super) fn unwritten(error: &std::io::Error) -> CraftError {
    CraftError::Write(error.kind(), error.to_string())
}

#[cfg(test)]
mod tests;
