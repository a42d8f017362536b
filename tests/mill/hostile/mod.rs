//! What a hostile, or merely careless, world drops. After every scenario: nothing outside the root was
//! read or written, nothing is lost, the program ends by itself, the neighbour arrives, nothing is done
//! twice, and each file that stays or is set aside is named together with the reason.

mod bombs;
mod links;
mod names;
mod races;
mod records;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, FileTimes};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use stockmill::model::{ContentHash, escape_bytes};

use super::{NOTE, PATIENCE, Root, picture};

/// What becomes of a file.
#[derive(Debug, Clone)]
enum Fate {
    /// It goes all the way, and its original lies in the archive.
    Arrives,
    /// It goes to `failed`, with a reason that holds these words.
    SetAside(String),
    /// It stays where it is, and `status` and `explain` say these words.
    Stays(String),
}

use Fate::{Arrives, SetAside, Stays};

fn set_aside(why: impl Into<String>) -> Fate {
    SetAside(why.into())
}

fn stays(why: impl Into<String>) -> Fate {
    Stays(why.into())
}

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

    /// Lets the folders of themes be old: a new one gets its commented tags a while later, for which nobody waits.
    fn age_folders(&self) {
        for folder in
            fs::read_dir(self.root.at("raw")).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir())
        {
            fs::File::open(folder.path()).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        }
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
        self.age_folders();
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

const SETTINGS: &str = "keep: {method: lanczos, min_megapixels: 0.04}\n";

/// Returns shared tags that are good enough to be bundled.
const TAGS: &str = "title: A cabin\nkeywords: [snow, cabin]\n";
