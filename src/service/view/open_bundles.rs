//! What a person should know of bundles: what their markets would refuse, and what further markets lack.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::View;
use super::overview::{Group, Groups};
use crate::config::Gate;
use crate::model::{AssetId, MarketName, RelPath, Stage, ThemeSlug, together};
use crate::plan::{BundleFolder, BundleName, Hold, Said};
use crate::service::clock::Moment;
use crate::service::decide::{
    Against, Care, Here, OpenBundle, Owing, Places, UNNAMED, UNTOLD, all_bundles, is_at_odds, told_behind,
};
use crate::service::ledger::Lacks;
use crate::service::release::BehindGate;
use crate::service::why::{Why, WhyKind};

/// Which markets were told of which assets: an asset may lie in the bundles of several markets, and a further one gets it once.
#[derive(Debug, Default)]
pub(super) struct Told(HashSet<(AssetId, MarketName)>);

impl Told {
    /// Returns whether this is the first time; of an asset that nobody knows it always is.
    pub(super) fn is_first(&mut self, asset: Option<&AssetId>, market: &MarketName) -> bool {
        asset.is_none_or(|asset| self.0.insert((asset.clone(), market.clone())))
    }
}

impl View {
    /// Returns what waits for a person's word to go to further markets, of all themes or of one: what the gate of `upload` keeps,
    /// and what a person took back from them.
    pub fn behind_gate(&mut self, theme: Option<&ThemeSlug>) -> BehindGate {
        let mut behind = BehindGate::default();
        let settings = &self.decide.settings;
        let is_auto = *settings.gates.of(Stage::Upload) == Gate::Auto;
        let names = all_bundles(self.decide.disk(), &settings.upload.markets);
        let mut owed = self.decide.owed(&names.iter().cloned().collect());
        for files in owed.values_mut() {
            if is_auto {
                files.retain(|_, lacks| !lacks.taken_back.is_empty());
                files.values_mut().for_each(|lacks| (lacks.never, lacks.refused) = Default::default());
            }
            files.values_mut().for_each(Lacks::let_go_again);
        }
        let now = self.clock.now();
        let here = Here { now: &now, pauses: &self.pauses, units: &self.units };
        let mut before = Told::default();
        for name in names {
            let Ok(owing) = self.decide.owing(&name, &owed, Care::Times, here) else {
                behind.untold.push(name.folder());
                continue;
            };
            for Owing { file, asset, said, offered, .. } in
                owing.into_iter().filter(|owing| owing.said.is_err() || theme.is_none_or(|theme| owing.theme == *theme))
            {
                match said {
                    Ok(said) => {
                        let takes = said.into_iter().filter(|(_, said)| !matches!(said, Said::Refuses(_)));
                        let mut markets: Vec<MarketName> = takes.map(|(market, _)| market).collect();
                        markets.retain(|market| before.is_first(asset.as_ref(), market));
                        let offered = offered.filter(|_| !markets.is_empty());
                        behind.files.extend(offered.map(|(path, seen)| (path, seen, markets)));
                    }
                    Err(Hold::Unreadable(_) | Hold::Refused(_)) => behind.untold.push(file),
                    Err(_) => (),
                }
            }
        }
        behind
    }

    /// Returns whether the gate of a stage is open now to what nobody let go.
    pub fn is_gate_open(&self, stage: Stage) -> bool {
        self.is_gate_open_at(stage, &self.clock.now())
    }

    pub(in crate::service) fn is_gate_open_at(&self, stage: Stage, now: &Moment) -> bool {
        self.decide.is_gate_open(stage, now)
    }

    /// Returns how each bundle that is not sent stands; one look is enough.
    fn open_bundles(&mut self) -> &[OpenBundle] {
        let now = self.clock.now();
        let here = Here { now: &now, pauses: &self.pauses, units: &self.units };
        let (decide, is_by_defaults) = (&mut self.decide, self.is_by_defaults);
        self.open_bundles.get_or_insert_with(|| decide.open_bundles(here, is_by_defaults))
    }

