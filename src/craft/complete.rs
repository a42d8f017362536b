use std::ops::Range;

use super::CraftError;
use super::tiff_in;
use super::webp::check_pixels;
use crate::model::Kind;

/// Where a PNG's chunks begin.
const PNG_HEAD_BYTES: usize = 8;
/// Where a GIF's table of colours begins.
const GIF_HEAD_BYTES: usize = 13;

/// Checks that all parts of a picture are there, as far as its format shows it: decoders tolerate missing ones.
/// Bytes behind its end are no part of it and no damage. A JPEG is checked while it is decoded.
pub(super) fn check_complete(bytes: &[u8], kind: Kind, limits: &image::Limits) -> Result<(), CraftError> {
    let ends = |what: &str, is_whole: bool| {
        if is_whole { Ok(()) } else { Err(CraftError::Truncated(what.to_owned())) }
    };
    match kind {
        Kind::Png => ends("the PNG has no end chunk", png_chunks(bytes).any(|chunk| chunk.name == *b"IEND")),
        Kind::Webp => check_pixels(bytes, limits),
        Kind::Gif => ends("the GIF has no end mark", gif_reaches_its_end(bytes).is_some()),
        _ => Ok(()),
    }
}

/// So many zeros are a page of a disk that was never written.
const PAGE_BYTES: usize = 4096;
/// A disk and a network hold a file in blocks of a multiple of so many bytes.
const BLOCK_BYTES: usize = 512;
/// So many bytes a picture's own zeros may begin before a row does: those of a dark pixel.
const PIXEL_BYTES_LEAST: usize = 4;

/// Pixels in a file.
struct Raw {
    at: Range<usize>,
    /// How many bytes a row and a pixel have; `None` for packed ones.
    row: Option<(usize, usize)>,
}

/// Returns where the longest run of zeros is that a copy which did not arrive whole may have left in the pixels of a
/// TIFF or BMP, and how long it is: no decoder can tell it from black. Packed pixels have no such run.
pub fn zeros(bytes: &[u8], kind: Kind) -> Option<Range<usize>> {
    let raw = match kind {
        Kind::Tiff => tiff(bytes)?,
        Kind::Bmp => bmp(bytes)?,
        _ => return None,
    };
    let pixels = raw.at.start..raw.at.end.min(bytes.len());
    let bytes = bytes.get(..pixels.end)?;
    let (mut longest, mut at) = (0..0, pixels.start);
    // Each run of a page has one of these half pages whole.
    while let Some(half) = bytes.get(at..at + PAGE_BYTES / 2) {
        at += half.len();
        if half.iter().any(|byte| *byte != 0) {
            continue;
        }
        let before = bytes[pixels.start..at].iter().rev().take_while(|byte| **byte == 0).count();
        let behind = bytes[at..].iter().take_while(|byte| **byte == 0).count();
        let run = at - before..at + behind;
        at = run.end;
        let may_be_hole = run.len() >= PAGE_BYTES && raw.row.is_none_or(|row| is_hole(bytes, pixels.start, &run, row));
        if may_be_hole && run.len() > longest.len() {
            longest = run;
        }
    }
    (!longest.is_empty()).then_some(longest)
}

/// Returns whether zeros are none of a picture's own: a bar begins and ends with a row, and what is cut out has zeros
/// above and below, too. A hole begins and ends anywhere in a row, whatever the rows beside it show; one end of it may
/// lie in what is cut out, and the other is that of a block then.
fn is_hole(bytes: &[u8], start: usize, run: &Range<usize>, (row, pixel): (usize, usize)) -> bool {
    let [first, last] = [run.start, run.end].map(|at| (at - start) % row);
    let [begins_block, ends_block] = [run.start, run.end].map(|at| at.is_multiple_of(BLOCK_BYTES));
    let shows = |beside: Range<usize>| {
        let seen = &bytes[beside];
        seen.len() > pixel && seen.iter().filter(|byte| **byte != 0).count() > seen.len() / 4
    };
    let (head, tail) = (run.start..run.end.min(run.start - first + row), run.start.max(run.end - last)..run.end);
    let is_torn_off = first > 0 && run.start >= start + row && shows(head.start - row..head.end - row);
    let is_last = tail.end + row > bytes.len();
    let goes_on = !is_last && shows(tail.start + row..tail.end + row);
    // A line in a drawing is as thin as that, too.
    let is_line = run.len() < row && !begins_block && !ends_block;
    !is_line && (is_torn_off && (goes_on || is_last || begins_block) || goes_on && ends_block)
}

