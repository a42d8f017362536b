use super::CraftError;
use super::jpeg_scan::check_scans;
use super::webp::check_pixels;
use crate::model::Kind;

/// Where a PNG's chunks begin.
const PNG_HEAD_BYTES: usize = 8;
/// Where a GIF's table of colours begins.
const GIF_HEAD_BYTES: usize = 13;

/// Checks that all parts of a picture are there, as far as its format shows it: decoders tolerate missing ones.
/// Bytes behind its end are no part of it and no damage.
pub(super) fn check_complete(bytes: &[u8], kind: Kind, limits: &image::Limits) -> Result<(), CraftError> {
    let ends = |what: &str, is_whole: bool| {
        if is_whole { Ok(()) } else { Err(CraftError::Truncated(what.to_owned())) }
    };
    match kind {
        Kind::Jpeg => check_scans(bytes),
        Kind::Png => ends("the PNG has no end chunk", png_chunks(bytes).any(|chunk| chunk.name == *b"IEND")),
        Kind::Webp => check_pixels(bytes, limits),
        Kind::Gif => ends("the GIF has no end mark", gif_reaches_its_end(bytes).is_some()),
        _ => Ok(()),
    }
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
