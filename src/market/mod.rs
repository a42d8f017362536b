//! Marketplaces as data: what each takes, how it wants names, tags and manifests. A new market is a
//! file in `config/markets/`; only a new kind of rule needs code here. Never touches the disk.

mod checks;
mod manifest;
mod profile;

pub use checks::{Candidate, check, fit, left_out, no_category};
pub use manifest::{Row, fit_file_name, manifest, names_in, row_bytes, row_of};
pub use profile::{Charset, Column, Csv, Market, MarketError, Range, TextLimit, Value, built_in, parse};
