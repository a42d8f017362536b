//! CSV and TSV: rows of cells, whatever parts them and whatever quotes are left open.

use super::Found;
use super::block::Block;
use super::keys::field_named;
use super::table::{self, Cell, Head};

/// How many records are read to find the delimiter.
const SAMPLE_RECORDS: usize = 20;
/// How many times reading starts again after a quote that is never closed.
const RESTARTS_MAX: usize = 20;
/// A delimiter that no note contains: for a list with one column.
const NO_DELIMITER: u8 = 0x1f;

/// Reads a note in CSV, with or without a header.
pub(super) fn read(text: &str, found: &mut Found) -> Vec<Block> {
    let (delimiter, start) = delimiter_of(text);
    let mut rest = Rest { text, offset: start, line: 1 + text[..start].matches('\n').count(), rows: Vec::new() };
    let mut restarts = 0;
    while rest.read(delimiter, found) {
        restarts += 1;
        if restarts > RESTARTS_MAX {
            found.problem(rest.line, "too many quotes are left open; the rest was not read", &text[rest.offset..]);
            break;
        }
    }
    table::records(rest.rows, Head::Search, found).into_iter().map(Block::Record).collect()
}

/// Returns whether a text that is not called CSV is a table: Excel's "Unicode text", or one with known names above.
pub(super) fn is_table(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(SAMPLE_RECORDS).collect();
    let tabbed = lines.iter().filter(|line| line.trim_start().trim_end_matches([' ', '\n']).contains('\t')).count();
    let first = lines.first().copied().unwrap_or("");
    let is_header =
        |delimiter: char| first.contains(delimiter) && first.split(delimiter).all(|name| field_named(name).is_some());
    lines.len() > 1 && (tabbed * 5 >= lines.len() * 4 || is_header(',') || is_header(';'))
}

/// Returns the delimiter and where the records start: Excel may say `sep=;` in the first line.
fn delimiter_of(text: &str) -> (u8, usize) {
    let first = text.lines().next().unwrap_or("");
    if let Some([delimiter @ (b',' | b';' | b'\t')]) = first.strip_prefix("sep=").map(str::as_bytes) {
        return (*delimiter, first.len());
    }
    let best = [b',', b';', b'\t'].into_iter().max_by_key(|delimiter| fit(text, *delimiter));
    (best.filter(|delimiter| fit(text, *delimiter) > (0, 0)).unwrap_or(NO_DELIMITER), 0)
}

/// Returns how well a delimiter fits: how many records have the most common width, and that width.
fn fit(text: &str, delimiter: u8) -> (usize, usize) {
    let records = reader(text, delimiter).into_records().take(SAMPLE_RECORDS).map_while(Result::ok);
    let widths: Vec<usize> = records.map(|record| record.len()).collect();
    let count = |width: usize| widths.iter().filter(|other| **other == width).count();
    let fits = widths.iter().filter(|width| **width > 1).map(|width| (count(*width), *width)).max();
    fits.filter(|(count, _)| count * 2 >= widths.len()).unwrap_or_default()
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
    rows: Vec<(usize, Vec<Cell>)>,
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
            if loses_quote(raw, delimiter) {
                let first = raw.split('\n').next().unwrap_or(raw);
                found.problem(
                    lines.line,
                    "a quote stands where none can be and was left out; write it twice inside quotes",
                    first,
                );
            }
            let cell = |text: &str| Cell { raw: text.to_owned(), text: text.to_owned() };
            self.rows.push((lines.line, record.iter().map(cell).collect()));
        }
        false
    }
}

/// Returns whether the record runs to the end of the text because its quote is never closed.
fn is_open(raw: &str, record: &::csv::StringRecord) -> bool {
    let held: usize = record.iter().map(str::len).sum();
    held * 2 + record.len() * 8 + 64 >= raw.trim_end().len() && raw.matches('"').count() % 2 == 1
}

/// Returns whether a quote of the first record is none of a cell's own: it begins a cell and ends in its middle, or nowhere.
fn loses_quote(raw: &str, delimiter: u8) -> bool {
    let bytes = raw.as_bytes();
    let mut at = 0;
    while bytes.get(at) == Some(&b'"') || bytes.get(at).is_some_and(|byte| *byte != b'\n') {
        if bytes[at] == b'"' {
            at += 1;
            while bytes.get(at).is_some_and(|byte| *byte != b'"') || bytes.get(at + 1) == Some(&b'"') {
                at += if bytes.get(at) == Some(&b'"') { 2 } else { 1 };
            }
            at += 1;
            if bytes.get(at - 1).is_none() || bytes.get(at).is_some_and(|byte| *byte != delimiter && *byte != b'\n') {
                return true;
            }
        }
        at += bytes[at.min(bytes.len())..].iter().take_while(|byte| **byte != delimiter && **byte != b'\n').count();
        if bytes.get(at) == Some(&delimiter) {
            at += 1;
        }
    }
    false
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
