use std::collections::HashMap;

use super::candidate::{Candidate, TAGS};
use super::group::Grouped;
use super::walk::Odd;
use crate::model::{Ignore, RelPath};

/// A file in which a person wrote tags, with almost the name that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The file.
    pub file: RelPath,
    /// The name that it was meant to have.
    pub meant: RelPath,
    /// What waits until it has that name: an asset, or everything in a theme's folder, in all stages.
    pub waits: RelPath,
}

impl NearMiss {
    /// Returns why something waits, in words.
    pub fn why(&self) -> String {
        format!("`{}` is not read: {}", self.file, self.cure())
    }

    /// Returns what to do about the file.
    fn cure(&self) -> String {
        let what = if self.is_shared() { "shared tags are" } else { "a sidecar is" };
        format!("{what} named `{}`; rename it, or move it away", self.meant.file_text())
    }

    /// Returns whether it is about a folder and not about one asset.
    pub fn is_shared(&self) -> bool {
        self.meant.parent().as_ref() == Some(&self.waits)
    }
}

/// Endings of names that were meant to end in `.yaml`: editors and systems add to what a person types.
const ENDINGS: [&str; 6] = [".yaml.txt", ".yml.txt", ".yaml.yaml", ".yaml.yml", ".yaml", ".yml"];

/// Finds the files of a stage in which a person wrote tags that would not be read. A file that is left alone because
/// of one gets that reason.
pub fn near_misses(grouped: &mut Grouped, ignore: &Ignore) -> Vec<NearMiss> {
    let mut misses = Vec::new();
    for candidate in &grouped.candidates {
        let meant = || candidate.primary.path.with_suffix(".yaml");
        let waits = || candidate.primary.path.clone();
        let almost = candidate.companions.iter().filter(|found| record(&found.path).is_some());
        misses.extend(almost.map(|found| NearMiss { file: found.path.clone(), meant: meant(), waits: waits() }));
    }
    let is_lonely = |odd: &&mut Odd| record(&odd.path).is_some() && ignore.file(&odd.path.file_text()).is_none();
    let mut lonely = grouped.odd.iter_mut().filter(is_lonely).peekable();
    if lonely.peek().is_none() {
        return misses;
    }
    let by_name = by_name(&grouped.candidates);
    for odd in lonely {
        let folder = odd.path.parent().expect("a file lies in a folder");
        let base = record(&odd.path).expect("only records are here");
        let asset = by_name.get(&folded(&odd.path.sibling(&base)));
        let miss = match asset {
            Some(asset) => {
                NearMiss { file: odd.path.clone(), meant: asset.with_suffix(".yaml"), waits: (*asset).clone() }
            }
            None if is_shared(&base) && folder.parent().is_some() => {
                NearMiss { file: odd.path.clone(), meant: folder.join(TAGS), waits: folder }
            }
            None => continue,
        };
        odd.why = miss.cure();
        misses.push(miss);
    }
    misses
}

/// Returns the name that a record describes, in lower case: `x.png` for `X.png.YML`. `None` if it is no record.
fn record(path: &RelPath) -> Option<String> {
    if !matches!(path.extension().as_str(), "yaml" | "yml" | "txt") {
        return None;
    }
    let name = path.file_text().to_lowercase();
    let base = ENDINGS.iter().find_map(|ending| name.trim().strip_suffix(ending))?;
    (!base.is_empty()).then(|| base.to_owned())
}

fn is_shared(base: &str) -> bool {
    matches!(base, "tags" | "tag")
}

/// Returns the assets by the names that a person may use, with or without the extension, in lower case.
fn by_name(candidates: &[Candidate]) -> HashMap<String, &RelPath> {
    let mut by_name = HashMap::new();
    for path in candidates.iter().map(|candidate| &candidate.primary.path) {
        by_name.entry(path.without_extension().to_string_lossy().to_lowercase()).or_insert(path);
        by_name.insert(folded(path), path);
    }
    by_name
}

fn folded(path: &RelPath) -> String {
    path.as_path().to_string_lossy().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::claims::Nothing;
    use crate::intake::{Found, group};
    use crate::model::{Identity, Stage};
    use crate::vault::Entry;

    fn found(path: &str) -> Found {
        let identity = Identity { device: 1, inode: 1, size: 10, modified_ns: 0 };
        Found { path: RelPath::new(path).unwrap(), entry: Entry::file(identity, 0) }
    }

    /// What a person had written for them was not read, and they were sold without it.
    #[test]
    fn what_depends_on_a_record_with_almost_the_right_name_waits() {
        // (a file beside `raw/t/x.png` and `raw/t/in/y.jpg`, its right name, what waits)
        let cases = [
            ("raw/t/Tags.yaml", "raw/t/tags.yaml", "raw/t"),
            ("raw/t/TAGS.YAML", "raw/t/tags.yaml", "raw/t"),
            ("raw/t/tags.yml", "raw/t/tags.yaml", "raw/t"),
            ("raw/t/tags.yaml.txt", "raw/t/tags.yaml", "raw/t"),
            ("raw/t/tag.yaml", "raw/t/tags.yaml", "raw/t"),
            ("raw/t/in/Tags.yml", "raw/t/in/tags.yaml", "raw/t/in"),
            ("raw/t/x.png.yml", "raw/t/x.png.yaml", "raw/t/x.png"),
            ("raw/t/x.png.YAML", "raw/t/x.png.yaml", "raw/t/x.png"),
            ("raw/t/X.PNG.yaml", "raw/t/x.png.yaml", "raw/t/x.png"),
            ("raw/t/x.yaml", "raw/t/x.png.yaml", "raw/t/x.png"),
            ("raw/t/x.png.yaml.txt", "raw/t/x.png.yaml", "raw/t/x.png"),
            ("raw/t/in/y.yml", "raw/t/in/y.jpg.yaml", "raw/t/in/y.jpg"),
            ("raw/t/tags.yaml", "", ""),
            ("raw/t/x.png.yaml", "", ""),
            ("raw/t/x.txt", "", ""),
            ("raw/t/bags.yaml", "", ""),
            ("raw/t/y.yaml", "", ""),
            ("raw/t/tags.yaml.bak", "", ""),
            ("raw/tags.yml", "", ""),
            ("raw/t/Prompts.txt", "", ""),
        ];
        for (file, meant, waits) in cases {
            let files = ["raw/t/x.png", "raw/t/in/y.jpg", file].map(found).to_vec();
            let mut grouped = group(Stage::Raw, files, &Ignore::default(), &Nothing);
            let misses = near_misses(&mut grouped, &Ignore::default());
            let shown =
                misses.first().map_or_else(Default::default, |miss| (miss.meant.to_string(), miss.waits.to_string()));
            assert_eq!(
                (shown.0.as_str(), shown.1.as_str(), misses.len()),
                (meant, waits, usize::from(!meant.is_empty())),
                "{file}"
            );
            assert!(misses.iter().all(|miss| miss.file.to_string() == file
                && miss.is_shared() == miss.meant.to_string().ends_with("/tags.yaml")));
        }
    }
}
