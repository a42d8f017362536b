use image::DynamicImage;

use crate::model::Strength;

/// Of so many pixels that are seen one may become darker than black, and one lighter than white.
const CLIPPED_ONE_IN: u64 = 1000;
/// A picture whose ends would move less in all, of 255, uses the range.
const LEAST: usize = 4;

/// Stretches the range of a picture, so that its darkest becomes black and its lightest white, as far as the strength
/// allows; all colours alike, so that none gets a cast. Only what is seen counts, and opacity stays as it is. Returns
/// which range of 0 to 255 became the whole one; `None` if the picture stays as it is.
pub(super) fn level(image: &mut DynamicImage, strength: Strength) -> Option<(usize, usize)> {
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
fn stretch<T: Sample>(samples: &mut [T], layout: (usize, bool), strength: Strength) -> Option<(usize, usize)> {
    let (channels, has_alpha) = layout;
    // How far each end may move, of 255.
    let limit = match strength {
        Strength::Off => return None,
        Strength::Low => 10,
        Strength::Medium => 20,
        Strength::High => 40,
    };
    let limit = limit * T::MAX / 255;
    let (black, white) = ends(samples, layout)?;
    let (black, white) = (black.min(limit), white.max(T::MAX - limit));
    if black + (T::MAX - white) < LEAST * T::MAX / 255 {
        return None;
    }
    let stretched = |value: usize| {
        let value = value.clamp(black, white) - black;
        T::try_from((value * T::MAX * 2 / (white - black)).div_ceil(2)).ok().expect("within the range")
    };
    let table: Vec<T> = (0..=T::MAX).map(stretched).collect();
    for pixel in samples.chunks_exact_mut(channels) {
        for sample in &mut pixel[..channels - usize::from(has_alpha)] {
            *sample = table[(*sample).into()];
        }
    }
    let of_255 = |value: usize| (value * 255 + T::MAX / 2) / T::MAX;
    Some((of_255(black), of_255(white)))
}

/// Returns between which values all but a few pixels that are seen have all of their colours; `None` if nothing is seen.
fn ends<T: Sample>(samples: &[T], (channels, has_alpha): (usize, bool)) -> Option<(usize, usize)> {
    let colors = channels - usize::from(has_alpha);
    let (mut darkest, mut lightest) = (vec![0_u64; T::MAX + 1], vec![0_u64; T::MAX + 1]);
    for pixel in samples.chunks_exact(channels) {
        if has_alpha && pixel[colors].into() == 0 {
            continue;
        }
        let (mut low, mut high) = (T::MAX, 0);
        for sample in &pixel[..colors] {
            let value = (*sample).into();
            (low, high) = (low.min(value), high.max(value));
        }
        darkest[low] += 1;
        lightest[high] += 1;
    }
    let clipped_max = darkest.iter().sum::<u64>() / CLIPPED_ONE_IN;
    let mut clipped = [0, 0];
    let is_end = |clipped: &mut u64, count: &u64| {
        *clipped += count;
        *clipped > clipped_max
    };
    let black = darkest.iter().position(|count| is_end(&mut clipped[0], count))?;
    let white = lightest.iter().rposition(|count| is_end(&mut clipped[1], count))?;
    Some((black, white))
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
            // A plain one.
            (128, 128, 0, High, Some((40, 215))),
        ] {
            let image = DynamicImage::from(ramp(from, to, outside));
            for image in [image.clone(), image.to_luma8().into(), DynamicImage::ImageRgb16(image.to_rgb16())] {
                let mut made = image.clone();
                let row = format!("{from} to {to}, {outside} outside, {strength}, {:?}", image.color());
                assert_eq!(level(&mut made, strength), expected, "{row}");
                assert!(expected.is_some() || made == image, "{row}");
                let (black, white) = expected.unwrap_or((0, 255));
                for (before, after) in image.to_rgb8().pixels().zip(made.to_rgb8().pixels()) {
                    let value = usize::from(before[0]).clamp(black, white) - black;
                    let exact = value * 255 / (white - black);
                    assert!(exact.abs_diff(after[0].into()) <= 1, "{row}: {before:?} became {after:?}");
                }
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
        assert_eq!(level(&mut blue, Strength::High), None);
        let mut grey = DynamicImage::from(ramp(60, 200, 0));
        assert!(level(&mut grey, Strength::High).is_some());
        assert!(grey.to_rgb8().pixels().all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
    }

    #[test]
    fn only_what_is_seen_counts() {
        let cut_out = |hidden: [u8; 3]| {
            RgbaImage::from_fn(100, 100, |x, y| {
                let grey = 40 + u8::try_from(x).unwrap();
                let [r, g, b] = hidden;
                if y < 50 { Rgba([r, g, b, 0]) } else { Rgba([grey, grey, grey, 1 + u8::try_from(y).unwrap()]) }
            })
        };
        for hidden in [[0; 3], [255; 3], [0, 255, 0], [90; 3]] {
            let mut image = DynamicImage::from(cut_out(hidden));
            assert_eq!(level(&mut image, Strength::High), Some((40, 215)), "{hidden:?}");
            let alphas = |image: &RgbaImage| image.pixels().map(|pixel| pixel[3]).collect::<Vec<_>>();
            assert_eq!(alphas(&image.to_rgba8()), alphas(&cut_out(hidden)));
        }
        let mut empty = DynamicImage::from(image::GrayAlphaImage::from_pixel(3, 3, LumaA([90, 0])));
        assert_eq!(level(&mut empty, Strength::High), None);
    }
}
