use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::note_versions::NoteVersions;
use crate::intake::walk;
use crate::model::{AssetId, ContentHash, RelPath, Stage, ThemeSlug};
use crate::plan::Known;
use crate::records::{About, Record, SIDECAR_SUFFIX, Sidecar};
use crate::vault::Disk;

/// The largest sidecar that is read back.
const SIDECAR_BYTES_MAX: u64 = 1 << 20;

/// What was seen and done so far: a memory that the journal and the sidecars can rebuild.
#[derive(Debug, Default, Clone)]
pub(super) struct Ledger {
    last_seq: HashMap<ThemeSlug, u64>,
    by_hash: HashMap<ContentHash, AssetId>,
    at: HashMap<AssetId, RelPath>,
    bundled_for: HashMap<AssetId, BTreeSet<String>>,
    left_at: BTreeMap<Stage, Vec<Timestamp>>,
    /// What a person brought back by `undo`, and where it waits.
    undone: HashMap<RelPath, ContentHash>,
    /// What notes gave.
    pub(super) notes: NoteVersions,
}

impl Ledger {
    /// Rebuilds the ledger from the journal and, so that a lost journal costs nothing that matters,
    /// from every sidecar below the root.
    pub(super) fn rebuild(disk: &dyn Disk, records: &[Record], areas: &[RelPath]) -> Self {
        let mut ledger = Self { notes: NoteVersions::of(records), ..Self::default() };
        ledger.remember_records(records);
        for area in areas {
            // An area that is away is remembered when it comes back.
            let Ok(walked) = walk(disk, area, &|_| true, &mut |_, _| ()) else { continue };
            for found in walked.files {
                if found.path.file_text().ends_with(SIDECAR_SUFFIX)
                    && let Ok(bytes) = disk.read(&found.path, SIDECAR_BYTES_MAX)
                    && let Ok(sidecar) = Sidecar::parse(&bytes)
                {
                    ledger.remember_sidecar(&found.path, sidecar);
                }
            }
        }
        ledger
    }

    fn remember_records(&mut self, records: &[Record]) {
        let mut open: HashMap<u64, (&About, Timestamp)> = HashMap::new();
        for record in records {
            match record {
                Record::Intent(intent) => {
                    // A number that was given in vain is not given again.
                    self.use_seq(&intent.about);
                    open.insert(intent.plan, (&intent.about, intent.at));
                }
                Record::Done { plan } => {
                    if let Some((about, at)) = open.remove(plan) {
                        self.remember(about, at);
                    }
                }
                Record::Undone { plan, .. } => {
                    open.remove(plan);
                }
            }
        }
    }

    /// Remembers what a sidecar says.
    pub(super) fn remember_sidecar(&mut self, path: &RelPath, sidecar: Sidecar) {
        let (Some(id), Some(origin)) = (sidecar.id, sidecar.origin) else { return };
        if let (Some(theme), Some(seq)) = (sidecar.theme, sidecar.seq) {
            let last = self.last_seq.entry(theme).or_default();
            *last = (*last).max(seq);
        }
        self.by_hash.insert(origin.hash, id.clone());
        if let Some(file) = sidecar.file {
            self.by_hash.insert(file.hash, id.clone());
        }
        let asset = path.file_text();
        let asset = path.sibling(asset.strip_suffix(SIDECAR_SUFFIX).unwrap_or(&asset));
        let in_bundle = asset.parts().any(|part| part == "sidecars");
        // A bundle keeps its sidecars beside the folder of its files.
        let bundle = asset.parent().and_then(|sidecars| sidecars.parent()).filter(|_| in_bundle);
        let asset = bundle.map_or_else(|| asset.clone(), |bundle| bundle.join("files").join(asset.file_name()));
        if let Some(market) = asset.parts().nth(2).and_then(|name| name.to_str()).filter(|_| in_bundle) {
            let market = market.rsplit_once('-').filter(|(_, n)| n.parse::<u32>().is_ok()).map_or(market, |(m, _)| m);
            self.bundled_for.entry(id.clone()).or_default().insert(market.to_owned());
        }
        self.at.entry(id).or_insert(asset);
    }

