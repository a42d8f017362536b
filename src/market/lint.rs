//! What a market may dislike in tags, and does not refuse at once. It only warns, long before upload day.

use std::collections::BTreeMap;
use std::fmt;

use super::checks::never;
use super::fit::{tidy, without_word};
use super::phrase::{find_phrase, words_in};
use super::profile::{AiFlag, Market, Value};
use crate::model::iim::KEYWORD_BYTES_MAX;
use crate::model::{Meta, counted, without_fields};

/// The lists that come with the program.
const NAMES: &str = include_str!("../../config/lint/names.yaml");
const FILE_NAMES: &str = include_str!("../../config/lint/file_names.yaml");
/// What a person's own names are called.
const OWN: &str = "names of `upload.names`";
/// Fewer keywords are few.
const KEYWORDS_FEW: usize = 7;
/// What stands in prompts, and in no sentence.
const PROMPT_SIGNS: [&str; 7] = ["<lora", "::", "--ar ", "--v ", "--s ", "{", "]["];
/// So many first keywords weigh most.
const FIRST: usize = 10;
/// So many groups of files that are alike are named, the largest first.
const GROUPS_TOLD: usize = 5;

/// What is unwise in tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What kind of thing.
    pub kind: WarningKind,
    /// It, in words.
    pub text: String,
}

/// The kinds of what is unwise, as people look for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WarningKind {
    /// There is no title.
    NoTitle,
    /// There are few keywords.
    FewKeywords,
    /// A market wants a category.
    NoCategory,
    /// A category is for a market that has none.
    IdleCategory,
    /// A name of somebody, or a word that only prompts have.
    Name,
    /// What stands in prompts, or between braces.
    Prompt,
    /// Words of a file's name that are left out of its texts.
    FileName,
    /// Keywords that say the same.
    SameKeywords,
    /// A keyword that is a sentence.
    LongKeyword,
    /// The title is all capitals.
    Capitals,
    /// More files of a theme are alike than a market wants.
    Repetition,
}

impl WarningKind {
    /// Returns what it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoTitle => "no title",
            Self::FewKeywords => "few keywords",
            Self::NoCategory => "no category",
            Self::IdleCategory => "categories that are not used",
            Self::Name => "names and prompt words",
            Self::Prompt => "signs of a prompt",
            Self::FileName => "words of file names that are left out",
            Self::SameKeywords => "keywords that say the same",
            Self::LongKeyword => "long keywords",
            Self::Capitals => "capitals",
            Self::Repetition => "repetition",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Words that do not belong into tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Names.
    everywhere: Lists,
    /// What the names of files have, and what means something else in other texts.
    in_file_names: Lists,
}

/// Words and phrases by their first word in lower case, each with what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lists(BTreeMap<String, Vec<(String, String)>>);

impl Names {
    /// Returns those that come with the program, and a person's own.
    pub fn with(own: Vec<String>) -> Self {
        let read = |text: &str| -> BTreeMap<String, Vec<String>> {
            serde_yaml::from_str(text).expect("the lists are sound, by test")
        };
        let mut names = read(NAMES);
        names.insert(OWN.to_owned(), own);
        Self { everywhere: Lists::of(names), in_file_names: Lists::of(read(FILE_NAMES)) }
    }

    /// Returns words of a file's name as a title may have them, and what is left out of them, each with what it is.
    pub fn fit_words(&self, words: &str) -> (String, Vec<String>) {
        let (mut fitted, mut left_out) = (words.to_owned(), Vec::new());
        for lists in [&self.everywhere, &self.in_file_names] {
            for (what, name) in lists.found_in(&fitted.clone()) {
                if let Some(without) = without_word(&fitted, name) {
                    fitted = tidy(&without);
                    left_out.push(format!("`{name}` ({what})"));
                }
            }
        }
        (fitted, left_out)
    }
}

impl Lists {
    fn of(lists: BTreeMap<String, Vec<String>>) -> Self {
        let mut names: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (what, list) in lists {
            for name in list {
                let first = words_in(&name, 0).next().map(|(start, end)| name[start..end].to_lowercase());
                let Some(first) = first else { continue };
                names.entry(first).or_default().push((what.clone(), name));
            }
        }
        Self(names)
    }

