//! Which markets have not got a bundled asset yet.

use std::collections::{BTreeMap, BTreeSet};

use super::Ledger;
use super::assets::Slot;
use super::sendings::Became;
use crate::model::{AssetId, MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName};

/// What markets lack of a bundled file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) struct Lacks {
    /// The markets that never got its asset.
    pub(in crate::service) never: Vec<MarketName>,
    /// Those that refused each file that they got of it: they lack what was mended since.
    pub(in crate::service) refused: Vec<MarketName>,
    /// Those from which a person took it back.
    pub(in crate::service) taken_back: Vec<MarketName>,
    /// Those from which a person took it back, and to which a person lets it go again.
    pub(in crate::service) again: Vec<MarketName>,
    /// The asset.
    pub(in crate::service) asset: AssetId,
    /// The files of the same asset in other bundles.
    pub(in crate::service) others: Vec<RelPath>,
}

impl Lacks {
    /// Takes a person's word that what was taken back from markets may go there again.
    pub(in crate::service) fn let_go_again(&mut self) {
        self.again.append(&mut self.taken_back);
    }
}

impl Ledger {
    /// Returns the files in some bundles whose assets were not bundled for each of these markets, with those that lack.
    pub(in crate::service) fn owed(
        &self,
        bundles: &BTreeSet<BundleName>,
        markets: &[MarketName],
    ) -> BTreeMap<BundleName, BTreeMap<String, Lacks>> {
        let mut owed: BTreeMap<BundleName, BTreeMap<String, Lacks>> = BTreeMap::new();
        for slot in self.assets.slots() {
            let places = self.assets.at(slot).into_iter().chain(self.assets.further(slot));
            let files: Vec<&RelPath> = places.filter(|file| BundleFolder::is_file(file)).collect();
            let wanted = |file: &&RelPath| BundleName::of(file).filter(|bundle| bundles.contains(bundle));
            if files.iter().all(|file| wanted(file).is_none()) {
                continue;
            }
            let has = |market: &MarketName| self.assets.bundled_for(slot).any(|known| known == market);
            let lacks = |market: &MarketName| !has(market) || self.has_only_refused(slot, market);
            let lacking = markets.iter().filter(|market| lacks(market)).cloned();
            let (taken_back, lacking): (Vec<_>, Vec<_>) =
                lacking.partition(|market| self.assets.is_taken_back(slot, market));
            let (refused, never): (Vec<_>, Vec<_>) = lacking.into_iter().partition(has);
            if never.is_empty() && refused.is_empty() && taken_back.is_empty() {
                continue;
            }
            let asset = self.assets.id(slot);
            for (at, file) in files.iter().enumerate() {
                let Some(bundle) = wanted(file) else { continue };
                let others = files.iter().enumerate().filter(|(other, _)| *other != at);
                let others = others.map(|(_, other)| (*other).clone()).collect();
                let lacks = Lacks {
                    never: never.clone(),
                    refused: refused.clone(),
                    taken_back: taken_back.clone(),
                    again: Vec::new(),
                    asset: asset.clone(),
                    others,
                };
                owed.entry(bundle).or_default().insert(file.file_text(), lacks);
            }
        }
        owed
    }

    /// Returns whether a market refused each file that it got of an asset, and has no other one that is to be sent.
    fn has_only_refused(&self, slot: Slot, market: &MarketName) -> bool {
        let sent = self.sendings.of_asset(slot, &self.assets).filter(|((known, _), ..)| *known == market);
        let sent: Vec<_> = sent.map(|(_, bundle, became)| (bundle, became)).collect();
        let is_refused = |(_, became): &(&BundleName, Became)| matches!(became, Became::Refused(_));
        let is_open = |file: &RelPath| {
            BundleFolder::is_file(file)
                && BundleName::of(file)
                    .is_some_and(|name| name.market == *market && sent.iter().all(|(bundle, _)| **bundle != name))
        };
        !sent.is_empty() && sent.iter().all(is_refused) && !self.assets.places(slot).any(is_open)
    }
}