fn tiff(bytes: &[u8]) -> Option<Raw> {
    let (at, row) = tiff_in::pixels_at(bytes)?;
    let width = tiff_in::header(bytes).ok()?.0.width as usize;
    let row = row.filter(|row| *row > 0).map(|row| (row, (row / width.max(1)).max(PIXEL_BYTES_LEAST)));
    Some(Raw { at, row })
}

fn bmp(bytes: &[u8]) -> Option<Raw> {
    let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize);
    let at = number(10)?..bytes.len();
    let (head, width, bits, packing) = (number(14)?, number(18)?, number(28)? & 0xffff, number(30)?);
    // Pixels are packed in two ways, and the oldest header tells none.
    let is_packed = head < 40 || matches!(packing, 1 | 2);
    let bytes = width.checked_mul(bits)?.div_ceil(32).checked_mul(4)?;
    Some(Raw { at, row: (bytes > 0 && !is_packed).then(|| (bytes, (bits / 8).max(PIXEL_BYTES_LEAST))) })
}

/// A chunk of a PNG.
#[derive(Debug, Clone, Copy)]
pub(super) struct PngChunk<'a> {
    pub(super) name: [u8; 4],
    /// The whole chunk, with its length and check sum.
    pub(super) whole: &'a [u8],
}

/// Returns the chunks of a PNG that are all there, up to its end chunk.
pub(super) fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = PngChunk<'_>> {
    let mut rest = bytes.get(PNG_HEAD_BYTES..).unwrap_or_default();
    std::iter::from_fn(move || {
        let [a, b, c, d, name @ ..] = *rest.first_chunk::<8>()?;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let whole = rest.get(..length.checked_add(12)?)?;
        rest = if name == *b"IEND" { &[] } else { &rest[whole.len()..] };
        Some(PngChunk { name, whole })
    })
}

