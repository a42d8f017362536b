mod assets;
mod file_names;
mod joined;
mod kept;
mod note_versions;
mod owed;
mod rebuild;
mod sendings;
mod went;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{AssetId, ContentHash, MarketName, RelPath, Stage, ThemeSlug};
use crate::plan::{BundleFolder, BundleName, MarketRecord, Named, Plan};
use crate::records::{About, Got, Publish, PublishMode, SIDECAR_SUFFIX};
use assets::{Assets, Slot};
use file_names::FileNames;
pub(super) use file_names::Published;
use joined::Joined;
pub(super) use kept::KeptProducts;
use note_versions::NoteVersions;
pub(super) use owed::Lacks;
pub(super) use rebuild::sidecars_of;
pub(super) use sendings::Became;
use sendings::Sendings;
pub(super) use went::Went;

use super::misplaced::Misplaced;

/// What was seen and done so far: a memory that the journal and the sidecars can rebuild.
#[derive(Debug, Default, Clone)]
pub(super) struct Ledger {
    last_seq: HashMap<ThemeSlug, u64>,
    assets: Assets,
    left_at: BTreeMap<Stage, Vec<Timestamp>>,
    /// What a person brought back by `undo`, and where it waits.
    undone: HashMap<RelPath, ContentHash>,
    /// Where files lay that were set aside: who comes back to such a place was sent back.
    set_aside: HashSet<RelPath>,
    file_names: FileNames,
    joined: Joined,
    /// The hash of each bundle's manifest as it was written last.
    manifests: HashMap<RelPath, ContentHash>,
    sendings: Sendings,
    /// The bundles whose place does not tell their market.
    pub(super) misplaced: Misplaced,
    /// What notes gave.
    pub(super) notes: NoteVersions,
    /// Products that were taken away and may still be kept.
    pub(super) kept: KeptProducts,
}

/// What is known of an asset that was seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Which asset.
    pub(super) id: AssetId,
    /// Where it stands, as far as is known, and its files in the bundles of further markets.
    pub(super) places: Vec<RelPath>,
    /// When it was there.
    pub(super) last: Timestamp,
    /// The markets that it was bundled for.
    pub(super) bundled_for: BTreeSet<MarketName>,
}

impl Ledger {
    /// Remembers a plan that was carried out, with the files that it published.
    pub(super) fn remember(&mut self, about: &About, publish: &[Publish], at: Timestamp) {
        self.use_seq(about);
        self.clock_said(at);
        if let Some(dealing) = &about.dealing {
            self.sendings.remember(dealing, &mut self.assets);
        }
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
        let is_manifest = |file: &&Publish| is_manifest(&file.to);
        self.manifests.extend(publish.iter().filter(is_manifest).map(|file| (file.to.clone(), file.hash.clone())));
        let own = own_files(about, publish);
        let replaced = |file: &&Publish| match &file.mode {
            PublishMode::Replace { was: Some(was) } => self.assets.with_hash(was),
            _ => None,
        };
        let slot = match &about.asset {
            Some(id) => Some(self.assets.of_id(id)),
            // New tags that were embedded did not always say of which asset.
            None => own.iter().find_map(replaced),
        };
        if let (Some(from), None) = (&about.from, about.seq)
            && about.to.as_ref().is_some_and(is_set_aside)
        {
            self.set_aside.insert(from.clone());
        }
        let Some(slot) = slot else { return };
        for file in &own {
            self.assets.had(slot, &file.hash);
        }
        self.remember_taken_back(slot, about);
        if is_step(about) {
            self.remember_step(slot, about, &own, at);
        } else if let (Some(from), Some(to)) = (&about.from, about.to.as_ref().filter(|to| is_set_aside(to))) {
            self.assets.left(slot, from);
            self.assets.stands(slot, to.clone(), at);
        }
    }

    /// Takes what the clock says: what is on record as sent to markets later than that was sent before, by a clock that was ahead.
    pub(super) fn clock_said(&mut self, at: Timestamp) {
        self.sendings.clock_said(at);
    }

