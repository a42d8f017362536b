//! Which assets the files of open bundles are, by their sidecars as they were read last: each look at a bundle asks that of all open
//! bundles of its market, and reads only those that changed.

use std::collections::BTreeMap;
use std::num::NonZeroI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::model::{AssetId, MarketName, RelPath};
use crate::vault::Entry;

/// What was read of each market's sidecars at the last look at its open bundles.
#[derive(Debug, Default)]
pub(super) struct ReadSidecars(Mutex<BTreeMap<MarketName, Arc<Sidecars>>>);

/// What was read of one market's, by the state in which it was read.
#[derive(Debug, Default)]
pub(super) struct Sidecars(Vec<ReadOnce>);

/// What a sidecar in one state says: 24 bytes, since there may be hundreds of thousands.
#[derive(Debug, Clone)]
struct ReadOnce {
    /// The start of a hash of where it lies and of its identity.
    state: u64,
    asset: AssetId,
    last_ns: Option<NonZeroI64>,
}

impl ReadSidecars {
    /// Returns what was read of a market's sidecars.
    pub(super) fn of(&self, market: &MarketName) -> Arc<Sidecars> {
        self.lock().get(market).cloned().unwrap_or_default()
    }

    /// Keeps what a look found; what it did not find is forgotten.
    pub(super) fn keep(&self, market: &MarketName, mut found: Sidecars) {
        found.0.sort_unstable_by_key(|read| read.state);
        found.0.shrink_to_fit();
        self.lock().insert(market.clone(), Arc::new(found));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<MarketName, Arc<Sidecars>>> {
        // Whoever panics leaves no half of an entry.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sidecars {
    /// Returns which asset a sidecar says that its file is, and when that had its last step; `None` if it was not read in the
    /// state in which it lies there.
    pub(super) fn get(&self, path: &RelPath, seen: &Entry) -> Option<(AssetId, Option<Timestamp>)> {
        let state = state_of(path, seen);
        let read = &self.0[self.0.binary_search_by_key(&state, |read| read.state).ok()?];
        let last = read.last_ns.and_then(|at_ns| Timestamp::from_nanosecond(at_ns.get().into()).ok());
        Some((read.asset.clone(), last))
    }

    /// Returns how many were read.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds what a sidecar says.
    pub(super) fn add(&mut self, path: &RelPath, seen: &Entry, asset: &AssetId, last: Option<Timestamp>) {
        let last_ns = last.map(|at| i64::try_from(at.as_nanosecond()).ok().and_then(NonZeroI64::new));
        let Some(last_ns) = last_ns.map_or(Some(None), |at_ns| at_ns.map(Some)) else { return };
        self.0.push(ReadOnce { state: state_of(path, seen), asset: asset.clone(), last_ns });
    }
}

/// Condenses where a sidecar lies and which state of which file that is.
fn state_of(path: &RelPath, seen: &Entry) -> u64 {
    let (identity, mut hasher) = (seen.identity, blake3::Hasher::new());
    for number in [identity.device, identity.inode, identity.size] {
        hasher.update(&number.to_le_bytes());
    }
    for at_ns in [identity.modified_ns, seen.changed_ns] {
        hasher.update(&at_ns.to_le_bytes());
    }
    hasher.update(path.as_path().as_os_str().as_encoded_bytes());
    let mut state = [0; 8];
    hasher.finalize_xof().fill(&mut state);
    u64::from_le_bytes(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentHash, Identity};

    #[test]
    fn what_was_read_counts_for_the_state_in_which_it_was_read() {
        assert_eq!(size_of::<ReadOnce>(), 24);
        let path = |name: &str| RelPath::new(format!("upload/2026-11-30/alamy/sidecars/{name}.yaml")).unwrap();
        let entry = |size, changed_ns| Entry::file(Identity { device: 1, inode: 7, size, modified_ns: 5 }, changed_ns);
        let (asset, at) = (AssetId::of(&ContentHash::of(b"a")), "2026-11-30T10:00:00.5Z".parse().unwrap());
        let (mut found, market) = (Sidecars::default(), MarketName::recorded("alamy"));
        found.add(&path("a"), &entry(9, 5), &asset, Some(at));
        found.add(&path("b"), &entry(9, 5), &asset, None);
        // A time that cannot be kept in so few bytes is read anew.
        found.add(&path("c"), &entry(9, 5), &asset, Some(Timestamp::UNIX_EPOCH));
        let read = ReadSidecars::default();
        read.keep(&market, found);
        for (name, seen, expected) in [
            ("a", entry(9, 5), Some(Some(at))),
            ("b", entry(9, 5), Some(None)),
            ("c", entry(9, 5), None),
            ("a", entry(8, 5), None),
            ("a", entry(9, 6), None),
            ("d", entry(9, 5), None),
        ] {
            let found = read.of(&market).get(&path(name), &seen);
            assert_eq!(found, expected.map(|last| (asset.clone(), last)), "{name}");
        }
        assert_eq!(read.of(&MarketName::recorded("pond5")).get(&path("a"), &entry(9, 5)), None);
    }
}
