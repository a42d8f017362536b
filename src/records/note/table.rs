//! Tables, of CSV or Markdown: rows of cells into records.

use super::Found;
use super::block::{Field, Record};
use super::keys::{Key, field_named};

const COLUMNS_MAX: usize = 100;
/// How many rows may stand above the header.
const ABOVE_MAX: usize = 3;
/// The longest name of a column, in words.
const NAME_WORDS_MAX: usize = 4;

/// One cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// As it was written.
    pub(super) raw: String,
    /// Without Markdown.
    pub(super) text: String,
}

/// Where a table's header is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// In the first row.
    First,
    /// In a row of names above rows of values, if there is one.
    Search,
}

/// Returns the records of a table's rows, each with its line.
pub(super) fn records(mut rows: Vec<(usize, Vec<Cell>)>, head: Head, found: &mut Found) -> Vec<Record> {
    rows.retain(|(_, cells)| cells.iter().any(|cell| !cell.text.is_empty()));
    let header = match head {
        Head::First => Some(0),
        Head::Search => (0..rows.len().min(ABOVE_MAX)).find(|at| is_header(&rows[*at].1, &rows[at + 1..])),
    };
    let header = header.filter(|at| rows[..*at].iter().all(|(_, cells)| filled(cells) == 1));
    let Some(at) = header.filter(|at| *at < rows.len()) else {
        return rows.iter().filter_map(|(line, cells)| without_header(*line, cells, found)).collect();
    };
    for (line, cells) in &rows[..at] {
        found.problem(*line, "the row above the names of the columns is left out", &shown(cells));
    }
    let (line, names) = &rows[at];
    let Some(columns) = Columns::of(*line, names, &rows[at + 1..], head, found) else { return Vec::new() };
    rows[at + 1..].iter().filter_map(|(line, cells)| columns.record(*line, cells, found)).collect()
}

fn filled(cells: &[Cell]) -> usize {
    cells.iter().filter(|cell| !cell.text.is_empty()).count()
}

fn shown(cells: &[Cell]) -> String {
    cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" | ")
}

/// Returns whether a row holds names: some that are known, or such above numbers and dates.
fn is_header(names: &[Cell], rows: &[(usize, Vec<Cell>)]) -> bool {
    let is_name = |cell: &Cell| {
        cell.text.split_whitespace().count() <= NAME_WORDS_MAX && !is_value(&cell.text) && !cell.text.contains('\n')
    };
    if !names.iter().all(is_name) {
        return false;
    }
    let keys: Vec<Key> = names.iter().filter_map(|cell| field_named(&cell.text)).collect();
    let has_title = keys.iter().any(|key| matches!(key, Key::Title | Key::Theme | Key::Prompt | Key::Prompts));
    let is_above_values = || {
        (0..names.len()).any(|column| {
            let mut values =
                rows.iter().filter_map(|(_, cells)| cells.get(column)).filter(|cell| !cell.text.is_empty()).peekable();
            !names[column].text.is_empty() && values.peek().is_some() && values.all(|cell| is_value(&cell.text))
        })
    };
    has_title
        || keys.len() > 1
        || (!keys.is_empty() && keys.len() * 2 >= filled(names))
        || (filled(names) == names.len() && is_above_values())
}

/// Returns whether a text is a number, a date or an address, which nothing is called after.
fn is_value(text: &str) -> bool {
    let text = text.trim();
    let is_number = text.contains(|c: char| c.is_ascii_digit()) && !text.contains(char::is_alphabetic);
    is_number || text.starts_with("http://") || text.starts_with("https://")
}

/// Returns the record of a row without names: a title, and keywords after it.
fn without_header(line: usize, cells: &[Cell], found: &mut Found) -> Option<Record> {
    let title = cells[0].text.clone();
    if title.is_empty() {
        found.problem(line, "the row has no title", &shown(cells));
        return None;
    }
    let mut values = Vec::new();
    for cell in cells[1..].iter().take(COLUMNS_MAX).filter(|cell| !cell.text.is_empty()) {
        if is_value(&cell.text) {
            found.problem(line, "the column has no name, and its value is no keyword; it is left out", &cell.text);
        } else {
            values.push(cell.text.clone());
        }
    }
    Some(Record { line, title, fields: vec![Field { line, key: Key::Keywords, values }] })
}

