use std::collections::BTreeMap;
use std::time::Duration;

use super::candidate::Candidate;
use super::walk::Found;
use crate::model::{Identity, RelPath};

/// The time of a judgement: by the wall clock, to compare with a file's own times, and by a clock that never
/// jumps, to measure for how long the file has been watched.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Nanoseconds since 1970.
    pub wall_ns: i64,
    /// Time since the program began.
    pub steady: Duration,
}

impl Now {
    /// Returns how long ago a time of the wall clock was; zero if it lies in the future.
    pub fn since(&self, then_ns: i64) -> Duration {
        u64::try_from(self.wall_ns.saturating_sub(then_ns)).map_or(Duration::ZERO, Duration::from_nanos)
    }
}

/// A candidate that did not change for long enough. Whether somebody has it open for writing is asked last, by
/// the worker that takes it. Only [`Settle`] makes one.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    candidate: Candidate,
    /// Whether it was watched for so long that the kernel's answer is not needed.
    is_long: bool,
}

/// A candidate that did not change and that nobody has open for writing. Only [`Still`] becomes one.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    candidate: Candidate,
}

/// A candidate that did not change and must wait all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    candidate: Candidate,
    /// The file that somebody has open; `None` if the kernel cannot tell.
    open: Option<RelPath>,
}

impl Still {
    /// Returns the asset's files.
    pub fn candidate(&self) -> &Candidate {
        &self.candidate
    }

    /// Asks the kernel about each file: whether it has a writer, and `None` where it cannot tell.
    pub fn settled(self, has_writer: &dyn Fn(&RelPath) -> Option<bool>) -> Result<Settled, Box<Unsettled>> {
        let (mut open, mut is_known) = (None, true);
        for found in self.candidate.files() {
            match has_writer(&found.path) {
                Some(false) => (),
                Some(true) => open = Some(found.path.clone()),
                None => is_known = false,
            }
        }
        // Without the kernel's answer only the time that it was watched counts: another machine's clock may be wrong.
        if open.is_none() && (is_known || self.is_long) {
            Ok(Settled { candidate: self.candidate })
        } else {
            Err(Box::new(Unsettled { candidate: self.candidate, open }))
        }
    }
}

impl Settled {
    /// Returns the asset's files.
    pub fn candidate(&self) -> &Candidate {
        &self.candidate
    }
}

impl Unsettled {
    /// Returns the asset's files.
    pub fn candidate(&self) -> &Candidate {
        &self.candidate
    }

    /// Returns whether time alone settles it, if nobody writes.
    pub fn is_by_time(&self) -> bool {
        self.open.is_none()
    }
}

/// Whether a candidate may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may, if nobody has it open for writing.
    Still(Box<Still>),
    /// Not yet.
    Wait {
        /// When to judge again, by the steady clock.
        again: Duration,
        /// What it waits for, in words.
        why: String,
        /// Whether time alone settles it, if nobody writes.
        is_by_time: bool,
    },
}

/// Tells when a dropped file is complete: it was quiet for a while, its state did not change, nobody has it open
/// for writing, it is not empty, and no unfinished download of its name lies beside it. A pure state machine: it
/// gets the time and the kernel's answer about writers as arguments.
#[derive(Debug)]
pub struct Settle {
    quiet: Duration,
    weak_quiet: Duration,
    patience: Duration,
    seen: BTreeMap<RelPath, Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    identity: Identity,
    /// The bytes that were written of a file whose length was set in advance.
    allocated: u64,
    since: Duration,
    first: Duration,
    busy: u32,
}

/// Why one file must wait, in the fields of [`Verdict::Wait`].
struct NotYet {
    again: Duration,
    why: String,
    is_by_time: bool,
}

/// A smaller file may lie inside its directory entry and have no blocks of its own.
const HOLLOW_BYTES_MIN: u64 = 8 << 10;
/// From this size on, a file that is mostly holes must wait.
const SPARSE_BYTES_MIN: u64 = 64 << 20;

