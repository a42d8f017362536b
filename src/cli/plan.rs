use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::model::{RelPath, Stage};
use crate::service::{AssetStatus, View};

/// Prints what the daemon would do next.
pub(super) fn plan(args: &RootArgs, path: Option<&Path>) -> Result<ExitCode, CliError> {
    let mut view = View::open(settings_of_existing(args)?).map_err(|error| CliError::failed(&error))?;
    let start = path.map(|path| in_stage(&view, path)).transpose()?;
    let statuses = view.statuses(start.as_ref());
    match &start {
        _ if !statuses.is_empty() => (),
        Some(start) => say!("Nothing in `{start}` is on its way; `stockmill explain {start}` says what it is."),
        None => say!("There are no files."),
    }
    for status in &statuses {
        let file = match status {
            AssetStatus::Planned(plan) => {
                say!("{}", plan.to_string().trim_end());
                plan.about.from.as_ref()
            }
            AssetStatus::Held(file, why) => {
                say!("{file}: held: {why}");
                Some(file)
            }
            AssetStatus::LeftAlone(file, why) => {
                say!("{file}: left alone: {why}");
                None
            }
            AssetStatus::Unseen(stage, why) => {
                say!("{stage}: cannot be seen: {why}");
                None
            }
        };
        // Whoever asks about a note wants to see what is read in it, also while it waits.
        let note = file.filter(|_| start.is_some()).and_then(|file| view.note(file));
        if let Some(note) = note {
            say!("It is read as:\n{}", note.to_string().trim_end());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the path in a stage that a person typed.
fn in_stage(view: &View, path: &Path) -> Result<RelPath, CliError> {
    let found = path_of(view, path)?;
    let is_in_stage = found.area().to_str().is_some_and(|area| area.parse::<Stage>().is_ok());
    let text = || format!("`{found}` lies in no stage, and nothing is planned there; see `stockmill explain {found}`");
    if is_in_stage { Ok(found) } else { Err(CliError::usage(text())) }
}

/// Returns the path below the root that a person typed: as a real path, or like `raw/theme/x.png`.
pub(super) fn path_of(view: &View, path: &Path) -> Result<RelPath, CliError> {
    let real = std::path::absolute(path).ok().and_then(|real| view.path_of(&real));
    // Where somebody stands in the root by way of a link.
    let behind_links = || {
        let (folder, name) = (path.parent().filter(|folder| !folder.as_os_str().is_empty()), path.file_name()?);
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        view.path_of(&folder.join(name))
    };
    let short = || RelPath::new(path).ok().filter(|path| view.is_known(path));
    real.filter(|path| view.is_known(path)).or_else(behind_links).or_else(short).ok_or_else(|| {
        CliError::usage(format!("`{}` does not lie in this root; name the root with --root", path.display()))
    })
}
