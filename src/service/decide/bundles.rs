//! What lies in bundles: their assets with the tags that these have today.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::sync::Arc;

use super::Decider;
use super::as_left::{Care, is_as_left};
use super::bundle_files::{Lying, RECORD_BYTES_MAX, bundle_names, lying};
use super::elsewhere::Places;
use super::foreign_xmp::foreign_xmp;
use super::moved_inside::left_as_it_is;
use super::parts::parts_of;
use super::record_settle::{refused, together};
use super::renamed::{RENAMED, renamed_in, why_renamed};
use super::sending::record_of;
use super::tags::SharedTags;
use crate::config::Settings;
use crate::intake::Now;
use crate::market::{Fitted, Market, fit, left_out_words, lint_fitted};
use crate::model::{ContentHash, Kind, RelPath, Stage, ThemeSlug};
use crate::plan::{
    Bundle, BundleAsset, BundleFolder, BundleName, Elsewhere, Hold, Plan, Product, Recipe, plan_refresh,
};
use crate::records::{PublishMode, Sidecar};
use crate::service::clock::Moment;
use crate::service::sent::{is_sent, place_of};
use crate::vault::Look;
use crate::vault::own_names::HOME;

/// A look into bundles.
pub(super) struct Bundles<'a> {
    pub(super) disk: &'a dyn Look,
    pub(super) settings: &'a Settings,
    pub(super) tags: &'a mut SharedTags,
    pub(super) places: Arc<Places>,
    pub(super) now: Now,
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
    /// The name of each file as stockmill left it, by its bytes; read once a person changed one.
    left: Option<HashMap<ContentHash, String>>,
}

