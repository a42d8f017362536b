use std::time::Duration;

use super::clock::Clock;

/// Detects many events in a short time. Each wakes the thread that reads them, which costs about as much as a small
/// file; so the thread sleeps for moments in a burst, and the system gathers the events.
#[derive(Debug)]
pub(super) struct Burst {
    clock: Clock,
    since: Duration,
    events: u32,
}

/// How long the thread sleeps, and the least time between two sleeps; the system keeps thousands of events.
const SLEEP: Duration = Duration::from_millis(2);
const INTERVAL: Duration = Duration::from_millis(1);
/// Fewer events within that time are no burst.
const EVENTS_MIN: u32 = 16;

impl Burst {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, since: Duration::ZERO, events: 0 }
    }

    /// Counts an event, and sleeps if there were many.
    pub(super) fn count(&mut self) {
        self.events += 1;
        let now = self.clock.steady();
        if now < self.since + INTERVAL {
            return;
        }
        if self.events >= EVENTS_MIN {
            std::thread::sleep(SLEEP);
        }
        (self.since, self.events) = (self.clock.steady(), 0);
    }
}
