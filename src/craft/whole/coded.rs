//! Finds what programs write into the coded pictures of H.264 and H.265 beside these: messages of users without a registered
//! meaning (ITU-T H.264, D.1.7; H.265, D.2.7), where encoders put their settings, cameras a place and a time, and whatever
//! else no decoder reads. It is blanked where it stands: every size stays.

use std::collections::BTreeSet;
use std::io::{Read, Seek};
use std::ops::Range;

use super::coded_kinds::{BEGINS_BYTES, Coding, Message, Unit};
use super::edit::Edit;
use super::strays::is_within;
use super::streams::{Track, chunks};
use super::{Cannot, CraftError, PARTS_MAX, Source};

/// The most bytes of all units of a film that change, of one that is looked into, and of what describes its pictures.
const CHANGED_BYTES_MAX: usize = 16 << 20;
const UNIT_BYTES_MAX: u64 = 16 << 20;
const DESCRIBED_BYTES_MAX: u64 = 64 << 10;
/// What a message of x264 begins with: the number behind it is how decoders know which of its old faults to expect.
const X264: [u8; 28] = *b"\xdc\x45\xe9\xbd\xe6\xd9\x48\xb7\x96\x2c\xd8\x20\xd9\x23\xee\xefx264 - core ";
/// What stands in place of a message. Smaller bytes stay: among them are those that keep the start of a unit from appearing.
const BLANK: u8 = b' ';
const FILLER: u8 = 0xff;
const SMALL_MAX: u8 = 3;
const TOO_MUCH: Cannot = Cannot::Hold("there is too much of it");
const NO_SENSE: Cannot = Cannot::Hold("its pictures are not coded as it says");

/// How the pictures of a track are cut into units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Units {
    coding: Coding,
    /// How many bytes say how long a unit is.
    length_bytes: usize,
}

/// What is known of the pictures of a film that are cut into units.
#[derive(Default)]
pub(super) struct Notes {
    /// Of each description of samples where its track begins, and how the pictures are cut, if they are.
    described: Vec<(Option<u64>, Option<Units>)>,
    /// Whether one of them makes no sense.
    is_unclear: bool,
    /// Whether something is blanked before all pictures, and what stays there.
    pub(super) is_before: bool,
    left: BTreeSet<&'static str>,
}

/// What is found among the pictures of a film.
#[derive(Default)]
pub(super) struct Blanking {
    /// How notes are blanked.
    pub(super) edits: Vec<Edit>,
    /// What stays though it may hold some, in a person's words.
    pub(super) left: BTreeSet<&'static str>,
}

impl Notes {
    /// Begins a description of samples of the track that begins here.
    pub(super) fn description(&mut self, track: Option<u64>) {
        self.described.push((track, None));
    }

    /// Returns how messages are blanked in a box of the present description: some programs put them before all pictures.
    pub(super) fn take<R: Read + Seek>(
        &mut self,
        source: &mut Source<R>,
        name: [u8; 4],
        content: &Range<u64>,
    ) -> Result<Vec<Edit>, CraftError> {
        let Some((_, units)) = self.described.last_mut().filter(|_| matches!(&name, b"avcC" | b"hvcC")) else {
            return Ok(Vec::new());
        };
        let bytes = source.up_to(content.start, DESCRIBED_BYTES_MAX.min(content.end - content.start))?;
        *units = units_of(name, &bytes);
        let found = if name == *b"hvcC" { in_description(&bytes, content.start) } else { Some(Blanking::default()) };
        self.is_unclear |= units.is_none() || found.is_none();
        let Blanking { edits, left } = found.unwrap_or_default();
        self.left.extend(left);
        self.is_before |= !edits.is_empty();
        Ok(edits)
    }

