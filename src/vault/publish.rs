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
            if disk.link(&product.to, &aside).is_ok() && disk.hash(&aside)? != *was {
                disk.remove(&aside)?;
                return Err(CommitError::Changed(product.to.clone()));
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

/// Removes new names that were given in vain; a replaced record keeps its new version, which is whole.
pub(super) fn take_back(disk: &dyn Disk, published: &[Publish]) -> DiskResult<()> {
    let mut taken_back = Ok(());
    for product in published.iter().filter(|product| product.mode == PublishMode::New) {
        // Somebody may have put a file of his own there meanwhile.
        let is_ours = disk.stat(&product.to).and_then(|entry| match entry {
            Some(seen) if disk.hash(&product.to)? == product.hash => {
                Ok(disk.stat(&product.to)?.is_some_and(|entry| entry.identity == seen.identity))
            }
            _ => Ok(false),
        });
        let removed = is_ours.and_then(|is_ours| if is_ours { disk.remove(&product.to) } else { Ok(()) });
        taken_back = taken_back.and(removed);
    }
    taken_back
}
