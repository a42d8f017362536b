use super::*;
use proptest::prelude::*;

/// Returns a JPEG of some detail, by an encoder that is not under test.
fn jpeg(quality: u8, change: impl Fn(&mut jpeg_encoder::Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let picture = crate::craft::testing::gradient(217, 143).image.to_rgb8();
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, quality);
    change(&mut encoder);
    encoder.encode(picture.as_raw(), 217, 143, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// Returns a whole JPEG of each layout that the encoder knows.
fn layouts() -> &'static [(String, Vec<u8>)] {
    static LAYOUTS: std::sync::OnceLock<Vec<(String, Vec<u8>)>> = std::sync::OnceLock::new();
    LAYOUTS.get_or_init(make_layouts)
}

fn make_layouts() -> Vec<(String, Vec<u8>)> {
    use jpeg_encoder::SamplingFactor::{F_1_1, F_2_1, F_2_2, F_4_1};
    let mut layouts = Vec::new();
    for sampling in [F_1_1, F_2_1, F_2_2, F_4_1] {
        for (is_progressive, is_optimised, restarts) in
            [(false, false, 5), (false, true, 0), (true, false, 0), (true, false, 3)]
        {
            let bytes = jpeg(80, |encoder| {
                encoder.set_sampling_factor(sampling);
                encoder.set_progressive(is_progressive);
                encoder.set_optimized_huffman_tables(is_optimised);
                if restarts > 0 {
                    encoder.set_restart_interval(restarts);
                }
            });
            layouts.push((format!("{sampling:?} {is_progressive} {is_optimised} {restarts}"), bytes));
        }
    }
    layouts
}

/// Returns where the largest scan's coded pixels lie.
fn coded(bytes: &[u8]) -> std::ops::Range<usize> {
    let all = parts(bytes).map(Result::unwrap).map(|part| part.coded);
    let largest = all.max_by_key(|coded| coded.len()).unwrap();
    let start = largest.as_ptr() as usize - bytes.as_ptr() as usize;
    start..start + largest.len()
}

#[test]
fn whole_pictures_pass_and_no_part_may_be_missing() {
    for (layout, whole) in layouts() {
        assert_eq!(check_scans(whole), Ok(()), "{layout}");
        let pixels = coded(whole);
        let with = |range: std::ops::Range<usize>, bytes: &[u8]| {
            let mut changed = whole.clone();
            changed.splice(range, bytes.iter().copied());
            check_scans(&changed)
        };
        let middle = usize::midpoint(pixels.start, pixels.end);
        assert!(with(middle..pixels.end, b"").is_err(), "{layout}: cut, with its end mark");
        assert!(with(middle..whole.len(), &vec![0; whole.len() - middle]).is_err(), "{layout}: zeros to its end");
        assert!(with(middle..middle + 300, &[0; 300]).is_err(), "{layout}: a hole");
        assert!(with(middle..middle, &whole[pixels.start..middle]).is_err(), "{layout}: too much");
        assert!(with(whole.len() - 2..whole.len(), b"").is_err(), "{layout}: no end mark");
        // What encoders and cameras really leave is no damage.
        assert_eq!(with(pixels.end..pixels.end, b"\0"), Ok(()), "{layout}: one byte more");
        assert_eq!(with(whole.len()..whole.len(), &vec![0x77; 200 << 10]), Ok(()), "{layout}: a film behind it");
        assert_eq!(with(whole.len() - 2..whole.len() - 2, b"\xff\xff\xff"), Ok(()), "{layout}: fill bytes");
    }
}

/// With its end mark right behind an earlier scan, a picture was taken that was blurred.
#[test]
fn a_progressive_picture_has_all_its_scans() {
    let whole = jpeg(80, |encoder| encoder.set_progressive(true));
    let scans: Vec<usize> = (2..whole.len() - 1).filter(|at| whole[*at..].starts_with(b"\xff\xda")).collect();
    assert!(scans.len() > 3);
    for at in &scans[1..] {
        let error = check_scans(&[&whole[..*at], b"\xff\xd9"].concat()).unwrap_err();
        assert!(matches!(&error, CraftError::Truncated(_)), "{error}");
    }
    // The last bit of one coefficient's blocks is still to come.
    let mut vague = whole;
    let last = *scans.last().unwrap();
    let count = usize::from(vague[last + 4]);
    vague[last + 5 + 2 * count + 2] |= 1;
    assert!(matches!(check_scans(&vague), Err(CraftError::Truncated(_))));
}

#[test]
fn the_end_mark_of_a_thumbnail_is_not_the_end() {
    let whole = jpeg(80, |encoder| {
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    });
    let thumbnail = [b"\xff\xe1\x01\x02".as_slice(), &[0x11; 100], b"\xff\xd9", &[0x22; 154]].concat();
    let with = [&whole[..2], &thumbnail, &whole[2..]].concat();
    assert_eq!(check_scans(&with), Ok(()));
    for percent in [10, 40, 90] {
        let mut cut = with.clone();
        cut[with.len() * percent / 100..].fill(0);
        assert!(matches!(check_scans(&cut), Err(CraftError::Truncated(_))), "{percent} %");
    }
}

proptest! {
    #[test]
    fn any_change_is_survived(which in 0_usize..16, at in 0_usize..100_000, bytes in proptest::collection::vec(any::<u8>(), 1..20)) {
        let mut changed = layouts()[which].1.clone();
        let at = 2 + at % (changed.len() - 2);
        let end = changed.len().min(at + bytes.len());
        changed[at..end].copy_from_slice(&bytes[..end - at]);
        let _ = check_scans(&changed);
        let _ = check_scans(&[b"\xff\xd8", &bytes[..]].concat());
    }

    #[test]
    fn a_cut_anywhere_is_refused(which in 0_usize..16, at in 0_usize..100_000) {
        let whole = &layouts()[which].1;
        let cut = &whole[..at % whole.len()];
        prop_assert!(check_scans(cut).is_err());
        let is_whole = cut.len() + 2 >= whole.len();
        prop_assert!(check_scans(&[cut, b"\xff\xd9"].concat()).is_err() || !has_pixels(cut) || is_whole);
    }
}

fn has_pixels(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == [0xff, 0xda])
}
