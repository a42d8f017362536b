#![expect(clippy::disallowed_methods, reason = "this is the boundary that the ban protects")]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use self::answers::identity;
use self::beneath::beneath;
use super::areas::{Areas, Layout};
use super::disk::{Detached, Look, no_file};
use super::handles::{Folder, Handles};
use crate::model::{Identity, RelPath};

pub(super) mod answers;
mod beneath;
mod change;
mod look;

/// The disk of this machine. Every path is opened beneath its area, and no symbolic link is followed.
#[derive(Debug)]
pub struct RealDisk {
    areas: Areas,
    /// The root's file system, held from the start: a failed write between two flushes is told only to
    /// a handle that was open before.
    home: Option<OwnedFd>,
    handles: Arc<Handles>,
    /// Our user; asking the system for every file would cost as much as its stat.
    user: u32,
}

const NEW_FILE: Mode = Mode::from_raw_mode(0o644);
const NEW_FOLDER: Mode = Mode::from_raw_mode(0o755);

impl RealDisk {
    /// Opens the disk, making the root if it is not there. No area is attached yet.
    pub fn open(layout: Layout) -> io::Result<Self> {
        std::fs::create_dir_all(layout.home())?;
        let home =
            rustix::fs::open(layout.home(), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self::over(Areas::bound(layout), Some(home)))
    }

    /// Opens the disk to look at it: nothing can be changed, and every area is taken as it is found.
    pub fn open_to_look(layout: Layout) -> Arc<dyn Look> {
        Arc::new(Self::open_beside_daemon(layout))
    }

    /// Opens the disk to leave a request for whoever has the lock. Every area is taken as it is found.
    pub fn open_beside_daemon(layout: Layout) -> Self {
        Self::over(Areas::unbound(layout), None)
    }

    fn over(areas: Areas, home: Option<OwnedFd>) -> Self {
        Self { areas, home, handles: Arc::default(), user: rustix::process::geteuid().as_raw() }
    }

    /// Makes an area's folder if it is missing, and takes it for the right one whatever lies there.
    pub fn adopt(&self, area: &RelPath) -> Result<(), Detached> {
        self.areas.adopt(area.area())
    }

    /// Writes a new file directly into the root, durably; a file that is there stays as it is.
    pub fn write_root_file(&self, path: &RelPath, bytes: &[u8]) -> io::Result<()> {
        let target = self.layout().root.join(path.as_path());
        match std::fs::OpenOptions::new().write(true).create_new(true).open(target) {
            Ok(mut file) => file.write_all(bytes).and_then(|()| file.sync_all()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a folder directly in the root; one that is there stays as it is.
    pub fn make_root_folder(&self, name: &str) -> io::Result<()> {
        match std::fs::create_dir(self.layout().root.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns where the areas lie.
    pub fn layout(&self) -> &Layout {
        self.areas.layout()
    }

    fn handle(&self, path: &RelPath, flags: OFlags) -> Result<OwnedFd, Errno> {
        let (folder, name) = match path.parent() {
            Some(folder) => (self.folder(&folder)?, path.file_name()),
            None => (self.folder(path)?, OsStr::new(".")),
        };
        // A FIFO must not make the daemon wait.
        let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = if flags.contains(OFlags::CREATE) { NEW_FILE } else { Mode::empty() };
        beneath(&*folder, name, flags, mode)
    }

    /// Opens a folder, from which other names are found.
    fn folder(&self, path: &RelPath) -> Result<Arc<Folder>, Errno> {
        if let Some(handle) = self.handles.get(path) {
            return Ok(handle);
        }
        let (handle, since) = match path.parent() {
            None => (self.areas.open(path.area())?, Instant::now()),
            Some(parent) => {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                let parent = self.folder(&parent)?;
                // It is as old as the folder through which it was found.
                (beneath(&*parent, path.file_name(), flags, Mode::empty())?, parent.since())
            }
        };
        Ok(self.handles.keep(path, handle, since))
    }

    /// Opens a folder to list or flush it, found anew: it must be the one that has the name now.
    fn found_anew(&self, path: &RelPath) -> Result<OwnedFd, Errno> {
        let area = self.areas.open(path.area())?;
        let below = path.as_path().strip_prefix(path.area()).expect("a path begins with its area");
        let below = if below.as_os_str().is_empty() { OsStr::new(".") } else { below.as_os_str() };
        beneath(&area, below, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())
    }

    /// Opens the folder that holds `path`, and returns the name in it.
    fn parent<'p>(&self, path: &'p RelPath) -> Result<(Arc<Folder>, &'p OsStr), Errno> {
        let folder = path.parent().ok_or(Errno::INVAL)?;
        Ok((self.folder(&folder)?, path.file_name()))
    }

    /// Opens a regular file, the one that was `seen` if that is given, and returns its size.
    fn open_regular(&self, path: &RelPath, seen: Option<Identity>) -> io::Result<(File, u64)> {
        let file = File::from(self.handle(path, OFlags::RDONLY)?);
        let stat = rustix::fs::fstat(&file)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind != FileType::RegularFile {
            return Err(no_file(kind == FileType::Directory));
        }
        let found = identity(&stat);
        if seen.is_none_or(|seen| seen == found) {
            return Ok((file, found.size));
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "another file has its name now"))
    }
}
