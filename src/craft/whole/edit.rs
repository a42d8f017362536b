//! A file with some of its bytes replaced, while it is read: a video may have many gigabytes.

use std::io::{self, Read};
use std::ops::Range;

use super::CraftError;

/// The name of a box without a meaning.
pub(super) const FREE: [u8; 4] = *b"free";

/// Bytes of a file that become others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which ones; none, where something is put between two.
    pub(super) at: Range<u64>,
    /// What stands there instead.
    pub(super) bytes: Vec<u8>,
    /// How many zeros follow that.
    pub(super) zeros: u64,
}

impl Edit {
    /// Replaces bytes by others, of any number.
    pub(super) fn replace(at: Range<u64>, bytes: Vec<u8>) -> Self {
        Self { at, bytes, zeros: 0 }
    }

    /// Replaces bytes by as many: the given ones, and zeros.
    pub(super) fn blank(at: Range<u64>, bytes: &[u8]) -> Self {
        let zeros = (at.end - at.start).saturating_sub(bytes.len() as u64);
        Self { at, bytes: bytes.to_vec(), zeros }
    }

    /// Makes of a box one without a meaning; between its name and its content a large one has its size.
    pub(super) fn freed(at: u64, content: Range<u64>) -> [Self; 2] {
        [Self::blank(at + 4..at + 8, &FREE), Self::blank(content, b"")]
    }
}

/// Returns how many bytes a file of this length has with its edits. These must be in its order, none within another: else
/// bytes would be lost.
pub fn length_with(length: u64, edits: &[Edit]) -> Result<u64, CraftError> {
    let (mut at, mut left) = (0, length);
    for Edit { at: range, bytes, zeros } in edits {
        if range.start < at || range.end < range.start || range.end > length {
            let why = format!("what is to change at byte {} of the video overlaps with something else", range.start);
            return Err(CraftError::Defect(why));
        }
        at = range.end;
        left = left - (range.end - range.start) + bytes.len() as u64 + zeros;
    }
    Ok(left)
}

/// Returns a file of this length with its edits; it is read once, from its start.
pub fn edited<R: Read>(reader: R, length: u64, edits: Vec<Edit>) -> Result<impl Read, CraftError> {
    length_with(length, &edits)?;
    Ok(Edited { reader, at: 0, length, edits: edits.into_iter().peekable(), open: None })
}

struct Edited<R> {
    reader: R,
    /// How many bytes of the file were read or passed over.
    at: u64,
    length: u64,
    edits: std::iter::Peekable<std::vec::IntoIter<Edit>>,
    open: Option<Open>,
}

/// An edit that is being written.
struct Open {
    bytes: std::vec::IntoIter<u8>,
    zeros: u64,
    /// How many bytes of the file are passed over behind it.
    skipped: u64,
}

impl Open {
    fn write(&mut self, buffer: &mut [u8]) -> usize {
        let mut count = 0;
        for (place, byte) in buffer.iter_mut().zip(self.bytes.by_ref()) {
            *place = byte;
            count += 1;
        }
        let room = buffer.len() - count;
        let zeros = usize::try_from(self.zeros).unwrap_or(room).min(room);
        buffer[count..count + zeros].fill(0);
        self.zeros -= zeros as u64;
        count + zeros
    }
}

impl<R: Read> Read for Edited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(open) = &mut self.open {
                let written = open.write(buffer);
                if written > 0 {
                    return Ok(written);
                }
                let wanted = usize::try_from(open.skipped).unwrap_or(usize::MAX).min(buffer.len());
                let passed = self.reader.read(&mut buffer[..wanted])? as u64;
                open.skipped -= passed;
                self.at += passed;
                if wanted == 0 {
                    self.open = None;
                } else if passed == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                continue;
            }
            let next = self.edits.peek().map(|edit| edit.at.start);
            if next == Some(self.at)
                && let Some(Edit { at, bytes, zeros }) = self.edits.next()
            {
                self.open = Some(Open { bytes: bytes.into_iter(), zeros, skipped: at.end - at.start });
                continue;
            }
            let wanted = next.map_or(u64::MAX, |next| next.saturating_sub(self.at));
            let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(buffer.len());
            let count = self.reader.read(&mut buffer[..wanted])?;
            self.at += count as u64;
            if count == 0 && self.at < self.length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            return Ok(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns at most so many bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(self.1);
            self.0.read(&mut buffer[..count])
        }
    }

    #[test]
    fn it_does_not_depend_on_the_pieces_that_are_read() {
        let edits = [
            (
                vec![Edit::blank(0..3, b"AB"), Edit::blank(3..5, b""), Edit::replace(9..9, b"+++".to_vec())],
                "AB\0\0\x005678+++9",
            ),
            (vec![Edit::replace(2..8, b"-".to_vec()), Edit::replace(10..10, b"end".to_vec())], "01-89end"),
            (vec![Edit::replace(0..0, b"x".to_vec()), Edit::replace(6..10, Vec::new())], "x012345"),
            (Vec::new(), "0123456789"),
        ];
        for (edits, expected) in edits {
            for (source, target) in [(1, 1), (1, 64), (64, 1), (3, 2), (64, 64)] {
                let mut reader = edited(Slow(b"0123456789", source), 10, edits.clone()).unwrap();
                let mut made = Vec::new();
                let mut piece = vec![0; target];
                while let Ok(count @ 1..) = reader.read(&mut piece) {
                    made.extend_from_slice(&piece[..count]);
                }
                assert_eq!(String::from_utf8_lossy(&made), expected, "{source} {target}");
                assert_eq!(length_with(10, &edits), Ok(made.len() as u64), "{source} {target}");
            }
        }
    }

    /// A film of 73 MB became one of 292 bytes: an edit within another one counted as the end.
    #[test]
    fn edits_that_overlap_are_refused() {
        let blank = |at| Edit::blank(at, b"");
        let rows: [(&str, Vec<Edit>, bool); 7] = [
            ("side by side", vec![blank(0..3), blank(3..5), blank(5..10)], true),
            ("nothing between two", vec![blank(0..3), blank(3..3), blank(3..5)], true),
            ("within another", vec![blank(0..5), blank(2..3)], false),
            ("over the end of another", vec![blank(0..5), blank(4..8)], false),
            ("the same", vec![blank(2..5), blank(2..5)], false),
            ("out of order", vec![blank(5..8), blank(0..3)], false),
            ("behind the end", vec![blank(9..11)], false),
        ];
        for (name, edits, is_taken) in rows {
            assert_eq!(length_with(10, &edits).is_ok(), is_taken, "{name}");
            assert_eq!(edited(&b"0123456789"[..], 10, edits).is_ok(), is_taken, "{name}");
        }
    }

    #[test]
    fn a_file_that_ends_early_is_an_error() {
        for edits in [Vec::new(), vec![Edit::blank(4..8, b"")], vec![Edit::replace(9..9, b"end".to_vec())]] {
            let read = edited(&b"01234"[..], 10, edits).unwrap().read_to_end(&mut Vec::new());
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
