use std::time::Duration;

use super::clock::Clock;

/// Many events in a short time. Each wakes the thread that reads them, at about the cost of handling a
/// small file; so it naps now and then, and the system gathers what comes meanwhile.
#[derive(Debug)]
pub(super) struct Burst {
    clock: Clock,
    since: Duration,
    events: u32,
}

/// How long a nap is, and how far apart two are; the system keeps thousands of events.
const NAP: Duration = Duration::from_millis(2);
const APART: Duration = Duration::from_millis(1);
/// Fewer events than that in such a time are no burst.
const EVENTS_MIN: u32 = 16;

impl Burst {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, since: Duration::ZERO, events: 0 }
    }

    /// Counts an event, and naps if there were many.
    pub(super) fn count(&mut self) {
        self.events += 1;
        let now = self.clock.steady();
        if now < self.since + APART {
            return;
        }
        if self.events >= EVENTS_MIN {
            std::thread::sleep(NAP);
        }
        (self.since, self.events) = (self.clock.steady(), 0);
    }
}
