use std::ffi::OsStr;

use super::candidate::{SIDECAR, index_of};
use super::walk::{Found, Odd};
use crate::model::{Ignore, RelPath};

/// Returns the files that are not left alone, in their order, which is that of paths.
pub(super) fn but_left_alone(mut files: Vec<Found>, ignore: &Ignore, odd: &mut Vec<Odd>) -> Vec<Found> {
    let why = |found: &Found| {
        let name = found.path.file_text();
        let rule = ignore.file(&name)?;
        (!rule.may_be_meant() || !has_sidecar(&files, &found.path)).then(|| rule.why(&name))
    };
    let mut reasons = files.iter().map(why).collect::<Vec<Option<String>>>().into_iter();
    files.retain(|found| {
        let why = reasons.next().expect("there is one for each file");
        odd.extend(why.iter().map(|why| Odd { path: found.path.clone(), why: why.clone() }));
        why.is_none()
    });
    files
}

/// Returns whether a file has a sidecar, or is one: a theme may be named `grid`, and its pictures `grid-0001.png`.
fn has_sidecar(files: &[Found], path: &RelPath) -> bool {
    let sidecar = path.with_suffix(SIDECAR);
    let is_there = |path: &OsStr| index_of(files, path).is_some();
    is_there(sidecar.as_path().as_os_str()) || path.extension() == "yaml" && is_there(path.without_extension())
}

/// Returns the name that an unfinished download will have, if a name looks like one.
pub fn downloads_as(name: &str) -> Option<&str> {
    const ENDINGS: [&str; 8] =
        [".part", ".partial", ".crdownload", ".download", ".!qb", ".aria2", ".filepart", ".opdownload"];
    let cut = ENDINGS.iter().find_map(|ending| {
        let at = name.len().checked_sub(ending.len())?;
        name.get(at..).is_some_and(|tail| tail.eq_ignore_ascii_case(ending)).then_some(at)
    })?;
    // Nothing but endings and dots leaves no name.
    Some(&name[..cut]).filter(|name| !name.chars().all(|c| c == '.'))
}

/// Returns the name that a file will have when it is complete: that of a download, or of a temporary copy that
/// `rsync` and the like make, `.NAME.XXXXXX` or `NAME.tmp`.
pub(super) fn arrives_as(name: &str) -> Option<&str> {
    let is_temporary = |last: &str| {
        let known = ["tmp", "temp", "uploading", "!sync", "ut!"];
        name.starts_with('.') || known.iter().any(|ending| last.eq_ignore_ascii_case(ending))
    };
    let temporary = || name.rsplit_once('.').filter(|(_, last)| is_temporary(last)).map(|(inner, _)| inner);
    downloads_as(name).or_else(temporary)
}

/// Returns the plain name that a file will have when it is complete, without what programs that synchronise put before
/// it: `.NAME.XXXXXX`, `.syncthing.NAME.tmp`, `~syncthing~NAME.tmp`.
pub fn plain_arrives_as(name: &str) -> Option<&str> {
    let inner = arrives_as(name)?;
    let inner = inner.strip_prefix("~syncthing~").unwrap_or(inner).trim_start_matches('.');
    Some(inner.strip_prefix("syncthing.").unwrap_or(inner)).filter(|inner| !inner.is_empty())
}

/// Returns whether a file in `ideas` is a note by its extension.
pub fn is_note(path: &RelPath) -> bool {
    matches!(path.extension().as_str(), "md" | "markdown" | "txt" | "csv" | "tsv" | "yaml" | "yml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Identity;
    use crate::vault::Entry;

    #[test]
    fn what_is_written_under_another_name_is_known_by_its_own() {
        for (name, expected) in [
            ("x.png.part", Some("x.png")),
            (".x.png.Ab12cD", Some("x.png")),
            (".x.png.~4f2a", Some("x.png")),
            (".syncthing.x.png.tmp", Some("x.png")),
            ("~syncthing~x.png.tmp", Some("x.png")),
            ("x.png.tmp", Some("x.png")),
            ("x.png", None),
            (".tmp", None),
        ] {
            assert_eq!(plain_arrives_as(name), expected, "{name}");
        }
    }

    #[test]
    fn what_has_a_sidecar_is_no_by_product() {
        let files = ["a.png.part", "a.png.part.yaml", "b.png", "grid-0001.png", "grid-0001.png.yaml", "grid-0002.png"];
        let identity = Identity { device: 1, inode: 1, size: 10, modified_ns: 0 };
        let found = |name: &str| Found {
            path: RelPath::new(format!("raw/t/{name}")).unwrap(),
            entry: Entry::file(identity, 0),
        };
        let mut odd = Vec::new();
        let ordinary = but_left_alone(files.map(found).to_vec(), &Ignore::default(), &mut odd);
        let ordinary: Vec<String> = ordinary.iter().map(|found| found.path.file_text()).collect();
        let odd: Vec<String> = odd.iter().map(|odd| odd.path.file_text()).collect();
        assert_eq!(ordinary, ["a.png.part.yaml", "b.png", "grid-0001.png", "grid-0001.png.yaml"]);
        assert_eq!(odd, ["a.png.part", "grid-0002.png"]);
    }
}
