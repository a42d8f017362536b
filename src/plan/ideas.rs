use std::collections::BTreeMap;

use super::{Context, Facts, Hold, Plan, Recipe, asset::free_path, asset::free_with, folder_in, new_file, new_version};
use crate::model::{ContentHash, RelPath, ThemeSlug};
use crate::records::{About, Idea, Move, Note, ThemeFile, expand, merge_prompts, prompts_text};

/// What is added to a note's name to name the list of what was not understood or left out.
pub(super) const PROBLEMS: &str = ".problems.txt";

/// The most bytes of prompts that one note may stand for, and that a theme may have: a few lines with
/// alternatives stand for any number. It is well below what is read back.
const PROMPTS_BYTES_MAX: usize = 4 << 20;

/// What a theme's folder in `raw` holds already.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ThemeOnDisk {
    /// The bytes of its `tags.yaml`, and what they say.
    pub tags: Option<(Vec<u8>, ThemeFile)>,
    /// The text of its `prompts.txt`.
    pub prompts: Option<String>,
}

/// Plans the themes of a note, and the note's way into the archive. A theme that is there is merged,
/// never overwritten.
pub fn plan_note(
    facts: &Facts,
    note: &Note,
    themes: &BTreeMap<ThemeSlug, ThemeOnDisk>,
    context: &Context<'_>,
) -> Result<Plan, Hold> {
    let mut problems: Vec<String> = note.problems.iter().map(|p| format!("line {}: {}", p.line, p.what)).collect();
    if note.ideas.is_empty() {
        let why = if problems.is_empty() { "it has no ideas".to_owned() } else { problems.join("; ") };
        return Err(Hold::Park(format!("no idea could be read from it: {why}")));
    }
    let archive = RelPath::new("archive/ideas").expect("a constant is a clean path");
    let to = free_with(&archive.join(facts.path.file_name()), &[PROBLEMS], context);
    let mut plan = Plan {
        about: About {
            stage: facts.stage,
            theme: None,
            asset: None,
            seq: None,
            from: Some(facts.path.clone()),
            hash: Some(facts.hash.clone()),
            to: Some(to.clone()),
            undoes: None,
            market: None,
            did: String::new(),
        },
        check: None,
        products: Vec::new(),
        moves: vec![Move { from: facts.path.clone(), to: to.clone(), seen: facts.seen }],
        removes: Vec::new(),
    };
    let (lines, mut prompts, mut room) = (problems.len(), 0, PROMPTS_BYTES_MAX);
    for (slug, ideas) in by_theme(&note.ideas) {
        let on_disk = themes.get(slug).cloned().unwrap_or_default();
        let left_out = plan_theme(&mut plan, slug, &ideas, &on_disk, context, &mut room);
        prompts += left_out;
        if left_out > 0 {
            problems.push(format!(
                "theme `{slug}`: {left_out} prompts are left out; split the note, or use fewer alternatives"
            ));
        }
    }
    plan.about.did = did(note.ideas.len(), lines, prompts);
    if !problems.is_empty() {
        let text = format!("Not understood or left out of `{}`:\n\n{}\n", facts.path, problems.join("\n"));
        plan.products.push(new_file(to.with_suffix(PROBLEMS), Recipe::Bytes(text.into_bytes())));
    }
    Ok(plan)
}

fn did(ideas: usize, lines: usize, prompts: u64) -> String {
    let lines = if lines == 0 { String::new() } else { format!("; {lines} lines not understood") };
    let prompts = if prompts == 0 { String::new() } else { format!("; {prompts} prompts left out") };
    format!("read as {ideas} themes{lines}{prompts}")
}

/// Returns the ideas of each theme: two titles may have the same slug.
fn by_theme(ideas: &[Idea]) -> BTreeMap<&ThemeSlug, Vec<&Idea>> {
    let mut themes: BTreeMap<&ThemeSlug, Vec<&Idea>> = BTreeMap::new();
    for idea in ideas {
        themes.entry(&idea.slug).or_default().push(idea);
    }
    themes
}

/// Plans one theme; `room` is how many bytes of prompts the note may still have. Returns how many prompts
/// had no room.
fn plan_theme(
    plan: &mut Plan,
    slug: &ThemeSlug,
    ideas: &[&Idea],
    on_disk: &ThemeOnDisk,
    context: &Context<'_>,
    room: &mut usize,
) -> u64 {
    let folder = folder_in("raw", slug, None);
    let tags_path = folder.join("tags.yaml");
    match &on_disk.tags {
        None => {
            let mut file = ThemeFile::from_idea(ideas[0]);
            for idea in &ideas[1..] {
                file.merge_idea(idea);
            }
            plan.products.push(new_version(tags_path, file.to_text().into_bytes(), None));
        }
        Some((bytes, file)) => {
            let mut merged = file.clone();
            let changed = ideas.iter().filter(|idea| merged.merge_idea(idea)).count() > 0;
            if changed {
                let hash = ContentHash::of(bytes);
                // A person's own comments and order are kept in the version that goes.
                let kept = free_path(&folder_in("archive", slug, None).join("tags.yaml"), context);
                plan.products.push(new_file(kept, Recipe::Bytes(bytes.clone())));
                plan.products.push(new_version(tags_path, merged.to_text().into_bytes(), Some(hash)));
            }
        }
    }
    let (mut prompts, mut left_out) = (Vec::new(), 0_u64);
    let existing = on_disk.prompts.as_ref().map_or(0, String::len);
    let mut own = (*room).min(PROMPTS_BYTES_MAX.saturating_sub(existing));
    for prompt in ideas.iter().flat_map(|idea| &idea.prompts) {
        let expansion = expand(prompt, context.rules.prompts_max, own);
        let bytes = expansion.prompts.iter().map(|prompt| prompt.len() + 1).sum();
        own = own.saturating_sub(bytes);
        *room = room.saturating_sub(bytes);
        let given = expansion.prompts.len() as u64;
        let wanted = expansion.left_out.saturating_add(given).min(context.rules.prompts_max as u64);
        left_out += wanted - given;
        prompts.extend(expansion.prompts);
    }
    if prompts.is_empty() {
        return left_out;
    }
    let text = match &on_disk.prompts {
        Some(existing) => merge_prompts(existing, &prompts),
        None => prompts_text(&prompts),
    };
    if Some(&text) != on_disk.prompts.as_ref() {
        let was = on_disk.prompts.as_ref().map(|text| ContentHash::of(text.as_bytes()));
        plan.products.push(new_version(folder.join("prompts.txt"), text.into_bytes(), was));
    }
    left_out
}
