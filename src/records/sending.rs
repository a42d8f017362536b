use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{AssetId, ContentHash, MarketName, RelPath, ThemeSlug};

/// What an intent says of the dealings with a market. It names every file, so that it outlives the bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dealing {
    /// A bundle went to its market.
    Sent(Sending),
    /// The bundle that would lie here, `upload/DAY/MARKET`, was not sent after all.
    NotSent(RelPath),
    /// A market answered.
    Answered(Answers),
}

/// A bundle that went to its market.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sending {
    /// Where the bundle was made, `upload/DAY/MARKET`.
    pub bundle: RelPath,
    /// The market.
    #[serde(with = "recorded")]
    pub market: MarketName,
    /// When it went, as far as that is known.
    pub at: Timestamp,
    /// What was in it.
    pub files: Vec<SentFile>,
}

/// A file of a bundle that went to its market.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SentFile {
    /// Its name in the bundle.
    pub name: String,
    /// Which asset it is.
    pub asset: AssetId,
    /// Its theme.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub theme: Option<ThemeSlug>,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// What its bytes follow from, where that is known: see [`super::FileRecord::fingerprint`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made: Option<ContentHash>,
    /// Its number within its theme, which its texts may have; older records do not say it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u64>,
    /// What tells its row from another one; older records do not say it, nor do those of a file whose row was not as its tags
    /// had it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row: Option<RowDigest>,
}

/// What tells what a market is told of a file, beside its bytes, from something else. Neither digest has the file's name or
/// its number in it, which mend nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowDigest {
    /// That of what its tags say.
    pub tags: ContentHash,
    /// That of what its market is told: its row, and what is ticked for it in the portal.
    pub told: ContentHash,
}

impl RowDigest {
    /// Returns whether both say the same. One digest that is the same is enough: by other rules and columns of a market its
    /// tags say what they said, and tags of which the market is told nothing mend nothing.
    fn is_same(&self, other: &Self) -> bool {
        self.tags == other.tags || self.told == other.told
    }
}

/// What a market got of a file, or would get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// The hash of the bytes.
    pub hash: ContentHash,
    /// What tells the row from another one, where that is known.
    pub row: Option<RowDigest>,
}

impl Got {
    /// Returns whether both are the same to a market: the same bytes, and no row that is known to say something else.
    pub fn is_same(&self, other: &Self) -> bool {
        self.hash == other.hash && !self.has_another_row(other.row.as_ref())
    }

    /// Returns whether it is known that a row says something else.
    pub fn has_another_row(&self, row: Option<&RowDigest>) -> bool {
        self.row.as_ref().zip(row).is_some_and(|(own, other)| !own.is_same(other))
    }
}

impl SentFile {
    /// Returns what the market got.
    pub fn got(&self) -> Got {
        Got { hash: self.hash.clone(), row: self.row.clone() }
    }
}

impl AnsweredFile {
    /// Returns what the market had got.
    pub fn got(&self) -> Got {
        Got { hash: self.hash.clone(), row: self.row.clone() }
    }
}

/// What a market answered about files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// The market.
    #[serde(with = "recorded")]
    pub market: MarketName,
    /// The files.
    pub files: Vec<AnsweredFile>,
}

/// What a market answered about one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnsweredFile {
    /// Where it lay in its bundle when that was made, `upload/DAY/MARKET/files/NAME`.
    pub file: RelPath,
    /// Which asset it is.
    pub asset: AssetId,
    /// The hash of the bytes that the market got.
    pub hash: ContentHash,
    /// What these follow from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made: Option<ContentHash>,
    /// Its number within its theme, where that is on record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u64>,
    /// What tells its row from another one, where that is on record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row: Option<RowDigest>,
    /// Whether the market took it.
    pub accepted: bool,
    /// Why not, in the market's words.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub reason: String,
}

/// A market's name as a record has it, even if no market may be called so any more.
mod recorded {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::model::MarketName;

    pub(super) fn serialize<S: Serializer>(market: &MarketName, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(market.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MarketName, D::Error> {
        String::deserialize(deserializer).map(|name| MarketName::recorded(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was sold is known for ever, whatever the market was called.
    #[test]
    fn what_is_written_of_a_market_is_read_again() {
        let file = r#""asset":"0123456789abcdef","hash":"HASH""#;
        let row = r#"{"tags":"HASH","told":"HASH"}"#;
        let rows = [
            r#"{"sent":{"bundle":"upload/2026-11-28/m-2","market":"m","at":"2026-11-28T10:00:00Z","files":[]}}"#
                .to_owned(),
            format!(
                r#"{{"sent":{{"bundle":"upload/d/m","market":"m-2","at":"2026-11-28T10:00:00Z","files":[{{"name":"a.jpg",{}}}]}}}}"#,
                r#""asset":"0123456789abcdef","theme":"sea","hash":"HASH","made":"HASH""#
            ),
            format!(
                r#"{{"sent":{{"bundle":"upload/d/m","market":"m","at":"2026-11-28T10:00:00Z","files":[{{"name":"a.jpg",{file},"number":7}}]}}}}"#
            ),
            format!(
                r#"{{"sent":{{"bundle":"upload/d/m","market":"m","at":"2026-11-28T10:00:00Z","files":[{{"name":"a.jpg",{file},"row":{row}}}]}}}}"#
            ),
            r#"{"not_sent":"upload/2026-11-28/m"}"#.to_owned(),
            format!(
                r#"{{"answered":{{"market":".m","files":[{{"file":"upload/d/m/files/a.jpg",{file},"accepted":true}}]}}}}"#
            ),
            format!(
                r#"{{"answered":{{"market":"m","files":[{{"file":"upload/d/m/files/a.jpg",{file},"made":"HASH","number":7,"row":{row},"accepted":false,"reason":"noise"}}]}}}}"#
            ),
        ];
        for text in rows {
            let text = text.replace("HASH", &ContentHash::of(b"x").to_string());
            let dealing: Dealing = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(serde_json::to_string(&dealing).unwrap(), text);
        }
    }

    /// Of two files with the same bytes nobody could tell whether the market was told something else of one.
    #[test]
    fn what_a_market_is_told_makes_another_file_of_the_same_bytes() {
        let of = |text: &str| ContentHash::of(text.as_bytes());
        let got = |(bytes, row): (&str, Option<(&str, &str)>)| Got {
            hash: of(bytes),
            row: row.map(|(tags, told)| RowDigest { tags: of(tags), told: of(told) }),
        };
        // Each with its bytes, what its tags say, and what the market is told; and whether both are the same.
        for (one, other, is_same) in [
            (("a", Some(("sea", "1"))), ("a", Some(("sea", "1"))), true),
            (("a", Some(("sea", "1"))), ("b", Some(("sea", "1"))), false),
            (("a", Some(("sea", "1"))), ("a", Some(("lake", "11"))), false),
            // The market has other rules or columns.
            (("a", Some(("sea", "1"))), ("a", Some(("sea", "title"))), true),
            // It takes nothing of what changed.
            (("a", Some(("sea", "1"))), ("a", Some(("lake", "1"))), true),
            (("a", None), ("a", Some(("lake", "11"))), true),
            (("a", None), ("b", None), false),
        ] {
            assert_eq!(
                [got(one).is_same(&got(other)), got(other).is_same(&got(one))],
                [is_same; 2],
                "{one:?} {other:?}"
            );
        }
    }
}
