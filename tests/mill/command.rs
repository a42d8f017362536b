//! Pictures enlarged by a program of a person's own: one that does it, and all that go wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{NOTE, Root, size};

const STOCKMILL: &str = env!("CARGO_BIN_EXE_stockmill");

/// Returns a picture as a PNG.
fn picture(seed: u8) -> Vec<u8> {
    let image = image::RgbImage::from_fn(50, 50, |x, y| {
        image::Rgb([x * 4 + 20, y * 4 + 30, 90].map(|value| u8::try_from(value).unwrap() ^ seed))
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A mill whose program is a script that lies beside it with a copy of stockmill, which enlarges for it.
struct Mill {
    root: Root,
    script: PathBuf,
}

impl Mill {
    fn new(script: &str, more: &str) -> Self {
        let root = Root::new();
        let tools = root.outside().join("tools");
        fs::create_dir(&tools).unwrap();
        fs::hard_link(STOCKMILL, tools.join("stockmill"))
            .or_else(|_| fs::copy(STOCKMILL, tools.join("stockmill")).map(drop))
            .unwrap();
        let script_at = tools.join("up");
        let mill = Self { root, script: script_at };
        mill.write(script);
        mill.set(more);
        mill
    }

    fn set(&self, more: &str) {
        let run = format!("run: [{}, \"{{in}}\", \"{{out}}\", \"{{scale}}\"]", self.script.display());
        let keep = format!("keep: {{method: command, scale: 2.5, command: {{{run}, scales: [2, 3]{more}}}}}");
        let settle = "settle: {notes_quiet_s: 0, weak_quiet_ms: 500}";
        fs::write(self.root.at("stockmill.yaml"), format!("{keep}\n{settle}\n")).unwrap();
    }

    /// Writes the script. `$enlarge` is a program that makes a picture larger: from, to, how many times.
    fn write(&self, script: &str) {
        let enlarge =
            format!("enlarge() {{ {}/stockmill convert \"$1\" \"$2\" --scale \"$3\"; }}", self.tools().display());
        fs::write(&self.script, format!("#!/bin/sh\n{enlarge}\n{script}\n")).unwrap();
        fs::set_permissions(&self.script, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn tools(&self) -> &Path {
        self.script.parent().unwrap()
    }

    fn drop_picture(&self, seed: u8) {
        self.root.idea(NOTE);
        assert!(self.root.once().status.success());
        fs::write(self.root.at("raw/winter-cabins/a.png"), picture(seed)).unwrap();
    }

    /// Returns what lies in the folder of programs: nothing once they have ended.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.at(".stockmill/programs")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    fn sidecar(&self) -> String {
        let found = self.root.sidecars().into_iter().next();
        fs::read_to_string(self.root.at(&found.expect("a bundle has sidecars"))).unwrap()
    }
}

/// It gets the picture, three times as large is enough for 2.5, and who made it how is told everywhere.
#[test]
fn a_program_enlarges_and_is_named() {
    let mill = Mill::new("env > env; enlarge \"$1\" \"$2\" \"$3\" && test -z \"$SECRET\"", "");
    mill.drop_picture(0);
    let said = mill.root.text(&["plan"]);
    let output = mill.root.command(&["once"]).env("SECRET", "1").output().unwrap();
    assert!(output.status.success(), "{}", mill.root.log());
    let log = mill.root.log();
    let told = "nlarged from 50x50 to 125x125 by the program up (x3)";
    assert!(log.contains(told), "{log}");
    assert!(!log.contains("instead"), "{log}");
    let bundled = mill.root.bundled();
    assert_eq!(bundled.len(), 1, "{said}\n{log}");
    assert_eq!(size(&bundled[0]), (125, 125));
    let sidecar = mill.sidecar();
    assert!(sidecar.contains("recipe: 'command up x3 "), "{sidecar}");
    let explained = mill.root.text(&["explain", bundled[0].to_str().unwrap()]);
    assert!(explained.contains("command up x3 "), "{explained}");
    assert!(mill.left().is_empty(), "{:?}", mill.left());
    assert!(mill.root.call(&["verify"]).status.success());
    // Another command line makes other pictures; another limit does not.
    for (more, is_stale) in [(", timeout_s: 90", false), (", scales: [4, 8]", true)] {
        mill.set(&more.replace(", scales: [4, 8]", ""));
        if is_stale {
            let text =
                fs::read_to_string(mill.root.at("stockmill.yaml")).unwrap().replace("\"{scale}\"]", "\"{scale}\", x]");
            fs::write(mill.root.at("stockmill.yaml"), text).unwrap();
        }
        let said = mill.root.text(&["status"]);
        assert_eq!(said.contains("stale"), is_stale, "{said}");
    }
}

/// A picture that is black, or another one, is none of its source: it is enlarged without the program, as with the net;
/// that is told as a warning and recorded.
#[test]
fn a_picture_of_something_else_is_refused() {
    let mill = Mill::new("cp \"$(dirname \"$0\")/black.png\" \"$2\"", "");
    let black = image::RgbImage::new(150, 150);
    black.save(mill.tools().join("black.png")).unwrap();
    mill.drop_picture(0);
    assert!(mill.root.once().status.success(), "{}", mill.root.log());
    let log = mill.root.log();
    let told =
        "instead: what the program gave is no picture of it: what it makes does not look like its source (a part of it";
    assert!(log.lines().any(|line| line.contains(" WARN ") && line.contains(told)), "{log}");
    assert_eq!(mill.root.bundled().iter().map(|file| size(file)).collect::<Vec<_>>(), [(125, 125)]);
    let sidecar = mill.sidecar();
    assert!(sidecar.contains("recipe: 'lanczos-instead-of-command up x3 "), "{sidecar}");
    assert!(!log.contains("The neural net took") && !mill.root.text(&["status"]).contains("stale"), "{log}");
    assert!(mill.left().is_empty(), "{:?}", mill.left());
}

/// A program that fails may do its work another time: the picture waits for it in `keep`, and says why.
#[test]
fn a_picture_waits_for_a_program_that_fails() {
    let elsewhere = "cp /etc/hostname secret.png 2>/dev/null; ln -s /etc/passwd \"$2\"; exit 0";
    let rows = [
        ("echo nothing to do; exit 0", "", "the program gave no picture: it wrote no file: nothing to do"),
        ("enlarge \"$1\" \"$2\" 2", "", "it has 100x100 pixels instead of 150x150"),
        ("echo text > \"$2\"", "", "it is no picture that stockmill knows"),
        ("enlarge \"$1\" x.png 3 && head -c 500 x.png > \"$2\"", "", "it is cut off"),
        ("mkdir \"$2\"", "", "what it wrote is no file of its own, but leads elsewhere"),
        (elsewhere, "", ""),
        ("echo no device >&2; exit 3", "", "`up` ended with the exit code 3: no device"),
        ("kill -SEGV $$", "", "`up` was ended by the signal SIGSEGV"),
        ("sleep 1000 & wait", ", timeout_s: 1", "`up` did not end within 1 s (`keep.command.timeout_s`)"),
        ("head -c 900000000 /dev/zero | tail | wc -c; kill -KILL $$", ", memory_mib: 64", "memory"),
        ("head -c 90000000 /dev/zero > \"$2\"; exit 5", "", "exit code 5"),
    ];
    for (script, more, why) in rows {
        let mill = Mill::new(script, more);
        mill.drop_picture(0);
        assert_eq!(mill.root.once().status.code(), Some(1), "{script}: {}", mill.root.log());
        let (files, log) = (mill.root.files(), mill.root.log());
        assert!(
            files.iter().any(|name| name == "keep/winter-cabins/winter-cabins-0001.png"),
            "{script}: {files:?}\n{log}"
        );
        assert!(log.contains(why) && log.contains("it will be tried again"), "{script}: {log}");
        assert!(mill.left().is_empty(), "{script}: {:?}", mill.left());
        // Once it does its work, nothing else is to be done.
        mill.write("enlarge \"$1\" \"$2\" \"$3\"");
        assert!(mill.root.once().status.success());
        assert_eq!(mill.root.bundled().len(), 1, "{script}: {}", mill.root.log());
    }
}

/// What cannot be run is told by name, with what to do.
#[test]
fn a_program_that_cannot_be_run_is_named() {
    type Spoil = fn(&Path);
    let rows: [(&str, Spoil, &str); 4] = [
        ("absent", |script| fs::remove_file(script).unwrap(), "is not there; install it"),
        (
            "no right",
            |script| fs::set_permissions(script, fs::Permissions::from_mode(0o644)).unwrap(),
            "may not be run: it has no right to be run; give it that with `chmod +x`",
        ),
        (
            "no program",
            |script| fs::write(script, b"\0\x01\x02").unwrap(),
            "cannot be run: it is no program for Linux; a script begins with `#!` and its interpreter",
        ),
        (
            "no interpreter",
            |script| fs::write(script, "#!/no/such/thing\n").unwrap(),
            "its loader, or the interpreter in its first line, is not there",
        ),
    ];
    for (what, spoil, why) in rows {
        let mill = Mill::new("exit 0", "");
        spoil(&mill.script);
        mill.drop_picture(0);
        assert_eq!(mill.root.once().status.code(), Some(1), "{what}: {}", mill.root.log());
        let log = mill.root.log();
        let named = format!("`{}` ", mill.script.display());
        assert!(log.contains(&named) && log.contains(why), "{what}: {log}");
        let is_known = matches!(what, "absent" | "no right");
        let check = mill.root.call(&["check"]);
        let said = String::from_utf8_lossy(&check.stdout).into_owned();
        assert_eq!((check.status.success(), said.contains(why)), (!is_known, is_known), "{what}: {said}");
        assert!(!is_known || said.contains("line 1, column "), "{said}");
    }
}

/// It works in its folder alone, where the kernel can confine it.
#[test]
fn a_program_reaches_no_more_than_its_own() {
    let mill = Mill::new(
        "cat \"$1\" > /dev/null || exit 9; for file in ../../../stockmill.yaml ../../../raw; do \
         ls -R $file/ $file > /dev/null 2>&1 && head -c 1 $file > /dev/null 2>&1 && echo read $file; done; \
         (echo x > ../../../raw/planted) 2> /dev/null && echo wrote; echo tried; exit 3",
        "",
    );
    mill.drop_picture(0);
    assert_eq!(mill.root.once().status.code(), Some(1));
    let log = mill.root.log();
    assert!(log.contains("exit code 3: "), "{log}");
    if log.contains("Confined by Landlock:") {
        assert!(log.contains("`up` ended with the exit code 3: tried"), "{log}");
        assert!(!mill.root.at("raw/planted").exists());
    }
}

/// Told to stop, the daemon ends it with all its children, and takes the picture up again later.
#[test]
fn a_program_ends_with_the_daemon() {
    let mill = Mill::new("sleep 1000 & echo $! > child; sleep 1000", "");
    mill.drop_picture(0);
    let daemon = mill.root.run();
    let child = || {
        let folders = fs::read_dir(mill.root.at(".stockmill/programs")).into_iter().flatten();
        folders
            .filter_map(|folder| fs::read_to_string(folder.ok()?.path().join("child")).ok())
            .find(|pid| pid.ends_with('\n'))
    };
    mill.root.until("the program is at work", |_| child().is_some());
    let pid = child().unwrap();
    daemon.signal("-TERM");
    daemon.ends_well();
    // A killed process takes a moment to go, and nobody but the kernel can say when it is gone.
    mill.root.until("the child is gone", |_| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
    assert!(mill.left().is_empty(), "{:?}", mill.left());
    mill.write("enlarge \"$1\" \"$2\" \"$3\"");
    assert!(mill.root.once().status.success());
    assert_eq!(mill.root.bundled().len(), 1, "{}", mill.root.log());
}

/// What a daemon that was killed left of a program is swept at the next start; a picture that was taken away ends its
/// program.
#[test]
fn nothing_of_a_program_is_left() {
    let mill = Mill::new("mkdir -p a/b; echo x > a/b/c; echo $$ > child; sleep 1000", "");
    mill.drop_picture(0);
    let daemon = mill.root.run();
    mill.root.until("the program is at work", |_| !mill.left().is_empty());
    drop(daemon);
    assert_eq!(mill.left().len(), 1);
    let daemon = mill.root.run();
    let first = mill.left();
    mill.root.until("another one is at work", |_| mill.left().len() == 1 && mill.left() != first);
    fs::remove_file(mill.root.at("keep/winter-cabins/winter-cabins-0001.png")).unwrap();
    mill.root.until("it has ended", |_| mill.left().is_empty());
    daemon.signal("-TERM");
    daemon.ends_well();
}
