//! A second look at what was taken out of its place. A program that has the file open goes on writing to it where
//! it lies aside: it is not trusted to be the old version until its last writer has closed it.

use std::collections::HashMap;
use std::io::ErrorKind;

use jiff::Timestamp;

use super::disk::{Disk, DiskError, DiskResult, Entry, Look};
use super::no_replace::place;
use super::sources::give_back;
use super::trash::{replaced_aside, trashed};
use super::volume::Vault;
use crate::model::{ContentHash, Identity, RelPath};
use crate::records::{About, Intent, Plans, Publish, PublishMode, Record, Remove};

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
    /// A file that went, in the state in which it was seen, and the hash of its bytes if a plan told it. What was
    /// copied need not be kept.
    Removed { seen: Identity, hash: Option<ContentHash>, is_copied: bool },
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
    /// It is a copy of what was taken, with another time, and nobody knows which bytes that had: it stays aside.
    Unknown,
}

impl Aside {
    /// Returns what a plan took out of its place.
    pub(super) fn of(about: &About, publish: &[Publish], removes: &[Remove], at: Timestamp) -> Vec<Self> {
        let at_ns = i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX);
        let new = publish.iter().filter(|product| product.mode == PublishMode::New);
        let given: Vec<RelPath> = new.map(|product| product.to.clone()).collect();
        let removed = removes.iter().filter_map(|gone| {
            let hash = hash_of(gone, about, publish);
            let was = Was::Removed { seen: gone.seen, hash, is_copied: gone.copied_to.is_some() };
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
        let kept: HashMap<RelPath, Identity> =
            trashed(disk, areas).into_iter().map(|(path, entry)| (path, entry.identity)).collect();
        if kept.is_empty() {
            return Vec::new();
        }
        let mut left = Vec::new();
        // Which bytes stand under each name, by all that plans did.
        let mut given: HashMap<&RelPath, &ContentHash> = HashMap::new();
        for intent in Plans::of(records).done {
            let asides = Self::of_intent(intent).into_iter();
            let unsure =
                asides.filter(|aside| kept.get(&aside.kept).is_some_and(|found| aside.may_have_changed(*found)));
            left.extend(unsure.map(|aside| aside.known_by(&given)));
            for gone in &intent.removes {
                given.remove(&gone.path);
            }
            let moved: Vec<_> =
                intent.moves.iter().filter_map(|shift| Some((&shift.to, given.remove(&shift.from)?))).collect();
            given.extend(moved.into_iter().chain(intent.publish.iter().map(|product| (&product.to, &product.hash))));
        }
        left.sort_by(|a, b| a.kept.cmp(&b.kept));
        left
    }

    /// Returns what a plan took out of its place that was begun earlier. Nobody knows any more whether a copy
    /// is whole: its source is kept as long as all that lies aside.
    pub fn of_intent(intent: &Intent) -> Vec<Self> {
        let mut asides = Self::of(&intent.about, &intent.publish, &intent.removes, intent.at);
        for aside in &mut asides {
            if let Was::Removed { is_copied, .. } = &mut aside.was {
                *is_copied = false;
            }
        }
        asides
    }

    /// Returns it with the hash of the bytes that a plan gave its name, if its own plan does not tell it.
    fn known_by(mut self, given: &HashMap<&RelPath, &ContentHash>) -> Self {
        if let Was::Removed { hash: hash @ None, .. } = &mut self.was {
            *hash = given.get(&self.place).map(|hash| (*hash).clone());
        }
        self
    }

    /// A mill that is copied, restored or moved to another disk has other inodes, and nobody wrote for that.
    fn may_have_changed(&self, found: Identity) -> bool {
        match &self.was {
            Was::Removed { seen, .. } => (found.size, found.modified_ns) != (seen.size, seen.modified_ns),
            Was::Replaced { at_ns, .. } => found.modified_ns > at_ns.saturating_sub(CLOCK_GRAIN_NS),
        }
    }

    /// Ends the watch over the file, once nobody writes to it any more: brings it back if somebody wrote after it
    /// was taken, and removes a source of which there is a copy. It comes back to where `home` says that its name may
    /// be given now.
    pub fn end(&self, vault: &Vault, home: &dyn Fn(&RelPath) -> DiskResult<RelPath>) -> DiskResult<SecondLook> {
        let disk = vault.writer();
        let Some(found) = disk.stat(&self.kept)? else { return Ok(SecondLook::Unchanged) };
        if self.may_have_changed(found.identity) {
            let hash = disk.hash(&self.kept)?;
            match &self.was {
                Was::Removed { hash: known, .. } if known.as_ref() == Some(&hash) => (),
                Was::Removed { seen, .. } => {
                    if let Some(other) = self.as_product(disk, &found)? {
                        return Ok(other);
                    }
                    if found.identity.inode != seen.inode {
                        return Ok(SecondLook::Unknown);
                    }
                    return self.give_back(disk, &home(&self.place)?).map(SecondLook::BroughtBack);
                }
                // If ours lies aside, theirs was brought back before.
                Was::Replaced { was, now, .. } if hash != *was && hash != *now => {
                    return self.bring_back(disk, now, &home(&self.place)?).map(SecondLook::BroughtBack);
                }
                Was::Replaced { .. } => (),
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

    /// Puts the version that somebody wrote into the place of ours, which goes aside; where ours must stay, it gets a
    /// name at `home`.
    fn bring_back(&self, disk: &dyn Disk, ours: &ContentHash, home: &RelPath) -> DiskResult<RelPath> {
        let is_ours = || Ok(disk.stat(&self.place)?.is_some() && disk.hash(&self.place)? == *ours);
        if *home != self.place || !is_ours()? {
            return self.give_back(disk, home);
        }
        match disk.exchange(&self.kept, &self.place) {
            Ok(()) => (),
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                place(disk, &self.place, &self.kept.with_suffix("-ours"))?;
                return self.give_back(disk, home);
            }
            Err(error) => return Err(error),
        }
        if disk.hash(&self.kept)? == *ours {
            self.settle(disk, &self.place)?;
            return Ok(self.place.clone());
        }
        // Somebody saved in the last instant: that is the newest version, and keeps the name.
        disk.exchange(&self.kept, &self.place)?;
        self.give_back(disk, home)
    }

    fn give_back(&self, disk: &dyn Disk, home: &RelPath) -> DiskResult<RelPath> {
        disk.sync_file(&self.kept)?;
        let name = give_back(disk, &self.kept, home)?;
        self.settle(disk, &name)?;
        Ok(name)
    }

    fn settle(&self, disk: &dyn Disk, name: &RelPath) -> DiskResult<()> {
        [name, &self.kept].into_iter().filter_map(RelPath::parent).try_for_each(|folder| disk.sync_folder(&folder))
    }
}

/// Returns the hash of a file that goes, as its own plan tells it: of its copy, or of the file that the plan was made for.
fn hash_of(gone: &Remove, about: &About, publish: &[Publish]) -> Option<ContentHash> {
    let copy = gone.copied_to.as_ref().and_then(|copy| publish.iter().find(|product| product.to == *copy));
    // What is taken back was made for another file than it is taken from.
    let is_source = about.undoes.is_none() && about.from.as_ref() == Some(&gone.path);
    copy.map(|copy| &copy.hash).or(about.hash.as_ref().filter(|_| is_source)).cloned()
}

/// Returns the answer for a record that somebody has open: the disk may be asked again.
pub(super) fn in_use(path: &RelPath) -> DiskError {
    DiskError { call: "replaced", path: path.clone(), source: ErrorKind::ResourceBusy.into() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test plays the person who copies a mill")]

    use std::fs;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::Stage;
    use crate::vault::{Layout, RealDisk};

    const TAKEN: &str = "a picture";
    const OTHER: &str = "b picture";
    const KEPT: &str = ".stockmill/trash/7-0";

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn intent(plan: u64, about: About) -> Intent {
        let at = Timestamp::UNIX_EPOCH;
        Intent { plan, at, claims: false, about, publish: Vec::new(), moves: Vec::new(), removes: Vec::new() }
    }

    /// Returns a journal in which a file is made, moved on and taken back by plan 7.
    fn journal(place: &RelPath, seen: Identity) -> Vec<Record> {
        let (made, hash) = (path("keep/t/a.png"), ContentHash::of(TAKEN.as_bytes()));
        let mut first = intent(3, About::new(Stage::Keep, "made"));
        first.publish = vec![Publish { scratch: path("s/3-0"), to: made.clone(), hash, mode: PublishMode::New }];
        let mut onward = intent(4, About::new(Stage::Keep, "moved"));
        onward.moves = vec![crate::records::Move { from: made.clone(), to: place.clone(), seen }];
        // The hash of a step that is taken back is that of its source.
        let (hash, from) = (Some(ContentHash::of(OTHER.as_bytes())), Some(place.clone()));
        let mut back = intent(7, About { hash, from, undoes: Some(3), ..About::new(Stage::Keep, "undone") });
        back.removes = vec![Remove { path: place.clone(), seen, aside: Some(path(KEPT)), copied_to: None }];
        let plans = [first, onward, back].into_iter();
        plans.flat_map(|intent| [Record::Intent(intent.clone()), Record::Done { plan: intent.plan }]).collect()
    }

    /// A mill that was copied brought back all that lay in its trash, for its inodes were others.
    #[test]
    fn a_copy_brings_nothing_back_and_what_somebody_wrote_comes_where_it_may() {
        use SecondLook::{BroughtBack, Unchanged, Unknown};
        let (place, beside) = (path("upload/d/m/files/a.jpg"), path("upload/d/a.jpg"));
        // (is it a copy, with the same time, what it says, does the journal know what it said, where it may come back;
        // what becomes of it, if anything)
        let rows = [
            (false, true, TAKEN, true, &place, None),
            (true, true, TAKEN, true, &place, None),
            (true, true, TAKEN, false, &place, None),
            (true, false, TAKEN, true, &place, Some(Unchanged)),
            (false, false, TAKEN, true, &place, Some(Unchanged)),
            (true, false, TAKEN, false, &place, Some(Unknown)),
            (true, false, OTHER, true, &place, Some(Unknown)),
            (true, false, OTHER, false, &place, Some(Unknown)),
            (false, false, OTHER, true, &place, Some(BroughtBack(place.clone()))),
            (false, false, OTHER, false, &place, Some(BroughtBack(place.clone()))),
            (false, false, OTHER, true, &beside, Some(BroughtBack(beside.clone()))),
        ];
        for (n, (is_copy, has_time, text, is_known, home, expected)) in rows.into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::create_dir_all(at("upload/d/m/files")).unwrap();
            fs::create_dir_all(at(".stockmill/trash")).unwrap();
            fs::write(at(KEPT), TAKEN).unwrap();
            let disk = RealDisk::open(Layout { root: folder.path().to_owned(), areas: [].into() }).unwrap();
            let vault = Vault::new(Arc::new(disk), &[]).unwrap();
            let seen = vault.disk().stat(&path(KEPT)).unwrap().unwrap().identity;
            let time = fs::metadata(at(KEPT)).unwrap().modified().unwrap();
            if is_copy {
                fs::write(at("copy"), text).unwrap();
                fs::rename(at("copy"), at(KEPT)).unwrap();
            } else {
                fs::write(at(KEPT), text).unwrap();
            }
            let now = if has_time { time } else { SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000) };
            fs::File::options().append(true).open(at(KEPT)).unwrap().set_modified(now).unwrap();
            let records = journal(&place, seen);
            let records = if is_known { &records[..] } else { &records[4..] };
            let left = Aside::left(vault.disk(), records, &[]);
            let ended: Vec<_> = left.iter().map(|aside| aside.end(&vault, &|_| Ok(home.clone())).unwrap()).collect();
            assert_eq!(ended, expected.iter().cloned().collect::<Vec<_>>(), "row {n}");
            let is_back = matches!(expected, Some(BroughtBack(_)));
            assert_eq!((at(&home.to_string()).exists(), at(KEPT).exists()), (is_back, !is_back), "row {n}");
            assert!(*home == place || !at(&place.to_string()).exists(), "row {n}");
        }
    }

    /// What an editor wrote into a record of a bundle that was sent meanwhile lies beside that.
    #[test]
    fn a_record_comes_back_where_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (place, beside) = (path("upload/d/m/m.csv"), path("upload/d/m.csv"));
        fs::create_dir_all(at("upload/d/m")).unwrap();
        fs::create_dir_all(at(".stockmill/trash")).unwrap();
        fs::write(at("upload/d/m/m.csv"), "ours").unwrap();
        fs::write(at(".stockmill/trash/7-0-was"), "saved").unwrap();
        let disk = RealDisk::open(Layout { root: folder.path().to_owned(), areas: [].into() }).unwrap();
        let vault = Vault::new(Arc::new(disk), &[]).unwrap();
        let mode = PublishMode::Replace { was: Some(ContentHash::of(b"was")) };
        let mut plan = intent(7, About::new(Stage::Upload, "written"));
        let hash = ContentHash::of(b"ours");
        plan.publish = vec![Publish { scratch: path(".stockmill/scratch/7-0"), to: place, hash, mode }];
        let [aside] = &Aside::of_intent(&plan)[..] else { panic!("one record was replaced") };
        let ended = aside.end(&vault, &|_| Ok(beside.clone())).unwrap();
        assert_eq!(ended, SecondLook::BroughtBack(beside));
        let text = |name: &str| fs::read_to_string(at(name)).unwrap();
        assert_eq!((text("upload/d/m/m.csv"), text("upload/d/m.csv")), ("ours".to_owned(), "saved".to_owned()));
    }
}
