//! Blocks into ideas: the one place that says what a part of a note means.

use super::Found;
use super::block::{Block, Field, Line, Record};
use super::draft::Draft;
use super::keys::{Key, done_idea, split_key};
use super::labels;
use super::lists::{Body, Kind, Mode};
use super::marks;
use super::outline::{Owner, Role, Section, sections};
use crate::records::prompts::expand;

/// The longest line that can be an idea, in bytes; a longer one may be a detail.
const ITEM_BYTES_MAX: usize = 2_000;
/// The most bytes of a prompt that gives an idea its title.
const PROMPT_TITLE_BYTES_MAX: usize = 4_000;

const LEFT_OUT: &str = "it is neither an idea nor a field of one, so it is left out";
const DONE: &str = "it is done, so it is left out";

/// Makes ideas of a note's blocks. `title` is its front matter's, `name` its file's.
pub(super) fn read(mut blocks: Vec<Block>, title: Option<&str>, name: &str, found: &mut Found) {
    let sections = sections(&mut blocks, title.is_some());
    let mut reader =
        Reader { found, current: None, loose: Draft::default(), key: None, is_skipping: false, is_in_value: false };
    let heading = sections.iter().find_map(|section| section.heading.as_ref());
    let collection = heading.filter(|(level, _)| *level == 1).map(|(_, line)| line.text.clone());
    if let (Role::Ideas(Mode::Single), Some(title)) = (sections[0].role, title) {
        reader.current = Some(Draft::item(&Line { number: 1, text: title.to_owned(), ..Line::default() }));
    }
    for section in &sections {
        reader.section(section, &blocks[section.blocks.clone()]);
    }
    reader.finish();
    if reader.loose.has_prompts() {
        let title = title.map(str::to_owned).or(collection).unwrap_or_else(|| name.replace(['-', '_'], " "));
        let loose = std::mem::take(&mut reader.loose).titled(&title);
        reader.found.push(loose);
    }
}

/// Reads a note block by block.
struct Reader<'a> {
    found: &'a mut Found,
    current: Option<Draft>,
    /// Prompts before the first idea.
    loose: Draft,
    /// The field that is open.
    key: Option<Key>,
    /// The idea is done, and all below it is left out with it.
    is_skipping: bool,
    /// The field has a value that the next line may continue.
    is_in_value: bool,
}

