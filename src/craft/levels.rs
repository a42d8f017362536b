use image::DynamicImage;

use crate::model::Strength;

/// Of so many pixels that are seen one may become darker than black, and one lighter than white.
const CLIPPED_ONE_IN: u64 = 1000;
/// A picture whose ends would move less in all, of 255, uses the range.
const LEAST: usize = 4;
/// A picture whose range is smaller, of 255, is plain: what differs in it may be noise.
const PLAIN: usize = 8;
/// By so much, of 255, its mean may become darker, which nobody sees.
const DARKER_MAX: usize = 3;

/// What came of a picture's levels. A range is of 0 to 255, and holds all that is seen but for a few pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Levels {
    /// It used one range and uses another one now.
    Stretched { from: (usize, usize), to: (usize, usize) },
    /// It stays, since it uses the whole range.
    Whole,
    /// It stays, since it is plain: how light it is meant to be cannot be told.
    Plain { from: (usize, usize) },
    /// It stays, since it would become darker.
    Dark { from: (usize, usize) },
}

/// Stretches the range of a picture, so that its darkest becomes black and its lightest white, as far as the strength
/// allows, and all colours alike, so that none gets a cast. Its darkest moves less where the picture would become darker:
/// that of a dim one with some lights would take its middle tones along. Only what is seen counts, and opacity stays as it
/// is. `None` if nothing is seen.
pub(super) fn level(image: &mut DynamicImage, strength: Strength) -> Option<Levels> {
    let color = image.color();
    let layout = (usize::from(color.channel_count()), color.has_alpha());
    match image {
        DynamicImage::ImageLuma8(pixels) => stretch(pixels, layout, strength),
        DynamicImage::ImageLumaA8(pixels) => stretch(pixels, layout, strength),
        DynamicImage::ImageRgb8(pixels) => stretch(pixels, layout, strength),
        DynamicImage::ImageRgba8(pixels) => stretch(pixels, layout, strength),
        DynamicImage::ImageLuma16(pixels) => stretch(pixels, layout, strength),
        DynamicImage::ImageLumaA16(pixels) => stretch(pixels, layout, strength),
        DynamicImage::ImageRgb16(pixels) => stretch(pixels, layout, strength),
        DynamicImage::ImageRgba16(pixels) => stretch(pixels, layout, strength),
        _ => None,
    }
}

/// A sample of one channel.
trait Sample: Copy + Into<usize> + TryFrom<usize> {
    const MAX: usize;
}

impl Sample for u8 {
    const MAX: usize = 0xff;
}

impl Sample for u16 {
    const MAX: usize = 0xffff;
}

/// Stretches samples, so many channels for each pixel, the last of them perhaps opacity.
fn stretch<T: Sample>(samples: &mut [T], layout: (usize, bool), strength: Strength) -> Option<Levels> {
    let (channels, has_alpha) = layout;
    // How far each end may move, of 255.
    let limit = match strength {
        Strength::Off => return None,
        Strength::Low => 10,
        Strength::Medium => 20,
        Strength::High => 40,
    };
    let limit = limit * T::MAX / 255;
    let Seen { ends, mean } = seen(samples, layout)?;
    let of_255 = |value: usize| (value * 255 + T::MAX / 2) / T::MAX;
    let both = |(black, white)| (of_255(black), of_255(white));
    if ends.1.saturating_sub(ends.0) < PLAIN * T::MAX / 255 {
        return Some(Levels::Plain { from: both(ends) });
    }
    let white = ends.1.max(T::MAX - limit);
    let black = ends.0.min(limit).min(black_max::<T>(white, mean));
    let is_whole = |(black, white)| black + (T::MAX - white) < LEAST * T::MAX / 255;
    if is_whole((black, white)) {
        return Some(if is_whole(ends) { Levels::Whole } else { Levels::Dark { from: both(ends) } });
    }
    let stretched = |value: usize| {
        let value = value.clamp(black, white) - black;
        (value * T::MAX * 2 / (white - black)).div_ceil(2)
    };
    let table: Vec<T> =
        (0..=T::MAX).map(|value| T::try_from(stretched(value)).ok().expect("within the range")).collect();
    for pixel in samples.chunks_exact_mut(channels) {
        for sample in &mut pixel[..channels - usize::from(has_alpha)] {
            *sample = table[(*sample).into()];
        }
    }
    Some(Levels::Stretched { from: both(ends), to: both((stretched(ends.0), stretched(ends.1))) })
}

