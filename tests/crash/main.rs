//! Cuts the power at every call of every kind of plan, and again at every call of the recovery, with
//! each choice of what an unflushed disk keeps drawn by seed. Five things must hold in the end:
//! every original is whole somewhere; its sidecar is with it; it is not under two names; nothing is
//! left in scratch; and what was reported as done stays done.

mod neighbours;
mod sim;
mod strays;

use std::io::ErrorKind;
use std::sync::Arc;
use std::thread;

use sim::{Choices, SimDisk, State};
use stockmill::model::{AssetId, ContentHash, RelPath, Stage, ThemeSlug};
use stockmill::records::{About, Dealing, Intent, Publish, PublishMode, Record};
use stockmill::vault::{CommitError, Journal, Made, NoReplace, Receipt, Vault, recover, remove_emptied};

const PICTURE: &[u8] = b"THE ONLY COPY OF A PICTURE";
const OTHER: &[u8] = b"ANOTHER PICTURE";
const LARGE: &[u8] = b"THE SAME PICTURE, ENLARGED";
const SIDECAR: &[u8] = b"id: 1";

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn about(stage: Stage) -> About {
    About {
        theme: Some(ThemeSlug::unsorted()),
        asset: Some(AssetId::of(&ContentHash::of(PICTURE))),
        seq: Some(1),
        from: Some(path("raw/t/a.png")),
        hash: Some(ContentHash::of(PICTURE)),
        ..About::new(stage, "tried")
    }
}

type Tried<T> = Result<T, Box<dyn std::error::Error>>;

/// A kind of plan: what lies there before, how it is made, and what must be true after it was done.
struct Case {
    name: &'static str,
    before: fn(&mut State),
    make: fn(&Vault) -> Tried<Vec<Made>>,
    /// The originals: their bytes, and where they may be, before and after.
    originals: &'static [(&'static [u8], &'static [&'static str])],
    /// What stands once it is done.
    after: &'static [(&'static str, &'static [u8])],
    /// Of these, all stand or none does.
    together: &'static [&'static [&'static str]],
    /// Files that are replaced, with their bytes before and after: all have been, or none. A disk that knows neither an
    /// exchange nor a second name cannot keep what was there.
    replaced: &'static [(&'static str, &'static [u8], &'static [u8])],
}

fn seen(vault: &Vault, name: &str) -> Tried<stockmill::model::Identity> {
    Ok(vault.disk().stat(&path(name))?.ok_or("the source is not there")?.identity)
}

