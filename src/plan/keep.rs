use super::asset::Asset;
use super::tags::Resolved;
use super::{Hold, Nets, Plan, Recipe};
use crate::config::{KeepSettings, Target};
use crate::model::{Enhance, Kind, Method, Output, Render, Size, Strength, Upscaler};
use crate::records::{Derivation, Step};

/// Enlarges a picture until the target is met, and sets its levels if that is wanted; everything else is passed on
/// unchanged.
pub(super) fn plan(asset: &Asset<'_>) -> Result<Plan, Hold> {
    let settings = wanted(asset);
    lacks_command(&settings)?;
    let nets = &asset.context.rules.nets;
    match step(asset.kind, asset.facts.size, &settings, nets).map_err(Hold::Unreadable)? {
        Some(Step::Enlarged { by, from, to, enhance }) => {
            if !asset.context.is_let_go {
                is_not_too_far(from, to, settings.scale_max)?;
            }
            let did = format!("enlarged from {from} to {to}{}{}", title(&by, &settings.method), said(enhance));
            let step = Step::Enlarged { by: by.clone(), from, to, enhance };
            Ok(made(asset, Some((to, by)), enhance, step, &did))
        }
        Some(Step::Levelled(levels)) => {
            let enhance = Enhance { levels, ..Enhance::default() };
            Ok(made(asset, None, enhance, Step::Levelled(levels), &format!("levels checked ({levels})")))
        }
        _ => passed_on(asset),
    }
}

/// Returns the size that a picture has once it went through here, if that can be told.
pub(super) fn size_behind(asset: &Asset<'_>) -> Option<Size> {
    match step(asset.kind, asset.facts.size, &wanted(asset), &asset.context.rules.nets) {
        Ok(Some(Step::Enlarged { to, .. })) => Some(to),
        Ok(_) => asset.facts.size,
        Err(_) => None,
    }
}

/// Returns the step that a picture takes here, or `None` if it is passed on unchanged; or why the net that is asked for
/// cannot be used.
pub(super) fn step(
    kind: Kind,
    size: Option<Size>,
    settings: &KeepSettings,
    nets: &Nets,
) -> Result<Option<Step>, String> {
    let look = settings.enhance;
    let sizes = size.filter(|_| kind.is_image()).and_then(|from| Some((from, target(from, settings)?)));
    let enlarged = sizes.map(|(from, to)| -> Result<Step, String> {
        let by = upscaler(from, to, settings, nets)?;
        // What a net makes is sharp, and a person's program is to do what they want.
        let sharpen = if by.is_slow() { Strength::Off } else { look.sharpen };
        Ok(Step::Enlarged { by, from, to, enhance: Enhance { sharpen, ..look } })
    });
    let levelled = (look.levels != Strength::Off).then_some(Step::Levelled(look.levels));
    Ok(enlarged.transpose()?.or(levelled))
}

/// Returns what enlarges a picture.
fn upscaler(from: Size, to: Size, settings: &KeepSettings, nets: &Nets) -> Result<Upscaler, String> {
    Ok(match &settings.method {
        Method::Neural => Upscaler::Neural(settings.restore.into()),
        Method::Auto if Upscaler::suits_net(from, to) => Upscaler::Auto { dial: settings.restore.into(), took: None },
        Method::Command => {
            settings.command.as_ref().map_or(Upscaler::Lanczos, |line| Upscaler::Command(line.step(from, to)))
        }
        Method::Auto | Method::Lanczos | Method::None => Upscaler::Lanczos,
        Method::Brought(name) => {
            let unknown = || Err(format!("the net `{name}` was not looked for"));
            Upscaler::Brought { name: name.clone(), hash: nets.get(name).cloned().unwrap_or_else(unknown)? }
        }
    })
}

/// Holds what is to be enlarged by a program that nobody named.
pub(super) fn lacks_command(settings: &KeepSettings) -> Result<(), Hold> {
    if settings.method != Method::Command || settings.command.is_some() {
        return Ok(());
    }
    Err(Hold::Waits(
        "its tags say `method: command`, and the settings name no program: set `keep.command.run`, or another method in \
         its tags"
            .to_owned(),
    ))
}

/// Returns what is wanted for an asset. Levels are set once: each time again would stretch them further.
fn wanted(asset: &Asset<'_>) -> KeepSettings {
    let file = asset.sidecar.file.as_ref();
    let is_done = file.and_then(|file| file.recipe.as_ref()).is_some_and(Derivation::has_levels);
    let mut settings = keep_by(&asset.tags(), &asset.context.rules.keep);
    if is_done || !asset.kind.is_image() {
        settings.enhance.levels = Strength::Off;
    }
    settings
}

