//! What sidecars say that is known only once their files are made.

use std::collections::BTreeMap;

use super::MakeError;
use crate::model::{ContentHash, RelPath, Upscaler};
use crate::plan::{BundleFolder, Plan};
use crate::records::{FileRecord, Sidecar};
use crate::vault::Draft;

/// How many parts a sidecar lists: it is to be read with them.
const PARTS_LISTED_MAX: usize = 2048;

/// What is known of a product that was made.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) file: ContentHash,
    /// The hash of what it shows, if it was made to show something.
    pub(super) essence: Option<ContentHash>,
    /// What a person is told of it, as the step that decodes it found.
    pub(super) remark: Option<String>,
    /// What a person is told of how it is written, as the step that encodes it chose.
    pub(super) encoded: Option<String>,
    /// How many bytes it has, if it is a picture that was written; else 0.
    pub(super) bytes: u64,
    /// What enlarged it, if that is not what was asked for.
    pub(super) by: Option<Upscaler>,
}

impl Known {
    /// A file that shows nothing, or the same as its source, whose essence is known.
    pub(super) fn file(file: ContentHash) -> Self {
        Self { file, essence: None, remark: None, encoded: None, bytes: 0, by: None }
    }

    /// Returns what a person is told of it, each with the step of its plan that tells it.
    pub(super) fn told(&self, plan: &Plan) -> impl Iterator<Item = (&str, Option<usize>)> {
        let all = [(self.remark.as_deref(), plan.renders_in), (self.encoded.as_deref(), plan.encodes_in)];
        all.into_iter().filter_map(|(remark, step)| Some((remark?, step)))
    }
}

/// Returns the sidecar of an earlier product of a plan.
pub(super) fn filled(
    plan: &Plan,
    draft: &Draft,
    product: usize,
    sidecar: &Sidecar,
    earlier: &[Known],
) -> Result<Sidecar, MakeError> {
    let (mut sidecar, made, to) = (sidecar.clone(), &earlier[product], &plan.products[product].to);
    if let Some(file) = &mut sidecar.file {
        file.hash = made.file.clone();
        file.left = if BundleFolder::is_file(to) { draft.state_of(product)? } else { None };
        if let Some(by) = &made.by {
            file.recipe = file.recipe.take().map(|recipe| recipe.enlarged_by(by));
        }
    }
    let parts = parts_left(to, plan, draft, earlier)?;
    if !parts.is_empty() {
        sidecar.parts = parts;
    }
    sidecar.add_essence(made.essence.clone());
    for (remark, step) in made.told(plan) {
        let step = step.and_then(|step| plan.about.steps.get(step));
        sidecar.add_remark(step.map_or(plan.about.stage, |step| step.stage), remark);
    }
    Ok(sidecar)
}

/// Returns the parts of a bundled model that its plan made, as they are left. So many that its sidecar could not be read with
/// them are not listed.
fn parts_left(
    file: &RelPath,
    plan: &Plan,
    draft: &Draft,
    earlier: &[Known],
) -> Result<BTreeMap<RelPath, FileRecord>, MakeError> {
    let Some(bundle) = BundleFolder::of(file) else { return Ok(BTreeMap::new()) };
    let folder = bundle.parts_of(file.file_name());
    let made = plan.products.iter().zip(earlier).enumerate();
    let parts: Vec<_> = made.filter_map(|(n, (part, known))| Some((n, part.to.below(&folder)?, known))).collect();
    if parts.len() > PARTS_LISTED_MAX {
        return Ok(BTreeMap::new());
    }
    let record = |(n, inner, known): (usize, RelPath, &Known)| {
        let left = draft.state_of(n)?;
        Ok((inner, FileRecord { left, ..FileRecord::of_original(known.file.clone()) }))
    };
    parts.into_iter().map(record).collect()
}
