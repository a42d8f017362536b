//! Bundled files that further markets take by now, since tags, settings, profiles or the room at a market changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::as_left::{Care, is_as_left};
use super::bundle_files::RECORD_BYTES_MAX;
use super::bundles::Bundles;
use super::foreign_xmp::found_xmp;
use super::parts::{PartsOf, parts_of};
use super::record_settle::refused;
use super::{Decider, Here, limits};
use crate::intake::Found;
use crate::make::{MakeError, inspect_bundled, lies_in_archive, seems_in_archive};
use crate::market::{Candidate, Fitted, fit};
use crate::model::{AssetId, Identity, MarketName, RelPath, Stage, ThemeSlug};
use crate::plan::tags::Resolved;
use crate::plan::{
    Arrival, BundleFolder, BundleName, Companion, Context, Facts, Hold, Plan, Said, Taken, ask_markets, how_taken,
    is_finished_of, is_own_file, may_be_made, plan_offer, theme_of_path,
};
use crate::records::Sidecar;
use crate::service::ledger::Lacks;
use crate::service::sent::{is_sent, place_of};
use crate::vault::{Entry, What};

/// Why a file is offered to nobody that a person changed.
const CHANGED: &str = "it was changed by hand since it was bundled, and nobody looked at what it is now; put it into `raw`, \
                       and it is a picture of its own";

/// Why a model goes to further markets only if all its parts are there.
const MODEL: &str = "a model goes to a further market by itself only if all that it names lies in its bundle";

/// What a person may do for a model of which nobody can tell what it names.
const BY_HAND: &str = "if a market takes such, upload it there by hand, with its parts from `archive`";

/// Why a file is not offered to a market again.
const TAKEN_BACK: &str = "that it was bundled for a further market was undone; it is offered again once you say `stockmill release \
                          upload`, or a file of it in an open bundle has other tags";

/// The files of bundles that not every market got, by bundle and name.
pub(in crate::service) type Owed = BTreeMap<BundleName, BTreeMap<String, Lacks>>;

/// What a look for files that further markets take showed.
#[derive(Debug, Default)]
pub(in crate::service) struct Offers {
    /// What is known of each file that one of them takes, with the markets that lack it.
    pub(in crate::service) files: Vec<(Facts, Vec<MarketName>)>,
    /// The themes of all that a market lacks.
    pub(in crate::service) themes: BTreeSet<ThemeSlug>,
    /// How many files a market lacks.
    pub(in crate::service) lacking: usize,
}

/// A file of a bundle that markets lack.
struct Lacking {
    theme: Option<ThemeSlug>,
    /// The markets that get it once they take it.
    markets: Vec<MarketName>,
    tags: Resolved,
    /// What it is.
    facts: Result<Facts, MakeError>,
    /// Why nobody can tell that it is whole, if it is a model and so.
    unsure: Option<Hold>,
}

/// A file of a bundle, and its sidecar.
struct Recorded {
    folder: BundleFolder,
    name: String,
    entry: Entry,
    /// The sidecar, as it was seen.
    record: Companion,
    sidecar: Sidecar,
}

/// What the markets say that lack a bundled file.
#[derive(Debug)]
pub(in crate::service) struct Owing {
    pub(in crate::service) file: RelPath,
    /// When it came to `upload`, if that can be told.
    pub(in crate::service) arrival: Option<Arrival>,
    pub(in crate::service) asset: Option<AssetId>,
    pub(in crate::service) theme: ThemeSlug,
    /// The markets.
    pub(in crate::service) markets: Vec<MarketName>,
    /// What each of them says; or why none of them is asked.
    pub(in crate::service) said: Result<Vec<(MarketName, Said)>, Hold>,
    /// The file that they are offered, in the state in which it lies there, if that can be told.
    pub(in crate::service) offered: Option<(RelPath, Identity)>,
    /// Why the gate keeps it, if it does.
    pub(in crate::service) shut: Option<String>,
}

