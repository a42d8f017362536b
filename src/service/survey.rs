use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::misplaced::take_misplaced;
use crate::intake::{
    Candidate, Found, Grouped, NearMiss, Now, Odd, Sign, Walked, Watch, WatchProblem, group, is_model_folder,
    may_be_first_frame, near_misses, signs, walk_inbox,
};
use crate::make::{Insides, Looking, names_video_node};
use crate::model::{Identity, Ignore, Kind, RelPath, Stage, ThemeSlug, leading_days};
use crate::plan::{BundleFolder, BundleName, Companion, Copied, Facts, Member};
use crate::vault::{Detached, DiskError, Layout, Look, What};

/// What one look at one folder showed.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) unit: RelPath,
    pub(super) stage: Stage,
    pub(super) candidates: Vec<Candidate>,
    pub(super) odd: Vec<Odd>,
    /// Files by which a person means tags, and whose names are not quite right.
    pub(super) near_misses: Vec<NearMiss>,
    /// Pictures whose metadata name the node that writes a video after them.
    pub(super) first_frames: BTreeSet<RelPath>,
    /// Folders below a stage that are left alone and may be themes.
    pub(super) may_be_meant: Vec<RelPath>,
    /// Signs of editors that are at work on notes, by note.
    pub(super) signs: BTreeMap<RelPath, Sign>,
    /// Theme folders below a stage folder.
    pub(super) below: Vec<RelPath>,
    /// Folders that hold, or may hold, shared tags, each with its tag file.
    pub(super) tag_folders: Vec<(RelPath, Option<Identity>)>,
    /// Its folders, and when their names last changed, in nanoseconds since 1970.
    pub(super) folders: Vec<(RelPath, i64)>,
    /// The first thing that kept a folder from being watched.
    pub(super) problem: Option<WatchProblem>,
}

