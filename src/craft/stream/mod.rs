//! Pictures in another size, in strips of eight rows: neither the whole source nor the whole result is in memory.
//!
//! Source rows come as they are needed (`feed`), become planes of numbers (`planes`), a vertical and a horizontal pass make strips of the result
//! (`strips`, by the weights of `taps`), and these become rows (`rows`) or blocks of a JPEG (`jpeg`, `blocks`,
//! `entropy`). Bands of strips are made by several threads (`bands`). The code is plain arithmetic, compiled for several
//! processors (`cpu`): it gives the same bytes on each, and for any number of threads.

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
mod rows;
mod strips;
mod taps;

pub(super) use feed::Feed;
pub(super) use jpeg::{Coding, write_jpeg};
pub(super) use rows::in_size;

use super::CraftError;

/// How many rows are made at once.
const LANES: usize = 8;

/// Eight values, one below another.
type Column = [f32; LANES];

/// Returns how many rows of the result so many bands hold.
fn rows_done(bands: usize, rows: usize, height: u32) -> u32 {
    u32::try_from(bands * rows).unwrap_or(u32::MAX).min(height)
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
