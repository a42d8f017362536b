//! Finds what an AVI contains besides its streams. Each such chunk becomes a `JUNK` one of zeros, so that every size and
//! position stays the same.

use std::io::{Read, Seek};
use std::ops::Range;

use super::edit::Edit;
use super::{CraftError, PARTS_MAX, Source, cut};

/// How deep lists are nested.
const DEPTH_MAX: usize = 8;
/// The name of a chunk without a meaning.
const JUNK: [u8; 4] = *b"JUNK";

/// Finds what is private in an AVI, in its order, and whether it has streams of something else than pictures and sound.
pub(super) fn find<R: Read + Seek>(source: Source<R>) -> Result<(Vec<Edit>, bool), CraftError> {
    let length = source.length;
    let mut walk = Walk { source, found: Vec::new(), parts: 0, has_film: false, has_other_streams: false };
    walk.chunks(0..length, None, 0)?;
    Ok((walk.found, walk.has_other_streams))
}

struct Walk<R> {
    source: Source<R>,
    found: Vec<Edit>,
    parts: usize,
    has_film: bool,
    has_other_streams: bool,
}

impl<R: Read + Seek> Walk<R> {
    /// Walks the chunks that fill a range; `inside` is the type of the list that holds them.
    fn chunks(&mut self, range: Range<u64>, inside: Option<[u8; 4]>, depth: usize) -> Result<(), CraftError> {
        let mut at = range.start;
        while at < range.end {
            self.parts += 1;
            if self.parts > PARTS_MAX || depth > DEPTH_MAX {
                return Err(CraftError::TooLarge("the video has too many chunks to read them all".to_owned()));
            }
            let head = self.source.up_to(at, (range.end - at).min(12))?;
            let (Some(name), Some(size)) = (array(&head, 0), array(&head, 4).map(u32::from_le_bytes)) else {
                return self.rest(at..range.end, inside);
            };
            let content = at + 8..at + 8 + u64::from(size);
            if content.end > range.end || (inside.is_none() && name != *b"RIFF") {
                return self.rest(at..range.end, inside);
            }
            let list = array(&head, 8).filter(|_| matches!(&name, b"RIFF" | b"LIST") && size >= 4);
            self.one(at, content.clone(), (name, list), inside, depth)?;
            at = (content.end + u64::from(size % 2)).min(range.end);
        }
        Ok(())
    }

    fn one(
        &mut self,
        at: u64,
        content: Range<u64>,
        (name, list): ([u8; 4], Option<[u8; 4]>),
        inside: Option<[u8; 4]>,
        depth: usize,
    ) -> Result<(), CraftError> {
        if let Some(list) = list.filter(|list| is_entered(inside, *list)) {
            self.has_film |= list == *b"movi";
            return self.chunks(content.start + 4..content.end, Some(list), depth + 1);
        }
        if name == *b"strh" {
            let kind = self.source.up_to(content.start, (content.end - content.start).min(4))?;
            self.has_other_streams |= !matches!(&kind[..], b"vids" | b"auds" | b"iavs");
        }
        if name == JUNK {
            if !self.source.is_zeros(content.clone())? {
                self.found.push(Edit::blank(content, b""));
            }
        } else if list.is_some() || !is_known(inside, name) {
            self.found.push(Edit::blank(at..at + 4, &JUNK));
            self.found.push(Edit::blank(content, b""));
        }
        Ok(())
    }

    /// Judges bytes that are no chunk: behind a complete video, and as zeros, they are no damage.
    fn rest(&mut self, rest: Range<u64>, inside: Option<[u8; 4]>) -> Result<(), CraftError> {
        if self.source.is_zeros(rest.clone())? {
            return Ok(());
        }
        if inside.is_some() || !self.has_film {
            return Err(cut("the video's chunks cannot be separated, so its content cannot be checked"));
        }
        self.found.push(Edit::blank(rest, b""));
        Ok(())
    }
}

fn array(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at + 4)?.try_into().ok()
}

/// Returns whether a list holds the streams, or says how they are played.
fn is_entered(inside: Option<[u8; 4]>, list: [u8; 4]) -> bool {
    match inside.as_ref() {
        None => matches!(&list, b"AVI " | b"AVIX"),
        Some(b"AVI " | b"AVIX") => matches!(&list, b"hdrl" | b"movi"),
        Some(b"hdrl") => matches!(&list, b"strl" | b"odml"),
        Some(b"movi") => list == *b"rec ",
        Some(_) => false,
    }
}

/// Returns whether a chunk belongs to the streams.
fn is_known(inside: Option<[u8; 4]>, name: [u8; 4]) -> bool {
    match inside.as_ref() {
        Some(b"AVI " | b"AVIX") => name == *b"idx1",
        Some(b"hdrl") => name == *b"avih",
        Some(b"odml") => name == *b"dmlh",
        Some(b"strl") => matches!(&name, b"strh" | b"strf" | b"indx" | b"vprp"),
        // The number of a stream, and what it is; or the index of one.
        Some(b"movi" | b"rec ") => name[..2].iter().all(u8::is_ascii_hexdigit) || name.starts_with(b"ix"),
        _ => false,
    }
}
