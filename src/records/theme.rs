mod page;

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use super::error::RecordError;
use super::note::Idea;
use super::yaml::{other_version, read_shared, second_position, without_place};
use super::yaml_edit::merged_text;
use super::yaml_guard;
use crate::model::{
    Ai, AiField, EnhanceTags, EnlargeTags, Look, People, SourceType, Tags, category_map, nearest, normal_keyword, words,
};
use page::Page;

const THEME_BYTES_MAX: usize = 1024 * 1024;
/// The only version so far.
const VERSION: u32 = 1;

const HEADER: &str = "\
# Shared tags of this theme: every asset in this folder inherits what stands here.
# To use a line that starts with `# `, remove that sign. A keyword `-word` takes `word` away.
";

/// What `tags.yaml` in a theme's folder says: the tags that all of the theme's assets share.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThemeFile {
    /// Version of the file's form; 1 when absent.
    pub version: u32,
    /// Title of every asset.
    pub title: Option<String>,
    /// Description of every asset.
    pub description: Option<String>,
    /// Keywords, most important first; `-word` takes away an inherited `word`.
    #[serde(deserialize_with = "words_or_none")]
    pub keywords: Vec<String>,
    /// Who made it.
    pub creator: Option<String>,
    /// Copyright line.
    pub rights: Option<String>,
    /// How the assets came to be.
    pub source_type: Option<SourceType>,
    /// What the generator was asked.
    #[serde(deserialize_with = "or_default")]
    pub ai: Ai,
    /// Category per market.
    #[serde(deserialize_with = "category_or_none")]
    pub category: BTreeMap<String, String>,
    /// What is done for the look of a picture where it is enlarged.
    #[serde(deserialize_with = "or_default")]
    pub enhance: EnhanceTags,
    /// How a picture is enlarged.
    #[serde(deserialize_with = "or_default")]
    pub enlarge: EnlargeTags,
    /// What a picture looks like.
    pub look: Option<Look>,
    /// Whether people appear in it.
    pub people: Option<People>,
    /// Tag sets that the theme builds on, the weakest first.
    #[serde(rename = "use", deserialize_with = "words_or_none")]
    pub use_sets: Vec<String>,
    /// Words for mood and style, for the person who generates.
    #[serde(deserialize_with = "words_or_none")]
    pub mood: Vec<String>,
    /// 1 is the most urgent.
    pub priority: Option<u8>,
    /// The day that the theme is for: Christmas, a final.
    pub season: Option<Date>,
    /// How many variations are wanted.
    pub variations: Option<u32>,
    /// Files that go along with the theme's assets.
    #[serde(deserialize_with = "words_or_none")]
    pub documents: Vec<String>,
}

impl Default for ThemeFile {
    fn default() -> Self {
        Self {
            version: VERSION,
            title: None,
            description: None,
            keywords: Vec::new(),
            creator: None,
            rights: None,
            source_type: None,
            ai: Ai::default(),
            category: BTreeMap::new(),
            enhance: EnhanceTags::default(),
            enlarge: EnlargeTags::default(),
            look: None,
            people: None,
            use_sets: Vec::new(),
            mood: Vec::new(),
            priority: None,
            season: None,
            variations: None,
            documents: Vec::new(),
        }
    }
}

/// A key without a value, as an editor leaves it, is the same as no key.
fn words_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    struct Words(#[serde(deserialize_with = "words")] Vec<String>);
    Ok(Option::<Words>::deserialize(deserializer)?.map_or_else(Vec::new, |words| words.0))
}

fn category_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    struct Categories(#[serde(deserialize_with = "category_map")] BTreeMap<String, String>);
    Ok(Option::<Categories>::deserialize(deserializer)?.map_or_else(BTreeMap::new, |categories| categories.0))
}

fn or_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

