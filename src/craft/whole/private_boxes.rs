//! Finds what an MP4 or MOV contains besides its pictures and sound: a prompt, a location, an author. Each such box becomes
//! a `free` one of zeros, so that every size and offset stays the same.

use std::io::{Read, Seek};
use std::ops::Range;

use super::boxes::measured;
use super::edit::Edit;
use super::strays::{FREE, Strays, strays};
use super::streams::Track;
use super::{Cannot, CraftError, PARTS_MAX, PIECE_BYTES, Source, cut};

/// How deep boxes are nested.
const DEPTH_MAX: usize = 8;
/// The bytes of a handler's box before its name.
const HANDLER_BYTES: u64 = 24;
/// Where the encoder's name stands in what describes pictures.
const ENCODER: Range<u64> = 50..82;
/// Where the name of a reel begins, behind the head of its box, in what describes time codes.
const REEL: u64 = 42;
/// What a person calls these names.
const REELS: &str = "the names of its reels";

/// Looks at all boxes of an MP4 or MOV.
pub(super) fn look<R: Read + Seek>(source: &mut Source<R>) -> Result<Found, CraftError> {
    let length = source.length;
    let mut walk = Walk {
        source,
        found: Found::default(),
        parts: 0,
        index: false,
        content: false,
        tracks: Vec::new(),
        has_odd_track: false,
        without: Vec::new(),
    };
    walk.boxes(0..length, None, 0)?;
    let content = match walk.strays() {
        Ok(strays) => walk.without(strays),
        Err(Cannot::Hold(why)) => {
            let told = format!("what lies among its pictures and sound goes along as it is, since {why}");
            walk.found.told.push(told);
            Vec::new()
        }
        Err(Cannot::Read(error)) => return Err(error),
    };
    if !walk.without.is_empty() {
        walk.found.told.push(format!("it goes to markets without {}", walk.without.join(", without ")));
    }
    walk.content_stays()?;
    walk.found.edits.extend(content);
    walk.found.edits.sort_by_key(|edit| edit.at.start);
    Ok(walk.found)
}

/// What is known of the boxes of a video.
#[derive(Default)]
pub(super) struct Found {
    /// How what is private is blanked.
    pub(super) edits: Vec<Edit>,
    /// The boxes that lie in no other.
    pub(super) top: Vec<Top>,
    /// The tables that say where the streams lie, and how wide their numbers are.
    pub(super) tables: Vec<(Range<u64>, usize)>,
    pub(super) has_fragments: bool,
    /// Whether something besides these tables says where something lies.
    pub(super) has_places: bool,
    /// Whether some of what is private is a track, or lies among the samples of the others.
    pub(super) is_in_content: bool,
    /// What a person is told of that.
    pub(super) told: Vec<String>,
}

impl Found {
    /// Returns the index, if nothing else says where the content lies.
    pub(super) fn only_index(&self) -> Result<&Top, Cannot> {
        if self.has_fragments {
            return Err(Cannot::Hold("it is written in fragments"));
        }
        let mut indices = self.top.iter().filter(|top| top.name == *b"moov");
        let (Some(index), None) = (indices.next(), indices.next()) else {
            return Err(Cannot::Hold("it has more than one index"));
        };
        Ok(index)
    }
}

/// A box that lies in no other.
pub(super) struct Top {
    pub(super) name: [u8; 4],
    pub(super) at: Range<u64>,
    pub(super) content: Range<u64>,
    /// Whether it says that it goes on to the end of the file, and not how large it is.
    pub(super) is_open: bool,
    /// Whether it belongs to the streams, or says how they are played.
    pub(super) stays: bool,
}

impl Top {
    pub(super) fn is_content(&self) -> bool {
        matches!(&self.name, b"mdat" | b"imda")
    }
}

struct Walk<'a, R> {
    source: &'a mut Source<R>,
    found: Found,
    parts: usize,
    index: bool,
    content: bool,
    tracks: Vec<Track>,
    /// Whether a track lies elsewhere than directly in the index.
    has_odd_track: bool,
    /// What goes of which a person is told.
    without: Vec<&'static str>,
}

