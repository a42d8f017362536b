use std::borrow::Cow;
use std::collections::BTreeSet;

use super::bundle::{BundleAsset, BundleName};
use super::bundle_folder::BundleFolder;
use super::checklist::{Checklist, Refused, tells_refused};
use super::checklist_csv::Part;
use super::delivered::Delivered;
use super::theme_files::removed;
use super::{Plan, new_version};
use crate::market::{self, Market, MarketError, Row};
use crate::model::{ContentHash, Identity, RelPath, Stage, counted};
use crate::records::{About, LIST_RECORD, ListRecord, Remove, Versions};

/// A part of a bundle's manifest as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where it lies.
    pub path: RelPath,
    /// The state in which it was seen.
    pub seen: Identity,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What lies in a bundle beside its files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Existing<'a> {
    /// The parts of its manifest.
    pub manifests: &'a [Written],
    /// The bytes of its checklist.
    pub checklist: Option<&'a [u8]>,
    /// The bytes of what that is about.
    pub record: Option<&'a [u8]>,
}

/// Returns where it stands what a bundle's checklist is about.
pub fn list_record(bundle: &RelPath) -> RelPath {
    BundleFolder::new(bundle.clone()).sidecars().join(LIST_RECORD)
}

/// Plans a bundle's manifest and checklist, each replaced whole, beside what is `existing`.
/// The files `without_row` are not assets of the bundle: a person put them there, or took their sidecars away. `None`
/// if nothing would change.
pub fn plan_manifest(
    name: &BundleName,
    market: &Market,
    assets: &[BundleAsset],
    without_row: &[String],
    delivered: &Delivered,
    existing: &Existing<'_>,
) -> Result<Option<Plan>, MarketError> {
    // Tags and rules change after a file was bundled: what its market would not take any more has no row.
    let Existing { manifests: lie_there, checklist: list_there, record: record_there } = *existing;
    let list_was = list_there.map(String::from_utf8_lossy).unwrap_or_default();
    let is_refused = |asset| refused(market, asset).or_else(|| refused_before(asset, &list_was));
    let refused: Vec<Refused<'_>> = assets.iter().filter_map(is_refused).collect();
    let names: BTreeSet<&str> = refused.iter().map(|refused| refused.file).collect();
    let is_taken = |asset: &&BundleAsset| !names.contains(asset.file_name.as_str());
    // There may be thousands, and seldom is one refused.
    let assets = if refused.is_empty() {
        Cow::Borrowed(assets)
    } else {
        Cow::Owned(assets.iter().filter(is_taken).cloned().collect())
    };
    let rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
    let parts = market::manifest(market, &rows)?;
    let paths = (1..).map(|part| name.manifest(part));
    let part = |(path, text): (RelPath, &Vec<u8>)| Ok(Part { path, rows: row_versions(market, text)? });
    let of_parts = paths.zip(&parts).map(part).collect::<Result<Vec<Part>, MarketError>>()?;
    let (assets, refused) = (&*assets, &*refused);
    let list = Checklist { name, market, assets, without_row, refused, parts: &of_parts, delivered };
    let was = |path: &RelPath| lie_there.iter().find(|part| part.path == *path).map(|part| part.bytes.as_slice());
    let texts = of_parts.iter().map(|part| (part.path.clone(), was(&part.path))).zip(parts);
    // What cannot be read is forgotten: the lines still say what they are about, if less surely.
    let known = record_there.and_then(|bytes| ListRecord::parse(bytes).ok());
    let (text, record) = list.text(&rows, list_there, known.as_ref());
    let list = ((name.folder().join("CHECKLIST.md"), list_there), text);
    let record = ((list_record(&name.folder()), record_there), record.to_bytes());
    let changed = texts.chain([list, record]).filter(|((_, was), text)| Some(text.as_slice()) != *was);
    let products: Vec<_> =
        changed.map(|((path, was), text)| new_version(path, text, was.map(ContentHash::of))).collect();
    let removes = left_over(market, lie_there, &of_parts)?;
    if products.is_empty() && removes.is_empty() {
        return Ok(None);
    }
    let about = About::new(Stage::Upload, told(rows.len(), without_row.len(), refused.len()));
    let about = About { to: Some(name.folder()), ..about };
    Ok(Some(Plan { products, removes, ..Plan::new(about) }))
}

/// Returns which version of each row a part of a manifest has.
fn row_versions(market: &Market, manifest: &[u8]) -> Result<Versions, MarketError> {
    let mut rows = Versions::new();
    market::with_rows(market, manifest, &mut |name, row| {
        rows.insert(name.to_owned(), ContentHash::of(row).short());
        false
    })?;
    Ok(rows)
}

/// Returns why a market would refuse a file of its bundle today, if it would.
fn refused<'a>(market: &Market, asset: &'a BundleAsset) -> Option<Refused<'a>> {
    let row = asset.row();
    let by_tags = market::check_tags(market, row.meta, row.category, asset.written);
    let against = asset.against.as_ref().and_then(|against| against.as_ref().ok()).unwrap_or(&by_tags);
    let is_by_tags = against.iter().all(|reason| by_tags.contains(reason));
    let reasons: Vec<String> = against.iter().cloned().chain(market::row_too_long(market, &row)).collect();
    (!reasons.is_empty()).then(|| Refused { file: &asset.file_name, why: reasons.join("; "), is_by_tags })
}

