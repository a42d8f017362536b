//! A file as a market is offered it, and what the market has against that.

use super::asset::Asset;
use super::not_taken::{Cause, NotTaken};
use crate::market::{self, Candidate, Fitted, Market, WrittenIn};
use crate::model::ThemeSlug;

/// Where the tags of what has no theme are written: nothing makes that file by itself.
const WITHOUT_THEME: &str =
    "in `unsorted/tags.yaml` of any stage, which all without a theme share, or move it to a theme's folder";

/// Returns a file as a market is offered it, and what it does not get of the tags.
pub(super) fn candidate(asset: &Asset<'_>, market: &Market) -> (Candidate, Vec<String>) {
    let tags = asset.tags();
    let Fitted { meta, left_out } = market::fit(market, &tags.meta());
    let category = tags.category.get(market.name.as_str()).map(|category| category.value.clone());
    let (kind, size, bytes) = (asset.kind, asset.facts.size, asset.facts.seen.size);
    let (colours, video) = (asset.facts.colours, asset.facts.video.clone());
    let shared = (asset.theme == ThemeSlug::unsorted()).then_some(WITHOUT_THEME);
    let written = WrittenIn { shared, ..tags.written(&market.name) };
    (Candidate { kind, size, video, bytes, colours, meta, category, written }, left_out)
}

/// Returns why a market refuses a file, with what it does not get of the tags, where that is why.
pub(super) fn refused(
    asset: &Asset<'_>,
    market: &Market,
    candidate: &Candidate,
    (refusal, left_out): (NotTaken, &[String]),
) -> NotTaken {
    let whole = Candidate { meta: asset.tags().meta(), ..candidate.clone() };
    refusal.with_left_out(left_out, &market::check(market, &whole))
}

/// Refuses what a market would refuse.
pub(super) fn check(market: &Market, candidate: &Candidate) -> Result<(), NotTaken> {
    let reasons = market::check(market, candidate);
    if reasons.is_empty() {
        return Ok(());
    }
    let cause = if market::check_file(market, candidate).is_empty() { Cause::Tags } else { Cause::File };
    Err(NotTaken { reasons, cause })
}
