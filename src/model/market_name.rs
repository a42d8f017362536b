use std::borrow::Borrow;
use std::ffi::OsStr;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest name in bytes: a bundle's folder and its CSV are called after it.
const BYTES_MAX: usize = 64;

/// What settings, folders, tags and the journal call a market.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MarketName(Arc<str>);

/// Why a text cannot name a market.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarketNameProblem {
    /// A bundle's folder cannot be called so.
    #[error(
        "`{0}` cannot name a market: write at most 64 bytes without `/`, `,` and control signs, and no dot in front"
    )]
    NotAName(String),
    /// The further bundles of a day are called so.
    #[error("`{0}` cannot name a market: `-` and a number at the end are of the further bundles of a day")]
    LooksLikePart(String),
    /// The folder of bundles that were sent is called so, or the mark of one.
    #[error("`{0}` cannot name a market: `upload/sent` holds bundles that were sent, and a file `SENT` marks one")]
    IsOfSent(String),
}

/// Returns whether a name in a bundle means `SENT`, in any case and with any ending: to ignore `SENT.txt` would add files to a
/// bundle that the market already has; to accept it costs at most another bundle.
pub fn is_sent_mark(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    stem.trim_matches(|c: char| c == '_' || c.is_whitespace()).eq_ignore_ascii_case("sent")
}

impl MarketName {
    /// Returns the name if a bundle's folder can be called after it, and the bundles of no other market are.
    pub fn new(text: &str) -> Result<Self, MarketNameProblem> {
        let is_plain = !text.is_empty() && text.len() <= BYTES_MAX && !text.starts_with('.');
        if !is_plain || text.contains(|c: char| c.is_control() || matches!(c, '/' | ',')) {
            return Err(MarketNameProblem::NotAName(super::escape_bytes(text.as_bytes())));
        }
        // Its CSV, `SENT.csv`, would mark each of its bundles as sent.
        if is_sent_mark(OsStr::new(text)) {
            return Err(MarketNameProblem::IsOfSent(text.to_owned()));
        }
        let is_number = |tail: &str| !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit());
        if text.rsplit_once('-').is_some_and(|(_, tail)| is_number(tail)) {
            return Err(MarketNameProblem::LooksLikePart(text.to_owned()));
        }
        Ok(Self(text.into()))
    }

    /// Returns a name that a record has, even if no market may be called so any more: what was sold stays known.
    pub fn recorded(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MarketName {
    type Error = MarketNameProblem;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<MarketName> for String {
    fn from(name: MarketName) -> Self {
        name.as_str().to_owned()
    }
}

impl Borrow<str> for MarketName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for MarketName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for MarketName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for MarketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second bundle of a day for `a` and the first one for `a-2` lay in one folder.
    #[test]
    fn a_market_has_a_name_that_its_bundles_can_be_called_by() {
        let cases = [
            ("adobe-stock", true),
            ("123rf", true),
            ("Größe 2", true),
            ("a-2b", true),
            ("", false),
            (".a", false),
            ("..", false),
            ("a/b", false),
            ("a,b", false),
            ("a\nb", false),
            ("a-2", false),
            ("a-b-0", false),
            ("sent", false),
            ("sent-2", false),
            ("SENT", false),
            ("_sent", false),
            ("sent.v2", false),
            ("sentry", true),
        ];
        for (text, is_name) in cases {
            assert_eq!(MarketName::new(text).is_ok(), is_name, "{text:?}");
            assert_eq!(MarketName::recorded(text), text);
        }
        assert!(MarketName::new(&"a".repeat(65)).is_err());
    }
}
