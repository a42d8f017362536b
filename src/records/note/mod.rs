//! Idea notes: what a person jots down becomes ideas, whatever its form. It must never refuse a
//! whole note for one bad line, and never keep silent about what it could not understand.
//!
//! Each form is read into blocks (`block`): Markdown and plain text, CSV, YAML. `outline` and `lists` say what
//! the blocks are, and `ideas` makes ideas of them. The grammar is `docs/NOTES.md`.

mod block;
mod bullets;
mod csv;
mod draft;
mod encoding;
mod ideas;
mod keys;
mod labels;
mod letter;
mod lists;
mod markdown;
mod marks;
mod outline;
mod show;
mod table;
mod unique_list;
mod yaml;

#[cfg(test)]
mod kinds;
#[cfg(test)]
mod scenarios;

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::prompts::{expand, has_alternatives};
use crate::model::{Look, People, ThemeSlug};
use draft::{Draft, Themed};
pub(super) use encoding::decode;

/// The longest front matter; it is copied into every idea.
const FRONT_MATTER_BYTES_MAX: usize = 64 * 1024;
const NOTE_BYTES_MAX: usize = 4 * 1024 * 1024;
const IDEAS_MAX: usize = 10_000;
const PROBLEMS_MAX: usize = 1_000;
const TITLE_BYTES_MAX: usize = 200;
/// What all ideas together may inherit from their note.
const INHERITED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Fields of a shared title, and what stands for one that looks like alternatives while these are expanded: no text has
/// that character.
const NUMBER_FIELD: &str = "{n}";
const WORDS_FIELD: &str = "{original|words}";
const FIELD_HELD: &str = "\u{fdd0}";
/// How many themes one title with alternatives may stand for.
const TITLE_VARIANTS_MAX: usize = 16;

/// One idea of a note; it becomes a theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idea {
    /// What it is about, on one line.
    pub title: String,
    /// The theme's name.
    pub slug: ThemeSlug,
    /// Keywords in the note's order, those of the whole note last.
    pub keywords: Vec<String>,
    /// Words for mood and style.
    pub mood: Vec<String>,
    /// A sentence or more, on one line.
    pub description: Option<String>,
    /// 1 is the most urgent.
    pub priority: Option<u8>,
    /// How many variations are wanted.
    pub variations: Option<u32>,
    /// Prompts in order, with their alternatives not yet expanded.
    pub prompts: Vec<String>,
    /// Category per market.
    pub category: BTreeMap<String, String>,
    /// What its pictures look like.
    pub look: Option<Look>,
    /// Whether people appear in them.
    pub people: Option<People>,
    /// The day that they are for.
    pub season: Option<Date>,
    /// The line that it starts in, counted from 1.
    pub line: usize,
}

/// A part of a note that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// The text, cut, and what is wrong with it.
    pub what: String,
}

/// What was found in a note.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Note {
    /// The ideas in the note's order, each theme once.
    pub ideas: Vec<Idea>,
    /// What was not understood, in the note's order.
    pub problems: Vec<Problem>,
}

/// Reads a note by its name's extension; what cannot be understood is a problem of the note.
pub fn parse_note(file_name: &str, bytes: &[u8]) -> Note {
    let mut found = Found::default();
    if bytes.len() > NOTE_BYTES_MAX {
        found.problem(1, "the note has more than 4 MiB; split it", file_name);
        return found.into_note();
    }
    let text = match encoding::decode(bytes) {
        Ok(decoded) => {
            if let Some((line, what)) = decoded.told {
                found.problem(line, &what, file_name);
            }
            decoded.text
        }
        Err(what) => {
            found.problem(1, what, file_name);
            return found.into_note();
        }
    };
    let (stem, extension) = file_name.rsplit_once('.').unwrap_or((file_name, ""));
    let mut title = None;
    let blocks = match extension.to_lowercase().as_str() {
        "csv" | "tsv" => csv::read(&text, &mut found),
        "yaml" | "yml" | "json" => yaml::read(&text, &mut found),
        _ if csv::is_table(&text) => csv::read(&text, &mut found),
        _ => {
            let letter = letter::body_of(&text, &mut found);
            let (front, body, first) = split_front_matter(letter.as_deref().unwrap_or(&text));
            let mut blocks = Vec::new();
            title = front.and_then(|front| yaml::read_front_matter(front, &mut found, &mut blocks));
            blocks.append(&mut markdown::read(body, first, &mut found));
            blocks
        }
    };
    ideas::read(blocks, title.as_deref(), stem, &mut found);
    found.tell_defaults();
    if found.ideas.is_empty() && found.problems.is_empty() {
        found.problem(1, "no idea was found; write one per line", file_name);
    }
    found.into_note()
}

