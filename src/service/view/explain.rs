//! What is known of one path: every file and folder below the root has an answer.

use super::judge::Beside;
use super::overview::to_failed;
use super::{AssetStatus, View};
use crate::market::ai_policy;
use crate::model::{RelPath, Stage, figure};
use crate::plan::tags::{Layer, Resolved};
use crate::plan::{BundleFolder, BundleName, Facts, Hold, theme_of_path};
use crate::records::SIDECAR_SUFFIX;
use crate::service::survey::{stage_of, unit_of};
use crate::vault::own_names::{DELIVERY, MARK, PROBE, SCRATCH, TRASH};
use crate::vault::{DiskError, What};

/// Everything that is known of one path.
#[derive(Debug)]
pub struct Explained {
    /// What it is, in words.
    pub is: String,
    /// What else is known: a label of one word, and a text.
    pub notes: Vec<(&'static str, String)>,
    /// How it stands, if it is on its way.
    pub status: Option<AssetStatus>,
    /// Its tags, each with the layer that it came from, or why nobody can tell them.
    pub tags: Option<Result<Resolved, String>>,
    /// The files that the layers of tags came from.
    pub sources: Vec<(Layer, RelPath)>,
}

impl Explained {
    pub(super) fn new(is: impl Into<String>) -> Self {
        Self { is: is.into(), notes: Vec::new(), status: None, tags: None, sources: Vec::new() }
    }

    pub(super) fn with(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.notes.push((label, text.into()));
        self
    }

    pub(super) fn standing(mut self, status: AssetStatus) -> Self {
        self.status = Some(status);
        self
    }
}

impl View {
    /// Explains a path below the root; `None` if nothing lies there and nothing ever did.
    pub fn explain(&mut self, path: &RelPath) -> Result<Option<Explained>, DiskError> {
        if let Some(stage) = stage_of(path)
            && let Some(why) = self.unseen.get(&stage)
        {
            let status = AssetStatus::Unseen(stage, why.clone());
            return Ok(Some(Explained::new("in a stage that cannot be seen").standing(status)));
        }
        let Some(what) = self.what_is(path)? else { return Ok(self.missing(path)) };
        if path.parts().any(|part| [SCRATCH, TRASH, MARK, PROBE, DELIVERY].iter().any(|own| part == *own)) {
            return Ok(Some(Explained::new(about_own(path))));
        }
        let bundle = BundleName::of(path).filter(|name| path.is_in(&name.folder()));
        let held = bundle.and_then(|name| self.decide.holds_bundle(&name, &self.clock.now()));
        let mut explained = match (what, stage_of(path)) {
            (What::File | What::Folder, Some(stage)) => self.in_stage(stage, path, what, held.as_ref())?,
            (What::File | What::Folder, None) => self.beside_stages(path, what),
            (What::Link, Some(_)) => left_alone(path, "a symbolic link", "links are never followed"),
            (What::Special, Some(_)) => left_alone(path, "a special file", "it is no regular file"),
            (What::Link | What::Special, None) => Explained::new("a link or special file; stockmill does not use it"),
        };
        explained.notes.extend(held.map(|hold| ("stuck", hold.to_string())));
        Ok(Some(explained))
    }

    /// Returns what a name stands for.
    fn what_is(&self, path: &RelPath) -> Result<Option<What>, DiskError> {
        if let Some(entry) = self.decide.disk().stat(path)? {
            return Ok(Some(entry.what));
        }
        // A file in the root is no area.
        let is_file = path.parent().is_none() && self.layout.real_path(path).is_file();
        Ok(is_file.then_some(What::File))
    }

    fn in_stage(
        &mut self,
        stage: Stage,
        path: &RelPath,
        what: What,
        held: Option<&Hold>,
    ) -> Result<Explained, DiskError> {
        let name = path.file_text();
        if path.parent().is_none() {
            return Ok(Explained::new(format!("a stage: {}", about_stage(stage))));
        }
        if let Some((folder, rule)) = self.decide.settings.settle.ignore.folder_above(path)
            && (folder != *path || what == What::Folder)
        {
            let why = rule.why(&folder.file_text());
            return Ok(
                Explained::new("in a folder that nobody looks into").standing(AssetStatus::LeftAlone(folder, why))
            );
        }
        if stage == Stage::Upload && is_upload_day(path) {
            return Ok(self.in_upload_day(path, what, held));
        }
        if what == What::Folder {
            return Ok(self.folder(stage, path));
        }
        if stage != Stage::Ideas && name == "tags.yaml" && unit_of(path).is_some_and(|unit| unit != *path) {
            return Ok(self.shared_tags(path));
        }
        let asset = self.asset(stage, path)?;
        Ok(asset.unwrap_or_else(|| {
            let is = if stage != Stage::Ideas && name == "prompts.txt" {
                "the prompts of its theme, one on a line, for your generator; a note adds to them"
            } else {
                "not to be told now: it came or went while this looked; ask again"
            };
            Explained::new(is)
        }))
    }

