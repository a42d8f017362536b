//! What of an open bundle is not to be uploaded from there: its market has it, or its asset lies in the market's open bundles
//! more than once. A person copied a bundle or a file, or took the mark away from a bundle of which something went on mended.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::Decider;
use super::bundle_files::{RECORD_BYTES_MAX, bundle_names, lying};
use super::bundle_texts::BundleTexts;
use super::record_settle::refused;
use super::sending::record_of;
use crate::config::Settings;
use crate::model::{AssetId, ContentHash, MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName, Elsewhere, Hold, uploaded};
use crate::records::Sidecar;
use crate::service::ledger::{Ledger, Published, Went};
use crate::service::sent::{is_sent, place_of};
use crate::vault::Look;

/// Files with the same asset in the open bundles of one market, the one that is to be uploaded first.
pub(in crate::service) type Copies = Arc<[RelPath]>;

/// What is on record of what went to markets, and what lies in their open bundles, each read once when it is asked for.
#[derive(Debug)]
pub(in crate::service) struct Places {
    pub(in crate::service) went: Arc<Went>,
    published: Arc<Published>,
    markets: Mutex<BTreeMap<MarketName, Result<Arc<OfMarket>, Hold>>>,
}

/// What lies in the open bundles of a market.
#[derive(Debug, Default)]
struct OfMarket {
    /// The file of each asset that is to be uploaded.
    files: HashMap<AssetId, RelPath>,
    /// The files whose asset lies there more than once, or may do so.
    copies: BTreeMap<RelPath, Copies>,
}

/// A file of an open bundle.
struct Place {
    bundle: BundleName,
    file: RelPath,
    /// When the last step of its asset was, by its own sidecar; `None` if that cannot be read.
    last: Option<Timestamp>,
}

impl Decider {
    /// Returns what tells where else files of open bundles are, as they lie there from now on.
    pub(in crate::service) fn places(&self) -> Arc<Places> {
        Arc::new(Places::of(&self.ledger))
    }
}

impl Places {
    pub(in crate::service) fn of(ledger: &Ledger) -> Self {
        Self { went: ledger.went(), published: ledger.published(), markets: Mutex::default() }
    }

    /// Returns why a file of a bundle is not to be uploaded from there, if it is not; or why nobody can tell. `hash` is what it
    /// has as stockmill left it; `None` if a person changed it.
    pub(super) fn elsewhere(
        &self,
        (disk, settings): (&dyn Look, &Settings),
        (name, file): (&BundleName, &RelPath),
        asset: &AssetId,
        hash: Option<&ContentHash>,
    ) -> Result<Option<Elsewhere>, Hold> {
        if let Some(why) = self.went.why(name, asset, hash) {
            return Ok(Some(Elsewhere::Went(why)));
        }
        let market = self.of_market(disk, settings, &name.market)?;
        let first = market.copies.get(file).map(|copies| &copies[0]).or_else(|| market.files.get(asset));
        Ok(first.filter(|first| *first != file).map(|first| Elsewhere::Lies(lies(first, file, &name.market))))
    }

    /// Returns the files of a bundle whose assets lie in open bundles more than once, each with all of these.
    pub(in crate::service) fn copies(
        &self,
        disk: &dyn Look,
        settings: &Settings,
        name: &BundleName,
    ) -> Result<BTreeMap<RelPath, Copies>, Hold> {
        let (market, folder) = (self.of_market(disk, settings, &name.market)?, name.folder());
        let own = market.copies.iter().filter(|(file, _)| file.is_in(&folder));
        Ok(own.map(|(file, copies)| (file.clone(), copies.clone())).collect())
    }

    fn of_market(&self, disk: &dyn Look, settings: &Settings, market: &MarketName) -> Result<Arc<OfMarket>, Hold> {
        // Whoever panics leaves no half of an entry.
        let mut markets = self.markets.lock().unwrap_or_else(PoisonError::into_inner);
        let look = || self.look(disk, settings, market).map(Arc::new);
        markets.entry(market.clone()).or_insert_with(look).clone()
    }

    fn look(&self, disk: &dyn Look, settings: &Settings, market: &MarketName) -> Result<OfMarket, Hold> {
        let mut assets: HashMap<AssetId, Vec<Place>> = HashMap::new();
        let mut unknown: Vec<Place> = Vec::new();
        for bundle in bundle_names(disk, &settings.upload.markets).into_iter().filter(|name| name.market == *market) {
            let seen = |error| refused(&bundle.folder(), &error);
            let place = place_of(disk, &bundle).map_err(seen)?;
            if place.is_none_or(|place| BundleFolder::is_among_sent(&place))
                || is_sent(disk, &bundle.folder()).map_err(seen)?
            {
                continue;
            }
            let folder = BundleFolder::new(bundle.folder());
            for name in lying(disk, &folder)?.into_keys() {
                let sidecar = match disk.read(&folder.sidecar_of(&name), RECORD_BYTES_MAX) {
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    read => read.ok().and_then(|bytes| Sidecar::parse(&bytes).ok()),
                };
                let last = sidecar.as_ref().and_then(|sidecar| sidecar.history.last()).map(|happened| happened.at);
                let place = Place { bundle: bundle.clone(), file: folder.files().join(&name), last };
                match sidecar.and_then(|sidecar| sidecar.id) {
                    Some(id) => assets.entry(id).or_default().push(place),
                    None => unknown.push(place),
                }
            }
        }
        add_unknown(&mut assets, unknown);
        Ok(self.sorted(disk, assets))
    }

