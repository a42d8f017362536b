use super::asset::Asset;
use super::{Context, Facts, Hold, Plan, export, keep, raw, upload};
use crate::model::Stage;

/// Decides what happens to one asset in its stage.
pub fn plan_asset(facts: &Facts, context: &Context<'_>) -> Result<Plan, Hold> {
    let asset = Asset::recognise(facts, context)?;
    match facts.stage {
        Stage::Ideas => Err(Hold::Ignored("it is not a note; drop pictures into `raw`".to_owned())),
        Stage::Raw => Ok(raw::plan(&asset)),
        Stage::Keep => keep::plan(&asset),
        Stage::Export => export::plan(&asset),
        Stage::Upload => upload::plan(&asset),
    }
}
