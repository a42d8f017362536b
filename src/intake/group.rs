use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use super::candidate::{Candidate, Role, SIDECAR, index_of, is_member, is_record};
use super::claims::{Inside, claim};
use super::names::{but_left_alone, is_note};
use super::trio::along_with_videos;
use super::walk::{Found, Odd};
use crate::model::{Ignore, RelPath, Stage};

/// Extensions of files that go with an asset of the same name and are never assets themselves.
const COMPANION_EXTENSIONS: [&str; 5] = ["txt", "json", "xmp", "yaml", "yml"];
/// The files of a folder, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grouped {
    /// The assets.
    pub candidates: Vec<Candidate>,
    /// The files that are left alone.
    pub odd: Vec<Odd>,
}

/// Sorts the files of a stage folder into assets and files that are left alone. `inside` reads
/// from their content what their names do not say.
///
/// A folder may hold hundreds of thousands of files: nothing is copied that can be moved.
pub fn group(stage: Stage, files: Vec<Found>, ignore: &Ignore, inside: &dyn Inside) -> Grouped {
    let mut grouped = Grouped::default();
    let mut ordinary = but_left_alone(files, ignore, &mut grouped.odd);
    if stage == Stage::Ideas {
        group_notes(ordinary, &mut grouped);
        return grouped;
    }
    ordinary.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    let mut roles: Vec<Role> = ordinary.iter().map(|found| role(&found.path)).collect();
    let mut claims = claim(stage, &ordinary, &roles, &grouped.odd, inside);
    for member in claims.members.values().flatten() {
        roles[*member] = Role::Taken;
    }
    let along = along_with_videos(&ordinary, &|n| roles[n] == Role::Primary);
    along.keys().for_each(|n| roles[*n] = Role::Taken);
    let (beside, mut unclear) = beside(&ordinary, &roles, &along, &mut grouped.odd);
    let mut beside = beside.into_iter().peekable();
    grouped.candidates.reserve_exact(roles.iter().filter(|role| **role == Role::Primary).count());
    let mut ordinary: Vec<Option<Found>> = ordinary.into_iter().map(Some).collect();
    for n in (0..roles.len()).filter(|n| roles[*n] == Role::Primary) {
        let mut take = |n: usize| ordinary[n].take().expect("each file has one role");
        let primary = take(n);
        let own = primary.path.with_suffix(SIDECAR);
        let (mut sidecar, mut companions) = (None, Vec::new());
        while let Some((_, file)) = beside.next_if(|(owner, _)| *owner == n) {
            let found = take(file);
            if found.path == own {
                sidecar = Some(found);
            } else {
                companions.push(found);
            }
        }
        let members = claims.members.remove(&n).unwrap_or_default();
        let is_unnamed = |n: &&usize| claims.unnamed.contains(n);
        let unnamed = (0..).zip(&members).filter(|(_, n)| is_unnamed(n)).map(|(at, _)| at).collect();
        let members = members.into_iter().map(take).collect();
        let missing = claims.waits.remove(&n).into_iter().chain(unclear.remove(&n)).collect();
        grouped.candidates.push(Candidate { primary, sidecar, companions, members, unnamed, missing });
    }
    grouped
}

fn role(path: &RelPath) -> Role {
    let extension = path.extension();
    if is_record(path) {
        Role::Taken
    } else if COMPANION_EXTENSIONS.contains(&extension.as_str()) || is_member(&extension) {
        Role::Beside
    } else {
        Role::Primary
    }
}

/// Returns, for each file that goes with a primary one, the indexes of both, in the order of the primary
/// ones: `a.png.xmp` goes with `a.png`, and `a.xmp` with any file named `a`. Returns also why primary files wait:
/// of two files named `a` nobody can tell which one `a.xmp` describes.
fn beside(
    files: &[Found],
    roles: &[Role],
    along: &BTreeMap<usize, usize>,
    odd: &mut Vec<Odd>,
) -> (Vec<(usize, usize)>, BTreeMap<usize, String>) {
    let of = |role: Role| (0..files.len()).filter(move |n| roles[*n] == role);
    // What goes with a file that goes with a video goes with the video.
    let owners = of(Role::Primary).map(|n| (n, n)).chain(along.iter().map(|(n, owner)| (*n, *owner)));
    let mut by_stem: Vec<(&OsStr, usize)> =
        owners.map(|(n, owner)| (files[n].path.without_extension(), owner)).collect();
    by_stem.sort_unstable();
    let owners_of = |stem: &OsStr| {
        let first = by_stem.partition_point(|(other, _)| *other < stem);
        let length = by_stem[first..].partition_point(|(other, _)| *other == stem);
        &by_stem[first..first + length]
    };
    let owner_of = |stem: &OsStr| owners_of(stem).first().map(|(_, n)| *n);
    let mut unclear = BTreeMap::new();
    let mut pairs: Vec<(usize, usize)> = along.iter().map(|(n, owner)| (*owner, *n)).collect();
    for n in of(Role::Beside) {
        let stem = files[n].path.without_extension();
        let whole = index_of(files, stem);
        let whole = whole.and_then(|n| along.get(&n).copied().or((roles[n] == Role::Primary).then_some(n)));
        // A model names its parts: a file that only shares its name is no part of it.
        let is_member = is_member(&files[n].path.extension());
        let owners = owners_of(stem);
        if whole.is_none() && files[n].path.extension() == "xmp" {
            unclear_for(files, n, owners, &mut unclear);
        }
        match whole.or_else(|| owner_of(stem).filter(|_| !is_member)) {
            Some(owner) => pairs.push((owner, n)),
            None => odd.push(Odd { path: files[n].path.clone(), why: why_lonely(&files[n].path) }),
        }
    }
    pairs.sort_unstable();
    (pairs, unclear)
}

