use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::init::{Prepared, prepare};
use super::settings::{read_from, read_settings, source_again};
use crate::config::{Level, LogFormat, LogSettings};
use crate::report;
use crate::service::{Reload, Sound, Until};

/// Works on a root, and makes it first if it is missing.
pub(super) fn run(args: &RootArgs, until: Until) -> Result<ExitCode, CliError> {
    let Prepared { taken, source, notes } = prepare(args)?;
    let settings = &taken.sound.settings;
    report::start(&settings.folders.logs, style(&settings.log)).map_err(|error| CliError::failed(&error))?;
    // A start that is refused, as beside a running daemon, leaves no line in the daemon's log.
    let begins = |sound: &Sound| {
        report::starting(&sound.settings.root, &source.shown());
        notes.iter().chain(&sound.notes).for_each(|note| report::settings_note(note));
        if sound.is_blank {
            report::blank_settings(&source.shown());
        }
    };
    let root = settings.root.clone();
    let reads = read_from(args, &root, &source);
    let started = source.clone();
    let reload: Reload = Box::new(move || read_settings(&root, &source_again(&root, &started)));
    let set_aside =
        crate::service::run(taken, until, &begins, &reload, &reads).map_err(|error| CliError::failed(&error))?;
    Ok(if until == Until::Idle && set_aside > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
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
