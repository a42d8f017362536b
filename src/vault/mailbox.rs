//! The folder through which commands reach whoever holds the lock. What lies there is whole, or not there.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::areas::Layout;
use super::disk::{Disk, DiskResult, Look};
use super::folders::ensure_folder;
use super::no_replace::place;
use super::own_names::requests_folder;
use super::real::RealDisk;
use super::volume::Vault;
use crate::model::RelPath;

/// The folder of requests, and the right to change what lies in it.
#[derive(Debug, Clone)]
pub struct Mailbox(Arc<dyn Disk>);

impl Mailbox {
    /// Opens the mailbox for a command, whether or not a daemon works on the root.
    pub fn beside_daemon(layout: Layout) -> Self {
        Self(Arc::new(RealDisk::open_beside_daemon(layout)))
    }

    /// Returns the files of one kind, by name: those whose names begin with it.
    pub fn list(disk: &dyn Look, kind: &str) -> DiskResult<BTreeSet<RelPath>> {
        let listed = disk.list(&requests_folder())?.into_iter();
        let names = listed.filter(|(name, _)| name.as_encoded_bytes().starts_with(kind.as_bytes()));
        Ok(names.map(|(name, _)| requests_folder().join(name)).collect())
    }

    /// Returns the disk to look at what lies there.
    pub fn disk(&self) -> &dyn Look {
        &*self.0
    }

    /// Leaves a new file, durably; its name must be free.
    pub fn leave(&self, name: &str, bytes: &[u8]) -> DiskResult<RelPath> {
        let disk = &*self.0;
        ensure_folder(disk, &requests_folder())?;
        let path = requests_folder().join(name);
        place(disk, &self.draft(name, bytes)?, &path)?;
        disk.sync_folder(&requests_folder())?;
        Ok(path)
    }

    /// Puts a new version in the place of a file, durably.
    pub fn rewrite(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()> {
        self.0.replace(&self.draft(&path.file_text(), bytes)?, path)?;
        self.0.sync_folder(&requests_folder())
    }

    /// Removes a file, durably.
    pub fn remove(&self, path: &RelPath) -> DiskResult<()> {
        self.0.remove(path)?;
        self.0.sync_folder(&requests_folder())
    }

    /// Writes a file under a name that nobody reads, durably.
    fn draft(&self, name: &str, bytes: &[u8]) -> DiskResult<RelPath> {
        let draft = requests_folder().join(format!(".{name}"));
        if self.0.stat(&draft)?.is_some() {
            self.0.remove(&draft)?;
        }
        self.0.write_new(&draft, bytes)?;
        self.0.sync_file(&draft)?;
        Ok(draft)
    }
}

impl Vault {
    /// Returns the mailbox of the root.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox(self.disk_to_share())
    }
}
