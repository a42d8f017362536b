//! Takes out of a colour profile what no colour engine reads: programs and persons write there who they are, and where the
//! profile lay (ICC.1:2022). What engines read stays, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The bytes of a profile's head, and of an entry in the table of its tags.
const HEAD_BYTES: usize = 128;
const ENTRY_BYTES: usize = 12;
/// The most tags of a profile that engines read.
const TAGS_MAX: usize = 100;
/// The parts of the head that say how colours are meant: version, class, spaces, mark, intent and illuminant.
const HEAD_KEPT: [Range<usize>; 3] = [8..24, 36..40, 64..80];
/// When each profile was made, of which none says it: the first day of 2026.
const DATE: [u8; 12] = [0x07, 0xea, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0];
/// What turns colours into others.
const KEPT: [&[u8; 4]; 23] = [
    b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"wtpt", b"bkpt", b"lumi", b"chad", b"cicp",
    b"A2B0", b"A2B1", b"A2B2", b"A2B3", b"B2A0", b"B2A1", b"B2A2", b"B2A3", b"gamt", b"pre0", b"pre1",
];
/// What does so as well, in a form that is not read here.
const UNREAD: [&[u8; 4]; 8] = [b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1", b"B2D2", b"B2D3"];
/// What a profile without a known name is called, and one without a known copyright says of that.
const NAME: &str = "picture";
const COPYRIGHT: &str = "unknown";
/// The names of spaces that many pictures are in: they say nothing of whose a picture is.
const KNOWN: [&str; 36] = [
    "sRGB",
    "sRGB IEC61966-2.1",
    "sRGB IEC61966-2-1",
    "sRGB IEC61966-2-1 black scaled",
    "sRGB built-in",
    "GIMP built-in sRGB",
    "Linear sRGB",
    "Display P3",
    "Adobe RGB (1998)",
    "Compatible with Adobe RGB (1998)",
    "AdobeRGB1998",
    "Apple RGB",
    "ColorMatch RGB",
    "ProPhoto RGB",
    "ROMM RGB",
    "Wide Gamut RGB",
    "eciRGB v2",
    "Generic RGB Profile",
    "Generic Gray Profile",
    "Generic Gray Gamma 2.2 Profile",
    "Gray Gamma 1.8",
    "Gray Gamma 2.2",
    "Dot Gain 10%",
    "Dot Gain 15%",
    "Dot Gain 20%",
    "Dot Gain 25%",
    "Dot Gain 30%",
    "Rec. ITU-R BT.709-5",
    "Rec. ITU-R BT.2020-1",
    "Coated FOGRA27 (ISO 12647-2:2004)",
    "Coated FOGRA39 (ISO 12647-2:2004)",
    "ISO Coated v2 (ECI)",
    "ISO Coated v2 300% (ECI)",
    "Japan Color 2001 Coated",
    "U.S. Web Coated (SWOP) v2",
    "CC0",
];

/// Returns a profile that turns colours as this one does, and says nothing else; `None` if its parts cannot be told apart.
pub(super) fn without_texts(icc: &[u8]) -> Option<Vec<u8>> {
    let icc = icc.get(..number(icc, 0)?)?;
    let count = number(icc, HEAD_BYTES)?;
    if icc[36..40] != *b"acsp" || count > TAGS_MAX {
        return None;
    }
    let is_late = icc[8] >= 4;
    let mut tags = Tags { names: BTreeSet::new(), table: Vec::new(), content: Vec::new(), places: BTreeMap::new() };
    let entries = icc.get(HEAD_BYTES + 4..)?.get(..count * ENTRY_BYTES)?;
    for (name, neutral) in [(*b"desc", NAME), (*b"cprt", COPYRIGHT)] {
        let known = tag(icc, name).and_then(known).unwrap_or(neutral);
        tags.add(name, None, &text(name, known, is_late));
    }
    for entry in entries.chunks_exact(ENTRY_BYTES) {
        let name = entry.first_chunk::<4>()?;
        if UNREAD.contains(&name) {
            return None;
        }
        if KEPT.contains(&name) {
            let (place, content) = ((number(entry, 4)?, number(entry, 8)?), of(icc, entry)?);
            // In such a tag some engines look for the next curve at a multiple of four of the file.
            if content.starts_with(b"m") && place.0 % 4 > 0 {
                return None;
            }
            tags.add(*name, Some(place), &meaning(content)?);
        }
    }
    tags.profile(icc)
}

/// Returns a profile with zeros behind its tags, so that it takes so many bytes; `None` if it has more.
pub(super) fn padded(mut profile: Vec<u8>, length: usize) -> Option<Vec<u8>> {
    if profile.len() > length {
        return None;
    }
    profile.resize(length, 0);
    profile[..4].copy_from_slice(&u32::try_from(length).ok()?.to_be_bytes());
    Some(profile)
}

/// The tags of a profile that is written.
struct Tags {
    names: BTreeSet<[u8; 4]>,
    /// Of each tag its name, where in the content it lies, and its length.
    table: Vec<([u8; 4], usize, usize)>,
    content: Vec<u8>,
    /// Where the content lies that lay at a place of the old profile: tags may share it.
    places: BTreeMap<(usize, usize), (usize, usize)>,
}

impl Tags {
    /// Adds a tag; of two of a name the first one counts.
    fn add(&mut self, name: [u8; 4], was_at: Option<(usize, usize)>, content: &[u8]) {
        if !self.names.insert(name) {
            return;
        }
        let shared = was_at.and_then(|place| self.places.get(&place).copied());
        let (at, length) = shared.unwrap_or_else(|| {
            let at = self.content.len();
            self.content.extend_from_slice(content);
            self.content.resize(self.content.len().next_multiple_of(4), 0);
            (at, content.len())
        });
        self.places.extend(was_at.map(|place| (place, (at, length))));
        self.table.push((name, at, length));
    }

    /// Returns the whole profile, with what counts of the old one's head.
    fn profile(self, was: &[u8]) -> Option<Vec<u8>> {
        let word = |value: usize| u32::try_from(value).map(u32::to_be_bytes).ok();
        let start = HEAD_BYTES + 4 + self.table.len() * ENTRY_BYTES;
        let mut profile = vec![0; HEAD_BYTES];
        profile[..4].copy_from_slice(&word(start + self.content.len())?);
        HEAD_KEPT.into_iter().for_each(|kept| profile[kept.clone()].copy_from_slice(&was[kept]));
        profile[24..36].copy_from_slice(&DATE);
        profile.extend(word(self.table.len())?);
        for (name, at, length) in self.table {
            profile.extend([name, word(start + at)?, word(length)?].concat());
        }
        profile.extend(self.content);
        Some(profile)
    }
}

/// Returns the content of the first tag of a name.
pub(super) fn tag(icc: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let count = number(icc, HEAD_BYTES)?.min(TAGS_MAX);
    let mut entries = icc.get(HEAD_BYTES + 4..)?.chunks_exact(ENTRY_BYTES).take(count);
    of(icc, entries.find(|entry| entry.starts_with(&name))?)
}

/// Returns the content of a tag.
fn of<'a>(icc: &'a [u8], entry: &[u8]) -> Option<&'a [u8]> {
    let at = number(entry, 4)?;
    icc.get(at..at.checked_add(number(entry, 8)?)?)
}

