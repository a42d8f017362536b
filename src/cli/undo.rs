use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::plan::path_of;
use super::settings::settings_of_existing;
use crate::config::Settings;
use crate::plan::UndoWhat;
use crate::service::{Clock, UndoAnswer, View, layout, read_answer, request_undo, undo_here, withdraw_undo};
use crate::vault::Mailbox;

/// How long a running daemon may take to finish the step in hand and answer.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Takes back the last step, the last batch, or the last step of one asset.
pub(super) fn undo(args: &RootArgs, file: Option<&Path>, is_batch: bool) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let view = View::open(settings.clone()).map_err(|error| CliError::failed(&error))?;
    let what = match file {
        Some(file) => UndoWhat::Asset(path_of(&view, file)?),
        None if is_batch => UndoWhat::Batch,
        None => UndoWhat::Last,
    };
    let by_daemon = if view.has_daemon() { by_daemon(&view, &settings, what.clone())? } else { None };
    let answer = match by_daemon {
        Some(answer) => answer,
        None => undo_here(&settings, what).map_err(|error| CliError::failed(&error))?,
    };
    for line in &answer.undone {
        say!("{line}");
    }
    if !answer.undone.is_empty() {
        say!("What came back waits there: move it, change it, or let it go on with `stockmill release STAGE`.");
    }
    match answer.refused {
        Some(why) => Err(CliError::failed(&format!("not undone: {why}"))),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Asks the daemon, and waits for its answer; `None` if it ended before it took the wish.
fn by_daemon(view: &View, settings: &Settings, what: UndoWhat) -> Result<Option<UndoAnswer>, CliError> {
    let mailbox = &Mailbox::beside_daemon(layout(settings));
    let clock = Clock::start();
    let answer = request_undo(mailbox, what, clock.now().timestamp()).map_err(|error| CliError::failed(&error))?;
    while clock.now().steady < PATIENCE {
        if let Some(answer) = read_answer(mailbox, &answer) {
            return Ok(Some(answer));
        }
        std::thread::sleep(LOOK_EVERY);
        if view.has_daemon() {
            continue;
        }
        if withdraw_undo(mailbox, &answer) {
            return Ok(None);
        }
        // It may have answered with its last breath.
        let ended = "the daemon ended before it answered; its log and `stockmill history` say how far it came";
        return read_answer(mailbox, &answer).map(Some).ok_or_else(|| CliError::failed(&ended));
    }
    if withdraw_undo(mailbox, &answer) {
        return Err(CliError::failed(&"nothing was undone: the daemon did not answer; `stockmill status` says why"));
    }
    Err(CliError::failed(&"the daemon is still at work and will undo it later; its log says when"))
}