/// What the columns of a table are about.
struct Columns {
    names: Vec<String>,
    keys: Vec<Option<Key>>,
    title: usize,
}

impl Columns {
    /// Reads a header, and tells the columns that no theme has a field for.
    fn of(line: usize, names: &[Cell], rows: &[(usize, Vec<Cell>)], head: Head, found: &mut Found) -> Option<Self> {
        let names: Vec<String> = names.iter().take(COLUMNS_MAX).map(|cell| cell.text.clone()).collect();
        let mut keys: Vec<Option<Key>> = names.iter().map(|name| field_named(name)).collect();
        let is_text = |column: usize| {
            let mut values = rows.iter().filter_map(|(_, cells)| cells.get(column));
            let has_text = values.any(|cell| !cell.text.is_empty() && !is_value(&cell.text));
            keys[column].is_none() && !names[column].is_empty() && has_text
        };
        let named = |wanted: &[Key]| keys.iter().position(|key| key.is_some_and(|key| wanted.contains(&key)));
        let exact = names.iter().position(|name| matches!(name.to_lowercase().as_str(), "title" | "titel"));
        let unknown = (0..keys.len()).find(|column| is_text(*column));
        let title = exact
            .or_else(|| named(&[Key::Title]))
            .or_else(|| named(&[Key::Theme]))
            .or_else(|| unknown.filter(|column| *column == 0))
            .or_else(|| named(&[Key::Prompt, Key::Prompts]))
            .or_else(|| named(&[Key::Description]))
            .or(unknown);
        // A table in a text may be about anything.
        let is_of_ideas =
            head == Head::Search || keys.iter().flatten().any(|key| !matches!(key, Key::Unplaced | Key::Metadata));
        let Some(title) = title.filter(|_| is_of_ideas) else {
            found.problem(line, "the table has no column `title`, so its rows are not ideas", &names.join(" | "));
            return None;
        };
        for (at, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            let key = &mut keys[at];
            if at != title && matches!(key, Some(Key::Theme)) {
                *key = Some(Key::Category);
            }
            if at != title && matches!(key, None | Some(Key::Title | Key::Unplaced | Key::Metadata)) {
                *key = None;
                found.problem(line, "the column is not one that a theme has, so it is left out", name);
            }
        }
        if rows.is_empty() {
            found.problem(line, "the table has no rows below the names of its columns", &names.join(" | "));
        }
        Some(Self { names, keys, title })
    }

    fn record(&self, line: usize, cells: &[Cell], found: &mut Found) -> Option<Record> {
        let is_header =
            self.names.iter().zip(cells).all(|(name, cell)| *name == cell.text) && cells.len() >= self.names.len();
        let what = if is_header {
            "the row says the names of the columns again and is left out"
        } else if filled(cells.get(self.keys.len()..).unwrap_or_default()) > 0 {
            "the row has more cells than the header; put quotes around text with commas"
        } else if cells.get(self.title).is_none_or(|cell| cell.text.is_empty()) {
            "the row has no title"
        } else {
            return Some(self.fields(line, cells));
        };
        found.problem(line, what, &shown(cells));
        None
    }

    fn fields(&self, line: usize, cells: &[Cell]) -> Record {
        let mut record = Record { line, title: cells[self.title].text.clone(), fields: Vec::new() };
        for (at, (key, cell)) in self.keys.iter().zip(cells).enumerate() {
            let Some(key) = key.filter(|_| !cell.text.is_empty()) else { continue };
            let values = match key {
                Key::Prompts => cell.raw.lines().map(str::to_owned).collect(),
                Key::Prompt => vec![cell.raw.clone()],
                _ if at == self.title => continue,
                _ => vec![cell.text.clone()],
            };
            record.fields.push(Field { line, key, values });
        }
        if matches!(self.keys[self.title], Some(Key::Prompt | Key::Prompts)) {
            record.title.clear();
        }
        record
    }
}