    /// Returns whether something is on record as sent in the future, and nobody can tell when it was, but that it was before now.
    pub(super) fn is_any_sending_undated(&self, now: Timestamp) -> bool {
        !sendings::is_behind(now) && self.market_records().any(|(_, record)| record.is_undated(now))
    }

    /// Remembers from which markets a person took an asset back that lies in bundles of others. It may go there again once
    /// it is changed in a bundle (as other tags do), or comes from elsewhere.
    fn remember_taken_back(&mut self, slot: Slot, about: &About) {
        let is_bundled = |path: &Option<RelPath>| path.as_ref().is_some_and(BundleFolder::is_file);
        match about.undoes {
            Some(_) if is_bundled(&about.to) => self.assets.was_taken_back(slot, &about.markets),
            None if is_bundled(&about.from) && about.from != about.to => {
                self.assets.may_go_again(slot, Some(&about.markets));
            }
            _ => self.assets.may_go_again(slot, None),
        }
    }

    fn remember_step(&mut self, slot: Slot, about: &About, own: &[&Publish], at: Timestamp) {
        for hash in about.hash.iter().chain(&about.essences) {
            self.assets.had(slot, hash);
        }
        let before = self.assets.at(slot).cloned();
        if let Some(to) = &about.to {
            self.assets.stands(slot, to.clone(), at);
        }
        if about.undoes.is_some() {
            self.assets.was_not_bundled_for(slot, &about.markets);
            return;
        }
        // A person may have moved it in between.
        for left in before.iter().chain(&about.from).filter(|left| about.to.as_ref() != Some(*left)) {
            self.assets.left(slot, left);
            self.undone.remove(left);
        }
        // What comes late may have a name that the asset had for no time at all.
        about.steps.iter().for_each(|step| self.assets.left(slot, &step.from));
        about.markets.iter().for_each(|market| self.assets.was_bundled_for(slot, market));
        for file in own {
            self.file_names.give(slot, &file.to);
            self.file_names.publish(&file.to);
        }
        let further = own
            .iter()
            .map(|file| &file.to)
            .filter(|file| BundleFolder::is_file(file) && about.to.as_ref() != Some(*file));
        self.assets.has_further(slot, further.cloned());
        let bundles = own.iter().filter(|file| BundleFolder::is_file(&file.to));
        let bundles = bundles.filter_map(|file| BundleName::of(&file.to));
        bundles.for_each(|name| self.joined.add(slot, about.theme.as_ref(), name));
        if let Some(from) = &about.from {
            self.set_aside.remove(from);
        }
        // A plan that recovery finished late is told after younger ones.
        for step in about.told() {
            let left_at = self.left_at.entry(step.stage).or_default();
            left_at.insert(left_at.partition_point(|earlier| *earlier <= at), at);
        }
    }

    /// Returns the hash of a manifest as it was written last, where that is known.
    pub(super) fn manifest(&self, path: &RelPath) -> Option<&ContentHash> {
        self.manifests.get(path)
    }

    /// Takes the number that a plan uses, so that no other plan gets it.
    pub(super) fn use_seq(&mut self, about: &About) {
        if let (Some(theme), Some(seq)) = (&about.theme, about.seq) {
            let last = self.last_seq.entry(theme.clone()).or_default();
            *last = (*last).max(seq);
        }
    }

    /// Takes the names that a plan gives in bundles: one that was given in vain is not given to another asset.
    pub(super) fn use_names(&mut self, plan: &Plan) {
        let Some(id) = &plan.about.asset else { return };
        for file in plan.products.iter().map(|product| &product.to).filter(|file| BundleFolder::is_file(file)) {
            self.file_names.give(self.assets.of_id(id), file);
        }
    }

    /// Returns whether one of these assets had the name of a file in a bundle for its market.
    pub(super) fn had_name(&self, file: &RelPath, ids: &[&AssetId]) -> bool {
        BundleName::of(file).is_some_and(|bundle| self.has_named(&bundle.market, &file.file_text()))
            && ids.iter().any(|id| !self.is_given(file, id))
    }

