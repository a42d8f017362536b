use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::RootArgs;
use super::ask::ask;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::model::{RelPath, Stage};
use crate::records::{Action, Did};
use crate::service::{layout, path_in};
use crate::vault::Layout;

/// Records that bundles were sent, and prints one line for each.
pub(super) fn sent(args: &RootArgs, bundles: &[PathBuf]) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let layout = layout(&settings);
    let bundles = bundles.iter().map(|bundle| meant(&layout, bundle)).collect::<Result<_, _>>()?;
    let answer = ask(&settings, &Action::Sent(bundles))?;
    let mut is_any_refused = false;
    for did in &answer.done {
        is_any_refused |= matches!(did, Did::Stays(..));
        match did {
            Did::Stays(bundle, why) => say!("{bundle}: not recorded: {why}"),
            did => say!("{did}"),
        }
    }
    match answer.refused {
        Some(why) => Err(CliError::failed(&format!("not recorded: {why}"))),
        None => Ok(if is_any_refused { ExitCode::from(1) } else { ExitCode::SUCCESS }),
    }
}

/// Returns the bundle that a person means: a folder, `upload/DAY/MARKET`, or `DAY/MARKET`.
fn meant(layout: &Layout, bundle: &Path) -> Result<RelPath, CliError> {
    let real = std::path::absolute(bundle).ok().filter(|real| real.exists());
    let named = || {
        let path = RelPath::new(bundle).ok()?;
        let is_below_upload = path.area() == Stage::Upload.name();
        Some(if is_below_upload { path } else { Stage::Upload.folder().join(path.as_path()) })
    };
    real.and_then(|real| path_in(layout, &real)).or_else(named).ok_or_else(|| {
        CliError::usage(format!("`{}` names no bundle; write its folder, or `DATE/MARKET`", bundle.display()))
    })
}
