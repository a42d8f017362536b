//! A theme that a person removed in all stages loses its remembered tags, or they would come back with a folder of
//! its name. Nothing is concluded from what cannot be seen.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use super::mill::Mill;
use super::sent::is_sent;
use super::theme_files::{STAGES, attach_all};
use crate::intake::walk;
use crate::model::{RelPath, Stage, ThemeSlug};
use crate::plan::{Plan, Traces, plan_forget};
use crate::records::{SIDECAR_SUFFIX, Sidecar};
use crate::vault::{DiskResult, Look, What};

/// The largest sidecar that is read back.
const SIDECAR_BYTES_MAX: u64 = 1 << 20;

/// Themes of which a folder or the tags went.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// To be looked at now.
    now: BTreeSet<ThemeSlug>,
    /// Nothing could be told of them, or a bundle still needs their tags.
    later: BTreeSet<ThemeSlug>,
    /// Looked at: assets are left that need the tags.
    standing: HashSet<ThemeSlug>,
    /// When the next look may begin.
    again: Duration,
}

/// Looks take no more than this share of the time: each reads the sidecars of all bundles that are not sent.
const LOOK_SHARE: u32 = 20;

impl Gone {
    /// Returns when the next look may begin, if there is a theme to look at.
    pub(super) fn due(&self) -> Option<Duration> {
        (!self.now.is_empty()).then_some(self.again)
    }

    /// Takes note of a look: the next one comes after a pause.
    pub(super) fn looked(&mut self, began: Duration, ended: Duration) {
        self.again = ended + ended.saturating_sub(began) * LOOK_SHARE;
    }

    /// Lets a theme be looked at.
    pub(super) fn suspect(&mut self, theme: ThemeSlug) {
        self.now.insert(theme);
    }

    /// Lets those be looked at again that could not be forgotten.
    pub(super) fn look_again(&mut self) {
        self.now.append(&mut self.later);
    }

    /// Returns whether tags that no stage has any more are to be written again; if that is not known, the theme is
    /// looked at first.
    pub(super) fn may_restore(&mut self, theme: &ThemeSlug) -> bool {
        let stands = self.standing.remove(theme);
        if !stands {
            self.suspect(theme.clone());
        }
        stands
    }
}

/// What became of the themes of which something went.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    /// What forgets those that nothing is left of.
    pub(super) plans: Vec<Plan>,
    /// Folders of themes whose tags must come back.
    pub(super) restore: Vec<RelPath>,
}

impl Mill {
    /// Suspects all themes that are remembered and have tags in no stage: they may have gone while nobody looked.
    pub(super) fn suspect_all(&mut self) {
        let top = memory();
        for (name, entry) in self.disk().list(&top).unwrap_or_default() {
            let Some(theme) = name.to_str().and_then(|name| ThemeSlug::new(name).ok()) else { continue };
            if entry.what == What::Folder && !matches!(has_tags(self.disk(), &theme), Ok(true)) {
                self.gone.suspect(theme);
            }
        }
    }

    /// Decides on the themes of which something went.
    pub(super) fn forget_gone(&mut self) -> Forgotten {
        let mut forgotten = Forgotten::default();
        let mut themes = std::mem::take(&mut self.gone.now);
        themes.retain(|theme| is_remembered(self.disk(), theme));
        if themes.is_empty() {
            return forgotten;
        }
        let Ok(elsewhere) = Elsewhere::find(self.disk()) else {
            self.gone.later.append(&mut themes);
            return forgotten;
        };
        for theme in themes {
            match self.forget(&theme, &elsewhere) {
                Ok(Decided::Forget(plan)) => {
                    self.themes.forgotten.insert(theme);
                    forgotten.plans.push(plan);
                }
                Ok(Decided::Restore(folder)) => {
                    self.gone.standing.insert(theme);
                    forgotten.restore.push(folder);
                }
                Ok(Decided::Stands) => (),
                // A bundle may be sent, a disk may answer.
                Ok(Decided::Later) | Err(_) => drop(self.gone.later.insert(theme)),
            }
        }
        forgotten
    }

