//! Having a request carried out: by the daemon, or by the command itself where none runs.

use std::time::Duration;

use super::error::CliError;
use crate::config::Settings;
use crate::model::RelPath;
use crate::records::{Action, Answer, Request};
use crate::service::{Clock, ServiceError, carry_out_here, layout};
use crate::vault::{Lock, Mailbox};

/// How long a running daemon may take until the person is told that the request is queued, and for how long the answer is
/// waited for at all.
const TOLD_AFTER: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Has a request carried out, and returns what came of it.
pub(super) fn ask(settings: &Settings, action: &Action) -> Result<Answer, CliError> {
    let mailbox = Mailbox::beside_daemon(layout(settings));
    let is_running = || Lock::is_held(&layout(settings).home());
    let clock = Clock::start();
    loop {
        if !is_running() {
            match carry_out_here(settings, action.clone()) {
                // One was started in this moment.
                Err(ServiceError::Lock(_)) if is_running() => (),
                answer => return answer.map_err(|error| CliError::failed(&error)),
            }
        }
        let request = Request::new(action.clone(), clock.now().timestamp());
        let posted = mailbox.ask(&request).map_err(|error| CliError::failed(&error))?;
        if let Some(answer) = wait_for_daemon(&mailbox, posted.path(), &is_running)? {
            return Ok(answer);
        }
        if mailbox.take(&posted).is_ok_and(|is_withdrawn| is_withdrawn) {
            continue;
        }
        // It may have answered just before it ended.
        let ended = "the daemon ended before it answered; its log and `stockmill history` say how far it came";
        return answer_to(&mailbox, posted.path())?.ok_or_else(|| CliError::failed(&ended));
    }
}

/// Waits for the daemon's answer to the request in a file; `None` if it ended before it answered.
pub(super) fn wait_for_daemon(
    mailbox: &Mailbox,
    request: &RelPath,
    is_running: &dyn Fn() -> bool,
) -> Result<Option<Answer>, CliError> {
    let clock = Clock::start();
    let mut is_told = false;
    while clock.now().steady < PATIENCE {
        if let Some(answer) = answer_to(mailbox, request)? {
            return Ok(Some(answer));
        }
        std::thread::sleep(LOOK_EVERY);
        if !is_running() {
            return Ok(None);
        }
        if clock.now().steady > TOLD_AFTER && !is_told {
            is_told = true;
            eprintln!(
                "stockmill: queued: the daemon is at work and carries it out when it can; waiting for its answer"
            );
        }
    }
    let why = "still queued: the daemon carries it out when it can; its log and `stockmill history` say when, and \
               `stockmill status` says what it waits for";
    Err(CliError::failed(&why))
}

fn answer_to(mailbox: &Mailbox, request: &RelPath) -> Result<Option<Answer>, CliError> {
    let cannot = |error| CliError::failed(&format!("the daemon's answer cannot be read: {error}"));
    mailbox.read_answer(request).transpose().map_err(cannot)
}
