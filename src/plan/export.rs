use super::asset::{Asset, derived, format_name};
use super::{Hold, Plan, Recipe};

/// Gives a picture its final name, format, colour and metadata; everything else its final name.
pub(super) fn plan(asset: &Asset<'_>) -> Result<Plan, Hold> {
    let folder = asset.folder("upload");
    if !asset.facts.members.is_empty() {
        let to = asset.with_parts("upload", None);
        asset.parts_fit(&to)?;
        return Ok(asset.pass_on(&to, "passed on with its parts"));
    }
    let stem = asset.stem(&asset.context.rules.naming.last);
    if !asset.kind.is_image() {
        let to = asset.free_in(&folder, &stem, &asset.extension());
        return Ok(asset.pass_on(&to, "given its final name"));
    }
    let settings = &asset.context.rules.export;
    let tags = asset.tags();
    let to = asset.free_in(&folder, &stem, settings.format.kind().extension().unwrap_or("jpg"));
    let recipe = Recipe::Export {
        from: asset.facts.path.clone(),
        kind: asset.kind,
        format: settings.format,
        quality: settings.quality,
        background: settings.background,
        meta: tags.meta(),
    };
    let name = format_name(settings.format);
    let file = derived(format!("{name} quality {} sRGB", settings.quality), Some(tags.digest()));
    Ok(asset.derive(&to, recipe, file, &format!("exported as {name}")))
}
