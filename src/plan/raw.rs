use super::Plan;
use super::asset::Asset;
use super::not_taken::{Cause, NotTaken, told};
use crate::market::{never, refused_video};

/// Gives a new file its first name and passes it on to `keep`.
pub(super) fn plan(asset: &Asset<'_>) -> Plan {
    let stem = asset.first_stem();
    let did = format!("recognised as {}, named{}", asset.kind, unsaleable(asset));
    if asset.facts.members.is_empty() {
        let to = asset.free_in(&asset.folder("keep"), &stem, &asset.extension());
        return asset.pass_on(&to, &did);
    }
    // A model names its parts inside: they keep their names, in a folder that carries the asset's.
    asset.pass_on(&asset.with_parts("keep", Some(&stem)), &did)
}

/// Returns what is told of a file that no market will take, so that nobody learns it on upload day.
fn unsaleable(asset: &Asset<'_>) -> String {
    let rules = asset.context.rules;
    let kind = if asset.kind.is_image() { rules.export.format.kind() } else { asset.kind };
    let source_type = asset.tags().meta().source_type;
    let refusals: Vec<_> = rules
        .markets
        .iter()
        .filter_map(|market| {
            let mut why = never(market, kind, source_type);
            if why.is_empty() {
                why = refused_video(market, kind, asset.facts.video.as_ref(), asset.facts.seen.size);
            }
            (!why.is_empty()).then(|| (market.name.clone(), NotTaken { reasons: why, cause: Cause::File }))
        })
        .collect();
    let is_for_none = refusals.len() == rules.markets.len() && !refusals.is_empty();
    if is_for_none {
        format!("; no market of `upload.markets` will take it: {}", told(&refusals).join("; "))
    } else {
        String::new()
    }
}
