//! Bundles that a person gave another name within their day: what lies in them is theirs, wherever that is.

use super::Decider;
use super::bundle_files::{has_manifest_of_another, tables_of_others};
use crate::config::UploadSettings;
use crate::intake::Odd;
use crate::market::manifest_part;
use crate::model::RelPath;
use crate::plan::{BundleFolder, BundleName};
use crate::service::sent::place_of;
use crate::vault::{Look, What};

/// Why a folder is no bundle any more.
pub(in crate::service) const RENAMED: &str = "it holds what a bundle holds, and its name is none of a bundle: its CSV follows no change, and new files go into \
     another one, and a file `SENT` in it records nothing; give it its name back";

/// Why a folder is not the bundle of the market that its name says.
const OF_ANOTHER: &str = "a person gave it this name, or copied it: its CSV is that of another market, and none of its own is in it: \
     nothing in it is touched, new files go into another one, and nothing of it is recorded as sent; give it its name back, or \
     delete it if it is a copy";

/// Returns the folders of a day that hold what bundles hold and have a name of none, or that of another market.
pub(super) fn renamed_in(disk: &dyn Look, upload: &UploadSettings, day: &RelPath) -> Vec<RelPath> {
    let listed = disk.list(day).unwrap_or_default().into_iter().filter(|(_, entry)| entry.what == What::Folder);
    let folders = listed.map(|(name, _)| day.join(name)).filter(|folder| why_renamed(disk, upload, folder).is_some());
    folders.filter(|folder| matches!(disk.stat(&folder.join(BundleFolder::SIDECARS)), Ok(Some(_)))).collect()
}

/// Returns why a folder that holds what bundles hold is not the bundle that its name says, if it is not. In one of a market that the
/// settings name a person may keep tables of their own.
pub(in crate::service) fn why_renamed(
    disk: &dyn Look,
    upload: &UploadSettings,
    folder: &RelPath,
) -> Option<&'static str> {
    let Some(name) = BundleName::of(folder) else { return Some(RENAMED) };
    let others = tables_of_others(disk, folder, &name);
    if upload.market(&name.market).is_none() {
        return (!others.is_empty()).then_some(RENAMED);
    }
    let is_known = |table: &String| upload.known.iter().any(|market| manifest_part(market, table).is_some());
    others.iter().any(is_known).then_some(OF_ANOTHER)
}

impl Decider {
    /// Returns whether files of a bundle that is not on record as sent are on record and it is not where it was made: what became
    /// of them, only the bundle shows, so that no other one may have its name.
    pub(super) fn is_lost(&self, name: &BundleName) -> bool {
        let is_gone = || matches!(place_of(self.disk(), name), Ok(None));
        !self.ledger.is_sent(name) && self.ledger.files_in(name).next().is_some() && is_gone()
    }

    /// Returns the folder that a lost bundle has by now, if a person renamed it within its day, or moved it to where none can lie.
    pub(super) fn renamed_to(&self, name: &BundleName) -> Option<RelPath> {
        let disk = self.disk();
        let days = [name.folder(), name.sent_folder()].into_iter().filter_map(|folder| folder.parent());
        let renamed = days.flat_map(|day| renamed_in(disk, &self.settings.upload, &day));
        let misplaced = self.ledger.misplaced.all().map(|(folder, _)| folder.clone());
        let mut folders = renamed.chain(misplaced).filter(|folder| !has_manifest_of_another(disk, folder, name));
        folders.find(|folder| {
            let bundle = BundleFolder::new(folder.clone());
            let has = |file: &RelPath| matches!(disk.stat(&bundle.sidecar_of(file.file_name())), Ok(Some(_)));
            self.ledger.files_in(name).any(has)
        })
    }

    /// Returns the folders of lost bundles that a person renamed within their day, or moved into another bundle. One that has the name
    /// of a market is held.
    pub(in crate::service) fn renamed_bundles(&self) -> Vec<Odd> {
        let lost = self.ledger.joined_bundles().filter(|name| self.is_lost(name));
        let odd = lost.filter_map(|name| {
            let path = self.renamed_to(name)?;
            let why = if is_within_another(&path) {
                moved_into_another(name)
            } else {
                let is_of_another = why_renamed(self.disk(), &self.settings.upload, &path) == Some(OF_ANOTHER);
                let is_renamed = path.parent() == name.folder().parent() && !is_of_another;
                is_renamed.then(|| RENAMED.to_owned())?
            };
            Some(Odd { path, why })
        });
        odd.collect()
    }
}

/// Returns whether a bundle lies within the folder of another one.
fn is_within_another(folder: &RelPath) -> bool {
    BundleName::of(folder).is_some_and(|outer| ![outer.folder(), outer.sent_folder()].contains(folder))
}

fn moved_into_another(name: &BundleName) -> String {
    let (was, sent) = (name.folder(), name.sent_folder());
    format!(
        "it seems to be `{was}`, and lies within another bundle: its CSV follows no change, and nothing of it is recorded as sent; \
         move it out, back to `{was}`, or to `{sent}` once it was sent"
    )
}
