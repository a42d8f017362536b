//! Whether events come from each stage, and what is done about those from which none come.

use std::collections::BTreeMap;
use std::time::Duration;

use super::backoff::Backoff;
use super::part::{By, Left, Part};
use crate::model::RelPath;

/// How long the event of a probe file may take.
const PROBE_PATIENCE: Duration = Duration::from_secs(2);
/// How often a stage without events is looked at: often after a change, and less and less while nothing comes.
const POLL_MIN: Duration = Duration::from_secs(2);
const POLL_MAX: Duration = Duration::from_secs(30);
/// How long hints may wait while there is work: each wakes the dispatcher otherwise.
const HINT_PAUSE: Duration = Duration::from_millis(2);

/// Whether events come from the stages.
#[derive(Debug, Default)]
pub(super) struct WatchHealth {
    polls: BTreeMap<RelPath, Poll>,
    /// Stages whose probe was not heard of yet, and until when it may be.
    probed: Vec<RelPath>,
    probe_until: Option<Duration>,
    /// Whether some folder could not be watched.
    is_partial: bool,
    /// When the hints are to be taken that wait.
    hints_due: Option<Duration>,
    /// Whether anything is watched at all.
    listens: bool,
}

/// A stage that is looked at again and again, since no events come from it.
#[derive(Debug, Clone, Copy)]
struct Poll {
    pause: Backoff,
    /// Whether its file system tells no events at all.
    is_remote: bool,
}

impl Poll {
    fn new(now: Duration, is_remote: bool) -> Self {
        let mut pause = Backoff::new(POLL_MIN, POLL_MAX);
        if is_remote {
            pause.tried(now);
        }
        Self { pause, is_remote }
    }
}

impl WatchHealth {
    /// Returns that nothing was heard yet; `listens` tells whether anything will be watched.
    pub(super) fn new(listens: bool) -> Self {
        Self { listens, ..Self::default() }
    }

    /// Takes note that hints wait.
    pub(super) fn hinted(&mut self, now: Duration, is_busy: bool) {
        self.hints_due = Some(now + if is_busy { HINT_PAUSE } else { Duration::ZERO });
    }

    /// Returns whether the hints are to be taken now, and takes note that they are.
    pub(super) fn takes_hints(&mut self, now: Duration) -> bool {
        self.hints_due.take_if(|due| *due <= now).is_some()
    }

    /// Returns the stages that a probe is put into, of those that are attached: a file whose event must come.
    pub(super) fn probe(&mut self, attached: Vec<RelPath>, now: Duration) -> Vec<RelPath> {
        if !self.listens {
            return Vec::new();
        }
        self.probed = attached.into_iter().filter(|area| !self.polls.contains_key(area)).collect();
        self.probe_until = Some(now + PROBE_PATIENCE);
        self.probed.clone()
    }

    /// Takes note that the event of a stage's probe came; it may only have been late.
    pub(super) fn heard(&mut self, area: &RelPath) {
        self.probed.retain(|probed| probed != area);
        self.polls.retain(|polled, poll| poll.is_remote || polled != area);
    }

    /// Returns the stages that were found to be silent now; from now on they are polled.
    pub(super) fn silent(&mut self, now: Duration, is_away: &dyn Fn(&RelPath) -> bool) -> Vec<RelPath> {
        if self.probe_until.take_if(|until| *until <= now).is_none() {
            return Vec::new();
        }
        let silent: Vec<RelPath> = self.probed.drain(..).filter(|area| !is_away(area)).collect();
        self.polls.extend(silent.iter().map(|area| (area.clone(), Poll::new(now, false))));
        silent
    }

