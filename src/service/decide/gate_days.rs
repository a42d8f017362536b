//! The days of gates with a schedule: which one was seen last, so that one on which the machine was off is made up.

use super::Decider;
use crate::config::Gate;
use crate::model::{RelPath, Stage};
use crate::plan::gate::see_day;
use crate::records::GateDay;
use crate::service::clock::Moment;
use crate::vault::Mailbox;

/// How the names begin under which they are kept.
const KIND: &str = "gate-";
/// None has more.
const BYTES_MAX: u64 = 1 << 12;

impl Decider {
    /// Takes what is remembered of the gates. One that cannot be read was never seen.
    pub(in crate::service) fn read_gate_days(&mut self) {
        let disk = self.vault.disk();
        let kept = Mailbox::list(disk, KIND).unwrap_or_default();
        let read = |path: &RelPath| GateDay::parse(&disk.read(path, BYTES_MAX).ok()?).ok();
        let day = |stage: Stage| {
            let path = kept.iter().find(|path| path.file_text() == name_of(stage))?;
            Some((stage, read(path)?))
        };
        self.upload.gate_days = Stage::ALL.into_iter().filter_map(day).collect();
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

    /// Keeps what was seen of a gate.
    pub(in crate::service) fn keep_gate_day(&self, stage: Stage, day: &GateDay) {
        let (mailbox, name) = (self.vault.mailbox(), name_of(stage));
        let kept = Mailbox::list(mailbox.disk(), &name).unwrap_or_default().into_iter().next();
        // What the disk refuses is lost: at worst a day is made up twice.
        let _ = match kept {
            Some(path) => mailbox.rewrite(&path, &day.to_bytes()),
            None => mailbox.leave(&name, &day.to_bytes()).map(drop),
        };
    }
}

fn name_of(stage: Stage) -> String {
    format!("{KIND}{stage}.json")
}
