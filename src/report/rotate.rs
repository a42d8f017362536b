#![expect(clippy::disallowed_methods, reason = "the log writes its own files, far from any asset")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::ZonedDateTime;
use jiff::civil::Date;

const NAME: &str = "stockmill.log";

/// A log file that is closed every day and at a size, and put aside under its date.
#[derive(Debug)]
pub(super) struct Rotating {
    folder: PathBuf,
    file: File,
    bytes: u64,
    day: Date,
    bytes_max: u64,
    files_max: usize,
}

/// Returns the local time, for log lines alone.
pub(super) fn now() -> ZonedDateTime {
    ZonedDateTime::now()
}

impl Rotating {
    pub(super) fn open(folder: &Path, bytes_max: u64, files_max: usize) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let file = open(folder)?;
        let status = file.metadata()?;
        let written = status.modified().ok().and_then(|time| jiff::Timestamp::try_from(time).ok());
        let today = now();
        let day = written
            .filter(|_| status.len() > 0)
            .map_or(today.date(), |time| time.to_zoned_datetime(today.time_zone().clone()).date());
        Ok(Self { folder: folder.to_owned(), file, bytes: status.len(), day, bytes_max, files_max })
    }

    fn rotate_if_due(&mut self) -> io::Result<()> {
        let today = now().date();
        if self.bytes == 0 || (today == self.day && self.bytes < self.bytes_max) {
            self.day = today;
            return Ok(());
        }
        let names = (1_u32..).map(|n| self.folder.join(format!("stockmill.{}.{n:03}.log", self.day)));
        let closed =
            names.into_iter().find(|path| !path.exists()).unwrap_or_else(|| self.folder.join("stockmill.old.log"));
        fs::rename(self.folder.join(NAME), closed)?;
        self.file = open(&self.folder)?;
        (self.bytes, self.day) = (0, today);
        self.remove_old()
    }

    fn remove_old(&self) -> io::Result<()> {
        let mut closed: Vec<PathBuf> =
            fs::read_dir(&self.folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        closed.retain(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("stockmill.2") && name.ends_with(".log")
        });
        closed.sort();
        let old = closed.len().saturating_sub(self.files_max);
        closed[..old].iter().try_for_each(fs::remove_file)
    }
}

fn open(folder: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(folder.join(NAME))
}

impl Write for Rotating {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A log that cannot be put aside goes on where it is.
        let _ = self.rotate_if_due();
        let written = self.file.write(line)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_put_aside_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Rotating::open(folder.path(), 10, 2).unwrap();
        for n in 0..5 {
            log.write_all(format!("line {n} is long enough\n").as_bytes()).unwrap();
        }
        let mut names: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 3, "{names:?}");
        assert_eq!(fs::read_to_string(folder.path().join(NAME)).unwrap(), "line 4 is long enough\n");
    }
}
