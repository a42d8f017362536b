use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

use crate::model::{AssetId, ContentHash, MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName, Named};

/// Every asset that was ever seen: by its identity, by every hash that it ever had, and by every path that it left.
///
/// Assets that had the same bytes share the memory of markets: a sidecar is only text, and what was sold under one
/// identity is not to be sold under another.
#[derive(Debug, Default, Clone)]
pub(super) struct Assets {
    all: Vec<Asset>,
    by_id: HashMap<AssetId, Slot>,
    by_hash: HashMap<ContentHash, Slot>,
    /// Digests of the paths that assets left, whole and without their extension; the latest has the name.
    by_path: HashMap<u64, Slot>,
    /// Of assets that had the same content, the one that remembers the markets for all.
    same_as: HashMap<Slot, Slot>,
    bundled_for: HashMap<Slot, Vec<u32>>,
    /// The markets for which a person took an asset back that lies in bundles of others.
    taken_back: HashMap<Slot, Vec<MarketName>>,
    /// The market of each file that was sent, and the file's number in that market's record.
    sent: HashMap<Slot, Vec<(u32, u32)>>,
    /// Each market has a number: a hundred thousand assets name the same few.
    markets: Vec<MarketName>,
    /// Files of an asset beside the one where it stands: those in the bundles of further markets, and those that it had
    /// in bundles before it came again.
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