/// Walks through the blocks of a GIF to its end mark.
fn gif_reaches_its_end(bytes: &[u8]) -> Option<()> {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut rest = bytes.get(GIF_HEAD_BYTES + table(*bytes.get(10)?)..)?;
    loop {
        let (mark, behind) = rest.split_first()?;
        let mut blocks = match mark {
            0x3b => return Some(()),
            0x21 => behind.get(1..)?,
            0x2c => behind.get(10 + table(*behind.get(8)?)..)?,
            _ => return None,
        };
        while let Some((length @ 1.., behind)) = blocks.split_first() {
            blocks = behind.get(usize::from(*length)..)?;
        }
        rest = blocks.get(1..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{Picture, encode};
    use crate::model::Format;
    use std::io::Cursor;

    fn pixels_end(bytes: &[u8], kind: Kind) -> usize {
        if kind == Kind::Bmp { bytes.len() } else { tiff_in::pixels_at(bytes).unwrap().0.end }
    }

    /// The second half of a raw picture that did not arrive is black to every decoder.
    #[test]
    fn zeros_in_raw_pixels_are_seen() {
        let noise = image::RgbImage::from_fn(200, 100, |x, y| {
            image::Rgb([x, y, x ^ y].map(|value| u8::try_from(value % 255 + 1).unwrap()))
        });
        let (mut bmp, mut tiff) = (Cursor::new(Vec::new()), Cursor::new(Vec::new()));
        noise.write_to(&mut bmp, image::ImageFormat::Bmp).unwrap();
        noise.write_to(&mut tiff, image::ImageFormat::Tiff).unwrap();
        for (kind, whole) in [(Kind::Bmp, bmp.into_inner()), (Kind::Tiff, tiff.into_inner())] {
            assert_eq!(zeros(&whole, kind), None, "{kind}");
            let end = pixels_end(&whole, kind);
            for (hole, is_seen) in [
                // Blocks of a disk, a piece of a copy wherever it began, and all that did not arrive.
                (20_480..24_576, true),
                (20_001..24_100, true),
                (20_480..24_000, false),
                (9_999..60_000, true),
                (30_000..end, true),
            ] {
                let mut torn = whole.clone();
                torn[hole.clone()].fill(0);
                assert_eq!(zeros(&torn, kind), is_seen.then_some(hole), "{kind}");
            }
            // It is found by the header, which may be cut off.
            for cut in 0..200 {
                let _ = zeros(&whole[..cut], kind);
            }
        }
        let black = Picture { image: image::RgbImage::new(200, 100).into(), icc: None };
        for format in Format::ALL {
            assert_eq!(zeros(&encode(&black, format, 90).unwrap(), format.kind()), None, "packed as {format:?}");
        }
    }

    /// What is black or transparent in a picture itself begins and ends where a row does, or has the same above and below.
    #[test]
    fn zeros_of_a_picture_itself_are_none() {
        let lit = |x: u32, y: u32| [x, y, x ^ y].map(|value| u8::try_from(value % 255 + 1).unwrap());
        let clear = |is_clear: bool, x, y| {
            let [red, green, blue] = lit(x, y);
            image::Rgba(if is_clear { [0; 4] } else { [red, green, blue, 255] })
        };
        let bars = image::RgbImage::from_fn(1100, 300, |x, y| {
            image::Rgb(if (40..260).contains(&y) { lit(x, y) } else { [0; 3] })
        });
        let line = image::RgbImage::from_fn(1500, 90, |x, y| {
            image::Rgb(if y == 40 && (50..1450).contains(&x) { [0; 3] } else { lit(x, y) })
        });
        let disc = image::RgbaImage::from_fn(1200, 600, |x, y| {
            clear((x.abs_diff(600)).pow(2) + (y.abs_diff(300)).pow(2) > 250 * 250, x, y)
        });
        let block = image::RgbaImage::from_fn(1200, 600, |x, y| clear(!(300..900).contains(&x) || y > 400, x, y));
        let pictures: [(&str, image::DynamicImage); 4] =
            [("bars", bars.into()), ("a line", line.into()), ("a disc", disc.into()), ("a block", block.into())];
        for (name, picture) in pictures {
            let deep = if picture.color().has_alpha() {
                image::DynamicImage::ImageRgba16(picture.to_rgba16())
            } else {
                image::DynamicImage::ImageRgb16(picture.to_rgb16())
            };
            let rows = [
                (image::ImageFormat::Bmp, Kind::Bmp, &picture),
                (image::ImageFormat::Tiff, Kind::Tiff, &picture),
                (image::ImageFormat::Tiff, Kind::Tiff, &deep),
            ];
            for (format, kind, picture) in rows {
                let mut bytes = Cursor::new(Vec::new());
                picture.write_to(&mut bytes, format).unwrap();
                let mut bytes = bytes.into_inner();
                assert_eq!(zeros(&bytes, kind), None, "{name} in a {kind} as {:?}", picture.color());
                // And a hole in the middle of it is one, among all of them.
                let row = bytes.len() / picture.height() as usize;
                let middle = usize::midpoint(bytes.len(), row) / 512 * 512;
                bytes[middle..middle + 65_536].fill(0);
                assert!(zeros(&bytes, kind).is_some(), "{name} in a {kind} as {:?}", picture.color());
            }
        }
    }
}