const CASES: &[Case] = &[
    Case {
        name: "passed on unchanged, with a sidecar and a companion",
        before: |state| {
            state.drop_file("raw/t/a.png", PICTURE);
            state.drop_file("raw/t/a.txt", OTHER);
            state.folder("keep");
        },
        make: |vault| {
            let mut draft = vault.draft();
            draft.write(&path("keep/t/t-1.png.yaml"), SIDECAR, PublishMode::New)?;
            draft.shift(&path("raw/t/a.png"), &path("keep/t/t-1.png"), seen(vault, "raw/t/a.png")?)?;
            draft.shift(&path("raw/t/a.txt"), &path("keep/t/t-1.txt"), seen(vault, "raw/t/a.txt")?)?;
            Ok(vec![draft.finish(about(Stage::Raw))])
        },
        originals: &[(PICTURE, &["raw/t/a.png", "keep/t/t-1.png"]), (OTHER, &["raw/t/a.txt", "keep/t/t-1.txt"])],
        after: &[("keep/t/t-1.png", PICTURE), ("keep/t/t-1.txt", OTHER), ("keep/t/t-1.png.yaml", SIDECAR)],
        together: &[&["keep/t/t-1.png", "keep/t/t-1.png.yaml", "keep/t/t-1.txt"]],
        replaced: &[],
    },
    Case {
        name: "derived, the original to the archive",
        before: |state| {
            state.file("keep/t/t-1.png", PICTURE);
            state.file("keep/t/t-1.png.yaml", b"old");
            state.folder("export");
            state.folder("archive");
        },
        make: |vault| {
            let mut draft = vault.draft();
            draft.write(&path("export/t/t-1.png"), LARGE, PublishMode::New)?;
            draft.write(&path("export/t/t-1.png.yaml"), SIDECAR, PublishMode::New)?;
            draft.write(&path("archive/t/t-1.png.yaml"), SIDECAR, PublishMode::New)?;
            draft.shift(&path("keep/t/t-1.png"), &path("archive/t/t-1.png"), seen(vault, "keep/t/t-1.png")?)?;
            draft.remove(&path("keep/t/t-1.png.yaml"), seen(vault, "keep/t/t-1.png.yaml")?)?;
            Ok(vec![draft.finish(about(Stage::Keep))])
        },
        originals: &[(PICTURE, &["keep/t/t-1.png", "archive/t/t-1.png"])],
        after: &[
            ("export/t/t-1.png", LARGE),
            ("export/t/t-1.png.yaml", SIDECAR),
            ("archive/t/t-1.png", PICTURE),
            ("archive/t/t-1.png.yaml", SIDECAR),
        ],
        together: &[&["export/t/t-1.png", "export/t/t-1.png.yaml", "archive/t/t-1.png", "archive/t/t-1.png.yaml"]],
        replaced: &[],
    },
    Case {
        name: "a model is bundled for two markets, and kept with its part in the archive",
        before: |state| {
            state.file("keep/t/m.obj", PICTURE);
            state.file("keep/t/m.mtl", OTHER);
            state.folder("upload");
            state.folder("archive");
        },
        make: |vault| {
            let mut draft = vault.draft();
            let (model, part) = (path("keep/t/m.obj"), path("keep/t/m.mtl"));
            let (model_seen, part_seen) = (seen(vault, "keep/t/m.obj")?, seen(vault, "keep/t/m.mtl")?);
            draft.same(&model, &path("upload/d/m/files/m.obj"), &ContentHash::of(PICTURE), Some(model_seen))?;
            draft.same_as(0, &path("upload/d/n/files/m.obj"), PublishMode::New)?;
            draft.write(&path("upload/d/m/parts/m.obj/m.mtl"), OTHER, PublishMode::New)?;
            draft.same_as(2, &path("upload/d/n/parts/m.obj/m.mtl"), PublishMode::New)?;
            draft.shift(&model, &path("archive/t/m/m.obj"), model_seen)?;
            draft.shift(&part, &path("archive/t/m/m.mtl"), part_seen)?;
            Ok(vec![draft.finish(about(Stage::Upload))])
        },
        originals: &[
            (PICTURE, &["keep/t/m.obj", "archive/t/m/m.obj"]),
            (OTHER, &["keep/t/m.mtl", "archive/t/m/m.mtl"]),
        ],
        after: &[
            ("upload/d/m/files/m.obj", PICTURE),
            ("upload/d/m/parts/m.obj/m.mtl", OTHER),
            ("upload/d/n/files/m.obj", PICTURE),
            ("upload/d/n/parts/m.obj/m.mtl", OTHER),
            ("archive/t/m/m.obj", PICTURE),
            ("archive/t/m/m.mtl", OTHER),
        ],
        together: &[&[
            "upload/d/m/files/m.obj",
            "upload/d/m/parts/m.obj/m.mtl",
            "upload/d/n/files/m.obj",
            "upload/d/n/parts/m.obj/m.mtl",
            "archive/t/m/m.obj",
            "archive/t/m/m.mtl",
        ]],
        replaced: &[],
    },
    Case {
        name: "a bundle is marked as sent, and that is on record with it",
        before: |state| {
            state.file("upload/d/m/files/a.jpg", PICTURE);
        },
        make: |vault| {
            let mut draft = vault.draft();
            draft.write(&path("upload/d/m/SENT"), b"", PublishMode::New)?;
            let dealing = Some(Dealing::NotSent(path("upload/d/m")));
            Ok(vec![draft.finish(About { dealing, ..About::new(Stage::Upload, "tried") })])
        },
        originals: &[(PICTURE, &["upload/d/m/files/a.jpg"])],
        after: &[("upload/d/m/SENT", b"")],
        together: &[],
        replaced: &[],
    },
    Case {
        name: "to another disk, the derived source removed",
        before: |state| {
            state.file("export/t/t-1.png", PICTURE);
            state.file("export/t/t-1.png.yaml", b"old");
            state.folder("upload");
        },
        make: |vault| {
            let mut draft = vault.draft();
            draft.write(&path("upload/t/t-1.png.yaml"), SIDECAR, PublishMode::New)?;
            draft.shift(&path("export/t/t-1.png"), &path("upload/t/t-1.png"), seen(vault, "export/t/t-1.png")?)?;
            draft.remove(&path("export/t/t-1.png.yaml"), seen(vault, "export/t/t-1.png.yaml")?)?;
            Ok(vec![draft.finish(about(Stage::Export))])
        },
        originals: &[(PICTURE, &["export/t/t-1.png", "upload/t/t-1.png"])],
        after: &[("upload/t/t-1.png", PICTURE), ("upload/t/t-1.png.yaml", SIDECAR)],
        together: &[&["upload/t/t-1.png", "upload/t/t-1.png.yaml"]],
        replaced: &[],
    },
    Case {
        name: "bundled: the same bytes under a further name, then the source removed",
        before: |state| {
            state.file("keep/t/t-1.jpg", PICTURE);
            state.folder("export");
        },
        make: |vault| {
            let mut draft = vault.draft();
            draft.same(&path("keep/t/t-1.jpg"), &path("export/m/files/t-1.jpg"), &ContentHash::of(PICTURE), None)?;
            draft.write(&path("export/m/sidecars/t-1.jpg.yaml"), SIDECAR, PublishMode::New)?;
            draft.remove(&path("keep/t/t-1.jpg"), seen(vault, "keep/t/t-1.jpg")?)?;
            Ok(vec![draft.finish(about(Stage::Upload))])
        },
        originals: &[(PICTURE, &["keep/t/t-1.jpg", "export/m/files/t-1.jpg"])],
        after: &[("export/m/files/t-1.jpg", PICTURE), ("export/m/sidecars/t-1.jpg.yaml", SIDECAR)],
        together: &[&["export/m/files/t-1.jpg", "export/m/sidecars/t-1.jpg.yaml"]],
        replaced: &[],
    },
    Case {
        name: "a note becomes a theme, a record is replaced, the note is archived",
        before: |state| {
            state.drop_file("ideas/n.md", PICTURE);
            state.file("raw/t/tags.yaml", OTHER);
            state.folder("archive");
        },
        make: |vault| {
            let mut draft = vault.draft();
            let was = Some(ContentHash::of(OTHER));
            draft.write(&path("raw/t/tags.yaml"), LARGE, PublishMode::Replace { was })?;
            draft.write(&path("raw/u/prompts.txt"), SIDECAR, PublishMode::Replace { was: None })?;
            draft.write(&path("archive/t/tags.yaml"), OTHER, PublishMode::New)?;
            draft.shift(&path("ideas/n.md"), &path("archive/ideas/n.md"), seen(vault, "ideas/n.md")?)?;
            Ok(vec![draft.finish(about(Stage::Ideas))])
        },
        originals: &[(PICTURE, &["ideas/n.md", "archive/ideas/n.md"])],
        after: &[
            ("archive/ideas/n.md", PICTURE),
            ("raw/t/tags.yaml", LARGE),
            ("raw/u/prompts.txt", SIDECAR),
            ("archive/t/tags.yaml", OTHER),
        ],
        together: &[],
        replaced: &[],
    },
    Case {
        name: "a note came back: a theme goes, another comes",
        before: |state| {
            state.drop_file("ideas/n.md", PICTURE);
            state.file("raw/t/tags.yaml", OTHER);
            state.file("raw/t/prompts.txt", OTHER);
            state.folder("archive");
        },
        make: |vault| {
            let mut draft = vault.draft();
            draft.write(&path("raw/u/tags.yaml"), LARGE, PublishMode::Replace { was: None })?;
            draft.shift(&path("ideas/n.md"), &path("archive/ideas/n-2.md"), seen(vault, "ideas/n.md")?)?;
            draft.remove(&path("raw/t/tags.yaml"), seen(vault, "raw/t/tags.yaml")?)?;
            draft.remove(&path("raw/t/prompts.txt"), seen(vault, "raw/t/prompts.txt")?)?;
            Ok(vec![draft.finish(about(Stage::Ideas))])
        },
        originals: &[(PICTURE, &["ideas/n.md", "archive/ideas/n-2.md"])],
        after: &[("archive/ideas/n-2.md", PICTURE), ("raw/u/tags.yaml", LARGE)],
        together: &[],
        replaced: &[],
    },
    Case {
        name: "a companion joins a bundled file late, and is kept in the archive: that and its record are replaced",
        before: |state| {
            state.drop_file("raw/t/x.xmp", PICTURE);
            state.file("keep/m/files/t-1.jpg", OTHER);
            state.file("keep/m/sidecars/t-1.jpg.yaml", b"old");
            state.folder("archive");
        },
        make: |vault| {
            let mut draft = vault.draft();
            let replace = |was: &[u8]| PublishMode::Replace { was: Some(ContentHash::of(was)) };
            draft.write(&path("keep/m/files/t-1.jpg"), LARGE, replace(OTHER))?;
            draft.write(&path("keep/m/sidecars/t-1.jpg.yaml"), SIDECAR, replace(b"old"))?;
            draft.write(&path("keep/m/sidecars/t-1.xmp"), PICTURE, PublishMode::New)?;
            draft.shift(&path("raw/t/x.xmp"), &path("archive/t/t-1.xmp"), seen(vault, "raw/t/x.xmp")?)?;
            Ok(vec![draft.finish(about(Stage::Upload))])
        },
        originals: &[(PICTURE, &["raw/t/x.xmp", "archive/t/t-1.xmp"])],
        after: &[
            ("keep/m/files/t-1.jpg", LARGE),
            ("keep/m/sidecars/t-1.jpg.yaml", SIDECAR),
            ("keep/m/sidecars/t-1.xmp", PICTURE),
            ("archive/t/t-1.xmp", PICTURE),
        ],
        together: &[],
        replaced: &[("keep/m/files/t-1.jpg", OTHER, LARGE), ("keep/m/sidecars/t-1.jpg.yaml", b"old", SIDECAR)],
    },
    Case {
        name: "made anew in two bundles: the files and their records are replaced",
        before: |state| {
            state.file("archive/t/t-1.png", PICTURE);
            for market in ["m", "n"] {
                state.file(&format!("keep/{market}/files/t-1.jpg"), OTHER);
                state.file(&format!("keep/{market}/sidecars/t-1.jpg.yaml"), b"old");
            }
        },
        make: |vault| {
            let mut draft = vault.draft();
            let replace = |was: &[u8]| PublishMode::Replace { was: Some(ContentHash::of(was)) };
            draft.write(&path("keep/m/files/t-1.jpg"), LARGE, replace(OTHER))?;
            draft.write(&path("keep/m/sidecars/t-1.jpg.yaml"), SIDECAR, replace(b"old"))?;
            draft.same_as(0, &path("keep/n/files/t-1.jpg"), replace(OTHER))?;
            draft.write(&path("keep/n/sidecars/t-1.jpg.yaml"), SIDECAR, replace(b"old"))?;
            Ok(vec![draft.finish(about(Stage::Upload))])
        },
        originals: &[(PICTURE, &["archive/t/t-1.png"])],
        after: &[("keep/m/files/t-1.jpg", LARGE), ("keep/n/files/t-1.jpg", LARGE)],
        together: &[],
        replaced: &[
            ("keep/m/files/t-1.jpg", OTHER, LARGE),
            ("keep/m/sidecars/t-1.jpg.yaml", b"old", SIDECAR),
            ("keep/n/files/t-1.jpg", OTHER, LARGE),
            ("keep/n/sidecars/t-1.jpg.yaml", b"old", SIDECAR),
        ],
    },
    Case {
        name: "taken up again after it was set aside, with a companion; the note on it goes",
        before: |state| {
            state.drop_file("failed/raw/t/a.png", PICTURE);
            state.drop_file("failed/raw/t/a.txt", OTHER);
            state.file("failed/raw/t/a.png.reason.txt", SIDECAR);
            state.folder("raw");
        },
        make: |vault| {
            let mut draft = vault.draft();
            for name in ["a.txt", "a.png"] {
                let (from, to) = (format!("failed/raw/t/{name}"), format!("raw/t/{name}"));
                draft.shift(&path(&from), &path(&to), seen(vault, &from)?)?;
            }
            let note = "failed/raw/t/a.png.reason.txt";
            draft.remove(&path(note), seen(vault, note)?)?;
            Ok(vec![draft.finish(about(Stage::Raw))])
        },
        originals: &[
            (PICTURE, &["failed/raw/t/a.png", "raw/t/a.png"]),
            (OTHER, &["failed/raw/t/a.txt", "raw/t/a.txt"]),
        ],
        after: &[("raw/t/a.png", PICTURE), ("raw/t/a.txt", OTHER)],
        together: &[],
        replaced: &[],
    },
    Case {
        name: "a batch of three, large enough for one flush of the whole disk",
        before: |state| {
            for n in 0..3 {
                state.drop_file(&format!("raw/t/{n}.png"), &[PICTURE, &[b'0' + n]].concat());
            }
            state.folder("keep");
            state.folder("archive");
        },
        make: |vault| {
            let mut batch = Vec::new();
            for n in 0..3 {
                let (from, to) = (format!("raw/t/{n}.png"), format!("keep/t/{n}.png"));
                let mut draft = vault.draft();
                draft.write(&path(&format!("{to}.yaml")), SIDECAR, PublishMode::New)?;
                draft.write(&path(&format!("archive/{n}.yaml")), SIDECAR, PublishMode::New)?;
                draft.shift(&path(&from), &path(&to), seen(vault, &from)?)?;
                batch.push(draft.finish(about(Stage::Raw)));
            }
            Ok(batch)
        },
        originals: &[
            (b"THE ONLY COPY OF A PICTURE0", &["raw/t/0.png", "keep/t/0.png"]),
            (b"THE ONLY COPY OF A PICTURE1", &["raw/t/1.png", "keep/t/1.png"]),
            (b"THE ONLY COPY OF A PICTURE2", &["raw/t/2.png", "keep/t/2.png"]),
        ],
        after: &[("keep/t/0.png.yaml", SIDECAR), ("keep/t/1.png.yaml", SIDECAR), ("keep/t/2.png.yaml", SIDECAR)],
        together: &[
            &["keep/t/0.png", "keep/t/0.png.yaml", "archive/0.yaml"],
            &["keep/t/1.png", "keep/t/1.png.yaml", "archive/1.yaml"],
            &["keep/t/2.png", "keep/t/2.png.yaml", "archive/2.yaml"],
        ],
        replaced: &[],
    },
];

