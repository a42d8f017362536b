//! Tags as a market takes them, and what that leaves out of them.

use std::collections::{BTreeSet, HashSet};

use super::checks::described;
use super::phrase::{find_phrase, words_in};
use super::profile::{Market, TextLimit};
use crate::model::hierarchy::{levels, of_keywords};
use crate::model::{Meta, normal_keyword};

/// What a spreadsheet takes for the start of a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];
/// What joins two parts of a sentence, and joins nothing where one of them is gone.
const JOINTS: [char; 11] = [':', ';', ',', '-', '–', '—', '|', '/', '&', '·', '+'];
/// What leads to a word, and leads nowhere where that is gone.
const LEADS: [&str; 17] = [
    "a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "through", "to", "using", "via", "with",
];
/// What stands before these, and says nothing without them.
const LED: [&str; 7] = ["art", "created", "drawn", "generated", "made", "rendered", "style"];
/// What nobody sees, and joins nothing.
const INVISIBLE: [char; 4] = ['\u{ad}', '\u{200b}', '\u{2060}', '\u{feff}'];
/// What is empty where the words in it are gone.
const EMPTY: [&str; 3] = ["()", "[]", "\"\""];
/// No market takes as much, and what is taken out of more of it would take minutes.
const OWN_CHARS_MAX: usize = 10_000;

/// Tags as a market takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// They, for the file and for the manifest alike.
    pub meta: Meta,
    /// What was taken away from them, in words; a person may want to say it otherwise.
    pub left_out: Vec<String>,
}

/// Fits tags to a market: texts without the signs and words that it refuses, cut at a word; the first so many keywords,
/// each once; and the words by which it knows what AI made.
pub fn fit(market: &Market, meta: &Meta) -> Fitted {
    let flag = Some(&market.ai_flag).filter(|_| meta.source_type.is_by_ai());
    let mut left_out = Vec::new();
    let mut text = |what: &str, own: &str, limit: Option<&TextLimit>, flag: Option<&String>, joint: &str| {
        let signs = limit.map_or("", |limit| &limit.forbidden);
        let (clean, told) = clean(market, own, signs);
        let joint = if joint.contains(|sign| signs.contains(sign)) { " " } else { joint };
        let chars_max = limit.map_or(usize::MAX, |limit| limit.chars_max);
        let (fitted, cut) = with_words(&clean, flag.map(String::as_str), joint, chars_max);
        let cut = cut.map(|(short, long)| format!("is cut at a word, to {short} of {long} characters"));
        left_out.extend(told.into_iter().chain(cut).map(|told| format!("its {what} {told}")));
        fitted
    };
    let title =
        text("title", &meta.title, Some(&market.title_text), flag.and_then(|flag| flag.in_title.as_ref()), " - ");
    let in_description = flag.and_then(|flag| flag.in_description.as_ref());
    let is_unfit = |limit: &TextLimit| {
        title.chars().count() > limit.chars_max || title.contains(|sign| limit.forbidden.contains(sign))
    };
    // What says that AI made it cannot stand in a description that is not there, and not every title can stand in for one.
    let needs_own = in_description.is_some() || market.description_text.as_ref().is_some_and(is_unfit);
    let own = if needs_own { described(meta) } else { &meta.description };
    let description = text("description", own, market.description_text.as_ref(), in_description, ". ");
    let (keywords, told) = keywords(market, &meta.keywords, flag.and_then(|flag| flag.keyword.as_deref()));
    left_out.extend(told);
    let creator = without_formula(&meta.creator);
    let is_cut = creator != normal_keyword(&meta.creator);
    left_out.extend(is_cut.then(|| "its creator begins without the sign that a table takes for a formula".to_owned()));
    let hierarchy = hierarchy(market, &meta.hierarchy, &keywords);
    Fitted { meta: Meta { title, description, keywords, hierarchy, creator, ..meta.clone() }, left_out }
}

