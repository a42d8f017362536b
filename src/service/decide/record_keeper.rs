//! Shared records, looked at on a worker: tags that are the same in all stages, and bundles with their manifests.
//! Thousands of files may have to be read for that.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use super::bundle_files::{RECORD_BYTES_MAX, strangers};
use super::bundles::Bundles;
use super::elsewhere::{CopiesOf, Places};
use super::measures::Measures;
use super::moved_inside::left_as_it_is;
use super::offers::{Offers, Owed};
use super::open_bundles::{UNNAMED, is_due, unsent_told};
use super::parts::folders_of_parts;
use super::record_settle::refused;
use super::renamed::RENAMED;
use super::sending::without_file;
use super::tags::SharedTags;
use super::themes::blank;
use crate::config::{Settings, SettleSettings};
use crate::intake::{Now, is_model_folder};
use crate::model::{Identity, MarketName, RelPath, Stage, ThemeSlug};
use crate::plan::{
    Base, Bundle, BundleFolder, BundleName, Hold, Plan, Product, Recipe, TagFile, list_record, plan_first_tags,
    plan_not_sent, plan_sent, plan_sync, sync_base_path, theme_of_path,
};
use crate::records::{Deliveries, ThemeFile, read_mapping};
use crate::service::sent::{is_sent, place_of, sent_ns};
use crate::vault::{Look, What, delivery_file, read_delivery_log};

/// A shared record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::service) enum Tended {
    /// A folder's shared tags.
    Tags(RelPath),
    /// A bundle.
    Bundle(BundleName),
}

impl Tended {
    /// Returns the folder that it is about.
    pub(in crate::service) fn folder(&self) -> RelPath {
        match self {
            Self::Tags(folder) => folder.clone(),
            Self::Bundle(name) => name.folder(),
        }
    }

    /// Returns the bundle that it is about.
    pub(in crate::service) fn bundle(&self) -> Option<&BundleName> {
        match self {
            Self::Tags(_) => None,
            Self::Bundle(name) => Some(name),
        }
    }
}

/// What looking at records depends on.
#[derive(Debug, Clone)]
pub(in crate::service) struct Order {
    pub(in crate::service) settings: Arc<Settings>,
    /// Themes that a person removed, and whose remembered tags are about to go.
    pub(in crate::service) forgotten: HashSet<ThemeSlug>,
    /// Shared tags whose last common state does not count.
    pub(in crate::service) distrusted: HashSet<RelPath>,
    /// The files of the bundles that not every market got.
    pub(in crate::service) owed: Owed,
    /// Those of the bundles that are on record as sent.
    pub(in crate::service) on_record: BTreeSet<BundleName>,
    /// Where else files of open bundles are.
    pub(in crate::service) places: Arc<Places>,
    /// What was delivered, once it was looked at: it is too much to be kept for longer.
    pub(in crate::service) delivered: OnceLock<Result<Deliveries, String>>,
    pub(in crate::service) now: Now,
}

impl Order {
    /// Returns of the markets of the bundles among `records` the files whose assets lie in open bundles more than once: also
    /// where a bundle itself cannot be looked into, others may have to take its rows.
    pub(in crate::service) fn copies(&self, disk: &dyn Look, records: &[Tended]) -> BTreeMap<MarketName, CopiesOf> {
        let markets = records.iter().filter_map(Tended::bundle).map(|name| name.market.clone());
        self.places.of_markets(disk, &self.settings, markets.collect())
    }
}

/// What a look at a record showed.
#[derive(Debug)]
pub(in crate::service) enum Found {
    Tags(FoundTags),
    Bundle(FoundBundle),
}

