use super::{
    BundleFolder, Check, Companion, Context, Facts, Hold, Member, Plan, Recipe, folder_in, naming, new_file, tags,
    theme_of_path,
};
use crate::model::{AssetId, ContentHash, RelPath, Stage, Template, ThemeSlug};
use crate::records::{About, Derivation, FileRecord, Happened, Move, Origin, Remove, SIDECAR_SUFFIX, Sidecar, Step};

/// Returns why a file of a type that stockmill does not work on stays.
pub fn unknown(facts: &Facts) -> Hold {
    const CLAIM: &str = "a theme may claim it under `documents` in its tags.yaml";
    if let Some(what) = facts.foreign {
        let handling = format!("save it as a PNG, TIFF or JPEG and drop that; or {CLAIM}");
        return Hold::Waits(format!("it is {what}, which stockmill does not take; {handling}"));
    }
    Hold::Ignored(format!("its content is no picture, video or 3D model that stockmill knows; {CLAIM}"))
}

/// An asset that is recognised: it has an identity, a theme and a number.
pub(super) struct Asset<'a> {
    pub(super) facts: &'a Facts,
    pub(super) context: &'a Context<'a>,
    pub(super) id: AssetId,
    pub(super) theme: ThemeSlug,
    pub(super) below: Option<RelPath>,
    pub(super) seq: u64,
    pub(super) kind: crate::model::Kind,
    pub(super) sidecar: Sidecar,
    /// Whether it is new to stockmill in this very stage.
    pub(super) is_new: bool,
    /// Whether its bytes are others than those that stockmill knows: nobody has checked them yet.
    is_changed: bool,
    /// Whether a person changed it since stockmill left it: it is a new version of the same asset.
    is_version: bool,
}

impl<'a> Asset<'a> {
    pub(super) fn recognise(facts: &'a Facts, context: &'a Context<'a>) -> Result<Self, Hold> {
        let Some(kind) = facts.kind else {
            return Err(unknown(facts));
        };
        let mut sidecar = facts.sidecar.as_ref().map(|(_, sidecar)| sidecar.clone()).unwrap_or_default();
        let id = match (&sidecar.id, context.known) {
            (Some(id), _) => id.clone(),
            (None, Some(known)) => known.admit(facts.stage)?,
            (None, None) => AssetId::of(&facts.hash),
        };
        let (folder_theme, below) = theme_of_path(&facts.path);
        let theme = folder_theme
            .or_else(|| sidecar.theme.clone())
            .or_else(|| (context.theme_of_file)(&facts.path.stem().to_string_lossy()))
            .unwrap_or_else(ThemeSlug::unsorted);
        let same_theme = sidecar.theme.as_ref() == Some(&theme);
        let seq = sidecar.seq.filter(|_| same_theme).unwrap_or_else(|| (context.next_seq)(&theme, &facts.hash));
        let is_new = sidecar.origin.is_none();
        let size = facts.size;
        sidecar.origin.get_or_insert_with(|| Origin {
            // An original that comes again from the archive has the name there that it was given.
            path: context.known.and_then(|known| known.origin.clone()).unwrap_or_else(|| facts.path.clone()),
            hash: facts.hash.clone(),
            kind,
            size,
            archived: None,
        });
        let is_changed = sidecar.file.as_ref().is_none_or(|file| file.hash != facts.hash);
        let is_version = is_changed && is_changed_by_hand(&sidecar, &facts.hash);
        if is_version {
            let (path, hash) = (facts.path.clone(), facts.hash.clone());
            sidecar.versions.push(Origin { path, hash, kind, size, archived: None });
        }
        if is_changed {
            sidecar.file = Some(FileRecord::of_original(facts.hash.clone()));
        }
        // Whoever goes on was let go, now or before, and the same mark holds it no more.
        sidecar.let_go = facts.rejected_by.as_ref().map(|(_, hash)| hash.clone());
        // What is made of an original has none.
        sidecar.c2pa = facts.c2pa.clone().or_else(|| sidecar.c2pa.take_if(|_| !is_version));
        facts.essences.iter().for_each(|essence| sidecar.add_essence(Some(essence.clone())));
        sidecar.video.clone_from(&facts.video);
        sidecar.id = Some(id.clone());
        sidecar.theme = Some(theme.clone());
        sidecar.seq = Some(seq);
        Ok(Self { facts, context, id, theme, below, seq, kind, sidecar, is_new, is_changed, is_version })
    }

