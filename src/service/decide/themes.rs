use std::collections::{HashMap, HashSet};

use super::Decider;
use super::record_settle::{RecordSettle, cannot_be_read, refused};
use crate::intake::Now;
use crate::model::{Identity, RelPath, Stage, Tags, ThemeSlug};
use crate::plan::tags::Layer;
use crate::plan::{Hold, sync_base_path};
use crate::records::ThemeFile;
use crate::vault::own_names::HOME;
use crate::vault::{Entry, Look};

/// The largest tag file that is read.
pub(in crate::service) const TAGS_BYTES_MAX: u64 = 1 << 20;

/// The folder of tag sets, in the root.
pub(in crate::service) const TAG_SETS: &str = "tagsets";

/// The shared tags of themes, as last read.
#[derive(Debug, Default)]
pub(super) struct Themes {
    read: HashMap<RelPath, (Identity, Written)>,
    /// Themes that a person removed, and whose remembered tags are about to go.
    pub(super) forgotten: HashSet<ThemeSlug>,
}

/// What a tag file says; one that is empty says nothing, and was perhaps meant to.
#[derive(Debug, Clone)]
struct Written {
    file: ThemeFile,
    is_blank: bool,
}

/// The disk, and what tells whether a record on it stands still.
pub(super) struct Reader<'a> {
    pub(super) disk: &'a dyn Look,
    pub(super) records: &'a mut RecordSettle,
    pub(super) now: Now,
}

impl Themes {
    /// Forgets what was read.
    pub(super) fn forget_cache(&mut self) {
        self.read.clear();
    }

    /// Returns the tag layers below an asset's own, lowest first.
    pub(super) fn layers(
        &mut self,
        reader: &mut Reader<'_>,
        defaults: &Tags,
        theme: Option<&ThemeSlug>,
        below: Option<&RelPath>,
        stage: Stage,
    ) -> Result<Vec<(Layer, Tags)>, Hold> {
        let mut layers = vec![(Layer::Defaults, defaults.clone())];
        let Some(theme) = theme else { return Ok(layers) };
        let Some(file) = self.in_any_stage(reader, theme, None, stage)? else { return Ok(layers) };
        for set in &file.use_sets {
            let name = RelPath::new(format!("{set}.yaml")).map_err(|_| {
                Hold::Unreadable(format!(
                    "theme `{theme}` uses the tag set `{set}`, which cannot be a file in `tagsets/`"
                ))
            })?;
            let path = RelPath::new(TAG_SETS).expect("a constant is a clean path").join(name.as_path());
            match self.read(reader, &path)? {
                Some(tags) => layers.push((Layer::TagSet(set.clone()), tags.tags())),
                None => {
                    return Err(Hold::Unreadable(format!(
                        "theme `{theme}` uses the tag set `{set}`, and `{path}` is not there"
                    )));
                }
            }
        }
        layers.push((Layer::Theme, file.tags()));
        let mut inner: Option<RelPath> = None;
        for part in below.iter().flat_map(|below| below.parts()) {
            let folder = inner.map_or_else(|| RelPath::new(part), |path| Ok(path.join(part)));
            let folder = folder.expect("a part of a path is a plain name");
            if let Some(file) = self.in_any_stage(reader, theme, Some(&folder), stage)? {
                layers.push((Layer::Folder(folder.to_string()), file.tags()));
            }
            inner = Some(folder);
        }
        Ok(layers)
    }

    /// Returns whether the theme claims a file under `documents`.
    pub(super) fn names_document(
        &mut self,
        reader: &mut Reader<'_>,
        path: &RelPath,
        stage: Stage,
    ) -> Result<bool, Hold> {
        let Some(theme) = crate::plan::theme_of_path(path).0 else { return Ok(false) };
        let file = self.in_any_stage(reader, &theme, None, stage)?;
        Ok(file.is_some_and(|file| file.documents.contains(&path.file_text())))
    }

    /// Returns the tags of a theme or of a folder below it: this stage's copy, else any other. A theme's tags are one
    /// thing in all stages: while one of its copies cannot be read, nobody knows which tags a person wants.
    fn in_any_stage(
        &mut self,
        reader: &mut Reader<'_>,
        theme: &ThemeSlug,
        below: Option<&RelPath>,
        stage: Stage,
    ) -> Result<Option<ThemeFile>, Hold> {
        let mut copies = shared_files(reader.disk, theme, below, stage)?.into_iter();
        let Some((path, entry)) = copies.next() else {
            if self.forgotten.contains(theme) {
                return Ok(None);
            }
            // Its folders are gone, and assets of it are still on their way.
            return self.read(reader, &sync_base_path(theme, below));
        };
        let file = self.meant(reader, theme, below, &path, &entry)?;
        for (path, entry) in copies {
            self.meant(reader, theme, below, &path, &entry)?;
        }
        Ok(Some(file))
    }