    /// Returns whether no pictures are cut into units.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_unclear && self.described.iter().all(|(_, units)| units.is_none())
    }

    /// Returns how the notes among the pictures of these tracks are blanked, in the order of the file. Nothing is that may
    /// be a picture: of a film that is not cut into units as it says, all stays.
    pub(super) fn find<R: Read + Seek>(
        &self,
        source: &mut Source<R>,
        tracks: &[Track],
        contents: &[Range<u64>],
    ) -> Result<Blanking, Cannot> {
        if self.is_unclear {
            return Err(NO_SENSE);
        }
        check_apart(source, tracks, contents)?;
        let blanking = Blanking { left: self.left.clone(), ..Blanking::default() };
        let mut found = Search { blanking, bytes: 0, parts: 0 };
        for track in tracks {
            let mut units =
                self.described.iter().filter(|(at, _)| *at == Some(track.at.start)).map(|(_, units)| *units);
            let Some(first) = units.next() else { continue };
            if units.any(|other| other != first) {
                return Err(Cannot::Hold("its pictures are coded in more than one way"));
            }
            if let Some(units) = first {
                found.of_track(source, track, units)?;
            }
        }
        found.blanking.edits.sort_by_key(|edit| edit.at.start);
        Ok(found.blanking)
    }
}

/// Returns how pictures are cut into units by a box that describes them (ISO/IEC 14496-15, 5.3.3 and 8.3.3).
fn units_of(name: [u8; 4], content: &[u8]) -> Option<Units> {
    let (coding, at) = if name == *b"avcC" { (Coding::H264, 4) } else { (Coding::H265, 21) };
    Some(Units { coding, length_bytes: usize::from(content.get(at)? & 3) + 1 })
}

/// Returns how notes are blanked in what describes pictures of H.265, which lies at a place of the file.
fn in_description(bytes: &[u8], place: u64) -> Option<Blanking> {
    let short = |at: usize| Some(usize::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?)));
    let (mut at, mut blanking) = (23, Blanking::default());
    for _ in 0..*bytes.get(22)? {
        let count = short(at + 1)?;
        at += 3;
        for _ in 0..count {
            let unit = at + 2..at + 2 + short(at)?;
            let content = bytes.get(unit.clone())?;
            let edit = blanked(Coding::H265, content, place + unit.start as u64, &mut blanking.left).ok()?;
            blanking.edits.extend(edit);
            at = unit.end;
        }
    }
    Some(blanking)
}

/// A search among the pictures of a film.
struct Search {
    blanking: Blanking,
    bytes: usize,
    parts: usize,
}

impl Search {
    fn of_track<R: Read + Seek>(&mut self, source: &mut Source<R>, track: &Track, units: Units) -> Result<(), Cannot> {
        let (sizes, chunks) = track.layout(source)?;
        let mut sample = 0;
        for (mut at, samples) in chunks {
            for _ in 0..samples {
                let end = at + sizes.of(sample, 1);
                self.count(0)?;
                while at < end {
                    at = self.unit(source, at..end, units)?;
                }
                sample += 1;
            }
        }
        Ok(())
    }

    /// Takes the unit with which a part of a picture begins, and returns where it ends.
    fn unit<R: Read + Seek>(
        &mut self,
        source: &mut Source<R>,
        Range { start, end }: Range<u64>,
        Units { coding, length_bytes }: Units,
    ) -> Result<u64, Cannot> {
        let head = source.up_to(start, (length_bytes as u64 + 1).min(end - start))?;
        let (length, first) = head.split_at_checked(length_bytes).ok_or(NO_SENSE)?;
        let length = length.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let start = start + length_bytes as u64;
        if length > end - start {
            return Err(NO_SENSE);
        }
        let end = start + length;
        match first.first().filter(|_| length > 0).map_or(Unit::Picture, |first| coding.unit(*first)) {
            Unit::Picture => self.count(0)?,
            Unit::Other(what) => {
                self.blanking.left.insert(what);
                self.count(0)?;
            }
            Unit::Messages | Unit::Filler | Unit::Unused if length > UNIT_BYTES_MAX => return Err(TOO_MUCH),
            Unit::Messages | Unit::Filler | Unit::Unused => {
                let unit = source.up_to(start, length)?;
                let edit = blanked(coding, &unit, start, &mut self.blanking.left)?;
                self.count(edit.as_ref().map_or(0, |_| unit.len()))?;
                self.blanking.edits.extend(edit);
            }
        }
        Ok(end)
    }

