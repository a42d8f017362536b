//! The steps of a checklist, and where they stand in one that a person works on.

use std::collections::BTreeSet;
use std::ops::Range;

use super::checklist_csv::{AGAIN, THEN};
use super::checklist_ticks::{Listed, Step, boxed, lines};
use crate::records::ListedStep;

/// What a step is known by whose files are still to be uploaded.
const TO_UPLOAD: &str = "[ ] Upload `";
/// What the last step is known by.
pub(super) const SENT: &str = "make an empty file `SENT`";

/// The steps of a list in their order.
#[derive(Default)]
pub(super) struct ToDo {
    /// What is to be known before the upload.
    pub(super) before: Vec<Step>,
    /// What `stockmill deliver` did, and nobody ticked.
    pub(super) delivered: Vec<Step>,
    pub(super) uploads: Vec<Step>,
    /// What was uploaded and left the bundle since the list was written.
    pub(super) gone: BTreeSet<String>,
    /// What is to be deleted at the market, with what left before.
    pub(super) deletes: Option<Step>,
    /// What was uploaded, and would be refused today.
    pub(super) doubtful: BTreeSet<String>,
    /// The steps of the parts of the manifest.
    pub(super) csv: Vec<Step>,
    pub(super) selections: Vec<Step>,
    /// What comes once the boxes are ticked.
    pub(super) checklist: Vec<Step>,
    pub(super) last: Option<Step>,
    /// Whether files are named by the first and the last of them.
    pub(super) has_range: bool,
}

impl ToDo {
    /// Returns what is not done yet.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        let Self { before, uploads, deletes, csv, selections, checklist, last, .. } = self;
        let first = before.iter().chain(uploads).chain(deletes);
        first.chain(csv).chain(selections).chain(checklist).chain(last)
    }

    /// Returns what of it is about no file that is still to be sold: nothing else is left where none is there.
    pub(super) fn of_none(self) -> Self {
        let Self { delivered, gone, deletes, doubtful, has_range, .. } = self;
        Self { delivered, gone, deletes, doubtful, has_range, ..Self::default() }
    }
}

/// What a person kept in a list.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// As it is.
    pub(super) bytes: Vec<u8>,
    /// As it was written: an editor may have broken lines anew since.
    pub(super) written: String,
}

impl Kept {
    /// Adds what stands behind words of ours.
    pub(super) fn add(&mut self, behind: &[u8]) {
        self.bytes.extend(behind);
        self.written.push_str(&String::from_utf8_lossy(behind));
    }
}

/// Where lines of ours stand in a list, or stood that are not to be done any more.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// The first step whose files are still to be uploaded.
    to_upload: Option<usize>,
    /// The last one by which the bundle is sent.
    sent: Option<Range<usize>>,
    uploads: Option<usize>,
    /// From the first part of the manifest that is not uploaded yet, or is to be again, to behind the last one.
    csv: Option<Range<usize>>,
    selections: Option<usize>,
    /// The first selection that is still to be ticked.
    boxes: Option<usize>,
    /// The first step that is still to be done once for all files.
    ending: Option<usize>,
}

impl Places {
    /// Sees a line, and whether it goes. What is to be uploaded stands before a manifest that is not uploaded yet.
    pub(super) fn see(&mut self, line: &str, is_over: bool, at: Range<usize>, listed: &Listed<'_>) {
        if !is_over && line.contains(TO_UPLOAD) {
            self.to_upload.get_or_insert(at.start);
        }
        if !is_over && line.contains(SENT) {
            self.sent = Some(at.clone());
        }
        let is_csv = |text: &str| text.starts_with(THEN.0) || (text.starts_with("Upload `") && text.contains(AGAIN));
        let is_ending = |text: &str| matches!(listed.own(text.trim_end()), Some(ListedStep::All(_)));
        match boxed(line) {
            Some((false, text)) if is_csv(text) => {
                let start = self.csv.as_ref().map_or(at.start, |csv| csv.start);
                self.csv = Some(start..at.end);
            }
            Some((_, text)) if is_over => {
                let place = if text.starts_with("Select `") { &mut self.selections } else { &mut self.uploads };
                place.get_or_insert(at.start);
            }
            Some((false, text)) if text.starts_with("Select `") => drop(self.boxes.get_or_insert(at.start)),
            Some((false, text)) if is_ending(text) => drop(self.ending.get_or_insert(at.start)),
            _ => (),
        }
    }
}

