use std::collections::BTreeMap;

use super::Plan;
use crate::model::{ContentHash, Identity, RelPath, Stage, ThemeSlug};
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

/// Returns `area/theme[/below]`.
pub(super) fn folder_in(area: &str, theme: &ThemeSlug, below: Option<&RelPath>) -> RelPath {
    let folder = RelPath::new(area).expect("an area is a plain name").join(theme.as_str());
    below.map_or_else(|| folder.clone(), |below| folder.join(below.as_path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_goes_only_if_nobody_wrote_in_it() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let seen = Identity { device: 1, inode: 2, size: 3, modified_ns: 4 };
        let file = |text: &str, bytes: &[u8]| OnDisk { path: path(text), seen, hash: ContentHash::of(bytes) };
        let (tags, prompts) = (ContentHash::of(b"tags"), ContentHash::of(b"prompts"));
        let whole = || ThemeFiles {
            tags: vec![file("raw/t/tags.yaml", b"tags"), file("keep/t/tags.yaml", b"tags")],
            prompts: Some(file("raw/t/prompts.txt", b"prompts")),
            base: Some(file(".stockmill/tags/t/tags.yaml", b"tags")),
            ..ThemeFiles::default()
        };
        let changed = "its `tags.yaml` or `prompts.txt` was changed, moved or removed since";
        type Change = fn(&mut ThemeFiles);
        let cases: [(Change, &str); 6] = [
            (|_| (), "raw/t/tags.yaml keep/t/tags.yaml raw/t/prompts.txt .stockmill/tags/t/tags.yaml"),
            (|theme| theme.in_use = Some("it holds assets".to_owned()), "it holds assets"),
            (|theme| theme.tags[1].hash = ContentHash::of(b"mine"), "`keep/t/tags.yaml` was changed since"),
            (
                |theme| theme.without_tags = vec![RelPath::new("export/t").unwrap()],
                "`export/t` has no `tags.yaml` any more",
            ),
            (|theme| theme.tags.clear(), changed),
            (|theme| theme.prompts = None, changed),
        ];
        for (change, expected) in cases {
            let mut theme = whole();
            change(&mut theme);
            let names = |gone: Vec<Remove>| gone.iter().map(|gone| gone.path.to_string()).collect::<Vec<_>>().join(" ");
            let got = theme.taken_away(&tags, Some(&prompts)).map_or_else(|why| why, names);
            assert_eq!(got, expected);
        }
        assert!(whole().taken_away(&tags, None).is_err());

        assert!(ThemeFiles::default().is_gone() && !whole().is_gone());
        let folder = ThemeFiles { without_tags: vec![path("keep/t")], ..ThemeFiles::default() };
        assert!(folder.has_folder() && !folder.is_gone());
        let in_use = ThemeFiles { in_use: Some("it gave assets away".to_owned()), ..ThemeFiles::default() };
        assert!(!in_use.has_folder() && !in_use.is_gone());
    }
}
