use std::fmt;

use serde::{Deserialize, Serialize};

/// How many stars a person gave a picture, from 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Rating(u8);

/// A number of stars that nobody gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rating is a number from 1 to 5, and this is {0}")]
pub struct RatingProblem(u8);

impl TryFrom<u8> for Rating {
    type Error = RatingProblem;

    fn try_from(stars: u8) -> Result<Self, RatingProblem> {
        if (1..=5).contains(&stars) { Ok(Self(stars)) } else { Err(RatingProblem(stars)) }
    }
}

impl From<Rating> for u8 {
    fn from(rating: Rating) -> Self {
        rating.0
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
