//! Carries out what a plan asks for, in scratch: looks into sources, makes products. It never decides,
//! and nothing that it makes has a name in a stage until the vault commits it.

mod cost;
mod first_frame;
mod inside;
mod inspect;
mod products;

pub use cost::{Cost, cost};
pub use first_frame::names_video_node;
pub use inside::{Insides, Looking};
pub use inspect::inspect;
pub use products::make;

use crate::craft::CraftError;
use crate::vault::DiskError;

/// Limits on what one asset may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest file that is read into memory.
    pub file_bytes_max: u64,
    /// Limits on decoding.
    pub decode: crate::craft::Limits,
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
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
