use std::borrow::Cow;
use std::collections::BTreeMap;

use super::BundleFolder;
use super::bundle::{BundleAsset, BundleName};
use super::checklist::Checklist;
use super::checklist_csv::Part;
use super::delivered::Delivered;
use super::theme_files::removed;
use super::unwanted::Unwanted;
use super::{Plan, Recipe, new_version};
use crate::market::{self, Market, MarketError, Row};
use crate::model::{ContentHash, Identity, RelPath, Stage, counted};
use crate::records::{About, LIST_RECORD, ListRecord, Remove, Versions, row_sum};

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

/// What a bundle's checklist is called.
const CHECKLIST: &str = "CHECKLIST.md";

/// What is told where the record of a list cannot be read, which is written anew.
const FORGOTTEN: &str = "; `checklist.json` could not be read, so that what is ticked counts for what lies there now: look whether \
                         all was uploaded that changed meanwhile";

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
    // What cannot be read is forgotten: the lines still say what they are about, if less surely.
    let known = record_there.map(ListRecord::parse).transpose();
    let on_record = known.as_ref().ok().and_then(Option::as_ref);
    let unwanted = Unwanted::of(market, assets, on_record);
    // There may be thousands, and seldom is one of no use.
    let kept: Cow<'_, [BundleAsset]> = if unwanted.is_empty() {
        Cow::Borrowed(assets)
    } else {
        let names = unwanted.names();
        Cow::Owned(assets.iter().filter(|asset| !names.contains(asset.file_name.as_str())).cloned().collect())
    };
    let rows: Vec<Row<'_>> = kept.iter().map(BundleAsset::row).collect();
    let parts = market::manifest(market, &rows)?;
    let paths = (1..).map(|part| name.manifest(part));
    let of_parts = paths.zip(&parts).map(|(path, text)| part(path, market, text));
    let of_parts = of_parts.collect::<Result<Vec<Part>, MarketError>>()?;
    let (assets, unwanted, parts_of) = (&*kept, &unwanted, &of_parts);
    let list = Checklist { name, market, assets, without_row, unwanted, parts: parts_of, delivered };
    let was = |path: &RelPath| lie_there.iter().find(|part| part.path == *path).map(|part| part.bytes.as_slice());
    let texts = of_parts.iter().map(|part| (part.path.clone(), was(&part.path))).zip(parts);
    let (text, record) = list.text(&rows, list_there, on_record);
    let list = ((name.folder().join(CHECKLIST), list_there), text);
    let record = ((list_record(&name.folder()), record_there), record.to_bytes());
    let changed = texts.chain([list, record]).filter(|((_, was), text)| Some(text.as_slice()) != *was);
    let products: Vec<_> =
        changed.map(|((path, was), text)| new_version(path, text, was.map(ContentHash::of))).collect();
    let removes = left_over(market, lie_there, &of_parts)?;
    if products.is_empty() && removes.is_empty() {
        return Ok(None);
    }
    let forgotten = if known.is_err() { FORGOTTEN } else { "" };
    let did = told(rows.len(), without_row.len(), unwanted) + forgotten;
    let about = About { to: Some(name.folder()), ..About::new(Stage::Upload, did) };
    Ok(Some(Plan { products, removes, ..Plan::new(about) }))
}

/// Plans to remove a bundle that holds no file any more, with its lists, which are all that is `lying` there; `None` if some of
/// that is a person's: another file, a tick, or words in the checklist.
pub fn plan_bundle_away(
    name: &BundleName,
    market: &Market,
    existing: &Existing<'_>,
    lying: &[(RelPath, Identity)],
) -> Option<Plan> {
    let (list, record) = (name.folder().join(CHECKLIST), list_record(&name.folder()));
    let manifests = left_over(market, existing.manifests, &[]).ok()?;
    let is_own = |path: &RelPath| *path == list || *path == record || manifests.iter().any(|gone| gone.path == *path);
    let written_beside = |existing: &Existing<'_>| {
        let plan = plan_manifest(name, market, &[], &[], &Delivered::default(), existing).ok()??;
        plan.products.into_iter().find(|product| product.to == list).map(|product| product.recipe)
    };
    // As long as it has none of a person's words, it is written as if none were there.
    let is_untouched = existing.checklist.is_none_or(|text| {
        let is_ticked = text.windows(3).any(|mark| mark.eq_ignore_ascii_case(b"[x]"));
        let kept = written_beside(existing).unwrap_or_else(|| Recipe::Bytes(text.to_vec()));
        !is_ticked && written_beside(&Existing::default()) == Some(kept)
    });
    if !is_untouched || !lying.iter().all(|(path, _)| is_own(path)) {
        return None;
    }
    let did = "bundle removed: its last file was taken back, and nothing else lay in it but its lists";
    let about = About { to: Some(name.folder()), ..About::new(Stage::Upload, did) };
    let removes = lying.iter().map(|(path, seen)| removed(path.clone(), *seen)).collect();
    Some(Plan { removes, ..Plan::new(about) })
}

/// Returns what a list says of a part of a manifest.
fn part(path: RelPath, market: &Market, manifest: &[u8]) -> Result<Part, MarketError> {
    let (mut rows, mut sums) = (Versions::new(), BTreeMap::new());
    market::with_rows(market, manifest, &mut |name, row| {
        rows.insert(name.to_owned(), version_of(row));
        sums.insert(name.to_owned(), row_sum(row));
        false
    })?;
    Ok(Part { path, rows, sums })
}

