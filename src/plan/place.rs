use super::Facts;
use super::gate::AHEAD_MAX;
use crate::model::{RelPath, Stage, ThemeSlug};

/// The place of a file among all that want to go to markets, where not all can: the least goes first. Of the same rank that
/// is what came to `upload` first, whether it lies there or in a bundle by now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    rank: i64,
    arrival: Arrival,
    file: RelPath,
}

/// When a file came to `upload`, and which one it is of those that came with it; its name is another one at each market.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    since_ns: i64,
    theme: Option<ThemeSlug>,
    seq: Option<u64>,
}

impl Place {
    /// Returns the place of a file whose theme has this rank.
    pub fn new(rank: i64, arrival: Arrival, file: RelPath) -> Self {
        Self { rank, arrival, file }
    }
}

impl Arrival {
    /// Returns when a file came to `upload`. One that joins a bundle is another one to the disk: its sidecar knows when its
    /// last step before `upload` was, or, if it was dropped there, when it was bundled. What is later than `now` was written by a
    /// clock that was ahead, and would wait behind all others until then: what was before that counts, and else it came first.
    pub fn of(facts: &Facts, now_ns: i64) -> Self {
        let latest_ns = now_ns.saturating_add(i64::try_from(AHEAD_MAX.as_nanos()).unwrap_or(i64::MAX));
        let sidecar = facts.sidecar.as_ref().map(|(_, sidecar)| sidecar);
        let history = sidecar.into_iter().flat_map(|sidecar| &sidecar.history);
        let steps = history.filter_map(|step| Some((step.stage, i64::try_from(step.at.as_nanosecond()).ok()?)));
        let steps = steps.filter(|(_, at_ns)| *at_ns <= latest_ns);
        let before = steps.clone().rfind(|(stage, _)| *stage < Stage::Upload);
        let known = before.or_else(|| steps.clone().find(|(stage, _)| *stage == Stage::Upload));
        let dropped_ns = Some(facts.dropped_ns).filter(|at_ns| *at_ns <= latest_ns);
        Self {
            since_ns: known.map(|(_, at_ns)| at_ns).or(dropped_ns).unwrap_or(i64::MIN),
            theme: sidecar.and_then(|sidecar| sidecar.theme.clone()),
            seq: sidecar.and_then(|sidecar| sidecar.seq),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::Identity;
    use crate::plan::Companion;
    use crate::records::{Happened, Sidecar};

    /// What lay in a bundle went to its further markets after all that lay in `upload`, and so never where each day brought more.
    #[test]
    fn what_is_urgent_goes_first_and_then_what_came_first_wherever_it_lies() {
        let seen = Identity { device: 1, inode: 1, size: 1, modified_ns: 0 };
        // Its rank, the file, when the disk says that it came, and its history: the seconds and stages.
        let rows: [(i64, &str, i64, &[(i64, Stage)]); 11] = [
            (1, "sea/late.jpg", 900, &[]),
            // A clock that was ahead wrote it: it waited behind all others until then.
            (2, "sea/ahead.jpg", 900_000, &[]),
            (2, "sea/dropped.jpg", 1, &[]),
            (2, "2026-11-28/pond5/files/b.jpg", 800, &[(1, Stage::Keep), (2, Stage::Export), (700, Stage::Upload)]),
            (2, "sea/c.jpg", 3, &[(1, Stage::Keep), (2, Stage::Export)]),
            (2, "sea/d.jpg", 900_000, &[(3, Stage::Keep), (900_000, Stage::Export)]),
            (2, "sea/e.jpg", 5, &[(4, Stage::Export)]),
            // They came together; a bundle gives names of its own.
            (2, "2026-11-28/pond5/files/0006.jpg", 800, &[(6, Stage::Export)]),
            (2, "sea/00007.jpg", 6, &[(6, Stage::Export)]),
            // It was dropped into `upload`.
            (2, "2026-11-28/pond5/files/a.jpg", 800, &[(700, Stage::Upload)]),
            (2, "sea/new.jpg", 701, &[]),
        ];
        let place = |(rank, file, dropped, history): &(i64, &str, i64, &[(i64, Stage)])| {
            let path = RelPath::new(format!("upload/{file}")).unwrap();
            let second = |at: i64| Timestamp::from_second(at).unwrap();
            let step = |(at, stage): &(i64, Stage)| Happened { at: second(*at), stage: *stage, did: String::new() };
            let history = history.iter().map(step).collect();
            let record = Companion { path: path.clone(), seen };
            let seq = path.file_text().strip_suffix(".jpg").and_then(|name| name.parse().ok());
            let sidecar = Some((record, Sidecar { seq, history, ..Sidecar::default() }));
            let bare = Facts::bare(path.clone(), Stage::Upload, seen, dropped * 1_000_000_000);
            Place::new(*rank, Arrival::of(&Facts { sidecar, ..bare }, 1_000_000_000_000), path)
        };
        let in_order: Vec<Place> = rows.iter().map(place).collect();
        let mut sorted = in_order.clone();
        sorted.reverse();
        sorted.sort();
        assert_eq!(sorted, in_order);
    }
}
