//! Metadata in the three forms that programs read: XMP, IPTC-IIM and EXIF.

use std::borrow::Cow;

use image::metadata::Orientation;

use super::color::{grey_profile, srgb_profile};
use super::xmp::write_xmp;
use super::{CraftError, exif};
use crate::model::hierarchy::of_keywords;
use crate::model::iim::{self, plain};
use crate::model::{Ai, Meta, Size};

/// The most bytes of an XMP packet that one JPEG segment can hold.
const XMP_BYTES_MAX: usize = 65_502;
/// The program that wrote a file.
const SOFTWARE: &str = "stockmill";

/// What is embedded into a picture.
#[derive(Debug, Clone)]
pub(super) struct Packets {
    /// An XMP packet (ISO 16684-1).
    pub(super) xmp: String,
    /// An IPTC-IIM block (IIM 4.2).
    pub(super) iim: Vec<u8>,
    texts: Vec<(u16, String)>,
    /// What the XMP packet has not room for, in words.
    pub(super) told: Option<String>,
}

/// What EXIF says of a picture itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) size: Size,
    pub(super) turned: Option<Orientation>,
    pub(super) icc: Option<&'a [u8]>,
}

impl Packets {
    /// Returns metadata as every format can hold it.
    pub(super) fn of(meta: &Meta) -> Result<Self, CraftError> {
        let (xmp, kept, told) = packet(meta)?;
        // Other programs take the EXIF description for that of XMP.
        let texts = [
            (exif::DESCRIPTION, kept.description.as_str()),
            (exif::SOFTWARE, SOFTWARE),
            (exif::ARTIST, &kept.creator),
            (exif::COPYRIGHT, &kept.rights),
        ];
        let texts = texts.map(|(tag, text)| (tag, plain(text, exif::TEXT_BYTES_MAX)));
        let texts = texts.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        // It has no more than XMP has, and fits where that does.
        Ok(Self { xmp, iim: block(&kept), texts, told })
    }

    /// Returns those of a picture that says nothing.
    pub(super) fn none() -> Self {
        Self { xmp: String::new(), iim: Vec::new(), texts: Vec::new(), told: None }
    }

    /// Returns whether they say nothing.
    pub(super) fn is_none(&self) -> bool {
        self.xmp.is_empty()
    }

    /// Returns whether a picture has an EXIF block: one that says nothing may be turned.
    pub(super) fn has_exif(&self, shown: &Shown<'_>) -> bool {
        !self.is_none() || shown.turned.is_some_and(|turned| turned != Orientation::NoTransforms)
    }

    /// Returns an EXIF block.
    pub(super) fn exif(&self, shown: &Shown<'_>) -> Vec<u8> {
        let is_srgb = shown.icc.is_none_or(|icc| icc == srgb_profile() || icc == grey_profile());
        exif::block(&self.texts, shown.size, shown.turned, is_srgb)
    }

    /// Returns the texts that a TIFF has in its own directory, by tag.
    pub(super) fn texts(&self) -> &[(u16, String)] {
        &self.texts
    }

    /// Returns the IIM block as a JPEG has it, with the digest by which programs see whether another one changed it
    /// (Photoshop image resources 0x0404 and 0x0425).
    pub(super) fn photoshop(&self) -> Vec<u8> {
        let mut body = b"Photoshop 3.0\0".to_vec();
        for (number, data) in [(0x0404_u16, self.iim.as_slice()), (0x0425, &md5::compute(&self.iim).0)] {
            body.extend_from_slice(b"8BIM");
            body.extend_from_slice(&number.to_be_bytes());
            // No name.
            body.extend_from_slice(&[0, 0]);
            body.extend_from_slice(&u32::try_from(data.len()).expect("a block is short").to_be_bytes());
            body.extend_from_slice(data);
            body.resize(body.len().next_multiple_of(2), 0);
        }
        body
    }
}

