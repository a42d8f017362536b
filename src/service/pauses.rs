use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{RelPath, Stage};
use crate::vault::Space;

/// The shortest pause before an area is tried again.
const STEP_MIN: Duration = Duration::from_secs(1);
/// The longest one: whoever mounts a disk or makes room must not wait long.
const STEP_MAX: Duration = Duration::from_secs(30);
/// No more than this share of a disk is kept free, or small disks could not be used at all.
const FREE_SHARE_MAX: u64 = 20;

/// With fewer free inodes, no batch can be carried out.
const FILES_MIN: u64 = 16;

/// Areas that cannot be worked on at present: not there, not writable, full. What would go there
/// waits where it stands, and nothing is concluded from what is not there.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    paused: BTreeMap<RelPath, Pause>,
    /// The pauses that ended: one that begins anew at once gets longer.
    ended: BTreeMap<RelPath, Ended>,
}

/// What begins a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A look at the area shows it, and will show that it is over.
    Seen,
    /// The disk refused work, and a look shows nothing: it is over once work succeeds again.
    Refusal,
}

#[derive(Debug)]
struct Pause {
    why: String,
    cause: Cause,
    since: Duration,
    step: Duration,
    again: Duration,
    /// How many bytes the work in hand wants.
    need: u64,
}

#[derive(Debug)]
struct Ended {
    why: String,
    step: Duration,
    at: Duration,
    /// Whether it is known that it is over, and told.
    is_over: bool,
}

impl Ended {
    /// Returns until when work must have gone on for the pause to be over.
    fn proven(&self) -> Duration {
        self.at + self.step * 4
    }
}

/// How a pause ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resumed {
    /// It is over.
    Over,
    /// Work is tried; [`Pauses::proven`] tells when it went well.
    Trial,
}

impl Pauses {
    /// Pauses an area; returns whether that is news.
    pub(super) fn pause(&mut self, area: &RelPath, why: String, need: u64, cause: Cause, now: Duration) -> bool {
        if let Some(pause) = self.paused.get_mut(area) {
            // What is refused of a paused area was begun before; a look knows better than that.
            if cause == Cause::Refusal {
                return false;
            }
            // In other words only, it is the same pause.
            let is_news = pause.why != why && pause.cause == Cause::Seen;
            pause.step = (pause.step * 2).min(STEP_MAX);
            (pause.why, pause.again, pause.need, pause.cause) = (why, now + pause.step, need, cause);
            return is_news;
        }
        let ended = self.ended.remove(area).filter(|ended| now < ended.proven());
        let step = ended.as_ref().map_or(STEP_MIN, |ended| (ended.step * 2).min(STEP_MAX));
        let is_news = ended.is_none_or(|ended| ended.is_over || ended.why != why);
        self.paused.insert(area.clone(), Pause { why, cause, since: now, step, again: now + step, need });
        is_news
    }

    /// Ends the pause of an area that looks as it should; `None` if there was none, or if work was refused
    /// a moment ago for a reason that no look shows.
    pub(super) fn resume(&mut self, area: &RelPath, now: Duration) -> Option<Resumed> {
        let how = match self.paused.get(area)?.cause {
            Cause::Seen => Resumed::Over,
            Cause::Refusal if self.paused.get(area)?.again > now => return None,
            Cause::Refusal => Resumed::Trial,
        };
        let Pause { why, step, .. } = self.paused.remove(area)?;
        self.ended.insert(area.clone(), Ended { why, step, at: now, is_over: how == Resumed::Over });
        Some(how)
    }

    /// Takes note that work succeeded in an area; returns whether that ends a trial.
    pub(super) fn prove(&mut self, area: &RelPath) -> bool {
        self.ended.get_mut(area).is_some_and(|ended| !std::mem::replace(&mut ended.is_over, true))
    }

    /// Returns the areas in which work was tried and not refused for long enough.
    pub(super) fn proven(&mut self, now: Duration) -> Vec<RelPath> {
        let fresh = self.ended.iter_mut().filter(|(_, ended)| !ended.is_over && now >= ended.proven());
        fresh
            .map(|(area, ended)| {
                ended.is_over = true;
                area.clone()
            })
            .collect()
    }

