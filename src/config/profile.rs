//! A market's profile as a person writes it. What is taken is what `market` takes; of a profile that is not taken, all
//! mistakes are told at once, each with its place.

use std::collections::BTreeSet;

use serde_yaml::{Mapping, Value};

use super::nodes::Nodes;
use super::profile_schema::{KEYS, PROFILE};
use super::shape::Shape;
use super::{Problem, Problems};
use crate::market::{Market, Unread, is_too_large, parse};
use crate::model::MarketName;

/// A profile with the keys alone that each must have. The rest of one with mistakes is looked at as if these stood in it.
const LEAST: &str = r#"name: my-shop
title: My Shop
accepts_ai: unknown
checked: 2026-11-28
source: the pages of my-shop, read by myself
kinds: [jpeg]
megapixels: {min: 4, max: 100}
bytes: {min: 1, max: 50000000}
file_name: {chars_max: 80, charset: portable}
title_text: {chars_max: 100}
keywords: {min: 5, max: 50}
csv:
  separator: ","
  bom: false
  rows_max: 5000
  bytes_max: 1000000
  columns:
    - {header: Filename, value: file_name}
    - {header: Title, value: title}
    - {header: Keywords, value: keywords}
"#;

/// What `ai_flag` is compared with.
const OF_AI_FLAG: [&str; 4] = ["title_text", "description_text", "forbidden_words", "categories"];

/// Reads the profile in the file `NAME.yaml`. All problems are returned together.
pub fn load_profile(name: &str, text: &str) -> Result<Market, Problems> {
    match (read(text), misnamed(name, text)) {
        (read, None) => read,
        (Ok(_), Some(problem)) => Err(Problems(vec![problem])),
        (Err(Problems(mut all)), Some(problem)) => {
            all.push(problem);
            all.sort_by_key(|problem| (problem.line, problem.column));
            Err(Problems(all))
        }
    }
}

/// Returns what is wrong if a profile says another name than its file has.
fn misnamed(file: &str, text: &str) -> Option<Problem> {
    let written: Mapping = if is_too_large(text) { None } else { serde_yaml::from_str(text).ok() }?;
    let name = written.get("name")?.as_str().filter(|name| *name != file && MarketName::new(name).is_ok())?;
    let what = format!(
        "is `{name}`, and the file is `{file}.yaml`: a profile has the name of its file; rename it to `{name}.yaml`, or \
         write the file's name into it"
    );
    // What has anchors is read without places.
    let nodes = Nodes::read(text).unwrap_or_default();
    Some(nodes.problem("name", what, None))
}

/// Reads a profile, whatever the name of its file. Its form is always checked: the other reader takes `true` for a text.
fn read(text: &str) -> Result<Market, Problems> {
    if is_too_large(text) {
        return Err(Problems(vec![first(&Unread::TooLarge)]));
    }
    if matches!(serde_yaml::from_str(text), Ok(Value::Null)) {
        // Of an empty one it is told which keys it lacks.
        return read("{}");
    }
    let (nodes, has_places) = match Nodes::read(text) {
        Ok(nodes) => (nodes, true),
        Err(problem) => (without_anchors(text).ok_or_else(|| Problems(vec![problem]))?, false),
    };
    let mut problems = nodes.check(&PROFILE);
    let market = parse(text);
    let senseless = match &market {
        Ok(_) => Vec::new(),
        Err(Unread::Senseless(all)) => all.clone(),
        Err(_) => senseless_besides(text, &problems),
    };
    problems.extend(senseless.into_iter().map(|(key, what)| nodes.problem(&key, what, None)));
    if !has_places {
        problems.iter_mut().for_each(|problem| (problem.line, problem.column) = (1, 1));
    }
    match market {
        Ok(market) if problems.is_empty() => return Ok(market),
        Err(unread) if problems.is_empty() => problems.push(first(&unread)),
        _ => problems.sort_by_key(|problem| (problem.line, problem.column)),
    }
    Err(Problems(problems))
}

/// Returns the nodes of sound YAML with anchors, which the reader of places does not know: without their places.
fn without_anchors(text: &str) -> Option<Nodes> {
    let written: Mapping = serde_yaml::from_str(text).ok()?;
    Nodes::read(&serde_yaml::to_string(&written).ok()?).ok()
}

