use std::collections::HashSet;

use super::disk::Disk;
use super::folders::{hidden_folders, list_if_there};
use super::own_names::{SCRATCH, home_scratch};
use crate::model::RelPath;

/// Empties the scratch folders but for what an open plan still needs; nothing else in them was
/// promised to anyone. A folder in them is not ours. Returns how much was swept, and how much the disk refused.
pub(super) fn sweep(disk: &dyn Disk, areas: &[RelPath], needed: &HashSet<&RelPath>) -> (usize, usize) {
    let (mut swept, mut unswept) = (0, 0);
    for folder in hidden_folders(&home_scratch(), areas, SCRATCH) {
        let Ok(found) = list_if_there(disk, &folder) else {
            unswept += 1;
            continue;
        };
        let before = swept;
        for (path, _) in found.into_iter().filter(|(path, _)| !needed.contains(path)) {
            match disk.remove(&path) {
                Ok(()) => swept += 1,
                Err(_) => unswept += 1,
            }
        }
        if swept > before && disk.sync_folder(&folder).is_err() {
            unswept += 1;
        }
    }
    (swept, unswept)
}