/// Returns what engines read of a tag; `None` if it is of a type that none of these has, or not all there.
fn meaning(tag: &[u8]) -> Option<Vec<u8>> {
    let byte = |at: usize| tag.get(at).copied().map(usize::from);
    let mut parts = Vec::new();
    match tag.first_chunk()? {
        b"XYZ " => parts.push(8..20),
        b"sf32" => parts.push(8..44),
        b"cicp" => parts.push(8..12),
        b"curv" | b"para" => parts.push(8..curve(tag, 0)?),
        b"mft1" => {
            let (inputs, outputs) = (byte(8)?, byte(9)?);
            let values = grid(&vec![byte(10)?; inputs])?.checked_mul(outputs)?;
            parts.extend([8..11, 12..values.checked_add(48 + 256 * (inputs + outputs))?]);
        }
        b"mft2" => {
            let (inputs, outputs) = (byte(8)?, byte(9)?);
            let values = grid(&vec![byte(10)?; inputs])?.checked_mul(outputs)?;
            let curves = inputs * short(tag, 48)? + outputs * short(tag, 50)?;
            parts.extend([8..11, 12..values.checked_add(curves)?.checked_mul(2)?.checked_add(52)?]);
        }
        b"mAB " | b"mBA " => parts = elements(tag, byte(8)?, byte(9)?)?,
        _ => return None,
    }
    parts.push(0..4);
    let length = parts.iter().map(|part| part.end).max().filter(|length| *length <= tag.len())?;
    let mut kept = vec![0; length];
    for part in parts {
        kept[part.clone()].copy_from_slice(tag.get(part)?);
    }
    Some(kept)
}

