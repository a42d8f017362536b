use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read as _;

use crate::market::{Market, manifest_part, names_in};
use crate::model::{AssetId, ContentHash, Identity, RelPath, is_sent_mark};
use crate::records::{BundleFolder, DELIVERED, SIDECAR_BYTES_MAX, Sidecar};
use crate::vault::{DiskResult, Entry, Look, What, own_names, plain};

/// The largest manifest that is read.
pub(super) const CSV_BYTES_MAX: u64 = 1 << 30;

/// A file that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) path: RelPath,
    pub(super) seen: Identity,
}

impl Item {
    /// Returns whether the file is still the one that was seen; one that cannot be looked at is not known to be.
    pub(super) fn is_as_seen(&self, disk: &dyn Look) -> bool {
        disk.stat(&self.path).is_ok_and(|found| found.is_some_and(|entry| entry.identity == self.seen))
    }

    /// Reads it, as it was seen.
    pub(super) fn read(&self, disk: &dyn Look) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut file = disk.open_as(&self.path, self.seen).map_err(|error| error.to_string())?;
        file.read_to_end(&mut bytes).map_err(|error| plain(&error))?;
        Ok(bytes)
    }
}

/// What lies in a bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// Its files, by name.
    pub(super) files: Vec<Item>,
    /// Its manifests, in order.
    pub(super) csv: Vec<Item>,
    /// Files of which no manifest has a row: stockmill did not put them there, or the market would refuse them.
    pub(super) without_row: Vec<String>,
}

/// Looks into a bundle.
pub(super) fn contents(disk: &dyn Look, market: &Market, bundle: &RelPath) -> DiskResult<Contents> {
    let part = |item: &Item| manifest_part(&market.name, &item.path.file_text());
    let mut csv: Vec<Item> = items(disk, bundle)?.into_iter().filter(|item| part(item).is_some()).collect();
    csv.sort_by_key(part);
    let mut rows = BTreeSet::new();
    for item in &csv {
        rows.append(&mut names_in(market, &disk.read(&item.path, CSV_BYTES_MAX)?));
    }
    // Nothing else is for the market's server.
    let files = items(disk, &bundle.join(BundleFolder::FILES))?.into_iter();
    let (files, others): (Vec<Item>, Vec<Item>) = files.partition(|item| rows.contains(&item.path.file_text()));
    Ok(Contents { files, csv, without_row: others.iter().map(|item| item.path.file_text()).collect() })
}

/// Returns whether the list of a bundle says that something of it is delivered.
pub(super) fn says_delivered(disk: &dyn Look, bundle: &RelPath) -> bool {
    let list = disk.read(&bundle.join("CHECKLIST.md"), SIDECAR_BYTES_MAX).unwrap_or_default();
    String::from_utf8_lossy(&list).contains(DELIVERED)
}

/// Returns the bundle that a file for the market's server lies in, by its path.
pub(super) fn bundle_of(file: &RelPath) -> Option<RelPath> {
    let files = file.parent().filter(|folder| folder.file_name() == BundleFolder::FILES)?;
    files.parent()
}

/// Returns whether a person marked a bundle as sent, or it does not lie there any more.
pub(super) fn is_closed(disk: &dyn Look, bundle: &RelPath) -> bool {
    disk.list(bundle).map_or(true, |listed| listed.iter().any(|(name, _)| is_sent_mark(name)))
}

