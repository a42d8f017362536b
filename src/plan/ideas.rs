use std::collections::BTreeMap;

use super::note_themes::{ThemeOnDisk, Themes};
use super::revision::{Earlier, outcomes, told};
use super::{Context, Facts, Hold, Plan, Recipe, asset::free_with, new_file};
use crate::model::{RelPath, ThemeSlug, counted};
use crate::records::{About, Idea, Move, Note};

/// What is added to a note's name to name the report of what was not understood or left out.
pub(super) const REPORT: &str = ".report.txt";
/// What it was before, as older journals have it.
pub(super) const OLD_REPORT: &str = ".problems.txt";

/// Plans the themes of a note, and the note's move into the archive. A theme that is there is merged,
/// never overwritten. A later version of a note changes what `earlier` gave.
pub fn plan_note(
    facts: &Facts,
    note: &Note,
    themes: &BTreeMap<ThemeSlug, ThemeOnDisk>,
    earlier: Option<&Earlier>,
    context: &Context<'_>,
) -> Result<Plan, Hold> {
    let mut problems: Vec<String> = note.problems.iter().map(|p| format!("line {}: {}", p.line, p.what)).collect();
    if note.ideas.is_empty() {
        let why = if problems.is_empty() { "it has no ideas".to_owned() } else { problems.join("; ") };
        return Err(Hold::Park(format!("no idea could be read from it: {why}")));
    }
    let archive = RelPath::new("archive/ideas").expect("a constant is a clean path");
    let to = free_with(&archive.join(facts.path.file_name()), &[REPORT], context);
    let mut written = Themes::new(themes, context);
    let outcomes = earlier.and_then(|earlier| Some((earlier, outcomes(earlier, &note.ideas)?)));
    match &outcomes {
        Some((_, outcomes)) => outcomes.iter().for_each(|outcome| written.carry_out(outcome)),
        None => by_theme(&note.ideas).iter().for_each(|(slug, ideas)| written.read(slug, ideas)),
    }
    let revision = outcomes.map_or_else(String::new, |(earlier, outcomes)| told(earlier, &outcomes));
    let did = did(note.ideas.len(), problems.len(), written.prompts_left_out);
    let mut see = String::new();
    problems.append(&mut written.problems);
    if !problems.is_empty() {
        let report = to.with_suffix(REPORT);
        see = format!(" (see `{report}`)");
        let text = format!("Not understood or left out of `{}`:\n\n{}\n", facts.path, problems.join("\n"));
        written.products.push(new_file(report, Recipe::Bytes(text.into_bytes())));
    }
    let did = did + &see + &revision;
    let about = About {
        from: Some(facts.path.clone()),
        hash: Some(facts.hash.clone()),
        to: Some(to.clone()),
        ..About::new(facts.stage, did)
    };
    let moves = vec![Move { from: facts.path.clone(), to, seen: facts.seen }];
    Ok(Plan { products: written.products, moves, removes: written.removes, ..Plan::new(about) })
}

fn did(ideas: usize, lines: usize, prompts: u64) -> String {
    let told = |count: usize, one: &str, what: &str| match count {
        0 => String::new(),
        count => format!("; {} {what}", counted(count, one)),
    };
    let lines = told(lines, "line", "not understood or left out");
    let prompts = told(usize::try_from(prompts).unwrap_or(usize::MAX), "prompt", "left out");
    format!("read as {}{lines}{prompts}", counted(ideas, "theme"))
}

/// Returns the ideas of each theme: two titles may have the same slug.
fn by_theme(ideas: &[Idea]) -> BTreeMap<&ThemeSlug, Vec<&Idea>> {
    let mut themes: BTreeMap<&ThemeSlug, Vec<&Idea>> = BTreeMap::new();
    for idea in ideas {
        themes.entry(&idea.slug).or_default().push(idea);
    }
    themes
}
