//! Whether the rows of a bundle's manifest are about its files.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{NotFromHere, Unmatched, Verified};
use crate::config::Settings;
use crate::model::RelPath;
use crate::plan::BundleName;
use crate::service::decide::{Places, elsewhere_in, without_file, without_row};
use crate::service::sent::{is_sent, place_of};
use crate::vault::Look;

/// Compares the rows of a bundle's manifest with its files.
pub(super) fn compare_manifest(
    disk: &dyn Look,
    settings: &Settings,
    places: &Arc<Places>,
    name: &BundleName,
    verified: &mut Verified,
) -> Result<(), String> {
    let place = place_of(disk, name).map_err(|error| error.source.to_string())?.unwrap_or_else(|| name.folder());
    let sent = is_sent(disk, &place).map_err(|error| error.source.to_string())?;
    let mut files = without_row(disk, settings, name).map_err(|hold| hold.to_string())?;
    let copies = places.copies(disk, name).map_err(|hold| hold.to_string())?.into_keys();
    let elsewhere = elsewhere_in(disk, settings, places, name, copies.chain(files.iter().cloned()));
    let elsewhere = elsewhere.map_err(|hold| hold.to_string())?;
    files.retain(|file| !elsewhere.contains_key(file));
    let Unmatched { not_from_here, without_row, without_row_yet, .. } = &mut verified.rows;
    not_from_here.extend(elsewhere.into_iter().map(|(file, why)| NotFromHere { file, why: why.to_string() }));
    if sent { without_row } else { without_row_yet }.extend(files);
    // Of a market that the settings do not name, which column has the names is a guess.
    if settings.upload.market(&name.market).is_none() {
        return Ok(());
    }
    let rows = without_file(disk, settings, name, &place).map_err(|hold| hold.to_string())?;
    let rows: Vec<RelPath> = rows.iter().map(|row| place.join("files").join(row)).collect();
    // Of what is missing, is gone or was moved, its receipt told.
    let told = verified.problems.iter().map(|problem| &problem.file).chain(&verified.gone);
    let told: BTreeSet<&RelPath> = told.collect();
    let moved: BTreeSet<&RelPath> = verified.moved.iter().map(|moved| &moved.from).collect();
    let untold: Vec<RelPath> = rows.into_iter().filter(|file| !told.contains(file) && !moved.contains(file)).collect();
    verified.rows.without_file.extend(untold);
    Ok(())
}