impl ThemeFile {
    /// Reads a theme's file; an empty one says nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > THEME_BYTES_MAX {
            return Err(RecordError::TooLarge { size_bytes: bytes.len(), size_bytes_max: THEME_BYTES_MAX });
        }
        let text = utf8(bytes)?;
        if let Some(what) = yaml_guard::refusal(text) {
            return Err(RecordError::Syntax { line: 1, column: 1, what: what.to_owned() });
        }
        match serde_yaml::from_str::<Option<Self>>(text) {
            Ok(file) => file.unwrap_or_default().checked(),
            Err(error) => Err(other_version(text, VERSION).unwrap_or_else(|| syntax(&error, text))),
        }
    }

    fn checked(self) -> Result<Self, RecordError> {
        if self.version == VERSION { Ok(self) } else { Err(RecordError::Version { found: u64::from(self.version) }) }
    }

    /// Returns the file's text, with an example for each field that is empty.
    pub fn to_text(&self) -> String {
        let mut page = Page { text: format!("{HEADER}version: {VERSION}\n") };
        page.scalar("title", self.title.as_deref(), "Winter cabins");
        page.scalar("description", self.description.as_deref(), "One or two plain sentences.");
        page.list("keywords", &self.keywords, "[snow, log cabin, winter]");
        page.scalar("creator", self.creator.as_deref(), "Your Name");
        page.scalar("rights", self.rights.as_deref(), "Your Name, all rights reserved");
        let source_type = self.source_type.map(SourceType::uri);
        let term = source_type.as_deref().and_then(|uri| uri.rsplit('/').next());
        page.scalar("source_type", term, "trainedAlgorithmicMedia");
        let ai = AiField::ALL
            .into_iter()
            .filter_map(|field| Some((field.name().to_owned(), self.ai.get(field)?.to_owned())));
        page.map("ai", &ai.collect(), "{ system: FLUX.2, writer: Your Name }");
        page.map("category", &self.category, "{ adobe-stock: 11 }");
        let EnhanceTags { sharpen, levels } = self.enhance;
        let look = [("sharpen", sharpen), ("levels", levels)];
        let look = look.into_iter().filter_map(|(what, how)| Some((what.to_owned(), how?.to_string()))).collect();
        page.map("enhance", &look, "{ sharpen: medium, levels: low }");
        let EnlargeTags { method, restore } = &self.enlarge;
        let method = method.as_ref().map(|method| ("method".to_owned(), method.to_string()));
        let restore = restore.map(|restore| ("restore".to_owned(), restore.to_string()));
        page.map("enlarge", &method.into_iter().chain(restore).collect(), "{ method: neural, restore: 80 }");
        page.scalar("look", self.look.map(Look::name), "photo");
        page.scalar("people", self.people.map(People::name), "unsure");
        page.list("use", &self.use_sets, "[winter, minimal]");
        page.list("mood", &self.mood, "[calm, cold]");
        page.number("priority", self.priority.map(u32::from), 2);
        page.scalar("season", self.season.map(|day| day.to_string()).as_deref(), "2026-12-24");
        page.number("variations", self.variations, 12);
        page.list("documents", &self.documents, "[release.pdf]");
        page.text
    }

    /// Returns a file's text with what changed since it said `before`; all else in it stays as it is written.
    pub fn edited_text(&self, text: &str, before: &Self) -> String {
        let read = |text: &str| read_shared(text.as_bytes()).unwrap_or_default();
        let (before, after, mut wanted) = (read(&before.to_text()), read(&self.to_text()), read(text));
        for key in before.keys().chain(after.keys()).filter(|key| before.get(*key) != after.get(*key)) {
            match after.get(key) {
                Some(value) => wanted.insert(key.clone(), value.clone()),
                None => wanted.remove(key),
            };
        }
        merged_text(None, &[text], &wanted)
    }

    /// Returns the file's layer of tags.
    pub fn tags(&self) -> Tags {
        Tags {
            title: self.title.clone(),
            description: self.description.clone(),
            keywords: self.keywords.clone(),
            creator: self.creator.clone(),
            rights: self.rights.clone(),
            source_type: self.source_type,
            ai: self.ai.clone(),
            category: self.category.clone(),
            enhance: self.enhance,
            enlarge: self.enlarge.clone(),
            look: self.look,
            people: self.people,
            ..Tags::default()
        }
    }

    /// Returns the file of a new theme.
    pub fn from_idea(idea: &Idea) -> Self {
        let mut file = Self::default();
        file.merge_idea(idea);
        file
    }

    /// Adds what the idea has and the file lacks; returns whether anything changed.
    ///
    /// Nothing is overwritten, and a keyword that the file takes away (`-word`) stays away. An idea
    /// without keywords gives a file without keywords the words of its title.
    pub fn merge_idea(&mut self, idea: &Idea) -> bool {
        let before = self.clone();
        if self.title.is_none() {
            self.title = Some(idea.title.clone());
        }
        if self.description.is_none() {
            self.description.clone_from(&idea.description);
        }
        if idea.keywords.is_empty() && self.keywords.is_empty() {
            add_words(&mut self.keywords, &title_words(&idea.title));
        }
        add_words(&mut self.keywords, &idea.keywords);
        for (market, category) in &idea.category {
            self.category.entry(market.clone()).or_insert_with(|| category.clone());
        }
        add_words(&mut self.mood, &idea.mood);
        self.priority = self.priority.or(idea.priority);
        self.variations = self.variations.or(idea.variations);
        self.look = self.look.or(idea.look);
        self.people = self.people.or(idea.people);
        self.season = self.season.or(idea.season);
        *self != before
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, RecordError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        RecordError::Syntax { line, column, what: "a character is not UTF-8; save the file as UTF-8".to_owned() }
    })
}

