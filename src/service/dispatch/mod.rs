//! One dispatcher owns all state: what is dirty, what waits, what is in hand. Workers own their job and
//! answer by message.

mod listen;
mod rounds;
mod start;

pub(super) use rounds::{Checked, check};

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::clock::{Clock, Moment};
use super::mill::Mill;
use super::survey::{SurveyError, Surveyed};
use super::undo::collect_undo;
use super::{Signal, release};
use crate::intake::{Candidate, Hint, Settle, Settled, Watch};
use crate::make::MakeError;
use crate::model::{Identity, RelPath, Size, Stage};
use crate::plan::{BundleName, Facts, Plan, UndoWhat};
use crate::report;
use crate::vault::{CommitError, DiskResult, Journal, Layout, Made, Receipt, Recovered, Space};

/// The most plans that are committed together.
const BATCH_MAX: usize = 256;
/// The shortest pause between two walks of a busy folder.
const WALK_PAUSE: Duration = Duration::from_millis(15);
/// An incomplete picture is set aside when it did not change for this long: a scanner writes in parts.
const CONTENT_PATIENCE: Duration = Duration::from_secs(15);
/// The pause before an incomplete picture is looked at again.
const CONTENT_PAUSE: Duration = Duration::from_secs(2);
/// The shortest pause between two recoveries while running.
const RECOVER_PAUSE: Duration = Duration::from_millis(250);
/// The pause before records are tended again after one could not be written.
const TEND_PAUSE: Duration = Duration::from_secs(1);
/// Of so many held assets it is kept what was seen inside; of more, they are looked into again.
const FACTS_MAX: usize = 1000;
/// How often reading a damaged disk is tried before the asset is set aside.
const READ_TRIES: u32 = 6;
/// The longest pause after a disk error.
const DISK_PAUSE_MAX: Duration = Duration::from_secs(60);
/// How often long work tells how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// What reaches the dispatcher.
#[derive(Debug)]
pub(in crate::service) enum Message {
    /// Something happened somewhere.
    Hint(Hint),
    /// A unit was looked at.
    Surveyed(RelPath, Duration, Result<Box<Surveyed>, SurveyError>),
    /// Areas were looked at.
    Checked(Vec<Checked>),
    /// Folders were looked at from outside: those that are as they were, and those that are not.
    Glanced(Vec<(RelPath, Vec<(RelPath, i64)>)>, Vec<RelPath>),
    /// An asset was looked into; the number is its place in the queue.
    Inspected(u64, Box<Settled>, Box<Result<Facts, MakeError>>),
    /// A plan's products are complete, or could not be made.
    Made(Box<Job>, Box<Result<Made, MakeError>>),
    /// A batch was carried out.
    Committed(Vec<Job>, Vec<Result<Receipt, CommitError>>),
    /// Unfinished plans were finished or taken back.
    Recovered(DiskResult<Recovered>),
    /// What a person wanted back was taken back, or not.
    Undone(Vec<Receipt>),
    /// The system wants something.
    Signal(Signal),
}

/// A plan in hand.
#[derive(Debug)]
pub(in crate::service) struct Job {
    plan: Plan,
    facts: Option<Facts>,
    weight: u64,
    begun: Duration,
    /// The bytes that it will take, by area.
    need: BTreeMap<RelPath, u64>,
}

/// A candidate that stays where it is for now.
#[derive(Debug)]
struct Held {
    why: String,
    state: Vec<Identity>,
    until: Option<Duration>,
    /// What was seen inside, so that it need not be read again.
    facts: Option<Box<Facts>>,
    /// Whether it is tried again by itself soon.
    is_trial: bool,
}

/// Tries at one state of a file that went wrong.
#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    first: Duration,
}

