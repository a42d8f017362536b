//! File names: by a rule, portable, within a limit of bytes, and each once.

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization as _;

use crate::model::{AssetId, Field, Filter, Kind, Piece, Size, Template, ThemeSlug, slug_chars, slugify};

/// The longest file name that a file system takes, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// Room for the longest suffix that goes behind a name: `.report.txt`, `.xmp.yaml`, a counter.
pub const SUFFIX_BYTES_MAX: usize = 32;
/// The longest name that is given, in bytes.
pub const FILE_NAME_BYTES_MAX: usize = NAME_BYTES_MAX - SUFFIX_BYTES_MAX;
/// Names that Windows keeps for devices, with any extension.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// What a name can be made of.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The theme.
    pub theme: &'a ThemeSlug,
    /// The asset's number within the theme.
    pub seq: u64,
    /// The asset's identity.
    pub id: &'a AssetId,
    /// The day.
    pub date: Date,
    /// The stem that it was dropped under.
    pub original: &'a str,
    /// What it is.
    pub kind: Kind,
    /// Its size in pixels.
    pub size: Option<Size>,
}

/// Returns the stem that a rule gives: portable, never empty, at most `bytes_max` bytes. What makes
/// the name unique is never cut; the other fields are, the longest first.
pub fn stem(template: &Template, values: &Values<'_>, bytes_max: usize) -> String {
    let mut parts: Vec<(bool, String)> = template.pieces().iter().map(|piece| rendered(piece, values)).collect();
    loop {
        let joined: String = parts.iter().map(|(_, text)| text.as_str()).collect();
        let portable = portable(&joined);
        if portable.len() <= bytes_max {
            return if portable.is_empty() { values.id.to_string() } else { portable };
        }
        let over = portable.len() - bytes_max;
        let longest = parts.iter_mut().filter(|(keep, _)| !keep).max_by_key(|(_, text)| text.len());
        match longest {
            Some((_, text)) if !text.is_empty() => {
                let wanted = text.len().saturating_sub(over.max(1));
                let cut = cut_at_word(text, wanted).to_owned();
                *text = cut;
            }
            _ => return cut_bytes(&portable, bytes_max).to_owned(),
        }
    }
}

/// Returns a piece's text, and whether it must stay whole.
fn rendered(piece: &Piece, values: &Values<'_>) -> (bool, String) {
    let (field, width, filters) = match piece {
        Piece::Literal(text) => return (false, text.clone()),
        Piece::Field { field, width, filters } => (*field, *width, filters),
    };
    let number = |value: u64| format!("{value:0width$}");
    let side = |pick: fn(Size) -> u32| number(u64::from(values.size.map_or(0, pick)));
    let text = match field {
        Field::Theme => values.theme.to_string(),
        Field::Seq => number(values.seq),
        Field::Id => values.id.to_string(),
        Field::Date => values.date.to_string(),
        Field::Original => values.original.to_owned(),
        Field::Kind => values.kind.to_string(),
        Field::Width => side(|size| size.width),
        Field::Height => side(|size| size.height),
    };
    let text = filters.iter().fold(text, |text, filter| match filter {
        Filter::Upper => text.to_uppercase(),
        Filter::Lower => text.to_lowercase(),
        Filter::Slug => slugify(&text),
        Filter::Cut(count) => text.chars().take(*count).collect(),
    });
    (matches!(field, Field::Seq | Field::Id), text)
}

