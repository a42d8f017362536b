use std::borrow::Cow;

use image::{ColorType, DynamicImage, ImageBuffer, Rgb, RgbImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::icc_public::without_texts;
use super::{CraftError, Picture, icc_in};
use crate::model::Format;

/// Returns the sRGB profile that exported pictures carry: version 2, which every program reads, and always the same
/// bytes.
pub fn srgb_profile() -> &'static [u8] {
    include_bytes!("srgb.icc")
}

/// Returns the profile of grey pictures, with the curve of sRGB. `tests/profiles.py` writes both.
pub fn grey_profile() -> &'static [u8] {
    include_bytes!("grey.icc")
}

/// What is told of a picture whose profile cannot be used.
pub(super) const NO_PROFILE: &str = "its colour profile cannot be used, and it is taken for sRGB";

/// What is told of a picture that was to keep its profile.
const UNKNOWN_PARTS: &str = "its own colour profile has parts that are not known here, and it becomes sRGB";

/// Returns a picture with a profile that fits it, or without one, and then what there is to tell. A grey picture with a
/// profile of colours, which some programs write, gets a grey one.
pub fn with_fit_profile(picture: Picture) -> (Picture, Option<&'static str>) {
    let Some(icc) = &picture.icc else { return (picture, None) };
    let is_colored = picture.image.color().has_color();
    let space = usable(icc, &picture.image).map(|profile| profile.color_space);
    match space {
        Some(DataColorSpace::Rgb) if !is_colored => match to_srgb(picture.clone()) {
            Ok(picture) => (picture, None),
            Err(_) => (Picture { icc: None, ..picture }, Some(NO_PROFILE)),
        },
        Some(_) => (picture, None),
        None => (Picture { icc: None, ..picture }, Some(NO_PROFILE)),
    }
}

/// Reads a profile; `None` if it cannot be read, or is of another space than the picture.
fn usable(icc: &[u8], image: &DynamicImage) -> Option<ColorProfile> {
    let profile = icc_in::read(icc)?;
    let fits = match profile.color_space {
        DataColorSpace::Rgb => true,
        DataColorSpace::Gray => !image.color().has_color(),
        _ => false,
    };
    let is_gray = profile.color_space == DataColorSpace::Gray;
    let (layout, target) = (if is_gray { Layout::Gray } else { Layout::Rgb }, ColorProfile::new_srgb());
    // A profile may lack what turns its colours into others.
    let works = || profile.create_transform_8bit(layout, &target, Layout::Rgb, TransformOptions::default()).is_ok();
    (fits && works()).then_some(profile)
}

/// Returns whether a picture with this profile shows the same without it: it is that of sRGB or of its greys, whoever
/// wrote it, and changes no value by more than rounding does; or it cannot be used, and the picture is taken for sRGB.
pub(super) fn shows_as_srgb(icc: &[u8]) -> bool {
    is_like_srgb(icc, icc_in::read)
}

/// Returns whether a profile makes no difference for the hash of what a picture shows: hashes on record were made of
/// profiles as the colour engine reads them.
pub(super) fn is_hashed_as_srgb(icc: &[u8]) -> bool {
    is_like_srgb(icc, |icc| ColorProfile::new_from_slice(icc).ok())
}

