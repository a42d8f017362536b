//! What was looked into is decided on, in its turn; what went wrong with one asset leaves its neighbours alone.

use std::collections::HashMap;
use std::time::Duration;

use super::super::areas::NoRoom;
use super::super::failure::{Handling, PAUSE_MAX, Tell, handling};
use super::super::job::{Job, Looked};
use super::super::line::InLine;
use super::super::message::{ToLook, Work};
use super::super::part::{Due, Part as _};
use super::super::pipeline::Chunk;
use super::super::{Dispatcher, News, backoff, here};
use crate::make::MakeError;
use crate::model::{RelPath, Stage, ThemeSlug};
use crate::plan::{Facts, Hold};
use crate::report;
use crate::service::clock::Moment;
use crate::service::pauses::{Cause, Short};
use crate::service::survey::{bare_facts, stage_of};
use crate::service::why::{Why, WhyKind};
use crate::vault::Space;

impl Dispatcher {
    /// Begins to look into assets and to make products, within the limits of the settings.
    pub(in crate::service::dispatch) fn begin_jobs(
        &mut self,
        now: &Moment,
        space: &dyn Fn(&RelPath) -> Option<Space>,
        work: &mut Vec<Work>,
    ) {
        self.take_from_line(now);
        let limits = self.decide.limits();
        self.pipeline.begin_turn();
        while let Some(chunk) = self.pipeline.next(self.budget()) {
            match chunk {
                Chunk::Look(assets) => {
                    let documents = assets.into_iter().filter_map(|(stage, still)| {
                        let is_document = self.is_document(&still.candidate().primary.path, stage, now)?;
                        Some(ToLook { stage, is_document, still })
                    });
                    let chunk: Vec<ToLook> = documents.collect();
                    if !chunk.is_empty() {
                        let first = self.pipeline.begin_look(chunk.iter().map(|to_look| &to_look.still));
                        work.push(Work::Look { first, chunk, limits: limits.clone() });
                    }
                }
                Chunk::Make(jobs) => {
                    let mut chunk = self.with_room(jobs, space, now);
                    if !chunk.is_empty() {
                        self.pipeline.begin_make(&mut chunk, now.steady);
                        let nice = self.decide.settings.work.neural.nice;
                        let nice = chunk.iter().any(|job| job.is_slow).then_some(nice);
                        work.push(Work::Make { chunk, limits: limits.clone(), nice });
                    }
                }
            }
        }
    }

    /// Lets what waits in `upload`, and what further markets are owed, go on in order, once all of it is known.
    fn take_from_line(&mut self, now: &Moment) {
        // What is about to come there counts, too.
        let is_quiet = self.pipeline.is_quiet() && self.journal.is_free();
        // Nothing but time keeps a file from being taken.
        let is_watched = self.inbox.wake(now.steady).is_some();
        let is_coming = is_watched || self.intake.walks.is_any_in(&Stage::Upload.folder());
        let is_seen = is_quiet && !is_coming && !self.maintenance.tending.is_looking();
        let unread = self.intake.line.take_unread(is_seen, now.steady);
        let is_whole = is_seen && unread.is_empty();
        unread.into_iter().for_each(|still| self.pipeline.add_ready(Stage::Upload, still));
        let (decide, inbox) = (&mut self.decide, &self.inbox);
        let mut ranks: HashMap<Option<ThemeSlug>, i64> = HashMap::new();
        let line = self.intake.line.take(is_whole, now.for_settle(), |theme| {
            let is_on_way = theme.as_ref().is_some_and(|theme| inbox.is_on_way_to_upload(theme));
            *ranks.entry(theme).or_insert_with_key(|theme| decide.rank(theme.as_ref(), is_on_way, now.for_settle()))
        });
        for asset in line {
            match asset {
                InLine::Waiting(facts) => self.decide(*facts, now),
                InLine::Owed(bundle, facts, markets) => self.offer(&bundle, &facts, &markets, now),
            }
        }
    }

    /// Returns whether an asset's theme claims it as a document; if nobody can tell, it is put back.
    fn is_document(&mut self, path: &RelPath, stage: Stage, now: &Moment) -> Option<bool> {
        match self.decide.is_document(path, stage, now.for_settle()) {
            Ok(is_document) => Some(is_document),
            Err(hold) => {
                let pause = match &hold {
                    Hold::Settling { pause, .. } => *pause,
                    _ => self.hold_pause(),
                };
                self.hold_for(path, &hold, Some(now.steady + pause), None, now);
                None
            }
        }
    }