/// Returns an XMP packet that a JPEG can hold, what of the metadata it has, and what is cut for that: first the prompt, then
/// the description, then the last keywords.
fn packet(meta: &Meta) -> Result<(String, Cow<'_, Meta>, Option<String>), CraftError> {
    let whole = write_xmp(meta);
    if whole.len() <= XMP_BYTES_MAX {
        return Ok((whole, Cow::Borrowed(meta), None));
    }
    let prompt = meta.ai.prompt.as_deref().unwrap_or_default();
    let counts = [prompt.chars().count(), meta.description.chars().count(), meta.keywords.len()];
    let (mut kept, mut told) = (counts, Vec::new());
    let names = ["characters of its prompt", "characters of its description", "keywords"];
    for (at, name) in names.iter().enumerate() {
        let fits = |count: usize| {
            let mut kept = kept;
            kept[at] = count;
            write_xmp(&shortened_to(meta, kept)).len() <= XMP_BYTES_MAX
        };
        let most = most(counts[at], fits);
        kept[at] = most.unwrap_or_default();
        if kept[at] < counts[at] {
            told.push(format!("{} of {} {name}", kept[at], counts[at]));
        }
        if most.is_some() {
            let told = format!("a picture holds {XMP_BYTES_MAX} bytes of XMP, and so it has {}", told.join(", "));
            let kept = shortened_to(meta, kept);
            return Ok((write_xmp(&kept), Cow::Owned(kept), Some(told)));
        }
    }
    let what = "its title, creator and rights are longer than a picture holds as XMP";
    Err(CraftError::Metadata(format!("{what} ({XMP_BYTES_MAX} bytes); shorten them")))
}

/// Returns metadata with so many characters of its prompt and its description, and so many keywords.
fn shortened_to(meta: &Meta, [prompt, description, keywords]: [usize; 3]) -> Meta {
    let first = |text: &str, count: usize| text.chars().take(count).collect::<String>();
    let asked = meta.ai.prompt.as_deref().map(|text| first(text, prompt));
    let keywords = meta.keywords[..keywords].to_vec();
    Meta {
        description: first(&meta.description, description),
        hierarchy: of_keywords(&meta.hierarchy, &keywords),
        keywords,
        ai: Ai { prompt: asked, ..meta.ai.clone() },
        ..meta.clone()
    }
}

/// Returns the most of so many that still fit.
fn most(count: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut fitting, mut too_many) = (0, count + 1);
    if !fits(0) {
        return None;
    }
    while too_many - fitting > 1 {
        let middle = fitting.midpoint(too_many);
        if fits(middle) { fitting = middle } else { too_many = middle }
    }
    Some(fitting)
}

/// The datasets of record 2 that are written, and the most bytes that each may have.
const TITLE: (u8, usize) = (5, iim::TITLE_BYTES_MAX);
const KEYWORD: (u8, usize) = (25, iim::KEYWORD_BYTES_MAX);
const CREATOR: (u8, usize) = (80, iim::CREATOR_BYTES_MAX);
const HEADLINE: (u8, usize) = (105, iim::HEADLINE_BYTES_MAX);
const RIGHTS: (u8, usize) = (116, iim::RIGHTS_BYTES_MAX);
const DESCRIPTION: (u8, usize) = (120, iim::DESCRIPTION_BYTES_MAX);

