//! A plan in hand, and what carrying it out costs.

use std::time::Duration;

use super::areas::Promise;
use crate::intake::{Candidate, Settled, Unsettled};
use crate::make::{Cost, MakeError, cost};
use crate::plan::{Facts, Plan};

/// A plan in hand.
#[derive(Debug)]
pub(in crate::service) struct Job {
    pub(super) plan: Plan,
    /// What is known of its asset; `None` for a plan about records.
    pub(super) facts: Option<Facts>,
    /// What it takes, about.
    pub(super) cost: Cost,
    pub(super) begun: Duration,
    /// The disks' room that was promised to it.
    pub(super) promise: Option<Promise>,
}

impl Job {
    pub(super) fn new(plan: Plan, facts: Option<Facts>, now: Duration) -> Self {
        let cost = cost(&plan, facts.as_ref());
        Self { plan, facts, cost, begun: now, promise: None }
    }
}

/// What a look into an asset showed.
#[derive(Debug)]
pub(in crate::service) enum Looked {
    /// Somebody may still write to it.
    Unsettled(Box<Unsettled>),
    /// It was read, or could not be.
    Settled(Box<Settled>, Box<Result<Facts, MakeError>>),
}

impl Looked {
    pub(super) fn candidate(&self) -> &Candidate {
        match self {
            Self::Unsettled(unsettled) => unsettled.candidate(),
            Self::Settled(settled, _) => settled.candidate(),
        }
    }
}
