use super::BundleFolder;
use super::asset::{Asset, free_path};
use super::bundle::BundleName;
use super::bundled_name::file_name;
use super::gate;
use super::not_taken::{Cause, NotTaken, refused_by_all, told};
use super::offered::{candidate, check, refused};
use super::own_file::{encoded_anew, is_of_another, may_be_made, own_file};
use super::part::{copy_parts, private_of, told_of_parts};
use super::refusal::{Again, mended};
use super::row_digest::row_digest;
use super::tags::digest;
use super::{Bundle, Bundled, Context, Facts, Hold, NoRoom, Plan, Recipe, Refusal, export, new_file};
use crate::market::{self, Candidate, Market, Row};
use crate::model::iim::shortened;
use crate::model::{Format, MarketName, Meta, RelPath, Stage, together};
use crate::records::{FileRecord, Step};

/// Puts a finished file into today's bundle of every market that takes it.
pub(super) fn plan(asset: &Asset<'_>) -> Result<Plan, Hold> {
    let Answers { plan, did, mut refused } = Answers::of(asset, &|_| true);
    let Some(mut plan) = plan else { return Err(refused_by_all(&refused)) };
    // From now on it lies in a bundle: room alone does not let it go on.
    for (_, refusal) in refused.iter_mut().filter(|(_, refusal)| refusal.cause == Cause::Room) {
        if let Some(why) = &asset.facts.unsure_of_parts {
            refusal.cause = Cause::Parts;
            refusal.reasons.insert(0, why.clone());
        } else {
            refusal.reasons.splice(..0, asset.context.rules.is_upload_held.then(|| gate::held(Stage::Upload)));
        }
    }
    plan.not_for = told(&refused);
    let of_parts = told_of_parts(asset);
    let told: Vec<&str> = did.iter().chain(&plan.not_for).chain(&of_parts).map(String::as_str).collect();
    plan.about.did = asset.told(&told.join("; "));
    let archived = asset.retire(&mut plan);
    if let Some(archived) = &archived {
        let recipes = plan.products.iter_mut().map(|product| &mut product.recipe);
        for recipe in recipes {
            if let Recipe::SidecarOf { sidecar, .. } = recipe {
                sidecar.keep_original_at(archived.clone());
            }
        }
    }
    bring_along(asset, &mut plan);
    // A person may delete a bundle that was sent: what came along is kept with the original.
    let kept = archived.or_else(|| asset.sidecar.original()?.archived.clone());
    asset.bring_companions(&mut plan, &kept.expect("what can be made again is made of an original that is kept"));
    Ok(plan)
}

/// Plans that a file which lies in a bundle gets into today's bundle of each of these further markets that takes it by
/// now; it stays where it is.
pub fn plan_offer(facts: &Facts, markets: &[MarketName], context: &Context<'_>) -> Result<Plan, Hold> {
    let asset = Asset::recognise(facts, context)?;
    let Answers { plan, did, refused } = Answers::of(&asset, &|market| markets.contains(market));
    let lacking: Vec<_> = refused.into_iter().filter(|(_, refusal)| refusal.cause != Cause::Before).collect();
    if lacking.is_empty() && plan.is_none() {
        return Err(Hold::Waits("each market that it is for had it before".to_owned()));
    }
    let Some(mut plan) = plan else { return Err(refused_by_all(&lacking)) };
    plan.about.did = format!("{}; other markets got it before", did.join("; "));
    bring_along(&asset, &mut plan);
    Ok(plan)
}

/// What a market says to a bundled file that it has not got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It takes it now.
    Takes,
    /// It takes it now if a file within its limits can be made for it, which shows once it is made.
    TakesOwn,
    /// It takes it, and has no room now: why, and what ends that.
    Later(String),
    /// It refuses it: why.
    Refuses(String),
}

