//! TIFFs: inks, floats and transparency that the general decoder does not take as they are.

use std::borrow::Cow;
use std::io::Cursor;
use std::ops::Range;

use fdeflate::{DecompressionError, Decompressor};
use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer, ImageDecoder as _};
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError, TiffFormatError};

use super::CraftError;
use super::color::{Inks, printed};
use super::picture::{Limits, PROFILE_BYTES_MAX, Picture, SAVE_AGAIN, Told, decoder_limits, refused};
use super::tiff_values::{ASSOCIATED_ALPHA, check_values, is_planar, number};
use crate::model::Size;

/// What `Compression` says of pixels that are packed as those of a PNG, now and in former times.
const DEFLATE: [u16; 2] = [8, 32_946];
/// What `Compression` says of pixels that are coded as a JPEG, now and in former times.
const JPEG: [u16; 2] = [7, 6];
/// What `FillOrder` says of bytes whose lowest bit comes first.
const LOWEST_BIT_FIRST: u16 = 2;
/// What `Compression` says of pixels that are not packed.
const UNPACKED: u16 = 1;
/// Floats up to this one are white in 8 bit.
const ABOVE_WHITE: f32 = 1.0 + 0.5 / 255.0;
/// Of so many floats one may be above white: highlights, and what a filter makes beside an edge.
const CLIPPED_ONE_IN: u64 = 100;
/// The bits of `NewSubfileType` of what is no page: a smaller picture of one, and what is transparent of one.
const NO_PAGE: u32 = 0b101;
/// So many pictures behind the first one are looked at for a page.
const LOOKED_AT_MAX: usize = 16;

/// Returns the size as it is stored, and how the picture is turned.
pub(super) fn header(bytes: &[u8]) -> Result<(Size, Orientation), CraftError> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(|error| wrong(&error))?;
    let (width, height) = decoder.dimensions().map_err(|error| wrong(&error))?;
    let turned =
        number(&mut decoder, Tag::Orientation).and_then(|value| Orientation::from_exif(value.try_into().ok()?));
    Ok((Size { width, height }, turned.unwrap_or(Orientation::NoTransforms)))
}

/// Returns where the pixels of a TIFF lie, from the first to the last of its pieces, and how many bytes a row of a piece
/// has; `None` for a row of packed pixels.
pub(super) fn pixels_at(bytes: &[u8]) -> Option<(Range<usize>, Option<usize>)> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).ok()?;
    let pieces = pieces(&mut decoder)?;
    let pixels = pieces.iter().map(|piece| piece.start).min()?..pieces.iter().map(|piece| piece.end).max()?;
    let height = decoder.dimensions().ok()?.1;
    let mut rows = |tag| decoder.find_tag_unsigned::<u32>(tag).ok()?;
    let rows = rows(Tag::TileLength).or_else(|| rows(Tag::RowsPerStrip)).unwrap_or(height).min(height);
    let is_packed = number(&mut decoder, Tag::Compression).is_some_and(|how| how != UNPACKED);
    let row = pieces.first()?.len().checked_div(usize::try_from(rows).ok()?).filter(|_| !is_packed);
    Some((pixels, row))
}

/// Returns where the strips or tiles of a TIFF lie.
fn pieces(decoder: &mut Decoder<Cursor<&[u8]>>) -> Option<Vec<Range<usize>>> {
    let mut numbers =
        |tags: [Tag; 2]| tags.into_iter().find_map(|tag| decoder.find_tag_unsigned_vec::<u64>(tag).ok()?);
    let starts = numbers([Tag::StripOffsets, Tag::TileOffsets])?;
    let lengths = numbers([Tag::StripByteCounts, Tag::TileByteCounts])?;
    let piece = |(start, length): (&u64, &u64)| {
        Some(usize::try_from(*start).ok()?..usize::try_from(start.saturating_add(*length)).ok()?)
    };
    starts.iter().zip(&lengths).map(piece).collect()
}

/// Returns a TIFF whose coded pixels have the highest bit of each byte first, as the library takes all of them to have.
/// A JPEG within one always has.
fn highest_bit_first(bytes: &[u8]) -> Result<Cow<'_, [u8]>, CraftError> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(|error| wrong(&error))?;
    let is_jpeg = number(&mut decoder, Tag::Compression).is_some_and(|how| JPEG.contains(&how));
    if number(&mut decoder, Tag::FillOrder) != Some(LOWEST_BIT_FIRST) || is_jpeg {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut pieces = pieces(&mut decoder).unwrap_or_default();
    pieces.sort_by_key(|piece| piece.start);
    let (mut bytes, mut done) = (bytes.to_vec(), 0);
    for piece in pieces {
        // Two pieces may share their bytes.
        let (start, end) = (piece.start.max(done), piece.end.min(bytes.len()));
        if start < end {
            bytes[start..end].iter_mut().for_each(|byte| *byte = byte.reverse_bits());
            done = end;
        }
    }
    Ok(Cow::Owned(bytes))
}

