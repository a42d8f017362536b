//! Finds what a Matroska or `WebM` contains besides its streams. Each such element becomes a `Void` one of zeros, so that
//! every size and position stays the same.

use std::io::{Read, Seek};
use std::ops::Range;

use super::edit::Edit;
use super::matroska::{Element, inner};
use super::{CraftError, PARTS_MAX, Source, cut};

/// Elements of Matroska (RFC 9559).
const EBML: u64 = 0x1A45_DFA3;
const SEGMENT: u64 = 0x1853_8067;
const SEEK_HEAD: u64 = 0x114D_9B74;
const SEEK: u64 = 0x4DBB;
const SEEK_ID: u64 = 0x53AB;
const INFO: u64 = 0x1549_A966;
const MUXING_APP: u64 = 0x4D80;
const WRITING_APP: u64 = 0x5741;
const TRACKS: u64 = 0x1654_AE6B;
const TRACK_ENTRY: u64 = 0xAE;
const TRACK_TYPE: u64 = 0x83;
const MAPPING: u64 = 0x41E4;
const PICTURES: u64 = 0xE0;
const COLOUR: u64 = 0x55B0;
const MASTERING: u64 = 0x55D0;
const PROJECTION: u64 = 0x7670;
const SOUND: u64 = 0xE1;
const CUES: u64 = 0x1C53_BB6B;
const CUE: u64 = 0xBB;
const CUE_PLACE: u64 = 0xB7;
const CLUSTER: u64 = 0x1F43_B675;
const BLOCK_GROUP: u64 = 0xA0;
const VOID: u64 = 0xEC;
const CRC: u64 = 0xBF;

/// What may stay in each element that is entered (RFC 9559, and what older players know), but for what says something in
/// words: names, settings and addresses of a codec, and which attached files belong to it.
const KNOWN: &[(u64, &[u64])] = &[
    (EBML, &[0x4286, 0x42F7, 0x42F2, 0x42F3, 0x4282, 0x4287, 0x4285]),
    (SEEK, &[SEEK_ID, 0x53AC]),
    (INFO, &[0x002A_D7B1, 0x4489]),
    (
        TRACK_ENTRY,
        &[
            0xD7,
            0x73C5,
            0xB9,
            0x88,
            0x55AA,
            0x55AB,
            0x55AC,
            0x55AD,
            0x55AE,
            0x55AF,
            0x9C,
            0x6DE7,
            0x6DF8,
            0x0023_E383,
            0x0023_4E7A,
            0x0023_314F,
            0x537F,
            0x55EE,
            0x0022_B59C,
            0x0022_B59D,
            0x86,
            0x63A2,
            0xAA,
            0x6FAB,
            0x56AA,
            0x56BB,
            0x6624,
            0xE2,
            0xC0,
            0xC1,
            0xC6,
            0xC7,
            0xC4,
            0x6D80,
        ],
    ),
    (
        PICTURES,
        &[
            0x9A,
            0x9D,
            0x53B8,
            0x53B9,
            0x53C0,
            0xB0,
            0xBA,
            0x54AA,
            0x54BB,
            0x54CC,
            0x54DD,
            0x54B0,
            0x54BA,
            0x54B2,
            0x54B3,
            0x002E_B524,
            0x002F_B523,
            0x0023_83E3,
        ],
    ),
    (MAPPING, &[0x41F0, 0x41E7, 0x41ED]),
    (COLOUR, &[0x55B1, 0x55B2, 0x55B3, 0x55B4, 0x55B5, 0x55B6, 0x55B7, 0x55B8, 0x55B9, 0x55BA, 0x55BB, 0x55BC, 0x55BD]),
    (MASTERING, &[0x55D1, 0x55D2, 0x55D3, 0x55D4, 0x55D5, 0x55D6, 0x55D7, 0x55D8, 0x55D9, 0x55DA]),
    (PROJECTION, &[0x7671, 0x7672, 0x7673, 0x7674, 0x7675]),
    (SOUND, &[0xB5, 0x78B5, 0x9F, 0x7D7B, 0x6264, 0x52F1]),
    (CUE, &[0xB3]),
    (CUE_PLACE, &[0xF7, 0xF1, 0xF0, 0xB2, 0x5378, 0xEA, 0xDB]),
    (CLUSTER, &[0xE7, 0x5854, 0xA7, 0xAB, 0xA3, 0xAF]),
    (BLOCK_GROUP, &[0xA1, 0xA2, 0x75A1, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0x8E, 0xC8]),
];

/// What becomes of an element.
enum Fate {
    Stays,
    /// What is in it is looked at.
    IsEntered,
    /// It must be there, and says nothing from now on.
    IsEmptied,
    Goes,
}

/// The types of tracks of pictures, of sound, and of both.
const PICTURES_AND_SOUND: std::ops::RangeInclusive<u64> = 1..=3;

/// Finds what is private in a Matroska file, in its order, and whether it has tracks of something else than pictures and
/// sound.
pub(super) fn find<R: Read + Seek>(source: Source<R>) -> Result<(Vec<Edit>, bool), CraftError> {
    let length = source.length;
    let mut walk = Walk { source, found: Vec::new(), parts: 0, has_segment: false, has_other_tracks: false };
    walk.elements(0..length, None)?;
    // A checksum stands before what it is about, and is judged behind it.
    walk.found.sort_by_key(|edit| edit.at.start);
    Ok((walk.found, walk.has_other_tracks))
}

