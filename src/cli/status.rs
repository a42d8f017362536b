use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::json;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::service::View;

/// The most lines of one sort that are printed.
const LINES_MAX: usize = 20;

/// Prints what is ready, held and set aside, for people.
pub(super) fn text(args: &RootArgs) -> Result<ExitCode, CliError> {
    let mut view = open(args)?;
    let counts = view.counts().map_err(|error| CliError::failed(&error))?;
    say!("daemon   {}", if view.has_daemon() { "running" } else { "not running; start it with `stockmill run`" });
    for (stage, count) in &counts {
        say!(
            "{:8} {} ready, {} held, {} left alone",
            stage.name(),
            count.ready,
            count.held.len(),
            count.left_alone.len()
        );
    }
    for (area, why) in view.paused() {
        say!("paused   {area}: {why}");
    }
    for (folder, files, sent) in view.bundles() {
        say!("bundle   {folder}: {files} files{}", if sent { ", sent" } else { "" });
    }
    let held = counts.values().flat_map(|count| count.held.iter().cloned()).collect();
    print_lines("Held", held);
    print_lines("Set aside", view.set_aside());
    print_lines("Left alone", counts.values().flat_map(|count| count.left_alone.iter().cloned()).collect());
    Ok(ExitCode::SUCCESS)
}

/// Prints the same as one JSON object.
pub(super) fn json(args: &RootArgs) -> Result<ExitCode, CliError> {
    let mut view = open(args)?;
    let counts = view.counts().map_err(|error| CliError::failed(&error))?;
    let stages: BTreeMap<&str, _> = counts.iter().map(|(stage, count)| (stage.name(), count)).collect();
    let bundles: Vec<_> = view
        .bundles()
        .into_iter()
        .map(|(folder, files, sent)| json!({"folder": folder.to_string(), "files": files, "sent": sent}))
        .collect();
    let set_aside: Vec<_> = view.set_aside().into_iter().map(|(file, why)| json!({"file": file, "why": why})).collect();
    let paused: Vec<_> = view.paused().into_iter().map(|(area, why)| json!({"area": area, "why": why})).collect();
    let whole = json!({"version": 1, "daemon": view.has_daemon(), "paused": paused, "stages": stages, "bundles": bundles, "set_aside": set_aside});
    say!("{whole}");
    Ok(ExitCode::SUCCESS)
}

fn open(args: &RootArgs) -> Result<View, CliError> {
    View::open(settings_of_existing(args)?).map_err(|error| CliError::failed(&error))
}

fn print_lines(title: &str, lines: Vec<(String, String)>) {
    if lines.is_empty() {
        return;
    }
    say!("\n{title}:");
    let more = lines.len().saturating_sub(LINES_MAX);
    for (file, why) in lines.into_iter().take(LINES_MAX) {
        say!("  {file}: {why}");
    }
    if more > 0 {
        say!("  … and {more} more");
    }
}
