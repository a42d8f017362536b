//! A plan in hand, and what carrying it out costs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::intake::{Candidate, Settled, Unsettled};
use crate::make::MakeError;
use crate::model::{RelPath, Size};
use crate::plan::{Facts, Plan, Recipe};

/// A plan in hand.
#[derive(Debug)]
pub(in crate::service) struct Job {
    pub(super) plan: Plan,
    /// What is known of its asset; `None` for a plan about records.
    pub(super) facts: Option<Facts>,
    /// The memory that it takes, about.
    pub(super) weight: u64,
    pub(super) begun: Duration,
    /// The bytes that it will take, by area.
    pub(super) need: BTreeMap<RelPath, u64>,
    /// Whether that room was promised to it.
    pub(super) is_promised: bool,
}

impl Job {
    pub(super) fn new(plan: Plan, facts: Option<Facts>, now: Duration) -> Self {
        let weight = weight(&plan, facts.as_ref());
        let need = need(&plan, facts.as_ref());
        Self { plan, facts, weight, begun: now, need, is_promised: false }
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

/// Returns about how many bytes a plan's products take, by area.
fn need(plan: &Plan, facts: Option<&Facts>) -> BTreeMap<RelPath, u64> {
    let (pixels, bytes) = facts.map_or((0, 0), |facts| (facts.size.map_or(0, Size::pixels), facts.seen.size));
    let mut need = BTreeMap::new();
    for product in &plan.products {
        let wanted = match &product.recipe {
            Recipe::Bytes(bytes) => bytes.len() as u64,
            Recipe::Enlarge { to, .. } => to.pixels() * 4,
            Recipe::Export { .. } => pixels * 2,
            Recipe::Embed { .. } | Recipe::Same { .. } | Recipe::Blank { .. } => bytes,
            Recipe::SidecarOf { .. } | Recipe::Copy { .. } => 4096,
        };
        *need.entry(product.to.area_path()).or_default() += wanted;
    }
    // A move across disks is a copy.
    for shift in plan.moves.iter().filter(|shift| shift.from.area() != shift.to.area()) {
        *need.entry(shift.to.area_path()).or_default() += shift.seen.size;
    }
    need
}

/// Returns about how many bytes of memory a plan takes to check and make: decoded pixels in and out.
fn weight(plan: &Plan, facts: Option<&Facts>) -> u64 {
    let source = facts.and_then(|facts| facts.size).map_or(0, |size| size.pixels() * 8);
    let check = if plan.check.is_some() { source } else { 0 };
    let products = plan.products.iter().map(|product| match &product.recipe {
        Recipe::Enlarge { to, .. } => source + to.pixels() * 12,
        Recipe::Export { .. } => source * 2,
        _ => 0,
    });
    check + products.sum::<u64>()
}
