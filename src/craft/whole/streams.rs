//! Tells which bytes of an MP4 or MOV its tracks use, by the tables of their samples (ISO/IEC 14496-12, 8.6 and 8.7).

use std::io::{Read, Seek};
use std::ops::Range;

use super::boxes::{Counted, counted, number};
use super::{Cannot, Source};

/// The most bytes of all tables of a video that are read.
const TABLES_BYTES_MAX: u64 = 16 << 20;
/// The bytes of a track's header up to its number, which it may hold in two places.
const HEADER_BYTES: u64 = 24;
/// What the tracks hold that a market gets: pictures, what belongs to them, sound, and the times of the frames.
const STAY: [&[u8; 4]; 5] = [b"vide", b"soun", b"auxv", b"pict", b"tmcd"];
/// What the tracks hold that have words.
const TEXTS: [&[u8; 4]; 5] = [b"text", b"sbtl", b"subt", b"subp", b"clcp"];
/// The tables do not say where all samples are.
const NO_SENSE: Cannot = Cannot::Hold("its index makes no sense");

/// A track of a video.
pub(super) struct Track {
    /// Where its box lies.
    pub(super) at: Range<u64>,
    pub(super) content: Range<u64>,
    /// What its handlers say that it holds; nothing, if one is cut off.
    pub(super) handlers: Vec<Option<[u8; 4]>>,
    /// Those of its boxes that say where its samples are, and which track it is: where they lie, and their content.
    boxes: Vec<([u8; 4], Range<u64>, Range<u64>)>,
}

impl Track {
    pub(super) fn new(at: Range<u64>, content: Range<u64>) -> Self {
        Self { at, content, handlers: Vec::new(), boxes: Vec::new() }
    }

    /// Takes a box of it, if it is one that counts here.
    pub(super) fn take(&mut self, name: [u8; 4], at: &Range<u64>, content: &Range<u64>) {
        if matches!(
            &name,
            b"tkhd" | b"tref" | b"vmhd" | b"smhd" | b"stsd" | b"stts" | b"stsz" | b"stz2" | b"stsc" | b"stco" | b"co64"
        ) {
            self.boxes.push((name, at.clone(), content.clone()));
        }
    }

    /// Returns what it holds, if it says that; of two handlers nobody can tell which one counts.
    pub(super) fn handler(&self) -> Option<[u8; 4]> {
        if let [handler] = self.handlers[..] { handler } else { None }
    }

    /// Returns whether it goes to a market; a track that does not say what it holds is no track of pictures, and none of text.
    pub(super) fn stays(&self) -> Result<bool, Cannot> {
        let handler = self.handler().ok_or(Cannot::Hold("one of its tracks does not say what it holds"))?;
        let stays = STAY.contains(&&handler);
        if !stays && self.described_as() != Some(handler) {
            return Err(Cannot::Hold(
                "one of its tracks is described as pictures or sound, and named as something else",
            ));
        }
        Ok(stays)
    }

    /// Returns what the descriptions of its samples are of: it may be named as something else by mistake.
    pub(super) fn described_as(&self) -> Option<[u8; 4]> {
        let has = |name: &[u8; 4]| self.boxes.iter().any(|(found, ..)| found == name);
        match self.handler() {
            Some(handler) if STAY.contains(&&handler) => Some(handler),
            _ if has(b"vmhd") => Some(*b"vide"),
            _ if has(b"smhd") => Some(*b"soun"),
            handler => handler,
        }
    }

