use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::ask::ask;
use super::error::CliError;
use super::out::say;
use super::plan::path_of;
use super::settings::settings_of_existing;
use crate::records::{Action, Did, UndoWhat};
use crate::service::{View, layout};
use crate::vault::Lock;

/// Takes back the last step of all, or of one asset.
pub(super) fn undo(args: &RootArgs, file: Option<&Path>) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let what = match file {
        Some(file) => {
            let view = View::open(settings.clone()).map_err(|error| CliError::failed(&error))?;
            UndoWhat::Asset(path_of(&view, file)?)
        }
        None => UndoWhat::Last,
    };
    let answer = ask(&settings, &Action::Undo(what))?;
    for did in &answer.done {
        say!("{did}");
    }
    if answer.done.iter().any(|did| matches!(did, Did::Restored(_))) {
        say!("It lies in its bundle again, as it was.");
    } else if !answer.done.is_empty() {
        say!("What came back waits there: move it, change it, or let it go on with `stockmill release STAGE`.");
        if !Lock::is_held(&layout(&settings).home()) {
            say!("A bundle that it was taken out of gets its CSV anew when stockmill runs: `stockmill once`.");
        }
    }
    match answer.refused {
        Some(why) => Err(CliError::failed(&format!("not undone: {why}"))),
        None => Ok(ExitCode::SUCCESS),
    }
}
