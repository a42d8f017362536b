use std::collections::BTreeMap;

use crate::config::{ExportSettings, KeepSettings, NamingSettings};
use crate::market::{Market, Names};
use crate::model::{ContentHash, NetName};

/// The slice of the settings that deciding needs.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How files are named.
    pub naming: NamingSettings,
    /// How pictures are refined.
    pub keep: KeepSettings,
    /// How pictures are exported.
    pub export: ExportSettings,
    /// Where they go.
    pub markets: Vec<Market>,
    /// Whether the gate behind which they lie is `hold`.
    pub is_upload_held: bool,
    /// Names that texts do not get from the names of files.
    pub names: Names,
    /// The most prompts that one idea gives.
    pub prompts_max: usize,
    /// The nets that people brought, as far as they are asked for.
    pub nets: Nets,
}

/// What is known of nets that people brought: the hash of each one's file, or why it cannot be used.
pub type Nets = BTreeMap<NetName, Result<ContentHash, String>>;
