use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::clock::{Clock, Moment};
use super::decide::{Decider, Here, ThemeVerdict, bundle_names, foreign_xmp, judge_gone, themes_without_tags};
use super::ledger::Ledger;
use super::pauses::{Cause, Pauses, lacks_room};
use super::sent::is_sent;
use super::survey::{SurveyError, Surveyed, stage_of, survey, unit_of};
use super::units::Units;
use super::{ServiceError, areas, layout};
use crate::config::Settings;
use crate::intake::{Candidate, Notes, Odd, Settle, Sign, Verdict, is_lonely, may_be_first_frame, rest_awaited};
use crate::make::{Insides, MakeError, inspect, names_video_node};
use crate::model::{RelPath, Stage};
use crate::plan::{BundleFolder, Facts, Hold, Plan, tags};
use crate::records::{SIDECAR_BYTES_MAX, Sidecar};
use crate::vault::{Journal, Layout, Lock, RealDisk, Vault};

/// A look at a root that changes nothing: what `plan`, `status` and `explain` show. It decides with
/// the same planner as the daemon.
#[derive(Debug)]
pub struct View {
    decide: Decider,
    pauses: Pauses,
    units: Units,
    insides: Insides,
    layout: Layout,
    clock: Clock,
}

/// How one file stands.
#[derive(Debug)]
pub enum AssetStatus {
    /// This would be done next.
    Planned(Box<Plan>),
    /// It stays where it is.
    Held(RelPath, String),
    /// It is left alone.
    LeftAlone(RelPath, String),
}

/// Everything that is known of one file.
#[derive(Debug)]
pub struct Explained {
    /// How it stands.
    pub status: AssetStatus,
    /// What it is.
    pub facts: Option<Facts>,
    /// Its tags, each with the layer that it came from, or why nobody can tell them.
    pub tags: Option<Result<tags::Resolved, String>>,
}

/// The counts of one stage.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct StageCount {
    /// Assets that would go on now.
    pub ready: usize,
    /// Assets that wait, with the reason.
    pub held: Vec<(String, String)>,
    /// Files that are left alone, with the reason.
    pub left_alone: Vec<(String, String)>,
}

impl View {
    /// Opens a root for looking.
    pub fn open(settings: Settings) -> Result<Self, ServiceError> {
        let settings = Arc::new(settings);
        let layout = layout(&settings);
        let disk = RealDisk::open_to_look(layout.clone());
        let records = Journal::read_only(&*disk)?;
        let areas = areas();
        let ledger = Ledger::rebuild(&*disk, &records, &areas);
        let vault = Vault::to_look(disk, &records)?;
        let mut decide = Decider::new(vault, settings, ledger);
        // One look cannot tell how long a record stood still: it shows what comes once it does.
        decide.tags.settle_at_once();
        let clock = Clock::start();
        decide.releases = super::release::Releases::peek(decide.disk());
        let free_min = decide.settings.work.free_mib_min << 20;
        let mut pauses = Pauses::default();
        for area in &areas {
            let room = || lacks_room(decide.disk().space(area).ok()?, 0, free_min);
            if let Some(why) = decide.disk().attach(area).err().map(|detached| detached.to_string()).or_else(room) {
                pauses.pause(area, why, 0, Cause::Seen, Duration::ZERO);
            }
        }
        let mut units = Units::default();
        let now = clock.now();
        let stages = Here { now: &now, pauses: &pauses, units: &units }.open_stages();
        units.find_all(decide.disk(), &stages, &decide.settings.settle.ignore);
        // What the daemon is about to forget gives no tags here either.
        let suspects = themes_without_tags(decide.disk()).into_iter().map(|theme| (false, theme)).collect();
        for (theme, verdict) in judge_gone(decide.disk(), suspects) {
            if matches!(verdict, ThemeVerdict::Forget(_)) {
                decide.forget_theme(theme);
            }
        }
        Ok(Self { decide, pauses, units, insides: Insides::default(), layout, clock })
    }

    /// Returns whether a daemon works on the root.
    pub fn has_daemon(&self) -> bool {
        Lock::is_held(&self.layout.home())
    }