/// Returns a text as a name that every system takes: NFC, letters, digits and `._-` only, no dot or
/// dash at either end, no reserved word.
fn portable(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.nfc() {
        let plain = c.is_alphanumeric() || matches!(c, '.' | '_') || is_mark(c);
        if plain {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let trimmed = name.trim_matches(['-', '.', ' ']).nfc().collect::<String>();
    let first = trimmed.split('.').next().unwrap_or_default().to_lowercase();
    let numbered = first.strip_prefix("com").or_else(|| first.strip_prefix("lpt")).is_some_and(|n| {
        n.chars().count() == 1 && n.chars().all(|c| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'))
    });
    if RESERVED.contains(&first.as_str()) || numbered { format!("_{trimmed}") } else { trimmed }
}

/// Returns whether a character only changes the one before it.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Returns the start of a text of at most `bytes_max` bytes, cut between whole characters with their
/// marks.
fn cut_bytes(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let is_end = |at: usize| text.is_char_boundary(at) && !text[at..].chars().next().is_some_and(is_mark);
    let end = (0..=bytes_max).rev().find(|at| is_end(*at)).unwrap_or(0);
    text[..end].trim_end_matches(['-', '.', ' '])
}

/// Returns the start of a text as [`cut_bytes`] does, cut between words unless that would take more than half of it.
fn cut_at_word(text: &str, bytes_max: usize) -> &str {
    let cut = cut_bytes(text, bytes_max);
    let is_gap = |c: char| matches!(c, '-' | '_' | ' ' | '.');
    if cut.len() == text.len() || text[cut.len()..].starts_with(is_gap) {
        return cut;
    }
    let words = cut.rfind(is_gap).map_or(cut, |at| cut[..at].trim_end_matches(is_gap));
    if words.len() * 2 >= bytes_max { words } else { cut }
}

/// Returns `stem.extension` within the limits, with room for every suffix.
pub fn file_name(stem: &str, extension: &str, bytes_max: usize) -> String {
    let tail = if extension.is_empty() { String::new() } else { format!(".{extension}") };
    let room = bytes_max.min(FILE_NAME_BYTES_MAX).saturating_sub(tail.len()).max(1);
    format!("{}{tail}", cut_bytes(stem, room))
}

/// Returns the first name that is not taken of `stem.ext`, `stem-2.ext`, `stem-3.ext`, ….
pub fn free(stem: &str, extension: &str, bytes_max: usize, taken: &dyn Fn(&str) -> bool) -> String {
    let first = file_name(stem, extension, bytes_max);
    if !taken(&first) {
        return first;
    }
    let tail = if extension.is_empty() { String::new() } else { format!(".{extension}") };
    (2_u64..)
        .map(|count| {
            let counter = format!("-{count}{tail}");
            let room = bytes_max.min(FILE_NAME_BYTES_MAX).saturating_sub(counter.len()).max(1);
            format!("{}{counter}", cut_bytes(stem, room))
        })
        .find(|name| !taken(name))
        .expect("a folder holds fewer than 2^64 names")
}

/// Returns the longest of the themes whose name starts a file's name at the end of a word.
pub fn theme_of_file<'a>(file_stem: &str, themes: impl Iterator<Item = &'a str>) -> Option<ThemeSlug> {
    let slug = slugify(file_stem);
    let starts = |theme: &&str| {
        let mut rest = slug.chars();
        let mut of_theme = slug_chars(theme).peekable();
        // A folder that is a number may be the year in a generator's `2026/11/28`, and a name begins with a day.
        slug_chars(theme).any(char::is_alphabetic)
            && of_theme.peek().is_some()
            && of_theme.all(|c| rest.next() == Some(c))
            && !rest.next().is_some_and(char::is_alphabetic)
    };
    themes.filter(starts).max_by_key(|theme| theme.len()).and_then(|theme| ThemeSlug::new(theme).ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::ContentHash;
    use proptest::prelude::*;

    fn named(rule: &str, theme: &str, original: &str, seq: u64, bytes_max: usize) -> String {
        let (theme, id) = (ThemeSlug::new(theme).unwrap(), AssetId::of(&ContentHash::of(b"x")));
        let date = "2026-11-27".parse().unwrap();
        let size = Some(Size { width: 1024, height: 768 });
        let values = Values { theme: &theme, seq, id: &id, date, original, kind: Kind::Png, size };
        stem(&Template::parse(rule).unwrap(), &values, bytes_max)
    }

    #[test]
    fn rules_give_names() {
        let cases = [
            ("{theme}-{seq:04}", "winter-cabins", "", 7, "winter-cabins-0007"),
            ("{date}_{theme|upper|cut:6}_{seq}", "winter-cabins", "", 12, "2026-11-27_WINTER_12"),
            ("{original|slug}-{width}x{height}-{seq:3}", "t", "Grüße: aus/Köln", 1, "grusse-aus-koln-1024x768-001"),
            ("{original}-{seq}", "t", "\u{202e}gnp\u{200b}.exe\n", 1, "gnp-.exe-1"),
            ("{original}-{seq}", "t", "e\u{301}te\u{301}", 1, "été-1"),
        ];
        for (rule, theme, original, seq, expected) in cases {
            assert_eq!(named(rule, theme, original, seq, 120), expected, "{rule}");
        }
        assert_eq!(named("{seq}", "t", "", 7, 120), "7");
        // Too long a name is cut between words, and the number stays.
        assert_eq!(named("{theme}-{seq:04}", "old-lighthouse-and-gulls", "", 7, 24), "old-lighthouse-and-0007");
        assert_eq!(named("{original}-{seq}", "t", "a supercalifragilistic word", 7, 16), "a-supercalifra-7");
        assert_eq!(named("{original|cut:3}", "t", "con", 7, 120), "_con");
    }

    /// Names that a person, a program or an attacker gives to a picture, and the stem that they lead to.
    #[test]
    fn foreign_names_become_portable() {
        let cases = [
            ("line\nbreak", "line-break-1"),
            ("\u{1b}[31mred\u{1b}[0m", "31mred-0m-1"),
            (
                "a.png\r2026-01-01T00:00:00Z  INFO Moved. file=raw\n2026",
                "a.png-2026-01-01T00-00-00Z-INFO-Moved.-file-raw-2026-1",
            ),
            ("tab\tand\u{7}bell", "tab-and-bell-1"),
            ("-rf", "rf-1"),
            ("--root=x", "root-x-1"),
            ("it's \"quoted\" $(touch x) `id`; a|b&c>d<e*?", "it-s-quoted-touch-x-id-a-b-c-d-e-1"),
            ("back\\slash \\x41", "back-slash-x41-1"),
            ("CON", "CON-1"),
            ("CON.x", "_CON.x-1"),
            ("com1.x", "_com1.x-1"),
            ("trailing dot.", "trailing-dot.-1"),
            ("trailing space ", "trailing-space-1"),
            (" leading space", "leading-space-1"),
            ("colon:and:more", "colon-and-more-1"),
            ("caf\u{e9}", "café-1"),
            ("cafe\u{301}", "café-1"),
            ("zero\u{200b}width\u{feff}", "zero-width-1"),
            ("\u{1f384}\u{1f98c}", "1"),
            ("{theme}-{seq:04} %s %n", "theme-seq-04-s-n-1"),
            ("not \u{fffd}\u{fffd} utf-8 \u{fffd}", "not-utf-8-1"),
            ("..", "1"),
            ("", "1"),
        ];
        for (original, expected) in cases {
            let stem = named("{original}-{seq}", "t", original, 1, 120);
            assert_eq!(stem, expected, "{original:?}");
        }
        let long = named("{original}-{seq}", "t", &"\u{e9}".repeat(255), 1, FILE_NAME_BYTES_MAX);
        assert!(long.len() <= FILE_NAME_BYTES_MAX && long.ends_with("é-1"), "{long}");
    }

    #[test]
    fn no_rule_leads_out_of_the_folder() {
        for rule in ["/etc/{seq}", "../../outside/{seq}", "{seq}/../../x", "a/{id}"] {
            assert_eq!(Template::parse(rule).unwrap_err().what, "a name cannot have a path in it", "{rule}");
        }
        assert_eq!(Template::parse("{seq}\0").unwrap_err().what, "a name cannot have a control character");
        let id = AssetId::of(&ContentHash::of(b"x")).to_string();
        let cases = [("..", id.as_str()), (".{seq}", "7"), ("{original}", "etc-passwd")];
        for (rule, expected) in cases {
            assert_eq!(named(rule, "t", "/etc/passwd", 7, 120), expected, "{rule}");
        }
    }

    #[test]
    fn a_file_finds_its_theme() {
        let themes = ["winter", "Winter Cabins", "sea", "___"];
        let cases = [
            ("Winter_Cabins_00012", Some("Winter Cabins")),
            ("winter 7", Some("winter")),
            ("winterly", None),
            ("seaside", None),
            ("other", None),
            ("123", None),
        ];
        for (name, theme) in cases {
            assert_eq!(theme_of_file(name, themes.into_iter()).map(String::from), theme.map(str::to_owned), "{name}");
        }
    }

    proptest! {
        #[test]
        fn names_are_portable_short_and_unlike(
            theme in "[^/\\.\0][^/\0]{0,80}", original in ".{0,80}", a in 0_u64..100_000, b in 0_u64..100_000, bytes_max in 16_usize..200
        ) {
            prop_assume!(ThemeSlug::new(&theme).is_ok());
            let rule = "{theme}-{original}-{seq:04}";
            let name = named(rule, &theme, &original, a, bytes_max);
            prop_assert!(!name.is_empty() && name.len() <= bytes_max, "{name}");
            prop_assert!(!name.starts_with(['-', '.']) && !name.ends_with(['-', '.', ' ']), "{name}");
            prop_assert!(!name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']) && !name.chars().any(char::is_control));
            if a != b {
                prop_assert_ne!(name, named(rule, &theme, &original, b, bytes_max));
            }
        }

        #[test]
        fn a_free_name_was_never_taken(stem in ".{1,300}", count in 0_usize..30) {
            let mut names = BTreeSet::new();
            for _ in 0..count {
                let name = free(&stem, "jpg", 120, &|name| names.contains(name));
                prop_assert!(name.len() <= 120 && name.ends_with(".jpg"));
                prop_assert!(names.insert(name));
            }
        }
    }
}