const WAYS: [NoReplace; 3] = [NoReplace::Rename, NoReplace::Link, NoReplace::Placeholder];

/// Does a case's work; returns whether it was reported as done.
fn work(disk: &Arc<SimDisk>, case: &Case) -> bool {
    let work = || -> Tried<Vec<Result<Receipt, CommitError>>> {
        let (mut journal, records) = Journal::open(&**disk)?;
        recover(&**disk, &mut journal, &records, &areas())?;
        let vault = Vault::new(disk.clone(), &records)?;
        if disk.no_replace == NoReplace::Placeholder {
            vault.probe(&path("keep"))?;
            vault.probe(&path("upload"))?;
        }
        let batch = (case.make)(&vault)?;
        let results = vault.commit(&mut journal, batch, "2026-11-23T12:00:00Z".parse()?);
        // Of the cases, one leaves it empty; in the others the call itself must refuse.
        remove_emptied(&**disk, &path("raw/t"), &path("raw"));
        Ok(results)
    };
    work().is_ok_and(|results| results.iter().all(Result::is_ok))
}

fn recovered(state: State, calls: u64, no_replace: NoReplace) -> (State, bool) {
    let mut disk = SimDisk::new(state, calls);
    disk.no_replace = no_replace;
    let is_done =
        Journal::open(&disk).and_then(|(mut journal, records)| recover(&disk, &mut journal, &records, &areas()));
    (disk.into_state(), is_done.is_ok_and(|recovered| !recovered.is_refused() && recovered.strays.is_empty()))
}

