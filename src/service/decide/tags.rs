//! The tags of an asset below its own: defaults, tag sets, its theme, its folders. They are read from records that a
//! person may edit, which is read when it did not change for a while.

use std::io::ErrorKind;
use std::time::Duration;

use super::record_settle::{RecordSettle, refused};
use super::themes::{Reader, Themes};
use crate::config::{Settings, SettleSettings};
use crate::intake::Now;
use crate::make::Insides;
use crate::model::{RelPath, Stage, Tags, ThemeSlug};
use crate::plan::Hold;
use crate::plan::tags::{Layer, Resolved, resolve};
use crate::records::Sidecar;
use crate::service::nets::NetFiles;
use crate::service::survey::stage_of;
use crate::vault::Look;

/// The largest note or tag file that is read.
pub(in crate::service) const NOTE_BYTES_MAX: u64 = 8 << 20;

/// Shared tags as they were read last, what tells whether their files stand still, and the nets that are named there.
#[derive(Debug)]
pub(in crate::service) struct SharedTags {
    pub(super) themes: Themes,
    pub(super) records: RecordSettle,
    /// The nets that tags and settings name.
    pub(in crate::service) nets: NetFiles,
    /// What was seen inside models in bundles.
    pub(in crate::service) insides: Insides,
}

impl SharedTags {
    /// Returns tags of which none were read.
    pub(in crate::service) fn new(settings: &SettleSettings) -> Self {
        let records = RecordSettle::new(settings.quiet, settings.weak_quiet);
        Self { themes: Themes::default(), records, nets: NetFiles::default(), insides: Insides::default() }
    }

    /// Returns the same for one look at how things are, whoever is saving tags.
    pub(super) fn for_one_look(settings: &SettleSettings) -> Self {
        let mut tags = Self::new(settings);
        tags.settle_at_once();
        tags
    }

    /// Takes other quiet times, and reads all anew.
    pub(super) fn reload(&mut self, settings: &SettleSettings) {
        self.records.reload(settings.quiet, settings.weak_quiet);
        self.themes.forget_cache();
    }

    /// Lets every record count as standing still unless somebody has it open.
    pub(in crate::service) fn settle_at_once(&mut self) {
        self.records.reload(Duration::ZERO, Duration::ZERO);
    }

    pub(super) fn reader<'a>(&'a mut self, disk: &'a dyn Look, now: Now) -> (&'a mut Themes, Reader<'a>) {
        (&mut self.themes, Reader { disk, records: &mut self.records, now })
    }

    /// Returns the tag layers below an asset's own, lowest first.
    pub(super) fn layers(
        &mut self,
        disk: &dyn Look,
        settings: &Settings,
        theme: Option<&ThemeSlug>,
        below: Option<&RelPath>,
        stage: Stage,
        now: Now,
    ) -> Result<Vec<(Layer, Tags)>, Hold> {
        let (themes, mut reader) = self.reader(disk, now);
        let layers = themes.layers(&mut reader, &settings.defaults, theme, below, stage)?;
        layers.iter().try_for_each(|(layer, tags)| known_markets(settings, theme, layer, tags))?;
        Ok(layers)
    }

    /// Returns the tags of a bundled asset, all layers resolved.
    pub(in crate::service) fn of_bundled(
        &mut self,
        disk: &dyn Look,
        settings: &Settings,
        sidecar: &Sidecar,
        xmp: Option<Tags>,
        now: Now,
    ) -> Result<Resolved, Hold> {
        let below = sidecar.origin.as_ref().and_then(|origin| crate::plan::theme_of_path(&origin.path).1);
        let layers = self.layers(disk, settings, sidecar.theme.as_ref(), below.as_ref(), Stage::Upload, now)?;
        with_own(settings, layers, sidecar, xmp)
    }

    /// Returns the tags of an asset that waits in a stage, all layers resolved.
    pub(in crate::service) fn of_waiting(
        &mut self,
        disk: &dyn Look,
        settings: &Settings,
        file: &RelPath,
        sidecar: &Sidecar,
        xmp: Option<Tags>,
        now: Now,
    ) -> Result<Resolved, Hold> {
        let (theme, below) = crate::plan::theme_of_path(file);
        let theme = theme.as_ref().or(sidecar.theme.as_ref());
        let stage = stage_of(file).unwrap_or(Stage::Upload);
        let layers = self.layers(disk, settings, theme, below.as_ref(), stage, now)?;
        with_own(settings, layers, sidecar, xmp)
    }

    /// Returns the bytes of a record that a person may edit, if it is there and stands still.
    pub(super) fn read_record(&mut self, disk: &dyn Look, path: &RelPath, now: Now) -> Result<Option<Vec<u8>>, Hold> {
        let Some(entry) = disk.stat(path).map_err(|error| refused(path, &error))? else { return Ok(None) };
        self.records.still(disk, path, &entry, now)?;
        match disk.read(path, NOTE_BYTES_MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(path, &error)),
        }
    }
}

/// Returns an asset's tags: its own are the highest layers.
fn with_own(
    settings: &Settings,
    mut layers: Vec<(Layer, Tags)>,
    sidecar: &Sidecar,
    xmp: Option<Tags>,
) -> Result<Resolved, Hold> {
    layers.extend(xmp.map(|xmp| (Layer::Xmp, xmp)));
    known_markets(settings, None, &Layer::Sidecar, &sidecar.tags)?;
    layers.push((Layer::Sidecar, sidecar.tags.clone()));
    Ok(resolve(&layers).of_sidecar(&settings.upload.names, sidecar).telling(&settings.export.ai_fields))
}

/// Refuses a layer with a category for a market that nobody knows: no manifest would ever get it, without a word.
pub(super) fn known_markets(
    settings: &Settings,
    theme: Option<&ThemeSlug>,
    layer: &Layer,
    tags: &Tags,
) -> Result<(), Hold> {
    let Some((_, what)) = settings.upload.unknown_market(tags) else { return Ok(()) };
    let of_theme = theme.map(|theme| format!(" of the theme `{theme}`")).unwrap_or_default();
    let whose = match layer {
        Layer::Theme => format!("`tags.yaml`{of_theme}"),
        Layer::Folder(folder) => format!("`{folder}/tags.yaml`{of_theme}"),
        Layer::TagSet(set) => format!("the tag set `tagsets/{set}.yaml`"),
        Layer::Sidecar => "its sidecar".to_owned(),
        Layer::Defaults | Layer::Xmp | Layer::Market => return Ok(()),
    };
    Err(Hold::Unreadable(format!("{whose}: {what}")))
}
