//! Where words and phrases stand in a text, as people write them.

use unicode_normalization::UnicodeNormalization as _;

use crate::model::normal_keyword;

/// What may stand between the parts of a phrase.
const BETWEEN: [char; 9] = [' ', '-', '\u{2010}', '\u{2011}', '–', '—', '_', '·', '.'];
/// A phrase that is as long may have a version at its end; `ai2` is another word.
const VERSIONED_MIN: usize = 5;

/// Returns where a phrase stands in a text from a place on, as whole words, whatever their case, their form (full-width
/// letters, ligatures) and what divides them, if anything does. A version at its end (`v6`) and signs of a brand belong to it.
/// Signs of its own make it another word: `c++` is found with these alone, and `c` is not it.
pub(super) fn find_phrase(text: &str, phrase: &str, from: usize) -> Option<(usize, usize)> {
    let phrase = normal_keyword(phrase);
    let wanted = Wanted::of(&phrase)?;
    let words: Vec<(usize, usize)> = words_in(text, from).collect();
    let mut runs = words.windows(wanted.words.len()).filter(|run| wanted.is_run(text, run));
    let apart = runs.find_map(|run| wanted.with_signs(text, run[0].0, run[run.len() - 1].1));
    let mut in_one = words.iter().filter(|word| wanted.is_in_one(&text[word.0..word.1]));
    let in_one = in_one.find_map(|word| wanted.with_signs(text, word.0, word.1));
    apart.into_iter().chain(in_one).min()
}

/// A phrase that is looked for.
struct Wanted<'a> {
    /// Its words, as they are compared.
    words: Vec<String>,
    /// These without anything between them.
    in_one: String,
    /// The signs before its first word.
    lead: &'a str,
    /// What stands between its words.
    between: Vec<&'a str>,
    /// The signs behind its last word.
    tail: &'a str,
}

impl<'a> Wanted<'a> {
    fn of(phrase: &'a str) -> Option<Self> {
        let words: Vec<(usize, usize)> = words_in(phrase, 0).collect();
        let (first, last) = (words.first()?, words.last()?);
        let (lead, tail) = (&phrase[..first.0], &phrase[last.1..]);
        let between = words.windows(2).map(|pair| &phrase[pair[0].1..pair[1].0]).collect();
        let words: Vec<String> = words.iter().map(|(start, end)| folded(&phrase[*start..*end])).collect();
        Some(Self { in_one: words.concat(), words, lead, between, tail })
    }

    /// Returns whether as many words of a text are its own, with what stands between them.
    fn is_run(&self, text: &str, run: &[(usize, usize)]) -> bool {
        let is_joined = |(pair, own): (&[(usize, usize)], &&str)| {
            let between = &text[pair[0].1..pair[1].0];
            let is_divided = is_divider(own) && between.chars().all(|c| BETWEEN.contains(&c));
            is_divided || signs_at(between, own) == Some(between.len())
        };
        let last = self.words.len() - 1;
        let is_own = |at: usize| folded(&text[run[at].0..run[at].1]) == self.words[at];
        (0..last).all(is_own)
            && self.is_last(&text[run[last].0..run[last].1], &self.words[last])
            && run.windows(2).zip(&self.between).all(is_joined)
    }

    /// Returns whether a word is all of its own, written in one.
    fn is_in_one(&self, word: &str) -> bool {
        self.words.len() > 1 && self.between.iter().all(|own| is_divider(own)) && self.is_last(word, &self.in_one)
    }

    fn is_last(&self, word: &str, own: &str) -> bool {
        let word = folded(word);
        let version = word.strip_prefix(own);
        version.is_some_and(|version| version.is_empty() || self.in_one.len() >= VERSIONED_MIN && is_version(version))
    }

    /// Returns where it begins and ends with its signs, of which none may be missing.
    fn with_signs(&self, text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
        let turned = |text: &str| text.chars().rev().collect::<String>();
        let before = text[..start].rfind(char::is_alphanumeric).unwrap_or_default();
        let lead = signs_at(&turned(&text[before..start]), &turned(self.lead))?;
        let tail = signs_at(&text[end..], self.tail)?;
        Some((start - lead, with_version(text, end + tail, !self.tail.is_empty())))
    }
}

