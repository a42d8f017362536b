//! What wants to go to markets where not all may go: it waits until all of it is known, and then the first in order goes first.

use std::time::Duration;

use super::part::{By, Left, Part};
use crate::intake::{Now, Still};
use crate::model::{MarketName, ThemeSlug};
use crate::plan::{Arrival, BundleName, Facts, Place, theme_of_path};

/// For so long what waits is not decided on while more is found.
const LINE_MAX: Duration = Duration::from_secs(30);

/// Assets in line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Those that stand still, and that nobody looked into.
    unread: Vec<Still>,
    known: Vec<InLine>,
    /// Since when the first of them waits.
    since: Duration,
}

/// An asset that is known, and waits to be decided on.
#[derive(Debug)]
pub(super) enum InLine {
    /// It lies in `upload`.
    Waiting(Box<Facts>),
    /// It lies in a bundle, and is offered to further markets.
    Owed(BundleName, Box<Facts>, Vec<MarketName>),
}

impl InLine {
    /// Returns the theme that its rank goes by.
    fn theme(&self) -> Option<ThemeSlug> {
        match self {
            Self::Waiting(facts) => theme_of_path(&facts.path).0,
            Self::Owed(_, facts, _) => facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.theme.clone()),
        }
    }

    fn place(&self, rank: i64, now: Now) -> Place {
        let (Self::Waiting(facts) | Self::Owed(_, facts, _)) = self;
        Place::new(rank, Arrival::of(facts, now.wall_ns), facts.path.clone())
    }
}

impl Line {
    /// Takes an asset that nobody looked into.
    pub(super) fn add_unread(&mut self, asset: Still, now: Duration) {
        self.begin(now);
        self.unread.push(asset);
    }

    /// Takes an asset that is known.
    pub(super) fn add(&mut self, asset: InLine, now: Duration) {
        self.begin(now);
        self.known.push(asset);
    }

    fn begin(&mut self, now: Duration) {
        if self.len() == 0 {
            self.since = now;
        }
    }

    /// Forgets what a bundle offers: it is looked at anew.
    pub(super) fn forget_offers(&mut self, bundle: &BundleName) {
        self.known.retain(|asset| !matches!(asset, InLine::Owed(of, ..) if of == bundle));
    }

    /// Returns how many wait.
    pub(super) fn len(&self) -> usize {
        self.unread.len() + self.known.len()
    }

    /// Returns those that nobody looked into, once all were seen (`is_whole`) or after a while: a film that is known would
    /// overtake pictures that are not.
    pub(super) fn take_unread(&mut self, is_whole: bool, now: Duration) -> Vec<Still> {
        if is_whole || self.is_over(now) { std::mem::take(&mut self.unread) } else { Vec::new() }
    }

    /// Returns those that are known, once all are (`is_whole`), or after a while; in order, by the `rank` of their themes.
    pub(super) fn take(
        &mut self,
        is_whole: bool,
        now: Now,
        mut rank: impl FnMut(Option<ThemeSlug>) -> i64,
    ) -> Vec<InLine> {
        if !is_whole && !self.is_over(now.steady) {
            return Vec::new();
        }
        let mut taken = std::mem::take(&mut self.known);
        taken.sort_by_cached_key(|asset| asset.place(rank(asset.theme()), now));
        taken
    }

    fn is_over(&self, now: Duration) -> bool {
        now >= self.since + LINE_MAX
    }
}

impl Part for Line {
    fn wake(&self, _: Duration) -> Option<Duration> {
        // The end of a walk wakes the dispatcher before.
        (self.len() > 0).then_some(self.since + LINE_MAX)
    }

    fn left(&self, _: Duration) -> Left {
        Left::soon((self.len() > 0).then_some(By::Time))
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::check;
    use super::*;
    use crate::model::{Identity, RelPath, Stage};

    #[test]
    fn who_is_first_in_rank_goes_first_and_nobody_waits_for_ever() {
        let second = Duration::from_secs(1);
        let at = |steady: Duration| Now { wall_ns: 0, steady };
        let asset = |name: &str, since_ns| {
            let path = RelPath::new(format!("upload/{name}")).unwrap();
            let seen = Identity { device: 1, inode: 1, size: 1, modified_ns: 0 };
            let facts = Box::new(Facts::bare(path.clone(), Stage::Upload, seen, since_ns));
            match BundleName::of(&path) {
                Some(bundle) => InLine::Owed(bundle, facts, Vec::new()),
                None => InLine::Waiting(facts),
            }
        };
        let rank = |theme: Option<ThemeSlug>| i64::from(theme.is_some_and(|theme| theme.as_str() == "late"));
        let mut line = Line::default();
        assert_eq!((check(&line, second), line.len()), (Left::default(), 0));
        let (owed, gone) = ("2026-11-28/pond5/files/e.jpg", "2026-11-28/alamy/files/e.jpg");
        for (name, since_ns) in
            [("late/a", 1), ("soon/b", 9), (gone, 1), ("soon/c", 3), (owed, 4), ("late/d", 1), ("soon/a", 9)]
        {
            line.add(asset(name, since_ns), second);
        }
        line.forget_offers(&BundleName::parse("2026-11-28", "alamy").unwrap());
        assert_eq!(check(&line, second).soon, Some(By::Time));
        assert!(line.take(false, at(second * 30), rank).is_empty());
        let names = |taken: Vec<InLine>| -> Vec<String> {
            let path = |asset: &InLine| {
                let (InLine::Waiting(facts) | InLine::Owed(_, facts, _)) = asset;
                facts.path.to_string()
            };
            taken.iter().map(path).collect()
        };
        let expected = ["soon/c", owed, "soon/a", "soon/b", "late/a", "late/d"].map(|name| format!("upload/{name}"));
        assert_eq!(names(line.take(true, at(second * 2), rank)), expected);
        line.add(asset("soon/b", 1), second * 40);
        assert!(line.take(false, at(second * 69), rank).is_empty());
        assert_eq!(line.take(false, at(second * 70), rank).len(), 1);
    }
}