    /// Returns whether some area is to be tried again now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.paused.values().any(|pause| pause.again <= now)
    }

    /// Returns when the next area is to be tried again.
    pub(super) fn next(&self) -> Option<Duration> {
        self.paused.values().map(|pause| pause.again).min()
    }

    /// Returns when the next trial is over.
    pub(super) fn next_proven(&self) -> Option<Duration> {
        self.ended.values().filter(|ended| !ended.is_over).map(Ended::proven).min()
    }

    /// Returns why an area is paused, if it is.
    pub(super) fn why(&self, area: &RelPath) -> Option<&str> {
        self.paused.get(area).map(|pause| pause.why.as_str())
    }

    /// Returns since when an area is paused, if it is.
    pub(super) fn since(&self, area: &RelPath) -> Option<Duration> {
        self.paused.get(area).map(|pause| pause.since)
    }

    /// Returns how many bytes the work wants that an area is paused for.
    pub(super) fn need(&self, area: &RelPath) -> u64 {
        self.paused.get(area).map_or(0, |pause| pause.need)
    }

    /// Returns why the assets of a stage must wait: it, or an area that they may go to, is paused. What lies in a stage
    /// goes on if only the next file has no room there: that makes room.
    pub(super) fn why_stage(&self, stage: Stage) -> Option<String> {
        let next = stage.next().map(Stage::name);
        let areas = [Some(stage.name()), next, Some("archive"), Some("failed")];
        let mut paused = areas.into_iter().flatten().filter_map(|name| {
            let area = RelPath::new(name).expect("an area's name is clean");
            let pause = self.paused.get(&area).filter(|pause| pause.need == 0 || name != stage.name())?;
            Some(format!("`{name}` is paused: {}", pause.why))
        });
        paused.next()
    }

    /// Returns the paused areas, each with the reason.
    pub(super) fn all(&self) -> impl Iterator<Item = (&RelPath, &str)> {
        self.paused.iter().map(|(area, pause)| (area, pause.why.as_str()))
    }
}

/// Why a plan has no room.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Short {
    pub(super) area: RelPath,
    pub(super) why: String,
    pub(super) need: u64,
}

impl Short {
    /// Returns what is paused for it. Nobody looks at the disk of the mill's own memory: if that one is full, the
    /// stage of the asset is paused until work is tried again.
    pub(super) fn pauses(self, areas: &[RelPath], asset: &RelPath) -> (Self, Cause) {
        let area = area_of_trouble(areas, &self.area, asset);
        if area == self.area {
            return (self, Cause::Seen);
        }
        let why = format!("`{}`, where the mill keeps its own records: {}", self.area, self.why);
        (Self { area, why, need: 0 }, Cause::Refusal)
    }
}

/// Returns the area that a disk's answer about a path is about, or that of the asset if it is about no area.
pub(super) fn area_of_trouble(areas: &[RelPath], at: &RelPath, asset: &RelPath) -> RelPath {
    Some(at.area_path()).filter(|area| areas.contains(area)).unwrap_or_else(|| asset.area_path())
}

