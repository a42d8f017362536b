//! Settings are read like any file that somebody is saving: when they do not change any more, and nobody writes to them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::clock::Clock;
use crate::config::Settings;
use crate::intake::Now;
use crate::model::Identity;

/// How long settings that are invalid, gone, or open a gate must stay the same: half of a file may be all that was saved.
const DOUBT: Duration = Duration::from_secs(2);
/// The pauses between two readings of a file that a program has open for writing.
const BUSY_MIN: Duration = Duration::from_millis(250);
const BUSY_MAX: Duration = Duration::from_secs(10);
/// How long a start waits for a program that has the settings open.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// Reads the settings once, from where the command line says.
pub type Reload = Box<dyn Fn() -> Reading + Sync>;

/// One reading of all files of the settings.
#[derive(Debug)]
pub struct Reading {
    /// The settings; the text of all problems if they are not valid.
    pub sound: Result<Sound, String>,
    /// The files that were read, each with its state.
    pub files: BTreeMap<PathBuf, Identity>,
    /// A file that somebody has open for writing.
    pub open: Option<PathBuf>,
    /// Whether the kernel could tell that for each.
    pub is_known: bool,
}

/// Settings that can be worked with.
#[derive(Debug)]
pub struct Sound {
    /// The settings.
    pub settings: Settings,
    /// Whether their file sets nothing at all.
    pub is_blank: bool,
    /// What a person should know about the files, besides what is wrong with them.
    pub notes: Vec<String>,
    /// What the settings name that is not there now: what needs it waits.
    pub lacks: Option<String>,
}

/// Settings that did not change for a while, and the files that they were read from.
#[derive(Debug)]
pub struct Taken {
    /// What they say.
    pub sound: Sound,
    files: BTreeMap<PathBuf, Identity>,
}

/// How long files must have been quiet.
#[derive(Debug, Clone, Copy)]
struct Quiet {
    usual: Duration,
    /// If the kernel cannot tell whether there are writers.
    weak: Duration,
}

/// Compares the readings of files until they do not change any more.
#[derive(Debug, Default)]
struct Standing {
    files: BTreeMap<PathBuf, Identity>,
    since: Duration,
    readings: u32,
    busy: u32,
}

/// Why a reading is not accepted yet.
#[derive(Debug, PartialEq, Eq)]
struct NotYet {
    again: Duration,
    /// In words; `None` if only the usual time has not passed.
    why: Option<String>,
}

impl Standing {
    /// Judges one reading. `known` are the files that were read the last time, and `doubt` says why half of a file may
    /// be all that was read.
    fn judge(
        &mut self,
        reading: &Reading,
        known: &BTreeMap<PathBuf, Identity>,
        doubt: Option<String>,
        quiet: Quiet,
        now: Now,
    ) -> Result<(), NotYet> {
        if self.readings == 0 || self.files != reading.files {
            *self = Self { files: reading.files.clone(), since: now.steady, ..Self::default() };
        }
        self.readings = self.readings.saturating_add(1);
        if let Some(open) = &reading.open {
            let again = now.steady + (BUSY_MIN * 2_u32.pow(self.busy.min(8))).min(BUSY_MAX);
            self.busy += 1;
            // The quiet time begins when the last writer has closed it.
            self.since = again;
            return Err(NotYet { again, why: Some(format!("a program has {} open for writing", open.display())) });
        }
        let gone = known.keys().find(|file| !reading.files.contains_key(*file));
        let doubt = gone.map(|file| format!("{} is gone", file.display())).or(doubt);
        let watched = now.steady.saturating_sub(self.since);
        // A file that is gone has no time.
        let age = reading.files.values().map(|file| age(file, now)).min().filter(|_| gone.is_none());
        let quiet_for = age.map_or(watched, |age| age.max(watched));
        let weak = if reading.is_known { Duration::ZERO } else { quiet.weak };
        let needed = quiet.usual.max(weak).max(if doubt.is_some() { DOUBT } else { Duration::ZERO });
        if quiet_for >= needed {
            return Ok(());
        }
        Err(NotYet { again: now.steady + needed.saturating_sub(quiet_for), why: doubt })
    }
}

