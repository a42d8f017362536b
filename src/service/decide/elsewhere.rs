//! What of an open bundle is not to be uploaded from there: its market has it, or its asset lies in the market's open bundles
//! more than once. A person copied a bundle or a file, or took the mark away from a bundle of which something went on mended.

use std::cell::{OnceCell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::Decider;
use super::bundle_files::{Lying, RECORD_BYTES_MAX, all_names, lying};
use super::bundle_texts::BundleTexts;
use super::read_sidecars::{ReadSidecars, Sidecars};
use super::record_settle::refused;
use crate::config::Settings;
use crate::model::{AssetId, MarketName, RelPath};
use crate::plan::{BundleFolder, BundleName, Bundled, Elsewhere, Hold, uploaded};
use crate::records::{Deliveries, Got, Sidecar};
use crate::service::ledger::{Ledger, Published, Went};
use crate::service::sent::{is_sent, place_of};
use crate::vault::{Look, read_delivery_log};

/// Files with the same asset in the open bundles of one market, the one that is to be uploaded first.
pub(in crate::service) type Copies = Arc<[RelPath]>;

/// The files of a market whose assets lie in its open bundles more than once.
pub(in crate::service) type CopiesOf = BTreeMap<RelPath, Copies>;

/// What is on record of what went to markets, and what lies in their open bundles, each read once when it is asked for.
#[derive(Debug)]
pub(in crate::service) struct Places {
    pub(in crate::service) went: Arc<Went>,
    published: Arc<Published>,
    sidecars: Arc<ReadSidecars>,
    markets: Mutex<BTreeMap<MarketName, Result<Arc<OfMarket>, Hold>>>,
}

/// What lies in the open bundles of a market.
#[derive(Debug, Default)]
struct OfMarket {
    /// The file of each asset that is to be uploaded.
    files: HashMap<AssetId, RelPath>,
    /// The files whose asset lies there more than once, or may do so.
    copies: CopiesOf,
}

/// A file of an open bundle.
#[derive(Clone)]
struct Place {
    bundle: BundleName,
    file: RelPath,
    /// When the last step of its asset was, by its own sidecar; `None` if that cannot be read.
    last: Option<Timestamp>,
}

impl Decider {
    /// Returns what tells where else files of open bundles are, as they lie there from now on.
    pub(in crate::service) fn places(&self) -> Arc<Places> {
        if let Some(places) = &self.upload.places {
            return places.clone();
        }
        Arc::new(Places { sidecars: self.upload.sidecars.clone(), ..Places::of(&self.ledger) })
    }

    /// Returns whether a market may have a file of a name from another bundle than that in which it is to lie, as the lists of its
    /// bundles and the record of deliveries tell: to be deleted there is the one, and to be uploaded the other.
    pub(super) fn is_up_from_another(&self, file: &RelPath) -> bool {
        let (Some(bundle), name) = (BundleName::of(file), file.file_text()) else { return false };
        if !self.ledger.has_named(&bundle.market, &name) {
            return false;
        }
        let (published, uploaded) = (self.ledger.published(), Uploaded::new(self.disk()));
        let others = self.ledger.joined_bundles().filter(|other| other.market == bundle.market && **other != bundle);
        let mut others = others.map(|other| (other, BundleFolder::new(other.folder()).files().join(&name)));
        others.any(|(other, file)| published.has(&file) && uploaded.may_have(other, &file))
    }

    /// Returns what markets may have of an asset out of bundles from which it was taken back: its list says that it was uploaded,
    /// and not that it was deleted there, or nobody can read that. Of markets that `has_more` it is known otherwise.
    pub(super) fn still_up(
        &self,
        ids: &[&AssetId],
        has_more: &dyn Fn(&MarketName) -> bool,
    ) -> Vec<(MarketName, Bundled)> {
        let uploaded = Uploaded::new(self.disk());
        let left = self.ledger.joined_by(ids).filter(|bundle| !has_more(&bundle.market));
        let up = left.filter_map(|bundle| {
            let files = BundleFolder::new(bundle.folder()).files();
            let (up, is_known) = uploaded.of(bundle);
            let up = up.into_iter().map(|name| files.join(name)).find(|file| self.ledger.had_name(file, ids));
            let unknown = || {
                let of = format!(
                    "nobody can read what was uploaded of `{}`, out of which it was taken back",
                    bundle.folder()
                );
                Bundled::Unknown(format!(
                    "{of}: put its list and the record of deliveries back as files that can be read"
                ))
            };
            Some((bundle.market.clone(), up.map(Bundled::StillUp).or_else(|| (!is_known).then(unknown))?))
        });
        up.collect()
    }

    /// Takes it that whoever asks from now on only looks: one look tells how things lie.
    pub(in crate::service) fn look_at_places_once(&mut self) {
        self.upload.places = Some(self.places());
    }
}

impl Places {
    pub(in crate::service) fn of(ledger: &Ledger) -> Self {
        let (went, published) = (ledger.went(), ledger.published());
        Self { went, published, sidecars: Arc::default(), markets: Mutex::default() }
    }

    /// Returns why a file of a bundle is not to be uploaded from there, if it is not; or why nobody can tell. `left` is what its
    /// market gets of it as stockmill left it; `None` if a person changed it.
    pub(super) fn elsewhere(
        &self,
        disk: &dyn Look,
        (name, file): (&BundleName, &RelPath),
        asset: &AssetId,
        left: Option<&Got>,
    ) -> Result<Option<Elsewhere>, Hold> {
        if let Some(why) = self.went.why(name, asset, left) {
            return Ok(Some(Elsewhere::Went(why)));
        }
        let market = self.of_market(disk, &name.market)?;
        let first = market.copies.get(file).map(|copies| &copies[0]).or_else(|| market.files.get(asset));
        Ok(first.filter(|first| *first != file).map(|first| Elsewhere::Lies(lies(first, file, &name.market))))
    }

    /// Returns the files of a bundle whose assets lie in open bundles more than once, each with all of these.
    pub(in crate::service) fn copies(&self, disk: &dyn Look, name: &BundleName) -> Result<CopiesOf, Hold> {
        let (market, folder) = (self.of_market(disk, &name.market)?, name.folder());
        let own = market.copies.iter().filter(|(file, _)| file.is_in(&folder));
        Ok(own.map(|(file, copies)| (file.clone(), copies.clone())).collect())
    }

    /// Returns all such files of these markets; nothing of one where that cannot be told.
    pub(in crate::service) fn of_markets(
        &self,
        disk: &dyn Look,
        settings: &Settings,
        markets: BTreeSet<MarketName>,
    ) -> BTreeMap<MarketName, CopiesOf> {
        let named = markets.into_iter().filter(|market| settings.upload.market(market).is_some());
        let seen = |market: MarketName| {
            let copies = self.of_market(disk, &market).ok()?.copies.clone();
            Some((market, copies))
        };
        named.filter_map(seen).collect()
    }

    fn of_market(&self, disk: &dyn Look, market: &MarketName) -> Result<Arc<OfMarket>, Hold> {
        // Whoever panics leaves no half of an entry.
        let mut markets = self.markets.lock().unwrap_or_else(PoisonError::into_inner);
        let look = || self.look(disk, market).map(Arc::new);
        markets.entry(market.clone()).or_insert_with(look).clone()
    }

    fn look(&self, disk: &dyn Look, market: &MarketName) -> Result<OfMarket, Hold> {
        let mut assets: HashMap<AssetId, Vec<Place>> = HashMap::new();
        let mut unknown: Vec<Place> = Vec::new();
        let (known, mut read) = (self.sidecars.of(market), Sidecars::default());
        let names = all_names(disk).map_err(|error| Hold::Waits(error.to_string()))?;
        for bundle in names.into_iter().filter(|name| name.market == *market) {
            let seen = |error| refused(&bundle.folder(), &error);
            let place = place_of(disk, &bundle).map_err(seen)?;
            if place.is_none_or(|place| BundleFolder::is_among_sent(&place))
                || is_sent(disk, &bundle.folder()).map_err(seen)?
            {
                continue;
            }
            let folder = BundleFolder::new(bundle.folder());
            for (name, Lying { record, .. }) in lying(disk, &folder)? {
                let path = folder.sidecar_of(&name);
                let said = match known.get(&path, &record) {
                    Some((asset, last)) => Some((Some(asset), last)),
                    None => match disk.read(&path, RECORD_BYTES_MAX) {
                        Err(error) if error.kind() == ErrorKind::NotFound => continue,
                        bytes => bytes.ok().and_then(|bytes| Sidecar::parse(&bytes).ok()).map(says),
                    },
                };
                let (asset, last) = said.unwrap_or_default();
                let place = Place { bundle: bundle.clone(), file: folder.files().join(&name), last };
                match asset {
                    Some(asset) => {
                        read.add(&path, &record, &asset, last);
                        assets.entry(asset).or_default().push(place);
                    }
                    None => unknown.push(place),
                }
            }
        }
        self.sidecars.keep(market, read);
        add_unknown(&mut assets, unknown);
        Ok(self.sorted(&Uploaded::new(disk), assets))
    }

    /// Returns the files of each asset, the one that is to be uploaded first.
    fn sorted(&self, uploaded: &Uploaded<'_>, assets: HashMap<AssetId, Vec<Place>>) -> OfMarket {
        let mut market = OfMarket::default();
        for (asset, mut places) in assets {
            if places.len() > 1 {
                places = self.in_order(uploaded, &asset, places);
            }
            let files: Copies = places.into_iter().map(|place| place.file).collect();
            if files.len() > 1 {
                market.copies.extend(files.iter().map(|file| (file.clone(), files.clone())));
            }
            market.files.insert(asset, files[0].clone());
        }
        market
    }

    /// Sorts the files of an asset: first is one that the market does not have already, or refused, then the one that went on
    /// last, then one that was uploaded already, then one that a plan put there, then the first one by day and by the length of its
    /// name, since a copy has mostly the longer one. One of which nobody can tell when it went on stands before those of which that is
    /// known only if it was uploaded, or put there, and the first of them was not.
    fn in_order(&self, uploaded: &Uploaded<'_>, asset: &AssetId, places: Vec<Place>) -> Vec<Place> {
        let rank = |place: &Place| {
            let is_known_place = self.published.has(&place.file);
            let is_known = (uploaded.has(&place.bundle, &place.file), is_known_place);
            (self.went_as(uploaded.disk, asset, place), Reverse(is_known))
        };
        let by_last = |places: &mut Vec<Place>| {
            places.sort_by_cached_key(|place| {
                let ((went, is_known), name) = (rank(place), place.file.file_text());
                (went, Reverse(place.last), is_known, place.bundle.clone(), name.len(), name)
            });
        };
        let (mut known, mut unknown): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| place.last.is_some());
        by_last(&mut known);
        by_last(&mut unknown);
        let is_before = match (unknown.first(), known.first()) {
            (Some(unknown), Some(known)) => rank(unknown) < rank(known),
            _ => known.is_empty(),
        };
        if is_before { [unknown, known].concat() } else { [known, unknown].concat() }
    }

    /// Returns whether the market has what a file is, or refused it.
    fn went_as(&self, disk: &dyn Look, asset: &AssetId, Place { bundle, file, .. }: &Place) -> bool {
        if self.went.why(bundle, asset, None).is_some() {
            return true;
        }
        let record = BundleFolder::of(file).map(|folder| folder.sidecar_of(file.file_name()));
        let sidecar = record.and_then(|record| Sidecar::parse(&disk.read(&record, RECORD_BYTES_MAX).ok()?).ok());
        // What its row says is no matter here: of copies the one that is left as it was refused goes last.
        let left = sidecar.and_then(|sidecar| sidecar.file).map(|left| Got { hash: left.hash, row: None });
        let Some(left) = left else { return false };
        self.went.why(bundle, asset, Some(&left)).is_some() && disk.hash(file).is_ok_and(|hash| hash == left.hash)
    }
}

