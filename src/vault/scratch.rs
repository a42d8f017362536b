use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::disk::{Detached, Disk, DiskResult, Entry, Look, What};
use super::journal::Journal;
use super::ladder::{Capabilities, Rung, probe};
use super::only_look::OnlyLook;
use super::own_names::{PROBE, SCRATCH, TRASH, home, home_scratch, home_trash};
use super::recover::Recovered;
use crate::model::{ContentHash, Identity, RelPath};
use crate::records::{About, Move, Publish, PublishMode, Record, Remove};

/// How much of a large product is in memory at a time.
const PIECE_BYTES: u64 = 4 << 20;

/// Where products are made before they are published: on the file system of their target, hidden,
/// and never watched.
#[derive(Debug, Clone)]
pub struct Vault {
    disk: Arc<dyn Disk>,
    next_plan: Arc<AtomicU64>,
    home_device: u64,
    known: Arc<Mutex<Known>>,
}

/// What was learned of the file systems.
#[derive(Debug, Default)]
struct Known {
    capabilities: HashMap<u64, Capabilities>,
    /// Pairs of folders between which no rename works, although they looked like one file system.
    crossing: HashSet<(Option<RelPath>, Option<RelPath>)>,
    /// Hidden folders whose numbers are not given again.
    numbered: HashSet<RelPath>,
}

/// A folder's file system, and the hidden folders on it.
#[derive(Debug, Clone)]
struct Ground {
    device: u64,
    scratch: RelPath,
    trash: RelPath,
}

impl Vault {
    /// Returns a vault over `disk` whose first plan gets a number that `records` do not know.
    pub fn new(disk: Arc<dyn Disk>, records: &[Record]) -> DiskResult<Self> {
        let last = records.iter().map(Record::plan).max().unwrap_or(0);
        let home_device = disk.device(&home())?;
        Ok(Self { disk, next_plan: Arc::new(AtomicU64::new(last + 1)), home_device, known: Arc::default() })
    }

    /// Returns a vault for commands that only look: it can plan, and refuses every change.
    pub fn to_look(look: Arc<dyn Look>, records: &[Record]) -> DiskResult<Self> {
        Self::new(Arc::new(OnlyLook(look)), records)
    }

    /// Returns the disk to look at it; whoever wants a change says it to the vault.
    pub fn disk(&self) -> &dyn Look {
        &*self.disk
    }

    pub(super) fn disk_to_share(&self) -> Arc<dyn Disk> {
        self.disk.clone()
    }

