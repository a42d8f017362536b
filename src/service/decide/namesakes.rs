//! Folders that a person named like a theme, in other letters: `Red Fox in Snow` beside `red-fox-in-snow`.

use super::{Decider, Here};
use crate::model::{Tags, ThemeSlug, slug_chars};
use crate::plan::tags::Layer;
use crate::plan::{Facts, Hold, theme_of_path};

impl Decider {
    /// Refuses an asset in a theme without tags while another theme has them whose name differs only in case, signs or
    /// the form of its letters: it would come to its end without a title, and the other theme was meant.
    pub(super) fn no_namesake(&mut self, facts: &Facts, layers: &[(Layer, Tags)], here: Here<'_>) -> Result<(), Hold> {
        let Some(theme) = theme_of_path(&facts.path).0 else { return Ok(()) };
        let own = facts.sidecar.iter().map(|(_, sidecar)| &sidecar.tags).chain(&facts.xmp);
        if says_any(layers) || own.into_iter().any(|tags| tags.title.is_some()) {
            return Ok(());
        }
        let slug: String = slug_chars(theme.as_str()).collect();
        let is_like = |name: &&str| *name != theme.as_str() && slug_chars(name).eq(slug.chars());
        let names = here.units.themes().filter(is_like).filter_map(|name| ThemeSlug::new(name).ok());
        let names: Vec<ThemeSlug> = if slug.is_empty() { Vec::new() } else { names.collect() };
        let (disk, now) = (self.vault.disk(), here.now.for_settle());
        for other in names {
            let its = self.tags.layers(disk, &self.settings, Some(&other), None, facts.stage, now)?;
            if says_any(&its) {
                return Err(Hold::Untagged(format!(
                    "its folder `{theme}` is a theme of its own without tags; did you mean `{other}`, which has them? \
                     Move the files there, or write a title into the `tags.yaml` of `{theme}`"
                )));
            }
        }
        Ok(())
    }
}

/// Returns whether a theme says anything, beside what the settings say for all.
fn says_any(layers: &[(Layer, Tags)]) -> bool {
    layers.iter().any(|(layer, tags)| *layer != Layer::Defaults && *tags != Tags::default())
}
