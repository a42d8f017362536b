//! Bundles that a person moved to where none can lie, or to where those of another market lie: each is left as it is, whole.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;

use crate::intake::{Odd, Walked};
use crate::model::{MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName};

/// The file that each bundle has, beside the folder of its files.
const CHECKLIST: &str = "CHECKLIST.md";

/// What is told of such a bundle.
const WHY: &str = "it is a whole bundle, and none can lie here: nothing in it is touched, nothing joins it, and no changed tags \
                   reach it; move it back to `upload/DATE/MARKET`, or to `upload/sent/DATE/MARKET` once it was sent; what is to \
                   go on by itself, take out of its `files`";

/// Bundles whose manifests name another market than their place does, or whose place names none, by folder, with the markets
/// that the manifests name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Misplaced(BTreeMap<RelPath, BTreeSet<MarketName>>);

impl Misplaced {
    /// Returns those that a walk found.
    pub(super) fn of(walked: &Walked) -> Self {
        let files = walked.folders.iter().filter(|folder| folder.file_name() == BundleFolder::FILES);
        let folders: HashSet<RelPath> = files.filter_map(RelPath::parent).collect();
        let mut tables: BTreeMap<RelPath, BTreeSet<String>> = BTreeMap::new();
        for table in walked.files.iter().map(|found| &found.path).filter(|path| path.extension() == "csv") {
            if let Some(folder) = table.parent().filter(|folder| folders.contains(folder)) {
                tables.entry(folder).or_default().insert(table.stem().to_string_lossy().into_owned());
            }
        }
        // Later parts of a manifest are `MARKET-2.csv` and so on, which names no market.
        let market = |stem: &String| {
            let first = || MarketName::new(stem.rsplit_once('-')?.0).ok();
            MarketName::new(stem).ok().or_else(first)
        };
        let named = |(folder, stems): (RelPath, BTreeSet<String>)| (folder, stems.iter().filter_map(market).collect());
        let is_away = |(folder, markets): &(RelPath, BTreeSet<MarketName>)| {
            let home = BundleName::of(folder).filter(|name| [name.folder(), name.sent_folder()].contains(folder));
            home.is_none_or(|name| !markets.contains(&name.market))
        };
        Self(tables.into_iter().map(named).filter(is_away).collect())
    }

    /// Adds those of another walk.
    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Returns the markets of such a bundle; none of any other folder.
    pub(super) fn markets(&self, folder: &RelPath) -> impl Iterator<Item = &MarketName> {
        self.0.get(folder).into_iter().flatten()
    }

    /// Returns each with each of its markets.
    pub(super) fn all(&self) -> impl Iterator<Item = (&RelPath, &MarketName)> {
        self.0.iter().flat_map(|(folder, markets)| markets.iter().map(move |market| (folder, market)))
    }
}

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
