//! The nets that people bring, in `models/`: what each is, and how quick it is on this machine.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::time::Duration;

use crate::config::Settings;
use crate::craft::{Brought, Cpu, NET_BYTES_MAX, Net, Untold, Upscale};
use crate::model::{ContentHash, Identity, Method, NetName, RelPath, Size, escape_bytes, nearest};
use crate::plan::Nets;
use crate::service::clock::Clock;
use crate::vault::{DiskResult, Entry, Look, What};

/// The largest file of a net that is read.
pub const NET_FILE_BYTES_MAX: u64 = NET_BYTES_MAX;

/// The edge of the picture by which the speed of a net is measured, and that by which it is told.
const SAMPLE_EDGE: u32 = 96;
const TOLD_EDGE: u32 = 1024;
/// A net is measured again until it has worked for so long.
const MEASURED: Duration = Duration::from_millis(200);

/// A net that can be used.
#[derive(Debug)]
pub struct NetFile {
    pub(super) brought: Brought,
    /// The hash of its file.
    pub hash: ContentHash,
}

impl NetFile {
    /// Reads the file of a net.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let brought = Brought::read(bytes).map_err(|error| error.to_string())?;
        Ok(Self { brought, hash: ContentHash::of(bytes) })
    }
}

/// What is known of nets, as last read.
#[derive(Debug, Default)]
pub(super) struct NetFiles {
    read: HashMap<NetName, (Identity, Result<ContentHash, String>)>,
}

impl NetFiles {
    /// Returns what is known of the nets among these methods. Those that none of them names are forgotten.
    pub(super) fn of<'a>(&mut self, disk: &dyn Look, asked: impl Iterator<Item = &'a Method>) -> Nets {
        let mut nets = Nets::new();
        for method in asked {
            if let Method::Brought(name) = method {
                nets.insert(name.clone(), self.known(disk, name));
            }
        }
        nets
    }

    fn known(&mut self, disk: &dyn Look, name: &NetName) -> Result<ContentHash, String> {
        let path = name.file();
        let seen = disk.stat(&path).map_err(|error| format!("`{path}` cannot be read: {error}"))?;
        let Some(seen) = seen.filter(|entry| entry.what == What::File) else {
            self.read.remove(name);
            return Err(missing(disk, name));
        };
        if let Some((identity, known)) = self.read.get(name)
            && *identity == seen.identity
        {
            return known.clone();
        }
        let known = read(disk, name).map(|net| net.hash);
        self.read.insert(name.clone(), (seen.identity, known.clone()));
        known
    }
}

/// Reads the net with this name.
fn read(disk: &dyn Look, name: &NetName) -> Result<NetFile, String> {
    let path = name.file();
    let bytes =
        disk.read(&path, NET_BYTES_MAX).map_err(|error| format!("`{path}` cannot be read: {}", error.source))?;
    NetFile::read(&bytes).map_err(|why| format!("`{path}` is no net that can be used: {why}"))
}

