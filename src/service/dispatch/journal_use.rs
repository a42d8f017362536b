//! Who has the journal: commits, an undo or a recovery, one at a time.

use std::collections::VecDeque;
use std::time::Duration;

use super::backoff::Backoff;
use super::part::{By, Left, Part, SOON};
use crate::vault::QueuedRequest;

/// The pauses between two recoveries while running.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What the journal is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Free,
    Committing,
    Undoing,
    Recovering,
}

/// What may be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Everything.
    Work,
    /// Nothing but what people want back: what comes back is not to be decided on before it is known that a person
    /// wanted it back.
    Undo,
    /// Nothing but a recovery: what a disk error left open is finished or taken back first.
    Recover,
}

/// Who has the journal, and who waits for it.
#[derive(Debug)]
pub(super) struct JournalUse {
    used_for: Use,
    needs_recovery: bool,
    /// Whether the last recovery was refused something, which is to be tried again.
    was_refused: bool,
    pause: Backoff,
    /// What people ask for: to have something undone, or taken up again.
    requests: VecDeque<QueuedRequest>,
}

impl Default for JournalUse {
    fn default() -> Self {
        Self {
            used_for: Use::Free,
            needs_recovery: false,
            was_refused: false,
            pause: Backoff::new(PAUSE_MIN, PAUSE_MAX),
            requests: VecDeque::new(),
        }
    }
}

impl JournalUse {
    /// Returns what may be begun now.
    pub(super) fn phase(&mut self, now: Duration) -> Phase {
        self.needs_recovery |= self.was_refused && self.pause.is_due(now);
        self.present_phase()
    }

    /// Returns what may be begun, whatever time it is.
    pub(super) fn present_phase(&self) -> Phase {
        if self.needs_recovery {
            Phase::Recover
        } else if self.used_for == Use::Undoing || !self.requests.is_empty() {
            Phase::Undo
        } else {
            Phase::Work
        }
    }

    /// Returns whether nobody has the journal.
    pub(super) fn is_free(&self) -> bool {
        self.used_for == Use::Free
    }

    /// Gives the journal to somebody.
    pub(super) fn begin(&mut self, used_for: Use) {
        debug_assert!(self.is_free(), "the journal is in use: {:?}", self.used_for);
        self.used_for = used_for;
    }

    /// Takes note that whoever had the journal is done with it.
    pub(super) fn ended(&mut self) {
        self.used_for = Use::Free;
    }

    /// Takes note that something was left open.
    pub(super) fn want_recovery(&mut self) {
        self.needs_recovery = true;
    }

    /// Returns whether something was left open that is to be finished or taken back first.
    pub(super) fn wants_recovery(&self) -> bool {
        self.needs_recovery
    }

    /// Returns whether a recovery may begin now, if one is wanted.
    pub(super) fn may_recover(&self, now: Duration) -> bool {
        self.is_free() && self.pause.is_due(now)
    }

    /// Takes note that a recovery ended: whether something was refused to it, or `None` if it could not even begin.
    /// A disk that refuses again and again is not asked without a pause.
    pub(super) fn recovered(&mut self, was_refused: Option<bool>, now: Duration) {
        self.ended();
        self.pause.tried(now);
        if let Some(was_refused) = was_refused {
            (self.needs_recovery, self.was_refused) = (false, was_refused);
        }
    }

    /// Takes note of what was refused to the recovery at the start.
    pub(super) fn opened(&mut self, was_refused: bool) {
        self.was_refused = was_refused;
    }

    /// Takes the requests that lie in the mailbox, those that are known already among them. One that is being carried
    /// out may be told once more; when its turn comes, it is gone.
    pub(super) fn set_requests(&mut self, requests: impl IntoIterator<Item = QueuedRequest>) {
        self.requests = requests.into_iter().collect();
    }

    /// Returns the next request, if the journal is free.
    pub(super) fn next_request(&mut self) -> Option<QueuedRequest> {
        if self.is_free() { self.requests.pop_front() } else { None }
    }
}

