//! Companions that a walk found without their asset, which went on before they came.

use std::collections::HashSet;
use std::time::Duration;

use super::{Dispatcher, HOLD_PAUSE_UNSEEN, Held, WALK_PAUSE_FED, job, state_of};
use crate::intake::{Candidate, Found, Odd, Verdict, is_lonely};
use crate::model::RelPath;
use crate::plan::Hold;
use crate::report;
use crate::service::clock::Moment;

/// While so much is to be made, no more companions are looked at.
const JOIN_MAX: usize = 256;
/// The pause before what a disk refused is tried again.
const REFUSED_PAUSE: Duration = Duration::from_secs(2);

impl Dispatcher {
    /// Returns whether a file is a companion whose asset went on before it came.
    pub(super) fn is_late(&self, odd: &Odd) -> bool {
        is_lonely(odd) && self.mill.is_late(&odd.path)
    }

    /// Judges a companion like a file that was dropped, and lets it join its asset. `unfinished` are the names that
    /// downloads in this folder will have.
    pub(super) fn judge_late(
        &mut self,
        unit: &RelPath,
        path: &RelPath,
        unfinished: &HashSet<RelPath>,
        moment: &Moment,
    ) {
        // Whatever happens to it meanwhile is told by an event.
        let Ok(Some(entry)) = self.mill.disk().stat(path) else { return };
        let candidate = Candidate::alone(Found { path: path.clone(), entry });
        let state = state_of(&candidate);
        if let Some(seen) = self.in_hand.get(path) {
            if *seen != state {
                self.changed.insert(path.clone());
            }
            return;
        }
        let before = self.held.get(path).filter(|held| held.state == state);
        if let Some(held) = before
            && held.until.is_none_or(|until| until > moment.steady)
        {
            let until = held.until;
            self.look_again(unit, until);
            return;
        }
        let is_new = before.is_none();
        if self.to_make.len() >= JOIN_MAX {
            self.look_again(unit, Some(moment.steady + WALK_PAUSE_FED));
            return;
        }
        self.held.remove(path);
        let name = path.without_extension();
        let has_twin = |other: &RelPath| other.as_path().as_os_str() == name || other.without_extension() == name;
        if let Err((again, why)) = self.settle_alone(candidate, unfinished.iter().any(has_twin), moment) {
            report::waiting(path, &why);
            self.look_again(unit, Some(again));
            return;
        }
        if let Some((pause, why)) = self.mill.wait_for_next(path, &entry, moment).filter(|_| is_new) {
            let why = self.reason(&why);
            self.hold(path, Held { why, state, until: Some(moment.steady + pause), facts: None, is_trial: true });
            return;
        }
        match self.mill.decide_late(path, &entry, moment) {
            Ok((plan, facts)) => {
                self.in_hand.insert(path.clone(), state);
                self.to_make.push_back(job(plan, Some(facts), moment));
            }
            Err(hold) => {
                let (pause, is_trial) = match &hold {
                    Hold::Settling { pause, is_by_time, .. } => (*pause, *is_by_time),
                    Hold::Waits(_) => (self.hold_pause(), false),
                    Hold::Refused(_) => (REFUSED_PAUSE, false),
                    // A person may bring its asset back; nothing else changes that.
                    Hold::Ignored(_) | Hold::Park(_) => (HOLD_PAUSE_UNSEEN, false),
                };
                let until = Some(moment.steady + pause);
                let why = self.reason(&hold.to_string());
                self.hold(path, Held { why, state, until, facts: None, is_trial });
            }
        }
    }

    /// Returns when to look again at a file that somebody may still be writing, and what it waits for.
    fn settle_alone(
        &mut self,
        candidate: Candidate,
        has_unfinished_twin: bool,
        moment: &Moment,
    ) -> Result<(), (Duration, String)> {
        match self.settle.judge(candidate, has_unfinished_twin, moment.for_settle()) {
            Verdict::Wait { again, why, .. } => Err((again, why)),
            Verdict::Still(still) => {
                let disk = self.mill.vault.clone();
                let has_writer = |path: &RelPath| disk.disk().has_writer(path).unwrap_or(None);
                match still.settled(&has_writer) {
                    Ok(_) => Ok(()),
                    Err(unsettled) => {
                        let (again, why) = self.settle.wait(&unsettled, moment.for_settle());
                        if unsettled.is_by_time() {
                            self.quiet_until = self.quiet_until.max(again);
                        }
                        Err((again, why))
                    }
                }
            }
        }
    }

    /// Takes those out of what is about to be carried out that a walk saw changed since they were decided on: a
    /// companion came, or is somebody else's by now. They are looked at anew.
    pub(super) fn drop_changed(&mut self) {
        if self.changed.is_empty() {
            return;
        }
        let changed = &self.changed;
        let is_changed = |job: &super::Job| job.facts.as_ref().is_some_and(|facts| changed.contains(&facts.path));
        let to_commit = std::mem::take(&mut self.to_commit);
        let (stale, rest): (Vec<_>, Vec<_>) = to_commit.into_iter().partition(|(job, _)| is_changed(job));
        self.to_commit = rest;
        let now = self.clock.steady();
        for (job, made) in stale {
            made.discard(&self.mill.vault);
            self.let_go(&job);
            if let Some(facts) = job.facts {
                self.let_out(&facts.path);
                self.look_again_at(&facts.path, Some(now));
            }
        }
    }
}
