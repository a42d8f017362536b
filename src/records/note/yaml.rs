//! YAML and JSON: a list of titles or of entries, a map from titles to details, or one idea, into blocks.

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{ScanError, TScalarStyle};

use super::super::yaml_guard;
use super::Found;
use super::block::{Block, Field, Line, Record};
use super::keys::{Key, field_named, key_of_value};

const YAML_BYTES_MAX: usize = 1024 * 1024;
/// How deeply lists may be nested: `ideas:` in a document, and one more.
const DEPTH_MAX: usize = 3;
/// How deeply anything may be nested.
const NODES_DEEP_MAX: usize = 64;
/// So many parts of a list are quoted.
const SHOWN_MAX: usize = 4;

/// A value and its line.
struct Node {
    line: usize,
    value: Value,
}

enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// What is nested too deeply.
    Unread,
}

impl Node {
    fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    fn key(&self) -> Option<Key> {
        self.text().and_then(field_named)
    }
}

/// Reads a note in YAML or JSON.
pub(super) fn read(text: &str, found: &mut Found) -> Vec<Block> {
    let mut blocks = Vec::new();
    if text.len() > YAML_BYTES_MAX {
        found.problem(1, "a note in YAML may have 1 MiB; split it", "");
    } else if let Some(what) = yaml_guard::refusal(text) {
        found.problem(1, what, "");
    } else {
        match nodes(text, 1) {
            Ok(nodes) => nodes.iter().for_each(|node| read_node(node, 0, found, &mut blocks)),
            Err(_) => read_parts(text, found, &mut blocks),
        }
    }
    blocks
}

/// Reads front matter, which starts in line 2, as fields of the whole note; returns its title.
pub(super) fn read_front_matter(text: &str, found: &mut Found, blocks: &mut Vec<Block>) -> Option<String> {
    if let Some(what) = yaml_guard::refusal(text) {
        found.problem(1, what, "---");
        return None;
    }
    let nodes = match nodes(text, 2) {
        Ok(nodes) => nodes,
        Err(error) => {
            tell_error(&error, text, 2, found);
            return None;
        }
    };
    let mut title = None;
    for node in &nodes {
        match &node.value {
            Value::Null => {}
            Value::Map(entries) => {
                for (name, value) in entries {
                    match name.key() {
                        Some(Key::Title | Key::Theme) => title = value.text().map(str::to_owned),
                        Some(Key::Metadata) => {}
                        Some(
                            Key::Keywords
                            | Key::Mood
                            | Key::Description
                            | Key::Category
                            | Key::Priority
                            | Key::Variations,
                        ) => {
                            blocks.extend(field(name, value, found).map(Block::Shared));
                        }
                        _ => found.problem(
                            name.line,
                            "it says nothing that all ideas of a note can have, so it is left out",
                            name.text().unwrap_or("?"),
                        ),
                    }
                }
            }
            _ => found.problem(node.line, "the front matter is no list of `key: value`", "---"),
        }
    }
    title
}

