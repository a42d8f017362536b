//! What was made by settings that changed since: whether it is stale, and how it is made anew from its original.

use jiff::Timestamp;

use super::steps::{Steps, steps_of};
use super::tags::digest;
use super::{BundleName, Plan, Product, Recipe, Rules, export, keep};
use crate::config::{ExportSettings, KeepSettings};
use crate::model::{
    ByteRange, ContentHash, Enhance, Format, Kind, Meta, Output, Profile, RelPath, Render, Size, Stage, Upscaler,
};
use crate::records::{About, Derivation, FileRecord, Happened, Origin, PublishMode, Sidecar, Step};

/// How a product stands to what the settings of today would make of its original. The version of stockmill that made it
/// is no matter.
#[derive(Debug, Clone, PartialEq)]
pub enum Freshness {
    /// They would make the same, or nothing of it was made by settings.
    Current,
    /// They would make something else.
    Stale(Stale),
    /// Nobody can tell, and why.
    Unknown(String),
}

/// A product that would be another one today.
#[derive(Debug, Clone, PartialEq)]
pub struct Stale {
    /// How it was made.
    pub was: Derivation,
    /// How it would be made.
    pub today: Derivation,
    /// What of that is another than it was, in words.
    pub differs: Vec<&'static str>,
    /// What makes it anew where it lies, or why that cannot be done.
    pub remake: Result<Remake, String>,
}

/// How a product is made anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Remake {
    recipe: Derivation,
    size: Option<Size>,
    by: Upscaler,
    enhance: Enhance,
    /// The format, if it is finished; what lies between two stages is a PNG without metadata.
    format: Option<Format>,
    /// How many bytes it is to have.
    bytes: Option<ByteRange>,
    /// Its colour profile, if it is finished.
    profile: Option<Profile>,
    /// The original.
    original: Origin,
    /// Where that is kept.
    pub archived: RelPath,
}

impl Remake {
    /// Returns whether the product has metadata.
    pub fn is_finished(&self) -> bool {
        self.format.is_some()
    }

    /// Returns what the product will be, and how large.
    pub fn makes(&self) -> (Kind, Option<Size>) {
        (self.format.unwrap_or(Format::Png).kind(), self.size.or(self.original.size))
    }

    /// Returns whether it will be in sRGB, whatever its original is in.
    pub fn is_in_srgb(&self) -> bool {
        self.profile == Some(Profile::Srgb)
    }

    /// Returns the hash that the original must have.
    pub fn original_hash(&self) -> &ContentHash {
        &self.original.hash
    }

    fn render(&self, rules: &Rules, meta: Meta) -> Render {
        let profile = self.profile.unwrap_or(rules.export.profile);
        let settings = ExportSettings { profile, ..rules.export.clone() };
        let finished = |format| export::encoding_of_bytes(&settings, format, self.bytes, meta).0;
        let output = self.format.map_or(Output::Master, finished);
        Render { size: self.size, by: self.by.clone(), enhance: self.enhance, output, threads: 1 }
    }
}

