use std::borrow::Cow;
use std::io::Write;

use image::metadata::Orientation;

use super::CraftError;
use super::color::{NO_PROFILE, public_profile, shows_as_srgb, with_fit_profile};
use super::complete::png_chunks;
use super::decode::{decode_told, png_orientation};
use super::jpeg::{self, Part, parts};
use super::packets::{Packets, Shown};
use super::picture::{Limits, Picture};
use super::png_color;
use super::tiff_out::tiff_with;
use super::webp::{self, Chunk};
use crate::model::{Kind, Meta, Size};

/// The name before an XMP packet in a JPEG.
const JPEG_XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// The name before a part of a colour profile in a JPEG; its number and their count follow.
const JPEG_PROFILE: &[u8] = b"ICC_PROFILE\0";
/// The most bytes of a profile in one segment, beside its name, number and count.
const JPEG_PROFILE_BYTES_MAX: usize = 65_519;
/// The header of a JPEG without a thumbnail, in pixels without a unit.
const JPEG_HEADER: &[u8] = b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0";
/// The length of Adobe's segment about colour coding: the name, then seven bytes.
const JPEG_ADOBE_BYTES: usize = 12;
/// The head of a PNG text chunk with an XMP packet: keyword, no compression, no language.
pub(super) const PNG_XMP: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";
/// What stands before a packed profile in a PNG: a name, which programs show, and how it is packed.
const PNG_PROFILE: &[u8] = b"profile\0\0";
/// The chunks of a PNG that its pixels and colours are made of.
const PNG_KEPT: [&[u8; 4]; 12] =
    [b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD", b"pHYs", b"IDAT"];
/// The flags of a WebP's header that a still picture keeps: colour profile, transparency.
const WEBP_KEPT: u8 = 0x30;
/// The bits of a WebP's header that announce a profile, XMP and EXIF.
const WEBP_PROFILE: u8 = 0x20;
const WEBP_XMP: u8 = 0x04;
const WEBP_EXIF: u8 = 0x08;

/// A picture with other metadata, in the pieces that it is written in: what stays of the old one is not copied.
#[must_use]
pub struct Embedded<'a>(Vec<Cow<'a, [u8]>>);

impl Embedded<'_> {
    /// Writes the picture.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), CraftError> {
        self.0.iter().try_for_each(|piece| super::written(out, piece))
    }

    /// Returns the picture as one.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.concat()
    }
}

/// Puts metadata into a finished picture. Only known and wanted parts stay: coded pixels, byte for byte, what defines
/// their colours, and how they are turned. All else might contain a prompt, a seed or a location and is removed: text, EXIF,
/// older XMP, data of camera makers, thumbnails, and other pictures and videos behind the end. Also returns what a person is
/// told: of the picture, if it was decoded for that, and of what there was no room for.
pub fn embed<'a>(bytes: &'a [u8], kind: Kind, meta: &Meta) -> Result<(Embedded<'a>, Option<String>), CraftError> {
    let packets = Packets::of(meta)?;
    let (pieces, decoded) = if kind == Kind::Tiff {
        // It is written again, without loss: its parts point at each other.
        let (picture, told) = tiff(bytes, &packets)?;
        (vec![picture.into()], told)
    } else {
        in_place(bytes, kind, &packets)?
    };
    let told: Vec<String> = decoded.into_iter().chain(packets.told).collect();
    Ok((Embedded(pieces), (!told.is_empty()).then(|| told.join("; "))))
}

/// Returns a picture without any metadata. Its coded pixels, what defines their colours, and how they are turned stay; where
/// one of these cannot, it is refused.
pub fn stripped(bytes: &[u8], kind: Kind) -> Result<Embedded<'_>, CraftError> {
    match in_place(bytes, kind, &Packets::none())? {
        (pieces, None) => Ok(Embedded(pieces)),
        (_, Some(told)) => Err(CraftError::Unsupported(told)),
    }
}

