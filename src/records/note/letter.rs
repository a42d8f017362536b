//! A letter that was pasted as a note: what stands before and after its text is no idea.

use super::Found;

const NAMES: &str =
    "from to cc bcc sent date subject reply-to von an gesendet datum betreff de para enviado asunto à envoyé objet";
/// So many lines at least are a letter's head.
const HEAD_MIN: usize = 2;

/// Leaves out the head of a letter and its signature; returns a text with as many lines.
pub(super) fn body_of(text: &str, found: &mut Found) -> Option<String> {
    let is_head = |line: &&str| {
        line.split_once(": ").is_some_and(|(name, _)| NAMES.split(' ').any(|known| known == name.trim().to_lowercase()))
    };
    let head = text.lines().take_while(is_head).count();
    let is_letter = head >= HEAD_MIN && text.lines().nth(head).is_none_or(|line| line.trim().is_empty());
    if !is_letter {
        return None;
    }
    let lines: Vec<&str> = text.lines().collect();
    let signature = lines.iter().rposition(|line| line.trim_end() == "--").unwrap_or(lines.len());
    let mut body = String::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate() {
        if at < head || at >= signature {
            if !line.trim().is_empty() {
                found.problem(at + 1, "it is the head or the end of a letter, so it is left out", line);
            }
        } else {
            body.push_str(line);
        }
        body.push('\n');
    }
    Some(body)
}
