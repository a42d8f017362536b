//! Giving products their names, and taking these back.

use std::io::ErrorKind;

use super::disk::{Disk, DiskResult};
use super::folders::ensure_folder;
use super::no_replace::place;
use super::outcome::{Carried, CommitError};
use super::sources::give_back;
use super::trash::replaced_aside;
use crate::model::{ContentHash, RelPath};
use crate::records::{Publish, PublishMode};

/// Gives one product its name.
pub(super) fn publish(disk: &dyn Disk, product: &Publish) -> Carried {
    let free = |taken: fn(RelPath) -> CommitError| match place(disk, &product.scratch, &product.to) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(taken(product.to.clone())),
        other => Ok(other?),
    };
    let PublishMode::Replace { was } = &product.mode else { return free(CommitError::Taken) };
    let found = match disk.stat(&product.to)? {
        Some(_) => Some(disk.hash(&product.to)?),
        None => None,
    };
    match (&found, was) {
        (None, None) => free(CommitError::Changed),
        (Some(found), _) if *found == product.hash => Ok(disk.remove(&product.scratch)?),
        (Some(found), Some(was)) if found == was => {
            if disk.has_writer(&product.to)? == Some(true) {
                return Err(CommitError::InUse(product.to.clone()));
            }
            replace(disk, product, was)
        }
        _ => Err(CommitError::Changed(product.to.clone())),
    }
}

/// Puts a new version in the place of a record. The old one is taken in the same act, so that a version which
/// somebody saved in the last instant is seen, and given back.
fn replace(disk: &dyn Disk, product: &Publish, was: &ContentHash) -> Carried {
    let aside = replaced_aside(&product.scratch);
    if let Some(folder) = aside.parent() {
        ensure_folder(disk, &folder)?;
    }
    match disk.exchange(&product.scratch, &product.to) {
        Ok(()) => (),
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            // A second name keeps the old version; where there are none, it is not kept.
            if disk.link(&product.to, &aside).is_ok() {
                if disk.hash(&aside)? != *was {
                    disk.remove(&aside)?;
                    return Err(CommitError::Changed(product.to.clone()));
                }
                // A cut must not keep the new version and lose this name.
                aside.parent().map_or(Ok(()), |folder| disk.sync_folder(&folder))?;
            }
            return Ok(disk.replace(&product.scratch, &product.to)?);
        }
        Err(error) => return Err(error.into()),
    }
    let found = disk.hash(&product.scratch);
    if found.as_ref().is_ok_and(|found| found == was) {
        // What cannot be put aside is removed; only `undo` would need it.
        if place(disk, &product.scratch, &aside).is_err() {
            let _ = disk.remove(&product.scratch);
        }
        return Ok(());
    }
    // What lies in scratch now may be a person's only copy: it never stays there, where it would be swept.
    if disk.exchange(&product.scratch, &product.to).is_err() {
        give_back(disk, &product.scratch, &product.to)?;
    }
    found?;
    Err(CommitError::Changed(product.to.clone()))
}

/// Removes new names that were given in vain, and puts former versions back where they are kept: a file and the record
/// of it are of one plan, and one without the other would look as if a person had changed it.
pub(super) fn take_back(disk: &dyn Disk, published: &[Publish]) -> DiskResult<()> {
    let mut taken_back = Ok(());
    for product in published {
        let back = match &product.mode {
            PublishMode::New => remove_new(disk, product),
            PublishMode::Replace { was: Some(was) } => put_former_back(disk, product, was),
            PublishMode::Replace { was: None } => Ok(()),
        };
        taken_back = taken_back.and(back);
    }
    taken_back
}

fn remove_new(disk: &dyn Disk, product: &Publish) -> DiskResult<()> {
    // Somebody may have put a file of his own there meanwhile.
    let is_ours = match disk.stat(&product.to)? {
        Some(seen) if disk.hash(&product.to)? == product.hash => {
            disk.stat(&product.to)?.is_some_and(|entry| entry.identity == seen.identity)
        }
        _ => false,
    };
    if is_ours { disk.remove(&product.to) } else { Ok(()) }
}

/// Puts the former version of a record back in the place of ours. Ours stays where that was kept: until this is durable,
/// a cut may bring either back. Where the former one is not kept, or somebody has ours open already, the new one stays: it is whole.
fn put_former_back(disk: &dyn Disk, product: &Publish, was: &ContentHash) -> DiskResult<()> {
    let (to, aside) = (&product.to, replaced_aside(&product.scratch));
    let is = |path: &RelPath, hash: &ContentHash| Ok(disk.stat(path)?.is_some() && disk.hash(path)? == *hash);
    if !is(to, &product.hash)? || disk.has_writer(to)? == Some(true) {
        return Ok(());
    }
    // A cut may have come before it was put aside.
    let kept = if is(&aside, was)? { &aside } else { &product.scratch };
    if !is(kept, was)? {
        return Ok(());
    }
    match disk.exchange(kept, to) {
        Err(error) if error.kind() == ErrorKind::Unsupported => return disk.replace(kept, to),
        exchanged => exchanged?,
    }
    let found = disk.hash(kept);
    if found.as_ref().is_ok_and(|found| *found == product.hash) {
        return Ok(());
    }
    // Somebody saved it in this moment.
    disk.exchange(kept, to)?;
    found.map(drop)
}
