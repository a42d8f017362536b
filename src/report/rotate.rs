#![expect(clippy::disallowed_methods, reason = "the log writes its own files, far from any asset")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::ZonedDateTime;
use jiff::civil::Date;

const NAME: &str = "stockmill.log";

/// A log file that is closed every day and at a size, and kept under its date.
///
/// `file-rotate` 0.8 and `logroller` 0.1 close a file by its size or by the day, and not by both; neither follows a
/// name that was moved, or knows files that a wrong clock has dated ahead.
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

    /// Goes on in the file that has the log's name. It is another one, or none, once a program such as logrotate moved
    /// or removed ours, and a shorter one once it was emptied.
    fn follow_name(&mut self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        let named = fs::metadata(self.folder.join(NAME)).ok();
        if named.is_some_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino())) {
            self.bytes = ours.len();
            return Ok(());
        }
        *self = Self::open(&self.folder, self.bytes_max, self.files_max)?;
        Ok(())
    }

    fn rotate_if_due(&mut self) -> io::Result<()> {
        let today = now().date();
        if self.bytes == 0 || (today == self.day && self.bytes < self.bytes_max) {
            self.day = today;
            return Ok(());
        }
        // Numbers that were removed are not given again: the last number of a day is its newest file.
        let last = self.closed()?.into_iter().filter(|closed| closed.day == self.day).map(|closed| closed.number).max();
        let number = last.unwrap_or(0).saturating_add(1);
        fs::rename(self.folder.join(NAME), self.folder.join(format!("stockmill.{}.{number:03}.log", self.day)))?;
        self.file = open(&self.folder)?;
        (self.bytes, self.day) = (0, today);
        self.remove_old()
    }

    /// Removes the oldest closed files. Files of future days were closed by another clock, and it is unknown which of
    /// the two is right: the limit holds for each of the two groups.
    fn remove_old(&self) -> io::Result<()> {
        let mut closed = self.closed()?;
        closed.sort();
        let (past, ahead) = closed.split_at(closed.partition_point(|closed| closed.day <= self.day));
        let old = |closed: &'_ [Closed]| closed.len().saturating_sub(self.files_max);
        let gone = past[..old(past)].iter().chain(&ahead[..old(ahead)]);
        gone.map(|closed| self.folder.join(&closed.name)).try_for_each(fs::remove_file)
    }

    /// Returns the closed files, in any order.
    fn closed(&self) -> io::Result<Vec<Closed>> {
        let names = fs::read_dir(&self.folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(Closed::named).collect())
    }
}

/// A closed file; the oldest comes first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Closed {
    day: Date,
    number: u32,
    name: String,
}

impl Closed {
    fn named(name: String) -> Option<Self> {
        let (day, number) = name.strip_prefix("stockmill.")?.strip_suffix(".log")?.rsplit_once('.')?;
        let is_number = number.bytes().all(|b| b.is_ascii_digit());
        let (day, number) = (day.parse().ok()?, is_number.then(|| number.parse().ok())??);
        Some(Self { day, number, name })
    }
}

fn open(folder: &Path) -> io::Result<File> {
    let file = folder.join(NAME);
    // Opening a pipe waits until somebody reads it.
    if fs::metadata(&file).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other(format!("`{}` is no ordinary file; remove it", file.display())));
    }
    OpenOptions::new().create(true).append(true).open(file)
}

impl Write for Rotating {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // If the file cannot be closed or made anew, the log continues in the one that is open.
        let _ = self.follow_name().and_then(|()| self.rotate_if_due());
        // A line is never torn between two files.
        self.file.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the names in a folder, in order.
    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// The closed files of a day were numbered from the first free number: the newest counted as the oldest, and went.
    #[test]
    fn of_one_day_the_newest_files_are_kept() {
        for (lines, files_max, kept) in [(5, 2, 3..5), (5, 9, 1..5), (1004, 2, 1002..1004), (3, 1, 2..3)] {
            let folder = tempfile::tempdir().unwrap();
            let mut log = Rotating::open(folder.path(), 10, files_max).unwrap();
            (1..=lines).for_each(|n| log.write_all(format!("line {n} is long enough\n").as_bytes()).unwrap());
            let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
            assert_eq!(read(NAME), format!("line {lines} is long enough\n"));
            let closed = kept.map(|n| (format!("stockmill.{}.{n:03}.log", log.day), n));
            let mut expected = vec![NAME.to_owned()];
            for (name, n) in closed {
                assert_eq!(read(&name), format!("line {n} is long enough\n"));
                expected.push(name);
            }
            expected.sort();
            assert_eq!(names(folder.path()), expected, "{lines} {files_max}");
        }
    }

    /// After logrotate had moved the file, every line went where nobody reads, up to the next day.
    #[test]
    fn a_log_that_another_program_takes_away_is_opened_anew() {
        type Hand = fn(&Path) -> io::Result<()>;
        let cases: [(&str, Hand, &str); 5] = [
            ("nothing", |_| Ok(()), "before\nafter\n"),
            ("moved", |folder| fs::rename(folder.join(NAME), folder.join("stockmill.log.1")), "after\n"),
            ("removed", |folder| fs::remove_file(folder.join(NAME)), "after\n"),
            ("emptied", |folder| fs::write(folder.join(NAME), ""), "after\n"),
            ("removed with its folder", |folder| fs::remove_dir_all(folder), "after\n"),
        ];
        for (what, hand, expected) in cases {
            let home = tempfile::tempdir().unwrap();
            let folder = home.path().join("logs");
            let mut log = Rotating::open(&folder, 100, 2).unwrap();
            log.write_all(b"before\n").unwrap();
            hand(&folder).unwrap();
            log.write_all(b"after\n").unwrap();
            assert_eq!(fs::read_to_string(folder.join(NAME)).unwrap(), expected, "{what}");
            if what == "moved" {
                assert_eq!(fs::read_to_string(folder.join("stockmill.log.1")).unwrap(), "before\n");
            }
        }
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
        let names = names(folder.path());
        let kept = ["2020-01-02.001", "2020-01-03.001", "9000-01-02.001", "9000-01-03.001"];
        let kept: Vec<String> = kept.iter().map(|day| format!("stockmill.{day}.log")).collect();
        assert_eq!(names[..4], kept);
        assert_eq!(names[4..], ["stockmill.log", "stockmill.mine.log"]);
        log.day = "2020-01-02".parse().unwrap();
        log.remove_old().unwrap();
        assert!(folder.path().join(&kept[0]).exists());
    }
}
