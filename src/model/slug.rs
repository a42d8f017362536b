use std::fmt;

use deunicode::AsciiChars as _;
use serde::{Deserialize, Serialize};

/// The longest theme slug in bytes: a name built from it still fits every market.
const SLUG_BYTES_MAX: usize = 64;

/// A theme's name: the folder one level under a stage.
///
/// A folder that a person made may have any name; it must only be one that a folder can have and
/// that does not look like an upload day (`2026-11-27`) or a hidden folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ThemeSlug(String);

/// Why a text cannot name a theme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlugProblem {
    /// Empty, hidden, or with a character that no folder name may have.
    #[error("`{0}` cannot be a folder name")]
    NotAName(String),
    /// It would be taken for an upload day.
    #[error("`{0}` looks like an upload day")]
    LooksLikeDay(String),
}

impl ThemeSlug {
    /// Returns the theme of assets that no theme claims.
    pub fn unsorted() -> Self {
        Self("unsorted".to_owned())
    }

    /// Returns a folder's name as a theme.
    pub fn new(name: &str) -> Result<Self, SlugProblem> {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
            return Err(SlugProblem::NotAName(name.to_owned()));
        }
        if looks_like_day(name) {
            return Err(SlugProblem::LooksLikeDay(name.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }

    /// Returns the slug of a title: lower-case ASCII letters and digits with single dashes,
    /// transliterated, at most 64 bytes and cut between words. `None` if nothing is left.
    pub fn from_title(title: &str) -> Option<Self> {
        let slug = slugify(title);
        let cut = if slug.len() <= SLUG_BYTES_MAX {
            slug.as_str()
        } else {
            let head = &slug[..SLUG_BYTES_MAX];
            let words = if slug[SLUG_BYTES_MAX..].starts_with('-') {
                Some(head)
            } else {
                head.rsplit_once('-').map(|cut| cut.0)
            };
            words.filter(|kept| kept.len() > 20).unwrap_or(head).trim_end_matches('-')
        };
        let name = match cut {
            day if looks_like_day(day) => format!("day-{day}"),
            // In `upload` this folder is for bundles that were sent.
            "sent" => "theme-sent".to_owned(),
            cut => cut.to_owned(),
        };
        (!name.is_empty()).then_some(Self(name))
    }

    /// Returns the slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns a text as small ASCII letters and digits with single dashes, transliterated.
pub fn slugify(title: &str) -> String {
    slug_chars(title).collect()
}

/// Returns the characters of a text's slug one by one, for a caller that may need only the first.
pub fn slug_chars(title: &str) -> impl Iterator<Item = char> {
    let (mut is_begun, mut is_gap) = (false, false);
    let ascii = title.ascii_chars().flat_map(|text| text.unwrap_or("?").chars());
    let slug = ascii.filter(|c| *c != '\'').flat_map(move |c| {
        if !c.is_ascii_alphanumeric() {
            is_gap = true;
            return [None, None];
        }
        let dash = (is_begun && is_gap).then_some('-');
        (is_begun, is_gap) = (true, false);
        [dash, Some(c.to_ascii_lowercase())]
    });
    slug.flatten()
}

fn looks_like_day(name: &str) -> bool {
    name.parse::<jiff::civil::Date>().is_ok() && name.len() == 10
}

impl fmt::Display for ThemeSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ThemeSlug {
    type Error = SlugProblem;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(&name)
    }
}

impl From<ThemeSlug> for String {
    fn from(slug: ThemeSlug) -> Self {
        slug.0
    }
}

/// An asset's identity for life: the first 16 hex digits of the hash of what was dropped.
///
/// Exact duplicates are refused, so the content is the identity; nothing random is needed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssetId(u64);

/// The length of an identity as text.
const ID_DIGITS: usize = 16;

impl AssetId {
    /// Returns the identity of an asset whose dropped bytes have this hash.
    pub fn of(hash: &super::ContentHash) -> Self {
        Self(hash.prefix())
    }
}

impl TryFrom<String> for AssetId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let is_id = text.len() == ID_DIGITS && text.bytes().all(is_digit);
        let number = u64::from_str_radix(&text, 16).ok().filter(|_| is_id);
        let refused = || format!("`{}` is no id of {ID_DIGITS} hex digits", super::escape_bytes(text.as_bytes()));
        number.map(Self).ok_or_else(refused)
    }
}

impl From<AssetId> for String {
    fn from(id: AssetId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_slugs() {
        let cases = [
            ("Winter Cabins", "winter-cabins"),
            ("  Café à la crème! ", "cafe-a-la-creme"),
            ("Grandma's kitchen", "grandmas-kitchen"),
            ("2026-11-27", "day-2026-11-27"),
            ("日本の庭", "ri-ben-noting"),
            ("Sent!", "theme-sent"),
            ("Sent home", "sent-home"),
            // What leads elsewhere, or into a shell or a table, leads nowhere.
            ("../../outside/x", "outside-x"),
            ("/etc/passwd", "etc-passwd"),
            ("\u{202e}x\0", "x"),
            ("CON", "con"),
            ("=cmd|' /C calc'!A0", "cmd-c-calc-a0"),
        ];
        for (title, slug) in cases {
            assert_eq!(ThemeSlug::from_title(title).unwrap().as_str(), slug, "{title}");
        }
        for title in [" — ", "..", ".", "", "\u{202e}"] {
            assert_eq!(ThemeSlug::from_title(title), None, "{title:?}");
        }
        let long = ThemeSlug::from_title(&"winter cabins ".repeat(20)).unwrap();
        assert!(long.as_str().len() <= SLUG_BYTES_MAX && long.as_str().ends_with("-winter"));
    }
    #[test]
    fn a_folder_names_a_theme_unless_it_looks_like_a_day_or_hides() {
        for name in ["winter", "CON", "-rf", "tags.yaml", "day-2026-11-27", "2026-11-27 trip", "line\nbreak", "dot."] {
            assert_eq!(ThemeSlug::new(name).map(String::from), Ok(name.to_owned()), "{name}");
        }
        for name in ["", ".", "..", ".hidden", "a/b", "../x", "/etc", "a\0b"] {
            assert_eq!(ThemeSlug::new(name), Err(SlugProblem::NotAName(name.to_owned())), "{name}");
        }
        assert_eq!(ThemeSlug::new("2026-11-27"), Err(SlugProblem::LooksLikeDay("2026-11-27".to_owned())));
    }

    #[test]
    fn an_identity_is_sixteen_small_hex_digits() {
        let id = "0123456789abcdef";
        assert_eq!(AssetId::try_from(id.to_owned()).map(String::from), Ok(id.to_owned()));
        for bad in ["", "zz", "../../../x", "0123456789abcdef0", "0123456789ABCDEF", "+123456789abcdef"] {
            assert!(AssetId::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
