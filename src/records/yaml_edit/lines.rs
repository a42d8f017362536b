//! The lines of a record: which belong to a value, and where comments are.

use std::ops::Range;

/// A part of a record's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// A line that is no value: a comment, an empty one, a mark of YAML.
    Line(String),
    /// The lines of a value.
    Block(Block),
}

/// The lines of a value, from its key on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) key: String,
    pub(super) text: String,
}

impl Segment {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Line(text) | Self::Block(Block { text, .. }) => text,
        }
    }

    pub(super) fn block(&self) -> Option<&Block> {
        match self {
            Self::Block(block) => Some(block),
            Self::Line(_) => None,
        }
    }
}

/// Returns the parts of a text, in order; together they are the text. Comments behind the last line of a value are
/// lines of their own.
pub(super) fn segments(text: &str) -> Vec<Segment> {
    let mut found: Vec<Segment> = Vec::new();
    let mut loose: Vec<&str> = Vec::new();
    for line in text.split_inclusive('\n') {
        if is_loose(line) {
            loose.push(line);
            continue;
        }
        let key = key_of(line);
        if key.is_none()
            && let Some(Segment::Block(block)) = found.last_mut()
        {
            block.text.extend(loose.drain(..));
            block.text.push_str(line);
            continue;
        }
        found.extend(loose.drain(..).map(|line| Segment::Line(line.to_owned())));
        found.push(match key {
            Some(key) => Segment::Block(Block { key, text: line.to_owned() }),
            None => Segment::Line(line.to_owned()),
        });
    }
    found.extend(loose.into_iter().map(|line| Segment::Line(line.to_owned())));
    found
}

/// Returns whether a line may stand inside a value or between two.
fn is_loose(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// Returns the key that a line begins with.
fn key_of(line: &str) -> Option<String> {
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    if line.starts_with([' ', '\t', '-', ']', '}', '[', '{', '?', ':', '%']) || line.starts_with("...") {
        return None;
    }
    let mut signs = line.match_indices(':').map(|(at, _)| at);
    let end = signs
        .find(|at| line[at + 1..].starts_with([' ', '\n', '\r']))
        .or_else(|| line.strip_suffix(':').map(str::len))?;
    let key = serde_yaml::from_str::<serde_yaml::Value>(&line[..end]).ok()?;
    key.as_str().map(str::to_owned)
}

/// Returns where a comment begins in a line.
pub(super) fn comment_at(line: &str) -> Option<usize> {
    let mut quote: Option<char> = None;
    let mut before: Option<char> = None;
    let mut is_escaped = false;
    let mut last_sign = None;
    for (at, c) in line.char_indices() {
        match quote {
            Some('"') if is_escaped => is_escaped = false,
            Some('"') if c == '\\' => is_escaped = true,
            Some(open) if c == open => quote = None,
            None if c == '#' && before.is_none_or(char::is_whitespace) => return Some(at),
            None if matches!(c, '"' | '\'')
                && last_sign.is_none_or(|sign| matches!(sign, ':' | '-' | '[' | '{' | ',')) =>
            {
                quote = Some(c);
            }
            Some(_) | None => (),
        }
        before = Some(c);
        if !c.is_whitespace() {
            last_sign = Some(c);
        }
    }
    None
}

/// Returns the comments in some lines, each from its `#` on. In a text that keeps its lines there are none.
pub(super) fn comments(text: &str) -> Vec<String> {
    let first = text.lines().next().unwrap_or_default();
    let header = first[..comment_at(first).unwrap_or(first.len())].trim_end();
    let is_text = header.trim_end_matches(['-', '+', '1', '2', '4', '8']).ends_with(['|', '>']) && header.contains(':');
    let lines = text.lines().take(if is_text { 1 } else { usize::MAX });
    lines.filter_map(|line| Some(line[comment_at(line)?..].trim_end().to_owned())).collect()
}

/// Returns whether a text has a comment.
pub(super) fn has_comment(text: &str, comment: &str) -> bool {
    segments(text).iter().any(|segment| comments(segment.text()).iter().any(|other| other == comment))
}

/// Returns where the value lies in a line `key: value  # comment`.
pub(super) fn scalar_span(line: &str) -> Option<Range<usize>> {
    let end = comment_at(line).unwrap_or(line.len());
    let ends_key = |at: &usize| {
        let rest = &line[at + 1..end];
        rest.starts_with(' ') || rest.trim_end().is_empty()
    };
    let colon = line[..end].match_indices(':').map(|(at, _)| at).find(ends_key)?;
    let value = &line[colon + 1..end];
    let start = colon + 1 + (value.len() - value.trim_start().len());
    let value = value.trim();
    if value.is_empty() {
        return Some(colon + 1..colon + 1);
    }
    (!value.starts_with(['|', '>', '&', '*', '!'])).then_some(start..start + value.len())
}

/// Returns how a text ends its lines.
pub(super) fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Returns a text whose last line is ended.
pub(super) fn ended(text: &str, end: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { end };
    format!("{text}{end}")
}
