//! Pictures enlarged by a small neural net, on any processor: rows come in, and rows go out.
//!
//! A net is data (`net`): one that comes with stockmill (`span`, `embedded`, `weights`), or that somebody brought
//! (`brought`, `fuse`, `tensors`). Each of
//! its layers keeps the few rows (`rows`) that the next ones need, and all work four rows at a time (`line`): neither the
//! source nor the result is in memory as a whole, nor any layer. Wide pictures are worked in panels of columns (`panels`).
//! Threads (`crew`) follow each other through the layers
//! (`turns`), so that nothing is worked twice and the result does not depend on their number. The work itself is plain
//! code (`winograd`, `plain`, `activation`) over vectors (`vector`), compiled for several processors (`cpu`).

#![expect(clippy::inline_always, reason = "what is compiled for a processor must be inlined into one function")]
#![expect(clippy::needless_range_loop, reason = "loops over fixed arrays are unrolled, and read best by number")]

mod activation;
mod brought;
mod cpu;
mod crew;
mod embedded;
mod fuse;
mod line;
mod net;
mod panels;
mod pixels;
mod plain;
mod rows;
mod span;
mod tensors;
mod turns;
mod upscale;
mod vector;
mod weights;
mod winograd;

pub use brought::Brought;
pub(in crate::craft) use brought::COLUMN_BYTES_MAX;
pub use cpu::Cpu;
pub use net::Net;
pub use pixels::Scale;
pub use tensors::{NET_BYTES_MAX, NetError};
pub use upscale::{NextRow, Upscale, UpscaledRows};
pub use weights::WeightsError;

#[cfg(test)]
mod tests;
