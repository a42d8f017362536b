//! A folder in scratch for another program that works for us: what it leaves there is no product, and all of it goes.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::disk::{Disk, DiskResult, What};
use super::folders::ensure_folder;
use super::own_names::home_programs;
use super::volume::Vault;
use crate::model::RelPath;

/// Folders in folders beyond this are left: no program of good will makes them.
const DEPTH_MAX: u32 = 64;

impl Vault {
    /// Makes an empty folder on the root's file system.
    pub fn scratch_folder(&self) -> DiskResult<ScratchFolder> {
        let number = self.next_plan.fetch_add(1, Ordering::Relaxed);
        let folder = home_programs().join(number.to_string());
        ensure_folder(self.writer(), &folder)?;
        Ok(ScratchFolder { vault: self.clone(), folder })
    }
}

/// A folder in scratch that goes with all that lies in it when it is dropped.
#[derive(Debug)]
pub struct ScratchFolder {
    vault: Vault,
    folder: RelPath,
}

impl ScratchFolder {
    /// Returns the path of a name in it.
    pub fn path(&self, name: &str) -> RelPath {
        self.folder.join(name)
    }

    /// Makes a file in it that is written piece by piece.
    pub fn create(&self, name: &str) -> DiskResult<Box<dyn Write + Send + '_>> {
        self.vault.writer().create_new(&self.path(name))
    }

    /// Returns where it lies for other programs, if they see the disk at all.
    pub fn real_path(&self) -> Option<PathBuf> {
        self.vault.disk().real_path(&self.folder)
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        remove_all(self.vault.writer(), &self.folder, DEPTH_MAX);
    }
}

/// Removes what programs left that were cut off with us; returns how much the disk refused.
pub(super) fn sweep_programs(disk: &dyn Disk) -> usize {
    match disk.stat(&home_programs()) {
        Ok(None) => 0,
        Ok(Some(_)) => remove_all(disk, &home_programs(), DEPTH_MAX),
        Err(_) => 1,
    }
}

/// Removes a folder with all that lies in it; a link goes, and what it leads to stays. Returns how much the disk refused.
fn remove_all(disk: &dyn Disk, folder: &RelPath, depth: u32) -> usize {
    let Ok(found) = disk.list(folder) else { return 1 };
    let mut refused = 0;
    for (name, entry) in found {
        let path = folder.join(name);
        refused += match entry.what {
            What::Folder if depth > 0 => remove_all(disk, &path, depth - 1),
            What::Folder => 1,
            What::File | What::Link | What::Special => usize::from(disk.remove(&path).is_err()),
        };
    }
    refused + usize::from(disk.remove_folder(folder).is_err())
}
