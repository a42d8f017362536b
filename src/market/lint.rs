//! What a market may dislike in tags, and does not refuse at once. It only warns, long before upload day.

use std::collections::BTreeMap;

use super::fit::find_phrase;
use super::profile::Market;
use crate::model::{Meta, counted};

/// The lists that come with the program.
const NAMES: &str = include_str!("../../config/lint/names.yaml");
/// What a person's own names are called.
const OWN: &str = "names of `upload.names`";
/// Fewer keywords are few.
const KEYWORDS_FEW: usize = 7;
/// What stands in prompts, and in no sentence.
const PROMPT_SIGNS: [&str; 7] = ["<lora", "::", "--ar ", "--v ", "--s ", "{", "]["];
/// So many first keywords weigh most.
const FIRST: usize = 10;

/// Names that do not belong into tags, by what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(BTreeMap<String, Vec<String>>);

impl Names {
    /// Returns those that come with the program, and a person's own.
    pub fn with(own: Vec<String>) -> Self {
        let mut names: BTreeMap<String, Vec<String>> = serde_yaml::from_str(NAMES).expect("they are sound, by test");
        names.insert(OWN.to_owned(), own);
        Self(names)
    }

    /// Returns the names in a text, each with what it is.
    fn found_in(&self, text: &str) -> Vec<(&str, &str)> {
        let is_in = |name: &str| find_phrase(text, name, 0).is_some();
        let names =
            self.0.iter().flat_map(|(what, names)| names.iter().map(move |name| (what.as_str(), name.as_str())));
        names.filter(|(_, name)| is_in(name)).collect()
    }
}

/// Returns what is unwise in the tags of a file, in words.
pub fn lint(names: &Names, meta: &Meta) -> Vec<String> {
    let mut warnings = Vec::new();
    if meta.title.is_empty() {
        warnings.push("it has no title".to_owned());
    }
    if meta.keywords.len() < KEYWORDS_FEW {
        let has = counted(meta.keywords.len(), "keyword");
        warnings.push(format!("it has {has}: buyers find what has {KEYWORDS_FEW} and more"));
    }
    let letters = || meta.title.chars().filter(|c| c.is_alphabetic());
    if letters().count() > 3 && letters().all(char::is_uppercase) {
        warnings.push("its title is all capitals".to_owned());
    }
    let texts = [("title", &meta.title), ("description", &meta.description)];
    let texts = texts.into_iter().chain(meta.keywords.iter().map(|keyword| ("keyword", keyword)));
    for (what, text) in texts {
        if let Some(sign) = PROMPT_SIGNS.iter().find(|sign| text.contains(**sign)) {
            warnings.push(format!("its {what} `{text}` has `{}` in it, as a prompt has", sign.trim_end()));
        }
        for (kind, name) in names.found_in(text) {
            warnings.push(format!(
                "its {what} `{text}` has `{name}` in it, which is one of the {kind}: markets refuse such words"
            ));
        }
    }
    warnings.extend(twins(&meta.keywords));
    warnings
}

/// Returns the keywords that say the same as an earlier one.
fn twins(keywords: &[String]) -> Option<String> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut twins = Vec::new();
    for keyword in keywords {
        match seen.get(&stem(keyword)) {
            Some(earlier) => twins.push(format!("`{keyword}` and `{earlier}`")),
            None => drop(seen.insert(stem(keyword), keyword)),
        }
    }
    (!twins.is_empty()).then(|| format!("its keywords {} say the same", twins.join(", ")))
}

/// Returns what a keyword and its plural have in common; words of four letters and more.
fn stem(keyword: &str) -> String {
    let word: String = keyword.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    for (plural, single) in [("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x")] {
        if let Some(stem) = word.strip_suffix(plural).filter(|stem| stem.len() > 2) {
            return format!("{stem}{single}");
        }
    }
    match word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with(['s', 'u', 'i'])) {
        Some(stem) => stem.to_owned(),
        None => word,
    }
}