/// Returns the parts of a tag that has curves, a matrix and a table of colours, from a device (`mAB`) or to one.
fn elements(tag: &[u8], inputs: usize, outputs: usize) -> Option<Vec<Range<usize>>> {
    let (device, connection) = if tag.starts_with(b"mAB ") { (inputs, outputs) } else { (outputs, inputs) };
    let mut parts = vec![8..10, 12..32];
    let [b_curves, matrix, m_curves, table, a_curves] = [12, 16, 20, 24, 28].map(|at| number(tag, at));
    for (first, count) in [(b_curves?, connection), (m_curves?, connection), (a_curves?, device)] {
        let mut at = first;
        for _ in 0..if first > 0 { count } else { 0 } {
            let end = curve(tag, at)?;
            parts.extend([at..at + 4, at + 8..end]);
            at = end.next_multiple_of(4);
        }
    }
    if let matrix @ 1.. = matrix? {
        parts.push(matrix..matrix.checked_add(48)?);
    }
    if let table @ 1.. = table? {
        let points: Vec<usize> = tag.get(table..table.checked_add(inputs)?)?.iter().map(|n| usize::from(*n)).collect();
        let bytes = usize::from(*tag.get(table.checked_add(16)?)?);
        let values = grid(&points)?.checked_mul(outputs)?.checked_mul(bytes)?;
        parts.extend([table..table + inputs, table + 16..table + 17, table + 20..values.checked_add(table + 20)?]);
    }
    Some(parts)
}

/// Returns how many points a table has, by those of each channel.
fn grid(points: &[usize]) -> Option<usize> {
    points.iter().try_fold(1_usize, |product, points| product.checked_mul(*points))
}

/// Returns where a curve ends that begins at a place.
fn curve(tag: &[u8], at: usize) -> Option<usize> {
    let head = tag.get(at..at.checked_add(12)?)?;
    let length = match head.first_chunk()? {
        b"curv" => number(head, 8)?.checked_mul(2)?,
        b"para" => 4 * [1, 3, 4, 5, 7].get(short(head, 8)?)?,
        _ => return None,
    };
    at.checked_add(length.checked_add(12)?)
}

/// Returns the text of a tag, if it is a known one.
fn known(tag: &[u8]) -> Option<&'static str> {
    let wide = |record: &[u8]| {
        let at = number(record, 8)?;
        let text = tag.get(at..at.checked_add(number(record, 4)?)?)?;
        let units = text.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
        let text: Option<String> = char::decode_utf16(units).map(Result::ok).collect();
        text
    };
    let texts: Vec<String> = match tag.first_chunk()? {
        b"desc" => vec![plain(tag.get(12..)?)],
        b"text" => vec![plain(tag.get(8..)?)],
        b"mluc" => tag.get(16..)?.chunks_exact(12).take(number(tag, 8)?).filter_map(wide).collect(),
        _ => return None,
    };
    KNOWN.into_iter().find(|known| texts.iter().any(|text| text.trim_matches(['\0', ' ']) == *known))
}

