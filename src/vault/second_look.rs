//! A second look at what was taken out of its place. A program that has the file open goes on writing to it where
//! it lies aside: it is not trusted to be the old version until its last writer has closed it.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;

use jiff::Timestamp;

use super::disk::{Disk, DiskError, DiskResult, Entry, Look};
use super::no_replace::place;
use super::sources::{give_back, is_same};
use super::trash::{replaced_aside, trashed};
use super::volume::Vault;
use crate::model::{ContentHash, Identity, RelPath};
use crate::records::{Intent, Publish, PublishMode, Record, Remove};

/// What was changed this shortly before it was replaced may have been changed after that: times of files are coarse.
const CLOCK_GRAIN_NS: i64 = 2_000_000_000;

/// A file that a plan took out of its place and keeps aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Where it lies.
    pub kept: RelPath,
    /// The name that it had.
    pub place: RelPath,
    was: Was,
    /// The names that its plan gave: one of them may be the same file.
    given: Vec<RelPath>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Was {
    /// A file that went, in the state in which it was seen. What was copied need not be kept.
    Removed { seen: Identity, is_copied: bool },
    /// The version of a record that was read, the one that took its place, and when.
    Replaced { was: ContentHash, now: ContentHash, at_ns: i64 },
}

/// What became of a file that lies aside and that nobody writes to any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecondLook {
    /// It is as it was when it was taken.
    Unchanged,
    /// Somebody wrote on: it has a name again, its own if that was to be had.
    BroughtBack(RelPath),
    /// Somebody wrote into it under the name that its plan gave it, if that is still known.
    ChangedAs(Option<RelPath>),
}