    /// Returns whether it is known which asset has, or had, a name in a bundle for a market.
    pub(super) fn has_named(&self, market: &MarketName, name: &str) -> bool {
        self.file_names.owner(market, name).is_some()
    }

    /// Returns whether another asset's file has, or had, the name of a file in a bundle for its market.
    pub(super) fn is_given(&self, file: &RelPath, to: &AssetId) -> bool {
        let is_other = |owner| self.assets.with_id(to).is_none_or(|own| !self.assets.are_same(own, owner));
        let owner = BundleName::of(file).and_then(|bundle| self.file_names.owner(&bundle.market, &file.file_text()));
        owner.is_some_and(is_other)
    }

    /// Returns a theme's next number.
    pub(super) fn next_seq(&self, theme: &ThemeSlug) -> u64 {
        self.last_seq.get(theme).copied().unwrap_or(0) + 1
    }

    /// Returns the asset that ever had these bytes, or showed this whatever its metadata.
    pub(super) fn with_hash(&self, hash: &ContentHash) -> Option<Seen> {
        self.assets.with_hash(hash).map(|slot| self.seen(slot))
    }

    /// Returns the asset that a companion goes with, if one of its name went on before.
    pub(super) fn named_by(&self, companion: &RelPath) -> Option<(Seen, Named)> {
        self.assets.named_by(companion).map(|(slot, named)| (self.seen(slot), named))
    }

    fn seen(&self, slot: Slot) -> Seen {
        Seen {
            id: self.assets.id(slot).clone(),
            places: self.assets.at(slot).into_iter().chain(self.assets.further(slot)).cloned().collect(),
            last: self.assets.seen(slot),
            bundled_for: self.assets.bundled_for(slot).cloned().collect(),
        }
    }

