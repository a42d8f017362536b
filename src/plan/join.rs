//! A companion that came after its asset had gone on joins the asset where it is now.

use jiff::Timestamp;

use super::{BundleFolder, Hold, Plan, Product, Recipe, naming, new_file, new_version, plan_refresh};
use crate::model::{AiField, AssetId, ContentHash, Identity, Meta, RelPath, Stage, Strength, Tags};
use crate::records::{About, Happened, Move, Remove, Sidecar};

/// How a companion names its asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// By its whole name: `a.png.xmp`.
    Whole,
    /// By its name without the extension: `a.xmp`.
    Stem,
}

/// A companion that came late.
#[derive(Debug, Clone, PartialEq)]
pub struct Late {
    /// Where it lies.
    pub path: RelPath,
    /// The state in which it was seen.
    pub seen: Identity,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// How it names its asset.
    pub named: Named,
    /// What it says.
    pub says: Says,
    /// What a person is told of how it was read.
    pub remarks: Vec<String>,
}

/// What a companion says of its asset.
#[derive(Debug, Clone, PartialEq)]
pub enum Says {
    /// It is the asset's own sidecar.
    Sidecar(Box<Sidecar>),
    /// It is a foreign sidecar with these tags.
    Xmp(Tags),
    /// Nothing: it only moves with the asset.
    Nothing,
}

/// A file of the asset, where the companion joins it.
#[derive(Debug, Clone, PartialEq)]
pub struct AssetFile {
    /// Where it lies.
    pub path: RelPath,
    /// The asset's sidecar, as it lies there, if there is one.
    pub record: Option<(RelPath, Vec<u8>, Sidecar)>,
    /// For a file in a bundle: what is embedded into it, with the tags of the companion.
    pub meta: Option<Meta>,
}

impl Late {
    /// Returns what an asset's sidecar says with the companion's tags: what a person wrote last wins, and nothing
    /// else of it is replaced.
    pub fn joined_to(&self, sidecar: &Sidecar) -> Sidecar {
        match &self.says {
            Says::Sidecar(late) => Sidecar { tags: take_over(&sidecar.tags, &late.tags).tags, ..sidecar.clone() },
            Says::Xmp(_) | Says::Nothing => sidecar.clone(),
        }
    }

    /// Returns the name that the companion gets beside a file.
    fn name_beside(&self, file: &RelPath) -> String {
        let (name, stem) = (self.path.file_text(), self.path.stem());
        let rest = name.strip_prefix(&*stem.to_string_lossy()).unwrap_or_default().to_owned();
        match self.named {
            Named::Whole => format!("{}{rest}", file.file_text()),
            Named::Stem => format!("{}{rest}", file.stem().to_string_lossy()),
        }
    }
}

/// Plans how a companion joins its asset, which has these files: one in a stage, or several in bundles.
///
/// `taken` returns whether a name is taken.
pub fn plan_join(
    late: &Late,
    id: &AssetId,
    files: &[AssetFile],
    now: Timestamp,
    taken: &dyn Fn(&RelPath) -> bool,
) -> Result<Plan, Hold> {
    let Some(first) = files.first() else {
        return Err(Hold::Waits("nobody knows where its asset is".to_owned()));
    };
    let mut plan = Plan::new(about(late, id, first));
    match &late.says {
        Says::Sidecar(sidecar) => join_sidecar(&mut plan, late, sidecar, files, now)?,
        Says::Xmp(_) => {
            refuse_second_xmp(late, files, taken)?;
            let to = bring(&mut plan, late, first, taken);
            for target in files.iter().map(|file| target(late, file)).filter(|target| *target != to) {
                plan.products.push(new_file(target, Recipe::Copy { from: late.path.clone() }));
            }
            for file in files.iter().filter(|file| file.meta.is_some()) {
                rewrite(&mut plan, file, late, "its XMP sidecar came late", now);
            }
            // A file that goes on tells the remarks in its next step.
            let is_last = files.iter().any(|file| file.meta.is_some());
            let told = [&[String::new()][..], if is_last { &late.remarks } else { &[] }].concat().join("; ");
            plan.about.did = format!("its XMP sidecar came late and joined it as `{}`{told}", to.file_text());
        }
        Says::Nothing => {
            let to = bring(&mut plan, late, first, taken);
            plan.about.did = format!("what goes with it came late and joined it as `{}`", to.file_text());
        }
    }
    Ok(plan)
}

fn about(late: &Late, id: &AssetId, first: &AssetFile) -> About {
    let stage = |path: &RelPath| path.area().to_str().and_then(|area| area.parse::<Stage>().ok());
    let record = first.record.as_ref().map(|(_, _, sidecar)| sidecar);
    // It has no number: it takes no step.
    About {
        theme: record.and_then(|sidecar| sidecar.theme.clone()),
        asset: Some(id.clone()),
        from: Some(late.path.clone()),
        hash: Some(late.hash.clone()),
        to: Some(first.path.clone()),
        ..About::new(stage(&first.path).or_else(|| stage(&late.path)).unwrap_or(Stage::Raw), "")
    }
}

