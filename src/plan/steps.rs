//! The steps of a recipe, as far as pixels depend on settings by them.

use super::Rules;
use crate::market::Market;
use crate::model::{ByteRange, Enhance, Format, Kind, Profile, Size, Upscaler};
use crate::records::{Derivation, FileRecord, Origin, Step};

/// The steps of a recipe that give pixels by settings.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Steps {
    /// That of `keep`.
    pub(super) kept: Option<Step>,
    pub(super) encoded: Option<Step>,
}

impl Steps {
    /// Returns those of a recipe, if they are no others than one pass takes.
    pub(super) fn of(steps: &[Step]) -> Option<Self> {
        let by_settings: Vec<&Step> =
            steps.iter().filter(|step| !matches!(step, Step::Embedded | Step::Blanked)).collect();
        match by_settings[..] {
            [] => Some(Self::default()),
            [kept @ (Step::Enlarged { .. } | Step::Levelled(_))] => {
                Some(Self { kept: Some(kept.clone()), encoded: None })
            }
            [encoded @ Step::Encoded { .. }] => Some(Self { kept: None, encoded: Some(encoded.clone()) }),
            [kept @ (Step::Enlarged { .. } | Step::Levelled(_)), encoded @ Step::Encoded { .. }] => {
                Some(Self { kept: Some(kept.clone()), encoded: Some(encoded.clone()) })
            }
            _ => None,
        }
    }

    pub(super) fn derivation(&self) -> Derivation {
        Derivation::Steps(self.kept.iter().chain(&self.encoded).cloned().collect())
    }

    /// Returns the sizes before and after, if it was enlarged.
    pub(super) fn sizes(&self) -> Option<(Size, Size)> {
        match &self.kept {
            Some(Step::Enlarged { from, to, .. }) => Some((*from, *to)),
            _ => None,
        }
    }

    pub(super) fn upscaler(&self) -> Upscaler {
        match &self.kept {
            Some(Step::Enlarged { by, .. }) => by.clone(),
            _ => Upscaler::default(),
        }
    }

    pub(super) fn look(&self) -> Enhance {
        match self.kept {
            Some(Step::Enlarged { enhance, .. }) => enhance,
            Some(Step::Levelled(levels)) => Enhance { levels, ..Enhance::default() },
            _ => Enhance::default(),
        }
    }

    pub(super) fn format(&self) -> Option<Format> {
        match &self.encoded {
            Some(Step::Encoded { format, .. }) => Some(*format),
            _ => None,
        }
    }

    pub(super) fn bytes(&self) -> Option<ByteRange> {
        match &self.encoded {
            Some(Step::Encoded { bytes, .. }) => *bytes,
            _ => None,
        }
    }

    pub(super) fn quality(&self) -> Option<u8> {
        match self.encoded {
            Some(Step::Encoded { quality, .. }) => Some(quality),
            _ => None,
        }
    }

    /// Returns what gives other bytes by these steps than by others, in words.
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let background = |steps: &Self| match &steps.encoded {
            Some(Step::Encoded { background, scans, .. }) => Some((*background, *scans)),
            _ => None,
        };
        let all = [
            ("its size", self.sizes() != other.sizes()),
            ("what enlarges it", self.upscaler() != other.upscaler()),
            ("how it is sharpened or its levels", self.look() != other.look()),
            ("its format", self.format() != other.format()),
            ("its quality", self.quality() != other.quality()),
            ("its colour profile", self.profile() != other.profile()),
            ("how many bytes its markets take", self.bytes() != other.bytes()),
            ("its scans or what is behind it", background(self) != background(other)),
        ];
        all.into_iter().filter(|(_, is_other)| *is_other).map(|(what, _)| what).collect()
    }

    pub(super) fn profile(&self) -> Option<Profile> {
        match &self.encoded {
            Some(Step::Encoded { profile, .. }) => Some(*profile),
            _ => None,
        }
    }

    /// Returns whether it may be a market's own file: its limits of bytes are some of today that suit the market, and its
    /// colours are those of the settings, or made for a market that does not take all.
    pub(super) fn is_own_file_of(&self, market: Option<&Market>, rules: &Rules) -> bool {
        let (Some(bytes), Some(market)) = (self.bytes(), market) else { return false };
        if self.profile() != Some(rules.export.profile) && market.colour.is_none() {
            return false;
        }
        let market = market.byte_range();
        let ranges = || rules.markets.iter().map(Market::byte_range);
        bytes.min >= market.min
            && bytes.max <= market.max
            && ranges().any(|range| range.min == bytes.min)
            && ranges().any(|range| range.max == bytes.max)
    }

    /// Returns the steps with nothing in them that no pixel of a picture of this kind depends on.
    pub(super) fn that_matter(&self, of: Kind) -> Self {
        let mut matters = self.clone();
        if let Some(Step::Encoded { format, quality, background, .. }) = &mut matters.encoded {
            if *format != Format::Jpeg {
                *quality = 0;
            }
            if *format != Format::Jpeg || of == Kind::Jpeg {
                *background = None;
            }
        }
        if let Some(Step::Enlarged { by, .. }) = &mut matters.kept {
            *by = by.asked();
        }
        matters
    }

    /// Returns the steps with the same wish for a size of the file as others.
    pub(super) fn for_bytes_of(mut self, other: &Self) -> Self {
        if let (Some(Step::Encoded { bytes, .. }), Some(Step::Encoded { bytes: theirs, .. })) =
            (&mut self.encoded, &other.encoded)
        {
            *bytes = *theirs;
        }
        self
    }

    /// Returns the steps with the bytes and the colours of others, which a market's own file has.
    pub(super) fn for_market_of(self, other: &Self) -> Self {
        let mut steps = self.for_bytes_of(other);
        if let (Some(Step::Encoded { profile, .. }), Some(Step::Encoded { profile: theirs, .. })) =
            (&mut steps.encoded, &other.encoded)
        {
            *profile = *theirs;
        }
        steps
    }

    /// Returns the steps with the background of others, if they do not say theirs.
    pub(super) fn on_background_of(mut self, other: &Self) -> Self {
        if let (Some(Step::Encoded { background, .. }), Some(Step::Encoded { background: theirs, .. })) =
            (&mut self.encoded, &other.encoded)
        {
            *background = background.or(*theirs);
        }
        self
    }
}

/// Returns the steps by which a file was made, or why nobody can tell them.
pub(super) fn steps_of(record: &FileRecord, original: &Origin) -> Result<Steps, String> {
    if record.input.as_ref().is_some_and(|input| *input != original.hash) {
        return Err("it was made of another file than the original that its sidecar names".to_owned());
    }
    match &record.recipe {
        None if record.hash == original.hash => Ok(Steps::default()),
        None => Err("its sidecar does not say how it was made".to_owned()),
        Some(Derivation::Unknown(text)) => Err(format!("`{text}` is no recipe that this version knows")),
        Some(Derivation::Steps(steps)) => {
            Steps::of(steps).ok_or_else(|| "its steps are not those that are taken at once today".to_owned())
        }
    }
}
