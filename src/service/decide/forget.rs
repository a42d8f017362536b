//! A theme that a person removed in all stages loses its remembered tags, or they would come back with a folder of
//! its name. Nothing is concluded from what cannot be seen.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use crate::intake::walk;
use crate::model::{RelPath, Stage, ThemeSlug};
use crate::plan::{BundleFolder, Plan, Traces, plan_forget};
use crate::records::{SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
use crate::service::sent::is_sent;
use crate::service::theme_files::{STAGES, attach_all};
use crate::vault::{DiskResult, Look, What};

/// Themes of which a folder or the tags went.
#[derive(Debug, Default)]
pub(in crate::service) struct GoneThemes {
    /// To be looked at as soon as possible.
    marked: BTreeSet<ThemeSlug>,
    /// Nothing could be told of them, or a bundle still needs their tags.
    later: BTreeSet<ThemeSlug>,
    /// Looked at: assets are left that need the tags.
    needed: HashSet<ThemeSlug>,
    /// When the next look may begin.
    again: Duration,
    is_looking: bool,
}

/// Looks take no more than this share of the time: each reads the sidecars of all bundles that are not sent.
const LOOK_SHARE: u32 = 20;

impl GoneThemes {
    /// Returns when the next look may begin, if there is a theme to look at.
    pub(in crate::service) fn due(&self) -> Option<Duration> {
        (!self.marked.is_empty() && !self.is_looking).then_some(self.again)
    }

    /// Returns whether a look is under way.
    pub(in crate::service) fn is_looking(&self) -> bool {
        self.is_looking
    }

    /// Returns the themes that are to be looked at now.
    pub(in crate::service) fn next(&mut self, now: Duration) -> BTreeSet<ThemeSlug> {
        if self.due().is_none_or(|due| due > now) {
            return BTreeSet::new();
        }
        self.is_looking = true;
        std::mem::take(&mut self.marked)
    }

    /// Takes what a look showed that took so long.
    pub(in crate::service) fn looked(
        &mut self,
        verdicts: Vec<(ThemeSlug, ThemeVerdict)>,
        took: Duration,
        now: Duration,
    ) -> Forgotten {
        self.is_looking = false;
        self.again = now + took * LOOK_SHARE;
        let mut forgotten = Forgotten::default();
        for (theme, verdict) in verdicts {
            match verdict {
                ThemeVerdict::Forget(plan) => forgotten.plans.push((theme, plan)),
                ThemeVerdict::Restore(folder) => {
                    self.needed.insert(theme);
                    forgotten.restore.push(folder);
                }
                ThemeVerdict::Keep => (),
                // A bundle may be sent, a disk may answer.
                ThemeVerdict::Later => drop(self.later.insert(theme)),
            }
        }
        forgotten
    }

    /// Lets a theme be looked at.
    pub(in crate::service) fn mark(&mut self, theme: ThemeSlug) {
        self.marked.insert(theme);
    }

    /// Lets those be looked at again that could not be forgotten.
    pub(in crate::service) fn look_again(&mut self) {
        self.marked.append(&mut self.later);
    }

    /// Returns whether tags that no stage has any more are to be written again; if that is not known, the theme is
    /// looked at first.
    pub(in crate::service) fn may_restore(&mut self, theme: &ThemeSlug) -> bool {
        let stands = self.needed.remove(theme);
        if !stands {
            self.mark(theme.clone());
        }
        stands
    }
}

/// What became of the themes of which something went.
#[derive(Debug, Default)]
pub(in crate::service) struct Forgotten {
    /// What forgets those that nothing is left of.
    pub(in crate::service) plans: Vec<(ThemeSlug, Plan)>,
    /// Folders of themes whose tags must come back.
    pub(in crate::service) restore: Vec<RelPath>,
}

/// What becomes of a theme of which something went.
#[derive(Debug)]
pub(in crate::service) enum ThemeVerdict {
    /// Nothing is left of it: this forgets it.
    Forget(Plan),
    /// Assets are left: its tags come back to this folder.
    Restore(RelPath),
    /// Its tags are still there, or nothing is remembered of it.
    Keep,
    /// That cannot be told now.
    Later,
}

/// Returns the themes that are remembered and have tags in no stage: they may have gone while nobody looked.
pub(in crate::service) fn themes_without_tags(disk: &dyn Look) -> Vec<ThemeSlug> {
    let listed = disk.list(&memory()).unwrap_or_default().into_iter();
    let folders = listed.filter(|(_, entry)| entry.what == What::Folder);
    let themes = folders.filter_map(|(name, _)| ThemeSlug::new(name.to_str()?).ok());
    themes.filter(|theme| !matches!(has_tags(disk, theme), Ok(true))).collect()
}

/// Looks what is left of themes; each comes with whether a plan in hand has a file of it.
pub(in crate::service) fn judge_gone(
    disk: &dyn Look,
    themes: Vec<(bool, ThemeSlug)>,
) -> Vec<(ThemeSlug, ThemeVerdict)> {
    let (remembered, unknown): (Vec<_>, Vec<_>) =
        themes.into_iter().partition(|(_, theme)| !matches!(disk.stat(&folder_of_memory(theme)), Ok(None)));
    let mut verdicts: Vec<(ThemeSlug, ThemeVerdict)> =
        unknown.into_iter().map(|(_, theme)| (theme, ThemeVerdict::Keep)).collect();
    if remembered.is_empty() {
        return verdicts;
    }
    let elsewhere = Elsewhere::find(disk).ok();
    verdicts.extend(remembered.into_iter().map(|(is_in_hand, theme)| {
        let verdict = elsewhere.as_ref().and_then(|elsewhere| judge_one(disk, &theme, is_in_hand, elsewhere).ok());
        (theme, verdict.unwrap_or(ThemeVerdict::Later))
    }));
    verdicts
}

fn judge_one(disk: &dyn Look, theme: &ThemeSlug, is_in_hand: bool, elsewhere: &Elsewhere) -> DiskResult<ThemeVerdict> {
    let mut folders = Vec::new();
    for folder in STAGES.map(|stage| stage.folder().join(theme.as_str())) {
        folders.extend(disk.stat(&folder)?.map(|_| folder));
    }
    let traces = Traces {
        has_tags: has_tags(disk, theme)?,
        has_assets: is_in_hand || elsewhere.with_assets.contains(theme) || has_assets(disk, theme, &folders)?,
        is_bundled: elsewhere.bundled.contains(theme),
    };
    if traces.needs_tags() {
        return Ok(folders.into_iter().next().map_or(ThemeVerdict::Later, ThemeVerdict::Restore));
    }
    let memory = walk(disk, &folder_of_memory(theme), &|_| true, &mut |_, _| ())?.files;
    let memory: Vec<_> = memory.into_iter().map(|found| (found.path, found.entry.identity)).collect();
    Ok(plan_forget(theme, traces, &memory).map_or(ThemeVerdict::Keep, ThemeVerdict::Forget))
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
                let sidecars = BundleFolder::new(bundle.clone()).sidecars();
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

fn folder_of_memory(theme: &ThemeSlug) -> RelPath {
    memory().join(theme.as_str())
}

/// Returns the folder of what is remembered of all themes' tags.
fn memory() -> RelPath {
    RelPath::new(".stockmill/tags").expect("a constant is a clean path")
}
