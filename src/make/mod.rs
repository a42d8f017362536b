//! Carries out what a plan asks for, in scratch: looks into sources, makes products. It never decides,
//! and nothing that it makes has a name in a stage until the vault commits it.

mod cost;
mod external;
mod first_frame;
mod glance;
mod inside;
mod inspect;
mod kept;
mod parts;
mod personal;
mod products;
mod program;
mod quality;
mod sidecars;

pub use cost::{Cost, cost};
pub use first_frame::names_video_node;
pub use glance::glance;
pub use inside::{Insides, Looking};
pub use inspect::{
    Measured, OwnRecords, inspect, inspect_bundled, lies_in_archive, measure, read_records, seems_in_archive,
};
pub use products::{make, prove};
pub use program::{HELPER, NOT_RUN, NOT_RUN_SAYS};
pub use quality::came_out;

use std::io::Read as _;
use std::sync::Arc;

use crate::craft::{self, CraftError, on_one_line};
use crate::model::{CommandLine, RelPath};
use crate::vault::{DiskError, DiskResult, ReadSeek};

/// Limits on what one asset may cost, and what there is to make of it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest file that is read into memory.
    pub file_bytes_max: u64,
    /// Limits on decoding.
    pub decode: crate::craft::Limits,
    /// The program that enlarges pictures, if one is set.
    pub command: Option<Arc<CommandLine>>,
}

/// Runs work on one asset so that a panic in a decoder costs that asset alone. It is told as a defect of stockmill:
/// the file may be sound.
pub fn survive<T>(work: impl FnOnce() -> Result<T, MakeError>) -> Result<T, MakeError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(CraftError::Defect(on_one_line(&text.unwrap_or("a panic without a text"))).into())
    })
}

/// Why something could not be made. The source is untouched.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The content is not what it should be.
    #[error(transparent)]
    Content(#[from] CraftError),
    /// The asset's own sidecar cannot be read.
    #[error("its sidecar `{path}` cannot be read: {source}")]
    Sidecar {
        /// The sidecar.
        path: crate::model::RelPath,
        /// What is wrong with it.
        source: crate::records::RecordError,
    },
    /// A foreign XMP sidecar of it cannot be read, so that nobody can tell what it says.
    #[error("`{path}` says nothing that can be read ({source}); correct it or remove it")]
    Xmp {
        /// The XMP sidecar.
        path: crate::model::RelPath,
        /// What is wrong with it.
        source: CraftError,
    },
    /// What was made is not what later steps of its plan were decided on: they are decided once it lies there.
    #[error("{0}")]
    Unforeseen(String),
    /// No quality gives it as many bytes as a market takes: it is decided on anew.
    #[error("{why}")]
    Unfit {
        /// How many those are.
        range: crate::model::ByteRange,
        /// Why, with figures.
        why: String,
    },
    /// The program that was to enlarge it did not do its work: it may do so another time.
    #[error("{0}")]
    Program(String),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Returns the first bytes of a file, from which it is seen what it is.
fn head(opened: &mut dyn ReadSeek, path: &RelPath, length: u64) -> DiskResult<Vec<u8>> {
    let wanted = length.min(craft::HEAD_BYTES as u64);
    let mut head = Vec::with_capacity(usize::try_from(wanted).unwrap_or(0) + 1);
    let mut start = opened.take(craft::HEAD_BYTES as u64);
    start.read_to_end(&mut head).map_err(unread(path))?;
    Ok(head)
}

/// Returns what the disk said when a file was read.
fn unread(path: &RelPath) -> impl FnOnce(std::io::Error) -> DiskError {
    |source| DiskError { call: "read", path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file was called damaged, and a person was asked to copy or generate it again.
    #[test]
    fn a_panic_is_told_as_a_defect_of_stockmill() {
        let told = |work: fn() -> Result<(), MakeError>| survive(work).map_err(|error| error.to_string());
        let defect = |text: &str| {
            Err(format!(
                "stockmill has a defect and failed on it ({text}): this is stockmill's fault, please report it with the file"
            ))
        };
        assert_eq!(told(|| panic!("no such table")), defect("no such table"));
        assert_eq!(told(|| panic!("no\nsuch  table")), defect("no such table"));
        assert_eq!(told(|| panic!("table {}", "7")), defect("table 7"));
        assert_eq!(told(|| std::panic::panic_any(7)), defect("a panic without a text"));
        assert_eq!(told(|| Ok(())), Ok(()));
    }
}
