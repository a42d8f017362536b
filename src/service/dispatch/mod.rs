//! One dispatcher owns all state: what is dirty, what waits, what is in hand. Workers own their job and
//! answer by message.

mod asides;
mod job;
mod judge;
mod late;
mod listen;
mod rounds;
mod start;
mod trouble;
mod turns;
mod work;

use asides::{SecondLooks, Seen};
use job::{Job, job};
pub(super) use rounds::{Checked, check};
use turns::Turns;
use work::Walker;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::Signal;
use super::clock::Clock;
use super::mill::Mill;
use super::survey::{SurveyError, Surveyed};
use super::undo::{UndoRequest, Undone, collect_undo};
use crate::config::SettleSettings;
use crate::intake::{Candidate, Hint, Hints, Notes, Settle, Settled, Still, Unsettled, Watch};
use crate::make::MakeError;
use crate::model::{RelPath, Stage};
use crate::plan::{BundleName, Facts, Plan};
use crate::report;
use crate::vault::{Aside, CommitError, DiskResult, Journal, Layout, Let, Made, Receipt, Recovered, Space};

/// The most plans that are committed together.
const BATCH_MAX: usize = 256;
/// How many assets one worker takes at once: enough that waking it costs little beside the work.
const CHUNK_MIN: usize = 8;
const CHUNK_MAX: usize = 32;
/// The most bytes that it reads at once.
const CHUNK_BYTES_MAX: u64 = 8 << 20;
/// Of so many assets it is known that they are ready; more are found by a later walk.
const READY_MAX: usize = 8192;
/// How long products wait for others to be committed together with.
const GATHER: Duration = Duration::from_millis(10);
/// The shortest pauses between two walks of a busy folder: if work is wanted, and while enough is ready.
const WALK_PAUSE: Duration = Duration::from_millis(15);
const WALK_PAUSE_FED: Duration = Duration::from_millis(150);
/// From so many assets on, enough is ready.
const READY_FED: usize = 256;
/// How long hints may wait while there is work: each wakes the dispatcher otherwise.
const HINT_PAUSE: Duration = Duration::from_millis(2);
/// An incomplete picture is set aside when it did not change for this long: a scanner writes in parts.
const CONTENT_PATIENCE: Duration = Duration::from_secs(15);
/// The pause before an incomplete picture is looked at again.
const CONTENT_PAUSE: Duration = Duration::from_secs(2);
/// The shortest pause between two recoveries while running.
const RECOVER_PAUSE: Duration = Duration::from_millis(250);
/// The pause before records are tended again after one could not be written.
const TEND_PAUSE: Duration = Duration::from_secs(1);
/// So many reasons are remembered before those that nobody waits for any more are forgotten.
const REASONS_MAX: usize = 1000;
/// Of so many held assets it is kept what was seen inside; of more, they are looked into again.
const FACTS_MAX: usize = 1000;
/// The longest pause before what changed while it was in hand is looked at again.
const CHANGED_PAUSE: Duration = Duration::from_secs(1);
/// How long what may change unseen is waited for, and how long if it has to be looked into again for that.
const HOLD_PAUSE: Duration = Duration::from_secs(30);
const HOLD_PAUSE_UNSEEN: Duration = Duration::from_secs(900);
/// How often reading a damaged disk is tried before the asset is set aside.
const READ_TRIES: u32 = 6;
/// The longest pause after a disk error.
const DISK_PAUSE_MAX: Duration = Duration::from_secs(60);
/// How often long work tells how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// What reaches the dispatcher.
#[derive(Debug)]
pub(in crate::service) enum Message {
    /// Something happened somewhere: hints wait to be taken.
    Hinted,
    /// A unit was looked at.
    Surveyed(RelPath, Duration, Result<Box<Surveyed>, SurveyError>),
    /// Areas were looked at.
    Checked(Vec<Checked>),
    /// Folders were looked at from outside, up to the last one named: these changed since they were walked.
    Glanced(Vec<RelPath>, RelPath),
    /// Assets were looked into; the number is the first one's place in the queue. Who takes long has none.
    Inspected(Option<u64>, Vec<Inspected>),
    /// The products of plans are complete, or could not be made.
    Made(Vec<(Job, Result<Made, MakeError>)>),
    /// A batch was carried out.
    Committed(Vec<Job>, Vec<Result<Receipt, CommitError>>),
    /// Unfinished plans were finished or taken back.
    Recovered(DiskResult<Recovered>),
    /// What a person wanted back was taken back, or not.
    Undone(Undone),
    /// What lies aside was looked at a second time.
    LookedTwice(Vec<(Aside, DiskResult<Seen>)>),
    /// Nobody writes to these any more: they may go, or came back.
    Ended(Vec<(Aside, DiskResult<Let>)>),
    /// The system wants something.
    Signal(Signal),
}

