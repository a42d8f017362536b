use std::collections::BTreeSet;

use jiff::Timestamp;

use super::disk::{Disk, DiskError, DiskResult};
use super::journal::Journal;
use super::scratch::{Made, Vault, discard, ensure_folder};
use crate::model::{Identity, RelPath};
use crate::records::{About, Intent, Publish, PublishMode, Record};

/// From this many files on, one flush of the whole file system is cheaper than one for each file.
const SYNC_ALL_FROM: usize = 8;

/// Proof that a plan was carried out whole and survives a power cut.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The plan's number.
    pub plan: u64,
    /// What it was about.
    pub about: About,
}

/// Why a plan was not carried out. Its source stands where it stood.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The file changed after it was looked at; it is looked at again.
    #[error("`{0}` changed meanwhile")]
    Changed(RelPath),
    /// Somebody took the name at the last instant; another is chosen.
    #[error("the name `{0}` was taken meanwhile")]
    Taken(RelPath),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Vault {
    /// Carries out a batch so that a power cut at any instant leaves each plan wholly done or wholly
    /// redoable. One bad plan does not stop its neighbours.
    ///
    /// The order: intents and products durable; names given; folders durable; sources away; folders
    /// durable; done. A source leaves last.
    pub fn commit(&self, journal: &mut Journal, batch: Vec<Made>, now: Timestamp) -> Vec<Result<Receipt, CommitError>> {
        let disk = self.disk();
        if let Err(error) = prepare(disk, journal, &batch, now) {
            // One file that cannot be prepared must not stop its neighbours. After a failed flush nobody
            // knows what is durable: then everything is made again.
            if batch.len() > 1 && !error.call.starts_with("flush") {
                return batch.into_iter().flat_map(|made| self.commit(journal, vec![made], now)).collect();
            }
            // Nothing has a name yet, so the whole batch can be made again.
            let undone: Vec<_> = batch.iter().map(|made| undone(made.plan, &error)).collect();
            let _ = journal.append(disk, &undone);
            batch.iter().for_each(|made| discard(disk, &made.publish));
            let plans = batch.len();
            let mut errors = vec![Err(error.into())];
            errors.extend((1..plans).map(|_| Err(CommitError::Disk(batch_failed(&batch)))));
            return errors;
        }
        let mut results: Vec<Result<(), CommitError>> = batch.iter().map(|made| publish_all(disk, made)).collect();
        settle_names(disk, &batch, &mut results, |made| made.publish.iter().map(|p| p.to.clone()).collect());
        for (made, result) in batch.iter().zip(&mut results) {
            if result.is_ok() {
                *result = leave(disk, made);
            }
        }
        settle_names(disk, &batch, &mut results, left_names);
        self.conclude(journal, batch, results)
    }

    fn conclude(
        &self,
        journal: &mut Journal,
        batch: Vec<Made>,
        results: Vec<Result<(), CommitError>>,
    ) -> Vec<Result<Receipt, CommitError>> {
        let disk = self.disk();
        let records: Vec<Record> = batch
            .iter()
            .zip(&results)
            .filter_map(|(made, result)| match result {
                Ok(()) => Some(Record::Done { plan: made.plan }),
                // After a disk error nobody knows what is durable: the plan stays open for recovery.
                Err(CommitError::Disk(_)) => None,
                Err(error) => Some(undone(made.plan, error)),
            })
            .collect();
        // A lost "done" is harmless: recovery finds everything in place and says it again.
        let _ = journal.append(disk, &records);
        batch
            .into_iter()
            .zip(results)
            .map(|(made, result)| {
                result.map(|()| Receipt { plan: made.plan, about: made.about.expect("a finished draft says it") })
            })
            .collect()
    }
}

fn undone(plan: u64, why: &impl std::fmt::Display) -> Record {
    Record::Undone { plan, why: why.to_string() }
}

fn batch_failed(batch: &[Made]) -> DiskError {
    let path = batch[0].about().from.clone().unwrap_or_else(super::journal_folder);
    DiskError { call: "commit the batch of", path, source: std::io::ErrorKind::Interrupted.into() }
}

/// Makes the intents and everything that they rely on durable.
fn prepare(disk: &dyn Disk, journal: &mut Journal, batch: &[Made], now: Timestamp) -> DiskResult<()> {
    for folder in targets(batch) {
        ensure_folder(disk, &folder)?;
    }
    let intents: Vec<Record> = batch.iter().map(|made| Record::Intent(intent(made, now))).collect();
    journal.append(disk, &intents)?;
    let written = batch.iter().flat_map(|made| made.publish.iter().map(|p| &p.scratch));
    // The program that dropped a file may never have flushed it: our word would not survive a cut.
    let moved = batch.iter().flat_map(|made| made.moves.iter().map(|m| &m.from));
    let files: Vec<&RelPath> = written.chain(moved).collect();
    if files.len() >= SYNC_ALL_FROM {
        let areas: BTreeSet<RelPath> = files.iter().map(|file| area_of(file)).collect();
        let mut devices = BTreeSet::new();
        for area in areas {
            if devices.insert(disk.device(&area)?) {
                disk.sync_all(&area)?;
            }
        }
    } else {
        for file in files {
            disk.sync_file(file)?;
        }
    }
    journal.sync(disk)
}

