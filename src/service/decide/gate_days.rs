//! The days of gates with a schedule: which one was seen last, so that one on which the machine was off is made up.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use super::Decider;
use crate::config::Gate;
use crate::model::Stage;
use crate::plan::gate::see_day;
use crate::records::GateDay;
use crate::service::clock::Moment;
use crate::vault::{Look, Mailbox};

/// How the names begin under which they are kept.
const KIND: &str = "gate-";
/// None has more.
const BYTES_MAX: u64 = 1 << 12;

impl Decider {
    /// Takes what is remembered of the gates. Of one that cannot be read nobody knows which day it saw: that stays on the disk
    /// as it is.
    pub(in crate::service) fn read_gate_days(&mut self) {
        let disk = self.vault.disk();
        let (mut days, mut unread) = (BTreeMap::new(), BTreeMap::new());
        for stage in Stage::ALL {
            match kept_day(disk, stage) {
                Ok(day) => days.extend(day.map(|day| (stage, day))),
                Err(why) => drop(unread.insert(stage, why)),
            }
        }
        (self.upload.gate_days, self.upload.unread_gate_days) = (days, unread);
    }

    /// Returns what is remembered of gates and cannot be read, with what is to be done.
    pub(in crate::service) fn unread_gate_days(&self) -> impl Iterator<Item = (Stage, String)> {
        self.upload.unread_gate_days.iter().map(|(stage, why)| {
            let told = format!(
                "nobody can tell when its gate was to open last, and no day that was missed is made up: {why}; if that does \
                 not pass when stockmill starts again, remove the file"
            );
            (*stage, told)
        })
    }

    /// Looks at the gates; returns what is to be kept, as far as that is news.
    pub(in crate::service) fn see_gate_days(&mut self, now: &Moment) -> Vec<(Stage, GateDay)> {
        let mut news = Vec::new();
        for stage in Stage::ALL {
            let Gate::Schedule(schedule) = self.settings.gates.of(stage) else { continue };
            if let Some(day) = see_day(schedule, self.upload.gate_days.get(&stage), &now.local) {
                self.upload.gate_days.insert(stage, day.clone());
                news.push((stage, day));
            }
        }
        news
    }

    /// Keeps what was seen of a gate, unless what was kept before cannot be read.
    pub(in crate::service) fn keep_gate_day(&self, stage: Stage, day: &GateDay) {
        if self.upload.unread_gate_days.contains_key(&stage) {
            return;
        }
        let (mailbox, name) = (self.vault.mailbox(), name_of(stage));
        let kept = Mailbox::list(mailbox.disk(), &name).unwrap_or_default().into_iter().next();
        // What the disk refuses is lost: at worst a day is made up twice.
        let _ = match kept {
            Some(path) => mailbox.rewrite(&path, &day.to_bytes()),
            None => mailbox.leave(&name, &day.to_bytes()).map(drop),
        };
    }
}

/// Returns what is kept of a gate, `None` if nothing is; or why it cannot be read.
fn kept_day(disk: &dyn Look, stage: Stage) -> Result<Option<GateDay>, String> {
    let name = name_of(stage);
    let kept = match Mailbox::list(disk, &name) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        kept => kept.map_err(|error| error.to_string())?.into_iter().find(|path| path.file_text() == name),
    };
    let Some(path) = kept else { return Ok(None) };
    let bytes = disk.read(&path, BYTES_MAX).map_err(|error| error.to_string())?;
    GateDay::parse(&bytes).map(Some).map_err(|error| format!("`{path}` cannot be read: {error}"))
}

fn name_of(stage: Stage) -> String {
    format!("{KIND}{stage}.json")
}
