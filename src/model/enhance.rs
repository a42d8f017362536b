use std::fmt;

use serde::{Deserialize, Serialize};

/// What is done for a picture's look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enhance {
    /// How much it is sharpened where it is enlarged.
    pub sharpen: Strength,
    /// How far its darkest and its lightest may be moved, so that it uses the whole range.
    pub levels: Strength,
}

/// How strongly something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Not at all.
    #[default]
    Off,
    /// A little.
    Low,
    /// Between both.
    Medium,
    /// As much as makes sense.
    High,
}

/// What a layer of tags says of a picture's look; what is absent is as below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys of its own, such as `{sharpen: low}`")]
pub struct EnhanceTags {
    /// How much it is sharpened where it is enlarged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharpen: Option<Strength>,
    /// How far its darkest and its lightest may be moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<Strength>,
}

impl Strength {
    /// All of them, weakest first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Low, Self::Medium, Self::High];

    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Returns what a word means.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strength| strength.name() == word)
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl EnhanceTags {
    /// Returns whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
