//! Changes the values of a record and nothing else in its text: comments, order and quoting of what did not change
//! stay byte for byte. It edits lines, since the YAML libraries for Rust that keep a text's form either need C or do
//! not keep comments between the items of a list; what comes out is read again and compared with what was wanted.

mod lines;
mod list;

use serde_yaml::{Mapping, Value};

use super::yaml::{read_shared, write_mapping};
use lines::{Block, Segment, comments, has_comment, scalar_span, segments};
use list::edited_list;

/// Returns the text of a record that has the values `wanted`. The sides are versions of it that were changed apart,
/// the most important one last, whose form is kept; a comment that only another side has is added where that side
/// had it. `base` is what they had in common.
pub fn merged_text(base: Option<&str>, sides: &[&str], wanted: &Mapping) -> String {
    let by_lines = || {
        let (last, others) = sides.split_last()?;
        let base = base.map(segments).unwrap_or_default();
        let mut text = (*last).to_owned();
        for other in others {
            text = with_blocks_of(&text, &segments(other), &base);
        }
        let raw: String = others.concat();
        let text = set_values(&text, wanted, &raw)?;
        let text = others.iter().fold(text, |text, other| with_comments_of(text, &segments(other), &base));
        is_same(&text, wanted).then_some(text)
    };
    by_lines().unwrap_or_else(|| anew(sides, wanted))
}

fn is_same(text: &str, wanted: &Mapping) -> bool {
    let Ok(read) = read_shared(text.as_bytes()) else { return false };
    read.len() == wanted.len() && read.iter().all(|(key, value)| wanted.get(key) == Some(value))
}

/// Returns the record written anew below all comments of the sides: for a form that is not edited here.
fn anew(sides: &[&str], wanted: &Mapping) -> String {
    let mut told: Vec<String> = Vec::new();
    for comment in sides.iter().flat_map(|side| segments(side)).flat_map(|segment| comments(segment.text())) {
        if !told.contains(&comment) {
            told.push(comment);
        }
    }
    each_on_a_line(&told, "\n") + &write_mapping(wanted)
}

fn each_on_a_line(lines: &[String], end: &str) -> String {
    lines.iter().flat_map(|line| [line.as_str(), end]).collect()
}

fn block_of<'a>(segments: &'a [Segment], key: &str) -> Option<&'a Block> {
    segments.iter().find_map(|segment| segment.block().filter(|block| block.key == key))
}

/// Takes over the values that only the other side changed, as they are written there.
fn with_blocks_of(text: &str, other: &[Segment], base: &[Segment]) -> String {
    let mut mine = segments(text);
    for block in other.iter().filter_map(Segment::block) {
        let before = block_of(base, &block.key).map(|block| &block.text);
        let now = block_of(&mine, &block.key).map(|block| &block.text);
        if now != before || Some(&block.text) == before || now.is_none() {
            continue;
        }
        for segment in &mut mine {
            if let Segment::Block(own) = segment
                && own.key == block.key
            {
                own.text.clone_from(&block.text);
            }
        }
    }
    mine.iter().map(Segment::text).collect()
}

/// Adds the comments that only the other side has, in front of the value that they stood before.
fn with_comments_of(text: String, other: &[Segment], base: &[Segment]) -> String {
    let old: Vec<String> = base.iter().flat_map(|segment| comments(segment.text())).collect();
    let mut text = text;
    let mut pending: Vec<String> = Vec::new();
    for segment in other {
        let new = comments(segment.text()).into_iter();
        pending.extend(new.filter(|comment| !old.contains(comment) && !has_comment(&text, comment)));
        if let Some(block) = segment.block() {
            text = with_lines_before(&text, Some(&block.key), &std::mem::take(&mut pending));
        }
    }
    with_lines_before(&text, None, &pending)
}

fn with_lines_before(text: &str, key: Option<&str>, new: &[String]) -> String {
    if new.is_empty() {
        return text.to_owned();
    }
    let end = lines::line_end(text);
    let new = each_on_a_line(new, end);
    let (mut out, mut is_put) = (String::new(), false);
    for segment in segments(text) {
        if segment.block().is_some_and(|block| Some(block.key.as_str()) == key) {
            out.push_str(&new);
            is_put = true;
        }
        out.push_str(segment.text());
    }
    if is_put { out } else { lines::ended(&out, end) + &new }
}

