use super::*;
use crate::craft::jpeg::{parts, space};
use jpeg_encoder::SamplingFactor::{self, F_1_1, F_1_2, F_2_1, F_2_2};
use jpeg_encoder::{ColorType, Encoder};
use proptest::prelude::*;

/// Returns a JPEG of some detail, by an encoder that is not under test.
fn jpeg(size: (u16, u16), change: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let picture = crate::craft::testing::gradient(size.0.into(), size.1.into()).image.to_rgb8();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 85);
    change(&mut encoder);
    encoder.encode(picture.as_raw(), size.0, size.1, ColorType::Rgb).unwrap();
    bytes
}

fn sampled(size: (u16, u16), sampling: SamplingFactor, has_a_scan_each: bool) -> Vec<u8> {
    jpeg(size, |encoder| {
        encoder.set_sampling_factor(sampling);
        // This encoder optimises its tables with a scan for each colour.
        encoder.set_optimized_huffman_tables(has_a_scan_each);
        if !has_a_scan_each {
            encoder.set_restart_interval(3);
        }
    })
}

/// Returns all pixels; `None` if it is not read row by row.
fn pixels(bytes: &[u8]) -> Result<Option<Vec<u8>>, CraftError> {
    let Some(mut rows) = JpegRows::new(bytes)? else { return Ok(None) };
    let (width, height) = rows.size();
    let row_bytes = width as usize * rows.channels();
    let mut pixels = vec![0; row_bytes * height as usize];
    for row in pixels.chunks_exact_mut(row_bytes) {
        assert!(rows.next_row(row)?, "a row is missing");
    }
    assert_eq!(rows.next_row(&mut vec![0; row_bytes]), Ok(false));
    Ok(Some(pixels))
}

/// Returns the largest difference from what another decoder makes, and the mean one.
fn difference(bytes: &[u8]) -> (u8, f64) {
    use zune_jpeg::zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let other = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().unwrap();
    let own = pixels(bytes).unwrap().unwrap();
    assert_eq!(own.len(), other.len());
    let all = || own.iter().zip(&other).map(|(own, other)| own.abs_diff(*other));
    let sum: u32 = all().map(u32::from).sum();
    (all().max().unwrap(), f64::from(sum) / f64::from(u32::try_from(own.len()).unwrap()))
}

#[test]
fn pixels_are_those_of_another_decoder() {
    for size in [(1, 1), (16, 16), (33, 31), (217, 143)] {
        let (most, mean) = difference(&sampled(size, F_1_1, false));
        assert!(most <= 3 && mean < 0.5, "{size:?}: {most} {mean}");
    }
    for sampling in [F_2_1, F_2_2] {
        let (most, mean) = difference(&sampled((208, 144), sampling, false));
        assert!(most <= 6 && mean < 0.6, "{sampling:?}: {most} {mean}");
    }
}

/// They came out green, and were refused.
#[test]
fn a_scan_for_each_colour_gives_the_same_pixels() {
    for sampling in [F_1_1, F_2_1, F_1_2, F_2_2] {
        for size in [(1, 1), (7, 50), (64, 48), (217, 143)] {
            let (one, each) = (sampled(size, sampling, false), sampled(size, sampling, true));
            let scans = |bytes: &[u8]| parts(bytes).flatten().filter(|part| part.marker == 0xda).count();
            assert_eq!((scans(&one), scans(&each)), (1, 3), "{sampling:?}");
            assert_eq!(pixels(&one).unwrap().unwrap(), pixels(&each).unwrap().unwrap(), "{sampling:?} {size:?}");
        }
    }
}

/// A grey picture gives its values, and inks are 255 where there is all of one.
#[test]
fn each_kind_of_channels_is_read() {
    let values = [10_u8, 60, 120, 250];
    let of = |color: ColorType, channels: usize| {
        let mut bytes = Vec::new();
        let flat = values[..channels].repeat(40 * 30);
        Encoder::new(&mut bytes, 100).encode(&flat, 40, 30, color).unwrap();
        pixels(&bytes).unwrap().unwrap()
    };
    let rows = [(ColorType::Luma, 1), (ColorType::Rgb, 3), (ColorType::Cmyk, 4), (ColorType::CmykAsYcck, 4)];
    for (color, channels) in rows {
        for pixel in of(color, channels).chunks(channels) {
            assert!(pixel.iter().zip(values).all(|(own, value)| own.abs_diff(value) <= 2), "{color:?}: {pixel:?}");
        }
    }
}

