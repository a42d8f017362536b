use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::Identity;
use crate::vault::{plain, read_outside};

/// The most bytes that are read of a settings file; a longer one is refused later because of its length.
const BYTES_MAX: u64 = (1 << 20) + 1;

/// Reads files and remembers their states.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The state of each file that was read.
    pub(super) files: BTreeMap<PathBuf, Identity>,
    /// A file that somebody has open for writing.
    pub(super) open: Option<PathBuf>,
    /// Whether the kernel cannot tell for some of them.
    pub(super) is_unknown: bool,
}

impl Reader {
    /// Reads a file that the settings depend on.
    pub(super) fn text(&mut self, path: &Path) -> Result<String, String> {
        let outside =
            read_outside(path, BYTES_MAX).map_err(|error| format!("{}: {}", path.display(), plain(&error)))?;
        self.files.insert(path.to_owned(), outside.identity);
        match outside.has_writer {
            Some(false) => (),
            Some(true) => self.open = Some(path.to_owned()),
            None => self.is_unknown = true,
        }
        String::from_utf8(outside.bytes).map_err(|_| format!("{}: it is no UTF-8 text", path.display()))
    }
}

/// Reads a file that the settings do not depend on, if possible.
pub(super) fn peek(path: &Path) -> Option<String> {
    String::from_utf8(read_outside(path, BYTES_MAX).ok()?.bytes).ok()
}