/// What a look at shared tags showed.
#[derive(Debug, Default)]
pub(in crate::service) struct FoundTags {
    /// What brings them into step.
    pub(in crate::service) plan: Option<Plan>,
    /// Files that say nothing, or that nobody can read, with the reason: their writers have to mend them.
    pub(in crate::service) broken: Vec<(RelPath, String)>,
    /// The theme, if its tags were removed in all stages: they stay removed unless an asset needs them.
    pub(in crate::service) removed: Option<ThemeSlug>,
    /// Where their last common state lies.
    pub(in crate::service) base: Option<RelPath>,
    /// Whether a person changed what they say, and not only their comments, or where they lie.
    pub(in crate::service) is_changed: bool,
}

/// What a look at a bundle showed.
#[derive(Debug, Default)]
pub(in crate::service) struct FoundBundle {
    /// What writes its manifest, and its tags of today into files that carry older ones.
    pub(in crate::service) plans: Vec<Plan>,
    /// The bundle with its size of today; `None` for one that is sent, or whose market is not configured.
    pub(in crate::service) bundle: Option<Bundle>,
    pub(in crate::service) themes: BTreeSet<ThemeSlug>,
    /// Why its checklist is not written yet, or why nobody can tell what further markets take.
    pub(in crate::service) waits: Option<Hold>,
    /// A folder that no change reaches, and why: one beside it that a person renamed, or its own.
    pub(in crate::service) left_alone: Option<(RelPath, &'static str)>,
    /// Files that a person changed, and that carry older tags.
    pub(in crate::service) retouched: Vec<RelPath>,
    /// Files of a bundle that was sent, and whose manifest has no row of them, with what is told of each.
    pub(in crate::service) unsent: Vec<(RelPath, String)>,
    /// The files that further markets take by now.
    pub(in crate::service) offers: Offers,
    /// What records that it was sent, or that it was not after all.
    pub(in crate::service) dealing: Option<Plan>,
    /// Its folders, as they were before it was looked into.
    pub(in crate::service) folders: Vec<(RelPath, Identity)>,
}

/// Looks at shared records.
#[derive(Debug)]
pub(in crate::service) struct RecordKeeper {
    tags: SharedTags,
    measures: Measures,
}

impl RecordKeeper {
    /// Returns a keeper that has seen nothing.
    pub(in crate::service) fn new(settings: &SettleSettings) -> Self {
        Self { tags: SharedTags::new(settings), measures: Measures::default() }
    }

    /// Plans what brings a record up to date, once it stands still.
    pub(in crate::service) fn tend(&mut self, disk: &dyn Look, what: &Tended, order: &Order) -> Result<Found, Hold> {
        let settle = &order.settings.settle;
        self.tags.records.reload(settle.quiet, settle.weak_quiet);
        self.tags.themes.forgotten.clone_from(&order.forgotten);
        match what {
            Tended::Tags(folder) => self.shared_tags(disk, folder, order).map(Found::Tags),
            Tended::Bundle(name) => self.bundle(disk, name, order).map(Found::Bundle),
        }
    }

