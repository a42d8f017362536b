use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, StatxFlags, statx};
use rustix::io::Errno;

use crate::model::RelPath;

/// How long a folder stays open. Long enough for hundreds of calls, too short for a person who swaps a folder.
const AGE_MAX: Duration = Duration::from_millis(5);
/// The most folders that are open at a time.
const OPEN_MAX: usize = 64;

/// An open folder, from which other names are found.
#[derive(Debug)]
pub(super) struct Folder {
    handle: OwnedFd,
    device: OnceLock<u64>,
    since: Instant,
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

impl Folder {
    /// Returns when it was found.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    fn is_young(&self) -> bool {
        self.since.elapsed() < AGE_MAX
    }

    /// Returns a number for the mount that holds it; where the kernel is new enough, no later mount gets the same.
    /// Two mounts of one file system are two devices: no rename works between them.
    pub(super) fn device(&self) -> Result<u64, Errno> {
        if let Some(device) = self.device.get() {
            return Ok(*device);
        }
        let stat = statx(self, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS | StatxFlags::MNT_ID | UNIQUE)?;
        let device = u64::from(stat.stx_dev_major) << 32 | u64::from(stat.stx_dev_minor);
        Ok(*self.device.get_or_init(|| device ^ stat.stx_mnt_id.rotate_left(44)))
    }
}

/// Asks for a number that is never given again (Linux 6.8); an older kernel gives the other one.
const UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);

/// Folders that stay open for a moment while calls follow each other: finding a folder anew for each
/// call costs more than the call. Nothing is open while nobody works, or no disk could be unmounted.
#[derive(Debug, Default)]
pub(super) struct Handles {
    users: AtomicUsize,
    open: RwLock<HashMap<RelPath, Arc<Folder>>>,
}

/// While one of these lives, folders may stay open for some milliseconds between two calls.
#[must_use]
#[derive(Debug, Default)]
pub struct AtWork(Option<Arc<Handles>>);

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(handles) = &self.0 {
            let is_last = handles.users.fetch_sub(1, Ordering::SeqCst) == 1;
            handles.open.write().expect("no holder panics").retain(|_, folder| !is_last && folder.is_young());
        }
    }
}

impl Handles {
    pub(super) fn at_work(self: &Arc<Self>) -> AtWork {
        self.users.fetch_add(1, Ordering::SeqCst);
        AtWork(Some(self.clone()))
    }

    /// Returns a folder that was opened a moment ago.
    pub(super) fn get(&self, folder: &RelPath) -> Option<Arc<Folder>> {
        let open = self.open.read().expect("no holder panics");
        open.get(folder).filter(|folder| folder.is_young()).cloned()
    }

    /// Keeps a folder open if somebody is at work; it was found at `since`.
    pub(super) fn keep(&self, path: &RelPath, handle: OwnedFd, since: Instant) -> Arc<Folder> {
        let folder = Arc::new(Folder { handle, device: OnceLock::new(), since });
        let mut open = self.open.write().expect("no holder panics");
        // This is asked with the lock held: the count of users is lowered before the folders are cleared.
        if self.users.load(Ordering::SeqCst) > 0 {
            // Old folders are closed at once; otherwise work on one disk would keep another one from being unmounted.
            open.retain(|_, folder| folder.is_young());
            if open.len() >= OPEN_MAX {
                open.clear();
            }
            open.insert(path.clone(), folder.clone());
        }
        folder
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "how long a handle is kept is no decision of the mill's")]
mod tests {
    use super::*;

    fn a_folder() -> OwnedFd {
        let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
        rustix::fs::open("/", flags, rustix::fs::Mode::empty()).unwrap()
    }

    #[test]
    fn a_folder_stays_open_only_while_somebody_works() {
        let handles = Arc::new(Handles::default());
        let raw = RelPath::new("raw").unwrap();
        drop(handles.keep(&raw, a_folder(), Instant::now()));
        assert!(handles.open.read().unwrap().is_empty());

        let (first, second) = (handles.at_work(), handles.at_work());
        drop(handles.keep(&raw, a_folder(), Instant::now()));
        drop(first);
        assert_eq!(handles.open.read().unwrap().len(), 1);
        drop(second);
        assert!(handles.open.read().unwrap().is_empty());
    }

    #[test]
    fn only_so_many_folders_stay_open_and_none_for_long() {
        let handles = Arc::new(Handles::default());
        let _at_work = handles.at_work();
        for n in 0..OPEN_MAX * 2 {
            drop(handles.keep(&RelPath::new(format!("raw/{n}")).unwrap(), a_folder(), Instant::now()));
        }
        assert!(handles.open.read().unwrap().len() <= OPEN_MAX);

        let raw = RelPath::new("raw").unwrap();
        let since = Instant::now().checked_sub(AGE_MAX).unwrap();
        let old = Folder { handle: a_folder(), device: OnceLock::new(), since };
        handles.open.write().unwrap().insert(raw.clone(), Arc::new(old));
        assert!(handles.get(&raw).is_none());
        drop(handles.keep(&RelPath::new("keep").unwrap(), a_folder(), Instant::now()));
        assert!(!handles.open.read().unwrap().contains_key(&raw));
    }
}
