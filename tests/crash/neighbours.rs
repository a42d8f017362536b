//! One file or plan that the disk refuses, or that somebody else touches in the same moment: what becomes of
//! it, and that its neighbours go on.

use std::sync::Arc;

use stockmill::model::{ContentHash, RelPath};
use stockmill::records::{Intent, Move, Publish, PublishMode, Record};
use stockmill::vault::{
    Aside, CommitError, Disk as _, DiskResult, Journal, Look as _, Made, NoReplace, Recovered, SecondLook, Vault,
    recover,
};

use super::sim::{SimDisk, State};
use super::{OTHER, PICTURE, SIDECAR, Stage, about, areas, path, seen};

fn a_disk(files: &[(&str, &[u8])]) -> SimDisk {
    let mut state = State::default();
    areas().iter().for_each(|area| state.folder(&area.to_string()));
    state.folder(".stockmill");
    files.iter().for_each(|(name, bytes)| state.file(name, bytes));
    SimDisk::new(state, u64::MAX)
}

/// Says that what comes back may have its name.
#[expect(clippy::unnecessary_wraps, reason = "it stands for one that asks the disk")]
fn at_home(place: &RelPath) -> DiskResult<RelPath> {
    Ok(place.clone())
}

fn a_move(vault: &Vault, from: &str, to: &str) -> Made {
    let mut draft = vault.draft();
    draft.shift(&path(from), &path(to), seen(vault, from).unwrap()).unwrap();
    draft.finish(about(Stage::Raw))
}

fn commit(vault: &Vault, journal: &mut Journal, batch: Vec<Made>) -> Vec<Result<u64, CommitError>> {
    let results = vault.commit(journal, batch, "2026-11-23T12:00:00Z".parse().unwrap());
    results.into_iter().map(|result| result.map(|receipt| receipt.plan)).collect()
}

/// An editor saved while the target's folder was flushed, and the first name went: with it, the new version.
#[test]
fn what_is_saved_under_the_first_name_meanwhile_stays() {
    let (from, to) = ("raw/t/a.png", "keep/t/b.png");
    let mut disk = a_disk(&[(from, PICTURE)]);
    disk.no_replace = NoReplace::Link;
    *disk.meanwhile.lock().unwrap() = Some(("flush folder", path("keep/t"), path(from), OTHER));
    let disk = Arc::new(disk);
    let (mut journal, records) = Journal::open(&*disk).unwrap();
    let vault = Vault::new(disk.clone(), &records).unwrap();
    let batch = vec![a_move(&vault, from, to)];
    drop(commit(&vault, &mut journal, batch));
    let held: Vec<Vec<u8>> = disk.state().all().into_iter().map(|(_, bytes)| bytes.to_vec()).collect();
    assert_eq!(disk.state().bytes(from), Some(OTHER));
    assert!(held.iter().any(|bytes| bytes == PICTURE), "{:?}", disk.state().all());
}

#[test]
fn a_file_or_folder_that_cannot_be_made_durable_stops_nobody_else() {
    for (call, of, refused, count) in [
        ("flush", "raw/t/1.png", 1, 4),
        ("make folder", "keep/1", 1, 4),
        ("make folder", "keep/1", 1, 20),
        ("flush", "upload/t/2.png", 2, 20),
    ] {
        let from = |n| if n == 2 { "upload/t/2.png".to_owned() } else { format!("raw/t/{n}.png") };
        let to = |n| if n == 2 { "upload/u/2.png".to_owned() } else { format!("keep/{n}/{n}.png") };
        let bytes: Vec<(String, Vec<u8>)> =
            (0..count).map(|n| (from(n), format!("picture {n}").into_bytes())).collect();
        let files: Vec<(&str, &[u8])> = bytes.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let disk = Arc::new(a_disk(&files));
        *disk.refuses.lock().unwrap() = Some((call, path(of)));
        let (mut journal, records) = Journal::open(&*disk).unwrap();
        let vault = Vault::new(disk.clone(), &records).unwrap();
        let batch = (0..count).map(|n| a_move(&vault, &from(n), &to(n))).collect();
        for (n, result) in commit(&vault, &mut journal, batch).into_iter().enumerate() {
            let what = format!("{call} {of}, {count} files: {n}: {result:?}");
            assert_eq!(result.is_ok(), n != refused, "{what}");
            let stands = if n == refused { from(n) } else { to(n) };
            assert_eq!(disk.state().bytes(&stands), Some(bytes[n].1.as_slice()), "{what}");
        }
        // Nothing is left open, and the refused one can be done once the disk grants it.
        *disk.refuses.lock().unwrap() = None;
        let (mut journal, records) = Journal::open(&*disk).unwrap();
        assert_eq!(recover(&*disk, &mut journal, &records, &areas()).unwrap(), Recovered::default());
        let batch = vec![a_move(&vault, &from(refused), &to(refused))];
        assert!(commit(&vault, &mut journal, batch)[0].is_ok());
    }
}

