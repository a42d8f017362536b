//! What a check of all receipts showed.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::RelPath;

const UNFINISHED: &str = "stockmill was stopped in the middle of a step with it: start it again, then verify again";

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
    /// Files that are gone from an inbox, or from a bundle while their original is kept: a person chose not to go on with them.
    pub gone: Vec<RelPath>,
    /// What a person moved.
    pub moved: Vec<MovedByHand>,
    /// Steps that stockmill was stopped in the middle of.
    pub unfinished_steps: usize,
    /// Files that such a step left where no receipt says.
    pub unfinished: Vec<RelPath>,
    /// How the manifests of bundles differ from what lies there.
    #[serde(flatten)]
    pub rows: Unmatched,
    /// Files that somebody was writing to, so that they could not be compared.
    pub busy: Vec<RelPath>,
}

/// A file of a bundle that is not to be uploaded from there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotFromHere {
    /// The file.
    pub file: RelPath,
    /// Why it is not: its market has it, or gets it as another file.
    pub why: String,
}

/// How the manifests of bundles differ from what lies in these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// Files that are not to be uploaded from their bundles, and get no row there.
    pub not_from_here: Vec<NotFromHere>,
    /// Files of sent bundles that have no row in the manifest that was sent.
    pub without_row: Vec<RelPath>,
    /// Files of other bundles that have no row in their manifest, or none yet.
    pub without_row_yet: Vec<RelPath>,
    /// Files of which a bundle's manifest has a row, and that are not there and have no receipt.
    pub without_file: Vec<RelPath>,
}

impl Verified {
    /// Returns whether something is not as a receipt says.
    pub(super) fn misses(&self) -> bool {
        !self.problems.is_empty() || !self.gone.is_empty()
    }

    /// Takes what steps did that were stopped in the middle for theirs, and blames no hand for it.
    pub(super) fn set_unfinished(&mut self, steps: usize, in_hand: &BTreeSet<RelPath>) {
        self.unfinished_steps = steps;
        let moved = self.moved.extract_if(.., |moved| in_hand.contains(&moved.from) || in_hand.contains(&moved.to));
        self.unfinished.extend(moved.map(|moved| moved.to));
        self.unfinished.extend(self.gone.extract_if(.., |file| in_hand.contains(file)));
        self.unfinished.sort();
        self.unfinished.dedup();
        for problem in self.problems.iter_mut().filter(|problem| in_hand.contains(&problem.file)) {
            UNFINISHED.clone_into(&mut problem.hint);
        }
    }

    pub(super) fn misses_the_same(&self, other: &Self) -> bool {
        self.problems == other.problems && self.gone == other.gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    /// After a kill, what an unfinished step had moved was "moved by hand".
    #[test]
    fn what_a_step_did_that_was_stopped_in_the_middle_is_no_persons_doing() {
        let in_hand = ["archive/t/a.png", "keep/t/a.png", "upload/d/m/files/a.jpg"].map(path).into();
        let moved = |from: &str, to: &str| MovedByHand { from: path(from), to: path(to) };
        let missing = |file: &str| Problem {
            file: path(file),
            wrong: Wrong::Missing,
            why: "why".to_owned(),
            hint: "backup".to_owned(),
        };
        let mut verified = Verified {
            moved: vec![moved("archive/t/a.png", "raw/t/a.png"), moved("keep/t/b.png", "keep/u/b.png")],
            gone: ["keep/t/a.png", "keep/t/c.png"].map(path).into(),
            problems: ["upload/d/m/files/a.jpg", "upload/d/m/files/b.jpg"].map(missing).into(),
            ..Verified::default()
        };
        verified.set_unfinished(1, &in_hand);
        assert_eq!(verified.unfinished, ["keep/t/a.png", "raw/t/a.png"].map(path));
        assert_eq!(verified.moved, [moved("keep/t/b.png", "keep/u/b.png")]);
        assert_eq!(verified.gone, [path("keep/t/c.png")]);
        let hints: Vec<&str> = verified.problems.iter().map(|problem| problem.hint.as_str()).collect();
        assert_eq!(hints, [UNFINISHED, "backup"]);
    }
}
