//! What is left to do, and when to wake for it: the questions that each part answers for itself.

use std::time::Duration;

use super::super::journal_use::Phase;
use super::super::part::{By, Left, Part, SOON};
use super::super::{Dispatcher, Intake, Maintenance};
use crate::report::Summary;

impl Dispatcher {
    /// Returns how long the next turn may wait.
    pub(in crate::service::dispatch) fn wake(&self, now: Duration) -> Duration {
        let parts = self.working_parts();
        let wakes = parts.iter().filter_map(|part| part.wake(now));
        let may_commit = self.journal.present_phase() != Phase::Recover && self.journal.is_free();
        let batch = self.pipeline.batch_due().filter(|_| may_commit);
        let wake = wakes.chain(self.pipeline.turn_due()).chain(batch).min().unwrap_or(now + Duration::from_secs(5));
        wake.saturating_sub(now).clamp(Duration::from_millis(1), Duration::from_secs(5))
    }

    /// Returns the parts that may begin something as things stand.
    fn working_parts(&self) -> Vec<&dyn Part> {
        let Intake { walks, folder_times, watch_health, schedules, line } = &self.intake;
        let mut parts: Vec<&dyn Part> =
            vec![folder_times, watch_health, schedules, line, &self.areas, &self.inbox, &self.journal, &self.tally];
        parts.push(&self.maintenance.second_looks);
        let phase = self.journal.present_phase();
        if phase == Phase::Work && !self.is_stopping {
            parts.extend([walks as &dyn Part, &self.maintenance]);
            // While a batch is carried out, its end wakes whoever waits for that.
            parts.extend(self.journal.is_free().then_some(&self.pipeline as &dyn Part));
        }
        parts
    }

    /// Returns every part.
    fn parts(&self) -> [&dyn Part; 12] {
        // Each field is named: a new part must be asked.
        let Self { decide: _, intake, areas, inbox, pipeline, journal, maintenance, tally, is_stopping: _ } = self;
        let Intake { walks, folder_times, watch_health, schedules, line } = intake;
        let second_looks = &maintenance.second_looks;
        [
            walks,
            folder_times,
            watch_health,
            schedules,
            line,
            areas,
            inbox,
            pipeline,
            journal,
            maintenance,
            second_looks,
            tally,
        ]
    }

    /// Returns whether nothing is left that time alone would not change.
    pub(in crate::service) fn is_idle(&self, now: Duration) -> bool {
        let is_soon = |part: &dyn Part| part.left(now).soon.is_some();
        if self.journal.present_phase() == Phase::Recover {
            return !is_soon(&self.journal) && !self.pipeline.is_busy() && !self.intake.walks.is_walking();
        }
        !self.parts().into_iter().any(is_soon)
    }

    /// Returns whether no work is in hand, so that the program may end.
    pub(in crate::service) fn is_at_rest(&self) -> bool {
        let is_left = match self.journal.present_phase() {
            Phase::Work => self.pipeline.has_batch(),
            Phase::Undo => true,
            Phase::Recover => false,
        };
        !self.pipeline.is_busy() && self.journal.is_free() && !is_left
    }

    /// Returns how many assets had to be set aside, areas are paused, and things could not be done.
    pub(in crate::service) fn failed(&self, now: Duration) -> u64 {
        self.parts().into_iter().map(|part| part.left(now).stuck as u64).sum()
    }

    /// Returns how many assets and records are on their way.
    pub(in crate::service::dispatch) fn in_work(&self) -> usize {
        self.inbox.in_hand() + self.maintenance.tending.in_hand()
    }

    /// Returns how things stand.
    pub(in crate::service) fn summary(&self) -> Summary {
        self.tally.summary(self.in_work(), self.inbox.held())
    }
}

impl Part for Maintenance {
    fn wake(&self, now: Duration) -> Option<Duration> {
        let gone = self.gone.due().map(|due| due.max(self.tending.again()));
        self.tending.wake(now).into_iter().chain(gone).min()
    }

    fn left(&self, now: Duration) -> Left {
        let mut left = self.tending.left(now);
        if self.gone.is_looking() {
            left.soon = Some(By::Answer);
        } else if self.gone.due().is_some() && self.tending.again() <= now + SOON {
            left.soon = left.soon.or(Some(By::Time));
        }
        left
    }
}
