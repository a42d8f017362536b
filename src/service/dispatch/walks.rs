//! Which unit is walked when.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::part::{By, Due, Left, Part, SOON};
use crate::model::RelPath;
use crate::service::survey::unit_of;
use crate::service::units::Units;

/// The shortest pauses between two walks of a busy folder: if work is wanted, and while enough is ready.
const PAUSE_IF_IDLE: Duration = Duration::from_millis(15);
pub(super) const PAUSE_IF_BUSY: Duration = Duration::from_millis(150);
/// From so many assets on, enough is ready.
const BUSY_FROM: usize = 256;
/// Of so many assets it is known that they are ready; more are found by a later walk.
pub(super) const READY_MAX: usize = 8192;

/// Which units there are, and which of them are to be walked.
#[derive(Debug, Default)]
pub(super) struct Walks {
    pub(super) units: Units,
    /// To be walked as soon as possible.
    marked: BTreeSet<RelPath>,
    /// To be walked later.
    due: BTreeMap<RelPath, Due>,
    /// Units that were walked a moment ago, and when they may be walked again.
    rests: HashMap<RelPath, Rest>,
    /// Units of which not all assets could be taken, since enough is ready, and how many about were left.
    behind: BTreeMap<RelPath, usize>,
    /// Units that the disk did not list.
    unseen: BTreeSet<RelPath>,
    walking: Option<RelPath>,
    /// How many assets are known to be ready.
    ready: usize,
    was_all_walked: bool,
}

/// When a unit may be walked again.
#[derive(Debug, Clone, Copy)]
struct Rest {
    if_idle: Duration,
    if_busy: Duration,
}

impl Walks {
    /// Marks a unit.
    pub(super) fn mark(&mut self, unit: RelPath) {
        self.marked.insert(unit);
    }

    /// Marks the unit that a path lies in, if there is one.
    pub(super) fn mark_near(&mut self, path: &RelPath) {
        self.marked.extend(unit_of(path));
    }

    /// Marks a unit if it is known.
    pub(super) fn mark_known(&mut self, unit: &RelPath) {
        if self.units.contains(unit) {
            self.marked.insert(unit.clone());
        }
    }

    /// Takes the theme's folder that a file was put into, and marks it.
    pub(super) fn mark_theme_of(&mut self, path: &RelPath) {
        let unit = path.parent().and_then(|folder| unit_of(&folder));
        if let Some(unit) = unit.filter(|unit| unit.parent().is_some()) {
            self.units.add(&unit);
            self.marked.insert(unit);
        }
    }

    /// Marks every unit.
    pub(super) fn mark_all(&mut self) {
        self.marked.extend(self.units.iter().cloned());
    }

    /// Marks the units of an area.
    pub(super) fn mark_within(&mut self, area: &RelPath) {
        self.marked.extend(self.units.iter().filter(|unit| unit.is_in(area)).cloned());
    }

    /// Lets a unit be walked at some time; an earlier one stays.
    pub(super) fn mark_at(&mut self, unit: &RelPath, again: Due) {
        let due = self.due.entry(unit.clone()).or_insert(again);
        *due = Due { at: due.at.min(again.at), is_awaited: due.is_awaited || again.is_awaited };
    }

    /// Lets the unit of a file be walked at some time.
    pub(super) fn mark_path_at(&mut self, path: &RelPath, again: Due) {
        let Some(unit) = unit_of(path) else { return };
        let unit = if self.units.contains(&unit) { unit } else { unit.parent().unwrap_or(unit) };
        self.mark_at(&unit, again);
    }

    /// Returns the unit that is to be walked now, if there is one. `ready` is how many assets are known to be ready,
    /// and `is_away` tells which areas cannot be looked at.
    pub(super) fn next(&mut self, now: Duration, ready: usize, is_away: &dyn Fn(&RelPath) -> bool) -> Option<RelPath> {
        self.ready = ready;
        self.marked.extend(self.due.extract_if(.., |_, due| due.at <= now).map(|(unit, _)| unit));
        if ready >= READY_MAX / 4 {
            self.marked.retain(|unit| !self.behind.contains_key(unit));
        } else if self.walking.is_none() {
            self.marked.extend(self.behind.keys().cloned());
        }
        if self.walking.is_some() {
            return None;
        }
        self.marked.retain(|unit| !is_away(&unit.area_path()));
        self.rests.retain(|_, rest| rest.if_busy > now);
        let unit = self.marked.iter().find(|unit| self.from(unit) <= now).cloned()?;
        self.marked.remove(&unit);
        self.walking = Some(unit.clone());
        Some(unit)
    }

