//! What a walk found: each file is judged, and waits, is held or is ready.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::time::Duration;

use super::super::inbox::{self, Around, FACTS_MAX, Met, News};
use super::super::job::Job;
use super::super::line::InLine;
use super::super::message::Work;
use super::super::part::Due;
use super::super::walks::{PAUSE_IF_BUSY, READY_MAX};
use super::super::{Dispatcher, UNAWAITED_PAUSE, here};
use crate::intake::{Candidate, Found, NearMiss, Odd, is_lonely};
use crate::model::{RelPath, Stage};
use crate::plan::Hold;
use crate::report;
use crate::service::clock::Moment;
use crate::service::survey::{SurveyError, Surveyed, theme_of_unit};
use crate::service::why::{Why, WhyKind};

/// While so much is to be made, no more companions are looked at.
const JOIN_MAX: usize = 256;
/// How long what may change unseen is waited for if it has to be looked into again for that.
pub(in crate::service::dispatch) const HOLD_PAUSE_UNSEEN: Duration = Duration::from_secs(900);

impl Dispatcher {
    /// Begins the next walk.
    pub(in crate::service::dispatch) fn begin_walk(&mut self, now: &Moment, work: &mut Vec<Work>) {
        let areas = &self.areas;
        let is_away = |area: &RelPath| areas.is_detached(area);
        if let Some(unit) = self.intake.walks.next(now.steady, self.pipeline.ready(), &is_away) {
            work.push(Work::Walk { unit, settings: self.decide.settings.clone() });
        } else if self.intake.walks.take_first_round_over() {
            // Every folder is watched by now.
            self.probe(now, work);
        }
    }

    /// Takes what a walk found.
    pub(in crate::service::dispatch) fn on_walked(
        &mut self,
        unit: &RelPath,
        took: Duration,
        result: Result<Box<Surveyed>, SurveyError>,
        now: &Moment,
    ) {
        self.intake.walks.ended(unit, took, now.steady);
        match result {
            Ok(surveyed) => self.take_survey(*surveyed, took, now),
            Err(error) => self.take_survey_error(unit, &error, now),
        }
        self.inbox.walk_ended();
    }

    fn take_survey_error(&mut self, unit: &RelPath, error: &SurveyError, now: &Moment) {
        let disk = match error {
            SurveyError::Detached(detached) => {
                let (area, why) = (unit.area_path(), detached.to_string());
                if self.areas.detach(&area, &why, now.steady) {
                    report::paused(&area, &why);
                }
                return;
            }
            SurveyError::Disk(disk) => disk,
        };
        // It may be its whole stage that went.
        self.areas.want_check();
        if disk.kind() == ErrorKind::NotFound {
            self.intake.walks.gone(unit);
            self.intake.folder_times.forget(unit);
            self.maintenance.tending.forget_tags(unit);
            self.take_near_misses(unit, &[]);
            theme_of_unit(unit).into_iter().for_each(|theme| self.maintenance.gone.mark(theme));
            return;
        }
        if self.tally.repeats.note(&disk.to_string(), now.steady) {
            report::not_listed(unit, disk);
        }
        self.intake.walks.not_listed(unit, Due::new(now.steady + UNAWAITED_PAUSE, now.steady));
    }

    fn take_survey(&mut self, surveyed: Surveyed, took: Duration, now: &Moment) {
        let unit = surveyed.unit.clone();
        let settle = &self.decide.settings.settle;
        let took_ns = i64::try_from(took.as_nanos()).unwrap_or(i64::MAX);
        let begun_ns = now.for_settle().wall_ns.saturating_sub(took_ns);
        self.intake.folder_times.remember(&unit, &surveyed.folders, begun_ns);
        if let Some(problem) = surveyed.problem.as_ref().filter(|_| self.intake.watch_health.note_partial()) {
            report::watch_problem(problem, settle.rescan);
        }
        self.intake.walks.listed(&unit);
        self.intake.walks.found(&surveyed.below);
        self.maintenance.tending.saw_tags(&surveyed.tag_folders);
        if settle.ignore.folder_above(&unit).is_some() {
            self.intake.walks.units.forget(&unit);
        }
        self.take_near_misses(&unit, &surveyed.near_misses);
        self.take_odd(&surveyed);
        self.take_candidates(surveyed, now);
    }

