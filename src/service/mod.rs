//! The shell: one dispatcher that owns all state, workers, signals, readiness, reload, timers. It
//! starts what the other rooms do, and never does their work itself.

mod burst;
mod carried_out;
mod check;
mod checkup;
mod clock;
mod convert;
mod decide;
mod dispatch;
mod ledger;
mod made_files;
mod misplaced;
mod nets;
mod pauses;
mod program;
mod pulse;
mod reach;
mod ready;
mod release;
mod reload;
mod remake;
mod requests;
mod retry;
mod rows;
mod sandbox;
mod send;
mod sent;
mod survey;
mod theme_files;
mod undo;
mod units;
mod verdicts;
mod verify;
mod view;
mod why;

pub use crate::make::{HELPER, NOT_RUN, NOT_RUN_SAYS};
pub use checkup::{Finding, Level, check_up, market_notes};
pub use clock::{Clock, Moment};
pub use convert::{CONVERTED_BYTES_MAX, Conversion, ConvertError, Input, Resize, convert, plain_reason};
pub use nets::{NET_FILE_BYTES_MAX, NetFacts, NetFile, NetLine, list_nets};
pub use program::{Confinement, NotRun, become_program, find_program};
pub use release::{BehindGate, How, Released, release};
pub use reload::{Reading, Reload, Sound, Taken, read_settled};
pub use requests::carry_out_here;
pub use verify::{MovedByHand, NotFromHere, Problem, Unmatched, Verified, Wrong, verify};
pub use view::{
    AnswerCount, AssetStatus, BundleStatus, Explained, Future, Group, Line, Overview, StageCount, Unwise, View,
    dealing_with, dealt_assets,
};
pub use why::{Why, WhyKind};

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::config::Settings;
use crate::intake::{Watch, WatchProblem};
use crate::model::{CommandLine, RelPath, Stage};
use crate::report;
use crate::vault::own_names::requests_folder;
use crate::vault::{Aside, DiskError, Journal, Layout, Lock, LockError, RealDisk, Recovered, Vault, plain};
use check::{Checked, check};
use decide::Decider;
use dispatch::{Dispatcher, Message, Workers};
use ledger::Ledger;
use reach::Reach;
use reload::{Answer, Reloading};

/// What the system asks of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Finish the step in hand and end.
    Stop,
    /// Read the settings again.
    Reload,
}

/// Why the daemon could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Another daemon works on the root.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The root or a stage folder cannot be made.
    #[error("cannot make the folders below `{path}`: {}; choose another place with --root", plain(source))]
    Folders {
        /// The root.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gives no threads or no signals.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
}

/// Whether to go on for ever or until nothing is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Until a signal comes.
    Stopped,
    /// Until nothing is left to do.
    Idle,
}

/// The areas that hold assets.
pub const AREAS: [&str; 7] = ["raw", "keep", "export", "upload", "archive", "failed", "ideas"];

