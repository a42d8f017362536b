//! What went to the markets and what they answered, as the journal tells it: it outlives the bundles.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::assets::{Assets, Slot};
use super::went::{Answer, Went};
use crate::model::{ContentHash, MarketName, RelPath};
use crate::plan::{BundleName, MarketRecord, Refusal, is_answered_again};
use crate::records::{AnsweredFile, Answers, Dealing, Got, Sending};

/// The beginning of 2024, when nothing of stockmill was there: a clock that says an earlier time is behind, as that of a board
/// without a battery is until somebody sets it.
const FIRST_S: i64 = 1_704_067_200;
/// A time that no clock says. What was sent when the clock was behind counts as if it had been ahead: as sent when the next thing
/// was recorded.
const NEVER_S: i64 = 250_000_000_000;

/// Returns whether a clock is surely behind that says this.
pub(super) fn is_behind(at: Timestamp) -> bool {
    at.as_second() < FIRST_S
}

/// What went to each market. Of a file it keeps its number in its market's record; what the journal says beside that is
/// kept of refused files alone, which are few.
#[derive(Debug, Default, Clone)]
pub(super) struct Sendings {
    markets: BTreeMap<MarketName, OfMarket>,
    bundles: BTreeMap<BundleName, OfBundle>,
    /// What all that comes to for each asset, since it was asked.
    went: OnceLock<Arc<Went>>,
}

/// What is on record of a bundle. What its market answered stays, also after it turned out that it was not sent.
#[derive(Debug, Default, Clone)]
struct OfBundle {
    /// The numbers that its files got each time that it was sent.
    numbers: Vec<Range<usize>>,
    /// How many files it had when it was sent last; `None` if it was not sent after all.
    files: Option<usize>,
}

#[derive(Debug, Default, Clone)]
struct OfMarket {
    record: MarketRecord,
    /// The bundle of each run of numbers, by the first one.
    bundles: BTreeMap<usize, BundleName>,
    /// What it refused, by its number.
    refusals: HashMap<usize, Refusal>,
    /// What it had got of each file that it refused, with the number, by its bytes.
    refused: HashMap<ContentHash, Vec<(Got, usize)>>,
}

/// A file that was sent, by its market and its number there.
pub(super) type Number<'a> = (&'a MarketName, usize);

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

impl OfBundle {
    /// Returns the numbers that files of an asset have with it, the earlier first.
    fn numbers_of(&self, slot: Slot, market: &MarketName, assets: &Assets) -> Vec<usize> {
        let is_of_it = |number: &usize| self.numbers.iter().any(|sent| sent.contains(number));
        assets
            .sent(slot)
            .filter(|(known, number)| *known == market && is_of_it(number))
            .map(|(_, number)| number)
            .collect()
    }
}

impl OfMarket {
    /// Returns whether the market answered about a file, and that is about what goes there now: see [`is_answered_again`].
    fn is_answered_as(&self, number: usize, got: &Got) -> bool {
        let answer = self.record.get(number).and_then(|sent| sent.answer);
        let is_same = self.refusals.get(&number).is_some_and(|refused| refused.got.is_same(got));
        answer.is_some_and(|answer| is_answered_again(answer.is_accepted, is_same))
    }

    fn answered(&mut self, number: usize, file: &AnsweredFile) {
        self.record.answer(number, file.accepted);
        if file.accepted {
            self.refusals.remove(&number);
            return;
        }
        let got = file.got();
        self.refused.entry(got.hash.clone()).or_default().push((got.clone(), number));
        let refusal = Refusal {
            file: file.file.clone(),
            reason: file.reason.clone(),
            got,
            made: file.made.iter().cloned().collect(),
            number: file.number,
        };
        self.refusals.insert(number, refusal);
    }
}

impl Sendings {
    /// Takes what a plan that was carried out says of dealings with a market.
    pub(super) fn remember(&mut self, dealing: &Dealing, assets: &mut Assets) {
        self.went = OnceLock::new();
        match dealing {
            Dealing::Sent(sending) => self.sent(sending, assets),
            Dealing::NotSent(bundle) => self.not_sent(bundle),
            Dealing::Answered(answers) => self.answered(answers, assets),
        }
    }

    fn sent(&mut self, sending: &Sending, assets: &mut Assets) {
        // Recovery may tell a plan again that was told before.
        let Some(name) = BundleName::of(&sending.bundle).filter(|name| !self.is_sent(name)) else { return };
        let of_market = self.markets.entry(sending.market.clone()).or_default();
        let of_bundle = self.bundles.entry(name.clone()).or_default();
        let (first, mut kept) = (of_market.record.next_number(), HashSet::new());
        // Each sending has one of its own: what was recorded after one says nothing of the next.
        let never = || i64::try_from(first).ok().and_then(|first| Timestamp::from_second(NEVER_S + first).ok());
        let at = never().filter(|_| is_behind(sending.at)).unwrap_or(sending.at);
        for file in &sending.files {
            let slot = assets.of_id(&file.asset);
            assets.had(slot, &file.hash);
            let (before, got) = (of_bundle.numbers_of(slot, &sending.market, assets).into_iter(), file.got());
            if before.rev().any(|number| of_market.is_answered_as(number, &got) && kept.insert(number)) {
                continue;
            }
            let number = MarketRecord::send(&mut of_market.record, at, file.theme.as_ref());
            assets.was_sent(slot, &sending.market, number);
        }
        let new = first..of_market.record.next_number();
        if !new.is_empty() {
            of_market.bundles.insert(first, name);
            of_bundle.numbers.push(new);
        }
        of_bundle.files = Some(sending.files.len());
    }