    /// Counts one more part of a film, and so many bytes that change: all of these are in memory.
    fn count(&mut self, bytes: usize) -> Result<(), Cannot> {
        self.parts += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        let is_too_much = self.parts > PARTS_MAX || self.bytes > CHANGED_BYTES_MAX;
        if is_too_much { Err(TOO_MUCH) } else { Ok(()) }
    }
}

/// Checks that no byte belongs to two samples, and each to the content: what is a message of one may be a picture of another.
fn check_apart<R: Read + Seek>(
    source: &mut Source<R>,
    tracks: &[Track],
    contents: &[Range<u64>],
) -> Result<(), Cannot> {
    let chunks = chunks(source, &tracks.iter().collect::<Vec<_>>())?;
    if chunks.windows(2).any(|two| two[0].end > two[1].start) {
        return Err(Cannot::Hold("its samples share bytes"));
    }
    let is_inside = chunks.iter().all(|chunk| is_within(contents, chunk));
    if is_inside { Ok(()) } else { Err(Cannot::Hold("its index names content elsewhere")) }
}

/// Returns how what no decoder reads of a unit is blanked that lies at a place of the file, if it says something, and notes
/// what stays though it may say something.
fn blanked(coding: Coding, unit: &[u8], at: u64, left: &mut BTreeSet<&'static str>) -> Result<Option<Edit>, Cannot> {
    let Some(first) = unit.first() else { return Ok(None) };
    let content = coding.head_bytes().min(unit.len())..unit.len();
    let mut after = unit.to_vec();
    match coding.unit(*first) {
        Unit::Picture => return Ok(None),
        Unit::Other(what) => {
            left.insert(what);
        }
        Unit::Unused => fill(&mut after, content, BLANK),
        Unit::Filler => {
            // Behind it stands a bit, and maybe zeros.
            let end = unit.iter().rposition(|byte| *byte > SMALL_MAX).filter(|last| unit[*last] == 0x80);
            fill(&mut after, content.start..end.unwrap_or(unit.len()).max(content.start), FILLER);
        }
        Unit::Messages => blank_messages(coding, unit, &mut after, left)?,
    }
    Ok((after != unit).then(|| Edit::blank(at..at + unit.len() as u64, &after)))
}

fn fill(unit: &mut [u8], places: impl IntoIterator<Item = usize>, with: u8) {
    for place in places {
        if unit[place] > SMALL_MAX {
            unit[place] = with;
        }
    }
}

/// Blanks the messages of a unit that no decoder reads. Messages that cannot be told apart make no sense.
fn blank_messages(
    coding: Coding,
    unit: &[u8],
    after: &mut [u8],
    left: &mut BTreeSet<&'static str>,
) -> Result<(), Cannot> {
    let start = coding.head_bytes();
    // A 3 behind two zeros belongs to no message (H.264, 7.4.1).
    let is_guard = |n: usize| n > start + 1 && unit[n - 2..=n] == [0, 0, 3];
    let places: Vec<usize> = (start..unit.len()).filter(|n| !is_guard(*n)).collect();
    let mut next = 0;
    // Behind the last message stands a bit, and zeros up to the end.
    let is_end = |next: usize| {
        let rest = places[next..].iter().map(|n| unit[*n]);
        rest.clone().next().is_none_or(|byte| byte == 0x80) && rest.skip(1).all(|byte| byte == 0)
    };
    while !is_end(next) {
        let mut number = || {
            let mut sum = 0;
            loop {
                let byte = unit[*places.get(next)?];
                next += 1;
                sum += usize::from(byte);
                if byte < 0xff {
                    return Some(sum);
                }
            }
        };
        let (kind, size) = number().zip(number()).ok_or(NO_SENSE)?;
        let message = places.get(next..).and_then(|rest| rest.get(..size)).ok_or(NO_SENSE)?;
        next += size;
        let bytes = message.iter().map(|n| unit[*n]);
        let begins: Vec<u8> = bytes.clone().take(BEGINS_BYTES).collect();
        match coding.message(kind, &begins) {
            Message::Needed => (),
            Message::Other(what) => {
                left.insert(what);
            }
            Message::Note => fill(after, message[kept(bytes)..].iter().copied(), BLANK),
            Message::Filler => fill(after, message.iter().copied(), FILLER),
        }
    }
    Ok(())
}

