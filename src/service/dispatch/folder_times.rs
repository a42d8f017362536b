//! What folders looked like when they were walked, so that a round walks only those that changed.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use super::part::{Left, Part};
use crate::model::{RelPath, Stage};

/// In every so many rounds all folders are walked, even those that look as they did.
const WALK_ALL_EVERY: u32 = 30;
/// Of so many folders it is asked at a time whether they changed.
const BATCH_MAX: usize = 512;
/// The clock by which local file systems tell a folder's changes apart. Those with a coarser one are polled,
/// or rely on events and on the rounds in which everything is walked.
const GRAIN_NS: i64 = 20_000_000;

/// When the names in each folder last changed, and when it is looked whether they changed again.
#[derive(Debug)]
pub(super) struct FolderTimes {
    /// In nanoseconds since 1970; 0 for a folder that may change again without a new time.
    times: BTreeMap<RelPath, i64>,
    is_comparing: bool,
    next_round: Duration,
    rounds: u32,
}

/// What a round looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    /// Everything.
    All,
    /// The folders whose time changed.
    Changed,
}

impl FolderTimes {
    /// Returns times of no folder.
    pub(super) fn new(next_round: Duration) -> Self {
        Self { times: BTreeMap::new(), is_comparing: false, next_round, rounds: 0 }
    }

    /// Takes note that everything is walked now: the next round comes after the usual pause.
    pub(super) fn all_marked(&mut self, now: Duration, every: Duration) {
        self.next_round = now + every;
    }

    /// Returns what the round looks at that is due, if one is.
    pub(super) fn due(&mut self, now: Duration, every: Duration, sees_all_events: bool) -> Option<Round> {
        if now < self.next_round {
            return None;
        }
        self.rounds += 1;
        self.next_round = now + every;
        let is_all = self.rounds.is_multiple_of(WALK_ALL_EVERY) || !sees_all_events;
        Some(if is_all { Round::All } else { Round::Changed })
    }

    /// Remembers the folders of a unit that was looked at from this time on, by the wall clock.
    pub(super) fn remember(&mut self, unit: &RelPath, folders: &[(RelPath, i64)], begun_ns: i64) {
        self.forget(unit);
        self.add(folders, begun_ns);
    }

    /// Remembers folders that were looked at from this time on, beside those that are known.
    pub(super) fn add(&mut self, folders: &[(RelPath, i64)], begun_ns: i64) {
        // A folder that changed in this very moment may change again without a new time.
        let is_young = |stamp: i64| stamp.saturating_add(GRAIN_NS) > begun_ns;
        for (folder, stamp) in folders {
            self.times.insert(folder.clone(), if is_young(*stamp) { 0 } else { *stamp });
        }
    }

    /// Forgets what a unit's folders looked like. A stage folder does not cover the themes in it.
    pub(super) fn forget(&mut self, unit: &RelPath) {
        self.times.remove(unit);
        if unit.parent().is_some() || unit.area() == Stage::Ideas.name() {
            let below: Vec<RelPath> = self.times.range(unit.inside()).map(|(folder, _)| folder.clone()).collect();
            for folder in below {
                self.times.remove(&folder);
            }
        }
    }

    /// Begins to compare, unless that is under way; returns the first folders, with their times.
    pub(super) fn begin(&mut self) -> Vec<(RelPath, i64)> {
        if self.is_comparing { Vec::new() } else { self.batch(Bound::Unbounded) }
    }

    /// Returns the folders that are to be compared after those up to `last`.
    pub(super) fn next_after(&mut self, last: &RelPath) -> Vec<(RelPath, i64)> {
        self.batch(Bound::Excluded(last))
    }

    fn batch(&mut self, from: Bound<&RelPath>) -> Vec<(RelPath, i64)> {
        let times = self.times.range::<RelPath, _>((from, Bound::Unbounded)).take(BATCH_MAX);
        let batch: Vec<_> = times.map(|(folder, stamp)| (folder.clone(), *stamp)).collect();
        self.is_comparing = !batch.is_empty();
        batch
    }
}

impl Part for FolderTimes {
    fn wake(&self, _: Duration) -> Option<Duration> {
        Some(self.next_round)
    }

    fn left(&self, _: Duration) -> Left {
        // Rounds find what changes from now on: nobody waits for that.
        Left::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::check;
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    #[test]
    fn every_thirtieth_round_walks_all_and_so_does_each_without_events() {
        for (sees_all_events, expected) in [(true, vec![30, 60]), (false, (1..=60).collect())] {
            let mut times = FolderTimes::new(MINUTE);
            assert_eq!((times.due(MINUTE / 2, MINUTE, true), times.wake(MINUTE / 2)), (None, Some(MINUTE)));
            let all = (1..=60).filter(|round| times.due(MINUTE * *round, MINUTE, sees_all_events) == Some(Round::All));
            assert_eq!(all.collect::<Vec<u32>>(), expected, "{sees_all_events}");
            assert_eq!(check(&times, MINUTE), Left::default());
        }
    }

    #[test]
    fn a_folder_that_just_changed_is_not_believed() {
        let begun = 1_000_000_000;
        for (stamp, remembered) in
            [(1, 1), (begun - GRAIN_NS, begun - GRAIN_NS), (begun - GRAIN_NS + 1, 0), (begun * 2, 0)]
        {
            let mut times = FolderTimes::new(MINUTE);
            times.remember(&path("raw/t"), &[(path("raw/t"), stamp)], begun);
            assert_eq!(times.begin(), [(path("raw/t"), remembered)], "{stamp}");
        }
    }

    #[test]
    fn folders_are_forgotten_with_their_unit() {
        let folders = ["ideas", "ideas/a", "raw", "raw/t", "raw/t/b", "raw/tt"];
        let cases: [(&str, &[&str]); 4] = [
            ("raw", &["ideas", "ideas/a", "raw/t", "raw/t/b", "raw/tt"]),
            ("raw/t", &["ideas", "ideas/a", "raw", "raw/tt"]),
            ("ideas", &["raw", "raw/t", "raw/t/b", "raw/tt"]),
            ("keep", &folders),
        ];
        for (unit, left) in cases {
            let mut times = FolderTimes::new(MINUTE);
            times.times.extend(folders.iter().map(|folder| (path(folder), 1)));
            times.forget(&path(unit));
            assert_eq!(times.times.keys().map(ToString::to_string).collect::<Vec<_>>(), left, "{unit}");
        }
    }

    #[test]
    fn all_folders_are_compared_some_at_a_time() {
        let mut times = FolderTimes::new(MINUTE);
        times.times.extend((0..BATCH_MAX + 3).map(|n| (path(&format!("raw/{n:04}")), 1)));
        let first = times.begin();
        assert_eq!((first.len(), times.begin().len()), (BATCH_MAX, 0), "one comparison at a time");
        let second = times.next_after(&first.last().unwrap().0);
        assert_eq!(second.len(), 3);
        assert!(times.next_after(&second.last().unwrap().0).is_empty());
        assert_eq!(times.begin().len(), BATCH_MAX);
    }
}