    fn not_sent(&mut self, bundle: &RelPath) {
        let Some(name) = BundleName::of(bundle) else { return };
        let Some(of_bundle) = self.bundles.get_mut(&name) else { return };
        of_bundle.files = None;
        if let Some(of_market) = self.markets.get_mut(&name.market) {
            of_bundle.numbers.iter().cloned().flatten().for_each(|number| of_market.record.take_back(number));
        }
    }

    fn answered(&mut self, answers: &Answers, assets: &Assets) {
        let Some(of_market) = self.markets.get_mut(&answers.market) else { return };
        for file in &answers.files {
            let bundle = BundleName::of(&file.file).and_then(|name| self.bundles.get(&name));
            let (Some(bundle), Some(slot)) = (bundle, assets.with_id(&file.asset)) else { continue };
            let mut own = bundle.numbers_of(slot, &answers.market, assets);
            own.retain(|number| of_market.record.get(*number).is_some());
            // Of what went there mended since, it is about the later.
            let later = bundle.numbers.iter().rev().find(|sent| own.iter().any(|number| sent.contains(number)));
            own.retain(|number| later.is_some_and(|sent| sent.contains(number)));
            own.into_iter().for_each(|number| of_market.answered(number, file));
        }
    }

    /// Returns what became of each file that an asset, or one with the same content, had in bundles that were sent.
    pub(super) fn of_asset<'a>(
        &'a self,
        slot: Slot,
        assets: &'a Assets,
    ) -> impl Iterator<Item = (Number<'a>, &'a BundleName, Became)> {
        assets.sent(slot).filter_map(|(market, number)| {
            let of_market = self.markets.get(market)?;
            let (_, bundle) = of_market.bundles.range(..=number).next_back()?;
            let became = match of_market.record.get(number)?.answer.map(|answer| answer.is_accepted) {
                None => Became::InReview,
                Some(true) => Became::Accepted,
                Some(false) => Became::Refused(of_market.refusals.get(&number)?.clone()),
            };
            Some(((market, number), bundle, became))
        })
    }

    /// Returns whether it is on record that a bundle was sent.
    pub(super) fn is_sent(&self, name: &BundleName) -> bool {
        self.bundles.get(name).is_some_and(|of_bundle| of_bundle.files.is_some())
    }

    /// Returns the bundles that are on record as sent, each with how many files it had.
    pub(super) fn bundles(&self) -> impl Iterator<Item = (&BundleName, usize)> {
        self.bundles.iter().filter_map(|(name, of_bundle)| Some((name, of_bundle.files?)))
    }

    /// Returns whether a market refused the very same as it would get.
    pub(super) fn is_refused(&self, market: &MarketName, got: &Got) -> bool {
        let refused = self.markets.get(market).and_then(|of_market| of_market.refused.get(&got.hash));
        refused.into_iter().flatten().any(|(refused, _)| refused.is_same(got))
    }

    /// Returns what went to each market, by asset.
    pub(super) fn went(&self, assets: &Assets) -> Arc<Went> {
        let answer = |(market, number): Number<'_>, became: &Became| match became {
            Became::InReview => Answer::None,
            Became::Accepted => Answer::Accepted,
            Became::Refused(_) => Answer::Refused(Box::new(self.markets[market].refusals[&number].got.clone())),
        };
        let of_slot = |slot: Slot| {
            let sent = self.of_asset(slot, assets);
            sent.map(move |(number, bundle, became)| (number.0, assets.id(slot), bundle, answer(number, &became)))
        };
        let all = assets.slots().flat_map(of_slot);
        self.went.get_or_init(|| Arc::new(Went::of(self.bundles.keys().cloned().collect(), all))).clone()
    }

    /// Learns that what a market refused is made in another way too.
    pub(super) fn made_the_same(&mut self, market: &MarketName, hash: &ContentHash, made: &ContentHash) {
        let Some(of_market) = self.markets.get_mut(market) else { return };
        for (_, number) in of_market.refused.get(hash).into_iter().flatten() {
            if let Some(refusal) = of_market.refusals.get_mut(number) {
                refusal.made.push(made.clone());
            }
        }
    }

    /// Takes what the clock said after all that is on record; nothing, if it was behind.
    pub(super) fn clock_said(&mut self, at: Timestamp) {
        if is_behind(at) {
            return;
        }
        self.markets.values_mut().for_each(|of_market| of_market.record.clock_said(at));
    }

    /// Returns what went to each market, and what that answered.
    pub(super) fn records(&self) -> impl Iterator<Item = (&MarketName, &MarketRecord)> {
        self.markets.iter().map(|(market, of_market)| (market, &of_market.record))
    }
}
