//! What a JPEG that stockmill made came out as: its limits of bytes may have asked for another quality.

use crate::craft;
use crate::model::{Kind, RelPath};
use crate::vault::Look;

/// Returns how many bytes a JPEG has, and the quality that it was written with; `None` if that cannot be told.
pub fn came_out(disk: &dyn Look, path: &RelPath, bytes_max: u64) -> Option<(u64, u8)> {
    let seen = disk.stat(path).ok()??.identity;
    let mut opened = disk.open_as(path, seen).ok()?;
    let head = craft::read_looks(&mut opened, Kind::Jpeg, bytes_max).ok()?;
    Some((seen.size, craft::jpeg_quality(&head)?))
}