    /// Returns from when on a unit may be walked.
    fn from(&self, unit: &RelPath) -> Duration {
        let from = |rest: &Rest| if self.ready >= BUSY_FROM { rest.if_busy } else { rest.if_idle };
        self.rests.get(unit).map_or(Duration::ZERO, from)
    }

    /// Takes note that a walk is over: a folder that takes long to walk must not be walked without a pause.
    pub(super) fn ended(&mut self, unit: &RelPath, took: Duration, now: Duration) {
        self.walking = None;
        self.behind.remove(unit);
        let rest = Rest { if_idle: now + PAUSE_IF_IDLE.max(took * 3), if_busy: now + PAUSE_IF_BUSY.max(took * 20) };
        self.rests.insert(unit.clone(), rest);
    }

    /// Takes note that a unit was listed; what it waited for before is judged with that.
    pub(super) fn listed(&mut self, unit: &RelPath) {
        self.unseen.remove(unit);
        self.due.remove(unit);
    }

    /// Forgets a unit whose folder is gone.
    pub(super) fn gone(&mut self, unit: &RelPath) {
        self.units.forget(unit);
        self.unseen.remove(unit);
    }

    /// Takes note that the disk did not list a unit, which is tried again.
    pub(super) fn not_listed(&mut self, unit: &RelPath, again: Due) {
        self.unseen.insert(unit.clone());
        self.mark_at(unit, again);
    }

    /// Takes the themes below a stage that a walk found; new ones are walked, too.
    pub(super) fn found(&mut self, below: &[RelPath]) {
        for unit in below {
            if self.units.add(unit) {
                self.marked.insert(unit.clone());
            }
        }
    }

    /// Takes note that so many assets of a unit were left for a later walk.
    pub(super) fn fell_behind(&mut self, unit: RelPath, left: usize) {
        self.behind.insert(unit, left);
    }

    /// Returns whether a walk is under way.
    pub(super) fn is_walking(&self) -> bool {
        self.walking.is_some()
    }

    /// Returns whether a unit of a stage is walked, or about to be.
    pub(super) fn is_any_in(&self, stage: &RelPath) -> bool {
        self.walking.iter().chain(&self.marked).any(|unit| unit.is_in(stage) || unit == stage)
    }

    /// Returns how many assets later walks will find.
    pub(super) fn left_behind(&self) -> usize {
        self.behind.values().sum()
    }

    /// Returns whether everything was walked since the start.
    pub(super) fn was_all_walked(&self) -> bool {
        self.was_all_walked
    }

    /// Takes note, once, that everything was walked since the start.
    pub(super) fn take_first_round_over(&mut self) -> bool {
        let is_over = self.marked.is_empty() && self.walking.is_none();
        is_over && !std::mem::replace(&mut self.was_all_walked, true)
    }
}

impl Part for Walks {
    fn wake(&self, now: Duration) -> Option<Duration> {
        let marked = self.marked.iter().filter(|_| self.walking.is_none()).map(|unit| self.from(unit).max(now));
        marked.chain(self.due.values().map(|due| due.at)).min()
    }