/// Returns the folder of a bundled model's parts, if it has some; or why nobody can tell.
pub(super) fn parts_of(disk: &dyn Look, file: &RelPath) -> Result<Option<RelPath>, String> {
    let Some(bundle) = bundle_of(file) else { return Ok(None) };
    for (folder, _) in BundleFolder::new(bundle).places_of_parts(&file.file_text()) {
        if holds_file(disk, &folder).map_err(|error| error.to_string())? {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

/// Returns whether a folder is there and holds a regular file at any depth. Hidden folders are nobody's parts.
fn holds_file(disk: &dyn Look, folder: &RelPath) -> DiskResult<bool> {
    if disk.stat(folder)?.is_none() {
        return Ok(false);
    }
    let mut waiting = vec![folder.clone()];
    while let Some(folder) = waiting.pop() {
        let listed = disk.list(&folder)?;
        if listed.iter().any(|(name, entry)| {
            entry.what == What::File && !name.as_encoded_bytes().starts_with(own_names::HOME.as_bytes())
        }) {
            return Ok(true);
        }
        let is_entered =
            |name: &OsStr, entry: &Entry| entry.what == What::Folder && !name.as_encoded_bytes().starts_with(b".");
        let below = listed.iter().filter(|(name, entry)| is_entered(name, entry));
        waiting.extend(below.map(|(name, _)| folder.join(name)));
    }
    Ok(false)
}

/// Returns the asset that a bundled file is of, and the hash of the bytes that stockmill left of it if that is on record; or says
/// why nobody can tell.
pub(super) fn asset_of(disk: &dyn Look, file: &RelPath) -> Result<(AssetId, Option<ContentHash>), String> {
    let bundle = bundle_of(file).ok_or("it lies in no bundle")?;
    let sidecar = BundleFolder::new(bundle).sidecar_of(file.file_name());
    let read = disk.read(&sidecar, SIDECAR_BYTES_MAX).map_err(|error| error.to_string());
    let read =
        read.and_then(|bytes| Sidecar::parse(&bytes).map_err(|error| format!("`{sidecar}`: {}", error.of_bundled())));
    let id = |read: Sidecar| read.id.map(|id| (id, read.file.map(|file| file.hash)));
    let read = read.and_then(|read| id(read).ok_or_else(|| format!("`{sidecar}` names no asset")));
    read.map_err(|why| format!("nobody can tell whether the market got it before: {why}"))
}

/// Returns the regular files in a folder, by name.
fn items(disk: &dyn Look, folder: &RelPath) -> DiskResult<Vec<Item>> {
    let listed = disk.list(folder)?.into_iter();
    let files = listed.filter(|(name, entry)| entry.what == What::File && !name.as_encoded_bytes().starts_with(b"."));
    let mut items: Vec<Item> =
        files.map(|(name, entry)| Item { path: folder.join(name), seen: entry.identity }).collect();
    items.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(items)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test plays the daemon that makes a bundle")]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::vault::{Layout, RealDisk};

    #[test]
    fn only_what_has_a_row_is_sent() {
        let root = tempfile::tempdir().unwrap();
        let bundle = root.path().join("upload/2026-11-28/adobe-stock");
        std::fs::create_dir_all(bundle.join("files/folder")).unwrap();
        std::fs::create_dir_all(bundle.join("sidecars")).unwrap();
        for name in [
            "files/b.jpg",
            "files/a.jpg",
            "files/mine.jpg",
            "files/.DS_Store",
            "sidecars/a.jpg.yaml",
            "CHECKLIST.md",
            "mine.csv",
            "adobe-stock-02.csv",
        ] {
            std::fs::write(bundle.join(name), name).unwrap();
        }
        std::os::unix::fs::symlink("a.jpg", bundle.join("files/link.jpg")).unwrap();
        let csv = "Filename,Title,Keywords,Category,Releases\r\na.jpg,A,a,1,\r\nb.jpg,B,b,1,\r\nlink.jpg,L,l,1,\r\ngone.jpg,G,g,1,\r\n";
        std::fs::write(bundle.join("adobe-stock.csv"), csv).unwrap();
        let disk = RealDisk::open_to_look(Layout { root: root.path().to_owned(), areas: [].into() });
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let found = contents(&*disk, &market, &RelPath::new("upload/2026-11-28/adobe-stock").unwrap()).unwrap();
        let names = |items: &[Item]| items.iter().map(|item| item.path.file_text()).collect::<Vec<_>>();
        assert_eq!(names(&found.files), ["a.jpg", "b.jpg"]);
        assert_eq!(names(&found.csv), ["adobe-stock.csv"]);
        assert_eq!(found.without_row, ["mine.jpg"]);
        // Of a file whose sidecar says nothing nobody can tell whether the market got it.
        let of = |name: &str| asset_of(&*disk, &RelPath::new(format!("upload/2026-11-28/adobe-stock/{name}")).unwrap());
        assert!(of("files/a.jpg").unwrap_err().contains("`upload/2026-11-28/adobe-stock/sidecars/a.jpg.yaml`"));
        std::fs::write(bundle.join("sidecars/a.jpg.yaml"), "id: 0123456789abcdef\n").unwrap();
        assert_eq!(of("files/a.jpg").unwrap().1, None);
        let folder = RelPath::new("upload/2026-11-28/adobe-stock").unwrap();
        assert!(!is_closed(&*disk, &folder));
        std::fs::write(bundle.join("Sent.txt"), "").unwrap();
        assert!(is_closed(&*disk, &folder) && is_closed(&*disk, &folder.sibling("gone")));
    }
}