    /// Returns what a tag file means. Whether one that is empty is meant to take all tags away nobody can tell.
    fn meant(
        &mut self,
        reader: &mut Reader<'_>,
        theme: &ThemeSlug,
        below: Option<&RelPath>,
        path: &RelPath,
        entry: &Entry,
    ) -> Result<ThemeFile, Hold> {
        let base = sync_base_path(theme, below);
        let written = self.read_seen(reader, path, entry, Some(&base))?;
        let had_tags = written.is_blank && self.read(reader, &base)?.is_some();
        if had_tags { Err(Hold::Unreadable(blank(path))) } else { Ok(written.file) }
    }

    /// Returns what a theme's tag file means; `None` if it is not there, or in no theme.
    pub(super) fn meaning(&mut self, reader: &mut Reader<'_>, path: &RelPath) -> Option<Result<ThemeFile, Hold>> {
        let (theme, below) = crate::plan::theme_of_path(path);
        let entry = reader.disk.stat(path).ok()??;
        Some(self.meant(reader, &theme?, below.as_ref(), path, &entry))
    }

    fn read(&mut self, reader: &mut Reader<'_>, path: &RelPath) -> Result<Option<ThemeFile>, Hold> {
        match reader.disk.stat(path).map_err(|error| refused(path, &error))? {
            Some(entry) => self.read_seen(reader, path, &entry, None).map(|written| Some(written.file)),
            None => Ok(None),
        }
    }

    /// Reads a file unless it was read as it is; `base` is the last common state of which it may be a copy.
    fn read_seen(
        &mut self,
        reader: &mut Reader<'_>,
        path: &RelPath,
        entry: &Entry,
        base: Option<&RelPath>,
    ) -> Result<Written, Hold> {
        if let Some((seen, written)) = self.read.get(path)
            && *seen == entry.identity
        {
            return Ok(written.clone());
        }
        let bytes = reader.disk.read(path, TAGS_BYTES_MAX).map_err(|error| refused(path, &error))?;
        // The last common state is nobody's to edit, and a copy of it says nothing new.
        let is_base = |base: &RelPath| reader.disk.read(base, TAGS_BYTES_MAX).is_ok_and(|known| known == bytes);
        if path.area() != HOME && !base.is_some_and(is_base) {
            reader.records.still(reader.disk, path, entry, reader.now)?;
        }
        let file = ThemeFile::parse(&bytes).map_err(|error| cannot_be_read(path, &error))?;
        let written = Written { file, is_blank: bytes.trim_ascii().is_empty() };
        self.read.insert(path.clone(), (entry.identity, written.clone()));
        Ok(written)
    }
}

/// Returns the files of tags of all stages; first the one that counts in a stage: that stage's own, else any other.
pub(super) fn shared_files(
    disk: &dyn Look,
    theme: &ThemeSlug,
    below: Option<&RelPath>,
    stage: Stage,
) -> Result<Vec<(RelPath, Entry)>, Hold> {
    let others = Stage::ALL.into_iter().filter(|other| *other != stage && *other != Stage::Ideas);
    let mut files = Vec::new();
    for stage in std::iter::once(stage).chain(others) {
        let folder = stage.folder().join(theme.as_str());
        let folder = below.map_or_else(|| folder.clone(), |below| folder.join(below.as_path()));
        let path = folder.join("tags.yaml");
        match disk.stat(&path) {
            Ok(Some(entry)) => files.push((path, entry)),
            Ok(None) => (),
            // Nothing is concluded from a stage that is away; the others know the tags, too.
            Err(error) if error.kind() == std::io::ErrorKind::StaleNetworkFileHandle => (),
            Err(error) => return Err(refused(&path, &error)),
        }
    }
    Ok(files)
}

/// Returns why a tag file that is empty is not gone by.
pub(super) fn blank(path: &RelPath) -> String {
    format!("`{path}` is empty, and the theme had tags: delete it to get them again, or write `{{}}` to have none")
}

impl Decider {
    /// Lets the remembered tags of a theme count no more, since a person removed it.
    pub(in crate::service) fn forget_theme(&mut self, theme: ThemeSlug) {
        self.tags.themes.forgotten.insert(theme);
    }

    /// Lets the remembered tags of a theme count again.
    pub(in crate::service) fn remember_theme(&mut self, theme: &ThemeSlug) {
        self.tags.themes.forgotten.remove(theme);
    }

    /// Returns the themes whose remembered tags do not count.
    pub(in crate::service) fn forgotten(&self) -> HashSet<ThemeSlug> {
        self.tags.themes.forgotten.clone()
    }
}
