use std::io::Cursor;

use image::codecs::{png, webp};
use image::{DynamicImage, ExtendedColorType, ImageEncoder};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use tiff::encoder::{Compression, TiffEncoder, colortype};
use tiff::tags::Tag;

use super::color::colored;
use super::{CraftError, Picture};
use crate::model::Format;

/// From this quality on, colour is kept at full resolution.
const FULL_COLOUR_FROM: u8 = 90;

/// What `ExtraSamples` of a TIFF says of colours that are not multiplied by their opacity.
const OWN_ALPHA: u16 = 2;

/// Writes a picture with its colour profile. JPEG has 8 bit and no transparency: flatten it first. JPEG and WebP are
/// never grey here: a grey picture for them must be in sRGB.
pub fn encode(picture: &Picture, format: Format, quality: u8) -> Result<Vec<u8>, CraftError> {
    match format {
        Format::Jpeg => jpeg(&*colored(picture)?, quality),
        Format::Png => {
            let mut bytes = Vec::new();
            let encoder =
                png::PngEncoder::new_with_quality(&mut bytes, png::CompressionType::Fast, png::FilterType::Adaptive);
            lossless(picture, &picture.image, encoder)?;
            Ok(bytes)
        }
        Format::Webp => {
            let picture = colored(picture)?;
            let image = if picture.image.color().has_alpha() {
                DynamicImage::from(picture.image.to_rgba8())
            } else {
                DynamicImage::from(picture.image.to_rgb8())
            };
            let mut bytes = Vec::new();
            lossless(&picture, &image, webp::WebPEncoder::new_lossless(&mut bytes))?;
            Ok(bytes)
        }
        Format::Tiff => tiff_with(picture, None),
    }
}

fn failed(error: &impl std::fmt::Display) -> CraftError {
    CraftError::Unsupported(format!("it cannot be written: {error}"))
}

fn lossless(picture: &Picture, image: &DynamicImage, mut encoder: impl ImageEncoder) -> Result<(), CraftError> {
    if let Some(icc) = &picture.icc {
        encoder.set_icc_profile(icc.clone()).map_err(|error| failed(&error))?;
    }
    let color = ExtendedColorType::from(image.color());
    encoder.write_image(image.as_bytes(), image.width(), image.height(), color).map_err(|error| failed(&error))
}

fn jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, CraftError> {
    let edge = |length: u32| {
        u16::try_from(length).map_err(|_| CraftError::TooLarge(format!("{length} pixels; a JPEG has 65535 at most")))
    };
    let (width, height) = (edge(picture.image.width())?, edge(picture.image.height())?);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    let sampling = if quality >= FULL_COLOUR_FROM { SamplingFactor::F_1_1 } else { SamplingFactor::F_2_2 };
    encoder.set_sampling_factor(sampling);
    if let Some(icc) = &picture.icc {
        encoder.add_icc_profile(icc).map_err(|error| failed(&error))?;
    }
    let written = match &picture.image {
        DynamicImage::ImageRgb8(image) => encoder.encode(image, width, height, ColorType::Rgb),
        other => encoder.encode(&other.to_rgb8(), width, height, ColorType::Rgb),
    };
    written.map_err(|error| failed(&error))?;
    Ok(bytes)
}

/// Writes a TIFF, with an XMP packet where there is one.
pub(super) fn tiff_with(picture: &Picture, xmp: Option<&str>) -> Result<Vec<u8>, CraftError> {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = TiffEncoder::new(&mut bytes).map_err(|error| failed(&error))?;
    let mut encoder = encoder.with_compression(Compression::Lzw).with_predictor(tiff::encoder::Predictor::Horizontal);
    // The library writes no grey with transparency.
    let own;
    let picture = if picture.image.color().has_alpha() {
        own = colored(picture)?;
        &*own
    } else {
        picture
    };
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
