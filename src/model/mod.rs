//! The words of the trade: stages, paths, themes, tags, kinds. Types that are checked once, when
//! they are built. Never any I/O, clock, log or randomness.

mod command_line;
mod counted;
mod day_folder;
mod enhance;
mod enlarge;
mod facts;
pub mod hierarchy;
mod ignore;
mod kind;
mod market_name;
mod meta;
mod net_name;
mod path;
mod portal;
mod rating;
mod references;
mod render;
mod slug;
mod stage;
mod tags;
mod template;
mod title_fields;
mod upscaler;

pub use command_line::{ArgumentProblem, CommandLine, ProgramStep};
pub use counted::counted;
pub use day_folder::leading_days;
pub use enhance::{Enhance, EnhanceTags, Strength};
pub use enlarge::{EnlargeTags, Method, Restore};
pub use facts::{ContentHash, Identity};
pub use ignore::{Ignore, IgnoreProblem, Rule};
pub use kind::{Format, Kind, Profile, Size};
pub use market_name::{MarketName, MarketNameProblem};
pub use meta::{Meta, SourceType};
pub use net_name::NetName;
pub use path::{PathProblem, RelPath, escape_bytes, hex_byte};
pub use portal::{Look, People};
pub use rating::{Rating, RatingProblem};
pub use references::{Reference, References};
pub use render::{ByteRange, Output, Render, Scans, Subsampling};
pub use slug::{AssetId, SlugProblem, ThemeSlug, slug_chars, slugify};
pub use stage::{Stage, UnknownStage};
pub use tags::{Tags, category_map, is_barred, normal_keyword, split_words, words};
pub use template::{Field, Filter, Piece, Template, TemplateProblem, nearest};
pub use title_fields::{with_fields, without_fields};
pub use upscaler::{Dial, INSTEAD, Took, Upscaler};