    /// Returns every asset.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..u32::try_from(self.all.len()).expect("there are fewer than four billion assets")).map(Slot)
    }

    /// Returns the asset of an identity, if it was ever seen.
    pub(super) fn with_id(&self, id: &AssetId) -> Option<Slot> {
        self.by_id.get(id).copied()
    }

    /// Returns the first asset that ever had these bytes.
    pub(super) fn with_hash(&self, hash: &ContentHash) -> Option<Slot> {
        self.by_hash.get(hash).copied()
    }

    /// Returns the latest asset that left the name by which a companion names its own.
    pub(super) fn named_by(&self, companion: &RelPath) -> Option<(Slot, Named)> {
        let stem = companion.without_extension().as_encoded_bytes();
        let find = |named: Named| Some((*self.by_path.get(&digest(named, stem))?, named));
        find(Named::Whole).or_else(|| find(Named::Stem))
    }

    /// Remembers that an asset had these bytes.
    pub(super) fn had(&mut self, slot: Slot, hash: &ContentHash) {
        match self.with_hash(hash) {
            None => drop(self.by_hash.insert(hash.clone(), slot)),
            Some(other) => self.unite(other, slot),
        }
    }

    /// Remembers that an asset left a path.
    pub(super) fn left(&mut self, slot: Slot, path: &RelPath) {
        let seen_s = self.get(slot).seen_s;
        let whole = path.as_path().as_os_str().as_encoded_bytes();
        let stem = path.without_extension().as_encoded_bytes();
        for key in [digest(Named::Whole, whole), digest(Named::Stem, stem)] {
            let is_later = |other: &Slot| self.get(*other).seen_s <= seen_s;
            if self.by_path.get(&key).is_none_or(is_later) {
                self.by_path.insert(key, slot);
            }
        }
    }

    /// Remembers where an asset stands, and when that was known.
    pub(super) fn stands(&mut self, slot: Slot, at: RelPath, seen: Timestamp) {
        let asset = self.get_mut(slot);
        asset.seen_s = asset.seen_s.max(seen.as_second());
        let is_at = |file: &RelPath| asset.at.as_ref() == Some(file);
        let before = if is_at(&at) { None } else { asset.at.replace(at) };
        // Whether it was sold is asked of each bundle that it ever lay in.
        self.has_further(slot, before.into_iter().filter(BundleFolder::is_file));
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
    pub(super) fn was_bundled_for(&mut self, slot: Slot, market: &MarketName) {
        let number = self.number_of(market);
        let bundled_for = self.bundled_for.entry(self.first(slot)).or_default();
        if !bundled_for.contains(&number) {
            bundled_for.push(number);
        }
    }

    /// Remembers that a file of an asset was sent to a market, where it has a number.
    pub(super) fn was_sent(&mut self, slot: Slot, market: &MarketName, number: usize) {
        let market = self.number_of(market);
        let number = u32::try_from(number).expect("fewer than four billion files are sent");
        self.sent.entry(self.first(slot)).or_default().push((market, number));
    }

    /// Returns where files of an asset, or of one that had the same content, were sent to, each with its number there.
    pub(super) fn sent(&self, slot: Slot) -> impl Iterator<Item = (&MarketName, usize)> {
        let sent = self.sent.get(&self.first(slot)).map_or(&[][..], Vec::as_slice);
        sent.iter().map(|(market, number)| (&self.markets[*market as usize], *number as usize))
    }

    fn number_of(&mut self, market: &MarketName) -> u32 {
        let known = self.markets.iter().position(|known| known == market);
        let number = known.unwrap_or_else(|| {
            self.markets.push(market.clone());
            self.markets.len() - 1
        });
        u32::try_from(number).expect("there are fewer than four billion markets")
    }

    /// Takes back that an asset was bundled for some markets.
    pub(super) fn was_not_bundled_for(&mut self, slot: Slot, undone: &[MarketName]) {
        let markets = &self.markets;
        if let Some(bundled_for) = self.bundled_for.get_mut(&first(&self.same_as, slot)) {
            bundled_for.retain(|number| !undone.contains(&markets[*number as usize]));
        }
        // Those in bundles of other markets stay there.
        let is_undone = |file: &RelPath| BundleName::of(file).is_some_and(|name| undone.contains(&name.market));
        if let Some(further) = self.further.get_mut(&slot) {
            further.retain(|file| !is_undone(file));
        }
    }

    /// Remembers that a person took an asset back from some markets, while it lies in bundles of others.
    pub(super) fn was_taken_back(&mut self, slot: Slot, markets: &[MarketName]) {
        self.taken_back.entry(self.first(slot)).or_default().extend_from_slice(markets);
    }

    /// Forgets that an asset was taken back from some markets; from all, if none are named.
    pub(super) fn may_go_again(&mut self, slot: Slot, markets: Option<&[MarketName]>) {
        let first = self.first(slot);
        if let Some(taken_back) = self.taken_back.get_mut(&first) {
            taken_back.retain(|market| markets.is_some_and(|markets| !markets.contains(market)));
        }
    }

    /// Returns whether a person took an asset back from a market, wherever its files lie.
    pub(super) fn is_taken_back(&self, slot: Slot, market: &MarketName) -> bool {
        self.taken_back.get(&self.first(slot)).is_some_and(|markets| markets.contains(market))
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

    pub(super) fn bundled_for(&self, slot: Slot) -> impl Iterator<Item = &MarketName> {
        let numbers = self.bundled_for.get(&self.first(slot)).map_or(&[][..], Vec::as_slice);
        numbers.iter().map(|number| &self.markets[*number as usize])
    }

    /// Returns where an asset, and each that had the same content, stands and has further files.
    pub(super) fn places(&self, slot: Slot) -> impl Iterator<Item = &RelPath> {
        let first = self.first(slot);
        let same = self.same_as.keys().copied().filter(move |other| self.first(*other) == first);
        same.chain([first]).flat_map(|slot| self.at(slot).into_iter().chain(self.further(slot)))
    }

    /// Returns whether two assets had the same content.
    pub(super) fn are_same(&self, one: Slot, other: Slot) -> bool {
        self.first(one) == self.first(other)
    }

    /// Remembers that two assets had the same content: what one was bundled for, both were.
    fn unite(&mut self, one: Slot, other: Slot) {
        let (one, other) = (self.first(one), self.first(other));
        if one == other {
            return;
        }
        self.same_as.insert(other, one);
        if let Some(sent) = self.sent.remove(&other) {
            self.sent.entry(one).or_default().extend(sent);
        }
        if let Some(taken_back) = self.taken_back.remove(&other) {
            self.taken_back.entry(one).or_default().extend(taken_back);
        }
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

/// Returns a path condensed: there are several for each asset, and none is ever read back.
fn digest(named: Named, path: &[u8]) -> u64 {
    let mut digest = DefaultHasher::new();
    (named == Named::Whole).hash(&mut digest);
    digest.write(path);
    digest.finish()
}
