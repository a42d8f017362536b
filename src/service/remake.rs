//! Making anew what was made by settings that changed since: plans that are carried out like all others.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::carried_out::{CarriedOut, Rules};
use super::decide::{self, SharedTags};
use super::ledger::KeptProducts;
use super::made_files::{Lookout, MadeFile, MadeFiles};
use crate::craft::{self, CraftError, Progress};
use crate::intake::Now;
use crate::make::{MakeError, make, survive};
use crate::market::{self, Candidate};
use crate::model::{Colours, Kind, RelPath};
use crate::plan::tags::Resolved;
use crate::plan::{BundleName, Freshness, Old, Plan, Remake, plan_remake};
use crate::records::{Answer, Did, Plans, RemakeWhat};
use crate::vault::{CommitError, Journal, Made, Receipt, Vault};

/// So many assets are made anew for one request; whoever asked asks again for the rest, and the mill works in between.
const BATCH_MAX: usize = 16;

/// Makes anew what is stale, from the archived originals. What cannot be made anew is told with the reason.
pub(super) fn remake(
    vault: &Vault,
    journal: &mut Journal,
    what: &RemakeWhat,
    rules: &Rules,
    progress: &dyn Progress,
    now: Timestamp,
) -> CarriedOut {
    let disk = vault.disk();
    let settings = &*rules.settings;
    let now_ns = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
    let (mut tags, at) = (SharedTags::new(&settings.settle), Now { wall_ns: now_ns, steady: Duration::ZERO });
    let found = Lookout { disk, settings, tags: &mut tags, now: at }.made_files(what.theme.as_ref());
    let (found, records) = match (found, Journal::read_only(disk)) {
        (Ok(found), Ok(records)) => (found, records),
        (Err(error), _) | (_, Err(error)) => {
            return CarriedOut { answer: Answer::refused(error.to_string()), ..CarriedOut::default() };
        }
    };
    let mut work = Remaking {
        vault,
        rules,
        decides: decide::rules(settings),
        progress,
        open: open_files(&records),
        kept: KeptProducts::of(&records),
        carried: CarriedOut::default(),
    };
    work.carried.answer = work.all(journal, found, what.after.as_ref(), now);
    work.carried
}

/// Returns the files of plans that were cut off and are neither finished nor taken back.
fn open_files(records: &[crate::records::Record]) -> HashSet<RelPath> {
    let files = Plans::of(records).open.into_iter().flat_map(|intent| {
        let published = intent.publish.iter().map(|product| &product.to);
        let moved = intent.moves.iter().flat_map(|shift| [&shift.from, &shift.to]);
        published.chain(moved).chain(intent.removes.iter().map(|gone| &gone.path))
    });
    files.cloned().collect()
}

/// What making anew needs, and what came of it.
struct Remaking<'a> {
    vault: &'a Vault,
    rules: &'a Rules,
    decides: crate::plan::Rules,
    progress: &'a dyn Progress,
    /// Files of plans that were cut off.
    open: HashSet<RelPath>,
    /// What was made before.
    kept: KeptProducts,
    carried: CarriedOut,
}

/// What is told of files, by their paths.
type Told = BTreeMap<RelPath, Did>;

