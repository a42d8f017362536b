use super::{Problem, Verified, Wrong};
use crate::plan::{BundleFolder, BundleName};
use crate::service::decide::{OtherPart, other_parts};
use crate::service::sent::{is_sent, place_of};
use crate::vault::Look;

/// Looks whether the parts of the models of a bundle that is not sent are there, and as they were left.
pub(super) fn compare_parts(disk: &dyn Look, name: &BundleName, verified: &mut Verified) -> Result<(), String> {
    let place = place_of(disk, name).map_err(|error| error.source.to_string())?.unwrap_or_else(|| name.folder());
    if is_sent(disk, &place).map_err(|error| error.source.to_string())? {
        return Ok(());
    }
    let others = other_parts(disk, &BundleFolder::new(place)).map_err(|hold| hold.to_string())?;
    verified.problems.extend(others.into_iter().map(|OtherPart { path, model, kept }| match kept {
        Some(kept) => Problem {
            file: path,
            wrong: Wrong::Missing,
            why: format!("a part that `{model}` names"),
            hint: format!("copy it there from `{kept}`"),
        },
        None => Problem {
            file: path,
            wrong: Wrong::Changed,
            why: format!("a part of `{model}`"),
            hint: "if you changed it, look whether anything in it is not to be read, and upload it again".to_owned(),
        },
    }));
    Ok(())
}
