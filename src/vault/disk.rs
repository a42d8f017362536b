use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::handles::AtWork;
use super::own_names::{SCRATCH, home_programs, home_scratch};
use crate::model::{ContentHash, Identity, RelPath};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link; never followed.
    Link,
    /// A FIFO, socket or device; never opened.
    Special,
}

/// What is known of a name without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What it stands for.
    pub what: What,
    /// Which state of which file.
    pub identity: Identity,
    /// Time of the last change of the bytes, the name or the mode, in nanoseconds since 1970.
    pub changed_ns: i64,
    /// How many names the file has.
    pub links: u64,
    /// The bytes that really lie on the disk; fewer than the length where a file has holes.
    pub allocated: u64,
    /// Whether it belongs to another user, or has bits that let it run as its owner.
    pub is_foreign: bool,
}

impl Entry {
    /// Returns an ordinary file, for tests that need one.
    #[cfg(test)]
    pub(crate) fn file(identity: Identity, changed_ns: i64) -> Self {
        let allocated = identity.size;
        Self { what: What::File, identity, changed_ns, links: 1, allocated, is_foreign: false }
    }

    /// Returns whether the file must be copied where another could be renamed: somebody else may
    /// write to it under a further name, or it brings an owner or a mode that must not come along.
    pub fn needs_copy(&self) -> bool {
        self.links > 1 || self.is_foreign
    }
}

/// What a file system is, by its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystem {
    /// Its name, or its number where the name is not known.
    pub name: String,
    /// Whether changes may come from elsewhere, without an event: the network, a program.
    pub is_remote: bool,
}

/// How much room a file system has, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What may still be written.
    pub free: u64,
    /// All that there is.
    pub total: u64,
    /// How many more files it can hold; `None` where it does not count them.
    pub files: Option<u64>,
}

/// What a disk could not do, with what, and why.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be {call}: {}", shown(path), plain(source))]
pub struct DiskError {
    /// What could not be done to the path, as a participle.
    pub call: &'static str,
    /// The path that it was for.
    pub path: RelPath,
    /// What the system said.
    pub source: io::Error,
}

/// Returns the part of a path that helps a person. A product in scratch gets another number at each try, and the
/// same trouble must give the same line.
fn shown(path: &RelPath) -> RelPath {
    let is_scratch = |folder: &RelPath| folder.file_name() == SCRATCH || *folder == home_scratch();
    let programs = Some(home_programs()).filter(|programs| path.is_in(programs));
    programs.or(path.parent().filter(is_scratch)).unwrap_or_else(|| path.clone())
}

/// Returns the words of a system's error for a person, and what to do where that is known.
pub fn plain(error: &io::Error) -> String {
    let known = match error.kind() {
        // Words of our own stay as they are.
        _ if error.raw_os_error().is_none() && error.get_ref().is_some() => "",
        io::ErrorKind::PermissionDenied => {
            "the user that stockmill runs as may not do that; give it the rights (`ls -ld` shows them) or the ownership"
        }
        io::ErrorKind::StorageFull => "its disk is full; make room",
        io::ErrorKind::QuotaExceeded => "the quota on its disk is used up; make room",
        io::ErrorKind::ReadOnlyFilesystem => "its disk is mounted read-only; mount it for writing",
        io::ErrorKind::NotFound => "it is not there",
        io::ErrorKind::AlreadyExists => "something else has that name",
        io::ErrorKind::IsADirectory => "it is a folder, and a file is expected here",
        io::ErrorKind::NotADirectory => "a file has its name, or lies above it, and a folder is expected here",
        io::ErrorKind::ResourceBusy => "another program is using it; close that program",
        _ if error.raw_os_error() == Some(libc::ELOOP) => {
            "it is a symbolic link, or lies behind one, and links are never followed; put there what it leads to"
        }
        _ if error.raw_os_error() == Some(libc::EIO) => {
            "its disk reports an error of the device; see `dmesg`, and have a backup"
        }
        _ => "",
    };
    let words = error.to_string();
    let without_number = words.split(" (os error").next().unwrap_or_default();
    if known.is_empty() { without_number.to_owned() } else { known.to_owned() }
}

