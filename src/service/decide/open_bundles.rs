//! Bundles that are not sent: what their markets would refuse today, and files in them that a person renamed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read as _};

use super::Decider;
use super::bundles::{Bundles, RECORD_BYTES_MAX, bundle_names, foreign_xmp, listed};
use super::record_settle::refused;
use crate::config::Settings;
use crate::craft;
use crate::intake::Now;
use crate::market::{Candidate, check, fit};
use crate::model::{ContentHash, Kind, MarketName, RelPath, Size, Stage};
use crate::plan::{BundleAsset, BundleFolder, BundleName, Hold, Plan, plan_name_back};
use crate::records::{SIDECAR_SUFFIX, Sidecar};
use crate::service::sent::is_sent;
use crate::vault::{DiskResult, Look, What};

/// What is told of a bundle that is not sent and whose market the settings do not name.
pub(in crate::service) const UNNAMED: &str = "the settings do not name its market any more: nothing joins it, and no \
                                              changed tags reach it; name the market under `upload.markets` again, or send \
                                              it as it is";

/// How a bundle that is not sent stands.
#[derive(Debug)]
pub(in crate::service) struct OpenBundle {
    pub(in crate::service) folder: RelPath,
    /// The files that its market would refuse today, each with why; or why nobody can tell what lies in it.
    pub(in crate::service) refused: Result<Vec<(RelPath, String)>, Hold>,
    /// The files that further markets would take today, each with what comes of that.
    pub(in crate::service) taken: Vec<(RelPath, String)>,
}

/// The colours of a bundled file were looked at when it was bundled, and all markets take these.
const LOOKED_AT: Option<crate::model::Colours> = Some(crate::model::Colours::SRGB);

impl Decider {
    /// Returns how each bundle that is not sent stands.
    pub(in crate::service) fn open_bundles(&mut self, now: Now) -> Vec<OpenBundle> {
        let (disk, settings) = (self.vault.disk(), &*self.settings);
        let names = bundle_names(disk, &settings.upload.markets).into_iter();
        let open: BTreeSet<BundleName> = names.filter(|name| !is_sent(disk, &name.folder()).unwrap_or(false)).collect();
        let markets: Vec<MarketName> = settings.upload.markets.iter().map(|market| market.name.clone()).collect();
        let mut owed = if markets.len() < 2 { BTreeMap::new() } else { self.ledger.owed(&open, &markets) };
        let unnamed = unnamed(disk, settings).into_iter().map(|folder| OpenBundle {
            folder,
            refused: Err(Hold::Waits(UNNAMED.to_owned())),
            taken: Vec::new(),
        });
        let mut look = Bundles { disk, settings, tags: &mut self.tags, now };
        let open = open.into_iter().map(|name| {
            let owed = owed.remove(&name).unwrap_or_default();
            OpenBundle { folder: name.folder(), refused: look.refused(&name), taken: look.taken(&name, &owed) }
        });
        open.chain(unnamed).collect()
    }
}

/// Returns the bundles that are not sent and whose market the settings do not name any more.
fn unnamed(disk: &dyn Look, settings: &Settings) -> Vec<RelPath> {
    let top = Stage::Upload.folder();
    let folders = |at: &RelPath| {
        let listed = disk.list(at).unwrap_or_default().into_iter();
        listed.filter(|(_, entry)| entry.what == What::Folder).map(|(name, _)| at.join(name)).collect::<Vec<_>>()
    };
    let is_unnamed = |folder: &RelPath| {
        BundleName::of(folder).is_some_and(|name| settings.upload.market(&name.market).is_none())
            && matches!(disk.stat(&BundleFolder::new(folder.clone()).sidecars()), Ok(Some(_)))
            && !is_sent(disk, folder).unwrap_or(false)
    };
    folders(&top).iter().flat_map(folders).filter(is_unnamed).collect()
}

impl Bundles<'_> {
    /// Returns the files of a bundle that its market would refuse by its rules of today, each with why.
    fn refused(&mut self, name: &BundleName) -> Result<Vec<(RelPath, String)>, Hold> {
        let inside = self.assets(name)?;
        let Some(market) = self.market(name) else { return Ok(Vec::new()) };
        let files = BundleFolder::new(name.folder()).files();
        let why = |asset: BundleAsset| {
            let path = files.join(&asset.file_name);
            let (kind, size, bytes) = measured(self.disk, &path).ok()??;
            let BundleAsset { fitted, category, video, .. } = asset;
            let (colours, meta) = (LOOKED_AT, fitted.meta);
            let reasons = check(market, &Candidate { kind, size, video, bytes, colours, meta, category });
            (!reasons.is_empty()).then(|| (path, reasons.join("; ")))
        };
        Ok(inside.assets.into_iter().filter_map(why).collect())
    }

    /// Returns the files of a bundle that markets would take today which lack them. Of one that cannot be read, its bundle
    /// tells.
    fn taken(&mut self, name: &BundleName, owed: &BTreeMap<String, Vec<MarketName>>) -> Vec<(RelPath, String)> {
        let bundle = BundleFolder::new(name.folder());
        let mut taken = Vec::new();
        for (file, lacking) in owed {
            let path = bundle.files().join(file);
            let read = self.disk.read(&bundle.sidecar_of(file), RECORD_BYTES_MAX).ok();
            let Some(sidecar) = read.and_then(|bytes| Sidecar::parse(&bytes).ok()) else { continue };
            let Ok(xmp) = foreign_xmp(self.disk, &bundle.sidecars(), file) else { continue };
            let tags = self.tags.of_bundled(self.disk, self.settings, &sidecar, xmp, self.now);
            let (Ok(tags), Ok(Some((kind, size, bytes)))) = (tags, measured(self.disk, &path)) else { continue };
            let would_take = |market: &&MarketName| {
                let Some(market) = self.settings.upload.market(market) else { return false };
                let category = tags.category.get(market.name.as_str()).map(|category| category.value.clone());
                let meta = fit(market, &tags.meta()).meta;
                let (video, colours) = (sidecar.video.clone(), LOOKED_AT);
                let candidate = Candidate { kind, size, video, bytes, colours, meta, category };
                !kind.is_model() && check(market, &candidate).is_empty()
            };
            let markets: Vec<&str> = lacking.iter().filter(would_take).map(MarketName::as_str).collect();
            if !markets.is_empty() {
                let is_limited = !self.settings.upload.day.is_off();
                let limited = if is_limited { ", as far as `upload` in the settings leaves room for it" } else { "" };
                let markets = markets.join(" and ");
                taken.push((
                    path,
                    format!("{markets} would take it now, and gets it when the daemon looks at its bundle{limited}"),
                ));
            }
        }
        taken
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

/// Returns what a market measures of a file; `None` if it is not there or of no kind.
fn measured(disk: &dyn Look, path: &RelPath) -> DiskResult<Option<(Kind, Option<Size>, u64)>> {
    let Some(entry) = disk.stat(path)?.filter(|entry| entry.what == What::File) else { return Ok(None) };
    let mut head = Vec::new();
    let unread = |source| crate::vault::DiskError { call: "read", path: path.clone(), source };
    disk.open_as(path, entry.identity)?.take(craft::HEAD_BYTES as u64).read_to_end(&mut head).map_err(unread)?;
    let Some(kind) = craft::sniff(&head, &path.extension()) else { return Ok(None) };
    let size = if kind.is_image() { craft::size(&head, kind).ok() } else { None };
    Ok(Some((kind, size, entry.identity.size)))
}
