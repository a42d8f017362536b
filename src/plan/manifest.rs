use std::borrow::Cow;
use std::collections::BTreeSet;

use super::bundle::{BundleAsset, BundleName};
use super::checklist::{Checklist, Refused};
use super::checklist_files::of_went;
use super::delivered::Delivered;
use super::theme_files::removed;
use super::{Plan, new_version};
use crate::market::{self, Market, MarketError, Row};
use crate::model::{ContentHash, Identity, RelPath, Stage, counted};
use crate::records::{About, Remove};

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

/// Plans a bundle's manifest and checklist, each replaced whole; `existing` are the parts and the bytes that lie there.
/// The files `without_row` are not assets of the bundle: a person put them there, or took their sidecars away. `None`
/// if nothing would change.
pub fn plan_manifest(
    name: &BundleName,
    market: &Market,
    assets: &[BundleAsset],
    without_row: &[String],
    delivered: &Delivered,
    existing: (&[Written], Option<&[u8]>),
) -> Result<Option<Plan>, MarketError> {
    // Tags and rules change after a file was bundled: what its market would not take any more has no row.
    let went = of_went(assets);
    let refused: Vec<Refused<'_>> = assets.iter().filter_map(|asset| refused(market, asset)).collect();
    let names: BTreeSet<&str> = refused.iter().map(|refused| refused.file).collect();
    let is_taken = |asset: &&BundleAsset| asset.went.is_none() && !names.contains(asset.file_name.as_str());
    // There may be thousands, and seldom is one refused.
    let assets = if refused.is_empty() && went.is_empty() {
        Cow::Borrowed(assets)
    } else {
        Cow::Owned(assets.iter().filter(is_taken).cloned().collect())
    };
    let rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
    let (lie_there, list_there) = existing;
    let parts = market::manifest(market, &rows)?;
    let manifests: Vec<RelPath> = (1..).map(|part| name.manifest(part)).take(parts.len()).collect();
    let (assets, refused, manifests) = (&*assets, &*refused, &*manifests);
    let list = Checklist { name, market, assets, without_row, went: &went, refused, manifests, delivered };
    let was = |path: &RelPath| lie_there.iter().find(|part| part.path == *path).map(|part| part.bytes.as_slice());
    let texts = manifests.iter().map(|path| (path.clone(), was(path))).zip(parts);
    let list = ((name.folder().join("CHECKLIST.md"), list_there), list.text(&rows, list_there));
    let changed = texts.chain([list]).filter(|((_, was), text)| Some(text.as_slice()) != *was);
    let products: Vec<_> =
        changed.map(|((path, was), text)| new_version(path, text, was.map(ContentHash::of))).collect();
    let removes = left_over(market, lie_there, manifests)?;
    if products.is_empty() && removes.is_empty() {
        return Ok(None);
    }
    let did = told(rows.len(), without_row.len(), refused.len()) + &told_went(went.len());
    let about = About { to: Some(name.folder()), ..About::new(Stage::Upload, did) };
    Ok(Some(Plan { products, removes, ..Plan::new(about) }))
}

/// Returns why a market would refuse a file of its bundle today, if it would.
fn refused<'a>(market: &Market, asset: &'a BundleAsset) -> Option<Refused<'a>> {
    if asset.went.is_some() {
        return None;
    }
    let (row, reasons) = (asset.row(), asset.reasons(market));
    let by_tags = || market::check_tags(market, row.meta, row.category).into_iter();
    let by_tags: Vec<String> = by_tags().chain(market::row_too_long(market, &row)).collect();
    let is_by_tags = reasons.iter().all(|reason| by_tags.contains(reason));
    (!reasons.is_empty()).then(|| Refused { file: &asset.file_name, why: reasons.join("; "), is_by_tags })
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

/// Returns what is told of files that their market has.
fn told_went(went: usize) -> String {
    if went == 0 { String::new() } else { format!("; {} went there before and has no row", counted(went, "file")) }
}

/// Returns the removals of parts that the manifest does not have any more. What a person put there under such a name stays.
fn left_over(market: &Market, lie_there: &[Written], manifests: &[RelPath]) -> Result<Vec<Remove>, MarketError> {
    let header = market::manifest(market, &[])?.concat();
    let gone = lie_there.iter().filter(|part| !manifests.contains(&part.path) && part.bytes.starts_with(&header));
    Ok(gone.map(|part| removed(part.path.clone(), part.seen)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Fitted, built_in};
    use crate::model::Meta;
    use crate::plan::Recipe;

    /// A further bundle began at the limit, which a person had to upload and mark on its own.
    #[test]
    fn a_manifest_has_as_many_parts_as_its_rows_take() {
        let mut market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        market.csv.rows_max = 2;
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let asset = |n: usize| BundleAsset {
            file_name: format!("a-{n}.jpg"),
            fitted: Fitted {
                meta: Meta { title: "Sea".to_owned(), keywords: vec!["sea".to_owned()], ..Meta::default() },
                left_out: Vec::new(),
            },
            category: None,
            look: None,
            people: None,
            warnings: Vec::new(),
            video: None,
            is_tagged: true,
            is_retouched: false,
            against: None,
            went: None,
        };
        let mine = "header of mine\r\n";
        let (mut files, mut list): (Vec<Written>, Option<String>) = (Vec::new(), None);
        // A person's file of the same form stays, and what a person ticks.
        let seen = Identity { device: 1, inode: 2, size: 3, modified_ns: 4 };
        files.push(Written { path: name.manifest(9), seen, bytes: mine.as_bytes().to_vec() });
        // How many assets there are, what is written, what is removed, and how many steps are about the manifest.
        for (count, written, gone, steps) in [
            (0, vec!["adobe-stock.csv", "CHECKLIST.md"], vec![], 1),
            (2, vec!["adobe-stock.csv", "CHECKLIST.md"], vec![], 1),
            (5, vec!["adobe-stock-2.csv", "adobe-stock-3.csv", "CHECKLIST.md"], vec![], 3),
            (4, vec!["CHECKLIST.md"], vec!["adobe-stock-3.csv"], 2),
            (1, vec!["adobe-stock.csv", "CHECKLIST.md"], vec!["adobe-stock-2.csv"], 1),
        ] {
            let assets: Vec<BundleAsset> = (0..count).map(asset).collect();
            let existing = (&*files, list.as_deref().map(str::as_bytes));
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
