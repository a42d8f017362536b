//! What becomes of one asset, note or record: what the planner needs is gathered here, and what plans in hand have taken
//! is kept. Nothing here changes the disk but for releases, of which it is written down what was used.

mod ahead;
mod as_left;
mod bare_bundle;
mod behind;
mod bundle_files;
mod bundle_texts;
mod bundles;
mod elsewhere;
mod foreign_xmp;
mod forget;
mod gate_days;
mod gates;
mod got;
mod late;
mod learnt;
mod measures;
mod moved_inside;
mod namesakes;
mod near_misses;
mod notes;
mod offers;
mod onward;
mod open_bundles;
mod order;
mod parts;
mod read_sidecars;
mod record_keeper;
mod record_settle;
mod renamed;
mod reservations;
mod room;
mod seen;
mod sending;
mod tags;
mod themes;
mod unidentified;
mod upload_state;

pub(super) use as_left::{Care, is_as_left};
pub(super) use bare_bundle::{folders_inside, plan_bare_away};
pub(super) use behind::{behind, is_at_odds, told_behind};
pub(super) use bundle_files::{all_bundles, bundle_names, manifest_of};
pub(super) use elsewhere::{CopiesOf, Places};
pub(super) use foreign_xmp::foreign_xmp;
pub(super) use forget::{GoneThemes, ThemeVerdict, judge_gone, themes_without_tags};
pub(super) use gates::GateShut;
pub(super) use got::{elsewhere_in, sending_of};
pub(super) use moved_inside::left_as_it_is;
pub(super) use offers::Owing;
pub(super) use open_bundles::{Against, OpenBundle, UNNAMED, UNTOLD, is_due, lost_record, rowless, unsent_told};
pub(super) use parts::{OtherPart, other_parts, parts_of};
pub(super) use record_keeper::{Found, FoundBundle, FoundTags, Order, RecordKeeper, Tended};
pub(super) use sending::{rows_of, without_file, without_row};
pub(super) use tags::{NOTE_BYTES_MAX, SharedTags};
pub(super) use themes::{TAG_SETS, TAGS_BYTES_MAX};

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::clock::{Memory, Moment};
use super::ledger::Ledger;
use super::pauses::Pauses;
use super::release::Releases;
use super::units::Units;
use crate::config::{Gate, Settings};
use crate::intake::{NearMiss, Now};
use crate::make::Limits;
use crate::model::{AssetId, ContentHash, Kind, MarketName, RelPath, Stage, Tags, ThemeSlug};
use crate::plan::tags::{Layer, Resolved, resolve};
use crate::plan::{
    Bundle, BundleFolder, Bundled, Context, Facts, Hold, Known, Plan, Rules, is_note_on_set_aside, plan_asset,
    plan_park, sync_base_path,
};
use crate::records::{About, Publish, Sidecar};
use crate::vault::{Look, Vault};
use learnt::Learnt;
use near_misses::NearMisses;
use reservations::Reservations;
use upload_state::UploadState;

/// Everything that a decision depends on, kept between decisions.
#[derive(Debug)]
pub(super) struct Decider {
    pub(super) vault: Vault,
    pub(super) settings: Arc<Settings>,
    rules: Rules,
    pub(super) ledger: Ledger,
    pub(super) tags: SharedTags,
    pub(super) releases: Releases,
    pub(super) memory: Memory,
    /// Files of plans that cannot be finished or taken back yet, and why.
    pub(super) blocked: HashMap<RelPath, Arc<str>>,
    near_misses: NearMisses,
    /// What is known of bundles, gates and the room at markets.
    pub(super) upload: UploadState,
    pub(super) reserved: Reservations,
    learnt: Learnt,
}

/// What a decision needs to know of others' concerns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) now: &'a Moment,
    pub(super) pauses: &'a Pauses,
    pub(super) units: &'a Units,
}

impl Here<'_> {
    /// Returns the stages that can be looked into, whether or not their assets may go on.
    pub(super) fn open_stages(&self) -> Vec<Stage> {
        Stage::ALL.into_iter().filter(|stage| self.pauses.why(&stage.folder()).is_none()).collect()
    }

    fn paused(&self, stage: Stage) -> Result<(), Hold> {
        self.pauses.why_stage(stage).map_or(Ok(()), |why| Err(Hold::Paused(why)))
    }
}

