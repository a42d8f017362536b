//! Pauses that grow.

use std::time::Duration;

/// A pause that doubles with each try, until there was a calm of four pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backoff {
    first: Duration,
    max: Duration,
    pause: Duration,
    again: Duration,
}

impl Backoff {
    /// Returns a pause that has not begun: the first try may come at once.
    pub(super) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, pause: first, again: Duration::ZERO }
    }

    /// Takes note of a try that may have to be repeated: the next one comes after the pause.
    pub(super) fn tried(&mut self, now: Duration) {
        if now > self.again + self.pause * 4 {
            self.pause = self.first;
        }
        self.again = now + self.pause;
        self.pause = (self.pause * 2).min(self.max);
    }

    /// Begins anew with the shortest pause, since something came; never later than before.
    pub(super) fn hurry(&mut self, now: Duration) {
        self.again = self.again.min(now + self.first);
        self.pause = self.first;
    }

    /// Returns when the next try may come.
    pub(super) fn again(&self) -> Duration {
        self.again
    }

    /// Returns whether the next try may come now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.again <= now
    }
}

/// Returns the pause after so many tries, the first of which is number 1: twice `first`, then twice as long each time.
pub(super) fn growing(first: Duration, tries: u32, max: Duration) -> Duration {
    first.saturating_mul(1 << tries.min(16)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn pauses_double_and_begin_anew_after_a_calm() {
        let cases: [(&[u64], u64); 6] = [
            (&[1_000], 1_250),
            (&[1_000, 1_250], 1_750),
            (&[1_000, 1_250, 1_750, 2_750], 4_750),
            (&[1_000, 1_001, 1_002, 1_003, 1_004, 1_005], 5_005),
            // The pause that comes next is 500 ms: a calm is four of them after 1,250.
            (&[1_000, 3_250], 3_750),
            (&[1_000, 3_251], 3_501),
        ];
        for (tries, again) in cases {
            let mut backoff = Backoff::new(ms(250), ms(4_000));
            assert!(backoff.is_due(Duration::ZERO));
            tries.iter().for_each(|at| backoff.tried(ms(*at)));
            assert_eq!(backoff.again(), ms(again), "{tries:?}");
            assert!(!backoff.is_due(ms(again - 1)) && backoff.is_due(ms(again)), "{tries:?}");
        }
    }

    #[test]
    fn what_comes_shortens_the_pause_and_never_lengthens_it() {
        let mut backoff = Backoff::new(ms(100), ms(4_000));
        [1_000, 1_100, 1_300].into_iter().for_each(|at| backoff.tried(ms(at)));
        assert_eq!(backoff.again(), ms(1_700));
        backoff.hurry(ms(1_350));
        assert_eq!(backoff.again(), ms(1_450));
        backoff.hurry(ms(1_440));
        assert_eq!(backoff.again(), ms(1_450));
    }

    #[test]
    fn tries_are_repeated_after_growing_pauses() {
        let cases = [(1, 100), (2, 200), (5, 1_600), (9, 25_600), (10, 30_000), (u32::MAX, 30_000)];
        for (tries, pause) in cases {
            assert_eq!(growing(ms(50), tries, ms(30_000)), ms(pause), "{tries}");
        }
    }
}
