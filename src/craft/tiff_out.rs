use std::borrow::Cow;
use std::io::Cursor;

use image::DynamicImage;
use tiff::encoder::{Compression, TiffEncoder, colortype};
use tiff::tags::Tag;

use super::color::colored;
use super::{CraftError, Picture, on_one_line};

/// What `ExtraSamples` says of colours that are not multiplied by their opacity.
const OWN_ALPHA: u16 = 2;

fn failed(error: &impl std::fmt::Display) -> CraftError {
    CraftError::Unwritable(on_one_line(error))
}

/// Writes a TIFF, with an XMP packet where there is one.
pub(super) fn tiff_with(picture: &Picture, xmp: Option<&str>) -> Result<Vec<u8>, CraftError> {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = TiffEncoder::new(&mut bytes).map_err(|error| failed(&error))?;
    let mut encoder = encoder.with_compression(Compression::Lzw).with_predictor(tiff::encoder::Predictor::Horizontal);
    // The library writes no grey with transparency.
    let picture = if picture.image.color().has_alpha() { colored(picture)? } else { Cow::Borrowed(picture) };
    let image = &picture.image;
    let (width, height) = (image.width(), image.height());
    macro_rules! write {
        ($color:ty, $pixels:expr) => {{
            let mut out = encoder.new_image::<$color>(width, height).map_err(|error| failed(&error))?;
            for (tag, data) in [(Tag::IccProfile, picture.icc.as_deref()), (Tag::Unknown(700), xmp.map(str::as_bytes))]
            {
                if let Some(data) = data {
                    out.encoder().write_tag(tag, data).map_err(|error| failed(&error))?;
                }
            }
            if image.color().has_alpha() {
                out.encoder().write_tag(Tag::ExtraSamples, &[OWN_ALPHA][..]).map_err(|error| failed(&error))?;
            }
            out.write_data($pixels).map_err(|error| failed(&error))?;
        }};
    }
    match image {
        DynamicImage::ImageLuma8(pixels) => write!(colortype::Gray8, pixels),
        DynamicImage::ImageLuma16(pixels) => write!(colortype::Gray16, pixels),
        DynamicImage::ImageRgb8(pixels) => write!(colortype::RGB8, pixels),
        DynamicImage::ImageRgb16(pixels) => write!(colortype::RGB16, pixels),
        DynamicImage::ImageRgba16(pixels) => write!(colortype::RGBA16, pixels),
        other => write!(colortype::RGBA8, &other.to_rgba8()),
    }
    Ok(bytes.into_inner())
}
