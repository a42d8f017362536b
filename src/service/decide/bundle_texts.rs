//! What is written in a bundle for its market and for a person: its manifest, its checklist, and what that said last.

use std::io::ErrorKind;

use super::Decider;
use super::bundle_files::{RECORD_BYTES_MAX, manifest_of};
use super::record_settle::refused;
use crate::model::RelPath;
use crate::plan::{BundleName, Existing, Hold, Written, list_record};
use crate::service::sent::is_sent;
use crate::vault::{DiskError, Look};

/// The texts of a bundle, as they lie there.
pub(super) struct BundleTexts {
    manifests: Vec<Written>,
    checklist: Option<Vec<u8>>,
    record: Option<Vec<u8>>,
}

impl BundleTexts {
    /// Reads those of a bundle in a folder. What cannot be read may have a person's ticks: it is never replaced.
    pub(super) fn read(disk: &dyn Look, name: &BundleName, folder: &RelPath) -> Result<Self, Hold> {
        let manifests = manifest_of(disk, name).map_err(|error| stuck(&error))?;
        let checklist = read_if_there(disk, &folder.join("CHECKLIST.md"))?;
        Ok(Self { manifests, checklist, record: read_if_there(disk, &list_record(folder))? })
    }

    pub(super) fn existing(&self) -> Existing<'_> {
        let (checklist, record) = (self.checklist.as_deref(), self.record.as_deref());
        Existing { manifests: &self.manifests, checklist, record }
    }
}

impl Decider {
    /// Returns why a bundle that is not sent gets no new rows and steps, if one of its texts cannot be read.
    pub(in crate::service) fn stuck(&self, name: &BundleName) -> Option<Hold> {
        self.is_open(name).then(|| BundleTexts::read(self.disk(), name, &name.folder()).err()).flatten()
    }

    /// Returns whether a bundle is for a market that the settings name, and surely not sent.
    pub(super) fn is_open(&self, name: &BundleName) -> bool {
        self.settings.upload.market(&name.market).is_some() && !is_sent(self.disk(), &name.folder()).unwrap_or(true)
    }
}

/// Returns the bytes of a file; `None` if it is not there.
fn read_if_there(disk: &dyn Look, path: &RelPath) -> Result<Option<Vec<u8>>, Hold> {
    match disk.read(path, RECORD_BYTES_MAX) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => Ok(Some(read.map_err(|error| stuck(&error))?)),
    }
}

/// Returns the hold of a bundle that has a text which cannot be read.
fn stuck(error: &DiskError) -> Hold {
    let until = "until then no file of its bundle gets a new row or step: put it back as a file that can be read, or take it \
                 away; then it is written anew, without what a person wrote in it";
    match refused(&error.path, error) {
        Hold::Unreadable(why) => Hold::Unreadable(format!("{why}; {until}")),
        Hold::Refused(why) => Hold::Refused(format!("{why}; {until}")),
        other => other,
    }
}
