use std::collections::BTreeMap;

use super::Plan;
use crate::model::{ContentHash, Identity, RelPath, Stage};
use crate::records::Remove;

/// A record of a theme as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDisk {
    /// Where it lies.
    pub path: RelPath,
    /// The state in which it was seen.
    pub seen: Identity,
    /// The hash of its bytes.
    pub hash: ContentHash,
}

/// The records and folders that a theme has in all stages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThemeFiles {
    /// Its `tags.yaml`, in each stage that has one.
    pub tags: Vec<OnDisk>,
    /// Its folders that have none.
    pub without_tags: Vec<RelPath>,
    /// Its `prompts.txt`.
    pub prompts: Option<OnDisk>,
    /// The last state that all `tags.yaml` had in common.
    pub base: Option<OnDisk>,
    /// Why the theme must stay even if nobody changed its records: it holds assets, or assets came from it.
    pub in_use: Option<String>,
}

impl ThemeFiles {
    /// Returns whether it has a folder in some stage.
    pub fn has_folder(&self) -> bool {
        !self.tags.is_empty() || !self.without_tags.is_empty()
    }

    /// Returns whether nothing of it is left.
    pub fn is_gone(&self) -> bool {
        !self.has_folder() && self.in_use.is_none()
    }

    /// Returns the removals of a theme whose records are still these, or why it must stay.
    pub fn taken_away(&self, tags: &ContentHash, prompts: Option<&ContentHash>) -> Result<Vec<Remove>, String> {
        if let Some(why) = &self.in_use {
            return Err(why.clone());
        }
        if let Some(changed) = self.tags.iter().find(|file| file.hash != *tags) {
            return Err(format!("`{}` was changed since", changed.path));
        }
        if let Some(folder) = self.without_tags.first() {
            return Err(format!("`{folder}` has no `tags.yaml` any more"));
        }
        if self.tags.is_empty() || self.prompts.as_ref().map(|file| &file.hash) != prompts {
            return Err("its `tags.yaml` or `prompts.txt` was changed, moved or removed since".to_owned());
        }
        let files = self.tags.iter().chain(&self.prompts).chain(&self.base);
        Ok(files.map(|file| removed(file.path.clone(), file.seen)).collect())
    }
}

/// Returns a removal of what lies there as it was seen.
pub(super) fn removed(path: RelPath, seen: Identity) -> Remove {
    Remove { path, seen, aside: None, copied_to: None }
}

/// Returns the theme folders that a plan may have emptied, each with the topmost folder that must stay: without
/// records they are of no use.
pub fn emptied_folders(plan: &Plan) -> BTreeMap<RelPath, RelPath> {
    let is_record = |path: &RelPath| path.file_name() == "tags.yaml" || path.file_name() == "prompts.txt";
    let with_top = |folder: RelPath| {
        let is_stage = folder.area().to_str().is_some_and(|area| area.parse::<Stage>().is_ok());
        let top = if is_stage { folder.area_path() } else { super::sync::bases() };
        folder.below(&top).map(|_| (folder, top))
    };
    let records = plan.removes.iter().map(|gone| &gone.path).filter(|path| is_record(path));
    records.filter_map(RelPath::parent).filter_map(with_top).collect()
}