/// Returns the first mistake of a profile, in the words of its reader.
fn first(unread: &Unread) -> Problem {
    let text = unread.to_string();
    let (what, place) = match unread {
        Unread::Form(_, place) => (text.split(" at line ").next().unwrap_or(&text).to_owned(), *place),
        Unread::TooLarge | Unread::Senseless(_) => (text, None),
    };
    let (line, column) = place.unwrap_or((1, 1));
    Problem { line, column, key: String::new(), what, hint: None }
}

/// Returns what makes no sense in a profile besides what has the wrong form. Nothing is told that only seems so since
/// another key is wrong.
fn senseless_besides(text: &str, problems: &[Problem]) -> Vec<(String, String)> {
    let section = |key: &str| key.split('.').next().unwrap_or_default().to_owned();
    let (Ok(written), Ok(mut whole)) = (serde_yaml::from_str::<Mapping>(text), serde_yaml::from_str::<Mapping>(LEAST))
    else {
        return Vec::new();
    };
    let mut wrong: BTreeSet<String> = problems.iter().map(|problem| section(&problem.key)).collect();
    let needed = KEYS.iter().filter(|(_, shape)| matches!(shape, Shape::Needed(_))).map(|(key, _)| *key);
    wrong.extend(needed.filter(|key| !written.contains_key(*key)).map(str::to_owned));
    let is_sound = |key: &Value| key.as_str().is_some_and(|key| !wrong.contains(key));
    whole.extend(written.into_iter().filter(|(key, _)| is_sound(key)));
    let Some(Err(Unread::Senseless(found))) = serde_yaml::to_string(&whole).ok().map(|text| parse(&text)) else {
        return Vec::new();
    };
    let depends = |key: &str, what: &str| match key {
        "ai_flag" => OF_AI_FLAG.iter().any(|other| wrong.contains(*other)),
        "facts" => wrong.iter().any(|other| what.contains(&format!("no `{other}`"))),
        _ => false,
    };
    found.into_iter().filter(|(key, what)| !wrong.contains(&section(key)) && !depends(key, what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;

    fn told(text: &str) -> Vec<String> {
        read(text).map_or_else(|Problems(all)| all.iter().map(Problem::to_string).collect(), |_| Vec::new())
    }

    /// Each was told alone, the next one when it was mended.
    #[test]
    fn all_mistakes_of_a_profile_are_told_at_once() {
        let text = "name: shop\ntitel: Shop\naccepts_ai: perhaps\nchecked: yesterday\nsource: s\nkinds: [jpg, mp4]\n\
            megapixels: {min: 400, max: 100}\nbytes: {min: 1}\nfile_name: {chars_max: 30, charset: portabel}\n\
            title_text: {chars_max: 70}\nkeywords: {min: 1, max: fifty}\nvideo: {codecs: [h246], seconds: {min: 9, max: 5}}\n\
            facts:\n  - {about: [megapixel, bytes], source: s, checked: 2026-11-28, known: offical}\n\
            csv: {separator: \",,\", bom: false, rows_max: 10, columns: [{header: File, valeu: file_name}]}\n";
        let expected = [
            "line 2, column 1: `titel`: there is no such setting; did you mean `title`?",
            "line 3, column 13: `accepts_ai`: `perhaps` must be one of true, false, unknown",
            "line 4, column 10: `checked`: `yesterday` is no day; write it as 2026-11-28",
            "line 6, column 9: `kinds`: `jpg` must be one of png, jpeg, webp,",
            "line 7, column 13: `megapixels`: `min` is 400.0, which is more than `max`, 100.0",
            "line 8, column 8: `bytes`: lacks `max`",
            "line 9, column 37: `file_name.charset`: `portabel` must be one of portable, alphanumeric; did you mean `portable`?",
            "line 11, column 25: `keywords.max`: `fifty` must be a whole number from 0 to ",
            "line 12, column 17: `video.codecs`: stockmill knows no codec `h246` (did you mean `h264`?)",
            "line 12, column 34: `video.seconds`: has `min`, `max` or both",
            "line 14, column 72: `facts.known`: `offical` must be one of official, reported, not_established; did you mean `official`?",
            "line 15, column 18: `csv.separator`: `,,` must be one sign such as `,` or `;`, or a tab",
            "line 15, column 6: `csv`: lacks `bytes_max`",
            "line 15, column 75: `csv.columns.valeu`: there is no such setting; did you mean `value`?",
        ];
        let found = told(text);
        for expected in expected {
            assert!(found.iter().any(|found| found.starts_with(expected)), "{expected}\n{}", found.join("\n"));
        }
        assert_eq!(found.len(), expected.len(), "{}", found.join("\n"));
        assert!(found[3].ends_with("did you mean `jpeg`?"), "{}", found[3]);
    }

    /// It was told last, once all other mistakes were mended.
    #[test]
    fn another_name_than_that_of_the_file_is_told_with_the_rest() {
        let told = |file: &str, text: &str| match load_profile(file, text) {
            Ok(_) => Vec::new(),
            Err(Problems(all)) => all.iter().map(Problem::to_string).collect(),
        };
        let misnamed = "line 1, column 7: `name`: is `my-shop`, and the file is `shop.yaml`: a profile has the name";
        let wrong = LEAST.replace("kinds: [jpeg]", "kinds: jpeg");
        let anchored = LEAST.replace("title: My Shop", "title: &a My Shop");
        let unnamed = LEAST.replace("name: my-shop\n", "");
        // The file's name, the text, and how each line that is told begins.
        let rows: [(&str, &str, &[&str]); 6] = [
            ("my-shop", LEAST, &[]),
            ("shop", LEAST, &[misnamed]),
            ("shop", &wrong, &[misnamed, "line 6, column 8: `kinds`: must be a list"]),
            ("shop", &anchored, &["line 1, column 1: `name`: is `my-shop`"]),
            ("shop", &unnamed, &["line 1, column 1: lacks `name`"]),
            ("shop", "name: my-shop\nname: [", &["line "]),
        ];
        for (file, text, expected) in rows {
            let found = told(file, text);
            let is_it = |(found, expected): (&String, &&str)| found.starts_with(expected);
            assert!(found.len() == expected.len() && found.iter().zip(expected).all(is_it), "{}", found.join("\n"));
        }
    }

    #[test]
    fn an_empty_profile_lacks_all_that_it_must_have() {
        for empty in ["", "# my shop\n", "~", "---\n"] {
            assert_eq!(told(empty), told("{}"), "{empty:?}");
        }
        assert!(told("")[0].contains("lacks `name`, `title`, `accepts_ai`"), "{:?}", told(""));
    }

    /// What is missing is told by its name; what only seems wrong since another key is, is not told.
    #[test]
    fn what_is_missing_is_told_and_nothing_that_follows_from_it() {
        let change = |was: &str, now: &str| {
            assert!(LEAST.contains(was), "{was}");
            told(&LEAST.replacen(was, now, 1))
        };
        // What is replaced, by what, and what is told.
        let rows: [(&str, &str, &[&str]); 10] = [
            ("title: My Shop\n", "", &["line 1, column 1: lacks `title`"]),
            (
                "csv:\n",
                "csv:\ncsb:\n",
                &["line 12, column 1: `csv`: has no value", "line 13, column 1: `csb`: there is"],
            ),
            (
                "title_text: {chars_max: 100}",
                "ai_flag: {in_title: \"AI\", in_titel: x}\ntitle_text: {chars_max: a}",
                &[
                    "line 10, column 27: `ai_flag.in_titel`: there is no such setting; did you mean `in_title`?",
                    "line 11, column 25: `title_text.chars_max`: `a` must be a whole number",
                ],
            ),
            (
                "title_text: {chars_max: 100}",
                "title_text: {chars_max: 100, forbidden: \" ,;\"}\ndescription_text: {chars_max: 9, forbidden: \"; \"}",
                &[
                    "line 10, column 41: `title_text.forbidden`: has a blank, and words have blanks between them",
                    "line 11, column 45: `description_text.forbidden`: has a blank",
                ],
            ),
            (
                "title_text: {chars_max: 100}",
                "title_text: {chars_max: 100, forbidden: [\",\", \";\"]}",
                &[
                    "line 10, column 41: `title_text.forbidden`: must be a text of the signs, one after another, such as \",;\"",
                ],
            ),
            (
                "kinds: [jpeg]",
                "kinds: jpeg\nfacts: [{about: [kinds], source: s, checked: 2026-11-28}]",
                &["line 6, column 8: `kinds`: must be a list"],
            ),
            (
                "kinds: [jpeg]",
                "kinds: [jpeg]\ncategories_of_a_file: {min: 4, max: 4}\nforbidden_words: [\" \"]",
                &[
                    "line 7, column 23: `categories_of_a_file`: a file has at most 3",
                    "line 8, column 18: `forbidden_words`: one of them has no letter",
                ],
            ),
            ("name: my-shop", "name: my-shop\nname: other", &["line 2, column 1: `name` is written twice; keep one"]),
            ("name: my-shop", "name: [", &["line "]),
            ("name: my-shop", "name: shop-2", &["line 1, column 7: `name`: "]),
        ];
        for (was, now, expected) in rows {
            let found = change(was, now);
            let is_it = |(found, expected): (&String, &&str)| found.starts_with(expected);
            assert!(
                found.len() == expected.len() && found.iter().zip(expected).all(is_it),
                "{now}: {}",
                found.join("\n")
            );
        }
        let found = told(&"[".repeat(60_000));
        assert_eq!(found, ["line 1, column 1: a profile has at most 262144 bytes and 1000 brackets"]);
    }

    /// Titles became `Night city - true`, and only another mistake in the same file made it known.
    #[test]
    fn what_is_no_text_is_told_without_another_mistake() {
        let flag = |flag: &str| format!("{LEAST}ai_flag: {flag}\n");
        let quoted = |value: &str| format!("`{value}` must be text; write \"{value}\" if you mean it");
        // The profile, the key, and what is told of it; nothing of what is taken.
        let rows = [
            (LEAST.to_owned(), "", String::new()),
            (flag("{in_title: true, keyword: AI made}"), "line 21, column 21: `ai_flag.in_title`", quoted("true")),
            (flag("{in_title: \"true\", keyword: AI made}"), "", String::new()),
            (LEAST.replace("title: My Shop", "title: 7"), "line 2, column 8: `title`", quoted("7")),
            (
                LEAST.replace("source: the pages of my-shop, read by myself", "source: true"),
                "line 5, column 9: `source`",
                quoted("true"),
            ),
            (format!("{LEAST}checklist: [Log in, 5]\n"), "line 21, column 21: `checklist`", quoted("5")),
            // What has anchors is checked as well.
            (LEAST.replace("title: My Shop", "title: &a 7"), "line 1, column 1: `title`", quoted("7")),
            (LEAST.replace("title: My Shop", "title: &a My Shop"), "", String::new()),
        ];
        for (text, key, what) in rows {
            let expected = if key.is_empty() { Vec::new() } else { vec![format!("{key}: {what}")] };
            assert_eq!(told(&text), expected, "{text}");
        }
    }

    /// A key that nobody told here would be called unknown where another one is wrong.
    #[test]
    fn every_key_of_a_profile_is_known_here() {
        let text = parse("unknown: 1").unwrap_err().to_string();
        let names: Vec<&str> = text.split('`').skip(3).step_by(2).collect();
        assert_eq!(names, KEYS.iter().map(|(key, _)| *key).collect::<Vec<_>>(), "{text}");
        for market in built_in().unwrap() {
            let path = format!("{}/config/markets/{}.yaml", env!("CARGO_MANIFEST_DIR"), market.name);
            let text = std::fs::read_to_string(path).unwrap();
            assert_eq!(Nodes::read(&text).unwrap().check(&PROFILE), [], "{}", market.name);
        }
    }

    /// Whoever copies the example gets a market.
    #[test]
    fn the_example_of_the_document_is_whole() {
        let page = include_str!("../../docs/MARKETS.md");
        let (_, rest) = page.split_once("```yaml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        assert_eq!(load_profile("my-shop", example).unwrap().name, "my-shop");
        assert_eq!(example, LEAST);
    }
}