impl Owing {
    /// Returns that some markets do not get a file since a person took it back from them, if there are any.
    fn taken_back(file: RelPath, lacks: &Lacks) -> Option<Self> {
        let (why, asset) = (Hold::Waits(TAKEN_BACK.to_owned()), Some(lacks.asset.clone()));
        let markets = lacks.taken_back.clone();
        (!markets.is_empty()).then(|| Self { asset, markets, ..Self::untold(file, lacks, why) })
    }

    /// Returns that nobody can tell of a file which markets are to get it.
    fn untold(file: RelPath, lacks: &Lacks, why: Hold) -> Self {
        let markets = lacks.never.iter().chain(&lacks.refused).cloned().collect();
        let theme = ThemeSlug::unsorted();
        Self { file, arrival: None, asset: None, theme, markets, said: Err(why), offered: None, shut: None }
    }
}

impl Bundles<'_> {
    /// Looks which files of a bundle further markets take. Of one that was sent, a market gets only what it was to get
    /// from the start: one that is new in the settings does not get all that was ever sold elsewhere.
    pub(super) fn offers(
        &mut self,
        bundle: &BundleName,
        folder: &BundleFolder,
        owed: &Owed,
        is_sent: bool,
    ) -> Result<Offers, Hold> {
        let mut offers = Offers::default();
        for (name, lacks) in owed.get(bundle).into_iter().flatten() {
            let Some(lacking) = self.lacking(folder, name, lacks, is_sent)? else { continue };
            offers.themes.extend(lacking.theme.clone());
            offers.lacking += 1;
            let ways = self.ways(&lacking);
            // Of a file that cannot be read its bundle tells.
            let Some(facts) = lacking.facts.ok().filter(|_| !ways.is_empty()) else { continue };
            if lacking.unsure.is_none() && self.is_as_left(&facts, Care::Bytes) {
                offers.files.push((self.with_original(facts, &ways, Care::Bytes)?, lacking.markets));
            }
        }
        Ok(offers)
    }

    /// Looks at one file of a bundle; `None` if no market is to get it, or nothing is known of it.
    fn lacking(
        &mut self,
        folder: &BundleFolder,
        name: &str,
        lacks: &Lacks,
        is_sent: bool,
    ) -> Result<Option<Lacking>, Hold> {
        let Some(mut file) = self.recorded(folder.clone(), name.to_owned())? else { return Ok(None) };
        let is_owed = |market: &&MarketName| file.sidecar.owed.contains(market);
        // What a market refused, it gets once it was mended: such a file says that it is to go there.
        let refused = lacks.refused.iter().filter(is_owed);
        let never = lacks.never.iter().filter(|market| !is_sent || is_owed(market));
        let markets: Vec<MarketName> = never.chain(refused).chain(&lacks.again).cloned().collect();
        if markets.is_empty() {
            return Ok(None);
        }
        if is_own_file(&file.sidecar) {
            file = self.finished(&lacks.others, &file.sidecar)?.unwrap_or(file);
        }
        let Recorded { folder, name, entry, record, sidecar } = file;
        let PartsOf { parts, files: members, unknown } =
            parts_of((self.disk, &self.tags.insides), &folder, &name, &sidecar, Care::Times)?;
        let lacks = parts.and_then(|parts| parts.lacks());
        let unsure =
            lacks.or_else(|| unknown.map(|why| format!("nobody can tell all that it names: {why}; {BY_HAND}")));
        let unsure = unsure.map(|why| Hold::Waits(format!("{MODEL}: {why}")));
        let (beside, xmp) = found_xmp(self.disk, &folder.sidecars(), &name)?.unzip();
        let tags = self.tags.of_bundled(self.disk, self.settings, &sidecar, xmp.clone(), self.now)?;
        let (theme, personal_folder) = (sidecar.theme.clone(), sidecar.private.folder.clone());
        let found = Found { path: folder.files().join(&name), entry };
        let facts = inspect_bundled(self.disk, &found, (record, sidecar), &limits(self.settings));
        let companions = beside.into_iter().collect();
        let facts = facts.map(|facts| Facts { xmp, companions, members, personal_folder, ..facts });
        Ok(Some(Lacking { theme, markets, tags, facts, unsure }))
    }

    /// Returns the finished file in whose place a market got its own one, if a bundle has it.
    fn finished(&self, others: &[RelPath], own: &Sidecar) -> Result<Option<Recorded>, Hold> {
        for other in others {
            let Some(name) = BundleName::of(other) else { continue };
            let place = place_of(self.disk, &name).map_err(|error| refused(other, &error))?;
            let Some(place) = place else { continue };
            let file = self.recorded(BundleFolder::new(place), other.file_text())?;
            if let Some(file) = file.filter(|file| is_finished_of(&file.sidecar, own)) {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// Returns a file of a bundle with its sidecar, if both are there and say of which asset it is.
    fn recorded(&self, folder: BundleFolder, name: String) -> Result<Option<Recorded>, Hold> {
        let (file, path) = (folder.files().join(&name), folder.sidecar_of(&name));
        let cannot = |error: &dyn std::fmt::Display| Hold::Unreadable(format!("`{path}` cannot be read: {error}"));
        let stat = |path: &RelPath| self.disk.stat(path).map_err(|error| refused(path, &error));
        let (Some(entry), Some(record)) = (stat(&file)?, stat(&path)?) else { return Ok(None) };
        let bytes = match self.disk.read(&path, RECORD_BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| cannot(&error))?,
        };
        let sidecar = Sidecar::parse(&bytes).map_err(|error| cannot(&error.of_bundled()))?;
        let is_known = sidecar.id.is_some() && entry.what == What::File;
        let record = Companion { path, seen: record.identity };
        Ok(is_known.then_some(Recorded { folder, name, entry, record, sidecar }))
    }

    /// Returns how markets take a file that lack it; nothing if none does.
    fn ways(&self, lacking: &Lacking) -> Vec<Taken> {
        let Ok(facts) = &lacking.facts else { return Vec::new() };
        lacking.markets.iter().filter_map(|market| self.way(market, facts, &lacking.tags)).collect()
    }

    /// Returns how a market takes a file, if it does.
    fn way(&self, market: &MarketName, facts: &Facts, tags: &Resolved) -> Option<Taken> {
        let market = self.settings.upload.market(market)?;
        let kind = facts.kind?;
        let Fitted { meta, .. } = fit(market, &tags.meta());
        let category = tags.category.get(market.name.as_str()).map(|category| category.value.clone());
        let (size, bytes, colours, video) = (facts.size, facts.seen.size, facts.colours, facts.video.clone());
        let sidecar = facts.sidecar.as_ref().map(|(_, sidecar)| sidecar);
        let written = tags.written(&market.name);
        let candidate = Candidate { kind, size, video, bytes, colours, meta, category, written };
        let taken = how_taken(market, &candidate, sidecar.is_some_and(is_own_file))?;
        let can_be = || sidecar.is_some_and(|sidecar| may_be_made(sidecar, market, bytes));
        (taken == Taken::AsItIs || can_be()).then_some(taken)
    }

    /// Looks for the original of a file that is to be encoded anew.
    fn with_original(&self, facts: Facts, ways: &[Taken], care: Care) -> Result<Facts, Hold> {
        let Some((_, sidecar)) = facts.sidecar.as_ref().filter(|_| ways.contains(&Taken::Anew)) else {
            return Ok(facts);
        };
        let found = match care {
            Care::Bytes => lies_in_archive(self.disk, sidecar, &facts.hash),
            Care::Times => seems_in_archive(self.disk, sidecar, &facts.hash),
        };
        let has_original = found.map_err(|error| refused(&facts.path, &error))?;
        Ok(Facts { has_original, ..facts })
    }

    /// Returns whether a file is the one that stockmill left: what a person made of it, nobody looked at.
    fn is_as_left(&self, facts: &Facts, care: Care) -> bool {
        let record = facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.file.as_ref());
        record.is_some_and(|left| is_as_left(self.disk, &facts.path, facts.seen, left, care).unwrap_or(false))
    }
}

