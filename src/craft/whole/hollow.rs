//! Finds zeros where the last pictures of a video should be, as in a file that got its full length before its content.

use std::collections::BTreeSet;
use std::io::{BufReader, Read, Seek};
use std::ops::Range;

use super::boxes::{self, INDEX_BYTES_MAX, find, inner, is_in_units, last_picture, measured, number};
use super::matroska::{CLUSTER, Element, SEGMENT};
use super::{CraftError, PARTS_MAX, Source};
use crate::model::Kind;

/// The most bytes of what describes the last fragment that are read.
const FRAGMENT_BYTES_MAX: u64 = 16 << 20;
/// The most bytes of the last picture that are read, and how many zeros at its end may be what a writer fills it up with.
const PICTURE_BYTES_MAX: u64 = 16 << 20;
const PADDING_BYTES_MAX: usize = 15;

/// Returns where a video has zeros in place of its last pictures, or of what follows them. Pictures that may be stored as
/// they are, and may be black, are not judged; within a picture the zeros are seen only of H.264 and H.265.
pub fn hollow<R: Read + Seek>(mut reader: R, length: u64, kind: Kind) -> Option<Range<usize>> {
    reader.rewind().ok()?;
    let mut source = Source { reader: BufReader::new(reader), at: 0, length };
    let zeros = match kind {
        Kind::Mp4 | Kind::Mov => of_boxes(&mut source),
        Kind::Webm | Kind::Mkv => of_matroska(&mut source),
        Kind::Avi => of_avi(&mut source),
        _ => Ok(None),
    };
    // Whoever checks the whole file says what is wrong with it.
    let zeros = zeros.ok().flatten()?;
    Some(usize::try_from(zeros.start).ok()?..usize::try_from(zeros.end).ok()?)
}

type Zeros = Result<Option<Range<u64>>, CraftError>;

/// Returns a range if it is there, and nothing but zeros.
fn zeros<R: Read + Seek>(source: &mut Source<R>, range: Range<u64>) -> Zeros {
    let is_there = range.start < range.end && range.end <= source.length;
    Ok((is_there && source.is_zeros(range.clone())?).then_some(range))
}

/// Returns the zeros at the end of a picture of H.264 or H.265: each of its units ends with a bit (H.264, 7.4.1; H.265,
/// 7.4.2.1).
fn zeros_at_end<R: Read + Seek>(source: &mut Source<R>, picture: Range<u64>) -> Zeros {
    if picture.end > source.length {
        return Ok(None);
    }
    let start = picture.start.max(picture.end.saturating_sub(PICTURE_BYTES_MAX));
    let bytes = source.up_to(start, picture.end - start)?;
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let is_hollow = zeros > PADDING_BYTES_MAX || (zeros > 0 && zeros == bytes.len());
    Ok(is_hollow.then(|| picture.end - zeros as u64..picture.end))
}

fn of_boxes<R: Read + Seek>(source: &mut Source<R>) -> Zeros {
    let (mut at, mut index, mut fragment) = (0, None, None);
    for _ in 0..PARTS_MAX {
        let left = source.length - at;
        let head = source.up_to(at, left.min(16))?;
        let Some((size, name)) = measured(&head, left).filter(|(size, _)| *size <= left) else { break };
        match &name {
            b"moov" => index = Some(at..at + size),
            b"moof" => fragment = Some(at..at + size),
            _ => (),
        }
        at += size;
    }
    let Some(index) = index.filter(|index| index.end - index.start <= INDEX_BYTES_MAX) else { return Ok(None) };
    let index = source.up_to(index.start, index.end - index.start)?;
    let index = find(&index, *b"moov").unwrap_or_default();
    let is_in_units = is_in_units(index);
    let last = match fragment {
        None => last_picture(index, is_in_units),
        // Nothing says how many fragments there should be.
        Some(_) if at < source.length => return zeros(source, at..source.length),
        Some(fragment) if fragment.end - fragment.start <= FRAGMENT_BYTES_MAX => {
            let bytes = source.up_to(fragment.start, fragment.end - fragment.start)?;
            let bytes = find(&bytes, *b"moof").unwrap_or_default();
            last_of_fragment(fragment.start, bytes, &picture_tracks(index), is_in_units)
        }
        Some(_) => None,
    };
    match last {
        Some(last) if is_in_units => zeros_at_end(source, last),
        Some(last) => zeros(source, last),
        None => Ok(None),
    }
}

