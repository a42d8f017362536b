//! What was taken away, and is kept for as long as `undo` may want it.

use super::disk::{Disk, Entry, Look};
use super::folders::{hidden_folders, list_if_there};
use super::own_names::{SCRATCH, TRASH, home_trash};
use crate::model::RelPath;

/// How long and how much of what was taken away is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrashLimits {
    /// Older things go.
    pub age_ns_max: i64,
    /// Beyond this, the oldest go.
    pub bytes_max: u64,
}

/// Removes what `undo` can no longer want. All of it was derived, or stands under another name. What the
/// disk refuses stays for the next time, and so does what is `unsure`: somebody may have written to it.
pub(super) fn purge_trash(
    disk: &dyn Disk,
    areas: &[RelPath],
    now_ns: i64,
    limits: TrashLimits,
    unsure: &dyn Fn(&RelPath) -> bool,
) -> usize {
    let mut kept = trashed(disk, areas);
    kept.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.changed_ns));
    let (mut bytes, mut purged) = (0_u64, 0);
    for (path, entry) in kept {
        bytes = bytes.saturating_add(entry.identity.size);
        let is_old = now_ns.saturating_sub(entry.changed_ns) > limits.age_ns_max;
        // Somebody who has it open may still write what exists nowhere else.
        let is_open = || disk.has_writer(&path).is_ok_and(|has_writer| has_writer == Some(true));
        if (bytes > limits.bytes_max || is_old) && !unsure(&path) && !is_open() && disk.remove(&path).is_ok() {
            purged += 1;
        }
    }
    purged
}

/// Returns all that was taken away and is kept.
pub(super) fn trashed(disk: &dyn Look, areas: &[RelPath]) -> Vec<(RelPath, Entry)> {
    let folders = hidden_folders(&home_trash(), areas, TRASH);
    folders.iter().flat_map(|folder| list_if_there(disk, folder).unwrap_or_default()).collect()
}

/// Returns where the version that a product replaced is kept.
pub fn replaced_aside(scratch: &RelPath) -> RelPath {
    let name = format!("{}-was", scratch.file_text());
    match scratch.parent() {
        Some(folder) if folder.file_name() == SCRATCH => folder.sibling(TRASH).join(name),
        _ => home_trash().join(name),
    }
}
