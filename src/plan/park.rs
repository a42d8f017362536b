use super::{Context, Facts, Plan, Recipe, asset::free_path, asset::free_with, new_file};
use crate::model::RelPath;
use crate::records::{About, Move};

/// What is added to a file's name to name the reason why it was set aside.
pub const REASON: &str = ".reason.txt";

/// Plans the way to `failed/STAGE/` for an asset that needs a person, with everything that belongs to
/// it and the reason in words.
pub fn plan_park(facts: &Facts, context: &Context<'_>, why: &str) -> Plan {
    let failed = RelPath::new("failed").expect("a constant is a clean path");
    let to = free_with(&failed.join(facts.path.as_path()), &[REASON], context);
    let about = About {
        stage: facts.stage,
        theme: super::theme_of_path(&facts.path).0,
        asset: None,
        seq: None,
        from: Some(facts.path.clone()),
        hash: None,
        to: Some(to.clone()),
        undoes: None,
        market: None,
        did: format!("set aside: {why}"),
    };
    let text = format!(
        "{}\n\nIt was dropped as `{}`. Mend or replace it, then move it back into `{}`; \
         or delete it together with this note.\n",
        why, facts.path, facts.stage
    );
    let reason = new_file(to.with_suffix(REASON), Recipe::Bytes(text.into_bytes()));
    let mut moves = vec![Move { from: facts.path.clone(), to: to.clone(), seen: facts.seen }];
    let sidecar = facts.sidecar.iter().map(|(companion, _)| companion);
    let (old_stem, new_stem) = (facts.path.stem(), to.stem());
    let (old_stem, new_stem) = (old_stem.to_string_lossy(), new_stem.to_string_lossy());
    for companion in sidecar.chain(&facts.companions).chain(&facts.members) {
        let mut beside = failed.join(companion.path.as_path());
        // What goes with the asset keeps going with it when another one has its name here already.
        if let Some(rest) = companion.path.file_text().strip_prefix(&*old_stem) {
            beside = beside.sibling(format!("{new_stem}{rest}"));
        }
        moves.push(Move { from: companion.path.clone(), to: free_path(&beside, context), seen: companion.seen });
    }
    Plan { about, check: None, products: vec![reason], moves, removes: Vec::new() }
}
