//! What the sidecars and the journal say: which file should stand where, with which bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::model::{AssetId, ContentHash, RelPath};
use crate::plan::BundleFolder;
use crate::records::{Intent, Plans, Record, SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
use crate::vault::Look;

/// Returns whether a file lies in an inbox or in `failed`, where people may take away what they like. What lies in the
/// archive is kept, and what lies in a bundle is theirs to take out while its original is there.
pub(super) fn is_a_persons_choice(file: &RelPath) -> bool {
    file.area() != "archive" && !BundleFolder::is_file(file)
}

/// What one sidecar says of the file that it stands for.
#[derive(Debug)]
pub(super) struct Receipt {
    pub(super) sidecar: RelPath,
    pub(super) file: RelPath,
    pub(super) asset: Option<AssetId>,
    pub(super) hash: Option<ContentHash>,
    text: ContentHash,
}

impl Receipt {
    /// Returns whether the sidecar still is what it was.
    pub(super) fn is_unchanged(&self, disk: &dyn Look) -> bool {
        disk.hash(&self.sidecar).is_ok_and(|text| text == self.text)
    }
}

/// The original that a sidecar names.
#[derive(Debug)]
pub(super) struct Original {
    pub(super) hash: ContentHash,
    pub(super) sidecar: RelPath,
}

/// What all sidecars say.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    pub(super) all: Vec<Receipt>,
    /// The files of each asset, and the hash of each file, by the sidecars.
    pub(super) files: HashMap<AssetId, Vec<RelPath>>,
    pub(super) hashes: HashMap<RelPath, ContentHash>,
    /// Originals by where they are kept.
    pub(super) originals: BTreeMap<RelPath, Original>,
    /// Sidecars that cannot be read, and why.
    pub(super) unreadable: Vec<(RelPath, String)>,
}

impl Receipts {
    /// Reads every sidecar among `files`.
    pub(super) fn read<'a>(disk: &dyn Look, files: impl Iterator<Item = &'a RelPath>) -> Self {
        let mut receipts = Self::default();
        for path in files.filter(|path| is_sidecar_name(path)) {
            match disk.read(path, SIDECAR_BYTES_MAX) {
                Ok(bytes) => receipts.add(disk, path, &bytes),
                // It went on with its asset.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => (),
                Err(error) => receipts.unreadable.push((path.clone(), error.source.to_string())),
            }
        }
        receipts
    }

    fn add(&mut self, disk: &dyn Look, path: &RelPath, bytes: &[u8]) {
        let file = file_of(disk, path);
        let sidecar = match Sidecar::parse(bytes) {
            Ok(sidecar) => sidecar,
            // Beside no asset it is somebody else's file.
            Err(_) if !matches!(disk.stat(&file), Ok(Some(_))) => return,
            Err(error) => return self.unreadable.push((path.clone(), error.to_string())),
        };
        for original in sidecar.originals() {
            let Some(archived) = &original.archived else { continue };
            let original = Original { hash: original.hash.clone(), sidecar: path.clone() };
            self.originals.entry(archived.clone()).or_insert(original);
        }
        let hash = sidecar.file.map(|file| file.hash);
        if let Some(asset) = &sidecar.id {
            self.files.entry(asset.clone()).or_default().push(file.clone());
        }
        self.hashes.extend(hash.clone().map(|hash| (file.clone(), hash)));
        let text = ContentHash::of(bytes);
        self.all.push(Receipt { sidecar: path.clone(), file, asset: sidecar.id, hash, text });
    }
}

/// Returns whether a path may be a sidecar by its name; notes and shared tags are none.
fn is_sidecar_name(path: &RelPath) -> bool {
    let is_note = path.area() == "ideas" || path.parts().take(2).eq(["failed", "ideas"]);
    let name = path.file_text();
    name.ends_with(SIDECAR_SUFFIX) && name != "tags.yaml" && !is_note && name != SIDECAR_SUFFIX
}