/// Returns the text with these values; `raw` has items of lists as others wrote them. `None` if its form is none of
/// those that are edited here.
fn set_values(text: &str, wanted: &Mapping, raw: &str) -> Option<String> {
    let now = read_shared(text.as_bytes()).ok()?;
    let mut parts = segments(text);
    let end = lines::line_end(text);
    for segment in &mut parts {
        let Segment::Block(block) = segment else { continue };
        let before = now.get(block.key.as_str())?;
        match wanted.get(block.key.as_str()) {
            Some(value) if value == before => (),
            Some(value) => block.text = edited(block, before, value, raw, end),
            None => block.text = each_on_a_line(&comments(&block.text), end),
        }
    }
    let mut text: String = parts.iter().map(Segment::text).collect();
    for (key, value) in wanted.iter().filter(|(key, _)| !now.contains_key(*key)) {
        text = with_block(&text, key.as_str()?, &fresh(key.as_str()?, value, end), end);
    }
    Some(text)
}

/// Puts a new value behind its example, else at the end.
fn with_block(text: &str, key: &str, block: &str, end: &str) -> String {
    let example = format!("# {key}:");
    let mut out = String::new();
    let mut is_put = false;
    for segment in segments(text) {
        let is_example = !is_put && segment.block().is_none() && segment.text().starts_with(&example);
        out.push_str(segment.text());
        if is_example {
            out = lines::ended(&out, end) + block;
            is_put = true;
        }
    }
    if is_put { out } else { lines::ended(&out, end) + block }
}

/// Returns a value written anew under its key.
fn fresh(key: &str, value: &Value, end: &str) -> String {
    let mut mapping = Mapping::new();
    mapping.insert(key.into(), value.clone());
    let text = write_mapping(&mapping);
    if end == "\n" { text } else { text.replace('\n', end) }
}

/// Returns a value's lines with another value, in the same form where that is possible.
fn edited(block: &Block, before: &Value, wanted: &Value, raw: &str, end: &str) -> String {
    let in_form = match (before, wanted) {
        (Value::Sequence(_), Value::Sequence(wanted)) => edited_list(&block.text, wanted, raw),
        (Value::Mapping(_), Value::Mapping(wanted)) => edited_mapping(block, wanted, raw),
        (Value::Sequence(_) | Value::Mapping(_), _) | (_, Value::Sequence(_) | Value::Mapping(_)) => None,
        _ => edited_scalar(&block.text, wanted),
    };
    let is_right =
        |text: &String| read_shared(text.as_bytes()).is_ok_and(|read| read.get(block.key.as_str()) == Some(wanted));
    in_form
        .filter(is_right)
        .unwrap_or_else(|| each_on_a_line(&comments(&block.text), end) + &fresh(&block.key, wanted, end))
}

/// Returns the lines with another text, number or the like behind the key.
fn edited_scalar(block: &str, wanted: &Value) -> Option<String> {
    let (first, rest) = block.split_once('\n').unwrap_or((block, ""));
    if !rest.trim().is_empty() {
        return None;
    }
    let span = scalar_span(first)?;
    let new = write_value(wanted)?;
    let space = if first[..span.start].ends_with(':') { " " } else { "" };
    Some(format!("{}{space}{new}{}", &block[..span.start], &block[span.end..]))
}

/// Returns a value that takes one line.
fn write_value(value: &Value) -> Option<String> {
    let text = serde_yaml::to_string(value).ok()?;
    let text = text.trim_end_matches('\n');
    (!text.contains('\n')).then(|| text.to_owned())
}

/// Returns the lines of a section, each of its values edited for itself.
fn edited_mapping(block: &Block, wanted: &Mapping, raw: &str) -> Option<String> {
    let (first, inner) = block.text.split_once('\n')?;
    let indent = inner.lines().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))?;
    let indent = &indent[..indent.len() - indent.trim_start().len()];
    if indent.is_empty() {
        return None;
    }
    let dedented: String =
        inner.split_inclusive('\n').map(|line| line.strip_prefix(indent).unwrap_or(line.trim_start())).collect();
    let text = set_values(&dedented, wanted, raw)?;
    let inner: String = text.split_inclusive('\n').flat_map(|line| [indent, line]).collect();
    Some(format!("{first}\n{inner}"))
}

#[cfg(test)]
mod tests;