    /// Returns what a person calls it.
    pub(super) fn title(&self) -> &'static str {
        let is_text = self.handler().is_some_and(|handler| TEXTS.contains(&&handler));
        if is_text { "its text tracks (chapters or subtitles)" } else { "its data tracks" }
    }

    /// Returns the number by which others name it.
    pub(super) fn id<R: Read + Seek>(&self, source: &mut Source<R>) -> Result<u32, Cannot> {
        let (_, content) = self.place(*b"tkhd")?.ok_or(NO_SENSE)?;
        let header = source.up_to(content.start, HEADER_BYTES.min(content.end - content.start))?;
        let at = if header.first() == Some(&1) { 20 } else { 12 };
        number(&header, at).ok_or(NO_SENSE)
    }

    /// Returns where it names other tracks: the box, and its content.
    pub(super) fn references(&self) -> Result<Option<(Range<u64>, Range<u64>)>, Cannot> {
        self.place(*b"tref")
    }

    fn place(&self, name: [u8; 4]) -> Result<Option<(Range<u64>, Range<u64>)>, Cannot> {
        let mut places = self.boxes.iter().filter(|(found, ..)| *found == name);
        // Of two nobody can tell which one counts.
        match (places.next(), places.next()) {
            (place, None) => Ok(place.map(|(_, at, content)| (at.clone(), content.clone()))),
            _ => Err(NO_SENSE),
        }
    }

    fn one<R: Read + Seek>(&self, source: &mut Source<R>, name: [u8; 4]) -> Result<Option<Vec<u8>>, Cannot> {
        let Some((_, content)) = self.place(name)? else { return Ok(None) };
        Ok(Some(source.up_to(content.start, content.end - content.start)?))
    }

    /// Returns how large its samples are, and where each of its chunks begins and how many of them it has.
    pub(super) fn layout<R: Read + Seek>(&self, source: &mut Source<R>) -> Result<(Sizes, Vec<(u64, u64)>), Cannot> {
        let (sizes, runs) = (self.sizes(source)?, self.one(source, *b"stsc")?.ok_or(NO_SENSE)?);
        let (places, width) = match (self.one(source, *b"stco")?, self.one(source, *b"co64")?) {
            (Some(places), None) => (places, 4),
            (None, Some(places)) => (places, 8),
            _ => return Err(NO_SENSE),
        };
        self.is_sized_by_samples(source, &sizes)?;
        let mut runs = rows(&runs, 12)?.peekable();
        let mut run = None;
        let first = |run: &[u8]| number(run, 0);
        let (mut sample, mut chunks) = (0, Vec::new());
        for (chunk, place) in (1..).zip(rows(&places, width)?) {
            let start = place.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            run = runs.next_if(|next| first(next) == Some(chunk)).or(run);
            let samples = u64::from(run.and_then(|run| number(run, 4)).ok_or(NO_SENSE)?);
            start.checked_add(sizes.of(sample, samples)).ok_or(NO_SENSE)?;
            sample += samples;
            chunks.push((start, samples));
        }
        // The last chunk may have fewer than the others, but of samples of one size some players take as many as the chunks
        // have; no run may begin out of its turn.
        let is_enough = if sizes.all > 0 { sample == sizes.count } else { sample >= sizes.count };
        let is_all = is_enough && runs.next().is_none();
        if is_all { Ok((sizes, chunks)) } else { Err(NO_SENSE) }
    }

    /// Adds where its samples lie, chunk by chunk.
    fn chunks<R: Read + Seek>(&self, source: &mut Source<R>, chunks: &mut Vec<Range<u64>>) -> Result<(), Cannot> {
        let (sizes, places) = self.layout(source)?;
        let mut sample = 0;
        for (start, samples) in places {
            let end = start + sizes.of(sample, samples);
            sample += samples;
            match chunks.last_mut() {
                _ if start == end => (),
                Some(last) if last.end == start => last.end = end,
                _ => chunks.push(start..end),
            }
        }
        Ok(())
    }

    fn sizes<R: Read + Seek>(&self, source: &mut Source<R>) -> Result<Sizes, Cannot> {
        let (table, all, bits) = match (self.one(source, *b"stsz")?, self.one(source, *b"stz2")?) {
            (Some(table), None) => {
                let all = number(&table, 4).ok_or(NO_SENSE)?;
                (table, all, 32)
            }
            // Of 32 bits there are none, but some players read them.
            (None, Some(table)) => {
                let bits = *table.get(7).filter(|bits| matches!(bits, 4 | 8 | 16)).ok_or(NO_SENSE)?;
                (table, 0, bits)
            }
            _ => return Err(NO_SENSE),
        };
        let count = u64::from(number(&table, 8).ok_or(NO_SENSE)?);
        let each = table.get(12..).unwrap_or_default().to_vec();
        let is_there = all > 0 || (each.len() as u64 * 8) / u64::from(bits) >= count;
        if is_there { Ok(Sizes { all, each, bits, count }) } else { Err(NO_SENSE) }
    }

    /// Checks that samples of sound are as large as their table says.
    fn is_sized_by_samples<R: Read + Seek>(&self, source: &mut Source<R>, sizes: &Sizes) -> Result<(), Cannot> {
        if self.handler() != Some(*b"soun") || sizes.count == 0 {
            return Ok(());
        }
        let times = self.one(source, *b"stts")?.ok_or(NO_SENSE)?;
        let described = self.one(source, *b"stsd")?.ok_or(NO_SENSE)?;
        match counted(&times, &described, sizes.all) {
            Some(Counted::Samples) => Ok(()),
            Some(Counted::Frames(_)) | None => {
                Err(Cannot::Hold("it does not say in a common way how large its sound is"))
            }
        }
    }
}

