//! Whose folders a model names.

use super::unread;
use crate::craft;
use crate::intake::{Candidate, Found};
use crate::model::RelPath;
use crate::vault::{DiskResult, Look, ReadSeek};

/// Returns what a person is told of their own folders that a model or a material of it names, and the first of these.
pub(super) fn personal_paths(
    disk: &dyn Look,
    opened: &mut dyn ReadSeek,
    candidate: &Candidate,
) -> DiskResult<(Vec<String>, Option<String>)> {
    let path = &candidate.primary.path;
    opened.rewind().map_err(unread(path))?;
    let mut found = vec![(path, craft::personal_path(opened).map_err(unread(path))?)];
    for Found { path, entry } in &candidate.members {
        if matches!(path.extension().as_str(), "mtl" | "mat") {
            let opened = disk.open_as(path, entry.identity)?;
            found.push((path, craft::personal_path(opened).map_err(unread(path))?));
        }
    }
    let told = |(path, folder): (&RelPath, Option<String>)| {
        let (name, folder) = (path.file_name().to_string_lossy(), folder?);
        Some(format!(
            "`{name}` names a folder of a person, `{folder}`, and goes to markets as it is: export it without paths"
        ))
    };
    let first = found.iter().find_map(|(_, folder)| folder.clone());
    Ok((found.into_iter().filter_map(told).collect(), first))
}
