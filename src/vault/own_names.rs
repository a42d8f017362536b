//! The names that stockmill gives to files and folders of its own.

use crate::model::RelPath;

/// The folder of the mill's own memory in the root. Every name of stockmill's own begins like it.
pub const HOME: &str = ".stockmill";
/// The folder for unfinished products on a file system other than the root's.
pub const SCRATCH: &str = ".stockmill-scratch";
/// The folder for what was taken away on such a file system, until `undo` can no longer want it.
pub const TRASH: &str = ".stockmill-trash";
/// The mark in an area by which its folder is known again: an empty mount point has none, and that of another mill says so.
pub const MARK: &str = ".stockmill-area";
/// The file by which a stage shows that its events come.
pub const PROBE: &str = ".stockmill-probe";

/// The folder in `upload` with what was delivered, so that the bundles keep that even where the mill's memory is lost.
pub const DELIVERY: &str = ".stockmill-delivery";

/// Returns the folder of the mill's own memory.
pub fn home() -> RelPath {
    RelPath::new(HOME).expect("a constant is a clean path")
}

/// Returns the folder through which commands reach the daemon.
pub fn requests_folder() -> RelPath {
    home().join("requests")
}

/// Returns the folder for unfinished products on the root's own file system.
pub(super) fn home_scratch() -> RelPath {
    home().join("scratch")
}

/// Returns the folder for what other programs work on, each in a folder of its own.
pub(super) fn home_programs() -> RelPath {
    home().join("programs")
}

/// Returns the folder for what was taken away on the root's own file system.
pub(super) fn home_trash() -> RelPath {
    home().join("trash")
}