impl Remaking<'_> {
    /// Makes the next assets anew behind `after`, and tells of each file what became of it.
    fn all(&mut self, journal: &mut Journal, found: MadeFiles, after: Option<&RelPath>, now: Timestamp) -> Answer {
        let stays = |path: RelPath, why: String| (path.clone(), Did::Stays(path, why));
        let untold = found.untold.into_iter().filter(|_| after.is_none());
        let mut told: Told = untold.map(|(path, why)| stays(path, why)).collect();
        let (mut planned, mut refused, mut more, mut last) = (Vec::new(), None, None, None);
        for asset in of_assets(found.files).into_iter().filter(|asset| after.is_none_or(|after| asset[0].file > *after))
        {
            if planned.len() == BATCH_MAX {
                more = last;
                break;
            }
            match self.made_anew(&asset, &mut told, now) {
                Ok(made) => planned.extend(made),
                Err(why) => {
                    refused = Some(why);
                    break;
                }
            }
            last = Some(asset[0].file.clone());
        }
        let (plans, batch): (Vec<Plan>, Vec<Made>) = planned.into_iter().unzip();
        let results = self.vault.commit(journal, batch, now);
        for (plan, result) in plans.iter().zip(results) {
            self.committed(plan, result, &mut told, &mut refused);
        }
        let more = more.filter(|_| refused.is_none()).map(Did::More);
        Answer::new(told.into_values().chain(more).collect(), refused)
    }

    /// Makes one asset anew in scratch, if it is stale; or says why nothing more can be made.
    fn made_anew(
        &mut self,
        asset: &[MadeFile],
        told: &mut Told,
        now: Timestamp,
    ) -> Result<Option<(Plan, Made)>, String> {
        let mut stays = |file: &RelPath, why: String| drop(told.insert(file.clone(), Did::Stays(file.clone(), why)));
        let mut sound = Vec::new();
        for made in asset.iter().filter(|made| made.freshness != Freshness::Current) {
            match self.ready(made) {
                Ok(remake) => sound.push((made, remake)),
                Err(why) => stays(&made.file, why),
            }
        }
        let olds: Vec<Old<'_>> = sound.iter().map(|(made, remake)| self.old(made, remake)).collect();
        let Some(mut plan) = plan_remake(&olds, &self.decides, now) else { return Ok(None) };
        plan.kept = self.kept.of_asset(plan.about.asset.as_ref());
        let made = match survive(|| make(self.vault, &plan, &self.rules.limits, self.progress)) {
            Ok(made) => made,
            Err(MakeError::Disk(error)) => return Err(error.to_string()),
            Err(MakeError::Content(CraftError::Stopped)) => {
                return Err("the daemon was told to stop; ask again when it runs".to_owned());
            }
            Err(error) => {
                sound.iter().for_each(|(made, _)| stays(&made.file, error.to_string()));
                return Ok(None);
            }
        };
        for (file, remake) in &sound {
            let bytes = made.bytes_of(self.vault, &file.file).map_err(|error| error.to_string())?;
            if let Some(why) = self.refused_by_market(file, remake, bytes) {
                made.discard(self.vault);
                sound.iter().for_each(|(made, _)| stays(&made.file, why.clone()));
                return Ok(None);
            }
        }
        Ok(Some((plan, made)))
    }

    /// Returns how a product is made anew, or why it stays.
    fn ready<'m>(&self, made: &'m MadeFile) -> Result<&'m Remake, String> {
        let remake = match &made.freshness {
            Freshness::Current => Err("it is as the settings of today would make it".to_owned()),
            Freshness::Unknown(why) => Err(why.clone()),
            Freshness::Stale(stale) => stale.remake.as_ref().map_err(Clone::clone),
        }?;
        self.is_as_left(made, remake)?;
        // How many bytes it will have is not known before it is made.
        let bytes_min = self.market_of(made).map_or(0, |market| market.bytes.min);
        self.refused_by_market(made, remake, bytes_min).map_or(Ok(remake), Err)
    }

    /// Refuses a product that is not as stockmill left it, or whose original is not.
    fn is_as_left(&self, made: &MadeFile, remake: &Remake) -> Result<(), String> {
        if [&made.file, &made.record, &remake.archived].into_iter().any(|path| self.open.contains(path)) {
            return Err("its last step was cut off, and is not finished yet".to_owned());
        }
        let disk = self.vault.disk();
        let hash = |path: &RelPath| disk.hash(path).map_err(|error| error.to_string());
        if made.sidecar.file.as_ref().map(|file| &file.hash) != Some(&hash(&made.file)?) {
            return Err("it was changed by hand since, and is kept as it is".to_owned());
        }
        if *remake.original_hash() != hash(&remake.archived)? {
            return Err(format!("its original `{}` is not what it was any more", remake.archived));
        }
        Ok(())
    }

    fn old<'m>(&self, made: &'m MadeFile, remake: &'m Remake) -> Old<'m> {
        let MadeFile { file, record, record_bytes, sidecar, .. } = made;
        let tags = made.tags.as_ref().filter(|_| remake.is_finished());
        let meta = tags.map(Resolved::meta).map(|meta| match self.market_of(made) {
            Some(market) => market::fit(market, &meta).meta,
            None => meta,
        });
        Old { file, record, record_bytes, sidecar, remake, meta }
    }

    fn market_of(&self, made: &MadeFile) -> Option<&market::Market> {
        let name = BundleName::of(&made.file).filter(|_| made.bundle().is_some())?;
        self.decides.markets.iter().find(|market| market.name == name.market)
    }

    /// Returns why the market of its bundle would not take a product as it will be.
    fn refused_by_market(&self, made: &MadeFile, remake: &Remake, bytes: u64) -> Option<String> {
        let (market, tags) = (self.market_of(made)?, made.tags.as_ref()?);
        let (kind, size) = remake.makes();
        let category = tags.category.get(market.name.as_str()).map(|category| category.value.clone());
        let meta = market::fit(market, &tags.meta()).meta;
        let colours = if remake.is_in_srgb() { Some(Colours::SRGB) } else { self.colours_of(made, kind) };
        let (video, written) = (None, tags.written(&market.name));
        let reasons = market::check(market, &Candidate { kind, size, video, bytes, colours, meta, category, written });
        (!reasons.is_empty()).then(|| format!("{} would refuse it: {}", market.name, reasons.join("; ")))
    }

    /// Returns the colours of what lies there, which it keeps; `None` if nobody can tell.
    fn colours_of(&self, made: &MadeFile, kind: Kind) -> Option<Colours> {
        let limits = &self.rules.limits;
        let bytes = self.vault.disk().read(&made.file, limits.file_bytes_max).ok()?;
        craft::colours(&bytes, kind, &limits.decode)
    }

    /// Takes what became of one plan.
    fn committed(
        &mut self,
        plan: &Plan,
        result: Result<Receipt, CommitError>,
        told: &mut Told,
        refused: &mut Option<String>,
    ) {
        let files = plan.products.iter().map(|product| &product.to).step_by(2);
        let became = match result {
            Ok(receipt) => {
                let did = receipt.about.did.clone();
                self.carried.receipts.push(receipt);
                Ok(did)
            }
            Err(error @ (CommitError::Changed(_) | CommitError::Taken(_) | CommitError::InUse(_))) => {
                Err(format!("{error}; try again when it stands still"))
            }
            Err(error) => {
                self.carried.is_open |= matches!(error, CommitError::Open(_));
                refused.get_or_insert(error.to_string());
                return;
            }
        };
        let did = |file: &RelPath| match &became {
            Ok(did) => Did::Remade(file.clone(), did.clone()),
            Err(why) => Did::Stays(file.clone(), why.clone()),
        };
        told.extend(files.map(|file| (file.clone(), did(file))));
    }
}

/// Returns the files by assets: those in bundles of several markets are one.
fn of_assets(files: Vec<MadeFile>) -> Vec<Vec<MadeFile>> {
    let mut assets: Vec<Vec<MadeFile>> = Vec::new();
    let mut bundled = BTreeMap::new();
    for made in files {
        let id = made.sidecar.id.clone().filter(|_| made.bundle().is_some());
        let at = id.map_or(assets.len(), |id| *bundled.entry(id).or_insert(assets.len()));
        if at == assets.len() {
            assets.push(Vec::new());
        }
        assets[at].push(made);
    }
    assets
}
