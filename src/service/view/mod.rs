//! A look at a root that changes nothing: what `plan`, `status` and `explain` show.

mod advice;
mod ahead;
mod answers;
mod bundle_plans;
mod bundled;
mod elsewhere;
mod explain;
mod forecast;
mod judge;
mod names;
mod open_bundles;
mod overview;
mod stale;

pub use advice::Unwise;
pub use answers::{AnswerCount, dealing_with, dealt_assets};
pub use explain::Explained;
pub use forecast::Future;
pub use overview::{BundleStatus, Group, Line, Overview, StageCount};

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::clock::{Clock, Moment};
use super::decide::{Decider, Here, OpenBundle, ThemeVerdict, judge_gone, themes_without_tags};
use super::ledger::Ledger;
use super::pauses::{Cause, Pauses, lacks_room};
use super::sent::is_sent;
use super::survey::{Surveyed, look_into, stage_of};
use super::units::Units;
use super::why::{Why, WhyKind};
use super::{ServiceError, areas, layout};
use crate::config::Settings;
use crate::make::Insides;
use crate::model::{RelPath, Stage};
use crate::plan::Plan;
use crate::records::{Note, Record};
use crate::vault::{Detached, DiskError, Journal, Layout, Lock, RealDisk, Vault};
use advice::TagLook;
use judge::Beside;

/// A look at a root that changes nothing. It decides with the same functions as the daemon.
#[derive(Debug)]
pub struct View {
    decide: Decider,
    pauses: Pauses,
    /// The stages that nobody can look into, and why.
    unseen: BTreeMap<Stage, String>,
    units: Units,
    insides: Insides,
    layout: Layout,
    clock: Clock,
    /// What goes on by the look so far.
    planned: Vec<Plan>,
    /// The journal.
    records: Vec<Record>,
    /// What the tags of files look like.
    tag_look: TagLook,
    /// The bundles that are not sent, once they were looked at.
    open_bundles: Option<Vec<OpenBundle>>,
    /// Whether it shows all by the default settings, since those of the root cannot be used.
    is_by_defaults: bool,
}

/// How one file stands.
#[derive(Debug)]
pub enum AssetStatus {
    /// This would be done next.
    Planned(Box<Plan>),
    /// It stays where it is.
    Held(RelPath, Why),
    /// It is left alone.
    LeftAlone(RelPath, String),
    /// What lies in this stage cannot be seen.
    Unseen(Stage, String),
}

impl AssetStatus {
    /// Returns the stage that it is about.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Planned(plan) => plan.about.stage,
            Self::Unseen(stage, _) => *stage,
            Self::Held(path, _) | Self::LeftAlone(path, _) => {
                stage_of(path).expect("what is looked at lies in a stage")
            }
        }
    }
}

impl View {
    /// Opens a root for looking.
    pub fn open(settings: Settings) -> Result<Self, ServiceError> {
        Self::open_at(settings, &Clock::start().now())
    }

    /// Opens a root for looking at a time.
    pub(in crate::service) fn open_at(settings: Settings, now: &Moment) -> Result<Self, ServiceError> {
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
        decide.look_at_places_once();
        let clock = Clock::start();
        decide.releases = super::release::Releases::in_force(decide.disk(), now.timestamp());
        decide.read_gate_days();
        // What a start would remember is not kept by one who only looks.
        drop(decide.see_gate_days(now));
        let free_min = decide.settings.work.free_mib_min << 20;
        let mut pauses = Pauses::default();
        let mut unseen = BTreeMap::new();
        for area in &areas {
            let attached = decide.disk().attach(area);
            let is_there = attached.is_ok() || matches!(attached, Err(Detached::ReadOnly(_)));
            let room = || lacks_room(decide.disk().space(area).ok()?, 0, free_min);
            let Some(why) = attached.err().map(|detached| detached.to_string()).or_else(room) else { continue };
            if let Some(stage) = stage_of(area).filter(|_| !is_there) {
                unseen.insert(stage, why.clone());
            }
            pauses.pause(area, why, 0, Cause::Seen, Duration::ZERO);
        }
        let mut units = Units::default();
        // A full disk is no reason not to look.
        let stages: Vec<Stage> = Stage::ALL.into_iter().filter(|stage| !unseen.contains_key(stage)).collect();
        units.find_all(decide.disk(), &stages, &decide.settings.settle.ignore);
        // What the daemon is about to forget gives no tags here either.
        let suspects = themes_without_tags(decide.disk()).into_iter().map(|theme| (false, theme)).collect();
        for (theme, verdict) in judge_gone(decide.disk(), suspects) {
            if matches!(verdict, ThemeVerdict::Forget(_)) {
                decide.forget_theme(theme);
            }
        }
        let insides = Insides::default();
        Ok(Self {
            decide,
            pauses,
            unseen,
            units,
            insides,
            layout,
            clock,
            planned: Vec::new(),
            records,
            tag_look: TagLook::default(),
            open_bundles: None,
            is_by_defaults: false,
        })
    }

    /// Takes note that the settings of the root cannot be used, and that it shows all by the default ones.
    pub fn shows_defaults(&mut self) {
        self.is_by_defaults = true;
    }

    /// Returns whether a daemon works on the root.
    pub fn has_daemon(&self) -> bool {
        Lock::is_held(&self.layout.home())
    }