/// Makes all assets of a name wait for a sidecar that may belong to any of them.
fn unclear_for(files: &[Found], sidecar: usize, owners: &[(&OsStr, usize)], unclear: &mut BTreeMap<usize, String>) {
    let owners: BTreeSet<usize> = owners.iter().map(|(_, owner)| *owner).collect();
    if owners.len() < 2 {
        return;
    }
    let name = files[sidecar].path.file_text();
    for owner in owners {
        let whole = files[owner].path.file_text();
        let why = format!(
            "nobody can tell whose `{name}` is, since more than one file here has that name; name it `{whole}.xmp` if \
             it is about this one"
        );
        unclear.entry(owner).or_insert(why);
    }
}

fn group_notes(files: Vec<Found>, grouped: &mut Grouped) {
    for primary in files {
        if is_note(&primary.path) {
            grouped.candidates.push(Candidate::alone(primary));
        } else {
            let why = "`ideas` takes notes: .md, .txt, .csv, .yaml; pictures go into `raw`".to_owned();
            grouped.odd.push(Odd { path: primary.path, why });
        }
    }
}

/// Returns whether a file is left alone because the asset that it goes with is not here.
pub fn is_lonely(odd: &Odd) -> bool {
    COMPANION_EXTENSIONS.contains(&odd.path.extension().as_str()) && odd.why == why_lonely(&odd.path)
}

fn why_lonely(path: &RelPath) -> String {
    if is_member(&path.extension()) {
        "no 3D model here names it".to_owned()
    } else {
        format!("it goes with an asset named `{}`, which is not here", path.stem().to_string_lossy())
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::intake::claims::Nothing;
    use crate::model::Identity;
    use crate::vault::Entry;

    fn found(path: &str) -> Found {
        let identity = Identity { device: 1, inode: 1, size: 10, modified_ns: 0 };
        Found { path: RelPath::new(path).unwrap(), entry: Entry::file(identity, 0) }
    }

    fn shown(stage: Stage, names: &[&str]) -> String {
        let files: Vec<Found> = names.iter().map(|name| found(name)).collect();
        let grouped = group(stage, files, &Ignore::default(), &Nothing);
        let mut lines: Vec<String> = grouped
            .candidates
            .iter()
            .map(|c| {
                let rest: Vec<String> = c.files().skip(1).map(|f| f.path.file_text()).collect();
                format!("{} + {}", c.primary.path, rest.join(" "))
            })
            .collect();
        lines.extend(grouped.odd.iter().map(|odd| format!("odd {}", odd.path)));
        lines.join("\n")
    }

    #[test]
    fn files_are_grouped_into_assets() {
        let cases: [(&[&str], &str); 6] = [
            (&["raw/t/a.png", "raw/t/a.png.yaml", "raw/t/a.txt"], "raw/t/a.png + a.png.yaml a.txt"),
            (&["raw/t/a.jpg", "raw/t/a.png", "raw/t/a.png.xmp"], "raw/t/a.jpg + \nraw/t/a.png + a.png.xmp"),
            (&["raw/t/a.png", "raw/t/tags.yaml", "raw/t/prompts.txt"], "raw/t/a.png + "),
            (&["raw/t/b.png.yaml", "raw/t/a.png"], "raw/t/a.png + \nodd raw/t/b.png.yaml"),
            (&["raw/t/a.png.part", "raw/.x"], "odd raw/t/a.png.part\nodd raw/.x"),
            (&["raw/t/x.bin"], "odd raw/t/x.bin"),
        ];
        for (names, expected) in cases {
            assert_eq!(shown(Stage::Raw, names), expected, "{names:?}");
        }
        assert_eq!(shown(Stage::Ideas, &["ideas/a.md", "ideas/b.png"]), "ideas/a.md + \nodd ideas/b.png");
    }

    #[test]
    fn an_xmp_of_two_pictures_lets_both_wait() {
        let cases: [(&[&str], &[&str]); 5] = [
            (&["raw/t/a.jpg", "raw/t/a.png", "raw/t/a.xmp", "raw/t/b.png"], &["raw/t/a.jpg", "raw/t/a.png"]),
            (&["raw/t/a.jpg", "raw/t/a.png", "raw/t/a.png.xmp"], &[]),
            (&["raw/t/a.jpg", "raw/t/a.png", "raw/t/a.txt"], &[]),
            (&["raw/t/a.png", "raw/t/a.xmp"], &[]),
            // The first frame goes with its video.
            (&["raw/t/a.mp4", "raw/t/a.png", "raw/t/a.xmp"], &[]),
        ];
        for (names, expected) in cases {
            let files: Vec<Found> = names.iter().map(|name| found(name)).collect();
            let grouped = group(Stage::Raw, files, &Ignore::default(), &Nothing);
            let waits = grouped.candidates.iter().filter(|candidate| !candidate.missing.is_empty());
            let waits: Vec<String> = waits.map(|candidate| candidate.primary.path.to_string()).collect();
            assert_eq!(waits, expected, "{names:?}");
        }
    }
}