    fn shared_tags(&mut self, disk: &dyn Look, folder: &RelPath, order: &Order) -> Result<FoundTags, Hold> {
        let record = folder.join("tags.yaml");
        let (theme, below) = theme_of_path(&record);
        let is_own_folder = |theme: &ThemeSlug| {
            let path = theme_folder(Stage::Raw, theme, below.as_ref());
            folder.parts().skip(1).eq(path.parts().skip(1))
        };
        let Some(theme) = theme.filter(is_own_folder) else {
            let is_there = disk.stat(&record).map_err(|error| refused(&record, &error))?.is_some();
            let broken = is_there.then(|| (record, NO_THEME.to_owned()));
            return Ok(FoundTags { broken: broken.into_iter().collect(), ..FoundTags::default() });
        };
        let (mut files, mut entries) = (Vec::new(), Vec::new());
        for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Ideas) {
            // Of a stage that is away nobody knows what its tags say: when it is back, its old ones would win.
            disk.attach(&stage.folder()).map_err(|away| Hold::Waits(away.to_string()))?;
            let folder = theme_folder(stage, &theme, below.as_ref());
            if !matches!(disk.stat(&folder), Ok(Some(entry)) if entry.what == What::Folder) {
                continue;
            }
            let path = folder.join("tags.yaml");
            let entry = disk.stat(&path).map_err(|error| refused(&path, &error))?;
            let bytes = match entry.map(|_| disk.read(&path, RECORD_BYTES_MAX)).transpose() {
                Ok(bytes) => bytes,
                Err(error) => {
                    let why =
                        format!("it cannot be read: {}; until it is mended, no other stage gets it", error.source);
                    return Ok(FoundTags { broken: vec![(path, why)], ..FoundTags::default() });
                }
            };
            entries.extend(entry.map(|entry| (path, entry)));
            files.push(TagFile { stage, bytes, modified_ns: entry.map_or(0, |entry| entry.identity.modified_ns) });
        }
        let base_path = sync_base_path(&theme, below.as_ref());
        let base = disk.read(&base_path, RECORD_BYTES_MAX).ok();
        let is_removed = base.is_some() && files.iter().all(|file| file.bytes.is_none());
        let is_distrusted = order.distrusted.contains(&base_path);
        let plan = plan_sync(&theme, below.as_ref(), Base { bytes: base.as_deref(), is_distrusted }, &files);
        let plan = match plan_first_tags(&theme, base.as_deref(), &files) {
            Some(first) if below.is_none() && !is_model_folder(folder) => {
                wait_for_own_tags(disk, folder, order)?;
                Some(first)
            }
            _ => plan,
        };
        let unsound = files.iter().filter_map(|file| unsound(file, &theme, below.as_ref(), base.is_some()));
        let broken: Vec<_> = unsound.collect();
        if plan.is_some() || !broken.is_empty() {
            for (path, entry) in &entries {
                self.tags.records.still(disk, path, entry, order.now)?;
            }
        }
        let is_changed = plan.as_ref().is_some_and(|plan| says_other_tags(plan, &base_path, base.as_deref()));
        Ok(FoundTags { plan, broken, removed: is_removed.then_some(theme), base: Some(base_path), is_changed })
    }

    fn bundle(&mut self, disk: &dyn Look, name: &BundleName, order: &Order) -> Result<FoundBundle, Hold> {
        let cannot = |error| refused(&name.folder(), &error);
        let mut known = self.measures.take(name);
        let folder = place_of(disk, name).map_err(cannot)?.unwrap_or_else(|| name.folder());
        let sent = is_sent(disk, &folder).map_err(cannot)?;
        let day = folder.parent();
        let inner = [folder.clone(), folder.join("files"), folder.join("sidecars")];
        // It grows with each delivery, which the checklist follows.
        let record = (!sent).then(delivery_file);
        let folders = day.into_iter().chain(inner).chain(record);
        let seen = |folder: RelPath| Some((folder.clone(), disk.stat(&folder).ok()??.identity));
        let mut folders: Vec<_> = folders.filter_map(seen).collect();
        if !sent {
            folders.extend(folders_of_parts(disk, &folder));
        }
        let (settings, places) = (&*order.settings, order.places.clone());
        let mut look = Bundles { disk, settings, tags: &mut self.tags, places, now: order.now };
        if sent {
            let found = sent_bundle(look, name, &folder, order)?;
            return Ok(FoundBundle { folders, ..found });
        }
        let Some(market) = look.market(name).cloned() else {
            let found = unnamed_bundle(look, name, &folder, order)?;
            return Ok(FoundBundle { folders, ..found });
        };
        let left_alone = look.renamed(name).map(|renamed| (renamed, RENAMED));
        if !folders.iter().any(|(seen, _)| *seen == folder) {
            return Ok(FoundBundle { left_alone, folders, ..FoundBundle::default() });
        }
        let mut inside = look.assets(name)?;
        let (offers, mut waits) = or_waits(look.offers(name, &BundleFolder::new(folder.clone()), &order.owed, false));
        let strangers = strangers(disk, &order.settings.settle.ignore, &folder, &inside.assets)?;
        let names_back = look.names_back(name, &strangers)?;
        let (rows, themes) = (Some(inside.assets.len()), inside.themes.keys().cloned().collect());
        let bundle = Some(Bundle { name: name.clone(), rows, themes: std::mem::take(&mut inside.themes), sent });
        if !names_back.is_empty() {
            // Its manifest is looked at once they have their names.
            let plans = names_back;
            return Ok(FoundBundle { plans, bundle, themes, waits, folders, ..FoundBundle::default() });
        }
        let record = order.delivered.get_or_init(|| read_delivery_log(disk).map_err(|error| error.to_string()));
        let lists = look.lists((name, &folder, &market), &mut inside, &strangers, record, &mut known);
        self.measures.put_back(name, known);
        let mut plans = std::mem::take(&mut inside.stale);
        if let Some(mut plan) = lists? {
            waits = self.without_open_checklist(disk, &mut plan, &folder, order.now)?.or(waits);
            plans.extend(Some(plan).filter(|plan| !plan.products.is_empty() || !plan.removes.is_empty()));
        }
        let retouched = inside.retouched;
        let is_open_again = order.on_record.contains(name) && !inside.assets.is_empty();
        let dealing = is_open_again.then(|| plan_not_sent(&folder));
        let unsent = Vec::new();
        Ok(FoundBundle { plans, bundle, themes, waits, left_alone, retouched, unsent, offers, dealing, folders })
    }
}

