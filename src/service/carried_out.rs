//! What a request is bound by, and what carrying it out came to.

use std::sync::Arc;

use super::decide;
use crate::config::Settings;
use crate::make::Limits;
use crate::model::Ignore;
use crate::records::Answer;
use crate::vault::Receipt;

/// What carrying out a request came to.
#[derive(Debug)]
pub(super) struct CarriedOut {
    pub(super) receipts: Vec<Receipt>,
    pub(super) answer: Answer,
    /// Whether the disk refused in the middle, so that recovery has to finish it or take it back.
    pub(super) is_open: bool,
}

impl Default for CarriedOut {
    fn default() -> Self {
        Self { receipts: Vec::new(), answer: Answer::new(Vec::new(), None), is_open: false }
    }
}

/// What carrying out a request is bound by.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) limits: Limits,
    /// A person's own patterns of names that are left alone.
    pub(super) ignore: Ignore,
    /// What pictures are made by that are made anew.
    pub(super) settings: Arc<Settings>,
}

impl Rules {
    /// Returns what the settings say.
    pub(super) fn of(settings: &Arc<Settings>) -> Self {
        let (limits, ignore) = (decide::limits(settings), settings.settle.ignore.clone());
        Self { limits, ignore, settings: settings.clone() }
    }
}
