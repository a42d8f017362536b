//! Checks, without decoding, whether a video or a model is complete: one module for each family of formats.
//! A file that does not follow its format is not judged.

mod blend;
mod boxes;
mod coded;
mod coded_kinds;
mod codes;
mod edit;
mod fbx;
mod found;
mod hollow;
mod matroska;
mod measure;
mod mesh;
mod needed;
mod private;
mod private_avi;
mod private_boxes;
mod private_matroska;
mod spherical;
mod strays;
mod streams;
mod tagged;

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::CraftError;
use crate::model::Kind;

pub(in crate::craft) use boxes::{find, inner, measured, number, picture_tracks};
pub use edit::{Edit, edited, length_with};
pub(in crate::craft) use fbx::MARK as FBX_MARK;
pub use hollow::hollow;
pub use measure::measure;
pub use private::{Private, private};
pub use tagged::{tagged, tagless};

/// The most parts of a file that are read.
const PARTS_MAX: usize = 10_000_000;
/// How many bytes are read at a time.
const PIECE_BYTES: u64 = 64 << 10;
/// How many bytes at a file's end are searched for its end mark.
const TAIL_BYTES: u64 = 64 << 10;

/// Checks, without decoding, that a video or a model is complete. The file may have many gigabytes.
pub fn check_whole<R: Read + Seek>(reader: R, length: u64, kind: Kind) -> Result<(), CraftError> {
    if length == 0 {
        return Err(cut("it is empty"));
    }
    let mut source = Source { reader: BufReader::new(reader), at: 0, length };
    match kind {
        Kind::Mp4 | Kind::Mov => boxes::check(&mut source).and_then(|()| shows(&mut source, kind)),
        Kind::Webm | Kind::Mkv => matroska::check(&mut source).and_then(|()| shows(&mut source, kind)),
        Kind::Avi => avi(&mut source).and_then(|()| shows(&mut source, kind)),
        Kind::Glb => glb(&mut source),
        Kind::Stl => mesh::stl(&mut source),
        Kind::Ply => mesh::ply(&mut source),
        Kind::Fbx => fbx::check(&mut source),
        Kind::Blend => blend::check(&mut source),
        Kind::Usdz | Kind::ThreeMf => zip(&mut source),
        Kind::Usdc => {
            // The position of the contents is written last, and points to the end of the file.
            let contents = u64::from_le_bytes(source.array(16)?);
            if contents < length { Ok(()) } else { Err(claims("the model", contents, length)) }
        }
        Kind::Gltf => source.ends_with(b"}"),
        Kind::Dae => source.ends_with(b"</COLLADA>"),
        _ => Ok(()),
    }
}

/// Refuses a video that says of all its tracks that they hold no pictures.
fn shows<R: Read + Seek>(source: &mut Source<R>, kind: Kind) -> Result<(), CraftError> {
    if measure::has_pictures(source, kind) == Some(false) { Err(CraftError::NoPictures) } else { Ok(()) }
}

fn cut(what: &str) -> CraftError {
    CraftError::Truncated(what.to_owned())
}

fn claims(what: &str, claimed: u64, length: u64) -> CraftError {
    CraftError::Truncated(format!("{what} says it has {claimed} bytes and has {length}"))
}

/// Why something is not done with a video.
enum Cannot {
    /// It is such that stockmill does not.
    Hold(&'static str),
    Read(CraftError),
}

impl From<CraftError> for Cannot {
    fn from(error: CraftError) -> Self {
        Self::Read(error)
    }
}

/// A file that is read at any position.
struct Source<R> {
    reader: BufReader<R>,
    at: u64,
    length: u64,
}

impl<R: Read + Seek> Source<R> {
    /// Returns the bytes at a position; they must be there.
    fn array<const N: usize>(&mut self, at: u64) -> Result<[u8; N], CraftError> {
        let mut bytes = [0; N];
        self.go(at)?;
        self.read(&mut bytes)?;
        Ok(bytes)
    }

    /// Returns at most `bytes_max` bytes from a position on.
    fn up_to(&mut self, at: u64, bytes_max: u64) -> Result<Vec<u8>, CraftError> {
        let wanted = bytes_max.min(self.length.saturating_sub(at));
        let mut bytes = vec![0; usize::try_from(wanted).unwrap_or(usize::MAX)];
        self.go(at)?;
        self.read(&mut bytes)?;
        Ok(bytes)
    }