/// Adds what a person kept in a list and the steps that it does not have. A new list has them in order; in an old one what is
/// still to be done with files stands where it stood, what is to be known before the upload stands before that, and all else
/// that is new before the last step: whoever works downwards must not tell that all is sent before.
pub(super) fn add_steps(
    text: &mut Vec<u8>,
    kept: &Kept,
    to_do: &ToDo,
    places: &Places,
    listed: &Listed<'_>,
    end: &str,
) {
    let Kept { bytes: kept, written: told } = kept;
    let others: BTreeSet<&str> = to_do.steps().map(|(step, _)| step.as_str()).collect();
    let lacking = listed.lacking(told, &others);
    let new = |step: &&Step| lacking(&step.0);
    let ToDo { before, delivered, uploads: to_upload, deletes, csv, selections: to_select, checklist, last, .. } =
        to_do;
    let deletes = deletes.as_slice();
    let Some(sent) = places.sent.clone() else {
        text.extend(kept);
        add(text, NOT_DONE, before.iter().filter(new), end);
        add(text, DONE, delivered.iter().filter(new), end);
        let rest = to_upload.iter().chain(deletes).chain(csv).chain(to_select).chain(checklist).chain(last);
        return add(text, NOT_DONE, rest.filter(new), end);
    };
    // Behind the last step that is ticked stands another one, if there is more to do.
    let is_open = lines(told).iter().any(|(mark, line)| *mark != Some(true) && line.contains(SENT));
    let last: &[Step] = if is_open { &[] } else { last.as_slice() };
    let at = if last.iter().any(|(step, _)| lacking(step)) { sent.end } else { sent.start };
    let ending = places.ending.unwrap_or(at).min(at);
    // Those that are ticked anew stand where they stood.
    let boxes = [places.boxes, places.selections].into_iter().flatten().min().unwrap_or(ending).min(ending);
    let Range { start: before_csv, end: of_csv } = places.csv.clone().unwrap_or(boxes..boxes);
    let uploads = places.uploads.unwrap_or(before_csv).min(before_csv);
    let first = places.to_upload.unwrap_or(at).min(uploads);
    let selections = places.selections.unwrap_or(ending);
    let mut parts = [
        (first, NOT_DONE, &before[..]),
        (uploads, DONE, delivered),
        (uploads, NOT_DONE, to_upload),
        (uploads, NOT_DONE, deletes),
        (of_csv, NOT_DONE, csv),
        (selections, NOT_DONE, to_select),
        (at, NOT_DONE, checklist),
        (at, NOT_DONE, last),
    ];
    parts.sort_by_key(|(at, ..)| *at);
    let mut from = 0;
    for (at, mark, steps) in parts {
        text.extend(&kept[from..at]);
        add(text, mark, steps.iter().filter(new), end);
        from = at;
    }
    text.extend(&kept[from..]);
}

/// The boxes of steps.
const NOT_DONE: &str = "[ ]";
const DONE: &str = "[x]";

/// Adds steps with a box for each.
fn add<'a>(text: &mut Vec<u8>, mark: &str, steps: impl Iterator<Item = &'a Step>, end: &str) {
    for (step, _) in steps {
        if !text.ends_with(b"\n") {
            text.extend(end.as_bytes());
        }
        text.extend(format!("- {mark} {step}{end}").into_bytes());
    }
}