    /// Returns the disk to change it.
    pub(super) fn writer(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Attaches an area, and makes its folder and its mark where they are missing and may be made.
    pub fn make_area(&self, area: &RelPath) -> Result<(), Detached> {
        self.disk.make_area(area)
    }

    /// Puts a file into each area and takes it away, so that events tell of it.
    pub fn stir(&self, areas: &[RelPath]) {
        for probe in areas.iter().map(|area| area.join(PROBE)) {
            let _ = self.disk.write_new(&probe, b"");
            let _ = self.disk.remove(&probe);
        }
    }

    /// Opens the journal anew; see [`Journal::open`].
    pub fn open_journal(&self) -> DiskResult<(Journal, Vec<Record>)> {
        Journal::open(self.writer())
    }

    /// Finishes or takes back every plan that was begun; see [`super::recover`].
    pub fn recover(&self, journal: &mut Journal, records: &[Record], areas: &[RelPath]) -> DiskResult<Recovered> {
        super::recover(self.writer(), journal, records, areas)
    }

    /// Lets go of what `undo` can no longer want; see [`super::purge_trash`].
    pub fn purge_trash(
        &self,
        areas: &[RelPath],
        now_ns: i64,
        limits: TrashLimits,
        unsure: &dyn Fn(&RelPath) -> bool,
    ) -> usize {
        purge_trash(self.writer(), areas, now_ns, limits, unsure)
    }

    /// Makes a folder and those above it, durably.
    pub fn ensure_folder(&self, folder: &RelPath) -> DiskResult<()> {
        ensure_folder(self.writer(), folder)
    }

    /// Removes a folder and those above it up to `top` as far as they are empty; see [`super::remove_emptied`].
    pub fn remove_emptied(&self, folder: &RelPath, top: &RelPath) {
        remove_emptied(self.writer(), folder, top);
    }

    /// Begins a plan's products.
    pub fn draft(&self) -> Draft {
        let plan = self.next_plan.fetch_add(1, Ordering::Relaxed);
        Draft { vault: self.clone(), made: Made { plan, ..Made::empty() }, grounds: BTreeMap::new() }
    }

    /// Tries, once for each file system, what it can do. Returns the answer if it is news.
    pub fn probe(&self, area: &RelPath) -> DiskResult<Option<Capabilities>> {
        let ground = self.ground(area)?;
        self.skip_numbers(&ground)?;
        if self.known.lock().expect("no holder panics").capabilities.contains_key(&ground.device) {
            return Ok(None);
        }
        ensure_folder(self.writer(), &ground.scratch)?;
        let found = probe(self.writer(), &ground.scratch)?;
        self.known.lock().expect("no holder panics").capabilities.insert(ground.device, found);
        Ok(Some(found))
    }

    /// Gives no number to a plan that an earlier one had whose traces are still there: the journal may have
    /// been lost since, and what was taken away then lies under that number.
    fn skip_numbers(&self, ground: &Ground) -> DiskResult<()> {
        if self.known.lock().expect("no holder panics").numbered.contains(&ground.trash) {
            return Ok(());
        }
        let mut found = list_if_there(self.disk(), &ground.trash)?;
        found.extend(list_if_there(self.disk(), &ground.scratch)?);
        let number = |path: &RelPath| path.file_text().split('-').next()?.parse::<u64>().ok();
        if let Some(last) = found.iter().filter_map(|(path, _)| number(path)).max() {
            self.next_plan.fetch_max(last.saturating_add(1), Ordering::Relaxed);
        }
        self.known.lock().expect("no holder panics").numbered.insert(ground.trash.clone());
        Ok(())
    }

    /// Returns whether a folder lies on the root's own file system.
    pub(super) fn is_home(&self, folder: &RelPath) -> DiskResult<bool> {
        Ok(self.disk.device(folder)? == self.home_device)
    }

    /// Remembers that no rename works between two files' folders: the next try copies.
    pub(super) fn learn_crossing(&self, from: &RelPath, to: &RelPath) {
        self.known.lock().expect("no holder panics").crossing.insert((from.parent(), to.parent()));
    }

    fn ground(&self, folder: &RelPath) -> DiskResult<Ground> {
        let device = self.disk.device(folder)?;
        if device == self.home_device {
            return Ok(Ground { device, scratch: home_scratch(), trash: home_trash() });
        }
        let mut top = folder.clone();
        while let Some(above) = top.parent()
            && self.disk.device(&above)? == device
        {
            top = above;
        }
        Ok(Ground { device, scratch: top.join(SCRATCH), trash: top.join(TRASH) })
    }
}

/// A plan's products while they are being made; dropping it throws them away.
#[derive(Debug)]
pub struct Draft {
    vault: Vault,
    made: Made,
    grounds: BTreeMap<RelPath, Ground>,
}

impl Draft {
    /// Writes a product that will be published as `to`, and returns its hash.
    pub fn write(&mut self, to: &RelPath, bytes: &[u8], mode: PublishMode) -> DiskResult<ContentHash> {
        let hash = ContentHash::of(bytes);
        let scratch = self.begin(to, &hash, mode)?;
        self.vault.disk.write_new(&scratch, bytes)?;
        Ok(hash)
    }

