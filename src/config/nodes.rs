//! A text with the place of each of its values, and what in it has not the form that it must have.

use marked_yaml::types::{MarkedMappingNode, MarkedScalarNode};
use marked_yaml::{LoadError, Node, Span, loader::LoaderOptions, parse_yaml_with_options};

use super::Problem;
use super::gate::time;
use super::schema::SCHEDULE;
use super::shape::Shape;
use crate::model::nearest;

/// The most characters at the start of a line that only begin lists and keys: the YAML reader recurses into each.
const NESTING_CHARS_MAX: usize = 2_000;

fn is_nesting(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '?' | ':')
}

/// The nodes of a settings file, with their positions.
#[derive(Default)]
pub(super) struct Nodes(Option<Node>);

impl Nodes {
    /// Reads the nodes of a text; a text that is no YAML is one problem.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self(None));
        }
        if let Some(line) =
            text.lines().position(|line| line.chars().take_while(|c| is_nesting(*c)).count() > NESTING_CHARS_MAX)
        {
            let what = "lists are nested too deeply here".to_owned();
            return Err(Problem { line: line + 1, column: 1, key: String::new(), what, hint: None });
        }
        let options = LoaderOptions::default().error_on_duplicate_keys(true).prevent_coercion(true);
        parse_yaml_with_options(0, text, options).map(|node| Self(Some(node))).map_err(|error| {
            let colour = bare_colour(text).filter(|_| matches!(error, LoadError::ScanError(..)));
            colour.map_or_else(
                || syntax(&error),
                |(line, column, colour)| {
                    let what =
                        format!("`{colour}` is a comment to YAML, and so is the rest of the line: write \"{colour}\"");
                    Problem { line, column, key: String::new(), what, hint: None }
                },
            )
        })
    }

    /// Returns the values that do not have the form that they must have.
    pub(super) fn check(&self, shape: &Shape) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(node) = &self.0 {
            check(node, shape, "", &mut problems);
        }
        problems
    }

    /// Returns a problem at one of the values of a list, from 0.
    pub(super) fn problem_in(
        &self,
        key: &str,
        number: usize,
        what: impl Into<String>,
        hint: Option<String>,
    ) -> Problem {
        let mut problem = self.problem(key, what, hint);
        let list = self.0.as_ref().and_then(|node| {
            key.split('.').try_fold(node, |node, part| node.as_mapping().and_then(|mapping| mapping.get_node(part)))
        });
        if let Some(node) = list.and_then(Node::as_sequence).and_then(|list| list.get_node(number)) {
            (problem.line, problem.column) = position(node.span());
        }
        problem
    }

    /// Returns a problem at a key such as `keep.scale`, or at the nearest one above it that is written.
    pub(super) fn problem(&self, key: &str, what: impl Into<String>, hint: Option<String>) -> Problem {
        let mut node = self.0.as_ref();
        let mut at = (1, 1);
        for part in key.split('.') {
            node = node.and_then(Node::as_mapping).and_then(|mapping| mapping.get_node(part));
            if let Some(node) = node {
                at = position(node.span());
            }
        }
        Problem { line: at.0, column: at.1, key: key.to_owned(), what: what.into(), hint }
    }
}

fn syntax(error: &LoadError) -> Problem {
    let at = |line, column, what: String| Problem { line, column, key: String::new(), what, hint: None };
    match error {
        LoadError::DuplicateKey(inner) => {
            let (line, column) = position(inner.key.span());
            at(line, column, format!("`{}` is written twice; keep one", inner.key.as_str()))
        }
        LoadError::ScanError(marker, scan) => {
            at(marker.line(), marker.column(), format!("this is no YAML: {}", scan.info()))
        }
        LoadError::TopLevelMustBeMapping(marker)
        | LoadError::TopLevelMustBeSequence(marker)
        | LoadError::UnexpectedAnchor(marker)
        | LoadError::MappingKeyMustBeScalar(marker)
        | LoadError::UnexpectedTag(marker) => {
            at(marker.line(), marker.column(), "settings are `key: value` lines, without anchors or tags".to_owned())
        }
    }
}

