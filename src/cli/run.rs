use std::process::ExitCode;

use super::Place;
use super::error::CliError;
use super::init::prepare;
use super::settings::{read, read_from, root, source};
use crate::config::{Level, LogFormat, LogSettings};
use crate::report;
use crate::service::{Reload, Until};

/// Works on a root, making it first if need be.
pub(super) fn run(place: &Place, until: Until) -> Result<ExitCode, CliError> {
    let (settings, source_of) = prepare(place)?;
    report::start(&settings.folders.logs, style(&settings.log)).map_err(|error| CliError::failed(&error))?;
    report::starting(&settings.root, &source_of.shown());
    let place = Place { root: Some(settings.root.clone()), config: place.config.clone() };
    let reads = read_from(&place, &settings.root, &source_of);
    let reload: Reload = Box::new(move || {
        let root = root(&place).map_err(|_| "the root is gone".to_owned())?;
        let source = source(&place, &root).map_err(|_| "the settings file is gone".to_owned())?;
        read(&root, &source)
    });
    let set_aside = crate::service::run(settings, until, &reload, &reads).map_err(|error| CliError::failed(&error))?;
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
