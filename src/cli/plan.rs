use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::intake::is_note;
use crate::model::{RelPath, Stage, escape_bytes};
use crate::records::{Note, parse_note};
use crate::service::{AssetStatus, View};

/// Prints what the daemon would do next.
pub(super) fn plan(args: &RootArgs, path: Option<&Path>) -> Result<ExitCode, CliError> {
    let mut view = View::open(settings_of_existing(args)?).map_err(|error| CliError::failed(&error))?;
    if let Some((file, note)) = path.filter(|path| found(&view, path).is_none()).and_then(note_outside) {
        say!("{file}: a note outside this root; nothing comes of it until it lies in `ideas`. It is read as:");
        say!("{}", note.to_string().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let start = path.map(|path| in_stage(&view, path)).transpose()?;
    let mut statuses = view.statuses(start.as_ref());
    statuses.extend(view.bundle_plans(start.as_ref()));
    match &start {
        _ if !statuses.is_empty() => (),
        Some(start) => say!("Nothing in `{start}` is on its way; `stockmill explain {start}` says what it is."),
        None => say!("There is nothing to do, and nothing waits."),
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

/// The largest note that is read.
const NOTE_BYTES_MAX: u64 = 8 << 20;

/// Reads a note that a person wants to see read before it is dropped.
fn note_outside(path: &Path) -> Option<(String, Note)> {
    let name = RelPath::new(path.file_name()?).ok().filter(is_note)?;
    let size = path.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    let bytes = (size <= NOTE_BYTES_MAX).then(|| std::fs::read(path).ok())??;
    Some((escape_bytes(path.as_os_str().as_encoded_bytes()), parse_note(&name.file_text(), &bytes)))
}

/// Returns the path below the root that a person typed: as a real path, or like `raw/theme/x.png`.
pub(super) fn path_of(view: &View, path: &Path) -> Result<RelPath, CliError> {
    found(view, path).ok_or_else(|| CliError::usage(outside(view, path)))
}

/// Returns what is told of a path that does not lie in the root.
pub(super) fn outside(view: &View, path: &Path) -> String {
    format!(
        "`{}` does not lie in the root `{}`: put notes into `{}` and pictures into `{}`, or name another root with \
         --root",
        path.display(),
        view.root().display(),
        Stage::Ideas,
        Stage::Raw
    )
}

fn found(view: &View, path: &Path) -> Option<RelPath> {
    let real = std::path::absolute(path).ok().and_then(|real| view.path_of(&real));
    // Where somebody stands in the root by way of a link, or names what lies in a folder that is not there.
    let behind_links = || {
        let real = std::path::absolute(path).ok()?;
        let there = real.ancestors().skip(1).find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
        let (folder, canonical) = there?;
        view.path_of(&canonical.join(real.strip_prefix(folder).ok()?))
    };
    let short = || RelPath::new(path).ok().filter(|path| view.is_known(path));
    real.filter(|path| view.is_known(path)).or_else(behind_links).or_else(short)
}
