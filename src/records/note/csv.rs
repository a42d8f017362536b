use super::Found;
use super::table::Columns;

/// How many records are read to find the delimiter.
const SAMPLE_RECORDS: usize = 20;
/// How many times reading starts again after a quote that is never closed.
const RESTARTS_MAX: usize = 20;
/// A delimiter that no note contains: for a list with one column.
const NO_DELIMITER: u8 = 0x1f;

/// Reads a note in CSV, with or without a header.
pub(super) fn read(text: &str, found: &mut Found) {
    let (delimiter, start) = delimiter_of(text);
    let mut rest = Rest { text, offset: start, line: 1 + text[..start].matches('\n').count(), columns: None };
    for _ in 0..=RESTARTS_MAX {
        if !rest.read(delimiter, found) {
            return;
        }
    }
    found.problem(rest.line, "too many quotes are left open; the rest was not read", &text[rest.offset..]);
}

/// Returns the delimiter and where the records start: Excel may say `sep=;` in the first line.
fn delimiter_of(text: &str) -> (u8, usize) {
    let first = text.lines().next().unwrap_or("");
    if let Some([delimiter @ (b',' | b';' | b'\t')]) = first.strip_prefix("sep=").map(str::as_bytes) {
        return (*delimiter, first.len());
    }
    let best =
        [b',', b';', b'\t'].into_iter().map(|delimiter| (fit(text, delimiter), delimiter)).max_by_key(|(fit, _)| *fit);
    (best.filter(|(fit, _)| *fit > (0, 0)).map_or(NO_DELIMITER, |(_, delimiter)| delimiter), 0)
}

/// Returns how well a delimiter fits: the records as wide as the first, and its width.
fn fit(text: &str, delimiter: u8) -> (usize, usize) {
    let widths: Vec<usize> = reader(text, delimiter)
        .records()
        .take(SAMPLE_RECORDS)
        .map_while(Result::ok)
        .map(|record| record.len())
        .collect();
    match widths.first() {
        Some(width) if *width > 1 => (widths.iter().filter(|other| *other == width).count(), *width),
        _ => (0, 0),
    }
}

fn reader(text: &str, delimiter: u8) -> ::csv::Reader<&[u8]> {
    let mut builder = ::csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).trim(::csv::Trim::All);
    builder.from_reader(text.as_bytes())
}

/// The part of a note that is not read yet.
struct Rest<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
    columns: Option<Columns>,
}

impl Rest<'_> {
    /// Reads to the end, or to a record that never ends; returns whether something is left.
    fn read(&mut self, delimiter: u8, found: &mut Found) -> bool {
        let text = &self.text[self.offset..];
        let mut lines = Lines { text, offset: 0, line: self.line };
        for record in reader(text, delimiter).records() {
            let Ok(record) = record else {
                found.problem(lines.line, "the row cannot be read", text);
                continue;
            };
            let start = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
            lines.skip_to(start);
            let raw = &text[lines.offset..];
            if record.iter().any(|cell| cell.contains('\n')) && is_open(raw, &record) {
                let first = raw.split('\n').next().unwrap_or(raw);
                found.problem(lines.line, "a quote is not closed; close it or remove it", first);
                self.offset += lines.offset + (first.len() + 1).min(raw.len());
                self.line = lines.line + 1;
                return true;
            }
            let cells: Vec<String> = record.iter().map(str::to_owned).collect();
            self.take(lines.line, &cells, found);
        }
        false
    }

    fn take(&mut self, line: usize, cells: &[String], found: &mut Found) {
        if let Some(columns) = &self.columns {
            columns.add_row(line, cells, found);
        } else if let Some(columns) = Columns::from_header(cells) {
            columns.report(line, cells, found);
            self.columns = Some(columns);
        } else {
            let columns = Columns::without_header();
            columns.add_row(line, cells, found);
            self.columns = Some(columns);
        }
    }
}

/// Returns whether the record runs to the end of the text because its quote is never closed.
fn is_open(raw: &str, record: &::csv::StringRecord) -> bool {
    let held: usize = record.iter().map(str::len).sum();
    held * 2 + record.len() * 8 + 64 >= raw.trim_end().len() && raw.matches('"').count() % 2 == 1
}

/// A place in the text and its line, which only move forward.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
}

impl Lines<'_> {
    /// Moves to the record that starts at or after `offset`; blank lines come before a record.
    fn skip_to(&mut self, offset: usize) {
        let offset = self.text.ceil_char_boundary(offset.max(self.offset));
        let tail = &self.text[offset..];
        let start = offset + (tail.len() - tail.trim_start_matches('\n').len());
        self.line += self.text[self.offset..start].matches('\n').count();
        self.offset = start;
    }
}
