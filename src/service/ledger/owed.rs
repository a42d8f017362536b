//! Which markets have not got a bundled asset yet.

use std::collections::{BTreeMap, BTreeSet};

use super::Ledger;
use crate::model::{MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName};

impl Ledger {
    /// Returns the files in some bundles whose assets were not bundled for each of these markets, with those that lack.
    pub(in crate::service) fn owed(
        &self,
        bundles: &BTreeSet<BundleName>,
        markets: &[MarketName],
    ) -> BTreeMap<BundleName, BTreeMap<String, Vec<MarketName>>> {
        let mut owed: BTreeMap<BundleName, BTreeMap<String, Vec<MarketName>>> = BTreeMap::new();
        for slot in self.assets.slots() {
            let places = self.assets.at(slot).into_iter().chain(self.assets.further(slot));
            let mut files = places.filter(|file| BundleFolder::is_file(file)).peekable();
            if files.peek().is_none() {
                continue;
            }
            let has = |market: &MarketName| self.assets.bundled_for(slot).any(|known| known == market);
            let lacking: Vec<MarketName> = markets.iter().filter(|market| !has(market)).cloned().collect();
            if lacking.is_empty() {
                continue;
            }
            let named = |file: &RelPath| Some((BundleName::of(file)?, file.file_text()));
            for (bundle, file) in files.filter_map(named).filter(|(bundle, _)| bundles.contains(bundle)) {
                owed.entry(bundle).or_default().insert(file, lacking.clone());
            }
        }
        owed
    }
}
