//! Notes wait longer than pictures: editors save while people type, and may show a note without
//! keeping the file open.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::time::Duration;

use super::candidate::Candidate;
use super::settle::Now;
use super::walk::Found;
use crate::model::{Identity, RelPath};
use crate::vault::{Look, What};

/// How long a note must have been quiet if something shows that it is still being written.
const BUSY_QUIET: Duration = Duration::from_secs(60);
/// This many changes mean that somebody is editing it.
const BUSY_CHANGES: u32 = 2;
/// The longest pause between two judgements: network drives may send no event when an editor removes its file.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// The most notes that are remembered; beyond that, those that were seen longest ago are forgotten.
const SEEN_MAX: usize = 10_000;

/// What a file beside a note says about the editor that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Editor {
    /// The editor has the note open: a lock, a swap file.
    HasOpen,
    /// The editor saves the note by way of this file from time to time.
    Saves,
}

/// A file or folder that shows that an editor is at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// Where it lies.
    pub path: RelPath,
    /// What it says.
    pub editor: Editor,
    /// When it was changed last, in nanoseconds since 1970.
    pub modified_ns: i64,
}

/// Why a note must wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteWait {
    /// When to judge again, by the steady clock.
    pub again: Duration,
    /// What it waits for, in words.
    pub why: String,
    /// Whether it was only written a moment ago: then the wait ends within the ordinary quiet time.
    pub is_fresh: bool,
}

/// Tells when nobody writes a note any more. A pure state machine, like [`super::Settle`], which a note must
/// satisfy too.
#[derive(Debug)]
pub struct Notes {
    quiet: Duration,
    patience: Duration,
    seen: BTreeMap<RelPath, Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    identity: Identity,
    since: Duration,
    changes: u32,
    /// When the sign beside it was changed last, and since when it was seen in that state.
    sign: Option<(i64, Duration)>,
    /// Until when it waits, if it was only written a moment ago.
    fresh_until: Option<Duration>,
}

impl Notes {
    /// Returns a machine that has seen nothing. With a `quiet` of zero, notes wait no longer than pictures;
    /// `patience` is how long a lock counts after its last change.
    pub fn new(quiet: Duration, patience: Duration) -> Self {
        Self { quiet, patience: patience.max(BUSY_QUIET), seen: BTreeMap::new() }
    }

    /// Takes other quiet times; what is being watched goes on being watched.
    pub fn reload(&mut self, quiet: Duration, patience: Duration) {
        (self.quiet, self.patience) = (quiet, patience.max(BUSY_QUIET));
    }

    /// Judges a note; `None` if it need not wait.
    pub fn judge(&mut self, note: &Found, sign: Option<&Sign>, now: Now) -> Option<NoteWait> {
        if self.quiet.is_zero() {
            return None;
        }
        self.make_room();
        let identity = note.entry.identity;
        let first = Seen { identity, since: now.steady, changes: 0, sign: None, fresh_until: None };
        let seen = self.seen.entry(note.path.clone()).or_insert(first);
        if seen.identity != identity {
            *seen = Seen { changes: seen.changes.saturating_add(1), ..first };
        }
        let signed = seen.sign.filter(|(modified_ns, _)| sign.is_some_and(|sign| sign.modified_ns == *modified_ns));
        seen.sign = signed.or_else(|| sign.map(|sign| (sign.modified_ns, now.steady)));
        let untouched =
            |since: Duration, modified_ns: i64| now.steady.saturating_sub(since).max(now.since(modified_ns));
        let mut quiet = untouched(seen.since, identity.modified_ns);
        if let Some((modified_ns, since)) = seen.sign {
            quiet = quiet.min(untouched(since, modified_ns));
        }
        let is_busy = seen.changes >= BUSY_CHANGES;
        let wanted = match sign.map(|sign| sign.editor) {
            Some(Editor::HasOpen) => self.patience,
            Some(Editor::Saves) => BUSY_QUIET,
            None if is_busy => BUSY_QUIET,
            None => self.quiet,
        }
        .max(self.quiet);
        let left = wanted.saturating_sub(quiet);
        let is_fresh = sign.is_none() && !is_busy;
        seen.fresh_until = (is_fresh && !left.is_zero()).then_some(now.steady + left);
        (!left.is_zero()).then(|| NoteWait {
            again: now.steady + left.min(PAUSE_MAX),
            why: why(sign, is_busy, wanted),
            is_fresh,
        })
    }

    /// Forgets a note that was processed.
    pub fn forget(&mut self, path: &RelPath) {
        self.seen.remove(path);
    }

    /// Returns whether any note waits only for the ordinary quiet time.
    pub fn is_any_fresh(&self, now: Duration) -> bool {
        self.seen.values().any(|seen| seen.fresh_until.is_some_and(|until| until > now))
    }

