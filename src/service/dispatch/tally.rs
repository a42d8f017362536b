//! Numbers, and what was said a moment ago.

use std::time::Duration;

use super::part::{Left, Part};
use crate::report::{Repeats, Summary};

/// How often long work tells how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// What was done, and what was told of it.
#[derive(Debug)]
pub(super) struct Tally {
    done: u64,
    /// How many of these were done when it was asked last whether more were.
    done_before: u64,
    set_aside: u64,
    next_progress: Duration,
    pub(super) repeats: Repeats,
}

impl Default for Tally {
    fn default() -> Self {
        Self { done: 0, done_before: 0, set_aside: 0, next_progress: PROGRESS_EVERY, repeats: Repeats::default() }
    }
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

    /// Returns whether plans were carried out since the last call.
    pub(super) fn has_worked(&mut self) -> bool {
        std::mem::replace(&mut self.done_before, self.done) != self.done
    }

    /// Returns how many plans were carried out, if it is time to tell it.
    pub(super) fn progress(&mut self, now: Duration) -> Option<u64> {
        if now < self.next_progress {
            return None;
        }
        self.next_progress = now + PROGRESS_EVERY;
        Some(self.done)
    }

    /// Returns how things stand.
    pub(super) fn summary(&self, in_work: usize, held: usize) -> Summary {
        Summary { done: self.done, in_work, held, set_aside: self.set_aside }
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

    #[test]
    fn what_was_set_aside_counts_as_failed_and_progress_is_told_now_and_then() {
        let mut tally = Tally::default();
        tally.count_done();
        tally.count_set_aside();
        assert_eq!(check(&tally, Duration::ZERO), Left { soon: None, stuck: 1 });
        assert_eq!(tally.summary(2, 3).to_string(), "1 done, 2 in work, 3 held, 1 set aside");
        assert!(tally.has_worked() && !tally.has_worked());
        let told = (0..=25).filter_map(|s| tally.progress(Duration::from_secs(s)).map(|done| (s, done)));
        assert_eq!(told.collect::<Vec<_>>(), [(10, 1), (20, 1)]);
    }
}
