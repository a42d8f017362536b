use super::CraftError;
use crate::model::ByteRange;

/// A lower quality is not chosen for fewer bytes; a lower one that was asked for stays.
pub(super) const QUALITY_MIN: u8 = 80;
/// The most bytes are aimed at with this much room, and the least with as much more, since the size is only guessed; with
/// half of it once two sizes are known.
const ROOM: f64 = 0.04;
/// What lies within this share of the bound is near enough.
const NEAR: f64 = 0.12;
const TRIES_MAX: usize = 3;
/// How the bytes follow from how coarse a picture is coded, as long as only one size of it is known: a power of it.
const POWER: f64 = 0.6;

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

/// Returns the quality to try after others; `None` if the last one is near enough, or there is no other.
fn next(range: ByteRange, tries: &[(u8, u64)]) -> Option<u8> {
    let ((asked, first), (quality, size)) = (*tries.first()?, *tries.last()?);
    let is_large = first > range.max;
    let bound = guess(if is_large { range.max } else { range.min });
    let is_near = (guess(size) / bound).ln().abs() < NEAR;
    if range.holds(first) || range.holds(size) && is_near {
        return None;
    }
    let (power, room) = match tries {
        [.., before, last] => (power(*before, *last), ROOM / 2.0),
        _ => (POWER, ROOM),
    };
    let aim = bound * if is_large { 1.0 - room } else { 1.0 + room };
    let aim = aim.clamp(guess(range.min), guess(range.max)).max(1.0);
    let coarse = coarseness(quality) * (guess(size) / aim).powf(power.recip());
    let wanted = if coarse > 1.0 { 50.0 / coarse } else { 100.0 - 50.0 * coarse };
    // One that did is there already: three quarters of the way back to the bound are safer than all of it.
    let wanted = if range.holds(size) { wanted + (f64::from(quality) - wanted) / 4.0 } else { wanted };
    let wanted = if is_large { wanted.floor() } else { wanted.ceil() };
    // What did is an end for what would be nearer, and what did not is one for all that is farther from it.
    let (mut least, mut most) = (QUALITY_MIN.min(asked), 100);
    for (quality, size) in tries {
        if *size > range.max || *size >= range.min && !is_large {
            most = most.min(quality.saturating_sub(1));
        } else {
            least = least.max(quality + 1);
        }
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a quality")]
    let wanted = wanted.clamp(0.0, 100.0) as u8;
    (least <= most).then(|| wanted.clamp(least, most))
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
    fn bytes(quality: u8, power: f64, at_95: f64) -> usize {
        let halved = if quality < 90 { 0.8 } else { 1.0 };
        let size = at_95 * halved * (coarseness(95) / coarseness(quality)).powf(power);
        format!("{size:.0}").parse().unwrap()
    }

    #[test]
    fn three_tries_are_enough_where_a_quality_does() {
        for power in [0.35, 0.5, 0.6, 0.75, 0.95] {
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
                    let (mut tries, size) = (Vec::new(), |quality| bytes(quality, power, 100_000.0));
                    let made = within(range, asked, |quality| {
                        tries.push(quality);
                        Ok(vec![0; size(quality)])
                    });
                    let made = made.unwrap();
                    let row = format!("power {power}, {asked} asked, {range}: {tries:?} gave {}", made.bytes.len());
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
    fn a_lower_quality_than_any_that_is_chosen_stays() {
        let made = within(ByteRange { min: 1, max: 50 }, 60, |_| Ok(vec![0; 100])).unwrap();
        assert_eq!((made.quality, made.is_within), (60, false));
        assert!(within(ByteRange { min: 1, max: 50 }, 95, |_| Err(CraftError::Stopped)).is_err());
    }
}
