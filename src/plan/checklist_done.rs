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
    /// What was ticked for each file.
    ticks: BTreeMap<&'a str, Ticks<'a>>,
    /// Files that were to be deleted there, and were not uploaded since.
    pub(super) deleted: BTreeSet<&'a str>,
}

/// What was ticked for a version of a file.
#[derive(Debug, Default)]
struct Ticks<'a> {
    version: &'a str,
    /// What was ticked, each with the number of the step.
    ticks: BTreeMap<&'a str, usize>,
}

impl<'a> Done<'a> {
    /// Returns what was done by what happened. `steps` are what the ticked lines were about.
    pub(super) fn of(happened: &'a [ListEvent], steps: &'a BTreeMap<String, ListedStep>) -> Self {
        let mut done = Self::default();
        for (number, happened) in happened.iter().enumerate() {
            match happened {
                ListEvent::Ticked(text) => steps.get(text).into_iter().for_each(|about| done.did(number, about)),
                ListEvent::Gone(names) => names.iter().for_each(|name| done.delete(name)),
            }
        }
        done
    }

    fn did(&mut self, number: usize, about: &'a ListedStep) {
        match about {
            ListedStep::Upload(files) => {
                self.deleted.retain(|name| !files.contains_key(*name));
                self.uploaded.extend(each(files));
            }
            ListedStep::Select { files, ticks } => {
                for (name, version) in each(files) {
                    let of_file = self.ticks.entry(name).or_default();
                    if of_file.version != version {
                        *of_file = Ticks { version, ticks: BTreeMap::new() };
                    }
                    of_file.ticks.extend(ticks.iter().map(|tick| (tick.as_str(), number)));
                }
            }
            ListedStep::Rows(rows) => self.rows.extend(each(rows)),
            ListedStep::All(_) | ListedStep::Other => (),
        }
    }

    fn delete(&mut self, name: &'a str) {
        self.uploaded.remove(name);
        self.rows.remove(name);
        self.ticks.remove(name);
        self.deleted.insert(name);
    }

    /// Returns whether `tick` is done for a version of a file for which all of `wanted` is to be.
    pub(super) fn is_ticked(&self, name: &str, version: &str, tick: &str, wanted: &[String]) -> bool {
        let Some(of_file) = self.ticks.get(name).filter(|of_file| of_file.version == version) else { return false };
        // What was ticked later, and is not wanted any more, may have taken its place.
        let is_later = |number: &usize, other: &&str| {
            !wanted.iter().any(|wanted| wanted == other) && of_file.ticks[other] > *number
        };
        of_file.ticks.get(tick).is_some_and(|number| !of_file.ticks.keys().any(|other| is_later(number, other)))
    }
}

fn each(versions: &Versions) -> impl Iterator<Item = (&str, &str)> {
    versions.iter().map(|(name, version)| (name.as_str(), version.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture was a photo, then an illustration, then a photo again: the portal has what was ticked last.
    #[test]
    fn what_was_ticked_since_may_have_taken_the_place_of_a_tick() {
        let texts = |ticks: &[&str]| ticks.iter().map(|tick| (*tick).to_owned()).collect::<Vec<_>>();
        let select = |version: &str, ticks: &[&str]| {
            let files = [("a.jpg".to_owned(), version.to_owned())].into();
            ListedStep::Select { files, ticks: texts(ticks) }
        };
        // What was ticked one after the other, what is wanted of version `v`, and what of that is done.
        type Row<'a> = (&'a [(&'a str, &'a [&'a str])], &'a [&'a str], &'a [&'a str]);
        let rows: [Row<'_>; 6] = [
            (&[("v", &["AI", "Photo"])], &["AI", "Photo"], &["AI", "Photo"]),
            (&[("v", &["AI"]), ("v", &["Photo"])], &["AI", "Photo"], &["AI", "Photo"]),
            (&[("v", &["AI", "Photo"]), ("v", &["Illustration"])], &["AI", "Illustration"], &["AI", "Illustration"]),
            (&[("v", &["Photo"]), ("v", &["Illustration"])], &["Photo"], &[]),
            (&[("v", &["Photo"]), ("v", &["Illustration"]), ("v", &["Photo"])], &["Photo"], &["Photo"]),
            (&[("v", &["Photo"]), ("w", &["AI"])], &["Photo"], &[]),
        ];
        for (ticked, wanted, expected) in rows {
            let steps: BTreeMap<String, ListedStep> = ticked
                .iter()
                .enumerate()
                .map(|(n, (version, ticks))| (n.to_string(), select(version, ticks)))
                .collect();
            let happened: Vec<ListEvent> = steps.keys().cloned().map(ListEvent::Ticked).collect();
            let (done, wanted) = (Done::of(&happened, &steps), texts(wanted));
            let is_done = |tick: &&String| done.is_ticked("a.jpg", "v", tick, &wanted);
            assert_eq!(wanted.iter().filter(is_done).collect::<Vec<_>>(), expected, "{ticked:?}");
        }
    }
}