/// Returns how far the darkest may move if the lightest moves to `white`: a mean becomes no darker than is allowed.
fn black_max<T: Sample>(white: usize, mean: usize) -> usize {
    let kept = mean.saturating_sub(DARKER_MAX * T::MAX / 255);
    // The mean becomes (mean - black) * MAX / (white - black), and that is `kept` at least.
    (mean * T::MAX - kept * white) / (T::MAX - kept)
}

/// What is seen of a picture.
struct Seen {
    /// Between which values all but a few pixels have all of their colours.
    ends: (usize, usize),
    /// The mean of all colours.
    mean: usize,
}

/// Returns what is seen; `None` if that is nothing.
fn seen<T: Sample>(samples: &[T], (channels, has_alpha): (usize, bool)) -> Option<Seen> {
    let colors = channels - usize::from(has_alpha);
    let (mut darkest, mut lightest) = (vec![0_u64; T::MAX + 1], vec![0_u64; T::MAX + 1]);
    let mut sum = 0_u64;
    for pixel in samples.chunks_exact(channels) {
        if has_alpha && pixel[colors].into() == 0 {
            continue;
        }
        let (mut low, mut high, mut all) = (T::MAX, 0, 0);
        for sample in &pixel[..colors] {
            let value = (*sample).into();
            (low, high, all) = (low.min(value), high.max(value), all + value);
        }
        darkest[low] += 1;
        lightest[high] += 1;
        sum += all as u64;
    }
    let count = darkest.iter().sum::<u64>();
    let clipped_max = count / CLIPPED_ONE_IN;
    let mut clipped = [0, 0];
    let is_end = |clipped: &mut u64, count: &u64| {
        *clipped += count;
        *clipped > clipped_max
    };
    let black = darkest.iter().position(|count| is_end(&mut clipped[0], count))?;
    let white = lightest.iter().rposition(|count| is_end(&mut clipped[1], count))?;
    let mean = usize::try_from(sum / (count * colors as u64)).expect("a mean of samples is a sample");
    Some(Seen { ends: (black, white), mean })
}