fn join_sidecar(
    plan: &mut Plan,
    late: &Late,
    sidecar: &Sidecar,
    files: &[AssetFile],
    now: Timestamp,
) -> Result<(), Hold> {
    if let Some(id) = sidecar.id.as_ref().filter(|id| plan.about.asset.as_ref() != Some(*id)) {
        let why = format!("it says that it is the sidecar of the asset {id}, and not of the one that had its name");
        return Err(Hold::Ignored(why));
    }
    let Some((_, _, record)) = files.iter().find_map(|file| file.record.as_ref()) else {
        // A file without a sidecar leaves the name of one free.
        let to = bring(plan, late, &files[0], &|_| false);
        plan.about.did = format!("its sidecar came late and joined it as `{}`", to.file_text());
        return Ok(());
    };
    let taken = take_over(&record.tags, &sidecar.tags);
    plan.about.did = match (taken.fields.as_slice(), taken.replaced.as_slice()) {
        ([], _) => "its sidecar came late and says nothing new".to_owned(),
        (fields, []) => format!("its sidecar came late: {} taken over", fields.join(", ")),
        (fields, replaced) => {
            format!("its sidecar came late: {} taken over, instead of {}", fields.join(", "), replaced.join(", "))
        }
    };
    for file in files.iter().filter(|_| !taken.fields.is_empty()) {
        rewrite(plan, file, late, "its sidecar came late", now);
    }
    plan.removes.push(Remove { path: late.path.clone(), seen: late.seen, aside: None, copied_to: None });
    Ok(())
}

/// Plans the asset's sidecar with what the companion says, and for a file in a bundle the new tags inside it.
fn rewrite(plan: &mut Plan, file: &AssetFile, late: &Late, did: &str, now: Timestamp) {
    let Some((path, bytes, record)) = &file.record else { return };
    let mut updated = late.joined_to(record);
    let stage = plan.about.stage;
    updated.history.push(Happened { at: now, stage, did: did.to_owned() });
    let stamped = file.meta.as_ref().and_then(|meta| plan_refresh(&file.path, path, bytes, &updated, meta));
    let Some(stamped) = stamped else {
        plan.products.push(new_version(path.clone(), updated.to_text().into_bytes(), Some(ContentHash::of(bytes))));
        return;
    };
    let before = plan.products.len();
    plan.products.extend(stamped.products.into_iter().map(|product| match product.recipe {
        Recipe::SidecarOf { product: number, sidecar } => {
            Product { recipe: Recipe::SidecarOf { product: number + before, sidecar }, ..product }
        }
        _ => product,
    }));
}

/// Plans the companion's move to its asset; returns where.
fn bring(plan: &mut Plan, late: &Late, file: &AssetFile, taken: &dyn Fn(&RelPath) -> bool) -> RelPath {
    let wanted = kept(late, file);
    let stem = wanted.stem().to_string_lossy().into_owned();
    let taken = |name: &str| taken(&wanted.sibling(name));
    let to = wanted.sibling(naming::free(&stem, &wanted.extension(), naming::FILE_NAME_BYTES_MAX, &taken));
    plan.moves.push(Move { from: late.path.clone(), to: to.clone(), seen: late.seen });
    to
}

/// Returns where a companion is kept: beside the file; of one in a bundle, which a person may delete once it was sent, beside
/// the original.
fn kept(late: &Late, file: &AssetFile) -> RelPath {
    let record = file.record.as_ref().filter(|_| BundleFolder::is_file(&file.path));
    let original = record.and_then(|(_, _, sidecar)| sidecar.original()?.archived.as_ref());
    original.map_or_else(|| target(late, file), |original| original.sibling(late.name_beside(original)))
}

/// Returns where a companion belongs: beside the file, or in a bundle beside the file's sidecar.
fn target(late: &Late, file: &AssetFile) -> RelPath {
    let name = late.name_beside(&file.path);
    match &file.record {
        Some((record, _, _)) => record.sibling(name),
        None => file.path.sibling(name),
    }
}

/// Of two foreign sidecars nobody knows which one is meant.
fn refuse_second_xmp(late: &Late, files: &[AssetFile], taken: &dyn Fn(&RelPath) -> bool) -> Result<(), Hold> {
    let names = [Named::Whole, Named::Stem].map(|named| Late { named, ..late.clone() });
    let mut targets = files.iter().flat_map(|file| names.iter().map(move |late| target(late, file)));
    match targets.find(|target| taken(target)) {
        Some(other) => {
            Err(Hold::Waits(format!("its asset has an XMP sidecar already, `{other}`; delete one of the two")))
        }
        None => Ok(()),
    }
}