    /// Returns the asset's tags, all layers resolved.
    pub(super) fn tags(&self) -> tags::Resolved {
        self.tags_of(&self.sidecar)
    }

    /// Returns them as they would be if it had another number within its theme, or none.
    pub(super) fn tags_as_number(&self, number: Option<u64>) -> tags::Resolved {
        self.tags_of(&Sidecar { seq: number, ..self.sidecar.clone() })
    }

    fn tags_of(&self, sidecar: &Sidecar) -> tags::Resolved {
        let mut layers = self.context.layers.to_vec();
        if let Some(xmp) = &self.facts.xmp {
            layers.push((tags::Layer::Xmp, xmp.clone()));
        }
        layers.push((tags::Layer::Sidecar, sidecar.tags.clone()));
        let rules = self.context.rules;
        tags::resolve(&layers).of_sidecar(&rules.names, sidecar).telling(&rules.export.ai_fields)
    }

    /// Returns a stem by a naming rule.
    pub(super) fn stem(&self, template: &Template) -> String {
        let origin = self.sidecar.origin.as_ref().expect("a recognised asset has an origin");
        let original = origin.path.stem().to_string_lossy().into_owned();
        let values = naming::Values {
            theme: &self.theme,
            seq: self.seq,
            id: &self.id,
            date: self.context.today,
            original: &original,
            kind: self.kind,
            size: self.facts.size,
        };
        naming::stem(template, &values, self.context.rules.naming.bytes_max)
    }

    /// Returns the stem that the asset goes on under from one inbox to the next: the first name,
    /// unless it has one already.
    pub(super) fn first_stem(&self) -> String {
        if self.is_new || self.facts.stage == Stage::Raw {
            self.stem(&self.context.rules.naming.first)
        } else {
            self.facts.path.stem().to_string_lossy().into_owned()
        }
    }

    /// Returns the extension that a file of this asset's kind gets.
    pub(super) fn extension(&self) -> String {
        self.kind.extension().map_or_else(|| self.facts.path.extension(), str::to_owned)
    }

    /// Returns the asset's folder in an area.
    pub(super) fn folder(&self, area: &str) -> RelPath {
        folder_in(area, &self.theme, self.below.as_ref())
    }

    /// Returns a free path for the asset and its sidecar in a folder.
    pub(super) fn free_in(&self, folder: &RelPath, stem: &str, extension: &str) -> RelPath {
        let taken = |name: &str| {
            let path = folder.join(name);
            (self.context.taken)(&path) || (self.context.taken)(&path.with_suffix(SIDECAR_SUFFIX))
        };
        folder.join(naming::free(stem, extension, self.context.rules.naming.bytes_max, &taken))
    }

    /// Returns the sidecar with a new line of history.
    pub(super) fn sidecar_that(&self, did: &str) -> Sidecar {
        let mut sidecar = self.sidecar.clone();
        let did = self.told(did);
        sidecar.history.push(Happened { at: self.context.now, stage: self.facts.stage, did });
        sidecar
    }

