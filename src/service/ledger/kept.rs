use std::collections::HashMap;

use crate::model::{AssetId, RelPath};
use crate::plan::{BundleFolder, Kept};
use crate::records::{About, Plans, Record, SIDECAR_SUFFIX};
use crate::vault::Aside;

/// The products of each asset that `undo` took back, or newer ones replaced, and that may still lie in the trash.
#[derive(Debug, Default, Clone)]
pub(in crate::service) struct KeptProducts(HashMap<AssetId, Vec<Kept>>);

impl KeptProducts {
    /// Returns those that a journal tells of.
    pub(in crate::service) fn of(records: &[Record]) -> Self {
        let mut kept = Self::default();
        for intent in Plans::of(records).done {
            kept.note(&intent.about, &Aside::of_intent(intent));
        }
        kept
    }

    /// Takes note of what a plan took out of its place.
    pub(in crate::service) fn note(&mut self, about: &About, asides: &[Aside]) {
        let is_remake = about.hash.is_some() && about.from == about.to;
        let Some(id) = about.asset.as_ref().filter(|_| about.undoes.is_some() || is_remake) else { return };
        for aside in asides {
            let record = record_of(&aside.place);
            if let Some(record) = asides.iter().find(|other| other.place == record) {
                let kept = Kept { file: aside.kept.clone(), record: record.kept.clone() };
                self.0.entry(id.clone()).or_default().push(kept);
            }
        }
    }

    /// Returns those of one asset, the latest first.
    pub(in crate::service) fn of_asset(&self, id: Option<&AssetId>) -> Vec<Kept> {
        id.and_then(|id| self.0.get(id)).into_iter().flatten().rev().cloned().collect()
    }
}

/// Returns where the sidecar of a file lies.
fn record_of(file: &RelPath) -> RelPath {
    let bundle = BundleFolder::of(file).filter(|_| BundleFolder::is_file(file));
    bundle.map_or_else(|| file.with_suffix(SIDECAR_SUFFIX), |bundle| bundle.sidecar_of(file.file_name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentHash, Identity, Stage};
    use crate::records::{Intent, Publish, PublishMode, Remove};

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    /// Returns what is kept of an asset after one plan that is about it and takes these files out of their places.
    fn kept(about: About, replaced: &[&str], removed: &[&str]) -> Vec<String> {
        let id = AssetId::of(&ContentHash::of(b"asset"));
        let mode = PublishMode::Replace { was: Some(ContentHash::of(b"was")) };
        let publish = |(n, to): (usize, &&str)| Publish {
            scratch: path(&format!(".stockmill/scratch/7-{n}")),
            to: path(to),
            hash: ContentHash::of(b"now"),
            mode: mode.clone(),
        };
        let seen = Identity { device: 1, inode: 2, size: 3, modified_ns: 4 };
        let remove = |(n, gone): (usize, &&str)| Remove {
            path: path(gone),
            seen,
            aside: Some(path(&format!(".stockmill/trash/7-{n}"))),
            copied_to: None,
        };
        let intent = Intent {
            plan: 7,
            at: jiff::Timestamp::UNIX_EPOCH,
            claims: false,
            about: About { asset: Some(id.clone()), hash: Some(ContentHash::of(b"file")), ..about },
            publish: replaced.iter().enumerate().map(publish).collect(),
            moves: Vec::new(),
            removes: removed.iter().enumerate().map(remove).collect(),
        };
        let kept = KeptProducts::of(&[Record::Intent(intent), Record::Done { plan: 7 }]);
        assert_eq!(kept.of_asset(None), []);
        kept.of_asset(Some(&id)).iter().map(|kept| format!("{} {}", kept.file, kept.record)).collect()
    }

    #[test]
    fn what_undo_took_back_and_what_was_made_anew_is_known_with_its_sidecar() {
        let about = |from: &str, to: &str, undoes| About {
            from: Some(path(from)),
            to: Some(path(to)),
            undoes,
            ..About::new(Stage::Upload, "tried")
        };
        let (file, record) = ("upload/2026-11-28/m/files/a.jpg", "upload/2026-11-28/m/sidecars/a.jpg.yaml");
        let (png, beside) = ("export/t/a.png", "export/t/a.png.yaml");
        let trash = |one: &str, other: &str| format!(".stockmill/trash/7-{one} .stockmill/trash/7-{other}");
        assert_eq!(kept(about(file, file, None), &[file, record], &[]), [trash("0-was", "1-was")]);
        assert_eq!(kept(about(png, "keep/t/a.png", Some(3)), &[], &[beside, png]), [trash("1", "0")]);
        // A file without its sidecar, and a step forward, whose product is not asked for again.
        let nothing: [String; 0] = [];
        assert_eq!(kept(about(png, "keep/t/a.png", Some(3)), &[], &[png]), nothing);
        assert_eq!(kept(about(png, "upload/t/a.jpg", None), &[], &[beside, png]), nothing);
    }
}
