//! Profiles of markets as text, and what is wrong with them. Where a mistake stands is told by `config`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use include_dir::{Dir, include_dir};
use jiff::civil::Date;

use super::boxes::Boxes;
use super::fit::as_keyword;
use super::manifest::harmless;
use super::phrase::find_phrase;
use super::profile::{Code, Column, Fact, Known, Market, MarketError, Range, TextLimit, Value};
use super::verdicts::VerdictList;
use super::video::VideoLimits;
use crate::model::nearest;

/// Larger profiles are refused.
const BYTES_MAX: usize = 256 << 10;
/// More brackets may be nested so deeply that the YAML reader takes far too long.
const BRACKETS_MAX: usize = 1_000;

static PROFILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config/markets");

/// The keys that say nothing about what a market wants.
const OWN_KEYS: [&str; 6] = ["name", "title", "checked", "source", "life_days", "facts"];

/// Why a text is no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Nobody writes so much, and reading it would take too long.
    #[error("a profile has at most {BYTES_MAX} bytes and {BRACKETS_MAX} brackets")]
    TooLarge,
    /// It has not the form of a profile: the first mistake, with its place where that is known.
    #[error("{0}")]
    Form(String, Option<(usize, usize)>),
    /// It has the form, and these keys make no sense, each with why.
    #[error("{}", .0.iter().map(|(key, what)| format!("`{key}`: {what}")).collect::<Vec<_>>().join("; "))]
    Senseless(Vec<(String, String)>),
}

/// Reads a profile.
pub fn parse(text: &str) -> Result<Market, Unread> {
    if is_too_large(text) {
        return Err(Unread::TooLarge);
    }
    let market: Market = serde_yaml::from_str(text).map_err(|error| {
        Unread::Form(error.to_string(), error.location().map(|place| (place.line(), place.column())))
    })?;
    let wrong = problems(&market, &keys(text));
    if wrong.is_empty() { Ok(market) } else { Err(Unread::Senseless(wrong)) }
}

/// Returns whether a text is more than a profile has, so that it is not read at all.
pub fn is_too_large(text: &str) -> bool {
    text.len() > BYTES_MAX || text.matches(['[', '{']).count() > BRACKETS_MAX
}

/// Returns the markets that come with the program.
pub fn built_in() -> Result<Vec<Market>, MarketError> {
    let read = |file: &include_dir::File<'_>| {
        let name = file.path().display().to_string();
        let market = parse(file.contents_utf8().unwrap_or_default());
        market.map_err(|error| MarketError::Profile { name, what: error.to_string() })
    };
    PROFILES.files().map(read).collect()
}

/// Returns the keys of a profile that make no sense, each with why.
fn problems(market: &Market, keys: &BTreeSet<String>) -> Vec<(String, String)> {
    let of = |key: &str, what: String| (key.to_owned(), what);
    let mut wrong: Vec<(String, String)> = manifest(market);
    wrong.extend(senseless(market).map(|(key, what)| of(key, what.to_owned())));
    wrong.extend(refused_mark(market).map(|word| of("ai_flag", format!("`forbidden_words` refuse its own `{word}`"))));
    wrong.extend(market.verdicts.iter().flat_map(VerdictList::problems).map(|what| of("verdicts", what)));
    wrong.extend(market.video.iter().flat_map(VideoLimits::problems));
    if market.categories_of_a_file.max > 3 {
        wrong.push(of("categories_of_a_file", "a file has at most 3".to_owned()));
    }
    let said = [
        (&market.ai_flag.in_title, Some(&market.title_text)),
        (&market.ai_flag.in_description, market.description_text.as_ref()),
    ];
    let has_room = |(words, limit): &(&Option<String>, Option<&TextLimit>)| {
        let chars = words.as_ref().map_or(0, |words| words.chars().count());
        chars == 0 || limit.is_some_and(|limit| chars * 2 <= limit.chars_max)
    };
    if !said.iter().all(has_room) {
        let what = "its words take more than half of the text that they stand in, or the market has none";
        wrong.push(of("ai_flag", what.to_owned()));
    }
    if let Some(words) = said.iter().find_map(|(words, limit)| refused_signs(words.as_ref()?, (*limit)?)) {
        wrong.push(of("ai_flag", format!("`forbidden` refuses a sign of its own `{words}`")));
    }
    if let Some(code) = market.ai_flag.category.as_deref().filter(|code| market.code(code).is_none()) {
        wrong.push(of("ai_flag", format!("`{code}` is none of `categories`")));
    }
    wrong.extend(categories(market));
    wrong.extend(ranges(market));
    wrong.extend(facts(market, keys));
    wrong
}

