//! What is looked at from time to time, whatever the events say: folders, areas, gates, stages without events, the trash.

use super::super::areas::AreaNews;
use super::super::folder_times::Round;
use super::super::job::Job;
use super::super::message::Work;
use super::super::{Dispatcher, here};
use crate::model::{RelPath, Stage};
use crate::plan::{BundleName, gate, plan_clock_back};
use crate::report;
use crate::service::check::{Checked, Returned};
use crate::service::clock::Moment;
use crate::service::decide::themes_without_tags;
use crate::service::pauses::Cause;
use crate::service::survey::stage_of;
use crate::vault::{Aside, Recovered, TrashLimits, delivery_file};

impl Dispatcher {
    /// Begins what is due: a round, a look at areas, a look at stages without events.
    pub(in crate::service::dispatch) fn begin_rounds(&mut self, now: &Moment, work: &mut Vec<Work>) {
        let rescan = self.decide.settings.settle.rescan;
        if let Some(round) = self.intake.folder_times.due(now.steady, rescan, self.intake.watch_health.is_whole()) {
            self.begin_round(round, now, work);
        }
        if let Some((areas, away)) = self.areas.check_due(now.steady) {
            work.push(Work::Check { areas, away });
        }
        self.areas.pauses.proven(now.steady).iter().for_each(report::resumed);
        for area in self.intake.watch_health.silent(now.steady, &|area| self.areas.is_detached(area)) {
            report::no_events(&area);
        }
        for area in self.intake.watch_health.due(now.steady) {
            self.intake.walks.mark_within(&area);
        }
        if self.intake.schedules.is_due(now.steady) {
            self.look_at_gates(now);
        }
        for (line, times) in self.tally.repeats.over(now.steady) {
            report::said_again(&line, times);
        }
    }

    fn begin_round(&mut self, round: Round, now: &Moment, work: &mut Vec<Work>) {
        self.decide.save_releases();
        self.read_requests(now);
        self.tell_wrong_clock(now);
        self.areas.want_check();
        self.maintenance.tending.retry_unseen();
        self.decide.upload.is_unseen_due = true;
        if self.intake.watch_health.is_silent(&Stage::Upload.folder()) {
            self.maintenance.tending.all_bundles();
        }
        match round {
            Round::All => {
                self.intake.walks.mark_all();
                self.maintenance.tending.all_bundles();
                self.maintenance.gone.look_again();
                self.probe(now, work);
            }
            Round::Changed => {
                let folders = self.intake.folder_times.begin();
                work.extend((!folders.is_empty()).then_some(Work::Compare(folders)));
            }
        }
        // Thousands of files may lie in the trash: at rest they are looked at now and then. What was taken aside may
        // have to come back.
        let may_have_more = self.tally.has_worked() || round == Round::All;
        if may_have_more && self.decide.blocked.is_empty() && !self.journal.wants_recovery() {
            work.push(self.purge(now));
        }
    }

    /// Puts a file into every stage, and takes it away, to see whether events come.
    pub(in crate::service::dispatch) fn probe(&mut self, now: &Moment, work: &mut Vec<Work>) {
        let stages = self.areas.attached().into_iter().filter(|area| stage_of(area).is_some());
        let probed = self.intake.watch_health.probe(stages.collect(), now.steady);
        work.extend((!probed.is_empty()).then_some(Work::Probe(probed)));
    }

    fn purge(&self, now: &Moment) -> Work {
        let settings = &self.decide.settings.work;
        let limits = TrashLimits {
            age_ns_max: i64::from(settings.undo_days) * 86_400_000_000_000,
            bytes_max: settings.undo_mib_max << 20,
        };
        let now_ns = self.decide.memory.believed(now).as_nanosecond();
        Work::Purge {
            areas: self.areas.attached(),
            limits,
            now_ns: i64::try_from(now_ns).unwrap_or(i64::MAX),
            unsure: self.maintenance.second_looks.all().cloned().collect(),
        }
    }

    /// Tells, once, of times that only a wrong clock can have written, and of a clock that is not believed.
    pub(in crate::service) fn tell_wrong_clock(&mut self, now: &Moment) {
        for stage in Stage::ALL {
            let ahead = gate::ahead(self.decide.ledger.left_at(stage), now.timestamp());
            if let Some(last) = ahead.last().filter(|_| self.decide.memory.note_ahead(stage)) {
                report::times_ahead(stage, ahead.len(), *last);
            }
        }
        if self.decide.ledger.is_any_sending_undated(now.timestamp()) {
            // Where nothing else is done, each start would count it as sent then.
            self.decide.ledger.clock_said(now.timestamp());
            self.pipeline.add_job(Job::new(plan_clock_back(), None, now.steady));
        }
        if let Some(believed) = self.decide.memory.note_jump(now) {
            report::clock_not_believed(believed);
        }
    }