/// Returns a picture with other metadata, its coded pixels as they are.
fn in_place<'a>(bytes: &'a [u8], kind: Kind, packets: &Packets) -> Result<Told<Vec<Cow<'a, [u8]>>>, CraftError> {
    match kind {
        Kind::Jpeg => jpeg(bytes, packets),
        Kind::Png => png(bytes, packets),
        Kind::Webp => webp(bytes, packets).map(|(picture, told)| (vec![picture.into()], told)),
        other => Err(CraftError::Unsupported(format!("{other} holds no metadata that stockmill writes"))),
    }
}

/// A picture in pieces, and what there is to tell of it.
type Told<T> = (T, Option<String>);

fn tiff(bytes: &[u8], packets: &Packets) -> Result<Told<Vec<u8>>, CraftError> {
    let (picture, decoded) = decode_told(bytes.into(), Kind::Tiff, &Limits::default())?;
    let (picture, profile) = with_fit_profile(picture);
    let (icc, told) = public(picture.icc.as_deref())?;
    let picture = Picture { icc, ..picture };
    let told: Vec<String> = decoded.into_iter().chain(profile.map(str::to_owned)).chain(told).collect();
    Ok((tiff_with(&picture, packets)?, (!told.is_empty()).then(|| told.join("; "))))
}

/// Returns the profile that a picture has in public, and what there is to tell of that. One that makes its colours, and is such
/// that nobody here can tell what it says, is refused.
fn public(icc: Option<&[u8]>) -> Result<Told<Option<Vec<u8>>>, CraftError> {
    let Some(icc) = icc else { return Ok((None, None)) };
    let public = public_profile(icc);
    if public.is_none() && !shows_as_srgb(icc) {
        let why = "its colour profile has parts that are not known here, and they may tell more than its colours; \
                   convert the picture to sRGB";
        return Err(CraftError::Unsupported(why.to_owned()));
    }
    let told = public.is_none().then(|| NO_PROFILE.to_owned());
    Ok((public, told))
}

/// Returns the segments before a JPEG's picture: a plain header, metadata, and its colour profile in parts
/// (ICC.1:2010, annex B.4).
pub(super) fn jpeg_head(packets: Option<&Packets>, size: Size, icc: Option<&[u8]>) -> Vec<u8> {
    let mut head = Vec::new();
    segment(&mut head, 0xe0, JPEG_HEADER);
    if let Some(packets) = packets {
        described(&mut head, packets, &Shown { size, turned: None, icc });
    }
    profiled(&mut head, icc);
    head
}

/// Adds the segments of a colour profile to a JPEG.
fn profiled(head: &mut Vec<u8>, icc: Option<&[u8]>) {
    // A longer profile than can be numbered is none that anybody reads.
    let parts: Vec<&[u8]> = icc.unwrap_or_default().chunks(JPEG_PROFILE_BYTES_MAX).collect();
    let Ok(count) = u8::try_from(parts.len()) else { return };
    for (number, part) in (1_u8..).zip(parts) {
        segment(head, 0xe2, &[JPEG_PROFILE, &[number, count], part].concat());
    }
}

