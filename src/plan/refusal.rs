//! What a market refused, and whether what it would get now is the same.

use super::Recipe;
use super::asset::Asset;
use super::not_taken::{Cause, NotTaken};
use super::tags::digest;
use crate::market::{self, Market};
use crate::model::{ContentHash, RelPath};
use crate::records::{FileRecord, Got, RowDigest};

/// What is told of a file that goes to a market again which refused one, where that is another one for sure.
const SURELY_MENDED: &str = "since its picture or its tags were mended";
/// The same once its bytes were compared with that one's.
pub(super) const MENDED: &str = "since it was mended";
/// The same where its number is another one, or may be.
pub(super) const MENDED_OR_NUMBERED: &str =
    "since it was mended or has another number (which one it had is not on record)";
/// What is foretold of it: what changed settings make of the same picture is compared only once it is made.
pub(super) const IF_MENDED: &str = "if its bytes are not those that were refused";

/// That a market refused a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where the file lay in its bundle.
    pub file: RelPath,
    /// Why, in the market's words; empty if it did not say.
    pub reason: String,
    /// What the market had got.
    pub got: Got,
    /// What the file's bytes follow from, as far as that is known: the same may be made in several ways.
    pub made: Vec<ContentHash>,
    /// Its number within its theme, where that is on record.
    pub number: Option<u64>,
}

/// What of a file that is offered again is another than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum But {
    /// Nothing.
    Nothing,
    /// The number in its texts, which mends nothing.
    Number,
}

/// What a market would get of a file, as far as that is known before it is made.
#[derive(Debug, Clone)]
pub struct Offered<'a> {
    /// The hash of its bytes, where it stays as it is.
    pub bytes: Option<&'a ContentHash>,
    /// What its bytes follow from.
    pub made: Option<ContentHash>,
    /// What tells its row from another one.
    pub row: &'a RowDigest,
}

impl Refusal {
    /// Returns why the market does not get the asset again, if nothing changed about it `but` this. What is not known to be the
    /// same goes on: its bytes are compared once it is made.
    pub fn refuse(&self, offered: &Offered<'_>, but: But) -> Option<String> {
        let has_same_bytes =
            offered.bytes == Some(&self.got.hash) || offered.made.as_ref().is_some_and(|made| self.made.contains(made));
        let but = match but {
            But::Nothing => "",
            But::Number => " with another number",
        };
        let is_same = has_same_bytes && !self.has_another_row(offered);
        is_same.then(|| {
            let (file, why) = (&self.file, self.why());
            format!("it refused it as `{file}`{why}, and would get the same again{but}; {}", what_mends(&self.got))
        })
    }

    /// Returns whether it is known that the market would be told something else.
    fn has_another_row(&self, offered: &Offered<'_>) -> bool {
        self.got.has_another_row(Some(offered.row))
    }

    /// Returns what is told of a file of which it shows only once it is made whether the market gets it again.
    fn told_unsure(&self, market: &Market) -> String {
        let (file, why, name) = (&self.file, self.why(), &market.name);
        let mends = what_mends(&self.got);
        format!(
            "{name} refused it as `{file}`{why}, and gets it again only {IF_MENDED}, which shows once it is made; {mends}"
        )
    }

    /// Returns the market's words behind a colon, if there are any.
    pub fn why(&self) -> String {
        if self.reason.is_empty() { String::new() } else { format!(" ({})", self.reason) }
    }
}

/// Returns what mends a file that a market refused, and had got so.
pub fn what_mends(got: &Got) -> &'static str {
    match got.row {
        Some(_) => "change its tags or the file itself",
        None => {
            "change its picture, or tags that are in the file (what else the market was told of it is not on record: correct a \
             category, and all tags of models, WebM and MKV, in the portal)"
        }
    }
}

/// That a file goes to a market again which refused one of its asset.
#[derive(Debug)]
pub(super) struct Again {
    /// How that is told.
    pub(super) told: &'static str,
    /// What else is to be told of it, if that shows only once it is made.
    pub(super) unsure: Option<String>,
}

