//! What can be started: walks, looks into assets, products, commits; within the limits of the settings.

use std::collections::VecDeque;
use std::time::Duration;

use super::work::work;
use super::{
    BATCH_MAX, CHUNK_BYTES_MAX, CHUNK_MAX, CHUNK_MIN, DISK_PAUSE_MAX, Dispatcher, GATHER, Inspected, Job, Message,
    PROGRESS_EVERY, READY_FED, READY_MAX, Tended, job, survive, tended,
};
use crate::intake::Still;
use crate::make::{inspect, make};
use crate::model::{RelPath, Stage};
use crate::plan::{Hold, Plan};
use crate::report;
use crate::service::clock::Moment;
use crate::service::pauses::{Cause, lacks_room};
use crate::service::survey::survey;
use crate::service::undo;
use crate::vault::{Made, Space};

/// Of so many records it is decided at a time how they are to be written: there may be thousands of themes.
const TEND_MAX: usize = 256;
/// For so long a bundle waits for the assets that are about to join.
const JOIN_MAX: Duration = Duration::from_secs(30);
/// How long an answer on a disk's room is good for.
const ROOM_AGE_MAX: Duration = Duration::from_millis(500);

impl Dispatcher {
    /// Starts whatever can be started now; returns when to wake at the latest.
    pub(in crate::service) fn turn(&mut self) -> Duration {
        let moment = self.clock.now();
        self.take_hints(moment.steady);
        self.decide_in_turn();
        self.needs_recovery |= self.recovery.is_refused && self.recovery.again <= moment.steady;
        self.start_rounds(moment.steady);
        self.start_second_looks(moment.steady);
        self.take_tend_due(moment.steady);
        let due: Vec<RelPath> =
            self.due.iter().filter(|(_, at)| **at <= moment.steady).map(|(unit, _)| unit.clone()).collect();
        for unit in due {
            self.due.remove(&unit);
            self.dirty.insert(unit);
        }
        if self.ready.len() >= READY_MAX / 4 {
            self.dirty.retain(|unit| !self.behind.contains_key(unit));
        } else if !self.walking {
            self.dirty.extend(self.behind.keys().cloned());
        }
        if self.needs_recovery {
            self.start_recovery();
        } else if self.undo.is_under_way || !self.undo.wanted.is_empty() {
            // What comes back is not to be decided on before it is known that a person wanted it back.
            self.start_undo(&moment);
        } else if !self.stopping {
            self.start_walk(&moment);
            self.start_tending(&moment);
            self.start_jobs(&moment);
        }
        if !self.needs_recovery {
            self.start_commit(&moment);
        }
        self.tell_progress(&moment);
        self.wake_in(&moment)
    }

    fn wake_in(&self, moment: &Moment) -> Duration {
        let mut wake = self.next_round();
        let is_undoing = self.undo.is_under_way || !self.undo.wanted.is_empty();
        if !self.dirty.is_empty() && !self.walking && !self.stopping && !self.needs_recovery && !is_undoing {
            let free = self.dirty.iter().map(|unit| self.walk_from(unit)).min();
            wake = wake.min(free.unwrap_or(moment.steady));
        }
        if let Some(due) = self.mill.gone.due()
            && !self.stopping
            && !self.needs_recovery
            && !is_undoing
        {
            wake = wake.min(due.max(self.tend_again.0));
        }
        if !self.tags_dirty.is_empty() || !self.bundles_dirty.is_empty() {
            wake = wake.min(self.tend_again.0.max(moment.steady + Duration::from_millis(100)));
        }
        if let Some(due) = self.due.values().min() {
            wake = wake.min(*due);
        }
        let tend = self.tend_due.values().map(|(due, _)| *due).min();
        for due in tend.into_iter().chain(self.second_looks.next()) {
            wake = wake.min(due);
        }
        if let Some(due) = self.hints_due {
            wake = wake.min(due);
        }
        if self.needs_recovery || self.recovery.is_refused {
            wake = wake.min(self.recovery.again.max(moment.steady + Duration::from_millis(10)));
        }
        if let Some(until) = self.turns.until() {
            wake = wake.min(until);
        }
        if !self.to_commit.is_empty() && !self.committing && !self.needs_recovery {
            wake = wake.min(self.to_commit_since + GATHER);
        }
        wake.saturating_sub(moment.steady).clamp(Duration::from_millis(1), Duration::from_secs(5))
    }

