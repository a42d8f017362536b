//! Bundles that are not sent: what their markets would refuse today, and files in them that a person renamed.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;

use super::as_left::Care;
use super::bundle_files::{Lying, RECORD_BYTES_MAX, all_bundles, bundle_names, listed, manifest_of};
use super::bundles::{Bundles, Inside};
use super::elsewhere::Places;
use super::measures::Known;
use super::moved_inside::left_as_it_is;
use super::offers::Owing;
use super::record_settle::{refused, together};
use super::sending::without_row;
use super::tags::SharedTags;
use super::{Decider, Here, limits};
use crate::config::Settings;
use crate::intake::Now;
use crate::make::Measured;
use crate::market::{Candidate, check, names_in};
use crate::model::{ContentHash, Kind, RelPath, counted};
use crate::plan::{BundleAsset, BundleFolder, BundleName, Elsewhere, Hold, Parts, Plan, plan_name_back};
use crate::records::{SIDECAR_SUFFIX, Sidecar};
use crate::service::clock::Moment;
use crate::service::sent::{UNSENT, UNSENT_START, UPLOADED, is_sent, place_of};
use crate::vault::Look;

/// What is told of a bundle that is not sent and whose market the settings do not name.
pub(in crate::service) const UNNAMED: &str = "the settings do not name its market any more: nothing joins it, no \
                                              changed tags reach it, and what you delete in it keeps its row and steps; \
                                              name the market under `upload.markets` again, send it as it is, or, if you \
                                              never will, delete it";

/// The same where the settings cannot be used.
pub(in crate::service) const UNTOLD: &str = "nobody can tell whether the settings name its market: they cannot be used; \
                                             correct them first";

/// What speaks today against a file that was bundled.
#[derive(Debug)]
pub(in crate::service) enum Against {
    /// Its market would refuse it, and why.
    Refuses(String),
    /// It is not to be uploaded from there.
    Elsewhere(Elsewhere),
    /// It is a model, and some of its parts are not there, or changed.
    Lacks(String),
    /// A person changed it since it was bundled.
    Changed,
    /// It cannot be measured, and why: nobody can tell whether its market would take it.
    Unmeasured(String),
    /// Its tags cannot be told.
    Untold(Hold),
}

impl std::fmt::Display for Against {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unknown = "nobody can tell whether its market would take it today";
        match self {
            Self::Refuses(why) => write!(f, "its market would refuse it today: {why}"),
            Self::Elsewhere(elsewhere) => elsewhere.fmt(f),
            Self::Lacks(why) => f.write_str(why),
            Self::Changed => f.write_str(
                "it was changed by hand since it was bundled: nobody knows what it shows and says now, its tags and AI mark may be \
                 gone, and words may be in it that nobody is to read. Look at it, or put it back as it was",
            ),
            Self::Unmeasured(why) => write!(f, "{unknown}: {why}"),
            Self::Untold(why) => write!(f, "{unknown}: {why}"),
        }
    }
}

/// How a bundle stands that is not sent, or of which further markets lack files.
#[derive(Debug)]
pub(in crate::service) struct OpenBundle {
    pub(in crate::service) folder: RelPath,
    /// What speaks against its files today; or why nobody can tell what lies in it, and no change reaches it.
    pub(in crate::service) refused: Result<Vec<(RelPath, Against)>, Hold>,
    /// Why it gets no new rows and steps, if one of its texts cannot be read.
    pub(in crate::service) stuck: Option<Hold>,
    /// The files that stockmill has yet to write anew.
    pub(in crate::service) behind: Vec<RelPath>,
    /// The files that further markets lack, and what these say today; or why that cannot be told.
    pub(in crate::service) owing: Result<Vec<Owing>, Hold>,
}

