use super::profile::Market;
use crate::model::{Kind, Meta, Size, nearest};

/// A file that is offered to a market.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What it is.
    pub kind: Kind,
    /// Its size in pixels, for pictures.
    pub size: Option<Size>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its tags, fitted to the market.
    pub meta: Meta,
    /// Its category, as the person wrote it.
    pub category: Option<String>,
}

/// Returns why a market would refuse a file, in words; empty if it takes it.
pub fn check(market: &Market, candidate: &Candidate) -> Vec<String> {
    let mut reasons = Vec::new();
    if !market.kinds.contains(&candidate.kind) {
        let kinds: Vec<String> = market.kinds.iter().map(ToString::to_string).collect();
        reasons.push(format!("it is {}, and the market takes {}", candidate.kind, kinds.join(", ")));
    }
    if let Some(size) = candidate.size.filter(|_| candidate.kind.is_image()) {
        let (megapixels, range) = (size.megapixels(), market.megapixels);
        if !(range.min..=range.max).contains(&megapixels) {
            reasons.push(format!(
                "it has {megapixels:.1} megapixels, and the market takes {} to {}",
                range.min, range.max
            ));
        }
    }
    let pictures_only = candidate.kind.is_image();
    if pictures_only && !(market.bytes.min..=market.bytes.max).contains(&candidate.bytes) {
        let (min, max) = (market.bytes.min, market.bytes.max);
        reasons.push(format!("it has {} bytes, and the market takes {min} to {max}", candidate.bytes));
    }
    let (has, min) = (candidate.meta.keywords.len(), market.keywords.min);
    let where_to = "in the theme's tags.yaml";
    match (candidate.meta.title.is_empty(), has < min) {
        (true, true) => {
            reasons.push(format!("it has no title, and {has} keywords of at least {min}; write both {where_to}"));
        }
        (true, false) => reasons.push(format!("it has no title; write one {where_to}")),
        (false, true) => reasons.push(format!("it has {has} keywords and needs {min}; write them {where_to}")),
        (false, false) => (),
    }
    reasons.extend(candidate.category.as_deref().and_then(|category| no_category(market, category)));
    reasons
}

/// Returns what is wrong with a category if the market has none of that name or value.
pub fn no_category(market: &Market, category: &str) -> Option<String> {
    if category_number(market, category).is_some() {
        return None;
    }
    let names: Vec<&str> = market.categories.keys().map(String::as_str).collect();
    let near = nearest(&category.trim().to_lowercase(), &names);
    let near = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
    let mut all: Vec<_> = market.categories.iter().map(|(name, number)| (number, name)).collect();
    all.sort();
    let all: Vec<String> = all.into_iter().map(|(number, name)| format!("{number} {name}")).collect();
    Some(format!("the market has no category `{category}`{near}; it has {}", all.join(", ")))
}

/// Returns the market's value for a category, given by name or by value.
pub(super) fn category_number(market: &Market, category: &str) -> Option<u32> {
    let wanted = category.trim().to_lowercase();
    if let Ok(number) = wanted.parse::<u32>() {
        return market.categories.values().any(|known| *known == number).then_some(number);
    }
    market.categories.get(&wanted).copied()
}

/// Returns tags as a market takes them: the title cut at a word, without forbidden characters and
/// words; the first so many keywords, each once.
pub fn fit(market: &Market, meta: &Meta) -> Meta {
    let mut fitted = meta.clone();
    fitted.title = cut_at_word(&clean_title(market, &meta.title), market.title_text.chars_max);
    let forbidden = |keyword: &str| market.forbidden_words.iter().any(|word| without_word(keyword, word) != keyword);
    let mut keywords: Vec<String> = Vec::new();
    for keyword in meta.keywords.iter().map(|keyword| keyword.replace([',', ';'], " ").trim().to_owned()) {
        let known = keywords.iter().any(|other| other.to_lowercase() == keyword.to_lowercase());
        if !keyword.is_empty() && !known && !forbidden(&keyword) {
            keywords.push(keyword);
        }
    }
    keywords.truncate(market.keywords.max);
    fitted.keywords = keywords;
    fitted
}

