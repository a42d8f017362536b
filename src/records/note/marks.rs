//! What stands in a line: the title and its words, marks, prompts, and sentences that name no idea.

use super::super::prompts::has_alternatives;
use super::keys::{Key, count_of, key_named, priority_of};
use super::labels;

/// The longest part of a list that is still a keyword and not a sentence.
const KEYWORD_WORDS_MAX: usize = 5;
/// The longest bullet that is taken for a keyword although it has no comma.
const LONE_KEYWORD_WORDS_MAX: usize = 3;
/// The longest line that can be one of a list of ideas below a heading.
const TITLE_WORDS_MAX: usize = 8;

/// What parts a title from its words.
const TITLE_SIGNS: [&str; 7] = [" — ", " – ", " - ", " | ", " → ", " -> ", ": "];
const SEPARATORS: [char; 8] = [',', ';', '|', '·', '•', '、', '，', '；'];
/// What ends a sentence.
const STOPS: [char; 5] = ['.', '!', '?', ':', '。'];
const ARTICLES: [&str; 16] =
    ["a", "an", "the", "ein", "eine", "einen", "der", "die", "das", "un", "une", "una", "le", "la", "el", "il"];

/// What the marks in an item say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) tags: Vec<String>,
    pub(super) priorities: Vec<u8>,
    pub(super) variations: Vec<u32>,
    /// Fields in the line: `(keywords: a, b)`, `[count:: 12]`, `… Tags: a`.
    pub(super) fields: Vec<(Key, String)>,
}

/// Returns whether a text is a list of words and no sentence.
pub(super) fn is_words(text: &str) -> bool {
    let longest = text.split(SEPARATORS).map(|part| part.split_whitespace().count()).max().unwrap_or(0);
    let is_sentence = text.ends_with(STOPS) && (longest > 2 || !text.contains(SEPARATORS));
    let has_article = || text.split_whitespace().next().is_some_and(|word| ARTICLES.contains(&&*word.to_lowercase()));
    longest <= KEYWORD_WORDS_MAX && !is_sentence && (longest < KEYWORD_WORDS_MAX - 1 || !has_article())
}

/// Returns whether a detail is a list of keywords; a bullet needs no comma for that.
pub(super) fn is_word_list(text: &str, is_bullet: bool) -> bool {
    let is_list = text.contains([',', ';', '、', '，', '；']);
    let is_short = || is_bullet && text.split_whitespace().count() <= LONE_KEYWORD_WORDS_MAX;
    is_words(text) && (is_list || is_short())
}

/// Returns the words of a list: `[a, "b"]`, `a; b`, `a | b`, `#a #b`. Marks for the author are no words.
pub(super) fn split_words(text: &str) -> Vec<String> {
    let text = text.trim();
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let tags_only = inner.contains('#') && inner.split_whitespace().all(|word| word.starts_with('#'));
    let is_break = |c: char| SEPARATORS.contains(&c) || c == '\n' || (tags_only && c.is_whitespace());
    let inner = if inner.contains(',') { inner.trim_end_matches('.') } else { inner };
    let mut is_open = false;
    let parts = inner.split(is_break).map(|part| without_contexts(within_quotes(part.trim(), &mut is_open)));
    parts
        .filter(|part| !part.is_empty())
        .map(|word| word.strip_prefix('#').map_or_else(|| word.clone(), spaced))
        .collect()
}

/// Returns a part of a list without the quotes around it, or around it and others: no keyword has a comma.
fn within_quotes<'a>(part: &'a str, is_open: &mut bool) -> &'a str {
    let has_one = part.matches('"').count() == 1;
    match (part.strip_prefix('"'), part.strip_suffix('"')) {
        (Some(rest), _) if has_one && !rest.is_empty() => {
            *is_open = true;
            rest
        }
        (_, Some(rest)) if has_one && *is_open => {
            *is_open = false;
            rest
        }
        _ => unquoted(part),
    }
}

