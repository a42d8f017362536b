use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

use crate::craft::{self, CraftError, HEAD_BYTES, Stored, foreign, sniff};
use crate::make::{MakeError, survive};
use crate::model::{
    ByteRange, Enhance, Format, Kind, Output, Profile, Render, Scans, Size, Strength, Subsampling, Upscaler,
};
use crate::service::nets::NetFile;
use crate::vault::{ReadSeek, plain};

/// The largest file that is read: as much as the mill takes by default.
pub const CONVERTED_BYTES_MAX: u64 = 2048 << 20;

/// The longest edge that is made: a JPEG has no longer one.
const EDGE_MAX: u32 = 65_535;

/// What one picture becomes outside the mill, on the way that its pixels take in the mill.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// The size that it gets.
    pub resize: Resize,
    /// What enlarges it.
    pub by: Upscaler,
    /// The net of that, if somebody brought it.
    pub net: Option<Arc<NetFile>>,
    /// What is done for its look.
    pub enhance: Enhance,
    /// The format.
    pub format: Format,
    /// JPEG quality.
    pub quality: u8,
    /// How many bytes a JPEG is to have.
    pub bytes: Option<ByteRange>,
    /// In which scans a JPEG is stored.
    pub scans: Scans,
    /// How finely the colours of a JPEG are stored; `None` leaves it to the quality.
    pub subsampling: Option<Subsampling>,
    /// How many threads may work on it at once.
    pub threads: usize,
    /// The colour profile.
    pub profile: Profile,
    /// The colour behind transparent pixels.
    pub background: [u8; 3],
}

/// A size that follows from that of the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resize {
    /// As it is.
    Same,
    /// A factor on each edge.
    Scale(f64),
    /// Millions of pixels.
    Megapixels(f64),
    /// The longer edge, in pixels.
    LongEdge(u32),
}

