//! Which quality a JPEG was written with, by its tables of quantisation.

use super::jpeg::parts;
use super::stream::nearest_quality;

/// The quality of a JPEG, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quality {
    pub(super) value: u8,
    /// Whether its tables are the usual ones, and not some that are only near to these.
    pub(super) is_exact: bool,
}

/// Returns the quality of a JPEG, by the steps of its brightness; `None` if it has no such table.
pub(super) fn quality(bytes: &[u8]) -> Option<Quality> {
    let (mut tables, mut of_brightness) = ([None; 4], 0);
    for part in parts(bytes).map_while(Result::ok).take_while(|part| part.marker != 0xda) {
        match part.marker {
            0xdb => read_tables(part.body, &mut tables)?,
            0xc0..=0xc2 => of_brightness = usize::from(*part.body.get(8)?),
            _ => (),
        }
    }
    let (value, is_exact) = nearest_quality(&(*tables.get(of_brightness)?)?);
    Some(Quality { value, is_exact })
}

/// Returns the quality that a JPEG was written with by the usual tables.
pub fn jpeg_quality(bytes: &[u8]) -> Option<u8> {
    quality(bytes).filter(|quality| quality.is_exact).map(|quality| quality.value)
}

fn read_tables(mut body: &[u8], tables: &mut [Option<[u16; 64]>; 4]) -> Option<()> {
    while let Some((head, rest)) = body.split_first() {
        let steps = if head >> 4 == 0 { rest.get(..64)? } else { rest.get(..128)? };
        body = &rest[steps.len()..];
        let value = |at: usize| match steps.len() {
            64 => u16::from(steps[at]),
            _ => u16::from_be_bytes([steps[2 * at], steps[2 * at + 1]]),
        };
        *tables.get_mut(usize::from(head & 15))? = Some(std::array::from_fn(value));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{encode, testing};
    use crate::model::Format;

    /// Returns a JPEG of nothing but its tables.
    fn jpeg(tables: &[u8], brightness: u8) -> Vec<u8> {
        let length = u8::try_from(tables.len() + 2).unwrap();
        let frame = [0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, brightness];
        [&[0xff, 0xd8, 0xff, 0xdb, 0, length][..], tables, &frame, &[0xff, 0xd9]].concat()
    }

    #[test]
    fn the_quality_is_what_it_was_written_with() {
        let picture = testing::gradient(20, 16);
        for value in [1, 30, 49, 50, 51, 75, 80, 85, 90, 95, 99, 100] {
            let ours = encode(&picture, Format::Jpeg, value).unwrap();
            let mut other = Vec::new();
            let encoder = jpeg_encoder::Encoder::new(&mut other, value);
            encoder.encode(picture.image.as_bytes(), 20, 16, jpeg_encoder::ColorType::Rgb).unwrap();
            for bytes in [ours, other] {
                assert_eq!(quality(&bytes), Some(Quality { value, is_exact: true }), "{value}");
            }
        }
    }

    #[test]
    fn tables_of_another_kind_have_the_nearest_quality() {
        let even = |value: u8| [&[0][..], &[value; 64]].concat();
        let wide = [&[0x11][..], &[0, 7].repeat(64)].concat();
        let about = |value| Some(Quality { value, is_exact: false });
        let rows = [
            ("even steps of 1", jpeg(&even(1), 0), Some(Quality { value: 100, is_exact: true })),
            ("even steps of 3", jpeg(&even(3), 0), about(97)),
            ("even steps of 12", jpeg(&even(12), 0), about(90)),
            ("even steps of 255", jpeg(&even(255), 0), Some(Quality { value: 1, is_exact: true })),
            ("wide, another table", jpeg(&wide, 1), about(94)),
            ("the table is not there", jpeg(&even(3), 1), None),
            ("it is cut off", jpeg(&[0, 1, 2], 0), None),
            ("no table has this number", jpeg(&even(3), 9), None),
            ("nothing", Vec::new(), None),
        ];
        for (what, bytes, expected) in rows {
            assert_eq!(quality(&bytes), expected, "{what}");
        }
    }
}