    /// Goes to a position; bytes that are near are not read again.
    fn go(&mut self, at: u64) -> Result<(), CraftError> {
        let forward = i64::try_from(at).ok().zip(i64::try_from(self.at).ok()).map(|(to, from)| to - from);
        let moved = match forward {
            Some(step) => self.reader.seek_relative(step),
            None => self.reader.seek(SeekFrom::Start(at)).map(|_| ()),
        };
        self.at = at;
        moved.map_err(|error| CraftError::Damaged(error.to_string()))
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<(), CraftError> {
        self.at += buffer.len() as u64;
        self.reader.read_exact(buffer).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => cut("it ends in the middle"),
            _ => CraftError::Damaged(error.to_string()),
        })
    }

    /// Returns whether there is nothing but zeros.
    fn is_zeros(&mut self, range: std::ops::Range<u64>) -> Result<bool, CraftError> {
        let mut at = range.start;
        while at < range.end {
            let piece = self.up_to(at, PIECE_BYTES.min(range.end - at))?;
            if piece.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            at += piece.len() as u64;
        }
        Ok(true)
    }

    /// Checks the last text in a file.
    fn ends_with(&mut self, end: &[u8]) -> Result<(), CraftError> {
        let tail = self.up_to(self.length.saturating_sub(TAIL_BYTES), TAIL_BYTES)?;
        // UTF-16 has a zero beside each letter.
        let text: Vec<u8> = tail.into_iter().filter(|byte| *byte != 0).collect();
        let is_whole = text.trim_ascii_end().ends_with(end);
        if is_whole { Ok(()) } else { Err(cut(&format!("it does not end with `{}`", String::from_utf8_lossy(end)))) }
    }
}

/// Checks that the chunks of a binary glTF are all there. Bytes that some programs leave behind a model are no damage.
fn glb<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    let claimed = u64::from(u32::from_le_bytes(source.array(8)?));
    if claimed > source.length {
        return Err(claims("the model", claimed, source.length));
    }
    let mut at = 12;
    for n in 0..PARTS_MAX {
        if at + 8 > claimed {
            break;
        }
        let [a, b, c, d, kind @ ..] = source.array::<8>(at)?;
        // The first version has no chunks.
        if n == 0 && &kind != b"JSON" {
            break;
        }
        at += 8 + u64::from(u32::from_le_bytes([a, b, c, d]));
        if kind == [0; 4] || at > claimed {
            return Err(cut("the model's chunks do not fill it"));
        }
    }
    Ok(())
}

/// Checks the size of each part of an AVI; a large one has several.
fn avi<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    let mut at = 0;
    for _ in 0..PARTS_MAX {
        if source.length - at < 12 {
            return Ok(());
        }
        let head: [u8; 12] = source.array(at)?;
        if &head[..4] != b"RIFF" {
            return Ok(());
        }
        let size = u64::from(u32::from_le_bytes(head[4..8].try_into().expect("four bytes are four bytes")));
        let end = at + 8 + size;
        if size < 4 || end > source.length {
            return Err(claims("the video", end, source.length));
        }
        at = (end + size % 2).min(source.length);
    }
    Ok(())
}

