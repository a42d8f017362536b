//! When a finished asset may leave a stage.

use jiff::{Timestamp, ZonedDateTime};

use super::Hold;
use crate::config::{Gate, Window, window};
use crate::model::Stage;

/// What a gate's answer depends on, beside the settings.
#[derive(Debug)]
pub struct GateFacts<'a> {
    /// The local time.
    pub now: &'a ZonedDateTime,
    /// Whether a person released it.
    pub is_released: bool,
    /// When assets left the stage before, oldest first.
    pub left_at: &'a [Timestamp],
}

/// Returns whether an asset may leave a stage now, or why not.
pub fn check(stage: Stage, gate: &Gate, facts: &GateFacts<'_>) -> Result<(), Hold> {
    if facts.is_released {
        return Ok(());
    }
    match gate {
        Gate::Auto => Ok(()),
        Gate::Hold => {
            Err(Hold::Waits(format!("the gate of `{stage}` is `hold`; let it go with `stockmill release {stage}`")))
        }
        Gate::Schedule(schedule) => match window(schedule, facts.now) {
            Window::Closed { opens } => {
                let opens = opens.to_zoned_datetime(facts.now.time_zone().clone());
                let when = opens.strftime("%A %Y-%m-%d %H:%M");
                Err(Hold::Waits(format!(
                    "the gate of `{stage}` opens on {when}; earlier with `stockmill release {stage}`"
                )))
            }
            Window::Open { since, .. } => {
                let left_since = |start: Timestamp| facts.left_at.iter().filter(|at| **at >= start).count();
                let week = facts.now.timestamp() - jiff::SignedDuration::from_hours(7 * 24);
                let caps = [(schedule.at_most, since, "today"), (schedule.at_most_per_week, week, "this week")];
                for (cap, start, span) in caps {
                    if let Some(cap) = cap.filter(|cap| left_since(start) >= *cap as usize) {
                        let text = format!("the gate of `{stage}` has let {cap} through {span}, which is its limit");
                        return Err(Hold::Waits(text));
                    }
                }
                Ok(())
            }
        },
    }
}