fn position(span: &Span) -> (usize, usize) {
    span.start().map_or((1, 1), |start| (start.line(), start.column()))
}

fn check(node: &Node, shape: &Shape, key: &str, problems: &mut Vec<Problem>) {
    let inner = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match shape {
        Shape::Table(fields) => {
            let Some(mapping) = node.as_mapping() else {
                return match node.as_scalar().map(|scalar| scalar.as_str().is_empty()) {
                    // A section whose lines are all comments.
                    Some(true) => (),
                    _ => problems.push(wrong(node, key, "must be a section with keys of its own")),
                };
            };
            for (name, value) in mapping.iter() {
                match fields.iter().find(|(known, _)| *known == name.as_str()) {
                    Some((_, shape)) if is_left_out(value, shape) => {
                        let (line, column) = position(name.span());
                        let (key, what) = (inner(name.as_str()), LEFT_OUT.to_owned());
                        problems.push(Problem { line, column, key, what, hint: None });
                    }
                    Some((_, shape)) => check(value, shape, &inner(name.as_str()), problems),
                    None => problems.push(unknown(name.span(), &inner(name.as_str()), name.as_str(), fields)),
                }
            }
            let lacking = lacking(mapping, fields);
            if !lacking.is_empty() {
                // A section that is no `{…}` begins behind its first key.
                let first = mapping.keys().next().map(|name| position(name.span()));
                let (line, column) = first.into_iter().chain([position(node.span())]).min().unwrap_or((1, 1));
                let what = format!("lacks {}", lacking.join(", "));
                problems.push(Problem { line, column, key: key.to_owned(), what, hint: None });
            }
        }
        Shape::Needed(shape) => check(node, shape, key, problems),
        Shape::Map(shape) => match node.as_mapping() {
            Some(mapping) => {
                mapping.iter().for_each(|(name, value)| check(value, shape, &inner(name.as_str()), problems));
            }
            None => problems.push(wrong(node, key, "must be `{name: value}`")),
        },
        Shape::Words if node.as_scalar().is_some() => (),
        Shape::Words => check(node, &Shape::List(&Shape::Scalar), key, problems),
        Shape::List(shape) => match node.as_sequence() {
            Some(list) => list.iter().for_each(|item| check(item, shape, key, problems)),
            None => problems.push(wrong(node, key, "must be a list: `[one, two]`")),
        },
        Shape::Gate => match node.as_scalar() {
            Some(scalar) if matches!(scalar.as_str(), "auto" | "hold") => (),
            Some(scalar) => {
                let near = nearest(scalar.as_str(), &["auto", "hold"]);
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                let what = "must be auto, hold or a schedule `{on: [friday], at: \"09:00\"}`";
                problems.push(wrong(node, key, &format!("`{}` {what}{near}", scalar.as_str())));
            }
            None => check(node, &SCHEDULE, key, problems),
        },
        _ => problems.extend(check_scalar(node, shape).map(|what| wrong(node, key, &what))),
    }
}

/// Returns the keys that a section must have and does not; one that is written almost so is told as that.
fn lacking(mapping: &MarkedMappingNode, fields: &[(&str, Shape)]) -> Vec<String> {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let is_known = |name: &str| names.contains(&name);
    let unknown = mapping.keys().map(MarkedScalarNode::as_str).filter(|name| !is_known(name));
    let meant: Vec<&str> = unknown.filter_map(|name| nearest(name, &names)).collect();
    let needed = fields.iter().filter(|(_, shape)| matches!(shape, Shape::Needed(_))).map(|(name, _)| *name);
    let lacking = needed.filter(|name| mapping.get_node(name).is_none() && !meant.contains(name));
    lacking.map(|name| format!("`{name}`")).collect()
}

const LEFT_OUT: &str = "has no value: write one, or take the line away; a value that begins with #, as a colour does, \
                        needs quotation marks";

