//! What lies aside gets a second look: nobody lets go of it while somebody may still write to it.

use std::collections::HashMap;
use std::time::Duration;

use super::part::{By, Left, Part};
use crate::model::{Identity, RelPath};
use crate::vault::Aside;

/// The longest pause between two looks at a file that somebody has open.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// The most files that are looked at together.
const LOOKS_MAX: usize = 256;

/// Files that lie aside since a moment ago. Pure: the time and what a look showed are told to it.
#[derive(Debug)]
pub(super) struct SecondLooks {
    quiet: Duration,
    weak_quiet: Duration,
    waiting: HashMap<RelPath, Waiting>,
    is_looking: bool,
}

#[derive(Debug)]
struct Waiting {
    aside: Aside,
    seen: Option<Identity>,
    since: Duration,
    busy: u32,
    due: Duration,
    /// Whether time alone ends the wait.
    is_by_time: bool,
}

/// What a look at a file showed: its state, none if it is gone, and whether somebody has it open for writing.
pub(in crate::service) type Seen = (Option<Identity>, Option<bool>);

impl SecondLooks {
    /// Returns looks of which none is due.
    pub(super) fn new(quiet: Duration, weak_quiet: Duration) -> Self {
        Self { quiet, weak_quiet, waiting: HashMap::new(), is_looking: false }
    }

    /// Takes other quiet times; what waits goes on waiting.
    pub(super) fn reload(&mut self, quiet: Duration, weak_quiet: Duration) {
        (self.quiet, self.weak_quiet) = (quiet, weak_quiet);
    }

    /// Takes what was put aside now.
    pub(super) fn add(&mut self, asides: impl IntoIterator<Item = Aside>, now: Duration) {
        let due = now + self.quiet;
        let waiting = |aside| Waiting { aside, seen: None, since: now, busy: 0, due, is_by_time: true };
        self.waiting.extend(asides.into_iter().map(|aside| (aside.kept.clone(), waiting(aside))));
    }

    /// Returns the files that wait for their second look.
    pub(super) fn all(&self) -> impl Iterator<Item = &RelPath> {
        self.waiting.keys()
    }

    /// Takes out what is to be looked at now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Aside> {
        if self.is_looking {
            return Vec::new();
        }
        let due = self.waiting.values().filter(|waiting| waiting.due <= now);
        let due: Vec<Aside> = due.take(LOOKS_MAX).map(|waiting| waiting.aside.clone()).collect();
        self.is_looking = !due.is_empty();
        due
    }

    /// Takes what looks showed, `None` where the disk did not show it; returns those whose matter can be ended, which is
    /// to be done next.
    pub(super) fn looked_twice(&mut self, looks: Vec<(Aside, Option<Seen>)>, now: Duration) -> Vec<Aside> {
        let is_over = |(aside, seen): &(Aside, Option<Seen>)| self.looked(&aside.kept, *seen, now);
        let over: Vec<Aside> = looks.into_iter().filter(is_over).map(|(aside, _)| aside).collect();
        self.is_looking = !over.is_empty();
        over
    }

    /// Takes note that what lay aside is ended: it was let go of, or came back.
    pub(super) fn ended(&mut self, kept: &RelPath) {
        self.is_looking = false;
        self.waiting.remove(kept);
    }

    /// Takes note that the disk refused to end what lies aside: it is tried again.
    pub(super) fn not_ended(&mut self, kept: &RelPath, now: Duration) {
        self.is_looking = false;
        if let Some(waiting) = self.waiting.get_mut(kept) {
            (waiting.due, waiting.is_by_time) = (now + PAUSE_MAX, false);
        }
    }

    /// Takes what a look showed, none if the disk did not show it; returns whether the matter can be ended.
    fn looked(&mut self, kept: &RelPath, seen: Option<Seen>, now: Duration) -> bool {
        let Some(waiting) = self.waiting.get_mut(kept) else { return false };
        let (found, has_writer) = seen.unwrap_or((waiting.seen, Some(true)));
        if seen.is_some() && found.is_none() {
            return true;
        }
        if waiting.seen != found {
            // At the first look nobody knows since when it is as it is.
            waiting.since = if waiting.seen.is_some() { now } else { waiting.since };
            waiting.seen = found;
        }
        let quiet = match has_writer {
            Some(false) => self.quiet,
            Some(true) => {
                waiting.busy = (waiting.busy + 1).min(8);
                (waiting.due, waiting.is_by_time) =
                    (now + (self.quiet * 2_u32.pow(waiting.busy)).clamp(self.quiet, PAUSE_MAX), false);
                return false;
            }
            None => self.weak_quiet,
        };
        (waiting.due, waiting.is_by_time) = (waiting.since + quiet, true);
        waiting.due <= now
    }
}

impl Part for SecondLooks {
    fn wake(&self, _: Duration) -> Option<Duration> {
        self.waiting.values().map(|waiting| waiting.due).min().filter(|_| !self.is_looking)
    }

