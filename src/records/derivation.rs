use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{ByteRange, Enhance, Format, Profile, Scans, Size, Strength, Upscaler};

/// The version of the steps that this program takes. A step that comes to give other pixels raises it.
const VERSION: u32 = 1;
/// What is written of colours that were converted to sRGB, and of those that stayed.
const SRGB: &str = "sRGB";
const OWN: &str = "own-profile";
/// What is written of a JPEG in several scans.
const PROGRESSIVE: &str = "progressive-JPEG";
/// What is written of a picture's look.
const SHARPEN: &str = "sharpen";
const LEVELS: &str = "levels";
/// What stands between two steps.
const THEN: &str = "; ";

/// How a file was derived from the origin, as a person can read it in the sidecar:
/// `lanczos 1024x1024 to 2050x2050 sharpen low; JPEG quality 95 sRGB (version 1)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Derivation {
    /// These steps, one after the other. A sidecar of before they had a version names the last one alone.
    Steps(Vec<Step>),
    /// Words that nobody here knows, of a newer program or a person's: they stay as they are.
    Unknown(String),
}

/// One step from the origin to a derived file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It was enlarged, and written as PNG.
    Enlarged {
        /// What enlarged it.
        by: Upscaler,
        /// Its size before.
        from: Size,
        /// Its size afterwards.
        to: Size,
        /// What was done for its look.
        enhance: Enhance,
    },
    /// Its levels were set in its own size, and it was written as PNG.
    Levelled(Strength),
    /// It was encoded.
    Encoded {
        /// The format.
        format: Format,
        /// JPEG quality.
        quality: u8,
        /// Whether its colours were converted to sRGB.
        profile: Profile,
        /// How many bytes it was to have, by another quality if it had to be.
        bytes: Option<ByteRange>,
        /// In which scans a JPEG is stored.
        scans: Scans,
        /// What a JPEG shows where its source is transparent; `None` for another format, and where a sidecar of before
        /// that was written does not say it.
        background: Option<[u8; 3]>,
    },
    /// What it said beside its streams was blanked.
    Blanked,
    /// It got other metadata, and its pixels stayed.
    Embedded,
}

impl Derivation {
    /// Returns how a file is derived that one more step is made of; `before` is how its source was.
    pub fn after(before: Option<&Self>, step: Step) -> Self {
        match before {
            None => Self::Steps(vec![step]),
            Some(Self::Steps(steps)) => Self::Steps(steps.iter().cloned().chain([step]).collect()),
            Some(Self::Unknown(text)) => Self::Unknown(format!("{text}{THEN}{step}")),
        }
    }

    /// Returns whether this program can take the steps again. Of words that it does not know nobody can tell.
    pub fn can_remake(&self) -> bool {
        matches!(self, Self::Steps(_))
    }

    /// Returns it with what really enlarged it.
    #[must_use]
    pub fn enlarged_by(mut self, really: &Upscaler) -> Self {
        if let Self::Steps(steps) = &mut self {
            for step in steps {
                if let Step::Enlarged { by, .. } = step
                    && by.asked() == really.asked()
                {
                    *by = really.clone();
                }
            }
        }
        self
    }

    /// Returns whether its levels were set in one of the steps.
    pub fn has_levels(&self) -> bool {
        let sets = |step: &Step| match step {
            Step::Enlarged { enhance, .. } => enhance.levels != Strength::Off,
            Step::Levelled(_) => true,
            Step::Encoded { .. } | Step::Blanked | Step::Embedded => false,
        };
        matches!(self, Self::Steps(steps) if steps.iter().any(sets))
    }

    fn parse(text: &str) -> Option<Self> {
        let (steps, version) = match text.strip_suffix(')').and_then(|text| text.rsplit_once(" (version ")) {
            Some((steps, version)) => (steps, version.parse().ok()?),
            None => (text, VERSION),
        };
        let steps: Option<Vec<Step>> = steps.split(THEN).map(|step| step.parse().ok()).collect();
        steps.filter(|_| version == VERSION).map(Self::Steps)
    }
}

impl From<String> for Derivation {
    fn from(text: String) -> Self {
        Self::parse(&text).unwrap_or(Self::Unknown(text))
    }
}

impl From<Derivation> for String {
    fn from(derivation: Derivation) -> Self {
        match derivation {
            Derivation::Unknown(text) => text,
            Derivation::Steps(_) => format!("{derivation} (version {VERSION})"),
        }
    }
}

