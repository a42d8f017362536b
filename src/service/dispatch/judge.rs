//! What a walk found: each candidate is judged, and waits, is held or is ready.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::{
    CHANGED_PAUSE, Dispatcher, FACTS_MAX, HOLD_PAUSE, Held, READY_MAX, REASONS_MAX, State, WALK_PAUSE_FED, state_of,
};
use crate::intake::{Candidate, Sign, Verdict, downloads_as, rest_awaited, taken_along};
use crate::model::{RelPath, Stage};
use crate::plan::Facts;
use crate::report;
use crate::service::clock::Moment;
use crate::service::survey::{Surveyed, stage_of, unit_of};

/// What a walk saw beside a candidate.
struct Beside<'a> {
    /// An editor that is at work on it, for a note.
    sign: Option<&'a Sign>,
    /// Whether a video is written after it.
    is_first_frame: bool,
    /// Names that unfinished downloads will have.
    unfinished: &'a HashSet<RelPath>,
}

impl Dispatcher {
    pub(super) fn take_odd(&mut self, surveyed: &Surveyed) {
        for odd in &surveyed.odd {
            // A record of our own may be seen before the asset that it goes with, or after it went.
            if self.is_moving(&odd.path) {
                self.dirty.insert(surveyed.unit.clone());
                continue;
            }
            if self.is_late(odd) {
                continue;
            }
            self.held.remove(&odd.path);
            if self.odd_seen.get(&odd.path) != Some(&odd.why) {
                if surveyed.doubtful.contains(&odd.path) {
                    report::theme_left_alone(&odd.path, &odd.why);
                } else {
                    report::left_alone(&odd.path, &odd.why);
                }
                self.odd_seen.insert(odd.path.clone(), odd.why.clone());
            }
        }
    }

    pub(super) fn take_candidates(&mut self, surveyed: Surveyed) {
        let moment = self.clock.now();
        if !surveyed.candidates.is_empty() {
            self.poll_soon(&surveyed.unit.area_path(), moment.steady);
        }
        let (unit, stage) = (surveyed.unit, surveyed.stage);
        let found: HashSet<&RelPath> = surveyed.candidates.iter().flat_map(|c| c.files().map(|f| &f.path)).collect();
        let is_top = unit.parent().is_none() && stage != Stage::Ideas;
        let in_scope = |path: &RelPath| if is_top { path.parent().as_ref() == Some(&unit) } else { path.is_in(&unit) };
        let odd: HashSet<&RelPath> = surveyed.odd.iter().map(|odd| &odd.path).collect();
        let is_found = |path: &RelPath| found.contains(path) || odd.contains(path);
        self.settle.forget_absent(&unit, &in_scope, &is_found);
        forget(&mut self.held, &unit, &in_scope, &is_found);
        forget(&mut self.tries, &unit, &in_scope, &is_found);
        forget(&mut self.told, &unit, &in_scope, &is_found);
        forget(&mut self.odd_seen, &unit, &in_scope, &|path| odd.contains(path));
        self.due.remove(&unit);
        let unfinished: HashSet<RelPath> = surveyed
            .odd
            .iter()
            .filter_map(|odd| Some(odd.path.sibling(downloads_as(&odd.path.file_text())?)))
            .collect();
        let late = surveyed.odd.iter().filter(|odd| !self.is_moving(&odd.path) && self.is_late(odd));
        for path in late.map(|odd| odd.path.clone()).collect::<Vec<_>>() {
            self.judge_late(&unit, &path, &unfinished, &moment);
        }
        let first_frames = surveyed.first_frames;
        let mut candidates = surveyed.candidates.into_iter();
        while let Some(candidate) = candidates.next() {
            if self.ready.len() >= READY_MAX {
                self.behind.insert(unit, candidates.len() + 1);
                break;
            }
            self.tell_taken_along(&candidate);
            let beside = Beside {
                sign: surveyed.signs.get(&candidate.primary.path),
                is_first_frame: first_frames.contains(&candidate.primary.path),
                unfinished: &unfinished,
            };
            self.judge(&unit, stage, candidate, &beside, &moment);
        }
        self.fresh.clear();
    }

