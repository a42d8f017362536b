/// The largest text in which aliases are followed: each may repeat a large part of the text.
const ALIASED_BYTES_MAX: usize = 16 * 1024;

/// The deepest nesting of `[` and `{`; each level makes the YAML scanner slower for all that follows.
const FLOW_DEPTH_MAX: usize = 200;

/// Returns why a YAML text would cost too much to read, or `None` if it may be read.
pub(super) fn refusal(text: &str) -> Option<&'static str> {
    if text.len() > ALIASED_BYTES_MAX && has_sigil_word(text, '&') && has_sigil_word(text, '*') {
        Some("the file is too large for anchors and aliases; write the values out")
    } else if is_deeply_nested(text) {
        Some("brackets are nested too deeply; use fewer levels, or quote the text that holds them")
    } else {
        None
    }
}

/// Returns whether a word starts with `sigil`, as an anchor (`&name`) or an alias (`*name`) does.
fn has_sigil_word(text: &str, sigil: char) -> bool {
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let starts_word = before.is_whitespace() || matches!(before, '[' | '{' | ',' | ':' | '-');
        if c == sigil && starts_word && chars.peek().is_some_and(|next| !next.is_whitespace() && *next != sigil) {
            return true;
        }
        before = c;
    }
    false
}

fn is_deeply_nested(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut indicator = true;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('"'), '\\') => drop(chars.next()),
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') if indicator => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > FLOW_DEPTH_MAX {
            return true;
        }
        if !c.is_whitespace() || c == '\n' {
            indicator = matches!(c, '[' | '{' | ',' | ':' | '-' | '?' | '\n');
        }
    }
    false
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
    }
}
