//! Deciding: what was seen, the settings and `now` go in; a [`Plan`] or a [`Hold`] comes out. Pure:
//! no disk, no clock, no log, no randomness, so `plan` can show what `run` would do.

pub mod gate;
pub mod merge;
pub mod naming;
pub mod tags;

mod ahead;
mod asset;
mod bundle;
mod bundled_name;
mod checklist;
mod checklist_boxes;
mod checklist_csv;
mod checklist_done;
mod checklist_files;
mod checklist_iptc;
mod checklist_notes;
mod checklist_rules;
mod checklist_steps;
mod checklist_ticks;
mod checklist_written;
mod delivered;
mod export;
mod forecast;
mod forget;
mod fuse;
mod hold;
mod ideas;
mod join;
mod keep;
mod known;
mod manifest;
mod market_record;
mod not_taken;
mod note_themes;
mod offered;
mod open_steps;
mod own_file;
mod park;
mod part;
mod place;
mod raw;
mod recipe;
mod refusal;
mod remake;
mod retry;
mod revision;
mod room;
mod row_digest;
mod rules;
#[cfg(test)]
mod scenarios;
mod selection;
mod sending;
mod show;
mod stage;
mod steps;
mod sync;
mod theme_files;
mod undo;
mod undo_facts;
mod undo_note;
mod unwanted;
mod upload;
mod verdicts;

pub use ahead::{foresee, foresee_tags};
pub use asset::unknown;
pub use bundle::{Bundle, BundleAsset, BundleName, Elsewhere, MissingPart, Parts, plan_name_back, plan_refresh};
pub use delivered::Delivered;
pub use forecast::{Forecast, Outlook, Past, Waiting, WentBefore, forecast};
pub use forget::{Traces, plan_forget};
pub use fuse::{bytes_for_all, facts_after};
pub use hold::Hold;
pub use ideas::plan_note;
pub use join::{AssetFile, Late, Named, Says, plan_join};
pub use keep::keep_by;
pub use known::{Bundled, Known, Lacking, Whereabouts};
pub use manifest::{Existing, Written, list_record, plan_bundle_away, plan_manifest};
pub use market_record::{MarketAnswer, MarketRecord, MarketTally, SentOnce};
pub use naming::theme_of_file;
pub use note_themes::{TagsOnDisk, ThemeOnDisk};
pub use open_steps::{told_open, told_otherwise, uploaded};
pub use own_file::{Taken, how_taken, is_finished_of, is_own_file, may_be_made};
pub use park::{REASON, is_note_on_set_aside, plan_park};
pub use part::{Copied, Member};
pub use place::{Arrival, Place};
pub use recipe::Recipe;
pub use refusal::{Refusal, what_mends};
pub use remake::{Freshness, Kept, Old, Remake, Stale, freshness, plan_remake};
pub use retry::{Around, SetAside, plan_retry};
pub use revision::{Earlier, is_in_question, revised};
pub use room::{MarketUse, NoRoom, check_room};
pub use row_digest::row_digest;
pub use rules::{Nets, Rules};
pub use sending::{SENT_MARK, plan_clock_back, plan_mark_sent, plan_not_sent, plan_sent, told_missing};
pub use stage::plan_asset;
pub use sync::{Base, TAGS_COPIED, TagFile, base_path as sync_base_path, plan_first_tags, plan_sync};
use theme_files::folder_in;
pub use theme_files::{OnDisk, ThemeFiles, emptied_folders};
pub use undo::{choose_undo, plan_undo, standing, themes_with_assets};
pub use undo_facts::UndoFacts;
pub use upload::{Said, ask_markets, plan_offer};
pub use verdicts::{Dealt, SentBefore, Verdict, is_answered_again, judge_verdicts, plan_answers};

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::model::{
    AssetId, ByteRange, C2pa, Colours, ContentHash, Identity, Kind, MarketName, RelPath, Size, Stage, Tags, ThemeSlug,
    Video, leading_days,
};
pub use crate::records::BundleFolder;
use crate::records::{About, Move, PublishMode, Remove, RowDigest, Sidecar};
use tags::Layer;

