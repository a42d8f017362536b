use std::sync::Arc;

use super::areas::Layout;
use super::disk::{Disk, DiskError, DiskResult, Look};
use super::folders::ensure_folder;
use super::lock::{Lock, LockError};
use super::own_names::home;
use super::real::RealDisk;
use crate::model::RelPath;
use crate::records::{Deliveries, DeliveryRecord, hides_deliveries, read_deliveries};

/// A larger record of deliveries is not read; a hundred thousand files have 60 MiB.
const BYTES_MAX: u64 = 1 << 30;

/// The record of what was delivered, and the right to write it.
#[derive(Debug)]
pub struct DeliveryLog {
    disk: Arc<dyn Disk>,
    _lock: Lock,
}

/// Why deliveries cannot be recorded, so that nothing is delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryLogError {
    /// Another process delivers.
    #[error("another `stockmill deliver` works on this mill; wait until it ends")]
    Held,
    /// The lock cannot be opened.
    #[error(transparent)]
    Lock(LockError),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Nobody can tell what was delivered.
    #[error(
        "`{file}` cannot be trusted, so nothing is delivered: {why}. Compare with the markets what they have; move the \
         file away, and all that lies in bundles that are not marked as sent is delivered again"
    )]
    Damaged {
        /// The file.
        file: RelPath,
        /// What is wrong.
        why: String,
    },
}

fn folder() -> RelPath {
    home().join("delivery")
}

fn file() -> RelPath {
    folder().join("delivered.jsonl")
}

impl DeliveryLog {
    /// Takes the lock, and returns what is on record. A torn end was never written: it is taken away.
    pub fn open(layout: Layout) -> Result<(Self, Deliveries), DeliveryLogError> {
        let state = layout.real_path(&folder());
        let disk: Arc<dyn Disk> = Arc::new(RealDisk::open_beside_daemon(layout));
        ensure_folder(&*disk, &folder())?;
        let lock = Lock::take(&state).map_err(|error| match error {
            LockError::Held(_) => DeliveryLogError::Held,
            other @ LockError::Open { .. } => DeliveryLogError::Lock(other),
        })?;
        let (known, whole, torn) = read(&*disk)?;
        if torn {
            rewrite(&*disk, &whole)?;
        }
        Ok((Self { disk, _lock: lock }, known))
    }

    /// Returns the disk to look at what is delivered.
    pub fn disk(&self) -> &dyn Look {
        &*self.disk
    }

    /// Adds a record, durably. After an error nothing may be delivered any more.
    pub fn add(&self, record: &DeliveryRecord) -> DiskResult<()> {
        let is_new = self.disk.stat(&file())?.is_none();
        self.disk.append(&file(), record.to_line().as_bytes())?;
        self.disk.sync_file(&file())?;
        if is_new { self.disk.sync_folder(&folder()) } else { Ok(()) }
    }
}

/// Returns what is on record, for whoever only looks.
pub fn read_delivery_log(disk: &dyn Look) -> Result<Deliveries, DeliveryLogError> {
    read(disk).map(|(known, _, _)| known)
}

/// Returns what is on record, its bytes, and whether it has a torn end behind them.
fn read(disk: &dyn Look) -> Result<(Deliveries, Vec<u8>, bool), DeliveryLogError> {
    let mut known = Deliveries::default();
    let is_there = disk.stat(&folder())?.is_some() && disk.stat(&file())?.is_some();
    let mut bytes = if is_there { disk.read(&file(), BYTES_MAX)? } else { Vec::new() };
    let damaged = |why: String| DeliveryLogError::Damaged { file: file(), why };
    let (records, used) = read_deliveries(&bytes).map_err(damaged)?;
    if hides_deliveries(&bytes[used..]) {
        return Err(damaged("a line of it is damaged".to_owned()));
    }
    records.iter().for_each(|record| known.add(record));
    let torn = used < bytes.len();
    bytes.truncate(used);
    Ok((known, bytes, torn))
}

fn rewrite(disk: &dyn Disk, whole: &[u8]) -> DiskResult<()> {
    let draft = folder().join("delivered.draft");
    if disk.stat(&draft)?.is_some() {
        disk.remove(&draft)?;
    }
    disk.write_new(&draft, whole)?;
    disk.sync_file(&draft)?;
    disk.replace(&draft, &file())?;
    disk.sync_folder(&folder())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test plays the power cut that tears the last line")]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_and_a_torn_line_goes() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(".stockmill")).unwrap();
        let layout = || Layout { root: root.path().to_owned(), areas: [].into() };
        let path = root.path().join(".stockmill/delivery/delivered.jsonl");
        let record = |to: &str| DeliveryRecord::NoRename { to: to.to_owned() };
        {
            let (log, known) = DeliveryLog::open(layout()).unwrap();
            assert_eq!(known, Deliveries::default());
            assert!(matches!(DeliveryLog::open(layout()), Err(DeliveryLogError::Held)));
            log.add(&record("a")).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"0123 {\"torn"].concat()).unwrap();
        {
            let (log, known) = DeliveryLog::open(layout()).unwrap();
            assert!(!known.renames("a"));
            assert_eq!(std::fs::read(&path).unwrap(), whole);
            log.add(&record("b")).unwrap();
        }
        assert!(!read_delivery_log(DeliveryLog::open(layout()).unwrap().0.disk()).unwrap().renames("b"));
        let mut damaged = std::fs::read(&path).unwrap();
        damaged[12] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        let said = DeliveryLog::open(layout()).unwrap_err().to_string();
        assert!(
            said.contains("delivered.jsonl` cannot be trusted") && said.contains("a line of it is damaged"),
            "{said}"
        );
    }
}
