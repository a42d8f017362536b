//! How one asset stands, by the functions that the daemon goes through: met like what a walk found, looked into,
//! decided, and its content proved as making would.

use std::collections::HashSet;
use std::time::Duration;

use super::{AssetStatus, View};
use crate::config::SettleSettings;
use crate::intake::{Candidate, Found, Odd, Settle, Settled, Still, Verdict, is_lonely};
use crate::make::{MakeError, OwnRecords, cost, inspect, prove, read_records};
use crate::model::{RelPath, Stage};
use crate::plan::{Facts, Hold, Known, Plan, Whereabouts};
use crate::service::areas;
use crate::service::clock::Moment;
use crate::service::decide::Here;
use crate::service::dispatch::{Around, Handling, Inbox, Met, News, arriving, handling, unfinished};
use crate::service::pauses::{Short, lacks_room};
use crate::service::survey::{Surveyed, bare_facts};
use crate::service::why::{Why, WhyKind};

/// What a look at a unit showed beside its candidates.
#[derive(Debug)]
pub(super) struct Beside<'a> {
    surveyed: &'a Surveyed,
    /// The names that unfinished downloads in it will have.
    unfinished: HashSet<RelPath>,
    /// The names that files will have which come into it.
    arriving: HashSet<RelPath>,
}

impl<'a> Beside<'a> {
    pub(super) fn new(surveyed: &'a Surveyed) -> Self {
        let names = || surveyed.odd.iter().map(|odd| &odd.path);
        Self { surveyed, unfinished: unfinished(names()), arriving: arriving(names()) }
    }
}

impl View {
    /// Returns how an asset stands, and what it is if somebody looked into it.
    pub(super) fn judge(&mut self, beside: &Beside<'_>, candidate: &Candidate) -> (AssetStatus, Option<Facts>) {
        let now = self.clock.now();
        let (path, stage) = (candidate.primary.path.clone(), beside.surveyed.stage);
        let settled = match self.meet(beside, candidate.clone(), &now) {
            Ok(settled) => settled,
            Err(why) if matches!(why.kind, WhyKind::Gate | WhyKind::Paused) => {
                let why = self.held_beside(stage, candidate, &why, &now).unwrap_or(why);
                return (AssetStatus::Held(path, why), None);
            }
            Err(why) => return (AssetStatus::Held(path, why), None),
        };
        let facts = match self.look_inside(stage, &settled, &now) {
            Ok(Ok(facts)) => facts,
            Ok(Err(error)) => return (self.troubled(&path, bare_facts(candidate), &error, &now), None),
            Err(hold) => return (AssetStatus::Held(path, Why::of(&hold)), None),
        };
        let status = self.decided(&facts, &now);
        (status, Some(facts))
    }