/// The longest pause between two judgements of a file that somebody is writing.
const PAUSE_MAX: Duration = Duration::from_secs(10);

impl Settle {
    /// Returns a machine that has seen nothing.
    pub fn new(quiet: Duration, weak_quiet: Duration, patience: Duration) -> Self {
        Self { quiet, weak_quiet, patience, seen: BTreeMap::new() }
    }

    /// Takes other quiet times; what is being watched goes on being watched.
    pub fn reload(&mut self, quiet: Duration, weak_quiet: Duration, patience: Duration) {
        (self.quiet, self.weak_quiet, self.patience) = (quiet, weak_quiet, patience);
    }

    /// Judges one candidate.
    pub fn judge(&mut self, candidate: Candidate, has_unfinished_download: bool, now: Now) -> Verdict {
        if has_unfinished_download {
            let why = "an unfinished download of the same name lies beside it".to_owned();
            return Verdict::Wait { again: now.steady + PAUSE_MAX, why, is_by_time: false };
        }
        let mut latest: Option<NotYet> = None;
        for (n, found) in candidate.files().enumerate() {
            if let Err(not_yet) = self.judge_file(found, n == 0, now)
                && latest.as_ref().is_none_or(|latest| not_yet.again > latest.again)
            {
                latest = Some(not_yet);
            }
        }
        if let Some(NotYet { again, why, is_by_time }) = latest {
            return Verdict::Wait { again, why, is_by_time };
        }
        let is_long = self.watched(&candidate, now) >= self.weak_quiet;
        Verdict::Still(Box::new(Still { candidate, is_long }))
    }

    /// Notes that a candidate must wait after the kernel's answer; returns when to ask again, and why.
    pub fn wait(&mut self, unsettled: &Unsettled, now: Now) -> (Duration, String) {
        let seen = unsettled.open.as_ref().and_then(|open| self.seen.get_mut(open));
        let Some(seen) = seen else {
            let left = self.weak_quiet.saturating_sub(self.watched(&unsettled.candidate, now));
            return (now.steady + left, "it must stay unchanged a little longer".to_owned());
        };
        seen.busy = (seen.busy + 1).min(8);
        let pause = (self.quiet * 2_u32.pow(seen.busy - 1)).min(PAUSE_MAX);
        (now.steady + pause, waiting(seen, now, self.patience, "a program has it open for writing"))
    }

    /// Returns for how long all of a candidate's files have been seen in their present state.
    pub fn watched(&self, candidate: &Candidate, now: Now) -> Duration {
        let since = candidate.files().filter_map(|found| self.seen.get(&found.path)).map(|seen| seen.since).max();
        since.map_or(Duration::ZERO, |since| now.steady.saturating_sub(since))
    }

    /// Forgets a file that is gone or was processed.
    pub fn forget(&mut self, path: &RelPath) {
        self.seen.remove(path);
    }

    /// Forgets the files in `folder`, within the scope, that were not found.
    pub fn forget_absent(
        &mut self,
        folder: &RelPath,
        is_in_scope: &dyn Fn(&RelPath) -> bool,
        is_found: &dyn Fn(&RelPath) -> bool,
    ) {
        let below = self.seen.range(folder.inside()).map(|(path, _)| path);
        let gone: Vec<RelPath> = below.filter(|path| is_in_scope(path) && !is_found(path)).cloned().collect();
        for path in gone {
            self.seen.remove(&path);
        }
    }

