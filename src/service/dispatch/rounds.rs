//! What is looked at from time to time, whatever the events say: areas, folders, stages without events.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::time::Duration;

use super::work::work;
use super::{Dispatcher, Message};
use crate::intake::walk;
use crate::model::{RelPath, Stage};
use crate::plan::gate;
use crate::records::{SIDECAR_SUFFIX, Sidecar};
use crate::report;
use crate::service::pauses::{Cause, Resumed, lacks_room};
use crate::service::survey::unit_of;
use crate::vault::own_names::PROBE;
use crate::vault::{Aside, Detached, Look, Recovered, Space, TrashLimits, Vault};

/// In every so many rounds all folders are walked, even those that look as they did.
const WALK_ALL_EVERY: u32 = 30;
/// How long the event of a probe file may take.
const PROBE_PATIENCE: Duration = Duration::from_secs(2);
/// How often a stage without events is looked at: often after a change, and less and less while nothing comes.
const POLL_MIN: Duration = Duration::from_secs(2);
const POLL_MAX: Duration = Duration::from_secs(30);
/// Of so many folders it is looked at a time whether they changed.
const GLANCES_MAX: usize = 512;
/// The largest sidecar that is read back.
const SIDECAR_BYTES_MAX: u64 = 1 << 20;

/// How one area was found.
#[derive(Debug)]
pub(in crate::service) struct Checked {
    pub(in crate::service) area: RelPath,
    pub(in crate::service) attached: Result<(), Detached>,
    space: Option<Space>,
    /// The mount that it lies on.
    mount: Option<u64>,
    is_remote: bool,
    /// The sidecars of an area that was away: what they say is to be remembered.
    sidecars: Vec<(RelPath, Sidecar)>,
}

/// Whether events come from each stage.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    polls: BTreeMap<RelPath, Poll>,
    /// Stages whose probe was not heard of yet, and until when it may be.
    probed: Vec<RelPath>,
    probe_until: Option<Duration>,
    /// Whether some folder could not be watched; told once.
    pub(super) is_partial: bool,
}

/// A stage that is looked at again and again, since no events come from it.
#[derive(Debug, Clone, Copy)]
struct Poll {
    step: Duration,
    at: Duration,
    /// Whether its file system tells no events at all.
    is_remote: bool,
}

/// Looks whether areas are there, and how much room they have; `away` are those that were not.
pub(in crate::service) fn check(vault: &Vault, areas: &[RelPath], away: &[RelPath]) -> Vec<Checked> {
    let disk = vault.disk();
    areas
        .iter()
        .map(|area| {
            let attached = vault.make_area(area);
            let is_back = attached.is_ok() && away.contains(area);
            let system = disk.file_system(area).ok().filter(|_| attached.is_ok());
            if let (Some(system), Ok(Some(found))) = (&system, vault.probe(area)) {
                report::capabilities(area, system, &found);
            }
            Checked {
                area: area.clone(),
                space: disk.space(area).ok(),
                mount: disk.device(area).ok(),
                is_remote: system.is_some_and(|system| system.is_remote),
                sidecars: if is_back { sidecars(disk, area) } else { Vec::new() },
                attached,
            }
        })
        .collect()
}

/// Reads all sidecars below an area.
fn sidecars(disk: &dyn Look, area: &RelPath) -> Vec<(RelPath, Sidecar)> {
    let Ok(walked) = walk(disk, area, &|_| true, &mut |_, _| ()) else { return Vec::new() };
    let found = walked.files.into_iter().filter(|found| found.path.file_text().ends_with(SIDECAR_SUFFIX));
    let read = |path: RelPath| {
        let bytes = disk.read(&path, SIDECAR_BYTES_MAX).ok()?;
        Some((path, Sidecar::parse(&bytes).ok()?))
    };
    found.filter_map(|found| read(found.path)).collect()
}

impl Dispatcher {
    /// Begins what is due: a round, a look at paused areas, a look at stages without events.
    pub(super) fn start_rounds(&mut self, now: Duration) {
        if now >= self.next_rescan {
            self.mill.save_releases();
            self.collect_releases();
            self.tell_wrong_clock();
            self.start_round();
        }
        if !self.checking && (self.wants_check || self.mill.pauses.is_due(now)) {
            self.start_check();
        }
        self.mill.pauses.proven(now).iter().for_each(report::resumed);
        self.listen_for_probes(now);
        let due: Vec<RelPath> =
            self.hearing.polls.iter().filter(|(_, poll)| poll.at <= now).map(|(area, _)| area.clone()).collect();
        for area in due {
            let poll = self.hearing.polls.get_mut(&area).expect("it was listed");
            poll.step = (poll.step * 2).min(POLL_MAX);
            poll.at = now + poll.step;
            self.look_at_stage(&area);
        }
        for (line, times) in self.repeats.over(now) {
            report::said_again(&line, times);
        }
    }

