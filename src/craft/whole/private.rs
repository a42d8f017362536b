//! Finds what an MP4 or MOV contains besides its streams: a prompt, a location, an author. Each such box becomes a
//! `free` one of zeros, so that every size and offset stays the same.

use std::io::{self, Read, Seek};
use std::ops::Range;

use super::boxes::measured;
use super::{CraftError, PARTS_MAX, Source, cut};

/// How deep boxes are nested.
const DEPTH_MAX: usize = 8;
/// How much is read at a time.
const PIECE_BYTES: u64 = 64 << 10;
/// The name of a box without a meaning.
const FREE: [u8; 4] = *b"free";

/// Bytes of a video that are not published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blank {
    /// The position of the box's name; bytes behind the last box have none.
    name_at: Option<u64>,
    content: Range<u64>,
}

/// Finds what an MP4 or MOV contains besides its streams, in the order of the file. A video whose boxes cannot all be
/// separated is refused: nothing is published unseen.
pub fn private<R: Read + Seek>(mut reader: R, length: u64) -> Result<Vec<Blank>, CraftError> {
    // The caller may have read from it before.
    reader.rewind().map_err(|error| CraftError::Damaged(error.to_string()))?;
    let source = Source { reader: io::BufReader::new(reader), at: 0, length };
    let (found, tables) = (Vec::new(), Vec::new());
    let mut walk = Walk { source, found, tables, parts: 0, index: false, content: false, has_fragments: false };
    walk.boxes(0..length, None, 0)?;
    walk.content_stays()?;
    Ok(walk.found)
}

/// Returns a video with these bytes blanked; it is read once, from its start.
pub fn blanked<R: Read>(reader: R, blanks: Vec<Blank>) -> impl Read {
    Blanked { reader, at: 0, blanks, next: 0 }
}

struct Blanked<R> {
    reader: R,
    at: u64,
    blanks: Vec<Blank>,
    /// The index of the first one that was not wholly passed.
    next: usize,
}

impl<R: Read> Read for Blanked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let piece = self.at..self.at + count as u64;
        while self.blanks.get(self.next).is_some_and(|blank| blank.content.end <= piece.start) {
            self.next += 1;
        }
        for blank in self.blanks[self.next..].iter().take_while(|blank| blank.start() < piece.end) {
            let position = |at: u64| usize::try_from(at.clamp(piece.start, piece.end) - piece.start).unwrap_or(count);
            buffer[position(blank.content.start)..position(blank.content.end)].fill(0);
            for (at, letter) in blank.name_at.into_iter().flat_map(|name| (name..).zip(FREE)) {
                if piece.contains(&at) {
                    buffer[position(at)] = letter;
                }
            }
        }
        self.at = piece.end;
        Ok(count)
    }
}

impl Blank {
    fn start(&self) -> u64 {
        self.name_at.unwrap_or(self.content.start)
    }
}

struct Walk<R> {
    source: Source<R>,
    found: Vec<Blank>,
    /// The tables that say where the streams lie, and how wide their numbers are.
    tables: Vec<(Range<u64>, usize)>,
    parts: usize,
    index: bool,
    content: bool,
    has_fragments: bool,
}

