use super::Plan;
use super::ahead::against_file;
use super::asset::Asset;
use super::not_taken::told;

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
    let refusals = against_file(asset);
    let is_for_none = refusals.len() == asset.context.rules.markets.len() && !refusals.is_empty();
    if is_for_none {
        format!("; no market of `upload.markets` will take it: {}", told(&refusals).join("; "))
    } else {
        String::new()
    }
}
