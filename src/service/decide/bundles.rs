//! What lies in bundles: their assets with the tags that these have today.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::Decider;
use super::as_left::{Care, is_as_left};
use super::foreign_xmp::foreign_xmp;
pub(in crate::service) use super::parts::parts_of;
use super::record_settle::{refused, together};
use super::tags::SharedTags;
use crate::config::Settings;
use crate::intake::Now;
use crate::market::{Fitted, Market, fit, left_out_words, lint_fitted, manifest_name, manifest_part};
use crate::model::{ContentHash, Identity, Ignore, MarketName, RelPath, Stage, ThemeSlug};
use crate::plan::{Bundle, BundleAsset, BundleFolder, BundleName, Hold, Plan, Product, Recipe, Written, plan_refresh};
use crate::records::{FileRecord, PublishMode, SIDECAR_SUFFIX, Sidecar};
use crate::service::clock::Moment;
use crate::service::ledger::Went;
use crate::service::sent::{is_sent, place_of};
use crate::vault::own_names::HOME;
use crate::vault::{DiskResult, Entry, Look, What};

/// The largest record that is read.
pub(in crate::service) const RECORD_BYTES_MAX: u64 = 8 << 20;

/// The largest part of a manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// A look into bundles.
pub(super) struct Bundles<'a> {
    pub(super) disk: &'a dyn Look,
    pub(super) settings: &'a Settings,
    pub(super) tags: &'a mut SharedTags,
    pub(super) went: Arc<Went>,
    pub(super) now: Now,
}

/// A file of a bundle and its sidecar, as they lie there.
pub(super) struct Lying {
    file: Entry,
    record: Entry,
}

/// What lies in a bundle.
#[derive(Debug, Default)]
pub(super) struct Inside {
    pub(super) assets: Vec<BundleAsset>,
    /// What gives files their tags of today that carry older ones.
    pub(super) stale: Vec<Plan>,
    /// How many of the assets are of each theme.
    pub(super) themes: BTreeMap<ThemeSlug, usize>,
    /// Files that a person changed since.
    pub(super) retouched: Vec<RelPath>,
}

