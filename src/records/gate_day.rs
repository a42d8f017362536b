use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RecordError, json};

/// The form that is written and read.
const VERSION: u32 = 1;

/// What is remembered of a gate with a schedule, so that a day on which the machine was off is made up once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateDay {
    version: u32,
    /// The schedule, as it is written in the settings: days of another one were not missed.
    pub schedule: String,
    /// When it was to open last, as far as stockmill saw.
    pub opened: Timestamp,
    /// When that day began to be made up, if stockmill did not run on it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made_up: Option<Timestamp>,
}

impl GateDay {
    /// Returns what is remembered from now on.
    pub fn new(schedule: String, opened: Timestamp, made_up: Option<Timestamp>) -> Self {
        Self { version: VERSION, schedule, opened, made_up }
    }

    /// Returns its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a gate's day holds nothing that JSON cannot write")
    }

    /// Reads it.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        json::read(bytes, VERSION)
    }
}
