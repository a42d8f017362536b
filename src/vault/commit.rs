use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use jiff::Timestamp;

use super::disk::{Disk, DiskError, DiskResult, Look};
use super::draft::{Made, discard};
use super::folders::ensure_folder;
use super::journal::Journal;
use super::no_replace::place;
use super::outcome::{Carried, CommitError, Receipt};
use super::publish::{publish, take_back};
use super::second_look::Aside;
use super::sources::{give_back, take_away};
use super::volume::Vault;
use crate::model::{Identity, RelPath};
use crate::records::{Intent, Move, Publish, Record};

/// From this many files on, one flush of the whole file system is cheaper than one for each file.
const SYNC_ALL_FROM: usize = 8;

/// Why a batch cannot be carried out as a whole; no file of it has a name yet.
enum Unprepared {
    /// The journal refused, or a flush of everything: nobody knows what is durable.
    All(DiskError),
    /// The folders or files of these plans were refused, by their positions in the batch; the others may go on.
    Some(BTreeMap<usize, DiskError>),
}

impl Vault {
    /// Carries out a batch so that a power cut at any instant leaves each plan wholly done or wholly
    /// redoable. One bad plan does not stop its neighbours.
    ///
    /// The order: intents and products durable; names given; folders durable; sources away; folders
    /// durable; done. A source leaves last.
    pub fn commit(&self, journal: &mut Journal, batch: Vec<Made>, now: Timestamp) -> Vec<Result<Receipt, CommitError>> {
        if batch.is_empty() {
            return Vec::new();
        }
        let disk = self.writer();
        match self.prepare(journal, &batch, now) {
            Ok(()) => (),
            Err(Unprepared::All(error)) => return give_up(disk, journal, &batch, &error),
            Err(Unprepared::Some(refused)) => return self.commit_rest(journal, batch, refused, now),
        }
        let mut results: Vec<Carried> = batch.iter().map(|made| self.publish_all(made)).collect();
        for (made, error) in settle_names(disk, &batch, &mut results, given_names) {
            // Nobody knows which names the disk holds. No source has left: the plan is made anew.
            results[made] = Err(withdrawn(disk, &batch[made], &batch[made].publish, error.into()));
        }
        for (made, result) in batch.iter().zip(&mut results) {
            if result.is_ok() {
                *result = self.leave(made);
            }
        }
        for (made, error) in settle_names(disk, &batch, &mut results, left_names) {
            results[made] = Err(CommitError::Open(error));
        }
        self.conclude(journal, batch, results, now)
    }

    /// Refuses some plans of a batch of which no file has a name yet, and carries out the others.
    fn commit_rest(
        &self,
        journal: &mut Journal,
        batch: Vec<Made>,
        mut refused: BTreeMap<usize, DiskError>,
        now: Timestamp,
    ) -> Vec<Result<Receipt, CommitError>> {
        let (mut rest, mut results) = (Vec::new(), Vec::with_capacity(batch.len()));
        for (n, made) in batch.into_iter().enumerate() {
            if let Some(error) = refused.remove(&n) {
                results.push(give_up(self.writer(), journal, &[made], &error).pop());
            } else {
                rest.push(made);
                results.push(None);
            }
        }
        let rest = self.commit(journal, rest, now);
        let mut rest = rest.into_iter();
        results.into_iter().filter_map(|refused| refused.or_else(|| rest.next())).collect()
    }

    fn conclude(
        &self,
        journal: &mut Journal,
        batch: Vec<Made>,
        results: Vec<Carried>,
        now: Timestamp,
    ) -> Vec<Result<Receipt, CommitError>> {
        let records: Vec<Record> = batch
            .iter()
            .zip(&results)
            .filter_map(|(made, result)| match result {
                Ok(()) => Some(Record::Done { plan: made.plan }),
                // The plan stays open for recovery.
                Err(CommitError::Open(_)) => None,
                Err(error) => Some(undone(made.plan, error)),
            })
            .collect();
        // What is not on record is not reported: recovery finds everything in place, and says it then. Nor is it
        // made anew while its intent is on record: recovery would take the new plan's work for the old one's.
        let unsaid = journal.append(self.writer(), &records).err();
        batch
            .into_iter()
            .zip(results)
            .map(|(made, result)| match (result, &unsaid) {
                (_, Some(error)) => Err(CommitError::Open(error.again())),
                (result, _) => {
                    let about = made.about.expect("a finished draft says it");
                    let asides = Aside::of(&about, &made.publish, &made.removes, now);
                    result.map(|()| Receipt { plan: made.plan, about, publish: made.publish, asides })
                }
            })
            .collect()
    }

