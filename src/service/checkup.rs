//! What `check` looks at besides the settings: folders, disks, shared tags, the journal. It changes nothing.

use std::collections::BTreeSet;

use super::clock::Clock;
use super::decide::{NOTE_BYTES_MAX, TAGS_BYTES_MAX};
use super::nets::{NetFiles, unusable};
use super::pauses::lacks_room;
use super::{AREAS, layout};
use crate::config::Settings;
use crate::intake::walk;
use crate::market::{Market, idle_category, lacks_category, lint};
use crate::model::{EnlargeTags, Method, RelPath, Restore, Stage, Tags, counted};
use crate::plan::tags::{Layer, resolve};
use crate::records::{ThemeFile, parse_note, read_mapping};
use crate::vault::own_names::HOME;
use crate::vault::{Journal, Layout, Look, RealDisk};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub about: &'static str,
    /// Which one, and what was found.
    pub what: String,
    /// How it stands.
    pub level: Level,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It is sound.
    Ok,
    /// A person may want to know it.
    Note,
    /// A person has to do something about it.
    Bad,
}

impl Finding {
    fn new(about: &'static str, what: String, is_bad: bool) -> Self {
        Self { about, what, level: if is_bad { Level::Bad } else { Level::Ok } }
    }
}

/// Returns what a person should know of the rules of a market: those that nobody could establish, and those that should be
/// compared with its pages again.
pub fn market_notes(market: &Market) -> Vec<String> {
    let today = Clock::start().now().local.date();
    let unsure =
        market.not_established().map(|fact| format!("not established: {} ({})", fact.about.join(", "), fact.source));
    unsure.chain(market.old_facts(today)).collect()
}

/// Looks at a root.
pub fn check_up(settings: &Settings) -> Vec<Finding> {
    let layout = layout(settings);
    if !layout.home().is_dir() {
        let root = layout.root.display();
        return vec![Finding::new(
            "mill",
            format!(
                "`{root}` is no stockmill folder; make one with `stockmill init {root}`, or name another with --root"
            ),
            true,
        )];
    }
    let disk = RealDisk::open_to_look(layout.clone());
    let mut found: Vec<Finding> = Vec::new();
    let areas = AREAS.iter().map(|area| RelPath::new(area).expect("an area is clean"));
    let free_min = settings.work.free_mib_min << 20;
    let mut disks = BTreeSet::new();
    for area in areas {
        let folder = folder(&*disk, &layout, &area);
        let is_there = folder.level != Level::Bad;
        found.push(folder);
        if is_there {
            // One line for each disk.
            let is_new = disk.device(&area).map_or(true, |device| disks.insert(device));
            found.extend(room(&*disk, &layout, &area, free_min).filter(|_| is_new));
            found.extend(shared_tags(&*disk, &area, settings));
        }
    }
    let tag_sets = RelPath::new("tagsets").expect("a constant is a clean path");
    found.extend(records(&*disk, &tag_sets, settings, &|name| name.ends_with(".yaml")));
    found.extend(notes(&*disk, settings));
    found.extend(nets(&*disk, settings));
    found.extend(unwise(&*disk, settings));
    found.extend(journal(&*disk));
    found
}

fn folder(disk: &dyn Look, layout: &Layout, area: &RelPath) -> Finding {
    let shown = layout.folder(area.area()).display().to_string();
    let listed = disk.attach(area).map_err(|detached| detached.to_string());
    match listed.and_then(|()| disk.list(area).map_err(|error| error.to_string())) {
        Ok(names) => {
            let own = names.iter().filter(|(name, _)| name.to_string_lossy().starts_with(HOME)).count();
            Finding::new("folder", format!("{shown}, {}", counted(names.len() - own, "entry")), false)
        }
        Err(why) => Finding::new("folder", format!("{shown}: {why}"), true),
    }
}

fn room(disk: &dyn Look, layout: &Layout, area: &RelPath, free_min: u64) -> Option<Finding> {
    let shown = layout.folder(area.area()).display().to_string();
    match disk.space(area) {
        Ok(space) => lacks_room(space, 0, free_min).map(|why| Finding::new("disk", format!("{shown}: {why}"), true)),
        Err(error) => Some(Finding::new("disk", format!("{shown}: its room cannot be told: {error}"), true)),
    }
}

fn shared_tags(disk: &dyn Look, area: &RelPath, settings: &Settings) -> Vec<Finding> {
    let is_inbox = Stage::ALL.iter().any(|stage| *stage != Stage::Ideas && area.area() == stage.name());
    if is_inbox { records(disk, area, settings, &|name| name == "tags.yaml") } else { Vec::new() }
}