/// Returns which asset a sidecar says that its file is, and when that had its last step.
fn says(sidecar: Sidecar) -> (Option<AssetId>, Option<Timestamp>) {
    let last = sidecar.history.last().map(|happened| happened.at);
    (sidecar.id, last)
}

/// Adds files whose sidecars do not tell their asset to that of a file with their name: a market gets each name once.
fn add_unknown(assets: &mut HashMap<AssetId, Vec<Place>>, unknown: Vec<Place>) {
    if unknown.is_empty() {
        return;
    }
    let mut named: HashMap<String, Vec<Place>> = HashMap::new();
    for place in unknown {
        named.entry(place.file.file_text()).or_default().push(Place { last: None, ..place });
    }
    for places in assets.values_mut() {
        let names: BTreeSet<String> = places.iter().map(|place| place.file.file_text()).collect();
        places.extend(names.iter().filter_map(|name| named.get(name)).flatten().cloned());
    }
}

/// What was uploaded from open bundles, as far as their lists and the record of deliveries tell; read when it is asked for.
struct Uploaded<'a> {
    disk: &'a dyn Look,
    deliveries: OnceCell<Option<Deliveries>>,
    /// The files of each bundle, and whether all that tells of them could be read.
    bundles: RefCell<BTreeMap<BundleName, (BTreeSet<String>, bool)>>,
}

