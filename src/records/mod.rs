//! What lies on disk, bytes to types and back, versioned: sidecars, shared tags, idea notes, prompt
//! lists, the journal. Never touches the disk itself, and what it reads from outside never makes it
//! panic, or cost more than its limits allow.

mod bundle_folder;
mod delivery;
mod derivation;
mod error;
mod gate_day;
mod journal;
mod json;
mod list_record;
mod note;
mod plans;
mod prompts;
mod release;
mod request;
mod sending;
mod sidecar;
mod theme;
mod verdict_list;
mod yaml;
mod yaml_edit;
mod yaml_guard;

pub use bundle_folder::BundleFolder;
pub use delivery::{
    DELIVERED, Deliveries, DeliveryRecord, DeliveryStep, FileDelivery, hides_deliveries, read_deliveries, row_sum,
};
pub use derivation::{Derivation, Step};
pub use error::RecordError;
pub use gate_day::{GateDay, MadeUp};
pub use journal::{About, Intent, Move, Publish, PublishMode, Record, Remove, StepTaken, holds_records, read_records};
pub use list_record::{LIST_RECORD, ListEvent, ListRecord, ListedStep, Versions};
pub use note::{Idea, Note, Problem, parse_note};
pub use plans::Plans;
pub use prompts::{Expansion, expand, merge_prompts, prompts_text};
pub use release::{Mark, Release, marks};
pub use request::{Action, Answer, Did, RemakeWhat, Request, RetryWhat, UndoWhat, VerdictRow, Verdicts};
pub use sending::{AnsweredFile, Answers, Dealing, Got, RowDigest, Sending, SentFile};
pub use sidecar::{FileRecord, FileState, Happened, Origin, Private, SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
pub use theme::ThemeFile;
pub use verdict_list::{ListColumns, ListRow, UnreadList, read_verdict_list};
pub use yaml::{read_mapping, read_shared, write_mapping};
pub use yaml_edit::merged_text;