fn areas() -> Vec<RelPath> {
    ["ideas", "raw", "keep", "export", "upload", "archive", "failed"].map(path).to_vec()
}

fn start(case: &Case) -> State {
    let mut state = State::default();
    for area in ["ideas", "raw", "keep", "export", "upload", "archive", "failed"] {
        state.folder(area);
    }
    state.folder(".stockmill");
    (case.before)(&mut state);
    state
}

/// Returns what does not hold in the end.
fn broken(case: &Case, no_replace: NoReplace, end: &State, was_reported: bool) -> Option<String> {
    for (bytes, places) in case.originals {
        let whole = places.iter().filter(|place| end.bytes(place) == Some(bytes)).count();
        let present = places.iter().filter(|place| end.bytes(place).is_some()).count();
        // A dropped file that its own program never flushed may be torn by the cut, before we spoke for it.
        let is_torn = present == 1 && whole == 0 && !was_reported && end.bytes(places[0]).is_some();
        if whole != 1 && !is_torn || present > 1 {
            return Some(format!("an original is whole {whole} times, present {present} times"));
        }
    }
    for group in case.together {
        let there = group.iter().filter(|name| end.bytes(name).is_some()).count();
        if there != 0 && there != group.len() {
            return Some(format!("only {there} of {group:?} stand"));
        }
    }
    let is_kept = no_replace != NoReplace::Placeholder;
    let new = case.replaced.iter().filter(|(name, _, new)| end.bytes(name) == Some(new)).count();
    let old = case.replaced.iter().filter(|(name, old, _)| end.bytes(name) == Some(old)).count();
    if new + old != case.replaced.len() || is_kept && new > 0 && old > 0 {
        return Some(format!("of {} files {old} were left and {new} replaced", case.replaced.len()));
    }
    let scratch: Vec<String> =
        end.all().into_iter().map(|(name, _)| name).filter(|name| name.contains("scratch/")).collect();
    if !scratch.is_empty() {
        return Some(format!("left in scratch: {scratch:?}"));
    }
    let undone = case.after.iter().find(|(name, bytes)| was_reported && end.bytes(name) != Some(bytes));
    undone.map(|(name, _)| format!("`{name}` was reported and does not stand"))
}

