use std::io::{Read, Seek};

use super::{CraftError, PARTS_MAX, Source, cut};

/// How a Zstandard frame begins (RFC 8878).
const FRAME: u32 = 0xFD2F_B528;

/// Checks that the blocks of a Blender file are all there, or the frames that it is packed in. A file that is packed by
/// gzip is not checked: only unpacking would show its length.
pub(super) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    let head = source.up_to(0, 20)?;
    if head.starts_with(&FRAME.to_le_bytes()) {
        return zstd(source);
    }
    let Some(layout) = Layout::read(&head) else { return Ok(()) };
    let mut at = layout.start;
    for _ in 0..PARTS_MAX {
        let block = source.up_to(at, layout.head)?;
        if block.starts_with(b"ENDB") {
            return Ok(());
        }
        let is_named = block.get(..4).is_some_and(is_code);
        if at == layout.start && block.len() >= 4 && !is_named {
            return Ok(());
        }
        let is_block = is_named && block.len() as u64 == layout.head;
        let next = is_block.then(|| at + layout.head).and_then(|content| content.checked_add(layout.size(&block)));
        let Some(next) = next.filter(|next| *next < source.length) else {
            return Err(cut("its last block (`ENDB`) is not there"));
        };
        at = next;
    }
    Ok(())
}

/// Returns whether bytes are the name of a block: four letters, or two, before or, where the high byte comes first,
/// behind two zeros.
fn is_code(code: &[u8]) -> bool {
    let has_letters = |code: &[u8]| code.iter().all(u8::is_ascii_uppercase);
    has_letters(&code[..2]) || (code[..2] == [0, 0] && has_letters(&code[2..]))
}

/// How a Blender file is laid out.
struct Layout {
    start: u64,
    /// The bytes of a block's head.
    head: u64,
    /// Where the size stands in it, and how many bytes it has.
    size: std::ops::Range<usize>,
    is_little: bool,
}

impl Layout {
    fn read(head: &[u8]) -> Option<Self> {
        let mark = head.strip_prefix(b"BLENDER")?;
        Some(match mark {
            [b'_', order, ..] => Self { start: 12, head: 20, size: 4..8, is_little: *order == b'v' },
            [b'-', order, ..] => Self { start: 12, head: 24, size: 4..8, is_little: *order == b'v' },
            // From Blender 5 on, the head contains its own length, and sizes have eight bytes.
            [b'1', b'7', b'-', b'0', b'1', b'v', ..] => Self { start: 17, head: 32, size: 16..24, is_little: true },
            _ => return None,
        })
    }

    fn size(&self, block: &[u8]) -> u64 {
        let bytes = block.get(self.size.clone()).unwrap_or_default();
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if self.is_little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
    }
}

/// Walks the blocks of the frames, which contain their length.
fn zstd<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    let mut at = 0;
    for _ in 0..PARTS_MAX {
        if source.length - at < 4 {
            return if at > 0 { Ok(()) } else { Err(cut("it is packed, and ends in the middle")) };
        }
        match u32::from_le_bytes(source.array(at)?) {
            FRAME => at = frame_end(source, at + 4)?,
            // A frame that is to be skipped.
            0x184D_2A50..=0x184D_2A5F => at += 8 + u64::from(u32::from_le_bytes(source.array(at + 4)?)),
            _ => return Ok(()),
        }
        if at > source.length {
            return Err(cut("it is packed, and ends in the middle"));
        }
    }
    Ok(())
}

fn frame_end<R: Read + Seek>(source: &mut Source<R>, at: u64) -> Result<u64, CraftError> {
    let [what] = source.array(at)?;
    let is_single = what & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(what & 3)];
    let size = [u64::from(is_single), 2, 4, 8][usize::from(what >> 6)];
    let mut at = at + 1 + u64::from(!is_single) + dictionary + size;
    for _ in 0..PARTS_MAX {
        let [a, b, c] = source.array(at)?;
        let head = u32::from_le_bytes([a, b, c, 0]);
        // A block of one repeated byte contains it once.
        let bytes = if head >> 1 & 3 == 1 { 1 } else { u64::from(head >> 3) };
        at += 3 + bytes;
        if head & 1 == 1 {
            break;
        }
    }
    Ok(at + if what & 4 == 0 { 0 } else { 4 })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use crate::model::Kind;

    #[test]
    fn blocks_are_walked() {
        let block =
            |code: &[u8; 4], size: u32| [&code[..], &size.to_le_bytes(), &[0; 16], &vec![5; size as usize]].concat();
        let old = [b"BLENDER-v405".to_vec(), block(b"REND", 72), block(b"OB\0\0", 500), block(b"ENDB", 0)].concat();
        let wide = |code: &[u8; 4], size: u64| {
            [&code[..], &[0; 12], &size.to_le_bytes(), &[0; 8], &vec![5; usize::try_from(size).unwrap()]].concat()
        };
        let new = [b"BLENDER17-01v0500".to_vec(), wide(b"REND", 72), wide(b"ENDB", 0)].concat();
        let high =
            |code: &[u8; 4], size: u32| [&code[..], &size.to_be_bytes(), &[0; 12], &vec![5; size as usize]].concat();
        let big = [b"BLENDER_V260".to_vec(), high(b"REND", 72), high(b"\0\0OB", 300), high(b"ENDB", 0)].concat();
        for whole in [&old, &new, &big] {
            assert!(check(whole, Kind::Blend));
            for at in [30, 60, whole.len() - 40, whole.len() - 33] {
                assert!(!check(&whole[..at], Kind::Blend), "cut at {at}");
            }
        }
        assert!(!check([&old[..120], &vec![0; 9000]].concat(), Kind::Blend), "of its full length, and not written yet");
        // What is no block at the very start is not judged, and gzip cannot be.
        assert!(check([&b"BLENDER-v405"[..], &[0; 2000]].concat(), Kind::Blend));
        assert!(check(b"\x1f\x8b\x08....", Kind::Blend));
    }

    #[test]
    fn frames_are_walked() {
        let packed =
            [&b"\x28\xb5\x2f\xfd\x24\x05"[..], b"\x29\0\0hello", b"1234", b"\x5e\x2a\x4d\x18\x02\0\0\0ab"].concat();
        assert!(check(&packed, Kind::Blend));
        for at in [4, 6, 8, 13, 17, packed.len() - 1] {
            assert!(!check(&packed[..at], Kind::Blend), "cut at {at}");
        }
    }
}
