use super::asset::Asset;
use super::tags::Resolved;
use super::{Hold, Plan, Recipe};
use crate::config::{KeepSettings, Method, Target};
use crate::model::{Enhance, Kind, Output, Render, Size, Strength, Upscaler};
use crate::records::{Derivation, Step};

/// Enlarges a picture until the target is met, and sets its levels if that is wanted; everything else is passed on
/// unchanged.
pub(super) fn plan(asset: &Asset<'_>) -> Result<Plan, Hold> {
    let settings = &asset.context.rules.keep;
    match step(asset.kind, asset.facts.size, look(asset), settings) {
        Some(step @ Step::Enlarged { by, from, to, enhance }) => {
            if !asset.context.is_let_go {
                is_not_too_far(from, to, settings.scale_max)?;
            }
            let did = format!("enlarged from {from} to {to} by {}{}", title(by), said(enhance));
            Ok(made(asset, Some((to, by)), enhance, step, &did))
        }
        Some(step @ Step::Levelled(levels)) => {
            let enhance = Enhance { levels, ..Enhance::default() };
            Ok(made(asset, None, enhance, step, &format!("levels checked ({levels})")))
        }
        _ => passed_on(asset),
    }
}

/// Returns the step that a picture takes here, or `None` if it is passed on unchanged.
pub(super) fn step(kind: Kind, size: Option<Size>, look: Enhance, settings: &KeepSettings) -> Option<Step> {
    let size = size.filter(|_| kind.is_image());
    let by = match settings.method {
        Method::Neural => Upscaler::Neural { restore: settings.restore },
        Method::Lanczos | Method::None => Upscaler::Lanczos,
    };
    // What a net makes is sharp.
    let sharpen = if by == Upscaler::Lanczos { look.sharpen } else { Strength::Off };
    let enhance = Enhance { sharpen, ..look };
    let enlarged = size.and_then(|from| Some(Step::Enlarged { by, from, to: target(from, settings)?, enhance }));
    let levelled = (look.levels != Strength::Off).then_some(Step::Levelled(look.levels));
    enlarged.or(levelled)
}

/// Returns what is to be done for the look of an asset: what its tags do not say is as in the settings. Levels are set once: each time again would stretch them further.
fn look(asset: &Asset<'_>) -> Enhance {
    let file = asset.sidecar.file.as_ref();
    let is_done = file.and_then(|file| file.recipe.as_ref()).is_some_and(Derivation::has_levels);
    let look = look_by(&asset.tags(), &asset.context.rules.keep);
    let stays = is_done || !asset.kind.is_image();
    Enhance { levels: if stays { Strength::Off } else { look.levels }, ..look }
}

/// Returns what tags say of a look, and the settings where these say nothing.
pub fn look_by(tags: &Resolved, settings: &KeepSettings) -> Enhance {
    let Enhance { sharpen, levels } = settings.enhance;
    Enhance {
        sharpen: tags.sharpen.as_ref().map_or(sharpen, |own| own.value),
        levels: tags.levels.as_ref().map_or(levels, |own| own.value),
    }
}

fn passed_on(asset: &Asset<'_>) -> Result<Plan, Hold> {
    let to = if !asset.facts.members.is_empty() {
        let to = asset.with_parts("export", None);
        asset.parts_fit(&to)?;
        to
    } else if asset.is_new {
        asset.free_in(&asset.folder("export"), &asset.first_stem(), &asset.extension())
    } else {
        let path = &asset.facts.path;
        asset.free_in(&asset.folder("export"), &path.stem().to_string_lossy(), &path.extension())
    };
    Ok(asset.pass_on(&to, "passed on unchanged"))
}

/// Plans a picture made of an asset's, for the next stage.
fn made(asset: &Asset<'_>, size: Option<(Size, Upscaler)>, enhance: Enhance, step: Step, did: &str) -> Plan {
    let (size, by) = size.map_or((None, Upscaler::default()), |(size, by)| (Some(size), by));
    let path = asset.free_in(&asset.folder("export"), &asset.first_stem(), Kind::Png.extension().unwrap_or("png"));
    let render = Render { size, by, enhance, output: Output::Master, threads: 1 };
    let recipe = Recipe::Render { from: asset.facts.path.clone(), kind: asset.kind, render };
    asset.derive(&path, recipe, asset.derived(step, None), did)
}

