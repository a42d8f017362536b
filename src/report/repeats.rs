use std::collections::BTreeMap;
use std::time::Duration;

/// A line is not written again within this time.
const WINDOW: Duration = Duration::from_secs(60);

/// Turns the repetitions of an error into one line with a count.
#[derive(Debug, Default)]
pub struct Repeats {
    lines: BTreeMap<String, Line>,
}

#[derive(Debug)]
struct Line {
    at: Duration,
    repeated: u64,
}

impl Repeats {
    /// Returns whether a line is to be written now; if not, it is counted.
    pub fn note(&mut self, line: &str, now: Duration) -> bool {
        if let Some(known) = self.lines.get_mut(line) {
            known.repeated += 1;
            return false;
        }
        self.lines.insert(line.to_owned(), Line { at: now, repeated: 0 });
        true
    }

    /// Returns the lines whose time is over and that were repeated meanwhile, each with its count.
    pub fn over(&mut self, now: Duration) -> Vec<(String, u64)> {
        let is_over = |line: &Line| now >= line.at + WINDOW;
        let over: Vec<_> = self
            .lines
            .iter()
            .filter(|(_, line)| is_over(line))
            .map(|(text, line)| (text.clone(), line.repeated))
            .collect();
        self.lines.retain(|_, line| !is_over(line));
        over.into_iter().filter(|(_, repeated)| *repeated > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_error_many_times_is_one_line_with_a_count() {
        let mut repeats = Repeats::default();
        let second = Duration::from_secs;
        assert!(repeats.note("a", second(0)) && repeats.note("b", second(0)));
        assert!((0..1000).all(|_| !repeats.note("a", second(1))));
        assert!(repeats.over(second(59)).is_empty());
        assert_eq!(repeats.over(second(60)), [("a".to_owned(), 1000)]);
        assert!(repeats.note("a", second(61)));
    }
}
