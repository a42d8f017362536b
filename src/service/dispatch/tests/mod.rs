//! A whole dispatcher over a small mill on the disk, turn by turn: each work value is carried out at once by what the
//! workers call, the clock is set by hand, and a test may answer in the disk's place. No thread, no process, no sleep.
#![expect(clippy::disallowed_methods, reason = "a test plays the person who drops files")]

mod areas;
mod days;
mod flow;
mod records;
mod trouble;
mod waits;

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use tempfile::TempDir;

use super::Dispatcher;
use super::job::Job;
use super::message::{Heard, Looks, Message, Work};
use super::workers::{commit, compare, end, look, look_twice, make_all, recover};
use crate::config::Settings;
use crate::make::{Insides, MakeError};
use crate::model::{RelPath, Stage};
use crate::records::{Action, Request, UndoWhat};
use crate::service::check::check;
use crate::service::clock::{Clock, Moment};
use crate::service::decide::{Decider, RecordKeeper, judge_gone};
use crate::service::rows::Stop;
use crate::service::survey::{SurveyError, survey};
use crate::service::view::View;
use crate::service::why::WhyKind;
use crate::service::{BehindGate, Opened, requests};
use crate::vault::{CommitError, DiskError, Journal, Lock, Made, Space, Vault};

/// What lay there for so long is complete.
const DAY: Duration = Duration::from_secs(86_400);
/// So many turns without an end are a defect.
const TURNS_MAX: usize = 3_000;
/// What every mill is set to, unless its own settings say it: small pictures stay small, two workers, and notes go on at once.
const SETTINGS: &str = "keep: {method: none}\nwork: {jobs: 2}\nsettle: {notes_quiet_s: 0, weak_quiet_ms: 500}\n";
const TAGS: &str = "title: Sea\nkeywords: [wave, water, blue]\n";

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