fn jpeg<'a>(bytes: &'a [u8], packets: &Packets) -> Result<Told<Vec<Cow<'a, [u8]>>>, CraftError> {
    let unknown = || {
        let what = "a JPEG with unknown parts between those that are known; save it again with another program";
        CraftError::Unsupported(what.to_owned())
    };
    let mut head = jpeg::START.to_vec();
    let is_header = |part: &Part<'_>| part.marker == 0xe0 && part.body.starts_with(jpeg::JFIF);
    if let Some(header) = jpeg::before_pixels(bytes).find(is_header) {
        segment(&mut head, 0xe0, &density(header.body));
    }
    let is_profile = |part: &Part<'_>| part.marker == 0xe2 && part.body.starts_with(JPEG_PROFILE);
    let has_profile = jpeg::before_pixels(bytes).any(|part| is_profile(&part));
    // One whose pieces are not all there is none.
    let icc = has_profile.then(|| jpeg::profile(bytes).unwrap_or_default());
    let (icc, told) = public(icc.as_deref())?;
    let size = super::decode::stored_size(bytes, Kind::Jpeg);
    let shown = |size| Shown { size, turned: jpeg::orientation(bytes), icc: icc.as_deref() };
    // A size that cannot be read is told once the parts are known.
    let described_with = size.as_ref().map(|size| shown(*size)).ok();
    described_with.iter().for_each(|shown| described(&mut head, packets, shown));
    profiled(&mut head, icc.as_deref());
    let mut pieces = vec![Cow::from(head)];
    let mut has_pixels = false;
    for part in parts(bytes) {
        let part = part?;
        // If a JPEG has unknown parts, the decoder may read other parts than those that are kept here.
        if part.after_strays {
            return Err(unknown());
        }
        has_pixels |= part.marker == 0xda;
        if let Some(body) = wanted(&part).filter(|_| !is_profile(&part)) {
            let mut head = Vec::new();
            segment(&mut head, part.marker, body);
            pieces.extend([head.into(), part.coded.into()]);
        }
    }
    if !has_pixels {
        return Err(unknown());
    }
    size?;
    pieces.push(b"\xff\xd9".into());
    Ok((pieces, told))
}

/// Adds the segments of metadata to a JPEG.
fn described(head: &mut Vec<u8>, packets: &Packets, shown: &Shown<'_>) {
    if packets.has_exif(shown) {
        segment(head, 0xe1, &[jpeg::EXIF, &packets.exif(shown)].concat());
    }
    if packets.is_none() {
        return;
    }
    segment(head, 0xe1, &[JPEG_XMP, packets.xmp.as_bytes()].concat());
    segment(head, 0xed, &packets.photoshop());
}

/// Returns a plain header with the pixel density of another one.
fn density(header: &[u8]) -> [u8; JPEG_HEADER.len()] {
    let mut plain = [0; JPEG_HEADER.len()];
    plain.copy_from_slice(JPEG_HEADER);
    if let Some(density) = header.get(7..12) {
        plain[7..12].copy_from_slice(density);
    }
    plain
}

/// Returns what stays of a part of a JPEG, without bytes behind its content.
pub(super) fn wanted<'a>(part: &Part<'a>) -> Option<&'a [u8]> {
    let body = part.body;
    let count_at = |at: usize, each: usize| body.get(at).map(|count| usize::from(*count) * each);
    let length = match part.marker {
        0xe2 if body.starts_with(JPEG_PROFILE) => body.len(),
        0xee if body.starts_with(jpeg::ADOBE) => JPEG_ADOBE_BYTES,
        // Tables fill their segment.
        0xc4 | 0xcc | 0xdb => body.len(),
        0xdc | 0xdd => 2,
        0xc0..=0xcf => 6 + count_at(5, 3)?,
        0xda => 4 + count_at(0, 2)?,
        _ => return None,
    };
    Some(body.get(..length).unwrap_or(body))
}

fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) {
    let length = u16::try_from(body.len() + 2).expect("a segment came from one, or is a packet within the limit");
    out.extend_from_slice(&[0xff, marker]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(body);
}

fn png<'a>(bytes: &'a [u8], packets: &Packets) -> Result<Told<Vec<Cow<'a, [u8]>>>, CraftError> {
    let mut pieces = vec![Cow::from(b"\x89PNG\r\n\x1a\n")];
    let mut has_pixels = false;
    let (icc, told) = public(png_color::embedded(bytes).as_deref())?;
    for chunk in png_chunks(bytes).filter(|chunk| PNG_KEPT.contains(&&chunk.name)) {
        if chunk.name == *b"IDAT" && !has_pixels {
            has_pixels = true;
            let size = super::decode::stored_size(bytes, Kind::Png)?;
            let icc = png_color::profile(bytes, None, false).ok().flatten();
            let shown = Shown { size, turned: png_orientation(bytes), icc: icc.as_deref() };
            let described = png_described(packets, &shown).into_iter();
            pieces.extend(described.map(|(name, body)| Cow::from(png_chunk(name, &body))));
        }
        match (&chunk.name, &icc) {
            (b"iCCP", _) => (),
            // The profile stands before the list of colours.
            (b"IHDR", Some(icc)) => {
                let packed = fdeflate::compress_to_vec(icc);
                pieces.extend([chunk.whole.into(), png_chunk(*b"iCCP", &[PNG_PROFILE, &packed].concat()).into()]);
            }
            _ => pieces.push(chunk.whole.into()),
        }
    }
    if !has_pixels {
        return Err(CraftError::Damaged("the PNG has no pixels".to_owned()));
    }
    pieces.push(png_chunk(*b"IEND", b"").into());
    Ok((pieces, told))
}

