//! What a PNG says of its colours: the first of `cICP`, `iCCP`, `sRGB`, and `gAMA` with `cHRM`, as the third edition of
//! its specification orders them.

use super::CraftError;
use super::color::is_hashed_as_srgb;
use super::complete::png_chunks;
use super::icc::{Primaries, SRGB, Xy, grey, rgb};
use super::icc_public::tag;
use super::picture::PROFILE_BYTES_MAX;

/// The codes of light that no screen of today shows (ITU-T H.273, table 3).
const PQ: u8 = 16;
const HLG: u8 = 18;

/// Returns the colour profile of a PNG, `icc` being what its `iCCP` holds; `None` for sRGB.
pub(super) fn profile(bytes: &[u8], icc: Option<Vec<u8>>, is_grey: bool) -> Result<Option<Vec<u8>>, CraftError> {
    Ok(match said(bytes)? {
        Said::Srgb => None,
        // One that cannot be unpacked is no profile, but it is not sRGB either: it is told.
        Said::Profile => Some(icc.unwrap_or_default()),
        Said::Space(space) => space.profile(is_grey),
    })
}

/// Returns what makes the colours of a PNG others than those of sRGB: its profile, or what stands for its space. Hashes
/// of it are kept, and it is the same at all times.
pub(super) fn unlike_srgb(bytes: &[u8]) -> Option<Vec<u8>> {
    match said(bytes) {
        Ok(Said::Srgb) => None,
        // One that cannot be unpacked cannot be used.
        Ok(Said::Profile) => unpacked(body(bytes, *b"iCCP")?).filter(|icc| !is_hashed_as_srgb(icc)),
        Ok(Said::Space(space)) => {
            let is_grey = chunk::<13>(bytes, *b"IHDR").is_some_and(|header| header[9] & 2 == 0);
            (!space.is_srgb(is_grey)).then(|| space.numbers(is_grey))
        }
        // Nobody knows what they mean, but others mean something else.
        Err(_) => body(bytes, *b"cICP").map(<[u8]>::to_vec),
    }
}

/// Returns the profile that a PNG holds; an empty one if it cannot be unpacked.
pub(super) fn embedded(bytes: &[u8]) -> Option<Vec<u8>> {
    body(bytes, *b"iCCP").map(|body| unpacked(body).unwrap_or_default())
}

/// Unpacks a profile behind its name, which says nothing of the colours.
fn unpacked(body: &[u8]) -> Option<Vec<u8>> {
    let name = body.iter().position(|byte| *byte == 0)?;
    fdeflate::decompress_to_vec_bounded(body.get(name + 2..)?, PROFILE_BYTES_MAX).ok()
}

/// What says of a PNG's colours what they are.
enum Said {
    Srgb,
    Profile,
    Space(Space),
}

fn said(bytes: &[u8]) -> Result<Said, CraftError> {
    if let Some(space) = by_codes(bytes)? {
        return Ok(Said::Space(space));
    }
    if has(bytes, *b"iCCP") {
        return Ok(Said::Profile);
    }
    let share = |four: &[u8; 4]| f64::from(u32::from_be_bytes(*four)) / 100_000.0;
    let gamma = chunk::<4>(bytes, *b"gAMA").map(share).filter(|gamma| *gamma > 0.0);
    let colors = chunk::<32>(bytes, *b"cHRM").map(|body| {
        let xy = |at: usize| [0, 4].map(|next| share(body[at + next..].first_chunk().expect("eight of 32 bytes")));
        Primaries { white: xy(0), colors: [xy(8), xy(16), xy(24)] }
    });
    if has(bytes, *b"sRGB") || (gamma.is_none() && colors.is_none()) {
        return Ok(Said::Srgb);
    }
    let curve = gamma.map_or(Curve::Srgb, |gamma| Curve::Gamma(gamma.recip()));
    Ok(Said::Space(Space { primaries: colors.unwrap_or(SRGB), curve }))
}

