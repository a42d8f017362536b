//! One dispatcher owns the state of all work: what is marked, what waits, what is in hand. It is made of parts, each
//! with the state of one concern; here they meet. Workers own their job and answer by message.

mod areas;
mod backoff;
mod failure;
mod folder_times;
mod inbox;
mod job;
mod journal_use;
mod line;
mod message;
mod part;
mod pipeline;
mod schedules;
mod second_looks;
mod steps;
mod tally;
mod tending;
mod threads;
mod walks;
mod watch_health;
mod workers;

pub(super) use failure::{Handling, handling};
pub(super) use inbox::{Around, Inbox, Met, News, arriving, unfinished};
pub(super) use message::{Heard, Message};
pub(super) use workers::Workers;

use std::sync::Arc;
use std::time::Duration;

use super::Signal;
use super::clock::Moment;
use super::decide::{Decider, GoneThemes, Here};
use crate::config::Settings;
use crate::model::RelPath;
use crate::report;
use crate::vault::{Mailbox, Space};
use areas::Areas;
use folder_times::FolderTimes;
use journal_use::{JournalUse, Phase};
use line::Line;
use message::Work;
use part::Due;
use pipeline::{Budget, Pipeline};
use schedules::Schedules;
use second_looks::SecondLooks;
use tally::{Progress, Tally};
use tending::Tending;
use walks::Walks;
use watch_health::WatchHealth;

/// Everything that is going on.
pub(in crate::service) struct Dispatcher {
    decide: Decider,
    intake: Intake,
    areas: Areas,
    inbox: Inbox,
    pipeline: Pipeline,
    journal: JournalUse,
    maintenance: Maintenance,
    tally: Tally,
    is_stopping: bool,
}

/// What is looked at, and when.
#[derive(Debug)]
struct Intake {
    walks: Walks,
    folder_times: FolderTimes,
    watch_health: WatchHealth,
    schedules: Schedules,
    line: Line,
}

/// What is not about one asset: records that several share, and what lies aside.
#[derive(Debug)]
struct Maintenance {
    tending: Tending,
    gone: GoneThemes,
    second_looks: SecondLooks,
}