/// Returns a title without the signs and words that a market refuses.
fn clean_title(market: &Market, title: &str) -> String {
    let clean: String = title.chars().filter(|c| !market.title_text.forbidden.contains(*c)).collect();
    let clean = market.forbidden_words.iter().fold(clean, |text, word| without_word(&text, word));
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns what was taken away from tags to fit them to a market, in words; a person may want to say it otherwise.
pub fn left_out(market: &Market, meta: &Meta, fitted: &Meta) -> Vec<String> {
    let mut told = Vec::new();
    let whole = clean_title(market, &meta.title);
    if fitted.title != whole {
        let (short, long) = (fitted.title.chars().count(), whole.chars().count());
        told.push(format!("its title is cut at a word, to {short} of {long} characters"));
    }
    let is_refused =
        |keyword: &&String| market.forbidden_words.iter().any(|word| without_word(keyword, word) != **keyword);
    let refused: Vec<String> = meta.keywords.iter().filter(is_refused).map(|keyword| format!("`{keyword}`")).collect();
    if !refused.is_empty() {
        told.push(format!("the market refuses the keywords {}", refused.join(", ")));
    }
    let beyond = (meta.keywords.len() - refused.len()).saturating_sub(market.keywords.max);
    if beyond > 0 {
        told.push(format!("the last {beyond} keywords are left out, since it takes {}", market.keywords.max));
    }
    told
}

/// Returns a text without a word or phrase, whatever its case; parts of longer words stay.
fn without_word(text: &str, word: &str) -> String {
    let mut rest = text.to_owned();
    let mut from = 0;
    while let Some((start, end)) = find_ignoring_case(&rest, word, from) {
        let before = rest[..start].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        let after = rest[end..].chars().next().is_none_or(|c| !c.is_alphanumeric());
        if before && after {
            rest.replace_range(start..end, "");
            from = start;
        } else {
            from = end;
        }
    }
    rest
}

fn find_ignoring_case(text: &str, word: &str, from: usize) -> Option<(usize, usize)> {
    let starts = text.char_indices().map(|(at, _)| at).filter(|at| *at >= from);
    for start in starts {
        let end = start + word.len();
        if text.get(start..end).is_some_and(|part| part.eq_ignore_ascii_case(word)) && !word.is_empty() {
            return Some((start, end));
        }
    }
    None
}

fn cut_at_word(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let head: String = text.chars().take(chars_max + 1).collect();
    match head.rsplit_once(' ') {
        Some((whole, _)) if !whole.is_empty() => whole.trim_end().to_owned(),
        _ => text.chars().take(chars_max).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;

    fn adobe() -> Market {
        built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap()
    }

    fn candidate() -> Candidate {
        let meta = Meta { title: "A cabin".to_owned(), keywords: vec!["cabin".to_owned()], ..Meta::default() };
        let size = Some(Size { width: 2048, height: 2048 });
        Candidate { kind: Kind::Jpeg, size, bytes: 1_000_000, meta, category: Some("Landscapes".to_owned()) }
    }

    const ALL: &str = "1 animals, 2 buildings and architecture, 3 business, 4 drinks, 5 the environment, \
        6 states of mind, 7 food, 8 graphic resources, 9 hobbies and leisure, 10 industry, 11 landscapes, 12 lifestyle, \
        13 people, 14 plants and flowers, 15 culture and religion, 16 science, 17 social issues, 18 sports, \
        19 technology, 20 transport, 21 travel";

    #[test]
    fn refusals_are_said_with_figures() {
        assert_eq!(check(&adobe(), &candidate()), Vec::<String>::new());
        type Change = fn(&mut Candidate);
        let cases: [(Change, &str); 8] = [
            (
                |c| (c.meta.title, c.meta.keywords) = Default::default(),
                "it has no title, and 0 keywords of at least 1; write both in the theme's tags.yaml",
            ),
            (|c| c.kind = Kind::Png, "it is png, and the market takes jpeg, mp4, mov"),
            (
                |c| c.size = Some(Size { width: 1024, height: 1024 }),
                "it has 1.0 megapixels, and the market takes 4 to 100",
            ),
            (|c| c.bytes = 50_000_000, "it has 50000000 bytes, and the market takes 1 to 45000000"),
            (|c| c.meta.title.clear(), "it has no title; write one in the theme's tags.yaml"),
            (|c| c.meta.keywords.clear(), "it has 0 keywords and needs 1; write them in the theme's tags.yaml"),
            (|c| c.category = Some("22".to_owned()), &format!("the market has no category `22`; it has {ALL}")),
            (
                |c| c.category = Some("Landscape".to_owned()),
                &format!("the market has no category `Landscape` (did you mean `landscapes`?); it has {ALL}"),
            ),
        ];
        for (change, reason) in cases {
            let mut candidate = candidate();
            change(&mut candidate);
            assert_eq!(check(&adobe(), &candidate), [reason]);
        }
    }

    #[test]
    fn tags_are_fitted() {
        let meta = Meta {
            title: format!("Generative AI: winter, cabin; {}", "in the deep snow ".repeat(6)),
            keywords: ["snow", "Snow", "Midjourney art", "a,b", "firefly", "fireflies"].map(str::to_owned).to_vec(),
            ..Meta::default()
        };
        let fitted = fit(&adobe(), &meta);
        assert_eq!(fitted.title, ": winter cabin in the deep snow in the deep snow in the deep snow in");
        assert_eq!(fitted.keywords, ["snow", "a b", "fireflies"]);
        // No sign is left that could open another field. What a table takes for a formula is the manifest's matter.
        for (title, keyword, expected) in [
            ("a\", forged.jpg,x", "a; b, c", ("a forged.jpgx", "a  b  c")),
            ("=cmd|' /C calc'!A0", "=cmd", ("=cmd' /C calc'!A0", "=cmd")),
            ("</rdf:li><x/> & \"'", "x", ("/rdf:lix/ & '", "x")),
        ] {
            let meta = Meta { title: title.to_owned(), keywords: vec![keyword.to_owned()], ..Meta::default() };
            let fitted = fit(&adobe(), &meta);
            assert_eq!((fitted.title.as_str(), fitted.keywords[0].as_str()), expected);
        }
        let many = Meta { keywords: (0..80).map(|n| format!("k{n}")).collect(), ..Meta::default() };
        assert_eq!(fit(&adobe(), &many).keywords.len(), 49);
    }
    #[test]
    fn what_is_left_out_is_told() {
        let tags = |title: &str, keywords: &[&str], more: usize| Meta {
            title: title.to_owned(),
            keywords: keywords
                .iter()
                .map(|word| (*word).to_owned())
                .chain((0..more).map(|n| format!("k{n}")))
                .collect(),
            ..Meta::default()
        };
        let long = "a cabin in deep snow below a mountain, warm light in the window, at dusk again";
        let cases: [(Meta, &[&str]); 4] = [
            (tags("A cabin", &["snow"], 0), &[]),
            (tags(long, &["snow"], 0), &["its title is cut at a word, to 70 of 76 characters"]),
            (
                tags("A cabin", &["snow", "Midjourney art", "firefly"], 0),
                &["the market refuses the keywords `Midjourney art`, `firefly`"],
            ),
            (tags("A cabin", &["snow"], 50), &["the last 2 keywords are left out, since it takes 49"]),
        ];
        for (meta, expected) in cases {
            assert_eq!(left_out(&adobe(), &meta, &fit(&adobe(), &meta)), expected, "{meta:?}");
        }
    }

    #[test]
    fn a_category_is_known_by_its_name_or_its_value() {
        let cases = [
            ("Landscapes", Some(11)),
            (" landscapes ", Some(11)),
            ("11", Some(11)),
            ("22", None),
            ("0", None),
            ("sea", None),
        ];
        for (category, expected) in cases {
            assert_eq!(category_number(&adobe(), category), expected, "{category}");
        }
    }

    #[test]
    fn a_word_goes_whatever_its_case_and_parts_of_words_stay() {
        let cases = [
            ("A Firefly art", "firefly", "A  art"),
            ("fireflyfirefly firefly", "firefly", "fireflyfirefly "),
            ("FIREFLY", "firefly", ""),
            ("a firefly", "firefly", "a "),
            ("äfirefly", "firefly", "äfirefly"),
            ("é firefly é", "firefly", "é  é"),
            ("fire", "firefly", "fire"),
            ("a b", "", "a b"),
            ("x ai x", "ai", "x  x"),
        ];
        for (text, word, expected) in cases {
            assert_eq!(without_word(text, word), expected, "{text}");
        }
    }
}
