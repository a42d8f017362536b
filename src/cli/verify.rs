use std::process::ExitCode;

use serde_json::json;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::model::counted;
use crate::plan::BundleFolder;
use crate::service::{MovedByHand, NotFromHere, Problem, Verified, Wrong, verify as check};

/// Checks every receipt, and prints one line for each problem, for people.
pub(super) fn text(args: &RootArgs) -> Result<ExitCode, CliError> {
    let verified = run(args)?;
    for Problem { file, wrong, why, hint } in &verified.problems {
        let what = match wrong {
            Wrong::Missing => "missing",
            Wrong::Changed => "has other bytes than its receipt",
            Wrong::Unreadable => "cannot be read",
        };
        say!("{file}: {what} ({why}); {hint}");
    }
    for MovedByHand { from, to } in &verified.moved {
        say!(
            "{to}: this is `{from}`, which is not there any more: moved by hand, or copied and then deleted; nothing is lost"
        );
    }
    for file in &verified.gone {
        let kept = if BundleFolder::is_file(file) { "; its original lies in `archive`" } else { "" };
        say!("{file}: gone by hand; nothing is wrong if you took it away{kept}");
    }
    if verified.unfinished_steps > 0 {
        let steps = counted(verified.unfinished_steps, "step");
        say!("Stockmill was stopped in the middle of {steps}: its next start finishes that, or takes it back.");
    }
    for file in &verified.unfinished {
        say!("{file}: in the middle of such a step; nothing is wrong");
    }
    for NotFromHere { file, why } in &verified.rows.not_from_here {
        say!("{file}: {why}");
    }
    for file in &verified.rows.without_row {
        say!("{file}: its bundle was sent, and the CSV has no row of it; `stockmill explain` says what to do");
    }
    for file in &verified.rows.without_row_yet {
        say!(
            "{file}: the CSV of its bundle has no row of it; stockmill writes that CSV when it runs, and the checklist beside it \
             says what gets no row, and why"
        );
    }
    for file in &verified.rows.without_file {
        say!(
            "{file}: the CSV of its bundle has a row of it, and it is not there; put it back, or let stockmill write the CSV anew; \
             if the bundle was sent, `stockmill status` says what to do"
        );
    }
    for file in &verified.busy {
        say!("{file}: somebody is writing to it; verify again when that is done");
    }
    say!(
        "{}, {}, {} checked, {} bytes: {}.",
        counted(verified.assets, "asset"),
        counted(verified.files, "file"),
        counted(verified.originals, "original"),
        verified.bytes,
        match verified.problems.len() {
            0 if verified.unfinished_steps > 0 => "all else is as it should be".to_owned(),
            0 => "all is as it should be".to_owned(),
            some => counted(some, "problem"),
        }
    );
    Ok(code(&verified))
}

/// Checks the same, and prints one JSON object.
pub(super) fn json(args: &RootArgs) -> Result<ExitCode, CliError> {
    let verified = run(args)?;
    let mut whole = json!({"version": 1, "ok": verified.problems.is_empty()});
    let parts = serde_json::to_value(&verified).expect("a check holds nothing that JSON cannot write");
    if let (Some(whole), Some(parts)) = (whole.as_object_mut(), parts.as_object()) {
        whole.extend(parts.clone());
    }
    say!("{whole}");
    Ok(code(&verified))
}

fn run(args: &RootArgs) -> Result<Verified, CliError> {
    check(&settings_of_existing(args)?).map_err(|error| CliError::failed(&error))
}

fn code(verified: &Verified) -> ExitCode {
    if verified.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
