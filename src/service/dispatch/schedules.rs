//! When a gate that opens by its schedule is looked at, so that what it keeps waiting need not be.

use std::collections::BTreeMap;
use std::time::Duration;

use super::part::{Left, Part};
use crate::model::Stage;
use crate::service::decide::GateShut;

/// How often the gates are looked at: their limits change with what leaves, and the clock may be set.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What the gates with a schedule said last.
#[derive(Debug, Default)]
pub(super) struct Schedules {
    /// Why each is shut, if it is.
    said: BTreeMap<Stage, Option<String>>,
    next: Duration,
}

impl Schedules {
    /// Returns whether the gates are to be looked at now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.next <= now
    }

    /// Takes what each gate with a schedule says; returns the stages whose gate is open, or is shut for another reason
    /// than before: what it kept waiting is decided anew. One that is open may have been shut since the last look.
    pub(super) fn looked(&mut self, said: Vec<(Stage, Result<(), GateShut>)>, now: Duration) -> Vec<Stage> {
        let opens = said.iter().filter_map(|(_, said)| said.as_ref().err()?.opens_in);
        self.next = now + opens.min().map_or(LOOK_EVERY, |left| left.clamp(Duration::from_millis(1), LOOK_EVERY));
        let said: BTreeMap<Stage, Option<String>> =
            said.into_iter().map(|(stage, said)| (stage, said.err().map(|shut| shut.why))).collect();
        let before = std::mem::replace(&mut self.said, said);
        let is_other = |(stage, why): &(&Stage, &Option<String>)| {
            why.is_none() || before.get(stage).is_some_and(|before| before != *why)
        };
        self.said.iter().filter(is_other).map(|(stage, _)| *stage).collect()
    }
}

impl Part for Schedules {
    fn wake(&self, _: Duration) -> Option<Duration> {
        (!self.said.is_empty()).then_some(self.next)
    }

    fn left(&self, _: Duration) -> Left {
        // Nobody waits for a gate.
        Left::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::check;
    use super::*;

    const fn s(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn shut(why: &str, opens_in: Option<u64>) -> Vec<(Stage, Result<(), GateShut>)> {
        vec![(Stage::Keep, Err(GateShut { why: why.to_owned(), opens_in: opens_in.map(s) }))]
    }

    #[test]
    fn what_waits_is_decided_anew_when_its_gate_is_open_or_says_something_else() {
        let open = || vec![(Stage::Keep, Ok(()))];
        let mut schedules = Schedules::default();
        assert!(schedules.is_due(s(0)) && schedules.wake(s(0)).is_none());
        // (what it says, whether that is new, when it is looked at again)
        let rows = [
            (shut("opens on Friday", Some(900)), false, 30),
            (shut("opens on Friday", Some(870)), false, 60),
            (shut("opens on Friday", Some(7)), false, 67),
            (open(), true, 97),
            (shut("lets 3 through", None), true, 127),
            (shut("lets 3 through", None), false, 157),
            (shut("opens on Monday", Some(0)), true, 157),
            (vec![], false, 187),
            (open(), true, 217),
            (open(), true, 247),
        ];
        let mut now = s(0);
        for (n, (said, is_new, next)) in rows.into_iter().enumerate() {
            assert_eq!(!schedules.looked(said, now).is_empty(), is_new, "row {n}");
            now = now.max(schedules.next);
            assert_eq!(now.as_secs(), next, "row {n}");
            assert_eq!(check(&schedules, now), Left::default());
        }
    }
}