/// Returns what is wrong with the form of the manifest.
fn manifest(market: &Market) -> Vec<(String, String)> {
    let of = |key: &str, what: &str| (format!("csv.{key}"), what.to_owned());
    let (separator, columns) = (market.csv.separator, &market.csv.columns);
    let mut wrong = Vec::new();
    if separator != '\t' && (!separator.is_ascii_punctuation() || separator == '"') {
        wrong.push(of("separator", "must be one sign such as `,` or `;`, or a tab"));
    }
    match columns.iter().filter(|column| column.value == Value::FileName).count() {
        1 => (),
        _ if columns.is_empty() => wrong.push(of("columns", "must name at least one column")),
        _ => wrong.push(of("columns", "must have one column with `value: file_name`")),
    }
    for column in columns.iter().filter(|column| (column.value == Value::Text) == column.text.is_empty()) {
        let what = format!("the column `{}` must have `text: ...` and `value: text`, both or none", column.header);
        wrong.push(of("columns", &what));
    }
    let mut headers = BTreeSet::new();
    for Column { header, .. } in columns.iter().filter(|column| !headers.insert(column.header.trim())) {
        wrong.push(of("columns", &format!("two columns have the header `{header}`; give each its own")));
    }
    wrong
}

/// Fewer bytes are no manifest.
const HEADER_BYTES: usize = 500;

/// From one quality to the next a JPEG grows by some hundredths: none has so exactly as many bytes.
const BYTES_PARTS: u64 = 100;

/// A shorter name has no room for its number, its ending, and what tells it from others.
const NAME_CHARS_MIN: usize = 10;

/// What is told of a blank among the signs that a text may not have.
const BLANK: &str = "has a blank, and words have blanks between them; write the signs one after another, as in \",;\"";

/// Returns the limits by which no file, or no manifest, could ever be made.
fn senseless(market: &Market) -> impl Iterator<Item = (&'static str, &'static str)> {
    // A line break or a tab is a sign as any other.
    let is_blank = |c: char| c.is_whitespace() && !c.is_control();
    let has_blank = |text: Option<&TextLimit>| text.is_some_and(|text| text.forbidden.contains(is_blank));
    let is_changed = |word: &String| as_keyword(word) != *word;
    let all = [
        (
            market.csv.rows_max == 0 || market.csv.bytes_max < HEADER_BYTES,
            ("csv", "`rows_max` must be 1 or more, and `bytes_max` have room for a header and a row"),
        ),
        (market.kinds.is_empty(), ("kinds", "it names none, and no file would be taken")),
        (
            // Also no number at all is none of these.
            !(market.megapixels.min >= 0.0 && market.megapixels.max > 0.0),
            ("megapixels", "`min` is 0 or more, and `max` more than that"),
        ),
        (
            market.bytes.min <= market.bytes.max
                && market.bytes.max - market.bytes.min < (market.bytes.min / BYTES_PARTS).max(1),
            (
                "bytes",
                "no file is made to have so exactly as many; `max` must be more than `min` by a hundredth or more",
            ),
        ),
        (
            market.file_name.chars_max < NAME_CHARS_MIN,
            ("file_name", "`chars_max` must be 10 or more, or there is no room for a number and an ending"),
        ),
        (market.csv.columns.iter().any(|column| column.header.trim().is_empty()), ("csv.columns", "a header is empty")),
        (
            market.csv.columns.iter().any(|column| column.header.contains(char::is_control)),
            ("csv.columns", "a header has a line break or another control character"),
        ),
        (
            market.colour.as_ref().is_some_and(|colour| colour.profiles.is_empty()),
            ("colour", "`profiles` names none, and no picture would be taken; leave `colour` out to take all"),
        ),
        (market.keywords.max == 0, ("keywords", "a market takes keywords and a title")),
        (market.title_text.chars_max == 0, ("title_text", "a market takes keywords and a title")),
        (
            market.boxes.as_ref().is_some_and(Boxes::is_unclear),
            ("boxes", "the words of each are on one line, have no semicolon, and are not those of another box"),
        ),
        (
            market.forbidden_words.iter().any(|word| !word.contains(char::is_alphanumeric)),
            ("forbidden_words", "one of them has no letter and no digit; signs stand in `title_text.forbidden`"),
        ),
        (has_blank(Some(&market.title_text)), ("title_text.forbidden", BLANK)),
        (has_blank(market.description_text.as_ref()), ("description_text.forbidden", BLANK)),
        (
            market.ai_flag.keyword.as_ref().is_some_and(is_changed),
            (
                "ai_flag",
                "a keyword has no comma, no semicolon and no quotation mark, and begins with no sign of a formula",
            ),
        ),
        (
            market.csv.columns.iter().any(|column| harmless(&column.text) != column.text),
            ("csv.columns", "a `text` begins with a blank or a sign that a table takes for a formula"),
        ),
        (
            market.categories.values().any(|code| harmless(&code.to_string()) != code.to_string()),
            ("categories", "a value begins with a blank or a sign that a table takes for a formula"),
        ),
    ];
    all.into_iter().filter(|(is_senseless, _)| *is_senseless).map(|(_, told)| told)
}

