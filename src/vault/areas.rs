#![expect(clippy::disallowed_methods, reason = "this is the boundary that the ban protects")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, RwLock};

use rustix::fs::{Mode, OFlags, StatVfsMountFlags};
use rustix::io::{Errno, retry_on_intr};

use super::disk::{Detached, plain};
use super::mark::{self, Mark, Owner, read_file};
use super::own_names::HOME;
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
    /// Whether its mark says that it is this area of this mill.
    is_ours: bool,
}

/// The areas of a root, each held to the folder that it was when it was attached.
///
/// No folder is kept open, or its disk could not be unmounted. Every use opens it anew and compares.
#[derive(Debug)]
pub(super) struct Areas {
    layout: Layout,
    attached: RwLock<BTreeMap<OsString, Attached>>,
    /// The mill's name, once it was asked for.
    mill: Mutex<Option<String>>,
    /// Whether areas are held to their folders; a command beside the daemon takes every area as it finds it.
    is_bound: bool,
}

impl Areas {
    /// Returns areas of which none is attached yet.
    pub(super) fn bound(layout: Layout) -> Self {
        Self { layout, attached: RwLock::default(), mill: Mutex::default(), is_bound: true }
    }

    /// Returns areas that are taken as they are found, for looking.
    pub(super) fn unbound(layout: Layout) -> Self {
        Self { layout, attached: RwLock::default(), mill: Mutex::default(), is_bound: false }
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
                self.mark(area, &configured).map_err(refused)?;
            }
            found = self.examine(area, is_asked_for)?;
        }
        let found = found.ok_or_else(missing)?;
        // A mark of an older version counts as ours, but who knows: a person gives it the mill's name, by `init`.
        if !found.is_marked || is_asked_for && !found.is_ours {
            self.mark(area, &found.folder.path).map_err(refused)?;
        }
        if !self.is_remembered_whole(area) {
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
            return self.examine_missing(area, is_known, is_asked_for).map(|()| None);
        }
        let path = configured.canonicalize().map_err(refused)?;
        let folder = open_folder(&path).map_err(|errno| refused(errno.into()))?;
        let stat = rustix::fs::fstat(&folder).map_err(|errno| refused(errno.into()))?;
        let flags = rustix::fs::fstatvfs(&folder).map_err(|errno| refused(errno.into()))?.f_flag;
        if flags.contains(StatVfsMountFlags::RDONLY) {
            return Err(Detached::ReadOnly(shown()));
        }
        let found = Attached { path, device: stat.st_dev, inode: stat.st_ino };
        let mark = Mark::read(&folder);
        if mark == Mark::Closed {
            let why = "stockmill may not read its mark `.stockmill-area`. If a disk was mounted there after stockmill had \
                       started, restart stockmill; else give its user the rights";
            return Err(Detached::Refused { folder: shown(), why: why.to_owned() });
        }
        let (is_marked, is_ours) = (mark != Mark::Missing, matches!(mark, Mark::Of(_)));
        let is_same = before.as_ref() == Some(&found);
        // A link that took the folder's place while we ran leads elsewhere, whatever it shows there.
        let is_elsewhere = before.is_some_and(|before| before.path != found.path && before.inode != found.inode);
        if is_known && !is_same && (!is_marked || is_elsewhere) {
            return Err(Detached::Other(shown()));
        }
        let mill = self.mill().map_err(refused)?;
        if let Some(why) = self.is_not_ours(area, &mark, mill.as_deref(), is_asked_for) {
            let area = area.to_string_lossy().into_owned();
            return Err(Detached::NotOurs { folder: shown(), area, why });
        }
        let is_ours = is_ours && !(is_asked_for && mark != Mark::Of(owner(area, mill.as_deref())));
        Ok(Some(Examined { folder: found, is_marked, is_ours }))
    }

    /// Returns whether an area that is not there may be made.
    fn examine_missing(&self, area: &OsStr, is_known: bool, is_asked_for: bool) -> Result<(), Detached> {
        let configured = self.layout.folder(area);
        let folder = configured.display().to_string();
        // A link that leads nowhere cannot be made a folder.
        let is_link = configured.is_symlink();
        if is_link && is_asked_for {
            let why = "it is a symbolic link, and no folder is where it leads. Mount its disk, make that folder, or \
                       delete the link";
            return Err(Detached::Refused { folder, why: why.to_owned() });
        }
        let was_link = !is_asked_for && self.was_linked(area);
        let is_away = is_link || was_link || is_known && self.may_be_away(area) || !self.is_bound;
        if is_away { Err(Detached::Missing(folder)) } else { Ok(()) }
    }

    /// Returns why a marked folder is not this area of this mill, if it is not. A person who asks may give a folder of
    /// this mill another place in it, and an older mark a name.
    fn is_not_ours(&self, area: &OsStr, mark: &Mark, mill: Option<&str>, is_asked_for: bool) -> Option<String> {
        match mark {
            Mark::Blank if is_asked_for || !self.is_signed(area) => None,
            Mark::Blank => Some("its mark is empty, and this mill had written its name into it".to_owned()),
            Mark::Of(owner) if mill.is_some_and(|mill| mill != owner.mill) => {
                Some(format!("it is the `{}` of another mill", owner.area))
            }
            Mark::Of(owner) if area != owner.area.as_str() && !is_asked_for => {
                Some(format!("it is the `{}` of this mill", owner.area))
            }
            Mark::Of(_) | Mark::Missing | Mark::Closed => None,
            Mark::Unclear(why) => Some(format!("its mark is unclear: {why}")),
        }
    }

    /// Returns the mill's name. One that has lost its memory has the name that its areas say; a new one gets one.
    fn mill(&self) -> std::io::Result<Option<String>> {
        let mut known = self.mill.lock().expect("no holder panics");
        let file = self.layout.home().join("mill");
        let written = mark::read_name(&file);
        let name = known.clone().or_else(|| written.clone()).or_else(|| self.name_by_marks());
        let name = if self.is_bound { Some(name.unwrap_or_else(mark::new_name)) } else { name };
        if self.is_bound && written != name {
            name.as_ref().map_or(Ok(()), |name| mark::write_name(&file, name))?;
        }
        known.clone_from(&name);
        Ok(name)
    }

    fn name_by_marks(&self) -> Option<String> {
        let areas = self.layout.areas.iter();
        let (inside, outside): (Vec<_>, Vec<_>) = areas.partition(|(_, folder)| folder.starts_with(&self.layout.root));
        inside.into_iter().chain(outside).find_map(|(area, folder)| match Mark::read(open_folder(folder).ok()?) {
            Mark::Of(owner) if *area == *owner.area => Some(owner.mill),
            _ => None,
        })
    }

    /// Marks a folder as an area of this mill, and remembers that.
    fn mark(&self, area: &OsStr, folder: &Path) -> std::io::Result<()> {
        let mill = self.mill()?;
        Mark::write(folder, &owner(area, mill.as_deref()))?;
        self.remember_as(&self.signature(area), area)
    }

    /// Returns whether this mill has written its name into the mark at the place that the settings name.
    fn is_signed(&self, area: &OsStr) -> bool {
        self.is_place(&self.signature(area), area)
    }

    fn signature(&self, area: &OsStr) -> PathBuf {
        let mut name = area.to_owned();
        name.push(".signed");
        self.memory(&name)
    }

    /// Returns whether an area that is not there may come back. An archive in the root itself was removed by a
    /// person: a mount point would be there. It is made again.
    fn may_be_away(&self, area: &OsStr) -> bool {
        let is_stage = Stage::ALL.iter().any(|stage| area == stage.name());
        is_stage || !self.layout.folder(area).starts_with(&self.layout.root)
    }

    fn refused(&self, area: &OsStr, error: &std::io::Error) -> Detached {
        Detached::Refused { folder: self.layout.folder(area).display().to_string(), why: plain(error) }
    }

    /// Returns whether the area was attached before at the place that the settings name.
    fn is_remembered(&self, area: &OsStr) -> bool {
        self.is_place(&self.memory(area), area)
    }

    fn is_place(&self, memory: &Path, area: &OsStr) -> bool {
        let known = read_file(memory).unwrap_or_default();
        let rest = known.strip_prefix(resolved(&self.layout.folder(area)).as_os_str().as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"\n"))
    }

    /// Returns whether the area was attached before under the name that the settings give, and lay elsewhere: that name
    /// was a link. The link is gone, and not the folder that it led to.
    fn was_linked(&self, area: &OsStr) -> bool {
        let known = read_file(&self.memory(area)).unwrap_or_default();
        let name = known.strip_suffix(self.layout.folder(area).as_os_str().as_bytes());
        name.is_some_and(|place| place.ends_with(b"\n")) && !self.is_remembered(area)
    }

    /// Returns whether both is remembered: where the area lies, and under which name. Older versions wrote no name.
    fn is_remembered_whole(&self, area: &OsStr) -> bool {
        read_file(&self.memory(area)).is_ok_and(|known| known == self.place(area))
    }

    /// Returns what is remembered of an area: where it really lies, and in a second line the name in the settings.
    fn place(&self, area: &OsStr) -> Vec<u8> {
        let name = self.layout.folder(area);
        [resolved(&name).as_os_str().as_bytes(), b"\n", name.as_os_str().as_bytes()].concat()
    }

    fn remember(&self, area: &OsStr) -> std::io::Result<()> {
        self.remember_as(&self.memory(area), area)
    }

    fn remember_as(&self, memory: &Path, area: &OsStr) -> std::io::Result<()> {
        std::fs::create_dir_all(memory.parent().expect("a memory lies in a folder"))?;
        write(memory, &self.place(area))
    }

    fn memory(&self, area: &OsStr) -> PathBuf {
        self.layout.home().join("areas").join(area)
    }
}

