//! What a TIFF says of its values: which of them are read.

use std::io::Cursor;

use tiff::ColorType;
use tiff::decoder::Decoder;
use tiff::tags::{SampleFormat, Tag};

use super::CraftError;

/// What `ExtraSamples` says of colours that are multiplied by their opacity.
pub(super) const ASSOCIATED_ALPHA: u16 = 1;
/// What it says of opacity that they are not multiplied by.
pub(super) const OWN_ALPHA: u16 = 2;
/// What `PlanarConfiguration` says of colours that lie one behind the other.
const PLANAR: u16 = 2;
/// What `Predictor` says of values that are no differences.
const NO_PREDICTOR: u16 = 1;

/// Refuses values that are not read here. The library would take whole numbers of 32 bits for floats, and adds the
/// differences of pixels to the wrong ones if it leaves a channel out.
pub(super) fn check_values(decoder: &mut Decoder<Cursor<&[u8]>>, color: ColorType) -> Result<(), CraftError> {
    // The library refuses channels that differ in their bits or their numbers.
    let numbers = SampleFormat::from_u16_exhaustive(number(decoder, Tag::SampleFormat).unwrap_or(1));
    let is_read = match color {
        ColorType::Gray(1) => numbers == SampleFormat::Uint,
        ColorType::Gray(8 | 16) | ColorType::RGB(8 | 16) | ColorType::RGBA(8 | 16) | ColorType::CMYK(8 | 16) => {
            numbers == SampleFormat::Uint
        }
        ColorType::Multiband { bit_depth: 8 | 16, num_samples: 2 } => {
            numbers == SampleFormat::Uint && has_alpha(decoder)
        }
        ColorType::Gray(32) | ColorType::RGB(32) | ColorType::RGBA(32) => numbers == SampleFormat::IEEEFP,
        _ => false,
    };
    let refused = |what: &str| Err(CraftError::Unsupported(what.to_owned()));
    if !is_read {
        let (color, numbers, bits) = (named(color), numbers_named(numbers), color.bit_depth());
        return refused(&format!(
            "a TIFF of {color} in {numbers} of {bits} bits; save it again as grey or RGB in whole numbers of 8 or 16 bits"
        ));
    }
    let stored = number(decoder, Tag::SamplesPerPixel).unwrap_or(1);
    let is_of_differences = number(decoder, Tag::Predictor).is_some_and(|how| how != NO_PREDICTOR);
    if stored > color.num_samples() && is_of_differences && !is_planar(decoder) {
        return refused(
            "a TIFF of differences (`Predictor`) with a channel that is no colour; save it again without it",
        );
    }
    Ok(())
}

fn named(color: ColorType) -> String {
    match color {
        ColorType::Gray(_) => "grey".to_owned(),
        ColorType::RGB(_) => "RGB".to_owned(),
        ColorType::RGBA(_) => "RGB and opacity".to_owned(),
        ColorType::CMYK(_) => "inks".to_owned(),
        ColorType::CMYKA(_) => "inks and opacity".to_owned(),
        ColorType::YCbCr(_) => "YCbCr".to_owned(),
        ColorType::Lab(_) => "Lab".to_owned(),
        other => format!("grey and {} other channel(s)", other.num_samples() - 1),
    }
}

fn numbers_named(numbers: SampleFormat) -> &'static str {
    match numbers {
        SampleFormat::Uint => "whole numbers",
        SampleFormat::Int => "signed whole numbers",
        SampleFormat::IEEEFP => "floats",
        SampleFormat::Void => "numbers of an undefined kind",
        SampleFormat::Unknown(5 | 6) => "complex numbers",
        _ => "numbers of an unknown kind",
    }
}

/// Returns the first number of a tag.
pub(super) fn number(decoder: &mut Decoder<Cursor<&[u8]>>, tag: Tag) -> Option<u16> {
    decoder.find_tag_unsigned_vec::<u16>(tag).ok().flatten()?.first().copied()
}

/// Returns whether the channel behind the colours is opacity.
fn has_alpha(decoder: &mut Decoder<Cursor<&[u8]>>) -> bool {
    matches!(number(decoder, Tag::ExtraSamples), Some(ASSOCIATED_ALPHA | OWN_ALPHA))
}

/// Returns whether the channels lie one behind the other.
pub(super) fn is_planar(decoder: &mut Decoder<Cursor<&[u8]>>) -> bool {
    number(decoder, Tag::PlanarConfiguration) == Some(PLANAR)
}
