//! What is known of a file's content: whether it is an asset that was seen before, and what became of that.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::Decider;
use super::bundles::manifest_of;
use crate::market::{Market, names_in};
use crate::model::{ContentHash, MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName, Bundled, Companion, Facts, Known, Whereabouts};
use crate::records::{SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
use crate::service::clock::Moment;
use crate::service::ledger::Seen;
use crate::service::sent::is_sent;
use crate::vault::{DiskError, DiskResult, What};

impl Decider {
    /// Returns the asset that had the same content before, if the file does not say itself which one it is. A file
    /// that a person moved without its sidecar is that asset itself: its sidecar is brought back to it.
    pub(super) fn known(&self, facts: &mut Facts, seen: Option<Seen>, moment: &Moment) -> Option<Known> {
        let Seen { id, places, last, bundled_for } = seen?;
        let at = places.first()?.clone();
        if facts.sidecar.as_ref().is_some_and(|(_, sidecar)| sidecar.id.is_some()) {
            return None;
        }
        let is_retagged = self.ledger.with_hash(&facts.hash).is_none();
        let is_made_of_it = false;
        if at == facts.path {
            return Some(Known { id, at, is_retagged, is_made_of_it, is: Whereabouts::Itself });
        }
        for place in &places {
            match self.is_gone(place) {
                Ok(true) => (),
                Ok(false) => {
                    let (at, is_made_of_it) = self.with_these_bytes(place, facts);
                    return Some(Known { id, at, is_retagged, is_made_of_it, is: Whereabouts::There });
                }
                Err(why) => {
                    let (at, is) = (place.clone(), Whereabouts::Unknown(why));
                    return Some(Known { id, at, is_retagged, is_made_of_it, is });
                }
            }
        }
        let left_behind = at.with_suffix(SIDECAR_SUFFIX);
        if let Ok(Some(entry)) = self.disk().stat(&left_behind)
            && let Ok(bytes) = self.disk().read(&left_behind, SIDECAR_BYTES_MAX)
            && let Ok(sidecar) = Sidecar::parse(&bytes)
            && sidecar.id.as_ref() == Some(&id)
        {
            let companion = Companion { path: left_behind, seen: entry.identity };
            facts.sidecar = Some((companion, sidecar));
            return None;
        }
        let is_wanted =
            self.is_let_go(&facts.path, facts.stage, facts.seen, moment) || self.ledger.is_sent_back(&facts.path);
        // Who is told to move what `undo` brought back has moved it.
        let is_moved = || self.ledger.is_undone(&at, &facts.hash);
        if is_wanted || is_moved() {
            return Some(Known { id, at, is_retagged, is_made_of_it, is: Whereabouts::Itself });
        }
        let last = last.to_zoned_datetime(moment.local.time_zone().clone()).date();
        Some(Known { id, at, is_retagged, is_made_of_it, is: Whereabouts::Gone { last, bundled_for } })
    }

    /// Returns the file of an asset that has a file's bytes, or shows what it shows: where it stands, or an original in
    /// the archive; else where it stands, and that this was made of them.
    fn with_these_bytes(&self, place: &RelPath, facts: &Facts) -> (RelPath, bool) {
        let record = BundleFolder::of(place)
            .map_or_else(|| place.with_suffix(SIDECAR_SUFFIX), |bundle| bundle.sidecar_of(place.file_text()));
        let read = self.disk().read(&record, SIDECAR_BYTES_MAX).ok();
        let Some(sidecar) = read.and_then(|bytes| Sidecar::parse(&bytes).ok()) else { return (place.clone(), false) };
        let is_in_place = sidecar.file.as_ref().is_some_and(|file| file.hash == facts.hash)
            || facts.essence.is_some() && sidecar.essences.last() == facts.essence.as_ref();
        if is_in_place {
            return (place.clone(), false);
        }
        let mut originals = sidecar.originals().filter(|original| original.hash == facts.hash);
        let archived = originals.find_map(|original| original.archived.clone());
        let archived = archived.filter(|path| matches!(self.disk().stat(path), Ok(Some(_))));
        archived.map_or_else(|| (place.clone(), true), |path| (path, false))
    }

    /// Returns whether nothing lies at a path, or why nobody can tell. Nothing is concluded from a place that
    /// cannot be looked at.
    pub(in crate::service) fn is_gone(&self, path: &RelPath) -> Result<bool, String> {
        match self.disk().stat(path) {
            Ok(Some(_)) => Ok(false),
            // A disk that was unmounted leaves an empty folder.
            Ok(None) => self.disk().attach(&path.area_path()).map(|()| true).map_err(|detached| detached.to_string()),
            Err(error) => Err(error.source.to_string()),
        }
    }

    /// Returns the markets that an asset was bundled for, by all that is known of it, and what became of it there: what
    /// was sold under another identity is not sold again.
    pub(super) fn bundled_for(&self, facts: &Facts, known: Option<&Known>) -> BTreeMap<MarketName, Bundled> {
        let sidecar = facts.sidecar.as_ref().map(|(_, sidecar)| sidecar);
        let ids = sidecar.and_then(|sidecar| sidecar.id.as_ref()).into_iter().chain(known.map(|known| &known.id));
        let originals = sidecar.into_iter().flat_map(Sidecar::originals).map(|original| &original.hash);
        let file = sidecar.and_then(|sidecar| sidecar.file.as_ref()).map(|file| &file.hash);
        let essences = facts.essence.iter().chain(sidecar.into_iter().flat_map(|sidecar| &sidecar.essences));
        let hashes: Vec<&ContentHash> =
            [&facts.hash].into_iter().chain(originals).chain(file).chain(essences).collect();
        let bundled = self.ledger.bundled_as(ids, hashes.iter().copied()).into_iter();
        let became = |files: BTreeSet<RelPath>| {
            let all = files.into_iter().map(|file| self.became_of(file, &hashes));
            // What is known least of keeps it.
            all.reduce(|one, other| if matches!(one, Bundled::TakenOut(_)) { other } else { one })
        };
        let nowhere = || Bundled::Unknown("nobody knows any more in which bundle".to_owned());
        bundled.map(|(market, files)| (market, became(files).unwrap_or_else(nowhere))).collect()
    }

    /// Returns what became of a file in a bundle; `hashes` is what is known of its asset.
    fn became_of(&self, file: RelPath, hashes: &[&ContentHash]) -> Bundled {
        let cannot = |why: String| Bundled::Unknown(format!("`{file}` cannot be looked at now: {why}"));
        match self.is_gone(&file) {
            Ok(true) => (),
            Ok(false) => return Bundled::Lies(file),
            Err(why) => return cannot(why),
        }
        let bundle = BundleFolder::of(&file).expect("a file of a bundle lies in one");
        match self.in_bundle(&bundle, &file, hashes) {
            Ok(bundled) => bundled,
            Err(error) => cannot(error.source.to_string()),
        }
    }

    /// Returns what became of a file that lies no more where a bundle had it: that it was not sent, its bundle must show.
    fn in_bundle(&self, bundle: &BundleFolder, file: &RelPath, hashes: &[&ContentHash]) -> DiskResult<Bundled> {
        let (disk, folder) = (self.disk(), bundle.path());
        if disk.stat(folder)?.is_none() {
            return Ok(Bundled::BundleGone(folder.clone()));
        }
        let is_missing = |error: &DiskError| error.kind() == ErrorKind::NotFound;
        if is_sent(disk, folder)? {
            let name = BundleName::of(file);
            let parts = name.as_ref().map_or(Ok(Vec::new()), |name| manifest_of(disk, name))?;
            let market = name.and_then(|name| self.market_of(&name)).filter(|_| !parts.is_empty());
            let Some(market) = market else { return Ok(Bundled::Sent(file.clone())) };
            if parts.iter().any(|part| names_in(market, &part.bytes).contains(&file.file_text())) {
                return Ok(Bundled::Sent(file.clone()));
            }
        }
        let inside = match disk.list(&bundle.files()) {
            Err(error) if is_missing(&error) => Vec::new(),
            listed => listed?,
        };
        for (name, _) in inside.iter().filter(|(_, entry)| entry.what == What::File) {
            let other = bundle.files().join(name);
            // A person may have renamed it.
            let is_renamed = disk.stat(&bundle.sidecar_of(name))?.is_none()
                && self.ledger.is_same(&disk.hash(&other)?, hashes.iter().copied());
            if is_renamed {
                return Ok(Bundled::Lies(other));
            }
        }
        Ok(Bundled::TakenOut(folder.clone()))
    }

    /// Returns the market that a bundle is for, if it is configured.
    fn market_of(&self, name: &BundleName) -> Option<&Market> {
        self.settings.upload.markets.iter().find(|market| market.name == name.market)
    }
}