/// Returns the profile that a PNG holds, if nothing counts before it; an empty one if it cannot be unpacked.
pub(super) fn counting(bytes: &[u8]) -> Option<Vec<u8>> {
    matches!(said(bytes), Ok(Said::Profile)).then(|| embedded(bytes))?
}

/// Refuses a PNG whose colours cannot be shown on a screen, or in codes that nobody knows.
pub(super) fn check(bytes: &[u8]) -> Result<(), CraftError> {
    by_codes(bytes).map(drop)
}

/// Refuses a profile that names, by the same codes, light that cannot be shown on a screen (ICC.1:2022, 9.2.17).
pub(super) fn check_profile(icc: &[u8]) -> Result<(), CraftError> {
    match tag(icc, *b"cicp").and_then(|tag| tag.get(8..12)?.as_array()) {
        Some(&[primaries, transfer @ (PQ | HLG), matrix, range]) => coded(primaries, transfer, matrix, range).map(drop),
        _ => Ok(()),
    }
}

fn by_codes(bytes: &[u8]) -> Result<Option<Space>, CraftError> {
    let Some([primaries, transfer, matrix, range]) = chunk(bytes, *b"cICP") else { return Ok(None) };
    coded(*primaries, *transfer, *matrix, *range)
}

/// Returns the body of a chunk before the pixels that has so many bytes, and the sum that it says.
fn chunk<const N: usize>(bytes: &[u8], name: [u8; 4]) -> Option<&[u8; N]> {
    body(bytes, name)?.as_array()
}

fn body(bytes: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    before_pixels(bytes, name).map(|whole| &whole[8..whole.len() - 4])
}

fn has(bytes: &[u8], name: [u8; 4]) -> bool {
    before_pixels(bytes, name).is_some()
}

fn before_pixels(bytes: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let head = png_chunks(bytes).take_while(|chunk| chunk.name != *b"IDAT");
    let is_sound = |whole: &[u8]| {
        let (content, sum) = whole[4..].split_at(whole.len() - 8);
        crc32fast::hash(content).to_be_bytes() == sum
    };
    head.filter(|chunk| chunk.name == name).map(|chunk| chunk.whole).find(|whole| is_sound(whole))
}

struct Space {
    primaries: Primaries,
    curve: Curve,
}

/// How a value becomes light.
#[derive(Clone, Copy)]
enum Curve {
    Srgb,
    /// That of television (ITU-R BT.709).
    Television,
    Gamma(f64),
}

impl Curve {
    fn light(self, value: f64) -> f64 {
        match self {
            Self::Srgb if value <= 0.04045 => value / 12.92,
            Self::Srgb => ((value + 0.055) / 1.055).powf(2.4),
            Self::Television if value < 0.081 => value / 4.5,
            Self::Television => ((value + 0.099) / 1.099).powf(1.0 / 0.45),
            Self::Gamma(exponent) => value.powf(exponent),
        }
    }
}

impl Space {
    /// Returns its profile; `None` if that is sRGB. If its primaries make no space, that is no profile, and told.
    fn profile(&self, is_grey: bool) -> Option<Vec<u8>> {
        let curve = |value| self.curve.light(value);
        let profile = || if is_grey { grey(curve) } else { rgb(&self.primaries, curve).unwrap_or_default() };
        (!self.is_srgb(is_grey)).then(profile)
    }

    fn is_srgb(&self, is_grey: bool) -> bool {
        matches!(self.curve, Curve::Srgb) && (is_grey || self.primaries.colors == SRGB.colors)
    }

    /// Returns what it consists of; a grey has no primaries.
    fn numbers(&self, is_grey: bool) -> Vec<u8> {
        let curve = match self.curve {
            Curve::Srgb => [0.0, 0.0],
            Curve::Television => [1.0, 0.0],
            Curve::Gamma(exponent) => [2.0, exponent],
        };
        let Primaries { white, colors } = self.primaries;
        let points = if is_grey { Vec::new() } else { [&[white][..], &colors].concat() };
        points.iter().chain([&curve]).flatten().flat_map(|number: &f64| number.to_le_bytes()).collect()
    }
}

