use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::RealDisk;
use super::answers::{identity, nanoseconds, said};
use crate::model::{ContentHash, Identity, RelPath};
use crate::vault::disk::{Detached, DiskResult, Entry, FileSystem, Look, ReadSeek, Space, What};
use crate::vault::handles::{AtWork, Folder};
use crate::vault::{file_system, lease};

/// Bits that let a file run as its owner or group.
const SET_ID: Mode = Mode::from_raw_mode(0o6000);

impl RealDisk {
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
}

/// Returns whether somebody has an open file open for writing, as far as the kernel can tell. A lease says
/// nothing of writers on other machines, NFS refuses it always, and a file with a hole is perhaps not written yet.
fn writer_of(file: &OwnedFd) -> Option<bool> {
    let told = lease::has_writer(file)?;
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

impl Look for RealDisk {
    fn at_work(&self) -> AtWork {
        self.handles.at_work()
    }

    fn stat(&self, path: &RelPath) -> DiskResult<Option<Entry>> {
        said("examined", path, self.stat_of(path))
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
        said("listed", folder, list())
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
        said("opened", path, self.open_regular(path, None).map(|(file, _)| Box::new(file) as Box<dyn ReadSeek>))
    }

    fn open_as(&self, path: &RelPath, seen: Identity) -> DiskResult<Box<dyn ReadSeek>> {
        said("opened", path, self.open_regular(path, Some(seen)).map(|(file, _)| Box::new(file) as Box<dyn ReadSeek>))
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
        said("examined", path, self.handle(path, OFlags::RDONLY).map(|file| writer_of(&file)))
    }

    fn device(&self, folder: &RelPath) -> DiskResult<u64> {
        said("examined", folder, self.nearest(folder).and_then(|handle| handle.device()))
    }

    fn file_system(&self, folder: &RelPath) -> DiskResult<FileSystem> {
        let stat = self.nearest(folder).and_then(|handle| rustix::fs::fstatfs(&*handle));
        said("examined", folder, stat.map(|stat| file_system::of(&stat)))
    }

    fn space(&self, folder: &RelPath) -> DiskResult<Space> {
        let stat = self.nearest(folder).and_then(|handle| rustix::fs::fstatvfs(&*handle));
        let space = |stat: rustix::fs::StatVfs| Space {
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            files: (stat.f_files > 0).then_some(stat.f_favail),
        };
        said("examined", folder, stat.map(space))
    }

    fn real_path(&self, path: &RelPath) -> Option<PathBuf> {
        Some(self.layout().real_path(path))
    }

    fn attach(&self, area: &RelPath) -> Result<(), Detached> {
        self.areas.attach(area.area())
    }
}
