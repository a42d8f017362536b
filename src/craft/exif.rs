//! EXIF blocks (Exif 2.32, CIPA DC-008): what a picture is, and its texts.

use image::metadata::Orientation;

use crate::model::Size;

pub(super) const DESCRIPTION: u16 = 0x010e;
pub(super) const SOFTWARE: u16 = 0x0131;
pub(super) const ARTIST: u16 = 0x013b;
pub(super) const COPYRIGHT: u16 = 0x8298;
/// The most bytes of a text: all of a block must fit into a JPEG's segment.
pub(super) const TEXT_BYTES_MAX: usize = 2000;

const ORIENTATION: u16 = 0x0112;
const X_RESOLUTION: u16 = 0x011a;
const Y_RESOLUTION: u16 = 0x011b;
const RESOLUTION_UNIT: u16 = 0x0128;
const YCBCR_POSITIONING: u16 = 0x0213;
const EXIF_DIRECTORY: u16 = 0x8769;
const EXIF_VERSION: u16 = 0x9000;
const COMPONENTS: u16 = 0x9101;
const FLASHPIX_VERSION: u16 = 0xa000;
const COLOR_SPACE: u16 = 0xa001;
const X_DIMENSION: u16 = 0xa002;
const Y_DIMENSION: u16 = 0xa003;

const SRGB: u16 = 1;
const UNCALIBRATED: u16 = 0xffff;
const INCH: u16 = 2;
/// The resolution that means none.
const DOTS_PER_INCH: u32 = 72;
const CENTERED: u16 = 1;

/// The start of a block: the order of bytes, and where the first directory begins.
const HEAD: &[u8] = b"MM\0\x2a\0\0\0\x08";

/// A value of a directory.
enum Value {
    Text(String),
    Short(u16),
    Long(u32),
    Ratio(u32),
    Bytes([u8; 4]),
}

impl Value {
    /// Returns its type, how many it is, and its bytes.
    fn coded(&self) -> (u16, u32, Vec<u8>) {
        match self {
            Self::Text(text) => {
                let bytes = [text.as_bytes(), b"\0"].concat();
                (2, u32::try_from(bytes.len()).expect("a text is short"), bytes)
            }
            Self::Short(value) => (3, 1, value.to_be_bytes().to_vec()),
            Self::Long(value) => (4, 1, value.to_be_bytes().to_vec()),
            Self::Ratio(value) => (5, 1, [value.to_be_bytes(), 1_u32.to_be_bytes()].concat()),
            Self::Bytes(bytes) => (7, 4, bytes.to_vec()),
        }
    }
}

/// Returns a block with texts, each with its tag, for a picture of a size that is turned, and in sRGB or other colours.
pub(super) fn block(texts: &[(u16, String)], size: Size, turned: Option<Orientation>, is_srgb: bool) -> Vec<u8> {
    let turned = turned.unwrap_or(Orientation::NoTransforms).to_exif();
    let mut first: Vec<(u16, Value)> = texts.iter().map(|(tag, text)| (*tag, Value::Text(text.clone()))).collect();
    first.extend([
        (ORIENTATION, Value::Short(turned.into())),
        (X_RESOLUTION, Value::Ratio(DOTS_PER_INCH)),
        (Y_RESOLUTION, Value::Ratio(DOTS_PER_INCH)),
        (RESOLUTION_UNIT, Value::Short(INCH)),
        (YCBCR_POSITIONING, Value::Short(CENTERED)),
        (EXIF_DIRECTORY, Value::Long(0)),
    ]);
    let second = [
        (EXIF_VERSION, Value::Bytes(*b"0232")),
        (COMPONENTS, Value::Bytes([1, 2, 3, 0])),
        (FLASHPIX_VERSION, Value::Bytes(*b"0100")),
        (COLOR_SPACE, Value::Short(if is_srgb { SRGB } else { UNCALIBRATED })),
        (X_DIMENSION, Value::Long(size.width)),
        (Y_DIMENSION, Value::Long(size.height)),
    ];
    // Where the second directory begins is known once the first one is laid out.
    let behind_first = HEAD.len() + directory(&first, HEAD.len()).len();
    let pointer = Value::Long(u32::try_from(behind_first).expect("a block is short"));
    if let Some((_, value)) = first.iter_mut().find(|(tag, _)| *tag == EXIF_DIRECTORY) {
        *value = pointer;
    }
    [HEAD, &directory(&first, HEAD.len()), &directory(&second, behind_first)].concat()
}

/// Returns a directory that begins at a place of its block, with the values behind it. Tags stand in order.
fn directory(entries: &[(u16, Value)], at: usize) -> Vec<u8> {
    let mut entries: Vec<_> = entries.iter().map(|(tag, value)| (*tag, value.coded())).collect();
    entries.sort_by_key(|(tag, _)| *tag);
    let mut bytes = u16::try_from(entries.len()).expect("some tags").to_be_bytes().to_vec();
    let values_at = at + 2 + entries.len() * 12 + 4;
    let mut behind: Vec<u8> = Vec::new();
    for (tag, (kind, count, mut value)) in entries {
        bytes.extend_from_slice(&tag.to_be_bytes());
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&count.to_be_bytes());
        if value.len() <= 4 {
            value.resize(4, 0);
            bytes.append(&mut value);
        } else {
            let place = u32::try_from(values_at + behind.len()).expect("a block is short");
            bytes.extend_from_slice(&place.to_be_bytes());
            behind.append(&mut value);
            // Each begins at an even place.
            behind.resize(behind.len().next_multiple_of(2), 0);
        }
    }
    // There is no further directory.
    bytes.extend_from_slice(&[0; 4]);
    bytes.append(&mut behind);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read by the library that reads how a picture is turned.
    #[test]
    fn a_block_says_how_a_picture_is_turned_and_its_texts() {
        let texts = [(DESCRIPTION, "Hütte".to_owned()), (ARTIST, "Ann".to_owned())];
        for number in 1..=8 {
            let turned = Orientation::from_exif(number);
            let block = block(&texts, Size { width: 30, height: 20 }, turned, number % 2 == 0);
            assert_eq!(Orientation::from_exif_chunk(&block), turned);
            assert!(block.windows(7).any(|part| part == "Hütte\0".as_bytes()));
            // Every place is even and within.
            assert_eq!(block.len() % 2, 0);
        }
    }
}
