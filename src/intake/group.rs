use std::collections::{BTreeMap, BTreeSet};

use super::names::{is_note, left_alone};
use super::walk::{Found, Odd};
use crate::model::{RelPath, Stage};

/// Extensions of files that go with an asset of the same name and are never assets themselves.
const COMPANION_EXTENSIONS: [&str; 5] = ["txt", "json", "xmp", "yaml", "yml"];
/// Extensions of files that only a model that names them can claim.
const MEMBER_EXTENSIONS: [&str; 2] = ["mtl", "bin"];
/// Files of stockmill's own in a theme's folder.
const RECORDS: [&str; 2] = ["tags.yaml", "prompts.txt"];

/// An asset's files as they were found together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The primary file.
    pub primary: Found,
    /// Its sidecar `NAME.EXT.yaml`.
    pub sidecar: Option<Found>,
    /// Files that go with it under a like name.
    pub companions: Vec<Found>,
    /// Files that it names inside.
    pub members: Vec<Found>,
    /// Names inside that are not there.
    pub missing: Vec<String>,
}

impl Candidate {
    /// Returns all of its files.
    pub fn files(&self) -> impl Iterator<Item = &Found> {
        std::iter::once(&self.primary).chain(&self.sidecar).chain(&self.companions).chain(&self.members)
    }
}

/// The files of a folder, sorted out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grouped {
    /// What may be taken.
    pub candidates: Vec<Candidate>,
    /// What is left alone.
    pub odd: Vec<Odd>,
}

/// Sorts the files of a stage folder into assets and what is left alone. `members_of` returns the
/// names that a model has inside, relative to its folder.
pub fn group(stage: Stage, files: &[Found], ignore: &[String], members_of: &dyn Fn(&Found) -> Vec<String>) -> Grouped {
    let mut grouped = Grouped::default();
    let mut ordinary: BTreeMap<&RelPath, &Found> = BTreeMap::new();
    for found in files {
        match left_alone(&found.path.file_text(), ignore) {
            Some(why) => grouped.odd.push(Odd { path: found.path.clone(), why }),
            None => {
                ordinary.insert(&found.path, found);
            }
        }
    }
    if stage == Stage::Ideas {
        take_notes(&ordinary, &mut grouped);
        return grouped;
    }
    ordinary.retain(|path, _| !is_record(path));
    let models = claim_members(&ordinary, members_of);
    let claimed: BTreeSet<RelPath> =
        models.values().flat_map(|(members, _)| members.iter().map(|m| m.path.clone())).collect();
    let is_primary = |path: &RelPath| {
        let extension = path.extension();
        let beside =
            COMPANION_EXTENSIONS.contains(&extension.as_str()) || MEMBER_EXTENSIONS.contains(&extension.as_str());
        !beside && !claimed.contains(path)
    };
    let mut beside: BTreeMap<RelPath, Vec<&Found>> = BTreeMap::new();
    let primaries: Vec<&Found> = ordinary.values().filter(|found| is_primary(&found.path)).copied().collect();
    let by_stem: BTreeMap<(Option<RelPath>, std::ffi::OsString), &RelPath> =
        primaries.iter().rev().map(|found| ((found.path.parent(), found.path.stem()), &found.path)).collect();
    for found in ordinary.values().filter(|found| !is_primary(&found.path) && !claimed.contains(&found.path)) {
        // `a.png.xmp` goes with `a.png`, and `a.xmp` with whatever is called `a`.
        let stem = found.path.stem();
        let whole = found.path.sibling(&stem);
        let owner = if ordinary.contains_key(&whole) && is_primary(&whole) {
            Some(whole)
        } else {
            by_stem.get(&(found.path.parent(), stem)).map(|path| (*path).clone())
        };
        match owner {
            Some(owner) => beside.entry(owner).or_default().push(found),
            None => grouped.odd.push(Odd { path: found.path.clone(), why: lonely(&found.path) }),
        }
    }
    for primary in primaries {
        let (members, missing) = models.get(&primary.path).cloned().unwrap_or_default();
        let own = primary.path.with_suffix(crate::intake::group::SIDECAR);
        let (sidecar, companions): (Vec<&Found>, Vec<&Found>) =
            beside.remove(&primary.path).unwrap_or_default().into_iter().partition(|found| found.path == own);
        grouped.candidates.push(Candidate {
            primary: primary.clone(),
            sidecar: sidecar.first().map(|found| (*found).clone()),
            companions: companions.into_iter().cloned().collect(),
            members,
            missing,
        });
    }
    grouped
}

/// What is added to an asset's file name to name its sidecar.
const SIDECAR: &str = ".yaml";

