use std::io::ErrorKind;

use super::disk::{Disk, DiskResult, Look};
use super::folders::ensure_folder;
use super::own_names::home;
use crate::model::RelPath;
use crate::records::{Intent, Record, holds_records, read_records};

/// A segment larger than this is closed and the next one begun.
const SEGMENT_BYTES_MAX: u64 = 16 << 20;
/// The largest segment that is read back; far above what is ever written.
const SEGMENT_BYTES_READ_MAX: u64 = 256 << 20;

/// The append-only memory of what was begun and done, in segments `NNNNNN.jsonl`.
///
/// A segment with a torn end is never written to again: the next one is begun, so that no record
/// can hide behind damage.
#[derive(Debug)]
pub struct Journal {
    segment: RelPath,
    bytes: u64,
    number: u32,
    damaged: Vec<RelPath>,
    is_renewed: bool,
}

/// Returns the folder of the journal's segments.
pub fn journal_folder() -> RelPath {
    home().join("journal")
}

impl Journal {
    /// Opens the journal and returns everything that it remembers, oldest first.
    pub fn open(disk: &dyn Disk) -> DiskResult<(Self, Vec<Record>)> {
        ensure_folder(disk, &journal_folder())?;
        let (records, segments) = Self::read(disk)?;
        let (number, bytes) = match segments.last() {
            Some(Segment { number, bytes, whole: true, .. }) => (*number, *bytes),
            Some(Segment { number, .. }) => (*number, u64::MAX),
            None => (0, u64::MAX),
        };
        let damaged = damaged(&segments);
        let mut journal = Self { segment: segment_path(number), bytes, number, damaged, is_renewed: false };
        journal.begin_segment_if_full(disk)?;
        Ok((journal, records))
    }

    /// Returns everything that the journal remembers, without opening it for writing.
    pub fn read_only(disk: &dyn Look) -> DiskResult<Vec<Record>> {
        match disk.stat(&journal_folder())? {
            Some(_) => Ok(Self::read(disk)?.0),
            None => Ok(Vec::new()),
        }
    }

    /// Returns the same without opening the journal for writing.
    pub fn damaged_segments(disk: &dyn Look) -> DiskResult<Vec<RelPath>> {
        let segments = match disk.stat(&journal_folder())? {
            Some(_) => Self::read(disk)?.1,
            None => Vec::new(),
        };
        Ok(damaged(&segments))
    }

    /// Returns the segments in which records lie behind damage: those records are lost. A torn end is not damage.
    pub fn damaged(&self) -> &[RelPath] {
        &self.damaged
    }

    /// Returns whether the journal was gone and was begun anew since this was asked last.
    pub fn was_renewed(&mut self) -> bool {
        std::mem::take(&mut self.is_renewed)
    }

    fn read(disk: &dyn Look) -> DiskResult<(Vec<Record>, Vec<Segment>)> {
        let mut numbers: Vec<u32> =
            disk.list(&journal_folder())?.iter().filter_map(|(name, _)| segment_number(name)).collect();
        numbers.sort_unstable();
        let mut records = Vec::new();
        let mut segments = Vec::new();
        for number in numbers {
            let bytes = disk.read(&segment_path(number), SEGMENT_BYTES_READ_MAX)?;
            let (mut found, used) = read_records(&bytes);
            records.append(&mut found);
            let hides = holds_records(&bytes[used..]);
            segments.push(Segment { number, bytes: bytes.len() as u64, whole: used == bytes.len(), hides });
        }
        Ok((records, segments))
    }

    /// Appends records without making them durable.
    pub(super) fn append(&mut self, disk: &dyn Disk, records: &[Record]) -> DiskResult<()> {
        self.begin_segment_if_full(disk)?;
        let lines: String = records.iter().map(Record::to_line).collect();
        let appended = match disk.append(&self.segment, lines.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.renew(disk)?;
                disk.append(&self.segment, lines.as_bytes())
            }
            appended => appended,
        };
        // After a fault nobody knows where the segment ends: the next record goes into a new one.
        self.bytes = if appended.is_ok() { self.bytes + lines.len() as u64 } else { u64::MAX };
        appended
    }

    /// Begins the journal again after a person removed its folder: history is lost, and the work goes on.
    fn renew(&mut self, disk: &dyn Disk) -> DiskResult<()> {
        ensure_folder(disk, &journal_folder())?;
        self.bytes = u64::MAX;
        self.is_renewed = true;
        self.begin_segment_if_full(disk)
    }

    /// Makes everything that was appended durable.
    pub(super) fn sync(&mut self, disk: &dyn Disk) -> DiskResult<()> {
        self.trust(disk.sync_file(&self.segment))
    }

    /// Makes everything durable that was written on the journal's file system.
    pub(super) fn sync_all(&mut self, disk: &dyn Disk) -> DiskResult<()> {
        self.trust(disk.sync_all())
    }

    /// A failed flush may have lost what was appended: no further record may follow it in this segment.
    fn trust(&mut self, flushed: DiskResult<()>) -> DiskResult<()> {
        if flushed.is_err() {
            self.bytes = u64::MAX;
        }
        flushed
    }

    fn begin_segment_if_full(&mut self, disk: &dyn Disk) -> DiskResult<()> {
        if self.bytes < SEGMENT_BYTES_MAX {
            return Ok(());
        }
        let number = self.number + 1;
        let segment = segment_path(number);
        disk.append(&segment, b"")?;
        disk.sync_folder(&journal_folder())?;
        (self.segment, self.bytes, self.number) = (segment, 0, number);
        Ok(())
    }
}

struct Segment {
    number: u32,
    bytes: u64,
    whole: bool,
    /// Whether records lie behind what cannot be read.
    hides: bool,
}

fn segment_path(number: u32) -> RelPath {
    journal_folder().join(format!("{number:06}.jsonl"))
}

fn segment_number(name: &std::ffi::OsStr) -> Option<u32> {
    name.to_str()?.strip_suffix(".jsonl")?.parse().ok()
}

/// Returns the plans that were begun and neither done nor given up, oldest first.
fn damaged(segments: &[Segment]) -> Vec<RelPath> {
    segments.iter().filter(|segment| segment.hides).map(|segment| segment_path(segment.number)).collect()
}

pub(super) fn open_intents(records: &[Record]) -> Vec<Intent> {
    let mut open: std::collections::BTreeMap<u64, &Intent> = std::collections::BTreeMap::new();
    for record in records {
        match record {
            Record::Intent(intent) => {
                open.insert(intent.plan, intent);
            }
            Record::Done { plan } | Record::Undone { plan, .. } => {
                open.remove(plan);
            }
        }
    }
    open.into_values().cloned().collect()
}
