//! What plans in hand have taken, so that no other plan gets it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Decider;
use crate::model::{AssetId, ContentHash, RelPath, Stage, ThemeSlug};
use crate::plan::{Bundle, Facts, Plan};
use crate::records::About;

/// So many numbers are kept for what is tried again.
const GIVEN_SEQS_MAX: usize = 10_000;

/// Names, contents, assets and numbers of plans in hand.
#[derive(Debug, Default)]
pub(in crate::service) struct Reservations {
    /// The names that they give; a name that differs only by case is one name on many a disk and in many a market.
    names: HashSet<RelPath>,
    /// The files that they take away.
    leaving: HashSet<RelPath>,
    hashes: HashMap<ContentHash, RelPath>,
    assets: HashMap<AssetId, RelPath>,
    /// The numbers of plans that were not carried out yet: what is tried again keeps its number.
    given_seqs: HashMap<ContentHash, (ThemeSlug, u64)>,
    leaving_by_stage: BTreeMap<Stage, usize>,
    /// Files that wait for another with the same content, or of the same asset, to be done.
    twins: Vec<RelPath>,
}

impl Reservations {
    /// Takes what a plan uses.
    pub(super) fn take(&mut self, plan: &Plan) {
        let about = &plan.about;
        self.names.extend(plan.gives().map(folded));
        self.leaving.extend(plan.takes().cloned());
        self.take_contents(about);
        if let (Some(id), Some(from)) = (&about.asset, &about.from) {
            self.assets.insert(id.clone(), from.clone());
        }
        if let (Some(hash), Some(theme), Some(seq)) = (&about.hash, &about.theme, about.seq) {
            if self.given_seqs.len() >= GIVEN_SEQS_MAX {
                self.given_seqs.clear();
            }
            self.given_seqs.insert(hash.clone(), (theme.clone(), seq));
        }
        // What joins its asset late leaves no stage.
        if !is_join(plan) {
            for stage in stages(about) {
                *self.leaving_by_stage.entry(stage).or_default() += 1;
            }
        }
    }

    /// Takes what a plan's file holds and shows, as far as that is known.
    pub(super) fn take_contents(&mut self, about: &About) {
        if let (Some(hash), Some(from)) = (&about.hash, &about.from) {
            self.hashes.extend(about.essences.iter().chain([hash]).map(|hash| (hash.clone(), from.clone())));
        }
    }

    /// Returns the other file in hand that shows what this one shows.
    pub(super) fn shown_by_other(&self, essences: &[ContentHash], path: &RelPath) -> Option<RelPath> {
        essences.iter().find_map(|essence| self.hashes.get(essence).filter(|other| *other != path)).cloned()
    }

    /// Gives back what a plan had taken, after it was carried out or given up; returns the files that waited for that.
    pub(in crate::service) fn give_back(&mut self, plan: &Plan) -> Vec<RelPath> {
        for name in plan.gives() {
            self.names.remove(&folded(name));
        }
        for path in plan.takes() {
            self.leaving.remove(path);
        }
        for hash in plan.about.hash.iter().chain(&plan.about.essences) {
            self.hashes.remove(hash);
        }
        if let Some(id) = &plan.about.asset {
            self.assets.remove(id);
        }
        for stage in stages(&plan.about) {
            if let Some(count) = self.leaving_by_stage.get_mut(&stage).filter(|_| !is_join(plan)) {
                *count = count.saturating_sub(1);
            }
        }
        std::mem::take(&mut self.twins)
    }

    /// Takes note that a content was carried out: its number is not given again.
    pub(super) fn carried_out(&mut self, hash: &ContentHash) {
        self.given_seqs.remove(hash);
    }

    /// Returns the number that a content of a theme was given before.
    pub(super) fn given_seq(&self, theme: &ThemeSlug, hash: &ContentHash) -> Option<u64> {
        self.given_seqs.get(hash).filter(|(given, _)| given == theme).map(|(_, seq)| *seq)
    }

