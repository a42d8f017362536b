use std::collections::BTreeSet;
use std::ffi::OsStr;

use super::walk::Found;
use crate::model::RelPath;

/// What follows an asset's file name in the name of its sidecar.
pub(super) const SIDECAR: &str = ".yaml";

/// Extensions of files that belong to an asset only if a model names them.
const MEMBER_EXTENSIONS: [&str; 2] = ["mtl", "bin"];
/// The files that stockmill itself keeps in a theme's folder.
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
    /// Files with a similar name that go with it.
    pub companions: Vec<Found>,
    /// Files that its content names, and those that lie where its parts lie.
    pub members: Vec<Found>,
    /// Which of them nothing names.
    pub unnamed: BTreeSet<usize>,
    /// Why it waits for other files, in words: parts of it are missing, or it may be a part itself.
    pub missing: Vec<String>,
}

impl Candidate {
    /// Returns a candidate of one file.
    pub fn alone(primary: Found) -> Self {
        Self {
            primary,
            sidecar: None,
            companions: Vec::new(),
            members: Vec::new(),
            unnamed: BTreeSet::new(),
            missing: Vec::new(),
        }
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
    /// It goes with a primary file of a similar name.
    Beside,
    /// A model names it, or it is a record.
    Taken,
}

/// Returns whether files of an extension belong to an asset only if a model names them.
pub(super) fn is_member(extension: &str) -> bool {
    MEMBER_EXTENSIONS.contains(&extension)
}

/// Returns the index of a path among files that are in the order of their paths.
pub(super) fn index_of(files: &[Found], path: &OsStr) -> Option<usize> {
    files.binary_search_by(|found| found.path.as_path().as_os_str().cmp(path)).ok()
}

/// Returns whether a path is a record that stockmill keeps in a theme's folder or below it.
pub(super) fn is_record(path: &RelPath) -> bool {
    path.parts().count() > 2 && RECORDS.iter().any(|record| path.file_name() == *record)
}
