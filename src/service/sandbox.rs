//! Confines the daemon by Landlock: a decoder that a hostile file takes over can neither read nor write
//! outside stockmill's folders. The kernel restricts what it can; stockmill also works without Landlock.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, Ruleset,
    RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, RulesetStatus, make_bitflags,
};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};

use super::reach::{Reach, TOO_WIDE};
use crate::report;
use crate::vault::Layout;
use crate::vault::own_names::MARK;

/// The rights that are restricted: all that concern files. Levels 6 and 9 would also restrict sockets, which tell
/// systemd about readiness.
const LEVEL: ABI = ABI::V5;

/// What is allowed in stockmill's folders: all that the vault does. It never makes links or devices and
/// never starts programs.
const WORK: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer
});
/// What is allowed for files that are only read.
const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
/// What is allowed for a device.
const DEVICE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile});

/// What is allowed for programs, and for what lies beside them.
const RUN: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir | Execute});
/// What is allowed for a device of a graphics processor.
const GRAPHICS: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir | WriteFile | IoctlDev});
/// Our own program, which confines another one and becomes it.
const OURSELVES: &str = "/proc/self/exe";

/// Folders of the system that are read: the time zone, zone tables, limits of the machine.
const SYSTEM: [&str; 6] = ["/etc", "/etc/localtime", "/usr", "/proc", "/sys", "/dev/urandom"];
/// Devices that may be written to as well.
const DEVICES: [&str; 2] = ["/dev/null", "/dev/tty"];

/// Folders that people mount disks in.
const MOUNTED_IN: [&str; 3] = ["/mnt", "/media", "/run/media"];

/// A path, and what is allowed for it and for all beneath it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    path: PathBuf,
    may: BitFlags<AccessFs>,
}

/// What rules need to know about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    /// Which mount it belongs to.
    mount: u64,
    /// Whether it has the mark of an area.
    is_marked: bool,
}

/// All rules, and the areas for which no rule outlives an unmount.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rules {
    rules: Vec<Rule>,
    fixed: Vec<PathBuf>,
}

/// How far the daemon is confined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Confined {
    /// Every right is restricted.
    Fully,
    /// The kernel restricts only some of them.
    Partly(String),
    /// Nothing is restricted, and why.
    Not(String),
}

/// How the daemon was confined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) confined: Confined,
    /// Areas that the daemon can use only after a restart once their disk was unmounted.
    pub(super) fixed: Vec<PathBuf>,
}

impl Outcome {
    /// Tells how far the daemon is confined.
    pub(super) fn tell(&self) {
        match &self.confined {
            Confined::Fully => report::confined(),
            Confined::Partly(why) => report::confined_partly(why),
            Confined::Not(why) => return report::not_confined(why),
        }
        self.fixed.iter().for_each(|folder| report::reached_until_unmount(folder));
    }
}

/// Confines this thread and every thread and program that it starts, for good: beneath the areas and
/// the log's folder it may work; beneath `reads` and in folders of the system it may read. It may run what `program`
/// must reach, if there is one, and no other program.
pub(super) fn confine(layout: &Layout, reads: &[PathBuf], program: Option<&Reach>) -> Outcome {
    let zones = std::env::var_os("TZDIR").map(PathBuf::from);
    let read_only: Vec<PathBuf> = reads.iter().cloned().chain(zones).chain(SYSTEM.map(PathBuf::from)).collect();
    // A rule is for the real path of a folder: an inbox may be a link that its owner made.
    let really = |folder: &PathBuf| folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let areas = layout.areas.iter().map(|(area, folder)| (area.clone(), really(folder))).collect();
    let Rules { mut rules, fixed } = rules(&Layout { root: really(&layout.root), areas }, &read_only, &spot);
    if let Some(program) = program {
        rules.push(Rule { path: OURSELVES.into(), may: RUN });
        rules.extend(reached(program));
    }
    let confined = match enforce(&rules) {
        Ok(confined) => confined,
        Err(error) => Confined::Not(error.to_string()),
    };
    Outcome { confined, fixed }
}

/// Confines a program that enlarges pictures, which we are about to become: it may work in its folder alone, and not even
/// read the mill. Where the kernel cannot, it is no worse than the daemon, which told it.
pub(super) fn confine_program(folder: &Path, program: &Reach) {
    let system = SYSTEM.iter().map(|path| Rule { path: path.into(), may: READ });
    let devices = DEVICES.iter().map(|path| Rule { path: path.into(), may: DEVICE });
    let own = Rule { path: folder.to_owned(), may: WORK };
    let rules: Vec<Rule> = [own].into_iter().chain(system).chain(devices).chain(reached(program)).collect();
    let _ = enforce(&rules);
}

