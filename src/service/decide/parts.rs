//! The parts of models in bundles, and whether they are all there.

use std::collections::BTreeMap;

use super::as_left::{Care, is_as_left};
use super::bundle_files::lying as lying_in;
use super::record_settle::refused;
use super::sending::record_of;
use crate::intake::{Found, joined, lacking, walk};
use crate::make::{Insides, Looking};
use crate::model::{ContentHash, Identity, Ignore, RelPath};
use crate::plan::{BundleFolder, Copied, Hold, Member, MissingPart, Parts};
use crate::records::Sidecar;
use crate::vault::{Look, What};

/// What a bundled model has beside it.
#[derive(Debug, Default)]
pub(in crate::service) struct PartsOf {
    /// Its parts, and what it names and is not there; `None` if it has none and needs none.
    pub(in crate::service) parts: Option<Parts>,
    /// All that lies in the folder of its parts.
    pub(in crate::service) files: Vec<Member>,
    /// Why nobody can tell all that it names.
    pub(in crate::service) unknown: Option<String>,
}

/// Returns the parts of a bundled file that is a model, as they lie there.
pub(in crate::service) fn parts_of(
    (disk, seen): (&dyn Look, &Insides),
    bundle: &BundleFolder,
    file_name: &str,
    sidecar: &Sidecar,
    care: Care,
) -> Result<PartsOf, Hold> {
    if bundle.places_of_parts(file_name).is_empty() {
        return Ok(PartsOf::default());
    }
    let path = bundle.files().join(file_name);
    let cannot = |error| refused(&path, &error);
    let Some(entry) = disk.stat(&path).map_err(cannot)?.filter(|entry| entry.what == What::File) else {
        return Ok(PartsOf::default());
    };
    let (model, (folder, files, is_kept)) = (Found { path: path.clone(), entry }, lying(disk, bundle, file_name)?);
    let archived = sidecar.original().and_then(|original| original.archived.as_ref());
    let found = lacking(&model, &files, &places(&folder, archived), &Looking { disk, seen });
    let keep = archived.and_then(RelPath::parent);
    let kept = |name: &str| {
        let path = joined(keep.as_ref()?, &name.trim().replace('\\', "/"))?;
        matches!(disk.stat(&path), Ok(Some(entry)) if entry.what == What::File).then_some(path)
    };
    let missing: Vec<MissingPart> =
        found.missing.into_iter().map(|name| MissingPart { kept: kept(&name), name }).collect();
    let mut names: Vec<RelPath> = files.iter().filter_map(|found| found.path.below(&folder)).collect();
    names.sort();
    let by_hand = by_hand(disk, &folder, &files, sidecar, care);
    let is_any = !names.is_empty() || !missing.is_empty();
    let (whole, folder) = (folder.clone(), folder.below(bundle.path()).filter(|_| is_any));
    let member = |Found { path, entry }: Found| {
        // What could be taken out of it was, when it came there.
        let may_say = |inner: &RelPath| sidecar.private.parts.contains(inner) || by_hand.contains_key(inner);
        let is_private = path.below(&whole).is_some_and(|inner| may_say(&inner));
        let copied = if is_private { Copied::NotCleaned } else { Copied::AsItIs };
        Member { path, seen: entry.identity, copied }
    };
    let files = files.into_iter().map(member).collect();
    let parts = folder.map(|folder| Parts { folder, names, is_kept, missing, by_hand });
    let unknown = (!found.unknown.is_empty()).then(|| found.unknown.join("; "));
    Ok(PartsOf { parts, files, unknown })
}

/// Returns the parts that are not as their model's sidecar says, with the bytes that they have; none if it says nothing of parts.
fn by_hand(
    disk: &dyn Look,
    folder: &RelPath,
    files: &[Found],
    sidecar: &Sidecar,
    care: Care,
) -> BTreeMap<RelPath, ContentHash> {
    let is_as_left = |Found { path, entry }: &Found, inner: &RelPath| match sidecar.parts.get(inner) {
        Some(left) => is_as_left(disk, path, entry.identity, left, care).unwrap_or(true),
        // The system keeps files of its own in any folder.
        None => sidecar.parts.is_empty() || Ignore::default().file(&path.file_text()).is_some(),
    };
    let inner = files.iter().filter_map(|found| Some((found, found.path.below(folder)?)));
    let others = inner.filter(|(found, inner)| !is_as_left(found, inner));
    others.filter_map(|(found, inner)| Some((inner, disk.hash(&found.path).ok()?))).collect()
}

