#![expect(clippy::disallowed_methods, reason = "this is the boundary that the ban protects")]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat, Timespec, Timestamps};
use rustix::io::{Errno, retry_on_intr};

use super::areas::{Areas, Layout};
use super::disk::{Detached, Disk, DiskError, DiskResult, Entry, FileSystem, Look, ReadSeek, Space, What};
use super::file_system;
use super::handles::{AtWork, Folder, Handles};
use crate::model::{ContentHash, Identity, RelPath};

/// The disk of this machine. Every path is opened beneath its area, and no symbolic link is followed.
#[derive(Debug)]
pub struct RealDisk {
    areas: Areas,
    /// The root's file system, held from the start: a failed write between two flushes is told only to
    /// a handle that was open before.
    home: Option<OwnedFd>,
    handles: Arc<Handles>,
    /// Who we are; asking the system for every file costs as much as looking at it.
    user: u32,
}

const NEW_FILE: Mode = Mode::from_raw_mode(0o644);
const NEW_FOLDER: Mode = Mode::from_raw_mode(0o755);
/// How often an open that is to be tried again is.
const AGAIN_MAX: u32 = 100;
/// Bits that let a file run as its owner or group.
const SET_ID: Mode = Mode::from_raw_mode(0o6000);

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

    /// Opens a folder as a place to start from.
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
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let found = identity(&stat);
        if seen.is_none_or(|seen| seen == found) {
            return Ok((file, found.size));
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "another file has its name now"))
    }

    fn rename(&self, from: &RelPath, to: &RelPath, flags: RenameFlags) -> Result<(), Errno> {
        let ((old, old_name), (new, new_name)) = (self.parent(from)?, self.parent(to)?);
        retry_on_intr(|| {
            if flags.is_empty() {
                rustix::fs::renameat(&*old, old_name, &*new, new_name)
            } else {
                rustix::fs::renameat_with(&*old, old_name, &*new, new_name, flags)
            }
        })
    }

    /// Opens a folder, or the nearest one above it that is there.
    fn nearest(&self, folder: &RelPath) -> Result<Arc<Folder>, Errno> {
        let mut folder = folder.clone();
        loop {
            match (self.folder(&folder), folder.parent()) {
                (Err(Errno::NOENT), Some(parent)) => folder = parent,
                (opened, _) => return opened,
            }
        }
    }

    /// Takes a half-written new file away again.
    fn cleared(&self, path: &RelPath, written: DiskResult<()>) -> DiskResult<()> {
        if written.is_err() {
            let _ = self.remove(path);
        }
        written
    }

    fn stat_of(&self, path: &RelPath) -> Result<Option<Entry>, Errno> {
        let stat = match path.parent() {
            None => self.folder(path).and_then(|folder| rustix::fs::fstat(&*folder)),
            Some(_) => self.parent(path).and_then(|(folder, name)| {
                retry_on_intr(|| rustix::fs::statat(&*folder, name, AtFlags::SYMLINK_NOFOLLOW))
            }),
        };
        match stat {
            Ok(stat) => Ok(Some(self.entry(&stat))),
            // A name that is too long for the file system is nobody's.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn entry(&self, stat: &Stat) -> Entry {
        let what = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => What::File,
            FileType::Directory => What::Folder,
            FileType::Symlink => What::Link,
            _ => What::Special,
        };
        let has_set_id = Mode::from_raw_mode(stat.st_mode).intersects(SET_ID);
        Entry {
            what,
            identity: identity(stat),
            changed_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
            links: stat.st_nlink,
            allocated: u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512),
            is_foreign: has_set_id || stat.st_uid != self.user,
        }
    }
}

/// Opens a path that cannot leave `folder` and crosses no symbolic link (Linux 5.6 and later).
fn beneath(folder: impl AsFd, path: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let mut again = 0;
    loop {
        match rustix::fs::openat2(&folder, path, flags, mode, resolve) {
            Err(Errno::INTR) => (),
            // Something above was renamed in this moment; or another program has a lease on the file, and
            // that can take a minute.
            Err(Errno::AGAIN) if again < AGAIN_MAX => again += 1,
            Err(Errno::NOSYS) => return step_by_step(folder.as_fd(), path, flags, mode),
            other => return other,
        }
    }
}

