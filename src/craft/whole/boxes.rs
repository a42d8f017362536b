use std::io::{Read, Seek};
use std::ops::Range;

use super::{CraftError, PARTS_MAX, Source, cut};

/// The most bytes of an index that are read.
pub(super) const INDEX_BYTES_MAX: u64 = 128 << 20;
/// How deep boxes lie in an index.
const DEPTH_MAX: usize = 8;

/// The most signs of the name of another file that are told.
const PLACE_CHARS_MAX: usize = 200;

/// Boxes that may follow the index and the first content; any other name there may be plain text.
const FOLLOWING: [&[u8; 4]; 17] = [
    b"moov", b"moof", b"mdat", b"imda", b"mfra", b"sidx", b"ssix", b"styp", b"emsg", b"prft", b"meta", b"udta",
    b"uuid", b"free", b"skip", b"wide", b"pnot",
];

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

/// Checks that the boxes of an MP4 or MOV fill the file, that its index is among them, and that what the index
/// names lies in the file (ISO/IEC 14496-12). Other bytes behind the last box are no damage.
pub(super) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    let (mut at, mut index, mut has_content) = (0_u64, None, false);
    for _ in 0..PARTS_MAX {
        let left = source.length - at;
        let head = source.up_to(at, left.min(16))?;
        let Some((size, kind)) = measured(&head, left) else {
            if left > 0 && !(index.is_some() && has_content) {
                return Err(cut("the video's boxes do not fill the file"));
            }
            break;
        };
        let is_all = index.is_some() && has_content;
        if size > left && is_all && !FOLLOWING.contains(&&kind) {
            break;
        }
        if size > left {
            return Err(cut("the video's last box is not all there"));
        }
        match &kind {
            b"moov" => index = Some((at, size)),
            b"mdat" | b"imda" => has_content = true,
            _ => (),
        }
        at += size;
    }
    let Some((at, size)) = index else { return Err(cut("the video has no index (`moov`)")) };
    if !has_content {
        return Err(cut("the video has no content (`mdat`)"));
    }
    let index = source.up_to(at, size.min(INDEX_BYTES_MAX))?;
    if let Some(place) = place_elsewhere(&index, 0) {
        return Err(lies_elsewhere(&place));
    }
    let end = content_end(&index, false, 0).unwrap_or(0);
    if size <= INDEX_BYTES_MAX && end > source.length {
        return Err(cut(&format!("its index names content up to byte {end}, and it has {}", source.length)));
    }
    Ok(())
}

/// Returns a box's size and name; `None` if no box begins with these bytes.
pub(in crate::craft) fn measured(head: &[u8], left: u64) -> Option<(u64, [u8; 4])> {
    let small = u64::from(u32::from_be_bytes(head.get(..4)?.try_into().ok()?));
    let kind: [u8; 4] = head.get(4..8)?.try_into().ok()?;
    let is_name = kind.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-' | 0xa9));
    let size = match small {
        0 => left,
        // A box that is cut off within its size is still a box.
        1 => head.get(8..16).map_or(u64::MAX, |size| u64::from_be_bytes(size.try_into().expect("eight bytes"))),
        size => size,
    };
    (is_name && size >= 8).then_some((size, kind))
}

/// Returns the boxes that fill some bytes, each with its content.
pub(in crate::craft) fn inner(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (size, kind) = measured(rest, rest.len() as u64)?;
        let size = usize::try_from(size).ok().filter(|size| *size <= rest.len())?;
        let wide = rest[..4] == [0, 0, 0, 1];
        let content = rest.get(if wide { 16 } else { 8 }..size)?;
        rest = &rest[size..];
        Some((kind, content))
    })
}

/// Returns a box.
pub(super) fn part(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap_or(u32::MAX);
    [&size.to_be_bytes()[..], &name, content].concat()
}

/// Returns the content of the first box of a name.
pub(in crate::craft) fn find(bytes: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    inner(bytes).find(|(kind, _)| *kind == name).map(|(_, content)| content)
}

/// Returns where the content ends that the tables below a box name; `None` if there are none.
fn content_end(bytes: &[u8], is_sound: bool, depth: usize) -> Option<u64> {
    // What handles the references of a MOV has such a box, too.
    let handler = find(bytes, *b"hdlr").filter(|_| find(bytes, *b"minf").is_some());
    let is_sound = is_sound || handler.and_then(|handler| handler.get(8..12)) == Some(b"soun");
    let below = inner(bytes).filter(|(kind, _)| matches!(kind, b"moov" | b"trak" | b"mdia" | b"minf"));
    let below = below.filter(|_| depth < DEPTH_MAX);
    let below = below.filter_map(|(_, content)| content_end(content, is_sound, depth + 1)).max();
    let own = find(bytes, *b"stbl").and_then(|table| table_end(table, is_sound)).map(|(end, _)| end);
    below.max(own)
}