/// Returns whether nothing is written where a value must be; what begins with # is a comment to YAML.
fn is_left_out(node: &Node, shape: &Shape) -> bool {
    let may_be_empty = matches!(shape, Shape::Table(_) | Shape::Scalar | Shape::Category | Shape::Words);
    !may_be_empty && node.as_scalar().is_some_and(|scalar| scalar.as_str().is_empty() && scalar.may_coerce())
}

/// Returns a colour without quotation marks, which is a comment to YAML, and where it stands.
fn bare_colour(text: &str) -> Option<(usize, usize, &str)> {
    let colour = |line: &'_ str| {
        let before = line.find(" #").filter(|_| !line.trim_start().starts_with('#'))?;
        let digits = line[before + 2..].bytes().take_while(u8::is_ascii_hexdigit).count();
        let ends = line[before + 2 + digits..].chars().next().is_none_or(|c| !c.is_alphanumeric());
        let is_value = line[..before].trim_end().ends_with(':');
        (is_value && ends && matches!(digits, 3 | 6)).then_some((before + 1, digits + 1))
    };
    text.lines().enumerate().find_map(|(number, line)| {
        let (at, length) = colour(line)?;
        Some((number + 1, line[..at].chars().count() + 1, &line[at..at + length]))
    })
}

fn check_scalar(node: &Node, shape: &Shape) -> Option<String> {
    let Some(scalar) = node.as_scalar() else {
        let told = match shape {
            Shape::Text => "must be one value; text that begins with { or [ needs quotation marks, as \"{in}\"",
            Shape::Signs => "must be a text of the signs, one after another, such as \",;\"",
            Shape::Category => "must be one text, also for several categories: \"one, two\"",
            _ => "must be one value",
        };
        return Some(told.to_owned());
    };
    let text = scalar.as_str();
    match shape {
        Shape::Integer(..) | Shape::Number(..) if !scalar.may_coerce() => {
            Some(format!("`{text}` must be a number, without quotation marks"))
        }
        Shape::Integer(min, max) => {
            let sound = text.parse::<i64>().is_ok_and(|value| (*min..=*max).contains(&value));
            (!sound).then(|| format!("`{text}` must be a whole number from {min} to {max}"))
        }
        Shape::Number(min, max) => {
            let sound = text.parse::<f64>().is_ok_and(|value| (*min..=*max).contains(&value));
            (!sound).then(|| format!("`{text}` must be a number from {min} to {max}"))
        }
        Shape::OneOf(words) if !words.contains(&text) => {
            let near = nearest(text, words).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Some(format!("`{text}` must be one of {}{near}", words.join(", ")))
        }
        Shape::Read(read) => read(text).err(),
        Shape::Time if time(text).is_none() => {
            let hours = text.parse().ok().filter(|hours| *hours < 24);
            let example = hours.map_or_else(|| "09:00".to_owned(), |hours: u8| format!("{hours:02}:00"));
            Some(format!("`{text}` is no time of day; write hours and minutes in quotation marks, as \"{example}\""))
        }
        Shape::Text | Shape::Signs
            if scalar.may_coerce()
                && (text.parse::<f64>().is_ok() || matches!(text, "true" | "false" | "null" | "~")) =>
        {
            Some(format!("`{text}` must be text; write \"{text}\" if you mean it"))
        }
        _ => None,
    }
}

fn unknown(span: &Span, key: &str, name: &str, fields: &[(&str, Shape)]) -> Problem {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let hint = nearest(name, &names)
        .map_or_else(|| format!("the keys here are {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
    let (line, column) = position(span);
    Problem { line, column, key: key.to_owned(), what: "there is no such setting".to_owned(), hint: Some(hint) }
}

fn wrong(node: &Node, key: &str, what: &str) -> Problem {
    let (line, column) = position(node.span());
    Problem { line, column, key: key.to_owned(), what: what.to_owned(), hint: None }
}
