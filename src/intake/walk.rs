use crate::model::{Identity, RelPath};
use crate::vault::{Disk, DiskResult, Entry, What};

/// Deeper folders are not walked; nobody sorts pictures that deep.
const DEPTH_MAX: usize = 32;

/// How names of stockmill's own begin.
const OWN: &[u8] = b".stockmill";

/// A regular file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it lies.
    pub path: RelPath,
    /// What is known of it.
    pub entry: Entry,
}

/// A name that is left alone, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Where it lies.
    pub path: RelPath,
    /// Why it is left alone.
    pub why: String,
}

/// What a walk saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walked {
    /// Regular files, by path.
    pub files: Vec<Found>,
    /// Folders, the start included.
    pub folders: Vec<RelPath>,
    /// Folders that were seen and not entered.
    pub below: Vec<RelPath>,
    /// Links, devices and the like.
    pub odd: Vec<Odd>,
}

/// Walks a folder and, where `goes_into` allows, those below it; `enters` is told of each folder
/// before it is listed, so that a watch can be in place first. Links are never followed; hidden
/// folders are never entered. A folder that goes away meanwhile is no error.
pub fn walk(
    disk: &dyn Disk,
    start: &RelPath,
    goes_into: &dyn Fn(&RelPath) -> bool,
    enters: &mut dyn FnMut(&RelPath, Option<Identity>),
) -> DiskResult<Walked> {
    let mut walked = Walked::default();
    let first = disk.look(start)?.map(|entry| entry.identity);
    let mut waiting = vec![(start.clone(), first)];
    while let Some((folder, identity)) = waiting.pop() {
        enters(&folder, identity);
        let known = (walked.files.len(), walked.below.len(), walked.odd.len(), waiting.len());
        let listed = disk.each(&folder, &mut |name, entry| {
            let bytes = name.as_encoded_bytes();
            // Marks, probes and scratch of stockmill's own are nobody's business.
            if bytes.starts_with(OWN) {
                return;
            }
            let path = folder.join(name);
            match entry.what {
                What::File => walked.files.push(Found { path, entry }),
                What::Folder if bytes.starts_with(b".") => (),
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
        // An asset must not be taken for one without a sidecar because the listing broke off before that.
        walked.files.truncate(known.0);
        walked.below.truncate(known.1);
        walked.odd.truncate(known.2);
        waiting.truncate(known.3);
        match error.kind() {
            std::io::ErrorKind::NotFound => (),
            _ if folder == *start => return Err(error),
            _ => walked.odd.push(Odd { path: folder, why: format!("it cannot be listed: {}", error.source) }),
        }
    }
    walked.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(walked)
}

fn odd(path: RelPath, why: &str) -> Odd {
    Odd { path, why: why.to_owned() }
}