    /// Returns whether a plan gives this name.
    pub(super) fn gives(&self, path: &RelPath) -> bool {
        self.names.contains(&folded(path))
    }

    /// Returns whether a plan gives this name or takes this file away.
    pub(in crate::service) fn is_moving(&self, path: &RelPath) -> bool {
        self.gives(path) || self.leaving.contains(path)
    }

    /// Returns whether a plan gives a name in a folder.
    pub(in crate::service) fn gives_in(&self, folder: &RelPath) -> bool {
        let folder = folded(folder);
        self.names.iter().any(|name| name.is_in(&folder))
    }

    /// Returns whether a plan gives or takes a file of a theme.
    pub(in crate::service) fn has_theme(&self, theme: &ThemeSlug) -> bool {
        let name = theme.as_str().to_lowercase();
        let is_of = |path: &RelPath| path.parts().nth(1).is_some_and(|part| part.to_str() == Some(&name));
        self.names.iter().any(is_of) || self.leaving.iter().map(folded).any(|path| is_of(&path))
    }

    /// Returns how many assets are about to leave a stage.
    pub(super) fn leaving(&self, stage: Stage) -> usize {
        self.leaving_by_stage.get(&stage).copied().unwrap_or(0)
    }

    /// Returns the other file with the same content that is in hand; this one waits for it then.
    pub(super) fn twin_of(&mut self, facts: &Facts) -> Option<RelPath> {
        let mut hashes = std::iter::once(&facts.hash).chain(&facts.essences);
        let other = hashes.find_map(|hash| self.hashes.get(hash).filter(|other| **other != facts.path)).cloned();
        self.wait_if(other, &facts.path)
    }

    /// Returns the other file by which an asset is in hand; this one waits for it then.
    pub(super) fn in_hand_as<'a>(&mut self, ids: impl Iterator<Item = &'a AssetId>, path: &RelPath) -> Option<RelPath> {
        let mut files = ids.filter_map(|id| self.assets.get(id));
        let other = files.find(|other| *other != path).cloned();
        self.wait_if(other, path)
    }

    /// Returns whether an asset is in hand, by whichever file.
    pub(super) fn is_in_hand<'a>(&self, mut ids: impl Iterator<Item = &'a AssetId>) -> bool {
        ids.any(|id| self.assets.contains_key(id))
    }

    fn wait_if(&mut self, other: Option<RelPath>, path: &RelPath) -> Option<RelPath> {
        self.twins.extend(other.is_some().then(|| path.clone()));
        other
    }
}

/// Returns the stages that a plan takes its asset out of.
fn stages(about: &About) -> Vec<Stage> {
    if about.steps.is_empty() { vec![about.stage] } else { about.steps.iter().map(|step| step.stage).collect() }
}

/// Returns whether a plan is about a companion that joins its asset, which takes no step by that.
fn is_join(plan: &Plan) -> bool {
    plan.about.hash.is_some() && plan.about.asset.is_some() && plan.about.seq.is_none()
}

fn folded(path: &RelPath) -> RelPath {
    match path.as_path().to_str() {
        Some(text) => RelPath::new(text.to_lowercase()).unwrap_or_else(|_| path.clone()),
        None => path.clone(),
    }
}

