//! What markets will say of what is on its way, long before upload day.

use std::collections::HashSet;

use super::View;
use crate::make::glance;
use crate::model::{RelPath, Stage, ThemeSlug, alike};
use crate::plan::{Facts, theme_of_path};
use crate::service::decide::Here;

impl View {
    /// Returns what will keep an asset from markets if it and its tags stay as they are; that nobody can tell is one
    /// thing.
    pub(super) fn foresee(&mut self, facts: &Facts) -> Vec<String> {
        let now = self.clock.now();
        let here = Here { now: &now, pauses: &self.pauses, units: &self.units };
        match self.decide.foresee(facts, here) {
            _ if facts.kind.is_none() => Vec::new(),
            Ok(told) => told,
            Err(hold) => vec![format!("nobody can tell which markets will take it: {hold}")],
        }
    }

    /// Returns what will keep files in the stages from markets if they and their tags stay as they are, each with the
    /// files, but for those that `is_told` names. A theme without files has that of its shared tags.
    pub fn ahead(&mut self, is_told: &dyn Fn(&RelPath) -> bool) -> Vec<(String, Vec<RelPath>)> {
        let (mut told, mut empty): (Vec<(String, RelPath)>, Vec<(ThemeSlug, RelPath)>) = Default::default();
        let mut themes: HashSet<ThemeSlug> = HashSet::new();
        for unit in self.units(None) {
            let Ok(surveyed) = self.look(&unit) else { continue };
            if surveyed.stage == Stage::Ideas {
                continue;
            }
            for candidate in &surveyed.candidates {
                let path = &candidate.primary.path;
                themes.extend(theme_of_path(path).0);
                if is_told(path) {
                    continue;
                }
                // Of what cannot be looked into its own reason is told.
                let facts = glance(self.decide.disk(), surveyed.stage, candidate, &self.decide.limits()).ok().flatten();
                let lines = facts.map(|facts| self.foresee(&facts)).unwrap_or_default();
                told.extend(lines.into_iter().map(|line| (line, path.clone())));
            }
            let tags =
                surveyed.tag_folders.iter().filter(|(_, seen)| seen.is_some()).map(|(at, _)| at.join("tags.yaml"));
            let of_raw = tags.filter(|_| surveyed.stage == Stage::Raw);
            empty.extend(of_raw.filter_map(|tags| Some((theme_of_path(&tags).0?, tags))));
        }
        // All of a theme that had files may be sold.
        empty.retain(|(theme, _)| !themes.contains(theme) && self.decide.ledger.next_seq(theme) == 1);
        let now = self.clock.now();
        for (_, tags) in empty {
            let here = Here { now: &now, pauses: &self.pauses, units: &self.units };
            // Shared tags that cannot be read are told as such.
            let lines = self.decide.foresee_tags(&tags, here).unwrap_or_default();
            told.extend(lines.into_iter().map(|line| (line, tags.clone())));
        }
        alike(told)
    }
}