impl RecordKeeper {
    /// Takes a checklist out of a plan that a person is saving, and returns why it waits; the manifest does not wait for it.
    fn without_open_checklist(
        &mut self,
        disk: &dyn Look,
        plan: &mut Plan,
        bundle: &RelPath,
        now: Now,
    ) -> Result<Option<Hold>, Hold> {
        let (path, record) = (&bundle.join("CHECKLIST.md"), list_record(bundle));
        let is_checklist = |product: &Product| product.to == *path || product.to == record;
        let entry = disk.stat(path).map_err(|error| refused(path, &error))?;
        let Some(entry) = entry.filter(|_| plan.products.iter().any(is_checklist)) else { return Ok(None) };
        let waits = self.tags.records.still(disk, path, &entry, now).err();
        if waits.is_some() {
            plan.products.retain(|product| !is_checklist(product));
        }
        Ok(waits)
    }
}

/// Looks into a bundle that was sent: nothing in it changes.
fn sent_bundle(mut look: Bundles<'_>, name: &BundleName, place: &RelPath, order: &Order) -> Result<FoundBundle, Hold> {
    let unsent = look.without_row(name)?;
    let unsent = unsent.into_iter().filter(|(_, against)| is_due(against.as_ref()));
    let unsent = unsent.map(|(file, against)| (file, unsent_told(against.as_ref()))).collect();
    let dealing = recorded(&mut look, name, place, order)?;
    let offered = look.offers(name, &BundleFolder::new(place.clone()), &order.owed, true);
    let (offers, waits) = or_waits(offered);
    Ok(FoundBundle { waits, unsent, offers, dealing, ..FoundBundle::default() })
}

/// Returns what further markets take; where that cannot be told, nothing, and why: all else of the bundle does not wait for it.
fn or_waits(offered: Result<Offers, Hold>) -> (Offers, Option<Hold>) {
    offered.map_or_else(|hold| (Offers::default(), Some(hold)), |offers| (offers, None))
}

