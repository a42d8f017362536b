//! Why something stays where it is.

use std::time::Duration;

/// Why an asset stays where it is. An ordinary answer, not an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Hold {
    /// It is nothing that stockmill works on.
    #[error("{0}")]
    Ignored(String),
    /// It waits for something that will come, or for a person who need not hurry.
    #[error("{0}")]
    Waits(String),
    /// A record that it depends on says nothing that can be read, or has not quite the right name.
    #[error("{0}")]
    Unreadable(String),
    /// Its tags lack what every market wants.
    #[error("{0}")]
    Untagged(String),
    /// Every market refuses it, whatever its tags are.
    #[error("{0}")]
    Unwanted(String),
    /// A step of it was cut off, and can neither be finished nor be taken back yet.
    #[error("{0}")]
    Blocked(String),
    /// Its stage, or an area that it may go to, is paused.
    #[error("{0}")]
    Paused(String),
    /// The gate of its stage is shut.
    #[error("{0}")]
    Shut(String),
    /// The markets that take it have no room for it now, or have not answered yet.
    #[error("{0}")]
    NoRoom(String),
    /// The same content, or asset, is in hand under another name.
    #[error("{0}")]
    Twin(String),
    /// The disk refused to say what the decision depends on: it is asked again soon.
    #[error("{0}")]
    Refused(String),
    /// A record that it depends on may be in the middle of being saved: it is read again after a pause.
    #[error("{why}")]
    Settling {
        /// What does not stand still.
        why: String,
        /// How long to wait.
        pause: Duration,
        /// Whether time alone ends it.
        is_by_time: bool,
    },
    /// It needs a person: it goes to `failed/`.
    #[error("{0}")]
    Park(String),
}
