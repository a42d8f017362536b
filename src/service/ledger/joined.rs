use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Ledger;
use super::assets::Slot;
use crate::model::{AssetId, RelPath, ThemeSlug};
use crate::plan::{BundleFolder, BundleName};

/// What ever joined bundles, also what left them again.
#[derive(Debug, Default, Clone)]
pub(super) struct Joined {
    /// The bundles that assets of each theme joined.
    of_themes: HashMap<ThemeSlug, BTreeSet<BundleName>>,
    /// The assets that joined each bundle.
    assets: BTreeMap<BundleName, HashSet<Slot>>,
}

impl Joined {
    pub(super) fn add(&mut self, slot: Slot, theme: Option<&ThemeSlug>, bundle: BundleName) {
        if let Some(theme) = theme {
            self.of_themes.entry(theme.clone()).or_default().insert(bundle.clone());
        }
        self.assets.entry(bundle).or_default().insert(slot);
    }

    /// Returns the bundles that assets of a theme joined.
    pub(super) fn of_theme(&self, theme: &ThemeSlug) -> impl Iterator<Item = &BundleName> {
        self.of_themes.get(theme).into_iter().flatten()
    }

    /// Returns the bundles that assets joined, the latest first.
    pub(super) fn bundles(&self) -> impl Iterator<Item = &BundleName> {
        self.assets.keys().rev()
    }

    /// Returns whether an asset joined a bundle.
    pub(super) fn has(&self, bundle: &BundleName, slot: Slot) -> bool {
        self.assets.get(bundle).is_some_and(|assets| assets.contains(&slot))
    }

    /// Returns the assets that joined a bundle.
    pub(super) fn assets(&self, bundle: &BundleName) -> impl Iterator<Item = Slot> {
        self.assets.get(bundle).into_iter().flatten().copied()
    }
}

impl Ledger {
    /// Returns the bundles that assets of a theme joined, as far as is known.
    pub(in crate::service) fn bundles_of(&self, theme: &ThemeSlug) -> impl Iterator<Item = &BundleName> {
        self.joined.of_theme(theme)
    }

    /// Returns the files in a bundle that did not leave it by `undo`: what became of them, only the bundle shows.
    pub(in crate::service) fn files_in(&self, bundle: &BundleName) -> impl Iterator<Item = &RelPath> {
        let of_slot = |slot| self.assets.at(slot).into_iter().chain(self.assets.further(slot));
        let is_in = |file: &&RelPath| BundleFolder::is_file(file) && BundleName::of(file).as_ref() == Some(bundle);
        self.joined.assets(bundle).flat_map(of_slot).filter(is_in)
    }

    /// Returns the bundles that assets ever joined, the latest first.
    pub(in crate::service) fn joined_bundles(&self) -> impl Iterator<Item = &BundleName> {
        self.joined.bundles()
    }

    /// Returns the bundles that one of these assets ever joined.
    pub(in crate::service) fn joined_by<'a>(&'a self, ids: &'a [&AssetId]) -> impl Iterator<Item = &'a BundleName> {
        let slots = move || ids.iter().filter_map(|id| self.assets.with_id(id));
        self.joined.bundles().filter(move |bundle| slots().any(|slot| self.joined.has(bundle, slot)))
    }
}
