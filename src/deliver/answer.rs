use std::collections::BTreeSet;

use jiff::Timestamp;

use super::contents::{CSV_BYTES_MAX, asset_of, contents, is_closed};
use super::rows::{Rows, Selection, changed_rows, new_rows};
use crate::market::{Market, manifest_part};
use crate::model::{ContentHash, RelPath};
use crate::records::{Deliveries, DeliveryRecord, DeliveryStep, FileDelivery};
use crate::vault::{DeliveryLog, DeliveryLogError, Layout, Look};

/// What a person found in the portal of a file that is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The market has it.
    Taken,
    /// The market has it not.
    SendAgain,
}

/// Records what a person says of files of which nobody could tell whether the market has them, and of manifests of which rows
/// were changed after they were delivered. That the market has what was never sent may be said of any file, and of any rows:
/// somebody may have uploaded them by hand. Returns what is to be told of others; `tell` gets what became of the record.
pub fn settle(
    layout: Layout,
    markets: &[Market],
    files: &[RelPath],
    settled: Settled,
    now: Timestamp,
    tell: &dyn Fn(String),
) -> Result<Vec<String>, DeliveryLogError> {
    let (log, mut known) = DeliveryLog::open(layout, tell)?;
    let step = match settled {
        Settled::Taken => DeliveryStep::Delivered,
        Settled::SendAgain => DeliveryStep::Undone,
    };
    let mut others = Vec::new();
    for file in files {
        let in_doubt: Vec<FileDelivery> = known.in_doubt(file).cloned().collect();
        for was in &in_doubt {
            let record = DeliveryRecord::File(FileDelivery { at: now, step, ..was.clone() });
            log.add(&record)?;
            known.add(&record);
        }
        let taken = match settled {
            Settled::Taken => taken(log.disk(), &known, markets, file, now, in_doubt.is_empty()),
            Settled::SendAgain => Ok(None),
        };
        match taken {
            Ok(Some(record)) => {
                let record = DeliveryRecord::File(record);
                log.add(&record)?;
                known.add(&record);
            }
            Ok(None) if in_doubt.is_empty() => {
                others.push(format!("`{file}` is not in doubt; `stockmill deliver` says which files are"));
            }
            Ok(None) => (),
            Err(why) => others.push(format!("`{file}`: {why}")),
        }
    }
    Ok(others)
}

/// Returns the record by which the market has what a file is now: a bundled file, or rows of a manifest, first those that were
/// changed after they were delivered. Of a file that was in doubt only what was sent is meant, so that `with_new` is false.
fn taken(
    disk: &dyn Look,
    known: &Deliveries,
    markets: &[Market],
    file: &RelPath,
    at: Timestamp,
    with_new: bool,
) -> Result<Option<FileDelivery>, String> {
    let Some(entry) = disk.stat(file).map_err(|error| error.to_string())? else { return Ok(None) };
    let record = |market: &Market, hash, bytes, rows| FileDelivery {
        at,
        market: market.name.clone(),
        file: file.clone(),
        asset: asset_of(disk, file).ok().map(|(asset, _)| asset),
        hash,
        bytes,
        modified_ns: entry.identity.modified_ns,
        step: DeliveryStep::Delivered,
        rows,
    };
    if let Some(market) = markets.iter().find(|market| manifest_part(&market.name, &file.file_text()).is_some()) {
        let Some(bundle) = file.parent().filter(|bundle| !is_closed(disk, bundle)) else { return Ok(None) };
        let selected = rows(disk, known, market, file, &bundle, with_new)?;
        let of =
            |rows: Selection| record(market, ContentHash::of(&rows.manifest), rows.manifest.len() as u64, rows.rows);
        return Ok(selected.map(of));
    }
    let bundle = file.parent().and_then(|files| files.parent()).filter(|bundle| !is_closed(disk, bundle));
    let Some(bundle) = bundle.filter(|_| with_new) else { return Ok(None) };
    for market in markets {
        let found = contents(disk, market, &bundle).map_err(|error| error.to_string())?;
        if found.files.iter().any(|item| item.path == *file && item.seen == entry.identity) {
            let hash = disk.hash(file).map_err(|error| error.to_string())?;
            let is_delivered = known.of(&market.name, &hash).is_some_and(|was| was.step == DeliveryStep::Delivered);
            return Ok((!is_delivered).then(|| record(market, hash, entry.identity.size, Rows::new())));
        }
    }
    Ok(None)
}

/// Returns those rows of a manifest that were changed after they were delivered; if there are none, those that are left to
/// deliver.
fn rows(
    disk: &dyn Look,
    known: &Deliveries,
    market: &Market,
    file: &RelPath,
    bundle: &RelPath,
    with_new: bool,
) -> Result<Option<Selection>, String> {
    let manifest = disk.read(file, CSV_BYTES_MAX).map_err(|error| error.to_string())?;
    let delivered = known.delivered_rows(bundle);
    let changed = changed_rows(market, &manifest, &delivered).map_err(|error| error.to_string())?;
    if changed.is_some() || !with_new {
        return Ok(changed);
    }
    let found = contents(disk, market, bundle).map_err(|error| error.to_string())?;
    let files: BTreeSet<String> = found.files.iter().map(|item| item.path.file_text()).collect();
    new_rows(market, &manifest, &files, &delivered).map_err(|error| error.to_string())
}