    /// Returns the names in a text, each once and with what it is.
    fn found_in(&self, text: &str) -> Vec<&(String, String)> {
        let mut found: Vec<&(String, String)> = Vec::new();
        for (start, end) in words_in(text, 0) {
            let names = self.0.get(&text[start..end].to_lowercase()).into_iter().flatten();
            for name in names.filter(|(_, name)| find_phrase(text, name, start).is_some()) {
                if !found.contains(&name) {
                    found.push(name);
                }
            }
        }
        found
    }
}

/// Returns what is told of words of a file's name that are left out of its texts; `None` if there are none.
pub fn left_out_words(left_out: &[String]) -> Option<Warning> {
    let text = format!("`{{original|words}}` leaves {} of its file name out of its texts", left_out.join(", "));
    (!left_out.is_empty()).then_some(Warning { kind: WarningKind::FileName, text })
}

/// Returns what is unwise in the tags of a file.
pub fn lint(names: &Names, meta: &Meta) -> Vec<Warning> {
    lint_but(names, meta, &[], KEYWORDS_FEW)
}

/// Returns what is unwise in what a market gets of the tags of a file: those fitted to it. Its own words for what AI made
/// are none.
pub fn lint_fitted(names: &Names, market: &Market, fitted: &Meta, category: Option<&str>) -> Vec<Warning> {
    let AiFlag { in_title, in_description, keyword, .. } = &market.ai_flag;
    let marks: Vec<&str> = [in_title, in_description, keyword].into_iter().flatten().map(String::as_str).collect();
    let marks = if fitted.source_type.is_by_ai() { &marks[..] } else { &[] };
    // Of a market that takes no more nobody can have more.
    let mut warnings = lint_but(names, fitted, marks, market.keywords.max.min(KEYWORDS_FEW));
    warnings.extend(lacks_category(std::iter::once(market), &|_| category.is_some(), fitted));
    warnings
}

/// The same but for names that stand in some words, where fewer keywords than so many are few.
fn lint_but(names: &Names, meta: &Meta, words: &[&str], few: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |kind, text| warnings.push(Warning { kind, text });
    if meta.title.is_empty() {
        warn(WarningKind::NoTitle, "it has no title".to_owned());
    }
    if meta.keywords.len() < few {
        let has = counted(meta.keywords.len(), "keyword");
        warn(WarningKind::FewKeywords, format!("it has {has}: buyers find what has {few} and more"));
    }
    let letters = || meta.title.chars().filter(|c| c.is_alphabetic());
    if letters().count() > 3 && letters().all(char::is_uppercase) {
        warn(WarningKind::Capitals, "its title is all capitals".to_owned());
    }
    let texts = [("title", &meta.title), ("description", &meta.description)];
    for (what, text) in texts.into_iter().chain(meta.keywords.iter().map(|keyword| ("keyword", keyword))) {
        if let Some(told) = prompt(what, text) {
            warn(WarningKind::Prompt, told);
        }
        let is_wanted = |name: &str| words.iter().any(|words| find_phrase(words, name, 0).is_some());
        let found = names.everywhere.found_in(text).into_iter().filter(|(_, name)| !is_wanted(name));
        let found: Vec<String> = found.map(|(kind, name)| format!("`{name}`, which is one of the {kind}")).collect();
        if !found.is_empty() {
            let told = format!("its {what} `{text}` has {}: markets refuse such words", found.join(", and "));
            warn(WarningKind::Name, told);
        }
    }
    if let Some(told) = twins(&meta.keywords) {
        warn(WarningKind::SameKeywords, told);
    }
    for keyword in meta.keywords.iter().filter(|keyword| keyword.len() > KEYWORD_BYTES_MAX) {
        let told = format!(
            "its keyword `{keyword}` has {} bytes: the IPTC field of a file has {KEYWORD_BYTES_MAX}, and it is cut \
             there; markets look for words and short phrases",
            keyword.len()
        );
        warn(WarningKind::LongKeyword, told);
    }
    warnings
}

/// Returns what a text has in it that only a prompt has, in words. A title and a description may have fields.
fn prompt(what: &str, text: &str) -> Option<String> {
    let has_fields = what != "keyword" && text.contains('{');
    let (rest, unknown) = if has_fields { without_fields(text) } else { (text.to_owned(), Vec::new()) };
    let typed = unknown.iter().map(|(typed, meant)| {
        let meant = meant.as_ref().map(|meant| format!(" (`{meant}` may be meant)")).unwrap_or_default();
        format!("`{typed}`{meant}")
    });
    let typed = typed.collect::<Vec<_>>().join(", ");
    let fields = (!typed.is_empty()).then(|| {
        format!(
            "{typed} in it: no field but `{{n}}` and `{{original|words}}` is known, and all else stays as it is typed"
        )
    });
    let signs = PROMPT_SIGNS.iter().filter(|sign| rest.contains(**sign));
    let signs: Vec<String> = signs.map(|sign| format!("`{}`", sign.trim_end())).collect();
    let signs = (!signs.is_empty()).then(|| format!("{} in it, as a prompt has", signs.join(", ")));
    let told: Vec<String> = fields.into_iter().chain(signs).collect();
    (!told.is_empty()).then(|| format!("its {what} `{text}` has {}", told.join("; and ")))
}