/// Returns the version of each row of a part of a manifest, by the name of its file.
pub(super) fn rows_of(market: &Market, manifest: &[u8]) -> Result<Versions, MarketError> {
    let mut rows = Versions::new();
    market::with_rows(market, manifest, &mut |name, row| {
        rows.insert(name.to_owned(), version_of(row));
        false
    })?;
    Ok(rows)
}

fn version_of(row: &[u8]) -> String {
    ContentHash::of(row).short()
}

/// Returns what is told of a manifest of so many rows, of files without one, and of files that the market refuses or has.
fn told(rows: usize, without_row: usize, unwanted: &Unwanted<'_>) -> String {
    let did = match without_row {
        0 => format!("manifest written for {}", counted(rows, "file")),
        1 => format!("manifest written for {}; 1 more lies in `files/` and has no row", counted(rows, "file")),
        more => {
            format!("manifest written for {}; {more} more lie in `files/` and have no row", counted(rows, "file"))
        }
    };
    did + &unwanted.told()
}

/// Returns the removals of parts that the manifest does not have any more: those that begin as it does by today's columns, or as
/// those do that are replaced now. What a person put there under such a name stays.
fn left_over(market: &Market, lie_there: &[Written], parts: &[Part]) -> Result<Vec<Remove>, MarketError> {
    let header = market::manifest(market, &[])?.concat();
    let is_made = |part: &&Written| parts.iter().any(|made| made.path == part.path);
    let (made, left): (Vec<_>, Vec<_>) = lie_there.iter().partition(is_made);
    let is_as_made = |part: &Written| made.iter().any(|made| first_line(&made.bytes) == first_line(&part.bytes));
    let gone = left.into_iter().filter(|part| part.bytes.starts_with(&header) || is_as_made(part));
    Ok(gone.map(|part| removed(part.path.clone(), part.seen)).collect())
}

fn first_line(text: &[u8]) -> &[u8] {
    text.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::model::Meta;

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
            (0, vec!["adobe-stock.csv", "CHECKLIST.md", "checklist.json"], vec![], 0),
            (2, vec!["adobe-stock.csv", "CHECKLIST.md", "checklist.json"], vec![], 1),
            (5, vec!["adobe-stock-2.csv", "adobe-stock-3.csv", "CHECKLIST.md", "checklist.json"], vec![], 3),
            (4, vec!["CHECKLIST.md", "checklist.json"], vec!["adobe-stock-3.csv"], 2),
            // The market wants other columns now: those of the part that is left over are the former ones.
            (1, vec!["adobe-stock.csv", "CHECKLIST.md", "checklist.json"], vec!["adobe-stock-2.csv"], 1),
        ] {
            if count == 1 {
                market.csv.columns.truncate(2);
            }
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

    /// The folder of a bundle stayed after its last file was taken back, with a list that asked for nothing.
    #[test]
    fn a_bundle_goes_with_its_last_file_unless_a_person_left_something_there() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let seen = Identity { device: 1, inode: 2, size: 3, modified_ns: 4 };
        let meta = Meta { title: "Sea".to_owned(), keywords: vec!["sea".to_owned()], ..Meta::default() };
        let assets = [BundleAsset::bare("a.jpg", meta)];
        let plan = plan_manifest(&name, &market, &assets, &[], &Delivered::default(), &Existing::default());
        let written: Vec<(RelPath, Vec<u8>)> = plan
            .unwrap()
            .unwrap()
            .products
            .into_iter()
            .map(|product| {
                let Recipe::Bytes(bytes) = product.recipe else { panic!("{:?}", product.recipe) };
                (product.to, bytes)
            })
            .collect();
        let of = |end: &str| written.iter().find(|(path, _)| path.extension() == end).unwrap().1.clone();
        let list = String::from_utf8(of("md")).unwrap();
        let is_gone = |csv: &[u8], list: &str, more: Option<&str>| {
            let manifests = [Written { path: name.manifest(1), seen, bytes: csv.to_vec() }];
            let record = of("json");
            let existing = Existing { manifests: &manifests, checklist: Some(list.as_bytes()), record: Some(&record) };
            let own = written.iter().map(|(path, _)| path.clone());
            let lying: Vec<_> = own.chain(more.map(|more| name.folder().join(more))).map(|path| (path, seen)).collect();
            let plan = plan_bundle_away(&name, &market, &existing, &lying);
            plan.is_some_and(|plan| plan.removes.len() == lying.len())
        };
        assert!(list.contains("- [ ] Upload `a.jpg`"), "{list}");
        let ticked = list.replacen("[ ]", "[x]", 1);
        for (csv, list, more, expected) in [
            (of("csv"), list.clone(), None, true),
            (of("csv"), ticked, None, false),
            (of("csv"), format!("{list}ask Jane\n"), None, false),
            (of("csv"), list.clone(), Some("mine.txt"), false),
            (of("csv"), list.clone(), Some("sidecars/a.jpg.yaml"), false),
            (b"a header of mine\r\n".to_vec(), list, None, false),
        ] {
            assert_eq!(is_gone(&csv, &list, more), expected, "{more:?} {list}");
        }
    }

    /// The record of a list was written anew without a word, and with it went what its ticks were about.
    #[test]
    fn a_list_whose_record_cannot_be_read_is_told() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let assets = [BundleAsset::bare("a.jpg", Meta { title: "Sea".to_owned(), ..Meta::default() })];
        for (record, is_told) in [(None, false), (Some(&b"{\"version\": 1"[..]), true)] {
            let existing = &Existing { record, ..Existing::default() };
            let plan = plan_manifest(&name, &market, &assets, &[], &Delivered::default(), existing).unwrap().unwrap();
            assert_eq!(plan.about.did.contains(FORGOTTEN), is_told, "{:?}", plan.about);
        }
    }
}