/// The source had left, and the disk did not let the new place be looked at: the plan was given up, and the file
/// stayed there without its products.
#[test]
fn a_move_that_cannot_be_looked_at_is_finished_by_recovery() {
    let (from, to) = ("raw/t/a.png", "keep/t/b.png");
    let disk = Arc::new(a_disk(&[(from, PICTURE)]));
    let (mut journal, records) = Journal::open(&*disk).unwrap();
    let vault = Vault::new(disk.clone(), &records).unwrap();
    let mut draft = vault.draft();
    draft.write(&path("keep/t/b.png.yaml"), SIDECAR, PublishMode::New).unwrap();
    draft.shift(&path(from), &path(to), seen(&vault, from).unwrap()).unwrap();
    let batch = vec![draft.finish(about(Stage::Raw))];
    *disk.refuses.lock().unwrap() = Some(("look at", path(to)));
    assert!(matches!(commit(&vault, &mut journal, batch)[0], Err(CommitError::Open(_))));
    *disk.refuses.lock().unwrap() = None;
    let (mut journal, records) = Journal::open(&*disk).unwrap();
    assert_eq!(recover(&*disk, &mut journal, &records, &areas()).unwrap().finished.len(), 1);
    assert_eq!(disk.state().all(), [("keep/t/b.png".to_owned(), PICTURE), ("keep/t/b.png.yaml".to_owned(), SIDECAR)]);
}

/// What was appended before a flush that failed may be lost: no record may come behind it.
#[test]
fn after_a_failed_flush_the_journal_goes_on_in_a_new_segment() {
    let names: Vec<String> = (0..9).map(|n| format!("raw/t/{n}.png")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), PICTURE)).collect();
    let disk = Arc::new(a_disk(&files));
    let (mut journal, records) = Journal::open(&*disk).unwrap();
    let vault = Vault::new(disk.clone(), &records).unwrap();
    let batch = || names.iter().map(|name| a_move(&vault, name, &name.replace("raw", "keep"))).collect();
    *disk.refuses.lock().unwrap() = Some(("flush the disk of", path(".stockmill")));
    assert!(commit(&vault, &mut journal, batch()).iter().all(Result::is_err));
    *disk.refuses.lock().unwrap() = None;
    assert!(commit(&vault, &mut journal, batch()).iter().all(Result::is_ok));
    let segments = disk.list(&path(".stockmill/journal")).unwrap().len();
    assert_eq!(segments, 2);
}

/// A disk that refuses everything for a while, and works again, the process alive: a plan that was given up
/// stayed on record, was made anew, and recovery took the new one's work for the old one's, under a name that
/// never was.
#[test]
fn what_was_given_up_is_never_reported_as_done() {
    let from = "raw/t/a.png";
    for refused_from in 0.. {
        let mut state = a_disk(&[(from, PICTURE)]).into_state();
        state.folder(".stockmill/journal");
        state.file(".stockmill/journal/000001.jsonl", b"");
        let disk = Arc::new(SimDisk::new(state, u64::MAX));
        let (mut journal, records) = Journal::open(&*disk).unwrap();
        let vault = Vault::new(disk.clone(), &records).unwrap();
        let plan = |to: &str| {
            let mut draft = vault.draft();
            draft.write(&path(to).with_suffix(".yaml"), SIDECAR, PublishMode::New).unwrap();
            draft.shift(&path(from), &path(to), seen(&vault, from).unwrap()).unwrap();
            vec![draft.finish(about(Stage::Raw))]
        };
        let batch = plan("keep/t/first.png");
        disk.refuse_after(refused_from);
        let result = commit(&vault, &mut journal, batch).remove(0);
        disk.grant();
        let was_refused = result.is_err();
        let mut told = usize::from(result.is_ok());
        let recovered = || {
            let (mut journal, records) = Journal::open(&*disk).unwrap();
            recover(&*disk, &mut journal, &records, &areas()).unwrap().finished.len()
        };
        if matches!(result, Err(CommitError::Open(_))) {
            told += recovered();
        }
        if disk.state().bytes(from).is_some() {
            told += usize::from(commit(&vault, &mut journal, plan("keep/t/second.png"))[0].is_ok());
        }
        told += recovered();
        assert_eq!(told, 1, "refused from call {refused_from} on: {result:?}, {:?}", disk.state().all());
        let stands = disk.state().all().iter().filter(|(_, bytes)| *bytes == PICTURE).count();
        assert_eq!(stands, 1, "refused from call {refused_from} on");
        if !was_refused {
            assert!(refused_from > 5, "the disk refused nothing");
            return;
        }
    }
}

