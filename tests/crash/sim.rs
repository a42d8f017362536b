//! A disk in memory that can be cut off at any call, and that then keeps only what was made durable,
//! plus any part of the rest.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::sync::Mutex;

use stockmill::model::{ContentHash, Identity, RelPath};
use stockmill::vault::{
    Detached, Disk, DiskError, DiskResult, Entry, FileSystem, Look, NoReplace, ReadSeek, Space, What,
};

/// What the disk holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    names: BTreeMap<RelPath, Node>,
    durable_names: BTreeMap<RelPath, Node>,
    files: Vec<Bytes>,
    /// Changes of names that are not durable yet, in order.
    pending: Vec<Vec<(RelPath, Option<Node>)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder,
    File(usize),
}

#[derive(Debug, Clone, Default)]
struct Bytes {
    now: Vec<u8>,
    durable: usize,
}

/// A small generator of choices, so that every run is the same.
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit as u64)).unwrap()
    }
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

impl State {
    /// Adds a durable folder and those above it.
    pub(crate) fn folder(&mut self, folder: &str) {
        let mut next = Some(path(folder));
        while let Some(folder) = next {
            self.names.insert(folder.clone(), Node::Folder);
            self.durable_names.insert(folder.clone(), Node::Folder);
            next = folder.parent();
        }
    }

    /// Adds a durable file.
    pub(crate) fn file(&mut self, name: &str, bytes: &[u8]) {
        self.drop_file(name, bytes);
        self.files.last_mut().unwrap().durable = bytes.len();
    }

    /// Adds a file as another program drops one: its name is durable, its bytes were never flushed.
    pub(crate) fn drop_file(&mut self, name: &str, bytes: &[u8]) {
        let name = path(name);
        self.folder(&name.parent().unwrap().to_string());
        self.files.push(Bytes { now: bytes.to_vec(), durable: 0 });
        let node = Node::File(self.files.len() - 1);
        self.names.insert(name.clone(), node);
        self.durable_names.insert(name, node);
    }

    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        match self.names.get(&path(name)) {
            Some(Node::File(file)) => Some(&self.files[*file].now),
            _ => None,
        }
    }

    /// Returns every file outside the journal.
    pub(crate) fn all(&self) -> Vec<(String, &[u8])> {
        let file = |(name, node): (&RelPath, &Node)| match node {
            Node::File(file) => Some((name.to_string(), self.files[*file].now.as_slice())),
            Node::Folder => None,
        };
        self.names.iter().filter_map(file).filter(|(name, _)| !name.starts_with(".stockmill/journal")).collect()
    }

    /// Returns what a machine finds after the power comes back: everything durable; of the rest, each
    /// change of names wholly or not at all, and of a file's bytes any beginning.
    pub(crate) fn after_cut(&self, choices: &mut Choices) -> Self {
        let mut names = self.durable_names.clone();
        for change in &self.pending {
            if choices.below(2) == 0 {
                apply(&mut names, change);
            }
        }
        let lonely: Vec<RelPath> = names
            .keys()
            .filter(|name| name.parent().is_some_and(|parent| !names.contains_key(&parent)))
            .cloned()
            .collect();
        for name in &lonely {
            names.remove(name);
        }
        let keep = |bytes: &Bytes| {
            let kept = bytes.durable + choices.below(bytes.now.len() - bytes.durable + 1);
            Bytes { now: bytes.now[..kept].to_vec(), durable: kept }
        };
        let files = self.files.iter().map(keep).collect();
        Self { durable_names: names.clone(), names, files, pending: Vec::new() }
    }
}

fn apply(names: &mut BTreeMap<RelPath, Node>, change: &[(RelPath, Option<Node>)]) {
    for (name, node) in change {
        match node {
            Some(node) => drop(names.insert(name.clone(), *node)),
            None => drop(names.remove(name)),
        }
    }
}

