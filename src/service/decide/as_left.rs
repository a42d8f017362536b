//! Whether a file of a bundle is the one that stockmill left there.

use crate::model::{Identity, RelPath};
use crate::records::FileRecord;
use crate::vault::{DiskResult, Look};

/// How it is found out whether files are those that stockmill left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Care {
    /// By their bytes.
    Bytes,
    /// By the state in which they were left: many files are looked at, and nothing is done. Where their records do not say
    /// it, by their bytes.
    Times,
}

/// Returns whether a file, `seen` in its folder, is the one that its record speaks of: what a person made of it, nobody looked
/// at. When the record itself was written says nothing: a person writes tags into it.
pub(in crate::service) fn is_as_left(
    disk: &dyn Look,
    path: &RelPath,
    seen: Identity,
    record: &FileRecord,
    care: Care,
) -> DiskResult<bool> {
    let is_in_its_state = care == Care::Times && record.left == Some(seen.into());
    Ok(is_in_its_state || disk.hash(path)? == record.hash)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test plays the person who changes files")]

    use std::fs;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::ContentHash;
    use crate::vault::{Layout, RealDisk};

    /// A picture that was changed by hand counted as unchanged once its sidecar was saved, or if it came with an older time.
    #[test]
    fn what_a_person_changed_is_told_by_its_state_and_else_by_its_bytes() {
        let home = tempfile::tempdir().unwrap();
        let disk = RealDisk::open_to_look(Layout { root: home.path().to_owned(), areas: [].into() });
        let (path, at) = (RelPath::new("upload/a.jpg").unwrap(), home.path().join("upload/a.jpg"));
        fs::create_dir(home.path().join("upload")).unwrap();
        let put = |text: &str, seconds: u64| {
            fs::write(&at, text).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            fs::File::options().write(true).open(&at).unwrap().set_modified(time).unwrap();
            disk.stat(&path).unwrap().unwrap().identity
        };
        let left = put("left", 9);
        let bare = FileRecord::of_original(ContentHash::of(b"left"));
        let known = FileRecord { left: Some(left.into()), ..bare.clone() };
        // (what lies there, with which time, the record, whether its times and its bytes say that it is as it was left)
        for (text, seconds, record, by_times, by_bytes) in [
            ("left", 9, &known, true, true),
            ("left", 12, &known, true, true),
            ("mine", 12, &known, false, false),
            ("mine", 3, &known, false, false),
            ("my own", 9, &known, false, false),
            // Only its bytes tell it from the other one.
            ("mine", 9, &known, true, false),
            ("left", 9, &bare, true, true),
            ("mine", 3, &bare, false, false),
        ] {
            let seen = put(text, seconds);
            let is = |care| is_as_left(&*disk, &path, seen, record, care).unwrap();
            assert_eq!((is(Care::Times), is(Care::Bytes)), (by_times, by_bytes), "{text} {seconds}");
        }
        fs::remove_file(&at).unwrap();
        assert!(is_as_left(&*disk, &path, left, &known, Care::Bytes).is_err(), "nobody can tell");
    }
}