/// Tells that there is no net with this name, and which one may be meant.
fn missing(disk: &dyn Look, name: &NetName) -> String {
    let names = files(disk).unwrap_or_default().into_iter().filter_map(|(_, name)| Some(name?.ok()?.to_string()));
    let names: Vec<String> = names.collect();
    let near = nearest(name.as_str(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let hint = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
    format!("the method `{name}` is a net of `{}/`, and `{}` is not there{hint}", NetName::folder(), name.file())
}

/// Files in `models/`, each with its name as a net if it has one, or why it cannot have one.
type Files = Vec<(String, Option<Result<NetName, String>>)>;

/// Returns the files in `models/`, by their names; none if there is no such folder.
fn files(disk: &dyn Look) -> DiskResult<Files> {
    let listed = match disk.list(&NetName::folder()) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        listed => listed?,
    };
    let named = |(name, entry): (std::ffi::OsString, Entry)| {
        let file = name.to_string_lossy().into_owned();
        let no_file = |_| Err("it is no regular file; copy the net here".to_owned());
        let name = NetName::of_file(&file);
        (file, if entry.what == What::File { name } else { name.map(no_file) })
    };
    let mut files: Files = listed.into_iter().map(named).filter(|(file, _)| !file.starts_with('.')).collect();
    files.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(files)
}

/// What there is to say of a net.
#[derive(Debug, Clone, PartialEq)]
pub struct NetLine {
    /// What `method` calls it, or the name of a file that cannot be used.
    pub name: String,
    /// What it is, or why it cannot be used.
    pub what: Result<NetFacts, String>,
}

/// What a net is.
#[derive(Debug, Clone, PartialEq)]
pub struct NetFacts {
    /// What kind of net it is.
    pub kind: &'static str,
    /// How many times as wide and high it makes a picture.
    pub scale: usize,
    /// How many numbers it was taught.
    pub parameters: usize,
    /// Under which licence it is, if that is said.
    pub licence: Option<String>,
    /// How many millions of pixels of a result it makes in a second, with all cores.
    pub megapixels_a_second: f64,
    /// How many seconds it takes for a picture of 1024×1024 pixels.
    pub seconds: f64,
}

/// Lists the net that comes with stockmill, and those in `models/` of a mill, if there is one.
pub fn list_nets(disk: Option<&dyn Look>) -> DiskResult<Vec<NetLine>> {
    let mut lines = Vec::new();
    if let Some(net) = Net::embedded(OWN_RESTORE) {
        let licence = Some("Apache-2.0, with the notice in models/NOTICE.txt of stockmill".to_owned());
        lines.push(NetLine { name: Method::Neural.to_string(), what: facts(&net, "SPAN", licence) });
    }
    let Some(disk) = disk else { return Ok(lines) };
    for (file, name) in files(disk)? {
        let what = used(disk, &file, name.clone())
            .and_then(|NetFile { brought, .. }| facts(&brought.net, brought.kind, brought.licence));
        let name = name.and_then(Result::ok).map_or_else(|| escape_bytes(file.as_bytes()), |name| name.to_string());
        lines.push(NetLine { name, what });
    }
    Ok(lines)
}

/// How much the net that comes with stockmill restores while it is measured: that costs no time.
const OWN_RESTORE: u8 = 50;

/// Reads the net in a file of `models/`, if it can be used.
fn used(disk: &dyn Look, file: &str, name: Option<Result<NetName, String>>) -> Result<NetFile, String> {
    let Some(name) = name else {
        let is_program = PROGRAMS.iter().any(|ending| file.to_lowercase().ends_with(ending));
        let why =
            "such a file is a program, which nobody should run: turn it into `.safetensors` with the tool that made it";
        let no_net = "the name of a net's file ends in `.safetensors`";
        return Err(if is_program { why } else { no_net }.to_owned());
    };
    let name = name?;
    if name.as_str().parse() != Ok(Method::Brought(name.clone())) {
        return Err("its name is too like that of another method; rename the file".to_owned());
    }
    read(disk, &name)
}

/// How the names of files end that are nets as `PyTorch` stores them.
const PROGRAMS: [&str; 4] = [".pth", ".pt", ".ckpt", ".bin"];

fn facts(net: &Net, kind: &'static str, licence: Option<String>) -> Result<NetFacts, String> {
    let rate = measured(net).map_err(|error| error.to_string())?;
    let result = f64::from(TOLD_EDGE).powi(2) * squared(net.scale());
    Ok(NetFacts {
        kind,
        scale: net.scale(),
        parameters: net.parameters(),
        licence,
        megapixels_a_second: rate / 1e6,
        seconds: result / rate,
    })
}

/// Returns how many pixels of a result a net makes in a second.
fn measured(net: &Net) -> Result<f64, crate::craft::CraftError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let size = Size { width: SAMPLE_EDGE, height: SAMPLE_EDGE };
    let way = Upscale { net, size, is_grey: false, scale: net.scale_for(4), threads, cpu: Cpu::best() };
    let clock = Clock::start();
    let mut rounds = 0;
    while clock.steady() < MEASURED || rounds == 0 {
        rounds += 1;
        let mut source = |row: &mut [f32]| {
            row.iter_mut().zip([0.0, 90.0, 180.0, 250.0].iter().cycle()).for_each(|(slot, value)| *slot = *value);
            Ok(())
        };
        way.rows(&mut source, &Untold, |rows| {
            while rows.next_row()?.is_some() {}
            Ok(())
        })?;
    }
    let pixels = f64::from(SAMPLE_EDGE).powi(2) * squared(net.scale()) * f64::from(rounds);
    Ok(pixels / clock.steady().as_secs_f64())
}

fn squared(scale: usize) -> f64 {
    f64::from(u32::try_from(scale).expect("a few")).powi(2)
}

/// Returns what is wrong with the files in `models/` that are, or may be, meant for nets.
pub(super) fn unusable(disk: &dyn Look) -> DiskResult<Vec<String>> {
    let mut wrong = Vec::new();
    for (file, name) in files(disk)? {
        let is_meant = name.is_some() || PROGRAMS.iter().any(|ending| file.to_lowercase().ends_with(ending));
        if let Some(why) = used(disk, &file, name).err().filter(|_| is_meant) {
            wrong.push(format!("`{}/{}`: {why}", NetName::folder(), escape_bytes(file.as_bytes())));
        }
    }
    Ok(wrong)
}

/// Returns what a file of `models/` is, and whether the settings name it.
pub(super) fn explained(disk: &dyn Look, path: &RelPath, settings: &Settings) -> (String, Option<String>) {
    let file = path.file_text();
    let name = NetName::of_file(&file);
    let is_used = name
        .as_ref()
        .is_some_and(|name| matches!((name, &settings.keep.method), (Ok(name), Method::Brought(used)) if name == used));
    match used(disk, &file, name) {
        Ok(NetFile { brought, .. }) => {
            let what = format!("a neural net of yours: {}, {}x", brought.kind, brought.net.scale());
            let by = if is_used { "`keep.method`" } else { "no setting; themes and sidecars may name it" };
            (what, Some(by.to_owned()))
        }
        Err(why) => (format!("no neural net that can be used: {why}"), None),
    }
}
