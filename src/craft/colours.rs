//! The colours that a picture is stored in, told from its head.

use moxcms::{ColorProfile, DataColorSpace, Xyzd};
use tiff::ColorType;

use super::color::shows_as_srgb;
use super::decode::stored_colours;
use super::picture::Limits;
use super::png_in::PngRows;
use super::{icc_in, jpeg, tiff_in};
use crate::model::{ColourSpace, Colours, Kind};

/// Profiles of one space, by different programs, differ by less.
const NEAR: f64 = 0.003;
/// Where the header of a JPEG's frame says how many channels it has.
const CHANNELS_AT: usize = 5;

/// Returns the colours that a picture is stored in; `None` where nobody can tell.
pub fn colours(bytes: &[u8], kind: Kind, limits: &Limits) -> Option<Colours> {
    match kind {
        Kind::Jpeg => {
            let is_frame = |marker| matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
            let mut parts = jpeg::parts(bytes).map_while(Result::ok);
            let channels = *parts.find(|part| is_frame(part.marker))?.body.get(CHANNELS_AT)?;
            let space = if channels == 4 { ColourSpace::Inks } else { space(jpeg::profile(bytes).as_deref()) };
            Some(Colours { space, is_grey: channels == 1 })
        }
        Kind::Png => {
            let rows = PngRows::new(bytes.into(), limits).ok()?;
            Some(Colours { space: space(rows.icc.as_deref()), is_grey: rows.is_grey() })
        }
        Kind::Tiff => {
            let (icc, color) = tiff_in::stored_colours(bytes, limits)?;
            let is_inks = matches!(color, ColorType::CMYK(_) | ColorType::CMYKA(_));
            let space = if is_inks { ColourSpace::Inks } else { space(icc.as_deref()) };
            Some(Colours { space, is_grey: matches!(color, ColorType::Gray(_) | ColorType::GrayA(_)) })
        }
        _ => {
            let (icc, is_grey) = stored_colours(bytes, kind)?;
            Some(Colours { space: space(icc.as_deref()), is_grey })
        }
    }
}

/// Returns what a profile says that values mean. What shows as sRGB is taken for it, whoever wrote it.
fn space(icc: Option<&[u8]>) -> ColourSpace {
    let Some(icc) = icc.filter(|icc| !shows_as_srgb(icc)) else { return ColourSpace::Srgb };
    let Some(profile) = icc_in::read(icc) else { return ColourSpace::Other };
    if profile.color_space == DataColorSpace::Cmyk {
        return ColourSpace::Inks;
    }
    let known = [
        (ColorProfile::new_adobe_rgb(), ColourSpace::AdobeRgb),
        (ColorProfile::new_pro_photo_rgb(), ColourSpace::ProphotoRgb),
        (ColorProfile::new_display_p3(), ColourSpace::DisplayP3),
    ];
    let is_rgb = profile.color_space == DataColorSpace::Rgb;
    let found = known.into_iter().find(|(other, _)| is_rgb && are_near(&profile, other));
    found.map_or(ColourSpace::Other, |(_, space)| space)
}

/// Returns whether two profiles have the same red, green and blue.
fn are_near(one: &ColorProfile, other: &ColorProfile) -> bool {
    let columns = |profile: &ColorProfile| [profile.red_colorant, profile.green_colorant, profile.blue_colorant];
    let values = |columns: [Xyzd; 3]| columns.map(|colour| [colour.x, colour.y, colour.z]);
    let (one, other) = (values(columns(one)), values(columns(other)));
    one.as_flattened().iter().zip(other.as_flattened()).all(|(a, b)| (a - b).abs() < NEAR)
}

#[cfg(test)]
mod tests {
    use image::DynamicImage;

    use super::*;
    use crate::craft::{Picture, encode, grey_profile, srgb_profile};
    use crate::model::Format;

    /// What lay in a bundle for a market of sRGB could have any colours.
    #[test]
    fn colours_are_told_from_the_profile_and_the_channels() {
        let coloured = || DynamicImage::ImageRgb8(image::RgbImage::from_pixel(9, 9, image::Rgb([9, 90, 200])));
        let grey = || DynamicImage::ImageLuma8(image::GrayImage::from_pixel(9, 9, image::Luma([90])));
        let of = |profile: ColorProfile| Some(profile.encode().unwrap());
        let rows = [
            (coloured(), None, Format::Jpeg, Some((ColourSpace::Srgb, false))),
            (coloured(), Some(srgb_profile().to_vec()), Format::Jpeg, Some((ColourSpace::Srgb, false))),
            (coloured(), of(ColorProfile::new_srgb()), Format::Jpeg, Some((ColourSpace::Srgb, false))),
            (coloured(), of(ColorProfile::new_adobe_rgb()), Format::Jpeg, Some((ColourSpace::AdobeRgb, false))),
            (coloured(), of(ColorProfile::new_pro_photo_rgb()), Format::Png, Some((ColourSpace::ProphotoRgb, false))),
            (coloured(), of(ColorProfile::new_display_p3()), Format::Png, Some((ColourSpace::DisplayP3, false))),
            (coloured(), of(ColorProfile::new_bt2020()), Format::Png, Some((ColourSpace::Other, false))),
            (coloured(), of(ColorProfile::new_display_p3()), Format::Webp, Some((ColourSpace::DisplayP3, false))),
            (coloured(), of(ColorProfile::new_display_p3()), Format::Tiff, Some((ColourSpace::DisplayP3, false))),
            (grey(), Some(grey_profile().to_vec()), Format::Png, Some((ColourSpace::Srgb, true))),
            (grey(), Some(grey_profile().to_vec()), Format::Tiff, Some((ColourSpace::Srgb, true))),
        ];
        for (image, icc, format, expected) in rows {
            let bytes = encode(&Picture { image, icc }, format, 90).unwrap();
            let told = colours(&bytes, format.kind(), &Limits::default());
            assert_eq!(told.map(|told| (told.space, told.is_grey)), expected, "{format:?}");
        }
        for kind in [Kind::Jpeg, Kind::Png, Kind::Webp, Kind::Tiff] {
            assert_eq!(colours(b"\xff\xd8\xff", kind, &Limits::default()), None, "{kind}");
        }
        let mut grey_jpeg = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new(&mut grey_jpeg);
        grey().write_with_encoder(encoder).unwrap();
        let told = colours(&grey_jpeg, Kind::Jpeg, &Limits::default());
        assert_eq!(told, Some(Colours { space: ColourSpace::Srgb, is_grey: true }));
    }
}