    /// Takes the files of a unit by which a person means tags; what does not wait for one any more goes on.
    fn take_near_misses(&mut self, unit: &RelPath, found: &[NearMiss]) {
        for waits in self.decide.take_near_misses(unit, found) {
            if let Some(theme) = crate::plan::theme_of_path(&waits.join("x")).0 {
                self.reconsider_theme(&theme);
            }
        }
    }

    /// Tells what is left alone.
    fn take_odd(&mut self, surveyed: &Surveyed) {
        let is_upload = surveyed.unit == Stage::Upload.folder();
        let renamed = if is_upload { self.decide.renamed_bundles() } else { Vec::new() };
        for odd in surveyed.odd.iter().chain(&renamed) {
            // A record of our own may be seen before the asset that it goes with, or after it went.
            if self.is_moving(&odd.path) {
                self.intake.walks.mark(surveyed.unit.clone());
            } else if !self.is_late(odd) && self.inbox.leave_alone(&odd.path, &odd.why) {
                if surveyed.may_be_meant.contains(&odd.path) {
                    report::theme_left_alone(&odd.path, &odd.why);
                } else {
                    self.tally.leave_alone(&odd.path, &odd.why);
                }
            }
        }
    }

    fn take_candidates(&mut self, surveyed: Surveyed, now: &Moment) {
        let Surveyed { unit, stage, candidates, odd, signs, first_frames, .. } = surveyed;
        let unit = &unit;
        if !candidates.is_empty() {
            self.intake.watch_health.busy(&unit.area_path(), now.steady);
        }
        let found: HashSet<&RelPath> = candidates.iter().flat_map(|c| c.files().map(|f| &f.path)).collect();
        let alone: HashSet<&RelPath> = odd.iter().map(|odd| &odd.path).collect();
        self.inbox.forget_absent(unit, &found, &alone);
        let unfinished = inbox::unfinished(odd.iter().map(|odd| &odd.path));
        let late: Vec<&Odd> = odd.iter().filter(|odd| !self.is_moving(&odd.path) && self.is_late(odd)).collect();
        if !late.is_empty() {
            let arriving = inbox::arriving(odd.iter().map(|odd| &odd.path));
            late.into_iter().for_each(|odd| self.judge_late(unit, &odd.path, &arriving, now));
        }
        let mut candidates = candidates.into_iter();
        while let Some(candidate) = candidates.next() {
            if self.pipeline.ready() + self.intake.line.len() >= READY_MAX {
                self.intake.walks.fell_behind(unit.clone(), candidates.len() + 1);
                break;
            }
            let path = candidate.primary.path.clone();
            for along in self.inbox.taken_along(&candidate) {
                report::taken_along(&along, &path);
            }
            let (decide, here) = (&self.decide, here(&self.areas, &self.intake.walks, now));
            let seen = |candidate: &Candidate| candidate.primary.entry.identity;
            let around = Around {
                stage,
                now,
                sign: signs.get(&path),
                is_first_frame: first_frames.contains(&path),
                unfinished: &unfinished,
                is_moving: &|path| decide.reserved.is_moving(path),
                is_released: &|c| decide.is_let_go(&c.primary.path, stage, seen(c)),
                shut: &|c| decide.shut(&c.primary.path, stage, seen(c), here).err().map(|hold| Why::of(&hold)),
            };
            let met = self.inbox.meet(candidate, &around);
            self.take_met(unit, stage, &path, met, now);
        }
    }

    /// Does what follows from what became of a file.
    fn take_met(&mut self, unit: &RelPath, stage: Stage, path: &RelPath, met: Met, now: &Moment) {
        let is_in_line = stage == Stage::Upload && self.decide.is_upload_limited();
        match met {
            Met::Ready(still) if is_in_line => self.intake.line.add_unread(*still, now.steady),
            Met::Decide(facts) if is_in_line => self.intake.line.add(InLine::Waiting(facts), now.steady),
            Met::Ready(still) => self.pipeline.add_ready(stage, *still),
            Met::Decide(facts) => self.decide(*facts, now),
            Met::WalkNow => self.intake.walks.mark(unit.clone()),
            Met::InHand => (),
            Met::Waits(until, news) => {
                until.into_iter().for_each(|again| self.intake.walks.mark_at(unit, again));
                self.tell(path, news);
            }
        }
    }