impl Decider {
    /// Returns how each bundle stands that is not sent, or of which further markets lack files. By the defaults, in place of
    /// settings that cannot be used, nobody can tell what lacks what lies in the bundle of another market.
    pub(in crate::service) fn open_bundles(&mut self, here: Here<'_>, is_by_defaults: bool) -> Vec<OpenBundle> {
        let markets = &self.settings.upload.markets;
        let is_open = |name: &BundleName| !is_sent(self.disk(), &name.folder()).unwrap_or(false);
        let names: BTreeSet<BundleName> = all_bundles(self.disk(), markets).into_iter().collect();
        let named: BTreeSet<BundleName> = bundle_names(self.disk(), markets).into_iter().collect();
        let unsent: BTreeSet<BundleName> = names.iter().filter(|name| is_open(name)).cloned().collect();
        let owed = self.owed(if is_by_defaults { &named } else { &names });
        let (mut open, places) = (Vec::new(), self.places());
        for name in names {
            let is_open = unsent.contains(&name);
            let unrecorded = if is_open { None } else { self.unrecorded(&name) };
            if !is_open && unrecorded.is_none() && !owed.contains_key(&name) {
                continue;
            }
            // What was sent goes no more to its own market.
            let refused = if let Some(hold) = unrecorded {
                Err(hold)
            } else if is_open && !named.contains(&name) {
                Err(Hold::Waits(if is_by_defaults { UNTOLD } else { UNNAMED }.to_owned()))
            } else if is_open {
                let refused = self.refused_in(&name, &places, here.now).and_then(all_told);
                refused.map_err(|hold| with_copies(hold, &places, self.disk(), &name))
            } else {
                Ok(Vec::new())
            };
            let owing = self.owing(&name, &owed, Care::Times, here);
            let stuck = self.stuck(&name);
            let is_told = !is_open || stuck.is_some() || refused.is_err();
            let behind = if is_told { Vec::new() } else { self.behind(&name, &places, here.now).unwrap_or_default() };
            open.push(OpenBundle { folder: name.folder(), refused, stuck, behind, owing });
        }
        open
    }

    /// Returns why the manifest of a bundle that is not sent follows no change, if it follows none.
    pub(in crate::service) fn holds_bundle(&mut self, name: &BundleName, now: &Moment) -> Option<Hold> {
        if !self.is_open(name) {
            return self.unrecorded(name);
        }
        let places = self.places();
        let (disk, settings, now) = (self.vault.disk(), &*self.settings, now.for_settle());
        let held = Bundles { disk, settings, tags: &mut self.tags, places, now }.assets(name).err();
        self.stuck(name).or(held)
    }

    /// Returns the files of an open bundle that stockmill has yet to write anew.
    pub(in crate::service) fn behind(
        &mut self,
        name: &BundleName,
        places: &Arc<Places>,
        now: &Moment,
    ) -> Result<Vec<RelPath>, Hold> {
        let (disk, settings, now) = (self.vault.disk(), &*self.settings, now.for_settle());
        Bundles { disk, settings, tags: &mut self.tags, places: places.clone(), now }.behind(name)
    }

    /// Returns why a bundle that a person marked as sent is not on record as that, if it is
    /// another market's, or files were moved within it.
    fn unrecorded(&self, name: &BundleName) -> Option<Hold> {
        let place = place_of(self.disk(), name).ok().flatten().filter(|_| !self.ledger.is_sent(name))?;
        left_as_it_is(self.disk(), &self.settings, &place).unwrap_or_else(Some)
    }

    /// Returns what speaks against the files of a bundle, by the rules of its market and by the tags of today.
    pub(in crate::service) fn refused_in(
        &mut self,
        name: &BundleName,
        places: &Arc<Places>,
        now: &Moment,
    ) -> Result<Vec<(RelPath, Against)>, Hold> {
        let (disk, settings, now) = (self.vault.disk(), &*self.settings, now.for_settle());
        Bundles { disk, settings, tags: &mut self.tags, places: places.clone(), now }.refused(name)
    }

    /// Returns the files of a bundle that have no row, each with what keeps it from one today, as far as its market is it.
    pub(in crate::service) fn without_row(
        &mut self,
        name: &BundleName,
        now: &Moment,
    ) -> Result<Vec<(RelPath, Option<Against>)>, Hold> {
        let places = self.places();
        let (disk, settings, now) = (self.vault.disk(), &*self.settings, now.for_settle());
        Bundles { disk, settings, tags: &mut self.tags, places, now }.without_row(name)
    }
}

/// Returns why nobody can tell what lies in a bundle, with what of it goes to its market from elsewhere: its CSV and its list may
/// ask for that until they can be written again.
fn with_copies(hold: Hold, places: &Places, disk: &dyn Look, name: &BundleName) -> Hold {
    let copies = places.copies(disk, name).unwrap_or_default();
    let mut elsewhere = copies.iter().filter(|(file, copies)| copies[0] != **file).map(|(file, _)| file.file_text());
    let Some(first) = elsewhere.next() else { return hold };
    let files = counted(elsewhere.count() + 1, "file");
    Hold::Waits(format!(
        "{hold}; until then its CSV may have rows of {files} that {} gets from elsewhere, `{first}` the first: do not upload \
         these from here",
        name.market
    ))
}

