use crate::model::{Identity, Ignore, RelPath, Rule, Stage};
use crate::vault::{DiskResult, Entry, Look, What, own_names};

/// The deepest folder that is walked.
const DEPTH_MAX: usize = 32;

/// A regular file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it lies.
    pub path: RelPath,
    /// What is known of it.
    pub entry: Entry,
}

/// A name that is left alone, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Where it lies.
    pub path: RelPath,
    /// Why it is left alone.
    pub why: String,
}

/// What a walk found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walked {
    /// Regular files, by path.
    pub files: Vec<Found>,
    /// Folders, with the first one.
    pub folders: Vec<RelPath>,
    /// Folders that were seen and not entered.
    pub below: Vec<RelPath>,
    /// Links, devices and the like, and folders that are left alone.
    pub odd: Vec<Odd>,
    /// Those of them that are folders which a person may have meant as themes.
    pub may_be_meant: Vec<RelPath>,
    /// Those of them that are folders which cannot be listed: what lies there nobody can tell.
    pub unlisted: Vec<Odd>,
}

/// Walks a folder and, where `goes_into` allows, those below it; `enters` is called with each folder before it
/// is listed, so that a watch can be set first. Links are never followed; hidden folders are never entered, nor, in an
/// inbox, those that other programs keep there. A folder that disappears meanwhile is no error.
pub fn walk(
    disk: &dyn Look,
    start: &RelPath,
    goes_into: &dyn Fn(&RelPath) -> bool,
    enters: &mut dyn FnMut(&RelPath, Option<Identity>),
) -> DiskResult<Walked> {
    let foreign = Ignore::default();
    let is_inbox = start.area().to_str().is_some_and(|area| area.parse::<Stage>().is_ok());
    // Stockmill put there what lies in the archive and in `failed`, except what the system keeps on every disk.
    let is_of_system = |name: &str| name.starts_with('.') || name == "lost+found";
    let left = |name: &str| foreign.folder(name).filter(|rule| is_of_system(name) || is_inbox && !rule.may_be_meant());
    walk_but(disk, start, &left, goes_into, enters)
}

/// Walks an inbox as [`walk`] does, but for the folders that are left alone: they are never opened.
pub fn walk_inbox(
    disk: &dyn Look,
    start: &RelPath,
    ignore: &Ignore,
    goes_into: &dyn Fn(&RelPath) -> bool,
    enters: &mut dyn FnMut(&RelPath, Option<Identity>),
) -> DiskResult<Walked> {
    walk_but(disk, start, &|name| ignore.folder(name), goes_into, enters)
}

fn walk_but<'a>(
    disk: &dyn Look,
    start: &RelPath,
    left: &dyn Fn(&str) -> Option<&'a Rule>,
    goes_into: &dyn Fn(&RelPath) -> bool,
    enters: &mut dyn FnMut(&RelPath, Option<Identity>),
) -> DiskResult<Walked> {
    let mut walked = Walked::default();
    let first = disk.stat(start)?.map(|entry| entry.identity);
    let mut waiting = vec![(start.clone(), first)];
    while let Some((folder, identity)) = waiting.pop() {
        enters(&folder, identity);
        let known =
            (walked.files.len(), walked.below.len(), walked.odd.len(), walked.may_be_meant.len(), waiting.len());
        let listed = disk.each(&folder, &mut |name, entry| {
            let bytes = name.as_encoded_bytes();
            // Marks, probes and scratch of stockmill's own are nobody's business.
            if bytes.starts_with(own_names::HOME.as_bytes()) {
                return;
            }
            let path = folder.join(name);
            if entry.what == What::Folder
                && let Some(rule) = left(&name.to_string_lossy())
            {
                walked.may_be_meant.extend(rule.may_be_meant().then(|| path.clone()));
                walked.odd.push(Odd { path, why: rule.why(&name.to_string_lossy()) });
                return;
            }
            match entry.what {
                What::File => walked.files.push(Found { path, entry }),
                What::Folder if path.parts().count() > DEPTH_MAX => {
                    walked.odd.push(Odd { path, why: format!("it lies more than {DEPTH_MAX} folders deep") });
                }
                What::Folder if goes_into(&path) => waiting.push((path, Some(entry.identity))),
                What::Folder => walked.below.push(path),
                What::Link => walked.odd.push(odd(path, "a symbolic link is never followed; drop the file itself")),
                What::Special => walked.odd.push(odd(path, "it is no regular file")),
            }
        });
        let Err(error) = listed else {
            walked.folders.push(folder);
            continue;
        };
        // The listing may have ended before a sidecar: an asset must not be taken for one without it.
        walked.files.truncate(known.0);
        walked.below.truncate(known.1);
        walked.odd.truncate(known.2);
        walked.may_be_meant.truncate(known.3);
        waiting.truncate(known.4);
        match error.kind() {
            std::io::ErrorKind::NotFound => (),
            _ if folder == *start => return Err(error),
            _ => {
                let odd = Odd { path: folder, why: format!("it cannot be listed: {}", error.source) };
                walked.unlisted.push(odd.clone());
                walked.odd.push(odd);
            }
        }
    }
    walked.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(walked)
}

fn odd(path: RelPath, why: &str) -> Odd {
    Odd { path, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test plays the person who drops files")]

    use super::*;
    use crate::vault::{Layout, RealDisk};

    /// `@eaDir` and the like were walked, watched and taken.
    #[test]
    fn folders_that_are_left_alone_are_never_opened() {
        let home = tempfile::tempdir().unwrap();
        for path in
            ["t/a.png", "t/@eaDir/a.png", "#recycle/deep/b.png", "_rejects/c.png", "thumbnails/d.webp", "_x/e.png"]
        {
            let path = home.path().join("raw").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let disk = RealDisk::open_beside_daemon(Layout {
            root: home.path().to_owned(),
            areas: std::collections::BTreeMap::new(),
        });
        let start = RelPath::new("raw").unwrap();
        let ignore = Ignore::new(&["!_x/".to_owned()]).unwrap();
        let mut entered = Vec::new();
        let mut enters = |folder: &RelPath, _: Option<Identity>| entered.push(folder.to_string());
        let walked = walk_inbox(&disk, &start, &ignore, &|_| true, &mut enters).unwrap();
        entered.sort();
        assert_eq!(entered, ["raw", "raw/_x", "raw/t"]);
        let texts =
            |paths: Vec<&RelPath>| paths.into_iter().map(RelPath::to_string).collect::<std::collections::BTreeSet<_>>();
        let files = texts(walked.files.iter().map(|found| &found.path).collect());
        assert_eq!(files, ["raw/_x/e.png", "raw/t/a.png"].map(str::to_owned).into());
        let odd = texts(walked.odd.iter().map(|odd| &odd.path).collect());
        assert_eq!(odd, ["raw/#recycle", "raw/_rejects", "raw/t/@eaDir", "raw/thumbnails"].map(str::to_owned).into());
        assert_eq!(
            texts(walked.may_be_meant.iter().collect()),
            ["raw/_rejects", "raw/thumbnails"].map(str::to_owned).into()
        );
        // A walk of an inbox for another reason does not enter those folders, either.
        let walked = walk(&disk, &start, &|_| true, &mut |_, _| ()).unwrap();
        assert!(walked.files.iter().all(|found| !found.path.to_string().contains(['@', '#'])));
        assert_eq!(walked.files.len(), 4);
    }
}
