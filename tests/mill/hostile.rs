//! What a hostile, or merely careless, world drops. After every scenario: nothing outside the root was
//! read or written, nothing is lost, the program ends by itself, the neighbour arrives, nothing is done
//! twice, and each file that stays or is set aside is named together with the reason.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use image::{DynamicImage, ImageFormat, Rgb};
use rustix::fs::{CWD, FileType, Mode};
use stockmill::model::{ContentHash, escape_bytes};

use super::{NOTE, PATIENCE, Root, picture};

/// What becomes of a file.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// It goes all the way, and its original lies in the archive.
    Arrives,
    /// It goes to `failed`, with a reason that holds these words.
    SetAside(&'static str),
    /// It stays where it is, and `status` and `explain` say these words.
    Stays(&'static str),
    /// It may arrive or be set aside, but not stay.
    ArrivesOrSetAside,
}

use Fate::{Arrives, ArrivesOrSetAside, SetAside, Stays};

/// More memory than any of these scenarios may take, in KiB.
const MEMORY_KIB_MAX: u64 = 1 << 20;

/// A root before anything runs, and what is expected of each file that is dropped.
struct World {
    root: Root,
    outside: PathBuf,
    fates: Vec<(PathBuf, Option<ContentHash>, Fate)>,
    /// Pictures that arrive and are not among the fates.
    more: usize,
    seed: u32,
}

impl World {
    fn new(settings: &str) -> Self {
        let root = Root::with(settings);
        root.idea(NOTE);
        assert!(root.once().status.success());
        let outside = root.outside();
        let mut world = Self { root, outside, fates: Vec::new(), more: 0, seed: 1 };
        for name in ["canary.txt", "canary.png", "canary.mtl", "album/own.png"] {
            let path = world.outside.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, world.picture()).unwrap();
            // Long ago, so that the first read shows.
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
            File::open(&path).unwrap().set_times(FileTimes::new().set_accessed(then).set_modified(then)).unwrap();
        }
        world
    }

    /// Returns a picture like no other.
    fn picture(&mut self) -> Vec<u8> {
        self.seed += 1;
        picture(self.seed, 100)
    }

    /// Drops a file into the theme's folder.
    fn drop(&mut self, name: impl AsRef<OsStr>, bytes: &[u8], fate: Fate) {
        self.put(Path::new("raw/winter-cabins").join(name.as_ref()), bytes, fate);
    }

    /// Drops a new picture into the theme's folder.
    fn drop_picture(&mut self, name: impl AsRef<OsStr>, fate: Fate) {
        let bytes = self.picture();
        self.drop(name, &bytes, fate);
    }

    /// Drops a file anywhere.
    fn put(&mut self, path: PathBuf, bytes: &[u8], fate: Fate) {
        let real = self.root.path.join(&path);
        fs::create_dir_all(real.parent().unwrap()).unwrap();
        fs::write(real, bytes).unwrap();
        self.fates.push((path, Some(ContentHash::of(bytes)), fate));
    }

    /// Expects something of a name in the theme's folder that is there already.
    fn expect(&mut self, name: impl AsRef<OsStr>, fate: Fate) {
        self.fates.push((Path::new("raw/winter-cabins").join(name.as_ref()), None, fate));
    }

    fn raw(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.root.at("raw/winter-cabins").join(name.as_ref())
    }

    /// Runs stockmill to its end, twice, and checks everything that must always hold.
    fn survive(mut self) -> Root {
        let good = self.picture();
        self.drop("good neighbour.png", &good, Arrives);
        let dropped: Vec<(PathBuf, ContentHash)> = ["raw", "ideas", "keep", "export", "upload"]
            .iter()
            .flat_map(|stage| self.root.contents(stage))
            .map(|(path, bytes)| (path, ContentHash::of(&bytes)))
            .collect();
        let canaries = canaries(&self.outside);
        run_to_the_end(&self.root);
        let after = self.root.files();
        run_to_the_end(&self.root);
        assert_eq!(self.root.files(), after, "a second look changed something\n{}", self.root.log());

        let reads_show = canaries.iter().all(|(path, ..)| {
            let _ = fs::read(path);
            path.metadata().unwrap().atime() > 1_000
        });
        assert!(reads_show, "this file system does not tell of reads: run the tests on another");
        self.check_lost(&dropped);
        self.check_fates();
        self.check_log();
        assert_eq!(fs::read_dir(self.root.at(".stockmill/scratch")).unwrap().count(), 0);
        self.root
    }

    fn check_lost(&self, dropped: &[(PathBuf, ContentHash)]) {
        let kept: HashSet<ContentHash> =
            self.root.contents("").into_iter().map(|(_, bytes)| ContentHash::of(&bytes)).collect();
        let lost: Vec<&PathBuf> =
            dropped.iter().filter(|(_, hash)| !kept.contains(hash)).map(|(path, _)| path).collect();
        assert!(lost.is_empty(), "lost: {lost:?}\n{}", self.root.log());
    }

    fn check_fates(&self) {
        let log = self.root.log();
        let hashed = |area: &str| -> Vec<(PathBuf, ContentHash)> {
            self.root.contents(area).into_iter().map(|(path, bytes)| (path, ContentHash::of(&bytes))).collect()
        };
        let (archive, failed) = (hashed("archive"), hashed("failed"));
        let count =
            |area: &[(PathBuf, ContentHash)], wanted: &ContentHash| area.iter().filter(|(_, h)| h == wanted).count();
        let status: serde_json::Value = serde_json::from_slice(&self.root.call(&["status", "--json"]).stdout).unwrap();
        let mut wrong = Vec::new();
        let mut arrived = self.more;
        for (path, hash, fate) in &self.fates {
            let name = escape_bytes(path.as_os_str().as_bytes());
            let is_there = self.root.path.join(path).symlink_metadata().is_ok();
            let archived = hash.as_ref().map_or(0, |hash| count(&archive, hash));
            let set_aside = hash.as_ref().map_or(0, |hash| count(&failed, hash));
            let told = |why: &str| log.lines().any(|line| line.contains(&name) && line.contains(why));
            let problem = match fate {
                Arrives if archived == 1 && set_aside == 0 && !is_there => {
                    arrived += 1;
                    None
                }
                ArrivesOrSetAside if archived + set_aside == 1 && !is_there => {
                    arrived += archived;
                    (set_aside == 1 && !told("")).then(|| "no log line tells of it".to_owned())
                }
                SetAside(why) if archived == 0 && set_aside == 1 && !is_there => {
                    let reasons = self
                        .root
                        .contents("failed")
                        .into_iter()
                        .filter(|(path, _)| path.as_os_str().as_bytes().ends_with(b".reason.txt"));
                    let has_reason = reasons.into_iter().any(|(_, text)| {
                        let text = String::from_utf8_lossy(&text).into_owned();
                        text.contains(why) && text.contains(&name)
                    });
                    (!has_reason || !told(why)).then(|| format!("no reason `{why}` beside it or in the log"))
                }
                Stays(why) if is_there && archived + set_aside == 0 => self.says(&status, path, &name, why),
                _ => Some(format!("there {is_there}, archived {archived}, set aside {set_aside}")),
            };
            wrong.extend(problem.map(|problem| format!("{name}: {fate:?}: {problem}")));
        }
        let rows = self.root.csv().len().saturating_sub(1);
        if wrong.is_empty() && (self.root.bundled().len() != arrived || rows != arrived) {
            wrong.push(format!("{arrived} arrived, {} bundled, {rows} rows", self.root.bundled().len()));
        }
        assert!(wrong.is_empty(), "{}\n{status}\n{:?}\n{log}", wrong.join("\n"), self.root.files());
    }

    /// Returns what is missing if `status` and `explain` do not name a file and the reason.
    fn says(&self, status: &serde_json::Value, path: &Path, name: &str, why: &str) -> Option<String> {
        let in_status = status["stages"].as_object().unwrap().values().any(|stage| {
            let lines = ["held", "left_alone"].iter().flat_map(|list| stage[list].as_array().unwrap());
            lines.into_iter().any(|line| line[0] == name && line[1].as_str().unwrap().contains(why))
        });
        if !in_status {
            return Some(format!("`status` does not say `{why}`"));
        }
        let output = self.root.command(&["explain"]).arg(self.root.path.join(path)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_said = output.status.success() && said.contains(why);
        (!is_said)
            .then(|| format!("`explain` says {:?} {said} {}", output.status, String::from_utf8_lossy(&output.stderr)))
    }

    fn check_log(&self) {
        for line in self.root.log().lines() {
            let is_one = line.get(..4).is_some_and(|year| year.parse::<u32>().is_ok());
            let hidden = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}');
            assert!(is_one && !line.contains(hidden), "a forged log line: {line:?}");
        }
    }
}

