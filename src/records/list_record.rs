//! What the lines of a bundle's checklist are about: a tick counts for what its line named when it was written, and files
//! come and go behind a range of names.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{RecordError, json};

/// The form that is written and read.
const VERSION: u32 = 1;

/// How the file is called, beside the sidecars of the bundle's files.
pub const LIST_RECORD: &str = "checklist.json";

/// Files, or rows of files, by name; each with what tells one version of it from another.
pub type Versions = BTreeMap<String, String>;

/// What a step of a list is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListedStep {
    /// Files are uploaded.
    Upload(Versions),
    /// Boxes are ticked for files.
    Select {
        /// Which files.
        files: Versions,
        /// What is ticked.
        ticks: Vec<String>,
    },
    /// Files are deleted at the market.
    Delete(BTreeSet<String>),
    /// A part of the manifest is uploaded, with these rows.
    Rows(Versions),
    /// Something is done once for all files, which are these.
    All(Versions),
    /// Something else.
    Other,
}

/// Something that happened at the market, as far as a list tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListEvent {
    /// The step with this text was ticked.
    Ticked(String),
    /// Files that were uploaded left the bundle, and were to be deleted there.
    Gone(BTreeSet<String>),
}

/// What the steps of a list are about, as it was written last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRecord {
    version: u32,
    /// How the heading begins.
    pub heading: String,
    /// The steps by their text.
    pub steps: BTreeMap<String, ListedStep>,
    /// What happened, in its order: the market has what came last.
    #[serde(default)]
    pub happened: Vec<ListEvent>,
    /// Files that have no row, since the market would refuse them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refused: BTreeSet<String>,
}

impl ListRecord {
    /// Returns a record.
    pub fn new(heading: String, steps: BTreeMap<String, ListedStep>, happened: Vec<ListEvent>) -> Self {
        Self { version: VERSION, heading, steps, happened, refused: BTreeSet::new() }
    }

    /// Reads a record.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        json::read(bytes, VERSION)
    }

    /// Returns it as it is written.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a list's record holds nothing that JSON cannot write")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let files: Versions = [("a.jpg".to_owned(), "0123".to_owned())].into();
        let steps = [
            ("Upload".to_owned(), ListedStep::Upload(files.clone())),
            ("Select".to_owned(), ListedStep::Select { files: files.clone(), ticks: vec!["AI".to_owned()] }),
            ("Then".to_owned(), ListedStep::Rows(files.clone())),
            ("Press".to_owned(), ListedStep::All(files)),
            ("Delete".to_owned(), ListedStep::Delete(["b.jpg".to_owned()].into())),
            ("Submit".to_owned(), ListedStep::Other),
        ];
        let happened = vec![ListEvent::Ticked("Upload".to_owned()), ListEvent::Gone(["b.jpg".to_owned()].into())];
        let mut record = ListRecord::new("# Shop of ".to_owned(), steps.into(), happened);
        let bare = record.to_bytes();
        record.refused.insert("c.jpg".to_owned());
        let bytes = record.to_bytes();
        assert_eq!(ListRecord::parse(&bytes).unwrap(), record);
        let text = String::from_utf8(bytes).unwrap();
        // One that an older version wrote has no such key.
        assert!(!String::from_utf8_lossy(&bare).contains("refused"), "{text}");
        assert!(ListRecord::parse(text.replace("\"version\":1", "\"version\":2").as_bytes()).is_err(), "{text}");
    }
}
