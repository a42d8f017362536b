//! Measures a video without decoding it. Of a file that does not say something, or says it in a way that is not known
//! here, that stays unknown.

use std::io::{BufReader, Read, Seek};

use super::boxes::{INDEX_BYTES_MAX, find, handler, inner, measured, number, picture_tracks};
use super::matroska::{self, Element};
use super::{PARTS_MAX, Source};
use crate::model::{Codec, Kind, Size, Video};

/// The most bytes of a Matroska or AVI file's description of its tracks that are read.
const TRACKS_BYTES_MAX: u64 = 16 << 20;

/// Measures a video of `length` bytes.
pub fn measure<R: Read + Seek>(mut reader: R, length: u64, kind: Kind) -> Video {
    if reader.rewind().is_err() {
        return Video::default();
    }
    let mut source = Source { reader: BufReader::new(reader), at: 0, length };
    let video = match kind {
        Kind::Mp4 | Kind::Mov => of_boxes(&mut source),
        Kind::Webm | Kind::Mkv => of_matroska(&mut source),
        Kind::Avi => of_avi(&mut source),
        _ => None,
    };
    video.unwrap_or_default()
}

/// Returns whether a video has pictures that a player shows; `None` if it does not list its tracks in a way that is known
/// here.
pub(super) fn has_pictures<R: Read + Seek>(source: &mut Source<R>, kind: Kind) -> Option<bool> {
    match kind {
        Kind::Mp4 | Kind::Mov => {
            let index = index(source)?;
            let tracks = inner(&index).filter(|(name, _)| name == b"trak");
            let handlers: Option<Vec<&[u8]>> = tracks.map(|(_, track)| handler(track)).collect();
            handlers.filter(|all| !all.is_empty()).map(|all| all.contains(&&b"vide"[..]))
        }
        Kind::Webm | Kind::Mkv => {
            let (_, tracks) = descriptions(source)?;
            let types: Option<Vec<u64>> = entries(&tracks).map(|entry| whole(entry, TRACK_TYPE)).collect();
            // A track may also be of both pictures and sound.
            types.filter(|types| !types.is_empty()).map(|types| types.iter().any(|kind| matches!(kind, 1 | 3)))
        }
        Kind::Avi => {
            let header = header(source)?;
            let types: Option<Vec<[u8; 4]>> =
                streams(&header).map(|stream| chunk(stream, *b"strh")?.get(..4)?.try_into().ok()).collect();
            let is_shown = |kind: &[u8; 4]| matches!(kind, b"vids" | b"iavs");
            types.filter(|types| !types.is_empty()).map(|types| types.iter().any(is_shown))
        }
        _ => None,
    }
}

/// Returns a number that is finite and more than zero, to the thousandth.
fn sensible(number: f64) -> Option<f64> {
    let rounded = (number * 1000.0).round() / 1000.0;
    (rounded.is_finite() && rounded > 0.0).then_some(rounded)
}

/// Returns a size that has pixels.
fn pixels(width: u32, height: u32) -> Option<Size> {
    (width > 0 && height > 0).then_some(Size { width, height })
}

#[expect(clippy::cast_precision_loss, reason = "the result is rounded to the thousandth")]
fn ratio(dividend: u64, divisor: u64) -> Option<f64> {
    sensible(dividend as f64 / divisor as f64)
}

/// Returns a part of a file that is all there and not too large: half of it would say that a track is not there.
fn in_memory<R: Read + Seek>(source: &mut Source<R>, at: u64, size: u64, bytes_max: u64) -> Option<Vec<u8>> {
    let is_there = size <= bytes_max && at.checked_add(size)? <= source.length;
    is_there.then(|| source.up_to(at, size).ok()).flatten()
}

/// Returns the index of an MP4 or MOV, as far as it is read.
fn index<R: Read + Seek>(source: &mut Source<R>) -> Option<Vec<u8>> {
    let mut at = 0;
    for _ in 0..PARTS_MAX {
        let left = source.length.checked_sub(at).filter(|left| *left > 0)?;
        let head = source.up_to(at, left.min(16)).ok()?;
        let (size, name) = measured(&head, left).filter(|(size, _)| *size <= left)?;
        if name == *b"moov" {
            let skipped = if head[..4] == [0, 0, 0, 1] { 16 } else { 8 };
            return in_memory(source, at + skipped, size.checked_sub(skipped)?, INDEX_BYTES_MAX);
        }
        at += size;
    }
    None
}