    /// Promises the disks' room to jobs, and returns those that got it. The first that has room once work in hand is
    /// done waits for that, and the others behind it.
    fn with_room(&mut self, jobs: Vec<Job>, space: &dyn Fn(&RelPath) -> Option<Space>, now: &Moment) -> Vec<Job> {
        let free_min = self.decide.settings.work.free_mib_min << 20;
        let mut with_room = Vec::new();
        let mut jobs = jobs.into_iter();
        while let Some(mut job) = jobs.next() {
            match self.areas.promise(&job.cost.bytes, free_min, space, now.steady) {
                Ok(promise) => {
                    job.promise = Some(promise);
                    with_room.push(job);
                }
                Err(NoRoom::Short(short)) => self.wait_for_room(job, short, now),
                Err(NoRoom::InHand) => {
                    self.pipeline.wait_for_room(std::iter::once(job).chain(jobs));
                    break;
                }
            }
        }
        with_room
    }

    /// Pauses the area whose disk has no room for a job; the asset waits where it is.
    fn wait_for_room(&mut self, mut job: Job, short: Short, now: &Moment) {
        let stage = job.plan.about.stage.folder();
        let (short, cause) = self.areas.of_short(short, job.facts.as_ref().map_or(&stage, |facts| &facts.path));
        self.pause(&short.area, &short.why, short.need, cause, now);
        self.let_go(&mut job, now);
        let Some(facts) = job.facts else { return self.maintenance.tending.failed(&job.plan, now.steady) };
        let path = facts.path.clone();
        let why = format!("`{}` is paused: {}", short.area, short.why);
        // What was decided before the pause may go a part of its way now. What lies in the area itself is not paused
        // by that, and waits for room all the same.
        let is_of_before = self.areas.pauses.since(&short.area).is_some_and(|since| job.begun <= since);
        let pause = if is_of_before && short.area != stage { Duration::ZERO } else { PAUSE_MAX };
        self.put_back(&path, Why::new(WhyKind::Paused, &why), Some(now.steady + pause), Some(facts), now);
    }

    /// Takes what was looked into. It is decided in the order of the queue.
    pub(in crate::service::dispatch) fn on_looked(&mut self, first: Option<u64>, looks: Vec<Looked>, now: &Moment) {
        for looked in self.pipeline.looked(first, looks, now.steady) {
            self.take_look(looked, now);
        }
        self.decide_in_turn(now);
    }

    /// Decides on what was looked into and is next.
    pub(in crate::service::dispatch) fn decide_in_turn(&mut self, now: &Moment) {
        while let Some(looked) = self.pipeline.in_turn(now.steady) {
            self.take_look(looked, now);
        }
    }

    fn take_look(&mut self, looked: Looked, now: &Moment) {
        let path = looked.candidate().primary.path.clone();
        if self.inbox.is_changed(&path) {
            return self.look_anew(&path, Due::new(now.steady, now.steady));
        }
        match looked {
            Looked::Settled(settled, result) => match *result {
                Ok(facts) if facts.stage == Stage::Upload && self.decide.is_upload_limited() => {
                    self.intake.line.add(InLine::Waiting(Box::new(facts)), now.steady);
                }
                Ok(facts) => self.decide(facts, now),
                Err(error) => self.take_trouble(&path, bare_facts(settled.candidate()), &error, now),
            },
            Looked::Unsettled(unsettled) => {
                let (again, why) = self.inbox.wait(&unsettled, now);
                report::held_for_now(&path, &why);
                self.look_anew(&path, Due::new(again, now.steady));
            }
        }
    }

    /// Lets go of an asset that was in hand, and looks at it anew.
    pub(in crate::service::dispatch) fn look_anew(&mut self, path: &RelPath, again: Due) {
        self.inbox.let_out(path);
        self.intake.walks.mark_path_at(path, again);
    }

    pub(in crate::service::dispatch) fn decide(&mut self, facts: Facts, now: &Moment) {
        let path = facts.path.clone();
        let hold = match self.decide.decide(&facts, here(&self.areas, &self.intake.walks, now)) {
            Ok(plan) => return self.pipeline.add_job(Job::new(plan, Some(facts), now.steady)),
            Err(hold) => hold,
        };
        let pause = match &hold {
            Hold::Park(why) => return self.set_aside(facts, why, now),
            Hold::Refused(_) => {
                let tries = self.inbox.try_again(&path, now.steady);
                Some(backoff::growing(Duration::from_secs(1), tries.count, PAUSE_MAX))
            }
            Hold::Settling { pause, .. } => Some(*pause),
            // A word of its gate, room at a market, or a change of its files, ends it.
            Hold::Shut(_) | Hold::NoRoom(_) | Hold::Ignored(_) => None,
            Hold::Waits(_)
            | Hold::Unreadable(_)
            | Hold::Untagged(_)
            | Hold::Unwanted(_)
            | Hold::Blocked(_)
            | Hold::Paused(_)
            | Hold::Twin(_) => Some(self.pause_of_held()),
        };
        if !matches!(hold, Hold::Refused(_) | Hold::Settling { .. }) {
            self.inbox.forget_tries(&path);
        }
        // Of a type that nobody knows only the start was read; its theme may claim it yet.
        let is_kept = facts.kind.is_some() || facts.stage == Stage::Ideas;
        self.hold_for(&path, &hold, pause.map(|pause| now.steady + pause), Some(facts).filter(|_| is_kept), now);
    }

