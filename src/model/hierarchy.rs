//! Hierarchical keywords: where a keyword stands, as `places|mountains|alps`.

/// What divides the levels of a hierarchical keyword, as Lightroom and darktable write it.
pub const LEVEL: char = '|';

/// Returns the levels of a hierarchical keyword, the widest first.
pub fn levels(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split(LEVEL).map(str::trim).filter(|level| !level.is_empty())
}

/// Returns those hierarchical keywords whose last level is one of the keywords: where one stands goes with it.
pub fn of_keywords<'a>(paths: impl IntoIterator<Item = &'a String>, keywords: &[String]) -> Vec<String> {
    let folded: Vec<String> = keywords.iter().map(|keyword| keyword.to_lowercase()).collect();
    let is_kept = |path: &&String| levels(path).next_back().is_some_and(|last| folded.contains(&last.to_lowercase()));
    paths.into_iter().filter(is_kept).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_keyword_stands_goes_with_it() {
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let paths = text(&["places|Alps", "places|sea", " a | b ", "alone", "|"]);
        for (keywords, expected) in [
            (&["alps"][..], &["places|Alps"][..]),
            (&["B", "sea"], &["places|sea", " a | b "]),
            (&["places"], &[]),
            (&[], &[]),
        ] {
            assert_eq!(of_keywords(&paths, &text(keywords)), text(expected), "{keywords:?}");
        }
    }
}
