use std::collections::BTreeMap;

use super::revision::{Outcome, merged_prompts, merged_tags};
use super::{Context, Product, Recipe, asset::free_path, folder_in, new_file, new_version};
use crate::model::{ContentHash, RelPath, ThemeSlug};
use crate::records::{Idea, Remove, ThemeFile, expand, merge_prompts, prompts_text};

/// The most bytes of prompts that one note may stand for, and that a theme may have: a few lines with
/// alternatives stand for any number. It is well below what is read back.
const PROMPTS_BYTES_MAX: usize = 4 << 20;

/// The records that a theme has already.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ThemeOnDisk {
    /// Its `tags.yaml`.
    pub tags: Option<TagsOnDisk>,
    /// The text of its `prompts.txt` in `raw`.
    pub prompts: Option<String>,
}

/// A theme's `tags.yaml` as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct TagsOnDisk {
    /// Where it lies: in `raw`, or where the theme is if it is not there.
    pub path: RelPath,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub file: ThemeFile,
}

/// What a note writes and takes away.
pub(super) struct Themes<'a> {
    on_disk: &'a BTreeMap<ThemeSlug, ThemeOnDisk>,
    context: &'a Context<'a>,
    /// How many bytes of prompts the note may still have.
    room: usize,
    /// What is left out.
    pub(super) problems: Vec<String>,
    pub(super) prompts_left_out: u64,
    pub(super) products: Vec<Product>,
    pub(super) removes: Vec<Remove>,
}

impl<'a> Themes<'a> {
    pub(super) fn new(on_disk: &'a BTreeMap<ThemeSlug, ThemeOnDisk>, context: &'a Context<'a>) -> Self {
        Self {
            on_disk,
            context,
            room: PROMPTS_BYTES_MAX,
            problems: Vec::new(),
            prompts_left_out: 0,
            products: Vec::new(),
            removes: Vec::new(),
        }
    }

    /// Carries out what was decided for a theme of the earlier version, or for an idea of the later one.
    pub(super) fn carry_out(&mut self, outcome: &Outcome<'_>) {
        match outcome {
            Outcome::Read(idea) => self.read(&idea.slug, &[idea]),
            Outcome::Same(_) | Outcome::Stays(..) => (),
            Outcome::Changed(idea) => self.rewrite(idea),
            Outcome::Renamed(_, idea, removes) => {
                self.removes.extend(removes.iter().cloned());
                self.read(&idea.slug, &[idea]);
            }
            Outcome::TakenBack(_, removes) => self.removes.extend(removes.iter().cloned()),
            Outcome::Merged(before, after, _) => self.merge(before, after),
        }
    }

    /// Writes a new theme, or adds to the one that is there what it lacks.
    pub(super) fn read(&mut self, slug: &ThemeSlug, ideas: &[&Idea]) {
        let on_disk = self.theme(slug);
        match &on_disk.tags {
            None => {
                let mut file = ThemeFile::from_idea(ideas[0]);
                for idea in &ideas[1..] {
                    file.merge_idea(idea);
                }
                self.products.push(new_version(tags_path(slug), file.to_text().into_bytes(), None));
            }
            Some(tags) => {
                let mut merged = tags.file.clone();
                let is_changed = ideas.iter().filter(|idea| merged.merge_idea(idea)).count() > 0;
                self.write_tags(slug, &on_disk, is_changed.then_some(merged));
            }
        }
        let existing = on_disk.prompts.as_ref().map_or(0, String::len);
        let prompts = self.prompts(slug, ideas, existing);
        if !prompts.is_empty() {
            let text =
                on_disk.prompts.as_ref().map_or_else(|| prompts_text(&prompts), |text| merge_prompts(text, &prompts));
            self.write_prompts(slug, &on_disk, text);
        }
    }

    /// Rewrites a theme that nobody but the note wrote.
    fn rewrite(&mut self, idea: &Idea) {
        let on_disk = self.theme(&idea.slug);
        let text = ThemeFile::from_idea(idea).to_text().into_bytes();
        match &on_disk.tags {
            Some(tags) if tags.bytes == text => (),
            Some(tags) => self.products.push(new_version(tags.path.clone(), text, Some(ContentHash::of(&tags.bytes)))),
            None => self.products.push(new_version(tags_path(&idea.slug), text, None)),
        }
        let prompts = self.prompts(&idea.slug, &[idea], 0);
        self.write_prompts(&idea.slug, &on_disk, prompts_text(&prompts));
    }