/// What is known of a file outside: bytes would have to be read to be compared, so they come last.
type Canary = (PathBuf, i64, i64, i64, u64);

fn canaries(outside: &Path) -> Vec<Canary> {
    let names = ["canary.txt", "canary.png", "canary.mtl", "album/own.png"];
    let see = |path: PathBuf| {
        let meta = path.metadata().unwrap();
        (path, meta.atime(), meta.mtime(), meta.ctime(), meta.nlink())
    };
    names.iter().map(|name| see(outside.join(name))).collect()
}

/// Runs `once`, which must end by itself, soon, without taking the machine's memory, and without a
/// crash; nothing outside may have been looked into.
fn run_to_the_end(root: &Root) {
    let outside = root.outside();
    let before = canaries(&outside);
    let mut child = root.command(&["once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (end, mut peak_kib) = (Instant::now() + PATIENCE, 0);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let about = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = about.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak_kib = peak.unwrap_or(0).max(peak_kib);
        if Instant::now() > end {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it does not end: {:?}\n{}", root.files(), root.log());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(matches!(status.code(), Some(0 | 1)), "{status}\n{}", root.log());
    assert!(peak_kib < MEMORY_KIB_MAX, "it took {peak_kib} KiB");
    assert_eq!(canaries(&outside), before, "a file outside was touched\n{}", root.log());
}

const SETTINGS: &str = "keep: {min_megapixels: 0.04}\n";

#[test]
fn links_and_special_files_are_left_alone() {
    let mut world = World::new(SETTINGS);
    symlink(world.outside.join("canary.png"), world.raw("link.png")).unwrap();
    symlink(world.outside.join("album"), world.raw("album")).unwrap();
    symlink(".", world.raw("loop")).unwrap();
    symlink("b", world.raw("a")).unwrap();
    symlink("a", world.raw("b")).unwrap();
    symlink("nowhere.png", world.raw("dangling.png")).unwrap();
    symlink("/etc/passwd", world.raw("passwd.txt")).unwrap();
    for name in ["link.png", "album", "loop", "a", "b", "dangling.png", "passwd.txt"] {
        world.expect(name, Stays("symbolic link"));
    }
    rustix::fs::mknodat(CWD, world.raw("fifo.png"), FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    let _socket = UnixListener::bind(world.raw("socket.png")).unwrap();
    world.expect("fifo.png", Stays("no regular file"));
    world.expect("socket.png", Stays("no regular file"));
    // Only root may make devices.
    for (name, kind, number) in
        [("zero.png", FileType::CharacterDevice, (1, 5)), ("disk.png", FileType::BlockDevice, (7, 0))]
    {
        let number = rustix::fs::makedev(number.0, number.1);
        if rustix::fs::mknodat(CWD, world.raw(name), kind, Mode::from_raw_mode(0o644), number).is_ok() {
            world.expect(name, Stays("no regular file"));
        }
    }
    world.survive();
}

#[test]
fn a_theme_that_is_a_link_is_left_alone() {
    let mut world = World::new(SETTINGS);
    for stage in ["raw", "keep", "export", "upload"] {
        symlink(world.outside.join("album"), world.root.at(stage).join("linked")).unwrap();
        world.fates.push((Path::new(stage).join("linked"), None, Stays("symbolic link")));
    }
    world.survive();
}

#[test]
fn companions_that_are_no_files_are_left_alone_and_do_not_stop_their_asset() {
    let mut world = World::new(SETTINGS);
    let fifo = |path: PathBuf| rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    for name in ["a", "b", "c", "d", "e"] {
        world.drop_picture(format!("{name}.png"), Arrives);
    }
    symlink(world.outside.join("canary.txt"), world.raw("a.png.yaml")).unwrap();
    fs::create_dir(world.raw("b.png.yaml")).unwrap();
    fifo(world.raw("c.png.yaml"));
    fifo(world.raw("d.xmp"));
    symlink(world.outside.join("canary.txt"), world.raw("e.xmp")).unwrap();
    world.expect("a.png.yaml", Stays("symbolic link"));
    world.expect("c.png.yaml", Stays("no regular file"));
    world.expect("d.xmp", Stays("no regular file"));
    world.expect("e.xmp", Stays("symbolic link"));
    world.survive();
}

#[test]
fn shared_tags_that_are_no_file_hold_their_theme_and_nothing_else() {
    type Make = fn(&Path, &Path);
    let makes: [Make; 3] = [
        |path, outside| symlink(outside.join("canary.txt"), path).unwrap(),
        |path, _| rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap(),
        |path, _| fs::create_dir(path).unwrap(),
    ];
    for make in makes {
        let mut world = World::new(SETTINGS);
        world.put("raw/other/a.png".into(), &picture(200, 100), Stays("tags.yaml"));
        make(&world.root.at("raw/other/tags.yaml"), &world.outside);
        world.survive();
    }
}

#[test]
fn folders_with_the_names_of_files() {
    let mut world = World::new(SETTINGS);
    fs::create_dir(world.raw("empty.png")).unwrap();
    fs::create_dir(world.raw("prompts.txt.png")).unwrap();
    world.drop_picture("a.png/b.png", Arrives);
    world.drop_picture("a.part/b.png", Arrives);
    let deep = format!("{}a.png", "d/".repeat(500));
    world.drop_picture(&deep, Stays(""));
    // The folder where the walk ends is named, not each file below it.
    world.fates.pop();
    let root = world.survive();
    assert!(root.text(&["status"]).contains("folders deep"), "{}", root.text(&["status"]));
}

#[test]
fn a_huge_file_without_content_is_not_read() {
    use std::io::Write as _;
    for head in [&b""[..], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x64\0\0\0\x64\x08\x02\0\0\0", b"\0\0\0\x18ftypisom"] {
        let world = World::new(SETTINGS);
        let mut file = File::create(world.raw("a sparse one.png")).unwrap();
        file.write_all(head).unwrap();
        file.set_len(1 << 40).unwrap();
        drop(file);
        let root = world.survive();
        let (status, log) = (root.text(&["status"]), root.log());
        assert!(status.contains("a sparse one.png") || log.contains("Set aside"), "{status}\n{log}");
        // It lies somewhere, whole.
        let left =
            [root.at("raw/winter-cabins/a sparse one.png"), root.at("failed/raw/winter-cabins/a sparse one.png")];
        assert_eq!(left.iter().filter(|path| path.metadata().is_ok_and(|meta| meta.len() == 1 << 40)).count(), 1);
    }
}

#[test]
fn rights_of_a_dropped_file_are_not_carried_on() {
    let mut world = World::new(SETTINGS);
    world.drop_picture("setuid.png", Arrives);
    fs::set_permissions(world.raw("setuid.png"), fs::Permissions::from_mode(0o6755)).unwrap();
    let root = world.survive();
    for (path, _) in root.contents("") {
        let mode = path.metadata().unwrap().mode();
        assert_eq!(mode & 0o6000, 0, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn files_that_may_not_be_read_wait_and_are_named() {
    let mut world = World::new(SETTINGS);
    world.drop_picture("locked.png", Arrives);
    fs::set_permissions(world.raw("locked.png"), fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(world.raw("locked.png")).is_err() {
        // Root may read everything; anybody else must wait.
        world.fates.last_mut().unwrap().2 = Stays("ermission");
    }
    world.drop_picture("of somebody else.png", Arrives);
    // Only root may give files away.
    let _ = std::os::unix::fs::chown(world.raw("of somebody else.png"), Some(65534), Some(65534));
    world.survive();
}

/// Names that a person, a program or an attacker may give to a picture.
fn names() -> Vec<OsString> {
    let texts = [
        "line\nbreak.png",
        "\u{1b}[31mred\u{1b}[0m.png",
        "a.png\r2026-01-01T00:00:00Z  INFO Moved. file=raw\n2026-01-01 INFO forged.png",
        "tab\tand\u{7}bell.png",
        "-rf.png",
        "--root=x.png",
        "it's \"quoted\" $(touch x) `id`; a|b&c>d<e*?.png",
        "back\\slash \\x41.png",
        "CON.png",
        "nul",
        "com1.jpg",
        "trailing dot.png.",
        "trailing space.png ",
        " leading space.png",
        "colon:and:more.png",
        "caf\u{e9}.png",
        "cafe\u{301}.png",
        "Case.png",
        "case.png",
        "CASE.PNG",
        "\u{202e}gnp.exe.png",
        "zero\u{200b}width\u{feff}.png",
        "\u{1f384}\u{1f98c}.png",
        "e\u{301}\u{302}\u{303}\u{304}.png",
        "a.jpg.exe",
        "a picture.jpg",
        "no extension",
        "{theme}-{seq:04} %s %n.png",
        "a.reason.png",
        "winter-cabins-0001.png",
        "tags.yaml.png",
        "SENT",
    ];
    let mut names: Vec<OsString> = texts.iter().map(OsString::from).collect();
    names.push(OsString::from_vec(b"not \xff\xfe utf-8 \xc3.png".to_vec()));
    names.push(OsString::from_vec(b"\x80".to_vec()));
    names
}

#[test]
fn names_of_every_kind_arrive() {
    let mut world = World::new(SETTINGS);
    for name in names() {
        world.drop_picture(name, Arrives);
    }
    world.survive();
}

#[test]
fn names_of_every_kind_make_portable_names() {
    let mut world =
        World::new("keep: {min_megapixels: 0.04}\nnaming: {first: \"{original}-{seq}\", last: \"{original}-{seq}\"}\n");
    for name in names() {
        world.drop_picture(name, Arrives);
    }
    let root = world.survive();
    for path in
        root.files().iter().filter(|path| path.starts_with("archive/winter-cabins/") || path.contains("/files/"))
    {
        let name = path.rsplit('/').next().unwrap();
        let is_plain = name.chars().all(|c| c.is_alphanumeric() || "._-\u{301}\u{302}\u{303}\u{304}".contains(c));
        assert!(is_plain && !name.starts_with(['-', '.']) && !name.ends_with('.') && name.len() < 200, "{name:?}");
    }
}

#[test]
fn names_that_hide_stay_and_are_named() {
    let mut world = World::new(SETTINGS);
    for name in ["..png", "...", ".png", "....", ".hidden.png", "._a.png", ". .png"] {
        world.drop_picture(name, Stays("hidden"));
    }
    for name in ["~$a.png", "#a.png#", "a.png~", "a.png.crdownload", "Thumbs.db", "a.png.swp"] {
        world.drop_picture(name, Stays(""));
    }
    world.survive();
}

#[test]
fn names_that_are_all_ending_stay_and_stop_nothing() {
    for name in [".part", "..part", "...part", ".crdownload", "..download", ".!qB", ".aria2"] {
        let mut world = World::new(SETTINGS);
        world.drop_picture(name, Stays("hidden"));
        world.survive();
    }
}

#[test]
fn names_as_long_as_they_can_be_arrive() {
    let mut world = World::new(SETTINGS);
    for (n, length) in [200, 222, 223, 224, 240, 249, 250, 251, 252, 254, 255].into_iter().enumerate() {
        let stem = char::from(b'a' + u8::try_from(n).unwrap()).to_string();
        world.drop_picture(format!("{}.png", stem.repeat(length - 4)), Arrives);
    }
    world.drop_picture("\u{1f384}".repeat(63) + "x", Arrives);
    world.survive();
}

#[test]
fn broken_files_of_any_name_are_set_aside() {
    let mut world = World::new(SETTINGS);
    let mut names = names();
    names.retain(|name| name != "winter-cabins-0001.png");
    for name in names {
        let whole = world.picture();
        world.drop(name, &whole[..whole.len() - 40], SetAside("cut off"));
    }
    world.survive();
}

#[test]
fn broken_files_with_the_longest_names_are_set_aside() {
    let mut world = World::new(SETTINGS);
    for (length, letter) in [(224, "a"), (240, "b"), (251, "c"), (255, "d")] {
        let whole = world.picture();
        world.drop(format!("{}.png", letter.repeat(length - 4)), &whole[..whole.len() - 40], SetAside("cut off"));
    }
    let whole = world.picture();
    let name = OsString::from_vec([vec![0xff; 251], b".png".to_vec()].concat());
    world.drop(name, &whole[..whole.len() - 40], SetAside("cut off"));
    world.survive();
}

#[test]
fn a_folder_named_like_a_day_is_looked_at() {
    // Generators put their pictures into folders of the day.
    let mut world = World::new(SETTINGS);
    let bytes = world.picture();
    world.put("raw/2026-11-27/a.png".into(), &bytes, Stays(""));
    world.survive();
}

#[test]
fn a_theme_whose_name_is_no_text_is_told_of() {
    let mut world = World::new(SETTINGS);
    let bytes = world.picture();
    world.put(PathBuf::from(OsString::from_vec(b"raw/\xff\xfe/a.png".to_vec())), &bytes, Stays(""));
    world.survive();
}

/// Returns shared tags that are good enough to be bundled.
const TAGS: &str = "title: A cabin\nkeywords: [snow, cabin]\n";

#[test]
fn themes_of_every_name_arrive_and_none_takes_the_name_of_another() {
    let mut world = World::new(SETTINGS);
    let themes = [
        "Winter Cabins",
        "winter cabins",
        "WINTER-CABINS",
        "winter:cabins",
        "-rf",
        "line\nbreak",
        "CON",
        "dot.",
        "\u{1f384}",
        "\u{202e}x",
        "caf\u{e9}",
        "cafe\u{301}",
        "tags.yaml",
        "$(id)",
        "adobe-stock",
        "failed",
    ];
    for theme in themes {
        let bytes = world.picture();
        world.put(Path::new("raw").join(theme).join("a.png"), &bytes, Arrives);
        fs::write(world.root.at("raw").join(theme).join("tags.yaml"), TAGS).unwrap();
    }
    let long = "t".repeat(255);
    let bytes = world.picture();
    world.put(Path::new("raw").join(&long).join("a.png"), &bytes, Arrives);
    fs::write(world.root.at("raw").join(&long).join("tags.yaml"), TAGS).unwrap();
    world.survive();
}

/// What a record of 100 MB consists of.
const HUGE: &[u8] = b"# comment\n";

/// Sidecars that no honest program writes.
fn bad_records() -> Vec<(&'static str, Vec<u8>)> {
    let laughs = (1..12).fold("a0: &a0 [lol]\n".to_owned(), |text, n| {
        text + &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "))
    });
    vec![
        ("a billion laughs", laughs.into_bytes()),
        ("laughs in a list", b"tags: {keywords: &k [&a [x, x], *a, *a]}\nmore: [*k, *k, *k]\n".to_vec()),
        ("deep brackets", "[".repeat(100_000).into_bytes()),
        ("deep maps", "{a: ".repeat(100_000).into_bytes()),
        ("deep dashes", "- ".repeat(100_000).into_bytes()),
        ("double keys", b"title: a\ntitle: b\ntags: {}\ntags: {}\n".to_vec()),
        ("wrong types", b"version: one\ntitle: {a: [1, 2]}\nkeywords: {x: y}\ntags: 5\n".to_vec()),
        ("a list", b"- a\n- b\n".to_vec()),
        ("a raw NUL", b"title: a\0b\n".to_vec()),
        ("UTF-16", "title: Winter\n".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("no text", vec![0xff; 5_000]),
        ("a tag", b"!!python/object/apply:os.system [id]\n".to_vec()),
        ("another version", b"version: 99\n".to_vec()),
    ]
}

#[test]
fn bad_sidecars_hold_their_asset_and_are_named() {
    let mut world = World::new(SETTINGS);
    for (what, text) in bad_records() {
        world.drop_picture(format!("{what}.png"), Stays(".png.yaml"));
        fs::write(world.raw(format!("{what}.png.yaml")), &text).unwrap();
    }
    let root = world.survive();
    for (what, text) in bad_records() {
        assert_eq!(fs::read(root.at(&format!("raw/winter-cabins/{what}.png.yaml"))).unwrap(), text, "{what}");
    }
}

#[test]
fn a_sidecar_of_100_mb_is_named_as_the_reason() {
    let mut world = World::new(SETTINGS);
    let picture = world.picture();
    fs::write(world.raw("a.png"), picture).unwrap();
    fs::write(world.raw("a.png.yaml"), HUGE.repeat(10_000_000)).unwrap();
    let root = world.survive();
    let told = [root.log(), root.text(&["status"])].concat();
    let is_told = told.lines().any(|line| line.contains("a.png.yaml") && line.contains("100000000 bytes"));
    assert!(is_told, "the reason must not speak of the picture\n{told}");
}

#[test]
fn sidecars_with_paths_that_leave_the_root_are_refused() {
    let fields = [
        "theme: ../../outside/x",
        "theme: /etc",
        "theme: a/b",
        "theme: ..",
        "origin: {path: ../../outside/canary.png, hash: '00', kind: png}",
        "tags: {keywords: [a]}\norigin: {path: raw/a.png, hash: '0000000000000000000000000000000000000000000000000000000000000000', kind: png, archived: ../../outside/canary.png}",
    ];
    for field in fields {
        let mut world = World::new(SETTINGS);
        world.drop_picture("a.png", Stays("a.png.yaml"));
        fs::write(world.raw("a.png.yaml"), format!("version: 1\n{field}\n")).unwrap();
        world.survive();
    }
}

#[test]
fn sidecars_with_an_identity_that_is_none_are_refused() {
    for id in ["../../../x", "zz", "''", "0123456789abcdef0"] {
        let mut world = World::new(SETTINGS);
        world.drop_picture("a.png", Stays("a.png.yaml"));
        fs::write(world.raw("a.png.yaml"), format!("version: 1\nid: {id}\n")).unwrap();
        world.survive();
    }
}

#[test]
fn what_a_sidecar_calls_remakeable_is_kept_unless_its_original_lies_in_the_archive() {
    // A refined picture that came with its sidecar from another root, or whose archive was emptied.
    let first = Root::with("keep: {min_megapixels: 0.04}\ngates: {export: hold}\n");
    first.idea(NOTE);
    assert!(first.once().status.success());
    fs::write(first.at("raw/winter-cabins/a.png"), picture(700, 100)).unwrap();
    assert!(first.once().status.success());
    let name = "export/winter-cabins/winter-cabins-0001.png";
    let (refined, sidecar) = (fs::read(first.at(name)).unwrap(), fs::read(first.at(&format!("{name}.yaml"))).unwrap());

    let world = World::new(SETTINGS);
    fs::create_dir_all(world.root.at("export/winter-cabins")).unwrap();
    fs::write(world.root.at(name), &refined).unwrap();
    fs::write(world.root.at(&format!("{name}.yaml")), sidecar).unwrap();
    run_to_the_end(&world.root);
    let kept = world.root.contents("").iter().filter(|(_, bytes)| *bytes == refined).count();
    assert_eq!(kept, 1, "the only copy is gone: {:?}\n{}", world.root.files(), world.root.log());
}

#[test]
fn bad_shared_tags_hold_their_theme_and_are_named() {
    let mut world = World::new(SETTINGS);
    let mut records = bad_records();
    records.push(("100 MB", HUGE.repeat(10_000_000)));
    for (what, text) in &records {
        let bytes = world.picture();
        world.put(Path::new("raw").join(what).join("a.png"), &bytes, Stays("tags.yaml"));
        fs::write(world.root.at("raw").join(what).join("tags.yaml"), text).unwrap();
    }
    let root = world.survive();
    for (what, text) in records {
        assert!(fs::read(root.at("raw").join(what).join("tags.yaml")).unwrap() == text, "{what}");
    }
}

#[test]
fn shared_tags_cannot_reach_outside() {
    for line in
        ["use: [../../outside/canary]", "use: [/etc/passwd]", "documents: [../../../outside/canary.txt]", "use: ['..']"]
    {
        let mut world = World::new(SETTINGS);
        world.put("raw/other/a.png".into(), &picture(200, 100), Arrives);
        fs::write(world.root.at("raw/other/tags.yaml"), format!("{TAGS}{line}\n")).unwrap();
        // Whether the theme waits for a set that cannot be or does without: nothing outside is looked at.
        world.fates.pop();
        let root = Root::outside(&world.root);
        let before = canaries(&root);
        run_to_the_end(&world.root);
        assert_eq!(canaries(&root), before);
        assert!(!world.root.csv().iter().any(|row| row[1].contains("canary")));
    }
}

#[test]
fn models_that_name_files_outside_wait_or_go_without_them() {
    let mut world = World::new("upload: {markets: []}\n");
    fs::write(world.raw("cube.obj"), "mtllib ../../../../outside/canary.mtl\nmtllib /etc/passwd\nv 0 0 0\n").unwrap();
    let gltf = r#"{"asset": {"version": "2.0"}, "buffers": [{"uri": "../../../../outside/canary.png"}, {"uri": "..%2f..%2fx"}], "images": [{"uri": "file:///etc/passwd"}, {"uri": "data:text/plain,x"}]}"#;
    fs::write(world.raw("scene.gltf"), gltf).unwrap();
    let good = world.picture();
    fs::write(world.raw("good.png"), good).unwrap();
    run_to_the_end(&world.root);
    run_to_the_end(&world.root);
    world.check_log();
    assert!(world.outside.join("canary.mtl").exists());
    let text = [world.root.text(&["status"]), world.root.log()].concat();
    assert!(text.contains("cube.obj") && text.contains("scene.gltf"), "{text}");
}

#[test]
fn notes_that_no_honest_person_writes_are_survived() {
    for extension in ["yaml", "md", "txt", "csv"] {
        let world = World::new(SETTINGS);
        let mut records = bad_records();
        if extension == "yaml" {
            records.push(("100 MB", HUGE.repeat(10_000_000)));
        }
        for (what, text) in &records {
            fs::write(world.root.at("ideas").join(format!("{what}.{extension}")), text).unwrap();
        }
        let root = world.survive();
        let told = [root.log(), root.text(&["status"])].concat();
        for (what, _) in records {
            assert!(told.contains(&format!("{what}.{extension}")), "{what}.{extension}\n{told}");
        }
    }
}

#[test]
fn notes_cannot_name_a_theme_outside() {
    let world = World::new(SETTINGS);
    let note = "- ../../outside/x — a, b\n- /etc/passwd — a\n- .. — a\n- . — a\n- \u{202e}x\u{0} — b\n- CON — a\n";
    fs::write(world.root.at("ideas/bad.md"), note).unwrap();
    fs::write(world.root.at("ideas/bad.csv"), "title,keywords\n../../../outside/y,a\n\"=cmd|' /C calc'!A0\",b\n")
        .unwrap();
    let root = world.survive();
    for entry in fs::read_dir(root.at("raw")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name == ".stockmill-area" {
            continue;
        }
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name:?}");
    }
}

#[test]
fn texts_of_every_encoding_are_read() {
    let forms: [(&str, Vec<u8>); 3] = [
        ("BOM", [b"\xef\xbb\xbf", TAGS.as_bytes()].concat()),
        ("CRLF", TAGS.replace('\n', "\r\n").into_bytes()),
        ("BOM and CRLF", [b"\xef\xbb\xbf", TAGS.replace('\n', "\r\n").as_bytes()].concat()),
    ];
    for (what, text) in forms {
        let mut world = World::new(SETTINGS);
        world.put("raw/other/a.png".into(), &picture(200, 100), Arrives);
        fs::write(world.root.at("raw/other/tags.yaml"), text).unwrap();
        let root = world.survive();
        assert!(root.csv().iter().any(|row| row[1] == "A cabin"), "{what}");
    }
}

#[test]
fn texts_cannot_forge_a_row_or_a_mark() {
    let titles = [
        r#""a\",\r\nforged.jpg,x""#,
        r#""a\0b""#,
        r#""\e[31m a""#,
        r#""</rdf:li><x/> & \"'""#,
        "'=cmd|'' /C calc''!A0'",
        r#""\u202e\u200b""#,
    ];
    for title in titles {
        let mut world = World::new(SETTINGS);
        let bytes = world.picture();
        world.put("raw/other/a.png".into(), &bytes, ArrivesOrSetAside);
        fs::write(world.root.at("raw/other/tags.yaml"), format!("title: {title}\nkeywords: [snow, {title}]\n"))
            .unwrap();
        world.fates.pop();
        let kept = ContentHash::of(&bytes);
        run_to_the_end(&world.root);
        world.check_log();
        let whole = world.root.contents("").iter().filter(|(_, bytes)| ContentHash::of(bytes) == kept).count();
        assert_eq!(whole, 1, "{title}");
        let rows = world.root.csv();
        assert_eq!(rows.len().saturating_sub(1), world.root.bundled().len(), "{title}: {rows:?}");
        let bad = |c: char| c.is_control();
        assert!(!rows.iter().flatten().any(|cell| cell.contains(bad)), "{title}: {rows:?}");
        assert!(!rows.iter().flatten().any(|cell| cell.starts_with('=')), "{title}: {rows:?}");
    }
}

#[test]
fn keywords_without_end_are_cut_or_told_of() {
    let many: Vec<String> = (0..10_000).map(|n| format!("word{n}")).collect();
    let long = "w".repeat(10_000);
    for keywords in [format!("keywords: [{}]", many.join(", ")), format!("keywords: [{long}, snow]")] {
        let mut world = World::new(SETTINGS);
        let bytes = world.picture();
        world.put("raw/other/a.png".into(), &bytes, Arrives);
        world.fates.pop();
        fs::write(world.root.at("raw/other/tags.yaml"), format!("title: A cabin\n{keywords}\n")).unwrap();
        run_to_the_end(&world.root);
        let rows = world.root.csv();
        let status = world.root.text(&["status"]);
        match rows.get(1) {
            Some(row) => assert!(row[2].split(',').count() <= 49, "{} keywords", row[2].split(',').count()),
            None => assert!(status.contains("other/") && status.contains("metadata"), "{status}"),
        }
    }
}

#[test]
fn sidecars_without_their_asset_stay() {
    let mut world = World::new(SETTINGS);
    for name in ["gone.png.yaml", "gone.txt", "gone.xmp", "gone.json"] {
        world.drop(name, format!("title: {name}\n").as_bytes(), Stays("not here"));
    }
    world.survive();
}

/// Returns zeros in DEFLATE, 258 of them in 13 bits, wrapped as zlib does.
fn zeros(count: u64) -> Vec<u8> {
    let (mut bytes, mut bits, mut filled) = (vec![0x78, 0x01], 0_u32, 0);
    let mut push = |bytes: &mut Vec<u8>, value: u32, length: u32| {
        bits |= value << filled;
        filled += length;
        while filled >= 8 {
            bytes.push(u8::try_from(bits & 0xff).unwrap());
            bits >>= 8;
            filled -= 8;
        }
    };
    let reversed = |code: u32, length: u32| code.reverse_bits() >> (32 - length);
    let literal = reversed(0b0011_0000, 8);
    push(&mut bytes, 0b011, 3);
    push(&mut bytes, literal, 8);
    for _ in 0..(count - 1) / 258 {
        push(&mut bytes, reversed(0b1100_0101, 8), 8);
        push(&mut bytes, 0, 5);
    }
    for _ in 0..(count - 1) % 258 {
        push(&mut bytes, literal, 8);
    }
    push(&mut bytes, 0, 7);
    push(&mut bytes, 0, 7);
    bytes.extend(((u32::try_from(count % 65_521).unwrap() << 16) | 1).to_be_bytes());
    bytes
}

fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&name[..], data].concat();
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], &body, &crc32fast::hash(&body).to_be_bytes()].concat()
}

fn png(width: u32, height: u32, depth: u8, data: &[u8], extra: &[Vec<u8>]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, 0, 0, 0, 0]].concat();
    let chunks = [chunk(*b"IHDR", &header), extra.concat(), chunk(*b"IDAT", data), chunk(*b"IEND", b"")].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks].concat()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn rgb(seed: u32) -> DynamicImage {
    image::load_from_memory(&picture(seed, 100)).unwrap()
}

/// Returns a JPEG with a further segment after its start.
fn jpeg_with(jpeg: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, data, &jpeg[2..]].concat()
}

#[test]
fn bombs_are_set_aside_without_being_unpacked() {
    let mut world = World::new(SETTINGS);
    let row_bytes = 40_000 / 8 + 1;
    world.drop("bomb.png", &png(40_000, 40_000, 1, &zeros(40_000 * row_bytes), &[]), SetAside("pixels"));
    world.drop("lying.png", &png(100_000, 100_000, 8, b"", &[]), SetAside("100000"));
    world.drop("lying at most.png", &png(20_000, 19_999, 8, &zeros(100), &[]), SetAside(""));
    world.drop("nothing.png", &png(0, 0, 8, &zeros(1), &[]), SetAside(""));
    let text = [b"c\0\0".to_vec(), zeros(300_000_000)].concat();
    world.drop("text.png", &png(100, 100, 8, &zeros(100 * 101), &[chunk(*b"zTXt", &text)]), ArrivesOrSetAside);
    let profile = [b"p\0\0".to_vec(), zeros(300_000_000)].concat();
    world.drop(
        "profile.png",
        // Pixels of its own: the same content is not bundled twice.
        &png(100, 101, 8, &zeros(101 * 101), &[chunk(*b"iCCP", &profile), chunk(*b"tEXt", b"a\0b")]),
        ArrivesOrSetAside,
    );
    let gif = [&b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;"[..]]
        .concat();
    world.drop("lying.gif", &gif, SetAside(""));
    let lossless = b"RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0";
    world.drop("lying.webp", lossless, SetAside(""));
    let extended = b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff";
    world.drop("lying canvas.webp", extended, SetAside(""));
    let tag = |tag: u16, kind: u16, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let tags = [
        tag(256, 4, 60_000),
        tag(257, 4, 60_000),
        tag(258, 3, 8),
        tag(259, 3, 1),
        tag(262, 3, 1),
        tag(273, 4, 8),
        tag(277, 3, 1),
        tag(278, 4, 60_000),
        tag(279, 4, 3_600_000_000),
    ];
    let tiff = [&b"II*\0\x08\0\0\0\x09\0"[..], &tags.concat(), &[0; 4]].concat();
    world.drop("lying.tif", &tiff, SetAside(""));
    let ring = [&b"II*\0\x08\0\0\0\x01\0"[..], &tag(256, 4, 10), &8_u32.to_le_bytes()].concat();
    world.drop("ring.tif", &ring, SetAside(""));
    let jpeg = encoded(&rgb(3), ImageFormat::Jpeg);
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 5;
    let mut huge = jpeg;
    huge[at..at + 4].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    world.drop("lying.jpg", &huge, SetAside(""));
    world.survive();
}

#[test]
fn what_is_cut_off_is_set_aside() {
    let mut world = World::new(SETTINGS);
    for (n, (extension, format)) in [
        ("png", ImageFormat::Png),
        ("jpg", ImageFormat::Jpeg),
        ("webp", ImageFormat::WebP),
        ("gif", ImageFormat::Gif),
        ("tif", ImageFormat::Tiff),
        ("bmp", ImageFormat::Bmp),
    ]
    .into_iter()
    .enumerate()
    {
        let whole = encoded(&rgb(u32::try_from(n).unwrap() + 50), format);
        for percent in [20, 60, 97] {
            let cut = &whole[..whole.len() * percent / 100];
            world.drop(format!("cut at {percent}.{extension}"), cut, SetAside(""));
        }
    }
    let part = |name: &[u8; 4], size: u32| [&(size + 8).to_be_bytes()[..], name, &vec![0; size as usize]].concat();
    let video = [part(b"ftyp", 8), part(b"mdat", 5_000), part(b"moov", 20)].concat();
    world.drop("cut.mp4", &video[..4_000], SetAside("cut off"));
    world.drop("no index.mp4", &video[..16 + 5_008], SetAside("index"));
    world.drop("boxes.mp4", &[part(b"ftyp", 8), part(b"free", 0).repeat(200_000)].concat(), SetAside("boxes"));
    world.survive();
}

#[test]
fn odd_content_is_known_by_what_it_is() {
    let mut world = World::new(SETTINGS);
    for (name, bytes) in [
        ("page.png", &b"<!doctype html><script>alert(1)</script>"[..]),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"),
        ("script.jpg", b"#!/bin/sh\ntouch /tmp/x\n"),
        ("archive.zip", b"PK\x03\x04 a zip"),
        ("archive.png", b"PK\x03\x04 a zip"),
        ("program.exe", b"MZ\x90\0"),
        ("random.png", &[7; 5_000]),
    ] {
        world.drop(name, bytes, Stays("no picture"));
    }
    world.drop("empty.png", b"", Stays("empty"));
    // Two things at once: the picture goes on, and what hangs behind it stays in the archive.
    let polyglot = [world.picture(), b"PK\x03\x04 a hidden zip PK\x05\x06".to_vec()].concat();
    world.drop("polyglot.png", &polyglot, Arrives);
    let mut seed = 70;
    let mut with = |marker: u8, data: &[u8]| {
        seed += 1;
        jpeg_with(&encoded(&rgb(seed), ImageFormat::Jpeg), marker, data)
    };
    world.drop("exif.jpg", &with(0xe1, &[b"Exif\0\0".to_vec(), vec![0xa5; 60_000]].concat()), Arrives);
    world.drop("exif loop.jpg", &with(0xe1, b"Exif\0\0II*\0\x08\0\0\0\0\0\x08\0\0\0"), Arrives);
    world.drop("xmp.jpg", &with(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><unclosed &bad; <<"), Arrives);
    world.drop(
        "icc.jpg",
        &with(0xe2, &[b"ICC_PROFILE\0\x01\x01".to_vec(), vec![0xa5; 60_000]].concat()),
        ArrivesOrSetAside,
    );
    world.drop("comment.jpg", &with(0xfe, &vec![0; 60_000]), Arrives);
    world.drop("a jpeg.png", &encoded(&rgb(61), ImageFormat::Jpeg), Arrives);
    world.drop("deep.png", &encoded(&DynamicImage::from(rgb(62).to_rgb16()), ImageFormat::Png), Arrives);
    world.drop("deep grey.png", &encoded(&DynamicImage::from(rgb(63).to_luma16()), ImageFormat::Png), Arrives);
    world.drop("alpha.png", &encoded(&DynamicImage::from(rgb(64).to_rgba8()), ImageFormat::Png), Arrives);
    let mut cmyk = Vec::new();
    let pixels: Vec<u8> = (0..40_000_u32).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect();
    jpeg_encoder::Encoder::new(&mut cmyk, 90).encode(&pixels, 100, 100, jpeg_encoder::ColorType::Cmyk).unwrap();
    world.drop("cmyk.jpg", &cmyk, ArrivesOrSetAside);
    let mut gif = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
    let frame = |n: u32| {
        image::Frame::new(
            DynamicImage::from(image::RgbImage::from_pixel(4, 4, Rgb([u8::try_from(n % 256).unwrap(), 0, 0])))
                .to_rgba8(),
        )
    };
    encoder.encode_frames((0..10_000).map(frame)).unwrap();
    drop(encoder);
    world.drop("moving.gif", &gif, SetAside("anim"));
    let root = world.survive();
    for path in root.bundled() {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"PK\x03\x04"), "{}", path.display());
    }
}

#[test]
fn files_that_differ_and_show_the_same_picture_leave_nothing_undone() {
    // They become the same bytes once they are enlarged.
    let world = World::new(SETTINGS);
    let jpeg = encoded(&rgb(90), ImageFormat::Jpeg);
    for comment in ["one", "two", "three"] {
        fs::write(world.raw(format!("{comment}.jpg")), jpeg_with(&jpeg, 0xfe, comment.as_bytes())).unwrap();
    }
    run_to_the_end(&world.root);
    let root = world.root;
    let left = |name: &&String| ["raw/", "keep/", "export/"].iter().any(|stage| name.starts_with(stage));
    let files = root.files();
    let left: Vec<&String> = files.iter().filter(left).filter(|name| name.ends_with('g')).collect();
    assert!(left.is_empty(), "`once` ended and left {left:?}\n{}", root.log());
}

#[test]
fn the_same_content_twice_goes_on_once() {
    let mut world = World::new(SETTINGS);
    let bytes = world.picture();
    for name in ["one.png", "two.png", "three.png"] {
        fs::write(world.raw(name), &bytes).unwrap();
    }
    world.more = 1;
    let root = world.survive();
    let count = |area: &str| root.contents(area).iter().filter(|(_, found)| *found == bytes).count();
    assert_eq!((count("archive"), count("failed")), (1, 2), "{}", root.log());
    assert_eq!(
        root.contents("failed").iter().filter(|(_, text)| text.starts_with(b"it has the same bytes as")).count(),
        2
    );
}

#[test]
fn times_of_every_age_arrive() {
    let mut world = World::new(SETTINGS);
    for (name, seconds) in [("1970.png", 0), ("1999.png", 930_000_000), ("2099.png", 4_080_000_000_u64)] {
        world.drop_picture(name, Arrives);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::options().write(true).open(world.raw(name)).unwrap().set_modified(time).unwrap();
    }
    world.drop_picture("1901.png", Arrives);
    let time = SystemTime::UNIX_EPOCH - Duration::from_secs(2_140_000_000);
    File::options().write(true).open(world.raw("1901.png")).unwrap().set_modified(time).unwrap();
    world.survive();
}

#[test]
fn pictures_that_change_places_all_the_time_are_taken_whole_or_not_at_all() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    let (raw, outside) = (root.at("raw/winter-cabins"), root.outside());
    let pictures: Vec<Vec<u8>> = (0..2).map(|seed| picture(seed + 300, 100)).collect();
    let stop = AtomicBool::new(false);
    let mut given: HashSet<ContentHash> = HashSet::new();
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            // Each content is new, and is put over whatever bears the name at that moment: a person's own
            // overwriting. What stockmill took before must be whole, and one of those.
            let mut given = Vec::new();
            for n in 0_u32.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let mut bytes = pictures[n as usize % 2].clone();
                bytes.extend(n.to_be_bytes());
                given.push(ContentHash::of(&bytes));
                fs::write(outside.join("next.png"), &bytes).unwrap();
                fs::rename(outside.join("next.png"), raw.join("a.png")).unwrap();
                std::thread::sleep(Duration::from_millis(u64::from(n % 7)));
            }
            given
        });
        std::thread::sleep(Duration::from_secs(4));
        stop.store(true, Ordering::Relaxed);
        given.extend(swapper.join().unwrap());
    });
    root.until("the last one was taken", |root| !root.at("raw/winter-cabins/a.png").exists());
    root.until("all are bundled", |root| {
        let archived =
            root.files().iter().filter(|name| name.starts_with("archive/winter") && name.ends_with(".png")).count();
        archived > 0 && root.csv().len() == archived + 1
    });
    daemon.signal("-TERM");
    daemon.ends_well();
    for (path, bytes) in root.contents("archive/winter-cabins") {
        if path.extension().is_some_and(|extension| extension == "png") {
            assert!(given.contains(&ContentHash::of(&bytes)), "{} is none of those that were dropped", path.display());
            let sidecar = fs::read_to_string(path.with_extension("png.yaml")).unwrap();
            let hash = ContentHash::of(&bytes).to_string();
            assert!(sidecar.contains(&hash), "{} has the sidecar of another:\n{sidecar}", path.display());
        }
    }
    assert_eq!(root.contents("failed"), []);
}