    /// Explains a file in a unit: an asset, a part of one, or a file that is left alone.
    fn asset(&mut self, stage: Stage, path: &RelPath) -> Result<Option<Explained>, DiskError> {
        let unit = self.unit_around(stage, path)?;
        // Shared tags whose file is misnamed in one stage keep the theme waiting in all.
        for other in
            Stage::ALL.map(|stage| unit.below(&unit.area_path()).map(|below| stage.folder().join(below.as_path())))
        {
            if let Some(other) = other.filter(|other| *other != unit && self.units.contains(other)) {
                drop(self.look(&other));
            }
        }
        let surveyed = self.look(&unit)?;
        let beside = Beside::new(&surveyed);
        if let Some(odd) = surveyed.odd.iter().find(|odd| path.is_in(&odd.path)) {
            let status = self.judge_alone(&beside, odd.clone());
            return Ok(Some(Explained::new("no asset of its own").standing(status)));
        }
        let candidate = surveyed.candidates.iter().find(|c| c.files().any(|found| found.path == *path));
        let Some(candidate) = candidate.cloned() else { return Ok(None) };
        // Of two that have the same bytes, the first goes on.
        let size = candidate.primary.entry.identity.size;
        let first = surveyed.candidates.iter().take_while(|c| c.primary.path != candidate.primary.path);
        for like in first.filter(|c| c.primary.entry.identity.size == size) {
            drop(self.judge(&beside, like));
        }
        let (status, facts) = self.judge(&beside, &candidate);
        let facts = facts.or_else(|| self.facts_of(stage, candidate.clone()));
        let mut explained = Explained::new(what_it_is(stage, facts.as_ref(), candidate.primary.entry.identity.size));
        if candidate.primary.path != *path {
            let primary = &candidate.primary.path;
            let is_sidecar = *path == primary.with_suffix(SIDECAR_SUFFIX);
            let is = if is_sidecar { "the sidecar of" } else { "a file that goes with" };
            explained = Explained::new(format!("{is} `{primary}`"));
        }
        for found in candidate.files().filter(|found| found.path != *path) {
            explained = explained.with("with", found.path.to_string());
        }
        if let Some(facts) = facts.filter(|_| stage != Stage::Ideas) {
            explained.notes.extend(facts.remarks.iter().map(|remark| ("remark", remark.clone())));
            explained.notes.extend(self.names_of(&facts, &status));
            if let Some((_, sidecar)) = &facts.sidecar {
                explained.notes.extend(self.identity_of(sidecar, &facts.path));
            }
            if let (Stage::Export | Stage::Upload, Some((record, sidecar))) = (stage, &facts.sidecar) {
                explained = self.with_freshness(explained, &facts.path, &record.path, sidecar);
            }
            let now = self.clock.now().for_settle();
            let tags = self.decide.tags_of(&facts, now).map_err(|hold| hold.to_string());
            // Behind `keep` nothing gets a look any more: what it got stands in how it was made.
            let has_look = matches!(stage, Stage::Export | Stage::Upload);
            explained.tags = Some(if has_look { tags.map(Resolved::without_look) } else { tags });
            if let Some(Ok(tags)) = &explained.tags {
                let told = self.warnings_of(tags).into_iter();
                explained.notes.extend(told.map(|told| ("warning", told.to_string())));
                let markets = self.decide.settings.upload.markets.iter();
                let is_by_ai = tags.meta().source_type.is_by_ai();
                let said = markets.filter(|_| is_by_ai).filter_map(ai_policy);
                explained.notes.extend(said.map(|said| ("policy", said)));
            }
            explained.sources = self.sources(&facts);
            let said = told_by(&status);
            let ahead = self.foresee(&facts).into_iter().filter(|told| !said.contains(told.as_str()));
            explained.notes.extend(ahead.map(|told| ("ahead", told)));
        }
        Ok(Some(explained.standing(status)))
    }

    /// Returns the unit that a path is looked at by; what lies in no theme is seen with its stage.
    fn unit_around(&self, stage: Stage, path: &RelPath) -> Result<RelPath, DiskError> {
        let Some(unit) = unit_of(path) else { return Ok(stage.folder()) };
        let is_folder = matches!(self.decide.disk().stat(&unit)?, Some(entry) if entry.what == What::Folder);
        Ok(if is_folder { unit } else { unit.parent().unwrap_or(unit) })
    }

