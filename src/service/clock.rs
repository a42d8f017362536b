//! The only place that reads a clock; everything else gets the time as an argument.
#![expect(clippy::disallowed_methods, reason = "this is the boundary that the ban protects")]

use std::time::{Duration, Instant};

use jiff::{Timestamp, ZonedDateTime};

use crate::intake::Now;

/// A clock by the wall and one that never jumps.
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

    /// Returns the moment as the settle machine wants it.
    pub fn for_settle(&self) -> Now {
        Now { wall_ns: self.timestamp_ns(), steady: self.steady }
    }
}