    /// Returns the files of each bundle of which nobody can say that its market would take them today, each with what speaks
    /// against it; or why nobody can tell what lies in it.
    pub fn refused_in(&mut self, bundles: &[&RelPath]) -> Vec<Result<BTreeMap<RelPath, String>, String>> {
        let places = self.decide.places();
        bundles.iter().map(|bundle| self.refused_in_one(bundle, &places)).collect()
    }

    fn refused_in_one(&mut self, bundle: &RelPath, places: &Arc<Places>) -> Result<BTreeMap<RelPath, String>, String> {
        let name = BundleName::of(bundle).ok_or("its name is none of a bundle")?;
        let now = self.clock.now();
        // Of which file nobody can tell it is told below.
        let behind = self.decide.behind(&name, places, &now).unwrap_or_default();
        // As long as all of it is as it was, it says one thing.
        if let Some(why) = told_behind(&behind).filter(|_| is_at_odds(&behind)) {
            return Err(why);
        }
        let refused = self.decide.refused_in(&name, places, &now);
        let told = |(file, against): (RelPath, Against)| (file, against.to_string());
        refused.map(|all| all.into_iter().map(told).collect()).map_err(|hold| hold.to_string())
    }

    /// Returns why nothing can be done with some bundles: their manifests follow no change until that is mended; and of which
    /// of their files nobody can tell which further markets get them.
    pub(super) fn troubled_bundles(&mut self) -> Vec<(RelPath, Why)> {
        let trouble = |open: &OpenBundle| {
            let hold = open.stuck.as_ref().or(open.refused.as_ref().err()).map(Why::of);
            let behind = || told_behind(&open.behind).map(|why| Why::new(WhyKind::Settling, &why));
            hold.or_else(behind).map(|why| (open.folder.clone(), why))
        };
        let untold = |open: &OpenBundle| if open.refused.is_err() { Vec::new() } else { untold(open) };
        let open = self.open_bundles().iter();
        open.flat_map(|open| trouble(open).into_iter().chain(untold(open))).collect()
    }

    /// Returns the files of bundles of which markets would decide otherwise today, since rules or tags changed after they
    /// were bundled: those that are not to go as they are, and those that further markets would take.
    pub fn other_verdicts(&mut self) -> [Vec<Group>; 2] {
        let (mut refused, mut taken) = <(Groups, Groups)>::default();
        let mut before = Told::default();
        for open in self.open_bundles() {
            for (file, against) in open.refused.iter().flatten() {
                refused.add(file.clone(), Why::new(WhyKind::Market, &against.to_string()));
            }
            for owing in open.owing.iter().flatten() {
                let said = owing.said.iter().flatten().filter(|(_, said)| !matches!(said, Said::Refuses(_)));
                let said = said.filter(|(market, _)| before.is_first(owing.asset.as_ref(), market));
                let told = told(said, owing.shut.as_deref());
                if !told.is_empty() {
                    taken.add(owing.file.clone(), Why::new(WhyKind::Market, &told.join("; ")));
                }
            }
        }
        [refused.sorted(), taken.sorted()]
    }

    /// Returns what the markets say that lack a bundled file, each in words.
    pub(super) fn owed_of(&mut self, file: &RelPath) -> Vec<String> {
        let Some(name) = BundleName::of(file).filter(|_| BundleFolder::is_file(file)) else { return Vec::new() };
        let mut owed = self.decide.owed(&BTreeSet::from([name.clone()]));
        owed.values_mut().for_each(|files| files.retain(|name, _| *name == file.file_text()));
        let now = self.clock.now();
        let here = Here { now: &now, pauses: &self.pauses, units: &self.units };
        let owing = match self.decide.owing(&name, &owed, Care::Bytes, here) {
            Ok(owing) => owing,
            Err(hold) => return vec![cannot_tell(&hold)],
        };
        owing.iter().flat_map(told_of).collect()
    }
}

