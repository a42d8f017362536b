//! Numbers, and what was said a moment ago.

use std::collections::VecDeque;
use std::time::Duration;

use super::part::{Left, Part};
use crate::model::{RelPath, alike};
use crate::report::{self, Repeats, Summary};

/// How often long work tells how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// How much of the work is enough to tell from it how long the rest takes: fewer steps say more of themselves than of the
/// others.
const STEPS_MIN: u64 = 10;
const SPAN_MIN: Duration = Duration::from_secs(20);
/// What is longer ago says little, if there is enough since then.
const SPAN: Duration = Duration::from_secs(60);
/// So many files are told of at once.
const UNTOLD_MAX: usize = 10_000;

/// What was done, and what was told of it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    done: u64,
    /// How many of these were done when it was asked last whether more were.
    done_before: u64,
    set_aside: u64,
    next_progress: Duration,
    /// How many were done at times since the work in hand began; nothing while none is.
    stretch: VecDeque<(Duration, u64)>,
    pub(super) repeats: Repeats,
    held: Untold,
    left_alone: Untold,
}

/// What is to be told of files at the end of a turn: of many for the same reason once.
type Untold = Vec<(String, RelPath)>;

/// How far long work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// How many plans were carried out since the start.
    pub(super) done: u64,
    /// How long the rest takes, if enough was done to tell.
    pub(super) time_left: Option<Duration>,
}

impl Tally {
    /// Counts a plan that was carried out.
    pub(super) fn count_done(&mut self) {
        self.done += 1;
    }

    /// Counts an asset that is set aside.
    pub(super) fn count_set_aside(&mut self) {
        self.set_aside += 1;
    }

    /// Takes note that a file is held, and why.
    pub(super) fn hold(&mut self, file: &RelPath, why: &str) {
        note(&mut self.held, file, why, report::held);
    }

    /// Takes note that a file is left alone, and why.
    pub(super) fn leave_alone(&mut self, file: &RelPath, why: &str) {
        note(&mut self.left_alone, file, why, report::left_alone);
    }

    /// Tells what is noted of files.
    pub(super) fn tell(&mut self) {
        tell(&mut self.held, report::held);
        tell(&mut self.left_alone, report::left_alone);
    }

    /// Returns whether plans were carried out since the last call.
    pub(super) fn has_worked(&mut self) -> bool {
        std::mem::replace(&mut self.done_before, self.done) != self.done
    }

    /// Returns how far the work is of which so much is left, and so much of that is slow, if it is time to tell it. How
    /// long the rest takes is told by the work that is in hand without a break: a daemon's idle days are no part of it.
    pub(super) fn progress(
        &mut self,
        left: usize,
        (slow, slow_time): (usize, Option<Duration>),
        now: Duration,
    ) -> Option<Progress> {
        if left == 0 || self.stretch.is_empty() {
            self.stretch.clear();
            self.stretch.extend((left > 0).then_some((now, self.done)));
            self.next_progress = now + PROGRESS_EVERY;
            return None;
        }
        if now < self.next_progress {
            return None;
        }
        self.next_progress = now + PROGRESS_EVERY;
        let is_enough =
            |(since, before): (Duration, u64)| now.saturating_sub(since) >= SPAN && self.done - before >= STEPS_MIN;
        while self.stretch.get(1).copied().is_some_and(is_enough) {
            self.stretch.pop_front();
        }
        let (since, before) = self.stretch[0];
        let (span, steps) = (now.saturating_sub(since), self.done - before);
        self.stretch.push_back((now, self.done));
        let quick = left.saturating_sub(slow);
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        let can_be_told = span >= SPAN_MIN && u64::from(steps) >= STEPS_MIN;
        let share = f64::from(u32::try_from(quick).unwrap_or(u32::MAX)) / f64::from(steps.max(1));
        let quick_time = if quick == 0 { Some(Duration::ZERO) } else { can_be_told.then(|| span.mul_f64(share)) };
        let slow_time = if slow == 0 { Some(Duration::ZERO) } else { slow_time };
        // Both are made beside each other: together they take at least the longer time, and at most twice as much. A few
        // quick ones of which nothing can be told yet are soon done.
        let time_left = match (quick_time, slow_time) {
            (Some(quick), Some(slow)) => Some(quick.max(slow)),
            (None, Some(time)) if quick <= slow => Some(time),
            _ => None,
        };
        Some(Progress { done: self.done, time_left })
    }

    /// Returns how things stand.
    pub(super) fn summary(&self, in_work: usize, held: usize) -> Summary {
        Summary { done: self.done, in_work, held, set_aside: self.set_aside }
    }
}

fn note(untold: &mut Untold, file: &RelPath, why: &str, report: impl FnMut(&[RelPath], &str)) {
    untold.push((why.to_owned(), file.clone()));
    if untold.len() >= UNTOLD_MAX {
        tell(untold, report);
    }
}

fn tell(untold: &mut Untold, mut report: impl FnMut(&[RelPath], &str)) {
    for (why, files) in alike(std::mem::take(untold)) {
        report(&files, &why);
    }
}

impl Part for Tally {
    fn wake(&self, _: Duration) -> Option<Duration> {
        None
    }

