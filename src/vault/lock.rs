use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;

/// How many times the lock is tried, and how long apart: another process may only be asking whether it is held.
const TRIES: u32 = 10;
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// The right to change one root. It is held until it is dropped; the system releases it when the process ends.
#[derive(Debug)]
pub struct Lock {
    _held: OwnedFd,
    /// The root's folder itself: it stays locked if a person removes the state folder.
    _root: Option<OwnedFd>,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another daemon works on this root.
    #[error("another stockmill works on `{0}`; stop it first (`systemctl --user stop stockmill`)")]
    Held(String),
    /// The lock file cannot be opened.
    #[error("cannot open the lock file `{path}`: {source}")]
    Open {
        /// The lock file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Lock {
    /// Takes the lock in the state folder of a root.
    pub fn take(state_folder: &Path) -> Result<Self, LockError> {
        let path = state_folder.join("lock");
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let opened = open(&path, flags, Mode::RUSR | Mode::WUSR);
        let held =
            opened.map_err(|error| LockError::Open { path: path.display().to_string(), source: error.into() })?;
        let root = open_root(state_folder);
        for _ in 0..TRIES {
            let operation = FlockOperation::NonBlockingLockExclusive;
            if flock(&held, operation).is_ok() && !root.as_ref().is_some_and(|root| is_taken(root, operation)) {
                return Ok(Self { _held: held, _root: root });
            }
            std::thread::sleep(TRY_AGAIN);
        }
        Err(LockError::Held(state_folder.parent().unwrap_or(state_folder).display().to_string()))
    }

    /// Returns whether somebody holds the lock. Many may ask at once; [`Lock::take`] waits for a moment, so that none
    /// of them is in its way.
    pub fn is_held(state_folder: &Path) -> bool {
        let operation = FlockOperation::NonBlockingLockShared;
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = open(state_folder.join("lock"), flags, Mode::empty());
        file.is_ok_and(|file| flock(&file, operation).is_err())
            || open_root(state_folder).is_some_and(|root| is_taken(&root, operation))
    }
}

fn open_root(state_folder: &Path) -> Option<OwnedFd> {
    open(state_folder.parent()?, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// Returns whether somebody else has a folder locked. Some file systems, NFS among them, lock no folders.
fn is_taken(folder: &OwnedFd, operation: FlockOperation) -> bool {
    flock(folder, operation) == Err(Errno::WOULDBLOCK)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test plays the person who removes the state folder")]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_root_stays_locked_without_its_lock_file() {
        let root = tempfile::tempdir().unwrap();
        let state = root.path().join("state");
        let lock = || {
            std::fs::create_dir_all(&state).unwrap();
            Lock::take(&state)
        };
        assert!(!Lock::is_held(&state));
        let held = lock().unwrap();
        assert!(Lock::is_held(&state) && matches!(lock(), Err(LockError::Held(_))));
        std::fs::remove_dir_all(&state).unwrap();
        assert!(Lock::is_held(&state));
        assert!(matches!(lock(), Err(LockError::Held(_))));
        drop(held);
        // A program that another test starts has the lock until it is another program.
        let deadline = Instant::now() + Duration::from_secs(60);
        while Lock::is_held(&state) {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
        assert!(lock().is_ok());
    }
}
