//! Turns the text of settings into a checked value. All problems of a file are returned together, each with its
//! line. Never reads a file itself, and never gives all settings to a worker: each room gets its section.

mod advice;
mod build;
mod colour;
mod delivery;
mod gate;
mod nodes;
mod places;
mod profile;
mod profile_schema;
mod raw;
mod schema;
mod shape;
mod upload_build;
mod upload_day;

pub use advice::advice;
pub use build::{NO_ZONES, is_blank, lacks_zones, load, program_problem};
pub use delivery::{Address, Delivery, Protocol};
pub use gate::{Gate, Gates, Schedule, Window, last_window, window};
pub use places::{check_places, own_folders};
pub use profile::load_profile;
pub use upload_day::{Brake, MarketLimits, UploadDay, UploadOrder};

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::market::{Market, Names};
use crate::model::{
    AiField, CommandLine, Enhance, Format, Ignore, MarketName, Method, Profile, Restore, Scans, Stage, Tags, Template,
};

/// The commented defaults, as they are written into a new root.
pub const DEFAULT_TEXT: &str = include_str!("../../config/stockmill.yaml");

/// Everything that can be set, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The folder that holds everything.
    pub root: PathBuf,
    /// Where the folders lie.
    pub folders: Folders,
    /// When a dropped file is complete.
    pub settle: SettleSettings,
    /// Naming rules.
    pub naming: NamingSettings,
    /// How notes are read.
    pub ideas: IdeasSettings,
    /// How pictures are refined.
    pub keep: KeepSettings,
    /// How pictures are exported.
    pub export: ExportSettings,
    /// The lowest layer of tags.
    pub defaults: Tags,
    /// Where finished files go.
    pub upload: UploadSettings,
    /// When assets may leave a stage.
    pub gates: Gates,
    /// What work may cost.
    pub work: WorkSettings,
    /// The log.
    pub log: LogSettings,
}

/// Where the folders lie, absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is the folder's own")]
pub struct Folders {
    pub ideas: PathBuf,
    pub raw: PathBuf,
    pub keep: PathBuf,
    pub export: PathBuf,
    pub upload: PathBuf,
    pub archive: PathBuf,
    pub failed: PathBuf,
    pub logs: PathBuf,
}

impl Folders {
    /// Returns a stage's folder.
    pub fn stage(&self, stage: Stage) -> &Path {
        match stage {
            Stage::Ideas => &self.ideas,
            Stage::Raw => &self.raw,
            Stage::Keep => &self.keep,
            Stage::Export => &self.export,
            Stage::Upload => &self.upload,
        }
    }
}

/// When a dropped file is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettleSettings {
    /// How long a file must have been quiet.
    pub quiet: Duration,
    /// The same where the kernel cannot tell of writers.
    pub weak_quiet: Duration,
    /// How long a note must have been quiet; zero for no longer than any other file.
    pub notes_quiet: Duration,
    /// How long a file may stay unfinished before the log asks about it.
    pub patience: Duration,
    /// How often all folders are checked for changes.
    pub rescan: Duration,
    /// Names that are left alone.
    pub ignore: Ignore,
}

/// Naming rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamingSettings {
    /// The name that `raw` gives.
    pub first: Template,
    /// The name that `export` gives.
    pub last: Template,
    /// The name that a market gets, where it is another one.
    pub markets: BTreeMap<MarketName, Template>,
    /// The longest name, in bytes.
    pub bytes_max: usize,
}

/// How notes are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdeasSettings {
    /// The most prompts that one prompt's alternatives give.
    pub prompts_max: usize,
}

/// How pictures are refined.
#[derive(Debug, Clone, PartialEq)]
pub struct KeepSettings {
    /// How they are enlarged, unless their tags say otherwise.
    pub method: Method,
    /// How much a neural net restores, unless their tags say otherwise.
    pub restore: Restore,
    /// The program that enlarges them, if one is named.
    pub command: Option<Arc<CommandLine>>,
    /// Up to which size.
    pub target: Target,
    /// Never beyond this, in millions of pixels.
    pub megapixels_max: f64,
    /// The most that an edge is enlarged without a person's word.
    pub scale_max: f64,
    /// What is done for their look, unless their tags say otherwise.
    pub enhance: Enhance,
}

/// What a picture must reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Millions of pixels.
    MinMegapixels(f64),
    /// A factor on each edge.
    Scale(f64),
    /// The longer edge, in pixels.
    LongEdge(u32),
}

/// How pictures are exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportSettings {
    /// The format.
    pub format: Format,
    /// JPEG quality.
    pub quality: u8,
    /// In which scans a JPEG is stored.
    pub scans: Scans,
    /// The colour profile.
    pub profile: Profile,
    /// The colour behind transparent pixels: red, green and blue.
    pub background: [u8; 3],
    /// What of a generator's fields is in public files.
    pub ai_fields: Vec<AiField>,
}

/// Where finished files go.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadSettings {
    /// The markets, in order.
    pub markets: Vec<Market>,
    /// Names of which tags are warned.
    pub names: Names,
    /// Where bundles are delivered, for the markets for which that is set.
    pub delivery: BTreeMap<MarketName, Delivery>,
    /// How much goes to them at once.
    pub day: UploadDay,
    /// All that there are: built in, or with a profile of the person's own.
    pub known: Vec<MarketName>,
}

impl UploadSettings {
    /// Returns the market of a name, if it is one of those in use.
    pub fn market(&self, name: &MarketName) -> Option<&Market> {
        self.markets.iter().find(|market| market.name == *name)
    }

    /// Returns the name of a market that is not known, if tags have a category for one, and what is told of that: no
    /// manifest would ever get it.
    pub fn unknown_market<'a>(&self, tags: &'a Tags) -> Option<(&'a str, String)> {
        let is_known = |name: &str| self.known.iter().any(|known| *known == name);
        let name = tags.category.keys().find(|name| !is_known(name))?;
        let (what, hint) = upload_build::no_market(name, self.known.iter());
        Some((name, format!("`category`: {what}; {hint}")))
    }
}

/// What work may cost.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkSettings {
    /// Assets worked on at once; 0 is one per core.
    pub jobs: usize,
    /// The memory for pixels, in MiB.
    pub memory_mib: u64,
    /// The largest picture, in millions of pixels.
    pub megapixels_max: u32,
    /// The largest picture file, in MiB.
    pub file_mib_max: u64,
    /// The space that stays free on every disk, in MiB.
    pub free_mib_min: u64,
    /// How long what was taken away can be brought back by `undo`, in days.
    pub undo_days: u32,
    /// The most of it, in MiB.
    pub undo_mib_max: u64,
    /// What a neural net may cost.
    pub neural: NeuralSettings,
}

/// What a neural net may cost, which is the slowest that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct NeuralSettings {
    /// How much its threads give way: what is added to the nice value of the program.
    pub nice: u8,
    /// How many processor cores it may have; 0 is all that other work may have.
    pub cores: usize,
}

/// The log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LogSettings {
    /// Lines for people or for programs.
    pub format: LogFormat,
    /// The least important line that is written.
    pub level: Level,
    /// The size at which a file is closed, in MiB.
    pub size_mib_max: u64,
    /// How many closed files are kept.
    pub files_max: usize,
}

/// Lines for people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line.
    Text,
    /// One JSON object a line.
    Json,
}

/// How important a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the usual names")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

/// One mistake in the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The key, as a path: `keep.scale`.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        f.write_str(&self.what)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

/// All mistakes of a settings file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Problems {}
