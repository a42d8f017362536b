use std::io::{Read, Seek, SeekFrom};

use super::CraftError;
use crate::model::Kind;

/// The most top-level boxes of a video that are looked at.
const BOXES_MAX: usize = 100_000;

/// Checks, without decoding, that a video or a model is all there. Reads headers only: the file may
/// have many gigabytes.
pub fn check_whole<R: Read + Seek>(mut reader: R, length: u64, kind: Kind) -> Result<(), CraftError> {
    let mut head = [0_u8; 12];
    let read = read_up_to(&mut reader, &mut head)?;
    match kind {
        _ if length == 0 => Err(CraftError::Truncated("it is empty".to_owned())),
        Kind::Mp4 | Kind::Mov => boxes(&mut reader, length),
        Kind::Glb => {
            let claimed = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
            if read == 12 && u64::from(claimed) == length {
                return Ok(());
            }
            Err(CraftError::Truncated(format!("the model says it has {claimed} bytes and has {length}")))
        }
        Kind::Avi => {
            let claimed = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]])) + 8;
            if claimed <= length {
                Ok(())
            } else {
                Err(CraftError::Truncated(format!("the video says it has {claimed} bytes and has {length}")))
            }
        }
        _ => Ok(()),
    }
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, CraftError> {
    let mut done = 0;
    while done < buffer.len() {
        match reader.read(&mut buffer[done..]) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => (),
            Err(error) => return Err(CraftError::Damaged(error.to_string())),
        }
    }
    Ok(done)
}

/// Checks that the boxes of an MP4 or MOV fill the file and that its index is among them
/// (ISO/IEC 14496-12).
fn boxes(reader: &mut (impl Read + Seek), length: u64) -> Result<(), CraftError> {
    let (mut at, mut has_index) = (0_u64, false);
    for _ in 0..BOXES_MAX {
        if at == length {
            let missing = || CraftError::Truncated("the video has no index (`moov`)".to_owned());
            return if has_index { Ok(()) } else { Err(missing()) };
        }
        reader.seek(SeekFrom::Start(at)).map_err(|error| CraftError::Damaged(error.to_string()))?;
        let mut head = [0_u8; 16];
        let read = read_up_to(reader, &mut head)?;
        let small = u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
        let size = match small {
            0 => length - at,
            1 if read == 16 => u64::from_be_bytes(head[8..16].try_into().expect("eight bytes are eight bytes")),
            size => size,
        };
        if read < 8 || size < 8 || at.checked_add(size).is_none_or(|end| end > length) {
            return Err(CraftError::Truncated("the video's boxes do not fill the file".to_owned()));
        }
        has_index |= &head[4..8] == b"moov";
        at += size;
    }
    Err(CraftError::Damaged(format!("the video has more than {BOXES_MAX} boxes")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn check(bytes: &[u8], kind: Kind) -> bool {
        check_whole(Cursor::new(bytes), bytes.len() as u64, kind).is_ok()
    }

    fn part(name: [u8; 4], size: usize) -> Vec<u8> {
        let mut bytes = u32::try_from(size + 8).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(&name);
        bytes.resize(size + 8, 0);
        bytes
    }

    #[test]
    fn what_is_cut_off_is_seen() {
        let video = [part(*b"ftyp", 8), part(*b"mdat", 100), part(*b"moov", 20)].concat();
        assert!(check(&video, Kind::Mp4));
        for cut in [1, 7, 12, 60, video.len() - 28, video.len() - 1] {
            assert!(!check(&video[..cut], Kind::Mp4), "cut at {cut}");
        }
        let mut model = b"glTF\x02\0\0\0\x14\0\0\0........".to_vec();
        assert!(check(&model, Kind::Glb));
        model.pop();
        assert!(!check(&model, Kind::Glb));
        assert!(!check(b"", Kind::Obj));
    }
}
