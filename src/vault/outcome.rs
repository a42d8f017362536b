use super::disk::DiskError;
use super::second_look::Aside;
use crate::model::RelPath;
use crate::records::{About, Publish};

/// Proof that a plan was carried out whole and survives a power cut.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The plan's number.
    pub plan: u64,
    /// What it was about.
    pub about: About,
    /// The files that it gave their names.
    pub publish: Vec<Publish>,
    /// What it took out of its place: a second look has to show that nobody wrote to it since.
    pub asides: Vec<Aside>,
}

/// Why a plan was not carried out. Its source stands where it stood.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The file changed after it was looked at; it is looked at again.
    #[error("`{0}` changed meanwhile")]
    Changed(RelPath),
    /// Somebody took the name at the last instant; another is chosen.
    #[error("the name `{0}` was taken meanwhile")]
    Taken(RelPath),
    /// Somebody has the record open for writing: his version is not to be replaced.
    #[error("`{0}` is open for writing in another program")]
    InUse(RelPath),
    /// The disk refused, and nothing of the plan is left: it can be made again.
    #[error(transparent)]
    Refused(DiskError),
    /// The disk refused in the middle: recovery has to finish the plan or take it back.
    #[error(transparent)]
    Open(DiskError),
}

impl From<DiskError> for CommitError {
    fn from(error: DiskError) -> Self {
        Self::Refused(error)
    }
}

pub(super) type Carried = Result<(), CommitError>;
