//! Steps that need not wait for each other: where the gates between them are open, they are one plan.

use super::{Decider, Here};
use crate::config::Gate;
use crate::make::MakeError;
use crate::model::{ContentHash, MarketName, RelPath, Stage};
use crate::plan::{BundleName, Facts, Plan, Recipe, bytes_for_all, facts_after};
use crate::records::{FileRecord, Got};
use crate::service::ledger::Ledger;
use crate::vault::Made;

impl Decider {
    /// Returns a plan with the steps that follow it at once. Each is decided as it would be on what lies there by then;
    /// where one waits for whatever reason, the plan ends before it, and the file tells why once it lies there.
    pub(super) fn with_next_steps(&mut self, facts: &Facts, plan: Plan, here: Here<'_>) -> Plan {
        let (mut facts, mut step, mut whole) = (facts.clone(), plan.clone(), plan);
        while let Some((after, next)) = self.next_step(&facts, &step, &whole, here) {
            let Some(fused) = whole.then(&next) else { break };
            (facts, step, whole) = (after, next, fused);
        }
        whole
    }

    /// Returns what lies there after a step, and the step that is taken next; `None` if anything keeps it.
    fn next_step(&mut self, facts: &Facts, step: &Plan, whole: &Plan, here: Here<'_>) -> Option<(Facts, Plan)> {
        let bytes = bytes_for_all(&self.rules.markets);
        let least = bytes.as_ref().map_or(0, |bytes| *bytes.start());
        let after = facts_after(facts, step, least).filter(|after| facts.stage.next() == Some(after.stage))?;
        let is_made_first = || step.about.asset.as_ref().is_some_and(|asset| self.learnt.is_made_first(asset));
        let is_last = after.stage == Stage::Upload;
        let waits = || bytes.is_none() || is_made_first() || self.is_upload_in_order();
        if *self.settings.gates.of(after.stage) != Gate::Auto || is_last && waits() {
            return None;
        }
        // Nothing is left there; but while it is away nobody knows what its tags say.
        self.disk().attach(&after.stage.folder()).ok()?;
        here.paused(after.stage).ok()?;
        self.named_right(&after.path).ok()?;
        self.gate(&after, here.now).ok()?;
        let next = self.decide_asset(&after, None, Some(whole), here).ok()?;
        self.leads_on(&next).ok()?;
        // A program may fail, or be away for long: its picture waits for it in the stage whose work it is.
        if after.stage == Stage::Keep && next.is_by_program() {
            return None;
        }
        // Markets look at how many bytes it has.
        let bytes = bytes.filter(|_| is_last);
        Some((after, Plan { bytes, ..next }))
    }

    /// Takes what was made for markets, unless what it shows was sold under another name, or is about to be: nobody
    /// could know before it was made.
    pub(in crate::service) fn as_foreseen(&mut self, plan: &mut Plan, made: Made) -> Result<Made, MakeError> {
        let about = made.about();
        // What became of this asset itself was known when it was decided.
        let sold = self.ledger.bundled_by_others(about.asset.as_ref(), &about.essences);
        let again = about.markets.iter().find(|market| sold.contains(*market));
        let why = again.map(|market| format!("what it shows was bundled for {market} before"));
        let why = why.or_else(|| {
            let other = about.from.as_ref().and_then(|from| self.reserved.shown_by_other(&about.essences, from));
            other.map(|other| format!("it shows what `{other}` shows, which is being worked on"))
        });
        let why = why.or_else(|| refused_before(&mut self.ledger, plan, &made));
        if let Some(why) = why.filter(|_| !about.markets.is_empty()) {
            made.discard(&self.vault);
            return Err(MakeError::Unforeseen(why));
        }
        plan.about.essences.clone_from(&about.essences);
        self.reserved.take_contents(&plan.about);
        Ok(made)
    }

    /// Takes note that a market's own file cannot be made of what a bundle has; returns whether that is so. What a disk
    /// or a program refuses is tried again.
    pub(in crate::service) fn learn_of_offer(&mut self, plan: &Plan, error: &MakeError) -> bool {
        let asset = plan.about.asset.as_ref().filter(|_| !plan.own_files.is_empty());
        match (error, asset) {
            (MakeError::Unfit { .. }, Some(_)) => self.learn(plan, error),
            (MakeError::Unforeseen(_) | MakeError::Content(_), Some(asset)) => {
                self.learnt.is_unmade(asset.clone(), format!("its own file cannot be made: {error}"));
            }
            _ => return false,
        }
        true
    }

    /// Takes note of what showed only when an asset's files were made.
    pub(in crate::service) fn learn(&mut self, plan: &Plan, error: &MakeError) {
        match (error, &plan.about.asset) {
            (MakeError::Unforeseen(_), Some(asset)) => self.learnt.make_first(asset.clone()),
            (MakeError::Unfit { range, why }, Some(asset)) => {
                self.learnt.is_unfit(asset.clone(), *range, why.clone());
            }
            _ => (),
        }
    }
}

/// Returns why a market does not get what was made for it: it has the very bytes that the market refused, and no row that says
/// something else. Decided anew, it goes to the others.
fn refused_before(ledger: &mut Ledger, plan: &Plan, made: &Made) -> Option<String> {
    let bundled = made.products().filter_map(|(to, hash)| Some((to, BundleName::of(to)?.market, hash)));
    let row = |to: &RelPath| plan.again.iter().find(|(file, _)| file == to).map(|(_, row)| row.clone());
    let is_refused = |(to, market, hash): &(&RelPath, MarketName, &ContentHash)| {
        ledger.is_refused(market, &Got { hash: (*hash).clone(), row: row(to) })
    };
    let (to, market, hash) = bundled.into_iter().find(is_refused)?;
    let mut records = plan.products.iter().filter_map(|product| match &product.recipe {
        Recipe::SidecarOf { product, sidecar } if plan.products[*product].to == *to => sidecar.file.as_ref(),
        _ => None,
    });
    if let Some(way) = records.find_map(FileRecord::fingerprint) {
        ledger.made_the_same(&market, hash, &way);
    }
    Some(format!("what was made for {market} has the very bytes that it refused"))
}
