//! What `status` shows: counts of every stage, and what stays where it is, by stage, theme and reason.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::sync::Arc;

use serde::Serialize;

use super::{AssetStatus, View, is_sent};
use crate::market::with_rows;
use crate::model::{ContentHash, RelPath, Stage, alike, shape, told_as_one};
use crate::plan::{BundleFolder, BundleName, Plan, REASON};
use crate::records::{Deliveries, DeliveryStep, row_sum};
use crate::service::decide::{all_bundles, manifest_of, rows_of, unsent_told, without_file, without_row};
use crate::service::send::sendings;
use crate::service::sent::{NEVER_THERE, place_of};
use crate::service::survey::stage_of;
use crate::service::why::{Why, WhyKind};
use crate::vault::{Entry, What, read_delivery_log};

/// A file that stays where it is, why, and the word for that kind of reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line(pub String, pub String, pub &'static str);

impl Line {
    fn new(path: &RelPath, why: &Why) -> Self {
        Self(path.to_string(), why.to_string(), why.kind.word())
    }
}

/// The counts of one stage.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct StageCount {
    /// Why nobody can see what lies in it; then all counts are of nothing.
    pub unseen: Option<String>,
    /// Assets that would go on now.
    pub ready: usize,
    /// Assets that wait, with the reason.
    pub held: Vec<Line>,
    /// Files that are left alone, with the reason.
    pub left_alone: Vec<Line>,
    /// Assets that would be set aside now, with the reason.
    pub to_set_aside: Vec<Line>,
}

/// Files of one folder that stay for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The stage or the theme's folder in it.
    pub folder: RelPath,
    /// Why they stay.
    pub why: Why,
    /// The files.
    pub files: Vec<RelPath>,
}

/// How everything in the inboxes stands.
#[derive(Debug, Default)]
pub struct Overview {
    /// The counts of every stage.
    pub stages: BTreeMap<Stage, StageCount>,
    /// What is held, first what needs a person's hand.
    pub held: Vec<Group>,
    /// What will keep files from markets that nothing holds for that yet, or may do so: each reason with them.
    pub ahead: Vec<(String, Vec<RelPath>)>,
    /// What is left alone.
    pub left_alone: Vec<Group>,
    /// What would be set aside.
    pub to_set_aside: Vec<Group>,
    /// What was set aside.
    pub set_aside: Vec<Group>,
}

/// How a bundle stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleStatus {
    /// Its folder.
    pub folder: RelPath,
    /// How many files lie in it, with their sidecars.
    pub files: usize,
    /// How many lie there without one: stockmill did not bundle them, or knows nothing of them any more.
    pub without_sidecar: usize,
    /// How many of them were delivered to the market's server, or why nobody can tell.
    pub delivered: Result<usize, String>,
    /// Of one that is not sent, how many of these are others by now, or have another row than the market got.
    pub changed: usize,
    /// Whether it was sent.
    pub sent: bool,
    /// Of a sent one, the files that have no row in its manifest, or why that cannot be told.
    pub without_row: Result<Vec<RelPath>, String>,
    /// Of a sent one, the files that have a row in its manifest, and did not go with it, or why that cannot be told.
    pub without_file: Result<Vec<RelPath>, String>,
}

