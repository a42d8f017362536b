use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::NetName;

/// A way to enlarge, as settings and tags ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Method {
    /// What suits a picture.
    Auto,
    /// A windowed sinc with three lobes.
    Lanczos,
    /// The neural net that comes with stockmill.
    Neural,
    /// The program that the settings name.
    Command,
    /// Pictures are passed on as they are.
    None,
    /// A net that somebody brought.
    Brought(NetName),
}

/// What a neural net does about noise and damage, as settings and tags ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Restore {
    /// What suits a picture.
    Auto,
    /// From keeping everything (0) to 100.
    Fixed(u8),
}

/// What a layer of tags says of how pictures are enlarged; what is absent is as below it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys of its own, such as `{method: neural}`")]
pub struct EnlargeTags {
    /// What enlarges them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// What a neural net does about noise and damage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore: Option<Restore>,
}

impl EnlargeTags {
    /// Returns whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Method {
    const WORDS: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("lanczos", Self::Lanczos),
        ("neural", Self::Neural),
        ("command", Self::Command),
        ("none", Self::None),
    ];
}

impl FromStr for Method {
    /// What is wrong with a word, and what would be right.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, method)) = Self::WORDS.into_iter().find(|(word, _)| *word == text) {
            return Ok(method);
        }
        let words = Self::WORDS.map(|(word, _)| word);
        let must = format!("must be one of {}, or the name of a net in `models/`", words.join(", "));
        // A word with a mistake in it must not be taken for a net that is not there yet.
        let lower = text.to_lowercase();
        if let Some(near) = words.into_iter().find(|word| strsim::osa_distance(word, &lower) <= word.len() / 3) {
            return Err(format!("`{text}` {must}; did you mean `{near}`?"));
        }
        NetName::new(text).map(Self::Brought).map_err(|why| format!("`{text}` {must}; {why}"))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brought(name) => name.fmt(f),
            word => f.write_str(Self::WORDS.iter().find(|(_, method)| method == word).map_or("", |(word, _)| word)),
        }
    }
}

impl TryFrom<String> for Method {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Method> for String {
    fn from(method: Method) -> Self {
        method.to_string()
    }
}

impl FromStr for Restore {
    /// What is wrong with a word, and what would be right.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fixed = || text.parse().ok().filter(|value| *value <= 100).map(Self::Fixed);
        let found = if text == "auto" { Some(Self::Auto) } else { fixed() };
        found.ok_or_else(|| format!("`{text}` must be auto, or a whole number from 0 to 100"))
    }
}

impl fmt::Display for Restore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fixed(value) => value.fmt(f),
        }
    }
}

/// How a [`Restore`] stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "`restore` must be auto, or a whole number from 0 to 100")]
enum Written {
    Number(u8),
    Word(String),
}

impl TryFrom<Written> for Restore {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Number(value) => value.to_string().parse(),
            Written::Word(word) => word.parse(),
        }
    }
}

impl From<Restore> for Written {
    fn from(restore: Restore) -> Self {
        match restore {
            Restore::Auto => Self::Word(restore.to_string()),
            Restore::Fixed(value) => Self::Number(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_all_else_is_refused() {
        let tags = |text: &str| serde_yaml::from_str::<EnlargeTags>(text);
        let rows = [
            ("{}", None, None),
            ("{method: neural}", Some(Method::Neural), None),
            ("{method: auto, restore: auto}", Some(Method::Auto), Some(Restore::Auto)),
            ("{restore: 0}", None, Some(Restore::Fixed(0))),
            ("{method: 4x-foto}", Some(Method::Brought(NetName::new("4x-foto").unwrap())), None),
            ("{method: neural-photo}", Some(Method::Brought(NetName::new("neural-photo").unwrap())), None),
            ("{method: none, restore: \"100\"}", Some(Method::None), Some(Restore::Fixed(100))),
        ];
        for (text, method, restore) in rows {
            let read = tags(text).unwrap();
            assert_eq!(read, EnlargeTags { method, restore }, "{text}");
            assert_eq!(tags(&serde_yaml::to_string(&read).unwrap()).unwrap(), read);
            assert_eq!(read.is_empty(), text == "{}");
        }
        let rows = [
            (
                "{method: neurl}",
                "`neurl` must be one of auto, lanczos, neural, command, none, or the name of a net in `models/`; did you mean `neural`?",
            ),
            ("{method: NEURAL}", "did you mean `neural`?"),
            ("{method: a/b}", "or the name of a net in `models/`; `a/b` cannot name a net: its file"),
            ("{restore: 101}", "`101` must be auto, or a whole number from 0 to 100"),
            ("{restore: -1}", "`restore` must be auto, or a whole number from 0 to 100"),
            ("{restore: much}", "`much` must be auto"),
            ("{scale: 2}", "unknown field"),
        ];
        for (text, why) in rows {
            let found = tags(text).unwrap_err().to_string();
            assert!(found.contains(why), "{text}: {found}");
        }
    }
}
