/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The file has more bytes than any such record needs.
    #[error("the file has {size_bytes} bytes and at most {size_bytes_max} are read; make it shorter")]
    TooLarge {
        /// Its size.
        size_bytes: usize,
        /// The largest size that is read.
        size_bytes_max: usize,
    },
    /// The file is not what it should be; a person has to correct it.
    #[error("line {line}, column {column}: {what}")]
    Syntax {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
        /// What is wrong and what to do.
        what: String,
    },
    /// The file says nothing; nobody can tell what it is meant to say.
    #[error("it is empty, and nobody can tell what it is meant to say; delete it, or write `{{}}` if it says nothing")]
    Empty,
    /// The file was written by a newer stockmill, or its version was mistyped.
    #[error("the file has version {found}, which is not known here; update stockmill, or write `version: 1`")]
    Version {
        /// The version in the file.
        found: u64,
    },
}

impl RecordError {
    /// Returns the same of a sidecar in a bundle, which must say what its file is.
    pub fn of_bundled(&self) -> String {
        match self {
            Self::Empty => "it is empty; put it back as it was, or take the file out of its bundle".to_owned(),
            other => other.to_string(),
        }
    }
}
