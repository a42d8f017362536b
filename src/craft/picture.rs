use image::{ColorType, DynamicImage, ImageBuffer};

use super::CraftError;
use crate::model::Size;

/// Larger colour profiles are ignored.
pub(super) const PROFILE_BYTES_MAX: usize = 4 << 20;
/// The longest edge of a picture.
pub(super) const EDGE_MAX: u32 = 65_535;

/// What decoding one picture may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels.
    pub pixels_max: u64,
    /// The most memory for them.
    pub memory_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pixels_max: 400_000_000, memory_bytes_max: 2 << 30 }
    }
}

/// A decoded picture, upright.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Its pixels; grey, alpha and 16 bit are kept.
    pub image: DynamicImage,
    /// Its colour profile, if it has one.
    pub icc: Option<Vec<u8>>,
}

/// A picture, and what a person is told of how it was decoded.
pub(super) type Told = (Picture, Option<String>);

impl Picture {
    /// Returns its size.
    pub fn size(&self) -> Size {
        Size { width: self.image.width(), height: self.image.height() }
    }
}

/// Returns the image that samples make, which have one byte each, or two with the higher one first; `None` if they are
/// not as many as it has, or of another kind.
pub(super) fn image_of(color: ColorType, size: Size, bytes: Vec<u8>) -> Option<DynamicImage> {
    let Size { width, height } = size;
    let deep = || bytes.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect::<Vec<u16>>();
    match color {
        ColorType::L8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8),
        ColorType::La8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLumaA8),
        ColorType::Rgb8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8),
        ColorType::Rgba8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgba8),
        ColorType::L16 => ImageBuffer::from_raw(width, height, deep()).map(DynamicImage::ImageLuma16),
        ColorType::La16 => ImageBuffer::from_raw(width, height, deep()).map(DynamicImage::ImageLumaA16),
        ColorType::Rgb16 => ImageBuffer::from_raw(width, height, deep()).map(DynamicImage::ImageRgb16),
        ColorType::Rgba16 => ImageBuffer::from_raw(width, height, deep()).map(DynamicImage::ImageRgba16),
        _ => None,
    }
}

/// What helps where a picture is sound and nobody here reads it.
pub(super) const SAVE_AGAIN: &str = "save it again as a PNG or JPEG with another program";

/// Returns the limits for a decoder of the library.
pub(super) fn decoder_limits(limits: &Limits) -> image::Limits {
    let mut own = image::Limits::default();
    (own.max_image_width, own.max_image_height, own.max_alloc) =
        (Some(EDGE_MAX), Some(EDGE_MAX), Some(limits.memory_bytes_max));
    own
}

/// Returns what a decoder of the library found wrong.
pub(super) fn refused(error: &image::ImageError) -> CraftError {
    let text = super::on_one_line(&error);
    match error {
        image::ImageError::Limits(_) => CraftError::TooLarge(text),
        image::ImageError::Unsupported(_) => CraftError::Unsupported(format!("{text}; {SAVE_AGAIN}")),
        image::ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => CraftError::Truncated(text),
        _ if text.contains("end of file") || text.contains("unexpected EOF") => CraftError::Truncated(text),
        // What the library says is not for people, and helps whoever looks into it.
        _ => CraftError::Damaged(format!("its content does not fit together ({text})")),
    }
}
