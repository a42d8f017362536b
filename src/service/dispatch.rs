use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::clock::{Clock, Moment};
use super::mill::Mill;
use super::survey::{Surveyed, survey};
use super::{Signal, release};
use crate::intake::{Candidate, Settle, Settled, Verdict, Watch, left_alone};
use crate::make::{MakeError, inspect, make};
use crate::model::{Identity, RelPath, Stage};
use crate::plan::{BundleName, Facts, Hold, Plan};
use crate::report;
use crate::vault::{CommitError, DiskResult, Journal, Layout, Made, Receipt, Recovered, recover};

/// The most plans that are committed together.
const BATCH_MAX: usize = 256;
/// The shortest pause between two walks of a busy folder.
const WALK_PAUSE: Duration = Duration::from_millis(15);
/// How often an incomplete picture is looked at again before it is set aside.
const CONTENT_TRIES: u32 = 3;
/// The pause before an incomplete picture is looked at again.
const CONTENT_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause after a disk error.
const DISK_PAUSE_MAX: Duration = Duration::from_secs(60);
/// How often long work tells how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// What reaches the dispatcher.
#[derive(Debug)]
pub(super) enum Message {
    /// Something happened near this path, or anywhere.
    Hint(Option<PathBuf>),
    /// A unit was looked at.
    Surveyed(RelPath, Duration, DiskResult<Box<Surveyed>>),
    /// An asset was looked into.
    Inspected(RelPath, Box<Result<Facts, MakeError>>),
    /// A plan's products are complete, or could not be made.
    Made(Box<Job>, Box<Result<Made, MakeError>>),
    /// A batch was carried out.
    Committed(Vec<Job>, Vec<Result<Receipt, CommitError>>),
    /// Unfinished plans were finished or taken back.
    Recovered(DiskResult<Recovered>),
    /// The system wants something.
    Signal(Signal),
}

/// A plan in hand.
#[derive(Debug)]
pub(super) struct Job {
    plan: Plan,
    facts: Option<Facts>,
    weight: u64,
    begun: Duration,
}

/// A candidate that stays where it is for now.
#[derive(Debug)]
struct Held {
    why: String,
    state: Vec<Identity>,
    until: Option<Duration>,
}

/// Owns all state; workers own their job, and everybody talks by messages.
pub(super) struct Dispatcher {
    pub(super) mill: Mill,
    pub(super) journal: Arc<Mutex<Journal>>,
    pub(super) layout: Layout,
    pub(super) areas: Vec<RelPath>,
    pub(super) clock: Clock,
    pub(super) watch: Option<Arc<Mutex<Watch>>>,
    tell: UnboundedSender<Message>,
    settle: Settle,
    dirty: BTreeSet<RelPath>,
    due: BTreeMap<RelPath, Duration>,
    walking: bool,
    walk_again: Duration,
    known_units: BTreeSet<RelPath>,
    ready: VecDeque<(Stage, Settled)>,
    to_make: VecDeque<Job>,
    to_commit: Vec<(Job, Made)>,
    in_hand: HashMap<RelPath, Vec<Identity>>,
    held: HashMap<RelPath, Held>,
    odd_seen: HashMap<RelPath, String>,
    tries: HashMap<RelPath, u32>,
    busy: usize,
    weight: u64,
    committing: bool,
    needs_recovery: bool,
    bundles_dirty: BTreeSet<BundleName>,
    tags_dirty: BTreeSet<RelPath>,
    tending: HashSet<RelPath>,
    done: u64,
    failed: u64,
    next_progress: Duration,
    next_rescan: Duration,
    watch_problem_told: bool,
    pub(super) stopping: bool,
    pub(super) first_walk_done: bool,
}

