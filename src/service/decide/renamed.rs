//! Bundles that a person gave another name within their day: what lies in them is theirs, wherever that is.

use super::Decider;
use super::bundle_files::has_manifest_of_another;
use crate::intake::Odd;
use crate::market::Market;
use crate::model::RelPath;
use crate::plan::{BundleFolder, BundleName};
use crate::service::sent::place_of;
use crate::vault::{Look, What};

/// Why a folder is no bundle any more.
pub(in crate::service) const RENAMED: &str = "it holds what a bundle holds, and its name is none of a bundle: its CSV follows no change, and new files go into \
     another one, and a file `SENT` in it records nothing; give it its name back";

/// Returns the folders of a day that hold what bundles hold and have a name of none.
pub(super) fn renamed_in(disk: &dyn Look, markets: &[Market], day: &RelPath) -> Vec<RelPath> {
    let listed = disk.list(day).unwrap_or_default().into_iter().filter(|(_, entry)| entry.what == What::Folder);
    let folders = listed.map(|(name, _)| day.join(name)).filter(|folder| is_renamed(disk, markets, folder));
    folders.filter(|folder| matches!(disk.stat(&folder.join(BundleFolder::SIDECARS)), Ok(Some(_)))).collect()
}

/// Returns whether the name of a folder that holds what bundles hold is none of a bundle.
pub(in crate::service) fn is_renamed(disk: &dyn Look, markets: &[Market], folder: &RelPath) -> bool {
    BundleName::of(folder).is_none_or(|name| {
        !markets.iter().any(|market| market.name == name.market) && has_manifest_of_another(disk, folder, &name)
    })
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
        let renamed = days.flat_map(|day| renamed_in(disk, &self.settings.upload.markets, &day));
        let misplaced = self.ledger.misplaced.all().map(|(folder, _)| folder.clone());
        let mut folders = renamed.chain(misplaced).filter(|folder| !has_manifest_of_another(disk, folder, name));
        folders.find(|folder| {
            let bundle = BundleFolder::new(folder.clone());
            let has = |file: &RelPath| matches!(disk.stat(&bundle.sidecar_of(file.file_name())), Ok(Some(_)));
            self.ledger.files_in(name).any(has)
        })
    }

    /// Returns the folders of lost bundles that a person renamed within their day.
    pub(in crate::service) fn renamed_bundles(&self) -> Vec<Odd> {
        let lost = self.ledger.joined_bundles().filter(|name| self.is_lost(name));
        let folders =
            lost.filter_map(|name| self.renamed_to(name).filter(|folder| folder.parent() == name.folder().parent()));
        folders.map(|path| Odd { path, why: RENAMED.to_owned() }).collect()
    }
}
