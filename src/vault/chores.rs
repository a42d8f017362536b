//! What other rooms have the vault do beside plans: areas, probes, folders, the journal.

use super::disk::{Detached, DiskResult};
use super::folders::{ensure_folder, remove_emptied};
use super::journal::Journal;
use super::own_names::PROBE;
use super::recover::{Recovered, recover};
use super::trash::{TrashLimits, purge_trash};
use super::volume::Vault;
use crate::model::RelPath;
use crate::records::Record;

impl Vault {
    /// Attaches an area, and makes its folder and its mark where they are missing and may be made.
    pub fn make_area(&self, area: &RelPath) -> Result<(), Detached> {
        self.writer().make_area(area)
    }

    /// Puts a file into each area and takes it away, so that events tell of it.
    pub fn stir(&self, areas: &[RelPath]) {
        for probe in areas.iter().map(|area| area.join(PROBE)) {
            let _ = self.writer().write_new(&probe, b"");
            let _ = self.writer().remove(&probe);
        }
    }

    /// Opens the journal anew; see [`Journal::open`].
    pub fn open_journal(&self) -> DiskResult<(Journal, Vec<Record>)> {
        Journal::open(self.writer())
    }

    /// Finishes or takes back every plan that was begun; see [`super::recover`].
    pub fn recover(&self, journal: &mut Journal, records: &[Record], areas: &[RelPath]) -> DiskResult<Recovered> {
        recover(self.writer(), journal, records, areas)
    }

    /// Removes what `undo` can no longer want.
    pub fn purge_trash(
        &self,
        areas: &[RelPath],
        now_ns: i64,
        limits: TrashLimits,
        unsure: &dyn Fn(&RelPath) -> bool,
    ) -> usize {
        purge_trash(self.writer(), areas, now_ns, limits, unsure)
    }

    /// Makes a folder and those above it, durably.
    pub fn ensure_folder(&self, folder: &RelPath) -> DiskResult<()> {
        ensure_folder(self.writer(), folder)
    }

    /// Removes a folder and those above it up to `top` as far as they are empty; see [`super::remove_emptied`].
    pub fn remove_emptied(&self, folder: &RelPath, top: &RelPath) {
        remove_emptied(self.writer(), folder, top);
    }
}