/// Returns how long ago a file was written; zero if that lies in the future.
fn age(file: &Identity, now: Now) -> Duration {
    u64::try_from(now.wall_ns.saturating_sub(file.modified_ns)).map_or(Duration::ZERO, Duration::from_nanos)
}

/// The outcome of a request to read the settings again.
#[derive(Debug)]
pub(super) enum Answer {
    /// They are accepted.
    Taken(Box<Sound>),
    /// They are refused; the old ones stay.
    Refused(String),
    /// They must wait, for a reason that the log should tell.
    Waits(String),
}

/// Reads the settings again on request, without blocking anybody.
pub(super) struct Reloading<'a> {
    read: &'a (dyn Fn() -> Reading + Sync),
    /// What the running settings were read from.
    files: BTreeMap<PathBuf, Identity>,
    is_blank: bool,
    pending: Option<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    standing: Standing,
    again: Duration,
    is_told: bool,
}

impl<'a> Reloading<'a> {
    /// Returns a reader that has nothing to do.
    pub(super) fn new(read: &'a (dyn Fn() -> Reading + Sync), running: &Taken) -> Self {
        Self { read, files: running.files.clone(), is_blank: running.sound.is_blank, pending: None }
    }

    /// Takes a request.
    pub(super) fn ask(&mut self) {
        // A second request gets its own line in the log.
        let standing = self.pending.take().map(|pending| pending.standing).unwrap_or_default();
        self.pending = Some(Pending { standing, ..Pending::default() });
    }

    /// Returns when to read again.
    pub(super) fn next(&self) -> Option<Duration> {
        self.pending.as_ref().map(|pending| pending.again)
    }

    /// Reads if it is time, and returns the outcome.
    pub(super) fn turn(&mut self, running: &Settings, now: Now) -> Option<Answer> {
        let pending = self.pending.as_mut().filter(|pending| pending.again <= now.steady)?;
        let reading = (self.read)();
        let quiet = Quiet { usual: running.settle.quiet, weak: running.settle.weak_quiet };
        let doubt = doubt(&reading, running, self.is_blank);
        let Err(NotYet { again, why }) = pending.standing.judge(&reading, &self.files, doubt, quiet, now) else {
            self.pending = None;
            return Some(self.answer(reading));
        };
        pending.again = again;
        let why = why.filter(|_| !pending.is_told)?;
        pending.is_told = true;
        Some(Answer::Waits(why))
    }

    fn answer(&mut self, reading: Reading) -> Answer {
        match reading.sound {
            Err(problems) => Answer::Refused(problems),
            Ok(sound) if sound.is_blank && !self.is_blank => Answer::Refused(BLANK.to_owned()),
            Ok(sound) => {
                (self.files, self.is_blank) = (reading.files, sound.is_blank);
                Answer::Taken(Box::new(sound))
            }
        }
    }
}

/// Why a file without a key is refused.
const BLANK: &str = "the settings file sets nothing, which would open every gate; write the keys that you want \
                     (`gates: {raw: auto}` is one), or restart stockmill to begin with the defaults";

/// Returns why a reading may be only half of what was meant.
fn doubt(reading: &Reading, running: &Settings, was_blank: bool) -> Option<String> {
    match &reading.sound {
        Err(problems) => Some(problems.lines().next().unwrap_or_default().to_owned()),
        Ok(sound) if sound.is_blank && !was_blank => Some("the settings file sets nothing at present".to_owned()),
        Ok(sound) => {
            let (before, after) = (&running.gates, &sound.settings.gates);
            let opens = after.changed_since(before).find(|stage| after.of(*stage).opens_after(before.of(*stage)))?;
            Some(format!("it opens the gate of `{opens}`"))
        }
    }
}

