use std::sync::OnceLock;

use image::{DynamicImage, Rgb, RgbImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::{CraftError, Picture};

/// Where a profile's creation date lies, in bytes.
const PROFILE_DATE: std::ops::Range<usize> = 24..36;

/// Returns the sRGB profile that exported pictures carry: always the same bytes.
pub fn srgb_profile() -> &'static [u8] {
    static PROFILE: OnceLock<Vec<u8>> = OnceLock::new();
    PROFILE.get_or_init(|| {
        let mut bytes = ColorProfile::new_srgb().encode().expect("the built-in profile can be written");
        // The writer puts the present time there, and the same picture would never give the same file.
        bytes[PROFILE_DATE].copy_from_slice(&[0x07, 0xea, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
        bytes
    })
}

/// Returns a picture in sRGB. One without a profile is sRGB already, by custom; one with a profile
/// that cannot be read is taken for sRGB, as every viewer does.
pub fn to_srgb(picture: Picture) -> Result<Picture, CraftError> {
    let srgb = Some(srgb_profile().to_vec());
    let profile = picture.icc.as_deref().and_then(|icc| ColorProfile::new_from_slice(icc).ok());
    let color = picture.image.color();
    let Some(profile) = profile.filter(|profile| profile.color_space == DataColorSpace::Rgb && color.has_color())
    else {
        return Ok(Picture { image: picture.image, icc: srgb });
    };
    let target = ColorProfile::new_srgb();
    let wrong = |error: moxcms::CmsError| CraftError::Unsupported(format!("its colours cannot be converted: {error}"));
    let layout = if color.has_alpha() { Layout::Rgba } else { Layout::Rgb };
    let options = TransformOptions::default();
    let mut image = picture.image;
    match &mut image {
        DynamicImage::ImageRgb8(pixels) => {
            let transform = profile.create_transform_8bit(layout, &target, layout, options).map_err(wrong)?;
            let source = pixels.as_raw().clone();
            transform.transform(&source, pixels).map_err(wrong)?;
        }
        DynamicImage::ImageRgba8(pixels) => {
            let transform = profile.create_transform_8bit(layout, &target, layout, options).map_err(wrong)?;
            let source = pixels.as_raw().clone();
            transform.transform(&source, pixels).map_err(wrong)?;
        }
        DynamicImage::ImageRgb16(pixels) => {
            let transform = profile.create_transform_16bit(layout, &target, layout, options).map_err(wrong)?;
            let source = pixels.as_raw().clone();
            transform.transform(&source, pixels).map_err(wrong)?;
        }
        DynamicImage::ImageRgba16(pixels) => {
            let transform = profile.create_transform_16bit(layout, &target, layout, options).map_err(wrong)?;
            let source = pixels.as_raw().clone();
            transform.transform(&source, pixels).map_err(wrong)?;
        }
        _ => (),
    }
    Ok(Picture { image, icc: srgb })
}

/// Returns a picture on a background, without transparency.
pub fn flatten(picture: Picture, background: [u8; 3]) -> Picture {
    if !picture.image.color().has_alpha() {
        return picture;
    }
    let source = picture.image.to_rgba16();
    let behind = background.map(|channel| u64::from(channel) * 257);
    let flat = RgbImage::from_fn(source.width(), source.height(), |x, y| {
        let pixel = source.get_pixel(x, y);
        let alpha = u64::from(pixel[3]);
        let mix = |channel: usize| {
            let sum = u64::from(pixel[channel]) * alpha + behind[channel] * (65_535 - alpha);
            u8::try_from((sum / 65_535 + 128) / 257).expect("a mean of channels is a channel")
        };
        Rgb([mix(0), mix(1), mix(2)])
    });
    Picture { image: flat.into(), icc: picture.icc }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgba, RgbaImage};

    #[test]
    fn transparency_shows_the_background() {
        let image = RgbaImage::from_fn(3, 1, |x, _| Rgba([200, 100, 0, [255, 0, 128][x as usize]]));
        let flat = flatten(Picture { image: image.into(), icc: None }, [255, 255, 255]).image.to_rgb8();
        let pixels: Vec<[u8; 3]> = flat.pixels().map(|pixel| pixel.0).collect();
        assert_eq!(pixels, [[200, 100, 0], [255, 255, 255], [227, 177, 127]]);
    }

    #[test]
    fn a_wide_gamut_becomes_srgb_and_the_profile_is_always_the_same() {
        let icc = ColorProfile::new_display_p3().encode().unwrap();
        let image = RgbImage::from_pixel(4, 4, Rgb([200, 60, 60]));
        let converted = to_srgb(Picture { image: image.into(), icc: Some(icc) }).unwrap();
        let pixel = converted.image.to_rgb8().get_pixel(0, 0).0;
        assert!(pixel[0] > 205 && pixel[1] < 55, "{pixel:?}");
        assert_eq!(converted.icc.as_deref(), Some(srgb_profile()));
        assert_eq!(srgb_profile()[PROFILE_DATE], [0x07, 0xea, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
}
