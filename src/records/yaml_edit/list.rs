//! Lists, item by item: what stays is taken as it is written.

use serde_yaml::Value;

use super::lines::{comment_at, ended, line_end};
use super::{edited_scalar, write_value};

/// An item as it is written, with the comments above it.
struct Item {
    above: String,
    text: String,
    value: Value,
}

/// Returns the lines of a list with these items. `None` if it has a form that is not edited here.
pub(super) fn edited_list(block: &str, wanted: &[Value], raw: &str) -> Option<String> {
    let first = block.lines().next()?;
    let colon = block.find(':')?;
    let behind = first[..comment_at(first).unwrap_or(first.len())].get(colon + 1..)?.trim();
    match behind.chars().next() {
        None => edited_lines(block, wanted, raw),
        Some('[') => edited_brackets(block, wanted),
        Some(_) => edited_words(block, wanted),
    }
}

/// Edits a list with a line for each item.
fn edited_lines(block: &str, wanted: &[Value], raw: &str) -> Option<String> {
    let end = line_end(block);
    let (first, rest) = block.split_once('\n')?;
    let mut items: Vec<Item> = Vec::new();
    let mut above = String::new();
    for line in rest.split_inclusive('\n') {
        let bare = line.trim_start();
        if bare.is_empty() || bare.starts_with('#') {
            above.push_str(line);
        } else {
            let value = item_value(line)?;
            items.push(Item { above: std::mem::take(&mut above), text: ended(line, end), value });
        }
    }
    let indent = items.first().map_or("  ", |item| &item.text[..item.text.len() - item.text.trim_start().len()]);
    let indent = indent.to_owned();
    let written = |value: &Value| {
        let theirs = raw.lines().find(|line| item_value(line).as_ref() == Some(value)).map(str::trim);
        Some(format!(
            "{indent}{}{end}",
            theirs.map_or_else(|| write_value(value).map(|v| format!("- {v}")), |line| Some(line.to_owned()))?
        ))
    };
    let is_quote = |items: &[Item]| items.iter().any(|item| item.value.is_sequence() || item.value.is_mapping());
    if wanted.is_empty() || is_quote(&items) {
        return None;
    }
    let mut out = format!("{first}\n");
    for text in arranged(&mut items, wanted, &written)? {
        out.push_str(&text);
    }
    Some(out + &above)
}

/// Returns the value of a line `- item`.
fn item_value(line: &str) -> Option<Value> {
    let item = line.trim_start().strip_prefix('-').filter(|rest| rest.starts_with([' ', '\t']))?;
    serde_yaml::from_str(item).ok()
}

/// Returns the texts of the items that are wanted, in their order. Comments above an item that goes stay where it was.
fn arranged(
    items: &mut Vec<Item>,
    wanted: &[Value],
    written: &dyn Fn(&Value) -> Option<String>,
) -> Option<Vec<String>> {
    let mut left_above = String::new();
    let mut kept: Vec<Item> = Vec::new();
    for mut item in items.drain(..) {
        let is_known = kept.iter().any(|other| other.value == item.value);
        if !wanted.contains(&item.value) || is_known {
            left_above.push_str(&item.above);
            if let Some(at) = comment_at(&item.text) {
                left_above.push_str(&item.text[at..]);
            }
            continue;
        }
        item.above.insert_str(0, &std::mem::take(&mut left_above));
        kept.push(item);
    }
    let mut texts = Vec::new();
    for value in wanted {
        let old = kept.iter().position(|item| item.value == *value).map(|at| kept.remove(at));
        texts.push(match old {
            Some(item) => item.above + &item.text,
            None => written(value)?,
        });
    }
    texts.push(left_above);
    Some(texts)
}

/// Edits a list in brackets.
fn edited_brackets(block: &str, wanted: &[Value]) -> Option<String> {
    let open = block.find('[')?;
    let (pieces, close) = pieces(&block[open + 1..])?;
    let close = open + 1 + close;
    let mut kept: Vec<(Value, &str)> = Vec::new();
    let (mut tail, mut carried) = ("", String::new());
    for piece in pieces {
        match serde_yaml::from_str::<Value>(piece).ok()? {
            Value::Null if piece.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#')) => {
                tail = piece;
            }
            value => kept.push((value, piece)),
        }
    }
    let mut texts: Vec<String> = Vec::new();
    for value in wanted {
        let old = kept.iter().position(|(known, _)| known == value).map(|at| kept.remove(at).1);
        let new = || write_value(value).map(|text| format!(" {text}"));
        texts.push(old.map_or_else(new, |text| Some(text.to_owned()))?);
    }
    for (_, gone) in kept {
        let lines = gone.split_inclusive('\n').filter(|line| line.trim_start().starts_with('#'));
        lines.for_each(|line| carried.push_str(line));
    }
    let last = texts.pop().map(|text| (text.trim_end().to_owned(), text));
    let (last, space) =
        last.map_or_else(Default::default, |(bare, whole)| (bare.clone(), whole[bare.len()..].to_owned()));
    texts.push(last);
    let joined = texts.join(",");
    let joined = if block[open + 1..].starts_with([' ', '\n', '\r']) { joined } else { joined.trim_start().to_owned() };
    let comma = if tail.is_empty() { "" } else { "," };
    let carried = if carried.is_empty() { String::new() } else { format!("\n{carried}") };
    Some(format!("{}{joined}{comma}{tail}{space}{carried}{}", &block[..=open], &block[close..]))
}

/// Edits a list that is a text with commas.
fn edited_words(block: &str, wanted: &[Value]) -> Option<String> {
    let words: Option<Vec<&str>> = wanted.iter().map(Value::as_str).collect();
    let words = words.filter(|words| !words.is_empty() && !words.iter().any(|word| word.contains([',', ';', '\n'])))?;
    edited_scalar(block, &Value::from(words.join(", ")))
}

/// Returns what stands between the commas of a list, and where it ends.
fn pieces(text: &str) -> Option<(Vec<&str>, usize)> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    let mut quote: Option<char> = None;
    let (mut is_escaped, mut is_comment, mut before) = (false, false, ' ');
    let mut last_sign = ',';
    for (at, c) in text.char_indices() {
        match quote {
            _ if is_comment => is_comment = c != '\n',
            Some('"') if is_escaped => is_escaped = false,
            Some('"') if c == '\\' => is_escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => (),
            None => match c {
                '#' if before.is_whitespace() => is_comment = true,
                '"' | '\'' if matches!(last_sign, ',' | '[' | '{' | ':') => quote = Some(c),
                '[' | '{' => depth += 1,
                ']' if depth == 0 => {
                    found.push(&text[start..at]);
                    return Some((found, at));
                }
                ']' | '}' => depth = depth.checked_sub(1)?,
                ',' if depth == 0 => {
                    found.push(&text[start..at]);
                    start = at + 1;
                }
                _ => (),
            },
        }
        before = c;
        if !c.is_whitespace() && !is_comment {
            last_sign = c;
        }
    }
    None
}
