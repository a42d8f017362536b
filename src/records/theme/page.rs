//! How the fields of `tags.yaml` are written.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The longest key that is written before a colon; YAML takes 1024 characters.
const SIMPLE_KEY_BYTES_MAX: usize = 1000;

/// The text of a file, field by field; a field that has no value is there as an example behind `# `.
pub(super) struct Page {
    pub(super) text: String,
}

impl Page {
    pub(super) fn put(&mut self, line: std::fmt::Arguments<'_>) {
        self.text.write_fmt(line).expect("writing to a text cannot fail");
        self.text.push('\n');
    }

    pub(super) fn scalar(&mut self, key: &str, value: Option<&str>, example: &str) {
        match value {
            Some(value) => self.put(format_args!("{key}: {}", yaml_scalar(value))),
            None => self.put(format_args!("# {key}: {example}")),
        }
    }

    pub(super) fn number(&mut self, key: &str, value: Option<u32>, example: u32) {
        match value {
            Some(value) => self.put(format_args!("{key}: {value}")),
            None => self.put(format_args!("# {key}: {example}")),
        }
    }

    pub(super) fn list(&mut self, key: &str, values: &[String], example: &str) {
        if values.is_empty() {
            return self.put(format_args!("# {key}: {example}"));
        }
        self.put(format_args!("{key}:"));
        for value in values {
            self.put(format_args!("  - {}", yaml_scalar(value)));
        }
    }

    pub(super) fn map(&mut self, key: &str, values: &BTreeMap<String, String>, example: &str) {
        if values.is_empty() {
            return self.put(format_args!("# {key}: {example}"));
        }
        self.put(format_args!("{key}:"));
        for (name, value) in values {
            let (name, value) = (yaml_scalar(name), yaml_scalar(value));
            if name.len() <= SIMPLE_KEY_BYTES_MAX {
                self.put(format_args!("  {name}: {value}"));
            } else {
                self.put(format_args!("  ? {name}\n  : {value}"));
            }
        }
    }
}

/// Returns a text as YAML that reads back as the same text: plain if that is safe, else quoted.
fn yaml_scalar(text: &str) -> String {
    let mut chars = text.chars();
    let is_plain = chars.next().is_some_and(char::is_alphabetic)
        && chars.all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '/' | '.' | ',' | '\''))
        && !text.ends_with(' ')
        && !matches!(text.to_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if is_plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(c),
            _ if c.is_alphanumeric() || is_shown(c) => out.push(c),
            _ => write!(out, "\\U{:08x}", u32::from(c)).expect("writing to a text cannot fail"),
        }
    }
    out + "\""
}

/// Signs that a YAML reader takes as they are and a person can see.
fn is_shown(c: char) -> bool {
    matches!(c, '\u{a1}'..='\u{17f}' | '\u{2010}'..='\u{2027}' | '\u{20a0}'..='\u{20bf}' | '\u{1f300}'..='\u{1faff}')
}
