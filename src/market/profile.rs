use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use crate::model::{Kind, MarketName};

/// Larger profiles are refused.
const BYTES_MAX: usize = 256 << 10;
/// More brackets may be nested so deeply that the YAML reader takes far too long.
const BRACKETS_MAX: usize = 1_000;

static PROFILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config/markets");

/// A marketplace's rules.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// The name in settings, folders and tags.
    pub name: MarketName,
    /// The name for people.
    pub title: String,
    /// Whether it takes AI-made work at all.
    pub accepts_ai: bool,
    /// The day on which the rules were last compared with the market's own pages.
    pub checked: String,
    /// Where the rules are written.
    pub source: String,
    /// The kinds of file that it takes.
    pub kinds: Vec<Kind>,
    /// Picture size, in millions of pixels.
    pub megapixels: Range<f64>,
    /// File size, in bytes.
    pub bytes: Range<u64>,
    /// File names.
    pub file_name: FileNameLimit,
    /// Titles.
    pub title_text: TextLimit,
    /// How many keywords.
    pub keywords: Range<usize>,
    /// Words that may stand neither in titles nor in keywords.
    #[serde(default)]
    pub forbidden_words: Vec<String>,
    /// The manifest.
    pub csv: Csv,
    /// The market's own value for each category.
    #[serde(default)]
    pub categories: BTreeMap<String, u32>,
    /// What a person must do in the market's portal.
    #[serde(default)]
    pub checklist: Vec<String>,
}

/// The least and the most, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range<T> {
    /// The least.
    pub min: T,
    /// The most.
    pub max: T,
}

/// Limits on file names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileNameLimit {
    /// The most characters, the extension included.
    pub chars_max: usize,
    /// The characters that may occur.
    pub charset: Charset,
}

/// Characters of file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Charset {
    /// ASCII letters, digits, `-`, `_` and `.`.
    Portable,
    /// ASCII letters and digits.
    Alphanumeric,
}

/// Limits on a text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextLimit {
    /// The most characters.
    pub chars_max: usize,
    /// Characters that may not occur.
    #[serde(default)]
    pub forbidden: String,
}

/// The form of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// What stands between two cells.
    pub separator: char,
    /// Whether the file begins with a byte-order mark.
    pub bom: bool,
    /// The most rows below the header.
    pub rows_max: usize,
    /// The most bytes.
    pub bytes_max: usize,
    /// The columns, in order.
    pub columns: Vec<Column>,
}

/// A column of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its header, to the letter.
    pub header: String,
    /// What stands in it.
    pub value: Value,
}

/// What stands in a manifest's column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// The file's name.
    FileName,
    /// The title.
    Title,
    /// The description.
    Description,
    /// The keywords, joined by commas.
    Keywords,
    /// The market's value for the category.
    Category,
    /// Nothing.
    Nothing,
}

/// What is wrong with a profile or a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// The profile is not sound.
    #[error("market profile `{name}`: {what}")]
    Profile {
        /// The file.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// The manifest cannot be written.
    #[error("manifest for {market}: {what}")]
    Manifest {
        /// The market.
        market: MarketName,
        /// What is wrong.
        what: String,
    },
}

/// Reads a profile; `name` is for messages.
pub fn parse(name: &str, text: &str) -> Result<Market, MarketError> {
    let wrong = |what: String| MarketError::Profile { name: name.to_owned(), what };
    if text.len() > BYTES_MAX || text.matches(['[', '{']).count() > BRACKETS_MAX {
        return Err(wrong(format!("a profile has at most {BYTES_MAX} bytes and {BRACKETS_MAX} brackets")));
    }
    let market: Market = serde_yaml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let separator = market.csv.separator;
    if separator != '\t' && (!separator.is_ascii_punctuation() || separator == '"') {
        return Err(wrong("csv.separator must be one sign such as `,` or `;`, or a tab".to_owned()));
    }
    if market.csv.columns.is_empty() {
        return Err(wrong("csv.columns must name at least one column".to_owned()));
    }
    if !market.accepts_ai {
        return Err(wrong(format!("{} does not accept AI-made work; see {}", market.name, market.source)));
    }
    Ok(market)
}

/// Returns the markets that come with the program.
pub fn built_in() -> Result<Vec<Market>, MarketError> {
    let read = |file: &include_dir::File<'_>| {
        let name = file.path().display().to_string();
        parse(&name, file.contents_utf8().unwrap_or_default())
    };
    PROFILES.files().map(read).collect()
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
        assert!(parse("x", &no_columns).unwrap_err().to_string().contains("at least one column"));
        for bad in ["'\"'", "\"\\n\"", "a", "é"] {
            let text = text.replace("separator: \",\"", &format!("separator: {bad}"));
            assert!(parse("x", &text).unwrap_err().to_string().contains("separator"), "{bad}");
        }
    }

    /// A profile of 60 KiB of brackets took the YAML reader longer than anybody waits.
    #[test]
    fn a_profile_is_limited() {
        for text in ["[".repeat(60_000), format!("title: {}", "x".repeat(300_000))] {
            assert!(parse("x", &text).unwrap_err().to_string().contains("at most"));
        }
        assert!(!built_in().unwrap().is_empty());
    }
}
