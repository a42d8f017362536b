//! Explains what lies in the folder of an upload day.

use super::explain::Explained;
use super::open_bundles::unnamed;
use super::{AssetStatus, View, is_sent};
use crate::intake::Odd;
use crate::market::{Fitted, Market, as_keyword, fit, left_out_words, lint_fitted, row_of};
use crate::model::hierarchy::of_keywords;
use crate::model::iim::shortened;
use crate::model::{RelPath, counted, is_sent_mark};
use crate::plan::tags::{Layer, Resolved, Sourced, digest};
use crate::plan::{BundleFolder, BundleName, Elsewhere, Hold, Parts};
use crate::records::{SIDECAR_BYTES_MAX, Sidecar};
use crate::service::decide::{
    Care, UNNAMED, UNTOLD, elsewhere_in, foreign_xmp, is_as_left, lost_record, manifest_of, parts_of, rows_of,
    unsent_told,
};
use crate::vault::{Entry, What, read_delivery_log};

/// What is told of a bundle that is not sent, and whose CSV and list cannot be written.
const STUCK: &str =
    "not sent, and stuck: its CSV and its list follow no change, and what joins it gets no row, until that is mended";

impl View {
    pub(super) fn in_upload_day(&mut self, path: &RelPath, what: What, held: Option<&Hold>) -> Explained {
        let Some(name) = BundleName::of(path) else {
            return Explained::new(in_no_bundle(path));
        };
        if let Some(Odd { path, why }) = self.decide.renamed_bundles().into_iter().find(|odd| path.is_in(&odd.path)) {
            return Explained::new("a bundle that a person renamed, or what lies in it")
                .standing(AssetStatus::LeftAlone(path, why));
        }
        let is_moved = BundleFolder::is_among_sent(path);
        let folder = if is_moved { name.sent_folder() } else { name.folder() };
        let bundle = BundleFolder::new(folder.clone());
        let is_known = self.decide.settings.upload.market(&name.market).is_some();
        let sent = match is_sent(self.decide.disk(), &folder) {
            Ok(false) if !is_known => unnamed(self.is_by_defaults),
            Ok(true) => "sent: nothing in it is changed any more",
            Ok(false) if held.is_some() => STUCK,
            Ok(false) => "not sent: later files join it, and changed tags reach it; a file `SENT` in it ends that",
            Err(_) => "nobody can tell whether it was sent",
        };
        let market = if is_known || self.is_by_defaults { "" } else { ", which the settings do not name" };
        let file_name = path.file_text();
        if let Some(model) = bundle.model_of(path) {
            let kept = if self.is_changed_part(path, &bundle, &model) {
                "; it was changed by hand since that was bundled, or put there: look whether anything in it is not to be read"
            } else if BundleFolder::is_part(path) {
                "; `archive` has it, too"
            } else {
                ", and keep it: it lies here alone"
            };
            let is = format!("a part of the model `{model}`: upload it with that{kept}");
            return Explained::new(is).with("bundle", format!("{folder}: {sent}"));
        }
        let is = match () {
            () if BundleFolder::is_file(path) && what == What::File => return self.bundled_file(path, &bundle, sent),
            () if *path == folder => format!("the bundle of {} for the market {}{market}", name.day, name.market),
            () if *path == bundle.files() => "the files of a bundle: this is what you upload".to_owned(),
            () if *path == folder.join(BundleFolder::PARTS) => {
                "the parts of models, each model's in a folder of its name: upload them with it".to_owned()
            }
            () if *path == bundle.sidecars() => {
                "what stockmill knows of the bundle's files; do not upload it".to_owned()
            }
            () if path.is_in(&bundle.sidecars()) => {
                let file = BundleFolder::file_of_sidecar(path);
                format!("what belongs to `{file}`; do not upload it")
            }
            () if path.extension() == "csv" => {
                format!("the manifest of the bundle, with a row for each file: upload it to {}", name.market)
            }
            () if file_name == "CHECKLIST.md" => "what to do in the market's portal; your ticks are kept".to_owned(),
            () if path.parent().as_ref() == Some(&folder) && is_sent_mark(path.file_name()) => {
                "the mark that the bundle was sent".to_owned()
            }
            () if path.parent().as_ref() == Some(&folder) && what == What::File => {
                "a file of yours in a bundle; stockmill leaves it alone".to_owned()
            }
            () => "no part of the bundle; stockmill leaves it alone".to_owned(),
        };
        let explained = Explained::new(is).with("bundle", format!("{folder}: {sent}"));
        let bundle = self.bundles().into_iter().find(|bundle| bundle.folder == folder);
        let files = bundle.map(|bundle| bundle.files + bundle.without_sidecar);
        match files.filter(|_| *path == folder) {
            Some(1) => explained.with("inside", "1 file"),
            Some(files) => explained.with("inside", format!("{files} files")),
            None => explained,
        }
    }

