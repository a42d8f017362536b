//! What markets get with files of bundles: their bytes, and what their rows say.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::bundle_texts::BundleTexts;
use super::bundles::Bundles;
use super::elsewhere::Places;
use super::foreign_xmp::foreign_xmp;
use super::record_settle::together;
use super::sending::{cells_of, files_of, record_of, sent_file};
use super::tags::SharedTags;
use crate::config::Settings;
use crate::intake::Now;
use crate::market::{Row, cells, fit};
use crate::model::{ContentHash, RelPath};
use crate::plan::{BundleFolder, BundleName, Elsewhere, Hold, row_digest, told_otherwise};
use crate::records::{Got, RowDigest, Sending, SentFile, Sidecar};
use crate::vault::Look;

/// A time at which all that lies there stood still for long enough.
const LATE: Now = Now { wall_ns: i64::MAX, steady: Duration::ZERO };

/// Returns what goes to its market with a bundle that lies at `place`: one look at how things are, whoever is saving tags.
pub(in crate::service) fn sending_of(
    disk: &dyn Look,
    settings: &Settings,
    places: &Arc<Places>,
    name: &BundleName,
    place: &RelPath,
    at: Timestamp,
) -> Result<Sending, Hold> {
    let mut tags = SharedTags::for_one_look(&settings.settle);
    Bundles { disk, settings, tags: &mut tags, places: places.clone(), now: LATE }.sending(name, place, at)
}

/// Returns those of these files of a bundle that are not to be uploaded from there: one look at how things are, whoever is saving
/// tags.
pub(in crate::service) fn elsewhere_in(
    disk: &dyn Look,
    settings: &Settings,
    places: &Arc<Places>,
    name: &BundleName,
    files: impl IntoIterator<Item = RelPath>,
) -> Result<BTreeMap<RelPath, Elsewhere>, Hold> {
    let mut all = BTreeMap::new();
    let mut tags = SharedTags::for_one_look(&settings.settle);
    let mut look = Bundles { disk, settings, tags: &mut tags, places: places.clone(), now: LATE };
    for file in files {
        let Some(bundle) = BundleFolder::of(&file) else { continue };
        let Ok(sidecar) = record_of(disk, &bundle, &file.file_text()) else { continue };
        let hash = disk.hash(&file).ok();
        let Some(id) = &sidecar.id else { continue };
        let left = sidecar.file.as_ref().map(|left| &left.hash).filter(|left| hash.as_ref() == Some(left));
        // Of a market that the settings do not name nobody writes the rows anew: what they say is what counts.
        let is_known = settings.upload.market(&name.market).is_some();
        let left = left.filter(|_| is_known).map(|hash| look.got(name, &bundle, &file.file_text(), &sidecar, hash));
        let left = left.transpose()?;
        let elsewhere = places.elsewhere(disk, (name, &file), id, left.as_ref())?;
        all.extend(elsewhere.map(|elsewhere| (file.clone(), elsewhere)));
    }
    Ok(all)
}

impl Bundles<'_> {
    /// Returns what goes to its market with a bundle that lies at `place`: the files that have a row in its manifest, and those
    /// without one about which, as they are, the market answered when the bundle was sent before. What went with another bundle
    /// does not go again.
    pub(super) fn sending(&mut self, name: &BundleName, place: &RelPath, at: Timestamp) -> Result<Sending, Hold> {
        let (disk, went) = (self.disk, self.places.went.clone());
        let rows = cells_of(disk, self.settings, name, place)?;
        let bundle = BundleFolder::new(place.clone());
        let texts = BundleTexts::read(disk, name, place).ok();
        let market = self.settings.upload.market(&name.market);
        let otherwise = texts.zip(market).map(|(texts, market)| told_otherwise(market, &texts.existing()));
        let (mut files, mut holds) = (Vec::new(), Vec::new());
        for file in files_of(disk, &bundle)? {
            let record = record_of(disk, &bundle, &file);
            let asset = record.as_ref().ok().and_then(|sidecar| sidecar.id.as_ref());
            let is_answered = asset.is_some_and(|asset| went.is_answered(name, asset));
            let row = rows.get(&file);
            if !is_answered && row.is_none() {
                continue;
            }
            let sidecar = match record {
                Ok(sidecar) => sidecar,
                Err(hold) => {
                    holds.push(hold);
                    continue;
                }
            };
            // Of tags that cannot be told now nobody knows whether the row had them.
            let by_tags = self.row(name, &bundle, &file, &sidecar).ok().flatten();
            let sent = sent_file(disk, &bundle, file, sidecar)?;
            let got = |digest| Got { hash: sent.hash.clone(), row: digest };
            let goes = match row {
                Some(row) => {
                    // A row that a person changed, or that does not follow the tags of today, says nobody knows what; and so
                    // does one of which another was uploaded.
                    let says = by_tags.filter(|(cells, _)| {
                        cells == row && otherwise.as_ref().is_some_and(|files| !files.contains(&sent.name))
                    });
                    let says = got(says.map(|(_, digest)| digest));
                    (is_answered || !went.surely(name, &sent.asset, &says)).then_some(says)
                }
                None => went.answered_as(name, &sent.asset, &got(by_tags.map(|(_, digest)| digest))),
            };
            files.extend(goes.map(|got| SentFile { row: got.row, ..sent }));
        }
        if let Some(hold) = together(holds) {
            return Err(hold);
        }
        Ok(Sending { bundle: name.folder(), market: name.market.clone(), at, files })
    }

    /// Returns what its market would get with a bundled file that has these bytes. What its row says is looked at only where the
    /// market refused a file of its asset.
    pub(super) fn got(
        &mut self,
        name: &BundleName,
        bundle: &BundleFolder,
        file: &str,
        sidecar: &Sidecar,
        hash: &ContentHash,
    ) -> Result<Got, Hold> {
        let is_asked = sidecar.id.as_ref().is_some_and(|id| self.places.went.is_any_refused(&name.market, id));
        let row = if is_asked { self.row(name, bundle, file, sidecar)? } else { None };
        Ok(Got { hash: hash.clone(), row: row.map(|(_, digest)| digest) })
    }

    /// Returns the cells of the row that a bundled file has by its tags of today, and what tells it from another one; `None` where
    /// the settings do not name its market.
    pub(super) fn row(
        &mut self,
        name: &BundleName,
        bundle: &BundleFolder,
        file: &str,
        sidecar: &Sidecar,
    ) -> Result<Option<(Vec<String>, RowDigest)>, Hold> {
        let Some(market) = self.settings.upload.market(&name.market) else { return Ok(None) };
        let xmp = foreign_xmp(self.disk, &bundle.sidecars(), file)?;
        let tags = self.tags.of_bundled(self.disk, self.settings, sidecar, xmp.clone(), self.now)?;
        let category = tags.category.get(name.market.as_str()).map(|category| category.value.as_str());
        let row = Row { file_name: file, meta: &fit(market, &tags.meta()).meta, category };
        let without_number = Sidecar { seq: None, ..sidecar.clone() };
        let without_number = self.tags.of_bundled(self.disk, self.settings, &without_number, xmp, self.now)?;
        Ok(Some((cells(market, &row), row_digest(market, &without_number, file))))
    }
}
