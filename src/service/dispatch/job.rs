//! A plan in hand, and what carrying it out costs.

use std::time::Duration;

use super::areas::Promise;
use crate::intake::{Candidate, Settled, Unsettled};
use crate::make::{Cost, MakeError, cost};
use crate::model::{Identity, RelPath, Render, Size};
use crate::plan::{Facts, Plan, Recipe};

/// A plan in hand.
#[derive(Debug)]
pub(in crate::service) struct Job {
    pub(super) plan: Plan,
    /// What is known of its asset; `None` for a plan about records.
    pub(super) facts: Option<Facts>,
    /// The bundled file that it puts into the bundle of a further market, if it does.
    pub(super) offered: Option<(RelPath, Identity)>,
    /// What it takes, about.
    pub(super) cost: Cost,
    pub(super) begun: Duration,
    /// The disks' room that was promised to it.
    pub(super) promise: Option<Promise>,
    /// Whether it takes so long that no other may wait for it: a neural net or a program is at work.
    pub(super) is_slow: bool,
    /// Whether that is a neural net.
    pub(super) is_by_net: bool,
    /// How many pixels that looks at: so long it takes.
    pub(super) slow_pixels: u64,
}

impl Job {
    pub(super) fn new(mut plan: Plan, facts: Option<Facts>, now: Duration) -> Self {
        let cost = cost(&plan, facts.as_ref());
        let is_slow = renders(&mut plan).any(|render| render.by.is_slow());
        let size = facts.as_ref().filter(|_| is_slow).and_then(|facts| facts.size);
        let is_by_net = renders(&mut plan).any(|render| render.by.may_use_net());
        let slow_pixels = size.map_or(0, Size::pixels);
        Self { plan, cost, begun: now, promise: None, is_slow, is_by_net, slow_pixels, facts, offered: None }
    }

    /// Returns a plan that puts a bundled file into the bundle of a further market; the file stays where it is.
    pub(super) fn offer(plan: Plan, facts: &Facts, now: Duration) -> Self {
        let offered = Some((facts.path.clone(), facts.seen));
        Self { facts: None, offered, ..Self::new(plan, Some(facts.clone()), now) }
    }

    /// Returns whether it puts a bundled file into the bundle of a further market.
    pub(super) fn is_offer(&self) -> bool {
        self.offered.is_some()
    }

    /// Has all its pictures made by so many threads each.
    pub(super) fn use_threads(&mut self, threads: usize) {
        renders(&mut self.plan).for_each(|render| render.threads = threads);
    }
}

/// Returns how the pictures of a plan are made.
fn renders(plan: &mut Plan) -> impl Iterator<Item = &mut Render> {
    plan.products.iter_mut().filter_map(|product| match &mut product.recipe {
        Recipe::Render { render, .. } => Some(render),
        _ => None,
    })
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