    /// Returns how everything below `start` stands, or everything in the inboxes.
    pub fn statuses(&mut self, start: Option<&RelPath>) -> Result<Vec<AssetStatus>, SurveyError> {
        let mut statuses = Vec::new();
        let mut looked = Vec::new();
        for unit in self.units(start) {
            match self.look(&unit) {
                Err(why) => statuses.push(AssetStatus::Held(unit, why.to_string())),
                Ok(surveyed) => looked.push(surveyed),
            }
        }
        for surveyed in looked {
            let covers = |path: &RelPath| start.is_none_or(|start| path.is_in(start) || start.is_in(path));
            for candidate in surveyed.candidates.into_iter().filter(|c| covers(&c.primary.path)) {
                let sign = surveyed.signs.get(&candidate.primary.path);
                statuses.push(self.status_of(surveyed.stage, candidate, sign).0);
            }
            for odd in surveyed.odd.into_iter().filter(|odd| covers(&odd.path)) {
                statuses.push(self.status_alone(odd));
            }
        }
        Ok(statuses)
    }

    /// Looks at one unit, and remembers what its files of tags keep waiting.
    fn look(&mut self, unit: &RelPath) -> Result<Surveyed, SurveyError> {
        let now = self.clock.now().for_settle();
        let surveyed =
            survey(self.decide.vault.disk(), None, unit, &self.decide.settings.settle.ignore, &self.insides, now)?;
        self.decide.take_near_misses(unit, &surveyed.near_misses);
        Ok(surveyed)
    }

    /// Explains one file.
    pub fn explain(&mut self, path: &RelPath) -> Result<Option<Explained>, SurveyError> {
        if let Some(status) = self.left_alone_with_its_folder(path)? {
            return Ok(Some(Explained { status, facts: None, tags: None }));
        }
        let Some(unit) = unit_of(path) else { return self.explain_nobodys(path) };
        let is_folder =
            matches!(self.decide.disk().stat(&unit)?, Some(entry) if entry.what == crate::vault::What::Folder);
        let unit = if is_folder { unit } else { unit.parent().unwrap_or(unit) };
        // Shared tags whose file is misnamed in one stage keep the theme waiting in all.
        for other in
            Stage::ALL.map(|stage| unit.below(&unit.area_path()).map(|below| stage.folder().join(below.as_path())))
        {
            if let Some(other) = other.filter(|other| *other != unit && self.units.contains(other)) {
                drop(self.look(&other));
            }
        }
        let surveyed = self.look(&unit)?;
        let stage = surveyed.stage;
        if let Some(odd) = surveyed.odd.into_iter().find(|odd| odd.path == *path) {
            return Ok(Some(Explained { status: self.status_alone(odd), facts: None, tags: None }));
        }
        let candidate = surveyed.candidates.into_iter().find(|c| c.files().any(|found| found.path == *path));
        let Some(candidate) = candidate else { return Ok(None) };
        let sign = surveyed.signs.get(&candidate.primary.path);
        let (status, facts) = self.status_of(stage, candidate, sign);
        let moment = self.clock.now();
        let tags = facts
            .as_ref()
            .map(|facts| self.decide.tags_of(facts, moment.for_settle()).map_err(|hold| hold.to_string()));
        Ok(Some(Explained { status, facts, tags }))
    }

    /// Explains a file that was bundled: whether its bundle was sent, and its tags as they resolve today.
    pub fn explain_bundled(&mut self, path: &RelPath) -> Option<(bool, Result<tags::Resolved, String>)> {
        let bundle = BundleFolder::of(path)?;
        let (sidecars, record) = (bundle.sidecars(), bundle.sidecar_of(path.file_name()));
        let bytes = self.decide.disk().read(&record, SIDECAR_BYTES_MAX).ok()?;
        let moment = self.clock.now();
        let tags = Sidecar::parse(&bytes).map_err(|error| format!("`{record}` cannot be read: {error}"));
        let tags = tags.and_then(|sidecar| {
            let xmp = foreign_xmp(self.decide.disk(), &sidecars, &path.file_text()).map_err(|hold| hold.to_string())?;
            self.decide.tags_of_bundled(&sidecar, xmp, moment.for_settle()).map_err(|hold| hold.to_string())
        });
        Some((is_sent(self.decide.disk(), bundle.path()).ok()?, tags))
    }