    /// Returns what was done, and that a person had changed the file before, or let it go though it was rejected.
    pub(super) fn told(&self, did: &str) -> String {
        let mut told = did.to_owned();
        let before = self.facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.c2pa.as_ref());
        if let Some(c2pa) = self.facts.c2pa.as_ref().filter(|c2pa| before != Some(*c2pa)) {
            told = format!("{told}; {c2pa}");
        }
        let is_told = |remark: &&String| self.sidecar.history.iter().any(|line| line.did.contains(remark.as_str()));
        for remark in self.facts.remarks.iter().filter(|remark| !is_told(remark)) {
            told = format!("{told}; {remark}");
        }
        if let Some((xmp, _)) = self.facts.rejected_by.as_ref().filter(|_| !self.facts.is_rejection_let_go()) {
            told = format!("let go, though `{xmp}` marks it as rejected; {told}");
        }
        if self.is_version {
            let version = self.sidecar.versions.len() + 1;
            told = format!("changed by hand: version {version} of the same asset; {told}");
        }
        told
    }

    /// Begins a plan for this asset.
    pub(super) fn plan(&self, to: &RelPath, did: &str) -> Plan {
        let about = About {
            theme: Some(self.theme.clone()),
            asset: Some(self.id.clone()),
            seq: Some(self.seq),
            from: Some(self.facts.path.clone()),
            hash: Some(self.facts.hash.clone()),
            to: Some(to.clone()),
            essences: self.facts.essences.clone(),
            ..About::new(self.facts.stage, self.told(did))
        };
        // What stockmill wrote itself, unchanged, was checked when it was made.
        let must_check = (self.is_new || self.is_changed) && !self.facts.is_sound;
        let check = must_check.then(|| Check { path: self.facts.path.clone(), kind: self.kind });
        Plan { check, ..Plan::new(about) }
    }

    /// Returns where the asset's file and its parts lie in an area, in folders that are nested as they are now;
    /// `named` is a folder of its own, or none.
    pub(super) fn with_parts(&self, area: &str, named: Option<&str>) -> RelPath {
        let base = base_of(self.facts);
        let (_, below) = theme_of_path(&base.join("file"));
        let folder = folder_in(area, &self.theme, below.as_ref());
        let folder = named.map_or_else(|| folder.clone(), |stem| self.free_in(&folder, stem, ""));
        let inner = self.facts.path.below(&base).expect("an asset's file lies in its folder");
        folder.join(inner.as_path())
    }

    /// Returns why a model and its parts cannot go to `to`: they keep their names.
    pub(super) fn parts_fit(&self, to: &RelPath) -> Result<(), Hold> {
        let folder = base_in(self.facts, &base_of(self.facts), to);
        let targets = self.parts().map(|(_, inner)| folder.join(inner.as_path())).chain([to.clone()]);
        for target in targets {
            if (self.context.taken)(&target) {
                return Err(Hold::Waits(format!("`{target}` is there already, and a model's parts keep their names")));
            }
        }
        Ok(())
    }

    /// Plans a move to the next inbox under `to`, the bytes unchanged, with everything that belongs to it.
    pub(super) fn pass_on(&self, to: &RelPath, did: &str) -> Plan {
        let mut plan = self.plan(to, did);
        let sidecar = self.sidecar_that(did);
        plan.products.push(new_file(to.with_suffix(SIDECAR_SUFFIX), Recipe::Bytes(sidecar.to_text().into_bytes())));
        // The asset itself comes last: whoever sees it sees all that belongs to it.
        self.bring_companions(&mut plan, to);
        plan.moves.push(Move { from: self.facts.path.clone(), to: to.clone(), seen: self.facts.seen });
        plan
    }

    /// Returns the record of a file that is derived from the asset's; its hash is filled in once it is made.
    pub(super) fn derived(&self, step: Step, embedded: Option<ContentHash>) -> FileRecord {
        let file = self.sidecar.file.as_ref();
        let before = file.and_then(|file| file.recipe.as_ref());
        // What an older stockmill made of it did not say of what.
        let input =
            if before.is_some() { file.and_then(|file| file.input.clone()) } else { Some(self.facts.hash.clone()) };
        FileRecord::of_derived(input, Derivation::after(before, step), embedded)
    }

    /// Plans a derived file `to`, its sidecar, and the retirement of the source.
    pub(super) fn derive(&self, to: &RelPath, recipe: Recipe, file: FileRecord, did: &str) -> Plan {
        let mut plan = self.plan(to, did);
        let mut sidecar = self.sidecar_that(did);
        sidecar.file = Some(file);
        let archived = self.retire(&mut plan);
        if let Some(archived) = archived {
            sidecar.keep_original_at(archived);
        }
        (plan.renders_in, plan.encodes_in) = (Some(0), Some(0));
        plan.products.insert(0, new_file(to.clone(), recipe));
        let recipe = Recipe::SidecarOf { product: 0, sidecar: Box::new(sidecar) };
        plan.products.insert(1, new_file(to.with_suffix(SIDECAR_SUFFIX), recipe));
        self.bring_companions(&mut plan, to);
        plan
    }

    /// Plans what becomes of the source: what can be made again is removed, everything else is an original and is
    /// kept, with a sidecar, in the archive. Returns where.
    pub(super) fn retire(&self, plan: &mut Plan) -> Option<RelPath> {
        if self.facts.has_original && self.sidecar.can_remake(&self.facts.hash) {
            plan.removes.push(Remove {
                path: self.facts.path.clone(),
                seen: self.facts.seen,
                aside: None,
                copied_to: None,
            });
            return None;
        }
        let archived = if self.facts.members.is_empty() {
            self.free_in(&self.folder("archive"), &self.first_stem(), &self.extension())
        } else {
            self.kept_with_parts()
        };
        let mut sidecar = self.sidecar_that("kept as the original");
        sidecar.keep_original_at(archived.clone());
        let recipe = Recipe::Bytes(sidecar.to_text().into_bytes());
        plan.products.push(new_file(archived.with_suffix(SIDECAR_SUFFIX), recipe));
        plan.moves.push(Move { from: self.facts.path.clone(), to: archived.clone(), seen: self.facts.seen });
        Some(archived)
    }

    /// Returns where a model is kept as an original: in a folder of its own, so that its parts keep their names and places.
    fn kept_with_parts(&self) -> RelPath {
        let has_own_folder = theme_of_path(&base_of(self.facts).join("file")).1.is_some();
        let as_it_lies = self.with_parts("archive", None);
        let record = as_it_lies.with_suffix(SIDECAR_SUFFIX);
        if has_own_folder && self.parts_fit(&as_it_lies).is_ok() && !(self.context.taken)(&record) {
            return as_it_lies;
        }
        self.with_parts("archive", Some(&self.first_stem()))
    }

    /// Returns a free name for a companion that goes with the asset to `to`.
    fn free_beside(&self, companion: &RelPath, to: &RelPath) -> RelPath {
        let named = companion_name(&self.facts.path, to, &companion.file_text());
        free_path(&to.sibling(named), self.context)
    }

    /// Plans copies of the foreign sidecars, named after `to`: a bundle's file has its tags from what lies beside it.
    pub(super) fn copy_xmp(&self, plan: &mut Plan, to: &RelPath) {
        for Companion { path, .. } in self.facts.companions.iter().filter(|file| file.path.extension() == "xmp") {
            plan.products.push(new_file(self.free_beside(path, to), Recipe::Copy { from: path.clone() }));
        }
    }

    /// Returns the parts of a model, each with its place below the folder that holds the whole asset.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&Member, RelPath)> {
        let parts: Vec<&RelPath> = self.facts.members.iter().map(|part| &part.path).collect();
        let base = BundleFolder::holding(&self.facts.path, &parts).unwrap_or_else(|| base_of(self.facts));
        let inner = move |part: &RelPath| part.below(&base).expect("a part lies in the asset's folder");
        self.facts.members.iter().map(move |part| (part, inner(&part.path)))
    }

    /// Plans the moves of everything that belongs to the asset, named after `to`; a model's parts keep their names and
    /// places; the old sidecar goes.
    pub(super) fn bring_companions(&self, plan: &mut Plan, to: &RelPath) {
        for Companion { path, seen } in &self.facts.companions {
            plan.moves.push(Move { from: path.clone(), to: self.free_beside(path, to), seen: *seen });
        }
        let folder = base_in(self.facts, &base_of(self.facts), to);
        for (Member { path, seen, .. }, inner) in self.parts() {
            plan.moves.push(Move { from: path.clone(), to: folder.join(inner.as_path()), seen: *seen });
        }
        if let Some((Companion { path, seen }, _)) = &self.facts.sidecar {
            plan.removes.push(Remove { path: path.clone(), seen: *seen, aside: None, copied_to: None });
        }
    }
}