    fn judge_file(&mut self, found: &Found, must_have_content: bool, now: Now) -> Result<(), NotYet> {
        let identity = found.entry.identity;
        let allocated = found.entry.allocated;
        let first = Seen { identity, allocated, since: now.steady, first: now.steady, busy: 0 };
        let seen = self.seen.entry(found.path.clone()).or_insert(first);
        if (seen.identity, seen.allocated) != (identity, allocated) {
            *seen = Seen { first: seen.first, ..first };
        }
        // A download begins as an empty file; a caption may really be empty.
        if identity.size == 0 && must_have_content {
            let why = waiting(seen, now, self.patience, "it is empty so far");
            return Err(NotYet { again: now.steady + PAUSE_MAX, why, is_by_time: false });
        }
        if is_hollow(found) {
            let why = "most of it is holes: the space was reserved and is not written yet";
            let why = waiting(seen, now, self.patience, why);
            return Err(NotYet { again: now.steady + PAUSE_MAX, why, is_by_time: false });
        }
        let watched = now.steady.saturating_sub(seen.since);
        let untouched = watched.max(now.since(identity.modified_ns));
        if found.entry.is_foreign && watched < self.quiet.max(self.weak_quiet) {
            // Over a share it is dated and opened again after it was closed; its date may be as old as the original's.
            let why = "it belongs to another user, whose program may still set its dates or open it again";
            let again = now.steady + self.quiet.max(self.weak_quiet).saturating_sub(watched);
            return Err(NotYet { again, why: why.to_owned(), is_by_time: true });
        }
        let (quiet, why) = if has_no_end(&found.path) {
            (self.quiet.max(self.weak_quiet), "it was written a moment ago, and its format does not show where it ends")
        } else {
            (self.quiet, "it was written a moment ago")
        };
        if untouched < quiet {
            let again = now.steady + quiet.saturating_sub(untouched);
            return Err(NotYet { again, why: why.to_owned(), is_by_time: true });
        }
        Ok(())
    }
}

/// Returns whether a format does not show that a file is complete, so that only time can: an OBJ is lines of text
/// without an end mark.
fn has_no_end(path: &RelPath) -> bool {
    path.extension() == "obj"
}

/// Returns whether a file has its final length, but little of its content. Compression by a file system makes
/// pictures and videos hardly smaller, and is no reason.
fn is_hollow(found: &Found) -> bool {
    let (size, allocated) = (found.entry.identity.size, found.entry.allocated);
    (size >= HOLLOW_BYTES_MIN && allocated == 0) || (size >= SPARSE_BYTES_MIN && allocated < size / 4)
}