fn syntax(error: &serde_yaml::Error, file: &str) -> RecordError {
    let position = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    let text = error.to_string();
    let what = without_place(&text);
    let (line, column) = second_position(what, file).unwrap_or(position);
    let near = meant_key(what).map(|key| format!("did you mean `{key}`?"));
    let hint = if let Some(near) = &near {
        near
    } else if what.contains("unknown field") {
        "correct its name or remove it"
    } else if what.contains("unknown variant") || what.contains("expected yes, no") {
        "write one of these"
    } else if what.contains("expected keys of its own") {
        "write them in braces, or below it and indented"
    } else if what.contains("duplicate") {
        "keep only one of them"
    } else if what.contains("expected one text, such as") {
        "write several categories so, in one text"
    } else if what.contains("failed to parse") {
        "write a day as in `2026-12-24`"
    } else if what.contains("expected a string") {
        "write one text, in quotes if it holds signs"
    } else if what.contains("expected a sequence") {
        "write a list, `[one, two]` or `one, two`"
    } else {
        "put quotes around text that holds `: ` or starts with a sign, and indent with spaces"
    };
    // Who is told what was meant need not read all that there is.
    let what = near.as_ref().and_then(|_| what.split(", expected").next()).unwrap_or(what);
    RecordError::Syntax { line, column, what: format!("{what}; {hint}") }
}

/// Returns the key that an unknown one was probably meant for; the reader's own message names all that there are.
fn meant_key(what: &str) -> Option<&str> {
    let (unknown, known) = what.split_once("unknown field `")?.1.split_once('`')?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    nearest(&unknown.to_lowercase(), &known)
}

/// Adds the words that are not there yet, neither as they are nor as `-word`.
fn add_words(list: &mut Vec<String>, new: &[String]) {
    let key = |word: &str| normal_keyword(word.trim().trim_start_matches('-')).to_lowercase();
    let mut seen: HashSet<String> = list.iter().map(|word| key(word)).collect();
    for word in new {
        let word = normal_keyword(word);
        let key = key(&word);
        if !key.is_empty() && seen.insert(key) {
            list.push(word);
        }
    }
}

fn title_words(title: &str) -> Vec<String> {
    let words = title.split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '\''));
    words
        .map(|word| word.trim_matches(['-', '\'']))
        .filter(|word| word.chars().count() > 2)
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
