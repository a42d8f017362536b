use super::CraftError;
use crate::model::ByteRange;

/// A lower quality is not chosen for fewer bytes; a lower one that was asked for stays.
pub(super) const QUALITY_MIN: u8 = 80;
/// From this quality on colour is kept in full, which costs a leap of bytes, and nobody knows of how many.
const LEAP_AT: u8 = 90;
/// The bound is missed by this much less, where two sizes are known: between them the third is only guessed.
const ROOM: f64 = 0.01;
/// What lies within this share of the bound is near enough.
const NEAR: f64 = 0.03;
const TRIES_MAX: usize = 3;
/// Bytes follow from how coarse a picture is coded by a power of it: hardly by a smaller one than the least, so that the
/// second try seldom misses, and hardly by a greater one than the most.
const POWER_LEAST: f64 = 0.35;
const POWER_MOST: f64 = 0.95;

/// A JPEG, and the quality that it has.
pub(super) struct Fitted {
    pub(super) bytes: Vec<u8>,
    pub(super) quality: u8,
    /// Whether it has as many bytes as it should.
    pub(super) is_within: bool,
}

/// Makes a JPEG of so many bytes by another quality than was asked for, if it must be another one: it is made three
/// times at most, and has the nearest quality that did. If none does, it has the one that was asked for.
pub(super) fn within(
    range: ByteRange,
    asked: u8,
    mut make: impl FnMut(u8) -> Result<Vec<u8>, CraftError>,
) -> Result<Fitted, CraftError> {
    let bytes = make(asked)?;
    let mut tries = vec![(asked, size_of(&bytes))];
    let mut best = Fitted { is_within: range.holds(size_of(&bytes)), quality: asked, bytes };
    while tries.len() < TRIES_MAX
        && let Some(quality) = next(range, &tries)
    {
        let bytes = make(quality)?;
        tries.push((quality, size_of(&bytes)));
        let is_nearer = !best.is_within || quality.abs_diff(asked) < best.quality.abs_diff(asked);
        if range.holds(size_of(&bytes)) && is_nearer {
            best = Fitted { bytes, quality, is_within: true };
        }
    }
    Ok(best)
}

fn size_of(bytes: &[u8]) -> u64 {
    bytes.len() as u64
}

#[expect(clippy::cast_precision_loss, reason = "sizes are guessed")]
fn guess(bytes: u64) -> f64 {
    bytes as f64
}

/// Returns the quality to try after others; `None` if the last one is near enough, or there is no other. The second is
/// one that does, most likely; the third is nearer to what was asked for, or, if the second missed, the safest one.
fn next(range: ByteRange, tries: &[(u8, u64)]) -> Option<u8> {
    let ((asked, first), (quality, size)) = (*tries.first()?, *tries.last()?);
    let is_large = first > range.max;
    let (bound, end) = if is_large { (range.max, QUALITY_MIN.min(asked)) } else { (range.min, 100) };
    let misses = |size: u64| if is_large { size > bound } else { size < bound };
    if range.holds(first) || quality == end && misses(size) {
        return None;
    }
    if tries.len() == 1 {
        let wanted = scaled((asked, first), guess(bound), POWER_LEAST, is_large);
        return Some(if is_large { wanted.clamp(end, asked - 1) } else { wanted.clamp(asked + 1, end) });
    }
    let is_near = (guess(size) / guess(bound)).ln().abs() < NEAR;
    if misses(size) {
        return Some(end);
    }
    if range.holds(size) && is_near {
        return None;
    }
    // Most of the leap is taken for a greater power, which is on the safe side as long as the way back stays behind it.
    let power = power((asked, first), (quality, size)).min(POWER_MOST);
    let aim = guess(bound) * if is_large { 1.0 - ROOM } else { 1.0 + ROOM };
    let wanted = scaled((quality, size), aim, power, is_large);
    let is_behind = |quality: u8| quality < LEAP_AT;
    let stays_behind = range.holds(size) && is_behind(quality) != is_behind(asked);
    let (mut least, mut most) = if is_large { (quality + 1, asked - 1) } else { (asked + 1, quality - 1) };
    if stays_behind {
        (least, most) = if is_large { (least, most.min(LEAP_AT - 1)) } else { (least.max(LEAP_AT), most) };
    }
    let is_nearer = if is_large { wanted >= least } else { wanted <= most };
    (is_nearer && least <= most).then(|| wanted.clamp(least, most))
}

/// Returns the quality that gives so many bytes, from one whose bytes are known, on the side of fewer bytes or of more.
fn scaled((quality, size): (u8, u64), aim: f64, power: f64, is_large: bool) -> u8 {
    let coarse = coarseness(quality) * (guess(size.max(1)) / aim.max(1.0)).powf(power.recip());
    let wanted = if coarse > 1.0 { 50.0 / coarse } else { 100.0 - 50.0 * coarse };
    let wanted = if is_large { wanted.floor() } else { wanted.ceil() };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a quality")]
    let quality = wanted.clamp(0.0, 100.0) as u8;
    quality
}

/// Returns how coarse a quality is coded, as a share of what quality 50 is. At 100 every step is one, which is as if it
/// were a little coarse.
fn coarseness(quality: u8) -> f64 {
    let quality = f64::from(quality.max(1));
    if quality < 50.0 { 50.0 / quality } else { (2.0 - quality / 50.0).max(0.02) }
}

