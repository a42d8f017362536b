//! A disk for commands that only look: it refuses every change.

use std::ffi::OsStr;
use std::io::ErrorKind;
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
        refused("make folder", path)
    }

    fn write_new(&self, path: &RelPath, _: &[u8]) -> DiskResult<()> {
        refused("write", path)
    }

    fn append(&self, path: &RelPath, _: &[u8]) -> DiskResult<()> {
        refused("append to", path)
    }

    fn copy_new(&self, from: &RelPath, _: &RelPath, _: Option<Identity>) -> DiskResult<()> {
        refused("copy", from)
    }

    fn link(&self, from: &RelPath, _: &RelPath) -> DiskResult<()> {
        refused("link", from)
    }

    fn rename_new(&self, from: &RelPath, _: &RelPath) -> DiskResult<()> {
        refused("move", from)
    }

    fn exchange(&self, one: &RelPath, _: &RelPath) -> DiskResult<()> {
        refused("exchange", one)
    }

    fn replace(&self, _: &RelPath, to: &RelPath) -> DiskResult<()> {
        refused("replace", to)
    }

    fn remove_folder(&self, path: &RelPath) -> DiskResult<()> {
        refused("remove folder", path)
    }

    fn remove(&self, path: &RelPath) -> DiskResult<()> {
        refused("remove", path)
    }

    fn sync_file(&self, path: &RelPath) -> DiskResult<()> {
        refused("flush", path)
    }

    fn sync_folder(&self, folder: &RelPath) -> DiskResult<()> {
        refused("flush folder", folder)
    }

    fn sync_all(&self) -> DiskResult<()> {
        refused("flush the disk of", &home())
    }

    fn make_area(&self, area: &RelPath) -> Result<(), Detached> {
        self.0.attach(area)
    }
}