    /// Writes what a reader makes of `from`, which may be of any size, as a product that will be published as `to`;
    /// returns its hash.
    pub fn stream(
        &mut self,
        from: &RelPath,
        reader: &mut dyn Read,
        to: &RelPath,
        mode: PublishMode,
    ) -> DiskResult<ContentHash> {
        let scratch = self.begin(to, &ContentHash::of(b""), mode)?;
        let disk = self.vault.writer();
        disk.write_new(&scratch, b"")?;
        let (mut hasher, mut piece) = (blake3::Hasher::new(), Vec::new());
        loop {
            piece.clear();
            let read = reader.take(PIECE_BYTES).read_to_end(&mut piece);
            read.map_err(|source| super::DiskError { call: "read", path: from.clone(), source })?;
            if piece.is_empty() {
                break;
            }
            hasher.update(&piece);
            disk.append(&scratch, &piece)?;
        }
        let hash = ContentHash::from_digest(hasher.finalize());
        self.made.publish.last_mut().expect("it was noted above").hash = hash.clone();
        Ok(hash)
    }

    /// Gives the bytes of `from` a further name `to`: a hard link where the file system can and nobody
    /// else has a name for the file, else a copy.
    pub fn same(&mut self, from: &RelPath, to: &RelPath, hash: &ContentHash, seen: Option<Identity>) -> DiskResult<()> {
        let scratch = self.begin(to, hash, PublishMode::New)?;
        let source = self.vault.disk.stat(from)?;
        // Names that this very plan gave are not somebody else's.
        let ours = self.made.publish.iter().filter(|product| product.hash == *hash).count() as u64;
        let is_shared = source.is_none_or(|entry| entry.is_foreign || entry.links > ours);
        if !is_shared && self.same_device(from, to)? && self.vault.disk.link(from, &scratch).is_ok() {
            let linked = self.vault.disk.stat(&scratch)?.map(|entry| entry.identity);
            if seen.is_none() || linked == seen {
                return Ok(());
            }
            // Another file had the name in this moment.
            self.vault.disk.remove(&scratch)?;
        }
        self.copy_verified(from, &scratch, hash, seen)
    }

    /// Moves `from` to the free name `to`. Across file systems, and where another program has a further
    /// name for the file, that is a verified copy and a removal.
    pub fn shift(&mut self, from: &RelPath, to: &RelPath, seen: Identity) -> DiskResult<()> {
        let needs_copy = self.vault.disk.stat(from)?.is_some_and(|entry| entry.needs_copy());
        if !needs_copy && self.same_device(from, to)? {
            let claims = self.claims(to)?;
            self.made.claims |= claims;
            self.made.moves.push(Move { from: from.clone(), to: to.clone(), seen });
            return Ok(());
        }
        let hash = hash_of(&mut *self.vault.disk.open_as(from, seen)?, from)?;
        let scratch = self.begin(to, &hash, PublishMode::New)?;
        self.copy_verified(from, &scratch, &hash, Some(seen))?;
        self.take(from, seen, Some(to.clone()))
    }

    /// Removes `path` once everything else of the plan is durable; it is kept aside for a while.
    pub fn remove(&mut self, path: &RelPath, seen: Identity) -> DiskResult<()> {
        self.take(path, seen, None)
    }

    fn take(&mut self, path: &RelPath, seen: Identity, copied_to: Option<RelPath>) -> DiskResult<()> {
        let trash = self.ground(path)?.trash;
        ensure_folder(self.vault.writer(), &trash)?;
        let aside = Some(trash.join(format!("{}-{}", self.made.plan, self.made.removes.len())));
        self.made.removes.push(Remove { path: path.clone(), seen, aside, copied_to });
        Ok(())
    }

    /// Returns the products, complete and ready to be committed.
    pub fn finish(mut self, about: About) -> Made {
        self.made.about = Some(about);
        std::mem::replace(&mut self.made, Made::empty())
    }

    /// Notes a product, and returns where in scratch it is to be made.
    fn begin(&mut self, to: &RelPath, hash: &ContentHash, mode: PublishMode) -> DiskResult<RelPath> {
        let folder = self.ground(to)?.scratch;
        ensure_folder(self.vault.writer(), &folder)?;
        let scratch = folder.join(format!("{}-{}", self.made.plan, self.made.publish.len()));
        self.made.claims |= self.claims(to)?;
        self.made.publish.push(Publish { scratch: scratch.clone(), to: to.clone(), hash: hash.clone(), mode });
        Ok(scratch)
    }

