//! Tells whether a bundle was sent: a person marks it by a file.

use std::ffi::OsStr;
use std::io::ErrorKind;

use crate::model::RelPath;
use crate::plan::BundleFolder;
use crate::vault::{DiskResult, Look};

/// What is told of a file that joined its bundle when that was being marked as sent, or that a person put there.
pub(super) const UNSENT: &str = "it lies in a bundle that is marked as sent, and the CSV that was sent has no row of it; \
                                 if stockmill put it there, take the mark away, and it gets its row: then send that, \
                                 too; else take it out";

/// Returns the bundle of a file or a sidecar.
pub(super) fn bundle_of(file: &RelPath) -> Option<RelPath> {
    BundleFolder::of(file).map(|bundle| bundle.path().clone())
}

/// Returns whether a person marked a bundle as sent.
pub(super) fn is_sent(disk: &dyn Look, bundle: &RelPath) -> DiskResult<bool> {
    match disk.list(bundle) {
        Ok(listed) => Ok(listed.iter().any(|(name, _)| is_mark(name))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns whether a name means `SENT`, in any case and with any ending: to ignore `SENT.txt` would add files to a
/// bundle that the market already has; to accept it costs at most another bundle.
pub(super) fn is_mark(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    stem.trim_matches(|c: char| c == '_' || c.is_whitespace()).eq_ignore_ascii_case("sent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_sent() {
        let cases = [
            ("SENT", true),
            ("sent", true),
            ("Sent ", true),
            ("SENT.txt", true),
            ("SENT.TXT.txt", true),
            ("_SENT", true),
            ("sent.md", true),
            ("sentences.txt", false),
            (".SENT.swp", false),
            ("unsent", false),
            ("CHECKLIST.md", false),
            ("", false),
        ];
        for (name, expected) in cases {
            assert_eq!(is_mark(OsStr::new(name)), expected, "{name:?}");
        }
    }
}
