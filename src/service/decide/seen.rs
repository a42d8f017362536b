//! What is known of a file's content: whether it is an asset that was seen before, and what became of that.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::Decider;
use super::bundle_files::manifest_of;
use super::moved_inside::elsewhere_inside;
use crate::market::{Market, names_in};
use crate::model::{AssetId, ContentHash, MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName, Bundled, Companion, Facts, Known, Lacking, Refusal, Whereabouts};
use crate::records::{SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
use crate::service::clock::Moment;
use crate::service::ledger::{Became, Seen};
use crate::service::sent::{bundle_of, is_sent, moved_to};
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
        let known = |is: Whereabouts, origin: Option<RelPath>| {
            let (id, at) = (id.clone(), at.clone());
            Some(Known { id, at, is_retagged, is_made_of_it: false, origin, lacks: None, is })
        };
        let itself = |facts: &Facts| known(Whereabouts::Itself, self.origin_of(&id, &places, &facts.path));
        if at == facts.path {
            return itself(facts);
        }
        let refused: Vec<MarketName> = self.refused_by(&id, &facts.hash).into_keys().collect();
        let may_go_again = !refused.is_empty();
        if let Some(mut there) = self.still_there(&id, &places, facts, is_retagged, may_go_again) {
            if there.is == Whereabouts::There {
                there.lacks = self.lacking(&places, refused, &bundled_for);
            }
            return Some(there);
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
        let is_wanted = may_go_again
            || self.is_let_go(&facts.path, facts.stage, facts.seen)
            || self.ledger.is_sent_back(&facts.path);
        // Who is told to move what `undo` brought back has moved it.
        let is_moved = || self.ledger.is_undone(&at, &facts.hash);
        if is_wanted || is_moved() {
            return itself(facts);
        }
        let last = last.to_zoned_datetime(moment.local.time_zone().clone()).date();
        known(Whereabouts::Gone { last, bundled_for: bundled_for.clone() }, None)
    }

    /// Returns where an asset was dropped first, by the sidecar of a file that it has somewhere, or by that of the original
    /// in the archive of which a file may be a copy.
    fn origin_of(&self, id: &AssetId, places: &[RelPath], dropped: &RelPath) -> Option<RelPath> {
        let now_at = |place: &RelPath| moved_to(self.disk(), place).ok().flatten().unwrap_or_else(|| place.clone());
        let archive = RelPath::new("archive").expect("a constant is a clean path");
        let archived = dropped.below(&dropped.area_path()).map(|name| archive.join(name.as_path()));
        let sidecars = places.iter().map(now_at).chain(archived).filter_map(|file| self.sidecar_of(&file));
        let mut own = sidecars.filter(|sidecar| sidecar.id.as_ref() == Some(id));
        own.find_map(|sidecar| sidecar.origin).map(|origin| origin.path)
    }

    /// Returns the sidecar of a file, if it has one that can be read.
    fn sidecar_of(&self, file: &RelPath) -> Option<Sidecar> {
        let record = BundleFolder::of(file)
            .map_or_else(|| file.with_suffix(SIDECAR_SUFFIX), |bundle| bundle.sidecar_of(file.file_text()));
        Sidecar::parse(&self.disk().read(&record, SIDECAR_BYTES_MAX).ok()?).ok()
    }

    /// Returns that a file is a copy of an asset which still stands somewhere, or of which nobody can tell that.
    fn still_there(
        &self,
        id: &AssetId,
        places: &[RelPath],
        facts: &Facts,
        is_retagged: bool,
        may_go_again: bool,
    ) -> Option<Known> {
        let known = |at: RelPath, is_made_of_it: bool, is: Whereabouts| {
            Some(Known { id: id.clone(), at, is_retagged, is_made_of_it, origin: None, lacks: None, is })
        };
        for place in places {
            let moved = moved_to(self.disk(), place).ok().flatten();
            let place = moved.as_ref().unwrap_or(place);
            match self.is_gone(place) {
                Ok(true) => (),
                // What lies in a bundle that was sent is out of the way of what a market refused.
                Ok(false) if may_go_again && (place.area() == "archive" || self.was_sent(place)) => (),
                Ok(false) => {
                    let (at, is_made_of_it) = self.with_these_bytes(place, facts);
                    return known(at, is_made_of_it, Whereabouts::There);
                }
                Err(why) => return known(place.clone(), false, Whereabouts::Unknown(why)),
            }
        }
        None
    }

    /// Returns what markets lack of an asset that lies in a bundle: those that refused it, and wait for a bundle of another
    /// one; else those that were named after its bundle was sent.
    fn lacking(
        &self,
        places: &[RelPath],
        refused: Vec<MarketName>,
        bundled_for: &BTreeSet<MarketName>,
    ) -> Option<Lacking> {
        let now_at = |place: &RelPath| moved_to(self.disk(), place).ok().flatten().unwrap_or_else(|| place.clone());
        let in_bundle = |place: &RelPath| BundleFolder::is_file(place) && self.is_gone(place) == Ok(false);
        let places = places.iter().map(now_at).filter(in_bundle);
        let (sent, open): (Vec<RelPath>, Vec<RelPath>) = places.partition(|place| self.was_sent(place));
        if !open.is_empty() && !refused.is_empty() {
            return Some(Lacking::Refused(refused, open));
        }
        let place = sent.first().filter(|_| open.is_empty())?;
        let owed = self.sidecar_of(place)?.owed;
        let is_lacking = |market: &&MarketName| !bundled_for.contains(*market) && !owed.contains(market);
        let named = self.settings.upload.markets.iter().map(|market| &market.name);
        let lacking: Vec<MarketName> = named.filter(is_lacking).cloned().collect();
        if lacking.is_empty() { None } else { Some(Lacking::Named(lacking, bundle_of(place)?)) }
    }

    /// Returns the markets that refused an asset and have nothing else of it, each with what it refused: dropped again, it goes
    /// there if it was mended.
    pub(in crate::service) fn refused_by(
        &self,
        id: &AssetId,
        hash: &ContentHash,
    ) -> BTreeMap<MarketName, Vec<Refusal>> {
        let mut refused: BTreeMap<MarketName, Option<Vec<Refusal>>> = BTreeMap::new();
        for ((market, _), (_, became)) in self.ledger.sent_as([id], [hash]) {
            let all = refused.entry(market).or_insert_with(|| Some(Vec::new()));
            match became {
                Became::Refused(refusal) => all.iter_mut().for_each(|all| all.push(refusal.clone())),
                Became::InReview | Became::Accepted => *all = None,
            }
        }
        refused.into_iter().filter_map(|(market, all)| Some((market, all?))).collect()
    }

    /// Returns whether a file lies in a bundle that was sent.
    fn was_sent(&self, file: &RelPath) -> bool {
        bundle_of(file).is_some_and(|bundle| is_sent(self.disk(), &bundle).unwrap_or(false))
    }

    /// Returns the file of an asset that has a file's bytes, or shows what it shows: where it stands, or an original in
    /// the archive; else where it stands, and that this was made of them.
    fn with_these_bytes(&self, place: &RelPath, facts: &Facts) -> (RelPath, bool) {
        let Some(sidecar) = self.sidecar_of(place) else { return (place.clone(), false) };
        let is_in_place = sidecar.file.as_ref().is_some_and(|file| file.hash == facts.hash)
            || sidecar.essences.last().is_some_and(|essence| facts.essences.contains(essence));
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
        let essences = facts.essences.iter().chain(sidecar.into_iter().flat_map(|sidecar| &sidecar.essences));
        let hashes: Vec<&ContentHash> =
            [&facts.hash].into_iter().chain(originals).chain(file).chain(essences).collect();
        let ids: Vec<&AssetId> = ids.collect();
        let mut sent: BTreeMap<MarketName, Vec<(BundleName, Became)>> = BTreeMap::new();
        for ((market, _), (bundle, became)) in self.ledger.sent_as(ids.iter().copied(), hashes.iter().copied()) {
            sent.entry(market).or_default().push((bundle, became));
        }
        let mut bundled = self.ledger.bundled_as(ids.iter().copied(), hashes.iter().copied());
        for market in sent.keys() {
            bundled.entry(market.clone()).or_default();
        }
        let became = |market: &MarketName, files: BTreeSet<RelPath>| {
            let sent = sent.get(market).map_or(&[][..], Vec::as_slice);
            let is_on_record = |file: &RelPath| {
                BundleName::of(file).is_some_and(|name| sent.iter().any(|(bundle, _)| *bundle == name))
            };
            let by_record = sent.iter().map(|(bundle, became)| by_record(bundle, became, &files));
            let by_disk = files.iter().filter(|file| !is_on_record(file)).map(|file| self.became_of(file, &hashes));
            by_record.chain(by_disk).reduce(least_known)
        };
        let nowhere = || Bundled::Unknown("nobody knows any more in which bundle".to_owned());
        let became = |(market, files)| {
            let became = became(&market, files).unwrap_or_else(nowhere);
            (market, became)
        };
        let mut bundled: BTreeMap<MarketName, Bundled> = bundled.into_iter().map(became).collect();
        for (market, up) in self.still_up(&ids, &|market| bundled.contains_key(market)) {
            bundled.entry(market).or_insert(up);
        }
        bundled
    }

    /// Returns what became of a file in a bundle that is not on record as sent; `hashes` is what is known of its asset.
    fn became_of(&self, file: &RelPath, hashes: &[&ContentHash]) -> Bundled {
        let cannot = |why: String| Bundled::Unknown(format!("`{file}` cannot be looked at now: {why}"));
        match self.is_gone(file) {
            Ok(true) => (),
            Ok(false) => return Bundled::Lies(file.clone()),
            Err(why) => return cannot(why),
        }
        match moved_to(self.disk(), file) {
            Ok(Some(moved)) => return Bundled::Sent(moved),
            Ok(None) => (),
            Err(error) => return cannot(error.source.to_string()),
        }
        let bundle = BundleFolder::of(file).expect("a file of a bundle lies in one");
        match self.in_bundle(&bundle, file, hashes) {
            Ok(bundled) => bundled,
            Err(error) => cannot(error.source.to_string()),
        }
    }

    /// Returns what became of a file that lies no more where a bundle had it: that it was not sent, its bundle must show.
    fn in_bundle(&self, bundle: &BundleFolder, file: &RelPath, hashes: &[&ContentHash]) -> DiskResult<Bundled> {
        let (disk, folder) = (self.disk(), bundle.path());
        if disk.stat(folder)?.is_none() {
            // One that was moved to those that were sent, and the file was taken out there: it may have been sent.
            if moved_to(disk, folder)?.is_some() {
                return Ok(Bundled::Sent(file.clone()));
            }
            let renamed = BundleName::of(folder).and_then(|name| self.renamed_to(&name));
            let seems = |to: RelPath| format!("`{folder}` is gone, and seems to be `{to}` now: give it its name back");
            return Ok(renamed.map_or_else(|| Bundled::BundleGone(folder.clone()), |to| Bundled::Unknown(seems(to))));
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
        let names = BTreeSet::from([file.file_text()]);
        Ok(match elsewhere_inside(disk, bundle, &names) {
            Ok(moved) => moved.into_iter().next().map_or(Bundled::TakenOut(folder.clone()), Bundled::Lies),
            Err(hold) => Bundled::Unknown(hold.to_string()),
        })
    }

    /// Returns the market that a bundle is for, if it is configured.
    fn market_of(&self, name: &BundleName) -> Option<&Market> {
        self.settings.upload.markets.iter().find(|market| market.name == name.market)
    }
}

/// Returns what became of a file in a bundle that is on record as sent; `files` is where it lay in bundles.
fn by_record(bundle: &BundleName, became: &Became, files: &BTreeSet<RelPath>) -> Bundled {
    let file = files.iter().find(|file| BundleName::of(file).as_ref() == Some(bundle));
    match became {
        Became::InReview | Became::Accepted => Bundled::Sent(file.cloned().unwrap_or_else(|| bundle.folder())),
        Became::Refused(refusal) => Bundled::Refused(vec![refusal.clone()]),
    }
}

/// Of what became of two files of an asset, returns what keeps it the more: what is known least.
fn least_known(one: Bundled, other: Bundled) -> Bundled {
    match (one, other) {
        (Bundled::Refused(mut one), Bundled::Refused(other)) => {
            one.extend(other);
            Bundled::Refused(one)
        }
        (refused @ Bundled::Refused(_), Bundled::TakenOut(_)) => refused,
        (Bundled::TakenOut(_) | Bundled::Refused(_), other) => other,
        (one, _) => one,
    }
}