impl Decider {
    /// Takes what a plan uses, so that no other plan gets it: names, number, content, room in bundles.
    pub(super) fn take_in_hand(&mut self, plan: &Plan) {
        self.ledger.use_seq(&plan.about);
        self.ledger.use_names(plan);
        self.reserved.take(plan);
        for name in &plan.rows {
            let new = || Bundle { name: name.clone(), rows: Some(0), themes: BTreeMap::new(), sent: false };
            let bundle = self.upload.bundles.entry(name.clone()).or_insert_with(new);
            bundle.rows = bundle.rows.map(|rows| rows + 1);
            if let Some(theme) = &plan.about.theme {
                *bundle.themes.entry(theme.clone()).or_default() += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Identity;
    use crate::records::{About, Move};

    const SEEN: Identity = Identity { device: 1, inode: 7, size: 9, modified_ns: 5 };

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn hash(text: &str) -> ContentHash {
        ContentHash::of(text.as_bytes())
    }

    fn facts(name: &str, content: &str, essence: Option<&str>) -> Facts {
        Facts {
            hash: hash(content),
            essences: essence.map(hash).into_iter().collect(),
            ..Facts::bare(path(name), Stage::Raw, SEEN, 0)
        }
    }

    /// A plan that takes `raw/Sea/A.png` to `keep/sea/Sea-0003.png`.
    fn plan() -> Plan {
        let (from, to) = (path("raw/Sea/A.png"), path("keep/sea/Sea-0003.png"));
        let about = About {
            from: Some(from.clone()),
            to: Some(to.clone()),
            hash: Some(hash("a")),
            essences: vec![hash("what it shows")],
            theme: Some(ThemeSlug::new("sea").unwrap()),
            seq: Some(3),
            ..About::new(Stage::Raw, "")
        };
        Plan { moves: vec![Move { from, to, seen: SEEN }], ..Plan::new(about) }
    }

    #[test]
    fn a_plan_in_hand_has_its_names_content_and_number() {
        let sea = ThemeSlug::new("sea").unwrap();
        let mut reserved = Reservations::default();
        for is_taken in [false, true] {
            if is_taken {
                reserved.take(&plan());
            }
            let gives = [("keep/sea/Sea-0003.png", true), ("keep/SEA/sea-0003.PNG", true), ("raw/Sea/A.png", false)];
            for (name, expected) in gives {
                assert_eq!(reserved.gives(&path(name)), is_taken && expected, "{name}");
            }
            let moves = [("keep/sea/sea-0003.png", true), ("raw/Sea/A.png", true), ("raw/sea/a.png", false)];
            for (name, expected) in moves {
                assert_eq!(reserved.is_moving(&path(name)), is_taken && expected, "{name}");
            }
            assert_eq!((reserved.has_theme(&sea), reserved.gives_in(&path("keep/sea"))), (is_taken, is_taken));
            assert_eq!((reserved.leaving(Stage::Raw), reserved.leaving(Stage::Keep)), (usize::from(is_taken), 0));
            assert_eq!(reserved.given_seq(&sea, &hash("a")), is_taken.then_some(3));
        }
        reserved.give_back(&plan());
        assert!(
            !reserved.is_moving(&path("raw/Sea/A.png"))
                && !reserved.has_theme(&sea)
                && reserved.leaving(Stage::Raw) == 0
        );
        assert_eq!(reserved.given_seq(&sea, &hash("a")), Some(3), "what is tried again keeps its number");
        reserved.carried_out(&hash("a"));
        assert_eq!(reserved.given_seq(&sea, &hash("a")), None);
    }

    #[test]
    fn the_same_content_waits_until_the_other_is_done() {
        // (file, content, what it shows, whether it waits)
        let cases = [
            ("raw/b.png", "a", None, true),
            ("raw/b.png", "b", Some("what it shows"), true),
            ("raw/b.png", "what it shows", None, true),
            ("raw/b.png", "b", Some("another"), false),
            ("raw/Sea/A.png", "a", None, false),
        ];
        for (name, content, essence, waits) in cases {
            let mut reserved = Reservations::default();
            reserved.take(&plan());
            let other = reserved.twin_of(&facts(name, content, essence));
            assert_eq!(other, waits.then(|| path("raw/Sea/A.png")), "{name} {content} {essence:?}");
            let freed: Vec<RelPath> = if waits { vec![path(name)] } else { vec![] };
            assert_eq!(reserved.give_back(&plan()), freed, "{name} {content}");
        }
    }
}
