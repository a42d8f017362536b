use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::{Disk, DiskResult};
use crate::model::{ContentHash, Identity, RelPath};
use crate::records::{About, Move, Publish, PublishMode, Record, Remove};

/// The folder for unfinished products in an area that lies on a file system of its own.
const AREA_SCRATCH: &str = ".stockmill-scratch";

/// Where products are made before they are published: on the file system of their target, hidden,
/// and never watched.
#[derive(Debug, Clone)]
pub struct Vault {
    disk: Arc<dyn Disk>,
    next_plan: Arc<AtomicU64>,
    home_device: u64,
}

impl Vault {
    /// Returns a vault over `disk` whose first plan gets a number that `records` do not know.
    pub fn new(disk: Arc<dyn Disk>, records: &[Record]) -> DiskResult<Self> {
        let last = records.iter().map(Record::plan).max().unwrap_or(0);
        let home_device = disk.device(&home())?;
        Ok(Self { disk, next_plan: Arc::new(AtomicU64::new(last + 1)), home_device })
    }

    /// Returns the disk.
    pub fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Begins a plan's products.
    pub fn draft(&self) -> Draft {
        let plan = self.next_plan.fetch_add(1, Ordering::Relaxed);
        let made = Made { plan, about: None, publish: Vec::new(), moves: Vec::new(), removes: Vec::new() };
        Draft { vault: self.clone(), made }
    }

    /// Returns the scratch folder on the file system that holds `area`.
    fn scratch_folder(&self, target: &RelPath) -> DiskResult<RelPath> {
        let area = RelPath::new(target.area()).expect("an area is a plain name");
        if self.disk.device(&area)? == self.home_device {
            return Ok(home().join("scratch"));
        }
        Ok(area.join(AREA_SCRATCH))
    }
}

/// A plan's products while they are being made; dropping it throws them away.
#[derive(Debug)]
pub struct Draft {
    vault: Vault,
    made: Made,
}

impl Draft {
    /// Writes a product that will be published as `to`, and returns its hash.
    pub fn write(&mut self, to: &RelPath, bytes: &[u8], mode: PublishMode) -> DiskResult<ContentHash> {
        let scratch = self.next_scratch(to)?;
        let hash = ContentHash::of(bytes);
        self.made.publish.push(Publish { scratch: scratch.clone(), to: to.clone(), hash: hash.clone(), mode });
        self.vault.disk.write_new(&scratch, bytes)?;
        Ok(hash)
    }

    /// Gives the bytes of `from` a further name `to`: a hard link where the file system can, else a copy.
    pub fn same(&mut self, from: &RelPath, to: &RelPath, hash: &ContentHash) -> DiskResult<()> {
        let scratch = self.next_scratch(to)?;
        let publish = Publish { scratch: scratch.clone(), to: to.clone(), hash: hash.clone(), mode: PublishMode::New };
        self.made.publish.push(publish);
        if self.same_device(from, to)? && self.vault.disk.link(from, &scratch).is_ok() {
            return Ok(());
        }
        self.copy_verified(from, &scratch, hash)
    }

    /// Moves `from` to the free name `to`; across file systems that is a verified copy and a removal.
    pub fn shift(&mut self, from: &RelPath, to: &RelPath, seen: Identity) -> DiskResult<()> {
        if self.same_device(from, to)? {
            self.made.moves.push(Move { from: from.clone(), to: to.clone(), seen });
            return Ok(());
        }
        let hash = self.vault.disk.hash(from)?;
        let scratch = self.next_scratch(to)?;
        let publish = Publish { scratch: scratch.clone(), to: to.clone(), hash: hash.clone(), mode: PublishMode::New };
        self.made.publish.push(publish);
        self.copy_verified(from, &scratch, &hash)?;
        self.remove(from, seen);
        Ok(())
    }

    /// Removes `path` once everything else of the plan is durable.
    pub fn remove(&mut self, path: &RelPath, seen: Identity) {
        self.made.removes.push(Remove { path: path.clone(), seen });
    }

    /// Returns the products, complete and ready to be committed.
    pub fn finish(mut self, about: About) -> Made {
        self.made.about = Some(about);
        std::mem::replace(&mut self.made, Made::empty())
    }

    fn same_device(&self, from: &RelPath, to: &RelPath) -> DiskResult<bool> {
        let area = |path: &RelPath| RelPath::new(path.area()).expect("an area is a plain name");
        Ok(self.vault.disk.device(&area(from))? == self.vault.disk.device(&area(to))?)
    }

    fn next_scratch(&self, to: &RelPath) -> DiskResult<RelPath> {
        let folder = self.vault.scratch_folder(to)?;
        ensure_folder(&*self.vault.disk, &folder)?;
        Ok(folder.join(format!("{}-{}", self.made.plan, self.made.publish.len())))
    }

    fn copy_verified(&self, from: &RelPath, scratch: &RelPath, hash: &ContentHash) -> DiskResult<()> {
        let disk = &*self.vault.disk;
        disk.copy_new(from, scratch)?;
        let copied = disk.hash(scratch)?;
        if copied == *hash {
            return Ok(());
        }
        let source =
            std::io::Error::other("the copy differs from its source; the file changed meanwhile or the disk errs");
        Err(super::DiskError { call: "copy", path: from.clone(), source })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        discard(&*self.vault.disk, &self.made.publish);
    }
}

/// A plan with its products complete in scratch space: it can be committed, or thrown away and made again.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub(super) plan: u64,
    pub(super) about: Option<About>,
    pub(super) publish: Vec<Publish>,
    pub(super) moves: Vec<Move>,
    pub(super) removes: Vec<Remove>,
}

impl Made {
    fn empty() -> Self {
        Self { plan: 0, about: None, publish: Vec::new(), moves: Vec::new(), removes: Vec::new() }
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

/// Empties the scratch folders; nothing in them was promised to anyone.
pub(super) fn sweep(disk: &dyn Disk, areas: &[RelPath]) -> DiskResult<usize> {
    let mut folders = vec![home().join("scratch")];
    folders.extend(areas.iter().map(|area| area.join(AREA_SCRATCH)));
    let mut swept = 0;
    for folder in folders {
        if disk.look(&folder)?.is_none() {
            continue;
        }
        for (name, _) in disk.list(&folder)? {
            disk.remove(&folder.join(name))?;
            swept += 1;
        }
        if swept > 0 {
            disk.sync_folder(&folder)?;
        }
    }
    Ok(swept)
}

fn home() -> RelPath {
    RelPath::new(".stockmill").expect("a constant is a clean path")
}

/// Makes a folder and those above it, durably. An area itself is made when the disk is opened.
pub fn ensure_folder(disk: &dyn Disk, folder: &RelPath) -> DiskResult<()> {
    let Some(parent) = folder.parent() else { return Ok(()) };
    if disk.look(folder)?.is_some() {
        return Ok(());
    }
    ensure_folder(disk, &parent)?;
    disk.make_folder(folder)?;
    disk.sync_folder(&parent)
}