    fn forget(&self, theme: &ThemeSlug, elsewhere: &Elsewhere) -> DiskResult<Decided> {
        let disk = self.disk();
        let mut folders = Vec::new();
        for folder in STAGES.map(|stage| stage.folder().join(theme.as_str())) {
            folders.extend(disk.stat(&folder)?.map(|_| folder));
        }
        let traces = Traces {
            has_tags: has_tags(disk, theme)?,
            has_assets: self.is_in_hand(theme)
                || elsewhere.with_assets.contains(theme)
                || has_assets(disk, theme, &folders)?,
            is_bundled: elsewhere.bundled.contains(theme),
        };
        if traces.needs_tags() {
            return Ok(folders.into_iter().next().map_or(Decided::Later, Decided::Restore));
        }
        let memory = walk(disk, &folder_of_memory(theme), &|_| true, &mut |_, _| ())?.files;
        let memory: Vec<_> = memory.into_iter().map(|found| (found.path, found.entry.identity)).collect();
        Ok(plan_forget(theme, traces, &memory).map_or(Decided::Stands, Decided::Forget))
    }
}

/// What becomes of one theme.
enum Decided {
    Forget(Plan),
    Restore(RelPath),
    Stands,
    Later,
}

/// Themes of assets that lie in no theme's folder.
struct Elsewhere {
    with_assets: HashSet<ThemeSlug>,
    bundled: HashSet<ThemeSlug>,
}

impl Elsewhere {
    fn find(disk: &dyn Look) -> Result<Self, String> {
        attach_all(disk)?;
        let (mut with_assets, mut bundled) = (HashSet::new(), HashSet::new());
        for stage in STAGES {
            themes_in(disk, &stage.folder(), &mut with_assets)?;
        }
        let said = |error: crate::vault::DiskError| error.to_string();
        let upload = Stage::Upload.folder();
        let is_day =
            |name: &std::ffi::OsString| name.to_str().is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok());
        for (day, _) in disk.list(&upload).map_err(said)?.into_iter().filter(|(name, _)| is_day(name)) {
            let day = upload.join(day);
            for (market, entry) in disk.list(&day).map_err(said)? {
                let bundle = day.join(market);
                let sidecars = bundle.join("sidecars");
                let is_open = entry.what == What::Folder && !is_sent(disk, &bundle).map_err(said)?;
                if is_open && disk.stat(&sidecars).map_err(said)?.is_some() {
                    themes_in(disk, &sidecars, &mut bundled)?;
                }
            }
        }
        Ok(Self { with_assets, bundled })
    }
}

/// Adds the themes that the sidecars in a folder name. One that cannot be read may name any.
fn themes_in(disk: &dyn Look, folder: &RelPath, themes: &mut HashSet<ThemeSlug>) -> Result<(), String> {
    for (name, entry) in disk.list(folder).map_err(|error| error.to_string())? {
        if entry.what == What::File && name.to_str().is_some_and(|name| name.ends_with(SIDECAR_SUFFIX)) {
            let path = folder.join(&name);
            let bytes = disk.read(&path, SIDECAR_BYTES_MAX).map_err(|error| error.to_string())?;
            themes.extend(Sidecar::parse(&bytes).map_err(|error| format!("`{path}`: {error}"))?.theme);
        }
    }
    Ok(())
}

fn has_tags(disk: &dyn Look, theme: &ThemeSlug) -> DiskResult<bool> {
    for stage in STAGES {
        if disk.stat(&stage.folder().join(theme.as_str()).join("tags.yaml"))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns whether the mill's own assets lie in a theme's folders, or were set aside from them: such have sidecars.
/// What somebody dropped into a new folder of its name never had the old tags.
fn has_assets(disk: &dyn Look, theme: &ThemeSlug, folders: &[RelPath]) -> DiskResult<bool> {
    for stage in STAGES {
        let failed = RelPath::new("failed").expect("a constant is a clean path");
        if disk.stat(&failed.join(stage.name()).join(theme.as_str()))?.is_some() {
            return Ok(true);
        }
    }
    for folder in folders {
        let walked = walk(disk, folder, &|_| true, &mut |_, _| ())?;
        let is_sidecar = |name: &str| name.ends_with(SIDECAR_SUFFIX) && name != "tags.yaml";
        // What could not be looked into may hold some.
        if !walked.odd.is_empty() || walked.files.iter().any(|found| is_sidecar(&found.path.file_text())) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns whether there is anything of a theme to forget, as far as can be seen.
fn is_remembered(disk: &dyn Look, theme: &ThemeSlug) -> bool {
    !matches!(disk.stat(&folder_of_memory(theme)), Ok(None))
}

fn folder_of_memory(theme: &ThemeSlug) -> RelPath {
    memory().join(theme.as_str())
}

/// Returns the folder of what is remembered of all themes' tags.
fn memory() -> RelPath {
    RelPath::new(".stockmill/tags").expect("a constant is a clean path")
}