/// Returns how many bytes of a message stay.
fn kept(mut message: impl Iterator<Item = u8>) -> usize {
    let is_x264 = message.by_ref().take(X264.len()).eq(X264);
    if is_x264 { X264.len() + message.take_while(u8::is_ascii_digit).count() } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use proptest::prelude::*;

    use super::super::boxes::part;
    use super::super::edit::edited;
    use super::super::private::private;
    use super::*;
    use crate::craft::Private;
    use crate::model::Kind;

    const NOTE: &[u8] = b"a prompt of some length at 47.3 north";

    fn message(kind: u8, content: &[u8]) -> Vec<u8> {
        [&[kind, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// Returns a unit of messages, guarded as its specification says.
    fn unit(head: &[u8], messages: &[Vec<u8>]) -> Vec<u8> {
        let mut unit = head.to_vec();
        for byte in messages.concat().into_iter().chain([0x80]) {
            if byte <= 3 && unit.len() >= head.len() + 2 && unit.ends_with(&[0, 0]) {
                unit.push(3);
            }
            unit.push(byte);
        }
        unit
    }

    fn made(coding: Coding, unit: &[u8]) -> Option<Vec<u8>> {
        let edit = blanked(coding, unit, 7, &mut BTreeSet::new()).ok()?;
        Some(edit.map_or_else(|| unit.to_vec(), |edit| edit.bytes))
    }

    const H264: &[u8] = &[6];
    const H265: &[u8] = &[39 << 1, 1];

    #[test]
    fn messages_without_a_registered_meaning_are_blanked() {
        let note = || message(5, NOTE);
        let blank = || message(5, &[b' '; NOTE.len()]);
        let captions = || message(4, b"\xb5\0\x31GA94 words of a person that are heard");
        let x264 = |rest: &[u8]| message(5, &[&X264, &b"164 "[..], rest].concat());
        let zeros = |byte: u8| message(5, &[&[9; 16][..], b"\0\0\0\0\0\x01\0\0\0", &[byte; 4], b"\0\0\x03\0"].concat());
        let blank_zeros = || message(5, &[&[b' '; 16][..], b"\0\0\0\0\0\x01\0\0\0", b"    ", b"\0\0\x03\0"].concat());
        let long = |byte: u8| [&[5, 0xff, 45][..], &[byte; 300]].concat();
        let rows: [(&str, Vec<Vec<u8>>, Vec<Vec<u8>>); 7] = [
            ("a note", vec![note()], vec![blank()]),
            (
                "among others",
                vec![captions(), note(), message(1, &[0, 9])],
                vec![captions(), blank(), message(1, &[0, 9])],
            ),
            ("two", vec![note(), note()], vec![blank(), blank()]),
            ("registered", vec![captions()], vec![captions()]),
            (
                "of x264",
                vec![x264(b"r31 - options: a=1")],
                vec![message(5, &[&X264, &b"164"[..], &[b' '; 19]].concat())],
            ),
            ("with guards", vec![zeros(7), note()], vec![blank_zeros(), blank()]),
            ("a long one", vec![long(9)], vec![long(b' ')]),
        ];
        for (coding, head) in [(Coding::H264, H264), (Coding::H265, H265), (Coding::H265, &[40 << 1, 1])] {
            for (what, before, after) in &rows {
                let (before, after) = (unit(head, before), unit(head, after));
                assert_eq!(made(coding, &before).as_ref(), Some(&after), "{what}");
                let padded = |unit: &[u8]| [unit, &[0, 0, 3, 0, 0, 3]].concat();
                assert_eq!(made(coding, &padded(&before)), Some(padded(&after)), "{what}, padded");
            }
            // More than there is, and no end of a number.
            for torn in [&[5, 60, b'x', 0x80][..], &[5], &[0xff; 9]] {
                assert_eq!(made(coding, &[head, torn].concat()), None);
            }
        }
        // These are pictures.
        for (coding, first) in [(Coding::H264, 0x65), (Coding::H264, 0x41), (Coding::H265, 38), (Coding::H265, 41 << 1)]
        {
            let picture = [&[first, 1], &note()[..]].concat();
            assert_eq!(made(coding, &picture), Some(picture));
        }
    }

    /// Texts in them went to markets, while the log said that the film goes without what programs wrote there.
    #[test]
    fn what_no_decoder_reads_is_blanked_and_what_else_may_hold_a_text_is_told() {
        use Coding::{H264 as Older, H265 as Newer};
        const LAYERS: &str = "messages about layers or views";
        const KNOWN: &str = "captions or HDR data";
        const OTHERS: &str = "units of Dolby Vision or of a kind that stockmill does not know";
        let plain = |coding, number: u8, content: &[u8]| match coding {
            Older => [&[number][..], content].concat(),
            Newer => [&[number << 1, 1][..], content].concat(),
        };
        let told = |kind: u8, begin: &[u8], byte: Option<u8>| {
            message(kind, &byte.map_or_else(|| [begin, NOTE].concat(), |byte| vec![byte; begin.len() + NOTE.len()]))
        };
        // The coding, the units of a number, what of their content changes, and what is told to stay.
        let units: [(Coding, &[u8], Option<u8>, Option<&str>); 8] = [
            (Older, &[12], Some(0xff), None),
            (Newer, &[38], Some(0xff), None),
            (Older, &[0, 24, 25, 27, 29], Some(b' '), None),
            (Newer, &[50, 57, 61], Some(b' '), None),
            (Older, &[17, 22, 28, 30, 31], None, Some(OTHERS)),
            (Newer, &[10, 22, 41, 47, 48, 62, 63], None, Some(OTHERS)),
            (Older, &[1, 5, 7, 8, 9, 19, 20], None, None),
            (Newer, &[0, 1, 19, 21, 32, 35], None, None),
        ];
        // The coding, the message's type and first bytes, what it becomes, and what is told to stay.
        let messages: [(Coding, u8, &[u8], Option<u8>, Option<&str>); 12] = [
            (Older, 3, b"", Some(0xff), None),
            (Newer, 3, b"", Some(0xff), None),
            (Older, 200, b"", Some(b' '), None),
            (Newer, 200, b"", Some(b' '), None),
            (Older, 4, b"\xb5\x30\x3c", Some(b' '), None),
            (Newer, 4, b"\x26\x04\x04", Some(b' '), None),
            (Newer, 4, b"\xb5\0\x3c\0\x01\x04", None, Some(KNOWN)),
            (Older, 4, b"\xb5\0\x31GA94", None, Some(KNOWN)),
            (Older, 37, b"", None, Some(LAYERS)),
            (Newer, 133, b"", None, Some(LAYERS)),
            (Older, 133, b"", Some(b' '), None),
            (Newer, 137, b"", None, None),
        ];
        let units = units.into_iter().flat_map(|(coding, numbers, byte, left)| {
            let unit = move |number: &u8| {
                let after = byte.map_or_else(|| NOTE.to_vec(), |byte| vec![byte; NOTE.len()]);
                (coding, plain(coding, *number, NOTE), plain(coding, *number, &after), left)
            };
            numbers.iter().map(unit)
        });
        let messages = messages.into_iter().map(|(coding, kind, begin, byte, left)| {
            let head = if coding == Older { H264 } else { H265 };
            let note = |byte| unit(head, &[told(kind, begin, byte)]);
            (coding, note(None), note(byte), left)
        });
        for (coding, before, after, left) in units.chain(messages) {
            let mut found = BTreeSet::new();
            let Ok(edit) = blanked(coding, &before, 0, &mut found) else { panic!("{:?}", before.escape_ascii()) };
            let made = edit.map_or_else(|| before.clone(), |edit| edit.bytes);
            assert_eq!((made, found.into_iter().next()), (after, left), "{coding:?} {:?}", before.escape_ascii());
        }
        let filler = [12, 0xff, 0xff, 0x80, 0, 0];
        assert_eq!(made(Older, &filler).unwrap(), filler);
    }

    /// Returns a film of units, each in a sample of its own, with so many bytes for the length of one.
    fn film(name: [u8; 4], length_bytes: u8, units: &[Vec<u8>], before: &[u8]) -> Vec<u8> {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
        let samples: Vec<Vec<u8>> = units
            .iter()
            .map(|unit| [&length(unit).to_be_bytes()[4 - usize::from(length_bytes)..], unit].concat())
            .collect();
        let head = vec![0xfc | (length_bytes - 1); if name == *b"avcC" { 5 } else { 22 }];
        let described = part(*b"avc1", &[&[0; 78], &part(name, &[&head, before].concat())[..]].concat());
        let sizes: Vec<u32> = samples.iter().map(|sample| length(sample)).collect();
        let table = [
            part(*b"stsd", &[&words(&[0, 1]), &described[..]].concat()),
            part(*b"stts", &words(&[0, 1, u32::try_from(samples.len()).unwrap(), 40])),
            part(*b"stsc", &words(&[0, 1, 1, u32::try_from(samples.len()).unwrap(), 1])),
            part(*b"stsz", &[words(&[0, 0, u32::try_from(samples.len()).unwrap()]), words(&sizes)].concat()),
            part(*b"stco", &words(&[0, 1, 24])),
        ];
        let handler = part(*b"hdlr", b"\0\0\0\0\0\0\0\0vide\0\0\0\0\0\0\0\0\0\0\0\0");
        let media = part(*b"mdia", &[handler, part(*b"minf", &part(*b"stbl", &table.concat()))].concat());
        let track = part(*b"trak", &[part(*b"tkhd", &words(&[0, 0, 0, 1, 0])), media].concat());
        let index = part(*b"moov", &[part(*b"mvhd", &[0; 100]), track].concat());
        [part(*b"ftyp", b"isom\0\0\0\0"), part(*b"mdat", &samples.concat()), index].concat()
    }

    fn found(film: &[u8]) -> Private {
        private(Cursor::new(film), film.len() as u64, Kind::Mp4).unwrap()
    }

    fn without_notes(film: &[u8]) -> Vec<u8> {
        let mut made = Vec::new();
        edited(film, film.len() as u64, found(film).edits).unwrap().read_to_end(&mut made).unwrap();
        made
    }

    /// The settings of its encoder went to markets in each film of x264, and the place of a camera in others.
    #[test]
    fn a_film_is_bundled_without_the_notes_among_its_pictures() {
        let picture = [&[0x65][..], NOTE, &[0x80]].concat();
        let other = [&[19 << 1, 1][..], NOTE, &[0x80]].concat();
        let array = |unit: &[u8]| [&[1, 39, 0, 1, 0, u8::try_from(unit.len()).unwrap()][..], unit].concat();
        for length_bytes in [1, 2, 4] {
            for (name, head, picture) in [(*b"avcC", H264, &picture), (*b"hvcC", H265, &other)] {
                let films = [NOTE, &[b' '; NOTE.len()]].map(|note| {
                    let note = unit(head, &[message(5, note)]);
                    let before = if name == *b"hvcC" { array(&note) } else { Vec::new() };
                    film(name, length_bytes, &[note.clone(), picture.clone(), note], &before)
                });
                let [told, blank] = films;
                assert_eq!(without_notes(&told), blank, "{} {length_bytes}", name.escape_ascii());
                let (told, blank) = (found(&told), found(&blank));
                assert_eq!(told.told, ["it goes to markets without what programs wrote into its coded pictures"]);
                assert!(told.is_in_content && blank == Private::default());
            }
        }
        let captions = unit(H264, &[message(4, b"\xb5\0\x31GA94 words"), message(5, NOTE)]);
        let told = found(&film(*b"avcC", 4, &[captions, picture.clone()], &[])).told;
        let only =
            "of what programs wrote into its coded pictures only this goes along, as it is: captions or HDR data";
        assert_eq!(told, [only]);
        // What is not cut as it says stays, and so does all of a film of which a part is that.
        let note = unit(H264, &[message(5, NOTE)]);
        for (units, why) in [
            (vec![note.clone(), [&[6, 5, 90][..], NOTE, &[0x80]].concat()], "its pictures are not coded as it says"),
            (vec![note.clone(), picture.clone()], "its samples share bytes"),
            (vec![note.clone(), picture.clone()], "its index names content elsewhere"),
        ] {
            let mut film = film(*b"avcC", 4, &units, &[]);
            let at = film.windows(4).position(|window| window == b"stco").unwrap() + 12;
            match why {
                "its samples share bytes" => {
                    let track = film.windows(4).position(|window| window == b"trak").unwrap() - 4;
                    let again = film[track..].to_vec();
                    film.extend(&again);
                    let index = film.windows(4).position(|window| window == b"moov").unwrap() - 4;
                    let size = u32::try_from(film.len() - index).unwrap();
                    film[index..index + 4].copy_from_slice(&size.to_be_bytes());
                }
                "its index names content elsewhere" => film[at..at + 4].copy_from_slice(&[0, 0, 0, 25]),
                _ => (),
            }
            let Private { edits, told, .. } = found(&film);
            assert_eq!(edits, Vec::new(), "{why}");
            assert!(told.iter().any(|told| told.contains(why) && told.contains("coded pictures")), "{why}: {told:?}");
        }
    }

    proptest! {
        /// Whatever a unit holds: as many bytes, none blanked but those of a message, no start of a unit, and twice is once.
        #[test]
        fn any_unit_is_survived(bytes in proptest::collection::vec(prop_oneof![0..7_u8, any::<u8>()], 0..90), is_late in any::<bool>()) {
            let (coding, head) = if is_late { (Coding::H265, H265) } else { (Coding::H264, H264) };
            let unit = [head, &bytes].concat();
            if let Some(after) = made(coding, &unit) {
                prop_assert_eq!(after.len(), unit.len());
                for (at, (before, after)) in unit.iter().zip(&after).enumerate() {
                    let is_blanked = matches!(*after, BLANK | FILLER);
                    prop_assert!(before == after || (at >= head.len() + 2 && *before > SMALL_MAX && is_blanked));
                }
                prop_assert_eq!(made(coding, &after), Some(after));
            }
        }

        #[test]
        fn any_film_is_survived(units in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 1..6), is_late in any::<bool>(), at in 0..900_usize, byte in any::<u8>()) {
            let mut film = film(if is_late { *b"hvcC" } else { *b"avcC" }, 2, &units, b"\x01\x27\0\x01\0\x04\x4e\x01\x05\0");
            let at = at % film.len();
            film[at] = byte;
            if let Ok(found) = private(Cursor::new(&film), film.len() as u64, Kind::Mp4) {
                prop_assert!(super::super::edit::length_with(film.len() as u64, &found.edits).is_ok());
            }
        }
    }
}
