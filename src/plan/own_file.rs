//! A file of its own for a market whose limits of bytes or colours the finished file misses: made again from the original, since
//! a JPEG that is encoded once more gets worse.

use super::asset::Asset;
use super::steps::{Steps, steps_of};
use super::tags::digest;
use super::{BundleFolder, Recipe, Rules, export};
use crate::config::ExportSettings;
use crate::market::{self, Candidate, Market};
use crate::model::{ByteRange, Colours, Format, Profile, Render, Stage, Upscaler};
use crate::records::{Derivation, FileRecord, Sidecar};

/// How a market takes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// As it is.
    AsItIs,
    /// Encoded anew from its original, if that can be.
    Anew,
}

/// How the history of a market's own file begins to say how it was made.
const ANEW: &str = "encoded anew from the original";

/// Returns whether a sidecar is that of a market's own file. That is no finished file for any other market: it was
/// made smaller, or lost colours, for limits that the others do not have.
pub fn is_own_file(sidecar: &Sidecar) -> bool {
    let of_upload = sidecar.history.iter().rev().take_while(|line| line.stage == Stage::Upload);
    steps_of_own(sidecar).is_some_and(|steps| steps.bytes().is_some())
        && of_upload.into_iter().any(|line| line.did.contains(ANEW))
}

/// Returns whether a sidecar is that of the finished file in whose place a market got its own one: it was made of the
/// same original by the same settings.
pub fn is_finished_of(sidecar: &Sidecar, own: &Sidecar) -> bool {
    let original = |sidecar: &Sidecar| sidecar.original().map(|original| original.hash.clone());
    let (Some(steps), Some(of_own)) = (steps_of_own(sidecar), steps_of_own(own)) else { return false };
    !is_own_file(sidecar) && original(sidecar) == original(own) && steps.for_market_of(&of_own) == of_own
}

fn steps_of_own(sidecar: &Sidecar) -> Option<Steps> {
    steps_of(sidecar.file.as_ref()?, sidecar.original()?).ok()
}

/// Returns whether a file is offered that another market's bundle has for its own.
pub(super) fn is_of_another(asset: &Asset<'_>) -> bool {
    BundleFolder::is_file(&asset.facts.path) && is_own_file(&asset.sidecar)
}

/// Returns how a market takes a file, if it does. Encoding may give another number of bytes, and other colours.
pub fn how_taken(market: &Market, candidate: &Candidate, is_own: bool) -> Option<Taken> {
    if !is_own && market::check(market, candidate).is_empty() {
        return Some(Taken::AsItIs);
    }
    let fitting = encoded_anew(market, candidate)?;
    market::check(market, &fitting).is_empty().then_some(Taken::Anew)
}

/// Returns a picture as a market's own file would have it, where encoding can mend all that it can.
pub(super) fn encoded_anew(market: &Market, candidate: &Candidate) -> Option<Candidate> {
    let fitting = || Candidate { bytes: market.bytes.min, colours: Some(Colours::SRGB), ..candidate.clone() };
    candidate.kind.is_image().then(fitting)
}

/// Returns whether a market's own file may be made of a bundled one, as far as its sidecar tells. What no quality gave when
/// it was finished, none gives later: nothing need be read for that.
pub fn may_be_made(sidecar: &Sidecar, market: &Market, bytes: u64) -> bool {
    let (Some(file), Some(original)) = (&sidecar.file, sidecar.original()) else { return false };
    let steps = steps_of(file, original).ok().filter(|steps| steps.format() == Some(Format::Jpeg));
    let Some(steps) = steps.filter(|_| original.archived.is_some()) else { return false };
    let missed = steps.bytes().filter(|range| !range.holds(bytes));
    missed.is_none_or(|missed| !is_missed_too(&market.byte_range(), missed, bytes))
}