/// Returns the keywords that a market takes, each once, the most important first and its flag last, and what is told of
/// the others.
fn keywords(market: &Market, all: &[String], flag: Option<&str>) -> (Vec<String>, Vec<String>) {
    let (mut keywords, mut refused): (Vec<(&String, String)>, Vec<String>) = (Vec::new(), Vec::new());
    let mut known: HashSet<String> = flag.iter().map(|flag| flag.to_lowercase()).collect();
    let mut vanished = Vec::new();
    for own in all {
        let text = on_table(own);
        let keyword = without_formula(&text);
        match () {
            () if keyword.is_empty() => vanished.push(own),
            () if market.forbidden_words.iter().any(|word| find_phrase(&text, word, 0).is_some()) => {
                refused.push(format!("`{own}`"));
            }
            () if known.insert(keyword.to_lowercase()) => keywords.push((own, keyword)),
            () => (),
        }
    }
    let room = market.keywords.max.saturating_sub(flag.iter().count());
    let beyond = keywords.len().saturating_sub(room);
    keywords.truncate(room);
    let one_line = |own: &str| normal_keyword(&seen(own));
    let changed = keywords.iter().filter(|(own, keyword)| one_line(own) != *keyword);
    let changed = changed.map(|(own, keyword)| format!("`{own}` as `{keyword}`"));
    let vanished =
        vanished.into_iter().filter(|own| !one_line(own).is_empty()).map(|own| format!("`{own}` not at all"));
    let changed: Vec<String> = changed.chain(vanished).collect();
    let changed = (!changed.is_empty()).then(|| {
        let signs = "commas, semicolons, quotation marks and the sign that a table takes for a formula";
        format!("its keywords are without {signs}: {}", changed.join(", "))
    });
    let refused = (!refused.is_empty()).then(|| format!("the market refuses the keywords {}", refused.join(", ")));
    let beyond = (beyond > 0)
        .then(|| match beyond {
            1 => "the last keyword is".to_owned(),
            _ => format!("the last {beyond} keywords are"),
        })
        .map(|beyond| format!("{beyond} left out, since it takes {}", market.keywords.max));
    let keywords = keywords.into_iter().map(|(_, keyword)| keyword).chain(flag.map(str::to_owned)).collect();
    (keywords, changed.into_iter().chain(refused).chain(beyond).collect())
}

/// Returns a keyword as all markets get it: with no sign that divides keywords, or begins a formula.
pub fn as_keyword(own: &str) -> String {
    without_formula(&on_table(own))
}

/// Returns a keyword without what divides or quotes keywords in a table.
fn on_table(own: &str) -> String {
    normal_keyword(&seen(&own.replace([',', ';', '"'], " ")))
}

/// Returns where the keywords that a market takes stand, without what has a refused word in any of its levels.
fn hierarchy(market: &Market, paths: &[String], keywords: &[String]) -> Vec<String> {
    let is_refused = |level: &str| market.forbidden_words.iter().any(|word| find_phrase(level, word, 0).is_some());
    let mut paths = of_keywords(paths, keywords);
    paths.retain(|path| !levels(path).any(is_refused));
    paths
}

/// Returns a text without signs and the market's refused words, and what is told of that.
fn clean(market: &Market, own: &str, signs: &str) -> (String, Vec<String>) {
    let mut told = Vec::new();
    let whole = own;
    let own = own.char_indices().nth(OWN_CHARS_MAX).map_or(own, |(end, _)| &own[..end]);
    if own.len() < whole.len() {
        told.push(format!("is read up to its character {OWN_CHARS_MAX}, and the rest is left out"));
    }
    let mut found: Vec<char> = own.chars().filter(|c| signs.contains(*c)).collect();
    found.sort_unstable();
    found.dedup();
    if !found.is_empty() {
        let found: Vec<String> = found.iter().map(|sign| format!("`{sign}`")).collect();
        told.push(format!("is without {}, which the market refuses", found.join(" ")));
    }
    let mut text: String = seen(own).chars().map(|c| if signs.contains(c) { ' ' } else { c }).collect();
    let mut gone: Vec<String> = Vec::new();
    // What is left when one is gone may be another one.
    while let Some((word, without)) =
        market.forbidden_words.iter().find_map(|word| Some((word, without_word(&text, word)?)))
    {
        text = without;
        let word = format!("`{word}`");
        if !gone.contains(&word) {
            gone.push(word);
        }
    }
    if !gone.is_empty() {
        told.push(format!("is without {}, which the market refuses", gone.join(", ")));
    }
    let text = if told.is_empty() { normal_keyword(&text) } else { with_capitals(&tidy(&text), own) };
    let clean = without_formula(&text);
    if clean != normal_keyword(&text) {
        told.push("begins without the sign that a table takes for a formula".to_owned());
    }
    (clean, told)
}