impl<R: Read + Seek> Walk<R> {
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
        match (inside, &name) {
            (None, b"moov") => self.index = true,
            (None, b"mdat" | b"imda") => self.content = true,
            (None, b"moof") => self.has_fragments = true,
            (Some(_), b"cmov") => {
                return Err(CraftError::Unsupported(
                    "the video's index is compressed, so its content cannot be checked; export it again".to_owned(),
                ));
            }
            (Some(_), b"stco") => self.tables.push((content.clone(), 4)),
            (Some(_), b"co64") => self.tables.push((content.clone(), 8)),
            _ => (),
        }
        if matches!(&name, b"free" | b"skip" | b"wide") {
            // Programs leave there what they removed elsewhere.
            if !self.is_zeros(content.clone())? {
                self.found.push(Blank { name_at: None, content });
            }
        } else if !is_known(inside, name) {
            self.found.push(Blank { name_at: Some(at + 4), content });
        } else if matches!(&name, b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" | b"moof" | b"traf" | b"mvex") {
            self.boxes(content, Some(name), depth + 1)?;
        }
        Ok(())
    }

    /// Judges bytes that are no box: behind a complete video, and as zeros, they are no damage.
    fn rest(&mut self, rest: Range<u64>, inside: Option<[u8; 4]>) -> Result<(), CraftError> {
        if self.is_zeros(rest.clone())? {
            return Ok(());
        }
        if inside.is_some() || !self.index || !self.content || self.has_fragments {
            return Err(cut("the video's boxes cannot be separated, so its content cannot be checked"));
        }
        self.found.push(Blank { name_at: None, content: rest });
        Ok(())
    }

    /// Checks that no stream begins in bytes that would be blanked.
    fn content_stays(&mut self) -> Result<(), CraftError> {
        if self.found.is_empty() {
            return Ok(());
        }
        for (table, width) in std::mem::take(&mut self.tables) {
            let mut at = table.start + 8;
            while at < table.end {
                let piece = self.source.up_to(at, PIECE_BYTES.min(table.end - at))?;
                for offset in piece.chunks_exact(width) {
                    let offset = offset.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                    let next = self.found.partition_point(|blank| blank.content.end <= offset);
                    if self.found.get(next).is_some_and(|blank| blank.start() <= offset) {
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

    fn is_zeros(&mut self, range: Range<u64>) -> Result<bool, CraftError> {
        let mut at = range.start;
        while at < range.end {
            let piece = self.source.up_to(at, PIECE_BYTES.min(range.end - at))?;
            if piece.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            at += piece.len() as u64;
        }
        Ok(true)
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

    fn blank(video: &[u8]) -> Result<Vec<u8>, CraftError> {
        let blanks = private(Cursor::new(video), video.len() as u64)?;
        let mut made = Vec::new();
        blanked(video, blanks).read_to_end(&mut made).unwrap();
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
        let film = |index: &[u8], more: &[u8]| [&part(*b"ftyp", &[0; 8]), &mdat, index, more].concat();
        let cases: [(&str, Vec<u8>); 14] = [
            ("udta in moov", film(&index(early, &[], &udta), &[])),
            ("udta in trak", film(&index(early, &udta, &[]), &[])),
            ("meta with keys", film(&index(early, &[], &keys), &[])),
            ("meta in trak", film(&index(early, &keys, &[]), &[])),
            ("two of them", film(&index(early, &keys, &[&udta[..], &keys].concat()), &[])),
            ("uuid", film(&index(early, &[], &[]), &part(*b"uuid", &[&[7; 16], SECRET].concat()))),
            ("meta at the top", film(&index(early, &[], &[]), &part(*b"meta", SECRET))),
            ("left in free", film(&index(early, &[], &part(*b"free", SECRET)), &part(*b"skip", SECRET))),
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
            assert_eq!(private(Cursor::new(&made), made.len() as u64), Ok(Vec::new()), "{name}");
            let changed: Vec<usize> = (0..made.len()).filter(|at| made[*at] != video[*at]).collect();
            let blanks = private(Cursor::new(&video), video.len() as u64).unwrap();
            let is_in = |at: u64| blanks.iter().any(|blank| (blank.start()..blank.content.end).contains(&at));
            assert!(changed.iter().all(|at| is_in(*at as u64)), "{name}");
        }
        let plain = film(&index(early, &[], &part(*b"free", &[0; 9])), &[0; 30]);
        assert_eq!(private(Cursor::new(&plain), plain.len() as u64), Ok(Vec::new()));
    }

    #[test]
    fn it_does_not_depend_on_the_pieces_that_are_read() {
        struct Byte<'a>(&'a [u8]);
        impl Read for Byte<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = buffer.len().min(1);
                self.0.read(&mut buffer[..count])
            }
        }
        let udta = part(*b"udta", SECRET);
        let video = [part(*b"ftyp", &[0; 8]), part(*b"mdat", &[9; 30]), index(24, &udta, &udta)].concat();
        let mut made = Vec::new();
        let mut opened = Cursor::new(&video);
        opened.set_position(video.len() as u64);
        let blanks = private(opened, video.len() as u64).unwrap();
        blanked(Byte(&video), blanks).read_to_end(&mut made).unwrap();
        assert_eq!(made, blank(&video).unwrap());
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
            assert!(private(Cursor::new(&video), video.len() as u64).is_err(), "{name}");
        }
    }
}