impl View {
    /// Returns how everything in the inboxes stands.
    pub fn overview(&mut self) -> Overview {
        let mut stages: BTreeMap<Stage, StageCount> = Stage::ALL.map(|stage| (stage, StageCount::default())).into();
        let (mut held, mut left_alone, mut to_set_aside) = <(Groups, Groups, Groups)>::default();
        let mut unsure: Vec<(String, RelPath)> = Vec::new();
        let statuses = self.statuses(None);
        let has_reason: HashSet<RelPath> = statuses.iter().filter_map(with_own_reason).collect();
        for status in statuses {
            let count = stages.entry(status.stage()).or_default();
            match status {
                AssetStatus::Planned(plan) => {
                    if let Some((path, why)) = to_failed(&plan) {
                        count.to_set_aside.push(Line::new(&path, &why));
                        to_set_aside.add(path, why);
                    } else {
                        count.ready += 1;
                        let from = plan.about.from.iter();
                        unsure.extend(from.flat_map(|from| plan.unsure.iter().map(|why| (why.clone(), from.clone()))));
                    }
                }
                AssetStatus::Held(path, why) => {
                    count.held.push(Line::new(&path, &why));
                    held.add(path, why);
                }
                AssetStatus::LeftAlone(path, why) => {
                    let why = Why::new(WhyKind::Unknown, &why);
                    count.left_alone.push(Line::new(&path, &why));
                    left_alone.add(path, why);
                }
                AssetStatus::Unseen(_, why) => count.unseen = Some(why),
            }
        }
        for (stage, why) in self.decide.unread_gate_days() {
            let (folder, why) = (stage.folder(), Why::new(WhyKind::Record, &why));
            stages.entry(stage).or_default().held.push(Line::new(&folder, &why));
            held.add(folder, why);
        }
        for (folder, why) in self.troubled_bundles() {
            stages.entry(Stage::Upload).or_default().held.push(Line::new(&folder, &why));
            held.add(folder, why);
        }
        let mut set_aside = Groups::default();
        for (path, why) in self.set_aside() {
            set_aside.add(path, Why::new(WhyKind::Person, &why));
        }
        Overview {
            stages,
            held: held.sorted(),
            ahead: [alike(unsure), self.ahead(&|path| has_reason.contains(path))].concat(),
            left_alone: left_alone.sorted(),
            to_set_aside: to_set_aside.sorted(),
            set_aside: set_aside.sorted(),
        }
    }

    /// Returns the folders that cannot be worked on, each with the reason.
    pub fn paused(&self) -> Vec<(RelPath, String)> {
        self.pauses.all().map(|(area, why)| (area.clone(), why.to_owned())).collect()
    }

    /// Returns all bundles, by day and market.
    pub fn bundles(&self) -> Vec<BundleStatus> {
        let (disk, settings) = (self.decide.disk(), &*self.decide.settings);
        let recorded = sendings(&self.records);
        let known = read_delivery_log(disk).map_err(|error| error.to_string());
        let look = |name: &BundleName| {
            let place = place_of(disk, name).ok().flatten();
            let folder = place.unwrap_or_else(|| name.folder());
            // A NAS keeps folders of its own even there.
            let is_file = |(_, entry): &(_, Entry)| entry.what == What::File;
            let bundle = BundleFolder::new(folder.clone());
            let within = bundle.files();
            let known_of: BTreeSet<_> =
                disk.list(&bundle.sidecars()).unwrap_or_default().into_iter().map(|(name, _)| name).collect();
            let has_sidecar = |(name, _): &(_, Entry)| known_of.contains(bundle.sidecar_of(name).file_name());
            let files = disk.list(&within).unwrap_or_default().into_iter().filter(is_file);
            let (files, others): (Vec<_>, Vec<_>) = files.partition(has_sidecar);
            let of = |known: &Deliveries| {
                files.iter().filter(|(name, _)| known.delivered(&within.join(name)).is_some()).count()
            };
            let delivered = known.as_ref().map(of).map_err(Clone::clone);
            let sent = is_sent(disk, &folder).unwrap_or(false);
            let changed = if sent { 0 } else { self.changed_since(known.as_ref().ok(), name, &within, &files) };
            let without_row = if sent { without_row(disk, settings, name) } else { Ok(Vec::new()) };
            let missing = || match recorded.get(&name.folder()) {
                // What was there when it was sent may be deleted since.
                Some(sending) => rows_of(disk, settings, name, &folder).map(|rows| {
                    let went: BTreeSet<&str> = sending.files.iter().map(|file| file.name.as_str()).collect();
                    rows.into_iter().filter(|row| !went.contains(row.as_str())).collect()
                }),
                None => without_file(disk, settings, name, &folder),
            };
            let missing: Result<Vec<String>, _> = if sent { missing() } else { Ok(Vec::new()) };
            let without_file = missing.map(|names| names.iter().map(|name| within.join(name)).collect());
            BundleStatus {
                folder,
                files: files.len(),
                without_sidecar: others.len(),
                delivered,
                changed,
                sent,
                without_row: without_row.map_err(|hold| hold.to_string()),
                without_file: without_file.map_err(|hold| hold.to_string()),
            }
        };
        let markets = &settings.upload.markets;
        all_bundles(disk, markets).iter().map(look).collect()
    }

