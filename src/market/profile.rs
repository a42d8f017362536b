use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::Deserialize;

use super::accepts::Accepts;
use super::boxes::Boxes;
use super::colour::ColourLimit;
use super::delivery::Delivery;
use super::verdicts::VerdictList;
use super::video::VideoLimits;
use crate::model::{ByteRange, Kind, MarketName};

/// After how many days rules should be compared again, if the profile does not say it.
const LIFE_DAYS: u16 = 180;

/// A marketplace's rules.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// The name in settings, folders and tags.
    pub name: MarketName,
    /// The name for people.
    pub title: String,
    /// Whether it takes AI-made work.
    pub accepts_ai: Accepts,
    /// What it says of AI-made work.
    #[serde(default)]
    pub policy: String,
    /// The day on which the rules were last compared with the market's own pages, but for those that `facts` names.
    pub checked: Date,
    /// Where the rules are written, but for those that `facts` names.
    pub source: String,
    /// After how many days its rules should be compared again.
    #[serde(default = "life_days")]
    pub life_days: u16,
    /// Rules that are written elsewhere, or that are less sure.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// The kinds of file that it takes.
    pub kinds: Vec<Kind>,
    /// Picture size, in millions of pixels.
    pub megapixels: Range<f64>,
    /// The edges of a picture, in pixels.
    #[serde(default = "any_edge")]
    pub edge: Range<u32>,
    /// File size of a picture, in bytes.
    pub bytes: Range<u64>,
    /// Limits of videos, if it is known that it has some.
    #[serde(default)]
    pub video: Option<VideoLimits>,
    /// In which colours a picture is stored, if that is a matter.
    #[serde(default)]
    pub colour: Option<ColourLimit>,
    /// File names.
    pub file_name: FileNameLimit,
    /// Titles.
    pub title_text: TextLimit,
    /// Descriptions; a market without this limit has none, and shows the title.
    #[serde(default)]
    pub description_text: Option<TextLimit>,
    /// How many keywords.
    pub keywords: Range<usize>,
    /// Words that may stand neither in titles and descriptions nor in keywords.
    #[serde(default)]
    pub forbidden_words: Vec<String>,
    /// How AI-made work is named as such in what belongs to a file.
    #[serde(default)]
    pub ai_flag: AiFlag,
    /// How many files of a theme may be alike, if that is a matter.
    #[serde(default)]
    pub distinct: Option<Distinct>,
    /// So many days before a season it wants to have the work for it at the latest, if that is known.
    #[serde(default)]
    pub season_lead_days: Option<u16>,
    /// The manifest.
    pub csv: Csv,
    /// The market's own value for each category.
    #[serde(default)]
    pub categories: BTreeMap<String, Code>,
    /// How many categories a file has.
    #[serde(default = "at_most_one")]
    pub categories_of_a_file: Range<usize>,
    /// Boxes of its portal that are ticked for several files at once.
    #[serde(default)]
    pub boxes: Option<Boxes>,
    /// How it takes what is delivered to a server of its own.
    #[serde(default)]
    pub delivery: Delivery,
    /// How it lists what it took and what it refused, where that is known.
    #[serde(default)]
    pub verdicts: Option<VerdictList>,
    /// What it says of people in what AI made, if it takes less of that.
    pub people_rule: Option<String>,
    /// What it says of illustrations, if it takes less of these.
    pub illustration_rule: Option<String>,
    /// What a person must know before the upload.
    #[serde(default)]
    pub before: Vec<String>,
    /// What a person must do in the market's portal, once the boxes are ticked.
    #[serde(default)]
    pub checklist: Vec<String>,
}

/// Where some rules are written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The keys of the profile that it is about.
    pub about: Vec<String>,
    /// Where they are written.
    pub source: String,
    /// The day on which they were last compared with that.
    pub checked: Date,
    /// How sure they are.
    #[serde(default)]
    pub known: Known,
    /// What is to be known besides.
    #[serde(default)]
    pub note: Option<String>,
}

/// How sure a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// The market's own pages say so.
    #[default]
    Official,
    /// Others say that they tried it.
    Reported,
    /// Nobody said it; a careful value.
    NotEstablished,
}

/// How AI-made work is named as such in what belongs to a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AiFlag {
    /// What the title says, else it is added at its end.
    pub in_title: Option<String>,
    /// What the description says, else it is added at its end.
    pub in_description: Option<String>,
    /// A keyword.
    pub keyword: Option<String>,
    /// A category, besides those of the file.
    pub category: Option<String>,
}

/// How many files of a theme may share something; a market refuses more as repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distinct {
    /// The same title.
    pub titles: usize,
    /// The same first ten keywords.
    pub first_keywords: usize,
}

/// What a market calls a category: a number or a word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(untagged)]
pub enum Code {
    /// A number.
    Number(u32),
    /// A word.
    Word(String),
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
    /// The least characters.
    #[serde(default)]
    pub chars_min: usize,
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
    /// Whether each cell has quotation marks, or only those that need them.
    #[serde(default)]
    pub quoting: Quoting,
    /// Whether the file begins with a byte-order mark.
    pub bom: bool,
    /// The most rows below the header.
    pub rows_max: usize,
    /// The most bytes.
    pub bytes_max: usize,
    /// The columns, in order.
    pub columns: Vec<Column>,
}

/// Which cells have quotation marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quoting {
    /// Those that need them.
    #[default]
    Necessary,
    /// All.
    All,
}

/// A column of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its header, to the letter.
    pub header: String,
    /// What stands in it.
    pub value: Value,
    /// The text, where that is the same in each row.
    #[serde(default)]
    pub text: String,
}

/// What stands in a manifest's column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// The file's name.
    FileName,
    /// The title.
    Title,
    /// The description; the title, where there is none.
    Description,
    /// The keywords, joined by commas.
    Keywords,
    /// The market's value for the first category.
    Category,
    /// That for the second.
    #[serde(rename = "category_2")]
    Category2,
    /// That for the third.
    #[serde(rename = "category_3")]
    Category3,
    /// All of them, joined by commas.
    Categories,
    /// Who made it.
    Creator,
    /// The column's text.
    Text,
    /// Nothing.
    Nothing,
}

fn life_days() -> u16 {
    LIFE_DAYS
}

fn any_edge() -> Range<u32> {
    Range { min: 1, max: u32::MAX }
}

fn at_most_one() -> Range<usize> {
    Range { min: 0, max: 1 }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl Market {
    /// Returns how many bytes a picture may have.
    pub fn byte_range(&self) -> ByteRange {
        ByteRange { min: self.bytes.min, max: self.bytes.max }
    }
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
