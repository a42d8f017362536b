use image::{DynamicImage, Rgb, RgbImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::{CraftError, Picture};

/// Returns the sRGB profile that exported pictures carry: version 2, which every program reads, and always the same
/// bytes.
pub fn srgb_profile() -> &'static [u8] {
    include_bytes!("srgb.icc")
}

/// Returns a picture in sRGB. A picture without a profile is sRGB by convention; one with a
/// profile that cannot be read is taken for sRGB, as every viewer does.
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
    }

    /// The profile had a white point and a coding of primaries that other programs called malformed.
    #[test]
    #[expect(clippy::cast_precision_loss, reason = "an index of a table of 1024")]
    fn the_profile_is_srgb() {
        let bytes = srgb_profile();
        assert_eq!(bytes[..4], u32::try_from(bytes.len()).unwrap().to_be_bytes());
        let profile = ColorProfile::new_from_slice(bytes).unwrap();
        let columns = [profile.red_colorant, profile.green_colorant, profile.blue_colorant];
        // IEC 61966-2-1, adapted to D50.
        let expected = [[0.436, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]];
        for (colorant, expected) in columns.iter().zip(expected) {
            for (value, expected) in [colorant.x, colorant.y, colorant.z].into_iter().zip(expected) {
                assert!((value - expected).abs() < 2e-4, "{value} {expected}");
            }
        }
        for curve in [&profile.red_trc, &profile.green_trc, &profile.blue_trc] {
            let Some(moxcms::ToneReprCurve::Lut(table)) = curve else { panic!("{curve:?}") };
            assert_eq!(table.len(), 1024);
            for (at, value) in table.iter().enumerate() {
                let x = at as f64 / 1023.0;
                let linear = if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) };
                assert!((linear * 65_535.0 - f64::from(*value)).abs() <= 0.51, "{at}");
            }
        }
    }

    #[test]
    fn srgb_stays_as_it_is() {
        let image =
            RgbImage::from_fn(256, 3, |x, y| Rgb([x, 255 - x, x * (y + 1) % 256].map(|v| u8::try_from(v).unwrap())));
        let picture = Picture { image: image.clone().into(), icc: Some(srgb_profile().to_vec()) };
        let same = to_srgb(picture).unwrap().image.to_rgb8();
        assert!(image.as_raw().iter().zip(same.as_raw()).all(|(a, b)| a.abs_diff(*b) <= 1));
    }
}
