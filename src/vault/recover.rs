use super::commit::publish;
use super::disk::{Disk, DiskResult};
use super::journal::{Journal, open_intents};
use super::scratch::sweep;
use crate::model::{ContentHash, RelPath};
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
        let record = if can_finish(disk, &intent)? && finish(disk, &intent)? {
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

/// A plan goes forward once a source has left, or while all of its products are whole.
fn can_finish(disk: &dyn Disk, intent: &Intent) -> DiskResult<bool> {
    if has_left(disk, intent)? {
        return Ok(true);
    }
    for product in &intent.publish {
        if !is_there(disk, &product.to, &product.hash)? && !is_there(disk, &product.scratch, &product.hash)? {
            return Ok(false);
        }
    }
    for shift in &intent.moves {
        let moved = disk.look(&shift.to)?;
        if moved.is_some_and(|entry| entry.identity != shift.seen) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn has_left(disk: &dyn Disk, intent: &Intent) -> DiskResult<bool> {
    let sources =
        intent.moves.iter().map(|m| (&m.from, m.seen)).chain(intent.removes.iter().map(|r| (&r.path, r.seen)));
    for (path, seen) in sources {
        if disk.look(path)?.is_none_or(|entry| entry.identity != seen) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_there(disk: &dyn Disk, path: &RelPath, hash: &ContentHash) -> DiskResult<bool> {
    Ok(disk.look(path)?.is_some() && disk.hash(path)? == *hash)
}

/// Carries out what is left of a plan; `false` if a name turns out to be taken by somebody else.
fn finish(disk: &dyn Disk, intent: &Intent) -> DiskResult<bool> {
    for product in &intent.publish {
        if !finish_product(disk, product)? {
            return Ok(false);
        }
    }
    sync_parents(disk, intent.publish.iter().map(|product| &product.to))?;
    for shift in &intent.moves {
        match (disk.look(&shift.from)?, disk.look(&shift.to)?) {
            (Some(from), None) if from.identity == shift.seen => {
                disk.sync_file(&shift.from)?;
                disk.place(&shift.from, &shift.to)?;
            }
            // A file system that links and unlinks instead of renaming was cut between the two.
            (Some(from), Some(to)) if from.identity == to.identity => disk.remove(&shift.from)?,
            _ => (),
        }
    }
    for Remove { path, seen } in &intent.removes {
        if disk.look(path)?.is_some_and(|entry| entry.identity == *seen) {
            disk.remove(path)?;
        }
    }
    let left = intent.moves.iter().flat_map(|m| [&m.to, &m.from]).chain(intent.removes.iter().map(|r| &r.path));
    sync_parents(disk, left)?;
    Ok(true)
}

fn finish_product(disk: &dyn Disk, product: &Publish) -> DiskResult<bool> {
    if !is_there(disk, &product.scratch, &product.hash)? {
        // It has its name already, or a person took it further: nothing is left to do.
        return Ok(true);
    }
    if is_there(disk, &product.to, &product.hash)? {
        disk.remove(&product.scratch)?;
        return Ok(true);
    }
    disk.sync_file(&product.scratch)?;
    match publish(disk, product) {
        Ok(()) => Ok(true),
        Err(super::CommitError::Disk(error)) => Err(error),
        Err(_) => Ok(false),
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
