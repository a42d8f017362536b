use std::ffi::OsStr;

use super::SIDECAR_SUFFIX;
use crate::model::{Kind, RelPath, Stage};

/// What older versions added to a model's name to name the folder of its parts, in `sidecars`.
const FORMER_PARTS: &str = ".parts";

/// The folder of a bundle, `upload/DAY/MARKET`: what is sent lies in `files`, the parts of models, which keep their names, in
/// `parts`, and what stockmill knows of it in `sidecars`, out of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFolder(RelPath);

impl BundleFolder {
    /// The folder of the files.
    pub const FILES: &str = "files";
    /// The folder of their sidecars, and of all else that belongs to them.
    pub const SIDECARS: &str = "sidecars";
    /// The folder of the parts of models, in a folder for each that has its file's name.
    pub const PARTS: &str = "parts";
    /// The folder in `upload` to which a person moves what was sent, as `DAY/MARKET`.
    pub const SENT: &str = "sent";

    /// Returns whether a path lies in the folder of bundles that were sent, or is it.
    pub fn is_among_sent(path: &RelPath) -> bool {
        path.area() == Stage::Upload.name() && path.parts().nth(1).is_some_and(|part| part == Self::SENT)
    }

    /// Returns how many parts the path of a bundle's folder has where this one lies.
    fn depth(path: &RelPath) -> usize {
        3 + usize::from(Self::is_among_sent(path))
    }

    /// Returns a bundle's folder as one.
    pub fn new(folder: RelPath) -> Self {
        Self(folder)
    }

    /// Returns the folder of the bundle that a file, or a sidecar, is one of.
    pub fn of(path: &RelPath) -> Option<Self> {
        let is_in_place = path.area() == Stage::Upload.name();
        Self::anywhere(path).filter(|bundle| is_in_place && bundle.0.parts().count() == Self::depth(path))
    }

    /// Returns it also where no bundle can lie: a person may have moved it there.
    pub fn anywhere(path: &RelPath) -> Option<Self> {
        let folder = path
            .parent()
            .filter(|folder| [Self::FILES, Self::SIDECARS].map(OsStr::new).contains(&folder.file_name()))?;
        folder.parent().map(Self)
    }

    /// Returns whether a path lies among the files of a bundle.
    pub fn is_file(path: &RelPath) -> bool {
        Self::is_within(path, Self::FILES)
    }

    /// Returns whether a path lies among the parts of a bundle's models.
    pub fn is_part(path: &RelPath) -> bool {
        Self::is_within(path, Self::PARTS)
    }

    fn is_within(path: &RelPath, folder: &str) -> bool {
        path.area() == Stage::Upload.name() && path.parts().nth(Self::depth(path)).is_some_and(|part| part == folder)
    }

    /// Returns the folder.
    pub fn path(&self) -> &RelPath {
        &self.0
    }

    /// Returns the folder of the files.
    pub fn files(&self) -> RelPath {
        self.0.join(Self::FILES)
    }

    /// Returns the folder of the sidecars.
    pub fn sidecars(&self) -> RelPath {
        self.0.join(Self::SIDECARS)
    }

    /// Returns the folder of the parts of a model.
    pub fn parts_of(&self, file_name: impl AsRef<OsStr>) -> RelPath {
        self.0.join(Self::PARTS).join(file_name)
    }

    /// Returns the folders in which the parts of a file may lie, the first that holds a file being the one, and whether they are
    /// kept with the original as well: older versions put them into the bundle of one market alone. A file that is no model by its
    /// name has none.
    pub fn places_of_parts(&self, file_name: &str) -> Vec<(RelPath, bool)> {
        let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if !Kind::is_model_extension(&extension.to_lowercase()) {
            return Vec::new();
        }
        let former = self.sidecars().join(file_name).with_suffix(FORMER_PARTS);
        vec![(self.parts_of(file_name), true), (former, false)]
    }

    /// Returns the folder of a bundled model's parts that holds all of these: they lie apart from it; `None` for any other file.
    pub fn holding(file: &RelPath, parts: &[&RelPath]) -> Option<RelPath> {
        let (bundle, name) = (Self::of(file).filter(|_| Self::is_file(file))?, file.file_name());
        let mut folders = bundle.places_of_parts(&name.to_string_lossy()).into_iter().map(|(folder, _)| folder);
        folders.find(|folder| parts.iter().all(|part| part.is_in(folder)))
    }

