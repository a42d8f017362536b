use std::collections::BTreeMap;
use std::time::Duration;

/// The same line is not said again within this time.
const WINDOW: Duration = Duration::from_secs(60);

/// Makes the same error, a million times, one line with a count.
#[derive(Debug, Default)]
pub struct Repeats {
    said: BTreeMap<String, Said>,
}

#[derive(Debug)]
struct Said {
    at: Duration,
    unsaid: u64,
}

impl Repeats {
    /// Returns whether a line is to be said now; if not, it is counted.
    pub fn is_news(&mut self, line: &str, now: Duration) -> bool {
        if let Some(said) = self.said.get_mut(line) {
            said.unsaid += 1;
            return false;
        }
        self.said.insert(line.to_owned(), Said { at: now, unsaid: 0 });
        true
    }

    /// Returns the lines whose time is over and that came again meanwhile, with how often.
    pub fn over(&mut self, now: Duration) -> Vec<(String, u64)> {
        let is_over = |said: &Said| now >= said.at + WINDOW;
        let over: Vec<_> = self
            .said
            .iter()
            .filter(|(_, said)| is_over(said))
            .map(|(line, said)| (line.clone(), said.unsaid))
            .collect();
        self.said.retain(|_, said| !is_over(said));
        over.into_iter().filter(|(_, unsaid)| *unsaid > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_error_many_times_is_one_line_with_a_count() {
        let mut repeats = Repeats::default();
        let second = Duration::from_secs;
        assert!(repeats.is_news("a", second(0)) && repeats.is_news("b", second(0)));
        assert!((0..1000).all(|_| !repeats.is_news("a", second(1))));
        assert!(repeats.over(second(59)).is_empty());
        assert_eq!(repeats.over(second(60)), [("a".to_owned(), 1000)]);
        assert!(repeats.is_news("a", second(61)));
    }
}