/// Returns the chunks of metadata of a PNG, which stand before its pixels.
pub(super) fn png_described(packets: &Packets, shown: &Shown<'_>) -> Vec<([u8; 4], Vec<u8>)> {
    let xmp = (!packets.is_none()).then(|| (*b"iTXt", [PNG_XMP, packets.xmp.as_bytes()].concat()));
    let exif = packets.has_exif(shown).then(|| (*b"eXIf", packets.exif(shown)));
    xmp.into_iter().chain(exif).collect()
}

fn png_chunk(name: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a packet is within the limit");
    let mut chunk = [&length.to_be_bytes()[..], &name, body].concat();
    let sum = crc32fast::hash(&chunk[4..]);
    chunk.extend_from_slice(&sum.to_be_bytes());
    chunk
}

pub(super) fn webp(bytes: &[u8], packets: &Packets) -> Result<Told<Vec<u8>>, CraftError> {
    let mut chunks = webp::chunks(bytes)?;
    // Without a header first, a decoder reads the first chunk and no other.
    if chunks.first().is_some_and(|chunk| chunk.name != *b"VP8X") {
        chunks.truncate(1);
    }
    let pixels = chunks.iter().filter(|chunk| matches!(&chunk.name, b"VP8 " | b"VP8L")).count();
    if pixels != 1 {
        return Err(CraftError::Damaged(format!("the WebP has {pixels} pictures where it should have one")));
    }
    let find = |name: &[u8; 4]| chunks.iter().find(|chunk| chunk.name == *name);
    let flags = find(b"VP8X").and_then(|chunk| chunk.body.first()).map_or_else(|| webp_flags(&chunks), |flags| *flags);
    let turned = find(b"EXIF").and_then(|chunk| Orientation::from_exif_chunk(chunk.body));
    let (icc, told) = public(find(b"ICCP").map(|chunk| chunk.body))?;
    let flags = flags & WEBP_KEPT & if icc.is_some() { u8::MAX } else { !WEBP_PROFILE };
    let size = super::decode::stored_size(bytes, Kind::Webp)?;
    let shown = Shown { size, turned, icc: icc.as_deref() };
    let exif = packets.has_exif(&shown).then(|| packets.exif(&shown));
    let xmp = (!packets.is_none()).then_some(packets.xmp.as_bytes());
    let announced = exif.as_ref().map_or(0, |_| WEBP_EXIF) | xmp.map_or(0, |_| WEBP_XMP);
    let mut header = vec![flags | announced, 0, 0, 0];
    for length in [size.width, size.height] {
        header.extend_from_slice(&(length - 1).to_le_bytes()[..3]);
    }
    let mut kept = vec![Chunk { name: *b"VP8X", body: &header }];
    kept.extend(icc.as_deref().map(|icc| Chunk { name: *b"ICCP", body: icc }));
    kept.extend([b"ALPH", b"VP8 ", b"VP8L"].into_iter().filter_map(|name| find(name).copied()));
    kept.extend(exif.as_deref().map(|exif| Chunk { name: *b"EXIF", body: exif }));
    kept.extend(xmp.map(|xmp| Chunk { name: *b"XMP ", body: xmp }));
    Ok((webp::join(&kept), told))
}

