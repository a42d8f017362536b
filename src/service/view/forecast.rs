//! What leaves `upload`, or goes from a bundle to a further market, until a day, as far as that can be told.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::open_bundles::{Told, not_asked};
use super::{Surveyed, View};
use crate::model::{MarketName, RelPath, Stage, ThemeSlug};
use crate::plan::{Arrival, Forecast, Hold, Past, Place, Said, Waiting, forecast, theme_of_path};
use crate::service::clock::Moment;
use crate::service::decide::{Care, Here, Owing, all_bundles};
use crate::service::release::is_unknown;

/// What is told of the time to come.
#[derive(Debug, Default)]
pub struct Future {
    /// What leaves `upload`, and what does not.
    pub forecast: Forecast,
    /// What waits for something else than its gate and room, and why.
    pub held: Vec<(RelPath, String)>,
    /// Which markets do not get what waits, and why, with the files that this is so of.
    pub not_for: BTreeMap<String, Vec<RelPath>>,
    /// The files that a market refuses and others take, and why.
    pub refused: BTreeMap<(MarketName, String), Vec<RelPath>>,
    /// How many files are in earlier stages, without those of a kind that stays there: when they are made, nobody can tell.
    pub unmade: usize,
}

impl View {
    /// Returns the day that it is.
    pub fn today(&self) -> Date {
        self.clock.now().local.date()
    }

    /// Returns what leaves `upload` until a time.
    pub fn future(&mut self, until: Timestamp) -> Future {
        self.future_from(&self.clock.now(), until)
    }

    /// Returns what leaves `upload` from one time until another one.
    pub(in crate::service) fn future_from(&mut self, now: &Moment, until: Timestamp) -> Future {
        let mut future = Future::default();
        let mut waiting: Vec<(Place, Waiting)> = Vec::new();
        let looked: Vec<Surveyed> = self.units(None).iter().filter_map(|unit| self.look(unit).ok()).collect();
        let earlier = |surveyed: &&Surveyed| matches!(surveyed.stage, Stage::Raw | Stage::Keep | Stage::Export);
        let on_way = looked.iter().filter(earlier).flat_map(|surveyed| &surveyed.candidates);
        let on_way: HashSet<ThemeSlug> =
            on_way.filter_map(|candidate| theme_of_path(&candidate.primary.path).0).collect();
        let disk = self.decide.disk();
        let made = |of: &Surveyed| of.candidates.iter().filter(|one| !is_unknown(disk, of.stage, one)).count();
        future.unmade = looked.iter().filter(earlier).map(made).sum();
        for candidate in looked
            .into_iter()
            .filter(|surveyed| surveyed.stage == Stage::Upload)
            .flat_map(|surveyed| surveyed.candidates)
        {
            let path = candidate.primary.path.clone();
            let Some(facts) = self.facts_of(Stage::Upload, candidate) else {
                future.held.push((path, "it cannot be looked into now".to_owned()));
                continue;
            };
            let here = Here { now, pauses: &self.pauses, units: &self.units };
            match self.decide.markets_for(&facts, here) {
                Ok((theme, markets, not_for)) => {
                    for why in not_for {
                        future.not_for.entry(why).or_default().push(path.clone());
                    }
                    let rank = self.decide.rank(Some(&theme), on_way.contains(&theme), now.for_settle());
                    let place = Place::new(rank, Arrival::of(&facts, now.for_settle().wall_ns), path.clone());
                    let past = self.decide.past(&facts, now);
                    let at_once = facts.unsure_of_parts.clone();
                    waiting.push((place, Waiting { file: path, theme, markets, past, at_once }));
                }
                Err(Hold::Ignored(_)) => (),
                Err(hold) => future.held.push((path, hold.to_string())),
            }
        }
        for (arrival, owed) in self.owed_to_others(&mut future, now) {
            let rank = self.decide.rank(Some(&owed.theme), on_way.contains(&owed.theme), now.for_settle());
            waiting.push((Place::new(rank, arrival, owed.file.clone()), owed));
        }
        waiting.sort_by(|(one, _), (other, _)| one.cmp(other));
        let waiting: Vec<Waiting> = waiting.into_iter().map(|(_, waiting)| waiting).collect();
        future.forecast = forecast(&waiting, self.decide.outlook(now), now.timestamp(), until);
        future
    }

    /// Returns the files of bundles that further markets take, once they have room, and when each came to `upload`.
    fn owed_to_others(&mut self, future: &mut Future, now: &Moment) -> Vec<(Arrival, Waiting)> {
        let names = all_bundles(self.decide.disk(), &self.decide.settings.upload.markets);
        let owed = self.decide.owed(&names.iter().cloned().collect::<BTreeSet<_>>());
        let here = Here { now, pauses: &self.pauses, units: &self.units };
        let (mut waiting, mut before) = (Vec::new(), Told::default());
        for name in names {
            let owing = match self.decide.owing(&name, &owed, Care::Times, here) {
                Ok(owing) => owing,
                Err(hold) => {
                    let why = format!("what further markets get of it cannot be told: {hold}");
                    future.held.push((name.folder(), why));
                    continue;
                }
            };
            for Owing { file, arrival, asset, theme, markets, said, offered, .. } in owing {
                let mut is_first = |market: &MarketName| before.is_first(asset.as_ref(), market);
                match said {
                    Err(hold) => {
                        let markets: Vec<MarketName> = markets.into_iter().filter(&mut is_first).collect();
                        if !markets.is_empty() {
                            future.held.push((file, not_asked(&markets, &hold)));
                        }
                    }
                    Ok(said) => {
                        let mut markets = Vec::new();
                        for (market, said) in said.into_iter().filter(|(market, _)| is_first(market)) {
                            match said {
                                Said::Takes | Said::TakesOwn | Said::Later(_) => markets.push(market),
                                Said::Refuses(why) => {
                                    future.refused.entry((market, why)).or_default().push(file.clone());
                                }
                            }
                        }
                        let past =
                            offered.map_or(Past::Nothing, |(path, seen)| self.decide.past_gate(&path, seen, now));
                        waiting.extend(arrival.map(|at| (at, Waiting { file, theme, markets, past, at_once: None })));
                    }
                }
            }
        }
        waiting
    }
}
