//! The ledger as it is at a start: from the journal, and from what lies on disk.

use jiff::Timestamp;

use super::{KeptProducts, Ledger, NoteVersions};
use crate::intake::{Walked, walk};
use crate::model::{MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName};
use crate::records::{Plans, Record, SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
use crate::service::misplaced::Misplaced;
use crate::vault::Look;

impl Ledger {
    /// Rebuilds the ledger from the journal and, so that a lost journal costs nothing that matters,
    /// from every sidecar below the root.
    pub(in crate::service) fn rebuild(disk: &dyn Look, records: &[Record], areas: &[RelPath]) -> Self {
        let mut ledger = Self { notes: NoteVersions::of(records), kept: KeptProducts::of(records), ..Self::default() };
        ledger.remember_records(records);
        let is_there = |path: &RelPath| !matches!(disk.stat(path), Ok(None));
        for area in areas {
            // An area that is away is remembered when it comes back.
            let Ok(walked) = walk(disk, area, &|_| true, &mut |_, _| ()) else { continue };
            ledger.misplaced.extend(Misplaced::of(&walked));
            for (path, sidecar) in sidecars_of(disk, &walked) {
                ledger.remember_sidecar(path, &sidecar, &is_there);
            }
        }
        ledger
    }

    /// Returns what the journal alone tells.
    pub(in crate::service) fn of(records: &[Record]) -> Self {
        let mut ledger = Self::default();
        ledger.remember_records(records);
        ledger
    }

    /// Looks anew for bundles that lie where none can, or where those of another market lie.
    pub(in crate::service) fn look_for_misplaced(&mut self, disk: &dyn Look, areas: &[RelPath]) {
        for walked in areas.iter().filter_map(|area| walk(disk, area, &|_| true, &mut |_, _| ()).ok()) {
            self.misplaced.extend(Misplaced::of(&walked));
        }
    }

    pub(in crate::service) fn remember_records(&mut self, records: &[Record]) {
        for record in records {
            // A number that was given in vain is not given again.
            if let Record::Intent(intent) = record {
                self.use_seq(&intent.about);
            }
        }
        for intent in Plans::of(records).done {
            self.remember(&intent.about, &intent.publish, intent.at);
        }
    }

    /// Remembers what a sidecar says. `is_there` returns whether a file may be there.
    pub(in crate::service) fn remember_sidecar(
        &mut self,
        path: &RelPath,
        sidecar: &Sidecar,
        is_there: &dyn Fn(&RelPath) -> bool,
    ) {
        let bundle = BundleFolder::anywhere(path);
        let markets = bundle.iter().flat_map(|bundle| self.misplaced.markets(bundle.path()));
        let markets: Vec<MarketName> = markets.cloned().collect();
        if let Some(id) = &sidecar.id {
            let slot = self.assets.of_id(id);
            markets.iter().for_each(|market| self.assets.was_bundled_for(slot, market));
        }
        let (Some(id), Some(origin)) = (&sidecar.id, &sidecar.origin) else { return };
        if let (Some(theme), Some(seq)) = (&sidecar.theme, sidecar.seq) {
            let last = self.last_seq.entry(theme.clone()).or_default();
            *last = (*last).max(seq);
        }
        let slot = self.assets.of_id(id);
        sidecar.originals().for_each(|original| self.assets.had(slot, &original.hash));
        if let Some(file) = &sidecar.file {
            self.assets.had(slot, &file.hash);
        }
        sidecar.essences.iter().for_each(|essence| self.assets.had(slot, essence));
        let last = sidecar.history.last().map_or(Timestamp::UNIX_EPOCH, |happened| happened.at);
        let beside = BundleFolder::file_of_sidecar(path);
        // A person may have moved the whole bundle to where none can lie.
        let misplaced = bundle.map(|bundle| bundle.files().join(beside.file_name()));
        markets.iter().for_each(|market| self.file_names.give_for(slot, market, &beside.file_text()));
        let file = misplaced.filter(|file| *file != beside && is_there(file)).unwrap_or(beside);
        if let Some(bundle) = BundleName::of(&file).filter(|_| BundleFolder::is_file(&file)) {
            self.assets.was_bundled_for(slot, &bundle.market);
            if self.assets.at(slot).is_some_and(|at| *at != file) {
                self.assets.has_further(slot, std::iter::once(file.clone()));
            }
            self.file_names.give(slot, &file);
            self.joined.add(slot, sidecar.theme.as_ref(), bundle);
        }
        // A person may have moved it: where it lies is true, and the journal only remembers.
        let is_moved = |at: &RelPath| *at != file && is_in_flow(&file) && !is_there(at) && is_there(&file);
        if self.assets.at(slot).is_none_or(is_moved) {
            self.assets.stands(slot, file.clone(), last);
        } else {
            self.assets.was_there(slot, last);
        }
        if origin.path != file {
            self.assets.left(slot, &origin.path);
        }
    }
}

/// Returns whether what stands at a path is on its way: no file of a bundle, and no original in the archive.
fn is_in_flow(path: &RelPath) -> bool {
    path.area() != "archive" && !BundleFolder::is_file(path)
}

/// Returns the sidecars that a walk found and that can be read.
pub(in crate::service) fn sidecars_of<'a>(
    disk: &'a dyn Look,
    walked: &'a Walked,
) -> impl Iterator<Item = (&'a RelPath, Sidecar)> {
    let paths = walked.files.iter().map(|found| &found.path);
    paths.filter(|path| path.file_text().ends_with(SIDECAR_SUFFIX)).filter_map(|path| {
        let bytes = disk.read(path, SIDECAR_BYTES_MAX).ok()?;
        Some((path, Sidecar::parse(&bytes).ok()?))
    })
}
