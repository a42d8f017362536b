//! TIFFs, in strips that are compressed as their rows come.
//!
//! A TIFF says before its pixels, or at a place that is said before them, where each strip lies. What is written is
//! hashed as it goes and never written over, so all sizes are known before the first byte: a small picture's strips
//! are kept until then, and the rows of a large one are made twice, first for the sizes alone. That costs time and no
//! memory; strips without compression would cost twice the disk.

use image::{ColorType, DynamicImage};

use super::packets::Packets;
use super::{CraftError, Picture, on_one_line};
use crate::model::Size;

/// What is done with some rows: their channels side by side, of one byte each or of two, the higher one first.
pub(super) type Take<'a> = dyn FnMut(&[u8]) -> Result<(), CraftError> + 'a;

/// Up to this size strips are kept until all are there.
const KEPT_PIXELS_MAX: u64 = 1 << 23;
/// The bytes of a strip before it is compressed, about.
const STRIP_BYTES: usize = 256 << 10;
/// Where the directory lies: behind the header.
const DIRECTORY_AT: u32 = 8;

// What the tags say.
const DEFLATE: u16 = 8;
const BLACK_IS_ZERO: u16 = 1;
const RGB: u16 = 2;
const NO_UNIT: u16 = 1;
const HORIZONTAL: u16 = 2;
/// Colours that are not multiplied by their opacity.
const OWN_ALPHA: u16 = 2;
const WHOLE_NUMBERS: u16 = 1;

/// What a TIFF says of its pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) size: Size,
    pub(super) color: ColorType,
    pub(super) icc: Option<&'a [u8]>,
    pub(super) packets: Option<&'a Packets>,
}

/// Returns how often the rows of a picture of this size are made.
pub(super) fn passes(size: Size) -> u32 {
    if size.pixels() <= KEPT_PIXELS_MAX { 1 } else { 2 }
}

/// Returns how many bytes are kept of a picture of such pixels, at most.
pub(super) fn kept_bytes(size: Size, pixel_bytes: u64) -> u64 {
    if passes(size) == 1 { size.pixels() * pixel_bytes } else { 0 }
}

