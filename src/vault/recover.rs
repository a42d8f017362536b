use std::collections::HashSet;

use super::disk::{Disk, DiskResult, Look};
use super::journal::{Journal, open_intents};
use super::no_replace::{is_placeholder, place, remove_first_name};
use super::outcome::CommitError;
use super::own_names::home;
use super::publish::{publish, take_back};
use super::scratch::sweep;
use super::scratch_folder::sweep_programs;
use super::second_look::in_use;
use super::sources::{give_back, is_same, take_away};
use crate::model::{ContentHash, RelPath};
use crate::records::{Intent, Publish, PublishMode, Record};

/// What recovery did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recovered {
    /// Plans that were finished.
    pub finished: Vec<Intent>,
    /// Plans that were taken back; their sources are planned anew.
    pub taken_back: Vec<u64>,
    /// Plans that reach into an area which is not attached; they stay open until it is.
    pub waiting: Vec<Intent>,
    /// Plans that the disk refuses to finish or take back, each with its words; they stay open, too.
    pub refused: Vec<(Intent, String)>,
    /// Files of plans that were finished which are not where the plan puts them.
    pub strays: Vec<Stray>,
    /// Unfinished products that were swept from scratch.
    pub swept: usize,
    /// Products and folders of scratch that the disk refuses to sweep.
    pub unswept: usize,
}

impl Recovered {
    /// Returns whether the disk refused something that it may grant soon.
    pub fn is_refused(&self) -> bool {
        !self.refused.is_empty() || self.unswept > 0
    }
}

/// A file that is not where a plan that was finished puts it. Its source has left: somebody moved or changed it since,
/// or it is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// The plan.
    pub plan: u64,
    /// What the plan was made for, or the file's name before.
    pub from: Option<RelPath>,
    /// Where it should be.
    pub to: RelPath,
    /// Whether another file is there.
    pub is_other_there: bool,
    /// Where recovery has put it, since its name was taken.
    pub kept: Option<RelPath>,
}

/// Finishes or takes back every plan that was begun, then empties scratch. Doing it twice, or being
/// cut in the middle of it, is the same as doing it once. `areas` are those that are attached.
/// A plan whose files the disk refuses does not keep the others waiting; without the journal nothing goes on.
pub fn recover(disk: &dyn Disk, journal: &mut Journal, records: &[Record], areas: &[RelPath]) -> DiskResult<Recovered> {
    let mut recovered = Recovered::default();
    for intent in open_intents(records) {
        if !paths(&intent).all(|path| is_attached(path, areas)) {
            recovered.waiting.push(intent);
            continue;
        }
        match settle(disk, &intent) {
            Ok(record) => {
                journal.append(disk, std::slice::from_ref(&record))?;
                match record {
                    Record::Done { .. } => {
                        recovered.strays.extend(strays(disk, &intent, records)?);
                        recovered.finished.push(intent);
                    }
                    _ => recovered.taken_back.push(intent.plan),
                }
            }
            Err(error) => recovered.refused.push((intent, error.to_string())),
        }
    }
    // Scratch may only go once it is on record that nobody needs it.
    journal.sync(disk)?;
    let refused = recovered.refused.iter().map(|(intent, _)| intent);
    let needed: HashSet<&RelPath> = recovered.waiting.iter().chain(refused).flat_map(paths).collect();
    (recovered.swept, recovered.unswept) = sweep(disk, areas, &needed);
    recovered.unswept += sweep_programs(disk);
    Ok(recovered)
}

/// Finishes a plan or takes it back.
fn settle(disk: &dyn Disk, intent: &Intent) -> DiskResult<Record> {
    give_back_strangers(disk, intent)?;
    if can_finish(disk, intent)? {
        finish(disk, intent)?;
        return Ok(Record::Done { plan: intent.plan });
    }
    undo_all(disk, intent)?;
    Ok(Record::Undone { plan: intent.plan, why: "it was cut off before a source had left".to_owned() })
}

fn paths(intent: &Intent) -> impl Iterator<Item = &RelPath> {
    let published = intent.publish.iter().flat_map(|product| [&product.scratch, &product.to]);
    let moved = intent.moves.iter().flat_map(|shift| [&shift.from, &shift.to]);
    let removed = intent.removes.iter().flat_map(|gone| std::iter::once(&gone.path).chain(&gone.aside));
    published.chain(moved).chain(removed)
}

