//! What markets will say of an asset once it is finished, long before upload day: by the checks of `upload`, whatever the
//! gates say.

use jiff::civil::Date;

use super::asset::Asset;
use super::fuse::colours_of;
use super::not_taken::{Cause, NotTaken, told};
use super::offered::{candidate, check, refused};
use super::own_file::encoded_anew;
use super::tags::Resolved;
use super::upload::offer;
use super::{Context, Facts, Hold, Rules, export, keep};
use crate::market::{self, Candidate, Fitted, Market};
use crate::model::{Format, MarketName, Stage};

/// Returns what will keep an asset from markets if it and its tags stay as they are: each reason once, with all markets
/// that have it; and for which markets it is or will soon be late. `Err` if nobody can tell.
pub fn foresee(facts: &Facts, context: &Context<'_>) -> Result<Vec<String>, Hold> {
    let asset = Asset::recognise(facts, context)?;
    let markets = &context.rules.markets;
    let refused: Vec<_> =
        markets.iter().filter_map(|market| Some((market.name.clone(), refusal(&asset, market)?))).collect();
    let held = match facts.stage {
        Stage::Raw => keep::plan(&asset).err().map(|hold| format!("`keep` will hold it: {hold}")),
        Stage::Keep => keep::plan(&asset).err().map(|hold| hold.to_string()),
        Stage::Ideas | Stage::Export | Stage::Upload => None,
    };
    let takes = |market: &&Market| !refused.iter().any(|(name, _)| *name == market.name);
    let late =
        context.season.and_then(|season| market::season_ahead(markets.iter().filter(takes), season, context.today));
    Ok(held.into_iter().chain(told(&refused)).chain(late).collect())
}

/// Returns what will keep all of a theme from markets whose shared tags these are, if they stay as they are, and whether it
/// is late for the `season` that they name.
pub fn foresee_tags(tags: &Resolved, rules: &Rules, season: Option<Date>, today: Date) -> Vec<String> {
    let refusal = |market: &Market| {
        let Fitted { meta, .. } = market::fit(market, &tags.meta());
        let category = tags.category.get(market.name.as_str()).map(|category| category.value.as_str());
        let reasons = market::check_tags(market, &meta, category, tags.written(&market.name));
        (!reasons.is_empty()).then(|| (market.name.clone(), NotTaken { reasons, cause: Cause::Tags }))
    };
    let late = season.and_then(|season| market::season_ahead(rules.markets.iter(), season, today));
    let told = told(&rules.markets.iter().filter_map(refusal).collect::<Vec<_>>());
    told.into_iter().chain(late).collect()
}

/// Returns what each market has against a file that is not finished, whatever its tags say.
pub(super) fn against_file(asset: &Asset<'_>) -> Vec<(MarketName, NotTaken)> {
    let against = |market: &Market| {
        let reasons = market::check_file(market, &finished(asset, market, candidate(asset, market).0));
        (!reasons.is_empty()).then(|| (market.name.clone(), NotTaken { reasons, cause: Cause::File }))
    };
    asset.context.rules.markets.iter().filter_map(against).collect()
}

/// Returns why a market would refuse an asset as it will be.
fn refusal(asset: &Asset<'_>, market: &Market) -> Option<NotTaken> {
    if asset.facts.stage == Stage::Upload {
        return offer(asset, market).err();
    }
    let (candidate, left_out) = candidate(asset, market);
    let candidate = finished(asset, market, candidate);
    let why = check(market, &candidate).err()?;
    Some(refused(asset, market, &candidate, (why, &left_out)))
}

/// Returns what a market will be offered of what is made of a file. How many bytes that will have nobody knows, and of a
/// JPEG a market gets one of its own in the colours that it takes.
fn finished(asset: &Asset<'_>, market: &Market, candidate: Candidate) -> Candidate {
    if !asset.kind.is_image() {
        return candidate;
    }
    let format = asset.context.rules.export.format;
    let size = if asset.facts.stage == Stage::Export { asset.facts.size } else { keep::size_behind(asset) };
    let output = export::encoding(asset.context.rules, format, size, candidate.meta.clone()).0;
    let colours = colours_of(candidate.colours, &output);
    let made = Candidate { kind: format.kind(), size, bytes: market.bytes.min, colours, ..candidate };
    encoded_anew(market, &made).filter(|_| format == Format::Jpeg).unwrap_or(made)
}