fn without_contexts(part: &str) -> String {
    let kept = |word: &&str| !is_context(word);
    part.split_whitespace().filter(kept).collect::<Vec<_>>().join(" ")
}

/// Returns a text without the quotes around it.
pub(super) fn unquoted(text: &str) -> &str {
    for (open, close) in [('"', '"'), ('`', '`'), ('\'', '\''), ('“', '”'), ('„', '“'), ('«', '»')] {
        if let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
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

/// Returns whether a text behind a struck idea only says what became of that.
pub(super) fn is_remark(text: &str) -> bool {
    const SAID: &str = "|done|did|sold|already|made|uploaded|bundled|finished|no|nope|not|skip|erledigt|fertig|schon|verkauft|fait|hecho|";
    let first = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("").to_lowercase();
    text.starts_with(['(', '[', '—', '–', '-', '✓', '✔', '✅', '→'])
        || SAID.contains(&format!("|{first}|")) && !first.is_empty()
}

/// Returns whether a line says that it is done: in todo.txt's form, `x 2026-01-31 …`, `x …`, or at its end, `… [done]`.
pub(super) fn is_todo_done(text: &str) -> bool {
    let end = text.to_lowercase();
    if ["[done]", "(done)", "[x]", "[erledigt]", "(erledigt)", "[fertig]"].iter().any(|mark| end.ends_with(mark)) {
        return true;
    }
    text.strip_prefix("x ").is_some_and(|rest| rest.trim_start().starts_with(char::is_alphanumeric))
}

/// Returns whether a line is talk and no idea: an introduction, a question, what a chat-bot says at the end.
pub(super) fn is_talk(text: &str) -> bool {
    const BEGINNINGS: &str = "let me know|would you like|do you want|if you'd like|if you want|feel free|i can |i could |i've |i hope|\
        hope this|hope these|sure|certainly|of course|absolutely|great|here are|here's|here is|these ideas|want me to|\
        hi|hello|dear|best|best regards|kind regards|thanks|cheers|hallo|liebe|lieber|viele grüße|bonjour|hola|ciao|\
        lass mich wissen|sag mir|sag bescheid|sag einfach|tell me|just tell|say the word|si quieres|si vous |\
        fammi sapere|se vuoi|daj znać|möchtest du|soll ich|wenn du |gerne|natürlich|hier sind|hier ist|klar|ich kann|ich hoffe|\
        voici|bien sûr|souhaitez|n'hésite|aquí tienes|claro|¿";
    let greets = text.ends_with(',') && text.split_whitespace().count() <= KEYWORD_WORDS_MAX;
    if !greets && !text.ends_with(['.', '!', '?', ':', '…']) {
        return false;
    }
    let begins: String =
        text.chars().take(40).flat_map(char::to_lowercase).map(|c| if c == '’' { '\'' } else { c }).collect();
    let is_begun = |beginning: &str| {
        let rest = begins.strip_prefix(beginning);
        rest.is_some_and(|rest| !beginning.ends_with(char::is_alphabetic) || !rest.starts_with(char::is_alphabetic))
    };
    let is_question = text.ends_with('?') && text.split_whitespace().count() > 3;
    is_question || BEGINNINGS.split('|').any(is_begun)
}

/// Returns whether a text is a sentence and no title.
pub(super) fn is_sentence(text: &str) -> bool {
    let is_word = |word: &str| word.contains(char::is_alphanumeric);
    let ends = text.ends_with(STOPS) && text.split_whitespace().next_back().is_some_and(is_word);
    ends && text.split_whitespace().filter(|word| is_word(word)).count() > 3
}

/// Returns whether a line can be one of a list of ideas below a heading, where prose may stand too.
pub(super) fn is_short(text: &str) -> bool {
    let (title, _) = split_title(text);
    title.split_whitespace().count() <= TITLE_WORDS_MAX && !is_sentence(text) && !is_talk(text)
}

/// Returns whether a line is dataview's `name:: value`.
pub(super) fn is_dataview(text: &str) -> bool {
    text.split_once("::").is_some_and(|(name, rest)| {
        name.split_whitespace().count() <= 2
            && name.starts_with(char::is_alphabetic)
            && (rest.is_empty() || rest.starts_with(' '))
    })
}

/// Returns whether a text is `Name: value` of a field that nobody knows, or dataview's `name:: value`.
pub(super) fn is_unknown_field(text: &str) -> bool {
    let Some((name, value)) = text.split_once(':') else { return false };
    let is_name = name.split_whitespace().count() <= 3 && name.starts_with(char::is_alphabetic);
    is_dataview(text) || (is_name && value.starts_with(' ') && key_named(name).is_none())
}

/// Returns the marks of a text, and the text without them.
pub(super) fn split_marks(text: &str) -> (Marks, String) {
    let mut marks = Marks::default();
    let (text, fields) = labels::take(text);
    for (key, value) in fields {
        let is_whole = matches!(key, Key::Prompt | Key::Prompts | Key::Season);
        let value = if is_whole { value } else { marks.take_words(&value) };
        marks.fields.push((key, value));
    }
    let rest = marks.take_words(&text);
    (marks, rest)
}

/// The signs that Obsidian's tasks put before a date or a priority.
fn is_task_sign(word: &str) -> bool {
    let sign = word.trim_end_matches('\u{fe0f}');
    matches!(sign, "📅" | "⏳" | "🛫" | "➕" | "✅" | "❌" | "🔁" | "⏫" | "🔼" | "🔽" | "🔺" | "⏬")
}

fn is_date(word: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    word.len() == 10 && word.bytes().enumerate().all(shape)
}

/// Reads `(12 variations)`, and `12 variations` at the end of a line.
fn count_in_words(word: &str, next: Option<&str>, is_end: bool) -> Option<u32> {
    let next = next?;
    let noun = next.trim_end_matches(')');
    let is_closed = word.starts_with('(') && noun.len() < next.len();
    let is_variation =
        matches!(noun, "variations" | "variants" | "versions" | "Varianten" | "Variationen" | "variantes");
    let is_noun = is_variation || matches!(noun, "images" | "pictures" | "pieces" | "shots" | "times" | "Bilder");
    let digits = word.strip_prefix('(').unwrap_or(word);
    let is_count = (is_closed && is_noun) || (is_end && is_variation && noun.len() == next.len());
    count_of(digits).filter(|_| is_count && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Marks {
    /// Takes the marks out of a text; returns the rest.
    fn take_words(&mut self, text: &str) -> String {
        let mut kept: Vec<&str> = Vec::new();
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut at = 0;
        while at < words.len() {
            let word = words[at];
            if let Some(count) = count_in_words(word, words.get(at + 1).copied(), at + 2 >= words.len()) {
                self.variations.push(count);
                at += 1;
            } else if is_task_sign(word) {
                at += usize::from(words.get(at + 1).is_some_and(|next| is_date(next)));
            } else {
                let is_start_date = kept.is_empty() && at < 2 && is_date(word);
                if !is_start_date && !self.read(word, at > 0 && at + 1 == words.len()) {
                    kept.push(word);
                }
            }
            at += 1;
        }
        let rest = kept.join(" ");
        let rest = rest.trim_end_matches(|c: char| {
            c.is_whitespace() || matches!(c, '-' | '–' | '—' | '|' | ':' | ',' | ';' | '/' | '→')
        });
        rest.to_owned()
    }

    /// Reads a word, `:tag:` at the end of a title too; returns false if it is no mark.
    fn read(&mut self, word: &str, is_last: bool) -> bool {
        let starts_with_letter = |rest: &str| rest.starts_with(char::is_alphabetic);
        if let Some(tag) = word.strip_prefix('#').filter(|tag| starts_with_letter(tag)) {
            let tag = tag.trim_end_matches([',', ';', '.']);
            self.tags.extend(tag.split('/').map(spaced));
            return true;
        }
        if let Some(tags) = word.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).filter(|_| is_last) {
            self.tags.extend(tags.split(':').map(spaced));
            return true;
        }
        // Obsidian's name of a block.
        if is_last && word.strip_prefix('^').is_some_and(|name| name.chars().all(char::is_alphanumeric)) {
            return true;
        }
        if let Some(priority) = priority_mark(word) {
            self.priorities.push(priority);
            return true;
        }
        if let Some(count) = count_mark(word) {
            self.variations.push(count);
            return true;
        }
        let is_todo_field =
            ["due:", "t:", "rec:", "h:"].iter().any(|key| word.len() > key.len() && word.starts_with(key));
        is_context(word) || is_todo_field
    }
}

/// Returns whether a word is todo.txt's `+project` or `@context`, which is for the author alone.
fn is_context(word: &str) -> bool {
    word.strip_prefix(['+', '@']).is_some_and(|rest| rest.starts_with(char::is_alphabetic))
}

fn priority_mark(word: &str) -> Option<u8> {
    if let Some((name, value)) = word.split_once(':') {
        return (key_named(name) == Some(Key::Priority)).then(|| priority_of(value))?;
    }
    let letter = word.strip_prefix(['(', '[']).and_then(|rest| rest.strip_suffix([')', ']']));
    let letter = letter.map(|letter| letter.trim_start_matches('#'));
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

/// Returns a title as it is sold: without a number, `Idea 3:`, a doubt, quotes, or pictures at its ends.
pub(super) fn bare_title(text: &str) -> &str {
    let title = without_number(without_doubt(without_number(text)));
    let calm = title.trim_end_matches('!');
    unquoted(if calm.len() + 1 < title.len() { calm } else { title })
}

/// Returns a title without what says that its author is not sure: `? Fog`, `maybe: Fog`, `(maybe) Fog`, `Fog (?)`.
fn without_doubt(text: &str) -> &str {
    const DOUBTS: [&str; 10] =
        ["?", "maybe", "perhaps", "vielleicht", "evtl.", "evtl", "peut-être", "quizás", "forse", "może"];
    let is_doubt = |word: &str| DOUBTS.contains(&word.trim_matches(['(', ')', '[', ']', ':']).to_lowercase().as_str());
    let is_marked = text.starts_with('?');
    let mut text = text.trim_start_matches(['?', ' ']);
    if let Some((word, rest)) = text.split_once(' ')
        && is_doubt(word)
        && (is_marked || word.ends_with([':', ')', ']']))
    {
        text = rest.trim_start();
    }
    match text.rsplit_once(' ') {
        Some((rest, word)) if word.starts_with(['(', '[']) && is_doubt(word) => rest.trim_end(),
        _ => text,
    }
}

fn without_number(text: &str) -> &str {
    let is_sign = |c: char| {
        matches!(u32::from(c), 0x2190..=0x21ff | 0x2600..=0x27bf | 0x2b00..=0x2bff | 0x1f000..=0x1faff | 0xfe0f | 0x20e3 | 0x200d)
            || c.is_whitespace()
    };
    let text = text.trim_matches(is_sign);
    let is_kind = |kind: &&str| text.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind));
    let kinds = ["idea", "idee", "concept", "konzept", "theme", "thema", "topic", "title"];
    let kind = kinds.into_iter().find(is_kind);
    let after = text[kind.map_or(0, str::len)..].trim_start_matches([' ', '#']);
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = after.len() - rest.len();
    let rest = rest
        .strip_prefix([':', '.', ')'])
        .or_else(|| kind.and_then(|_| rest.trim_start().strip_prefix(['-', '–', '—'])));
    match rest.filter(|rest| (1..=4).contains(&digits) && rest.starts_with(' ') && !rest.trim().is_empty()) {
        Some(rest) => rest.trim(),
        None => text,
    }
}

/// Splits at the first separator outside braces; without one, all of it is the title, unless it is a list of words.
pub(super) fn split_title(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let tail = &text[at..];
        let separator = TITLE_SIGNS.into_iter().find(|separator| tail.starts_with(separator));
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
    split_commas(text).unwrap_or((text, ""))
}

/// A line of two commas or more is a list of words, the first of them the title, unless it ends as a sentence does: `…, b and c`.
fn split_commas(text: &str) -> Option<(&str, &str)> {
    let (title, words) = text.split_once([',', '、'])?;
    let last = words.rsplit_once([',', '、'])?.1.split_whitespace();
    let mut enumerates = last.clone().filter(|word| matches!(*word, "and" | "und" | "or" | "oder" | "et" | "y" | "&"));
    // A comma in brackets parts no words: `Gingerbread house (kids, kitchen)`.
    let is_bracketed = text.contains('(')
        && text.split('(').skip(1).any(|inner| inner.split(')').next().is_some_and(|inner| inner.contains(',')));
    let is_list = is_words(text)
        && enumerates.next().is_none()
        && !is_bracketed
        && !text.contains('{')
        && !title.trim().is_empty();
    is_list.then(|| (title.trim(), words.trim()))
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
            "Winter cabins, 12 variations",
            "2026-11-01 Winter cabins +stock @home due:2026-12-01",
            "Winter cabins [count:: 12] 📅 2026-12-01",
        ] {
            assert_eq!(split_marks(text).1, "Winter cabins", "{text}");
        }
    }

    /// Half of the quotes stayed on the first and on the last of them.
    #[test]
    fn words_in_quotes_have_none() {
        let cases: [(&str, &[&str]); 5] = [
            (r#"coffee, "latte, art", cup"#, &["coffee", "latte", "art", "cup"]),
            (r#""latte, iced coffee, art""#, &["latte", "iced coffee", "art"]),
            (r#"["a b", "c"]"#, &["a b", "c"]),
            (r#"screen of 24", desk"#, &["screen of 24\"", "desk"]),
            (r#"a "retro" style, b"#, &["a \"retro\" style", "b"]),
        ];
        for (text, words) in cases {
            assert_eq!(split_words(text), words, "{text}");
        }
    }

    #[test]
    fn a_title_is_short() {
        let cases = [
            ("Frozen lakes, at dawn", "Frozen lakes, at dawn"),
            ("Frozen lake, ice, blue", "Frozen lake"),
            ("Bread, cheese, and wine", "Bread, cheese, and wine"),
            ("Winter – snow, ice", "Winter"),
            ("At 10:30, ratio 16: 9", "At 10:30, ratio 16: 9"),
        ];
        for (text, title) in cases {
            assert_eq!(split_title(text).0, title, "{text}");
        }
        let titles = [
            ("1. Cabin", "Cabin"),
            ("Idea 3: Roof garden", "Roof garden"),
            ("Idea #2 – Lake", "Lake"),
            ("🌲 Forest 🌲", "Forest"),
            ("Ideas of summer", "Ideas of summer"),
            ("3D printer", "3D printer"),
            ("2026 calendar", "2026 calendar"),
        ];
        for (text, title) in titles {
            assert_eq!(bare_title(text), title, "{text}");
        }
    }

    #[test]
    fn talk_is_no_idea() {
        for text in [
            "Here are 20 ideas:",
            "Sure! Here are five ideas for you.",
            "Let me know if you want more!",
            "Would you like me to write prompts?",
            "Möchtest du noch mehr Ideen?",
            "Which of them sell best?",
        ] {
            assert!(is_talk(text), "{text}");
        }
        for text in ["Great wall at dusk", "Here comes the sun", "Sure-footed goat", "A fox in the snow.", "I can see"]
        {
            assert!(!is_talk(text), "{text}");
        }
    }
}
