use super::super::prompts::has_alternatives;
use super::keys::{Key, count_of, key_named, priority_of};

/// The longest part of a list that is still a keyword and not a sentence.
pub(super) const KEYWORD_WORDS_MAX: usize = 5;
/// The longest bullet that is taken for a keyword although it has no comma.
const LONE_KEYWORD_WORDS_MAX: usize = 3;

/// The longest text in which links are looked for.
const LINKED_BYTES_MAX: usize = 2_000;

/// What the marks in an item say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) tags: Vec<String>,
    pub(super) priority: Option<u8>,
    pub(super) variations: Option<u32>,
}

/// Returns whether a detail is a list of keywords; a bullet needs no comma for that.
pub(super) fn is_word_list(text: &str, is_bullet: bool) -> bool {
    let max = if text.contains([',', ';']) { KEYWORD_WORDS_MAX } else { LONE_KEYWORD_WORDS_MAX };
    (is_bullet || text.contains([',', ';'])) && words_max(text) <= max && !text.ends_with(['.', '!', '?', ':'])
}

/// Returns how many words the longest part of a list has.
pub(super) fn words_max(text: &str) -> usize {
    text.split([',', ';']).map(|part| part.split_whitespace().count()).max().unwrap_or(0)
}

/// Returns the words of a list: `[a, "b"]`, `a; b`, `#a #b`.
pub(super) fn split_words(text: &str) -> Vec<String> {
    let text = text.trim();
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let tags_only = inner.contains('#') && inner.split_whitespace().all(|word| word.starts_with('#'));
    let parts: Vec<&str> =
        if tags_only { inner.split([' ', '\t', ',', ';']).collect() } else { inner.split([',', ';']).collect() };
    let words = parts.iter().map(|part| unquoted(part.trim())).filter(|part| !part.is_empty());
    words.map(|word| word.strip_prefix('#').map_or_else(|| word.to_owned(), spaced)).collect()
}

/// Returns a text without the quotes around it.
pub(super) fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// Returns whether a line is a prompt: it has alternatives, a `__wildcard__` or an option (`--ar`).
pub(super) fn looks_like_prompt(text: &str) -> bool {
    let has_option = || {
        text.split_whitespace()
            .skip(1)
            .any(|word| word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())))
    };
    has_option() || has_wildcard(text) || has_alternatives(text)
}

/// A whole text in `__…__` is bold Markdown and no wildcard.
fn has_wildcard(text: &str) -> bool {
    let is_path = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '*' | '.'))
    };
    let parts: Vec<&str> = text.trim().split("__").collect();
    let is_bold = parts.len() == 3 && parts[0].is_empty() && parts[2].is_empty();
    parts.len() >= 3 && !is_bold && parts[1..parts.len() - 1].iter().any(|part| is_path(part))
}

/// Returns a text without check box, `x 2026-01-31` and strike-through.
pub(super) fn without_done(text: &str) -> &str {
    let mut rest = text.trim();
    for check_box in ["[ ]", "[x]", "[X]", "[-]", "[/]"] {
        rest = rest.strip_prefix(check_box).map_or(rest, str::trim_start);
    }
    let done = rest.strip_prefix("x ").map(str::trim_start).filter(|after| starts_with_date(after));
    rest = done.unwrap_or(rest);
    while starts_with_date(rest) && rest.len() > 10 {
        rest = rest[10..].trim_start();
    }
    rest.strip_prefix("~~").and_then(|inner| inner.strip_suffix("~~")).unwrap_or(rest)
}

fn starts_with_date(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() >= 10
        && text.bytes().take(10).enumerate().all(shape)
        && text[10..].chars().next().is_none_or(char::is_whitespace)
}

/// Returns a text without Markdown's links and emphasis.
pub(super) fn plain(text: &str) -> String {
    let unlinked = without_links(text);
    let bare = unlinked.replace("**", "").replace("~~", "").replace('`', "");
    let mut bare = bare.trim();
    for mark in ["__", "*", "_"] {
        bare = bare.strip_prefix(mark).and_then(|inner| inner.strip_suffix(mark)).unwrap_or(bare);
    }
    bare.to_owned()
}