/// Returns the front matter if there is one, the body, and the number of the body's first line.
fn split_front_matter(text: &str) -> (Option<&str>, &str, usize) {
    let Some(inner) = text.strip_prefix("---\n") else {
        return (None, text, 1);
    };
    let mut offset = 0;
    for (at, line) in inner.split_inclusive('\n').enumerate() {
        if matches!(line.trim_end(), "---" | "...") {
            return (Some(&inner[..offset]), &inner[offset + line.len()..], at + 3);
        }
        offset += line.len();
        if offset > FRONT_MATTER_BYTES_MAX {
            break;
        }
    }
    (None, text, 1)
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    ideas: Vec<Themed>,
    by_slug: HashMap<String, usize>,
    problems: Vec<Problem>,
    problems_left_out: usize,
    /// What every idea of the note inherits.
    defaults: Draft,
    is_full: bool,
}

impl Found {
    fn problem(&mut self, line: usize, what: &str, text: &str) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem::about(line, what, text));
        } else {
            self.problems_left_out += 1;
        }
    }

    /// Tells what stands above all ideas and goes to none.
    fn tell_defaults(&mut self) {
        let (told, why) = if self.ideas.is_empty() {
            (self.defaults.shown(), "it is for all ideas of the note, and there is none")
        } else {
            let told = self.defaults.taken_by_none(&self.ideas);
            (told, "it is for all ideas of the note, and each has another value")
        };
        let line = self.defaults.line.max(1);
        told.iter().for_each(|text| self.problem(line, why, text));
    }

    /// Adds a finished draft, or several if its title has alternatives.
    fn push(&mut self, mut draft: Draft) {
        for (line, what, text) in std::mem::take(&mut draft.told) {
            self.problem(line, what, &text);
        }
        if draft.is_done {
            return self.problem(draft.line, "it is done, so it is left out", &draft.title);
        }
        if draft.title.len() > TITLE_BYTES_MAX {
            self.problem(draft.line, "the title has more than 200 bytes and was cut", &draft.title);
            let cut = &draft.title[..draft.title.floor_char_boundary(TITLE_BYTES_MAX)];
            let words = cut.rsplit_once(' ').map_or(cut, |(words, _)| words).trim_end_matches([' ', ',', ';']);
            draft.title.truncate(words.len());
        }
        // A field that looks like alternatives stays one.
        let title = draft.title.replace(WORDS_FIELD, FIELD_HELD);
        if !has_alternatives(&title) {
            return self.push_one(draft);
        }
        let variants = expand(&title, TITLE_VARIANTS_MAX, INHERITED_BYTES_MAX);
        if variants.left_out > 0 {
            self.problem(draft.line, "the title has more than 16 variants; the first 16 are used", &draft.title);
        }
        for title in variants.prompts {
            self.push_one(draft.clone().titled(&title.replace(FIELD_HELD, WORDS_FIELD)));
        }
    }

    fn push_one(&mut self, draft: Draft) {
        let Some(slug) = ThemeSlug::from_title(&draft.title.replace(NUMBER_FIELD, "").replace(WORDS_FIELD, "")) else {
            self.problem(draft.line, "the title has no letter or digit to name a theme by", &draft.title);
            let line = draft.line;
            return draft
                .shown()
                .iter()
                .for_each(|text| self.problem(line, "the idea that it is about has no title", text));
        };
        if let Some(at) = self.by_slug.get(slug.as_str()) {
            for (line, what, text) in self.ideas[*at].merge(&draft) {
                self.problem(line, what, &text);
            }
        } else if self.ideas.len() < IDEAS_MAX {
            self.by_slug.insert(slug.as_str().to_owned(), self.ideas.len());
            self.ideas.push(Themed::new(slug, draft));
        } else if !std::mem::replace(&mut self.is_full, true) {
            self.problem(draft.line, "the note has more than 10000 ideas; split it", &draft.title);
        }
    }

    fn into_note(mut self) -> Note {
        let cut: Vec<usize> = self.ideas.iter().filter_map(Themed::cut_line).collect();
        for line in cut {
            self.problem(line, "a text or a list was too long, and part of it was left out", "idea");
        }
        if self.defaults.shorten_words(INHERITED_BYTES_MAX / self.ideas.len().max(1)) {
            let what = "the keywords of the whole note are too many for so many ideas; the last were left out";
            self.problem(1, what, "keywords");
        }
        self.ideas.sort_by_key(Themed::line);
        self.problems.sort_by_key(|problem| problem.line);
        if self.problems_left_out > 0 {
            let line = self.problems.last().map_or(1, |problem| problem.line);
            let what = format!("{} more problems are not shown", self.problems_left_out);
            self.problems.push(Problem { line, what });
        }
        let ideas = self.ideas.into_iter().map(|idea| idea.into_idea(&self.defaults)).collect();
        Note { ideas, problems: self.problems }
    }
}