/// Returns why a disk has too little room for `need` more bytes, or `None` if it has enough. At least
/// `free_min` stay free, or a twentieth of a small disk.
pub(super) fn lacks_room(space: Space, need: u64, free_min: u64) -> Option<String> {
    if space.files.is_some_and(|files| files < FILES_MIN) {
        let why = "its disk has room, but no inodes are left: it can hold no more files; remove some there";
        return Some(format!("{why}, and it goes on by itself"));
    }
    let floor = free_min.min(space.total / FREE_SHARE_MAX);
    if space.free >= floor.saturating_add(need) {
        return None;
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    if space.total < floor.saturating_add(need) {
        let (total, need) = (space.total >> 20, mib(need));
        return Some(format!(
            "its disk has {total} MiB in all, and the next file wants {need}; use a larger one for it"
        ));
    }
    let wanted = if need > 0 { format!(", the next file wants {}", mib(need)) } else { String::new() };
    Some(format!(
        "its disk has {} MiB free{wanted}, and {} stay free (`work.free_mib_min`); make room, and it goes on by itself",
        space.free >> 20,
        mib(floor)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// A stage without room for the next file kept what it held, too, and so never got room.
    #[test]
    fn a_stage_without_room_for_the_next_file_is_emptied() {
        let export = RelPath::new("export").unwrap();
        // (bytes that are wanted, whether each stage is told to wait)
        for (need, waits) in [(0, [false, true, true, false]), (17 * MIB, [false, true, false, false])] {
            let mut pauses = Pauses::default();
            pauses.pause(&export, "no room".to_owned(), need, Cause::Seen, Duration::ZERO);
            let stages = [Stage::Raw, Stage::Keep, Stage::Export, Stage::Upload];
            assert_eq!(stages.map(|stage| pauses.why_stage(stage).is_some()), waits, "{need}");
        }
    }

    #[test]
    fn a_pause_that_comes_back_at_once_gets_longer() {
        let area = RelPath::new("keep").unwrap();
        let mut pauses = Pauses::default();
        let mut now = Duration::ZERO;
        let mut steps = Vec::new();
        for _ in 0..7 {
            assert!(pauses.pause(&area, "full".to_owned(), 0, Cause::Seen, now));
            let again = pauses.next().unwrap();
            steps.push(again.saturating_sub(now).as_secs());
            now = again;
            assert!(pauses.is_due(now) && pauses.resume(&area, now) == Some(Resumed::Over));
        }
        assert_eq!(steps, [1, 2, 4, 8, 16, 30, 30]);
        now += Duration::from_secs(600);
        pauses.pause(&area, "full".to_owned(), 0, Cause::Seen, now);
        assert_eq!(pauses.next().unwrap().saturating_sub(now).as_secs(), 1);
        assert!(!pauses.pause(&area, "full".to_owned(), 0, Cause::Seen, now), "the same reason is no news");
        assert!(pauses.why_stage(Stage::Raw).is_some() && pauses.why_stage(Stage::Export).is_none());
    }

    #[test]
    fn a_refusal_that_no_look_shows_is_told_once_and_tried_less_and_less() {
        let area = RelPath::new("keep").unwrap();
        let second = Duration::from_secs;
        let refuse = |pauses: &mut Pauses, now| pauses.pause(&area, "no".to_owned(), 0, Cause::Refusal, now);
        let mut pauses = Pauses::default();
        let (mut now, mut told, mut trials) = (second(100), 0, 0);
        while now < second(400) {
            told += u32::from(refuse(&mut pauses, now));
            assert_eq!(pauses.resume(&area, now), None, "a look right after it proves nothing");
            now = pauses.next().unwrap();
            assert_eq!(pauses.resume(&area, now), Some(Resumed::Trial));
            trials += 1;
        }
        assert_eq!((told, trials), (1, 14));
        assert!(pauses.proven(now).is_empty());
        let over = pauses.next_proven().unwrap();
        assert_eq!(pauses.proven(over), std::slice::from_ref(&area));
        assert_eq!((pauses.proven(over), pauses.next_proven()), (vec![], None));
        assert!(refuse(&mut pauses, over + second(1)), "after that it is news");
        let again = pauses.next().unwrap();
        assert_eq!(pauses.resume(&area, again), Some(Resumed::Trial));
        assert!(pauses.prove(&area) && !pauses.prove(&area), "work that succeeds ends it at once");
    }

    #[test]
    fn room_is_kept_and_small_disks_can_be_used() {
        let space = |free, total| Space { free: free * MIB, total: total * MIB, files: Some(1000) };
        assert_eq!(lacks_room(space(300, 100_000), 0, 256 * MIB), None);
        assert!(lacks_room(space(200, 100_000), 0, 256 * MIB).is_some());
        assert!(lacks_room(space(300, 100_000), 100 * MIB, 256 * MIB).unwrap().contains("wants 100"));
        assert_eq!(lacks_room(space(10, 100), 0, 256 * MIB), None);
        assert!(lacks_room(space(4, 100), 0, 256 * MIB).unwrap().contains("4 MiB free"));
        assert!(lacks_room(space(90, 100), 96 * MIB, 256 * MIB).unwrap().contains("100 MiB in all"));
        let crowded = Space { files: Some(3), ..space(300, 1000) };
        assert!(lacks_room(crowded, 0, 256 * MIB).unwrap().contains("no inodes"));
        assert_eq!(lacks_room(Space { files: None, ..crowded }, 0, 256 * MIB), None);
    }
}
