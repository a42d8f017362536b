//! Takes up again what was set aside. It may run beside the daemon, which sees files that are dropped.

use std::collections::BTreeSet;

use super::{ServiceError, layout, verify};
use crate::config::Settings;
use crate::intake::{Candidate, Found, group, walk};
use crate::make::{Insides, Looking};
use crate::model::{Ignore, RelPath, Stage};
use crate::plan::{REASON, SetAside, plan_retry};
use crate::records::SIDECAR_SUFFIX;
use crate::vault::own_names::SCRATCH;
use crate::vault::{Disk, DiskError, DiskResult, Entry, Look as _, RealDisk, What, ensure_folder, place};

/// How often another name is chosen because somebody took the one before.
const TRIES_MAX: u32 = 16;

/// Which of the things that were set aside are taken up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Everything.
    All,
    /// What came from one stage.
    Stage(Stage),
    /// What lies here, or lay here before it was set aside; a file or a folder.
    Path(RelPath),
}

/// What became of one asset.
#[derive(Debug)]
pub enum Retried {
    /// It went back.
    Back {
        /// Where it lay in `failed/`.
        from: RelPath,
        /// Where it lies now.
        to: RelPath,
    },
    /// It had been moved already; the note on it is gone now too.
    Gone(RelPath),
    /// It stays in `failed/`.
    Stays(RelPath, String),
}

/// Takes assets that were set aside back to where they came from.
pub fn retry(settings: &Settings, which: &Which) -> Result<Vec<Retried>, ServiceError> {
    let layout = layout(settings);
    let disk = RealDisk::open_beside_daemon(layout.clone());
    let mut retried = Vec::new();
    for stage in Stage::ALL {
        let folder = failed().join(stage.name());
        if disk.stat(&folder)?.is_none() {
            continue;
        }
        for (aside, note) in set_aside(&disk, stage, &folder, &settings.settle.ignore)? {
            if covers(which, stage, &aside) {
                retried.push(take_up(&disk, &aside, note.as_ref())?);
            }
        }
    }
    Ok(retried)
}

fn failed() -> RelPath {
    RelPath::new("failed").expect("a constant is a clean path")
}

fn covers(which: &Which, stage: Stage, aside: &SetAside) -> bool {
    match which {
        Which::All => true,
        Which::Stage(only) => *only == stage,
        Which::Path(path) => {
            let note = aside.path.with_suffix(REASON);
            aside.path.is_in(path) || note == *path || aside.origin().is_some_and(|origin| origin.is_in(path))
        }
    }
}

/// Returns what was set aside from a stage, each with the note on it, where there is one. A note whose
/// asset is gone comes alone.
fn set_aside(
    disk: &dyn Disk,
    stage: Stage,
    folder: &RelPath,
    ignore: &Ignore,
) -> DiskResult<Vec<(SetAside, Option<RelPath>)>> {
    let walked = walk(disk, folder, &|_| true, &mut |_, _| ())?;
    let is_note = |found: &Found| found.path.file_text().ends_with(REASON);
    let (notes, files): (Vec<Found>, Vec<Found>) = walked.files.into_iter().partition(is_note);
    let grouped = group(stage, files.clone(), ignore, &Looking { disk, seen: &Insides::default() });
    let mut notes: BTreeSet<RelPath> = notes.into_iter().map(|found| found.path).collect();
    let mut all = Vec::new();
    for candidate in grouped.candidates {
        let aside = belongings(&candidate);
        let note = Some(aside.path.with_suffix(REASON)).filter(|note| notes.remove(note));
        all.push((aside, note));
    }
    // What grouping takes for no asset of its own was one when it was set aside.
    for note in notes {
        let name = note.file_name().as_encoded_bytes();
        let name = name.strip_suffix(REASON.as_bytes()).filter(|name| !name.is_empty());
        let Some(name) = name else { continue };
        let name = std::os::unix::ffi::OsStrExt::from_bytes(name);
        let name: &std::ffi::OsStr = name;
        let path = note.sibling(name);
        let sidecar = path.with_suffix(SIDECAR_SUFFIX);
        let beside = files.iter().filter(|found| found.path == sidecar).map(|found| found.path.clone()).collect();
        all.push((SetAside { path, beside, members: Vec::new() }, Some(note)));
    }
    all.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
    Ok(all)
}