impl Dispatcher {
    pub(super) fn new(
        mill: Mill,
        journal: Journal,
        layout: Layout,
        areas: Vec<RelPath>,
        clock: Clock,
        tell: UnboundedSender<Message>,
    ) -> Self {
        let settings = &mill.settings.settle;
        let settle = Settle::new(settings.quiet, settings.weak_quiet, settings.patience);
        let next_rescan = clock.now().steady + settings.rescan;
        Self {
            mill,
            journal: Arc::new(Mutex::new(journal)),
            layout,
            areas,
            clock,
            watch: None,
            tell,
            settle,
            dirty: BTreeSet::new(),
            due: BTreeMap::new(),
            walking: false,
            walk_again: Duration::ZERO,
            known_units: BTreeSet::new(),
            ready: VecDeque::new(),
            to_make: VecDeque::new(),
            to_commit: Vec::new(),
            in_hand: HashMap::new(),
            held: HashMap::new(),
            odd_seen: HashMap::new(),
            tries: HashMap::new(),
            busy: 0,
            weight: 0,
            committing: false,
            needs_recovery: false,
            bundles_dirty: BTreeSet::new(),
            tags_dirty: BTreeSet::new(),
            tending: HashSet::new(),
            done: 0,
            failed: 0,
            next_progress: PROGRESS_EVERY,
            next_rescan,
            watch_problem_told: false,
            stopping: false,
            first_walk_done: false,
        }
    }

    /// Marks everything to be looked at.
    pub(super) fn look_everywhere(&mut self) {
        self.look_at_units();
        self.bundles_dirty.extend(self.mill.bundle_names());
        self.next_rescan = self.clock.now().steady + self.mill.settings.settle.rescan;
    }

    fn look_at_units(&mut self) {
        let tops = Stage::ALL.map(|stage| RelPath::new(stage.name()).expect("a stage's name is clean"));
        self.dirty.extend(tops);
        self.dirty.extend(self.known_units.iter().cloned());
    }

    /// Takes one message.
    pub(super) fn take(&mut self, message: Message) {
        match message {
            Message::Hint(None) => {
                report::rescan("the system dropped events");
                self.look_everywhere();
            }
            Message::Hint(Some(path)) => self.take_hint(&path),
            Message::Surveyed(unit, took, result) => self.take_survey(&unit, took, result),
            Message::Inspected(path, result) => {
                self.busy -= 1;
                self.take_facts(&path, *result);
            }
            Message::Made(job, result) => self.take_made(*job, *result),
            Message::Committed(jobs, results) => self.take_commits(jobs, results),
            Message::Recovered(result) => self.take_recovered(result),
            Message::Signal(Signal::Stop) => self.stopping = true,
            // A reload needs the file and the command line: the shell does it.
            Message::Signal(Signal::Reload) => (),
        }
    }

    fn take_hint(&mut self, path: &std::path::Path) {
        if path.starts_with(self.layout.folder(".stockmill".as_ref())) {
            self.collect_releases();
            return;
        }
        for unit in super::survey::units_near(&self.layout, path) {
            if unit.parent().is_none() || self.known_units.contains(&unit) {
                self.dirty.insert(unit);
            }
        }
    }

    /// Takes the releases that people gave; what was held back by a gate is decided anew.
    pub(super) fn collect_releases(&mut self) {
        let releases = release::collect(self.mill.disk(), self.clock.now().timestamp());
        if releases.iter().any(|release| !self.mill.releases.contains(release)) {
            self.held.clear();
            self.look_at_units();
        }
        self.mill.releases = releases;
    }