/// Returns what each of these markets says to a bundled file that it has not got.
pub fn ask_markets(
    facts: &Facts,
    markets: &[MarketName],
    context: &Context<'_>,
) -> Result<Vec<(MarketName, Said)>, Hold> {
    let asset = Asset::recognise(facts, context)?;
    let Answers { plan, refused, .. } = Answers::of(&asset, &|market| markets.contains(market));
    let takes = plan.into_iter().flat_map(|plan| {
        let own = plan.own_files.iter().filter_map(|(product, _)| BundleName::of(&plan.products[*product].to));
        let own: Vec<MarketName> = own.map(|bundle| bundle.market).collect();
        let said = move |market: &MarketName| if own.contains(market) { Said::TakesOwn } else { Said::Takes };
        plan.about.markets.into_iter().map(move |market| (market.clone(), said(&market)))
    });
    let lacks = refused.into_iter().filter_map(|(market, NotTaken { reasons, cause })| match cause {
        Cause::Before => None,
        Cause::Room => Some((market, Said::Later(reasons.join("; ")))),
        Cause::File | Cause::Tags | Cause::Parts => Some((market, Said::Refuses(reasons.join("; ")))),
    });
    Ok(takes.chain(lacks).collect())
}

/// Plans copies of an asset's foreign sidecars for its files in bundles.
fn bring_along(asset: &Asset<'_>, plan: &mut Plan) {
    let bundled: Vec<RelPath> = plan.products.iter().map(|product| product.to.clone()).collect();
    for file in bundled.iter().filter(|file| BundleFolder::is_file(file)) {
        let Some(bundle) = BundleFolder::of(file) else { continue };
        asset.copy_xmp(plan, &bundle.sidecars().join(file.file_name()));
    }
}

/// What the chosen markets say to a file.
struct Answers {
    /// What puts it into the bundles of those that take it.
    plan: Option<Plan>,
    did: Vec<String>,
    refused: Vec<(MarketName, NotTaken)>,
}

impl Answers {
    fn of(asset: &Asset<'_>, is_asked: &dyn Fn(&MarketName) -> bool) -> Self {
        let (mut did, mut refused, mut plan) = (Vec::new(), Vec::new(), None);
        for market in asset.context.rules.markets.iter().filter(|market| is_asked(&market.name)) {
            match join(asset, market, &mut plan) {
                Ok(joined) => did.push((market.name.clone(), joined)),
                Err(refusal) => refused.push((market.name.clone(), refusal)),
            }
        }
        if let Some(plan) = &mut plan {
            let lacking = refused.iter().filter(|(_, refusal)| refusal.cause != Cause::Before);
            let owed: Vec<MarketName> = lacking.map(|(market, _)| market.clone()).collect();
            for product in &mut plan.products {
                if let Recipe::SidecarOf { sidecar, .. } = &mut product.recipe {
                    sidecar.owed.clone_from(&owed);
                }
            }
        }
        let did = together(did).iter().map(|(markets, joined)| joined.told(markets)).collect();
        Self { plan, did, refused }
    }
}

/// What is told of a file that a market gets: what stands before the market's name and behind it.
#[derive(PartialEq)]
struct Joined {
    how: String,
    then: String,
}

impl Joined {
    fn told(&self, markets: &str) -> String {
        format!("{} for {markets} {}", self.how, self.then)
    }
}

/// Lets the only step of a plan tell what is found when a file is made.
fn tells(plan: &mut Plan, recipe: &Recipe, asset: &Asset<'_>) {
    match recipe {
        Recipe::Render { render, .. } => {
            (plan.renders_in, plan.encodes_in) = (Some(0), Some(0));
            plan.bytes_for = export::bytes_for(asset.context.rules, render.output.format(), asset.facts.size);
        }
        Recipe::Embed { .. } => plan.renders_in = Some(0),
        _ => (),
    }
}

/// Returns the name of a file in a bundle, which no file of that market has or had; as it would have it, if it can. What
/// the market refused has another name once it is mended: its list tells files by names alone.
fn free_name(asset: &Asset<'_>, market: &Market, folder: &BundleFolder, wanted: &str) -> Result<String, NotTaken> {
    let files = folder.files();
    let is_taken = asset.context.taken;
    let refused = match asset.context.bundled_for.get(&market.name) {
        Some(Bundled::Refused(refusals)) => &refusals[..],
        _ => &[],
    };
    let was = |refusal: &Refusal, name: &str| refusal.file.file_text().to_lowercase() == name.to_lowercase();
    let taken = |name: &str| {
        is_taken(&files.join(name))
            || is_taken(&folder.sidecar_of(name))
            || asset.parts().any(|(_, inner)| is_taken(&folder.parts_of(name).join(inner.as_path())))
            || (asset.context.given)(&files.join(name), &asset.id)
            || refused.iter().any(|refusal| was(refusal, name))
    };
    market::fit_file_name(market, wanted, &asset.id.to_string(), &taken).ok_or_else(|| {
        let mend = "shorten the theme's folder name, or its rule in `naming.markets`";
        NotTaken::new(Cause::File, &format!("no free file name is short enough for it; {mend}"))
    })
}