#[test]
fn two_pictures_that_swap_names_both_arrive() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    let raw = root.at("raw/winter-cabins");
    let pair = [picture(310, 100), picture(311, 100)];
    for (name, bytes) in ["a.png", "b.png"].iter().zip(&pair) {
        fs::write(raw.join(name), bytes).unwrap();
    }
    let end = Instant::now() + Duration::from_secs(4);
    let swap = rustix::fs::RenameFlags::EXCHANGE;
    let mut n = 0;
    // One of them may leave at any moment.
    while Instant::now() < end && raw.join("a.png").exists() && raw.join("b.png").exists() {
        let _ = rustix::fs::renameat_with(CWD, raw.join("a.png"), CWD, raw.join("b.png"), swap);
        n += 1;
        std::thread::sleep(Duration::from_micros(n % 50 * 100));
    }
    root.until("both are bundled", |root| root.csv().len() == 3);
    daemon.signal("-TERM");
    daemon.ends_well();
    let archived = root.contents("archive/winter-cabins");
    for bytes in &pair {
        assert_eq!(archived.iter().filter(|(_, found)| found == bytes).count(), 1, "{}", root.log());
    }
    assert_eq!(root.contents("failed"), []);
}

#[test]
fn a_person_who_deletes_during_the_work_leaves_no_halves() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    for seed in 0..60 {
        fs::write(root.at(&format!("raw/winter-cabins/{seed}.png")), picture(seed + 400, 300)).unwrap();
    }
    let end = Instant::now() + Duration::from_secs(3);
    let mut deleted = 0;
    while Instant::now() < end {
        for name in root.files() {
            let is_asset =
                ["raw/", "keep/", "export/"].iter().any(|stage| name.starts_with(stage)) && name.ends_with(".png");
            if is_asset && (name.len() + deleted) % 3 == 0 && fs::remove_file(root.at(&name)).is_ok() {
                deleted += 1;
            }
        }
    }
    assert!(deleted > 0, "nothing could be deleted in time");
    fs::write(root.at("raw/winter-cabins/last.png"), picture(999, 100)).unwrap();
    let last = picture(999, 100);
    root.until("the last one arrives", |root| root.contents("archive/winter-cabins").iter().any(|(_, b)| *b == last));
    root.until("the manifest is whole", |root| root.csv().len() == root.bundled().len() + 1);
    daemon.signal("-TERM");
    daemon.ends_well();
    assert!(!root.log().contains("panicked"));
    for path in root.bundled() {
        image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    root.once();
    let stray = |name: &&String| name.starts_with("archive/winter") && name.ends_with(".png.yaml");
    for sidecar in root.files().iter().filter(stray) {
        assert!(root.at(sidecar.trim_end_matches(".yaml")).exists(), "{sidecar} is an orphan");
    }
}

