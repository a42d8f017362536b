use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::after::Kind;
use super::contents::{Item, bundle_of};
use super::next::{IN_DOUBT, Known, Naming};
use super::rows::{Rows, Selection};
use super::server::Trouble;
use crate::model::{AssetId, ContentHash, MarketName, RelPath};
use crate::records::{Deliveries, DeliveryRecord, DeliveryStep, FileDelivery};
use crate::vault::{DeliveryLog, Look};

/// What is on record, shared by all connections. Each of its records is durable before it is believed.
pub(super) struct Record<'a> {
    log: DeliveryLog,
    state: Mutex<State>,
    now: &'a (dyn Fn() -> Timestamp + Sync),
}

struct State {
    known: Deliveries,
    /// Whether a record could not be written: what stands behind half of one would be lost.
    is_broken: bool,
    /// What some connection has in hand.
    in_hand: BTreeSet<(MarketName, ContentHash)>,
}

/// One content for one market.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) market: MarketName,
    pub(super) item: Item,
    pub(super) hash: ContentHash,
    /// The asset that it is of, if its sidecar says that.
    pub(super) asset: Option<AssetId>,
    /// What is sent in place of the file itself.
    pub(super) instead: Option<Instead>,
}

/// A manifest of those rows that a market has not got.
#[derive(Debug, Clone)]
pub(super) struct Instead {
    /// Its name on the server.
    pub(super) name: String,
    pub(super) new: Selection,
}

impl Parcel {
    /// Returns its name on the server.
    pub(super) fn name(&self) -> String {
        self.instead.as_ref().map_or_else(|| self.item.path.file_text(), |instead| instead.name.clone())
    }

    /// Returns how many bytes it has.
    pub(super) fn bytes(&self) -> u64 {
        self.instead.as_ref().map_or(self.item.seen.size, |instead| instead.new.manifest.len() as u64)
    }
}

/// Whether a file is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is, by whoever asked.
    Yours,
    /// The market has it.
    Delivered,
    /// It is not, and why.
    No(String),
}

impl<'a> Record<'a> {
    pub(super) fn new(log: DeliveryLog, known: Deliveries, now: &'a (dyn Fn() -> Timestamp + Sync)) -> Self {
        Self { log, state: Mutex::new(State { known, is_broken: false, in_hand: BTreeSet::new() }), now }
    }