/// Returns the words that name what AI made and that the market refuses itself.
fn refused_mark(market: &Market) -> Option<&String> {
    let flag = &market.ai_flag;
    let mut marks = [&flag.in_title, &flag.in_description, &flag.keyword].into_iter().flatten();
    marks.find(|mark| market.forbidden_words.iter().any(|word| find_phrase(mark, word, 0).is_some()))
}

/// Returns words if they have a sign that the text in which they are to stand may not have.
fn refused_signs<'a>(words: &'a String, limit: &TextLimit) -> Option<&'a String> {
    Some(words).filter(|words| words.contains(|sign| limit.forbidden.contains(sign)))
}

fn ranges(market: &Market) -> impl Iterator<Item = (String, String)> {
    fn turned<T: PartialOrd + Debug>(key: &str, range: &Range<T>) -> Option<(String, String)> {
        let what = || format!("`min` is {:?}, which is more than `max`, {:?}", range.min, range.max);
        (range.min > range.max).then(|| (key.to_owned(), what()))
    }
    let text = |key: &str, limit: &TextLimit| turned(key, &Range { min: limit.chars_min, max: limit.chars_max });
    let all = [
        turned("megapixels", &market.megapixels),
        turned("edge", &market.edge),
        turned("bytes", &market.bytes),
        turned("keywords", &market.keywords),
        text("title_text", &market.title_text),
        market.description_text.as_ref().and_then(|limit| text("description_text", limit)),
        turned("categories_of_a_file", &market.categories_of_a_file),
    ];
    all.into_iter().flatten()
}

/// Returns the names of categories that differ in their case alone: nobody could tell which one tags mean.
fn categories(market: &Market) -> Vec<(String, String)> {
    let mut seen = BTreeMap::new();
    let twice = |name: &String| {
        let other = seen.insert(name.to_lowercase(), name.clone())?;
        let what = format!("`{other}` and `{name}` are the same name, since case does not count; keep one");
        Some(("categories".to_owned(), what))
    };
    market.categories.keys().filter_map(twice).collect()
}

/// Returns what is wrong with the facts: those about a key that the profile does not have, or about the same as another.
fn facts(market: &Market, keys: &BTreeSet<String>) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let wrong = |key: &String| match () {
        () if !keys.contains(key) => {
            let near = nearest(key, &names).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
            Some(format!("this profile has no `{key}`{near}"))
        }
        () if !seen.insert(key.clone()) => Some(format!("two of them are about `{key}`")),
        () => None,
    };
    let about = market.facts.iter().flat_map(|fact| &fact.about);
    about.filter_map(wrong).map(|what| ("facts".to_owned(), what)).collect()
}

/// Returns the keys of a profile that say what the market wants.
fn keys(text: &str) -> BTreeSet<String> {
    let read: serde_yaml::Mapping = serde_yaml::from_str(text).unwrap_or_default();
    let keys = read.keys().filter_map(serde_yaml::Value::as_str).filter(|key| !OWN_KEYS.contains(key));
    keys.map(str::to_owned).collect()
}

