//! What is done about something that went wrong with one asset; its neighbours go on.

use std::io::ErrorKind;
use std::time::Duration;

use super::{CONTENT_PATIENCE, CONTENT_PAUSE, DISK_PAUSE_MAX, Dispatcher, READ_TRIES, Tries};
use crate::make::MakeError;
use crate::model::RelPath;
use crate::plan::Facts;
use crate::report;
use crate::service::clock::Moment;
use crate::service::pauses::Cause;
use crate::service::survey::stage_of;
use crate::vault::DiskError;

impl Dispatcher {
    fn give_up(&mut self, path: &RelPath, facts: Option<Facts>, why: &str, moment: &Moment) {
        self.tries.remove(path);
        match facts {
            Some(facts) => self.set_aside(facts, why, moment),
            None => drop(self.let_out(path)),
        }
    }

    /// Handles what went wrong with one asset; its neighbours go on.
    pub(super) fn take_trouble(&mut self, path: &RelPath, facts: Option<Facts>, error: &MakeError, moment: &Moment) {
        let tries = self.tries.entry(path.clone()).or_insert(Tries { count: 0, first: moment.steady });
        tries.count += 1;
        let tries = *tries;
        match error {
            MakeError::Content(content) => {
                let dropped = facts.as_ref().map_or(0, |facts| facts.dropped_ns);
                let still = moment.steady.saturating_sub(tries.first).max(moment.since(dropped));
                if still < CONTENT_PATIENCE && content.may_be_incomplete() {
                    let why = format!("{content}; looked at again soon");
                    self.put_back(path, &why, Some(moment.steady + CONTENT_PAUSE), None);
                    self.held.entry(path.clone()).and_modify(|held| held.is_trial = true);
                    return;
                }
                self.give_up(path, facts, &content.to_string(), moment);
            }
            MakeError::Disk(disk) if disk.kind() == ErrorKind::FileTooLarge && disk.path == *path => {
                self.give_up(path, facts, &disk.source.to_string(), moment);
            }
            MakeError::Disk(disk) if disk.kind() == ErrorKind::FileTooLarge => {
                let why = format!("`{}` cannot be read: {}", disk.path, disk.source);
                self.put_back(path, &why, None, None);
            }
            MakeError::Sidecar { .. } | MakeError::Xmp { .. } => self.put_back(path, &error.to_string(), None, None),
            MakeError::Disk(_) if matches!(self.mill.disk().stat(path), Ok(None)) => {
                // A person took it away: nothing to do, and nothing is lost.
                self.let_out(path);
                self.tries.remove(path);
                self.look_again_at(path, Some(moment.steady));
            }
            MakeError::Disk(disk) if disk.kind() == ErrorKind::InvalidData => {
                report::again(Some(path), disk);
                let pause = Duration::from_millis(50 << tries.count.min(9));
                self.put_back(path, &format!("{disk}; tried again"), Some(moment.steady + pause), None);
            }
            MakeError::Disk(disk) if is_about_area(disk.kind()) => self.pause_for(path, disk, moment),
            MakeError::Disk(disk) if is_damage(disk, path) && tries.count >= READ_TRIES => {
                let why =
                    format!("it cannot be read ({}), tried {READ_TRIES} times; its disk may be damaged", disk.source);
                self.give_up(path, facts, &why, moment);
            }
            MakeError::Disk(disk) => {
                let pause = Duration::from_secs(1 << tries.count.min(6)).min(DISK_PAUSE_MAX);
                if self.repeats.is_news(&format!("{}: {}", disk.call, disk.source), moment.steady) {
                    report::disk_trouble(path, disk, pause);
                    self.wants_check = true;
                }
                self.put_back(path, &disk.to_string(), Some(moment.steady + pause), None);
            }
        }
    }

    /// Pauses the area that a disk's answer is about; what wanted to go there waits.
    fn pause_for(&mut self, path: &RelPath, disk: &DiskError, moment: &Moment) {
        self.wants_check = true;
        // A full disk under the mill's own memory stops the stage that the asset is in.
        let area = if self.areas.contains(&disk.path.area_path()) { disk.path.area_path() } else { path.area_path() };
        let why = match disk.kind() {
            ErrorKind::StorageFull => "its disk is full; make room, and it goes on by itself".to_owned(),
            ErrorKind::QuotaExceeded => {
                "the quota on its disk is used up; make room, and it goes on by itself".to_owned()
            }
            ErrorKind::ReadOnlyFilesystem => {
                "its disk takes no more changes (read-only file system); see `dmesg` for why, and mend or mount it anew"
                    .to_owned()
            }
            _ => disk.source.to_string(),
        };
        self.pause(&area, &why, 0, Cause::Refusal);
        let why = stage_of(path).and_then(|stage| self.mill.pauses.why_stage(stage));
        let why = why.unwrap_or_else(|| disk.to_string());
        self.put_back(path, &why, Some(moment.steady + DISK_PAUSE_MAX), None);
    }
}

/// Returns whether an error is about a whole area and not about one file.
fn is_about_area(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::StaleNetworkFileHandle
    )
}

/// Returns whether reading the asset's own bytes failed.
fn is_damage(error: &DiskError, asset: &RelPath) -> bool {
    error.path == *asset && matches!(error.call, "read" | "copy") && error.source.raw_os_error() == Some(EIO)
}

/// What the system says when a device does not answer.
const EIO: i32 = 5;