fn area_of(path: &RelPath) -> RelPath {
    RelPath::new(path.area()).expect("an area is a plain name")
}

fn intent(made: &Made, now: Timestamp) -> Intent {
    Intent {
        plan: made.plan,
        at: now,
        about: made.about().clone(),
        publish: made.publish.clone(),
        moves: made.moves.clone(),
        removes: made.removes.clone(),
    }
}

fn targets(batch: &[Made]) -> BTreeSet<RelPath> {
    let published = batch.iter().flat_map(|made| made.publish.iter().map(|p| &p.to));
    let moved = batch.iter().flat_map(|made| made.moves.iter().map(|m| &m.to));
    published.chain(moved).filter_map(RelPath::parent).collect()
}

/// Gives every product of a plan its name; takes them back if one cannot have it.
fn publish_all(disk: &dyn Disk, made: &Made) -> Result<(), CommitError> {
    let still = made.moves.iter().map(|m| (&m.from, m.seen)).chain(made.removes.iter().map(|r| (&r.path, r.seen)));
    for (path, seen) in still {
        if let Err(error) = unchanged(disk, path, seen) {
            discard(disk, &made.publish);
            return Err(error);
        }
    }
    for (n, product) in made.publish.iter().enumerate() {
        if let Err(error) = publish(disk, product) {
            take_back(disk, &made.publish[..n]);
            discard(disk, &made.publish[n..]);
            return Err(error);
        }
    }
    Ok(())
}

fn unchanged(disk: &dyn Disk, path: &RelPath, seen: Identity) -> Result<(), CommitError> {
    match disk.look(path)? {
        Some(entry) if entry.identity == seen => Ok(()),
        _ => Err(CommitError::Changed(path.clone())),
    }
}

pub(super) fn publish(disk: &dyn Disk, product: &Publish) -> Result<(), CommitError> {
    match &product.mode {
        PublishMode::New => match disk.place(&product.scratch, &product.to) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(CommitError::Taken(product.to.clone()))
            }
            other => Ok(other?),
        },
        PublishMode::Replace { was } => {
            let found = match disk.look(&product.to)? {
                Some(_) => Some(disk.hash(&product.to)?),
                None => None,
            };
            if was.is_none() && found.is_none() {
                return match disk.place(&product.scratch, &product.to) {
                    Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                        Err(CommitError::Changed(product.to.clone()))
                    }
                    other => Ok(other?),
                };
            }
            if found != *was && found.as_ref() != Some(&product.hash) {
                return Err(CommitError::Changed(product.to.clone()));
            }
            Ok(disk.replace(&product.scratch, &product.to)?)
        }
    }
}

/// Removes new names that were given in vain; a replaced record keeps its new version, which is whole.
fn take_back(disk: &dyn Disk, published: &[Publish]) {
    for product in published.iter().filter(|product| product.mode == PublishMode::New) {
        let _ = disk.remove(&product.to);
    }
}

/// Lets the sources go: everything else of the plan is durable.
fn leave(disk: &dyn Disk, made: &Made) -> Result<(), CommitError> {
    for (n, shift) in made.moves.iter().enumerate() {
        let moved = unchanged(disk, &shift.from, shift.seen).and_then(|()| match disk.place(&shift.from, &shift.to) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(CommitError::Taken(shift.to.clone()))
            }
            other => Ok(other?),
        });
        if let Err(error) = moved {
            for back in made.moves[..n].iter().rev() {
                disk.place(&back.to, &back.from)?;
            }
            take_back(disk, &made.publish);
            return Err(error);
        }
    }
    for gone in &made.removes {
        // The product stands. A source that changed meanwhile is a new asset and stays.
        if unchanged(disk, &gone.path, gone.seen).is_ok() {
            disk.remove(&gone.path)?;
        }
    }
    Ok(())
}

fn left_names(made: &Made) -> Vec<RelPath> {
    let moved = made.moves.iter().flat_map(|m| [m.to.clone(), m.from.clone()]);
    moved.chain(made.removes.iter().map(|r| r.path.clone())).collect()
}

/// Makes the folders of the plans that stand so far durable, each once; a folder that cannot be
/// made durable fails the plans that rely on it.
fn settle_names(
    disk: &dyn Disk,
    batch: &[Made],
    results: &mut [Result<(), CommitError>],
    names: impl Fn(&Made) -> Vec<RelPath>,
) {
    let folders = |made: &Made| names(made).iter().filter_map(RelPath::parent).collect::<BTreeSet<_>>();
    let standing = batch.iter().zip(results.iter()).filter(|(_, result)| result.is_ok());
    let all: BTreeSet<RelPath> = standing.flat_map(|(made, _)| folders(made)).collect();
    for folder in all {
        let Err(error) = disk.sync_folder(&folder) else { continue };
        for (made, result) in batch.iter().zip(results.iter_mut()) {
            if result.is_ok() && folders(made).contains(&folder) {
                let source = std::io::Error::from(error.kind());
                *result = Err(DiskError { call: error.call, path: error.path.clone(), source }.into());
            }
        }
    }
}
