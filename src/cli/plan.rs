use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::model::RelPath;
use crate::service::{AssetStatus, View};

/// Prints what the daemon would do next.
pub(super) fn plan(args: &RootArgs, path: Option<&Path>) -> Result<ExitCode, CliError> {
    let mut view = View::open(settings_of_existing(args)?).map_err(|error| CliError::failed(&error))?;
    let start = path.map(|path| path_of(&view, path)).transpose()?;
    let statuses = view.statuses(start.as_ref()).map_err(|error| CliError::failed(&error))?;
    if statuses.is_empty() {
        say!("There are no files.");
    }
    for status in &statuses {
        match status {
            AssetStatus::Planned(plan) => say!("{}", plan.to_string().trim_end()),
            AssetStatus::Held(file, why) => say!("{file}: held: {why}"),
            AssetStatus::LeftAlone(file, why) => say!("{file}: left alone: {why}"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the path below the root that a person typed: as a real path, or like `raw/theme/x.png`.
pub(super) fn path_of(view: &View, path: &Path) -> Result<RelPath, CliError> {
    let real = std::path::absolute(path).ok().and_then(|real| view.path_of(&real));
    let short = || {
        RelPath::new(path)
            .ok()
            .filter(|path| path.area().to_str().is_some_and(|area| area.parse::<crate::model::Stage>().is_ok()))
    };
    real.or_else(short).ok_or_else(|| {
        CliError::usage(format!("`{}` lies in no inbox of this root; name the root with --root", path.display()))
    })
}
