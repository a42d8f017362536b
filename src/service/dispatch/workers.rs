//! The workers: the only place that starts work and sends messages. Each answers what it did.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::job::{Job, Looked};
use super::message::{Heard, Looks, Message, ToLook, Work};
use super::second_looks::Seen;
use super::threads::Threads;
use crate::config::{Settings, SettleSettings};
use crate::intake::{Hint, Hints, Watch, WatchProblem};
use crate::make::{Insides, Limits, inspect, make, survive};
use crate::model::{Identity, RelPath, Stage, ThemeSlug};
use crate::plan::BundleName;
use crate::report;
use crate::service::check::check;
use crate::service::clock::Clock;
use crate::service::decide::{Found, Order, RecordKeeper, TAG_SETS, Tended, judge_gone};
use crate::service::path_in;
use crate::service::requests;
use crate::service::rows::{Rows, Stop};
use crate::service::sent::home_of;
use crate::service::survey::{survey, units_near};
use crate::vault::own_names::{HOME, PROBE};
use crate::vault::{Aside, DiskResult, Journal, Layout, Look, Made, Recovered, Space, Vault};

/// Everything that workers work with.
pub(in crate::service) struct Workers {
    vault: Vault,
    journal: Arc<Mutex<Journal>>,
    pub(in crate::service) layout: Layout,
    pub(in crate::service) clock: Clock,
    watch: Option<Arc<Mutex<Watch>>>,
    /// Where the watch leaves what it is told.
    pub(in crate::service) hints: Arc<Hints>,
    threads: Threads,
    /// What the walks saw inside files.
    insides: Arc<Insides>,
    keeper: Arc<Mutex<RecordKeeper>>,
    folders: Folders,
    /// Tells them to leave pictures that are not ready.
    pub(in crate::service) stop: Stop,
    tell: UnboundedSender<Message>,
}

/// The beginnings of paths below some folders, up to the last slash.
struct Folders {
    home: Vec<u8>,
    tag_sets: Vec<u8>,
    upload: Vec<u8>,
}

impl Folders {
    fn of(layout: &Layout) -> Self {
        let below = |name: &str| [layout.folder(name.as_ref()).as_os_str().as_encoded_bytes(), b"/"].concat();
        Self { home: below(HOME), tag_sets: below(TAG_SETS), upload: below(Stage::Upload.name()) }
    }
}

impl Workers {
    /// Returns workers with nothing to do, that watch nothing.
    pub(in crate::service) fn new(
        vault: Vault,
        journal: Journal,
        layout: Layout,
        settle: &SettleSettings,
        tell: UnboundedSender<Message>,
    ) -> std::io::Result<Self> {
        Ok(Self {
            vault,
            journal: Arc::new(Mutex::new(journal)),
            folders: Folders::of(&layout),
            layout,
            clock: Clock::start(),
            watch: None,
            hints: Arc::default(),
            threads: Threads::start()?,
            insides: Arc::default(),
            stop: Stop::default(),
            keeper: Arc::new(Mutex::new(RecordKeeper::new(settle))),
            tell,
        })
    }

    /// Takes the watch that leaves what happens in [`Self::hints`], if there is one.
    pub(in crate::service) fn watch(&mut self, watch: Option<Watch>) {
        self.watch = watch.map(|watch| Arc::new(Mutex::new(watch)));
    }

    /// Returns whether something is watched.
    pub(in crate::service) fn is_watching(&self) -> bool {
        self.watch.is_some()
    }

    /// Returns a handle that keeps folders open for a moment, since more is about to be looked at.
    pub(in crate::service) fn at_work(&self) -> impl Drop + use<> {
        self.vault.disk().at_work()
    }

    /// Returns how much room an area's disk has.
    pub(in crate::service) fn space(&self, area: &RelPath) -> Option<Space> {
        self.vault.disk().space(area).ok()
    }

    /// Returns what the watches told since the last call.
    pub(in crate::service) fn heard(&self) -> Vec<Heard> {
        self.hints.take().into_iter().flat_map(|hint| self.translate(&hint)).collect()
    }

