//! Writes what people read: log lines with fixed field names, and the files that they go to. It tells what happened
//! and never changes it.
//!
//! Field names, everywhere the same: `stage theme asset file from to market took_ms plan error`.

mod log;
mod progress;
mod repeats;
mod rotate;
mod settings;

pub use log::{LogError, Style, start};
pub use progress::{net_took, nice_refused, program_trouble, progress, rows};
pub use repeats::Repeats;
pub use settings::{
    blank_settings, clock_not_believed, day_made_up, gate_changed, no_zones, release_over, release_unknown,
    reload_refused, reload_waits, reloaded, rules_changed, settings_note, times_ahead,
};

use std::time::Duration;

use tracing::{debug, error, info, warn};

use crate::intake::WatchProblem;
use crate::model::{INSTEAD, MarketName, RelPath, escape_bytes, named};
use crate::records::About;
use crate::vault::{Capabilities, DiskError, FileSystem, NoReplace, Recovered, Stray};

/// Tells that the daemon begins.
pub fn starting(root: &std::path::Path, settings: &str) {
    info!(root = %root.display(), settings, version = env!("CARGO_PKG_VERSION"), "Started.");
}

/// Tells that a mill was made where none was.
pub fn new_mill(root: &std::path::Path) {
    let shown = escape_bytes(root.as_os_str().as_encoded_bytes());
    warn!(
        root = %root.display(),
        "A NEW mill was made in `{shown}`, since nothing was there. If you meant another folder, stop stockmill, remove \
         this one, and name yours with --root."
    );
}

/// Tells that all inboxes were looked at and are watched.
pub fn ready() {
    info!("Ready: drop files into the inboxes.");
}

/// Tells that an attacker who takes over a decoder can reach nothing but stockmill's own folders.
pub fn confined() {
    info!("Confined by Landlock: only stockmill's own folders can be read or written.");
}

/// Tells that the kernel supports only a part of the confinement.
pub fn confined_partly(why: &str) {
    info!("Confined by Landlock in part: {why}.");
}

/// Tells that the kernel supports no confinement.
pub fn not_confined(why: &str) {
    warn!("Not confined by Landlock: {why}. All else works.");
}

/// Tells that an area cannot be used again after its disk is unmounted, until a restart.
pub fn reached_until_unmount(folder: &std::path::Path) {
    let folder = escape_bytes(folder.as_os_str().as_encoded_bytes());
    warn!(
        folder,
        "After its disk is unmounted, this folder can be used only after a restart: the folder that holds the mount \
         point must stay closed. A disk that is mounted below `/mnt` or `/media` comes back by itself."
    );
}

/// How much a person wants to know of something that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It happens all the time, and nobody asked for it.
    Routine,
    /// Somebody may look for it later.
    Step,
    /// A person has to do something about it.
    SetAside,
}

/// Tells one line for each thing that happened to an asset, and what it took where that is known.
pub fn moved(about: &About, weight: Weight, took: Option<Duration>) {
    let stage = about.stage.name();
    let theme = about.theme.as_ref().map(|theme| escape_bytes(theme.as_str().as_bytes()));
    let asset = about.asset.as_ref().map(tracing::field::display);
    let from = about.from.as_ref().map(tracing::field::display);
    let to = about.to.as_ref().map(tracing::field::display);
    let market =
        (!about.markets.is_empty()).then(|| about.markets.iter().map(MarketName::as_str).collect::<Vec<_>>().join(","));
    let took_ms = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    let did = sentence(&about.did);
    match weight {
        Weight::Routine => debug!(stage, theme, asset, from, to, market, took_ms, "{did}"),
        // It is sold, and not what was asked for.
        Weight::Step if about.did.contains(INSTEAD) => {
            warn!(stage, theme, asset, from, to, market, took_ms, "{did}");
        }
        Weight::Step => info!(stage, theme, asset, from, to, market, took_ms, "{did}"),
        Weight::SetAside => {
            let note = "The `.reason.txt` beside it says what can be done";
            error!(stage, theme, asset, from, to, market, took_ms, "{did} {note}.");
        }
    }
}