impl Market {
    /// Returns the market's own value for a category, given by name or by value, in any case.
    pub fn code(&self, category: &str) -> Option<&Code> {
        let wanted = category.trim().to_lowercase();
        let is_it = |word: &str| word.to_lowercase() == wanted;
        let named = self.categories.iter().find(|(name, _)| is_it(name)).map(|(_, code)| code);
        named.or_else(|| self.categories.values().find(|code| is_it(&code.to_string())))
    }

    /// Returns the rules that should be compared with the market's pages again, since that was done too long ago, each
    /// with what to read.
    pub fn old_facts(&self, today: Date) -> Vec<String> {
        let is_old = |checked: Date| today.since(checked).is_ok_and(|age| age.get_days() > i32::from(self.life_days));
        let told = |what: &str, checked: Date, source: &str| format!("{what} (of {checked}): read {source} again");
        let named = self.facts.iter().filter(|fact| is_old(fact.checked));
        let named = named.map(|fact| told(&fact.about.join(", "), fact.checked, &fact.source));
        let all = is_old(self.checked).then(|| told("its rules", self.checked, &self.source));
        all.into_iter().chain(named).collect()
    }

    /// Returns the rules that nobody could establish.
    pub fn not_established(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(|fact| fact.known == Known::NotEstablished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No columns gave a manifest of empty quotes, and a quote as separator one that nothing can read.
    #[test]
    fn a_manifest_that_makes_no_sense_is_refused() {
        let text = PROFILES.get_file("adobe-stock.yaml").and_then(include_dir::File::contents_utf8).unwrap();
        let start = text.find("columns:").unwrap();
        let end = start + text[start..].find("\ncategories:").unwrap();
        let no_columns = [&text[..start], "columns: []", &text[end..]].concat();
        assert!(parse(&no_columns).unwrap_err().to_string().contains("at least one column"));
        for bad in ["'\"'", "\"\\n\"", "a", "é"] {
            let text = text.replace("separator: \",\"", &format!("separator: {bad}"));
            assert!(parse(&text).unwrap_err().to_string().contains("separator"), "{bad}");
        }
    }

    const WHOLE: &str = "name: shop\ntitle: Shop\naccepts_ai: true\nchecked: 2026-11-28\nsource: its pages\nkinds: [jpeg]\n\
        megapixels: {min: 4, max: 100}\nbytes: {min: 1, max: 100}\nfile_name: {chars_max: 30, charset: portable}\n\
        title_text: {chars_max: 70}\nkeywords: {min: 1, max: 50}\n\
        csv: {separator: \",\", bom: false, rows_max: 10, bytes_max: 1000, columns: [{header: File, value: file_name}]}\n";

    /// Such a profile was taken: `status` said that files were ready, and the log held them.
    #[test]
    fn limits_that_no_file_meets_are_refused() {
        for (min, max, is_sound) in
            [(1, 100, true), (1, 1, false), (100, 100, false), (100_000, 100_999, false), (100_000, 101_000, true)]
        {
            let read =
                parse(&WHOLE.replace("bytes: {min: 1, max: 100}", &format!("bytes: {{min: {min}, max: {max}}}")));
            let told = read.err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(
                told.contains("`bytes`: no file is made to have so exactly as many"),
                !is_sound,
                "{min}: {told}"
            );
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        assert!(parse(WHOLE).is_ok());
        // What is replaced, by what, and what is told.
        let rows = [
            (
                "accepts_ai: true",
                "accepts_ai: perhaps",
                "accepts_ai: invalid value: string \"perhaps\", expected true, false or unknown at line 3 column 13",
            ),
            (
                "megapixels: {min: 4,",
                "megapixels: {min: 400,",
                "`megapixels`: `min` is 400.0, which is more than `max`, 100.0",
            ),
            ("value: file_name", "value: title", "`csv.columns`: must have one column with `value: file_name`"),
            (
                "value: file_name",
                "value: file_name, text: x",
                "the column `File` must have `text: ...` and `value: text`, both or none",
            ),
            ("kinds: [jpeg]", "kinds: [jpeg]\nai_flag: {category: \"7\"}", "`ai_flag`: `7` is none of `categories`"),
            ("kinds: [jpeg]", "kinds: [jpeg]\nai_flag: {in_description: ai}", "or the market has none"),
            (
                "title_text: {chars_max: 70}",
                "title_text: {chars_max: 3}\nai_flag: {in_title: ai}",
                "more than half of the text",
            ),
            ("kinds: [jpeg]", "kinds: [jpeg]\ncategories_of_a_file: {min: 0, max: 4}", "a file has at most 3"),
            (
                "kinds: [jpeg]",
                "kinds: [jpeg]\nfacts: [{about: [kind], source: s, checked: 2026-11-28}]",
                "this profile has no `kind` (did you mean `kinds`?)",
            ),
            (
                "kinds: [jpeg]",
                "kinds: [jpeg]\nfacts: [{about: [kinds, kinds], source: s, checked: 2026-11-28}]",
                "two of them are about `kinds`",
            ),
            ("rows_max: 10", "rows_max: 0", "`csv`: `rows_max` must be 1 or more"),
            ("bytes_max: 1000,", "bytes_max: 10,", "`csv`: `rows_max` must be 1 or more"),
            ("header: File", "header: \"Fi\\nle\"", "a header has a line break"),
            ("header: File", "header: \" \"", "`csv.columns`: a header is empty"),
            ("kinds: [jpeg]", "kinds: []", "`kinds`: it names none"),
            ("min: 4, max: 100}", "min: -1, max: 100}", "`megapixels`: `min` is 0 or more"),
            ("min: 4, max: 100}", "min: .nan, max: 100}", "`megapixels`: `min` is 0 or more"),
            ("file_name: {chars_max: 30", "file_name: {chars_max: 9", "`file_name`: `chars_max` must be 10 or more"),
            ("title_text: {chars_max: 70}", "title_text: {chars_min: 9, chars_max: 8}", "`title_text`: `min` is 9"),
            ("keywords: {min: 1, max: 50}", "keywords: {min: 0, max: 0}", "a market takes keywords and a title"),
            ("kinds: [jpeg]", "kinds: [jpeg]\nforbidden_words: [\"*\"]", "signs stand in `title_text.forbidden`"),
            ("chars_max: 70}", "chars_max: 70, forbidden: \", ;\"}", "`title_text.forbidden`: has a blank"),
            (
                "kinds: [jpeg]",
                "kinds: [jpeg]\nforbidden_words: [ai]\nai_flag: {in_title: By AI}",
                "`forbidden_words` refuse its own `By AI`",
            ),
            ("kinds: [jpeg]", "kinds: [jpeg]\nai_flag: {keyword: \"=a,b\"}", "a keyword has no comma"),
            ("checked: 2026-11-28", "checked: yesterday", "line 4 column 10"),
            ("title: Shop", "titel: Shop", "unknown field `titel`"),
            (
                "keywords: {min: 1, max: 50}",
                "keywords: {min: 1, max: 0}\nforbidden_words: [\" \"]\ncategories_of_a_file: {min: 0, max: 4}",
                "`keywords`: a market takes keywords and a title; `forbidden_words`: one of them has no letter and no \
                 digit; signs stand in `title_text.forbidden`; `categories_of_a_file`: a file has at most 3; \
                 `keywords`: `min` is 1, which is more than `max`, 0",
            ),
        ];
        for (was, now, told) in rows {
            let said = parse(&WHOLE.replacen(was, now, 1)).unwrap_err().to_string();
            assert!(said.contains(told), "{now}: {said}");
        }
    }

    /// What a profile adds by itself came into texts and tables that may not have it, or changed there untold.
    #[test]
    fn what_would_be_changed_in_a_table_is_refused() {
        for (was, now, told) in [
            (
                "title_text: {chars_max: 70}",
                "title_text: {chars_max: 70, forbidden: \"()\"}\nai_flag: {in_title: (AI)}",
                "`ai_flag`: `forbidden` refuses a sign of its own `(AI)`",
            ),
            ("value: file_name", "value: file_name}, {header: X, value: text, text: =1", "a `text` begins with"),
            ("kinds: [jpeg]", "kinds: [jpeg]\ncategories: {five: 5, neg: \"-5\"}", "`categories`: a value begins with"),
        ] {
            let said = parse(&WHOLE.replacen(was, now, 1)).unwrap_err().to_string();
            assert!(said.contains(told), "{now}: {said}");
        }
    }

    /// Nobody could tell which of the two is meant.
    #[test]
    fn two_of_the_same_name_are_refused() {
        for (was, now, told) in [
            (
                "kinds: [jpeg]",
                "kinds: [jpeg]\ncategories: {Nature: N, food: F, nature: M}",
                "`categories`: `Nature` and `nature` are the same name",
            ),
            (
                "{header: File, value: file_name}",
                "{header: File, value: file_name}, {header: \"File \", value: title}",
                "`csv.columns`: two columns have the header `File `",
            ),
        ] {
            let said = parse(&WHOLE.replacen(was, now, 1)).unwrap_err().to_string();
            assert!(said.contains(told), "{now}: {said}");
        }
    }

    #[test]
    fn colours_that_no_picture_has_are_refused() {
        for (colour, told) in [
            ("{profiles: []}", "`colour`: `profiles` names none, and no picture would be taken"),
            ("{profiles: [cmyk]}", "expected one of `srgb`, `adobe-rgb`, `prophoto-rgb`, `display-p3`"),
        ] {
            let text = WHOLE.replacen("kinds: [jpeg]", &format!("kinds: [jpeg]\ncolour: {colour}"), 1);
            let said = parse(&text).unwrap_err().to_string();
            assert!(said.contains(told), "{said}");
        }
    }

    #[test]
    fn a_list_of_verdicts_that_makes_no_sense_is_refused_with_its_place() {
        let with = |list: &str| parse(&WHOLE.replacen("kinds: [jpeg]", &format!("kinds: [jpeg]\nverdicts: {list}"), 1));
        assert!(with("{file: F, verdict: V, reason: R, accepted: [yes], refused: [no], pending: [wait]}").is_ok());
        let rows = [
            (
                "{file: F, verdict: V, accepted: [yes, ok], refused: [OK]}",
                "`verdicts`: the word `ok` stands there twice, or is empty",
            ),
            ("{file: F, verdict: V, accepted: [yes], refused: []}", "`accepted` and `refused` must each have a word"),
            ("{file: F, verdict: V, accepted: [yes], rejected: [no]}", "unknown field `rejected`"),
        ];
        for (list, told) in rows {
            let said = with(list).unwrap_err().to_string();
            assert!(said.contains(told), "{list}: {said}");
        }
    }

    /// A rule that is older than its life is told with what to read.
    #[test]
    fn rules_grow_old() {
        let text = WHOLE.replace(
            "kinds: [jpeg]",
            "life_days: 100\nkinds: [jpeg]\nfacts:\n- {about: [kinds], source: help 7, checked: 2026-06-01}\n\
             - {about: [csv, bytes], source: nobody, checked: 2026-11-28, known: not_established}",
        );
        let market = parse(&text).unwrap();
        let old = |today: &str| market.old_facts(today.parse().unwrap());
        assert_eq!(old("2026-09-09"), Vec::<String>::new());
        assert_eq!(old("2026-09-10"), ["kinds (of 2026-06-01): read help 7 again"]);
        assert_eq!(old("2027-03-09").len(), 3);
        let unsure: Vec<_> = market.not_established().map(|fact| fact.about.join(" ")).collect();
        assert_eq!(unsure, ["csv bytes"]);
    }

    /// Each says its policy and its source, and all that it says is sound.
    #[test]
    fn the_markets_that_come_along_are_sound() {
        let markets = built_in().unwrap();
        assert_eq!(markets.len(), 11);
        for market in markets {
            assert!(!market.policy.is_empty() && !market.source.is_empty(), "{}", market.name);
            assert!(market.file_name.chars_max >= 20 && market.keywords.max <= 50, "{}", market.name);
            let file = PROFILES.get_file(format!("{}.yaml", market.name)).unwrap();
            assert!(!file.contents_utf8().unwrap().contains('\t'));
        }
    }

    /// A profile of 60 KiB of brackets took the YAML reader longer than anybody waits.
    #[test]
    fn a_profile_is_limited() {
        for text in ["[".repeat(60_000), format!("title: {}", "x".repeat(300_000))] {
            assert!(parse(&text).unwrap_err().to_string().contains("at most"));
        }
        assert!(!built_in().unwrap().is_empty());
    }
}