/// What is known of one settled asset.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The primary file.
    pub path: RelPath,
    /// The stage that it lies in.
    pub stage: Stage,
    /// The state in which it was seen.
    pub seen: Identity,
    /// When it got its name here, in nanoseconds since 1970.
    pub dropped_ns: i64,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// The hash of what it shows, whatever its metadata, for kinds where that is known; of a video with strays also that
    /// of what is bundled.
    pub essences: Vec<ContentHash>,
    /// What it is by content; `None` for a type that stockmill does not know.
    pub kind: Option<Kind>,
    /// What it is if it is a picture that stockmill does not take.
    pub foreign: Option<&'static str>,
    /// Where its pixels are zeros that a copy may have left which did not arrive whole.
    pub zeros: Option<Range<usize>>,
    /// Its size in pixels, for pictures.
    pub size: Option<Size>,
    /// What is measured of it, for videos.
    pub video: Option<Video>,
    /// The colours that a picture is stored in, if anybody can tell.
    pub colours: Option<Colours>,
    /// Whether it is stored as it is seen; any other picture is turned before it is bundled.
    pub is_upright: bool,
    /// Whether the rows of a picture come one after another, so that it is never in memory as a whole.
    pub comes_in_rows: bool,
    /// Whether a video has metadata beside its pictures and sound: they are not bundled with it.
    pub has_private: bool,
    /// Whether it has more of them than the tags that stockmill writes.
    pub has_more_than_tags: bool,
    /// The C2PA manifest in it, which holds for no other file.
    pub c2pa: Option<C2pa>,
    /// Why stockmill writes no tags into a video; `None` if it does, and for other kinds.
    pub tagless: Option<&'static str>,
    /// Whether its whole content was found sound already.
    pub is_sound: bool,
    /// Its sidecar, where there is one.
    pub sidecar: Option<(Companion, Sidecar)>,
    /// Whether the original that its sidecar names really lies in the archive.
    pub has_original: bool,
    /// Tags from a foreign XMP sidecar.
    pub xmp: Option<Tags>,
    /// What a person is told of how it was read.
    pub remarks: Vec<String>,
    /// The foreign XMP sidecar that marks it as rejected, if one does, and the hash of its bytes.
    pub rejected_by: Option<(RelPath, ContentHash)>,
    /// Files that go with it under a similar name: prompt texts, foreign sidecars.
    pub companions: Vec<Companion>,
    /// Files that it names inside and that keep their names: `.mtl`, `.bin`, textures.
    pub members: Vec<Member>,
    /// A folder of a person that it, or a material of it, names.
    pub personal_folder: Option<String>,
    /// Why nobody can tell that these are all that a model names, if so.
    pub unsure_of_parts: Option<String>,
}

impl Facts {
    /// Returns what is known of a file that nobody has looked into: where it lies and since when, and that no bytes of
    /// it were read.
    pub fn bare(path: RelPath, stage: Stage, seen: Identity, dropped_ns: i64) -> Self {
        Self {
            path,
            stage,
            seen,
            dropped_ns,
            hash: ContentHash::of(b""),
            essences: Vec::new(),
            kind: None,
            foreign: None,
            zeros: None,
            size: None,
            video: None,
            colours: None,
            is_upright: true,
            comes_in_rows: false,
            has_private: false,
            has_more_than_tags: false,
            c2pa: None,
            tagless: None,
            is_sound: false,
            sidecar: None,
            has_original: false,
            xmp: None,
            remarks: Vec::new(),
            rejected_by: None,
            companions: Vec::new(),
            members: Vec::new(),
            personal_folder: None,
            unsure_of_parts: None,
        }
    }
}

/// A file that moves with its asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companion {
    /// Where it lies.
    pub path: RelPath,
    /// The state in which it was seen.
    pub seen: Identity,
}

/// Everything beside the facts that a decision depends on.
pub struct Context<'a> {
    /// The time of the decision.
    pub now: Timestamp,
    /// The day of the decision, in local time.
    pub today: Date,
    /// The settings.
    pub rules: &'a Rules,
    /// Whether a person let it go as it is.
    pub is_let_go: bool,
    /// The tag layers below the asset's own, lowest first.
    pub layers: &'a [(Layer, Tags)],
    /// Returns the theme that a file's name begins with, if there is one.
    pub theme_of_file: &'a dyn Fn(&str) -> Option<ThemeSlug>,
    /// Returns a theme's number for bytes: the one that they had at an earlier try, or the next free one.
    pub next_seq: &'a dyn Fn(&ThemeSlug, &ContentHash) -> u64,
    /// The asset that had the same content before.
    pub known: Option<&'a Known>,
    /// Returns whether a name is taken, on disk or by a plan that is being carried out.
    pub taken: &'a dyn Fn(&RelPath) -> bool,
    /// Returns whether an asset's file in a bundle cannot have this name: a file of another asset has, or had, it in a bundle for that
    /// market, or the market may have one of that name from another bundle.
    pub given: &'a dyn Fn(&RelPath, &AssetId) -> bool,
    /// The bundles of today.
    pub bundles: &'a [Bundle],
    /// How many bytes this asset's picture cannot have by any quality, each with why.
    pub unfit: &'a [(ByteRange, String)],
    /// The markets that this asset or this content was bundled for before, and what became of it there.
    pub bundled_for: &'a BTreeMap<MarketName, Bundled>,
    /// Returns why a market gets no more files of a theme for now, if that is so.
    pub no_room: &'a dyn Fn(&MarketName, &ThemeSlug) -> Option<NoRoom>,
    /// The day that its theme is for.
    pub season: Option<Date>,
}

