//! Why an asset stays where it is, for people and for code.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::plan::Hold;

/// So many reasons are remembered before those that nobody waits for any more are forgotten.
const REASONS_MAX: usize = 1000;

/// What kind of thing an asset waits for: first what needs a person's hand, and last what is as a person wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyKind {
    /// A record that it depends on cannot be read.
    Record,
    /// A step of it was cut off.
    Blocked,
    /// Its tags lack what every market wants.
    Tags,
    /// Every market refuses it.
    Market,
    /// Files that it names, or is a part of, are not there.
    Incomplete,
    /// A word of a person, or something that comes.
    Person,
    /// A disk or a worker refused, and is asked again.
    Refused,
    /// Its stage, or where it would go, is paused: that is told once, and not for each file.
    Paused,
    /// The same content, or asset, is in hand under another name.
    Twin,
    /// Its files, or records that it depends on, may still be written.
    Settling,
    /// The markets that take it have no room for it now, or have not answered yet.
    Room,
    /// The gate of its stage is shut.
    Gate,
    /// It is nothing that stockmill works on: it is left alone.
    Unknown,
}

impl WhyKind {
    /// Returns the word for programs, which does not change.
    pub fn word(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Blocked => "blocked",
            Self::Tags => "tags",
            Self::Market => "market",
            Self::Incomplete => "incomplete",
            Self::Person => "person",
            Self::Refused => "disk",
            Self::Paused => "paused",
            Self::Twin => "twin",
            Self::Settling => "settling",
            Self::Room => "room",
            Self::Gate => "gate",
            Self::Unknown => "unknown",
        }
    }
}

/// Why an asset stays where it is. Those that stay for the same reason share its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What kind of thing ends it.
    pub kind: WhyKind,
    /// In words.
    pub text: Arc<str>,
}

impl Why {
    /// Returns a reason of its own.
    pub(super) fn new(kind: WhyKind, text: &str) -> Self {
        Self { kind, text: text.into() }
    }

    /// Returns the reason that a decision gave.
    pub(super) fn of(hold: &Hold) -> Self {
        let kind = match hold {
            Hold::Paused(_) => WhyKind::Paused,
            Hold::Shut(_) => WhyKind::Gate,
            Hold::NoRoom(_) => WhyKind::Room,
            Hold::Twin(_) => WhyKind::Twin,
            Hold::Settling { .. } => WhyKind::Settling,
            Hold::Refused(_) => WhyKind::Refused,
            Hold::Unreadable(_) => WhyKind::Record,
            Hold::Blocked(_) => WhyKind::Blocked,
            Hold::Untagged(_) => WhyKind::Tags,
            Hold::Unwanted(_) => WhyKind::Market,
            Hold::Waits(_) | Hold::Park(_) => WhyKind::Person,
            Hold::Ignored(_) => WhyKind::Unknown,
        };
        Self::new(kind, &hold.to_string())
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// The texts of reasons that were given: a hundred thousand files may wait for the same.
#[derive(Debug, Default)]
pub(super) struct Reasons(HashSet<Arc<str>>);

impl Reasons {
    /// Interns a reason, so that those held for it share one text.
    pub(super) fn share(&mut self, mut why: Why) -> Why {
        if let Some(known) = self.0.get(&why.text) {
            why.text = known.clone();
            return why;
        }
        if self.0.len() >= REASONS_MAX {
            self.0.retain(|reason| Arc::strong_count(reason) > 1);
        }
        self.0.insert(why.text.clone());
        why
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Unreadable records, refusals of markets and files that wait for a word were one kind.
    #[test]
    fn code_can_tell_what_an_asset_waits_for() {
        let text = || "why".to_owned();
        let settling = Hold::Settling { why: text(), pause: Duration::ZERO, is_by_time: true };
        for (hold, kind) in [
            (Hold::Unreadable(text()), WhyKind::Record),
            (Hold::Blocked(text()), WhyKind::Blocked),
            (Hold::Untagged(text()), WhyKind::Tags),
            (Hold::Unwanted(text()), WhyKind::Market),
            (Hold::Waits(text()), WhyKind::Person),
            (Hold::Ignored(text()), WhyKind::Unknown),
            (Hold::Refused(text()), WhyKind::Refused),
            (Hold::Paused(text()), WhyKind::Paused),
            (Hold::Shut(text()), WhyKind::Gate),
            (Hold::NoRoom(text()), WhyKind::Room),
            (Hold::Twin(text()), WhyKind::Twin),
            (settling, WhyKind::Settling),
        ] {
            assert_eq!(Why::of(&hold), Why::new(kind, "why"), "{hold:?}");
        }
    }

    #[test]
    fn those_who_wait_for_the_same_share_its_text() {
        let mut reasons = Reasons::default();
        let [a, b] = [0, 1].map(|_| reasons.share(Why::new(WhyKind::Gate, "shut")));
        assert!(Arc::ptr_eq(&a.text, &b.text));
        let kept: Vec<Why> =
            (0..REASONS_MAX * 2).map(|n| reasons.share(Why::new(WhyKind::Person, &n.to_string()))).take(3).collect();
        drop(kept);
        (0..REASONS_MAX).for_each(|n| drop(reasons.share(Why::new(WhyKind::Person, &format!("{n} again")))));
        assert!(reasons.0.len() <= REASONS_MAX + 1, "{}", reasons.0.len());
        assert!(Arc::ptr_eq(&a.text, &reasons.share(Why::new(WhyKind::Gate, "shut")).text), "it is waited for");
    }
}
