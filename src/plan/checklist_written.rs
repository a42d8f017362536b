//! A list as stockmill wrote it: an editor may break its lines anew when it saves, and escape signs, and still it says the same.

use std::borrow::Cow;

use super::checklist_csv::THEN;
use super::checklist_notes::{behind_ours, is_begun_by_us};
use super::checklist_steps::SENT;
use super::checklist_ticks::{boxed, flat};
use crate::records::ListRecord;

/// So many lines at the most are one.
const LINES_MAX: usize = 40;
/// How steps of ours begin that name files.
const BEGINNINGS: [&str; 4] = ["Upload `", "Select `", "Delete `", THEN.0];

/// Returns a list with each line of ours in one line and without escapes, as it was written, and all else as it is.
pub(super) fn as_written(list: &[u8], record: Option<&ListRecord>) -> Vec<u8> {
    units(&utf8(list), record).into_iter().flat_map(|(_, written)| written.into_owned()).collect()
}

/// Returns the lines of a list as they are, those that were one of ours together, each with what was written there.
pub(super) fn units<'a>(list: &'a [u8], record: Option<&ListRecord>) -> Vec<(&'a [u8], Cow<'a, [u8]>)> {
    let bytes: Vec<&[u8]> = list.split_inclusive(|byte| *byte == b'\n').collect();
    let lines: Vec<Cow<'_, str>> = bytes.iter().map(|line| String::from_utf8_lossy(line)).collect();
    let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    let (mut units, mut at, mut from) = (Vec::new(), 0, 0);
    while let Some(line) = lines.get(at) {
        let rest = &lines[at..lines.len().min(at + LINES_MAX)];
        let written = step(rest, record).or_else(|| note(rest)).or_else(|| heading(line, record));
        let count = written.as_ref().map_or(1, |(_, count)| *count);
        let raw = &list[from..from + bytes[at..at + count].iter().map(|line| line.len()).sum::<usize>()];
        units.push((raw, written.map_or(Cow::Borrowed(raw), |(text, _)| Cow::Owned(text.into_bytes()))));
        (at, from) = (at + count, from + raw.len());
    }
    units
}

/// Returns a step of ours as it was written, and how many lines it has by now; `None` if it is so, or not ours.
fn step(lines: &[&str], record: Option<&ListRecord>) -> Option<(String, usize)> {
    let (first, rest) = lines.split_first()?;
    let (_, begin) = boxed(first)?;
    let before = &first[..first.len() - begin.len()];
    let is_more = |line: &&&str| {
        let text = line.trim_start();
        !text.is_empty() && boxed(line).is_none() && !text.starts_with(['-', '*', '+', '#', '>'])
    };
    let is_indented = |line: &&&str| is_more(line) && line.starts_with([' ', '\t']);
    let joined = |more: usize| flat(&std::iter::once(begin).chain(rest[..more].iter().copied()).collect::<String>());
    let known = |more: usize| {
        let text = joined(more);
        let is_known = |text: &String| record.is_some_and(|record| record.steps.contains_key(text));
        [unescaped(&text), text].into_iter().find(is_known).map(|text| (text, more))
    };
    // What is not indented may be a person's: it is part of a step only if that is whole with it.
    let found = (0..=rest.iter().take_while(is_more).count()).rev().find_map(known);
    let (text, more) = found.or_else(|| {
        let more = rest.iter().take_while(is_indented).count();
        let text = unescaped(&joined(more));
        let is_ours = BEGINNINGS.iter().any(|ours| text.starts_with(ours)) || text.contains(SENT);
        is_ours.then_some((text, more))
    })?;
    let is_so = more == 0 && unescaped(begin) == begin;
    (!is_so).then(|| (format!("{before}{text}{}", end_of(lines[more])), more + 1))
}

/// Returns lines of ours that say what is not as a person may expect it, as they were written, and how many lines they are by
/// now: an editor makes one paragraph of all that stand there.
fn note(lines: &[&str]) -> Option<(String, usize)> {
    let first = unescaped(lines.first()?);
    if !is_begun_by_us(&first) {
        return None;
    }
    let next = |behind: &str| Some(format!("> {}", behind.trim_start())).filter(|next| is_begun_by_us(next));
    let behind = |line: &str| behind_ours(line.as_bytes()).map(|behind| line[line.len() - behind.len()..].to_owned());
    if behind(&first).is_some_and(|behind| next(&behind).is_none()) {
        return (first != lines[0]).then_some((first, 1));
    }
    let (mut written, mut open) = (String::new(), String::new());
    for (at, line) in lines.iter().take_while(|line| line.starts_with('>')).enumerate() {
        let more = flat(&unescaped(line.strip_prefix('>').unwrap_or(line)));
        open = if open.is_empty() { format!("> {more}") } else { format!("{open} {more}") };
        while let Some(behind) = behind(&open) {
            let ours = &open[..open.len() - behind.len()];
            let Some(next) = next(&behind) else {
                // What a person wrote behind it stays there.
                return Some((written + &open + end_of(line), at + 1));
            };
            written = written + ours + end_of(line);
            open = next;
        }
    }
    None
}

