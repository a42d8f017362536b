//! What workers found and did: each answer is taken here, and leads to what is started next.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use super::{
    DISK_PAUSE_MAX, Dispatcher, FACTS_MAX, HOLD_PAUSE_UNSEEN, Inspected, Job, RECOVER_PAUSE, TEND_PAUSE, Tries,
    WALK_PAUSE, WALK_PAUSE_FED, WalkAgain, job, tended,
};
use crate::intake::{Candidate, NearMiss, Settled, is_model_folder};
use crate::make::MakeError;
use crate::model::{ContentHash, RelPath, Stage, ThemeSlug};
use crate::plan::{BundleName, Companion, Facts, Hold, Plan, emptied_folders};
use crate::records::Intent;
use crate::report;
use crate::service::clock::Moment;
use crate::service::path_in;
use crate::service::pauses::Cause;
use crate::service::survey::{SurveyError, Surveyed, stage_of, theme_of_unit, unit_of, units_near};
use crate::service::theme_files::remove_emptied_folders;
use crate::service::undo::Undone;
use crate::vault::{Aside, CommitError, DiskResult, Made, Receipt, Recovered};

impl Dispatcher {
    pub(super) fn take_hint(&mut self, path: &std::path::Path) {
        if path.starts_with(self.layout.folder(".stockmill".as_ref())) {
            self.collect_releases();
            return;
        }
        if self.is_probe(path) {
            return;
        }
        for unit in units_near(&self.layout, path) {
            if self.mill.units.contains(&unit) {
                self.dirty.insert(unit);
            }
        }
    }

    /// A folder that went takes its watch along; one that comes under its name needs a new one.
    pub(super) fn take_gone(&mut self, path: &std::path::Path) {
        if let (Some(watch), Some(folder)) = (&self.watch, path_in(&self.layout, path)) {
            let mut watch = watch.lock().expect("no watch holder panics");
            if watch.holds(&folder) {
                watch.forget(&folder);
                self.wants_check |= folder.parent().is_none();
            }
        }
        self.take_hint(path);
    }

    pub(super) fn take_survey(&mut self, unit: &RelPath, took: Duration, result: Result<Box<Surveyed>, SurveyError>) {
        self.walking = false;
        self.behind.remove(unit);
        // A folder that takes long to walk must not be walked without a pause.
        let now = self.clock.steady();
        let again = WalkAgain { hungry: now + WALK_PAUSE.max(took * 3), fed: now + WALK_PAUSE_FED.max(took * 20) };
        self.walk_again.insert(unit.clone(), again);
        let surveyed = match result {
            Ok(surveyed) => *surveyed,
            Err(SurveyError::Detached(detached)) => {
                self.detached.insert(unit.area_path());
                self.pause(&unit.area_path(), &detached.to_string(), 0, Cause::Seen);
                return;
            }
            Err(SurveyError::Disk(error)) if error.kind() == ErrorKind::NotFound => {
                self.mill.units.forget(unit);
                self.take_near_misses(unit, &[]);
                self.forget_glance(unit);
                if let Some(theme) = theme_of_unit(unit) {
                    self.mill.gone.suspect(theme);
                }
                // It may be its whole stage that went.
                self.wants_check = true;
                return;
            }
            Err(SurveyError::Disk(error)) => {
                if self.repeats.is_news(&error.to_string(), self.clock.steady()) {
                    report::not_listed(unit, &error);
                }
                self.wants_check = true;
                self.unseen.insert(unit.clone());
                return self.look_again(unit, Some(self.clock.steady() + UNSEEN_PAUSE));
            }
        };
        self.unseen.remove(unit);
        self.remember_glance(&surveyed, took);
        if let Some(problem) = surveyed.problem.as_ref().filter(|_| !self.hearing.is_partial) {
            report::watch_problem(problem, self.mill.settings.settle.rescan);
            self.hearing.is_partial = true;
        }
        for below in &surveyed.below {
            if self.mill.units.add(below) {
                self.dirty.insert(below.clone());
            }
        }
        self.tags_dirty.extend(surveyed.tag_folders.iter().cloned());
        if self.mill.settings.settle.ignore.folder_above(unit).is_some() {
            self.mill.units.forget(unit);
        }
        self.take_near_misses(unit, &surveyed.near_misses);
        self.take_odd(&surveyed);
        self.take_candidates(surveyed);
    }