    /// Returns what an asset is that need not stand still to be explained.
    pub(super) fn facts_of(&mut self, stage: Stage, candidate: Candidate) -> Option<Facts> {
        let now = self.clock.now();
        let mut settle = Settle::new(Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let Verdict::Still(still) = settle.judge(candidate, false, now.for_settle()) else { return None };
        let settled = still.settled(&|_| Some(false)).ok()?;
        self.look_inside(stage, &settled, &now).ok()?.ok()
    }

    /// Judges a candidate by one look: where the kernel cannot tell of writers, its age must do.
    fn meet(&self, beside: &Beside<'_>, candidate: Candidate, now: &Moment) -> Result<Settled, Why> {
        let Beside { surveyed, unfinished, .. } = beside;
        let (path, stage) = (candidate.primary.path.clone(), surveyed.stage);
        let here = self.here(now);
        let seen = |candidate: &Candidate| candidate.primary.entry.identity;
        let around = Around {
            stage,
            now,
            sign: surveyed.signs.get(&path),
            is_first_frame: surveyed.first_frames.contains(&path),
            unfinished,
            is_moving: &|_| false,
            is_released: &|c| self.decide.is_let_go(&c.primary.path, stage, seen(c)),
            shut: &|c| self.decide.shut(&c.primary.path, stage, seen(c), here).err().map(|hold| Why::of(&hold)),
        };
        let mut inbox = Inbox::new(&self.decide.settings.settle);
        match inbox.meet(candidate, &around) {
            Met::Ready(still) => self.without_writer(*still, &mut inbox, now),
            Met::Waits(_, news) => Err(inbox.why(&path).cloned().unwrap_or_else(|| passing(news))),
            Met::Decide(_) | Met::WalkNow | Met::InHand => unreachable!("nothing is in hand of one who only looks"),
        }
    }

    fn without_writer(&self, still: Still, inbox: &mut Inbox, now: &Moment) -> Result<Settled, Why> {
        let disk = self.decide.disk();
        let age = still.candidate().files().map(|found| now.since(found.entry.identity.modified_ns)).min();
        let is_old = age.is_some_and(|age| age >= self.decide.settings.settle.weak_quiet);
        let has_writer = |path: &RelPath| disk.has_writer(path).ok().flatten().or(is_old.then_some(false));
        still.settled(&has_writer).map_err(|unsettled| Why::new(WhyKind::Settling, &inbox.wait(&unsettled, now).1))
    }

    /// Looks into an asset; `Err` if nobody can tell whether its theme claims it.
    fn look_inside(&mut self, stage: Stage, settled: &Settled, now: &Moment) -> Result<Result<Facts, MakeError>, Hold> {
        let path = &settled.candidate().primary.path;
        let is_document = self.decide.is_document(path, stage, now.for_settle())?;
        Ok(inspect(self.decide.disk(), stage, settled, is_document, &self.decide.limits()))
    }

    /// Returns what is decided on an asset; anew if a disk has no room for that, since its area is paused then.
    fn decided(&mut self, facts: &Facts, now: &Moment) -> AssetStatus {
        loop {
            let status = match self.decide_once(facts, now) {
                Ok(plan) => self.proved(plan, facts, now),
                Err(Hold::Park(why)) => Some(self.parked(facts, &why, now)),
                Err(Hold::Ignored(why)) => Some(AssetStatus::LeftAlone(facts.path.clone(), why)),
                Err(hold) => Some(AssetStatus::Held(facts.path.clone(), Why::of(&hold))),
            };
            if let Some(status) = status {
                return status;
            }
        }
    }

    /// Decides on an asset. Whoever waits for the like of it to go on is a copy of that by then.
    fn decide_once(&mut self, facts: &Facts, now: &Moment) -> Result<Plan, Hold> {
        let here = Here { now, pauses: &self.pauses, units: &self.units };
        match self.decide.decide(facts, here) {
            Err(Hold::Twin(why)) => Err(self.like(facts).unwrap_or(Hold::Twin(why))),
            decided => decided,
        }
    }

    /// Returns what becomes of a file whose content goes on under another name first.
    fn like(&self, facts: &Facts) -> Option<Hold> {
        let is_like = |plan: &&Plan| {
            let is_same = plan.about.hash.as_ref() == Some(&facts.hash);
            is_same || facts.essences.iter().any(|essence| plan.about.essences.contains(essence))
        };
        let plan = self.planned.iter().find(is_like)?;
        let is_retagged = plan.about.hash.as_ref() != Some(&facts.hash);
        let (id, at) = (plan.about.asset.clone()?, plan.about.to.clone()?);
        let is_made_of_it = plan.products.iter().any(|product| product.to == at);
        let is = Whereabouts::There;
        Known { id, at, is_retagged, is_made_of_it, origin: None, lacks: None, is }.admit(facts.stage).err()
    }

    /// Returns how an asset stands with a plan, once its whole content was looked at as making does; none if it is to
    /// be decided on anew.
    fn proved(&mut self, plan: Plan, facts: &Facts, now: &Moment) -> Option<AssetStatus> {
        if let Err(error) = prove(self.decide.disk(), &plan, &self.decide.limits()) {
            self.decide.reserved.give_back(&plan);
            return Some(self.troubled(&facts.path, Some(facts.clone()), &error, now));
        }
        if let Some(short) = self.has_no_room(&plan, facts) {
            self.decide.reserved.give_back(&plan);
            let (short, cause) = short.pauses(&areas(), &facts.path);
            // What lies in the area itself is not paused by that, and waits for room all the same.
            let was_paused = self.pauses.why(&short.area).is_some();
            let why = format!("`{}` is paused: {}", short.area, short.why);
            self.pauses.pause(&short.area, short.why, short.need, cause, now.steady);
            return was_paused.then(|| AssetStatus::Held(facts.path.clone(), Why::new(WhyKind::Paused, &why)));
        }
        self.planned.push(plan.clone());
        Some(AssetStatus::Planned(Box::new(plan)))
    }

    /// Returns why a disk has no room for what a plan makes.
    fn has_no_room(&self, plan: &Plan, facts: &Facts) -> Option<Short> {
        let free_min = self.decide.settings.work.free_mib_min << 20;
        cost(plan, Some(facts)).bytes.into_iter().find_map(|(area, need)| {
            let why = lacks_room(self.decide.disk().space(&area).ok()?, need, free_min)?;
            Some(Short { area, why, need })
        })
    }

    fn parked(&mut self, facts: &Facts, why: &str, now: &Moment) -> AssetStatus {
        let here = Here { now, pauses: &self.pauses, units: &self.units };
        AssetStatus::Planned(Box::new(self.decide.park(facts, why, here)))
    }

    /// Returns what is done about something that is wrong with an asset.
    fn troubled(&mut self, path: &RelPath, facts: Option<Facts>, error: &MakeError, now: &Moment) -> AssetStatus {
        // What follows is shown as it comes if the file stays as it is.
        let still_for = Duration::MAX;
        let is_gone = || matches!(self.decide.disk().stat(path), Ok(None));
        let held = |kind, why: &str| AssetStatus::Held(path.clone(), Why::new(kind, why));
        match (handling(error, path, 1, still_for, &is_gone), facts) {
            (Handling::SetAside(why), Some(facts)) => self.parked(&facts, &why, now),
            (Handling::Again { why, is_by_time: true, .. }, _) => held(WhyKind::Settling, &why),
            (Handling::SetAside(why) | Handling::Again { why, .. }, _) => held(WhyKind::Refused, &why),
            (Handling::Wait(why), _) => held(WhyKind::Record, &why),
            (Handling::PauseArea(why), _) => held(WhyKind::Paused, &why),
            (Handling::Forget, _) => held(WhyKind::Settling, "it went away a moment ago"),
        }
    }

    /// Returns why an asset would not go on although its gate opens or a pause ends: a record of it cannot be read, or it waits
    /// for a person's word. Nothing else of it is read before that, but for what `undo` brought back.
    fn held_beside(&mut self, stage: Stage, candidate: &Candidate, shut: &Why, now: &Moment) -> Option<Why> {
        if stage == Stage::Ideas {
            return None;
        }
        let facts = bare_facts(candidate)?;
        let broken = match read_records(self.decide.disk(), candidate) {
            Err(error @ (MakeError::Sidecar { .. } | MakeError::Xmp { .. })) => error.to_string(),
            read => {
                let records = read.unwrap_or_default();
                let OwnRecords { sidecar, xmp, rejected_by } = records;
                let facts = Facts { sidecar, xmp, rejected_by, ..facts };
                match self.decide.tags_of(&facts, now.for_settle()) {
                    Err(Hold::Unreadable(why)) => why,
                    tags => {
                        tags.iter().for_each(|tags| self.saw_tags(&facts, tags));
                        return self.waits_for_word(facts, shut);
                    }
                }
            }
        };
        Some(Why::new(WhyKind::Record, &format!("{broken}; beside that, {shut}")))
    }

    /// Returns why what is behind a shut gate waits for a person's word: that opens its gate as well.
    fn waits_for_word(&self, facts: Facts, shut: &Why) -> Option<Why> {
        let is_back = self.decide.ledger.may_be_undone(&facts.path);
        let hash = if is_back { self.decide.disk().hash(&facts.path).ok()? } else { facts.hash.clone() };
        let why = Why::of(&self.decide.let_go_by_person(&Facts { hash, ..facts }).err()?);
        Some(match shut.kind {
            WhyKind::Gate => why,
            _ => Why::new(why.kind, &format!("{why}; beside that, {shut}")),
        })
    }

    /// Returns how a file stands that is no asset: a companion may still join the one that it goes with.
    pub(super) fn judge_alone(&mut self, beside: &Beside<'_>, odd: Odd) -> AssetStatus {
        let is_late = is_lonely(&odd) && self.decide.is_late(&odd.path);
        let Odd { path, why } = odd;
        let now = self.clock.now();
        let Ok(Some(entry)) = self.decide.disk().stat(&path).map(|entry| entry.filter(|_| is_late)) else {
            return AssetStatus::LeftAlone(path, why);
        };
        // One look cannot tell how long it stood still: what comes is shown once it does.
        let settle = &self.decide.settings.settle;
        let settle = SettleSettings { quiet: Duration::ZERO, weak_quiet: Duration::ZERO, ..settle.clone() };
        let candidate = Candidate::alone(Found { path: path.clone(), entry });
        let has_writer = |path: &RelPath| self.decide.disk().has_writer(path).unwrap_or(None);
        if let Err(Met::Waits(_, news)) = Inbox::new(&settle).meet_alone(candidate, &beside.arriving, &has_writer, &now)
        {
            return AssetStatus::Held(path, passing(news));
        }
        let here = Here { now: &now, pauses: &self.pauses, units: &self.units };
        match self.decide.decide_late(&path, &entry, here) {
            Ok((plan, _)) => AssetStatus::Planned(Box::new(plan)),
            Err(Hold::Ignored(why)) => AssetStatus::LeftAlone(path, why),
            Err(hold) => AssetStatus::Held(path, Why::of(&hold)),
        }
    }
}

/// Returns why something is held that is told and not remembered: time ends that, or whoever writes it.
fn passing(news: Option<News>) -> Why {
    let text = match news {
        Some(News::Passing(why) | News::Held(why) | News::LeftAlone(why)) => why,
        None => "it is looked at again soon".to_owned(),
    };
    Why::new(WhyKind::Settling, &text)
}
