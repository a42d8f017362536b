//! Files by which a person means tags, and whose names are not quite right: what they would be about waits.

use std::collections::BTreeMap;

use crate::intake::NearMiss;
use crate::model::{RelPath, Stage};

/// What waits until a file of tags has its right name: the unit in which that file lies, and why.
#[derive(Debug, Default)]
pub(super) struct NearMisses(BTreeMap<RelPath, (RelPath, String)>);

impl NearMisses {
    /// Takes those of a unit; returns the folders that need not wait for one any more.
    pub(super) fn take(&mut self, unit: &RelPath, found: &[NearMiss]) -> Vec<RelPath> {
        let before: Vec<RelPath> = self.0.extract_if(.., |_, (of, _)| of == unit).map(|(waits, _)| waits).collect();
        self.0.extend(found.iter().map(|miss| (miss.waits.clone(), (unit.clone(), miss.why()))));
        before.into_iter().filter(|waits| !self.0.contains_key(waits)).collect()
    }

    /// Returns why an asset waits for a person who gives a file of tags its right name: its own sidecar, or the shared
    /// tags of a folder that it lies in, in whatever stage they were written.
    pub(super) fn why(&self, path: &RelPath) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let mut folders = std::iter::successors(path.parent(), RelPath::parent)
            .filter_map(|folder| folder.below(&folder.area_path()));
        let shared = || {
            folders.find_map(|below| {
                let in_stage = |stage: Stage| self.0.get(&stage.folder().join(below.as_path()));
                Stage::ALL.into_iter().find_map(in_stage)
            })
        };
        self.0.get(path).or_else(shared).map(|(_, why)| why.as_str())
    }
}
