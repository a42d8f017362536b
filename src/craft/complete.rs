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

/// Returns where the longest run of zeros is that a copy which did not arrive whole may have left in the pixels of a
/// TIFF or BMP, and how long it is: no decoder can tell it from black. Packed pixels have no such run.
pub fn zeros(bytes: &[u8], kind: Kind) -> Option<Range<usize>> {
    let pixels = match kind {
        Kind::Tiff => tiff_in::pixels_at(bytes)?,
        Kind::Bmp => u32::from_le_bytes(*bytes.get(10..)?.first_chunk()?) as usize..bytes.len(),
        _ => return None,
    };
    let bytes = bytes.get(..pixels.end.min(bytes.len()))?;
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
        if run.len() > longest.len() {
            longest = run;
        }
    }
    (longest.len() >= PAGE_BYTES).then_some(longest)
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
            for (hole, is_seen) in [(20_000..24_096, true), (20_001..24_000, false), (9_999..60_000, true)] {
                let mut torn = whole.clone();
                torn[hole.clone()].fill(0);
                assert_eq!(zeros(&torn, kind), is_seen.then_some(hole), "{kind}");
            }
            let mut half = whole.clone();
            half[30_000..60_000].fill(0);
            assert!(zeros(&half, kind).is_some_and(|run| run.start == 30_000), "{kind}");
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
}
