use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, fcntl_getfl, fstat, linkat, major, minor, open, renameat,
    renameat_with, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::disk::no_file;

/// What stands before the number of the process in the name of a file that is not finished: no other program gives it.
const MARK: &str = ".stockmill-";

/// The numbers of the device `/dev/null`.
const NULL_DEVICE: (u32, u32) = (1, 3);

/// What becomes of a file that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the new one is refused with `AlreadyExists`.
    Stays,
    /// The new one takes its place.
    Replaced,
}

/// Gives a name outside every area to what `fill` writes, once that is complete; else nothing is left. It is not made
/// durable: whoever asks has the source, and can ask again.
pub fn write_outside<T, E: From<io::Error>>(
    path: &Path,
    existing: Existing,
    fill: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    let path = &target(path)?;
    if existing == Existing::Stays && path.symlink_metadata().is_ok() {
        // The name is refused below too; here it saves the work.
        return Err(io::Error::from(ErrorKind::AlreadyExists).into());
    }
    let aside = aside(path)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut out = BufWriter::new(File::from(open(&aside, flags, Mode::from_raw_mode(0o666)).map_err(io::Error::from)?));
    let filled = fill(&mut out).and_then(|told| {
        out.flush()?;
        place(&aside, path, existing)?;
        Ok(told)
    });
    if filled.is_err() {
        let _ = unlinkat(CWD, &aside, AtFlags::empty());
    }
    filled
}

/// Returns the file that a path stands for: of a link, what it leads to. Devices, FIFOs and the like are refused: in
/// their place a file would break what uses them.
fn target(path: &Path) -> io::Result<PathBuf> {
    let refused = |why: &str| Err(io::Error::new(ErrorKind::InvalidInput, why));
    let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    match path.metadata() {
        Ok(found) if found.is_dir() => Err(no_file(true)),
        Ok(found) if !found.is_file() => refused("it is not a regular file, and is not replaced"),
        Ok(_) if is_link => path.canonicalize(),
        Err(error) if is_link && error.kind() == ErrorKind::NotFound => {
            refused("it is a symbolic link to what is not there; remove it, or choose another name")
        }
        // What else may be wrong is told by who writes there.
        Ok(_) | Err(_) => Ok(path.to_owned()),
    }
}

/// Returns whether nobody gets what is written to the standard output, since it was closed when the program began: the
/// runtime has opened `/dev/null` there, for reading and writing, and takes a refusal to write for a success.
pub fn is_output_closed() -> bool {
    let out = io::stdout();
    let (Ok(found), Ok(flags)) = (fstat(&out), fcntl_getfl(&out)) else { return true };
    let is_device = FileType::from_raw_mode(found.st_mode) == FileType::CharacterDevice;
    let is_null = is_device && (major(found.st_rdev), minor(found.st_rdev)) == NULL_DEVICE;
    match flags & OFlags::RWMODE {
        OFlags::RDONLY => true,
        mode => mode == OFlags::RDWR && is_null,
    }
}

/// Makes a folder outside every area, unless it is there.
pub fn make_folder_outside(path: &Path) -> io::Result<()> {
    match rustix::fs::mkdir(path, Mode::from_raw_mode(0o777)) {
        Err(Errno::EXIST) if path.is_dir() => Ok(()),
        made => Ok(made?),
    }
}

/// Removes what processes that are gone left unfinished in a folder outside every area: a signal ended them. What cannot be
/// removed stays: it is hidden, and nothing takes it for a picture.
pub fn clear_outside(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_left =
            process_of(&entry.file_name()).is_some_and(|process| test_kill_process(process) == Err(Errno::SRCH));
        if is_left && entry.file_type()?.is_file() {
            let _ = unlinkat(CWD, entry.path(), AtFlags::empty());
        }
    }
    Ok(())
}

/// Returns the process whose unfinished file has this name, as `aside` gives it.
fn process_of(name: &OsStr) -> Option<Pid> {
    let (_, process) = name.to_str()?.strip_prefix('.')?.strip_suffix(".part")?.rsplit_once(MARK)?;
    let is_number = process.bytes().all(|digit| digit.is_ascii_digit());
    Pid::from_raw(process.parse().ok().filter(|_| is_number)?)
}

/// Returns a name beside a path that no other process uses.
fn aside(path: &Path) -> io::Result<PathBuf> {
    let no_name = || io::Error::new(ErrorKind::InvalidInput, "it names no file");
    let name = path.file_name().ok_or_else(no_name)?;
    let mut own = std::ffi::OsString::from(".");
    own.push(name);
    own.push(format!("{MARK}{}.part", std::process::id()));
    Ok(path.with_file_name(own))
}

