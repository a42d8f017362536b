use std::fmt;

use serde::Deserialize;

/// The colours that a picture is stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colours {
    /// What its values mean.
    pub space: ColourSpace,
    /// Whether it has greys alone.
    pub is_grey: bool,
}

/// What the values of a picture mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColourSpace {
    /// sRGB, which a picture without a profile is taken for.
    Srgb,
    /// Adobe RGB (1998).
    AdobeRgb,
    /// `ProPhoto` RGB.
    ProphotoRgb,
    /// Display P3.
    DisplayP3,
    /// Inks: CMYK.
    #[serde(skip)]
    Inks,
    /// What another profile says.
    #[serde(skip)]
    Other,
}

impl Colours {
    /// Those of a picture in sRGB that is not grey.
    pub const SRGB: Self = Self { space: ColourSpace::Srgb, is_grey: false };
}

impl fmt::Display for ColourSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Srgb => "sRGB",
            Self::AdobeRgb => "Adobe RGB",
            Self::ProphotoRgb => "ProPhoto RGB",
            Self::DisplayP3 => "Display P3",
            Self::Inks => "inks (CMYK)",
            Self::Other => "a profile of its own",
        })
    }
}
