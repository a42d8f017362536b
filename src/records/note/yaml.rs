use serde::Deserialize as _;
use serde_yaml::{Mapping, Value};

use super::super::yaml_guard;
use super::Found;
use super::draft::Draft;
use super::keys::{Key, key_named};

const YAML_BYTES_MAX: usize = 1024 * 1024;
/// How far ahead the line of a title is looked for.
const LOOK_AHEAD_BYTES: usize = 16 * 1024;
/// How many searches for a title may fail; later titles get the last known line.
const MISSES_MAX: usize = 1_000;
/// The longest title of an idea in bytes.
const ITEM_BYTES_MAX: usize = 2_000;
/// How deeply lists may be nested: `ideas:` in a document, and one more.
const DEPTH_MAX: usize = 3;

/// Reads a note in YAML: a list of titles or of maps, a map from titles to details, or one idea.
pub(super) fn read(text: &str, found: &mut Found) {
    if text.len() > YAML_BYTES_MAX {
        return found.problem(1, "a note in YAML may have 1 MiB; split it", "");
    }
    if let Some(what) = yaml_guard::refusal(text) {
        return found.problem(1, what, "");
    }
    match documents(text) {
        Ok(values) => {
            let mut lines = TitleLines { text, offset: 0, line: 1, misses: 0 };
            for value in &values {
                read_value(value, 0, &mut lines, found);
            }
        }
        Err(_) => read_parts(text, found),
    }
}

/// Reads front matter as the note's defaults; returns its title.
pub(super) fn read_front_matter(text: &str, found: &mut Found) -> Option<String> {
    let value = match yaml_guard::refusal(text) {
        Some(what) => return refuse(found, 1, what),
        None => serde_yaml::from_str::<Value>(text),
    };
    let map = match value {
        Ok(Value::Mapping(map)) => map,
        Ok(Value::Null) => return None,
        Ok(_) => return refuse(found, 1, "the front matter is no list of `key: value`"),
        Err(error) => {
            let line = 1 + error.location().map_or(1, |location| location.line());
            return refuse(found, line, &what_of(&error));
        }
    };
    let mut title = None;
    let mut defaults = std::mem::take(&mut found.defaults);
    for (key, value) in &map {
        match word(key).as_deref().and_then(key_named) {
            Some(Key::Title | Key::Theme) => title = word(value).filter(|text| text.len() < ITEM_BYTES_MAX),
            Some(Key::Prompts) | None => {}
            Some(key) => apply(&mut defaults, key, value, 1, found),
        }
    }
    found.defaults = defaults;
    title
}

fn refuse(found: &mut Found, line: usize, what: &str) -> Option<String> {
    found.problem(line, what, "---");
    None
}

fn documents(text: &str) -> Result<Vec<Value>, serde_yaml::Error> {
    serde_yaml::Deserializer::from_str(text).map(Value::deserialize).collect()
}

/// Reads what can be read of a broken note: each part that starts in the first column by itself.
fn read_parts(text: &str, found: &mut Found) {
    let mut start = 0;
    let mut first = 1;
    let mut offset = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        if offset > start && !line.starts_with([' ', '\t', '\n', '#', ']', '}']) {
            read_part(&text[start..offset], first, found);
            (start, first) = (offset, at + 1);
        }
        offset += line.len();
    }
    read_part(&text[start..], first, found);
}

fn read_part(part: &str, first: usize, found: &mut Found) {
    match documents(part) {
        Ok(values) => {
            let mut lines = TitleLines { text: part, offset: 0, line: first, misses: 0 };
            for value in &values {
                read_value(value, 0, &mut lines, found);
            }
        }
        Err(error) => {
            let line = error.location().map_or(1, |location| location.line());
            let shown = part.lines().nth(line.saturating_sub(1)).unwrap_or(part);
            found.problem(first + line.saturating_sub(1), &what_of(&error), shown);
        }
    }
}

/// Returns what is wrong without the line, which the problem has already.
fn what_of(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    format!("{what}; put quotes around text that holds `: ` or starts with a sign")
}

fn read_value(value: &Value, depth: usize, lines: &mut TitleLines<'_>, found: &mut Found) {
    match value {
        Value::Null => {}
        Value::Sequence(_) if depth >= DEPTH_MAX => {
            found.problem(lines.line, "the list lies too deep to be ideas", "-");
        }
        Value::Sequence(items) => items.iter().for_each(|item| read_value(item, depth + 1, lines, found)),
        Value::Mapping(map) => read_map(map, depth, lines, found),
        Value::Tagged(tagged) => read_value(&tagged.value, depth, lines, found),
        scalar => {
            let text = word(scalar).unwrap_or_default();
            let line = lines.line_of(&text);
            if let Some(draft) = item(line, &text, found) {
                found.push(draft);
            }
        }
    }
}

