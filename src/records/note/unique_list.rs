use std::collections::HashSet;

/// Texts in order, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct UniqueList {
    pub(super) list: Vec<String>,
    seen: HashSet<String>,
}

impl UniqueList {
    /// Adds a text unless it is there already; returns false if there is no room.
    pub(super) fn add(&mut self, text: String, key: String, count_max: usize) -> bool {
        if self.seen.contains(&key) {
            return true;
        }
        if self.list.len() >= count_max {
            return false;
        }
        self.seen.insert(key);
        self.list.push(text);
        true
    }
}
