//! The program that enlarges pictures, as the system sees it: where it is, and the helper that confines it and becomes it.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

use super::reach::Reach;
use super::sandbox;

/// Why a program cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum NotRun {
    /// It is not where it is looked for.
    #[error("`{program}` {why}")]
    Missing {
        /// What was looked for.
        program: String,
        /// Where, and what to do.
        why: String,
    },
    /// The system does not let it run.
    #[error("`{program}` may not be run: {why}")]
    Forbidden {
        /// What may not run.
        program: String,
        /// Why, and what to do.
        why: String,
    },
    /// It is no program.
    #[error("`{program}` cannot be run: {why}")]
    NoProgram {
        /// What is none.
        program: String,
        /// Why.
        why: String,
    },
    /// A limit cannot be set.
    #[error("its {what} cannot be limited: {why}; a filter of system calls may be in the way (`prlimit64`)")]
    Unlimited {
        /// The limit.
        what: &'static str,
        /// What the system said.
        why: String,
    },
}

/// Returns where a program is: a name is looked up in the folders of `path`.
pub fn find_program(program: &str, path: &OsStr) -> Result<PathBuf, NotRun> {
    if program.contains('/') {
        return may_run(Path::new(program)).map(|()| program.into());
    }
    let found: Vec<PathBuf> = std::env::split_paths(path).map(|folder| folder.join(program)).collect();
    let found: Vec<PathBuf> = found.into_iter().filter(|file| file.is_file()).collect();
    let runnable = found.iter().find(|file| may_run(file).is_ok());
    match (runnable, found.first()) {
        (Some(file), _) => Ok(file.clone()),
        (None, Some(file)) => may_run(file).map(|()| file.clone()),
        (None, None) => {
            let why = format!(
                "is in none of the folders of PATH ({}); install it, or write its whole path",
                path.to_string_lossy()
            );
            Err(NotRun::Missing { program: program.to_owned(), why })
        }
    }
}

/// Refuses what is no file, or has no right to be run.
fn may_run(file: &Path) -> Result<(), NotRun> {
    let program = file.display().to_string();
    match file.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let hidden = ["/home", "/root"].iter().any(|home| file.starts_with(home));
            let hint = if hidden { ", or `ProtectHome=` of the unit hides it" } else { "" };
            Err(NotRun::Missing { program, why: format!("is not there; install it{hint}") })
        }
        Err(error) => Err(NotRun::NoProgram { program, why: crate::vault::plain(&error) }),
        Ok(found) if found.is_dir() => Err(NotRun::NoProgram { program, why: "it is a folder".to_owned() }),
        Ok(found) if found.permissions().mode() & 0o111 == 0 => {
            let why = "it has no right to be run; give it that with `chmod +x`".to_owned();
            Err(NotRun::Forbidden { program, why })
        }
        Ok(_) => Ok(()),
    }
}

/// Refuses a file that the system does not run by itself: it would be given to a shell.
fn is_program(file: &Path) -> Result<(), NotRun> {
    let mut head = Vec::new();
    // One that may not be read may run all the same.
    let read = std::fs::File::open(file).and_then(|file| file.take(4).read_to_end(&mut head));
    if read.is_err() || head.starts_with(b"\x7fELF") || head.starts_with(b"#!") {
        return Ok(());
    }
    let why = "it is no program for Linux; a script begins with `#!` and its interpreter".to_owned();
    Err(NotRun::NoProgram { program: file.display().to_string(), why })
}

/// What the helper is told.
#[derive(Debug)]
pub struct Confinement {
    /// Where the program may write.
    pub folder: PathBuf,
    /// How much memory each of its processes may fill.
    pub memory_bytes: u64,
    /// How much processor time each of them may use.
    pub cpu_seconds: u64,
    /// The largest file that they may write.
    pub file_bytes: u64,
}

/// Confines this process, and becomes a program; returns only if that cannot be.
pub fn become_program(confinement: &Confinement, program: &OsStr, arguments: &[OsString]) -> NotRun {
    let name = program.to_string_lossy();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let file = match find_program(&name, &path) {
        Ok(file) => file,
        Err(error) => return error,
    };
    if let Err(error) = is_program(&file) {
        return error;
    }
    // It does not outlive the daemon, not even one that is killed.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    for (what, resource, most) in [
        // What is filled, and not what is reserved: drivers of graphics processors reserve far more than there is.
        ("memory", Resource::Data, confinement.memory_bytes),
        ("processor time", Resource::Cpu, confinement.cpu_seconds),
        ("files", Resource::Fsize, confinement.file_bytes),
        ("core files", Resource::Core, 0),
    ] {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        if let Err(error) = setrlimit(resource, limit) {
            return NotRun::Unlimited { what, why: crate::vault::plain(&error.into()) };
        }
    }
    let named = std::iter::once(file.as_os_str()).chain(arguments.iter().map(OsString::as_os_str));
    sandbox::confine_program(&confinement.folder, &Reach::of(named));
    let error = Command::new(&file).args(arguments).exec();
    not_run(&file, &error)
}

/// Returns what the system means that does not run a program which has the right to be run.
fn not_run(file: &Path, error: &io::Error) -> NotRun {
    let program = file.display().to_string();
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let why = "its mode allows it, and a sandbox does not. Landlock lets run what `keep.command` named when \
                       stockmill was started, and what lies in /usr and /opt: start it again after a change. Else the \
                       unit forbids it (`NoExecPaths=`, a file system that is mounted `noexec`), or the interpreter in \
                       its first line may not be run";
            NotRun::Forbidden { program, why: why.to_owned() }
        }
        io::ErrorKind::NotFound => {
            let why = "its loader, or the interpreter in its first line, is not there".to_owned();
            NotRun::NoProgram { program, why }
        }
        io::ErrorKind::ExecutableFileBusy => NotRun::NoProgram { program, why: "it is being written".to_owned() },
        _ => NotRun::NoProgram { program, why: crate::vault::plain(error) },
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes the programs")]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_or_it_is_said_why_not() {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("up", 0o755), ("text", 0o644)] {
            std::fs::write(folder.path().join(name), "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        let whole = |name: &str| folder.path().join(name).display().to_string();
        let path = std::env::join_paths([Path::new("/nowhere"), folder.path()]).unwrap();
        let rows = [
            ("up".to_owned(), None),
            (whole("up"), None),
            ("text".to_owned(), Some("may not be run: it has no right to be run; give it that with `chmod +x`")),
            (whole("text"), Some("may not be run: it has no right to be run")),
            ("upp".to_owned(), Some("`upp` is in none of the folders of PATH (/nowhere:")),
            (whole("upp"), Some("is not there; install it")),
            (whole("bin"), Some("cannot be run: it is a folder")),
            ("/home/nobody/x".to_owned(), Some("`ProtectHome=` of the unit hides it")),
        ];
        for (program, why) in rows {
            match (find_program(&program, &path), why) {
                (Ok(found), None) => assert_eq!(found, folder.path().join("up"), "{program}"),
                (Err(error), Some(why)) => assert!(error.to_string().contains(why), "{program}: {error}"),
                (found, why) => panic!("{program}: {found:?}, and not {why:?}"),
            }
        }
    }
}