    /// Makes the intents and everything that they rely on durable.
    fn prepare(&self, journal: &mut Journal, batch: &[Made], now: Timestamp) -> Result<(), Unprepared> {
        let disk = self.writer();
        let mut refused = BTreeMap::new();
        for (folder, plans) in targets(batch) {
            if let Err(error) = ensure_folder(disk, &folder) {
                refused.extend(plans.into_iter().map(|n| (n, error.again())));
            }
        }
        if !refused.is_empty() {
            return Err(Unprepared::Some(refused));
        }
        let intents: Vec<Record> = batch.iter().map(|made| Record::Intent(intent(made, now))).collect();
        journal.append(disk, &intents).map_err(Unprepared::All)?;
        let mut files: Vec<(usize, &RelPath)> = Vec::new();
        for (n, made) in batch.iter().enumerate() {
            files.extend(made.publish.iter().map(|product| (n, &product.scratch)));
            // The program that dropped a file may never have flushed it: what we promise must survive a power cut.
            files.extend(made.moves.iter().map(|shift| (n, &shift.from)));
        }
        let by_one_flush = files.len() >= SYNC_ALL_FROM;
        let mut homes = BTreeMap::new();
        for (n, file) in files {
            let flushed = match by_one_flush.then(|| self.is_flushed_with_home(file, &mut homes)) {
                Some(Ok(true)) => Ok(()),
                Some(Err(error)) => Err(error),
                Some(Ok(false)) | None => disk.sync_file(file),
            };
            if let Err(error) = flushed {
                refused.entry(n).or_insert(error);
            }
        }
        if !refused.is_empty() {
            return Err(Unprepared::Some(refused));
        }
        if by_one_flush { journal.sync_all(disk) } else { journal.sync(disk) }.map_err(Unprepared::All)
    }

    /// Returns whether a file lies on the journal's file system; `homes` remembers it for each folder.
    fn is_flushed_with_home(&self, file: &RelPath, homes: &mut BTreeMap<RelPath, bool>) -> DiskResult<bool> {
        let Some(folder) = file.parent() else { return Ok(true) };
        if let Some(known) = homes.get(&folder) {
            return Ok(*known);
        }
        let is_home = self.is_home(&folder)?;
        homes.insert(folder, is_home);
        Ok(is_home)
    }

    /// Gives every product of a plan its name; takes them back if one cannot have it.
    fn publish_all(&self, made: &Made) -> Carried {
        let disk = self.writer();
        let still = made.moves.iter().map(|m| (&m.from, m.seen)).chain(made.removes.iter().map(|r| (&r.path, r.seen)));
        for (path, seen) in still {
            unchanged(disk, path, seen).map_err(|error| withdrawn(disk, made, &[], error))?;
        }
        for (n, product) in made.publish.iter().enumerate() {
            let published = publish(disk, product);
            published.map_err(|error| withdrawn(disk, made, &made.publish[..n], error))?;
        }
        Ok(())
    }

    /// Takes the sources away: everything else of the plan is durable.
    fn leave(&self, made: &Made) -> Carried {
        let disk = self.writer();
        for (n, shift) in made.moves.iter().enumerate() {
            match self.move_away(shift) {
                Ok(()) => (),
                Err(CommitError::Open(error)) => return Err(CommitError::Open(error)),
                Err(error) => return Err(put_back(disk, made, n, 0, error)),
            }
        }
        for (n, gone) in made.removes.iter().enumerate() {
            if let Err(error) = take_away(disk, gone) {
                return Err(put_back(disk, made, made.moves.len(), n + 1, error.into()));
            }
        }
        Ok(())
    }

    fn move_away(&self, shift: &Move) -> Carried {
        let disk = self.writer();
        unchanged(disk, &shift.from, shift.seen)?;
        match place(disk, &shift.from, &shift.to) {
            Ok(()) => (),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(CommitError::Taken(shift.to.clone())),
            Err(error) => {
                if error.kind() == ErrorKind::CrossesDevices {
                    self.learn_crossing(&shift.from, &shift.to);
                }
                return Err(error.into());
            }
        }
        // Another file may have taken the name just before the move: then it goes back. Where that cannot be seen,
        // the plan stays open for recovery: the source may have left.
        if disk.stat(&shift.to).map_err(CommitError::Open)?.is_some_and(|entry| entry.identity == shift.seen) {
            return Ok(());
        }
        give_back(disk, &shift.to, &shift.from)?;
        Err(CommitError::Changed(shift.from.clone()))
    }
}

fn undone(plan: u64, why: &impl std::fmt::Display) -> Record {
    Record::Undone { plan, why: why.to_string() }
}

fn intent(made: &Made, now: Timestamp) -> Intent {
    Intent {
        plan: made.plan,
        at: now,
        claims: made.has_placeholders,
        about: made.about().clone(),
        publish: made.publish.clone(),
        moves: made.moves.clone(),
        removes: made.removes.clone(),
    }
}

