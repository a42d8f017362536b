//! What lies of a theme, and whether anything still needs it: nothing is concluded from what cannot be seen.

use crate::model::{Ignore, RelPath, Stage, ThemeSlug};
use crate::plan::{OnDisk, Plan, ThemeFiles, emptied_folders, sync_base_path};
use crate::vault::{DiskResult, Look, Vault, What};

/// The stages whose folders hold a theme's assets.
pub(super) const STAGES: [Stage; 4] = [Stage::Raw, Stage::Keep, Stage::Export, Stage::Upload];

/// The folder of what was set aside.
const FAILED: &str = "failed";

/// Looks at all folders of a theme, or says which of them cannot be looked at. `ignore` says
/// which names are nobody's asset.
pub(super) fn theme_files(disk: &dyn Look, theme: &ThemeSlug, ignore: &Ignore) -> Result<ThemeFiles, String> {
    attach_all(disk)?;
    look(disk, theme, ignore).map_err(|error| error.to_string())
}

/// Makes sure that all folders that a theme's files may lie in are there, or says which is not.
pub(super) fn attach_all(disk: &dyn Look) -> Result<(), String> {
    let failed = RelPath::new(FAILED).expect("a constant is a clean path");
    let mut areas = STAGES.map(Stage::folder).into_iter().chain([failed]);
    areas
        .try_for_each(|area| disk.attach(&area).map_err(|detached| format!("`{area}` cannot be looked at: {detached}")))
}

fn look(disk: &dyn Look, theme: &ThemeSlug, ignore: &Ignore) -> DiskResult<ThemeFiles> {
    let mut files = ThemeFiles { base: on_disk(disk, sync_base_path(theme, None))?, ..ThemeFiles::default() };
    for stage in STAGES {
        let folder = stage.folder().join(theme.as_str());
        match disk.stat(&folder)? {
            None => continue,
            Some(entry) if entry.what == What::Folder => (),
            Some(_) => {
                files.in_use = Some(format!("`{folder}` is no folder"));
                continue;
            }
        }
        let tags = on_disk(disk, folder.join("tags.yaml"))?;
        if tags.is_none() {
            files.without_tags.push(folder.clone());
        }
        files.tags.extend(tags);
        for (name, entry) in disk.list(&folder)? {
            let path = folder.join(&name);
            let is_record = name == "tags.yaml" || (stage == Stage::Raw && name == "prompts.txt");
            if is_record && entry.what == What::File {
                continue;
            }
            let is_folder = entry.what == What::Folder;
            let name = path.file_text();
            if (if is_folder { ignore.folder(&name) } else { ignore.file(&name) }).is_none() {
                files.in_use = Some(format!("`{path}` lies in it"));
            }
        }
    }
    files.prompts = on_disk(disk, Stage::Raw.folder().join(theme.as_str()).join("prompts.txt"))?;
    for stage in STAGES {
        let failed = RelPath::new(FAILED).expect("a constant is a clean path");
        let folder = failed.join(stage.name()).join(theme.as_str());
        if disk.stat(&folder)?.is_some() {
            files.in_use = Some(format!("files of it were set aside in `{folder}`"));
        }
    }
    Ok(files)
}

fn on_disk(disk: &dyn Look, path: RelPath) -> DiskResult<Option<OnDisk>> {
    let Some(entry) = disk.stat(&path)?.filter(|entry| entry.what == What::File) else { return Ok(None) };
    let hash = disk.hash(&path)?;
    Ok(Some(OnDisk { path, seen: entry.identity, hash }))
}

/// Removes the theme folders that a plan has emptied.
pub(super) fn remove_emptied_folders(vault: &Vault, plan: &Plan) {
    for (folder, top) in emptied_folders(plan) {
        vault.remove_emptied(&folder, &top);
    }
}
