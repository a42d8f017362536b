//! What a check of all receipts showed.

use serde::Serialize;

use crate::model::RelPath;

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// It is nowhere to be found.
    Missing,
    /// It has other bytes than its receipt says.
    Changed,
    /// It cannot be read, so nothing is known of it.
    Unreadable,
}

/// One thing that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file.
    pub file: RelPath,
    /// What is wrong with it.
    pub wrong: Wrong,
    /// What was expected, by which receipt.
    pub why: String,
    /// What to do.
    pub hint: String,
}

/// A file that does not stand where its receipt says, but is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MovedByHand {
    /// Where its receipt says that it stands.
    pub from: RelPath,
    /// Where it is.
    pub to: RelPath,
}

/// What the check showed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Assets that have a receipt.
    pub assets: usize,
    /// Files whose bytes were compared with a receipt, originals included.
    pub files: usize,
    /// Originals in the archive among them.
    pub originals: usize,
    /// The bytes of all these files.
    pub bytes: u64,
    /// What is missing or has other bytes.
    pub problems: Vec<Problem>,
    /// Files that are gone from an inbox: a person chose not to go on with them.
    pub gone: Vec<RelPath>,
    /// What a person moved.
    pub moved: Vec<MovedByHand>,
    /// Files that somebody was writing to, so that they could not be compared.
    pub busy: Vec<RelPath>,
}

impl Verified {
    /// Returns whether something is not as a receipt says.
    pub(super) fn misses(&self) -> bool {
        !self.problems.is_empty() || !self.gone.is_empty()
    }

    pub(super) fn misses_the_same(&self, other: &Self) -> bool {
        self.problems == other.problems && self.gone == other.gone
    }
}
