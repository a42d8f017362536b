//! What was learnt by making files, and could not be foreseen.

use std::collections::{HashMap, HashSet};

use crate::model::{AssetId, ByteRange};

/// So many assets are remembered of each kind.
const ASSETS_MAX: usize = 10_000;

/// What was learnt, kept until the next start.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    made_first: HashSet<AssetId>,
    unfit: HashMap<AssetId, Vec<(ByteRange, String)>>,
}

impl Learnt {
    /// Takes note that of an asset it could not be foreseen who buys it.
    pub(super) fn make_first(&mut self, asset: AssetId) {
        if self.made_first.len() >= ASSETS_MAX {
            self.made_first.clear();
        }
        self.made_first.insert(asset);
    }

    /// Returns whether an asset is made before it is decided where it is sold.
    pub(super) fn is_made_first(&self, asset: &AssetId) -> bool {
        self.made_first.contains(asset)
    }

    /// Takes note that no quality gives an asset's picture so many bytes, and why.
    pub(super) fn is_unfit(&mut self, asset: AssetId, range: ByteRange, why: String) {
        if self.unfit.len() >= ASSETS_MAX {
            self.unfit.clear();
        }
        self.unfit.entry(asset).or_default().push((range, why));
    }

    /// Takes note that nothing gives an asset's picture another encoding, and why.
    pub(super) fn is_unmade(&mut self, asset: AssetId, why: String) {
        self.is_unfit(asset, ByteRange { min: 0, max: u64::MAX }, why);
    }

    /// Returns how many bytes an asset's picture cannot have, each with why.
    pub(super) fn unfit(&self, asset: Option<&AssetId>) -> &[(ByteRange, String)] {
        asset.and_then(|asset| self.unfit.get(asset)).map_or(&[], Vec::as_slice)
    }
}