fn reached(program: &Reach) -> impl Iterator<Item = Rule> {
    let runs = program.runs.iter().map(|path| Rule { path: path.clone(), may: RUN });
    runs.chain(program.devices.iter().map(|path| Rule { path: path.clone(), may: GRAPHICS }))
}

/// Returns the rules for stockmill's folders. `spot` says what lies at a path, if anything.
fn rules(layout: &Layout, read_only: &[PathBuf], spot: &dyn Fn(&Path) -> Option<Spot>) -> Rules {
    let mut work = BTreeSet::from([layout.root.clone()]);
    let mut fixed = Vec::new();
    for folder in layout.areas.values().filter(|folder| !folder.starts_with(&layout.root)) {
        let path = lasting(folder, &layout.root, spot).unwrap_or_else(|| {
            fixed.push(folder.clone());
            folder.clone()
        });
        work.insert(path);
    }
    let work = work.into_iter().map(|path| Rule { path, may: WORK });
    let read_only = read_only.iter().cloned().map(|path| Rule { path, may: READ });
    let devices = DEVICES.into_iter().map(|path| Rule { path: path.into(), may: DEVICE });
    Rules { rules: work.chain(read_only).chain(devices).collect(), fixed }
}

/// Returns the folder whose rule covers an area for as long as the daemon runs; `None` if that would
/// open too much.
///
/// A rule is bound to a folder on its file system, not to a name. When a disk is unmounted, the rules on
/// its folders go with it, and the same disk mounted again is another file system. So for an area on a
/// disk of its own the rule goes on the folder that the disk is mounted in, which stays. The mount point
/// itself would not work: while the disk is mounted, the kernel ignores what lies hidden beneath it.
fn lasting(folder: &Path, root: &Path, spot: &dyn Fn(&Path) -> Option<Spot>) -> Option<PathBuf> {
    let own = spot(folder).filter(|spot| spot.is_marked);
    // It was marked before its disk was mounted for the first time, or its disk was never one of its own.
    let is_on = |holder: &&Path| own.is_some_and(|own| spot(holder).is_some_and(|above| above.mount == own.mount));
    if let Some(holder) =
        MOUNTED_IN.map(Path::new).iter().find(|holder| folder.starts_with(holder)).filter(|h| is_on(h))
    {
        return Some((*holder).to_owned());
    }
    let lasts = match own {
        // The disk is not mounted now. It will be mounted on the existing part of the path, or further up.
        None => folder.ancestors().find(|path| spot(path).is_some())?.parent()?,
        Some(own) if spot(root).is_some_and(|home| home.mount == own.mount) => return Some(folder.to_owned()),
        Some(own) => folder.ancestors().find(|path| spot(path).is_none_or(|above| above.mount != own.mount))?,
    };
    (!TOO_WIDE.iter().any(|wide| Path::new(wide) == lasts)).then(|| lasts.to_owned())
}

fn spot(path: &Path) -> Option<Spot> {
    let stat = rustix::fs::statx(rustix::fs::CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
    // Kernels before 5.8 do not number mounts; they have no Landlock either.
    Some(Spot { mount: stat.stx_mnt_id, is_marked: path.join(MARK).is_file() })
}

/// Puts the rules into force, or none of them on an error.
fn enforce(rules: &[Rule]) -> Result<Confined, RulesetError> {
    let guarded = AccessFs::from_all(LEVEL);
    let mut ruleset = Ruleset::default()
        .handle_access(guarded & !AccessFs::Refer)?
        // Landlock without this right (Linux 5.13 to 5.18) forbids every rename between folders. There
        // stockmill could not work: no confinement is better then.
        .set_compatibility(CompatLevel::SoftRequirement)
        .handle_access(AccessFs::Refer)?
        .set_compatibility(CompatLevel::BestEffort)
        .create()?;
    for rule in rules {
        ruleset = allow(ruleset, rule)?;
    }
    let status = ruleset.restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::FullyEnforced, _) => Confined::Fully,
        (RulesetStatus::PartiallyEnforced, landlock) => Confined::Partly(level(landlock)),
        (RulesetStatus::NotEnforced, LandlockStatus::NotEnabled) => {
            Confined::Not("Landlock is switched off in this kernel; add `landlock` to `lsm=` at boot".to_owned())
        }
        (RulesetStatus::NotEnforced, LandlockStatus::NotImplemented) => {
            Confined::Not("this kernel has no Landlock, or a filter of system calls hides it".to_owned())
        }
        (RulesetStatus::NotEnforced, landlock) => {
            Confined::Not(format!("{}; Linux 5.19 or newer is needed", level(landlock)))
        }
    })
}

