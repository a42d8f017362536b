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

/// Returns what IPTC has only the beginning of, in words.
pub fn shortened(meta: &Meta) -> Option<String> {
    let is_longer = |text: &str, bytes_max: usize| plain(text, usize::MAX).len() > bytes_max;
    let texts = [
        ("its title", &meta.title, TITLE_BYTES_MAX),
        ("its description", &meta.description, DESCRIPTION_BYTES_MAX),
        ("its creator", &meta.creator, CREATOR_BYTES_MAX),
        ("its rights", &meta.rights, RIGHTS_BYTES_MAX),
    ];
    let texts = texts.into_iter().filter(|(_, text, bytes_max)| is_longer(text, *bytes_max));
    let keywords = meta.keywords.iter().filter(|keyword| is_longer(keyword, KEYWORD_BYTES_MAX));
    let keywords = keywords.map(|keyword| format!("the keyword `{keyword}` ({KEYWORD_BYTES_MAX} bytes)"));
    let cut: Vec<String> =
        texts.map(|(name, _, bytes_max)| format!("{name} ({bytes_max} bytes)")).chain(keywords).collect();
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