impl Reader<'_> {
    fn section(&mut self, section: &Section, blocks: &[Block]) {
        let heading = section.heading.as_ref().map(|(_, line)| line);
        if !matches!(section.role, Role::Field(_, Owner::Theme) | Role::LeftOut) && heading.is_some() {
            self.finish();
        }
        (self.key, self.is_in_value) = (None, false);
        match (section.role, heading) {
            (Role::Field(key, _), _) => self.key = Some(key),
            (Role::Theme, Some(line)) => self.item(line, false),
            (Role::Ideas(_), Some(line)) if !marks::is_talk(&line.text) => {}
            (Role::LeftOut | Role::Ideas(_), Some(line)) => self.found.problem(line.number, LEFT_OUT, &line.text),
            _ => {}
        }
        let is_own_title = section.body.has_title_line && section.role == Role::Ideas(Mode::Lines);
        for (at, (block, kind)) in blocks.iter().zip(&section.body.kinds).enumerate() {
            match section.role {
                Role::Ideas(_) if is_own_title && at == 0 => {
                    self.leave_out(block, "it reads as the note's own title, so it is left out");
                }
                Role::LeftOut | Role::Done => {
                    self.leave_out(block, if section.role == Role::Done { DONE } else { LEFT_OUT });
                }
                Role::Ideas(mode) => self.block(block, idea_kind(*kind, block, mode, &section.body), mode),
                Role::Field(_, Owner::Note) => self.block(block, *kind, Mode::Single),
                Role::Theme | Role::Field(..) => self.block(block, theme_kind(*kind, block), Mode::Single),
            }
        }
    }

    fn finish(&mut self) {
        self.is_skipping = false;
        if let Some(done) = self.current.take() {
            self.found.push(done);
        }
    }

    fn leave_out(&mut self, block: &Block, what: &str) {
        match block {
            Block::Heading { line, .. } | Block::Item { line, .. } | Block::Text(line) => {
                self.found.problem(line.number, what, &line.text);
            }
            Block::Fenced(lines) => lines.iter().for_each(|line| self.found.problem(line.number, what, &line.text)),
            Block::Record(record) => {
                let values = record.fields.iter().flat_map(|field| &field.values).map(String::as_str);
                let cells = std::iter::once(record.title.as_str()).chain(values).collect::<Vec<_>>();
                self.found.problem(record.line, what, cells.join(" | ").trim_start_matches([' ', '|']));
            }
            Block::Shared(field) => self.shared(field),
        }
    }

    fn block(&mut self, block: &Block, kind: Kind, mode: Mode) {
        let line = match block {
            Block::Record(record) => return self.record(record),
            Block::Shared(field) => return self.shared(field),
            Block::Fenced(lines) => return self.fenced(lines),
            Block::Heading { line, .. } | Block::Item { line, .. } | Block::Text(line) => line,
        };
        let is_done = matches!(block, Block::Item { is_done: true, .. }) || marks::is_todo_done(&line.text);
        let is_item = matches!(block, Block::Item { .. });
        match kind {
            Kind::Idea => self.item(line, is_done),
            Kind::Group => self.finish(),
            Kind::Title => self.title(line, mode),
            _ if self.is_skipping && (kind != Kind::Text || line.indent > 0) => {
                self.found.problem(line.number, DONE, &line.text);
            }
            Kind::Key(key) => self.open(line, key),
            Kind::Value => self.value(line, is_item),
            Kind::Prompt => self.prompt(line.number, &line.raw),
            Kind::Detail | Kind::ItemText if is_done || done_idea(&line.text).is_some() => {
                self.found.problem(line.number, DONE, &line.text);
            }
            Kind::Detail | Kind::ItemText => self.detail(line, is_item),
            Kind::Text | Kind::Other if mode == Mode::Single && self.current.is_some() => {
                self.about_theme(line, is_item);
            }
            Kind::Text | Kind::Other => self.found.problem(line.number, LEFT_OUT, &line.text),
        }
    }

    fn item(&mut self, line: &Line, is_done: bool) {
        self.finish();
        self.key = None;
        let done = done_idea(&line.text);
        if is_done || done.is_some() {
            self.is_skipping = true;
            return self.found.problem(line.number, DONE, done.unwrap_or(&line.text));
        }
        if line.text.len() > ITEM_BYTES_MAX {
            return self.found.problem(
                line.number,
                "the line is too long to be an idea; write a short title",
                &line.text,
            );
        }
        let line = match split_key(&line.text) {
            Some((Key::Title | Key::Theme, title)) => &Line { text: title.to_owned(), ..line.clone() },
            _ => line,
        };
        self.current = Some(Draft::item(line));
    }

    /// `title: …` names the idea that it stands in, or starts one.
    fn title(&mut self, line: &Line, mode: Mode) {
        let is_named = mode == Mode::Single || line.indent > 1;
        match (self.current.as_mut().filter(|_| is_named), split_key(&line.text)) {
            (Some(draft), Some((_, value))) => draft.apply(line.number, Key::Title, value),
            _ => self.item(line, false),
        }
    }

    /// Starts a field.
    fn open(&mut self, line: &Line, key: Key) {
        let (_, value) = split_key(if key == Key::Prompt || key == Key::Prompts { &line.raw } else { &line.text })
            .unwrap_or((key, ""));
        self.key = Some(key);
        self.is_in_value = !value.is_empty();
        if matches!(key, Key::Prompt | Key::Prompts) {
            return self.prompt(line.number, value);
        }
        // `Mood: calm | Tags: a` are two fields.
        let (value, more) = labels::take(value);
        self.apply(line.number, key, &value);
        more.iter().for_each(|(key, value)| self.apply(line.number, *key, value));
    }

    /// Reads one more line of the field that is open.
    fn value(&mut self, line: &Line, is_item: bool) {
        let Some(key) = self.key else { return self.found.problem(line.number, LEFT_OUT, &line.text) };
        let goes_on = self.is_in_value && !is_item && !line.after_blank;
        match key {
            Key::Prompt if goes_on => self.continue_prompt(&line.raw),
            Key::Prompts if goes_on && line.indent > 1 => self.continue_prompt(&line.raw),
            Key::Prompt | Key::Prompts => self.prompt(line.number, &line.raw),
            _ => self.apply(line.number, key, &line.text),
        }
        self.is_in_value = true;
    }

    fn apply(&mut self, number: usize, key: Key, value: &str) {
        if matches!(key, Key::Prompt | Key::Prompts) {
            return self.prompt(number, value);
        }
        match &mut self.current {
            Some(draft) => draft.apply(number, key, value),
            None => self.shared(&Field { line: number, key, values: vec![value.to_owned()] }),
        }
    }

    /// Takes a field that stands above all ideas.
    fn shared(&mut self, field: &Field) {
        let mut defaults = std::mem::take(&mut self.found.defaults);
        if defaults.line == 0 {
            defaults.line = field.line;
        }
        for value in &field.values {
            match field.key {
                Key::Prompt | Key::Prompts => self.prompt(field.line, value),
                Key::Title | Key::Status if !value.is_empty() => self.found.problem(field.line, LEFT_OUT, value),
                key => defaults.apply(field.line, key, value),
            }
        }
        self.found.defaults = defaults;
        let told = std::mem::take(&mut self.found.defaults.told);
        told.iter().for_each(|(line, what, text)| self.found.problem(*line, what, text));
    }

    fn prompt(&mut self, number: usize, text: &str) {
        let draft = self.current.as_mut().unwrap_or(&mut self.loose);
        if draft.line == 0 {
            draft.line = number;
        }
        draft.add_prompt(text);
    }

    fn continue_prompt(&mut self, text: &str) {
        self.current.as_mut().unwrap_or(&mut self.loose).continue_prompt(text);
    }

    /// Each line of a block is a prompt, unless the field says that it is one, or the line before ends with a comma.
    fn fenced(&mut self, lines: &[Line]) {
        if self.is_skipping {
            return lines.iter().for_each(|line| self.found.problem(line.number, DONE, &line.text));
        }
        let is_one = self.key == Some(Key::Prompt);
        let mut goes_on = false;
        for line in lines {
            if goes_on && !line.after_blank {
                self.continue_prompt(&line.raw);
            } else {
                self.prompt(line.number, &line.raw);
            }
            goes_on = is_one || line.raw.ends_with(',');
        }
    }

    /// Reads a line below an idea's.
    fn detail(&mut self, line: &Line, is_item: bool) {
        let Some(draft) = &mut self.current else {
            return self.found.problem(line.number, LEFT_OUT, &line.text);
        };
        let (found, rest) = marks::split_marks(&line.text);
        if rest.is_empty() {
            draft.add_marks(&found);
        } else if rest.starts_with(':') || marks::is_unknown_field(&rest) || marks::is_talk(&rest) {
            draft.tell(line.number, LEFT_OUT, &line.text);
        } else if marks::is_word_list(&rest, is_item) {
            marks::split_words(&rest).iter().for_each(|word| draft.add_keyword(word));
            draft.add_marks(&found);
        } else {
            draft.add_description(&rest);
            draft.add_marks(&found);
        }
    }

    /// Reads a line below a heading that is an idea: its items are no words, unless commas part them.
    fn about_theme(&mut self, line: &Line, is_item: bool) {
        let is_words = || marks::is_word_list(&marks::split_marks(&line.text).1, false);
        if is_item && !is_words() && !marks::split_marks(&line.text).1.is_empty() {
            return self.found.problem(
                line.number,
                "it stands below an idea and is no field of it; write `keywords:` before words",
                &line.text,
            );
        }
        self.detail(line, false);
    }

    fn record(&mut self, record: &Record) {
        self.finish();
        self.key = None;
        if record.title.len() > ITEM_BYTES_MAX {
            return self.found.problem(record.line, "the text is too long to be a title", &record.title);
        }
        let mut draft = Draft::at(record.line);
        let prompts = record.fields.iter().filter(|field| matches!(field.key, Key::Prompt | Key::Prompts));
        let prompt = prompts.flat_map(|field| &field.values).next().filter(|_| record.title.is_empty());
        match prompt {
            Some(prompt) => draft = draft.titled(&title_of_prompt(prompt)),
            None => draft.apply(record.line, Key::Title, &record.title),
        }
        for field in &record.fields {
            field.values.iter().for_each(|value| draft.apply(field.line, field.key, value));
        }
        self.found.push(draft);
    }
}

