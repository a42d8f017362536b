use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::near::FILE_NAME;
use super::out::say;
use super::settings::{Source, config_ignored, read_settings, root, source};
use crate::config::DEFAULT_TEXT;
use crate::model::RelPath;
use crate::service::{AREAS, Taken, layout, read_settled};
use crate::vault::own_names::HOME;
use crate::vault::{RealDisk, plain};

/// The folders for what a person brings: tag sets, profiles of markets, nets.
const BROUGHT: [&str; 3] = ["tagsets", "markets", "models"];

/// Makes the folders and the settings file of a root.
pub(super) fn init(args: &RootArgs) -> Result<ExitCode, CliError> {
    let Prepared { taken, source, notes } = prepare(args)?;
    let settings = &taken.sound.settings;
    let disk = RealDisk::open(layout(settings)).map_err(|error| CliError::failed(&error))?;
    for area in AREAS {
        let area = RelPath::new(area).expect("an area is clean");
        disk.adopt(&area).map_err(|error| CliError::failed(&error))?;
    }
    make_brought(&disk).map_err(|error| CliError::failed(&error))?;
    say!("Stockmill's folder is {}.", settings.root.display());
    say!("  settings   {}", source.shown());
    for note in notes.iter().chain(&taken.sound.notes) {
        say!("  note       {note}");
    }
    if taken.sound.is_blank {
        say!("  note       the settings file sets nothing, so that every gate is `auto`");
    }
    say!("  notes      go into {}", settings.folders.ideas.display());
    say!("  pictures   go into {}", settings.folders.raw.display());
    say!("Start it with: stockmill run --root {}", settings.root.display());
    Ok(ExitCode::SUCCESS)
}

fn make_brought(disk: &RealDisk) -> std::io::Result<()> {
    BROUGHT.iter().try_for_each(|folder| disk.make_root_folder(folder))
}

/// An existing root, with its settings.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) taken: Taken,
    pub(super) source: Source,
    /// What a person should know about their source.
    pub(super) notes: Vec<String>,
}

/// Makes the root and its settings file if they are missing, and returns its settings and where they come from.
pub(super) fn prepare(args: &RootArgs) -> Result<Prepared, CliError> {
    let root = root(args)?;
    let found = source(args, &root)?;
    let taken = read_settled(&|| read_settings(&root, &found)).map_err(CliError::usage)?;
    let cannot = |error: &dyn std::fmt::Display| {
        CliError::usage(format!(
            "cannot make the folders below `{}`: {error}; choose another place with --root",
            root.display()
        ))
    };
    let had_work = root.join(HOME).join("journal").is_dir();
    let disk = RealDisk::open(layout(&taken.sound.settings)).map_err(|error| cannot(&plain(&error)))?;
    if matches!(found, Source::File(_)) {
        let notes = config_ignored(args, &found).into_iter().collect();
        return Ok(Prepared { taken, source: found, notes });
    }
    let file = RelPath::new(FILE_NAME).expect("a constant is a clean path");
    disk.write_root_file(&file, DEFAULT_TEXT.as_bytes()).map_err(|error| cannot(&error))?;
    make_brought(&disk).map_err(|error| cannot(&error))?;
    let source = Source::File(root.join(FILE_NAME));
    let taken = read_settled(&|| read_settings(&root, &source)).map_err(CliError::usage)?;
    let gone = "the settings file was gone and was made again with the defaults: every gate is `auto`";
    let notes = had_work.then(|| gone.to_owned()).into_iter().collect();
    Ok(Prepared { taken, source, notes })
}