/// What a look into an asset showed.
#[derive(Debug)]
pub(in crate::service) enum Inspected {
    /// Somebody may still write to it.
    Unsettled(Box<Unsettled>),
    /// It was read, or could not be.
    Settled(Box<Settled>, Box<Result<Facts, MakeError>>),
}

impl Inspected {
    fn candidate(&self) -> &Candidate {
        match self {
            Self::Unsettled(unsettled) => unsettled.candidate(),
            Self::Settled(settled, _) => settled.candidate(),
        }
    }
}

/// When a unit may be walked again.
#[derive(Debug, Clone, Copy)]
struct WalkAgain {
    /// If work is wanted.
    hungry: Duration,
    /// While enough is ready.
    fed: Duration,
}

/// The state of an asset's files, condensed: a hundred thousand of them may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State(u64);

/// A candidate that stays where it is for now.
#[derive(Debug)]
struct Held {
    why: Arc<str>,
    state: State,
    until: Option<Duration>,
    /// What was seen inside, so that it need not be read again.
    facts: Option<Box<Facts>>,
    /// Whether it is tried again by itself soon.
    is_trial: bool,
}

/// How the last recovery went, and when the next one may be tried.
#[derive(Debug)]
struct Recovery {
    /// Whether it was refused something, and is to be tried again.
    is_refused: bool,
    ended: Duration,
    again: Duration,
    pause: Duration,
}

impl Default for Recovery {
    fn default() -> Self {
        Self { is_refused: false, ended: Duration::ZERO, again: Duration::ZERO, pause: RECOVER_PAUSE }
    }
}

/// Wishes to have something undone.
#[derive(Debug, Default)]
struct Undo {
    /// Each with the place of its answer.
    wanted: VecDeque<(RelPath, UndoRequest)>,
    is_under_way: bool,
}

/// What is tended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Tended {
    /// A folder's shared tags.
    Tags(RelPath),
    /// A bundle.
    Bundle(BundleName),
}

/// What folders looked like when they were walked, so that a look from outside tells a change.
#[derive(Debug, Default)]
struct Glances {
    /// When the names in each folder last changed, in nanoseconds since 1970.
    times: BTreeMap<RelPath, i64>,
    is_under_way: bool,
}

