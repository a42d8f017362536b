//! What is known of a file's content: whether it is an asset that was seen before, and what became of that.

use std::collections::BTreeSet;

use super::Decider;
use crate::model::{MarketName, RelPath};
use crate::plan::{BundleFolder, Companion, Facts, Known, Whereabouts};
use crate::records::{SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
use crate::service::clock::Moment;
use crate::service::ledger::Seen;

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

    /// Returns the markets that an asset was bundled for, by all that is known of it: what was sold under another
    /// identity is not sold again.
    pub(super) fn bundled_for(&self, facts: &Facts, known: Option<&Known>) -> BTreeSet<MarketName> {
        let sidecar = facts.sidecar.as_ref().map(|(_, sidecar)| sidecar);
        let ids = sidecar.and_then(|sidecar| sidecar.id.as_ref()).into_iter().chain(known.map(|known| &known.id));
        let originals = sidecar.into_iter().flat_map(Sidecar::originals).map(|original| &original.hash);
        let file = sidecar.and_then(|sidecar| sidecar.file.as_ref()).map(|file| &file.hash);
        let essences = facts.essence.iter().chain(sidecar.into_iter().flat_map(|sidecar| &sidecar.essences));
        self.ledger.bundled_for(ids, [&facts.hash].into_iter().chain(originals).chain(file).chain(essences))
    }
}
