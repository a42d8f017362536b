//! What markets have, or refused, by what is on record: small enough to be handed to a worker.

use std::collections::BTreeMap;

use crate::model::{AssetId, MarketName};
use crate::plan::{BundleName, what_mends};
use crate::records::Got;

/// What went to each market, by asset.
#[derive(Debug, Default)]
pub(in crate::service) struct Went {
    bundles: Vec<BundleName>,
    markets: BTreeMap<MarketName, Vec<Once>>,
}

/// A file of an asset that was sent; there may be hundreds of thousands.
#[derive(Debug)]
struct Once {
    asset: AssetId,
    /// Its place among the bundles.
    bundle: u32,
    answer: Answer,
}

/// What a market answered about a file.
#[derive(Debug)]
pub(super) enum Answer {
    None,
    Accepted,
    /// It refused this.
    Refused(Box<Got>),
}

impl Went {
    /// Takes all that went to markets, with the names of all bundles, sorted.
    pub(super) fn of<'a>(
        bundles: Vec<BundleName>,
        all: impl Iterator<Item = (&'a MarketName, &'a AssetId, &'a BundleName, Answer)>,
    ) -> Self {
        let mut markets: BTreeMap<MarketName, Vec<Once>> = BTreeMap::new();
        for (market, asset, bundle, answer) in all {
            let bundle = bundles.binary_search(bundle).expect("a file went with a bundle that is on record");
            let bundle = u32::try_from(bundle).expect("there are fewer than four billion bundles");
            let once = Once { asset: asset.clone(), bundle, answer };
            markets.entry(market.clone()).or_default().push(once);
        }
        markets.values_mut().for_each(|all| all.sort_by(|one, other| one.asset.cmp(&other.asset)));
        Self { bundles, markets }
    }

    /// Returns why a file of an open bundle is not to be uploaded: its market has its asset, from this bundle or another
    /// one, or refused the same. `left` is what it gets as stockmill left it; `None` if a person changed it.
    pub(in crate::service) fn why(&self, name: &BundleName, asset: &AssetId, left: Option<&Got>) -> Option<String> {
        let market = &name.market;
        self.of_asset(market, asset).find_map(|Once { bundle, answer, .. }| {
            let bundle = &self.bundles[*bundle as usize];
            let folder = bundle.folder();
            match answer {
                Answer::Accepted => Some(format!("{market} accepted it, as it went there with `{folder}`")),
                // Of the bundle itself its mark was taken away: it was not sent after all.
                Answer::None => (bundle != name).then(|| format!("it went to {market} with `{folder}`")),
                Answer::Refused(got) => left
                    .filter(|left| got.is_same(left))
                    .map(|_| format!("{market} refused it, as it went there with `{folder}`: {}", what_mends(got))),
            }
        })
    }

    /// Returns whether it is sure that what a row of a bundle stands for is nothing new to its market. A row of which nobody knows
    /// what it says may be the one by which a refused file was mended.
    pub(in crate::service) fn surely(&self, name: &BundleName, asset: &AssetId, row: &Got) -> bool {
        let is_refused_so = |Once { answer, .. }: &Once| match answer {
            Answer::Refused(got) => got.is_same(row) && (got.row.is_none() || row.row.is_some()),
            Answer::None | Answer::Accepted => false,
        };
        self.why(name, asset, None).is_some() || self.of_asset(&name.market, asset).any(is_refused_so)
    }

    /// Returns whether a bundle's market answered about an asset that went there with it.
    pub(in crate::service) fn is_answered(&self, name: &BundleName, asset: &AssetId) -> bool {
        self.answers(name, asset).any(|answer| !matches!(answer, Answer::None))
    }

    /// Returns whether a market refused a file of an asset: then it matters what the row of another one says.
    pub(in crate::service) fn is_any_refused(&self, market: &MarketName, asset: &AssetId) -> bool {
        self.of_asset(market, asset).any(|once| matches!(once.answer, Answer::Refused(_)))
    }

    /// Returns what a bundle's market answered about, if that is what it would get now: of what it refused the same.
    pub(in crate::service) fn answered_as(&self, name: &BundleName, asset: &AssetId, now: &Got) -> Option<Got> {
        self.answers(name, asset).find_map(|answer| match answer {
            Answer::None => None,
            Answer::Accepted => Some(Got { row: None, ..now.clone() }),
            Answer::Refused(got) => got.is_same(now).then(|| (**got).clone()),
        })
    }

    fn answers<'a>(&'a self, name: &'a BundleName, asset: &'a AssetId) -> impl Iterator<Item = &'a Answer> {
        let of_bundle = |once: &&Once| self.bundles[once.bundle as usize] == *name;
        self.of_asset(&name.market, asset).filter(of_bundle).map(|once| &once.answer)
    }

    fn of_asset<'a>(&'a self, market: &MarketName, asset: &'a AssetId) -> impl Iterator<Item = &'a Once> {
        let all = self.markets.get(market).map_or(&[][..], Vec::as_slice);
        let first = all.partition_point(|once| once.asset < *asset);
        all[first..].iter().take_while(move |once| once.asset == *asset)
    }
}
