//! Which files belong to 3D models. A model names its parts inside, in the words of the program that wrote it;
//! they are looked for as such programs look for them. What cannot be found, or told, is a reason to wait: a part
//! of a model must never be taken for a picture.

mod search;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::sync::Arc;

pub use search::is_model_folder;
use search::{Model, Search, parts_folder};

use super::candidate::{MEMBER_EXTENSIONS, Role, TAGS, index_of};
use super::names::arrives_as;
use super::walk::{Found, Odd};
use crate::model::{Kind, References, RelPath, Stage};

/// Files that no model uses as a texture of its own.
const NO_TEXTURES: [&str; 9] = ["mp4", "mov", "m4v", "webm", "mkv", "avi", "pdf", "zip", "3gp"];
/// Words by which programs tell the textures of one model apart, behind its name.
#[rustfmt::skip]
const TEXTURE_WORDS: &[&str] = &[
    "albedo", "alpha", "ambientocclusion", "ao", "arm", "basecolor", "basecolour", "bump", "color", "colour", "d",
    "diff", "diffuse", "disp", "displacement", "emission", "emissive", "gloss", "glossiness", "height", "mask", "metal",
    "metallic", "metallicroughness", "metalness", "n", "nor", "normal", "normals", "nrm", "occlusion", "opacity", "orm",
    "reflection", "rma", "rough", "roughness", "spec", "specular", "transmission", "transparency",
];
/// What stands between a name and such words.
const APART: [char; 4] = ['_', '-', '.', ' '];
/// So many names are told; the rest is counted.
const NAMES_TOLD_MAX: usize = 5;

/// Looks into files for what their names do not tell.
pub trait Inside {
    /// Returns what a model or a material names.
    fn references(&self, found: &Found) -> Arc<References>;
    /// Returns whether a generator's metadata is in a picture.
    fn is_generated(&self, found: &Found) -> bool;
    /// Returns whether a sidecar is stockmill's own, with an asset's identity in it.
    fn has_identity(&self, sidecar: &Found) -> bool;
}

/// What belongs to models, by the places of files.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The parts of each model.
    pub(super) members: BTreeMap<usize, Vec<usize>>,
    /// Why files wait for others: models and what may be their parts.
    pub(super) waits: BTreeMap<usize, String>,
}

/// Returns what the models among the files of a folder claim; `odd` is what is left alone there.
pub(super) fn claim(stage: Stage, files: &[Found], roles: &[Role], odd: &[Odd], inside: &dyn Inside) -> Claims {
    let of = |wanted: Role| (0..files.len()).filter(move |n| roles[*n] == wanted);
    let is_model = |n: &usize| Kind::is_model_extension(&files[*n].path.extension());
    let places: Vec<usize> = of(Role::Primary).filter(is_model).collect();
    let materials: Vec<usize> = of(Role::Beside).filter(|n| files[*n].path.extension() == "mtl").collect();
    let search = Search::new(files, inside);
    let in_folders: Vec<(usize, RelPath)> =
        of(Role::Primary).filter_map(|n| Some((n, parts_folder(&files[n].path)?))).collect();
    let on_their_way = odd.iter().filter_map(|odd| {
        let extension = arrives_as(&odd.path.file_text())?.rsplit_once('.')?.1.to_lowercase();
        let is_awaited = Kind::is_model_extension(&extension) || MEMBER_EXTENSIONS.contains(&extension.as_str());
        is_awaited.then(|| (odd.path.clone(), "which is on its way"))
    });
    let mut arriving: Vec<(RelPath, &str)> = on_their_way.collect();
    let buffers: Vec<usize> = of(Role::Beside).filter(|n| files[*n].path.extension() == "bin").collect();
    let has_parts = !materials.is_empty() || !buffers.is_empty() || !in_folders.is_empty();
    if places.is_empty() && !has_parts && arriving.is_empty() {
        return Claims::default();
    }
    let models: Vec<Model> = places.into_iter().map(|place| search.model(place)).collect();
    let mut claiming = Claiming { search, stage, roles, models, owners: BTreeMap::new(), waits: BTreeMap::new() };
    claiming.take_named();
    claiming.take_folders();
    claiming.take_beside();
    claiming.wait_for_models();
    claiming.wait_with_textures();
    claiming.wait_for_materials(&materials);
    claiming.wait_in_folders(&in_folders);
    let lonely = buffers.into_iter().filter(|n| !claiming.owners.contains_key(n));
    arriving.extend(lonely.map(|n| (files[n].path.clone(), "which no 3D model here names: one may be on its way")));
    claiming.wait_for_arriving(&arriving);
    claiming.finish()
}