    /// Returns whether a part of a bundled model is not as it was left there.
    fn is_changed_part(&self, path: &RelPath, bundle: &BundleFolder, model: &RelPath) -> bool {
        let (disk, name) = (self.decide.disk(), model.file_text());
        let read = disk.read(&bundle.sidecar_of(&name), SIDECAR_BYTES_MAX).ok();
        let sidecar = read.and_then(|bytes| Sidecar::parse(&bytes).ok());
        let found = |sidecar| parts_of((disk, &self.insides), bundle, &name, &sidecar, Care::Bytes).ok()?.parts;
        let is_it = |inner: &RelPath| bundle.parts_of(&name).join(inner.as_path()) == *path;
        sidecar.and_then(found).is_some_and(|parts| parts.by_hand.keys().any(is_it))
    }

    /// Explains a file of a bundle: which asset it is, for which market, and its tags.
    fn bundled_file(&mut self, path: &RelPath, bundle: &BundleFolder, sent: &str) -> Explained {
        let was_sent = sent.starts_with("sent");
        let is = bundled_as(sent, was_sent);
        let record = bundle.sidecar_of(path.file_name());
        let mut explained = Explained::new(is).with("bundle", format!("{}: {sent}", bundle.path()));
        let name = BundleName::of(path).filter(|_| was_sent);
        let missing = name.and_then(|name| self.decide.without_row(&name, &self.clock.now()).ok()).unwrap_or_default();
        if let Some((_, against)) = missing.into_iter().find(|(file, _)| file == path) {
            explained = explained.with("manifest", unsent_told(against.as_ref()));
        }
        if let Some(elsewhere) = BundleName::of(path).filter(|_| !was_sent).and_then(|name| self.elsewhere(&name, path))
        {
            explained = explained.with("manifest", format!("it is to have no row: {elsewhere}"));
        }
        let sidecar = match self.decide.disk().read(&record, SIDECAR_BYTES_MAX).map(|bytes| Sidecar::parse(&bytes)) {
            Ok(Ok(sidecar)) => sidecar,
            Ok(Err(error)) => {
                let why = format!("`{record}` cannot be read: {error}");
                return Explained { tags: Some(Err(why)), ..explained };
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return explained.with("asset", self.without_sidecar(path, bundle));
            }
            Err(error) => {
                return Explained { tags: Some(Err(format!("`{record}` cannot be read: {error}"))), ..explained };
            }
        };
        let mut explained = explained.with("sidecar", record.to_string());
        if self.is_changed(path, &sidecar) {
            let changed = "by hand since it was bundled: its title, keywords and AI mark are those that it has now, and \
                           changed tags reach its row in the CSV alone";
            explained = explained.with("changed", changed);
        }
        let market = BundleName::of(path).map(|name| format!("{}, on {}", name.market, name.day)).unwrap_or_default();
        explained = explained.with("market", market);
        match parts_of((self.decide.disk(), &self.insides), bundle, &path.file_text(), &sidecar, Care::Times) {
            Ok(found) => explained.notes.extend(found.parts.iter().flat_map(told_parts).map(|told| ("parts", told))),
            Err(hold) => explained = explained.with("parts", hold.to_string()),
        }
        explained.notes.extend(self.owed_of(path).into_iter().map(|told| ("owed", told)));
        explained.notes.extend(self.name_of(&sidecar, path));
        explained.notes.extend(self.identity_of(&sidecar, path));
        if !was_sent {
            explained = self.with_freshness(explained, path, &record, &sidecar);
        }
        let now = self.clock.now().for_settle();
        let xmp = foreign_xmp(self.decide.disk(), &bundle.sidecars(), &path.file_text());
        let tags = xmp.and_then(|xmp| self.decide.tags_of_bundled(&sidecar, xmp, now));
        let market = BundleName::of(path).and_then(|name| self.decide.settings.upload.market(&name.market));
        if let Ok(tags) = &tags {
            explained.notes.extend(self.how_far(path, &sidecar, market, tags, was_sent));
        }
        explained.sources = self.sources_of_bundled(&sidecar);
        let tags = tags.map(|tags| match market {
            Some(market) => {
                let Fitted { meta, left_out } = fit(market, &tags.meta());
                explained.notes.extend(left_out.into_iter().chain(shortened(&meta)).map(|told| ("cut", told)));
                let category = tags.category.get(market.name.as_str()).map(|category| category.value.as_str());
                let unwise = lint_fitted(&self.decide.settings.upload.names, market, &meta, category);
                let warnings = unwise.into_iter().chain(left_out_words(&tags.left_out_words));
                explained.notes.extend(warnings.map(|told| ("warning", told.to_string())));
                fitted(market, tags)
            }
            None => tags,
        });
        Explained { tags: Some(tags.map(Resolved::without_look).map_err(|hold| hold.to_string())), ..explained }
    }

