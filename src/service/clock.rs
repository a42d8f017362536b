//! The only place that reads a clock; everything else gets the time as an argument.
#![expect(clippy::disallowed_methods, reason = "this is the boundary that the ban protects")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use crate::intake::Now;
use crate::model::Stage;

/// The wall clock, and a clock that never jumps.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    begun: Instant,
}

/// One moment on every clock.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The time in the local zone.
    pub local: ZonedDateTime,
    /// Time since the program began.
    pub steady: Duration,
}

impl Clock {
    /// Starts the clock.
    pub fn start() -> Self {
        Self { begun: Instant::now() }
    }

    /// Returns the present moment.
    pub fn now(&self) -> Moment {
        Moment { local: ZonedDateTime::now(), steady: self.steady() }
    }

    /// Returns the time since the program began.
    pub fn steady(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Moment {
    /// Returns the point in time, without a zone.
    pub fn timestamp(&self) -> Timestamp {
        self.local.timestamp()
    }

    /// Returns how long ago a time of the wall clock was; zero if it lies in the future.
    pub fn since(&self, then_ns: i64) -> Duration {
        self.for_settle().since(then_ns)
    }

    fn timestamp_ns(&self) -> i64 {
        i64::try_from(self.local.timestamp().as_nanosecond()).unwrap_or(i64::MAX)
    }

    /// Returns the moment in the form that settling needs.
    pub fn for_settle(&self) -> Now {
        Now { wall_ns: self.timestamp_ns(), steady: self.steady }
    }
}

/// The smallest jump of the clock that is reported: the daemon may not have run for some weeks.
const JUMP: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is remembered of time, so that nothing is deleted because a clock jumped.
#[derive(Debug)]
pub(super) struct Memory {
    /// A time that had surely passed when the program began, if there was work before.
    known: Option<Timestamp>,
    told: BTreeSet<Stage>,
    is_jump_told: bool,
}

impl Memory {
    /// Takes the times of former work, each list in its order. The last day of work is left out: the clock may have
    /// been wrong on it. Without former work the clock is believed.
    pub(super) fn new(done: &[&[Timestamp]]) -> Self {
        let newest = done.iter().filter_map(|times| times.last()).max();
        let day_before = newest.and_then(|newest| newest.checked_sub(SignedDuration::from_hours(24)).ok());
        let before = |times: &&[Timestamp]| {
            let day_before = day_before?;
            times[..times.partition_point(|at| *at <= day_before)].last().copied()
        };
        let oldest = || done.iter().filter_map(|times| times.first()).min().copied();
        let known = done.iter().filter_map(before).max().or_else(oldest);
        Self { known, told: BTreeSet::new(), is_jump_told: false }
    }

    /// Returns a time that has surely passed, by which ages are counted. It is never later than the clock.
    pub(super) fn believed(&self, moment: &Moment) -> Timestamp {
        let Some(known) = self.known else { return moment.timestamp() };
        known.checked_add(moment.steady).unwrap_or(Timestamp::MAX).min(moment.timestamp())
    }

    /// Returns whether times of a stage that lie in the future are news.
    pub(super) fn note_ahead(&mut self, stage: Stage) -> bool {
        self.told.insert(stage)
    }

    /// Returns the time that is believed instead, if the clock is far ahead of it and that is news.
    pub(super) fn note_jump(&mut self, moment: &Moment) -> Option<Timestamp> {
        let believed = self.believed(moment);
        let is_jump = moment.timestamp().duration_since(believed) > JUMP;
        (is_jump && !std::mem::replace(&mut self.is_jump_told, true)).then_some(believed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn moment(now: &str, hours: u64) -> Moment {
        Moment { local: time(now).to_zoned_datetime(TimeZone::UTC), steady: Duration::from_secs(hours * 3600) }
    }

    #[test]
    fn a_clock_that_jumped_is_not_believed() {
        const START: &str = "2026-11-28T12:00:00Z";
        type Case = (&'static [&'static str], &'static str, u64, &'static str);
        let cases: [Case; 9] = [
            // (what was done, the clock, hours since the start, what is believed)
            (&[], START, 0, START),
            (&["2026-11-26T09:00:00Z", "2026-11-28T09:00:00Z"], START, 0, "2026-11-26T09:00:00Z"),
            (&["2026-11-26T09:00:00Z", "2026-11-28T09:00:00Z"], "2026-11-29T12:00:00Z", 24, "2026-11-27T09:00:00Z"),
            // It jumps while the daemon runs, or stood wrong at its start.
            (&["2026-11-26T09:00:00Z", "2026-11-28T09:00:00Z"], "2030-01-01T00:00:00Z", 1, "2026-11-26T10:00:00Z"),
            // A run in 2030 proves nothing, nor does the next one on that day.
            (&["2026-11-28T09:00:00Z", "2030-01-01T00:00:00Z"], "2030-01-01T01:00:00Z", 0, "2026-11-28T09:00:00Z"),
            (&["2026-11-28T09:00:00Z", "2026-11-28T10:00:00Z"], "2030-01-01T01:00:00Z", 0, "2026-11-28T09:00:00Z"),
            // It went back: then it says when it is.
            (&["2026-11-20T09:00:00Z", "2026-11-28T09:00:00Z"], "2020-01-01T00:00:00Z", 0, "2020-01-01T00:00:00Z"),
            (&["2030-01-01T00:00:00Z", "2030-01-03T00:00:00Z"], START, 0, START),
            (&["2026-11-28T09:00:00Z"], START, 0, "2026-11-28T09:00:00Z"),
        ];
        for (done, now, hours, believed) in cases {
            let done: Vec<Timestamp> = done.iter().map(|at| time(at)).collect();
            let memory = Memory::new(&[&done, &[]]);
            assert_eq!(memory.believed(&moment(now, hours)), time(believed), "{done:?} at {now}");
        }
    }

    #[test]
    fn a_jump_is_told_once() {
        let mut memory = Memory::new(&[&[time("2026-11-28T09:00:00Z")]]);
        let news = ["2026-12-20T00:00:00Z", "2030-01-01T00:00:00Z", "2030-01-01T00:01:00Z"]
            .map(|now| memory.note_jump(&moment(now, 0)).is_some());
        assert_eq!(news, [false, true, false]);
    }
}
