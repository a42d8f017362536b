//! Taking up again what was set aside: plans that are carried out like all others.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::carried_out::{CarriedOut, Rules};
use super::verify;
use crate::craft::Untold;
use crate::intake::{Candidate, Found, group, walk};
use crate::make::{Insides, Limits, Looking, MakeError, make};
use crate::model::{Ignore, RelPath, Stage};
use crate::plan::{Around, Companion, Plan, REASON, SetAside, plan_retry};
use crate::records::{Answer, Did, RetryWhat, SIDECAR_SUFFIX};
use crate::vault::{CommitError, DiskResult, Journal, Look, Made, Receipt, Vault, What};

/// How many times another name is chosen because somebody took the one before.
const TRIES_MAX: u32 = 16;
/// So many assets go back at a time.
const BATCH_MAX: usize = 64;

/// Takes assets that were set aside back to where they came from; stops where the disk refuses.
pub(super) fn retry(
    vault: &Vault,
    journal: &mut Journal,
    what: &RetryWhat,
    rules: &Rules,
    now: Timestamp,
) -> CarriedOut {
    let mut asides = Vec::new();
    for stage in Stage::ALL {
        match set_aside_from(vault.disk(), stage, &rules.ignore) {
            Ok(found) => asides.extend(found.into_iter().filter(|aside| covers(what, stage, aside))),
            Err(error) => return CarriedOut { answer: Answer::refused(error.to_string()), ..CarriedOut::default() },
        }
    }
    let (mut done, mut carried) = (Vec::new(), CarriedOut::default());
    for some in asides.chunks(BATCH_MAX) {
        let mut batch = Batch { vault, limits: &rules.limits, now, carried: &mut carried, refused: None };
        done.extend(batch.take_up(journal, some));
        if let Some(why) = batch.refused {
            carried.answer = Answer::new(done, Some(why));
            return carried;
        }
    }
    carried.answer = Answer::new(done, None);
    carried
}

/// Some assets that go back together.
struct Batch<'a> {
    vault: &'a Vault,
    limits: &'a Limits,
    now: Timestamp,
    carried: &'a mut CarriedOut,
    /// Why no more can be done.
    refused: Option<String>,
}

impl Batch<'_> {
    /// Takes assets up again, and says of each what became of it.
    fn take_up(&mut self, journal: &mut Journal, asides: &[SetAside]) -> Vec<Did> {
        let mut did: BTreeMap<usize, Did> = BTreeMap::new();
        for _ in 0..TRIES_MAX {
            let left: Vec<usize> = (0..asides.len()).filter(|n| !did.contains_key(n)).collect();
            if left.is_empty() || self.refused.is_some() {
                break;
            }
            let (mut wanted, mut batch) = (Vec::new(), Vec::new());
            let given = RefCell::default();
            for n in left {
                match self.planned(&asides[n], &given) {
                    Ok(made) => {
                        wanted.push(n);
                        batch.push(made);
                    }
                    Err(NotTaken::Stays(why)) => drop(did.insert(n, Did::Stays(asides[n].path.clone(), why))),
                    Err(NotTaken::Refused(why)) => {
                        self.refused = Some(why);
                        break;
                    }
                }
            }
            for (n, result) in wanted.into_iter().zip(self.vault.commit(journal, batch, self.now)) {
                did.extend(self.told(&asides[n], result).map(|told| (n, told)));
            }
        }
        if self.refused.is_none() {
            let again = "its name is taken again and again; try later";
            for (n, aside) in asides.iter().enumerate() {
                did.entry(n).or_insert_with(|| Did::Stays(aside.path.clone(), again.to_owned()));
            }
        }
        did.into_values().collect()
    }

    /// Plans the way back of one asset; `given` are the names that the others of the batch get.
    fn planned(&self, aside: &SetAside, given: &RefCell<HashSet<RelPath>>) -> Result<Made, NotTaken> {
        let disk = self.vault.disk();
        if let Some(area) = aside.seen.and(aside.origin()).map(|origin| origin.area_path())
            && verify::is_detached(disk, &area)
        {
            return Err(NotTaken::Stays(format!("`{area}` is not the folder that it was; mount its disk")));
        }
        // What cannot be looked at counts as taken: nothing is tried on it.
        let taken = |path: &RelPath| given.borrow().contains(path) || !matches!(disk.stat(path), Ok(None));
        let copied = |one: &RelPath, other: &RelPath| is_copy(disk, one, other).unwrap_or(false);
        let plan = plan_retry(aside, &Around { taken: &taken, copied: &copied });
        let plan: Plan = plan.map_err(|hold| NotTaken::Stays(hold.to_string()))?;
        given.borrow_mut().extend(plan.gives().cloned());
        Ok(make(self.vault, &plan, self.limits, &Untold)?)
    }

    /// Takes what became of one plan; `None` if it is to be made anew.
    fn told(&mut self, aside: &SetAside, result: Result<Receipt, CommitError>) -> Option<Did> {
        match result {
            Ok(receipt) => {
                let to = receipt.about.to.clone();
                self.carried.receipts.push(receipt);
                let from = aside.path.clone();
                Some(to.map_or_else(|| Did::Gone(from.clone()), |to| Did::Back { from: from.clone(), to }))
            }
            Err(CommitError::Taken(_)) => None,
            Err(CommitError::Changed(path)) => {
                let why = format!("`{path}` changed meanwhile; try again when it stands still");
                Some(Did::Stays(aside.path.clone(), why))
            }
            // It looked like one disk: the next try copies.
            Err(CommitError::Refused(error)) if error.kind() == std::io::ErrorKind::CrossesDevices => None,
            Err(error) => {
                self.carried.is_open |= matches!(error, CommitError::Open(_));
                self.refused.get_or_insert(error.to_string());
                None
            }
        }
    }
}

