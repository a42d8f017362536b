use std::ffi::OsStr;

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

/// Returns whether a name in a bundle means `SENT`, in any case and with any ending: to ignore `SENT.txt` would add files to a
/// bundle that the market already has; to accept it costs at most another bundle.
pub fn is_sent_mark(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    stem.trim_matches(|c: char| c == '_' || c.is_whitespace()).eq_ignore_ascii_case("sent")
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
            r#"{"not_sent":"upload/2026-11-28/m"}"#.to_owned(),
            format!(
                r#"{{"answered":{{"market":".m","files":[{{"file":"upload/d/m/files/a.jpg",{file},"accepted":true}}]}}}}"#
            ),
            format!(
                r#"{{"answered":{{"market":"m","files":[{{"file":"upload/d/m/files/a.jpg",{file},"made":"HASH","number":7,"accepted":false,"reason":"noise"}}]}}}}"#
            ),
        ];
        for text in rows {
            let text = text.replace("HASH", &ContentHash::of(b"x").to_string());
            let dealing: Dealing = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(serde_json::to_string(&dealing).unwrap(), text);
        }
    }
}