/// The disk: it counts the calls that change something, and refuses all from the given one on.
#[derive(Debug)]
pub(crate) struct SimDisk {
    inner: Mutex<(State, u64, u64)>,
    /// The calls that must do nothing, to prove that each of them is needed.
    pub(crate) without: Option<&'static str>,
    /// How the disk can give a name that must be free.
    pub(crate) no_replace: NoReplace,
    /// What the call that comes when none is left answers: a cut refuses all that follow, too.
    pub(crate) fault: Option<io::ErrorKind>,
    /// A call that is refused for a path whenever it comes.
    pub(crate) refuses: Mutex<Option<(&'static str, RelPath)>>,
    /// When this call first comes for a path, a program saves a file under a name, as editors do: by a rename.
    pub(crate) meanwhile: Mutex<Option<(&'static str, RelPath, RelPath, &'static [u8])>>,
}

impl SimDisk {
    pub(crate) fn new(state: State, calls: u64) -> Self {
        Self {
            inner: Mutex::new((state, calls, 0)),
            without: None,
            no_replace: NoReplace::Rename,
            fault: None,
            refuses: Mutex::default(),
            meanwhile: Mutex::default(),
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.inner.lock().unwrap().2
    }

    /// Refuses every call that changes something after so many more.
    pub(crate) fn refuse_after(&self, calls: u64) {
        self.inner.lock().unwrap().1 = calls;
    }

    /// Grants every call from now on: the trouble is over, and nothing was cut.
    pub(crate) fn grant(&self) {
        self.inner.lock().unwrap().1 = u64::MAX;
    }

    pub(crate) fn into_state(self) -> State {
        self.inner.into_inner().unwrap().0
    }

    pub(crate) fn state(&self) -> State {
        self.inner.lock().unwrap().0.clone()
    }

    /// Writes into a file as a program does that has it open.
    pub(crate) fn overwrite(&self, name: &str, bytes: &[u8]) {
        let mut inner = self.inner.lock().unwrap();
        let file = file_at(&inner.0, &path(name)).unwrap();
        inner.0.files[file].now = bytes.to_vec();
    }

    fn refused(&self, call: &'static str, path: &RelPath) -> DiskResult<()> {
        let refuses = self.refuses.lock().unwrap();
        if refuses.as_ref().is_none_or(|refused| *refused != (call, path.clone())) {
            return Ok(());
        }
        Err(DiskError { call, path: path.clone(), source: io::ErrorKind::PermissionDenied.into() })
    }

    fn can(is_so: bool) -> io::Result<()> {
        if is_so { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
    }

    fn read_with<T>(
        &self,
        call: &'static str,
        path: &RelPath,
        see: impl FnOnce(&State) -> io::Result<T>,
    ) -> DiskResult<T> {
        self.refused(call, path)?;
        let inner = self.inner.lock().unwrap();
        see(&inner.0).map_err(|source| DiskError { call, path: path.clone(), source })
    }

    fn change<T>(
        &self,
        call: &'static str,
        path: &RelPath,
        act: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> DiskResult<T> {
        self.refused(call, path)?;
        let mut inner = self.inner.lock().unwrap();
        let mut meanwhile = self.meanwhile.lock().unwrap();
        if let Some((_, _, name, bytes)) = meanwhile.take_if(|(at, of, _, _)| (*at, &*of) == (call, path)) {
            inner.0.file(&name.to_string(), bytes);
        }
        drop(meanwhile);
        inner.2 += 1;
        if inner.1 == 0 {
            let source = match self.fault {
                Some(kind) => {
                    // One call only: the disk works again after it.
                    inner.1 = u64::MAX;
                    kind.into()
                }
                None => io::Error::other("power cut"),
            };
            return Err(DiskError { call, path: path.clone(), source });
        }
        inner.1 -= 1;
        act(&mut inner.0).map_err(|source| DiskError { call, path: path.clone(), source })
    }
}

fn file_at(state: &State, path: &RelPath) -> io::Result<usize> {
    match state.names.get(path) {
        Some(Node::File(file)) => Ok(*file),
        Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
        None => Err(io::ErrorKind::NotFound.into()),
    }
}

fn free(state: &State, path: &RelPath) -> io::Result<()> {
    let parent = path.parent().filter(|parent| state.names.get(parent) != Some(&Node::Folder));
    match (parent, state.names.contains_key(path)) {
        (Some(_), _) => Err(io::ErrorKind::NotFound.into()),
        (None, true) => Err(io::ErrorKind::AlreadyExists.into()),
        (None, false) => Ok(()),
    }
}

fn rename(state: &mut State, change: Vec<(RelPath, Option<Node>)>) {
    apply(&mut state.names, &change);
    state.pending.push(change);
}

/// Makes a folder's changes durable, and with them every earlier change of the same names: a name
/// never goes back to what it was before.
fn flush_folder(state: &mut State, folder: &RelPath) {
    let mut names: Vec<RelPath> = Vec::new();
    let mut is_durable: Vec<bool> = Vec::new();
    for change in state.pending.iter().rev() {
        let is_hit = change.iter().any(|(name, _)| name.parent().as_ref() == Some(folder) || names.contains(name));
        if is_hit {
            names.extend(change.iter().map(|(name, _)| name.clone()));
        }
        is_durable.push(is_hit);
    }
    for (change, is_durable) in std::mem::take(&mut state.pending).into_iter().zip(is_durable.into_iter().rev()) {
        if is_durable {
            apply(&mut state.durable_names, &change);
        } else {
            state.pending.push(change);
        }
    }
}

/// A file that is being written: every piece is a call that can be cut or refused.
struct Growing<'d> {
    disk: &'d SimDisk,
    path: RelPath,
}

impl io::Write for Growing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.append(&self.path, bytes).map(|()| bytes.len()).map_err(|error| error.source)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Look for SimDisk {
    fn stat(&self, path: &RelPath) -> DiskResult<Option<Entry>> {
        self.read_with("look at", path, |state| {
            Ok(state.names.get(path).map(|node| {
                let (what, inode, size) = match node {
                    Node::Folder => (What::Folder, 0, 0),
                    Node::File(file) => (What::File, *file as u64 + 1, state.files[*file].now.len() as u64),
                };
                let same = |other: &&Node| matches!((node, other), (Node::File(a), Node::File(b)) if a == b);
                let links = state.names.values().filter(same).count() as u64;
                let identity = Identity { device: device_of(path), inode, size, modified_ns: 0 };
                Entry { what, identity, changed_ns: 0, links, allocated: size, is_foreign: false }
            }))
        })
    }

    fn each(&self, folder: &RelPath, tell: &mut dyn FnMut(&OsStr, Entry)) -> DiskResult<()> {
        let names: Vec<RelPath> = self.read_with("list", folder, |state| {
            Ok(state.names.keys().filter(|name| name.parent().as_ref() == Some(folder)).cloned().collect())
        })?;
        for name in names {
            tell(name.file_name(), self.stat(&name)?.unwrap());
        }
        Ok(())
    }

    fn read(&self, path: &RelPath, _: u64) -> DiskResult<Vec<u8>> {
        self.read_with("read", path, |state| Ok(state.files[file_at(state, path)?].now.clone()))
    }

    fn open(&self, path: &RelPath) -> DiskResult<Box<dyn ReadSeek>> {
        Ok(Box::new(io::Cursor::new(self.read(path, u64::MAX)?)))
    }

    fn open_as(&self, path: &RelPath, _: Identity) -> DiskResult<Box<dyn ReadSeek>> {
        self.open(path)
    }

    fn hash(&self, path: &RelPath) -> DiskResult<ContentHash> {
        Ok(ContentHash::of(&self.read(path, u64::MAX)?))
    }

    fn has_writer(&self, _: &RelPath) -> DiskResult<Option<bool>> {
        Ok(Some(false))
    }

    fn device(&self, folder: &RelPath) -> DiskResult<u64> {
        Ok(device_of(folder))
    }

    fn file_system(&self, _: &RelPath) -> DiskResult<FileSystem> {
        Ok(FileSystem { name: "sim".to_owned(), is_remote: false })
    }

    fn space(&self, _: &RelPath) -> DiskResult<Space> {
        Ok(Space { free: 1 << 40, total: 1 << 40, files: None })
    }

    fn attach(&self, _: &RelPath) -> Result<(), Detached> {
        Ok(())
    }
}

impl Disk for SimDisk {
    fn make_folder(&self, path: &RelPath) -> DiskResult<()> {
        self.change("make folder", path, |state| {
            if state.names.get(path) != Some(&Node::Folder) {
                free(state, path)?;
                rename(state, vec![(path.clone(), Some(Node::Folder))]);
            }
            Ok(())
        })
    }

    fn write_new(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()> {
        self.change("write", path, |state| {
            free(state, path)?;
            state.files.push(Bytes { now: bytes.to_vec(), durable: 0 });
            let node = Node::File(state.files.len() - 1);
            rename(state, vec![(path.clone(), Some(node))]);
            Ok(())
        })
    }

    fn create_new(&self, path: &RelPath) -> DiskResult<Box<dyn io::Write + Send + '_>> {
        self.write_new(path, b"")?;
        Ok(Box::new(Growing { disk: self, path: path.clone() }))
    }

    fn append(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()> {
        self.change("append to", path, |state| {
            if !state.names.contains_key(path) {
                free(state, path)?;
                state.files.push(Bytes::default());
                let node = Node::File(state.files.len() - 1);
                rename(state, vec![(path.clone(), Some(node))]);
            }
            let file = file_at(state, path)?;
            state.files[file].now.extend_from_slice(bytes);
            Ok(())
        })
    }

    fn copy_new(&self, from: &RelPath, to: &RelPath, _: Option<Identity>) -> DiskResult<()> {
        let bytes = self.read(from, u64::MAX)?;
        self.write_new(to, &bytes)
    }

    fn link(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        self.change("link", from, |state| {
            Self::can(self.no_replace != NoReplace::Placeholder)?;
            free(state, to)?;
            let node = Node::File(file_at(state, from)?);
            rename(state, vec![(to.clone(), Some(node))]);
            Ok(())
        })
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        self.change("move", from, |state| {
            Self::can(self.no_replace == NoReplace::Rename)?;
            let node = Node::File(file_at(state, from)?);
            free(state, to)?;
            rename(state, vec![(to.clone(), Some(node)), (from.clone(), None)]);
            Ok(())
        })
    }

    fn exchange(&self, one: &RelPath, other: &RelPath) -> DiskResult<()> {
        self.change("exchange", one, |state| {
            Self::can(self.no_replace == NoReplace::Rename)?;
            let nodes = (Node::File(file_at(state, one)?), Node::File(file_at(state, other)?));
            rename(state, vec![(one.clone(), Some(nodes.1)), (other.clone(), Some(nodes.0))]);
            Ok(())
        })
    }

    fn replace(&self, from: &RelPath, to: &RelPath) -> DiskResult<()> {
        self.change("replace", to, |state| {
            let node = Node::File(file_at(state, from)?);
            rename(state, vec![(to.clone(), Some(node)), (from.clone(), None)]);
            Ok(())
        })
    }

    fn remove_folder(&self, path: &RelPath) -> DiskResult<()> {
        self.change("remove folder", path, |state| {
            if state.names.get(path) != Some(&Node::Folder) {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            if state.names.keys().any(|name| name.parent().as_ref() == Some(path)) {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            rename(state, vec![(path.clone(), None)]);
            Ok(())
        })
    }

    fn remove(&self, path: &RelPath) -> DiskResult<()> {
        self.change("remove", path, |state| {
            file_at(state, path)?;
            rename(state, vec![(path.clone(), None)]);
            Ok(())
        })
    }

    fn sync_file(&self, path: &RelPath) -> DiskResult<()> {
        if self.without == Some("sync_file") {
            return Ok(());
        }
        self.change("flush", path, |state| {
            let file = file_at(state, path)?;
            state.files[file].durable = state.files[file].now.len();
            Ok(())
        })
    }

    fn sync_folder(&self, folder: &RelPath) -> DiskResult<()> {
        if self.without == Some("sync_folder") {
            return Ok(());
        }
        self.change("flush folder", folder, |state| {
            flush_folder(state, folder);
            Ok(())
        })
    }

    fn sync_all(&self) -> DiskResult<()> {
        if self.without == Some("sync_all") {
            return Ok(());
        }
        self.change("flush the disk of", &path(".stockmill"), |state| {
            // The call promises the bytes of one disk; names may or may not come with them, and another
            // disk's bytes do not.
            let elsewhere: Vec<usize> = state
                .names
                .iter()
                .filter_map(|(name, node)| match node {
                    Node::File(file) if device_of(name) != 1 => Some(*file),
                    _ => None,
                })
                .collect();
            for (file, bytes) in state.files.iter_mut().enumerate() {
                if !elsewhere.contains(&file) {
                    bytes.durable = bytes.now.len();
                }
            }
            Ok(())
        })
    }

    fn make_area(&self, _: &RelPath) -> Result<(), Detached> {
        Ok(())
    }
}

/// `upload` lies on a disk of its own.
fn device_of(path: &RelPath) -> u64 {
    if path.area() == "upload" { 2 } else { 1 }
}
