use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::model::{RelPath, Stage};
use crate::service::{Retried, Which, layout, path_in, retry as take_up};

/// Takes what was set aside back to where it came from, and prints one line for each asset.
pub(super) fn retry(args: &RootArgs, what: Option<&Path>) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let which = what.map_or(Ok(Which::All), |what| which(&layout(&settings), what))?;
    let retried = take_up(&settings, &which).map_err(|error| CliError::failed(&error))?;
    if let (Some(what), true) = (what, retried.is_empty()) {
        return Err(CliError::failed(&format!(
            "nothing was set aside as `{}`; see `stockmill status`",
            what.display()
        )));
    }
    let mut stays = false;
    for one in &retried {
        match one {
            Retried::Back { from, to } => say!("{from} -> {to}"),
            Retried::Gone(path) => say!("{path}: not there any more; its note is removed"),
            Retried::Stays(path, why) => {
                say!("{path}: stays: {why}");
                stays = true;
            }
        }
    }
    if retried.is_empty() {
        say!("Nothing is set aside.");
    } else {
        say!("A running daemon takes them at once; else run `stockmill once`.");
    }
    Ok(if stays { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Returns what a person means: a stage's name, a real path, or one like `failed/raw/theme/x.png`.
fn which(layout: &crate::vault::Layout, what: &Path) -> Result<Which, CliError> {
    if let Some(stage) = what.to_str().and_then(|word| word.parse::<Stage>().ok()) {
        return Ok(Which::Stage(stage));
    }
    let real = std::path::absolute(what).ok().and_then(|real| path_in(layout, &real));
    real.or_else(|| RelPath::new(what).ok()).map(Which::Path).ok_or_else(|| {
        CliError::usage(format!("`{}` lies outside this root; name the root with --root", what.display()))
    })
}
