use super::bundle::{BundleAsset, BundleName};
use super::checklist::Checklist;
use super::{Plan, new_version};
use crate::market::{self, Market, MarketError, Row};
use crate::model::{ContentHash, Stage, counted};
use crate::records::About;

/// Plans a bundle's manifest and checklist, each replaced whole; `existing` are their present bytes, in this order.
/// The files `without_row` are not assets of the bundle: a person put them there, or took their sidecars away. `None`
/// if nothing would change.
pub fn plan_manifest(
    name: &BundleName,
    market: &Market,
    assets: &[BundleAsset],
    without_row: &[String],
    existing: [Option<&[u8]>; 2],
) -> Result<Option<Plan>, MarketError> {
    let rows = |assets: &[BundleAsset]| -> Vec<Row> { assets.iter().map(BundleAsset::row).collect() };
    let all = rows(assets);
    // Tags change after a file was bundled: what its market would not take any more has no row.
    let refusal = |row: &Row| market::check_tags(market, &row.meta, row.category.as_deref());
    let refused: Vec<(String, String)> = all
        .iter()
        .map(|row| (row.file_name.clone(), refusal(row).join("; ")))
        .filter(|(_, why)| !why.is_empty())
        .collect();
    let is_taken = |asset: &&BundleAsset| !refused.iter().any(|(file, _)| *file == asset.file_name);
    let assets: Vec<BundleAsset> = assets.iter().filter(is_taken).cloned().collect();
    let rows = rows(&assets);
    let list = Checklist { name, market, assets: &assets, without_row, refused: &refused };
    let texts = [market::manifest(market, &rows)?, list.text(&rows, existing[1])];
    let paths = [name.folder().join(format!("{}.csv", market.name)), name.folder().join("CHECKLIST.md")];
    let changed = texts.into_iter().zip(paths).zip(existing).filter(|((text, _), was)| Some(text.as_slice()) != *was);
    let products: Vec<_> =
        changed.map(|((text, path), was)| new_version(path, text, was.map(ContentHash::of))).collect();
    if products.is_empty() {
        return Ok(None);
    }
    let did = match without_row.len() {
        0 => format!("manifest written for {}", counted(rows.len(), "file")),
        1 => format!("manifest written for {}; 1 more lies in `files/` and has no row", counted(rows.len(), "file")),
        more => {
            format!("manifest written for {}; {more} more lie in `files/` and have no row", counted(rows.len(), "file"))
        }
    };
    let did = match refused.len() {
        0 => did,
        1 => format!("{did}; the market refuses 1 file by its tags of today, which has no row"),
        more => format!("{did}; the market refuses {more} files by their tags of today, which have no row"),
    };
    let about = About { to: Some(name.folder()), ..About::new(Stage::Upload, did) };
    Ok(Some(Plan { products, ..Plan::new(about) }))
}