    /// Limits what is remembered. Notes that are gone stay: an editor may remove a note and write it again.
    fn make_room(&mut self) {
        if self.seen.len() < SEEN_MAX {
            return;
        }
        let mut times: Vec<Duration> = self.seen.values().map(|seen| seen.since).collect();
        times.sort_unstable();
        let middle = times[times.len() / 2];
        self.seen.retain(|_, seen| seen.since > middle);
    }
}

fn why(sign: Option<&Sign>, is_busy: bool, wanted: Duration) -> String {
    let quiet = match wanted.as_secs() {
        60 => "a minute".to_owned(),
        seconds if seconds > 60 && seconds.is_multiple_of(60) => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} s"),
    };
    match sign {
        Some(Sign { path, editor: Editor::HasOpen, .. }) => format!(
            "an editor has it open: `{path}` is there; it goes on when that file is gone, or when both have not changed \
             for {quiet}"
        ),
        Some(Sign { path, .. }) => {
            format!("an editor may still save it: `{path}` is there; it goes on when it has been quiet for {quiet}")
        }
        None if is_busy => {
            format!(
                "somebody is editing it: it changed again while it lay here; it goes on when it has been quiet for {quiet}"
            )
        }
        None => format!(
            "it was written a moment ago; a note goes on when it has been quiet for {quiet} (`settle.notes_quiet_s`)"
        ),
    }
}

/// Returns for each note the sign of an editor at work, if there is one. `names` are all files and links that
/// lie with the notes.
pub fn signs(disk: &dyn Look, notes: &[Candidate], names: &[RelPath]) -> BTreeMap<RelPath, Sign> {
    let mut by_folder: HashMap<RelPath, HashSet<&OsStr>> = HashMap::new();
    for path in names {
        by_folder.entry(folder_of(path)).or_default().insert(path.file_name());
    }
    let mut vaults: HashMap<RelPath, Option<RelPath>> = HashMap::new();
    let mut found = BTreeMap::new();
    for note in notes.iter().map(|candidate| &candidate.primary.path) {
        let folder = folder_of(note);
        let beside = by_folder.get(&folder).and_then(|names| sign_among(&note.file_text(), names));
        let sign = beside.and_then(|(name, editor)| {
            let path = folder.join(name);
            match disk.stat(&path) {
                Ok(None) => None,
                Ok(Some(entry)) => Some(Sign { path, editor, modified_ns: entry.identity.modified_ns }),
                // A file that cannot be examined may have changed in this moment.
                Err(_) => Some(Sign { path, editor, modified_ns: i64::MAX }),
            }
        });
        let mut vault = || vaults.entry(folder.clone()).or_insert_with(|| vault_above(disk, &folder)).clone();
        let sign = sign.or_else(|| vault().map(|path| Sign { path, editor: Editor::Saves, modified_ns: i64::MIN }));
        found.extend(sign.map(|sign| (note.clone(), sign)));
    }
    found
}

fn folder_of(path: &RelPath) -> RelPath {
    path.parent().unwrap_or_else(|| path.area_path())
}

/// Returns the folder that marks notes of Obsidian: it saves every two seconds and makes no other file.
fn vault_above(disk: &dyn Look, folder: &RelPath) -> Option<RelPath> {
    const VAULT: &str = ".obsidian";
    let mut above = std::iter::successors(Some(folder.clone()), RelPath::parent).map(|folder| folder.join(VAULT));
    let root = RelPath::new(VAULT).expect("a constant is a clean path");
    let is_folder = |path: &RelPath| matches!(disk.stat(path), Ok(Some(entry)) if entry.what == What::Folder);
    above.find(is_folder).or_else(|| Some(root).filter(is_folder))
}

/// Returns the first name in a folder that shows that an editor is at work on a note.
fn sign_among(note: &str, names: &HashSet<&OsStr>) -> Option<(String, Editor)> {
    let stem = note.rsplit_once('.').map_or(note, |(stem, _)| stem);
    let bases = if stem.is_empty() { vec![note] } else { vec![note, stem] };
    let of = |patterns: &[&str]| {
        let filled = bases.iter().flat_map(|base| patterns.iter().map(|pattern| pattern.replace('*', base)));
        filled.collect::<Vec<_>>()
    };
    let mut open = of(&OPEN);
    // Office programs write their mark over the first two letters of a long name.
    open.extend(note.char_indices().nth(2).map(|(at, _)| format!("~${}", &note[at..])));
    let is_there = |name: &String| names.contains(OsStr::new(name.as_str()));
    if let Some(name) = open.into_iter().find(is_there) {
        return Some((name, Editor::HasOpen));
    }
    let passing = |name: &&str| *name == "4913" || name.starts_with(".goutputstream-");
    let passing = names.iter().filter_map(|name| name.to_str()).find(passing).map(str::to_owned);
    Some((of(&SAVES).into_iter().find(is_there).or(passing)?, Editor::Saves))
}

