//! What would be done with bundles: as the daemon does, each is looked into by a record keeper.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::{AssetStatus, View};
use crate::config::Settings;
use crate::model::RelPath;
use crate::plan::{BundleName, Plan};
use crate::service::decide::{Found, Here, Order, RecordKeeper, Tended, all_bundles};
use crate::service::why::Why;

impl View {
    /// Returns what would be done next with the bundles below `start`, or with all: their manifests, tags of today in files
    /// that carry older ones, and what further markets take of them.
    pub fn bundle_plans(&mut self, start: Option<&RelPath>) -> Vec<AssetStatus> {
        let (disk, markets) = (self.decide.disk(), &self.decide.settings.upload.markets);
        let names = all_bundles(disk, markets).into_iter();
        let covers = |folder: RelPath| start.is_none_or(|start| folder.is_in(start) || start.is_in(&folder));
        let names: BTreeSet<BundleName> =
            names.filter(|name| covers(name.folder()) || covers(name.sent_folder())).collect();
        // One look cannot tell how long a record stood still: it shows what comes once it does.
        let mut settings = Settings::clone(&self.decide.settings);
        (settings.settle.quiet, settings.settle.weak_quiet) = (Duration::ZERO, Duration::ZERO);
        let order = Order {
            settings: Arc::new(settings),
            forgotten: self.decide.forgotten(),
            distrusted: HashSet::new(),
            owed: self.decide.owed(&names),
            places: self.decide.places(),
            on_record: names.iter().filter(|name| self.decide.ledger.is_sent(name)).cloned().collect(),
            delivered: OnceLock::new(),
            now: self.clock.now().for_settle(),
        };
        let mut keeper = RecordKeeper::new(&order.settings.settle);
        names.into_iter().flat_map(|name| self.plans_of(name, &mut keeper, &order)).collect()
    }

    fn plans_of(&mut self, name: BundleName, keeper: &mut RecordKeeper, order: &Order) -> Vec<AssetStatus> {
        let folder = name.folder();
        let found = match keeper.tend(self.decide.vault.disk(), &Tended::Bundle(name), order) {
            Ok(Found::Bundle(found)) => found,
            Ok(Found::Tags(_)) => unreachable!("a bundle was looked at"),
            Err(hold) => return vec![AssetStatus::Held(folder, Why::of(&hold))],
        };
        let planned = |plan: Plan| AssetStatus::Planned(Box::new(plan));
        let mut statuses: Vec<AssetStatus> = found.dealing.into_iter().chain(found.plans).map(planned).collect();
        let now = self.clock.now();
        let here = Here { now: &now, pauses: &self.pauses, units: &self.units };
        for (facts, markets) in &found.offers.files {
            statuses.push(match self.decide.offer(facts, markets, here) {
                Ok(plan) => planned(plan),
                Err(hold) => AssetStatus::Held(facts.path.clone(), Why::of(&hold)),
            });
        }
        statuses
    }
}
