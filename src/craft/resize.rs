use std::borrow::Cow;

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, Rgba};

use super::{CraftError, Picture};
use crate::model::Size;

/// Cells along each edge in which a result is compared with its source.
const CELLS: u32 = 8;
/// The largest difference of a cell's mean, of 255: overshoot at edges cancels out within a cell.
const DIFFERENCE_MAX: f32 = 6.0;
/// What is added to it for cells of few source pixels: more of a small cell lies at its border, where its neighbours
/// blend in.
const DIFFERENCE_BY_EDGE: f32 = 64.0;

/// Enlarges a picture with a Lanczos filter of three lobes, in gamma space, where the result looks best;
/// transparent pixels do not colour their neighbours. Depth, grey, alpha and profile stay.
pub fn enlarge(picture: &Picture, to: Size) -> Result<Picture, CraftError> {
    let mut image = DynamicImage::new(to.width, to.height, picture.image.color());
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new()
        .resize(&picture.image, &mut image, &options)
        .map_err(|error| CraftError::Unsupported(format!("it cannot be enlarged: {error}")))?;
    Ok(Picture { image, icc: picture.icc.clone() })
}

/// Checks that a product looks like its source at low resolution: a black frame, another colour or a shifted tile
/// is refused.
pub fn check_enlarged(source: &Picture, result: &Picture) -> Result<(), CraftError> {
    let (before, after) = (means(&source.image), means(&result.image));
    let worst = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max);
    let edge = (source.image.width().min(source.image.height()) / CELLS).max(1);
    let edge = f32::from(u16::try_from(edge).unwrap_or(u16::MAX));
    if worst <= DIFFERENCE_MAX + DIFFERENCE_BY_EDGE / edge {
        return Ok(());
    }
    Err(CraftError::LooksWrong(format!("a part of it differs by {worst:.0} of 255")))
}

/// Returns the mean of each colour in each cell of a coarse grid, as it is seen on black and on white.
fn means(image: &DynamicImage) -> Vec<f32> {
    let small = as_seen(image).resize_exact(CELLS * 4, CELLS * 4, image::imageops::FilterType::Triangle).to_rgba32f();
    let mut sums = vec![0.0_f32; (CELLS * CELLS * 6) as usize];
    for (x, y, Rgba([colors @ .., alpha])) in small.enumerate_pixels() {
        let cell = ((y / 4) * CELLS + x / 4) as usize * 6;
        for (channel, color) in colors.iter().enumerate() {
            sums[cell + channel] += color * 255.0 / 16.0;
            sums[cell + 3 + channel] += (color + 1.0 - alpha) * 255.0 / 16.0;
        }
    }
    sums
}