    /// Returns when the next of these is due.
    pub(super) fn next_round(&self) -> Duration {
        let polls = self.hearing.polls.values().map(|poll| poll.at);
        let probe = self.hearing.probe_until.into_iter();
        let pauses =
            self.mill.pauses.next().filter(|_| !self.checking).into_iter().chain(self.mill.pauses.next_proven());
        polls.chain(probe).chain(pauses).fold(self.next_rescan, Duration::min)
    }

    fn start_round(&mut self) {
        self.rounds += 1;
        self.next_rescan = self.clock.steady() + self.mill.settings.settle.rescan;
        self.bundles_dirty.extend(self.mill.bundle_names());
        self.wants_check = true;
        if self.rounds.is_multiple_of(WALK_ALL_EVERY) || self.hearing.is_partial || self.watch.is_none() {
            self.look_at_units();
            self.mill.gone.look_again();
            self.start_probes();
        } else if !self.glances.is_under_way {
            self.start_glance(None);
        }
        // What was taken aside may have to come back.
        if !self.needs_recovery && self.mill.blocked.is_empty() {
            self.start_purge();
        }
    }

    /// Tells, once, of times that only a wrong clock can have written, and of a clock that is not believed.
    pub(in crate::service) fn tell_wrong_clock(&mut self) {
        let moment = self.clock.now();
        for stage in Stage::ALL {
            let ahead = gate::ahead(self.mill.ledger.left_at(stage), moment.timestamp());
            if let Some(last) = ahead.last().filter(|_| self.mill.memory.is_news_of(stage)) {
                report::times_ahead(stage, ahead.len(), *last);
            }
        }
        if let Some(believed) = self.mill.memory.is_news_of_jump(&moment) {
            report::clock_not_believed(believed);
        }
    }

    /// Looks which folders have changed since they were walked, some at a time; only those are walked
    /// again.
    fn start_glance(&mut self, after: Option<&RelPath>) {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let some: Vec<(RelPath, i64)> = self
            .glances
            .times
            .range::<RelPath, _>((from, Bound::Unbounded))
            .take(GLANCES_MAX)
            .map(|(folder, stamp)| (folder.clone(), *stamp))
            .collect();
        let Some((last, _)) = some.last().cloned() else {
            self.glances.is_under_way = false;
            return;
        };
        self.glances.is_under_way = true;
        let (vault, tell) = (self.mill.vault.clone(), self.tell.clone());
        self.walker.work(move || {
            let _at_work = vault.disk().at_work();
            let is_same = |folder: &RelPath, stamp: i64| matches!(vault.disk().stat(folder), Ok(Some(entry)) if entry.identity.modified_ns == stamp);
            let changed = some.into_iter().filter(|(folder, stamp)| !is_same(folder, *stamp));
            let _ = tell.send(Message::Glanced(changed.map(|(folder, _)| folder).collect(), last));
        });
    }

    /// Takes which folders have changed of those up to `last`.
    pub(super) fn take_glance(&mut self, changed: &[RelPath], last: &RelPath) {
        self.dirty.extend(changed.iter().filter_map(unit_of));
        self.start_glance(Some(last));
    }

    fn start_purge(&mut self) {
        let settings = &self.mill.settings.work;
        let limits = TrashLimits {
            age_ns_max: i64::from(settings.undo_days) * 86_400_000_000_000,
            bytes_max: settings.undo_mib_max << 20,
        };
        let now_ns = self.mill.memory.believed(&self.clock.now()).as_nanosecond();
        let now_ns = i64::try_from(now_ns).unwrap_or(i64::MAX);
        let (vault, areas, journal) = (self.mill.vault.clone(), self.attached(), self.journal.clone());
        let unsure: HashSet<RelPath> = self.second_looks.all().cloned().collect();
        work(move || {
            // A batch in hand may have to bring back what it took aside: nothing goes meanwhile.
            let _held = journal.lock().expect("no journal holder panics");
            // What cannot be removed now is tried again in the next round.
            vault.purge_trash(&areas, now_ns, limits, &|kept| unsure.contains(kept));
        });
    }

    /// Returns the areas that are attached.
    pub(super) fn attached(&self) -> Vec<RelPath> {
        self.areas.iter().filter(|area| !self.detached.contains(*area)).cloned().collect()
    }

    fn start_check(&mut self) {
        self.checking = true;
        self.wants_check = false;
        let (vault, tell, areas) = (self.mill.vault.clone(), self.tell.clone(), self.areas.clone());
        let away: Vec<RelPath> = self.detached.iter().cloned().collect();
        work(move || {
            let _ = tell.send(Message::Checked(check(&vault, &areas, &away)));
        });
    }