    /// Returns the files of each asset, the one that is to be uploaded first: the one that went on last, then one that was
    /// uploaded already, then one that a plan put there, then the first one by day and by the length of its name, since a copy
    /// has mostly the longer one.
    fn sorted(&self, disk: &dyn Look, assets: HashMap<AssetId, Vec<Place>>) -> OfMarket {
        let (mut market, mut lists) = (OfMarket::default(), BTreeMap::new());
        for (asset, mut places) in assets {
            if places.len() > 1 {
                let is_known = places.iter().all(|place| place.last.is_some());
                places.sort_by_cached_key(|Place { bundle, file, last }| {
                    let is_uploaded = is_uploaded(disk, &mut lists, bundle, file);
                    let name = file.file_text();
                    let is_known_place = self.published.has(file);
                    let last = last.filter(|_| is_known);
                    (Reverse((last, is_uploaded, is_known_place)), bundle.clone(), name.len(), name)
                });
            }
            let files: Copies = places.into_iter().map(|place| place.file).collect();
            if files.len() > 1 {
                market.copies.extend(files.iter().map(|file| (file.clone(), files.clone())));
            }
            market.files.insert(asset, files[0].clone());
        }
        market
    }
}

/// Returns those of these files of a bundle that are not to be uploaded from there.
pub(in crate::service) fn elsewhere_in(
    disk: &dyn Look,
    settings: &Settings,
    places: &Places,
    name: &BundleName,
    files: impl IntoIterator<Item = RelPath>,
) -> Result<BTreeMap<RelPath, Elsewhere>, Hold> {
    let mut all = BTreeMap::new();
    for file in files {
        let Some(bundle) = BundleFolder::of(&file) else { continue };
        let Ok(sidecar) = record_of(disk, &bundle, &file.file_text()) else { continue };
        let hash = disk.hash(&file).ok();
        let left = sidecar.file.map(|left| left.hash).filter(|left| hash.as_ref() == Some(left));
        let elsewhere = |id| places.elsewhere((disk, settings), (name, &file), id, left.as_ref());
        let elsewhere = sidecar.id.as_ref().map(elsewhere).transpose()?.flatten();
        all.extend(elsewhere.map(|elsewhere| (file.clone(), elsewhere)));
    }
    Ok(all)
}

/// Adds files whose sidecars do not tell their asset to that of a file with their name: a market gets each name once.
fn add_unknown(assets: &mut HashMap<AssetId, Vec<Place>>, unknown: Vec<Place>) {
    if unknown.is_empty() {
        return;
    }
    let places = assets.iter().flat_map(|(id, places)| places.iter().map(move |place| (place.file.file_text(), id)));
    let named: HashMap<String, AssetId> = places.map(|(name, id)| (name, id.clone())).collect();
    for place in unknown {
        if let Some(places) = named.get(&place.file.file_text()).and_then(|id| assets.get_mut(id)) {
            places.push(Place { last: None, ..place });
        }
    }
}

/// Returns whether a person ticked that a file was uploaded, as far as its bundle's list tells.
fn is_uploaded(
    disk: &dyn Look,
    lists: &mut BTreeMap<BundleName, BTreeSet<String>>,
    bundle: &BundleName,
    file: &RelPath,
) -> bool {
    let read = || {
        let texts = BundleTexts::read(disk, bundle, &bundle.folder());
        texts.map(|texts| uploaded(&texts.existing())).unwrap_or_default()
    };
    lists.entry(bundle.clone()).or_insert_with(read).contains(&file.file_text())
}

/// Returns why a file is not to be uploaded whose asset goes to its market as another file.
fn lies(first: &RelPath, file: &RelPath, market: &MarketName) -> String {
    let (folder, name) = (BundleFolder::of(first).map(|bundle| bundle.path().clone()), first.file_text());
    let renamed = if name == file.file_text() { String::new() } else { format!(", as `{name}`") };
    let folder = folder.filter(|folder| !file.is_in(folder));
    match folder {
        Some(folder) => {
            format!("its asset lies in `{folder}` too{renamed}, and goes to {market} from there: delete this one here")
        }
        None => format!("its asset lies here too{renamed}, and goes to {market} so: delete this one"),
    }
}