    /// Returns from when on a unit may be walked.
    fn walk_from(&self, unit: &RelPath) -> Duration {
        let is_fed = self.ready.len() >= READY_FED;
        self.walk_again.get(unit).map_or(Duration::ZERO, |again| if is_fed { again.fed } else { again.hungry })
    }

    fn start_walk(&mut self, moment: &Moment) {
        if self.walking {
            return;
        }
        if !self.detached.is_empty() {
            let detached = &self.detached;
            self.dirty.retain(|unit| !detached.contains(&unit.area_path()));
        }
        self.walk_again.retain(|_, again| again.fed > moment.steady);
        let Some(unit) = self.dirty.iter().find(|unit| self.walk_from(unit) <= moment.steady).cloned() else {
            if self.dirty.is_empty() && !std::mem::replace(&mut self.first_walk_done, true) {
                // Every folder is watched by now.
                self.start_probes();
            }
            return;
        };
        self.dirty.remove(&unit);
        self.walking = true;
        let (vault, watch, tell) = (self.mill.vault.clone(), self.watch.clone(), self.tell.clone());
        let (settings, clock) = (self.mill.settings.clone(), self.clock);
        let seen = self.mill.insides.clone();
        self.walker.work(move || {
            let _at_work = vault.disk().at_work();
            let begun = clock.steady();
            let now = clock.now().for_settle();
            let result = survey(vault.disk(), watch.as_ref(), &unit, &settings.settle.ignore, &seen, now).map(Box::new);
            let took = clock.steady().saturating_sub(begun);
            let _ = tell.send(Message::Surveyed(unit, took, result));
        });
    }

    /// Takes back what a person wants, once nothing else is in hand.
    fn start_undo(&mut self, moment: &Moment) {
        if self.busy > 0 || self.walking || self.committing || !self.to_commit.is_empty() {
            return;
        }
        let Some((place, request)) = self.undo.wanted.pop_front() else { return };
        self.committing = true;
        self.undo.is_under_way = true;
        self.mill.save_releases();
        let (vault, journal, tell) = (self.mill.vault.clone(), self.journal.clone(), self.tell.clone());
        let ignore = self.mill.settings.settle.ignore.clone();
        let (rules, now) = (undo::UndoRules { limits: self.mill.limits(), ignore }, moment.timestamp());
        work(move || {
            let mut journal = journal.lock().expect("no journal holder panics");
            let undone = undo::undo(&vault, &mut journal, &request, &rules, now);
            let answer = &undone.answer;
            report::undo_answered(answer.undone.len(), answer.refused.as_deref());
            // Whoever asked may have gone; what was done stands in the journal and the log.
            let _ = undo::answer(&vault.mailbox(), &place, answer);
            let _ = tell.send(Message::Undone(undone));
        });
    }

    fn start_tending(&mut self, moment: &Moment) {
        if moment.steady < self.tend_again.0 {
            return;
        }
        let mut plans: Vec<Plan> = Vec::new();
        if self.mill.gone.due().is_some_and(|due| due <= moment.steady) {
            let forgotten = self.mill.forget_gone();
            self.mill.gone.looked(moment.steady, self.clock.steady());
            self.tags_dirty.extend(forgotten.restore);
            plans = forgotten.plans;
        }
        while self.to_make.len() + plans.len() < TEND_MAX
            && let Some(folder) = self.tags_dirty.pop_first()
        {
            let mut broken = Vec::new();
            match self.mill.tend_tags(&folder, &mut broken, moment) {
                Ok(plan) => {
                    plans.extend(plan);
                    self.tell_broken_tags(&folder, broken);
                }
                Err(hold) => self.tend_later(Tended::Tags(folder), &hold, moment),
            }
        }
        if std::mem::take(&mut self.all_bundles_dirty) {
            self.bundles_dirty.extend(self.mill.bundle_names());
        }
        // A manifest is written when the assets that are about to join have joined; if they never end, now and then.
        if self.bundles_dirty.is_empty() {
            self.bundles_since = moment.steady;
        }
        let is_time = self.is_quiet() || moment.steady >= self.bundles_since + JOIN_MAX;
        if !self.bundles_dirty.is_empty() && is_time && self.mill.pauses.why_stage(Stage::Upload).is_none() {
            for name in std::mem::take(&mut self.bundles_dirty) {
                match self.mill.tend_bundle(&name, moment) {
                    Ok(more) => {
                        self.unseen.remove(&name.folder());
                        plans.extend(more);
                    }
                    Err(hold @ Hold::Settling { .. }) => self.tend_later(Tended::Bundle(name), &hold, moment),
                    Err(hold) => {
                        let why = hold.to_string();
                        if self.repeats.is_news(&why, moment.steady) {
                            report::held(&name.folder(), &why);
                        }
                        self.unseen.insert(name.folder());
                    }
                }
            }
        }
        for plan in plans {
            // A record that is being written is looked at again when that is done.
            if tended(&plan).any(|path| self.tending.contains(path)) {
                continue;
            }
            self.tending.extend(tended(&plan).cloned());
            self.to_make.push_back(job(plan, None, moment));
        }
    }

