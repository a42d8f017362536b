use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt};

use super::rotate::Rotating;
use crate::vault::plain;

/// Why the log cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the log in `{folder}`: {}", plain(source))]
pub struct LogError {
    folder: String,
    source: std::io::Error,
}

/// How the log is written.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// One JSON object a line.
    pub is_json: bool,
    /// The least important level.
    pub level: tracing::Level,
    /// The size at which a file is closed, in bytes.
    pub size_bytes_max: u64,
    /// How many closed files are kept.
    pub files_max: usize,
}

/// The time in the local zone, to the millisecond, in one of two forms.
#[derive(Clone, Copy)]
struct LocalTime(&'static str);

/// For people.
const READABLE: LocalTime = LocalTime("%Y-%m-%d %H:%M:%S%.3f %:z");
/// For programs: RFC 3339, with the offset.
const EXACT: LocalTime = LocalTime("%Y-%m-%dT%H:%M:%S%.3f%:z");

impl FormatTime for LocalTime {
    fn format_time(&self, out: &mut fmt::format::Writer<'_>) -> std::fmt::Result {
        write!(out, "{}", super::rotate::now().strftime(self.0))
    }
}

/// Starts the log: into `folder`, and to the terminal or the journal. Where the journal stamps each
/// line with the time, the line does not do so again.
pub fn start(folder: &Path, style: Style) -> Result<(), LogError> {
    let file = Rotating::open(folder, style.size_bytes_max, style.files_max)
        .map_err(|source| LogError { folder: folder.display().to_string(), source })?;
    let level = LevelFilter::from_level(style.level);
    let file = Mutex::new(file);
    let file_layer = if style.is_json {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_timer(EXACT)
            .with_target(false)
            .with_writer(file)
            .with_filter(level)
            .boxed()
    } else {
        fmt::layer()
            .with_timer(READABLE)
            .with_target(false)
            .with_ansi(false)
            .with_writer(file)
            .with_filter(level)
            .boxed()
    };
    let console =
        fmt::layer().with_target(false).with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    let is_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let console = if is_journal {
        console.without_time().with_filter(level).boxed()
    } else {
        console.with_timer(READABLE).with_filter(level).boxed()
    };
    // A second start in one process, as tests do, keeps the first log.
    let _ = tracing_subscriber::registry().with(file_layer).with(console).try_init();
    Ok(())
}
