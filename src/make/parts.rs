//! How the parts of a model come into bundles, by their content.

use super::{Limits, head, unread};
use crate::craft;
use crate::intake::{Candidate, Found};
use crate::plan::{Copied, Member};
use crate::vault::{DiskResult, Look};

/// Files that models use, whether or not one names them, and that hold no texts but a material's.
const USED: [&str; 5] = ["mtl", "mat", "bin", "bmp", "dds"];
/// Pictures that models use and that may hold texts, of kinds that stockmill does not know.
const USED_PICTURES: [&str; 7] = ["tga", "exr", "hdr", "gif", "ktx", "ktx2", "basis"];

/// Returns the parts of a model, and how each comes into bundles.
pub(super) fn parts(disk: &dyn Look, candidate: &Candidate, limits: &Limits) -> DiskResult<Vec<Member>> {
    let each = candidate.members.iter().enumerate();
    each.map(|(n, found)| Ok(member(found, copied(disk, found, !candidate.unnamed.contains(&n), limits)?))).collect()
}

pub(super) fn member(found: &Found, copied: Copied) -> Member {
    Member { path: found.path.clone(), seen: found.entry.identity, copied }
}

/// Returns how a part comes into bundles. That of a picture can be told by trying it alone.
fn copied(disk: &dyn Look, found: &Found, is_named: bool, limits: &Limits) -> DiskResult<Copied> {
    let (path, seen) = (&found.path, found.entry.identity);
    let extension = path.extension();
    let is_one_of = |all: &[&str]| all.contains(&extension.as_str());
    let mut opened = disk.open_as(path, seen)?;
    let head = head(&mut *opened, path, seen.size)?;
    let Some(kind) = craft::sniff(&head, &extension).filter(|kind| kind.is_image()) else {
        return Ok(match () {
            () if is_one_of(&USED) => Copied::AsItIs,
            () if is_named || is_one_of(&USED_PICTURES) => Copied::NotCleaned,
            () => Copied::Not,
        });
    };
    opened.rewind().map_err(unread(path))?;
    let bytes = craft::read_whole(&mut opened, limits.file_bytes_max).map_err(unread(path))?;
    Ok(match craft::stripped(&bytes, kind).map(|stripped| stripped.into_bytes() == bytes) {
        Ok(true) => Copied::AsItIs,
        Ok(false) => Copied::WithoutMetadata(kind),
        Err(_) => Copied::NotCleaned,
    })
}
