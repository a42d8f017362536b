//! Files in bundles of which neither the journal nor a sidecar tells which asset they are: what is offered to their market
//! may be one of these.

use std::collections::BTreeSet;

use super::Decider;
use super::bundle_files::{bundle_names, listed, manifest_in};
use super::record_settle::refused;
use super::sending::record_of;
use crate::market::names_in;
use crate::model::{Identity, MarketName, RelPath};
use crate::plan::{BundleFolder, Hold};
use crate::service::areas;
use crate::service::sent::place_of_folder;
use crate::vault::{Look, What};

/// A bundle: its folder, before it may have been moved to those that were sent, and the market that it is for. A misplaced one
/// may be for several, as far as anybody can tell.
pub(super) type Meant = (RelPath, MarketName);

/// A bundle with such a file.
#[derive(Debug)]
pub(in crate::service) struct Unidentified {
    /// The file, or the folder that could not be looked at.
    at: RelPath,
    /// Its sidecar, as it was seen; `None` if the bundle could not be looked at.
    record: Option<(RelPath, Option<Identity>)>,
    why: String,
}

impl Unidentified {
    /// Returns whether it lies there still, and nobody wrote its sidecar since, as far as that was seen.
    fn is_as_seen(&self, disk: &dyn Look) -> bool {
        let identity = |path: &RelPath| disk.stat(path).map(|entry| entry.map(|entry| entry.identity));
        let is_there = !matches!(disk.stat(&self.at), Ok(None));
        let is_same = |(record, seen): &(RelPath, _)| matches!(identity(record), Ok(now) if now == *seen);
        is_there && self.record.as_ref().is_none_or(is_same)
    }
}

impl Decider {
    /// Looks for such files in all bundles, and learns what their sidecars say.
    pub(in crate::service) fn look_for_unidentified(&mut self) {
        let names = bundle_names(self.disk(), &self.settings.upload.markets).into_iter();
        let placed = names.map(|name| (name.folder(), name.market));
        let misplaced = self.ledger.misplaced.all().map(|(folder, market)| (folder.clone(), market.clone()));
        let all = placed.chain(misplaced).chain(self.upload.unidentified.keys().cloned()).collect();
        self.identify(all);
    }

    /// Looks again where something changed, and once a round where nobody could look. A bundle that is not there any more was
    /// moved, or removed.
    pub(super) fn look_again_for_unidentified(&mut self) {
        let disk = self.vault.disk();
        let is_due = std::mem::take(&mut self.upload.is_unseen_due);
        let is_changed = |unknown: &Unidentified| is_due && unknown.record.is_none() || !unknown.is_as_seen(disk);
        let changed = self.upload.unidentified.iter().filter(|(_, unknown)| is_changed(unknown));
        let changed: BTreeSet<Meant> = changed.map(|(bundle, _)| bundle.clone()).collect();
        if changed.iter().any(|(folder, _)| matches!(place_of_folder(disk, folder), Ok(None))) {
            self.ledger.look_for_misplaced(disk, &areas());
            self.look_for_unidentified();
        } else {
            self.identify(changed);
        }
    }

    /// Returns why a market gets nothing for now, if it has such a file.
    pub(super) fn has_unidentified(&self, market: &MarketName) -> Option<String> {
        let unknown = self.upload.unidentified.iter().find(|((_, of), _)| of == market);
        unknown.map(|(_, unknown)| {
            format!(
                "it may have this already: {}; or take that file out of its bundle, if you never drop it again; what you \
                 know to be new goes there with `stockmill release upload --anyway`",
                unknown.why
            )
        })
    }

    fn identify(&mut self, bundles: BTreeSet<Meant>) {
        for bundle in bundles {
            match self.first_unidentified(&bundle) {
                Some(unknown) => drop(self.upload.unidentified.insert(bundle, unknown)),
                None => drop(self.upload.unidentified.remove(&bundle)),
            }
        }
    }

    fn first_unidentified(&mut self, bundle: &Meant) -> Option<Unidentified> {
        let at = bundle.0.clone();
        let unseen = |hold: Hold| Some(Unidentified { at, record: None, why: hold.to_string() });
        self.unidentified_in(bundle).unwrap_or_else(unseen)
    }

    /// Returns the first file of a bundle of which nobody knows which asset it is, of those that have a row.
    fn unidentified_in(&mut self, (folder, market): &Meant) -> Result<Option<Unidentified>, Hold> {
        let vault = self.vault.clone();
        let disk = vault.disk();
        let place = place_of_folder(disk, folder).map_err(|error| refused(folder, &error))?;
        let (Some(place), Some(market)) = (place, self.settings.upload.market(market)) else { return Ok(None) };
        let bundle = BundleFolder::new(place);
        let files = listed(disk, &bundle.files())?.into_iter().filter(|(_, entry)| entry.what == What::File);
        let files = files.filter_map(|(name, _)| name.into_string().ok());
        let nameless: Vec<String> = files.filter(|file| !self.ledger.has_named(&market.name, file)).collect();
        if nameless.is_empty() {
            return Ok(None);
        }
        let parts = manifest_in(disk, bundle.path(), &market.name).map_err(|error| refused(&error.path, &error))?;
        let rows: BTreeSet<String> = parts.iter().flat_map(|part| names_in(market, &part.bytes)).collect();
        for file in nameless.into_iter().filter(|file| rows.contains(file)) {
            let record = bundle.sidecar_of(&file);
            let seen = disk.stat(&record).ok().flatten().map(|entry| entry.identity);
            let at = bundle.files().join(&file);
            let why = match record_of(disk, &bundle, &file) {
                Ok(sidecar) => {
                    let is_there = |path: &RelPath| !matches!(disk.stat(path), Ok(None));
                    self.ledger.remember_sidecar(&record, &sidecar, &is_there);
                    format!("`{record}` does not say what `{at}` was made of; put it back as it was")
                }
                Err(hold) => hold.to_string(),
            };
            if !self.ledger.has_named(&market.name, &file) {
                return Ok(Some(Unidentified { at, record: Some((record, seen)), why }));
            }
        }
        Ok(None)
    }
}
