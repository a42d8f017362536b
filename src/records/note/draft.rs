use std::collections::BTreeMap;

use jiff::civil::Date;

use super::block::Line;
use super::bullets::take_addresses;
use super::keys::{Key, categories, count_of, is_done, is_open, look_of, people_of, priority_of, season_of};
use super::marks;
use super::unique_list::UniqueList;
use super::{Idea, Problem};
use crate::model::{Look, People, ThemeSlug, escape_bytes, normal_keyword};

const KEYWORDS_MAX: usize = 500;
const KEYWORD_BYTES_MAX: usize = 200;
const PROMPTS_MAX: usize = 10_000;
const PROMPT_BYTES_MAX: usize = 16 * 1024;
const DESCRIPTION_BYTES_MAX: usize = 4_000;
const CATEGORIES_MAX: usize = 100;
const PROBLEM_CHARS_MAX: usize = 80;

const HAS_ANOTHER: &str = "the idea has another value for this already, so it is left out";

/// An idea that is still being read, or the defaults of a note.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) line: usize,
    pub(super) title: String,
    keywords: UniqueList,
    mood: UniqueList,
    description: Option<String>,
    priority: Option<u8>,
    variations: Option<u32>,
    prompts: UniqueList,
    category: BTreeMap<String, String>,
    look: Option<Look>,
    people: Option<People>,
    season: Option<Date>,
    /// A field named it.
    is_named: bool,
    /// Something was over a limit.
    is_cut: bool,
    /// Its status says that it is done.
    pub(super) is_done: bool,
    /// What in it was not understood: the line, what is wrong, the text.
    pub(super) told: Vec<(usize, &'static str, String)>,
}

impl Draft {
    pub(super) fn at(line: usize) -> Self {
        Self { line, ..Self::default() }
    }

    /// Returns the idea that one line of a note stands for: `Title - keyword, keyword #tag x12`.
    pub(super) fn item(line: &Line) -> Self {
        let (found, rest) = marks::split_marks(&line.text);
        let (title, words) = marks::split_title(marks::bare_title(&rest));
        let mut draft = Self::at(line.number).titled(title);
        draft.add_words(words);
        draft.add_marks(&found);
        if !found.fields.is_empty() && !title.ends_with("..") {
            draft.title.truncate(draft.title.trim_end_matches(['.', '。']).len());
        }
        draft
    }

    #[must_use]
    pub(super) fn titled(mut self, title: &str) -> Self {
        self.title = normal_keyword(title);
        self
    }

    pub(super) fn has_prompts(&self) -> bool {
        !self.prompts.list.is_empty()
    }

    pub(super) fn add_keyword(&mut self, word: &str) {
        let word = normal_keyword(word);
        if !word.is_empty() {
            let key = word.to_lowercase();
            self.is_cut |= word.len() > KEYWORD_BYTES_MAX || !self.keywords.add(word, key, KEYWORDS_MAX);
        }
    }

    /// Adds a list of words as keywords, or a sentence as description.
    pub(super) fn add_words(&mut self, text: &str) {
        if marks::is_words(text) {
            for word in marks::split_words(text) {
                self.add_keyword(&word);
            }
        } else {
            self.add_description(text);
        }
    }

    fn add_mood(&mut self, word: &str) {
        let word = normal_keyword(word);
        if !word.is_empty() {
            let key = word.to_lowercase();
            self.is_cut |= word.len() > KEYWORD_BYTES_MAX || !self.mood.add(word, key, KEYWORDS_MAX);
        }
    }

    /// Adds a prompt; one of several lines is one prompt.
    pub(super) fn add_prompt(&mut self, prompt: &str) {
        let prompt = prompt.trim().trim_start_matches("/imagine prompt:").trim_start();
        let prompt = normal_keyword(marks::unquoted(prompt));
        if !prompt.is_empty() {
            self.is_cut |= prompt.len() > PROMPT_BYTES_MAX || !self.prompts.add(prompt.clone(), prompt, PROMPTS_MAX);
        }
    }

