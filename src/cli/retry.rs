use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::ask::ask;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::model::{RelPath, Stage};
use crate::records::{Action, Did, RetryWhat};
use crate::service::{layout, path_in};

/// Takes what was set aside back to where it came from, and prints one line for each asset.
pub(super) fn retry(args: &RootArgs, what: Option<&Path>) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let wanted = what.map_or(Ok(RetryWhat::All), |what| wanted(&layout(&settings), what))?;
    let answer = ask(&settings, &Action::Retry(wanted))?;
    let mut stays = false;
    for did in &answer.done {
        say!("{did}");
        stays |= matches!(did, Did::Stays(..));
    }
    if let Some(why) = answer.refused {
        return Err(CliError::failed(&why));
    }
    match what {
        Some(what) if answer.done.is_empty() => {
            let what = what.display();
            return Err(CliError::failed(&format!("nothing was set aside as `{what}`; see `stockmill status`")));
        }
        None if answer.done.is_empty() => say!("Nothing is set aside."),
        _ => say!("A running daemon takes them at once; else run `stockmill once`."),
    }
    Ok(if stays { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Returns what a person means: a stage's name, a real path, or one like `failed/raw/theme/x.png`.
fn wanted(layout: &crate::vault::Layout, what: &Path) -> Result<RetryWhat, CliError> {
    if let Some(stage) = what.to_str().and_then(|word| word.parse::<Stage>().ok()) {
        return Ok(RetryWhat::Stage(stage));
    }
    let real = std::path::absolute(what).ok().and_then(|real| path_in(layout, &real));
    real.or_else(|| RelPath::new(what).ok()).map(RetryWhat::Path).ok_or_else(|| {
        CliError::usage(format!(
            "`{}` lies outside the root `{}`; name another one with --root",
            what.display(),
            layout.root.display()
        ))
    })
}
