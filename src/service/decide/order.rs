//! What goes first where not all can go.

use jiff::civil::Date;

use super::Decider;
use crate::config::{Gate, UploadOrder};
use crate::intake::Now;
use crate::model::{Stage, ThemeSlug};
use crate::plan::{Facts, sync_base_path, theme_of_path};
use crate::records::ThemeFile;

impl Decider {
    /// Returns whether not all that lies in `upload` may go, so that it matters what goes first.
    pub(in crate::service) fn is_upload_limited(&self) -> bool {
        let is_capped = match self.settings.gates.of(Stage::Upload) {
            Gate::Schedule(schedule) => schedule.at_most.or(schedule.at_most_per_week).is_some(),
            Gate::Auto | Gate::Hold => false,
        };
        is_capped || !self.settings.upload.day.is_off()
    }

    /// Returns whether what goes first of `upload` is chosen: then it all goes there before it goes on.
    pub(super) fn is_upload_in_order(&self) -> bool {
        self.is_upload_limited() && self.settings.upload.day.order != UploadOrder::Oldest
    }

    /// Returns the rank of a theme's files in `upload`: the lowest goes first. `is_on_way` tells whether files of it are
    /// in an earlier stage.
    pub(in crate::service) fn rank(&mut self, theme: Option<&ThemeSlug>, is_on_way: bool, now: Now) -> i64 {
        // Whose tags cannot be read, or name no day, is not urgent.
        let last = i64::from(i32::MAX);
        let file = |decide: &mut Self| decide.theme_file(theme?, now);
        match self.settings.upload.day.order {
            UploadOrder::Oldest => 0,
            UploadOrder::Complete => i64::from(is_on_way),
            UploadOrder::Priority => file(self).and_then(|file| file.priority).map_or(last, i64::from),
            UploadOrder::Season => {
                let season = self.season_of_theme(theme, now);
                let day = |date: Date| i64::from(date.year()) * 1000 + i64::from(date.day_of_year());
                season.map_or(last, day)
            }
        }
    }

    /// Returns the day that an asset's theme is for, if its tags name one.
    pub(super) fn season_of(&mut self, facts: &Facts, now: Now) -> Option<Date> {
        let own = || facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.theme.clone());
        self.season_of_theme(theme_of_path(&facts.path).0.or_else(own).as_ref(), now)
    }

    /// Returns the day that a theme is for, if its tags name one.
    pub(super) fn season_of_theme(&mut self, theme: Option<&ThemeSlug>, now: Now) -> Option<Date> {
        self.theme_file(theme?, now)?.season
    }

    /// Returns a theme's tags as they are written, if they can be read.
    pub(super) fn theme_file(&mut self, theme: &ThemeSlug, now: Now) -> Option<ThemeFile> {
        // One that was copied a moment ago does not stand still yet.
        let paths = self.shared_files(theme, None, Stage::Upload).into_iter().chain([sync_base_path(theme, None)]);
        let (themes, mut reader) = self.tags.reader(self.vault.disk(), now);
        let mut read = paths.filter_map(|path| themes.meaning(&mut reader, &path)?.ok());
        read.next()
    }
}