fn is_attached(path: &RelPath, areas: &[RelPath]) -> bool {
    path.area() == home().area() || areas.iter().any(|area| area.area() == path.area())
}

/// Gives back a version of a record that somebody saved in the very moment in which it was exchanged for
/// ours: it lies in scratch, is neither ours nor the one that we knew, and must not be swept.
fn give_back_strangers(disk: &dyn Disk, intent: &Intent) -> DiskResult<()> {
    for product in &intent.publish {
        let PublishMode::Replace { was: Some(was) } = &product.mode else { continue };
        let is_exchanged = disk.stat(&product.scratch)?.is_some() && is_there(disk, &product.to, &product.hash)?;
        if !is_exchanged {
            continue;
        }
        let found = disk.hash(&product.scratch)?;
        if found != *was && found != product.hash {
            give_back(disk, &product.scratch, &product.to)?;
        }
    }
    Ok(())
}

/// A plan goes forward once a source has left: from then on its products are the asset. Before that it
/// is taken back and made anew, since nobody can say whether what lies in scratch reached the disk.
fn can_finish(disk: &dyn Look, intent: &Intent) -> DiskResult<bool> {
    let has_sources = !intent.moves.is_empty() || !intent.removes.is_empty();
    match sources(disk, intent)? {
        Sources::Left => Ok(true),
        Sources::AsSeen if has_sources => Ok(false),
        // Sources leave after all products stand: until then nothing relies on them.
        Sources::AsSeen | Sources::Changed if intent.moves.is_empty() => all_stand(disk, intent),
        Sources::AsSeen | Sources::Changed => Ok(false),
    }
}

fn all_stand(disk: &dyn Look, intent: &Intent) -> DiskResult<bool> {
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

fn sources(disk: &dyn Look, intent: &Intent) -> DiskResult<Sources> {
    for shift in &intent.moves {
        if disk.stat(&shift.to)?.is_some_and(|entry| is_same(entry.identity, shift.seen))
            && disk.stat(&shift.from)?.is_none_or(|entry| !is_same(entry.identity, shift.seen))
        {
            return Ok(Sources::Left);
        }
    }
    let moved = intent.moves.iter().map(|shift| (&shift.from, shift.seen));
    let removed = intent.removes.iter().map(|gone| (&gone.path, gone.seen));
    let mut outcome = Sources::AsSeen;
    for (path, seen) in moved.chain(removed) {
        match disk.stat(path)? {
            Some(entry) if is_same(entry.identity, seen) => (),
            Some(_) => outcome = Sources::Changed,
            None => return Ok(Sources::Left),
        }
    }
    Ok(outcome)
}

fn is_there(disk: &dyn Look, path: &RelPath, hash: &ContentHash) -> DiskResult<bool> {
    Ok(disk.stat(path)?.is_some() && disk.hash(path)? == *hash)
}

/// Carries out what is left of a plan.
fn finish(disk: &dyn Disk, intent: &Intent) -> DiskResult<()> {
    remove_placeholders(disk, intent)?;
    for product in &intent.publish {
        finish_product(disk, product, intent.plan)?;
    }
    sync_parents(disk, intent.publish.iter().map(|product| &product.to))?;
    for shift in &intent.moves {
        match (disk.stat(&shift.from)?, disk.stat(&shift.to)?) {
            (Some(from), None) if is_same(from.identity, shift.seen) => {
                disk.sync_file(&shift.from)?;
                place(disk, &shift.from, &shift.to)?;
            }
            // A file system that links and unlinks instead of renaming was cut between the two.
            (Some(from), Some(to)) if from.identity == to.identity => {
                remove_first_name(disk, &shift.from, &shift.to)?;
            }
            _ => (),
        }
    }
    for gone in &intent.removes {
        // What was taken aside in the last instant, and was another file, goes back.
        if let Some(aside) = &gone.aside
            && disk.stat(aside)?.is_some_and(|entry| !is_same(entry.identity, gone.seen))
        {
            give_back(disk, aside, &gone.path)?;
            continue;
        }
        take_away(disk, gone)?;
    }
    // What was copied stays aside like everything else: its copy may not be there, and its writer may not be done.
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
        Err(CommitError::Refused(error) | CommitError::Open(error)) => Err(error),
        Err(CommitError::InUse(path)) => Err(in_use(&path)),
        // Somebody took the name after the program had ended. The product may be the only copy: it stays, beside.
        Err(_) => place(disk, &product.scratch, &kept_beside(&product.to, plan)),
    }
}

