use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::{config_ignored, read_settings, root, source};
use crate::model::{RelPath, Stage};
use crate::service::layout;
use crate::vault::RealDisk;

/// Checks settings, folders and limits, and prints one line for each.
pub(super) fn check(args: &RootArgs) -> Result<ExitCode, CliError> {
    let root = root(args)?;
    let source = source(args, &root)?;
    let sound = read_settings(&root, &source).sound.map_err(CliError::usage)?;
    let settings = sound.settings;
    say!("ok    settings  {}", source.shown());
    if sound.is_blank {
        say!("note  settings  the file sets nothing, so that every gate is `auto`");
    }
    for note in config_ignored(args, &source).iter().chain(&sound.notes) {
        say!("note  settings  {note}");
    }
    for market in &settings.upload.markets {
        say!("ok    market    {}, rules of {}", market.title, market.checked);
    }
    let disk = RealDisk::open_to_look(layout(&settings));
    let mut failed = 0;
    for stage in Stage::ALL {
        let folder = settings.folders.stage(stage).display();
        let area = RelPath::new(stage.name()).expect("a stage's name is clean");
        let listed = disk.attach(&area).map_err(|detached| detached.to_string());
        match listed.and_then(|()| disk.list(&area).map_err(|error| error.to_string())) {
            Ok(names) => say!("ok    folder    {folder}, {} entries", names.len()),
            Err(why) => {
                say!("bad   folder    {folder}: {why}");
                failed += 1;
            }
        }
    }
    say!("      {}", watches());
    Ok(if failed > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn watches() -> String {
    let limit = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_watches").unwrap_or_default();
    format!("limit     {} folders can be watched (fs.inotify.max_user_watches)", limit.trim())
}
