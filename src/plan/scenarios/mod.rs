//! Assets as they lie, and what is decided, as `stockmill plan` shows it.

mod ahead;
mod fused;
mod notes;
mod on_the_way;
mod set_aside;
mod undo;
mod upload;

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::config::{DEFAULT_TEXT, load};
use crate::market::{AiFlag, Market, built_in};
use crate::model::{AssetId, EnhanceTags, MarketName, Method, Strength};
use crate::records::{FileRecord, Origin};

/// What lies there; all else is as at a person's who has changed no setting.
#[derive(Default)]
struct Given<'a> {
    path: &'a str,
    kind: Option<Kind>,
    edges: Option<(u32, u32)>,
    /// Whether stockmill knows it, made it, and keeps its original.
    is_own: bool,
    /// Whether a person changed it since.
    is_changed: bool,
    companions: &'a [&'a str],
    members: &'a [&'a str],
    is_released: bool,
    foreign: Option<&'static str>,
    /// Names that are taken.
    taken: &'a [&'a str],
    /// File names that other assets had in bundles before.
    had: &'a [&'a str],
    /// Bundles of today: their part, how many rows, if anybody can tell, and whether they were sent.
    bundles: &'a [(u32, Option<usize>, bool)],
    /// How many bytes it cannot have, each with why.
    unfit: &'a [(ByteRange, String)],
    /// Its colours, if not those of sRGB.
    colours: Option<Colours>,
    /// What became of it in a bundle for adobe-stock before.
    bundled: Option<Bundled>,
    /// Whether it has neither a title nor keywords.
    is_untitled: bool,
    theme_of_file: Option<&'a str>,
    /// Whether there is a second market, `other`, that takes the same.
    has_second_market: bool,
    /// How that names what AI made.
    ai_flag: AiFlag,
    /// How far levels may be stretched, by the settings.
    levels: Strength,
    /// What the theme says of the look.
    look: EnhanceTags,
    /// How the picture that stockmill made was made, if not enlarged alone.
    recipe: Option<&'a str>,
    /// The most prompts of one idea, if not ten.
    prompts_max: Option<usize>,
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn seen(inode: u64) -> Identity {
    Identity { device: 1, inode, size: 3_000_000, modified_ns: 4 }
}

