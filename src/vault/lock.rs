use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

/// How often and at what distance the lock is tried: somebody may only be asking whether it is held.
const TRIES: u32 = 10;
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// The right to change one root; held until dropped, and by the system's hand gone with the process.
#[derive(Debug)]
pub struct Lock {
    _held: OwnedFd,
}

/// Why the lock could not be had.
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
        for _ in 0..TRIES {
            if flock(&held, FlockOperation::NonBlockingLockExclusive).is_ok() {
                return Ok(Self { _held: held });
            }
            std::thread::sleep(TRY_AGAIN);
        }
        Err(LockError::Held(state_folder.parent().unwrap_or(state_folder).display().to_string()))
    }

    /// Returns whether somebody holds the lock. Many may ask at once, and who takes it asks for a moment longer.
    pub fn is_held(state_folder: &Path) -> bool {
        matches!(open(state_folder.join("lock"), OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty()),
            Ok(file) if flock(&file, FlockOperation::NonBlockingLockShared).is_err())
    }
}