    /// Explains a folder in a stage by what lies in it.
    fn folder(&mut self, stage: Stage, path: &RelPath) -> Explained {
        let is = match (unit_of(path), theme_of_path(&path.join("x"))) {
            _ if stage == Stage::Ideas => "a folder with notes".to_owned(),
            (Some(unit), _) if unit == *path => format!("the folder of the theme `{}` in `{stage}`", path.file_text()),
            (Some(_), (Some(theme), Some(below))) => format!("the folder `{below}` of the theme `{theme}`"),
            _ if path.file_name().to_str().is_some() => "a folder that only says when, and is no theme".to_owned(),
            _ => {
                let why = "its name cannot be a theme's: it is no text; rename it";
                return left_alone(path, "a folder that is no theme", why);
            }
        };
        let (mut ready, mut held, mut alone, mut aside) = (0, 0, 0, 0);
        for status in self.statuses(Some(path)) {
            match status {
                AssetStatus::Planned(plan) if to_failed(&plan).is_some() => aside += 1,
                AssetStatus::Planned(_) => ready += 1,
                AssetStatus::Held(..) => held += 1,
                AssetStatus::LeftAlone(at, why) if path.is_in(&at) => {
                    let explained = Explained::new("in a folder that nobody looks into");
                    return explained.standing(AssetStatus::LeftAlone(at, why));
                }
                AssetStatus::LeftAlone(..) | AssetStatus::Unseen(..) => alone += 1,
            }
        }
        let explained = Explained::new(is)
            .with("inside", format!("{ready} ready, {held} held, {alone} left alone, {aside} to be set aside"));
        if stage == Stage::Ideas {
            return explained;
        }
        let tags = path.join("tags.yaml");
        let copies = self.copies_of(&tags);
        let now = self.clock.now().for_settle();
        if let Some(hold) = copies.iter().find_map(|copy| self.decide.why_unread(copy, now)) {
            return explained.with("tags", format!("unknown: {hold}; all of the theme waits until that is mended"));
        }
        if copies.contains(&tags) { explained.with("tags", format!("shared by `{tags}`")) } else { explained }
    }
}

/// Returns what is told anyhow of why something goes on or stays.
fn told_by(status: &AssetStatus) -> String {
    match status {
        AssetStatus::Planned(plan) => plan.to_string(),
        AssetStatus::Held(_, why) => why.to_string(),
        AssetStatus::LeftAlone(..) | AssetStatus::Unseen(..) => String::new(),
    }
}

/// Returns how something stands that is left alone.
fn left_alone(path: &RelPath, is: &str, why: &str) -> Explained {
    Explained::new(is).standing(AssetStatus::LeftAlone(path.clone(), why.to_owned()))
}

fn what_it_is(stage: Stage, facts: Option<&Facts>, bytes: u64) -> String {
    if stage == Stage::Ideas {
        return format!("a note, {bytes} bytes");
    }
    let Some(facts) = facts else { return format!("an asset, {bytes} bytes") };
    let kind = facts.kind.map_or_else(|| "unknown".to_owned(), |kind| kind.to_string());
    let size =
        facts.size.map(|size| format!(", {size} pixels, {} megapixels", shown(size.megapixels()))).unwrap_or_default();
    let video = facts.video.as_ref().map(|video| format!(", {video}")).unwrap_or_default();
    format!("{kind}{size}{video}, {bytes} bytes")
}

fn shown(megapixels: f64) -> String {
    figure(megapixels, |seen| seen > 0.0)
}

fn about_stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Ideas => "drop notes here; each idea becomes a theme in `raw`",
        Stage::Raw => "drop the output of your generator here; it is checked, named and goes on to `keep`",
        Stage::Keep => "files that you chose; pictures are enlarged and go on to `export`",
        Stage::Export => "enlarged files; they get their last name, format and tags and go on to `upload`",
        Stage::Upload => "finished files; they go into the bundle of each market, `upload/DAY/MARKET`",
    }
}

/// Returns what a file or folder of stockmill's own is for.
pub(super) fn about_own(path: &RelPath) -> String {
    let named = |name: &str| path.parts().any(|part| part == name);
    let what = match () {
        () if named(MARK) => "the mark by which stockmill knows the folder again; leave it there",
        () if named(PROBE) => "the file by which a stage shows that its events come; it comes and goes",
        () if named(SCRATCH) || named("scratch") => "unfinished products; emptied at the next start",
        () if named(TRASH) || named("trash") => "what a step took away, kept for `stockmill undo` (`work.undo_days`)",
        () if named(DELIVERY) || named("delivery") => {
            "what `stockmill deliver` sent; without it and its other copy, markets would get files twice"
        }
        () if named("journal") => "the journal: what was done, for `history`, `undo` and recovery; never delete it",
        () if named("areas") => "where a folder lay when it was used last",
        () if named("tags") => "the shared tags of a theme, as all stages had them last",
        () if named("requests") => "what commands ask of the daemon",
        () if named("lock") => "the lock of the one daemon",
        () => "stockmill's own memory; leave it as it is",
    };
    what.to_owned()
}

/// Returns whether a path lies in the folder of an upload day, sent or not, or is it.
fn is_upload_day(path: &RelPath) -> bool {
    let is_day = |day: &str| day.parse::<jiff::civil::Date>().is_ok();
    BundleFolder::is_among_sent(path) || path.parts().nth(1).and_then(|day| day.to_str()).is_some_and(is_day)
}
