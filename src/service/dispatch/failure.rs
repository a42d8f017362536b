//! What is done about something that went wrong with one asset; its neighbours go on.

use std::io::ErrorKind;
use std::time::Duration;

use super::backoff::growing;
use crate::craft::CraftError;
use crate::make::MakeError;
use crate::model::RelPath;
use crate::vault::DiskError;

/// An incomplete picture is set aside when it did not change for this long: a scanner writes in parts.
const CONTENT_PATIENCE: Duration = Duration::from_secs(15);
/// The pause before an incomplete picture is looked at again.
const CONTENT_PAUSE: Duration = Duration::from_secs(2);
/// The pauses before a program that failed is run again: it may take minutes each time.
const PROGRAM_PAUSE: Duration = Duration::from_secs(5);
const PROGRAM_PAUSE_MAX: Duration = Duration::from_secs(600);
/// How often reading a damaged disk is tried before the asset is set aside.
const READ_TRIES: u32 = 6;
/// The longest pause after a disk error.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(60);
/// What the system says when a device does not answer.
const EIO: i32 = 5;

/// What to do about something that went wrong with one asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) enum Handling {
    /// It needs a person.
    SetAside(String),
    /// It is tried again by itself.
    Again { why: String, after: Duration, tell: Tell, is_by_time: bool },
    /// It waits until its files change.
    Wait(String),
    /// What wants to go to its area waits, whatever it is.
    PauseArea(String),
    /// A person took it away: nothing is to be done, and nothing is lost.
    Forget,
}

/// What is told of a new try beside that the asset waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Tell {
    Nothing,
    /// That there is one.
    Retry,
    /// That a disk makes trouble, if that is news.
    DiskTrouble,
    /// That a program failed, if that is news.
    ProgramTrouble,
}

/// Returns what to do about an error with an asset, after so many tries in a row. `still_for` is how long its files did
/// not change, and `is_gone` tells whether it is not there any more.
pub(in crate::service) fn handling(
    error: &MakeError,
    asset: &RelPath,
    tries: u32,
    still_for: Duration,
    is_gone: &dyn Fn() -> bool,
) -> Handling {
    let disk = match error {
        MakeError::Content(content) if still_for < CONTENT_PATIENCE && content.may_be_incomplete() => {
            let why = format!("{content}; looked at again soon");
            return Handling::Again { why, after: CONTENT_PAUSE, tell: Tell::Nothing, is_by_time: true };
        }
        // It was told to stop with us: the next start finds it where it lies.
        MakeError::Content(CraftError::Stopped) => return Handling::Forget,
        MakeError::Content(content) => return Handling::SetAside(content.to_string()),
        MakeError::Sidecar { .. } | MakeError::Xmp { .. } => return Handling::Wait(error.to_string()),
        // In whatever stage it lies: a file that is in `upload` already was told to be looked at once it lies there.
        MakeError::Unforeseen(_) | MakeError::Unfit { .. } => {
            let (why, after) = (format!("{error}; it is decided on anew"), commit_pause(tries));
            return Handling::Again { why, after, tell: Tell::Nothing, is_by_time: false };
        }
        MakeError::Program(why) => {
            let after = growing(PROGRAM_PAUSE, tries, PROGRAM_PAUSE_MAX);
            let why = format!("{why}; tried again, or see to `keep.command` and what it names");
            return Handling::Again { why, after, tell: Tell::ProgramTrouble, is_by_time: false };
        }
        MakeError::Disk(disk) => disk,
    };
    match disk.kind() {
        ErrorKind::FileTooLarge if disk.path == *asset => Handling::SetAside(disk.source.to_string()),
        ErrorKind::FileTooLarge => Handling::Wait(disk.to_string()),
        _ if is_gone() => Handling::Forget,
        // Another file has its name by now.
        ErrorKind::InvalidData => {
            let after = growing(Duration::from_millis(50), tries, Duration::from_millis(25_600));
            Handling::Again { why: format!("{disk}; tried again"), after, tell: Tell::Retry, is_by_time: false }
        }
        kind if is_about_area(kind) => Handling::PauseArea(area_says(disk)),
        _ if is_damage(disk, asset) && tries >= READ_TRIES => {
            Handling::SetAside(format!("it cannot be read, tried {READ_TRIES} times: {}", disk.why()))
        }
        _ => {
            let after = growing(Duration::from_secs(1), tries, PAUSE_MAX);
            Handling::Again { why: disk.to_string(), after, tell: Tell::DiskTrouble, is_by_time: false }
        }
    }
}

/// Returns the pause before a plan is tried again that its batch refused: the first new try comes at once.
pub(super) fn commit_pause(tries: u32) -> Duration {
    if tries > 1 { growing(Duration::from_millis(100), tries, Duration::from_millis(51_200)) } else { Duration::ZERO }
}

/// Returns whether an error is about a whole area and not about one file.
fn is_about_area(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::StaleNetworkFileHandle
    )
}

/// Returns what a disk's answer about a whole area means, and what ends it.
fn area_says(disk: &DiskError) -> String {
    match disk.kind() {
        ErrorKind::StorageFull => "its disk is full; make room, and it goes on by itself".to_owned(),
        ErrorKind::QuotaExceeded => "the quota on its disk is used up; make room, and it goes on by itself".to_owned(),
        ErrorKind::ReadOnlyFilesystem => {
            "its disk takes no more changes (read-only file system); see `dmesg` for why, and mend or mount it anew"
                .to_owned()
        }
        _ => disk.why(),
    }
}

