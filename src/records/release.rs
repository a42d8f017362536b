use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RecordError, json};
use crate::model::{Identity, RelPath, Stage, ThemeSlug};

/// The form of a release that is written and read.
const VERSION: u32 = 2;

/// A person's word that certain files of a stage may go on, whatever its gate says. It names what lay there when it
/// was given, so that no clock decides what it covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    version: u32,
    /// The stage whose gate is opened.
    pub stage: Stage,
    /// The theme, if it is for one alone.
    pub theme: Option<ThemeSlug>,
    /// When it was given.
    pub at: Timestamp,
    /// Whether whoever gave it waits for an answer.
    #[serde(default)]
    pub is_awaited: bool,
    /// Whether it lifts what is held for its own sake too: the gate was open when it was given, or a person said so.
    #[serde(default)]
    pub anyway: bool,
    /// Each file's mark by its path, and that by its number.
    files: BTreeMap<Mark, Mark>,
    /// The same the other way round.
    #[serde(skip)]
    numbers: BTreeMap<Mark, Mark>,
}

/// Which state of which file, condensed: there may be a hundred thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Mark(u64);

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        format!("{:016x}", mark.0)
    }
}

impl TryFrom<String> for Mark {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u64::from_str_radix(&text, 16).map(Self)
    }
}

/// Returns the marks of a file: by its path, since some file systems number their files anew, and by its number, so
/// that it may be moved by hand. What changes its content changes both; what changes its mode, its time of reading or
/// how many names it has changes none. The device is left out: its number is another one after a restart.
pub fn marks(path: &RelPath, seen: Identity) -> [Mark; 2] {
    let mark = |which: &[u8]| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seen.size.to_le_bytes()).update(&seen.modified_ns.to_le_bytes()).update(which);
        let mut digest = [0; 8];
        hasher.finalize_xof().fill(&mut digest);
        Mark(u64::from_le_bytes(digest))
    };
    [mark(path.as_path().as_os_str().as_encoded_bytes()), mark(&seen.inode.to_le_bytes())]
}

impl Release {
    /// Returns a release of nothing.
    pub fn new(stage: Stage, theme: Option<ThemeSlug>, at: Timestamp) -> Self {
        Self {
            version: VERSION,
            stage,
            theme,
            at,
            is_awaited: false,
            anyway: false,
            files: BTreeMap::new(),
            numbers: BTreeMap::new(),
        }
    }

    /// Returns its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a release holds nothing that JSON cannot write")
    }

    /// Names a file in the state in which it lies there.
    pub fn name(&mut self, path: &RelPath, seen: Identity) {
        let [path, number] = marks(path, seen);
        self.files.insert(path, number);
        self.numbers.insert(number, path);
    }

    /// Returns whether it names this state of a file.
    pub fn covers(&self, stage: Stage, [path, number]: [Mark; 2]) -> bool {
        self.stage == stage && (self.files.contains_key(&path) || self.numbers.contains_key(&number))
    }

    /// Forgets a file; returns whether it was named.
    pub fn use_up(&mut self, [path, number]: [Mark; 2]) -> bool {
        // It may have been moved by hand since.
        let path = if self.files.contains_key(&path) { Some(path) } else { self.numbers.get(&number).copied() };
        let number = path.and_then(|path| self.files.remove(&path));
        number.and_then(|number| self.numbers.remove(&number));
        path.is_some()
    }

    /// Returns how many files it names.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns whether it names no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.numbers.is_empty()
    }

    /// Reads a release.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut release: Self = json::read(bytes, VERSION)?;
        release.numbers = release.files.iter().map(|(path, number)| (*number, *path)).collect();
        Ok(release)
    }
}
