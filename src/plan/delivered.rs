//! What `stockmill deliver` sent of a bundle, as its checklist tells it.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::BundleAsset;
use super::checklist_files::quoted;
use crate::model::{RelPath, escape_bytes};
use crate::records::{Deliveries, FileDelivery};

/// How a line begins and ends that names what is perhaps at the market.
pub(super) const IN_DOUBT: (&str, &str) = (
    "> Nobody can tell whether the market has ",
    "; look there, then say `stockmill deliver --taken FILE` or `stockmill deliver --send-again FILE`.",
);
/// How a line begins and ends that names what was delivered with other bytes than it has now.
pub(super) const CHANGED: (&str, &str) = (
    "> Changed after they were delivered: ",
    "; nothing goes twice: if the market is to have the new ones, upload these by hand; in any case say `stockmill deliver --taken FILE`.",
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
    /// The files that are delivered, each with what tells the bytes that went from those of another version.
    pub(super) files: BTreeMap<String, String>,
    /// The files whose rows are, each with the checksum of the row that went.
    pub(super) rows: BTreeMap<String, u32>,
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
        let version = |(path, went): (&RelPath, &FileDelivery)| (path.file_text(), went.hash.short());
        let names = |paths: Vec<&RelPath>| paths.into_iter().map(RelPath::file_text).collect();
        Self {
            files: known.delivered_in(&bundle.join("files")).map(version).collect(),
            rows: known.delivered_rows(bundle),
            in_doubt: names(known.in_doubt_in(bundle).collect()),
            unknown: None,
            is_going_on,
        }
    }

    /// Returns the lines about it; `is_any_left` says whether something is still to be uploaded. Of what a person changed nobody
    /// knows what it is: that has a line of its own.
    pub(super) fn notes(&self, assets: &[BundleAsset], is_any_left: bool) -> impl Iterator<Item = String> {
        let is_other = |asset: &&BundleAsset| {
            !asset.is_retouched && self.files.get(&asset.file_name).is_some_and(|went| *went != asset.version)
        };
        let changed = quoted(assets.iter().filter(is_other).map(|asset| &*asset.file_name));
        let changed = changed.map(|names| format!("{}{names}{}", CHANGED.0, CHANGED.1));
        let unknown = self.unknown.as_ref().map(|why| {
            let why = escape_bytes(why.as_bytes());
            format!("{}{why}{}", UNKNOWN.0, UNKNOWN.1)
        });
        let names: Vec<String> =
            self.in_doubt.iter().map(|name| format!("`{}`", escape_bytes(name.as_bytes()))).collect();
        let in_doubt = (!names.is_empty()).then(|| format!("{}{}{}", IN_DOUBT.0, names.join(", "), IN_DOUBT.1));
        let by_itself = (self.is_going_on && is_any_left).then(|| format!("{}{}", BY_ITSELF.0, BY_ITSELF.1));
        unknown.into_iter().chain(in_doubt).chain(changed).chain(by_itself)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Meta;

    /// Only `deliver` said it, and the list asked for nothing more.
    #[test]
    fn what_changed_after_it_was_delivered_is_named() {
        // The version that went, that of today, whether a person changed it, and whether it is named.
        for (went, now, is_retouched, is_named) in [
            (Some("1"), "1", false, false),
            (Some("1"), "2", false, true),
            (Some("1"), "2", true, false),
            (None, "2", false, false),
        ] {
            let asset =
                BundleAsset { version: now.to_owned(), is_retouched, ..BundleAsset::bare("a.jpg", Meta::default()) };
            let files = went.map(|went| ("a.jpg".to_owned(), went.to_owned())).into_iter().collect();
            let told: Vec<String> = Delivered { files, ..Delivered::default() }.notes(&[asset], false).collect();
            let line = format!("{}`a.jpg`{}", CHANGED.0, CHANGED.1);
            assert_eq!(told.contains(&line), is_named, "{went:?} {now} {is_retouched}: {told:?}");
        }
    }
}