fn prepared(case: &Case, calls: u64, no_replace: NoReplace) -> SimDisk {
    let mut disk = SimDisk::new(start(case), calls);
    disk.no_replace = no_replace;
    disk
}

/// Returns how many calls a case takes when nothing goes wrong.
fn calls_of(case: &Case, no_replace: NoReplace) -> u64 {
    let whole = Arc::new(prepared(case, u64::MAX, no_replace));
    assert!(work(&whole, case), "{} by {no_replace:?}: must work without a cut", case.name);
    whole.calls()
}

/// Cuts a case at every call, then its recovery at every call; returns how many ends were looked at
/// and the first that does not hold.
fn sweep(case: &Case, no_replace: NoReplace, without: Option<&'static str>, seeds: u64) -> (u64, Option<String>) {
    let mut ends = 0;
    for first in 0..=calls_of(case, no_replace) {
        for seed in 0..seeds {
            let mut disk = prepared(case, first, no_replace);
            disk.without = without;
            let disk = Arc::new(disk);
            let was_reported = work(&disk, case);
            let mut choices = Choices::new(seed * 1009 + first + 1);
            let found = disk.state().after_cut(&mut choices);
            for second in (0..=24).chain([u64::MAX]) {
                let (half, is_done) = recovered(found.clone(), second, no_replace);
                let (end, is_recovered) = recovered(half.after_cut(&mut choices), u64::MAX, no_replace);
                ends += 1;
                let wrong = if is_recovered {
                    broken(case, no_replace, &end, was_reported)
                } else {
                    Some("recovery fails".to_owned())
                };
                if let Some(wrong) = wrong {
                    let names: Vec<String> = end.all().into_iter().map(|(name, _)| name).collect();
                    let what = format!("{} by {no_replace:?}: cut {first}, seed {seed}, cut {second}", case.name);
                    return (ends, Some(format!("{what}: {wrong}; {names:?}")));
                }
                if is_done {
                    break;
                }
            }
        }
    }
    (ends, None)
}