/// A whole decision: printed by `stockmill plan`, made in scratch, journalled, carried out.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it is about.
    pub about: About,
    /// What must hold of the source's content before anything is done.
    pub check: Option<Check>,
    /// New files, in the order in which they are made.
    pub products: Vec<Product>,
    /// Files that move to a free name.
    pub moves: Vec<Move>,
    /// Files that go once everything else is durable.
    pub removes: Vec<Remove>,
    /// Why markets do not get its file: each reason once, with all markets that have it.
    pub not_for: Vec<String>,
    /// The files that go to a market again which refused one of its asset, each with what tells its row from that one's.
    pub again: Vec<(RelPath, RowDigest)>,
    /// What is to be told of those of which it shows only once they are made whether the market gets them.
    pub unsure: Vec<String>,
    /// The bundles that it adds a row to.
    pub rows: Vec<BundleName>,
    /// Which of its steps decodes the picture, if one does: that one tells what is found.
    pub renders_in: Option<usize>,
    /// Which of its steps decides on the bytes of the picture, if one does: that one tells what became of them.
    pub encodes_in: Option<usize>,
    /// The markets whose limits of bytes that step was to meet, where they are not a market's own.
    pub bytes_for: Vec<MarketName>,
    /// Which products are files of a market's own, each with how many bytes that takes.
    pub own_files: Vec<(usize, ByteRange)>,
    /// How many bytes the picture that it makes may have: what comes behind was decided on that.
    pub bytes: Option<RangeInclusive<u64>>,
    /// What was made of the same asset before and may still lie in the trash: what is the same is not made again.
    pub kept: Vec<Kept>,
}

impl Plan {
    /// Returns a plan that does nothing yet.
    pub fn new(about: About) -> Self {
        Self {
            about,
            check: None,
            products: Vec::new(),
            moves: Vec::new(),
            removes: Vec::new(),
            not_for: Vec::new(),
            again: Vec::new(),
            unsure: Vec::new(),
            rows: Vec::new(),
            renders_in: None,
            encodes_in: None,
            bytes_for: Vec::new(),
            own_files: Vec::new(),
            bytes: None,
            kept: Vec::new(),
        }
    }

    /// Returns the names that it gives.
    pub fn gives(&self) -> impl Iterator<Item = &RelPath> {
        self.products.iter().map(|product| &product.to).chain(self.moves.iter().map(|shift| &shift.to))
    }

    /// Returns the names that it takes away.
    pub fn takes(&self) -> impl Iterator<Item = &RelPath> {
        self.moves.iter().map(|shift| &shift.from).chain(self.removes.iter().map(|gone| &gone.path))
    }
}

/// A source whose whole content must be sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The file.
    pub path: RelPath,
    /// What it claims to be.
    pub kind: Kind,
}

/// A file that a plan makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// The name that it gets.
    pub to: RelPath,
    /// How it is made.
    pub recipe: Recipe,
    /// Whether the name must be free.
    pub mode: PublishMode,
}

/// Returns the theme and the folder below it that a path in a stage lies in. Folders of a generator that only say when
/// are none of these; in `upload` such a folder is an upload day, and what was sent lies in no theme.
pub fn theme_of_path(path: &RelPath) -> (Option<ThemeSlug>, Option<RelPath>) {
    let Some(folder) = path.parent().filter(|folder| !BundleFolder::is_among_sent(folder)) else { return (None, None) };
    let names = folder.parts().skip(1).map_while(|name| name.to_str());
    let days = if folder.area() == Stage::Upload.name() { 0 } else { leading_days(names) };
    let mut parts = folder.parts().skip(1 + days);
    let theme = parts.next().and_then(|name| ThemeSlug::new(name.to_str()?).ok());
    let rest: Vec<_> = parts.collect();
    let below = rest.join(std::ffi::OsStr::new("/"));
    (theme, RelPath::new(below).ok())
}

/// Returns a new product under a free name.
fn new_file(to: RelPath, recipe: Recipe) -> Product {
    Product { to, recipe, mode: PublishMode::New }
}

/// Returns a product that replaces a record of stockmill's own.
fn new_version(to: RelPath, bytes: Vec<u8>, was: Option<ContentHash>) -> Product {
    Product { to, recipe: Recipe::Bytes(bytes), mode: PublishMode::Replace { was } }
}