    pub(super) fn disk(&self) -> &dyn Look {
        self.log.disk()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and each change is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether a file was delivered as it lies there, without reading it.
    pub(super) fn is_delivered(&self, item: &Item) -> bool {
        let state = self.state();
        let delivered = state.known.delivered(&item.path);
        delivered.is_some_and(|was| (was.bytes, was.modified_ns) == (item.seen.size, item.seen.modified_ns))
    }

    /// Decides whether a file is to be sent: nothing goes to a market twice, under whatever name.
    pub(super) fn claim(&self, parcel: &Parcel) -> Claim {
        let path = &parcel.item.path;
        if let Some(file) = self.went_before(parcel) {
            return Claim::No(format!(
                "the market got the same asset before, as `{file}`; if it is to get this one too, since it refused that or you \
                 took it back there, say `stockmill deliver --send-again {path}`, else `stockmill deliver --taken {path}`"
            ));
        }
        if self.was_changed(parcel) {
            return Claim::No(format!(
                "it was changed after it was delivered, and nothing goes to a market twice: if the market is to have the new \
                 one, upload that by hand; in any case say `stockmill deliver --taken {path}`"
            ));
        }
        self.claim_content(parcel)
    }

    /// Returns whether a file was delivered with other bytes. Of a manifest only rows go that the market has not got.
    fn was_changed(&self, parcel: &Parcel) -> bool {
        let state = self.state();
        let was = state.known.delivered(&parcel.item.path);
        was.is_some_and(|was| was.rows.is_empty() && was.hash != parcel.hash)
            && state.known.of(&parcel.market, &parcel.hash).is_none_or(|was| was.step != DeliveryStep::Delivered)
    }

    /// Returns whether anything of a bundle is on record as delivered.
    pub(super) fn knows(&self, bundle: &RelPath) -> bool {
        self.state().known.delivered_in(bundle).next().is_some()
    }

    /// Returns the rows that the market got of the manifests of a bundle.
    pub(super) fn delivered_rows(&self, bundle: &RelPath) -> Rows {
        self.state().known.delivered_rows(bundle)
    }

    /// Returns which one of the manifests of a bundle has a hash; it stays that one.
    pub(super) fn manifest_number(&self, bundle: &RelPath, market: &MarketName, hash: &ContentHash) -> usize {
        self.state().known.manifest_number(bundle, market, hash)
    }

    /// Returns the file by which a market got the same asset in other bytes.
    fn went_before(&self, parcel: &Parcel) -> Option<RelPath> {
        let Parcel { market, item: Item { path, .. }, hash, asset, .. } = parcel;
        self.state().known.went_before(market, asset.as_ref()?, path, hash).cloned()
    }

    fn claim_content(&self, parcel: &Parcel) -> Claim {
        let state = &mut *self.state();
        let Parcel { market, item: Item { path, .. }, hash, .. } = parcel;
        match state.known.of(market, hash) {
            Some(FileDelivery { file, step: DeliveryStep::Delivered, .. }) if file == path => return Claim::Delivered,
            Some(FileDelivery { file, step: DeliveryStep::Delivered, .. }) => {
                let bundle = bundle_of(path).unwrap_or_else(|| path.clone());
                return Claim::No(format!(
                    "the market has the same bytes already, as `{file}`; if that one's bundle has another name now, give it its name \
                     back, or say `stockmill sent {bundle}`"
                ));
            }
            Some(FileDelivery { file, step: DeliveryStep::Begun, .. }) if file != path => {
                return Claim::No(format!("the market perhaps has the same bytes already, as `{file}`; see there"));
            }
            _ => (),
        }
        // Its rows may stand in another manifest of the bundle by now.
        let rows = parcel.instead.iter().flat_map(|instead| instead.new.rows.keys());
        let mut in_doubt = rows.filter_map(|name| state.known.row_in_doubt(&path.parent()?, name));
        if let Some(was) = in_doubt.find(|was| was.file != *path) {
            return Claim::No(format!("a row of it went with `{}`, and {IN_DOUBT}", was.file));
        }
        // It was changed meanwhile: the market perhaps has what it was.
        if state.known.in_doubt(path).any(|was| was.hash != *hash) {
            return Claim::No(IN_DOUBT.to_owned());
        }
        if state.in_hand.insert((market.clone(), hash.clone())) {
            Claim::Yours
        } else {
            Claim::No("another file of this run has the same bytes".to_owned())
        }
    }

    /// Returns what is on record of a content that is to be sent.
    pub(super) fn known(&self, parcel: &Parcel) -> Known {
        match self.state().known.of(&parcel.market, &parcel.hash).map(|was| was.step) {
            Some(DeliveryStep::Begun) => Known::Begun,
            Some(DeliveryStep::Undone) => Known::Cut,
            Some(DeliveryStep::Delivered | DeliveryStep::Sending) | None => Known::New,
        }
    }

    pub(super) fn naming(&self, server: &str) -> Naming {
        if self.state().known.renames(server) { Naming::Renamed } else { Naming::Direct }
    }

    /// Returns what was sent in parts of a file: the bytes, and when they were written.
    pub(super) fn parts(&self, parcel: &Parcel) -> Vec<(ContentHash, i64)> {
        self.state().known.parts(&parcel.item.path).cloned().collect()
    }

    /// Records that a file begins to go under its temporary name, unless that is on record.
    pub(super) fn sending(&self, parcel: &Parcel) -> Result<(), Trouble> {
        let part = (parcel.hash.clone(), parcel.item.seen.modified_ns);
        if self.parts(parcel).contains(&part) { Ok(()) } else { self.step(parcel, DeliveryStep::Sending) }
    }

    /// Records a step of a file.
    pub(super) fn step(&self, parcel: &Parcel, step: DeliveryStep) -> Result<(), Trouble> {
        let Parcel { market, item: Item { path, seen }, hash, asset, instead } = parcel.clone();
        let (bytes, modified_ns) = (parcel.bytes(), seen.modified_ns);
        let at = (self.now)();
        let rows = instead.map(|instead| instead.new.rows).unwrap_or_default();
        let record = FileDelivery { at, market, file: path, asset, hash, bytes, modified_ns, step, rows };
        self.add(&DeliveryRecord::File(record))
    }

    /// Records that a server refuses to rename.
    pub(super) fn no_rename(&self, server: &str) -> Result<(), Trouble> {
        self.add(&DeliveryRecord::NoRename { to: server.to_owned() })
    }

    fn add(&self, record: &DeliveryRecord) -> Result<(), Trouble> {
        let mut state = self.state();
        let cannot = |why: String| Trouble::new(Kind::Stop, format!("what is delivered cannot be recorded: {why}"));
        if state.is_broken {
            return Err(cannot("an earlier record could not be written; see above".to_owned()));
        }
        if let Err(error) = self.log.add(record) {
            state.is_broken = true;
            return Err(cannot(error.to_string()));
        }
        state.known.add(record);
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes a mill")]
mod tests {
    use super::*;
    use crate::model::{Identity, RelPath};
    use crate::vault::Layout;

    #[test]
    fn nothing_goes_to_a_market_twice() {
        let root = tempfile::tempdir().unwrap();
        for folder in [".stockmill", "upload"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        let (log, known) =
            DeliveryLog::open(Layout { root: root.path().to_owned(), areas: [].into() }, &|_| ()).unwrap();
        let now = || "2026-11-28T09:00:00Z".parse().unwrap();
        let record = Record::new(log, known, &now);
        let parcel = |name: &str, bytes: &[u8], market: &str| Parcel {
            market: MarketName::recorded(market),
            item: Item {
                path: RelPath::new(format!("upload/d/m/files/{name}")).unwrap(),
                seen: Identity { device: 1, inode: 1, size: bytes.len() as u64, modified_ns: 5 },
            },
            hash: ContentHash::of(bytes),
            asset: None,
            instead: None,
        };
        let claim = |parcel: &Parcel| record.claim(parcel);
        let a = parcel("a.jpg", b"a", "shop");
        assert_eq!((claim(&a), record.known(&a)), (Claim::Yours, Known::New));
        let said = |claim: Claim| match claim {
            Claim::No(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(said(claim(&parcel("b.jpg", b"a", "shop"))).contains("another file of this run"));
        assert_eq!(claim(&parcel("a.jpg", b"a", "other")), Claim::Yours);
        record.step(&a, DeliveryStep::Begun).unwrap();
        assert_eq!(record.known(&a), Known::Begun);
        assert!(said(claim(&parcel("b.jpg", b"a", "shop"))).contains("perhaps has the same bytes"));
        record.step(&a, DeliveryStep::Undone).unwrap();
        assert_eq!(record.known(&a), Known::Cut);
        assert!(!record.is_delivered(&a.item));
        record.step(&a, DeliveryStep::Delivered).unwrap();
        assert!(record.is_delivered(&a.item));
        assert_eq!(claim(&a), Claim::Delivered);
        assert!(said(claim(&parcel("b.jpg", b"a", "shop"))).contains("as `upload/d/m/files/a.jpg`"));
        // A changed one waits until a person says that they know of it, and is never sent again.
        let new = parcel("a.jpg", b"new", "shop");
        for _ in 0..2 {
            assert!(said(claim(&new)).contains("changed after it was delivered"));
        }
        assert!(said(claim(&new)).contains("--taken upload/d/m/files/a.jpg"));
        record.step(&new, DeliveryStep::Delivered).unwrap();
        assert_eq!(claim(&new), Claim::Delivered);
        assert_eq!(claim(&a), Claim::Delivered);
        // What was changed while nobody could tell may be there as it was.
        record.step(&parcel("c.jpg", b"c", "shop"), DeliveryStep::Begun).unwrap();
        assert!(said(claim(&parcel("c.jpg", b"new c", "shop"))).contains("nobody can tell"));
        // The same asset in other bytes goes only by a person's word.
        let of_asset = |name: &str, bytes: &[u8]| Parcel {
            asset: Some(AssetId::of(&ContentHash::of(b"dropped"))),
            ..parcel(name, bytes, "shop")
        };
        let (one, other) = (of_asset("one.jpg", b"one"), of_asset("other.jpg", b"other"));
        assert_eq!(claim(&one), Claim::Yours);
        record.step(&one, DeliveryStep::Delivered).unwrap();
        // Nothing was sent of it: it is not in doubt, and what lies on the server under its name is not it.
        for _ in 0..2 {
            assert!(said(claim(&other)).contains("the same asset before, as `upload/d/m/files/one.jpg`"));
        }
        record.step(&other, DeliveryStep::Undone).unwrap();
        assert_eq!((claim(&other), record.known(&other)), (Claim::Yours, Known::New));
        assert_eq!(record.naming("s"), Naming::Renamed);
        record.no_rename("s").unwrap();
        assert_eq!(record.naming("s"), Naming::Direct);
    }
}
