//! Marketplaces as data: what each takes, how it wants names, tags and manifests. A new market is a
//! file in `config/markets/`; only a new kind of rule needs code here. Never touches the disk.

mod accepts;
mod boxes;
mod checks;
mod colour;
mod delivery;
mod fit;
mod lint;
mod manifest;
mod phrase;
mod profile;
mod read;
mod season;
mod verdicts;
mod video;

pub use accepts::Accepts;
pub use boxes::{AND_TICK, BoxKind, Boxes, LookBoxes, YesBox};
pub use checks::{
    Candidate, WrittenIn, ai_policy, all_categories, check, check_file, check_tags, megapixels_of_edge, never,
    no_category,
};
pub use colour::ColourLimit;
pub use delivery::Delivery;
pub use fit::{Fitted, as_keyword, fit};
pub use lint::{
    Names, Repeated, Warning, WarningKind, idle_category, lacks_category, left_out_words, lint, lint_fitted, repetition,
};
pub use manifest::{
    Row, cells, fit_file_name, manifest, manifest_name, manifest_part, names_in, names_like, renamed, row_of,
    row_too_long, rows_in, with_rows, wrong_name,
};
pub use profile::{
    AiFlag, Charset, Code, Column, Csv, Distinct, Fact, Known, Market, MarketError, Range, TextLimit, Value,
};
pub use read::{Unread, built_in, is_too_large, parse};
pub use season::{late_for, season_ahead};
pub use verdicts::{Means, VerdictList};
pub use video::{Limit, Sound, VideoLimits};