impl Dispatcher {
    /// Returns a dispatcher with nothing in hand. `listens` tells whether a watch will tell what happens.
    pub(in crate::service) fn new(decide: Decider, areas: Vec<RelPath>, listens: bool, now: Duration) -> Self {
        let settle = &decide.settings.settle;
        // Asked once: the answer costs several files.
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            intake: Intake {
                walks: Walks::default(),
                folder_times: FolderTimes::new(now + settle.rescan),
                watch_health: WatchHealth::new(listens),
                schedules: Schedules::default(),
                line: Line::default(),
            },
            areas: Areas::new(areas),
            inbox: Inbox::new(settle),
            pipeline: Pipeline::new(cores),
            journal: JournalUse::default(),
            maintenance: Maintenance {
                tending: Tending::default(),
                gone: GoneThemes::default(),
                second_looks: SecondLooks::new(settle.quiet, settle.weak_quiet),
            },
            tally: Tally::default(),
            is_stopping: false,
            decide,
        }
    }

    /// Takes one message; returns what it wants done at once.
    pub(in crate::service) fn take(&mut self, message: Message, now: &Moment) -> Vec<Work> {
        let mut work = Vec::new();
        match message {
            Message::Hinted => self.intake.watch_health.hinted(now.steady, self.inbox.in_hand() > 0),
            Message::Walked(unit, took, result) => self.on_walked(&unit, took, result, now),
            Message::Compared(changed, last) => self.on_compared(&changed, &last, &mut work),
            Message::Checked(checked) => self.on_checked(checked, now, &mut work),
            Message::Looked(first, looks) => self.on_looked(first, looks, now),
            Message::Made(made) => self.on_made(made, now),
            Message::Committed(jobs, results) => self.on_committed(jobs, results, now),
            Message::Recovered(result) => self.on_recovered(result, now),
            Message::Undone(undone) => self.on_undone(undone, now),
            Message::Tended(looks) => self.on_tended(looks, now),
            Message::GoneJudged(verdicts, took) => self.on_gone_judged(verdicts, took, now),
            Message::LookedTwice(looks) => {
                let over = self.maintenance.second_looks.looked_twice(looks, now.steady);
                work.extend((!over.is_empty()).then_some(Work::End(over)));
            }
            Message::Ended(ended) => self.on_ended(ended, now),
            Message::Signal(Signal::Stop) => self.is_stopping = true,
            // A reload needs the file and the command line: the shell does it.
            Message::Signal(Signal::Reload) => (),
        }
        work
    }

    /// Returns whether what the watches told is to be taken now, with [`Self::hear`].
    pub(in crate::service) fn listens(&mut self, now: &Moment) -> bool {
        self.intake.watch_health.takes_hints(now.steady)
    }

    /// Takes what the watches told.
    pub(in crate::service) fn hear(&mut self, heard: Vec<Heard>, now: &Moment) {
        for heard in heard {
            match heard {
                Heard::Everywhere => {
                    if self.tally.repeats.note("events dropped", now.steady) {
                        report::rescan();
                    }
                    self.look_everywhere(now);
                }
                Heard::Near(units) => units.iter().for_each(|unit| self.intake.walks.mark_known(unit)),
                Heard::AreaGone => self.areas.want_check(),
                Heard::Request => self.read_requests(now),
                Heard::TagSets => {
                    self.maintenance.tending.all_bundles();
                    self.reconsider();
                }
                Heard::Probe(area) => self.intake.watch_health.heard(&area),
                Heard::Bundle(name) => self.maintenance.tending.bundle_changed(name),
            }
        }
    }

    /// Returns whatever can be started now, and when to wake at the latest. `space` asks a disk for its room.
    pub(in crate::service) fn turn(
        &mut self,
        now: &Moment,
        space: &dyn Fn(&RelPath) -> Option<Space>,
    ) -> (Vec<Work>, Duration) {
        let mut work = Vec::new();
        self.decide_in_turn(now);
        self.begin_rounds(now, &mut work);
        let asides = self.maintenance.second_looks.due(now.steady);
        work.extend((!asides.is_empty()).then_some(Work::LookTwice(asides)));
        match self.journal.phase(now.steady) {
            Phase::Recover => self.begin_recovery(now, &mut work),
            Phase::Undo => self.begin_undo(now, &mut work),
            Phase::Work if self.is_stopping => (),
            Phase::Work => {
                self.begin_walk(now, &mut work);
                self.begin_tending(now, &mut work);
                self.begin_jobs(now, space, &mut work);
            }
        }
        self.begin_commit(now, &mut work);
        self.tell_files();
        let left = self.in_work() + self.intake.walks.left_behind();
        let slow = self.pipeline.slow_left(now.steady);
        if let Some(Progress { done, time_left }) = self.tally.progress(left, slow, now.steady) {
            report::progress(done, left, time_left);
        }
        (work, self.wake(now.steady))
    }

    /// Tells what files wait for, or why they are left alone, as far as that is new.
    pub(in crate::service) fn tell_files(&mut self) {
        self.tally.tell();
    }

    /// Returns whether it ends as soon as nothing is in hand.
    pub(in crate::service) fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    /// Returns whether every inbox was looked at since the start.
    pub(in crate::service) fn was_all_walked(&self) -> bool {
        self.intake.walks.was_all_walked()
    }

    /// Returns the settings that it works by.
    pub(in crate::service) fn settings(&self) -> &Arc<Settings> {
        &self.decide.settings
    }

    /// Takes new settings.
    pub(in crate::service) fn reload(&mut self, settings: Arc<Settings>, now: &Moment) {
        let settle = &settings.settle;
        self.maintenance.second_looks.reload(settle.quiet, settle.weak_quiet);
        self.inbox.reload(settle);
        // Gates, markets and targets may be others now: what is made is decided anew before it is carried out.
        self.inbox.distrust_in_hand();
        self.intake.schedules = Schedules::default();
        self.decide.reload(settings);
        // What no worker has yet would be made by the former settings first, for nothing.
        for mut job in self.pipeline.take_planned() {
            self.let_go(&mut job, now);
            job.facts.iter().for_each(|facts| self.look_anew(&facts.path, Due::new(now.steady, now.steady)));
        }
        self.reconsider();
        self.look_everywhere(now);
    }

    /// Takes the releases that people gave, and what they want undone; what a gate held back is decided anew.
    pub(in crate::service) fn read_requests(&mut self, now: &Moment) {
        let mailbox = self.decide.vault.mailbox();
        if let Ok(requests) = Mailbox::requests(mailbox.disk()) {
            self.journal.set_requests(requests);
        }
        if self.decide.releases.collect(&mailbox, now.timestamp(), now.steady) {
            self.reconsider();
            // What waits for the gate, or was taken back from a market.
            self.maintenance.tending.all_bundles();
        }
    }

    /// Writes down which releases were used up.
    pub(in crate::service) fn save_releases(&mut self) {
        self.decide.save_releases();
    }

    /// Marks everything to be looked at.
    pub(in crate::service) fn look_everywhere(&mut self, now: &Moment) {
        self.intake.walks.mark_all();
        self.maintenance.tending.all_bundles();
        self.intake.folder_times.all_marked(now.steady, self.decide.settings.settle.rescan);
    }

    /// Lets everything that is held be decided anew, by what was seen of it already.
    fn reconsider(&mut self) {
        self.inbox.reconsider();
        self.intake.walks.mark_all();
    }

    /// Returns how much may be done at once.
    fn budget(&self) -> Budget {
        let work = &self.decide.settings.work;
        Budget { jobs: work.jobs, net_cores: work.neural.cores, memory: work.memory_mib << 20 }
    }

    /// Returns the longest pause before what may change unseen is looked at again. It is too long for `once` to wait for
    /// it, or what is held would be looked at again and again, and `once` would never end.
    fn hold_pause(&self) -> Duration {
        self.decide.settings.settle.rescan.clamp(UNAWAITED_PAUSE, HOLD_PAUSE)
    }
}

/// Returns what a decision needs to know beside the decider itself, which is borrowed at the same time.
fn here<'a>(areas: &'a Areas, walks: &'a Walks, now: &'a Moment) -> Here<'a> {
    Here { now, pauses: &areas.pauses, units: &walks.units }
}

/// A pause that is too long for `once` to wait for its end.
const UNAWAITED_PAUSE: Duration = Duration::from_secs(5);
/// How long what may change unseen is waited for.
const HOLD_PAUSE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