/// Checks that the list of contents of a zip archive stands at its end, and behind what it lists.
fn zip<R: Read + Seek>(source: &mut Source<R>) -> Result<(), CraftError> {
    const END_BYTES: u64 = 22;
    let start = source.length.saturating_sub(TAIL_BYTES + END_BYTES);
    let tail = source.up_to(start, TAIL_BYTES + END_BYTES)?;
    let number = |at: usize| tail.get(at..at + 4).map(|b| u32::from_le_bytes(b.try_into().expect("four bytes")));
    let is_end = |at: &usize| {
        // In an archive of more than 4 GB both have their highest value, and the true numbers stand elsewhere.
        let Some((size, start_of_list)) = number(at + 12).zip(number(at + 16)) else { return false };
        let is_large = size == u32::MAX || start_of_list == u32::MAX;
        is_large || u64::from(size) + u64::from(start_of_list) <= start + *at as u64
    };
    let marks = tail.windows(4).enumerate().rev().filter(|(_, window)| *window == b"PK\x05\x06").map(|(at, _)| at);
    let is_whole = marks.take(64).any(|at| is_end(&at));
    if is_whole { Ok(()) } else { Err(cut("the list of its contents is not at its end")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    pub(super) fn check(bytes: impl AsRef<[u8]>, kind: Kind) -> bool {
        let bytes = bytes.as_ref();
        match check_whole(Cursor::new(bytes), bytes.len() as u64, kind) {
            // It is all there, whatever it is.
            Ok(()) | Err(CraftError::NoPictures) => true,
            Err(error) => {
                // A copy of it may still be in progress.
                assert!(error.may_be_incomplete(), "{error}");
                false
            }
        }
    }

    #[test]
    fn ends_and_sizes_are_looked_at() {
        let model = b"glTF\x02\0\0\0\x14\0\0\0........";
        let zip =
            [b"PK\x03\x04....PK\x01\x02....".as_slice(), b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x08\0\0\0\x08\0\0\0\0\0"]
                .concat();
        let avi = |size: u8| [b"RIFF", &[size, 0, 0, 0], &b"AVI LIST"[..]].concat();
        let chunks = |last: &[u8]| [b"glTF\x02\0\0\0\x26\0\0\0\x02\0\0\0JSON{}".as_slice(), last].concat();
        let cases: [(&[u8], Kind, bool); 20] = [
            (&chunks(b"\x08\0\0\0BIN\0........"), Kind::Glb, true),
            // Of its full length, and not written yet.
            (&chunks(&[0; 16]), Kind::Glb, false),
            (b"", Kind::Obj, false),
            (model, Kind::Glb, true),
            (&model[..19], Kind::Glb, false),
            // Some programs fill a model up.
            (b"glTF\x02\0\0\0\x14\0\0\0........\0\0\0", Kind::Glb, true),
            (&avi(8), Kind::Avi, true),
            (&avi(9), Kind::Avi, false),
            (&avi(0), Kind::Avi, false),
            (&[avi(8), avi(9)].concat(), Kind::Avi, false),
            (b"{\"asset\": {}}\r\n", Kind::Gltf, true),
            (b"{\"asset\": {", Kind::Gltf, false),
            (b"<COLLADA></COLLADA>\n", Kind::Dae, true),
            (b"<COLLADA></COLL", Kind::Dae, false),
            (&zip, Kind::Usdz, true),
            (&zip, Kind::ThreeMf, true),
            (&zip[..zip.len() - 20], Kind::ThreeMf, false),
            (&[&zip[..], b"\0\0"].concat(), Kind::Usdz, true),
            (&[b"PXR-USDC\0\x08\0\0\0\0\0\0", &30_u64.to_le_bytes()[..], &[0; 40]].concat(), Kind::Usdc, true),
            (&[b"PXR-USDC\0\x08\0\0\0\0\0\0", &90_u64.to_le_bytes()[..], &[0; 40]].concat(), Kind::Usdc, false),
        ];
        for (n, (bytes, kind, expected)) in cases.into_iter().enumerate() {
            assert_eq!(check(bytes, kind), expected, "case {n}, {kind}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), start in 0..9_usize) {
            const STARTS: [&[u8]; 9] = [b"", b"\0\0\0\x08mdat\0\0\x01\0moov", b"RIFF\xff\0\0\0AVI LIST\x80\0\0\0hdrl", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff", b"Kaydara FBX Binary  \0\x1a\0\x84\x1c\0\0", b"BLENDER-v405REND", b"\x28\xb5\x2f\xfd", b"ply\nformat binary_little_endian 1.0\nelement face 99\nproperty list uchar int v\nend_header\n", b"\0\0\0\x08wide"];
            let bytes = [STARTS[start], &bytes].concat();
            for kind in Kind::ALL {
                let _ = check_whole(Cursor::new(&bytes), bytes.len() as u64, kind);
                let _ = private(Cursor::new(&bytes), bytes.len() as u64, kind);
                let _ = measure(Cursor::new(&bytes), bytes.len() as u64, kind);
            }
        }
    }
}
