//! How far work is, and what makes it slow.

use std::time::Duration;

use tracing::{info, warn};

use crate::model::RelPath;

/// Tells the progress of long work, and how long the rest takes where that can be told.
pub fn progress(done: u64, left: usize, time_left: Option<Duration>) {
    let left_s = time_left.map(|time| time.as_secs_f64().round());
    info!(done, left, left_s, "Working.");
}

/// Tells once how long a net took for a picture, and what is quicker.
pub fn net_took(took: Duration) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    info!(
        took_ms,
        "The neural net took {:.1} s for the first picture; `keep: {{method: lanczos}}` is quicker, and less sharp.",
        took.as_secs_f64()
    );
}

/// Tells that what a net makes cannot give way to other work.
pub fn nice_refused(nice: u8, problem: &std::io::Error) {
    warn!(
        error = %problem,
        "The system refuses `work.neural: {{nice: {nice}}}`: the neural net works at the priority of all other work. \
         Under systemd the unit must allow it: use the one that is shipped, or add `SystemCallFilter=setpriority`."
    );
}

/// Tells how far the work on one large picture is.
pub fn rows(file: Option<&RelPath>, percent: u32, left: Option<Duration>) {
    let file = file.map(tracing::field::display);
    let left = left.map(|left| format!(", about {} s left", left.as_secs_f64().ceil())).unwrap_or_default();
    info!(file, "Working on a large picture: {percent} %{left}.");
}

/// Tells that a program did not enlarge a picture, which is tried again.
pub fn program_trouble(file: &RelPath, problem: &str, pause: Duration) {
    warn!(file = %file, error = problem, retry_s = pause.as_secs(), "The program failed; it will be tried again.");
}