/// Returns a text up to its end mark; one that is longer than any known is none.
fn plain(text: &[u8]) -> String {
    text.iter().take_while(|byte| **byte != 0).take(100).map(|byte| char::from(*byte)).collect()
}

/// Returns a tag with a text, in the form that its name has in a profile of this version.
fn text(name: [u8; 4], text: &str, is_late: bool) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).expect("a text of ours is short").to_be_bytes();
    if is_late {
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let head =
            [b"mluc\0\0\0\0", &[0, 0, 0, 1, 0, 0, 0, 12][..], b"enUS", &length(wide.len()), &length(28)].concat();
        return [head, wide].concat();
    }
    if name == *b"cprt" {
        return [b"text\0\0\0\0", text.as_bytes(), b"\0"].concat();
    }
    let tag = [b"desc\0\0\0\0", &length(text.len() + 1)[..], text.as_bytes(), b"\0"].concat();
    // No text in other scripts.
    [tag, vec![0; 8 + 3 + 67]].concat()
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?)).ok()
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::icc::{SRGB, grey, rgb};
    use moxcms::{ColorProfile, Layout, TransformOptions};
    use proptest::prelude::*;

    const SECRET: &[u8] = b"Jane's iMac /Users/jane/";

    fn word(value: usize) -> [u8; 4] {
        u32::try_from(value).unwrap().to_be_bytes()
    }

    /// Returns the tags of a profile.
    fn tags(icc: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
        let entries = icc[HEAD_BYTES + 4..].chunks_exact(ENTRY_BYTES).take(number(icc, HEAD_BYTES).unwrap());
        entries.map(|entry| (*entry.first_chunk().unwrap(), of(icc, entry).unwrap().to_vec())).collect()
    }

    /// Returns a profile with the head of another one and these tags, a text between each two.
    fn profile(head: &[u8], tags: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
        let start = HEAD_BYTES + 4 + tags.len() * ENTRY_BYTES;
        let (mut table, mut content) = (word(tags.len()).to_vec(), Vec::new());
        for (name, tag) in tags {
            table.extend([*name, word(start + content.len()), word(tag.len())].concat());
            content.extend([tag, SECRET].concat());
            content.resize(content.len().next_multiple_of(4), 0);
        }
        let mut icc = [&head[..HEAD_BYTES], &table, &content].concat();
        icc[..4].copy_from_slice(&word(start + content.len()));
        icc
    }

    /// Returns a profile that says something wherever one can.
    fn telling(icc: &[u8]) -> Vec<u8> {
        let named = |kind: &[u8; 4]| [&kind[..], &[0; 4], SECRET].concat();
        let mut all: Vec<_> = tags(icc).into_iter().filter(|(name, _)| KEPT.contains(&name)).collect();
        for (_, tag) in &mut all {
            tag[4..8].copy_from_slice(b"Jane");
            tag.extend(SECRET);
        }
        all.push((*b"desc", [&text(*b"desc", "x", false)[..12], SECRET, SECRET].concat()));
        for name in [b"cprt", b"dmnd", b"dmdd", b"targ", b"meta", b"view", b"vued", b"calt", b"mmod", b"JANE"] {
            all.push((*name, named(b"text")));
        }
        let mut telling = profile(icc, &all);
        for at in [4..8, 24..36, 40..64, 80..128] {
            let length = at.len();
            telling[at].copy_from_slice(&SECRET.repeat(3)[..length]);
        }
        [&telling, SECRET].concat()
    }

    fn holds(bytes: &[u8], text: &[u8]) -> bool {
        bytes.windows(text.len()).any(|window| window == text)
    }

    /// Returns what a profile makes of many colours, or greys; `None` if it cannot be used.
    fn turned(icc: &[u8]) -> Option<Vec<u16>> {
        let profile = ColorProfile::new_from_slice(icc).ok()?;
        let values = || (0..=8_u16).map(|step| step * 8191);
        let (layout, from): (_, Vec<u16>) = match profile.color_space {
            moxcms::DataColorSpace::Gray => (Layout::Gray, (0..=u16::MAX).step_by(99).collect()),
            _ => (
                Layout::Rgb,
                values().flat_map(|r| values().flat_map(move |g| values().flat_map(move |b| [r, g, b]))).collect(),
            ),
        };
        let target = ColorProfile::new_srgb();
        let transform =
            profile.create_transform_16bit(layout, &target, Layout::Rgb, TransformOptions::default()).ok()?;
        let mut to = vec![0; from.len() / layout.channels() * 3];
        transform.transform(&from, &mut to).ok()?;
        Some(to)
    }

    /// Curves, a matrix and a table of colours, with gaps between them.
    fn by_table(to_device: bool) -> Vec<u8> {
        let (inputs, outputs) = (3_u8, 3_u8);
        let curve =
            [b"curv\0\0\0\0\0\0\0\x03\0\0\x70\0\xff\xff\0\0".to_vec(), b"para\0\0\0\0\0\0\0\0\0\x01\x20\0".to_vec()];
        let curves = [&curve[0][..], &curve[1], &curve[0]].concat();
        let points: Vec<u8> = (0..2 * 3 * 4 * 3).map(|n| n * 3).collect();
        let table = [&[2, 3, 4][..], &[b'J'; 13], &[1], b"ane", &points].concat();
        let mut tag = [
            &[b'm', if to_device { b'B' } else { b'A' }, if to_device { b'A' } else { b'B' }, b' '][..],
            b"Jane",
            &[inputs, outputs],
            b"ja",
        ]
        .concat();
        let mut content = SECRET.to_vec();
        let mut places = Vec::new();
        for part in [&curves, &[0; 48].to_vec(), &curves, &table, &curves] {
            places.extend(word(32 + content.len()));
            content.extend([part, SECRET].concat());
            content.resize(content.len().next_multiple_of(4), b'J');
        }
        tag.extend([places, content].concat());
        tag
    }

    fn small_table(kind: [u8; 4]) -> Vec<u8> {
        let head = [&kind[..], b"Jane", &[3, 3, 2, b'J'], &[0, 1, 0, 0][..], &[0; 32]].concat();
        let points: Vec<u8> = (0..24).map(|n| n * 10).collect();
        if kind == *b"mft1" {
            let curves: Vec<u8> = (0..3).flat_map(|_| 0..=255).collect();
            return [head, curves.clone(), points, curves].concat();
        }
        let curves = [0, 0, 0x90, 0, 0xff, 0xff].repeat(3);
        let points: Vec<u8> = points.into_iter().flat_map(|point| [point, 7]).collect();
        [head, vec![0, 3, 0, 3], curves.clone(), points, curves].concat()
    }

    /// Profiles of monitors have the name of a person, a machine or a path.
    #[test]
    fn what_engines_read_stays_and_nothing_else() {
        let matrix = rgb(&SRGB, |value| value.powf(1.9)).unwrap();
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let with = |name: &[u8; 4], tag: Vec<u8>| {
            let mut head = matrix.clone();
            head[20..24].copy_from_slice(b"Lab ");
            profile(&head, &[(*name, tag), (*b"wtpt", tags(&matrix)[2].1.clone())])
        };
        let rows = [
            ("a matrix", matrix.clone()),
            ("greys", grey(|value| value.powf(1.9))),
            ("version 4", p3),
            ("a table of bytes", with(b"A2B0", small_table(*b"mft1"))),
            ("a table", with(b"A2B0", small_table(*b"mft2"))),
            ("curves and a table", with(b"A2B0", by_table(false))),
            ("the other way", with(b"B2A0", by_table(true))),
        ];
        for (what, icc) in rows {
            let told = telling(&icc);
            let public = without_texts(&told).unwrap();
            for part in [&b"ane"[..], b"Users", b"JANE"] {
                assert!(holds(&told, part) && !holds(&public, part), "{what}");
            }
            assert_eq!(number(&public, 0), Some(public.len()), "{what}");
            let (before, after) = (turned(&told), turned(&public));
            assert!(before == after && (before.is_some() || what == "the other way"), "{what}");
            assert_eq!(without_texts(&public).as_ref(), Some(&public), "{what}: twice is once");
            assert_eq!(turned(&padded(public.clone(), public.len() + 33).unwrap()), after, "{what}");
            assert_eq!(padded(public.clone(), public.len() - 1), None);
        }
        assert_eq!(without_texts(&matrix).as_ref(), Some(&matrix), "what stockmill writes says nothing");
    }

    #[test]
    fn a_common_name_stays() {
        let matrix = rgb(&SRGB, |value| value).unwrap();
        let with = |version: u8, desc: Vec<u8>| {
            let mut all = tags(&matrix);
            all[0].1 = desc;
            let mut icc = profile(&matrix, &all);
            icc[8] = version;
            tags(&without_texts(&icc).unwrap())[0].1.clone()
        };
        for version in [2, 4] {
            for is_late in [false, true] {
                for (name, expected) in [
                    ("Adobe RGB (1998)", "Adobe RGB (1998)"),
                    ("Adobe RGB (1998) of Jane", NAME),
                    ("Jane's iMac", NAME),
                    ("", NAME),
                ] {
                    let said = with(version, text(*b"desc", name, is_late));
                    assert_eq!(said, text(*b"desc", expected, version == 4), "{name}");
                }
            }
        }
        let torn = [
            b"mluc\0\0\0\0\0\0\0\x09\0\0\0\x0cenUS\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
            b"zzz".to_vec(),
            Vec::new(),
        ];
        torn.into_iter().for_each(|torn| assert_eq!(with(2, torn), text(*b"desc", NAME, false)));
    }

    #[test]
    fn what_cannot_be_told_apart_is_no_profile() {
        let matrix = rgb(&SRGB, |value| value).unwrap();
        let changed = |at: usize, to: &[u8]| {
            let mut icc = matrix.clone();
            icc[at..at + to.len()].copy_from_slice(to);
            icc
        };
        // The third tag is that of the white.
        let third = HEAD_BYTES + 4 + 2 * ENTRY_BYTES;
        let white = number(&matrix, third + 4).unwrap();
        let rows = [
            ("nothing", Vec::new()),
            ("cut off", matrix[..matrix.len() - 1].to_vec()),
            ("no mark", changed(36, b"no")),
            ("too many tags", changed(HEAD_BYTES, &word(101))),
            ("a tag of floats", changed(third, b"D2B0")),
            ("a tag behind the end", changed(third + 4, &word(matrix.len()))),
            ("of another type", changed(white, b"text")),
            ("a type that is longer", changed(white, b"sf32")),
            ("a tag that begins behind itself", changed(third + 4, &[0xff; 8])),
        ];
        for (what, icc) in rows {
            assert_eq!(without_texts(&icc), None, "{what}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever a profile is, in public it turns colours as it did, or is none.
        #[test]
        fn a_changed_profile_is_survived(at in 128..1200_usize, byte in any::<u8>(), which in 0..4_usize, end in 0..3000_usize) {
            let matrix = rgb(&SRGB, |value| value.powf(1.9)).unwrap();
            let table = |tag| profile(&matrix, &[(*b"A2B0", tag), (*b"wtpt", tags(&matrix)[2].1.clone())]);
            let mut icc = match which {
                0 => matrix.clone(),
                1 => table(small_table(*b"mft2")),
                2 => table(by_table(false)),
                _ => ColorProfile::new_display_p3().encode().unwrap(),
            };
            let at = at % icc.len();
            icc[at] = byte;
            if let Some(public) = without_texts(&icc) {
                let before = turned(&icc);
                prop_assert!(before.is_none() || before == turned(&public));
                prop_assert_eq!(without_texts(&public), Some(public));
            }
            let _ = without_texts(&icc[..end.min(icc.len())]);
        }
    }
}