    fn take_survey(&mut self, unit: &RelPath, took: Duration, result: DiskResult<Box<Surveyed>>) {
        self.walking = false;
        // A folder that takes long to walk must not be walked without a pause.
        self.walk_again = self.clock.now().steady + WALK_PAUSE.max(took * 3);
        let surveyed = match result {
            Ok(surveyed) => *surveyed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.known_units.remove(unit);
                return;
            }
            Err(error) => {
                report::stage_paused(unit, &error);
                return;
            }
        };
        if let Some(problem) = surveyed.problem.as_ref().filter(|_| !self.watch_problem_told) {
            report::watch_problem(problem, self.mill.settings.settle.rescan);
            self.watch_problem_told = true;
        }
        for below in &surveyed.below {
            if super::survey::unit_of(below).is_some_and(|unit| self.known_units.insert(unit)) {
                self.dirty.insert(below.clone());
            }
        }
        self.tags_dirty.extend(surveyed.tag_folders.iter().cloned());
        self.take_odd(&surveyed);
        self.take_candidates(surveyed);
    }

    fn take_odd(&mut self, surveyed: &Surveyed) {
        for odd in &surveyed.odd {
            if self.odd_seen.get(&odd.path) != Some(&odd.why) {
                report::left_alone(&odd.path, &odd.why);
                self.odd_seen.insert(odd.path.clone(), odd.why.clone());
            }
        }
    }

    fn take_candidates(&mut self, surveyed: Surveyed) {
        let moment = self.clock.now();
        let (unit, stage) = (surveyed.unit, surveyed.stage);
        let found: HashSet<&RelPath> = surveyed.candidates.iter().flat_map(|c| c.files().map(|f| &f.path)).collect();
        let is_top = unit.parent().is_none() && stage != Stage::Ideas;
        let in_scope = |path: &RelPath| if is_top { path.parent().as_ref() == Some(&unit) } else { path.is_in(&unit) };
        self.settle.forget_absent(&in_scope, &|path| found.contains(path));
        self.held.retain(|path, _| !in_scope(path) || found.contains(path));
        self.odd_seen.retain(|path, _| !in_scope(path) || surveyed.odd.iter().any(|odd| odd.path == *path));
        self.due.remove(&unit);
        let unfinished: HashSet<std::ffi::OsString> = surveyed
            .odd
            .iter()
            .filter(|odd| left_alone(&odd.path.file_text(), &[]).is_some())
            .map(|odd| odd.path.stem())
            .collect();
        for candidate in surveyed.candidates {
            self.judge(&unit, stage, candidate, &unfinished, &moment);
        }
    }

    fn judge(
        &mut self,
        unit: &RelPath,
        stage: Stage,
        candidate: Candidate,
        unfinished: &HashSet<std::ffi::OsString>,
        moment: &Moment,
    ) {
        let path = candidate.primary.path.clone();
        let state = state_of(&candidate);
        if self.in_hand.contains_key(&path) {
            return;
        }
        if let Some(held) = self.held.get(&path)
            && held.state == state
            && held.until.is_none_or(|until| until > moment.steady)
        {
            self.look_again(unit, held.until);
            return;
        }
        if !candidate.missing.is_empty() {
            let why = format!("it names files that are not here yet: {}", candidate.missing.join(", "));
            self.hold(&path, Held { why, state, until: None });
            return;
        }
        let vault = self.mill.vault.clone();
        let has_writer = |path: &RelPath| vault.disk().has_writer(path).unwrap_or(None);
        let has_twin = unfinished.contains(path.file_name()) || unfinished.contains(&path.stem());
        match self.settle.judge(candidate, has_twin, moment.for_settle(), &has_writer) {
            Verdict::Settled(settled) => {
                self.in_hand.insert(path, state);
                self.ready.push_back((stage, *settled));
            }
            Verdict::Wait { again, why } => {
                report::waiting(&path, &why);
                self.look_again(unit, Some(again));
            }
        }
    }

    fn look_again(&mut self, unit: &RelPath, at: Option<Duration>) {
        let Some(at) = at else { return };
        let due = self.due.entry(unit.clone()).or_insert(at);
        *due = (*due).min(at);
    }

    fn hold(&mut self, path: &RelPath, held: Held) {
        if self.held.get(path).is_none_or(|earlier| earlier.why != held.why) {
            report::held(path, &held.why);
        }
        if let (Some(until), Some(unit)) = (held.until, super::survey::unit_of(path)) {
            let unit = if self.known_units.contains(&unit) { Some(unit) } else { unit.parent().or(Some(unit)) };
            if let Some(unit) = unit {
                self.look_again(&unit, Some(until));
            }
        }
        self.held.insert(path.clone(), held);
    }

    fn put_back(&mut self, path: &RelPath, why: String, until: Option<Duration>) {
        if let Some(state) = self.in_hand.remove(path) {
            self.hold(path, Held { why, state, until });
        }
    }

    fn take_facts(&mut self, path: &RelPath, result: Result<Facts, MakeError>) {
        let moment = self.clock.now();
        let facts = match result {
            Ok(facts) => facts,
            Err(error) => return self.take_trouble(path, None, &error, &moment),
        };
        self.decide(facts, &moment);
    }

    fn decide(&mut self, facts: Facts, moment: &Moment) {
        let path = facts.path.clone();
        match self.mill.decide(&facts, moment) {
            Ok(plan) => self.to_make.push_back(job(plan, Some(facts), moment)),
            Err(Hold::Park(why)) => self.set_aside(facts, &why, moment),
            Err(hold) => {
                // What a hold waits for may change unseen: a gate opens, a tag file is mended.
                let pause = self.mill.settings.settle.rescan;
                let until = matches!(hold, Hold::Waits(_)).then(|| moment.steady + pause.min(Duration::from_secs(30)));
                self.put_back(&path, hold.to_string(), until);
            }
        }
    }

    fn set_aside(&mut self, facts: Facts, why: &str, moment: &Moment) {
        report::set_aside(&facts.path, why);
        self.failed += 1;
        let plan = self.mill.park(&facts, why, moment);
        self.to_make.push_back(job(plan, Some(facts), moment));
    }

    /// Handles what went wrong with one asset; its neighbours go on.
    fn take_trouble(&mut self, path: &RelPath, facts: Option<Facts>, error: &MakeError, moment: &Moment) {
        let tries = self.tries.entry(path.clone()).or_default();
        *tries += 1;
        let tries = *tries;
        match error {
            MakeError::Content(content) => {
                if tries < CONTENT_TRIES && content.may_be_incomplete() {
                    return self.put_back(
                        path,
                        format!("{content}; looked at again soon"),
                        Some(moment.steady + CONTENT_PAUSE),
                    );
                }
                self.tries.remove(path);
                let why = content.to_string();
                match facts.or_else(|| self.bare_facts(path)) {
                    Some(facts) => self.set_aside(facts, &why, moment),
                    None => drop(self.in_hand.remove(path)),
                }
            }
            MakeError::Sidecar { .. } => self.put_back(path, error.to_string(), None),
            MakeError::Disk(disk) if disk.kind() == std::io::ErrorKind::NotFound => {
                // A person took it away: nothing to do, and nothing is lost.
                self.in_hand.remove(path);
                self.tries.remove(path);
                self.dirty.extend(super::survey::unit_of(path));
            }
            MakeError::Disk(disk) => {
                let pause = Duration::from_secs(1 << tries.min(6)).min(DISK_PAUSE_MAX);
                report::disk_trouble(path, disk, pause);
                self.put_back(path, disk.to_string(), Some(moment.steady + pause));
            }
        }
    }

    /// Returns just enough of a file that could not be looked into to set it aside.
    fn bare_facts(&self, path: &RelPath) -> Option<Facts> {
        let entry = self.mill.disk().look(path).ok()??;
        Some(Facts {
            path: path.clone(),
            stage: super::survey::stage_of(path)?,
            seen: entry.identity,
            dropped_ns: entry.changed_ns,
            hash: crate::model::ContentHash::of(b""),
            kind: None,
            size: None,
            sidecar: None,
            xmp: None,
            companions: Vec::new(),
            members: Vec::new(),
        })
    }

    fn take_made(&mut self, job: Job, result: Result<Made, MakeError>) {
        self.busy -= 1;
        self.weight -= job.weight;
        match result {
            Ok(made) => self.to_commit.push((job, made)),
            Err(error) => {
                self.mill.let_go(&job.plan);
                let moment = self.clock.now();
                match job.facts {
                    Some(facts) => {
                        let path = facts.path.clone();
                        self.take_trouble(&path, Some(facts), &error, &moment);
                    }
                    None => report::tending_failed(&job.plan.about.did, &error),
                }
            }
        }
    }

    fn take_commits(&mut self, jobs: Vec<Job>, results: Vec<Result<Receipt, CommitError>>) {
        self.committing = false;
        let moment = self.clock.now();
        for (job, result) in jobs.into_iter().zip(results) {
            self.mill.let_go(&job.plan);
            for product in &job.plan.products {
                self.tending.remove(&product.to);
            }
            let path = job.plan.about.from.clone().filter(|_| job.facts.is_some());
            match result {
                Ok(receipt) => {
                    self.done += 1;
                    self.mill.ledger.remember(&receipt.about, moment.timestamp());
                    report::moved(&receipt.about, moment.steady.saturating_sub(job.begun));
                    self.after(&job.plan);
                    if let Some(path) = path {
                        self.in_hand.remove(&path);
                        self.tries.remove(&path);
                        self.settle.forget(&path);
                    }
                }
                Err(CommitError::Disk(error)) => {
                    self.needs_recovery = true;
                    match path {
                        Some(path) => self.take_trouble(&path, job.facts, &MakeError::Disk(error), &moment),
                        None => report::tending_failed(&job.plan.about.did, &error),
                    }
                }
                Err(error) => {
                    report::again(job.plan.about.from.as_ref(), &error);
                    if let Some(path) = path {
                        self.in_hand.remove(&path);
                        self.dirty.extend(
                            super::survey::unit_of(&path).into_iter().flat_map(|u| [u.parent(), Some(u)]).flatten(),
                        );
                    }
                }
            }
        }
    }

    /// Looks at what a plan changed: the next inbox, the bundle, the shared tags.
    fn after(&mut self, plan: &Plan) {
        let targets = plan.products.iter().map(|product| &product.to).chain(plan.moves.iter().map(|shift| &shift.to));
        for target in targets {
            let Some(unit) = super::survey::unit_of(target) else { continue };
            if self.known_units.insert(unit.clone()) || unit.parent().is_some() {
                self.dirty.insert(unit);
            }
        }
        if let Some(to) = &plan.about.to
            && plan.about.stage == Stage::Upload
            && plan.about.from.is_some()
        {
            let mut parts = to.parts().skip(1).map(|part| part.to_string_lossy().into_owned());
            if let (Some(day), Some(name)) = (parts.next(), parts.next()) {
                self.bundles_dirty.extend(BundleName::parse(&day, &name, &self.mill.rules.markets));
            }
        }
        if plan.products.iter().any(|product| product.to.file_name() == "tags.yaml") {
            // Shared tags are resolved late: bundles that are not sent yet follow, and so may what waited for a title.
            self.bundles_dirty.extend(self.mill.bundle_names());
            self.held.clear();
            self.look_at_units();
        }
    }

    fn take_recovered(&mut self, result: DiskResult<Recovered>) {
        self.committing = false;
        match result {
            Ok(recovered) => {
                self.needs_recovery = false;
                report::recovered(&recovered);
            }
            Err(error) => report::recovery_failed(&error),
        }
        self.look_everywhere();
    }

    /// Starts whatever can be started now; returns when to wake at the latest.
    pub(super) fn turn(&mut self) -> Duration {
        let moment = self.clock.now();
        if moment.steady >= self.next_rescan {
            self.collect_releases();
            self.look_everywhere();
        }
        let due: Vec<RelPath> =
            self.due.iter().filter(|(_, at)| **at <= moment.steady).map(|(unit, _)| unit.clone()).collect();
        for unit in due {
            self.due.remove(&unit);
            self.dirty.insert(unit);
        }
        if self.needs_recovery {
            self.start_recovery();
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
        let mut wake = self.next_rescan;
        if !self.dirty.is_empty() && !self.walking {
            wake = wake.min(self.walk_again);
        }
        if let Some(due) = self.due.values().min() {
            wake = wake.min(*due);
        }
        wake.saturating_sub(moment.steady).clamp(Duration::from_millis(1), Duration::from_secs(5))
    }

    fn start_walk(&mut self, moment: &Moment) {
        if self.walking || moment.steady < self.walk_again {
            return;
        }
        let Some(unit) = self.dirty.pop_first() else {
            self.first_walk_done = true;
            return;
        };
        self.walking = true;
        let (vault, layout, watch, tell) =
            (self.mill.vault.clone(), self.layout.clone(), self.watch.clone(), self.tell.clone());
        let (ignore, clock) = (self.mill.settings.settle.ignore.clone(), self.clock);
        tokio::task::spawn_blocking(move || {
            let begun = clock.now().steady;
            let result = survey(vault.disk(), &layout, watch.as_ref(), &unit, &ignore).map(Box::new);
            let took = clock.now().steady.saturating_sub(begun);
            let _ = tell.send(Message::Surveyed(unit, took, result));
        });
    }

    fn start_tending(&mut self, moment: &Moment) {
        let mut plans: Vec<Plan> = Vec::new();
        for folder in std::mem::take(&mut self.tags_dirty) {
            plans.extend(self.mill.tend_tags(&folder));
        }
        // A manifest is written when the assets that are about to join have joined.
        if !self.bundles_dirty.is_empty() && self.is_quiet() {
            for name in std::mem::take(&mut self.bundles_dirty) {
                match self.mill.tend_bundle(&name) {
                    Ok(more) => plans.extend(more),
                    Err(hold) => report::held(&name.folder(), &hold.to_string()),
                }
            }
        }
        for plan in plans {
            // A record that is being written is looked at again when that is done.
            if plan.products.iter().any(|product| self.tending.contains(&product.to)) {
                continue;
            }
            self.tending.extend(plan.products.iter().map(|product| product.to.clone()));
            self.to_make.push_back(job(plan, None, moment));
        }
    }

    fn is_quiet(&self) -> bool {
        self.ready.is_empty()
            && self.to_make.is_empty()
            && self.to_commit.is_empty()
            && self.busy == 0
            && !self.committing
    }

    fn start_jobs(&mut self, moment: &Moment) {
        let slots = match self.mill.settings.work.jobs {
            0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            jobs => jobs,
        };
        let budget = self.mill.settings.work.memory_mib << 20;
        while self.busy < slots {
            if let Some(next) = self.to_make.front() {
                if self.weight > 0 && self.weight + next.weight > budget {
                    return;
                }
                let job = self.to_make.pop_front().expect("there is a first job");
                self.start_make(job, moment);
            } else if let Some((stage, settled)) = self.ready.pop_front() {
                self.start_inspect(stage, settled);
            } else {
                return;
            }
        }
    }

    fn start_inspect(&mut self, stage: Stage, settled: Settled) {
        self.busy += 1;
        let (vault, limits, tell) = (self.mill.vault.clone(), self.mill.limits(), self.tell.clone());
        tokio::task::spawn_blocking(move || {
            let path = settled.candidate().primary.path.clone();
            let result = survive(|| inspect(vault.disk(), stage, &settled, &limits));
            let _ = tell.send(Message::Inspected(path, Box::new(result)));
        });
    }

    fn start_make(&mut self, mut job: Job, moment: &Moment) {
        self.busy += 1;
        self.weight += job.weight;
        job.begun = moment.steady;
        let (vault, limits, tell) = (self.mill.vault.clone(), self.mill.limits(), self.tell.clone());
        tokio::task::spawn_blocking(move || {
            let result = survive(|| make(&vault, &job.plan, &limits));
            let _ = tell.send(Message::Made(Box::new(job), Box::new(result)));
        });
    }

    fn start_commit(&mut self, moment: &Moment) {
        if self.committing || self.to_commit.is_empty() {
            return;
        }
        self.committing = true;
        let rest = self.to_commit.split_off(self.to_commit.len().min(BATCH_MAX));
        let (jobs, batch): (Vec<Job>, Vec<Made>) = std::mem::replace(&mut self.to_commit, rest).into_iter().unzip();
        let (vault, journal, tell, now) =
            (self.mill.vault.clone(), self.journal.clone(), self.tell.clone(), moment.timestamp());
        tokio::task::spawn_blocking(move || {
            let results = vault.commit(&mut journal.lock().expect("no journal holder panics"), batch, now);
            let _ = tell.send(Message::Committed(jobs, results));
        });
    }

    /// Finishes or takes back what a disk error left open, once nothing else is in hand.
    fn start_recovery(&mut self) {
        if self.busy > 0 || self.committing {
            return;
        }
        for (job, made) in std::mem::take(&mut self.to_commit) {
            drop(made);
            self.mill.let_go(&job.plan);
            if let Some(facts) = job.facts {
                self.in_hand.remove(&facts.path);
            }
        }
        self.committing = true;
        let (vault, journal, areas, tell) =
            (self.mill.vault.clone(), self.journal.clone(), self.areas.clone(), self.tell.clone());
        tokio::task::spawn_blocking(move || {
            let mut journal = journal.lock().expect("no journal holder panics");
            let result = Journal::open(vault.disk()).and_then(|(fresh, records)| {
                *journal = fresh;
                recover(vault.disk(), &mut journal, &records, &areas)
            });
            let _ = tell.send(Message::Recovered(result));
        });
    }

    fn tell_progress(&mut self, moment: &Moment) {
        if moment.steady < self.next_progress {
            return;
        }
        self.next_progress = moment.steady + PROGRESS_EVERY;
        let left = self.ready.len() + self.to_make.len() + self.to_commit.len() + self.busy;
        if left > 0 {
            report::progress(self.done, left, moment.steady);
        }
    }

    /// Returns whether nothing is left that time alone would not change.
    pub(super) fn is_idle(&self) -> bool {
        let soon = self.clock.now().steady + Duration::from_secs(3);
        let pending = self.due.values().any(|due| *due <= soon);
        let walk_left = self.walking || !self.dirty.is_empty();
        self.is_quiet()
            && !walk_left
            && !pending
            && self.bundles_dirty.is_empty()
            && self.tags_dirty.is_empty()
            && !self.needs_recovery
    }

    /// Returns whether no work is in hand, so that the program may end.
    pub(super) fn is_at_rest(&self) -> bool {
        self.busy == 0 && !self.committing && (self.to_commit.is_empty() || self.needs_recovery)
    }

    /// Returns one line on how things stand.
    pub(super) fn summary(&self) -> String {
        let left = self.ready.len() + self.to_make.len() + self.to_commit.len() + self.busy;
        format!("{} done, {left} in work, {} held, {} set aside", self.done, self.held.len(), self.failed)
    }

    /// Returns how many assets had to be set aside.
    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    /// Takes new settings.
    pub(super) fn reload(&mut self, settings: Arc<crate::config::Settings>) {
        let settle = &settings.settle;
        self.settle = Settle::new(settle.quiet, settle.weak_quiet, settle.patience);
        self.mill.reload(settings);
        self.held.clear();
        self.look_everywhere();
    }
}