    fn left(&self, now: Duration) -> Left {
        let is_near = |(unit, due): (&RelPath, &Due)| self.unseen.contains(unit) && due.at <= now + SOON;
        let is_due = || !self.marked.is_empty() || self.due.iter().any(|due| due.1.is_awaited || is_near(due));
        let soon = if self.walking.is_some() { Some(By::Answer) } else { is_due().then_some(By::Time) };
        Left { soon, stuck: self.unseen.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::check;
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn next(walks: &mut Walks, at: u64, ready: usize) -> Option<String> {
        walks.next(ms(at), ready, &|area| area == &path("keep")).map(|unit| unit.to_string())
    }

    #[test]
    fn a_unit_rests_by_how_long_it_took_and_how_much_is_ready() {
        // (took ms, ready, may be walked again at ms after 1,000)
        let cases = [(0, 0, 15), (0, 255, 15), (0, 256, 150), (10, 0, 30), (10, 256, 200)];
        for (took, ready, rest) in cases {
            let mut walks = Walks::default();
            walks.mark(path("raw/t"));
            assert_eq!(next(&mut walks, 0, 0).as_deref(), Some("raw/t"));
            assert!(check(&walks, ms(0)).soon == Some(By::Answer) && next(&mut walks, 0, 0).is_none());
            walks.ended(&path("raw/t"), ms(took), ms(1_000));
            walks.mark(path("raw/t"));
            assert_eq!(next(&mut walks, 1_000 + rest - 1, ready), None, "{took} ms, {ready}");
            assert_eq!(walks.wake(ms(1_000)), Some(ms(1_000 + rest)), "{took} ms, {ready}");
            assert_eq!(check(&walks, ms(1_000)), Left::soon(By::Time));
            assert_eq!(next(&mut walks, 1_000 + rest, ready).as_deref(), Some("raw/t"), "{took} ms, {ready}");
        }
    }

    #[test]
    fn what_is_due_later_is_waited_for_if_that_is_soon() {
        // (due at, is walked at 0, left at 0)
        let cases = [(0, true, Some(By::Time)), (3_000, false, Some(By::Time)), (3_001, false, None)];
        for (due, is_walked, soon) in cases {
            let mut walks = Walks::default();
            walks.mark_at(&path("raw"), Due::new(ms(due), ms(0)));
            walks.mark_at(&path("raw"), Due::new(ms(due + 10), ms(0)));
            for now in [0, due] {
                assert_eq!((check(&walks, ms(now)).soon, walks.wake(ms(now))), (soon, Some(ms(due))), "{due} at {now}");
            }
            assert_eq!(next(&mut walks, 0, 0).is_some(), is_walked, "{due}");
        }
    }

    #[test]
    fn areas_that_are_away_are_not_walked() {
        let mut walks = Walks::default();
        walks.mark(path("keep/t"));
        assert!(!walks.take_first_round_over());
        assert_eq!((next(&mut walks, 0, 0), check(&walks, ms(0))), (None, Left::default()));
        assert!(walks.take_first_round_over() && !walks.take_first_round_over(), "it is told once");
    }

    #[test]
    fn what_was_left_behind_is_walked_when_there_is_room() {
        let mut walks = Walks::default();
        walks.fell_behind(path("raw"), 7);
        walks.mark(path("raw"));
        assert_eq!((next(&mut walks, 0, READY_MAX / 4), walks.left_behind()), (None, 7));
        assert_eq!(next(&mut walks, 0, READY_MAX / 4 - 1).as_deref(), Some("raw"));
        walks.ended(&path("raw"), ms(0), ms(0));
        assert_eq!((next(&mut walks, 9_000, 0), walks.left_behind()), (None, 0));
    }

    #[test]
    fn a_unit_that_cannot_be_listed_is_stuck_until_it_is() {
        let mut walks = Walks::default();
        walks.not_listed(&path("raw"), Due::new(ms(5_000), ms(0)));
        assert_eq!(check(&walks, ms(0)), Left { soon: None, stuck: 1 });
        walks.listed(&path("raw"));
        assert_eq!((check(&walks, ms(0)), walks.wake(ms(0))), (Left::default(), None));
        walks.not_listed(&path("raw/t"), Due::new(ms(5_000), ms(0)));
        walks.gone(&path("raw/t"));
        assert_eq!(check(&walks, ms(0)), Left::default());
    }

    #[test]
    fn a_theme_that_something_goes_to_is_a_unit_from_then_on() {
        let mut walks = Walks::default();
        for (target, marked) in [("keep/t/a.png", Some("keep/t")), ("keep/a.png", None), ("archive/t/a.png", None)] {
            let mut fresh = Walks::default();
            fresh.mark_theme_of(&path(target));
            assert_eq!(fresh.marked.first().map(ToString::to_string).as_deref(), marked, "{target}");
            walks.mark_theme_of(&path(target));
        }
        assert!(walks.units.contains(&path("keep/t")));
        walks.found(&[path("keep/t"), path("raw/new")]);
        assert_eq!(walks.marked.iter().map(ToString::to_string).collect::<Vec<_>>(), ["keep/t", "raw/new"]);
    }
}