/// Checks the sums behind the pieces of a TIFF that is packed as a PNG is: the library stops where it has pixels enough,
/// and takes a hole of zeros for pixels.
fn check_sums(decoder: &mut Decoder<Cursor<&[u8]>>, bytes: &[u8], limits: &Limits) -> Result<(), CraftError> {
    if !number(decoder, Tag::Compression).is_some_and(|how| DEFLATE.contains(&how)) {
        return Ok(());
    }
    let mut left = usize::try_from(limits.memory_bytes_max).unwrap_or(usize::MAX);
    for (at, piece) in pieces(decoder).unwrap_or_default().into_iter().enumerate() {
        let cut = || CraftError::Truncated(format!("the TIFF's piece {at} is not there as a whole"));
        let packed = bytes.get(piece).ok_or_else(cut)?;
        match check_sum(packed, &mut left) {
            Ok(()) => (),
            Err(DecompressionError::InsufficientInput) => return Err(cut()),
            Err(why) => return Err(CraftError::Damaged(format!("the TIFF's piece {at} cannot be unpacked ({why:?})"))),
        }
    }
    Ok(())
}

/// Checks the sum behind packed bytes; those behind are no part of them. At most so many are unpacked.
fn check_sum(mut packed: &[u8], left: &mut usize) -> Result<(), DecompressionError> {
    const WINDOW_BYTES: usize = 32 << 10;
    let mut unpacked = vec![0; WINDOW_BYTES * 8];
    let (mut decompressor, mut end) = (Decompressor::new(), 0);
    while !decompressor.is_done() && *left > 0 {
        if end == unpacked.len() {
            unpacked.copy_within(end - WINDOW_BYTES.., 0);
            end = WINDOW_BYTES;
        }
        let (read, written) = decompressor.read(packed, &mut unpacked, end, true)?;
        packed = &packed[read..];
        end += written;
        *left = left.saturating_sub(written);
    }
    Ok(())
}

/// Returns whether a page follows the first one, which alone is decoded. What cannot be read is none.
fn has_more_pages(bytes: &[u8]) -> bool {
    let Ok(mut decoder) = Decoder::new(Cursor::new(bytes)) else { return false };
    for _ in 0..LOOKED_AT_MAX {
        if !decoder.more_images() || decoder.next_image().is_err() {
            return false;
        }
        let kind = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType).ok().flatten().unwrap_or(0);
        if kind & NO_PAGE == 0 {
            return true;
        }
    }
    false
}

/// Returns the colour profile of a TIFF and how its values are stored; `None` where nobody can tell.
pub(super) fn stored_colours(bytes: &[u8], limits: &Limits) -> Option<(Option<Vec<u8>>, ColorType)> {
    let (size, _) = header(bytes).ok()?;
    let bytes = &*highest_bit_first(bytes).ok()?;
    let mut decoder = limited(bytes, size, limits).ok()?;
    let icc = match decoder.get_tag_u8_vec(Tag::IccProfile) {
        Err(TiffError::FormatError(TiffFormatError::RequiredTagNotFound(_))) => None,
        read => Some(read.ok()?),
    };
    Some((icc, decoder.colortype().ok()?))
}

/// Decodes a TIFF.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Told, CraftError> {
    let (size, orientation) = header(bytes)?;
    let bytes = &*highest_bit_first(bytes)?;
    let mut decoder = limited(bytes, size, limits)?;
    check_sums(&mut decoder, bytes, limits)?;
    // One that is there and cannot be read is no profile, but it is not sRGB either: it is told.
    let icc = match decoder.get_tag_u8_vec(Tag::IccProfile) {
        Err(TiffError::FormatError(TiffFormatError::RequiredTagNotFound(_))) => None,
        read => Some(read.ok().filter(|icc| icc.len() <= PROFILE_BYTES_MAX).unwrap_or_default()),
    };
    let color = decoder.colortype().map_err(|error| wrong(&error))?;
    check_values(&mut decoder, color)?;
    let is_associated = number(&mut decoder, Tag::ExtraSamples) == Some(ASSOCIATED_ALPHA);
    let (mut picture, told) = match color {
        ColorType::CMYK(8 | 16) => (inks(&mut decoder, size, icc)?, None),
        ColorType::Gray(32) => {
            let (image, told) = grey_floats(&mut decoder, size)?;
            (Picture { image, icc }, told)
        }
        ColorType::Multiband { .. } => {
            let mut image = grey_with_alpha(&mut decoder, size)?;
            if is_associated {
                divide_by_alpha(&mut image);
            }
            (Picture { image, icc }, None)
        }
        _ => {
            let mut general =
                image::codecs::tiff::TiffDecoder::new(Cursor::new(bytes)).map_err(|error| refused(&error))?;
            general.set_limits(decoder_limits(limits)).map_err(|error| refused(&error))?;
            let mut image = DynamicImage::from_decoder(general).map_err(|error| refused(&error))?;
            if is_associated {
                divide_by_alpha(&mut image);
            }
            let (image, told) = without_floats(image)?;
            (Picture { image, icc }, told)
        }
    };
    picture.image.apply_orientation(orientation);
    let pages = has_more_pages(bytes).then(|| "it has more pages, and only the first one is taken".to_owned());
    let told: Vec<String> = pages.into_iter().chain(told).collect();
    Ok((picture, (!told.is_empty()).then(|| told.join("; "))))
}

