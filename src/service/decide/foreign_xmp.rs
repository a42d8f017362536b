//! The XMP sidecars of other programs that came along with bundled files.

use std::io::ErrorKind;

use super::record_settle::refused;
use crate::model::{RelPath, Tags};
use crate::plan::{Companion, Hold};
use crate::vault::Look;

/// The largest one that is read.
const XMP_BYTES_MAX: u64 = 8 << 20;

/// Returns the tags of the foreign XMP sidecar that came along with a bundled file.
pub(in crate::service) fn foreign_xmp(disk: &dyn Look, folder: &RelPath, file: &str) -> Result<Option<Tags>, Hold> {
    Ok(found_xmp(disk, folder, file)?.map(|(_, tags)| tags))
}

/// Returns the foreign XMP sidecar that came along with a bundled file, and its tags.
pub(super) fn found_xmp(disk: &dyn Look, folder: &RelPath, file: &str) -> Result<Option<(Companion, Tags)>, Hold> {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    for name in [format!("{file}.xmp"), format!("{stem}.xmp")] {
        let path = folder.join(name);
        let Some(entry) = disk.stat(&path).map_err(|error| refused(&path, &error))? else { continue };
        let bytes = match disk.read(&path, XMP_BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            read => read.map_err(|error| refused(&path, &error))?,
        };
        let cannot = |error: &dyn std::fmt::Display| Hold::Unreadable(format!("`{path}` cannot be read: {error}"));
        let tags = crate::craft::read_xmp(&bytes).map_err(|error| cannot(&error))?;
        return Ok(Some((Companion { path, seen: entry.identity }, tags)));
    }
    Ok(None)
}