impl Bundles<'_> {
    /// Returns the files of a bundle with their tags as they resolve today, and the sidecars whose
    /// files carry older tags. A row that is left out because of a passing error would be a file that is never sold: what
    /// nobody can tell of one file is an error for all.
    pub(super) fn assets(&mut self, name: &BundleName) -> Result<Inside, Hold> {
        let mut inside = Inside::default();
        let bundle = self.folder(name)?;
        self.is_whole(&bundle)?;
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

    /// Returns why an open bundle stays as it is, if a person gave it the name of another market's, or moved files within it. In one
    /// that was sent nothing changes.
    pub(super) fn is_whole(&self, bundle: &BundleFolder) -> Result<(), Hold> {
        match left_as_it_is(self.disk, self.settings, bundle.path())? {
            Some(hold) if !is_sent(self.disk, bundle.path()).unwrap_or(false) => Err(hold),
            _ => Ok(()),
        }
    }

    /// Returns the files of a bundle that have a sidecar, by name, as they lie there.
    pub(super) fn files(&self, bundle: &BundleFolder) -> Result<BTreeMap<String, Lying>, Hold> {
        lying(self.disk, bundle)
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
        let by_hand = self.by_hand(&files.join(file), lying, &sidecar, care);
        let is_retouched = by_hand.is_some();
        if is_retouched {
            inside.retouched.push(files.join(file));
        } else {
            inside.stale.extend(refresh);
        }
        let left = sidecar.file.as_ref().filter(|_| !is_retouched).map(|left| left.hash.clone());
        let left = left.map(|hash| self.got(name, bundle, file, &sidecar, &hash)).transpose()?;
        let (asset, at) = (sidecar.id.as_ref(), files.join(file));
        let elsewhere = |id| self.places.elsewhere(self.disk, (name, &at), id, left.as_ref());
        let elsewhere = asset.map(elsewhere).transpose()?.flatten();
        let elsewhere = elsewhere.or_else(|| self.misnamed(bundle, file, by_hand.as_ref()?, inside));
        let parts = parts_of((self.disk, &self.tags.insides), bundle, file, &sidecar, Care::Times)?.parts;
        sidecar.theme.into_iter().for_each(|theme| *inside.themes.entry(theme).or_default() += 1);
        let is_tagged = sidecar.file.as_ref().is_some_and(|file| file.embedded.is_some());
        let version = by_hand.as_ref().or(sidecar.file.as_ref().map(|file| &file.hash));
        let version = version.map(ContentHash::short).unwrap_or_default();
        let version = parts.iter().fold(version, |version, parts| parts.version(version));
        let video = sidecar.video;
        let is_document = sidecar.origin.as_ref().is_some_and(|origin| origin.kind == Kind::Document);
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
            is_document,
            is_retouched,
            private: sidecar.private,
            parts,
            against: None,
            elsewhere,
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
            return Err(cannot(
                &"it does not say which asset it is about; put it back as it was, or take the file out of its bundle",
            ));
        }
        Ok(Some((bytes, sidecar)))
    }

    /// Returns the bytes of a file that a person changed since it was bundled: nobody knows what that is then. Of what cannot be
    /// read it is told that it cannot be measured.
    fn by_hand(&self, file: &RelPath, lying: &Lying, sidecar: &Sidecar, care: Care) -> Option<ContentHash> {
        let left = sidecar.file.as_ref()?;
        let is_left = is_as_left(self.disk, file, lying.file.identity, left, care).unwrap_or(true);
        if is_left { None } else { self.disk.hash(file).ok() }
    }

    /// Returns that a file which a person changed is another one of its bundle, as stockmill left that: its row would be about what
    /// it is not.
    fn misnamed(
        &self,
        bundle: &BundleFolder,
        file: &str,
        hash: &ContentHash,
        inside: &mut Inside,
    ) -> Option<Elsewhere> {
        let left = inside.left.get_or_insert_with(|| {
            let names = self.files(bundle).unwrap_or_default().into_keys();
            let left = names.filter_map(|name| Some((record_of(self.disk, bundle, &name).ok()?.file?.hash, name)));
            left.collect()
        });
        let other = left.get(hash).filter(|other| *other != file)?;
        let told = format!("it is `{other}`, as that was left here, so that its row would be about another file");
        Some(Elsewhere::Misnamed(format!("{told}; give the files their names back")))
    }

    /// Returns a folder of a bundle's day that holds what bundles hold and has a name of none: a person renamed it. One that is
    /// marked as sent may be on record.
    pub(super) fn renamed(&self, name: &BundleName) -> Option<RelPath> {
        let folders = renamed_in(self.disk, &self.settings.upload, &name.folder().parent()?).into_iter();
        let mut nameless =
            folders.filter(|folder| why_renamed(self.disk, &self.settings.upload, folder) == Some(RENAMED));
        nameless.find(|folder| !is_sent(self.disk, folder).unwrap_or(true))
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
        // A folder that a person gave the name of another market's has that for itself.
        let upload = &self.settings.upload;
        let renamed = renamed_in(disk, upload, &Stage::Upload.folder().join(today.to_string())).into_iter();
        let renamed = renamed.filter_map(|folder| BundleName::of(&folder));
        let renamed: Vec<BundleName> = renamed.filter(|name| upload.market(&name.market).is_some()).collect();
        let known = self.upload.bundles.values().filter(|bundle| bundle.name.day == today);
        let known = known.filter(|bundle| !renamed.contains(&bundle.name) && !self.is_lost(&bundle.name));
        // What was sent has its name for ever, wherever its folder is; so has what nobody knows whether it was sent.
        let is_gone = |name: &BundleName| name.day == today && !self.upload.bundles.contains_key(name);
        let sent = self.ledger.sent_bundles().filter(|(name, _)| is_gone(name));
        let sent = sent.map(|(name, rows)| (name, Some(rows)));
        let lost = self.ledger.joined_bundles().skip_while(|name| name.day > today);
        let lost = lost.take_while(|name| name.day == today).filter(|name| self.is_lost(name)).map(|name| (name, None));
        let renamed_away = renamed.iter().map(|name| (name, None));
        let away = sent.chain(lost).chain(renamed_away).map(|(name, rows)| Bundle {
            name: name.clone(),
            rows,
            themes: BTreeMap::new(),
            sent: true,
        });
        known.cloned().chain(away).collect()
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
        let places = self.places();
        let (disk, settings) = (self.vault.disk(), &*self.settings);
        let names = bundle_names(disk, &settings.upload.markets).into_iter();
        // What lies in older ones counts for the limits of a market.
        let is_any_meant = !settings.upload.day.is_off();
        for name in names.filter(|name| is_any_meant || name.day == now.local.date()) {
            let (places, now) = (places.clone(), now.for_settle());
            let mut look = Bundles { disk, settings, tags: &mut self.tags, places, now };
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