    fn translate(&self, hint: &Hint) -> Vec<Heard> {
        match hint {
            Hint::Everywhere => vec![Heard::Everywhere],
            Hint::Near(path) => vec![self.near(path)],
            Hint::Gone(path) => {
                // A folder that went takes its watch along; one that comes under its name needs a new one.
                let folder = path_in(&self.layout, path).filter(|folder| self.forget_watch(folder));
                let is_area = folder.is_some_and(|folder| folder.parent().is_none());
                is_area.then_some(Heard::AreaGone).into_iter().chain([self.near(path)]).collect()
            }
        }
    }

    fn near(&self, path: &std::path::Path) -> Heard {
        // Thousands of hints come in a burst: most are told apart by the beginnings of their paths.
        let is_below = |folder: &[u8]| path.as_os_str().as_encoded_bytes().starts_with(folder);
        if is_below(&self.folders.home) {
            return Heard::Request;
        }
        if is_below(&self.folders.tag_sets) {
            return Heard::TagSets;
        }
        let is_probe = path.file_name().is_some_and(|name| name == PROBE);
        let inside = if is_probe || is_below(&self.folders.upload) { path_in(&self.layout, path) } else { None };
        if let Some(probe) = inside.as_ref().filter(|_| is_probe) {
            return Heard::Probe(probe.area_path());
        }
        match inside.as_ref().and_then(BundleName::of) {
            Some(name) => Heard::Bundle(name),
            None => Heard::Near(units_near(&self.layout, path)),
        }
    }

    fn forget_watch(&self, folder: &RelPath) -> bool {
        let Some(watch) = &self.watch else { return false };
        let mut watch = watch.lock().expect("no watch holder panics");
        let holds = watch.holds(folder);
        if holds {
            watch.forget(folder);
        }
        holds
    }

    /// Starts work.
    pub(in crate::service) fn start(&self, work: Work) {
        match work {
            Work::Walk { unit, settings } => self.walk(unit, settings),
            Work::Compare(folders) => self.on_walker(move |vault| Some(compare(vault.disk(), folders))),
            Work::ForgetWatches(area) => {
                self.watch.iter().for_each(|watch| watch.lock().expect("no watch holder panics").forget(&area));
            }
            Work::Tend { records, order } => self.tend(records, order),
            Work::JudgeGone(themes) => self.judge_gone(themes),
            Work::Check { areas, away } => {
                self.on_any(move |vault| Some(Message::Checked(check(vault, &areas, &away))));
            }
            Work::Probe(areas) => self.on_any(move |vault| {
                vault.stir(&areas);
                None
            }),
            Work::Look { first, chunk, limits } => self.on_any(move |vault| Some(look(vault, first, chunk, &limits))),
            Work::Make { chunk, limits, nice } => {
                let (stop, clock) = (self.stop.clone(), self.clock);
                let make = self.answering(move |vault| Some(make_all(vault, chunk, &limits, &stop, clock)));
                match nice {
                    Some(nice) => self.threads.slow(nice, make),
                    None => self.threads.any(make),
                }
            }
            Work::LookTwice(asides) => self.on_any(move |vault| Some(look_twice(vault.disk(), asides))),
            Work::Commit { batch, now } => {
                self.with_journal(move |vault, journal| Some(commit(vault, journal, batch, now)));
            }
            Work::Undo { posted, rules, now } => {
                let (stop, clock) = (self.stop.clone(), self.clock);
                self.with_journal(move |vault, journal| {
                    let rows = Rows::new(&stop, clock, None);
                    Some(Message::Undone(requests::answer(vault, journal, &posted, &rules, &rows, now)))
                });
            }
            Work::Recover(areas) => {
                self.with_journal(move |vault, journal| Some(Message::Recovered(recover(vault, journal, &areas))));
            }
            Work::Purge { areas, limits, now_ns, unsure } => self.with_journal(move |vault, _| {
                // A batch in hand may have to bring back what it took aside: nothing goes meanwhile. What cannot be
                // removed now is tried again in the next round.
                vault.purge_trash(&areas, now_ns, limits, &|kept| unsure.contains(kept));
                None
            }),
            // `undo` may want the very same files.
            Work::End(asides) => self.with_journal(move |vault, _| Some(end(vault, asides))),
        }
    }

