//! Files in bundles of which neither the journal nor a sidecar tells which asset they are: what is offered to their market
//! may be one of these.

use std::collections::BTreeSet;

use super::Decider;
use super::bundles::{bundle_names, listed, manifest_of};
use super::record_settle::refused;
use super::sending::record_of;
use crate::market::names_in;
use crate::model::{Identity, MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName, Hold};
use crate::service::sent::place_of;
use crate::vault::{Look, What};

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
    pub(super) fn look_for_unidentified(&mut self) {
        let names = bundle_names(self.disk(), &self.settings.upload.markets);
        self.identify(names.into_iter().collect());
    }

    /// Looks again where something changed, and once a round where nobody could look.
    pub(super) fn look_again_for_unidentified(&mut self) {
        let disk = self.vault.disk();
        let is_due = std::mem::take(&mut self.upload.is_unseen_due);
        let is_changed = |unknown: &Unidentified| is_due && unknown.record.is_none() || !unknown.is_as_seen(disk);
        let changed = self.upload.unidentified.iter().filter(|(_, unknown)| is_changed(unknown));
        let changed: BTreeSet<BundleName> = changed.map(|(name, _)| name.clone()).collect();
        self.identify(changed);
    }

    /// Returns why a market gets nothing for now, if it has such a file.
    pub(super) fn has_unidentified(&self, market: &MarketName) -> Option<String> {
        let unknown = self.upload.unidentified.iter().find(|(name, _)| name.market == *market);
        unknown.map(|(_, unknown)| {
            format!(
                "it may have this already: {}; or take that file out of its bundle, if you never drop it again; what you \
                 know to be new goes there with `stockmill release upload --anyway`",
                unknown.why
            )
        })
    }

    fn identify(&mut self, names: BTreeSet<BundleName>) {
        for name in names {
            match self.first_unidentified(&name) {
                Some(unknown) => drop(self.upload.unidentified.insert(name, unknown)),
                None => drop(self.upload.unidentified.remove(&name)),
            }
        }
    }

    fn first_unidentified(&mut self, name: &BundleName) -> Option<Unidentified> {
        let at = name.folder();
        self.unidentified_in(name).unwrap_or_else(|hold| Some(Unidentified { at, record: None, why: hold.to_string() }))
    }

    /// Returns the first file of a bundle of which nobody knows which asset it is, of those that have a row.
    fn unidentified_in(&mut self, name: &BundleName) -> Result<Option<Unidentified>, Hold> {
        let vault = self.vault.clone();
        let disk = vault.disk();
        let place = place_of(disk, name).map_err(|error| refused(&name.folder(), &error))?;
        let (Some(place), Some(market)) = (place, self.settings.upload.market(&name.market)) else { return Ok(None) };
        let bundle = BundleFolder::new(place);
        let files = listed(disk, &bundle.files())?.into_iter().filter(|(_, entry)| entry.what == What::File);
        let files = files.filter_map(|(name, _)| name.into_string().ok());
        let nameless: Vec<String> = files.filter(|file| !self.ledger.has_named(&name.market, file)).collect();
        if nameless.is_empty() {
            return Ok(None);
        }
        let parts = manifest_of(disk, name).map_err(|error| refused(&error.path, &error))?;
        let rows: BTreeSet<String> = parts.iter().flat_map(|part| names_in(market, &part.bytes)).collect();
        for file in nameless.into_iter().filter(|file| rows.contains(file)) {
            let record = bundle.sidecar_of(&file);
            let seen = disk.stat(&record).ok().flatten().map(|entry| entry.identity);
            let at = bundle.files().join(&file);
            let why = match record_of(disk, &bundle, &file) {
                Ok(sidecar) => {
                    let is_there = |path: &RelPath| !matches!(disk.stat(path), Ok(None));
                    self.ledger.remember_sidecar(&record, &sidecar, &is_there);
                    format!("`{record}` does not say what `{at}` was made of; `stockmill undo` has the former version")
                }
                Err(hold) => hold.to_string(),
            };
            if !self.ledger.has_named(&name.market, &file) {
                return Ok(Some(Unidentified { at, record: Some((record, seen)), why }));
            }
        }
        Ok(None)
    }
}
