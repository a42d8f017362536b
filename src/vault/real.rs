#![expect(clippy::disallowed_methods, reason = "this is the boundary that the ban protects")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::disk::{Disk, DiskError, DiskResult, Entry, ReadSeek, What};
use crate::model::{ContentHash, Identity, RelPath};

/// Where each area really lies: a stage folder may be on another disk.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The root; an area that is not named below lies directly under it.
    pub root: PathBuf,
    /// Areas that lie elsewhere, by name.
    pub areas: BTreeMap<OsString, PathBuf>,
}

impl Layout {
    /// Returns the folder of an area.
    pub fn folder(&self, area: &OsStr) -> PathBuf {
        self.areas.get(area).cloned().unwrap_or_else(|| self.root.join(area))
    }

    /// Returns where a path really lies, for messages and for watches.
    pub fn real_path(&self, path: &RelPath) -> PathBuf {
        let mut parts = path.parts();
        let area = parts.next().expect("a path has a part");
        parts.fold(self.folder(area), |folder, part| folder.join(part))
    }
}

/// The disk of this machine. Every path is opened beneath its area, and no symbolic link is followed.
#[derive(Debug)]
pub struct RealDisk {
    layout: Layout,
}

const NEW_FILE: Mode = Mode::from_raw_mode(0o644);
const NEW_FOLDER: Mode = Mode::from_raw_mode(0o755);

impl RealDisk {
    /// Opens the disk, making the areas' folders if they are not there.
    pub fn open(layout: Layout) -> io::Result<Self> {
        std::fs::create_dir_all(layout.root.join(".stockmill"))?;
        for (area, folder) in &layout.areas {
            if !folder.starts_with(&layout.root) {
                claim(&layout.root, area, folder)?;
            }
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self { layout })
    }

    /// Opens the disk for looking only: nothing is made.
    pub fn open_read_only(layout: Layout) -> Self {
        Self { layout }
    }