/// Returns the heading as it was written, and that it has one line.
fn heading(line: &str, record: Option<&ListRecord>) -> Option<(String, usize)> {
    let text = unescaped(line);
    let heading = record.map(|record| record.heading.as_str()).filter(|heading| !heading.is_empty())?;
    (text != line && text.starts_with(heading)).then_some((text, 1))
}

/// Returns a text without the `\` that an editor puts before signs which mean something in Markdown.
fn unescaped(text: &str) -> String {
    let mut signs = text.chars().peekable();
    let mut plain = String::with_capacity(text.len());
    while let Some(sign) = signs.next() {
        let is_escape = sign == '\\' && signs.peek().is_some_and(char::is_ascii_punctuation);
        plain.extend(if is_escape { signs.next() } else { Some(sign) });
    }
    plain
}

/// Returns how a line ends.
fn end_of(line: &str) -> &str {
    &line[line.trim_end_matches(['\r', '\n']).len()..]
}

/// Returns the bytes of a list without a mark at the start. One that an editor wrote in UTF-16 is UTF-8 from then on.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units).into_bytes())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::ListedStep;

    /// What was ticked was asked for again, beside it or in the middle of it.
    #[test]
    fn what_an_editor_made_of_our_lines_is_as_it_was_written() {
        let steps = ["Press *Submit* all_of it.", "Press"].map(|step| (step.to_owned(), ListedStep::Other)).into();
        let record = ListRecord::new("# A-Market of ".to_owned(), steps, Vec::new());
        let sent = "- [x] Submit all; then say `stockmill sent 2026-12-01/a` or make an empty file `SENT` here: later files.\n";
        let sorted = "> Names are sorted: `a-1` to `a-3` are all from the first to the last of them.\n";
        let empty = "> Nothing is left to upload from here: no file has a row; what joins later gets its steps.\n";
        // What an editor saved, and what is read.
        let rows: [(String, String); 12] = [
            (
                "- [x] Upload `a` to\n  `b` (2 files)\n\tfrom `files/`.\n\nmine\n".into(),
                "- [x] Upload `a` to `b` (2 files) from `files/`.\n\nmine\n".into(),
            ),
            (
                "* \\[X\\] Upload \\`a\\_1\\` (1 file) from \\`files/\\`.\r\n".into(),
                "* \\[X\\] Upload `a_1` (1 file) from `files/`.\r\n".into(),
            ),
            (sent.replace("make an", "make\n  an"), sent.into()),
            (sent.replace("file `SENT`", "file\r\n    `SENT`"), sent.into()),
            ("- [ ] Press \\*Submit\\*\nall\\_of it.\n".into(), "- [ ] Press *Submit* all_of it.\n".into()),
            // These are a person's.
            ("- [ ] Press\n  the button\nnow\n".into(), "- [ ] Press\n  the button\nnow\n".into()),
            ("- [ ] Wash\n  my\\_hands\n".into(), "- [ ] Wash\n  my\\_hands\n".into()),
            (
                "- [ ] Upload `a`  (1 file) from `files/`.  Done?\n".into(),
                "- [ ] Upload `a`  (1 file) from `files/`.  Done?\n".into(),
            ),
            (
                "# A\\-Market of 2026\\-12\\-01: 2 files\n# My\\_own\n".into(),
                "# A-Market of 2026-12-01: 2 files\n# My\\_own\n".into(),
            ),
            (sorted.replace('`', "\\`"), sorted.into()),
            (format!("{}> mine\n", sorted.replace("from the", "from\n> the")), format!("{sorted}> mine\n")),
            (
                format!("{}{}", sorted.replace('\n', " "), empty[2..].replace(" row;", "\n> row;")),
                format!("{sorted}{empty}"),
            ),
        ];
        for (saved, read) in rows {
            let found = as_written(saved.as_bytes(), Some(&record));
            assert_eq!(String::from_utf8_lossy(&found), read, "{saved}");
        }
    }
}
