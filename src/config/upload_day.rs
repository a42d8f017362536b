use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::MarketName;

/// How much goes to the markets at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UploadDay {
    /// What each market gets at most.
    pub limits: BTreeMap<MarketName, MarketLimits>,
    /// When a theme is held for a market that refuses most of it.
    pub brake: Option<Brake>,
    /// How many files of a theme go to a market before it has answered.
    pub probe: Option<u32>,
    /// What goes first where not all can go.
    pub order: UploadOrder,
}

/// What goes first where not all can go; of the same rank the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UploadOrder {
    /// What lies in `upload` for the longest.
    #[default]
    Oldest,
    /// Themes of which nothing is on its way any more.
    Complete,
    /// Themes with the lowest `priority` in their tags.
    Priority,
    /// Themes whose `season` begins first.
    Season,
}

impl UploadDay {
    /// Returns after how many days a market is not expected to answer any more.
    pub fn review_days(&self, market: &MarketName) -> u32 {
        self.limits.get(market).map_or(REVIEW_DAYS, |limits| limits.review_days)
    }

    /// Returns whether nothing is ever held for it.
    pub fn is_off(&self) -> bool {
        self.limits.is_empty() && self.brake.is_none() && self.probe.is_none()
    }
}

/// What a market gets at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct MarketLimits {
    /// Files a day.
    #[serde(default)]
    pub at_most: Option<u32>,
    /// Files within seven days.
    #[serde(default)]
    pub at_most_per_week: Option<u32>,
    /// Files that it has not answered.
    #[serde(default)]
    pub at_most_in_review: Option<u32>,
    /// After so many days a file that was not answered is in review no more.
    #[serde(default = "review_days")]
    pub review_days: u32,
}

/// When a theme is held for a market.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Brake {
    /// So many answers about files of the theme are looked at, the latest.
    pub last: u32,
    /// The share of them that must be accepted.
    pub accepted_min: f64,
}

/// Markets answer within days; what was not answered for this long was forgotten, or its answer was not imported.
const REVIEW_DAYS: u32 = 14;

fn review_days() -> u32 {
    REVIEW_DAYS
}
