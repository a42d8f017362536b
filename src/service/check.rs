//! A look at the areas: whether they are there, and how much room they have.

use crate::intake::walk;
use crate::model::RelPath;
use crate::records::{SIDECAR_SUFFIX, Sidecar};
use crate::report;
use crate::vault::{Detached, Look, Space, Vault};

/// The largest sidecar that is read back.
const SIDECAR_BYTES_MAX: u64 = 1 << 20;

/// How one area was found.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) area: RelPath,
    pub(super) attached: Result<(), Detached>,
    pub(super) space: Option<Space>,
    /// The mount that it lies on.
    pub(super) mount: Option<u64>,
    /// Whether its file system tells no events.
    pub(super) is_remote: bool,
    /// The sidecars of an area that was away: what they say is to be remembered.
    pub(super) sidecars: Vec<(RelPath, Sidecar)>,
}

/// Looks whether areas are there, and how much room they have; `away` are those that were not.
pub(super) fn check(vault: &Vault, areas: &[RelPath], away: &[RelPath]) -> Vec<Checked> {
    areas.iter().map(|area| check_one(vault, area, away.contains(area))).collect()
}

fn check_one(vault: &Vault, area: &RelPath, was_away: bool) -> Checked {
    let disk = vault.disk();
    let attached = vault.make_area(area);
    let system = disk.file_system(area).ok().filter(|_| attached.is_ok());
    if let (Some(system), Ok(Some(found))) = (&system, vault.probe(area)) {
        report::capabilities(area, system, &found);
    }
    let is_back = attached.is_ok() && was_away;
    Checked {
        area: area.clone(),
        space: disk.space(area).ok(),
        mount: disk.device(area).ok(),
        is_remote: system.is_some_and(|system| system.is_remote),
        sidecars: if is_back { sidecars(disk, area) } else { Vec::new() },
        attached,
    }
}

/// Reads all sidecars below an area.
fn sidecars(disk: &dyn Look, area: &RelPath) -> Vec<(RelPath, Sidecar)> {
    let Ok(walked) = walk(disk, area, &|_| true, &mut |_, _| ()) else { return Vec::new() };
    let found = walked.files.into_iter().filter(|found| found.path.file_text().ends_with(SIDECAR_SUFFIX));
    let read = |path: RelPath| {
        let bytes = disk.read(&path, SIDECAR_BYTES_MAX).ok()?;
        Some((path, Sidecar::parse(&bytes).ok()?))
    };
    found.filter_map(|found| read(found.path)).collect()
}
