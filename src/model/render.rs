use std::fmt;

use serde::Deserialize;

use super::{Enhance, Format, Kind, Meta, Profile, Size, Upscaler};

/// What is made of a picture's pixels in one pass from its file to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Render {
    /// The size to bring it to; `None` leaves it as it is.
    pub size: Option<Size>,
    /// What enlarges it, where that size is larger.
    pub by: Upscaler,
    /// What is done for its look.
    pub enhance: Enhance,
    /// What is written.
    pub output: Output,
    /// How many threads may work on it at once; a picture is the same with any number of them.
    pub threads: usize,
}

impl Render {
    /// Returns the same pixels with other metadata; a picture between two stages has none.
    #[must_use]
    pub fn with_meta(&self, wanted: &Meta) -> Self {
        let mut render = self.clone();
        if let Output::Final { meta, .. } = &mut render.output {
            *meta = Some(wanted.clone());
        }
        render
    }
}

/// What a picture is written as.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Lossless PNG in its own depth and colours, as it lies between two stages.
    Master,
    /// One for a market, with metadata.
    Final {
        /// The format to write.
        format: Format,
        /// JPEG quality.
        quality: u8,
        /// How many bytes a JPEG is to have, where that matters: by another quality, if it must be.
        bytes: Option<ByteRange>,
        /// In which scans a JPEG is stored.
        scans: Scans,
        /// How finely the colours of a JPEG are stored; `None` leaves it to the quality.
        subsampling: Option<Subsampling>,
        /// The colour profile.
        profile: Profile,
        /// What shows through where the picture is transparent and the format is not.
        background: [u8; 3],
        /// What is embedded; `None` writes a picture that says nothing but its colours.
        meta: Option<Meta>,
    },
}

/// In which scans a JPEG is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scans {
    /// In one, row by row.
    #[default]
    Baseline,
    /// In several, from coarse to fine.
    Progressive,
}

/// How many bytes a file may have, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
}

impl ByteRange {
    /// Returns whether a file of so many bytes is within.
    pub fn holds(self, bytes: u64) -> bool {
        (self.min..=self.max).contains(&bytes)
    }

    /// Returns whether all that is within another range is within this one.
    pub fn contains(self, other: Self) -> bool {
        self.min <= other.min && other.max <= self.max
    }
}

/// How finely the colours of a JPEG are stored beside its brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subsampling {
    /// 4:4:4, in full.
    Full,
    /// 4:2:0, at half the width and half the height.
    Half,
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, u64::MAX) => write!(f, "at least {min} bytes"),
            (0 | 1, max) => write!(f, "at most {max} bytes"),
            (min, max) => write!(f, "{min} to {max} bytes"),
        }
    }
}

impl Output {
    /// Returns the format that is written.
    pub fn format(&self) -> Format {
        match self {
            Self::Master => Format::Png,
            Self::Final { format, .. } => *format,
        }
    }

    /// Returns what the file is by content.
    pub fn kind(&self) -> Kind {
        self.format().kind()
    }
}
