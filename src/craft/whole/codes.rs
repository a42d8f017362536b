//! Looks at those parts of an MP4 or MOV that players read by codes and numbers, and programs may write words into.

use std::collections::BTreeSet;
use std::io::{Read, Seek};
use std::ops::Range;

use super::boxes::{elsewhere, lies_elsewhere};
use super::edit::Edit;
use super::needed::{self, emptied};
use super::{CraftError, PIECE_BYTES, Source, cut};
use crate::craft::color::public_profile;
use crate::craft::icc_public::padded;
use crate::craft::picture::PROFILE_BYTES_MAX;

/// The most bytes of brands that stay.
const BRANDS_BYTES_MAX: u64 = 4096;
/// The most names of unknown parts that are told.
pub(super) const NAMES_MAX: usize = 8;
/// What a person calls what goes.
const PROFILE: &str = "a colour profile that has parts that are not known here";
const COLOURS: &str = "a word on its colours in a form that is not known here";

/// Blanks what is no code of a kind of file.
pub(super) fn brands<R: Read + Seek>(source: &mut Source<R>, content: Range<u64>) -> Result<Option<Edit>, CraftError> {
    let before = source.up_to(content.start, BRANDS_BYTES_MAX.min(content.end - content.start))?;
    blanked(source, content, &before, &needed::brands(&before))
}

/// Empties references to the file itself: that of a Mac has the path where it once lay.
pub(super) fn references<R: Read + Seek>(
    source: &mut Source<R>,
    content: Range<u64>,
) -> Result<Option<Edit>, CraftError> {
    let unclear = || cut("the video does not say clearly in which files its content lies");
    if content.end - content.start > PIECE_BYTES {
        return Err(unclear());
    }
    let before = source.up_to(content.start, content.end - content.start)?;
    if let Some(place) = elsewhere(&before) {
        return Err(lies_elsewhere(&place));
    }
    blanked(source, content, &before, &emptied(&before).ok_or_else(unclear)?)
}

/// Returns how of a content that begins in one way these bytes stay, and nothing behind them; `None` if it is so.
fn blanked<R: Read + Seek>(
    source: &mut Source<R>,
    content: Range<u64>,
    before: &[u8],
    after: &[u8],
) -> Result<Option<Edit>, CraftError> {
    let is_same = before.starts_with(after) && source.is_zeros(content.start + after.len() as u64..content.end)?;
    Ok((!is_same).then(|| Edit::blank(content, after)))
}

/// Leaves of a profile what turns colours; one that cannot be read, and what says in another way than by codes which colours
/// are meant, goes (ISO/IEC 14496-12, 12.1.5). Also returns what a person calls that.
pub(super) fn colours<R: Read + Seek>(
    source: &mut Source<R>,
    at: u64,
    content: Range<u64>,
) -> Result<(Vec<Edit>, Option<&'static str>), CraftError> {
    let kind = source.up_to(content.start, 4.min(content.end - content.start))?;
    let place = content.start + kind.len() as u64..content.end;
    let gone = |content, title| Ok((Edit::freed(at, content).into(), Some(title)));
    match &kind[..] {
        b"nclx" | b"nclc" => Ok((Vec::new(), None)),
        b"prof" | b"rICC" if place.end - place.start <= PROFILE_BYTES_MAX as u64 => {
            let before = source.up_to(place.start, place.end - place.start)?;
            match public_profile(&before).and_then(|profile| padded(profile, before.len())) {
                Some(after) if after == before => Ok((Vec::new(), None)),
                Some(after) => Ok((vec![Edit::blank(place, &after)], None)),
                None => gone(content, PROFILE),
            }
        }
        b"prof" | b"rICC" => gone(content, PROFILE),
        _ => gone(content, COLOURS),
    }
}

/// Returns what is told of parts of descriptions of samples that stay, and of which nobody here can tell what they say.
pub(super) fn unknown_parts(names: &BTreeSet<Vec<u8>>) -> Option<String> {
    let others = (names.len() > NAMES_MAX).then(|| "and others".to_owned());
    let told = names.iter().take(NAMES_MAX).map(|name| name.escape_ascii().to_string());
    let told: Vec<String> = told.chain(others).collect();
    (!told.is_empty()).then(|| {
        format!(
            "what describes its pictures and sound goes along with parts that are not known here: {}",
            told.join(", ")
        )
    })
}
