//! The title and the keywords that a picture brings in itself: stockmill takes tags from what lies beside it.

use super::embed::embedded_xmp;
use super::foreign_xmp::read_xmp;
use super::jpeg::parts;
use crate::model::{Kind, counted};

/// What each block of Photoshop begins with, and each resource in it.
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
const RESOURCE: &[u8] = b"8BIM";
/// The number of the resource that holds IPTC-IIM.
const IIM: u16 = 0x0404;
/// The records of a title and of a keyword (IIM 4.2).
const TITLE: [u8; 3] = [0x1c, 2, 5];
const KEYWORD: [u8; 3] = [0x1c, 2, 25];

/// Returns what is told of the title and the keywords in a picture; `None` if it has neither.
pub fn own_tags(bytes: &[u8], kind: Kind) -> Option<String> {
    let xmp = embedded_xmp(bytes, kind).and_then(|xmp| read_xmp(&xmp).ok());
    let of_xmp = xmp.map(|tags| (tags.title.is_some(), tags.keywords.len())).unwrap_or_default();
    let of_iim = if kind == Kind::Jpeg { of_iim(bytes) } else { (false, 0) };
    let (has_title, keywords) = (of_xmp.0 || of_iim.0, of_xmp.1.max(of_iim.1));
    let keywords = (keywords > 0).then(|| counted(keywords, "keyword"));
    let (what, are) = match (has_title, keywords) {
        (false, None) => return None,
        (true, None) => ("title".to_owned(), "is"),
        (true, Some(keywords)) => (format!("title and {keywords}"), "are"),
        (false, Some(keywords)) => (keywords, "are"),
    };
    Some(format!("its own {what} inside {are} not used; an `.xmp` beside it would be"))
}

/// Returns whether a JPEG has a title, and how many keywords, as IPTC-IIM.
fn of_iim(bytes: &[u8]) -> (bool, usize) {
    let blocks = parts(bytes).map_while(Result::ok).filter(|part| part.marker == 0xed);
    let blocks = blocks.filter_map(|part| part.body.strip_prefix(PHOTOSHOP));
    let (mut has_title, mut keywords) = (false, 0);
    for mut data in blocks.filter_map(iim_in) {
        while let Some((record, rest)) = next_record(data) {
            has_title |= record == TITLE;
            keywords += usize::from(record == KEYWORD);
            data = rest;
        }
    }
    (has_title, keywords)
}

/// Returns the IPTC-IIM of a block of Photoshop.
fn iim_in(mut block: &[u8]) -> Option<&[u8]> {
    loop {
        let (number, rest) = block.strip_prefix(RESOURCE)?.split_first_chunk()?;
        // A name of no character has one byte that says so, and one more.
        let name = (usize::from(*rest.first()?) + 1).next_multiple_of(2);
        let (length, rest) = rest.get(name..)?.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if u16::from_be_bytes(*number) == IIM {
            return rest.get(..length);
        }
        block = rest.get(length.next_multiple_of(2)..)?;
    }
}

/// Returns what a record is and what follows it.
fn next_record(data: &[u8]) -> Option<([u8; 3], &[u8])> {
    let (record, rest) = data.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    Some((*record, rest.get(usize::from(u16::from_be_bytes(*length))..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{embed, encode, testing};
    use crate::model::{Format, Meta};

    /// Who tagged pictures in another program lost that without a word.
    #[test]
    fn a_title_and_keywords_that_a_picture_brings_are_told() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        // The title, the keywords, and what is told.
        let rows: [(&str, &[&str], Option<&str>); 4] = [
            ("", &[], None),
            ("Sea", &[], Some("its own title inside is not used; an `.xmp` beside it would be")),
            ("Sea", &["wave"], Some("its own title and 1 keyword inside are not used; an `.xmp` beside it would be")),
            ("", &["wave", "sky"], Some("its own 2 keywords inside are not used; an `.xmp` beside it would be")),
        ];
        for format in [Format::Jpeg, Format::Png, Format::Webp] {
            let plain = encode(&testing::gradient(8, 8), format, 90).unwrap();
            assert_eq!(own_tags(&plain, format.kind()), None);
            for (title, keywords, told) in rows {
                let meta = Meta { title: title.to_owned(), keywords: words(keywords), ..Meta::default() };
                let tagged = embed(&plain, format.kind(), &meta).unwrap().0.into_bytes();
                assert_eq!(own_tags(&tagged, format.kind()).as_deref(), told, "{format:?} {title}");
                if format == Format::Jpeg {
                    assert_eq!(of_iim(&tagged), (!title.is_empty(), keywords.len()), "{title}");
                }
            }
        }
    }
}