impl Decider {
    /// Returns a decider with nothing in hand.
    pub(super) fn new(vault: Vault, settings: Arc<Settings>, ledger: Ledger) -> Self {
        let memory = Memory::new(&Stage::ALL.map(|stage| ledger.left_at(stage)));
        Self {
            vault,
            rules: rules(&settings),
            ledger,
            tags: SharedTags::new(&settings.settle),
            releases: Releases::default(),
            memory,
            blocked: HashMap::new(),
            near_misses: NearMisses::default(),
            upload: UploadState::default(),
            reserved: Reservations::default(),
            learnt: Learnt::default(),
            settings,
        }
    }

    /// Takes new settings; what is in hand goes on by the old ones.
    pub(super) fn reload(&mut self, settings: Arc<Settings>) {
        self.rules = rules(&settings);
        self.tags.reload(&settings.settle);
        self.settings = settings;
        self.upload.loaded_for = None;
    }

    pub(super) fn disk(&self) -> &dyn Look {
        self.vault.disk()
    }

    /// Returns the limits on what one asset may cost.
    pub(super) fn limits(&self) -> Limits {
        limits(&self.settings)
    }

    /// Decides what becomes of one asset or note, and takes the names and numbers that the plan uses.
    pub(super) fn decide(&mut self, facts: &Facts, here: Here<'_>) -> Result<Plan, Hold> {
        let mut facts = facts.clone();
        here.paused(facts.stage)?;
        if let Some(why) = self.blocked.get(&facts.path) {
            return Err(Hold::Blocked(format!("its last step was cut off: {why}")));
        }
        if facts.kind.is_none() && facts.stage != Stage::Ideas {
            return Err(crate::plan::unknown(&facts));
        }
        self.named_right(&facts.path)?;
        if let Some(other) = self.reserved.twin_of(&facts) {
            return Err(Hold::Twin(format!("the same content is being worked on as `{other}`")));
        }
        let by_essence = || facts.essences.iter().find_map(|essence| self.ledger.with_hash(essence));
        let seen = self.ledger.with_hash(&facts.hash).or_else(by_essence);
        let own = facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.id.as_ref());
        let ids = own.into_iter().chain(seen.as_ref().map(|seen| &seen.id));
        if let Some(other) = self.reserved.in_hand_as(ids, &facts.path) {
            return Err(Hold::Twin(format!("the same asset is being worked on as `{other}`")));
        }
        self.gate(&facts, here.now)?;
        let known = self.known(&mut facts, seen, here.now);
        let plan = if facts.stage == Stage::Ideas {
            self.decide_note(&facts, here)
        } else {
            self.decide_asset(&facts, known.as_ref(), None, here)
        }?;
        self.leads_on(&plan)?;
        let mut plan = self.with_next_steps(&facts, plan, here);
        plan.kept = self.ledger.kept.of_asset(plan.about.asset.as_ref());
        self.take_in_hand(&plan);
        Ok(plan)
    }

    /// Plans an asset's way to `failed/`. What cannot be read of a note there is taken for somebody else's.
    pub(super) fn park(&mut self, facts: &Facts, why: &str, here: Here<'_>) -> Plan {
        let disk = self.vault.disk();
        let outlived = |note: &RelPath| {
            let bytes = disk.read(note, 1 << 16).ok().filter(|bytes| is_note_on_set_aside(bytes))?;
            Some(ContentHash::of(&bytes))
        };
        let park = |context: &Context<'_>| plan_park(facts, context, why, &outlived);
        let plan = self.with_context(here, &[], None, &BTreeMap::new(), &[], park);
        self.take_in_hand(&plan);
        plan
    }

    /// Returns whether a file's theme claims it under `documents`.
    pub(super) fn is_document(&mut self, path: &RelPath, stage: Stage, now: Now) -> Result<bool, Hold> {
        let extension = path.extension();
        if Kind::ALL.iter().any(|kind| kind.extension() == Some(extension.as_str())) {
            return Ok(false);
        }
        let (themes, mut reader) = self.tags.reader(self.vault.disk(), now);
        themes.names_document(&mut reader, path, stage)
    }

    /// Takes the files of a unit by which a person means tags, and whose names are not quite right; returns the
    /// folders that need not wait for one any more.
    pub(super) fn take_near_misses(&mut self, unit: &RelPath, found: &[NearMiss]) -> Vec<RelPath> {
        self.near_misses.take(unit, found)
    }

    /// Refuses while a file of tags waits for its right name.
    fn named_right(&self, path: &RelPath) -> Result<(), Hold> {
        self.near_misses.why(path).map_or(Ok(()), |why| Err(Hold::Unreadable(why.to_owned())))
    }

    /// Refuses a plan that puts something into an inbox where it would be left alone.
    fn leads_on(&self, plan: &Plan) -> Result<(), Hold> {
        let ignore = &self.settings.settle.ignore;
        let mut inboxes =
            plan.gives().filter(|to| to.area().to_str().is_some_and(|area| area.parse::<Stage>().is_ok()));
        if plan.gives().any(BundleFolder::is_among_sent) {
            return Err(Hold::Waits(
                "it would go to `upload/sent`, which is for bundles that were sent: give its theme's folder another name"
                    .to_owned(),
            ));
        }
        let left = inboxes.find_map(|to| ignore.folder_above(&to.parent()?));
        let Some((folder, rule)) = left else { return Ok(()) };
        Err(Hold::Waits(format!("it would go to `{folder}`, which is left alone: {}", rule.why(&folder.file_text()))))
    }

    /// Plans an asset's step; `before` is what is to be done first in the same plan.
    fn decide_asset(
        &mut self,
        facts: &Facts,
        known: Option<&Known>,
        before: Option<&Plan>,
        here: Here<'_>,
    ) -> Result<Plan, Hold> {
        let layers = self.layers_of(facts, here.now.for_settle())?;
        self.look_for_nets(facts, &layers);
        self.no_namesake(facts, &layers, here)?;
        let is_for_markets = facts.stage == Stage::Upload;
        let bundled_for = if is_for_markets { self.bundled_for(facts, known) } else { BTreeMap::new() };
        let bundles = if is_for_markets { self.bundles_of(here.now) } else { Vec::new() };
        let season = if is_for_markets { self.season_of(facts, here.now.for_settle()) } else { None };
        self.with_context(here, &layers, known, &bundled_for, &bundles, |context| {
            let is_let_go = self.is_let_go(&facts.path, facts.stage, facts.seen);
            let is_given = |path: &RelPath| before.is_some_and(|plan| plan.gives().any(|given| given == path));
            let taken = |path: &RelPath| is_given(path) || (context.taken)(path);
            let id = facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.id.as_ref());
            let unfit = self.learnt.unfit(id);
            plan_asset(facts, &Context { is_let_go, taken: &taken, unfit, season, ..*context })
        })
    }

    /// Looks for the nets that the settings or an asset's tags ask for.
    fn look_for_nets(&mut self, facts: &Facts, layers: &[(Layer, Tags)]) {
        let own = facts.sidecar.iter().map(|(_, sidecar)| &sidecar.tags);
        let tags = layers.iter().map(|(_, tags)| tags).chain(own);
        let asked = tags.filter_map(|tags| tags.enlarge.method.as_ref()).chain([&self.rules.keep.method]);
        self.rules.nets = self.tags.nets.of(self.vault.disk(), asked);
    }

    /// Returns the tag layers below an asset's own, lowest first.
    fn layers_of(&mut self, facts: &Facts, now: Now) -> Result<Vec<(Layer, Tags)>, Hold> {
        let (theme, below) = crate::plan::theme_of_path(&facts.path);
        let theme = theme.or_else(|| facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.theme.clone()));
        if let Some((_, sidecar)) = &facts.sidecar {
            tags::known_markets(&self.settings, None, &Layer::Sidecar, &sidecar.tags)?;
        }
        self.tags.layers(self.vault.disk(), &self.settings, theme.as_ref(), below.as_ref(), facts.stage, now)
    }

    /// Returns the files of a theme's tags in all stages that can be seen, first that of `stage`.
    pub(super) fn shared_files(&self, theme: &ThemeSlug, below: Option<&RelPath>, stage: Stage) -> Vec<RelPath> {
        let found = themes::shared_files(self.disk(), theme, below, stage).unwrap_or_default();
        found.into_iter().map(|(path, _)| path).collect()
    }

    /// Returns the file that a theme's tags come from in a stage: one of a stage, else what is remembered of it.
    pub(super) fn shared_file(&self, theme: &ThemeSlug, below: Option<&RelPath>, stage: Stage) -> Option<RelPath> {
        let remembered = || {
            let base = sync_base_path(theme, below);
            matches!(self.disk().stat(&base), Ok(Some(_))).then_some(base)
        };
        let found = self.shared_files(theme, below, stage).into_iter().next();
        found.or_else(|| remembered().filter(|_| !self.tags.themes.forgotten.contains(theme)))
    }

    /// Returns why a theme's tag file keeps all of the theme waiting, if it does.
    pub(super) fn why_unread(&mut self, tags: &RelPath, now: Now) -> Option<Hold> {
        let (themes, mut reader) = self.tags.reader(self.vault.disk(), now);
        let (theme, below) = crate::plan::theme_of_path(tags);
        let layer = below.map_or(Layer::Theme, |below| Layer::Folder(below.to_string()));
        let read = themes.meaning(&mut reader, tags)?;
        let known = read.and_then(|file| tags::known_markets(&self.settings, theme.as_ref(), &layer, &file.tags()));
        known.err().filter(|hold| matches!(hold, Hold::Unreadable(_)))
    }

    /// Returns the tags of a bundled asset, all layers resolved.
    pub(super) fn tags_of_bundled(&mut self, sidecar: &Sidecar, xmp: Option<Tags>, now: Now) -> Result<Resolved, Hold> {
        self.tags.of_bundled(self.vault.disk(), &self.settings, sidecar, xmp, now)
    }

    /// Returns an asset's tags, all layers resolved.
    pub(super) fn tags_of(&mut self, facts: &Facts, now: Now) -> Result<Resolved, Hold> {
        let mut layers = self.layers_of(facts, now)?;
        layers.extend(facts.xmp.iter().map(|xmp| (Layer::Xmp, xmp.clone())));
        layers.extend(facts.sidecar.iter().map(|(_, sidecar)| (Layer::Sidecar, sidecar.tags.clone())));
        let resolved = resolve(&layers).telling(&self.settings.export.ai_fields);
        let names = &self.settings.upload.names;
        Ok(match facts.sidecar.as_ref().filter(|(_, sidecar)| sidecar.origin.is_some()) {
            Some((_, sidecar)) => resolved.of_sidecar(names, sidecar),
            None => resolved.of_asset(names, None, &facts.path.stem().to_string_lossy()),
        })
    }

    fn with_context<T>(
        &self,
        here: Here<'_>,
        layers: &[(Layer, Tags)],
        known: Option<&Known>,
        bundled_for: &BTreeMap<MarketName, Bundled>,
        bundles: &[Bundle],
        then: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let next_seq = |theme: &ThemeSlug, hash: &ContentHash| {
            self.reserved.given_seq(theme, hash).unwrap_or_else(|| self.ledger.next_seq(theme))
        };
        // Where it cannot be seen whether a name is taken, it is tried: giving it refuses if it is.
        let taken = |path: &RelPath| self.reserved.gives(path) || matches!(self.disk().stat(path), Ok(Some(_)));
        let given = |file: &RelPath, id: &AssetId| self.ledger.is_given(file, id) || self.is_up_from_another(file);
        let theme_of_file = |stem: &str| crate::plan::theme_of_file(stem, here.units.themes());
        let no_room = |market: &MarketName, theme: &ThemeSlug| self.no_room(market, theme, here.now);
        then(&Context {
            now: here.now.timestamp(),
            today: here.now.local.date(),
            rules: &self.rules,
            is_let_go: false,
            layers,
            theme_of_file: &theme_of_file,
            next_seq: &next_seq,
            known,
            taken: &taken,
            given: &given,
            bundles,
            unfit: &[],
            bundled_for,
            no_room: &no_room,
            season: None,
        })
    }

    /// Takes note that a plan was carried out, and of the files that it published.
    pub(super) fn carried_out(&mut self, about: &About, publish: &[Publish], at: jiff::Timestamp) {
        self.ledger.remember(about, publish, at);
        about.hash.iter().for_each(|hash| self.reserved.carried_out(hash));
    }
}

/// Returns the slice of the settings that deciding needs.
pub(super) fn rules(settings: &Settings) -> Rules {
    Rules {
        naming: settings.naming.clone(),
        keep: settings.keep.clone(),
        export: settings.export.clone(),
        markets: settings.upload.markets.clone(),
        is_upload_held: *settings.gates.of(Stage::Upload) == Gate::Hold,
        names: settings.upload.names.clone(),
        prompts_max: settings.ideas.prompts_max,
        nets: BTreeMap::new(),
    }
}

/// Returns the limits on what one asset may cost.
pub(super) fn limits(settings: &Settings) -> Limits {
    Limits {
        file_bytes_max: settings.work.file_mib_max << 20,
        decode: crate::craft::Limits {
            pixels_max: u64::from(settings.work.megapixels_max) * 1_000_000,
            memory_bytes_max: settings.work.memory_mib << 21,
        },
        command: settings.keep.command.clone(),
    }
}

#[cfg(test)]
mod tests;
