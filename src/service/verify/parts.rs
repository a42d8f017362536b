use super::{Problem, Verified, Wrong};
use crate::plan::{BundleFolder, BundleName};
use crate::service::decide::lost_parts;
use crate::service::sent::{is_sent, place_of};
use crate::vault::Look;

/// Looks whether the parts of the models of a bundle that is not sent are there: they have no receipt.
pub(super) fn compare_parts(disk: &dyn Look, name: &BundleName, verified: &mut Verified) -> Result<(), String> {
    let place = place_of(disk, name).map_err(|error| error.source.to_string())?.unwrap_or_else(|| name.folder());
    if is_sent(disk, &place).map_err(|error| error.source.to_string())? {
        return Ok(());
    }
    let lost = lost_parts(disk, &BundleFolder::new(place)).map_err(|hold| hold.to_string())?;
    verified.problems.extend(lost.into_iter().map(|(file, model, kept)| Problem {
        file,
        wrong: Wrong::Missing,
        why: format!("a part that `{model}` names"),
        hint: format!("copy it there from `{kept}`"),
    }));
    Ok(())
}
