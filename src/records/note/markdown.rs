//! Markdown and plain text, as a `CommonMark` parser reads them, into blocks. A line of a paragraph stays a line: plain
//! text is written so.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::Found;
use super::block::{Block, Line, columns};
use super::bullets::{self, Mark};
use super::keys::split_key;
use super::marks;
use super::table::{self, Cell};

/// Stands for a `|` in braces while the parser looks for tables.
const BAR: &str = "\u{1f}";
/// A fenced block in one of these languages may hold prompts; one in another language is code.
const PLAIN_FENCES: [&str; 7] = ["", "text", "txt", "plain", "plaintext", "prompt", "prompts"];

/// Reads a text whose first line has the number `first`.
pub(super) fn read(source: &str, first: usize, found: &mut Found) -> Vec<Block> {
    let text = without_comments(source, first, found);
    let masked = masked(&text);
    let starts = std::iter::once(0).chain(masked.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut reader =
        Reader { text: &text, starts, first, found, blocks: Vec::new(), numbers: Vec::new(), at: At::default() };
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_WIKILINKS;
    let parser = Parser::new_ext(&masked, options).into_offset_iter();
    for (_, link) in parser.reference_definitions().iter() {
        reader.left_out(link.span.start, "the address of a link is left out");
    }
    for (event, range) in parser {
        reader.event(event, range);
    }
    reader.flush();
    let (mut blocks, numbers) = (reader.blocks, reader.numbers);
    bullets::number(&mut blocks, &numbers, reader.found);
    bullets::indent(&mut blocks);
    blocks
}

/// Leaves out Obsidian's comments, `%%…%%` in a line or from the start of a line on.
fn without_comments(source: &str, first: usize, found: &mut Found) -> String {
    let mut text = String::with_capacity(source.len());
    let mut line = first;
    let mut rest = source;
    while let Some(open) = rest.find("%%") {
        let inner = &rest[open + 2..];
        let starts_line = rest[..open].rsplit('\n').next().is_some_and(|before| before.trim().is_empty());
        let close = inner.find("%%").filter(|close| starts_line || !inner[..*close].contains('\n'));
        let Some(close) = close else {
            let end = open + 2 + inner.find('\n').unwrap_or(inner.len());
            text.push_str(&rest[..end]);
            line += rest[..end].matches('\n').count();
            rest = &rest[end..];
            if !inner.contains("%%") {
                break;
            }
            continue;
        };
        text.push_str(&rest[..open]);
        line += rest[..open].matches('\n').count();
        let (comment, after) = rest[open..].split_at(close + 4);
        found.problem(line, "a comment is left out", comment);
        line += comment.matches('\n').count();
        text.extend(comment.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        rest = after;
    }
    text + rest
}

/// Returns a text of the same length in which a `|` in braces parts no cells.
fn masked(text: &str) -> String {
    let mut depth = 0_usize;
    let mask = |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '\n' => depth = 0,
            '\u{1f}' => return ' ',
            '|' if depth > 0 => return '\u{1f}',
            _ => {}
        }
        c
    };
    text.chars().map(mask).collect()
}

/// A line that is being read.
#[derive(Default)]
struct Open {
    start: usize,
    text: String,
    struck: String,
    begins_struck: bool,
    has_bold: bool,
    has_plain: bool,
}

/// Where the reader is.
#[derive(Default)]
struct At {
    quotes: usize,
    images: usize,
    bold: usize,
    struck: usize,
    /// For each open list, the number of its next item, if it has numbers.
    lists: Vec<Option<u64>>,
    /// An item has begun at this place, and its first line is still to come.
    item: Option<usize>,
    is_done: bool,
    heading: Option<(u8, Vec<Line>)>,
    code: Option<Code>,
    open: Option<Open>,
    rows: Vec<(usize, Vec<Cell>)>,
    cell: Option<String>,
}

struct Code {
    is_fenced: bool,
    is_plain: bool,
    lines: Vec<Line>,
}

struct Reader<'a> {
    text: &'a str,
    starts: Vec<usize>,
    first: usize,
    found: &'a mut Found,
    blocks: Vec<Block>,
    /// The number that each block's item has.
    numbers: Vec<Option<u64>>,
    at: At,
}

