//! What the settings of today would make otherwise.

use super::View;
use super::explain::Explained;
use super::overview::{Group, Groups};
use super::{Why, WhyKind};
use crate::make::came_out;
use crate::model::{RelPath, ThemeSlug};
use crate::plan::Freshness;
use crate::records::Sidecar;
use crate::service::decide;
use crate::service::made_files::Lookout;
use crate::vault::DiskResult;

impl View {
    fn lookout(&mut self) -> Lookout<'_> {
        let (now, decide) = (self.clock.now().for_settle(), &mut self.decide);
        Lookout { disk: decide.vault.disk(), settings: &decide.settings, tags: &mut decide.tags, now }
    }

    /// Returns the products, of all themes or of one, that the settings of today would make otherwise, and those of
    /// which nobody can tell; what is sent is none of them.
    pub fn not_current(&mut self, theme: Option<&ThemeSlug>) -> DiskResult<Vec<(RelPath, Freshness)>> {
        let found = self.lookout().made_files(theme)?;
        let untold = found.untold.into_iter().map(|(path, why)| (path, Freshness::Unknown(why)));
        let files = found.files.into_iter().map(|made| (made.file, made.freshness));
        Ok(untold.chain(files).filter(|(_, freshness)| *freshness != Freshness::Current).collect())
    }

    /// Returns what is stale, by folder and by how it was made and would be.
    pub fn stale_groups(&self, found: &[(RelPath, Freshness)]) -> Vec<Group> {
        let mut groups = Groups::default();
        for (path, freshness) in found {
            let Freshness::Stale(stale) = freshness else { continue };
            let text = match &stale.remake {
                Ok(_) => stale.to_string(),
                Err(why) => format!("{stale}; but {why}"),
            };
            groups.add(path.clone(), Why::new(WhyKind::Person, &text));
        }
        groups.sorted()
    }

    /// Returns the themes that have a folder in a stage.
    pub fn themes(&self) -> impl Iterator<Item = &str> {
        self.units.themes()
    }

    /// Tells of a product that the settings of today would make otherwise, or of which nobody can tell.
    pub(super) fn with_freshness(
        &mut self,
        explained: Explained,
        file: &RelPath,
        record: &RelPath,
        sidecar: &Sidecar,
    ) -> Explained {
        let rules = decide::rules(&self.decide.settings);
        let is_jpeg = file.extension() == "jpg" && sidecar.file.as_ref().is_some_and(|file| file.recipe.is_some());
        let bytes_max = self.decide.limits().file_bytes_max;
        let quality = came_out(self.decide.disk(), file, bytes_max).filter(|_| is_jpeg);
        let explained = match quality {
            Some((_, quality)) => explained.with("quality", format!("{quality} of 100, as it came out")),
            None => explained,
        };
        match self.lookout().freshness(file, record, sidecar, &rules).map(|(freshness, _)| freshness) {
            Ok(Freshness::Current) => explained,
            Ok(Freshness::Stale(stale)) => match &stale.remake {
                Ok(_) => explained.with("stale", format!("{stale}; `stockmill release keep --again` makes it anew")),
                Err(why) => explained.with("stale", format!("{stale}; but {why}")),
            },
            Ok(Freshness::Unknown(why)) | Err(why) => {
                explained.with("stale", format!("nobody can tell whether it would be another one today: {why}"))
            }
        }
    }
}