impl Given<'_> {
    fn facts(&self) -> Facts {
        let at = path(self.path);
        let left = ContentHash::of(b"picture");
        let hash = if self.is_changed { ContentHash::of(b"retouched") } else { left.clone() };
        let known = || {
            let origin = Origin {
                path: path("raw/t/dropped.png"),
                hash: ContentHash::of(b"original"),
                kind: Kind::Png,
                size: None,
                archived: Some(path("archive/t/t-0007.png")),
            };
            let recipe = Some(self.recipe.unwrap_or("lanczos 500x500 to 1000x1000").to_owned().into());
            let file = FileRecord { recipe, ..FileRecord::of_original(left.clone()) };
            Sidecar {
                id: Some(AssetId::of(&ContentHash::of(b"original"))),
                theme: ThemeSlug::new("t").ok(),
                seq: Some(7),
                origin: Some(origin),
                file: Some(file),
                ..Sidecar::default()
            }
        };
        let beside = |text: &&str| Companion { path: path(text), seen: seen(9) };
        let part = |text: &&str| Member { path: path(text), seen: seen(9), copied: Copied::AsItIs };
        let sidecar = self.is_own.then(|| (Companion { path: at.with_suffix(".yaml"), seen: seen(8) }, known()));
        Facts {
            stage: at.area().to_str().unwrap().parse().unwrap(),
            path: at,
            seen: seen(2),
            dropped_ns: 5,
            hash,
            essences: Vec::new(),
            kind: self.kind,
            foreign: self.foreign,
            zeros: None,
            size: self.edges.map(|(width, height)| Size { width, height }),
            video: self.kind.filter(|kind| kind.is_video()).map(|_| Video::usual()),
            colours: self.edges.map(|_| self.colours.unwrap_or(Colours::SRGB)),
            is_upright: true,
            comes_in_rows: true,
            has_private: false,
            has_more_than_tags: false,
            tagless: None,
            is_sound: true,
            sidecar,
            has_original: self.is_own && !self.is_changed,
            xmp: None,
            remarks: Vec::new(),
            c2pa: None,
            rejected_by: None,
            companions: self.companions.iter().map(beside).collect(),
            members: self.members.iter().map(part).collect(),
            personal_folder: None,
            unsure_of_parts: None,
        }
    }

    fn decide<T>(&self, decision: impl FnOnce(&Facts, &Context<'_>) -> T) -> T {
        let mut settings = load(DEFAULT_TEXT, Path::new("/mill"), &built_in().unwrap()).unwrap();
        settings.keep.method = Method::Lanczos;
        settings.keep.enhance.levels = self.levels;
        let mut markets = settings.upload.markets;
        if self.has_second_market {
            let ai_flag = self.ai_flag.clone();
            markets.push(Market { name: MarketName::new("other").unwrap(), ai_flag, ..markets[0].clone() });
        }
        let rules = Rules {
            naming: settings.naming,
            keep: settings.keep,
            export: settings.export,
            markets,
            is_upload_held: false,
            names: settings.upload.names,
            prompts_max: self.prompts_max.unwrap_or(10),
            nets: BTreeMap::new(),
        };
        let tags = Tags {
            title: Some("A cabin".to_owned()),
            keywords: ["snow", "cabin", "winter", "forest", "lake"].map(str::to_owned).to_vec(),
            enhance: self.look,
            ..Tags::default()
        };
        let layers = [(Layer::Theme, tags)];
        let day: Date = "2026-11-28".parse().unwrap();
        let bundle = |(part, rows, sent): &(u32, Option<usize>, bool)| Bundle {
            name: BundleName { day, market: MarketName::new("adobe-stock").unwrap(), part: *part },
            rows: *rows,
            themes: BTreeMap::new(),
            sent: *sent,
        };
        let mut bundles: Vec<Bundle> = self.bundles.iter().map(bundle).collect();
        // Those of another day or market are no matter.
        for (day, market, part) in [("2026-11-27", "adobe-stock", 5), ("2026-11-28", "elsewhere", 7)] {
            let name = BundleName { day: day.parse().unwrap(), market: MarketName::new(market).unwrap(), part };
            bundles.push(Bundle { name, rows: Some(1), themes: BTreeMap::new(), sent: false });
        }
        let taken: BTreeSet<RelPath> = self.taken.iter().map(|text| path(text)).collect();
        let bundled = self.bundled.clone().map(|bundled| (MarketName::new("adobe-stock").unwrap(), bundled));
        let context = Context {
            now: "2026-11-28T12:00:00Z".parse().unwrap(),
            today: day,
            rules: &rules,
            is_let_go: self.is_released,
            layers: if self.is_untitled { &[] } else { &layers },
            theme_of_file: &|_| self.theme_of_file.map(|theme| ThemeSlug::new(theme).unwrap()),
            next_seq: &|_, _| 1,
            known: None,
            taken: &|path| taken.contains(path),
            given: &|file, _| self.had.contains(&&*file.file_text()),
            bundles: &bundles,
            unfit: self.unfit,
            bundled_for: &bundled.into_iter().collect(),
            no_room: &|_, _| None,
            season: None,
        };
        decision(&self.facts(), &context)
    }

    fn planned(&self) -> Vec<String> {
        match self.decide(plan_asset) {
            Ok(plan) => lines(&plan),
            Err(Hold::Ignored(why)) => vec![format!("ignored: {why}")],
            Err(Hold::Untagged(why)) => vec![format!("untagged: {why}")],
            Err(Hold::Unwanted(why)) => vec![format!("unwanted: {why}")],
            Err(hold) => vec![format!("waits: {hold}")],
        }
    }

    fn parked(&self) -> Vec<String> {
        lines(&self.decide(|facts, context| plan_park(facts, context, "it is cut off", &|_| None)))
    }
}

const SMALL: Option<(u32, u32)> = Some((1_000, 1_000));
const LARGE: Option<(u32, u32)> = Some((2_500, 2_000));

/// Returns what is shown of a plan, without the spaces that stand one below the other.
fn lines(plan: &Plan) -> Vec<String> {
    plan.to_string().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn picture(path: &str) -> Given<'_> {
    Given { path, kind: Some(Kind::Png), edges: SMALL, ..Given::default() }
}

/// A picture that stockmill made.
fn own(path: &str) -> Given<'_> {
    Given { is_own: true, ..picture(path) }
}

fn jpeg(path: &str) -> Given<'_> {
    Given { path, kind: Some(Kind::Jpeg), edges: LARGE, ..Given::default() }
}

fn model<'a>(path: &'a str, members: &'a [&'a str]) -> Given<'a> {
    Given { path, kind: Some(Kind::Obj), members, ..Given::default() }
}

type Row<'a> = (Given<'a>, &'a [&'a str]);

fn check(rows: &[Row<'_>]) {
    for (given, expected) in rows {
        assert_eq!(given.planned(), *expected, "{}", given.path);
    }
}
