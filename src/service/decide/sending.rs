//! What goes to a market with a bundle: which files of which assets, with which bytes.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use jiff::Timestamp;

use super::bundles::{RECORD_BYTES_MAX, manifest_of};
use super::record_settle::refused;
use crate::config::Settings;
use crate::market::names_in;
use crate::model::{ContentHash, RelPath};
use crate::plan::{BundleFolder, BundleName, Hold};
use crate::records::{Sending, SentFile, Sidecar};
use crate::vault::{Entry, Look, What};

/// Returns what goes to its market with a bundle that lies at `place`: the files that have a row in its manifest.
pub(in crate::service) fn sending_of(
    disk: &dyn Look,
    settings: &Settings,
    name: &BundleName,
    place: &RelPath,
    at: Timestamp,
) -> Result<Sending, Hold> {
    let unknown = || Hold::Waits(format!("the settings do not name the market `{}`", name.market));
    let market = settings.upload.market(&name.market).ok_or_else(unknown)?;
    let parts = manifest_of(disk, name).map_err(|error| refused(&error.path, &error))?;
    let rows: BTreeSet<String> = parts.iter().flat_map(|part| names_in(market, &part.bytes)).collect();
    let bundle = BundleFolder::new(place.clone());
    let listed = match disk.list(&bundle.files()) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(|error| refused(&bundle.files(), &error))?,
    };
    let files = listed.into_iter().filter(|(_, entry)| entry.what == What::File);
    let with_row = files.filter_map(|(name, entry)| Some((name.into_string().ok()?, entry)));
    let with_row = with_row.filter(|(name, _)| rows.contains(name));
    let files = with_row.map(|(name, entry)| sent_file(disk, &bundle, name, &entry)).collect::<Result<_, _>>()?;
    Ok(Sending { bundle: name.folder(), market: market.name.clone(), at, files })
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
    let sidecar = Sidecar::parse(&read).map_err(|error| cannot(&format!("cannot be read: {error}; mend it")))?;
    let says_all = sidecar.id.is_some() && sidecar.file.is_some();
    says_all.then_some(sidecar).ok_or_else(|| cannot(&"does not say it; `stockmill undo` has the former version"))
}

fn sent_file(disk: &dyn Look, bundle: &BundleFolder, name: String, entry: &Entry) -> Result<SentFile, Hold> {
    let record = bundle.sidecar_of(&name);
    let sidecar = record_of(disk, bundle, &name)?;
    let asset = sidecar.id.expect("a bundled file's sidecar says which asset it is");
    let file = sidecar.file.expect("a bundled file's sidecar says what was left");
    let path = bundle.files().join(&name);
    let written = disk.stat(&record).map_err(|error| refused(&record, &error))?;
    // What was written after its record was, may have been changed by hand.
    let is_as_left = written.is_some_and(|record| entry.identity.modified_ns <= record.identity.modified_ns);
    let hash = if is_as_left { file.hash.clone() } else { hash_of(disk, &path)? };
    let made = file.fingerprint().filter(|_| hash == file.hash);
    Ok(SentFile { name, asset, theme: sidecar.theme, hash, made, number: sidecar.seq })
}

fn hash_of(disk: &dyn Look, path: &RelPath) -> Result<ContentHash, Hold> {
    disk.hash(path).map_err(|error| refused(path, &error))
}