/// Returns whether what stands between two words only divides them; a dot makes another word (`a.b`).
fn is_divider(between: &str) -> bool {
    between.chars().all(|c| c != '.' && BETWEEN.contains(&c))
}

/// Returns how much of a text's beginning is signs as a person writes them: blanks among them may be missing.
fn signs_at(text: &str, signs: &str) -> Option<usize> {
    let mut rest = text;
    for sign in signs.chars() {
        if sign.is_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        let found = rest.chars().next().filter(|found| folded_sign(*found) == folded_sign(sign))?;
        rest = &rest[found.len_utf8()..];
    }
    Some(text.len() - rest.len())
}

/// Returns a sign as it is compared.
fn folded_sign(sign: char) -> String {
    match sign {
        '‘' | '’' => "'".to_owned(),
        '\u{2010}' | '\u{2011}' | '–' | '—' => "-".to_owned(),
        sign => folded(sign.encode_utf8(&mut [0; 4])),
    }
}

/// Returns a word as it is compared.
fn folded(word: &str) -> String {
    word.nfkc().collect::<String>().to_lowercase()
}

fn is_version(text: &str) -> bool {
    let digits = text.strip_prefix(['v', 'V']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns where a brand ends with its signs and a version that is joined to it, or that its own signs join (`c++17`).
fn with_version(text: &str, end: usize, is_joined: bool) -> usize {
    let rest = &text[end..];
    let signs = rest.len() - rest.trim_start_matches(['™', '®']).len();
    let joint = rest[signs..].chars().next().filter(|c| *c != ' ' && BETWEEN.contains(c)).map_or(0, char::len_utf8);
    let version = words_in(text, end + signs + joint).next();
    let version = version.filter(|(start, _)| (is_joined || joint > 0) && *start == end + signs + joint);
    version.filter(|(start, end)| is_version(&text[*start..*end])).map_or(end + signs, |(_, end)| end)
}

/// Returns the words of a text from a place on, each with where it begins and ends.
pub(super) fn words_in(text: &str, from: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut at = from;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphanumeric)?;
        at = start + text[start..].find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len() - start);
        Some((start, at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `c++` took `C` out of titles and left `++`, and keywords were refused that have a letter of it (`vitamin c`).
    #[test]
    fn a_phrase_with_signs_is_found_with_these_and_takes_them_along() {
        // The text, the phrase, and what of the text is it.
        let rows = [
            ("Letter C++ on a map", "c++", Some("C++")),
            ("Letter Ｃ＋＋, here", "c++", Some("Ｃ＋＋")),
            ("Letter C, C++", "c++", Some("C++")),
            ("A C++17 guide", "c++", Some("C++17")),
            ("Letter C on a map", "c++", None),
            ("Vitamin c+", "c++", None),
            ("abc++", "c++", None),
            ("f (X) = 1", "(x)", Some("(X)")),
            ("A x y map (x y)", "(x)", None),
            ("http://x", "(x)", None),
            ("Plan a.B", "a.b", Some("a.B")),
            ("Plan a, b. A b, a. B and a-b", "a.b", None),
            ("Chanel No. 5, No.5", "no. 5", Some("No. 5")),
            ("Chanel No.5", "no. 5", Some("No.5")),
            ("There are no 5, no5", "no. 5", None),
            ("Rock at&t", "at&t", Some("at&t")),
            ("Look at t", "at&t", None),
            ("L’Oréal red", "l'oréal", Some("L’Oréal")),
            ("Shop l'Oréal", "l'ore\u{301}al", Some("l'Oréal")),
            ("Tag #AI here", "#ai", Some("#AI")),
            ("Tag AI here", "#ai", None),
            ("Dall.E, dall-e", "dall-e", Some("Dall.E")),
            ("Dall–E", " dall-e ", Some("Dall–E")),
            ("all signs", "++", None),
        ];
        for (text, phrase, found) in rows {
            let place = find_phrase(text, phrase, 0).map(|(start, end)| &text[start..end]);
            assert_eq!(place, found, "{text}, {phrase}");
        }
    }
}
