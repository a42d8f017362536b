//! Finds what lies in the inboxes and tells when it is complete: walk, group, settle, watch. Events are hints,
//! the walk is the truth. Never changes the disk, and never decides what becomes of a file.

mod candidate;
mod claims;
mod group;
mod names;
mod near_miss;
mod notes;
mod settle;
mod trio;
mod walk;
mod watch;

pub use candidate::Candidate;
pub use claims::{Inside, Lacking, is_model_folder, joined, lacking};
pub use group::{Grouped, group, is_lonely};
pub use names::{downloads_as, is_note, plain_arrives_as};
pub use near_miss::{NearMiss, near_misses};
pub use notes::{NoteWait, Notes, Sign, signs};
pub use settle::{Now, Settle, Settled, Still, Unsettled, Verdict};
pub use trio::{may_be_first_frame, rest_awaited, taken_along};
pub use walk::{Found, Odd, Walked, walk, walk_inbox};
pub use watch::{Hint, Hints, Watch, WatchProblem};
