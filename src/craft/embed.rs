use img_parts::jpeg::{Jpeg, JpegSegment};
use img_parts::png::{Png, PngChunk};
use img_parts::riff::{RiffChunk, RiffContent};
use img_parts::webp::WebP;
use img_parts::{Bytes, ImageEXIF};

use super::CraftError;
use super::decode::{Limits, decode};
use super::encode::tiff_with;
use super::xmp::write_xmp;
use crate::model::{Kind, Meta};

/// The name before an XMP packet in a JPEG.
const JPEG_XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// The most bytes of a packet that one JPEG segment can hold.
const JPEG_XMP_BYTES_MAX: usize = 65_502;
/// The head of a PNG text chunk with an XMP packet: keyword, no compression, no language.
const PNG_XMP: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";
/// The bit of a WebP header that announces XMP.
const WEBP_XMP: u8 = 0x04;

/// Puts metadata into a finished picture. Whatever else might carry a prompt, a seed or a place goes:
/// other text, EXIF, older XMP, maker's data. Pixels and colour profile stay byte for byte.
pub fn embed(bytes: Vec<u8>, kind: Kind, meta: &Meta) -> Result<Vec<u8>, CraftError> {
    let xmp = write_xmp(meta);
    if xmp.len() > JPEG_XMP_BYTES_MAX {
        return Err(CraftError::Metadata(format!("{} bytes of XMP; a picture holds {JPEG_XMP_BYTES_MAX}", xmp.len())));
    }
    match kind {
        Kind::Jpeg => jpeg(bytes.into(), &xmp),
        Kind::Png => png(bytes.into(), &xmp),
        Kind::Webp => webp(bytes.into(), xmp),
        // A TIFF is written anew, without loss: its parts point at each other.
        Kind::Tiff => tiff_with(&decode(&bytes, kind, &Limits::default())?, Some(&xmp)),
        other => Err(CraftError::Unsupported(format!("{other} holds no metadata that stockmill writes"))),
    }
}

fn damaged(error: &img_parts::Error) -> CraftError {
    CraftError::Damaged(error.to_string())
}

