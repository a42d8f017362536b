use super::CraftError;
use crate::model::ByteRange;

/// A lower quality is not chosen for fewer bytes; a lower one that was asked for stays.
pub(super) const QUALITY_MIN: u8 = 80;
/// The bound is missed by this much less, where two sizes are known: between them the third is only guessed.
const ROOM: f64 = 0.01;
/// What lies within this share of the bound is near enough.
const NEAR: f64 = 0.03;
/// Colour in full takes this share of bytes more at least, in a picture that has colours.
const LEAP_LEAST: f64 = 0.05;
/// Bytes follow from how coarse a picture is coded by a power of it: hardly by a smaller one than the least, so that the
/// second try seldom misses, and hardly by a greater one than the most.
const POWER_LEAST: f64 = 0.35;
const POWER_MOST: f64 = 0.95;
/// By no smaller one than this between two qualities that are neighbours.
const POWER_FLAT: f64 = 0.2;

/// A JPEG, and the quality that it has.
pub(super) struct Fitted {
    pub(super) bytes: Vec<u8>,
    pub(super) quality: u8,
    /// Whether it has as many bytes as it should.
    pub(super) is_within: bool,
}

/// Makes a JPEG of so many bytes by another quality than was asked for, if it must be another one: it is made three
/// times as a rule, four times at most, and has the nearest quality that did. If none does, it has the one that was asked
/// for. From the quality `leap` on colour is kept in full, which costs a leap of bytes, and nobody knows of how many: where
/// that quality itself may do, it is tried, too, since colours are not to be halved while the bytes for them are there.
pub(super) fn within(
    range: ByteRange,
    asked: u8,
    leap: Option<u8>,
    mut make: impl FnMut(u8) -> Result<Vec<u8>, CraftError>,
) -> Result<Fitted, CraftError> {
    let bytes = make(asked)?;
    let mut tries = vec![(asked, size_of(&bytes))];
    let mut best = Fitted { is_within: range.holds(size_of(&bytes)), quality: asked, bytes };
    while let Some(quality) = next(range, leap, &tries) {
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
/// one that does, most likely; if it misses, the third is the safest one. The last one is nearer to what was asked for,
/// and before it comes the one where the leap is, if that lies between.
fn next(range: ByteRange, leap: Option<u8>, tries: &[(u8, u64)]) -> Option<u8> {
    let first @ (asked, size) = *tries.first()?;
    if range.holds(size) {
        return None;
    }
    let is_large = size > range.max;
    let (bound, end) = if is_large { (range.max, QUALITY_MIN.min(asked)) } else { (range.min, 100) };
    let misses = |size: u64| if is_large { size > bound } else { size < bound };
    let near = |from| nearer(range, is_large, leap, first, from);
    match *tries {
        [_] if asked == end => None,
        [_] => {
            let wanted = scaled(first, guess(bound), POWER_LEAST, is_large);
            Some(if is_large { wanted.clamp(end, asked - 1) } else { wanted.clamp(asked + 1, end) })
        }
        [_, (second, size)] if misses(size) => (second != end).then_some(end),
        [_, second] => leap.filter(|leap| is_large && may_do(*leap, asked, second, bound)).or_else(|| near(second)),
        [_, second, third] if is_large && misses(second.1) => nearer(range, is_large, leap, second, third),
        // The third was tried for the leap alone.
        [_, second, third] if is_large && second.0 < third.0 && Some(third.0) == leap => {
            near(if misses(third.1) { second } else { third })
        }
        _ => None,
    }
}

/// Returns whether the quality where the leap is lies between two others, of which the lower one does, and may do, too.
fn may_do(leap: u8, asked: u8, (quality, size): (u8, u64), bound: u64) -> bool {
    let least = (coarseness(quality) / coarseness(leap)).powf(POWER_FLAT) * (1.0 + LEAP_LEAST);
    quality < leap && leap < asked && guess(size) * least <= guess(bound)
}

/// Returns the quality that is nearer to what was asked for than one that does, if there is one that most likely does,
/// too.
fn nearer(range: ByteRange, is_large: bool, leap: Option<u8>, first: (u8, u64), from: (u8, u64)) -> Option<u8> {
    let ((asked, _), (quality, size)) = (first, from);
    let bound = if is_large { range.max } else { range.min };
    if range.holds(size) && (guess(size) / guess(bound)).ln().abs() < NEAR {
        return None;
    }
    // Most of the leap is taken for a greater power, which is on the safe side as long as the way back stays behind it.
    let power = power(first, from).min(POWER_MOST);
    let aim = guess(bound) * if is_large { 1.0 - ROOM } else { 1.0 + ROOM };
    let wanted = scaled(from, aim, power, is_large);
    let (mut least, mut most) = if is_large { (quality + 1, asked - 1) } else { (asked + 1, quality - 1) };
    let is_behind = |leap: &u8| (quality < *leap) != (asked < *leap);
    if let Some(leap) = leap.filter(|leap| range.holds(size) && is_behind(leap)) {
        (least, most) = if is_large { (least, most.min(leap - 1)) } else { (least.max(leap), most) };
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

    /// There is a fourth one only where the leap was tried, or the second one missed.
    fn are_few(tries: &[u8]) -> bool {
        tries.len() <= 3 || tries.len() == 4 && [80, 90].contains(&tries[2])
    }

    #[test]
    fn three_tries_and_the_one_at_the_leap_are_enough_where_a_quality_does() {
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
                    let made = within(range, asked, Some(90), |quality| {
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
                    assert!(are_few(&tries) && tries.iter().all(|quality| (80..=100).contains(quality)), "{row}");
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
                    let range = ByteRange { min: 1, max };
                    let made = within(range, asked, Some(90), |quality| Ok(vec![0; size(quality)])).unwrap();
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
            [
                125_295, 134_000, 142_644, 153_400, 166_079, 171_845, 240_840, 255_001, 266_591, 288_891, 316_451,
                346_564,
            ],
        ] {
            // A quality that was not measured has the bytes of the next higher one.
            let size = |quality: u8| sizes[qualities.partition_point(|measured| *measured < quality)];
            for asked in [88, 90, 92, 95] {
                for step in 0..=100 {
                    let max = size(80) + (size(asked) - size(80)) * step / 100;
                    let mut tries = Vec::new();
                    let made = within(ByteRange { min: 1, max }, asked, Some(90), |quality| {
                        tries.push(quality);
                        Ok(vec![0; usize::try_from(size(quality)).unwrap()])
                    });
                    let made = made.unwrap();
                    let row = format!("{asked} asked, at most {max}, {}: {tries:?}", sizes[0]);
                    assert!(made.is_within && are_few(&tries), "{row}");
                    // Half of the colours are left out only where they must be.
                    let is_full = made.quality >= 90;
                    assert!(
                        is_full || size(90) > max || asked < 90 || tries[1] >= 90 && made.quality == 89,
                        "{row} gave {}",
                        made.quality
                    );
                }
            }
        }
    }

    /// Where the picture keeps its colours, or loses them, whatever its quality, there is no leap to stop at.
    #[test]
    fn without_a_leap_the_third_is_near() {
        for max in [60_000, 70_000, 80_000, 90_000] {
            let size = |quality| bytes(quality, 0.5, 1.0);
            let made = within(ByteRange { min: 1, max }, 95, None, |quality| Ok(vec![0; size(quality)])).unwrap();
            let nearest = (80..=95).rev().find(|quality| size(*quality) as u64 <= max);
            assert!(nearest.unwrap() - made.quality <= 1, "at most {max}: {} and not {nearest:?}", made.quality);
        }
    }

    #[test]
    fn a_lower_quality_than_any_that_is_chosen_stays() {
        let made = within(ByteRange { min: 1, max: 50 }, 60, Some(90), |_| Ok(vec![0; 100])).unwrap();
        assert_eq!((made.quality, made.is_within), (60, false));
        assert!(within(ByteRange { min: 1, max: 50 }, 95, Some(90), |_| Err(CraftError::Stopped)).is_err());
    }
}
