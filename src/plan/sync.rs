use serde_yaml::Mapping;

use super::{Plan, Recipe, folder_in, merge, new_file, new_version};
use crate::model::{ContentHash, RelPath, Stage, ThemeSlug};
use crate::records::{About, read_mapping, write_mapping};

/// The stages whose theme folders hold a `tags.yaml`.
const KEPT_IN: [Stage; 4] = [Stage::Raw, Stage::Keep, Stage::Export, Stage::Upload];

/// A theme's `tags.yaml` in one stage folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFile {
    /// The stage.
    pub stage: Stage,
    /// Its bytes; `None` if the theme's folder is there and the file is not.
    pub bytes: Option<Vec<u8>>,
    /// When it was last changed, in nanoseconds since 1970.
    pub modified_ns: i64,
}

/// Plans what brings a theme's tag files into step: a change in one stage reaches the others; changes
/// in several are merged against `base`, the last state that all had in common. A value that two
/// people changed differently is kept from the latest file, and the other version goes into the
/// archive. `None` if they are in step.
pub fn plan_sync(theme: &ThemeSlug, below: Option<&RelPath>, base: Option<&[u8]>, files: &[TagFile]) -> Option<Plan> {
    let mut files: Vec<&TagFile> = files.iter().filter(|file| KEPT_IN.contains(&file.stage)).collect();
    files.sort_by_key(|file| file.modified_ns);
    let changed: Vec<&TagFile> =
        files.iter().filter(|file| file.bytes.is_some() && file.bytes.as_deref() != base).copied().collect();
    let (wanted, lost) = match changed.as_slice() {
        [] => (base?.to_vec(), Vec::new()),
        [first, rest @ ..] if rest.iter().all(|other| other.bytes == first.bytes) => (first.bytes.clone()?, Vec::new()),
        several => merged(base, several)?,
    };
    let place = |stage: Stage| folder_in(stage.name(), theme, below).join("tags.yaml");
    let mut plan = Plan {
        about: about(theme, lost.len()),
        check: None,
        products: Vec::new(),
        moves: Vec::new(),
        removes: Vec::new(),
    };
    for file in &files {
        if file.bytes.as_deref() != Some(&wanted) {
            let was = file.bytes.as_deref().map(ContentHash::of);
            plan.products.push(new_version(place(file.stage), wanted.clone(), was));
        }
    }
    if base != Some(&wanted) && files.iter().any(|file| file.bytes.is_some()) {
        plan.products.push(new_version(base_path(theme, below), wanted.clone(), base.map(ContentHash::of)));
    }
    for (stage, bytes) in lost {
        let hash = ContentHash::of(&bytes);
        let name = format!("tags.{stage}.{}.yaml", &hash.as_str()[..8]);
        let kept = folder_in("archive", theme, below).join(name);
        plan.products.push(new_file(kept, Recipe::Bytes(bytes)));
    }
    (!plan.products.is_empty()).then_some(plan)
}

/// Returns where the last common state of a theme's tags is remembered.
pub fn base_path(theme: &ThemeSlug, below: Option<&RelPath>) -> RelPath {
    folder_in(".stockmill/tags", theme, below).join("tags.yaml")
}

type Lost = Vec<(Stage, Vec<u8>)>;

/// Merges several changed files; every version that the merge rewrote is returned to be kept. A file
/// that is no YAML mapping is left out of it: `None` if that leaves nothing to merge.
fn merged(base: Option<&[u8]>, changed: &[&TagFile]) -> Option<(Vec<u8>, Lost)> {
    let base = base.and_then(|bytes| read_mapping(bytes).ok());
    let sides: Vec<(String, Mapping)> = changed
        .iter()
        .filter_map(|file| Some((file.stage.to_string(), read_mapping(file.bytes.as_deref()?).ok()?)))
        .collect();
    if sides.len() < changed.len() {
        return None;
    }
    let result = merge::merge(base.as_ref(), &sides);
    let text = write_mapping(&result.value).into_bytes();
    let lost = changed.iter().filter_map(|file| Some((file.stage, file.bytes.clone()?))).collect();
    Some((text, lost))
}

fn about(theme: &ThemeSlug, lost: usize) -> About {
    let did = if lost == 0 {
        "shared tags brought into step".to_owned()
    } else {
        format!("shared tags merged; the {lost} versions that were changed apart are in the archive")
    };
    About {
        stage: Stage::Raw,
        theme: Some(theme.clone()),
        asset: None,
        seq: None,
        from: None,
        hash: None,
        to: None,
        market: None,
        did,
    }
}
