//! Hierarchical keywords: where a keyword stands, as `places|mountains|alps`.

use std::collections::HashSet;

/// What divides the levels of a hierarchical keyword, as Lightroom and darktable write it.
pub const LEVEL: char = '|';

/// Returns the levels of a hierarchical keyword, the widest first.
pub fn levels(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split(LEVEL).map(str::trim).filter(|level| !level.is_empty())
}

/// Returns where keywords stand in a public file: each path that ends in one of them, of its levels those that are keywords as
/// well, each once where it stands below itself. The others are how a person keeps order, and may name people and places.
pub fn of_keywords<'a>(paths: impl IntoIterator<Item = &'a String>, keywords: &[String]) -> Vec<String> {
    let folded: HashSet<String> = keywords.iter().map(|keyword| keyword.to_lowercase()).collect();
    let is_keyword = |level: &str| folded.contains(&level.to_lowercase());
    let (mut kept, mut known): (Vec<String>, HashSet<String>) = Default::default();
    for path in paths {
        let mut public: Vec<&str> = levels(path).filter(|level| is_keyword(level)).collect();
        public.dedup_by_key(|level| level.to_lowercase());
        let path_of = |levels: &[&str]| levels.join(&LEVEL.to_string());
        // What stands below nothing stands nowhere.
        let is_public = public.len() > 1 && levels(path).next_back().is_some_and(is_keyword);
        if is_public && known.insert(path_of(&public)) {
            kept.push(path_of(&public));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Above a keyword of a public file stood `People|Jane Doe`.
    #[test]
    fn where_a_keyword_stands_goes_with_it_as_far_as_that_is_a_keyword() {
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let paths = text(&["Places|Alps|Home|Peak", "Places|Alps", "other|places|alps", " a | b ", "alone", "|"]);
        for (keywords, expected) in [
            (&["alps"][..], &[][..]),
            (&["alps", "PLACES"], &["Places|Alps", "places|alps"]),
            (&["peak", "alps", "alone"], &["Alps|Peak"]),
            (&["peak", "home", "places", "alps"], &["Places|Alps|Home|Peak", "Places|Alps", "places|alps"]),
            (&["places", "home"], &[]),
            (&["B", "a"], &["a|b"]),
            (&[], &[]),
        ] {
            assert_eq!(of_keywords(&paths, &text(keywords)), text(expected), "{keywords:?}");
        }
        let twice = text(&["x|a|b", "y|a|b"]);
        assert_eq!(of_keywords(&twice, &text(&["a", "b"])), ["a|b"]);
        // A level stood below itself.
        let repeated = text(&["a|A|b", "a|x|a|b", "b|a|b", "a|a"]);
        assert_eq!(of_keywords(&repeated, &text(&["a", "b"])), ["a|b", "b|a|b"]);
    }
}