/// Owns all state; workers own their job, and everybody talks by messages.
pub(in crate::service) struct Dispatcher {
    pub(in crate::service) mill: Mill,
    pub(in crate::service) journal: Arc<Mutex<Journal>>,
    pub(in crate::service) layout: Layout,
    pub(in crate::service) areas: Vec<RelPath>,
    pub(in crate::service) clock: Clock,
    pub(in crate::service) watch: Option<Arc<Mutex<Watch>>>,
    tell: UnboundedSender<Message>,
    settle: Settle,
    dirty: BTreeSet<RelPath>,
    due: BTreeMap<RelPath, Duration>,
    walking: bool,
    /// Units that were walked a moment ago, and when they may be walked again.
    walk_again: HashMap<RelPath, Duration>,
    known_units: BTreeSet<RelPath>,
    ready: VecDeque<(Stage, Settled)>,
    /// Assets that were looked into before their turn.
    inspected: BTreeMap<u64, (Box<Settled>, Box<Result<Facts, MakeError>>)>,
    next_inspected: u64,
    next_decided: u64,
    to_make: VecDeque<Job>,
    to_commit: Vec<(Job, Made)>,
    in_hand: HashMap<RelPath, Vec<Identity>>,
    /// Names that were given while a walk was under way: it may have seen an asset and missed its sidecar.
    fresh: HashSet<RelPath>,
    held: BTreeMap<RelPath, Held>,
    /// The last reason that was told of each file, so that none is told twice.
    told: BTreeMap<RelPath, String>,
    odd_seen: BTreeMap<RelPath, String>,
    tries: HashMap<RelPath, Tries>,
    busy: usize,
    /// Asked once: the answer costs several files.
    cores: usize,
    weight: u64,
    committing: bool,
    needs_recovery: bool,
    /// When the next recovery may be tried, and the pause after it fails.
    recover_again: (Duration, Duration),
    recovered_at: Duration,
    /// Wishes to have something undone, each with the place of its answer.
    undo_wanted: VecDeque<(RelPath, UndoWhat)>,
    bundles_dirty: BTreeSet<BundleName>,
    /// Whether tags changed, so that every bundle is to be looked at.
    all_bundles_dirty: bool,
    /// When records may be tended again after one could not be, and the pause after that.
    tend_again: (Duration, Duration),
    /// Folders and bundles that could not be looked at.
    unseen: BTreeSet<RelPath>,
    tags_dirty: BTreeSet<RelPath>,
    tending: HashSet<RelPath>,
    done: u64,
    failed: u64,
    next_progress: Duration,
    next_rescan: Duration,
    rounds: u32,
    /// What each unit's folders looked like when they were walked.
    glances: HashMap<RelPath, Vec<(RelPath, i64)>>,
    glancing: bool,
    checking: bool,
    wants_check: bool,
    /// Areas that are not there, or not the folders that they were.
    detached: BTreeSet<RelPath>,
    polls: BTreeMap<RelPath, rounds::Poll>,
    /// Stages whose probe was not heard of yet, and until when it may be.
    probed: Vec<RelPath>,
    probe_until: Option<Duration>,
    /// The bytes that work in hand will take, by area, and how much room there was a moment ago.
    promised: BTreeMap<RelPath, u64>,
    rooms: BTreeMap<RelPath, (Duration, Space)>,
    repeats: report::Repeats,
    watch_problem_told: bool,
    pub(in crate::service) stopping: bool,
    pub(in crate::service) first_walk_done: bool,
}