impl fmt::Display for Derivation {
    /// Writes the steps alone, without their version.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(text) => f.write_str(text),
            Self::Steps(steps) => {
                let steps: Vec<String> = steps.iter().map(Step::to_string).collect();
                f.write_str(&steps.join(THEN))
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enlarged { by, from, to, enhance: Enhance { sharpen, levels } } => {
                write!(f, "{by} {from} to {to}")?;
                let done = [(SHARPEN, sharpen), (LEVELS, levels)].into_iter().filter(|(_, how)| **how != Strength::Off);
                done.into_iter().try_for_each(|(what, how)| write!(f, " {what} {how}"))
            }
            Self::Levelled(strength) => write!(f, "{LEVELS} {strength}"),
            Self::Encoded { format, quality, profile, bytes, scans, background } => {
                let profile = if *profile == Profile::Srgb { SRGB } else { OWN };
                let title = if *scans == Scans::Progressive { PROGRESSIVE } else { format.title() };
                write!(f, "{title} quality {quality} {profile}")?;
                bytes.iter().try_for_each(|ByteRange { min, max }| write!(f, " {min} to {max} bytes"))?;
                background.map_or(Ok(()), |[red, green, blue]| write!(f, " on #{red:02x}{green:02x}{blue:02x}"))
            }
            Self::Blanked => f.write_str("metadata blanked"),
            Self::Embedded => f.write_str("embedded"),
        }
    }
}

impl FromStr for Step {
    /// It is no step that this program takes.
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (text, background) = match text.rsplit_once(" on ") {
            Some((text, colour)) => (text, Some(read_colour(colour).ok_or(())?)),
            None => (text, None),
        };
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            [title, ..] if background.is_some() && title != Format::Jpeg.title() && title != PROGRESSIVE => Err(()),
            [LEVELS, strength] => Strength::named(strength).map(Self::Levelled).ok_or(()),
            [title, "quality", quality, profile @ (SRGB | OWN), ref bytes @ ..] => {
                let bytes = match *bytes {
                    [] => None,
                    [min, "to", max, "bytes"] => {
                        Some(ByteRange { min: min.parse().map_err(drop)?, max: max.parse().map_err(drop)? })
                    }
                    _ => return Err(()),
                };
                let profile = if profile == SRGB { Profile::Srgb } else { Profile::Keep };
                let known = |format: &Format| format.title() == title;
                let (format, scans) = match title {
                    PROGRESSIVE => (Format::Jpeg, Scans::Progressive),
                    _ => (Format::ALL.into_iter().find(known).ok_or(())?, Scans::Baseline),
                };
                Ok(Self::Encoded { format, quality: quality.parse().map_err(drop)?, profile, bytes, scans, background })
            }
            ["metadata", "blanked"] => Ok(Self::Blanked),
            ["embedded"] => Ok(Self::Embedded),
            ref words => {
                let (by, sizes) = Upscaler::read(words).ok_or(())?;
                enlarged(by, sizes).ok_or(())
            }
        }
    }
}

/// Returns the step that made a size another one; `None` if it is not in these words.
fn enlarged(by: Upscaler, words: &[&str]) -> Option<Step> {
    let size = |text: &str| {
        let (width, height) = text.split_once('x')?;
        Some(Size { width: width.parse().ok()?, height: height.parse().ok()? })
    };
    let [from, "to", to, done @ ..] = words else { return None };
    Some(Step::Enlarged { by, from: size(from)?, to: size(to)?, enhance: enhanced(done)? })
}

/// Returns what was done for a picture's look; `None` if it is not in these words.
fn enhanced(done: &[&str]) -> Option<Enhance> {
    let (pairs, []) = done.as_chunks() else { return None };
    let mut enhance = Enhance::default();
    for [what, strength] in pairs {
        let slot = match *what {
            SHARPEN => &mut enhance.sharpen,
            LEVELS => &mut enhance.levels,
            _ => return None,
        };
        *slot = Strength::named(strength)?;
    }
    Some(enhance)
}