    /// Returns why a file of an open bundle is not to be uploaded from there, if it is not.
    fn elsewhere(&self, name: &BundleName, file: &RelPath) -> Option<Elsewhere> {
        let places = self.decide.places();
        elsewhere_in(self.decide.disk(), &self.decide.settings, &places, name, [file.clone()]).ok()?.remove(file)
    }

    /// Returns what is told of a file of a bundle that has no sidecar.
    fn without_sidecar(&self, path: &RelPath, bundle: &BundleFolder) -> String {
        let name = BundleName::of(bundle.path());
        let rows = name.map(|name| rows_of(self.decide.disk(), &self.decide.settings, &name, bundle.path()));
        match rows.transpose() {
            Ok(Some(rows)) if rows.contains(&path.file_text()) => lost_record(bundle, &path.file_text()).to_string(),
            Ok(_) => "none: it has no sidecar and no row in the manifest; stockmill did not put it here".to_owned(),
            Err(hold) => format!("it has no sidecar, and nobody can tell whether it has a row in the manifest: {hold}"),
        }
    }

    /// Returns whether a person changed a file since it was bundled.
    fn is_changed(&self, path: &RelPath, sidecar: &Sidecar) -> bool {
        let (disk, left) = (self.decide.disk(), sidecar.file.as_ref());
        let Ok(Some(Entry { identity, .. })) = disk.stat(path) else { return false };
        left.is_some_and(|left| !is_as_left(disk, path, identity, left, Care::Bytes).unwrap_or(true))
    }

    /// Returns how far the tags of today are those of a bundled file, if they may be others.
    fn how_far(
        &self,
        path: &RelPath,
        sidecar: &Sidecar,
        market: Option<&Market>,
        tags: &Resolved,
        was_sent: bool,
    ) -> Vec<(&'static str, String)> {
        let Some(market) = market else {
            let told =
                "below are those of today: the file has those with which it was written last, which may be others";
            return vec![("tags", told.to_owned())];
        };
        if !was_sent {
            return Vec::new();
        }
        let embedded = sidecar.file.as_ref().and_then(|file| file.embedded.as_ref());
        if embedded != Some(&digest(&fit(market, &tags.meta()).meta)) {
            let mut notes = self.sent_tags(path);
            let told = "below are those of today: they are later than the bundle, and were not sent";
            notes.push(("tags", told.to_owned()));
            return notes;
        }
        let told = "below, as its bundle had them when it was sent".to_owned();
        vec![(
            "tags",
            self.delivered_before(path, sidecar).map_or_else(|| told.clone(), |how| format!("{told}; {how}")),
        )]
    }

    /// Returns what is told of a file that went to a market's server before it was as it is, or of which nobody can tell.
    fn delivered_before(&self, path: &RelPath, sidecar: &Sidecar) -> Option<String> {
        let known = match read_delivery_log(self.decide.disk()) {
            Ok(known) => known,
            Err(error) => return Some(format!("nobody can tell with which `stockmill deliver` sent it: {error}")),
        };
        let file = BundleFolder::new(BundleName::of(path)?.folder()).files().join(path.file_name());
        let (delivered, left) = (known.delivered(&file)?, sidecar.file.as_ref()?);
        let told = "`stockmill deliver` sent it before that, as it was then, perhaps with other tags";
        (delivered.hash != left.hash).then(|| told.to_owned())
    }

    /// Returns a bundled file's row in the manifest as it was sent.
    fn sent_tags(&self, path: &RelPath) -> Vec<(&'static str, String)> {
        let Some(name) = BundleName::of(path) else { return Vec::new() };
        let Some(market) = self.decide.settings.upload.market(&name.market) else { return Vec::new() };
        let parts = manifest_of(self.decide.disk(), &name).unwrap_or_default();
        if parts.is_empty() {
            return vec![("sent", format!("with tags that `{}` no longer tells", name.manifest(1)))];
        }
        let row = parts.iter().flat_map(|part| row_of(market, &part.bytes, &path.file_text()));
        row.filter(|(_, cell)| !cell.is_empty()).map(|(header, cell)| ("sent", format!("{header}: {cell}"))).collect()
    }
}