#[test]
fn no_cut_loses_tears_doubles_or_litters() {
    // The longest of all tests: each way on a thread of its own.
    thread::scope(|threads| {
        for no_replace in WAYS {
            threads.spawn(move || {
                for case in CASES {
                    let (ends, wrong) = sweep(case, no_replace, None, 24);
                    assert_eq!(wrong, None);
                    assert!(ends > 1000, "{} by {no_replace:?}: only {ends} ends were looked at", case.name);
                }
            });
        }
    });
}

/// Each kind of flush earns its place: without it the sweep finds a loss.
#[test]
fn every_kind_of_flush_is_needed() {
    for call in ["sync_file", "sync_folder", "sync_all"] {
        let found = CASES.iter().find_map(|case| sweep(case, NoReplace::Rename, Some(call), 48).1);
        assert!(found.is_some(), "nothing breaks without `{call}`");
    }
}

/// One call of a plan is answered with an error, and the next ones work: nothing is lost, nothing is
/// left behind, and what was not done can be done.
#[test]
fn no_refused_call_loses_or_litters() {
    let kinds = [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::PermissionDenied, ErrorKind::Interrupted];
    for (case, no_replace) in CASES.iter().flat_map(|case| WAYS.map(|no_replace| (case, no_replace))) {
        for (call, kind) in (0..calls_of(case, no_replace)).flat_map(|call| kinds.map(|kind| (call, kind))) {
            let mut disk = prepared(case, call, no_replace);
            disk.fault = Some(kind);
            let disk = Arc::new(disk);
            let what = format!("{} by {no_replace:?}: call {call} answers {kind:?}", case.name);
            let was_reported = work(&disk, case);
            let (end, is_recovered) = recovered(disk.state(), u64::MAX, no_replace);
            assert!(is_recovered, "{what}");
            assert_eq!(broken(case, no_replace, &end, was_reported), None, "{what}");
            let mut again = SimDisk::new(end, u64::MAX);
            again.no_replace = no_replace;
            let again = Arc::new(again);
            let is_done = work(&again, case);
            let is_source_left = case.originals.iter().any(|(_, places)| again.state().bytes(places[0]).is_none());
            let is_there = case.after.iter().all(|(place, bytes)| again.state().bytes(place) == Some(bytes));
            assert!(is_done || is_source_left || is_there, "{what}: it cannot be done again");
            if is_done {
                assert_eq!(broken(case, no_replace, &again.state(), true), None, "{what}, done again");
            }
        }
    }
}

