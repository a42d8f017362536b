//! Decides which files belong to 3D models. The content of a model names its parts in the way of the program that
//! wrote it, and they are searched for as such programs search for them. A part that is not found, or a model that
//! cannot be read, is a reason to wait: a part of a model must never be taken for a picture.

mod lacking;
mod search;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::sync::Arc;

pub use lacking::{Lacking, lacking};
use search::{Model, Search, parts_folder};
pub use search::{is_model_folder, joined};

use super::candidate::{Role, TAGS, index_of, is_member};
use super::names::arrives_as;
use super::walk::{Found, Odd};
use crate::model::{Kind, References, RelPath, Stage};

/// Files that no model uses as a texture of its own.
const NO_TEXTURES: [&str; 9] = ["mp4", "mov", "m4v", "webm", "mkv", "avi", "pdf", "zip", "3gp"];
/// Words that programs put behind a model's name to distinguish its textures.
#[rustfmt::skip]
const TEXTURE_WORDS: &[&str] = &[
    "albedo", "alpha", "ambientocclusion", "ao", "arm", "basecolor", "basecolour", "bump", "color", "colour", "d",
    "diff", "diffuse", "disp", "displacement", "emission", "emissive", "gloss", "glossiness", "height", "mask", "metal",
    "metallic", "metallicroughness", "metalness", "n", "nor", "normal", "normals", "nrm", "occlusion", "opacity", "orm",
    "reflection", "rma", "rough", "roughness", "spec", "specular", "transmission", "transparency",
];
/// The characters between a name and such words.
const SEPARATORS: [char; 4] = ['_', '-', '.', ' '];
/// The most names that a reason lists; it counts the others.
const NAMES_LISTED_MAX: usize = 5;

/// Reads from the content of files what their names do not say.
pub trait Inside {
    /// Returns what a model or a material names.
    fn references(&self, found: &Found) -> Arc<References>;
    /// Returns whether a generator's metadata is in a picture.
    fn is_generated(&self, found: &Found) -> bool;
    /// Returns whether a sidecar is stockmill's own, with an asset's identity in it.
    fn has_identity(&self, sidecar: &Found) -> bool;
}

/// What belongs to models; a file is known by its index.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The parts of each model.
    pub(super) members: BTreeMap<usize, Vec<usize>>,
    /// Those of them that nothing names: they lie in a model's folders.
    pub(super) unnamed: BTreeSet<usize>,
    /// Why files wait for others: models, and files that may be their parts.
    pub(super) waits: BTreeMap<usize, String>,
}

/// Returns what the models among the files of a folder claim; `odd` are the files that are left alone there.
pub(super) fn claim(stage: Stage, files: &[Found], roles: &[Role], odd: &[Odd], inside: &dyn Inside) -> Claims {
    let of = |wanted: Role| (0..files.len()).filter(move |n| roles[*n] == wanted);
    let is_model = |n: &usize| Kind::is_model_extension(&files[*n].path.extension());
    let model_files: Vec<usize> = of(Role::Primary).filter(is_model).collect();
    let materials: Vec<usize> = of(Role::Beside).filter(|n| files[*n].path.extension() == "mtl").collect();
    let search = Search::new(files, inside);
    let in_folders: Vec<(usize, RelPath)> =
        of(Role::Primary).filter_map(|n| Some((n, parts_folder(&files[n].path)?))).collect();
    let unfinished = odd.iter().filter_map(|odd| {
        let extension = arrives_as(&odd.path.file_text())?.rsplit_once('.')?.1.to_lowercase();
        let is_awaited = Kind::is_model_extension(&extension) || is_member(&extension);
        is_awaited.then(|| (odd.path.clone(), "which is still arriving"))
    });
    let mut arriving: Vec<(RelPath, &str)> = unfinished.collect();
    let buffers: Vec<usize> = of(Role::Beside).filter(|n| files[*n].path.extension() == "bin").collect();
    let has_parts = !materials.is_empty() || !buffers.is_empty() || !in_folders.is_empty();
    if model_files.is_empty() && !has_parts && arriving.is_empty() {
        return Claims::default();
    }
    let models: Vec<Model> = model_files.into_iter().map(|n| search.model(n)).collect();
    let mut claiming = Claiming { search, stage, roles, models, owners: BTreeMap::new(), waits: BTreeMap::new() };
    claiming.claim_named();
    claiming.claim_folders();
    claiming.claim_companions();
    claiming.wait_for_models();
    claiming.wait_with_textures();
    claiming.wait_for_materials(&materials);
    claiming.wait_in_folders(&in_folders);
    let unclaimed = buffers.into_iter().filter(|n| !claiming.owners.contains_key(n));
    arriving.extend(unclaimed.map(|n| (files[n].path.clone(), "which no 3D model here names: one may still arrive")));
    claiming.wait_for_arriving(&arriving);
    claiming.finish()
}