/// Returns the power by which bytes follow from how coarse a picture is coded, from two sizes of it.
fn power(one: (u8, u64), other: (u8, u64)) -> f64 {
    let [(a, small), (b, large)] = [one, other].map(|(quality, size)| (coarseness(quality), guess(size.max(1))));
    ((large / small).ln() / (a / b).ln()).clamp(0.2, 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures whose bytes follow from the quality by another power, with less of them where colour is halved.
    fn bytes(quality: u8, power: f64, halved: f64) -> usize {
        let halved = if quality < 90 { halved } else { 1.0 };
        let size = 100_000.0 * halved * (coarseness(95) / coarseness(quality)).powf(power);
        format!("{size:.0}").parse().unwrap()
    }

    /// Returns every picture that is tried here: by which power, and with which share of the bytes once colour is halved.
    fn pictures() -> impl Iterator<Item = (f64, f64)> {
        let powers = [0.35, 0.5, 0.6, 0.75, 0.95];
        powers.into_iter().flat_map(|power| [0.5, 0.6, 0.7, 0.8, 0.9].map(|halved| (power, halved)))
    }

    #[test]
    fn three_tries_are_enough_where_a_quality_does() {
        for (power, halved) in pictures() {
            for asked in [80, 88, 95, 100] {
                for (min, max) in [
                    (1, 90_000),
                    (1, 72_000),
                    (1, 55_000),
                    (1, 41_000),
                    (1, 30_000),
                    (110_000, 400_000),
                    (180_000, 1 << 40),
                ] {
                    let range = ByteRange { min, max };
                    let (mut tries, size) = (Vec::new(), |quality| bytes(quality, power, halved));
                    let made = within(range, asked, |quality| {
                        tries.push(quality);
                        Ok(vec![0; size(quality)])
                    });
                    let made = made.unwrap();
                    let row = format!(
                        "power {power}, {halved} if halved, {asked} asked, {range}: {tries:?} gave {}",
                        made.bytes.len()
                    );
                    let is_possible = (80..=100).any(|quality| range.holds(size(quality) as u64));
                    assert_eq!(made.is_within, is_possible, "{row}");
                    assert_eq!(made.is_within, range.holds(size_of(&made.bytes)), "{row}");
                    assert_eq!(made.bytes.len(), size(made.quality), "{row}");
                    assert!(tries.len() <= 3 && tries.iter().all(|quality| (80..=100).contains(quality)), "{row}");
                    assert!(is_possible || made.quality == asked, "{row}");
                    let nearest = (80..=100)
                        .filter(|quality| range.holds(size(*quality) as u64))
                        .min_by_key(|quality| quality.abs_diff(asked));
                    let is_near = nearest.is_none_or(|nearest| nearest.abs_diff(made.quality) <= 5);
                    assert!(is_near, "{row}, and {nearest:?} was the nearest");
                }
            }
        }
    }

    #[test]
    fn more_room_never_gives_a_lower_quality_and_never_a_refusal() {
        for (power, halved) in pictures() {
            for asked in [81, 88, 90, 92, 95, 100] {
                let size = |quality| bytes(quality, power, halved);
                let mut before = 0;
                for step in 0..=60 {
                    let max = (size(80) + (size(asked) - size(80)) * step / 60) as u64;
                    let made = within(ByteRange { min: 1, max }, asked, |quality| Ok(vec![0; size(quality)])).unwrap();
                    let row = format!("power {power}, {halved} if halved, {asked} asked, at most {max}");
                    assert!(made.is_within && made.quality >= before, "{row}: {} after {before}", made.quality);
                    before = made.quality;
                }
                assert_eq!(before, asked);
            }
        }
    }

    /// Bytes of real pictures at these qualities: their powers are others, and change on the way.
    #[test]
    fn real_pictures_are_not_refused_where_the_lowest_quality_does() {
        let qualities = [80, 82, 84, 86, 88, 89, 90, 91, 92, 93, 94, 95];
        for sizes in [
            [72705, 92688, 100_752, 105_020, 109_065, 110_719, 121_097, 123_079, 127_027, 138_837, 148_247, 150_020],
            [71558, 86943, 116_340, 136_433, 144_082, 147_325, 180_727, 187_605, 193_623, 207_108, 227_019, 245_199],
            [69764, 78342, 89042, 101_354, 116_201, 122_920, 202_289, 221_339, 239_816, 272_598, 320_286, 385_429],
            [41860, 46916, 54272, 62067, 73736, 77832, 121_503, 136_584, 148_531, 172_481, 202_325, 237_977],
        ] {
            // A quality that was not measured has the bytes of the next higher one.
            let size = |quality: u8| sizes[qualities.partition_point(|measured| *measured < quality)];
            for asked in [88, 90, 92, 95] {
                for step in 0..=100 {
                    let max = size(80) + (size(asked) - size(80)) * step / 100;
                    let mut tries = 0;
                    let made = within(ByteRange { min: 1, max }, asked, |quality| {
                        tries += 1;
                        Ok(vec![0; usize::try_from(size(quality)).unwrap()])
                    });
                    assert!(made.unwrap().is_within && tries <= 3, "{asked} asked, at most {max}, {}", sizes[0]);
                }
            }
        }
    }

    #[test]
    fn a_lower_quality_than_any_that_is_chosen_stays() {
        let made = within(ByteRange { min: 1, max: 50 }, 60, |_| Ok(vec![0; 100])).unwrap();
        assert_eq!((made.quality, made.is_within), (60, false));
        assert!(within(ByteRange { min: 1, max: 50 }, 95, |_| Err(CraftError::Stopped)).is_err());
    }
}
