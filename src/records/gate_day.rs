use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RecordError, json};

/// The form that is written and read.
const VERSION: u32 = 2;

/// The hours in which a day is made up that was missed. What leaves in them counts as if it had left on that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeUp {
    /// When the gate was to open on the day that was missed.
    pub missed: Timestamp,
    /// When they begin.
    pub since: Timestamp,
    /// When they are over.
    pub until: Timestamp,
}

impl MadeUp {
    /// Returns whether a time is in these hours.
    pub fn holds(&self, at: Timestamp) -> bool {
        (self.since..self.until).contains(&at)
    }
}

/// What is remembered of a gate with a schedule, so that a day on which the machine was off is made up once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateDay {
    version: u32,
    /// The schedule, as it is written in the settings: days of another one were not missed.
    pub schedule: String,
    /// When it was to open last, as far as stockmill saw.
    pub opened: Timestamp,
    /// The days that were made up lately, oldest first: they still count for the week.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub made_up: Vec<MadeUp>,
}

impl GateDay {
    /// Returns what is remembered from now on.
    pub fn new(schedule: String, opened: Timestamp, made_up: Vec<MadeUp>) -> Self {
        Self { version: VERSION, schedule, opened, made_up }
    }

    /// Returns its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a gate's day holds nothing that JSON cannot write")
    }

    /// Returns the hours in which the day is made up on which it was to open last, if stockmill did not run on it.
    pub fn making_up(&self) -> Option<&MadeUp> {
        self.made_up.last().filter(|made_up| made_up.missed == self.opened)
    }

    /// Reads it.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        json::read(bytes, VERSION).or_else(|error| match error {
            RecordError::Version { found: 1 } => json::read(bytes, 1).map(First::today),
            other => Err(other),
        })
    }
}

/// What version 1 remembered.
#[derive(Deserialize)]
struct First {
    schedule: String,
    opened: Timestamp,
    /// Since when the day on which it was to open last was made up, until midnight.
    #[serde(default)]
    made_up: Option<Timestamp>,
}

impl First {
    fn today(self) -> GateDay {
        let day = jiff::SignedDuration::from_hours(24);
        let hours = |since: Timestamp| {
            // Whose midnight it was it does not say: a day at most.
            let until = since.checked_add(day).unwrap_or(Timestamp::MAX);
            MadeUp { missed: self.opened, since, until }
        };
        GateDay::new(self.schedule, self.opened, self.made_up.map(hours).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of version 1 was taken for none: a day that was missed while stockmill was updated was not made up.
    #[test]
    fn an_older_record_says_what_it_said() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (opened, since) = (at("2026-11-20T08:00:00Z"), at("2026-11-23T09:00:00Z"));
        let made_up = MadeUp { missed: opened, since, until: at("2026-11-24T09:00:00Z") };
        let first = r#""schedule":"s","opened":"2026-11-20T08:00:00Z""#;
        for (text, expected) in [
            (format!(r#"{{"version":1,{first}}}"#), Some(vec![])),
            (format!(r#"{{"version":1,{first},"made_up":"2026-11-23T09:00:00Z"}}"#), Some(vec![made_up])),
            (format!(r#"{{"version":1,{first},"made_up":[]}}"#), None),
            (format!(r#"{{"version":2,{first}}}"#), Some(vec![])),
            (format!(r#"{{"version":3,{first}}}"#), None),
            ("{".to_owned(), None),
        ] {
            let read = GateDay::parse(text.as_bytes()).ok();
            let expected = expected.map(|made_up| GateDay::new("s".to_owned(), opened, made_up));
            assert_eq!(read, expected, "{text}");
        }
    }
}