impl DiskError {
    /// Returns the kind of the system's error.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    /// Returns whether a link, a folder or a device lies where a file is expected: nobody but a person changes that.
    pub fn is_no_file(&self) -> bool {
        let system = self.source.raw_os_error();
        system == Some(libc::ELOOP) || system.is_none() && self.kind() == io::ErrorKind::InvalidInput
    }

    /// Returns why, in plain words, and what to do where that is known.
    pub fn why(&self) -> String {
        plain(&self.source)
    }

    /// Returns the same error for another plan that it concerns as well.
    pub(super) fn again(&self) -> Self {
        let source = self.source.raw_os_error().map_or_else(|| self.kind().into(), io::Error::from_raw_os_error);
        Self { call: self.call, path: self.path.clone(), source }
    }
}

/// Why an area cannot be worked on. Nothing is concluded from what is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Detached {
    /// There is no such folder.
    #[error("its folder `{0}` is missing; mount its disk, or make it again with `stockmill init`")]
    Missing(String),
    /// Another folder lies there, as an empty mount point does.
    #[error(
        "`{0}` is not the folder that it was: its mark `.stockmill-area` is not there. \
         Is its disk mounted? If you changed it on purpose, run `stockmill init`"
    )]
    Other(String),
    /// A folder that is marked, and not as this area of this mill.
    #[error(
        "`{folder}` is not this mill's `{area}`: {why}. Mount the right disk; or, if this folder is meant from now on, \
         delete the file `.stockmill-area` in it and run `stockmill init`"
    )]
    NotOurs {
        /// The folder.
        folder: String,
        /// The area.
        area: String,
        /// What its mark says.
        why: String,
    },
    /// Nothing can be written there.
    #[error("`{0}` is mounted read-only; mount it for writing")]
    ReadOnly(String),
    /// The system does not let it be opened.
    #[error("`{folder}` cannot be used: {why}")]
    Refused {
        /// The folder.
        folder: String,
        /// What the system said.
        why: String,
    },
}

