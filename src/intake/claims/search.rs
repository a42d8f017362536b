use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;

use unicode_normalization::UnicodeNormalization as _;

use super::Inside;
use crate::intake::candidate::{SIDECAR, index_of, is_record};
use crate::intake::walk::Found;
use crate::model::{Kind, Reference, RelPath};

/// Folders that hold the parts of a model beside them.
const MODEL_FOLDERS: [&str; 6] = ["textures", "texture", "tex", "materials", "maps", "source"];
/// Those of them that may also be the name of a theme: only a model beside them decides.
const AMBIGUOUS_FOLDERS: [&str; 2] = ["maps", SOURCE];
/// The folder that a model itself may lie in, beside those of its parts.
const SOURCE: &str = "source";
/// How the name of a folder ends into which programs unpack the pictures of an FBX.
const UNPACKED: &str = ".fbm";

/// A model and those of its parts that were found.
pub(super) struct Model {
    /// Its index among the files.
    pub(super) index: usize,
    /// Files that it names.
    pub(super) named: BTreeSet<usize>,
    /// Names of files that are not here.
    pub(super) missing: Vec<String>,
    /// Why it may name more files.
    pub(super) unknown: Vec<String>,
    /// Folders in which its parts may lie.
    pub(super) folders: BTreeSet<RelPath>,
    /// Files that another model names too, each with the index of that model.
    pub(super) shared: Vec<(usize, usize)>,
    /// A folder of which what nothing names may be another model's as well, with the index of that model.
    pub(super) contested: Option<(RelPath, usize)>,
}

/// The folders of models' parts, with what lies in them.
struct ModelFolders {
    /// By the folder that they lie in: each folder, and the indexes of all files below it.
    by_parent: BTreeMap<RelPath, BTreeMap<RelPath, Vec<usize>>>,
}

impl ModelFolders {
    fn find(files: &[Found]) -> Self {
        let mut by_parent: BTreeMap<RelPath, BTreeMap<RelPath, Vec<usize>>> = BTreeMap::new();
        // Files of one folder follow each other.
        let mut last: (Option<RelPath>, Vec<(RelPath, RelPath)>) = (None, Vec::new());
        for (n, found) in files.iter().enumerate() {
            // `raw/theme/x.png` lies in no such folder.
            if found.path.parts().nth(3).is_none() {
                continue;
            }
            let folder = found.path.parent();
            if folder != last.0 {
                last = (folder.clone(), folder.map(around).unwrap_or_default());
            }
            for (parent, folder) in &last.1 {
                by_parent.entry(parent.clone()).or_default().entry(folder.clone()).or_default().push(n);
            }
        }
        Self { by_parent }
    }

    fn beside(&self, folder: &RelPath) -> impl Iterator<Item = &RelPath> {
        self.by_parent.get(folder).into_iter().flat_map(BTreeMap::keys)
    }
}

/// Returns the model folders that a folder is or lies in, each with its parent.
fn around(folder: RelPath) -> Vec<(RelPath, RelPath)> {
    let mut found = Vec::new();
    let mut at = Some(folder);
    while let Some(folder) = at {
        let parent = folder.parent();
        if let Some(parent) = parent.clone().filter(|_| is_model_folder(&folder)) {
            found.push((parent, folder));
        }
        at = parent;
    }
    found
}

/// Returns whether a folder by its name holds the parts of a model beside it.
pub fn is_model_folder(folder: &RelPath) -> bool {
    let name = folder.file_text().to_lowercase();
    MODEL_FOLDERS.contains(&name.as_str()) || name.ends_with(UNPACKED)
}

/// Returns whether a folder by its name has the pictures that were unpacked from a model.
pub(super) fn is_unpacked_from(folder: &RelPath, model: &RelPath) -> bool {
    let stem = model.stem().to_string_lossy().to_lowercase();
    folder.file_text().to_lowercase().strip_suffix(UNPACKED) == Some(&stem)
}

/// Returns the innermost folder above a file that by its name alone holds the parts of a model.
pub(super) fn parts_folder(path: &RelPath) -> Option<RelPath> {
    // This is asked about each file: nothing is copied before a folder is found.
    let is_sure = |name: &OsStr| {
        let name = name.to_string_lossy();
        let tail = name.len().checked_sub(UNPACKED.len()).and_then(|at| name.get(at..));
        let mut sure = MODEL_FOLDERS.iter().filter(|folder| !AMBIGUOUS_FOLDERS.contains(folder));
        sure.any(|folder| name.eq_ignore_ascii_case(folder)) || tail.is_some_and(|t| t.eq_ignore_ascii_case(UNPACKED))
    };
    let up = path.parts().rev().skip(1).position(is_sure)?;
    (0..=up).try_fold(path.clone(), |at, _| at.parent())
}

/// Searches for files by the names that models give them.
pub(super) struct Search<'a> {
    pub(super) files: &'a [Found],
    pub(super) inside: &'a dyn Inside,
    folders: ModelFolders,
    /// Indexes by path, in lower case and one form of accents.
    folded: OnceCell<HashMap<String, usize>>,
}

impl<'a> Search<'a> {
    pub(super) fn new(files: &'a [Found], inside: &'a dyn Inside) -> Self {
        Self { files, inside, folders: ModelFolders::find(files), folded: OnceCell::new() }
    }

    /// Returns the folders for models' parts, each with the indexes of all files below it.
    pub(super) fn folders(&self) -> impl Iterator<Item = (&RelPath, &[usize])> {
        let each = self.folders.by_parent.values().flatten();
        each.map(|(folder, inner)| (folder, inner.as_slice()))
    }