/// Returns how it is told that a market gets a file again that it refused: it must be another one by now. Another number
/// in its texts alone makes it none, as far as it is on record which number it had.
pub(super) fn mended(
    asset: &Asset<'_>,
    market: &Market,
    refusals: &[Refusal],
    (recipe, file): (&Recipe, &FileRecord),
    row: &RowDigest,
) -> Result<Again, NotTaken> {
    let meta_as = |number: u64| market::fit(market, &asset.tags_as_number(Some(number)).meta()).meta;
    let made_as = |number: u64| {
        let embedded = file.embedded.as_ref().map(|_| digest(&meta_as(number)));
        FileRecord { embedded, ..file.clone() }.fingerprint()
    };
    let bytes = match recipe {
        // Of what the same plan makes first nobody knows the bytes.
        Recipe::Same { hash, .. } => Some(hash).filter(|hash| **hash != ContentHash::of(b"")),
        _ => None,
    };
    let offered = |made| Offered { bytes, made, row };
    let same = |refusal: &Refusal| {
        let other = || refusal.refuse(&offered(made_as(refusal.number?)), But::Number);
        refusal.refuse(&offered(file.fingerprint()), But::Nothing).or_else(other)
    };
    if let Some(why) = refusals.iter().find_map(same) {
        return Err(NotTaken::new(Cause::Before, &why));
    }
    let mut of_bytes = refusals.iter().filter(|refusal| !refusal.has_another_row(&offered(None)));
    let has_number = || meta_as(asset.seq) != meta_as(asset.seq.wrapping_add(1));
    let is_unknown = of_bytes.clone().any(|refusal| refusal.number.is_none()) && has_number();
    let unsure = of_bytes.next_back().filter(|_| bytes.is_none()).map(|refusal| refusal.told_unsure(market));
    let told = match unsure {
        _ if is_unknown => MENDED_OR_NUMBERED,
        Some(_) => MENDED,
        None => SURELY_MENDED,
    };
    Ok(Again { told, unsure })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_goes_again_once_it_is_made_otherwise() {
        let hash = |text: &str| ContentHash::of(text.as_bytes());
        let row = |text: &str| RowDigest { tags: hash(text), told: hash(text) };
        let mends = "change its tags or the file itself";
        let unknown =
            "change its picture, or tags that are in the file (what else the market was told of it is not on record";
        // What the refused file was made of and what its row said; what is made now, its bytes where they are known, and what its
        // row says; and what mends it, if the market does not get it.
        let rows = [
            ((Some("a"), Some("1")), (Some("a"), None, "1"), Some(mends)),
            ((Some("a"), Some("1")), (Some("b"), None, "1"), None),
            ((Some("a"), Some("1")), (None, None, "1"), None),
            ((None, Some("1")), (Some("a"), None, "1"), None),
            // The category alone was mended.
            ((Some("a"), Some("1")), (Some("a"), None, "11"), None),
            ((Some("a"), None), (Some("a"), None, "11"), Some(unknown)),
            // What stays as it is need not be made to be compared.
            ((None, Some("1")), (Some("b"), Some("refused"), "1"), Some(mends)),
            ((None, Some("1")), (Some("b"), Some("refused"), "11"), None),
            ((None, None), (None, Some("refused"), "11"), Some(unknown)),
            ((None, Some("1")), (None, Some("other"), "1"), None),
        ];
        for (was, (made, bytes, says), expected) in rows {
            let file = RelPath::new("upload/2026-11-28/m/files/a.jpg").unwrap();
            let got = Got { hash: hash("refused"), row: was.1.map(row) };
            let made_of = was.0.map(hash).into_iter().collect();
            let refusal = Refusal { file, reason: "noise".to_owned(), got, made: made_of, number: None };
            let (bytes, row) = (bytes.map(hash), row(says));
            let offered = Offered { bytes: bytes.as_ref(), made: made.map(hash), row: &row };
            let why = refusal.refuse(&offered, But::Nothing);
            let start = "it refused it as `upload/2026-11-28/m/files/a.jpg` (noise), and would get the same again; ";
            let is_told = |mends: &str| why.as_ref().is_some_and(|why| why.starts_with(&format!("{start}{mends}")));
            assert!(expected.map_or(why.is_none(), is_told), "{was:?} {made:?} {says}: {why:?}");
        }
    }
}
