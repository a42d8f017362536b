//! Which areas can be worked on, and how much room their disks have.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::part::{By, Left, Part};
use crate::model::RelPath;
use crate::service::check::{Checked, Returned};
use crate::service::pauses::{Cause, Pauses, Resumed, Short, area_of_trouble, lacks_room};
use crate::vault::Space;

/// How long an answer on a disk's room is good for.
const ROOM_AGE_MAX: Duration = Duration::from_millis(500);

/// The areas, and what is known of their disks.
#[derive(Debug, Default)]
pub(super) struct Areas {
    names: Vec<RelPath>,
    /// Areas that are not there, or not the folders that they were.
    detached: BTreeSet<RelPath>,
    /// The mount that each area lies on.
    mounts: BTreeMap<RelPath, u64>,
    pub(super) pauses: Pauses,
    is_checking: bool,
    wants_check: bool,
    /// The bytes that work in hand will take.
    promised: BTreeMap<RelPath, u64>,
    /// How much room there was a moment ago.
    room: BTreeMap<RelPath, (Duration, Space)>,
}

/// What a look at the areas showed.
#[derive(Debug, PartialEq)]
pub(super) enum AreaNews {
    /// One cannot be worked on, for a reason that is to be told.
    Paused(RelPath, String),
    /// One can be worked on again; whether that is to be told.
    Resumed(RelPath, bool),
    /// One that was away is back, with what lies in it.
    Returned(RelPath, Returned),
    /// One was away and back between two looks, and its watches with it.
    MountedAnew(RelPath),
    /// The file system of one tells no events.
    Remote(RelPath),
}

/// Room of the disks that a plan in hand will take: so many bytes in each area. It is given back, whatever becomes of the
/// plan, or an area looks full for ever.
#[derive(Debug)]
#[must_use]
pub(in crate::service) struct Promise(BTreeMap<RelPath, u64>);

impl Drop for Promise {
    fn drop(&mut self) {
        debug_assert!(
            self.0.is_empty() || std::thread::panicking(),
            "room was promised and not given back: {:?}",
            self.0
        );
    }
}

/// Why a plan gets no room.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// A disk has too little.
    Short(Short),
    /// There is enough once work in hand is done.
    InHand,
}

impl Areas {
    /// Returns areas of which nothing is known.
    pub(super) fn new(names: Vec<RelPath>) -> Self {
        Self { names, ..Self::default() }
    }

    /// Returns the areas that are attached.
    pub(super) fn attached(&self) -> Vec<RelPath> {
        self.names.iter().filter(|area| !self.is_detached(area)).cloned().collect()
    }

    /// Returns whether an area is away.
    pub(super) fn is_detached(&self, area: &RelPath) -> bool {
        self.detached.contains(area)
    }

    /// Returns the areas that are away.
    pub(super) fn detached(&self) -> &BTreeSet<RelPath> {
        &self.detached
    }

    /// Returns the area that a disk's answer is about. A full disk under the mill's own memory stops the stage that
    /// the asset is in.
    pub(super) fn of_trouble(&self, at: &RelPath, asset: &RelPath) -> RelPath {
        area_of_trouble(&self.names, at, asset)
    }

    /// Wants a look at all areas.
    pub(super) fn want_check(&mut self) {
        self.wants_check = true;
    }

    /// Returns the areas that are to be looked at now, if they are, and those of them that were away.
    pub(super) fn check_due(&mut self, now: Duration) -> Option<(Vec<RelPath>, Vec<RelPath>)> {
        if self.is_checking || !(self.wants_check || self.pauses.is_due(now)) {
            return None;
        }
        (self.is_checking, self.wants_check) = (true, false);
        Some((self.names.clone(), self.detached.iter().cloned().collect()))
    }

    /// Pauses an area; returns whether that is to be told.
    pub(super) fn pause(&mut self, area: &RelPath, why: &str, need: u64, cause: Cause, now: Duration) -> bool {
        self.pauses.pause(area, why.to_owned(), need, cause, now)
    }

    /// Pauses an area that is away; returns whether that is to be told.
    pub(super) fn detach(&mut self, area: &RelPath, why: &str, now: Duration) -> bool {
        self.detached.insert(area.clone());
        self.pause(area, why, 0, Cause::Seen, now)
    }

    /// Takes what a look at the areas showed; `free_min` bytes are to stay free on each disk.
    pub(super) fn checked(&mut self, found: Vec<Checked>, free_min: u64, now: Duration) -> Vec<AreaNews> {
        self.is_checking = false;
        found.into_iter().flat_map(|found| self.checked_one(found, free_min, now)).collect()
    }

