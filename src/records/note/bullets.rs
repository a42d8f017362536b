//! What people write before and into a line that `CommonMark` knows nothing of: other bullets, check marks, addresses.

use std::collections::BTreeSet;

use super::Found;
use super::block::{Block, Line};

/// So many lines at least begin with a number, if it is left out.
const COUNTED_MIN: usize = 3;
/// So many levels at least make lines without bullets an outline.
const LEVELS_MIN: usize = 3;

/// What stood before a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Bullet,
    Number(u64),
    Open,
    Done,
}

const BULLETS: [&str; 21] =
    ["-", "*", "+", "•", "◦", "▪", "▫", "‣", "·", "●", "○", "■", "–", "—", "➤", "►", "→", "👉", "o", "§", "・"];
const OPEN: [&str; 3] = ["☐", "□", "⬜"];
/// What outliners write before a task.
const OPEN_WORDS: [&str; 9] = ["TODO", "DOING", "NOW", "LATER", "NEXT", "WAITING", "SOMEDAY", "todo:", "Todo:"];
const DONE_WORDS: [&str; 3] = ["DONE", "CANCELLED", "CANCELED"];
const DONE: [&str; 6] = ["☑", "☒", "✓", "✔", "✅", "❌"];

/// Takes a bullet, a number or a check mark off a line of text.
pub(super) fn strip_bullet(line: &mut Line) -> Option<Mark> {
    let (mark, rest) = bullet(&line.raw).or_else(|| unspaced(&line.text).and(unspaced(&line.raw)))?;
    let text =
        bullet(&line.text).or_else(|| unspaced(&line.text)).map_or(line.text.as_str(), |(_, rest)| rest).to_owned();
    (line.raw, line.text) = (rest.to_owned(), text);
    Some(strip_check(line).unwrap_or(mark))
}

/// Takes a check mark off an item.
pub(super) fn strip_check(line: &mut Line) -> Option<Mark> {
    let (mark, _) = check(&line.text)?;
    for text in [&mut line.raw, &mut line.text] {
        if let Some((_, rest)) = check(text) {
            *text = rest.to_owned();
        }
    }
    Some(mark)
}

/// Reads a bullet or a number that no space follows: `-sledge`, `1)tea`.
fn unspaced(text: &str) -> Option<(Mark, &str)> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (mark, rest) = match digits {
        0 => (Mark::Bullet, text.strip_prefix(['-', '*', '•', '·', '–', '→'])?),
        1..=3 => (Mark::Number(text[..digits].parse().ok()?), text[digits..].strip_prefix(['.', ')'])?),
        _ => return None,
    };
    rest.starts_with(char::is_alphabetic).then_some((mark, rest))
}

