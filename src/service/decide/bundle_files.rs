//! Which bundles there are, and which files lie in them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::Path;

use crate::market::{Market, manifest_name, manifest_part};
use crate::model::{Identity, Ignore, MarketName, RelPath, Stage, ThemeSlug};
use crate::plan::{BundleAsset, BundleFolder, BundleName, Hold, Written};
use crate::records::SIDECAR_SUFFIX;
use crate::service::sent::place_of;
use crate::vault::{DiskError, DiskResult, Entry, Look, What};

/// The largest record that is read.
pub(in crate::service) const RECORD_BYTES_MAX: u64 = 8 << 20;

/// The largest part of a manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// A file of a bundle and its sidecar, as they lie there.
pub(super) struct Lying {
    pub(super) file: Entry,
    pub(super) record: Entry,
}

/// Returns the files of a bundle that have a sidecar, by name, as they lie there.
pub(super) fn lying(disk: &dyn Look, bundle: &BundleFolder) -> Result<BTreeMap<String, Lying>, Hold> {
    let present = listed(disk, &bundle.files())?.into_iter().filter(|(_, entry)| entry.what == What::File);
    let present: BTreeMap<OsString, Entry> = present.collect();
    let records = listed(disk, &bundle.sidecars())?.into_iter();
    let of = |(name, record): (OsString, Entry)| {
        let name = name.to_str()?.strip_suffix(SIDECAR_SUFFIX)?;
        let file = *present.get(OsStr::new(name))?;
        Some((name.to_owned(), Lying { file, record }))
    };
    Ok(records.filter_map(of).collect())
}

/// Returns the names of the files that lie in a bundle and are none of its assets.
pub(super) fn strangers(
    disk: &dyn Look,
    ignore: &Ignore,
    bundle: &RelPath,
    assets: &[BundleAsset],
) -> Result<Vec<String>, Hold> {
    let known: BTreeSet<&str> = assets.iter().map(|asset| asset.file_name.as_str()).collect();
    let inside = listed(disk, &bundle.join("files"))?.into_iter();
    let files = inside.filter(|(_, entry)| entry.what == What::File);
    let names = files.map(|(name, _)| name.to_string_lossy().into_owned());
    Ok(names.filter(|name| !known.contains(name.as_str()) && ignore.file(name).is_none()).collect())
}

/// Returns the parts of a bundle's manifest that lie there, in order.
pub(in crate::service) fn manifest_of(disk: &dyn Look, name: &BundleName) -> DiskResult<Vec<Written>> {
    place_of(disk, name)?.map_or(Ok(Vec::new()), |place| manifest_in(disk, &place, &name.market))
}

/// Returns the parts of a market's manifest that lie in a folder, in order.
pub(super) fn manifest_in(disk: &dyn Look, place: &RelPath, market: &MarketName) -> DiskResult<Vec<Written>> {
    let listed = match disk.list(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut parts: Vec<(u32, Identity)> = listed
        .into_iter()
        .filter_map(|(file, entry)| Some((manifest_part(market, file.to_str()?)?, entry.identity)))
        .collect();
    parts.sort_by_key(|(part, _)| *part);
    let mut written = Vec::new();
    for (part, seen) in parts {
        let path = place.join(manifest_name(market, part));
        match disk.read(&path, MANIFEST_BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => (),
            read => written.push(Written { bytes: read?, path, seen }),
        }
    }
    Ok(written)
}

/// Returns whether a folder has manifests, and none of the market that its name says: a person renamed the folder.
pub(super) fn has_manifest_of_another(disk: &dyn Look, folder: &RelPath, name: &BundleName) -> bool {
    !tables_of_others(disk, folder, name).is_empty()
}

/// Returns the names of the tables in a folder, if none of them is one of the market that its name says.
pub(super) fn tables_of_others(disk: &dyn Look, folder: &RelPath, name: &BundleName) -> Vec<String> {
    let listed = disk.list(folder).unwrap_or_default().into_iter();
    let tables = listed.map(|(name, _)| name).filter(|name| Path::new(name).extension() == Some(OsStr::new("csv")));
    let tables: Vec<String> = tables.map(|table| table.to_string_lossy().into_owned()).collect();
    let has_own = tables.iter().any(|table| manifest_part(&name.market, table).is_some());
    if has_own { Vec::new() } else { tables }
}

/// Returns every bundle that lies in `upload`, or among those that were sent, by day and market.
pub(in crate::service) fn bundle_names(disk: &dyn Look, markets: &[Market]) -> Vec<BundleName> {
    let is_named = |name: &BundleName| markets.iter().any(|market| market.name == name.market);
    names(disk).0.into_iter().filter(is_named).collect()
}

/// Returns every bundle, by day and market, also those whose market the settings do not name.
pub(in crate::service) fn all_bundles(disk: &dyn Look, markets: &[Market]) -> Vec<BundleName> {
    let mut names = [bundle_names(disk, markets), unnamed_bundles(disk, markets)].concat();
    names.sort();
    names
}

/// Returns the bundles whose market the settings do not name.
pub(in crate::service) fn unnamed_bundles(disk: &dyn Look, markets: &[Market]) -> Vec<BundleName> {
    let is_named = |name: &BundleName| markets.iter().any(|market| market.name == name.market);
    let is_bundle = |name: &BundleName| {
        [name.folder(), name.sent_folder()].into_iter().any(|folder| {
            matches!(disk.stat(&BundleFolder::new(folder.clone()).sidecars()), Ok(Some(_)))
                && !has_manifest_of_another(disk, &folder, name)
        })
    };
    names(disk).0.into_iter().filter(|name| !is_named(name) && is_bundle(name)).collect()
}

/// Returns all that has the name of a bundle, or why that cannot be told.
pub(super) fn all_names(disk: &dyn Look) -> DiskResult<Vec<BundleName>> {
    let (names, error) = names(disk);
    error.map_or(Ok(names), Err)
}

/// Returns what has the name of a bundle, and the last error that kept others from being seen.
fn names(disk: &dyn Look) -> (Vec<BundleName>, Option<DiskError>) {
    let top = Stage::Upload.folder();
    let (mut names, mut failed) = (Vec::new(), None);
    let mut list = |folder: &RelPath| match disk.list(folder) {
        Ok(listed) => listed,
        Err(error) => {
            let is_none = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
            failed = Some(error).filter(|_| !is_none).or(failed.take());
            Vec::new()
        }
    };
    for folder in [top.clone(), top.join(BundleFolder::SENT)] {
        for (day, _) in list(&folder) {
            let Some(day) = day.to_str().filter(|day| ThemeSlug::new(day).is_err() && !day.starts_with('.')) else {
                continue;
            };
            for (name, _) in list(&folder.join(day)) {
                names.extend(name.to_str().and_then(|name| BundleName::parse(day, name)));
            }
        }
    }
    names.sort();
    names.dedup();
    (names, failed)
}

/// Returns the names in a folder of a bundle; none if it is not there.
pub(super) fn listed(disk: &dyn Look, folder: &RelPath) -> Result<Vec<(OsString, Entry)>, Hold> {
    match disk.list(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|error| Hold::Waits(error.to_string())),
    }
}
