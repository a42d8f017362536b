//! Tells whether a bundle was sent: a person marks it by a file.

use std::io::ErrorKind;

use crate::model::{RelPath, is_sent_mark};
use crate::plan::{BundleFolder, BundleName};
use crate::vault::{DiskResult, Look, What};

/// What is told of a file that joined its bundle when that was being marked as sent, or that a person put there.
pub(super) const UNSENT: &str = "it lies in a bundle that is marked as sent, and the CSV that was sent has no row of it; \
                                 if stockmill put it there, take the mark away, and it gets its row: then send that, \
                                 too; else take it out";

/// How that begins, where what keeps it from a row is told.
pub(super) const UNSENT_START: &str =
    "it lies in a bundle that is marked as sent, and the CSV that was sent has no row of it";

/// What is to be done with a file that lost its row after a person had uploaded it: what has no row is not recorded.
pub(super) const UPLOADED: &str = "if it was uploaded, its market has it: give it back what it was uploaded with (its tags, the \
                                   market's profile, its bytes), so that it gets its row again (`stockmill once`)";

/// What is told of a row in the CSV that was sent with a bundle, of which no file was there then.
pub(super) const NEVER_THERE: &str = "the CSV that was sent has a row of it, and it did not lie in the bundle, so that it is \
                                      not on record as sent; if it was uploaded, put it back, take the mark away, and \
                                      record the bundle again (`stockmill sent`); else take the row out of the CSV";

/// Returns the bundle of a file or a sidecar.
pub(super) fn bundle_of(file: &RelPath) -> Option<RelPath> {
    BundleFolder::of(file).map(|bundle| bundle.path().clone())
}

/// Returns whether a person marked a bundle as sent, or moved it to where those lie that were.
pub(super) fn is_sent(disk: &dyn Look, bundle: &RelPath) -> DiskResult<bool> {
    if BundleFolder::is_among_sent(bundle) {
        return Ok(true);
    }
    match disk.list(bundle) {
        Ok(listed) => Ok(listed.iter().any(|(name, _)| is_sent_mark(name))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(moved_to(disk, bundle)?.is_some()),
        Err(error) => Err(error),
    }
}

/// Returns where a bundle lies: where it was made, or where a person moved it once it was sent; `None` if it is gone.
pub(super) fn place_of(disk: &dyn Look, name: &BundleName) -> DiskResult<Option<RelPath>> {
    place_of_folder(disk, &name.folder())
}

/// Returns where a bundle lies whose folder was made there, or was moved there by hand.
pub(super) fn place_of_folder(disk: &dyn Look, folder: &RelPath) -> DiskResult<Option<RelPath>> {
    match disk.stat(folder)? {
        Some(entry) if entry.what == What::Folder => Ok(Some(folder.clone())),
        _ => moved_to(disk, folder),
    }
}

/// Returns where what lay in a bundle lies now, if a person moved the bundle to those that were sent.
pub(super) fn moved_to(disk: &dyn Look, path: &RelPath) -> DiskResult<Option<RelPath>> {
    let name = BundleName::of(path).filter(|_| !BundleFolder::is_among_sent(path));
    let inside = name.and_then(|name| match path.below(&name.folder()) {
        Some(below) => Some(name.sent_folder().join(below.as_path())),
        None => (*path == name.folder()).then(|| name.sent_folder()),
    });
    let Some(inside) = inside else { return Ok(None) };
    Ok(disk.stat(&inside)?.map(|_| inside))
}

/// Returns when a bundle that lies at `place` was sent, by its mark or by the time when it was moved there, in nanoseconds
/// since 1970; `None` if nobody can tell.
pub(super) fn sent_ns(disk: &dyn Look, place: &RelPath) -> Option<i64> {
    if BundleFolder::is_among_sent(place) {
        return disk.stat(place).ok()?.map(|entry| entry.changed_ns);
    }
    let listed = disk.list(place).ok()?.into_iter();
    listed.filter(|(name, _)| is_sent_mark(name)).map(|(_, entry)| entry.changed_ns).min()
}

/// Returns the name that a file may have which comes back to a place: beside its bundle, if that was sent.
pub(super) fn home_of(disk: &dyn Look, place: &RelPath) -> DiskResult<RelPath> {
    let Some(bundle) = BundleName::of(place).map(|bundle| bundle.folder()) else { return Ok(place.clone()) };
    Ok(if is_sent(disk, &bundle)? { bundle.sibling(place.file_name()) } else { place.clone() })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::vault::{Layout, RealDisk};

    /// A file that came back into a bundle that was sent had no row, and was to be sold.
    #[test]
    fn what_comes_back_joins_no_sent_bundle() {
        #![expect(clippy::disallowed_methods, reason = "a test plays the person who marks a bundle")]
        let root = tempfile::tempdir().unwrap();
        let disk = RealDisk::open_to_look(Layout { root: root.path().to_owned(), areas: [].into() });
        for bundle in ["adobe-stock", "adobe-stock-2"] {
            std::fs::create_dir_all(root.path().join("upload/2026-11-23").join(bundle)).unwrap();
        }
        std::fs::write(root.path().join("upload/2026-11-23/adobe-stock/SENT"), "").unwrap();
        let day = "upload/2026-11-23";
        let rows = [
            ("adobe-stock/files/a.jpg", "a.jpg"),
            ("adobe-stock/sidecars/a.jpg.yaml", "a.jpg.yaml"),
            ("adobe-stock/adobe-stock.csv", "adobe-stock.csv"),
            ("adobe-stock-2/files/a.jpg", "adobe-stock-2/files/a.jpg"),
            ("none/files/a.jpg", "none/files/a.jpg"),
        ];
        for (place, home) in rows {
            let path = |name: &str| RelPath::new(format!("{day}/{name}")).unwrap();
            assert_eq!(home_of(&*disk, &path(place)).unwrap(), path(home), "{place}");
        }
        let tags = RelPath::new("raw/sea/tags.yaml").unwrap();
        assert_eq!(home_of(&*disk, &tags).unwrap(), tags);
    }

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
            assert_eq!(is_sent_mark(OsStr::new(name)), expected, "{name:?}");
        }
    }
}
