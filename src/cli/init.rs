use std::process::ExitCode;

use super::Place;
use super::error::CliError;
use super::out::say;
use super::settings::{FILE_NAME, Source, read, root, source};
use crate::config::{DEFAULT_TEXT, Settings};
use crate::model::RelPath;
use crate::service::{AREAS, layout};
use crate::vault::RealDisk;

/// Makes the folders and the settings file of a root.
pub(super) fn init(place: &Place) -> Result<ExitCode, CliError> {
    let (settings, source) = prepare(place)?;
    let disk = RealDisk::open(layout(&settings)).map_err(|error| CliError::failed(&error))?;
    for area in AREAS {
        let area = RelPath::new(area).expect("an area is clean");
        disk.adopt(&area).map_err(|error| CliError::failed(&error))?;
    }
    say!("The mill stands in {}.", settings.root.display());
    say!("  settings   {}", source.shown());
    say!("  notes      go into {}", settings.folders.ideas.display());
    say!("  pictures   go into {}", settings.folders.raw.display());
    say!("Start it with: stockmill run --root {}", settings.root.display());
    Ok(ExitCode::SUCCESS)
}

/// Makes the root and its settings file if they are missing, and returns its settings and where they come from.
pub(super) fn prepare(place: &Place) -> Result<(Settings, Source), CliError> {
    let root = root(place)?;
    let found = source(place, &root)?;
    let settings = read(&root, &found).map_err(CliError::usage)?;
    let cannot = |error: &dyn std::fmt::Display| {
        CliError::usage(format!(
            "cannot make the folders below `{}`: {error}; choose another place with --root",
            root.display()
        ))
    };
    let disk = RealDisk::open(layout(&settings)).map_err(|error| cannot(&error))?;
    if matches!(found, Source::File(_)) {
        return Ok((settings, found));
    }
    let file = RelPath::new(FILE_NAME).expect("a constant is a clean path");
    disk.write_root_file(&file, DEFAULT_TEXT.as_bytes()).map_err(|error| cannot(&error))?;
    Ok((settings, Source::File(root.join(FILE_NAME))))
}