/// Returns in which other file some of a video's content lies, by what is below a box.
fn place_elsewhere(bytes: &[u8], depth: usize) -> Option<String> {
    let references = find(bytes, *b"dinf").and_then(|dinf| find(dinf, *b"dref"));
    let mut below = inner(bytes).filter(|(kind, _)| matches!(kind, b"moov" | b"trak" | b"mdia" | b"minf"));
    let is_deep = depth >= DEPTH_MAX;
    references
        .and_then(elsewhere)
        .or_else(|| if is_deep { None } else { below.find_map(|(_, content)| place_elsewhere(content, depth + 1)) })
}

/// Returns in which other file some content of a track lies, by its references; `None` if all of it lies in its own.
pub(super) fn elsewhere(references: &[u8]) -> Option<String> {
    let entries = inner(references.get(8..).unwrap_or_default());
    let others = entries.filter(|(name, entry)| *name != *b"imdt" && entry.get(3).is_none_or(|flags| flags & 1 == 0));
    // One that names no place names its own file.
    let mut places =
        others.map(|(_, entry)| entry.get(4..).unwrap_or_default()).filter(|at| at.iter().any(|b| *b != 0));
    let place = String::from_utf8_lossy(places.next()?).into_owned();
    // A Mac writes more than a path.
    let words = place.split(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER);
    Some(words.max_by_key(|word| word.len()).unwrap_or_default().chars().take(PLACE_CHARS_MAX).collect())
}

/// Refuses a video that is not whole without another file.
pub(super) fn lies_elsewhere(place: &str) -> CraftError {
    CraftError::Unsupported(format!(
        "the video's pictures or sound lie in another file: `{place}`; export it again as one file"
    ))
}

/// Returns the tracks of pictures that players show, by what an index holds.
pub(in crate::craft) fn picture_tracks(index: &[u8]) -> impl Iterator<Item = &[u8]> {
    let tracks = inner(index).filter(|(name, _)| name == b"trak").map(|(_, track)| track);
    tracks.filter(|track| handler(track) == Some(b"vide"))
}

/// Returns what a track says that it holds.
pub(super) fn handler(track: &[u8]) -> Option<&[u8]> {
    find(find(track, *b"mdia")?, *b"hdlr")?.get(8..12)
}

/// Returns whether all pictures of a film are cut into units of H.264 or H.265, by what an index holds.
pub(super) fn is_in_units(index: &[u8]) -> bool {
    /// Where the boxes of a description begin (ISO/IEC 14496-12, 12.1.3).
    const BOXES: usize = 78;
    let track_is = |track| {
        let (_, entry) = inner(find(samples(track)?, *b"stsd")?.get(8..)?).next()?;
        inner(entry.get(BOXES..)?).find(|(name, _)| matches!(name, b"avcC" | b"hvcC"))
    };
    picture_tracks(index).all(|track| track_is(track).is_some())
}

/// Returns the tables of the samples of a track.
fn samples(track: &[u8]) -> Option<&[u8]> {
    find(find(find(track, *b"mdia")?, *b"minf")?, *b"stbl")
}

/// Returns where the last sample of pictures lies that are compressed: those of one size may not be.
pub(super) fn last_picture(index: &[u8], is_compressed: bool) -> Option<Range<u64>> {
    let last = |track| {
        let table = samples(track)?;
        let mut sizes = find(table, *b"stsz")?.get(12..)?.chunks_exact(4);
        let first = sizes.next();
        (is_compressed || sizes.any(|size| Some(size) != first)).then(|| table_end(table, false))?
    };
    let (end, bytes) = picture_tracks(index).filter_map(last).max()?;
    Some(end.checked_sub(bytes)?..end)
}