/// Returns which markets want a category of a file that has none. One that never gets it wants nothing.
pub fn lacks_category<'a>(
    markets: impl Iterator<Item = &'a Market>,
    has: &dyn Fn(&str) -> bool,
    meta: &Meta,
) -> Option<Warning> {
    let is_category =
        |value: Value| matches!(value, Value::Category | Value::Category2 | Value::Category3 | Value::Categories);
    let wants = |market: &&Market| {
        market.csv.columns.iter().any(|column| is_category(column.value))
            && !market.categories.is_empty()
            && !has(market.name.as_str())
            && market.kinds.iter().any(|kind| never(market, *kind, meta.source_type).is_empty())
    };
    let markets: Vec<String> = markets.filter(wants).map(|market| format!("`{}`", market.name)).collect();
    let first = markets.first()?.trim_matches('`').to_owned();
    let text = format!("it has no category for {}: `category: {{{first}: …}}`", markets.join(", "));
    Some(Warning { kind: WarningKind::NoCategory, text })
}

/// Returns which markets have no categories, and are given one: it is left out there.
pub fn idle_category<'a>(markets: impl Iterator<Item = &'a Market>, has: &dyn Fn(&str) -> bool) -> Option<Warning> {
    let is_idle = |market: &&Market| market.categories.is_empty() && has(market.name.as_str());
    let markets: Vec<String> = markets.filter(is_idle).map(|market| format!("`{}`", market.name)).collect();
    let asks = if markets.len() > 1 { "these markets ask" } else { "that market asks" };
    let text = format!("its category for {} is not used, since {asks} for none", markets.join(", "));
    (!markets.is_empty()).then_some(Warning { kind: WarningKind::IdleCategory, text })
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
    if word.is_empty() {
        // Signs alone are compared as they are.
        return keyword.to_owned();
    }
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

/// How often files of a theme have the same title and the same first keywords.
#[derive(Debug, Default)]
pub struct Repeated {
    titles: BTreeMap<String, usize>,
    first_keywords: BTreeMap<String, usize>,
}

impl Repeated {
    /// Counts a file. A title that has no number yet will have one of its own.
    pub fn add(&mut self, meta: &Meta) {
        let first = meta.keywords.iter().take(FIRST).map(String::as_str).collect::<Vec<_>>().join(", ");
        let title = if meta.title.contains("{n}") { "" } else { &meta.title };
        for (counts, key) in [(&mut self.titles, title), (&mut self.first_keywords, &first)] {
            match counts.get_mut(key) {
                _ if key.is_empty() => (),
                Some(count) => *count += 1,
                None => drop(counts.insert(key.to_owned(), 1)),
            }
        }
    }

    /// Returns what is too much alike for a market, which refuses repetition: how many files, and what is told of them.
    pub fn told(&self, market: &Market) -> Vec<(usize, String)> {
        let Some(distinct) = market.distinct else { return Vec::new() };
        let told = |what: &str, counts: &BTreeMap<String, usize>, may: usize| {
            let mut groups: Vec<(&String, usize)> =
                counts.iter().map(|(text, count)| (text, *count)).filter(|(_, count)| *count > may).collect();
            groups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let files = groups.iter().map(|(_, count)| count).sum();
            let wanted = format!("have the same {what}, and the market wants it for at most {may}");
            let told = match &groups[..] {
                [] => return None,
                [(text, _)] => format!("{files} files {wanted}: `{text}`"),
                _ => {
                    let named: Vec<String> = groups
                        .iter()
                        .take(GROUPS_TOLD)
                        .map(|(text, count)| format!("`{text}` ({count} files)"))
                        .collect();
                    let more = groups.len() - named.len();
                    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
                    format!("{files} files in {} groups {wanted}: {}{more}", groups.len(), named.join(", "))
                }
            };
            Some((files, told))
        };
        let titles = told("title", &self.titles, distinct.titles);
        titles.into_iter().chain(told("first keywords", &self.first_keywords, distinct.first_keywords)).collect()
    }
}

/// Returns what is too much alike in the files that a market gets.
pub fn repetition(market: &Market, metas: &[&Meta]) -> Vec<String> {
    let mut repeated = Repeated::default();
    metas.iter().for_each(|meta| repeated.add(meta));
    repeated.told(market).into_iter().map(|(_, told)| told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{built_in, fit};
    use crate::model::SourceType;

    fn tags(title: &str, keywords: &str) -> Meta {
        let keywords = keywords.split(", ").filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Meta { title: title.to_owned(), keywords, ..Meta::default() }
    }

    #[test]
    fn what_is_unwise_is_told() {
        let sound = "snow, cabin, winter, forest, lake, night, star";
        let long = format!("{sound}, {}", "a cabin in the deep snow ".repeat(3));
        let rows: [(&str, &str, &[&str]); 14] = [
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
                &["has `van gogh`, which is one of the artists: markets refuse such words"],
            ),
            (
                "A masterpiece in the style of Van Gogh",
                sound,
                &[
                    "has `masterpiece`, which is one of the prompt words, and `van gogh`, which is one of the artists: markets",
                ],
            ),
            ("A teslameter", sound, &[]),
            (
                "A cabin",
                "snow, cabins, cabin, Snow, lake, lakes, bus, masterpiece, 👍🏽, 👨",
                &[
                    "has `masterpiece`, which is one of the prompt words",
                    "its keywords `cabin` and `cabins`, `Snow` and `snow`, `lakes` and `lake` say the same",
                ],
            ),
            ("A cabin {n}, {original|words}", sound, &[]),
            (
                "A cabin {seq}",
                sound,
                &[
                    "has `{seq}` (`{n}` may be meant) in it: no field but `{n}` and `{original|words}` is known, and all else \
                   stays as it is typed",
                ],
            ),
            ("A cabin { in", sound, &["has `{` in it, as a prompt has"]),
            ("A cabin", &long, &["has 75 bytes: the IPTC field of a file has 64"]),
            (
                "A cabin",
                "glass, glasses, city, cities, virus, bus, this",
                &["its keywords `glasses` and `glass`, `cities` and `city` say the same"],
            ),
        ];
        for (title, keywords, expected) in rows {
            let found = lint(&Names::with(Vec::new()), &tags(title, keywords));
            assert_eq!(found.len(), expected.len(), "{title}: {found:?}");
            assert!(found.iter().zip(expected).all(|(found, part)| found.text.contains(part)), "{title}: {found:?}");
        }
        let own = lint(&Names::with(vec!["my rival".to_owned()]), &tags("My Rival's cabin", sound));
        assert!(own.len() == 1 && own[0].text.contains("which is one of the names of `upload.names`"), "{own:?}");
    }

    /// A title said which program made the picture, and lint warned of a word that nobody had written.
    #[test]
    fn a_file_name_gives_no_names_to_a_title() {
        // The words of the name, what is left, and what is told.
        let rows: [(&str, &str, &str); 9] = [
            ("red fox in snow", "red fox in snow", ""),
            ("ComfyUI flux red fox", "red fox", "`comfyui` (generators), `flux` (generators)"),
            ("IMG", "", "`img` (cameras)"),
            ("DSC sunset", "sunset", "`dsc` (cameras)"),
            ("MJ old mill", "old mill", "`mj` (generators)"),
            ("DALL E fox sdxl", "fox", "`dall-e` (generators), `sdxl` (generators)"),
            ("Fox by Van Gogh masterpiece", "Fox", "`masterpiece` (prompt words), `van gogh` (artists)"),
            ("My Rival fox", "fox", "`my rival` (names of `upload.names`)"),
            ("imgfox fluxes", "imgfox fluxes", ""),
        ];
        let names = Names::with(vec!["my rival".to_owned()]);
        for (words, expected, told) in rows {
            let (fitted, mut left_out) = names.fit_words(words);
            left_out.sort();
            assert_eq!((fitted.as_str(), left_out.join(", ").as_str()), (expected, told), "{words}");
            let warning = left_out_words(&left_out).map(|warning| warning.text);
            let expected = (!told.is_empty())
                .then(|| format!("`{{original|words}}` leaves {told} of its file name out of its texts"));
            assert_eq!(warning, expected);
        }
        // What may mean something else is no matter where a person wrote it.
        let sound = tags("Solar flux over a lake", "sun, flux, sky, lake, light, night, star");
        assert_eq!(lint(&names, &sound), []);
    }

    /// A market that got it without was told to have a keyword that markets refuse, and none was told of an empty cell.
    #[test]
    fn what_is_unwise_is_told_of_what_a_market_gets() {
        let all = built_in().unwrap();
        let names = Names::with(vec!["my rival".to_owned()]);
        let ai = SourceType::TrainedAlgorithmicMedia;
        let meta =
            Meta { source_type: ai, ..tags("My rival", "snow, tree, lake, sky, AI generated, night, star, moon") };
        // The market, the category, and what is told.
        let rows: [(&str, Option<&str>, &[WarningKind]); 4] = [
            ("adobe-stock", Some("landscapes"), &[WarningKind::Name]),
            ("adobe-stock", None, &[WarningKind::Name, WarningKind::NoCategory]),
            ("vecteezy", None, &[WarningKind::Name]),
            ("123rf", None, &[WarningKind::Name, WarningKind::Name]),
        ];
        for (name, category, expected) in rows {
            let market = all.iter().find(|market| market.name == name).unwrap();
            let fitted = fit(market, &meta).meta;
            let told: Vec<WarningKind> =
                lint_fitted(&names, market, &fitted, category).iter().map(|warning| warning.kind).collect();
            assert_eq!(told, expected, "{name}");
        }
        // Of a market that takes four nobody can have more.
        let mut market = all.into_iter().find(|market| market.name == "vecteezy").unwrap();
        for (max, has_few) in [(4, false), (50, true)] {
            market.keywords.max = max;
            let told = lint_fitted(&names, &market, &tags("Lake", "snow, tree, sky, night"), None);
            assert_eq!(told.iter().any(|warning| warning.kind == WarningKind::FewKeywords), has_few, "{max}");
        }
    }

    #[test]
    fn a_category_is_missed_where_a_market_has_room_for_it() {
        let all = built_in().unwrap();
        let told = |source_type, has: &[&str]| {
            let meta = Meta { source_type, ..Meta::default() };
            let warning = lacks_category(all.iter(), &|name| has.contains(&name), &meta);
            warning.map(|warning| warning.text).unwrap_or_default()
        };
        let (ai, camera) = (SourceType::TrainedAlgorithmicMedia, SourceType::DigitalCapture);
        assert_eq!(told(ai, &[]), "it has no category for `adobe-stock`, `dreamstime`: `category: {adobe-stock: …}`");
        assert_eq!(told(ai, &["adobe-stock", "dreamstime"]), "");
        assert!(told(camera, &["adobe-stock"]).contains("`shutterstock`"));
    }

    /// A file was refused for a category that its market does not ask for.
    #[test]
    fn a_category_for_a_market_without_any_is_told() {
        let all = built_in().unwrap();
        let told = |has: &[&str]| {
            idle_category(all.iter(), &|name| has.contains(&name)).map(|warning| warning.text).unwrap_or_default()
        };
        let rows: [(&[&str], &str); 3] = [
            (&["adobe-stock"], ""),
            (&["adobe-stock", "vecteezy"], "its category for `vecteezy` is not used, since that market asks for none"),
            (
                &["123rf", "vecteezy"],
                "its category for `123rf`, `vecteezy` is not used, since these markets ask for none",
            ),
        ];
        for (has, expected) in rows {
            assert_eq!(told(has), expected);
        }
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
        // Each group is named, as far as there are not too many.
        let groups = |count: usize| {
            let of =
                |n: usize| std::iter::repeat_n(tags(&format!("Cabin {n}"), &format!("k{n}")), 2 + usize::from(n == 1));
            let metas: Vec<Meta> = (0..count).flat_map(of).collect();
            repetition(&market("vecteezy"), &metas.iter().collect::<Vec<_>>()).remove(0)
        };
        let told = "in 2 groups have the same title, and the market wants it for at most 1: `Cabin 1` (3 files), `Cabin 0` (2 files)";
        assert_eq!(groups(2), format!("5 files {told}"));
        let many = groups(8);
        assert!(
            many.starts_with("17 files in 8 groups") && many.ends_with("`Cabin 4` (2 files), and 3 more"),
            "{many}"
        );
        // Each gets a number of its own.
        let numbered = tags("Cabin {n}", "");
        assert_eq!(repetition(&market("vecteezy"), &[&numbered, &numbered]).len(), 0);
        assert_eq!(repetition(&market("123rf"), &same).len(), 0);
    }
}