/// Returns the error of something that is read and is no file.
pub(super) fn no_file(is_folder: bool) -> io::Error {
    let why = if is_folder { "it is not a regular file: a folder has its name" } else { "it is not a regular file" };
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// A file that can be read from any place.
pub trait ReadSeek: io::Read + io::Seek {}
impl<T: io::Read + io::Seek> ReadSeek for T {}

/// A disk's answer.
pub type DiskResult<T> = Result<T, DiskError>;

/// Every way in which stockmill looks at the disk. Nothing changes by it. Small, so that a test can put a
/// fault at each call. Paths stay below the root, and symbolic links are never followed.
pub trait Look: Send + Sync + fmt::Debug {
    /// Announces a series of calls: until the answer is dropped, a folder that was found may be used again for
    /// some milliseconds.
    fn at_work(&self) -> AtWork {
        AtWork::default()
    }
    /// Returns what a name stands for, or `None` if it is free.
    fn stat(&self, path: &RelPath) -> DiskResult<Option<Entry>>;
    /// Calls `tell` for each name in a folder, in no order. After an error, some names may not have been told.
    fn each(&self, folder: &RelPath, tell: &mut dyn FnMut(&OsStr, Entry)) -> DiskResult<()>;
    /// Returns the names in a folder, in no order.
    fn list(&self, folder: &RelPath) -> DiskResult<Vec<(OsString, Entry)>> {
        let mut found = Vec::new();
        self.each(folder, &mut |name, entry| found.push((name.to_owned(), entry)))?;
        Ok(found)
    }
    /// Returns a file's bytes; refuses a file of more than `bytes_max`.
    fn read(&self, path: &RelPath, bytes_max: u64) -> DiskResult<Vec<u8>>;
    /// Opens a regular file for reading; anything else is refused without waiting on it.
    fn open(&self, path: &RelPath) -> DiskResult<Box<dyn ReadSeek>>;
    /// Opens a regular file for reading, if it is the one that was seen: a path may lead to another one by
    /// now, and a handle stays with the file that it was opened on.
    fn open_as(&self, path: &RelPath, seen: Identity) -> DiskResult<Box<dyn ReadSeek>>;
    /// Returns the hash of a file's bytes.
    fn hash(&self, path: &RelPath) -> DiskResult<ContentHash>;
    /// Returns whether somebody has the file open for writing; `None` where that cannot be known, and where a
    /// part of the file is perhaps not written yet.
    fn has_writer(&self, path: &RelPath) -> DiskResult<Option<bool>>;
    /// Returns a number for the mount that holds a folder, or would hold it once it is made: equal
    /// means that a rename can work.
    fn device(&self, folder: &RelPath) -> DiskResult<u64>;
    /// Returns what the file system that holds a folder is.
    fn file_system(&self, folder: &RelPath) -> DiskResult<FileSystem>;
    /// Returns how much room the file system that holds a folder has.
    fn space(&self, folder: &RelPath) -> DiskResult<Space>;
    /// Returns where a path lies for other programs; `None` on a disk that they do not see.
    fn real_path(&self, _path: &RelPath) -> Option<PathBuf> {
        None
    }
    /// Makes sure that an area is the folder that it was, and can be written to. An area whose folder would be
    /// made by [`Disk::make_area`] is empty rather than away.
    fn attach(&self, area: &RelPath) -> Result<(), Detached>;
}

/// Every way in which stockmill changes the disk; only this room does. Small, so that a test can put a power
/// cut or a fault at each call.
pub trait Disk: Look {
    /// Makes one folder; it is fine if it is there.
    fn make_folder(&self, path: &RelPath) -> DiskResult<()>;
    /// Writes a new file; the name must be free.
    fn write_new(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()>;
    /// Makes a new file to be written piece by piece; the name must be free. What was written stays after an error:
    /// the caller removes it.
    fn create_new(&self, path: &RelPath) -> DiskResult<Box<dyn io::Write + Send + '_>>;
    /// Adds bytes to the end of a file, making it if need be.
    fn append(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()>;
    /// Copies a file, the one that was `seen` if that is given, to a name that must be free.
    fn copy_new(&self, from: &RelPath, to: &RelPath, seen: Option<Identity>) -> DiskResult<()>;
    /// Gives a file a second name, which must be free.
    fn link(&self, from: &RelPath, to: &RelPath) -> DiskResult<()>;
    /// Renames a file to a name that must be free, in one atomic act; `Unsupported` where the file
    /// system cannot. Callers use `place`, which knows other ways.
    fn rename_new(&self, from: &RelPath, to: &RelPath) -> DiskResult<()>;
    /// Exchanges the names of two files in one atomic act; `Unsupported` where the file system cannot.
    fn exchange(&self, one: &RelPath, other: &RelPath) -> DiskResult<()>;
    /// Renames a file over another; one atomic act.
    fn replace(&self, from: &RelPath, to: &RelPath) -> DiskResult<()>;
    /// Removes a folder that is empty; any other is refused.
    fn remove_folder(&self, path: &RelPath) -> DiskResult<()>;
    /// Removes a file's name.
    fn remove(&self, path: &RelPath) -> DiskResult<()>;
    /// Makes a file's bytes durable.
    fn sync_file(&self, path: &RelPath) -> DiskResult<()>;
    /// Makes a folder's names durable.
    fn sync_folder(&self, folder: &RelPath) -> DiskResult<()>;
    /// Makes the bytes of all files durable on the file system that holds the root.
    fn sync_all(&self) -> DiskResult<()>;
    /// Attaches an area, and makes its folder and its mark where they are missing and may be made. Until this
    /// succeeds, nothing in the area is touched.
    fn make_area(&self, area: &RelPath) -> Result<(), Detached>;
}