fn wrong(error: &TiffError) -> CraftError {
    let text = super::on_one_line(&error);
    match error {
        TiffError::LimitsExceeded => CraftError::TooLarge(text),
        TiffError::UnsupportedError(_) => CraftError::Unsupported(format!("{text}; {SAVE_AGAIN}")),
        TiffError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => CraftError::Truncated(text),
        _ if text.contains("end of file") || text.contains("unexpected EOF") => CraftError::Truncated(text),
        _ => CraftError::Damaged(text),
    }
}

fn limited<'a>(bytes: &'a [u8], size: Size, limits: &Limits) -> Result<Decoder<Cursor<&'a [u8]>>, CraftError> {
    let mut own = tiff::decoder::Limits::default();
    let most = usize::try_from(limits.memory_bytes_max).unwrap_or(usize::MAX);
    // The deepest pixels that are decoded here have eight bytes.
    let pixels = usize::try_from(size.pixels().saturating_mul(8)).unwrap_or(usize::MAX);
    if pixels > most {
        return Err(CraftError::TooLarge(format!("{size} pixels take {pixels} bytes")));
    }
    // The library counts each byte of a profile as 32.
    own.decoding_buffer_size = pixels.max(PROFILE_BYTES_MAX * 32);
    own.intermediate_buffer_size = most - pixels;
    own.ifd_value_size = own.intermediate_buffer_size;
    Ok(Decoder::new(Cursor::new(bytes)).map_err(|error| wrong(&error))?.with_limits(own))
}

fn pixels(decoder: &mut Decoder<Cursor<&[u8]>>) -> Result<DecodingResult, CraftError> {
    if is_planar(decoder) {
        let what = "a TIFF whose channels lie one behind the other; save it again with interleaved channels";
        return Err(CraftError::Unsupported(what.to_owned()));
    }
    decoder.read_image().map_err(|error| wrong(&error))
}

/// The values were looked at before.
fn other_values() -> CraftError {
    CraftError::Defect("a TIFF has other values than it says".to_owned())
}

fn too_few() -> CraftError {
    CraftError::Damaged("the TIFF holds fewer pixels than it says".to_owned())
}

fn inks(decoder: &mut Decoder<Cursor<&[u8]>>, size: Size, icc: Option<Vec<u8>>) -> Result<Picture, CraftError> {
    let inks = match pixels(decoder)? {
        DecodingResult::U8(values) => Inks::Bytes(values),
        DecodingResult::U16(values) => Inks::Deep(values),
        _ => return Err(other_values()),
    };
    printed((size.width, size.height), &inks, icc)
}

fn grey_with_alpha(decoder: &mut Decoder<Cursor<&[u8]>>, size: Size) -> Result<DynamicImage, CraftError> {
    let Size { width, height } = size;
    let image = match pixels(decoder)? {
        DecodingResult::U8(values) => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLumaA8),
        DecodingResult::U16(values) => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLumaA16),
        _ => return Err(other_values()),
    };
    image.ok_or_else(too_few)
}

fn grey_floats(decoder: &mut Decoder<Cursor<&[u8]>>, size: Size) -> Result<(DynamicImage, Option<String>), CraftError> {
    let DecodingResult::F32(values) = pixels(decoder)? else { return Err(other_values()) };
    let told = check_range(&values, 1, 0)?;
    let values = values.into_iter().map(deep).collect();
    let image = ImageBuffer::from_raw(size.width, size.height, values).map(DynamicImage::ImageLuma16);
    let image = image.ok_or_else(too_few)?;
    Ok((image, told))
}

/// Refuses floats of which many are above white, and returns what there is to tell if a few are.
fn check_range(values: &[f32], colors: usize, alphas: usize) -> Result<Option<String>, CraftError> {
    let (mut count, mut above, mut most) = (0_u64, 0_u64, 0_f32);
    for pixel in values.chunks_exact(colors + alphas) {
        let (pixel, alpha) = pixel.split_at(colors);
        if alpha.iter().any(|alpha| *alpha <= 0.0) {
            continue;
        }
        count += colors as u64;
        for value in pixel.iter().filter(|value| **value > ABOVE_WHITE) {
            above += 1;
            most = most.max(*value);
        }
    }
    if above > count / CLIPPED_ONE_IN {
        return Err(CraftError::Unsupported(format!(
            "a TIFF of floats of a high dynamic range: {above} of its {count} values are above 1, which is white, up to \
             {most}; bring them to 0 to 1, and save it again in whole numbers of 8 or 16 bits"
        )));
    }
    Ok((above > 0)
        .then(|| format!("values above 1, which is white, are taken for white ({above} of {count}, up to {most})")))
}