fn bullet(text: &str) -> Option<(Mark, &str)> {
    let spaced = |rest: &str| rest.starts_with(char::is_whitespace) && !rest.trim().is_empty();
    if let Some(rest) = BULLETS.iter().find_map(|sign| text.strip_prefix(sign)) {
        return spaced(rest).then(|| (Mark::Bullet, rest.trim_start()));
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    if (1..=4).contains(&digits.len()) {
        let number = Mark::Number(digits.parse().ok()?);
        let keycap = rest.strip_prefix('\u{fe0f}').unwrap_or(rest).strip_prefix('\u{20e3}');
        let point = rest.strip_prefix(['.', ')']).filter(|rest| spaced(rest));
        // `1️⃣0️⃣` is ten: the digits stand one by one.
        return keycap
            .map(|rest| {
                bullet(rest.trim_start())
                    .filter(|(mark, _)| matches!(mark, Mark::Number(_)))
                    .unwrap_or((number, rest.trim_start()))
            })
            .or_else(|| point.map(|rest| (number, rest.trim_start())));
    }
    text.strip_prefix("🔟").map(|rest| (Mark::Number(10), rest.trim_start())).or_else(|| check(text))
}

fn check(text: &str) -> Option<(Mark, &str)> {
    let sign = |signs: &[&str]| {
        signs.iter().find_map(|sign| text.strip_prefix(sign)).map(|rest| rest.trim_start_matches('\u{fe0f}'))
    };
    if let Some(rest) = sign(&OPEN) {
        return Some((Mark::Open, rest.trim_start()));
    }
    if let Some(rest) = sign(&DONE) {
        return Some((Mark::Done, rest.trim_start()));
    }
    if let Some((word, rest)) = text.split_once(' ').filter(|(_, rest)| !rest.trim().is_empty()) {
        let mark = if DONE_WORDS.contains(&word) { Mark::Done } else { Mark::Open };
        if mark == Mark::Done || OPEN_WORDS.contains(&word) {
            return Some((mark, rest.trim_start()));
        }
    }
    let mut chars = text.strip_prefix('[')?.chars();
    let state = chars.next()?;
    let rest = chars.as_str().strip_prefix(']').filter(|rest| rest.starts_with(' '))?;
    Some((if matches!(state, 'x' | 'X' | '-') { Mark::Done } else { Mark::Open }, rest.trim_start()))
}

/// Takes addresses out of a line's text; returns whether there were any.
pub(super) fn take_addresses(line: &mut Line) -> bool {
    let is_address = |word: &str| {
        let word = word.trim_start_matches(['(', '<', '[']);
        ["http://", "https://", "www."].iter().any(|scheme| word.starts_with(scheme))
    };
    let may_be_one = line.text.contains("://") || line.text.contains("www.");
    if !may_be_one || !line.text.split_whitespace().any(is_address) {
        return false;
    }
    line.text = line.text.split_whitespace().filter(|word| !is_address(word)).collect::<Vec<_>>().join(" ");
    true
}

/// Makes items of the lines of an outline without bullets, as a mind map is exported: its levels are told by their indent.
pub(super) fn indent(blocks: &mut [Block]) {
    let indents: Option<BTreeSet<usize>> =
        blocks.iter().map(|block| if let Block::Text(line) = block { Some(line.indent) } else { None }).collect();
    if indents.is_some_and(|indents| indents.len() >= LEVELS_MIN) {
        for block in blocks {
            let Block::Text(line) = block else { continue };
            *block = Block::Item { line: std::mem::take(line), is_ordered: false, is_done: false };
        }
    }
}

/// Makes items of the lines that go on with a list's numbers without its sign: `11 rough slate` after `10. …`.
pub(super) fn number(blocks: &mut [Block], numbers: &[Option<u64>], found: &mut Found) {
    let leading = |at: usize| match &blocks[at] {
        Block::Text(line) => split_number(&line.text).map(|(number, _)| number),
        _ => numbers[at],
    };
    let leading: Vec<Option<u64>> = (0..blocks.len()).map(leading).collect();
    let mut last = None;
    for (at, block) in blocks.iter_mut().enumerate() {
        let Some(number) = leading[at] else { continue };
        if let Block::Text(line) = block {
            let goes_on = last.is_some_and(|last| last + 1 == number);
            let begins = number == 1 && leading.get(at + 1).copied().flatten() == Some(2);
            if !goes_on && !begins {
                continue;
            }
            let mut line = std::mem::take(line);
            for text in [&mut line.raw, &mut line.text] {
                *text = split_number(text).map_or_else(|| text.clone(), |(_, rest)| rest.to_owned());
            }
            *block = Block::Item { line, is_ordered: true, is_done: false };
        }
        last = Some(number);
    }
    take_counts(blocks, found);
}

/// Leaves out the numbers that all lines of a note begin with in no order: nobody can tell what they count.
fn take_counts(blocks: &mut [Block], found: &mut Found) {
    let is_counted = |block: &Block| match block {
        Block::Text(line) | Block::Item { line, .. } => split_number(&line.text).is_some(),
        _ => false,
    };
    if blocks.len() < COUNTED_MIN || !blocks.iter().all(is_counted) {
        return;
    }
    for block in blocks {
        let (Block::Text(line) | Block::Item { line, .. }) = block else { continue };
        found.problem(
            line.number,
            "the number before it is left out; for a number of variations write `x12`",
            &line.text,
        );
        for text in [&mut line.raw, &mut line.text] {
            *text = split_number(text).map_or_else(|| text.clone(), |(_, rest)| rest.to_owned());
        }
    }
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let (digits, rest) = text.split_once(' ')?;
    let number = digits.parse().ok().filter(|_| digits.len() <= 4)?;
    rest.starts_with(char::is_alphabetic).then_some((number, rest))
}
