//! Taking sources out of their places, and giving back what is not ours.

use std::io::ErrorKind;

use super::disk::{Disk, DiskError, DiskResult};
use super::no_replace::place;
use crate::model::{Identity, RelPath};
use crate::records::Remove;

/// Takes a source out of its place. It goes aside first and is looked at there: a file that took its
/// name in the last instant is another one, and goes back.
pub(super) fn take_away(disk: &dyn Disk, gone: &Remove) -> DiskResult<()> {
    // The product stands. A source that changed meanwhile is a new asset and stays.
    if disk.stat(&gone.path)?.is_none_or(|entry| !is_same(entry.identity, gone.seen)) {
        return Ok(());
    }
    let Some(aside) = &gone.aside else { return disk.remove(&gone.path) };
    place(disk, &gone.path, aside)?;
    if disk.stat(aside)?.is_some_and(|entry| is_same(entry.identity, gone.seen)) {
        return Ok(());
    }
    give_back(disk, aside, &gone.path).map(drop)
}

/// Returns whether a file is the one that was seen. A device may have another number after a restart.
pub(super) fn is_same(found: Identity, seen: Identity) -> bool {
    (found.inode, found.size, found.modified_ns) == (seen.inode, seen.size, seen.modified_ns)
}

/// Gives a file that was taken by mistake its name back, or one beside it; returns that name.
pub(super) fn give_back(disk: &dyn Disk, from: &RelPath, to: &RelPath) -> DiskResult<RelPath> {
    let beside = (1..100).map(|n| to.sibling(format!("recovered-{n}.{}", to.extension())));
    for name in std::iter::once(to.clone()).chain(beside) {
        match place(disk, from, &name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => (),
            other => return other.map(|()| name),
        }
    }
    Err(DiskError { call: "brought back", path: to.clone(), source: ErrorKind::AlreadyExists.into() })
}
