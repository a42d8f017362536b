//! Pixels and metadata: decode, enlarge, colour, encode, XMP, what a 3D model names. Bytes in, bytes
//! out: never the disk, a clock or a log. Foreign bytes never cause a panic and never cost more than the limits.

mod appearance;
mod bleed;
mod by_program;
mod c2pa;
mod cbor;
mod color;
mod colours;
mod complete;
mod decode;
mod embed;
mod encode;
mod enlarge;
mod essence;
mod essence_writer;
mod exif;
mod fit;
mod foreign_xmp;
mod generated;
mod hues;
mod icc;
mod icc_in;
mod icc_public;
mod jpeg;
mod jpeg_in;
mod jpeg_quality;
mod jpeg_scan;
mod levels;
mod likeness;
mod memory;
mod model;
mod neural;
mod own_tags;
mod packets;
mod picture;
mod png_color;
mod png_in;
mod progress;
mod render;
mod sniff;
mod source;
mod source_look;
mod stored;
mod stream;
mod tiff_in;
mod tiff_out;
mod tiff_values;
mod turned;
mod webp;
mod whole;
mod xmp;
mod xmp_found;
mod xmp_text;

pub use by_program::Given;
pub use c2pa::c2pa;
pub use color::{flatten, grey_profile, in_own, srgb_profile, to_srgb, with_fit_profile};
pub use colours::colours;
pub use complete::zeros;
pub use decode::{decode, is_upright, size};
pub use embed::{Embedded, embed, embedded_xmp, stripped};
#[cfg(test)]
pub use encode::encode;
pub use essence::Watched;
pub use essence_writer::{EssenceWriter, essence};
pub use foreign_xmp::{read_foreign_xmp, read_xmp};
pub use generated::is_generated;
pub use jpeg_quality::jpeg_quality;
pub use memory::{check_memory, embed_memory, render_memory, render_passes};
pub use model::{personal_path, references};
pub use neural::{Brought, Cpu, NET_BYTES_MAX, Net, NetError, NextRow, Scale, Upscale, UpscaledRows, WeightsError};
pub use own_tags::own_tags;
pub use picture::{Limits, Picture};
pub use progress::{Progress, Stopped, Untold};
pub use render::{Rendered, render, render_by, render_given, write_for_program, written};
pub use sniff::{HEAD_BYTES, foreign, sniff};
pub use source::{check_picture, comes_in_rows};
pub use stored::{Coded, Stored, held_bytes, read_looks, read_whole};
pub use whole::{Edit, Private, check_whole, edited, hollow, length_with, measure, private, tagged, tagless};
pub use xmp::write_xmp;
pub use xmp_found::ForeignXmp;

/// What is wrong with a file's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CraftError {
    /// It ends too early.
    #[error("it is cut off: {0}; copy or generate it again")]
    Truncated(String),
    /// It is complete and wrong.
    #[error("it is damaged: {0}; copy or generate it again")]
    Damaged(String),
    /// It is more than the limits allow.
    #[error("it is too large: {0}")]
    TooLarge(String),
    /// It is animated.
    #[error("it is animated, and stockmill works on still pictures; export a single frame, or a video")]
    Animated,
    /// It is a video that shows nothing.
    #[error("it has no pictures that a player shows, so it is no video for a market; export it again with them")]
    NoPictures,
    /// Its format is not supported.
    #[error("it cannot be read: {0}")]
    Unsupported(String),
    /// A product differs from its source.
    #[error("the enlarged picture does not look like its source ({0}); the original is untouched")]
    LooksWrong(String),
    /// The neural net is of no use for it.
    #[error("the neural net cannot enlarge it: {0}")]
    NotByNet(String),
    /// What a program was to make of it is not there, or no picture, or not as large as it was to be.
    #[error("the program gave no picture: {0}")]
    NotGiven(String),
    /// What a program made of it is no picture of it.
    #[error("what the program gave is no picture of it: {0}")]
    NotByProgram(String),
    /// Its metadata cannot be read or written.
    #[error("its metadata cannot be used: {0}")]
    Metadata(String),
    /// Its format does not take what was made of it.
    #[error("what is made of it cannot be written in this format: {0}")]
    Unwritable(String),
    /// What was made of it cannot be written; how that failed, and what was said.
    #[error("what is made of it cannot be written: {1}")]
    Write(std::io::ErrorKind, String),
    /// The work on it was told to stop; nothing is wrong with it.
    #[error("the work on it was stopped")]
    Stopped,
    /// Stockmill itself failed on it.
    #[error("stockmill has a defect and failed on it ({0}): this is stockmill's fault, please report it with the file")]
    Defect(String),
}

impl From<Stopped> for CraftError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl CraftError {
    /// Returns whether the file may be complete later, because a program may still be writing it; an incomplete
    /// file may also be what uncovers a defect.
    pub fn may_be_incomplete(&self) -> bool {
        matches!(self, Self::Truncated(_) | Self::Damaged(_) | Self::Defect(_))
    }
}

/// Returns what a library says of an error on one line: it is told within a line of the log.
pub fn on_one_line(error: &impl std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Pictures for tests.
#[cfg(test)]
mod testing {
    use super::Picture;

    /// Returns metadata that say nothing.
    pub(super) fn packets() -> super::packets::Packets {
        super::packets::Packets::of(&crate::model::Meta::default()).expect("they are short")
    }

    /// Returns a picture with another value in every corner and some detail.
    pub(super) fn gradient(width: u32, height: u32) -> Picture {
        let scale = |at: u32, length: u32| u8::try_from(at * 255 / length).expect("a share of 255 is a byte");
        let image = image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([scale(x, width), scale(y, height), if (x / 7 + y / 5) % 2 == 0 { 40 } else { 90 }])
        });
        Picture { image: image.into(), icc: Some(super::srgb_profile().to_vec()) }
    }
}
