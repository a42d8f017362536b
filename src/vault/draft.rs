use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::sync::atomic::Ordering;

use super::disk::{Disk, DiskError, DiskResult};
use super::folders::ensure_folder;
use super::no_replace::NoReplace;
use super::product_writer::ProductWriter;
use super::volume::{Vault, Volume};
use crate::model::{ContentHash, Identity, RelPath};
use crate::records::{About, FileState, Move, Publish, PublishMode, Remove};

/// How much of a large product is in memory at a time.
const PIECE_BYTES: u64 = 4 << 20;

impl Vault {
    /// Begins a plan's products.
    pub fn draft(&self) -> Draft {
        let plan = self.next_plan.fetch_add(1, Ordering::Relaxed);
        Draft { vault: self.clone(), made: Made { plan, ..Made::empty() }, volumes: BTreeMap::new() }
    }
}

/// A plan's products while they are being made; dropping it throws them away.
#[derive(Debug)]
pub struct Draft {
    pub(super) vault: Vault,
    pub(super) made: Made,
    pub(super) volumes: BTreeMap<RelPath, Volume>,
}

impl Draft {
    /// Writes a product that will be published as `to`, and returns its hash.
    pub fn write(&mut self, to: &RelPath, bytes: &[u8], mode: PublishMode) -> DiskResult<ContentHash> {
        let hash = ContentHash::of(bytes);
        let scratch = self.begin(to, &hash, mode)?;
        self.vault.writer().write_new(&scratch, bytes)?;
        Ok(hash)
    }

    /// Writes what a reader makes of `from`, which may be of any size, as a product that will be published as `to`;
    /// returns its hash, and how many bytes it has.
    pub fn stream(
        &mut self,
        from: &RelPath,
        reader: &mut dyn Read,
        to: &RelPath,
        mode: PublishMode,
    ) -> DiskResult<(ContentHash, u64)> {
        let mut product = self.writer(to, mode)?;
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let read = reader.take(PIECE_BYTES).read_to_end(&mut piece);
            read.map_err(|source| DiskError { call: "read", path: from.clone(), source })?;
            if piece.is_empty() || product.write_all(&piece).is_err() {
                return product.finish();
            }
        }
    }

    /// Begins a product that is written piece by piece, of any size, and will be published as `to`.
    pub fn writer(&mut self, to: &RelPath, mode: PublishMode) -> DiskResult<ProductWriter<'_>> {
        let scratch = self.begin(to, &ContentHash::of(b""), mode)?;
        let file = self.vault.writer().create_new(&scratch)?;
        let noted = &mut self.made.publish.last_mut().expect("it was noted above").hash;
        Ok(ProductWriter::new(file, scratch, noted))
    }

    /// Returns the vault that it is made in.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Gives up the product that was begun last: it is made in another way.
    pub fn give_up_last(&mut self) {
        if let Some(product) = self.made.publish.pop() {
            discard(self.vault.writer(), std::slice::from_ref(&product));
        }
    }

    /// Gives the bytes of `from` a further name `to`: a hard link where the file system can and nobody
    /// else has a name for the file, else a copy.
    pub fn same(&mut self, from: &RelPath, to: &RelPath, hash: &ContentHash, seen: Option<Identity>) -> DiskResult<()> {
        let scratch = self.begin(to, hash, PublishMode::New)?;
        self.link_or_copy(from, to, &scratch, hash, seen)
    }

    /// Gives an earlier product of this plan a further name `to`.
    pub fn same_as(&mut self, earlier: usize, to: &RelPath, mode: PublishMode) -> DiskResult<()> {
        let Publish { scratch: from, hash, .. } = self.made.publish[earlier].clone();
        let scratch = self.begin(to, &hash, mode)?;
        self.link_or_copy(&from, to, &scratch, &hash, None)
    }

    /// Returns the bytes of an earlier product of this plan.
    pub fn bytes_of(&self, earlier: usize, bytes_max: u64) -> DiskResult<Vec<u8>> {
        self.vault.writer().read(&self.made.publish[earlier].scratch, bytes_max)
    }

    /// Returns the state in which an earlier product of this plan is, and stays when it gets its name.
    pub fn state_of(&self, earlier: usize) -> DiskResult<Option<FileState>> {
        let entry = self.vault.writer().stat(&self.made.publish[earlier].scratch)?;
        Ok(entry.map(|entry| entry.identity.into()))
    }

    fn link_or_copy(
        &mut self,
        from: &RelPath,
        to: &RelPath,
        scratch: &RelPath,
        hash: &ContentHash,
        seen: Option<Identity>,
    ) -> DiskResult<()> {
        let source = self.vault.writer().stat(from)?;
        // Names that this plan gave do not count.
        let ours = self.made.publish.iter().filter(|product| product.hash == *hash).count() as u64;
        let is_shared = source.is_none_or(|entry| entry.is_foreign || entry.links > ours);
        if !is_shared && self.same_device(from, to)? && self.vault.writer().link(from, scratch).is_ok() {
            let linked = self.vault.writer().stat(scratch)?.map(|entry| entry.identity);
            if seen.is_none() || linked == seen {
                return Ok(());
            }
            // Another file had the name in this moment.
            self.vault.writer().remove(scratch)?;
        }
        self.copy_verified(from, scratch, hash, seen)
    }

    /// Moves `from` to the free name `to`. Across file systems, and where another program has a further
    /// name for the file, that is a verified copy and a removal.
    pub fn shift(&mut self, from: &RelPath, to: &RelPath, seen: Identity) -> DiskResult<()> {
        let needs_copy = self.vault.writer().stat(from)?.is_some_and(|entry| entry.needs_copy());
        if !needs_copy && self.same_device(from, to)? {
            self.made.has_placeholders |= self.needs_placeholder(to)?;
            self.made.moves.push(Move { from: from.clone(), to: to.clone(), seen });
            return Ok(());
        }
        let hash = hash_of(&mut *self.vault.writer().open_as(from, seen)?, from)?;
        let scratch = self.begin(to, &hash, PublishMode::New)?;
        self.copy_verified(from, &scratch, &hash, Some(seen))?;
        self.take(from, seen, Some(to.clone()))
    }

    /// Removes `path` once everything else of the plan is durable; it is kept aside for a while.
    pub fn remove(&mut self, path: &RelPath, seen: Identity) -> DiskResult<()> {
        self.take(path, seen, None)
    }

    fn take(&mut self, path: &RelPath, seen: Identity, copied_to: Option<RelPath>) -> DiskResult<()> {
        let trash = self.volume(path)?.trash;
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
        let folder = self.volume(to)?.scratch;
        ensure_folder(self.vault.writer(), &folder)?;
        let scratch = folder.join(format!("{}-{}", self.made.plan, self.made.publish.len()));
        self.made.has_placeholders |= self.needs_placeholder(to)?;
        self.made.publish.push(Publish { scratch: scratch.clone(), to: to.clone(), hash: hash.clone(), mode });
        Ok(scratch)
    }

    fn volume(&mut self, path: &RelPath) -> DiskResult<Volume> {
        let folder = path.parent().unwrap_or_else(|| path.clone());
        if let Some(volume) = self.volumes.get(&folder) {
            return Ok(volume.clone());
        }
        let volume = self.vault.volume(&folder)?;
        self.volumes.insert(folder, volume.clone());
        Ok(volume)
    }

    fn same_device(&mut self, from: &RelPath, to: &RelPath) -> DiskResult<bool> {
        let pair = (from.parent(), to.parent());
        let is_crossing = self.vault.known.lock().expect("no holder panics").crossing.contains(&pair);
        Ok(!is_crossing && self.volume(from)?.device == self.volume(to)?.device)
    }

    fn needs_placeholder(&mut self, to: &RelPath) -> DiskResult<bool> {
        let device = self.volume(to)?.device;
        let known = self.vault.known.lock().expect("no holder panics");
        Ok(known.capabilities.get(&device).is_some_and(|found| found.no_replace == NoReplace::Placeholder))
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
        Err(DiskError { call: "copied", path: from.clone(), source })
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
    pub(super) has_placeholders: bool,
    pub(super) publish: Vec<Publish>,
    pub(super) moves: Vec<Move>,
    pub(super) removes: Vec<Remove>,
}

