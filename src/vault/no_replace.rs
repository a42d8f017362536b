//! Giving a name that must be free: each file system has its own way never to replace a file.

use std::io::ErrorKind;

use super::disk::{Disk, DiskError, DiskResult, Look, What};
use super::own_names::HOME;
use crate::model::RelPath;

/// What a file system can do, as it was tried at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// How a name that must be free is given.
    pub no_replace: NoReplace,
    /// Whether two files can change their names in one act.
    pub exchange: bool,
    /// Whether files can have several names.
    pub link: bool,
    /// Whether the kernel tells who has a file open for writing.
    pub lease: bool,
    /// Whether names that differ by case alone are one name.
    pub ignores_case: bool,
}

/// A way to give a name that must be free, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReplace {
    /// One atomic rename that never replaces.
    Rename,
    /// A second name, then the first one goes: NFS, many FUSE file systems.
    Link,
    /// An empty file of our own holds the name until the real one is renamed over it: exFAT over FUSE.
    Placeholder,
}

/// Renames a file to a name that must be free; never check-then-act: some call of it must refuse.
///
/// `AlreadyExists` means that the name is taken and `from` stands where it stood.
pub(super) fn place(disk: &dyn Disk, from: &RelPath, to: &RelPath) -> DiskResult<()> {
    try_each_way(disk, from, to).map_err(|error| {
        // Where a product lay before it got its name tells a person nothing.
        let is_own = from.parts().any(|part| part.as_encoded_bytes().starts_with(HOME.as_bytes()));
        if is_own && error.path == *from { DiskError { path: to.clone(), ..error } } else { error }
    })
}

fn try_each_way(disk: &dyn Disk, from: &RelPath, to: &RelPath) -> DiskResult<()> {
    let renamed = disk.rename_new(from, to);
    match &renamed {
        Err(error) if error.kind() == ErrorKind::Unsupported => (),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return done_after_all(disk, from, to, renamed),
        _ => return renamed,
    }
    let linked = disk.link(from, to);
    match &linked {
        Ok(()) => {
            let removed = remove_first_name(disk, from, to);
            // Only one of the names may stay, and that is the first one, unless it is another file's by now.
            if removed.is_err() && is_same_file(disk, from, to)? {
                disk.remove(to)?;
            }
            return removed;
        }
        // The answer to an earlier try was lost on the network: the name is this very file already.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return if is_same_file(disk, from, to)? { remove_first_name(disk, from, to) } else { linked };
        }
        Err(error) if !matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => return linked,
        Err(_) => (),
    }
    disk.write_new(to, b"")?;
    let renamed = disk.replace(from, to);
    if renamed.is_err() && is_placeholder(disk, to)? {
        disk.remove(to)?;
    }
    renamed
}

/// Removes the first of a file's two names. A power cut may keep the removal and lose the second name, whichever
/// came first: so the second name is made durable before. Meanwhile a program may save a new version under the
/// first name: that is another file, and stays.
pub(super) fn remove_first_name(disk: &dyn Disk, first: &RelPath, second: &RelPath) -> DiskResult<()> {
    if let Some(folder) = second.parent() {
        disk.sync_folder(&folder)?;
    }
    if is_same_file(disk, first, second)? { disk.remove(first) } else { Ok(()) }
}

/// Returns whether a name stands for an empty file, as a placeholder does.
pub(super) fn is_placeholder(disk: &dyn Look, path: &RelPath) -> DiskResult<bool> {
    Ok(disk.stat(path)?.is_some_and(|entry| entry.what == What::File && entry.identity.size == 0))
}

fn is_same_file(disk: &dyn Look, one: &RelPath, other: &RelPath) -> DiskResult<bool> {
    Ok(match (disk.stat(one)?, disk.stat(other)?) {
        (Some(one), Some(other)) => one.identity == other.identity,
        _ => false,
    })
}

/// A server may refuse what it has done already: its first answer was lost, and the call came a second time.
fn done_after_all(disk: &dyn Disk, from: &RelPath, to: &RelPath, refused: DiskResult<()>) -> DiskResult<()> {
    let is_remote = refused.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    if is_remote && disk.stat(from)?.is_none() && disk.stat(to)?.is_some() { Ok(()) } else { refused }
}

/// Tries what a file system can do, in a hidden folder of stockmill's own.
pub(super) fn probe(disk: &dyn Disk, folder: &RelPath) -> DiskResult<Capabilities> {
    let names = ["probe-a", "probe-b", "PROBE-A"].map(|name| folder.join(name));
    let clear = || names.iter().for_each(|name| drop(disk.remove(name)));
    clear();
    let tried = try_all(disk, &names);
    clear();
    tried
}

fn try_all(disk: &dyn Disk, [a, b, upper]: &[RelPath; 3]) -> DiskResult<Capabilities> {
    disk.write_new(a, b"stockmill")?;
    let ignores_case = disk.stat(upper)?.is_some();
    let lease = disk.has_writer(a)? == Some(false);
    let renames = disk.rename_new(a, b).is_ok();
    if renames {
        disk.rename_new(b, a)?;
    }
    let link = disk.link(a, b).is_ok();
    if !link {
        disk.write_new(b, b"stockmill")?;
    }
    let exchange = disk.exchange(a, b).is_ok();
    let no_replace = match (renames, link) {
        (true, _) => NoReplace::Rename,
        (false, true) => NoReplace::Link,
        (false, false) => NoReplace::Placeholder,
    };
    Ok(Capabilities { no_replace, exchange, link, lease, ignores_case })
}