/// Writes a TIFF. `rows` hands over all of its rows, in each of one or two passes the same ones.
pub(super) fn write(
    head: &Head<'_>,
    passes: u32,
    mut rows: impl FnMut(&mut Take<'_>) -> Result<(), CraftError>,
    out: &mut Take<'_>,
) -> Result<(), CraftError> {
    let strips = Strips::of(head);
    let (mut sizes, mut kept) = (Vec::new(), Vec::new());
    let keeps = passes == 1;
    strips.each(&mut rows, |strip| {
        sizes.push(strip.len() as u64);
        kept.extend_from_slice(if keeps { strip } else { &[] });
        Ok(())
    })?;
    out(&directory(head, strips.rows, &sizes)?)?;
    if keeps {
        return out(&kept);
    }
    let mut sizes = sizes.into_iter();
    strips.each(&mut rows, |strip| match sizes.next() {
        Some(size) if size == strip.len() as u64 => out(strip),
        _ => Err(CraftError::Defect("the rows of a TIFF differ in their second pass".to_owned())),
    })
}

/// Returns a picture as a TIFF, with metadata.
pub(super) fn tiff_with(picture: &Picture, packets: &Packets) -> Result<Vec<u8>, CraftError> {
    let Picture { image, icc } = picture;
    let head = Head { size: picture.size(), color: image.color(), icc: icc.as_deref(), packets: Some(packets) };
    let mut bytes = Vec::new();
    let mut out = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    write(&head, passes(head.size), |take| whole(image, take), &mut out)?;
    Ok(bytes)
}

/// Hands over all rows of a picture.
fn whole(image: &DynamicImage, take: &mut Take<'_>) -> Result<(), CraftError> {
    if !is_deep(image.color()) {
        return take(image.as_bytes());
    }
    let high_first = |pair: &[u8; 2]| u16::from_ne_bytes(*pair).to_be_bytes();
    let mut pieces = image.as_bytes().chunks(STRIP_BYTES);
    pieces.try_for_each(|piece| take(&piece.as_chunks().0.iter().flat_map(high_first).collect::<Vec<u8>>()))
}

fn is_deep(color: ColorType) -> bool {
    color.bytes_per_pixel() / color.channel_count() == 2
}

/// How rows become strips.
struct Strips {
    /// How many rows each has, but for the last one.
    rows: u32,
    row_bytes: usize,
    channels: usize,
    is_deep: bool,
}

impl Strips {
    fn of(head: &Head<'_>) -> Self {
        let row_bytes = head.size.width as usize * usize::from(head.color.bytes_per_pixel());
        let rows = u32::try_from(STRIP_BYTES / row_bytes.max(1)).unwrap_or(u32::MAX).clamp(1, head.size.height.max(1));
        Self { rows, row_bytes, channels: head.color.channel_count().into(), is_deep: is_deep(head.color) }
    }

    /// Hands over each strip, compressed.
    fn each(
        &self,
        rows: &mut impl FnMut(&mut Take<'_>) -> Result<(), CraftError>,
        mut take: impl FnMut(&[u8]) -> Result<(), CraftError>,
    ) -> Result<(), CraftError> {
        let whole = self.row_bytes * self.rows as usize;
        let mut own = Vec::with_capacity(whole);
        rows(&mut |mut bytes| {
            while !bytes.is_empty() {
                let (begin, rest) = bytes.split_at(bytes.len().min(whole - own.len()));
                own.extend_from_slice(begin);
                bytes = rest;
                if own.len() == whole {
                    take(&self.packed(&own)?)?;
                    own.clear();
                }
            }
            Ok(())
        })?;
        if own.is_empty() { Ok(()) } else { take(&self.packed(&own)?) }
    }

    /// Returns rows as their differences from the pixel to the left, compressed.
    fn packed(&self, rows: &[u8]) -> Result<Vec<u8>, CraftError> {
        let mut differences = Vec::with_capacity(rows.len());
        for row in rows.chunks_exact(self.row_bytes) {
            if self.is_deep {
                let (values, _) = row.as_chunks::<2>();
                let left = std::iter::repeat_n(&[0; 2], self.channels).chain(values);
                let value = |pair: &[u8; 2]| u16::from_be_bytes(*pair);
                let pairs = values.iter().zip(left);
                differences.extend(pairs.flat_map(|(own, left)| value(own).wrapping_sub(value(left)).to_le_bytes()));
            } else {
                let (first, rest) = row.split_at(self.channels.min(row.len()));
                differences.extend_from_slice(first);
                differences.extend(rest.iter().zip(row).map(|(own, left)| own.wrapping_sub(*left)));
            }
        }
        let failed = |error: std::io::Error| CraftError::Unwritable(on_one_line(&error));
        let mut deflate = fdeflate::Compressor::new(Vec::with_capacity(rows.len() / 2)).map_err(failed)?;
        deflate.write_data(&differences).map_err(failed)?;
        deflate.finish().map_err(failed)
    }
}

/// The values of a tag.
enum Values<'a> {
    Bytes(&'a [u8]),
    Text(&'a str),
    /// Bytes that are counted by fours, as IPTC-IIM is, with zeros behind them.
    Fours(&'a [u8]),
    Shorts(Vec<u16>),
    Longs(Vec<u32>),
    Rational([u32; 2]),
    Undefined(&'a [u8]),
}

impl Values<'_> {
    /// Returns their type, how many they are, and their bytes.
    fn coded(&self) -> (u16, usize, Vec<u8>) {
        match self {
            Self::Bytes(bytes) => (1, bytes.len(), bytes.to_vec()),
            Self::Text(text) => (2, text.len() + 1, [text.as_bytes(), b"\0"].concat()),
            Self::Fours(bytes) => {
                let mut bytes = bytes.to_vec();
                bytes.resize(bytes.len().next_multiple_of(4), 0);
                (4, bytes.len() / 4, bytes)
            }
            Self::Shorts(values) => (3, values.len(), values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Self::Longs(values) => (4, values.len(), values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Self::Rational(parts) => (5, 1, parts.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Self::Undefined(bytes) => (7, bytes.len(), bytes.to_vec()),
        }
    }
}

/// Returns the bytes before the strips, which lie behind them one after another: header, directory, and the values
/// that are too long for it.
fn directory(head: &Head<'_>, strip_rows: u32, sizes: &[u64]) -> Result<Vec<u8>, CraftError> {
    // How long it is does not depend on where the strips lie.
    let length = coded(&tags(head, strip_rows, sizes, 0)?)?.len() as u64;
    coded(&tags(head, strip_rows, sizes, length)?)
}

/// Returns the tags, in their order, of a TIFF whose strips begin somewhere.
fn tags<'a>(
    head: &Head<'a>,
    strip_rows: u32,
    sizes: &[u64],
    mut at: u64,
) -> Result<Vec<(u16, Values<'a>)>, CraftError> {
    let mut offsets = Vec::with_capacity(sizes.len());
    for size in sizes {
        offsets.push(at);
        at += size;
    }
    let longs = |values: &[u64]| values.iter().map(|value| u32::try_from(*value)).collect::<Result<Vec<u32>, _>>();
    let (Ok(offsets), Ok(sizes), Ok(_)) = (longs(&offsets), longs(sizes), u32::try_from(at)) else {
        let Size { width, height } = head.size;
        let what = format!("{width}x{height} pixels take {at} bytes as a TIFF, which holds {}", u32::MAX);
        return Err(CraftError::TooLarge(format!("{what}; ask for fewer pixels, or for another format")));
    };
    let channels = usize::from(head.color.channel_count());
    let short = |value| Values::Shorts(vec![value]);
    let each = |value| Values::Shorts(vec![value; channels]);
    let long = |value| Values::Longs(vec![value]);
    let photometric = if head.color.has_color() { RGB } else { BLACK_IS_ZERO };
    let mut tags = vec![
        (256, long(head.size.width)),
        (257, long(head.size.height)),
        (258, each(if is_deep(head.color) { 16 } else { 8 })),
        (259, short(DEFLATE)),
        (262, short(photometric)),
        (273, Values::Longs(offsets)),
        (277, short(head.color.channel_count().into())),
        (278, long(strip_rows)),
        (279, Values::Longs(sizes)),
        (282, Values::Rational([1, 1])),
        (283, Values::Rational([1, 1])),
        (296, short(NO_UNIT)),
        (317, short(HORIZONTAL)),
    ];
    if head.color.has_alpha() {
        tags.push((338, short(OWN_ALPHA)));
    }
    tags.push((339, each(WHOLE_NUMBERS)));
    if let Some(packets) = head.packets {
        tags.extend(packets.texts().iter().map(|(tag, text)| (*tag, Values::Text(text))));
        tags.push((700, Values::Bytes(packets.xmp.as_bytes())));
        tags.push((33_723, Values::Fours(&packets.iim)));
    }
    tags.extend(head.icc.map(|icc| (34_675, Values::Undefined(icc))));
    tags.sort_by_key(|(tag, _)| *tag);
    Ok(tags)
}

/// Returns a header and a directory of these tags, with their values.
fn coded(tags: &[(u16, Values<'_>)]) -> Result<Vec<u8>, CraftError> {
    let long = |value: usize| {
        let long = u32::try_from(value).map_err(|_| CraftError::Unwritable("a tag of a TIFF is too long".to_owned()));
        long.map(u32::to_le_bytes)
    };
    let count = u16::try_from(tags.len()).expect("some tags");
    let values_at = DIRECTORY_AT as usize + 2 + tags.len() * 12 + 4;
    let mut bytes = [&b"II\x2a\0"[..], &DIRECTORY_AT.to_le_bytes(), &count.to_le_bytes()].concat();
    let mut behind: Vec<u8> = Vec::new();
    for (tag, values) in tags {
        let (kind, count, mut value) = values.coded();
        if value.len() > 4 {
            let at = long(values_at + behind.len())?;
            behind.append(&mut value);
            // Each begins at an even place.
            behind.resize(behind.len().next_multiple_of(2), 0);
            value = at.to_vec();
        }
        value.resize(4, 0);
        bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        bytes.extend([long(count)?, *value.first_chunk().expect("four bytes")].concat());
    }
    // No further page.
    bytes.extend([0; 4]);
    bytes.append(&mut behind);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{Limits, decode, srgb_profile, testing};
    use crate::model::Kind;

    /// Returns the tags of a TIFF with their types, and how many values each has.
    fn tags(bytes: &[u8]) -> Vec<(u16, u16, u32)> {
        let short = |at: usize| u16::from_le_bytes(*bytes[at..].first_chunk().unwrap());
        let long = |at: usize| u32::from_le_bytes(*bytes[at..].first_chunk().unwrap());
        (0..short(8).into()).map(|n| 10 + n * 12).map(|at| (short(at), short(at + 2), long(at + 4))).collect()
    }

    #[test]
    fn each_kind_of_pixels_comes_back_as_it_was() {
        let image = testing::gradient(137, 90).image;
        let images: [(DynamicImage, u32); 8] = [
            (image.to_luma8().into(), 1),
            (DynamicImage::ImageLuma16(image.to_luma16()), 1),
            (image.to_luma_alpha8().into(), 2),
            (DynamicImage::ImageLumaA16(image.to_luma_alpha16()), 2),
            (image.to_rgb8().into(), 3),
            (DynamicImage::ImageRgb16(image.to_rgb16()), 3),
            (image.to_rgba8().into(), 4),
            (DynamicImage::ImageRgba16(image.to_rgba16()), 4),
        ];
        for (image, channels) in images {
            for icc in [None, Some(srgb_profile().to_vec())] {
                let picture = Picture { image: image.clone(), icc };
                let bytes = tiff_with(&picture, &testing::packets()).unwrap();
                let back = decode(&bytes, Kind::Tiff, &Limits::default()).unwrap();
                assert_eq!((back.image, &back.icc), (image.clone(), &picture.icc), "{:?}", image.color());
                let found = tags(&bytes);
                assert!(found.is_sorted(), "{found:?}");
                let has = |tag, kind, count| found.contains(&(tag, kind, count));
                let icc_bytes = picture.icc.as_ref().map(|icc| u32::try_from(icc.len()).unwrap());
                assert!(
                    has(258, 3, channels) && has(339, 3, channels) && found.iter().any(|tag| tag.0 == 700),
                    "{found:?}"
                );
                assert!(has(305, 2, 10) && has(33_723, 4, 4), "{found:?}");
                assert_eq!(found.iter().any(|tag| tag.0 == 338), channels % 2 == 0);
                assert_eq!(icc_bytes.is_some_and(|count| has(34_675, 7, count)), picture.icc.is_some());
            }
        }
    }

    /// A picture was in memory as a whole, and its TIFF too.
    #[test]
    fn strips_are_kept_or_made_twice() {
        for (edge, passes) in [(2896, 1), (2897, 2)] {
            let row = |y: u32| (0..edge).map(move |x| (x / 9 + y / 7).to_le_bytes()[0]);
            let size = Size { width: edge, height: edge };
            let head = Head { size, color: ColorType::L8, icc: None, packets: None };
            let (mut bytes, mut made, mut longest) = (Vec::new(), 0, 0);
            let rows = |take: &mut Take<'_>| {
                made += 1;
                // Bands of rows that are no strips.
                (0..edge)
                    .step_by(100)
                    .try_for_each(|first| take(&(first..edge.min(first + 100)).flat_map(row).collect::<Vec<u8>>()))
            };
            let mut out = |piece: &[u8]| {
                longest = longest.max(piece.len());
                bytes.extend_from_slice(piece);
                Ok(())
            };
            write(&head, super::passes(size), rows, &mut out).unwrap();
            assert_eq!((made, u32::from(longest > STRIP_BYTES)), (passes, 2 - passes));
            let back = decode(&bytes, Kind::Tiff, &Limits::default()).unwrap().image.to_luma8();
            assert!(back.rows().zip(0..).all(|(found, y)| found.map(|pixel| pixel[0]).eq(row(y))), "{edge}");
        }
    }

    #[test]
    fn rows_that_differ_in_the_second_pass_are_a_defect() {
        let size = Size { width: 5000, height: 5000 };
        let head = Head { size, color: ColorType::L8, icc: None, packets: None };
        let mut value = 0_u8;
        let rows = |take: &mut Take<'_>| {
            value += 1;
            let row: Vec<u8> = (0..5000_u32).map(|x| (x * x).to_le_bytes()[0] % value).collect();
            (0..5000).try_for_each(|_| take(&row))
        };
        let made = write(&head, passes(head.size), rows, &mut |_| Ok(()));
        assert!(matches!(made, Err(CraftError::Defect(_))), "{made:?}");
    }

    #[test]
    fn one_of_more_than_four_gigabytes_is_refused() {
        let size = Size { width: 60_000, height: 60_000 };
        let head = Head { size, color: ColorType::Rgb8, icc: None, packets: None };
        for (strips, is_refused) in [(3, false), (4, true)] {
            let made = directory(&head, 1, &vec![1 << 30; strips]).map(drop).map_err(|error| error.to_string());
            assert_eq!(made.is_err(), is_refused, "{made:?}");
            let told = "it is too large: 60000x60000 pixels take 4294967";
            let hint = "as a TIFF, which holds 4294967295; ask for fewer pixels, or for another format";
            assert!(made.is_ok() || made.is_err_and(|why| why.starts_with(told) && why.ends_with(hint)));
        }
    }
}