fn owner(area: &OsStr, mill: Option<&str>) -> Owner {
    Owner::new(mill.unwrap_or_default(), &area.to_string_lossy())
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
    // Opening a pipe waits until somebody reads it.
    if std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(std::io::Error::other("it is no ordinary file"));
    }
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::own_names::MARK;

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
        /// A disk with an empty mark is mounted there, as an older version of another mill left it.
        Old,
        /// The disk of another mill.
        Anothers,
        /// Another area of this mill.
        Exchanged,
        /// The disk of a mill of a later version.
        Later,
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
        if !matches!(hand, Hand::Nothing | Hand::Removed) {
            std::fs::create_dir(&folder).unwrap();
        }
        let ours = std::fs::read_to_string(root.path().join("away").join(MARK)).unwrap_or_default();
        match hand {
            Hand::Nothing | Hand::Removed | Hand::Empty => (),
            Hand::Anew => write(&folder.join(MARK), ours.as_bytes()).unwrap(),
            Hand::Old => write(&folder.join(MARK), b"").unwrap(),
            Hand::Anothers => Mark::write(&folder, &Owner::new("another", area)).unwrap(),
            Hand::Exchanged => write(&folder.join(MARK), ours.replace(area, "export").as_bytes()).unwrap(),
            Hand::Later => {
                write(&folder.join(MARK), ours.replace("\"version\":1", "\"version\":2").as_bytes()).unwrap();
            }
        }
        let answer = if makes { areas.make(area.as_ref()) } else { areas.attach(area.as_ref()) };
        let said = match answer {
            Ok(()) if areas.open(area.as_ref()).is_ok() => "open",
            Ok(()) => "ok",
            Err(Detached::Missing(_)) => "missing",
            Err(Detached::Other(_)) => "other",
            Err(Detached::NotOurs { .. }) => "not ours",
            Err(detached) => panic!("{detached}"),
        };
        (said, folder.exists(), folder.join(MARK).exists())
    }

    #[test]
    fn an_area_is_the_folder_that_it_was_and_looking_makes_nothing() {
        use Hand::{Anew, Anothers, Empty, Exchanged, Later, Nothing, Old, Removed};
        let cases = [
            // (area, was attached, what a person did, by looking, by making)
            ("raw", false, Nothing, ("ok", false, false), ("open", true, true)),
            ("raw", true, Nothing, ("open", true, true), ("open", true, true)),
            ("raw", true, Removed, ("missing", false, false), ("missing", false, false)),
            ("raw", true, Empty, ("other", true, false), ("other", true, false)),
            ("raw", true, Anew, ("open", true, true), ("open", true, true)),
            // Whose name was written there is asked before a folder is taken for ours.
            ("raw", true, Old, ("not ours", true, true), ("not ours", true, true)),
            ("raw", true, Anothers, ("not ours", true, true), ("not ours", true, true)),
            ("raw", true, Exchanged, ("not ours", true, true), ("not ours", true, true)),
            ("raw", true, Later, ("not ours", true, true), ("not ours", true, true)),
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

    fn whose(folder: &Path) -> Mark {
        Mark::read(open_folder(folder).unwrap())
    }

    /// An update must lock nobody out: an older mark is ours until the mill has written its name.
    #[test]
    fn an_older_mark_is_ours_and_a_person_gives_it_a_name() {
        let root = tempfile::tempdir().unwrap();
        let raw = root.path().join("raw");
        let mill = || {
            let areas = BTreeMap::from([(OsString::from("raw"), raw.clone())]);
            Areas::bound(Layout { root: root.path().to_owned(), areas })
        };
        std::fs::create_dir(&raw).unwrap();
        write(&raw.join(MARK), b"").unwrap();
        for _ in 0..2 {
            assert_eq!(mill().make("raw".as_ref()), Ok(()));
            assert_eq!(whose(&raw), Mark::Blank);
        }
        assert_eq!(mill().adopt("raw".as_ref()), Ok(()));
        let Mark::Of(owner) = whose(&raw) else { panic!("{:?}", whose(&raw)) };
        assert_eq!((owner.area.as_str(), mill().make("raw".as_ref())), ("raw", Ok(())));
        write(&raw.join(MARK), b"").unwrap();
        assert!(matches!(mill().make("raw".as_ref()), Err(Detached::NotOurs { .. })));
        assert_eq!(mill().adopt("raw".as_ref()), Ok(()));
        // A mill that has lost its memory has the name that its folders say.
        std::fs::remove_dir_all(root.path().join(HOME)).unwrap();
        assert_eq!(mill().make("raw".as_ref()), Ok(()));
        assert_eq!(whose(&raw), Mark::Of(owner));
        // Nobody takes the folder of another mill, not even by `init`: its mark must go first.
        Mark::write(&raw, &Owner::new("another", "raw")).unwrap();
        assert!(matches!(mill().adopt("raw".as_ref()), Err(Detached::NotOurs { .. })));
        std::fs::remove_file(raw.join(MARK)).unwrap();
        assert_eq!(mill().adopt("raw".as_ref()), Ok(()));
    }

    /// A link that was gone was made an empty folder, and what lay on its disk counted as deleted.
    #[test]
    fn a_link_that_leads_nowhere_any_more_is_not_made_a_folder() {
        let missing = |areas: &Areas, area: &str| {
            let shown = areas.layout.root.join(area).display().to_string();
            [areas.attach(area.as_ref()), areas.make(area.as_ref())]
                .iter()
                .all(|it| *it == Err(Detached::Missing(shown.clone())))
        };
        // (area, whether the mill is started anew, whether the link is gone, and not only the folder it led to)
        let rows = ["raw", "keep", "upload", "archive"]
            .map(|area| [(false, false), (false, true), (true, false), (true, true)].map(|row| (area, row)));
        for (area, (is_anew, is_link_gone)) in rows.concat() {
            let root = tempfile::tempdir().unwrap();
            let mill = || {
                let folder = (OsString::from(area), root.path().join("mill").join(area));
                Areas::bound(Layout { root: root.path().join("mill"), areas: [folder].into() })
            };
            let (folder, away) = (root.path().join("mill").join(area), root.path().join("disk"));
            for made in [root.path().join("mill"), away.clone()] {
                std::fs::create_dir(made).unwrap();
            }
            std::os::unix::fs::symlink(&away, &folder).unwrap();
            let areas = mill();
            assert_eq!(areas.make(area.as_ref()), Ok(()), "{area}");
            if is_link_gone {
                std::fs::remove_file(&folder).unwrap();
            } else {
                std::fs::rename(&away, root.path().join("elsewhere")).unwrap();
            }
            let areas = if is_anew { mill() } else { areas };
            assert!(missing(&areas, area) && !folder.exists(), "{area} {is_anew} {is_link_gone}");
            let by_init = areas.adopt(area.as_ref());
            if is_link_gone {
                // A person asked for it: from then on it is a folder like any other.
                assert_eq!((by_init, mill().make(area.as_ref())), (Ok(()), Ok(())), "{area} {is_anew}");
                assert!(folder.is_dir() && !folder.is_symlink(), "{area} {is_anew}");
            } else {
                assert!(by_init.is_err_and(|error| error.to_string().contains("delete the link")), "{area} {is_anew}");
            }
        }
    }

    #[test]
    fn a_link_that_never_led_anywhere_is_told() {
        let root = tempfile::tempdir().unwrap();
        let raw = root.path().join("raw");
        std::os::unix::fs::symlink(root.path().join("nowhere"), &raw).unwrap();
        let areas = Areas::bound(Layout { root: root.path().to_owned(), areas: [("raw".into(), raw.clone())].into() });
        assert_eq!(areas.make("raw".as_ref()), Err(Detached::Missing(raw.display().to_string())));
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
