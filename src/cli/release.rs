use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::model::{Stage, ThemeSlug};
use crate::service::{Clock, Released, layout};
use crate::vault::Mailbox;

/// Lets what lies in a stage now go on, whatever its gate says.
pub(super) fn release(args: &RootArgs, stage: Stage, theme: Option<&ThemeSlug>) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let mailbox = Mailbox::beside_daemon(layout(&settings));
    let now = Clock::start().now().timestamp();
    let released = crate::service::release(&mailbox, &settings, stage, theme, now);
    let Released { assets, unfinished } = released.map_err(|error| CliError::failed(&error))?;
    let of = theme.map_or_else(String::new, |theme| format!(" of theme `{theme}`"));
    if assets == 0 {
        say!("Nothing{of} lies in `{stage}` now, so nothing is released.");
        return Ok(ExitCode::SUCCESS);
    }
    say!(
        "Released: {assets} assets{of} that lie in `{stage}` now. A running daemon takes it at once; else run `stockmill once`."
    );
    if unfinished > 0 {
        say!("Still being written: {unfinished} files. Release them again when they are complete.");
    }
    Ok(ExitCode::SUCCESS)
}
