use std::io;
use std::sync::Arc;

use super::areas::Layout;
use super::disk::{Detached, Disk, DiskError, DiskResult, Look};
use super::folders::ensure_folder;
use super::lock::{Lock, LockError};
use super::own_names::{DELIVERY, home};
use super::real::RealDisk;
use crate::model::{RelPath, Stage};
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
    /// The folder of the bundles is not there, or cannot be written to.
    #[error(
        "`{folder}` cannot be made, so nothing is delivered: {why}. A unit of systemd may not make it: say `stockmill deliver` once \
         by hand"
    )]
    Away {
        /// What was to be made.
        folder: RelPath,
        /// Why not.
        why: Detached,
    },
    /// Nobody can tell what was delivered.
    #[error(
        "`{file}` cannot be trusted, so nothing is delivered: {why}. Move the file away, and `{other}` takes its place; if that \
         cannot be trusted either, compare with the markets what they have first: what neither knows is delivered again, unless \
         its bundle is marked as sent"
    )]
    Damaged {
        /// The file.
        file: RelPath,
        /// What is wrong.
        why: String,
        /// The other copy.
        other: RelPath,
    },
    /// Each copy has what the other one lacks.
    #[error(
        "`{0}` and `{1}` tell of different deliveries, as of two mills, so nothing is delivered: keep a copy of both, and move one \
         of them away; then look in the portals, and say `stockmill deliver --taken FILE` of what the market has and only that \
         one knew"
    )]
    Differ(RelPath, RelPath),
}

/// The folders in which the record lies: with the bundles, and with the mill's memory. Each may be lost, or come back from a
/// backup that is older; what neither of them knows is sent.
fn folders() -> [RelPath; 2] {
    [Stage::Upload.folder().join(DELIVERY), home().join("delivery")]
}

/// Returns where the record lies that is with the bundles.
pub fn delivery_file() -> RelPath {
    let [upload, _] = folders();
    file(&upload)
}

fn file(folder: &RelPath) -> RelPath {
    folder.join("delivered.jsonl")
}

impl DeliveryLog {
    /// Takes the lock, and returns what is on record. A torn end was never written: it is taken away. `tell` gets a line if one
    /// of the two copies was lost, or has less than the other: it is made anew of that.
    pub fn open(layout: Layout, tell: &dyn Fn(String)) -> Result<(Self, Deliveries), DeliveryLogError> {
        let [_, home] = folders();
        let state = layout.real_path(&home);
        let disk: Arc<dyn Disk> = Arc::new(RealDisk::open_beside_daemon(layout));
        folders().iter().try_for_each(|folder| make(&*disk, folder))?;
        let lock = Lock::take(&state).map_err(|error| match error {
            LockError::Held(_) => DeliveryLogError::Held,
            other @ LockError::Open { .. } => DeliveryLogError::Lock(other),
        })?;
        let copies = read(&*disk)?;
        let whole = longest(&copies)?;
        for copy in &copies {
            let (has, of) = (copy.records.len(), whole.records.len());
            if has < of {
                let (lacks, full) = (file(&copy.folder), file(&whole.folder));
                tell(format!(
                    "`{lacks}` has {has} of the {of} lines of `{full}`, lost or of an older backup: it is made anew"
                ));
            }
            if has < of || copy.is_torn || disk.stat(&file(&copy.folder))?.is_none() {
                rewrite(&*disk, &copy.folder, &whole.whole)?;
            }
        }
        Ok((Self { disk, _lock: lock }, known(&whole.records)))
    }

    /// Returns the disk to look at what is delivered.
    pub fn disk(&self) -> &dyn Look {
        &*self.disk
    }

    /// Adds a record, durably. After an error nothing may be delivered any more.
    pub fn add(&self, record: &DeliveryRecord) -> DiskResult<()> {
        for path in folders().each_ref().map(file) {
            // It was there when it was opened: a new one would know nothing of what was delivered before.
            if self.disk.stat(&path)?.is_none() {
                let source = io::Error::new(io::ErrorKind::NotFound, "somebody took it away");
                return Err(DiskError { call: "written", path, source });
            }
            self.disk.append(&path, record.to_line().as_bytes())?;
            self.disk.sync_file(&path)?;
        }
        Ok(())
    }
}