    /// Explains what lies in a folder that is left alone, or is one: nothing in it is looked at.
    fn left_alone_with_its_folder(&self, path: &RelPath) -> Result<Option<AssetStatus>, SurveyError> {
        let ignore = &self.decide.settings.settle.ignore;
        let Some((folder, rule)) = stage_of(path).and_then(|_| ignore.folder_above(path)) else { return Ok(None) };
        let is_folder = folder != *path
            || matches!(self.decide.disk().stat(path)?, Some(entry) if entry.what == crate::vault::What::Folder);
        Ok(is_folder.then(|| AssetStatus::LeftAlone(folder.clone(), rule.why(&folder.file_text()))))
    }

    /// Explains what lies in a folder that is no theme.
    fn explain_nobodys(&self, path: &RelPath) -> Result<Option<Explained>, SurveyError> {
        let Some(stage) = stage_of(path) else { return Ok(None) };
        let ignore = &self.decide.settings.settle.ignore;
        let now = self.clock.now().for_settle();
        let surveyed = survey(self.decide.vault.disk(), None, &stage.folder(), ignore, &self.insides, now)?;
        let odd = surveyed.odd.into_iter().find(|odd| path.is_in(&odd.path));
        Ok(odd.map(|odd| Explained { status: AssetStatus::LeftAlone(odd.path, odd.why), facts: None, tags: None }))
    }

    /// Returns the counts of every stage.
    pub fn counts(&mut self) -> Result<BTreeMap<Stage, StageCount>, SurveyError> {
        let mut counts: BTreeMap<Stage, StageCount> = Stage::ALL.map(|stage| (stage, StageCount::default())).into();
        for status in self.statuses(None)? {
            match status {
                AssetStatus::Planned(plan) => counts.entry(plan.about.stage).or_default().ready += 1,
                AssetStatus::Held(path, why) => {
                    let stage = stage_of(&path).expect("an inbox's file lies in a stage");
                    counts.entry(stage).or_default().held.push((path.to_string(), why));
                }
                AssetStatus::LeftAlone(path, why) => {
                    let stage = stage_of(&path).expect("an inbox's file lies in a stage");
                    counts.entry(stage).or_default().left_alone.push((path.to_string(), why));
                }
            }
        }
        Ok(counts)
    }

    /// Returns the folders that cannot be worked on, each with the reason.
    pub fn paused(&self) -> Vec<(String, String)> {
        self.pauses.all().map(|(area, why)| (area.to_string(), why.to_owned())).collect()
    }

    /// Returns the folders of all bundles, with the number of files in each and whether it was sent.
    pub fn bundles(&self) -> Vec<(RelPath, usize, bool)> {
        let disk = self.decide.disk();
        let look = |folder: RelPath| {
            // A NAS keeps folders of its own even there.
            let is_file = |(_, entry): &(_, crate::vault::Entry)| entry.what == crate::vault::What::File;
            let files = disk
                .list(&BundleFolder::new(folder.clone()).files())
                .map_or(0, |files| files.into_iter().filter(is_file).count());
            let sent = is_sent(disk, &folder).unwrap_or(false);
            (folder, files, sent)
        };
        bundle_names(disk, &self.decide.settings.upload.markets).iter().map(|name| look(name.folder())).collect()
    }

    /// Returns what was set aside, with the reason.
    pub fn set_aside(&self) -> Vec<(String, String)> {
        let disk = self.decide.disk();
        let failed = RelPath::new("failed").expect("a constant is a clean path");
        let Ok(walked) = crate::intake::walk(disk, &failed, &|_| true, &mut |_, _| ()) else { return Vec::new() };
        let reasons = walked.files.into_iter().filter(|found| found.path.file_text().ends_with(".reason.txt"));
        reasons
            .map(|found| {
                let text = disk.read(&found.path, 65536).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                let why = text.ok().and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_default();
                (found.path.to_string().trim_end_matches(".reason.txt").to_owned(), why)
            })
            .collect()
    }

    /// Returns the path of a real file as the root's areas name it.
    pub fn path_of(&self, real: &std::path::Path) -> Option<RelPath> {
        super::path_in(&self.layout, real)
    }

    fn here<'a>(&'a self, now: &'a Moment) -> Here<'a> {
        Here { now, pauses: &self.pauses, units: &self.units }
    }

    fn units(&self, start: Option<&RelPath>) -> Vec<RelPath> {
        let covers = |unit: &&RelPath| start.is_none_or(|start| start.area() == unit.area());
        self.units.iter().filter(covers).cloned().collect()
    }