/// How large the samples of a track are.
pub(super) struct Sizes {
    /// The size of all of them, if they have the same.
    all: u32,
    /// The size of each one else, and how many bits that takes.
    each: Vec<u8>,
    bits: u8,
    count: u64,
}

impl Sizes {
    /// Returns the bytes of so many samples.
    pub(super) fn of(&self, first: u64, samples: u64) -> u64 {
        if self.all > 0 {
            return u64::from(self.all).saturating_mul(samples);
        }
        let end = first.saturating_add(samples).min(self.count);
        let one = |sample: u64| {
            let at = |bytes: u64| usize::try_from(sample * bytes).unwrap_or(usize::MAX);
            match self.bits {
                4 => u64::from(self.each[at(1) / 2] >> (4 * (1 - sample % 2)) & 15),
                8 => u64::from(self.each[at(1)]),
                16 => u64::from(self.each[at(2)]) << 8 | u64::from(self.each[at(2) + 1]),
                _ => number(&self.each, at(4)).map_or(0, u64::from),
            }
        };
        (first..end).map(one).sum()
    }
}

/// Returns the rows of a table, which says how many it has.
fn rows(table: &[u8], width: usize) -> Result<impl Iterator<Item = &[u8]>, Cannot> {
    let count = number(table, 4).and_then(|count| usize::try_from(count).ok()).ok_or(NO_SENSE)?;
    let rows = count.checked_mul(width).and_then(|bytes| table.get(8..)?.get(..bytes)).ok_or(NO_SENSE)?;
    Ok(rows.chunks_exact(width))
}

/// Returns where the chunks of tracks lie, in the order of the file.
pub(super) fn chunks<R: Read + Seek>(source: &mut Source<R>, tracks: &[&Track]) -> Result<Vec<Range<u64>>, Cannot> {
    let tables = tracks.iter().flat_map(|track| &track.boxes);
    if tables.map(|(_, at, _)| at.end - at.start).sum::<u64>() > TABLES_BYTES_MAX {
        return Err(Cannot::Hold("its index is too large"));
    }
    let mut chunks = Vec::new();
    for track in tracks {
        track.chunks(source, &mut chunks)?;
    }
    chunks.sort_unstable_by_key(|chunk: &Range<u64>| chunk.start);
    Ok(chunks)
}

/// Returns which bytes tracks use, in the order of the file, none twice.
pub(super) fn used<R: Read + Seek>(source: &mut Source<R>, tracks: &[&Track]) -> Result<Vec<Range<u64>>, Cannot> {
    let mut used: Vec<Range<u64>> = Vec::new();
    for chunk in chunks(source, tracks)? {
        match used.last_mut() {
            Some(last) if last.end >= chunk.start => last.end = last.end.max(chunk.end),
            _ => used.push(chunk),
        }
    }
    Ok(used)
}
