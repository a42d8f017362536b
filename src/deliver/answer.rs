use std::collections::BTreeSet;

use jiff::Timestamp;

use super::contents::{CSV_BYTES_MAX, asset_of, bundle_of, contents, is_closed};
use super::rows::{Rows, Selection, changed_rows, new_rows};
use crate::market::{Market, manifest_part};
use crate::model::{ContentHash, Identity, RelPath};
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

impl Settled {
    fn done(self) -> &'static str {
        match self {
            Self::Taken => "recorded: the market has it, or needs it not, and it is never sent",
            Self::SendAgain => "recorded: the portal does not show it, and the next `stockmill deliver` sends it",
        }
    }
}

/// Records what a person says of files of which nobody could tell whether the market has them, and of manifests of which rows
/// were changed after they were delivered. That the market has what was never sent may be said of any file, and of any rows:
/// somebody may have uploaded them by hand. Returns what is to be told of others; `tell` gets what became of the
/// record, and of each file that is on record by that.
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
    // Of a manifest only the rows of files count that the market has by then.
    let (manifests, files): (Vec<_>, Vec<_>) = files.iter().partition(|file| bundle_of(file).is_none());
    for file in files.into_iter().chain(manifests) {
        let in_doubt: Vec<FileDelivery> = known.in_doubt(file).cloned().collect();
        for was in &in_doubt {
            let record = DeliveryRecord::File(FileDelivery { at: now, step, ..was.clone() });
            log.add(&record)?;
            known.add(&record);
        }
        let answer = Answer { disk: log.disk(), known: &known, markets, file, at: now };
        let more = match settled {
            Settled::Taken => answer.taken(in_doubt.is_empty()),
            Settled::SendAgain => answer.wanted(),
        };
        match more {
            Ok(Some(record)) => {
                let record = DeliveryRecord::File(record);
                log.add(&record)?;
                known.add(&record);
            }
            Ok(None) if in_doubt.is_empty() => {
                others.push(format!("`{file}` {}", answer.why_none()));
                continue;
            }
            Ok(None) => (),
            Err(why) => {
                others.push(format!("`{file}`: {why}"));
                continue;
            }
        }
        tell(format!("{file}: {}", settled.done()));
    }
    Ok(others)
}

/// What a person says of a file as it lies there now.
struct Answer<'a> {
    disk: &'a dyn Look,
    known: &'a Deliveries,
    markets: &'a [Market],
    file: &'a RelPath,
    at: Timestamp,
}

impl Answer<'_> {
    /// Returns the record by which the market has what a file is now: a bundled file, or rows of a manifest, first those that
    /// were changed after they were delivered. Of a file that was in doubt only what was sent is meant, so that `with_new` is
    /// false.
    fn taken(&self, with_new: bool) -> Result<Option<FileDelivery>, String> {
        let Self { disk, known, markets, file, .. } = *self;
        if let Some(market) = markets.iter().find(|market| manifest_part(&market.name, &file.file_text()).is_some()) {
            let Some(entry) = disk.stat(file).map_err(|error| error.to_string())? else { return Ok(None) };
            let Some(bundle) = file.parent().filter(|bundle| !is_closed(disk, bundle)) else { return Ok(None) };
            let Some(rows) = rows(disk, known, market, file, &bundle, with_new)? else { return Ok(None) };
            let seen = Identity { size: rows.manifest.len() as u64, ..entry.identity };
            let record = self.record(market, ContentHash::of(&rows.manifest), seen, DeliveryStep::Delivered);
            return Ok(Some(FileDelivery { rows: rows.rows, ..record }));
        }
        let record = if with_new { self.bundled(DeliveryStep::Delivered)? } else { None };
        let is_delivered = |was: &FileDelivery| was.step == DeliveryStep::Delivered;
        Ok(record.filter(|record| !known.of(&record.market, &record.hash).is_some_and(is_delivered)))
    }

    /// Returns the record by which a file is to go although its market got the same asset in other bytes.
    fn wanted(&self) -> Result<Option<FileDelivery>, String> {
        let record = self.bundled(DeliveryStep::Undone)?;
        Ok(record.filter(|FileDelivery { market, asset, hash, .. }| {
            asset.as_ref().is_some_and(|asset| self.known.went_before(market, asset, self.file, hash).is_some())
        }))
    }

    /// Returns a record of the file, if it lies in a bundle that is not sent and has a row there.
    fn bundled(&self, step: DeliveryStep) -> Result<Option<FileDelivery>, String> {
        let Self { disk, markets, file, .. } = *self;
        let Some(bundle) = bundle_of(file).filter(|bundle| !is_closed(disk, bundle)) else { return Ok(None) };
        for market in markets {
            let found = contents(disk, market, &bundle).map_err(|error| error.to_string())?;
            if let Some(item) = found.files.iter().find(|item| item.path == *file) {
                let hash = disk.hash(file).map_err(|error| error.to_string())?;
                let (asset, _) = asset_of(disk, file)?;
                return Ok(Some(FileDelivery { asset: Some(asset), ..self.record(market, hash, item.seen, step) }));
            }
        }
        Ok(None)
    }

    /// Returns why nothing is to be said of the file.
    fn why_none(&self) -> &'static str {
        let Self { disk, known, markets, file, .. } = *self;
        let is_manifest = markets.iter().any(|market| manifest_part(&market.name, &file.file_text()).is_some());
        match bundle_of(file) {
            Some(bundle) if is_closed(disk, &bundle) => "lies in no bundle that is still to be delivered",
            Some(_) if known.delivered(file).is_none() && matches!(self.bundled(DeliveryStep::Begun), Ok(None)) => {
                "has no row in the CSV of a bundle, so that it is not delivered"
            }
            None if is_manifest => {
                "is not in doubt, and has no row of a file that the market has, and that it did not get; say first which \
                 files it has"
            }
            _ => "is not in doubt; `stockmill deliver` says which files are",
        }
    }

    fn record(&self, market: &Market, hash: ContentHash, seen: Identity, step: DeliveryStep) -> FileDelivery {
        FileDelivery {
            at: self.at,
            market: market.name.clone(),
            file: self.file.clone(),
            asset: None,
            hash,
            bytes: seen.size,
            modified_ns: seen.modified_ns,
            step,
            rows: Rows::new(),
        }
    }
}

/// Returns those rows of a manifest that were changed after they were delivered; if there are none, those that are left to
/// deliver of the files that the market has: the row of another one goes with it.
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
    let there = found.files.iter().filter(|item| known.delivered(&item.path).is_some());
    let files: BTreeSet<String> = there.map(|item| item.path.file_text()).collect();
    new_rows(market, &manifest, &files, &delivered).map_err(|error| error.to_string())
}
