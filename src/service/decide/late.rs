//! Companions that came after their asset had gone on: where that stands by now, and what joins it there.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Duration;

use super::foreign_xmp::foreign_xmp;
use super::record_settle::refused;
use super::{Decider, Here};
use crate::market::fit;
use crate::model::{AssetId, ContentHash, RelPath, Stage};
use crate::plan::{AssetFile, BundleFolder, BundleName, Facts, Hold, Late, Named, Plan, Says, plan_join};
use crate::records::{SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
use crate::service::clock::Moment;
use crate::service::ledger::Seen;
use crate::service::sent::{bundle_of, is_sent};
use crate::service::survey::stage_of;
use crate::vault::Entry;

/// The largest companion that joins late: it is read to say what it was.
const COMPANION_BYTES_MAX: u64 = 16 << 20;
/// Whoever comes within this time after its asset went on was dropped with it.
const TOGETHER_S: i64 = 60;
/// A name that was used long ago may be used again: for so long a companion waits for another asset of its name.
const NEXT_OF_NAME: Duration = Duration::from_secs(30);

impl Decider {
    /// Returns whether an asset that a companion names went on before.
    pub(in crate::service) fn is_late(&self, companion: &RelPath) -> bool {
        self.ledger.named_by(companion).is_some()
    }

    /// Returns for how long a companion that was just found waits for another asset of its name, and says so.
    pub(in crate::service) fn wait_for_next(
        &self,
        companion: &RelPath,
        entry: &Entry,
        moment: &Moment,
    ) -> Option<(Duration, String)> {
        let (seen, _) = self.ledger.named_by(companion)?;
        let after_s = entry.changed_ns / 1_000_000_000 - seen.last.as_second();
        let pause = if after_s <= TOGETHER_S { self.settings.settle.quiet } else { NEXT_OF_NAME };
        let left = pause.saturating_sub(moment.since(entry.changed_ns));
        let at = seen.places.first()?;
        let why = format!(
            "its asset went on before it came, and stands as `{at}`; it joins that soon, unless another of its name comes"
        );
        (!left.is_zero()).then_some((left, why))
    }

    /// Decides how a companion joins the asset that went on before it came, and takes that asset in hand.
    pub(in crate::service) fn decide_late(
        &mut self,
        path: &RelPath,
        entry: &Entry,
        here: Here<'_>,
    ) -> Result<(Plan, Facts), Hold> {
        let Some((seen, named)) = self.ledger.named_by(path) else {
            return Err(Hold::Ignored("no asset of its name was ever here".to_owned()));
        };
        let stage = stage_of(path).expect("a companion lies in a stage");
        self.free_to_join(path, stage, &seen, here)?;
        let files = self.standing(&seen, here.now)?;
        let late = self.read_late(path, entry, named)?;
        if self.ledger.is_undone(path, &late.hash) && !self.is_released(path, stage, entry.identity) {
            let handling = format!("let it go on with `stockmill release {stage}`, or move it");
            return Err(Hold::Waits(format!("it was brought back by `stockmill undo`; {handling}")));
        }
        let mut places = Vec::new();
        for file in files {
            places.push(self.place_of(file, &late, &seen.id, here.now)?);
        }
        let plan = self.with_context(here, &[], None, &BTreeMap::new(), &[], |context| {
            plan_join(&late, &seen.id, &places, context.now, context.taken)
        })?;
        self.take_in_hand(&plan);
        Ok((plan, facts(&late, stage, entry)))
    }

    /// Refuses for as long as something else is done with the companion or its asset.
    fn free_to_join(&mut self, path: &RelPath, stage: Stage, seen: &Seen, here: Here<'_>) -> Result<(), Hold> {
        let stages = seen.places.iter().filter_map(stage_of);
        std::iter::once(stage).chain(stages).try_for_each(|stage| here.paused(stage))?;
        if let Some(why) = std::iter::once(path).chain(&seen.places).find_map(|path| self.blocked.get(path)) {
            return Err(Hold::Blocked(format!("a step of its asset was cut off: {why}")));
        }
        if let Some(other) = self.reserved.in_hand_as(std::iter::once(&seen.id), path) {
            return Err(Hold::Twin(format!("its asset is being worked on as `{other}`")));
        }
        Ok(())
    }

    /// Returns the files of an asset that may still change.
    fn standing(&self, seen: &Seen, moment: &Moment) -> Result<Vec<RelPath>, Hold> {
        let Some(at) = seen.places.first() else {
            return Err(Hold::Ignored("its asset was here before, and nobody knows where it stands".to_owned()));
        };
        let (mut standing, mut sent) = (Vec::new(), None);
        for place in &seen.places {
            let cannot = |why: String| Hold::Waits(format!("its asset `{place}` cannot be looked at now: {why}"));
            if self.is_gone(place).map_err(cannot)? {
                continue;
            }
            match bundle_of(place) {
                Some(bundle) if is_sent(self.disk(), &bundle).map_err(|error| cannot(error.to_string()))? => {
                    sent = Some(place);
                }
                _ => standing.push(place.clone()),
            }
        }
        match (standing.is_empty(), sent) {
            (true, Some(sent)) => Err(Hold::Ignored(format!("it came too late: its asset was sent as `{sent}`"))),
            (true, None) => {
                let last = seen.last.to_zoned_datetime(moment.local.time_zone().clone()).date();
                Err(Hold::Ignored(format!("its asset was last seen as `{at}` on {last}, and is gone since")))
            }
            // An original stays as it was dropped.
            (false, _) if standing.iter().all(|place| place.area() == "archive") => Err(Hold::Ignored(format!(
                "it came too late: its asset went away, and only its original is left, `{at}`"
            ))),
            (false, _) => Ok(standing),
        }
    }

    fn read_late(&self, path: &RelPath, entry: &Entry, named: Named) -> Result<Late, Hold> {
        let read = self.disk().read(path, COMPANION_BYTES_MAX).map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge => {
                Hold::Ignored(format!("it is too large to join its asset late ({}); move it by hand", error.source))
            }
            _ => refused(path, &error),
        });
        let bytes = read?;
        let hash = ContentHash::of(&bytes);
        let is_own = named == Named::Whole && path.file_text().ends_with(SIDECAR_SUFFIX);
        let cannot = |why: &dyn std::fmt::Display| {
            Hold::Ignored(format!("it came after its asset had gone on, and cannot be read: {why}; mend it"))
        };
        let mut remarks = Vec::new();
        let says = if is_own {
            Says::Sidecar(Box::new(Sidecar::parse(&bytes).map_err(|error| cannot(&error))?))
        } else if path.extension() == "xmp" {
            let foreign = crate::craft::read_foreign_xmp(&bytes).map_err(|error| cannot(&error))?;
            remarks = foreign.told;
            Says::Xmp(foreign.tags)
        } else {
            Says::Nothing
        };
        Ok(Late { path: path.clone(), seen: entry.identity, hash, named, says, remarks })
    }

    /// Looks at a file of the asset: its record, and for one in a bundle the tags that it will have.
    fn place_of(&mut self, file: RelPath, late: &Late, id: &AssetId, moment: &Moment) -> Result<AssetFile, Hold> {
        let folder = BundleFolder::of(&file).map(|bundle| bundle.sidecars());
        let path = folder.as_ref().map_or_else(|| file.clone(), |folder| folder.join(file.file_name()));
        let path = path.with_suffix(SIDECAR_SUFFIX);
        let bytes = match self.disk().read(&path, SIDECAR_BYTES_MAX) {
            Ok(bytes) => bytes,
            // What was set aside or brought back before it had one.
            Err(error) if error.kind() == ErrorKind::NotFound && folder.is_none() => {
                return Ok(AssetFile { path: file, record: None, meta: None });
            }
            Err(error) => return Err(refused(&path, &error)),
        };
        let record = Sidecar::parse(&bytes);
        let record =
            record.map_err(|error| Hold::Unreadable(format!("its asset's `{path}` cannot be read: {error}")))?;
        if record.id.as_ref() != Some(id) {
            return Err(Hold::Ignored(format!("its asset stood as `{file}`, where another one stands now")));
        }
        let meta = match &folder {
            None => None,
            Some(folder) => {
                let xmp = match &late.says {
                    Says::Xmp(tags) => Some(tags.clone()),
                    _ => foreign_xmp(self.disk(), folder, &file.file_text())?,
                };
                let tags = self.tags_of_bundled(&late.joined_to(&record), xmp, moment.for_settle())?;
                let market = BundleName::of(&file).and_then(|name| self.settings.upload.market(&name.market));
                Some(market.map_or_else(|| tags.meta(), |market| fit(market, &tags.meta()).meta))
            }
        };
        Ok(AssetFile { path: file, record: Some((path, bytes, record)), meta })
    }
}

/// Returns what is known of a companion, so that it is handled like a file that was dropped.
fn facts(late: &Late, stage: Stage, entry: &Entry) -> Facts {
    let bare = Facts::bare(late.path.clone(), stage, late.seen, entry.changed_ns);
    Facts { hash: late.hash.clone(), ..bare }
}