fn item(line: usize, text: &str, found: &mut Found) -> Option<Draft> {
    if text.len() > ITEM_BYTES_MAX {
        found.problem(line, "the text is too long to be a title", text);
        return None;
    }
    Some(Draft::item(line, text))
}

fn read_map(map: &Mapping, depth: usize, lines: &mut TitleLines<'_>, found: &mut Found) {
    let named = |wanted: Key| map.iter().find(|(key, _)| word(key).as_deref().and_then(key_named) == Some(wanted));
    let title = named(Key::Title).or_else(|| named(Key::Theme)).and_then(|(_, value)| word(value));
    if let Some(title) = title {
        let line = lines.line_of(&title);
        if let Some(mut draft) = item(line, &title, found) {
            add_fields(&mut draft, map, line, found);
            found.push(draft);
        }
        return;
    }
    for (key, value) in map {
        let Some(name) = word(key) else {
            found.problem(lines.line, "the key is no text", "?");
            continue;
        };
        let holds_ideas = matches!(value, Value::Sequence(_) | Value::Mapping(_));
        match key_named(&name) {
            _ if holds_ideas && matches!(name.to_lowercase().as_str(), "ideas" | "themes" | "items" | "list") => {
                read_value(value, depth + 1, lines, found);
            }
            Some(known) if depth == 0 && known != Key::Prompts => {
                let line = lines.line_of(&name);
                let mut defaults = std::mem::take(&mut found.defaults);
                apply(&mut defaults, known, value, line, found);
                found.defaults = defaults;
            }
            Some(_) => found.problem(lines.line_of(&name), "the entry has no `title`", &name),
            None => read_titled(&name, value, lines, found),
        }
    }
}

/// Reads `Title: details`, where the details are keywords, a sentence or a map of fields.
fn read_titled(title: &str, value: &Value, lines: &mut TitleLines<'_>, found: &mut Found) {
    let line = lines.line_of(title);
    let Some(mut draft) = item(line, title, found) else {
        return;
    };
    match value {
        Value::Mapping(map) => add_fields(&mut draft, map, line, found),
        Value::Sequence(_) => apply(&mut draft, Key::Keywords, value, line, found),
        other => draft.add_words(&word(other).unwrap_or_default()),
    }
    found.push(draft);
}

fn add_fields(draft: &mut Draft, map: &Mapping, line: usize, found: &mut Found) {
    let has_title = map.keys().any(|key| word(key).as_deref().and_then(key_named) == Some(Key::Title));
    for (key, value) in map {
        let name = word(key).unwrap_or_default();
        match key_named(&name) {
            Some(Key::Title) => {}
            Some(Key::Theme) if has_title => apply(draft, Key::Category, value, line, found),
            Some(key) => apply(draft, key, value, line, found),
            None => found.problem(line, "the key is not one that a theme has, so it stays in the note only", &name),
        }
    }
}

fn apply(draft: &mut Draft, key: Key, value: &Value, line: usize, found: &mut Found) {
    let values = match value {
        Value::Sequence(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    for value in values {
        let Some(text) = word(value) else {
            if !value.is_null() {
                found.problem(line, "the value is neither a text nor a list of texts", "");
            }
            continue;
        };
        if key == Key::Prompts {
            text.lines().for_each(|prompt| draft.add_prompt(prompt));
        } else if let Err(what) = draft.apply(key, &text) {
            found.problem(line, what, &text);
        }
    }
}

/// Returns a scalar as text.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Tagged(tagged) => word(&tagged.value),
        _ => None,
    }
}

/// Finds the lines of titles, which come in the note's order.
struct TitleLines<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
    misses: usize,
}

impl TitleLines<'_> {
    /// Returns the line of the next entry that starts with `title`, or the last known line.
    fn line_of(&mut self, title: &str) -> usize {
        let needle = title.lines().next().unwrap_or("").trim();
        if needle.is_empty() || self.misses >= MISSES_MAX {
            return self.line;
        }
        let rest = &self.text[self.offset..];
        let near = &rest[..rest.floor_char_boundary(LOOK_AHEAD_BYTES)];
        let mut offset = self.offset;
        for (at, line) in near.split_inclusive('\n').enumerate() {
            if starts_entry(line, needle) {
                self.line += at;
                self.offset = offset;
                return self.line;
            }
            offset += line.len();
        }
        self.misses += 1;
        self.line
    }
}

fn starts_entry(line: &str, needle: &str) -> bool {
    let entry = line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '"' | '\'' | '{' | '['));
    let value = entry.split_once(':').map_or("", |(_, value)| value);
    let value = value.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
    entry.starts_with(needle) || value.starts_with(needle)
}