/// Returns what is too much alike in the files of a theme that a market gets: it refuses repetition.
pub fn repetition(market: &Market, metas: &[&Meta]) -> Vec<String> {
    let Some(distinct) = market.distinct else { return Vec::new() };
    let by = |key: &dyn Fn(&Meta) -> String| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        metas.iter().for_each(|meta| *counts.entry(key(meta)).or_default() += 1);
        counts.into_iter().filter(|(key, _)| !key.is_empty()).max_by_key(|(_, count)| *count)
    };
    let first = |meta: &Meta| meta.keywords.iter().take(FIRST).cloned().collect::<Vec<_>>().join(", ");
    let told = |what: &str, found: Option<(String, usize)>, may: usize| {
        let (text, count) = found.filter(|(_, count)| *count > may)?;
        Some(format!("{count} files have the same {what}, and the market wants it for at most {may}: `{text}`"))
    };
    let titles = told("title", by(&|meta| meta.title.clone()), distinct.titles);
    let keywords = told("first keywords", by(&first), distinct.first_keywords);
    titles.into_iter().chain(keywords).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;

    fn tags(title: &str, keywords: &str) -> Meta {
        let keywords = keywords.split(", ").filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Meta { title: title.to_owned(), keywords, ..Meta::default() }
    }

    #[test]
    fn what_is_unwise_is_told() {
        let sound = "snow, cabin, winter, forest, lake, night, star";
        let rows: [(&str, &str, &[&str]); 9] = [
            ("A cabin in the snow", sound, &[]),
            ("", "snow", &["it has no title", "it has 1 keyword: buyers find what has 7 and more"]),
            ("A CABIN IN SNOW", sound, &["its title is all capitals"]),
            ("TV", sound, &[]),
            (
                "A cabin (snow:1.2), <lora:winter:1>",
                sound,
                &[
                    "its title `A cabin (snow:1.2), <lora:winter:1>` has `<lora` in it, as a prompt has",
                    "which is one of the generators",
                ],
            ),
            (
                "A cabin in the style of Van Gogh",
                sound,
                &["has `van gogh` in it, which is one of the artists: markets refuse such words"],
            ),
            ("A teslameter", sound, &[]),
            (
                "A cabin",
                "snow, cabins, cabin, Snow, lake, lakes, bus, masterpiece",
                &[
                    "has `masterpiece` in it, which is one of the prompt words",
                    "its keywords `cabin` and `cabins`, `Snow` and `snow`, `lakes` and `lake` say the same",
                ],
            ),
            (
                "A cabin",
                "glass, glasses, city, cities, virus, bus, this",
                &["its keywords `glasses` and `glass`, `cities` and `city` say the same"],
            ),
        ];
        for (title, keywords, expected) in rows {
            let found = lint(&Names::with(Vec::new()), &tags(title, keywords));
            assert_eq!(found.len(), expected.len(), "{title}: {found:?}");
            assert!(found.iter().zip(expected).all(|(found, part)| found.contains(part)), "{title}: {found:?}");
        }
        let own = lint(&Names::with(vec!["my rival".to_owned()]), &tags("My Rival's cabin", sound));
        assert!(own.len() == 1 && own[0].contains("which is one of the names of `upload.names`"), "{own:?}");
    }

    #[test]
    fn repetition_is_counted_where_a_market_refuses_it() {
        let market = |name: &str| built_in().unwrap().into_iter().find(|market| market.name == name).unwrap();
        let metas: Vec<Meta> = (0..4).map(|n| tags("Cabin", &format!("snow, k{n}"))).collect();
        let all: Vec<&Meta> = metas.iter().collect();
        assert_eq!(
            repetition(&market("vecteezy"), &all),
            ["4 files have the same title, and the market wants it for at most 1: `Cabin`"]
        );
        let same: Vec<&Meta> = vec![&metas[0]; 4];
        assert_eq!(repetition(&market("adobe-stock"), &same).len(), 2);
        assert_eq!(repetition(&market("adobe-stock"), &same[..3]).len(), 0);
        assert_eq!(repetition(&market("123rf"), &same).len(), 0);
    }
}