/// Returns that a file stays refused which cannot be measured, if it was refused by the list that lies there: nobody can tell
/// that its market would take it by now.
fn refused_before<'a>(asset: &'a BundleAsset, list: &str) -> Option<Refused<'a>> {
    let why = asset.against.as_ref()?.as_ref().err()?;
    let was_refused = list.lines().any(|line| tells_refused(line, &asset.file_name));
    let why = format!("it was so before, and cannot be measured now: {why}");
    was_refused.then_some(Refused { file: &asset.file_name, why, is_by_tags: false })
}

/// Returns what is told of a manifest of so many rows, of files without one, and of files that the market refuses.
fn told(rows: usize, without_row: usize, refused: usize) -> String {
    let did = match without_row {
        0 => format!("manifest written for {}", counted(rows, "file")),
        1 => format!("manifest written for {}; 1 more lies in `files/` and has no row", counted(rows, "file")),
        more => {
            format!("manifest written for {}; {more} more lie in `files/` and have no row", counted(rows, "file"))
        }
    };
    match refused {
        0 => did,
        1 => format!("{did}; the market refuses 1 file by its rules or the tags of today, which has no row"),
        more => format!("{did}; the market refuses {more} files by its rules or the tags of today, which have no row"),
    }
}

/// Returns the removals of parts that the manifest does not have any more. What a person put there under such a name stays.
fn left_over(market: &Market, lie_there: &[Written], parts: &[Part]) -> Result<Vec<Remove>, MarketError> {
    let header = market::manifest(market, &[])?.concat();
    let gone = lie_there
        .iter()
        .filter(|part| !parts.iter().any(|made| made.path == part.path) && part.bytes.starts_with(&header));
    Ok(gone.map(|part| removed(part.path.clone(), part.seen)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::model::Meta;
    use crate::plan::Recipe;

    /// A further bundle began at the limit, which a person had to upload and mark on its own.
    #[test]
    fn a_manifest_has_as_many_parts_as_its_rows_take() {
        let mut market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        market.csv.rows_max = 2;
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let meta = || Meta { title: "Sea".to_owned(), keywords: vec!["sea".to_owned()], ..Meta::default() };
        let asset = |n: usize| BundleAsset::bare(&format!("a-{n}.jpg"), meta());
        let mine = "header of mine\r\n";
        let (mut files, mut list, mut record): (Vec<Written>, Option<String>, Option<Vec<u8>>) =
            (Vec::new(), None, None);
        // A person's file of the same form stays, and what a person ticks.
        let seen = Identity { device: 1, inode: 2, size: 3, modified_ns: 4 };
        files.push(Written { path: name.manifest(9), seen, bytes: mine.as_bytes().to_vec() });
        // How many assets there are, what is written, what is removed, and how many steps are about the manifest.
        for (count, written, gone, steps) in [
            (0, vec!["adobe-stock.csv", "CHECKLIST.md", "checklist.json"], vec![], 1),
            (2, vec!["adobe-stock.csv", "CHECKLIST.md", "checklist.json"], vec![], 1),
            (5, vec!["adobe-stock-2.csv", "adobe-stock-3.csv", "CHECKLIST.md", "checklist.json"], vec![], 3),
            (4, vec!["CHECKLIST.md", "checklist.json"], vec!["adobe-stock-3.csv"], 2),
            (1, vec!["adobe-stock.csv", "CHECKLIST.md", "checklist.json"], vec!["adobe-stock-2.csv"], 1),
        ] {
            let assets: Vec<BundleAsset> = (0..count).map(asset).collect();
            let checklist = list.as_deref().map(str::as_bytes);
            let existing = &Existing { manifests: &files, checklist, record: record.as_deref() };
            let plan = plan_manifest(&name, &market, &assets, &[], &Delivered::default(), existing).unwrap().unwrap();
            let names: Vec<String> = plan.products.iter().map(|product| product.to.file_text()).collect();
            assert_eq!(names, written, "{count}");
            assert_eq!(plan.removes.iter().map(|gone| gone.path.file_text()).collect::<Vec<_>>(), gone, "{count}");
            files.retain(|file| plan.removes.iter().all(|gone| gone.path != file.path));
            for product in plan.products {
                let Recipe::Bytes(bytes) = product.recipe else { panic!("{:?}", product.recipe) };
                files.retain(|file| file.path != product.to);
                match product.to.extension().as_str() {
                    "csv" => files.push(Written { path: product.to, seen, bytes }),
                    "json" => record = Some(bytes),
                    _ => list = String::from_utf8(bytes).ok(),
                }
            }
            let told = list.clone().unwrap();
            assert_eq!(told.matches("- [ ] Then upload `adobe-stock").count(), steps, "{told}");
            let rows: usize = files.iter().map(|part| market::names_in(&market, &part.bytes).len()).sum();
            assert_eq!(rows, count);
        }
        assert!(files.iter().any(|file| file.bytes == mine.as_bytes()));
    }
}
