use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::delivery::RawDelivery;
use super::{LogSettings, MarketLimits, UploadOrder, WorkSettings};
use crate::model::{AiField, Enhance, Format, Method, Profile, Restore, Scans, Stage, Tags, words};

/// The settings as they are written, defaults filled in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) folders: BTreeMap<String, PathBuf>,
    pub(super) settle: RawSettle,
    pub(super) naming: RawNaming,
    pub(super) ideas: RawIdeas,
    pub(super) keep: RawKeep,
    pub(super) export: RawExport,
    pub(super) defaults: Tags,
    pub(super) upload: RawUpload,
    pub(super) gates: BTreeMap<Stage, serde_yaml::Value>,
    pub(super) work: WorkSettings,
    pub(super) log: LogSettings,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawSettle {
    pub(super) quiet_ms: u64,
    pub(super) weak_quiet_ms: u64,
    pub(super) notes_quiet_s: u64,
    pub(super) patience_s: u64,
    pub(super) rescan_s: u64,
    pub(super) ignore: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawNaming {
    pub(super) first: String,
    pub(super) last: String,
    pub(super) markets: BTreeMap<String, String>,
    pub(super) bytes_max: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawIdeas {
    pub(super) prompts_max: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawKeep {
    pub(super) method: Method,
    pub(super) restore: Restore,
    pub(super) command: RawCommand,
    pub(super) min_megapixels: Option<f64>,
    pub(super) scale: Option<f64>,
    pub(super) long_edge: Option<u32>,
    pub(super) megapixels_max: f64,
    pub(super) scale_max: f64,
    pub(super) enhance: Enhance,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawCommand {
    pub(super) run: Vec<String>,
    pub(super) scales: Vec<u8>,
    pub(super) timeout_s: u64,
    pub(super) memory_mib: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawExport {
    pub(super) format: Format,
    pub(super) quality: u8,
    pub(super) scans: Scans,
    pub(super) profile: Profile,
    pub(super) background: String,
    pub(super) ai_fields: Vec<AiField>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawUpload {
    pub(super) markets: Vec<String>,
    #[serde(deserialize_with = "words")]
    pub(super) names: Vec<String>,
    pub(super) delivery: BTreeMap<String, RawDelivery>,
    pub(super) limits: BTreeMap<String, MarketLimits>,
    #[serde(default)]
    pub(super) brake: Option<serde_yaml::Value>,
    #[serde(default)]
    pub(super) probe: Option<u32>,
    pub(super) order: UploadOrder,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawSchedule {
    pub(super) on: Vec<String>,
    #[serde(default)]
    pub(super) at: Option<String>,
    #[serde(default)]
    pub(super) at_most: Option<u32>,
    #[serde(default)]
    pub(super) at_most_per_week: Option<u32>,
    #[serde(default)]
    pub(super) zone: Option<String>,
}
