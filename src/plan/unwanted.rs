//! What of a bundle is not to be uploaded, though it is an asset of it: its market has it, or would refuse it today.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::{BundleAsset, Elsewhere};
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
/// How a line begins and ends that names files whose assets go to their market as other files.
pub(super) const LIES: (&str, &str) = ("> Do not upload from here: ", "; nothing goes to a market twice.");

/// The files of a bundle that are not to be uploaded.
#[derive(Default)]
pub(super) struct Unwanted<'a> {
    /// Those that the market has, or refused as they are, or gets as other files.
    elsewhere: Vec<(&'a BundleAsset, &'a Elsewhere)>,
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
        let elsewhere = assets.iter().filter_map(|asset| Some((asset, asset.elsewhere.as_ref()?))).collect();
        let others = assets.iter().filter(|asset| asset.elsewhere.is_none());
        let is_refused = |asset| refused(market, asset).or_else(|| refused_before(asset, &list));
        Self { elsewhere, refused: others.filter_map(is_refused).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.elsewhere.is_empty() && self.refused.is_empty()
    }

    pub(super) fn names(&self) -> BTreeSet<&str> {
        let elsewhere = self.elsewhere.iter().map(|(asset, _)| &*asset.file_name);
        self.refused.iter().map(|refused| refused.file).chain(elsewhere).collect()
    }

    /// Returns the lines of a list about them.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let mut reasons: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for (asset, elsewhere) in &self.elsewhere {
            let reason = match elsewhere {
                Elsewhere::Went(why) => (WENT, why),
                Elsewhere::Lies(why) => (LIES, why),
            };
            reasons.entry(reason).or_default().push(&asset.file_name);
        }
        let elsewhere = |(((start, end), why), files): (((&str, &str), &String), Vec<&str>)| {
            Some(format!("{start}{}: {}{end}", quoted(files.into_iter())?, escape_bytes(why.as_bytes())))
        };
        let refused = self.refused.iter().map(|Refused { file, why, is_by_tags }| {
            let (file, why) = (escape_bytes(file.as_bytes()), escape_bytes(why.as_bytes()));
            format!("{REFUSED}`{file}`: {why}{}", if *is_by_tags { REFUSED_BY_TAGS.1 } else { REFUSED_AS_IT_IS.1 })
        });
        reasons.into_iter().filter_map(elsewhere).chain(refused)
    }

    /// Returns what the log says of them, behind what it says of the rows.
    pub(super) fn told(&self) -> String {
        let refused = match self.refused.len() {
            0 => String::new(),
            1 => "; the market refuses 1 file by its rules or the tags of today, which has no row".to_owned(),
            more => format!("; the market refuses {more} files by its rules or the tags of today, which have no row"),
        };
        let is_lying = |(_, elsewhere): &&(&BundleAsset, &Elsewhere)| matches!(elsewhere, Elsewhere::Lies(_));
        let lying = self.elsewhere.iter().filter(is_lying).count();
        let told = |files: usize, what: &str| match files {
            0 => String::new(),
            some => format!("; {} {what}, without a row here", counted(some, "file")),
        };
        let went = told(self.elsewhere.len() - lying, "went there before");
        refused + &went + &told(lying, "to go there as another file of the same asset")
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