/// Returns the settings for what has these tags: what they say takes precedence.
pub fn keep_by(tags: &Resolved, settings: &KeepSettings) -> KeepSettings {
    let mut settings = settings.clone();
    let Enhance { sharpen, levels } = &mut settings.enhance;
    tags.sharpen.iter().for_each(|own| *sharpen = own.value);
    tags.levels.iter().for_each(|own| *levels = own.value);
    tags.method.iter().for_each(|own| settings.method = own.value.clone());
    tags.restore.iter().for_each(|own| settings.restore = own.value);
    settings
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

fn title(by: &Upscaler, method: &Method) -> String {
    match by {
        Upscaler::Lanczos if *method == Method::Auto => format!(" by {by}, {}", Upscaler::TOO_LITTLE),
        Upscaler::Lanczos | Upscaler::Instead(_) => " by lanczos".to_owned(),
        Upscaler::Brought { name, .. } => format!(" by the net `{name}`"),
        Upscaler::Neural(dial) => format!(" by the neural net (restore {})", dial.asked),
        Upscaler::Auto { .. } => String::new(),
        Upscaler::Command(step) => format!(" by the program {} (x{})", step.name, step.times),
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
    use crate::model::{ContentHash, NetName, Restore};
    use crate::plan::tags::{Layer, Sourced};

    fn settings(target: Target) -> KeepSettings {
        KeepSettings {
            command: None,
            method: Method::Lanczos,
            restore: Restore::Auto,
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

    /// What tags say takes precedence, each for itself; what is enlarged a little only is not worth a net.
    #[test]
    fn the_upscaler_is_what_tags_and_settings_want() {
        use Method::{Auto, Lanczos, Neural};
        // The method and the dial of the settings, those of the tags, the edge of 100 pixels afterwards.
        let rows = [
            ((Lanczos, Restore::Auto), (None, None), 400, "lanczos"),
            ((Lanczos, Restore::Fixed(9)), (Some(Neural), None), 101, "neural 9"),
            ((Neural, Restore::Fixed(9)), (None, Some(Restore::Fixed(70))), 400, "neural 70"),
            ((Neural, Restore::Fixed(9)), (Some(Lanczos), Some(Restore::Auto)), 400, "lanczos"),
            ((Neural, Restore::Fixed(9)), (None, Some(Restore::Auto)), 400, "neural"),
            ((Auto, Restore::Auto), (None, None), 150, "auto"),
            ((Auto, Restore::Auto), (None, Some(Restore::Fixed(0))), 200, "auto 0"),
            ((Auto, Restore::Auto), (None, None), 149, "lanczos"),
        ];
        for ((method, restore), (own_method, own_restore), edge, expected) in rows {
            let layer = Layer::Theme;
            let tags = Resolved {
                method: own_method.map(|value| Sourced { value, layer: layer.clone() }),
                restore: own_restore.map(|value| Sourced { value, layer }),
                ..Resolved::default()
            };
            let asked = KeepSettings { method, restore, ..settings(Target::LongEdge(edge)) };
            let found =
                step(Kind::Png, Some(Size { width: 100, height: 50 }), &keep_by(&tags, &asked), &Nets::new()).unwrap();
            let Some(Step::Enlarged { by, .. }) = found else { panic!("{found:?}") };
            assert_eq!(by.to_string(), expected);
        }
    }

    #[test]
    fn a_net_that_cannot_be_used_is_no_upscaler() {
        let [known, gone, other] = ["4x-foto", "gone", "other"].map(|name| NetName::new(name).unwrap());
        let hash = ContentHash::of(b"a net");
        let nets = Nets::from([(known.clone(), Ok(hash.clone())), (gone.clone(), Err("it is not there".to_owned()))]);
        let rows = [
            (known, 400, Ok(Some(format!("model 4x-foto {hash} 100x50 to 400x200")))),
            (gone.clone(), 400, Err("it is not there".to_owned())),
            // Nothing is to be enlarged.
            (gone, 100, Ok(None)),
            (other, 400, Err("the net `other` was not looked for".to_owned())),
        ];
        for (name, edge, expected) in rows {
            let enhance = Enhance { sharpen: Strength::High, ..Enhance::default() };
            let asked = KeepSettings { method: Method::Brought(name), enhance, ..settings(Target::LongEdge(edge)) };
            let found = step(Kind::Png, Some(Size { width: 100, height: 50 }), &asked, &nets);
            assert_eq!(found.map(|step| step.map(|step| step.to_string())), expected);
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