/// Returns the documents of a text whose first line has the number `first`.
fn nodes(text: &str, first: usize) -> Result<Vec<Node>, ScanError> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Node> = vec![Node { line: first, value: Value::List(Vec::new()) }];
    let mut keys: Vec<Option<Node>> = vec![None];
    // What is nested too deeply is counted and not built.
    let mut deeper = 0_usize;
    loop {
        let (event, marker) = parser.next_token()?;
        let line = first + marker.line().saturating_sub(1);
        let value = match event {
            Event::StreamEnd => break,
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() > NODES_DEEP_MAX => {
                deeper += 1;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd if deeper > 0 => {
                deeper -= 1;
                if deeper > 0 {
                    continue;
                }
                Value::Unread
            }
            _ if deeper > 0 => continue,
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let is_list = matches!(event, Event::SequenceStart(..));
                open.push(Node { line, value: if is_list { Value::List(Vec::new()) } else { Value::Map(Vec::new()) } });
                keys.push(None);
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                keys.pop();
                let node = open.pop().expect("each end has its start");
                put(&mut open, &mut keys, node);
                continue;
            }
            Event::Scalar(text, TScalarStyle::Plain, ..) if matches!(text.as_str(), "" | "~" | "null") => Value::Null,
            Event::Scalar(text, ..) => Value::Text(text),
            Event::Alias(_) => return Err(ScanError::new(marker, "anchors are not read; write the values out")),
            _ => continue,
        };
        put(&mut open, &mut keys, Node { line, value });
    }
    match open.swap_remove(0).value {
        Value::List(nodes) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

/// Puts a value into the innermost list or map that is open.
fn put(open: &mut [Node], keys: &mut [Option<Node>], node: Node) {
    let (Some(inner), Some(key)) = (open.last_mut(), keys.last_mut()) else { return };
    match &mut inner.value {
        Value::List(items) => items.push(node),
        Value::Map(entries) => match key.take() {
            Some(name) => entries.push((name, node)),
            None => *key = Some(node),
        },
        _ => {}
    }
}

/// Reads what can be read of a broken note: each part that starts in the first column by itself.
fn read_parts(text: &str, found: &mut Found, blocks: &mut Vec<Block>) {
    let mut start = 0;
    let mut first = 1;
    let mut offset = 0;
    let mut read = |part: &str, first: usize| match nodes(part, first) {
        Ok(nodes) => nodes.iter().for_each(|node| read_node(node, 0, found, blocks)),
        Err(error) => tell_error(&error, part, first, found),
    };
    for (at, line) in text.split_inclusive('\n').enumerate() {
        if offset > start && !line.starts_with([' ', '\t', '\n', '#', ']', '}']) {
            read(&text[start..offset], first);
            (start, first) = (offset, at + 1);
        }
        offset += line.len();
    }
    read(&text[start..], first);
}

fn tell_error(error: &ScanError, text: &str, first: usize, found: &mut Found) {
    let last = text.lines().count().max(1);
    let at = error.marker().line().clamp(1, last);
    let shown = text.lines().nth(at - 1).unwrap_or("");
    let what = format!("{}; put quotes around text that holds `: ` or starts with a sign", error.info());
    found.problem(first + at - 1, &what, shown);
}

fn read_node(node: &Node, depth: usize, found: &mut Found, blocks: &mut Vec<Block>) {
    match &node.value {
        Value::Null => {}
        Value::Unread => found.problem(node.line, "the value is nested too deeply to be read", ""),
        Value::List(_) if depth >= DEPTH_MAX => {
            found.problem(node.line, "the list lies too deep to be ideas", &shown(node));
        }
        Value::List(items) => items.iter().for_each(|item| read_node(item, depth + 1, found, blocks)),
        Value::Map(entries) => read_map(entries, node.line, depth, found, blocks),
        Value::Text(text) => {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let line = Line { number: node.line, raw: text.clone(), text, ..Line::default() };
            blocks.push(Block::Item { line, is_ordered: false, is_done: false });
        }
    }
}

fn read_map(entries: &[(Node, Node)], line: usize, depth: usize, found: &mut Found, blocks: &mut Vec<Block>) {
    let named = |wanted: &[Key]| {
        entries
            .iter()
            .position(|(name, value)| value.text().is_some() && name.key().is_some_and(|key| wanted.contains(&key)))
    };
    let has_prompts = entries.iter().any(|(name, value)| {
        matches!(name.key(), Some(Key::Prompt | Key::Prompts)) && !matches!(value.value, Value::Null)
    });
    // An entry of a list may call its title as it likes.
    let first = || {
        entries
            .iter()
            .position(|(name, value)| depth > 0 && entries.len() > 1 && name.key().is_none() && value.text().is_some())
    };
    let title = named(&[Key::Title]).or_else(|| named(&[Key::Theme])).or_else(|| first().filter(|at| *at == 0));
    if title.is_some() || (depth > 0 && has_prompts) {
        let (line, text) = title.map_or((line, ""), |at| (entries[at].0.line, entries[at].1.text().unwrap_or("")));
        let has_title = named(&[Key::Title]).is_some();
        let others = entries.iter().enumerate().filter(|(at, _)| Some(*at) != title).map(|(_, entry)| entry);
        let fields = others.filter_map(|(name, value)| record_field(name, value, has_title, found)).collect();
        return blocks.push(Block::Record(Record { line, title: text.to_owned(), fields }));
    }
    let has_groups = entries.iter().any(|(name, value)| name.key().is_none() && is_group(value));
    for (name, value) in entries {
        let Some(text) = name.text() else {
            found.problem(name.line, "the key is no text", "?");
            continue;
        };
        let holds_more = matches!(value.value, Value::List(_) | Value::Map(_));
        match (text.to_lowercase().as_str(), name.key()) {
            ("ideas" | "themes" | "items" | "list" | "ideen", _) if holds_more => {
                read_node(value, depth + 1, found, blocks);
            }
            ("defaults" | "default" | "shared" | "all", None) if depth == 0 => match &value.value {
                Value::Map(entries) => blocks.extend(
                    entries
                        .iter()
                        .filter_map(|(name, value)| record_field(name, value, false, found))
                        .map(Block::Shared),
                ),
                _ => found.problem(name.line, "the entry is no map of fields", text),
            },
            (_, Some(key))
                if depth == 0 && !matches!(key, Key::Prompt | Key::Prompts | Key::Title | Key::Theme | Key::Status) =>
            {
                blocks.extend(record_field(name, value, false, found).map(Block::Shared));
            }
            (_, Some(_)) => found.problem(name.line, "the entry has no `title`", &format!("{text}: {}", shown(value))),
            (_, None) if is_group(value) || has_groups && matches!(value.value, Value::List(_)) => {
                read_node(value, depth + 1, found, blocks);
            }
            (_, None) => blocks.push(Block::Record(titled(name, text, value, found))),
        }
    }
}

/// Returns the first texts of a value, as a problem quotes them.
fn shown(value: &Node) -> String {
    match &value.value {
        Value::Text(text) => text.clone(),
        Value::List(items) => items.iter().take(SHOWN_MAX).map(shown).collect::<Vec<_>>().join(", "),
        Value::Map(entries) => {
            let entry = |(name, value): &(Node, Node)| format!("{}: {}", shown(name), shown(value));
            entries.iter().take(SHOWN_MAX).map(entry).collect::<Vec<_>>().join(", ")
        }
        Value::Null | Value::Unread => String::new(),
    }
}

/// Returns whether a value holds ideas: maps in a list, or in a map of which no key is a field's.
fn is_group(value: &Node) -> bool {
    let is_map = |node: &Node| matches!(node.value, Value::Map(_));
    match &value.value {
        Value::List(items) => items.iter().any(is_map),
        Value::Map(entries) => entries.iter().all(|(name, value)| name.key().is_none() && is_map(value)),
        _ => false,
    }
}

/// Reads `Title: details`, where the details are keywords, a sentence or a map of fields.
fn titled(name: &Node, title: &str, value: &Node, found: &mut Found) -> Record {
    let fields = match &value.value {
        Value::Map(entries) => {
            entries.iter().filter_map(|(name, value)| record_field(name, value, false, found)).collect()
        }
        Value::Text(text) if super::marks::is_words(text) => {
            vec![Field { line: value.line, key: Key::Keywords, values: vec![text.clone()] }]
        }
        Value::Text(text) => vec![Field { line: value.line, key: Key::Description, values: vec![text.clone()] }],
        _ => texts(name, value, found)
            .map_or_else(Vec::new, |values| vec![Field { line: value.line, key: Key::Keywords, values }]),
    };
    // A key that is written as one word, `winter-cabins`, is one of several.
    let is_one_word = !title.contains(char::is_whitespace);
    let title = if is_one_word { title.replace(['-', '_'], " ") } else { title.to_owned() };
    Record { line: name.line, title, fields }
}

/// Returns a field of a record, or tells that a theme has no such.
fn record_field(name: &Node, value: &Node, has_title: bool, found: &mut Found) -> Option<Field> {
    let is_placed = match key_of(name, value) {
        None | Some(Key::Unplaced | Key::Metadata | Key::Title) => false,
        Some(Key::Theme) => has_title,
        Some(_) => true,
    };
    if !is_placed {
        let text = format!("{}: {}", shown(name), shown(value));
        found.problem(name.line, "the key is not one that a theme has, so it is left out", &text);
        return None;
    }
    let mut field = field(name, value, found)?;
    if field.key == Key::Theme {
        field.key = Key::Category;
    }
    Some(field)
}

/// Returns the key of a field, which some words are only with one of the values that they may have.
fn key_of(name: &Node, value: &Node) -> Option<Key> {
    name.key().or_else(|| key_of_value(name.text()?, value.text()?))
}

fn field(name: &Node, value: &Node, found: &mut Found) -> Option<Field> {
    let values = match &value.value {
        // `category: {adobe-stock: 11}` as in `tags.yaml`.
        Value::Map(entries) if key_of(name, value) == Some(Key::Category) => {
            let of_market = |(market, value): &(Node, Node)| {
                let categories = texts(market, value, found).filter(|categories| !categories.is_empty())?;
                Some(format!("{}: {}", shown(market), categories.join(", ")))
            };
            entries.iter().filter_map(of_market).collect()
        }
        Value::Text(text) if key_of(name, value) == Some(Key::Prompts) => text.lines().map(str::to_owned).collect(),
        _ => texts(name, value, found)?,
    };
    Some(Field { line: name.line, key: key_of(name, value)?, values })
}

fn texts(name: &Node, value: &Node, found: &mut Found) -> Option<Vec<String>> {
    let items = match &value.value {
        Value::Null => return None,
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(value),
    };
    let mut values = Vec::new();
    for item in items.iter().filter(|item| !matches!(item.value, Value::Null)) {
        if let Some(text) = item.text() {
            values.push(text.to_owned());
        } else {
            let text = format!("{}: {}", shown(name), shown(item));
            found.problem(item.line, "the value is neither a text nor a list of texts", &text);
        }
    }
    Some(values)
}