    /// Returns the model that a path in this bundle is a part of.
    pub fn model_of(&self, part: &RelPath) -> Option<RelPath> {
        let below = part.below(&self.0)?;
        let mut parts = below.parts();
        let (folder, name) = (parts.next()?, parts.next()?);
        let name = match folder.to_str()? {
            Self::PARTS => Some(name),
            Self::SIDECARS => name.to_str()?.strip_suffix(FORMER_PARTS).map(OsStr::new),
            _ => None,
        };
        name.filter(|_| parts.next().is_some()).map(|name| self.files().join(name))
    }

    /// Returns where the sidecar of a file lies.
    pub fn sidecar_of(&self, file_name: impl AsRef<OsStr>) -> RelPath {
        self.sidecars().join(file_name).with_suffix(SIDECAR_SUFFIX)
    }

    /// Returns the file that a sidecar stands for: one of a bundle, or the one beside it.
    pub fn file_of_sidecar(sidecar: &RelPath) -> RelPath {
        let name = sidecar.file_text();
        let file = sidecar.sibling(name.strip_suffix(SIDECAR_SUFFIX).filter(|name| !name.is_empty()).unwrap_or(&name));
        let bundle = Self::of(sidecar).filter(|bundle| sidecar.is_in(&bundle.sidecars()));
        bundle.map_or_else(|| file.clone(), |bundle| bundle.files().join(file.file_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_its_model() {
        for (path, is_part, model) in [
            ("upload/d/m/parts/a.obj/a.mtl", true, Some("a.obj")),
            ("upload/d/m/parts/a.obj/tex/files/w.png", true, Some("a.obj")),
            ("upload/d/m/sidecars/a.obj.parts/tex/w.png", false, Some("a.obj")),
            ("upload/d/m/parts/a.obj", true, None),
            ("upload/d/m/sidecars/a.obj.yaml", false, None),
            ("upload/d/m/files/a.obj", false, None),
            ("upload/d/other/parts/a.obj/a.mtl", true, None),
        ] {
            let (bundle, path) = (RelPath::new("upload/d/m").unwrap(), RelPath::new(path).unwrap());
            let bundle = BundleFolder::new(bundle);
            assert_eq!(BundleFolder::is_part(&path), is_part, "{path}");
            assert_eq!(bundle.model_of(&path), model.map(|model| bundle.files().join(model)), "{path}");
        }
    }

    #[test]
    fn a_bundle_has_its_files_and_their_sidecars_apart() {
        // The path, its bundle, whether it is a file of it, and what it stands for as a sidecar.
        let cases = [
            ("upload/d/m/files/a.jpg", Some("upload/d/m"), true, "upload/d/m/files/a.jpg"),
            ("upload/d/m/sidecars/a.jpg.yaml", Some("upload/d/m"), false, "upload/d/m/files/a.jpg"),
            ("upload/d/m/sidecars/a.parts/b.yaml", None, false, "upload/d/m/sidecars/a.parts/b"),
            ("upload/d/m/m.csv", None, false, "upload/d/m/m.csv"),
            ("upload/d/m/x/files/a.jpg", None, false, "upload/d/m/x/files/a.jpg"),
            ("upload/sent/d/m/files/a.jpg", Some("upload/sent/d/m"), true, "upload/sent/d/m/files/a.jpg"),
            ("upload/sent/d/m/sidecars/a.jpg.yaml", Some("upload/sent/d/m"), false, "upload/sent/d/m/files/a.jpg"),
            ("upload/sent/d/files/a.jpg", None, false, "upload/sent/d/files/a.jpg"),
            ("keep/d/m/files/a.jpg", None, false, "keep/d/m/files/a.jpg"),
            ("keep/t/a.png.yaml", None, false, "keep/t/a.png"),
            ("keep/t/.yaml", None, false, "keep/t/.yaml"),
        ];
        for (path, bundle, is_file, stands_for) in cases {
            let path = RelPath::new(path).unwrap();
            let found = BundleFolder::of(&path);
            assert_eq!(found.as_ref().map(|found| found.path().to_string()).as_deref(), bundle, "{path}");
            assert_eq!(BundleFolder::is_file(&path), is_file, "{path}");
            assert_eq!(BundleFolder::file_of_sidecar(&path).to_string(), stands_for, "{path}");
            if let Some(found) = found.filter(|_| is_file) {
                let sidecar = found.sidecar_of(path.file_name());
                assert_eq!(BundleFolder::file_of_sidecar(&sidecar), path);
            }
        }
    }
}
