//! Runs the program of a person's own that enlarges a picture: a process group of its own that is ended as a whole, with
//! few variables of ours, and nobody who types. It has a folder in scratch, and goes through a helper that confines it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::Builder;
use std::time::Duration;

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::model::CommandLine;

/// The hidden command of our own program that confines the process that it is, and becomes the other program.
pub const HELPER: &str = "upscaler-exec";
/// Our own program, even if its file was replaced meanwhile.
const OURSELVES: &str = "/proc/self/exe";
/// What the helper ends with if the other program cannot be run. A shell that cannot run something ends like that, too.
pub const NOT_RUN: u8 = 126;
/// How the line begins in which the helper says why.
pub const NOT_RUN_SAYS: &str = "upscaler-exec: ";

/// What is told of a program that was not let do something.
const REACH: &str = "; a sandbox may be why: Landlock lets it reach /usr, /opt, what `keep.command.run` names by an absolute \
                     path, and the folder around that";

/// How often it is asked whether to go on.
const ASKED_EVERY: Duration = Duration::from_millis(100);
/// How long a process may take to end by itself once it was told to.
const GRACE: Duration = Duration::from_secs(5);
/// How long the last of what it said may be on its way, once it has ended.
const READ_PATIENCE: Duration = Duration::from_secs(1);
/// How much of what it says is kept, and how many lines and letters of that are told.
const TAIL_BYTES: usize = 4 << 10;
const TOLD_LINES: usize = 3;
const TOLD_CHARS: usize = 200;

/// Variables that a program gets, by name and by how they begin: where programs lie, the language, and what drivers of
/// graphics processors read. No other one: some hold passwords.
const VARIABLES: [&str; 6] = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH"];
const DRIVERS: [&str; 14] = [
    "VK_", "MESA_", "RADV_", "ANV_", "INTEL_", "GALLIUM_", "LP_", "NVIDIA_", "CUDA_", "ROCR_", "HIP_", "HSA_", "ZE_",
    "OMP_",
];

/// What a program may use for one picture.
pub(super) struct Allowance<'a> {
    /// Where it may write, and what it takes for its home.
    pub(super) folder: &'a Path,
    /// The largest file that it may write.
    pub(super) file_bytes_max: u64,
}

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself, and it says that all is well; the last lines that it said, behind a colon.
    Well { said: String },
    /// Otherwise; why.
    Badly(String),
}

/// Runs a program on one picture. `go_on` is asked again and again; once it gives an error, the program is ended.
pub(super) fn enlarge<E>(
    line: &CommandLine,
    arguments: &[OsString],
    allowance: &Allowance<'_>,
    go_on: impl FnMut() -> Result<(), E>,
) -> Result<Ended, E> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let mut command = Command::new(OURSELVES);
    command.arg(HELPER).arg("--folder").arg(allowance.folder);
    for (option, value) in [
        ("--memory-bytes", line.memory_mib << 20),
        // One that has left the group works no longer, either.
        ("--cpu-seconds", line.timeout_s * cores),
        ("--file-bytes", allowance.file_bytes_max),
    ] {
        command.arg(option).arg(value.to_string());
    }
    command.arg("--").arg(line.program()).args(arguments).current_dir(allowance.folder);
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| is_passed_on(&name.to_string_lossy())));
    command.env("HOME", allowance.folder).env("TMPDIR", allowance.folder);
    run(command, line.name(), Duration::from_secs(line.timeout_s), go_on)
}

/// Returns whether a program gets a variable.
fn is_passed_on(name: &str) -> bool {
    VARIABLES.contains(&name) || DRIVERS.iter().any(|driver| name.starts_with(driver))
}

/// What happens while a program runs.
enum Event {
    Ended,
    TimeIsUp,
}

