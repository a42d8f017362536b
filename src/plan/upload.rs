use super::asset::{Asset, free_path};
use super::bundle::{BundleName, SIDECARS};
use super::{Bundle, Hold, Plan, Recipe, new_file};
use crate::market::{self, Candidate, Market, Row};
use crate::model::RelPath;
use crate::records::{FileRecord, SIDECAR_SUFFIX};

/// What is added to a bundled model's name to name the folder of its parts.
const PARTS: &str = ".parts";

/// Puts a finished file into today's bundle of every market that takes it.
pub(super) fn plan(asset: &Asset<'_>) -> Result<Plan, Hold> {
    let mut refused = Vec::new();
    let mut plan: Option<Plan> = None;
    for market in &asset.context.rules.markets {
        match join(asset, market, &mut plan) {
            Ok(()) => (),
            Err(reasons) => refused.push(format!("{} refuses it: {}", market.name, reasons.join("; "))),
        }
    }
    let Some(mut plan) = plan else {
        let none = "no market is configured; name one under `upload.markets`".to_owned();
        return Err(Hold::Waits(if refused.is_empty() { none } else { refused.join("; ") }));
    };
    asset.retire(&mut plan);
    let to = plan.about.to.clone().expect("a bundle has a place for every file");
    let beside = |file: &RelPath| Some(file.parent()?.parent()?.join(SIDECARS));
    let bundled: Vec<RelPath> = plan.products.iter().map(|product| product.to.clone()).collect();
    for file in bundled.iter().filter(|file| **file != to && is_file_of_bundle(file)) {
        if let Some(sidecars) = beside(file) {
            asset.copy_xmp(&mut plan, &sidecars.join(file.file_name()));
        }
    }
    if let Some(sidecars) = beside(&to) {
        // Two models may have parts of the same name.
        let parts = sidecars.join(to.with_suffix(PARTS).file_name());
        asset.bring_companions(&mut plan, &sidecars.join(to.file_name()), &parts);
    }
    Ok(plan)
}

fn is_file_of_bundle(path: &RelPath) -> bool {
    path.area() == "upload" && path.parts().nth(3).is_some_and(|part| part == "files")
}

/// Adds a file and its sidecar in one market's bundle to the plan, or says why the market refuses it.
fn join(asset: &Asset<'_>, market: &Market, plan: &mut Option<Plan>) -> Result<(), Vec<String>> {
    if asset.context.bundled_for.contains(&market.name) {
        return Err(vec!["it was bundled for this market before".to_owned()]);
    }
    let tags = asset.tags();
    let meta = market::fit(market, &tags.meta());
    let category = tags.category.get(&market.name).map(|category| category.value.clone());
    let candidate = Candidate {
        kind: asset.kind,
        size: asset.facts.size,
        bytes: asset.facts.seen.size,
        meta: meta.clone(),
        category: category.clone(),
    };
    let reasons = market::check(market, &candidate);
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let row = Row { file_name: file_name(asset), meta, category };
    let bundle = open_bundle(asset, market, market::row_bytes(market, &row));
    let files = bundle.folder().join("files");
    let sidecars = bundle.folder().join(SIDECARS);
    let taken = |name: &str| {
        (asset.context.taken)(&files.join(name))
            || (asset.context.taken)(&sidecars.join(name).with_suffix(SIDECAR_SUFFIX))
    };
    let Some(name) = market::fit_file_name(market, &row.file_name, &asset.id.to_string(), &taken) else {
        return Err(vec!["no free file name is short enough for it; shorten the theme's folder name".to_owned()]);
    };
    let to = files.join(&name);
    let did = format!("bundled for {} of {}", market.name, bundle.day);
    let plan = plan.get_or_insert_with(|| asset.plan(&to, did.clone()));
    plan.about.market =
        Some(plan.about.market.as_ref().map_or_else(|| market.name.clone(), |m| format!("{m},{}", market.name)));
    let known = asset.sidecar.file.as_ref().and_then(|file| file.embedded.clone());
    let current = known.as_ref() == Some(&tags.digest()) || !asset.kind.is_image();
    let recipe = if current {
        Recipe::Same { from: asset.facts.path.clone(), hash: asset.facts.hash.clone() }
    } else {
        Recipe::Embed { from: asset.facts.path.clone(), kind: asset.kind, meta: tags.meta() }
    };
    let mut sidecar = asset.sidecar_that(&did);
    let recipe_text =
        asset.sidecar.file.as_ref().and_then(|file| file.recipe.clone()).unwrap_or_else(|| "embedded".to_owned());
    sidecar.file =
        Some(FileRecord { hash: asset.facts.hash.clone(), recipe: Some(recipe_text), embedded: Some(tags.digest()) });
    let product = plan.products.len();
    plan.products.push(new_file(to, recipe));
    let recipe = Recipe::SidecarOf { product, sidecar: Box::new(sidecar) };
    let record = free_path(&sidecars.join(&name).with_suffix(SIDECAR_SUFFIX), asset.context);
    plan.products.push(new_file(record, recipe));
    Ok(())
}

/// Returns the name that an asset was finished under; its extension says what it is.
fn file_name(asset: &Asset<'_>) -> String {
    let (path, own) = (&asset.facts.path, asset.extension());
    let is_right = match path.extension().as_str() {
        "jpeg" => own == "jpg",
        "tiff" => own == "tif",
        extension => own == extension,
    };
    if is_right { path.file_text() } else { format!("{}.{own}", path.stem().to_string_lossy()) }
}

/// Returns today's bundle that has room for one more row, or the next one.
fn open_bundle(asset: &Asset<'_>, market: &Market, row_bytes: usize) -> BundleName {
    let day = asset.context.today;
    let ours =
        || asset.context.bundles.iter().filter(|bundle| bundle.name.market == market.name && bundle.name.day == day);
    let has_room = |bundle: &&Bundle| {
        let (rows, bytes) = (bundle.rows + 1, bundle.bytes + row_bytes);
        !bundle.sent && rows <= market.csv.rows_max && bytes <= market.csv.bytes_max
    };
    let part = ours().find(has_room).map(|bundle| bundle.name.part);
    let part = part.unwrap_or_else(|| ours().map(|bundle| bundle.name.part).max().unwrap_or(0) + 1);
    BundleName { market: market.name.clone(), day, part }
}