fn take_notes(files: &BTreeMap<&RelPath, &Found>, grouped: &mut Grouped) {
    for found in files.values() {
        if is_note(&found.path) {
            let primary = (*found).clone();
            let candidate = Candidate { primary, sidecar: None, companions: vec![], members: vec![], missing: vec![] };
            grouped.candidates.push(candidate);
        } else {
            let why = "`ideas` takes notes: .md, .txt, .csv, .yaml; pictures go into `raw`".to_owned();
            grouped.odd.push(Odd { path: found.path.clone(), why });
        }
    }
}

/// Returns whether a path is a record of stockmill's own in a theme's folder or below it.
fn is_record(path: &RelPath) -> bool {
    path.parts().count() > 2 && RECORDS.contains(&path.file_text().as_str())
}

fn lonely(path: &RelPath) -> String {
    if MEMBER_EXTENSIONS.contains(&path.extension().as_str()) {
        "no 3D model here names it".to_owned()
    } else {
        format!("it goes with an asset called `{}`, which is not here", path.stem().to_string_lossy())
    }
}

type Claims = BTreeMap<RelPath, (Vec<Found>, Vec<String>)>;

/// Returns, for every model, the files that it names and those that are missing; materials' textures
/// count too. A file is claimed by the first model that names it.
fn claim_members(files: &BTreeMap<&RelPath, &Found>, members_of: &dyn Fn(&Found) -> Vec<String>) -> Claims {
    let mut claims = Claims::new();
    let mut taken = BTreeSet::new();
    for model in files.values().filter(|found| matches!(found.path.extension().as_str(), "obj" | "gltf")) {
        let (mut members, mut missing) = (Vec::new(), Vec::new());
        let mut waiting = members_of(model);
        let mut seen = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            let Ok(below) = RelPath::new(&name) else { continue };
            if !seen.insert(below.clone()) {
                continue;
            }
            let path = model.path.sibling(below.as_path());
            match files.get(&path) {
                Some(member) => {
                    if member.path.extension() == "mtl" {
                        waiting.extend(members_of(member));
                    }
                    if taken.insert(path) {
                        members.push((*member).clone());
                    } else {
                        missing.push(format!("{name} (another model here uses it; give each its own copy)"));
                    }
                }
                None => missing.push(name),
            }
        }
        members.sort_by(|a, b| a.path.cmp(&b.path));
        claims.insert(model.path.clone(), (members, missing));
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Identity;
    use crate::vault::Entry;

    fn found(path: &str) -> Found {
        let identity = Identity { device: 1, inode: 1, size: 10, modified_ns: 0 };
        Found { path: RelPath::new(path).unwrap(), entry: Entry::file(identity, 0) }
    }

    fn shown(stage: Stage, names: &[&str]) -> String {
        let files: Vec<Found> = names.iter().map(|name| found(name)).collect();
        let members = |found: &Found| match found.path.extension().as_str() {
            "obj" => vec!["m.mtl".to_owned()],
            "mtl" => vec!["tex/wood.png".to_owned(), "tex/gone.png".to_owned()],
            _ => vec![],
        };
        let grouped = group(stage, &files, &[], &members);
        let mut lines: Vec<String> = grouped
            .candidates
            .iter()
            .map(|c| {
                let rest: Vec<String> = c.files().skip(1).map(|f| f.path.file_text()).collect();
                format!("{} + {} - {}", c.primary.path, rest.join(" "), c.missing.join(" "))
            })
            .collect();
        lines.extend(grouped.odd.iter().map(|odd| format!("odd {}", odd.path)));
        lines.join("\n")
    }

    #[test]
    fn files_are_grouped_into_assets() {
        let cases: [(&[&str], &str); 7] = [
            (&["raw/t/a.png", "raw/t/a.png.yaml", "raw/t/a.txt"], "raw/t/a.png + a.png.yaml a.txt - "),
            (&["raw/t/a.jpg", "raw/t/a.png", "raw/t/a.png.xmp"], "raw/t/a.jpg +  - \nraw/t/a.png + a.png.xmp - "),
            (&["raw/t/a.png", "raw/t/tags.yaml", "raw/t/prompts.txt"], "raw/t/a.png +  - "),
            (&["raw/t/b.png.yaml", "raw/t/a.png"], "raw/t/a.png +  - \nodd raw/t/b.png.yaml"),
            (&["raw/t/a.png.part", "raw/.x"], "odd raw/t/a.png.part\nodd raw/.x"),
            (&["raw/t/m.obj", "raw/t/m.mtl", "raw/t/tex/wood.png"], "raw/t/m.obj + m.mtl wood.png - tex/gone.png"),
            (&["raw/t/x.bin"], "odd raw/t/x.bin"),
        ];
        for (names, expected) in cases {
            assert_eq!(shown(Stage::Raw, names), expected, "{names:?}");
        }
        assert_eq!(shown(Stage::Ideas, &["ideas/a.md", "ideas/b.png"]), "ideas/a.md +  - \nodd ideas/b.png");
    }
}
