use std::collections::HashSet;

/// The deepest nesting of alternatives that is expanded; deeper ones stay as they are.
const DEPTH_MAX: usize = 16;

/// The prompts that one prompt with alternatives stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// The prompts, in order; no more than were asked for.
    pub prompts: Vec<String>,
    /// How many more there would have been.
    pub left_out: u64,
}

/// Returns every prompt that `prompt` stands for, at most `count_max` of them, and of at most `bytes_max`
/// bytes all together.
///
/// Only `{…|…}` is expanded; every other brace, `$`, `%` and `#` is text, and so is a group that
/// starts with another tool's picking rule (`{2$$a|b|c}`). The last alternatives change fastest:
/// `{a|b}{1|2}` gives `a1`, `a2`, `b1`, `b2`.
pub fn expand(prompt: &str, count_max: usize, bytes_max: usize) -> Expansion {
    let groups = groups(prompt);
    let sequence = Sequence::read(prompt, &groups, 0..prompt.len(), 0);
    let wanted = usize::try_from(sequence.count).unwrap_or(usize::MAX).min(count_max);
    let mut bytes = 0;
    let fits = |prompt: &String| {
        bytes += prompt.len();
        bytes <= bytes_max
    };
    let prompts: Vec<String> = (0..wanted as u128).map(|number| sequence.write(number)).take_while(fits).collect();
    let left_out = sequence.count - prompts.len() as u128;
    Expansion { prompts, left_out: u64::try_from(left_out).unwrap_or(u64::MAX) }
}

/// Returns whether a text holds alternatives that would be expanded.
pub(super) fn has_alternatives(text: &str) -> bool {
    !groups(text).is_empty()
}

/// Returns the content of `prompts.txt`: one prompt per line, each prompt once.
pub fn prompts_text(prompts: &[String]) -> String {
    merge_prompts("", prompts)
}

/// Returns `existing` with those of the `new` prompts that it lacks added at the end.
pub fn merge_prompts(existing: &str, new: &[String]) -> String {
    let line_end = if existing.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Vec<String> = new.iter().map(|prompt| one_line(prompt)).collect();
    let mut seen: HashSet<&str> = existing.lines().map(str::trim).collect();
    let mut text = existing.to_owned();
    for line in &lines {
        if line.is_empty() || !seen.insert(line) {
            continue;
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str(line_end);
        }
        text.push_str(line);
        text.push_str(line_end);
    }
    text
}

fn one_line(prompt: &str) -> String {
    prompt.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A `{…|…}` by the positions of its opening brace, its `|`s and its closing brace.
struct Group {
    open: usize,
    bars: Vec<usize>,
    close: usize,
}

/// Returns the groups with alternatives, by their opening brace.
fn groups(text: &str) -> Vec<Group> {
    let mut waiting: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut found = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => waiting.push((at, Vec::new())),
            b'|' => {
                if let Some((_, bars)) = waiting.last_mut() {
                    bars.push(at);
                }
            }
            b'}' => {
                if let Some((open, bars)) = waiting.pop().filter(|(_, bars)| !bars.is_empty())
                    && !has_picking_rule(&text[open + 1..])
                {
                    found.push(Group { open, bars, close: at });
                }
            }
            _ => {}
        }
    }
    found.sort_by_key(|group| group.open);
    found
}

/// Returns whether a group's text starts like `2$$`, `1-2$$` or `~$$`.
fn has_picking_rule(inner: &str) -> bool {
    inner.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '~' | '!' | '@')).starts_with("$$")
}

enum Node<'a> {
    Text(&'a str),
    Choice { options: Vec<Sequence<'a>>, count: u128 },
}

/// Texts and choices one after another, and how many prompts they give.
struct Sequence<'a> {
    nodes: Vec<Node<'a>>,
    count: u128,
}

impl<'a> Sequence<'a> {
    /// `groups` are those that open inside `range`, in order.
    fn read(text: &'a str, groups: &[Group], range: std::ops::Range<usize>, depth: usize) -> Self {
        let mut nodes = Vec::new();
        let mut count = 1_u128;
        let mut at = range.start;
        let mut rest = groups;
        while let Some((group, after)) = rest.split_first().filter(|_| depth < DEPTH_MAX) {
            let (inner, outer) = after.split_at(after.partition_point(|other| other.open < group.close));
            let choice = Node::choice(text, group, inner, depth);
            count = count.saturating_mul(choice.count());
            nodes.extend([Node::Text(&text[at..group.open]), choice]);
            at = group.close + 1;
            rest = outer;
        }
        nodes.push(Node::Text(&text[at..range.end]));
        Self { nodes, count }
    }

