//! What markets will say of what is not finished yet.

use std::collections::BTreeMap;

use super::tags::known_markets;
use super::{Decider, Here};
use crate::model::{RelPath, Stage};
use crate::plan::tags::{Layer, resolve};
use crate::plan::{Context, Facts, Hold, foresee, foresee_tags, theme_of_file, theme_of_path};

impl Decider {
    /// Returns what will keep an asset from markets if it and its tags stay as they are; `Err` if nobody can tell.
    pub(in crate::service) fn foresee(&mut self, facts: &Facts, here: Here<'_>) -> Result<Vec<String>, Hold> {
        let (theme, below) = theme_of_path(&facts.path);
        let own = || facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.theme.clone());
        let named = || theme_of_file(&facts.path.stem().to_string_lossy(), here.units.themes());
        // In the stages behind it lies in the folder of the theme that it is given.
        let theme = theme.or_else(own).or_else(named);
        let (disk, now) = (self.vault.disk(), here.now.for_settle());
        let layers = self.tags.layers(disk, &self.settings, theme.as_ref(), below.as_ref(), facts.stage, now)?;
        if let Some((_, sidecar)) = &facts.sidecar {
            known_markets(&self.settings, None, &Layer::Sidecar, &sidecar.tags)?;
        }
        self.look_for_nets(facts, &layers);
        let season = self.season_of_theme(theme.as_ref(), now);
        self.with_context(here, &layers, None, &BTreeMap::new(), &[], |context| {
            foresee(facts, &Context { season, ..*context })
        })
    }

    /// Returns what will keep all of a theme from markets by its shared tags, of which `tags` is the file.
    pub(in crate::service) fn foresee_tags(&mut self, tags: &RelPath, here: Here<'_>) -> Result<Vec<String>, Hold> {
        let (theme, _) = theme_of_path(tags);
        let (disk, now) = (self.vault.disk(), here.now.for_settle());
        let layers = self.tags.layers(disk, &self.settings, theme.as_ref(), None, Stage::Raw, now)?;
        let season = self.season_of_theme(theme.as_ref(), now);
        Ok(foresee_tags(&resolve(&layers), &self.rules, season, here.now.local.date()))
    }
}
