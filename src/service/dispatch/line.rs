//! What lies in `upload` and waits until all of it was seen, where not all may go: then the first in rank goes first.

use std::time::Duration;

use super::part::{By, Left, Part};
use crate::intake::Still;
use crate::model::RelPath;
use crate::plan::Facts;

/// For so long what waits is not decided on while more is found.
const LINE_MAX: Duration = Duration::from_secs(30);

/// Assets in line.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: Vec<InLine>,
    /// Since when the first of them waits.
    since: Duration,
}

/// An asset in line.
#[derive(Debug)]
pub(super) enum InLine {
    /// It stands still, and nobody looked into it.
    Ready(Box<Still>),
    /// It is known, and is decided on anew.
    Known(Box<Facts>),
}

impl InLine {
    /// Returns where it lies, and since when.
    pub(super) fn place(&self) -> (&RelPath, i64) {
        match self {
            Self::Ready(still) => {
                let primary = &still.candidate().primary;
                (&primary.path, primary.entry.changed_ns)
            }
            Self::Known(facts) => (&facts.path, facts.dropped_ns),
        }
    }
}

impl Line {
    /// Takes an asset.
    pub(super) fn add(&mut self, asset: InLine, now: Duration) {
        if self.waiting.is_empty() {
            self.since = now;
        }
        self.waiting.push(asset);
    }

    /// Returns how many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns all that wait once all of the stage was seen (`is_whole`), or after a while; the lowest `rank` first, and
    /// of the same rank the oldest.
    pub(super) fn take(&mut self, is_whole: bool, now: Duration, mut rank: impl FnMut(&RelPath) -> i64) -> Vec<InLine> {
        if !is_whole && now < self.since + LINE_MAX {
            return Vec::new();
        }
        let mut taken = std::mem::take(&mut self.waiting);
        taken.sort_by_cached_key(|asset| {
            let (path, since_ns) = asset.place();
            (rank(path), since_ns, path.clone())
        });
        taken
    }
}

impl Part for Line {
    fn wake(&self, _: Duration) -> Option<Duration> {
        // The end of a walk wakes the dispatcher before.
        (!self.waiting.is_empty()).then_some(self.since + LINE_MAX)
    }

    fn left(&self, _: Duration) -> Left {
        Left::soon((!self.waiting.is_empty()).then_some(By::Time))
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::check;
    use super::*;
    use crate::model::{Identity, Stage};

    #[test]
    fn who_is_first_in_rank_goes_first_and_nobody_waits_for_ever() {
        let second = Duration::from_secs(1);
        let asset = |name: &str, since_ns| {
            let path = RelPath::new(format!("upload/{name}")).unwrap();
            let seen = Identity { device: 1, inode: 1, size: 1, modified_ns: 0 };
            InLine::Known(Box::new(Facts::bare(path, Stage::Upload, seen, since_ns)))
        };
        let rank = |path: &RelPath| i64::from(path.as_path().starts_with("upload/late"));
        let mut line = Line::default();
        assert_eq!((check(&line, second), line.len()), (Left::default(), 0));
        for (name, since_ns) in [("late/a", 1), ("soon/b", 9), ("soon/c", 3), ("late/d", 1), ("soon/a", 9)] {
            line.add(asset(name, since_ns), second);
        }
        assert_eq!(check(&line, second).soon, Some(By::Time));
        assert!(line.take(false, second * 30, rank).is_empty());
        let names =
            |taken: Vec<InLine>| -> Vec<String> { taken.iter().map(|asset| asset.place().0.to_string()).collect() };
        let expected = ["soon/c", "soon/a", "soon/b", "late/a", "late/d"].map(|name| format!("upload/{name}"));
        assert_eq!(names(line.take(true, second * 2, rank)), expected);
        line.add(asset("soon/b", 1), second * 40);
        assert!(line.take(false, second * 69, rank).is_empty());
        assert_eq!(line.take(false, second * 70, rank).len(), 1);
    }
}