/// Returns what is told of a bundle whose market the settings do not name, which may be the defaults instead of those.
pub(super) fn unnamed(is_by_defaults: bool) -> &'static str {
    if is_by_defaults { UNTOLD } else { UNNAMED }
}

/// Returns the files of a bundle, or the bundle, of which nobody can tell which further markets get them.
fn untold(open: &OpenBundle) -> Vec<(RelPath, Why)> {
    let why = |hold: &Hold| Why { text: cannot_tell(hold).into(), ..Why::of(hold) };
    let owing = match &open.owing {
        Ok(owing) => owing.iter(),
        Err(hold) => return vec![(open.folder.clone(), why(hold))],
    };
    let untold = owing.filter_map(|owing| match &owing.said {
        Err(hold @ (Hold::Unreadable(_) | Hold::Refused(_))) => Some((owing.file.clone(), why(hold))),
        _ => None,
    });
    untold.collect()
}

fn cannot_tell(hold: &Hold) -> String {
    format!("which markets it goes to later cannot be told: {hold}")
}

/// Returns what the markets say that lack a file, each in words.
fn told_of(owing: &Owing) -> Vec<String> {
    match &owing.said {
        Ok(said) => told(said, owing.shut.as_deref()),
        Err(hold) => vec![not_asked(&owing.markets, hold)],
    }
}

/// What nobody knows before a file is made for a market alone.
const IF_MADE: &str = "if a file within its limits of bytes can be made for it, and else the log says why not";

/// Returns what markets say, once for all that say the same; `shut` is why the gate is shut.
fn told<'a>(said: impl IntoIterator<Item = &'a (MarketName, Said)>, shut: Option<&str>) -> Vec<String> {
    let line = |(markets, said): (String, &Said)| {
        let [gets, refuses] = if markets.contains(',') { ["get", "refuse"] } else { ["gets", "refuses"] };
        match (said, shut) {
            (Said::Takes, None) => {
                format!("{markets} would take it now, and {gets} it when the daemon looks at its bundle")
            }
            (Said::TakesOwn, None) => format!("{markets} {gets} it when the daemon looks at its bundle, {IF_MADE}"),
            (Said::TakesOwn, Some(why)) => format!("{markets} {gets} it once the gate opens, {IF_MADE}: {why}"),
            (Said::Takes, Some(why)) => format!("{markets} would take it, and {gets} it once the gate opens: {why}"),
            (Said::Later(why), Some(shut)) => format!("{markets} {gets} it later: {shut}; {why}"),
            (Said::Later(why), None) => format!("{markets} {gets} it later: {why}"),
            (Said::Refuses(why), _) => format!("{markets} {refuses} it: {why}"),
        }
    };
    together(said.into_iter().map(|(market, said)| (market.clone(), said))).into_iter().map(line).collect()
}

/// Returns why markets that lack a file are not asked.
pub(super) fn not_asked(markets: &[MarketName], why: &dyn std::fmt::Display) -> String {
    let markets: Vec<&str> = markets.iter().map(MarketName::as_str).collect();
    format!("not for {}: {why}", markets.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markets_that_say_the_same_are_told_together() {
        let says = |market: &str, said: Said| (MarketName::new(market).unwrap(), said);
        let refuses = || Said::Refuses("it has 1 megapixel".to_owned());
        let said = [
            says("alamy", refuses()),
            says("pond5", Said::Takes),
            says("zoonar", refuses()),
            says("vecteezy", Said::TakesOwn),
            says("dreamstime", Said::Later("it has 2 files of today".to_owned())),
        ];
        let expected = [
            "alamy, zoonar refuse it: it has 1 megapixel",
            "pond5 would take it, and gets it once the gate opens: it is shut",
            "vecteezy gets it once the gate opens, if a file within its limits of bytes can be made for it, and else the log says \
             why not: it is shut",
            "dreamstime gets it later: it is shut; it has 2 files of today",
        ];
        assert_eq!(told(&said, Some("it is shut")), expected);
    }
}
