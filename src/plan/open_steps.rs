//! What a person ticked in the list of a bundle, and what not.

use std::collections::BTreeSet;

use super::checklist::utf8;
use super::checklist_steps::SENT;
use super::checklist_ticks::{Listed, lines};
use super::manifest::Existing;
use crate::model::{counted, escape_bytes};
use crate::records::ListRecord;

/// Returns what is told of a list whose bundle is sent: how many of its steps nobody ticked, but for the one by which it is
/// sent; nothing if all are.
pub fn told_open(list: &[u8]) -> String {
    let lines = lines(&String::from_utf8_lossy(&utf8(list)));
    let mut open = lines.iter().filter(|(mark, text)| *mark == Some(false) && !text.contains(SENT));
    let count = open.clone().count();
    let Some((_, first)) = open.next() else { return String::new() };
    let steps = counted(count, "step");
    format!("; {steps} of its CHECKLIST.md not ticked, first: {}", escape_bytes(first.as_bytes()))
}

/// Returns the files that a person uploaded from a bundle, as its list says; none where nobody can tell.
pub fn uploaded(existing: &Existing<'_>) -> BTreeSet<String> {
    let record = existing.record.and_then(|record| ListRecord::parse(record).ok());
    let list = utf8(existing.checklist.unwrap_or_default());
    let list = Listed::new(&String::from_utf8_lossy(&list), record.as_ref());
    list.done().uploaded.into_keys().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bundle was recorded as sent, and nobody said what was not done yet.
    #[test]
    fn steps_that_nobody_ticked_are_told() {
        for (list, told) in [
            ("", ""),
            ("# A\n- [x] Upload `a`\n- [ ] Then make an empty file `SENT` here\n- [ ]\n", ""),
            (
                "- [x] Upload `a`\r\n- [ ] Select\r\n  `a`: Photo.\r\n1. [ ] my own\r\n- no step\r\n- [ ] make an empty file `SENT`\r\n",
                "; 2 steps of its CHECKLIST.md not ticked, first: Select `a`: Photo.",
            ),
        ] {
            assert_eq!(told_open(list.as_bytes()), told, "{list}");
        }
    }
}