impl Bundles<'_> {
    /// Returns the files of a bundle with their tags as they resolve today, and the sidecars whose
    /// files carry older tags. A row that is left out because of a passing error would be a file that is never sold: what
    /// nobody can tell of one file is an error for all.
    pub(super) fn assets(&mut self, name: &BundleName) -> Result<Inside, Hold> {
        let mut inside = Inside::default();
        let bundle = self.folder(name)?;
        let mut holds: Vec<Hold> = self.without_record(name, &bundle)?.into_iter().map(|(_, hold)| hold).collect();
        for (file, lying) in self.files(&bundle)? {
            holds.extend(self.asset(name, &bundle, &file, &lying, &mut inside).err());
        }
        together(holds).map_or(Ok(inside), Err)
    }

    /// Returns the folder of a bundle, wherever it lies.
    pub(super) fn folder(&self, name: &BundleName) -> Result<BundleFolder, Hold> {
        let place = place_of(self.disk, name).map_err(|error| refused(&name.folder(), &error))?;
        Ok(BundleFolder::new(place.unwrap_or_else(|| name.folder())))
    }

    /// Returns the files of a bundle that have a sidecar, by name, as they lie there.
    pub(super) fn files(&self, bundle: &BundleFolder) -> Result<BTreeMap<String, Lying>, Hold> {
        let present: BTreeMap<OsString, Entry> = listed(self.disk, &bundle.files())?.into_iter().collect();
        let records = listed(self.disk, &bundle.sidecars())?.into_iter();
        let of = |(name, record): (OsString, Entry)| {
            let name = name.to_str()?.strip_suffix(SIDECAR_SUFFIX)?;
            let file = *present.get(OsStr::new(name))?;
            Some((name.to_owned(), Lying { file, record }))
        };
        Ok(records.filter_map(of).collect())
    }

    /// Adds a file of a bundle with its tags as they resolve today, unless its sidecar is gone meanwhile.
    pub(super) fn asset(
        &mut self,
        name: &BundleName,
        bundle: &BundleFolder,
        file: &str,
        lying: &Lying,
        inside: &mut Inside,
    ) -> Result<(), Hold> {
        let (folder, files) = (bundle.sidecars(), bundle.files());
        let path = bundle.sidecar_of(file);
        let Some((bytes, sidecar)) = self.sidecar(&path, lying)? else { return Ok(()) };
        let xmp = foreign_xmp(self.disk, &folder, file)?;
        let resolved = self.tags.of_bundled(self.disk, self.settings, &sidecar, xmp, self.now)?;
        let market = self.settings.upload.market(&name.market);
        let meta = resolved.meta();
        let left_out = left_out_words(&resolved.left_out_words);
        let category = resolved.category.get(name.market.as_str()).map(|category| category.value.clone());
        let fitted = match market {
            Some(market) => fit(market, &meta),
            None => Fitted { meta, left_out: Vec::new() },
        };
        let names = &self.settings.upload.names;
        let unwise = market.map(|market| lint_fitted(names, market, &fitted.meta, category.as_deref()));
        let warnings = unwise.into_iter().flatten().chain(left_out).collect();
        let refresh = market.and_then(|_| plan_refresh(&files.join(file), &path, &bytes, &sidecar, &fitted.meta));
        // What is about to be replaced is read all the same.
        let care = if refresh.is_some() { Care::Bytes } else { Care::Times };
        let is_retouched = self.is_retouched(&files.join(file), lying, &sidecar, care);
        if is_retouched {
            inside.retouched.push(files.join(file));
        } else {
            inside.stale.extend(refresh);
        }
        let left = sidecar.file.as_ref().filter(|_| !is_retouched).map(|left| &left.hash);
        let went = sidecar.id.as_ref().and_then(|id| self.went.why(name, id, left));
        sidecar.theme.into_iter().for_each(|theme| *inside.themes.entry(theme).or_default() += 1);
        let is_tagged = sidecar.file.as_ref().is_some_and(|file| file.embedded.is_some());
        let version = sidecar.file.as_ref().map(|file| file.hash.short()).unwrap_or_default();
        let video = sidecar.video;
        let look = resolved.look.as_ref().map(|look| look.value);
        let people = resolved.people.as_ref().map(|people| people.value);
        inside.assets.push(BundleAsset {
            file_name: file.to_owned(),
            version,
            fitted,
            category,
            written: resolved.written(&name.market),
            look,
            people,
            warnings,
            video,
            is_tagged,
            is_retouched,
            parts: parts_of(self.disk, bundle, file)?,
            against: None,
            went,
        });
        Ok(())
    }

    /// Returns the sidecar of a bundled file, if it is there still.
    fn sidecar(&mut self, path: &RelPath, lying: &Lying) -> Result<Option<(Vec<u8>, Sidecar)>, Hold> {
        let cannot = |error: &dyn std::fmt::Display| Hold::Unreadable(format!("`{path}` cannot be read: {error}"));
        let bytes = match self.disk.read(path, RECORD_BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| cannot(&error))?,
        };
        let sidecar = Sidecar::parse(&bytes);
        if !sidecar.as_ref().is_ok_and(|sidecar| sidecar.id.is_some()) {
            // Somebody may be in the middle of saving it.
            self.tags.records.still(self.disk, path, &lying.record, self.now)?;
        }
        let sidecar = sidecar.map_err(|error| cannot(&error.of_bundled()))?;
        if sidecar.id.is_none() {
            return Err(cannot(&"it does not say which asset it is about; `stockmill undo` has the former version"));
        }
        Ok(Some((bytes, sidecar)))
    }

    /// Returns whether a person changed a file since it was bundled: nobody knows what that is then. Of what cannot be read it
    /// is told that it cannot be measured.
    fn is_retouched(&self, file: &RelPath, lying: &Lying, sidecar: &Sidecar, care: Care) -> bool {
        let seen = lying.file.identity;
        let is_left = |left: &FileRecord| is_as_left(self.disk, file, seen, left, care).unwrap_or(true);
        sidecar.file.as_ref().is_some_and(|left| !is_left(left))
    }

    /// Returns a folder of a bundle's day that holds what bundles hold and has a name of none: a person renamed it.
    pub(super) fn renamed(&self, name: &BundleName) -> Option<RelPath> {
        let day = name.folder().parent()?;
        let listed = self.disk.list(&day).ok()?.into_iter().filter(|(_, entry)| entry.what == What::Folder);
        let is_bundle = |folder: &RelPath| {
            BundleName::of(folder)
                .is_some_and(|name| self.market(&name).is_some() || !has_manifest_of_another(self.disk, folder, &name))
        };
        let mut folders = listed.map(|(name, _)| day.join(name)).filter(|folder| !is_bundle(folder));
        folders.find(|folder| {
            !is_sent(self.disk, folder).unwrap_or(true)
                && matches!(self.disk.stat(&folder.join("sidecars")), Ok(Some(_)))
        })
    }

    /// Returns the market that a bundle is for, if it is configured.
    pub(super) fn market(&self, name: &BundleName) -> Option<&Market> {
        self.settings.upload.markets.iter().find(|market| market.name == name.market)
    }
}

