//! Boxes of a market's portal that a person ticks for several files at once.

use serde::Deserialize;

use crate::model::{Look, People};

/// What stands between two things that are ticked.
pub const AND_TICK: &str = "; ";

/// What a box of a portal says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoxKind {
    /// That AI made it.
    Ai,
    /// What it looks like.
    Look,
    /// Whether people appear in it.
    People,
    /// Its category.
    Category,
}

/// What is ticked in a portal for files of a kind, in words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boxes {
    /// By whether AI made them.
    pub ai: Option<YesBox>,
    /// By what they look like, of stills alone.
    pub look: Option<LookBoxes>,
    /// By whether people appear in those that AI made; of others it has releases.
    pub people: Option<YesBox>,
}

/// What is ticked where something is so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YesBox {
    /// Where it is.
    pub yes: String,
}

/// What is ticked by what files look like.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookBoxes {
    /// For what looks like a photograph.
    pub photo: String,
    /// For anything else.
    pub illustration: String,
}

impl Boxes {
    /// Returns what is ticked for a file, in words. What its tags do not say, a person has to see.
    pub fn ticks(&self, is_by_ai: bool, look: Option<Look>, people: Option<People>) -> Vec<(BoxKind, String)> {
        let ai = self.ai.as_ref().filter(|_| is_by_ai).map(|boxes| boxes.yes.clone());
        let look = self.look.as_ref().map(|boxes| match look {
            Some(Look::Photo) => boxes.photo.clone(),
            Some(Look::Illustration) => boxes.illustration.clone(),
            None => format!("{}, or {}, as each looks", boxes.photo, boxes.illustration),
        });
        let people = self.people.as_ref().filter(|_| is_by_ai).and_then(|boxes| match people {
            Some(People::Yes) => Some(boxes.yes.clone()),
            Some(People::No) => None,
            Some(People::Unsure) | None => {
                Some(format!("look at each, and where people or property appear, {}", boxes.yes))
            }
        });
        let of = |kind: BoxKind, text: Option<String>| text.map(|text| (kind, text));
        [of(BoxKind::Ai, ai), of(BoxKind::Look, look), of(BoxKind::People, people)].into_iter().flatten().collect()
    }

    /// Returns what is ticked where the box of a kind is to be ticked or not, and nothing else.
    pub fn yes(&self, kind: BoxKind) -> Option<&str> {
        let of_kind = match kind {
            BoxKind::Ai => self.ai.as_ref(),
            BoxKind::People => self.people.as_ref(),
            BoxKind::Look | BoxKind::Category => None,
        };
        of_kind.map(|boxes| boxes.yes.as_str())
    }

    /// Returns those that a film or a model has: it is neither a photograph nor an illustration.
    #[must_use]
    pub fn without_look(&self) -> Self {
        Self { look: None, ..self.clone() }
    }

    /// Returns all that may be ticked for some file.
    pub fn all_ticks(&self) -> Vec<(BoxKind, String)> {
        let looks = [None, Some(Look::Photo), Some(Look::Illustration)];
        let people = [None, Some(People::Yes)];
        let mut all: Vec<_> =
            looks.iter().flat_map(|look| people.iter().flat_map(|people| self.ticks(true, *look, *people))).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Returns whether nobody could tell two of its words apart in a list.
    pub(super) fn is_unclear(&self) -> bool {
        let all = self.all_ticks();
        let is_of_two = |kind: BoxKind, words: &str| all.iter().any(|(other, same)| *other != kind && same == words);
        all.iter().any(|(kind, words)| {
            words.trim().is_empty() || words.contains([';', '\n', '\r']) || is_of_two(*kind, words)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A semicolon stands between two boxes in a list, and what is ticked says which box it is.
    #[test]
    fn words_that_nobody_could_tell_apart_are_refused() {
        for (words, people, is_unclear) in [
            ("tick it", None, false),
            ("tick; then wait", None, true),
            ("tick\nit", None, true),
            (" ", None, true),
            ("tick it", Some("tick that"), false),
            ("tick it", Some("tick it"), true),
        ] {
            let box_of = |words: &str| YesBox { yes: words.to_owned() };
            let boxes = Boxes { ai: Some(box_of(words)), look: None, people: people.map(box_of) };
            assert_eq!(boxes.is_unclear(), is_unclear, "{words} {people:?}");
        }
    }
}