#[cfg(test)]
mod tests {
    use image::{LumaA, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    /// A picture of 100 x 100 pixels whose greys go from one value to another, with so many pixels of black and white.
    fn ramp(from: u8, to: u8, outside: u32) -> RgbImage {
        RgbImage::from_fn(100, 100, |x, y| {
            let at = y * 100 + x;
            let value = u32::from(from) + u32::from(to - from) * x / 99;
            let value = if at < outside {
                0
            } else if at >= 10_000 - outside {
                255
            } else {
                value
            };
            Rgb([u8::try_from(value).unwrap(); 3])
        })
    }

    #[test]
    fn a_range_is_stretched_as_far_as_the_strength_allows() {
        use Strength::{High, Low, Medium, Off};
        // The darkest and the lightest, pixels outside of them, the strength; what becomes black and white.
        for (from, to, outside, strength, expected) in [
            (20, 235, 0, Off, None),
            (20, 235, 0, Low, Some((10, 245))),
            (18, 240, 0, Medium, Some((18, 240))),
            (60, 200, 0, Medium, Some((20, 235))),
            (60, 200, 0, High, Some((40, 215))),
            (30, 230, 10, High, Some((30, 230))),
            // More than one pixel in a thousand would be clipped.
            (30, 230, 11, High, None),
            (0, 255, 0, High, None),
            (1, 253, 0, High, None),
            (0, 235, 0, High, Some((0, 235))),
        ] {
            let image = DynamicImage::from(ramp(from, to, outside));
            for image in [image.clone(), image.to_luma8().into(), DynamicImage::ImageRgb16(image.to_rgb16())] {
                let mut made = image.clone();
                let row = format!("{from} to {to}, {outside} outside, {strength}, {:?}", image.color());
                let levels = level(&mut made, strength);
                let exact = |value: usize, (black, white): (usize, usize)| {
                    ((value.clamp(black, white) - black) * 255 * 2 / (white - black)).div_ceil(2)
                };
                let told = expected.map(|ends| {
                    let range = (usize::from(from), usize::from(to));
                    Levels::Stretched { from: range, to: (exact(range.0, ends), exact(range.1, ends)) }
                });
                assert_eq!(levels, told.or((strength != Off).then_some(Levels::Whole)), "{row}");
                assert!(expected.is_some() || made == image, "{row}");
                for (before, after) in image.to_rgb8().pixels().zip(made.to_rgb8().pixels()) {
                    let exact = exact(before[0].into(), expected.unwrap_or((0, 255)));
                    assert!(exact.abs_diff(after[0].into()) <= 1, "{row}: {before:?} became {after:?}");
                }
            }
        }
    }

    /// An even 7 became an even 5, and of an even 128 it was told that it became 128.
    #[test]
    fn a_plain_picture_stays() {
        // The darkest, the lightest, pixels of black and white, and whether it is plain.
        for (from, to, outside, is_plain) in [
            (0, 0, 0, true),
            (7, 7, 0, true),
            (128, 128, 0, true),
            (255, 255, 0, true),
            (7, 7, 10, true),
            (100, 107, 0, true),
            (100, 108, 0, false),
        ] {
            let image = DynamicImage::from(ramp(from, to, outside));
            for image in [image.clone(), image.to_luma8().into(), DynamicImage::ImageRgb16(image.to_rgb16())] {
                let mut made = image.clone();
                let plain = Levels::Plain { from: (usize::from(from), usize::from(to)) };
                let levels = level(&mut made, Strength::High);
                assert_eq!(levels == Some(plain), is_plain, "{from} to {to}: {levels:?}");
                assert_eq!(made == image, is_plain, "{from} to {to}");
            }
        }
    }

    /// A dim picture with some lights lost its middle tones: one of 30 to 230 with a mean of 60 got one of 34.
    #[test]
    fn no_picture_becomes_darker_but_by_a_trifle() {
        let stretched = |from, to| Levels::Stretched { from, to };
        // The darkest, the lightest, how many of a hundred pixels are light, and what came of it.
        let rows = [
            // Lifted shadows and full lights.
            ((40, 255), 10, Levels::Dark { from: (40, 255) }),
            ((40, 255), 60, stretched((40, 255), (33, 255))),
            // Dim, and its lights move up.
            ((30, 230), 15, stretched((30, 230), (22, 255))),
            ((30, 200), 15, stretched((30, 200), (20, 236))),
            // Foggy: all of it moves.
            ((90, 170), 50, stretched((90, 170), (73, 189))),
            // Light enough for all that is allowed.
            ((40, 230), 80, stretched((40, 230), (0, 255))),
            ((200, 250), 50, stretched((200, 250), (194, 255))),
        ];
        for ((dark, light), share, expected) in rows {
            let image = RgbImage::from_fn(100, 10, |x, _| Rgb([if x < share { light } else { dark }; 3]));
            let image = DynamicImage::from(image);
            for image in [image.clone(), image.to_rgba8().into(), DynamicImage::ImageLuma16(image.to_luma16())] {
                let mut made = image.clone();
                let row = format!("{dark} to {light}, {share} light, {:?}", image.color());
                assert_eq!(level(&mut made, Strength::High), Some(expected), "{row}");
                let sum = |image: &DynamicImage| image.to_luma16().iter().map(|grey| u64::from(*grey)).sum::<u64>();
                let [before, after] = [&image, &made].map(|image| sum(image) / 1000);
                assert!(after + 257 * 7 / 2 >= before, "{row}: {before} became {after}");
            }
        }
    }

    /// One channel that uses the range is enough, and grey stays grey.
    #[test]
    fn no_colour_gets_a_cast() {
        let mut blue = DynamicImage::from(RgbImage::from_fn(100, 1, |x, _| {
            let x = u8::try_from(x).unwrap();
            Rgb([60 + x, 60 + x, if x % 2 == 0 { 0 } else { 255 }])
        }));
        assert_eq!(level(&mut blue, Strength::High), Some(Levels::Whole));
        let mut grey = DynamicImage::from(ramp(60, 200, 0));
        assert!(matches!(level(&mut grey, Strength::High), Some(Levels::Stretched { .. })));
        assert!(grey.to_rgb8().pixels().all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
    }

    #[test]
    fn only_what_is_seen_counts() {
        let cut_out = |hidden: [u8; 3]| {
            RgbaImage::from_fn(100, 100, |x, y| {
                let grey = 80 + u8::try_from(x).unwrap();
                let [r, g, b] = hidden;
                if y < 50 { Rgba([r, g, b, 0]) } else { Rgba([grey, grey, grey, 1 + u8::try_from(y).unwrap()]) }
            })
        };
        for hidden in [[0; 3], [255; 3], [0, 255, 0], [90; 3]] {
            let mut image = DynamicImage::from(cut_out(hidden));
            let expected = Levels::Stretched { from: (80, 179), to: (58, 203) };
            assert_eq!(level(&mut image, Strength::High), Some(expected), "{hidden:?}");
            let alphas = |image: &RgbaImage| image.pixels().map(|pixel| pixel[3]).collect::<Vec<_>>();
            assert_eq!(alphas(&image.to_rgba8()), alphas(&cut_out(hidden)));
        }
        let mut empty = DynamicImage::from(image::GrayAlphaImage::from_pixel(3, 3, LumaA([90, 0])));
        assert_eq!(level(&mut empty, Strength::High), None);
    }
}
