//! Which shared records are to be brought up to date: tags that are the same in all stages, and bundles.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::time::Duration;

use super::backoff::Backoff;
use super::part::{By, Left, Part, SOON};
use crate::model::{Identity, MarketName, RelPath, ThemeSlug};
use crate::plan::{BundleName, Hold, Plan};
use crate::service::decide::{CopiesOf, Tended};

/// The pauses before records are tended again after one could not be written.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// For so long a bundle waits for the assets that are about to join.
const JOIN_MAX: Duration = Duration::from_secs(30);
/// Of so many records it is decided at a time how they are to be written: there may be thousands of themes.
const TEND_MAX: usize = 256;

/// Records that are to be brought up to date.
#[derive(Debug)]
pub(super) struct Tending {
    tags: Tags,
    bundles: Bundles,
    /// Those whose records do not stand still: when they are looked at again, and whether time alone ends that.
    due: BTreeMap<Tended, (Duration, bool)>,
    /// After a record could not be written.
    pause: Backoff,
    /// Records that plans in hand write or take away: one plan at a time for each.
    in_hand: HashSet<RelPath>,
    is_running: bool,
}

#[derive(Debug, Default)]
struct Tags {
    /// Folders whose tags may have changed.
    marked: BTreeSet<RelPath>,
    /// The state of the tag file that a walk saw last in each folder, condensed: there may be thousands of themes.
    seen: HashMap<RelPath, u64>,
    /// Tag files that nobody can read, and why: told once.
    broken: BTreeMap<RelPath, String>,
    /// Shared tags of which a version came back that somebody wrote on: by their last common state, which no longer
    /// counts.
    distrusted: HashSet<RelPath>,
}

#[derive(Debug, Default)]
struct Bundles {
    marked: BTreeSet<BundleName>,
    is_all_marked: bool,
    /// Themes whose tags changed: the bundles that hold assets of one are marked when they are listed.
    changed_themes: BTreeSet<ThemeSlug>,
    /// Since when the first of these waits.
    since: Option<Duration>,
    /// The themes in each bundle; of one that is sent, those of which further markets lack files.
    themes: BTreeMap<BundleName, BTreeSet<ThemeSlug>>,
    /// How many files of each further markets lack.
    lacking: BTreeMap<BundleName, usize>,
    /// The files of each market whose assets lie in its open bundles more than once.
    copies: BTreeMap<MarketName, CopiesOf>,
    /// Those that could not be looked at.
    unseen: BTreeSet<BundleName>,
    /// Whether `upload` is paused: then none is looked at, and nobody waits for that.
    is_paused: bool,
}

impl Default for Tending {
    fn default() -> Self {
        Self {
            tags: Tags::default(),
            bundles: Bundles::default(),
            due: BTreeMap::new(),
            pause: Backoff::new(PAUSE_MIN, PAUSE_MAX),
            in_hand: HashSet::new(),
            is_running: false,
        }
    }
}

impl Tending {
    /// Marks a folder's shared tags.
    pub(super) fn tags_changed(&mut self, folder: RelPath) {
        self.tags.marked.insert(folder);
    }

    /// Takes the tag files that a walk saw, by their folders; those that are not as they were are marked.
    pub(super) fn saw_tags(&mut self, seen: &[(RelPath, Option<Identity>)]) {
        for (folder, identity) in seen {
            let state = BuildHasherDefault::<DefaultHasher>::default().hash_one(identity);
            if self.tags.seen.insert(folder.clone(), state) != Some(state) {
                self.tags.marked.insert(folder.clone());
            }
        }
    }

    /// Lets every tag file that is seen be marked: what lies on disk was changed by others than plans in hand.
    pub(super) fn forget_seen_tags(&mut self) {
        self.tags.seen.clear();
    }

    /// Forgets the tag files of a unit that is gone.
    pub(super) fn forget_tags(&mut self, unit: &RelPath) {
        self.tags.seen.retain(|folder, _| !folder.is_in(unit));
    }

    /// Takes note that of some shared tags a version came back that somebody wrote on.
    pub(super) fn distrust(&mut self, base: RelPath) {
        self.tags.distrusted.insert(base);
    }

    /// Returns the shared tags whose last common state does not count.
    pub(super) fn distrusted(&self) -> HashSet<RelPath> {
        self.tags.distrusted.clone()
    }

    /// Takes note that a plan gives some tags a new common state.
    pub(super) fn trust(&mut self, base: &RelPath) {
        self.tags.distrusted.remove(base);
    }

    /// Takes why tag files of a folder are not carried to the other stages; returns what is to be told.
    pub(super) fn broken(&mut self, folder: &RelPath, broken: Vec<(RelPath, String)>) -> Vec<(RelPath, String)> {
        let below = |path: &RelPath| path.parts().skip(1).map(ToOwned::to_owned).collect::<Vec<_>>();
        let is_of = |path: &RelPath| path.parent().is_some_and(|parent| below(&parent) == below(folder));
        self.tags.broken.retain(|path, _| !is_of(path) || broken.iter().any(|(other, _)| other == path));
        // What mends a file need not make it another one.
        for folder in broken.iter().filter_map(|(path, _)| path.parent()) {
            self.tags.seen.remove(&folder);
        }
        let is_news =
            |(path, why): &(RelPath, String)| self.tags.broken.insert(path.clone(), why.clone()).as_ref() != Some(why);
        broken.into_iter().filter(is_news).collect()
    }