/// Reads the settings for a start: valid settings that do not change are accepted at once; half-saved ones must be completed first.
pub fn read_settled(read: &dyn Fn() -> Reading) -> Result<Taken, String> {
    let clock = Clock::start();
    let mut standing = Standing::default();
    loop {
        let now = clock.now().for_settle();
        let found = read();
        let doubt = match &found.sound {
            Err(problems) => Some(problems.clone()),
            Ok(sound) => sound.is_blank.then(String::new),
        };
        let quiet = Quiet { usual: Duration::ZERO, weak: DOUBT };
        match standing.judge(&found, &BTreeMap::new(), doubt, quiet, now) {
            Ok(()) => return found.sound.map(|sound| Taken { sound, files: found.files }),
            Err(NotYet { why, .. }) if now.steady >= START_PATIENCE => {
                return Err(why.unwrap_or_else(|| "the settings are still being written".to_owned()));
            }
            Err(NotYet { again, .. }) => std::thread::sleep(again.saturating_sub(now.steady)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use std::cell::RefCell;
    use std::sync::Mutex;

    fn settings(text: &str) -> Result<Sound, String> {
        let text = format!("{text}\n");
        let settings = load(&text, "/r".as_ref(), &crate::market::built_in().unwrap());
        let is_blank = crate::config::is_blank(&text);
        settings
            .map(|settings| Sound { settings, is_blank, notes: vec![], lacks: None })
            .map_err(|problems| problems.to_string())
    }

    /// A file at one moment: what it says, when it was written, and whether somebody has it open.
    #[derive(Debug, Clone, Copy)]
    struct At {
        text: Option<&'static str>,
        written_ms: i64,
        word: Option<bool>,
    }

    fn reading(at: At) -> Reading {
        let path = PathBuf::from("/r/stockmill.yaml");
        let size = at.text.map_or(0, str::len) as u64;
        let identity = Identity { device: 1, inode: 7, size, modified_ns: at.written_ms * 1_000_000 };
        let files = at.text.map(|_| (path.clone(), identity)).into_iter().collect();
        let sound = at.text.map_or(Err("it cannot be read".to_owned()), settings);
        Reading { sound, files, open: (at.word == Some(true)).then_some(path), is_known: at.word.is_some() }
    }

    fn at(text: &'static str, written_ms: i64, word: Option<bool>) -> At {
        At { text: Some(text), written_ms, word }
    }

    const HOLD: &str = "gates: {raw: hold}";
    const WEAK: &str = "gates: {raw: hold}\nsettle: {weak_quiet_ms: 700}";
    const NOW: i64 = 1_000_000;

    /// Plays a reload: at each millisecond the file is what the last row before it says. Returns the answers.
    fn play(running: &'static str, rows: &[(u64, At)], until_ms: u64) -> Vec<(u64, &'static str)> {
        let state = Mutex::new(rows[0].1);
        let read = || reading(*state.lock().unwrap());
        let first = reading(at(running, 0, Some(false)));
        let running = first.sound.unwrap();
        let mut settings = running.settings.clone();
        let taken = Taken { sound: running, files: first.files };
        let mut reloading = Reloading::new(&read, &taken);
        reloading.ask();
        let (mut answers, readings) = (Vec::new(), RefCell::new(0));
        for ms in (0..until_ms).step_by(10) {
            *state.lock().unwrap() = rows.iter().rev().find(|(from, _)| *from <= ms).unwrap().1;
            *readings.borrow_mut() +=
                usize::from(reloading.next().is_some_and(|again| again <= Duration::from_millis(ms)));
            let now =
                Now { wall_ns: (NOW + i64::try_from(ms).unwrap()) * 1_000_000, steady: Duration::from_millis(ms) };
            let word = match reloading.turn(&settings, now) {
                None => continue,
                Some(Answer::Taken(sound)) => {
                    settings = sound.settings;
                    "taken"
                }
                Some(Answer::Refused(_)) => "refused",
                Some(Answer::Waits(_)) => "waits",
            };
            answers.push((ms, word));
        }
        assert!(readings.into_inner() < 40, "it reads without a pause");
        answers
    }

    #[test]
    fn settings_settle_before_they_are_taken() {
        let no = Some(false);
        let gone = At { text: None, written_ms: 0, word: no };
        type Case = (&'static str, Vec<(u64, At)>, &'static [(u64, &'static str)]);
        let cases: Vec<Case> = vec![
            // Saved long ago.
            (HOLD, vec![(0, at("gates: {raw: hold, keep: hold}", 0, no))], &[(0, "taken")]),
            // A moment ago.
            (HOLD, vec![(0, at("gates: {raw: hold, keep: hold}", NOW, no))], &[(250, "taken")]),
            // By a clock that is wrong.
            (HOLD, vec![(0, at("gates: {raw: hold, keep: hold}", NOW * 9, no))], &[(250, "taken")]),
            // Blank: the old ones stay. It was taken at once, and every gate was open.
            (HOLD, vec![(0, at("", NOW, no))], &[(0, "waits"), (2000, "refused")]),
            (HOLD, vec![(0, at("# hold", 0, no))], &[(0, "refused")]),
            (HOLD, vec![(0, at("{}", 0, no))], &[(0, "refused")]),
            ("", vec![(0, at("# still nothing", 0, no))], &[(0, "taken")]),
            // Emptied, and written 300 ms later.
            (HOLD, vec![(0, at("", NOW, no)), (300, at(HOLD, NOW + 300, no))], &[(0, "waits"), (2000, "taken")]),
            // Torn, and completed; or never.
            (
                HOLD,
                vec![(0, at("gates: {raw", NOW, no)), (300, at(HOLD, NOW + 300, no))],
                &[(0, "waits"), (2000, "taken")],
            ),
            (HOLD, vec![(0, at("gates: {raw", NOW, no))], &[(0, "waits"), (2000, "refused")]),
            // Half of it is sound, and opens a gate.
            (
                HOLD,
                vec![
                    (0, at("log: {level: info}", NOW, no)),
                    (900, at("gates: {raw: hold, keep: hold}", NOW + 900, no)),
                ],
                &[(0, "waits"), (2000, "taken")],
            ),
            (HOLD, vec![(0, at("log: {level: info}", NOW, no))], &[(0, "waits"), (2000, "taken")]),
            // Open for writing: nothing is taken, whatever its age.
            (
                HOLD,
                vec![
                    (0, at("gates: {keep: hold}", 0, Some(true))),
                    (3000, at("gates: {raw: hold, keep: hold}", 0, no)),
                ],
                &[(0, "waits"), (3750, "taken")],
            ),
            // Where the kernel cannot tell, the longer quiet time decides.
            (WEAK, vec![(0, at("gates: {raw: hold, keep: hold}", NOW, None))], &[(700, "taken")]),
            // Gone for a moment, as an editor saves; or for good.
            (HOLD, vec![(0, gone), (100, at(HOLD, 0, no))], &[(0, "waits"), (2000, "taken")]),
            (HOLD, vec![(0, gone)], &[(0, "waits"), (2000, "refused")]),
        ];
        for (n, (running, rows, expected)) in cases.into_iter().enumerate() {
            assert_eq!(play(running, &rows, 30_000), expected, "case {n}: {rows:?}");
        }
    }

    #[test]
    fn a_start_takes_what_is_at_rest_and_tells_what_is_not() {
        let read = |at: At| read_settled(&|| reading(at)).map(|taken| taken.sound.is_blank);
        assert_eq!(read(at(HOLD, 0, Some(false))), Ok(false));
        assert_eq!(read(at("", 0, Some(false))), Ok(true));
        assert!(read(at("gates: {raw", 0, Some(false))).is_err());
    }
}
