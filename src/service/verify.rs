//! Checks every receipt again: what the sidecars and the journal say must be on the disk, byte for byte.
//! It only looks, and may do so beside a daemon that is at work.

mod manifest;
mod parts;
mod receipts;
mod verified;

pub use verified::{MovedByHand, NotFromHere, Problem, Unmatched, Verified, Wrong};

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::decide::{Places, all_bundles};
use super::ledger::Ledger;
use super::{AREAS, Clock, ServiceError, layout};
use crate::config::Settings;
use crate::intake::walk;
use crate::model::{AssetId, ContentHash, RelPath};
use crate::plan::{BundleFolder, BundleName};
use crate::vault::{DiskResult, Entry, Journal, Layout, Lock, Look, RealDisk, What};
use manifest::compare_manifest;
use parts::compare_parts;
use receipts::{Expected, Receipts, is_a_persons_choice};

/// How long something may be on its way before it is called missing.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause before what seems to be wrong is looked at again.
const PAUSE: Duration = Duration::from_millis(50);

/// Checks every receipt of a root. What is on its way right now is looked at again.
pub fn verify(settings: &Settings) -> Result<Verified, ServiceError> {
    let layout = layout(settings);
    let disk = RealDisk::open_to_look(layout.clone());
    let mut verified = verify_receipts(&layout, &*disk)?;
    let places = Arc::new(Places::of(&Ledger::of(&Journal::read_only(&*disk)?)));
    for name in all_bundles(&*disk, &settings.upload.markets) {
        let compared = compare_manifest(&*disk, settings, &places, &name, &mut verified);
        if let Err(why) = compared.and_then(|()| compare_parts(&*disk, &name, &mut verified)) {
            let hint = "look at its rights, and at the disk".to_owned();
            verified.problems.push(Problem { file: name.folder(), wrong: Wrong::Unreadable, why, hint });
        }
    }
    Ok(verified)
}

fn verify_receipts(layout: &Layout, disk: &dyn Look) -> Result<Verified, ServiceError> {
    let is_running = || Lock::is_held(&layout.home());
    let clock = Clock::start();
    let mut hashes = Hashes::default();
    let mut before = Pass::at(disk, layout, &mut hashes)?;
    // A file is called missing only when two looks in a row agree and no plan has it in hand.
    while before.is_restless || before.verified.misses() || !before.verified.busy.is_empty() {
        std::thread::sleep(PAUSE);
        let mut now = Pass::at(disk, layout, &mut hashes)?;
        let is_same = now.verified.misses_the_same(&before.verified) && now.verified.busy.is_empty();
        let mut missed = now.verified.problems.iter().map(|problem| &problem.file).chain(&now.verified.gone);
        let is_in_hand = missed.any(|file| now.in_hand.contains(file));
        if is_same && !now.is_restless && !(is_in_hand && is_running()) {
            return Ok(now.judged(is_running()));
        }
        if clock.steady() > PATIENCE {
            now.verified.problems.retain(|problem| before.verified.problems.contains(problem));
            now.verified.gone.retain(|file| before.verified.gone.contains(file));
            return Ok(now.judged(is_running()));
        }
        before = now;
    }
    Ok(before.judged(is_running()))
}

/// What one look showed.
struct Looked {
    verified: Verified,
    /// Something went while it was looked at.
    is_restless: bool,
    /// What plans that are not done yet speak of.
    in_hand: BTreeSet<RelPath>,
    /// How many plans these are.
    open: usize,
}

impl Looked {
    /// Returns what it showed. Plans that nobody is at work on were stopped in the middle.
    fn judged(mut self, is_running: bool) -> Verified {
        if !is_running {
            self.verified.set_unfinished(self.open, &self.in_hand);
        }
        self.verified
    }
}

/// Hashes of files in the state in which they were read, so that no file is read twice.
type Hashes = HashMap<RelPath, (Entry, ContentHash)>;

/// How a file compares with its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    Same,
    Other,
    Missing,
    Busy,
}

