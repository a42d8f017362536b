mod reader;
mod shape;

use super::Found;
use super::draft::Draft;
use super::lines::{LineKind, lines};
use super::yaml;
use reader::Reader;
use shape::{Mode, Shape};

/// The longest front matter; it is copied into every idea.
const FRONT_MATTER_BYTES_MAX: usize = 64 * 1024;

/// Reads plain text or Markdown: headings, else bullets, else lines are the ideas.
pub(super) fn read(text: &str, stem: &str, found: &mut Found) {
    let (front, body, first) = split_front_matter(text);
    let title = front.and_then(|front| yaml::read_front_matter(front, found));
    let shape = Shape::of(body);
    let mode = shape.mode(title.is_some());
    let mut reader = Reader::new(found, mode);
    if let (Mode::Single, Some(title)) = (mode, &title) {
        reader.begin(Draft::item(1, title));
    }
    let mut rest = lines(body, first).peekable();
    while let Some(line) = rest.next() {
        let next = rest.peek().map(|next| next.kind);
        let next = if let Some(LineKind::Text { text, .. }) = next { text } else { "" };
        reader.line(line, next);
    }
    let fallback = title.or(shape.collection).unwrap_or_else(|| stem.replace(['-', '_'], " "));
    reader.finish(&fallback);
}

/// Returns the front matter if there is one, the body, and the number of the body's first line.
fn split_front_matter(text: &str) -> (Option<&str>, &str, usize) {
    let Some(inner) = text.strip_prefix("---\n") else {
        return (None, text, 1);
    };
    let mut offset = 0;
    for (at, line) in inner.split_inclusive('\n').enumerate() {
        if matches!(line.trim_end(), "---" | "...") {
            return (Some(&inner[..offset]), &inner[offset + line.len()..], at + 3);
        }
        offset += line.len();
        if offset > FRONT_MATTER_BYTES_MAX {
            break;
        }
    }
    (None, text, 1)
}