fn of_boxes<R: Read + Seek>(source: &mut Source<R>) -> Option<Video> {
    let index = index(source)?;
    let tracks: Vec<&[u8]> = inner(&index).filter(|(name, _)| name == b"trak").map(|(_, track)| track).collect();
    let handlers: Option<Vec<&[u8]>> = tracks.iter().map(|track| handler(track)).collect();
    let sound = handlers.map(|all| all.contains(&&b"soun"[..]));
    let film = picture_tracks(&index).next()?;
    let media = find(film, *b"mdia")?;
    let table = find(media, *b"minf").and_then(|minf| find(minf, *b"stbl")).unwrap_or_default();
    // The first description of frames; its head says how long it is, and by what they are compressed.
    let entry = find(table, *b"stsd").and_then(|all| all.get(8..)).and_then(|all| inner(all).next());
    let short = |bytes: &[u8], at: usize| Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let size = entry.and_then(|(_, entry)| pixels(short(entry, 24)?, short(entry, 26)?));
    let rate = find(media, *b"mdhd").and_then(|header| {
        let (ticks_per_second, _) = clock(header)?;
        let (frames, ticks) = frames(find(table, *b"stts")?)?;
        ratio(frames.checked_mul(ticks_per_second)?, ticks)
    });
    let whole = find(&index, *b"mvhd").and_then(clock);
    // What is written in fragments says its length elsewhere, or not at all.
    let ticks = whole.and_then(|(_, ticks)| ticks).or_else(|| {
        let header = find(find(&index, *b"mvex")?, *b"mehd")?;
        if header.first() == Some(&1) { long(header, 4) } else { number(header, 4).map(u64::from) }
    });
    Some(Video {
        size,
        seconds: whole.and_then(|(per_second, _)| ratio(ticks?, per_second)),
        frames_per_second: rate,
        codec: entry.map(|(tag, _)| Codec::tagged(&tag)),
        sound,
    })
}

/// Returns how many ticks a header's clock has in a second, and for how many it runs, if it says that.
fn clock(header: &[u8]) -> Option<(u64, Option<u64>)> {
    let (per_second, ticks) = match header.first()? {
        0 => (number(header, 12)?, u64::from(number(header, 16)?)),
        1 => (number(header, 20)?, long(header, 24)?),
        _ => return None,
    };
    let is_said = ticks > 0 && ticks != u64::from(u32::MAX) && ticks != u64::MAX;
    (per_second > 0).then_some((u64::from(per_second), is_said.then_some(ticks)))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// Returns how many frames a table of times has, and how many ticks they take.
fn frames(table: &[u8]) -> Option<(u64, u64)> {
    let count = usize::try_from(number(table, 4)?).ok()?;
    let runs = table.get(8..8_usize.checked_add(count.checked_mul(8)?)?)?;
    runs.chunks_exact(8).try_fold((0_u64, 0_u64), |(frames, ticks), run| {
        let (more, each) = (u64::from(number(run, 0)?), u64::from(number(run, 4)?));
        Some((frames.checked_add(more)?, ticks.checked_add(more.checked_mul(each)?)?))
    })
}

/// Elements of Matroska (RFC 9559).
const SEGMENT: u64 = 0x1853_8067;
const INFO: u64 = 0x1549_A966;
const TRACKS: u64 = 0x1654_AE6B;
const CLUSTER: u64 = 0x1F43_B675;
const TRACK_ENTRY: u64 = 0xAE;
const TRACK_TYPE: u64 = 0x83;

/// Returns the description of a Matroska file and that of its tracks, each empty where there is none.
fn descriptions<R: Read + Seek>(source: &mut Source<R>) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut at, mut info, mut tracks) = (0, None, None);
    for _ in 0..PARTS_MAX {
        if at >= source.length || (info.is_some() && tracks.is_some()) {
            break;
        }
        let Some(element) = Element::read(source, at).ok()? else { break };
        let content = |source: &mut Source<R>| in_memory(source, element.content, element.size?, TRACKS_BYTES_MAX);
        match element.id {
            INFO => info = content(source),
            TRACKS => tracks = content(source),
            _ => (),
        }
        // The segment is entered, and so is a cluster whose end nobody says.
        let is_entered = element.id == SEGMENT || (element.id == CLUSTER && element.size.is_none());
        at = if is_entered { element.content } else { element.content.checked_add(element.size?)? };
    }
    Some((info.unwrap_or_default(), tracks.unwrap_or_default()))
}

