/// One line of a text note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) kind: LineKind<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind<'a> {
    Blank,
    Heading {
        level: usize,
        text: &'a str,
    },
    /// A list item, without its bullet or number.
    Bullet {
        indent: usize,
        text: &'a str,
    },
    Text {
        indent: usize,
        text: &'a str,
    },
    /// A line in a fenced block.
    Fenced(&'a str),
    Fence,
    /// A line across the page.
    Rule,
    /// A quote, a bare address or a comment: for the author, not for the theme.
    Aside,
}

/// Returns the lines of a note whose first line has number `first`.
pub(super) fn lines(text: &str, first: usize) -> impl Iterator<Item = Line<'_>> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().map(move |(at, line)| {
        let trimmed = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| trimmed.starts_with(marker));
        let kind = match (fence, marker) {
            (None, Some(_)) => {
                fence = marker;
                LineKind::Fence
            }
            (Some(open), Some(marker)) if open == marker => {
                fence = None;
                LineKind::Fence
            }
            (Some(_), _) => LineKind::Fenced(line.trim()),
            (None, None) => kind_of(line),
        };
        Line { number: first + at, kind }
    })
}

fn kind_of(line: &str) -> LineKind<'_> {
    let text = line.trim();
    let indent = indent_of(line);
    if text.is_empty() {
        LineKind::Blank
    } else if is_rule(text) {
        LineKind::Rule
    } else if is_aside(text) {
        LineKind::Aside
    } else if let Some((level, text)) = heading(text) {
        LineKind::Heading { level, text }
    } else if let Some(text) = bullet(text) {
        LineKind::Bullet { indent, text }
    } else {
        LineKind::Text { indent, text }
    }
}

/// Returns the columns before the text; a tab is four.
fn indent_of(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

fn is_rule(text: &str) -> bool {
    let mut signs = text.chars().filter(|c| !c.is_whitespace());
    let first = signs.next();
    matches!(first, Some('-' | '*' | '_' | '=')) && text.len() >= 3 && signs.all(|c| Some(c) == first)
}

fn is_aside(text: &str) -> bool {
    let bare = text.trim_start_matches('<');
    let is_address =
        (bare.starts_with("http://") || bare.starts_with("https://")) && !text.contains(char::is_whitespace);
    is_address || text.starts_with('>') || (text.starts_with("<!--") && text.ends_with("-->"))
}

fn heading(text: &str) -> Option<(usize, &str)> {
    let rest = text.trim_start_matches('#');
    let level = text.len() - rest.len();
    let name = rest.trim().trim_end_matches('#').trim_end();
    ((1..=6).contains(&level) && rest.starts_with(char::is_whitespace) && !name.is_empty()).then_some((level, name))
}

fn bullet(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(['-', '*', '+', '•', '◦', '▪', '–']).or_else(|| {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = text.len() - rest.len();
        rest.strip_prefix(['.', ')']).filter(|_| (1..=4).contains(&digits))
    })?;
    let item = rest.trim();
    (rest.starts_with(char::is_whitespace) && !item.is_empty()).then_some(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let cases = [
            ("## Winter cabins ##", LineKind::Heading { level: 2, text: "Winter cabins" }),
            ("#tag", LineKind::Text { indent: 0, text: "#tag" }),
            ("  12) Lakes", LineKind::Bullet { indent: 2, text: "Lakes" }),
            ("\t• Lakes", LineKind::Bullet { indent: 4, text: "Lakes" }),
            ("2026.5 was a year", LineKind::Text { indent: 0, text: "2026.5 was a year" }),
            ("- - -", LineKind::Rule),
            ("*bold*", LineKind::Text { indent: 0, text: "*bold*" }),
            ("https://example.org/a", LineKind::Aside),
            (" > quote", LineKind::Aside),
            ("-", LineKind::Text { indent: 0, text: "-" }),
        ];
        for (line, kind) in cases {
            assert_eq!(kind_of(line), kind, "{line}");
        }
        let kinds: Vec<_> = lines("```\n# a\n~~~\n```\nb", 7).map(|line| (line.number, line.kind)).collect();
        assert_eq!(kinds[1], (8, LineKind::Fenced("# a")));
        assert_eq!(kinds[2], (9, LineKind::Fenced("~~~")));
        assert_eq!(kinds[4], (11, LineKind::Text { indent: 0, text: "b" }));
    }
}