    /// Marks a bundle.
    pub(super) fn bundle_changed(&mut self, name: BundleName) {
        self.bundles.marked.insert(name);
    }

    /// Marks every bundle.
    pub(super) fn all_bundles(&mut self) {
        self.bundles.is_all_marked = true;
    }

    /// Marks the bundles that hold assets of a theme.
    pub(super) fn theme_changed(&mut self, theme: &ThemeSlug) {
        self.bundles.changed_themes.insert(theme.clone());
    }

    /// Takes what a look into a bundle showed: the themes in it; of one that is sent, those of which further markets
    /// lack files.
    pub(super) fn saw_bundle(&mut self, name: &BundleName, themes: BTreeSet<ThemeSlug>) {
        self.bundles.unseen.remove(name);
        self.bundles.themes.insert(name.clone(), themes);
    }

    /// Takes how many files of a bundle further markets lack.
    pub(super) fn saw_lacking(&mut self, name: &BundleName, lacking: usize) {
        self.bundles.lacking.insert(name.clone(), lacking);
    }

    /// Takes the files of markets whose assets lie in open bundles more than once. Where these changed, the bundles that they lie
    /// in, or lay in, are marked, but for those that were `seen` with them: which of them has the row may have changed, too.
    pub(super) fn saw_copies(&mut self, copies: BTreeMap<MarketName, CopiesOf>, seen: &BTreeSet<&BundleName>) {
        for (market, copies) in copies {
            let before = self.bundles.copies.remove(&market).unwrap_or_default();
            let is_other = |file: &&RelPath| before.get(*file) != copies.get(*file);
            let changed = before.keys().chain(copies.keys()).filter(is_other).filter_map(BundleName::of);
            self.bundles.marked.extend(changed.filter(|name| !seen.contains(name)));
            self.bundles.copies.insert(market, copies);
        }
    }

    /// Marks the bundles of a market that `is_open` says of, once it is on record that something went there, or did not.
    pub(super) fn dealt(&mut self, market: &MarketName, is_open: impl Fn(&BundleName) -> bool) {
        let known = self.bundles.themes.keys().chain(&self.bundles.unseen);
        let open: Vec<_> = known.filter(|name| name.market == *market && is_open(name)).cloned().collect();
        self.bundles.marked.extend(open);
    }

    /// Forgets a bundle that is not there any more; returns how many of its files further markets lacked.
    pub(super) fn forget_bundle(&mut self, name: &BundleName) -> usize {
        self.bundles.unseen.remove(name);
        self.bundles.themes.remove(name);
        self.bundles.lacking.remove(name).unwrap_or(0)
    }

    /// Marks the bundles that could not be looked at.
    pub(super) fn retry_unseen(&mut self) {
        self.bundles.marked.extend(self.bundles.unseen.iter().cloned());
    }

    /// Takes note that a bundle cannot be looked at, or not at all of it: nobody knows which themes it holds.
    pub(super) fn cannot_see(&mut self, name: BundleName) {
        self.bundles.themes.remove(&name);
        self.bundles.unseen.insert(name);
    }

    /// Returns what is to be looked at now. A manifest is written when the assets that are about to join have joined
    /// (`is_quiet`); if they never end, now and then. `all` lists the bundles; while `upload` is paused, none is looked
    /// at. `planned` is how many plans wait already.
    pub(super) fn next(
        &mut self,
        now: Duration,
        is_quiet: bool,
        is_paused: bool,
        planned: usize,
        all: &dyn Fn() -> Vec<BundleName>,
    ) -> Vec<Tended> {
        for (tended, _) in self.due.extract_if(.., |_, (due, _)| *due <= now) {
            match tended {
                Tended::Tags(folder) => drop(self.tags.marked.insert(folder)),
                Tended::Bundle(name) => drop(self.bundles.marked.insert(name)),
            }
        }
        self.bundles.is_paused = is_paused;
        if self.is_running || !self.pause.is_due(now) {
            return Vec::new();
        }
        let mut next = Vec::new();
        while planned + next.len() < TEND_MAX
            && let Some(folder) = self.tags.marked.pop_first()
        {
            next.push(Tended::Tags(folder));
        }
        // While `upload` is away, no bundle can be listed.
        if !is_paused && (self.bundles.is_all_marked || !self.bundles.changed_themes.is_empty()) {
            self.bundles.resolve(all());
        }
        if self.is_any_bundle_marked() {
            let since = *self.bundles.since.get_or_insert(now);
            if (is_quiet || now >= since + JOIN_MAX) && !is_paused {
                self.bundles.since = None;
                next.extend(std::mem::take(&mut self.bundles.marked).into_iter().map(Tended::Bundle));
            }
        } else {
            self.bundles.since = None;
        }
        self.is_running = !next.is_empty();
        next
    }