/// Returns what is wrong with the records of tags below a folder: they cannot be read, or ask for what is not there.
fn records(disk: &dyn Look, folder: &RelPath, settings: &Settings, is_record: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let Ok(walked) = walk(disk, folder, &|_| true, &mut |_, _| ()) else { return Vec::new() };
    let wrong = |path: &RelPath| {
        let bytes = match disk.read(path, TAGS_BYTES_MAX) {
            Ok(bytes) => bytes,
            // It was moved meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => return vec![error.to_string()],
        };
        match read_mapping(&bytes).map(drop).and_then(|()| ThemeFile::parse(&bytes)) {
            Err(error) => vec![format!("`{path}` cannot be read: {error}")],
            Ok(file) => {
                let market = no_such_market(path, &bytes, &file.tags(), settings);
                let net = no_such_net(disk, &file.enlarge).map(|what| format!("`{path}`: {what}"));
                market.into_iter().chain(net).collect()
            }
        }
    };
    let found = walked.files.iter().map(|found| &found.path).filter(|path| is_record(&path.file_text()));
    found.flat_map(wrong).map(|what| Finding::new("tags", what, true)).collect()
}

/// Returns what is wrong with the net that tags ask for.
fn no_such_net(disk: &dyn Look, EnlargeTags { method, restore }: &EnlargeTags) -> Option<String> {
    let missing = NetFiles::default().of(disk, method.iter()).into_values().find_map(Result::err);
    let is_without = matches!((method, restore), (Some(Method::Brought(_)), Some(Restore::Fixed(_))));
    let without = || "`enlarge`: a net of `models/` has no `restore`; leave it out".to_owned();
    missing.or_else(|| is_without.then(without))
}

/// Returns what is wrong with a category for a market that nobody knows, and in which line it stands.
fn no_such_market(path: &RelPath, bytes: &[u8], tags: &Tags, settings: &Settings) -> Option<String> {
    let (name, what) = settings.upload.unknown_market(tags)?;
    let text = String::from_utf8_lossy(bytes);
    let is_named = |line: &str| {
        line.match_indices(name).any(|(at, _)| {
            let is_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
            let after = line[at + name.len()..].trim_start_matches(['"', '\'', ' ']);
            !line[..at].ends_with(is_name) && after.starts_with([':', '='])
        })
    };
    let line = text.lines().position(is_named).map(|line| format!(", line {}", line + 1)).unwrap_or_default();
    Some(format!("`{path}`{line}: {what}"))
}

/// Returns the notes that name a market which nobody knows: their themes would wait for that.
fn notes(disk: &dyn Look, settings: &Settings) -> Vec<Finding> {
    let Ok(walked) = walk(disk, &Stage::Ideas.folder(), &|_| true, &mut |_, _| ()) else { return Vec::new() };
    let wrong = |path: &RelPath| {
        let bytes = disk.read(path, NOTE_BYTES_MAX).ok()?;
        let ideas = parse_note(&path.file_text(), &bytes).ideas;
        ideas.iter().find_map(|idea| no_such_market(path, &bytes, &ThemeFile::from_idea(idea).tags(), settings))
    };
    let found = walked.files.iter().filter_map(|found| wrong(&found.path));
    found.map(|what| Finding::new("notes", what, true)).collect()
}

/// Returns the nets in `models/` that cannot be used, and whether the one that the settings name is none of them.
fn nets(disk: &dyn Look, settings: &Settings) -> Vec<Finding> {
    let bad = |what: String| Finding::new("models", what, true);
    let asked = NetFiles::default().of(disk, std::iter::once(&settings.keep.method));
    let of_settings = asked.into_values().filter_map(Result::err).map(|why| bad(format!("`keep.method`: {why}")));
    match unusable(disk) {
        Ok(unusable) => unusable.into_iter().map(bad).chain(of_settings).collect(),
        Err(error) => vec![bad(error.to_string())],
    }
}

/// Returns what is unwise in the shared tags of themes, with those of the settings below them.
fn unwise(disk: &dyn Look, settings: &Settings) -> Vec<Finding> {
    let folder = Stage::Raw.folder();
    let Ok(walked) = walk(disk, &folder, &|_| true, &mut |_, _| ()) else { return Vec::new() };
    let told = |path: &RelPath| {
        let file = disk.read(path, TAGS_BYTES_MAX).ok().and_then(|bytes| ThemeFile::parse(&bytes).ok())?;
        let layers = [(Layer::Defaults, settings.defaults.clone()), (Layer::Theme, file.tags())];
        let tags = resolve(&layers);
        let meta = tags.meta();
        let mut warnings = lint(&settings.upload.names, &meta);
        let has = |market: &str| tags.category.contains_key(market);
        warnings.extend(lacks_category(settings.upload.markets.iter(), &has, &meta));
        warnings.extend(idle_category(settings.upload.markets.iter(), &has));
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        (!warnings.is_empty()).then(|| format!("`{path}`: {}", warnings.join("; ")))
    };
    let files = walked.files.iter().map(|found| &found.path);
    let found = files.filter(|path| path.file_text() == "tags.yaml" && path.parts().count() == 3).filter_map(told);
    found.map(|what| Finding { about: "tags", what, level: Level::Note }).collect()
}

fn journal(disk: &dyn Look) -> Vec<Finding> {
    match Journal::damaged_segments(disk) {
        Ok(damaged) => damaged
            .iter()
            .map(|segment| {
                let what = format!(
                    "`{segment}` is damaged: `history` and `undo` do not know what was recorded behind the damage; \
                     `stockmill verify` says whether all files are there"
                );
                Finding::new("journal", what, true)
            })
            .collect(),
        Err(error) => vec![Finding::new("journal", format!("it cannot be read: {error}"), true)],
    }
}