/// Does the same part by part: systemd's `RestrictSUIDSGID=` answers as if there were no `openat2`, since it
/// cannot see its flags. A path of ours has no `..`, and no part is followed if it is a link.
fn step_by_step(folder: BorrowedFd<'_>, path: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let open = |folder: BorrowedFd<'_>, name: &OsStr, flags, mode| {
        retry_on_intr(|| rustix::fs::openat(folder, name, flags | OFlags::NOFOLLOW, mode))
    };
    let path = Path::new(path);
    let mut inner: Option<OwnedFd> = None;
    for part in path.parent().into_iter().flat_map(Path::iter) {
        let start = inner.as_ref().map_or(folder, AsFd::as_fd);
        inner = Some(open(start, part, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?);
    }
    let start = inner.as_ref().map_or(folder, AsFd::as_fd);
    open(start, path.file_name().unwrap_or(path.as_os_str()), flags, mode)
}

/// Returns whether somebody has an open file open for writing, as far as the kernel's word goes. A lease says
/// nothing of writers on other machines, NFS refuses it always, and a file with a hole is perhaps not written yet.
fn writer_of(file: &OwnedFd) -> Option<bool> {
    let told = super::lease::has_writer(file)?;
    let system = rustix::fs::fstatfs(file).ok().map(|stat| file_system::of(&stat))?;
    match told {
        true if system.name == "nfs" => None,
        false if system.is_remote || has_hole(file) => None,
        told => Some(told),
    }
}

/// Returns whether a part of a file was never written. A file system that compresses makes holes of zeros, too.
fn has_hole(file: &OwnedFd) -> bool {
    let size = rustix::fs::fstat(file).map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
    // Where holes are not known, the first one is said to lie at the end.
    let first = rustix::fs::seek(file, rustix::fs::SeekFrom::Hole(0));
    first.is_ok_and(|first| first < size)
}

pub(super) fn identity(stat: &Stat) -> Identity {
    Identity {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
    }
}

/// Returns a time in nanoseconds since 1970; enough for the years 1678 to 2262.
fn nanoseconds(seconds: i64, nanoseconds: u64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add_unsigned(nanoseconds)
}

/// Adds the call and the path to a system's answer.
fn said<T>(call: &'static str, path: &RelPath, answer: Result<T, impl Into<io::Error>>) -> DiskResult<T> {
    answer.map_err(|error| {
        let source: io::Error = error.into();
        let is_stale = source.raw_os_error() == Some(Errno::STALE.raw_os_error());
        let source = if is_stale { io::Error::new(io::ErrorKind::StaleNetworkFileHandle, STALE) } else { source };
        DiskError { call, path: path.clone(), source }
    })
}

/// What a person reads instead of the system's words, which speak of networks.
const STALE: &str = "its folder is not the one that it was; see whether its disk is mounted";

/// Answers `Unsupported` where a file system does not know a way to rename.
fn unsupported<T>(answer: Result<T, Errno>) -> Result<T, io::Error> {
    answer.map_err(|errno| match errno {
        Errno::INVAL | Errno::NOSYS | Errno::NOTSUP => io::ErrorKind::Unsupported.into(),
        other => other.into(),
    })
}

impl Look for RealDisk {
    fn at_work(&self) -> AtWork {
        self.handles.at_work()
    }

    fn stat(&self, path: &RelPath) -> DiskResult<Option<Entry>> {
        said("look at", path, self.stat_of(path))
    }

    fn each(&self, folder: &RelPath, tell: &mut dyn FnMut(&OsStr, Entry)) -> DiskResult<()> {
        let mut list = || -> Result<(), Errno> {
            let handle = self.found_anew(folder)?;
            for name in rustix::fs::Dir::read_from(&handle)? {
                let name = name?;
                let bytes = name.file_name().to_bytes();
                if bytes == b"." || bytes == b".." {
                    continue;
                }
                match rustix::fs::statat(&handle, name.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => tell(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes), self.entry(&stat)),
                    // It went between the two calls.
                    Err(Errno::NOENT) => (),
                    Err(errno) => return Err(errno),
                }
            }
            Ok(())
        };
        said("list", folder, list())
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> DiskResult<Vec<u8>> {
        let read = || -> io::Result<Vec<u8>> {
            let (file, size) = self.open_regular(path, None)?;
            if size > bytes_max {
                let text = format!("it has {size} bytes; at most {bytes_max} are read");
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
            }
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
            file.take(bytes_max).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        said("read", path, read())
    }

    fn open(&self, path: &RelPath) -> DiskResult<Box<dyn ReadSeek>> {
        said("open", path, self.open_regular(path, None).map(|(file, _)| Box::new(file) as Box<dyn ReadSeek>))
    }

    fn open_as(&self, path: &RelPath, seen: Identity) -> DiskResult<Box<dyn ReadSeek>> {
        said("open", path, self.open_regular(path, Some(seen)).map(|(file, _)| Box::new(file) as Box<dyn ReadSeek>))
    }

    fn hash(&self, path: &RelPath) -> DiskResult<ContentHash> {
        let hash = || -> io::Result<ContentHash> {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(self.open_regular(path, None)?.0)?;
            Ok(ContentHash::from_digest(hasher.finalize()))
        };
        said("read", path, hash())
    }

    fn has_writer(&self, path: &RelPath) -> DiskResult<Option<bool>> {
        said("look at", path, self.handle(path, OFlags::RDONLY).map(|file| writer_of(&file)))
    }

    fn device(&self, folder: &RelPath) -> DiskResult<u64> {
        said("look at", folder, self.nearest(folder).and_then(|handle| handle.device()))
    }

    fn file_system(&self, folder: &RelPath) -> DiskResult<FileSystem> {
        let stat = self.nearest(folder).and_then(|handle| rustix::fs::fstatfs(&*handle));
        said("look at", folder, stat.map(|stat| file_system::of(&stat)))
    }

    fn space(&self, folder: &RelPath) -> DiskResult<Space> {
        let stat = self.nearest(folder).and_then(|handle| rustix::fs::fstatvfs(&*handle));
        let space = |stat: rustix::fs::StatVfs| Space {
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            files: (stat.f_files > 0).then_some(stat.f_favail),
        };
        said("look at", folder, stat.map(space))
    }

    fn attach(&self, area: &RelPath) -> Result<(), Detached> {
        self.areas.attach(area.area())
    }
}

impl Disk for RealDisk {
    fn make_folder(&self, path: &RelPath) -> DiskResult<()> {
        let make =
            |folder: &dyn AsFd, name: &OsStr| retry_on_intr(|| rustix::fs::mkdirat(folder.as_fd(), name, NEW_FOLDER));
        let made = match path.parent() {
            None => make(&rustix::fs::CWD, self.layout().folder(path.area()).as_os_str()),
            Some(_) => self.parent(path).and_then(|(folder, name)| make(&*folder, name)),
        };
        said("make folder", path, if made == Err(Errno::EXIST) { Ok(()) } else { made })
    }

    fn write_new(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()> {
        let file = said("write", path, self.handle(path, OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY))?;
        let written = File::from(file).write_all(bytes);
        self.cleared(path, said("write", path, written))
    }

    fn append(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()> {
        let append = || -> io::Result<()> {
            let file = self.handle(path, OFlags::CREATE | OFlags::APPEND | OFlags::WRONLY)?;
            File::from(file).write_all(bytes)
        };
        said("append to", path, append())
    }

    fn copy_new(&self, from: &RelPath, to: &RelPath, seen: Option<Identity>) -> DiskResult<()> {
        let (mut source, _) = said("copy", from, self.open_regular(from, seen))?;
        let target = said("write", to, self.handle(to, OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY))?;
        let mut target = File::from(target);
        let mut copy = || -> io::Result<()> {
            io::copy(&mut source, &mut target)?;
            let stat = rustix::fs::fstat(&source)?;
            let modified = Timespec { tv_sec: stat.st_mtime, tv_nsec: i64::try_from(stat.st_mtime_nsec).unwrap_or(0) };
            // A copy that cannot carry the time is a copy all the same.
            let _ = rustix::fs::futimens(&target, &Timestamps { last_access: modified, last_modification: modified });
            Ok(())
        };
        let copied = copy();
        self.cleared(to, said("copy", from, copied))
    }

    fn link(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        let link = || -> Result<(), Errno> {
            let ((old, old_name), (new, new_name)) = (self.parent(from)?, self.parent(to)?);
            retry_on_intr(|| rustix::fs::linkat(&*old, old_name, &*new, new_name, AtFlags::empty()))
        };
        said("link", from, unsupported(link()))
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        said("move", from, unsupported(self.rename(from, to, RenameFlags::NOREPLACE)))
    }

    fn exchange(&self, one: &RelPath, other: &RelPath) -> DiskResult<()> {
        said("exchange", one, unsupported(self.rename(one, other, RenameFlags::EXCHANGE)))
    }

    fn replace(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        said("replace", to, self.rename(from, to, RenameFlags::empty()))
    }

    fn remove_folder(&self, path: &RelPath) -> DiskResult<()> {
        let removed = self
            .parent(path)
            .and_then(|(folder, name)| retry_on_intr(|| rustix::fs::unlinkat(&*folder, name, AtFlags::REMOVEDIR)));
        said("remove folder", path, removed)
    }

    fn remove(&self, path: &RelPath) -> DiskResult<()> {
        let removed = self
            .parent(path)
            .and_then(|(folder, name)| retry_on_intr(|| rustix::fs::unlinkat(&*folder, name, AtFlags::empty())));
        said("remove", path, removed)
    }

    fn sync_file(&self, path: &RelPath) -> DiskResult<()> {
        let handle = said("open", path, self.handle(path, OFlags::RDONLY))?;
        said("flush", path, retry_on_intr(|| rustix::fs::fdatasync(&handle)))
    }

    fn sync_folder(&self, folder: &RelPath) -> DiskResult<()> {
        let handle = said("open", folder, self.found_anew(folder))?;
        let synced = retry_on_intr(|| rustix::fs::fsync(&handle));
        // Some file systems cannot flush a folder; their names are durable by themselves or not at all.
        said("flush folder", folder, if synced == Err(Errno::INVAL) { Ok(()) } else { synced })
    }

    fn sync_all(&self) -> DiskResult<()> {
        let home = self.home.as_ref().ok_or(io::ErrorKind::Unsupported);
        let synced = home.map_err(Into::into).and_then(|home| Ok(retry_on_intr(|| rustix::fs::syncfs(home))?));
        said::<()>("flush the disk of", &super::own_names::home(), synced as io::Result<()>)
    }

    fn make_area(&self, area: &RelPath) -> Result<(), Detached> {
        self.areas.make(area.area())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_openat2_no_part_of_a_path_is_followed_either() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("raw/theme")).unwrap();
        std::fs::write(home.path().join("raw/theme/a.png"), "a").unwrap();
        for (link, to) in [("raw/away", "/etc"), ("raw/theme/link.png", "a.png"), ("raw/dot", "theme")] {
            std::os::unix::fs::symlink(to, home.path().join(link)).unwrap();
        }
        let folder = File::open(home.path()).unwrap();
        let open = |path: &str, flags| {
            let by_one = beneath(&folder, path.as_ref(), flags, Mode::empty()).is_ok();
            let by_steps = step_by_step(folder.as_fd(), path.as_ref(), flags, Mode::empty()).is_ok();
            (by_one, by_steps)
        };
        let read = OFlags::RDONLY | OFlags::CLOEXEC;
        for (path, flags, expected) in [
            (".", read | OFlags::DIRECTORY, true),
            ("raw", read | OFlags::DIRECTORY, true),
            ("raw/theme", OFlags::PATH | OFlags::DIRECTORY, true),
            ("raw/theme/a.png", read, true),
            ("raw/theme/a.png", read | OFlags::DIRECTORY, false),
            ("raw/theme/link.png", read, false),
            ("raw/away", read | OFlags::DIRECTORY, false),
            ("raw/away/passwd", read, false),
            ("raw/dot/a.png", read, false),
            ("raw/none/a.png", read, false),
        ] {
            assert_eq!(open(path, flags), (expected, expected), "{path}");
        }
    }
}
