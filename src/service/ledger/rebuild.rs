//! The ledger as it is at a start: from the journal, and from what lies on disk.

use jiff::Timestamp;

use super::{KeptProducts, Ledger, NoteVersions};
use crate::intake::walk;
use crate::model::{MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName};
use crate::records::{Plans, Record, SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
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
            let tables: Vec<&RelPath> =
                walked.files.iter().map(|found| &found.path).filter(|path| path.extension() == "csv").collect();
            for found in &walked.files {
                if found.path.file_text().ends_with(SIDECAR_SUFFIX)
                    && let Ok(bytes) = disk.read(&found.path, SIDECAR_BYTES_MAX)
                    && let Ok(sidecar) = Sidecar::parse(&bytes)
                {
                    ledger.remember_sidecar(&found.path, &sidecar, &is_there);
                    ledger.remember_misplaced(&found.path, &sidecar, &tables);
                }
            }
        }
        ledger
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
        let misplaced = BundleFolder::anywhere(&beside).map(|bundle| bundle.files().join(beside.file_name()));
        let file = misplaced.filter(|file| *file != beside && is_there(file)).unwrap_or(beside);
        if let Some(bundle) = BundleName::of(&file).filter(|_| BundleFolder::is_file(&file)) {
            self.assets.was_bundled_for(slot, &bundle.market);
            if self.assets.at(slot).is_some_and(|at| *at != file) {
                self.assets.has_further(slot, std::iter::once(file.clone()));
            }
            self.file_names.give(slot, &file);
            self.joined(sidecar.theme.as_ref(), bundle);
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

    /// Remembers which market a file was bundled for, also if a person moved its bundle to where none can lie: the name of
    /// its manifest, which is among these tables, tells that.
    fn remember_misplaced(&mut self, record: &RelPath, sidecar: &Sidecar, tables: &[&RelPath]) {
        let bundle = BundleFolder::anywhere(record).filter(|_| BundleName::of(record).is_none());
        let (Some(id), Some(bundle)) = (&sidecar.id, bundle) else { return };
        let first = tables.partition_point(|path| *path < bundle.path());
        let inside = tables[first..].iter().take_while(|path| path.is_in(bundle.path()));
        let manifests = inside.filter(|path| path.parent().as_ref() == Some(bundle.path()));
        // Its later parts are `MARKET-2.csv` and so on.
        let name = manifests.map(|path| path.stem().to_string_lossy().into_owned()).min_by_key(String::len);
        if let Some(market) = name.and_then(|name| MarketName::new(&name).ok()) {
            let slot = self.assets.of_id(id);
            self.assets.was_bundled_for(slot, &market);
        }
    }
}

/// Returns whether what stands at a path is on its way: no file of a bundle, and no original in the archive.
fn is_in_flow(path: &RelPath) -> bool {
    path.area() != "archive" && !BundleFolder::is_file(path)
}