impl<R: Read + Seek> Walk<'_, R> {
    /// Walks the boxes that fill a range; `inside` is the box that holds them.
    fn boxes(&mut self, range: Range<u64>, inside: Option<[u8; 4]>, depth: usize) -> Result<(), CraftError> {
        let mut at = range.start;
        while at < range.end {
            self.parts += 1;
            if self.parts > PARTS_MAX || depth > DEPTH_MAX {
                return Err(CraftError::TooLarge("the video has too many boxes to read them all".to_owned()));
            }
            let left = range.end - at;
            let head = self.source.up_to(at, left.min(16))?;
            let Some((size, name)) = measured(&head, left).filter(|(size, _)| *size <= left) else {
                return self.rest(at..range.end, inside);
            };
            let is_wide = head[..4] == [0, 0, 0, 1];
            let content = at + if is_wide { 16 } else { 8 }..at + size;
            if content.start > content.end {
                return Err(CraftError::Damaged("a box of the video is smaller than its own head".to_owned()));
            }
            if inside.is_none() {
                let (at, content, is_open) = (at..at + size, content.clone(), head[..4] == [0; 4]);
                self.found.top.push(Top { name, at, content, is_open, stays: is_known(None, name) });
            }
            self.one(at, content, name, inside, depth)?;
            at += size;
        }
        Ok(())
    }

    fn one(
        &mut self,
        at: u64,
        content: Range<u64>,
        name: [u8; 4],
        inside: Option<[u8; 4]>,
        depth: usize,
    ) -> Result<(), CraftError> {
        let stays = is_known(inside, name);
        // References that go as a whole are not changed.
        let is_taken = stays || name != *b"tref";
        if let Some(track) = self.tracks.last_mut().filter(|track| is_taken && track.content.contains(&at)) {
            track.take(name, &(at..content.end), &content);
        }
        match (inside, &name) {
            (None, b"moov") => self.index = true,
            (None, b"mdat" | b"imda") => self.content = true,
            (None, b"moof") | (Some(_), b"mvex") => self.found.has_fragments = true,
            (Some(_), b"saio") => self.found.has_places = true,
            (Some(_), b"cmov") => {
                return Err(CraftError::Unsupported(
                    "the video's index is compressed, so its content cannot be checked; export it again".to_owned(),
                ));
            }
            (Some(_), b"trak") if inside == Some(*b"moov") && depth == 1 => {
                self.tracks.push(Track::new(at..content.end, content.clone()));
            }
            // Some players take it for one all the same.
            (Some(_), b"trak") => self.has_odd_track = true,
            // What goes as a whole is not looked into.
            (Some(_), b"hdlr") if stays => self.handler(content.clone(), inside == Some(*b"mdia"))?,
            (Some(_), b"stsd") if stays => self.descriptions(content.clone())?,
            (Some(_), b"stco") => self.found.tables.push((content.clone(), 4)),
            (Some(_), b"co64") => self.found.tables.push((content.clone(), 8)),
            _ => (),
        }
        if matches!(&name, b"free" | b"skip" | b"wide") {
            // Programs leave there what they removed elsewhere.
            if !self.source.is_zeros(content.clone())? {
                self.found.edits.push(Edit::blank(content, b""));
            }
        } else if !stays {
            // Between them a large box has its size.
            self.found.edits.push(Edit::blank(at + 4..at + 8, &FREE));
            self.found.edits.push(Edit::blank(content, b""));
        } else if matches!(&name, b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" | b"moof" | b"traf" | b"mvex") {
            self.boxes(content, Some(name), depth + 1)?;
        }
        Ok(())
    }

    /// Blanks the name of a handler (ISO/IEC 14496-12, 8.4.3): programs and persons write there what they like.
    fn handler(&mut self, content: Range<u64>, is_of_track: bool) -> Result<(), CraftError> {
        let is_whole = content.end - content.start >= HANDLER_BYTES;
        if let Some(track) = self.tracks.last_mut().filter(|_| is_of_track) {
            let handler = if is_whole { self.source.up_to(content.start + 8, 4)?.try_into().ok() } else { None };
            track.handlers.push(handler);
        }
        self.blank_text((content.start + HANDLER_BYTES).min(content.end)..content.end)?;
        Ok(())
    }

    /// Blanks the names of encoders in what describes pictures (ISO/IEC 14496-12, 12.1.3), and those of reels in what
    /// describes time codes (`QuickTime` File Format, Timecode Sample Description).
    fn descriptions(&mut self, content: Range<u64>) -> Result<(), CraftError> {
        let (text, is_reel) = match self.tracks.last().and_then(Track::handler).as_ref() {
            Some(b"vide") => (ENCODER, false),
            Some(b"tmcd") => (REEL..u64::MAX, true),
            _ => return Ok(()),
        };
        let mut at = content.start + 8;
        while at + 8 <= content.end {
            let size = self.source.up_to(at, 4)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            if size < 8 || at + size > content.end {
                break;
            }
            let end = text.end.min(size);
            let is_blanked = text.start < end && self.blank_text(at + text.start..at + end)?;
            if is_blanked && is_reel && !self.without.contains(&REELS) {
                self.without.push(REELS);
            }
            at += size;
        }
        Ok(())
    }

    /// Blanks a text, and returns whether there is one.
    fn blank_text(&mut self, text: Range<u64>) -> Result<bool, CraftError> {
        let is_there = !self.source.is_zeros(text.clone())?;
        if is_there {
            self.found.edits.push(Edit::blank(text, b""));
        }
        Ok(is_there)
    }

    /// Judges bytes that are no box: behind a complete video, and as zeros, they are no damage.
    fn rest(&mut self, rest: Range<u64>, inside: Option<[u8; 4]>) -> Result<(), CraftError> {
        if self.source.is_zeros(rest.clone())? {
            return Ok(());
        }
        if inside.is_some() || !self.index || !self.content || self.found.has_fragments {
            return Err(cut("the video's boxes cannot be separated, so its content cannot be checked"));
        }
        self.found.edits.push(Edit::blank(rest, b""));
        Ok(())
    }

    /// Finds what lies among the pictures and the sound.
    fn strays(&mut self) -> Result<Strays, Cannot> {
        self.found.only_index()?;
        if self.found.has_places || self.found.top.iter().any(|top| top.name == *b"imda") {
            return Err(Cannot::Hold("its index names places in a way that is not read here"));
        }
        if self.has_odd_track {
            return Err(Cannot::Hold("one of its tracks lies within another"));
        }
        let contents = self.found.top.iter().filter(|top| top.is_content()).map(|top| top.content.clone());
        strays(self.source, &self.tracks, &contents.collect::<Vec<_>>())
    }

    /// Takes strays out of the index, and returns how they go out of the content.
    fn without(&mut self, strays: Strays) -> Vec<Edit> {
        let Strays { tracks, index, content, titles } = strays;
        let is_in_track = |at: u64| {
            let next = tracks.partition_point(|track| track.end <= at);
            tracks.get(next).is_some_and(|track| track.contains(&at))
        };
        self.found.edits.retain(|edit| !is_in_track(edit.at.start));
        self.found.tables.retain(|(table, _)| !is_in_track(table.start));
        self.found.is_in_content = !(tracks.is_empty() && content.is_empty());
        self.found.edits.extend(index);
        self.found.edits.sort_by_key(|edit| edit.at.start);
        self.without.extend(titles);
        if !content.is_empty() {
            self.without.push("the bytes among its pictures and sound that belong to neither");
        }
        content
    }

    /// Checks that no stream begins in bytes that would be blanked.
    fn content_stays(&mut self) -> Result<(), CraftError> {
        if self.found.edits.is_empty() {
            return Ok(());
        }
        for (table, width) in self.found.tables.clone() {
            let mut at = table.start + 8;
            while at < table.end {
                let piece = self.source.up_to(at, PIECE_BYTES.min(table.end - at))?;
                for offset in piece.chunks_exact(width) {
                    let offset = offset.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                    let next = self.found.edits.partition_point(|edit| edit.at.end <= offset);
                    if self.found.edits.get(next).is_some_and(|edit| edit.at.start <= offset) {
                        return Err(CraftError::Unsupported(format!(
                            "the video's index names content at byte {offset}, where no content is; export it again"
                        )));
                    }
                }
                at += piece.len() as u64;
            }
        }
        Ok(())
    }
}