    fn checked_one(&mut self, found: Checked, free_min: u64, now: Duration) -> Vec<AreaNews> {
        let area = found.area;
        let mut news = Vec::new();
        if let Err(detached) = &found.attached {
            let why = detached.to_string();
            news.extend(self.detach(&area, &why, now).then_some(AreaNews::Paused(area, why)));
            return news;
        }
        let need = self.pauses.need(&area);
        if let Some(why) = found.space.and_then(|space| lacks_room(space, need, free_min)) {
            let is_news = self.pause(&area, &why, need, Cause::Seen, now);
            news.extend(is_news.then(|| AreaNews::Paused(area.clone(), why)));
        } else if let Some(how) = self.pauses.resume(&area, now) {
            news.push(AreaNews::Resumed(area.clone(), how == Resumed::Over));
        }
        let before = found.mount.and_then(|mount| self.mounts.insert(area.clone(), mount));
        if self.detached.remove(&area) {
            news.push(AreaNews::Returned(area.clone(), found.returned));
        } else if before.is_some_and(|before| Some(before) != found.mount) {
            news.push(AreaNews::MountedAnew(area.clone()));
        }
        news.extend(found.is_remote.then_some(AreaNews::Remote(area)));
        news
    }

    /// Promises the disks' room to a plan that takes so many bytes in each area, if there is enough for it beside all
    /// that is in hand. `space` asks a disk.
    pub(super) fn promise(
        &mut self,
        need: &BTreeMap<RelPath, u64>,
        free_min: u64,
        space: &dyn Fn(&RelPath) -> Option<Space>,
        now: Duration,
    ) -> Result<Promise, NoRoom> {
        for (area, need) in need {
            let Some(space) = self.room(area, space, now) else { continue };
            let others = self.promised.get(area).copied().unwrap_or_default();
            let left = Space { free: space.free.saturating_sub(others), ..space };
            if lacks_room(left, *need, free_min).is_some() {
                let short = lacks_room(space, *need, free_min);
                let short = short.map(|why| NoRoom::Short(Short { area: area.clone(), why, need: *need }));
                return Err(short.unwrap_or(NoRoom::InHand));
            }
        }
        for (area, need) in need {
            *self.promised.entry(area.clone()).or_default() += need;
        }
        Ok(Promise(need.clone()))
    }

    /// Returns what is paused for a plan that has no room.
    pub(super) fn of_short(&self, short: Short, asset: &RelPath) -> (Short, Cause) {
        short.pauses(&self.names, asset)
    }

    /// Gives back what was promised.
    pub(super) fn give_back(&mut self, mut promise: Promise) {
        for (area, bytes) in std::mem::take(&mut promise.0) {
            if let Some(promised) = self.promised.get_mut(&area) {
                *promised = promised.saturating_sub(bytes);
            }
            // What was promised may be taken now.
            self.room.remove(&area);
        }
    }

    /// Returns how much room an area's disk had a moment ago.
    fn room(&mut self, area: &RelPath, space: &dyn Fn(&RelPath) -> Option<Space>, now: Duration) -> Option<Space> {
        if let Some((at, space)) = self.room.get(area)
            && now < *at + ROOM_AGE_MAX
        {
            return Some(*space);
        }
        let space = space(area)?;
        self.room.insert(area.clone(), (now, space));
        Some(space)
    }

    /// Takes note that work succeeded in some areas; returns those that are told to go on by that.
    pub(super) fn proved<'a>(&mut self, areas: impl Iterator<Item = &'a RelPath>) -> BTreeSet<RelPath> {
        if self.pauses.next_proven().is_none() {
            return BTreeSet::new();
        }
        let areas: BTreeSet<RelPath> = areas.map(RelPath::area_path).collect();
        areas.into_iter().filter(|area| self.pauses.prove(area)).collect()
    }
}

impl Part for Areas {
    fn wake(&self, now: Duration) -> Option<Duration> {
        let check = self.pauses.next().into_iter().chain(self.wants_check.then_some(now));
        check.filter(|_| !self.is_checking).chain(self.pauses.next_proven()).min()
    }

