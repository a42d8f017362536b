//! A disk that does not answer, such as a network drive without its server, may hold the dispatcher in the
//! middle of a call. Nobody can take it out of there, so it is said.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::report;

/// How often it is looked whether the dispatcher goes on; at rest it wakes as often by itself.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After so many looks without a turn, it is told.
const LOOKS_MAX: u32 = 3;
/// How long a stop waits for a disk that does not answer.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Counts the dispatcher's turns.
#[derive(Debug, Default)]
pub(super) struct Pulse(AtomicU64);

impl Pulse {
    /// Says that the dispatcher goes on.
    pub(super) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn turns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Tells when the dispatcher stands still, and when it goes on; for ever.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut silence = Silence::default();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match silence.look(self.turns()) {
                Some(Heard::Nothing) => report::no_answer(LOOK_EVERY * LOOKS_MAX),
                Some(Heard::Again) => report::answers_again(),
                None => (),
            }
        }
    }

    /// Ends the process if the dispatcher, asked to stop, stands still: the next start recovers, as after a
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

/// How long nothing was heard. Looks are counted, not time: a process that was stopped for an hour and goes
/// on has missed none.
#[derive(Debug, Default)]
struct Silence {
    turns: u64,
    looks: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Again,
}

impl Silence {
    fn look(&mut self, turns: u64) -> Option<Heard> {
        if turns != self.turns {
            let was_told = self.looks >= LOOKS_MAX;
            (self.turns, self.looks) = (turns, 0);
            return was_told.then_some(Heard::Again);
        }
        self.looks = self.looks.saturating_add(1);
        (self.looks == LOOKS_MAX).then_some(Heard::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_and_its_end() {
        let mut silence = Silence::default();
        let heard: Vec<_> = [1, 1, 1, 2, 2, 2, 2, 2, 2, 9, 9, 10].map(|turns| silence.look(turns)).into();
        let told: Vec<_> = heard.iter().enumerate().filter_map(|(n, heard)| Some((n, heard.as_ref()?))).collect();
        assert_eq!(told, [(6, &Heard::Nothing), (9, &Heard::Again)]);
    }
}