/// Why a unit could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// Its stage is not there, or not the folder that it was.
    #[error(transparent)]
    Detached(#[from] Detached),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Returns the units that a stage is looked at by: a stage folder itself, and each theme below it.
/// `None` for what no unit covers.
pub(super) fn unit_of(path: &RelPath) -> Option<RelPath> {
    let stage = stage_of(path)?;
    let mut parts = path.parts().skip(1);
    let top = RelPath::new(stage.name()).expect("a stage's name is clean");
    match parts.next() {
        Some(name) if stage != Stage::Ideas && is_unit(stage, name.to_str()?) => Some(top.join(name)),
        Some(_) if stage != Stage::Ideas => None,
        _ => Some(top),
    }
}

/// Returns whether a folder of this name in a stage is a unit: a theme, or a folder that only says when. In `upload`
/// that is an upload day.
fn is_unit(stage: Stage, name: &str) -> bool {
    if stage == Stage::Upload && name == BundleFolder::SENT {
        return false;
    }
    let is_day = || stage != Stage::Upload && !name.starts_with('.') && leading_days([name].into_iter()) > 0;
    ThemeSlug::new(name).is_ok() || is_day()
}

/// Returns the theme whose folder a unit is.
pub(super) fn theme_of_unit(unit: &RelPath) -> Option<ThemeSlug> {
    unit.parts().nth(1).and_then(|name| ThemeSlug::new(name.to_str()?).ok())
}

/// Returns the stage that a path lies in.
pub(super) fn stage_of(path: &RelPath) -> Option<Stage> {
    path.area().to_str()?.parse().ok()
}

/// Returns just enough of an asset that could not be looked into to set it aside, whole.
pub(super) fn bare_facts(candidate: &Candidate) -> Option<Facts> {
    let companion = |found: &crate::intake::Found| Companion { path: found.path.clone(), seen: found.entry.identity };
    let part = |found: &crate::intake::Found| Member {
        path: found.path.clone(),
        seen: found.entry.identity,
        copied: Copied::NotCleaned,
    };
    let found = &candidate.primary;
    let stage = stage_of(&found.path)?;
    Some(Facts {
        companions: candidate.sidecar.iter().chain(&candidate.companions).map(companion).collect(),
        members: candidate.members.iter().map(part).collect(),
        ..Facts::bare(found.path.clone(), stage, found.entry.identity, found.entry.changed_ns)
    })
}

/// Looks at one unit: watches it first, then walks it, and sorts its files into assets. Of what is left alone
/// nothing is opened, and nothing is watched.
pub(super) fn survey(
    disk: &dyn Look,
    watch: Option<&Arc<Mutex<Watch>>>,
    unit: &RelPath,
    ignore: &Ignore,
    seen: &Insides,
    now: Now,
) -> Result<Surveyed, SurveyError> {
    if unit.parent().is_none() {
        disk.attach(unit)?;
    }
    Ok(look_into(disk, watch, unit, ignore, seen, now)?)
}

/// Looks at one unit, whether or not its stage can be worked on.
pub(super) fn look_into(
    disk: &dyn Look,
    watch: Option<&Arc<Mutex<Watch>>>,
    unit: &RelPath,
    ignore: &Ignore,
    seen: &Insides,
    now: Now,
) -> Result<Surveyed, DiskError> {
    let stage = stage_of(unit).expect("a unit lies in a stage");
    let is_top = unit.parent().is_none();
    let goes_into = |_: &RelPath| !is_top || stage == Stage::Ideas;
    let mut problem = None;
    let mut tag_folders = Vec::new();
    let mut folders = Vec::new();
    let mut walked = if ignore.folder_above(unit).is_some() {
        // New settings name it.
        watch.iter().for_each(|watch| watch.lock().expect("no watch holder panics").forget(unit));
        Walked::default()
    } else {
        walk_inbox(disk, unit, ignore, &goes_into, &mut |folder, identity| {
            if let (Some(watch), Some(identity)) = (watch, identity) {
                let added = watch.lock().expect("no watch holder panics").add(folder, identity.inode);
                problem = problem.take().or(added.err());
            }
            folders.extend(identity.map(|identity| (folder.clone(), identity.modified_ns)));
            if !is_top && stage != Stage::Ideas {
                tag_folders.push((folder.clone(), None));
            }
        })?
    };
    let is_ideas = stage == Stage::Ideas;
    let misplaced = if is_top { Vec::new() } else { take_misplaced(&mut walked) };
    // Nobody makes tags there, nor in a folder that has nothing else.
    let has_other = |folder: &RelPath| walked.files.iter().any(|found| found.path.is_in(folder));
    tag_folders.retain(|(folder, _)| {
        !misplaced.iter().any(|odd| folder.is_in(&odd.path) || (odd.path.is_in(folder) && !has_other(folder)))
    });
    let names = walked.files.iter().map(|found| &found.path).chain(walked.odd.iter().map(|odd| &odd.path));
    let names: Vec<RelPath> = if is_ideas { names.cloned().collect() } else { Vec::new() };
    let files = std::mem::take(&mut walked.files);
    see_tags(&files, &mut tag_folders);
    let mut grouped = group(stage, files, ignore, &Looking { disk, seen });
    let mut near_misses = if stage == Stage::Ideas { Vec::new() } else { near_misses(&mut grouped, ignore) };
    near_misses.retain(|miss| !is_same_file(disk, miss));
    let Grouped { mut candidates, mut odd } = grouped;
    oldest_of_equals_first(&mut candidates);
    if is_top && stage != Stage::Ideas {
        wait_for_parts(disk, stage, &walked.below, &mut candidates)?;
    }
    wait_for_model(disk, stage, unit, &mut candidates)?;
    let pictures = candidates.iter().map(|candidate| &candidate.primary).filter(|found| may_be_first_frame(found, now));
    let first_frames = pictures.filter(|found| names_video_node(disk, found)).map(|found| found.path.clone()).collect();
    odd.append(&mut walked.odd);
    odd.extend(misplaced);
    for folder in walked.below.iter().filter(|folder| is_nobodys(stage, folder)) {
        if BundleFolder::is_among_sent(folder) {
            odd.extend(not_sent(disk, folder)?);
            continue;
        }
        let why = "its folder's name cannot be a theme's: it is no text; rename it";
        let inside = walk_inbox(disk, folder, ignore, &|_| true, &mut |_, _| ())?.files;
        odd.extend(inside.into_iter().map(|found| Odd { path: found.path, why: why.to_owned() }));
    }
    walked.may_be_meant.retain(|folder| is_top && stage != Stage::Ideas && may_be_theme(disk, folder));
    let signs = if is_ideas { signs(disk, &candidates, &names) } else { BTreeMap::new() };
    let (unit, below, may_be_meant) = (unit.clone(), walked.below, walked.may_be_meant);
    Ok(Surveyed {
        unit,
        stage,
        candidates,
        odd,
        near_misses,
        first_frames,
        may_be_meant,
        signs,
        below,
        tag_folders,
        folders,
        problem,
    })
}

/// Puts the tag files that were found beside their folders.
fn see_tags(files: &[Found], folders: &mut [(RelPath, Option<Identity>)]) {
    folders.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for found in files.iter().filter(|found| found.path.file_name() == "tags.yaml") {
        let Some(folder) = found.path.parent() else { continue };
        if let Ok(at) = folders.binary_search_by(|(other, _)| other.cmp(&folder)) {
            folders[at].1 = Some(found.entry.identity);
        }
    }
}

/// Lets models in no theme's folder wait while a folder for a model's parts lies beside them: alone they would leave
/// it behind. A folder with shared tags in it is a theme.
fn wait_for_parts(
    disk: &dyn Look,
    stage: Stage,
    below: &[RelPath],
    candidates: &mut [Candidate],
) -> Result<(), DiskError> {
    let is_model = |candidate: &&mut Candidate| Kind::is_model_extension(&candidate.primary.path.extension());
    let mut models = candidates.iter_mut().filter(is_model).filter(|candidate| candidate.missing.is_empty()).peekable();
    if models.peek().is_none() {
        return Ok(());
    }
    let mut beside = None;
    for folder in below.iter().filter(|folder| is_model_folder(folder)) {
        if !disk.list(folder)?.is_empty() && disk.stat(&folder.join("tags.yaml"))?.is_none() {
            beside = Some(folder);
            break;
        }
    }
    let Some(folder) = beside else { return Ok(()) };
    for model in models {
        model.missing.push(format!(
            "`{folder}` beside it has the name of a folder for a model's parts; put the model and that folder into a \
             theme's folder, or release it as it is with `stockmill release {stage} --anyway`"
        ));
    }
    Ok(())
}

/// Lets what lies in a theme wait whose name is that of a folder for a model's parts, while a model lies beside it.
fn wait_for_model(
    disk: &dyn Look,
    stage: Stage,
    unit: &RelPath,
    candidates: &mut [Candidate],
) -> Result<(), DiskError> {
    if let Some(model) = model_beside(disk, stage, unit)? {
        // What has been through the mill is a picture of its own.
        let is_new = |candidate: &&mut Candidate| candidate.sidecar.is_none() && candidate.missing.is_empty();
        for candidate in candidates.iter_mut().filter(is_new) {
            candidate.missing.push(format!(
                "its folder has the name of one for a model's parts, and `{model}` lies beside that; put the model and \
                 this folder into a theme's folder, or release it as it is with `stockmill release {stage} {} --anyway`",
                unit.file_text()
            ));
        }
    }
    Ok(())
}

/// Returns a 3D model that lies beside a theme's folder, if the theme has the name of a folder for parts.
fn model_beside(disk: &dyn Look, stage: Stage, unit: &RelPath) -> Result<Option<RelPath>, DiskError> {
    if unit.parent().is_none() || !is_model_folder(unit) {
        return Ok(None);
    }
    let files = disk.list(&stage.folder())?.into_iter().filter(|(_, entry)| entry.what == What::File);
    let mut models = files.map(|(name, _)| stage.folder().join(name));
    Ok(models.find(|path| Kind::is_model_extension(&path.extension())))
}

/// Lets those of equal length, which may be copies of each other, take turns by age: the one that lay there first goes
/// on. All others keep their turns, which are by name.
fn oldest_of_equals_first(candidates: &mut [Candidate]) {
    let mut by_length: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        by_length.entry(candidate.primary.entry.identity.size).or_default().push(at);
    }
    for places in by_length.into_values().filter(|places| places.len() > 1) {
        let mut equals: Vec<Candidate> = places.iter().map(|at| candidates[*at].clone()).collect();
        equals.sort_by_key(|candidate| candidate.primary.entry.changed_ns);
        for (at, candidate) in places.into_iter().zip(equals) {
            candidates[at] = candidate;
        }
    }
}