/// Returns where the last chunk of a track ends, or begins if nobody can tell how large it is, and how large its last
/// sample is that is not empty.
fn table_end(table: &[u8], is_sound: bool) -> Option<(u64, u64)> {
    let runs = find(table, *b"stsc").and_then(|b| b.get(8..)).unwrap_or_default();
    let sizes = find(table, *b"stsz");
    let same = u64::from(number(sizes.unwrap_or_default(), 4).unwrap_or(0));
    let count = u64::from(number(sizes.unwrap_or_default(), 8).unwrap_or(0));
    let each = sizes.and_then(|b| b.get(12..)).unwrap_or_default();
    let counted = match u32::try_from(same) {
        Ok(all @ 1..) if is_sound => {
            counted(find(table, *b"stts").unwrap_or_default(), find(table, *b"stsd").unwrap_or_default(), all)
        }
        _ => Some(Counted::Samples),
    };
    let offsets = find(table, *b"stco").map(|b| (b, 4)).or_else(|| find(table, *b"co64").map(|b| (b, 8)));
    let (offsets, width) = offsets.and_then(|(b, width)| Some((b.get(8..)?, width)))?;
    let (mut sample, mut run, mut end) = (0_u64, 0_usize, (0_u64, 0_u64));
    for (n, offset) in offsets.chunks_exact(width).enumerate() {
        let offset = offset.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        // Each run says from which chunk on, counted from 1, how many samples a chunk has.
        while number(runs, (run + 1) * 12).is_some_and(|first| u64::from(first) <= n as u64 + 1) {
            run += 1;
        }
        let samples = u64::from(number(runs, run * 12 + 4).unwrap_or(0)).min(count.saturating_sub(sample));
        let (bytes, last) = match counted {
            None => (0, 0),
            // The last of them may be a part of what holds them.
            Some(Counted::Frames((bytes, frames))) => (samples / frames * bytes, 0),
            Some(Counted::Samples) if same > 0 => (same.saturating_mul(samples), same),
            Some(Counted::Samples) => {
                let start = usize::try_from(sample).unwrap_or(usize::MAX).saturating_mul(4);
                let stop = start.saturating_add(usize::try_from(samples).unwrap_or(usize::MAX).saturating_mul(4));
                let sizes = each.get(start.min(each.len())..stop.min(each.len())).unwrap_or_default();
                let sizes = sizes.chunks_exact(4).map(|size| u32::from_be_bytes(size.try_into().expect("four bytes")));
                let sizes = sizes.map(u64::from).filter(|size| *size > 0);
                sizes.fold((0, 0), |(sum, _), size| (sum + size, size))
            }
        };
        sample += samples;
        end = end.max((offset.saturating_add(bytes), last));
    }
    Some(end)
}

/// What the table of sizes of a track of sound counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Samples that are as large as it says.
    Samples,
    /// Frames, of which so many bytes hold so many, as the description says.
    Frames((u64, u64)),
}

/// Returns what the table of sizes of a track of sound counts: old writers of `QuickTime` count frames there, each of one
/// tick, and say elsewhere how large they are. `all` is the size that the table gives for all. `None` if nobody can tell.
pub(super) fn counted(times: &[u8], described: &[u8], all: u32) -> Option<Counted> {
    let runs = usize::try_from(number(times, 4)?).ok()?.checked_mul(8)?;
    if times.get(8..)?.get(..runs)?.chunks_exact(8).any(|run| number(run, 4) != Some(1)) {
        return Some(Counted::Samples);
    }
    let is_quicktime = described.first() == Some(&0);
    let entries: Vec<&[u8]> = entries(described.get(8..)?).collect();
    let mut frames = entries.iter().map(|entry| frame_bytes(entry, is_quicktime));
    let first = frames.next()??;
    if frames.any(|other| other != Some(first)) {
        return None;
    }
    let (bytes, held) = first;
    if all > 0 && bytes == u64::from(all) * held {
        return Some(Counted::Samples);
    }
    // The first version of a description says the same of what is compressed as of what is not.
    let is_said = is_quicktime && entries.iter().all(|entry| entry.get(9).is_some_and(|version| *version > 0));
    is_said.then_some(Counted::Frames(first))
}

/// Returns descriptions of samples, whose names may have any bytes.
fn entries(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let size = usize::try_from(number(rest, 0)?).ok()?;
        let entry = rest.get(8..size)?;
        rest = &rest[size..];
        Some(entry)
    })
}

/// Returns how many bytes of sound hold how many of its frames, by its description.
fn frame_bytes(entry: &[u8], is_quicktime: bool) -> Option<(u64, u64)> {
    let short = |at: usize| Some(u64::from(u16::from_be_bytes(entry.get(at..at + 2)?.try_into().ok()?)));
    let long = |at: usize| number(entry, at).map(u64::from);
    let (bytes, frames) = match short(8)? {
        1 if is_quicktime => (long(36)?, long(28)?),
        2 if is_quicktime => (long(56)?, long(60)?),
        _ => (short(16)? * short(18)?, 8),
    };
    (frames > 0).then_some((bytes, frames))
}

