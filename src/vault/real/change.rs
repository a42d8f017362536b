use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::{Errno, retry_on_intr};

use super::answers::{said, unsupported};
use super::{NEW_FOLDER, RealDisk};
use crate::model::{Identity, RelPath};
use crate::vault::disk::{Detached, Disk, DiskResult};
use crate::vault::own_names;

impl RealDisk {
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

    /// Removes a new file that was written in part.
    fn cleared(&self, path: &RelPath, written: DiskResult<()>) -> DiskResult<()> {
        if written.is_err() {
            let _ = self.remove(path);
        }
        written
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
        said("made", path, if made == Err(Errno::EXIST) { Ok(()) } else { made })
    }

    fn write_new(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()> {
        let file = said("written", path, self.handle(path, OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY))?;
        let written = File::from(file).write_all(bytes);
        self.cleared(path, said("written", path, written))
    }

    fn create_new(&self, path: &RelPath) -> DiskResult<Box<dyn io::Write + Send + '_>> {
        let file = said("written", path, self.handle(path, OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY))?;
        Ok(Box::new(File::from(file)))
    }

    fn append(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()> {
        let append = || -> io::Result<()> {
            let file = self.handle(path, OFlags::CREATE | OFlags::APPEND | OFlags::WRONLY)?;
            File::from(file).write_all(bytes)
        };
        said("written", path, append())
    }

    fn copy_new(&self, from: &RelPath, to: &RelPath, seen: Option<Identity>) -> DiskResult<()> {
        let (mut source, _) = said("copied", from, self.open_regular(from, seen))?;
        let target = said("written", to, self.handle(to, OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY))?;
        let mut target = File::from(target);
        let mut copy = || -> io::Result<()> {
            // Linux copies from file to file itself: where the file system can share blocks, none is written twice.
            io::copy(&mut source, &mut target)?;
            let stat = rustix::fs::fstat(&source)?;
            let modified = Timespec { tv_sec: stat.st_mtime, tv_nsec: i64::try_from(stat.st_mtime_nsec).unwrap_or(0) };
            // A copy that cannot carry the time is a copy all the same.
            let _ = rustix::fs::futimens(&target, &Timestamps { last_access: modified, last_modification: modified });
            Ok(())
        };
        let copied = copy();
        self.cleared(to, said("copied", from, copied))
    }

    fn link(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        let link = || -> Result<(), Errno> {
            let ((old, old_name), (new, new_name)) = (self.parent(from)?, self.parent(to)?);
            retry_on_intr(|| rustix::fs::linkat(&*old, old_name, &*new, new_name, AtFlags::empty()))
        };
        said("linked", from, unsupported(link()))
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        said("moved", from, unsupported(self.rename(from, to, RenameFlags::NOREPLACE)))
    }

    fn exchange(&self, one: &RelPath, other: &RelPath) -> DiskResult<()> {
        said("exchanged", one, unsupported(self.rename(one, other, RenameFlags::EXCHANGE)))
    }

    fn replace(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        said("replaced", to, self.rename(from, to, RenameFlags::empty()))
    }

    fn remove_folder(&self, path: &RelPath) -> DiskResult<()> {
        let removed = self
            .parent(path)
            .and_then(|(folder, name)| retry_on_intr(|| rustix::fs::unlinkat(&*folder, name, AtFlags::REMOVEDIR)));
        said("removed", path, removed)
    }

    fn remove(&self, path: &RelPath) -> DiskResult<()> {
        let removed = self
            .parent(path)
            .and_then(|(folder, name)| retry_on_intr(|| rustix::fs::unlinkat(&*folder, name, AtFlags::empty())));
        said("removed", path, removed)
    }

    fn sync_file(&self, path: &RelPath) -> DiskResult<()> {
        let handle = said("opened", path, self.handle(path, OFlags::RDONLY))?;
        said("flushed to the disk", path, retry_on_intr(|| rustix::fs::fdatasync(&handle)))
    }

    fn sync_folder(&self, folder: &RelPath) -> DiskResult<()> {
        let handle = said("opened", folder, self.found_anew(folder))?;
        let synced = retry_on_intr(|| rustix::fs::fsync(&handle));
        // Some file systems cannot flush a folder; their names are durable by themselves or not at all.
        said("flushed to the disk", folder, if synced == Err(Errno::INVAL) { Ok(()) } else { synced })
    }

    fn sync_all(&self) -> DiskResult<()> {
        let home = self.home.as_ref().ok_or(io::ErrorKind::Unsupported);
        let synced = home.map_err(Into::into).and_then(|home| Ok(retry_on_intr(|| rustix::fs::syncfs(home))?));
        said::<()>("flush the disk of", &own_names::home(), synced as io::Result<()>)
    }

    fn make_area(&self, area: &RelPath) -> Result<(), Detached> {
        self.areas.make(area.area())
    }
}