/// Runs a process to its end, and ends all of its group with it.
fn run<E>(
    mut command: Command,
    name: &str,
    timeout: Duration,
    mut go_on: impl FnMut() -> Result<(), E>,
) -> Result<Ended, E> {
    let mut running = match Running::begin(&mut command, timeout) {
        Ok(running) => running,
        Err(error) => return Ok(Ended::Badly(format!("`{name}` cannot be started: {error}"))),
    };
    // It holds the writing ends of what the process says.
    drop(command);
    loop {
        match running.events.recv_timeout(ASKED_EVERY) {
            Ok(Event::Ended) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(Event::TimeIsUp) => {
                running.end();
                let said = running.tail.told();
                let what = format!("`{name}` did not end within {} s (`keep.command.timeout_s`)", timeout.as_secs());
                return Ok(Ended::Badly(what + &said));
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = go_on() {
                    running.end();
                    return Err(error);
                }
            }
        }
    }
    Ok(match running.reap() {
        Ok(status) if status.success() => Ended::Well { said: running.tail.told() },
        Ok(status) => Ended::Badly(ended(name, status, &running.tail)),
        Err(error) => Ended::Badly(format!("nobody knows how `{name}` ended: {error}")),
    })
}

/// Returns how a process ended that did not end well.
fn ended(name: &str, status: ExitStatus, tail: &Tail) -> String {
    let said = tail.told();
    if let Some((_, why)) = said.split_once(NOT_RUN_SAYS).filter(|_| status.code() == Some(NOT_RUN.into())) {
        return why.to_owned();
    }
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with the exit code {code}"),
        (None, Some(signal)) => format!("was ended by the signal {}", signal_name(signal)),
        (None, None) => "ended".to_owned(),
    };
    let hint = if said.contains("ermission denied") { REACH } else { "" };
    format!("`{name}` {how}{said}{hint}")
}

fn signal_name(signal: i32) -> String {
    let known = [
        (Signal::SEGV, "SIGSEGV, a defect of it"),
        (Signal::ABORT, "SIGABRT, a defect of it or too little memory (`keep.command.memory_mib`)"),
        (Signal::KILL, "SIGKILL, as of a system without memory"),
        (Signal::XCPU, "SIGXCPU, since it used more processor time than `keep.command.timeout_s` on all cores"),
        (Signal::XFSZ, "SIGXFSZ, since it wrote a larger file than its result can be"),
        (Signal::SYS, "SIGSYS, by a filter of system calls"),
    ];
    let known = known.iter().find(|(known, _)| known.as_raw() == signal);
    known.map_or_else(|| signal.to_string(), |(_, what)| (*what).to_owned())
}

/// A process that runs, the first of its group.
struct Running {
    child: Child,
    group: Pid,
    events: Receiver<Event>,
    tail: Tail,
    /// Ends the thread that waits for the time to be up when it is dropped.
    _timer: Sender<()>,
}

impl Running {
    fn begin(command: &mut Command, timeout: Duration) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
        let tail = Tail::of(reader)?;
        let child = command.spawn()?;
        let group = Pid::from_child(&child);
        let (tell, events) = channel();
        let (timer, until) = channel();
        let watched = watch(group, &tell, timeout, until);
        let mut running = Self { child, group, events, tail, _timer: timer };
        watched.inspect_err(|_| running.end())?;
        Ok(running)
    }

    /// Ends all of the group: first by asking for it.
    fn end(&mut self) {
        let _ = kill_process_group(self.group, Signal::TERM);
        if !self.ends_within(GRACE) {
            let _ = kill_process_group(self.group, Signal::KILL);
            if !self.ends_within(GRACE) {
                // A driver holds it: the system ends it once that answers.
                return;
            }
        }
        let _ = self.reap();
    }

    fn ends_within(&self, patience: Duration) -> bool {
        loop {
            match self.events.recv_timeout(patience) {
                Ok(Event::Ended) | Err(RecvTimeoutError::Disconnected) => return true,
                Ok(Event::TimeIsUp) => (),
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }

    /// Ends what is left of the group, and then lets the first process of it go, whose number is that of the group.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        let _ = kill_process_group(self.group, Signal::KILL);
        let status = self.child.wait();
        // They have what it says open until they are gone.
        self.tail.wait();
        status
    }
}