/// Returns a float from 0 to 1 as 16 bits. Floats are the values of the picture's own curve, as the whole numbers are.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float ends at the bounds")]
fn deep(value: f32) -> u16 {
    (value * 65_535.0).round() as u16
}

fn without_floats(image: DynamicImage) -> Result<(DynamicImage, Option<String>), CraftError> {
    let (width, height) = (image.width(), image.height());
    let whole = |values: Vec<f32>| -> Vec<u16> { values.into_iter().map(deep).collect() };
    let (deep, told) = match image {
        DynamicImage::ImageRgb32F(floats) => {
            let told = check_range(&floats, 3, 0)?;
            let deep = ImageBuffer::from_raw(width, height, whole(floats.into_raw())).map(DynamicImage::ImageRgb16);
            (deep, told)
        }
        DynamicImage::ImageRgba32F(floats) => {
            let told = check_range(&floats, 3, 1)?;
            let deep = ImageBuffer::from_raw(width, height, whole(floats.into_raw())).map(DynamicImage::ImageRgba16);
            (deep, told)
        }
        other => return Ok((other, None)),
    };
    Ok((deep.expect("there are as many values as before"), told))
}

/// Takes away the opacity that the colours of a picture are multiplied by.
fn divide_by_alpha(image: &mut DynamicImage) {
    macro_rules! whole {
        ($pixels:expr, $value:ty) => {
            for pixel in $pixels.pixels_mut() {
                let [colors @ .., alpha] = &mut pixel.0;
                let (alpha, full) = (u32::from(*alpha), u32::from(<$value>::MAX));
                for color in colors.iter_mut().filter(|_| alpha > 0) {
                    let own = (u32::from(*color) * full + alpha / 2) / alpha;
                    *color = <$value>::try_from(own.min(full)).expect("at most the largest value");
                }
            }
        };
    }
    match image {
        DynamicImage::ImageLumaA8(pixels) => whole!(pixels, u8),
        DynamicImage::ImageLumaA16(pixels) => whole!(pixels, u16),
        DynamicImage::ImageRgba8(pixels) => whole!(pixels, u8),
        DynamicImage::ImageRgba16(pixels) => whole!(pixels, u16),
        DynamicImage::ImageRgba32F(pixels) => {
            for pixel in pixels.pixels_mut().filter(|pixel| pixel[3] > 0.0) {
                let alpha = pixel[3];
                pixel.0[..3].iter_mut().for_each(|color| *color /= alpha);
            }
        }
        _ => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::tiff_out::tiff_with;
    use crate::craft::tiff_values::OWN_ALPHA;
    use crate::craft::{srgb_profile, testing, with_fit_profile};
    use image::{Rgba, RgbaImage};
    use tiff::encoder::{TiffEncoder, colortype};

    /// Returns a TIFF of one row of these values, with tags of its own.
    macro_rules! tiff {
        ($color:ty, $width:expr, $values:expr, $tags:expr) => {{
            let mut bytes = Cursor::new(Vec::new());
            let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
            let mut out = encoder.new_image::<$color>($width, 1).unwrap();
            for (tag, data) in $tags {
                out.encoder().write_tag(tag, data).unwrap();
            }
            out.write_data($values).unwrap();
            bytes.into_inner()
        }};
    }

    const NO_TAGS: [(Tag, &[u8]); 0] = [];

    fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, CraftError> {
        super::decode(bytes, limits).map(|(picture, _)| picture)
    }

    fn image(bytes: &[u8]) -> DynamicImage {
        decode(bytes, &Limits::default()).unwrap().image
    }

    /// Returns a TIFF of one row in one strip, with tags of its own besides those that it needs.
    fn raw(width: u16, tags: &[(u16, Vec<u16>)], data: &[u8]) -> Vec<u8> {
        let mut tags = tags.to_vec();
        let length = u16::try_from(data.len()).unwrap();
        tags.extend([(256, vec![width]), (257, vec![1]), (273, vec![8]), (279, vec![length])]);
        tags.sort();
        with_tags(&tags, data)
    }

    /// Returns a TIFF of these tags, whose data begins at its eighth byte.
    fn with_tags(tags: &[(u16, Vec<u16>)], data: &[u8]) -> Vec<u8> {
        let directory_at = 8 + u32::try_from(data.len()).unwrap();
        let mut bytes = [b"II\x2a\0", &directory_at.to_le_bytes()[..], data].concat();
        let mut behind = bytes.len() + 2 + tags.len() * 12 + 4;
        let mut lists = Vec::new();
        bytes.extend(u16::try_from(tags.len()).unwrap().to_le_bytes());
        for (tag, values) in tags {
            let mut list: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            bytes.extend([tag.to_le_bytes(), 3_u16.to_le_bytes()].concat());
            bytes.extend(u32::try_from(values.len()).unwrap().to_le_bytes());
            if list.len() > 4 {
                bytes.extend(u32::try_from(behind).unwrap().to_le_bytes());
                behind += list.len();
                lists.append(&mut list);
            } else {
                list.resize(4, 0);
                bytes.extend(list);
            }
        }
        [bytes, vec![0; 4], lists].concat()
    }

    /// What the tags of a TIFF say of its channels: their kind, how many, and what the last ones are.
    const LAYOUTS: [(&str, u16, usize, &[u16]); 8] = [
        ("grey", 1, 1, &[]),
        ("grey and opacity", 1, 2, &[2]),
        ("RGB", 2, 3, &[]),
        ("RGB and opacity", 2, 4, &[2]),
        ("inks", 5, 4, &[]),
        ("inks and opacity", 5, 5, &[2]),
        ("YCbCr", 6, 3, &[]),
        ("Lab", 9, 3, &[]),
    ];

    /// Pixels came out mirrored, or a sound TIFF was called damaged.
    #[test]
    fn a_tiff_may_have_the_lowest_bit_of_its_bytes_first() {
        let mut deflate = fdeflate::Compressor::new(Vec::new()).unwrap();
        deflate.write_data(&[10, 20, 30]).unwrap();
        let deflated = deflate.finish().unwrap();
        // The compression, the coded pixels, bits, and what is seen.
        let rows: [(u16, &[u8], u16, &[u8]); 4] = [
            (1, &[10, 20, 30], 8, &[10, 20, 30]),
            (32_773, &[2, 10, 20, 30], 8, &[10, 20, 30]),
            (DEFLATE[0], &deflated, 8, &[10, 20, 30]),
            (1, &[0b1010_0000], 1, &[255, 0, 255]),
        ];
        for (compression, coded, bits, expected) in rows {
            for (order, coded) in [
                (None, coded.to_vec()),
                (Some(1), coded.to_vec()),
                (Some(2), coded.iter().map(|byte| byte.reverse_bits()).collect()),
            ] {
                let mut tags = vec![(258, vec![bits]), (259, vec![compression]), (262, vec![1]), (277, vec![1])];
                tags.extend(order.map(|order| (266, vec![order])));
                let found = image(&raw(3, &tags, &coded)).to_luma8().into_raw();
                assert_eq!(found, expected, "{compression}, {bits} bits, order {order:?}");
            }
        }
    }

    /// Strips may share their bytes, and a JPEG within a TIFF is as any other one.
    #[test]
    fn each_byte_is_turned_once_or_not_at_all() {
        let tags = [(258, vec![8]), (259, vec![1]), (262, vec![1]), (266, vec![2]), (277, vec![1])];
        let mut bytes = raw(4, &tags, &[1, 2, 3, 4]);
        let found = |bytes: &[u8]| highest_bit_first(bytes).unwrap()[8..12].to_vec();
        assert_eq!(found(&bytes), [128, 64, 192, 32]);
        let at = bytes.windows(12).position(|tag| tag == b"\x03\x01\x03\0\x01\0\0\0\x01\0\0\0").unwrap();
        for jpeg in JPEG {
            bytes[at + 8..at + 10].copy_from_slice(&jpeg.to_le_bytes());
            assert_eq!(found(&bytes), [1, 2, 3, 4], "{jpeg}");
        }
        let shared = [
            (256, vec![3]),
            (257, vec![3]),
            (258, vec![8]),
            (259, vec![1]),
            (262, vec![1]),
            (266, vec![2]),
            (273, vec![9, 8, 8]),
            (277, vec![1]),
            (278, vec![1]),
            (279, vec![3, 3, 3]),
        ];
        let bytes = with_tags(&shared, &[1, 2, 3, 4]);
        assert_eq!(found(&bytes), [128, 64, 192, 32]);
        assert_eq!(image(&bytes).to_luma8().into_raw(), [64, 192, 32, 128, 64, 192, 128, 64, 192]);
    }

    /// Colours of whole numbers of 32 bits were read as floats, and came out destroyed without a word.
    #[test]
    fn each_kind_of_values_is_read_as_it_is_or_refused() {
        let shares = [0.0, 0.25, 0.5, 1.0, 0.75];
        for (layout, photometric, channels, extra) in LAYOUTS {
            for bits in [1, 2, 4, 8, 12, 16, 24, 32, 64_u16] {
                // None is said, whole, signed, float, undefined, complex whole, complex float, and nobody knows.
                for numbers in [None, Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(9)] {
                    let row = format!("{layout}, {bits} bits, numbers {numbers:?}");
                    let bytes: Vec<u8> = match (bits, numbers) {
                        (8, _) => shares[..channels].iter().map(|share| deep(*share).to_be_bytes()[0]).collect(),
                        (16, _) => shares[..channels].iter().flat_map(|share| deep(*share).to_le_bytes()).collect(),
                        (32, Some(3)) => shares[..channels].iter().flat_map(|share| share.to_le_bytes()).collect(),
                        _ => vec![0x3f; 8 * channels],
                    };
                    let mut tags = vec![
                        (258, vec![bits; channels]),
                        (262, vec![photometric]),
                        (277, vec![u16::try_from(channels).unwrap()]),
                    ];
                    tags.extend(numbers.map(|numbers| (339, vec![numbers; channels])));
                    tags.extend((!extra.is_empty()).then(|| (338, extra.to_vec())));
                    tags.extend((layout == "YCbCr").then(|| (530, vec![1, 1])));
                    let is_read = matches!(
                        (layout, bits, numbers),
                        ("grey", 1, None | Some(1))
                            | (
                                "grey" | "grey and opacity" | "RGB" | "RGB and opacity" | "inks",
                                8 | 16,
                                None | Some(1)
                            )
                            | ("grey" | "RGB" | "RGB and opacity", 32, Some(3))
                    );
                    let read = decode(&raw(1, &tags, &bytes), &Limits::default());
                    if !is_read {
                        let told = read.map(drop).unwrap_err();
                        let is_told = told.to_string().contains("; save it again as");
                        assert!(matches!(told, CraftError::Unsupported(_)) && is_told, "{row}: {told}");
                        continue;
                    }
                    let found: Vec<u8> = match read.unwrap().image {
                        image if channels == 1 => image.to_luma8().into_raw(),
                        image if channels == 2 => image.to_luma_alpha8().into_raw(),
                        image if channels == 4 && layout != "inks" => image.to_rgba8().into_raw(),
                        image => image.to_rgb8().into_raw(),
                    };
                    let expected: &[u8] = match layout {
                        // All of it is black.
                        "inks" => &[0, 0, 0],
                        _ => &[0, 64, 128, 255][..channels],
                    };
                    let differs = |(found, expected): (&u8, &u8)| found.abs_diff(*expected) > 1;
                    let is_right = found.len() == expected.len() && !found.iter().zip(expected).any(differs);
                    assert!(is_right, "{row}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn channels_that_differ_are_refused() {
        let rows = [(258, vec![8, 8, 16]), (258, vec![5, 6, 5]), (339, vec![1, 1, 3]), (339, vec![3, 1, 1])];
        for (tag, values) in rows {
            let mut tags = vec![(258, vec![8; 3]), (262, vec![2]), (277, vec![3])];
            tags.retain(|(other, _)| *other != tag);
            tags.push((tag, values));
            let told = decode(&raw(1, &tags, &[9; 12]), &Limits::default()).map(drop).unwrap_err();
            assert!(matches!(told, CraftError::Unsupported(_)), "{tags:?}: {told}");
        }
    }

    /// The differences of two pixels were added to those of other channels.
    #[test]
    fn a_channel_without_a_meaning_is_left_out_and_no_colour_with_it() {
        let data = [10, 20, 30, 40, 1, 2, 3, 4];
        for (predictor, extra, expected) in
            [(1, 0, Some(vec![10, 20, 30, 1, 2, 3])), (2, 0, None), (2, 2, Some(vec![10, 20, 30, 11, 22, 33]))]
        {
            let tags = [(258, vec![8; 4]), (262, vec![2]), (277, vec![4]), (317, vec![predictor]), (338, vec![extra])];
            let read = decode(&raw(2, &tags, &data), &Limits::default());
            let Some(expected) = expected else {
                let told = read.map(drop).unwrap_err().to_string();
                assert!(told.ends_with("with a channel that is no colour; save it again without it"), "{told}");
                continue;
            };
            assert_eq!(read.unwrap().image.to_rgb8().into_raw(), expected, "{tags:?}");
        }
    }

    /// What was left of the colours under half opacity was taken for the colours, and was too dark.
    #[test]
    fn associated_transparency_is_taken_out() {
        let pixels =
            RgbaImage::from_fn(3, 1, |x, _| Rgba([[100, 50, 0, 128], [9, 9, 9, 0], [200, 90, 7, 255]][x as usize]));
        let mut bytes = tiff_with(&Picture { image: pixels.into(), icc: None }, &testing::packets()).unwrap();
        let apart = image(&bytes).to_rgba8();
        assert_eq!(apart.get_pixel(0, 0).0, [100, 50, 0, 128]);
        let at = bytes.windows(8).position(|tag| tag == b"\x52\x01\x03\0\x01\0\0\0").expect("ExtraSamples");
        bytes[at + 8] = 1;
        let pixels: Vec<[u8; 4]> = image(&bytes).to_rgba8().pixels().map(|pixel| pixel.0).collect();
        assert_eq!(pixels, [[199, 100, 0, 128], [9, 9, 9, 0], [200, 90, 7, 255]]);
    }

    /// They were refused as of an unknown colour.
    #[test]
    fn a_grey_tiff_may_be_transparent() {
        let told = |bytes: &[u8]| decode(bytes, &Limits::default()).map(drop).unwrap_err().to_string();
        let of = |photometric, extra: &[u16], data: &[u8]| {
            let mut tags = vec![(258, vec![8; 1 + extra.len()]), (262, vec![photometric])];
            tags.extend([(277, vec![1 + u16::try_from(extra.len()).unwrap()]), (338, extra.to_vec())]);
            raw(2, &tags, data)
        };
        let data = [100, 128, 7, 0];
        for (extra, expected) in [(OWN_ALPHA, data), (ASSOCIATED_ALPHA, [199, 128, 7, 0])] {
            let found = image(&of(1, &[extra], &data));
            assert_eq!(found.as_luma_alpha8().map(|image| image.as_raw().as_slice()), Some(&expected[..]), "{extra}");
        }
        // One that is no opacity, two channels, and grey the other way round.
        assert!(
            told(&of(1, &[0], &data))
                .contains("a TIFF of grey and 1 other channel(s) in whole numbers of 8 bits; save")
        );
        assert!(told(&of(1, &[2, 0], &[9; 6])).contains("a TIFF of grey and 2 other channel(s)"));
        assert!(told(&of(0, &[2], &data)).contains("save it again as a PNG or JPEG"));
    }

    /// Only the first page was taken, without a word.
    #[test]
    fn pages_are_told_from_what_belongs_to_a_page() {
        // `NewSubfileType` of each picture behind the first one; whether one of them is a page.
        let rows: [(&[Option<u32>], bool); 7] = [
            (&[], false),
            (&[None], true),
            (&[Some(0)], true),
            (&[Some(2)], true),
            (&[Some(1)], false),
            (&[Some(1), Some(4)], false),
            (&[Some(1), Some(2)], true),
        ];
        for (others, has_more) in rows {
            let mut bytes = Cursor::new(Vec::new());
            let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
            encoder.write_image::<colortype::Gray8>(2, 1, &[7, 9]).unwrap();
            for kind in others {
                let mut out = encoder.new_image::<colortype::Gray8>(1, 1).unwrap();
                if let Some(kind) = kind {
                    out.encoder().write_tag(Tag::NewSubfileType, *kind).unwrap();
                }
                out.write_data(&[5]).unwrap();
            }
            let bytes = bytes.into_inner();
            assert_eq!(has_more_pages(&bytes), has_more, "{others:?}");
            assert_eq!(image(&bytes).to_luma8().as_raw(), &[7, 9]);
        }
        // A chain that leads back to where it was, and one that leads nowhere.
        let mut bytes = tiff!(colortype::Gray8, 1, &[5], NO_TAGS);
        let first = u32::from_le_bytes(*bytes[4..].first_chunk().unwrap());
        let entries = u16::from_le_bytes(*bytes[first as usize..].first_chunk().unwrap());
        let next = first as usize + 2 + 12 * usize::from(entries);
        for target in [first, 4_000_000] {
            bytes[next..next + 4].copy_from_slice(&target.to_le_bytes());
            assert!(!has_more_pages(&bytes), "{target}");
        }
    }

    #[test]
    fn floats_are_values_of_their_own_curve() {
        let expected = [0, 32_768, 65_535, 65_535, 0, 0];
        let values = [0.0_f32, 0.5, 1.0, 1.001, -1.0, f32::NAN];
        let grey = image(&tiff!(colortype::Gray32Float, 6, &values, NO_TAGS));
        assert_eq!(grey.as_luma16().map(|grey| grey.as_raw().as_slice()), Some(&expected[..]));
        let colors = image(&tiff!(colortype::RGB32Float, 2, &values, NO_TAGS));
        assert_eq!(colors.as_rgb16().map(|colors| colors.as_raw().as_slice()), Some(&expected[..]));
    }

    /// All that is above white became white without a word: most of a picture of a high dynamic range.
    #[test]
    fn a_high_dynamic_range_is_refused_and_a_few_highlights_are_told() {
        // How many of 300 values are how large.
        let rows = [
            (0, 1.0, Ok(false)),
            (300, 1.001, Ok(false)),
            (1, 1.1, Ok(true)),
            (3, 60.0, Ok(true)),
            (4, 1.1, Err(())),
            (300, 255.0, Err(())),
            (4, f32::INFINITY, Err(())),
        ];
        for (count, above, expected) in rows {
            let values: Vec<f32> = (0..300).map(|at| if at < count { above } else { 0.9 }).collect();
            let mut with_alpha: Vec<f32> = Vec::new();
            values.chunks_exact(3).for_each(|pixel| with_alpha.extend([pixel, &[0.5]].concat()));
            // What nobody sees does not count, and neither does opacity.
            with_alpha.extend([1e9, 1e9, 1e9, 0.0]);
            with_alpha.extend([0.9, 0.9, 0.9, 255.0]);
            let tiffs = [
                tiff!(colortype::Gray32Float, 300, &values, NO_TAGS),
                tiff!(colortype::RGB32Float, 100, &values, NO_TAGS),
                tiff!(colortype::RGBA32Float, 102, &with_alpha, [(Tag::ExtraSamples, &[2_u16][..])]),
            ];
            for bytes in tiffs {
                let told = super::decode(&bytes, &Limits::default()).map(|(_, told)| told);
                let row = format!("{count} of {above}: {told:?}");
                match (told, expected) {
                    (Ok(told), Ok(is_told)) => {
                        assert_eq!(told.is_some(), is_told, "{row}");
                        assert!(told.is_none_or(|told| told.contains(&format!("({count} of 30"))), "{row}");
                    }
                    (Err(CraftError::Unsupported(told)), Err(())) => {
                        assert!(told.contains(&format!("are above 1, which is white, up to {above}; bring")), "{row}");
                    }
                    _ => panic!("{row}"),
                }
            }
        }
    }

    /// The library unpacks what it needs, and looks at no sum.
    #[test]
    fn a_hole_in_a_packed_tiff_is_found() {
        let pixels =
            RgbaImage::from_fn(300, 300, |x, y| Rgba([x, y, x * y, x + y].map(|value| value.to_le_bytes()[0])));
        let whole = tiff_with(&Picture { image: pixels.into(), icc: None }, &testing::packets()).unwrap();
        let pieces = pieces(&mut Decoder::new(Cursor::new(&whole[..])).unwrap()).unwrap();
        assert_eq!((pieces.len(), pieces[1].end), (2, whole.len()));
        let check = |bytes: &[u8]| decode(bytes, &Limits::default()).map(drop).map_err(|error| error.to_string());
        assert_eq!(check(&whole), Ok(()));
        let zeroed = |at: Range<usize>| {
            let mut bytes = whole.clone();
            bytes[at].fill(0);
            bytes
        };
        let (middle, end) = (pieces[0].start + 2000, whole.len());
        let cases = [
            (zeroed(middle..middle + 64), "it is damaged: the TIFF's piece 0 cannot be unpacked"),
            (zeroed(pieces[1].start + 1000..end), "it is cut off: the TIFF's piece 1 is not there as a whole"),
            (zeroed(end - 2..end), "it is damaged: the TIFF's piece 1 cannot be unpacked"),
            (whole[..end - 1].to_vec(), "it is cut off: the TIFF's piece 1 is not there as a whole"),
        ];
        for (bytes, told) in cases {
            let found = check(&bytes).unwrap_err();
            assert!(found.starts_with(told), "{found}");
        }
        // As it was written in former times.
        let mut old = whole.clone();
        let at = old.windows(10).position(|tag| tag == b"\x03\x01\x03\0\x01\0\0\0\x08\0").expect("Compression");
        old[at + 8..at + 10].copy_from_slice(&DEFLATE[1].to_le_bytes());
        assert_eq!(check(&old), Ok(()));
        old[middle..middle + 64].fill(0);
        assert!(check(&old).is_err());
    }

    #[test]
    fn inks_without_a_profile_are_ideal_and_one_that_cannot_be_used_is_told() {
        let values: [u8; 12] = [0, 0, 0, 0, 255, 0, 0, 0, 0, 128, 0, 128];
        let expected = [255, 255, 255, 0, 255, 255, 127, 63, 127];
        for (tags, is_told) in [
            (vec![], false),
            (vec![(Tag::IccProfile, &b"nonsense"[..])], true),
            (vec![(Tag::IccProfile, srgb_profile())], true),
        ] {
            let picture = decode(&tiff!(colortype::CMYK8, 3, &values, tags), &Limits::default()).unwrap();
            assert_eq!(picture.image.as_rgb8().map(|image| image.as_raw().as_slice()), Some(&expected[..]));
            let (picture, told) = with_fit_profile(picture);
            assert_eq!((told.is_some(), picture.icc.is_none()), (is_told, true));
        }
        let deep: Vec<u16> = values.iter().map(|value| u16::from(*value) * 257).collect();
        let image = image(&tiff!(colortype::CMYK16, 3, &deep, NO_TAGS));
        assert_eq!(image.as_rgb16().unwrap().get_pixel(1, 0).0, [0, 65_535, 65_535]);
    }
}
