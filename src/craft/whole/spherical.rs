//! Keeps what makes players show a film in all directions: the text of Google's Spherical Video V1, in a track of an MP4 or
//! MOV. Programs and persons write into it what they like, so that it is written anew.

use std::io::{Read, Seek};
use std::ops::Range;

use super::edit::Edit;
use super::{CraftError, Source};

/// What the box with the text is known by.
pub(super) const ID: [u8; 16] =
    [0xFF, 0xCC, 0x82, 0x63, 0xF8, 0x55, 0x4A, 0x93, 0x88, 0x14, 0x58, 0x7A, 0x02, 0x52, 0x1F, 0xDD];
/// The most bytes of such a box that are read.
const BYTES_MAX: u64 = 64 << 10;

/// What a person is told of a film that loses its mark.
pub(super) const LOST: &str =
    "it is marked as a 360° film in a way that is not known here, and goes to markets without that mark";
const DECLARATION: &str = "<?xml version=\"1.0\"?>";
const START: &str = "<rdf:SphericalVideo xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
                     xmlns:GSpherical=\"http://ns.google.com/videos/1.0/spherical/\">";
const END: &str = "</rdf:SphericalVideo>";
/// The elements of words, with what they may say.
const WORDS: [(&str, &[&str]); 4] = [
    ("Spherical", &["true"]),
    ("Stitched", &["true", "false"]),
    ("ProjectionType", &["equirectangular"]),
    ("StereoMode", &["mono", "left-right", "top-bottom"]),
];
/// The elements of whole numbers.
const NUMBERS: [&str; 10] = [
    "SourceCount",
    "InitialViewHeadingDegrees",
    "InitialViewPitchDegrees",
    "InitialViewRollDegrees",
    "FullPanoWidthPixels",
    "FullPanoHeightPixels",
    "CroppedAreaImageWidthPixels",
    "CroppedAreaImageHeightPixels",
    "CroppedAreaLeftPixels",
    "CroppedAreaTopPixels",
];
/// Players want it, and it may say anything.
const SOFTWARE: &str = "StitchingSoftware";

/// What a box says of how a film is shown.
pub(super) enum Mark {
    /// Nothing: it is another box.
    None,
    /// That it is shown in all directions, in a way that is not known here.
    Unknown,
    /// That, and how the box says nothing else.
    Needed(Option<Edit>),
}

/// Returns what a box says of how a film is shown, by where its content lies.
pub(super) fn mark<R: Read + Seek>(source: &mut Source<R>, content: &Range<u64>) -> Result<Mark, CraftError> {
    let size = content.end - content.start;
    let before = source.up_to(content.start, size.min(BYTES_MAX))?;
    Ok(match needed(&before).filter(|_| size <= BYTES_MAX) {
        Some(after) => Mark::Needed((after != before).then(|| Edit::blank(content.clone(), &after))),
        None if before.starts_with(&ID) => Mark::Unknown,
        None => Mark::None,
    })
}

/// Returns what such a box holds with nothing but what players need, of as many bytes; `None` if that is not known here.
pub(super) fn needed(content: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(content.strip_prefix(&ID)?).ok()?;
    value(text, "Spherical")?;
    let mut elements = Vec::new();
    for (name, may_say) in WORDS {
        if let Some(value) = value(text, name) {
            elements.push((name, (*may_say.iter().find(|may| **may == value)?).to_owned()));
        }
    }
    for name in NUMBERS {
        if let Some(value) = value(text, name) {
            elements.push((name, value.parse::<i64>().ok()?.to_string()));
        }
    }
    elements.extend(value(text, SOFTWARE).map(|_| (SOFTWARE, String::new())));
    let elements = elements.into_iter().map(|(name, value)| format!("<GSpherical:{name}>{value}</GSpherical:{name}>"));
    let declaration = if text.starts_with("<?xml") { DECLARATION } else { "" };
    let needed = [declaration, START, &elements.collect::<String>()].concat();
    let left = text.len().checked_sub(needed.len() + END.len())?;
    Some([&ID, needed.as_bytes(), &vec![b' '; left], END.as_bytes()].concat())
}

/// Returns what an element says.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = text.split_once(&format!("<GSpherical:{name}>"))?;
    let (value, _) = behind.split_once(&format!("</GSpherical:{name}>"))?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(elements: &[(&str, &str)]) -> Vec<u8> {
        let elements = elements.iter().map(|(name, value)| format!("<GSpherical:{name}>{value}</GSpherical:{name}>\n"));
        let start = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{START}");
        [&ID[..], start.as_bytes(), elements.collect::<String>().as_bytes(), END.as_bytes()].concat()
    }

    /// A film of all directions was sent as a flat one, without a word.
    #[test]
    fn a_spherical_film_stays_one_and_says_nothing_else() {
        let usual = [("Spherical", " true "), ("Stitched", "true"), ("ProjectionType", "equirectangular")];
        let with = |more: &[(&str, &str)]| text(&[&usual, more].concat());
        let software = (SOFTWARE, "SECRET at home");
        let rows: [(&str, Vec<u8>, Option<&str>); 7] = [
            ("usual", with(&[software, ("Timestamp", "1413911900")]), Some("<GSpherical:StitchingSoftware></")),
            ("in depth", with(&[("StereoMode", "top-bottom"), software]), Some("StereoMode>top-bottom</")),
            ("cropped", with(&[("CroppedAreaTopPixels", "-015"), software]), Some("AreaTopPixels>-15</")),
            ("something unknown", with(&[("StereoMode", "SECRET"), software]), None),
            ("no number", with(&[("SourceCount", "SECRET"), software]), None),
            ("not spherical", text(&[software]), None),
            ("something else", b"SECRET".to_vec(), None),
        ];
        for (name, before, says) in rows {
            let after = needed(&before);
            assert_eq!(after.is_some(), says.is_some(), "{name}");
            let Some((after, says)) = after.zip(says) else { continue };
            let text = String::from_utf8_lossy(&after[16..]);
            assert_eq!(after.len(), before.len(), "{name}");
            assert!(
                text.contains(says) && text.contains("Spherical>true</") && !text.contains("SECRET"),
                "{name}: {text}"
            );
            assert!(!text.contains("1413911900") && text.ends_with(END), "{name}: {text}");
            assert_eq!(needed(&after).as_ref(), Some(&after), "{name}: twice is once");
        }
        let short = format!("{START}<GSpherical:Spherical>true</GSpherical:Spherical>");
        assert_eq!(needed(&[&ID, short.as_bytes()].concat()), None, "there is no room for the end");
    }
}