    /// Returns what is read in a file of `ideas`, whether it goes on now or not.
    pub fn note(&self, path: &RelPath) -> Option<Note> {
        self.decide.read_note(path).ok().filter(|_| stage_of(path) == Some(Stage::Ideas))
    }

    /// Returns how everything below `start` stands, or everything in the inboxes.
    pub fn statuses(&mut self, start: Option<&RelPath>) -> Vec<AssetStatus> {
        let is_covered = |stage: &Stage| start.is_none_or(|start| stage_of(start) == Some(*stage));
        let unseen = self.unseen.iter().filter(|(stage, _)| is_covered(stage));
        let mut statuses: Vec<AssetStatus> =
            unseen.map(|(stage, why)| AssetStatus::Unseen(*stage, why.clone())).collect();
        let mut looked = Vec::new();
        for unit in self.units(start) {
            match self.look(&unit) {
                Err(error) => statuses.push(AssetStatus::Held(unit, Why::new(WhyKind::Refused, &error.to_string()))),
                Ok(surveyed) => looked.push(surveyed),
            }
        }
        let covers = |path: &RelPath| start.is_none_or(|start| path.is_in(start) || start.is_in(path));
        let mut broken = Vec::new();
        for mut surveyed in looked {
            broken.extend(self.broken_tags(&surveyed).into_iter().filter(|(path, _)| covers(path)));
            let candidates = std::mem::take(&mut surveyed.candidates);
            let odd = surveyed.odd.clone();
            let beside = Beside::new(&surveyed);
            for candidate in candidates.into_iter().filter(|c| covers(&c.primary.path)) {
                let (status, facts) = self.judge(&beside, &candidate);
                if let Some(facts) = facts.filter(|facts| facts.stage != Stage::Ideas) {
                    self.look_at_tags(&facts);
                }
                if let AssetStatus::LeftAlone(path, _) = &status {
                    let why = format!("it goes with `{}`, which is left alone", path.file_text());
                    let with_it = candidate.files().filter(|found| found.path != *path);
                    statuses.extend(with_it.map(|found| AssetStatus::LeftAlone(found.path.clone(), why.clone())));
                }
                statuses.push(status);
            }
            for odd in odd.into_iter().filter(|odd| covers(&odd.path)) {
                statuses.push(self.judge_alone(&beside, odd));
            }
        }
        // A broken file of tags that nothing is held for yet would be told nowhere.
        for (path, why) in broken {
            let tells =
                |status: &AssetStatus| matches!(status, AssetStatus::Held(_, other) if other.text.contains(&*why.text));
            if !statuses.iter().any(tells) {
                statuses.push(AssetStatus::Held(path, why));
            }
        }
        statuses
    }

    /// Returns the files of tags in a unit that keep their theme waiting, and why.
    fn broken_tags(&mut self, surveyed: &Surveyed) -> Vec<(RelPath, Why)> {
        let now = self.clock.now().for_settle();
        let tags = surveyed.tag_folders.iter().filter(|(_, seen)| seen.is_some()).map(|(at, _)| at.join("tags.yaml"));
        tags.filter_map(|tags| {
            let hold = self.decide.why_unread(&tags, now)?;
            Some((tags, Why::of(&hold)))
        })
        .collect()
    }

    /// Looks at one unit, and remembers what its files of tags keep waiting.
    fn look(&mut self, unit: &RelPath) -> Result<Surveyed, DiskError> {
        let now = self.clock.now().for_settle();
        let ignore = &self.decide.settings.settle.ignore;
        let mut surveyed = look_into(self.decide.vault.disk(), None, unit, ignore, &self.insides, now)?;
        if *unit == Stage::Upload.folder() {
            surveyed.odd.extend(self.decide.renamed_bundles());
        }
        self.decide.take_near_misses(unit, &surveyed.near_misses);
        Ok(surveyed)
    }

    /// Returns the path of a real file as the root's areas name it; what lies in no area is named by its path in the
    /// root.
    pub fn path_of(&self, real: &Path) -> Option<RelPath> {
        let in_root = || RelPath::new(real.strip_prefix(&self.layout.root).ok()?).ok();
        let real_root = || {
            let below = real.strip_prefix(self.layout.root.canonicalize().ok()?).ok()?.to_owned();
            super::path_in(&self.layout, &self.layout.root.join(&below)).or_else(|| RelPath::new(below).ok())
        };
        super::path_in(&self.layout, real).or_else(in_root).or_else(real_root)
    }

    /// Returns the root's folder.
    pub fn root(&self) -> &Path {
        &self.layout.root
    }

    /// Returns whether a path as a person types it is the root.
    pub fn is_root(&self, typed: &Path) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        real(typed).is_some_and(|typed| real(&self.layout.root) == Some(typed))
    }

    /// Returns whether a path begins with a folder of the root, or with something that lies in it.
    pub fn is_known(&self, path: &RelPath) -> bool {
        let area = path.area_path();
        areas().contains(&area) || self.layout.real_path(&area).symlink_metadata().is_ok()
    }

    fn here<'a>(&'a self, now: &'a Moment) -> Here<'a> {
        Here { now, pauses: &self.pauses, units: &self.units }
    }

    fn units(&self, start: Option<&RelPath>) -> Vec<RelPath> {
        let is_seen = |unit: &RelPath| stage_of(unit).is_none_or(|stage| !self.unseen.contains_key(&stage));
        let covers = |unit: &&RelPath| is_seen(unit) && start.is_none_or(|start| start.area() == unit.area());
        self.units.iter().filter(covers).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