fn an_intent(plan: u64, from: &str, disk: &SimDisk) -> Intent {
    let seen = disk.stat(&path(from)).unwrap().unwrap().identity;
    let scratch = path(&format!(".stockmill/scratch/{plan}-0"));
    let to = path(&from.replace("raw", "keep"));
    let sidecar = to.with_suffix(".yaml");
    Intent {
        plan,
        at: "2026-11-23T12:00:00Z".parse().unwrap(),
        claims: false,
        about: about(Stage::Raw),
        publish: vec![Publish { scratch, to: sidecar, hash: ContentHash::of(SIDECAR), mode: PublishMode::New }],
        moves: vec![Move { from: path(from), to, seen }],
        removes: Vec::new(),
    }
}

#[test]
fn a_plan_that_the_disk_refuses_to_take_back_keeps_nobody_waiting() {
    let disk = a_disk(&[
        ("raw/t/1.png", PICTURE),
        ("keep/t/1.png.yaml", SIDECAR),
        ("raw/t/2.png", OTHER),
        ("keep/t/2.png.yaml", SIDECAR),
        (".stockmill/scratch/1-1", SIDECAR),
        (".stockmill/scratch/3-0", SIDECAR),
        // As some file managers make them everywhere.
        (".stockmill/scratch/@eaDir/thumb", OTHER),
    ]);
    let lines = [1, 2].map(|n| Record::Intent(an_intent(n, &format!("raw/t/{n}.png"), &disk)).to_line()).concat();
    let mut state = disk.into_state();
    state.file(".stockmill/journal/000001.jsonl", lines.as_bytes());
    let disk = SimDisk::new(state, u64::MAX);
    *disk.refuses.lock().unwrap() = Some(("remove", path("keep/t/1.png.yaml")));
    let again = |disk: &SimDisk| {
        let (mut journal, records) = Journal::open(disk).unwrap();
        recover(disk, &mut journal, &records, &areas()).unwrap()
    };
    for _ in 0..2 {
        let recovered = again(&disk);
        assert_eq!(recovered.refused.iter().map(|(intent, _)| intent.plan).collect::<Vec<_>>(), [1]);
        assert_eq!(disk.state().bytes("keep/t/2.png.yaml"), None);
        assert_eq!(disk.state().bytes(".stockmill/scratch/3-0"), None);
    }
    *disk.refuses.lock().unwrap() = None;
    let recovered = again(&disk);
    assert_eq!((recovered.taken_back.as_slice(), recovered.is_refused()), ([1].as_slice(), false));
    let left: Vec<String> = disk.state().all().into_iter().map(|(name, _)| name).collect();
    assert_eq!(left, [".stockmill/scratch/@eaDir/thumb", "raw/t/1.png", "raw/t/2.png"]);
}

/// The journal was lost, and what an earlier plan had taken away lies there still.
#[test]
fn numbers_of_plans_whose_traces_are_there_are_not_given_again() {
    let disk = Arc::new(a_disk(&[
        ("raw/t/a.png", PICTURE),
        (".stockmill/trash/12-0", OTHER),
        ("upload/.stockmill-trash/40-0-was", OTHER),
    ]));
    let (mut journal, records) = Journal::open(&*disk).unwrap();
    let vault = Vault::new(disk.clone(), &records).unwrap();
    for (area, number) in [("keep", 13), ("upload", 41)] {
        vault.probe(&path(area)).unwrap();
        let mut draft = vault.draft();
        draft.write(&path(&format!("keep/{number}.yaml")), SIDECAR, PublishMode::New).unwrap();
        let batch = vec![draft.finish(about(Stage::Raw))];
        assert_eq!(commit(&vault, &mut journal, batch)[0].as_ref().ok(), Some(&number));
    }
}

