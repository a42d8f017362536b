//! What the fuzz targets share.

use stockmill::model::Kind;

/// The kinds whose pixels are read.
pub const PICTURES: [Kind; 6] = [Kind::Png, Kind::Jpeg, Kind::Webp, Kind::Gif, Kind::Tiff, Kind::Bmp];

/// Returns the parts of an input that lines of `====` divide.
pub fn parts(bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if line == b"====\n" {
            parts.push(&bytes[start..at]);
            start = at + line.len();
        }
        at += line.len();
    }
    parts.push(&bytes[start..]);
    parts
}