impl Decider {
    /// Returns today's bundles as they lie on disk.
    pub(super) fn bundles_of(&mut self, now: &Moment) -> Vec<Bundle> {
        let today = now.local.date();
        if self.upload.loaded_for == Some(today) {
            self.look_again_for_unidentified();
        } else {
            self.upload.loaded_for = Some(today);
            self.load_bundles(now);
            self.look_for_unidentified();
        }
        let disk = self.vault.disk();
        for (name, bundle) in self.upload.bundles.iter_mut().filter(|(name, _)| name.day == today) {
            // What cannot be told now stays as it was told last.
            bundle.sent = is_sent(disk, &name.folder()).unwrap_or(bundle.sent);
        }
        let known = self.upload.bundles.values().filter(|bundle| bundle.name.day == today).cloned();
        // What was sent has its name for ever, wherever its folder is.
        let is_gone = |name: &BundleName| name.day == today && !self.upload.bundles.contains_key(name);
        let sent = self.ledger.sent_bundles().filter(|(name, _)| is_gone(name));
        let sent = sent.map(|(name, rows)| Bundle {
            name: name.clone(),
            rows: Some(rows),
            themes: BTreeMap::new(),
            sent: true,
        });
        known.chain(sent).collect()
    }

    /// Lets a plan that changes the tags of a theme say which bundles are sent already and stay as they are.
    pub(in crate::service) fn tell_sent(&self, plan: &mut Plan) {
        // Folders of one theme are looked at together: of two plans for one change the first tells it.
        let is_done = |product: &Product| match &product.recipe {
            Recipe::Bytes(bytes) => {
                product.to.area() == HOME
                    && self.disk().hash(&product.to).is_ok_and(|hash| hash == ContentHash::of(bytes))
            }
            _ => false,
        };
        if plan.products.iter().any(is_done) {
            return;
        }
        let names = plan.about.theme.iter().flat_map(|theme| self.ledger.bundles_of(theme));
        let sent = names.map(BundleName::folder).filter(|folder| is_sent(self.disk(), folder).unwrap_or(false));
        let sent: Vec<String> = sent.map(|folder| format!("`{folder}`")).collect();
        let told = match &sent[..] {
            [] => return,
            [bundle] => format!("{bundle} is sent already and stays as it is"),
            [.., last] => {
                format!("{} bundles are sent already and stay as they are, the last one is {last}", sent.len())
            }
        };
        plan.about.did = format!("{}; {told}", plan.about.did);
    }

    /// Lets a plan that writes a manifest say that a person's changes in it are replaced.
    pub(in crate::service) fn tell_edited_manifest(&self, plan: &mut Plan) {
        let is_edited = |product: &Product| match &product.mode {
            PublishMode::Replace { was: Some(was) } => {
                self.ledger.manifest(&product.to).is_some_and(|left| left != was)
            }
            _ => false,
        };
        if let Some(csv) = plan.products.iter().find(|product| is_edited(product)).map(|product| &product.to) {
            let how = "was changed by hand, and that is replaced: write tags into `tags.yaml` or the sidecar";
            plan.about.did = format!("{}; `{csv}` {how}", plan.about.did);
        }
    }

    fn load_bundles(&mut self, now: &Moment) {
        let (disk, settings) = (self.vault.disk(), &*self.settings);
        let names = bundle_names(disk, &settings.upload.markets).into_iter();
        // What lies in older ones counts for the limits of a market.
        let is_any_meant = !settings.upload.day.is_off();
        for name in names.filter(|name| is_any_meant || name.day == now.local.date()) {
            let (went, now) = (self.ledger.went(), now.for_settle());
            let mut look = Bundles { disk, settings, tags: &mut self.tags, went, now };
            let inside = look.assets(&name);
            if look.market(&name).is_none() {
                continue;
            }
            // Nothing is added to one of which nobody can tell whether it was sent.
            let place = place_of(disk, &name).map(|place| place.unwrap_or_else(|| name.folder()));
            let sent = place.and_then(|place| is_sent(disk, &place)).unwrap_or(true);
            let (rows, themes) = match inside {
                Ok(inside) => (Some(inside.assets.len()), inside.themes),
                Err(_) => (None, BTreeMap::new()),
            };
            self.upload.bundles.insert(name.clone(), Bundle { name, rows, themes, sent });
        }
    }
}