/// Returns how a market's own file is made, by the steps of the finished one, its record, and what its history says; or why
/// that cannot be.
pub(super) fn own_file(
    asset: &Asset<'_>,
    market: &Market,
    candidate: &Candidate,
) -> Result<(Recipe, FileRecord, String), String> {
    let (sidecar, rules, meta) = (&asset.sidecar, asset.context.rules, &candidate.meta);
    let stays = "it stays as it is, since stockmill did not make it of a picture of other bytes";
    let (Some(file), Some(original)) = (&sidecar.file, sidecar.original()) else { return Err(stays.to_owned()) };
    let steps = steps_of(file, original).ok().filter(|steps| steps.format() == Some(Format::Jpeg)).ok_or(stays)?;
    let missed = steps.bytes().filter(|range| !range.holds(asset.facts.seen.size));
    // This comes first: the original of what no quality gives so many bytes nobody looks for.
    let range = wanted(asset, market, missed)?;
    let archived = original.archived.as_ref().filter(|_| asset.facts.has_original);
    let archived = archived.ok_or("it cannot be made again, since its original is not in the archive")?;
    let by = steps.upscaler();
    is_there(&by, rules)?;
    // What colours the original has, another market's own file does not tell.
    let colours = asset.facts.colours.filter(|_| !is_of_another(asset));
    let is_in_its_colours = takes_colours(market, colours);
    let profile = if is_in_its_colours { rules.export.profile } else { Profile::Srgb };
    let of_profile = ExportSettings { profile, ..rules.export.clone() };
    let (output, encoded) = export::encoding_of_bytes(&of_profile, Format::Jpeg, Some(range), meta.clone());
    let size = steps.sizes().map(|(_, to)| to);
    let render = Render { size, by, enhance: steps.look(), output, threads: 1 };
    let recipe = Recipe::Render { from: archived.clone(), kind: original.kind, render };
    let derivation = Derivation::Steps(steps.kept.into_iter().chain([encoded]).collect());
    // Of what another market's own file was made of the colours are not known, and only a profile that is kept matters.
    let is_for_colours = !is_in_its_colours && (!is_of_another(asset) || rules.export.profile != Profile::Srgb);
    let is_for_bytes = is_of_another(asset) || !market.byte_range().holds(asset.facts.seen.size);
    let how = match (is_for_colours, is_for_bytes) {
        (true, true) => "in sRGB and for its limits of bytes",
        (true, false) => "in sRGB",
        (false, _) => "for its limits of bytes",
    };
    let file = FileRecord::of_derived(Some(original.hash.clone()), derivation, Some(digest(meta)));
    Ok((recipe, file, format!("{ANEW} {how}, and ")))
}

/// Refuses to make a file again whose picture was enlarged by what cannot be used any more.
fn is_there(by: &Upscaler, rules: &Rules) -> Result<(), String> {
    let gone = match by {
        Upscaler::Brought { name, hash } if rules.nets.get(name).is_none_or(|net| net.as_ref() != Ok(hash)) => {
            let file = name.file();
            format!(
                "the neural net that enlarged its picture, `{file}`, is not there any more or was replaced; put it back"
            )
        }
        Upscaler::Command(_) if rules.keep.command.is_none() => {
            "the settings name no program any more that enlarges pictures, as `keep.command` did for this one"
                .to_owned()
        }
        _ => return Ok(()),
    };
    Err(format!("it cannot be made again from its original: {gone}"))
}

fn takes_colours(market: &Market, colours: Option<Colours>) -> bool {
    market.colour.as_ref().is_none_or(|limit| limit.refuse(colours).is_none())
}

/// Returns how many bytes it is to have: what suits all markets whose limits the finished file misses, as long as nobody
/// knows that no quality gives it, else what suits this one. What the finished file was to have and `missed`, none gave.
fn wanted(asset: &Asset<'_>, market: &Market, missed: Option<ByteRange>) -> Result<ByteRange, String> {
    let (bytes, source_type) = (asset.facts.seen.size, asset.tags().meta().source_type);
    let unfit = |range: &ByteRange| match missed.filter(|missed| is_missed_too(range, *missed, bytes)) {
        Some(missed) => Some(format!("no quality that was tried gave it {missed}")),
        None => asset.context.unfit.iter().find(|(unfit, _)| is_part(range, unfit)).map(|(_, why)| why.clone()),
    };
    let own = market.byte_range();
    let misses = |other: &&Market| {
        if is_of_another(asset) {
            // Its bytes say nothing of those of the finished one.
            return false;
        }
        let range = other.byte_range();
        let is_missed = !range.holds(bytes) || !takes_colours(other, asset.facts.colours);
        is_missed && unfit(&range).is_none() && market::never(other, asset.kind, source_type).is_empty()
    };
    let all = asset.context.rules.markets.iter().filter(misses).fold(own, |range, other| {
        let other = other.byte_range();
        ByteRange { min: range.min.max(other.min), max: range.max.min(other.max) }
    });
    let found = [all, own].into_iter().find(|range| range.min <= range.max && unfit(range).is_none());
    found.ok_or_else(|| unfit(&own).unwrap_or_default())
}

/// From one quality to the next a JPEG grows by less.
const LEAP_MOST: u64 = 4;

/// Returns whether no quality gives so many bytes either, if none gave a file of `bytes` those that were `missed`.
fn is_missed_too(range: &ByteRange, missed: ByteRange, bytes: u64) -> bool {
    let is_wide = missed.max / LEAP_MOST >= missed.min;
    let is_beyond = bytes < missed.min && range.min >= missed.min || bytes > missed.max && range.max <= missed.max;
    is_part(range, &missed) || is_wide && is_beyond
}

fn is_part(range: &ByteRange, of: &ByteRange) -> bool {
    of.min <= range.min && range.max <= of.max
}
