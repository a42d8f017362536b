use jiff::{Timestamp, ZonedDateTime};
use tracing::{error, info, warn};

use crate::model::{RelPath, Stage, counted, escape_bytes};

/// Tells that new settings are in force, but for the sections that only a start reads.
pub fn reloaded(not_taken: &[&str]) {
    if not_taken.is_empty() {
        return info!("Settings read again.");
    }
    let sections = not_taken.join("` and `");
    warn!("Settings read again, except `{sections}`: restart stockmill for what changed there.");
}

/// Tells that new settings were refused.
pub fn reload_refused(problems: &str) {
    for problem in problems.lines() {
        error!("Settings refused, the old ones stay: {}", escape_bytes(problem.as_bytes()));
    }
}

/// Tells what new settings wait for.
pub fn reload_waits(why: &str) {
    let why = escape_bytes(why.as_bytes());
    info!("Settings not read again yet, the old ones stay until the new ones do not change any more: {why}.");
}

/// Tells of a file beside the settings that is not what a person may think.
pub fn settings_note(note: &str) {
    warn!("Settings: {}.", escape_bytes(note.as_bytes()));
}

/// Tells what the system does not know of time zones.
pub fn no_zones(why: &str) {
    warn!("Time zones: {why}.");
}

/// Tells that the settings say nothing, and what that means.
pub fn blank_settings(file: &str) {
    let file = escape_bytes(file.as_bytes());
    warn!(
        file,
        "The settings file sets nothing: every key has its default, so that every gate is `auto` and every file goes on \
         up to the bundles. Hold what you want to check first, for example with `gates: {{keep: hold}}`."
    );
}

/// Tells that new settings change a gate; `lets_more` is whether more goes through it than before.
pub fn gate_changed(stage: Stage, before: &str, after: &str, lets_more: bool) {
    let stage = stage.name();
    if lets_more && after == "auto" {
        warn!(stage, "The gate of `{stage}` opens: {before} -> {after}.");
    } else if lets_more {
        warn!(stage, "The gate of `{stage}` will open at other times: {before} -> {after}.");
    } else {
        info!(stage, "The gate of `{stage}` changes: {before} -> {after}.");
    }
}

/// Tells that a day of a gate went by while stockmill did not run.
pub fn day_made_up(stage: Stage, opened: Timestamp, now: &ZonedDateTime) {
    let opened = opened.to_zoned_datetime(now.time_zone().clone()).strftime("%A %Y-%m-%d %H:%M (%Z)");
    let name = stage.name();
    warn!(
        stage = name,
        "The gate of `{name}` was to open on {opened}, and stockmill did not run: it is open until midnight."
    );
}

/// Tells that a market's rules have changed.
pub fn rules_changed(market: &str) {
    info!(market, "The rules of the market have changed and were read again.");
}

/// Tells that a release has an unknown format.
pub fn release_unknown(file: &RelPath) {
    warn!(file = %file, "A release in an unknown format was dropped; repeat it with `stockmill release`.");
}

/// Tells that a release has ended because of its age.
pub fn release_over(file: &RelPath) {
    info!(file = %file, "A release is a day old and ends; files of it that are still there wait for their gate again.");
}

/// Tells that steps of the past have times in the future.
pub fn times_ahead(stage: Stage, count: usize, last: Timestamp) {
    let stage = stage.name();
    warn!(
        stage,
        "{} left `{stage}` in the future, the last one at {last}: the clock was wrong then, or it is now. \
         They do not count for the limits of its gate.",
        counted(count, "asset")
    );
}

/// Tells that the clock is far ahead of the last work.
pub fn clock_not_believed(believed: Timestamp) {
    warn!(
        "The clock is more than a month ahead of the last work here ({believed}): nothing is deleted for its age by that \
         clock until work was done on two days of it."
    );
}
