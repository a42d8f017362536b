//! What is known of bundles, gates and the room at markets, beside what lies on disk.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::elsewhere::Places;
use super::read_sidecars::ReadSidecars;
use super::unidentified::{Meant, Unidentified};
use crate::model::{MarketName, Stage, ThemeSlug};
use crate::plan::{Bundle, BundleName};
use crate::records::GateDay;

/// What is kept between decisions on what is uploaded.
#[derive(Debug, Default)]
pub(in crate::service) struct UploadState {
    pub(in crate::service) bundles: BTreeMap<BundleName, Bundle>,
    /// The day for which they were looked for on disk.
    pub(super) loaded_for: Option<Date>,
    /// The bundles with files of which nobody knows which asset they are.
    pub(super) unidentified: BTreeMap<Meant, Unidentified>,
    /// Whether those of these that could not be looked at are looked at again.
    pub(in crate::service) is_unseen_due: bool,
    /// Which assets lie in open bundles, as far as that was read.
    pub(super) sidecars: Arc<ReadSidecars>,
    /// Where files of open bundles are, for one who only looks.
    pub(super) places: Option<Arc<Places>>,
    /// Whether what a further market takes waits for the gate.
    pub(super) offers_wait: bool,
    /// What is remembered of the gates with a schedule.
    pub(super) gate_days: BTreeMap<Stage, GateDay>,
    /// Gates of which that cannot be read, and why.
    pub(super) unread_gate_days: BTreeMap<Stage, String>,
    /// The themes of which files wait for room at a market. Deciding changes nothing else of all this.
    pub(super) room_waits: RefCell<BTreeSet<(MarketName, ThemeSlug)>>,
    /// Whether it is looked away from the room that markets have: what they would take is asked.
    pub(super) is_room_ignored: bool,
}