/// Why a picture was not converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The content is not what it should be.
    #[error(transparent)]
    Content(#[from] MakeError),
    /// It would not have as many bytes as it is to have.
    #[error("{0}; ask for another size, or for other bounds")]
    Unfit(String),
    /// The neural net is of no use for it.
    #[error("{0}")]
    NotByNet(CraftError),
    /// The disk refused to give it.
    #[error("it cannot be read: {}", plain_reason(.0))]
    Unread(io::Error),
    /// The disk refused what was made of it.
    #[error("{0}")]
    Disk(#[from] io::Error),
}

/// A picture's file, wherever it lies.
pub type Input = Stored<Box<dyn ReadSeek>>;

/// Converts a picture, and writes it to `out`; returns what there is to tell of it.
pub fn convert(input: &mut Input, conversion: &Conversion, out: &mut dyn Write) -> Result<Vec<String>, ConvertError> {
    let bytes = input.head();
    let kind = kind_of(bytes)?;
    let from = craft::size(bytes, kind).map_err(MakeError::from)?;
    let to = conversion.resize.of(from);
    if to.pixels() > craft::Limits::default().pixels_max || to.width.max(to.height) > EDGE_MAX {
        let limits =
            format!("{EDGE_MAX} on an edge, and {} million in all", craft::Limits::default().pixels_max / 1_000_000);
        let what = format!("it has {from} pixels and would get {to}; at most {limits} are made; ask for less");
        return Err(MakeError::from(CraftError::TooLarge(what)).into());
    }
    let Conversion {
        by, enhance, format, quality, bytes: range, scans, subsampling, threads, profile, background, ..
    } = conversion.clone();
    let is_smaller = to.width <= from.width && to.height <= from.height && to != from;
    let without = (is_smaller && by != Upscaler::Lanczos)
        .then(|| "it is made smaller: by lanczos, since nothing is enlarged".to_owned());
    let by = if is_smaller { Upscaler::Lanczos } else { by };
    let output = Output::Final { format, quality, bytes: range, scans, subsampling, profile, background, meta: None };
    let render = Render { size: Some(to).filter(|to| *to != from), by, enhance, output, threads };
    let notes = zeros_in(bytes, kind).into_iter().chain(without).chain(unsharpened(from, to, enhance.sharpen));
    let limits = craft::Limits::default();
    let net = conversion.net.as_ref().map(|file| &file.brought.net);
    let made = survive(|| {
        Ok(input.decoded(|coded| craft::render_by(net, (coded, kind), &render, &limits, &craft::Untold, out)))
    });
    match made?.map_err(ConvertError::Unread)?.map_err(MakeError::from) {
        Err(MakeError::Content(why @ CraftError::NotByNet(_))) => Err(ConvertError::NotByNet(why)),
        Err(MakeError::Content(CraftError::Write(kind, why))) => Err(io::Error::new(kind, why).into()),
        made => {
            let made = made?;
            made.unfit.map_or_else(
                || Ok(notes.chain(made.remark).chain(made.encoded).collect()),
                |why| Err(ConvertError::Unfit(why)),
            )
        }
    }
}

/// Tells that nothing is sharpened, though that was asked for.
fn unsharpened(from: Size, to: Size, sharpen: Strength) -> Option<String> {
    let is_enlarged = to.width > from.width || to.height > from.height;
    (sharpen != Strength::Off && !is_enlarged)
        .then(|| format!("it is not sharpened, since it is not enlarged ({from} to {to})"))
}

/// Tells of zeros that a copy may have left which did not arrive whole; in the mill such a file waits.
fn zeros_in(bytes: &[u8], kind: Kind) -> Option<String> {
    let zeros = craft::zeros(bytes, kind)?;
    let (at, length) = (zeros.start, zeros.len());
    Some(format!(
        "{length} of its bytes are zeros (from byte {at} on), as in a file that was not copied whole; look at the result"
    ))
}

/// Returns the kind of a picture by its content.
fn kind_of(bytes: &[u8]) -> Result<Kind, MakeError> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let what = match sniff(head, "") {
        Some(kind) if kind.is_image() => return Ok(kind),
        _ if bytes.is_empty() => "it is empty".to_owned(),
        Some(kind) => format!("it is no picture but {kind}"),
        None => {
            foreign(head).map_or("it is no picture that stockmill knows".to_owned(), |what| format!("it is {what}"))
        }
    };
    Err(CraftError::Unsupported(format!("{what}; give a PNG, JPEG, WebP, TIFF, GIF or BMP")).into())
}

impl Resize {
    /// Returns the size that a picture gets, each edge rounded up as in the mill, and never of no pixels.
    fn of(self, from: Size) -> Size {
        let scale = match self {
            Self::Same => return from,
            Self::Scale(scale) => scale,
            Self::Megapixels(megapixels) => (megapixels / from.megapixels()).sqrt(),
            Self::LongEdge(pixels) => f64::from(pixels) / f64::from(from.width.max(from.height)),
        };
        Size { width: scaled(from.width, scale), height: scaled(from.height, scale) }
    }
}

/// Returns what went wrong with a file, for a person.
pub fn plain_reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "it is not there".to_owned(),
        ErrorKind::PermissionDenied => "it may not be used; change its permissions".to_owned(),
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => plain(error),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float that is too large stays u32::MAX")]
fn scaled(length: u32, scale: f64) -> u32 {
    ((f64::from(length) * scale - 1e-6).ceil() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_follows_from_the_source() {
        let cases = [
            ((1024, 1024), Resize::Same, (1024, 1024)),
            ((1024, 1024), Resize::Megapixels(4.2), (2050, 2050)),
            ((1000, 500), Resize::Scale(2.0), (2000, 1000)),
            ((1000, 500), Resize::Scale(0.25), (250, 125)),
            ((1000, 1), Resize::LongEdge(10), (10, 1)),
            ((1000, 500), Resize::LongEdge(4000), (4000, 2000)),
        ];
        for ((width, height), resize, expected) in cases {
            let to = resize.of(Size { width, height });
            assert_eq!((to.width, to.height), expected, "{resize:?}");
        }
    }
}