/// Returns the header's flags for a WebP without a header: a lossless one stores itself whether it is transparent.
fn webp_flags(chunks: &[Chunk<'_>]) -> u8 {
    let lossless = chunks.iter().find(|chunk| chunk.name == *b"VP8L");
    let has_alpha = lossless.and_then(|chunk| chunk.body.get(4)).is_some_and(|bits| bits & 0x10 != 0);
    u8::from(has_alpha) << 4
}

/// Returns the XMP packet of a picture.
pub fn embedded_xmp(bytes: &[u8], kind: Kind) -> Option<Vec<u8>> {
    match kind {
        Kind::Jpeg => parts(bytes)
            .map_while(Result::ok)
            .filter(|part| part.marker == 0xe1)
            .find_map(|part| part.body.strip_prefix(JPEG_XMP).map(<[u8]>::to_vec)),
        Kind::Png => png_chunks(bytes)
            .filter(|chunk| chunk.name == *b"iTXt")
            .find_map(|chunk| chunk.whole.get(8..chunk.whole.len() - 4)?.strip_prefix(PNG_XMP).map(<[u8]>::to_vec)),
        Kind::Webp => Some(webp::chunks(bytes).ok()?.iter().find(|chunk| chunk.name == *b"XMP ")?.body.to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{decode, encode, read_xmp, testing};
    use crate::model::Format;
    use proptest::prelude::*;

    fn embed(bytes: &[u8], kind: Kind, meta: &Meta) -> Result<Vec<u8>, CraftError> {
        super::embed(bytes, kind, meta).map(|(embedded, _)| embedded.into_bytes())
    }

    fn meta(title: &str) -> Meta {
        Meta { title: title.to_owned(), keywords: vec!["b".to_owned(), "a".to_owned()], ..Meta::default() }
    }

    /// A TIFF is decoded for it, and what was left out of it went without a word.
    #[test]
    fn what_a_tiff_loses_is_told() {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
        let mut values = [0.5; 100];
        values[7] = 1.5;
        encoder.write_image::<tiff::encoder::colortype::Gray32Float>(10, 10, &values).unwrap();
        encoder.write_image::<tiff::encoder::colortype::Gray8>(2, 1, &[1; 2]).unwrap();
        let (_, told) = super::embed(&bytes.into_inner(), Kind::Tiff, &meta("t")).unwrap();
        let expected = "it has more pages, and only the first one is taken; values above 1, which is white, are taken for \
                        white (1 of 100, up to 1.5)";
        assert_eq!(told.as_deref(), Some(expected));
    }

    #[test]
    fn metadata_is_replaced_and_pixels_stay() {
        for format in [Format::Jpeg, Format::Png, Format::Webp, Format::Tiff] {
            let kind = format.kind();
            let bare = encode(&testing::gradient(40, 30), format, 95).unwrap();
            let before = decode(&bare, kind, &Limits::default()).unwrap();
            let once = embed(&bare, kind, &meta("First")).unwrap();
            let twice = embed(&once, kind, &meta("Second")).unwrap();
            let after = decode(&twice, kind, &Limits::default()).unwrap();
            assert_eq!(before.image, after.image, "{kind}");
            assert_eq!(before.icc, after.icc, "{kind}");
            assert_eq!(embed(&once, kind, &meta("Second")).unwrap(), twice, "{kind}");
            if kind != Kind::Tiff {
                let tags = read_xmp(&embedded_xmp(&twice, kind).unwrap()).unwrap();
                assert_eq!((tags.title.as_deref(), tags.keywords.len()), (Some("Second"), 2), "{kind}");
            }
            assert!(!twice.windows(5).any(|window| window == b"First"), "{kind}");
        }
    }

    /// The profile of a monitor says whose it is.
    #[test]
    fn of_a_profile_only_what_turns_colours_leaves() {
        let profile = crate::craft::icc::rgb(&crate::craft::icc::SRGB, |value| value).unwrap();
        let at = profile.windows(7).position(|window| window == b"picture").unwrap();
        let of_jane = [&profile[..at], b"Jane D.", &profile[at + 7..]].concat();
        let torn = profile[..100].to_vec();
        // With a tag of floats, which nobody here reads.
        let odd = [&profile[..132], b"D2B0", &profile[136..]].concat();
        for format in [Format::Jpeg, Format::Png, Format::Webp, Format::Tiff] {
            let kind = format.kind();
            let with = |icc: &[u8]| {
                let picture = Picture { icc: Some(icc.to_vec()), ..testing::gradient(40, 30) };
                super::embed(&encode(&picture, format, 95).unwrap(), kind, &meta("t")).map(|(embedded, told)| {
                    (decode(&embedded.into_bytes(), kind, &Limits::default()).unwrap().icc, told)
                })
            };
            assert_eq!(with(&of_jane), Ok((Some(profile.clone()), None)), "{kind}");
            assert_eq!(with(&torn), Ok((None, Some(NO_PROFILE.to_owned()))), "{kind}");
            let refused = with(&odd).unwrap_err().to_string();
            assert!(refused.contains("its colour profile has parts that are not known here"), "{kind}: {refused}");
        }
    }

    /// The textures of a model went to markets with prompts and places in them.
    #[test]
    fn a_stripped_picture_shows_the_same_and_says_nothing() {
        let profile = crate::craft::icc::rgb(&crate::craft::icc::SRGB, |value| value).unwrap();
        for format in [Format::Jpeg, Format::Png, Format::Webp] {
            let kind = format.kind();
            let picture = Picture { icc: Some(profile.clone()), ..testing::gradient(40, 30) };
            let bare = encode(&picture, format, 95).unwrap();
            let strip = |bytes: &[u8]| stripped(bytes, kind).unwrap().into_bytes();
            let plain = strip(&bare);
            assert_eq!(strip(&plain), plain, "{kind}");
            let told = embed(&bare, kind, &meta("First")).unwrap();
            assert_eq!(strip(&told), plain, "{kind}");
            let (before, after) = (decode(&bare, kind, &Limits::default()), decode(&plain, kind, &Limits::default()));
            let (before, after) = (before.unwrap(), after.unwrap());
            assert_eq!((before.image, before.icc), (after.image, after.icc), "{kind}");
            for word in [&b"First"[..], b"xmpmeta", b"stockmill", b"Photoshop"] {
                assert!(!plain.windows(word.len()).any(|window| window == word), "{kind}: {word:?}");
            }
        }
        assert!(stripped(b"II*\0", Kind::Tiff).is_err() && stripped(b"\x89PNG", Kind::Png).is_err());
    }

    /// Once what turns a texture is gone, it lies on its side.
    #[test]
    fn a_stripped_picture_stays_turned() {
        let (size, turned) = (Size { width: 40, height: 30 }, Some(Orientation::Rotate90));
        let exif = Packets::of(&meta("First")).unwrap().exif(&Shown { size, turned, icc: None });
        let png = encode(&testing::gradient(40, 30), Format::Png, 95).unwrap();
        let png = [&png[..33], &png_chunk(*b"eXIf", &exif), &png[33..]].concat();
        let jpeg = encode(&testing::gradient(40, 30), Format::Jpeg, 95).unwrap();
        let mut head = jpeg::START.to_vec();
        segment(&mut head, 0xe1, &[jpeg::EXIF, &exif].concat());
        let jpeg = [&head, &jpeg[2..]].concat();
        let webp_plain = encode(&testing::gradient(40, 30), Format::Webp, 95).unwrap();
        let mut chunks = webp::chunks(&webp_plain).unwrap();
        chunks.push(Chunk { name: *b"EXIF", body: &exif });
        for (kind, bytes) in [(Kind::Png, png), (Kind::Jpeg, jpeg), (Kind::Webp, webp::join(&chunks))] {
            let plain = stripped(&bytes, kind).unwrap().into_bytes();
            assert!(!super::super::decode::is_upright(&bytes, kind), "{kind}");
            assert!(!super::super::decode::is_upright(&plain, kind), "{kind}");
            assert!(!plain.windows(9).any(|window| window == b"stockmill"), "{kind}");
        }
    }

    #[test]
    fn a_prompt_never_leaves() {
        let plain = encode(&testing::gradient(9, 9), Format::Png, 95).unwrap();
        let chunk = png_chunk(*b"tEXt", b"parameters\0secret prompt");
        let bytes = embed(&[&plain[..33], &chunk, &plain[33..]].concat(), Kind::Png, &meta("t")).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
    }

    /// Text behind the end mark, in a second header, between the scans or in a gain map went to the market.
    #[test]
    fn only_what_is_known_and_wanted_stays() {
        let secret = b"GPSSECRET and a prompt";
        let jpeg_part = |marker: u8, name: &[u8]| {
            let mut part = Vec::new();
            segment(&mut part, marker, &[name, secret].concat());
            part
        };
        let plain = encode(&testing::gradient(40, 30), Format::Jpeg, 80).unwrap();
        let end = plain.len() - 2;
        let mut tests = Vec::new();
        for marker in (0xe0..=0xef).chain([0xfe]) {
            for name in
                [&b""[..], b"JFIF\0\x01\x02\0\0\x01\0\x01\x03\x03", b"JFXX\0\x10", b"MPF\0", b"Adobe\0\x64\0\0\0\0\x01"]
            {
                let part = jpeg_part(marker, name);
                tests.push((Kind::Jpeg, [&plain[..2], &part, &plain[2..]].concat()));
                tests.push((Kind::Jpeg, [&plain[..end], &part, &plain[end..]].concat()));
            }
        }
        tests.push((Kind::Jpeg, [&plain[..2], &jpeg_part(0xdd, b"\0\0"), &plain[2..]].concat()));
        let png = encode(&testing::gradient(40, 30), Format::Png, 80).unwrap();
        for name in [b"tEXt", b"eXIf", b"caBX", b"prVt", b"tIME", b"vpAg"] {
            let chunk = png_chunk(*name, secret);
            for at in [33, png.len() - 12] {
                tests.push((Kind::Png, [&png[..at], &chunk, &png[at..]].concat()));
            }
        }
        let lossless = encode(&testing::gradient(40, 30), Format::Webp, 80).unwrap();
        let with = |name: [u8; 4]| {
            let mut all = webp::chunks(&lossless).unwrap();
            all.push(Chunk { name, body: secret });
            webp::join(&all)
        };
        tests.extend([*b"EXIF", *b"XMP ", *b"abcd"].map(|name| (Kind::Webp, with(name))));
        let tiff = encode(&testing::gradient(40, 30), Format::Tiff, 80).unwrap();
        for (kind, whole) in [(Kind::Jpeg, &plain), (Kind::Png, &png), (Kind::Webp, &lossless), (Kind::Tiff, &tiff)] {
            tests.push((kind, [whole, &secret[..]].concat()));
        }
        for (kind, bytes) in tests {
            let whole = [(Kind::Jpeg, &plain), (Kind::Png, &png), (Kind::Webp, &lossless), (Kind::Tiff, &tiff)];
            let (_, whole) = whole.into_iter().find(|(of, _)| *of == kind).unwrap();
            let before = decode(whole, kind, &Limits::default()).unwrap();
            let clean = embed(&bytes, kind, &meta("t")).unwrap();
            assert!(!clean.windows(6).any(|window| window == b"SECRET"), "{kind} {:x?}", &bytes[..64]);
            assert_eq!(decode(&clean, kind, &Limits::default()).unwrap().image, before.image, "{kind}");
            assert_eq!(embed(&clean, kind, &meta("t")).unwrap(), clean, "{kind}: twice is once");
        }
    }

    /// The decoder skips a mark that it does not know, and all that follows was kept or taken away as one part: the
    /// picture that came out could not be decoded.
    #[test]
    fn a_jpeg_with_unknown_parts_is_refused() {
        let plain = encode(&testing::gradient(9, 9), Format::Jpeg, 95).unwrap();
        let with = |bytes: &[u8]| [&plain[..2], bytes, &plain[2..]].concat();
        for good in [&b""[..], b"\xff", b"\xff\xfe\0\x04hi", b"\xff\xff\xfe\0\x02"] {
            let embedded = embed(&with(good), Kind::Jpeg, &meta("t")).unwrap();
            assert!(decode(&embedded, Kind::Jpeg, &Limits::default()).is_ok(), "{good:x?}");
        }
        for bad in [&b"\xff\x30\0\x10"[..], b"\xff\0", b"a", b"\xff\xd9", b"\xff\xfe\0\x01"] {
            assert!(matches!(embed(&with(bad), Kind::Jpeg, &meta("t")), Err(CraftError::Unsupported(_))), "{bad:x?}");
        }
        let beyond = embed(&with(b"\xff\xfe\xff\xff"), Kind::Jpeg, &meta("t"));
        assert!(matches!(beyond, Err(CraftError::Truncated(_))), "{beyond:?}");
        for cut in 0..30 {
            assert!(embed(&plain[..cut], Kind::Jpeg, &meta("t")).is_err());
        }
    }

    /// A PNG without a chunk panicked.
    #[test]
    fn a_png_without_pixels_is_refused() {
        for bytes in [&b"\x89PNG\r\n\x1a\n"[..], b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82"] {
            assert!(matches!(embed(bytes, Kind::Png, &meta("t")), Err(CraftError::Damaged(_))));
        }
    }

    /// A WebP whose header claims no length decodes, but its chunks lie behind its end: what came out had no pixels.
    #[test]
    fn a_webp_without_one_picture_is_refused() {
        let plain = encode(&testing::gradient(9, 9), Format::Webp, 95).unwrap();
        let chunks = webp::chunks(&plain).unwrap();
        let pixels = *chunks.iter().find(|chunk| chunk.name == *b"VP8L").unwrap();
        let header = Chunk { name: *b"VP8X", body: &[0, 0, 0, 0, 8, 0, 0, 8, 0, 0] };
        let no_length = [&plain[..4], &[0; 4], &plain[8..]].concat();
        assert!(matches!(embed(&no_length, Kind::Webp, &meta("t")), Err(CraftError::Damaged(_))));
        for (chunks, is_good) in [
            (vec![pixels], true),
            // The second picture is no part of a file without a header.
            (vec![pixels, pixels], true),
            (vec![header, pixels], true),
            (vec![header], false),
            (vec![header, pixels, pixels], false),
            (vec![header, pixels, Chunk { name: *b"VP8 ", ..pixels }], false),
            (vec![], false),
        ] {
            let names: Vec<_> = chunks.iter().map(|chunk| chunk.name).collect();
            match embed(&webp::join(&chunks), Kind::Webp, &meta("t")) {
                Ok(with) => {
                    assert!(is_good, "{names:x?}");
                    decode(&with, Kind::Webp, &Limits::default()).unwrap();
                }
                Err(error) => assert!(!is_good && matches!(error, CraftError::Damaged(_)), "{names:x?}: {error}"),
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), which in 0_usize..4) {
            let (kind, head): (Kind, &[u8]) = [
                (Kind::Jpeg, b"\xff\xd8\xff\xe0".as_slice()),
                (Kind::Png, b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"),
                (Kind::Webp, b"RIFF\x40\0\0\0WEBPVP8L"),
                (Kind::Tiff, b"II*\0\x08\0\0\0"),
            ][which];
            let _ = embed(&[head, &bytes].concat(), kind, &meta("t"));
        }
    }
}
