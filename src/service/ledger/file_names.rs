use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use super::assets::Slot;
use crate::model::{MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName};

/// Every file name that was ever given for a market, in whatever bundle, with the asset that got it first: a portal may
/// refuse a name that it has, and a list of what it accepted names files by nothing else.
#[derive(Debug, Default, Clone)]
pub(super) struct FileNames {
    owners: HashMap<u64, Slot>,
    published: Arc<Published>,
}

/// The places in bundles where plans that are on record put files, each condensed: what a person copied there, or moved, is
/// none of them.
#[derive(Debug, Default, Clone)]
pub(in crate::service) struct Published(HashSet<u64>);

impl Published {
    /// Returns whether a plan put a file there.
    pub(in crate::service) fn has(&self, file: &RelPath) -> bool {
        self.0.contains(&digest_of(file))
    }
}

impl FileNames {
    /// Remembers the name of a file that lies, or will lie, in a bundle.
    pub(super) fn give(&mut self, slot: Slot, file: &RelPath) {
        if let Some(bundle) = BundleName::of(file).filter(|_| BundleFolder::is_file(file)) {
            self.give_for(slot, &bundle.market, &file.file_text());
        }
    }

    /// Remembers the name of a file that was bundled for a market, wherever it lies.
    pub(super) fn give_for(&mut self, slot: Slot, market: &MarketName, name: &str) {
        self.owners.entry(digest(market, name)).or_insert(slot);
    }

    /// Remembers that a plan put a file there.
    pub(super) fn publish(&mut self, file: &RelPath) {
        if BundleFolder::is_file(file) {
            Arc::make_mut(&mut self.published).0.insert(digest_of(file));
        }
    }

    /// Returns where plans put files, for those who have no ledger.
    pub(super) fn published(&self) -> Arc<Published> {
        self.published.clone()
    }

    /// Returns the asset that got a name for a market.
    pub(super) fn owner(&self, market: &MarketName, name: &str) -> Option<Slot> {
        self.owners.get(&digest(market, name)).copied()
    }
}

/// Returns a name condensed: there is one for each asset and market, and none is ever read back. In many a portal names
/// that differ only by case are one.
fn digest(market: &MarketName, name: &str) -> u64 {
    let mut digest = DefaultHasher::new();
    (market.as_str(), name.to_lowercase()).hash(&mut digest);
    digest.finish()
}

fn digest_of(file: &RelPath) -> u64 {
    let mut digest = DefaultHasher::new();
    file.hash(&mut digest);
    digest.finish()
}
