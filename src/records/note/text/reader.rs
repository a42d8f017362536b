use super::super::Found;
use super::super::draft::Draft;
use super::super::keys::{Key, key_named, split_key};
use super::super::lines::{Line, LineKind};
use super::super::marks;
use super::super::table::{Columns, is_delimiter_row, markdown_cells};
use super::Mode;

/// The longest line that can be an idea, in bytes; a longer one may be a detail.
const ITEM_BYTES_MAX: usize = 2_000;

/// A field whose values stand in the lines below its name.
struct Field {
    key: Key,
    /// The least indentation of bullets that belong to it.
    bullet_min: usize,
    /// The least indentation of other lines that belong to it, after a blank line.
    text_min: usize,
    /// The least indentation of other lines that belong to it, before a blank line.
    text_min_close: usize,
}

/// Reads a note line by line.
pub(super) struct Reader<'a> {
    found: &'a mut Found,
    mode: Mode,
    current: Option<Draft>,
    /// Prompts before the first idea.
    loose: Draft,
    field: Option<Field>,
    table: Option<Columns>,
    /// The row of dashes under a table's header is still to come.
    skips_row: bool,
    after_blank: bool,
    fence_line: Option<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(found: &'a mut Found, mode: Mode) -> Self {
        Self {
            found,
            mode,
            current: None,
            loose: Draft::default(),
            field: None,
            table: None,
            skips_row: false,
            after_blank: true,
            fence_line: None,
        }
    }

    /// Starts an idea and finishes the one before.
    pub(super) fn begin(&mut self, draft: Draft) {
        if let Some(done) = self.current.replace(draft) {
            self.found.push(done);
        }
    }

    /// Finishes the note; prompts without an idea get one of the given title.
    pub(super) fn finish(mut self, title: &str) {
        if let Some(done) = self.current.take() {
            self.found.push(done);
        }
        if self.loose.has_prompts() {
            self.found.push(self.loose.titled(title));
        }
        if let Some(line) = self.fence_line {
            self.found.problem(line, "the block of prompts is not closed; all after it was read as prompts", "```");
        }
    }

    /// Reads one line; `next` is the text of the line after it.
    pub(super) fn line(&mut self, line: Line<'_>, next: &str) {
        let number = line.number;
        if !matches!(line.kind, LineKind::Text { .. }) {
            self.table = None;
        }
        match line.kind {
            LineKind::Heading { level, text } => self.heading(number, level, text),
            LineKind::Bullet { indent, text } => self.bullet(number, indent, text),
            LineKind::Text { text, .. } if self.is_table_row(number, text, next) => {}
            LineKind::Text { indent, text } => self.text(number, indent, text),
            LineKind::Fenced(text) => self.prompt(number, text),
            LineKind::Fence => self.fence_line = self.fence_line.xor(Some(number)).filter(|line| *line == number),
            LineKind::Rule => self.field = None,
            LineKind::Blank | LineKind::Aside => {}
        }
        self.after_blank = line.kind == LineKind::Blank;
    }

    fn heading(&mut self, number: usize, level: usize, text: &str) {
        self.field = None;
        let key = key_named(text);
        match self.mode {
            _ if key.is_some() => self.open(key, 0, 0, 0),
            Mode::Headings { level: own } if level == own => self.item(number, text),
            Mode::Headings { level: own } if level > own => {
                self.found.problem(
                    number,
                    "the sub-heading is no field of a theme; what follows belongs to the idea",
                    text,
                );
            }
            _ => {}
        }
    }

    fn open(&mut self, key: Option<Key>, bullet_min: usize, text_min: usize, text_min_close: usize) {
        self.field = key.map(|key| Field { key, bullet_min, text_min, text_min_close });
    }

    fn bullet(&mut self, number: usize, indent: usize, text: &str) {
        if let Some(field) = self.field.as_ref().filter(|field| indent >= field.bullet_min) {
            let key = field.key;
            return self.apply(number, key, text);
        }
        self.field = None;
        if let Some((key, value)) = split_key(text).filter(|(key, _)| !matches!(key, Key::Title | Key::Theme)) {
            self.apply(number, key, value);
            if value.is_empty() {
                self.open(Some(key), indent + 1, indent + 1, indent + 1);
            }
            return;
        }
        match self.mode {
            Mode::Bullets { indent_max } if indent <= indent_max => self.item_or_prompt(number, text),
            _ => self.detail(number, text, true),
        }
    }

    fn text(&mut self, number: usize, indent: usize, text: &str) {
        let key = split_key(text);
        let text_min = |field: &Field| if self.after_blank { field.text_min } else { field.text_min_close };
        if let Some(field) = self.field.as_ref().filter(|field| key.is_none() && indent >= text_min(field)) {
            let key = field.key;
            return self.apply(number, key, text);
        }
        self.field = None;
        match key {
            Some((Key::Title | Key::Theme, value)) if self.mode == Mode::Lines && !value.is_empty() => {
                self.item(number, value);
            }
            Some((key, value)) if !matches!(key, Key::Title | Key::Theme) => {
                self.apply(number, key, value);
                if value.is_empty() {
                    self.open(Some(key), indent, indent + 1, indent);
                }
            }
            _ => self.plain_text(number, indent, text),
        }
    }

    fn plain_text(&mut self, number: usize, indent: usize, text: &str) {
        match self.mode {
            Mode::Lines if indent < 2 || self.current.is_none() => self.item_or_prompt(number, text),
            Mode::Bullets { .. } if self.current.is_some() && indent == 0 && self.after_blank => {
                self.found.problem(number, "the text stands between the ideas and belongs to none; indent it", text);
            }
            _ => self.detail(number, text, false),
        }
    }

    fn item_or_prompt(&mut self, number: usize, text: &str) {
        if marks::looks_like_prompt(text) {
            self.prompt(number, marks::without_done(text));
        } else {
            self.item(number, text);
        }
    }

    fn item(&mut self, number: usize, text: &str) {
        if text.len() > ITEM_BYTES_MAX {
            return self.found.problem(number, "the line is too long to be an idea; write a short title", text);
        }
        self.begin(Draft::item(number, text));
    }

    fn prompt(&mut self, number: usize, text: &str) {
        if let Some(draft) = &mut self.current {
            draft.add_prompt(text);
        } else {
            if !self.loose.has_prompts() {
                self.loose.line = number;
            }
            self.loose.add_prompt(text);
        }
    }

    /// Takes a line about the current idea; before the first idea it is an introduction.
    fn detail(&mut self, number: usize, text: &str, is_bullet: bool) {
        let text = marks::without_done(text);
        if marks::looks_like_prompt(text) {
            return self.prompt(number, text);
        }
        let Some(draft) = &mut self.current else {
            return;
        };
        let (found, rest) = marks::split_marks(text);
        if rest.is_empty() {
            draft.add_marks(&found);
        } else if marks::is_word_list(&rest, is_bullet) {
            for word in marks::split_words(&rest) {
                draft.add_keyword(&word);
            }
            draft.add_marks(&found);
        } else {
            found.tags.iter().for_each(|tag| draft.add_keyword(tag));
            draft.add_description(text);
        }
    }

    fn apply(&mut self, number: usize, key: Key, value: &str) {
        let value = marks::without_done(value);
        if key == Key::Prompts {
            return self.prompt(number, marks::unquoted(value));
        }
        let draft = self.current.as_mut().unwrap_or(&mut self.found.defaults);
        if let Err(what) = draft.apply(key, value) {
            self.found.problem(number, what, value);
        }
    }

    /// Reads a line as part of a Markdown table; returns false if it is none.
    fn is_table_row(&mut self, number: usize, text: &str, next: &str) -> bool {
        if !text.contains('|') {
            self.table = None;
            return false;
        }
        if std::mem::take(&mut self.skips_row) {
            return true;
        }
        if let Some(columns) = &self.table {
            columns.add_row(number, &markdown_cells(text), self.found);
            return true;
        }
        if !is_delimiter_row(next) {
            return false;
        }
        let cells = markdown_cells(text);
        self.table = Columns::from_header(&cells);
        match &self.table {
            Some(columns) => columns.report(number, &cells, self.found),
            None => self.found.problem(number, "the table has no column `title`, so its rows are not ideas", text),
        }
        if self.table.is_none() {
            self.table = Some(Columns::ignored());
        }
        self.skips_row = true;
        true
    }
}
