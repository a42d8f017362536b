//! What `stockmill deliver` sent of a bundle, as its checklist tells it.

use std::collections::BTreeSet;

use crate::model::{RelPath, escape_bytes};
use crate::records::Deliveries;

/// How a line begins and ends that names what is perhaps at the market.
pub(super) const IN_DOUBT: (&str, &str) = (
    "> Nobody can tell whether the market has ",
    "; look there, then say `stockmill deliver --taken FILE` or `stockmill deliver --send-again FILE`.",
);
/// How a line begins and ends that says why nobody can tell what was sent.
pub(super) const UNKNOWN: (&str, &str) =
    ("> Nobody can tell what `stockmill deliver` sent: ", "; look in the portal before you upload.");
/// How a line begins and ends that says who else sends what is asked for.
pub(super) const BY_ITSELF: (&str, &str) = (
    "> `stockmill deliver` sends files of this market: ",
    "of what you upload by hand say `stockmill deliver --taken FILE`, or it goes twice.",
);

/// What `stockmill deliver` sent of a bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The files that are delivered.
    pub(super) files: BTreeSet<String>,
    /// The files whose rows are.
    pub(super) rows: BTreeSet<String>,
    /// The files and manifests of which nobody can tell.
    pub(super) in_doubt: BTreeSet<String>,
    /// Why nobody can tell any of this.
    pub(super) unknown: Option<String>,
    /// Whether more may go by it: the settings say where to.
    pub(super) is_going_on: bool,
}

impl Delivered {
    /// Returns what is on record of a bundle.
    pub fn of(record: &Result<Deliveries, String>, bundle: &RelPath, is_going_on: bool) -> Self {
        let known = match record {
            Ok(known) => known,
            Err(why) => return Self { unknown: Some(why.clone()), is_going_on, ..Self::default() },
        };
        let names = |paths: Vec<&RelPath>| paths.into_iter().map(RelPath::file_text).collect();
        Self {
            files: names(known.delivered_in(&bundle.join("files")).collect()),
            rows: known.delivered_rows(bundle).into_keys().collect(),
            in_doubt: names(known.in_doubt_in(bundle).collect()),
            unknown: None,
            is_going_on,
        }
    }

    /// Returns the lines about it; `is_any_left` says whether something is still to be uploaded.
    pub(super) fn notes(&self, is_any_left: bool) -> impl Iterator<Item = String> {
        let unknown = self.unknown.as_ref().map(|why| {
            let why = escape_bytes(why.as_bytes());
            format!("{}{why}{}", UNKNOWN.0, UNKNOWN.1)
        });
        let names: Vec<String> =
            self.in_doubt.iter().map(|name| format!("`{}`", escape_bytes(name.as_bytes()))).collect();
        let in_doubt = (!names.is_empty()).then(|| format!("{}{}{}", IN_DOUBT.0, names.join(", "), IN_DOUBT.1));
        let by_itself = (self.is_going_on && is_any_left).then(|| format!("{}{}", BY_ITSELF.0, BY_ITSELF.1));
        unknown.into_iter().chain(in_doubt).chain(by_itself)
    }
}
