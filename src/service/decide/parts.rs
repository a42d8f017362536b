//! The parts of models in bundles.

use super::record_settle::refused;
use crate::intake::walk;
use crate::plan::{BundleFolder, Hold, Parts};
use crate::vault::Look;

/// Returns the parts of a bundled file that is a model, as they lie there.
pub(in crate::service) fn parts_of(
    disk: &dyn Look,
    bundle: &BundleFolder,
    file_name: &str,
) -> Result<Option<Parts>, Hold> {
    for (folder, is_kept) in bundle.places_of_parts(file_name) {
        let cannot = |error| refused(&folder, &error);
        if disk.stat(&folder).map_err(cannot)?.is_none() {
            continue;
        }
        let walked = walk(disk, &folder, &|_| true, &mut |_, _| ()).map_err(cannot)?;
        if let Some(odd) = walked.unlisted.first() {
            return Err(Hold::Unreadable(format!("`{}`: {}", odd.path, odd.why)));
        }
        let mut names: Vec<_> = walked.files.iter().filter_map(|found| found.path.below(&folder)).collect();
        names.sort();
        if let Some(folder) = folder.below(bundle.path()).filter(|_| !names.is_empty()) {
            return Ok(Some(Parts { folder, names, is_kept }));
        }
    }
    Ok(None)
}
