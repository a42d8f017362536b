use std::collections::HashSet;

/// The largest text in which aliases are followed: each may repeat a large part of the text.
const ALIASED_BYTES_MAX: usize = 16 * 1024;

/// The deepest nesting of `[` and `{`; each level makes the YAML scanner slower for all that follows.
const FLOW_DEPTH_MAX: usize = 200;

/// Returns why a YAML text would cost too much to read, or `None` if it may be read.
pub(super) fn refusal(text: &str) -> Option<&'static str> {
    if text.len() > ALIASED_BYTES_MAX && has_alias(text) {
        Some("the file is too large for anchors and aliases; write the values out")
    } else if is_deeply_nested(text) {
        Some("brackets are nested too deeply; use fewer levels, or quote the text that holds them")
    } else {
        None
    }
}

/// Returns whether a word (`*name`) may stand for what another (`&name`) marks. A text with `&` and `*`
/// in its words, which the records' own writers leave as they are, is no such text.
fn has_alias(text: &str) -> bool {
    let anchors: HashSet<&str> = names_after(text, '&').collect();
    !anchors.is_empty() && names_after(text, '*').any(|name| anchors.contains(name))
}

/// Returns the names of the words that start with `sigil`.
fn names_after(text: &str, sigil: char) -> impl Iterator<Item = &str> {
    let is_start = move |at: usize| {
        let before = text[..at].chars().next_back().unwrap_or(' ');
        before.is_whitespace()
            || matches!(before, '[' | '{' | ',' | ':' | '-' | '?' | ']' | '}' | '"' | '\'' | '\u{feff}')
    };
    text.match_indices(sigil).filter(move |(at, _)| is_start(*at)).filter_map(|(at, sign)| {
        let rest = &text[at + sign.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(rest.len());
        (end > 0).then(|| &rest[..end])
    })
}

/// What the YAML scanner may be in the middle of, inside brackets.
#[derive(Clone, Copy)]
enum Within {
    /// Before a value or a sign.
    Gap,
    /// A word without quotes.
    Word,
    /// Behind a word and a space; the word may go on.
    WordGap,
    /// A tag, an anchor or an alias.
    Property,
    /// A tag in `!<…>`.
    Verbatim,
    Single,
    Double,
    /// Behind a backslash in double quotes.
    Escape,
    Comment,
}

/// For each [`Within`] the deepest nesting in which the scanner may be there, 0 if it cannot be.
type Depths = [usize; 9];

/// Returns whether brackets may be nested too deeply.
///
/// Outside of brackets a block of text may hold any signs, and only a whole YAML reader knows where it
/// ends. Thus every bracket is taken for one that may open the first level, and all readings are followed
/// at once: none that the scanner can take is missed, whatever quotes and comments stand before it.
fn is_deeply_nested(text: &str) -> bool {
    let mut depths = Depths::default();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_word =
            chars.peek().is_none_or(|next| is_blank(*next) || matches!(next, ',' | '?' | '[' | ']' | '{' | '}'));
        let mut after = Depths::default();
        let mut reach = |within: Within, depth: usize| {
            let known = &mut after[within as usize];
            *known = depth.max(*known);
        };
        if matches!(c, '[' | '{') {
            reach(Within::Gap, 1);
        }
        for (within, depth) in ALL_WITHIN.into_iter().zip(depths).filter(|(_, depth)| *depth > 0) {
            step(within, c, ends_word, depth, &mut reach);
        }
        depths = after;
        if depths.iter().any(|depth| *depth > FLOW_DEPTH_MAX) {
            return true;
        }
    }
    false
}