impl Facts {
    /// Returns whether a person let it go before, with the very mark that rejects it now.
    pub fn is_rejection_let_go(&self) -> bool {
        let let_go = self.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.let_go.as_ref());
        let_go.is_some() && let_go == self.rejected_by.as_ref().map(|(_, hash)| hash)
    }
}

/// Returns whether bytes that are not those that stockmill left are a person's change, and not the original again.
fn is_changed_by_hand(sidecar: &Sidecar, hash: &ContentHash) -> bool {
    sidecar.file.is_some() && sidecar.original().is_some_and(|original| original.hash != *hash)
}

/// Returns a companion's new name, which pairs it with its asset's new name as it was with the old one.
fn companion_name(from: &RelPath, to: &RelPath, name: &str) -> String {
    let (old_stem, new_stem) = (from.stem(), to.stem());
    let (old_stem, new_stem) = (old_stem.to_string_lossy(), new_stem.to_string_lossy());
    if let Some(rest) = name.strip_prefix(&from.file_text()) {
        return format!("{}{rest}", to.file_text());
    }
    if let Some(rest) = name.strip_prefix(&*old_stem) {
        return format!("{new_stem}{rest}");
    }
    // Once stockmill named it, a video with sound has the name that both videos share.
    let rest = old_stem.strip_suffix("-audio").and_then(|stem| name.strip_prefix(stem));
    match rest {
        Some(rest) if rest.to_lowercase() == format!(".{}", from.extension()) => format!("{new_stem}-silent{rest}"),
        Some(rest) => format!("{new_stem}{rest}"),
        None => name.to_owned(),
    }
}