    fn left(&self, _: Duration) -> Left {
        let soon = if self.is_checking { Some(By::Answer) } else { self.wants_check.then_some(By::Time) };
        Left { soon, stuck: self.pauses.all().count() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::check;
    use super::*;
    use crate::vault::Detached;

    const MIB: u64 = 1 << 20;
    const NOW: Duration = Duration::from_secs(100);

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn areas() -> Areas {
        Areas::new(["keep", "raw"].map(path).to_vec())
    }

    fn space(free_mib: u64) -> Space {
        Space { free: free_mib * MIB, total: 100_000 * MIB, files: None }
    }

    fn found(free_mib: u64) -> Checked {
        Checked {
            area: path("raw"),
            attached: Ok(()),
            space: Some(space(free_mib)),
            mount: Some(1),
            is_remote: false,
            returned: Returned::default(),
        }
    }

    fn look(areas: &mut Areas, found: Checked, at: Duration) -> Vec<AreaNews> {
        assert!(areas.check_due(at).is_some() && areas.check_due(at).is_none(), "one look at a time");
        assert_eq!(check(areas, at).soon, Some(By::Answer));
        areas.checked(vec![found], 256 * MIB, at)
    }

    #[test]
    fn an_area_is_paused_for_as_long_as_it_is_away_or_full() {
        let mut areas = areas();
        areas.want_check();
        assert_eq!((check(&areas, NOW), areas.wake(NOW)), (Left::soon(By::Time), Some(NOW)));
        assert_eq!(look(&mut areas, found(1_000), NOW), []);
        assert_eq!((check(&areas, NOW), areas.check_due(NOW)), (Left::default(), None));

        areas.want_check();
        let away = Checked { attached: Err(Detached::Missing("/x".to_owned())), ..found(1_000) };
        assert!(matches!(&look(&mut areas, away, NOW)[..], [AreaNews::Paused(area, _)] if *area == path("raw")));
        assert_eq!((areas.attached(), areas.is_detached(&path("raw"))), (vec![path("keep")], true));
        assert_eq!(
            (check(&areas, NOW), areas.wake(NOW)),
            (Left { soon: None, stuck: 1 }, Some(NOW + Duration::from_secs(1)))
        );

        let back = [AreaNews::Resumed(path("raw"), true), AreaNews::Returned(path("raw"), Returned::default())];
        assert_eq!(look(&mut areas, found(1_000), NOW + Duration::from_secs(1)), back);
        areas.want_check();
        assert!(matches!(&look(&mut areas, found(9), NOW)[..], [AreaNews::Paused(_, why)] if why.contains("MiB free")));
        areas.want_check();
        assert_eq!(look(&mut areas, found(9), NOW), [], "it is told once");
    }

    #[test]
    fn a_mount_that_changed_and_one_without_events_are_told() {
        let mut areas = areas();
        for (mount, is_remote, expected) in [
            (Some(1), false, vec![]),
            (Some(2), false, vec![AreaNews::MountedAnew(path("raw"))]),
            (None, true, vec![AreaNews::Remote(path("raw"))]),
        ] {
            areas.want_check();
            assert_eq!(look(&mut areas, Checked { mount, is_remote, ..found(1_000) }, NOW), expected, "{mount:?}");
        }
    }

    #[test]
    fn room_is_promised_once() {
        let mut areas = areas();
        let need = |mib: u64| BTreeMap::from([(path("raw"), mib * MIB)]);
        let disk = |_: &RelPath| Some(space(1_000));
        let mut promise = |mib: u64| areas.promise(&need(mib), 256 * MIB, &disk, NOW);
        let (first, second, third) = (promise(500).unwrap(), promise(500).unwrap_err(), promise(200).unwrap());
        assert_eq!(second, NoRoom::InHand);
        // What has no room in any case has none because of the disk, and not of the work in hand.
        let NoRoom::Short(short) = promise(800).unwrap_err() else { panic!("nobody makes room for it") };
        assert_eq!((short.need, short.why.contains("1000 MiB free")), (800 * MIB, true), "{}", short.why);
        areas.give_back(first);
        let again = areas.promise(&need(500), 256 * MIB, &disk, NOW).unwrap();
        let unknown = areas.promise(&need(9_999), 0, &|_| None, NOW + ROOM_AGE_MAX).expect("nobody can tell");
        [third, again, unknown].into_iter().for_each(|promise| areas.give_back(promise));
        assert!(areas.promised.values().all(|bytes| *bytes == 0), "{:?}", areas.promised);
    }

    #[test]
    #[should_panic(expected = "not given back")]
    #[cfg(debug_assertions)]
    fn a_promise_that_is_forgotten_is_a_defect() {
        let need = BTreeMap::from([(path("raw"), MIB)]);
        drop(areas().promise(&need, 0, &|_| Some(space(1_000)), NOW));
    }

    #[test]
    fn what_a_refusal_paused_goes_on_when_work_succeeds() {
        let mut areas = areas();
        assert!(areas.pause(&path("raw"), "full", 0, Cause::Refusal, NOW));
        let later = NOW + Duration::from_secs(1);
        assert_eq!(look(&mut areas, found(1_000), later), [AreaNews::Resumed(path("raw"), false)]);
        let worked = [path("raw/t/a.png"), path("archive/a.png")];
        assert_eq!(areas.proved(worked.iter()), [path("raw")].into());
        assert!(areas.proved(worked.iter()).is_empty());
    }

    #[test]
    fn trouble_is_about_the_area_that_refused_or_the_asset_is_in() {
        let areas = areas();
        for (at, area) in [("keep/x", "keep"), (".stockmill/journal/1", "raw"), ("tagsets/a.yaml", "raw")] {
            assert_eq!(areas.of_trouble(&path(at), &path("raw/a.png")), path(area), "{at}");
        }
    }
}
