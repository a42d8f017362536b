//! What of a bundle is not to be uploaded, though it is an asset of it: its market has it, or would refuse it today.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::BundleAsset;
use super::checklist_files::quoted;
use crate::market::{self, Market};
use crate::model::{counted, escape_bytes};

/// How a line begins that names a file which the market would refuse.
const REFUSED: &str = "> Do not upload this one, the market would refuse it: ";
/// How such a line begins and ends, where other tags mend all of it.
pub(super) const REFUSED_BY_TAGS: (&str, &str) = (REFUSED, "; with other tags it gets its row back.");
/// How such a line begins and ends, where they do not.
pub(super) const REFUSED_AS_IT_IS: (&str, &str) = (REFUSED, "; it gets its row back once the market's rules take it.");
/// How a line begins and ends that names files which their market has, or refused as they are.
pub(super) const WENT: (&str, &str) = ("> Do not upload again: ", "; nothing goes to a market twice.");

/// The files of a bundle that are not to be uploaded.
#[derive(Default)]
pub(super) struct Unwanted<'a> {
    /// Those that the market has, or refused as they are.
    went: Vec<&'a BundleAsset>,
    /// Those that the market would refuse today.
    pub(super) refused: Vec<Refused<'a>>,
}

/// A file of a bundle that its market would refuse today.
pub(super) struct Refused<'a> {
    pub(super) file: &'a str,
    pub(super) why: String,
    /// Whether other tags would mend all of it.
    pub(super) is_by_tags: bool,
}

impl<'a> Unwanted<'a> {
    /// Returns what of these files is not to be uploaded, after what the `list` says that lies there.
    pub(super) fn of(market: &Market, assets: &'a [BundleAsset], list: Option<&[u8]>) -> Self {
        let list = list.map(String::from_utf8_lossy).unwrap_or_default();
        let (went, others): (Vec<_>, Vec<_>) = assets.iter().partition(|asset| asset.went.is_some());
        let is_refused = |asset| refused(market, asset).or_else(|| refused_before(asset, &list));
        Self { went, refused: others.into_iter().filter_map(is_refused).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.went.is_empty() && self.refused.is_empty()
    }

    pub(super) fn names(&self) -> BTreeSet<&str> {
        let went = self.went.iter().map(|asset| &*asset.file_name);
        self.refused.iter().map(|refused| refused.file).chain(went).collect()
    }

    /// Returns the lines of a list about them.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for asset in &self.went {
            reasons.entry(asset.went.as_deref().unwrap_or_default()).or_default().push(&asset.file_name);
        }
        let went = |(why, files): (&str, Vec<&str>)| {
            Some(format!("{}{}: {}{}", WENT.0, quoted(files.into_iter())?, escape_bytes(why.as_bytes()), WENT.1))
        };
        let refused = self.refused.iter().map(|Refused { file, why, is_by_tags }| {
            let (file, why) = (escape_bytes(file.as_bytes()), escape_bytes(why.as_bytes()));
            format!("{REFUSED}`{file}`: {why}{}", if *is_by_tags { REFUSED_BY_TAGS.1 } else { REFUSED_AS_IT_IS.1 })
        });
        reasons.into_iter().filter_map(went).chain(refused)
    }

    /// Returns what the log says of them, behind what it says of the rows.
    pub(super) fn told(&self) -> String {
        let refused = match self.refused.len() {
            0 => String::new(),
            1 => "; the market refuses 1 file by its rules or the tags of today, which has no row".to_owned(),
            more => format!("; the market refuses {more} files by its rules or the tags of today, which have no row"),
        };
        let went = match self.went.len() {
            0 => String::new(),
            more => format!("; {} went there before, without a row here", counted(more, "file")),
        };
        refused + &went
    }
}

/// Returns why a market would refuse a file of its bundle today, if it would.
fn refused<'a>(market: &Market, asset: &'a BundleAsset) -> Option<Refused<'a>> {
    let (row, reasons) = (asset.row(), asset.reasons(market));
    let by_tags = || market::check_tags(market, row.meta, row.category, asset.written).into_iter();
    let by_tags: Vec<String> = by_tags().chain(market::row_too_long(market, &row)).collect();
    let is_by_tags = reasons.iter().all(|reason| by_tags.contains(reason));
    (!reasons.is_empty()).then(|| Refused { file: &asset.file_name, why: reasons.join("; "), is_by_tags })
}

/// Returns that a file stays refused which cannot be measured, if it was refused by the list that lies there: nobody can tell
/// that its market would take it by now.
fn refused_before<'a>(asset: &'a BundleAsset, list: &str) -> Option<Refused<'a>> {
    let why = asset.against.as_ref()?.as_ref().err()?;
    let told = format!("{REFUSED}`{}`: ", escape_bytes(asset.file_name.as_bytes()));
    let was_refused = list.lines().any(|line| line.starts_with(&told));
    let why = format!("it was so before, and cannot be measured now: {why}");
    was_refused.then_some(Refused { file: &asset.file_name, why, is_by_tags: false })
}