fn place(from: &Path, to: &Path, existing: Existing) -> io::Result<()> {
    if existing == Existing::Replaced {
        return Ok(renameat(CWD, from, CWD, to)?);
    }
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // The file system cannot refuse a rename; it can refuse a second name.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            linkat(CWD, from, CWD, to, AtFlags::empty())?;
            Ok(unlinkat(CWD, from, AtFlags::empty())?)
        }
        placed => Ok(placed?),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test plays the person who has a file there")]

    use super::*;

    #[test]
    fn a_name_is_given_to_what_is_complete_and_to_nothing_else() {
        let cases = [
            // What is there, what becomes of it, whether the filling fails, what is there then.
            (None, Existing::Stays, false, Some("new")),
            (None, Existing::Stays, true, None),
            (Some("old"), Existing::Stays, false, Some("old")),
            (Some("old"), Existing::Replaced, false, Some("new")),
            (Some("old"), Existing::Replaced, true, Some("old")),
        ];
        for (before, existing, fails, after) in cases {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.jpg");
            before.into_iter().for_each(|text| std::fs::write(&path, text).unwrap());
            let written = write_outside(&path, existing, |out| {
                out.write_all(b"new")?;
                if fails { Err(io::Error::other("no")) } else { Ok(()) }
            });
            assert_eq!(written.is_ok(), after == Some("new"), "{before:?} {existing:?} {fails}");
            assert_eq!(std::fs::read_to_string(&path).ok().as_deref(), after);
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), usize::from(after.is_some()));
        }
    }

    /// A FIFO and the node of a device were replaced by a picture, and so was a link.
    #[test]
    fn only_a_file_is_replaced_and_a_link_leads_to_it() {
        // (what is written to, why it is refused, what else then has the bytes)
        let rows = [
            ("fifo", "it is not a regular file, and is not replaced", None),
            ("to-fifo", "it is not a regular file, and is not replaced", None),
            ("nowhere", "a symbolic link to what is not there", None),
            ("sub", "a folder has its name", None),
            ("link", "", Some("sub/file")),
        ];
        for (name, why, with) in rows {
            for existing in [Existing::Replaced, Existing::Stays] {
                let folder = tempfile::tempdir().unwrap();
                let at = |name: &str| folder.path().join(name);
                std::fs::create_dir(at("sub")).unwrap();
                std::fs::write(at("sub/file"), "old").unwrap();
                rustix::fs::mkfifoat(CWD, at("fifo"), Mode::from_raw_mode(0o600)).unwrap();
                for (link, to) in [("to-fifo", "fifo"), ("nowhere", "none"), ("link", "sub/file")] {
                    std::os::unix::fs::symlink(to, at(link)).unwrap();
                }
                let state = |name: &str| at(name).symlink_metadata().unwrap().file_type();
                let before = state(name);
                let written = write_outside(&at(name), existing, |out| out.write_all(b"new"));
                assert_eq!(state(name), before, "{name} {existing:?}");
                let is_written = with.is_some() && existing == Existing::Replaced;
                assert_eq!(written.is_ok(), is_written, "{name} {existing:?}: {written:?}");
                let said = written.err().map(|error| error.to_string()).unwrap_or_default();
                assert!(with.is_some() || said.contains(why), "{name} {existing:?}: {said}");
                let expected = if is_written { "new" } else { "old" };
                assert_eq!(std::fs::read_to_string(at("sub/file")).unwrap(), expected, "{name} {existing:?}");
            }
        }
    }

    #[test]
    fn what_a_process_left_unfinished_goes_once_it_is_gone() {
        let mut gone = std::process::Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        let (gone, own) = (gone.id(), std::process::id());
        let rows = [
            (format!(".a.jpg.stockmill-{gone}.part"), false),
            (format!(".a.jpg.stockmill-{own}.part"), true),
            (format!("a.jpg.stockmill-{gone}.part"), true),
            (format!(".a.jpg.stockmill-{gone}.parts"), true),
            (format!(".a.jpg.stockmill-+{gone}.part"), true),
            (format!(".film.{gone}.part"), true),
            (".a.jpg.stockmill-0.part".to_owned(), true),
            (".a.jpg.part".to_owned(), true),
            (".a.jpg.stockmill-99999999999.part".to_owned(), true),
        ];
        let folder = tempfile::tempdir().unwrap();
        rows.iter().for_each(|(name, _)| std::fs::write(folder.path().join(name), "half").unwrap());
        std::fs::create_dir(folder.path().join(format!(".folder.stockmill-{gone}.part"))).unwrap();
        clear_outside(folder.path()).unwrap();
        for (name, stays) in rows {
            assert_eq!(folder.path().join(&name).exists(), stays, "{name}");
        }
        assert!(folder.path().join(format!(".folder.stockmill-{gone}.part")).is_dir());
        assert!(clear_outside(&folder.path().join("none")).is_err());
    }

    /// Somebody else makes the file while ours is written.
    #[test]
    fn a_name_that_is_taken_meanwhile_stays_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        let written = write_outside(&path, Existing::Stays, |out| {
            std::fs::write(&path, "other")?;
            out.write_all(b"new")
        });
        assert_eq!(written.unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "other");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
