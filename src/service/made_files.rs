//! What stockmill made and nobody has sent yet, and how it stands to the settings of today.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use super::decide::{self, SharedTags, bundle_names, foreign_xmp};
use super::sent::is_sent;
use super::survey::unit_of;
use crate::config::Settings;
use crate::intake::{Now, walk_inbox};
use crate::make::came_out;
use crate::model::{RelPath, Stage, ThemeSlug};
use crate::plan::tags::Resolved;
use crate::plan::{BundleFolder, Freshness, Hold, Rules, freshness, keep_by, theme_of_path};
use crate::records::{SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
use crate::vault::{DiskResult, Look, What};

/// A file with a sidecar, in `export` or `upload` or in a bundle that is not sent.
#[derive(Debug)]
pub(super) struct MadeFile {
    pub(super) file: RelPath,
    pub(super) record: RelPath,
    /// The bytes of its sidecar.
    pub(super) record_bytes: Vec<u8>,
    pub(super) sidecar: Sidecar,
    /// Its tags of today, if it is a picture and they can be told.
    pub(super) tags: Option<Resolved>,
    pub(super) freshness: Freshness,
}

impl MadeFile {
    /// Returns the bundle that it lies in, if it lies in one.
    pub(super) fn bundle(&self) -> Option<BundleFolder> {
        BundleFolder::of(&self.file)
    }
}

/// What there is.
#[derive(Debug, Default)]
pub(super) struct MadeFiles {
    /// By their paths.
    pub(super) files: Vec<MadeFile>,
    /// What nobody can tell anything of, and why.
    pub(super) untold: Vec<(RelPath, String)>,
}

/// A look at what was made.
pub(super) struct Lookout<'a> {
    pub(super) disk: &'a dyn Look,
    pub(super) settings: &'a Settings,
    pub(super) tags: &'a mut SharedTags,
    pub(super) now: Now,
}

