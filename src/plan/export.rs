use super::asset::Asset;
use super::{Hold, Plan, Recipe};
use crate::model::{Enhance, Format, Output, Render};
use crate::records::{FileRecord, Step};

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
    let format = asset.context.rules.export.format;
    let to = asset.free_in(&folder, &stem, format.kind().extension().unwrap_or("jpg"));
    let (recipe, file) = anew(asset, format);
    Ok(asset.derive(&to, recipe, file, &format!("exported as {}", format.title())))
}

/// Returns how a picture is encoded in a format, and the record of what comes of it.
pub(super) fn anew(asset: &Asset<'_>, format: Format) -> (Recipe, FileRecord) {
    let settings = &asset.context.rules.export;
    let tags = asset.tags();
    let output = Output::Final {
        format,
        quality: settings.quality,
        subsampling: None,
        profile: settings.profile,
        background: settings.background,
        meta: Some(tags.meta()),
    };
    let render = Render { size: None, enhance: Enhance::default(), output, threads: 1 };
    let recipe = Recipe::Render { from: asset.facts.path.clone(), kind: asset.kind, render };
    let step = Step::Encoded { format, quality: settings.quality, profile: settings.profile };
    (recipe, asset.derived(step, Some(tags.digest())))
}
