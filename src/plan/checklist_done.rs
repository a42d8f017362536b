//! What a market has, and what is ticked there, by what a person ticked in a checklist: of what was done twice, the last counts.

use std::collections::{BTreeMap, BTreeSet};

use crate::records::{ListEvent, ListedStep, Versions};

/// What a person did at a market with the files of a bundle.
#[derive(Debug, Default)]
pub(super) struct Done<'a> {
    /// Which version of each file was uploaded last.
    pub(super) uploaded: BTreeMap<&'a str, &'a str>,
    /// Which version of each row was.
    pub(super) rows: BTreeMap<&'a str, &'a str>,
    /// What was ticked for each file, one after the other: for which version of it, and what.
    ticks: BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
    /// Files that were to be deleted there, and were not uploaded since; with each the version that was uploaded, if a line told it.
    pub(super) deleted: BTreeMap<&'a str, Option<&'a str>>,
    /// Those of them that are.
    pub(super) removed: BTreeSet<&'a str>,
}

/// No version of a file.
const NONE: &str = "";

impl<'a> Done<'a> {
    /// Returns what was done by what happened. `steps` are what the ticked lines were about.
    pub(super) fn of(happened: &'a [ListEvent], steps: &'a BTreeMap<String, ListedStep>) -> Self {
        let mut done = Self::default();
        for happened in happened {
            match happened {
                ListEvent::Ticked(text) => steps.get(text).into_iter().for_each(|about| done.did(about)),
                ListEvent::Gone(names) => names.iter().for_each(|name| done.delete(name)),
            }
        }
        done
    }

    fn did(&mut self, about: &'a ListedStep) {
        match about {
            ListedStep::Upload(files) => {
                self.deleted.retain(|name, _| !files.contains_key(*name));
                self.removed.retain(|name| !files.contains_key(*name));
                self.uploaded.extend(each(files));
            }
            ListedStep::Select { files, ticks } => {
                for (name, version) in each(files) {
                    let of_file = self.ticks.entry(name).or_default();
                    // What was ticked for another version is ticked for none any more, also if that comes back.
                    of_file.iter_mut().filter(|(of, _)| *of != version).for_each(for_none);
                    of_file.extend(ticks.iter().map(|tick| (version, tick.as_str())));
                }
            }
            ListedStep::Delete(names) => {
                let removed = self.deleted.keys().copied().filter(|name| names.contains(*name));
                for name in removed {
                    self.ticks.remove(name);
                    self.removed.insert(name);
                }
            }
            ListedStep::Rows(rows) => self.rows.extend(each(rows)),
            ListedStep::All(_) | ListedStep::Other => (),
        }
    }

    fn delete(&mut self, name: &'a str) {
        let version = self.uploaded.remove(name);
        self.rows.remove(name);
        // It may be there still, with its boxes.
        self.ticks.get_mut(name).into_iter().flatten().for_each(for_none);
        self.removed.remove(name);
        self.deleted.insert(name, version);
    }

    /// Returns whether a file was to be deleted there and nobody said that it is.
    pub(super) fn is_to_delete(&self, name: &str) -> bool {
        self.deleted.contains_key(name) && !self.removed.contains(name)
    }

    /// Returns the version of a file that the market has, as far as a line tells.
    pub(super) fn at_market(&self, name: &str) -> Option<&'a str> {
        let left = || self.deleted.get(name).copied().flatten().filter(|_| !self.removed.contains(name));
        self.uploaded.get(name).copied().or_else(left)
    }

    /// Returns whether something was ticked for a version of a file.
    pub(super) fn is_ticked(&self, name: &str, version: &str, tick: &str) -> bool {
        self.ticks.get(name).is_some_and(|of_file| of_file.contains(&(version, tick)))
    }

    /// Returns what was ticked for a file, one after the other: for which version of it, and what.
    pub(super) fn ticks(&self, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.ticks.get(name).into_iter().flatten().copied()
    }
}

/// Lets what was ticked be ticked for no version.
fn for_none((version, _): &mut (&str, &str)) {
    *version = NONE;
}

fn each(versions: &Versions) -> impl Iterator<Item = (&str, &str)> {
    versions.iter().map(|(name, version)| (name.as_str(), version.as_str()))
}