fn belongings(candidate: &Candidate) -> SetAside {
    let beside = candidate.sidecar.iter().chain(&candidate.companions);
    let mut members: Vec<RelPath> = candidate.members.iter().map(|found| found.path.clone()).collect();
    // Materials last: while one lies there, a cut leaves no texture behind that nothing names.
    members.sort_by_key(|path| path.extension() == "mtl");
    SetAside { path: candidate.primary.path.clone(), beside: beside.map(|found| found.path.clone()).collect(), members }
}

/// Takes one asset back: its belongings, itself, and, once all that is durable, the note on it.
fn take_up(disk: &dyn Disk, aside: &SetAside, note: Option<&RelPath>) -> DiskResult<Retried> {
    if disk.stat(&aside.path)?.is_none_or(|entry| entry.what != What::File) {
        remove_note(disk, note)?;
        return Ok(Retried::Gone(aside.path.clone()));
    }
    if let Some(origin) = aside.origin() {
        let area = RelPath::new(origin.area()).expect("an area is clean");
        if verify::is_detached(disk, &area) {
            let why = format!("`{area}` is not the folder that it was; mount its disk");
            return Ok(Retried::Stays(aside.path.clone(), why));
        }
    }
    let (rest, is_back) = without_copied(disk, aside)?;
    if let Some(to) = aside.origin().filter(|_| is_back) {
        remove_note(disk, note)?;
        return Ok(Retried::Back { from: aside.path.clone(), to });
    }
    let aside = &rest;
    for _ in 0..TRIES_MAX {
        // What cannot be looked at counts as taken: nothing is tried on it.
        let moves = match plan_retry(aside, &|path| !matches!(disk.stat(path), Ok(None))) {
            Ok(moves) => moves,
            Err(hold) => {
                return Ok(Retried::Stays(aside.path.clone(), hold.to_string()));
            }
        };
        if move_all(disk, &moves)? {
            remove_note(disk, note)?;
            let to = moves.last().map_or_else(|| aside.path.clone(), |(_, to)| to.clone());
            return Ok(Retried::Back { from: aside.path.clone(), to });
        }
    }
    Ok(Retried::Stays(aside.path.clone(), "its name is taken again and again; try later".to_owned()))
}

/// Goes on with a way back to another disk that was cut off: what was copied and not yet taken away here
/// stands under its first name already, and would come back twice. Returns the rest, and whether the asset
/// itself was among what had come back.
fn without_copied(disk: &dyn Disk, aside: &SetAside) -> DiskResult<(SetAside, bool)> {
    let mut rest = aside.clone();
    let Ok(moves) = plan_retry(aside, &|_| false) else { return Ok((rest, false)) };
    let Some((_, origin)) = moves.last() else { return Ok((rest, false)) };
    // If another file has the asset's name, what is called after it is not ours.
    if disk.stat(origin)?.is_some() && !is_copy(disk, &aside.path, origin)? {
        return Ok((rest, false));
    }
    for (from, to) in &moves {
        let seen = disk.stat(from)?;
        if is_copy(disk, from, to)? {
            disk.sync_file(to)?;
            to.parent().map_or(Ok(()), |folder| disk.sync_folder(&folder))?;
            // A person may have mended it in this moment.
            if !is_as_seen(disk.stat(from)?, seen) {
                return Err(changed(from));
            }
            disk.remove(from)?;
            from.parent().map_or(Ok(()), |folder| disk.sync_folder(&folder))?;
            rest.beside.retain(|path| path != from);
            rest.members.retain(|path| path != from);
        }
    }
    let is_back = disk.stat(&aside.path)?.is_none();
    Ok((rest, is_back))
}