    fn walk(&self, unit: RelPath, settings: Arc<Settings>) {
        let (watch, insides, clock) = (self.watch.clone(), self.insides.clone(), self.clock);
        self.on_walker(move |vault| {
            let begun = clock.now();
            let (disk, ignore) = (vault.disk(), &settings.settle.ignore);
            let result = survey(disk, watch.as_ref(), &unit, ignore, &insides, begun.for_settle());
            let took = clock.steady().saturating_sub(begun.steady);
            Some(Message::Walked(unit, took, result.map(Box::new)))
        });
    }

    fn judge_gone(&self, themes: Vec<(bool, ThemeSlug)>) {
        let clock = self.clock;
        self.on_any(move |vault| {
            let begun = clock.steady();
            let verdicts = judge_gone(vault.disk(), themes);
            Some(Message::GoneJudged(verdicts, clock.steady().saturating_sub(begun)))
        });
    }

    fn tend(&self, records: Vec<Tended>, order: Order) {
        let (keeper, watch) = (self.keeper.clone(), self.watch.clone());
        self.on_any(move |vault| {
            let mut keeper = keeper.lock().expect("no keeper panics");
            let (disk, begun_ns) = (vault.disk(), order.now.wall_ns);
            // Walks want it, too: it is held for a moment each time.
            let watch = || watch.as_ref().map(|watch| watch.lock().expect("no watch holder panics"));
            let mut problem = watch().and_then(|mut watch| watch_tag_sets(&mut watch, disk).err());
            let (copies, mut found) = (order.copies(disk, &records), Vec::new());
            for record in records {
                let seen = keeper.tend(disk, &record, &order);
                if let (Tended::Bundle(name), Ok(Found::Bundle(bundle))) = (&record, &seen)
                    && let Some(mut watch) = watch()
                {
                    let watched = watch_bundle(&mut watch, name, &bundle.folders, bundle.bundle.is_some());
                    problem = problem.or(watched.err());
                }
                found.push((record, seen));
            }
            Some(Message::Tended(Looks { found, copies, begun_ns, problem }))
        });
    }

    /// Works on any thread.
    fn on_any(&self, work: impl FnOnce(&Vault) -> Option<Message> + Send + 'static) {
        let work = self.answering(work);
        self.threads.any(work);
    }

    /// Works on any thread while nobody else has the journal.
    fn with_journal(&self, work: impl FnOnce(&Vault, &mut Journal) -> Option<Message> + Send + 'static) {
        let journal = self.journal.clone();
        self.on_any(move |vault| work(vault, &mut journal.lock().expect("no journal holder panics")));
    }

    /// Works on the walks' own thread.
    fn on_walker(&self, work: impl FnOnce(&Vault) -> Option<Message> + Send + 'static) {
        self.threads.walk(self.answering(work));
    }

    fn answering(
        &self,
        work: impl FnOnce(&Vault) -> Option<Message> + Send + 'static,
    ) -> impl FnOnce() + Send + 'static {
        let (vault, tell) = (self.vault.clone(), self.tell.clone());
        move || {
            let answer = {
                let _at_work = vault.disk().at_work();
                work(&vault)
            };
            // Nobody listens any more at the very end.
            answer.into_iter().for_each(|answer| drop(tell.send(answer)));
        }
    }
}

pub(super) fn look(vault: &Vault, first: Option<u64>, chunk: Vec<ToLook>, limits: &Limits) -> Message {
    let looks = chunk.into_iter().map(|to_look| look_into(vault.disk(), to_look, limits));
    Message::Looked(first, looks.collect())
}

