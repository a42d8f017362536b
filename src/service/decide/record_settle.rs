//! Whether a record that a person may edit stands still: shared tags, tag sets, prompts, a bundle's sidecars.

use std::collections::HashMap;
use std::time::Duration;

use crate::intake::Now;
use crate::model::{Identity, RelPath};
use crate::plan::Hold;
use crate::vault::{DiskError, Entry, Look};

/// The longest pause between two looks at a record that somebody has open.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Records that do not stand still yet, as they were seen last. Editors over a network, and scripts, empty
/// a file first and write it a moment later: until nobody can be in the middle of that, it says nothing.
#[derive(Debug)]
pub(super) struct RecordSettle {
    quiet: Duration,
    weak_quiet: Duration,
    seen: HashMap<RelPath, Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    identity: Identity,
    since: Duration,
    busy: u32,
}

impl RecordSettle {
    /// Returns records of which none was seen.
    pub(super) fn new(quiet: Duration, weak_quiet: Duration) -> Self {
        Self { quiet, weak_quiet, seen: HashMap::new() }
    }

    /// Takes other quiet times.
    pub(super) fn reload(&mut self, quiet: Duration, weak_quiet: Duration) {
        (self.quiet, self.weak_quiet) = (quiet, weak_quiet);
    }

    /// Waits until a record was quiet for long enough and nobody has it open for writing. Where the kernel
    /// cannot tell, the longer quiet time decides.
    pub(super) fn still(&mut self, disk: &dyn Look, path: &RelPath, entry: &Entry, now: Now) -> Result<(), Hold> {
        let identity = entry.identity;
        let fresh = Seen { identity, since: now.steady, busy: 0 };
        let seen = self.seen.entry(path.clone()).or_insert(fresh);
        if seen.identity != identity {
            *seen = fresh;
        }
        let untouched = now.steady.saturating_sub(seen.since).max(now.since(identity.modified_ns));
        if untouched < self.quiet {
            return Err(saved_now(path, self.quiet.saturating_sub(untouched)));
        }
        match disk.has_writer(path).map_err(|error| refused(path, &error))? {
            Some(true) => {
                seen.busy = (seen.busy + 1).min(8);
                let pause = (self.quiet * 2_u32.pow(seen.busy)).clamp(MIN_PAUSE, PAUSE_MAX);
                let why = format!("a program has `{path}` open for writing");
                return Err(Hold::Settling { why, pause, is_by_time: false });
            }
            None if untouched < self.weak_quiet => {
                return Err(saved_now(path, self.weak_quiet.saturating_sub(untouched)));
            }
            Some(false) | None => (),
        }
        self.seen.remove(path);
        Ok(())
    }
}

/// How many records that cannot be read are named together.
const NAMED_MAX: usize = 5;

/// The shortest pause before a record is looked at again.
const MIN_PAUSE: Duration = Duration::from_millis(20);

fn saved_now(path: &RelPath, pause: Duration) -> Hold {
    // By a person or by stockmill itself.
    let why = format!("`{path}` changed a moment ago, and is read when it has not changed for a while");
    Hold::Settling { why, pause: pause.max(MIN_PAUSE), is_by_time: true }
}

/// Returns the hold for a record whose content cannot be used.
pub(super) fn cannot_be_read(path: &RelPath, why: &dyn std::fmt::Display) -> Hold {
    Hold::Unreadable(format!("`{path}` cannot be read: {why}"))
}

/// Returns one hold for several: what may pass by itself goes first, and what a person has to mend is told together.
pub(super) fn together(holds: Vec<Hold>) -> Option<Hold> {
    let mut unreadable = Vec::new();
    for hold in holds {
        match hold {
            Hold::Unreadable(why) => unreadable.push(why),
            passing => return Some(passing),
        }
    }
    let more = unreadable.len().saturating_sub(NAMED_MAX);
    unreadable.truncate(NAMED_MAX);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    (!unreadable.is_empty()).then(|| Hold::Unreadable(format!("{}{more}", unreadable.join("; "))))
}

/// Returns the hold for a record that the disk does not give: it may do so soon, unless it is too large, or no file.
pub(super) fn refused(path: &RelPath, error: &DiskError) -> Hold {
    if error.kind() == std::io::ErrorKind::FileTooLarge || error.is_no_file() {
        return cannot_be_read(path, &error.why());
    }
    Hold::Refused(format!("`{path}` cannot be read: {}; tried again", error.why()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    use crate::vault::{Layout, RealDisk};

    /// Of several records of a bundle only the first one was named: whoever mended it met the next one.
    #[test]
    fn what_cannot_be_read_is_told_together() {
        let unreadable = |n: usize| Hold::Unreadable(format!("{n} is bad"));
        let passing = || Hold::Waits("a moment".to_owned());
        let rows = [
            (vec![], None),
            (vec![unreadable(1)], Some("1 is bad")),
            (vec![unreadable(1), unreadable(2)], Some("1 is bad; 2 is bad")),
            (vec![unreadable(1), passing()], Some("a moment")),
            ((1..8).map(unreadable).collect(), Some("1 is bad; 2 is bad; 3 is bad; 4 is bad; 5 is bad; and 2 more")),
        ];
        for (holds, told) in rows {
            assert_eq!(together(holds).map(|hold| hold.to_string()).as_deref(), told);
        }
    }

    /// An editor empties a record, and writes it a moment later: the old text came back.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test plays the editor")]
    fn a_record_that_is_being_saved_is_waited_for() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("raw")).unwrap();
        let real = home.path().join("raw/tags.yaml");
        let disk = RealDisk::open_beside_daemon(Layout { root: home.path().to_owned(), areas: [].into() });
        let path = RelPath::new("raw/tags.yaml").unwrap();
        let (quiet, weak_quiet) = (Duration::from_millis(250), Duration::from_secs(10));
        let mut records = RecordSettle::new(quiet, weak_quiet);
        let mut still = |ms: u64| {
            let entry = disk.stat(&path).unwrap().unwrap();
            let wall_ns = entry.identity.modified_ns + 1_000_000 * i64::try_from(ms).unwrap();
            records.still(
                &disk,
                &path,
                &entry,
                Now { wall_ns, steady: Duration::from_secs(60) + Duration::from_millis(ms) },
            )
        };
        let waits = |answer: Result<(), Hold>, by_time: bool| matches!(answer, Err(Hold::Settling { is_by_time, pause, .. }) if is_by_time == by_time && !pause.is_zero());
        let mut writer = std::fs::File::create(&real).unwrap();
        assert!(waits(still(0), true) && waits(still(1_000), false), "it is empty, and somebody has it open");
        writer.write_all(b"title: A\n").unwrap();
        drop(writer);
        assert!(waits(still(0), true) && still(250).is_ok());
    }
}