    /// Takes the files of a unit by which a person means tags; what does not wait for one any more goes on.
    fn take_near_misses(&mut self, unit: &RelPath, found: &[NearMiss]) {
        for waits in self.mill.take_near_misses(unit, found) {
            let theme = crate::plan::theme_of_path(&waits.join("x")).0;
            theme.iter().for_each(|theme| self.reconsider_theme(theme));
        }
    }

    /// Forgets what a unit's folders looked like. A stage folder does not cover the themes in it.
    fn forget_glance(&mut self, unit: &RelPath) {
        self.glances.times.remove(unit);
        if unit.parent().is_some() || unit.area() == Stage::Ideas.name() {
            let below: Vec<RelPath> =
                self.glances.times.range(unit.inside()).map(|(folder, _)| folder.clone()).collect();
            for folder in below {
                self.glances.times.remove(&folder);
            }
        }
    }

    /// Remembers what a unit's folders look like, so that a later look from outside can tell a change.
    fn remember_glance(&mut self, surveyed: &Surveyed, took: Duration) {
        let took_ns = i64::try_from(took.as_nanos()).unwrap_or(i64::MAX);
        let begun_ns = self.clock.now().for_settle().wall_ns.saturating_sub(took_ns);
        // A folder that changed in this very moment may change again without a new time.
        let is_fresh = |stamp: i64| stamp.saturating_add(GLANCE_GRAIN_NS) > begun_ns;
        self.forget_glance(&surveyed.unit);
        for (folder, stamp) in &surveyed.folders {
            self.glances.times.insert(folder.clone(), if is_fresh(*stamp) { 0 } else { *stamp });
        }
    }

    /// Takes what was looked into. It is decided in the order of the queue, whoever was quicker: names
    /// must not depend on chance.
    pub(super) fn take_inspected(&mut self, first: Option<u64>, inspected: Vec<Inspected>) {
        self.busy -= 1;
        let Some(first) = first else {
            inspected.into_iter().for_each(|inspected| self.take_look(inspected));
            return;
        };
        self.turns.add(first, inspected, self.clock.steady());
        self.decide_in_turn();
    }

    /// Decides on what was looked into.
    pub(super) fn decide_in_turn(&mut self) {
        while let Some(inspected) = self.turns.next(self.clock.steady()) {
            self.take_look(inspected);
        }
    }

    fn take_look(&mut self, inspected: Inspected) {
        let path = inspected.candidate().primary.path.clone();
        if self.changed.contains(&path) {
            self.let_out(&path);
            self.look_again_at(&path, Some(self.clock.steady()));
            return;
        }
        match inspected {
            Inspected::Settled(settled, result) => self.take_facts(&settled, *result),
            Inspected::Unsettled(unsettled) => {
                let (again, why) = self.settle.wait(&unsettled, self.clock.now().for_settle());
                report::waiting(&path, &why);
                if unsettled.is_by_time() {
                    self.quiet_until = self.quiet_until.max(again);
                }
                self.let_out(&path);
                self.look_again_at(&path, Some(again));
            }
        }
    }

    fn take_facts(&mut self, settled: &Settled, result: Result<Facts, MakeError>) {
        let moment = self.clock.now();
        match result {
            Ok(facts) => self.decide(facts, &moment),
            Err(error) => {
                let candidate = settled.candidate();
                self.take_trouble(&candidate.primary.path, bare_facts(candidate), &error, &moment);
            }
        }
    }

    pub(super) fn decide(&mut self, facts: Facts, moment: &Moment) {
        let path = facts.path.clone();
        match self.mill.decide(&facts, moment) {
            Ok(plan) => self.to_make.push_back(job(plan, Some(facts), moment)),
            Err(Hold::Park(why)) => self.set_aside(facts, &why, moment),
            Err(Hold::Refused(why)) => {
                let tries = self.tries.entry(path.clone()).or_insert(Tries { count: 0, first: moment.steady });
                tries.count += 1;
                let pause = Duration::from_secs(1 << tries.count.min(6)).min(DISK_PAUSE_MAX);
                self.put_back(&path, &why, Some(moment.steady + pause), Some(facts));
            }
            Err(Hold::Settling { why, pause, is_by_time }) => {
                self.put_back(&path, &why, Some(moment.steady + pause), Some(facts));
                self.held.entry(path).and_modify(|held| held.is_trial = is_by_time);
            }
            Err(hold) => {
                self.tries.remove(&path);
                // What a hold waits for may change unseen: a gate opens, a tag file is mended.
                let is_kept = self.held.len() < FACTS_MAX;
                let pause = if is_kept { self.hold_pause() } else { HOLD_PAUSE_UNSEEN };
                let until = matches!(hold, Hold::Waits(_)).then(|| moment.steady + pause);
                // Of a type that nobody knows only the start was read; its theme may claim it yet.
                let facts = Some(facts).filter(|facts| facts.kind.is_some() || facts.stage == Stage::Ideas);
                self.put_back(&path, &hold.to_string(), until, facts);
            }
        }
    }