impl Dispatcher {
    pub(in crate::service) fn new(
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
            walk_again: HashMap::new(),
            known_units: BTreeSet::new(),
            ready: VecDeque::new(),
            inspected: BTreeMap::new(),
            next_inspected: 0,
            next_decided: 0,
            to_make: VecDeque::new(),
            to_commit: Vec::new(),
            in_hand: HashMap::new(),
            fresh: HashSet::new(),
            held: BTreeMap::new(),
            told: BTreeMap::new(),
            odd_seen: BTreeMap::new(),
            tries: HashMap::new(),
            busy: 0,
            cores: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            weight: 0,
            committing: false,
            needs_recovery: false,
            recover_again: (Duration::ZERO, RECOVER_PAUSE),
            recovered_at: Duration::ZERO,
            undo_wanted: VecDeque::new(),
            bundles_dirty: BTreeSet::new(),
            all_bundles_dirty: false,
            tend_again: (Duration::ZERO, TEND_PAUSE),
            unseen: BTreeSet::new(),
            tags_dirty: BTreeSet::new(),
            tending: HashSet::new(),
            done: 0,
            failed: 0,
            next_progress: PROGRESS_EVERY,
            next_rescan,
            rounds: 0,
            glances: HashMap::new(),
            glancing: false,
            checking: false,
            wants_check: false,
            detached: BTreeSet::new(),
            polls: BTreeMap::new(),
            probed: Vec::new(),
            probe_until: None,
            promised: BTreeMap::new(),
            rooms: BTreeMap::new(),
            repeats: report::Repeats::default(),
            watch_problem_told: false,
            stopping: false,
            first_walk_done: false,
        }
    }

    /// Marks everything to be looked at.
    pub(in crate::service) fn look_everywhere(&mut self) {
        self.look_at_units();
        self.bundles_dirty.extend(self.mill.bundle_names());
        self.next_rescan = self.clock.now().steady + self.mill.settings.settle.rescan;
    }

    /// Lets everything that is held be decided anew, by what was seen of it already.
    fn reconsider(&mut self) {
        self.held.values_mut().for_each(|held| held.until = Some(Duration::ZERO));
        self.look_at_units();
    }

    fn look_at_units(&mut self) {
        let tops = Stage::ALL.map(|stage| RelPath::new(stage.name()).expect("a stage's name is clean"));
        self.dirty.extend(tops);
        self.dirty.extend(self.known_units.iter().cloned());
    }

    /// Takes one message.
    pub(in crate::service) fn take(&mut self, message: Message) {
        match message {
            Message::Hint(Hint::Everywhere) => {
                if self.repeats.is_news("events dropped", self.clock.now().steady) {
                    report::rescan();
                }
                self.look_everywhere();
            }
            Message::Hint(Hint::Near(path)) => self.take_hint(&path),
            Message::Hint(Hint::Gone(path)) => self.take_gone(&path),
            Message::Checked(checked) => self.take_checked(checked),
            Message::Glanced(same, changed) => self.take_glance(same, changed),
            Message::Surveyed(unit, took, result) => self.take_survey(&unit, took, result),
            Message::Inspected(place, settled, result) => {
                self.busy -= 1;
                self.inspected.insert(place, (settled, result));
                // Decided in the order of the queue, whoever was quicker: names must not depend on chance.
                while let Some((settled, result)) = self.inspected.remove(&self.next_decided) {
                    self.next_decided += 1;
                    self.take_facts(&settled, *result);
                }
            }
            Message::Made(job, result) => self.take_made(*job, *result),
            Message::Committed(jobs, results) => self.take_commits(jobs, results),
            Message::Recovered(result) => self.take_recovered(result),
            Message::Undone(receipts) => self.take_undone(receipts),
            Message::Signal(Signal::Stop) => self.stopping = true,
            // A reload needs the file and the command line: the shell does it.
            Message::Signal(Signal::Reload) => (),
        }
    }

    /// Takes the releases that people gave; what was held back by a gate is decided anew.
    pub(in crate::service) fn collect_releases(&mut self) {
        self.undo_wanted.extend(collect_undo(self.mill.disk()));
        let releases = release::collect(self.mill.disk(), self.clock.now().timestamp());
        if releases.iter().any(|release| !self.mill.releases.contains(release)) {
            self.reconsider();
        }
        self.mill.releases = releases;
    }

    /// Returns whether nothing is left that time alone would not change.
    pub(in crate::service) fn is_idle(&self) -> bool {
        let soon = self.clock.now().steady + Duration::from_secs(3);
        let pending = self.due.values().any(|due| *due <= soon);
        let walk_left = self.walking || !self.dirty.is_empty();
        self.is_quiet()
            && !walk_left
            && !pending
            && !self.checking
            && self.held.values().all(|held| !held.is_trial)
            && (self.bundles_dirty.is_empty() && !self.all_bundles_dirty && self.tags_dirty.is_empty()
                || self.tend_again.0 > soon)
            && self.undo_wanted.is_empty()
            && (!self.needs_recovery || self.recover_again.0 > soon)
    }

    /// Returns whether no work is in hand, so that the program may end.
    pub(in crate::service) fn is_at_rest(&self) -> bool {
        self.busy == 0 && !self.committing && (self.to_commit.is_empty() || self.needs_recovery)
    }

    /// Returns one line on how things stand.
    pub(in crate::service) fn summary(&self) -> String {
        let left = self.ready.len() + self.to_make.len() + self.to_commit.len() + self.busy;
        format!("{} done, {left} in work, {} held, {} set aside", self.done, self.held.len(), self.failed)
    }

    /// Returns how many assets had to be set aside, and folders are paused.
    pub(in crate::service) fn failed(&self) -> u64 {
        let undone = self.mill.pauses.all().count() + self.unseen.len() + self.tries.len();
        let is_stuck = self.needs_recovery || !self.bundles_dirty.is_empty() || !self.tags_dirty.is_empty();
        self.failed + undone as u64 + u64::from(is_stuck)
    }

    /// Takes new settings.
    pub(in crate::service) fn reload(&mut self, settings: Arc<crate::config::Settings>) {
        let settle = &settings.settle;
        self.settle = Settle::new(settle.quiet, settle.weak_quiet, settle.patience);
        self.mill.reload(settings);
        self.reconsider();
        self.look_everywhere();
    }
}

/// Waits for a message, at most for `patience`, and takes all that are there.
pub(in crate::service) async fn receive(
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
    let need = need(&plan, facts.as_ref());
    Job { plan, facts, weight, begun: moment.steady, need }
}

/// Returns about how many bytes a plan's products take, by area.
fn need(plan: &Plan, facts: Option<&Facts>) -> BTreeMap<RelPath, u64> {
    use crate::plan::Recipe;
    let (pixels, bytes) = facts.map_or((0, 0), |facts| (facts.size.map_or(0, Size::pixels), facts.seen.size));
    let mut need = BTreeMap::new();
    for product in &plan.products {
        let wanted = match &product.recipe {
            Recipe::Bytes(bytes) => bytes.len() as u64,
            Recipe::Enlarge { to, .. } => to.pixels() * 4,
            Recipe::Export { .. } => pixels * 2,
            Recipe::Embed { .. } | Recipe::Same { .. } => bytes,
            Recipe::SidecarOf { .. } => 4096,
        };
        *need.entry(product.to.root()).or_default() += wanted;
    }
    // A move across disks is a copy.
    for shift in plan.moves.iter().filter(|shift| shift.from.area() != shift.to.area()) {
        *need.entry(shift.to.root()).or_default() += shift.seen.size;
    }
    need
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
