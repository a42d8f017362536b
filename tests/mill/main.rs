//! The real binary on real input: from a drop to a bundle, and everything that may go wrong between.

#![expect(clippy::disallowed_methods, reason = "a test plays the person who drops files")]

mod again;
mod back;
mod bundles;
mod by_products;
mod command;
mod convert;
mod disks;
mod drops;
mod flow;
mod hostile;
mod json;
mod late;
mod markets;
mod memory;
mod models;
mod nets;
mod neural;
mod notes;
mod offers;
mod private;
mod sent;
mod settings;
mod themes;
mod videos;
mod waits;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// How long anything may take before a test gives up; far above what it takes.
const PATIENCE: Duration = Duration::from_secs(60);

struct Root {
    folder: TempDir,
    path: PathBuf,
}

impl Root {
    /// Makes a root whose market takes small pictures, so that the tests are quick.
    fn new() -> Self {
        Self::with("keep: {method: lanczos, min_megapixels: 0.04}\n")
    }

    /// Makes a root with these settings. Unless they say how long a dropped file is waited for, a note goes on at
    /// once, and soon what nobody can tell of whether it is whole.
    fn with(settings: &str) -> Self {
        let at_once =
            if settings.contains("settle:") { "" } else { "settle: {notes_quiet_s: 0, weak_quiet_ms: 500}\n" };
        // The net takes long where the tests are not optimised.
        let by = if settings.contains("keep: {m") { "" } else { "keep: {method: lanczos}\n" };
        let settings = format!("{settings}{by}{at_once}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mill");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("stockmill.yaml"), settings).unwrap();
        let adobe = fs::read_to_string("config/markets/adobe-stock.yaml").unwrap().replace("min: 4,", "min: 0.01,");
        fs::create_dir(path.join("markets")).unwrap();
        fs::write(path.join("markets/adobe-stock.yaml"), adobe).unwrap();
        let root = Self { folder, path };
        assert!(root.call(&["init"]).status.success());
        root
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stockmill"));
        command.args(words).arg("--root").arg(&self.path).env_remove("STOCKMILL_ROOT").env_remove("NOTIFY_SOCKET");
        command
    }

    fn call(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn text(&self, words: &[&str]) -> String {
        let output = self.call(words);
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    fn once(&self) -> Output {
        self.call(&["once"])
    }

    fn run(&self) -> Daemon {
        Daemon(self.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn idea(&self, text: &str) {
        fs::write(self.at("ideas/note.md"), text).unwrap();
    }

    /// Returns the sidecars of bundled files, sorted.
    fn sidecars(&self) -> Vec<String> {
        let is_sidecar = |name: &String| name.contains("/sidecars/") && name.ends_with(".yaml");
        self.files().into_iter().filter(is_sidecar).collect()
    }

    /// Returns every file below the root but the journal, the log and the settings, sorted.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(&self.path, &self.path, &mut found);
        found.retain(|name| {
            !name.starts_with(".stockmill/") && !name.starts_with("logs/") && !name.starts_with("markets/")
        });
        found.retain(|name| name != "stockmill.yaml" && !name.ends_with("/.stockmill-area"));
        found.sort();
        found
    }

    fn bundled(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> =
            self.files().iter().filter(|name| name.contains("/files/")).map(|name| self.at(name)).collect();
        found.sort();
        found
    }

    fn csv(&self) -> Vec<Vec<String>> {
        let Some(path) = self.files().into_iter().find(|name| name.ends_with("adobe-stock.csv")) else {
            return Vec::new();
        };
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(self.at(&path)).unwrap();
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.at("logs/stockmill.log")).unwrap_or_default()
    }

    /// Returns every regular file below a folder of the root, with its bytes.
    fn contents(&self, folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
        fn collect(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            let Ok(entries) = fs::read_dir(folder) else { return };
            // The mark of an inbox is nothing that a person dropped.
            for entry in entries.filter_map(Result::ok).filter(|entry| entry.file_name() != ".stockmill-area") {
                let kind = entry.file_type().ok();
                if kind.is_some_and(|kind| kind.is_dir()) {
                    collect(&entry.path(), found);
                } else if kind.is_some_and(|kind| kind.is_file()) && entry.metadata().is_ok_and(|m| m.len() < 1 << 28) {
                    // A file may go while we look.
                    found.extend(fs::read(entry.path()).ok().map(|bytes| (entry.path(), bytes)));
                }
            }
        }
        let mut found = Vec::new();
        collect(&self.at(folder), &mut found);
        found
    }

    /// Makes a folder beside the root, on the same file system and outside of what stockmill may touch.
    fn outside(&self) -> PathBuf {
        let outside = self.folder.path().join("outside");
        fs::create_dir_all(&outside).unwrap();
        outside
    }

    /// Waits until something is true of the root.
    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < end, "gave up waiting until {what}; {:?}\n{}", self.files(), self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn list(root: &Path, folder: &Path, found: &mut Vec<String>) {
    // A folder may go while we look.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        // A link is listed and never followed, and a name need not be text.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
        }
    }
}

/// A daemon that is killed when the test ends.
struct Daemon(Child);

impl Daemon {
    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap().success());
    }

    fn ends_well(mut self) {
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns a PNG that no other seed gives.
fn picture(seed: u32, edge: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(edge, edge, |x, y| {
        let level = |value: u32| u8::try_from(value % 256).unwrap();
        Rgb([level(x * 3 + seed), level(y * 2 + seed / 256), level(seed * 40 + (x / 8) * (y / 8))])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn size(path: &Path) -> (u32, u32) {
    image::image_dimensions(path).unwrap()
}

const NOTE: &str = "- Winter cabins — snow, log cabin, cozy\n  - prompt: a {log|stone} cabin\n";