/// Makes a folder of the record, but not under a mount point.
fn make(disk: &dyn Disk, folder: &RelPath) -> Result<(), DeliveryLogError> {
    let area = Stage::Upload.folder();
    if folder.is_in(&area) && disk.stat(folder)?.is_none() {
        disk.attach(&area).map_err(|why| DeliveryLogError::Away { folder: folder.clone(), why })?;
    }
    Ok(ensure_folder(disk, folder)?)
}

/// Returns what is on record, for whoever only looks.
pub fn read_delivery_log(disk: &dyn Look) -> Result<Deliveries, DeliveryLogError> {
    Ok(known(&longest(&read(disk)?)?.records))
}

fn known(records: &[DeliveryRecord]) -> Deliveries {
    let mut known = Deliveries::default();
    records.iter().for_each(|record| known.add(record));
    known
}

/// A copy of the record.
struct Copy {
    folder: RelPath,
    records: Vec<DeliveryRecord>,
    /// The bytes of these.
    whole: Vec<u8>,
    /// Whether a torn end stands behind them.
    is_torn: bool,
}

fn read(disk: &dyn Look) -> Result<[Copy; 2], DeliveryLogError> {
    let [one, other] = folders();
    Ok([read_copy(disk, &one, &other)?, read_copy(disk, &other, &one)?])
}

fn read_copy(disk: &dyn Look, folder: &RelPath, other: &RelPath) -> Result<Copy, DeliveryLogError> {
    let path = file(folder);
    let is_there = disk.stat(folder)?.is_some() && disk.stat(&path)?.is_some();
    let mut whole = if is_there { disk.read(&path, BYTES_MAX)? } else { Vec::new() };
    let damaged = |why: String| DeliveryLogError::Damaged { file: path.clone(), why, other: file(other) };
    let (records, used) = read_deliveries(&whole).map_err(damaged)?;
    if hides_deliveries(&whole[used..]) {
        return Err(damaged("a line of it is damaged".to_owned()));
    }
    let is_torn = used < whole.len();
    whole.truncate(used);
    Ok(Copy { folder: folder.clone(), records, whole, is_torn })
}

/// Returns the copy that has all that the other one has.
fn longest([one, other]: &[Copy; 2]) -> Result<&Copy, DeliveryLogError> {
    let (less, more) = if one.whole.len() < other.whole.len() { (one, other) } else { (other, one) };
    if more.whole.starts_with(&less.whole) {
        return Ok(more);
    }
    Err(DeliveryLogError::Differ(file(&one.folder), file(&other.folder)))
}