    fn left(&self, _: Duration) -> Left {
        Left { soon: None, stuck: usize::try_from(self.set_aside).unwrap_or(usize::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::check;
    use super::*;

    const NO_SLOW: (usize, Option<Duration>) = (0, None);

    #[test]
    fn what_was_set_aside_counts_as_failed_and_progress_is_told_now_and_then() {
        let mut tally = Tally::default();
        tally.count_done();
        tally.count_set_aside();
        assert_eq!(check(&tally, Duration::ZERO), Left { soon: None, stuck: 1 });
        assert_eq!(tally.summary(2, 3).to_string(), "1 done, 2 in work, 3 held, 1 set aside");
        assert!(tally.has_worked() && !tally.has_worked());
        let told =
            (0..=25).filter_map(|s| tally.progress(5, NO_SLOW, Duration::from_secs(s)).map(|told| (s, told.done)));
        assert_eq!(told.collect::<Vec<_>>(), [(10, 1), (20, 1)]);
    }

    /// A shut gate, or a market's limit, was told in a line for each file.
    #[test]
    fn the_same_of_many_files_is_told_once() {
        let mut untold = Untold::new();
        let mut told = Vec::new();
        let file = |n: usize| RelPath::new(format!("keep/a/{n}.png")).unwrap();
        let mut report = |files: &[RelPath], why: &str| told.push((files.to_vec(), why.to_owned()));
        for n in 0..3 {
            note(&mut untold, &file(n), "the gate is shut", &mut report);
            note(&mut untold, &file(n), &format!("it has {n} bytes"), &mut report);
        }
        note(&mut untold, &file(7), "it waits", &mut report);
        tell(&mut untold, &mut report);
        tell(&mut untold, &mut report);
        (0..=UNTOLD_MAX).for_each(|n| note(&mut untold, &file(n), "again", &mut report));
        told.sort_by_key(|(files, _)| files.len());
        let told: Vec<_> = told.into_iter().map(|(files, why)| (files.len(), why)).collect();
        let expected = [(1, "it waits"), (3, "it has 0 to 2 bytes"), (3, "the gate is shut"), (UNTOLD_MAX, "again")];
        assert_eq!(told, expected.map(|(files, why)| (files, why.to_owned())));
        assert_eq!(untold.len(), 1);
    }

    /// It was the time since the start for each plan: after two pictures, or an idle week, it was of no use.
    #[test]
    fn the_time_left_is_told_once_enough_is_done_and_by_the_work_in_hand_alone() {
        // (how many are done each second, or each so many seconds, how many are left, what is told when)
        let told = |tally: &mut Tally, begin: u64, every_s: u64, each: u64, left: usize| {
            let mut told = Vec::new();
            for s in begin..=begin + 120 {
                let steps = if (s - begin + 1).is_multiple_of(every_s) { each } else { 0 };
                (0..steps).for_each(|_| tally.count_done());
                let progress = tally.progress(left, NO_SLOW, Duration::from_secs(s));
                told.extend(progress.map(|progress| progress.time_left.map(|left| left.as_secs())));
            }
            told
        };
        let mut tally = Tally::default();
        // One in eight seconds: ten of them take 80 s. Each second two: 20 s show enough.
        let slow = told(&mut tally, 604_800, 8, 1, 100);
        assert_eq!(slow[..7], [None; 7]);
        assert!(slow[7..].iter().all(|left| left.is_some_and(|left| (700..=900).contains(&left))), "{slow:?}");
        assert_eq!(tally.progress(0, NO_SLOW, Duration::from_secs(604_930)), None);
        let fast = told(&mut tally, 1_209_600, 1, 2, 100);
        assert_eq!(fast[0], None);
        assert!(fast[1..].iter().all(|left| left.is_some_and(|left| (45..=55).contains(&left))), "{fast:?}");
        // What comes is slower than what was: soon that alone counts.
        let slower = told(&mut tally, 1_209_721, 2, 1, 100);
        assert!((190..=210).contains(&slower.last().unwrap().unwrap()), "{slower:?}");
    }

    #[test]
    fn slow_work_takes_its_own_time_beside_the_rest() {
        // How many are left, how many of them are slow, and how long these take; what is told after 30 s, in which so many
        // were done.
        let cases = [
            (5, (5, Some(400)), 3, Some(400)),
            (5, (5, None), 30, None),
            (8, (5, Some(400)), 3, Some(400)),
            (8, (3, Some(400)), 3, None),
            (105, (5, Some(400)), 30, Some(400)),
            (605, (5, Some(400)), 30, Some(600)),
            (600, (0, None), 30, Some(600)),
            (605, (5, None), 30, None),
        ];
        for (left, (slow, slow_s), done, expected) in cases {
            let mut tally = Tally::default();
            let slow = (slow, slow_s.map(Duration::from_secs));
            assert_eq!(tally.progress(left, slow, Duration::ZERO), None);
            (0..done).for_each(|_| tally.count_done());
            let told = tally.progress(left, slow, Duration::from_secs(30)).unwrap();
            assert_eq!(told.time_left, expected.map(Duration::from_secs), "{left}, {slow:?}, {done}");
        }
    }
}
