//! Whether folders that have different names are the same, or lie in each other: through symbolic links, `..`, bind
//! mounts, or names that differ only by case.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxFlags};

/// A folder as its file system knows it, or a part of it: on which device, and where on that.
type Spot = (String, PathBuf);

/// Where a folder lies, whatever its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Each of its folders that exists, by device and inode, and what of its path lies below that.
    above: Vec<((u64, u64), PathBuf)>,
    /// What it holds: itself, and what is mounted somewhere beneath it.
    spots: Vec<Spot>,
}

impl Place {
    /// Returns where each of these folders lies; those that do not exist lie in the part of their path that does.
    pub fn of_all(folders: &[PathBuf]) -> Vec<Self> {
        let mounts = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
        let mounts = mounts.split(|byte| *byte == b'\n').filter_map(Mount::parse).collect::<Vec<_>>();
        folders.iter().map(|folder| Self::of(folder, &mounts)).collect()
    }

    fn of(folder: &Path, mounts: &[Mount]) -> Self {
        let real = real(folder);
        let above = real.ancestors().filter_map(|path| {
            let below = real.strip_prefix(path).expect("a path begins with those above it");
            Some((identity(path)?, below.to_owned()))
        });
        Self { above: above.collect(), spots: spots(&real, mounts) }
    }

    /// Returns whether two folders are the same, or one lies in the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        let is_in_order = |one: &Path, other: &Path| one.starts_with(other) || other.starts_with(one);
        let meet = self.above.iter().any(|(folder, below)| {
            other.above.iter().any(|(others, others_below)| folder == others && is_in_order(below, others_below))
        });
        let share =
            |(device, path): &Spot| other.spots.iter().any(|spot| spot.0 == *device && is_in_order(&spot.1, path));
        meet || self.spots.iter().any(share)
    }
}

/// One line of the table of mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    device: String,
    /// Which folder of the device is mounted.
    root: PathBuf,
    at: PathBuf,
}

impl Mount {
    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = line.split(|byte| *byte == b' ').skip(2);
        let device = String::from_utf8(words.next()?.to_vec()).ok()?;
        Some(Self { device, root: unescaped(words.next()?), at: unescaped(words.next()?) })
    }
}

/// Returns a path of the table, in which spaces and the like are octal numbers.
fn unescaped(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = word;
    while let [first, after @ ..] = rest {
        let number = after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        let number = number.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(number.unwrap_or(*first));
        rest = if number.is_some() { &after[3..] } else { after };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

fn spots(real: &Path, mounts: &[Mount]) -> Vec<Spot> {
    // Of two mounts at one place, the later one is seen.
    let on = mounts.iter().filter(|mount| real.starts_with(&mount.at)).max_by_key(|mount| mount.at.as_os_str().len());
    let own =
        on.and_then(|mount| Some((mount.device.clone(), joined(&mount.root, real.strip_prefix(&mount.at).ok()?))));
    let inside = mounts.iter().filter(|mount| mount.at != real && mount.at.starts_with(real));
    own.into_iter().chain(inside.map(|mount| (mount.device.clone(), mount.root.clone()))).collect()
}

fn joined(root: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { root.to_owned() } else { root.join(below) }
}

/// Returns a path without links and `..`, as far as it exists.
fn real(folder: &Path) -> PathBuf {
    let mut real = PathBuf::new();
    for part in folder.components() {
        match part {
            Component::ParentDir => drop(real.pop()),
            Component::CurDir => (),
            other => real.push(other),
        }
        if let Ok(found) = real.canonicalize() {
            real = found;
        }
    }
    real
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let stat = rustix::fs::statx(CWD, path, AtFlags::empty(), StatxFlags::INO).ok()?;
    Some((rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor), stat.stx_ino))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test plays the person who links folders")]
mod tests {
    use super::*;

    #[test]
    fn links_and_dots_lead_to_the_same_place() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir_all(at("mill/raw/sub")).unwrap();
        std::fs::create_dir_all(at("elsewhere")).unwrap();
        for (link, to) in
            [("to raw", "mill/raw"), ("to sub", "mill/raw/sub"), ("to mill", "mill"), ("dangling", "gone")]
        {
            std::os::unix::fs::symlink(at(to), at(link)).unwrap();
        }
        let cases = [
            ("mill/raw", "mill/raw", true),
            ("mill/raw", "mill/raw2", false),
            ("mill/raw", "mill/keep", false),
            ("mill/raw", "to raw", true),
            ("mill/raw", "to sub", true),
            ("mill/raw", "to mill", true),
            ("mill/raw", "to mill/keep", false),
            ("mill/raw", "to raw/not there", true),
            ("mill/raw", "to mill/../elsewhere/../mill/raw/x", true),
            ("mill/raw", "mill/..", true),
            ("mill/raw", "mill/raw/../keep", false),
            ("mill/raw", "to sub/../x", true),
            ("not/there", "not/there/either", true),
            ("not/there", "not/x/../there", true),
            ("not/there", "not/here", false),
            ("mill/raw", "elsewhere", false),
            ("dangling/a", "mill", false),
        ];
        for (one, other, expected) in cases {
            let [one_place, other_place] = Place::of_all(&[at(one), at(other)]).try_into().unwrap();
            assert_eq!(one_place.overlaps(&other_place), expected, "{one} and {other}");
            assert_eq!(other_place.overlaps(&one_place), expected, "{other} and {one}");
        }
    }

    const MOUNTS: &str = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
        30 22 8:17 / /mnt/a\\040disk rw shared:1 - ext4 /dev/sdb1 rw\n\
        31 22 8:1 /m/raw/sub /bind rw - ext4 /dev/sda1 rw\n\
        32 22 8:1 /m/raw /m/keep/in rw - ext4 /dev/sda1 rw\n\
        33 22 8:17 /export /m/export rw - ext4 /dev/sdb1 rw\n";

    #[test]
    fn a_bind_mount_is_what_it_shows() {
        let mounts: Vec<Mount> = MOUNTS.as_bytes().split(|b| *b == b'\n').filter_map(Mount::parse).collect();
        assert_eq!(mounts.len(), 5);
        let place = |path: &str| Place { above: Vec::new(), spots: spots(path.as_ref(), &mounts) };
        let cases = [
            ("/m/raw", "/bind", true),
            ("/m/raw", "/bind/t", true),
            ("/m/raw/other", "/bind", false),
            // It is mounted into the other.
            ("/m/raw", "/m/keep", true),
            ("/m/ideas", "/m/keep", false),
            // Two names of one disk.
            ("/m/export", "/mnt/a disk/export/t", true),
            ("/m/export", "/mnt/a disk", true),
            ("/m/export", "/mnt/a disk/keep", false),
            // Names that are alike on two disks.
            ("/mnt/a disk/m/raw", "/m/raw", false),
        ];
        for (one, other, expected) in cases {
            assert_eq!(place(one).overlaps(&place(other)), expected, "{one} and {other}");
            assert_eq!(place(other).overlaps(&place(one)), expected, "{other} and {one}");
        }
    }
}