    fn ground(&mut self, path: &RelPath) -> DiskResult<Ground> {
        let folder = path.parent().unwrap_or_else(|| path.clone());
        if let Some(ground) = self.grounds.get(&folder) {
            return Ok(ground.clone());
        }
        let ground = self.vault.ground(&folder)?;
        self.grounds.insert(folder, ground.clone());
        Ok(ground)
    }

    fn same_device(&mut self, from: &RelPath, to: &RelPath) -> DiskResult<bool> {
        let pair = (from.parent(), to.parent());
        let is_crossing = self.vault.known.lock().expect("no holder panics").crossing.contains(&pair);
        Ok(!is_crossing && self.ground(from)?.device == self.ground(to)?.device)
    }

    fn claims(&mut self, to: &RelPath) -> DiskResult<bool> {
        let device = self.ground(to)?.device;
        let known = self.vault.known.lock().expect("no holder panics");
        Ok(known.capabilities.get(&device).is_some_and(|found| found.rung == Rung::Claim))
    }

    fn copy_verified(
        &self,
        from: &RelPath,
        scratch: &RelPath,
        hash: &ContentHash,
        seen: Option<Identity>,
    ) -> DiskResult<()> {
        let disk = self.vault.writer();
        disk.copy_new(from, scratch, seen)?;
        if disk.hash(scratch)? == *hash {
            return Ok(());
        }
        let source =
            std::io::Error::other("the copy differs from its source; the file changed meanwhile or the disk errs");
        Err(super::DiskError { call: "copy", path: from.clone(), source })
    }
}

/// Returns the hash of what an open file holds.
pub fn hash_of(reader: &mut dyn std::io::Read, path: &RelPath) -> DiskResult<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    match hasher.update_reader(reader) {
        Ok(hasher) => Ok(ContentHash::from_digest(hasher.finalize())),
        Err(source) => Err(super::DiskError { call: "read", path: path.clone(), source }),
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        discard(self.vault.writer(), &self.made.publish);
    }
}

/// A plan with its products complete in scratch space: it can be committed, or thrown away and made again.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub(super) plan: u64,
    pub(super) about: Option<About>,
    pub(super) claims: bool,
    pub(super) publish: Vec<Publish>,
    pub(super) moves: Vec<Move>,
    pub(super) removes: Vec<Remove>,
}

impl Made {
    fn empty() -> Self {
        Self { plan: 0, about: None, claims: false, publish: Vec::new(), moves: Vec::new(), removes: Vec::new() }
    }

    /// Returns the products of a plan that makes none, for tests.
    #[cfg(test)]
    pub(crate) fn nothing() -> Self {
        Self::empty()
    }

    /// Throws the products away; the plan is not carried out.
    pub fn discard(self, vault: &Vault) {
        discard(vault.writer(), &self.publish);
    }

    /// Returns what the plan is about.
    pub fn about(&self) -> &About {
        self.about.as_ref().expect("a finished draft says what it is about")
    }
}

/// Removes products from scratch; what cannot be removed now is swept at the next start.
pub(super) fn discard(disk: &dyn Disk, publish: &[Publish]) {
    for product in publish {
        let _ = disk.remove(&product.scratch);
    }
}

/// Empties the scratch folders but for what an open plan still needs; nothing else in them was
/// promised to anyone. A folder in them is not ours. Returns how much was swept, and how much the disk refused.
pub(super) fn sweep(disk: &dyn Disk, areas: &[RelPath], needed: &HashSet<&RelPath>) -> (usize, usize) {
    let (mut swept, mut unswept) = (0, 0);
    for folder in hidden_folders(&home_scratch(), areas, SCRATCH) {
        let Ok(found) = list_if_there(disk, &folder) else {
            unswept += 1;
            continue;
        };
        let before = swept;
        for (path, _) in found.into_iter().filter(|(path, _)| !needed.contains(path)) {
            match disk.remove(&path) {
                Ok(()) => swept += 1,
                Err(_) => unswept += 1,
            }
        }
        if swept > before && disk.sync_folder(&folder).is_err() {
            unswept += 1;
        }
    }
    (swept, unswept)
}

