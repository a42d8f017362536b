use std::fmt;

use serde::{Deserialize, Serialize};

use super::ContentHash;

/// What is known of the C2PA manifest store of a file: signed words about this very file, which no other file may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct C2pa {
    /// How many bytes it has.
    pub bytes: u64,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// The program that claims to have made the file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub generator: Option<String>,
    /// How the file came to be, as a term of the IPTC vocabulary.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_type: Option<String>,
    /// When, as it says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<String>,
}

impl fmt::Display for C2pa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its C2PA manifest ({} bytes", self.bytes)?;
        if let Some(generator) = &self.generator {
            write!(f, ", by `{generator}`")?;
        }
        for said in [&self.source_type, &self.at].into_iter().flatten() {
            write!(f, ", {said}")?;
        }
        f.write_str(") is of the original alone: it stays there, and what is made of it names the original by its hash")
    }
}
