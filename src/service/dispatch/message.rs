//! What reaches the dispatcher, and what it wants done.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::job::{Job, Looked};
use super::second_looks::Seen;
use crate::config::Settings;
use crate::intake::{Still, WatchProblem};
use crate::make::{Limits, MakeError};
use crate::model::{MarketName, RelPath, Stage, ThemeSlug};
use crate::plan::{BundleName, Hold};
use crate::service::Signal;
use crate::service::carried_out::{CarriedOut, Rules};
use crate::service::check::Checked;
use crate::service::decide::{CopiesOf, Found, Order, Tended, ThemeVerdict};
use crate::service::survey::{SurveyError, Surveyed};
use crate::vault::{Aside, CommitError, DiskResult, Made, QueuedRequest, Receipt, Recovered, SecondLook, TrashLimits};

/// What reaches the dispatcher.
#[derive(Debug)]
pub(in crate::service) enum Message {
    /// Something happened somewhere: hints wait to be taken.
    Hinted,
    /// A unit was walked, and how long that took.
    Walked(RelPath, Duration, Result<Box<Surveyed>, SurveyError>),
    /// Folders were compared with what they were, up to the last one named: these changed.
    Compared(Vec<RelPath>, RelPath),
    /// Areas were looked at.
    Checked(Vec<Checked>),
    /// Assets were looked into; the number is the first one's place in the queue. Who takes long has none.
    Looked(Option<u64>, Vec<Looked>),
    /// The products of plans are complete, or could not be made.
    Made(Vec<(Job, Result<Made, MakeError>)>),
    /// A batch was carried out.
    Committed(Vec<Job>, Vec<Result<Receipt, CommitError>>),
    /// Unfinished plans were finished or taken back.
    Recovered(DiskResult<Recovered>),
    /// What a person wanted back was taken back, or not.
    Undone(CarriedOut),
    /// Shared records were looked at.
    Tended(Looks),
    /// It was looked what is left of themes of which something went, and how long that took.
    GoneJudged(Vec<(ThemeSlug, ThemeVerdict)>, Duration),
    /// What lies aside was looked at a second time; `None` for what the disk did not show.
    LookedTwice(Vec<(Aside, Option<Seen>)>),
    /// Nobody writes to these any more: they may go, or came back.
    Ended(Vec<(Aside, DiskResult<SecondLook>)>),
    /// The system wants something.
    Signal(Signal),
}

/// What a look at shared records showed.
#[derive(Debug)]
pub(in crate::service) struct Looks {
    pub(in crate::service) found: Vec<(Tended, Result<Found, Hold>)>,
    /// Of the markets of the bundles among them the files whose assets lie in open bundles more than once.
    pub(in crate::service) copies: BTreeMap<MarketName, CopiesOf>,
    /// When it began, in nanoseconds since 1970.
    pub(in crate::service) begun_ns: i64,
    /// The first thing that kept a folder from being watched.
    pub(in crate::service) problem: Option<WatchProblem>,
}

/// What a hint says, by the names of the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) enum Heard {
    /// Anything may have changed.
    Everywhere,
    /// Something changed in these units.
    Near(Vec<RelPath>),
    /// The folder of an area went.
    AreaGone,
    /// A command left a request.
    Request,
    /// The probe of a stage.
    Probe(RelPath),
    /// A tag set changed.
    TagSets,
    /// A file in a bundle changed.
    Bundle(BundleName),
}

/// What a worker is to do.
#[derive(Debug)]
pub(in crate::service) enum Work {
    Walk {
        unit: RelPath,
        settings: Arc<Settings>,
    },
    Compare(Vec<(RelPath, i64)>),
    Check {
        areas: Vec<RelPath>,
        away: Vec<RelPath>,
    },
    Probe(Vec<RelPath>),
    Purge {
        areas: Vec<RelPath>,
        limits: TrashLimits,
        now_ns: i64,
        unsure: HashSet<RelPath>,
    },
    Look {
        first: Option<u64>,
        chunk: Vec<ToLook>,
        limits: Limits,
    },
    Make {
        chunk: Vec<Job>,
        limits: Limits,
        /// By how much its threads give way to those of all other work, if they do.
        nice: Option<u8>,
    },
    Commit {
        batch: Vec<(Job, Made)>,
        now: Timestamp,
    },
    Undo {
        posted: QueuedRequest,
        rules: Rules,
        now: Timestamp,
    },
    Recover(Vec<RelPath>),
    Tend {
        records: Vec<Tended>,
        order: Order,
    },
    /// Themes of which something went, each with whether a plan in hand has a file of it.
    JudgeGone(Vec<(bool, ThemeSlug)>),
    LookTwice(Vec<Aside>),
    End(Vec<Aside>),
    /// An area's watches are gone with its folder.
    ForgetWatches(RelPath),
}

/// An asset that is to be looked into.
#[derive(Debug)]
pub(in crate::service) struct ToLook {
    pub(in crate::service) stage: Stage,
    /// Whether its theme claims it as a document.
    pub(in crate::service) is_document: bool,
    pub(in crate::service) still: Still,
}