/// Returns how a market's own file is made, as [`finished`] does, if the finished one has not as many bytes, or not the
/// colours, that it takes; or refuses what the market would refuse.
fn own_file_for(
    asset: &Asset<'_>,
    market: &Market,
    candidate: &Candidate,
) -> Result<Option<(Recipe, FileRecord, String)>, NotTaken> {
    let mut refusal = if is_of_another(asset) {
        if let Some(fitting) = encoded_anew(market, candidate) {
            check(market, &fitting)?;
        }
        NotTaken::new(Cause::File, "the file that another market has was encoded for the limits of that one alone")
    } else {
        let Err(refusal) = check(market, candidate) else { return Ok(None) };
        let fitting = encoded_anew(market, candidate).ok_or_else(|| refusal.clone())?;
        if let Err(rest) = check(market, &fitting) {
            // What a file of its own would mend, nobody has to do anything about.
            let is_mended = may_be_made(&asset.sidecar, market, candidate.bytes);
            return Err(if is_mended { rest } else { refusal });
        }
        refusal
    };
    match own_file(asset, market, candidate) {
        Ok(own) => Ok(Some(own)),
        Err(why) => {
            refusal.reasons.push(why);
            Err(refusal)
        }
    }
}

/// What a market gets of an asset.
pub(super) struct Offer {
    file_name: String,
    meta: Meta,
    left_out: Vec<String>,
    /// How the market's own file is made, if the finished one is none for it.
    own: Option<(Recipe, FileRecord, String)>,
}

/// Returns what a market gets; or says why it refuses the file.
pub(super) fn offer(asset: &Asset<'_>, market: &Market) -> Result<Offer, NotTaken> {
    let (candidate, left_out) = candidate(asset, market);
    let own = own_file_for(asset, market, &candidate)
        .map_err(|refusal| refused(asset, market, &candidate, (refusal, &left_out)))?;
    let Candidate { meta, category, .. } = candidate;
    let file_name = file_name(asset, market);
    let row = Row { file_name: &file_name, meta: &meta, category: category.as_deref() };
    if let Some(why) = market::row_too_long(market, &row) {
        return Err(NotTaken { reasons: vec![why], cause: Cause::Tags });
    }
    Ok(Offer { file_name, meta, left_out, own })
}

/// Refuses what a market has no room for now, unless a person let it go.
fn has_room(asset: &Asset<'_>, market: &Market) -> Result<(), NotTaken> {
    let no_room = (asset.context.no_room)(&market.name, &asset.theme).filter(|_| !asset.context.is_let_go);
    no_room.map_or(Ok(()), |NoRoom { why, of_bundled, .. }| {
        let why = if BundleFolder::is_file(&asset.facts.path) { of_bundled } else { why };
        Err(NotTaken::new(Cause::Room, &why))
    })
}

