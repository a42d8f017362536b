//! The colours that a market takes.

use serde::Deserialize;

use crate::model::{ColourSpace, Colours};

/// In which colours a picture may be stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColourLimit {
    /// The profiles that it may have; one without a profile is sRGB.
    pub profiles: Vec<ColourSpace>,
    /// Whether it may have greys alone.
    #[serde(default = "yes")]
    pub grey: bool,
}

impl ColourLimit {
    /// Returns why a picture is refused; `None` if it is taken.
    pub fn refuse(&self, colours: Option<Colours>) -> Option<String> {
        let taken: Vec<String> = self.profiles.iter().map(ToString::to_string).collect();
        let taken = taken.join(", ");
        match colours {
            None => Some(format!("nobody can tell what its colours mean, and the market takes {taken}")),
            Some(Colours { is_grey: true, .. }) if !self.grey => {
                Some("it is grey, and the market takes pictures of colours alone".to_owned())
            }
            Some(Colours { space, .. }) if !self.profiles.contains(&space) => {
                Some(format!("its colours are in {space}, and the market takes {taken}"))
            }
            Some(_) => None,
        }
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_refused_with_words() {
        let limit = |profiles: &[ColourSpace], grey| ColourLimit { profiles: profiles.to_vec(), grey };
        let (srgb, wide) = (ColourSpace::Srgb, [ColourSpace::Srgb, ColourSpace::AdobeRgb]);
        let of = |space, is_grey| Some(Colours { space, is_grey });
        let rows = [
            (limit(&[srgb], true), of(srgb, false), None),
            (limit(&[srgb], true), of(srgb, true), None),
            (limit(&[srgb], false), of(srgb, true), Some("it is grey, and the market takes pictures of colours alone")),
            (
                limit(&[srgb], true),
                of(ColourSpace::DisplayP3, false),
                Some("its colours are in Display P3, and the market takes sRGB"),
            ),
            (limit(&wide, true), of(ColourSpace::AdobeRgb, false), None),
            (
                limit(&wide, true),
                of(ColourSpace::Inks, false),
                Some("its colours are in inks (CMYK), and the market takes sRGB, Adobe RGB"),
            ),
            (limit(&[srgb], true), None, Some("nobody can tell what its colours mean, and the market takes sRGB")),
        ];
        for (limit, colours, told) in rows {
            assert_eq!(limit.refuse(colours).as_deref(), told, "{limit:?} {colours:?}");
        }
    }
}
