//! Taking back what was done: which plans, and by which moves.

use std::collections::HashSet;

use jiff::Timestamp;

use super::BundleFolder;
use super::theme_files::removed;
use super::undo_facts::{UndoFacts, is_same, source_back};
use super::undo_note::plan_themes_back;
use super::{Plan, new_version};
use crate::model::{ContentHash, RelPath, Stage, ThemeSlug};
use crate::records::{About, Intent, Move, Plans, Publish, PublishMode, Record, UndoWhat};

/// Returns the plan that is to be taken back. A plan is taken back once; asking again goes further back. A person means what was begun before `asked`. What is later than `now` was written by a
/// wrong clock, long ago.
pub fn choose_undo<'a>(records: &'a [Record], what: &UndoWhat, asked: Timestamp, now: Timestamp) -> Option<&'a Intent> {
    let mut open = standing(records).into_iter().rev().filter(|intent| {
        let is_step = intent.about.hash.is_some() && intent.about.from.is_some();
        let is_meant = intent.at <= asked || intent.at > now;
        is_step && is_meant
    });
    match what {
        UndoWhat::Last => open.next(),
        UndoWhat::Asset(path) => open.find(|intent| stands_at(intent, path)),
    }
}

/// Returns the plans that were carried out and not taken back, oldest first, each once.
pub fn standing(records: &[Record]) -> Vec<&Intent> {
    let mut intents = Plans::of(records).done_as_begun();
    let undone: HashSet<u64> = intents.iter().filter_map(|intent| intent.about.undoes).collect();
    intents.retain(|intent| intent.about.undoes.is_none() && !undone.contains(&intent.plan));
    intents
}

/// Returns the themes of which assets went on from where they were dropped, and did not come back.
pub fn themes_with_assets(records: &[Record]) -> HashSet<&ThemeSlug> {
    let of_assets = standing(records).into_iter().filter(|intent| intent.about.asset.is_some());
    of_assets.filter_map(|intent| intent.about.theme.as_ref()).collect()
}

fn stands_at(intent: &Intent, path: &RelPath) -> bool {
    let published = intent.publish.iter().map(|product| &product.to);
    published.chain(intent.moves.iter().map(|shift| &shift.to)).any(|to| to == path)
}

/// Plans to take one plan back, or says why that cannot be done: something changed since.
pub fn plan_undo(intent: &Intent, facts: &UndoFacts<'_>) -> Result<Plan, String> {
    let mut plan = Plan::new(about(intent));
    let is_note = intent.about.stage == Stage::Ideas;
    if is_note {
        plan_themes_back(&mut plan, intent, facts)?;
    } else {
        plan_products_back(&mut plan, intent, facts)?;
    }
    for shift in &intent.moves {
        let seen = (facts.seen)(&shift.to).filter(|seen| is_same(*seen, shift.seen));
        let seen = seen.ok_or_else(|| went_on(&shift.to))?;
        plan.moves.push(Move { from: shift.to.clone(), to: shift.from.clone(), seen });
    }
    for gone in intent.removes.iter().filter(|gone| !is_note || gone.copied_to.is_some()) {
        plan.moves.extend(source_back(gone, facts)?);
    }
    let taken = plan.moves.iter().find(|shift| (facts.seen)(&shift.to).is_some());
    match taken {
        Some(shift) => Err(format!("`{}` is taken by another file; move that one away first", shift.to)),
        None => Ok(plan),
    }
}

/// Plans to take back what was made of an asset.
fn plan_products_back(plan: &mut Plan, intent: &Intent, facts: &UndoFacts<'_>) -> Result<(), String> {
    let is_there = |product: &&Publish| (facts.seen)(&product.to).is_some();
    // What a person took out of the bundle of one market does not keep it in that of another one.
    let is_bundled = intent.publish.iter().filter(is_there).any(|product| BundleFolder::is_file(&product.to));
    let is_in_bundle = |path: &RelPath| BundleFolder::of(path).is_some() || BundleFolder::is_part(path);
    let is_taken_out = |product: &Publish| is_bundled && is_in_bundle(&product.to) && !is_there(&product);
    for product in intent.publish.iter().filter(|product| !is_taken_out(product)) {
        let left = facts.left(intent.plan, product);
        if (facts.hash)(&product.to).as_ref() != Some(left) {
            return Err(went_on(&product.to));
        }
        if intent.removes.iter().any(|gone| gone.copied_to.as_ref() == Some(&product.to)) {
            // This copy is moved back in place of the source.
            continue;
        }
        let PublishMode::Replace { was: Some(was) } = &product.mode else {
            let seen = (facts.seen)(&product.to).ok_or_else(|| format!("`{}` is gone", product.to))?;
            plan.removes.push(removed(product.to.clone(), seen));
            continue;
        };
        let bytes = (facts.replaced)(&product.scratch).filter(|bytes| ContentHash::of(bytes) == *was);
        let bytes = bytes.ok_or_else(|| format!("the version of `{}` from before is no longer kept", product.to))?;
        plan.products.push(new_version(product.to.clone(), bytes, Some(left.clone())));
    }
    Ok(())
}

/// Returns why a step stays whose file is another one by now.
fn went_on(file: &RelPath) -> String {
    // What a person wrote into a sidecar there would be lost.
    let way_out = if BundleFolder::of(file).is_some() || BundleFolder::is_part(file) {
        "undo its later step first; what was changed by hand leaves its bundle only by hand: delete it there"
    } else {
        "undo its later step first"
    };
    format!("`{file}` changed or went on since: {way_out}")
}

fn about(intent: &Intent) -> About {
    About {
        from: intent.about.to.clone(),
        to: intent.about.from.clone(),
        essences: Vec::new(),
        undoes: Some(intent.plan),
        steps: Vec::new(),
        did: format!("undone: {}", intent.about.did),
        ..intent.about.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stage;

    fn step(plan: u64, at: &str) -> [Record; 2] {
        let path = |name: &str| RelPath::new(format!("raw/{name}.png")).unwrap();
        let about = About {
            from: Some(path("a")),
            hash: Some(ContentHash::of(b"a")),
            to: Some(path("b")),
            ..About::new(Stage::Raw, "named")
        };
        let (at, claims) = (at.parse().unwrap(), false);
        let intent = Intent { plan, at, claims, about, publish: vec![], moves: vec![], removes: vec![] };
        [Record::Intent(intent), Record::Done { plan }]
    }

    /// What had been done by a clock in 2030 could not be undone, and the step before it was taken back instead.
    #[test]
    fn the_last_step_is_the_last_one_whatever_its_clock_said() {
        let (asked, now) = ("2026-11-27T10:00:00Z".parse().unwrap(), "2026-11-27T10:00:09Z".parse().unwrap());
        let cases = [
            (&["2026-11-27T09:00:00Z", "2026-11-27T09:30:00Z"], 2),
            (&["2026-11-27T09:00:00Z", "2030-01-01T00:00:00Z"], 2),
            (&["2030-01-01T00:00:00Z", "2026-11-27T09:00:00Z"], 2),
            // The second one was begun after the person had asked.
            (&["2026-11-27T09:00:00Z", "2026-11-27T10:00:03Z"], 1),
        ];
        for (times, expected) in cases {
            let records: Vec<Record> = (1..).zip(times).flat_map(|(plan, at)| step(plan, at)).collect();
            let chosen = choose_undo(&records, &UndoWhat::Last, asked, now).map(|intent| intent.plan);
            assert_eq!(chosen, Some(expected), "{times:?}");
        }
    }
}