    /// Writes a new file directly into the root, durably; a file that is there stays as it is.
    pub fn write_root_file(&self, path: &RelPath, bytes: &[u8]) -> io::Result<()> {
        let target = self.layout.root.join(path.as_path());
        match std::fs::OpenOptions::new().write(true).create_new(true).open(target) {
            Ok(mut file) => file.write_all(bytes).and_then(|()| file.sync_all()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Returns where the areas lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    fn area(&self, path: &RelPath) -> Result<OwnedFd, Errno> {
        let folder = self.layout.folder(path.area());
        rustix::fs::open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
    }

    fn handle(&self, path: &RelPath, flags: OFlags) -> Result<OwnedFd, Errno> {
        let area = self.area(path)?;
        let below = path.as_path().strip_prefix(path.area()).expect("a path starts with its area");
        let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        // A FIFO must not make the daemon wait; a mere handle on a path never does.
        let patient = if flags.contains(OFlags::PATH) { OFlags::empty() } else { OFlags::NONBLOCK | OFlags::NOCTTY };
        let flags = flags | patient | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = if flags.contains(OFlags::CREATE) { NEW_FILE } else { Mode::empty() };
        beneath(&area, below, flags, mode)
    }

    /// Opens the folder that holds `path`, and returns the name in it.
    fn parent<'p>(&self, path: &'p RelPath) -> Result<(OwnedFd, &'p OsStr), Errno> {
        let folder = path.parent().ok_or(Errno::INVAL)?;
        Ok((self.handle(&folder, OFlags::PATH | OFlags::DIRECTORY)?, path.file_name()))
    }

    fn open_regular(&self, path: &RelPath) -> io::Result<File> {
        let file = File::from(self.handle(path, OFlags::RDONLY)?);
        if file.metadata()?.is_file() {
            return Ok(file);
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }

    fn look_at(&self, path: &RelPath) -> Result<Option<Entry>, Errno> {
        let stat = match path.parent() {
            None => self.handle(path, OFlags::PATH).and_then(rustix::fs::fstat),
            Some(_) => {
                self.parent(path).and_then(|(folder, name)| rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW))
            }
        };
        match stat {
            Ok(stat) => Ok(Some(entry(&stat))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn place_by_ladder(&self, from: &RelPath, to: &RelPath) -> Result<(), Errno> {
        let ((old, old_name), (new, new_name)) = (self.parent(from)?, self.parent(to)?);
        match rustix::fs::renameat_with(&old, old_name, &new, new_name, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => (),
            other => return other,
        }
        // NFS and FUSE cannot rename without replacing; a link never replaces.
        match rustix::fs::linkat(&old, old_name, &new, new_name, AtFlags::empty()) {
            Ok(()) => return rustix::fs::unlinkat(&old, old_name, AtFlags::empty()),
            Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => (),
            Err(errno) => return Err(errno),
        }
        // exFAT over FUSE has no links either: an empty file of our own claims the name.
        let claim = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        drop(rustix::fs::openat(&new, new_name, claim, NEW_FILE)?);
        rustix::fs::renameat(&old, old_name, &new, new_name)
    }
}

/// The mark in an area that lies outside the root, by which it is known again.
const MARK: &str = ".stockmill-area";

/// Makes sure that an area outside the root is the folder that it was. An empty mount point is not: what
/// would be moved there would lie hidden once its disk is back.
fn claim(root: &Path, area: &OsStr, folder: &Path) -> io::Result<()> {
    let (memory, mark) = (root.join(".stockmill/areas").join(area), folder.join(MARK));
    let known = std::fs::read(&memory).unwrap_or_default();
    let place = std::os::unix::ffi::OsStrExt::as_bytes(folder.as_os_str());
    if known == place && !mark.exists() {
        let (folder, mark, memory) = (folder.display(), mark.display(), memory.display());
        let what = format!("`{folder}` is empty or another folder: `{mark}` is not there. Is its disk mounted?");
        return Err(io::Error::other(format!("{what} If you emptied it on purpose, remove `{memory}`")));
    }
    std::fs::create_dir_all(folder)?;
    std::fs::create_dir_all(root.join(".stockmill/areas"))?;
    let write = |path: &Path, bytes: &[u8]| {
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        file.write_all(bytes).and_then(|()| file.sync_all())
    };
    write(&mark, b"")?;
    write(&memory, place)
}

/// Opens a path that cannot leave `folder` and crosses no symbolic link (Linux 5.6 and later).
fn beneath(folder: &OwnedFd, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    loop {
        match rustix::fs::openat2(folder, path, flags, mode, resolve) {
            Err(Errno::INTR | Errno::AGAIN) => (),
            other => return other,
        }
    }
}

fn entry(stat: &Stat) -> Entry {
    let what = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => What::File,
        FileType::Directory => What::Folder,
        FileType::Symlink => What::Link,
        _ => What::Special,
    };
    // Enough for the years 1678 to 2262.
    let ns =
        |seconds: i64, nanoseconds: u64| seconds.saturating_mul(1_000_000_000).saturating_add_unsigned(nanoseconds);
    let identity = Identity {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified_ns: ns(stat.st_mtime, stat.st_mtime_nsec),
    };
    Entry { what, identity, changed_ns: ns(stat.st_ctime, stat.st_ctime_nsec) }
}

/// Adds the call and the path to a system's answer.
fn said<T>(call: &'static str, path: &RelPath, answer: Result<T, impl Into<io::Error>>) -> DiskResult<T> {
    answer.map_err(|error| DiskError { call, path: path.clone(), source: error.into() })
}

impl Disk for RealDisk {
    fn look(&self, path: &RelPath) -> DiskResult<Option<Entry>> {
        said("look at", path, self.look_at(path))
    }

    fn list(&self, folder: &RelPath) -> DiskResult<Vec<(OsString, Entry)>> {
        let list = || -> Result<Vec<(OsString, Entry)>, Errno> {
            let handle = self.handle(folder, OFlags::RDONLY | OFlags::DIRECTORY)?;
            let mut found = Vec::new();
            for name in rustix::fs::Dir::read_from(&handle)? {
                let name = name?;
                let bytes = name.file_name().to_bytes();
                if bytes == b"." || bytes == b".." {
                    continue;
                }
                let name = <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).to_owned();
                match rustix::fs::statat(&handle, &name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => found.push((name, entry(&stat))),
                    // It went between the two calls.
                    Err(Errno::NOENT) => (),
                    Err(errno) => return Err(errno),
                }
            }
            Ok(found)
        };
        said("list", folder, list())
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> DiskResult<Vec<u8>> {
        let read = || -> io::Result<Vec<u8>> {
            let file = self.open_regular(path)?;
            let size = file.metadata()?.len();
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
        said("open", path, self.open_regular(path).map(|file| Box::new(file) as Box<dyn ReadSeek>))
    }

    fn hash(&self, path: &RelPath) -> DiskResult<ContentHash> {
        let hash = || -> io::Result<ContentHash> {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(self.open_regular(path)?)?;
            Ok(ContentHash::from_digest(hasher.finalize()))
        };
        said("read", path, hash())
    }

    fn make_folder(&self, path: &RelPath) -> DiskResult<()> {
        let made = self.parent(path).and_then(|(folder, name)| rustix::fs::mkdirat(folder, name, NEW_FOLDER));
        said("make folder", path, if made == Err(Errno::EXIST) { Ok(()) } else { made })
    }

    fn write_new(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()> {
        let write = || -> io::Result<()> {
            let file = self.handle(path, OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY)?;
            File::from(file).write_all(bytes)
        };
        said("write", path, write())
    }

    fn append(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()> {
        let append = || -> io::Result<()> {
            let file = self.handle(path, OFlags::CREATE | OFlags::APPEND | OFlags::WRONLY)?;
            File::from(file).write_all(bytes)
        };
        said("append to", path, append())
    }

    fn copy_new(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        let copy = || -> io::Result<()> {
            let mut source = self.open_regular(from)?;
            let mut target = File::from(self.handle(to, OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY)?);
            io::copy(&mut source, &mut target).map(|_| ())
        };
        said("copy", from, copy())
    }

    fn link(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        let link = || -> Result<(), Errno> {
            let ((old, old_name), (new, new_name)) = (self.parent(from)?, self.parent(to)?);
            rustix::fs::linkat(old, old_name, new, new_name, AtFlags::empty())
        };
        said("link", from, link())
    }

    fn place(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        said("move", from, self.place_by_ladder(from, to))
    }

    fn replace(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        let replace = || -> Result<(), Errno> {
            let ((old, old_name), (new, new_name)) = (self.parent(from)?, self.parent(to)?);
            rustix::fs::renameat(old, old_name, new, new_name)
        };
        said("replace", to, replace())
    }

    fn remove(&self, path: &RelPath) -> DiskResult<()> {
        let removed = self.parent(path).and_then(|(folder, name)| rustix::fs::unlinkat(folder, name, AtFlags::empty()));
        said("remove", path, removed)
    }

    fn sync_file(&self, path: &RelPath) -> DiskResult<()> {
        said("flush", path, self.handle(path, OFlags::RDONLY).and_then(rustix::fs::fdatasync))
    }

    fn sync_folder(&self, folder: &RelPath) -> DiskResult<()> {
        let synced = self.handle(folder, OFlags::RDONLY | OFlags::DIRECTORY).and_then(rustix::fs::fsync);
        // Some file systems cannot flush a folder; their names are durable by themselves or not at all.
        said("flush folder", folder, if synced == Err(Errno::INVAL) { Ok(()) } else { synced })
    }

    fn sync_all(&self, folder: &RelPath) -> DiskResult<()> {
        said(
            "flush the disk of",
            folder,
            self.handle(folder, OFlags::RDONLY | OFlags::DIRECTORY).and_then(rustix::fs::syncfs),
        )
    }

    fn has_writer(&self, path: &RelPath) -> DiskResult<Option<bool>> {
        said("look at", path, self.handle(path, OFlags::RDONLY).map(|file| super::lease::has_writer(&file)))
    }

    fn device(&self, area: &RelPath) -> DiskResult<u64> {
        let stat = self.handle(area, OFlags::PATH | OFlags::DIRECTORY).and_then(rustix::fs::fstat);
        said("look at", area, stat.map(|stat| stat.st_dev))
    }
}
