//! Files that a person moved within the folder of their bundle: nobody can tell whether their market is to have them.

use std::collections::BTreeSet;
use std::ffi::OsString;

use super::bundle_files::listed;
use super::renamed::why_renamed;
use crate::config::Settings;
use crate::model::{RelPath, counted};
use crate::plan::{BundleFolder, Hold};
use crate::records::SIDECAR_SUFFIX;
use crate::vault::{Look, What};

/// Returns why a bundle that is not on record as sent stays as it is, if a person gave it the name of another market's, or moved files
/// within it.
pub(in crate::service) fn left_as_it_is(
    disk: &dyn Look,
    settings: &Settings,
    bundle: &RelPath,
) -> Result<Option<Hold>, Hold> {
    if let Some(why) = why_renamed(disk, &settings.upload, bundle) {
        return Ok(Some(Hold::Unreadable(why.to_owned())));
    }
    moved_inside(disk, &BundleFolder::new(bundle.clone()))
}

/// Returns why a bundle stays as it is, if a file that one of its sidecars is about lies elsewhere in it, or is a link. What was
/// taken out of it is none of these.
fn moved_inside(disk: &dyn Look, bundle: &BundleFolder) -> Result<Option<Hold>, Hold> {
    let of_record = |(name, _): (OsString, _)| name.to_str()?.strip_suffix(SIDECAR_SUFFIX).map(str::to_owned);
    let mut names: BTreeSet<String> = listed(disk, &bundle.sidecars())?.into_iter().filter_map(of_record).collect();
    for (name, entry) in listed(disk, &bundle.files())? {
        let Some(name) = name.to_str() else { continue };
        if names.remove(name) && matches!(entry.what, What::Folder | What::Link) {
            let what = if entry.what == What::Folder { "a folder" } else { "a link" };
            let file = bundle.files().join(name);
            return Ok(Some(stays(&format!(
                "`{file}` is {what} and no file: put the file itself there, or delete it"
            ))));
        }
    }
    let moved = elsewhere_inside(disk, bundle, &names)?;
    let Some(first) = moved.first() else { return Ok(None) };
    let (is, them) = match moved.len() {
        1 => (format!("`{}` lies in `{}/`", first.file_text(), folder_of(first)), "it"),
        files => (format!("{} lie elsewhere in it, the first is `{first}`", counted(files, "file")), "them"),
    };
    Ok(Some(stays(&format!("{is}: put {them} back into `files/`, or take {them} out of the bundle"))))
}

fn stays(what: &str) -> Hold {
    Hold::Unreadable(format!("{what}; until then its CSV and list stay as they are"))
}

fn folder_of(file: &RelPath) -> String {
    file.parent().map(|folder| folder.to_string()).unwrap_or_default()
}

/// Returns where files of these names lie in a bundle beside `files`: in its folder, or in one that a person made there.
pub(super) fn elsewhere_inside(
    disk: &dyn Look,
    bundle: &BundleFolder,
    names: &BTreeSet<String>,
) -> Result<Vec<RelPath>, Hold> {
    let mut found = Vec::new();
    if names.is_empty() {
        return Ok(found);
    }
    let mut folders = vec![(bundle.path().clone(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for (name, entry) in listed(disk, &folder)? {
            let path = folder.join(&name);
            let is_own = [bundle.sidecars(), bundle.path().join(BundleFolder::PARTS)].contains(&path);
            match entry.what {
                What::Folder if !is_own && depth < DEPTH_MAX => folders.push((path, depth + 1)),
                What::File if folder != bundle.files() && name.to_str().is_some_and(|name| names.contains(name)) => {
                    found.push(path);
                }
                _ => (),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// How deep in a bundle is looked for what was moved there.
const DEPTH_MAX: u32 = 2;
