use super::Inside;
use super::search::Search;
use crate::intake::walk::Found;
use crate::model::{References, RelPath};

/// What of a model is not there, as far as anybody can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Names of files that it names and that are not there.
    pub missing: Vec<String>,
    /// Why it may name more files.
    pub unknown: Vec<String>,
}

/// Returns what a model lacks whose parts lie below a folder, wherever it lies itself. Where it lay among them is one of `places`:
/// it is the one where least is missing.
pub fn lacking(model: &Found, parts: &[Found], places: &[RelPath], inside: &dyn Inside) -> Lacking {
    let of = |place: &RelPath| {
        let at = Found { path: place.join(model.path.file_name()), entry: model.entry };
        let mut files = parts.to_vec();
        files.push(at.clone());
        files.sort_by(|one, other| one.path.as_path().as_os_str().cmp(other.path.as_path().as_os_str()));
        let index = files.iter().position(|found| *found == at)?;
        let moved = Moved { at: &at.path, model, inside };
        let found = Search::new(&files, &moved).model(index);
        Some(Lacking { missing: found.missing, unknown: found.unknown })
    };
    places.iter().filter_map(of).min_by_key(|found| found.missing.len()).unwrap_or_default()
}

/// Looks into a model where it lies, and not where it would lie among its parts.
struct Moved<'a> {
    at: &'a RelPath,
    model: &'a Found,
    inside: &'a dyn Inside,
}

impl Inside for Moved<'_> {
    fn references(&self, found: &Found) -> std::sync::Arc<References> {
        self.inside.references(if found.path == *self.at { self.model } else { found })
    }

    fn is_generated(&self, found: &Found) -> bool {
        self.inside.is_generated(found)
    }

    fn has_identity(&self, sidecar: &Found) -> bool {
        self.inside.has_identity(sidecar)
    }
}