    /// Remembers what a plan made of its asset: the same bytes elsewhere are the same asset.
    pub(super) fn remember_product(&mut self, about: &About, product: Option<&ContentHash>) {
        if let (Some(id), Some(hash)) = (&about.asset, product) {
            self.by_hash.insert(hash.clone(), id.clone());
        }
    }

    /// Remembers a plan that was carried out.
    pub(super) fn remember(&mut self, about: &About, at: Timestamp) {
        self.use_seq(about);
        if let Some(undone) = about.undoes {
            self.notes.forget(undone);
        }
        match (about.undoes, &about.from, &about.to, &about.hash) {
            (Some(_), _, Some(to), Some(hash)) => drop(self.undone.insert(to.clone(), hash.clone())),
            (None, from, to, _) => {
                for path in from.iter().chain(to) {
                    self.undone.remove(path);
                }
            }
            _ => (),
        }
        let Some(id) = &about.asset else { return };
        if let Some(hash) = &about.hash {
            self.by_hash.insert(hash.clone(), id.clone());
        }
        if let Some(to) = &about.to {
            self.at.insert(id.clone(), to.clone());
        }
        if about.undoes.is_some() {
            if let (Some(bundled), Some(markets)) = (self.bundled_for.get_mut(id), &about.market) {
                bundled.retain(|market| !markets.split(',').any(|undone| undone == market));
            }
            return;
        }
        if let Some(markets) = &about.market {
            self.bundled_for.entry(id.clone()).or_default().extend(markets.split(',').map(str::to_owned));
        }
        // A plan that recovery finished late is told after younger ones.
        let left_at = self.left_at.entry(about.stage).or_default();
        left_at.insert(left_at.partition_point(|earlier| *earlier <= at), at);
    }

    /// Takes the number that a plan uses, so that no other plan gets it.
    pub(super) fn use_seq(&mut self, about: &About) {
        if let (Some(theme), Some(seq)) = (&about.theme, about.seq) {
            let last = self.last_seq.entry(theme.clone()).or_default();
            *last = (*last).max(seq);
        }
    }

    /// Returns a theme's next number.
    pub(super) fn next_seq(&self, theme: &ThemeSlug) -> u64 {
        self.last_seq.get(theme).copied().unwrap_or(0) + 1
    }

    /// Returns the asset that had these bytes, and where it stands.
    pub(super) fn known(&self, hash: &ContentHash) -> Option<Known> {
        let id = self.by_hash.get(hash)?;
        Some(Known { id: id.clone(), at: self.at.get(id)?.clone() })
    }

    /// Returns whether a person brought these bytes back to this place.
    pub(super) fn is_undone(&self, path: &RelPath, hash: &ContentHash) -> bool {
        self.undone.get(path) == Some(hash)
    }

    /// Returns the markets that an asset was bundled for.
    pub(super) fn bundled_for(&self, id: &AssetId) -> BTreeSet<String> {
        self.bundled_for.get(id).cloned().unwrap_or_default()
    }

    /// Returns when assets left a stage, oldest first.
    pub(super) fn left_at(&self, stage: Stage) -> &[Timestamp] {
        self.left_at.get(&stage).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_recovery_finished_late_stands_in_its_place() {
        let times =
            ["2026-11-27T09:10:00Z", "2026-11-27T09:20:00Z", "2026-11-26T09:00:00Z"].map(|at| at.parse().unwrap());
        let about = |n: u8| About {
            stage: Stage::Upload,
            theme: None,
            asset: Some(AssetId::of(&ContentHash::of(&[n]))),
            seq: None,
            from: None,
            hash: None,
            to: None,
            undoes: None,
            market: None,
            did: "bundled".to_owned(),
        };
        let mut ledger = Ledger::default();
        for (n, at) in (0..).zip(times) {
            ledger.remember(&about(n), at);
        }
        assert_eq!(ledger.left_at(Stage::Upload), [times[2], times[0], times[1]]);
    }
}
