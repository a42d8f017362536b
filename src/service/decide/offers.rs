//! Bundled files that further markets take by now, since tags, settings, profiles or the room at a market changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::bundles::{Bundles, RECORD_BYTES_MAX, foreign_xmp};
use super::{Decider, Here, limits};
use crate::intake::Found;
use crate::make::inspect_bundled;
use crate::market::{Candidate, Fitted, check, fit};
use crate::model::{MarketName, Stage, ThemeSlug};
use crate::plan::tags::Resolved;
use crate::plan::{BundleFolder, BundleName, Companion, Context, Facts, Hold, Plan, plan_offer, theme_of_path};
use crate::records::Sidecar;
use crate::vault::What;

/// The files of bundles that not every market got, by bundle and name, with the markets that lack.
pub(in crate::service) type Owed = BTreeMap<BundleName, BTreeMap<String, Vec<MarketName>>>;

/// What a look for files that further markets take showed.
#[derive(Debug, Default)]
pub(in crate::service) struct Offers {
    /// What is known of each file that one of them takes.
    pub(in crate::service) files: Vec<Facts>,
    /// The themes of all that a market lacks.
    pub(in crate::service) themes: BTreeSet<ThemeSlug>,
    /// How many files a market lacks.
    pub(in crate::service) lacking: usize,
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
        for (name, markets) in owed.get(bundle).into_iter().flatten() {
            let (file, path) = (folder.files().join(name), folder.sidecar_of(name));
            let cannot = |error: &dyn std::fmt::Display| Hold::Unreadable(format!("`{path}` cannot be read: {error}"));
            let (Ok(Some(entry)), Ok(Some(record))) = (self.disk.stat(&file), self.disk.stat(&path)) else { continue };
            let bytes = match self.disk.read(&path, RECORD_BYTES_MAX) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                read => read.map_err(|error| cannot(&error))?,
            };
            let sidecar = Sidecar::parse(&bytes).map_err(|error| cannot(&error))?;
            let markets: Vec<&MarketName> =
                markets.iter().filter(|market| !is_sent || sidecar.owed.contains(market)).collect();
            if markets.is_empty() || sidecar.id.is_none() || entry.what != What::File {
                continue;
            }
            offers.themes.extend(sidecar.theme.clone());
            offers.lacking += 1;
            let xmp = foreign_xmp(self.disk, &folder.sidecars(), name)?;
            let tags = self.tags.of_bundled(self.disk, self.settings, &sidecar, xmp.clone(), self.now)?;
            let companion = Companion { path, seen: record.identity };
            let found = Found { path: file, entry };
            // Of a file that cannot be read its bundle tells.
            let Ok(facts) = inspect_bundled(self.disk, &found, (companion, sidecar), &limits(self.settings)) else {
                continue;
            };
            if markets.iter().any(|market| self.is_taken(market, &facts, &tags)) && self.is_as_left(&facts) {
                offers.files.push(Facts { xmp, ..facts });
            }
        }
        Ok(offers)
    }

    /// Returns whether a market would take a file. The parts of a model are in one bundle alone.
    fn is_taken(&self, market: &MarketName, facts: &Facts, tags: &Resolved) -> bool {
        let (Some(market), Some(kind)) = (self.settings.upload.market(market), facts.kind) else { return false };
        let Fitted { meta, .. } = fit(market, &tags.meta());
        let category = tags.category.get(market.name.as_str()).map(|category| category.value.clone());
        let (size, bytes, colours, video) = (facts.size, facts.seen.size, facts.colours, facts.video.clone());
        let candidate = Candidate { kind, size, video, bytes, colours, meta, category };
        !kind.is_model() && check(market, &candidate).is_empty()
    }

    /// Returns whether a file is the one that stockmill left: what a person made of it, nobody looked at.
    fn is_as_left(&self, facts: &Facts) -> bool {
        self.disk.hash(&facts.path).is_ok_and(|hash| hash == facts.hash)
    }
}

impl Decider {
    /// Returns the files of some bundles that not every market got.
    pub(in crate::service) fn owed(&self, bundles: &BTreeSet<BundleName>) -> Owed {
        let markets: Vec<MarketName> = self.settings.upload.markets.iter().map(|market| market.name.clone()).collect();
        if bundles.is_empty() || markets.len() < 2 { Owed::new() } else { self.ledger.owed(bundles, &markets) }
    }

    /// Decides on a bundled file that a further market takes, and takes the names that the plan uses.
    pub(in crate::service) fn offer(&mut self, facts: &Facts, here: Here<'_>) -> Result<Plan, Hold> {
        let (path, stage) = (&facts.path, Stage::Upload);
        here.paused(stage)?;
        if let Some(why) = self.blocked.get(path) {
            return Err(Hold::Blocked(format!("its last step was cut off: {why}")));
        }
        let (_, sidecar) = facts.sidecar.as_ref().expect("a file of a bundle is known by its sidecar");
        if let Some(other) = self.reserved.in_hand_as(sidecar.id.iter(), path) {
            return Err(Hold::Twin(format!("the same asset is being worked on as `{other}`")));
        }
        let is_released = self.is_released(path, stage, facts.seen);
        if !is_released && self.ledger.is_undone(path, &facts.hash) {
            return Err(Hold::Waits("that it was bundled for a further market was undone".to_owned()));
        }
        if let Err(shut) = self.check_gate(stage, is_released, here.now) {
            self.upload.offers_wait = true;
            return Err(Hold::Shut(shut.why));
        }
        let below = sidecar.origin.as_ref().and_then(|origin| theme_of_path(&origin.path).1);
        let (disk, now) = (self.vault.disk(), here.now.for_settle());
        let layers = self.tags.layers(disk, &self.settings, sidecar.theme.as_ref(), below.as_ref(), stage, now)?;
        let bundled_for = self.bundled_for(facts, None);
        let bundles = self.bundles_of(here.now);
        let season = self.season_of(facts, now);
        let plan = self.with_context(here, &layers, None, &bundled_for, &bundles, |context| {
            plan_offer(facts, &Context { season, ..*context })
        })?;
        self.take_in_hand(&plan);
        Ok(plan)
    }

    /// Returns whether what further markets take waited for the gate since this was asked last.
    pub(in crate::service) fn take_offers_wait(&mut self) -> bool {
        std::mem::take(&mut self.upload.offers_wait)
    }
}