/// Begins to wait for a process to end, and for its time to be up.
fn watch(process: Pid, tell: &Sender<Event>, timeout: Duration, until: Receiver<()>) -> io::Result<()> {
    let (ended, time_is_up) = (tell.clone(), tell.clone());
    Builder::new().name("program-end".to_owned()).spawn(move || {
        // Its number stays its own until it is reaped, which somebody else does.
        let _ = retry_on_intr(|| waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT));
        let _ = ended.send(Event::Ended);
    })?;
    Builder::new().name("program-time".to_owned()).spawn(move || {
        if until.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
            let _ = time_is_up.send(Event::TimeIsUp);
        }
    })?;
    Ok(())
}

/// The last of what a process says.
struct Tail {
    bytes: Arc<Mutex<VecDeque<u8>>>,
    /// Is disconnected once all was read.
    end: Receiver<()>,
}

impl Tail {
    /// Begins to read, until nobody has the other end. A process that left its group may have it for long: nobody waits
    /// for this thread.
    fn of(mut reader: impl Read + Send + 'static) -> io::Result<Self> {
        let bytes = Arc::new(Mutex::new(VecDeque::new()));
        let (at_end, end) = channel::<()>();
        let tail = bytes.clone();
        Builder::new().name("program-said".to_owned()).spawn(move || {
            let _at_end = at_end;
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = read_some(&mut reader, &mut piece) {
                let mut tail = tail.lock().expect("no holder panics");
                tail.extend(&piece[..read]);
                let over = tail.len().saturating_sub(TAIL_BYTES);
                tail.drain(..over);
            }
        })?;
        Ok(Self { bytes, end })
    }

    /// Waits until all is read, as far as that is to be expected.
    fn wait(&self) {
        let _ = self.end.recv_timeout(READ_PATIENCE);
    }

    /// Returns its last lines behind a colon, on one line; nothing if there are none.
    fn told(&self) -> String {
        let bytes: Vec<u8> = self.bytes.lock().expect("no holder panics").iter().copied().collect();
        let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
        let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(TOLD_LINES)..];
        let told: Vec<String> = last.iter().map(|line| cut(&String::from_utf8_lossy(line))).collect();
        if told.is_empty() { String::new() } else { format!(": {}", told.join(" / ")) }
    }
}

fn read_some(reader: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            read => return read,
        }
    }
}