/// Returns metadata as an IPTC-IIM block in UTF-8, in the order of its numbers. What is too long for it is cut between
/// characters; XMP has it whole.
fn block(meta: &Meta) -> Vec<u8> {
    // Coded character set: ESC % G, that is UTF-8. The version of the record: 4.
    let mut block = vec![0x1c, 1, 90, 0, 3, 0x1b, b'%', b'G', 0x1c, 2, 0, 0, 2, 0, 4];
    let mut add = |(number, bytes_max): (u8, usize), text: &str| {
        let text = plain(text, bytes_max);
        if let (false, Ok(length)) = (text.is_empty(), u16::try_from(text.len())) {
            block.extend_from_slice(&[0x1c, 2, number]);
            block.extend_from_slice(&length.to_be_bytes());
            block.extend_from_slice(text.as_bytes());
        }
    };
    add(TITLE, &meta.title);
    meta.keywords.iter().for_each(|keyword| add(KEYWORD, keyword));
    add(CREATOR, &meta.creator);
    add(HEADLINE, &meta.title);
    add(RIGHTS, &meta.rights);
    add(DESCRIPTION, &meta.description);
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_block_is_written_as_the_standard_has_it() {
        let meta = Meta {
            title: "Hütte".to_owned(),
            keywords: vec!["b".to_owned(), "x".repeat(70), "\u{b}".to_owned()],
            rights: "©".repeat(100),
            ..Meta::default()
        };
        let packets = Packets::of(&meta).unwrap();
        let rights = "©".repeat(64);
        let expected = [
            &b"\x1c\x01\x5a\0\x03\x1b%G\x1c\x02\0\0\x02\0\x04"[..],
            "\x1c\x02\x05\0\x06Hütte".as_bytes(),
            b"\x1c\x02\x19\0\x01b",
            b"\x1c\x02\x19\0\x40",
            &[b'x'; 64],
            "\x1c\x02\x69\0\x06Hütte".as_bytes(),
            b"\x1c\x02\x74\0\x80",
            rights.as_bytes(),
        ];
        assert_eq!(packets.iim, expected.concat());
        let whole = packets.photoshop();
        assert_eq!(whole[..24], *b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0");
        assert_eq!(whole.len() % 2, 0);
        assert_eq!(whole[whole.len() - 16..], md5::compute(&packets.iim).0);
    }

    /// It was refused, and a person had to shorten what a market would have cut anyhow.
    #[test]
    fn what_a_picture_has_no_room_for_is_cut_and_told() {
        let meta = |description: usize, keywords: usize, title: usize| Meta {
            title: "t".repeat(title),
            // Five bytes each.
            description: "&".repeat(description),
            keywords: (0..keywords).map(|n| format!("{n:05}")).collect(),
            ..Meta::default()
        };
        for (meta, told) in [
            (meta(10_000, 40, 9), ""),
            (meta(20_000, 40, 9), "a picture holds 65502 bytes of XMP, and so it has 1"),
            (
                meta(9, 10_000, 9),
                "a picture holds 65502 bytes of XMP, and so it has 0 of 9 characters of its description, 2",
            ),
        ] {
            let packets = Packets::of(&meta).unwrap();
            assert!(packets.xmp.len() <= XMP_BYTES_MAX && packets.photoshop().len() < 65_533);
            let found = packets.told.unwrap_or_default();
            assert!(found.starts_with(told) && told.is_empty() == found.is_empty(), "{found}");
            // There is no room left for one more.
            assert!(told.is_empty() || packets.xmp.len() > XMP_BYTES_MAX - 30, "{}", packets.xmp.len());
        }
        let asked = |chars: usize| Ai { prompt: Some("p".repeat(chars)), ..Ai::default() };
        let cut = Packets::of(&Meta { ai: asked(70_000), ..meta(9, 9, 9) }).unwrap();
        let told = cut.told.unwrap_or_default();
        assert!(told.contains("characters of its prompt") && !told.contains("description"), "{told}");
        assert!(cut.xmp.contains("&amp;&amp;") && cut.xmp.len() == XMP_BYTES_MAX, "{}", cut.xmp.len());
        assert!(matches!(Packets::of(&meta(9, 9, 70_000)), Err(CraftError::Metadata(_))));
    }

    proptest! {
        #[test]
        fn any_text_gives_a_block_that_ends_where_it_should(texts in proptest::collection::vec(".{0,90}", 0..20)) {
            let title = texts.concat();
            let meta = Meta { title: title.clone(), description: title, keywords: texts, ..Meta::default() };
            let packets = Packets::of(&meta).unwrap();
            let mut rest = packets.iim.as_slice();
            while let [0x1c, _, _, high, low, tail @ ..] = rest {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                prop_assert!(std::str::from_utf8(&tail[..length]).is_ok());
                rest = &tail[length..];
            }
            prop_assert!(rest.is_empty());
            prop_assert!(packets.photoshop().len() < 65_533);
        }
    }
}