    /// Pauses what is not there or full, and goes on with what is back.
    pub(in crate::service) fn take_checked(&mut self, checked: Vec<Checked>) {
        self.checking = false;
        let now = self.clock.steady();
        let free_min = self.mill.settings.work.free_mib_min << 20;
        let mut is_back = false;
        for found in checked {
            if let Err(detached) = &found.attached {
                self.detached.insert(found.area.clone());
                self.pause(&found.area, &detached.to_string(), 0, Cause::Seen);
                continue;
            }
            let need = self.mill.pauses.need(&found.area);
            if let Some(why) = found.space.and_then(|space| lacks_room(space, need, free_min)) {
                self.pause(&found.area, &why, need, Cause::Seen);
            } else if let Some(how) = self.mill.pauses.resume(&found.area, now) {
                if how == Resumed::Over {
                    report::resumed(&found.area);
                }
                is_back = true;
            }
            let mount = found.mount.and_then(|mount| self.mounts.insert(found.area.clone(), mount).zip(Some(mount)));
            let is_mounted_anew = mount.is_some_and(|(before, now)| before != now);
            if self.detached.remove(&found.area) {
                self.take_returned(&found.area, &found.sidecars);
            } else if is_mounted_anew {
                // It was away and back between two looks, and its watches with it.
                report::mounted_anew(&found.area);
                self.take_returned(&found.area, &[]);
            }
            let is_stage = unit_of(&found.area).is_some();
            if found.is_remote && is_stage {
                self.hearing.polls.entry(found.area).or_insert(Poll {
                    step: POLL_MIN,
                    at: now + POLL_MIN,
                    is_remote: true,
                });
            }
        }
        if is_back {
            self.mill.gone.look_again();
            self.reconsider();
        }
    }

    /// Takes what was found when the root was opened.
    pub(in crate::service) fn take_opened(&mut self, checked: Vec<Checked>, recovered: &Recovered, asides: Vec<Aside>) {
        self.second_looks.add(asides, self.clock.steady());
        self.take_checked(checked);
        self.take_blocked(recovered);
        self.mill.find_units();
    }

    /// Takes up an area that was away: its watches are gone, and what its sidecars say may be news.
    fn take_returned(&mut self, area: &RelPath, sidecars: &[(RelPath, Sidecar)]) {
        if let Some(watch) = &self.watch {
            watch.lock().expect("no watch holder panics").forget(area);
        }
        let vault = self.mill.vault.clone();
        let is_there = |path: &RelPath| !matches!(vault.disk().stat(path), Ok(None));
        for (path, sidecar) in sidecars {
            self.mill.ledger.remember_sidecar(path, sidecar, &is_there);
        }
        self.needs_recovery |= !self.mill.blocked.is_empty();
        self.look_at_stage(area);
    }

    pub(super) fn look_at_stage(&mut self, area: &RelPath) {
        self.dirty.extend(self.mill.units.iter().filter(|unit| unit.is_in(area)).cloned());
    }

    /// Pauses an area, and says so if that is news.
    pub(super) fn pause(&mut self, area: &RelPath, why: &str, need: u64, cause: Cause) {
        if self.mill.pauses.pause(area, why.to_owned(), need, cause, self.clock.steady()) {
            report::paused(area, why);
        }
    }

    /// Puts a file into every stage, and takes it away, to see whether events come.
    pub(in crate::service) fn start_probes(&mut self) {
        if self.watch.is_none() {
            return;
        }
        self.hearing.probed = Stage::ALL
            .map(|stage| RelPath::new(stage.name()).expect("a stage's name is clean"))
            .into_iter()
            .filter(|area| !self.detached.contains(area) && !self.hearing.polls.contains_key(area))
            .collect();
        self.hearing.probe_until = Some(self.clock.steady() + PROBE_PATIENCE);
        let (vault, areas) = (self.mill.vault.clone(), self.hearing.probed.clone());
        work(move || {
            vault.stir(&areas);
        });
    }

    /// Returns whether a hint is nothing but the answer to a probe.
    pub(super) fn is_probe(&mut self, path: &std::path::Path) -> bool {
        if path.file_name().is_none_or(|name| name != PROBE) {
            return false;
        }
        let is_of = |area: &RelPath| path.starts_with(self.layout.real_path(area));
        self.hearing.probed.retain(|area| !is_of(area));
        // It may only have been late.
        self.hearing.polls.retain(|area, poll| poll.is_remote || !is_of(area));
        true
    }

    fn listen_for_probes(&mut self, now: Duration) {
        if self.hearing.probe_until.is_none_or(|until| until > now) {
            return;
        }
        self.hearing.probe_until = None;
        for area in std::mem::take(&mut self.hearing.probed) {
            if !self.detached.contains(&area) {
                report::no_events(&area);
                self.hearing.polls.insert(area, Poll { step: POLL_MIN, at: now, is_remote: false });
            }
        }
    }

    /// Looks more often at a stage without events after something came.
    pub(super) fn poll_soon(&mut self, area: &RelPath, now: Duration) {
        if let Some(poll) = self.hearing.polls.get_mut(area) {
            *poll = Poll { step: POLL_MIN, at: poll.at.min(now + POLL_MIN), ..*poll };
        }
    }
}