/// The room that the areas' disks have.
#[derive(Debug, Default)]
struct Room {
    /// The bytes that work in hand will take.
    promised: BTreeMap<RelPath, u64>,
    /// What there was a moment ago.
    known: BTreeMap<RelPath, (Duration, Space)>,
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
    /// What the watches told, and when it is to be taken.
    pub(in crate::service) hints: Arc<Hints>,
    hints_due: Option<Duration>,
    tell: UnboundedSender<Message>,
    settle: Settle,
    notes: Notes,
    dirty: BTreeSet<RelPath>,
    due: BTreeMap<RelPath, Duration>,
    walker: Walker,
    walking: bool,
    /// Units that were walked a moment ago, and when they may be walked again.
    walk_again: HashMap<RelPath, WalkAgain>,
    ready: VecDeque<(Stage, Still)>,
    /// Units of which not all could be taken, since enough is ready, and how many about were left.
    behind: BTreeMap<RelPath, usize>,
    turns: Turns<Inspected>,
    to_make: VecDeque<Job>,
    to_commit: Vec<(Job, Made)>,
    /// Since when the first of these waits.
    to_commit_since: Duration,
    in_hand: HashMap<RelPath, State>,
    /// Those of them that a walk saw changed meanwhile.
    changed: HashSet<RelPath>,
    /// Names that were given or taken while a walk was under way: it may have seen half of an asset.
    fresh: HashSet<RelPath>,
    held: BTreeMap<RelPath, Held>,
    /// The last reason that was told of each file, so that none is told twice.
    told: BTreeMap<RelPath, Arc<str>>,
    /// Reasons that were given, so that those who wait for the same share it.
    reasons: HashSet<Arc<str>>,
    odd_seen: BTreeMap<RelPath, String>,
    tries: BTreeMap<RelPath, Tries>,
    busy: usize,
    /// Asked once: the answer costs several files.
    cores: usize,
    weight: u64,
    committing: bool,
    needs_recovery: bool,
    recovery: Recovery,
    undo: Undo,
    bundles_dirty: BTreeSet<BundleName>,
    /// Since when the first of these waits.
    bundles_since: Duration,
    /// Whether tags changed, so that every bundle is to be looked at.
    all_bundles_dirty: bool,
    /// When records may be tended again after one could not be, and the pause after that.
    tend_again: (Duration, Duration),
    /// Folders and bundles that could not be looked at.
    unseen: BTreeSet<RelPath>,
    tags_dirty: BTreeSet<RelPath>,
    /// Folders with shared tags and bundles whose records do not stand still: when they are looked at again, and
    /// whether time alone ends that.
    tend_due: BTreeMap<Tended, (Duration, bool)>,
    /// Tag files that nobody can read, and why: told once.
    broken_tags: BTreeMap<RelPath, String>,
    tending: HashSet<RelPath>,
    second_looks: SecondLooks,
    /// Until when a file is watched that nothing but time keeps from being taken.
    quiet_until: Duration,
    done: u64,
    failed: u64,
    next_progress: Duration,
    next_rescan: Duration,
    rounds: u32,
    glances: Glances,
    checking: bool,
    wants_check: bool,
    /// Areas that are not there, or not the folders that they were.
    detached: BTreeSet<RelPath>,
    /// The mount that each area lies on.
    mounts: BTreeMap<RelPath, u64>,
    hearing: rounds::Hearing,
    room: Room,
    repeats: report::Repeats,
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
    ) -> std::io::Result<Self> {
        let settings = &mill.settings.settle;
        let (settle, notes) = waits(settings);
        let next_rescan = clock.steady() + settings.rescan;
        let second_looks = SecondLooks::new(settings.quiet, settings.weak_quiet);
        let walker = Walker::start()?;
        Ok(Self {
            mill,
            journal: Arc::new(Mutex::new(journal)),
            layout,
            areas,
            clock,
            watch: None,
            hints: Arc::default(),
            hints_due: None,
            tell,
            settle,
            notes,
            dirty: BTreeSet::new(),
            due: BTreeMap::new(),
            walker,
            walking: false,
            walk_again: HashMap::new(),
            ready: VecDeque::new(),
            behind: BTreeMap::new(),
            turns: Turns::default(),
            to_make: VecDeque::new(),
            to_commit: Vec::new(),
            to_commit_since: Duration::ZERO,
            in_hand: HashMap::new(),
            changed: HashSet::new(),
            fresh: HashSet::new(),
            held: BTreeMap::new(),
            told: BTreeMap::new(),
            reasons: HashSet::new(),
            odd_seen: BTreeMap::new(),
            tries: BTreeMap::new(),
            busy: 0,
            cores: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            weight: 0,
            committing: false,
            needs_recovery: false,
            recovery: Recovery::default(),
            undo: Undo::default(),
            bundles_dirty: BTreeSet::new(),
            bundles_since: Duration::ZERO,
            all_bundles_dirty: false,
            tend_again: (Duration::ZERO, TEND_PAUSE),
            unseen: BTreeSet::new(),
            tags_dirty: BTreeSet::new(),
            tend_due: BTreeMap::new(),
            broken_tags: BTreeMap::new(),
            tending: HashSet::new(),
            second_looks,
            quiet_until: Duration::ZERO,
            done: 0,
            failed: 0,
            next_progress: PROGRESS_EVERY,
            next_rescan,
            rounds: 0,
            glances: Glances::default(),
            checking: false,
            wants_check: false,
            detached: BTreeSet::new(),
            mounts: BTreeMap::new(),
            hearing: rounds::Hearing::default(),
            room: Room::default(),
            repeats: report::Repeats::default(),
            stopping: false,
            first_walk_done: false,
        })
    }

    /// Marks everything to be looked at.
    pub(in crate::service) fn look_everywhere(&mut self) {
        self.look_at_units();
        self.bundles_dirty.extend(self.mill.bundle_names());
        self.next_rescan = self.clock.steady() + self.mill.settings.settle.rescan;
    }

    /// Lets everything that is held be decided anew, by what was seen of it already.
    fn reconsider(&mut self) {
        self.held.values_mut().for_each(|held| held.until = Some(Duration::ZERO));
        self.look_at_units();
    }

    fn look_at_units(&mut self) {
        self.dirty.extend(self.mill.units.iter().cloned());
    }

    /// Takes one message.
    pub(in crate::service) fn take(&mut self, message: Message) {
        match message {
            Message::Hinted => {
                let pause = if self.in_hand.is_empty() { Duration::ZERO } else { HINT_PAUSE };
                self.hints_due = Some(self.clock.steady() + pause);
            }
            Message::Checked(checked) => self.take_checked(checked),
            Message::Glanced(changed, last) => self.take_glance(&changed, &last),
            Message::Surveyed(unit, took, result) => self.take_survey(&unit, took, result),
            Message::Inspected(first, inspected) => self.take_inspected(first, inspected),
            Message::Made(made) => {
                self.busy -= 1;
                made.into_iter().for_each(|(job, result)| self.take_made(job, result));
            }
            Message::Committed(jobs, results) => self.take_commits(jobs, results),
            Message::Recovered(result) => self.take_recovered(result),
            Message::Undone(receipts) => self.take_undone(receipts),
            Message::LookedTwice(looks) => self.take_second_looks(looks),
            Message::Ended(ended) => self.take_ended(ended),
            Message::Signal(Signal::Stop) => self.stopping = true,
            // A reload needs the file and the command line: the shell does it.
            Message::Signal(Signal::Reload) => (),
        }
    }

    /// Takes what the watches told, if it is time.
    fn take_hints(&mut self, now: Duration) {
        if self.hints_due.is_none_or(|due| due > now) {
            return;
        }
        self.hints_due = None;
        for hint in self.hints.take() {
            match hint {
                Hint::Everywhere => {
                    if self.repeats.is_news("events dropped", now) {
                        report::rescan();
                    }
                    self.look_everywhere();
                }
                Hint::Near(path) => self.take_hint(&path),
                Hint::Gone(path) => self.take_gone(&path),
            }
        }
    }

    /// Takes the releases that people gave; what was held back by a gate is decided anew.
    pub(in crate::service) fn collect_releases(&mut self) {
        self.undo.wanted.extend(collect_undo(&self.mill.vault.mailbox()));
        let moment = self.clock.now();
        let believed = self.mill.memory.believed(&moment);
        if self.mill.releases.collect(&self.mill.vault.mailbox(), believed, moment.steady) {
            self.reconsider();
        }
    }

    /// Returns whether nothing is left that time alone would not change.
    pub(in crate::service) fn is_idle(&self) -> bool {
        let soon = self.clock.steady() + Duration::from_secs(3);
        let pending = self.due.values().any(|due| *due <= soon) || self.notes.is_any_fresh(self.clock.steady());
        if self.needs_recovery {
            return self.recovery.again > soon && self.busy == 0 && !self.committing && !self.walking;
        }
        let is_joining = !self.bundles_dirty.is_empty() || self.all_bundles_dirty;
        let joins = is_joining && self.mill.pauses.why_stage(Stage::Upload).is_none();
        let walk_left = self.walking || !self.dirty.is_empty();
        self.is_quiet()
            && !walk_left
            && !pending
            && !self.checking
            && self.hints_due.is_none()
            && self.held.values().all(|held| !held.is_trial)
            && self.quiet_until <= self.clock.steady()
            && !self.tend_due.values().any(|(_, is_by_time)| *is_by_time)
            && !self.second_looks.is_settling()
            && (!joins && self.tags_dirty.is_empty() && self.mill.gone.due().is_none() || self.tend_again.0 > soon)
            && self.undo.wanted.is_empty()
            && (!self.recovery.is_refused || self.recovery.again > soon)
    }

    /// Returns whether no work is in hand, so that the program may end.
    pub(in crate::service) fn is_at_rest(&self) -> bool {
        let is_left = !self.to_commit.is_empty() || !self.undo.wanted.is_empty();
        self.busy == 0 && !self.committing && (!is_left || self.needs_recovery)
    }

    /// Returns how many assets are on their way.
    fn in_work(&self) -> usize {
        self.in_hand.len() + self.tending.len()
    }

    /// Returns one line on how things stand.
    pub(in crate::service) fn summary(&self) -> String {
        let left = self.in_work();
        format!("{} done, {left} in work, {} held, {} set aside", self.done, self.held.len(), self.failed)
    }

    /// Returns how many assets had to be set aside, and folders are paused.
    pub(in crate::service) fn failed(&self) -> u64 {
        let undone = self.mill.pauses.all().count() + self.unseen.len() + self.tries.len();
        let is_stuck = self.needs_recovery
            || self.recovery.is_refused
            || !self.bundles_dirty.is_empty()
            || !self.tags_dirty.is_empty();
        self.failed + undone as u64 + u64::from(is_stuck)
    }

    /// Takes new settings.
    pub(in crate::service) fn reload(&mut self, settings: Arc<crate::config::Settings>) {
        let settle = &settings.settle;
        self.second_looks.reload(settle.quiet, settle.weak_quiet);
        (self.settle, self.notes) = waits(settle);
        self.mill.reload(settings);
        self.reconsider();
        self.look_everywhere();
    }
}