pub(super) fn make_all(vault: &Vault, chunk: Vec<Job>, limits: &Limits, stop: &Stop, clock: Clock) -> Message {
    let made = chunk.into_iter().map(|job| {
        let rows = Rows::new(stop, clock, job.facts.as_ref().map(|facts| &facts.path));
        let made = survive(|| make(vault, &job.plan, limits, &rows));
        (job, made)
    });
    Message::Made(made.collect())
}

pub(super) fn commit(vault: &Vault, journal: &mut Journal, batch: Vec<(Job, Made)>, now: Timestamp) -> Message {
    let (jobs, batch) = batch.into_iter().unzip();
    let results = vault.commit(journal, batch, now);
    if journal.was_renewed() {
        report::journal_renewed();
    }
    Message::Committed(jobs, results)
}

pub(super) fn recover(vault: &Vault, journal: &mut Journal, areas: &[RelPath]) -> DiskResult<Recovered> {
    let (fresh, records) = vault.open_journal()?;
    *journal = fresh;
    vault.recover(journal, &records, areas)
}

pub(super) fn look_twice(disk: &dyn Look, asides: Vec<Aside>) -> Message {
    let looks = asides.into_iter().map(|aside| {
        let seen = look_again(disk, &aside.kept).ok();
        (aside, seen)
    });
    Message::LookedTwice(looks.collect())
}

pub(super) fn end(vault: &Vault, asides: Vec<Aside>) -> Message {
    let ended = asides.into_iter().map(|aside| {
        let ended = aside.end(vault, &|place| home_of(vault.disk(), place));
        (aside, ended)
    });
    Message::Ended(ended.collect())
}

fn look_into(disk: &dyn Look, to_look: ToLook, limits: &Limits) -> Looked {
    let ToLook { stage, is_document, still } = to_look;
    let has_writer = |path: &RelPath| disk.has_writer(path).unwrap_or(None);
    match still.settled(&has_writer) {
        Err(unsettled) => Looked::Unsettled(unsettled),
        Ok(settled) => {
            let result = survive(|| inspect(disk, stage, &settled, is_document, limits));
            Looked::Settled(Box::new(settled), Box::new(result))
        }
    }
}

/// Returns which folders are not as they were.
pub(super) fn compare(disk: &dyn Look, folders: Vec<(RelPath, i64)>) -> Message {
    let last = folders.last().expect("something is compared").0.clone();
    let is_same = |folder: &RelPath, stamp: i64| matches!(disk.stat(folder), Ok(Some(entry)) if entry.identity.modified_ns == stamp);
    let changed = folders.into_iter().filter(|(folder, stamp)| !is_same(folder, *stamp));
    Message::Compared(changed.map(|(folder, _)| folder).collect(), last)
}

fn look_again(disk: &dyn Look, kept: &RelPath) -> DiskResult<Seen> {
    let Some(entry) = disk.stat(kept)? else { return Ok((None, None)) };
    Ok((Some(entry.identity), disk.has_writer(kept)?))
}

/// Watches a bundle in which people may edit sidecars and take out parts, and no other.
fn watch_bundle(
    watch: &mut Watch,
    name: &BundleName,
    folders: &[(RelPath, Identity)],
    is_open: bool,
) -> Result<(), WatchProblem> {
    let top = name.folder();
    if !is_open {
        watch.forget(&top);
    }
    let mut inner = folders.iter().filter(|(folder, _)| is_open && *folder != top && folder.is_in(&top));
    inner.try_for_each(|(folder, identity)| watch.add(folder, identity.inode))
}

/// Watches the tag sets, once there are some.
fn watch_tag_sets(watch: &mut Watch, disk: &dyn Look) -> Result<(), WatchProblem> {
    let folder = RelPath::new(TAG_SETS).expect("a constant is a clean path");
    match disk.stat(&folder) {
        Ok(Some(entry)) => watch.add(&folder, entry.identity.inode),
        _ => Ok(()),
    }
}
