use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{RelPath, Stage, ThemeSlug};
use crate::vault::{Disk, DiskResult, ensure_folder, place};

/// A person's word that what lies in a stage may go on, whatever its gate says. It covers what was
/// there when it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The stage.
    pub stage: Stage,
    /// One theme only, or all.
    pub theme: Option<ThemeSlug>,
    /// When it was given.
    pub at: Timestamp,
}

/// How long a release is kept after it was given: what it covered has long gone on by then.
const KEPT_SECONDS: i64 = 24 * 3600;

impl Release {
    /// Returns whether it covers an asset that got its name at `dropped_ns`.
    pub(super) fn covers(&self, stage: Stage, theme: Option<&ThemeSlug>, dropped_ns: i64) -> bool {
        self.stage == stage
            && (self.theme.is_none() || self.theme.as_ref() == theme)
            && i128::from(dropped_ns) <= self.at.as_nanosecond()
    }
}

/// Returns the folder through which commands reach the daemon.
pub(super) fn requests_folder() -> RelPath {
    RelPath::new(".stockmill/requests").expect("a constant is a clean path")
}

/// Leaves a release for the daemon, or for the next `once`.
pub fn request(disk: &dyn Disk, release: &Release) -> DiskResult<()> {
    ensure_folder(disk, &requests_folder())?;
    let name = format!("release-{}.json", release.at.as_nanosecond());
    let text = serde_json::to_string(release).expect("a release holds nothing that JSON cannot write");
    let draft = requests_folder().join(format!(".{name}"));
    disk.write_new(&draft, text.as_bytes())?;
    disk.sync_file(&draft)?;
    place(disk, &draft, &requests_folder().join(name))?;
    disk.sync_folder(&requests_folder())
}

/// Returns the releases that are in force, and removes those that have had their time.
pub(super) fn collect(disk: &dyn Disk, now: Timestamp) -> Vec<Release> {
    let Ok(listed) = disk.list(&requests_folder()) else { return Vec::new() };
    let mut releases = Vec::new();
    for (name, _) in listed.into_iter().filter(|(name, _)| name.to_string_lossy().starts_with("release-")) {
        let path = requests_folder().join(name);
        // What cannot be read now is looked at again.
        let Ok(bytes) = disk.read(&path, 4096) else { continue };
        match serde_json::from_slice::<Release>(&bytes) {
            Ok(release) if now.as_second() - release.at.as_second() <= KEPT_SECONDS => releases.push(release),
            _ => drop(disk.remove(&path)),
        }
    }
    releases
}

/// Returns the releases that lie there, without touching them.
pub(super) fn peek(disk: &dyn Disk) -> Vec<Release> {
    let Ok(listed) = disk.list(&requests_folder()) else { return Vec::new() };
    let read = |name: &std::ffi::OsString| {
        let bytes = disk.read(&requests_folder().join(name), 4096).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    listed.iter().filter_map(|(name, _)| read(name)).collect()
}
