use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::disk::{Disk, DiskResult, Look};
use super::folders::{ensure_folder, list_if_there};
use super::no_replace::{Capabilities, probe};
use super::only_look::OnlyLook;
use super::own_names::{SCRATCH, TRASH, home, home_scratch, home_trash};
use crate::model::RelPath;
use crate::records::Record;

/// The one that changes the disk. It makes products in hidden folders on the file system of their target, which
/// nobody watches, and carries plans out.
#[derive(Debug, Clone)]
pub struct Vault {
    disk: Arc<dyn Disk>,
    pub(super) next_plan: Arc<AtomicU64>,
    home_device: u64,
    pub(super) known: Arc<Mutex<Known>>,
}

/// What was learned of the file systems.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) capabilities: HashMap<u64, Capabilities>,
    /// Pairs of folders between which no rename works, although they looked like one file system.
    pub(super) crossing: HashSet<(Option<RelPath>, Option<RelPath>)>,
    /// Hidden folders whose numbers are not given again.
    numbered: HashSet<RelPath>,
}

/// A folder's file system, and the hidden folders on it.
#[derive(Debug, Clone)]
pub(super) struct Volume {
    pub(super) device: u64,
    pub(super) scratch: RelPath,
    pub(super) trash: RelPath,
}

impl Vault {
    /// Returns a vault over `disk` whose first plan gets a number that `records` do not know.
    pub fn new(disk: Arc<dyn Disk>, records: &[Record]) -> DiskResult<Self> {
        let last = records.iter().map(Record::plan).max().unwrap_or(0);
        let home_device = disk.device(&home())?;
        Ok(Self { disk, next_plan: Arc::new(AtomicU64::new(last + 1)), home_device, known: Arc::default() })
    }

    /// Returns a vault for commands that only look: it can plan, and refuses every change.
    pub fn to_look(look: Arc<dyn Look>, records: &[Record]) -> DiskResult<Self> {
        Self::new(Arc::new(OnlyLook(look)), records)
    }

    /// Returns the disk to look at it; whoever wants a change says it to the vault.
    pub fn disk(&self) -> &dyn Look {
        &*self.disk
    }

    pub(super) fn disk_to_share(&self) -> Arc<dyn Disk> {
        self.disk.clone()
    }

    /// Returns the disk to change it.
    pub(super) fn writer(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Tries, once for each file system, what it can do. Returns the answer the first time.
    pub fn probe(&self, area: &RelPath) -> DiskResult<Option<Capabilities>> {
        let volume = self.volume(area)?;
        self.skip_numbers(&volume)?;
        if self.known.lock().expect("no holder panics").capabilities.contains_key(&volume.device) {
            return Ok(None);
        }
        ensure_folder(self.writer(), &volume.scratch)?;
        let found = probe(self.writer(), &volume.scratch)?;
        self.known.lock().expect("no holder panics").capabilities.insert(volume.device, found);
        Ok(Some(found))
    }

    /// Skips the numbers of earlier plans of which files still lie in the hidden folders: the journal may have been
    /// lost since, and what was taken away lies under those numbers.
    fn skip_numbers(&self, volume: &Volume) -> DiskResult<()> {
        if self.known.lock().expect("no holder panics").numbered.contains(&volume.trash) {
            return Ok(());
        }
        let mut found = list_if_there(self.disk(), &volume.trash)?;
        found.extend(list_if_there(self.disk(), &volume.scratch)?);
        let number = |path: &RelPath| path.file_text().split('-').next()?.parse::<u64>().ok();
        if let Some(last) = found.iter().filter_map(|(path, _)| number(path)).max() {
            self.next_plan.fetch_max(last.saturating_add(1), Ordering::Relaxed);
        }
        self.known.lock().expect("no holder panics").numbered.insert(volume.trash.clone());
        Ok(())
    }

    /// Returns whether a folder lies on the root's own file system.
    pub(super) fn is_home(&self, folder: &RelPath) -> DiskResult<bool> {
        Ok(self.disk.device(folder)? == self.home_device)
    }

    /// Remembers that no rename works between two files' folders: the next try copies.
    pub(super) fn learn_crossing(&self, from: &RelPath, to: &RelPath) {
        self.known.lock().expect("no holder panics").crossing.insert((from.parent(), to.parent()));
    }

    pub(super) fn volume(&self, folder: &RelPath) -> DiskResult<Volume> {
        let device = self.disk.device(folder)?;
        if device == self.home_device {
            return Ok(Volume { device, scratch: home_scratch(), trash: home_trash() });
        }
        let mut top = folder.clone();
        while let Some(above) = top.parent()
            && self.disk.device(&above)? == device
        {
            top = above;
        }
        Ok(Volume { device, scratch: top.join(SCRATCH), trash: top.join(TRASH) })
    }
}