/// Returns a text without what nobody sees in it.
fn seen(text: &str) -> String {
    text.chars().filter(|c| !INVISIBLE.contains(c)).collect()
}

/// Returns a text without the signs at its start that a spreadsheet takes for a formula, on a single line.
fn without_formula(text: &str) -> String {
    normal_keyword(text).trim_start_matches(|c: char| FORMULA.contains(&c) || c == ' ').to_owned()
}

/// Returns a text, cut at a word, that says some words at its end if it does not say them anyhow; and how many of how many
/// characters of its own are left, if it was cut.
fn with_words(text: &str, words: Option<&str>, joint: &str, chars_max: usize) -> (String, Option<(usize, usize)>) {
    let told = |cut: &str| {
        let (short, long) = (cut.chars().count(), text.chars().count());
        (short < long).then_some((short, long))
    };
    let whole = cut_at_word(text, chars_max);
    let missing = words.filter(|words| !text.is_empty() && find_phrase(&whole, words, 0).is_none());
    let Some(words) = missing else { return (whole.clone(), told(&whole)) };
    // A sentence that ends is not ended again.
    let joint = if text.ends_with(['.', '!', '?']) { joint.trim_start_matches('.') } else { joint };
    let tail = format!("{joint}{words}");
    let Some(room) = chars_max.checked_sub(tail.chars().count()).filter(|room| *room > 0) else {
        return (whole.clone(), told(&whole));
    };
    let cut = cut_at_word(text, room);
    (format!("{cut}{tail}"), told(&cut))
}

/// Returns a text without a word or phrase, whatever its case, and without the punctuation that it leaves behind; parts
/// of longer words stay. `None` if it is not in there.
pub(super) fn without_word(text: &str, word: &str) -> Option<String> {
    let (mut rest, mut from, mut is_found) = (text.to_owned(), 0, false);
    while let Some((start, end)) = find_phrase(&rest, word, from) {
        let joined = joined(&rest[..start], &rest[end..]);
        (from, rest, is_found) = (joined.0, joined.1, true);
    }
    is_found.then_some(rest)
}

/// Returns a text whose sentences begin with a capital if those of the text that it was made of do.
fn with_capitals(text: &str, own: &str) -> String {
    fn first_words(text: &str) -> impl Iterator<Item = (usize, usize)> {
        let ends = |between: &str| {
            let is_end = |(at, _): (usize, &str)| between[at + 1..].starts_with(char::is_whitespace);
            between.match_indices(['.', '!', '?']).any(is_end)
        };
        let mut before = None;
        words_in(text, 0)
            .filter(move |(start, end)| before.replace(*end).is_none_or(|before| ends(&text[before..*start])))
    }
    // What follows an abbreviation begins no sentence, and stays as it is.
    let known: BTreeSet<&str> = first_words(own).map(|(start, end)| &own[start..end]).collect();
    if !first_words(own).next().is_some_and(|(start, _)| own[start..].starts_with(char::is_uppercase)) {
        return text.to_owned();
    }
    let (mut whole, mut from) = (String::new(), 0);
    for (start, end) in first_words(text).filter(|(start, end)| !known.contains(&text[*start..*end])) {
        let first = text[start..end].chars().next().unwrap_or_default();
        whole.push_str(&text[from..start]);
        whole.extend(first.to_uppercase());
        from = start + first.len_utf8();
    }
    whole + &text[from..]
}

