use super::disk::{Disk, DiskResult, Entry, Look, What};
use super::own_names::home;
use crate::model::RelPath;

/// Makes a folder and those above it, durably. An area itself is made when it is attached; the state folder is
/// made again if a person removed it.
pub(super) fn ensure_folder(disk: &dyn Disk, folder: &RelPath) -> DiskResult<()> {
    let Some(parent) = folder.parent() else {
        return if *folder == home() && disk.stat(folder)?.is_none() { disk.make_folder(folder) } else { Ok(()) };
    };
    if disk.stat(folder)?.is_some() {
        return Ok(());
    }
    ensure_folder(disk, &parent)?;
    disk.make_folder(folder)?;
    disk.sync_folder(&parent)
}

/// Removes a folder and those above it up to `top`, which stays, as far as they are empty. Nothing relies on it:
/// what cannot be removed stays.
pub fn remove_emptied(disk: &dyn Disk, folder: &RelPath, top: &RelPath) {
    let folders = std::iter::successors(Some(folder.clone()), RelPath::parent);
    for folder in folders.take_while(|folder| folder != top && folder.is_in(top)) {
        if disk.remove_folder(&folder).is_err() {
            return;
        }
    }
}

/// Returns the hidden folder of the root's own file system, and those that other areas may have.
pub(super) fn hidden_folders(own: &RelPath, areas: &[RelPath], name: &str) -> Vec<RelPath> {
    std::iter::once(own.clone()).chain(areas.iter().map(|area| area.join(name))).collect()
}

/// Returns the files in a folder that may not be there.
pub(super) fn list_if_there(disk: &dyn Look, folder: &RelPath) -> DiskResult<Vec<(RelPath, Entry)>> {
    if disk.stat(folder)?.is_none() {
        return Ok(Vec::new());
    }
    let found = disk.list(folder)?.into_iter().filter(|(_, entry)| entry.what != What::Folder);
    Ok(found.map(|(name, entry)| (folder.join(name), entry)).collect())
}
