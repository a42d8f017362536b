use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use super::disk::no_file;
use super::lease;
use super::real::answers::identity;
use crate::model::Identity;

/// A file that lies in no area and belongs to a person, such as the settings, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Which state of which file was read.
    pub identity: Identity,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether somebody had it open for writing, or changed it while it was read; `None` where that cannot be
    /// known.
    pub has_writer: Option<bool>,
}

/// Reads at most `bytes_max` of a file, wherever it lies; a link is followed. What would make the reader wait,
/// such as a FIFO, is refused.
pub fn read_outside(path: &Path, bytes_max: u64) -> io::Result<Outside> {
    let file = open_outside(path)?;
    let before = fstat(&file)?;
    let kind = FileType::from_raw_mode(before.st_mode);
    let mut bytes = Vec::new();
    (&file).take(bytes_max).read_to_end(&mut bytes)?;
    let handle = file.into();
    // The device `/dev/null` has no writers that matter.
    let has_writer = if kind == FileType::RegularFile { lease::has_writer(&handle) } else { Some(false) };
    let (seen, now) = (identity(&before), identity(&fstat(&handle)?));
    let has_writer = if seen == now { has_writer } else { Some(true) };
    Ok(Outside { identity: now, bytes, has_writer })
}

/// Opens a file, wherever it lies, as it is opened to be read as a whole.
pub fn open_outside(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let handle = open(path, flags, Mode::empty())?;
    match FileType::from_raw_mode(fstat(&handle)?.st_mode) {
        FileType::RegularFile | FileType::CharacterDevice => Ok(handle.into()),
        other => Err(no_file(other == FileType::Directory)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_writer_is_seen_and_nothing_makes_the_reader_wait() {
        let folder = tempfile::NamedTempFile::new().unwrap();
        let look = || read_outside(folder.path(), 4).unwrap();
        folder.as_file().write_all(b"abcdef").unwrap();
        assert_eq!((look().bytes, look().identity.size), (b"abcd".to_vec(), 6));
        // Where the file system grants no lease, nobody knows.
        assert_ne!(look().has_writer, Some(false));
        let path = folder.into_temp_path();
        assert_ne!(read_outside(&path, 4).unwrap().has_writer, Some(true));
        assert_eq!(read_outside(Path::new("/dev/null"), 4).unwrap().bytes, b"");
        assert!(read_outside(Path::new("/"), 4).is_err());
    }
}
