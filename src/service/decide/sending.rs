//! What goes to a market with a bundle: which files of which assets, with which bytes.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use jiff::Timestamp;

use super::bundle_files::{RECORD_BYTES_MAX, listed, manifest_of, strangers};
use super::record_settle::{refused, together};
use crate::config::Settings;
use crate::market::{names_in, names_like};
use crate::model::RelPath;
use crate::plan::{BundleFolder, BundleName, Hold};
use crate::records::{Sending, SentFile, Sidecar};
use crate::service::ledger::Went;
use crate::service::sent::place_of;
use crate::vault::{Look, What};

/// Returns what goes to its market with a bundle that lies at `place`: the files that have a row in its manifest, and those
/// without one about whose bytes the market answered when the bundle was sent before. What went with another bundle does not go
/// again.
pub(in crate::service) fn sending_of(
    disk: &dyn Look,
    settings: &Settings,
    went: &Went,
    name: &BundleName,
    place: &RelPath,
    at: Timestamp,
) -> Result<Sending, Hold> {
    let rows = rows_of(disk, settings, name, place)?;
    let bundle = BundleFolder::new(place.clone());
    let (mut files, mut holds) = (Vec::new(), Vec::new());
    for file in files_of(disk, &bundle)? {
        let record = record_of(disk, &bundle, &file);
        let asset = record.as_ref().ok().and_then(|sidecar| sidecar.id.as_ref());
        let is_answered = asset.is_some_and(|asset| went.is_answered(name, asset));
        let has_row = rows.contains(&file);
        if !is_answered && !has_row {
            continue;
        }
        let sidecar = match record {
            Ok(sidecar) => sidecar,
            Err(hold) => {
                holds.push(hold);
                continue;
            }
        };
        let sent = sent_file(disk, &bundle, file, sidecar)?;
        let goes = if has_row {
            is_answered || went.why(name, &sent.asset, Some(&sent.hash)).is_none()
        } else {
            went.is_answered_as(name, &sent.asset, &sent.hash)
        };
        files.extend(goes.then_some(sent));
    }
    if let Some(hold) = together(holds) {
        return Err(hold);
    }
    Ok(Sending { bundle: name.folder(), market: name.market.clone(), at, files })
}

/// Returns the names that have a row in the manifest of a bundle that lies at `place`. Where the settings do not name its
/// market, nobody knows which column has names: it is the one that names files which lie there.
pub(in crate::service) fn rows_of(
    disk: &dyn Look,
    settings: &Settings,
    name: &BundleName,
    place: &RelPath,
) -> Result<BTreeSet<String>, Hold> {
    let parts = manifest_of(disk, name).map_err(|error| refused(&error.path, &error))?;
    if let Some(market) = settings.upload.market(&name.market) {
        return Ok(parts.iter().flat_map(|part| names_in(market, &part.bytes)).collect());
    }
    let there = files_of(disk, &BundleFolder::new(place.clone()))?.into_iter().collect();
    Ok(parts.iter().flat_map(|part| names_like(&there, &part.bytes)).collect())
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
fn files_of(disk: &dyn Look, bundle: &BundleFolder) -> Result<Vec<String>, Hold> {
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

/// Returns what goes to a market with one file. What is on record for ever is read, and not believed.
fn sent_file(disk: &dyn Look, bundle: &BundleFolder, name: String, sidecar: Sidecar) -> Result<SentFile, Hold> {
    let asset = sidecar.id.expect("a bundled file's sidecar says which asset it is");
    let file = sidecar.file.expect("a bundled file's sidecar says what was left");
    let path = bundle.files().join(&name);
    let hash = disk.hash(&path).map_err(|error| refused(&path, &error))?;
    let made = file.fingerprint().filter(|_| hash == file.hash);
    Ok(SentFile { name, asset, theme: sidecar.theme, hash, made, number: sidecar.seq })
}
