//! Finds what an MP4 or MOV contains besides its pictures and sound: a prompt, a location, an author. Each such box becomes
//! a `free` one of zeros, so that every size and offset stays the same.

use std::collections::BTreeSet;
use std::io::{Read, Seek};
use std::ops::Range;

use super::boxes::{Top, measured, number};
use super::coded::{Blanking, Notes};
use super::codes::{NAMES_MAX, brands, colours, references, unknown_parts};
use super::edit::Edit;
use super::found::Found;
use super::needed::{DESCRIPTIONS, XMP, boxes_at, holds_boxes, is_needed, is_unknown, meaning};
use super::spherical::{self, Mark};
use super::strays::{Strays, is_within, names_content, no_content_at, strays};
use super::streams::{Track, used};
use super::{Cannot, CraftError, PARTS_MAX, Source, cut};

/// How deep boxes are nested.
const DEPTH_MAX: usize = 8;
/// The most boxes that lie in no other, and the most places outside the content that are blanked: all are in memory.
const TOP_MAX: usize = 2 << 20;
const EDITS_MAX: usize = 1 << 20;
/// The bytes of a handler's box before its name.
const HANDLER_BYTES: u64 = 24;
/// Where the encoder's name stands in what describes pictures.
const ENCODER: Range<u64> = 50..82;
/// Where the name of a reel begins, behind the head of its box, in what describes time codes.
const REEL: u64 = 42;
/// The most bytes of a description that are read: those before its boxes, and the length of a list of colours.
const DESCRIPTION_BYTES: u64 = 94;
/// The most bytes of a box that say how many of its bytes mean something.
const HEAD_BYTES: u64 = 32;
/// The end of a list of boxes in a MOV.
const TERMINATOR: [u8; 8] = [0, 0, 0, 8, 0, 0, 0, 0];
/// What a person calls these names, and what encoders and cameras leave.
const REELS: &str = "the names of its reels";
const NOTES: &str = "what programs wrote into its coded pictures";

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
        descriptions: Vec::new(),
        unknown: BTreeSet::new(),
        notes: Notes::default(),
    };
    walk.boxes(0..length, None, 0)?;
    walk.describe()?;
    let content = walk.strays().map(|strays| walk.without(strays));
    let content = walk.found.or_told(content, "what lies among its pictures and sound goes along as it is")?;
    let notes = walk.notes();
    let notes = walk.found.or_told(notes, &format!("{NOTES} goes along"))?;
    if !walk.without.is_empty() {
        walk.found.told.push(format!("it goes to markets without {}", walk.without.join(", without ")));
    }
    walk.found.told.extend(unknown_parts(&walk.unknown));
    walk.content_stays()?;
    walk.found.edits.extend(content);
    walk.found.edits.extend(notes);
    walk.found.edits.sort_by_key(|edit| edit.at.start);
    Ok(walk.found)
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
    /// What describes samples: how many tracks there were by then, and where its content lies.
    descriptions: Vec<(usize, Range<u64>)>,
    /// What in it nobody here can tell the meaning of.
    unknown: BTreeSet<Vec<u8>>,
    notes: Notes,
}

