use jiff::Timestamp;

use super::contents::{CSV_BYTES_MAX, is_closed};
use super::rows::changed_rows;
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
/// were changed after they were delivered; returns what is to be told of others.
pub fn settle(
    layout: Layout,
    markets: &[Market],
    files: &[RelPath],
    settled: Settled,
    now: Timestamp,
) -> Result<Vec<String>, DeliveryLogError> {
    let (log, mut known) = DeliveryLog::open(layout)?;
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
        let changed = match settled {
            Settled::Taken => changed(log.disk(), &known, markets, file, now),
            Settled::SendAgain => Ok(None),
        };
        match changed {
            Ok(Some(record)) => log.add(&DeliveryRecord::File(record))?,
            Ok(None) if in_doubt.is_empty() => {
                others.push(format!("`{file}` is not in doubt; `stockmill deliver` says which files are"));
            }
            Ok(None) => (),
            Err(why) => others.push(format!("`{file}`: {why}")),
        }
    }
    Ok(others)
}

/// Returns the record by which the market has those rows of a manifest that were changed after they were delivered, if there
/// are any. Others are still to go.
fn changed(
    disk: &dyn Look,
    known: &Deliveries,
    markets: &[Market],
    file: &RelPath,
    at: Timestamp,
) -> Result<Option<FileDelivery>, String> {
    let market = markets.iter().find(|market| manifest_part(&market.name, &file.file_text()).is_some());
    let bundle = file.parent().filter(|bundle| !is_closed(disk, bundle));
    let (Some(market), Some(bundle)) = (market, bundle) else { return Ok(None) };
    let Some(entry) = disk.stat(file).map_err(|error| error.to_string())? else { return Ok(None) };
    let manifest = disk.read(file, CSV_BYTES_MAX).map_err(|error| error.to_string())?;
    let selected =
        changed_rows(market, &manifest, &known.delivered_rows(&bundle)).map_err(|error| error.to_string())?;
    Ok(selected.map(|changed| FileDelivery {
        at,
        market: market.name.clone(),
        file: file.clone(),
        asset: None,
        hash: ContentHash::of(&changed.manifest),
        bytes: changed.manifest.len() as u64,
        modified_ns: entry.identity.modified_ns,
        step: DeliveryStep::Delivered,
        rows: changed.rows,
    }))
}