struct Claiming<'a> {
    search: Search<'a>,
    stage: Stage,
    roles: &'a [Role],
    models: Vec<Model>,
    /// The index of the model that each file belongs to.
    owners: BTreeMap<usize, usize>,
    waits: BTreeMap<usize, String>,
}

impl Claiming<'_> {
    fn path(&self, n: usize) -> &RelPath {
        &self.search.files[n].path
    }

    /// Gives each file to the first model that names it.
    fn claim_named(&mut self) {
        for m in 0..self.models.len() {
            for n in self.models[m].named.clone() {
                match self.owners.get(&n).copied() {
                    None => drop(self.owners.insert(n, m)),
                    Some(other) => {
                        let (one, two) = (self.models[m].index, self.models[other].index);
                        self.models[m].shared.push((n, two));
                        self.models[other].shared.push((n, one));
                    }
                }
            }
        }
    }

    /// Gives the files in a model's folders to the model; a model with missing parts comes first.
    fn claim_folders(&mut self) {
        let (mut found, mut contested) = (Vec::new(), Vec::new());
        for (folder, inner) in self.search.folders() {
            let is_free = |n: &usize| {
                !self.owners.contains_key(n)
                    && self.roles[*n] != Role::Taken
                    && !self.models.iter().any(|model| model.index == *n)
            };
            let free: Vec<usize> = inner.iter().copied().filter(is_free).collect();
            let claimants = if free.is_empty() { Vec::new() } else { self.claimants(folder) };
            let Some(owner) = claimants.first() else { continue };
            // A text beside a model is no part that another one lacks.
            let is_part = |n: &usize| self.roles[*n] == Role::Primary || is_member(&self.path(*n).extension());
            if let Some(rival) = claimants.get(1).filter(|_| free.iter().any(is_part)) {
                let each = claimants.iter().map(|m| (*m, if m == owner { rival } else { owner }));
                contested.extend(each.map(|(m, other)| (m, (folder.clone(), self.models[*other].index))));
            }
            found.extend(free.into_iter().map(|n| (n, *owner)));
        }
        for (n, m) in found {
            self.owners.entry(n).or_insert(m);
        }
        for (m, with) in contested {
            self.models[m].contested.get_or_insert(with);
        }
    }

    /// Returns the models that may have what nothing names in a folder, the likeliest first: those that lack something, or name
    /// something there, and those of which nobody can tell; else all beside it. A scene that nobody can read has it only where
    /// there is no other model: it may be left alone, and what it took with it.
    fn claimants(&self, folder: &RelPath) -> Vec<usize> {
        let model = |m: &usize| &self.models[*m];
        let is_scene = |m: &usize| Kind::is_scene_extension(&self.path(model(m).index).extension());
        let names_there = |m: &usize| model(m).named.iter().any(|n| self.path(*n).is_in(folder));
        let is_likely = |m: &usize| !model(m).missing.is_empty() || names_there(m);
        let lacks = |m: &usize| !model(m).missing.is_empty() || !model(m).unknown.is_empty();
        let near = (0..self.models.len()).filter(|m| self.search.part_folders(model(m).index).contains(folder));
        let (scenes, mut near): (Vec<usize>, Vec<usize>) = near.partition(is_scene);
        if near.is_empty() {
            near = scenes;
        }
        let has_its_name = |m: &usize| search::is_unpacked_from(folder, self.path(model(m).index));
        if near.iter().any(has_its_name) {
            near.retain(has_its_name);
        } else if near.iter().any(is_likely) {
            near.retain(|m| is_likely(m) || lacks(m));
        }
        near.sort_by_key(|m| (!lacks(m), !names_there(m)));
        near
    }

    /// Gives to the model, too, the companions that carry the whole name of one of its parts.
    fn claim_companions(&mut self) {
        let files = self.search.files;
        for n in (0..files.len()).filter(|n| self.roles[*n] == Role::Beside) {
            let goes_with = || index_of(files, files[n].path.without_extension());
            if !self.owners.contains_key(&n)
                && let Some(owner) = goes_with().and_then(|part| self.owners.get(&part).copied())
            {
                self.owners.insert(n, owner);
            }
        }
    }

    /// Makes pictures wait whose names are those of a model's textures, `chair_BaseColor.png` beside `chair.glb`,
    /// although it names none; and the model, which would leave them behind.
    fn wait_with_textures(&mut self) {
        let folded = |path: &OsStr| path.to_string_lossy().to_lowercase();
        let is_new = |model: &&Model| self.stage == Stage::Raw || !self.search.has_identity(model.index);
        let new = self.models.iter().filter(is_new).map(|model| model.index);
        let models: Vec<(String, usize)> = new.map(|n| (folded(self.path(n).without_extension()), n)).collect();
        let names: HashMap<&str, usize> = models.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        if names.is_empty() {
            return;
        }
        let mut textures: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for n in 0..self.search.files.len() {
            let name = folded(self.path(n).without_extension());
            let mut ends = name.rmatch_indices(SEPARATORS).map(|(at, _)| at);
            let model = ends.find_map(|at| Some((at, *names.get(&name[..at])?)));
            if let Some((at, model)) = model
                && name[at..].split(SEPARATORS).any(|word| TEXTURE_WORDS.contains(&word))
                && self.may_be_part(n)
            {
                textures.entry(model).or_default().push(n);
            }
        }
        let cure = "put those that are its own into `textures/` beside it";
        for (name, index) in &models {
            let Some(parts) = textures.get(&names[name.as_str()]) else { continue };
            let told: Vec<String> = parts.iter().map(|n| self.path(*n).file_text()).collect();
            let why = format!("files beside it have names of its textures: {}; {cure}", listed(&told));
            let why = format!("{why}{}", self.cure(*index));
            self.waits.entry(*index).or_insert(why);
        }
        let cure = "put it into `textures/` beside the model, or into another folder if it is a picture of its own";
        for (model, parts) in &textures {
            let model = self.path(*model).file_text();
            for n in parts {
                let why = format!("by its name it is a texture of `{model}` beside it: {cure}{}", self.cure(*n));
                self.waits.entry(*n).or_insert(why);
            }
        }
    }

    /// Makes models wait whose parts are missing, and with them each file that may be such a part.
    fn wait_for_models(&mut self) {
        for m in 0..self.models.len() {
            let model = &self.models[m];
            let is_complete = model.missing.is_empty() && model.unknown.is_empty();
            // A model that was passed on was complete, or a person released it.
            let was_passed_on = self.stage != Stage::Raw && self.search.has_identity(model.index);
            let is_alone = is_complete && model.shared.is_empty();
            if model.contested.is_none() && (was_passed_on || is_alone) {
                continue;
            }
            let likely = if is_complete { Vec::new() } else { self.may_be_parts(model) };
            let why = self.why(model, !likely.is_empty());
            let (index, what) = (model.index, Self::what_is_missing(model));
            let name = self.path(index).file_text();
            if !why.is_empty() {
                self.waits.insert(index, format!("{}{}", why.join("; "), self.cure(index)));
            }
            for n in likely {
                let cure = "; put it into another folder if it is a picture of its own";
                let why = format!("it may be a part of `{name}` beside it, {what}{cure}{}", self.cure(n));
                self.waits.entry(n).or_insert(why);
            }
        }
    }

    /// Returns files that may be missing parts of a model: they lie where parts lie, and nothing proves that they
    /// are pictures of their own.
    fn may_be_parts(&self, model: &Model) -> Vec<usize> {
        let lies_near = |n: &usize| self.path(*n).parent().is_some_and(|folder| model.folders.contains(&folder));
        (0..self.search.files.len()).filter(|n| lies_near(n) && self.may_be_part(*n)).collect()
    }

    fn may_be_part(&self, n: usize) -> bool {
        let extension = self.path(n).extension();
        self.roles[n] == Role::Primary
            && !self.owners.contains_key(&n)
            && !Kind::is_model_extension(&extension)
            && !NO_TEXTURES.contains(&extension.as_str())
            && !self.search.has_identity(n)
            && !self.search.inside.is_generated(&self.search.files[n])
    }

    fn why(&self, model: &Model, has_likely: bool) -> Vec<String> {
        let mut why = Vec::new();
        if !model.missing.is_empty() {
            why.push(format!("it names files that are not here yet: {}", listed(&model.missing)));
        }
        if let Some((n, other)) = model.shared.first() {
            let (part, other) = (self.path(*n).file_text(), self.path(*other).file_text());
            why.push(format!("`{other}` names `{part}` too: give each its own copy, in a folder of its own"));
        }
        if let Some((folder, other)) = &model.contested {
            let (folder, other) = (folder.file_text(), self.path(*other).file_text());
            let cure = "give each its own copy, in a folder of its own";
            why.push(format!("what nothing names in `{folder}/` may be of `{other}` as well: {cure}"));
        }
        // If no file here can be mistaken for a part, its parts need not be known.
        if has_likely && !model.unknown.is_empty() {
            let cure = "put its parts into `textures/` beside it";
            why.push(format!("{}, and pictures beside it may be its parts: {cure}", model.unknown.join("; ")));
        }
        why
    }

    fn what_is_missing(model: &Model) -> String {
        if model.missing.is_empty() {
            format!("whose parts cannot be told ({})", model.unknown.join("; "))
        } else {
            format!("which names files that are not here: {}", listed(&model.missing))
        }
    }

    /// Makes pictures wait that are named by a material which no model here names: the model may still arrive.
    fn wait_for_materials(&mut self, materials: &[usize]) {
        for material in materials.iter().filter(|n| !self.owners.contains_key(n)) {
            let found = self.search.model(*material);
            let name = self.path(*material).file_text();
            let parts = found.named.into_iter();
            for n in parts.filter(|n| self.roles[*n] == Role::Primary && !self.owners.contains_key(n)) {
                let why = format!("`{name}` names it, and no 3D model here names `{name}`{}", self.cure(n));
                self.waits.entry(n).or_insert(why);
            }
        }
    }

    /// Makes pictures wait that lie in a folder for a model's parts without a model beside it: the model may still
    /// arrive, or lie elsewhere. A person who wrote shared tags into that folder means pictures.
    fn wait_in_folders(&mut self, in_folders: &[(usize, RelPath)]) {
        for (n, folder) in in_folders {
            let has_tags = || index_of(self.search.files, folder.join(TAGS).as_path().as_os_str()).is_some();
            if self.waits.contains_key(n) || !self.may_be_part(*n) || has_tags() {
                continue;
            }
            let target = if folder.parts().count() > 2 { "beside it" } else { "and this folder into a theme's folder" };
            let why = format!(
                "its folder `{}` is named like a folder for a model's parts: put the model {target}, or rename the folder \
                 if these are pictures of their own{}",
                folder.file_text(),
                self.cure(*n)
            );
            self.waits.insert(*n, why);
        }
    }

    /// Makes pictures wait beside files of a model that have not all arrived.
    fn wait_for_arriving(&mut self, arriving: &[(RelPath, &str)]) {
        let folder = |(path, what)| Some((RelPath::parent(path)?, (path, what)));
        let by_folder: BTreeMap<RelPath, (&RelPath, &&str)> =
            arriving.iter().map(|(path, what)| (path, what)).rev().filter_map(folder).collect();
        if by_folder.is_empty() {
            return;
        }
        for n in 0..self.search.files.len() {
            let beside = self.path(n).parent().and_then(|folder| by_folder.get(&folder));
            if let Some((path, what)) = beside
                && !self.waits.contains_key(&n)
                && self.may_be_part(n)
            {
                let cure = "; put it into another folder if it is a picture of its own";
                let why = format!("it may be a part of `{}` beside it, {what}{cure}{}", path.file_text(), self.cure(n));
                self.waits.insert(n, why);
            }
        }
    }

    /// Returns what a person may do.
    fn cure(&self, n: usize) -> String {
        let theme = self.path(n).parts().nth(1).filter(|_| self.path(n).parts().count() > 2);
        let release = format!("or release it as it is with `stockmill release {}", self.stage);
        theme.map_or_else(
            || format!("; put it into a theme's folder, with its own folders beside it; {release} --anyway`"),
            |theme| format!("; {release} {} --anyway`", theme.to_string_lossy()),
        )
    }

    fn finish(self) -> Claims {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (n, owner) in &self.owners {
            members.entry(self.models[*owner].index).or_default().push(*n);
        }
        let is_named = |n: usize, owner: usize| self.models[owner].named.contains(&n);
        let unnamed = self.owners.iter().filter(|(n, owner)| !is_named(**n, **owner)).map(|(n, _)| *n).collect();
        let waits = self.waits.into_iter().filter(|(n, _)| !self.owners.contains_key(n)).collect();
        Claims { members, unnamed, waits }
    }
}

fn listed(names: &[String]) -> String {
    let told: Vec<&str> = names.iter().take(NAMES_LISTED_MAX).map(String::as_str).collect();
    let rest = names.len() - told.len();
    if rest > 0 { format!("{} and {rest} more", told.join(", ")) } else { told.join(", ") }
}

/// Finds nothing in any file.
#[cfg(test)]
pub(super) struct Nothing;

#[cfg(test)]
impl Inside for Nothing {
    fn references(&self, _: &Found) -> Arc<References> {
        Arc::default()
    }

    fn is_generated(&self, _: &Found) -> bool {
        false
    }

    fn has_identity(&self, _: &Found) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
