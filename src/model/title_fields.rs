//! Fields in the texts that all files of a theme share, so that each file has a title of its own.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::{nearest, normal_keyword};

/// The number of a file within its theme.
const NUMBER: &str = "n";
/// The name that a file was dropped under, as words.
const WORDS: &str = "original|words";
/// What joins two parts of a title, and joins nothing at its start and end.
const JOINTS: [char; 9] = [',', ';', ':', '-', '–', '—', '|', '/', '·'];
/// A word with digits in it that is as long is the mark of a generator or a camera.
const MARK_CHARS: usize = 6;

/// A part of a text.
enum Part<'a> {
    Text(&'a str),
    /// What stands between two braces.
    Field(&'a str),
}

/// Returns a text with the values of its fields: the number of the file, and the words of its name. A field that nobody
/// knows, or whose value is not known yet, stays as it is typed; where there are no words, what joined them goes too.
pub fn with_fields(text: &str, number: Option<u64>, words: &str) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let mut is_empty = false;
    let mut value = |field: &str| match field {
        NUMBER => number.map(|number| number.to_string()),
        WORDS => {
            is_empty |= words.is_empty();
            Some(words.to_owned())
        }
        _ => None,
    };
    let filled: String = parts(text)
        .into_iter()
        .map(|part| match part {
            Part::Text(text) => text.to_owned(),
            Part::Field(field) => value(field).unwrap_or_else(|| format!("{{{field}}}")),
        })
        .collect();
    let filled = normal_keyword(&filled);
    if is_empty { filled.trim_matches(|c: char| c == ' ' || JOINTS.contains(&c)).to_owned() } else { filled }
}

/// Returns whether a text has the words of a file's name in it.
pub fn has_words_field(text: &str) -> bool {
    parts(text).iter().any(|part| matches!(part, Part::Field(WORDS)))
}

/// Returns a text without its fields, and what else stands between braces in it, each as it is typed and with the field
/// that may be meant.
pub fn without_fields(text: &str) -> (String, Vec<(String, Option<String>)>) {
    let (mut rest, mut unknown) = (String::new(), Vec::new());
    for part in parts(text) {
        match part {
            Part::Text(text) => rest.push_str(text),
            Part::Field(NUMBER | WORDS) => (),
            Part::Field(field) => {
                let name = field.split([':', '|']).next().unwrap_or_default().trim();
                let meant = match nearest(name, &["number", "seq", "n", "original", "words"]) {
                    Some("original" | "words") => Some(WORDS),
                    Some(_) => Some(NUMBER),
                    None => None,
                };
                unknown.push((format!("{{{field}}}"), meant.map(|field| format!("{{{field}}}"))));
            }
        }
    }
    (rest, unknown)
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(end) = rest.find('}') {
        let (head, tail) = (&rest[..end], &rest[end + 1..]);
        match head.rfind('{') {
            Some(start) => parts.extend([Part::Text(&head[..start]), Part::Field(&head[start + 1..])]),
            None => parts.push(Part::Text(&rest[..=end])),
        }
        rest = tail;
    }
    parts.push(Part::Text(rest));
    parts
}

/// Returns the words in a file's name, without numbers and the marks of generators and cameras.
pub fn words_of(original: &str) -> String {
    let is_word = |part: &&str| {
        part.contains(char::is_alphabetic) && !(part.contains(char::is_numeric) && part.chars().count() >= MARK_CHARS)
    };
    // macOS writes letters and their marks apart; Indic and Thai words have marks that are no letters, and joiners.
    let joins = |c: char| matches!(c, '\'' | '’' | '\u{200c}' | '\u{200d}') || is_combining_mark(c);
    let original: String = original.nfc().collect();
    let parts = original.split(|c: char| !c.is_alphanumeric() && !joins(c));
    parts.filter(is_word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_a_text_of_its_own() {
        // The text, the name of the original, what it becomes for the file 7 and for one without a number.
        let rows = [
            ("Winter cabin", "x", "Winter cabin", "Winter cabin"),
            ("Winter cabin {n}", "x", "Winter cabin 7", "Winter cabin {n}"),
            ("{n}. {original|words}", "red-fox_in_snow", "7. red fox in snow", "{n}. red fox in snow"),
            ("Cabin: {original|words}", "ann_old mill_3f2a91bc-1 (2)", "Cabin: ann old mill", "Cabin: ann old mill"),
            ("Cabin - {original|words}", "00012_3f2a91bc", "Cabin", "Cabin"),
            ("{original|words}, cabin", "IMG20241128", "cabin", "cabin"),
            ("The fox's {original|words}", "fox's den", "The fox's fox's den", "The fox's fox's den"),
            ("A set {a, b} of {n}", "x", "A set {a, b} of 7", "A set {a, b} of {n}"),
            ("{ {n} } }{", "x", "{ 7 } }{", "{ {n} } }{"),
            ("{seq} {original} {}", "x", "{seq} {original} {}", "{seq} {original} {}"),
            ("山 {original|words}", "狐_雪", "山 狐 雪", "山 狐 雪"),
            ("{original|words}", "So\u{308}nne_u\u{308}ber", "Sönne über", "Sönne über"),
            ("{original|words}", "हिन्दी-मन्दिर", "हिन्दी मन्दिर", "हिन्दी मन्दिर"),
            ("{original|words}", "தமிழ் ไม้", "தமிழ் ไม้", "தமிழ் ไม้"),
        ];
        for (text, original, numbered, bare) in rows {
            let words = words_of(original);
            assert_eq!(with_fields(text, Some(7), &words), numbered, "{text}");
            assert_eq!(with_fields(text, None, &words), bare, "{text}");
            assert_eq!(has_words_field(text), text.contains("{original|words}"), "{text}");
        }
    }

    #[test]
    fn what_is_no_field_is_found() {
        let rows: [(&str, &str, &[(&str, Option<&str>)]); 5] = [
            ("Cabin {n}, {original|words}", "Cabin , ", &[]),
            ("Cabin {seq:04}", "Cabin ", &[("{seq:04}", Some("{n}"))]),
            ("{original}", "", &[("{original}", Some("{original|words}"))]),
            ("{red|blue} cabin", " cabin", &[("{red|blue}", None)]),
            ("a } b { c", "a } b { c", &[]),
        ];
        for (text, rest, unknown) in rows {
            let (found_rest, found) = without_fields(text);
            let found: Vec<_> = found.iter().map(|(field, meant)| (field.as_str(), meant.as_deref())).collect();
            assert_eq!((found_rest.as_str(), &*found), (rest, unknown), "{text}");
        }
    }
}
