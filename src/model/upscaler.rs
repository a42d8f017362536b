use std::fmt;
use std::str::FromStr;

use super::{ContentHash, NetName, ProgramStep, Restore, Size};

/// What stands before what did not look like its source.
const INSTEAD_OF: &str = "lanczos-instead-of-";
/// How it is told that the sinc took the place of what did not look like its source.
pub const INSTEAD: &str = "enlarged by lanczos instead";
/// What stands before what was found to suit a picture.
const FOUND: &str = "auto=";
/// What stands before what a program did.
const COMMAND: &str = "command";
/// Where a picture is enlarged less than so many times, a net adds nothing that is worth its time.
const NET_SCALE_MIN: f64 = 1.5;
/// How much a net restores if nobody said it, and no look was taken.
const USUAL: u8 = 50;

/// What enlarges a picture: what was asked for, and once it is made what was found to suit it.
///
/// It is written in some words: `lanczos`, `neural 50`, `neural auto=80`, `auto`, `auto=neural auto=80`,
/// `auto=lanczos`, `command realesrgan x4 1f2e3d4c`, `lanczos-instead-of-neural 50`, and for a net that somebody brought
/// `model NAME HASH`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Upscaler {
    /// A windowed sinc with three lobes.
    #[default]
    Lanczos,
    /// The neural net that comes with stockmill.
    Neural(Dial),
    /// One of both, as it suits a picture.
    Auto {
        /// How much the net restores, if it is the net.
        dial: Dial,
        /// Which it was, once the picture is made.
        took: Option<Took>,
    },
    /// A net that somebody brought.
    Brought {
        /// What it is called.
        name: NetName,
        /// The hash of its file: another file is another net.
        hash: ContentHash,
    },
    /// The program of a person's own, and the sinc from there to the size that is wanted.
    Command(ProgramStep),
    /// The sinc, since what this one made did not look like its source.
    Instead(Box<Self>),
}

/// How much a net restores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dial {
    /// What was asked for.
    pub asked: Restore,
    /// What was found to suit a picture, if that was asked for, and it is made.
    pub found: Option<u8>,
}

/// What was found to suit a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Took {
    /// The sinc.
    Lanczos,
    /// The neural net.
    Neural,
}

impl From<Restore> for Dial {
    fn from(asked: Restore) -> Self {
        Self { asked, found: None }
    }
}

impl Dial {
    /// Returns how much the net restores, 0 to 100.
    pub fn value(self) -> u8 {
        match self.asked {
            Restore::Fixed(value) => value,
            Restore::Auto => self.found.unwrap_or(USUAL),
        }
    }
}

impl Upscaler {
    /// What is told of a picture that is enlarged so little that a choice takes no net.
    pub const TOO_LITTLE: &str = "since it is enlarged less than 1.5 times";

    /// Returns whether a picture is enlarged so much that a choice may take a net.
    pub fn suits_net(from: Size, to: Size) -> bool {
        f64::from(to.width) >= f64::from(from.width) * NET_SCALE_MIN
    }

    /// Returns what takes its place where its result is none.
    pub fn instead(&self) -> Option<Self> {
        self.is_slow().then(|| Self::Instead(Box::new(self.clone())))
    }

    /// Returns whether it takes so long that nothing else may wait for it, and may fail.
    pub fn is_slow(&self) -> bool {
        self.may_use_net() || matches!(self, Self::Command(_))
    }

    /// Returns whether a neural net is at work, or may be.
    pub fn may_use_net(&self) -> bool {
        matches!(self, Self::Neural(_) | Self::Brought { .. } | Self::Auto { took: None | Some(Took::Neural), .. })
    }

    /// Returns what was asked for.
    #[must_use]
    pub fn asked(&self) -> Self {
        match self {
            Self::Lanczos | Self::Brought { .. } => self.clone(),
            Self::Neural(dial) => Self::Neural(dial.asked.into()),
            Self::Auto { dial, .. } => Self::Auto { dial: dial.asked.into(), took: None },
            Self::Command(step) => Self::Command(step.clone()),
            Self::Instead(inner) => inner.asked(),
        }
    }

    /// Reads it at the start of words; returns what stands behind it.
    pub fn read<'a>(words: &'a [&'a str]) -> Option<(Self, &'a [&'a str])> {
        let (first, rest) = words.split_first()?;
        if let Some(inner) = first.strip_prefix(INSTEAD_OF) {
            let inner: Vec<&str> = [inner].into_iter().chain(rest.iter().copied()).collect();
            let (inner, left) = Self::read(&inner)?;
            let left = &rest[rest.len() - left.len()..];
            return inner.is_slow().then(|| (Self::Instead(Box::new(inner)), left));
        }
        if let ["model", name, hash, left @ ..] = words {
            let hash = ContentHash::try_from((*hash).to_owned()).ok()?;
            return Some((Self::Brought { name: NetName::new(name).ok()?, hash }, left));
        }
        let (dial, behind) = match rest.split_first().map(|(word, behind)| (word.parse::<Dial>(), behind)) {
            Some((Ok(dial), behind)) => (dial, behind),
            _ => (Restore::Auto.into(), rest),
        };
        match *first {
            "lanczos" => Some((Self::Lanczos, rest)),
            COMMAND => ProgramStep::read(rest).map(|(step, behind)| (Self::Command(step), behind)),
            "neural" => Some((Self::Neural(dial), behind)),
            "auto" => Some((Self::Auto { dial, took: None }, behind)),
            "auto=lanczos" => Some((Self::Auto { dial, took: Some(Took::Lanczos) }, behind)),
            "auto=neural" => Some((Self::Auto { dial, took: Some(Took::Neural) }, behind)),
            _ => None,
        }
    }
}

impl FromStr for Dial {
    /// It is none.
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let value = |text: &str| text.parse().ok().filter(|value| *value <= 100).ok_or(());
        match text.strip_prefix(FOUND) {
            Some(found) => Ok(Self { asked: Restore::Auto, found: Some(value(found)?) }),
            None => Ok(Restore::Fixed(value(text)?).into()),
        }
    }
}