/// Returns a picture with each colour weighted by its opacity: a fully transparent pixel is not seen, and must not
/// blend into its neighbours when the picture is reduced.
fn as_seen(image: &DynamicImage) -> Cow<'_, DynamicImage> {
    if !image.color().has_alpha() {
        return Cow::Borrowed(image);
    }
    let mut pixels = image.to_rgba8();
    for Rgba([red, green, blue, alpha]) in pixels.pixels_mut() {
        for channel in [red, green, blue] {
            let weighted = u16::from(*channel) * u16::from(*alpha) / 255;
            *channel = u8::try_from(weighted).expect("a share of a channel is a channel");
        }
    }
    Cow::Owned(pixels.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::testing;
    use image::RgbaImage;

    #[test]
    fn a_transparent_neighbour_does_not_bleed() {
        let half = RgbaImage::from_fn(16, 16, |x, _| if x < 8 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 255, 0, 0]) });
        let deep = DynamicImage::ImageRgba16(DynamicImage::from(half.clone()).to_rgba16());
        for image in [half.into(), deep] {
            let picture = Picture { image, icc: None };
            let large = enlarge(&picture, Size { width: 32, height: 32 }).unwrap().image.to_rgba8();
            let greenest = large.pixels().filter(|pixel| pixel[3] > 8).map(|pixel| pixel[1]).max();
            assert_eq!(greenest, Some(0));
        }
    }

    /// Whatever lies under it, on black and on white the same is seen: no edge is darker or lighter.
    #[test]
    fn the_edge_of_a_cut_out_does_not_show_what_was_hidden() {
        let cut_out = |hidden: u8| {
            let image = image::GrayAlphaImage::from_fn(24, 24, |x, y| {
                let alpha = u8::try_from((x.abs_diff(12) + y.abs_diff(12)) * 40).unwrap_or(255);
                image::LumaA([if alpha == 255 { hidden } else { 120 }, 255 - alpha])
            });
            Picture { image: image.into(), icc: None }
        };
        let seen = |hidden: u8, behind: u8| {
            let large = enlarge(&cut_out(hidden), Size { width: 60, height: 60 }).unwrap();
            crate::craft::flatten(large, [behind; 3]).unwrap().image.to_luma8()
        };
        for behind in [0, 255, 120] {
            let expected = seen(120, behind);
            for hidden in [0, 255] {
                assert_eq!(seen(hidden, behind), expected, "{hidden} on {behind}");
            }
            // Colours multiplied by their opacity are rounded to 8 bits.
            let rounding = if behind == 120 { 2 } else { 0 };
            let bounds = behind.min(120) - rounding..=behind.max(120) + rounding;
            assert!(expected.pixels().all(|pixel| bounds.contains(&pixel[0])), "{behind}");
        }
    }

    #[test]
    fn the_result_is_like_its_source_or_refused() {
        let source = testing::gradient(200, 120);
        let to = Size { width: 513, height: 300 };
        let good = enlarge(&source, to).unwrap();
        assert_eq!((good.image.width(), good.image.height()), (513, 300));
        assert_eq!(check_enlarged(&source, &good), Ok(()));
        let black = Picture { image: DynamicImage::new_rgb8(513, 300), icc: None };
        assert!(matches!(check_enlarged(&source, &black), Err(CraftError::LooksWrong(_))));
        let mut swapped = good.image.to_rgb8();
        swapped.pixels_mut().for_each(|pixel| pixel.0.swap(0, 2));
        let swapped = Picture { image: swapped.into(), icc: None };
        assert!(check_enlarged(&source, &swapped).is_err());
    }

    /// A cut-out was refused where what lay under its transparency was not black.
    #[test]
    fn what_is_hidden_does_not_count() {
        let cut_out = |hidden: [u8; 3]| {
            RgbaImage::from_fn(96, 96, |x, y| {
                let edge = 40 - (x.abs_diff(48).pow(2) + y.abs_diff(48).pow(2)).isqrt().min(40);
                let alpha = u8::try_from((edge * 40).min(255)).unwrap();
                let [r, g, b] = if alpha == 0 { hidden } else { [90, 140, 60] };
                Rgba([r, g, b, alpha])
            })
        };
        let black_of = |picture: &Picture| {
            let mut image = picture.image.to_rgba8();
            image.pixels_mut().for_each(|pixel| pixel.0[..3].fill(0));
            image
        };
        let seen = cut_out([0; 3]);
        let to = Size { width: 300, height: 300 };
        for hidden in [[255; 3], [0; 3], [0, 255, 0], [255, 0, 255]] {
            let image = cut_out(hidden);
            let deep = DynamicImage::ImageRgba16(DynamicImage::from(image.clone()).to_rgba16());
            let grey = DynamicImage::from(image.clone()).to_luma_alpha8().into();
            for image in [image.into(), deep, grey] {
                let has_color = image.color().has_color();
                let source = Picture { image, icc: None };
                let good = enlarge(&source, to).unwrap();
                assert_eq!(check_enlarged(&source, &good), Ok(()), "{hidden:?}");
                let opaque = Picture { image: good.image.to_rgb8().into(), icc: None };
                assert!(check_enlarged(&source, &opaque).is_err(), "{hidden:?} without transparency");
                let black = black_of(&good);
                assert!(
                    check_enlarged(&source, &Picture { image: black.into(), icc: None }).is_err(),
                    "{hidden:?} black"
                );
                let first = Picture { image: seen.clone().into(), icc: None };
                assert_eq!(check_enlarged(&first, &good).is_ok(), has_color, "{hidden:?}");
            }
        }
    }

    #[test]
    fn small_noise_passes_and_small_blackness_does_not() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        for _ in 0..300 {
            let image = image::RgbImage::from_fn(48, 40, |_, _| image::Rgb([noise(), noise(), noise()]));
            let source = Picture { image: image.into(), icc: None };
            let large = enlarge(&source, Size { width: 120, height: 100 }).unwrap();
            assert_eq!(check_enlarged(&source, &large), Ok(()));
            let black = Picture { image: DynamicImage::new_rgb8(120, 100), icc: None };
            assert!(check_enlarged(&source, &black).is_err());
        }
    }

    #[test]
    fn every_pixel_type_is_enlarged_as_it_is() {
        let image = testing::gradient(20, 10).image;
        let types = [
            image.to_luma8().into(),
            image.to_luma_alpha8().into(),
            image.to_rgba8().into(),
            DynamicImage::ImageLuma16(image.to_luma16()),
            DynamicImage::ImageRgb16(image.to_rgb16()),
            DynamicImage::ImageRgba16(image.to_rgba16()),
        ];
        for image in types {
            let color = image.color();
            let large = enlarge(&Picture { image, icc: None }, Size { width: 40, height: 20 }).unwrap();
            assert_eq!((large.image.color(), large.image.width()), (color, 40));
        }
    }
}
