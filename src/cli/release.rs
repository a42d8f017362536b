use std::process::ExitCode;

use super::Place;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::model::{Stage, ThemeSlug};
use crate::service::{Clock, Release, layout, request};
use crate::vault::RealDisk;

/// Lets what lies in a stage now go on, whatever its gate says.
pub(super) fn release(place: &Place, stage: Stage, theme: Option<ThemeSlug>) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(place)?;
    let disk = RealDisk::open_read_only(layout(&settings));
    let release = Release { stage, theme, at: Clock::start().now().timestamp() };
    request(&disk, &release).map_err(|error| CliError::failed(&error))?;
    let what = release.theme.map_or_else(|| "everything".to_owned(), |theme| format!("theme `{theme}`"));
    say!("Released: {what} that lies in `{stage}` now. A running daemon takes it at once; else run `stockmill once`.");
    Ok(ExitCode::SUCCESS)
}
