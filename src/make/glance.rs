//! A look at an asset that reads none of its pixels: what markets ask of it.

use super::inspect::{Measured, OwnRecords, measure, read_records, seems_in_archive};
use super::parts::member;
use super::{Limits, MakeError};
use crate::craft;
use crate::intake::Candidate;
use crate::model::{ContentHash, Stage};
use crate::plan::{Copied, Facts};
use crate::vault::{DiskError, Look};

/// Looks at an asset by what stands around its pixels, and at its records: what markets ask of it, and no more. Its bytes
/// are taken for those that its sidecar names. `None` if it is of no kind.
pub fn glance(
    disk: &dyn Look,
    stage: Stage,
    candidate: &Candidate,
    limits: &Limits,
) -> Result<Option<Facts>, MakeError> {
    let found = &candidate.primary;
    let Some(Measured { kind, size, colours, .. }) = measure(disk, found, limits)? else { return Ok(None) };
    let OwnRecords { sidecar, xmp, .. } = read_records(disk, candidate)?;
    let own = sidecar.as_ref().map(|(_, sidecar)| sidecar);
    let hash = own.and_then(|own| Some(own.file.as_ref()?.hash.clone())).unwrap_or_else(|| ContentHash::of(b""));
    let has_original = own.map(|own| seems_in_archive(disk, own, &hash)).transpose()?.unwrap_or(false);
    let seen = found.entry.identity;
    let video = || Ok::<_, DiskError>(craft::measure(&mut disk.open_as(&found.path, seen)?, seen.size, kind));
    let video = if kind.is_video() { Some(video()?) } else { None };
    let bare = Facts::bare(found.path.clone(), stage, seen, found.entry.changed_ns);
    let members = candidate.members.iter().map(|found| member(found, Copied::NotCleaned)).collect();
    Ok(Some(Facts { hash, kind: Some(kind), size, video, colours, sidecar, has_original, xmp, members, ..bare }))
}
