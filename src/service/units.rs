use std::collections::BTreeSet;

use super::survey::unit_of;
use crate::model::{Ignore, RelPath, Stage, leading_days};
use crate::vault::{DiskResult, Look, What};

/// The units that there are: each stage, and each theme's folder in it.
#[derive(Debug)]
pub(super) struct Units(BTreeSet<RelPath>);

impl Default for Units {
    fn default() -> Self {
        Self(Stage::ALL.map(|stage| RelPath::new(stage.name()).expect("a stage's name is clean")).into())
    }
}

impl Units {
    /// Takes the themes that have a folder in a stage.
    pub(super) fn find(&mut self, disk: &dyn Look, stage: Stage, ignore: &Ignore) -> DiskResult<()> {
        let top = RelPath::new(stage.name()).expect("a stage's name is clean");
        disk.each(&top, &mut |name, entry| {
            if entry.what == What::Folder && ignore.folder(&name.to_string_lossy()).is_none() {
                self.add(&top.join(name));
            }
        })
    }

    /// Finds the themes in these stages, so that no decision depends on which is walked first.
    pub(super) fn find_all(&mut self, disk: &dyn Look, stages: &[Stage], ignore: &Ignore) {
        for stage in stages {
            // A stage that cannot be listed says so when it is walked.
            let _ = self.find(disk, *stage, ignore);
        }
    }

    /// Takes a folder if it is a unit; returns whether it was not known.
    pub(super) fn add(&mut self, folder: &RelPath) -> bool {
        unit_of(folder).is_some_and(|unit| unit == *folder) && self.0.insert(folder.clone())
    }

    /// Forgets a theme's folder that is gone; a stage never is.
    pub(super) fn forget(&mut self, unit: &RelPath) {
        if unit.parent().is_some() {
            self.0.remove(unit);
        }
    }

    /// Returns whether a unit is known.
    pub(super) fn contains(&self, unit: &RelPath) -> bool {
        self.0.contains(unit)
    }

    /// Returns all units.
    pub(super) fn iter(&self) -> impl Iterator<Item = &RelPath> {
        self.0.iter()
    }

    /// Returns the names of all themes, once for each stage that has them. A folder that only says when is none.
    pub(super) fn themes(&self) -> impl Iterator<Item = &str> {
        let names = self.0.iter().filter_map(|unit| unit.parts().nth(1)?.to_str());
        names.filter(|name| leading_days([*name].into_iter()) == 0)
    }
}