    /// Returns how many files of a bundle changed after they were delivered, or their rows did: nothing goes twice by itself. One
    /// that cannot be read may have.
    fn changed_since(
        &self,
        known: Option<&Deliveries>,
        name: &BundleName,
        within: &RelPath,
        files: &[(OsString, Entry)],
    ) -> usize {
        let Some(known) = known else { return 0 };
        let (disk, went, mut now) = (self.decide.disk(), known.delivered_rows(&name.folder()), BTreeMap::new());
        let market = self.decide.settings.upload.market(&name.market).filter(|_| !went.is_empty());
        for part in market.map_or_else(Vec::new, |_| manifest_of(disk, name).unwrap_or_default()) {
            let mut see = |file: &str, row: &[u8]| {
                now.entry(file.to_owned()).or_insert_with(|| row_sum(row));
                false
            };
            let _ = market.map(|market| with_rows(market, &part.bytes, &mut see));
        }
        let is_at_market =
            |hash: &ContentHash| known.of(&name.market, hash).is_some_and(|went| went.step == DeliveryStep::Delivered);
        let is_changed = |(file, entry): &&(OsString, Entry)| {
            let path = within.join(file);
            let Some(was) = known.delivered(&path) else { return false };
            let is_as_it_went = (was.bytes, was.modified_ns) == (entry.identity.size, entry.identity.modified_ns);
            let row = went.get(&path.file_text()).zip(now.get(&path.file_text()));
            row.is_some_and(|(went, now)| went != now)
                || !is_as_it_went && !disk.hash(&path).is_ok_and(|hash| hash == was.hash || is_at_market(&hash))
        };
        files.iter().filter(is_changed).count()
    }

    /// Returns the files of which a manifest that was sent has rows, and which did not go with it.
    pub fn without_file(&self, bundles: &[BundleStatus]) -> Vec<Group> {
        let mut groups = Groups::default();
        let why = Why::new(WhyKind::Person, NEVER_THERE);
        let files = bundles.iter().flat_map(|bundle| bundle.without_file.iter().flatten());
        files.for_each(|file| groups.add(file.clone(), why.clone()));
        groups.sorted()
    }

    /// Returns the files that sent bundles have and their manifests do not.
    pub fn without_row(&mut self, bundles: &[BundleStatus]) -> Vec<Group> {
        let mut groups = Groups::default();
        let why = |why: &str| Why::new(WhyKind::Person, why);
        let some = |bundle: &&BundleStatus| bundle.without_row.as_ref().map_or(true, |files| !files.is_empty());
        for bundle in bundles.iter().filter(some) {
            let Some(name) = BundleName::of(&bundle.folder) else { continue };
            match self.decide.without_row(&name, &self.clock.now()) {
                Ok(files) => {
                    let told = files.into_iter().map(|(file, against)| (file, unsent_told(against.as_ref())));
                    told.for_each(|(file, told)| groups.add(file, why(&told)));
                }
                Err(hold) => groups.add(bundle.folder.join("files"), why(&hold.to_string())),
            }
        }
        groups.sorted()
    }

    /// Returns what was set aside, with the reason. A note whose file was taken back by hand counts no more.
    pub fn set_aside(&self) -> Vec<(RelPath, String)> {
        let disk = self.decide.disk();
        let failed = RelPath::new("failed").expect("a constant is a clean path");
        let Ok(walked) = crate::intake::walk(disk, &failed, &|_| true, &mut |_, _| ()) else { return Vec::new() };
        let aside = walked.files.into_iter().filter_map(|found| {
            let name = found.path.file_text();
            let file = found.path.sibling(name.strip_suffix(REASON)?);
            let is_gone = matches!(disk.stat(&file), Ok(None));
            (!is_gone).then(|| (file, self.first_line(&found.path)))
        });
        aside.collect()
    }