impl<'a> Uploaded<'a> {
    fn new(disk: &'a dyn Look) -> Self {
        Self { disk, deliveries: OnceCell::new(), bundles: RefCell::default() }
    }

    fn has(&self, bundle: &BundleName, file: &RelPath) -> bool {
        self.told(bundle, file).0
    }

    fn may_have(&self, bundle: &BundleName, file: &RelPath) -> bool {
        let (is_up, is_known) = self.told(bundle, file);
        is_up || !is_known
    }

    fn told(&self, bundle: &BundleName, file: &RelPath) -> (bool, bool) {
        let mut bundles = self.bundles.borrow_mut();
        let (files, is_known) = bundles.entry(bundle.clone()).or_insert_with(|| self.of(bundle));
        (files.contains(&file.file_text()), *is_known)
    }

    fn of(&self, bundle: &BundleName) -> (BTreeSet<String>, bool) {
        let place = place_of(self.disk, bundle).ok().flatten().unwrap_or_else(|| bundle.folder());
        let texts = BundleTexts::read(self.disk, bundle, &place).ok();
        let deliveries = self.deliveries.get_or_init(|| read_delivery_log(self.disk).ok());
        let is_known = texts.is_some() && deliveries.is_some();
        let ticked = texts.map(|texts| uploaded(&texts.existing())).unwrap_or_default();
        let files = bundle.folder().join("files");
        let delivered =
            deliveries.iter().flat_map(|known| known.delivered_in(&files)).map(|(file, _)| file.file_text());
        (ticked.into_iter().chain(delivered).collect(), is_known)
    }
}

/// Returns why a file is not to be uploaded whose asset goes to its market as another file. That one may have no row either: then
/// one of the two has to go as well.
fn lies(first: &RelPath, file: &RelPath, market: &MarketName) -> String {
    let (folder, name) = (BundleFolder::of(first).map(|bundle| bundle.path().clone()), first.file_text());
    let renamed = if name == file.file_text() { String::new() } else { format!(", as `{name}`") };
    let folder = folder.filter(|folder| !file.is_in(folder));
    match folder {
        Some(folder) => {
            format!(
                "its asset lies in `{folder}` too{renamed}, and goes to {market} once, from there: delete this one here, or \
                 that one"
            )
        }
        None => {
            format!("its asset lies here too{renamed}, and goes to {market} once, so: delete this one, or that one")
        }
    }
}
