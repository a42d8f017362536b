//! What the program that enlarges pictures must reach.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Folders that hold too much of the system, or of other people, to be opened as a whole.
pub(super) const TOO_WIDE: [&str; 10] =
    ["/", "/dev", "/etc", "/home", "/proc", "/root", "/run", "/sys", "/usr", "/var"];

/// Where systems keep programs, their loaders and libraries.
const SOFTWARE: [&str; 7] = ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/nix/store"];
/// How the devices of graphics processors begin.
const GRAPHICS: [&str; 3] = ["dri", "nvidia", "kfd"];

/// What a program must reach.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// Files and folders that it reads, and that hold what is run.
    pub(super) runs: Vec<PathBuf>,
    /// Devices of graphics processors.
    pub(super) devices: Vec<PathBuf>,
}

impl Reach {
    /// Returns what a program must reach: the software of the system, what its arguments name by an absolute path, and
    /// what lies around that.
    pub(super) fn of<'a>(arguments: impl Iterator<Item = &'a OsStr>) -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let named = arguments.map(Path::new).filter(|path| path.is_absolute());
        // A link leads to where its other parts lie.
        let real = |path: &Path| path.canonicalize().ok().filter(|real| real != path);
        let all = named.flat_map(|path| std::iter::once(path.to_owned()).chain(real(path)));
        let around = all.flat_map(|path| around(&path, path.is_dir(), home.as_deref()));
        Self { runs: SOFTWARE.iter().map(PathBuf::from).chain(around).collect(), devices: graphics() }
    }
}

/// Returns a path that a program's arguments name, and the folder in which its other parts lie: programs have models,
/// modules and libraries beside them. A folder that holds more than that is left out.
fn around(path: &Path, is_folder: bool, home: Option<&Path>) -> Vec<PathBuf> {
    let beside = if is_folder { None } else { path.parent() };
    // A folder `bin` has `lib` beside it.
    let prefix = beside.filter(|folder| folder.ends_with("bin")).and_then(Path::parent);
    let is_narrow = |folder: &&Path| {
        let holds_homes = folder.parent().is_some_and(|above| matches!(above.to_str(), Some("/home" | "/")));
        !holds_homes && home != Some(*folder) && !TOO_WIDE.iter().any(|wide| Path::new(wide) == *folder)
    };
    let folders = [beside, prefix].into_iter().flatten().filter(is_narrow).map(Path::to_owned);
    std::iter::once(path.to_owned()).chain(folders).collect()
}

fn graphics() -> Vec<PathBuf> {
    let devices = std::fs::read_dir("/dev").into_iter().flatten().filter_map(Result::ok);
    let is_one = |name: &OsString| GRAPHICS.iter().any(|known| name.as_bytes().starts_with(known.as_bytes()));
    devices.filter(|device| is_one(&device.file_name())).map(|device| device.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_around_a_program_is_reached_and_nothing_wider() {
        let rows: [(&str, bool, &[&str]); 9] = [
            ("/opt/x/realesrgan", false, &["/opt/x/realesrgan", "/opt/x"]),
            (
                "/home/ada/venv/bin/python",
                false,
                &["/home/ada/venv/bin/python", "/home/ada/venv/bin", "/home/ada/venv"],
            ),
            ("/home/ada/esrgan/up.py", false, &["/home/ada/esrgan/up.py", "/home/ada/esrgan"]),
            ("/home/ada/esrgan", true, &["/home/ada/esrgan"]),
            ("/home/ada/up.sh", false, &["/home/ada/up.sh"]),
            ("/home/ada/bin/up.sh", false, &["/home/ada/bin/up.sh", "/home/ada/bin"]),
            ("/home/eve/up.sh", false, &["/home/eve/up.sh"]),
            ("/usr/bin/up", false, &["/usr/bin/up", "/usr/bin"]),
            ("/up", false, &["/up"]),
        ];
        for (path, is_folder, expected) in rows {
            let found = around(path.as_ref(), is_folder, Some("/home/ada".as_ref()));
            assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{path}");
        }
    }
}
