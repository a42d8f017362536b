//! What IPTC-IIM can hold of texts (IIM 4.2): less than XMP, which has them whole.

use super::Meta;

/// The most bytes of each text.
pub const TITLE_BYTES_MAX: usize = 64;
/// The most bytes of a keyword.
pub const KEYWORD_BYTES_MAX: usize = 64;
/// The most bytes of the creator.
pub const CREATOR_BYTES_MAX: usize = 32;
/// The most bytes of the headline.
pub const HEADLINE_BYTES_MAX: usize = 256;
/// The most bytes of the copyright line.
pub const RIGHTS_BYTES_MAX: usize = 128;
/// The most bytes of the description; EXIF gets no more of it either.
pub const DESCRIPTION_BYTES_MAX: usize = 2000;

/// Returns a text without barred characters, of at most so many bytes, whole characters all.
pub fn plain(text: &str, bytes_max: usize) -> String {
    let text: String = text.chars().filter(|c| !super::is_barred(*c)).collect();
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim().to_owned()
}

/// A text of which IPTC has only the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Short<'a> {
    /// The title.
    Title,
    /// The description.
    Description,
    /// The creator.
    Creator,
    /// The copyright line.
    Rights,
    /// This keyword.
    Keyword(&'a str),
}

impl Short<'_> {
    /// Returns how many bytes IPTC has of it.
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Title => TITLE_BYTES_MAX,
            Self::Description => DESCRIPTION_BYTES_MAX,
            Self::Creator => CREATOR_BYTES_MAX,
            Self::Rights => RIGHTS_BYTES_MAX,
            Self::Keyword(_) => KEYWORD_BYTES_MAX,
        }
    }
}

/// Returns the texts of which IPTC has only the beginning.
pub fn short(meta: &Meta) -> Vec<Short<'_>> {
    let texts = [
        (Short::Title, &meta.title),
        (Short::Description, &meta.description),
        (Short::Creator, &meta.creator),
        (Short::Rights, &meta.rights),
    ];
    let keywords = meta.keywords.iter().map(|keyword| (Short::Keyword(keyword), keyword));
    let is_longer = |(short, text): &(Short<'_>, &String)| plain(text, usize::MAX).len() > short.bytes_max();
    texts.into_iter().chain(keywords).filter(is_longer).map(|(short, _)| short).collect()
}

/// Returns what IPTC has only the beginning of, in words.
pub fn shortened(meta: &Meta) -> Option<String> {
    let told = |short: Short<'_>| {
        let what = match short {
            Short::Title => "its title".to_owned(),
            Short::Description => "its description".to_owned(),
            Short::Creator => "its creator".to_owned(),
            Short::Rights => "its rights".to_owned(),
            Short::Keyword(keyword) => format!("the keyword `{keyword}`"),
        };
        format!("{what} ({} bytes)", short.bytes_max())
    };
    let cut: Vec<String> = short(meta).into_iter().map(told).collect();
    (!cut.is_empty()).then(|| format!("IPTC has only the beginning of {}; XMP has all", cut.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was cut without a word.
    #[test]
    fn what_iptc_cannot_hold_is_told() {
        let long = "Hütte ".repeat(10);
        let meta = |title: &str, creator: &str, keyword: &str| Meta {
            title: title.to_owned(),
            creator: creator.to_owned(),
            keywords: vec![keyword.to_owned()],
            ..Meta::default()
        };
        for (meta, expected) in [
            (meta("A cabin", "Ann", "snow"), None),
            (meta(&"x".repeat(64), "Ann", "snow"), None),
            (meta(&long, "Ann", "snow"), Some("its title (64 bytes)".to_owned())),
            (
                meta("A cabin", &long, &"x".repeat(65)),
                Some(format!("its creator (32 bytes), the keyword `{}` (64 bytes)", "x".repeat(65))),
            ),
        ] {
            let expected = expected.map(|what| format!("IPTC has only the beginning of {what}; XMP has all"));
            assert_eq!(shortened(&meta), expected);
        }
    }
}
