//! What a worker tells of a picture that takes long, and how it is told to stop in the middle of one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::craft::{Progress, Stopped};
use crate::model::RelPath;
use crate::report;
use crate::service::clock::Clock;

/// What takes less is not told.
const FIRST_AFTER: Duration = Duration::from_secs(2);
/// The pause between two lines about one picture.
const TOLD_EVERY: Duration = Duration::from_secs(5);
/// Of how many of a hundred rows the time of the others is told: a net begins with rows that give no result yet.
const PERCENT_MIN: u64 = 4;

/// Whether workers are to leave pictures that are not ready. Nobody takes it back.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Tells all workers.
    pub(super) fn tell(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_told(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The rows of one asset's pictures.
pub(super) struct Rows<'a> {
    stop: &'a Stop,
    clock: Clock,
    file: Option<&'a RelPath>,
    throttle: Mutex<Throttle>,
}

impl<'a> Rows<'a> {
    /// Begins with an asset.
    pub(super) fn new(stop: &'a Stop, clock: Clock, file: Option<&'a RelPath>) -> Self {
        Self { stop, clock, file, throttle: Mutex::new(Throttle::new(clock.steady())) }
    }
}

impl Progress for Rows<'_> {
    fn rows(&self, done: u32, of: u32) -> Result<(), Stopped> {
        if self.stop.is_told() {
            return Err(Stopped);
        }
        let now = self.clock.steady();
        let told = self.throttle.lock().expect("no teller panics").due(done, of, now);
        if let Some((percent, left)) = told {
            report::rows(self.file, percent, left);
        }
        Ok(())
    }
}

/// Which rows are told.
#[derive(Debug)]
struct Throttle {
    begun: Duration,
    next: Duration,
}

impl Throttle {
    fn new(now: Duration) -> Self {
        Self { begun: now, next: now + FIRST_AFTER }
    }

    /// Returns how many of a hundred rows are done, and how much time the others take where that shows, if it is time to
    /// tell it. Before the first row and behind the last there is nothing to tell.
    fn due(&mut self, done: u32, of: u32, now: Duration) -> Option<(u32, Option<Duration>)> {
        if now < self.next || done == 0 || done >= of {
            return None;
        }
        self.next = now + TOLD_EVERY;
        let percent = u64::from(done) * 100 / u64::from(of);
        let left = || now.saturating_sub(self.begun).mul_f64(f64::from(of - done) / f64::from(done));
        Some((u32::try_from(percent).unwrap_or(100), (percent >= PERCENT_MIN).then(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_of_what_takes_long_and_not_too_often() {
        let mut throttle = Throttle::new(Duration::from_secs(10));
        for (ms, done, of, expected) in [
            (10_000, 0, 400, None),
            (11_999, 100, 400, None),
            (12_000, 0, 400, None),
            (12_000, 100, 400, Some((25, Some(6_000)))),
            (12_100, 110, 400, None),
            (16_999, 160, 400, None),
            (18_000, 160, 400, Some((40, Some(12_000)))),
            (23_000, 399, 400, Some((99, Some(32)))),
            (30_000, 15, 400, Some((3, None))),
            (40_000, 400, 400, None),
            (40_000, 0, 0, None),
            (40_000, u32::MAX - 1, u32::MAX, Some((99, Some(0)))),
        ] {
            let due = throttle.due(done, of, Duration::from_millis(ms));
            assert_eq!(
                due.map(|(percent, left)| (percent, left.map(|left| left.as_millis()))),
                expected,
                "{done} of {of} at {ms} ms"
            );
        }
    }

    #[test]
    fn a_stop_ends_the_work_at_the_next_row() {
        let stop = Stop::default();
        let (first, other) = (stop.clone(), Rows::new(&stop, Clock::start(), None));
        assert_eq!(other.rows(1, 9), Ok(()));
        first.tell();
        assert_eq!(other.rows(2, 9), Err(Stopped));
    }
}