    /// Looks at records again after a pause: somebody may be in the middle of saving them.
    fn tend_later(&mut self, tended: Tended, hold: &Hold, moment: &Moment) {
        let (pause, is_by_time) = match hold {
            Hold::Settling { pause, is_by_time, .. } => (*pause, *is_by_time),
            _ => (DISK_PAUSE_MAX, false),
        };
        let path = match &tended {
            Tended::Tags(folder) => folder.clone(),
            Tended::Bundle(name) => name.folder(),
        };
        report::waiting(&path, &hold.to_string());
        self.tend_due.insert(tended, (moment.steady + pause, is_by_time));
    }

    /// Takes what is to be tended again now.
    fn take_tend_due(&mut self, now: Duration) {
        let due = self.tend_due.iter().filter(|(_, (due, _))| *due <= now);
        let due: Vec<Tended> = due.map(|(tended, _)| tended.clone()).collect();
        for tended in due {
            self.tend_due.remove(&tended);
            match tended {
                Tended::Tags(folder) => drop(self.tags_dirty.insert(folder)),
                Tended::Bundle(name) => drop(self.bundles_dirty.insert(name)),
            }
        }
    }

    /// Says of each tag file once why it is not carried to the other stages.
    fn tell_broken_tags(&mut self, folder: &RelPath, broken: Vec<(RelPath, String)>) {
        let is_of = |path: &RelPath| path.parent().is_some_and(|parent| parts_below(&parent).eq(parts_below(folder)));
        self.broken_tags.retain(|path, _| !is_of(path) || broken.iter().any(|(other, _)| other == path));
        for (path, why) in broken {
            if self.broken_tags.insert(path.clone(), why.clone()).as_ref() != Some(&why) {
                report::left_alone(&path, &why);
            }
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.ready.is_empty()
            && self.to_make.is_empty()
            && self.to_commit.is_empty()
            && self.busy == 0
            && !self.committing
    }

    fn start_jobs(&mut self, moment: &Moment) {
        let slots = match self.mill.settings.work.jobs {
            0 => self.cores,
            jobs => jobs,
        };
        let budget = self.mill.settings.work.memory_mib << 20;
        // What is made waits for the disk: no more of it than the next batches take.
        while self.busy < slots && self.to_commit.len() < BATCH_MAX * 2 {
            if let Some(next) = self.to_make.front() {
                if self.weight > 0 && self.weight + next.weight > budget {
                    return;
                }
                let share = self.to_make.len().div_ceil(slots);
                let chunk = chunk(&mut self.to_make, share, |job| {
                    (job.facts.as_ref().map_or(0, |f| f.seen.size), job.weight > 0)
                });
                let chunk: Vec<Job> = chunk.into_iter().filter(|job| self.has_room(job, moment)).collect();
                if !chunk.is_empty() {
                    self.start_make(chunk, moment);
                }
            } else if !self.ready.is_empty() && self.turns.has_room() {
                let share = self.ready.len().div_ceil(slots);
                let chunk = chunk(&mut self.ready, share, |(_, still)| (costs_to_read(still), false));
                self.start_inspect(chunk, moment);
            } else {
                return;
            }
        }
    }

    fn start_inspect(&mut self, some: Vec<(Stage, Still)>, moment: &Moment) {
        let mut chunk = Vec::with_capacity(some.len());
        for (stage, still) in some {
            let path = &still.candidate().primary.path;
            match self.mill.claims(path, stage, moment) {
                Ok(is_claimed) => chunk.push((stage, is_claimed, still)),
                Err(hold) => {
                    let (pause, is_trial) = match &hold {
                        Hold::Settling { pause, is_by_time, .. } => (*pause, *is_by_time),
                        _ => (self.hold_pause(), false),
                    };
                    let path = path.clone();
                    self.put_back(&path, &hold.to_string(), Some(moment.steady + pause), None);
                    self.held.entry(path).and_modify(|held| held.is_trial = is_trial);
                }
            }
        }
        if chunk.is_empty() {
            return;
        }
        self.busy += 1;
        // A large file takes long to read; the others are not to wait for it.
        let is_long = chunk.iter().any(|(_, _, still)| costs_to_read(still) > CHUNK_BYTES_MAX);
        let first = (!is_long).then(|| self.turns.begin(chunk.len()));
        let (vault, limits, tell) = (self.mill.vault.clone(), self.mill.limits(), self.tell.clone());
        work(move || {
            let disk = vault.disk();
            let _at_work = disk.at_work();
            let has_writer = |path: &RelPath| disk.has_writer(path).unwrap_or(None);
            let look = |(stage, is_claimed, still): (Stage, bool, Still)| match still.settled(&has_writer) {
                Err(unsettled) => Inspected::Unsettled(unsettled),
                Ok(settled) => {
                    let result = survive(|| inspect(disk, stage, &settled, is_claimed, &limits));
                    Inspected::Settled(Box::new(settled), Box::new(result))
                }
            };
            let inspected = chunk.into_iter().map(look).collect();
            let _ = tell.send(Message::Inspected(first, inspected));
        });
    }

    /// Promises the disks' room to a job, and returns whether there is enough for it beside all that is in
    /// hand. If not, its area is paused and the asset waits where it is.
    fn has_room(&mut self, job: &Job, moment: &Moment) -> bool {
        let free_min = self.mill.settings.work.free_mib_min << 20;
        for (area, need) in &job.need {
            *self.room.promised.entry(area.clone()).or_default() += need;
        }
        for (area, need) in &job.need {
            let Some(space) = self.room(area, moment) else { continue };
            let others = self.room.promised.get(area).copied().unwrap_or_default().saturating_sub(*need);
            let left = Space { free: space.free.saturating_sub(others), ..space };
            if let Some(why) = lacks_room(left, *need, free_min) {
                self.pause(area, &why, *need, Cause::Seen);
                self.let_go(job);
                if let Some(facts) = job.facts.clone() {
                    let path = facts.path.clone();
                    let why = self.mill.pauses.why_stage(facts.stage).unwrap_or_default();
                    self.put_back(&path, &why, Some(moment.steady + DISK_PAUSE_MAX), Some(facts));
                }
                return false;
            }
        }
        true
    }

    /// Returns how much room an area's disk had a moment ago.
    fn room(&mut self, area: &RelPath, moment: &Moment) -> Option<Space> {
        if let Some((at, space)) = self.room.known.get(area)
            && moment.steady < *at + ROOM_AGE_MAX
        {
            return Some(*space);
        }
        let space = self.mill.disk().space(area).ok()?;
        self.room.known.insert(area.clone(), (moment.steady, space));
        Some(space)
    }

    fn start_make(&mut self, mut chunk: Vec<Job>, moment: &Moment) {
        self.busy += 1;
        for job in &mut chunk {
            self.weight += job.weight;
            job.begun = moment.steady;
        }
        let (vault, limits, tell) = (self.mill.vault.clone(), self.mill.limits(), self.tell.clone());
        work(move || {
            let _at_work = vault.disk().at_work();
            let make = |job: Job| {
                let made = survive(|| make(&vault, &job.plan, &limits));
                (job, made)
            };
            let _ = tell.send(Message::Made(chunk.into_iter().map(make).collect()));
        });
    }

    fn start_commit(&mut self, moment: &Moment) {
        self.drop_changed();
        if self.committing || self.to_commit.is_empty() {
            return;
        }
        // Each batch costs some flushes, however large it is: what is about to be ready may come along.
        let has_more = self.busy > 0 || !self.to_make.is_empty() || !self.ready.is_empty();
        if has_more && self.to_commit.len() < BATCH_MAX && moment.steady < self.to_commit_since + GATHER {
            return;
        }
        self.committing = true;
        self.to_commit_since = moment.steady;
        let rest = self.to_commit.split_off(self.to_commit.len().min(BATCH_MAX));
        let (jobs, batch): (Vec<Job>, Vec<Made>) = std::mem::replace(&mut self.to_commit, rest).into_iter().unzip();
        let (vault, journal, tell, now) =
            (self.mill.vault.clone(), self.journal.clone(), self.tell.clone(), moment.timestamp());
        work(move || {
            let _at_work = vault.disk().at_work();
            let mut journal = journal.lock().expect("no journal holder panics");
            let results = vault.commit(&mut journal, batch, now);
            if journal.was_renewed() {
                report::journal_renewed();
            }
            drop(journal);
            let _ = tell.send(Message::Committed(jobs, results));
        });
    }

    /// Finishes or takes back what a disk error left open, once nothing else is in hand.
    fn start_recovery(&mut self) {
        if self.busy > 0 || self.committing || self.clock.steady() < self.recovery.again {
            return;
        }
        for (job, made) in std::mem::take(&mut self.to_commit) {
            drop(made);
            self.let_go(&job);
            if let Some(facts) = job.facts {
                self.let_out(&facts.path);
            }
        }
        self.committing = true;
        let (vault, journal, areas, tell) =
            (self.mill.vault.clone(), self.journal.clone(), self.attached(), self.tell.clone());
        work(move || {
            let mut journal = journal.lock().expect("no journal holder panics");
            let result = vault.open_journal().and_then(|(fresh, records)| {
                *journal = fresh;
                vault.recover(&mut journal, &records, &areas)
            });
            let _ = tell.send(Message::Recovered(result));
        });
    }

    fn tell_progress(&mut self, moment: &Moment) {
        if moment.steady < self.next_progress {
            return;
        }
        self.next_progress = moment.steady + PROGRESS_EVERY;
        let left = self.in_work() + self.behind.values().sum::<usize>();
        if left > 0 {
            report::progress(self.done, left, moment.steady);
        }
    }
}

/// Returns the parts of a path below its stage: the same in all stages for one theme.
fn parts_below(path: &RelPath) -> impl Iterator<Item = &std::ffi::OsStr> {
    path.parts().skip(1)
}

fn costs_to_read(still: &Still) -> u64 {
    still.candidate().primary.entry.identity.size
}

/// Takes what one worker does at once from the front of a queue: its share, within limits. `costs` says of
/// each how many bytes are read for it, and whether it is a worker's whole task.
fn chunk<T>(queue: &mut VecDeque<T>, share: usize, costs: impl Fn(&T) -> (u64, bool)) -> Vec<T> {
    let (mut chunk, mut bytes) = (Vec::new(), 0_u64);
    while let Some(next) = queue.front() {
        let (size, is_whole) = costs(next);
        bytes = bytes.saturating_add(size);
        let is_full = chunk.len() >= share.clamp(CHUNK_MIN, CHUNK_MAX) || bytes > CHUNK_BYTES_MAX || is_whole;
        if is_full && !chunk.is_empty() {
            break;
        }
        chunk.extend(queue.pop_front());
        if is_whole {
            break;
        }
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_takes_its_share_and_no_more_than_it_can_read() {
        const MIB: u64 = 1 << 20;
        type Case = (&'static [(u64, bool)], usize, usize);
        let cases: [Case; 7] = [
            (&[], 9, 0),
            (&[(1, false); 100], 50, CHUNK_MAX),
            (&[(1, false); 100], 10, 10),
            (&[(1, false); 100], 1, CHUNK_MIN),
            (&[(5 * MIB, false), (2 * MIB, false), (2 * MIB, false)], 9, 2),
            (&[(900 * MIB, false), (1, false)], 9, 1),
            (&[(1, true), (1, false)], 9, 1),
        ];
        for (costs, share, expected) in cases {
            let mut queue: VecDeque<_> = costs.iter().copied().collect();
            assert_eq!(chunk(&mut queue, share, |cost| *cost).len(), expected, "{share} of {costs:?}");
            assert_eq!(queue.len(), costs.len() - expected);
        }
        let mut queue = VecDeque::from([(1, false), (1, true)]);
        assert_eq!(chunk(&mut queue, 9, |cost| *cost), [(1, false)]);
    }
}