/// One look at everything.
struct Pass<'a> {
    disk: &'a dyn Look,
    hashes: &'a mut Hashes,
    found: BTreeMap<RelPath, Entry>,
    /// Areas whose disk is not there: nothing is concluded from what is missing in them.
    detached: BTreeSet<RelPath>,
    /// Files that have a receipt, and their sizes.
    sizes: BTreeMap<RelPath, u64>,
    problems: BTreeMap<RelPath, Problem>,
    is_restless: bool,
    verified: Verified,
}

/// A file that does not stand where a receipt says.
struct Lost {
    file: RelPath,
    asset: Option<AssetId>,
    hash: Option<ContentHash>,
    why: String,
    hint: &'static str,
}

const DELETED: &str = "bring it back from a backup, unless you deleted it yourself";
const ORIGINAL: &str = "bring it back from a backup: nothing else holds these bytes";
const CHANGED: &str = "bring it back from a backup, unless you changed it yourself";

impl<'a> Pass<'a> {
    fn at(disk: &'a dyn Look, layout: &Layout, hashes: &'a mut Hashes) -> DiskResult<Looked> {
        // The journal comes first: what leaves after it was read is found by the next look.
        let expected = Expected::by(&Journal::read_only(disk)?);
        let mut look = Self {
            disk,
            hashes,
            found: BTreeMap::new(),
            detached: BTreeSet::new(),
            sizes: BTreeMap::new(),
            problems: BTreeMap::new(),
            is_restless: false,
            verified: Verified::default(),
        };
        look.walk_areas(layout)?;
        let receipts = Receipts::read(disk, look.found.keys());
        for (sidecar, why) in &receipts.unreadable {
            let hint = "mend it, or bring it back from a backup";
            look.complain(sidecar, Wrong::Unreadable, why.clone(), hint);
        }
        let mut lost = look.compare_sidecars(&receipts)?;
        lost.extend(look.compare_originals(&receipts)?);
        lost.extend(look.compare_journal(&expected)?);
        look.search(lost, &receipts, &expected);
        look.conclude(&receipts, &expected);
        let Expected { in_hand, open, .. } = expected;
        Ok(Looked { verified: look.verified, is_restless: look.is_restless, in_hand, open })
    }

    fn walk_areas(&mut self, layout: &Layout) -> DiskResult<()> {
        for area in AREAS {
            let area = RelPath::new(area).expect("an area is clean");
            if is_detached(self.disk, &area) {
                let why = format!("`{}` is not the folder that it was", layout.folder(area.area()).display());
                self.complain(&area, Wrong::Unreadable, why, "mount its disk, then verify again");
                self.detached.insert(area);
            } else if self.disk.stat(&area)?.is_some() {
                let walked = walk(self.disk, &area, &|_| true, &mut |_, _| ())?;
                self.found.extend(walked.files.into_iter().map(|found| (found.path, found.entry)));
                for odd in walked.unlisted {
                    self.complain(&odd.path, Wrong::Unreadable, odd.why, "give its owner's rights back");
                }
            }
        }
        Ok(())
    }

    fn complain(&mut self, file: &RelPath, wrong: Wrong, why: String, hint: &str) {
        let problem = Problem { file: file.clone(), wrong, why, hint: hint.to_owned() };
        self.problems.entry(file.clone()).or_insert(problem);
    }

    fn compare_sidecars(&mut self, receipts: &Receipts) -> DiskResult<Vec<Lost>> {
        let mut lost = Vec::new();
        for receipt in &receipts.all {
            let Some(hash) = &receipt.hash else { continue };
            let why = format!("by `{}`", receipt.sidecar);
            let is_archived = receipt.file.area() == "archive";
            let (changed, deleted) = if is_archived { (ORIGINAL, ORIGINAL) } else { (CHANGED, DELETED) };
            match self.compare(&receipt.file, &[hash])? {
                Compared::Other => self.complain(&receipt.file, Wrong::Changed, why, changed),
                // Its sidecar may have gone with it, a moment ago.
                Compared::Missing if !receipt.is_unchanged(self.disk) => self.is_restless = true,
                Compared::Missing => lost.push(Lost {
                    file: receipt.file.clone(),
                    asset: receipt.asset.clone(),
                    hash: Some(hash.clone()),
                    why,
                    hint: deleted,
                }),
                Compared::Same | Compared::Busy => (),
            }
        }
        Ok(lost)
    }

