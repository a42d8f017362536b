//! Folders that are named after a day, as generators make them: they say when, and name no theme.

/// The months as people write them; the first three letters suffice.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Words behind a day that name no theme either.
const BATCH_WORDS: [&str; 14] = [
    "batch", "run", "session", "set", "part", "job", "output", "outputs", "images", "grids", "grid", "txt2img",
    "img2img", "extras",
];

/// Returns how many of these folder names, from the first on, only say when: `2026-11-28`, `2026-11-28_batch`,
/// `28.11.2026`, and `2026`, `11`, `28` one below the other. A lone year is a theme like any other.
pub fn leading_days<'a>(mut names: impl Iterator<Item = &'a str>) -> usize {
    let Some(first) = names.next() else { return 0 };
    let second = names.next();
    if is_year(first) {
        let is_rest_of_day = |name: &str| is_month(name) || is_day(name) || is_day(&format!("{first}-{name}"));
        let Some(second) = second.filter(|name| is_rest_of_day(name)) else { return 0 };
        return if is_month(second) && names.next().is_some_and(is_day_of_month) { 3 } else { 2 };
    }
    match (is_day(first), second) {
        (false, _) => 0,
        (true, Some(second)) if is_year_and_month(first) && is_day_of_month(second) => 2,
        (true, _) => 1,
    }
}

/// Returns whether a name is a day or a month of a year in one of the usual spellings, with nothing behind it but
/// a time, a number or a word such as `batch`.
fn is_day(name: &str) -> bool {
    let name = name.to_lowercase();
    let tokens: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()).collect();
    let begins = |token: &str, digits: usize| {
        let (head, rest) = token.split_at_checked(digits)?;
        is_behind(rest).then(|| head.to_owned())
    };
    match tokens[..] {
        [first, ref rest @ ..] if begins(first, 8).is_some_and(|day| is_packed_day(&day)) => are_behind(rest),
        [year, month, day, ref rest @ ..] if is_year(year) && is_month(month) => {
            // `2026-11-28T14-30`
            let has_day = is_day_of_month(day) || begins(day, 2).is_some_and(|day| is_day_of_month(&day));
            let is_no_day = day.len() <= 2 && number(day).is_some();
            if has_day { are_behind(rest) } else { !is_no_day && are_behind(&tokens[2..]) }
        }
        [year, month] => is_year(year) && is_month(month) || is_month_name(year) && is_year(month),
        [one, two, year, ref rest @ ..] if is_year(year) => {
            let is_day = (is_day_of_month(one) && is_month(two)) || (is_month(one) && is_day_of_month(two));
            is_day && are_behind(rest)
        }
        _ => false,
    }
}

fn is_year_and_month(name: &str) -> bool {
    let parts: Vec<&str> = name.split(['-', '_', '.', ' ']).collect();
    matches!(parts[..], [year, month] if is_year(year) && is_month(month))
}

fn is_packed_day(digits: &str) -> bool {
    digits.len() == 8
        && digits.bytes().all(|b| b.is_ascii_digit())
        && is_year(&digits[..4])
        && is_month(&digits[4..6])
        && is_day_of_month(&digits[6..])
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && number(text).is_some_and(|year| (1990..2100).contains(&year))
}

fn is_month(text: &str) -> bool {
    number(text).is_some_and(|month| (1..=12).contains(&month)) || is_month_name(text)
}

fn is_month_name(text: &str) -> bool {
    let text = text.to_lowercase();
    MONTHS.iter().any(|month| *month == text || month[..3] == text)
}

fn is_day_of_month(text: &str) -> bool {
    number(text).is_some_and(|day| (1..=31).contains(&day))
}

fn number(text: &str) -> Option<u32> {
    (text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn are_behind(tokens: &[&str]) -> bool {
    tokens.iter().all(|token| is_behind(token))
}

/// Returns whether a word may stand behind a day: `14`, `t143000`, `batch`, `run2`.
fn is_behind(token: &str) -> bool {
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_time = token.strip_prefix('t').is_some_and(|time| !time.is_empty() && is_number(time));
    is_number(token)
        || is_time
        || BATCH_WORDS.contains(&token.trim_end_matches(|c: char| c.is_ascii_digit()))
        || BATCH_WORDS.contains(&token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_only_says_when_is_no_theme() {
        let cases = [
            ("2026-11-28", 1),
            ("2026-11-28/winter-cabins", 1),
            ("20261128", 1),
            ("2026.11.28", 1),
            ("2026_11_28", 1),
            ("2026-1-8", 1),
            ("28.11.2026", 1),
            ("11-28-2026", 1),
            ("28 Nov 2026", 1),
            ("November 28, 2026", 1),
            ("2026-11", 1),
            ("Nov 2026", 1),
            ("2026-11-28_batch", 1),
            ("2026-11-28 batch 2", 1),
            ("2026-11-28_14-30-05", 1),
            ("2026-11-28T14-30-05", 1),
            ("20261128_143005", 1),
            ("20261128143005", 1),
            ("2026-11-28-txt2img", 1),
            ("2026-11-28_run12", 1),
            ("2026/11/28", 3),
            ("2026/11", 2),
            ("2026/11/cabins", 2),
            ("2026/Nov/28/cabins", 3),
            ("2026/11-28", 2),
            ("2026/2026-11-28", 2),
            ("2026-11/28", 2),
            // A person's words name a theme, and so does a lone year.
            ("", 0),
            ("2026", 0),
            ("2026/cabins", 0),
            ("2026-11-28 trip", 0),
            ("2026 calendar", 0),
            ("day-2026-11-28", 0),
            ("may 12", 0),
            ("2026-13-28", 0),
            ("2026-11-45", 0),
            ("12345678", 0),
            ("1024x1024", 0),
            ("winter-cabins/2026-11-28", 0),
            ("11/28/2026", 0),
            ("réf-2026", 0),
        ];
        for (folders, expected) in cases {
            assert_eq!(leading_days(folders.split('/')), expected, "{folders}");
        }
    }
}