    /// Returns what became of each file that an asset had in bundles that were sent, under any of these identities and
    /// with any of these bytes; with the bundle, by its market and its number there.
    pub(super) fn sent_as<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a AssetId>,
        hashes: impl IntoIterator<Item = &'a ContentHash>,
    ) -> BTreeMap<(MarketName, usize), (BundleName, Became)> {
        let ids = ids.into_iter().filter_map(|id| self.assets.with_id(id));
        let slots = ids.chain(hashes.into_iter().filter_map(|hash| self.assets.with_hash(hash)));
        let sent = slots.flat_map(|slot| self.sendings.of_asset(slot, &self.assets));
        sent.map(|((market, number), bundle, became)| ((market.clone(), number), (bundle.clone(), became))).collect()
    }

    /// Returns whether it is on record that a bundle was sent.
    pub(super) fn is_sent(&self, name: &BundleName) -> bool {
        self.sendings.is_sent(name)
    }

    /// Returns the bundles that are on record as sent, each with how many files it had.
    pub(super) fn sent_bundles(&self) -> impl Iterator<Item = (&BundleName, usize)> {
        self.sendings.bundles()
    }

    /// Returns what went to each market, and what that answered, for those who have no ledger.
    pub(super) fn went(&self) -> Arc<Went> {
        self.sendings.went(&self.assets)
    }

    /// Returns where plans put files in bundles, for those who have no ledger.
    pub(super) fn published(&self) -> Arc<Published> {
        self.file_names.published()
    }

    /// Returns whether a market refused the very same as it would get.
    pub(super) fn is_refused(&self, market: &MarketName, got: &Got) -> bool {
        self.sendings.is_refused(market, got)
    }

    /// Learns that what a market refused is made in another way too.
    pub(super) fn made_the_same(&mut self, market: &MarketName, hash: &ContentHash, made: &ContentHash) {
        self.sendings.made_the_same(market, hash, made);
    }

    /// Returns what went to each market, and what that answered.
    pub(super) fn market_records(&self) -> impl Iterator<Item = (&MarketName, &MarketRecord)> {
        self.sendings.records()
    }

    /// Returns whether a person brought something back to this place.
    pub(super) fn may_be_undone(&self, path: &RelPath) -> bool {
        self.undone.contains_key(path)
    }

    /// Returns whether a person brought these bytes back to this place.
    pub(super) fn is_undone(&self, path: &RelPath, hash: &ContentHash) -> bool {
        self.undone.get(path) == Some(hash)
    }

    /// Returns whether what lies here was set aside before and sent back.
    pub(super) fn is_sent_back(&self, path: &RelPath) -> bool {
        self.set_aside.contains(path)
    }

    /// Returns the markets that an asset was bundled for, under any of these identities and with any of these
    /// bytes: a sidecar is only text, and may lie beside another file. With each, the files that it had in bundles of
    /// that market, as far as they are known.
    pub(super) fn bundled_as<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a AssetId>,
        hashes: impl IntoIterator<Item = &'a ContentHash>,
    ) -> BTreeMap<MarketName, BTreeSet<RelPath>> {
        let ids = ids.into_iter().filter_map(|id| self.assets.with_id(id));
        let slots = ids.chain(hashes.into_iter().filter_map(|hash| self.assets.with_hash(hash)));
        let mut bundled: BTreeMap<MarketName, BTreeSet<RelPath>> = BTreeMap::new();
        for slot in slots {
            for market in self.assets.bundled_for(slot) {
                let is_there = |file: &&RelPath| {
                    BundleFolder::is_file(file) && BundleName::of(file).is_some_and(|name| name.market == *market)
                };
                bundled.entry(market.clone()).or_default().extend(self.assets.places(slot).filter(is_there).cloned());
            }
        }
        bundled
    }

    /// Returns the markets that other assets were bundled for which show any of this.
    pub(super) fn bundled_by_others<'a>(
        &self,
        asset: Option<&AssetId>,
        essences: impl IntoIterator<Item = &'a ContentHash>,
    ) -> BTreeSet<MarketName> {
        let own = asset.and_then(|id| self.assets.with_id(id));
        let slots = essences.into_iter().filter_map(|essence| self.assets.with_hash(essence));
        let others = slots.filter(|slot| own.is_none_or(|own| !self.assets.are_same(own, *slot)));
        others.flat_map(|slot| self.assets.bundled_for(slot)).cloned().collect()
    }

    /// Returns whether these bytes are of an asset that ever had any of the others.
    pub(super) fn is_same<'a>(&self, hash: &ContentHash, mut others: impl Iterator<Item = &'a ContentHash>) -> bool {
        let slot = self.assets.with_hash(hash);
        slot.is_some_and(|slot| {
            others.any(|other| self.assets.with_hash(other).is_some_and(|other| self.assets.are_same(slot, other)))
        })
    }

    /// Returns when assets left a stage, oldest first.
    pub(super) fn left_at(&self, stage: Stage) -> &[Timestamp] {
        self.left_at.get(&stage).map_or(&[], Vec::as_slice)
    }
}

/// Returns whether a plan took an asset a step further or back; the others change what belongs to it, or set it aside.
pub(super) fn is_step(about: &About) -> bool {
    about.asset.is_some() && about.seq.is_some()
}

/// Returns the files among a plan's products that are the asset itself: where it stands afterwards, and each that
/// gets a sidecar. What else is published are its companions and records.
fn own_files<'a>(about: &About, publish: &'a [Publish]) -> Vec<&'a Publish> {
    let sidecars = publish.iter().filter(|product| product.to.file_text().ends_with(SIDECAR_SUFFIX));
    let mut files: Vec<RelPath> = sidecars.map(|product| BundleFolder::file_of_sidecar(&product.to)).collect();
    files.extend(about.to.clone());
    publish.iter().filter(|product| files.contains(&product.to)).collect()
}

fn is_manifest(path: &RelPath) -> bool {
    path.extension() == "csv"
        && path.parent().is_some_and(|folder| BundleName::of(path).is_some_and(|name| name.folder() == folder))
}

fn is_set_aside(path: &RelPath) -> bool {
    path.area() == "failed"
}
