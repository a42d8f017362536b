use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::{AssetId, ContentHash, RelPath};

/// Every asset that was ever seen: by its identity, and by every hash that it ever had.
///
/// Assets that had the same bytes share the memory of markets: a sidecar is only text, and what was sold under one
/// identity is not to be sold under another.
#[derive(Debug, Default, Clone)]
pub(super) struct Assets {
    all: Vec<Asset>,
    by_id: HashMap<AssetId, Slot>,
    by_hash: HashMap<ContentHash, Slot>,
    /// Of assets that had the same content, the one that remembers the markets for all.
    same_as: HashMap<Slot, Slot>,
    bundled_for: HashMap<Slot, Vec<u32>>,
    /// Each market has a number: a hundred thousand assets name the same few.
    markets: Vec<String>,
    /// Files of an asset beside the one where it stands: those in the bundles of further markets.
    further: HashMap<Slot, Vec<RelPath>>,
}

/// An asset's place in the list of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Slot(u32);

#[derive(Debug, Clone)]
struct Asset {
    id: AssetId,
    at: Option<RelPath>,
    /// When it was there, in seconds since 1970.
    seen_s: i64,
}

impl Assets {
    /// Returns the asset of an identity; a new one if it was never seen.
    pub(super) fn of_id(&mut self, id: &AssetId) -> Slot {
        if let Some(slot) = self.by_id.get(id) {
            return *slot;
        }
        let slot = Slot(u32::try_from(self.all.len()).expect("there are fewer than four billion assets"));
        self.all.push(Asset { id: id.clone(), at: None, seen_s: 0 });
        self.by_id.insert(id.clone(), slot);
        slot
    }

    /// Returns the asset of an identity, if it was ever seen.
    pub(super) fn with_id(&self, id: &AssetId) -> Option<Slot> {
        self.by_id.get(id).copied()
    }

    /// Returns the first asset that ever had these bytes.
    pub(super) fn with_hash(&self, hash: &ContentHash) -> Option<Slot> {
        self.by_hash.get(hash).copied()
    }

    /// Remembers that an asset had these bytes.
    pub(super) fn had(&mut self, slot: Slot, hash: &ContentHash) {
        match self.with_hash(hash) {
            None => drop(self.by_hash.insert(hash.clone(), slot)),
            Some(other) => self.unite(other, slot),
        }
    }

    /// Remembers where an asset stands, and when that was known.
    pub(super) fn stands(&mut self, slot: Slot, at: RelPath, seen: Timestamp) {
        let asset = self.get_mut(slot);
        (asset.at, asset.seen_s) = (Some(at), asset.seen_s.max(seen.as_second()));
    }

    /// Remembers that an asset was there at a time.
    pub(super) fn was_there(&mut self, slot: Slot, seen: Timestamp) {
        let asset = self.get_mut(slot);
        asset.seen_s = asset.seen_s.max(seen.as_second());
    }

    /// Remembers files that an asset has beside the one where it stands.
    pub(super) fn has_further(&mut self, slot: Slot, paths: impl Iterator<Item = RelPath>) {
        for path in paths {
            let further = self.further.entry(slot).or_default();
            if !further.contains(&path) {
                further.push(path);
            }
        }
    }

    /// Remembers that an asset was bundled for a market.
    pub(super) fn was_bundled_for(&mut self, slot: Slot, market: &str) {
        let known = self.markets.iter().position(|known| known == market);
        let number = known.unwrap_or_else(|| {
            self.markets.push(market.to_owned());
            self.markets.len() - 1
        });
        let number = u32::try_from(number).expect("there are fewer than four billion markets");
        let bundled_for = self.bundled_for.entry(self.first(slot)).or_default();
        if !bundled_for.contains(&number) {
            bundled_for.push(number);
        }
    }

    /// Takes back that an asset was bundled for some markets.
    pub(super) fn was_not_bundled_for(&mut self, slot: Slot, undone: &[&str]) {
        let markets = &self.markets;
        if let Some(bundled_for) = self.bundled_for.get_mut(&first(&self.same_as, slot)) {
            bundled_for.retain(|number| !undone.contains(&markets[*number as usize].as_str()));
        }
        self.further.remove(&slot);
    }

    pub(super) fn id(&self, slot: Slot) -> &AssetId {
        &self.get(slot).id
    }

    pub(super) fn at(&self, slot: Slot) -> Option<&RelPath> {
        self.get(slot).at.as_ref()
    }

    pub(super) fn further(&self, slot: Slot) -> &[RelPath] {
        self.further.get(&slot).map_or(&[], Vec::as_slice)
    }

    pub(super) fn seen(&self, slot: Slot) -> Timestamp {
        Timestamp::from_second(self.get(slot).seen_s).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub(super) fn bundled_for(&self, slot: Slot) -> impl Iterator<Item = &str> {
        let numbers = self.bundled_for.get(&self.first(slot)).map_or(&[][..], Vec::as_slice);
        numbers.iter().map(|number| self.markets[*number as usize].as_str())
    }

    /// Remembers that two assets had the same content: what one was bundled for, both were.
    fn unite(&mut self, one: Slot, other: Slot) {
        let (one, other) = (self.first(one), self.first(other));
        if one == other {
            return;
        }
        self.same_as.insert(other, one);
        let Some(bundled_for) = self.bundled_for.remove(&other) else { return };
        let kept = self.bundled_for.entry(one).or_default();
        kept.extend(bundled_for);
        kept.sort_unstable();
        kept.dedup();
    }

    /// Returns the asset that remembers the markets for all that had the same content.
    fn first(&self, slot: Slot) -> Slot {
        first(&self.same_as, slot)
    }

    fn get(&self, slot: Slot) -> &Asset {
        &self.all[slot.0 as usize]
    }

    fn get_mut(&mut self, slot: Slot) -> &mut Asset {
        &mut self.all[slot.0 as usize]
    }
}

fn first(same_as: &HashMap<Slot, Slot>, mut slot: Slot) -> Slot {
    while let Some(same) = same_as.get(&slot) {
        slot = *same;
    }
    slot
}