/// Returns whether a file on another disk has the same bytes.
fn is_copy(disk: &dyn Disk, one: &RelPath, other: &RelPath) -> DiskResult<bool> {
    let file =
        |path: &RelPath| Ok(disk.stat(path)?.filter(|entry| entry.what == What::File).map(|entry| entry.identity));
    let (Some(here), Some(there)) = (file(one)?, file(other)?) else { return Ok(false) };
    Ok(here.device != there.device && here.size == there.size && disk.hash(one)? == disk.hash(other)?)
}

/// Carries out moves, and makes them durable; `false` if somebody took one of the names meanwhile, and
/// everything lies where it lay.
fn move_all(disk: &dyn Disk, moves: &[(RelPath, RelPath)]) -> DiskResult<bool> {
    for folder in moves.iter().filter_map(|(_, to)| to.parent()).collect::<BTreeSet<_>>() {
        ensure_folder(disk, &folder)?;
    }
    for (n, (from, to)) in moves.iter().enumerate() {
        match move_one(disk, from, to) {
            Ok(()) => (),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                for (from, to) in moves[..n].iter().rev() {
                    move_one(disk, to, from)?;
                }
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
    }
    // The new names first: a cut between shows a file twice rather than not at all.
    let (from, to): (Vec<_>, Vec<_>) = moves.iter().map(|(from, to)| (from.parent(), to.parent())).unzip();
    let targets: BTreeSet<RelPath> = to.into_iter().flatten().collect();
    let sources: BTreeSet<RelPath> = from.into_iter().flatten().filter(|folder| !targets.contains(folder)).collect();
    targets.iter().chain(&sources).try_for_each(|folder| disk.sync_folder(folder))?;
    Ok(true)
}

/// Gives a file its new name, which must be free; what a person mended in `failed/` is made durable first.
fn move_one(disk: &dyn Disk, from: &RelPath, to: &RelPath) -> DiskResult<()> {
    disk.sync_file(from)?;
    match place(disk, from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => copy_over(disk, from, to),
        other => other,
    }
}

/// Moves a file to another disk: a copy that is compared, durable before the original goes.
fn copy_over(disk: &dyn Disk, from: &RelPath, to: &RelPath) -> DiskResult<()> {
    let seen = disk.stat(from)?;
    let hash = disk.hash(from)?;
    let folder = RelPath::new(to.area()).expect("an area is clean").join(SCRATCH);
    ensure_folder(disk, &folder)?;
    let scratch = folder.join(format!("retry-{}-{}", std::process::id(), hash));
    disk.copy_new(from, &scratch, None)?;
    let whole = disk.hash(&scratch).and_then(|copied| {
        let is_whole = copied == hash && is_as_seen(disk.stat(from)?, seen);
        if is_whole { disk.sync_file(&scratch) } else { Err(changed(from)) }
    });
    let placed = whole.and_then(|()| place(disk, &scratch, to));
    if placed.is_err() {
        let _ = disk.remove(&scratch);
        return placed;
    }
    to.parent().map_or(Ok(()), |folder| disk.sync_folder(&folder))?;
    if is_as_seen(disk.stat(from)?, seen) { disk.remove(from) } else { Err(changed(from)) }
}

fn is_as_seen(now: Option<Entry>, seen: Option<Entry>) -> bool {
    now.is_some() && now.map(|entry| entry.identity) == seen.map(|entry| entry.identity)
}

fn changed(path: &RelPath) -> DiskError {
    let source = std::io::Error::other("it changed meanwhile; try again when it stands still");
    DiskError { call: "move", path: path.clone(), source }
}

fn remove_note(disk: &dyn Disk, note: Option<&RelPath>) -> DiskResult<()> {
    let Some(note) = note else { return Ok(()) };
    match disk.remove(note) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => note.parent().map_or(Ok(()), |folder| disk.sync_folder(&folder)),
    }
}