impl<R: Read + Seek> Walk<'_, R> {
    /// Walks the boxes that fill a range; `inside` is the box that holds them.
    fn boxes(&mut self, range: Range<u64>, inside: Option<[u8; 4]>, depth: usize) -> Result<(), CraftError> {
        let mut at = range.start;
        while at < range.end {
            self.parts += 1;
            let is_too_much = self.found.top.len() > TOP_MAX || self.found.edits.len() > EDITS_MAX;
            if self.parts > PARTS_MAX || depth > DEPTH_MAX || is_too_much {
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
                self.found.top.push(Top { name, at, content, is_open, stays: is_needed(None, name) });
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
        let is_spherical = inside == Some(*b"trak") && name == *b"uuid" && self.spherical(&content)?;
        let stays = is_needed(inside, name) || is_spherical;
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
            (Some(_), b"trak" | b"moov") => self.has_odd_track = true,
            // What goes as a whole is not looked into.
            (Some(_), b"hdlr") if stays => self.handler(content.clone(), inside == Some(*b"mdia"))?,
            // The track may say later what it holds.
            (Some(_), b"stsd") if stays => self.descriptions.push((self.tracks.len(), content.clone())),
            (Some(_), b"dref") if stays => self.found.edits.extend(references(self.source, content.clone())?),
            (None, b"ftyp" | b"styp") => self.found.edits.extend(brands(self.source, content.clone())?),
            (Some(DESCRIPTIONS), b"colr") => {
                let (edits, title) = colours(self.source, at, content.clone())?;
                self.found.edits.extend(edits);
                self.goes(title);
            }
            (Some(DESCRIPTIONS), b"avcC" | b"hvcC") => {
                self.found.edits.extend(self.notes.take(self.source, name, &content)?);
            }
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
            if self.holds_tags(&content, name, inside)? {
                self.found.tags.push((name, at..content.end));
            }
            self.found.edits.extend(Edit::freed(at, content));
        } else if holds_boxes(inside, name) {
            self.boxes(content, Some(name), depth + 1)?;
        } else {
            if is_unknown(inside, name) {
                self.unknown(&name);
            }
            let head = self.source.up_to(content.start, HEAD_BYTES.min(content.end - content.start))?;
            if let Some(bytes) = meaning(name, &head) {
                self.blank_text(content.start.saturating_add(bytes).min(content.end)..content.end)?;
            }
        }
        Ok(())
    }

    /// Returns whether stockmill writes tags into such a box.
    fn holds_tags(&mut self, content: &Range<u64>, name: [u8; 4], inside: Option<[u8; 4]>) -> Result<bool, CraftError> {
        let is_packet = inside.is_none() && name == *b"uuid";
        let head = if is_packet { self.source.up_to(content.start, XMP.len() as u64)? } else { Vec::new() };
        Ok(head == XMP || inside == Some(*b"moov") && name == *b"udta")
    }

    /// Keeps what makes players show a film in all directions, and returns whether that is what a box says.
    fn spherical(&mut self, content: &Range<u64>) -> Result<bool, CraftError> {
        match spherical::mark(self.source, content)? {
            Mark::Needed(edit) => {
                self.found.edits.extend(edit);
                return Ok(true);
            }
            Mark::Unknown => self.found.told.push(spherical::LOST.to_owned()),
            Mark::None => (),
        }
        Ok(false)
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

    /// Looks at what describes samples, now that all tracks say what they hold.
    fn describe(&mut self) -> Result<(), CraftError> {
        for (tracks, content) in std::mem::take(&mut self.descriptions) {
            let handler = tracks.checked_sub(1).and_then(|track| self.tracks[track].described_as());
            let head = self.source.up_to(content.start, 8.min(content.end - content.start))?;
            let (is_quicktime, count) = (head.first() == Some(&0), number(&head, 4).unwrap_or(0));
            let mut at = (content.start + 8).min(content.end);
            for _ in 0..count {
                let left = content.end - at;
                let entry = self.source.up_to(at, left.min(DESCRIPTION_BYTES))?;
                let size = number(&entry, 0).map_or(0, u64::from);
                if size < 8 || size > left {
                    return Err(cut("what describes the video's content cannot be separated, so it cannot be checked"));
                }
                self.notes.description(tracks.checked_sub(1).map(|track| self.tracks[track].at.start));
                self.description(handler, at..at + size, &entry, is_quicktime)?;
                at += size;
            }
            self.blank_text(at..content.end)?;
        }
        Ok(())
    }

    /// Blanks the names of encoders in what describes pictures (ISO/IEC 14496-12, 12.1.3), those of reels in what describes
    /// time codes (`QuickTime` File Format, Timecode Sample Description), and boxes that say nothing of decoding.
    fn description(
        &mut self,
        handler: Option<[u8; 4]>,
        at: Range<u64>,
        entry: &[u8],
        is_quicktime: bool,
    ) -> Result<(), CraftError> {
        let (text, is_reel) = match handler.as_ref() {
            Some(b"vide" | b"auxv" | b"pict") => (ENCODER, false),
            Some(b"tmcd") => (REEL..u64::MAX, true),
            _ => (0..0, false),
        };
        let end = text.end.min(at.end - at.start);
        let is_blanked = text.start < end && self.blank_text(at.start + text.start..at.start + end)?;
        self.goes((is_blanked && is_reel).then_some(REELS));
        match boxes_at(handler, entry, is_quicktime).map(|boxes| at.start + boxes) {
            Some(boxes) if boxes < at.end => self.boxes(boxes..at.end, Some(DESCRIPTIONS), 5),
            _ => Ok(()),
        }
    }

    /// Notes what goes of which a person is told.
    fn goes(&mut self, title: Option<&'static str>) {
        self.without.extend(title.filter(|title| !self.without.contains(title)));
    }

    /// Blanks a text, and returns whether there is one.
    fn blank_text(&mut self, text: Range<u64>) -> Result<bool, CraftError> {
        let is_there = !self.source.is_zeros(text.clone())?;
        if is_there {
            self.found.edits.push(Edit::blank(text, b""));
        }
        Ok(is_there)
    }

    /// Keeps the name of an unknown part: a file may have millions of them.
    fn unknown(&mut self, name: &[u8]) {
        if self.unknown.len() <= NAMES_MAX {
            self.unknown.insert(name.to_vec());
        }
    }

    /// Judges bytes that are no box: behind a complete video, and as zeros, they are no damage.
    fn rest(&mut self, rest: Range<u64>, inside: Option<[u8; 4]>) -> Result<(), CraftError> {
        if self.source.is_zeros(rest.clone())? {
            return Ok(());
        }
        if matches!(inside.as_ref(), Some(b"stsd" | b"wave")) {
            if self.source.up_to(rest.start, 8.min(rest.end - rest.start))? == TERMINATOR {
                self.blank_text(rest.start + 8..rest.end)?;
            } else {
                self.unknown(b"bytes that are no box");
            }
            return Ok(());
        }
        if inside.is_some() || !self.index || !self.content || self.found.has_fragments {
            return Err(cut("the video's boxes cannot be separated, so its content cannot be checked"));
        }
        self.found.edits.push(Edit::blank(rest, b""));
        Ok(())
    }

    /// Checks that the index alone says in a common way where the content lies.
    fn is_plain(&self) -> Result<(), Cannot> {
        self.found.only_index()?;
        if self.found.has_places || self.found.top.iter().any(|top| top.name == *b"imda") {
            return Err(Cannot::Hold("its index names places in a way that is not read here"));
        }
        if self.has_odd_track { Err(Cannot::Hold("one of its tracks lies within another")) } else { Ok(()) }
    }

    /// Finds what lies among the pictures and the sound.
    fn strays(&mut self) -> Result<Strays, Cannot> {
        self.is_plain()?;
        strays(self.source, &self.tracks, &self.found.contents())
    }

    /// Finds what programs wrote into the coded pictures.
    fn notes(&mut self) -> Result<Vec<Edit>, Cannot> {
        if self.notes.is_empty() {
            return Ok(Vec::new());
        }
        self.is_plain()?;
        let Blanking { edits, left } = self.notes.find(self.source, &self.tracks, &self.found.contents())?;
        self.found.is_in_content |= !edits.is_empty();
        let left: Vec<&str> = left.into_iter().collect();
        if left.is_empty() {
            self.goes((!edits.is_empty() || self.notes.is_before).then_some(NOTES));
        } else {
            self.found.told.push(format!("of {NOTES} only this goes along, as it is: {}", left.join(", ")));
        }
        Ok(edits)
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
        self.tracks.retain(|track| !is_in_track(track.at.start));
        self.found.is_in_content = !(tracks.is_empty() && content.is_empty());
        self.found.edits.extend(index);
        self.without.extend(titles);
        if !content.is_empty() {
            self.without.push("the bytes among its pictures and sound that belong to neither");
        }
        content
    }

    /// Checks that no stream begins in bytes that would be blanked, and none whose samples can be told reaches into them.
    fn content_stays(&mut self) -> Result<(), CraftError> {
        self.found.edits.sort_by_key(|edit| edit.at.start);
        let contents = self.found.contents();
        for track in &self.tracks {
            let used = match used(self.source, &[track]) {
                Ok(used) => used,
                Err(Cannot::Hold(_)) => continue,
                Err(Cannot::Read(error)) => return Err(error),
            };
            for used in used {
                if is_within(&contents, &used) {
                    continue;
                }
                self.found.is_elsewhere = true;
                let next = self.found.edits.partition_point(|edit| edit.at.end <= used.start);
                if let Some(edit) = self.found.edits.get(next).filter(|edit| edit.at.start < used.end) {
                    return Err(no_content_at(used.start.max(edit.at.start)));
                }
            }
        }
        if self.found.edits.is_empty() {
            return Ok(());
        }
        let mut tables = self.found.tables.iter();
        tables.try_for_each(|(table, width)| names_content(self.source, table, *width, &self.found.edits))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::boxes::part;
    use super::super::edit::edited;
    use super::super::private::private;
    use super::super::tests::check;
    use super::*;
    use crate::model::Kind;

    const SECRET: &[u8] = b"SECRET +47.3+008.5/";

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

    /// Checks that of a video what is private goes, and nothing else.
    fn goes(name: &str, video: &[u8], frames: &[u8]) {
        let made = blank(video).unwrap();
        assert!(holds(video, SECRET) && !holds(&made, SECRET), "{name}");
        assert_eq!(made.len(), video.len(), "{name}");
        assert!(holds(&made, frames), "{name}");
        assert!(check(&made, Kind::Mp4), "{name}");
        assert_eq!(edits(&made), Ok(Vec::new()), "{name}");
        let changed: Vec<usize> = (0..made.len()).filter(|at| made[*at] != video[*at]).collect();
        let blanks = edits(video).unwrap();
        let is_in = |at: u64| blanks.iter().any(|edit| edit.at.contains(&at));
        assert!(changed.iter().all(|at| is_in(*at as u64)), "{name}");
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
            goes(name, &video, &frames);
        }
        let sphere = |what: &[u8]| {
            let text = [b"<GSpherical:Spherical>", what, b"</GSpherical:Spherical>", &[b' '; 200], SECRET].concat();
            film(&index(early, &part(*b"uuid", &[&spherical::ID[..], &text].concat()), &[]), &[])
        };
        for (what, is_kept) in [(&b"true"[..], true), (b"maybe", false)] {
            let video = sphere(what);
            goes("spherical", &video, &frames);
            assert_eq!(holds(&blank(&video).unwrap(), b"GSpherical:Spherical>true"), is_kept);
            let told = private(Cursor::new(&video), video.len() as u64, Kind::Mp4).unwrap().told;
            assert_eq!(told.iter().any(|told| told.contains("360°")), !is_kept, "{told:?}");
        }
        let reels = film(&index(early, &reel, &[]), &[]);
        let told = private(Cursor::new(&reels), reels.len() as u64, Kind::Mov).unwrap().told;
        assert!(told.contains(&"it goes to markets without the names of its reels".to_owned()), "{told:?}");
        let plain = film(&index(early, &[], &part(*b"free", &[0; 9])), &[0; 30]);
        assert_eq!(edits(&plain), Ok(Vec::new()));
    }

    /// Returns boxes in each other; the last name is that of the outermost.
    fn nested(names: &[&[u8; 4]], content: &[u8]) -> Vec<u8> {
        names.iter().fold(content.to_vec(), |content, name| part(**name, &content))
    }

    /// Returns what a track holds of a kind, with one description of its samples.
    fn described(handler: [u8; 4], entry: &[u8]) -> Vec<u8> {
        let handler = part(*b"hdlr", &[&[0; 8], &handler[..], &[0; 12]].concat());
        let entry = nested(&[b"stsd", b"stbl", b"minf"], &[&[0, 0, 0, 0, 0, 0, 0, 1], entry].concat());
        // The handler may follow.
        part(*b"mdia", &[entry, handler].concat())
    }

    /// The path in an alias was sent to markets, and whatever stood where nothing was looked at.
    #[test]
    fn of_each_box_what_players_need_stays() {
        let frames: Vec<u8> = (0..100).map(|n| n * 2).collect();
        let film = |track: &[u8], more: &[u8], behind: &[u8]| {
            [&part(*b"ftyp", &[0; 8]), &part(*b"mdat", &frames), &index(24, track, more), behind].concat()
        };
        let secret = |name: &[u8; 4]| part(*name, SECRET);
        let longer = |content: &[u8]| [content, SECRET].concat();
        let media = |names: &[&[u8; 4]], content: &[u8]| nested(&[names, &[b"minf", b"mdia"]].concat(), content);
        let table = |name: &[u8; 4], content: &[u8]| media(&[name, b"stbl"], &longer(content));
        let entry = |name: &[u8; 4], fixed: usize, inside: &[u8]| part(*name, &[&vec![0; fixed - 8], inside].concat());
        let alias = part(*b"alis", &longer(&[0, 0, 0, 1]));
        let references = [&[0, 0, 0, 0, 0, 0, 0, 2], &alias[..], &part(*b"url ", &longer(&[0, 0, 0, 1]))].concat();
        let quicktime = part(*b"mp4a", &[&[0; 8][..], &[0, 1], &[0; 34], &part(*b"wave", &secret(b"name"))].concat());
        let palette = part(*b"rle ", &[&[0; 75][..], &[1, 0, 0], &[0; 16], &secret(b"udta")].concat());
        let stream = part(*b"esds", &longer(&[0, 0, 0, 0, 3, 3, 0, 1, 0]));
        let in_track: [(&str, Vec<u8>); 22] = [
            ("a path in a reference", media(&[b"dref", b"dinf"], &references)),
            ("behind the references", media(&[b"dref", b"dinf"], &longer(&[0; 8]))),
            ("beside the references", media(&[b"dinf"], &secret(b"udta"))),
            ("in a description of pictures", described(*b"vide", &entry(b"avc1", 86, &secret(b"uuid")))),
            ("behind a list of colours", described(*b"vide", &palette)),
            ("behind what describes a stream", described(*b"soun", &entry(b"mp4a", 36, &stream))),
            (
                "behind codes of colours",
                described(*b"vide", &entry(b"avc1", 86, &part(*b"colr", &longer(b"nclx\0\x01\0\x01\0\x01\0")))),
            ),
            (
                "behind older ones",
                described(*b"vide", &entry(b"avc1", 86, &part(*b"colr", &longer(b"nclc\0\x01\0\x01\0\x01")))),
            ),
            ("colours of another kind", described(*b"vide", &entry(b"avc1", 86, &part(*b"colr", &longer(b"JANE"))))),
            ("no profile", described(*b"vide", &entry(b"avc1", 86, &part(*b"colr", &longer(b"prof"))))),
            ("in a description of sound", described(*b"soun", &entry(b"mp4a", 36, &secret(b"udta")))),
            ("in one of QuickTime", described(*b"soun", &quicktime)),
            ("behind a known box", described(*b"vide", &entry(b"avc1", 86, &part(*b"pasp", &longer(&[0; 8]))))),
            ("behind the descriptions", media(&[b"stsd", b"stbl"], &longer(&[0; 8]))),
            ("beside the tables", media(&[b"stbl"], &secret(b"name"))),
            ("beside the times", part(*b"edts", &secret(b"uuid"))),
            (
                "behind the times",
                nested(&[b"elst", b"edts"], &longer(&[&[0, 0, 0, 0, 0, 0, 0, 1][..], &[0; 12]].concat())),
            ),
            ("the font of time codes", media(&[b"tcmi", b"tmcd", b"gmhd"], &longer(&[0; 24]))),
            ("behind a header", part(*b"tkhd", &longer(&[0; 84]))),
            ("behind a header of 64 bits", part(*b"tkhd", &longer(&[&[1][..], &[0; 95]].concat()))),
            ("behind durations", table(b"stts", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], &[0; 8]].concat())),
            ("behind sizes", table(b"stsz", &[&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2][..], &[0; 8]].concat())),
        ];
        for (name, track) in in_track {
            goes(name, &film(&track, &[], &[]), &frames);
        }
        let kinds = part(*b"ftyp", &longer(b"isom\0\0\x02\0isom"));
        let at = u32::try_from(kinds.len() + 8).unwrap();
        goes("kinds of files", &[&kinds, &part(*b"mdat", &frames)[..], &index(at, &[], &[])].concat(), &frames);
        for (name, more) in [("mvhd", longer(&[0; 100])), ("prfl", SECRET.to_vec()), ("pssh", SECRET.to_vec())] {
            goes(name, &film(&[], &part(name.as_bytes().try_into().unwrap(), &more), &[]), &frames);
        }
        for (name, behind) in [("prft", secret(b"prft")), ("mfra", part(*b"mfra", &secret(b"udta")))] {
            goes(name, &film(&[], &[], &behind), &frames);
        }
    }

    /// No player is to miss what it decodes by; what may be that is told.
    #[test]
    fn what_decoders_need_stays() {
        let codec = [part(*b"avcC", SECRET), part(*b"colr", b"nclx\0\x01\0\x01\0\x01\0")].concat();
        let rows = [
            (codec.clone(), None),
            ([&codec[..], &[0; 4]].concat(), None),
            ([&codec[..], &TERMINATOR].concat(), None),
            (part(*b"Xtra", SECRET), Some("Xtra")),
            (SECRET.to_vec(), Some("bytes that are no box")),
        ];
        for (inside, unknown) in rows {
            let entry = part(*b"avc1", &[&[0; 78], &inside[..]].concat());
            let video = [part(*b"mdat", &[9; 30]), index(8, &described(*b"vide", &entry), &[])].concat();
            assert_eq!(edits(&video), Ok(Vec::new()), "{unknown:?}");
            let told = private(Cursor::new(&video), video.len() as u64, Kind::Mp4).unwrap().told;
            let words = "what describes its pictures and sound goes along with parts that are not known here: ";
            let told: Vec<&str> = told.iter().filter_map(|told| told.strip_prefix(words)).collect();
            assert_eq!(told, unknown.into_iter().collect::<Vec<_>>());
        }
    }

    /// A player reads of a profile how colours are turned, and a person whose screen it is of.
    #[test]
    fn of_a_profile_what_turns_colours_stays() {
        let profile = crate::craft::icc::rgb(&crate::craft::icc::SRGB, |value| value).unwrap();
        // The name, and the copyright that nobody writes there.
        let said = |from: &[u8], to: &[u8]| {
            let at = profile.windows(from.len()).position(|window| window == from).unwrap();
            [&profile[..at], to, &profile[at + from.len()..]].concat()
        };
        let (short, long) = (said(b"picture", b"Jane D."), said(b"CC0", b"JAN"));
        let film = |kind: &[u8], icc: &[u8]| {
            let entry = part(*b"avc1", &[&[0; 78], &part(*b"colr", &[kind, icc].concat())[..]].concat());
            [part(*b"mdat", &[9; 30]), index(8, &described(*b"vide", &entry), &[])].concat()
        };
        for kind in [b"prof", b"rICC"] {
            assert_eq!(edits(&film(kind, &profile)), Ok(Vec::new()));
            let made = blank(&film(kind, &short)).unwrap();
            assert_eq!(made, film(kind, &profile));
            // The word for a copyright that is not known is longer, and there is no room for it.
            for (what, icc) in [("no room", &long[..]), ("no profile", &profile[..100])] {
                let found = private(Cursor::new(&film(kind, icc)), film(kind, icc).len() as u64, Kind::Mp4).unwrap();
                let told = "it goes to markets without a colour profile that has parts that are not known here";
                assert!(found.told.iter().any(|line| line == told), "{what}");
                assert!(!holds(&blank(&film(kind, icc)).unwrap(), b"colr"), "{what}");
            }
        }
    }

    /// Such a film went to markets with a path in it, and without its frames.
    #[test]
    fn a_film_whose_frames_lie_in_another_file_is_refused() {
        let film = |entries: &[Vec<u8>]| {
            let count = u32::try_from(entries.len()).unwrap().to_be_bytes();
            let references = [&[0; 4], &count[..], &entries.concat()].concat();
            let track = nested(&[b"dref", b"dinf", b"minf", b"mdia"], &references);
            [part(*b"ftyp", &[0; 8]), part(*b"mdat", &[9; 30]), index(24, &track, &[])].concat()
        };
        let own = part(*b"url ", &[0, 0, 0, 1]);
        let of = |name: &[u8; 4], place: &[u8]| part(*name, &[&[0; 4], place].concat());
        let mac = [&b"\0\0\x01\x02"[..], b"\x08Macintosh\0\xff", b"/Users/jane/a film.mov\0", b"AB"].concat();
        let rows: [(&str, Vec<Vec<u8>>, Option<&str>); 7] = [
            ("itself", vec![own.clone()], None),
            ("without a place", vec![of(b"url ", b""), of(b"url ", b"\0")], None),
            ("the number of a box", vec![of(b"imdt", &[0, 0, 0, 7])], None),
            ("a place", vec![own.clone(), of(b"url ", b"file:///home/jane/a.mov\0")], Some("file:///home/jane/a.mov")),
            ("a name", vec![of(b"urn ", b"urn:x\0http://jane/a\0")], Some("http://jane/a")),
            ("of a Mac", vec![of(b"alis", &mac)], Some("/Users/jane/a film.mov")),
            ("in a way that nobody knows", vec![of(b"JANE", &[7, 0xff])], Some("")),
        ];
        for (name, entries, place) in rows {
            let video = film(&entries);
            let told = place.map(|place| {
                format!("it cannot be read: the video's pictures or sound lie in another file: `{place}`; export it again as one file")
            });
            let length = video.len() as u64;
            let found = private(Cursor::new(&video), length, Kind::Mov).map(drop);
            let whole = super::super::check_whole(Cursor::new(&video), length, Kind::Mov);
            for refused in [found, whole] {
                assert_eq!(refused.err().map(|error| error.to_string()), told, "{name}");
            }
        }
    }

    /// Each chunk was looked for in each piece of content: a film of some megabytes took hours.
    #[test]
    fn many_boxes_take_as_long_as_they_are_many() {
        let (count, piece) = (100_000_u32, part(*b"mdat", b"F"));
        let piece_bytes = u32::try_from(piece.len()).unwrap();
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        let places = (0..count).flat_map(|n| (n * piece_bytes + 8).to_be_bytes()).collect::<Vec<_>>();
        let table = [
            part(*b"stsc", &words(&[0, 1, 1, 1, 1])),
            part(*b"stsz", &words(&[0, 1, count])),
            part(*b"stco", &[words(&[0, count]), places].concat()),
        ];
        let handler = part(*b"hdlr", &[&[0; 8], &b"vide"[..], &[0; 12]].concat());
        let media = [&handler[..], &nested(&[b"stbl", b"minf"], &table.concat())].concat();
        let track = nested(&[b"mdia", b"trak"], &media);
        let film = [piece.repeat(count as usize), part(*b"moov", &track)].concat();
        assert_eq!(edits(&film), Ok(Vec::new()));
        let length = film.len() as u64;
        assert_eq!(super::super::tagless(Cursor::new(&film), length, Kind::Mp4), None);
        // Some names are told, and not each of a million.
        let odd: Vec<u8> = (0..1000).flat_map(|n| part(format!("{n:4}").as_bytes().try_into().unwrap(), b"")).collect();
        let entry = part(*b"avc1", &[&[0; 78], &odd[..]].concat());
        let video = [part(*b"mdat", &[9; 30]), index(8, &described(*b"vide", &entry), &[])].concat();
        let told = private(Cursor::new(&video), video.len() as u64, Kind::Mp4).unwrap().told.concat();
        assert!(told.contains("   0,    1,") && told.ends_with(",    7, and others"), "{told}");
        // What would have to be remembered is more than any film has.
        let junk = part(*b"JUNK", b"").repeat(EDITS_MAX / 2 + 2);
        let refused = edits(&[&film[..], &junk].concat()).unwrap_err().to_string();
        assert!(refused.contains("too many boxes"), "{refused}");
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
