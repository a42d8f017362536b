use serde::{Deserialize, Deserializer};

/// A scalar that YAML may read as a number although a person means a word: `2026`, `11`, `true`.
pub(super) struct Word(pub(super) String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer, "a word")
    }
}

impl Word {
    /// Reads a word; `expected` says what it must be.
    pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D, expected: &'static str) -> Result<Self, D::Error> {
        struct Scalar(&'static str);
        impl serde::de::Visitor<'_> for Scalar {
            type Value = Word;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
            fn visit_str<E>(self, text: &str) -> Result<Word, E> {
                Ok(Word(text.to_owned()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Word, E> {
                // With its point: 2.0 is another version than 2.
                Ok(Word(format!("{number:?}")))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Word, E> {
                Ok(Word(value.to_string()))
            }
        }
        deserializer.deserialize_any(Scalar(expected))
    }
}

/// Reads a word, or nothing; for `#[serde(deserialize_with)]`.
pub(super) fn word_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Word>::deserialize(deserializer)?.map(|word| word.0))
}