/// Returns whether a JPEG's parts lie one after another up to its pixels, each of a known kind. Of any other the
/// decoder may read other parts than those that are kept here.
fn is_plain_jpeg(bytes: &[u8]) -> bool {
    let mut rest = bytes.strip_prefix(b"\xff\xd8").unwrap_or_default();
    loop {
        let fill = rest.iter().take_while(|b| **b == 0xff).count();
        let Some([marker, high, low, ..]) = rest.get(fill..).filter(|_| fill > 0) else { return false };
        match marker {
            0xda => return true,
            0xc0..=0xc7 | 0xc9..=0xcf | 0xdb | 0xdd | 0xe0..=0xef | 0xfe => (),
            _ => return false,
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(after) = rest.get(fill + 1 + length..).filter(|_| length >= 2) else { return false };
        rest = after;
    }
}

fn jpeg(bytes: Bytes, xmp: &str) -> Result<Vec<u8>, CraftError> {
    if !is_plain_jpeg(&bytes) {
        let what = "a JPEG with unknown parts before its pixels; save it again with another program";
        return Err(CraftError::Unsupported(what.to_owned()));
    }
    let mut picture = Jpeg::from_bytes(bytes).map_err(|error| damaged(&error))?;
    // APP0 is JFIF, APP2 the colour profile, APP14 tells how colour is coded; the rest may go.
    let stays = |segment: &JpegSegment| {
        let marker = segment.marker();
        let is_profile = marker == 0xe2 && segment.contents().starts_with(b"ICC_PROFILE\0");
        !(0xe0..=0xef).contains(&marker) && marker != 0xfe || matches!(marker, 0xe0 | 0xee) || is_profile
    };
    picture.segments_mut().retain(stays);
    let packet = [JPEG_XMP, xmp.as_bytes()].concat();
    let after_header = usize::from(picture.segments().first().is_some_and(|segment| segment.marker() == 0xe0));
    picture.segments_mut().insert(after_header, JpegSegment::new_with_contents(0xe1, packet.into()));
    Ok(picture.encoder().bytes().to_vec())
}

fn png(bytes: Bytes, xmp: &str) -> Result<Vec<u8>, CraftError> {
    let mut picture = Png::from_bytes(bytes).map_err(|error| damaged(&error))?;
    let carries_text = |kind: [u8; 4]| matches!(&kind, b"tEXt" | b"zTXt" | b"iTXt" | b"eXIf" | b"tIME" | b"caBX");
    picture.chunks_mut().retain(|chunk| !carries_text(chunk.kind()));
    let Some(at) = picture.chunks().iter().position(|chunk| chunk.kind() == *b"IDAT") else {
        return Err(CraftError::Damaged("the PNG has no pixels".to_owned()));
    };
    let packet = [PNG_XMP, xmp.as_bytes()].concat();
    picture.chunks_mut().insert(at, PngChunk::new(*b"iTXt", packet.into()));
    Ok(picture.encoder().bytes().to_vec())
}

fn webp(bytes: Bytes, xmp: String) -> Result<Vec<u8>, CraftError> {
    let mut picture = WebP::from_bytes(bytes).map_err(|error| damaged(&error))?;
    // Setting EXIF makes the extended header that XMP needs as well.
    picture.set_exif(Some(Bytes::from_static(b"x")));
    picture.set_exif(None);
    picture.remove_chunks_by_id(*b"XMP ");
    for chunk in picture.chunks_mut().iter_mut().filter(|chunk| chunk.id() == *b"VP8X") {
        let mut header = chunk.content().data().map(|data| data.to_vec()).unwrap_or_default();
        if let Some(flags) = header.first_mut() {
            *flags |= WEBP_XMP;
        }
        *chunk = RiffChunk::new(*b"VP8X", RiffContent::Data(header.into()));
    }
    picture.chunks_mut().push(RiffChunk::new(*b"XMP ", RiffContent::Data(xmp.into())));
    Ok(picture.encoder().bytes().to_vec())
}

/// Returns the XMP packet of a picture.
pub fn embedded_xmp(bytes: &[u8], kind: Kind) -> Option<Vec<u8>> {
    let bytes = Bytes::copy_from_slice(bytes);
    match kind {
        Kind::Jpeg => {
            let picture = Jpeg::from_bytes(bytes).ok()?;
            picture
                .segments_by_marker(0xe1)
                .find_map(|segment| segment.contents().strip_prefix(JPEG_XMP).map(<[u8]>::to_vec))
        }
        Kind::Png => {
            let picture = Png::from_bytes(bytes).ok()?;
            picture
                .chunks_by_type(*b"iTXt")
                .find_map(|chunk| chunk.contents().strip_prefix(PNG_XMP).map(<[u8]>::to_vec))
        }
        Kind::Webp => Some(WebP::from_bytes(bytes).ok()?.chunk_by_id(*b"XMP ")?.content().data()?.to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{encode, read_xmp, testing};
    use crate::model::Format;
    use proptest::prelude::*;

    fn meta(title: &str) -> Meta {
        Meta { title: title.to_owned(), keywords: vec!["b".to_owned(), "a".to_owned()], ..Meta::default() }
    }

    #[test]
    fn metadata_is_replaced_and_pixels_stay() {
        for format in [Format::Jpeg, Format::Png, Format::Webp, Format::Tiff] {
            let kind = format.kind();
            let bare = encode(&testing::gradient(40, 30), format, 95).unwrap();
            let before = decode(&bare, kind, &Limits::default()).unwrap();
            let once = embed(bare, kind, &meta("First")).unwrap();
            let twice = embed(once.clone(), kind, &meta("Second")).unwrap();
            let after = decode(&twice, kind, &Limits::default()).unwrap();
            assert_eq!(before.image, after.image, "{kind}");
            assert_eq!(before.icc, after.icc, "{kind}");
            assert_eq!(embed(once, kind, &meta("Second")).unwrap(), twice, "{kind}");
            if kind != Kind::Tiff {
                let tags = read_xmp(&embedded_xmp(&twice, kind).unwrap()).unwrap();
                assert_eq!((tags.title.as_deref(), tags.keywords.len()), (Some("Second"), 2), "{kind}");
            }
            assert!(!twice.windows(5).any(|window| window == b"First"), "{kind}");
        }
    }

    #[test]
    fn a_prompt_never_leaves() {
        let mut picture = Png::from_bytes(encode(&testing::gradient(9, 9), Format::Png, 95).unwrap().into()).unwrap();
        picture.chunks_mut().insert(1, PngChunk::new(*b"tEXt", Bytes::from_static(b"parameters\0secret prompt")));
        let bytes = embed(picture.encoder().bytes().to_vec(), Kind::Png, &meta("t")).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
    }

    /// The decoder skips a mark that it does not know, and all that follows was kept or taken away as one part: the
    /// picture that came out could not be decoded.
    #[test]
    fn a_jpeg_with_unknown_parts_is_refused() {
        let plain = encode(&testing::gradient(9, 9), Format::Jpeg, 95).unwrap();
        let with = |bytes: &[u8]| [&plain[..2], bytes, &plain[2..]].concat();
        for good in [&b""[..], b"\xff", b"\xff\xfe\0\x04hi", b"\xff\xff\xfe\0\x02"] {
            let embedded = embed(with(good), Kind::Jpeg, &meta("t")).unwrap();
            assert!(decode(&embedded, Kind::Jpeg, &Limits::default()).is_ok(), "{good:x?}");
        }
        for bad in [&b"\xff\x30\0\x10"[..], b"\xff\0", b"a", b"\xff\xd9", b"\xff\xfe\0\x01", b"\xff\xfe\xff\xff"] {
            assert!(matches!(embed(with(bad), Kind::Jpeg, &meta("t")), Err(CraftError::Unsupported(_))), "{bad:x?}");
        }
        for cut in 0..30 {
            assert!(embed(plain[..cut].to_vec(), Kind::Jpeg, &meta("t")).is_err());
        }
    }

    /// A PNG without a chunk panicked.
    #[test]
    fn a_png_without_pixels_is_refused() {
        for bytes in [&b"\x89PNG\r\n\x1a\n"[..], b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82"] {
            assert!(matches!(embed(bytes.to_vec(), Kind::Png, &meta("t")), Err(CraftError::Damaged(_))));
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
            let _ = embed([head, &bytes].concat(), kind, &meta("t"));
        }
    }
}
