use crate::model::{ContentHash, RelPath};

/// What is told of a file that goes to a market again which refused one, once its bytes were compared with that one's.
pub(super) const MENDED: &str = "since it was mended";
/// The same where its number is another one, or may be.
pub(super) const MENDED_OR_NUMBERED: &str =
    "since it was mended or has another number (which one it had is not on record)";
/// What is foretold of it: what changed settings make of the same picture is compared only once it is made.
pub(super) const IF_MENDED: &str = "if its bytes are not those that were refused";

/// That a market refused a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where the file lay in its bundle.
    pub file: RelPath,
    /// Why, in the market's words; empty if it did not say.
    pub reason: String,
    /// What the file's bytes follow from, as far as that is known: the same may be made in several ways.
    pub made: Vec<ContentHash>,
    /// Its number within its theme, where that is on record.
    pub number: Option<u64>,
}

/// What of a file that is offered again is another than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum But {
    /// Nothing.
    Nothing,
    /// The number in its texts, which mends nothing.
    Number,
}

impl Refusal {
    /// Returns why the market does not get the asset again, if nothing changed about it `but` this; `made` is what the
    /// bytes follow from that it would get without that. What is not known to be the same goes on: its bytes are compared
    /// once it is made.
    pub fn refuse(&self, made: Option<&ContentHash>, but: But) -> Option<String> {
        let is_same = made.is_some_and(|made| self.made.contains(made));
        let but = match but {
            But::Nothing => "",
            But::Number => " with another number",
        };
        is_same.then(|| {
            format!(
                "it refused it as `{}`{}, and would get the same again{but}; change its picture, or tags that are in the file \
                 (a category, and all tags of models, WebM and MKV, are in the CSV alone: correct these in the portal)",
                self.file,
                self.why()
            )
        })
    }

    /// Returns the market's words behind a colon, if there are any.
    pub fn why(&self) -> String {
        if self.reason.is_empty() { String::new() } else { format!(" ({})", self.reason) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_goes_again_once_it_is_made_otherwise() {
        let hash = |text: &str| ContentHash::of(text.as_bytes());
        // What the refused file was made of, what is made now, and whether the market gets it.
        let rows = [
            (Some("a"), Some("a"), false),
            (Some("a"), Some("b"), true),
            (Some("a"), None, true),
            (None, Some("a"), true),
            (None, None, true),
        ];
        for (was, now, goes) in rows {
            let file = RelPath::new("upload/2026-11-28/m/files/a.jpg").unwrap();
            let refusal =
                Refusal { file, reason: "noise".to_owned(), made: was.map(hash).into_iter().collect(), number: None };
            let why = refusal.refuse(now.map(hash).as_ref(), But::Nothing);
            assert_eq!(why.is_none(), goes, "{was:?} {now:?}");
            assert!(
                why.is_none_or(|why| why.starts_with("it refused it as `upload/2026-11-28/m/files/a.jpg` (noise)"))
            );
        }
    }
}