impl fmt::Display for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.asked, self.found) {
            (Restore::Fixed(value), _) => write!(f, " {value}"),
            (Restore::Auto, Some(found)) => write!(f, " {FOUND}{found}"),
            (Restore::Auto, None) => Ok(()),
        }
    }
}

impl fmt::Display for Upscaler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lanczos => f.write_str("lanczos"),
            Self::Neural(dial) => write!(f, "neural{dial}"),
            Self::Brought { name, hash } => write!(f, "model {name} {hash}"),
            Self::Auto { dial, took: None } => write!(f, "auto{dial}"),
            Self::Auto { dial, took: Some(Took::Lanczos) } => write!(f, "{FOUND}lanczos{dial}"),
            Self::Auto { dial, took: Some(Took::Neural) } => write!(f, "{FOUND}neural{dial}"),
            Self::Command(step) => write!(f, "{COMMAND} {step}"),
            Self::Instead(inner) => write!(f, "{INSTEAD_OF}{inner}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        let fixed = |value| Dial::from(Restore::Fixed(value));
        let found = |value| Dial { asked: Restore::Auto, found: Some(value) };
        let (asked, auto) = (Dial::from(Restore::Auto), |dial, took| Upscaler::Auto { dial, took });
        let program = ProgramStep::read(&["a-b", "x4", "01234567"]).unwrap().0;
        // The text; it; what was asked for.
        let rows = [
            ("lanczos", Upscaler::Lanczos, "lanczos"),
            ("neural 50", Upscaler::Neural(fixed(50)), "neural 50"),
            ("neural", Upscaler::Neural(asked), "neural"),
            ("neural auto=80", Upscaler::Neural(found(80)), "neural"),
            ("auto", auto(asked, None), "auto"),
            ("auto 30", auto(fixed(30), None), "auto 30"),
            ("auto=neural auto=100", auto(found(100), Some(Took::Neural)), "auto"),
            ("auto=neural 0", auto(fixed(0), Some(Took::Neural)), "auto 0"),
            ("auto=lanczos", auto(asked, Some(Took::Lanczos)), "auto"),
            ("command a-b x4 01234567", Upscaler::Command(program.clone()), "command a-b x4 01234567"),
            (
                "lanczos-instead-of-command a-b x4 01234567",
                Upscaler::Instead(Box::new(Upscaler::Command(program))),
                "command a-b x4 01234567",
            ),
            ("lanczos-instead-of-neural 50", Upscaler::Instead(Box::new(Upscaler::Neural(fixed(50)))), "neural 50"),
            (
                "lanczos-instead-of-auto=neural auto=7",
                Upscaler::Instead(Box::new(auto(found(7), Some(Took::Neural)))),
                "auto",
            ),
        ];
        let hash = ContentHash::of(b"a net");
        let brought = Upscaler::Brought { name: NetName::new("4x-foto").unwrap(), hash: hash.clone() };
        let (own, instead) = (format!("model 4x-foto {hash}"), format!("lanczos-instead-of-model 4x-foto {hash}"));
        let brought = [(&own[..], brought.clone(), &own[..]), (&instead, Upscaler::Instead(Box::new(brought)), &own)];
        for (text, upscaler, asked) in rows.into_iter().chain(brought) {
            let words: Vec<&str> = text.split(' ').chain(["10x20", "to"]).collect();
            assert_eq!(Upscaler::read(&words), Some((upscaler.clone(), &["10x20", "to"][..])), "{text}");
            assert_eq!((upscaler.to_string(), upscaler.asked().to_string()), (text.to_owned(), asked.to_owned()));
        }
        for text in [
            "",
            "net-4",
            "lanczos-instead-of-lanczos",
            "lanczos-instead-of-auto=lanczos",
            "auto=none",
            "command a x4",
            "model 4x-foto 12ab",
            "model 4x-foto",
        ] {
            assert_eq!(Upscaler::read(&text.split(' ').collect::<Vec<_>>()), None, "{text}");
        }
        for text in ["lanczos 5", "neural 101", "neural auto=101", "auto much"] {
            let words: Vec<&str> = text.split(' ').collect();
            assert_eq!(Upscaler::read(&words).unwrap().1, &words[1..], "{text}");
        }
    }
}