    fn compare_originals(&mut self, receipts: &Receipts) -> DiskResult<Vec<Lost>> {
        let mut lost = Vec::new();
        for (archived, original) in &receipts.originals {
            // What a person changed before it was archived has another hash than what was dropped: its
            // own sidecar knows.
            let own = receipts.hashes.get(archived);
            let accepted: Vec<&ContentHash> = std::iter::once(&original.hash).chain(own).collect();
            let why = format!("the original, by `{}`", original.sidecar);
            match self.compare(archived, &accepted)? {
                Compared::Other => self.complain(archived, Wrong::Changed, why, ORIGINAL),
                Compared::Missing => lost.push(Lost {
                    file: archived.clone(),
                    asset: None,
                    hash: Some(original.hash.clone()),
                    why,
                    hint: ORIGINAL,
                }),
                Compared::Same | Compared::Busy => (),
            }
        }
        Ok(lost)
    }

    fn compare_journal(&mut self, expected: &Expected) -> DiskResult<Vec<Lost>> {
        let mut lost = Vec::new();
        for (file, place) in &expected.places {
            if self.sizes.contains_key(file) || self.problems.contains_key(file) {
                continue;
            }
            let hashes: Vec<&ContentHash> = place.hash.iter().collect();
            let why = "by the journal".to_owned();
            match self.compare(file, &hashes)? {
                Compared::Other => self.complain(file, Wrong::Changed, why, CHANGED),
                Compared::Missing => lost.push(Lost {
                    file: file.clone(),
                    asset: Some(place.asset.clone()),
                    hash: place.hash.clone(),
                    why,
                    hint: DELETED,
                }),
                Compared::Same | Compared::Busy => (),
            }
        }
        Ok(lost)
    }

    /// Compares a file with the hashes that it may have; none means that it need only be there.
    fn compare(&mut self, file: &RelPath, accepted: &[&ContentHash]) -> DiskResult<Compared> {
        let area = RelPath::new(file.area()).expect("an area is clean");
        if self.detached.contains(&area) {
            return Ok(Compared::Same);
        }
        let Some(entry) = self.disk.stat(file)?.filter(|entry| entry.what == What::File) else {
            return Ok(Compared::Missing);
        };
        let hash = match self.hash(file, &entry) {
            Ok(Some(hash)) => hash,
            Ok(None) => {
                self.verified.busy.push(file.clone());
                return Ok(Compared::Busy);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Compared::Missing),
            Err(error) => {
                self.complain(file, Wrong::Unreadable, error.source.to_string(), "look at its rights, and at the disk");
                return Ok(Compared::Busy);
            }
        };
        self.sizes.insert(file.clone(), entry.identity.size);
        Ok(if accepted.is_empty() || accepted.contains(&&hash) { Compared::Same } else { Compared::Other })
    }

    /// Returns a file's hash; `None` if it changed while it was read.
    fn hash(&mut self, file: &RelPath, entry: &Entry) -> DiskResult<Option<ContentHash>> {
        if let Some((known, hash)) = self.hashes.get(file)
            && known == entry
        {
            return Ok(Some(hash.clone()));
        }
        let hash = self.disk.hash(file)?;
        if self.disk.stat(file)?.as_ref() != Some(entry) {
            return Ok(None);
        }
        self.hashes.insert(file.clone(), (*entry, hash.clone()));
        Ok(Some(hash))
    }