/// An editor had a record open when it was replaced, and wrote into what lay aside: its save was lost.
#[test]
fn what_is_written_on_into_a_replaced_record_comes_back() {
    const SAVED: &[u8] = b"what the editor saved";
    const RECORD: &str = "raw/t/tags.yaml";
    // What stands under the record's name when its editor is done, and what must be there in the end.
    type Case = (Option<&'static [u8]>, &'static [(&'static str, &'static [u8])]);
    let cases: [Case; 3] = [
        (Some(SIDECAR), &[(RECORD, SAVED)]),
        (Some(OTHER), &[(RECORD, OTHER), ("raw/t/recovered-1.yaml", SAVED)]),
        (None, &[(RECORD, SAVED)]),
    ];
    for no_replace in [NoReplace::Rename, NoReplace::Link] {
        for (n, (stands, expected)) in cases.into_iter().enumerate() {
            let mut disk = a_disk(&[(RECORD, PICTURE)]);
            disk.no_replace = no_replace;
            let disk = Arc::new(disk);
            let (mut journal, records) = Journal::open(&*disk).unwrap();
            let vault = Vault::new(disk.clone(), &records).unwrap();
            let mut draft = vault.draft();
            let mode = PublishMode::Replace { was: Some(ContentHash::of(PICTURE)) };
            draft.write(&path(RECORD), SIDECAR, mode).unwrap();
            let batch = vec![draft.finish(about(Stage::Raw))];
            let receipt = vault.commit(&mut journal, batch, "1970-01-01T00:00:00Z".parse().unwrap()).remove(0).unwrap();
            let [aside] = receipt.asides.as_slice() else { panic!("{:?}", receipt.asides) };
            assert_eq!(aside.end(&vault, &at_home).unwrap(), SecondLook::Unchanged, "nobody wrote on");
            disk.overwrite(&aside.kept.to_string(), SAVED);
            disk.remove(&path(RECORD)).unwrap();
            stands.into_iter().for_each(|bytes| disk.write_new(&path(RECORD), bytes).unwrap());
            assert!(
                matches!(aside.end(&vault, &at_home).unwrap(), SecondLook::BroughtBack(_)),
                "{no_replace:?}, case {n}"
            );
            for (name, bytes) in expected {
                assert_eq!(disk.state().bytes(name), Some(*bytes), "{no_replace:?}, case {n}: {name}");
            }
            // Ours lies aside now, and stays there.
            assert_eq!(aside.end(&vault, &at_home).unwrap(), SecondLook::Unchanged, "{no_replace:?}, case {n}");
        }
    }
}

/// A source that was copied was removed at once, and with it what its writer wrote on.
#[test]
fn a_copied_source_goes_only_if_nobody_wrote_on() {
    let from = "export/t/a.png";
    for is_written in [false, true] {
        let disk = Arc::new(a_disk(&[(from, PICTURE)]));
        let (mut journal, records) = Journal::open(&*disk).unwrap();
        let vault = Vault::new(disk.clone(), &records).unwrap();
        let batch = vec![a_move(&vault, from, "upload/t/a.png")];
        let receipt = vault.commit(&mut journal, batch, "2026-11-23T12:00:00Z".parse().unwrap()).remove(0).unwrap();
        let kept = receipt.asides[0].kept.to_string();
        assert_eq!(disk.state().bytes(&kept), Some(PICTURE));
        if is_written {
            disk.overwrite(&kept, OTHER);
        }
        let (_, records) = Journal::open(&*disk).unwrap();
        assert_eq!(Aside::left(&*disk, &records, &areas()).len(), usize::from(is_written), "known after a restart");
        let ended = receipt.asides[0].end(&vault, &at_home).unwrap();
        assert_eq!(disk.state().bytes(&kept), None);
        assert_eq!(disk.state().bytes("upload/t/a.png"), Some(PICTURE));
        let expected = if is_written { SecondLook::BroughtBack(path(from)) } else { SecondLook::Unchanged };
        assert_eq!((ended, disk.state().bytes(from)), (expected, is_written.then_some(OTHER)));
    }
}