    pub(super) fn set_aside(&mut self, facts: Facts, why: &str, moment: &Moment) {
        report::set_aside(&facts.path, why);
        self.failed += 1;
        let plan = self.mill.park(&facts, why, moment);
        self.to_make.push_back(job(plan, Some(facts), moment));
    }

    pub(super) fn take_made(&mut self, job: Job, result: Result<Made, MakeError>) {
        self.weight -= job.weight;
        match result {
            Ok(made) => {
                if self.to_commit.is_empty() {
                    self.to_commit_since = self.clock.steady();
                }
                self.to_commit.push((job, made));
            }
            Err(error) => {
                self.let_go(&job);
                let moment = self.clock.now();
                match job.facts {
                    Some(facts) => {
                        let path = facts.path.clone();
                        self.take_trouble(&path, Some(facts), &error, &moment);
                    }
                    None => self.take_untended(&job, &error),
                }
            }
        }
    }

    /// Handles a record that could not be written: it is tried again after a growing pause.
    fn take_untended(&mut self, job: &Job, error: &dyn std::fmt::Display) {
        let now = self.clock.steady();
        let (until, pause) = self.tend_again;
        let pause = if now > until + pause * 4 { TEND_PAUSE } else { pause };
        self.tend_again = (now + pause, (pause * 2).min(DISK_PAUSE_MAX));
        if self.repeats.is_news(&format!("{}: {error}", job.plan.about.did), now) {
            report::tending_failed(&job.plan.about.did, error);
        }
        self.wants_check = true;
        self.bundles_dirty.extend(self.mill.bundle_names());
        job.plan.about.theme.iter().for_each(|theme| self.mill.gone.suspect(theme.clone()));
        let folders = job.plan.products.iter().filter(|product| product.to.file_name() == "tags.yaml");
        self.tags_dirty.extend(folders.filter_map(|product| product.to.parent()));
    }

    /// Takes note of what was taken back.
    pub(super) fn take_undone(&mut self, undone: Undone) {
        self.committing = false;
        self.undo.is_under_way = false;
        let now = self.clock.now().timestamp();
        self.needs_recovery |= undone.is_open;
        for receipt in undone.receipts {
            self.mill.ledger.remember(&receipt.about, &receipt.publish, now);
            report::moved(&receipt.about, Duration::ZERO);
            self.second_looks.add(receipt.asides, self.clock.steady());
        }
        self.mill.reread_releases();
        // Records that were to be brought into step may be gone: that is decided anew.
        let (records, assets): (VecDeque<Job>, VecDeque<Job>) =
            std::mem::take(&mut self.to_make).into_iter().partition(|job| job.facts.is_none());
        self.to_make = assets;
        for job in &records {
            self.let_go(job);
            job.plan.about.theme.iter().for_each(|theme| self.mill.gone.suspect(theme.clone()));
        }
        self.reconsider();
        self.look_everywhere();
    }

    /// Lets go of what a job had taken: an asset's names and number, or the records that it tends.
    pub(super) fn let_go(&mut self, job: &Job) {
        if job.facts.is_some() {
            self.mill.let_go(&job.plan);
            for twin in std::mem::take(&mut self.mill.twins) {
                if let Some(held) = self.held.get_mut(&twin) {
                    held.until = Some(Duration::ZERO);
                    self.look_again_at(&twin, Some(self.clock.steady()));
                }
            }
        }
        for path in tended(&job.plan) {
            self.tending.remove(path);
        }
        if let Some(theme) = job.plan.about.theme.as_ref().filter(|_| job.facts.is_none()) {
            self.mill.themes.forgotten.remove(theme);
        }
        for (area, bytes) in &job.need {
            self.room.promised.entry(area.clone()).and_modify(|promised| *promised = promised.saturating_sub(*bytes));
        }
    }