/// Adds a file and its sidecar in one market's bundle to the plan, and returns what is told of that; or says why the market
/// refuses it.
fn join(asset: &Asset<'_>, market: &Market, plan: &mut Option<Plan>) -> Result<Joined, NotTaken> {
    let bundle = open_bundle(asset, market);
    let before = asset.context.bundled_for.get(&market.name).filter(|before| !is_asked_for(before, &bundle));
    if let Some(why) = before.and_then(|before| before.refuse(asset.context.is_let_go)) {
        return Err(NotTaken::new(Cause::Before, &why));
    }
    let Offer { file_name: wanted, meta, left_out, own } = offer(asset, market)?;
    let folder = BundleFolder::new(bundle.folder());
    let name = free_name(asset, market, &folder, &wanted)?;
    let to = folder.files().join(&name);
    let is_own = own.is_some();
    let (recipe, file, how) = own.unwrap_or_else(|| finished(asset, &meta));
    let again = match before {
        Some(Bundled::Refused(refusals)) => {
            let row = row_digest(market, &asset.tags_as_number(None), &name);
            Some((mended(asset, market, refusals, (&recipe, &file), &row)?, row))
        }
        _ => None,
    };
    // What the market refuses is not promised to it for when it has room.
    has_room(asset, market)?;
    let mut told = vec![format!("of {}", bundle.day)];
    told.extend(market::renamed(market, &wanted, &name));
    told.extend(left_out);
    told.extend(shortened(&meta).filter(|_| asset.kind.is_image()));
    told.extend(asset.context.season.and_then(|season| market::late_for(season, market, asset.context.today)));
    let told_again = again.as_ref().map_or_else(String::new, |(again, _)| format!(" again, {},", again.told));
    let joined = Joined { how: format!("{how}bundled{told_again}"), then: told.join("; ") };
    let did = joined.told(market.name.as_str());
    let plan = plan.get_or_insert_with(|| asset.plan(&to, &did));
    plan.about.markets.push(market.name.clone());
    if let Some((Again { unsure, .. }, row)) = again {
        plan.again.push((to.clone(), row));
        plan.unsure.extend(unsure);
    }
    let mut sidecar = asset.sidecar_that(&did);
    sidecar.file = Some(file);
    sidecar.private = private_of(asset);
    plan.rows.push(bundle);
    sidecar.parts.clear();
    tells(plan, &recipe, asset);
    // Each bundle has all that a person uploads.
    copy_parts(asset, plan, &folder, &to);
    let product = plan.products.len();
    plan.own_files.extend(is_own.then(|| (product, market.byte_range())));
    plan.products.push(new_file(to, recipe.of_earlier(&plan.products)));
    let recipe = Recipe::SidecarOf { product, sidecar: Box::new(sidecar) };
    let record = free_path(&folder.sidecar_of(&name), asset.context);
    plan.products.push(new_file(record, recipe));
    Ok(joined)
}

/// Returns whether the list of a bundle asks by itself for what a person took back from it, in place of what was uploaded.
fn is_asked_for(before: &Bundled, bundle: &BundleName) -> bool {
    matches!(before, Bundled::StillUp(file) if BundleName::of(file).as_ref() == Some(bundle))
}

/// Returns how the file for a market is made, its record, and what its history says before "bundled". A picture that
/// stockmill wrote itself stays as it is; any other loses its metadata, and with them
/// its orientation: one that is not upright is turned and encoded once.
fn finished(asset: &Asset<'_>, meta: &Meta) -> (Recipe, FileRecord, String) {
    let (from, kind, hash) = (asset.facts.path.clone(), asset.kind, asset.facts.hash.clone());
    let known = asset.sidecar.file.as_ref();
    let to_turn = Format::ALL.into_iter().find(|format| format.kind() == kind && !asset.facts.is_upright);
    if let Some(format) = to_turn {
        let (recipe, file) = export::anew(asset, format, meta);
        return (recipe, file, "turned upright and ".to_owned());
    }
    if kind.is_video() {
        return film(asset, meta);
    }
    let is_current = known.and_then(|file| file.embedded.as_ref()) == Some(&digest(meta)) || !kind.is_image();
    let before = known.filter(|file| file.recipe.is_some()).cloned();
    let made = before.unwrap_or_else(|| asset.derived(Step::Embedded, None));
    let file = FileRecord { hash: hash.clone(), embedded: Some(digest(meta)), ..made };
    let recipe =
        if is_current { Recipe::Same { from, hash } } else { Recipe::Embed { from, kind, meta: meta.clone() } };
    (recipe, file, String::new())
}

/// Returns how a video for a market is made: with the tags in it where stockmill has a place for them, and without what
/// it says beside its pictures and sound.
fn film(asset: &Asset<'_>, meta: &Meta) -> (Recipe, FileRecord, String) {
    let (from, kind, hash) = (asset.facts.path.clone(), asset.kind, asset.facts.hash.clone());
    let stripped = if asset.facts.has_private { "stripped of its metadata and " } else { "" };
    let known = asset.sidecar.file.as_ref();
    match asset.facts.tagless {
        // What an older version bundled may say what that one did not know.
        None if known.and_then(|file| file.embedded.as_ref()) == Some(&digest(meta))
            && !asset.facts.has_more_than_tags =>
        {
            let file = known.cloned().unwrap_or_else(|| FileRecord::of_original(hash.clone()));
            (Recipe::Same { from, hash }, file, String::new())
        }
        None => {
            let file = asset.derived(Step::Embedded, Some(digest(meta)));
            (Recipe::Embed { from, kind, meta: meta.clone() }, file, stripped.to_owned())
        }
        Some(why) if asset.facts.has_private => {
            let file = asset.derived(Step::Blanked, None);
            (Recipe::Blank { from, kind }, file, format!("{stripped}without tags inside ({why}), "))
        }
        Some(why) => {
            let file = known.cloned().unwrap_or_else(|| FileRecord::of_original(hash.clone()));
            (Recipe::Same { from, hash }, file, format!("without tags inside ({why}), "))
        }
    }
}

