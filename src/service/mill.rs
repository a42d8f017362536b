use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::clock::{Memory, Moment};
use super::forget::Gone;
use super::ledger::Ledger;
use super::pauses::Pauses;
use super::records::Records;
use super::release::Releases;
use super::themes::{Reader, Themes, refused};
use super::units::Units;
use crate::config::{Gate, Settings};
use crate::intake::NearMiss;
use crate::make::{Insides, Limits};
use crate::market::ROW_BYTES_MAX;
use crate::model::{AssetId, ContentHash, Identity, Kind, RelPath, Stage, Tags, ThemeSlug};
use crate::plan::tags::{Layer, Resolved, resolve};
use crate::plan::{Bundle, BundleName, Context, Facts, Hold, Known, Plan, Rules, gate, plan_asset, plan_park};
use crate::vault::{Look, Receipt, Vault};

/// The largest note or tag file that is read.
const NOTE_BYTES_MAX: u64 = 8 << 20;
/// So many numbers are kept for what is tried again.
const GIVEN_SEQS_MAX: usize = 10_000;

/// Everything that a decision depends on, kept between decisions; owned by the dispatcher alone.
#[derive(Debug)]
pub(super) struct Mill {
    pub(super) vault: Vault,
    pub(super) settings: Arc<Settings>,
    pub(super) rules: Rules,
    pub(super) ledger: Ledger,
    pub(super) units: Units,
    pub(super) themes: Themes,
    pub(super) gone: Gone,
    pub(super) records: Records,
    /// Shared tags of which a version came back that somebody wrote on: by their last common state, which no
    /// longer counts.
    pub(super) doubtful_tags: HashSet<RelPath>,
    pub(super) releases: Releases,
    pub(super) memory: Memory,
    pub(super) pauses: Pauses,
    /// What the walks saw inside files.
    pub(super) insides: Arc<Insides>,
    /// Files of plans that cannot be finished or taken back yet, and why.
    pub(super) blocked: HashMap<RelPath, Arc<str>>,
    /// What waits until a file of tags has its right name: the unit in which that file lies, and why.
    near_misses: BTreeMap<RelPath, (RelPath, String)>,
    pub(super) bundles: BTreeMap<BundleName, Bundle>,
    /// Files that wait for another with the same content to be done.
    pub(super) twins: Vec<RelPath>,
    reserved: HashSet<RelPath>,
    /// Files that plans in hand take away.
    leaving: HashSet<RelPath>,
    hashes_in_hand: HashMap<ContentHash, RelPath>,
    assets_in_hand: HashMap<AssetId, RelPath>,
    /// The numbers of plans that were not carried out yet: what is tried again keeps its number.
    given_seqs: HashMap<ContentHash, (ThemeSlug, u64)>,
    in_hand: BTreeMap<Stage, usize>,
}

impl Mill {
    /// Returns a mill with nothing in hand.
    pub(super) fn new(vault: Vault, settings: Arc<Settings>, ledger: Ledger) -> Self {
        let rules = rules(&settings);
        let records = Records::new(settings.settle.quiet, settings.settle.weak_quiet);
        let memory = Memory::new(&Stage::ALL.map(|stage| ledger.left_at(stage)));
        Self {
            vault,
            settings,
            rules,
            ledger,
            units: Units::default(),
            themes: Themes::default(),
            gone: Gone::default(),
            records,
            doubtful_tags: HashSet::new(),
            releases: Releases::default(),
            memory,
            pauses: Pauses::default(),
            insides: Arc::default(),
            blocked: HashMap::new(),
            near_misses: BTreeMap::new(),
            bundles: BTreeMap::new(),
            twins: Vec::new(),
            reserved: HashSet::new(),
            leaving: HashSet::new(),
            hashes_in_hand: HashMap::new(),
            assets_in_hand: HashMap::new(),
            given_seqs: HashMap::new(),
            in_hand: BTreeMap::new(),
        }
    }

    /// Takes new settings; what is in hand goes on by the old ones.
    pub(super) fn reload(&mut self, settings: Arc<Settings>) {
        self.rules = rules(&settings);
        self.records.reload(settings.settle.quiet, settings.settle.weak_quiet);
        self.settings = settings;
        self.themes.forget_cache();
    }