    fn status_of(&mut self, stage: Stage, candidate: Candidate, sign: Option<&Sign>) -> (AssetStatus, Option<Facts>) {
        let moment = self.clock.now();
        let path = candidate.primary.path.clone();
        if !candidate.missing.is_empty() && !self.decide.is_released(&path, stage, candidate.primary.entry.identity) {
            return (AssetStatus::Held(path, candidate.missing.join("; ")), None);
        }
        let settled = match self.settle(stage, candidate, sign, &moment) {
            Ok(settled) => settled,
            Err(why) => return (AssetStatus::Held(path, why), None),
        };
        let is_document = match self.decide.is_document(&path, stage, moment.for_settle()) {
            Ok(is_document) => is_document,
            Err(hold) => return (AssetStatus::Held(path, hold.to_string()), None),
        };
        let facts = match inspect(self.decide.disk(), stage, &settled, is_document, &self.decide.limits()) {
            Ok(facts) => facts,
            Err(MakeError::Content(error)) => {
                return (AssetStatus::Held(path, format!("it would be set aside: {error}")), None);
            }
            Err(error) => return (AssetStatus::Held(path, error.to_string()), None),
        };
        let here = Here { now: &moment, pauses: &self.pauses, units: &self.units };
        let status = match self.decide.decide(&facts, here) {
            Ok(plan) => AssetStatus::Planned(Box::new(plan)),
            Err(Hold::Park(why)) => AssetStatus::Planned(Box::new(self.decide.park(&facts, &why, here))),
            Err(Hold::Ignored(why)) => AssetStatus::LeftAlone(path, why),
            Err(hold) => AssetStatus::Held(path, hold.to_string()),
        };
        (status, Some(facts))
    }

    /// Returns how a file stands that is no asset: a companion may still join the one that it goes with.
    fn status_alone(&mut self, odd: Odd) -> AssetStatus {
        let is_late = is_lonely(&odd) && self.decide.is_late(&odd.path);
        let Odd { path, why } = odd;
        let moment = self.clock.now();
        let Ok(Some(entry)) = self.decide.disk().stat(&path).map(|entry| entry.filter(|_| is_late)) else {
            return AssetStatus::LeftAlone(path, why);
        };
        let here = Here { now: &moment, pauses: &self.pauses, units: &self.units };
        match self.decide.decide_late(&path, &entry, here) {
            Ok((plan, _)) => AssetStatus::Planned(Box::new(plan)),
            Err(hold) => AssetStatus::Held(path, hold.to_string()),
        }
    }

    /// Judges a candidate by one look: where the kernel cannot tell of writers, its age must do.
    fn settle(
        &self,
        stage: Stage,
        candidate: Candidate,
        sign: Option<&Sign>,
        moment: &Moment,
    ) -> Result<crate::intake::Settled, String> {
        let settings = &self.decide.settings.settle;
        // What stays until a person lets it go on need not stand still to be explained.
        let primary = &candidate.primary;
        let is_shut = self.decide.shut(&primary.path, stage, primary.entry.identity, self.here(moment)).is_err();
        if stage == Stage::Ideas && !is_shut {
            let mut notes = Notes::new(settings.notes_quiet, settings.patience);
            if let Some(wait) = notes.judge(primary, sign, moment.for_settle()) {
                return Err(wait.why);
            }
        }
        let zero = Duration::ZERO;
        let (quiet, weak) = if is_shut { (zero, zero) } else { (settings.quiet, settings.weak_quiet) };
        let disk = self.decide.disk();
        let now = moment.for_settle();
        let age = candidate.files().map(|found| now.since(found.entry.identity.modified_ns)).min();
        let is_old = is_shut || age.is_some_and(|age| age >= settings.weak_quiet);
        let has_writer = |path: &RelPath| disk.has_writer(path).ok().flatten().or(is_old.then_some(false));
        let mut settle = Settle::new(quiet, weak, settings.patience);
        match settle.judge(candidate, false, moment.for_settle()) {
            Verdict::Still(still) => {
                let is_first_frame = may_be_first_frame(&still.candidate().primary, moment.for_settle())
                    && names_video_node(disk, &still.candidate().primary);
                let awaited = rest_awaited(still.candidate(), is_first_frame, Duration::ZERO, moment.for_settle());
                if let Some((_, why)) = awaited.filter(|_| !is_shut) {
                    return Err(why);
                }
                still.settled(&has_writer).map_err(|unsettled| settle.wait(&unsettled, moment.for_settle()).1)
            }
            Verdict::Wait { why, .. } => Err(why),
        }
    }
}
