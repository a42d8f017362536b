use std::io::{Read, Seek};

use super::{CraftError, PARTS_MAX, Source, claims, cut};

pub(super) const SEGMENT: u64 = 0x1853_8067;
pub(super) const CLUSTER: u64 = 0x1F43_B675;
/// The parts of a segment (RFC 9559).
const PARTS: [u64; 8] =
    [0x114D_9B74, 0x1549_A966, 0x1654_AE6B, 0x1C53_BB6B, 0x1941_A469, 0x1043_A770, 0x1254_C367, CLUSTER];
/// Space that is not used, and a checksum.
const FILLERS: [u64; 2] = [0xEC, 0xBF];

/// Checks that the parts of a Matroska file are all there. A live recording has no sizes and is walked
/// block by block.
pub(super) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    let mut at = 0;
    for _ in 0..PARTS_MAX {
        if at == source.length {
            break;
        }
        let Some(element) = Element::read(source, at)? else {
            return Err(cut("the video's parts do not fill the file"));
        };
        match (element.id, element.size) {
            (SEGMENT, size) => return segment(source, element.content, size),
            (_, Some(size)) if element.content.saturating_add(size) <= source.length => at = element.content + size,
            _ => return Err(cut("the video's head is not all there")),
        }
    }
    Err(cut("the video has no content"))
}

fn segment<R: Read + Seek>(source: &mut Source<R>, start: u64, size: Option<u64>) -> Result<(), CraftError> {
    let end = size.map_or(source.length, |size| start.saturating_add(size));
    if end > source.length {
        return Err(claims("the video", end, source.length));
    }
    let (mut at, mut has_content) = (start, false);
    for _ in 0..PARTS_MAX {
        if at >= end {
            return if has_content { Ok(()) } else { Err(cut("the video has no content")) };
        }
        let element = Element::read(source, at)?;
        let Some(element) = element.filter(|e| PARTS.contains(&e.id) || FILLERS.contains(&e.id) || has_content) else {
            return Err(cut("the video's parts do not fill it"));
        };
        has_content |= element.id == CLUSTER;
        at = match element.size {
            Some(size) => element.content.saturating_add(size),
            // Its blocks follow as if they were parts themselves.
            None if element.id == CLUSTER => element.content,
            None => return Err(cut("one of the video's parts has no size")),
        };
        if at > end {
            return Err(cut("the video's last part is not all there"));
        }
    }
    Ok(())
}

/// The head of an element.
pub(super) struct Element {
    pub(super) id: u64,
    /// `None` if it ends where another one begins.
    pub(super) size: Option<u64>,
    /// Where its content begins.
    pub(super) content: u64,
}

impl Element {
    pub(super) fn read<R: Read + Seek>(source: &mut Source<R>, at: u64) -> Result<Option<Self>, CraftError> {
        let head = source.up_to(at, 12)?;
        Ok(Self::of(&head).map(|element| Self { content: at + element.content, ..element }))
    }

    /// Returns the head of the element that begins with these bytes.
    fn of(head: &[u8]) -> Option<Self> {
        let (id, id_bytes) = number(head, false).filter(|(_, bytes)| *bytes <= 4)?;
        let (size, size_bytes) = number(&head[id_bytes..], true)?;
        let unknown = (1 << (7 * size_bytes)) - 1;
        Some(Self { id, size: (size != unknown).then_some(size), content: (id_bytes + size_bytes) as u64 })
    }
}

/// Returns the elements that fill some bytes, each with its content.
pub(super) fn inner(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let element = Element::of(rest)?;
        let start = usize::try_from(element.content).ok()?;
        let end = start.checked_add(usize::try_from(element.size?).ok()?)?;
        let content = rest.get(start..end)?;
        rest = &rest[end..];
        Some((element.id, content))
    })
}

/// Returns a number whose first byte says how many bytes it has, with or without that mark.
fn number(bytes: &[u8], without_mark: bool) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    let bytes = bytes.get(..length).filter(|_| length <= 8)?;
    let value = bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    Some((if without_mark { value & !(1 << (7 * length)) } else { value }, length))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use crate::model::Kind;

    fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
        let size = (u64::try_from(content.len()).unwrap() | 1 << 56).to_be_bytes();
        [id, &size, content].concat()
    }

    #[test]
    fn what_is_cut_off_is_seen() {
        let head = element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm");
        let cluster = element(b"\x1f\x43\xb6\x75", &[element(b"\xe7", b"\0"), element(b"\xa3", &[7; 50])].concat());
        let parts =
            [element(b"\x15\x49\xa9\x66", b"info"), cluster.clone(), cluster, element(b"\x1c\x53\xbb\x6b", b"cues")];
        let video = [head.clone(), element(b"\x18\x53\x80\x67", &parts.concat())].concat();
        assert!(check(&video, Kind::Webm));
        assert!(check([&video[..], b"\0\0\0"].concat(), Kind::Mkv), "what stands behind is no damage");
        for at in [1, 9, 20, 60, video.len() - 20, video.len() - 1] {
            assert!(!check(&video[..at], Kind::Webm), "cut at {at}");
        }
        let hollow = [&video[..70], &vec![0; video.len() - 70]].concat();
        assert!(!check(hollow, Kind::Mkv), "of its full length, and not written yet");

        let block = element(b"\xa3", &[7; 50]);
        let open = b"\x01\xff\xff\xff\xff\xff\xff\xff";
        let live =
            [&head[..], b"\x18\x53\x80\x67", open, b"\x1f\x43\xb6\x75", open, &block, b"\x1f\x43\xb6\x75\xff", &block];
        let live = live.concat();
        assert!(check(&live, Kind::Webm));
        assert!(!check(&live[..live.len() - 1], Kind::Webm));
    }
}