/// Allows what a rule says; a missing path needs no rule.
fn allow(ruleset: RulesetCreated, rule: &Rule) -> Result<RulesetCreated, RulesetError> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let Ok(handle) = rustix::fs::open(&rule.path, flags, Mode::empty()) else { return Ok(ruleset) };
    let may = if is_folder(&handle) { rule.may } else { rule.may & AccessFs::from_file(LEVEL) };
    ruleset.add_rule(PathBeneath::new(handle, may))
}

fn is_folder(handle: &OwnedFd) -> bool {
    rustix::fs::fstat(handle)
        .is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory)
}

fn level(landlock: LandlockStatus) -> String {
    match landlock {
        LandlockStatus::Available { effective_abi, .. } => {
            format!("this kernel's Landlock has level {}", effective_abi as i32)
        }
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => "this kernel has no Landlock".to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test plays the intruder")]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::net::UnixDatagram;

    use super::*;

    fn layout(root: &str, areas: &[(&str, &str)]) -> Layout {
        let areas = areas.iter().map(|(area, folder)| ((*area).into(), (*folder).into())).collect();
        Layout { root: root.into(), areas }
    }

    /// Returns where the mill may work, and what is fixed, given mounts, and areas that bear their mark.
    fn work(areas: &[(&str, &str)], there: &[&str], mounts: &[&str], marked: &[&str]) -> (Vec<String>, Vec<String>) {
        let spot = |path: &Path| {
            let known = path.parent().is_none() || there.iter().any(|there| Path::new(there).starts_with(path));
            let mount = mounts.iter().filter(|mount| path.starts_with(mount)).map(|mount| mount.len()).max();
            let is_marked = marked.iter().any(|marked| path == Path::new(marked));
            known.then(|| Spot { mount: mount.unwrap_or(0) as u64, is_marked })
        };
        let Rules { rules, fixed } = rules(&layout("/home/ada/mill", areas), &["/etc".into()], &spot);
        let shown = |path: &PathBuf| path.display().to_string();
        for rule in &rules {
            assert_eq!(rule.may.contains(AccessFs::MakeReg), rule.may == WORK, "{rule:?}");
        }
        let work = rules.iter().filter(|rule| rule.may == WORK).map(|rule| shown(&rule.path)).collect();
        (work, fixed.iter().map(shown).collect())
    }

    #[test]
    fn rules_outlive_an_unmount() {
        let home = "/home/ada/mill";
        let cases: [(&str, &[&str], &[&str], bool, &[&str], &[&str]); 14] = [
            // An area in the root, even on a disk of its own, is covered by the root.
            ("/home/ada/mill/keep", &["/home/ada/mill/keep"], &["/home/ada/mill/keep"], true, &[home], &[]),
            ("/home/ada/keep", &["/home/ada/keep"], &[], true, &["/home/ada/keep", home], &[]),
            ("/mnt/disk/a/keep", &["/mnt/disk/a/keep"], &["/mnt/disk"], true, &[home, "/mnt"], &[]),
            ("/mnt/disk", &["/mnt/disk"], &["/mnt/disk"], true, &[home, "/mnt"], &[]),
            ("/media/ada/d/keep", &["/media/ada/d/keep"], &["/media/ada/d"], true, &[home, "/media/ada"], &[]),
            // A rule on the folder that holds the mount point would allow everything.
            ("/dev/shm/keep", &["/dev/shm/keep"], &["/dev/shm"], true, &["/dev/shm/keep", home], &["/dev/shm/keep"]),
            (
                "/home/eve/keep",
                &["/home/eve/keep"],
                &["/home/eve"],
                true,
                &[home, "/home/eve/keep"],
                &["/home/eve/keep"],
            ),
            ("/data/keep", &["/data/keep"], &["/data"], true, &["/data/keep", home], &["/data/keep"]),
            // A mount point that was marked as it was, before its disk was mounted.
            ("/mnt/disk", &["/mnt/disk"], &[], true, &[home, "/mnt"], &[]),
            ("/media/ada/d/keep", &["/media/ada/d/keep"], &[], true, &[home, "/media"], &[]),
            ("/mnt/disk/keep", &["/mnt/disk/keep"], &["/mnt"], true, &[home, "/mnt"], &[]),
            // Not mounted now: an empty mount point, or nothing at all.
            ("/mnt/disk", &["/mnt/disk"], &[], false, &[home, "/mnt"], &[]),
            ("/media/ada/d/keep", &["/media/ada"], &[], false, &[home, "/media"], &[]),
            ("/data/keep", &["/data"], &[], false, &["/data/keep", home], &["/data/keep"]),
        ];
        for (area, there, mounts, is_marked, expected, fixed) in cases {
            let marked = if is_marked { vec![area] } else { vec![] };
            let there = [there, &[home]].concat();
            let got = work(&[("keep", area)], &there, mounts, &marked);
            let expected = expected.iter().map(|path| (*path).to_owned()).collect();
            let fixed = fixed.iter().map(|path| (*path).to_owned()).collect();
            assert_eq!(got, (expected, fixed), "{area} {there:?}");
        }
    }

    #[test]
    fn this_machine_numbers_its_mounts() {
        let (root, proc) = (spot(Path::new("/")).unwrap(), spot(Path::new("/proc")).unwrap());
        assert_ne!(root.mount, proc.mount);
        assert_eq!(spot(Path::new("/no such thing")), None);
    }

    /// What an intruder in a confined thread could do, one line for each.
    fn try_everything(mill: &Path, elsewhere: &Path) -> Vec<(&'static str, Result<(), ErrorKind>)> {
        let kind = |result: std::io::Result<()>| result.map_err(|error| error.kind());
        let secret = elsewhere.join("secret");
        let write = |path: &Path| fs::File::options().append(true).open(path).map(drop);
        let socket = UnixDatagram::unbound().unwrap();
        vec![
            ("write inside", kind(fs::write(mill.join("raw/a.png"), b"a"))),
            ("rename inside", kind(fs::rename(mill.join("raw/a.png"), mill.join("keep/b.png")))),
            ("link inside", kind(fs::hard_link(mill.join("keep/b.png"), mill.join("raw/c.png")))),
            (
                "make and remove a folder",
                kind(fs::create_dir(mill.join("raw/t")).and_then(|()| fs::remove_dir(mill.join("raw/t")))),
            ),
            ("read inside", kind(fs::read(mill.join("keep/b.png")).map(drop))),
            ("remove inside", kind(fs::remove_file(mill.join("raw/c.png")))),
            ("read the system", kind(fs::read("/etc/passwd").map(drop))),
            ("write to null", kind(write(Path::new("/dev/null")))),
            ("tell systemd", kind(socket.send_to(b"READY=1", elsewhere.join("notify")).map(drop))),
            ("NOT write the system", kind(write(Path::new("/etc/passwd")))),
            ("NOT read elsewhere", kind(fs::read(&secret).map(drop))),
            ("NOT list elsewhere", kind(fs::read_dir(elsewhere).map(drop))),
            ("NOT write elsewhere", kind(write(&secret))),
            ("NOT make elsewhere", kind(fs::write(elsewhere.join("new"), b"x"))),
            ("NOT remove elsewhere", kind(fs::remove_file(&secret))),
            ("NOT follow a link", kind(fs::read(mill.join("raw/link")).map(drop))),
            ("NOT make a link", kind(std::os::unix::fs::symlink(elsewhere, mill.join("raw/new link")))),
            ("NOT run a program", kind(std::process::Command::new("/usr/bin/env").status().map(drop))),
            // Last: without a confinement it takes the file away.
            ("NOT carry out", kind(fs::rename(mill.join("keep/b.png"), elsewhere.join("b.png")))),
        ]
    }

    #[test]
    fn a_confined_thread_reaches_the_mill_and_nothing_else() {
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (mill, elsewhere) = (home.path().join("mill"), elsewhere.path());
        for stage in ["raw", "keep"] {
            fs::create_dir_all(mill.join(stage)).unwrap();
        }
        fs::write(elsewhere.join("secret"), b"secret").unwrap();
        std::os::unix::fs::symlink(elsewhere.join("secret"), mill.join("raw/link")).unwrap();
        let _systemd = UnixDatagram::bind(elsewhere.join("notify")).unwrap();
        let layout = Layout { root: mill.clone(), areas: std::collections::BTreeMap::new() };
        // Landlock binds the calling thread and what it starts: the other tests stay free.
        let (outcome, tried) = std::thread::scope(|scope| {
            let thread = scope.spawn(|| (confine(&layout, &[], None), try_everything(&mill, elsewhere)));
            thread.join().unwrap()
        });
        assert_eq!(outcome.fixed, Vec::<PathBuf>::new());
        for (what, result) in tried {
            let is_forbidden = what.starts_with("NOT");
            match &outcome.confined {
                Confined::Fully | Confined::Partly(_) if is_forbidden => {
                    // A move out of the guarded folders is told as one between disks.
                    let told = [ErrorKind::PermissionDenied, ErrorKind::CrossesDevices];
                    assert!(result.is_err_and(|kind| told.contains(&kind)), "{what}: {result:?}");
                }
                Confined::Fully | Confined::Partly(_) => assert_eq!(result, Ok(()), "{what}"),
                // Where the status says that nothing is guarded, nothing is.
                Confined::Not(why) => {
                    let is_mine = !is_forbidden || what == "NOT make elsewhere" || what == "NOT carry out";
                    assert!(!why.is_empty() && (result.is_ok() || !is_mine), "{what}: {result:?}");
                }
            }
        }
    }
}
