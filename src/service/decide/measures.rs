//! What is measured of files in bundles, remembered: else each look at an open bundle reads the head of every picture again.

use std::collections::{BTreeMap, HashMap};

use crate::intake::Found;
use crate::make::{Limits, Measured, measure};
use crate::model::{Kind, RelPath};
use crate::plan::BundleName;
use crate::vault::{Entry, Look, What};

/// What was measured in the bundles that were looked at last.
#[derive(Debug, Default)]
pub(super) struct Measures(BTreeMap<BundleName, Known>);

/// What was measured of the files of one bundle, each as it lay there, and within which limits.
#[derive(Debug, Default)]
pub(super) struct Known {
    within: Option<(u64, crate::craft::Limits)>,
    before: HashMap<RelPath, (Entry, Measured)>,
    now: HashMap<RelPath, (Entry, Measured)>,
}

impl Measures {
    /// Takes what is known of a bundle. Nothing is, if it is not put back: the bundle may be sent by now, or gone.
    pub(super) fn take(&mut self, name: &BundleName) -> Known {
        self.0.remove(name).unwrap_or_default()
    }

    /// Puts back what is known of a bundle; files that were not asked for since are forgotten.
    pub(super) fn put_back(&mut self, name: &BundleName, known: Known) {
        self.0.insert(name.clone(), Known { before: known.now, now: HashMap::new(), ..known });
    }
}

impl Known {
    /// Returns what a market measures of a file, `None` if it is not there; or why nobody can tell. What is `claimed` is that
    /// where its content says nothing else.
    pub(super) fn measured(
        &mut self,
        disk: &dyn Look,
        path: &RelPath,
        limits: &Limits,
        claimed: Option<Kind>,
    ) -> Result<Option<Measured>, String> {
        let within = Some((limits.file_bytes_max, limits.decode));
        if self.within != within {
            *self = Self { within, ..Self::default() };
        }
        let entry = disk.stat(path).map_err(|error| error.to_string())?.filter(|entry| entry.what == What::File);
        let Some(entry) = entry else { return Ok(None) };
        let measured = match self.before.remove(path).filter(|(seen, _)| *seen == entry) {
            Some((_, measured)) => measured,
            None => match measure(disk, &Found { path: path.clone(), entry }, limits) {
                Ok(Some(measured)) => measured,
                Ok(None) => {
                    let kind = claimed.ok_or("it is of no kind that stockmill knows")?;
                    Measured { kind, size: None, colours: None, bytes: entry.identity.size }
                }
                Err(error) => return Err(error.to_string()),
            },
        };
        self.now.insert(path.clone(), (entry, measured.clone()));
        Ok(Some(measured))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test plays the person who changes files")]

    use std::fs;

    use super::*;
    use crate::vault::{Layout, RealDisk};

    /// Each look at an open bundle read the head of each of its pictures.
    #[test]
    fn what_was_measured_is_measured_again_only_once_its_file_or_a_limit_is_another() {
        let home = tempfile::tempdir().unwrap();
        let disk = RealDisk::open_to_look(Layout { root: home.path().to_owned(), areas: [].into() });
        let (path, at) = (RelPath::new("upload/a.png").unwrap(), home.path().join("upload/a.png"));
        fs::create_dir(home.path().join("upload")).unwrap();
        let name = BundleName::parse("2026-11-23", "adobe-stock").unwrap();
        image::RgbImage::new(9, 7).save(&at).unwrap();
        let limits = Limits {
            file_bytes_max: 1 << 20,
            decode: crate::craft::Limits { pixels_max: 1 << 20, memory_bytes_max: 1 << 30 },
            command: None,
        };
        let mut measures = Measures::default();
        // Returns the bytes that are measured, and lets what is remembered say another number.
        let mut look_as = |limits: &Limits, claimed: Option<Kind>| {
            let mut known = measures.take(&name);
            let measured =
                known.measured(&*disk, &path, limits, claimed).map(|measured| measured.map(|found| found.bytes));
            known.now.values_mut().for_each(|(_, measured)| measured.bytes = 1);
            measures.put_back(&name, known);
            measured
        };
        let mut look = |limits: &Limits| look_as(limits, None);
        let bytes = fs::metadata(&at).unwrap().len();
        assert_eq!([look(&limits), look(&limits)], [Ok(Some(bytes)), Ok(Some(1))]);
        assert_eq!(look(&Limits { file_bytes_max: 1 << 21, ..limits.clone() }), Ok(Some(bytes)));
        fs::write(&at, "no picture").unwrap();
        assert_eq!(look(&limits), Err("it is of no kind that stockmill knows".to_owned()));
        // A theme claims it.
        assert_eq!(look_as(&limits, Some(Kind::Document)), Ok(Some(10)));
        let mut look = |limits: &Limits| look_as(limits, None);
        image::RgbImage::new(9, 7).save(&at).unwrap();
        assert_eq!(look(&limits), Ok(Some(bytes)));
        fs::remove_file(&at).unwrap();
        assert_eq!(look(&limits), Ok(None));
    }
}