pub(in crate::craft) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::part;
    use crate::model::Kind;

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    /// An index of one track with one chunk of two samples of 50 bytes.
    fn index(offset: u32) -> Vec<u8> {
        let table = [
            part(*b"stsc", &numbers(&[0, 1, 1, 2, 1])),
            part(*b"stsz", &numbers(&[0, 0, 2, 50, 50])),
            part(*b"stco", &numbers(&[0, 1, offset])),
        ];
        let boxes = [*b"stbl", *b"minf", *b"mdia", *b"trak", *b"moov"];
        boxes.into_iter().fold(table.concat(), |content, name| part(name, &content))
    }

    #[test]
    fn what_is_cut_off_is_seen() {
        let video = [part(*b"ftyp", &[0; 8]), part(*b"mdat", &[0; 100]), index(24)].concat();
        assert!(check(&video, Kind::Mp4));
        for at in [1, 7, 12, 60, 124, video.len() - 28, video.len() - 1] {
            assert!(!check(&video[..at], Kind::Mp4), "cut at {at}");
        }
        let length = u32::try_from(index(0).len()).unwrap();
        let early = [part(*b"moov", &index(0)[8..]), part(*b"mdat", &[0; 100])].concat();
        assert!(check(&early, Kind::Mov));
        assert!(!check(&early[..early.len() - 1], Kind::Mov));
        assert!(!check(&early[..length as usize], Kind::Mov), "it ends right behind the index");
        // The last box may say that it goes on to the end, wherever that is.
        let open = |bytes: usize| [&index(length + 8)[..], b"\0\0\0\0mdat", &vec![0; bytes]].concat();
        assert!(check(open(100), Kind::Mp4));
        assert!(!check(open(99), Kind::Mp4));
        let fragments = [part(*b"moov", &[]), part(*b"moof", &[0; 9]), part(*b"mdat", &[0; 9])].concat();
        assert!(check(&fragments, Kind::Mp4));
    }

    /// Whole films of ADPCM sound were called cut off: the count of its frames was taken for that of its bytes.
    #[test]
    fn sound_that_is_counted_in_frames_is_as_large_as_it_says() {
        let film = |version: u16, bits: u16, size: u32, bytes: usize| {
            let entry = [&[0; 8][..], &version.to_be_bytes(), &[0; 6], &[0, 1], &bits.to_be_bytes(), &[0; 8]].concat();
            let entry = part(*b"ms\0\x11", &[entry, numbers(&[64, 34, 34, 2])].concat());
            let table = [
                part(*b"stsd", &[numbers(&[0, 1]), entry].concat()),
                part(*b"stts", &numbers(&[0, 1, 128, 1])),
                part(*b"stsc", &numbers(&[0, 1, 1, 128, 1])),
                part(*b"stsz", &numbers(&[0, size, 128])),
                part(*b"stco", &numbers(&[0, 1, 8])),
            ];
            let handler = |name: &[u8]| part(*b"hdlr", &[&[0; 8], name, &[0; 12]].concat());
            // What handles the references of a MOV is no handler of the track.
            let media = part(*b"minf", &[handler(b"alis"), part(*b"stbl", &table.concat())].concat());
            let media = part(*b"mdia", &[handler(b"soun"), media].concat());
            let index = part(*b"moov", &part(*b"trak", &media));
            let place = u32::try_from(index.len() + 8).unwrap();
            let at = index.windows(12).position(|window| window == numbers(&[0, 1, 8])).unwrap();
            [&index[..at + 8], &place.to_be_bytes(), &index[at + 12..], b"\0\0\0\0mdat", &vec![7; bytes]].concat()
        };
        for (version, bits, size, bytes, is_whole) in [
            (1, 16, 1, 68, true),
            (1, 16, 1, 67, false),
            // Of a packet, the size of one channel.
            (1, 16, 2, 68, true),
            // What is not compressed.
            (0, 16, 2, 256, true),
            (0, 16, 2, 255, false),
            // Nobody can tell.
            (0, 16, 1, 68, true),
        ] {
            assert_eq!(check(film(version, bits, size, bytes), Kind::Mov), is_whole, "{version}, {size}, {bytes}");
        }
    }

    /// A whole video was refused for the bytes that its camera puts behind it.
    #[test]
    fn what_stands_behind_a_whole_video_is_no_damage() {
        let video = [part(*b"ftyp", &[0; 8]), part(*b"mdat", &[0; 100]), index(24)].concat();
        for tail in [&b"\0"[..], b"\0\0\0\0\0\0\0\0", b"\0\0\0", b"SEFH\x01\0\0\0SEFT", b"a remark", &[0; 5000]] {
            assert!(check([&video, tail].concat(), Kind::Mp4), "{tail:?}");
        }
        assert!(!check([&video[..], &part(*b"moof", &[0; 9])[..12]].concat(), Kind::Mp4), "a part of a box");
    }
}
