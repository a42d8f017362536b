use super::super::keys::{key_named, split_key};
use super::super::lines::{LineKind, lines};
use super::super::marks;

/// Which lines of a note are its ideas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The headings of one level.
    Headings {
        /// Their level.
        level: usize,
    },
    /// The bullets that are no deeper than this.
    Bullets {
        /// Their indentation.
        indent_max: usize,
    },
    /// Every line that is not indented.
    Lines,
    /// None; the whole note is one idea, named in its front matter.
    Single,
}

/// How many lines of which sort a note has.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// How many headings there are per level that name an idea, not a field.
    headings: [usize; 7],
    /// The least indentation of bullets that are no fields.
    bullet_indent: Option<usize>,
    /// There is a plain line before the first bullet.
    has_line_first: bool,
    has_keys: bool,
    /// The only heading of the first level: what all the ideas are about.
    pub(super) collection: Option<String>,
}

impl Shape {
    pub(super) fn of(body: &str) -> Self {
        let mut shape = Self::default();
        let mut in_field = false;
        for line in lines(body, 1) {
            match line.kind {
                LineKind::Heading { level, text } => in_field = shape.see_heading(level, text),
                LineKind::Bullet { indent, text } => {
                    if let Some((_, value)) = split_key(text) {
                        shape.has_keys = true;
                        in_field = value.is_empty();
                    } else if !in_field {
                        let least = shape.bullet_indent.map_or(indent, |least| least.min(indent));
                        shape.bullet_indent = Some(least);
                    } else if indent == 0 && shape.bullet_indent == Some(0) {
                        in_field = false;
                    }
                }
                LineKind::Text { indent, text } => {
                    let key = split_key(text);
                    shape.has_keys |= key.is_some();
                    in_field = key.map_or(in_field && indent > 0, |(_, value)| value.is_empty());
                    shape.has_line_first |= key.is_none() && indent == 0 && shape.bullet_indent.is_none();
                }
                _ => {}
            }
        }
        shape
    }

    /// Returns whether the heading opens a field.
    fn see_heading(&mut self, level: usize, text: &str) -> bool {
        if key_named(text).is_some() {
            self.has_keys = true;
            return true;
        }
        self.headings[level] += 1;
        if level == 1 && text.len() < 200 {
            self.collection = Some(marks::plain(text)).filter(|_| self.headings[1] == 1);
        }
        false
    }

    pub(super) fn mode(&self, has_title: bool) -> Mode {
        let headings = |count_min: usize| (1..=6).find(|level| self.headings[*level] >= count_min);
        let lone = (2..=6).find(|level| self.headings[*level] == 1);
        if let Some(level) = headings(2) {
            return Mode::Headings { level };
        }
        match self.bullet_indent {
            Some(indent) if indent < 2 || !self.has_line_first => Mode::Bullets { indent_max: indent + 1 },
            _ if has_title => Mode::Single,
            _ => match lone {
                Some(level) => Mode::Headings { level },
                None if self.headings[1] == 1 && self.has_keys => Mode::Headings { level: 1 },
                None => Mode::Lines,
            },
        }
    }
}