fn rewrite(disk: &dyn Disk, folder: &RelPath, whole: &[u8]) -> DiskResult<()> {
    let draft = folder.join("delivered.draft");
    if disk.stat(&draft)?.is_some() {
        disk.remove(&draft)?;
    }
    disk.write_new(&draft, whole)?;
    disk.sync_file(&draft)?;
    disk.replace(&draft, &file(folder))?;
    disk.sync_folder(folder)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test plays the power cut that tears the last line")]
mod tests {
    use super::*;

    const COPIES: [&str; 2] = ["upload/.stockmill-delivery/delivered.jsonl", ".stockmill/delivery/delivered.jsonl"];

    struct Mill(tempfile::TempDir);

    impl Mill {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            for folder in [".stockmill", "upload"] {
                std::fs::create_dir(root.path().join(folder)).unwrap();
            }
            Self(root)
        }

        fn copy(&self, at: usize) -> std::path::PathBuf {
            self.0.path().join(COPIES[at])
        }

        fn bytes(&self) -> [Vec<u8>; 2] {
            [0, 1].map(|at| std::fs::read(self.copy(at)).unwrap())
        }

        /// Opens the record; returns it with what it told.
        fn open(&self) -> (Result<(DeliveryLog, Deliveries), DeliveryLogError>, Vec<String>) {
            let told = std::cell::RefCell::new(Vec::new());
            let layout = Layout { root: self.0.path().to_owned(), areas: [].into() };
            let opened = DeliveryLog::open(layout, &|text| told.borrow_mut().push(text));
            (opened, told.into_inner())
        }

        fn add(&self, servers: &[&str]) {
            let (log, _) = self.open().0.unwrap();
            servers.iter().for_each(|to| log.add(&line(to)).unwrap());
        }
    }

    fn line(to: &str) -> DeliveryRecord {
        DeliveryRecord::NoRename { to: to.to_owned() }
    }

    #[test]
    fn a_record_survives_and_a_torn_line_goes() {
        let mill = Mill::new();
        mill.add(&["a"]);
        let whole = mill.bytes();
        assert_eq!(whole[0], whole[1]);
        for at in [0, 1] {
            std::fs::write(mill.copy(at), [&whole[at][..], b"0123 {\"torn"].concat()).unwrap();
            let (opened, told) = mill.open();
            let (log, known) = opened.unwrap();
            assert_eq!((known.renames("a"), told, mill.bytes()), (false, vec![], whole.clone()));
            assert!(matches!(mill.open().0, Err(DeliveryLogError::Held)));
            assert!(!read_delivery_log(log.disk()).unwrap().renames("a"));
        }
    }

    /// With the mill's memory all was lost that told what was delivered, and the markets got it twice.
    #[test]
    fn what_one_copy_lost_the_other_one_gives_back() {
        let lines = ["a", "b"].map(|to| line(to).to_line().into_bytes());
        let [one, both] = [lines[0].clone(), lines.concat()];
        for at in [0, 1] {
            for (lost, has) in [(None, 0), (Some(&b""[..]), 0), (Some(&one), 1), (Some(&both[..both.len() - 3]), 1)] {
                let mill = Mill::new();
                mill.add(&["a", "b"]);
                match lost {
                    Some(left) => std::fs::write(mill.copy(at), left).unwrap(),
                    None => std::fs::remove_dir_all(mill.copy(at).parent().unwrap().parent().unwrap())
                        .and_then(|()| std::fs::create_dir(mill.copy(at).parent().unwrap().parent().unwrap()))
                        .unwrap(),
                }
                let (opened, told) = mill.open();
                assert!(!opened.unwrap().1.renames("b"));
                assert_eq!(mill.bytes(), [&both[..], &both[..]]);
                let said = format!("`{}` has {has} of the 2 lines of `{}`", COPIES[at], COPIES[1 - at]);
                assert!(told.len() == 1 && told[0].starts_with(&said), "{told:?}");
                assert_eq!(mill.open().1, [""; 0]);
            }
        }
    }

    #[test]
    fn what_was_taken_away_meanwhile_is_not_begun_anew() {
        for at in [0, 1] {
            let mill = Mill::new();
            let (log, _) = mill.open().0.unwrap();
            log.add(&line("a")).unwrap();
            std::fs::remove_file(mill.copy(at)).unwrap();
            let said = log.add(&line("b")).unwrap_err().to_string();
            assert_eq!(said, format!("`{}` cannot be written: somebody took it away", COPIES[at]));
            drop(log);
            assert!(!mill.open().0.unwrap().1.renames("a"));
        }
    }

    #[test]
    fn nothing_is_put_under_a_mount_point() {
        let mill = Mill::new();
        let upload = mill.0.path().join("upload").canonicalize().unwrap();
        std::fs::create_dir(mill.0.path().join(".stockmill/areas")).unwrap();
        std::fs::write(mill.0.path().join(".stockmill/areas/upload"), upload.to_str().unwrap()).unwrap();
        let said = mill.open().0.unwrap_err().to_string();
        assert!(said.contains("is not the folder that it was"), "{said}");
        assert_eq!(std::fs::read_dir(&upload).unwrap().count(), 0);
        std::fs::remove_dir(&upload).unwrap();
        let said = mill.open().0.unwrap_err().to_string();
        assert!(said.contains("is missing; mount its disk") && !upload.exists(), "{said}");
    }

    #[test]
    fn what_nobody_can_trust_ends_the_delivery() {
        for at in [0, 1] {
            let mill = Mill::new();
            mill.add(&["a", "b"]);
            let whole = mill.bytes();
            let mut damaged = whole[at].clone();
            damaged[12] ^= 1;
            std::fs::write(mill.copy(at), &damaged).unwrap();
            let said = mill.open().0.unwrap_err().to_string();
            assert!(said.contains(&format!("`{}` cannot be trusted", COPIES[at])), "{said}");
            assert!(said.contains(&format!("a line of it is damaged. Move the file away, and `{}`", COPIES[1 - at])));
            assert_eq!(mill.bytes()[at], damaged);
            std::fs::remove_file(mill.copy(at)).unwrap();
            assert!(mill.open().0.is_ok());
            assert_eq!(mill.bytes(), whole);
            // Lines of another mill.
            std::fs::write(mill.copy(at), line("c").to_line()).unwrap();
            assert!(matches!(mill.open().0, Err(DeliveryLogError::Differ(..))));
        }
    }
}
