//! Gates and releases: whether an asset may leave its stage whatever is in it.

use std::time::Duration;

use super::{Decider, Here};
use crate::config::Gate;
use crate::model::{Identity, RelPath, Stage};
use crate::plan::{Facts, Hold, Past, gate};
use crate::service::clock::Moment;

impl Decider {
    pub(super) fn gate(&self, facts: &Facts, now: &Moment) -> Result<(), Hold> {
        self.let_go_by_person(facts)?;
        let is_released = self.is_released(&facts.path, facts.stage, facts.seen);
        self.check_gate(facts.stage, is_released, now).map_err(|shut| Hold::Shut(shut.why))
    }

    /// Refuses what waits for a person's word, whatever its gate says.
    pub(in crate::service) fn let_go_by_person(&self, facts: &Facts) -> Result<(), Hold> {
        let is_released = self.is_released(&facts.path, facts.stage, facts.seen);
        if !is_released && self.ledger.is_undone(&facts.path, &facts.hash) {
            let stage = facts.stage;
            let handling = format!("let it go on with `stockmill release {stage}`, or move it");
            return Err(Hold::Waits(format!("it was brought back by `stockmill undo`; {handling}")));
        }
        let is_let_go = || self.is_let_go(&facts.path, facts.stage, facts.seen);
        if let Some((xmp, _)) = facts.rejected_by.as_ref().filter(|_| !facts.is_rejection_let_go() && !is_let_go()) {
            let handling =
                format!("take the mark away, or let it go on with `stockmill release {} --anyway`", facts.stage);
            return Err(Hold::Waits(format!("`{xmp}` marks it as rejected (its rating is -1); {handling}")));
        }
        if let Some(zeros) = facts.zeros.as_ref().filter(|_| !is_let_go() && !is_known(facts)) {
            let handling = format!(
                "copy it again, or let it go with `stockmill release {} --anyway` if it is black or transparent there",
                facts.stage
            );
            let (at, length) = (zeros.start, zeros.len());
            return Err(Hold::Waits(format!(
                "{length} of its bytes are zeros (from byte {at} on), as in a file that was not copied whole; {handling}"
            )));
        }
        Ok(())
    }

    /// Returns why an asset stays for now whatever is in it, so that nothing of it need be read.
    pub(in crate::service) fn shut(
        &self,
        path: &RelPath,
        stage: Stage,
        seen: Identity,
        here: Here<'_>,
    ) -> Result<(), Hold> {
        here.paused(stage)?;
        self.named_right(path)?;
        let is_released = self.is_released(path, stage, seen);
        self.check_gate(stage, is_released, here.now).map_err(|shut| Hold::Shut(shut.why))
    }

    /// Returns what the gate of a stage says to what nobody released: why it is shut, and for how long if time alone
    /// opens it. `None` for a gate that never changes by itself.
    pub(in crate::service) fn gate_now(&self, stage: Stage, now: &Moment) -> Option<Result<(), GateShut>> {
        let is_scheduled = matches!(self.settings.gates.of(stage), Gate::Schedule(_));
        is_scheduled.then(|| {
            self.check_gate(stage, false, now).map_err(|shut| {
                let opens_in = shut.opens.map(|opens| opens.duration_since(now.timestamp()));
                GateShut { why: shut.why, opens_in: opens_in.and_then(|left| Duration::try_from(left).ok()) }
            })
        })
    }

    pub(super) fn check_gate(&self, stage: Stage, is_released: bool, now: &Moment) -> Result<(), gate::Shut> {
        let facts = gate::GateFacts {
            now: &now.local,
            is_released,
            left_at: self.ledger.left_at(stage),
            leaving: self.reserved.leaving(stage),
            made_up: self.upload.gate_days.get(&stage).map_or(&[], |day| &day.made_up),
        };
        gate::check(stage, self.settings.gates.of(stage), &facts)
    }

    /// Returns whether a person let go of this state of a file.
    pub(in crate::service) fn is_released(&self, path: &RelPath, stage: Stage, seen: Identity) -> bool {
        self.releases.cover(path, stage, seen)
    }

    /// Returns whether a person let go of this state of a file whatever it is held for: that was said when it was let go.
    pub(in crate::service) fn is_let_go(&self, path: &RelPath, stage: Stage, seen: Identity) -> bool {
        self.releases.cover_anyway(path, stage, seen)
    }

    /// Returns whether a gate is open to what nobody let go.
    pub(in crate::service) fn is_gate_open(&self, stage: Stage, now: &Moment) -> bool {
        self.check_gate(stage, false, now).is_ok()
    }

    /// Returns what a person let a file that lies in `upload` go past.
    pub(in crate::service) fn past(&self, facts: &Facts, now: &Moment) -> Past {
        if self.is_let_go(&facts.path, facts.stage, facts.seen) {
            return Past::Room;
        }
        self.past_gate(&facts.path, facts.seen, now)
    }

    /// Returns the same of a file that lies in a bundle: nothing makes room for it.
    pub(in crate::service) fn past_gate(&self, path: &RelPath, seen: Identity, now: &Moment) -> Past {
        let until = self.releases.cover_until(path, Stage::Upload, seen, now.timestamp());
        until.map_or(Past::Nothing, |until| Past::Gate { until })
    }

    /// Writes down which releases were used up.
    pub(in crate::service) fn save_releases(&mut self) {
        // What the disk refuses is tried again.
        let _ = self.releases.save(&self.vault.mailbox());
    }

    /// Takes over what `undo` withdrew from the releases.
    pub(in crate::service) fn reread_releases(&mut self) {
        self.releases.reread(self.vault.disk());
    }

    /// Takes note that an asset left its stage with all its files.
    pub(in crate::service) fn use_up_release(&mut self, facts: &Facts) {
        let beside = facts.companions.iter().chain(facts.sidecar.iter().map(|(file, _)| file));
        let parts = facts.members.iter().map(|part| (&part.path, part.seen));
        self.releases.use_up(&facts.path, facts.stage, facts.seen);
        for (path, seen) in beside.map(|file| (&file.path, file.seen)).chain(parts) {
            self.releases.use_up(path, facts.stage, seen);
        }
    }
}

/// Returns whether stockmill itself put these bytes here.
fn is_known(facts: &Facts) -> bool {
    let file = facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.file.as_ref());
    file.is_some_and(|file| file.hash == facts.hash)
}

/// A gate that is shut for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) struct GateShut {
    pub(in crate::service) why: String,
    /// How long until it opens, if time alone opens it.
    pub(in crate::service) opens_in: Option<Duration>,
}
