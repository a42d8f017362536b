//! What goes to a market with a bundle: which files of which assets, with which bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::bundle_files::{RECORD_BYTES_MAX, listed, manifest_of, strangers};
use super::record_settle::refused;
use crate::config::Settings;
use crate::market::{names_like, rows_in};
use crate::model::RelPath;
use crate::plan::{BundleFolder, BundleName, Hold};
use crate::records::{SentFile, Sidecar};
use crate::service::sent::place_of;
use crate::vault::{Look, What};

/// Returns the names that have a row in the manifest of a bundle that lies at `place`.
pub(in crate::service) fn rows_of(
    disk: &dyn Look,
    settings: &Settings,
    name: &BundleName,
    place: &RelPath,
) -> Result<BTreeSet<String>, Hold> {
    Ok(cells_of(disk, settings, name, place)?.into_keys().collect())
}

/// Returns the cells of each row in the manifest of a bundle that lies at `place`, by the name of its file. Where the settings do
/// not name its market, nobody knows which column has names, and what is in the others: it is the one that names files which lie
/// there.
pub(super) fn cells_of(
    disk: &dyn Look,
    settings: &Settings,
    name: &BundleName,
    place: &RelPath,
) -> Result<BTreeMap<String, Vec<String>>, Hold> {
    let parts = manifest_of(disk, name).map_err(|error| refused(&error.path, &error))?;
    if let Some(market) = settings.upload.market(&name.market) {
        return Ok(parts.iter().flat_map(|part| rows_in(market, &part.bytes)).collect());
    }
    let there = files_of(disk, &BundleFolder::new(place.clone()))?.into_iter().collect();
    let names = parts.iter().flat_map(|part| names_like(&there, &part.bytes));
    Ok(names.map(|name| (name, Vec::new())).collect())
}

/// Returns the files of a sent bundle that have no row in its manifest: they joined it in the moment in which a person
/// marked it as sent, or a person put them there.
pub(in crate::service) fn without_row(
    disk: &dyn Look,
    settings: &Settings,
    name: &BundleName,
) -> Result<Vec<RelPath>, Hold> {
    let place = place_of(disk, name).map_err(|error| refused(&name.folder(), &error))?;
    let bundle = place.unwrap_or_else(|| name.folder());
    let rows = rows_of(disk, settings, name, &bundle)?;
    let files = bundle.join("files");
    let inside = strangers(disk, &settings.settle.ignore, &bundle, &[])?.into_iter();
    let mut lacking: Vec<RelPath> = inside.filter(|name| !rows.contains(name)).map(|name| files.join(name)).collect();
    lacking.sort();
    Ok(lacking)
}

/// Returns the names in a bundle's manifest of which no file lies there: a person took it out, or `undo` did, and the manifest
/// was not written since.
pub(in crate::service) fn without_file(
    disk: &dyn Look,
    settings: &Settings,
    name: &BundleName,
    place: &RelPath,
) -> Result<Vec<String>, Hold> {
    let mut rows = rows_of(disk, settings, name, place)?;
    for file in files_of(disk, &BundleFolder::new(place.clone()))? {
        rows.remove(&file);
    }
    Ok(rows.into_iter().collect())
}

/// Returns the files of a bundle whose names are text.
pub(super) fn files_of(disk: &dyn Look, bundle: &BundleFolder) -> Result<Vec<String>, Hold> {
    let files = listed(disk, &bundle.files())?.into_iter().filter(|(_, entry)| entry.what == What::File);
    Ok(files.filter_map(|(name, _)| name.into_string().ok()).collect())
}

/// Returns the sidecar of a bundled file, if it says which asset that is.
pub(super) fn record_of(disk: &dyn Look, bundle: &BundleFolder, name: &str) -> Result<Sidecar, Hold> {
    let record = bundle.sidecar_of(name);
    let cannot = |why: &dyn std::fmt::Display| {
        Hold::Unreadable(format!("nobody can tell which asset `{}` is: `{record}` {why}", bundle.files().join(name)))
    };
    let read = disk.read(&record, RECORD_BYTES_MAX).map_err(|error| match error.kind() {
        ErrorKind::NotFound => cannot(&"is not there; put it back"),
        _ => refused(&record, &error),
    })?;
    let sidecar =
        Sidecar::parse(&read).map_err(|error| cannot(&format!("cannot be read: {}; mend it", error.of_bundled())))?;
    let says_all = sidecar.id.is_some() && sidecar.file.is_some();
    says_all
        .then_some(sidecar)
        .ok_or_else(|| cannot(&"does not say it; put it back as it was, or take the file out of its bundle"))
}

/// Returns what goes to a market with one file, but for what its row says. What is on record for ever is read, and not believed.
pub(super) fn sent_file(
    disk: &dyn Look,
    bundle: &BundleFolder,
    name: String,
    sidecar: Sidecar,
) -> Result<SentFile, Hold> {
    let asset = sidecar.id.expect("a bundled file's sidecar says which asset it is");
    let file = sidecar.file.expect("a bundled file's sidecar says what was left");
    let path = bundle.files().join(&name);
    let hash = disk.hash(&path).map_err(|error| refused(&path, &error))?;
    let made = file.fingerprint().filter(|_| hash == file.hash);
    Ok(SentFile { name, asset, theme: sidecar.theme, hash, made, number: sidecar.seq, row: None })
}
