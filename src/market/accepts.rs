use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// Whether a market takes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// It does.
    Yes,
    /// It refuses it.
    No,
    /// Its pages do not say.
    Unknown,
}

impl<'de> Deserialize<'de> for Accepts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Answer;
        impl Visitor<'_> for Answer {
            type Value = Accepts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or unknown")
            }
            fn visit_bool<E>(self, is: bool) -> Result<Accepts, E> {
                Ok(if is { Accepts::Yes } else { Accepts::No })
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Accepts, E> {
                let is_it = text == "unknown";
                is_it.then_some(Accepts::Unknown).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Answer)
    }
}