fn waiting(seen: &Seen, now: Now, patience: Duration, why: &str) -> String {
    let waited = now.steady.saturating_sub(seen.first);
    if waited < patience {
        return why.to_owned();
    }
    format!("{why}, for {} minutes by now; is the program that writes it still running?", patience.as_secs() / 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Entry;
    use proptest::prelude::*;

    const MS: i64 = 1_000_000;

    fn candidate(size: u64, modified_ns: i64) -> Candidate {
        let identity = Identity { device: 1, inode: 7, size, modified_ns };
        let entry = Entry::file(identity, modified_ns);
        let primary = Found { path: RelPath::new("raw/a.png").unwrap(), entry };
        Candidate::alone(primary)
    }

    fn settle() -> Settle {
        Settle::new(Duration::from_millis(250), Duration::from_secs(2), Duration::from_secs(600))
    }

    fn at(ms: u64) -> Now {
        Now { wall_ns: 1_000_000 * MS + i64::try_from(ms).unwrap() * MS, steady: Duration::from_millis(ms) }
    }

    /// Judges a candidate with the kernel's answer about writers: returns until when it must wait.
    fn look(machine: &mut Settle, candidate: Candidate, has_twin: bool, now: Now, word: Option<bool>) -> Option<u128> {
        let again = match machine.judge(candidate, has_twin, now) {
            Verdict::Wait { again, .. } => again,
            Verdict::Still(still) => machine.wait(&*still.settled(&|_| word).err()?, now).0,
        };
        Some(again.as_millis())
    }

    #[test]
    fn scenarios() {
        let long_ago = 0;
        let just_now = at(0).wall_ns;
        let future = at(0).wall_ns + 86_400_000 * MS;
        // (size, modified, kernel's answer, judged at ms -> wait until, or None for settled)
        type Case = (u64, i64, Option<bool>, &'static [(u64, Option<u128>)]);
        let cases: [Case; 7] = [
            (9, long_ago, Some(false), &[(0, None)]),
            (9, just_now, Some(false), &[(0, Some(250)), (100, Some(250)), (250, None)]),
            (9, future, Some(false), &[(0, Some(250)), (250, None)]),
            (9, long_ago, Some(true), &[(0, Some(250)), (250, Some(750)), (750, Some(1750))]),
            (9, long_ago, None, &[(0, Some(2000)), (1999, Some(2000)), (2000, None)]),
            (0, long_ago, Some(false), &[(0, Some(10_000)), (5000, Some(15_000))]),
            (9, just_now, None, &[(0, Some(250)), (300, Some(2000)), (2000, None)]),
        ];
        for (n, (size, modified, word, looks)) in cases.into_iter().enumerate() {
            let mut machine = settle();
            for (ms, expected) in looks {
                let again = look(&mut machine, candidate(size, modified), false, at(*ms), word);
                assert_eq!(again, *expected, "case {n} at {ms} ms");
            }
        }
    }

    #[test]
    fn a_model_without_an_end_waits_longer() {
        for (name, expected) in [("raw/a.obj", Some(2000)), ("raw/a.OBJ", Some(2000)), ("raw/a.png", None)] {
            let mut model = candidate(9, at(0).wall_ns);
            model.primary.path = RelPath::new(name).unwrap();
            let mut machine = settle();
            assert!(look(&mut machine, model.clone(), false, at(0), Some(false)).is_some(), "{name}");
            assert_eq!(look(&mut machine, model.clone(), false, at(1000), Some(false)), expected, "{name}");
            assert_eq!(look(&mut machine, model.clone(), false, at(2000), Some(false)), None, "{name}");
            // One that was not written for long is taken at once.
            model.primary.entry.identity.modified_ns = 0;
            assert_eq!(look(&mut settle(), model, false, at(0), Some(false)), None, "{name}");
        }
    }

    /// Finder and Explorer set dates and open a file again up to 0.8 s after they closed it, and where a daemon may ask
    /// the kernel about foreign files, theirs was gone by then.
    #[test]
    fn what_another_user_wrote_waits_for_its_dates() {
        let mut machine = settle();
        let mut foreign = candidate(9, at(0).wall_ns);
        foreign.primary.entry.is_foreign = true;
        assert_eq!(look(&mut machine, foreign.clone(), false, at(0), Some(false)), Some(2000));
        // The date of the original is set, which is years ago: it is watched anew.
        foreign.primary.entry.identity.modified_ns = 0;
        assert_eq!(look(&mut machine, foreign.clone(), false, at(800), Some(false)), Some(2800));
        assert_eq!(look(&mut machine, foreign, false, at(2800), Some(false)), None);
    }

    #[test]
    fn a_file_of_holes_waits() {
        let mut hollow = candidate(1 << 40, 0);
        hollow.primary.entry.allocated = 4096;
        assert!(look(&mut settle(), hollow, false, at(0), Some(false)).is_some());
        let mut reserved = candidate(3 << 20, 0);
        reserved.primary.entry.allocated = 0;
        assert!(look(&mut settle(), reserved, false, at(0), Some(false)).is_some());
    }

    #[test]
    fn an_unfinished_twin_holds_it() {
        assert!(look(&mut settle(), candidate(9, 0), true, at(0), Some(false)).is_some());
    }

    proptest! {
        #[test]
        fn nothing_is_taken_while_a_writer_is_open_or_the_file_changes(
            looks in proptest::collection::vec((1_u64..4000, any::<bool>(), any::<bool>()), 1..30)
        ) {
            let mut machine = settle();
            let (mut ms, mut size, mut modified) = (0, 1, at(0).wall_ns);
            for (pause, is_open, grows) in looks {
                ms += pause;
                if grows {
                    size += 1;
                    modified = at(ms).wall_ns;
                }
                let again = look(&mut machine, candidate(size, modified), false, at(ms), Some(is_open));
                if is_open || grows {
                    prop_assert!(again.is_some());
                }
            }
        }
    }
}
