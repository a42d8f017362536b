use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use notify::event::{ModifyKind, RenameMode};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::model::RelPath;
use crate::vault::Layout;

/// Why a folder cannot be watched; the periodic walk finds what happens there.
#[derive(Debug, thiserror::Error)]
pub enum WatchProblem {
    /// The system's limit is reached.
    #[error("the system allows no more watches; raise `fs.inotify.max_user_watches` with sysctl")]
    Limit,
    /// The system's limit on programs that watch is reached.
    #[error("the system allows no more programs that watch; raise `fs.inotify.max_user_instances` with sysctl")]
    Instances,
    /// Anything else.
    #[error("cannot watch `{path}`: {why}")]
    Other {
        /// The folder.
        path: String,
        /// What the system said.
        why: String,
    },
}

/// "Something happened near here." It never says what: events are hints, the walk is the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Something happened at this path.
    Near(PathBuf),
    /// This path is gone; if it was a folder, so is its watch.
    Gone(PathBuf),
    /// The system dropped events: everything must be walked.
    Everywhere,
}

/// Hints that wait for the dispatcher.
#[derive(Debug, Default)]
pub struct Hints(Mutex<Vec<Hint>>);

impl Hints {
    /// Adds a hint; returns whether it is the first one that waits.
    pub fn add(&self, hint: Hint) -> bool {
        let mut hints = self.0.lock().expect("no holder panics");
        hints.push(hint);
        hints.len() == 1
    }

    /// Takes all that wait.
    pub fn take(&self) -> Vec<Hint> {
        std::mem::take(&mut self.0.lock().expect("no holder panics"))
    }
}

/// Watches on folders, one each, never recursive. All that comes out is a [`Hint`].
#[derive(Debug)]
pub struct Watch {
    watcher: RecommendedWatcher,
    layout: Layout,
    /// Each watched folder, and which one it was: a new folder under an old name needs a new watch.
    folders: BTreeMap<RelPath, u64>,
}

impl Watch {
    /// Starts without folders; hints go to `tell`, which must not block for long.
    pub fn new(layout: Layout, mut tell: impl FnMut(Hint) + Send + 'static) -> Result<Self, WatchProblem> {
        let handler = move |event: notify::Result<Event>| match event {
            Ok(event) if event.need_rescan() => tell(Hint::Everywhere),
            Ok(event) => paths_of(&event).for_each(|path| tell(hint(event.kind, path))),
            Err(_) => tell(Hint::Everywhere),
        };
        let config = Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(handler, config).map_err(|error| problem(Path::new("."), &error))?;
        Ok(Self { watcher, layout, folders: BTreeMap::new() })
    }

    /// Watches a folder, known by its inode; it is fine if it is watched already.
    pub fn add(&mut self, folder: &RelPath, inode: u64) -> Result<(), WatchProblem> {
        if self.folders.get(folder) == Some(&inode) {
            return Ok(());
        }
        let real = self.layout.real_path(folder);
        if self.folders.remove(folder).is_some() {
            let _ = self.watcher.unwatch(&real);
        }
        self.watcher.watch(&real, RecursiveMode::NonRecursive).map_err(|error| problem(&real, &error))?;
        self.folders.insert(folder.clone(), inode);
        Ok(())
    }

    /// Returns whether a folder is watched.
    pub fn holds(&self, folder: &RelPath) -> bool {
        self.folders.contains_key(folder)
    }

    /// Forgets a folder that is gone, and those below it.
    pub fn forget(&mut self, folder: &RelPath) {
        let below = self.folders.range(folder.inside()).map(|(path, _)| path);
        let gone: Vec<RelPath> = std::iter::once(folder).chain(below).cloned().collect();
        for path in gone {
            if self.folders.remove(&path).is_some() {
                let _ = self.watcher.unwatch(&self.layout.real_path(&path));
            }
        }
    }
}

fn hint(kind: EventKind, path: PathBuf) -> Hint {
    match kind {
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Hint::Gone(path),
        _ => Hint::Near(path),
    }
}

/// Returns the paths that an event is about; none if a file was only read.
fn paths_of(event: &Event) -> impl Iterator<Item = PathBuf> + '_ {
    let is_news = !matches!(event.kind, EventKind::Access(notify::event::AccessKind::Open(_)))
        && !matches!(event.kind, EventKind::Access(notify::event::AccessKind::Close(notify::event::AccessMode::Read)));
    let paths = if is_news { event.paths.as_slice() } else { &[] };
    paths.iter().cloned()
}

/// The system's error when too many files are open or too many programs watch.
const EMFILE: i32 = 24;

fn problem(path: &Path, error: &notify::Error) -> WatchProblem {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => WatchProblem::Limit,
        notify::ErrorKind::Io(ref error) if error.raw_os_error() == Some(EMFILE) => WatchProblem::Instances,
        _ => WatchProblem::Other { path: path.display().to_string(), why: error.to_string() },
    }
}