impl Decider {
    /// Returns the files of some bundles that not every market got.
    pub(in crate::service) fn owed(&self, bundles: &BTreeSet<BundleName>) -> Owed {
        let markets: Vec<MarketName> = self.settings.upload.markets.iter().map(|market| market.name.clone()).collect();
        // What lies in the bundle of a market that left the settings may be owed to the only one that they name.
        let is_any_further = bundles.iter().any(|bundle| markets.iter().any(|market| *market != bundle.market));
        let mut owed = if is_any_further { self.ledger.owed(bundles, &markets) } else { Owed::new() };
        for (name, files) in &mut owed {
            let taken_back = files.iter_mut().filter(|(_, lacks)| !lacks.taken_back.is_empty());
            taken_back.filter(|(file, _)| self.is_let_go_again(name, file)).for_each(|(_, lacks)| lacks.let_go_again());
        }
        owed
    }

    /// Returns whether a person lets a bundled file go that was taken back from a market.
    fn is_let_go_again(&self, name: &BundleName, file: &str) -> bool {
        let Ok(Some(place)) = place_of(self.disk(), name) else { return false };
        let file = BundleFolder::new(place).files().join(file);
        matches!(self.disk().stat(&file), Ok(Some(entry)) if self.releases.cover(&file, Stage::Upload, entry.identity))
    }