struct Walk<R> {
    source: Source<R>,
    found: Vec<Edit>,
    parts: usize,
    has_segment: bool,
    has_other_tracks: bool,
}

impl<R: Read + Seek> Walk<R> {
    /// Walks the elements that fill a range; `inside` is the element that holds them.
    fn elements(&mut self, range: Range<u64>, mut inside: Option<u64>) -> Result<(), CraftError> {
        let (mut at, mut checksum, before) = (range.start, None, self.found.len());
        while at < range.end {
            self.parts += 1;
            if self.parts > PARTS_MAX {
                return Err(CraftError::TooLarge("the video has too many elements to read them all".to_owned()));
            }
            let Some(element) = Element::read(&mut self.source, at)? else {
                self.rest(at..range.end, inside)?;
                break;
            };
            let end = match element.size {
                Some(size) => element.content.saturating_add(size),
                None if element.id == SEGMENT && inside.is_none() => range.end,
                None if element.id == CLUSTER && matches!(inside, Some(SEGMENT | CLUSTER)) => {
                    // What is in it follows as if it were beside it, up to the next one.
                    (at, inside) = (element.content, Some(CLUSTER));
                    continue;
                }
                None => return Err(unseparated()),
            };
            if end > range.end {
                self.rest(at..range.end, inside)?;
                break;
            }
            if element.id == CRC {
                checksum = Some(at..end);
            } else {
                self.one(at, &element, end, inside)?;
            }
            at = end;
        }
        // What it was about is not what it was.
        let is_changed = self.found.len() > before;
        self.found.extend(checksum.filter(|_| is_changed).map(void));
        Ok(())
    }

    fn one(&mut self, at: u64, element: &Element, end: u64, inside: Option<u64>) -> Result<(), CraftError> {
        let content = element.content..end;
        self.has_segment |= element.id == SEGMENT;
        match self.fate(element, inside, &content)? {
            Fate::Stays => (),
            Fate::IsEntered => self.elements(content, Some(element.id))?,
            Fate::IsEmptied if self.is_zeros(content.clone())? => (),
            Fate::IsEmptied => self.found.push(Edit::blank(content, b"")),
            Fate::Goes => self.found.push(void(at..end)),
        }
        Ok(())
    }

    fn fate(&mut self, element: &Element, inside: Option<u64>, content: &Range<u64>) -> Result<Fate, CraftError> {
        Ok(match (inside, element.id) {
            (_, VOID) | (Some(INFO), MUXING_APP | WRITING_APP) => Fate::IsEmptied,
            (None, EBML | SEGMENT)
            | (Some(SEGMENT | CLUSTER), SEEK_HEAD | INFO | TRACKS | CUES | CLUSTER)
            | (Some(TRACKS), TRACK_ENTRY)
            | (Some(TRACK_ENTRY), PICTURES | SOUND | MAPPING)
            | (Some(PICTURES), COLOUR | PROJECTION)
            | (Some(COLOUR), MASTERING)
            | (Some(CUES), CUE)
            | (Some(CUE), CUE_PLACE)
            | (Some(CLUSTER), BLOCK_GROUP) => Fate::IsEntered,
            (Some(TRACK_ENTRY), TRACK_TYPE) => {
                let kind = self.source.up_to(content.start, (content.end - content.start).min(8))?;
                self.has_other_tracks |= !PICTURES_AND_SOUND.contains(&number(&kind));
                Fate::Stays
            }
            (Some(SEEK_HEAD), SEEK) if self.leads_to_streams(content)? => Fate::IsEntered,
            (Some(inside), id) => {
                let known = KNOWN.iter().find(|(parent, _)| *parent == inside);
                if known.is_some_and(|(_, known)| known.contains(&id)) { Fate::Stays } else { Fate::Goes }
            }
            _ => Fate::Goes,
        })
    }

    /// Returns whether an entry of the list of contents names something that stays.
    fn leads_to_streams(&mut self, content: &Range<u64>) -> Result<bool, CraftError> {
        let entry = self.source.up_to(content.start, (content.end - content.start).min(64))?;
        let name = inner(&entry).find(|(id, _)| *id == SEEK_ID).map(|(_, name)| name);
        Ok(matches!(name.map(number), Some(SEEK_HEAD | INFO | TRACKS | CUES | CLUSTER)))
    }

    /// Judges bytes that are no element: behind a complete video, and as zeros, they are no damage.
    fn rest(&mut self, rest: Range<u64>, inside: Option<u64>) -> Result<(), CraftError> {
        if self.is_zeros(rest.clone())? {
            return Ok(());
        }
        if inside.is_some() || !self.has_segment {
            return Err(unseparated());
        }
        self.found.push(Edit::blank(rest, b""));
        Ok(())
    }

    fn is_zeros(&mut self, range: Range<u64>) -> Result<bool, CraftError> {
        self.source.is_zeros(range)
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn unseparated() -> CraftError {
    cut("the video's parts cannot be separated, so its content cannot be checked")
}

/// Makes an element one without a meaning, of the same length.
fn void(at: Range<u64>) -> Edit {
    let length = at.end - at.start;
    let head = match u8::try_from(length.saturating_sub(2)) {
        Ok(content @ 0..=126) => vec![0xEC, 0x80 | content],
        _ => [vec![0xEC], ((length - 9) | 1 << 56).to_be_bytes().to_vec()].concat(),
    };
    Edit::blank(at, &head)
}