/// Names of locks and swap files; `*` is the note's name, with and without its extension.
const OPEN: [&str; 9] = [".*.swp", ".*.swo", ".*.swn", ".*.swx", ".~lock.*#", ".#*", "#*#", "~$*", ".*.kate-swp"];
/// Names of backups and of copies that are still being written.
const SAVES: [&str; 5] = ["*~", "*.tmp", ".*.tmp", "*.bak", ".*.bak"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Entry;

    const S: i64 = 1_000_000_000;

    fn note(version: u64, modified_ns: i64) -> Found {
        let identity = Identity { device: 1, inode: version, size: 9, modified_ns };
        Found { path: RelPath::new("ideas/n.md").unwrap(), entry: Entry::file(identity, modified_ns) }
    }

    fn sign(editor: Editor, modified_ns: i64) -> Sign {
        Sign { path: RelPath::new("ideas/sign").unwrap(), editor, modified_ns }
    }

    #[test]
    fn a_note_waits_until_nobody_writes_it() {
        use Editor::{HasOpen, Saves};
        let at = |s: u64| Now { wall_ns: 10_000 * S + i64::try_from(s).unwrap() * S, steady: Duration::from_secs(s) };
        let (now, old) = (at(0).wall_ns, 0);
        // Judged at: the second, the version, the time in it, the sign beside -> how long it is still to be quiet.
        type Look = (u64, u64, i64, Option<(Editor, i64)>, Option<u64>);
        let cases: [&[Look]; 9] = [
            &[(0, 1, old, None, None)],
            &[(0, 1, now, None, Some(5)), (4, 1, now, None, Some(1)), (5, 1, now, None, None)],
            // A time in the future is no age: what we saw ourselves counts.
            &[(0, 1, now + 9999 * S, None, Some(5)), (5, 1, now + 9999 * S, None, None)],
            // Saved every two seconds, whatever the times in it say, it became a theme after 250 ms.
            &[
                (0, 1, now, None, Some(5)),
                (2, 2, now + 2 * S, None, Some(5)),
                (4, 3, now + 4 * S, None, Some(10)),
                (60, 3, now + 4 * S, None, Some(4)),
                (64, 3, now + 4 * S, None, None),
            ],
            &[
                (0, 1, old, Some((HasOpen, now)), Some(10)),
                (599, 1, old, Some((HasOpen, now)), Some(1)),
                (599, 1, old, Some((HasOpen, now + 599 * S)), Some(10)),
                (600, 1, old, None, None),
            ],
            &[(0, 1, old, Some((HasOpen, old)), None)],
            &[(0, 1, now, Some((Saves, old)), Some(10)), (60, 1, now, Some((Saves, old)), None)],
            // A folder of Obsidian's says nothing of when.
            &[(0, 1, now, Some((Saves, i64::MIN)), Some(10)), (60, 1, now, Some((Saves, i64::MIN)), None)],
            &[(0, 1, old, Some((Saves, i64::MIN)), None)],
        ];
        for (n, looks) in cases.into_iter().enumerate() {
            let mut notes = Notes::new(Duration::from_secs(5), Duration::from_secs(600));
            for (s, version, modified_ns, beside, expected) in looks {
                let beside = beside.map(|(editor, modified_ns)| sign(editor, modified_ns));
                let wait = notes.judge(&note(*version, *modified_ns), beside.as_ref(), at(*s));
                let left = wait.as_ref().map(|wait| wait.again.as_secs() - s);
                assert_eq!(left, *expected, "case {n} at {s} s: {wait:?}");
                let is_fresh = wait.is_some_and(|wait| wait.is_fresh);
                assert_eq!(notes.is_any_fresh(at(*s).steady), is_fresh, "case {n} at {s} s");
            }
        }
        let mut off = Notes::new(Duration::ZERO, Duration::from_secs(600));
        assert_eq!(off.judge(&note(1, now), Some(&sign(HasOpen, now)), at(0)), None);
    }

    #[test]
    fn editors_show_themselves() {
        let open = [".n.md.swp", ".n.swo", ".~lock.n.md#", ".#n.md", "#n.md#", "~$n.md", "~$md", ".n.md.kate-swp"];
        let saves = ["n.md~", "n~", "n.tmp", "n.md.tmp", "n.md.bak", "4913", ".goutputstream-X1Y2"];
        let none = ["m.md~", ".m.md.swp", "nn.md", ".n.md", "n.csv", ".DS_Store", "4914"];
        let of = |name: &str| sign_among("n.md", &HashSet::from([OsStr::new(name)])).map(|(_, editor)| editor);
        let cases = [(&open[..], Some(Editor::HasOpen)), (&saves[..], Some(Editor::Saves)), (&none[..], None)];
        for (name, expected) in
            cases.iter().flat_map(|(names, expected)| names.iter().map(move |name| (name, expected)))
        {
            assert_eq!(of(name), *expected, "{name}");
        }
    }
}
