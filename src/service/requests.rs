//! What a person asks for beside the flow: carried out by the daemon, or by the command where none runs.

use std::sync::Arc;

use jiff::Timestamp;

use super::carried_out::{CarriedOut, Rules};
use super::{Clock, Opened, ServiceError, remake, retry, send, undo, verdicts};
use crate::config::Settings;
use crate::craft::{Progress, Untold};
use crate::records::{Action, Answer, Request};
use crate::report;
use crate::vault::{Journal, QueuedRequest, Vault};

/// Takes a request out of the mailbox, carries it out and answers it. What was withdrawn meanwhile comes to nothing.
pub(super) fn answer(
    vault: &Vault,
    journal: &mut Journal,
    posted: &QueuedRequest,
    rules: &Rules,
    progress: &dyn Progress,
    now: Timestamp,
) -> CarriedOut {
    let refused = |why: String| CarriedOut { answer: Answer::refused(why), ..CarriedOut::default() };
    let carried = match (vault.mailbox().take(posted), &posted.request) {
        (Ok(false), _) => return CarriedOut::default(),
        (Err(error), _) => refused(error.to_string()),
        (Ok(true), Err(why)) => refused(why.clone()),
        (Ok(true), Ok(request)) => carry_out(vault, journal, request, rules, progress, now),
    };
    let answer = &carried.answer;
    report::request_answered(posted.kind(), answer.done.len(), answer.refused.as_deref());
    // Whoever asked may have gone; what was done stands in the journal and the log.
    let _ = vault.mailbox().answer(posted.path(), answer);
    carried
}

fn carry_out(
    vault: &Vault,
    journal: &mut Journal,
    request: &Request,
    rules: &Rules,
    progress: &dyn Progress,
    now: Timestamp,
) -> CarriedOut {
    match &request.action {
        Action::Undo(what) => undo::undo(vault, journal, what, request.at, rules, now),
        Action::Retry(what) => retry::retry(vault, journal, what, rules, now),
        Action::Remake(what) => remake::remake(vault, journal, what, rules, progress, now),
        Action::Sent(bundles) => send::send(vault, journal, bundles, rules, now),
        Action::Verdicts(verdicts) => verdicts::record(vault, journal, verdicts, now),
    }
}

/// Takes the lock and carries out a request, where no daemon works on the root.
pub fn carry_out_here(settings: &Settings, action: Action) -> Result<Answer, ServiceError> {
    let mut opened = Opened::open(settings, &|| ())?;
    let now = Clock::start().now().timestamp();
    let request = Request::new(action, now);
    let rules = Rules::of(&Arc::new(settings.clone()));
    Ok(carry_out(&opened.vault, &mut opened.journal, &request, &rules, &Untold, now).answer)
}