/// Ends plans of which no file has a name yet: their products are thrown away.
fn give_up(
    disk: &dyn Disk,
    journal: &mut Journal,
    batch: &[Made],
    error: &DiskError,
) -> Vec<Result<Receipt, CommitError>> {
    let records: Vec<_> = batch.iter().map(|made| undone(made.plan, error)).collect();
    // An intent that stays on record must not meet a later plan for the same source: recovery ends it first.
    let is_said = journal.append(disk, &records).is_ok();
    batch.iter().for_each(|made| discard(disk, &made.publish));
    let refused = if is_said { CommitError::Refused } else { CommitError::Open };
    batch.iter().map(|_| Err(refused(error.again()))).collect()
}

/// Returns the folders that plans reach into, each with the places of those plans in the batch.
fn targets(batch: &[Made]) -> BTreeMap<RelPath, BTreeSet<usize>> {
    let mut targets: BTreeMap<RelPath, BTreeSet<usize>> = BTreeMap::new();
    for (n, made) in batch.iter().enumerate() {
        let published = made.publish.iter().map(|product| &product.to);
        let moved = made.moves.iter().map(|shift| &shift.to);
        for folder in published.chain(moved).filter_map(RelPath::parent) {
            targets.entry(folder).or_default().insert(n);
        }
    }
    targets
}

fn unchanged(disk: &dyn Look, path: &RelPath, seen: Identity) -> Carried {
    match disk.stat(path)? {
        Some(entry) if entry.identity == seen => Ok(()),
        _ => Err(CommitError::Changed(path.clone())),
    }
}

/// Takes back what a plan has published, and throws the rest away; says whether that was possible.
fn withdrawn(disk: &dyn Disk, made: &Made, published: &[Publish], error: CommitError) -> CommitError {
    let taken_back = take_back(disk, published);
    discard(disk, &made.publish[published.len()..]);
    left_open(taken_back, error)
}

/// Brings the sources of a plan that cannot go on back to where they stood.
fn put_back(disk: &dyn Disk, made: &Made, moved: usize, taken: usize, error: CommitError) -> CommitError {
    let back = || -> DiskResult<()> {
        for gone in made.removes[..taken].iter().rev() {
            let Some(aside) = &gone.aside else { continue };
            match (disk.stat(aside)?, disk.stat(&gone.path)?) {
                (Some(_), _) => place(disk, aside, &gone.path)?,
                // Never without its source: the product is all that is left, and recovery finishes the plan.
                (None, None) => {
                    return Err(DiskError {
                        call: "brought back",
                        path: gone.path.clone(),
                        source: ErrorKind::NotFound.into(),
                    });
                }
                (None, Some(_)) => (),
            }
        }
        made.moves[..moved].iter().rev().try_for_each(|shift| place(disk, &shift.to, &shift.from))
    };
    match back() {
        Ok(()) => withdrawn(disk, made, &made.publish, error),
        stuck => left_open(stuck, error),
    }
}

/// Returns what went wrong first; a plan that could not be taken back stays open.
fn left_open(taken_back: DiskResult<()>, error: CommitError) -> CommitError {
    match (taken_back, error) {
        (Ok(()), error) => error,
        (Err(_), CommitError::Refused(first)) | (Err(first), _) => CommitError::Open(first),
    }
}

fn given_names(made: &Made) -> Vec<RelPath> {
    made.publish.iter().map(|product| product.to.clone()).collect()
}

fn left_names(made: &Made) -> Vec<RelPath> {
    let moved = made.moves.iter().flat_map(|m| [m.to.clone(), m.from.clone()]);
    moved.chain(made.removes.iter().map(|r| r.path.clone())).collect()
}

/// Makes the folders of the plans that stand so far durable, each once. Returns the plans that rely on
/// a folder that could not be made durable.
fn settle_names(
    disk: &dyn Disk,
    batch: &[Made],
    results: &mut [Carried],
    names: fn(&Made) -> Vec<RelPath>,
) -> Vec<(usize, DiskError)> {
    let folders = |made: &Made| names(made).iter().filter_map(RelPath::parent).collect::<BTreeSet<_>>();
    let wanted: Vec<BTreeSet<RelPath>> = batch
        .iter()
        .zip(results.iter())
        .map(|(made, result)| if result.is_ok() { folders(made) } else { BTreeSet::new() })
        .collect();
    let all: BTreeSet<&RelPath> = wanted.iter().flatten().collect();
    let refused: Vec<(&RelPath, DiskError)> =
        all.into_iter().filter_map(|folder| Some((folder, disk.sync_folder(folder).err()?))).collect();
    let of = |folders: &BTreeSet<RelPath>| refused.iter().find(|(folder, _)| folders.contains(*folder));
    wanted.iter().enumerate().filter_map(|(n, folders)| Some((n, of(folders)?.1.again()))).collect()
}