/// Returns whether a box belongs to the streams, or says how they are played. Within the tables, all boxes count but
/// those that are known to say something else.
fn is_known(inside: Option<[u8; 4]>, name: [u8; 4]) -> bool {
    let known: &[&[u8; 4]] = match inside.as_ref() {
        None => &[b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"imda", b"mfra", b"sidx", b"ssix", b"pdin", b"prft"],
        Some(b"moov") => &[b"mvhd", b"trak", b"mvex", b"iods", b"pssh", b"clip", b"ctab", b"prfl"],
        Some(b"trak") => {
            &[b"tkhd", b"edts", b"mdia", b"tref", b"trgr", b"tapt", b"load", b"matt", b"clip", b"imap", b"txas"]
        }
        Some(b"mdia") => &[b"mdhd", b"hdlr", b"minf", b"elng"],
        _ => return !matches!(&name, b"udta" | b"meta" | b"meco" | b"uuid") && name[0] != 0xa9,
    };
    known.contains(&&name)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::edit::edited;
    use super::super::private::private;
    use super::super::tests::check;
    use super::*;
    use crate::model::Kind;

    const SECRET: &[u8] = b"SECRET +47.3+008.5/";

    fn part(name: [u8; 4], content: &[u8]) -> Vec<u8> {
        [&u32::try_from(content.len() + 8).unwrap().to_be_bytes()[..], &name, content].concat()
    }

    /// Returns a box whose size has 64 bits.
    fn wide(name: [u8; 4], content: &[u8]) -> Vec<u8> {
        [&[0, 0, 0, 1], &name[..], &(content.len() as u64 + 16).to_be_bytes(), content].concat()
    }

    /// Returns an index whose one chunk lies at `offset`, with boxes added to it and to its track.
    fn index(offset: u32, track: &[u8], more: &[u8]) -> Vec<u8> {
        let offsets = part(*b"stco", &[[0; 4], 1_u32.to_be_bytes(), offset.to_be_bytes()].concat());
        let media = [b"stbl", b"minf", b"mdia"].into_iter().fold(offsets, |content, name| part(*name, &content));
        part(*b"moov", &[part(*b"mvhd", &[0; 20]), part(*b"trak", &[&media, track].concat()), more.to_vec()].concat())
    }

    fn edits(video: &[u8]) -> Result<Vec<Edit>, CraftError> {
        private(Cursor::new(video), video.len() as u64, Kind::Mp4).map(|found| found.edits)
    }

    fn blank(video: &[u8]) -> Result<Vec<u8>, CraftError> {
        let edits = edits(video)?;
        let mut made = Vec::new();
        edited(video, video.len() as u64, edits).unwrap().read_to_end(&mut made).unwrap();
        Ok(made)
    }

    fn holds(video: &[u8], text: &[u8]) -> bool {
        video.windows(text.len()).any(|window| window == text)
    }

    /// Prompts and locations were sent to markets in videos, but removed from pictures.
    #[test]
    fn what_is_private_is_blanked_in_place() {
        let frames: Vec<u8> = (0..100).map(|n| n * 2).collect();
        let mdat = part(*b"mdat", &frames);
        let udta = part(*b"udta", &part(*b"\xa9xyz", SECRET));
        let keys = part(*b"meta", &[part(*b"hdlr", &[0; 24]), part(*b"keys", SECRET), part(*b"ilst", SECRET)].concat());
        let (early, late) = (24, 32);
        let text = [SECRET, &[0; 32][SECRET.len()..]].concat();
        let encoder = part(*b"avc1", &[&[0; 42][..], &text, &[0, 24, 0xff, 0xff]].concat());
        let handler = |of: &[u8]| part(*b"hdlr", &[&[0; 8], of, &[0; 12], SECRET].concat());
        let described = |of: &[u8], entry: &[u8]| {
            let described = part(*b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], entry].concat());
            let media = [b"stbl", b"minf"].into_iter().fold(described, |content, name| part(*name, &content));
            part(*b"mdia", &[handler(of), media].concat())
        };
        let named = described(b"vide", &encoder);
        let reel = part(*b"tmcd", &[&[7; 26][..], &part(*b"name", &[&[0, 19, 0, 0], SECRET].concat())].concat());
        let reel = described(b"tmcd", &reel);
        let beside = [&named[..], &part(*b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], &encoder[..]].concat())].concat();
        let film = |index: &[u8], more: &[u8]| [&part(*b"ftyp", &[0; 8]), &mdat, index, more].concat();
        let cases: [(&str, Vec<u8>); 18] = [
            ("udta in moov", film(&index(early, &[], &udta), &[])),
            ("udta in trak", film(&index(early, &udta, &[]), &[])),
            ("meta with keys", film(&index(early, &[], &keys), &[])),
            ("meta in trak", film(&index(early, &keys, &[]), &[])),
            ("two of them", film(&index(early, &keys, &[&udta[..], &keys].concat()), &[])),
            ("uuid", film(&index(early, &[], &[]), &part(*b"uuid", &[&[7; 16], SECRET].concat()))),
            ("meta at the top", film(&index(early, &[], &[]), &part(*b"meta", SECRET))),
            ("left in free", film(&index(early, &[], &part(*b"free", SECRET)), &part(*b"skip", SECRET))),
            ("names of a track and its encoder", film(&index(early, &named, &[]), &[])),
            ("names of a time code and its reel", film(&index(early, &reel, &[]), &[])),
            // What is blanked within something that is blanked was the end of the file.
            ("a handler of the film", film(&index(early, &[], &handler(b"mdir")), &[])),
            ("descriptions beside the tables", film(&index(early, &beside, &[]), &[])),
            ("nobody knows it", film(&index(early, &[], &part(*b"Xtra", SECRET)), &part(*b"beam", SECRET))),
            ("moov before mdat", {
                let length = u32::try_from(index(0, &udta, &keys).len()).unwrap();
                [index(length + 8, &udta, &keys), mdat.clone()].concat()
            }),
            ("64 bits", {
                let index = index(late, &[], &wide(*b"udta", SECRET));
                [&part(*b"ftyp", &[0; 8])[..], &wide(*b"mdat", &frames), &index, &wide(*b"uuid", SECRET)].concat()
            }),
            ("to the end", film(&index(early, &[], &[]), &[b"\0\0\0\0uuid", SECRET].concat())),
            ("behind the last box", film(&index(early, &[], &udta), &[&[0, 0, 0, 2], SECRET].concat())),
            ("fragments", {
                let moof = part(*b"moof", &[part(*b"traf", &udta), keys.clone()].concat());
                [index(0, &udta, &[]), moof, mdat.clone()].concat()
            }),
        ];
        for (name, video) in cases {
            let made = blank(&video).unwrap();
            assert!(holds(&video, SECRET) && !holds(&made, SECRET), "{name}");
            assert_eq!(made.len(), video.len(), "{name}");
            assert!(holds(&made, &frames), "{name}");
            assert!(check(&made, Kind::Mp4), "{name}");
            assert_eq!(edits(&made), Ok(Vec::new()), "{name}");
            let changed: Vec<usize> = (0..made.len()).filter(|at| made[*at] != video[*at]).collect();
            let blanks = edits(&video).unwrap();
            let is_in = |at: u64| blanks.iter().any(|edit| edit.at.contains(&at));
            assert!(changed.iter().all(|at| is_in(*at as u64)), "{name}");
        }
        let reels = film(&index(early, &reel, &[]), &[]);
        let told = private(Cursor::new(&reels), reels.len() as u64, Kind::Mov).unwrap().told;
        assert!(told.contains(&"it goes to markets without the names of its reels".to_owned()), "{told:?}");
        let plain = film(&index(early, &[], &part(*b"free", &[0; 9])), &[0; 30]);
        assert_eq!(edits(&plain), Ok(Vec::new()));
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        let (ftyp, mdat) = (part(*b"ftyp", &[0; 8]), part(*b"mdat", &[9; 30]));
        let cases = [
            ("cut off inside", [&ftyp, &mdat, &index(24, &[], &[0, 0, 0, 99, b'u', b'd', b't', b'a', 1])[..]].concat()),
            ("no box inside", [&ftyp, &mdat, &index(24, &[], b"SECRET and more")[..]].concat()),
            ("compressed", [&ftyp, &mdat, &part(*b"moov", &part(*b"cmov", SECRET))[..]].concat()),
            ("no box before the index", [&ftyp, &mdat, SECRET, &index(24, &[], &[])[..]].concat()),
            ("between fragments", [&index(0, &[], &[]), &part(*b"moof", &[]), &mdat, SECRET].concat()),
            ("smaller than its head", [&ftyp, &mdat, &b"\0\0\0\x01udta\0\0\0\0\0\0\0\x09"[..]].concat()),
            ("the content would go", [&ftyp, &part(*b"uuid", &[9; 30]), &mdat, &index(30, &[], &[])[..]].concat()),
        ];
        for (name, video) in cases {
            assert!(private(Cursor::new(&video), video.len() as u64, Kind::Mp4).is_err(), "{name}");
        }
    }
}