/// Returns the names of the files that lie in a bundle and are none of its assets.
pub(super) fn strangers(
    disk: &dyn Look,
    ignore: &Ignore,
    bundle: &RelPath,
    assets: &[BundleAsset],
) -> Result<Vec<String>, Hold> {
    let known: BTreeSet<&str> = assets.iter().map(|asset| asset.file_name.as_str()).collect();
    let inside = listed(disk, &bundle.join("files"))?.into_iter();
    let files = inside.filter(|(_, entry)| entry.what == What::File);
    let names = files.map(|(name, _)| name.to_string_lossy().into_owned());
    Ok(names.filter(|name| !known.contains(name.as_str()) && ignore.file(name).is_none()).collect())
}

/// Returns the parts of a bundle's manifest that lie there, in order.
pub(in crate::service) fn manifest_of(disk: &dyn Look, name: &BundleName) -> DiskResult<Vec<Written>> {
    place_of(disk, name)?.map_or(Ok(Vec::new()), |place| manifest_in(disk, &place, &name.market))
}

/// Returns the parts of a market's manifest that lie in a folder, in order.
pub(super) fn manifest_in(disk: &dyn Look, place: &RelPath, market: &MarketName) -> DiskResult<Vec<Written>> {
    let listed = match disk.list(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut parts: Vec<(u32, Identity)> = listed
        .into_iter()
        .filter_map(|(file, entry)| Some((manifest_part(market, file.to_str()?)?, entry.identity)))
        .collect();
    parts.sort_by_key(|(part, _)| *part);
    let mut written = Vec::new();
    for (part, seen) in parts {
        let path = place.join(manifest_name(market, part));
        match disk.read(&path, MANIFEST_BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => (),
            read => written.push(Written { bytes: read?, path, seen }),
        }
    }
    Ok(written)
}

/// Returns whether a folder has manifests, and none of the market that its name says: a person renamed the folder.
fn has_manifest_of_another(disk: &dyn Look, folder: &RelPath, name: &BundleName) -> bool {
    let listed = disk.list(folder).unwrap_or_default().into_iter();
    let tables: Vec<OsString> =
        listed.map(|(name, _)| name).filter(|name| Path::new(name).extension() == Some(OsStr::new("csv"))).collect();
    let is_own = |table: &OsString| table.to_str().is_some_and(|table| manifest_part(&name.market, table).is_some());
    !tables.is_empty() && !tables.iter().any(is_own)
}

/// Returns every bundle that lies in `upload`, or among those that were sent, by day and market.
pub(in crate::service) fn bundle_names(disk: &dyn Look, markets: &[Market]) -> Vec<BundleName> {
    let is_named = |name: &BundleName| markets.iter().any(|market| market.name == name.market);
    all_names(disk).into_iter().filter(is_named).collect()
}

/// Returns every bundle, by day and market, also those whose market the settings do not name.
pub(in crate::service) fn all_bundles(disk: &dyn Look, markets: &[Market]) -> Vec<BundleName> {
    let mut names = [bundle_names(disk, markets), unnamed_bundles(disk, markets)].concat();
    names.sort();
    names
}

/// Returns the bundles whose market the settings do not name.
pub(in crate::service) fn unnamed_bundles(disk: &dyn Look, markets: &[Market]) -> Vec<BundleName> {
    let is_named = |name: &BundleName| markets.iter().any(|market| market.name == name.market);
    let is_bundle = |name: &BundleName| {
        [name.folder(), name.sent_folder()].into_iter().any(|folder| {
            matches!(disk.stat(&BundleFolder::new(folder.clone()).sidecars()), Ok(Some(_)))
                && !has_manifest_of_another(disk, &folder, name)
        })
    };
    all_names(disk).into_iter().filter(|name| !is_named(name) && is_bundle(name)).collect()
}

/// Returns what has the name of a bundle.
fn all_names(disk: &dyn Look) -> Vec<BundleName> {
    let top = Stage::Upload.folder();
    let mut names = Vec::new();
    for folder in [top.clone(), top.join(BundleFolder::SENT)] {
        for (day, _) in disk.list(&folder).unwrap_or_default() {
            let Some(day) = day.to_str().filter(|day| ThemeSlug::new(day).is_err() && !day.starts_with('.')) else {
                continue;
            };
            for (name, _) in disk.list(&folder.join(day)).unwrap_or_default() {
                names.extend(name.to_str().and_then(|name| BundleName::parse(day, name)));
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Returns the names in a folder of a bundle; none if it is not there.
pub(super) fn listed(disk: &dyn Look, folder: &RelPath) -> Result<Vec<(OsString, Entry)>, Hold> {
    match disk.list(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|error| Hold::Waits(error.to_string())),
    }
}