    pub(super) fn take_commits(&mut self, jobs: Vec<Job>, results: Vec<Result<Receipt, CommitError>>) {
        self.committing = false;
        let moment = self.clock.now();
        for (job, result) in jobs.into_iter().zip(results) {
            self.let_go(&job);
            if self.walking {
                self.fresh.extend(job.plan.gives().chain(job.plan.takes()).cloned());
            }
            let path = job.plan.about.from.clone().filter(|_| job.facts.is_some());
            let is_open = matches!(result, Err(CommitError::Open(_)));
            match result {
                Ok(receipt) => {
                    self.done += 1;
                    self.mill.take_done(&receipt, moment.timestamp());
                    self.second_looks.add(receipt.asides, moment.steady);
                    self.mill.ledger.notes.remember_plan(receipt.plan, &job.plan);
                    if let Some(facts) = &job.facts {
                        self.mill.use_up_release(facts);
                    }
                    report::moved(&receipt.about, moment.steady.saturating_sub(job.begun));
                    if self.mill.pauses.next_proven().is_some() {
                        let areas: BTreeSet<RelPath> = job.plan.gives().map(RelPath::area_path).collect();
                        areas.iter().filter(|area| self.mill.pauses.prove(area)).for_each(report::resumed);
                    }
                    self.after(&job.plan);
                    self.after_removal(&job.plan);
                    if let Some(path) = path {
                        self.let_out(&path);
                        self.tries.remove(&path);
                        self.settle.forget(&path);
                        self.notes.forget(&path);
                    }
                }
                Err(CommitError::Refused(error) | CommitError::Open(error)) => {
                    self.needs_recovery |= is_open;
                    match path {
                        Some(path) => self.take_trouble(&path, job.facts, &MakeError::Disk(error), &moment),
                        None => self.take_untended(&job, &error),
                    }
                }
                Err(error) => {
                    report::again(job.plan.about.from.as_ref(), &error);
                    if path.is_none() {
                        self.take_untended(&job, &error);
                    }
                    if let Some(path) = path {
                        let tries = self.tries.entry(path.clone()).or_insert(Tries { count: 0, first: moment.steady });
                        tries.count += 1;
                        // The first new try comes at once, the next ones with a growing pause.
                        let pause = Duration::from_millis(100 << tries.count.min(9)) * u32::from(tries.count > 1);
                        self.put_back(&path, &format!("{error}; tried again"), Some(moment.steady + pause), None);
                    }
                }
            }
        }
    }

    /// Looks at what a plan changed: the next inbox, the bundle, the shared tags.
    fn after(&mut self, plan: &Plan) {
        for target in plan.gives() {
            let Some(unit) = unit_of(target) else { continue };
            if unit.parent().is_some() {
                self.mill.units.add(&unit);
                self.dirty.insert(unit);
            }
        }
        if plan.about.stage == Stage::Upload && plan.about.from.is_some() {
            // One for each market that takes it.
            for path in plan.gives().filter(|path| path.area() == Stage::Upload.name()) {
                let mut parts = path.parts().skip(1).map(std::ffi::OsStr::to_string_lossy);
                if let (Some(day), Some(name)) = (parts.next(), parts.next()) {
                    self.bundles_dirty.extend(BundleName::parse(&day, &name, &self.mill.rules.markets));
                }
            }
        }
        if plan.products.iter().any(|product| product.to.file_name() == "tags.yaml") {
            // Shared tags are resolved late: bundles that are not sent yet follow, and so may what waited for a title.
            self.all_bundles_dirty = true;
            plan.about.theme.iter().for_each(|theme| self.reconsider_theme(theme));
        }
    }

    /// Removes the folders that a plan emptied, and looks whether they are gone.
    fn after_removal(&mut self, plan: &Plan) {
        remove_emptied_folders(&self.mill.vault, plan);
        self.dirty.extend(emptied_folders(plan).into_keys().filter(|folder| self.mill.units.contains(folder)));
        // A model beside a folder for parts waits for as long as something lies in it.
        let left = plan.takes().filter_map(unit_of).filter(|unit| unit.parent().is_some() && is_model_folder(unit));
        self.dirty.extend(left.map(|unit| unit.area_path()));
    }

    /// Lets what is held of a theme be decided anew.
    fn reconsider_theme(&mut self, theme: &ThemeSlug) {
        for unit in Stage::ALL.map(|stage| stage.folder().join(theme.as_str())) {
            let mut is_held = false;
            for (_, held) in self.held.range_mut(unit.inside()) {
                held.until = Some(Duration::ZERO);
                is_held = true;
            }
            if is_held {
                self.dirty.insert(unit);
            }
        }
    }

