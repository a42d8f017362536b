//! Doing: the only room that changes the disk. Scratch, journal, commit, recovery, the lock. It
//! never decides anything: what it is told to do comes from `plan`, complete, by way of `make`.

mod areas;
mod chores;
mod commit;
mod disk;
mod draft;
mod file_system;
mod folders;
mod handles;
mod journal;
mod lease;
mod lock;
mod mailbox;
mod mark;
mod no_replace;
mod only_look;
mod outcome;
mod outside;
pub mod own_names;
mod places;
mod publish;
mod real;
mod recover;
mod scratch;
mod second_look;
mod sources;
mod trash;
mod volume;

pub use areas::Layout;
pub use disk::{Detached, Disk, DiskError, DiskResult, Entry, FileSystem, Look, ReadSeek, Space, What};
pub use draft::{Draft, Made, hash_of};
pub use folders::remove_emptied;
pub use handles::AtWork;
pub use journal::{Journal, journal_folder};
pub use lock::{Lock, LockError};
pub use mailbox::{Mailbox, QueuedRequest};
pub use no_replace::{Capabilities, NoReplace};
pub use outcome::{CommitError, Receipt};
pub use outside::{Outside, read_outside};
pub use places::Place;
pub use real::RealDisk;
pub use recover::{Recovered, Stray, recover};
pub use second_look::{Aside, SecondLook};
pub use trash::{TrashLimits, replaced_aside};
pub use volume::Vault;