    /// Lets what a gate keeps waiting be decided anew if the gate says something else by now.
    fn look_at_gates(&mut self, now: &Moment) {
        for (stage, day) in self.decide.see_gate_days(now) {
            self.decide.keep_gate_day(stage, &day);
            if day.making_up().is_some() {
                report::day_made_up(stage, day.opened, &now.local);
            }
        }
        let said = Stage::ALL.into_iter().filter_map(|stage| Some((stage, self.decide.gate_now(stage, now)?)));
        for stage in self.intake.schedules.looked(said.collect(), now.steady) {
            if stage == Stage::Upload && self.decide.take_offers_wait() {
                self.maintenance.tending.all_bundles();
            }
            if self.inbox.reconsider_gate(stage) {
                self.intake.walks.mark_within(&stage.folder());
            }
        }
        if self.decide.has_room_again(now) {
            self.maintenance.tending.all_bundles();
            self.inbox.reconsider_gate(Stage::Upload);
            self.intake.walks.mark_within(&Stage::Upload.folder());
        }
    }

    /// Takes which folders have changed of those up to `last`.
    pub(in crate::service::dispatch) fn on_compared(
        &mut self,
        changed: &[RelPath],
        last: &RelPath,
        work: &mut Vec<Work>,
    ) {
        for folder in changed {
            self.intake.walks.mark_near(folder);
            match BundleName::of(folder) {
                Some(name) => {
                    // Each look at a bundle adds it anew; a folder of parts that is gone must not look changed for ever.
                    self.intake.folder_times.forget(folder);
                    self.maintenance.tending.bundle_changed(name);
                }
                None if *folder == delivery_file() => {
                    self.intake.folder_times.forget(folder);
                    let open = self.decide.upload.bundles.values().filter(|bundle| !bundle.sent);
                    open.for_each(|bundle| self.maintenance.tending.bundle_changed(bundle.name.clone()));
                }
                // A bundle may have come or gone.
                None if folder.area() == Stage::Upload.name() => {
                    // A day that is gone, or has no bundle any more, must not look changed for ever.
                    self.intake.folder_times.forget(folder);
                    self.maintenance.tending.all_bundles();
                }
                None => (),
            }
        }
        let more = self.intake.folder_times.next_after(last);
        work.extend((!more.is_empty()).then_some(Work::Compare(more)));
    }

    /// Pauses what is not there or full, and goes on with what is back.
    pub(in crate::service::dispatch) fn on_checked(
        &mut self,
        checked: Vec<Checked>,
        now: &Moment,
        work: &mut Vec<Work>,
    ) {
        let free_min = self.decide.settings.work.free_mib_min << 20;
        let mut is_any_back = false;
        for news in self.areas.checked(checked, free_min, now.steady) {
            match news {
                AreaNews::Paused(area, why) => report::paused(&area, &why),
                AreaNews::Resumed(area, is_over) => {
                    is_any_back = true;
                    if is_over {
                        report::resumed(&area);
                    }
                }
                AreaNews::Returned(area, returned) => self.take_returned(area, returned, work),
                AreaNews::MountedAnew(area) => {
                    report::mounted_anew(&area);
                    self.take_returned(area, Returned::default(), work);
                }
                AreaNews::Remote(area) if stage_of(&area).is_some() => {
                    self.intake.watch_health.remote(area, now.steady);
                }
                AreaNews::Remote(_) => (),
            }
        }
        if is_any_back {
            self.maintenance.gone.look_again();
            self.reconsider();
        }
    }

    /// Takes what was found when the root was opened.
    pub(in crate::service) fn take_opened(
        &mut self,
        checked: Vec<Checked>,
        recovered: &Recovered,
        asides: Vec<Aside>,
        now: &Moment,
    ) {
        self.maintenance.second_looks.add(asides, now.steady);
        // Nothing is watched yet.
        self.on_checked(checked, now, &mut Vec::new());
        self.take_blocked(recovered);
        self.journal.opened(recovered.is_refused());
        self.decide.read_gate_days();
        self.decide.unread_gate_days().for_each(|(stage, why)| self.tally.hold(&stage.folder(), &why));
        self.look_at_gates(now);
        let here = here(&self.areas, &self.intake.walks, now);
        let stages = here.open_stages();
        self.intake.walks.units.find_all(self.decide.disk(), &stages, &self.decide.settings.settle.ignore);
        themes_without_tags(self.decide.disk()).into_iter().for_each(|theme| self.maintenance.gone.mark(theme));
    }

    /// Takes up an area that was away: its watches are gone, and what its sidecars say may be news.
    fn take_returned(&mut self, area: RelPath, returned: Returned, work: &mut Vec<Work>) {
        let vault = self.decide.vault.clone();
        let is_there = |path: &RelPath| !matches!(vault.disk().stat(path), Ok(None));
        self.decide.ledger.misplaced.extend(returned.misplaced);
        for (path, sidecar) in &returned.sidecars {
            self.decide.ledger.remember_sidecar(path, sidecar, &is_there);
        }
        self.decide.look_for_unidentified();
        if !self.decide.blocked.is_empty() {
            self.journal.want_recovery();
        }
        self.intake.walks.mark_within(&area);
        self.maintenance.tending.forget_tags(&area);
        if area == Stage::Upload.folder() {
            self.maintenance.tending.all_bundles();
        }
        work.push(Work::ForgetWatches(area));
    }

    /// Pauses an area, and says so if that is news.
    pub(in crate::service::dispatch) fn pause(
        &mut self,
        area: &RelPath,
        why: &str,
        need: u64,
        cause: Cause,
        now: &Moment,
    ) {
        if self.areas.pause(area, why, need, cause, now.steady) {
            report::paused(area, why);
        }
    }
}
