//! Bundles that a person moved to where none can lie: each is left as it is, whole.

use std::collections::HashSet;
use std::ffi::OsStr;

use crate::intake::{Odd, Walked};
use crate::model::RelPath;
use crate::plan::BundleFolder;

/// The file that each bundle has, beside the folder of its files.
const CHECKLIST: &str = "CHECKLIST.md";

/// What is told of such a bundle.
const WHY: &str = "it is a whole bundle, and none can lie here: nothing in it is touched, nothing joins it, and no changed tags \
                   reach it; move it back to `upload/DATE/MARKET`, or to `upload/sent/DATE/MARKET` once it was sent; what is to \
                   go on by itself, take out of its `files`";

/// Takes such bundles out of what a walk found, but for the folders that are watched, and returns each.
pub(super) fn take_misplaced(walked: &mut Walked) -> Vec<Odd> {
    let has_name = |path: &RelPath, name: &str| path.file_name() == OsStr::new(name);
    let files = walked.folders.iter().filter(|folder| has_name(folder, BundleFolder::FILES));
    let parents: HashSet<RelPath> = files.filter_map(RelPath::parent).collect();
    if parents.is_empty() {
        return Vec::new();
    }
    let records = walked.folders.iter().filter(|folder| has_name(folder, BundleFolder::SIDECARS));
    let lists = walked.files.iter().map(|found| &found.path).filter(|path| has_name(path, CHECKLIST));
    let marked: HashSet<RelPath> = records.chain(lists).filter_map(RelPath::parent).collect();
    let mut bundles: Vec<&RelPath> = parents.intersection(&marked).collect();
    bundles.sort_unstable();
    let is_inside = |path: &RelPath| bundles.iter().any(|bundle| path.is_in(bundle));
    walked.files.retain(|found| !is_inside(&found.path));
    walked.odd.retain(|odd| !is_inside(&odd.path));
    bundles.into_iter().map(|bundle| Odd { path: bundle.clone(), why: WHY.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Found;
    use crate::model::Identity;
    use crate::vault::Entry;

    /// Its files were taken for new ones, and set aside one by one.
    #[test]
    fn a_bundle_is_known_wherever_it_lies() {
        let path = |text: &str| RelPath::new(text).unwrap();
        // The folders and files of a walk, the bundles, and what is left of the files.
        type Row<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str], &'a [&'a str]);
        let rows: [Row<'_>; 5] = [
            (
                &["upload/box", "upload/box/files", "upload/box/sidecars"],
                &["upload/box/files/a.jpg", "upload/box/m.csv", "upload/box/sidecars/a.jpg.yaml"],
                &["upload/box"],
                &[],
            ),
            // It is still being copied.
            (
                &["upload/later", "upload/later/d/m", "upload/later/d/m/files"],
                &["upload/later/b.jpg", "upload/later/d/m/CHECKLIST.md", "upload/later/d/m/files/a.jpg"],
                &["upload/later/d/m"],
                &["upload/later/b.jpg"],
            ),
            (&["raw/t", "raw/t/files"], &["raw/t/files/a.png"], &[], &["raw/t/files/a.png"]),
            (&["raw/t", "raw/t/sidecars"], &["raw/t/CHECKLIST.md"], &[], &["raw/t/CHECKLIST.md"]),
            (&["raw/t", "raw/t/files", "raw/t/in/sidecars"], &["raw/t/a.png"], &[], &["raw/t/a.png"]),
        ];
        for (folders, files, bundles, left) in rows {
            let entry = Entry::file(Identity { device: 1, inode: 2, size: 3, modified_ns: 4 }, 5);
            let found = |text: &&str| Found { path: path(text), entry };
            let folders = folders.iter().map(|text| path(text)).collect();
            let mut walked = Walked { files: files.iter().map(found).collect(), folders, ..Walked::default() };
            let odd: Vec<String> = take_misplaced(&mut walked).iter().map(|odd| odd.path.to_string()).collect();
            assert_eq!(odd, bundles);
            let files: Vec<String> = walked.files.iter().map(|found| found.path.to_string()).collect();
            assert_eq!(files, left);
        }
    }
}