    /// Returns the silent stages that are to be looked at now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<RelPath> {
        let due = self.polls.iter_mut().filter(|(_, poll)| poll.pause.is_due(now));
        due.map(|(area, poll)| {
            poll.pause.tried(now);
            area.clone()
        })
        .collect()
    }

    /// Looks more often at a silent stage after something came.
    pub(super) fn busy(&mut self, area: &RelPath, now: Duration) {
        if let Some(poll) = self.polls.get_mut(area) {
            poll.pause.hurry(now);
        }
    }

    /// Polls a stage whose file system tells no events.
    pub(super) fn remote(&mut self, area: RelPath, now: Duration) {
        self.polls.entry(area).or_insert_with(|| Poll::new(now, true));
    }

    /// Takes note that some folder cannot be watched; returns whether that is news.
    pub(super) fn note_partial(&mut self) -> bool {
        !std::mem::replace(&mut self.is_partial, true)
    }

    /// Returns whether no events come from a stage, so that it is polled.
    pub(super) fn is_silent(&self, area: &RelPath) -> bool {
        self.polls.contains_key(area)
    }

    /// Returns whether every folder is watched whose events come.
    pub(super) fn is_whole(&self) -> bool {
        self.listens && !self.is_partial
    }
}

impl Part for WatchHealth {
    fn wake(&self, _: Duration) -> Option<Duration> {
        let polls = self.polls.values().map(|poll| poll.pause.again());
        polls.chain(self.probe_until).chain(self.hints_due).min()
    }

    fn left(&self, _: Duration) -> Left {
        Left::soon(self.hints_due.map(|_| By::Time))
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::check;
    use super::*;

    const fn s(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    #[test]
    fn hints_wait_a_moment_while_there_is_work() {
        for (is_busy, due) in [(false, Duration::ZERO), (true, HINT_PAUSE)] {
            let mut watch = WatchHealth::new(true);
            watch.hinted(Duration::ZERO, is_busy);
            assert_eq!((check(&watch, s(0)), watch.wake(s(0))), (Left::soon(By::Time), Some(due)));
            assert_eq!(watch.takes_hints(Duration::ZERO), !is_busy);
            assert_eq!(watch.takes_hints(HINT_PAUSE), is_busy, "they are taken once");
            assert_eq!((check(&watch, s(0)), watch.wake(s(0))), (Left::default(), None));
        }
    }

    #[test]
    fn a_stage_whose_probe_is_not_heard_of_is_polled_until_it_is() {
        let mut watch = WatchHealth::new(true);
        let areas = ["keep", "raw", "upload"].map(path).to_vec();
        assert_eq!(watch.probe(areas.clone(), s(10)), areas);
        watch.heard(&path("raw"));
        assert!(watch.silent(s(11), &|_| false).is_empty() && watch.wake(s(11)) == Some(s(12)));
        assert_eq!(watch.silent(s(12), &|area| *area == path("upload")), [path("keep")]);
        assert_eq!(watch.due(s(12)), [path("keep")]);
        // Less and less often, and soon again after something came.
        for at in [14, 18, 26, 42, 72, 102] {
            assert!(watch.due(Duration::from_millis(at * 1_000 - 1)).is_empty(), "{at}");
            assert_eq!(watch.due(s(at)), [path("keep")], "{at}");
        }
        watch.busy(&path("keep"), s(110));
        assert_eq!(watch.wake(s(110)), Some(s(112)));
        assert!(watch.probe(areas, s(110)).len() == 2, "it is not probed meanwhile");
        watch.heard(&path("keep"));
        assert!(watch.due(s(500)).is_empty());
    }

    #[test]
    fn a_remote_stage_is_polled_for_good() {
        let mut watch = WatchHealth::new(true);
        watch.remote(path("raw"), s(0));
        watch.remote(path("raw"), s(1));
        assert!(watch.is_silent(&path("raw")) && !watch.is_silent(&path("keep")));
        watch.heard(&path("raw"));
        assert_eq!((watch.due(s(1)), watch.due(s(2))), (vec![], vec![path("raw")]));
    }

    #[test]
    fn who_does_not_listen_is_not_deaf() {
        let mut watch = WatchHealth::new(false);
        assert!(watch.probe(vec![path("raw")], s(0)).is_empty() && !watch.is_whole());
        assert!(watch.silent(s(9), &|_| false).is_empty());
    }

    #[test]
    fn that_a_folder_is_not_watched_is_news_once() {
        let mut watch = WatchHealth::new(true);
        assert!(watch.is_whole() && watch.note_partial() && !watch.note_partial() && !watch.is_whole());
    }
}