/// Returns the files of a bundle that have no row, each with what keeps it from one today, as far as its market is it: one look at
/// how things are, whoever is saving tags.
pub(in crate::service) fn rowless(
    disk: &dyn Look,
    settings: &Settings,
    places: Arc<Places>,
    name: &BundleName,
    now: Now,
) -> Result<Vec<(RelPath, Option<Against>)>, Hold> {
    let mut tags = SharedTags::for_one_look(&settings.settle);
    Bundles { disk, settings, tags: &mut tags, places, now }.without_row(name)
}

/// Returns whether a file that has no row is to have one, as soon as what keeps it from one is over.
pub(in crate::service) fn is_due(against: Option<&Against>) -> bool {
    !matches!(against, Some(Against::Elsewhere(Elsewhere::Went(_) | Elsewhere::Lies(_))))
}

/// Returns what is told of a file of a bundle that was sent and whose manifest has no row of it, by what keeps it from one.
pub(in crate::service) fn unsent_told(against: Option<&Against>) -> String {
    let Some(against) = against else { return UNSENT.to_owned() };
    let uploaded = if is_due(Some(against)) {
        format!("; {UPLOADED}, once you took the mark away, and record the bundle again")
    } else {
        String::new()
    };
    format!("{UNSENT_START}; {against}: take it out{uploaded}")
}

/// Returns what is told of a file of a bundle that has a row and no sidecar.
pub(in crate::service) fn lost_record(bundle: &BundleFolder, file: &str) -> Hold {
    let (path, record) = (bundle.files().join(file), bundle.sidecar_of(file));
    let what = "is not there; put it back, or take the file out of its bundle";
    Hold::Unreadable(format!("nobody can tell which asset `{path}` is: `{record}` {what}"))
}

/// Returns what speaks against the files of a bundle, if the tags of each can be told.
fn all_told(against: Vec<(RelPath, Against)>) -> Result<Vec<(RelPath, Against)>, Hold> {
    let (mut told, mut holds) = (Vec::new(), Vec::new());
    for (file, against) in against {
        match against {
            Against::Untold(hold) => holds.push(hold),
            against => told.push((file, against)),
        }
    }
    together(holds).map_or(Ok(told), Err)
}