    /// Adds a line to the last prompt.
    pub(super) fn continue_prompt(&mut self, text: &str) {
        match self.prompts.list.last_mut() {
            Some(prompt) if prompt.len() + text.len() < PROMPT_BYTES_MAX => {
                prompt.push(' ');
                prompt.push_str(text.trim());
            }
            Some(_) => self.is_cut = true,
            None => self.add_prompt(text),
        }
    }

    /// Adds a sentence to the description.
    pub(super) fn add_description(&mut self, text: &str) {
        let room = DESCRIPTION_BYTES_MAX.saturating_sub(self.description.as_ref().map_or(0, String::len) + 1);
        let text = &text[..text.floor_char_boundary(text.len().min(room * 4))];
        let text = normal_keyword(text);
        let kept = text[..text.floor_char_boundary(room)].trim_end();
        self.is_cut |= kept.len() < text.len();
        match &mut self.description {
            _ if kept.is_empty() => {}
            Some(description) => *description = format!("{description} {kept}"),
            none => *none = Some(kept.to_owned()),
        }
    }

    /// Takes what the marks of an item say.
    pub(super) fn add_marks(&mut self, marks: &marks::Marks) {
        for tag in &marks.tags {
            self.add_keyword(tag);
        }
        for priority in &marks.priorities {
            self.apply(self.line, Key::Priority, &priority.to_string());
        }
        for count in &marks.variations {
            self.apply(self.line, Key::Variations, &count.to_string());
        }
        for (key, value) in &marks.fields {
            self.apply(self.line, *key, value);
        }
    }

    pub(super) fn tell(&mut self, line: usize, what: &'static str, text: &str) {
        self.told.push((line, what, text.to_owned()));
    }

    /// Takes one `key: value`, and tells what it cannot.
    pub(super) fn apply(&mut self, line: usize, key: Key, value: &str) {
        let mut part = Line { text: value.trim().to_owned(), ..Line::default() };
        if key != Key::Prompt && key != Key::Prompts && take_addresses(&mut part) {
            self.tell(line, "an address is left out", value);
        }
        let value = part.text.as_str();
        if value.is_empty() {
            return;
        }
        match key {
            Key::Keywords => marks::split_words(value).iter().for_each(|word| self.add_keyword(word)),
            Key::Mood => marks::split_words(value).iter().for_each(|word| self.add_mood(word)),
            Key::Prompt | Key::Prompts => self.add_prompt(value),
            Key::Description => self.add_description(marks::unquoted(value)),
            Key::Category => categories(marks::unquoted(value))
                .iter()
                .for_each(|(market, category)| self.add_category(line, market, category)),
            Key::Priority | Key::Variations | Key::Look | Key::People | Key::Season => self.set(line, key, value),
            Key::Status if is_done(value) => self.is_done = true,
            Key::Status if is_open(value) => {}
            Key::Status => {
                self.tell(line, "it says neither that it is done nor that it is open, so it is left out", value);
            }
            // A chat-bot says what its idea is about behind `Concept:`.
            Key::Title if !self.title.is_empty() && marks::is_sentence(value) => self.add_description(value),
            Key::Title if std::mem::replace(&mut self.is_named, true) => {
                self.tell(line, "the idea has a `title` already, so it is left out", value);
            }
            Key::Title => self.title = normal_keyword(marks::bare_title(value)),
            Key::Theme | Key::Unplaced | Key::Metadata => {
                self.tell(line, "a theme has no place for it, so it stays in the note only", value);
            }
        }
    }

