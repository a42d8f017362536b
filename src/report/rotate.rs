#![expect(clippy::disallowed_methods, reason = "the log writes its own files, far from any asset")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::ZonedDateTime;
use jiff::civil::Date;

const NAME: &str = "stockmill.log";

/// A log file that is closed every day and at a size, and kept under its date.
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

    /// Removes the oldest closed files. Files of future days were closed by another clock, and it is unknown which of
    /// the two is right: the limit holds for each of the two groups.
    fn remove_old(&self) -> io::Result<()> {
        let names: Vec<String> =
            fs::read_dir(&self.folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        let mut closed: Vec<(Date, String)> =
            names.into_iter().filter_map(|name| Some((day_of(&name)?, name))).collect();
        closed.sort();
        let (past, ahead) = closed.split_at(closed.partition_point(|(day, _)| *day <= self.day));
        let old = |closed: &'_ [(Date, String)]| closed.len().saturating_sub(self.files_max);
        let gone = past[..old(past)].iter().chain(&ahead[..old(ahead)]);
        gone.map(|(_, name)| self.folder.join(name)).try_for_each(fs::remove_file)
    }
}

/// Returns the day of a closed file.
fn day_of(name: &str) -> Option<Date> {
    let (day, number) = name.strip_prefix("stockmill.")?.strip_suffix(".log")?.rsplit_once('.')?;
    number.bytes().all(|b| b.is_ascii_digit()).then(|| day.parse().ok())?
}

fn open(folder: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(folder.join(NAME))
}

impl Write for Rotating {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // If the file cannot be closed, the log continues in it.
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

    /// A fortnight by a clock that ran ahead left no room for the files of the right days.
    #[test]
    fn no_clock_pushes_out_the_files_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Rotating::open(folder.path(), 10, 2).unwrap();
        for day in ["2020-01-01", "2020-01-02", "2020-01-03", "9000-01-01", "9000-01-02", "9000-01-03"] {
            fs::write(folder.path().join(format!("stockmill.{day}.001.log")), "x").unwrap();
        }
        fs::write(folder.path().join("stockmill.mine.log"), "x").unwrap();
        log.remove_old().unwrap();
        let mut names: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let kept = ["2020-01-02.001", "2020-01-03.001", "9000-01-02.001", "9000-01-03.001"];
        let kept: Vec<String> = kept.iter().map(|day| format!("stockmill.{day}.log")).collect();
        assert_eq!(names[..4], kept);
        assert_eq!(names[4..], ["stockmill.log", "stockmill.mine.log"]);
        log.day = "2020-01-02".parse().unwrap();
        log.remove_old().unwrap();
        assert!(folder.path().join(&kept[0]).exists());
    }
}
