//! What of a bundle is not to be uploaded, though it is an asset of it: its market has it, or would refuse it today.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::{BundleAsset, Elsewhere};
use super::selection::shown;
use crate::market::{self, Market};
use crate::model::{alike, counted, escape_bytes};
use crate::records::ListRecord;

/// How a line begins that names files which the market would refuse.
const REFUSED: &str = "> Do not upload these, the market would refuse them: ";
/// How such a line begins and ends, where other tags mend all of it.
pub(super) const REFUSED_BY_TAGS: (&str, &str) = (REFUSED, "; with other tags they get their rows back.");
/// How such a line begins and ends, where they do not.
pub(super) const REFUSED_AS_IT_IS: (&str, &str) =
    (REFUSED, "; they get their rows back once the market's rules take them.");
/// How a line begins and ends that names files which their market has, or refused as they are.
pub(super) const WENT: (&str, &str) = ("> Do not upload again: ", "; nothing goes to a market twice.");
/// How a line begins and ends that names files whose assets go to their market as other files.
pub(super) const LIES: (&str, &str) = ("> Do not upload from here: ", "; nothing goes to a market twice.");
/// How a line begins and ends that names files which have the names of others.
pub(super) const MISNAMED: (&str, &str) = ("> Do not upload under these names: ", "; then they get their rows back.");

/// The files of a bundle that are not to be uploaded.
#[derive(Default)]
pub(super) struct Unwanted<'a> {
    /// Those that the market has, or refused as they are, or gets as other files, and those with names of others.
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
    /// Returns what of these files is not to be uploaded, after what is on `record` of the list that lies there.
    pub(super) fn of(market: &Market, assets: &'a [BundleAsset], record: Option<&ListRecord>) -> Self {
        let elsewhere = assets.iter().filter_map(|asset| Some((asset, asset.elsewhere.as_ref()?))).collect();
        let others = assets.iter().filter(|asset| asset.elsewhere.is_none());
        let is_refused = |asset| refused(market, asset).or_else(|| refused_before(asset, record));
        Self { elsewhere, refused: others.filter_map(is_refused).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.elsewhere.is_empty() && self.refused.is_empty()
    }

    pub(super) fn names(&self) -> BTreeSet<&str> {
        let elsewhere = self.elsewhere.iter().map(|(asset, _)| &*asset.file_name);
        self.refused.iter().map(|refused| refused.file).chain(elsewhere).collect()
    }

    /// Returns the lines of a list about them, each with all that it is about; `all` lie there.
    pub(super) fn notes(&self, all: &BTreeSet<&str>) -> Vec<String> {
        let line = |[start, end]: [&str; 2], why: &str, files: &[&str]| {
            let shown = shown(&files.iter().copied().collect(), all);
            format!("{start}{shown}: {}{end}", escape_bytes(why.as_bytes()))
        };
        let mut reasons: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for (asset, elsewhere) in &self.elsewhere {
            let reason = match elsewhere {
                Elsewhere::Went(why) => (WENT, why),
                Elsewhere::Lies(why) => (LIES, why),
                Elsewhere::Misnamed(why) => (MISNAMED, why),
            };
            reasons.entry(reason).or_default().push(&asset.file_name);
        }
        let mut lines: Vec<String> =
            reasons.iter().map(|(((start, end), why), files)| line([*start, *end], why, files)).collect();
        for (is_by_tags, (start, end)) in [(true, REFUSED_BY_TAGS), (false, REFUSED_AS_IT_IS)] {
            let of = self.refused.iter().filter(|refused| refused.is_by_tags == is_by_tags);
            let reasons = alike(of.map(|refused| (refused.why.clone(), refused.file)));
            lines.extend(reasons.iter().map(|(why, files)| line([start, end], why, files)));
        }
        lines
    }

    /// Returns what the log says of them, behind what it says of the rows.
    pub(super) fn told(&self) -> String {
        let refused = match self.refused.len() {
            0 => String::new(),
            1 => "; the market refuses 1 file by its rules or the tags of today, which has no row".to_owned(),
            more => format!("; the market refuses {more} files by its rules or the tags of today, which have no row"),
        };
        let count = |is: fn(&Elsewhere) -> bool| self.elsewhere.iter().filter(|(_, elsewhere)| is(elsewhere)).count();
        let told = |files: usize, what: &str| match files {
            0 => String::new(),
            some => format!("; {} {what}, without a row here", counted(some, "file")),
        };
        let went = told(count(|of| matches!(of, Elsewhere::Went(_))), "went there before");
        let lies = told(count(|of| matches!(of, Elsewhere::Lies(_))), "to go there as another file of the same asset");
        let misnamed = told(count(|of| matches!(of, Elsewhere::Misnamed(_))), "with the bytes of another one");
        refused + &went + &lies + &misnamed
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

/// Returns that a file stays refused which cannot be measured, if it was refused when the list was written: nobody can tell
/// that its market would take it by now.
fn refused_before<'a>(asset: &'a BundleAsset, record: Option<&ListRecord>) -> Option<Refused<'a>> {
    let why = asset.against.as_ref()?.as_ref().err()?;
    let was_refused = record?.refused.contains(&asset.file_name);
    let why = format!("it was so before, and cannot be measured now: {why}");
    was_refused.then_some(Refused { file: &asset.file_name, why, is_by_tags: false })
}
