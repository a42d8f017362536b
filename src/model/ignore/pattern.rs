/// A name with wildcards, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    tokens: Vec<Token>,
    /// The characters before the first wildcard and behind the last one: most names differ there already.
    head: String,
    tail: String,
    /// The bytes that a name must have.
    bytes: ByteSet,
}

/// Which bytes a text has; those beyond ASCII share their places. A hundred thousand names are compared with a hundred
/// patterns, and nearly all lack a byte that the pattern has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteSet(u128);

impl ByteSet {
    pub(super) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |set, byte| set | 1 << (byte & 127)))
    }

    fn has_all_of(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Char(char),
    Any,
    One,
    Digit,
}

impl Token {
    fn fits(self, c: char) -> bool {
        match self {
            Self::Char(own) => own == c,
            Self::One => true,
            Self::Digit => c.is_ascii_digit(),
            Self::Any => false,
        }
    }

    fn shares_a_char(self, other: Self) -> bool {
        match (self, other) {
            (Self::Char(c), token) | (token, Self::Char(c)) => token.fits(c),
            _ => true,
        }
    }
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let lower = text.to_lowercase();
        let (mut tokens, mut rest) = (Vec::new(), lower.chars().peekable());
        while let Some(c) = rest.next() {
            tokens.push(match c {
                '*' => Token::Any,
                '?' => Token::One,
                '\\' if rest.next_if_eq(&'d').is_some() => Token::Digit,
                c => Token::Char(c),
            });
        }
        let literal = |token: &Token| if let Token::Char(c) = token { Some(*c) } else { None };
        let head: String = tokens.iter().map_while(literal).collect();
        let mut tail: Vec<char> = tokens.iter().rev().map_while(literal).collect();
        tail.reverse();
        let literals: String = tokens.iter().filter_map(literal).collect();
        Self { head, tail: tail.into_iter().collect(), bytes: ByteSet::of(&literals), tokens }
    }

    /// Returns whether a name in lower case fits that has these bytes.
    pub(super) fn fits(&self, name: &str, bytes: ByteSet) -> bool {
        bytes.has_all_of(self.bytes)
            && name.starts_with(&self.head)
            && name.ends_with(&self.tail)
            && self.fits_whole(name)
    }

    fn fits_whole(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut p, mut n, mut star) = (0, 0, None);
        while n < name.len() {
            match self.tokens.get(p) {
                Some(Token::Any) => {
                    star = Some((p, n));
                    p += 1;
                }
                Some(token) if token.fits(name[n]) => {
                    p += 1;
                    n += 1;
                }
                _ => {
                    let Some((at, taken)) = star else { return false };
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
            }
        }
        self.tokens[p..].iter().all(|token| *token == Token::Any)
    }

    /// Returns whether a name can fit both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (&self.tokens, &other.tokens);
        // For the rest of `a` that is one token shorter: with which rests of `b` it shares a name.
        let mut below: Vec<bool> = Vec::new();
        for i in (0..=a.len()).rev() {
            let mut row = vec![false; b.len() + 1];
            for j in (0..=b.len()).rev() {
                row[j] = match (a.get(i), b.get(j)) {
                    (None, None) => true,
                    (Some(Token::Any), next) => below[j] || next.is_some() && row[j + 1],
                    (next, Some(Token::Any)) => row[j + 1] || next.is_some() && below[j],
                    (Some(one), Some(other)) => one.shares_a_char(*other) && below[j + 1],
                    _ => false,
                };
            }
            below = row;
        }
        below[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tries every way to read a pattern.
    fn fits_slowly(pattern: &[Token], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((Token::Any, rest)), _) => {
                fits_slowly(rest, name) || name.split_first().is_some_and(|(_, name)| fits_slowly(pattern, name))
            }
            (Some((token, rest)), Some((c, name))) => token.fits(*c) && fits_slowly(rest, name),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_mean_what_they_say(one in r"([ab1ä*?]|\\d){0,6}", other in r"([ab1ä*?]|\\d){0,6}", name in "[ab1ä]{0,6}") {
            let (one, other) = (Pattern::new(&one), Pattern::new(&other));
            let chars: Vec<char> = name.chars().collect();
            let bytes = ByteSet::of(&name);
            prop_assert_eq!(one.fits(&name, bytes), fits_slowly(&one.tokens, &chars));
            prop_assert_eq!(one.overlaps(&other), other.overlaps(&one));
            prop_assert!(one.overlaps(&other) || !(one.fits(&name, bytes) && other.fits(&name, bytes)));
        }
    }
}
