use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::assets::Slot;
use crate::model::ThemeSlug;
use crate::plan::BundleName;

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
