//! Doing: the only room that changes the disk. Scratch, journal, commit, recovery, the lock. It
//! never decides anything: what it is told to do comes from `plan`, complete, by way of `make`.

mod areas;
mod commit;
mod disk;
mod file_system;
mod handles;
mod journal;
mod ladder;
mod lease;
mod lock;
mod mailbox;
mod only_look;
mod outside;
pub mod own_names;
mod real;
mod recover;
mod scratch;
mod second_look;

pub use areas::Layout;
pub use commit::{CommitError, Receipt};
pub use disk::{Detached, Disk, DiskError, DiskResult, Entry, FileSystem, Look, ReadSeek, Space, What};
pub use handles::AtWork;
pub use journal::{Journal, journal_folder};
pub use ladder::{Capabilities, Rung, place};
pub use lock::{Lock, LockError};
pub use mailbox::Mailbox;
pub use outside::{Outside, read_outside};
pub use real::RealDisk;
pub use recover::{Recovered, recover};
pub use scratch::{
    Draft, Made, TrashLimits, Vault, ensure_folder, hash_of, purge_trash, remove_emptied, replaced_aside,
};
pub use second_look::{Aside, Let};
