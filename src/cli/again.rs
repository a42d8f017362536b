use std::process::ExitCode;

use super::RootArgs;
use super::ask::ask;
use super::error::CliError;
use super::out::{counted, say};
use super::release::no_theme;
use super::settings::settings_of_existing;
use crate::config::Settings;
use crate::model::{RelPath, ThemeSlug};
use crate::plan::Freshness;
use crate::records::{Action, Did, RemakeWhat};
use crate::service::View;

/// Has made anew what the settings of today would make otherwise, and prints one line for each file.
pub(super) fn again(args: &RootArgs, theme: Option<&ThemeSlug>) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let found = not_current(&settings, theme)?;
    let (mut remade, mut stays) = (0, 0);
    let mut what = RemakeWhat { theme: theme.cloned(), after: None };
    loop {
        let answer = ask(&settings, &Action::Remake(what.clone()))?;
        what.after = None;
        for did in answer.done {
            match &did {
                Did::More(after) => what.after = Some(after.clone()),
                Did::Stays(..) => stays += 1,
                _ => remade += 1,
            }
            if what.after.is_none() {
                say!("{did}");
            }
        }
        if let Some(why) = answer.refused {
            return Err(CliError::failed(&format!("no more is made anew: {why}")));
        }
        if what.after.is_none() {
            break;
        }
    }
    let is_expected = found.iter().any(|(_, freshness)| is_remade(freshness));
    match remade {
        0 if stays == 0 && is_expected => {
            let why = "the running daemon has other settings than the file says now: reload it, and ask again";
            return Err(CliError::failed(&why));
        }
        0 if stays == 0 => say!("Nothing is stale."),
        0 => (),
        1 => say!("Made anew: 1 file. `stockmill undo` brings the old one back."),
        _ => say!(
            "Made anew: {}. Each `stockmill undo` brings those of one picture back, the last one first.",
            counted(remade, "file")
        ),
    }
    Ok(if stays > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Prints what would be made anew, and changes nothing.
pub(super) fn dry_run(args: &RootArgs, theme: Option<&ThemeSlug>) -> Result<ExitCode, CliError> {
    let found = not_current(&settings_of_existing(args)?, theme)?;
    for (file, freshness) in &found {
        match freshness {
            Freshness::Current => (),
            Freshness::Stale(stale) => match &stale.remake {
                Ok(_) => say!("{file}: would be made anew: {stale}"),
                Err(why) => say!("{file}: would stay: {stale}; but {why}"),
            },
            Freshness::Unknown(why) => say!("{file}: would stay: {why}"),
        }
    }
    match found.iter().filter(|(_, freshness)| is_remade(freshness)).count() {
        0 if found.is_empty() => say!("Nothing is stale."),
        remade => say!("To be made anew: {}.", counted(remade, "file")),
    }
    Ok(ExitCode::SUCCESS)
}

fn is_remade(freshness: &Freshness) -> bool {
    matches!(freshness, Freshness::Stale(stale) if stale.remake.is_ok())
}

/// Returns what is not as the settings of today would make it; refuses a theme that nobody knows.
fn not_current(settings: &Settings, theme: Option<&ThemeSlug>) -> Result<Vec<(RelPath, Freshness)>, CliError> {
    let mut view = View::open(settings.clone()).map_err(|error| CliError::failed(&error))?;
    let found = view.not_current(theme).map_err(|error| CliError::failed(&error))?;
    let themes = view.themes().map(str::to_owned).collect();
    match theme.filter(|theme| found.is_empty() && !view.themes().any(|known| known == theme.as_str())) {
        Some(theme) => Err(CliError::failed(&no_theme(theme, "any stage", "made anew", &themes))),
        None => Ok(found),
    }
}