/// Returns the content of the first element of a kind.
fn value(bytes: &[u8], id: u64) -> Option<&[u8]> {
    matroska::inner(bytes).find(|(found, _)| *found == id).map(|(_, value)| value)
}

fn whole(bytes: &[u8], id: u64) -> Option<u64> {
    Some(value(bytes, id)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// Returns the descriptions of tracks.
fn entries(tracks: &[u8]) -> impl Iterator<Item = &[u8]> {
    matroska::inner(tracks).filter(|(id, _)| *id == TRACK_ENTRY).map(|(_, entry)| entry)
}

fn of_matroska<R: Read + Seek>(source: &mut Source<R>) -> Option<Video> {
    let (info, tracks) = descriptions(source)?;
    let film = entries(&tracks).find(|entry| whole(entry, TRACK_TYPE) == Some(1))?;
    let shown = value(film, 0xE0).unwrap_or_default();
    let edge = |id: u64| u32::try_from(whole(shown, id)?).ok();
    let scale = whole(&info, 0x002A_D7B1).unwrap_or(1_000_000);
    let ticks = value(&info, 0x4489).and_then(|bytes| match bytes.len() {
        4 => Some(f64::from(f32::from_be_bytes(bytes.try_into().ok()?))),
        8 => Some(f64::from_be_bytes(bytes.try_into().ok()?)),
        _ => None,
    });
    #[expect(clippy::cast_precision_loss, reason = "the result is rounded to the millisecond")]
    let seconds = ticks.and_then(|ticks| sensible(ticks * scale as f64 / 1e9));
    Some(Video {
        size: edge(0xB0).zip(edge(0xBA)).and_then(|(width, height)| pixels(width, height)),
        seconds,
        frames_per_second: whole(film, 0x0023_E383).and_then(|nanoseconds| ratio(1_000_000_000, nanoseconds)),
        codec: value(film, 0x86).map(|tag| {
            // An older way, in which the tag of an AVI stands behind the name.
            let header = value(film, 0x63A2).filter(|_| tag == b"V_MS/VFW/FOURCC");
            Codec::tagged(header.and_then(|header| header.get(16..20)).unwrap_or(tag))
        }),
        sound: Some(entries(&tracks).any(|entry| whole(entry, TRACK_TYPE) == Some(2))),
    })
}

/// Returns the header of an AVI.
fn header<R: Read + Seek>(source: &mut Source<R>) -> Option<Vec<u8>> {
    let head: [u8; 24] = source.array(0).ok()?;
    if &head[..4] != b"RIFF" || &head[12..16] != b"LIST" || &head[20..] != b"hdrl" {
        return None;
    }
    let size = u64::from(u32::from_le_bytes(head[16..20].try_into().ok()?)).checked_sub(4)?;
    in_memory(source, 24, size, TRACKS_BYTES_MAX)
}

/// Returns the descriptions of the streams of an AVI.
fn streams(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    chunks(header).filter(|(name, list)| name == b"LIST" && list.starts_with(b"strl")).map(|(_, list)| &list[4..])
}

/// Returns the content of the first chunk of a name.
fn chunk(bytes: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    chunks(bytes).find(|(found, _)| *found == name).map(|(_, part)| part)
}

fn of_avi<R: Read + Seek>(source: &mut Source<R>) -> Option<Video> {
    let header = header(source)?;
    let is_of = |stream: &[u8], kind: &[u8]| chunk(stream, *b"strh").is_some_and(|header| header.starts_with(kind));
    let film = streams(&header).find(|stream| is_of(stream, b"vids"))?;
    let sound = streams(&header).any(|stream| is_of(stream, b"auds"));
    let (header, format) = (chunk(film, *b"strh")?, chunk(film, *b"strf")?);
    let little = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (scale, rate) = (u64::from(little(header, 20)?), u64::from(little(header, 24)?));
    let frames = u64::from(little(header, 32)?);
    // A negative height says in which order the rows come.
    let height = little(format, 8).map(|height| height.cast_signed().unsigned_abs());
    Some(Video {
        size: little(format, 4).zip(height).and_then(|(width, height)| pixels(width, height)),
        seconds: frames.checked_mul(scale).and_then(|ticks| ratio(ticks, rate)),
        frames_per_second: ratio(rate, scale),
        codec: format.get(16..20).filter(|tag| **tag != [0; 4]).map(Codec::tagged),
        sound: Some(sound),
    })
}

/// Returns the chunks that fill some bytes of an AVI.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let name = rest.get(..4)?.try_into().ok()?;
        let size = usize::try_from(u32::from_le_bytes(rest.get(4..8)?.try_into().ok()?)).ok()?;
        let content = rest.get(8..8_usize.checked_add(size)?)?;
        rest = rest.get(8 + size + size % 2..).unwrap_or_default();
        Some((name, content))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::boxes::part;
    use super::*;

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    /// Returns a track: its handler, its clock, the tag of its codec, and its runs of frames.
    fn track(handler: &[u8], clock: &[u32], tag: [u8; 4], runs: &[u32]) -> Vec<u8> {
        let entry = part(tag, &[&[0; 24], &numbers(&[(1920 << 16) + 1080])[..], &[0; 50]].concat());
        let count = u32::try_from(runs.len() / 2).unwrap();
        let table = [
            part(*b"stsd", &[&numbers(&[0, 1])[..], &entry].concat()),
            part(*b"stts", &numbers(&[&[0, count], runs].concat())),
        ];
        let media = [
            part(*b"mdhd", &numbers(&[&[0, 0, 0], clock].concat())),
            part(*b"hdlr", &[&[0; 8], handler, &[0; 12]].concat()),
            part(*b"minf", &part(*b"stbl", &table.concat())),
        ];
        part(*b"trak", &part(*b"mdia", &media.concat()))
    }

    fn film(index: &[&[u8]]) -> Vec<u8> {
        [part(*b"ftyp", &[0; 8]), part(*b"mdat", &[7; 50]), part(*b"moov", &index.concat())].concat()
    }

    fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
        [id, &(u64::try_from(content.len()).unwrap() | 1 << 56).to_be_bytes(), content].concat()
    }

    fn chunk(name: [u8; 4], content: &[u8]) -> Vec<u8> {
        [&name[..], &u32::try_from(content.len()).unwrap().to_le_bytes(), content, &vec![0; content.len() % 2]].concat()
    }

    fn little(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn measured(bytes: &[u8], kind: Kind) -> Video {
        measure(Cursor::new(bytes), bytes.len() as u64, kind)
    }

    fn has_pictures(bytes: &[u8], kind: Kind) -> Option<bool> {
        let reader = BufReader::new(Cursor::new(bytes));
        super::has_pictures(&mut Source { reader, at: 0, length: bytes.len() as u64 }, kind)
    }

    /// Sound alone was bundled as a video.
    #[test]
    fn a_video_without_pictures_is_told_from_one_that_says_nothing() {
        let header = part(*b"mvhd", &numbers(&[0, 0, 0, 1000, 12_480]));
        let of = |handler: &[u8]| track(handler, &[48_000, 1], *b"mp4a", &[1, 1]);
        let entry = |kind: &[u8]| element(b"\xae", &element(b"\x83", kind));
        let mkv = |entries: &[Vec<u8>]| element(b"\x18\x53\x80\x67", &element(b"\x16\x54\xae\x6b", &entries.concat()));
        let stream =
            |kind: &[u8]| chunk(*b"LIST", &[b"strl", &chunk(*b"strh", &[kind, &[0; 52]].concat())[..]].concat());
        let avi = |streams: &[Vec<u8>]| {
            chunk(*b"RIFF", &[b"AVI ", &chunk(*b"LIST", &[b"hdrl", &streams.concat()[..]].concat())[..]].concat())
        };
        let rows = [
            ("with sound", Kind::Mp4, film(&[&header, &of(b"soun"), &of(b"vide")]), Some(true)),
            ("sound alone", Kind::Mp4, film(&[&header, &of(b"soun")]), Some(false)),
            ("its handler is damaged", Kind::Mov, film(&[&header, &of(b"soun"), &of(b"vid\0")]), Some(false)),
            ("one says nothing", Kind::Mov, film(&[&header, &of(b"soun"), &part(*b"trak", &[])]), None),
            ("no tracks", Kind::Mov, film(&[&header]), None),
            ("no index", Kind::Mov, part(*b"mdat", &[7; 9]), None),
            ("with sound", Kind::Mkv, mkv(&[entry(&[2]), entry(&[1])]), Some(true)),
            ("of both", Kind::Mkv, mkv(&[entry(&[3])]), Some(true)),
            ("sound alone", Kind::Webm, mkv(&[entry(&[2]), entry(&[0x11])]), Some(false)),
            ("one says nothing", Kind::Webm, mkv(&[entry(&[2]), element(b"\xae", &[])]), None),
            ("no tracks", Kind::Webm, mkv(&[]), None),
            ("with sound", Kind::Avi, avi(&[stream(b"auds"), stream(b"vids")]), Some(true)),
            ("of both", Kind::Avi, avi(&[stream(b"iavs")]), Some(true)),
            ("sound alone", Kind::Avi, avi(&[stream(b"auds"), stream(b"txts")]), Some(false)),
            ("no streams", Kind::Avi, avi(&[]), None),
        ];
        for (name, kind, bytes, expected) in rows {
            assert_eq!(has_pictures(&bytes, kind), expected, "{name}, {kind}");
            let checked = crate::craft::check_whole(Cursor::new(&bytes), bytes.len() as u64, kind);
            let is_refused = matches!(checked, Err(crate::craft::CraftError::NoPictures));
            assert!(expected != Some(true) || !is_refused, "{name}, {kind}");
        }
        let film = film(&[&header, &of(b"soun")]);
        let checked = crate::craft::check_whole(Cursor::new(&film), film.len() as u64, Kind::Mp4);
        assert_eq!(checked, Err(crate::craft::CraftError::NoPictures));
    }

    fn whole(codec: Codec, rate: f64, sound: bool) -> Video {
        let size = Some(Size { width: 1920, height: 1080 });
        Video { size, seconds: Some(12.48), frames_per_second: Some(rate), codec: Some(codec), sound: Some(sound) }
    }

    #[test]
    fn an_mp4_or_mov_is_measured() {
        let header = part(*b"mvhd", &numbers(&[0, 0, 0, 1000, 12_480]));
        let wide = part(*b"mvhd", &numbers(&[1 << 24, 0, 0, 0, 0, 1000, 0, 12_480]));
        let open = part(*b"mvhd", &numbers(&[0, 0, 0, 1000, 0]));
        let extends = part(*b"mvex", &part(*b"mehd", &numbers(&[0, 12_480])));
        let sound = track(b"soun", &[48_000, 1], *b"mp4a", &[1, 1]);
        let steady = track(b"vide", &[24_000, 300_300], *b"avc1", &[300, 1001]);
        let jumps = track(b"vide", &[600, 7488], *b"apch", &[100, 24, 100, 26]);
        let none = track(b"vide", &[600, 7488], *b"zzz9", &[]);
        let rows: [(&str, Vec<u8>, Video); 8] = [
            ("sound first", film(&[&header, &sound, &steady]), whole(Codec::H264, 23.976, true)),
            ("64 bits", film(&[&wide, &steady]), whole(Codec::H264, 23.976, false)),
            ("the rate changes", film(&[&header, &jumps]), whole(Codec::Prores, 24.0, false)),
            ("fragments", film(&[&open, &steady, &extends]), whole(Codec::H264, 23.976, false)),
            (
                "fragments without a length",
                film(&[&open, &steady]),
                Video { seconds: None, ..whole(Codec::H264, 23.976, false) },
            ),
            (
                "no frames",
                film(&[&header, &none]),
                Video { frames_per_second: None, ..whole(Codec::Other("zzz9".to_owned()), 1.0, false) },
            ),
            ("sound alone", film(&[&header, &sound]), Video::default()),
            ("no index", part(*b"ftyp", &[0; 8]), Video::default()),
        ];
        for (name, bytes, expected) in rows {
            assert_eq!(measured(&bytes, Kind::Mp4), expected, "{name}");
            for end in 0..bytes.len() {
                // Half of an index says nothing, above all not that there is no sound.
                assert_eq!(measured(&bytes[..end], Kind::Mov), Video::default(), "{name}, cut at {end}");
            }
        }
    }

    #[test]
    fn a_matroska_is_measured() {
        let info = |scale: &[u8], length: &[u8]| {
            element(b"\x15\x49\xa9\x66", &[element(b"\x2a\xd7\xb1", scale), element(b"\x44\x89", length)].concat())
        };
        let film = |codec: &[u8], header: &[u8]| {
            let edges = [element(b"\xb0", &[7, 128]), element(b"\xba", &[4, 56])].concat();
            let parts = [
                element(b"\x83", &[1]),
                element(b"\x86", codec),
                element(b"\x63\xa2", header),
                element(b"\x23\xe3\x83", &[2, 98, 90, 0]),
                element(b"\xe0", &edges),
            ];
            element(b"\xae", &parts.concat())
        };
        let sound = element(b"\xae", &element(b"\x83", &[2]));
        let tracks = |entries: &[&[u8]]| element(b"\x16\x54\xae\x6b", &entries.concat());
        let cluster = element(b"\x1f\x43\xb6\x75", &[7; 30]);
        let segment = |parts: &[&[u8]]| {
            [element(b"\x1a\x45\xdf\xa3", b""), element(b"\x18\x53\x80\x67", &parts.concat())].concat()
        };
        let live =
            |parts: &[&[u8]]| [b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff", &parts.concat()[..]].concat();
        let (long, short) = (12_480_f64.to_be_bytes(), 1248_f32.to_be_bytes());
        let (milli, centi) = (info(&[0x0f, 0x42, 0x40], &long), info(&[0x98, 0x96, 0x80], &short));
        let vp9 = tracks(&[&film(b"V_VP9", b"")]);
        let avi = tracks(&[&film(b"V_MS/VFW/FOURCC", &[&[0; 16], &b"H264...."[..]].concat()), &sound]);
        let rows: [(&str, Vec<u8>, Video); 5] = [
            ("WebM", segment(&[&milli, &vp9, &cluster]), whole(Codec::Vp9, 25.0, false)),
            ("an older way", segment(&[&avi, &cluster, &centi]), whole(Codec::H264, 25.0, true)),
            ("live", live(&[&milli, &vp9, &cluster]), whole(Codec::Vp9, 25.0, false)),
            ("no length", segment(&[&vp9, &cluster]), Video { seconds: None, ..whole(Codec::Vp9, 25.0, false) }),
            ("no tracks", segment(&[&milli, &cluster]), Video::default()),
        ];
        for (name, bytes, expected) in rows {
            assert_eq!(measured(&bytes, Kind::Webm), expected, "{name}");
            (0..bytes.len()).for_each(|end| drop(measured(&bytes[..end], Kind::Mkv)));
        }
    }

    #[test]
    fn an_avi_is_measured() {
        let stream = |kind: &[u8; 4], tag: [u8; 4]| {
            let header = [&kind[..], &[0; 16], &little(&[1001, 24_000, 0, 299, 0])].concat();
            let format = [little(&[40, 1920, 0_u32.wrapping_sub(1080), 0]), tag.to_vec(), vec![0; 20]].concat();
            let parts = [chunk(*b"strh", &header), chunk(*b"strf", &format)].concat();
            chunk(*b"LIST", &[b"strl", &parts[..]].concat())
        };
        let film = |streams: &[Vec<u8>]| {
            let header = [b"hdrl", &chunk(*b"avih", &[0; 55])[..], &streams.concat()].concat();
            let content = [b"AVI ", &chunk(*b"LIST", &header)[..], &chunk(*b"LIST", b"movi")].concat();
            chunk(*b"RIFF", &content)
        };
        let (video, sound, raw) = (stream(b"vids", *b"H264"), stream(b"auds", [0; 4]), stream(b"vids", [0; 4]));
        let expected = |codec, has| Video { seconds: Some(12.471), codec, ..whole(Codec::H264, 23.976, has) };
        for (name, streams, expected) in [
            ("silent", vec![video.clone()], expected(Some(Codec::H264), false)),
            ("sound first", vec![sound.clone(), video], expected(Some(Codec::H264), true)),
            ("not compressed", vec![raw, sound.clone()], expected(None, true)),
            ("sound alone", vec![sound], Video::default()),
        ] {
            let bytes = film(&streams);
            assert_eq!(measured(&bytes, Kind::Avi), expected, "{name}");
            (0..bytes.len()).for_each(|end| drop(measured(&bytes[..end], Kind::Avi)));
        }
    }
}