    /// Keeps the files of plans that stay open where they are.
    pub(super) fn take_blocked(&mut self, recovered: &Recovered) {
        let blocked = blocked(recovered, &self.detached);
        if std::mem::replace(&mut self.mill.blocked, blocked) != self.mill.blocked {
            self.reconsider();
        }
        self.recovery.is_refused = recovered.is_refused();
    }

    pub(super) fn take_recovered(&mut self, result: DiskResult<Recovered>) {
        self.committing = false;
        match result {
            Ok(recovered) => {
                self.needs_recovery = false;
                let now = self.clock.now();
                // A disk that refuses again and again is not asked without a pause.
                let pause = self.recovery.pause;
                let is_calm = now.steady > self.recovery.ended + pause * 4;
                let pause = if is_calm { RECOVER_PAUSE } else { (pause * 2).min(DISK_PAUSE_MAX) };
                self.recovery.ended = now.steady;
                (self.recovery.again, self.recovery.pause) = (now.steady + pause, pause);
                let is_news = !recovered.finished.is_empty() || !recovered.taken_back.is_empty();
                if is_news || !recovered.is_refused() || self.repeats.is_news("recovery was refused", now.steady) {
                    report::recovered(&recovered);
                }
                for intent in &recovered.finished {
                    self.mill.ledger.remember(&intent.about, &intent.publish, intent.at);
                    self.mill.ledger.notes.remember_intent(intent);
                    report::moved(&intent.about, Duration::ZERO);
                    self.second_looks.add(Aside::of_intent(intent), now.steady);
                }
                self.take_blocked(&recovered);
            }
            Err(error) => {
                let pause = self.recovery.pause;
                (self.recovery.again, self.recovery.pause) =
                    (self.clock.steady() + pause, (pause * 2).min(DISK_PAUSE_MAX));
                report::recovery_failed(&error);
            }
        }
        self.look_everywhere();
    }
}

/// Returns the files of plans that stay open, and why.
pub(in crate::service) fn blocked(recovered: &Recovered, detached: &BTreeSet<RelPath>) -> HashMap<RelPath, Arc<str>> {
    let files = |intent: &Intent| {
        let published = intent.publish.iter().map(|product| product.to.clone());
        let moved = intent.moves.iter().flat_map(|shift| [shift.from.clone(), shift.to.clone()]);
        let removed = intent.removes.iter().map(|gone| gone.path.clone());
        published.chain(moved).chain(removed).collect::<Vec<_>>()
    };
    let mut blocked = HashMap::new();
    for intent in &recovered.waiting {
        let files = files(intent);
        let away = files.iter().map(RelPath::area_path).find(|area| detached.contains(area));
        let away = away.unwrap_or_else(|| intent.about.stage.folder());
        let why: Arc<str> = format!("it waits for `{away}`, which is paused").into();
        blocked.extend(files.into_iter().map(|file| (file, why.clone())));
    }
    for (intent, error) in &recovered.refused {
        let why: Arc<str> = format!("the disk refuses to finish it ({error}); tried again").into();
        blocked.extend(files(intent).into_iter().map(|file| (file, why.clone())));
    }
    blocked
}

/// The pause before a folder that could not be listed is tried again: too long for `once` to wait for it.
const UNSEEN_PAUSE: Duration = Duration::from_secs(5);

/// The clock by which local file systems tell a folder's changes apart. Those with a coarser one are polled,
/// or rely on events and on the rounds in which everything is walked.
const GLANCE_GRAIN_NS: i64 = 20_000_000;

/// Returns just enough of an asset that could not be looked into to set it aside, whole.
fn bare_facts(candidate: &Candidate) -> Option<Facts> {
    let companion = |found: &crate::intake::Found| Companion { path: found.path.clone(), seen: found.entry.identity };
    Some(Facts {
        path: candidate.primary.path.clone(),
        stage: stage_of(&candidate.primary.path)?,
        seen: candidate.primary.entry.identity,
        dropped_ns: candidate.primary.entry.changed_ns,
        hash: ContentHash::of(b""),
        essence: None,
        kind: None,
        size: None,
        is_upright: true,
        has_private: false,
        is_sound: false,
        sidecar: None,
        has_original: false,
        xmp: None,
        rejected_by: None,
        companions: candidate.sidecar.iter().chain(&candidate.companions).map(companion).collect(),
        members: candidate.members.iter().map(companion).collect(),
    })
}