    /// Takes note that what was to be looked at was.
    pub(super) fn looked(&mut self) {
        self.is_running = false;
    }

    /// Looks at records again after a pause, since somebody may be in the middle of saving them.
    pub(super) fn later(&mut self, tended: Tended, hold: &Hold, now: Duration) {
        let (pause, is_by_time) = match hold {
            Hold::Settling { pause, is_by_time, .. } => (*pause, *is_by_time),
            _ => (PAUSE_MAX, false),
        };
        self.due.insert(tended, (now + pause, is_by_time));
    }

    /// Looks at a record again in a moment, since a plan in hand is writing it.
    pub(super) fn in_a_moment(&mut self, tended: Tended, now: Duration) {
        self.due.insert(tended, (now + PAUSE_MIN, true));
    }

    /// Returns whether plans for records may be begun.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.pause.is_due(now)
    }

    /// Takes the records of a plan in hand; returns whether no other plan has one of them. One that is being written is
    /// looked at again when that is done.
    pub(super) fn begin(&mut self, plan: &Plan) -> bool {
        let is_free = !records(plan).any(|path| self.in_hand.contains(path));
        if is_free {
            self.in_hand.extend(records(plan).cloned());
        }
        is_free
    }

    /// Lets go of the records of a plan.
    pub(super) fn ended(&mut self, plan: &Plan) {
        for path in records(plan) {
            self.in_hand.remove(path);
        }
    }

    /// Takes note that a plan could not be carried out: it is decided anew after a growing pause.
    pub(super) fn failed(&mut self, plan: &Plan, now: Duration) {
        self.pause.tried(now);
        self.bundles.is_all_marked = true;
        let folders = plan.products.iter().filter(|product| product.to.file_name() == "tags.yaml");
        self.tags.marked.extend(folders.filter_map(|product| product.to.parent()));
    }

    /// Returns when records may be tended again after one could not be written.
    pub(super) fn again(&self) -> Duration {
        self.pause.again()
    }

    /// Returns how many records are in hand.
    pub(super) fn in_hand(&self) -> usize {
        self.in_hand.len()
    }

    /// Returns whether a bundle was marked since it was looked at.
    pub(super) fn is_marked(&self, name: &BundleName) -> bool {
        self.bundles.is_all_marked || self.bundles.marked.contains(name)
    }

    /// Returns whether bundles are looked at, or about to be.
    pub(super) fn is_looking(&self) -> bool {
        self.is_running || self.is_any_bundle_marked() && !self.bundles.is_paused
    }

    /// Returns whether something can be looked at as soon as it is time.
    fn is_any_marked(&self) -> bool {
        !self.tags.marked.is_empty() || self.is_any_bundle_marked() && !self.bundles.is_paused
    }

    fn is_any_bundle_marked(&self) -> bool {
        self.bundles.is_all_marked || !self.bundles.changed_themes.is_empty() || !self.bundles.marked.is_empty()
    }
}

impl Bundles {
    /// Marks by name what was marked otherwise, now that all bundles are listed. Of one that was never looked into
    /// nobody knows what it holds.
    fn resolve(&mut self, all: Vec<BundleName>) {
        let (is_all, changed) = (std::mem::take(&mut self.is_all_marked), std::mem::take(&mut self.changed_themes));
        let holds = |name: &BundleName| self.themes.get(name).is_none_or(|themes| !themes.is_disjoint(&changed));
        self.marked.extend(all.into_iter().filter(|name| is_all || holds(name)));
    }
}

impl Part for Tending {
    fn wake(&self, now: Duration) -> Option<Duration> {
        let is_marked = self.is_any_marked();
        // A bundle waits for assets that are about to join: it is looked now and then whether they have.
        let marked = is_marked.then(|| self.pause.again().max(now + Duration::from_millis(100)));
        self.due.values().map(|(due, _)| *due).chain(marked.filter(|_| !self.is_running)).min()
    }

    fn left(&self, now: Duration) -> Left {
        let is_marked = self.is_any_marked();
        let soon = if self.is_running {
            Some(By::Answer)
        } else {
            let is_soon = is_marked && self.pause.again() <= now + SOON;
            (is_soon || self.due.values().any(|(_, is_by_time)| *is_by_time)).then_some(By::Time)
        };
        let is_behind = !self.tags.marked.is_empty() || self.is_any_bundle_marked();
        Left { soon, stuck: self.bundles.unseen.len() + usize::from(is_behind) }
    }
}

/// Returns the records that a plan writes or takes away.
fn records(plan: &Plan) -> impl Iterator<Item = &RelPath> {
    // What records that a bundle was sent writes nothing but the journal.
    let dealt = plan.about.from.iter().filter(|_| plan.about.dealing.is_some());
    plan.products.iter().map(|product| &product.to).chain(plan.removes.iter().map(|gone| &gone.path)).chain(dealt)
}

#[cfg(test)]
mod tests;
