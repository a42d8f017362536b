//! What becomes of a bundle out of which `undo` took the last file.

use super::bundle_texts::BundleTexts;
use crate::config::Settings;
use crate::intake::walk;
use crate::model::RelPath;
use crate::plan::{BundleName, Plan, plan_bundle_away};
use crate::vault::{Look, read_delivery_log};

/// Plans to remove a bundle in which nothing lies but what stockmill wrote about its files; `None` if something else does, or
/// nobody can tell.
pub(in crate::service) fn plan_bare_away(disk: &dyn Look, settings: &Settings, name: &BundleName) -> Option<Plan> {
    let folder = name.folder();
    let market = settings.upload.market(&name.market)?;
    let walked = walk(disk, &folder, &|_| true, &mut |_, _| ()).ok()?;
    let is_all_seen = walked.below.is_empty() && walked.odd.is_empty() && walked.unlisted.is_empty();
    let texts = BundleTexts::read(disk, name, &folder).ok().filter(|_| is_all_seen)?;
    let delivered = read_delivery_log(disk).ok()?;
    if delivered.delivered_in(&folder).next().is_some() || delivered.in_doubt_in(&folder).next().is_some() {
        return None;
    }
    let lying: Vec<_> = walked.files.into_iter().map(|found| (found.path, found.entry.identity)).collect();
    plan_bundle_away(name, market, &texts.existing(), &lying)
}

/// Returns the folders of a bundle, the innermost first.
pub(in crate::service) fn folders_inside(disk: &dyn Look, bundle: &RelPath) -> Vec<RelPath> {
    let mut folders = walk(disk, bundle, &|_| true, &mut |_, _| ()).map(|walked| walked.folders).unwrap_or_default();
    folders.sort();
    folders.reverse();
    folders
}
