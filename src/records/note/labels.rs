//! Fields inside a line: `Title – A sentence. Keywords: a, b`, `Title (tags: a; mood: b)`, `Title | Prompt: …`.

use super::keys::{Key, key_named, key_of_value};

/// So many colons of a line are looked at.
const COLONS_MAX: usize = 50;
/// The longest name of a field, in words and in bytes.
const NAME_WORDS_MAX: usize = 3;
const NAME_BYTES_MAX: usize = 40;

/// What joins a field to what stands before it.
const JOINTS: [char; 9] = ['–', '—', '-', '/', ',', '、', '·', '•', '→'];

/// The name of a field in a line.
struct Label {
    key: Key,
    /// Where the text before it ends.
    cut: usize,
    value: usize,
    /// What closes its brackets, if it stands in some.
    close: Option<char>,
}

/// Takes the fields out of a text; returns the text without them, and each field with its value.
pub(super) fn take(text: &str) -> (String, Vec<(Key, String)>) {
    let labels: Vec<Label> =
        text.match_indices(':').take(COLONS_MAX).filter_map(|(colon, _)| label(text, colon)).collect();
    let mut rest = String::new();
    let mut fields = Vec::new();
    // The place that is read up to, and where the brackets that it lies in end.
    let (mut at, mut closed) = (0, 0);
    for (number, label) in labels.iter().enumerate() {
        if label.cut < at {
            continue;
        }
        rest.push_str(&text[at..label.cut]);
        let next = labels[number + 1..].iter().map(|next| next.cut).find(|cut| *cut >= label.value);
        if let Some(close) = label.close {
            closed = text[label.value..].find(close).map_or(text.len(), |end| label.value + end);
        }
        let is_inside = label.value < closed;
        let limit = if is_inside { closed } else { text.len() };
        let mut end = next.map_or(limit, |next| next.min(limit));
        if !is_inside && matches!(label.key, Key::Keywords | Key::Mood) {
            end = text[label.value..end].find(". ").map_or(end, |dot| label.value + dot + 1);
        }
        let value = text[label.value..end].trim().trim_matches(['*', '_']).trim();
        fields.push((label.key, value.trim_end_matches([';', '|', '/', '–', '—', ' ']).to_owned()));
        at = if is_inside && end == closed { (closed + 1).min(text.len()) } else { end };
    }
    rest.push_str(&text[at..]);
    (rest, fields)
}

/// Returns the label that ends with the colon at `colon`, if a field's name stands where one can begin.
fn label(text: &str, colon: usize) -> Option<Label> {
    let value = colon + 1 + usize::from(text[colon + 1..].starts_with(':'));
    if !text[value..].trim_start_matches(['*', '_']).starts_with(char::is_whitespace) {
        return None;
    }
    let floor = text.ceil_char_boundary(colon.saturating_sub(NAME_BYTES_MAX));
    let end = floor + text[floor..colon].trim_end().len();
    let mut start = end;
    for _ in 0..NAME_WORDS_MAX {
        let before = text[floor..start].trim_end();
        let begins = |c: &char| c.is_whitespace() || matches!(c, '(' | '[' | '。');
        let (at, sign) = before.char_indices().rev().find(|(_, c)| begins(c))?;
        let name = &text[floor + at + sign.len_utf8()..end];
        let outside = text[..floor + at + sign.len_utf8()].trim_end();
        let of_value = || key_of_value(name, text[value..].split([';', '|', ')', ']', ',']).next()?);
        if let Some((key, sign)) = key_named(name).or_else(of_value).zip(outside.chars().next_back())
            && can_begin(key, name, sign)
        {
            let close = matches!(sign, '(' | '[').then_some(if sign == '(' { ')' } else { ']' });
            let is_cut = close.is_some() || JOINTS.contains(&sign) || matches!(sign, ';' | '|');
            let cut = outside.len() - if is_cut { sign.len_utf8() } else { 0 };
            return Some(Label { key, cut, value, close });
        }
        if !sign.is_whitespace() {
            return None;
        }
        start = floor + at;
    }
    None
}

/// Returns whether a field's name can stand behind that sign.
fn can_begin(key: Key, name: &str, sign: char) -> bool {
    let is_part = matches!(sign, '.' | '!' | '?' | ';' | '|' | '。');
    let is_told_apart =
        || key == Key::Keywords && (name.starts_with(char::is_uppercase) || !name.to_lowercase().starts_with("tag"));
    match key {
        _ if matches!(sign, '(' | '[') => true,
        Key::Title | Key::Theme | Key::Status | Key::Metadata => false,
        Key::Unplaced => is_part,
        _ => is_part || JOINTS.contains(&sign) || is_told_apart(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_taken_out_of_a_line() {
        let cases: [(&str, &str, &[(Key, &str)]); 14] = [
            (
                "Gear icons (look: illustration; people: no)",
                "Gear icons ",
                &[(Key::Look, "illustration"), (Key::People, "no")],
            ),
            ("A look: sharp; people: two", "A look: sharp; people: two", &[]),
            ("Sea – A wave. Keywords: a, b", "Sea – A wave.", &[(Key::Keywords, "a, b")]),
            ("Sea (tags: a; mood: b) now", "Sea  now", &[(Key::Keywords, "a"), (Key::Mood, "b")]),
            ("Sea [count:: 12]", "Sea ", &[(Key::Variations, "12")]),
            ("Sea | Tags: a | Mood: b", "Sea ", &[(Key::Keywords, "a"), (Key::Mood, "b")]),
            ("Sea / parole chiave: a, b", "Sea ", &[(Key::Keywords, "a, b")]),
            ("Sea – mots-clés : a", "Sea ", &[(Key::Keywords, "a")]),
            ("Sea Keywords: a. It is big.", "Sea It is big.", &[(Key::Keywords, "a.")]),
            ("Price tags: red", "Price tags: red", &[]),
            ("Sea: waves at 10:30", "Sea: waves at 10:30", &[]),
            ("Good mood: a day", "Good mood: a day", &[]),
            ("Sea (mood: calm", "Sea ", &[(Key::Mood, "calm")]),
            ("Sea; Notes: ask Tom", "Sea", &[(Key::Unplaced, "ask Tom")]),
        ];
        for (text, rest, fields) in cases {
            let fields: Vec<(Key, String)> = fields.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
            let (is, are) = take(text);
            assert_eq!((is.trim(), are), (rest.trim(), fields), "{text}");
        }
    }
}