const ALL_WITHIN: [Within; 9] = [
    Within::Gap,
    Within::Word,
    Within::WordGap,
    Within::Property,
    Within::Verbatim,
    Within::Single,
    Within::Double,
    Within::Escape,
    Within::Comment,
];

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t' || is_break(c)
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Tells `reach` where the scanner may be after one more character.
fn step(within: Within, c: char, ends_word: bool, depth: usize, reach: &mut impl FnMut(Within, usize)) {
    use Within::{Comment, Double, Escape, Gap, Property, Single, Verbatim, Word, WordGap};
    match (within, c) {
        (Comment, _) if !is_break(c) => reach(Comment, depth),
        (Single, _) if c != '\'' => reach(Single, depth),
        (Double, '\\') => reach(Escape, depth),
        (Double, _) if c != '"' => reach(Double, depth),
        (Escape, _) | (Gap, '"') => reach(Double, depth),
        (Verbatim, _) if c != '>' && !is_blank(c) => reach(Verbatim, depth),
        (Comment | Single | Double | Verbatim, _) | (_, ',') => reach(Gap, depth),
        (_, '[' | '{') => reach(Gap, depth + 1),
        (_, ']' | '}') => reach(Gap, depth - 1),
        (Gap | WordGap, '#') => reach(Comment, depth),
        (Gap, '\'') => reach(Single, depth),
        (Gap, '!' | '&' | '*') => reach(Property, depth),
        (Property, '<') => reach(Verbatim, depth),
        (Gap | Property, _) if is_blank(c) => reach(Gap, depth),
        (Word | WordGap, _) if is_blank(c) => reach(WordGap, depth),
        (Gap, ':') => reach(Gap, depth),
        (Word | WordGap, ':') if ends_word => reach(Gap, depth),
        // These may be a sign or the start of a word.
        (Gap, '?' | '\u{feff}') => {
            reach(Gap, depth);
            reach(Word, depth);
        }
        (Property, ':') => {
            reach(Gap, depth);
            reach(Property, depth);
        }
        (Property, _) => reach(Property, depth),
        (Gap | Word | WordGap, _) => reach(Word, depth),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_too_much_is_refused() {
        let aliased = format!("a: &x {}\nb: [*x, *x]\n", "long ".repeat(5_000));
        assert!(refusal(&aliased).is_some());
        assert!(refusal("a: &x 1\nb: *x\n").is_none());
        assert!(refusal(&"[".repeat(300)).is_some());
        assert!(refusal(&"[\"]\",".repeat(300)).is_some());
        assert!(refusal(&"- {a|b} black & white * [x]\n".repeat(3_000)).is_none());
        assert!(refusal(&"- rock &roll, five *stars\n".repeat(3_000)).is_none());
        let json = r#"{"title": "it's a [b", "keywords": ["x]", "don't"], "more": {"a": [1, 2]}}, "#;
        assert!(refusal(&format!("[{}]", json.repeat(150))).is_none());
        assert!(refusal(&"- [artist's loft, \"a\"] # [x] 'tis\n- [ ] grandma's\n".repeat(3_000)).is_none());
    }

    /// Quotes in a block of text hid the brackets behind it: 60 KiB took the scanner minutes.
    #[test]
    fn nesting_cannot_be_hidden() {
        let openers = ["a: |\n - '\nb: ", "a: |\n - \"\nb: ", "a: it's\nb: ", "# '\n", "a: \"\\\"\"\nb: ", "!<'> "];
        let levels = [
            "[",
            "{",
            "{a: ",
            "{? ",
            "['', ",
            "[\"]\", ",
            "[']', ",
            "[!t ']', ",
            "[ # ]\n",
            "[x # ]\n",
            "[&a ']', ",
            "[!<]> x, ",
            "{*a : ']', b: ",
            "{a: ']', b: ",
            "[\u{feff}'] ', ",
            "[\"\\\"]\", ",
            "[a\u{a0}# , ",
            "[? ']', ",
            "[x, ']'#]\n, ",
        ];
        for opener in openers {
            for level in levels {
                assert!(refusal(&(opener.to_owned() + &level.repeat(FLOW_DEPTH_MAX + 1))).is_some(), "{opener}{level}");
                assert!(refusal(&(opener.to_owned() + &level.repeat(20))).is_none(), "{opener}{level}");
            }
        }
    }
}
