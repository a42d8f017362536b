//! What is to be written anew in an open bundle: as long as something has that open, or it cannot be written, the bundle says
//! something else than its tags and files do.

use std::sync::Arc;

use super::bundle_files::{manifest_of, strangers};
use super::bundle_texts::BundleTexts;
use super::bundles::{Bundles, Inside};
use super::elsewhere::Places;
use super::measures::Known;
use super::record_settle::refused;
use super::tags::SharedTags;
use crate::config::Settings;
use crate::intake::Now;
use crate::market::Market;
use crate::model::RelPath;
use crate::plan::{BundleFolder, BundleName, Delivered, Hold, Plan, list_record, plan_manifest};
use crate::records::Deliveries;
use crate::vault::{Look, read_delivery_log};

impl Bundles<'_> {
    /// Plans the manifest and the list of a bundle in a folder; `None` if nothing would change.
    pub(super) fn lists(
        &self,
        (name, folder, market): (&BundleName, &RelPath, &Market),
        inside: &mut Inside,
        strangers: &[String],
        record: &Result<Deliveries, String>,
        known: &mut Known,
    ) -> Result<Option<Plan>, Hold> {
        self.judge(name, &mut inside.assets, known);
        let texts = BundleTexts::read(self.disk, name, folder)?;
        let is_going_on = self.settings.upload.delivery.contains_key(&name.market);
        let delivered = Delivered::of(record, folder, is_going_on);
        let plan = plan_manifest(name, market, &inside.assets, strangers, &delivered, &texts.existing());
        plan.map_err(|error| Hold::Waits(error.to_string()))
    }

    /// Returns the files of an open bundle that stockmill has yet to write anew, but for its own notes on what is ticked. Without
    /// any manifest no file has a row, which is told of each.
    pub(super) fn behind(&mut self, name: &BundleName) -> Result<Vec<RelPath>, Hold> {
        let Some(market) = self.market(name).cloned() else { return Ok(Vec::new()) };
        let folder = self.folder(name)?.path().clone();
        let mut inside = self.assets(name)?;
        let strangers = strangers(self.disk, &self.settings.settle.ignore, &folder, &inside.assets)?;
        let record = read_delivery_log(self.disk).map_err(|error| error.to_string());
        let known = &mut Known::default();
        let lists = self.lists((name, &folder, &market), &mut inside, &strangers, &record, known)?;
        let has_manifest = !manifest_of(self.disk, name).map_err(|error| refused(&error.path, &error))?.is_empty();
        let lists = lists.filter(|_| has_manifest);
        let plans = || inside.stale.iter().chain(&lists);
        let written = plans().flat_map(|plan| plan.products.iter().map(|product| &product.to));
        let written = written.filter(|path| !path.is_in(&BundleFolder::new(folder.clone()).sidecars()));
        let gone = plans().flat_map(|plan| plan.removes.iter().map(|gone| &gone.path));
        Ok(written.chain(gone).filter(|path| **path != list_record(&folder)).cloned().collect())
    }
}

/// Returns the files of an open bundle that stockmill has yet to write anew: one look at how things are.
pub(in crate::service) fn behind(
    disk: &dyn Look,
    settings: &Settings,
    places: Arc<Places>,
    name: &BundleName,
    now: Now,
) -> Result<Vec<RelPath>, Hold> {
    let mut tags = SharedTags::for_one_look(&settings.settle);
    Bundles { disk, settings, tags: &mut tags, places, now }.behind(name)
}

/// Returns what is told of a bundle of which these files are to be written anew; nothing if none is.
pub(in crate::service) fn told_behind(behind: &[RelPath]) -> Option<String> {
    let names: Vec<String> = behind.iter().map(RelPath::file_text).collect();
    let first = names.first()?;
    let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
    Some(format!(
        "it is not up to date: stockmill has yet to write `{first}`{more} anew (`stockmill once`, where no daemon runs; if it \
         stays so, something has it open, or it cannot be written, as the log says); look then what its list asks for"
    ))
}

/// Returns whether the files of a bundle and its manifest say different things, by what is to be written anew of it.
pub(in crate::service) fn is_at_odds(behind: &[RelPath]) -> bool {
    let is_any = |is: fn(&RelPath) -> bool| behind.iter().any(is);
    is_any(BundleFolder::is_file) != is_any(|path| path.extension() == "csv")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture that was open in another program went with its old title, and the CSV with the new one.
    #[test]
    fn what_is_half_written_is_at_odds() {
        let (file, table, list) = ("files/a.jpg", "m.csv", "CHECKLIST.md");
        let rows: [(&[&str], bool); 6] = [
            (&[], false),
            (&[list], false),
            (&[file], true),
            (&[table, list], true),
            (&[file, table], false),
            (&[file, list], true),
        ];
        for (behind, expected) in rows {
            let bundle = RelPath::new("upload/2026-11-28/m").unwrap();
            let paths: Vec<RelPath> = behind.iter().map(|path| bundle.join(path)).collect();
            assert_eq!(is_at_odds(&paths), expected, "{behind:?}");
            assert_eq!(told_behind(&paths).is_some(), !behind.is_empty());
        }
    }
}
