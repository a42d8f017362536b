//! The steps of a checklist that are about the parts of the manifest.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Their checksums.
    pub(super) sums: BTreeMap<String, u32>,
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
    let is_delivered = rows.peek().is_some() && rows.all(|name| delivered.rows.contains_key(name));
    let left = of_parts.iter().filter(|part| !is_done.contains(&part.path));
    let left = left.filter(|part| !part.rows.is_empty() && !delivered.in_doubt.contains(&part.path.file_text()));
    let by = if is_delivered { DELIVERED } else { "" };
    let steps = left.map(|part| {
        let (name, rows) = (quoted(part), counted(part.rows.len(), "row"));
        (format!("{}{name} ({rows}){}{by}.", THEN.0, THEN.1), ListedStep::Rows(part.rows.clone()))
    });
    let is_known = |(name, version): &(&String, &String)| known.get(name.as_str()) == Some(&version.as_str());
    // A row that changed after it was delivered goes by hand.
    let has_gone =
        |part: &Part, name: &str| delivered.rows.get(name).is_some_and(|sum| part.sums.get(name) == Some(sum));
    let is_new = |part: &Part, row: &(&String, &String)| !is_known(row) && !has_gone(part, row.0);
    let is_up = |part: &Part| is_delivered || is_done.contains(&part.path);
    let is_late = |part: &&Part| is_up(part) && part.rows.iter().any(|row| is_new(part, &row));
    let late: Vec<&Part> = of_parts.iter().filter(is_late).collect();
    let rows: Versions = late.iter().flat_map(|part| part.rows.clone()).collect();
    let names = late.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(", ");
    let again = format!("Upload {names}{AGAIN}{} now.", counted(rows.len(), "row"));
    let again = (!late.is_empty()).then_some((again, ListedStep::Rows(rows)));
    if is_delivered { (steps.collect(), Vec::new(), again) } else { (Vec::new(), steps.collect(), again) }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A row that changed after `stockmill deliver` had sent it was told as done.
    #[test]
    fn a_row_that_changed_after_it_was_delivered_goes_by_hand() {
        let bundle = RelPath::new("upload/2026-11-28/shop").unwrap();
        let names = ["a.jpg", "b.jpg"];
        let part = Part {
            path: bundle.join("shop.csv"),
            rows: names.map(|name| (name.to_owned(), "new".to_owned())).into(),
            sums: names.map(|name| (name.to_owned(), 2)).into(),
        };
        let mut uploaded = Done::default();
        uploaded.rows.extend(names.map(|name| (name, "new")));
        let again = "Upload `shop.csv` again, with 2 rows now.";
        // The sums of the rows that went, whether a person uploaded them since, and what is asked for.
        for (sums, is_uploaded, expected) in
            [([2, 2], false, None), ([2, 1], false, Some(again)), ([2, 1], true, None), ([1, 1], false, Some(again))]
        {
            let rows = names.iter().zip(sums).map(|(name, sum)| ((*name).to_owned(), sum)).collect();
            let delivered = Delivered { rows, ..Delivered::default() };
            let done = if is_uploaded { &uploaded } else { &Done::default() };
            let (told, open, late) = csv_steps(std::slice::from_ref(&part), &delivered, done, &[], false);
            assert_eq!((told.len(), open.len()), (1, 0));
            assert_eq!(late.map(|(text, _)| text).as_deref(), expected, "{sums:?}");
        }
    }
}