/// Returns the numbers of the tracks of pictures.
fn picture_tracks(index: &[u8]) -> BTreeSet<u32> {
    let header = |track: &[u8]| {
        let header = find(track, *b"tkhd")?;
        number(header, if header.first() == Some(&1) { 20 } else { 12 })
    };
    boxes::picture_tracks(index).filter_map(header).collect()
}

/// Returns where the last sample of pictures of a fragment lies (ISO/IEC 14496-12, 8.8), if it says itself how large they
/// are, and they are compressed.
fn last_of_fragment(at: u64, fragment: &[u8], pictures: &BTreeSet<u32>, is_compressed: bool) -> Option<Range<u64>> {
    let parts = inner(fragment).filter(|(name, _)| name == b"traf");
    let parts: Vec<&[u8]> = parts.map(|(_, part)| part).collect();
    let last = |(n, part): (usize, &&[u8])| {
        let header = find(part, *b"tfhd")?;
        let flags = number(header, 0)?;
        let base = match flags {
            _ if flags & 1 > 0 => u64::from(number(header, 8)?) << 32 | u64::from(number(header, 12)?),
            // The others lie behind what was before.
            _ if flags & 0x2_0000 > 0 || n == 0 => at,
            _ => return None,
        };
        let is_of_pictures = pictures.contains(&number(header, 4)?);
        let runs = inner(part).filter(|(name, _)| is_of_pictures && name == b"trun");
        runs.filter_map(|(_, run)| last_of_run(base, run, is_compressed)).max_by_key(|last| last.end)
    };
    parts.iter().enumerate().filter_map(last).max_by_key(|last| last.end)
}

fn last_of_run(base: u64, run: &[u8], is_compressed: bool) -> Option<Range<u64>> {
    let flags = number(run, 0)?;
    let has = |flag: u32| usize::from(flags & flag > 0) * 4;
    if has(1) == 0 || has(0x200) == 0 {
        return None;
    }
    let start = base.checked_add_signed(i64::from(number(run, 8)?.cast_signed()))?;
    let row = has(0x100) + has(0x200) + has(0x400) + has(0x800);
    let rows = run.get(12 + has(4)..)?.chunks_exact(row).take(usize::try_from(number(run, 4)?).ok()?);
    let sizes: Vec<u32> = rows.filter_map(|row| number(row, has(0x100))).collect();
    let last = sizes.iter().rev().find(|size| **size > 0)?;
    if !is_compressed && sizes.iter().all(|other| other == last) {
        return None;
    }
    let end = start.checked_add(sizes.iter().map(|size| u64::from(*size)).sum())?;
    Some(end - u64::from(*last)..end)
}

/// A cluster that stands last has nothing behind it that would be missed.
fn of_matroska<R: Read + Seek>(source: &mut Source<R>) -> Zeros {
    let (mut at, mut cluster) = (0, None);
    for _ in 0..PARTS_MAX {
        let Some(element) = Element::read(source, at)? else { break };
        let is_entered = element.id == SEGMENT;
        let end = element.size.and_then(|size| element.content.checked_add(size));
        match end.filter(|end| *end <= source.length) {
            _ if is_entered => at = element.content,
            Some(end) => {
                if element.id == CLUSTER {
                    cluster = Some(element.content..end);
                }
                at = end;
            }
            None => break,
        }
    }
    let Some(Range { start: mut at, end }) = cluster else { return Ok(None) };
    for _ in 0..PARTS_MAX {
        if at >= end {
            break;
        }
        let next = Element::read(source, at)?.and_then(|element| element.content.checked_add(element.size?));
        let Some(next) = next else { return zeros(source, at..end) };
        at = next;
    }
    Ok(None)
}