#[test]
fn only_one_program_works_on_a_root() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the daemon is ready", |root| root.log().contains("Ready"));
    for words in [["run"], ["once"]] {
        let second = root.command(&words).stdin(Stdio::null()).output().unwrap();
        assert_eq!(second.status.code(), Some(1), "{words:?}");
        assert!(String::from_utf8_lossy(&second.stderr).contains("another stockmill works on"));
    }
    // A kill leaves nothing behind that would keep the next one out.
    daemon.signal("-KILL");
    drop(daemon);
    assert!(root.once().status.success());
}

#[test]
fn an_inbox_that_is_a_link_from_the_start_is_followed() {
    let root = Root::new();
    let elsewhere = root.outside().join("my pictures");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::remove_dir_all(root.at("raw")).unwrap();
    symlink(&elsewhere, root.at("raw")).unwrap();
    root.idea(NOTE);
    assert!(root.once().status.success(), "{}", root.log());
    fs::write(elsewhere.join("winter-cabins/a.png"), picture(1, 100)).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert_eq!(root.bundled().len(), 1, "{}", root.log());
}

#[test]
fn an_inbox_that_becomes_a_link_is_not_written_through() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    let outside = root.outside();
    fs::create_dir_all(outside.join("winter-cabins")).unwrap();
    fs::write(outside.join("winter-cabins/own.png"), picture(5, 100)).unwrap();
    fs::rename(root.at("raw"), root.at("raw-before")).unwrap();
    symlink(&outside, root.at("raw")).unwrap();
    // A change in another inbox: the daemon is awake, and wants to write the theme's tags to `raw`.
    fs::create_dir_all(root.at("keep/winter-cabins")).unwrap();
    fs::write(root.at("keep/winter-cabins/b.png"), picture(6, 100)).unwrap();
    let (dropped, kept) = (picture(6, 100), "archive/winter-cabins");
    root.until("the other inbox goes on", |root| root.contents(kept).iter().any(|(_, bytes)| *bytes == dropped));
    daemon.signal("-HUP");
    root.until("everything was looked at", |root| root.log().contains("Settings read again"));
    std::thread::sleep(Duration::from_secs(1));
    daemon.signal("-TERM");
    daemon.ends_well();
    let own = fs::read(outside.join("winter-cabins/own.png")).ok();
    assert!(own == Some(picture(5, 100)), "taken from outside\n{}", root.log());
    let names: Vec<_> =
        fs::read_dir(outside.join("winter-cabins")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["own.png"], "written outside");
}