/// Returns the file that a sidecar stands for: beside it, or in a bundle's `files`.
fn file_of(disk: &dyn Look, sidecar: &RelPath) -> RelPath {
    let name = sidecar.file_text();
    let is_utf8 = sidecar.file_name().to_str().is_some();
    let name = if is_utf8 { name.strip_suffix(SIDECAR_SUFFIX).unwrap_or(&name).into() } else { sidecar.stem() };
    let beside = sidecar.sibling(&name);
    let bundle = sidecar
        .parent()
        .filter(|folder| folder.file_name() == BundleFolder::SIDECARS)
        .and_then(|folder| folder.parent());
    match bundle {
        Some(bundle) if !matches!(disk.stat(&beside), Ok(Some(_))) => bundle.join(BundleFolder::FILES).join(&name),
        _ => beside,
    }
}

/// Where the journal's last word says that an asset stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) asset: AssetId,
    /// The hash of its bytes, where the journal knows it.
    pub(super) hash: Option<ContentHash>,
}

/// What the journal says.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) places: BTreeMap<RelPath, Place>,
    /// Where stockmill put files: these were not moved there by hand.
    pub(super) put: HashSet<RelPath>,
    /// What plans that are not done yet speak of.
    pub(super) in_hand: BTreeSet<RelPath>,
    /// How many plans these are.
    pub(super) open: usize,
}

impl Expected {
    /// Returns what was done, all plans told one after the other.
    pub(super) fn by(records: &[Record]) -> Self {
        let plans = Plans::of(records);
        let mut told = Told::default();
        plans.done_as_begun().into_iter().for_each(|intent| told.take(intent));
        let (mut in_hand, open) = (BTreeSet::new(), plans.open.len());
        for intent in plans.open {
            in_hand.extend(intent.publish.iter().map(|product| product.to.clone()));
            in_hand.extend(intent.moves.iter().flat_map(|shift| [shift.from.clone(), shift.to.clone()]));
            in_hand.extend(intent.removes.iter().map(|gone| gone.path.clone()));
        }
        Self { places: told.places, put: told.hashes.into_keys().collect(), in_hand, open }
    }
}

/// The journal as far as it was told.
#[derive(Debug, Default)]
struct Told {
    places: BTreeMap<RelPath, Place>,
    of_asset: HashMap<AssetId, Vec<RelPath>>,
    hashes: HashMap<RelPath, ContentHash>,
}

impl Told {
    fn take(&mut self, intent: &Intent) {
        let about = &intent.about;
        for product in &intent.publish {
            self.hashes.insert(product.to.clone(), product.hash.clone());
            if let Some(place) = self.places.get_mut(&product.to) {
                place.hash = Some(product.hash.clone());
            }
        }
        for shift in &intent.moves {
            let known = self.hashes.remove(&shift.from);
            let known = known.or_else(|| about.hash.clone().filter(|_| about.from.as_ref() == Some(&shift.from)));
            // What is set aside is the same asset still, though its plan names none.
            if let Some(place) = self.places.remove(&shift.from) {
                self.of_asset.entry(place.asset.clone()).or_default().push(shift.to.clone());
                self.places.insert(shift.to.clone(), place);
            }
            self.hashes.extend(known.map(|hash| (shift.to.clone(), hash)));
        }
        for gone in &intent.removes {
            let known = self.hashes.remove(&gone.path);
            self.hashes.extend(gone.aside.clone().zip(known));
        }
        let (Some(asset), Some(to)) = (&about.asset, &about.to) else { return };
        for old in self.of_asset.remove(asset).unwrap_or_default() {
            if self.places.get(&old).is_some_and(|place| place.asset == *asset) {
                self.places.remove(&old);
            }
        }
        // A file that goes to several markets has a place in each of their bundles.
        let bundled = intent.publish.iter().map(|product| &product.to);
        let bundled = bundled.filter(|path| {
            !about.markets.is_empty() && path.parent().is_some_and(|p| p.file_name() == BundleFolder::FILES)
        });
        for path in std::iter::once(to).chain(bundled) {
            let place = Place { asset: asset.clone(), hash: self.hashes.get(path).cloned() };
            self.places.insert(path.clone(), place);
            self.of_asset.entry(asset.clone()).or_default().push(path.clone());
        }
    }
}