/// A person saved a record in the moment in which it was exchanged for ours, and then the power went: what
/// was saved lay in scratch, and was swept.
#[test]
fn a_version_that_was_exchanged_unseen_is_given_back() {
    let (to, scratch) = ("raw/t/tags.yaml", ".stockmill/scratch/1-0");
    let [was, ours, saved] = [OTHER, LARGE, b"what a person saved just now".as_slice()];
    let mode = PublishMode::Replace { was: Some(ContentHash::of(was)) };
    let publish = Publish { scratch: path(scratch), to: path(to), hash: ContentHash::of(ours), mode };
    let intent = Intent {
        plan: 1,
        at: "2026-11-23T12:00:00Z".parse().unwrap(),
        claims: false,
        about: about(Stage::Raw),
        publish: vec![publish],
        moves: Vec::new(),
        removes: Vec::new(),
    };
    let mut state = State::default();
    areas().iter().for_each(|area| state.folder(&area.to_string()));
    state.file(".stockmill/journal/000001.jsonl", Record::Intent(intent).to_line().as_bytes());
    state.file(to, ours);
    state.file(scratch, saved);
    let (end, is_recovered) = recovered(state, u64::MAX, NoReplace::Rename);
    assert!(is_recovered);
    assert_eq!(end.bytes(to), Some(ours));
    assert_eq!(end.bytes("raw/t/recovered-1.yaml"), Some(saved));
    assert_eq!(end.bytes(scratch), None);
}