#[test]
fn naming_rules_that_leave_the_folder_are_refused_or_tamed() {
    for rule in ["/etc/{seq}", "../../outside/{seq}", "..", "{original}", "{seq}/../../x", "a/{id}", "{seq}\\0"] {
        let root = Root::new();
        fs::write(root.at("stockmill.yaml"), format!("{SETTINGS}naming: {{first: \"{rule}\"}}\n")).unwrap();
        let checked = root.call(&["check"]);
        if checked.status.code() == Some(2) {
            continue;
        }
        root.idea(NOTE);
        root.once();
        fs::write(root.at("raw/winter-cabins/a.png"), picture(1, 100)).unwrap();
        root.once();
        assert_eq!(root.bundled().len(), 1, "{rule}: {}", root.log());
        assert_eq!(fs::read_dir(root.outside()).unwrap().count(), 0, "{rule}");
    }
}

#[test]
fn a_hundred_programs_that_ask_do_not_disturb_the_daemon() {
    let root = Root::new();
    root.idea(NOTE);
    let daemon = root.run();
    root.until("the theme is there", |root| root.at("raw/winter-cabins/tags.yaml").exists());
    for seed in 0..20 {
        fs::write(root.at(&format!("raw/winter-cabins/{seed}.png")), picture(seed + 500, 100)).unwrap();
    }
    let asking: Vec<_> = (0..20)
        .map(|n| {
            let words: &[&str] = [&["status"][..], &["plan"], &["check"], &["status", "--json"]][n % 4];
            let mut command: Command = root.command(words);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in asking {
        assert!(child.wait().unwrap().success());
    }
    root.until("all are bundled", |root| root.csv().len() == 21);
    daemon.signal("-TERM");
    daemon.ends_well();
}
