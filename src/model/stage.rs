use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the five inbox folders, in working order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Notes with ideas; each idea becomes a theme.
    Ideas,
    /// New output of a generator.
    Raw,
    /// What a person decided to keep; it is refined here.
    Keep,
    /// Refined assets that wait for their final name, format and metadata.
    Export,
    /// Finished files that wait for their bundle.
    Upload,
}

impl Stage {
    /// Every stage, in working order.
    pub const ALL: [Self; 5] = [Self::Ideas, Self::Raw, Self::Keep, Self::Export, Self::Upload];

    /// Returns the stage that a finished asset moves to, or `None` at the end of the line.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Ideas => Some(Self::Raw),
            Self::Raw => Some(Self::Keep),
            Self::Keep => Some(Self::Export),
            Self::Export => Some(Self::Upload),
            Self::Upload => None,
        }
    }

    /// Returns the stage's folder.
    pub fn folder(self) -> super::RelPath {
        super::RelPath::new(self.name()).expect("a stage's name is clean")
    }

    /// Returns the stage's name: the first part of every path in it, and the default folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ideas => "ideas",
            Self::Raw => "raw",
            Self::Keep => "keep",
            Self::Export => "export",
            Self::Upload => "upload",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that is not the name of a stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a stage; the stages are ideas, raw, keep, export, upload")]
pub struct UnknownStage(String);

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|stage| stage.name() == text).ok_or_else(|| UnknownStage(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_each_other_and_are_known_by_their_names() {
        for pair in Stage::ALL.windows(2) {
            assert_eq!(pair[0].next(), Some(pair[1]));
        }
        assert_eq!(Stage::Upload.next(), None);
        for (stage, name) in Stage::ALL.into_iter().zip(["ideas", "raw", "keep", "export", "upload"]) {
            assert_eq!((stage.name(), stage.to_string().as_str(), name.parse()), (name, name, Ok(stage)));
            assert_eq!(stage.folder().to_string(), name);
        }
        for wrong in ["", "Raw", "raw/", "archive"] {
            let why = wrong.parse::<Stage>().unwrap_err().to_string();
            assert_eq!(why, format!("`{wrong}` is not a stage; the stages are ideas, raw, keep, export, upload"));
        }
    }
}