    /// Puts an asset back for the reason that a decision gave.
    fn hold_for(&mut self, path: &RelPath, hold: &Hold, until: Option<Duration>, facts: Option<Facts>, now: &Moment) {
        if !matches!(hold, Hold::Settling { is_by_time: true, .. }) {
            self.put_back(path, Why::of(hold), until, facts, now);
            return;
        }
        let (again, news) = self.inbox.put_back(path, Why::of(hold), until, facts, now.steady);
        if let Some(again) = again {
            self.intake.walks.mark_path_at(path, again);
            self.inbox.expect_by(again.at);
        }
        // Nobody has to do anything: a moment ends it, for each picture of the theme.
        self.tell(path, news.map(News::in_passing));
    }

    /// Puts an asset back that was in hand; returns when it is judged again.
    pub(in crate::service::dispatch) fn put_back(
        &mut self,
        path: &RelPath,
        why: Why,
        until: Option<Duration>,
        facts: Option<Facts>,
        now: &Moment,
    ) -> Option<Duration> {
        let (again, news) = self.inbox.put_back(path, why, until, facts, now.steady);
        again.into_iter().for_each(|again| self.intake.walks.mark_path_at(path, again));
        self.tell(path, news);
        again.map(|again| again.at)
    }

    fn set_aside(&mut self, facts: Facts, why: &str, now: &Moment) {
        self.tally.count_set_aside();
        let plan = self.decide.park(&facts, why, here(&self.areas, &self.intake.walks, now));
        self.pipeline.add_job(Job::new(plan, Some(facts), now.steady));
    }

    /// Does what is to be done about something that went wrong with one asset.
    pub(in crate::service::dispatch) fn take_trouble(
        &mut self,
        path: &RelPath,
        facts: Option<Facts>,
        error: &MakeError,
        now: &Moment,
    ) {
        let tries = self.inbox.try_again(path, now.steady);
        let dropped = facts.as_ref().map_or(0, |facts| facts.dropped_ns);
        let still_for = now.steady.saturating_sub(tries.first).max(now.since(dropped));
        let is_gone = || matches!(self.decide.disk().stat(path), Ok(None));
        match handling(error, path, tries.count, still_for, &is_gone) {
            Handling::SetAside(why) => {
                self.inbox.forget_tries(path);
                match facts {
                    Some(facts) => self.set_aside(facts, &why, now),
                    None => self.inbox.let_out(path),
                }
            }
            Handling::Again { why, after, tell, is_by_time } => {
                self.tell_again(path, error, after, tell, now);
                let until = self.put_back(path, Why::new(WhyKind::Refused, &why), Some(now.steady + after), None, now);
                until.filter(|_| is_by_time).into_iter().for_each(|until| self.inbox.expect_by(until));
            }
            Handling::Wait(why) => drop(self.put_back(path, Why::new(WhyKind::Record, &why), None, None, now)),
            Handling::PauseArea(why) => self.pause_for(path, error, &why, now),
            Handling::Forget => {
                self.inbox.forget_tries(path);
                self.look_anew(path, Due::new(now.steady, now.steady));
            }
        }
    }

    fn tell_again(&mut self, path: &RelPath, error: &MakeError, after: Duration, tell: Tell, now: &Moment) {
        match (tell, error) {
            (Tell::Retry, error) => report::again(Some(path), error),
            (Tell::DiskTrouble, MakeError::Disk(disk))
                if self.tally.repeats.note(&format!("files cannot be {}: {}", disk.call, disk.why()), now.steady) =>
            {
                report::disk_trouble(path, disk, after);
                self.areas.want_check();
            }
            (Tell::ProgramTrouble, MakeError::Program(why)) if self.tally.repeats.note(why, now.steady) => {
                report::program_trouble(path, why, after);
            }
            _ => (),
        }
    }

    /// Pauses the area that a disk's answer is about; what wanted to go there waits.
    fn pause_for(&mut self, path: &RelPath, error: &MakeError, why: &str, now: &Moment) {
        let MakeError::Disk(disk) = error else { return };
        self.areas.want_check();
        let area = self.areas.of_trouble(&disk.path, path);
        self.pause(&area, why, 0, Cause::Refusal, now);
        let why = stage_of(path).and_then(|stage| self.areas.pauses.why_stage(stage));
        let why =
            why.map_or_else(|| Why::new(WhyKind::Refused, &disk.to_string()), |why| Why::new(WhyKind::Paused, &why));
        self.put_back(path, why, Some(now.steady + PAUSE_MAX), None, now);
    }
}
