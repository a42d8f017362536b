//! Having a request carried out: by the daemon, or by the command itself where none runs.

use std::time::Duration;

use super::error::CliError;
use crate::config::Settings;
use crate::records::{Action, Answer, Request};
use crate::service::{Clock, ServiceError, carry_out_here, layout};
use crate::vault::{Lock, Mailbox, QueuedRequest};

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
        if let Some(answer) = by_daemon(&mailbox, &posted, &is_running)? {
            return Ok(answer);
        }
    }
}

/// Waits for the daemon's answer; `None` if it ended before it took the request.
fn by_daemon(
    mailbox: &Mailbox,
    posted: &QueuedRequest,
    is_running: &dyn Fn() -> bool,
) -> Result<Option<Answer>, CliError> {
    let clock = Clock::start();
    let mut is_told = false;
    let answered = || {
        let answer = mailbox.read_answer(posted);
        answer.transpose().map_err(|error| CliError::failed(&format!("the daemon's answer cannot be read: {error}")))
    };
    while clock.now().steady < PATIENCE {
        if let Some(answer) = answered()? {
            return Ok(Some(answer));
        }
        std::thread::sleep(LOOK_EVERY);
        if !is_running() {
            if mailbox.take(posted).is_ok_and(|is_withdrawn| is_withdrawn) {
                return Ok(None);
            }
            // It may have answered just before it ended.
            let ended = "the daemon ended before it answered; its log and `stockmill history` say how far it came";
            return answered()?.map(Some).ok_or_else(|| CliError::failed(&ended));
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