fn kept_beside(to: &RelPath, plan: u64) -> RelPath {
    to.with_suffix(&format!(".recovered-{plan}"))
}

/// Returns the files of a plan that was finished which are not where it puts them, unless a later plan took them
/// further. A record may be changed by anybody at any time.
fn strays(disk: &dyn Look, intent: &Intent, records: &[Record]) -> DiskResult<Vec<Stray>> {
    let mut strays = Vec::new();
    for product in intent.publish.iter().filter(|product| product.mode == PublishMode::New) {
        if !is_there(disk, &product.to, &product.hash)? && !is_taken_on(&product.to, intent.plan, records) {
            let beside = kept_beside(&product.to, intent.plan);
            let kept = is_there(disk, &beside, &product.hash)?.then_some(beside);
            let (plan, from, to) = (intent.plan, intent.about.from.clone(), product.to.clone());
            strays.push(Stray { plan, from, is_other_there: disk.stat(&to)?.is_some(), to, kept });
        }
    }
    for shift in &intent.moves {
        let found = disk.stat(&shift.to)?;
        let is_there = found.is_some_and(|entry| is_same(entry.identity, shift.seen));
        let has_left = disk.stat(&shift.from)?.is_none();
        if has_left && !is_there && !is_taken_on(&shift.to, intent.plan, records) {
            let (plan, from, to) = (intent.plan, Some(shift.from.clone()), shift.to.clone());
            strays.push(Stray { plan, from, to, is_other_there: found.is_some(), kept: None });
        }
    }
    Ok(strays)
}

/// Returns whether a plan that was begun later takes or replaces a file.
fn is_taken_on(path: &RelPath, plan: u64, records: &[Record]) -> bool {
    records.iter().any(|record| {
        let Record::Intent(later) = record else { return false };
        let is_replaced = |product: &Publish| product.to == *path && product.mode != PublishMode::New;
        later.plan > plan
            && (later.moves.iter().any(|shift| shift.from == *path)
                || later.removes.iter().any(|gone| gone.path == *path)
                || later.publish.iter().any(is_replaced))
    })
}

/// Removes what a plan that is not finished has left; its sources stand.
fn undo_all(disk: &dyn Disk, intent: &Intent) -> DiskResult<()> {
    remove_placeholders(disk, intent)?;
    for shift in &intent.moves {
        // A file system that links and unlinks instead of renaming was cut between the two.
        if let (Some(from), Some(to)) = (disk.stat(&shift.from)?, disk.stat(&shift.to)?)
            && from.identity == to.identity
        {
            disk.remove(&shift.to)?;
        }
    }
    for gone in &intent.removes {
        if let Some(aside) = &gone.aside
            && let (Some(there), Some(kept)) = (disk.stat(&gone.path)?, disk.stat(aside)?)
            && there.identity == kept.identity
        {
            disk.remove(aside)?;
        }
    }
    take_back(disk, &intent.publish)?;
    let moved = intent.moves.iter().map(|shift| &shift.to);
    sync_parents(disk, intent.publish.iter().map(|product| &product.to).chain(moved))
}

/// Removes the empty files that held names for this plan, on a disk that knows no better way.
fn remove_placeholders(disk: &dyn Disk, intent: &Intent) -> DiskResult<()> {
    if !intent.claims {
        return Ok(());
    }
    let nothing = ContentHash::of(b"");
    for product in intent.publish.iter().filter(|product| product.hash != nothing) {
        if is_placeholder(disk, &product.to)? {
            disk.remove(&product.to)?;
        }
    }
    let moved = intent.moves.iter().map(|shift| (&shift.from, &shift.to));
    let removed = intent.removes.iter().filter_map(|gone| Some((&gone.path, gone.aside.as_ref()?)));
    for (from, to) in moved.chain(removed) {
        if disk.stat(from)?.is_some_and(|entry| entry.identity.size > 0) && is_placeholder(disk, to)? {
            disk.remove(to)?;
        }
    }
    Ok(())
}

fn sync_parents<'a>(disk: &dyn Disk, paths: impl Iterator<Item = &'a RelPath>) -> DiskResult<()> {
    let folders: std::collections::BTreeSet<RelPath> = paths.filter_map(RelPath::parent).collect();
    for folder in folders {
        if disk.stat(&folder)?.is_some() {
            disk.sync_folder(&folder)?;
        }
    }
    Ok(())
}