/// Returns the hidden folder of the root's own file system, and those that other areas may have.
fn hidden_folders(own: &RelPath, areas: &[RelPath], name: &str) -> Vec<RelPath> {
    std::iter::once(own.clone()).chain(areas.iter().map(|area| area.join(name))).collect()
}

/// Returns the files in a folder that may not be there.
fn list_if_there(disk: &dyn Look, folder: &RelPath) -> DiskResult<Vec<(RelPath, Entry)>> {
    if disk.stat(folder)?.is_none() {
        return Ok(Vec::new());
    }
    let found = disk.list(folder)?.into_iter().filter(|(_, entry)| entry.what != What::Folder);
    Ok(found.map(|(name, entry)| (folder.join(name), entry)).collect())
}

/// How long and how much of what was taken away is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrashLimits {
    /// Older things go.
    pub age_ns_max: i64,
    /// Beyond this, the oldest go.
    pub bytes_max: u64,
}

/// Lets go of what `undo` can no longer want. All of it was derived, or stands under another name. What the
/// disk refuses stays for the next time, and so does what is `unsure`: somebody may have written to it.
pub fn purge_trash(
    disk: &dyn Disk,
    areas: &[RelPath],
    now_ns: i64,
    limits: TrashLimits,
    unsure: &dyn Fn(&RelPath) -> bool,
) -> usize {
    let mut kept = trashed(disk, areas);
    kept.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.changed_ns));
    let (mut bytes, mut purged) = (0_u64, 0);
    for (path, entry) in kept {
        bytes = bytes.saturating_add(entry.identity.size);
        let is_old = now_ns.saturating_sub(entry.changed_ns) > limits.age_ns_max;
        // Somebody who has it open may still write what exists nowhere else.
        let is_open = || disk.has_writer(&path).is_ok_and(|has_writer| has_writer == Some(true));
        if (bytes > limits.bytes_max || is_old) && !unsure(&path) && !is_open() && disk.remove(&path).is_ok() {
            purged += 1;
        }
    }
    purged
}

/// Returns all that was taken away and is kept.
pub(super) fn trashed(disk: &dyn Look, areas: &[RelPath]) -> Vec<(RelPath, Entry)> {
    let folders = hidden_folders(&home_trash(), areas, TRASH);
    folders.iter().flat_map(|folder| list_if_there(disk, folder).unwrap_or_default()).collect()
}

/// Returns where the version that a product replaced is kept.
pub fn replaced_aside(scratch: &RelPath) -> RelPath {
    let name = format!("{}-was", scratch.file_text());
    match scratch.parent() {
        Some(folder) if folder.file_name() == SCRATCH => folder.sibling(TRASH).join(name),
        _ => home_trash().join(name),
    }
}

/// Makes a folder and those above it, durably. An area itself is made when it is attached; the state folder is
/// made again if a person removed it.
pub fn ensure_folder(disk: &dyn Disk, folder: &RelPath) -> DiskResult<()> {
    let Some(parent) = folder.parent() else {
        return if *folder == home() && disk.stat(folder)?.is_none() { disk.make_folder(folder) } else { Ok(()) };
    };
    if disk.stat(folder)?.is_some() {
        return Ok(());
    }
    ensure_folder(disk, &parent)?;
    disk.make_folder(folder)?;
    disk.sync_folder(&parent)
}

/// Removes a folder and those above it up to `top`, which stays, as far as they are empty. Nothing relies on it:
/// what cannot be removed stays.
pub fn remove_emptied(disk: &dyn Disk, folder: &RelPath, top: &RelPath) {
    let folders = std::iter::successors(Some(folder.clone()), RelPath::parent);
    for folder in folders.take_while(|folder| folder != top && folder.is_in(top)) {
        if disk.remove_folder(&folder).is_err() {
            return;
        }
    }
}
