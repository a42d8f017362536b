use super::Found;
use super::draft::Draft;
use super::keys::{Key, key_named};
use super::marks;

const COLUMNS_MAX: usize = 100;

/// What the columns of a table are about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns(Vec<Option<Key>>);

impl Columns {
    /// Reads a header; `None` if no column is the title.
    pub(super) fn from_header(cells: &[String]) -> Option<Self> {
        let mut keys: Vec<Option<Key>> =
            cells.iter().take(COLUMNS_MAX).map(|cell| key_named(&marks::plain(cell))).collect();
        let has_title = keys.contains(&Some(Key::Title));
        for key in &mut keys {
            if *key == Some(Key::Theme) {
                *key = Some(if has_title { Key::Category } else { Key::Title });
            }
        }
        keys.contains(&Some(Key::Title)).then_some(Self(keys))
    }

    /// Returns the columns of a table without a header: a title, and keywords after it.
    pub(super) fn without_header() -> Self {
        let mut keys = vec![Some(Key::Keywords); COLUMNS_MAX];
        keys[0] = Some(Key::Title);
        Self(keys)
    }

    /// Returns the columns of a table whose rows are no ideas.
    pub(super) fn ignored() -> Self {
        Self(Vec::new())
    }

    /// Reports the columns that no theme has a field for.
    pub(super) fn report(&self, line: usize, cells: &[String], found: &mut Found) {
        for (key, cell) in self.0.iter().zip(cells) {
            if matches!(key, None | Some(Key::Unplaced)) && !cell.trim().is_empty() {
                found.problem(line, "the column is not one that a theme has, so it stays in the note only", cell);
            }
        }
    }

    /// Adds the idea of one row.
    pub(super) fn add_row(&self, line: usize, cells: &[String], found: &mut Found) {
        if self.0.is_empty() || cells.iter().all(|cell| cell.trim().is_empty()) {
            return;
        }
        let row = cells.join(" | ");
        if cells.iter().skip(self.0.len()).any(|cell| !cell.trim().is_empty()) {
            return found.problem(
                line,
                "the row has more cells than the header; put quotes around text with commas",
                &row,
            );
        }
        let title =
            self.0.iter().zip(cells).find(|(key, _)| **key == Some(Key::Title)).map_or("", |(_, cell)| cell.trim());
        if title.is_empty() {
            return found.problem(line, "the row has no title", &row);
        }
        let mut draft = Draft::new(line, &marks::plain(title));
        for (key, cell) in self.0.iter().zip(cells) {
            if let Some(key) = key.filter(|key| *key != Key::Unplaced)
                && let Err(what) = apply_cell(&mut draft, key, cell)
            {
                found.problem(line, what, cell);
            }
        }
        found.push(draft);
    }
}

/// A cell may hold several prompts, one per line.
fn apply_cell(draft: &mut Draft, key: Key, cell: &str) -> Result<(), &'static str> {
    if key == Key::Prompts {
        cell.lines().for_each(|prompt| draft.add_prompt(prompt));
        return Ok(());
    }
    draft.apply(key, cell)
}

/// Returns the cells of a Markdown table's row; `\|` and a `|` in braces split nothing.
pub(super) fn markdown_cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let inner = line.strip_prefix('|').unwrap_or(line);
    let inner = inner.strip_suffix('|').filter(|rest| !rest.ends_with('\\')).unwrap_or(inner);
    let mut cells = Vec::new();
    let mut depth = 0_usize;
    let mut chars = inner.chars().peekable();
    let mut cell = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'|') => cell.extend(chars.next()),
            '|' if depth == 0 => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            _ => {
                match c {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                cell.push(c);
            }
        }
    }
    cells.push(cell.trim().to_owned());
    cells
}

/// Returns whether a line is the `| --- | :-: |` under a table's header.
pub(super) fn is_delimiter_row(line: &str) -> bool {
    let is_dashes = |cell: &String| {
        let dashes = cell.trim_matches(':');
        !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-')
    };
    line.contains('|') && line.contains("--") && markdown_cells(line).iter().all(is_dashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_under_a_table_s_header_is_known() {
        let lines = [
            ("|---|:-:|", true),
            ("| --- | --: |", true),
            ("| a | b |", false),
            ("---", false),
            ("| - |", false),
            ("| --- | x |", false),
        ];
        for (line, is_delimiter) in lines {
            assert_eq!(is_delimiter_row(line), is_delimiter, "{line}");
        }
    }
}
