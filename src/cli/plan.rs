use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::model::RelPath;
use crate::service::{Standing, View};

/// Prints what the daemon would do next.
pub(super) fn plan(args: &RootArgs, path: Option<&Path>) -> Result<ExitCode, CliError> {
    let mut view = View::open(settings_of_existing(args)?).map_err(|error| CliError::failed(&error))?;
    let start = path.map(|path| path_of(&view, path)).transpose()?;
    let standings = view.standings(start.as_ref()).map_err(|error| CliError::failed(&error))?;
    if standings.is_empty() {
        say!("There are no files.");
    }
    for standing in &standings {
        match standing {
            Standing::Planned(plan) => say!("{}", plan.to_string().trim_end()),
            Standing::Held(file, why) => say!("{file}: held: {why}"),
            Standing::LeftAlone(file, why) => say!("{file}: left alone: {why}"),
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