    pub(super) fn disk(&self) -> &dyn Look {
        self.vault.disk()
    }

    /// Finds the themes in all stages that are there, so that no decision depends on which is walked first.
    pub(super) fn find_units(&mut self) {
        for stage in Stage::ALL.into_iter().filter(|stage| self.pauses.why_stage(*stage).is_none()) {
            // A stage that cannot be listed says so when it is walked.
            let _ = self.units.find(self.vault.disk(), stage, &self.settings.settle.ignore);
        }
    }

    /// Returns the limits on what one asset may cost.
    pub(super) fn limits(&self) -> Limits {
        limits(&self.settings)
    }

    /// Decides what becomes of one asset or note, and takes the names and numbers that the plan uses.
    pub(super) fn decide(&mut self, facts: &Facts, moment: &Moment) -> Result<Plan, Hold> {
        let mut facts = facts.clone();
        if let Some(why) = self.pauses.why_stage(facts.stage) {
            return Err(Hold::Waits(why));
        }
        if let Some(why) = self.blocked.get(&facts.path) {
            return Err(Hold::Waits(format!("its last step was cut off: {why}")));
        }
        if facts.kind.is_none() && facts.stage != Stage::Ideas {
            return Err(crate::plan::unknown());
        }
        if let Some(hold) = self.near_miss(&facts.path) {
            return Err(hold);
        }
        let mut hashes = std::iter::once(&facts.hash).chain(&facts.essence);
        let twin = hashes.find_map(|hash| self.hashes_in_hand.get(hash).filter(|other| **other != facts.path));
        if let Some(other) = twin {
            let why = format!("the same content is being worked on as `{other}`");
            self.twins.push(facts.path.clone());
            return Err(Hold::Waits(why));
        }
        let by_essence = || self.ledger.with_hash(facts.essence.as_ref()?);
        let seen = self.ledger.with_hash(&facts.hash).or_else(by_essence);
        let own = facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.id.as_ref());
        let ids = own.into_iter().chain(seen.as_ref().map(|seen| &seen.id));
        let mut in_hand = ids.filter_map(|id| self.assets_in_hand.get(id));
        if let Some(other) = in_hand.find(|other| **other != facts.path) {
            let why = format!("the same asset is being worked on as `{other}`");
            self.twins.push(facts.path.clone());
            return Err(Hold::Waits(why));
        }
        self.gate(&facts, moment)?;
        let known = self.known(&mut facts, seen, moment);
        let plan = if facts.stage == Stage::Ideas {
            self.decide_note(&facts, moment)
        } else {
            self.decide_asset(&facts, known.as_ref(), moment)
        }?;
        self.leads_on(&plan)?;
        self.take_in_hand(&plan);
        Ok(plan)
    }

    /// Takes the files of a unit by which a person means tags, and whose names are not quite right; returns the
    /// folders that need not wait for one any more.
    pub(super) fn take_near_misses(&mut self, unit: &RelPath, found: &[NearMiss]) -> Vec<RelPath> {
        let before = self.near_misses.extract_if(.., |_, (of, _)| of == unit);
        let before: Vec<RelPath> = before.map(|(waits, _)| waits).collect();
        self.near_misses.extend(found.iter().map(|miss| (miss.waits.clone(), (unit.clone(), miss.why()))));
        before.into_iter().filter(|waits| !self.near_misses.contains_key(waits)).collect()
    }

    /// Returns why an asset waits for a person who gives a file of tags its right name: its own sidecar, or the shared
    /// tags of a folder that it lies in, in whatever stage they were written.
    pub(super) fn near_miss(&self, path: &RelPath) -> Option<Hold> {
        if self.near_misses.is_empty() {
            return None;
        }
        let own = self.near_misses.get(path);
        let mut folders = std::iter::successors(path.parent(), RelPath::parent)
            .filter_map(|folder| folder.below(&folder.area_path()));
        let shared = || {
            folders.find_map(|below| {
                let in_stage = |stage: Stage| self.near_misses.get(&stage.folder().join(below.as_path()));
                Stage::ALL.into_iter().find_map(in_stage)
            })
        };
        own.or_else(shared).map(|(_, why)| Hold::Waits(why.clone()))
    }

    /// Refuses a plan that puts something into an inbox where it would be left alone.
    fn leads_on(&self, plan: &Plan) -> Result<(), Hold> {
        let ignore = &self.settings.settle.ignore;
        let mut inboxes =
            plan.gives().filter(|to| to.area().to_str().is_some_and(|area| area.parse::<Stage>().is_ok()));
        let left = inboxes.find_map(|to| ignore.folder_above(&to.parent()?));
        let Some((folder, rule)) = left else { return Ok(()) };
        Err(Hold::Waits(format!("it would go to `{folder}`, which is left alone: {}", rule.why(&folder.file_text()))))
    }

    /// Returns whether a file's theme claims it under `documents`.
    pub(super) fn claims(&mut self, path: &RelPath, stage: Stage, moment: &Moment) -> Result<bool, Hold> {
        let extension = path.extension();
        if Kind::ALL.iter().any(|kind| kind.extension() == Some(extension.as_str())) {
            return Ok(false);
        }
        let mut reader = Reader { disk: self.vault.disk(), records: &mut self.records, now: moment.for_settle() };
        self.themes.names_document(&mut reader, path, stage)
    }

    /// Plans an asset's way to `failed/`.
    pub(super) fn park(&mut self, facts: &Facts, why: &str, moment: &Moment) -> Plan {
        let plan =
            self.with_context(moment, &[], None, &BTreeSet::new(), &[], |context| plan_park(facts, context, why));
        self.take_in_hand(&plan);
        plan
    }

    fn gate(&self, facts: &Facts, moment: &Moment) -> Result<(), Hold> {
        let is_released = self.is_released(&facts.path, facts.stage, facts.seen);
        if !is_released && self.ledger.is_undone(&facts.path, &facts.hash) {
            let stage = facts.stage;
            let cure = format!("let it go on with `stockmill release {stage}`, or move it");
            return Err(Hold::Waits(format!("it was brought back by `stockmill undo`; {cure}")));
        }
        if let Some(xmp) = facts.rejected_by.as_ref().filter(|_| !is_released) {
            let cure = format!("take the mark away, or let it go on with `stockmill release {}`", facts.stage);
            return Err(Hold::Waits(format!("`{xmp}` marks it as rejected (its rating is -1); {cure}")));
        }
        let gate_facts = self.gate_facts(is_released, facts.stage, moment);
        gate::check(facts.stage, self.settings.gates.of(facts.stage), &gate_facts)
    }

    /// Returns why an asset stays for now whatever is in it, so that nothing of it need be read, and whether
    /// time alone may change that.
    pub(super) fn shut(&self, path: &RelPath, stage: Stage, seen: Identity, moment: &Moment) -> Option<(Hold, bool)> {
        if let Some(why) = self.pauses.why_stage(stage) {
            return Some((Hold::Waits(why), false));
        }
        if let Some(hold) = self.near_miss(path) {
            return Some((hold, false));
        }
        let gate = self.settings.gates.of(stage);
        let facts = self.gate_facts(self.is_released(path, stage, seen), stage, moment);
        Some((gate::check(stage, gate, &facts).err()?, *gate != Gate::Hold))
    }

    fn gate_facts<'a>(&'a self, is_released: bool, stage: Stage, moment: &'a Moment) -> gate::GateFacts<'a> {
        let leaving = self.in_hand.get(&stage).copied().unwrap_or(0);
        gate::GateFacts { now: &moment.local, is_released, left_at: self.ledger.left_at(stage), leaving }
    }

    /// Returns whether a person let go of this state of a file.
    pub(super) fn is_released(&self, path: &RelPath, stage: Stage, seen: Identity) -> bool {
        self.releases.cover(path, stage, seen)
    }

    /// Writes down which releases were used up.
    pub(super) fn save_releases(&mut self) {
        // What the disk refuses is tried again.
        let _ = self.releases.save(&self.vault.mailbox());
    }

    /// Takes over what `undo` withdrew from the releases.
    pub(super) fn reread_releases(&mut self) {
        self.releases.reread(self.vault.disk());
    }

    /// Takes note that an asset left its stage with all its files.
    pub(super) fn use_up_release(&mut self, facts: &Facts) {
        let others = facts.companions.iter().chain(&facts.members).chain(facts.sidecar.iter().map(|(file, _)| file));
        self.releases.use_up(&facts.path, facts.stage, facts.seen);
        for other in others {
            self.releases.use_up(&other.path, facts.stage, other.seen);
        }
    }

    fn decide_asset(&mut self, facts: &Facts, known: Option<&Known>, moment: &Moment) -> Result<Plan, Hold> {
        let (theme, below) = crate::plan::theme_of_path(&facts.path);
        let theme = theme.or_else(|| facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.theme.clone()));
        let layers = self.layers(theme.as_ref(), below.as_ref(), facts.stage, moment)?;
        let bundled_for = self.bundled_for(facts, known);
        let bundles = if facts.stage == Stage::Upload { self.bundles_of(moment) } else { Vec::new() };
        self.with_context(moment, &layers, known, &bundled_for, &bundles, |context| plan_asset(facts, context))
    }

    /// Returns the bytes of a record that a person may edit, if it is there and stands still.
    pub(super) fn read_record(&mut self, path: &RelPath, moment: &Moment) -> Result<Option<Vec<u8>>, Hold> {
        let disk = self.vault.disk();
        let Some(entry) = disk.stat(path).map_err(|error| refused(path, &error))? else { return Ok(None) };
        self.records.still(disk, path, &entry, moment.for_settle())?;
        match disk.read(path, NOTE_BYTES_MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(path, &error)),
        }
    }

    /// Returns the tag layers below an asset's own, lowest first.
    pub(super) fn layers(
        &mut self,
        theme: Option<&ThemeSlug>,
        below: Option<&RelPath>,
        stage: Stage,
        moment: &Moment,
    ) -> Result<Vec<(Layer, Tags)>, Hold> {
        let mut reader = Reader { disk: self.vault.disk(), records: &mut self.records, now: moment.for_settle() };
        self.themes.layers(&mut reader, &self.settings.defaults, theme, below, stage)
    }

    /// Returns an asset's tags, all layers resolved.
    pub(super) fn tags_of(&mut self, facts: &Facts, moment: &Moment) -> Result<Resolved, Hold> {
        let (theme, below) = crate::plan::theme_of_path(&facts.path);
        let theme = theme.or_else(|| facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.theme.clone()));
        let mut layers = self.layers(theme.as_ref(), below.as_ref(), facts.stage, moment)?;
        layers.extend(facts.xmp.iter().map(|xmp| (Layer::Xmp, xmp.clone())));
        layers.extend(facts.sidecar.iter().map(|(_, sidecar)| (Layer::Sidecar, sidecar.tags.clone())));
        Ok(resolve(&layers))
    }

    pub(super) fn with_context<T>(
        &self,
        moment: &Moment,
        layers: &[(Layer, Tags)],
        known: Option<&Known>,
        bundled_for: &BTreeSet<crate::model::MarketName>,
        bundles: &[Bundle],
        then: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let next_seq = |theme: &ThemeSlug, hash: &ContentHash| {
            let given = self.given_seqs.get(hash).filter(|(given, _)| given == theme).map(|(_, seq)| *seq);
            given.unwrap_or_else(|| self.ledger.next_seq(theme))
        };
        // A name that differs only by case is one name on many a disk and in many a market.
        // Where that cannot be seen, the name is tried: giving it refuses if it is taken.
        let taken =
            |path: &RelPath| self.reserved.contains(&folded(path)) || matches!(self.disk().stat(path), Ok(Some(_)));
        let theme_of_file = |stem: &str| crate::plan::theme_of_file(stem, self.units.themes());
        then(&Context {
            now: moment.timestamp(),
            today: moment.local.date(),
            rules: &self.rules,
            layers,
            theme_of_file: &theme_of_file,
            next_seq: &next_seq,
            known,
            taken: &taken,
            bundles,
            bundled_for,
        })
    }

    /// Returns whether a plan in hand gives this name.
    pub(super) fn is_reserved(&self, path: &RelPath) -> bool {
        self.reserved.contains(&folded(path))
    }

    /// Returns whether a plan in hand takes this file away.
    pub(super) fn is_leaving(&self, path: &RelPath) -> bool {
        self.leaving.contains(path)
    }

    /// Returns whether a plan in hand gives or takes a file of a theme.
    pub(super) fn is_in_hand(&self, theme: &ThemeSlug) -> bool {
        let name = theme.as_str().to_lowercase();
        let is_of = |path: &RelPath| path.parts().nth(1).is_some_and(|part| part.to_str() == Some(&name));
        self.reserved.iter().any(is_of) || self.leaving.iter().map(folded).any(|path| is_of(&path))
    }

    /// Returns the file by which an asset is in hand.
    pub(super) fn in_hand_as(&self, id: &AssetId) -> Option<&RelPath> {
        self.assets_in_hand.get(id)
    }

    /// Takes the names, the number and the content of a plan, so that no other plan gets them.
    pub(super) fn take_in_hand(&mut self, plan: &Plan) {
        self.reserved.extend(names(plan));
        self.leaving.extend(plan.takes().cloned());
        self.ledger.use_seq(&plan.about);
        if let (Some(hash), Some(from)) = (&plan.about.hash, &plan.about.from) {
            for hash in plan.about.essences.iter().chain([hash]) {
                self.hashes_in_hand.insert(hash.clone(), from.clone());
            }
        }
        if let (Some(id), Some(from)) = (&plan.about.asset, &plan.about.from) {
            self.assets_in_hand.insert(id.clone(), from.clone());
        }
        if let (Some(hash), Some(theme), Some(seq)) = (&plan.about.hash, &plan.about.theme, plan.about.seq) {
            if self.given_seqs.len() >= GIVEN_SEQS_MAX {
                self.given_seqs.clear();
            }
            self.given_seqs.insert(hash.clone(), (theme.clone(), seq));
        }
        // What joins its asset late leaves no stage and adds no row.
        if is_join(plan) {
            return;
        }
        *self.in_hand.entry(plan.about.stage).or_default() += 1;
        let Some(to) = &plan.about.to else { return };
        for bundle in self.bundles.values_mut().filter(|bundle| to.is_in(&bundle.name.folder())) {
            bundle.rows += 1;
            bundle.bytes += ROW_BYTES_MAX;
        }
    }

    /// Takes note that a plan was carried out.
    pub(super) fn take_done(&mut self, receipt: &Receipt, at: jiff::Timestamp) {
        self.ledger.remember(&receipt.about, &receipt.publish, at);
        if let Some(hash) = &receipt.about.hash {
            self.given_seqs.remove(hash);
        }
    }

    /// Lets go of what a plan had taken, after it was carried out or given up.
    pub(super) fn let_go(&mut self, plan: &Plan) {
        for name in names(plan) {
            self.reserved.remove(&name);
        }
        for path in plan.takes() {
            self.leaving.remove(path);
        }
        for hash in plan.about.hash.iter().chain(&plan.about.essences) {
            self.hashes_in_hand.remove(hash);
        }
        if let Some(id) = &plan.about.asset {
            self.assets_in_hand.remove(id);
        }
        if let Some(count) = self.in_hand.get_mut(&plan.about.stage).filter(|_| !is_join(plan)) {
            *count = count.saturating_sub(1);
        }
    }
}

/// Returns whether a plan is about a companion that joins its asset, which takes no step by that.
fn is_join(plan: &Plan) -> bool {
    plan.about.hash.is_some() && plan.about.asset.is_some() && plan.about.seq.is_none()
}

/// Returns the names that a plan gives.
fn names(plan: &Plan) -> impl Iterator<Item = RelPath> + '_ {
    plan.gives().map(folded)
}

fn folded(path: &RelPath) -> RelPath {
    match path.as_path().to_str() {
        Some(text) => RelPath::new(text.to_lowercase()).unwrap_or_else(|_| path.clone()),
        None => path.clone(),
    }
}

fn rules(settings: &Settings) -> Rules {
    Rules {
        naming: settings.naming.clone(),
        keep: settings.keep.clone(),
        export: settings.export.clone(),
        markets: settings.upload.markets.clone(),
        prompts_max: settings.ideas.prompts_max,
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
    }
}
