use std::time::Duration;

use sd_notify::NotifyState;

/// Tells systemd the state of the daemon; does nothing without systemd.
pub(super) struct Ready {
    is_told: bool,
    said_stopping: bool,
    watchdog: Option<Duration>,
    next: Duration,
    status: String,
}

/// The least time between two status lines.
const STATUS_EVERY: Duration = Duration::from_secs(2);

impl Ready {
    pub(super) fn new() -> Self {
        let watchdog = sd_notify::watchdog_enabled();
        Self { is_told: false, said_stopping: false, watchdog, next: Duration::ZERO, status: String::new() }
    }

    /// Reports once that the inboxes are watched and were walked.
    pub(super) fn ready(&mut self) {
        if !std::mem::replace(&mut self.is_told, true) {
            crate::report::ready();
            tell(&[NotifyState::Ready]);
        }
    }

    /// Reports that the dispatcher goes on: systemd restarts one that hangs.
    pub(super) fn alive(&mut self, summary: &str, now: Duration) {
        if now < self.next {
            return;
        }
        self.next = now + self.watchdog.map_or(STATUS_EVERY, |limit| STATUS_EVERY.min(limit / 3));
        if self.watchdog.is_some() {
            tell(&[NotifyState::Watchdog]);
        }
        if self.status != summary {
            summary.clone_into(&mut self.status);
            tell(&[NotifyState::Status(summary)]);
        }
    }

    pub(super) fn reloading() {
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, now]);
        }
    }

    pub(super) fn reloaded(&self) {
        if self.is_told {
            tell(&[NotifyState::Ready]);
        }
    }

    pub(super) fn stopping(&mut self) {
        if !std::mem::replace(&mut self.said_stopping, true) {
            tell(&[NotifyState::Stopping]);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}