    /// Returns the first line of a text of our own.
    pub(super) fn first_line(&self, path: &RelPath) -> String {
        match self.decide.disk().read(path, 65536) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned(),
            Err(error) => format!("`{path}` cannot be read: {}", error.source),
        }
    }
}

/// Returns the file that a status is about if it stays for something in itself: what markets will say of it is no matter yet.
fn with_own_reason(status: &AssetStatus) -> Option<RelPath> {
    let passes = |why: &Why| matches!(why.kind, WhyKind::Gate | WhyKind::Paused | WhyKind::Room | WhyKind::Settling);
    match status {
        AssetStatus::Planned(plan) => to_failed(plan).map(|(path, _)| path),
        AssetStatus::Held(path, why) => (!passes(why)).then(|| path.clone()),
        AssetStatus::LeftAlone(..) | AssetStatus::Unseen(..) => None,
    }
}

/// Returns what a plan sets aside, and why.
pub(super) fn to_failed(plan: &Plan) -> Option<(RelPath, Why)> {
    let is_failed = plan.about.to.as_ref().is_some_and(|to| to.area() == "failed");
    let from = plan.about.from.clone().filter(|_| is_failed)?;
    let why = plan.about.did.strip_prefix("set aside: ").unwrap_or(&plan.about.did);
    Some((from, Why::new(WhyKind::Person, why)))
}

/// Groups by kind of reason, folder and reason, whatever its figures are.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<(WhyKind, RelPath, String), (BTreeSet<Arc<str>>, Vec<RelPath>)>);

impl Groups {
    pub(super) fn add(&mut self, path: RelPath, why: Why) {
        let (texts, files) = self.0.entry((why.kind, folder_of(&path), shape(&why.text))).or_default();
        texts.insert(why.text);
        files.push(path);
    }

    /// Returns them, first what needs a person's hand, and of those what most files wait for.
    pub(super) fn sorted(self) -> Vec<Group> {
        let groups = self.0.into_iter().map(|((kind, folder, _), (texts, files))| {
            let why = Why::new(kind, &told_as_one(texts.iter().map(|text| &**text)));
            Group { folder, why, files }
        });
        let mut groups: Vec<Group> = groups.collect();
        groups.sort_by_key(|group| (group.why.kind, std::cmp::Reverse(group.files.len())));
        groups
    }
}

/// Returns the theme's folder that a file lies in, or its stage; what was set aside is kept by both.
fn folder_of(path: &RelPath) -> RelPath {
    let depth = if stage_of(path).is_some() { 2 } else { 3 };
    let mut folder = path.parent().unwrap_or_else(|| path.clone());
    while folder.parts().count() > depth {
        folder = folder.parent().expect("a path of more than one part has a parent");
    }
    folder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_hand_stands_first_and_what_is_alike_is_one_group() {
        let mut groups = Groups::default();
        let rows = [
            ("keep/t/a.png", WhyKind::Gate, "shut"),
            ("keep/t/in/b.png", WhyKind::Gate, "shut"),
            ("keep/u/c.png", WhyKind::Gate, "shut"),
            ("raw/d.png", WhyKind::Record, "broken"),
            ("failed/raw/t/e.png", WhyKind::Tags, "no title"),
            ("raw/t/f.png", WhyKind::Tags, "no keywords"),
            ("raw/t/g.png", WhyKind::Tags, "no keywords"),
            // A line was told for each number of bytes.
            ("raw/u/h.png", WhyKind::Tags, "it has 7 bytes"),
            ("raw/u/i.png", WhyKind::Tags, "it has 30 bytes"),
        ];
        for (path, kind, why) in rows {
            groups.add(RelPath::new(path).unwrap(), Why::new(kind, why));
        }
        let shown: Vec<String> = groups
            .sorted()
            .iter()
            .map(|group| format!("{} {} {}", group.folder, group.files.len(), group.why))
            .collect();
        assert_eq!(
            shown,
            [
                "raw 1 broken",
                "raw/t 2 no keywords",
                "raw/u 2 it has 7 to 30 bytes",
                "failed/raw/t 1 no title",
                "keep/t 2 shut",
                "keep/u 1 shut"
            ]
        );
    }
}
