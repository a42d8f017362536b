use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::craft;
use crate::intake::{Found, Inside};
use crate::model::{Identity, References};
use crate::records::{RecordError, SIDECAR_BYTES_MAX, Sidecar};
use crate::vault::Look;

/// The most models that are remembered.
const MODELS_MAX: usize = 1024;
/// The most other files that are remembered.
const FILES_MAX: usize = 1 << 17;

/// What was seen inside files, so that a walk need not read again what did not change.
#[derive(Debug, Default)]
pub struct Insides {
    models: Mutex<HashMap<(Identity, String), Arc<References>>>,
    generated: Mutex<HashMap<Identity, bool>>,
    sidecars: Mutex<HashMap<Identity, bool>>,
}

/// Looks into the files of a disk.
#[derive(Debug)]
pub struct Looking<'a> {
    /// The disk.
    pub disk: &'a dyn Look,
    /// What was seen before.
    pub seen: &'a Insides,
}

impl Inside for Looking<'_> {
    fn references(&self, found: &Found) -> Arc<References> {
        let identity = found.entry.identity;
        let key = (identity, found.path.extension());
        remembered(&self.seen.models, MODELS_MAX, key.clone(), || {
            let opened = self.disk.open_as(&found.path, identity).ok()?;
            Some(Arc::new(craft::references(opened, identity.size, &key.1)))
        })
        .unwrap_or_else(|| Arc::new(References::unknown("it cannot be read")))
    }

    fn is_generated(&self, found: &Found) -> bool {
        let identity = found.entry.identity;
        let read = || Some(craft::is_generated(self.disk.open_as(&found.path, identity).ok()?));
        remembered(&self.seen.generated, FILES_MAX, identity, read).unwrap_or(false)
    }

    fn has_identity(&self, sidecar: &Found) -> bool {
        let read = || {
            let bytes = self.disk.read(&sidecar.path, SIDECAR_BYTES_MAX).ok()?;
            Some(says_identity(&bytes))
        };
        remembered(&self.seen.sidecars, FILES_MAX, sidecar.entry.identity, read).unwrap_or(false)
    }
}

/// Returns whether a sidecar is stockmill's own. One of another version is: nobody else writes them.
fn says_identity(sidecar: &[u8]) -> bool {
    match Sidecar::parse(sidecar) {
        Ok(sidecar) => sidecar.id.is_some(),
        Err(error) => matches!(error, RecordError::Version { .. }),
    }
}

/// Returns what is remembered of a file, or reads it; a read that failed is not remembered.
fn remembered<K: std::hash::Hash + Eq, V: Clone>(
    memory: &Mutex<HashMap<K, V>>,
    entries_max: usize,
    key: K,
    read: impl FnOnce() -> Option<V>,
) -> Option<V> {
    const WHY: &str = "nobody panics who holds it";
    if let Some(known) = memory.lock().expect(WHY).get(&key) {
        return Some(known.clone());
    }
    let seen = read()?;
    let mut memory = memory.lock().expect(WHY);
    if memory.len() >= entries_max {
        memory.clear();
    }
    memory.insert(key, seen.clone());
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_of_another_version_is_one() {
        let cases = [
            ("id: 0123456789abcdef", true),
            ("version: 1\nid: 0123456789abcdef", true),
            ("version: 2\nid: 0123456789abcdef", true),
            ("version: 10\nid: 0123456789abcdef\nlikeness: [1]", true),
            ("tags: {title: x}", false),
            ("id: [", false),
            ("", false),
        ];
        for (text, is_own) in cases {
            assert_eq!(says_identity(text.as_bytes()), is_own, "{text:?}");
        }
    }
}