    fn add_category(&mut self, line: usize, market: &str, category: &str) {
        let (market, category) = (normal_keyword(market), normal_keyword(marks::unquoted(category)));
        if market.is_empty() || category.is_empty() {
            let text = if market.is_empty() { category } else { market };
            return self.tell(line, "a category is one of a market, so it is left out; write `adobe-stock: 11`", &text);
        }
        match self.category.get(&market) {
            Some(has) if *has == category => {}
            Some(_) => self.tell(line, HAS_ANOTHER, &format!("category: {market}: {category}")),
            None if market.len() + category.len() > KEYWORD_BYTES_MAX || self.category.len() >= CATEGORIES_MAX => {
                self.is_cut = true;
            }
            None => drop(self.category.insert(market, category)),
        }
    }

    /// Takes a field that has one value.
    fn set(&mut self, line: usize, key: Key, value: &str) {
        let is_same = match key {
            Key::Priority => priority_of(value).map(|priority| *self.priority.get_or_insert(priority) == priority),
            Key::Variations => count_of(value).map(|count| *self.variations.get_or_insert(count) == count),
            Key::Look => look_of(value).map(|look| *self.look.get_or_insert(look) == look),
            Key::People => people_of(value).map(|people| *self.people.get_or_insert(people) == people),
            _ => season_of(value).map(|season| *self.season.get_or_insert(season) == season),
        };
        match (is_same, key) {
            (Some(true), _) => {}
            (Some(false), _) => self.tell(line, HAS_ANOTHER, &format!("{}: {value}", name_of(key))),
            (None, Key::Priority) => self.tell(line, "not a priority; write high, normal, low or a number", value),
            (None, Key::Variations) => self.tell(line, "not a number of variations; write 1 to 10000", value),
            (None, _) => self.tell(line, "not a value that the field may have, so it is left out", value),
        }
    }

    /// Returns the fields that have one value each, or one for each market, as a note has them.
    fn single_fields(&self) -> impl Iterator<Item = (Key, String)> {
        let fields = [
            (Key::Priority, self.priority.map(|number| number.to_string())),
            (Key::Variations, self.variations.map(|number| number.to_string())),
            (Key::Look, self.look.map(|look| look.to_string())),
            (Key::People, self.people.map(|people| people.to_string())),
            (Key::Season, self.season.map(|season| season.to_string())),
        ];
        let categories =
            self.category.iter().map(|(market, category)| (Key::Category, format!("{market}: {category}")));
        fields.into_iter().filter_map(|(key, value)| Some((key, value?))).chain(categories)
    }

    /// Adds what another draft of the same theme has and this one lacks.
    fn merge(&mut self, other: &Self) {
        for (key, value) in other.single_fields() {
            self.apply(other.line, key, &value);
        }
        let more = other
            .description
            .as_ref()
            .filter(|more| self.description.as_ref().is_some_and(|has| !has.contains(more.as_str())));
        more.iter().for_each(|more| self.add_description(more));
        self.inherit(other);
        for prompt in &other.prompts.list {
            self.add_prompt(prompt);
        }
    }

    /// Adds what the note's defaults have and this one lacks; prompts belong to one idea only.
    fn inherit(&mut self, other: &Self) {
        other.keywords.list.iter().for_each(|word| self.add_keyword(word));
        other.mood.list.iter().for_each(|word| self.add_mood(word));
        self.description = self.description.take().or_else(|| other.description.clone());
        for (market, category) in &other.category {
            self.category.entry(market.clone()).or_insert_with(|| category.clone());
        }
        self.priority = self.priority.or(other.priority);
        self.variations = self.variations.or(other.variations);
        self.look = self.look.or(other.look);
        self.people = self.people.or(other.people);
        self.season = self.season.or(other.season);
        self.is_cut |= other.is_cut;
    }

    /// Returns, in words, what of these defaults no idea takes, since each has another value of its own.
    pub(super) fn taken_by_none(&self, ideas: &[Themed]) -> Vec<String> {
        let description = self.description.clone().map(|text| (Key::Description, text));
        let mut left: Vec<_> = self.single_fields().chain(description).collect();
        for Themed { draft, .. } in ideas {
            left.retain(|(key, text)| draft.has_another(*key, text));
        }
        left.into_iter().map(|(key, text)| format!("{}: {text}", name_of(key))).collect()
    }

