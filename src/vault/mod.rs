//! Doing: the only room that changes the disk. Scratch, journal, commit, recovery, the lock. It
//! never decides anything: what it is told to do comes from `plan`, complete, by way of `make`.

mod commit;
mod disk;
mod journal;
mod lease;
mod lock;
mod real;
mod recover;
mod scratch;

pub use commit::{CommitError, Receipt};
pub use disk::{Disk, DiskError, DiskResult, Entry, ReadSeek, What};
pub use journal::{Journal, journal_folder};
pub use lock::{Lock, LockError};
pub use real::{Layout, RealDisk};
pub use recover::{Recovered, recover};
pub use scratch::{Draft, Made, Vault, ensure_folder};