/// A long text keeps its links: each open bracket is searched to the end.
fn without_links(text: &str) -> String {
    if text.len() > LINKED_BYTES_MAX {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        out.push_str(&rest[..open]);
        let link = &rest[open..];
        let wiki = link.strip_prefix("[[").and_then(|inner| inner.split_once("]]"));
        let web = link[1..].split_once("](").and_then(|(shown, tail)| Some((shown, tail.split_once(')')?.1)));
        let (shown, tail) = match (wiki, web) {
            (Some((name, tail)), _) => (name.rsplit_once('|').map_or(name, |(_, alias)| alias), tail),
            (None, Some((shown, tail))) if !shown.contains('[') => (shown, tail),
            _ => ("[", &link[1..]),
        };
        out.push_str(shown);
        rest = tail;
    }
    out + rest
}

/// Returns the marks of a text, and the text without them.
pub(super) fn split_marks(text: &str) -> (Marks, String) {
    let mut marks = Marks::default();
    let mut kept: Vec<&str> = Vec::new();
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut at = 0;
    while at < words.len() {
        let word = words[at];
        if let Some(count) = count_in_words(word, words.get(at + 1).copied()) {
            marks.variations.get_or_insert(count);
            at += 1;
        } else if !marks.read(word) {
            kept.push(word);
        }
        at += 1;
    }
    if marks.priority.is_some() && kept.first().is_some_and(|word| starts_with_date(word)) && kept.len() > 1 {
        kept.remove(0);
    }
    let rest = kept.join(" ");
    let rest = rest.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '–' | '—' | '|' | ':' | ','));
    (marks, rest.to_owned())
}

/// Reads `(12 variations)`.
fn count_in_words(word: &str, next: Option<&str>) -> Option<u32> {
    let noun = next?.strip_suffix(')')?;
    let is_noun = matches!(noun, "variations" | "variants" | "images" | "pictures" | "pieces" | "shots" | "times");
    let digits = word.strip_prefix('(').filter(|digits| is_noun && digits.bytes().all(|b| b.is_ascii_digit()))?;
    count_of(digits)
}

impl Marks {
    /// Reads a word; returns false if it is no mark.
    fn read(&mut self, word: &str) -> bool {
        let starts_with_letter = |rest: &str| rest.starts_with(char::is_alphabetic);
        if let Some(tag) = word.strip_prefix('#').filter(|tag| starts_with_letter(tag)) {
            let tag = tag.trim_end_matches([',', ';', '.']);
            self.tags.extend(tag.split('/').map(spaced));
            return true;
        }
        if let Some(priority) = priority_mark(word) {
            self.priority.get_or_insert(priority);
            return true;
        }
        if let Some(count) = count_mark(word) {
            self.variations.get_or_insert(count);
            return true;
        }
        word.starts_with(['+', '@']) && starts_with_letter(&word[1..])
    }
}

fn priority_mark(word: &str) -> Option<u8> {
    if let Some((name, value)) = word.split_once(':') {
        return (key_named(name) == Some(Key::Priority)).then(|| priority_of(value))?;
    }
    let letter = word.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    match (letter, word) {
        (Some("A" | "B" | "C" | "D"), _) => priority_of(letter?),
        (None, "!" | "!!" | "!!!" | "P1" | "P2" | "P3" | "P4") => priority_of(word),
        _ => None,
    }
}

/// `x12`, `12x` and `count:12`; a bare number, a year, `4k` and `3D` are never counts.
fn count_mark(word: &str) -> Option<u32> {
    if let Some((name, value)) = word.split_once(':') {
        return (key_named(name) == Some(Key::Variations)).then(|| count_of(value))?;
    }
    let inner = word.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(word);
    let signs = ['x', 'X', '×'];
    (inner.starts_with(signs) != inner.ends_with(signs)).then(|| count_of(inner))?
}

fn spaced(tag: &str) -> String {
    tag.replace(['-', '_'], " ")
}

/// Splits at the first separator outside braces; without one, all of it is the title.
pub(super) fn split_title(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let tail = &text[at..];
        let separator = [" — ", " – ", " - ", " | ", ": "].into_iter().find(|separator| tail.starts_with(separator));
        if let Some(separator) = separator.filter(|_| depth == 0 && at > 0) {
            let rest = &tail[separator.len()..];
            let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
            let in_number =
                separator == ": " && is_digit(text[..at].chars().next_back()) && is_digit(rest.chars().next());
            if !in_number {
                return (text[..at].trim(), rest.trim());
            }
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hangs_behind_a_title_whose_marks_were_taken() {
        for text in [
            "Winter cabins - P1",
            "Winter cabins — x12",
            "Winter cabins | P2",
            "Winter cabins : P1",
            "Winter cabins, P1",
        ] {
            assert_eq!(split_marks(text).1, "Winter cabins", "{text}");
        }
    }
}