/// Returns a line without what only a terminal understands; of one that is too long, its end, where the trouble most often
/// stands.
fn cut(line: &str) -> String {
    let plain: Vec<char> = line.chars().filter(|c| !c.is_control()).collect();
    match plain.len().checked_sub(TOLD_CHARS) {
        None | Some(0) => plain.iter().collect(),
        Some(over) => std::iter::once(&'…').chain(&plain[over..]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script, for so long at most; it is told to stop when the file `stop` lies in its folder.
    fn sh(folder: &Path, script: &str, timeout: Duration) -> Result<Ended, &'static str> {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script).current_dir(folder);
        run(command, "up", timeout, || if folder.join("stop").exists() { Err("stopped") } else { Ok(()) })
    }

    #[test]
    fn how_it_ended_is_told_with_its_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let long = format!("`up` ended with the exit code 1: …{}", "x".repeat(TOLD_CHARS));
        let rows = [
            ("exit 0", Ended::Well { said: String::new() }),
            ("echo done", Ended::Well { said: ": done".to_owned() }),
            ("echo one >&2; echo two; exit 3", Ended::Badly("`up` ended with the exit code 3: one / two".to_owned())),
            (
                "printf 'a\\n\\nb\\rc\\nd\\033[1m\\n'; exit 1",
                Ended::Badly("`up` ended with the exit code 1: b / c / d[1m".to_owned()),
            ),
            ("exit 126", Ended::Badly("`up` ended with the exit code 126".to_owned())),
            ("echo 'upscaler-exec: `up` is a folder'; exit 126", Ended::Badly("`up` is a folder".to_owned())),
            (
                "echo 'up: Permission denied'; exit 2",
                Ended::Badly(format!("`up` ended with the exit code 2: up: Permission denied{REACH}")),
            ),
            ("kill -SEGV $$", Ended::Badly("`up` was ended by the signal SIGSEGV, a defect of it".to_owned())),
            ("kill -USR1 $$", Ended::Badly("`up` was ended by the signal 10".to_owned())),
            // More than anybody keeps, and more than a pipe holds.
            ("head -c 3000000 /dev/zero | tr '\\0' x; exit 1", Ended::Badly(long)),
            ("read line || exit 4", Ended::Badly("`up` ended with the exit code 4".to_owned())),
        ];
        for (script, expected) in rows {
            assert_eq!(sh(folder.path(), script, Duration::from_secs(60)), Ok(expected), "{script}");
        }
        let missing = run(Command::new("/no/such program"), "up", Duration::from_secs(60), || Ok::<(), ()>(()));
        assert!(
            matches!(&missing, Ok(Ended::Badly(why)) if why.starts_with("`up` cannot be started: ")),
            "{missing:?}"
        );
    }

    /// Waits until a process has ended, which a killed one does soon; one that nobody has reaped has.
    fn ends(pid: &str) -> bool {
        (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(if is_alive(pid) { 10 } else { 0 }));
            !is_alive(pid)
        })
    }

    fn is_alive(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
    }

    /// Whatever ends it, no process of its group is left.
    #[test]
    fn its_children_end_with_it() {
        let hang = "sleep 1000 & echo $! > child";
        let stubborn = "trap '' TERM; sleep 1000 & echo $! > child";
        let stop = "touch stop; wait";
        let late = "`up` did not end within 1 s (`keep.command.timeout_s`)".to_owned();
        let rows = [
            ("a child outlives it", hang, "exit 0", Ok(Ended::Well { said: String::new() })),
            ("it fails", hang, "exit 1", Err("ended with the exit code 1")),
            ("it hangs", hang, "wait", Err(late.as_str())),
            ("it is stopped", hang, stop, Err("stopped")),
            ("it is stopped, and does not listen", stubborn, "touch stop; while :; do wait; done", Err("stopped")),
        ];
        for (what, begin, end, expected) in rows {
            let folder = tempfile::tempdir().unwrap();
            let timeout = Duration::from_secs(if what == "it hangs" { 1 } else { 60 });
            let found = sh(folder.path(), &format!("{begin}; {end}"), timeout);
            match (&found, expected) {
                (Ok(Ended::Badly(found)), Err(expected)) => assert!(found.contains(expected), "{what}: {found}"),
                (Err(found), Err(expected)) => assert_eq!(*found, expected, "{what}"),
                (found, expected) => assert_eq!(found, &expected, "{what}"),
            }
            let child = std::fs::read_to_string(folder.path().join("child")).unwrap();
            assert!(ends(child.trim()), "{what}: {child}");
        }
    }

    #[test]
    fn it_gets_what_drivers_read_and_no_secrets() {
        for name in
            ["PATH", "LANG", "VK_ICD_FILENAMES", "CUDA_VISIBLE_DEVICES", "MESA_VK_DEVICE_SELECT", "OMP_NUM_THREADS"]
        {
            assert!(is_passed_on(name), "{name}");
        }
        for name in ["HOME", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "NOTIFY_SOCKET", "STOCKMILL_ROOT", "LD_PRELOAD"]
        {
            assert!(!is_passed_on(name), "{name}");
        }
    }
}