#[test]
fn what_the_channels_are_is_told_as_viewers_do() {
    let rows: [(&[u8], bool, Option<u8>, Space); 10] = [
        (&[1], true, None, Space::Plain),
        (&[1, 2, 3], false, None, Space::YCbCr),
        (&[5, 6, 7], false, None, Space::YCbCr),
        (b"RGB", false, None, Space::Plain),
        (b"RGB", true, None, Space::YCbCr),
        (&[1, 2, 3], false, Some(0), Space::Plain),
        (&[1, 2, 3], false, Some(1), Space::YCbCr),
        (&[1, 2, 3, 4], false, None, Space::Plain),
        (&[1, 2, 3, 4], false, Some(0), Space::Plain),
        (&[1, 2, 3, 4], false, Some(2), Space::YCbCr),
    ];
    for (ids, is_jfif, adobe, expected) in rows {
        assert_eq!(space(ids, is_jfif, adobe), expected, "{ids:?} {is_jfif} {adobe:?}");
    }
}

#[test]
fn a_progressive_picture_is_left_to_another_decoder() {
    assert_eq!(pixels(&jpeg((40, 30), |encoder| encoder.set_progressive(true))), Ok(None));
}

/// Returns whole JPEGs of several layouts.
fn layouts() -> &'static [Vec<u8>] {
    static LAYOUTS: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    let all = [(F_1_1, false), (F_2_2, false), (F_2_1, true), (F_2_2, true)];
    LAYOUTS.get_or_init(|| all.map(|(sampling, each)| sampled((97, 61), sampling, each)).to_vec())
}

#[test]
fn no_part_may_be_missing_and_none_may_be_too_much() {
    for (layout, whole) in layouts().iter().enumerate() {
        let coded = parts(whole).flatten().map(|part| part.coded).max_by_key(|coded| coded.len()).unwrap();
        let start = coded.as_ptr() as usize - whole.as_ptr() as usize;
        let (middle, end) = (start + coded.len() / 2, start + coded.len());
        let with = |range: std::ops::Range<usize>, bytes: &[u8]| {
            let mut changed = whole.clone();
            changed.splice(range, bytes.iter().copied());
            pixels(&changed).map(|_| ())
        };
        assert_eq!(with(0..0, b""), Ok(()), "{layout}");
        assert!(with(middle..end, b"").is_err(), "{layout}: cut, with its end mark");
        assert!(with(middle..whole.len(), &vec![0; whole.len() - middle]).is_err(), "{layout}: zeros to its end");
        assert!(with(middle..middle + 300, &[0; 300]).is_err(), "{layout}: a hole");
        assert!(with(middle..middle, &whole[start..middle]).is_err(), "{layout}: too much");
        assert!(with(whole.len() - 2..whole.len(), b"").is_err(), "{layout}: no end mark");
        // What encoders and cameras really leave is no damage.
        assert_eq!(with(end..end, b"\0"), Ok(()), "{layout}: one byte more");
        assert_eq!(with(whole.len()..whole.len(), &[0x77; 9000]), Ok(()), "{layout}: a film behind it");
        assert_eq!(with(whole.len() - 2..whole.len() - 2, b"\xff\xff\xff"), Ok(()), "{layout}: fill bytes");
    }
}

proptest! {
    #[test]
    fn any_change_is_survived(which in 0_usize..4, at in 0_usize..100_000, bytes in proptest::collection::vec(any::<u8>(), 1..20)) {
        let mut changed = layouts()[which].clone();
        let at = 2 + at % (changed.len() - 2);
        let end = changed.len().min(at + bytes.len());
        changed[at..end].copy_from_slice(&bytes[..end - at]);
        // A frame that lies of its size has too few units: what it says of memory is limited before.
        let is_small = JpegRows::new(&changed).is_ok_and(|rows| rows.is_some_and(|rows| rows.size().0 < 2000));
        if is_small {
            let _ = JpegRows::new(&changed).unwrap().map(|mut rows| {
                let mut row = vec![0; rows.size().0 as usize * rows.channels()];
                while rows.next_row(&mut row) == Ok(true) {}
            });
        }
    }

    #[test]
    fn a_cut_anywhere_is_refused(which in 0_usize..4, at in 0_usize..100_000) {
        let whole = &layouts()[which];
        prop_assert!(pixels(&whole[..at % whole.len()]).is_err());
    }
}
