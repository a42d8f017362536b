use std::fmt;

use serde::{Deserialize, Serialize};

/// The BLAKE3 hash of a file's bytes, written as 64 lower-case hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// Returns the hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_digest(blake3::hash(bytes))
    }

    /// Returns a finished digest as a content hash.
    pub fn from_digest(digest: blake3::Hash) -> Self {
        Self(*digest.as_bytes())
    }

    /// Returns its first twelve digits: enough to tell the few versions of one thing apart.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }

    /// Returns the first eight bytes as a number, the first byte highest.
    pub(super) fn prefix(&self) -> u64 {
        self.0.iter().take(8).fold(0, |prefix, byte| prefix << 8 | u64::from(*byte))
    }
}

impl TryFrom<String> for ContentHash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        // The crate takes upper-case digits as well.
        match blake3::Hash::from_hex(&text) {
            Ok(digest) if text.bytes().all(is_digit) => Ok(Self::from_digest(digest)),
            _ => Err(format!("`{}` is not a hash of 64 hex digits", super::escape_bytes(text.as_bytes()))),
        }
    }
}

impl From<ContentHash> for String {
    fn from(hash: ContentHash) -> Self {
        hash.to_string()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What tells one state of one file from another without reading it.
///
/// The change time is left out on purpose: a hard link, a rename or a `chmod` changes it and
/// leaves the bytes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The device that holds the file.
    pub device: u64,
    /// The file's number on that device.
    pub inode: u64,
    /// Length in bytes.
    pub size: u64,
    /// Time of the last change of the bytes, in nanoseconds since 1970.
    pub modified_ns: i64,
}