/// Works on a root; returns how many assets had to be set aside, and folders are paused in the end.
/// `begins` is called once nobody else can work on it, before anything is told of it. `reads` are the folders that
/// `reload` looks into: beside them and the mill, nothing can be reached any more.
pub fn run(
    taken: Taken,
    until: Until,
    begins: &dyn Fn(&Sound),
    reload: &Reload,
    reads: &[PathBuf],
) -> Result<u64, ServiceError> {
    let reloading = Reloading::new(&**reload, &taken);
    let opened = Opened::open(&taken.sound.settings, &|| begins(&taken.sound))?;
    let settings = Arc::new(taken.sound.settings);
    // Before any thread is started: each inherits the confinement from the one that starts it.
    let reach = settings.keep.command.as_deref().map(reach_of);
    sandbox::confine(&opened.layout, reads, reach.as_ref()).tell();
    let work = || -> Result<u64, ServiceError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
        let failed = runtime.block_on(serve(opened, settings, until, reloading))?;
        runtime.shutdown_timeout(Duration::from_secs(5));
        Ok(failed)
    };
    // The first thread does nothing but take signals: the system gives them to it, and one that waits for a disk
    // that does not answer would never hear them.
    std::thread::scope(|scope| {
        let name = std::thread::Builder::new().name("dispatcher".to_owned()).stack_size(STACK_BYTES);
        let ended = name.spawn_scoped(scope, work)?.join();
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Returns what the program that the settings name must reach.
fn reach_of(line: &CommandLine) -> Reach {
    let found = find_program(line.program(), &std::env::var_os("PATH").unwrap_or_default());
    // One that is not there yet is looked for again each time.
    let program = found.map_or_else(|_| line.program().into(), PathBuf::into_os_string);
    let behind = line.written()[1..].iter().map(OsStr::new);
    Reach::of(std::iter::once(program.as_os_str()).chain(behind))
}

/// As much as the first thread of a process has.
const STACK_BYTES: usize = 8 << 20;

/// A root that is locked, recovered and remembered.
struct Opened {
    _lock: Lock,
    layout: Layout,
    vault: Vault,
    journal: Journal,
    ledger: Ledger,
    areas: Vec<RelPath>,
    checked: Vec<Checked>,
    recovered: Recovered,
    /// What lies aside and may have been written to while nobody looked.
    asides: Vec<Aside>,
}

impl Opened {
    fn open(settings: &Settings, begins: &dyn Fn()) -> Result<Self, ServiceError> {
        let layout = layout(settings);
        let folders = |source| ServiceError::Folders { path: settings.root.display().to_string(), source };
        let disk = Arc::new(RealDisk::open(layout.clone()).map_err(folders)?);
        let lock = Lock::take(&layout.home())?;
        begins();
        let areas = areas();
        let (mut journal, records) = Journal::open(&*disk)?;
        journal.damaged().iter().for_each(report::journal_damaged);
        let vault = Vault::new(disk, &records)?;
        let checked = check(&vault, &areas, &[]);
        let attached: Vec<RelPath> =
            checked.iter().filter(|found| found.attached.is_ok()).map(|found| found.area.clone()).collect();
        let recovered = vault.recover(&mut journal, &records, &attached)?;
        report::recovered(&recovered);
        let records = Journal::read_only(vault.disk())?;
        vault.ensure_folder(&requests_folder())?;
        let ledger = Ledger::rebuild(vault.disk(), &records, &areas);
        let asides = Aside::left(vault.disk(), &records, &attached);
        Ok(Self { _lock: lock, layout, vault, journal, ledger, areas, checked, recovered, asides })
    }
}

/// Returns the areas that hold assets, as paths.
fn areas() -> Vec<RelPath> {
    AREAS.iter().map(|area| RelPath::new(area).expect("an area is clean")).collect()
}

/// Returns where the areas of a root lie.
pub fn layout(settings: &Settings) -> Layout {
    let folders = &settings.folders;
    let mut areas: std::collections::BTreeMap<std::ffi::OsString, PathBuf> =
        Stage::ALL.into_iter().map(|stage| (stage.name().into(), folders.stage(stage).to_owned())).collect();
    areas.insert("archive".into(), folders.archive.clone());
    areas.insert("failed".into(), folders.failed.clone());
    areas.insert("logs".into(), folders.logs.clone());
    Layout { root: settings.root.clone(), areas }
}

/// Returns a real path as the root's areas name it.
pub fn path_in(layout: &Layout, real: &std::path::Path) -> Option<RelPath> {
    let areas = layout.areas.iter().filter_map(|(area, folder)| Some((area, real.strip_prefix(folder).ok()?)));
    let (area, below) = areas.min_by_key(|(_, below)| below.as_os_str().len())?;
    let area = RelPath::new(area).ok()?;
    if below.as_os_str().is_empty() { Some(area) } else { Some(area.join(RelPath::new(below).ok()?.as_path())) }
}

async fn serve(
    opened: Opened,
    settings: Arc<Settings>,
    until: Until,
    mut reloading: Reloading<'_>,
) -> Result<u64, ServiceError> {
    let (tell, mut messages) = unbounded_channel();
    let pulse = Arc::new(pulse::Pulse::default());
    let mut workers =
        Workers::new(opened.vault.clone(), opened.journal, opened.layout, &settings.settle, tell.clone())?;
    listen_for_signals(tell.clone(), pulse.clone())?;
    tokio::spawn(pulse.clone().watch());
    if until == Until::Stopped {
        workers.watch(start_watch(&workers, tell));
    }
    let now = workers.clock.now();
    let decide = Decider::new(opened.vault, settings, opened.ledger);
    let mut dispatcher = Dispatcher::new(decide, opened.areas, workers.is_watching(), now.steady);
    dispatcher.take_opened(opened.checked, &opened.recovered, opened.asides, &now);
    dispatcher.tell_wrong_clock(&now);
    dispatcher.read_requests(&now);
    dispatcher.look_everywhere(&now);
    work(&mut dispatcher, &workers, &mut messages, until, &mut reloading, &pulse).await;
    dispatcher.save_releases();
    Ok(dispatcher.failed(workers.clock.steady()))
}

async fn work(
    dispatcher: &mut Dispatcher,
    workers: &Workers,
    messages: &mut UnboundedReceiver<Message>,
    until: Until,
    reloading: &mut Reloading<'_>,
    pulse: &pulse::Pulse,
) {
    let mut ready = ready::Ready::new();
    loop {
        pulse.beat();
        let now = workers.clock.now();
        if dispatcher.listens(&now) {
            dispatcher.hear(workers.heard(), &now);
        }
        let (begun, wake) = dispatcher.turn(&now, &|area| workers.space(area));
        begun.into_iter().for_each(|work| workers.start(work));
        if until == Until::Idle && dispatcher.is_idle(now.steady) {
            return report::ended(dispatcher.summary());
        }
        let wake = reloading.next().map_or(wake, |at| wake.min(at.saturating_sub(now.steady)));
        let signals = receive(dispatcher, workers, messages, wake).await;
        let now = workers.clock.now();
        if signals.contains(&Signal::Reload) {
            ready::Ready::reloading();
            reloading.ask();
        }
        if let Some(answer) = reloading.turn(dispatcher.settings(), now.for_settle()) {
            take_settings(dispatcher, answer, &now);
            ready.reloaded();
        }
        if until == Until::Stopped && dispatcher.was_all_walked() {
            ready.ready();
        }
        ready.alive(&dispatcher.summary().to_string(), now.steady);
        if dispatcher.is_stopping() {
            ready.stopping();
            workers.stop.tell();
            if dispatcher.is_at_rest() {
                dispatcher.tell_files();
                report::stopped(dispatcher.summary());
                return;
            }
        }
    }
}

/// Waits for a message, at most for `patience`, and takes all that are there; returns the signals among them.
async fn receive(
    dispatcher: &mut Dispatcher,
    workers: &Workers,
    messages: &mut UnboundedReceiver<Message>,
    patience: Duration,
) -> Vec<Signal> {
    let mut signals = Vec::new();
    let mut next = tokio::time::timeout(patience, messages.recv()).await.ok().flatten();
    let _at_work = workers.at_work();
    let now = workers.clock.now();
    while let Some(message) = next {
        if let Message::Signal(signal) = &message {
            signals.push(*signal);
        }
        let begun = dispatcher.take(message, &now);
        begun.into_iter().for_each(|work| workers.start(work));
        next = messages.try_recv().ok();
    }
    signals
}

fn take_settings(dispatcher: &mut Dispatcher, answer: Answer, now: &Moment) {
    match answer {
        Answer::Taken(sound) => {
            let before = dispatcher.settings().clone();
            let mut settings = sound.settings;
            report::reloaded(&keep_of_start(&before, &mut settings));
            dispatcher.reload(Arc::new(settings), now);
            let unreached = needs_a_start(&before, dispatcher.settings());
            sound.notes.iter().chain(&sound.lacks).chain(&unreached).for_each(|note| report::settings_note(note));
            tell_changes(&before, dispatcher.settings());
        }
        Answer::Refused(problems) => report::reload_refused(&problems),
        Answer::Waits(why) => report::reload_waits(&why),
    }
}

/// Keeps the sections that only a start reads as they are, and returns the names of those that have changed.
fn keep_of_start(before: &Settings, after: &mut Settings) -> Vec<&'static str> {
    let sections = [("folders", before.folders != after.folders), ("log", before.log != after.log)];
    (after.folders, after.log) = (before.folders.clone(), before.log.clone());
    sections.into_iter().filter_map(|(name, has_changed)| has_changed.then_some(name)).collect()
}

/// Returns what there is to tell of a program that was named after Landlock had confined the daemon.
fn needs_a_start(before: &Settings, after: &Settings) -> Option<String> {
    let named = |settings: &Settings| Some(settings.keep.command.as_deref()?.written().to_vec());
    let (before, after) = (named(before), named(after)?);
    let reaches = |word: &String| !word.starts_with('/') || before.iter().flatten().any(|known| known == word);
    let is_known = before.as_ref().is_some_and(|before| before.first() == after.first());
    (!is_known || !after.iter().all(reaches)).then(|| {
        "`keep.command` names other files than before: Landlock lets them be used once stockmill is started again"
            .to_owned()
    })
}

/// Tells what new settings change about what is sold: nobody is to find out from the market.
fn tell_changes(before: &Settings, after: &Settings) {
    for stage in after.gates.changed_since(&before.gates) {
        let (old, new) = (before.gates.of(stage), after.gates.of(stage));
        report::gate_changed(stage, &old.to_string(), &new.to_string(), new.opens_after(old));
    }
    for market in &after.upload.markets {
        if before.upload.markets.iter().any(|old| old.name == market.name && old != market) {
            report::rules_changed(market.name.as_str());
        }
    }
}

fn start_watch(workers: &Workers, tell: UnboundedSender<Message>) -> Option<Watch> {
    let mut burst = burst::Burst::new(Clock::start());
    let hints = workers.hints.clone();
    let watch = Watch::new(workers.layout.clone(), move |hint| {
        if hints.add(hint) {
            let _ = tell.send(Message::Hinted);
        }
        burst.count();
    });
    let tell_problem = |problem: &WatchProblem| report::watch_problem(problem, Duration::ZERO);
    let mut watch = watch.inspect_err(tell_problem).ok()?;
    watch.add(&requests_folder(), 0).inspect_err(tell_problem).ok();
    Some(watch)
}

fn listen_for_signals(tell: UnboundedSender<Message>, pulse: Arc<pulse::Pulse>) -> Result<(), ServiceError> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    // A limit on the size of files is an answer of the disk, and not the end.
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let signal = if signal == SIGHUP { Signal::Reload } else { Signal::Stop };
            if tell.send(Message::Signal(signal)).is_err() {
                return;
            }
            if signal == Signal::Stop {
                pulse.end_if_silent();
            }
        }
    })?;
    Ok(())
}
