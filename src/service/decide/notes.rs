//! Deciding on a note: what lies of its themes, and what its earlier version gave.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use super::record_settle::refused;
use super::{Decider, Here, tags};
use crate::intake::Now;
use crate::model::{ContentHash, RelPath, Stage, ThemeSlug};
use crate::plan::{
    Earlier, Facts, Hold, Plan, TagsOnDisk, ThemeFiles, ThemeOnDisk, is_in_question, plan_note, revised, sync_base_path,
};
use crate::records::{Idea, Note, ThemeFile, parse_note};
use crate::service::theme_files::{STAGES, theme_files};
use tags::NOTE_BYTES_MAX;

impl Decider {
    /// Decides what becomes of a note.
    pub(super) fn decide_note(&mut self, facts: &Facts, here: Here<'_>) -> Result<Plan, Hold> {
        let note = self.read_note(&facts.path)?;
        let earlier = self.earlier(facts, &note)?;
        let mut themes = BTreeMap::new();
        for idea in note.ideas.iter().chain(earlier.iter().flat_map(|earlier| &earlier.ideas)) {
            if !themes.contains_key(&idea.slug) {
                themes.insert(idea.slug.clone(), self.theme_on_disk(&idea.slug, here.now.for_settle())?);
            }
        }
        self.with_context(here, &[], None, &BTreeMap::new(), &[], |context| {
            plan_note(facts, &note, &themes, earlier.as_ref(), context)
        })
    }

    /// Reads a note as it lies there now.
    pub(in crate::service) fn read_note(&self, path: &RelPath) -> Result<Note, Hold> {
        let bytes = self.disk().read(path, NOTE_BYTES_MAX).map_err(|error| refused(path, &error))?;
        Ok(parse_note(&path.file_text(), &bytes))
    }

    /// Returns the version before, if this note is a later one of it.
    fn earlier(&self, facts: &Facts, note: &Note) -> Result<Option<Earlier>, Hold> {
        let Some(before) = self.ledger.notes.before(&facts.path) else { return Ok(None) };
        let bytes = match self.disk().read(&before.at, NOTE_BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| refused(&before.at, &error))?,
        };
        // What a person made of the one in the archive is not what gave the themes.
        if ContentHash::of(&bytes) != before.hash {
            return Ok(None);
        }
        let ideas = parse_note(&facts.path.file_text(), &bytes).ideas;
        let Some(pairs) = revised(&ideas, &note.ideas) else { return Ok(None) };
        let mut files = BTreeMap::new();
        for (idea, later) in ideas.iter().zip(pairs) {
            if self.is_in_question(idea, later.map(|later| &note.ideas[later]))? {
                files.insert(idea.slug.clone(), self.files_of(&idea.slug)?);
            }
        }
        Ok(Some(Earlier { at: Some(before.at), ideas, wrote: before.wrote, files }))
    }

    /// Returns whether it matters what lies of a theme: its idea changed, or its folder is not where it was.
    fn is_in_question(&self, idea: &Idea, later: Option<&Idea>) -> Result<bool, Hold> {
        let tags = Stage::Raw.folder().join(idea.slug.as_str()).join("tags.yaml");
        let is_there = self.disk().stat(&tags).map_err(|error| refused(&tags, &error))?.is_some();
        Ok(is_in_question(idea, later) || !is_there)
    }

    /// Returns what lies of a theme in all stages.
    fn files_of(&self, theme: &ThemeSlug) -> Result<ThemeFiles, Hold> {
        let files = theme_files(self.disk(), theme, &self.settings.settle.ignore);
        let wait = |why| Hold::Waits(format!("an earlier version of it gave the theme `{theme}`, and {why}"));
        let mut files = files.map_err(wait)?;
        if self.ledger.next_seq(theme) > 1 {
            files.in_use.get_or_insert_with(|| "it has assets".to_owned());
        }
        Ok(files)
    }

    fn theme_on_disk(&mut self, theme: &ThemeSlug, now: Now) -> Result<ThemeOnDisk, Hold> {
        let folder = Stage::Raw.folder().join(theme.as_str());
        let prompts = self
            .tags
            .read_record(self.vault.disk(), &folder.join("prompts.txt"), now)?
            .map(String::from_utf8)
            .transpose()
            .map_err(|_| Hold::Waits(format!("`{}` is not UTF-8; save it as UTF-8", folder.join("prompts.txt"))))?;
        for stage in STAGES {
            let path = stage.folder().join(theme.as_str()).join("tags.yaml");
            let bytes = match self.tags.read_record(self.vault.disk(), &path, now) {
                Err(hold @ Hold::Settling { .. }) => return Err(hold),
                // A stage that is away may hold only a theme that was known.
                Err(_) if stage != Stage::Raw && !self.is_known(theme)? => None,
                read => read?,
            };
            let Some(bytes) = bytes else { continue };
            let cannot = |error| Hold::Waits(format!("`{path}` cannot be read: {error}"));
            let file = ThemeFile::parse(&bytes).map_err(cannot)?;
            return Ok(ThemeOnDisk { tags: Some(TagsOnDisk { path, bytes, file }), prompts });
        }
        Ok(ThemeOnDisk { tags: None, prompts })
    }

    /// Returns whether a theme's tags were ever brought into step.
    fn is_known(&self, theme: &ThemeSlug) -> Result<bool, Hold> {
        let base = sync_base_path(theme, None);
        Ok(self.disk().stat(&base).map_err(|error| refused(&base, &error))?.is_some())
    }
}