impl Lookout<'_> {
    /// Looks for what was made, of all themes or of one.
    pub(super) fn made_files(&mut self, theme: Option<&ThemeSlug>) -> DiskResult<MadeFiles> {
        let mut found = MadeFiles::default();
        let mut records = Vec::new();
        for stage in [Stage::Export, Stage::Upload] {
            if let Err(away) = self.disk.attach(&stage.folder()) {
                found.untold.push((stage.folder(), away.to_string()));
                continue;
            }
            // The days of bundles are no units.
            let goes_into = |folder: &RelPath| unit_of(folder).is_some();
            let ignore = &self.settings.settle.ignore;
            let walked = walk_inbox(self.disk, &stage.folder(), ignore, &goes_into, &mut |_, _| ())?;
            records.extend(pairs(&walked.files.into_iter().map(|file| file.path).collect()));
            if stage == Stage::Upload {
                records.extend(bundled(self.disk, self.settings, &mut found.untold)?);
            }
        }
        records.sort();
        let rules = decide::rules(self.settings);
        for (file, record) in records {
            match self.made_file(theme, &file, &record, &rules) {
                Ok(made) => found.files.extend(made),
                Err(why) => found.untold.push((file, why)),
            }
        }
        Ok(found)
    }

    /// Returns what is known of a file by its sidecar, if it is one of the theme; or why nobody can tell.
    fn made_file(
        &mut self,
        theme: Option<&ThemeSlug>,
        file: &RelPath,
        record: &RelPath,
        rules: &Rules,
    ) -> Result<Option<MadeFile>, String> {
        let record_bytes = match self.disk.read(record, SIDECAR_BYTES_MAX) {
            // It went on meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| error.to_string())?,
        };
        let in_folder = if BundleFolder::is_file(file) { None } else { theme_of_path(file).0 };
        let is_meant = |of: Option<&ThemeSlug>| theme.is_none() || theme == in_folder.as_ref().or(of);
        let sidecar = match Sidecar::parse(&record_bytes) {
            Ok(sidecar) if is_meant(sidecar.theme.as_ref()) => sidecar,
            Err(error) if is_meant(None) => return Err(format!("its sidecar `{record}` cannot be read: {error}")),
            _ => return Ok(None),
        };
        let (freshness, tags) = self.freshness(file, record, &sidecar, rules)?;
        Ok(Some(MadeFile { file: file.clone(), record: record.clone(), record_bytes, sidecar, tags, freshness }))
    }

    /// Returns how a file stands to the settings of today, and its tags if it is a picture; or why the disk does not let
    /// that be told.
    pub(super) fn freshness(
        &mut self,
        file: &RelPath,
        record: &RelPath,
        sidecar: &Sidecar,
        rules: &Rules,
    ) -> Result<(Freshness, Option<Resolved>), String> {
        let Some(original) = sidecar.original().filter(|original| original.kind.is_image()) else {
            return Ok((Freshness::Current, None));
        };
        let has_original = match original.archived.as_ref().map(|path| self.disk.stat(path)) {
            Some(Ok(entry)) => entry.is_some_and(|entry| entry.what == What::File),
            Some(Err(error)) => return Err(error.to_string()),
            None => false,
        };
        let tags = match self.tags_of(file, record, sidecar) {
            Ok(tags) => tags,
            // What its theme wants of its look stands there.
            Err(hold) => return Ok((Freshness::Unknown(hold.to_string()), None)),
        };
        let keep = keep_by(&tags, &rules.keep);
        let rules = Rules { nets: self.tags.nets.of(self.disk, std::iter::once(&keep.method)), ..rules.clone() };
        let came_out = || came_out(self.disk, file, self.settings.work.file_mib_max << 20);
        Ok((freshness(file, sidecar, has_original, &keep, &rules, &came_out), Some(tags)))
    }

    fn tags_of(&mut self, file: &RelPath, record: &RelPath, sidecar: &Sidecar) -> Result<Resolved, Hold> {
        let folder = record.parent().unwrap_or_else(|| record.area_path());
        let xmp = foreign_xmp(self.disk, &folder, &file.file_text())?;
        if BundleFolder::is_file(file) {
            self.tags.of_bundled(self.disk, self.settings, sidecar, xmp, self.now)
        } else {
            self.tags.of_waiting(self.disk, self.settings, file, sidecar, xmp, self.now)
        }
    }
}

/// Returns the files that have a sidecar beside them, each with it.
fn pairs(files: &BTreeSet<RelPath>) -> Vec<(RelPath, RelPath)> {
    let pair = |file: &RelPath| {
        let record = file.with_suffix(SIDECAR_SUFFIX);
        files.contains(&record).then(|| (file.clone(), record))
    };
    files.iter().filter_map(pair).collect()
}

/// Returns the files of bundles that are not sent, each with its sidecar.
fn bundled(
    disk: &dyn Look,
    settings: &Settings,
    untold: &mut Vec<(RelPath, String)>,
) -> DiskResult<Vec<(RelPath, RelPath)>> {
    let mut pairs = Vec::new();
    for name in bundle_names(disk, &settings.upload.markets) {
        let bundle = BundleFolder::new(name.folder());
        match is_sent(disk, bundle.path()) {
            Ok(true) => continue,
            Ok(false) => (),
            Err(error) => {
                let why = format!("nobody can tell whether it was sent: {error}");
                untold.push((bundle.path().clone(), why));
                continue;
            }
        }
        let files = match disk.list(&bundle.files()) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            listed => listed?,
        };
        for (file, _) in files.into_iter().filter(|(_, entry)| entry.what == What::File) {
            let record = bundle.sidecar_of(&file);
            if disk.stat(&record)?.is_some_and(|entry| entry.what == What::File) {
                pairs.push((bundle.files().join(&file), record));
            }
        }
    }
    Ok(pairs)
}