fn title(by: Upscaler) -> String {
    match by {
        Upscaler::Lanczos | Upscaler::Instead { .. } => Upscaler::Lanczos.to_string(),
        Upscaler::Neural { restore } => format!("the neural net (restore {restore})"),
    }
}

/// Returns what is told of a look beside the enlarging.
fn said(enhance: Enhance) -> String {
    let done = [("sharpened", enhance.sharpen), ("levels checked", enhance.levels)];
    let done = done.into_iter().filter(|(_, strength)| *strength != Strength::Off);
    done.fold(String::new(), |told, (what, strength)| format!("{told}, {what} ({strength})"))
}

/// Returns the size that a picture must reach, or `None` if it meets the target as it is.
fn target(size: Size, settings: &KeepSettings) -> Option<Size> {
    if settings.method == Method::None {
        return None;
    }
    let scale = match settings.target {
        Target::MinMegapixels(megapixels) => (megapixels / size.megapixels()).sqrt(),
        Target::Scale(scale) => scale,
        Target::LongEdge(pixels) => f64::from(pixels) / f64::from(size.width.max(size.height)),
    };
    let ceiling = (settings.megapixels_max / size.megapixels()).sqrt();
    let scale = scale.min(ceiling);
    (scale > 1.0).then(|| Size { width: scaled(size.width, scale), height: scaled(size.height, scale) })
}

/// Holds a picture of which most pixels would be invented.
pub(super) fn is_not_too_far(from: Size, to: Size, scale_max: f64) -> Result<(), Hold> {
    if to.width <= scaled(from.width, scale_max) && to.height <= scaled(from.height, scale_max) {
        return Ok(());
    }
    let scale = f64::from(to.width.max(to.height)) / f64::from(from.width.max(from.height));
    Err(Hold::Waits(format!(
        "it has {from} pixels, and would be enlarged {scale:.1} times, to {to}; `keep.scale_max` allows {scale_max}; \
         replace it with a larger picture, or let it go with `stockmill release keep --anyway`"
    )))
}

/// Returns a length enlarged, rounded up, so that a target in megapixels is met and not just missed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a picture's edge is far below u32::MAX")]
fn scaled(length: u32, scale: f64) -> u32 {
    (f64::from(length) * scale - 1e-6).ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(target: Target) -> KeepSettings {
        KeepSettings {
            method: Method::Lanczos,
            restore: 50,
            target,
            megapixels_max: 100.0,
            scale_max: 5.0,
            enhance: Enhance::default(),
        }
    }

    /// An icon of 64x64 pixels went to the market as 2050x2050.
    #[test]
    fn a_picture_that_would_be_enlarged_too_far_waits() {
        let cases = [
            ((512, 512), (2050, 2050), 5.0, true),
            ((410, 410), (2050, 2050), 5.0, true),
            ((409, 410), (2050, 2055), 5.0, false),
            ((64, 64), (2050, 2050), 5.0, false),
            ((64, 64), (2050, 2050), 16.0, false),
            // An edge that is rounded up is not enlarged more for that.
            ((401, 3), (1003, 8), 2.5, true),
            ((401, 3), (1004, 8), 2.5, false),
        ];
        for ((width, height), (to_width, to_height), scale_max, passes) in cases {
            let (from, to) = (Size { width, height }, Size { width: to_width, height: to_height });
            assert_eq!(is_not_too_far(from, to, scale_max).is_ok(), passes, "{from} to {to} with {scale_max}");
        }
    }

    #[test]
    fn the_target_is_met_and_not_just_missed() {
        let cases = [
            ((1024, 1024), Target::MinMegapixels(4.2), Some((2050, 2050))),
            ((2048, 2051), Target::MinMegapixels(4.2), None),
            ((1000, 500), Target::Scale(2.0), Some((2000, 1000))),
            ((1000, 500), Target::LongEdge(4000), Some((4000, 2000))),
            ((1000, 500), Target::LongEdge(900), None),
            ((10_000, 9_000), Target::Scale(4.0), Some((10_541, 9_487))),
        ];
        for ((width, height), goal, expected) in cases {
            let got = target(Size { width, height }, &settings(goal)).map(|size| (size.width, size.height));
            assert_eq!(got, expected, "{width}x{height}");
        }
    }
}