    /// Merges what changed in the note into a theme that somebody worked on.
    fn merge(&mut self, before: &Idea, after: &Idea) {
        let slug = &before.slug;
        let on_disk = self.theme(slug);
        let Some(tags) = &on_disk.tags else { return self.read(&after.slug, &[after]) };
        let merged = merged_tags(before, after, &tags.bytes, &tags.file);
        self.write_tags(slug, &on_disk, merged);
        let theirs = on_disk.prompts.clone().unwrap_or_default();
        // The prompts of the earlier version take no room, and what was left out of them was told then.
        let earlier = Self::new(self.on_disk, self.context).prompts(slug, &[before], 0);
        let later = self.prompts(slug, &[after], theirs.len());
        self.write_prompts(slug, &on_disk, merged_prompts(&earlier, &later, &theirs));
    }

    fn theme(&self, slug: &ThemeSlug) -> ThemeOnDisk {
        self.on_disk.get(slug).cloned().unwrap_or_default()
    }

    /// Replaces the tags of a theme that is there. Where nothing changes, the same bytes are written: then it
    /// is on record that this note wants the theme, too.
    fn write_tags(&mut self, slug: &ThemeSlug, on_disk: &ThemeOnDisk, merged: Option<ThemeFile>) {
        let Some(tags) = &on_disk.tags else { return };
        let hash = ContentHash::of(&tags.bytes);
        let Some(merged) = merged else {
            self.products.push(new_version(tags.path.clone(), tags.bytes.clone(), Some(hash)));
            return;
        };
        // The version that is replaced may be a person's: it is kept.
        let kept = free_path(&folder_in("archive", slug, None).join("tags.yaml"), self.context);
        self.products.push(new_file(kept, Recipe::Bytes(tags.bytes.clone())));
        let text = merged.edited_text(&String::from_utf8_lossy(&tags.bytes), &tags.file);
        self.products.push(new_version(tags.path.clone(), text.into_bytes(), Some(hash)));
    }

    fn write_prompts(&mut self, slug: &ThemeSlug, on_disk: &ThemeOnDisk, text: String) {
        if text == on_disk.prompts.as_deref().unwrap_or_default() {
            return;
        }
        let was = on_disk.prompts.as_ref().map(|text| ContentHash::of(text.as_bytes()));
        let path = folder_in("raw", slug, None).join("prompts.txt");
        self.products.push(new_version(path, text.into_bytes(), was));
    }

    /// Returns the prompts of a theme, as far as there is room beside `existing` bytes of them.
    fn prompts(&mut self, slug: &ThemeSlug, ideas: &[&Idea], existing: usize) -> Vec<String> {
        let (mut prompts, mut left_out) = (Vec::new(), 0_u64);
        let prompts_max = self.context.rules.prompts_max;
        let mut own = self.room.min(PROMPTS_BYTES_MAX.saturating_sub(existing));
        for prompt in ideas.iter().flat_map(|idea| &idea.prompts) {
            let expansion = expand(prompt, prompts_max, own);
            let bytes = expansion.prompts.iter().map(|prompt| prompt.len() + 1).sum();
            own = own.saturating_sub(bytes);
            self.room = self.room.saturating_sub(bytes);
            left_out = left_out.saturating_add(expansion.left_out);
            prompts.extend(expansion.prompts);
        }
        if left_out > 0 {
            self.prompts_left_out = self.prompts_left_out.saturating_add(left_out);
            self.problems.push(format!(
                "theme `{slug}`: {} left out; split the note, or use fewer alternatives \
                 (`ideas.prompts_max` allows {prompts_max} of one line)",
                if left_out == 1 { "1 prompt is".to_owned() } else { format!("{left_out} prompts are") }
            ));
        }
        prompts
    }
}

fn tags_path(slug: &ThemeSlug) -> RelPath {
    folder_in("raw", slug, None).join("tags.yaml")
}