/// Looks into a bundle that is not sent, and whose market the settings do not name: nothing in it changes, and further markets
/// may lack what lies in it.
fn unnamed_bundle(
    mut look: Bundles<'_>,
    name: &BundleName,
    place: &RelPath,
    order: &Order,
) -> Result<FoundBundle, Hold> {
    let is_any_there = !look.files(&BundleFolder::new(place.clone()))?.is_empty();
    let is_open_again = is_any_there && order.on_record.contains(name);
    let dealing = is_open_again.then(|| plan_not_sent(place));
    let left_alone = is_any_there.then(|| (place.clone(), UNNAMED));
    let (offers, waits) = or_waits(look.offers(name, &BundleFolder::new(place.clone()), &order.owed, false));
    Ok(FoundBundle { waits, left_alone, offers, dealing, ..FoundBundle::default() })
}

/// Returns what records that a bundle was sent; nothing if that is on record, or nothing went.
fn recorded(look: &mut Bundles<'_>, name: &BundleName, place: &RelPath, order: &Order) -> Result<Option<Plan>, Hold> {
    let disk = look.disk;
    if order.on_record.contains(name) {
        return Ok(None);
    }
    let at_ns = sent_ns(disk, place).map_or(order.now.wall_ns, |at_ns| at_ns.min(order.now.wall_ns));
    let at = Timestamp::from_nanosecond(at_ns.into()).unwrap_or(Timestamp::UNIX_EPOCH);
    if let Some(hold) = left_as_it_is(disk, &order.settings, place)? {
        return Err(hold);
    }
    let sending = look.sending(name, place, at)?;
    let missing = without_file(disk, &order.settings, name, place)?;
    Ok((!sending.files.is_empty()).then(|| plan_sent(sending, &missing)))
}

/// Why tags are not read that lie in a folder which only says when.
const NO_THEME: &str = "its folder is named after a day and is no theme, so nobody reads these tags; write them in the \
                        folder of a theme, or give this folder another name";

/// Waits as long as somebody may be copying a folder with tags of its own: its names must not have changed for the
/// longer quiet time.
fn wait_for_own_tags(disk: &dyn Look, folder: &RelPath, order: &Order) -> Result<(), Hold> {
    let entry = disk.stat(folder).map_err(|error| refused(folder, &error))?;
    let age = entry.map_or(Duration::ZERO, |entry| order.now.since(entry.identity.modified_ns));
    let pause = order.settings.settle.weak_quiet.saturating_sub(age);
    if pause.is_zero() {
        return Ok(());
    }
    let why = format!("`{folder}` is new, and gets a commented `tags.yaml` if none is put there");
    // Nobody waits for that: `once` may end before.
    Err(Hold::Settling { why, pause, is_by_time: false })
}

/// Returns whether the common state that a plan writes has other tags than the one before.
fn says_other_tags(plan: &Plan, base_path: &RelPath, before: Option<&[u8]>) -> bool {
    let tags = |bytes: &[u8]| ThemeFile::parse(bytes).ok().map(|file| (file.tags(), file.use_sets));
    let after = plan.products.iter().find(|product| product.to == *base_path);
    match (after.map(|product| &product.recipe), before.and_then(tags)) {
        (Some(Recipe::Bytes(after)), Some(before)) => tags(after).is_some_and(|after| after != before),
        _ => false,
    }
}

/// Returns why a tag file is not carried to the other stages, if it is not.
fn unsound(file: &TagFile, theme: &ThemeSlug, below: Option<&RelPath>, had_tags: bool) -> Option<(RelPath, String)> {
    let bytes = file.bytes.as_deref()?;
    let path = theme_folder(file.stage, theme, below).join("tags.yaml");
    if bytes.trim_ascii().is_empty() {
        return had_tags.then(|| (path.clone(), blank(&path)));
    }
    let error = read_mapping(bytes).err().or_else(|| ThemeFile::parse(bytes).err())?;
    Some((path, format!("it cannot be read: {error}; until it is mended, no other stage gets it")))
}

fn theme_folder(stage: Stage, theme: &ThemeSlug, below: Option<&RelPath>) -> RelPath {
    let folder = stage.folder().join(theme.as_str());
    below.map_or_else(|| folder.clone(), |below| folder.join(below.as_path()))
}
