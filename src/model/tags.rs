use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::word::Word;
use super::{Ai, EnhanceTags, EnlargeTags, Look, People, Rating, SourceType};

/// One layer of tags, as a person writes it: in `defaults`, a tag set, `tags.yaml` or a sidecar.
///
/// What is absent is inherited from the layer below. A keyword `-word` removes `word`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tags {
    /// Title of every asset of the layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Description of every asset of the layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Keywords, most important first.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "words")]
    pub keywords: Vec<String>,
    /// Where keywords stand, each as `wide|narrow|keyword`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "words")]
    pub hierarchy: Vec<String>,
    /// How many stars it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// Copyright line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
    /// What its generator was asked.
    #[serde(skip_serializing_if = "Ai::is_empty")]
    pub ai: Ai,
    /// How it came to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_type: Option<SourceType>,
    /// Category per market, as that market names it: `adobe-stock: 11`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "category_map")]
    pub category: BTreeMap<String, String>,
    /// What is done for its look where it is enlarged.
    #[serde(skip_serializing_if = "EnhanceTags::is_empty")]
    pub enhance: EnhanceTags,
    /// How it is enlarged.
    #[serde(skip_serializing_if = "EnlargeTags::is_empty")]
    pub enlarge: EnlargeTags,
    /// What it looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
    /// Whether people appear in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<People>,
}

/// Returns whether a character is no part of a text: one that controls something, or one of the 66 that Unicode keeps
/// free for ever. XML bars some of both, and its readers refuse the whole document. Those that turn the direction of
/// writing round make a text look like another one (Unicode Technical Report 36, 2.7).
pub fn is_barred(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{fdd0}'..='\u{fdef}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Returns a keyword trimmed, in NFC, with single spaces and without barred characters.
pub fn normal_keyword(word: &str) -> String {
    let clean: String = word.nfc().map(|c| if is_barred(c) { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the words of a text with commas.
pub fn split_words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '\n']).map(str::trim).filter(|word| !word.is_empty())
}

/// Reads a list of words, or a text with commas between them; for `#[serde(deserialize_with)]`.
pub fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Words;
    impl<'de> serde::de::Visitor<'de> for Words {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a sequence of words")
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut words = Vec::new();
            while let Some(Word(word)) = list.next_element()? {
                words.push(word);
            }
            Ok(words)
        }
        fn visit_str<E>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(split_words(text).map(str::to_owned).collect())
        }
        fn visit_u64<E>(self, number: u64) -> Result<Vec<String>, E> {
            Ok(vec![number.to_string()])
        }
    }
    deserializer.deserialize_any(Words)
}

/// Reads a category per market; for `#[serde(deserialize_with)]`.
pub fn category_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Category(String);
    impl<'de> Deserialize<'de> for Category {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Word::read(deserializer, "one text, such as \"one, two\"").map(|word| Self(word.0))
        }
    }
    let categories = BTreeMap::<String, Category>::deserialize(deserializer)?;
    Ok(categories.into_iter().map(|(market, category)| (market, category.0)).collect())
}
