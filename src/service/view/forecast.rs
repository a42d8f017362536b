//! What leaves `upload` until a day, as far as that can be told.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Surveyed, View};
use crate::model::{RelPath, Stage, ThemeSlug};
use crate::plan::{Forecast, Hold, Waiting, forecast, theme_of_path};
use crate::service::decide::Here;

/// What is told of the time to come.
#[derive(Debug, Default)]
pub struct Future {
    /// What leaves `upload`, and what does not.
    pub forecast: Forecast,
    /// What waits for something else than its gate and room, and why.
    pub held: Vec<(RelPath, String)>,
    /// How many files are in earlier stages: when they are made, nobody can tell.
    pub unmade: usize,
}

impl View {
    /// Returns the day that it is.
    pub fn today(&self) -> Date {
        self.clock.now().local.date()
    }

    /// Returns what leaves `upload` until a time.
    pub fn future(&mut self, until: Timestamp) -> Future {
        let now = self.clock.now();
        let mut future = Future::default();
        let mut waiting: Vec<(i64, i64, Waiting)> = Vec::new();
        let looked: Vec<Surveyed> = self.units(None).iter().filter_map(|unit| self.look(unit).ok()).collect();
        let earlier = |surveyed: &&Surveyed| matches!(surveyed.stage, Stage::Raw | Stage::Keep | Stage::Export);
        let on_way: Vec<RelPath> = looked
            .iter()
            .filter(earlier)
            .flat_map(|surveyed| surveyed.candidates.iter().map(|candidate| candidate.primary.path.clone()))
            .collect();
        future.unmade = on_way.len();
        let is_on_way = |theme: &ThemeSlug| on_way.iter().any(|path| theme_of_path(path).0.as_ref() == Some(theme));
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
            let here = Here { now: &now, pauses: &self.pauses, units: &self.units };
            match self.decide.markets_for(&facts, here) {
                Ok((theme, markets)) => {
                    let rank = self.decide.rank(Some(&theme), is_on_way(&theme), now.for_settle());
                    waiting.push((rank, facts.dropped_ns, Waiting { file: path, theme, markets }));
                }
                Err(Hold::Ignored(_)) => (),
                Err(hold) => future.held.push((path, hold.to_string())),
            }
        }
        waiting.sort_by(|one, other| (one.0, one.1, &one.2.file).cmp(&(other.0, other.1, &other.2.file)));
        let waiting: Vec<Waiting> = waiting.into_iter().map(|(_, _, waiting)| waiting).collect();
        future.forecast = forecast(&waiting, self.decide.outlook(&now), now.timestamp(), until);
        future
    }
}
