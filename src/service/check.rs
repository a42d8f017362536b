//! A look at the areas: whether they are there, and how much room they have.

use super::ledger::sidecars_of;
use super::misplaced::Misplaced;
use crate::intake::walk;
use crate::model::RelPath;
use crate::records::Sidecar;
use crate::report;
use crate::vault::{Detached, Look, Space, Vault};

/// What lies in an area that was away, and is to be remembered.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Returned {
    pub(super) sidecars: Vec<(RelPath, Sidecar)>,
    pub(super) misplaced: Misplaced,
}

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
    /// What lies in it, if it was away.
    pub(super) returned: Returned,
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
        returned: if is_back { returned(disk, area) } else { Returned::default() },
        attached,
    }
}

/// Reads what is to be remembered of an area.
fn returned(disk: &dyn Look, area: &RelPath) -> Returned {
    let Ok(walked) = walk(disk, area, &|_| true, &mut |_, _| ()) else { return Returned::default() };
    let sidecars = sidecars_of(disk, &walked).map(|(path, sidecar)| (path.clone(), sidecar)).collect();
    Returned { sidecars, misplaced: Misplaced::of(&walked) }
}
