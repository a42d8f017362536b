use std::io::Cursor;

use image::{DynamicImage, ImageDecoder as _};

use super::CraftError;

/// A complete lossy picture needs one of its last bytes: each of 1,350 needed one of the last six, since encoders
/// write a little more than decoders read.
const LOSSY_SPARE_BYTES: usize = 8;
/// The same for lossless pixels and transparency: each of 1,710 needed the very last byte.
const LOSSLESS_SPARE_BYTES: usize = 4;

/// A chunk of a WebP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) name: [u8; 4],
    pub(super) body: &'a [u8],
}

/// Returns the chunks of a WebP, up to the end that its header names; bytes behind it are no part of it.
pub(super) fn chunks(bytes: &[u8]) -> Result<Vec<Chunk<'_>>, CraftError> {
    let short = || CraftError::Truncated("the WebP is shorter than its header says".to_owned());
    let (head, rest) = bytes.split_first_chunk::<12>().ok_or_else(short)?;
    let claimed = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
    let mut rest = rest.get(..claimed.saturating_sub(4)).ok_or_else(short)?;
    let mut chunks = Vec::new();
    while let Some(([a, b, c, d, length @ ..], behind)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes(*length) as usize;
        let body = behind.get(..length).ok_or_else(short)?;
        chunks.push(Chunk { name: [*a, *b, *c, *d], body });
        // A chunk of odd length has one byte more; some encoders leave it out at the end.
        rest = behind.get(length + length % 2..).unwrap_or_default();
    }
    Ok(chunks)
}

/// Returns a WebP of these chunks.
pub(super) fn join(chunks: &[Chunk<'_>]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for Chunk { name, body: content } in chunks {
        body.extend_from_slice(name);
        body.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
        body.extend_from_slice(content);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    [b"RIFF", &length[..], &body].concat()
}

/// Checks that a WebP needs its last bytes. Its codes have no check sum, and nearly every bit is a code: with a hole,
/// or with the end of another picture, it decodes to something else without an error. But then its pixels end before
/// the bytes do, or the bytes before the pixels.
pub(super) fn check_pixels(bytes: &[u8], limits: &image::Limits) -> Result<(), CraftError> {
    let chunks = chunks(bytes)?;
    for (at, chunk) in chunks.iter().enumerate() {
        let spare = match &chunk.name {
            b"VP8 " => LOSSY_SPARE_BYTES,
            b"VP8L" | b"ALPH" => LOSSLESS_SPARE_BYTES,
            _ => continue,
        };
        let decodes_without = |cut: usize| {
            let mut shorter = chunks.clone();
            shorter[at].body = &chunk.body[..chunk.body.len().saturating_sub(cut)];
            decodes(&join(&shorter), limits)
        };
        if (1..=spare).rev().all(decodes_without) {
            return Err(CraftError::Damaged("the WebP's pixels end before its bytes do".to_owned()));
        }
    }
    Ok(())
}

fn decodes(bytes: &[u8], limits: &image::Limits) -> bool {
    let decoder = image::codecs::webp::WebPDecoder::new(Cursor::new(bytes));
    let limited = decoder.and_then(|mut decoder| decoder.set_limits(limits.clone()).map(|()| decoder));
    limited.and_then(DynamicImage::from_decoder).is_ok()
}
