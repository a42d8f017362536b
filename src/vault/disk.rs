use std::ffi::OsString;
use std::fmt;
use std::io;

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
}

/// Which of a disk's calls went wrong, on what, and why.
#[derive(Debug, thiserror::Error)]
#[error("{call} `{path}`: {source}")]
pub struct DiskError {
    /// The call, as a verb.
    pub call: &'static str,
    /// The path that it was for.
    pub path: RelPath,
    /// What the system said.
    pub source: io::Error,
}

impl DiskError {
    /// Returns the system's answer in one word.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// A file that can be read from any place.
pub trait ReadSeek: io::Read + io::Seek {}
impl<T: io::Read + io::Seek> ReadSeek for T {}

/// A disk's answer.
pub type DiskResult<T> = Result<T, DiskError>;

/// Every way in which stockmill may touch the disk. Small, so that a test can put a power cut or a
/// fault at each call. Paths stay below the root, and symbolic links are never followed.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Returns what a name stands for, or `None` if it is free.
    fn look(&self, path: &RelPath) -> DiskResult<Option<Entry>>;
    /// Returns the names in a folder, unordered.
    fn list(&self, folder: &RelPath) -> DiskResult<Vec<(OsString, Entry)>>;
    /// Returns a file's bytes; refuses a file of more than `bytes_max`.
    fn read(&self, path: &RelPath, bytes_max: u64) -> DiskResult<Vec<u8>>;
    /// Opens a regular file for reading; anything else is refused without waiting on it.
    fn open(&self, path: &RelPath) -> DiskResult<Box<dyn ReadSeek>>;
    /// Returns the hash of a file's bytes.
    fn hash(&self, path: &RelPath) -> DiskResult<ContentHash>;
    /// Makes one folder; it is fine if it is there.
    fn make_folder(&self, path: &RelPath) -> DiskResult<()>;
    /// Writes a new file; the name must be free.
    fn write_new(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()>;
    /// Adds bytes to the end of a file, making it if need be.
    fn append(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()>;
    /// Copies a file to a name that must be free.
    fn copy_new(&self, from: &RelPath, to: &RelPath) -> DiskResult<()>;
    /// Gives a file a second name, which must be free.
    fn link(&self, from: &RelPath, to: &RelPath) -> DiskResult<()>;
    /// Renames a file to a name that must be free; one atomic act, never check-then-act.
    fn place(&self, from: &RelPath, to: &RelPath) -> DiskResult<()>;
    /// Renames a file over a record of stockmill's own; one atomic act.
    fn replace(&self, from: &RelPath, to: &RelPath) -> DiskResult<()>;
    /// Removes a file's name.
    fn remove(&self, path: &RelPath) -> DiskResult<()>;
    /// Makes a file's bytes durable.
    fn sync_file(&self, path: &RelPath) -> DiskResult<()>;
    /// Makes a folder's names durable.
    fn sync_folder(&self, folder: &RelPath) -> DiskResult<()>;
    /// Makes the bytes of all files durable on the file system that holds `folder`.
    fn sync_all(&self, folder: &RelPath) -> DiskResult<()>;
    /// Returns whether somebody has the file open for writing; `None` where that cannot be known.
    fn has_writer(&self, path: &RelPath) -> DiskResult<Option<bool>>;
    /// Returns a name for the file system that holds an area: equal means that a rename can work.
    fn device(&self, area: &RelPath) -> DiskResult<u64>;
}
