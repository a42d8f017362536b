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
const CUES: u64 = 0x1C53_BB6B;
const CLUSTER: u64 = 0x1F43_B675;
const VOID: u64 = 0xEC;
const CRC: u64 = 0xBF;

/// What may stay of the head of a file, of its description, and of a cluster.
const HEAD: [u64; 8] = [0x4286, 0x42F7, 0x42F2, 0x42F3, 0x4282, 0x4287, 0x4285, 0x4281];
const TIMES: [u64; 2] = [0x002A_D7B1, 0x4489];
const BLOCKS: [u64; 7] = [0xE7, 0x5854, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF];
/// What a track says of itself in words: names, settings and addresses of its codec, attached files.
const WORDS_OF_TRACK: [u64; 6] = [0x536E, 0x0025_8688, 0x003A_9697, 0x003B_4040, 0x0026_B240, 0x7446];

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
        let stays = |stays: bool| if stays { Fate::Stays } else { Fate::Goes };
        Ok(match (inside, element.id) {
            (_, VOID) | (Some(INFO), MUXING_APP | WRITING_APP) => Fate::IsEmptied,
            (None, EBML | SEGMENT)
            | (Some(SEGMENT | CLUSTER), SEEK_HEAD | INFO | TRACKS | CUES | CLUSTER)
            | (Some(TRACKS), TRACK_ENTRY) => Fate::IsEntered,
            (Some(EBML), id) => stays(HEAD.contains(&id)),
            (Some(INFO), id) => stays(TIMES.contains(&id)),
            (Some(CUES), id) => stays(id == 0xBB),
            (Some(CLUSTER), id) => stays(BLOCKS.contains(&id)),
            (Some(TRACK_ENTRY), TRACK_TYPE) => {
                let kind = self.source.up_to(content.start, (content.end - content.start).min(8))?;
                self.has_other_tracks |= !PICTURES_AND_SOUND.contains(&number(&kind));
                Fate::Stays
            }
            (Some(TRACK_ENTRY), id) => stays(!WORDS_OF_TRACK.contains(&id)),
            (Some(SEEK_HEAD), SEEK) => stays(self.leads_to_streams(content)?),
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
