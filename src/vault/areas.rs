#![expect(clippy::disallowed_methods, reason = "this is the boundary that the ban protects")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::RwLock;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, StatVfsMountFlags};
use rustix::io::{Errno, retry_on_intr};

use super::disk::Detached;
use super::own_names::{HOME, MARK};
use crate::model::{RelPath, Stage};

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

    /// Returns the folder of the mill's own memory.
    pub fn home(&self) -> PathBuf {
        self.folder(HOME.as_ref())
    }

    /// Returns where a path really lies, for messages and for watches.
    pub fn real_path(&self, path: &RelPath) -> PathBuf {
        let mut parts = path.parts();
        let area = parts.next().expect("a path has a part");
        parts.fold(self.folder(area), |folder, part| folder.join(part))
    }
}

/// Which folder an area is, from the moment that it was attached.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attached {
    /// Where it lies; a symbolic link in the settings is resolved once.
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// An area's folder as it was found.
struct Examined {
    folder: Attached,
    is_marked: bool,
}

/// The areas of a root, each held to the folder that it was when it was attached.
///
/// No folder is kept open, or its disk could not be unmounted. Every use opens it anew and compares.
#[derive(Debug)]
pub(super) struct Areas {
    layout: Layout,
    attached: RwLock<BTreeMap<OsString, Attached>>,
    /// Whether areas are held to their folders; a command beside the daemon takes every area as it finds it.
    is_bound: bool,
}

impl Areas {
    /// Returns areas of which none is attached yet.
    pub(super) fn bound(layout: Layout) -> Self {
        Self { layout, attached: RwLock::default(), is_bound: true }
    }