/// Returns whether reading the asset's own bytes failed.
fn is_damage(error: &DiskError, asset: &RelPath) -> bool {
    error.path == *asset && matches!(error.call, "read" | "copied") && error.source.raw_os_error() == Some(EIO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn disk(call: &'static str, file: &str, source: std::io::Error) -> MakeError {
        MakeError::Disk(DiskError { call, path: path(file), source })
    }

    /// What is to be done, in a few words: the kind, and the pause in ms.
    fn words(handling: &Handling) -> (&'static str, u128) {
        match handling {
            Handling::SetAside(_) => ("aside", 0),
            Handling::Again { after, tell: Tell::Nothing, .. } => ("again", after.as_millis()),
            Handling::Again { after, tell: Tell::Retry, .. } => ("retry", after.as_millis()),
            Handling::Again { after, tell: Tell::DiskTrouble, .. } => ("trouble", after.as_millis()),
            Handling::Again { after, tell: Tell::ProgramTrouble, .. } => ("program", after.as_millis()),
            Handling::Wait(_) => ("wait", 0),
            Handling::PauseArea(_) => ("pause", 0),
            Handling::Forget => ("forget", 0),
        }
    }

    #[test]
    fn each_error_has_its_cure() {
        let kind = |kind: ErrorKind| move || disk("written", "keep/b.png", kind.into());
        let eio = |call, file| move || disk(call, file, std::io::Error::from_raw_os_error(EIO));
        let content = |content: fn(String) -> CraftError| move || MakeError::Content(content("x".to_owned()));
        let unfit = || MakeError::Unfit { range: crate::model::ByteRange { min: 1, max: 2 }, why: "x".to_owned() };
        type Case = (Box<dyn Fn() -> MakeError>, u32, u64, bool, (&'static str, u128));
        let cases: Vec<Case> = vec![
            (Box::new(content(CraftError::Truncated)), 1, 14, false, ("again", 2_000)),
            (Box::new(content(CraftError::Truncated)), 9, 15, false, ("aside", 0)),
            (Box::new(content(CraftError::Unsupported)), 1, 0, false, ("aside", 0)),
            (Box::new(|| MakeError::Content(CraftError::Stopped)), 9, 99, false, ("forget", 0)),
            // Another may be in hand for long that shows the same.
            (Box::new(|| MakeError::Unforeseen("x".to_owned())), 1, 0, false, ("again", 0)),
            (Box::new(|| MakeError::Unforeseen("x".to_owned())), 4, 0, false, ("again", commit_pause(4).as_millis())),
            (Box::new(unfit), 1, 0, false, ("again", 0)),
            (Box::new(|| MakeError::Program("x".to_owned())), 1, 0, false, ("program", 10_000)),
            (Box::new(|| MakeError::Program("x".to_owned())), 20, 99, false, ("program", 600_000)),
            (Box::new(|| disk("read", "raw/a.png", ErrorKind::FileTooLarge.into())), 1, 0, false, ("aside", 0)),
            (Box::new(|| disk("read", "raw/a.png", ErrorKind::FileTooLarge.into())), 1, 0, true, ("aside", 0)),
            (Box::new(kind(ErrorKind::FileTooLarge)), 1, 0, false, ("wait", 0)),
            (Box::new(kind(ErrorKind::StorageFull)), 1, 0, true, ("forget", 0)),
            (Box::new(kind(ErrorKind::StorageFull)), 1, 0, false, ("pause", 0)),
            (Box::new(kind(ErrorKind::QuotaExceeded)), 9, 0, false, ("pause", 0)),
            (Box::new(kind(ErrorKind::ReadOnlyFilesystem)), 1, 0, false, ("pause", 0)),
            (Box::new(kind(ErrorKind::StaleNetworkFileHandle)), 1, 0, false, ("pause", 0)),
            (Box::new(kind(ErrorKind::InvalidData)), 1, 0, false, ("retry", 100)),
            (Box::new(kind(ErrorKind::InvalidData)), 20, 0, false, ("retry", 25_600)),
            (Box::new(kind(ErrorKind::PermissionDenied)), 1, 0, false, ("trouble", 2_000)),
            (Box::new(kind(ErrorKind::PermissionDenied)), 20, 0, false, ("trouble", 60_000)),
            (Box::new(eio("read", "raw/a.png")), 5, 0, false, ("trouble", 32_000)),
            (Box::new(eio("read", "raw/a.png")), 6, 0, false, ("aside", 0)),
            (Box::new(eio("copied", "raw/a.png")), 6, 0, false, ("aside", 0)),
            // It is not the asset that cannot be read.
            (Box::new(eio("read", "raw/other.png")), 6, 0, false, ("trouble", 60_000)),
            (Box::new(eio("written", "raw/a.png")), 6, 0, false, ("trouble", 60_000)),
        ];
        for (n, (error, tries, still_s, is_gone, expected)) in cases.into_iter().enumerate() {
            let error = error();
            let handling = handling(&error, &path("raw/a.png"), tries, Duration::from_secs(still_s), &|| is_gone);
            assert_eq!(words(&handling), expected, "row {n}: {error}: {handling:?}");
        }
    }

    #[test]
    fn the_first_new_commit_comes_at_once() {
        let pauses = [1, 2, 3, 9, 50].map(|tries| commit_pause(tries).as_millis());
        assert_eq!(pauses, [0, 400, 800, 51_200, 51_200]);
    }

    /// A person who reads why an area is paused must learn what ends that.
    #[test]
    fn a_paused_area_says_what_ends_it() {
        for (kind, word) in [
            (ErrorKind::StorageFull, "make room"),
            (ErrorKind::QuotaExceeded, "make room"),
            (ErrorKind::ReadOnlyFilesystem, "dmesg"),
        ] {
            let Handling::PauseArea(why) =
                handling(&disk("written", "keep", kind.into()), &path("a"), 1, PAUSE_MAX, &|| false)
            else {
                panic!("{kind} is about an area");
            };
            assert!(why.contains(word), "{why}");
        }
    }
}