impl Part for JournalUse {
    fn wake(&self, now: Duration) -> Option<Duration> {
        let waits = self.is_free() && (self.needs_recovery || self.was_refused);
        // A recovery that is due waits for work in hand: it is asked again and again whether that is done.
        waits.then(|| self.pause.again().max(now + Duration::from_millis(10)))
    }

    fn left(&self, now: Duration) -> Left {
        let wants = self.needs_recovery || self.was_refused;
        // A request waits for a recovery that may never begin.
        let soon = if self.used_for != Use::Free || (!self.needs_recovery && !self.requests.is_empty()) {
            Some(By::Answer)
        } else {
            (wants && self.pause.again() <= now + SOON).then_some(By::Time)
        };
        Left { soon, stuck: usize::from(wants) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::check;
    use super::*;
    use crate::records::{Action, Request, UndoWhat};

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn request() -> QueuedRequest {
        QueuedRequest::of(Request::new(Action::Undo(UndoWhat::Last), jiff::Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn a_recovery_comes_first_and_then_what_people_want_back() {
        // (needs recovery, requests, used for, phase, left)
        let cases = [
            (false, 0, Use::Free, Phase::Work, None),
            (false, 0, Use::Committing, Phase::Work, Some(By::Answer)),
            (false, 1, Use::Free, Phase::Undo, Some(By::Answer)),
            (false, 1, Use::Committing, Phase::Undo, Some(By::Answer)),
            (false, 0, Use::Undoing, Phase::Undo, Some(By::Answer)),
            (true, 1, Use::Free, Phase::Recover, Some(By::Time)),
            (true, 0, Use::Free, Phase::Recover, Some(By::Time)),
            (true, 0, Use::Recovering, Phase::Recover, Some(By::Answer)),
        ];
        for (needs_recovery, requests, used_for, phase, soon) in cases {
            let mut journal = JournalUse::default();
            journal.set_requests((0..requests).map(|_| request()));
            if needs_recovery {
                journal.want_recovery();
            }
            journal.begin(used_for);
            let case = (needs_recovery, requests, used_for);
            assert_eq!((journal.phase(ms(0)), check(&journal, ms(0)).soon), (phase, soon), "{case:?}");
            assert_eq!(journal.next_request().is_some(), requests > 0 && used_for == Use::Free, "{case:?}");
        }
    }

    /// `once` with a disk that refuses to finish a plan: it tries a few times, and ends with status 1.
    #[test]
    fn a_disk_that_refuses_is_asked_after_growing_pauses_and_not_waited_for_in_the_end() {
        let mut journal = JournalUse::default();
        journal.want_recovery();
        let (mut now, mut tries) = (ms(5_000), Vec::new());
        loop {
            assert_eq!(journal.phase(now), Phase::Recover);
            assert!(journal.may_recover(now));
            journal.begin(Use::Recovering);
            journal.recovered(Some(true), now);
            assert_eq!(journal.phase(now), Phase::Work, "the others go on meanwhile");
            tries.push(journal.pause.again().saturating_sub(now));
            if check(&journal, now).soon.is_none() {
                break;
            }
            now = journal.wake(now).unwrap();
        }
        assert_eq!(tries, [250, 500, 1_000, 2_000, 4_000].map(ms));
        assert_eq!(check(&journal, now), Left { soon: None, stuck: 1 });
    }

    #[test]
    fn a_recovery_that_cannot_begin_is_still_wanted_and_one_that_succeeds_is_over() {
        let mut journal = JournalUse::default();
        journal.want_recovery();
        journal.recovered(None, ms(5_000));
        assert_eq!((journal.phase(ms(5_000)), journal.may_recover(ms(5_249))), (Phase::Recover, false));
        journal.recovered(Some(false), ms(5_250));
        assert_eq!((journal.phase(ms(99_000)), check(&journal, ms(99_000))), (Phase::Work, Left::default()));
    }
}
