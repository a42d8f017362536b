use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// What a picture looks like, as markets sort it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Look {
    /// Like a photograph.
    Photo,
    /// Like anything else: drawn, painted, rendered.
    Illustration,
}

/// Whether people, or what belongs to somebody, appear in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum People {
    /// They do.
    Yes,
    /// They do not.
    No,
    /// A person has to look.
    Unsure,
}

impl Look {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Illustration => "illustration",
        }
    }
}

impl People {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unsure => "unsure",
        }
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<'de> Deserialize<'de> for People {
    /// YAML takes `yes` for a word or for a truth value, by its version.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Answer;
        impl Visitor<'_> for Answer {
            type Value = People;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("yes, no or unsure")
            }
            fn visit_bool<E>(self, is: bool) -> Result<People, E> {
                Ok(if is { People::Yes } else { People::No })
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<People, E> {
                let known = [People::Yes, People::No, People::Unsure].into_iter().find(|people| people.name() == text);
                known.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_people_write_it() {
        let read = |text: &str| serde_yaml::from_str::<People>(text);
        for (text, expected) in [
            ("yes", People::Yes),
            ("no", People::No),
            ("true", People::Yes),
            ("false", People::No),
            ("unsure", People::Unsure),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
            assert_eq!(read(&serde_yaml::to_string(&expected).unwrap()).unwrap(), expected);
        }
        assert!(read("maybe").unwrap_err().to_string().contains("expected yes, no or unsure"));
    }
}
