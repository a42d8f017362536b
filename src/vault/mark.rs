//! The mark of an area: by it a folder is known from an empty mount point, and from the disk of another mill.

#![expect(clippy::disallowed_methods, reason = "this is the boundary that the ban protects")]

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::own_names::MARK;

/// The largest mark that is read.
const BYTES_MAX: u64 = 4096;
const VERSION: u32 = 1;

/// What a mark says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// There is none.
    Missing,
    /// It is of an older version, and says nothing.
    Blank,
    /// It says whose folder it is.
    Of(Owner),
    /// Stockmill may not read it.
    Closed,
    /// Nobody can tell what it says, and why.
    Unclear(String),
}

/// Which area of which mill a folder is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    version: u32,
    /// The mill.
    pub(super) mill: String,
    /// Its area.
    pub(super) area: String,
}

impl Owner {
    pub(super) fn new(mill: &str, area: &str) -> Self {
        Self { version: VERSION, mill: mill.to_owned(), area: area.to_owned() }
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Mark {
    /// Reads the mark in a folder.
    pub(super) fn read(folder: impl AsFd) -> Self {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(folder, MARK, flags, Mode::empty()) {
            Ok(file) => file,
            // A link is nobody's mark.
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => return Self::Missing,
            // Landlock's rules of the start do not reach a disk that was mounted over them.
            Err(Errno::ACCESS) => return Self::Closed,
            Err(errno) => return Self::Unclear(format!("it cannot be read: {}", io::Error::from(errno))),
        };
        let is_file = |file| Ok::<_, Errno>(FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode));
        if is_file(&file) != Ok(FileType::RegularFile) {
            return Self::Missing;
        }
        let mut text = String::new();
        match File::from(file).take(BYTES_MAX).read_to_string(&mut text) {
            Ok(_) => Self::parse(&text),
            Err(error) => Self::Unclear(format!("it cannot be read: {error}")),
        }
    }

    fn parse(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::Blank;
        }
        match serde_json::from_str::<Versioned>(text) {
            Ok(Versioned { version: VERSION }) => match serde_json::from_str(text) {
                Ok(owner) => Self::Of(owner),
                Err(error) => Self::Unclear(format!("it cannot be understood: {error}")),
            },
            Ok(Versioned { version }) => Self::Unclear(format!("it has version {version}; update stockmill")),
            Err(error) => Self::Unclear(format!("it cannot be understood: {error}")),
        }
    }

    /// Writes a mark into a folder, whole or not at all.
    pub(super) fn write(folder: &Path, owner: &Owner) -> io::Result<()> {
        write_whole(&folder.join(MARK), line(owner).as_bytes())
    }
}

/// The name of a mill, by which its areas are known.
#[derive(Serialize, Deserialize)]
struct Named {
    version: u32,
    mill: String,
}

/// Reads a small record; what is no ordinary file is refused, since reading a pipe may never end.
pub(super) fn read_file(file: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is no ordinary file"));
    }
    std::fs::read(file)
}

/// Reads the name of a mill. What cannot be understood counts as missing: the marks of its areas have the name, too.
pub(super) fn read_name(file: &Path) -> Option<String> {
    let named: Named = serde_json::from_slice(&read_file(file).ok()?).ok()?;
    (named.version == VERSION).then_some(named.mill)
}

/// Writes the name of a mill down.
pub(super) fn write_name(file: &Path, mill: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_whole(file, line(&Named { version: VERSION, mill: mill.to_owned() }).as_bytes())
}

/// Returns a name that no other mill has.
pub(super) fn new_name() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a mark holds nothing that JSON cannot write") + "\n"
}

/// Writes a file durably under another name and gives it its own in one act: a cut leaves no half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(&new)?;
    file.write_all(bytes).and_then(|()| file.sync_all())?;
    std::fs::rename(&new, path)?;
    // Some file systems flush no folders.
    let _ = path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe in the place of a record was read for ever.
    #[test]
    fn what_is_no_ordinary_file_is_no_record() {
        assert!(read_file(Path::new("/dev/zero")).is_err() && read_name(Path::new("/dev/zero")).is_none());
    }

    #[test]
    fn a_mark_says_whose_folder_it_is_or_that_it_is_unclear() {
        let ours = Mark::Of(Owner::new("a1", "raw"));
        let cases = [
            ("", Some(Mark::Blank)),
            ("\n", Some(Mark::Blank)),
            ("{\"version\":1,\"mill\":\"a1\",\"area\":\"raw\"}\n", Some(ours.clone())),
            // A later version may say more.
            ("{\"version\":1,\"mill\":\"a1\",\"area\":\"raw\",\"since\":\"2027\"}", Some(ours.clone())),
            ("{\"version\":2,\"mill\":\"a1\"}", None),
            ("{\"version\":1,\"mill\":\"a1\"", None),
            ("{\"version\":1}", None),
            ("raw", None),
        ];
        let folder = tempfile::tempdir().unwrap();
        let read = || Mark::read(File::open(folder.path()).unwrap());
        assert_eq!(read(), Mark::Missing);
        for (text, expected) in cases {
            std::fs::write(folder.path().join(MARK), text).unwrap();
            match expected {
                Some(expected) => assert_eq!(read(), expected, "{text}"),
                None => assert!(matches!(read(), Mark::Unclear(_)), "{text}"),
            }
        }
        Mark::write(folder.path(), &Owner::new("a1", "raw")).unwrap();
        assert_eq!(read(), ours);
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [MARK]);
        std::fs::remove_file(folder.path().join(MARK)).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join(MARK)).unwrap();
        assert_eq!(read(), Mark::Missing);
    }

    #[test]
    fn every_mill_has_a_name_of_its_own_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".stockmill/mill");
        assert_eq!(read_name(&file), None);
        let name = new_name();
        write_name(&file, &name).unwrap();
        assert_eq!(read_name(&file), Some(name.clone()));
        assert!(name.len() == 16 && name != new_name());
        std::fs::write(&file, "{").unwrap();
        assert_eq!(read_name(&file), None);
    }
}
