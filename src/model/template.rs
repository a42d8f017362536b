use std::fmt;

/// A naming rule such as `{theme}-{seq:04}`: literal text and fields, checked when it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

/// A part of a naming rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands as it is.
    Literal(String),
    /// A value, and what is done to it.
    Field {
        /// Which value.
        field: Field,
        /// Numbers are padded with zeros to this width.
        width: usize,
        /// Applied in order.
        filters: Vec<Filter>,
    },
}

/// A value that a name can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The theme's folder name.
    Theme,
    /// The asset's number within its theme.
    Seq,
    /// The asset's identity, 16 hex digits.
    Id,
    /// The day, as `2026-11-27`.
    Date,
    /// The name that the file was dropped under, without its extension.
    Original,
    /// `png`, `mp4`, …
    Kind,
    /// Columns.
    Width,
    /// Rows.
    Height,
}

/// A change to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// To upper case.
    Upper,
    /// To lower case.
    Lower,
    /// To lower-case ASCII letters, digits and dashes.
    Slug,
    /// At most this many characters.
    Cut(usize),
}

/// What is wrong with a naming rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct TemplateProblem {
    /// The character where it is wrong, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: Option<String>,
}

const FIELDS: [(&str, Field); 8] = [
    ("theme", Field::Theme),
    ("seq", Field::Seq),
    ("id", Field::Id),
    ("date", Field::Date),
    ("original", Field::Original),
    ("kind", Field::Kind),
    ("width", Field::Width),
    ("height", Field::Height),
];

impl Template {
    /// Reads a naming rule. `{{` and `}}` are literal braces.
    pub fn parse(text: &str) -> Result<Self, TemplateProblem> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut chars = text.chars().enumerate().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '{' | '}' if chars.peek().is_some_and(|(_, next)| *next == c) => {
                    chars.next();
                    literal.push(c);
                }
                '{' => {
                    let mut inner = String::new();
                    let mut is_closed = false;
                    for (_, c) in chars.by_ref() {
                        is_closed = c == '}';
                        if is_closed {
                            break;
                        }
                        inner.push(c);
                    }
                    if !is_closed {
                        return Err(problem(
                            at,
                            "this `{` is never closed",
                            Some("write `{{` for a brace in the name"),
                        ));
                    }
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    }
                    pieces.push(parse_field(at + 1, &inner)?);
                }
                '}' => return Err(problem(at, "this `}` closes nothing", Some("write `}}` for a brace in the name"))),
                '/' | '\\' => return Err(problem(at, "a name cannot have a path in it", None)),
                c if c.is_control() => return Err(problem(at, "a name cannot have a control character", None)),
                c => literal.push(c),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// Returns whether two assets of a theme can never get the same name: the rule has the number or
    /// the identity, whole.
    pub fn is_unique(&self) -> bool {
        let whole = |filters: &[Filter]| !filters.iter().any(|filter| matches!(filter, Filter::Cut(_)));
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Field { field: Field::Seq | Field::Id, filters, .. } if whole(filters)))
    }

    /// Returns the rule as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the parts of the rule.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads the inside of `{…}`, which begins at the character `at`.
fn parse_field(at: usize, inner: &str) -> Result<Piece, TemplateProblem> {
    let mut parts = inner.split('|');
    let head = parts.next().unwrap_or_default();
    let (name, width) = head.split_once(':').map_or((head, None), |(name, width)| (name, Some(width)));
    let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        let hint = nearest(name, &names)
            .map_or_else(|| format!("the fields are {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
        return Err(problem(at, &format!("`{name}` is not a field"), Some(&hint)));
    };
    let width = match width {
        None => 0,
        Some(width) => parse_width(*field, width).ok_or_else(|| {
            problem(
                at + name.len(),
                &format!("`:{width}` is not a width"),
                Some("write `:04` after a number for four digits"),
            )
        })?,
    };
    let filters = parts.map(|filter| parse_filter(at, filter)).collect::<Result<_, _>>()?;
    Ok(Piece::Field { field: *field, width, filters })
}

fn parse_width(field: Field, text: &str) -> Option<usize> {
    let is_number = matches!(field, Field::Seq | Field::Width | Field::Height);
    let digits = text.strip_prefix('0').unwrap_or(text);
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|width| is_plain && is_number && (1..=9).contains(width))
}

fn parse_filter(at: usize, text: &str) -> Result<Filter, TemplateProblem> {
    match text {
        "upper" => Ok(Filter::Upper),
        "lower" => Ok(Filter::Lower),
        "slug" => Ok(Filter::Slug),
        _ => match text.strip_prefix("cut:").and_then(|count| count.parse().ok()) {
            Some(count @ 1..=200) => Ok(Filter::Cut(count)),
            _ => Err(problem(
                at,
                &format!("`{text}` is not a filter"),
                Some("the filters are upper, lower, slug, cut:20"),
            )),
        },
    }
}

fn problem(at: usize, what: &str, hint: Option<&str>) -> TemplateProblem {
    TemplateProblem { column: at + 1, what: what.to_owned(), hint: hint.map(str::to_owned) }
}

/// Returns the known word that is most like `word`, if any is alike enough to be meant.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known.iter().map(|candidate| (strsim::jaro_winkler(word, candidate), *candidate));
    scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_or_refused_with_a_place() {
        for good in ["{theme}-{seq:04}", "{{x}}{id}", "{date}_{theme|upper|cut:20}-{seq}", "{original|slug}-{seq:5}"] {
            assert!(Template::parse(good).unwrap().is_unique(), "{good}");
        }
        for vague in ["{theme}", "{seq|cut:2}", "x"] {
            assert!(!Template::parse(vague).unwrap().is_unique(), "{vague}");
        }
        let cases = [
            ("{them}-{seq}", 2, "`them` is not a field"),
            ("ab{seq", 3, "this `{` is never closed"),
            ("ab}", 3, "this `}` closes nothing"),
            ("{seq:x}", 5, "`:x` is not a width"),
            ("{seq:+4}", 5, "`:+4` is not a width"),
            ("{theme:04}", 7, "`:04` is not a width"),
            ("{theme|big}", 2, "`big` is not a filter"),
            ("a/{seq}", 2, "a name cannot have a path in it"),
        ];
        for (text, column, what) in cases {
            let found = Template::parse(text).unwrap_err();
            assert_eq!((found.column, found.what.as_str()), (column, what), "{text}");
        }
        // The time grew with the square of the rule's length: the end of each field was searched from its start.
        assert_eq!(Template::parse(&"{seq}".repeat(200_000)).unwrap().pieces().len(), 200_000);
        assert_eq!(Template::parse("{them}").unwrap_err().hint.unwrap(), "did you mean `theme`?");
    }
}
