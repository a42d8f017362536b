//! What went to the markets and what they answered, as the journal tells it: it outlives the bundles.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use jiff::Timestamp;

use super::assets::{Assets, Slot};
use crate::model::{ContentHash, MarketName};
use crate::plan::{BundleName, MarketRecord, Refusal};
use crate::records::{Answers, Dealing, Sending};

/// What went to each market. Of a file it keeps its number in its market's record; what the journal says beside that is
/// kept of refused files alone, which are few.
#[derive(Debug, Default, Clone)]
pub(super) struct Sendings {
    markets: BTreeMap<MarketName, OfMarket>,
    /// The bundles that were sent, each with the numbers of its files.
    bundles: BTreeMap<BundleName, Range<usize>>,
}

#[derive(Debug, Default, Clone)]
struct OfMarket {
    record: MarketRecord,
    /// The bundle of each run of numbers, by the first one.
    bundles: BTreeMap<usize, BundleName>,
    refusals: HashMap<usize, Refusal>,
    /// The number of the file that had these bytes, of those that were refused.
    refused: HashMap<ContentHash, usize>,
}

/// What became of a file that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) enum Became {
    /// The market has not answered.
    InReview,
    /// The market took it.
    Accepted,
    /// The market refused it.
    Refused(Refusal),
}

impl Sendings {
    /// Takes what a plan that was carried out says of dealings with a market.
    pub(super) fn remember(&mut self, dealing: &Dealing, at: Timestamp, assets: &mut Assets) {
        match dealing {
            Dealing::Sent(sending) => self.sent(sending, assets),
            Dealing::NotSent(bundle) => {
                let numbers = BundleName::of(bundle).and_then(|name| Some((self.bundles.remove(&name)?, name.market)));
                if let Some((numbers, market)) = numbers
                    && let Some(of_market) = self.markets.get_mut(&market)
                {
                    numbers.for_each(|number| of_market.record.take_back(number));
                }
            }
            Dealing::Answered(answers) => self.answered(answers, at, assets),
        }
    }

    fn sent(&mut self, sending: &Sending, assets: &mut Assets) {
        // Recovery may tell a plan again that was told before.
        let Some(name) = BundleName::of(&sending.bundle).filter(|name| !self.bundles.contains_key(name)) else {
            return;
        };
        let of_market = self.markets.entry(sending.market.clone()).or_default();
        let mut numbers = Vec::with_capacity(sending.files.len());
        for file in &sending.files {
            let slot = assets.of_id(&file.asset);
            assets.had(slot, &file.hash);
            let number = MarketRecord::send(&mut of_market.record, sending.at, file.theme.as_ref());
            assets.was_sent(slot, &sending.market, number);
            numbers.push(number);
        }
        let first = numbers.first().copied().unwrap_or(0);
        if !numbers.is_empty() {
            of_market.bundles.insert(first, name.clone());
        }
        self.bundles.insert(name, first..first + numbers.len());
    }

    fn answered(&mut self, answers: &Answers, at: Timestamp, assets: &Assets) {
        let Some(of_market) = self.markets.get_mut(&answers.market) else { return };
        for file in &answers.files {
            let bundle = BundleName::of(&file.file).and_then(|name| self.bundles.get(&name));
            let slot = assets.with_id(&file.asset);
            let (Some(bundle), Some(slot)) = (bundle, slot) else { continue };
            let own =
                assets.sent(slot).filter(|(market, number)| **market == answers.market && bundle.contains(number));
            for (_, number) in own.collect::<Vec<_>>() {
                of_market.record.answer(number, file.accepted, at);
                if file.accepted {
                    of_market.refusals.remove(&number);
                    continue;
                }
                of_market.refused.insert(file.hash.clone(), number);
                let refusal = Refusal {
                    file: file.file.clone(),
                    reason: file.reason.clone(),
                    made: file.made.iter().cloned().collect(),
                    number: file.number,
                };
                of_market.refusals.insert(number, refusal);
            }
        }
    }

    /// Returns what became of each file that an asset, or one with the same content, had in bundles that were sent.
    pub(super) fn of_asset<'a>(
        &'a self,
        slot: Slot,
        assets: &'a Assets,
    ) -> impl Iterator<Item = (&'a MarketName, &'a BundleName, Became)> {
        assets.sent(slot).filter_map(|(market, number)| {
            let of_market = self.markets.get(market)?;
            let (_, bundle) = of_market.bundles.range(..=number).next_back()?;
            let became = match of_market.record.get(number)?.answer.map(|answer| answer.is_accepted) {
                None => Became::InReview,
                Some(true) => Became::Accepted,
                Some(false) => Became::Refused(of_market.refusals.get(&number)?.clone()),
            };
            Some((market, bundle, became))
        })
    }

    /// Returns whether it is on record that a bundle was sent.
    pub(super) fn is_sent(&self, name: &BundleName) -> bool {
        self.bundles.contains_key(name)
    }

    /// Returns the bundles that are on record as sent.
    pub(super) fn bundles(&self) -> impl Iterator<Item = (&BundleName, usize)> {
        self.bundles.iter().map(|(name, numbers)| (name, numbers.len()))
    }

    /// Returns whether a market refused a file of these very bytes.
    pub(super) fn is_refused(&self, market: &MarketName, hash: &ContentHash) -> bool {
        self.markets.get(market).is_some_and(|of_market| of_market.refused.contains_key(hash))
    }

    /// Learns that what a market refused is made in another way too.
    pub(super) fn made_the_same(&mut self, market: &MarketName, hash: &ContentHash, made: ContentHash) {
        let Some(of_market) = self.markets.get_mut(market) else { return };
        let number = of_market.refused.get(hash);
        if let Some(refusal) = number.and_then(|number| of_market.refusals.get_mut(number)) {
            refusal.made.push(made);
        }
    }

    /// Returns what went to each market, and what that answered.
    pub(super) fn records(&self) -> impl Iterator<Item = (&MarketName, &MarketRecord)> {
        self.markets.iter().map(|(market, of_market)| (market, &of_market.record))
    }
}