/// Returns what is told of a model's parts.
fn told_parts(parts: &Parts) -> Vec<String> {
    let Parts { folder, names, is_kept, .. } = parts;
    let kept = if *is_kept { "" } else { ", which are kept nowhere else" };
    let told = || format!("{} in `{folder}/` of its bundle{kept}: upload them with it", counted(names.len(), "file"));
    (!names.is_empty()).then(told).into_iter().chain(parts.lacks()).chain(parts.changed()).collect()
}

/// Returns what a file of a bundle is, by how the bundle stands.
fn bundled_as(sent: &str, was_sent: bool) -> &'static str {
    match () {
        () if was_sent => "bundled, and its bundle was sent",
        () if sent == UNNAMED => "bundled, for a market that the settings do not name",
        () if sent == UNTOLD => "bundled",
        () if sent == STUCK => "bundled; its bundle is stuck",
        () => "bundled; changed tags still reach it",
    }
}

/// Explains what lies beside the bundles of an upload day.
fn in_no_bundle(path: &RelPath) -> String {
    let is_among_sent = BundleFolder::is_among_sent(path);
    let is = match path.parts().count() - usize::from(is_among_sent) {
        1 => "the folder of the bundles that were sent, as `DAY/MARKET`: move one here once you uploaded it".to_owned(),
        2 => "the folder of an upload day: a bundle is `upload/DAY/MARKET`".to_owned(),
        _ => "in the folder of an upload day, and in no bundle: a bundle is `upload/DAY/MARKET`".to_owned(),
    };
    if is_among_sent && path.parts().count() > 2 { format!("{is}; here lies what was sent") } else { is }
}

/// Returns tags as a market gets them, each value still with its layer.
fn fitted(market: &Market, mut tags: Resolved) -> Resolved {
    let meta = fit(market, &tags.meta()).meta;
    for (own, value) in
        [(&mut tags.title, meta.title), (&mut tags.description, meta.description), (&mut tags.creator, meta.creator)]
    {
        let layer = own.take().map_or(Layer::Market, |own| own.layer);
        *own = (!value.is_empty()).then_some(Sourced { value, layer });
    }
    let is_taken = |path: &String| of_keywords([path], &meta.keywords).iter().any(|path| meta.hierarchy.contains(path));
    tags.hierarchy.retain(|path| is_taken(&path.value));
    let layer_of = |value: &String| {
        let own = tags.keywords.iter().find(|own| as_keyword(&own.value) == *value);
        own.map_or(Layer::Market, |own| own.layer.clone())
    };
    tags.keywords =
        meta.keywords.iter().map(|value| Sourced { value: value.clone(), layer: layer_of(value) }).collect();
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::model::Tags;
    use crate::plan::tags::resolve;

    /// A keyword that was written without a sign was in the file, and what a market adds itself, and neither was listed.
    #[test]
    fn what_is_listed_of_a_file_is_what_it_has() {
        let market = |name: &str| built_in().unwrap().into_iter().find(|market| market.name == name).unwrap();
        let keywords = ["=cmd", "a,b", "sea", "SEA"].map(str::to_owned).to_vec();
        let own = Tags { title: Some("Sea".to_owned()), keywords, ..Tags::default() };
        let own = resolve(&[(Layer::Theme, own)]);
        let rows: [(&str, &[&str]); 3] = [
            ("adobe-stock", &["Sea (theme)", "cmd (theme)", "a b (theme)", "sea (theme)"]),
            ("magnific", &["Sea (theme)", "cmd (theme)", "a b (theme)", "sea (theme)", "_ai_generated (market)"]),
            ("dreamstime", &["Sea (theme)", "Sea. AI generated (market)", "cmd (theme)", "a b (theme)", "sea (theme)"]),
        ];
        for (name, expected) in rows {
            let market = market(name);
            let listed = fitted(&market, own.clone());
            assert_eq!(listed.meta(), fit(&market, &own.meta()).meta, "{name}");
            let texts = [listed.title, listed.description, listed.creator].into_iter().flatten();
            let texts: Vec<String> =
                texts.chain(listed.keywords).map(|own| format!("{} ({})", own.value, own.layer)).collect();
            assert_eq!(texts, expected, "{name}");
        }
    }
}