/// Tags, and what a later record changed in them.
struct TakenOver {
    tags: Tags,
    /// The fields that the later record changed.
    fields: Vec<&'static str>,
    /// What it replaced, in words.
    replaced: Vec<String>,
}

/// Replaces tags by those of a later record, value by value.
fn take_over(before: &Tags, late: &Tags) -> TakenOver {
    let mut taken = TakenOver { tags: before.clone(), fields: Vec::new(), replaced: Vec::new() };
    let texts: [(&'static str, fn(&mut Tags) -> &mut Option<String>); 4] = [
        ("title", |tags| &mut tags.title),
        ("description", |tags| &mut tags.description),
        ("creator", |tags| &mut tags.creator),
        ("rights", |tags| &mut tags.rights),
    ];
    let mut late = late.clone();
    for (name, field) in texts {
        if let Some(text) = field(&mut late).take()
            && field(&mut taken.tags).as_ref() != Some(&text)
        {
            let was = field(&mut taken.tags).replace(text);
            taken.note(name, was.map(|was| format!("{name} \"{was}\"")));
        }
    }
    let looks: [(&'static str, fn(&mut Tags) -> &mut Option<Strength>); 2] =
        [("sharpen", |tags| &mut tags.enhance.sharpen), ("levels", |tags| &mut tags.enhance.levels)];
    for (name, field) in looks {
        let own = *field(&mut late);
        if own.is_some() && own != *field(&mut taken.tags) {
            let was = std::mem::replace(field(&mut taken.tags), own);
            taken.note(name, was.map(|was| format!("{name} {was}")));
        }
    }
    if late.look.is_some() && late.look != before.look {
        taken.tags.look = late.look;
        taken.note("look", before.look.map(|was| format!("look {was}")));
    }
    if late.people.is_some() && late.people != before.people {
        taken.tags.people = late.people;
        taken.note("people", before.people.map(|was| format!("people {was}")));
    }
    take_over_order(&mut taken, before, &late);
    let (own, late_own) = (&mut taken.tags.enlarge, late.enlarge);
    let method = late_own.method.filter(|method| own.method.as_ref() != Some(method));
    let method = method.map(|method| own.method.replace(method).map(|was| format!("method {was}")));
    let restore = late_own.restore.filter(|restore| own.restore != Some(*restore));
    let restore = restore.map(|restore| own.restore.replace(restore).map(|was| format!("restore {was}")));
    for (name, was) in [("method", method), ("restore", restore)] {
        was.into_iter().for_each(|was| taken.note(name, was));
    }
    if !late.keywords.is_empty() && late.keywords != before.keywords {
        let was = (!before.keywords.is_empty()).then(|| format!("keywords \"{}\"", before.keywords.join(", ")));
        taken.tags.keywords = late.keywords;
        taken.note("keywords", was);
    }
    if late.source_type.is_some() && late.source_type != before.source_type {
        taken.tags.source_type = late.source_type;
        taken.note("source_type", before.source_type.map(|was| format!("source_type {}", was.uri())));
    }
    for (market, category) in late.category {
        if before.category.get(&market) != Some(&category) {
            let was = taken.tags.category.insert(market.clone(), category);
            taken.note("category", was.map(|was| format!("category {was} of {market}")));
        }
    }
    taken
}

/// Replaces where keywords stand, how many stars it has, and what its generator was asked.
fn take_over_order(taken: &mut TakenOver, before: &Tags, late: &Tags) {
    if !late.hierarchy.is_empty() && late.hierarchy != before.hierarchy {
        let was = (!before.hierarchy.is_empty()).then(|| format!("hierarchy \"{}\"", before.hierarchy.join(", ")));
        taken.tags.hierarchy.clone_from(&late.hierarchy);
        taken.note("hierarchy", was);
    }
    for field in AiField::ALL {
        let own = late.ai.get(field).filter(|own| before.ai.get(field) != Some(*own));
        if let Some(own) = own {
            let was = taken.tags.ai.get_mut(field).replace(own.to_owned());
            taken.note("ai", was.map(|was| format!("{} \"{was}\"", field.name())));
        }
    }
    if late.rating.is_some() && late.rating != before.rating {
        taken.tags.rating = late.rating;
        taken.note("rating", before.rating.map(|was| format!("rating {was}")));
    }
}

impl TakenOver {
    fn note(&mut self, field: &'static str, replaced: Option<String>) {
        if !self.fields.contains(&field) {
            self.fields.push(field);
        }
        self.replaced.extend(replaced);
    }
}

#[cfg(test)]
mod tests;
