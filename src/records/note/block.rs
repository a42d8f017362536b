//! The one form that every note is read into before anything in it means something.

use super::keys::Key;

/// A line of a note.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: usize,
    /// The columns before it, or before its bullet; a tab is four.
    pub(super) indent: usize,
    /// As it was written, without its bullet: what a prompt is.
    pub(super) raw: String,
    /// As it reads: without emphasis and addresses of links.
    pub(super) text: String,
    /// A blank line stands before it.
    pub(super) after_blank: bool,
}

/// A part of a note.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading; a line in bold is one of level 7, a line that ends with a colon above a list of level 8.
    Heading { level: u8, line: Line },
    /// A list item.
    Item { line: Line, is_ordered: bool, is_done: bool },
    /// A line of other text.
    Text(Line),
    /// The lines of a fenced block that may hold prompts.
    Fenced(Vec<Line>),
    /// A row of a table, or an entry of YAML.
    Record(Record),
    /// A field that all ideas of the note have.
    Shared(Field),
}

impl Block {
    pub(super) fn line(&self) -> Option<&Line> {
        match self {
            Self::Heading { line, .. } | Self::Item { line, .. } | Self::Text(line) => Some(line),
            Self::Fenced(lines) => lines.first(),
            Self::Record(_) | Self::Shared(_) => None,
        }
    }
}

/// An idea whose fields are told apart already.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: usize,
    pub(super) title: String,
    pub(super) fields: Vec<Field>,
}

/// A field with its values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) line: usize,
    pub(super) key: Key,
    pub(super) values: Vec<String>,
}

/// Returns the columns that white space takes.
pub(super) fn columns(space: &str) -> usize {
    space.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum()
}