/// Returns whether a folder in a stage is no theme, and no upload day either.
fn is_nobodys(stage: Stage, folder: &RelPath) -> bool {
    let is_day = folder.file_text().parse::<jiff::civil::Date>().is_ok();
    unit_of(folder).is_none() && !(stage == Stage::Upload && is_day)
}

/// Returns what lies among the bundles that were sent and is none.
fn not_sent(disk: &dyn Look, folder: &RelPath) -> Result<Vec<Odd>, DiskError> {
    const WHY: &str = "`upload/sent` is for bundles that were sent, each as `DAY/MARKET`, and no theme can have this \
                       name there; what is to be sold goes into another folder of `upload`";
    let odd = |path: RelPath| Odd { path, why: WHY.to_owned() };
    let mut found = Vec::new();
    for (name, entry) in disk.list(folder)?.into_iter().filter(|(name, _)| !name.as_encoded_bytes().starts_with(b".")) {
        let day = folder.join(&name);
        let is_day = name.to_str().is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok());
        if entry.what != What::Folder || !is_day {
            found.push(odd(day));
            continue;
        }
        let inside = disk.list(&day)?.into_iter().filter(|(name, _)| !name.as_encoded_bytes().starts_with(b"."));
        let bundles = inside.map(|(name, entry)| (day.join(name), entry));
        found.extend(
            bundles
                .filter(|(path, entry)| entry.what != What::Folder || BundleName::of(path).is_none())
                .map(|(path, _)| odd(path)),
        );
    }
    Ok(found)
}

