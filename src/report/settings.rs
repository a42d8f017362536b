use jiff::Timestamp;
use tracing::{error, info, warn};

use crate::model::{RelPath, Stage, escape_bytes};

/// Tells that new settings are in force.
pub fn reloaded() {
    info!("Settings read again.");
}

/// Tells that new settings were refused.
pub fn reload_refused(problems: &str) {
    for problem in problems.lines() {
        error!("Settings refused, the old ones stay: {}", escape_bytes(problem.as_bytes()));
    }
}

/// Tells what it waits for before new settings are taken.
pub fn reload_waits(why: &str) {
    let why = escape_bytes(why.as_bytes());
    info!("Settings not read again yet, the old ones stay until they stand still: {why}.");
}

/// Tells of a file beside the settings that is not what a person may think.
pub fn settings_note(note: &str) {
    warn!("Settings: {}.", escape_bytes(note.as_bytes()));
}

/// Tells that the settings say nothing, and what that means.
pub fn blank_settings(file: &str) {
    let file = escape_bytes(file.as_bytes());
    warn!(
        file,
        "The settings file sets nothing: every key has its default, so that every gate is `auto` and everything goes on \
         up to the bundles. Hold what you want to look at, as with `gates: {{keep: hold}}`."
    );
}

/// Tells that new settings change a gate.
pub fn gate_changed(stage: Stage, before: &str, after: &str, opens: bool) {
    let stage = stage.name();
    if opens {
        warn!(stage, "The gate of `{stage}` opens: {before} -> {after}.");
    } else {
        info!(stage, "The gate of `{stage}` changes: {before} -> {after}.");
    }
}

/// Tells that a market's rules are others than before.
pub fn rules_changed(market: &str) {
    info!(market, "The rules of the market are read anew, and are others than before.");
}

/// Tells that a request has a form that is not read.
pub fn release_unknown(file: &RelPath) {
    warn!(file = %file, "A release of a form that is not known is dropped; give it again with `stockmill release`.");
}

/// Tells that a release has had its time.
pub fn release_over(file: &RelPath) {
    info!(file = %file, "A release is a day old and ends; what it named and still lies there waits for its gate again.");
}

/// Tells that what the mill remembers was done in the future.
pub fn times_ahead(stage: Stage, count: usize, last: Timestamp) {
    let stage = stage.name();
    warn!(
        stage,
        "{count} assets left `{stage}` in the future, the last one at {last}: the clock was wrong then, or it is now. \
         They do not count for the limits of its gate."
    );
}

/// Tells that the clock is far ahead of what was done.
pub fn clock_not_believed(believed: Timestamp) {
    warn!(
        "The clock is more than a month ahead of what was done here before ({believed}): nothing is thrown away for its \
         age by that clock, until work was done on two days by it."
    );
}