fn is_like_srgb(icc: &[u8], read: impl Fn(&[u8]) -> Option<ColorProfile>) -> bool {
    if [srgb_profile(), grey_profile()].contains(&icc) {
        return true;
    }
    let Some(profile) = read(icc) else { return true };
    let steps = || (0..=15).map(|step| step * 17);
    let (layout, values): (_, Vec<u8>) = match profile.color_space {
        DataColorSpace::Gray => (Layout::Gray, (0..=255).collect()),
        DataColorSpace::Rgb => {
            let pairs = || steps().flat_map(|red| steps().map(move |green| [red, green]));
            (Layout::Rgb, pairs().flat_map(|[red, green]| steps().flat_map(move |blue| [red, green, blue])).collect())
        }
        _ => return false,
    };
    let (target, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let Ok(transform) = profile.create_transform_8bit(layout, &target, Layout::Rgb, options) else { return true };
    let each = if layout == Layout::Gray { 3 } else { 1 };
    let mut turned = vec![0; values.len() * each];
    let is_turned = transform.transform(&values, &mut turned).is_ok();
    is_turned && turned.iter().enumerate().all(|(at, value)| value.abs_diff(values[at / each]) <= 1)
}

/// Returns the profile that a public file has in place of this one: it turns colours alike, and says nothing else; `None` if
/// nobody here can tell what this one says.
pub(super) fn public_profile(icc: &[u8]) -> Option<Vec<u8>> {
    if [srgb_profile(), grey_profile()].contains(&icc) { Some(icc.to_vec()) } else { without_texts(icc) }
}

/// Returns a picture in sRGB, a grey one as grey. A picture without a profile is sRGB by convention; one with a
/// profile that cannot be used is taken for sRGB, as every viewer does.
pub fn to_srgb(picture: Picture) -> Result<Picture, CraftError> {
    let own = picture.image.color().has_color();
    let srgb = Some(if own { srgb_profile() } else { grey_profile() }.to_vec());
    let mut image = picture.image;
    // What is in sRGB stays as it is, to the last bit.
    let profile = picture.icc.filter(|icc| srgb.as_ref() != Some(icc)).and_then(|icc| usable(&icc, &image));
    let Some(profile) = profile else { return Ok(Picture { image, icc: srgb }) };
    macro_rules! convert {
        ($pixels:expr, $create:ident, $layout:expr) => {{
            let target = ColorProfile::new_srgb();
            let transform =
                profile.$create($layout, &target, $layout, TransformOptions::default()).map_err(|e| wrong(&e))?;
            let source = $pixels.as_raw().clone();
            transform.transform(&source, $pixels).map_err(|error| wrong(&error))?;
        }};
    }
    match &mut image {
        DynamicImage::ImageRgb8(pixels) => convert!(pixels, create_transform_8bit, Layout::Rgb),
        DynamicImage::ImageRgba8(pixels) => convert!(pixels, create_transform_8bit, Layout::Rgba),
        DynamicImage::ImageRgb16(pixels) => convert!(pixels, create_transform_16bit, Layout::Rgb),
        DynamicImage::ImageRgba16(pixels) => convert!(pixels, create_transform_16bit, Layout::Rgba),
        grey => grey_to_srgb(grey, &profile)?,
    }
    Ok(Picture { image, icc: srgb })
}

/// Returns whether a format holds such pixels as they are, transparency aside: JPEG and WebP are never grey here.
pub(super) fn holds(color: ColorType, format: Format) -> bool {
    match format {
        Format::Jpeg | Format::Webp => color.has_color(),
        Format::Png | Format::Tiff => true,
    }
}

/// Returns a picture in its own colours if it has a profile, and the format can hold both; else in sRGB, and what there is to
/// tell of that.
pub fn in_own(picture: Picture, format: Format) -> Result<(Picture, Option<&'static str>), CraftError> {
    let Some(icc) = picture.icc.as_deref().filter(|_| holds(picture.image.color(), format)) else {
        return Ok((to_srgb(picture)?, None));
    };
    match public_profile(icc) {
        Some(icc) => Ok((Picture { icc: Some(icc), ..picture }, None)),
        None => Ok((to_srgb(picture)?, Some(UNKNOWN_PARTS))),
    }
}

fn wrong(error: &moxcms::CmsError) -> CraftError {
    CraftError::Unsupported(format!("its colours cannot be converted: {}", super::on_one_line(error)))
}

/// Turns each grey of a picture into that of sRGB.
fn grey_to_srgb(image: &mut DynamicImage, profile: &ColorProfile) -> Result<(), CraftError> {
    let target = ColorProfile::new_srgb();
    let is_gray = profile.color_space == DataColorSpace::Gray;
    let layout = if is_gray { Layout::Gray } else { Layout::Rgb };
    let transform = profile
        .create_transform_16bit(layout, &target, Layout::Rgb, TransformOptions::default())
        .map_err(|e| wrong(&e))?;
    // Bytes are the same share of 255.
    let step = if matches!(image, DynamicImage::ImageLuma8(_) | DynamicImage::ImageLumaA8(_)) { 257 } else { 1 };
    let greys = (0..=u16::MAX).step_by(step);
    let ramp: Vec<u16> = greys.flat_map(|grey| std::iter::repeat_n(grey, if is_gray { 1 } else { 3 })).collect();
    let mut turned = vec![0; if is_gray { ramp.len() * 3 } else { ramp.len() }];
    transform.transform(&ramp, &mut turned).map_err(|error| wrong(&error))?;
    let of = |grey: u16| turned[usize::from(grey) * 3 + 1];
    let of_byte = |grey: u8| u8::try_from((u32::from(of(grey.into())) + 128) / 257).expect("a share of 255");
    match image {
        DynamicImage::ImageLuma8(pixels) => pixels.pixels_mut().for_each(|pixel| pixel[0] = of_byte(pixel[0])),
        DynamicImage::ImageLumaA8(pixels) => pixels.pixels_mut().for_each(|pixel| pixel[0] = of_byte(pixel[0])),
        DynamicImage::ImageLuma16(pixels) => pixels.pixels_mut().for_each(|pixel| pixel[0] = of(pixel[0])),
        DynamicImage::ImageLumaA16(pixels) => pixels.pixels_mut().for_each(|pixel| pixel[0] = of(pixel[0])),
        _ => (),
    }
    Ok(())
}

/// The values of inks, cyan, magenta, yellow and black one after another; the largest value is full ink.
pub(super) enum Inks {
    Bytes(Vec<u8>),
    Deep(Vec<u16>),
}

/// Returns the picture that inks make, in sRGB by their profile. Without one that can be used, they are mixed as if
/// they were ideal; then the picture's profile is an empty one, so that this is told.
pub(super) fn printed(size: (u32, u32), inks: &Inks, icc: Option<Vec<u8>>) -> Result<Picture, CraftError> {
    let short = || CraftError::Damaged("it holds fewer pixels than it says".to_owned());
    let of_inks = |profile: &ColorProfile| profile.color_space == DataColorSpace::Cmyk;
    let profile = icc.as_deref().and_then(icc_in::read).filter(of_inks);
    let (target, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    macro_rules! print {
        ($inks:expr, $full:expr, $buffer:ty, $create:ident) => {{
            let mut pixels = vec![0; $inks.len() / 4 * 3];
            let by_profile = profile.as_ref().and_then(|profile| {
                let transform = profile.$create(Layout::Rgba, &target, Layout::Rgb, options).ok()?;
                transform.transform($inks, &mut pixels).ok()
            });
            if by_profile.is_none() {
                for (pixel, inks) in pixels.chunks_exact_mut(3).zip($inks.chunks_exact(4)) {
                    let white = |ink| u32::from($full - ink);
                    for (channel, ink) in pixel.iter_mut().zip(inks) {
                        let mixed = (white(*ink) * white(inks[3]) + u32::from($full) / 2) / u32::from($full);
                        *channel = mixed.try_into().expect("a share of the largest value");
                    }
                }
            }
            let image = <$buffer>::from_raw(size.0, size.1, pixels).ok_or_else(short)?;
            (DynamicImage::from(image), by_profile.is_some())
        }};
    }
    let (image, by_profile) = match inks {
        Inks::Bytes(inks) => print!(inks, u8::MAX, RgbImage, create_transform_8bit),
        Inks::Deep(inks) => print!(inks, u16::MAX, ImageBuffer<Rgb<u16>, Vec<u16>>, create_transform_16bit),
    };
    let unusable = icc.map(|_| Vec::new());
    Ok(Picture { image, icc: if by_profile { Some(srgb_profile().to_vec()) } else { unusable } })
}

/// Returns whether something of a picture, or of some rows of one, is not opaque.
pub(super) fn is_transparent(image: &DynamicImage) -> bool {
    match image {
        DynamicImage::ImageLumaA8(pixels) => pixels.pixels().any(|pixel| pixel[1] < u8::MAX),
        DynamicImage::ImageLumaA16(pixels) => pixels.pixels().any(|pixel| pixel[1] < u16::MAX),
        DynamicImage::ImageRgba8(pixels) => pixels.pixels().any(|pixel| pixel[3] < u8::MAX),
        DynamicImage::ImageRgba16(pixels) => pixels.pixels().any(|pixel| pixel[3] < u16::MAX),
        _ => false,
    }
}

/// Returns a picture on a background, which is in sRGB, without transparency.
pub fn flatten(picture: Picture, background: [u8; 3]) -> Result<Picture, CraftError> {
    if !picture.image.color().has_alpha() {
        return Ok(picture);
    }
    let picture = match colored(&picture)? {
        Cow::Borrowed(_) => picture,
        Cow::Owned(colored) => colored,
    };
    let background = in_space_of(&picture, background).unwrap_or(background);
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
    Ok(Picture { image: flat.into(), icc: picture.icc })
}

/// Returns a picture that is not grey: a grey one as colours of sRGB.
pub(super) fn colored(picture: &Picture) -> Result<Cow<'_, Picture>, CraftError> {
    if picture.image.color().has_color() {
        return Ok(Cow::Borrowed(picture));
    }
    let Picture { image, icc } = to_srgb(picture.clone())?;
    let image = match image {
        DynamicImage::ImageLuma8(_) => DynamicImage::from(image.to_rgb8()),
        DynamicImage::ImageLumaA8(_) => image.to_rgba8().into(),
        DynamicImage::ImageLuma16(_) => image.to_rgb16().into(),
        _ => image.to_rgba16().into(),
    };
    Ok(Cow::Owned(Picture { image, icc: icc.map(|_| srgb_profile().to_vec()) }))
}

/// Returns a colour of sRGB in the space of a picture; `None` if that has no other one.
fn in_space_of(picture: &Picture, color: [u8; 3]) -> Option<[u8; 3]> {
    let icc = picture.icc.as_ref().filter(|icc| icc.as_slice() != srgb_profile())?;
    let profile = usable(icc, &picture.image)?;
    let options = TransformOptions::default();
    let transform = ColorProfile::new_srgb().create_transform_8bit(Layout::Rgb, &profile, Layout::Rgb, options).ok()?;
    let mut turned = [0; 3];
    transform.transform(&color, &mut turned).ok()?;
    Some(turned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::icc::{Primaries, SRGB, grey, rgb};
    use image::{Rgba, RgbaImage};
    use std::collections::BTreeMap;

    /// Programs write sRGB in other bytes, and as another curve or other primaries it is none.
    #[test]
    fn a_profile_of_srgb_is_known_whoever_wrote_it() {
        let curve = |value: f64| if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
        let rows = [
            ("ours", srgb_profile().to_vec(), true),
            ("our grey", grey_profile().to_vec(), true),
            ("a table", rgb(&SRGB, curve).unwrap(), true),
            ("a grey table", grey(curve), true),
            ("a formula", ColorProfile::new_srgb().encode().unwrap(), true),
            ("gamma 2.2", rgb(&SRGB, |value| value.powf(2.2)).unwrap(), false),
            ("a grey gamma", grey(|value| value.powf(2.2)), false),
            ("D50", rgb(&Primaries { white: [0.3457, 0.3585], ..SRGB }, curve).unwrap(), false),
            ("Display P3", ColorProfile::new_display_p3().encode().unwrap(), false),
            ("Adobe RGB", ColorProfile::new_adobe_rgb().encode().unwrap(), false),
            ("none that anybody can read", b"icc".to_vec(), true),
            ("nothing", Vec::new(), true),
        ];
        for (what, icc, expected) in rows {
            assert_eq!(shows_as_srgb(&icc), expected, "{what}");
        }
    }

    #[test]
    fn transparency_shows_the_background() {
        let image = RgbaImage::from_fn(3, 1, |x, _| Rgba([200, 100, 0, [255, 0, 128][x as usize]]));
        let flat = flatten(Picture { image: image.into(), icc: None }, [255, 255, 255]).unwrap().image.to_rgb8();
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

    /// Returns the tags of a profile by their names; it must be laid out as ICC.1:2001-04 says.
    fn tags(bytes: &[u8]) -> BTreeMap<&[u8], &[u8]> {
        let number = |at: usize| u32::from_be_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
        assert_eq!(number(0), bytes.len(), "the length in its head");
        assert_eq!(bytes[8], 2, "version 2");
        assert_eq!((&bytes[12..16], &bytes[20..24], &bytes[36..40]), (&b"mntr"[..], &b"XYZ "[..], &b"acsp"[..]));
        assert_eq!(bytes[68..80], D50, "the illuminant");
        let entries = bytes[132..].chunks_exact(12).take(number(128)).enumerate();
        entries
            .map(|(n, entry)| {
                let (at, length) = (number(132 + 12 * n + 4), number(132 + 12 * n + 8));
                assert!(at % 4 == 0 && at >= 132 + 12 * number(128), "each tag begins at a multiple of four");
                (&entry[..4], &bytes[at..at + length])
            })
            .collect()
    }

    const D50: [u8; 12] = [0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d];

    /// The profile had a white point and a coding of primaries that other programs called malformed.
    #[test]
    #[expect(clippy::cast_precision_loss, reason = "an index of a table of 1024")]
    fn the_profiles_are_srgb() {
        let xyz = |tag: &[u8]| {
            assert_eq!(tag[..8], *b"XYZ \0\0\0\0");
            [8, 12, 16].map(|at| f64::from(i32::from_be_bytes(*tag[at..].first_chunk().unwrap())) / 65_536.0)
        };
        let curve = |tag: &[u8]| {
            assert_eq!(tag[..12], *b"curv\0\0\0\0\0\0\x04\0");
            for (at, value) in tag[12..].chunks_exact(2).enumerate() {
                let x = at as f64 / 1023.0;
                let linear = if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) };
                let value = f64::from(u16::from_be_bytes([value[0], value[1]]));
                assert!((linear * 65_535.0 - value).abs() <= 0.51, "{at}");
            }
            assert_eq!(tag.len(), 12 + 2 * 1024);
        };
        for (bytes, space) in [(srgb_profile(), b"RGB "), (grey_profile(), b"GRAY")] {
            assert_eq!(&bytes[16..20], space);
            let tags = tags(bytes);
            assert_eq!(tags[&b"wtpt"[..]][8..], D50, "the white of a screen in version 2");
            // Version 2 has D50 as its white, so nothing was adapted that `chad` would tell.
            assert_eq!(tags.get(&b"chad"[..]), None);
            ColorProfile::new_from_slice(bytes).unwrap();
        }
        let (rgb, grey) = (tags(srgb_profile()), tags(grey_profile()));
        curve(grey[&b"kTRC"[..]]);
        for name in [b"rTRC", b"gTRC", b"bTRC"] {
            curve(rgb[&name[..]]);
        }
        let columns = [b"rXYZ", b"gXYZ", b"bXYZ"].map(|name| xyz(rgb[&name[..]]));
        // IEC 61966-2-1, adapted to D50 by Bradford.
        let expected = [[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71390]];
        for (column, expected) in columns.iter().zip(expected) {
            assert!(column.iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 4e-5), "{column:?}");
        }
        let white = xyz(rgb[&b"wtpt"[..]]);
        for (row, white) in white.into_iter().enumerate() {
            let sum = columns[0][row] + columns[1][row] + columns[2][row];
            assert!((sum - white).abs() < 1e-9, "equal parts of the three are white");
        }
    }

    /// The profile of a grey picture did not count: Dot Gain 20 % was off by 17 of 255.
    #[test]
    fn a_grey_stays_grey_and_becomes_srgb() {
        let ramp = image::GrayImage::from_fn(256, 1, |x, _| image::Luma([u8::try_from(x).unwrap()]));
        let image: DynamicImage = ramp.clone().into();
        let linear = crate::craft::icc::grey(|value| value);
        let colors = crate::craft::icc::rgb(&crate::craft::icc::SRGB, |value| value).unwrap();
        // A value of 64 of 255 is light that sRGB gives with 137.
        for (icc, expected) in [(linear, 137), (colors, 137), (grey_profile().to_vec(), 64), (Vec::new(), 64)] {
            let deep = DynamicImage::ImageLuma16(image.to_luma16());
            for image in [image.clone(), image.to_luma_alpha8().into(), deep] {
                let color = image.color();
                let (picture, told) = with_fit_profile(Picture { image, icc: Some(icc.clone()) });
                assert_eq!(told.is_some(), icc.is_empty());
                let turned = to_srgb(picture).unwrap();
                assert_eq!((turned.image.color(), turned.icc.as_deref()), (color, Some(grey_profile())));
                assert_eq!(turned.image.to_luma8().get_pixel(64, 0).0, [expected]);
            }
        }
    }

    #[test]
    fn own_colours_stay_where_the_format_holds_them() {
        let pixel = [200, 60, 60, 128];
        let color: DynamicImage = RgbaImage::from_pixel(2, 2, Rgba(pixel)).into();
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let linear = crate::craft::icc::grey(|value| value);
        let grey: DynamicImage = image::GrayImage::from_pixel(2, 2, image::Luma([64])).into();
        let faint: DynamicImage = grey.to_luma_alpha8().into();
        for (image, icc, kept) in [
            (&color, Some(p3.clone()), [true; 4]),
            (&color, None, [false; 4]),
            (&grey, Some(linear.clone()), [false, true, false, true]),
            (&faint, Some(linear), [false, true, false, true]),
        ] {
            for (format, kept) in Format::ALL.into_iter().zip(kept) {
                let picture = Picture { image: image.clone(), icc: icc.clone() };
                let (own, told) = in_own(picture, format).unwrap();
                assert_eq!(told, None);
                let public = icc.as_deref().and_then(public_profile);
                assert_eq!(own.icc == public && own.image == *image, kept, "{format:?}");
            }
        }
        // One with tags that are not read here becomes sRGB, and that is told.
        let mut odd = p3.clone();
        odd[132..136].copy_from_slice(b"D2B0");
        let (own, told) = in_own(Picture { image: color.clone(), icc: Some(odd) }, Format::Png).unwrap();
        assert_eq!((own.icc.as_deref(), told), (Some(srgb_profile()), Some(UNKNOWN_PARTS)));
        // The colour behind it is that of the settings, in the picture's own space: pure red of sRGB is less of P3.
        let flat = flatten(Picture { image: RgbaImage::new(1, 1).into(), icc: Some(p3) }, [255, 0, 0]).unwrap();
        let [red, green, blue] = flat.image.to_rgb8().get_pixel(0, 0).0;
        assert!(
            (230..=236).contains(&red) && (48..=54).contains(&green) && (32..=38).contains(&blue),
            "{red} {green} {blue}"
        );
    }

    #[test]
    fn a_profile_that_does_not_fit_is_told() {
        let color: DynamicImage = RgbImage::from_pixel(2, 2, Rgb([200, 60, 60])).into();
        let grey: DynamicImage = color.to_luma8().into();
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        for (image, icc, is_told) in [
            (&color, None, false),
            (&color, Some(srgb_profile().to_vec()), false),
            (&color, Some(p3.clone()), false),
            (&color, Some(grey_profile().to_vec()), true),
            (&color, Some(p3[..200].to_vec()), true),
            (&color, Some(Vec::new()), true),
            (&grey, Some(grey_profile().to_vec()), false),
            (&grey, Some(p3), false),
        ] {
            let (picture, told) = with_fit_profile(Picture { image: image.clone(), icc: icc.clone() });
            assert_eq!(told.is_some(), is_told, "{:?}", icc.map(|icc| icc.len()));
            assert!(!is_told || picture.icc.is_none());
            assert!(to_srgb(picture).is_ok());
        }
    }

    #[test]
    fn srgb_stays_as_it_is() {
        let image =
            RgbImage::from_fn(256, 3, |x, y| Rgb([x, 255 - x, x * (y + 1) % 256].map(|v| u8::try_from(v).unwrap())));
        let picture = Picture { image: image.clone().into(), icc: Some(srgb_profile().to_vec()) };
        let same = to_srgb(picture).unwrap().image.to_rgb8();
        assert!(image.as_raw().iter().zip(same.as_raw()).all(|(a, b)| a == b));
    }
}