    /// Decides on a bundled file that a further market takes, and takes the names that the plan uses.
    pub(in crate::service) fn offer(
        &mut self,
        facts: &Facts,
        markets: &[MarketName],
        here: Here<'_>,
    ) -> Result<Plan, Hold> {
        let (path, stage) = (&facts.path, Stage::Upload);
        here.paused(stage)?;
        let (_, sidecar) = facts.sidecar.as_ref().expect("a file of a bundle is known by its sidecar");
        if let Some(other) = self.reserved.in_hand_as(sidecar.id.iter(), path) {
            return Err(Hold::Twin(format!("the same asset is being worked on as `{other}`")));
        }
        if self.reserved.is_in_hand(sidecar.id.iter()) {
            return Err(Hold::Twin("it is about to be bundled for a further market".to_owned()));
        }
        self.may_be_offered(facts)?;
        if let Err(shut) = self.check_gate(stage, self.is_released(path, stage, facts.seen), here.now) {
            self.upload.offers_wait = true;
            return Err(Hold::Shut(shut.why));
        }
        let plan = self.with_offered(facts, here, |facts, context| plan_offer(facts, markets, context))?;
        self.take_in_hand(&plan);
        Ok(plan)
    }

    /// Returns the files of a bundle that markets lack, and what these say, whatever the gate says.
    pub(in crate::service) fn owing(
        &mut self,
        bundle: &BundleName,
        owed: &Owed,
        care: Care,
        here: Here<'_>,
    ) -> Result<Vec<Owing>, Hold> {
        let unseen = |error| refused(&bundle.folder(), &error);
        let place = place_of(self.disk(), bundle).map_err(unseen)?.unwrap_or_else(|| bundle.folder());
        let is_sent = is_sent(self.disk(), &place).map_err(unseen)?;
        let folder = BundleFolder::new(place);
        let (mut owing, places) = (Vec::new(), self.places());
        for (name, lacks) in owed.get(bundle).into_iter().flatten() {
            let file = folder.files().join(name);
            if !matches!(self.disk().stat(&file), Ok(None)) {
                owing.extend(Owing::taken_back(file, lacks));
            }
            let (disk, settings, now) = (self.vault.disk(), &*self.settings, here.now.for_settle());
            let mut look = Bundles { disk, settings, tags: &mut self.tags, places: places.clone(), now };
            let lacking = match look.lacking(&folder, name, lacks, is_sent) {
                Ok(Some(lacking)) => lacking,
                Ok(None) => continue,
                // The other files of the bundle are told all the same.
                Err(hold) => {
                    owing.push(Owing::untold(folder.files().join(name), lacks, hold));
                    continue;
                }
            };
            let ways = look.ways(&lacking);
            let Lacking { theme, markets, facts, unsure, .. } = lacking;
            let facts = facts.map_err(|error| Hold::Unreadable(error.to_string())).and_then(|facts| {
                if let Some(unsure) = unsure.filter(|_| !ways.is_empty()) {
                    return Err(unsure);
                }
                if !ways.is_empty() && !look.is_as_left(&facts, care) {
                    return Err(Hold::Waits(CHANGED.to_owned()));
                }
                look.with_original(facts, &ways, care)
            });
            let arrival = facts.as_ref().ok().map(|facts| Arrival::of(facts, now.wall_ns));
            let asset = facts.as_ref().ok().and_then(|facts| facts.sidecar.as_ref()?.1.id.clone());
            let offered = facts.as_ref().ok().map(|facts| (facts.path.clone(), facts.seen));
            let is_released = offered.as_ref().is_some_and(|(path, seen)| self.is_released(path, Stage::Upload, *seen));
            let shut = self.check_gate(Stage::Upload, is_released, here.now).err().map(|shut| shut.why);
            let said = facts.and_then(|facts| {
                self.may_be_offered(&facts)?;
                self.with_offered(&facts, here, |facts, context| ask_markets(facts, &markets, context))
            });
            let (file, theme) = (folder.files().join(name), theme.unwrap_or_else(ThemeSlug::unsorted));
            owing.push(Owing { file, arrival, asset, theme, markets, said, offered, shut });
        }
        Ok(owing)
    }