/// Returns a text on a single line without the punctuation and the blanks that signs and words left behind.
pub(super) fn tidy(text: &str) -> String {
    let is_end = |c: char| matches!(c, '.' | '!' | '?');
    let is_joint = |c: char| JOINTS.contains(&c);
    let is_joined = |text: &str| {
        text.ends_with([',', ';', ':']) || text.rsplit(' ').next().is_some_and(|last| last.chars().all(is_joint))
    };
    let mut tidy = String::new();
    for word in normal_keyword(text).replace("( )", "").replace("[ ]", "").split(' ').filter(|word| !word.is_empty()) {
        let is_alone = word.chars().all(|c| is_joint(c) || is_end(c));
        match () {
            () if is_alone && (tidy.is_empty() || tidy.ends_with(is_end)) => (),
            // Of two that join the same, the one that ends a sentence stays.
            () if is_alone && is_joined(&tidy) => {
                if word.starts_with(is_end) {
                    tidy.truncate(tidy.trim_end_matches(|c| is_joint(c) || c == ' ').len());
                    tidy.push_str(word);
                }
            }
            () if word.starts_with([',', ')', ']']) || is_alone && word.starts_with('.') => tidy.push_str(word),
            () => {
                tidy.push_str(if tidy.is_empty() { "" } else { " " });
                tidy.push_str(word);
            }
        }
    }
    // What joins nothing stands alone at the end.
    while let Some((head, _)) = tidy.rsplit_once(' ').filter(|(_, last)| last.chars().all(is_joint)) {
        tidy.truncate(head.len());
    }
    tidy.trim_end_matches(',').to_owned()
}

/// Joins what stood on both sides of a word that is gone; returns where the second begins, and the text.
fn joined(head: &str, tail: &str) -> (usize, String) {
    let is_joint = |c: char| JOINTS.contains(&c);
    let (bare_head, bare_tail) = (head.trim_end(), tail.trim_start());
    let begins = bare_head.is_empty() || bare_head.ends_with(is_joint);
    let tail = if begins && bare_tail.starts_with(is_joint) { bare_tail.trim_start_matches(is_joint) } else { tail };
    let tail = if begins { without_first_lead(tail) } else { tail };
    let ends =
        tail.trim_start().is_empty() || tail.trim_start().starts_with(|c: char| is_joint(c) || ".)]".contains(c));
    let head = if ends || is_lead(first_word(tail)) { without_leads(head) } else { head };
    let head = if tail.trim().is_empty() { head.trim_end().trim_end_matches(is_joint).trim_end() } else { head };
    let opened =
        EMPTY.iter().find(|pair| head.trim_end().ends_with(&pair[..1]) && tail.trim_start().starts_with(&pair[1..]));
    match opened {
        Some(_) => {
            let (head, tail) = (head.trim_end(), tail.trim_start());
            joined(&head[..head.len() - 1], &tail[1..])
        }
        None => (head.len(), format!("{head}{tail}")),
    }
}

fn is_lead(word: &str) -> bool {
    LEADS.contains(&word.to_lowercase().as_str())
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
}

/// Returns what follows a word that is gone, without the `of` or `by` that it began with.
fn without_first_lead(tail: &str) -> &str {
    let word = first_word(tail);
    let is_one = ["and", "by", "from", "of", "or", "with"].contains(&word.to_lowercase().as_str());
    if is_one { tail.trim_start()[word.len()..].trim_start() } else { tail }
}

/// Returns what stood before a word that is gone, without the words that led to it.
fn without_leads(head: &str) -> &str {
    let mut left = head;
    loop {
        let bare = left.trim_end();
        let word = bare.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let is_led = left.len() < head.len() && LED.contains(&word.to_lowercase().as_str());
        if !is_lead(word) && !is_led {
            return if left.len() < head.len() { bare } else { head };
        }
        left = &bare[..bare.len() - word.len()];
    }
}

