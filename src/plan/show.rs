use std::fmt;

use super::refusal::{IF_MENDED, MENDED, MENDED_OR_NUMBERED};
use super::{Plan, Recipe};
use crate::model::ContentHash;
use crate::records::PublishMode;

/// Returns what a step will have done, as far as that is known before.
fn foretold(did: &str) -> String {
    [MENDED_OR_NUMBERED, MENDED].into_iter().fold(did.to_owned(), |did, mended| did.replace(mended, IF_MENDED))
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.about.told().iter().enumerate() {
            let then = if number == 0 { "" } else { "  then " };
            match &step.from {
                Some(from) => writeln!(f, "{then}{from}: {}", foretold(&step.did))?,
                None => writeln!(f, "{then}{}", foretold(&step.did))?,
            }
        }
        for product in &self.products {
            let verb = match (&product.recipe, &product.mode) {
                (Recipe::Same { .. } | Recipe::SameAs { .. }, _) => "link   ",
                (Recipe::Render { .. } | Recipe::Embed { .. } | Recipe::EmbedOf { .. } | Recipe::Blank { .. }, _) => {
                    "make   "
                }
                // A note says again what is there.
                (Recipe::Bytes(bytes), PublishMode::Replace { was: Some(was) }) if ContentHash::of(bytes) == *was => {
                    "keep   "
                }
                (_, PublishMode::Replace { was: Some(_) }) => "replace",
                _ => "write  ",
            };
            writeln!(f, "  {verb} {}", product.to)?;
        }
        for shift in &self.moves {
            writeln!(f, "  move    {} -> {}", shift.from, shift.to)?;
        }
        for gone in &self.removes {
            writeln!(f, "  remove  {}", gone.path)?;
        }
        Ok(())
    }
}