    fn judge(&mut self, unit: &RelPath, stage: Stage, candidate: Candidate, beside: &Beside<'_>, moment: &Moment) {
        let path = candidate.primary.path.clone();
        let state = state_of(&candidate);
        if let Some(seen) = self.in_hand.get(&path) {
            if *seen != state {
                self.changed.insert(path);
            }
            return;
        }
        // What was taken for an asset of its own belongs to this one.
        let others = candidate.sidecar.iter().chain(&candidate.companions).chain(&candidate.members);
        let taken: Vec<RelPath> =
            others.map(|found| &found.path).filter(|path| self.in_hand.contains_key(*path)).cloned().collect();
        for file in candidate.files().skip(1) {
            // It was found alone before.
            self.held.remove(&file.path);
        }
        if !taken.is_empty() {
            self.changed.extend(taken);
            self.look_again(unit, Some(moment.steady + WALK_PAUSE_FED));
            return;
        }
        if self.is_moving(&path) {
            self.dirty.insert(unit.clone());
            return;
        }
        if let Some(held) = self.held.get(&path)
            && held.state == state
            && held.until.is_none_or(|until| until > moment.steady)
        {
            self.look_again(unit, held.until);
            return;
        }
        if self.held.get(&path).is_some_and(|held| held.state != state) {
            self.tries.remove(&path);
        }
        // Nothing changed but the time: what was seen inside is still true. Who has an original is looked at
        // anew, since that lies elsewhere.
        if let Some(Held { state: seen, facts: Some(facts), .. }) = self.held.remove(&path)
            && seen == state
            && !facts.has_original
        {
            self.in_hand.insert(path, state);
            self.decide(*facts, moment);
            return;
        }
        let seen = candidate.primary.entry.identity;
        if !candidate.missing.is_empty() && !self.mill.is_released(&path, stage, seen) {
            let why = self.reason(&candidate.missing.join("; "));
            self.hold(&path, Held { why, state, until: None, facts: None, is_trial: false });
            return;
        }
        if let Some((hold, opens_by_time)) = self.mill.shut(&path, stage, seen, moment) {
            let why = self.reason(&hold.to_string());
            let until = opens_by_time.then(|| moment.steady + self.hold_pause());
            self.hold(&path, Held { why, state, until, facts: None, is_trial: false });
            return;
        }
        if stage == Stage::Ideas && self.is_being_written(unit, &candidate, beside.sign, moment) {
            return;
        }
        self.let_settle(unit, stage, candidate, beside, moment);
    }

    /// Takes a candidate that stands still, and looks again at one that does not.
    fn let_settle(&mut self, unit: &RelPath, stage: Stage, candidate: Candidate, beside: &Beside<'_>, moment: &Moment) {
        let (path, state) = (candidate.primary.path.clone(), state_of(&candidate));
        let unfinished = |path: &RelPath| beside.unfinished.contains(path);
        let has_twin = unfinished(&path) || unfinished(&path.sibling(path.stem()));
        match self.settle.judge(candidate, has_twin, moment.for_settle()) {
            Verdict::Still(still) => {
                if self.waits_for_rest(still.candidate(), beside.is_first_frame, state, moment) {
                    return;
                }
                self.in_hand.insert(path, state);
                self.ready.push_back((stage, *still));
            }
            Verdict::Wait { again, why, is_by_time } => {
                report::waiting(&path, &why);
                if is_by_time {
                    self.quiet_until = self.quiet_until.max(again);
                }
                self.look_again(unit, Some(again));
            }
        }
    }

    /// Lets a note wait that somebody may still be writing.
    fn is_being_written(&mut self, unit: &RelPath, note: &Candidate, sign: Option<&Sign>, moment: &Moment) -> bool {
        let path = &note.primary.path;
        let Some(wait) = self.notes.judge(&note.primary, sign, moment.for_settle()) else { return false };
        if wait.is_fresh {
            report::waiting(path, &wait.why);
        } else if self.told.get(path).is_none_or(|told| **told != *wait.why) {
            report::held(path, &wait.why);
            let why = self.reason(&wait.why);
            self.told.insert(path.clone(), why);
        }
        self.look_again(unit, Some(wait.again));
        true
    }

