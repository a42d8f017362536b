//! Who is decided on when: workers are quick and slow, and names must not depend on that.

use std::collections::BTreeMap;
use std::time::Duration;

/// For so long the others wait for whose turn it is: its disk may never answer.
const TURN_MAX: Duration = Duration::from_secs(1);
/// The most that is begun beyond whose turn it is.
const AHEAD_MAX: u64 = 1024;

/// What was looked into before its turn, and whose turn it is.
#[derive(Debug)]
pub(super) struct Turns<T> {
    waiting: BTreeMap<u64, T>,
    begun: u64,
    turn: u64,
    until: Duration,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), begun: 0, turn: 0, until: Duration::ZERO }
    }
}

impl<T> Turns<T> {
    /// Returns whether more may be begun.
    pub(super) fn has_room(&self) -> bool {
        self.begun - self.turn < AHEAD_MAX
    }

    /// Gives turns to so many, and returns the number of the first.
    pub(super) fn begin(&mut self, count: usize) -> u64 {
        let first = self.begun;
        self.begun += count as u64;
        first
    }

    /// Takes those whose turns begin at `first`.
    pub(super) fn add(&mut self, first: u64, looks: Vec<T>, now: Duration) {
        if self.waiting.is_empty() {
            self.until = now + TURN_MAX;
        }
        self.waiting.extend((first..).zip(looks));
    }

    /// Returns who is next. Who comes after its turn is next at once.
    pub(super) fn next(&mut self, now: Duration) -> Option<T> {
        let first = self.waiting.first_entry()?;
        if *first.key() > self.turn && now < self.until {
            return None;
        }
        let (number, look) = first.remove_entry();
        self.turn = self.turn.max(number + 1);
        self.until = now + TURN_MAX;
        Some(look)
    }

    /// Returns until when the others wait for whose turn it is, if any do.
    pub(super) fn until(&self) -> Option<Duration> {
        (!self.waiting.is_empty()).then_some(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(turns: &mut Turns<char>, now: Duration) -> String {
        std::iter::from_fn(|| turns.next(now)).collect()
    }

    #[test]
    fn each_comes_in_turn_and_nobody_waits_for_ever() {
        let mut turns = Turns::default();
        let firsts = [turns.begin(2), turns.begin(2), turns.begin(1)];
        let second = Duration::from_secs(1);
        turns.add(firsts[1], vec!['c', 'd'], Duration::ZERO);
        assert_eq!(all(&mut turns, second / 2), "");
        turns.add(firsts[0], vec!['a', 'b'], second / 2);
        assert_eq!(all(&mut turns, second / 2), "abcd");
        assert_eq!(turns.until(), None);

        turns.begin(1);
        let (late, soon) = (firsts[2], turns.begin(1));
        turns.add(soon, vec!['z'], second);
        assert_eq!((all(&mut turns, second), turns.until()), (String::new(), Some(second * 2)));
        assert_eq!(all(&mut turns, second * 2), "z");
        turns.add(late, vec!['e'], second * 3);
        assert_eq!(all(&mut turns, second * 3), "e");
    }

    #[test]
    fn only_so_many_are_begun_ahead() {
        let mut turns = Turns::default();
        let first = turns.begin(usize::try_from(AHEAD_MAX).unwrap());
        assert!(!turns.has_room());
        turns.add(first, vec!['a'], Duration::ZERO);
        assert_eq!(all(&mut turns, Duration::ZERO), "a");
        assert!(turns.has_room());
    }
}
