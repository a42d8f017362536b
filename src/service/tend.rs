//! Work that is not about one asset: shared tags in step, manifests whole.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::clock::Moment;
use super::mill::Mill;
use super::sent::is_sent;
use super::themes::{blank, refused};
use crate::market::row_bytes;
use crate::model::{RelPath, Stage, Tags, ThemeSlug};
use crate::plan::{
    Base, Bundle, BundleAsset, BundleName, Hold, Plan, TagFile, plan_manifest, plan_refresh, plan_sync, sync_base_path,
    tags,
};
use crate::records::{SIDECAR_SUFFIX, Sidecar, read_mapping};
use crate::vault::{Entry, What};

/// The largest record that is read.
pub(super) const RECORD_BYTES_MAX: u64 = 8 << 20;

impl Mill {
    /// Plans what brings the shared tags of one folder into step across the stages, once they stand still. A
    /// file that says nothing, or that nobody can read, goes into `broken`, with the reason: its writer has to
    /// mend it.
    pub(super) fn tend_tags(
        &mut self,
        folder: &RelPath,
        broken: &mut Vec<(RelPath, String)>,
        moment: &Moment,
    ) -> Result<Option<Plan>, Hold> {
        let (theme, below) = crate::plan::theme_of_path(&folder.join("tags.yaml"));
        let Some(theme) = theme else { return Ok(None) };
        let (mut files, mut entries) = (Vec::new(), Vec::new());
        for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Ideas) {
            let folder = theme_folder(stage, &theme, below.as_ref());
            if !matches!(self.disk().stat(&folder), Ok(Some(entry)) if entry.what == What::Folder) {
                continue;
            }
            let path = folder.join("tags.yaml");
            let Ok(entry) = self.disk().stat(&path) else { return Ok(None) };
            let bytes = match entry.map(|_| self.disk().read(&path, RECORD_BYTES_MAX)).transpose() {
                Ok(bytes) => bytes,
                Err(error) => {
                    let why =
                        format!("it cannot be read: {}; until it is mended, no other stage gets it", error.source);
                    broken.push((path, why));
                    return Ok(None);
                }
            };
            entries.extend(entry.map(|entry| (path, entry)));
            files.push(TagFile { stage, bytes, modified_ns: entry.map_or(0, |entry| entry.identity.modified_ns) });
        }
        let base_path = sync_base_path(&theme, below.as_ref());
        let base = self.disk().read(&base_path, RECORD_BYTES_MAX).ok();
        // Removed everywhere, they stay removed unless an asset needs them.
        let is_removed = base.is_some() && files.iter().all(|file| file.bytes.is_none());
        if is_removed && !self.gone.may_restore(&theme) {
            return Ok(None);
        }
        let is_doubtful = self.doubtful_tags.contains(&base_path);
        let plan = plan_sync(&theme, below.as_ref(), Base { bytes: base.as_deref(), is_doubtful }, &files);
        let unsound = files.iter().filter_map(|file| unsound(file, &theme, below.as_ref(), base.is_some()));
        broken.extend(unsound);
        if plan.is_some() || !broken.is_empty() {
            for (path, entry) in &entries {
                self.records.still(self.vault.disk(), path, entry, moment.for_settle())?;
            }
        }
        if plan.is_some() {
            self.doubtful_tags.remove(&base_path);
        }
        Ok(plan)
    }

    /// Returns today's bundles as they lie on disk.
    pub(super) fn bundles_of(&mut self, moment: &Moment) -> Vec<Bundle> {
        let today = moment.local.date();
        if !self.bundles.keys().any(|name| name.day == today) {
            self.load_bundles(moment);
        }
        let markers: Vec<BundleName> = self.bundles.keys().cloned().collect();
        for name in markers {
            // What cannot be told now stays as it was told last.
            let sent = is_sent(self.disk(), &name.folder());
            if let (Ok(sent), Some(bundle)) = (sent, self.bundles.get_mut(&name)) {
                bundle.sent = sent;
            }
        }
        self.bundles.values().filter(|bundle| bundle.name.day == today).cloned().collect()
    }

    /// Returns every bundle that lies in `upload`, by name.
    pub(super) fn bundle_names(&self) -> Vec<BundleName> {
        let top = RelPath::new(Stage::Upload.name()).expect("a stage's name is clean");
        let mut names = Vec::new();
        for (day, _) in self.disk().list(&top).unwrap_or_default() {
            let Some(day) = day.to_str().filter(|day| ThemeSlug::new(day).is_err() && !day.starts_with('.')) else {
                continue;
            };
            for (name, _) in self.disk().list(&top.join(day)).unwrap_or_default() {
                names.extend(name.to_str().and_then(|name| BundleName::parse(day, name, &self.rules.markets)));
            }
        }
        names
    }

    fn load_bundles(&mut self, moment: &Moment) {
        for name in self.bundle_names() {
            // Nothing is added to one of which that cannot be told.
            let sent = is_sent(self.disk(), &name.folder()).unwrap_or(true);
            let market = self.rules.markets.iter().find(|market| market.name == name.market).cloned();
            let rows = self.bundle_assets(&name, moment).map(|assets| assets.0).unwrap_or_default();
            let bytes =
                market.map_or(0, |market| rows.iter().map(|asset| row_bytes(&market, &asset.row(&market))).sum());
            self.bundles.insert(name.clone(), Bundle { name, rows: rows.len(), bytes, sent });
        }
    }

    /// Returns the names of the files that lie in a bundle and are none of its assets.
    fn strangers(&self, name: &BundleName, assets: &[BundleAsset]) -> Result<Vec<String>, Hold> {
        let known: BTreeSet<&str> = assets.iter().map(|asset| asset.file_name.as_str()).collect();
        let listed = self.listed(&name.folder().join("files"))?.into_iter();
        let files = listed.filter(|(_, entry)| entry.what == What::File);
        let names = files.map(|(name, _)| name.to_string_lossy().into_owned());
        let ignore = &self.settings.settle.ignore;
        Ok(names.filter(|name| !known.contains(name.as_str()) && ignore.file(name).is_none()).collect())
    }

    /// Returns the files of a bundle with their tags as they resolve today, and the sidecars whose
    /// files carry older tags.
    fn bundle_assets(&mut self, name: &BundleName, moment: &Moment) -> Result<(Vec<BundleAsset>, Vec<Plan>), Hold> {
        let folder = name.folder().join("sidecars");
        let files = name.folder().join("files");
        let listed: BTreeMap<std::ffi::OsString, Entry> = self.listed(&folder)?.into_iter().collect();
        let present: BTreeSet<std::ffi::OsString> = self.listed(&files)?.into_iter().map(|(name, _)| name).collect();
        let (mut assets, mut stale) = (Vec::new(), Vec::new());
        let records = listed.iter().filter_map(|(name, entry)| Some((name.to_str()?, entry)));
        for (file, entry) in records.filter_map(|(name, entry)| Some((name.strip_suffix(SIDECAR_SUFFIX)?, entry))) {
            if !present.contains(std::ffi::OsStr::new(file)) {
                continue;
            }
            let path = folder.join(format!("{file}{SIDECAR_SUFFIX}"));
            // A row that is left out because of a passing error would be a file that is never sold.
            let cannot = |error: &dyn std::fmt::Display| Hold::Waits(format!("`{path}` cannot be read: {error}"));
            let bytes = match self.disk().read(&path, RECORD_BYTES_MAX) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                read => read.map_err(|error| cannot(&error))?,
            };
            let sidecar = Sidecar::parse(&bytes);
            if !sidecar.as_ref().is_ok_and(|sidecar| sidecar.id.is_some()) {
                // Somebody may be in the middle of saving it.
                self.records.still(self.vault.disk(), &path, entry, moment.for_settle())?;
            }
            let sidecar = sidecar.map_err(|error| cannot(&error))?;
            if sidecar.id.is_none() {
                return Err(cannot(
                    &"it does not say which asset it is about; `stockmill undo` has the former version",
                ));
            }
            let xmp = self.foreign_xmp(&folder, file)?;
            let resolved = self.resolve(&sidecar, xmp, moment)?;
            stale.extend(plan_refresh(&files.join(file), &path, &bytes, &sidecar, &resolved));
            let category = resolved.category.get(name.market.as_str()).map(|category| category.value.clone());
            assets.push(BundleAsset { file_name: file.to_owned(), meta: resolved.meta(), category });
        }
        Ok((assets, stale))
    }

    /// Returns the names in a folder of a bundle; none if it is not there.
    fn listed(&self, folder: &RelPath) -> Result<Vec<(std::ffi::OsString, Entry)>, Hold> {
        match self.disk().list(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed.map_err(|error| Hold::Waits(error.to_string())),
        }
    }

    /// Returns the tags of the foreign XMP sidecar that came along with a bundled file.
    pub(super) fn foreign_xmp(&self, folder: &RelPath, file: &str) -> Result<Option<Tags>, Hold> {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        for name in [format!("{file}.xmp"), format!("{stem}.xmp")] {
            let path = folder.join(name);
            let bytes = match self.disk().read(&path, RECORD_BYTES_MAX) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                read => read.map_err(|error| refused(&path, &error))?,
            };
            let cannot = |error: &dyn std::fmt::Display| Hold::Waits(format!("`{path}` cannot be read: {error}"));
            return crate::craft::read_xmp(&bytes).map(Some).map_err(|error| cannot(&error));
        }
        Ok(None)
    }

    pub(super) fn resolve(
        &mut self,
        sidecar: &Sidecar,
        xmp: Option<Tags>,
        moment: &Moment,
    ) -> Result<tags::Resolved, Hold> {
        let below = sidecar.origin.as_ref().and_then(|origin| crate::plan::theme_of_path(&origin.path).1);
        let theme = sidecar.theme.as_ref();
        let mut layers = self.layers(theme, below.as_ref(), Stage::Upload, moment)?;
        layers.extend(xmp.map(|xmp| (tags::Layer::Xmp, xmp)));
        layers.push((tags::Layer::Sidecar, sidecar.tags.clone()));
        Ok(tags::resolve(&layers))
    }

    /// Plans a bundle's manifest, and new metadata for files whose tags changed after they were bundled.
    pub(super) fn tend_bundle(&mut self, name: &BundleName, moment: &Moment) -> Result<Vec<Plan>, Hold> {
        let sent = is_sent(self.disk(), &name.folder()).map_err(|error| refused(&name.folder(), &error))?;
        let Some(market) = self.rules.markets.iter().find(|market| market.name == name.market).cloned() else {
            return Ok(Vec::new());
        };
        if sent {
            return Ok(Vec::new());
        }
        let (assets, mut plans) = self.bundle_assets(name, moment)?;
        let bytes = assets.iter().map(|asset| row_bytes(&market, &asset.row(&market))).sum();
        self.bundles.insert(name.clone(), Bundle { name: name.clone(), rows: assets.len(), bytes, sent });
        let paths = [name.folder().join(format!("{}.csv", market.name)), name.folder().join("CHECKLIST.md")];
        let [csv, checklist] = paths.map(|path| self.disk().read(&path, RECORD_BYTES_MAX).ok());
        let strangers = self.strangers(name, &assets)?;
        let manifest = plan_manifest(name, &market, &assets, &strangers, [csv.as_deref(), checklist.as_deref()]);
        plans.extend(manifest.map_err(|error| Hold::Waits(error.to_string()))?);
        Ok(plans)
    }
}

/// Returns why a tag file is not carried to the other stages, if it is not.
fn unsound(file: &TagFile, theme: &ThemeSlug, below: Option<&RelPath>, had_tags: bool) -> Option<(RelPath, String)> {
    let bytes = file.bytes.as_deref()?;
    let path = theme_folder(file.stage, theme, below).join("tags.yaml");
    if bytes.trim_ascii().is_empty() {
        return had_tags.then(|| (path.clone(), blank(&path)));
    }
    let error = read_mapping(bytes).err()?;
    Some((path, format!("it cannot be read: {error}; until it is mended, no other stage gets it")))
}

fn theme_folder(stage: Stage, theme: &ThemeSlug, below: Option<&RelPath>) -> RelPath {
    let folder = RelPath::new(stage.name()).expect("a stage's name is clean").join(theme.as_str());
    below.map_or_else(|| folder.clone(), |below| folder.join(below.as_path()))
}