    /// Returns whether a walk may have seen a file in the middle of its step.
    fn is_moving(&self, path: &RelPath) -> bool {
        self.inbox.is_moving(path, &|path| self.decide.reserved.is_moving(path))
    }

    /// Returns whether a file is a companion whose asset went on before it came.
    fn is_late(&self, odd: &Odd) -> bool {
        is_lonely(odd) && self.decide.is_late(&odd.path)
    }

    /// Judges a companion like a file that was dropped, and lets it join its asset. `arriving` are the names that
    /// files will have which come into this folder.
    fn judge_late(&mut self, unit: &RelPath, path: &RelPath, arriving: &HashSet<RelPath>, now: &Moment) {
        // Whatever happens to it meanwhile is told by an event.
        let Ok(Some(entry)) = self.decide.disk().stat(path) else { return };
        let candidate = Candidate::alone(Found { path: path.clone(), entry });
        let was_held = self.inbox.is_held_as(&candidate);
        let disk = self.decide.vault.clone();
        let has_writer = |path: &RelPath| disk.disk().has_writer(path).unwrap_or(None);
        let state = match self.inbox.meet_alone(candidate, arriving, &has_writer, now) {
            Ok(state) => state,
            Err(met) => return self.take_met(unit, Stage::Raw, path, met, now),
        };
        if self.pipeline.planned() >= JOIN_MAX {
            return self.intake.walks.mark_at(unit, Due::new(now.steady + PAUSE_IF_BUSY, now.steady));
        }
        let waits = self.decide.wait_for_next(path, &entry, now).filter(|_| !was_held);
        let (why, pause, is_by_time) = if let Some((pause, why)) = waits {
            (Why::new(WhyKind::Incomplete, &why), pause, true)
        } else {
            let here = here(&self.areas, &self.intake.walks, now);
            match self.decide.decide_late(path, &entry, here) {
                Ok((plan, facts)) => {
                    self.inbox.take_in_hand(path.clone(), state);
                    return self.pipeline.add_job(Job::new(plan, Some(facts), now.steady));
                }
                Err(hold) => {
                    let (pause, is_by_time) = match &hold {
                        Hold::Settling { pause, is_by_time, .. } => (*pause, *is_by_time),
                        Hold::Waits(_)
                        | Hold::Unreadable(_)
                        | Hold::Untagged(_)
                        | Hold::Unwanted(_)
                        | Hold::Blocked(_)
                        | Hold::Paused(_)
                        | Hold::Twin(_)
                        | Hold::Shut(_)
                        | Hold::NoRoom(_) => (self.hold_pause(), false),
                        Hold::Refused(_) => (UNAWAITED_PAUSE, false),
                        // A person may bring its asset back; nothing else changes that.
                        Hold::Ignored(_) | Hold::Park(_) => (HOLD_PAUSE_UNSEEN, false),
                    };
                    (Why::of(&hold), pause, is_by_time)
                }
            }
        };
        let again = Due::new(now.steady + pause, now.steady);
        if is_by_time {
            self.inbox.expect_by(again.at);
        }
        let is_passing = is_by_time && why.kind == WhyKind::Settling;
        let news = self.inbox.hold(path, state, why, Some(again), None);
        self.intake.walks.mark_at(unit, again);
        self.tell(path, if is_passing { news.map(News::in_passing) } else { news });
    }

    /// Returns how long an asset is held for something that may change unseen: a tag file is mended.
    pub(in crate::service::dispatch) fn pause_of_held(&self) -> Duration {
        let is_kept = self.inbox.held() < FACTS_MAX;
        if is_kept { self.hold_pause() } else { HOLD_PAUSE_UNSEEN }
    }

    /// Takes what is to be told of a file.
    pub(in crate::service::dispatch) fn tell(&mut self, path: &RelPath, news: Option<News>) {
        match news {
            Some(News::Passing(why)) => report::held_for_now(path, &why),
            Some(News::Held(why)) => self.tally.hold(path, &why),
            Some(News::LeftAlone(why)) => self.tally.leave_alone(path, &why),
            None => (),
        }
    }
}