    fn may_be_offered(&self, facts: &Facts) -> Result<(), Hold> {
        let path = &facts.path;
        if let Some(why) = self.blocked.get(path) {
            return Err(Hold::Blocked(format!("its last step was cut off: {why}")));
        }
        Ok(())
    }

    /// Decides on a bundled file by all that a market's answer depends on.
    fn with_offered<T>(
        &mut self,
        facts: &Facts,
        here: Here<'_>,
        decide: impl FnOnce(&Facts, &Context<'_>) -> Result<T, Hold>,
    ) -> Result<T, Hold> {
        let sidecar = facts.sidecar.as_ref().map(|(_, sidecar)| sidecar);
        let theme = sidecar.and_then(|sidecar| sidecar.theme.as_ref());
        let below = sidecar.and_then(|sidecar| theme_of_path(&sidecar.origin.as_ref()?.path).1);
        let (disk, now) = (self.vault.disk(), here.now.for_settle());
        let layers = self.tags.layers(disk, &self.settings, theme, below.as_ref(), Stage::Upload, now)?;
        self.look_for_nets(facts, &layers);
        let bundled_for = self.bundled_for(facts, None);
        let bundles = self.bundles_of(here.now);
        let season = self.season_of(facts, now);
        self.with_context(here, &layers, None, &bundled_for, &bundles, |context| {
            let unfit = self.learnt.unfit(sidecar.and_then(|sidecar| sidecar.id.as_ref()));
            decide(facts, &Context { unfit, season, ..*context })
        })
    }

    /// Takes note that a file was offered to a further market: what lets the next one have it is a new word.
    pub(in crate::service) fn use_up_offered(&mut self, (path, seen): &(RelPath, Identity)) {
        self.releases.use_up(path, Stage::Upload, *seen);
    }

    /// Returns whether what further markets take waited for the gate since this was asked last.
    pub(in crate::service) fn take_offers_wait(&mut self) -> bool {
        std::mem::take(&mut self.upload.offers_wait)
    }
}