    fn left(&self, _: Duration) -> Left {
        let by_time = || self.waiting.values().any(|waiting| waiting.is_by_time);
        Left::soon(if self.is_looking { Some(By::Answer) } else { by_time().then_some(By::Time) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::check;
    use super::*;
    use crate::records::Remove;

    const QUIET: u64 = 250;
    const WEAK: u64 = 10_000;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn state(size: u64) -> Identity {
        Identity { device: 1, inode: 7, size, modified_ns: 0 }
    }

    /// Copied sources were removed at once where nobody could tell whether their writers were done.
    #[test]
    fn nothing_is_let_go_of_while_somebody_may_write() {
        // What each look shows (at ms, size, writer), and whether that is the end.
        type Case = &'static [(u64, u64, Option<bool>, bool)];
        let cases: [Case; 6] = [
            &[(250, 1, Some(false), true)],
            &[(250, 1, None, false), (9_999, 1, None, false), (10_000, 1, None, true)],
            &[(250, 1, Some(true), false), (60_000, 1, Some(true), false), (61_000, 1, Some(false), true)],
            &[(250, 1, Some(false), true), (300, 2, Some(false), false), (550, 2, Some(false), true)],
            &[(250, 1, None, false), (10_000, 2, None, false), (19_999, 2, None, false), (20_000, 2, None, true)],
            &[(250, 1, Some(true), false), (400, 2, Some(false), false), (650, 2, Some(false), true)],
        ];
        for (n, case) in cases.into_iter().enumerate() {
            let (mut looks, aside) = one_aside();
            for (at, size, writer, is_over) in case {
                let seen = Some((Some(state(*size)), *writer));
                assert_eq!(looks.looked(&aside, seen, ms(*at)), *is_over, "case {n} at {at} ms");
                assert!(
                    *is_over || looks.wake(Duration::ZERO).is_some_and(|next| next > ms(*at)),
                    "case {n} at {at} ms"
                );
            }
        }
    }

    #[test]
    fn looks_are_begun_when_they_are_due_and_one_after_the_other() {
        let (mut looks, aside) = one_aside();
        assert!(looks.due(ms(QUIET - 1)).is_empty());
        assert_eq!(looks.due(ms(QUIET)).len(), 1);
        assert_eq!(check(&looks, ms(QUIET)).soon, Some(By::Answer));
        assert!(looks.due(ms(QUIET)).is_empty(), "a look is under way");
        looks.not_ended(&aside, ms(QUIET));
        assert_eq!(looks.wake(ms(QUIET)), Some(ms(QUIET) + PAUSE_MAX));
        looks.ended(&aside);
        assert_eq!((check(&looks, ms(QUIET)), looks.wake(ms(QUIET))), (Left::default(), None));
    }

    /// Whoever is over is ended next; nothing else is looked at until then.
    #[test]
    fn the_next_look_may_begin_once_nothing_is_to_be_ended() {
        // (what the look shows, how many are over, when the next look is due; `None` while one is under way)
        let rows = [
            (None, 0, Some(ms(1_000) + ms(QUIET * 2))),
            (Some((Some(state(1)), Some(true))), 0, Some(ms(1_000) + ms(QUIET * 2))),
            (Some((Some(state(1)), None)), 0, Some(ms(WEAK))),
            (Some((Some(state(1)), Some(false))), 1, None),
            (Some((None, None)), 1, None),
        ];
        for (seen, over, next) in rows {
            let (mut looks, _) = one_aside();
            let aside = looks.due(ms(QUIET)).remove(0);
            assert_eq!(looks.looked_twice(vec![(aside, seen)], ms(1_000)).len(), over, "{seen:?}");
            assert_eq!(looks.wake(ms(1_000)), next, "{seen:?}");
            assert_eq!(check(&looks, ms(1_000)).soon == Some(By::Answer), next.is_none(), "{seen:?}");
        }
    }

    #[test]
    fn what_is_gone_is_over_and_what_cannot_be_seen_is_not() {
        let (mut looks, aside) = one_aside();
        assert!(!looks.looked(&aside, None, ms(60_000)));
        assert!(check(&looks, ms(60_000)).soon.is_none(), "nobody need wait for a disk that refuses");
        assert!(looks.looked(&aside, Some((None, None)), ms(60_001)));
    }

    fn one_aside() -> (SecondLooks, RelPath) {
        let path = |text: &str| RelPath::new(text).unwrap();
        let kept = path(".stockmill/trash/1-0");
        let gone = Remove {
            path: path("raw/a.png"),
            seen: state(1),
            aside: Some(kept.clone()),
            copied_to: Some(path("keep/a.png")),
        };
        let mut looks = SecondLooks::new(ms(QUIET), ms(WEAK));
        let intent = crate::records::Intent {
            plan: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            claims: false,
            about: crate::records::About::new(crate::model::Stage::Raw, ""),
            publish: Vec::new(),
            moves: Vec::new(),
            removes: vec![gone],
        };
        looks.add(Aside::of_intent(&intent), Duration::ZERO);
        assert_eq!(looks.wake(Duration::ZERO), Some(ms(QUIET)));
        (looks, kept)
    }
}
