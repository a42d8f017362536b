//! What every part of the dispatcher can be asked, so that a new part cannot be forgotten.

use std::time::Duration;

/// Whoever waits longer than this is not waited for by `once`.
pub(super) const SOON: Duration = Duration::from_secs(3);

/// When something is looked at anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Due {
    pub(in crate::service) at: Duration,
    /// Whether `once` waits for it. What was put off for longer is not waited for when its time is near either: things
    /// that are looked at now and then, each at its own time, would keep `once` from ever ending.
    pub(super) is_awaited: bool,
}

impl Due {
    /// Returns that something is looked at anew at some time.
    pub(super) fn new(at: Duration, now: Duration) -> Self {
        Self { at, is_awaited: at <= now + SOON }
    }
}

/// The state of one concern. A part has no thread, channel, clock, log or disk: the time is an argument, and it
/// answers with values.
pub(super) trait Part {
    /// Returns when it wants the next turn at the latest; `None` if only a message can change anything.
    fn wake(&self, now: Duration) -> Option<Duration>;

    /// Returns what is left of its work.
    fn left(&self, now: Duration) -> Left;
}

/// What is left of a part's work.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    /// What ends it soon, if anything does: `once` waits for that.
    pub(super) soon: Option<By>,
    /// How much cannot be done at present: `once` does not wait for it, and says so by its exit status.
    pub(super) stuck: usize,
}

/// What ends a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The time that comes.
    Time,
    /// A worker that answers.
    Answer,
}

impl Left {
    /// Returns what is left of a part of which nothing is stuck.
    pub(super) fn soon(by: impl Into<Option<By>>) -> Self {
        Self { soon: by.into(), stuck: 0 }
    }
}

/// Checks what holds of each part in each state: what time ends has a time at which the part wants to be woken.
#[cfg(test)]
pub(super) fn check(part: &dyn Part, now: Duration) -> Left {
    let left = part.left(now);
    assert!(left.soon != Some(By::Time) || part.wake(now).is_some(), "nothing wakes the dispatcher: {left:?}");
    left
}
