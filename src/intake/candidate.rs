use std::ffi::OsStr;

use super::walk::Found;
use crate::model::RelPath;

/// What is added to an asset's file name to name its sidecar.
pub(super) const SIDECAR: &str = ".yaml";

/// Extensions of files that only a model that names them can claim.
pub(super) const MEMBER_EXTENSIONS: [&str; 2] = ["mtl", "bin"];
/// Files of stockmill's own in a theme's folder.
const RECORDS: [&str; 2] = [TAGS, "prompts.txt"];
/// The shared tags of a folder.
pub(super) const TAGS: &str = "tags.yaml";

/// An asset's files as they were found together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The primary file.
    pub primary: Found,
    /// Its sidecar `NAME.EXT.yaml`.
    pub sidecar: Option<Found>,
    /// Files that go with it under a like name.
    pub companions: Vec<Found>,
    /// Files that it names inside.
    pub members: Vec<Found>,
    /// Why it waits for other files, in words: it misses parts, or may be a part itself.
    pub missing: Vec<String>,
}

impl Candidate {
    /// Returns a file that nothing belongs to.
    pub fn alone(primary: Found) -> Self {
        Self { primary, sidecar: None, companions: Vec::new(), members: Vec::new(), missing: Vec::new() }
    }

    /// Returns all of its files.
    pub fn files(&self) -> impl Iterator<Item = &Found> {
        std::iter::once(&self.primary).chain(&self.sidecar).chain(&self.companions).chain(&self.members)
    }
}

/// What a file is in its folder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Primary,
    /// It goes with a primary file of a like name.
    Beside,
    /// A model names it, or it is a record.
    Taken,
}

/// Returns the index of a path among files that are in the order of their paths.
pub(super) fn index_of(files: &[Found], path: &OsStr) -> Option<usize> {
    files.binary_search_by(|found| found.path.as_path().as_os_str().cmp(path)).ok()
}

/// Returns whether a path is a record of stockmill's own in a theme's folder or below it.
pub(super) fn is_record(path: &RelPath) -> bool {
    path.parts().count() > 2 && RECORDS.iter().any(|record| path.file_name() == *record)
}