/// Waits for a message, at most for `patience`, and takes all that are there.
pub(super) async fn receive(
    dispatcher: &mut Dispatcher,
    messages: &mut UnboundedReceiver<Message>,
    patience: Duration,
) -> Vec<Signal> {
    let mut signals = Vec::new();
    let first = tokio::time::timeout(patience, messages.recv()).await.ok().flatten();
    let mut next = first;
    while let Some(message) = next {
        if let Message::Signal(signal) = &message {
            signals.push(*signal);
        }
        dispatcher.take(message);
        next = messages.try_recv().ok();
    }
    signals
}

fn state_of(candidate: &Candidate) -> Vec<Identity> {
    candidate.files().map(|found| found.entry.identity).collect()
}

fn job(plan: Plan, facts: Option<Facts>, moment: &Moment) -> Job {
    let weight = weight(&plan, facts.as_ref());
    Job { plan, facts, weight, begun: moment.steady }
}

/// Returns about how many bytes of memory a plan takes to make: decoded pixels in and out.
fn weight(plan: &Plan, facts: Option<&Facts>) -> u64 {
    use crate::plan::Recipe;
    let source = facts.and_then(|facts| facts.size).map_or(0, |size| size.pixels() * 8);
    plan.products
        .iter()
        .map(|product| match &product.recipe {
            Recipe::Enlarge { to, .. } => source + to.pixels() * 12,
            Recipe::Export { .. } => source * 2,
            _ => 0,
        })
        .sum()
}

/// Runs work on one asset so that a panic in a decoder costs that asset and nothing else.
fn survive<T>(work: impl FnOnce() -> Result<T, MakeError>) -> Result<T, MakeError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(MakeError::Content(crate::craft::CraftError::Damaged("a decoder gave up on it".to_owned())))
    })
}