    /// Looks for lost files elsewhere: by a sidecar that went along, or by their bytes under a name that
    /// no receipt speaks of.
    fn search(&mut self, lost: Vec<Lost>, receipts: &Receipts, expected: &Expected) {
        if lost.is_empty() {
            return;
        }
        let strangers = self.strangers(receipts, expected);
        let mut gone = BTreeSet::new();
        for Lost { file, asset, hash, why, hint } in lost {
            let is_archived = file.area() == "archive";
            let same = asset.as_ref().and_then(|asset| receipts.files.get(asset)).into_iter().flatten();
            let along = same.filter(|other| (other.area() == "archive") == is_archived && **other != file);
            let is_put = |other: &RelPath| expected.places.contains_key(other) || expected.put.contains(other);
            let along = along.filter(|other| self.sizes.contains_key(other) && !is_put(other));
            // Of an asset in several bundles, what lies in the same one, which was moved whole, comes first.
            let along = along.min_by_key(|other| BundleName::of(other) != BundleName::of(&file));
            let to = along.or_else(|| strangers.get(hash.as_ref()?));
            match to {
                Some(to) => self.verified.moved.push(MovedByHand { from: file, to: to.clone() }),
                None if BundleFolder::is_file(&file) && self.has_original(asset.as_ref(), receipts) => {
                    self.verified.gone.push(file);
                }
                // The sidecar and the journal may both miss one asset, each under another name.
                None if is_a_persons_choice(&file) => {
                    if asset.is_none_or(|asset| gone.insert(asset)) {
                        self.verified.gone.push(file);
                    }
                }
                None => self.complain(&file, Wrong::Missing, why, hint),
            }
        }
    }

    /// Returns whether an asset's original lies in the archive with the bytes of its receipt: then what was made of it can
    /// be made again.
    fn has_original(&self, asset: Option<&AssetId>, receipts: &Receipts) -> bool {
        let files = asset.and_then(|asset| receipts.files.get(asset)).into_iter().flatten();
        let mut archived = files.filter(|file| file.area() == "archive").peekable();
        let is_whole = |file: &RelPath| self.sizes.contains_key(file) && !self.problems.contains_key(file);
        archived.peek().is_some() && archived.all(is_whole)
    }

    /// Returns the files that no receipt speaks of, by their bytes.
    fn strangers(&mut self, receipts: &Receipts, expected: &Expected) -> HashMap<ContentHash, RelPath> {
        let spoken_of: BTreeSet<&RelPath> = receipts
            .all
            .iter()
            .map(|r| &r.file)
            .chain(receipts.originals.keys())
            .chain(expected.places.keys())
            .collect();
        let others: Vec<(RelPath, Entry)> =
            self.found.iter().filter(|(path, _)| !spoken_of.contains(path)).map(|(p, e)| (p.clone(), *e)).collect();
        let mut strangers = HashMap::new();
        for (path, entry) in others {
            match self.hash(&path, &entry) {
                Ok(Some(hash)) => drop(strangers.entry(hash).or_insert(path)),
                Ok(None) => self.is_restless = true,
                // It went, or it cannot be read: then nothing is found in it.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.is_restless = true,
                Err(_) => (),
            }
        }
        strangers
    }

    fn conclude(&mut self, receipts: &Receipts, expected: &Expected) {
        let by_sidecar = receipts.all.iter().filter_map(|receipt| receipt.asset.as_ref());
        let assets: std::collections::HashSet<&AssetId> =
            by_sidecar.chain(expected.places.values().map(|place| &place.asset)).collect();
        let verified = &mut self.verified;
        verified.assets = assets.len();
        verified.files = self.sizes.len();
        verified.originals = receipts.originals.keys().filter(|path| self.sizes.contains_key(path)).count();
        verified.bytes = self.sizes.values().sum();
        verified.problems = std::mem::take(&mut self.problems).into_values().collect();
        verified.gone.sort();
        verified.gone.dedup();
        verified.moved.sort();
        verified.moved.dedup();
        verified.busy.sort();
        verified.busy.dedup();
    }
}

/// Returns whether an area's disk is not mounted.
pub(super) fn is_detached(disk: &dyn Look, area: &RelPath) -> bool {
    disk.attach(area).is_err()
}