/// Returns whether the disk knows a file under the right name too, since case does not matter to it.
fn is_same_file(disk: &dyn Look, miss: &NearMiss) -> bool {
    match (disk.stat(&miss.file), disk.stat(&miss.meant)) {
        (Ok(Some(file)), Ok(Some(meant))) => file.identity == meant.identity && file.links == 1,
        _ => false,
    }
}

/// Returns whether a folder that is left alone is more likely a theme than what its name says. `_` is how people
/// name what is to be left alone, unless the folder has been a theme before.
fn may_be_theme(disk: &dyn Look, folder: &RelPath) -> bool {
    let is_by_choice = folder.file_text().starts_with('_');
    !is_by_choice || matches!(disk.stat(&folder.join("tags.yaml")), Ok(Some(_)))
}

/// Returns the units that an event near a real path is about.
pub(super) fn units_near(layout: &Layout, path: &Path) -> Vec<RelPath> {
    let mut units = Vec::new();
    for stage in Stage::ALL {
        let Ok(below) = path.strip_prefix(layout.folder(stage.name().as_ref())) else { continue };
        let top = RelPath::new(stage.name()).expect("a stage's name is clean");
        let Ok(below) = RelPath::new(below) else {
            units.push(top);
            continue;
        };
        if below.parent().is_none() {
            units.push(top.clone());
        }
        units.extend(unit_of(&top.join(below.as_path())));
    }
    units
}
