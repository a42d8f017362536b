//! Reads a colour profile as its specification means it (ICC.1:2022), where the colour engine would take it in another way.

use moxcms::{ColorProfile, DataColorSpace, ProfileClass};

use super::icc_public::tag;

/// Where the version stands, and the two that the engine tells apart.
const VERSION_AT: usize = 8;
const EARLY: u8 = 2;
const LATE: u8 = 4;
/// Reads a profile; `None` if it cannot be read, or does not say how the colours of a picture look.
pub(super) fn read(icc: &[u8]) -> Option<ColorProfile> {
    let mut icc = icc.to_vec();
    let kind = |name: [u8; 4]| tag(&icc, name).and_then(|tag| tag.first_chunk().copied());
    // Lab is coded as in version 2 in tables of this type alone, whatever the version; the engine goes by the version.
    let version = match [*b"A2B0", *b"A2B1", *b"A2B2"].into_iter().find_map(kind) {
        Some(kind) if kind == *b"mft2" => Some(EARLY),
        Some(_) => Some(LATE),
        None => None,
    };
    if let Some((at, version)) = icc.get_mut(VERSION_AT).zip(version) {
        *at = version;
    }
    let mut profile = ColorProfile::new_from_slice(&icc).ok()?;
    let is_of_device = matches!(
        profile.profile_class,
        ProfileClass::InputDevice | ProfileClass::DisplayDevice | ProfileClass::OutputDevice | ProfileClass::ColorSpace
    );
    if !is_of_device || !matches!(profile.pcs, DataColorSpace::Xyz | DataColorSpace::Lab) {
        return None;
    }
    // A word on the encoding is no curve: where both are there, the curves count.
    profile.cicp = None;
    // The engine takes the perceptual table, and none else.
    let others = [profile.lut_a_to_b_colorimetric.take(), profile.lut_a_to_b_saturation.take()];
    if profile.lut_a_to_b_perceptual.is_none() && !profile.is_matrix_shaper() {
        profile.lut_a_to_b_perceptual = others.into_iter().flatten().next();
    }
    Some(profile)
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, Rgb, RgbImage};

    use super::*;
    use crate::craft::color::{Inks, printed};
    use crate::craft::icc::{SRGB, curve_tag, profile, rgb};
    use crate::craft::{Picture, to_srgb, with_fit_profile};

    /// A table of one dark grey, L* 40, coded as in this type.
    fn table(kind: [u8; 4], inputs: u8) -> Vec<u8> {
        let points = 1 << inputs;
        let head = [&kind[..], &[0; 4], &[inputs, 3, 2, 0], &[0, 1, 0, 0][..], &[0; 32]].concat();
        if kind == *b"mft1" {
            let curve: Vec<u8> = (0..=255).collect();
            let (before, after) = (curve.repeat(inputs.into()), curve.repeat(3));
            return [head, before, [102, 128, 128].repeat(points), after].concat();
        }
        let curve = [0, 0, 0xff, 0xff];
        let grey = [26_112_u16, 0x8000, 0x8000].map(u16::to_be_bytes).concat();
        let (before, after) = (curve.repeat(inputs.into()), curve.repeat(3));
        [head, vec![0, 2, 0, 2], before, grey.repeat(points), after].concat()
    }

    /// Returns a profile of this version, class and space of connection.
    fn with(space: [u8; 4], tags: &[([u8; 4], Vec<u8>)], version: u8, class: [u8; 4], connection: [u8; 4]) -> Vec<u8> {
        let mut icc = profile(space, tags);
        icc[VERSION_AT] = version;
        icc[12..16].copy_from_slice(&class);
        icc[20..24].copy_from_slice(&connection);
        icc
    }

    /// Returns what a colour becomes; `None` if the profile cannot be used, which is told.
    fn shown(icc: &[u8]) -> Option<[u8; 3]> {
        let image: DynamicImage = RgbImage::from_pixel(2, 2, Rgb([200, 60, 60])).into();
        let (picture, told) = with_fit_profile(Picture { image, icc: Some(icc.to_vec()) });
        assert_eq!(told.is_some(), picture.icc.is_none());
        picture.icc.is_some().then(|| to_srgb(picture).unwrap().image.to_rgb8().get_pixel(0, 0).0)
    }

    fn shown_inks(icc: &[u8]) -> Option<[u8; 3]> {
        let picture = printed((1, 1), &Inks::Bytes(vec![9, 90, 200, 0]), Some(icc.to_vec())).unwrap();
        picture.icc.is_some_and(|icc| !icc.is_empty()).then(|| picture.image.to_rgb8().get_pixel(0, 0).0)
    }

    /// By the version of a profile, greys of its table had a cast; without a perceptual table it was not used at all.
    #[test]
    fn tables_are_read_as_littlecms_reads_them() {
        for kind in [*b"mft1", *b"mft2"] {
            for version in [2, 4] {
                for name in [*b"A2B0", *b"A2B1", *b"A2B2"] {
                    let of = |space, inputs| with(space, &[(name, table(kind, inputs))], version, *b"prtr", *b"Lab ");
                    let what = format!("{} {version} {}", kind.escape_ascii(), name.escape_ascii());
                    assert_eq!(shown(&of(*b"RGB ", 3)), Some([94; 3]), "{what}");
                    assert_eq!(shown_inks(&of(*b"CMYK", 4)), Some([94; 3]), "{what}");
                }
            }
        }
    }

    /// Returns a profile of linear light, with more tags.
    fn linear(more: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
        let columns = rgb(&SRGB, |value| value).unwrap();
        let tags = [b"rXYZ", b"gXYZ", b"bXYZ"].map(|name| (*name, tag(&columns, *name).unwrap().to_vec()));
        let curves = [*b"rTRC", *b"gTRC", *b"bTRC"].map(|name| (name, curve_tag(|value| value)));
        profile(*b"RGB ", &[&tags[..], &curves, more].concat())
    }

    fn codes(transfer: u8) -> Vec<([u8; 4], Vec<u8>)> {
        vec![(*b"cicp", [b"cicp\0\0\0\0", &[1, transfer, 0, 1][..]].concat())]
    }

    /// The curve that codes name was taken in place of the profile's own; what is no profile of a picture was used as one.
    #[test]
    fn curves_count_and_a_profile_says_how_a_device_shows_colours() {
        let expected = shown(&linear(&[]));
        assert_eq!(expected, Some([229, 133, 133]));
        for transfer in [1, 8, 13] {
            assert_eq!(shown(&linear(&codes(transfer))), expected, "{transfer}");
        }
        let colorimetric = linear(&[(*b"A2B1", table(*b"mft2", 3))]);
        assert_eq!(shown(&colorimetric), expected, "littlecms takes the matrix as well");
        for (class, connection, is_used) in [
            (*b"scnr", *b"XYZ ", true),
            (*b"spac", *b"XYZ ", true),
            (*b"prtr", *b"XYZ ", true),
            (*b"link", *b"XYZ ", false),
            (*b"abst", *b"XYZ ", false),
            (*b"nmcl", *b"XYZ ", false),
            (*b"mntr", *b"RGB ", false),
        ] {
            let mut icc = linear(&[]);
            icc[12..16].copy_from_slice(&class);
            icc[20..24].copy_from_slice(&connection);
            assert_eq!(shown(&icc), expected.filter(|_| is_used), "{}", class.escape_ascii());
        }
        let link = with(*b"RGB ", &[(*b"A2B0", table(*b"mft2", 3))], 2, *b"link", *b"RGB ");
        assert_eq!(shown(&link), None);
    }
}