/// Returns the folder that holds a whole asset: a model's parts may lie beside its own folder.
pub(super) fn base_of(facts: &Facts) -> RelPath {
    let mut base = beside(&facts.path);
    while let Some(above) = base.parent().filter(|_| !facts.members.iter().all(|part| part.path.is_in(&base))) {
        base = above;
    }
    base
}

/// Returns the folder that holds the whole asset once its file, which lies below `base`, is at `to`.
pub(super) fn base_in(facts: &Facts, base: &RelPath, to: &RelPath) -> RelPath {
    let inner = facts.path.below(base).expect("an asset's file lies in its folder");
    inner.parts().skip(1).fold(beside(to), |folder, _| beside(&folder))
}

/// Returns the folder that a file lies in.
fn beside(path: &RelPath) -> RelPath {
    path.parent().expect("an asset lies in a folder")
}

/// Returns the first free of `path`, `stem-2.ext`, …, whose names with these suffixes are free too.
pub(super) fn free_with(path: &RelPath, suffixes: &[&str], context: &Context<'_>) -> RelPath {
    let taken = |name: &str| {
        let path = path.sibling(name);
        (context.taken)(&path) || suffixes.iter().any(|suffix| (context.taken)(&path.with_suffix(suffix)))
    };
    let stem = path.stem().to_string_lossy().into_owned();
    let longest = suffixes.iter().map(|suffix| suffix.len()).max().unwrap_or(0);
    path.sibling(naming::free(&stem, &path.extension(), naming::FILE_NAME_BYTES_MAX - longest, &taken))
}

/// Returns `path`, or the first free of `stem-2.ext`, `stem-3.ext`, …
pub(super) fn free_path(path: &RelPath, context: &Context<'_>) -> RelPath {
    free_with(path, &[], context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companions_keep_their_pair_under_a_new_name() {
        let cases = [
            ("x.png", "t-0001.jpg", "x.png.xmp", "t-0001.jpg.xmp"),
            ("x.png", "t-0001.jpg", "x.txt", "t-0001.txt"),
            ("A_00001-audio.mp4", "t-0001.mp4", "A_00001.mp4", "t-0001-silent.mp4"),
            ("A_00001-audio.mp4", "t-0001.mp4", "A_00001.png", "t-0001.png"),
            ("A_00001-audio.mp4", "t-0001.mp4", "A_00001-audio.txt", "t-0001.txt"),
            ("t-0001.mp4", "u-0002.mp4", "t-0001-silent.mp4", "u-0002-silent.mp4"),
            ("x.png", "t-0001.jpg", "other.txt", "other.txt"),
        ];
        for (from, to, name, expected) in cases {
            let path = |name: &str| RelPath::new(format!("raw/t/{name}")).unwrap();
            assert_eq!(companion_name(&path(from), &path(to), name), expected, "{name}");
        }
    }
}