/// Reads `#rrggbb`.
fn read_colour(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let channel = |n: usize| u8::from_str_radix(&digits[n..n + 2], 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dial, Restore, Took};

    const ENLARGED: Step = enlarged(Strength::Off, Strength::Off);
    const BY_NET: Step = by(Upscaler::Neural(FIFTY));
    const CHOSEN: Step = by(Upscaler::Auto { dial: FOUND, took: Some(Took::Neural) });
    const FIFTY: Dial = Dial { asked: Restore::Fixed(50), found: None };
    const FOUND: Dial = Dial { asked: Restore::Auto, found: Some(80) };
    const ENCODED: Step = Step::Encoded {
        format: Format::Webp,
        quality: 95,
        profile: Profile::Srgb,
        bytes: None,
        scans: Scans::Baseline,
        background: None,
    };
    const OWN_COLOURS: Step = Step::Encoded {
        format: Format::Tiff,
        quality: 80,
        profile: Profile::Keep,
        bytes: None,
        scans: Scans::Baseline,
        background: None,
    };
    const FITTED: Step = Step::Encoded {
        format: Format::Jpeg,
        quality: 95,
        profile: Profile::Srgb,
        bytes: Some(ByteRange { min: 1, max: 45_000_000 }),
        scans: Scans::Progressive,
        background: Some([0xff; 3]),
    };
    const ON_RED: Step = Step::Encoded {
        format: Format::Jpeg,
        quality: 90,
        profile: Profile::Srgb,
        bytes: None,
        scans: Scans::Baseline,
        background: Some([0xff, 0, 0x0a]),
    };

    const fn by(by: Upscaler) -> Step {
        let (from, to) = (Size { width: 10, height: 20 }, Size { width: 30, height: 60 });
        Step::Enlarged { by, from, to, enhance: Enhance { sharpen: Strength::Off, levels: Strength::Off } }
    }

    const fn enlarged(sharpen: Strength, levels: Strength) -> Step {
        let (from, to) = (Size { width: 10, height: 20 }, Size { width: 30, height: 60 });
        Step::Enlarged { by: Upscaler::Lanczos, from, to, enhance: Enhance { sharpen, levels } }
    }

    #[test]
    fn steps_are_read_and_all_else_stays_word_for_word() {
        // The text, the steps in it, and the text that is written.
        let instead = by(Upscaler::Instead(Box::new(Upscaler::Neural(FIFTY))));
        let cases: [(&str, &[Step], &str); 14] = [
            ("JPEG quality 90 sRGB on #ff000a (version 1)", &[ON_RED], "JPEG quality 90 sRGB on #ff000a (version 1)"),
            ("TIFF quality 80 own-profile", &[OWN_COLOURS], "TIFF quality 80 own-profile (version 1)"),
            (
                "progressive-JPEG quality 95 sRGB 1 to 45000000 bytes on #ffffff",
                &[FITTED],
                "progressive-JPEG quality 95 sRGB 1 to 45000000 bytes on #ffffff (version 1)",
            ),
            // Before they had a version.
            ("lanczos 10x20 to 30x60", &[ENLARGED], "lanczos 10x20 to 30x60 (version 1)"),
            ("neural 50 10x20 to 30x60", &[BY_NET], "neural 50 10x20 to 30x60 (version 1)"),
            (
                "lanczos-instead-of-neural 50 10x20 to 30x60",
                &[instead],
                "lanczos-instead-of-neural 50 10x20 to 30x60 (version 1)",
            ),
            ("auto=neural auto=80 10x20 to 30x60", &[CHOSEN], "auto=neural auto=80 10x20 to 30x60 (version 1)"),
            ("WebP quality 95 sRGB", &[ENCODED], "WebP quality 95 sRGB (version 1)"),
            (
                "lanczos 10x20 to 30x60 sharpen low",
                &[enlarged(Strength::Low, Strength::Off)],
                "lanczos 10x20 to 30x60 sharpen low (version 1)",
            ),
            (
                "lanczos 10x20 to 30x60 sharpen high levels medium (version 1)",
                &[enlarged(Strength::High, Strength::Medium)],
                "lanczos 10x20 to 30x60 sharpen high levels medium (version 1)",
            ),
            ("levels high", &[Step::Levelled(Strength::High)], "levels high (version 1)"),
            ("metadata blanked", &[Step::Blanked], "metadata blanked (version 1)"),
            ("embedded", &[Step::Embedded], "embedded (version 1)"),
            (
                "lanczos 10x20 to 30x60; WebP quality 95 sRGB (version 1)",
                &[ENLARGED, ENCODED],
                "lanczos 10x20 to 30x60; WebP quality 95 sRGB (version 1)",
            ),
        ];
        for (text, steps, written) in cases {
            let read = Derivation::from(text.to_owned());
            assert_eq!(read, Derivation::Steps(steps.to_vec()), "{text}");
            assert!(read.can_remake(), "{text}");
            assert_eq!(String::from(read), written);
        }
        for text in [
            "",
            "JPEG",
            "AVIF quality 95 sRGB",
            "lanczos 10x20 to 30x60 (version 2)",
            "net-4 10x20 to 30x60; WebP quality 95 sRGB (version 1)",
            "lanczos 10x20 to 30x60, then by hand",
            "lanczos 10x20 to 30x60 sharpen",
            "neural 101 10x20 to 30x60",
            "lanczos 10x20 to 30x60 sharpen strong",
            "lanczos 10x20 to 30x60 denoise low",
            "WebP quality 256 sRGB",
            "JPEG quality 95 sRGB 1 to many bytes",
            "JPEG quality 95 sRGB 45000000 bytes",
            "WebP quality 90 sRGB on #ff000a",
            "JPEG quality 90 sRGB on #ff00",
            "JPEG quality 90 sRGB on white",
        ] {
            let read = Derivation::from(text.to_owned());
            assert!(!read.can_remake(), "{text}");
            assert_eq!(String::from(read), text);
        }
    }

    #[test]
    fn a_step_is_taken_after_those_before() {
        let first = Derivation::after(None, ENLARGED);
        let second = Derivation::after(Some(&first), ENCODED);
        assert_eq!(second, Derivation::Steps(vec![ENLARGED, ENCODED]));
        let unknown = Derivation::after(Some(&Derivation::from("by hand".to_owned())), ENCODED);
        assert_eq!(unknown, Derivation::Unknown("by hand; WebP quality 95 sRGB".to_owned()));
        assert_eq!(Derivation::from(String::from(unknown.clone())), unknown);
    }
}
