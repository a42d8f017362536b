//! What a picture says beside its pixels of how it looks: its colour profile, what its channels are, and how it is turned.
//! All belong to what it shows.

use blake3::Hasher;
use image::metadata::Orientation;

use super::color::is_hashed_as_srgb;
use super::decode::png_orientation;
use super::picture::PROFILE_BYTES_MAX;
use super::webp::Chunk;
use super::{jpeg, png_color};

/// The most bytes of a file that are kept to read it from: a larger profile is ignored.
pub(super) const KEPT_BYTES_MAX: usize = 2 * PROFILE_BYTES_MAX;

/// Hashes what a JPEG says, or those of its segments that say it.
pub(super) fn jpeg(bytes: &[u8], hasher: &mut Hasher) {
    let icc = jpeg::profile(bytes).filter(|icc| !is_hashed_as_srgb(icc));
    unusual(hasher, icc, jpeg::orientation(bytes));
    if let Some(channels) = jpeg::other_channels(bytes) {
        named(hasher, b"channels", &[u8::from(channels == jpeg::Space::YCbCr)]);
    }
}

/// Hashes what a PNG says, or its header with those of its chunks that say it.
pub(super) fn png(bytes: &[u8], hasher: &mut Hasher) {
    unusual(hasher, png_color::unlike_srgb(bytes), png_orientation(bytes));
}

/// Hashes what a WebP says.
pub(super) fn webp(chunks: &[Chunk<'_>], hasher: &mut Hasher) {
    // Without a header first, a decoder reads the first chunk and no other.
    if chunks.first().is_some_and(|chunk| chunk.name == *b"VP8X") {
        let find = |name: &[u8; 4]| chunks.iter().find(|chunk| chunk.name == *name).map(|chunk| chunk.body);
        let icc =
            find(b"ICCP").filter(|icc| icc.len() <= PROFILE_BYTES_MAX && !is_hashed_as_srgb(icc)).map(<[u8]>::to_vec);
        unusual(hasher, icc, find(b"EXIF").and_then(Orientation::from_exif_chunk));
    }
}

/// Hashes only what makes a difference: sidecars and ledgers hold hashes of pictures that say nothing, or the usual.
fn unusual(hasher: &mut Hasher, colors: Option<Vec<u8>>, turned: Option<Orientation>) {
    if let Some(colors) = colors {
        named(hasher, b"colours", &colors);
    }
    if let Some(turned) = turned.filter(|turned| *turned != Orientation::NoTransforms) {
        named(hasher, b"turned", &[turned.to_exif()]);
    }
}

/// Hashes a part with its name and length, so that the same bytes in other parts have another hash.
pub(super) fn named(hasher: &mut Hasher, name: &[u8], body: &[u8]) {
    hasher.update(name).update(&(body.len() as u64).to_le_bytes()).update(body);
}