    /// Returns the folders in which a model's parts lie: its own, and those for parts beside it.
    pub(super) fn part_folders(&self, model: usize) -> Vec<RelPath> {
        let Some(own) = self.files[model].path.parent() else { return Vec::new() };
        let mut folders = vec![own.clone()];
        folders.extend(self.folders.beside(&own).cloned());
        if let Some(above) = own.parent().filter(|_| own.file_text().to_lowercase() == SOURCE) {
            folders.extend(self.folders.beside(&above).filter(|folder| **folder != own).cloned());
        }
        folders
    }

    pub(super) fn has_identity(&self, n: usize) -> bool {
        let sidecar = index_of(self.files, self.files[n].path.with_suffix(SIDECAR).as_path().as_os_str());
        sidecar.is_some_and(|n| self.inside.has_identity(&self.files[n]))
    }

    /// Finds what a model names; a material's textures count too.
    pub(super) fn model(&self, index: usize) -> Model {
        let path = &self.files[index].path;
        let part_folders = self.part_folders(index);
        let own: BTreeSet<RelPath> = path.parent().into_iter().collect();
        let mut model = Model {
            index,
            named: BTreeSet::new(),
            missing: Vec::new(),
            unknown: Vec::new(),
            folders: own,
            shared: Vec::new(),
            contested: None,
        };
        let mut waiting = vec![index];
        let mut seen = HashSet::from([index]);
        while let Some(n) = waiting.pop() {
            let references = self.inside.references(&self.files[n]);
            model.unknown.extend(references.unknown.clone());
            let bases: Vec<RelPath> = [self.files[n].path.parent(), path.parent()].into_iter().flatten().collect();
            let mut found: Vec<usize> = Vec::new();
            for reference in &references.named {
                found.extend(self.follow(reference, &bases, &part_folders, &mut model));
            }
            // An OBJ that names no material goes with the one of its name.
            let has_material = found.iter().any(|part| self.files[*part].path.extension() == "mtl");
            if path.extension() == "obj" && n == index && !has_material {
                let name = format!("{}.mtl", path.stem().to_string_lossy());
                found.extend(self.find(&name, &bases, &[]));
            }
            for part in found.into_iter().filter(|part| seen.insert(*part)) {
                let is_model = Kind::is_model_extension(&self.files[part].path.extension());
                // Of two models that name each other, neither would have an owner.
                if is_model || is_record(&self.files[part].path) {
                    continue;
                }
                model.folders.extend(self.files[part].path.parent());
                model.named.insert(part);
                if matches!(self.files[part].path.extension().as_str(), "mtl" | "mat") {
                    waiting.push(part);
                }
            }
        }
        let mut listed = HashSet::new();
        model.missing.retain(|name| listed.insert(name.clone()));
        model
    }

    /// Returns the files that a reference leads to, by the first reading that leads to all of them.
    fn follow(&self, reference: &Reference, bases: &[RelPath], folders: &[RelPath], model: &mut Model) -> Vec<usize> {
        let find = |names: &Vec<String>| -> Vec<Option<usize>> {
            names.iter().map(|name| self.find(name, bases, folders)).collect()
        };
        let tried: Vec<(&Vec<String>, Vec<Option<usize>>)> =
            reference.readings.iter().map(|names| (names, find(names))).collect();
        let all = tried.iter().find(|(_, found)| found.iter().all(Option::is_some));
        let best = || tried.iter().rev().max_by_key(|(_, found)| found.iter().flatten().count());
        let Some((names, found)) = all.or_else(best) else { return Vec::new() };
        for (name, _) in names.iter().zip(found).filter(|(_, found)| found.is_none()) {
            if reference.may_be_inside {
                model.unknown.push(format!("`{name}`, which it names, may be packed in it"));
            } else {
                model.missing.push(name.clone());
            }
            let near = bases.iter().filter_map(|base| joined(base, name)?.parent());
            model.folders.extend(near);
        }
        found.iter().flatten().copied().collect()
    }

    /// Finds a file: where the name leads; else there in any case of letters; else by its last part alone in the
    /// folders where parts lie, since a name may be a path on the disk of the model's author.
    fn find(&self, name: &str, bases: &[RelPath], folders: &[RelPath]) -> Option<usize> {
        let name = name.trim().replace('\\', "/");
        if name.contains("://") {
            return None;
        }
        let is_absolute = name.starts_with('/') || name.as_bytes().get(1) == Some(&b':');
        let paths = || bases.iter().filter(|_| !is_absolute).filter_map(|base| joined(base, &name));
        let exact = |path: RelPath| index_of(self.files, path.as_path().as_os_str());
        let folded = |path: RelPath| self.folded().get(&folded(&path)).copied();
        let last = name.rsplit('/').next().filter(|last| !last.is_empty())?;
        let near = || folders.iter().filter_map(|folder| joined(folder, last));
        let found = paths().find_map(exact).or_else(|| paths().find_map(folded));
        found.or_else(|| near().find_map(exact)).or_else(|| near().find_map(folded))
    }

    fn folded(&self) -> &HashMap<String, usize> {
        self.folded.get_or_init(|| {
            let each = self.files.iter().enumerate();
            // Of two that differ by case alone, the first one in the order of paths.
            each.rev().map(|(n, found)| (folded(&found.path), n)).collect()
        })
    }
}

fn folded(path: &RelPath) -> String {
    path.as_path().to_string_lossy().nfc().collect::<String>().to_lowercase()
}

/// Returns where a relative name leads from a folder, without asking the disk; `None` if it leads out of the area.
pub fn joined(folder: &RelPath, name: &str) -> Option<RelPath> {
    let mut at = folder.clone();
    for part in name.split('/') {
        at = match part {
            "" | "." => at,
            ".." => at.parent()?,
            part => RelPath::new(part).ok().map(|part| at.join(part.as_path()))?,
        };
    }
    Some(at)
}
