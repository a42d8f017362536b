use serde::Deserialize;

/// How a market lists what it took and what it refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictList {
    /// The column of the file's name.
    pub file: String,
    /// The column of the verdict.
    pub verdict: String,
    /// The column of the reason, where there is one.
    #[serde(default)]
    pub reason: Option<String>,
    /// The words for a file that was taken.
    pub accepted: Vec<String>,
    /// The words for one that was refused.
    pub refused: Vec<String>,
    /// The words for one that is not answered yet.
    #[serde(default)]
    pub pending: Vec<String>,
}

/// What a word in the column of the verdict means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// The market took the file.
    Accepted,
    /// It refused it.
    Refused,
    /// It has not answered.
    Pending,
}

impl VerdictList {
    /// Returns the list of a market whose profile does not say what its list looks like: no columns, and the words that
    /// markets use.
    pub fn unknown() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            file: String::new(),
            verdict: String::new(),
            reason: None,
            accepted: words(&["accepted", "approved", "published", "online", "active"]),
            refused: words(&["refused", "rejected", "declined", "not accepted", "not approved"]),
            pending: words(&["pending", "in review", "under review", "submitted", "processing"]),
        }
    }

    /// Returns what a word means, in any case; `None` if nobody said it.
    pub fn means(&self, word: &str) -> Option<Means> {
        let word = word.trim().to_lowercase();
        let is_in = |words: &[String]| words.iter().any(|known| known.trim().to_lowercase() == word);
        match () {
            () if is_in(&self.accepted) => Some(Means::Accepted),
            () if is_in(&self.refused) => Some(Means::Refused),
            () if is_in(&self.pending) => Some(Means::Pending),
            () => None,
        }
    }

    /// Returns why it makes no sense, as far as it does not.
    pub fn problems(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let columns = [Some(&self.file), Some(&self.verdict), self.reason.as_ref()];
        if columns.into_iter().flatten().any(|column| column.trim().is_empty()) {
            wrong.push("a column has no name".to_owned());
        }
        if self.accepted.is_empty() || self.refused.is_empty() {
            wrong.push("`accepted` and `refused` must each have a word".to_owned());
        }
        let all = [&self.accepted, &self.refused, &self.pending].into_iter().flatten();
        let mut seen: Vec<String> = Vec::new();
        for word in all.map(|word| word.trim().to_lowercase()) {
            if word.is_empty() || seen.contains(&word) {
                wrong.push(format!("the word `{word}` stands there twice, or is empty"));
            }
            seen.push(word);
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_one_thing() {
        let list = VerdictList::unknown();
        let rows = [
            ("Approved", Some(Means::Accepted)),
            (" REJECTED ", Some(Means::Refused)),
            ("In review", Some(Means::Pending)),
            ("rejected: noise", None),
            ("", None),
        ];
        for (word, means) in rows {
            assert_eq!(list.means(word), means, "{word}");
        }
        let sound = VerdictList { file: "File".to_owned(), verdict: "Status".to_owned(), ..list };
        assert_eq!(sound.problems(), Vec::<String>::new());
        let wrong = [
            VerdictList { file: " ".to_owned(), ..sound.clone() },
            VerdictList { refused: Vec::new(), ..sound.clone() },
            VerdictList { refused: vec!["Approved ".to_owned()], ..sound.clone() },
        ];
        for list in wrong {
            assert!(!list.problems().is_empty(), "{list:?}");
        }
    }
}