    /// Writes prompt `number`: its digits, in the mixed base of the choices, pick the options.
    fn write(&self, mut number: u128) -> String {
        let mut parts = Vec::with_capacity(self.nodes.len());
        for node in self.nodes.iter().rev() {
            let digit = number % node.count();
            number /= node.count();
            parts.push(node.write(digit));
        }
        parts.reverse();
        parts.concat()
    }
}

impl<'a> Node<'a> {
    fn choice(text: &'a str, group: &Group, inner: &[Group], depth: usize) -> Self {
        let ends = group.bars.iter().copied().chain([group.close]);
        let mut options = Vec::with_capacity(group.bars.len() + 1);
        let mut start = group.open + 1;
        let mut rest = inner;
        for end in ends {
            let (own, later) = rest.split_at(rest.partition_point(|other| other.open < end));
            options.push(Sequence::read(text, own, start..end, depth + 1));
            start = end + 1;
            rest = later;
        }
        let count = options.iter().fold(0_u128, |sum, option| sum.saturating_add(option.count));
        Self::Choice { options, count }
    }

    fn count(&self) -> u128 {
        match self {
            Self::Text(_) => 1,
            Self::Choice { count, .. } => *count,
        }
    }

    fn write(&self, mut digit: u128) -> String {
        match self {
            Self::Text(text) => (*text).to_owned(),
            Self::Choice { options, .. } => {
                for option in options {
                    if digit < option.count {
                        return option.write(digit);
                    }
                    digit -= option.count;
                }
                String::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn alternatives_are_expanded_in_order_and_other_signs_are_text() {
        let cases: &[(&str, &[&str])] = &[
            ("a cabin", &["a cabin"]),
            ("a {red|blue} cabin", &["a red cabin", "a blue cabin"]),
            ("{a|b}{1|2}", &["a1", "a2", "b1", "b2"]),
            ("{a|b {x|y}} c", &["a c", "b x c", "b y c"]),
            ("{|red }cabin", &["cabin", "red cabin"]),
            ("{single} {{double}} $x %y #z", &["{single} {{double}} $x %y #z"]),
            ("{single {a|b}}", &["{single a}", "{single b}"]),
            ("{a|{b}", &["{a|{b}"]),
            ("a} {b|c}", &["a} b", "a} c"]),
            ("a|b", &["a|b"]),
            ("{2$$a|b}", &["{2$$a|b}"]),
            ("{é|日本}", &["é", "日本"]),
        ];
        for (prompt, expected) in cases {
            assert_eq!(expand(prompt, 64, 1000).prompts, *expected, "{prompt}");
        }
    }

    #[test]
    fn an_explosion_costs_nothing() {
        let expansion = expand(&"{a|b|c|d}".repeat(100_000), 3, usize::MAX);
        assert_eq!(expansion.prompts.len(), 3);
        assert_eq!(expansion.left_out, u64::MAX);
        assert!(expansion.prompts[1].ends_with("ab"));
        assert_eq!(expand("{a|b|c}", 0, 9), Expansion { prompts: Vec::new(), left_out: 3 });
        assert_eq!(expand("{aa|bb|cc}", 9, 5), Expansion { prompts: vec!["aa".into(), "bb".into()], left_out: 1 });
        assert_eq!(expand(&"{a|".repeat(200_000), 9, usize::MAX).prompts.len(), 1);
        let deep = format!("{}x{}", "{a|".repeat(50_000), "}".repeat(50_000));
        assert_eq!(expand(&deep, 100, usize::MAX).prompts.len(), DEPTH_MAX + 1);
    }

    #[test]
    fn a_prompt_list_keeps_what_a_person_wrote() {
        let new = ["two\nlines".to_owned(), "one".to_owned(), " one ".to_owned(), "\n".to_owned()];
        assert_eq!(prompts_text(&new), "two lines\none\n");
        assert_eq!(merge_prompts("one\r\n\r\n# mine", &new), "one\r\n\r\n# mine\r\ntwo lines\r\n");
        assert_eq!(merge_prompts("one\n two lines ", &new), "one\n two lines ");
    }

    proptest! {
        #[test]
        fn the_count_is_kept_plus_left_out(text in "[a{}|$ é]{0,40}", count_max in 0_usize..50) {
            let all = expand(&text, 100_000, usize::MAX);
            let some = expand(&text, count_max, usize::MAX);
            prop_assert_eq!(all.left_out, 0);
            prop_assert_eq!(some.prompts.len() as u64 + some.left_out, all.prompts.len() as u64);
            prop_assert_eq!(&all.prompts[..some.prompts.len()], &some.prompts[..]);
        }

        #[test]
        fn merging_twice_is_merging_once(existing in "[ab \n\r]{0,20}", new in proptest::collection::vec("[ab \n]{0,5}", 0..6)) {
            let once = merge_prompts(&existing, &new);
            prop_assert!(once.starts_with(&existing));
            prop_assert_eq!(merge_prompts(&once, &new), once);
        }
    }
}