/// What the disk answers instead of what it would.
#[derive(Debug, Clone)]
enum Fault {
    /// It does not list a unit.
    Walk(&'static str, ErrorKind),
    /// A plan whose asset lies below a path cannot be made.
    Make(&'static str, ErrorKind),
    /// It refuses a batch, and nothing of it is left.
    Refused(ErrorKind),
    /// A source changed before the batch was carried out.
    Changed,
    /// It refuses in the middle of a batch.
    Open,
    /// It refuses to recover.
    Recover,
}

/// A dispatcher, what its workers work with, and a clock.
struct Mill {
    home: TempDir,
    dispatcher: Dispatcher,
    vault: Vault,
    journal: Journal,
    insides: Insides,
    keeper: RecordKeeper,
    lock: Lock,
    begun: Timestamp,
    zone: TimeZone,
    steady: Duration,
    messages: VecDeque<Message>,
    heard: Vec<Heard>,
    /// Whether the dispatcher knows that hints wait.
    is_hinted: bool,
    /// Whether the events of probes come.
    hears: bool,
    /// What the disks say of their room, instead of what they have.
    room: Option<u64>,
    /// What goes wrong next, in this order.
    faults: VecDeque<Fault>,
    /// Work whose answer waits until it is let through: its worker is slow.
    slow: Option<&'static str>,
    late: Vec<Message>,
    /// How often each kind of work was begun.
    begun_work: BTreeMap<&'static str, usize>,
    /// How many plans workers took to make.
    made: usize,
}

fn settings(home: &Path, text: &str) -> Arc<Settings> {
    let mut markets = crate::market::built_in().unwrap();
    for market in &mut markets {
        market.megapixels.min = 0.0;
    }
    let is_said = |line: &&str| text.lines().any(|own| own.split(':').next() == line.split(':').next());
    let usual: String = SETTINGS.split_inclusive('\n').filter(|line| !is_said(line)).collect();
    Arc::new(crate::config::load(&format!("{usual}{text}"), home, &markets).unwrap())
}

/// Returns when a mill starts, and a zone in which that is noon. What the mill writes gets its times from the system,
/// which lie in the future: only the clock that is set by hand tells how long it stands still.
fn noon() -> (Timestamp, TimeZone) {
    let now = Timestamp::from_second(Timestamp::now().as_second() - 3_600).unwrap();
    let of_day = i32::try_from(now.as_second().rem_euclid(86_400)).unwrap();
    (now, TimeZone::fixed(Offset::from_seconds(12 * 3_600 - of_day).unwrap()))
}

/// Returns a PNG that no other seed gives.
fn picture(seed: u8) -> Vec<u8> {
    let image = image::RgbImage::from_fn(16, 16, |x, y| {
        image::Rgb([seed, u8::try_from(x * 9).unwrap(), u8::try_from(y * 5).unwrap()])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

impl Mill {
    /// Starts a mill with these settings, in which these files lie since long ago.
    fn new(text: &str, files: &[(&str, &[u8])]) -> Self {
        let home = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            drop_into(home.path(), name, bytes, SystemTime::now() - DAY);
        }
        Self::start(home, text)
    }

    /// Starts the daemon on a folder. It begins at noon by the clock of its zone.
    fn start(home: TempDir, text: &str) -> Self {
        let (begun, zone) = noon();
        Self::start_at(home, text, begun, zone)
    }

    /// Starts the daemon on a folder at some time.
    fn start_at(home: TempDir, text: &str, begun: Timestamp, zone: TimeZone) -> Self {
        let settings = settings(home.path(), text);
        let Opened { _lock: lock, vault, journal, ledger, areas, checked, recovered, asides, .. } =
            Opened::open(&settings, &|| ()).unwrap();
        let keeper = RecordKeeper::new(&settings.settle);
        let decide = Decider::new(vault.clone(), settings, ledger);
        let mut dispatcher = Dispatcher::new(decide, areas, true, Duration::ZERO);
        let now = Moment { local: begun.to_zoned_datetime(zone.clone()), steady: Duration::ZERO };
        dispatcher.take_opened(checked, &recovered, asides, &now);
        dispatcher.tell_wrong_clock(&now);
        dispatcher.read_requests(&now);
        dispatcher.look_everywhere(&now);
        Self {
            home,
            dispatcher,
            vault,
            journal,
            insides: Insides::default(),
            keeper,
            lock,
            begun,
            zone,
            steady: Duration::ZERO,
            messages: VecDeque::new(),
            heard: Vec::new(),
            is_hinted: false,
            hears: true,
            room: None,
            faults: VecDeque::new(),
            slow: None,
            late: Vec::new(),
            begun_work: BTreeMap::new(),
            made: 0,
        }
    }

    /// Ends the daemon, and starts it anew with these settings.
    fn restart(self, text: &str) -> Self {
        let Self { home, lock, .. } = self;
        std::mem::drop(lock);
        Self::start(home, text)
    }

    fn now(&self) -> Moment {
        let wall = self.begun + jiff::SignedDuration::try_from(self.steady).unwrap();
        Moment { local: wall.to_zoned_datetime(self.zone.clone()), steady: self.steady }
    }

    /// Drops a file now; its event comes.
    fn drop(&mut self, name: &str, bytes: &[u8]) {
        let since = Duration::from_nanos(u64::try_from(self.now().timestamp().as_nanosecond()).unwrap());
        let wall = SystemTime::UNIX_EPOCH + since;
        drop_into(self.home.path(), name, bytes, wall);
        self.tell(name);
    }

    /// Drops a file that was complete long ago, and of which no event comes.
    fn drop_unheard(&mut self, name: &str, bytes: &[u8]) {
        drop_into(self.home.path(), name, bytes, SystemTime::now() - DAY);
    }

    /// Takes the folder of an area away, as when its disk is unplugged.
    fn away(&mut self, area: &str) {
        fs::rename(self.home.path().join(area), self.home.path().join(format!(".{area}"))).unwrap();
        self.heard.push(Heard::AreaGone);
    }

    /// Brings it back; nothing tells that.
    fn back(&mut self, area: &str) {
        let _ = fs::remove_dir_all(self.home.path().join(area));
        fs::rename(self.home.path().join(format!(".{area}")), self.home.path().join(area)).unwrap();
    }

    /// Takes a file or folder away.
    fn take_away(&mut self, name: &str) {
        let at = self.home.path().join(name);
        if at.is_dir() {
            fs::remove_dir_all(at).unwrap();
        } else {
            fs::remove_file(at).unwrap();
        }
        self.tell(name);
    }

    /// Lets the event of a change come.
    fn tell(&mut self, name: &str) {
        let layout = crate::service::layout(self.dispatcher.settings());
        let near = crate::service::survey::units_near(&layout, &self.home.path().join(name));
        self.heard.push(match crate::plan::BundleName::of(&path(name)) {
            Some(bundle) => Heard::Bundle(bundle),
            None if name.starts_with("tagsets/") => Heard::TagSets,
            None => Heard::Near(near),
        });
    }

    fn take(&mut self, message: Message) {
        let now = self.now();
        let work = self.dispatcher.take(message, &now);
        work.into_iter().for_each(|work| self.carry_out(work));
    }

    /// Takes one turn, and carries out what it begins; returns when the next one is due.
    fn turn(&mut self) -> Duration {
        let now = self.now();
        if !self.heard.is_empty() && !std::mem::replace(&mut self.is_hinted, true) {
            self.take(Message::Hinted);
        }
        if self.dispatcher.listens(&now) {
            self.is_hinted = false;
            let heard = std::mem::take(&mut self.heard);
            self.dispatcher.hear(heard, &now);
        }
        let (vault, room) = (self.vault.clone(), self.room);
        let space = |area: &RelPath| {
            let space = vault.disk().space(area).ok()?;
            Some(room.map_or(space, |free| Space { free, ..space }))
        };
        let (work, wake) = self.dispatcher.turn(&now, &space);
        work.into_iter().for_each(|work| self.carry_out(work));
        wake
    }

    /// Goes on until nothing is left that time alone would not change; returns how many turns that took.
    fn run(&mut self) -> usize {
        self.go(|mill| mill.heard.is_empty() && mill.dispatcher.is_idle(mill.steady), Duration::MAX)
    }

    /// Goes on for so long, whatever is left.
    fn pass(&mut self, seconds: u64) {
        self.until(self.steady.as_secs() + seconds);
    }

    /// Goes on until so long after the start, whatever is left.
    fn until(&mut self, seconds: u64) {
        let end = Duration::from_secs(seconds);
        self.go(|mill| mill.steady >= end && mill.messages.is_empty(), end);
    }

    fn go(&mut self, is_over: impl Fn(&Self) -> bool, end: Duration) -> usize {
        for turns in 1..TURNS_MAX {
            let wake = self.turn();
            if is_over(self) {
                return turns;
            }
            if self.messages.is_empty() {
                self.steady = end.min(self.steady + wake);
            }
            while let Some(message) = self.messages.pop_front() {
                self.take(message);
            }
        }
        panic!("it never ends: {:?} {:?} {:?} {:?}", self.steady, self.begun_work, self.files(), self.held());
    }

    /// Carries out work as a worker does; its answer waits to be taken.
    fn carry_out(&mut self, work: Work) {
        let kind = kind(&work);
        *self.begun_work.entry(kind).or_default() += 1;
        let answer = self.answer(work);
        if self.slow == Some(kind) { self.late.extend(answer) } else { self.messages.extend(answer) }
    }

    /// Goes on until a worker took work of this kind in hand, which it answers when it is let to.
    fn until_begun(&mut self, kind: &'static str) {
        self.slow = Some(kind);
        self.go(|mill| !mill.late.is_empty(), Duration::MAX);
    }

    /// Lets the workers answer that were slow.
    fn let_answer(&mut self) {
        self.slow = None;
        self.messages.extend(self.late.drain(..));
    }

    fn answer(&mut self, work: Work) -> Option<Message> {
        let work = match self.fault(work) {
            Ok(answer) => return Some(answer),
            Err(work) => *work,
        };
        let now = self.now().for_settle();
        let (vault, disk) = (&self.vault, self.vault.disk());
        Some(match work {
            Work::Walk { unit, settings } => {
                let found = survey(disk, None, &unit, &settings.settle.ignore, &self.insides, now);
                Message::Walked(unit, Duration::ZERO, found.map(Box::new))
            }
            Work::Compare(folders) => compare(disk, folders),
            Work::ForgetWatches(_) => return None,
            Work::Tend { records, order } => {
                let copies = order.copies(disk, &records);
                let found = records.into_iter().map(|record| {
                    let seen = self.keeper.tend(disk, &record, &order);
                    (record, seen)
                });
                Message::Tended(Looks { found: found.collect(), copies, begun_ns: now.wall_ns, problem: None })
            }
            Work::JudgeGone(themes) => Message::GoneJudged(judge_gone(disk, themes), Duration::ZERO),
            Work::Check { areas, away } => {
                let mut checked = check(vault, &areas, &away);
                for space in checked.iter_mut().filter_map(|checked| checked.space.as_mut()) {
                    space.free = self.room.unwrap_or(space.free);
                }
                Message::Checked(checked)
            }
            Work::Probe(areas) => {
                vault.stir(&areas);
                self.heard.extend(areas.into_iter().filter(|_| self.hears).map(Heard::Probe));
                return None;
            }
            Work::Look { first, chunk, limits } => look(vault, first, chunk, &limits),
            Work::Make { chunk, limits, nice: _ } => {
                self.made += chunk.len();
                make_all(vault, chunk, &limits, &Stop::default(), Clock::start())
            }
            Work::LookTwice(asides) => look_twice(disk, asides),
            Work::Commit { batch, now } => commit(vault, &mut self.journal, batch, now),
            Work::Undo { posted, rules, now } => {
                Message::Undone(requests::answer(vault, &mut self.journal, &posted, &rules, &crate::craft::Untold, now))
            }
            Work::Recover(areas) => Message::Recovered(recover(vault, &mut self.journal, &areas)),
            Work::Purge { areas, limits, now_ns, unsure } => {
                vault.purge_trash(&areas, now_ns, limits, &|kept| unsure.contains(kept));
                return None;
            }
            Work::End(asides) => end(vault, asides),
        })
    }

    /// Answers in the disk's place if that is what comes next.
    fn fault(&mut self, work: Work) -> Result<Message, Box<Work>> {
        let Some(fault) = self.faults.front().cloned() else { return Err(Box::new(work)) };
        let error = |at: &RelPath, kind: ErrorKind| DiskError { call: "write", path: at.clone(), source: kind.into() };
        let answer = match (fault, work) {
            (Fault::Walk(name, kind), Work::Walk { unit, .. }) if unit == path(name) => {
                let refused = SurveyError::Disk(error(&unit, kind));
                Message::Walked(unit, Duration::ZERO, Err(refused))
            }
            (Fault::Make(name, kind), Work::Make { chunk, .. }) if chunk.iter().any(|job| is_of(job, name)) => {
                Message::Made(
                    chunk.into_iter().map(|job| (job, Err(MakeError::Disk(error(&path(name), kind))))).collect(),
                )
            }
            (Fault::Refused(kind), Work::Commit { batch, .. }) => {
                self.not_committed(batch, |at| CommitError::Refused(error(at, kind)))
            }
            (Fault::Changed, Work::Commit { batch, .. }) => {
                self.not_committed(batch, |at| CommitError::Changed(at.clone()))
            }
            (Fault::Open, Work::Commit { batch, .. }) => {
                self.not_committed(batch, |at| CommitError::Open(error(at, ErrorKind::TimedOut)))
            }
            (Fault::Recover, Work::Recover(_)) => Message::Recovered(Err(error(&path("keep"), ErrorKind::TimedOut))),
            (_, work) => return Err(Box::new(work)),
        };
        self.faults.pop_front();
        Ok(answer)
    }

    fn not_committed(&self, batch: Vec<(Job, Made)>, why: impl Fn(&RelPath) -> CommitError) -> Message {
        let (jobs, results) = batch
            .into_iter()
            .map(|(job, made)| {
                made.discard(&self.vault);
                let at = job.plan.about.from.clone().unwrap_or_else(|| path("raw"));
                (job, Err(why(&at)))
            })
            .unzip();
        Message::Committed(jobs, results)
    }

    /// Lets go what lies in a stage, as `release` does.
    fn release(&mut self, stage: Stage) {
        let settings = self.dispatcher.settings().clone();
        let mailbox = self.vault.mailbox();
        let mut view = View::open_at(Settings::clone(&settings), &self.now()).unwrap();
        let bundled = if stage == Stage::Upload { view.behind_gate(None) } else { BehindGate::default() };
        let anyway = view.is_gate_open_at(stage, &self.now());
        crate::service::release(
            &mailbox,
            &settings,
            stage,
            None,
            crate::service::How { is_awaited: false, anyway },
            &bundled,
            self.now().timestamp(),
        )
        .unwrap();
        self.heard.push(Heard::Request);
    }

    /// Asks for the last step back, as `undo` does.
    fn undo(&mut self) {
        self.ask(Action::Undo(UndoWhat::Last));
    }

    /// Asks for something, as a command does.
    fn ask(&mut self, action: Action) {
        let request = Request::new(action, self.now().timestamp());
        self.vault.mailbox().ask(&request).unwrap();
        self.heard.push(Heard::Request);
    }

    fn reload(&mut self, text: &str) {
        let (settings, now) = (settings(self.home.path(), text), self.now());
        self.dispatcher.reload(settings, &now);
    }

    /// Returns every file that a person sees; today is `DAY`.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(self.home.path(), self.home.path(), &mut found);
        let day = self.now().local.date().to_string();
        found.retain(|name| {
            !name.starts_with(".stockmill/") && !name.starts_with("logs/") && !name.ends_with("/.stockmill-area")
        });
        let mut found: Vec<String> = found.into_iter().map(|name| name.replace(&day, "DAY")).collect();
        found.sort();
        found
    }

    /// Returns the assets and notes among these files: no records.
    fn assets(&self) -> Vec<String> {
        let is_record =
            |name: &String| [".yaml", ".csv", "CHECKLIST.md", "checklist.json"].iter().any(|end| name.ends_with(end));
        self.files().into_iter().filter(|name| !is_record(name)).collect()
    }

    /// Returns what is held, and why.
    fn held(&self) -> Vec<(String, WhyKind, String)> {
        let held = self.dispatcher.inbox.all_held();
        held.map(|(path, why)| (path.to_string(), why.kind, why.to_string())).collect()
    }

    /// Returns how many assets were set aside, areas are paused, and things could not be done.
    fn failed(&self) -> u64 {
        self.dispatcher.failed(self.steady)
    }

    fn begun(&self, kind: &str) -> usize {
        self.begun_work.get(kind).copied().unwrap_or_default()
    }

    /// Returns how many walks, looks, makings and commits were begun.
    fn steps(&self) -> [usize; 4] {
        ["walk", "look", "make", "commit"].map(|kind| self.begun(kind))
    }

    /// Returns the text of a file; today is `DAY`.
    fn text(&self, name: &str) -> String {
        let name = name.replace("DAY", &self.now().local.date().to_string());
        String::from_utf8_lossy(&fs::read(self.home.path().join(name)).unwrap()).into_owned()
    }
}

/// Checks what is held: each path, of which kind the reason is, and words of it.
#[track_caller]
fn assert_held(mill: &Mill, expected: &[(&str, WhyKind, &str)]) {
    let held = mill.held();
    let fits = |((path, kind, why), (on, of, words)): (&(String, WhyKind, String), &(&str, WhyKind, &str))| {
        path == on && kind == of && why.contains(words)
    };
    assert!(held.len() == expected.len() && held.iter().zip(expected).all(fits), "{held:?} is not {expected:?}");
}

fn is_of(job: &Job, name: &str) -> bool {
    job.facts.as_ref().is_some_and(|facts| facts.path.is_in(&path(name)) || facts.path == path(name))
}

fn kind(work: &Work) -> &'static str {
    match work {
        Work::Walk { .. } => "walk",
        Work::Compare(_) => "compare",
        Work::Check { .. } => "check",
        Work::Probe(_) => "probe",
        Work::Purge { .. } => "purge",
        Work::Look { .. } => "look",
        Work::Make { .. } => "make",
        Work::Commit { .. } => "commit",
        Work::Undo { .. } => "undo",
        Work::Recover(_) => "recover",
        Work::Tend { .. } => "tend",
        Work::JudgeGone(_) => "judge gone",
        Work::LookTwice(_) => "look twice",
        Work::End(_) => "end",
        Work::ForgetWatches(_) => "forget watches",
    }
}

fn drop_into(home: &Path, name: &str, bytes: &[u8], written: SystemTime) {
    let at = home.join(name);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(&at, bytes).unwrap();
    fs::File::options().write(true).open(&at).unwrap().set_modified(written).unwrap();
}

fn list(home: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            list(home, &entry.path(), found);
        } else {
            found.push(entry.path().strip_prefix(home).unwrap().to_string_lossy().into_owned());
        }
    }
}
