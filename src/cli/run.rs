use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::init::{Prepared, prepare};
use super::near::FILE_NAME;
use super::settings::{read_from, read_settings, root, source_again};
use crate::config::{Level, LogFormat, LogSettings, NO_ZONES, lacks_zones};
use crate::report;
use crate::service::{Reload, Sound, Until};
use crate::vault::own_names::HOME;
use crate::vault::plain;

/// Works on a root, and makes it first if it is missing.
pub(super) fn run(args: &RootArgs, until: Until) -> Result<ExitCode, CliError> {
    let root = root(args)?;
    let is_new = is_new(&root, until)?;
    let Prepared { taken, source, notes } = prepare(args)?;
    let settings = &taken.sound.settings;
    report::start(&settings.folders.logs, style(&settings.log)).map_err(|error| CliError::failed(&error))?;
    // A start that is refused, as beside a running daemon, leaves no line in the daemon's log.
    let begins = |sound: &Sound| {
        report::starting(&sound.settings.root, &source.shown());
        if is_new {
            report::new_mill(&sound.settings.root);
        }
        if lacks_zones() {
            report::no_zones(NO_ZONES);
        }
        notes.iter().chain(&sound.notes).chain(&sound.lacks).for_each(|note| report::settings_note(note));
        if sound.is_blank {
            report::blank_settings(&source.shown());
        }
    };
    let reads = read_from(args, &root, &source);
    let started = source.clone();
    let reload: Reload = Box::new(move || read_settings(&root, &source_again(&root, &started)));
    let set_aside =
        crate::service::run(taken, until, &begins, &reload, &reads).map_err(|error| CliError::failed(&error))?;
    Ok(if until == Until::Idle && set_aside > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Returns whether a mill is to be made. Where something lies that is no mill, the name of the folder may be a mistake;
/// and so it may be for a command that works once.
fn is_new(root: &Path, until: Until) -> Result<bool, CliError> {
    if root.join(HOME).is_dir() || root.join(FILE_NAME).symlink_metadata().is_ok() {
        return Ok(false);
    }
    let is_empty = match std::fs::read_dir(root) {
        Ok(entries) => entries.filter_map(Result::ok).all(|entry| entry.file_name() == "lost+found"),
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(CliError::usage(format!("`{}` cannot be listed: {}", root.display(), plain(&error)))),
    };
    if is_empty && until == Until::Stopped {
        return Ok(true);
    }
    let found = if is_empty { "is no stockmill folder" } else { "holds other things and is no stockmill folder" };
    let root = root.display();
    Err(CliError::usage(format!(
        "`{root}` {found}; if it is to be one, run `stockmill init {root}` first; or name another folder with --root"
    )))
}

fn style(log: &LogSettings) -> report::Style {
    report::Style {
        is_json: log.format == LogFormat::Json,
        level: match log.level {
            Level::Error => tracing::Level::ERROR,
            Level::Warn => tracing::Level::WARN,
            Level::Info => tracing::Level::INFO,
            Level::Debug => tracing::Level::DEBUG,
        },
        size_bytes_max: log.size_mib_max << 20,
        files_max: log.files_max,
    }
}
