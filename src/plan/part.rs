//! How the parts of a model come into bundles.

use super::asset::Asset;
use super::{BundleFolder, Plan, Recipe, new_file};
use crate::model::{Identity, Kind, RelPath, counted};
use crate::records::Private;

/// How many names a line of the log has.
const NAMED_MAX: usize = 5;

/// A part of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it lies.
    pub path: RelPath,
    /// The state in which it was seen.
    pub seen: Identity,
    /// How it comes into bundles.
    pub copied: Copied,
}

/// How a part comes into bundles. With the original all of them are kept as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// As it is.
    AsItIs,
    /// A picture of this kind, without its metadata.
    WithoutMetadata(Kind),
    /// As it is, though it may say what nobody is to read: stockmill cannot take that out.
    NotCleaned,
    /// Not at all: nothing names it, and it is of no kind that models use.
    Not,
}

impl Copied {
    fn recipe(self, from: &RelPath) -> Option<Recipe> {
        let from = from.clone();
        match self {
            Self::AsItIs | Self::NotCleaned => Some(Recipe::Copy { from }),
            Self::WithoutMetadata(kind) => Some(Recipe::Blank { from, kind }),
            Self::Not => None,
        }
    }
}

/// Plans copies of a model's parts for its file in a bundle, before its sidecar, which says how they are left. Those for the
/// first bundle are made: those for the others are the same, in the same order.
pub(super) fn copy_parts(asset: &Asset<'_>, plan: &mut Plan, bundle: &BundleFolder, file: &RelPath) {
    let parts = asset.parts().filter_map(|(Member { path, copied, .. }, inner)| Some((copied.recipe(path)?, inner)));
    let mut before = None;
    for (number, (copy, inner)) in parts.enumerate() {
        let made = || plan.products.iter().position(|product| product.recipe == copy);
        let first = *before.get_or_insert_with(made);
        let recipe = first.map_or(copy, |first| Recipe::SameAs { product: first + number });
        plan.products.push(new_file(bundle.parts_of(file.file_name()).join(inner.as_path()), recipe));
    }
}

/// Returns what nobody is to read in what lies in bundles of a model.
pub(super) fn private_of(asset: &Asset<'_>) -> Private {
    let parts = asset.parts().filter(|(part, _)| part.copied == Copied::NotCleaned);
    Private { folder: asset.facts.personal_folder.clone(), parts: parts.map(|(_, inner)| inner).collect() }
}

/// Returns what is told of how the parts of a model come into bundles.
pub(super) fn told_of_parts(asset: &Asset<'_>) -> Vec<String> {
    let named = |is_one: fn(Copied) -> bool| {
        let names: Vec<RelPath> =
            asset.parts().filter(|(part, _)| is_one(part.copied)).map(|(_, inner)| inner).collect();
        let first: Vec<String> = names.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
        let more = names.len().checked_sub(NAMED_MAX).filter(|more| *more > 0);
        let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
        (!names.is_empty()).then(|| (counted(names.len(), "part"), format!("{}{more}", first.join(", "))))
    };
    let left_out = named(|copied| copied == Copied::Not).map(|(count, names)| {
        format!("{count} in no bundle, since no model uses such files and none here names them: {names}")
    });
    let cleaned = named(|copied| matches!(copied, Copied::WithoutMetadata(_)))
        .map(|(count, names)| format!("{count} without metadata: {names}"));
    let not_cleaned = named(|copied| copied == Copied::NotCleaned).map(|(count, names)| {
        format!("{count} of which stockmill cannot take out what they say: {names}, look into them")
    });
    left_out.into_iter().chain(cleaned).chain(not_cleaned).collect()
}
