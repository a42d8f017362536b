use serde::{Deserialize, Serialize};

use super::word::word_or_none;

/// What a generator was asked, as IPTC 2025.1 has fields for it. It is in a public file only where the settings name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys of its own, such as `{system: FLUX.2}`")]
pub struct Ai {
    /// The system.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "word_or_none")]
    pub system: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "word_or_none")]
    pub version: Option<String>,
    /// The prompt.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "word_or_none")]
    pub prompt: Option<String>,
    /// Who wrote the prompt.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "word_or_none")]
    pub writer: Option<String>,
}

/// A field of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AiField {
    /// The system.
    System,
    /// Its version.
    Version,
    /// The prompt.
    Prompt,
    /// Who wrote the prompt.
    Writer,
}

impl AiField {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::System, Self::Version, Self::Prompt, Self::Writer];

    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Version => "version",
            Self::Prompt => "prompt",
            Self::Writer => "writer",
        }
    }

    /// Returns its name in XMP (IPTC extension).
    pub fn property(self) -> &'static str {
        match self {
            Self::System => "AISystemUsed",
            Self::Version => "AISystemVersionUsed",
            Self::Prompt => "AIPromptInformation",
            Self::Writer => "AIPromptWriterName",
        }
    }
}

impl Ai {
    /// Returns whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the text of a field.
    pub fn get(&self, field: AiField) -> Option<&str> {
        match field {
            AiField::System => self.system.as_deref(),
            AiField::Version => self.version.as_deref(),
            AiField::Prompt => self.prompt.as_deref(),
            AiField::Writer => self.writer.as_deref(),
        }
    }

    /// Returns the place of a field.
    pub fn get_mut(&mut self, field: AiField) -> &mut Option<String> {
        match field {
            AiField::System => &mut self.system,
            AiField::Version => &mut self.version,
            AiField::Prompt => &mut self.prompt,
            AiField::Writer => &mut self.writer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A version without quotation marks was refused, without its place.
    #[test]
    fn what_looks_like_a_number_is_a_word() {
        for (own, version) in [("2", Some("2")), ("2.0", Some("2.0")), ("\"dev\"", Some("dev")), ("null", None)] {
            let text = format!("{{\"version\": {own}}}");
            assert_eq!(serde_json::from_str::<Ai>(&text).unwrap().version.as_deref(), version, "{text}");
        }
        assert!(serde_json::from_str::<Ai>("{\"promt\": \"a\"}").is_err());
    }
}