impl Made {
    fn empty() -> Self {
        Self {
            plan: 0,
            about: None,
            has_placeholders: false,
            publish: Vec::new(),
            moves: Vec::new(),
            removes: Vec::new(),
        }
    }

    /// Returns the products of a plan that makes none, for tests.
    #[cfg(test)]
    pub(crate) fn nothing() -> Self {
        Self::empty()
    }

    /// Returns where each product goes, and the hash of its bytes.
    pub fn products(&self) -> impl Iterator<Item = (&RelPath, &ContentHash)> {
        self.publish.iter().map(|product| (&product.to, &product.hash))
    }

    /// Returns how many bytes the product has that will be published as `to`.
    pub fn bytes_of(&self, vault: &Vault, to: &RelPath) -> DiskResult<u64> {
        let gone = || DiskError { call: "read", path: to.clone(), source: std::io::ErrorKind::NotFound.into() };
        let product = self.publish.iter().find(|product| product.to == *to).ok_or_else(gone)?;
        Ok(vault.disk().stat(&product.scratch)?.ok_or_else(gone)?.identity.size)
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

/// Returns the hash of what an open file holds.
pub fn hash_of(reader: &mut dyn std::io::Read, path: &RelPath) -> DiskResult<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    match hasher.update_reader(reader) {
        Ok(hasher) => Ok(ContentHash::from_digest(hasher.finalize())),
        Err(source) => Err(DiskError { call: "read", path: path.clone(), source }),
    }
}

/// Removes products from scratch; what cannot be removed now is swept at the next start.
pub(super) fn discard(disk: &dyn Disk, publish: &[Publish]) {
    for product in publish {
        let _ = disk.remove(&product.scratch);
    }
}