/// Returns a fragment as a sentence.
fn sentence(text: &str) -> String {
    let clean = escape_bytes(text.as_bytes());
    let mut chars = clean.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// Tells why assets stay where they are; once for each reason.
pub fn held(files: &[RelPath], why: &str) {
    info!(files = several(files), file = %named(files), "Held: {}.", escape_bytes(why.as_bytes()));
}

/// Tells why files are left alone; once for each reason.
pub fn left_alone(files: &[RelPath], why: &str) {
    info!(files = several(files), file = %named(files), "Left alone: {}.", escape_bytes(why.as_bytes()));
}

/// Returns how many files these are, if it is not one alone.
fn several(files: &[RelPath]) -> Option<usize> {
    Some(files.len()).filter(|count| *count != 1)
}

/// Tells of a bundled file that was not sold with its bundle.
pub fn unsent(file: &RelPath, why: &str) {
    warn!(file = %file, "Not in the manifest: {}.", escape_bytes(why.as_bytes()));
}

/// Tells of a folder that is left alone by its name and may be a theme.
pub fn theme_left_alone(folder: &RelPath, why: &str) {
    warn!(file = %folder, "A folder that may be a theme is left alone: {}.", escape_bytes(why.as_bytes()));
}

/// Tells that a picture or a video counts as a part of another asset because of its name.
pub fn taken_along(file: &RelPath, with: &RelPath) {
    info!(file = %file, with = %with, "It goes along with the video of its name, as the first frame or as the version without sound.");
}

/// Tells why a file is held for a moment.
pub fn held_for_now(file: &RelPath, why: &str) {
    debug!(file = %file, "Held for now: {}.", escape_bytes(why.as_bytes()));
}

/// Tells that the disk refused something that is tried again.
pub fn disk_trouble(file: &RelPath, problem: &DiskError, pause: Duration) {
    warn!(file = %file, error = %problem, retry_s = pause.as_secs(), "The disk refused; it will be tried again.");
}

/// Tells how many times an error was repeated after its first line.
pub fn said_again(error: &str, times: u64) {
    warn!(error, times, "The same error was repeated this many times.");
}

/// Tells what became of a request; `kind` is the command.
pub fn request_answered(kind: &str, done: usize, refused: Option<&str>) {
    let why = refused.map(|why| escape_bytes(why.as_bytes()));
    info!(request = kind, done, error = why, "A request was answered.");
}

/// Tells of a defect in stockmill itself.
pub fn defect() {
    error!(
        "Stopped by a defect of stockmill; the next start finishes or takes back the interrupted work. Please report the \
         lines above."
    );
}

/// Tells that an area is paused, and why; once for each reason.
pub fn paused(area: &RelPath, why: &str) {
    error!(stage = %area, "Paused: {why}. Everything waits where it is.");
}

/// Tells that a call to a disk does not end.
pub fn no_answer(silence: std::time::Duration) {
    let silence = silence.as_secs();
    error!(
        "A disk has not answered for {silence} s, and all work waits until it does; see `dmesg`, and `mount` for network drives."
    );
}

/// Tells that the disk answers again.
pub fn answers_again() {
    info!("The disk answers again.");
}

/// Tells that the daemon ended although a call to a disk did not.
pub fn stopped_without_answer() {
    error!("Stopped while a disk did not answer; the next start finishes or takes back the interrupted work.");
}

/// Tells that a part of the journal cannot be read.
pub fn journal_damaged(segment: &RelPath) {
    warn!(file = %segment, "The journal is damaged: `history` and `undo` do not know what was recorded behind the damage. `stockmill verify` says whether all files are there.");
}

/// Tells that the journal was gone.
pub fn journal_renewed() {
    warn!(
        "The journal was gone and is started again: `history` and `undo` do not know what happened before. The files themselves \
         are not concerned."
    );
}

/// Tells that a disk was mounted again, so that its folders need new watches.
pub fn mounted_anew(area: &RelPath) {
    info!(stage = %area, "Mounted again: all of its files are checked.");
}

/// Tells that an area is worked on again.
pub fn resumed(area: &RelPath) {
    info!(stage = %area, "Resumed.");
}

/// Tells that a folder cannot be listed now.
pub fn not_listed(unit: &RelPath, problem: &DiskError) {
    warn!(file = %unit, error = %problem, "The folder cannot be listed; it will be tried again.");
}

/// Tells what a file system can do, according to a test.
pub fn capabilities(area: &RelPath, system: &FileSystem, found: &Capabilities) {
    let yes = |is_so: bool| if is_so { "yes" } else { "no" };
    let no_replace = match found.no_replace {
        NoReplace::Rename => "rename",
        NoReplace::Link => "link",
        NoReplace::Placeholder => "placeholder",
    };
    info!(
        stage = %area,
        file_system = system.name,
        names = no_replace,
        exchange = yes(found.exchange),
        links = yes(found.link),
        lease = yes(found.lease),
        case = if found.ignores_case { "ignored" } else { "matters" },
        changes = if system.is_remote { "polled" } else { "events" },
        "Tested the file system."
    );
}

/// Tells that no events come from a stage.
pub fn no_events(area: &RelPath) {
    warn!(stage = %area, "The system does not tell of changes in this folder; it is checked every few seconds instead.");
}

/// Tells that a program wrote into a file after the file was moved away.
pub fn brought_back(kept: &RelPath, name: &RelPath, is_sent: bool) {
    let then = if is_sent {
        "Its bundle is marked as sent and stays as it is: it lies beside that, for you to look at"
    } else {
        "A file that has its name now is kept aside"
    };
    warn!(
        file = %kept,
        to = %name,
        "Brought back: a program still had it open when it was moved away, and wrote into it. {then}."
    );
}

/// Tells that nobody can say whether what lies aside was written to.
pub fn stays_aside(place: &RelPath, kept: &RelPath) {
    warn!(
        file = %place,
        kept = %kept,
        "Not brought back: what a step took away lies aside with another time, as in a copy of the mill, and nobody \
         can tell whether a program wrote into it. If you miss a change, look there before `work.undo_days` are over."
    );
}

/// Tells that shared records could not be updated.
pub fn tending_failed(did: &str, problem: &dyn std::fmt::Display) {
    warn!(error = %problem, "Not done, and will be tried again: {did}.");
}

/// Tells that a plan was dropped and is made again.
pub fn again(file: Option<&RelPath>, why: &dyn std::fmt::Display) {
    info!(file = file.map(tracing::field::display), "Planned again: {why}.");
}

/// Tells what recovery did, if anything.
pub fn recovered(recovered: &Recovered) {
    let (finished, taken_back) = (recovered.finished.len(), recovered.taken_back.len());
    if finished + taken_back + recovered.swept > 0 {
        let strays = recovered.strays.len();
        let swept = recovered.swept;
        info!(finished, taken_back, swept, strays, "Recovered after an abrupt end.");
    }
    recovered.strays.iter().for_each(stray);
    for intent in &recovered.waiting {
        let from = intent.about.from.as_ref().map(tracing::field::display);
        warn!(plan = intent.plan, from, "Waits for a paused folder before it can be finished or taken back.");
    }
    for (intent, problem) in &recovered.refused {
        let from = intent.about.from.as_ref().map(tracing::field::display);
        warn!(plan = intent.plan, from, error = %problem, "The disk refuses to finish an interrupted step; it will be tried again.");
    }
    if recovered.unswept > 0 {
        warn!(
            unswept = recovered.unswept,
            "Unfinished products cannot be removed from scratch; it will be tried again."
        );
    }
}

/// Tells that a file is not where an interrupted step has put it.
fn stray(stray: &Stray) {
    let Stray { plan, from, to, is_other_there, kept } = stray;
    let from = from.as_ref().map(tracing::field::display);
    let found = if *is_other_there { "another file is there" } else { "it is not there" };
    if let Some(kept) = kept {
        return warn!(plan, from, to = %kept, "The name `{to}` was taken when an interrupted step was finished.");
    }
    error!(
        plan,
        from,
        to = %to,
        "A file of an interrupted step cannot be found under its name: {found}. If you did not move or change it \
         yourself, look for it in `archive`, or bring it back from a backup."
    );
}

/// Tells that recovery must be tried again.
pub fn recovery_failed(problem: &DiskError) {
    error!(error = %problem, "The disk still refuses; all work waits until it does not.");
}

/// Tells that events were lost, and that everything is walked instead.
pub fn rescan() {
    warn!(
        "The system dropped messages about changes: all folders are checked instead, so that no file is missed. \
         Raise `fs.inotify.max_queued_events` with sysctl if this happens often."
    );
}

/// Tells that folders cannot be watched.
pub fn watch_problem(problem: &WatchProblem, rescan: Duration) {
    warn!(
        every_s = rescan.as_secs(),
        "Not all folders are watched: {problem}. They are checked from time to time instead."
    );
}

/// What was done since the start, and what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Steps that were carried out.
    pub done: u64,
    /// Assets and records on their way.
    pub in_work: usize,
    /// Assets that stay where they are for now.
    pub held: usize,
    /// Assets that were set aside.
    pub set_aside: u64,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { done, in_work, held, set_aside } = self;
        write!(f, "{done} done, {in_work} in work, {held} held, {set_aside} set aside")
    }
}

/// Tells that the daemon ends.
pub fn stopped(summary: Summary) {
    let Summary { done, in_work, held, set_aside } = summary;
    info!(done, in_work, held, set_aside, "Stopped as it was asked to.");
}

/// Tells that `once` ends by itself.
pub fn ended(summary: Summary) {
    let Summary { done, held, set_aside, .. } = summary;
    info!(done, held, set_aside, "Ended: nothing is left to do now.");
}
