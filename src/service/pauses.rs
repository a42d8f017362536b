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

/// Areas that cannot be worked on at present: not there, not writable, full. What would go there
/// waits where it stands, and nothing is concluded from what is not there.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    paused: BTreeMap<RelPath, Pause>,
    /// The pauses that ended, and when: one that begins anew at once gets longer.
    ended: BTreeMap<RelPath, (Duration, Duration)>,
}

#[derive(Debug)]
struct Pause {
    why: String,
    step: Duration,
    again: Duration,
    /// How many bytes the work in hand wants.
    need: u64,
}

impl Pauses {
    /// Pauses an area; returns whether that is news.
    pub(super) fn pause(&mut self, area: &RelPath, why: String, need: u64, now: Duration) -> bool {
        if let Some(pause) = self.paused.get_mut(area) {
            let is_news = pause.why != why;
            pause.step = (pause.step * 2).min(STEP_MAX);
            (pause.why, pause.again, pause.need) = (why, now + pause.step, need);
            return is_news;
        }
        let (before, ended) = self.ended.remove(area).unwrap_or_default();
        let step = if now < ended + before * 4 { (before * 2).min(STEP_MAX) } else { STEP_MIN };
        self.paused.insert(area.clone(), Pause { why, step, again: now + step, need });
        true
    }

    /// Ends the pause of an area; returns whether there was one.
    pub(super) fn resume(&mut self, area: &RelPath, now: Duration) -> bool {
        let Some(pause) = self.paused.remove(area) else { return false };
        self.ended.insert(area.clone(), (pause.step, now));
        true
    }

    /// Returns whether some area is to be tried again now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.paused.values().any(|pause| pause.again <= now)
    }

    /// Returns when the next area is to be tried again.
    pub(super) fn next(&self) -> Option<Duration> {
        self.paused.values().map(|pause| pause.again).min()
    }

    /// Returns why an area is paused, if it is.
    pub(super) fn why(&self, area: &RelPath) -> Option<&str> {
        self.paused.get(area).map(|pause| pause.why.as_str())
    }

    /// Returns how many bytes the work wants that an area is paused for.
    pub(super) fn need(&self, area: &RelPath) -> u64 {
        self.paused.get(area).map_or(0, |pause| pause.need)
    }

    /// Returns why the assets of a stage must wait: it, or an area that they may go to, is paused.
    pub(super) fn why_stage(&self, stage: Stage) -> Option<String> {
        let next = stage.next().map(Stage::name);
        let areas = [Some(stage.name()), next, Some("archive"), Some("failed")];
        let mut paused = areas.into_iter().flatten().filter_map(|name| {
            let area = RelPath::new(name).expect("an area's name is clean");
            Some(format!("`{name}` is paused: {}", self.why(&area)?))
        });
        paused.next()
    }

    /// Returns the paused areas, each with the reason.
    pub(super) fn all(&self) -> impl Iterator<Item = (&RelPath, &str)> {
        self.paused.iter().map(|(area, pause)| (area, pause.why.as_str()))
    }
}

/// Returns why a disk has too little room for `need` more bytes, or `None` if it has enough. At least
/// `free_min` stay free, or a twentieth of a small disk.
pub(super) fn lacks_room(space: Space, need: u64, free_min: u64) -> Option<String> {
    let floor = free_min.min(space.total / FREE_SHARE_MAX);
    if space.free >= floor.saturating_add(need) {
        return None;
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
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

    #[test]
    fn a_pause_that_comes_back_at_once_gets_longer() {
        let area = RelPath::new("keep").unwrap();
        let mut pauses = Pauses::default();
        let mut now = Duration::ZERO;
        let mut steps = Vec::new();
        for _ in 0..7 {
            assert!(pauses.pause(&area, "full".to_owned(), 0, now));
            let again = pauses.next().unwrap();
            steps.push(again.saturating_sub(now).as_secs());
            now = again;
            assert!(pauses.is_due(now) && pauses.resume(&area, now));
        }
        assert_eq!(steps, [1, 2, 4, 8, 16, 30, 30]);
        now += Duration::from_secs(600);
        pauses.pause(&area, "full".to_owned(), 0, now);
        assert_eq!(pauses.next().unwrap().saturating_sub(now).as_secs(), 1);
        assert!(!pauses.pause(&area, "full".to_owned(), 0, now), "the same reason is no news");
        assert!(pauses.why_stage(Stage::Raw).is_some() && pauses.why_stage(Stage::Export).is_none());
    }

    #[test]
    fn room_is_kept_and_small_disks_can_be_used() {
        let space = |free, total| Space { free: free * MIB, total: total * MIB };
        assert_eq!(lacks_room(space(300, 100_000), 0, 256 * MIB), None);
        assert!(lacks_room(space(200, 100_000), 0, 256 * MIB).is_some());
        assert!(lacks_room(space(300, 100_000), 100 * MIB, 256 * MIB).unwrap().contains("wants 100"));
        assert_eq!(lacks_room(space(10, 100), 0, 256 * MIB), None);
        assert!(lacks_room(space(4, 100), 0, 256 * MIB).unwrap().contains("4 MiB free"));
    }
}