    /// Returns whether it has another value of a field that has one value, or of a category of the same market.
    fn has_another(&self, key: Key, value: &str) -> bool {
        let market = |text: &str| text.split_once(": ").map(|(market, _)| market.to_owned());
        let is_other = |(own, text): (Key, String)| {
            own == key && text != value && (key != Key::Category || market(&text) == market(value))
        };
        match key {
            Key::Description => self.description.as_ref().is_some_and(|own| own != value),
            _ => self.single_fields().any(is_other),
        }
    }

    /// Returns all that it has, in words.
    pub(super) fn shown(&self) -> Vec<String> {
        let words = self.keywords.list.iter().chain(&self.mood.list).chain(&self.prompts.list).cloned();
        let fields = self.single_fields().map(|(key, value)| format!("{}: {value}", name_of(key)));
        words.chain(self.description.clone()).chain(fields).collect()
    }

    /// Leaves out the last words until the rest has no more bytes than that; returns whether any went.
    pub(super) fn shorten_words(&mut self, bytes_max: usize) -> bool {
        let mut room = bytes_max;
        let before = self.keywords.list.len() + self.mood.list.len();
        for words in [&mut self.keywords, &mut self.mood] {
            let fits = words.list.iter().take_while(|word| {
                let bytes = word.len() + size_of::<String>();
                let has_room = bytes <= room;
                room = room.saturating_sub(bytes);
                has_room
            });
            let kept = fits.count();
            words.list.truncate(kept);
        }
        self.keywords.list.len() + self.mood.list.len() < before
    }

    fn into_idea(mut self, slug: ThemeSlug, defaults: &Self) -> Idea {
        self.inherit(defaults);
        Idea {
            title: self.title,
            slug,
            keywords: self.keywords.list,
            mood: self.mood.list,
            description: self.description,
            priority: self.priority,
            variations: self.variations,
            prompts: self.prompts.list,
            category: self.category,
            look: self.look,
            people: self.people,
            season: self.season,
            line: self.line,
        }
    }
}

/// Returns the name of a field that has one value.
fn name_of(key: Key) -> &'static str {
    match key {
        Key::Priority => "priority",
        Key::Variations => "variations",
        Key::Look => "look",
        Key::People => "people",
        Key::Season => "season",
        Key::Description => "description",
        _ => "category",
    }
}

/// The draft of a theme; ideas of the same theme are merged into one.
pub(super) struct Themed {
    slug: ThemeSlug,
    draft: Draft,
}

impl Themed {
    pub(super) fn new(slug: ThemeSlug, draft: Draft) -> Self {
        Self { slug, draft }
    }

    /// Adds what another draft of the theme has; returns what is told of it.
    pub(super) fn merge(&mut self, other: &Draft) -> Vec<(usize, &'static str, String)> {
        self.draft.merge(other);
        std::mem::take(&mut self.draft.told)
    }

    pub(super) fn line(&self) -> usize {
        self.draft.line
    }

    /// Returns the line of a draft that lost something to a limit.
    pub(super) fn cut_line(&self) -> Option<usize> {
        self.draft.is_cut.then_some(self.draft.line)
    }

    pub(super) fn into_idea(self, defaults: &Draft) -> Idea {
        self.draft.into_idea(self.slug, defaults)
    }
}

impl Problem {
    /// Builds a problem that quotes the text it is about.
    pub(super) fn about(line: usize, what: &str, text: &str) -> Self {
        let text = text.trim();
        let end = text.char_indices().nth(PROBLEM_CHARS_MAX).map_or(text.len(), |(at, _)| at);
        let more = if end < text.len() { "…" } else { "" };
        let shown = escape_bytes(&text.as_bytes()[..end]);
        Self { line, what: format!("`{shown}{more}`: {what}") }
    }
}