/// Returns what tells when files, and notes, are complete.
fn waits(settings: &SettleSettings) -> (Settle, Notes) {
    let settle = Settle::new(settings.quiet, settings.weak_quiet, settings.patience);
    (settle, Notes::new(settings.notes_quiet, settings.patience))
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
    let vault = dispatcher.mill.vault.clone();
    let _at_work = vault.disk().at_work();
    while let Some(message) = next {
        if let Message::Signal(signal) = &message {
            signals.push(*signal);
        }
        dispatcher.take(message);
        next = messages.try_recv().ok();
    }
    signals
}

fn state_of(candidate: &Candidate) -> State {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut state = DefaultHasher::new();
    candidate.files().for_each(|found| found.entry.identity.hash(&mut state));
    // What it waits for may come or go while its own files stay as they are.
    candidate.missing.hash(&mut state);
    State(state.finish())
}

/// Returns the records that a plan writes or takes away: one plan at a time for each.
fn tended(plan: &Plan) -> impl Iterator<Item = &RelPath> {
    plan.products.iter().map(|product| &product.to).chain(plan.removes.iter().map(|gone| &gone.path))
}

/// Runs work on one asset so that a panic in a decoder costs that asset and nothing else.
fn survive<T>(work: impl FnOnce() -> Result<T, MakeError>) -> Result<T, MakeError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(MakeError::Content(crate::craft::CraftError::Damaged("a decoder gave up on it".to_owned())))
    })
}
