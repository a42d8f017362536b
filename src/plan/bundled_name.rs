//! The name that a market gets a file under.

use super::BundleName;
use super::asset::Asset;
use crate::market::{Market, fit_file_name};
use crate::model::MarketName;

/// Returns the name that an asset gets for a market by a rule, or was finished under; its extension says what it is.
pub(super) fn file_name(asset: &Asset<'_>, market: &Market) -> String {
    if let Some(name) = ruled_name(asset, &market.name).or_else(|| name_before_bundle(asset)) {
        return name;
    }
    let (path, own) = (&asset.facts.path, asset.extension());
    let is_right = match path.extension().as_str() {
        "jpeg" => own == "jpg",
        "tiff" => own == "tif",
        extension => own == extension,
    };
    if is_right { path.file_text() } else { format!("{}.{own}", path.stem().to_string_lossy()) }
}

fn ruled_name(asset: &Asset<'_>, market: &MarketName) -> Option<String> {
    let rule = asset.context.rules.naming.markets.get(market)?;
    Some(format!("{}.{}", asset.stem(rule), asset.extension()))
}

/// Returns the name under which a file was finished that lies in a bundle under one that its market's rule or limits gave.
fn name_before_bundle(asset: &Asset<'_>) -> Option<String> {
    let (bundle, rules) = (BundleName::of(&asset.facts.path)?, asset.context.rules);
    let market = rules.markets.iter().find(|market| market.name == bundle.market)?;
    let finished = format!("{}.{}", asset.stem(&rules.naming.last), asset.extension());
    let name = asset.facts.path.file_text();
    let gives = |wanted: &str| {
        let fit = fit_file_name(market, wanted, &asset.id.to_string(), &|other| other != name);
        fit.is_some_and(|fit| fit == name)
    };
    let is_given = ruled_name(asset, &market.name).as_deref().is_some_and(gives) || gives(&finished);
    is_given.then_some(finished)
}