/// Returns the space that four codes of ITU-T H.273 name; `None` if they leave it open.
fn coded(primaries: u8, transfer: u8, matrix: u8, range: u8) -> Result<Option<Space>, CraftError> {
    let codes = format!("cICP {primaries}/{transfer}/{matrix}/{range}");
    let unknown = |what: &str| {
        let handling = "export it again as sRGB, Display P3 or with a colour profile";
        Err(CraftError::Unsupported(format!("{what} ({codes}); {handling}")))
    };
    if primaries == 2 || transfer == 2 {
        return Ok(None);
    }
    match transfer {
        PQ => return unknown("it has a high dynamic range (PQ), and would have to be mapped to a screen"),
        HLG => return unknown("it has a high dynamic range (HLG), and would have to be mapped to a screen"),
        _ => (),
    }
    if matrix != 0 || range != 1 {
        return unknown("its colours are coded as in a video, and not as red, green and blue of the full range");
    }
    const D65: Xy = [0.3127, 0.3290];
    const C: Xy = [0.310, 0.316];
    let (colors, white) = match primaries {
        1 => (SRGB.colors, D65),
        4 => ([[0.67, 0.33], [0.21, 0.71], [0.14, 0.08]], C),
        5 => ([[0.64, 0.33], [0.29, 0.60], [0.15, 0.06]], D65),
        6 | 7 => ([[0.630, 0.340], [0.310, 0.595], [0.155, 0.070]], D65),
        8 => ([[0.681, 0.319], [0.243, 0.692], [0.145, 0.049]], C),
        9 => ([[0.708, 0.292], [0.170, 0.797], [0.131, 0.046]], D65),
        11 => ([[0.680, 0.320], [0.265, 0.690], [0.150, 0.060]], [0.314, 0.351]),
        12 => ([[0.680, 0.320], [0.265, 0.690], [0.150, 0.060]], D65),
        22 => ([[0.630, 0.340], [0.295, 0.605], [0.155, 0.077]], D65),
        _ => return unknown("its colours are in a space that stockmill does not know"),
    };
    let curve = match transfer {
        1 | 6 | 14 | 15 => Curve::Television,
        4 => Curve::Gamma(2.2),
        5 => Curve::Gamma(2.8),
        8 => Curve::Gamma(1.0),
        13 => Curve::Srgb,
        _ => return unknown("its values become light by a curve that stockmill does not know"),
    };
    Ok(Some(Space { primaries: Primaries { colors, white }, curve }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{Limits, decode, encode, testing};
    use crate::model::{Format, Kind};

    /// Returns a PNG with these chunks before its pixels.
    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let plain = encode(&crate::craft::Picture { icc: None, ..testing::gradient(4, 4) }, Format::Png, 90).unwrap();
        let mut bytes = plain[..33].to_vec();
        for (name, body) in chunks {
            bytes.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
            let content = [&name[..], body].concat();
            bytes.extend([&content[..], &crc32fast::hash(&content).to_be_bytes()].concat());
        }
        [&bytes[..], &plain[33..]].concat()
    }

    const P3: &[u8; 32] =
        b"\0\0\x7a\x26\0\0\x80\x84\0\x01\x09\xa0\0\0\x7d\0\0\0\x67\x84\0\x01\x0d\x88\0\0\x3a\x98\0\0\x17\x70";

    #[test]
    fn the_first_word_of_a_colour_counts() {
        let (p3, srgb, linear) =
            ((b"cICP", &[12, 13, 0, 1][..]), (b"sRGB", &[0][..]), (b"gAMA", &[0, 1, 0x86, 0xa0][..]));
        let (open, primaries, short) = ((b"cICP", &[2, 2, 0, 1][..]), (b"cHRM", &P3[..]), (b"cHRM", &P3[..31]));
        let icc = || Some(b"icc".to_vec());
        let is_rgb = |profile: &[u8]| profile.get(16..20) == Some(b"RGB ");
        let is_grey = |profile: &[u8]| profile.get(16..20) == Some(b"GRAY");
        type Is<'a> = Option<&'a dyn Fn(&[u8]) -> bool>;
        let rows: [(&[(&[u8; 4], &[u8])], Option<Vec<u8>>, bool, Is<'_>); 14] = [
            (&[], None, false, None),
            (&[srgb, linear, primaries], None, false, None),
            (&[p3, (b"iCCP", b"x")], icc(), false, Some(&is_rgb)),
            (&[(b"iCCP", b"x"), srgb], icc(), false, Some(&|profile| profile == b"icc")),
            (&[(b"iCCP", b"x"), srgb], None, false, Some(&<[u8]>::is_empty)),
            (&[open, srgb], None, false, None),
            (&[open, linear], None, false, Some(&is_rgb)),
            (&[(b"cICP", &[1, 13, 0, 1])], None, false, None),
            (&[linear], None, false, Some(&is_rgb)),
            (&[primaries], None, false, Some(&is_rgb)),
            (&[short], None, false, None),
            (&[(b"cHRM", &[0; 32])], None, false, Some(&<[u8]>::is_empty)),
            (&[linear, primaries], None, true, Some(&is_grey)),
            (&[primaries], None, true, None),
        ];
        for (chunks, icc, is_grey, expected) in rows {
            let names: Vec<_> = chunks.iter().map(|(name, _)| String::from_utf8_lossy(*name)).collect();
            let got = profile(&png(chunks), icc, is_grey).unwrap();
            assert_eq!(got.is_some(), expected.is_some(), "{names:?}");
            assert!(got.iter().zip(expected).all(|(got, is)| is(got)), "{names:?}");
        }
        let mut torn = png(&[linear]);
        torn[33 + 12 - 1] ^= 1;
        assert_eq!(profile(&torn, None, false).unwrap(), None, "a chunk whose sum is wrong says nothing");
    }

    #[test]
    fn what_cannot_be_shown_on_a_screen_is_refused_with_its_reason() {
        for (codes, expected) in [
            ([9, 16, 0, 1], "high dynamic range (PQ)"),
            ([9, 18, 0, 1], "high dynamic range (HLG)"),
            ([1, 13, 1, 1], "coded as in a video"),
            ([1, 13, 0, 0], "coded as in a video"),
            ([10, 13, 0, 1], "in a space that stockmill does not know (cICP 10/13/0/1)"),
            ([1, 9, 0, 1], "by a curve that stockmill does not know"),
        ] {
            let error = decode(&png(&[(b"cICP", &codes)]), Kind::Png, &Limits::default()).unwrap_err();
            assert!(matches!(&error, CraftError::Unsupported(why) if why.contains(expected)), "{error}");
        }
    }

    /// Light of 10,000 candelas was taken for that of a screen: such pictures became nearly black, and nothing was said.
    #[test]
    fn a_profile_of_a_high_dynamic_range_is_refused() {
        let image = testing::gradient(9, 9).image;
        for format in Format::ALL {
            for (transfer, expected) in [(16, Some("(PQ)")), (18, Some("(HLG)")), (13, None)] {
                let codes = [b"cicp\0\0\0\0", &[1, transfer, 0, 1][..]].concat();
                let icc = crate::craft::icc::profile(*b"RGB ", &[(*b"cicp", codes)]);
                let picture = crate::craft::Picture { image: image.clone(), icc: Some(icc) };
                let bytes = encode(&picture, format, 90).unwrap();
                let error = decode(&bytes, format.kind(), &Limits::default()).err().map(|error| error.to_string());
                assert_eq!(error.is_some(), expected.is_some(), "{format:?} {error:?}");
                assert!(error.iter().zip(expected).all(|(error, expected)| error.contains(expected)), "{error:?}");
            }
        }
    }
}