/// Returns how the product `file`, which lies in `export` or `upload`, stands to the settings of today and to what
/// its tags `keep` to. `has_original` says whether the original lies in the archive, and `came_out` how many bytes the
/// product has, and its quality, if that can be told.
pub fn freshness(
    file: &RelPath,
    sidecar: &Sidecar,
    has_original: bool,
    keep: &KeepSettings,
    rules: &Rules,
    came_out: &dyn Fn() -> Option<(u64, u8)>,
) -> Freshness {
    let Some(original) = sidecar.original().filter(|original| original.kind.is_image()) else {
        return Freshness::Current;
    };
    let Some(record) = &sidecar.file else {
        return Freshness::Unknown("its sidecar does not say how it was made".to_owned());
    };
    let was = match steps_of(record, original) {
        Ok(was) => was,
        Err(why) => return Freshness::Unknown(why),
    };
    if let Err(hold) = keep::lacks_command(keep) {
        return Freshness::Unknown(hold.to_string());
    }
    // Before the input was on record there was no look, and nothing was fitted to a size of the file: that came with a
    // new version, and is no changed setting.
    let mut keep = keep.clone();
    if record.input.is_none() && was != Steps::default() {
        keep.enhance = was.look();
    }
    let mut today = match today(&was, original, sidecar, &keep, rules) {
        Ok(today) => today,
        Err(why) => return Freshness::Unknown(why),
    };
    today = as_its_market_has_it(today, &was, record, file, rules);
    if record.input.is_none() && was.kept.is_none() && was.encoded.is_some() && today.kept.is_some() {
        return Freshness::Unknown("an older stockmill made it, and noted no more than its last step".to_owned());
    }
    let (matters, wanted) = (was.that_matter(original.kind), today.that_matter(original.kind));
    if matters == wanted
        || matters.clone().for_bytes_of(&wanted) == wanted && is_as_wanted(&matters, &wanted, came_out())
    {
        return Freshness::Current;
    }
    if matters.clone().on_background_of(&wanted) == wanted {
        let why = "an older stockmill made it, and did not note the colour behind what is transparent";
        return Freshness::Unknown(why.to_owned());
    }
    if !has_original && was != Steps::default() {
        let (was, today) = (told(&was.derivation()), told(&today.derivation()));
        return Freshness::Unknown(format!("{was}; today it would be {today}, but its original is not in the archive"));
    }
    let remake = remake(file, original, &was, &today, rules);
    let differs = matters.differences(&wanted);
    Freshness::Stale(Stale { was: was.derivation(), today: today.derivation(), differs, remake })
}

/// Returns whether a product has as many bytes as it is to have, and either the quality that is asked for, or the nearest
/// one within limits that were no narrower: then it is made the same, whatever limits of bytes it was made for.
fn is_as_wanted(was: &Steps, wanted: &Steps, came_out: Option<(u64, u8)>) -> bool {
    let is_narrower = was.bytes().zip(wanted.bytes()).is_some_and(|(was, wanted)| was.contains(wanted));
    let is_so = |(bytes, quality)| {
        (is_narrower || wanted.quality() == Some(quality)) && wanted.bytes().is_none_or(|range| range.holds(bytes))
    };
    came_out.is_some_and(is_so)
}

/// Returns the steps of today for what a market's own file was made for. Before the input was on record nothing was fitted
/// to a size of the file.
fn as_its_market_has_it(today: Steps, was: &Steps, record: &FileRecord, file: &RelPath, rules: &Rules) -> Steps {
    let bundle = BundleName::of(file);
    let market = bundle.and_then(|bundle| rules.markets.iter().find(|market| market.name == bundle.market));
    match () {
        () if was.is_own_file_of(market, rules) => today.for_market_of(was),
        () if record.input.is_none() => today.for_bytes_of(was),
        () => today,
    }
}

impl std::fmt::Display for Stale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; today it would be {}", told(&self.was), told(&self.today))?;
        if self.differs.is_empty() { Ok(()) } else { write!(f, " (what differs: {})", self.differs.join(", ")) }
    }
}

/// Returns how something is made, as a part of a sentence.
fn told(derivation: &Derivation) -> String {
    match derivation {
        Derivation::Steps(steps) if steps.is_empty() => "left as it was dropped".to_owned(),
        derivation => format!("made by `{derivation}`"),
    }
}

/// Returns the steps that the stages which it passed would take today, or why nobody can tell them.
fn today(
    was: &Steps,
    original: &Origin,
    sidecar: &Sidecar,
    keep: &KeepSettings,
    rules: &Rules,
) -> Result<Steps, String> {
    let dropped_in = original.path.area().to_str().and_then(|area| area.parse::<Stage>().ok());
    let came_by = |stage: Stage| dropped_in.is_some_and(|dropped| dropped <= stage);
    // Whoever dropped it behind `keep`, or moved it past, wanted it as it was.
    let passed_keep = sidecar.history.iter().any(|happened| happened.stage == Stage::Keep);
    let by_keep = was.kept.is_some() || came_by(Stage::Keep) && passed_keep;
    let size = original.size.or(was.sizes().map(|(from, _)| from));
    let kept = if by_keep { keep::step(original.kind, size, keep, &rules.nets)? } else { None };
    let encoded = was.format().map(|format| {
        // `upload` turns a picture upright and leaves its format.
        let format = if came_by(Stage::Export) { rules.export.format } else { format };
        let size = match kept {
            Some(Step::Enlarged { to, .. }) => Some(to),
            _ => size,
        };
        export::encoding(rules, format, size, Meta::default()).1
    });
    Ok(Steps { kept, encoded })
}

