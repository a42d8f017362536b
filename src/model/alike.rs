//! Texts that differ in their figures alone, and what is so of several markets, told once.

use std::collections::{BTreeMap, BTreeSet};

use super::MarketName;

/// Returns the parts of a text, each with whether it is a figure: `3`, `4.2`, `64x64`. What stands in backticks, in a word
/// or in a date is none.
fn parts(text: &str) -> Vec<(&str, bool)> {
    let (mut parts, mut from, mut is_quoted) = (Vec::new(), 0, false);
    let mut chars = text.char_indices().peekable();
    let mut before = ' ';
    while let Some((at, c)) = chars.next() {
        is_quoted ^= c == '`';
        if c.is_ascii_digit() && !is_quoted && (before.is_whitespace() || before == '(') {
            let end = figure_end(&text[at..]).map(|length| at + length);
            if let Some(end) = end {
                parts.push((&text[from..at], false));
                parts.push((&text[at..end], true));
                from = end;
                while chars.next_if(|(at, _)| *at < end).is_some() {}
                before = '0';
                continue;
            }
        }
        before = c;
    }
    parts.push((&text[from..], false));
    parts
}

/// Returns where the figure ends that a text begins with, if nothing but the end of a word follows it.
fn figure_end(text: &str) -> Option<usize> {
    let is_inner = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'x');
    let run = &text[..text.find(|c| !is_inner(c)).unwrap_or(text.len())];
    let figure = run.trim_end_matches('.');
    let is_end = |c: char| c.is_whitespace() || matches!(c, '.' | ',' | ';' | ')' | '%');
    let follows = text[figure.len()..].chars().next();
    let follows_is_end = follows.is_none_or(is_end)
        || follows == Some(':') && !text[figure.len() + 1..].starts_with(|c: char| c.is_ascii_digit());
    (value(figure).is_some() && follows_is_end).then_some(figure.len())
}

/// Returns how much a figure says: of `64x48` its product.
fn value(figure: &str) -> Option<f64> {
    figure.split('x').map(|part| part.parse::<f64>().ok()).try_fold(1.0, |all, part| Some(all * part?))
}

/// Returns what is told of things, once for all whose texts differ in their figures alone; first what is told of most.
pub fn alike<T>(told: impl IntoIterator<Item = (String, T)>) -> Vec<(String, Vec<T>)> {
    let mut groups: BTreeMap<String, (BTreeSet<String>, Vec<T>)> = BTreeMap::new();
    for (text, of) in told {
        let (texts, all) = groups.entry(shape(&text)).or_default();
        texts.insert(text);
        all.push(of);
    }
    let one = |(texts, of): (BTreeSet<String>, Vec<T>)| (told_as_one(texts.iter().map(String::as_str)), of);
    let mut groups: Vec<_> = groups.into_values().map(one).collect();
    groups.sort_by_key(|(_, of)| std::cmp::Reverse(of.len()));
    groups
}

/// Returns a text without its figures: texts of the same shape say the same of other figures.
pub fn shape(text: &str) -> String {
    parts(text).iter().map(|(part, is_figure)| if *is_figure { "#" } else { part }).collect()
}

/// Returns what texts of the same shape say, each figure that differs from the least to the most.
pub fn told_as_one<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut texts = texts.into_iter();
    let Some(first) = texts.next() else { return String::new() };
    let mut ranges: Vec<(&str, &str, bool)> =
        parts(first).into_iter().map(|(part, is_figure)| (part, part, is_figure)).collect();
    for text in texts {
        for ((least, most, _), (part, _)) in ranges.iter_mut().zip(parts(text)).filter(|((.., is), _)| *is) {
            if value(part) < value(least) {
                *least = part;
            }
            if value(part) > value(most) {
                *most = part;
            }
        }
    }
    let told = ranges.iter().map(
        |(least, most, _)| {
            if least == most { (*least).to_owned() } else { format!("{least} to {most}") }
        },
    );
    told.collect()
}

/// Returns values, each once and with the names of all that have it, in the order of the first of them.
pub fn together<T: PartialEq>(all: impl IntoIterator<Item = (MarketName, T)>) -> Vec<(String, T)> {
    let mut groups: Vec<(String, T)> = Vec::new();
    for (market, value) in all {
        match groups.iter_mut().find(|(_, known)| *known == value) {
            Some((markets, _)) => *markets = format!("{markets}, {market}"),
            None => groups.push((market.to_string(), value)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line was told for each number of bytes that files had.
    #[test]
    fn what_differs_in_figures_alone_is_told_once() {
        // The texts, and what is told of those that have the shape of the first.
        let rows: [(&[&str], &str, usize); 8] = [
            (
                &["it has 0.3 megapixels, and takes 4 to 100", "it has 1.0 megapixels, and takes 4 to 100"],
                "it has 0.3 to 1.0 megapixels, and takes 4 to 100",
                2,
            ),
            (&["it has 500 bytes.", "it has 90 bytes.", "it has 10000 bytes."], "it has 90 to 10000 bytes.", 3),
            (&["it has 64x64 pixels", "it has 9x100 pixels"], "it has 9x100 to 64x64 pixels", 2),
            (&["7 characters (of 50)", "7 characters (of 50)"], "7 characters (of 50)", 2),
            // No figures: names, words, days and times.
            (&["like `a 1.png`", "like `a 2.png`"], "like `a 1.png`", 1),
            (&["from 2026-11-28 on", "from 2026-11-29 on"], "from 2026-11-28 on", 1),
            (&["at 09:00", "at 10:00"], "at 09:00", 1),
            (&["for 123rf", "for 124rf"], "for 123rf", 1),
        ];
        for (texts, expected, count) in rows {
            let same: Vec<&str> = texts.iter().copied().filter(|text| shape(text) == shape(texts[0])).collect();
            assert_eq!((told_as_one(same.iter().copied()).as_str(), same.len()), (expected, count), "{texts:?}");
        }
    }
}