    /// Holds an asset of which more may be on its way; returns whether it did.
    fn waits_for_rest(&mut self, candidate: &Candidate, is_first_frame: bool, state: State, moment: &Moment) -> bool {
        let now = moment.for_settle();
        let watched = self.settle.watched(candidate, now);
        let Some((until, why)) = rest_awaited(candidate, is_first_frame, watched, now) else { return false };
        let why = self.reason(&why);
        let held = Held { why, state, until: Some(until), facts: None, is_trial: false };
        self.hold(&candidate.primary.path, held);
        true
    }

    /// Tells what goes along with a video by its name: it may have been meant as an asset of its own.
    fn tell_taken_along(&mut self, candidate: &Candidate) {
        for path in taken_along(candidate) {
            let why = format!("`{}`", candidate.primary.path);
            if self.told.get(path).map(|told| &**told) != Some(&why) {
                report::taken_along(path, &candidate.primary.path);
                self.told.insert(path.clone(), why.into());
            }
        }
    }

    /// Returns whether a walk may have seen a file in the middle of its step.
    fn is_moving(&self, path: &RelPath) -> bool {
        self.fresh.contains(path) || self.mill.is_reserved(path) || self.mill.is_leaving(path)
    }

    pub(super) fn look_again(&mut self, unit: &RelPath, at: Option<Duration>) {
        let Some(at) = at else { return };
        let due = self.due.entry(unit.clone()).or_insert(at);
        *due = (*due).min(at);
    }

    pub(super) fn look_again_at(&mut self, path: &RelPath, at: Option<Duration>) {
        let Some(unit) = unit_of(path) else { return };
        let is_known = self.mill.units.contains(&unit);
        let unit = if is_known { unit } else { unit.parent().unwrap_or(unit) };
        self.look_again(&unit, at);
    }

    /// Returns a reason in the words that others wait for it by.
    pub(super) fn reason(&mut self, why: &str) -> Arc<str> {
        if let Some(known) = self.reasons.get(why) {
            return known.clone();
        }
        if self.reasons.len() >= REASONS_MAX {
            self.reasons.retain(|reason| Arc::strong_count(reason) > 1);
        }
        let why: Arc<str> = why.into();
        self.reasons.insert(why.clone());
        why
    }

    pub(super) fn hold(&mut self, path: &RelPath, held: Held) {
        // A pause is told once, and not for each file that it keeps waiting.
        let is_pause =
            stage_of(path).and_then(|stage| self.mill.pauses.why_stage(stage)).as_deref() == Some(&*held.why);
        if !is_pause && self.told.get(path) != Some(&held.why) {
            report::held(path, &held.why);
            self.told.insert(path.clone(), held.why.clone());
        }
        self.look_again_at(path, held.until);
        self.held.insert(path.clone(), held);
    }

    /// Lets go of an asset that was in hand.
    pub(super) fn let_out(&mut self, path: &RelPath) -> Option<State> {
        self.changed.remove(path);
        self.in_hand.remove(path)
    }

    /// Returns how long what may change unseen is waited for.
    pub(super) fn hold_pause(&self) -> Duration {
        self.mill.settings.settle.rescan.min(HOLD_PAUSE)
    }

    pub(super) fn put_back(&mut self, path: &RelPath, why: &str, until: Option<Duration>, facts: Option<Facts>) {
        let is_changed = self.changed.contains(path);
        if let Some(state) = self.let_out(path) {
            let why = self.reason(why);
            // What a disk refuses is not asked for without a pause, even if it changes all the time.
            let now = self.clock.steady();
            let soon = until.map_or(now, |until| until.min(now + CHANGED_PAUSE));
            let until = if is_changed { Some(soon) } else { until };
            let facts = facts.filter(|_| self.held.len() < FACTS_MAX).map(Box::new);
            self.hold(path, Held { why, state, until, facts, is_trial: false });
        }
    }
}

/// Forgets what lies in a unit and is not there any more.
fn forget<T>(
    map: &mut BTreeMap<RelPath, T>,
    unit: &RelPath,
    in_scope: &dyn Fn(&RelPath) -> bool,
    is_found: &dyn Fn(&RelPath) -> bool,
) {
    let below = map.range(unit.inside()).map(|(path, _)| path);
    let gone: Vec<RelPath> = below.filter(|path| in_scope(path) && !is_found(path)).cloned().collect();
    gone.iter().for_each(|path| drop(map.remove(path)));
}
