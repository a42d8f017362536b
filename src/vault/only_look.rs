//! A disk for commands that only look: it refuses every change.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::sync::Arc;

use super::disk::{Detached, Disk, DiskError, DiskResult, Entry, FileSystem, Look, ReadSeek, Space};
use super::handles::AtWork;
use super::own_names::home;
use crate::model::{ContentHash, Identity, RelPath};

/// What such a command looks through. A plan that it makes cannot be carried out.
#[derive(Debug)]
pub(super) struct OnlyLook(pub(super) Arc<dyn Look>);

fn refused(call: &'static str, path: &RelPath) -> DiskResult<()> {
    Err(DiskError { call, path: path.clone(), source: ErrorKind::ReadOnlyFilesystem.into() })
}

impl Look for OnlyLook {
    fn at_work(&self) -> AtWork {
        self.0.at_work()
    }

    fn stat(&self, path: &RelPath) -> DiskResult<Option<Entry>> {
        self.0.stat(path)
    }

    fn each(&self, folder: &RelPath, tell: &mut dyn FnMut(&OsStr, Entry)) -> DiskResult<()> {
        self.0.each(folder, tell)
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> DiskResult<Vec<u8>> {
        self.0.read(path, bytes_max)
    }

    fn open(&self, path: &RelPath) -> DiskResult<Box<dyn ReadSeek>> {
        self.0.open(path)
    }

    fn open_as(&self, path: &RelPath, seen: Identity) -> DiskResult<Box<dyn ReadSeek>> {
        self.0.open_as(path, seen)
    }

    fn hash(&self, path: &RelPath) -> DiskResult<ContentHash> {
        self.0.hash(path)
    }

    fn has_writer(&self, path: &RelPath) -> DiskResult<Option<bool>> {
        self.0.has_writer(path)
    }

    fn device(&self, folder: &RelPath) -> DiskResult<u64> {
        self.0.device(folder)
    }

    fn file_system(&self, folder: &RelPath) -> DiskResult<FileSystem> {
        self.0.file_system(folder)
    }

    fn space(&self, folder: &RelPath) -> DiskResult<Space> {
        self.0.space(folder)
    }

    fn attach(&self, area: &RelPath) -> Result<(), Detached> {
        self.0.attach(area)
    }
}

impl Disk for OnlyLook {
    fn make_folder(&self, path: &RelPath) -> DiskResult<()> {
        refused("made", path)
    }

    fn write_new(&self, path: &RelPath, _: &[u8]) -> DiskResult<()> {
        refused("written", path)
    }

    fn create_new(&self, path: &RelPath) -> DiskResult<Box<dyn Write + Send + '_>> {
        refused("written", path).map(|()| Box::new(std::io::sink()) as _)
    }

    fn append(&self, path: &RelPath, _: &[u8]) -> DiskResult<()> {
        refused("written", path)
    }

    fn copy_new(&self, from: &RelPath, _: &RelPath, _: Option<Identity>) -> DiskResult<()> {
        refused("copied", from)
    }

    fn link(&self, from: &RelPath, _: &RelPath) -> DiskResult<()> {
        refused("linked", from)
    }

    fn rename_new(&self, from: &RelPath, _: &RelPath) -> DiskResult<()> {
        refused("moved", from)
    }

    fn exchange(&self, one: &RelPath, _: &RelPath) -> DiskResult<()> {
        refused("exchanged", one)
    }

    fn replace(&self, _: &RelPath, to: &RelPath) -> DiskResult<()> {
        refused("replaced", to)
    }

    fn remove_folder(&self, path: &RelPath) -> DiskResult<()> {
        refused("removed", path)
    }

    fn remove(&self, path: &RelPath) -> DiskResult<()> {
        refused("removed", path)
    }

    fn sync_file(&self, path: &RelPath) -> DiskResult<()> {
        refused("flushed to the disk", path)
    }

    fn sync_folder(&self, folder: &RelPath) -> DiskResult<()> {
        refused("flushed to the disk", folder)
    }

    fn sync_all(&self) -> DiskResult<()> {
        refused("flushed to the disk", &home())
    }

    fn make_area(&self, area: &RelPath) -> Result<(), Detached> {
        self.0.attach(area)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test plays the person who drops a file")]
mod tests {
    use super::*;
    use crate::vault::{Layout, RealDisk};

    #[test]
    fn every_change_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout { root: root.path().to_owned(), areas: [].into() };
        std::fs::create_dir(root.path().join("raw")).unwrap();
        std::fs::write(root.path().join("raw/a.png"), "a").unwrap();
        let disk = OnlyLook(RealDisk::open_to_look(layout));
        let path = |text: &str| RelPath::new(text).unwrap();
        let (a, b) = (path("raw/a.png"), path("raw/b.png"));
        let refused = [
            disk.make_folder(&path("raw/t")),
            disk.write_new(&b, b"b"),
            disk.create_new(&b).map(drop),
            disk.append(&a, b"b"),
            disk.copy_new(&a, &b, None),
            disk.link(&a, &b),
            disk.rename_new(&a, &b),
            disk.exchange(&a, &b),
            disk.replace(&a, &b),
            disk.remove_folder(&path("raw")),
            disk.remove(&a),
            disk.sync_file(&a),
            disk.sync_folder(&path("raw")),
            disk.sync_all(),
        ];
        for answer in refused {
            assert_eq!(answer.unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
        }
        assert!(disk.make_area(&path("keep")).is_err() && !root.path().join("keep").exists());
        assert_eq!(disk.list(&path("raw")).unwrap().len(), 1);
        assert_eq!(disk.read(&a, 9).unwrap(), b"a");
    }
}
