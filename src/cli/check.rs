use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::{config_ignored, read_settings, root, source};
use crate::config::{NO_ZONES, lacks_zones};
use crate::model::{counted, named, on_one_line};
use crate::service::{Finding, Group, Level, View, check_up, market_notes};

/// Checks settings, folders and limits, and prints one line for each.
pub(super) fn check(args: &RootArgs) -> Result<ExitCode, CliError> {
    let root = root(args)?;
    let source = source(args, &root)?;
    let sound = read_settings(&root, &source).sound.map_err(CliError::usage)?;
    say!("ok    settings  {}", source.shown());
    if sound.is_blank {
        say!("note  settings  the file sets nothing, so that every gate is `auto`");
    }
    for note in config_ignored(args, &source).iter().chain(&sound.notes) {
        say!("note  settings  {note}");
    }
    if let Some(lacking) = &sound.lacks {
        say!("bad   program   {lacking}");
    }
    let settings = sound.settings;
    for market in &settings.upload.markets {
        say!("ok    market    {}, rules of {}", market.name, market.checked);
        for note in market_notes(market) {
            say!("note  market    {}: {note}", market.name);
        }
    }
    if lacks_zones() {
        say!("note  zones     {NO_ZONES}");
    }
    let findings = check_up(&settings);
    for Finding { about, what, level } in &findings {
        let level = match level {
            Level::Ok => "ok   ",
            Level::Note => "note ",
            Level::Bad => "bad  ",
        };
        say!("{level} {about:<9} {what}");
    }
    // What is no mill yet was told above.
    if let Ok(mut view) = View::open(settings) {
        say_of_markets(&mut view);
    }
    say!("      {}", watches());
    let is_bad = sound.lacks.is_some() || findings.iter().any(|finding| finding.level == Level::Bad);
    Ok(if is_bad { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Prints what markets will not take as it is: of bundles, and of what is on its way.
fn say_of_markets(view: &mut View) {
    let [refused, taken] = view.other_verdicts();
    for Group { folder, why, files } in refused.iter().chain(&taken) {
        let files = counted(files.len(), "file");
        say!("note  bundle    {folder}: {files}: {}", on_one_line(&why.text));
    }
    for (why, files) in view.ahead(&|_| false) {
        let count = counted(files.len(), "file");
        say!("note  ahead     {count}: {}: {}", on_one_line(&why), named(&files));
    }
}

fn watches() -> String {
    let limit = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_watches").unwrap_or_default();
    format!("limit     {} folders can be watched (fs.inotify.max_user_watches)", limit.trim())
}
