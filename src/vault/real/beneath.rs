//! Opening what lies beneath a folder, and nothing else.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, retry_on_intr};

/// How many times an open that must be repeated is tried.
const AGAIN_MAX: u32 = 100;

/// Opens a path that cannot leave `folder` and crosses no symbolic link (Linux 5.6 and later).
pub(super) fn beneath(folder: impl AsFd, path: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let mut again = 0;
    loop {
        match rustix::fs::openat2(&folder, path, flags, mode, resolve) {
            Err(Errno::INTR) => (),
            // Something above was renamed in this moment; or another program has a lease on the file, and
            // that can take a minute.
            Err(Errno::AGAIN) if again < AGAIN_MAX => again += 1,
            Err(Errno::NOSYS) => return step_by_step(folder.as_fd(), path, flags, mode),
            other => return other,
        }
    }
}

/// Does the same part by part: systemd's `RestrictSUIDSGID=` answers as if there were no `openat2`, since it
/// cannot see its flags. A path of ours has no `..`, and no part is followed if it is a link.
fn step_by_step(folder: BorrowedFd<'_>, path: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let open = |folder: BorrowedFd<'_>, name: &OsStr, flags, mode| {
        retry_on_intr(|| rustix::fs::openat(folder, name, flags | OFlags::NOFOLLOW, mode))
    };
    let path = Path::new(path);
    let mut inner: Option<OwnedFd> = None;
    for part in path.parent().into_iter().flat_map(Path::iter) {
        let start = inner.as_ref().map_or(folder, AsFd::as_fd);
        inner = Some(open(start, part, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?);
    }
    let start = inner.as_ref().map_or(folder, AsFd::as_fd);
    open(start, path.file_name().unwrap_or(path.as_os_str()), flags, mode)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes the links")]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn without_openat2_no_part_of_a_path_is_followed_either() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("raw/theme")).unwrap();
        std::fs::write(home.path().join("raw/theme/a.png"), "a").unwrap();
        for (link, to) in [("raw/away", "/etc"), ("raw/theme/link.png", "a.png"), ("raw/dot", "theme")] {
            std::os::unix::fs::symlink(to, home.path().join(link)).unwrap();
        }
        let folder = File::open(home.path()).unwrap();
        let open = |path: &str, flags| {
            let by_one = beneath(&folder, path.as_ref(), flags, Mode::empty()).is_ok();
            let by_steps = step_by_step(folder.as_fd(), path.as_ref(), flags, Mode::empty()).is_ok();
            (by_one, by_steps)
        };
        let read = OFlags::RDONLY | OFlags::CLOEXEC;
        for (path, flags, expected) in [
            (".", read | OFlags::DIRECTORY, true),
            ("raw", read | OFlags::DIRECTORY, true),
            ("raw/theme", OFlags::PATH | OFlags::DIRECTORY, true),
            ("raw/theme/a.png", read, true),
            ("raw/theme/a.png", read | OFlags::DIRECTORY, false),
            ("raw/theme/link.png", read, false),
            ("raw/away", read | OFlags::DIRECTORY, false),
            ("raw/away/passwd", read, false),
            ("raw/dot/a.png", read, false),
            ("raw/none/a.png", read, false),
        ] {
            assert_eq!(open(path, flags), (expected, expected), "{path}");
        }
    }
}