/// Returns today's bundle that is open, or the next one. Nothing is added to one of which nobody can tell what it holds.
fn open_bundle(asset: &Asset<'_>, market: &Market) -> BundleName {
    let day = asset.context.today;
    let ours =
        || asset.context.bundles.iter().filter(|bundle| bundle.name.market == market.name && bundle.name.day == day);
    let is_open = |bundle: &&Bundle| !bundle.sent && bundle.rows.is_some();
    // Before a manifest had parts, a bundle that was full stayed beside the next one.
    let part = ours().filter(is_open).map(|bundle| bundle.name.part).max();
    let part = part.unwrap_or_else(|| ours().map(|bundle| bundle.name.part).max().unwrap_or(0) + 1);
    BundleName { market: market.name.clone(), day, part }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::config::{DEFAULT_TEXT, load};
    use crate::model::{Colours, ContentHash, Identity, Kind, Output, Render, Size, Stage, Tags, Video};
    use crate::plan::{Rules, plan_asset};
    use crate::records::{Derivation, SIDECAR_SUFFIX, Sidecar};

    /// Returns how a file that was dropped into `upload` gets into its bundle.
    fn planned(is_upright: bool, is_own: bool) -> Plan {
        planned_by(Kind::Jpeg, is_own, |facts| facts.is_upright = is_upright)
    }

    fn planned_of(kind: Kind, change: impl FnOnce(&mut Facts)) -> Plan {
        planned_by(kind, false, change)
    }

    fn planned_by(kind: Kind, is_own: bool, change: impl FnOnce(&mut Facts)) -> Plan {
        let markets = market::built_in().unwrap();
        let mut settings = load(DEFAULT_TEXT, Path::new("/mill"), &markets).unwrap();
        settings.upload.markets.iter_mut().for_each(|market| market.kinds = Kind::ALL.to_vec());
        let hash = ContentHash::of(b"picture");
        let layer = Tags {
            title: Some("A cabin in the snow".to_owned()),
            keywords: ["snow", "cabin", "winter", "forest", "lake"].map(str::to_owned).to_vec(),
            ..Tags::default()
        };
        let layers = [(crate::plan::tags::Layer::Theme, layer)];
        let embedded = is_own.then(|| digest(&crate::plan::tags::resolve(&[layers[0].clone(), own_layer()]).meta()));
        let recipe = Some(Derivation::from("JPEG quality 90 sRGB".to_owned()));
        let file = FileRecord { recipe, embedded, ..FileRecord::of_original(hash.clone()) };
        let sidecar = Sidecar { file: Some(file), ..Sidecar::default() };
        let seen = Identity { device: 1, inode: 2, size: 3_000_000, modified_ns: 4 };
        let path = RelPath::new("upload/t/a").unwrap().with_suffix(&format!(".{kind}"));
        let beside = crate::plan::Companion { path: path.with_suffix(SIDECAR_SUFFIX), seen };
        let mut facts = Facts {
            hash,
            kind: Some(kind),
            size: Some(Size { width: 2500, height: 2000 }),
            video: Some(Video::usual()),
            colours: Some(Colours::SRGB),
            is_sound: true,
            sidecar: Some((beside, sidecar)),
            ..Facts::bare(path, Stage::Upload, seen, 5)
        };
        change(&mut facts);
        let rules = Rules {
            naming: settings.naming,
            keep: settings.keep,
            export: settings.export,
            markets: settings.upload.markets,
            is_upload_held: false,
            names: settings.upload.names,
            prompts_max: 10,
            nets: BTreeMap::new(),
        };
        let context = Context {
            now: "2026-11-28T12:00:00Z".parse().unwrap(),
            today: "2026-11-28".parse().unwrap(),
            rules: &rules,
            is_let_go: false,
            layers: &layers,
            theme_of_file: &|_| None,
            next_seq: &|_, _| 1,
            known: None,
            taken: &|_| false,
            given: &|_, _| false,
            bundles: &[],
            unfit: &[],
            bundled_for: &BTreeMap::new(),
            no_room: &|_, _| None,
            season: None,
        };
        plan_asset(&facts, &context).unwrap()
    }

    fn own_layer() -> (crate::plan::tags::Layer, Tags) {
        (crate::plan::tags::Layer::Sidecar, Tags::default())
    }

    /// Its orientation was taken away with all other EXIF, and it lay sideways in the bundle.
    #[test]
    fn what_is_not_upright_is_turned() {
        let quality = load(DEFAULT_TEXT, Path::new("/mill"), &market::built_in().unwrap()).unwrap().export.quality;
        for (is_upright, is_own, expected) in
            [(true, true, "same"), (true, false, "embed"), (false, false, "turn"), (false, true, "turn")]
        {
            let mut products = planned(is_upright, is_own).products;
            let Recipe::SidecarOf { sidecar, .. } = &products[1].recipe else { panic!("{products:?}") };
            let told = String::from(sidecar.file.clone().unwrap().recipe.unwrap());
            let steps = if is_upright { String::new() } else { format!("; JPEG quality {quality} sRGB on #ffffff") };
            assert_eq!(told, format!("JPEG quality 90 sRGB{steps} (version 1)"));
            let got = match products.swap_remove(0).recipe {
                Recipe::Same { .. } => "same",
                Recipe::Embed { .. } => "embed",
                Recipe::Render {
                    render: Render { size: None, output: Output::Final { format: Format::Jpeg, quality: q, .. }, .. },
                    ..
                } if q == quality => "turn",
                _ => "other",
            };
            assert_eq!(got, expected, "upright {is_upright}, own {is_own}");
        }
    }

    /// What a generator or a camera wrote into a video was sent with it, and nothing said so.
    #[test]
    fn a_video_is_bundled_with_its_tags_or_it_is_told_why_not() {
        const WHY: Option<&str> = Some("it is written in fragments");
        for (has_private, tagless, expected, did) in [
            (true, None, "embed", "stripped of its metadata and bundled for"),
            (false, None, "embed", "bundled for"),
            (
                true,
                WHY,
                "blank",
                "stripped of its metadata and without tags inside (it is written in fragments), bundled",
            ),
            (false, WHY, "same", "without tags inside (it is written in fragments), bundled for"),
        ] {
            let plan = planned_of(Kind::Mp4, |facts| (facts.has_private, facts.tagless) = (has_private, tagless));
            let recipe = match &plan.products[0].recipe {
                Recipe::Embed { kind: Kind::Mp4, .. } => "embed",
                Recipe::Blank { kind: Kind::Mp4, .. } => "blank",
                Recipe::Same { .. } => "same",
                other => panic!("{other:?}"),
            };
            assert_eq!(recipe, expected, "{did}");
            let Recipe::SidecarOf { sidecar, .. } = &plan.products[1].recipe else { panic!("{plan:?}") };
            assert_eq!(sidecar.file.as_ref().unwrap().embedded.is_some(), tagless.is_none(), "{did}");
            assert!(plan.about.did.starts_with(did), "{}", plan.about.did);
            assert_eq!(plan.moves[0].to.area(), "archive", "{did}");
        }
    }

    /// A film that an older version had tagged went on to further markets with what that version did not blank.
    #[test]
    fn a_tagged_film_goes_on_as_it_is_if_it_says_nothing_else() {
        let first = planned_of(Kind::Mp4, |_| ());
        let Recipe::SidecarOf { sidecar, .. } = &first.products[1].recipe else { panic!("{first:?}") };
        for (has_more_than_tags, is_same) in [(false, true), (true, false)] {
            let plan = planned_of(Kind::Mp4, |facts| {
                (facts.has_private, facts.has_more_than_tags) = (true, has_more_than_tags);
                let file = FileRecord { hash: facts.hash.clone(), ..sidecar.file.clone().unwrap() };
                facts.sidecar.as_mut().unwrap().1.file = Some(file);
            });
            let recipe = &plan.products[0].recipe;
            assert_eq!(matches!(recipe, Recipe::Same { .. }), is_same, "{recipe:?}");
            assert_eq!(matches!(recipe, Recipe::Embed { .. }), !is_same, "{recipe:?}");
        }
    }
}