/// Why an asset is not taken up again.
enum NotTaken {
    /// It stays; the others may go.
    Stays(String),
    /// The disk refuses.
    Refused(String),
}

impl From<MakeError> for NotTaken {
    fn from(error: MakeError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Returns whether a file on another disk has the same bytes.
fn is_copy(disk: &dyn Look, one: &RelPath, other: &RelPath) -> DiskResult<bool> {
    let file =
        |path: &RelPath| Ok(disk.stat(path)?.filter(|entry| entry.what == What::File).map(|entry| entry.identity));
    let (Some(here), Some(there)) = (file(one)?, file(other)?) else { return Ok(false) };
    Ok(here.device != there.device && here.size == there.size && disk.hash(one)? == disk.hash(other)?)
}

fn set_aside_from(disk: &dyn Look, stage: Stage, ignore: &Ignore) -> DiskResult<Vec<SetAside>> {
    let folder = failed().join(stage.name());
    if disk.stat(&folder)?.is_none() { Ok(Vec::new()) } else { set_aside(disk, stage, &folder, ignore) }
}

fn failed() -> RelPath {
    RelPath::new("failed").expect("a constant is a clean path")
}

fn covers(what: &RetryWhat, stage: Stage, aside: &SetAside) -> bool {
    match what {
        RetryWhat::All => true,
        RetryWhat::Stage(only) => *only == stage,
        RetryWhat::Path(path) => {
            let note = aside.path.with_suffix(REASON);
            aside.path.is_in(path) || note == *path || aside.origin().is_some_and(|origin| origin.is_in(path))
        }
    }
}

/// Returns what was set aside from a stage, each with the note on it, where there is one. A note whose
/// asset is gone comes alone.
fn set_aside(disk: &dyn Look, stage: Stage, folder: &RelPath, ignore: &Ignore) -> DiskResult<Vec<SetAside>> {
    let walked = walk(disk, folder, &|_| true, &mut |_, _| ())?;
    let is_note = |found: &Found| found.path.file_text().ends_with(REASON);
    let (notes, files): (Vec<Found>, Vec<Found>) = walked.files.into_iter().partition(is_note);
    let grouped = group(stage, files.clone(), ignore, &Looking { disk, seen: &Insides::default() });
    let mut notes: BTreeMap<RelPath, Companion> =
        notes.iter().map(|found| (found.path.clone(), companion(found))).collect();
    let mut all = Vec::new();
    for candidate in grouped.candidates {
        let mut aside = belongings(&candidate);
        aside.note = notes.remove(&aside.path.with_suffix(REASON));
        all.push(aside);
    }
    // What grouping takes for no asset of its own was one when it was set aside.
    for (path, note) in notes {
        let name = path.file_name().as_encoded_bytes();
        let name = name.strip_suffix(REASON.as_bytes()).filter(|name| !name.is_empty());
        let Some(name) = name else { continue };
        let name = std::os::unix::ffi::OsStrExt::from_bytes(name);
        let name: &std::ffi::OsStr = name;
        let path = path.sibling(name);
        let seen = disk.stat(&path)?.filter(|entry| entry.what == What::File).map(|entry| entry.identity);
        let sidecar = path.with_suffix(SIDECAR_SUFFIX);
        let beside = files.iter().filter(|found| found.path == sidecar).map(companion).collect();
        all.push(SetAside { path, seen, beside, members: Vec::new(), note: Some(note) });
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

fn companion(found: &Found) -> Companion {
    Companion { path: found.path.clone(), seen: found.entry.identity }
}

fn belongings(candidate: &Candidate) -> SetAside {
    let beside = candidate.sidecar.iter().chain(&candidate.companions);
    let mut members: Vec<Companion> = candidate.members.iter().map(companion).collect();
    // Materials last: while one lies there, a cut leaves no texture behind that nothing names.
    members.sort_by_key(|file| file.path.extension() == "mtl");
    SetAside {
        path: candidate.primary.path.clone(),
        seen: Some(candidate.primary.entry.identity),
        beside: beside.map(companion).collect(),
        members,
        note: None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::records::Record;
    use crate::vault::{Disk, Layout, RealDisk};

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    /// Lays files down, takes up what is wanted, and returns what is said and what lies there afterwards.
    fn taken_up(files: &[&str], what: &RetryWhat) -> (Vec<String>, Vec<String>) {
        let root = tempfile::tempdir().unwrap();
        let disk = Arc::new(RealDisk::open(Layout { root: root.path().to_owned(), areas: [].into() }).unwrap());
        for area in ["raw", "ideas", "failed"] {
            disk.make_area(&path(area)).unwrap();
        }
        let (mut journal, records) = Journal::open(&*disk).unwrap();
        let vault = Vault::new(disk.clone(), &records).unwrap();
        for file in files {
            vault.ensure_folder(&path(file).parent().unwrap()).unwrap();
            disk.write_new(&path(file), file.as_bytes()).unwrap();
        }
        let limits = Limits { file_bytes_max: 1 << 20, decode: crate::craft::Limits::default(), command: None };
        let settings =
            crate::config::load(crate::config::DEFAULT_TEXT, root.path(), &crate::market::built_in().unwrap()).unwrap();
        let rules = Rules { limits, ignore: Ignore::default(), settings: Arc::new(settings) };
        let now = "2026-11-28T10:00:00Z".parse().unwrap();
        let carried = retry(&vault, &mut journal, what, &rules, now);
        assert_eq!((carried.answer.refused, carried.is_open), (None, false));
        let done = Journal::read_only(vault.disk()).unwrap();
        let done = done.iter().filter(|record| matches!(record, Record::Done { .. })).count();
        assert_eq!(done, carried.receipts.len(), "it is on record");
        let said = carried.answer.done.iter().map(|did| match did {
            Did::Back { from, to } => format!("{from} -> {to}"),
            Did::Gone(path) => format!("{path} gone"),
            other => format!("{other:?}"),
        });
        let mut left = Vec::new();
        for area in ["raw", "ideas", "failed"] {
            let walked = walk(vault.disk(), &path(area), &|_| true, &mut |_, _| ()).unwrap();
            left.extend(walked.files.into_iter().map(|found| found.path.to_string()));
        }
        (said.collect(), left.into_iter().filter(|path| !path.contains("/.stockmill")).collect())
    }

    #[test]
    fn what_was_set_aside_goes_back_by_plans_that_are_on_record() {
        let (a, a2) = ("failed/raw/t/a.png", "failed/raw/t/a-2.png");
        let note = "failed/raw/t/a.png.reason.txt";
        let all = RetryWhat::All;
        let part = RetryWhat::Path(path("raw/t/a.png"));
        let cases: [(&[&str], &RetryWhat, &[&str], &[&str]); 6] = [
            (&[], &all, &[], &[]),
            (&[a, note], &all, &["failed/raw/t/a.png -> raw/t/a.png"], &["raw/t/a.png"]),
            (&[note], &all, &["failed/raw/t/a.png gone"], &[]),
            (
                &[a, note, "failed/ideas/n.md"],
                &part,
                &["failed/raw/t/a.png -> raw/t/a.png"],
                &["raw/t/a.png", "failed/ideas/n.md"],
            ),
            (&[a, note], &RetryWhat::Stage(Stage::Ideas), &[], &[a, note]),
            // The name that one of them gets instead is the other's own.
            (
                &[a, a2, "raw/t/a.png"],
                &all,
                &["failed/raw/t/a-2.png -> raw/t/a-2.png", "failed/raw/t/a.png -> raw/t/a-3.png"],
                &["raw/t/a-2.png", "raw/t/a-3.png", "raw/t/a.png"],
            ),
        ];
        for (files, what, said, left) in cases {
            let (did, lies) = taken_up(files, what);
            assert_eq!(did, said, "{files:?}");
            assert_eq!(lies, left, "{files:?}");
        }
    }
}