fn cut_at_word(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let head: String = text.chars().take(chars_max + 1).collect();
    let cut = match head.rsplit_once(' ') {
        Some((whole, _)) if !whole.is_empty() => whole,
        _ => return text.chars().take(chars_max).collect(),
    };
    cut.trim_end_matches(|c: char| c == ' ' || JOINTS.contains(&c)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::market::profile::AiFlag;
    use crate::model::SourceType;

    fn market(name: &str) -> Market {
        built_in().unwrap().into_iter().find(|market| market.name == name).unwrap()
    }

    fn tags(title: &str, keywords: &[&str], more: usize) -> Meta {
        let keywords = keywords.iter().map(|word| (*word).to_owned()).chain((0..more).map(|n| format!("k{n}")));
        Meta { title: title.to_owned(), keywords: keywords.collect(), ..Meta::default() }
    }

    /// The CSV said another creator than the file.
    #[test]
    fn a_creator_begins_with_no_sign_of_a_formula() {
        for (creator, expected) in [("Jo", "Jo"), ("=Jo", "Jo"), ("\t@ +Jo", "Jo"), ("Jo = Ann", "Jo = Ann")] {
            let meta = Meta { creator: creator.to_owned(), ..tags("Sea", &["sea"], 0) };
            let fitted = fit(&market("adobe-stock"), &meta);
            let told = fitted.left_out.iter().any(|told| told.starts_with("its creator begins without"));
            assert_eq!((fitted.meta.creator.as_str(), told), (expected, creator.trim() != expected), "{creator:?}");
        }
    }

    #[test]
    fn tags_are_fitted_and_what_is_left_out_is_told() {
        let long = "a cabin in deep snow below a mountain, warm light in the window, at dusk again";
        // The tags; the title and the keywords that Adobe Stock gets, and what is told.
        let cases: [(Meta, &str, &[&str], &[&str]); 11] = [
            (tags("A cabin", &["snow", "Snow"], 0), "A cabin", &["snow"], &[]),
            // What XML bars, and what it only advises against.
            (tags("A\u{fffe}\u{7}cabin\u{1ffff}\u{202e}", &["\u{fdd0}snow", "\u{ffff}"], 0), "A cabin", &["snow"], &[]),
            (
                tags(long, &["snow"], 0),
                "a cabin in deep snow below a mountain warm light in the window at dusk",
                &["snow"],
                &[
                    "its title is without `,`, which the market refuses",
                    "its title is cut at a word, to 70 of 76 characters",
                ],
            ),
            (
                tags("Generative AI: city; neon", &["AI generated", "Midjourney art", "fireflies", "a,b"], 0),
                "City neon",
                &["fireflies", "a b"],
                &[
                    "its title is without `;`, which the market refuses",
                    "its title is without `generative ai`, which the market refuses",
                    "its keywords are without commas, semicolons, quotation marks and the sign that a table takes for a formula: `a,b` as `a b`",
                    "the market refuses the keywords `AI generated`, `Midjourney art`",
                ],
            ),
            (
                tags("City (Midjourney) at night", &[], 0),
                "City at night",
                &[],
                &["its title is without `midjourney`, which the market refuses"],
            ),
            (tags("City - AI art", &[], 0), "City", &[], &["its title is without `ai art`, which the market refuses"]),
            (tags("Firefly", &[], 0), "", &[], &["its title is without `firefly`, which the market refuses"]),
            (
                tags("=cmd' /C calc'!A0", &["=cmd", "+1", "Cmd", "=", "\u{200b}sea"], 0),
                "cmd' /C calc'!A0",
                &["cmd", "1", "sea"],
                &[
                    "its title begins without the sign that a table takes for a formula",
                    "its keywords are without commas, semicolons, quotation marks and the sign that a table takes for a formula: `=cmd` as \
                     `cmd`, `+1` as `1`, `=` not at all",
                ],
            ),
            (
                tags("</rdf:li><x/> & \"'", &[], 0),
                "/rdf:li x/ & '",
                &[],
                &["its title is without `\"` `<` `>`, which the market refuses"],
            ),
            (tags("A cabin", &["snow"], 49), "A cabin", &[], &["the last keyword is left out, since it takes 49"]),
            (tags("A cabin", &["snow"], 50), "A cabin", &[], &["the last 2 keywords are left out, since it takes 49"]),
        ];
        for (meta, title, keywords, told) in cases {
            let fitted = fit(&market("adobe-stock"), &meta);
            assert_eq!(
                (fitted.meta.title.as_str(), fitted.left_out),
                (title, told.iter().map(|told| (*told).to_owned()).collect())
            );
            if keywords.is_empty() {
                assert!(fitted.meta.keywords.len() <= 49);
            } else {
                assert_eq!(fitted.meta.keywords, keywords, "{title}");
            }
        }
    }

    /// A hierarchical keyword in the file would still say what the keywords do not.
    #[test]
    fn where_a_keyword_stands_goes_where_the_keyword_goes() {
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let hierarchy = text(&["places|Home|Alps", "Midjourney|snow", "alps|AI generated", "alps|beyond"]);
        let meta = Meta { hierarchy, ..tags("A cabin", &["places", "alps", "Midjourney", "snow", "AI generated"], 60) };
        assert_eq!(fit(&market("adobe-stock"), &meta).meta.hierarchy, ["places|Alps"]);
    }

    /// What is left of two phrases may be a third one, dividers hide none, and signs divide words.
    #[test]
    fn no_refused_phrase_is_left() {
        for (title, fitted) in [
            ("Stable midjourney diffusion night", "Night"),
            ("ai ai generated generated lake", "lake"),
            ("Generative-AI lake, stable_diffusion", "Lake"),
            ("Stable  Diffusion meadow", "Meadow"),
            ("DALL·E lake", "Lake"),
            ("Winter|Snow<br>", "Winter Snow br"),
            ("\u{200b}\u{feff}", ""),
        ] {
            assert_eq!(fit(&market("adobe-stock"), &tags(title, &[], 0)).meta.title, fitted, "{title}");
        }
    }

    /// Titles had a blank before a comma, and descriptions began with a small letter.
    #[test]
    fn what_is_taken_out_leaves_nothing_behind() {
        let mut adobe = market("adobe-stock");
        adobe.title_text.forbidden = "0123456789".to_owned();
        adobe.forbidden_words = vec!["fog".to_owned()];
        for (title, fitted) in [
            ("Foggy pine forest 4, pine forest 5", "Foggy pine forest, pine forest"),
            ("Fog between pines at dawn. Fog above a lake 2.", "Between pines at dawn. Above a lake."),
            ("2024 - Forest - 2025", "Forest"),
            ("Forest, 3, 4, lake (5), sky", "Forest, lake, sky"),
            ("Pine fog, forest", "Pine, forest"),
            ("Lake, fog. Sky", "Lake. Sky"),
            ("Lake. Fog. Sky", "Lake. Sky"),
            ("fog between pines", "between pines"),
            ("Hotel St. moritz, fog. Fog above", "Hotel St. moritz. Above"),
            ("Rock & 3 roll 4 &", "Rock & roll"),
            ("1, 2", ""),
            // A sentence that ends twice before its first word.
            ("Lake. ( . fog sky", "Lake. (. Sky"),
            // Nothing is taken out.
            ("Lake , sky - ( )", "Lake , sky - ( )"),
        ] {
            assert_eq!(fit(&adobe, &tags(title, &[], 0)).meta.title, fitted, "{title}");
        }
    }

    /// Each market names what AI made in its own way, and names nothing else so.
    #[test]
    fn what_ai_made_is_named_as_the_market_wants_it() {
        let words = "winter ".repeat(30);
        // The market, the title, the title and the description that it gets, its last keyword.
        let cases = [
            ("vecteezy", "A cabin", "A cabin - AI generated", "", "AI generated"),
            ("vecteezy", "A cabin, ai generated", "A cabin, ai generated", "", "AI generated"),
            ("vecteezy", words.trim(), &format!("{} - AI generated", "winter ".repeat(12).trim()), "", "AI generated"),
            ("vecteezy", "Bonsai generated by nature", "Bonsai generated by nature - AI generated", "", "AI generated"),
            (
                "vecteezy",
                &format!("{words}AI generated"),
                &format!("{} - AI generated", "winter ".repeat(12).trim()),
                "",
                "AI generated",
            ),
            ("dreamstime", "A cabin", "A cabin", "A cabin. AI generated", "k"),
            ("magnific", "A cabin; \"old\"", "A cabin old", "", "_ai_generated"),
        ];
        for (name, title, fitted_title, description, keyword) in cases {
            let fitted = fit(&market(name), &tags(title, &["k"], 0)).meta;
            assert_eq!((fitted.title.as_str(), fitted.description.as_str()), (fitted_title, description), "{name}");
            assert_eq!(fitted.keywords.last().map(String::as_str), Some(keyword), "{name}");
            let captured = Meta { source_type: SourceType::DigitalCapture, ..tags("A cabin", &["k"], 0) };
            assert_eq!(fit(&market(name), &captured).meta, captured, "{name}");
        }
        let many = fit(&market("magnific"), &tags("A cabin", &[], 80)).meta.keywords;
        assert_eq!((many.len(), many[49].as_str()), (50, "_ai_generated"));
    }

    /// ` - AI` stood in titles that may have no dash, and quotation marks in keywords.
    #[test]
    fn no_refused_sign_comes_in_by_another_way() {
        let mut vecteezy = market("vecteezy");
        for (signs, title) in [("-", "A cabin AI generated"), ("", "A cabin - AI generated")] {
            vecteezy.title_text.forbidden = signs.to_owned();
            assert_eq!(fit(&vecteezy, &tags("A cabin", &[], 0)).meta.title, title, "{signs}");
        }
        let fitted = fit(&market("magnific"), &tags("A cabin", &["5\" screen", "\"q\""], 0));
        assert_eq!(fitted.meta.keywords, ["5 screen", "q", "_ai_generated"]);
        let told = "its keywords are without commas, semicolons, quotation marks and the sign that a table takes for a \
                    formula: `5\" screen` as `5 screen`, `\"q\"` as `q`";
        assert_eq!(fitted.left_out, [told]);
    }

    /// The title stands in for a description that is not there: it came into the table longer than a description may be.
    #[test]
    fn a_title_that_stands_in_for_a_description_keeps_its_limits() {
        let mut dreamstime = market("dreamstime");
        dreamstime.ai_flag = AiFlag::default();
        for (chars_max, forbidden, description) in
            [(12, "", "A cabin; in"), (200, ";", "A cabin in deep snow"), (200, "", "")]
        {
            dreamstime.description_text = Some(TextLimit { chars_min: 0, chars_max, forbidden: forbidden.to_owned() });
            let fitted = fit(&dreamstime, &tags("A cabin; in deep snow", &[], 0)).meta;
            assert_eq!((fitted.title.as_str(), fitted.description.as_str()), ("A cabin; in deep snow", description));
        }
    }

    #[test]
    fn a_text_that_no_market_takes_whole_is_cut_before_it_is_read() {
        let mut adobe = market("adobe-stock");
        adobe.title_text.chars_max = 1 << 20;
        let rows = [
            (OWN_CHARS_MAX, &[][..]),
            (OWN_CHARS_MAX + 1, &["its title is read up to its character 10000, and the rest is left out"]),
        ];
        for (chars, told) in rows {
            let fitted = fit(&adobe, &tags(&"é".repeat(chars), &[], 0));
            assert_eq!(fitted.meta.title.chars().count(), OWN_CHARS_MAX);
            assert_eq!(fitted.left_out, told);
        }
    }

    #[test]
    fn a_word_goes_whatever_its_case_and_parts_of_words_stay() {
        let cases = [
            ("A Firefly art", "firefly", Some("A  art")),
            ("fireflyfirefly firefly", "firefly", Some("fireflyfirefly")),
            ("FIREFLY", "firefly", Some("")),
            ("a firefly", "firefly", Some("")),
            ("äfirefly", "firefly", None),
            ("é firefly é", "firefly", Some("é  é")),
            ("fire", "firefly", None),
            ("a b", "", None),
            ("A ＦＩＲＥＦＬＹ art", "firefly", Some("A  art")),
            ("A ﬁrefly art", "firefly", Some("A  art")),
            ("Lake, stablediffusion", "stable diffusion", Some("Lake")),
            ("Lake stable\u{2011}diffusion", "stable diffusion", Some("Lake")),
            ("Lake firefly_v6 night", "firefly", Some("Lake  night")),
            ("Lake fireflyv6 Firefly3 night", "firefly", Some("Lake   night")),
            ("Lake firefly™ night, Firefly-Bay", "firefly", Some("Lake  night, Bay")),
            ("Route ai2, Ai", "ai", Some("Route ai2")),
            ("stable of diffusion", "stable diffusion", None),
            ("x ai x", "ai", Some("x  x")),
            ("ai: x, ai; y", "ai", Some(" x,  y")),
            ("x [ai]", "ai", Some("x")),
            ("x, ai, y", "ai", Some("x,  y")),
            ("Lake by ai", "ai", Some("Lake")),
            ("Lake made with ai, night", "ai", Some("Lake, night")),
            ("Lake in the style of ai at dawn", "ai", Some("Lake at dawn")),
            ("Lake (by AI)", "ai", Some("Lake")),
            ("Ai of a lake", "ai", Some("a lake")),
            ("Lake by ai: night.", "ai", Some("Lake: night.")),
            ("A made world, ai", "ai", Some("A made world")),
            ("By ai", "ai", Some("")),
            ("Come in, ai people", "ai", Some("Come in,  people")),
        ];
        for (text, word, expected) in cases {
            assert_eq!(without_word(text, word).as_deref(), expected, "{text}");
        }
    }
}