/// Behind the index of an AVI there is nothing that would be missed.
fn of_avi<R: Read + Seek>(source: &mut Source<R>) -> Zeros {
    let (mut at, mut end) = (0, 0);
    for _ in 0..PARTS_MAX {
        let head = source.up_to(at, 12)?;
        let Some(size) = head.get(4..8) else { break };
        let size = u64::from(u32::from_le_bytes(size.try_into().expect("four bytes are four bytes")));
        match (&head[..4], head.get(8..)) {
            (b"RIFF", _) if at >= end => {
                end = at + 8 + size;
                at += 12;
            }
            _ if at >= end => break,
            // What is in it is walked as if it were beside it.
            (b"LIST", Some(b"movi")) => at += 12,
            (b"idx1", _) => at = end + end % 2,
            ([0, 0, 0, 0], _) => return zeros(source, at..end),
            _ => at += 8 + size + size % 2,
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::boxes::part;
    use super::*;

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    fn track(sizes: &[u32], place: u32, described: &[u8]) -> Vec<u8> {
        let is_same = sizes.iter().all(|size| *size == sizes[0]);
        let (same, each) = if is_same { (sizes[0], &[][..]) } else { (0, sizes) };
        let count = u32::try_from(sizes.len()).unwrap();
        let table = [
            part(*b"stsd", &[&numbers(&[0, 1]), described].concat()),
            part(*b"stsc", &numbers(&[0, 1, 1, count, 1])),
            part(*b"stsz", &numbers(&[&[0, same, count], each].concat())),
            part(*b"stco", &numbers(&[0, 1, place])),
        ];
        let handler = part(*b"hdlr", &[&[0; 8], &b"vide"[..], &[0; 12]].concat());
        let media = [handler, part(*b"minf", &part(*b"stbl", &table.concat()))].concat();
        part(*b"trak", &[part(*b"tkhd", &numbers(&[0, 0, 0, 1])), part(*b"mdia", &media)].concat())
    }

    fn index(sizes: &[u32], place: u32) -> Vec<u8> {
        part(*b"moov", &track(sizes, place, &[]))
    }

    /// Returns a film of H.264 whose index stands before 100 bytes of content, and where these begin.
    fn in_units(sizes: &[u32]) -> (Vec<u8>, usize) {
        let described = part(*b"avc1", &[&[0; 78], &part(*b"avcC", &[1; 7])[..]].concat());
        let index = |place: usize| part(*b"moov", &track(sizes, u32::try_from(place).unwrap(), &described));
        let at = index(0).len() + 8;
        ([index(at), part(*b"mdat", &[7; 100])].concat(), at)
    }

    /// Returns a film whose index stands before 100 bytes of content, and where these begin.
    fn early(sizes: &[u32]) -> (Vec<u8>, usize) {
        let at = index(sizes, 0).len() + 8;
        let index = index(sizes, u32::try_from(at).unwrap());
        ([index, part(*b"mdat", &[7; 100])].concat(), at)
    }

    /// Returns two fragments of 100 bytes of content each, and where the last one begins.
    fn fragments(sizes: &[u32], flags: u32) -> (Vec<u8>, usize) {
        let count = u32::try_from(sizes.len()).unwrap();
        let run = |place: u32| part(*b"trun", &numbers(&[&[flags, count, place], sizes].concat()));
        let fragment = |place: u32| {
            let header = part(*b"tfhd", &numbers(&[0x2_0000, 1]));
            part(*b"moof", &part(*b"traf", &[header, run(place)].concat()))
        };
        let fragment = fragment(u32::try_from(fragment(0).len() + 8).unwrap());
        let one = [fragment, part(*b"mdat", &[7; 100])].concat();
        let film = [index(&[1, 2], 0), one.clone(), one].concat();
        let at = film.len() - 100;
        (film, at)
    }

    fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
        [id, &(u64::try_from(content.len()).unwrap() | 1 << 56).to_be_bytes(), content].concat()
    }

    fn chunk(name: [u8; 4], content: &[u8]) -> Vec<u8> {
        [&name[..], &u32::try_from(content.len()).unwrap().to_le_bytes(), content].concat()
    }

    fn avi(index: &[u8]) -> (Vec<u8>, usize) {
        let frames = chunk(*b"00dc", &[7; 50]).repeat(2);
        let header = chunk(*b"LIST", b"hdrl");
        let movi = chunk(*b"LIST", &[b"movi", &frames[..]].concat());
        (chunk(*b"RIFF", &[b"AVI ", &[header, movi, index.to_vec()].concat()[..]].concat()), 36)
    }

    /// Films that a program copied into a file of their full length, and not to the end, were bundled.
    #[test]
    fn zeros_in_place_of_the_last_pictures_are_seen() {
        let head = element(b"\x1a\x45\xdf\xa3", &[]);
        let block = element(b"\xa3", &[7; 50]);
        let cluster = element(b"\x1f\x43\xb6\x75", &block.repeat(2));
        let matroska = [head, element(b"\x18\x53\x80\x67", &cluster)].concat();
        let blocks = matroska.len() - 2 * block.len();
        // Each film, the place of its content, from where in that on there are zeros, and where they are seen.
        type Row = (&'static str, Kind, (Vec<u8>, usize), usize, Option<Range<usize>>);
        let rows: [Row; 22] = [
            ("half of its content", Kind::Mp4, early(&[60, 30, 10]), 50, Some(90..100)),
            ("its last sample is empty", Kind::Mov, early(&[60, 40, 0]), 50, Some(60..100)),
            ("a part of its last sample", Kind::Mp4, early(&[60, 40]), 61, None),
            ("nothing", Kind::Mp4, early(&[60, 40]), 100, None),
            ("behind its pictures", Kind::Mp4, early(&[60, 20]), 80, None),
            // Not compressed, or so it may be.
            ("black", Kind::Mov, early(&[50, 50]), 50, None),
            ("one frame", Kind::Mov, early(&[100]), 0, None),
            ("a part of a unit", Kind::Mp4, in_units(&[20, 80]), 60, Some(60..100)),
            ("all of a small one", Kind::Mp4, in_units(&[95, 5]), 95, Some(95..100)),
            ("units of one size", Kind::Mov, in_units(&[50, 50]), 70, Some(70..100)),
            ("one unit", Kind::Mov, in_units(&[100]), 1, Some(1..100)),
            ("filled up", Kind::Mov, in_units(&[50, 50]), 85, None),
            ("behind its units", Kind::Mp4, in_units(&[20, 30]), 50, None),
            ("half of a fragment", Kind::Mp4, fragments(&[60, 30, 10], 0x201), 50, Some(90..100)),
            ("a part of its last one", Kind::Mp4, fragments(&[60, 40], 0x201), 61, None),
            ("it does not say where they are", Kind::Mp4, fragments(&[60, 40], 0x200), 50, None),
            ("a fragment of one sample", Kind::Mp4, fragments(&[100], 0x201), 50, None),
            ("the next block", Kind::Webm, (matroska.clone(), blocks), block.len(), Some(block.len()..2 * block.len())),
            ("a part of a block", Kind::Mkv, (matroska, blocks), block.len() + 20, None),
            ("the next chunk", Kind::Avi, avi(b""), 58, Some(58..116)),
            ("the index, too", Kind::Avi, avi(&chunk(*b"idx1", &[7; 32])), 30, Some(58..156)),
            ("a part of the last chunk", Kind::Avi, avi(&chunk(*b"idx1", &[7; 32])), 156, None),
        ];
        for (name, kind, (mut film, at), from, expected) in rows {
            let find = |film: &[u8]| hollow(Cursor::new(film), film.len() as u64, kind);
            assert_eq!(find(&film), None, "{name}");
            film[at + from..].fill(0);
            let expected = expected.map(|zeros| zeros.start + at..zeros.end + at);
            assert_eq!(find(&film), expected, "{name}");
        }
        let more = |film: (Vec<u8>, usize)| [&film.0[..], &[0; 900]].concat();
        let find = |film: &[u8], kind| hollow(Cursor::new(film), film.len() as u64, kind);
        assert_eq!(find(&more(early(&[60, 40])), Kind::Mp4), None, "what stands behind a whole film is no matter");
        assert_eq!(find(&more(avi(b"")), Kind::Avi), None, "what stands behind a whole film is no matter");
        let (film, at) = fragments(&[60, 40], 0x201);
        let zeros = find(&more((film, at)), Kind::Mp4);
        assert_eq!(zeros, Some(at + 100..at + 1000), "of fragments there may be more");
    }
}
