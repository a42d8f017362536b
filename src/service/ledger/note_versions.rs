//! What notes gave, version by version: a note that comes back may change what it gave before.

use std::collections::{BTreeMap, HashMap};

use crate::model::{ContentHash, RelPath, Stage};
use crate::plan::{Plan, Recipe, standing};
use crate::records::{About, Intent, PublishMode, Record};

/// What was read of notes, oldest first. The journal remembers it; without that, every note is a new one.
#[derive(Debug, Default, Clone)]
pub(in crate::service) struct NoteVersions(Vec<Version>);

#[derive(Debug, Clone)]
struct Version {
    plan: u64,
    from: RelPath,
    to: RelPath,
    hash: ContentHash,
    wrote: Vec<Wrote>,
    took: Vec<RelPath>,
}

/// A record that a note wrote, and the version that it replaced.
#[derive(Debug, Clone)]
struct Wrote {
    to: RelPath,
    hash: ContentHash,
    was: Option<ContentHash>,
}

/// The last version of a note.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::service) struct Before {
    /// Where it lies in the archive.
    pub(in crate::service) at: RelPath,
    /// The hash of its bytes.
    pub(in crate::service) hash: ContentHash,
    /// The records that this note made, and that no other note has a part in, as its versions left them.
    pub(in crate::service) wrote: BTreeMap<RelPath, ContentHash>,
}

impl NoteVersions {
    /// Returns what the journal knows of notes.
    pub(in crate::service) fn of(records: &[Record]) -> Self {
        let mut versions = Self::default();
        standing(records).into_iter().for_each(|intent| versions.remember_intent(intent));
        versions
    }

    /// Remembers what a plan gave, if it was made for a note.
    pub(in crate::service) fn remember_intent(&mut self, intent: &Intent) {
        let wrote = intent.publish.iter().map(|product| wrote(&product.to, &product.hash, &product.mode));
        let took = intent.removes.iter().map(|gone| &gone.path);
        self.remember(intent.plan, &intent.about, wrote, took);
    }

    /// Remembers what a plan gave that was carried out under this number.
    pub(in crate::service) fn remember_plan(&mut self, number: u64, plan: &Plan) {
        let wrote = plan.products.iter().filter_map(|product| match &product.recipe {
            Recipe::Bytes(bytes) => Some(wrote(&product.to, &ContentHash::of(bytes), &product.mode)),
            _ => None,
        });
        self.remember(number, &plan.about, wrote, plan.removes.iter().map(|gone| &gone.path));
    }

    fn remember<'a>(
        &mut self,
        plan: u64,
        about: &About,
        wrote: impl Iterator<Item = Wrote>,
        took: impl Iterator<Item = &'a RelPath>,
    ) {
        let (Some(from), Some(to), Some(hash)) = (&about.from, &about.to, &about.hash) else { return };
        // What was set aside gave nothing.
        if about.stage != Stage::Ideas || about.undoes.is_some() || to.area() != "archive" {
            return;
        }
        let (from, to, hash) = (from.clone(), to.clone(), hash.clone());
        self.0.retain(|version| version.plan != plan);
        self.0.push(Version { plan, from, to, hash, wrote: wrote.collect(), took: took.cloned().collect() });
    }

    /// Forgets what a plan gave that was taken back.
    pub(in crate::service) fn forget(&mut self, plan: u64) {
        self.0.retain(|version| version.plan != plan);
    }

    /// Returns the last version of the note that has this name.
    pub(in crate::service) fn before(&self, from: &RelPath) -> Option<Before> {
        let last = self.0.iter().rev().find(|version| version.from == *from)?;
        let mut owners: HashMap<&RelPath, (&RelPath, &ContentHash)> = HashMap::new();
        for version in &self.0 {
            for path in &version.took {
                owners.remove(path);
            }
            for Wrote { to, hash, was } in &version.wrote {
                let is_own =
                    |(owner, left): &(&RelPath, &ContentHash)| **owner == version.from && Some(*left) == was.as_ref();
                if was.is_none() || owners.get(to).is_some_and(is_own) {
                    owners.insert(to, (&version.from, hash));
                } else {
                    owners.remove(to);
                }
            }
        }
        let own = owners.into_iter().filter(|(_, (owner, _))| **owner == *from);
        let wrote = own.map(|(path, (_, hash))| (path.clone(), hash.clone())).collect();
        Some(Before { at: last.to.clone(), hash: last.hash.clone(), wrote })
    }
}

fn wrote(to: &RelPath, hash: &ContentHash, mode: &PublishMode) -> Wrote {
    let was = if let PublishMode::Replace { was } = mode { was.clone() } else { None };
    Wrote { to: to.clone(), hash: hash.clone(), was }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    /// Tells of a note that was read: what it wrote, as `path text was`, and what it took.
    fn read(versions: &mut NoteVersions, plan: u64, note: &str, wrote: &[&str], took: &[&str]) {
        let about = About {
            from: Some(path(note)),
            hash: Some(ContentHash::of(&plan.to_le_bytes())),
            to: Some(path(&format!("archive/{note}-{plan}"))),
            ..About::new(Stage::Ideas, "")
        };
        let hash = |text: &str| ContentHash::of(text.as_bytes());
        let wrote = wrote.iter().map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            Wrote { to: path(words[0]), hash: hash(words[1]), was: words.get(2).map(|was| hash(was)) }
        });
        let took: Vec<RelPath> = took.iter().map(|name| path(name)).collect();
        versions.remember(plan, &about, wrote, took.iter());
    }

    #[test]
    fn a_note_owns_what_no_other_note_has_a_part_in() {
        let mut versions = NoteVersions::default();
        let own = |versions: &NoteVersions, note: &str| {
            let before = versions.before(&path(note))?;
            let names: Vec<String> = before.wrote.keys().map(ToString::to_string).collect();
            Some(format!("{}: {}", before.at, names.join(" ")))
        };
        read(&mut versions, 1, "n", &["a 1", "b 1", "c 1", "d 1"], &[]);
        assert_eq!(own(&versions, "n").as_deref(), Some("archive/n-1: a b c d"));
        // Its next version changes one and takes one away; another note says one again, and a person changed one.
        read(&mut versions, 2, "n", &["a 2 1", "e 1"], &["b"]);
        read(&mut versions, 3, "m", &["c 1 1"], &[]);
        read(&mut versions, 4, "n", &["d 3 2"], &[]);
        assert_eq!(own(&versions, "n").as_deref(), Some("archive/n-4: a e"));
        assert_eq!(own(&versions, "m").as_deref(), Some("archive/m-3: "));
        versions.forget(4);
        versions.forget(3);
        assert_eq!(own(&versions, "n").as_deref(), Some("archive/n-2: a c d e"));
        assert_eq!(own(&versions, "o"), None);
    }
}