impl<'a> Reader<'a> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) if self.at.code.is_some() => self.code(&text, range.start),
            Event::Text(text) | Event::Code(text) => self.inline(&text, range.start),
            Event::SoftBreak | Event::HardBreak => self.flush(),
            Event::TaskListMarker(is_done) => self.at.is_done = is_done,
            Event::Html(_) | Event::InlineHtml(_) => self.left_out(range.start, "HTML or a comment is left out"),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Strong => self.at.bold += 1,
            Tag::Strikethrough => self.at.struck += 1,
            Tag::Image { .. } => {
                self.at.images += 1;
                self.left_out(range.start, "a picture is left out");
            }
            Tag::Emphasis | Tag::Link { .. } => {}
            _ => self.flush(),
        }
        match tag {
            Tag::Strong | Tag::Strikethrough | Tag::Emphasis | Tag::Link { .. } => drop(self.opened(range.start)),
            Tag::BlockQuote(_) => self.at.quotes += 1,
            Tag::Heading { level, .. } => self.at.heading = Some((level as u8, Vec::new())),
            Tag::List(first) => self.at.lists.push(first),
            Tag::Item => (self.at.item, self.at.is_done) = (Some(range.start), false),
            Tag::CodeBlock(kind) => {
                self.at.item = None;
                let language = match &kind {
                    CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or("").to_lowercase(),
                    CodeBlockKind::Indented => String::new(),
                };
                let is_plain = PLAIN_FENCES.contains(&language.as_str()) && self.at.quotes == 0;
                self.at.code = Some(Code { is_fenced: kind.is_fenced(), is_plain, lines: Vec::new() });
            }
            Tag::TableHead | Tag::TableRow => self.at.rows.push((self.line_of(range.start), Vec::new())),
            Tag::TableCell => self.at.cell = Some(String::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Strong => return self.at.bold -= 1,
            TagEnd::Strikethrough => return self.at.struck -= 1,
            TagEnd::Image => return self.at.images -= 1,
            TagEnd::Emphasis | TagEnd::Link => return,
            _ => {}
        }
        self.flush();
        match tag {
            TagEnd::BlockQuote(_) => self.at.quotes -= 1,
            TagEnd::List(_) => drop(self.at.lists.pop()),
            TagEnd::Item => self.at.item = None,
            TagEnd::Heading(_) => self.end_heading(),
            TagEnd::CodeBlock => self.end_code(range),
            TagEnd::TableCell => {
                let raw = self.text[range].trim().trim_matches('|').trim().replace("\\|", "|");
                let text = self.at.cell.take().unwrap_or_default().replace(BAR, "|");
                if let Some((_, cells)) = self.at.rows.last_mut() {
                    cells.push(Cell { raw, text: text.trim().to_owned() });
                }
            }
            TagEnd::Table => {
                let rows = std::mem::take(&mut self.at.rows);
                for record in table::records(rows, table::Head::First, self.found) {
                    self.push(Block::Record(record), None);
                }
            }
            _ => {}
        }
    }

    /// A heading of several lines is text above a line across the page.
    fn end_heading(&mut self) {
        let Some((level, mut lines)) = self.at.heading.take() else { return };
        if lines.len() == 1 {
            lines.drain(..).for_each(|line| self.push(Block::Heading { level, line }, None));
        } else {
            lines.into_iter().for_each(|line| self.text_line(line));
        }
    }

    fn inline(&mut self, text: &str, start: usize) {
        if let Some(cell) = &mut self.at.cell {
            cell.push_str(text);
            return;
        }
        let (is_bold, is_struck, is_shown) = (self.at.bold > 0, self.at.struck > 0, self.at.images == 0);
        let Some(open) = self.opened(start).filter(|_| is_shown) else { return };
        open.begins_struck |= is_struck && open.text.trim().is_empty();
        if is_struck { &mut open.struck } else { &mut open.text }.push_str(text);
        open.has_bold |= is_bold;
        open.has_plain |= !is_bold && !text.trim().is_empty();
    }

    /// Returns the line that is being read; cells have none.
    fn opened(&mut self, start: usize) -> Option<&mut Open> {
        let new = Open { start, ..Open::default() };
        self.at.cell.is_none().then(|| self.at.open.get_or_insert(new))
    }

    /// Ends the line that is being read.
    fn flush(&mut self) {
        let Some(open) = self.at.open.take() else { return };
        let number = self.line_of(open.start);
        let source = self.source(number);
        if self.at.quotes > 0 && source.trim_start().starts_with('>') {
            self.at.item = None;
            return self.found.problem(number, "a quote is left out", source);
        }
        let line_end = self.starts.get(number - self.first + 1).map_or(self.text.len(), |next| next - 1);
        let raw = self.text[open.start.min(line_end)..line_end].trim().to_owned();
        // What stands behind a struck idea says what became of it, or corrects it.
        let is_struck = !open.struck.is_empty() && open.text.trim().is_empty()
            || open.begins_struck && marks::is_remark(open.text.trim());
        let text = if is_struck { &format!("{}{}", open.struck, open.text) } else { &open.text };
        let after_blank = number > self.first && self.source(number - 1).trim().is_empty();
        let indent = columns(&source[..source.len() - source.trim_start().len()]);
        let text = text.replace(BAR, "|").replace('：', ": ").replace('（', " (").replace('）', ")").trim().to_owned();
        let line = Line { number, indent, raw, text, after_blank };
        if let Some((_, lines)) = &mut self.at.heading {
            return lines.push(line);
        }
        let Some(item) = self.at.item.take() else {
            let is_heading = open.has_bold && !open.has_plain && indent == 0 && split_key(&line.text).is_none();
            if is_heading {
                return self.push(Block::Heading { level: 7, line }, None);
            }
            return self.text_line(line);
        };
        let before = item - self.starts[number - self.first].min(item);
        let is_nested_here = self.text[item.saturating_sub(before)..item].trim() != "";
        let indent = if is_nested_here { before } else { indent };
        let number =
            self.at.lists.last_mut().and_then(|next| next.as_mut().map(|next| std::mem::replace(next, *next + 1)));
        let is_done = std::mem::take(&mut self.at.is_done) || is_struck;
        self.item(Line { indent, ..line }, number, is_done);
    }

    fn item(&mut self, mut line: Line, number: Option<u64>, is_done: bool) {
        let mark = bullets::strip_check(&mut line);
        let is_done = is_done || mark == Some(Mark::Done);
        self.push(Block::Item { line, is_ordered: number.is_some(), is_done }, number);
    }

    fn text_line(&mut self, mut line: Line) {
        match bullets::strip_bullet(&mut line) {
            Some(Mark::Number(number)) => self.item(line, Some(number), false),
            Some(mark) => self.item(line, None, mark == Mark::Done),
            None => self.push(Block::Text(line), None),
        }
    }

    /// Adds a block; addresses in it are told, as they name no idea.
    fn push(&mut self, mut block: Block, number: Option<u64>) {
        if let Block::Heading { line, .. } | Block::Item { line, .. } | Block::Text(line) = &mut block {
            if bullets::take_addresses(line) {
                self.found.problem(line.number, "an address is left out", &line.raw);
            }
            if line.text.is_empty() {
                return;
            }
        }
        self.blocks.push(block);
        self.numbers.push(number);
    }

    fn code(&mut self, text: &str, start: usize) {
        let mut at = start;
        for raw in text.split_inclusive('\n') {
            let number = self.line_of(at);
            let source = self.source(number);
            let after_blank = number > self.first && self.source(number - 1).trim().is_empty();
            let indent = columns(&source[..source.len() - source.trim_start().len()]);
            let text = raw.replace(BAR, "|").trim().to_owned();
            at += raw.len();
            if let Some(code) = self.at.code.as_mut().filter(|_| !text.is_empty()) {
                code.lines.push(Line { number, indent, raw: text.clone(), text, after_blank });
            }
        }
    }

    fn end_code(&mut self, range: Range<usize>) {
        let Some(code) = self.at.code.take() else { return };
        let fence = self.text[range.clone()].trim();
        if !code.is_plain {
            self.left_out(range.start, "the block is no list of prompts and is left out");
        } else if code.is_fenced {
            let marker = &fence[..3.min(fence.len())];
            let is_closed = fence.lines().count() > 1
                && fence
                    .lines()
                    .last()
                    .is_some_and(|last| last.trim().trim_start_matches('>').trim().starts_with(marker));
            if !is_closed {
                self.left_out(range.start, "the block of prompts is not closed; all after it was read as prompts");
            }
            self.push(Block::Fenced(code.lines), None);
        } else {
            code.lines.into_iter().for_each(|line| self.text_line(line));
        }
    }

    fn left_out(&mut self, start: usize, what: &str) {
        let number = self.line_of(start);
        let source = self.source(number);
        self.found.problem(number, what, source);
    }

    fn line_of(&self, offset: usize) -> usize {
        self.first + self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    fn source(&self, number: usize) -> &'a str {
        let at = number - self.first;
        let end = self.starts.get(at + 1).map_or(self.text.len(), |next| next - 1);
        &self.text[self.starts[at]..end]
    }
}