impl Aside {
    /// Returns what a plan took out of its place.
    pub(super) fn of(publish: &[Publish], removes: &[Remove], at: Timestamp) -> Vec<Self> {
        let at_ns = i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX);
        let new = publish.iter().filter(|product| product.mode == PublishMode::New);
        let given: Vec<RelPath> = new.map(|product| product.to.clone()).collect();
        let removed = removes.iter().filter_map(|gone| {
            let was = Was::Removed { seen: gone.seen, is_copied: gone.copied_to.is_some() };
            Some(Self { kept: gone.aside.clone()?, place: gone.path.clone(), was, given: given.clone() })
        });
        let replaced = publish.iter().filter_map(|product| {
            let PublishMode::Replace { was: Some(was) } = &product.mode else { return None };
            let was = Was::Replaced { was: was.clone(), now: product.hash.clone(), at_ns };
            Some(Self { kept: replaced_aside(&product.scratch), place: product.to.clone(), was, given: Vec::new() })
        });
        removed.chain(replaced).collect()
    }

    /// Returns what lies aside since an earlier run of the program and may have been written to since.
    pub fn left(disk: &dyn Look, records: &[Record], areas: &[RelPath]) -> Vec<Self> {
        let mut intents: HashMap<u64, &Intent> = HashMap::new();
        let mut done = HashSet::new();
        for record in records {
            match record {
                Record::Intent(intent) => drop(intents.insert(intent.plan, intent)),
                Record::Done { plan } => drop(done.insert(*plan)),
                Record::Undone { .. } => (),
            }
        }
        let kept: HashMap<RelPath, Identity> =
            trashed(disk, areas).into_iter().map(|(path, entry)| (path, entry.identity)).collect();
        let done = intents.into_values().filter(|intent| done.contains(&intent.plan));
        let all = done.flat_map(Self::of_intent);
        let mut left: Vec<Self> =
            all.filter(|aside| kept.get(&aside.kept).is_some_and(|found| aside.may_have_changed(*found))).collect();
        left.sort_by(|a, b| a.kept.cmp(&b.kept));
        left
    }

    /// Returns what a plan took out of its place that was begun earlier. Nobody knows any more whether a copy
    /// is whole: its source is kept as long as all that lies aside.
    pub fn of_intent(intent: &Intent) -> Vec<Self> {
        let mut asides = Self::of(&intent.publish, &intent.removes, intent.at);
        for aside in &mut asides {
            if let Was::Removed { is_copied, .. } = &mut aside.was {
                *is_copied = false;
            }
        }
        asides
    }

    fn may_have_changed(&self, found: Identity) -> bool {
        match &self.was {
            Was::Removed { seen, .. } => !is_same(found, *seen),
            Was::Replaced { at_ns, .. } => found.modified_ns > at_ns.saturating_sub(CLOCK_GRAIN_NS),
        }
    }

    /// Ends the watch over the file, once nobody writes to it any more: brings it back if somebody wrote after it
    /// was taken, and removes a source of which there is a copy.
    pub fn end(&self, vault: &Vault) -> DiskResult<SecondLook> {
        let disk = vault.writer();
        let Some(found) = disk.stat(&self.kept)? else { return Ok(SecondLook::Unchanged) };
        match &self.was {
            _ if !self.may_have_changed(found.identity) => (),
            Was::Removed { .. } => {
                let other = self.as_product(disk, &found)?;
                return other.map_or_else(|| self.give_back(disk).map(SecondLook::BroughtBack), Ok);
            }
            Was::Replaced { was, now, .. } => {
                let hash = disk.hash(&self.kept)?;
                // If ours lies aside, theirs was brought back before.
                if hash != *was && hash != *now {
                    return self.bring_back(disk, now).map(SecondLook::BroughtBack);
                }
            }
        }
        if matches!(self.was, Was::Removed { is_copied: true, .. }) {
            disk.remove(&self.kept)?;
        }
        Ok(SecondLook::Unchanged)
    }

    /// Returns that somebody wrote into the file under a name that its plan gave it, if it has one: nothing is lost then.
    /// Where that name is gone, a person moved the file on under it, and brought back it would be there twice.
    fn as_product(&self, disk: &dyn Look, found: &Entry) -> DiskResult<Option<SecondLook>> {
        if found.links < 2 {
            return Ok(None);
        }
        let mut is_any_gone = false;
        for name in &self.given {
            match disk.stat(name)? {
                Some(entry) if entry.identity == found.identity => {
                    return Ok(Some(SecondLook::ChangedAs(Some(name.clone()))));
                }
                there => is_any_gone |= there.is_none(),
            }
        }
        Ok(is_any_gone.then_some(SecondLook::ChangedAs(None)))
    }

    /// Puts the version that somebody wrote into the place of ours, which goes aside.
    fn bring_back(&self, disk: &dyn Disk, ours: &ContentHash) -> DiskResult<RelPath> {
        let is_ours = disk.stat(&self.place)?.is_some() && disk.hash(&self.place)? == *ours;
        if !is_ours {
            return self.give_back(disk);
        }
        match disk.exchange(&self.kept, &self.place) {
            Ok(()) => (),
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                place(disk, &self.place, &self.kept.with_suffix("-ours"))?;
                return self.give_back(disk);
            }
            Err(error) => return Err(error),
        }
        if disk.hash(&self.kept)? == *ours {
            self.settle(disk, &self.place)?;
            return Ok(self.place.clone());
        }
        // Somebody saved in the last instant: that is the newest version, and keeps the name.
        disk.exchange(&self.kept, &self.place)?;
        self.give_back(disk)
    }

    fn give_back(&self, disk: &dyn Disk) -> DiskResult<RelPath> {
        disk.sync_file(&self.kept)?;
        let name = give_back(disk, &self.kept, &self.place)?;
        self.settle(disk, &name)?;
        Ok(name)
    }

    fn settle(&self, disk: &dyn Disk, name: &RelPath) -> DiskResult<()> {
        [name, &self.kept].into_iter().filter_map(RelPath::parent).try_for_each(|folder| disk.sync_folder(&folder))
    }
}

/// Returns the answer for a record that somebody has open: the disk may be asked again.
pub(super) fn in_use(path: &RelPath) -> DiskError {
    DiskError { call: "replaced", path: path.clone(), source: ErrorKind::ResourceBusy.into() }
}
