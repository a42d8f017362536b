//! The steps of a checklist that are about the parts of the manifest.

use std::collections::BTreeSet;

use super::checklist_done::Done;
use super::checklist_ticks::{Step, Ticked};
use super::delivered::Delivered;
use crate::model::{RelPath, counted};
use crate::records::{DELIVERED, ListedStep, Versions};

/// What a line is known by that asks for a later manifest.
pub(super) const AGAIN: &str = " again, with ";
/// How a step begins and ends that is about a part of the manifest.
pub(super) const THEN: (&str, &str) = ("Then upload ", " in the portal");

/// A part of the manifest.
pub(super) struct Part {
    pub(super) path: RelPath,
    /// Its rows, by the name of their file.
    pub(super) rows: Versions,
}

/// Returns the steps of the parts of the manifest: those that are done by delivery and that nobody ticked; those that are
/// to be uploaded, as far as that can be told; and that for what came after a part was uploaded.
pub(super) fn csv_steps(
    of_parts: &[Part],
    delivered: &Delivered,
    done: &Done<'_>,
    ticked: &[Ticked<'_>],
    is_any_new: bool,
) -> (Vec<Step>, Vec<Step>, Option<Step>) {
    let (mut is_done, mut known) = (BTreeSet::new(), done.rows.clone());
    let by_hand = ticked.iter().filter(|ticked| !ticked.text.contains(DELIVERED));
    for Ticked { text, about } in by_hand {
        let named: Vec<&Part> = of_parts.iter().filter(|part| text.contains(&quoted(part))).collect();
        is_done.extend(named.iter().map(|part| &part.path));
        match about {
            Some(ListedStep::Rows(_)) => (),
            // Nobody remembers which rows these were; so many of them are all.
            _ if is_whole(text, &named).unwrap_or(!is_any_new) => {
                let rows = named.iter().flat_map(|part| &part.rows);
                known.extend(rows.map(|(name, version)| (name.as_str(), version.as_str())));
            }
            _ => (),
        }
    }
    let mut rows = of_parts.iter().flat_map(|part| part.rows.keys()).peekable();
    let is_delivered = rows.peek().is_some() && rows.all(|name| delivered.rows.contains(name));
    let left = of_parts.iter().filter(|part| !is_done.contains(&part.path));
    let left = left.filter(|part| !part.rows.is_empty() && !delivered.in_doubt.contains(&part.path.file_text()));
    let by = if is_delivered { DELIVERED } else { "" };
    let steps = left.map(|part| {
        let (name, rows) = (quoted(part), counted(part.rows.len(), "row"));
        (format!("{}{name} ({rows}){}{by}.", THEN.0, THEN.1), ListedStep::Rows(part.rows.clone()))
    });
    if is_delivered {
        return (steps.collect(), Vec::new(), None);
    }
    let is_known = |(name, version): &(&String, &String)| known.get(name.as_str()) == Some(&version.as_str());
    let is_new = |row: &(&String, &String)| !is_known(row) && !delivered.rows.contains(row.0);
    let is_late = |part: &&Part| is_done.contains(&part.path) && part.rows.iter().any(|row| is_new(&row));
    let late: Vec<&Part> = of_parts.iter().filter(is_late).collect();
    let rows: Versions = late.iter().flat_map(|part| part.rows.clone()).collect();
    let names = late.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(", ");
    let again = format!("Upload {names}{AGAIN}{} now.", counted(rows.len(), "row"));
    (Vec::new(), steps.collect(), (!late.is_empty()).then_some((again, ListedStep::Rows(rows))))
}

/// Returns the name of a part of the manifest as a list names it.
fn quoted(part: &Part) -> String {
    format!("`{}`", part.path.file_text())
}

/// Returns whether a line that says how many rows it is about speaks of all rows of these parts; `None` if it does not say it.
fn is_whole(line: &str, parts: &[&Part]) -> Option<bool> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut pairs = words.windows(2).filter(|pair| pair[1].starts_with("row"));
    let count: usize = pairs.find_map(|pair| pair[0].trim_start_matches('(').parse().ok())?;
    Some(count == parts.iter().map(|part| part.rows.len()).sum::<usize>())
}