/// Returns what makes a product anew under its name, or why that cannot be done.
fn remake(file: &RelPath, original: &Origin, was: &Steps, today: &Steps, rules: &Rules) -> Result<Remake, String> {
    let is_renamed = was.format() != today.format();
    let is_master = was.encoded.is_none() && was.kept.is_some() && today.kept.is_some();
    let is_in_place = was.encoded.is_some() || is_master && file.area() == Stage::Export.name();
    let archived = original.archived.clone().filter(|_| is_in_place && !is_renamed);
    let archived = archived.ok_or_else(|| {
        let why = match () {
            () if is_renamed => "its format, and with it its name, would be another",
            () if *was == Steps::default() => "it is the original itself",
            () if *today == Steps::default() => "nothing would be made of the original",
            () => "it was moved past `export`",
        };
        format!("{why}: take its last step back with `stockmill undo {file}`, and let it go on")
    })?;
    if let Some((from, to)) = today.sizes().filter(|sizes| Some(*sizes) != was.sizes()) {
        let scale_max = rules.keep.scale_max;
        keep::is_not_too_far(from, to, scale_max).map_err(|_| {
            format!("`keep.scale_max` allows {scale_max}, and it would be enlarged from {from} to {to}")
        })?;
    }
    let (recipe, size) = (today.derivation(), today.sizes().map(|(_, to)| to));
    let (by, enhance, format) = (today.upscaler(), today.look(), today.format());
    let (bytes, profile) = (today.bytes(), today.profile());
    Ok(Remake { recipe, size, by, enhance, format, bytes, profile, original: original.clone(), archived })
}

/// A product of an asset that is made anew.
#[derive(Debug)]
pub struct Old<'a> {
    /// The file.
    pub file: &'a RelPath,
    /// Its sidecar.
    pub record: &'a RelPath,
    /// The bytes of that, as they were read.
    pub record_bytes: &'a [u8],
    /// What it says.
    pub sidecar: &'a Sidecar,
    /// How it is made anew.
    pub remake: &'a Remake,
    /// What is embedded into it, if it is finished: its tags of today, as its market takes them.
    pub meta: Option<Meta>,
}

/// A product in the trash, with its sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it lies.
    pub file: RelPath,
    /// Where its sidecar lies.
    pub record: RelPath,
}

/// Plans to make products of one asset anew, each in the place of the old one, which is kept for `undo`. Those that are
/// the same are made once.
pub fn plan_remake(olds: &[Old<'_>], rules: &Rules, now: Timestamp) -> Option<Plan> {
    let first = olds.first()?;
    let stage = first.file.area().to_str()?.parse().ok()?;
    let did = format!("made anew from the original: {}", first.remake.recipe);
    let about = About {
        theme: first.sidecar.theme.clone(),
        asset: first.sidecar.id.clone(),
        from: Some(first.file.clone()),
        hash: first.sidecar.file.as_ref().map(|file| file.hash.clone()),
        to: Some(first.file.clone()),
        ..About::new(stage, did.as_str())
    };
    let mut plan = Plan::new(about);
    for old in olds {
        let replace = |was: ContentHash| PublishMode::Replace { was: Some(was) };
        let was = old.sidecar.file.as_ref()?;
        let render = old.remake.render(rules, old.meta.clone().unwrap_or_default());
        let recipe = Recipe::Render { from: old.remake.archived.clone(), kind: old.remake.original.kind, render };
        let recipe = recipe.of_earlier(&plan.products);
        let mut sidecar = old.sidecar.clone();
        let (input, embedded) = (old.remake.original.hash.clone(), old.meta.as_ref().map(digest));
        sidecar.file = Some(FileRecord::of_derived(Some(input), old.remake.recipe.clone(), embedded));
        sidecar.history.push(Happened { at: now, stage, did: did.clone() });
        let product = plan.products.len();
        plan.products.push(Product { to: old.file.clone(), recipe, mode: replace(was.hash.clone()) });
        plan.products.push(Product {
            to: old.record.clone(),
            recipe: Recipe::SidecarOf { product, sidecar: Box::new(sidecar) },
            mode: replace(ContentHash::of(old.record_bytes)),
        });
    }
    Some(plan)
}

#[cfg(test)]
mod tests;