struct Claiming<'a> {
    search: Search<'a>,
    stage: Stage,
    roles: &'a [Role],
    models: Vec<Model>,
    /// Which model, by its place among the models, each file belongs to.
    owners: BTreeMap<usize, usize>,
    waits: BTreeMap<usize, String>,
}

impl Claiming<'_> {
    fn path(&self, n: usize) -> &RelPath {
        &self.search.files[n].path
    }

    /// Gives each file to the first model that names it.
    fn take_named(&mut self) {
        for m in 0..self.models.len() {
            for n in self.models[m].named.clone() {
                match self.owners.get(&n).copied() {
                    None => drop(self.owners.insert(n, m)),
                    Some(other) => {
                        let (one, two) = (self.models[m].place, self.models[other].place);
                        self.models[m].shared.push((n, two));
                        self.models[other].shared.push((n, one));
                    }
                }
            }
        }
    }

    /// Gives what lies in a model's folders to the model: first to one that misses something.
    fn take_folders(&mut self) {
        let mut found = Vec::new();
        for (folder, inner) in self.search.folders() {
            let is_near = |model: &Model| self.search.places(model.place).contains(folder);
            let names_there = |model: &Model| model.named.iter().any(|n| self.path(*n).is_in(folder));
            let rank = |model: &Model| (model.missing.is_empty() && model.unknown.is_empty(), !names_there(model));
            let near = (0..self.models.len()).filter(|m| is_near(&self.models[*m]));
            let owner = near.min_by_key(|m| rank(&self.models[*m]));
            let is_free = |n: &usize| {
                !self.owners.contains_key(n)
                    && self.roles[*n] != Role::Taken
                    && !self.models.iter().any(|model| model.place == *n)
            };
            if let Some(m) = owner {
                found.extend(inner.iter().copied().filter(is_free).map(|n| (n, m)));
            }
        }
        for (n, m) in found {
            self.owners.entry(n).or_insert(m);
        }
    }

    /// Gives what goes with a model's part under its whole name to the model too.
    fn take_beside(&mut self) {
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

    /// Lets pictures wait that are called like a model's textures, `chair_BaseColor.png` beside `chair.glb`, though it
    /// names none; and the model, which would leave them behind.
    fn wait_with_textures(&mut self) {
        let folded = |path: &OsStr| path.to_string_lossy().to_lowercase();
        let is_new = |model: &&Model| self.stage == Stage::Raw || !self.search.has_identity(model.place);
        let new = self.models.iter().filter(is_new).map(|model| model.place);
        let models: Vec<(String, usize)> = new.map(|n| (folded(self.path(n).without_extension()), n)).collect();
        let names: HashMap<&str, usize> = models.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        if names.is_empty() {
            return;
        }
        let mut textures: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for n in 0..self.search.files.len() {
            let name = folded(self.path(n).without_extension());
            let mut ends = name.rmatch_indices(APART).map(|(at, _)| at);
            let model = ends.find_map(|at| Some((at, *names.get(&name[..at])?)));
            if let Some((at, model)) = model
                && name[at..].split(APART).any(|word| TEXTURE_WORDS.contains(&word))
                && self.may_be_part(n)
            {
                textures.entry(model).or_default().push(n);
            }
        }
        let cure = "put what is its own into `textures/` beside it";
        for (name, place) in &models {
            let Some(parts) = textures.get(&names[name.as_str()]) else { continue };
            let told: Vec<String> = parts.iter().map(|n| self.path(*n).file_text()).collect();
            let why = format!("what lies beside it is called like its textures: {}; {cure}", listed(&told));
            let why = format!("{why}{}", self.cure(*place));
            self.waits.entry(*place).or_insert(why);
        }
        let cure = "put it into `textures/` beside that, or into another folder if it is a picture of its own";
        for (model, parts) in &textures {
            let model = self.path(*model).file_text();
            for n in parts {
                let why = format!("by its name it is a texture of `{model}` beside it: {cure}{}", self.cure(*n));
                self.waits.entry(*n).or_insert(why);
            }
        }
    }

    /// Lets models wait that miss something, and with them whatever may be what they miss.
    fn wait_for_models(&mut self) {
        for m in 0..self.models.len() {
            let model = &self.models[m];
            let is_complete = model.missing.is_empty() && model.unknown.is_empty();
            // What was passed on was complete, or a person let it go.
            let was_passed_on = self.stage != Stage::Raw && self.search.has_identity(model.place);
            if was_passed_on || (is_complete && model.shared.is_empty()) {
                continue;
            }
            let likely = if is_complete { Vec::new() } else { self.may_be_parts(model) };
            let why = self.why(model, !likely.is_empty());
            let (place, what) = (model.place, Self::lacks(model));
            let name = self.path(place).file_text();
            if !why.is_empty() {
                self.waits.insert(place, format!("{}{}", why.join("; "), self.cure(place)));
            }
            for n in likely {
                let cure = "; put it into another folder if it is a picture of its own";
                let why = format!("it may be a part of `{name}` beside it, {what}{cure}{}", self.cure(n));
                self.waits.entry(n).or_insert(why);
            }
        }
    }

    /// Returns files that may be parts of a model which misses some: they lie where parts lie, and nothing
    /// proves that they are pictures of their own.
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
        // Where nothing can be mistaken for a part, nothing need be known.
        if has_likely && !model.unknown.is_empty() {
            let cure = "put its parts into `textures/` beside it";
            why.push(format!("{}, and pictures beside it may be its parts: {cure}", model.unknown.join("; ")));
        }
        why
    }

    fn lacks(model: &Model) -> String {
        if model.missing.is_empty() {
            format!("of which it is not known what it names ({})", model.unknown.join("; "))
        } else {
            format!("which names files that are not here: {}", listed(&model.missing))
        }
    }

    /// Lets pictures wait that a material names which no model here names: the model may come yet.
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

    /// Lets pictures wait that lie in a folder for a model's parts, with no model beside it: it may come yet, or
    /// lie elsewhere. Who wrote shared tags into that very folder means its pictures.
    fn wait_in_folders(&mut self, in_folders: &[(usize, RelPath)]) {
        for (n, folder) in in_folders {
            let has_tags = || index_of(self.search.files, folder.join(TAGS).as_path().as_os_str()).is_some();
            if self.waits.contains_key(n) || !self.may_be_part(*n) || has_tags() {
                continue;
            }
            let place = if folder.parts().count() > 2 { "beside it" } else { "and this folder into a theme's folder" };
            let why = format!(
                "its folder `{}` has the name of one for a model's parts: put the model {place}, or rename the folder \
                 if these are pictures of their own{}",
                folder.file_text(),
                self.cure(*n)
            );
            self.waits.insert(*n, why);
        }
    }

    /// Lets pictures wait beside what a model is made of and that is not all here yet.
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
        let release = format!("or let it go as it is with `stockmill release {}", self.stage);
        theme.map_or_else(
            || format!("; put it into a theme's folder, with its own folders beside it; {release}`"),
            |theme| format!("; {release} {}`", theme.to_string_lossy()),
        )
    }

    fn finish(self) -> Claims {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (n, owner) in &self.owners {
            members.entry(self.models[*owner].place).or_default().push(*n);
        }
        let waits = self.waits.into_iter().filter(|(n, _)| !self.owners.contains_key(n)).collect();
        Claims { members, waits }
    }
}

fn listed(names: &[String]) -> String {
    let told: Vec<&str> = names.iter().take(NAMES_TOLD_MAX).map(String::as_str).collect();
    let rest = names.len() - told.len();
    if rest > 0 { format!("{} and {rest} more", told.join(", ")) } else { told.join(", ") }
}

/// Nothing is inside of anything.
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