impl Bundles<'_> {
    /// Returns what speaks against the files of a bundle, by the rules of its market and by the tags of today.
    fn refused(&mut self, name: &BundleName) -> Result<Vec<(RelPath, Against)>, Hold> {
        let bundle = self.folder(name)?;
        self.is_whole(&bundle)?;
        let lost = self.without_record(name, &bundle)?.into_iter();
        let mut all: Vec<_> = lost.map(|(path, hold)| (path, Against::Untold(hold))).collect();
        let mut inside = Inside::default();
        for (file, lying) in self.files(&bundle)? {
            let against = self.against(name, &bundle, (&file, &lying), &mut inside);
            all.extend(against.map(|against| (bundle.files().join(&file), against)));
        }
        Ok(all)
    }

    /// Returns what speaks against a file of a bundle; `inside` keeps what was found out with the others.
    fn against(
        &mut self,
        name: &BundleName,
        bundle: &BundleFolder,
        (file, lying): (&str, &Lying),
        inside: &mut Inside,
    ) -> Option<Against> {
        if let Err(hold) = self.asset(name, bundle, file, lying, inside) {
            return Some(Against::Untold(hold));
        }
        let mut asset = inside.assets.pop()?;
        if let Some(elsewhere) = asset.elsewhere {
            return Some(Against::Elsewhere(elsewhere));
        }
        asset.against = match self.judged(name, &bundle.files().join(file), &asset, &mut Known::default()) {
            Ok(against) => against.map(Ok),
            Err(why) => return Some(Against::Unmeasured(why)),
        };
        let reasons = self.market(name).map(|market| asset.reasons(market)).unwrap_or_default();
        if reasons.is_empty() {
            let told = |parts: &Parts| parts.lacks().or_else(|| parts.changed());
            let lacks = asset.parts.as_ref().and_then(told).map(Against::Lacks);
            return lacks.or(asset.is_retouched.then_some(Against::Changed));
        }
        Some(Against::Refuses(reasons.join("; ")))
    }

    /// Returns the files of a bundle that have no row, each with what keeps it from one today, as far as its market is it.
    pub(super) fn without_row(&mut self, name: &BundleName) -> Result<Vec<(RelPath, Option<Against>)>, Hold> {
        let lacking = without_row(self.disk, self.settings, name)?;
        if lacking.is_empty() {
            return Ok(Vec::new());
        }
        let bundle = self.folder(name)?;
        let (known, mut inside) = (self.files(&bundle)?, Inside::default());
        let mut against = |path: RelPath| {
            let file = path.file_text();
            let lying = known.get(&file);
            let against = lying.and_then(|lying| self.against(name, &bundle, (&file, lying), &mut inside));
            (path, against.filter(|against| !matches!(against, Against::Changed | Against::Lacks(_))))
        };
        Ok(lacking.into_iter().map(&mut against).collect())
    }

    /// Measures the files of a bundle, and lets each know what its market has against it by its rules of today, or that it
    /// cannot be measured.
    pub(super) fn judge(&self, name: &BundleName, assets: &mut [BundleAsset], known: &mut Known) {
        let files = BundleFolder::new(name.folder()).files();
        for asset in assets {
            let path = files.join(&asset.file_name);
            asset.against = self.judged(name, &path, asset, known).transpose();
        }
    }

    /// Measures a file of a bundle, and returns what its market has against it by its rules of today, `None` if one of them is
    /// not there; or why nobody can tell.
    fn judged(
        &self,
        name: &BundleName,
        path: &RelPath,
        asset: &BundleAsset,
        known: &mut Known,
    ) -> Result<Option<Vec<String>>, String> {
        let Some(market) = self.market(name) else { return Ok(None) };
        let claimed = asset.is_document.then_some(Kind::Document);
        let measured = known.measured(self.disk, path, &limits(self.settings), claimed)?;
        Ok(measured.map(|Measured { kind, size, colours, bytes }| {
            let (meta, category, video) = (asset.fitted.meta.clone(), asset.category.clone(), asset.video.clone());
            let written = asset.written;
            check(market, &Candidate { kind, size, video, bytes, colours, meta, category, written })
        }))
    }

    /// Returns the files of a bundle that have a row and no sidecar, each with what is to be done: without their rows nobody
    /// would know that their market is to have them.
    pub(super) fn without_record(
        &self,
        name: &BundleName,
        bundle: &BundleFolder,
    ) -> Result<Vec<(RelPath, Hold)>, Hold> {
        let known = self.files(bundle)?;
        let names = listed(self.disk, &bundle.files())?.into_iter().filter_map(|(name, _)| name.into_string().ok());
        let strangers: Vec<String> = names.filter(|name| !known.contains_key(name)).collect();
        let Some(market) = self.market(name).filter(|_| !strangers.is_empty()) else { return Ok(Vec::new()) };
        let parts = manifest_of(self.disk, name).map_err(|error| refused(&error.path, &error))?;
        let rows: BTreeSet<String> = parts.iter().flat_map(|part| names_in(market, &part.bytes)).collect();
        let lost = strangers.into_iter().filter(|stranger| rows.contains(stranger));
        Ok(lost.map(|file| (bundle.files().join(&file), lost_record(bundle, &file))).collect())
    }

    /// Plans its name back for each file that a person renamed: its row, its sidecar and what is known of what was sent
    /// name it so. `strangers` are the files without a sidecar of their name.
    pub(super) fn names_back(&self, name: &BundleName, strangers: &[String]) -> Result<Vec<Plan>, Hold> {
        let bundle = BundleFolder::new(name.folder());
        let mut missing = if strangers.is_empty() { Vec::new() } else { self.missing(&bundle)? };
        let mut plans = Vec::new();
        for stranger in strangers {
            let path = bundle.files().join(stranger);
            if missing.is_empty() {
                break;
            }
            let Some(entry) = self.disk.stat(&path).map_err(|error| refused(&path, &error))? else { continue };
            let hash = self.disk.hash(&path).map_err(|error| refused(&path, &error))?;
            if let Some(at) = missing.iter().position(|(_, left)| *left == hash) {
                let (file, _) = missing.remove(at);
                plans.push(plan_name_back(&path, &file, entry.identity));
            }
        }
        Ok(plans)
    }

    /// Returns the files of a bundle that have a sidecar and are not there, each with the hash of what was left.
    fn missing(&self, bundle: &BundleFolder) -> Result<Vec<(RelPath, ContentHash)>, Hold> {
        let mut missing = Vec::new();
        for (name, _) in listed(self.disk, &bundle.sidecars())? {
            let Some(file) = name.to_str().and_then(|name| name.strip_suffix(SIDECAR_SUFFIX)) else { continue };
            let path = bundle.files().join(file);
            if self.disk.stat(&path).map_err(|error| refused(&path, &error))?.is_some() {
                continue;
            }
            let record = bundle.sidecars().join(&name);
            let bytes = match self.disk.read(&record, RECORD_BYTES_MAX) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                read => read.map_err(|error| refused(&record, &error))?,
            };
            let left = Sidecar::parse(&bytes).ok().filter(|sidecar| sidecar.id.is_some());
            missing.extend(left.and_then(|sidecar| sidecar.file).map(|left| (path, left.hash)));
        }
        Ok(missing)
    }
}
