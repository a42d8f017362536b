use super::Plan;
use super::asset::Asset;

/// Gives a new file its first name and passes it on to `keep`.
pub(super) fn plan(asset: &Asset<'_>) -> Plan {
    let stem = asset.first_stem();
    let did = format!("recognised as {}, named", asset.kind);
    if asset.facts.members.is_empty() {
        let to = asset.free_in(&asset.folder("keep"), &stem, &asset.extension());
        return asset.pass_on(&to, &did);
    }
    // A model names its parts inside: they keep their names, in a folder that carries the asset's.
    asset.pass_on(&asset.with_parts("keep", Some(&stem)), &did)
}
