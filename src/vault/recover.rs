use super::commit::publish;
use super::disk::{Disk, DiskResult};
use super::journal::{Journal, open_intents};
use super::scratch::sweep;
use crate::model::{ContentHash, Identity, RelPath};
use crate::records::{Intent, Publish, PublishMode, Record, Remove};

/// What recovery did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Plans that were finished.
    pub finished: Vec<u64>,
    /// Plans that were taken back; their sources are planned anew.
    pub taken_back: Vec<u64>,
    /// Unfinished products that were swept from scratch.
    pub swept: usize,
}

/// Finishes or takes back every plan that was begun, then empties scratch. Doing it twice, or being
/// cut in the middle of it, is the same as doing it once.
pub fn recover(disk: &dyn Disk, journal: &mut Journal, records: &[Record], areas: &[RelPath]) -> DiskResult<Recovered> {
    let mut recovered = Recovered::default();
    for intent in open_intents(records) {
        let record = if can_finish(disk, &intent)? {
            finish(disk, &intent)?;
            recovered.finished.push(intent.plan);
            Record::Done { plan: intent.plan }
        } else {
            take_back(disk, &intent)?;
            recovered.taken_back.push(intent.plan);
            Record::Undone { plan: intent.plan, why: "it was cut off before its products were complete".to_owned() }
        };
        journal.append(disk, &[record])?;
    }
    // Scratch may only go once it is on record that nobody needs it.
    journal.sync(disk)?;
    recovered.swept = sweep(disk, areas)?;
    Ok(recovered)
}

/// A plan goes forward once a source has left, or while all of its products are whole and its sources
/// are as they were. Otherwise no source has left, and it can be taken back.
fn can_finish(disk: &dyn Disk, intent: &Intent) -> DiskResult<bool> {
    match sources(disk, intent)? {
        Sources::Left => return Ok(true),
        // Sources leave after all products stand: until then nothing relies on them.
        Sources::Changed if intent.moves.is_empty() => return all_stand(disk, intent),
        Sources::Changed => return Ok(false),
        Sources::AsSeen => (),
    }
    for product in &intent.publish {
        if !is_there(disk, &product.to, &product.hash)? && !is_there(disk, &product.scratch, &product.hash)? {
            return Ok(false);
        }
    }
    for shift in &intent.moves {
        if disk.look(&shift.to)?.is_some_and(|entry| !is_same(entry.identity, shift.seen)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn all_stand(disk: &dyn Disk, intent: &Intent) -> DiskResult<bool> {
    for product in &intent.publish {
        if !is_there(disk, &product.to, &product.hash)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What became of the files that a plan takes away.
enum Sources {
    /// All stand as they were seen.
    AsSeen,
    /// One has other bytes: a cut tore what was never flushed, or somebody wrote.
    Changed,
    /// One is gone, or stands where the plan moves it: the plan had come to its last part.
    Left,
}

fn sources(disk: &dyn Disk, intent: &Intent) -> DiskResult<Sources> {
    for shift in &intent.moves {
        if disk.look(&shift.to)?.is_some_and(|entry| is_same(entry.identity, shift.seen))
            && disk.look(&shift.from)?.is_none_or(|entry| !is_same(entry.identity, shift.seen))
        {
            return Ok(Sources::Left);
        }
    }
    let moved = intent.moves.iter().map(|shift| (&shift.from, shift.seen));
    let removed = intent.removes.iter().map(|gone| (&gone.path, gone.seen));
    let mut outcome = Sources::AsSeen;
    for (path, seen) in moved.chain(removed) {
        match disk.look(path)? {
            Some(entry) if is_same(entry.identity, seen) => (),
            Some(_) => outcome = Sources::Changed,
            None => return Ok(Sources::Left),
        }
    }
    Ok(outcome)
}

/// Returns whether a file is the one that was seen. A device may have another number after a restart.
fn is_same(found: Identity, seen: Identity) -> bool {
    (found.inode, found.size, found.modified_ns) == (seen.inode, seen.size, seen.modified_ns)
}

fn is_there(disk: &dyn Disk, path: &RelPath, hash: &ContentHash) -> DiskResult<bool> {
    Ok(disk.look(path)?.is_some() && disk.hash(path)? == *hash)
}

/// Carries out what is left of a plan.
fn finish(disk: &dyn Disk, intent: &Intent) -> DiskResult<()> {
    for product in &intent.publish {
        finish_product(disk, product, intent.plan)?;
    }
    sync_parents(disk, intent.publish.iter().map(|product| &product.to))?;
    for shift in &intent.moves {
        match (disk.look(&shift.from)?, disk.look(&shift.to)?) {
            (Some(from), None) if is_same(from.identity, shift.seen) => {
                disk.sync_file(&shift.from)?;
                disk.place(&shift.from, &shift.to)?;
            }
            // A file system that links and unlinks instead of renaming was cut between the two.
            (Some(from), Some(to)) if from.identity == to.identity => disk.remove(&shift.from)?,
            _ => (),
        }
    }
    for Remove { path, seen } in &intent.removes {
        if disk.look(path)?.is_some_and(|entry| is_same(entry.identity, *seen)) {
            disk.remove(path)?;
        }
    }
    let left = intent.moves.iter().flat_map(|m| [&m.to, &m.from]).chain(intent.removes.iter().map(|r| &r.path));
    sync_parents(disk, left)
}

fn finish_product(disk: &dyn Disk, product: &Publish, plan: u64) -> DiskResult<()> {
    if !is_there(disk, &product.scratch, &product.hash)? {
        // It has its name already, or a person took it further: nothing is left to do.
        return Ok(());
    }
    if is_there(disk, &product.to, &product.hash)? {
        return disk.remove(&product.scratch);
    }
    disk.sync_file(&product.scratch)?;
    match publish(disk, product) {
        Ok(()) => Ok(()),
        Err(super::CommitError::Disk(error)) => Err(error),
        // Somebody took the name between the cut and now. The product may be the only copy: it stays, beside.
        Err(_) => disk.place(&product.scratch, &product.to.with_suffix(&format!(".recovered-{plan}"))),
    }
}

/// Removes what a plan that cannot be finished has left; its source was never touched.
fn take_back(disk: &dyn Disk, intent: &Intent) -> DiskResult<()> {
    for product in intent.publish.iter().filter(|product| product.mode == PublishMode::New) {
        if is_there(disk, &product.to, &product.hash)? {
            disk.remove(&product.to)?;
        }
    }
    sync_parents(disk, intent.publish.iter().map(|product| &product.to))
}

fn sync_parents<'a>(disk: &dyn Disk, paths: impl Iterator<Item = &'a RelPath>) -> DiskResult<()> {
    let folders: std::collections::BTreeSet<RelPath> = paths.filter_map(RelPath::parent).collect();
    for folder in folders {
        if disk.look(&folder)?.is_some() {
            disk.sync_folder(&folder)?;
        }
    }
    Ok(())
}