/// Returns what a block is where ideas stand.
fn idea_kind(kind: Kind, block: &Block, mode: Mode, body: &Body) -> Kind {
    let Some(line) = block.line().filter(|_| mode == Mode::Lines) else { return kind };
    let is_idea = || {
        !marks::is_talk(&line.text)
            && (!marks::is_sentence(&line.text) || body.is_of_sentences())
            && !marks::is_dataview(&line.text)
    };
    match kind {
        Kind::Text if line.indent > 1 => Kind::ItemText,
        Kind::Text if is_idea() => Kind::Idea,
        Kind::Idea | Kind::Group | Kind::Detail if line.indent > 1 => Kind::Detail,
        kind => kind,
    }
}

/// Returns what a block is below a heading that is an idea.
fn theme_kind(kind: Kind, block: &Block) -> Kind {
    let is_title = || block.line().is_some_and(|line| matches!(split_key(&line.text), Some((Key::Title, _))));
    match kind {
        Kind::Idea if is_title() => Kind::Title,
        Kind::Idea | Kind::Group | Kind::Detail | Kind::ItemText => Kind::Text,
        kind => kind,
    }
}

/// Returns a title for an idea that has a prompt only: the first words of it.
fn title_of_prompt(prompt: &str) -> String {
    let first = expand(prompt, 1, PROMPT_TITLE_BYTES_MAX).prompts.into_iter().next().unwrap_or_default();
    let text = first.split(" --").next().unwrap_or("");
    text.split([',', ';', '.', '\n']).find(|part| !part.trim().is_empty()).unwrap_or("").trim().to_owned()
}