/// A part of a bundled model that is not as it was left there.
pub(in crate::service) struct OtherPart {
    /// Where it lies, or would lie.
    pub(in crate::service) path: RelPath,
    /// Its model.
    pub(in crate::service) model: RelPath,
    /// Of one that is not there, where it is kept.
    pub(in crate::service) kept: Option<RelPath>,
}

/// Returns the parts of a bundle's models that are not as they were left: those that the models name, that are not there, and that
/// `archive` has, and those whose bytes are others.
pub(in crate::service) fn other_parts(disk: &dyn Look, bundle: &BundleFolder) -> Result<Vec<OtherPart>, Hold> {
    let (mut others, seen) = (Vec::new(), Insides::default());
    for name in lying_in(disk, bundle)?.into_keys() {
        // Of a sidecar that cannot be read others tell.
        let Ok(sidecar) = record_of(disk, bundle, &name) else { continue };
        let Some(parts) = parts_of((disk, &seen), bundle, &name, &sidecar, Care::Bytes)?.parts else { continue };
        let (folder, model) = (bundle.path().join(parts.folder.as_path()), bundle.files().join(&name));
        others.extend(parts.missing.into_iter().filter_map(|MissingPart { name, kept }| {
            let path = joined(&folder, &name.trim().replace('\\', "/"))?;
            Some(OtherPart { path, model: model.clone(), kept: Some(kept?) })
        }));
        let changed = parts.by_hand.into_keys();
        others.extend(changed.map(|inner| OtherPart {
            path: folder.join(inner.as_path()),
            model: model.clone(),
            kept: None,
        }));
    }
    Ok(others)
}

/// Returns the folders in which parts of a bundle's models lie, as they are: what a person takes out of one is missed.
pub(super) fn folders_of_parts(disk: &dyn Look, bundle: &RelPath) -> Vec<(RelPath, Identity)> {
    let (top, mut folders) = (bundle.join(BundleFolder::PARTS), Vec::new());
    if matches!(disk.stat(&top), Ok(Some(entry)) if entry.what == What::Folder) {
        // What cannot be listed is told where the parts are looked for.
        let _ = walk(disk, &top, &|_| true, &mut |folder, identity| {
            folders.extend(identity.map(|identity| (folder.clone(), identity)));
        });
    }
    folders
}

/// Returns the folder of a model's parts, what lies in it, and whether `archive` has that too.
fn lying(disk: &dyn Look, bundle: &BundleFolder, file_name: &str) -> Result<(RelPath, Vec<Found>, bool), Hold> {
    for (folder, is_kept) in bundle.places_of_parts(file_name) {
        let cannot = |error| refused(&folder, &error);
        if disk.stat(&folder).map_err(cannot)?.is_none() {
            continue;
        }
        let walked = walk(disk, &folder, &|_| true, &mut |_, _| ()).map_err(cannot)?;
        if let Some(odd) = walked.unlisted.first() {
            return Err(Hold::Unreadable(format!("`{}`: {}", odd.path, odd.why)));
        }
        if !walked.files.is_empty() {
            return Ok((folder, walked.files, is_kept));
        }
    }
    Ok((bundle.parts_of(file_name), Vec::new(), true))
}

/// Returns where a model may have lain among its parts: beside the first of them, or in folders as where it is kept.
fn places(folder: &RelPath, archived: Option<&RelPath>) -> Vec<RelPath> {
    let mut places = vec![folder.clone()];
    let mut kept = archived.and_then(RelPath::parent);
    let mut inner: Vec<String> = Vec::new();
    while let Some(at) = kept.filter(|at| at.parent().is_some()) {
        inner.insert(0, at.file_text());
        places.push(inner.iter().fold(folder.clone(), |place, name| place.join(name)));
        kept = at.parent();
    }
    places
}