    /// Returns areas that are taken as they are found, for looking.
    pub(super) fn unbound(layout: Layout) -> Self {
        Self { layout, attached: RwLock::default(), is_bound: false }
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Opens an area's folder, if it is the one that was attached.
    pub(super) fn open(&self, area: &OsStr) -> Result<OwnedFd, Errno> {
        let known = self.attached.read().expect("no holder panics").get(area).cloned();
        let Some(known) = known else {
            // What is not in the settings lies in the root: `.stockmill`, `tagsets`.
            let is_free = !self.is_bound || !self.layout.areas.contains_key(area);
            return if is_free { open_folder(&self.layout.folder(area)) } else { Err(Errno::STALE) };
        };
        // Its disk went with its folder: of what lies in it nobody can tell.
        let away = |errno| if matches!(errno, Errno::NOENT | Errno::NOTDIR) { Errno::STALE } else { errno };
        let folder = open_folder(&known.path).map_err(away)?;
        let stat = rustix::fs::fstat(&folder)?;
        if (stat.st_dev, stat.st_ino) == (known.device, known.inode) { Ok(folder) } else { Err(Errno::STALE) }
    }

    /// Makes sure that an area is the folder that it was; see [`super::Look::attach`].
    pub(super) fn attach(&self, area: &OsStr) -> Result<(), Detached> {
        let found = self.examine(area, false)?;
        // A disk that was mounted anew has another number.
        if let Some(found) = found.filter(|found| found.is_marked) {
            self.bind(area, found.folder);
        }
        Ok(())
    }

    /// Binds an area to its folder; see [`super::Disk::make_area`].
    pub(super) fn make(&self, area: &OsStr) -> Result<(), Detached> {
        self.make_and_bind(area, false)
    }

    /// Binds an area to whatever folder lies there, making it if need be: a person asked for it.
    pub(super) fn adopt(&self, area: &OsStr) -> Result<(), Detached> {
        self.make_and_bind(area, true)
    }

    fn make_and_bind(&self, area: &OsStr, is_asked_for: bool) -> Result<(), Detached> {
        let configured = self.layout.folder(area);
        let refused = |error: std::io::Error| self.refused(area, &error);
        let missing = || Detached::Missing(configured.display().to_string());
        let mut found = self.examine(area, is_asked_for)?;
        if !self.is_bound {
            return found.map(drop).ok_or_else(missing);
        }
        if found.is_none() {
            std::fs::create_dir_all(&configured).map_err(refused)?;
            if !self.may_be_away(area) {
                write(&configured.join(MARK), b"").map_err(refused)?;
            }
            found = self.examine(area, is_asked_for)?;
        }
        let found = found.ok_or_else(missing)?;
        if !found.is_marked {
            write(&found.folder.path.join(MARK), b"").map_err(refused)?;
        }
        if !self.is_remembered(area) {
            self.remember(area).map_err(refused)?;
        }
        self.bind(area, found.folder);
        Ok(())
    }

    fn bind(&self, area: &OsStr, folder: Attached) {
        if self.is_bound {
            self.attached.write().expect("no holder panics").insert(area.to_owned(), folder);
        }
    }

    /// Returns an area's folder, if it is the one that it was, or `None` if it is not there and may be made.
    fn examine(&self, area: &OsStr, is_asked_for: bool) -> Result<Option<Examined>, Detached> {
        let configured = self.layout.folder(area);
        let shown = || configured.display().to_string();
        let refused = |error: std::io::Error| self.refused(area, &error);
        let before = self.attached.read().expect("no holder panics").get(area).cloned();
        let is_known = (self.is_remembered(area) || before.is_some()) && !is_asked_for;
        if !configured.exists() {
            let is_away = is_known && self.may_be_away(area) || !self.is_bound;
            return if is_away { Err(Detached::Missing(shown())) } else { Ok(None) };
        }
        let path = configured.canonicalize().map_err(refused)?;
        let folder = open_folder(&path).map_err(|errno| refused(errno.into()))?;
        let stat = rustix::fs::fstat(&folder).map_err(|errno| refused(errno.into()))?;
        let flags = rustix::fs::fstatvfs(&folder).map_err(|errno| refused(errno.into()))?.f_flag;
        if flags.contains(StatVfsMountFlags::RDONLY) {
            return Err(Detached::ReadOnly(shown()));
        }
        let found = Attached { path, device: stat.st_dev, inode: stat.st_ino };
        let is_marked = rustix::fs::statat(&folder, MARK, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|mark| FileType::from_raw_mode(mark.st_mode) == FileType::RegularFile);
        let is_same = before.as_ref() == Some(&found);
        // A link that took the folder's place while we ran leads elsewhere, whatever it shows there.
        let is_elsewhere = before.is_some_and(|before| before.path != found.path && before.inode != found.inode);
        if is_known && !is_same && (!is_marked || is_elsewhere) {
            return Err(Detached::Other(shown()));
        }
        Ok(Some(Examined { folder: found, is_marked }))
    }

    /// Returns whether an area that is not there may come back. An archive in the root itself was removed by a
    /// person: a mount point would be there. It is made again.
    fn may_be_away(&self, area: &OsStr) -> bool {
        let is_stage = Stage::ALL.iter().any(|stage| area == stage.name());
        is_stage || !self.layout.folder(area).starts_with(&self.layout.root)
    }

    fn refused(&self, area: &OsStr, error: &std::io::Error) -> Detached {
        Detached::Refused { folder: self.layout.folder(area).display().to_string(), why: error.to_string() }
    }

    /// Returns whether the area was attached before at the place that the settings name.
    fn is_remembered(&self, area: &OsStr) -> bool {
        let place = std::fs::read(self.memory(area)).unwrap_or_default();
        place == resolved(&self.layout.folder(area)).as_os_str().as_bytes()
    }

    fn remember(&self, area: &OsStr) -> std::io::Result<()> {
        let memory = self.memory(area);
        std::fs::create_dir_all(memory.parent().expect("a memory lies in a folder"))?;
        write(&memory, resolved(&self.layout.folder(area)).as_os_str().as_bytes())
    }

    fn memory(&self, area: &OsStr) -> PathBuf {
        self.layout.home().join("areas").join(area)
    }
}

/// Returns where a folder really lies, links resolved; one that is not there lies in its parent.
fn resolved(folder: &Path) -> PathBuf {
    let in_parent = || Some(folder.parent()?.canonicalize().ok()?.join(folder.file_name()?));
    folder.canonicalize().ok().or_else(in_parent).unwrap_or_else(|| folder.to_owned())
}

fn open_folder(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A person's hand on the folder of an area, between two calls.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Hand {
        Nothing,
        /// It was removed, as far as anybody sees.
        Removed,
        /// An empty mount point lies there.
        Empty,
        /// The disk was mounted anew: another number, and the mark is there.
        Anew,
    }

