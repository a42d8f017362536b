//! Reports a disk that does not answer, such as a network drive without its server. It may block the dispatcher in
//! the middle of a call, and nothing can end that call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::report;

/// How often the dispatcher is checked; at rest it wakes as often by itself.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// The number of checks without a turn after which it is reported.
const CHECKS_MAX: u32 = 3;
/// How long a stop waits for a disk that does not answer.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Counts the dispatcher's turns.
#[derive(Debug, Default)]
pub(super) struct Pulse(AtomicU64);

impl Pulse {
    /// Notes that the dispatcher goes on.
    pub(super) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn turns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Reports when the dispatcher is blocked, and when it goes on; runs for ever.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut silence = Silence::default();
        loop {
            tokio::time::sleep(CHECK_EVERY).await;
            match silence.check(self.turns()) {
                Some(Heard::Nothing) => report::no_answer(CHECK_EVERY * CHECKS_MAX),
                Some(Heard::Again) => report::answers_again(),
                None => (),
            }
        }
    }

    /// Ends the process if the dispatcher, asked to stop, is blocked: the next start recovers, as after a
    /// power cut.
    pub(super) fn end_if_silent(&self) {
        let before = self.turns();
        std::thread::sleep(STOP_PATIENCE);
        if self.turns() == before {
            report::stopped_without_answer();
            std::process::exit(1);
        }
    }
}

/// How long the dispatcher has been silent. Checks are counted, not time: a process that was paused for an hour has
/// missed none.
#[derive(Debug, Default)]
struct Silence {
    turns: u64,
    checks: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Again,
}

impl Silence {
    fn check(&mut self, turns: u64) -> Option<Heard> {
        if turns != self.turns {
            let was_told = self.checks >= CHECKS_MAX;
            (self.turns, self.checks) = (turns, 0);
            return was_told.then_some(Heard::Again);
        }
        self.checks = self.checks.saturating_add(1);
        (self.checks == CHECKS_MAX).then_some(Heard::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_and_its_end() {
        let mut silence = Silence::default();
        let heard: Vec<_> = [1, 1, 1, 2, 2, 2, 2, 2, 2, 9, 9, 10].map(|turns| silence.check(turns)).into();
        let told: Vec<_> = heard.iter().enumerate().filter_map(|(n, heard)| Some((n, heard.as_ref()?))).collect();
        assert_eq!(told, [(6, &Heard::Nothing), (9, &Heard::Again)]);
    }
}