    /// Calls `attach` or `make` on an area that was attached before, or never; says how it went, and whether the folder
    /// and its mark are there afterwards.
    fn found(area: &str, was_attached: bool, hand: Hand, makes: bool) -> (&'static str, bool, bool) {
        let root = tempfile::tempdir().unwrap();
        let folders = [(OsString::from(area), root.path().join(area))];
        let areas = Areas::bound(Layout { root: root.path().to_owned(), areas: folders.into() });
        let folder = root.path().join(area);
        if was_attached {
            areas.make(area.as_ref()).unwrap();
        }
        if hand != Hand::Nothing {
            std::fs::rename(&folder, root.path().join("away")).unwrap();
        }
        if matches!(hand, Hand::Empty | Hand::Anew) {
            std::fs::create_dir(&folder).unwrap();
        }
        if hand == Hand::Anew {
            write(&folder.join(MARK), b"").unwrap();
        }
        let answer = if makes { areas.make(area.as_ref()) } else { areas.attach(area.as_ref()) };
        let said = match answer {
            Ok(()) if areas.open(area.as_ref()).is_ok() => "open",
            Ok(()) => "ok",
            Err(Detached::Missing(_)) => "missing",
            Err(Detached::Other(_)) => "other",
            Err(detached) => panic!("{detached}"),
        };
        (said, folder.exists(), folder.join(MARK).exists())
    }

    #[test]
    fn an_area_is_the_folder_that_it_was_and_looking_makes_nothing() {
        use Hand::{Anew, Empty, Nothing, Removed};
        let cases = [
            // (area, was attached, what a person did, by looking, by making)
            ("raw", false, Nothing, ("ok", false, false), ("open", true, true)),
            ("raw", true, Nothing, ("open", true, true), ("open", true, true)),
            ("raw", true, Removed, ("missing", false, false), ("missing", false, false)),
            ("raw", true, Empty, ("other", true, false), ("other", true, false)),
            ("raw", true, Anew, ("open", true, true), ("open", true, true)),
            // A person removed an archive in the root: it is empty rather than away.
            ("archive", true, Removed, ("ok", false, false), ("open", true, true)),
            ("archive", true, Empty, ("other", true, false), ("other", true, false)),
        ];
        for (area, was_attached, hand, looked, made) in cases {
            assert_eq!(found(area, was_attached, hand, false), looked, "{area} {was_attached} {hand:?}");
            assert_eq!(found(area, was_attached, hand, true), made, "{area} {was_attached} {hand:?}");
        }
    }

    /// Files in an area whose folder went with its disk were taken for files that are not there.
    #[test]
    fn of_an_area_that_went_nobody_can_tell_what_lies_in_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("raw");
        let areas =
            Areas::bound(Layout { root: root.path().to_owned(), areas: [("raw".into(), folder.clone())].into() });
        std::fs::create_dir(&folder).unwrap();
        areas.adopt("raw".as_ref()).unwrap();
        assert!(areas.open("raw".as_ref()).is_ok());
        std::fs::rename(&folder, root.path().join("elsewhere")).unwrap();
        assert_eq!(areas.open("raw".as_ref()).unwrap_err(), Errno::STALE);
        std::fs::write(&folder, "").unwrap();
        assert_eq!(areas.open("raw".as_ref()).unwrap_err(), Errno::STALE);
    }

    #[test]
    fn beside_a_daemon_nothing_is_made_or_marked() {
        let root = tempfile::tempdir().unwrap();
        let areas = Areas::unbound(Layout { root: root.path().to_owned(), areas: BTreeMap::new() });
        for makes in [false, true] {
            let find = |area: &str| if makes { areas.make(area.as_ref()) } else { areas.attach(area.as_ref()) };
            assert_eq!(find("raw"), Err(Detached::Missing(root.path().join("raw").display().to_string())));
            std::fs::create_dir_all(root.path().join("keep")).unwrap();
            assert_eq!(find("keep"), Ok(()));
        }
        let left: Vec<_> = std::fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["keep"]);
        assert!(!root.path().join("keep").join(MARK).exists());
    }
}
