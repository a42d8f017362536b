use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RecordError, json};
use crate::model::{MarketName, RelPath, Stage, ThemeSlug};

/// The form of requests and answers that is written and read.
const VERSION: u32 = 1;

/// What a person asks for, as a command leaves it for whoever holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    version: u32,
    /// When the person asked.
    pub at: Timestamp,
    /// What is to be done.
    pub action: Action,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Take back what was done.
    Undo(UndoWhat),
    /// Take up again what was set aside.
    Retry(RetryWhat),
    /// Make anew what was made by settings that changed since.
    Remake(RemakeWhat),
    /// Record that these bundles were sent.
    Sent(Vec<RelPath>),
    /// Record what a market answered.
    Verdicts(Verdicts),
}

/// What a person wants back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoWhat {
    /// The last step of any asset.
    Last,
    /// The last step of the asset that stands here.
    Asset(RelPath),
}

/// Which of the things that were set aside are taken up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryWhat {
    /// Everything.
    All,
    /// What came from one stage.
    Stage(Stage),
    /// What lies here, or lay here before it was set aside; a file or a folder.
    Path(RelPath),
}

/// Which products are made anew.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RemakeWhat {
    /// One theme only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub theme: Option<ThemeSlug>,
    /// Go on behind this file: the answer before ended there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<RelPath>,
}

/// What a market's list says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    /// The market.
    pub market: MarketName,
    /// The rows that say whether a file was accepted.
    pub rows: Vec<VerdictRow>,
}

/// One row of a market's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictRow {
    /// Its line in the list.
    pub line: u64,
    /// What the market calls the file.
    pub file: String,
    /// Whether the market took it.
    pub accepted: bool,
    /// Why not, in the market's words.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub reason: String,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    version: u32,
    /// One for each asset, in order.
    pub done: Vec<Did>,
    /// Why the rest was not done.
    pub refused: Option<String>,
}

/// What was done about one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// A step was taken back, in words, and what came back waits.
    Undone(String),
    /// A step was taken back, in words, and what came back lies in its bundle.
    Restored(String),
    /// It went back from where it was set aside.
    Back {
        /// Where it lay in `failed/`.
        from: RelPath,
        /// Where it lies now.
        to: RelPath,
    },
    /// It had been moved already; the note on it is gone now too.
    Gone(RelPath),
    /// It stays as it is, and why.
    Stays(RelPath, String),
    /// It was made anew, and how.
    Remade(RelPath, String),
    /// There is more to do behind this file: ask again.
    More(RelPath),
    /// The bundle that lies here is on record as sent, and what that means.
    Sent(RelPath, String),
    /// What a market answered is on record, in words.
    Answered(String),
    /// A line of a market's list is not on record, and why.
    NotTold(u64, String),
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undone(line) | Self::Restored(line) => f.write_str(line),
            Self::Back { from, to } => write!(f, "{from} -> {to}"),
            Self::Gone(path) => write!(f, "{path}: not there any more; its note is removed"),
            Self::Stays(path, why) => write!(f, "{path}: stays: {why}"),
            Self::Remade(path, did) => write!(f, "{path}: {did}"),
            Self::More(path) => write!(f, "there is more behind {path}"),
            Self::Sent(path, what) => write!(f, "{path}: {what}"),
            Self::Answered(what) => f.write_str(what),
            Self::NotTold(line, why) => write!(f, "line {line}: {why}"),
        }
    }
}

impl Action {
    /// Returns the name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Undo(_) => "undo",
            Self::Retry(_) => "retry",
            Self::Remake(_) => "remake",
            Self::Sent(_) => "sent",
            Self::Verdicts(_) => "verdicts",
        }
    }
}

impl Request {
    /// The names of all kinds.
    pub const KINDS: [&'static str; 5] = ["undo", "retry", "remake", "sent", "verdicts"];

    /// Returns a request that is made now.
    pub fn new(action: Action, at: Timestamp) -> Self {
        Self { version: VERSION, at, action }
    }

    /// Returns its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a request holds nothing that JSON cannot write")
    }

    /// Reads a request.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        json::read(bytes, VERSION)
    }
}

impl Answer {
    /// Returns an answer.
    pub fn new(done: Vec<Did>, refused: Option<String>) -> Self {
        Self { version: VERSION, done, refused }
    }

    /// Returns the answer to what cannot be done at all.
    pub fn refused(why: impl Into<String>) -> Self {
        Self::new(Vec::new(), Some(why.into()))
    }

    /// Returns its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an answer holds nothing that JSON cannot write")
    }

    /// Reads an answer.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        json::read(bytes, VERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_are_read_as_they_were_written() {
        let at: Timestamp = "2026-11-28T10:00:00Z".parse().unwrap();
        let path = |text: &str| RelPath::new(text).unwrap();
        let actions = [
            (Action::Undo(UndoWhat::Last), r#"{"undo":"last"}"#),
            (Action::Undo(UndoWhat::Asset(path("keep/a.png"))), r#"{"undo":{"asset":"keep/a.png"}}"#),
            (Action::Retry(RetryWhat::All), r#"{"retry":"all"}"#),
            (Action::Retry(RetryWhat::Stage(Stage::Raw)), r#"{"retry":{"stage":"raw"}}"#),
            (Action::Retry(RetryWhat::Path(path("failed/raw"))), r#"{"retry":{"path":"failed/raw"}}"#),
            (Action::Remake(RemakeWhat::default()), r#"{"remake":{}}"#),
            (
                Action::Remake(RemakeWhat { theme: ThemeSlug::new("sea").ok(), after: Some(path("export/sea/a.png")) }),
                r#"{"remake":{"theme":"sea","after":"export/sea/a.png"}}"#,
            ),
            (Action::Sent(vec![path("upload/2026-11-28/m")]), r#"{"sent":["upload/2026-11-28/m"]}"#),
            (
                Action::Verdicts(Verdicts {
                    market: MarketName::new("m").unwrap(),
                    rows: vec![VerdictRow { line: 2, file: "a.jpg".into(), accepted: false, reason: "noise".into() }],
                }),
                r#"{"verdicts":{"market":"m","rows":[{"line":2,"file":"a.jpg","accepted":false,"reason":"noise"}]}}"#,
            ),
        ];
        for (action, text) in actions {
            let request = Request::new(action, at);
            let expected = format!(r#"{{"version":1,"at":"2026-11-28T10:00:00Z","action":{text}}}"#);
            assert_eq!(String::from_utf8(request.to_bytes()).unwrap(), expected);
            assert_eq!(Request::parse(expected.as_bytes()), Ok(request));
        }
        let did = [
            Did::Undone("refined".to_owned()),
            Did::Restored("made anew".to_owned()),
            Did::Back { from: path("failed/raw/a.png"), to: path("raw/a.png") },
            Did::Gone(path("failed/raw/b.png")),
            Did::Stays(path("failed/raw/c.png"), "no free name".to_owned()),
            Did::Remade(path("export/t/a.png"), "made anew".to_owned()),
            Did::More(path("export/t/a.png")),
            Did::Sent(path("upload/2026-11-28/m"), "2 files".to_owned()),
            Did::Answered("2 accepted".to_owned()),
            Did::NotTold(7, "it never went there".to_owned()),
        ];
        for answer in [Answer::new(did.into(), None), Answer::refused("the journal cannot be read")] {
            assert_eq!(Answer::parse(&answer.to_bytes()), Ok(answer));
        }
    }

    #[test]
    fn other_forms_are_told_apart_from_broken_ones() {
        let is_other = |text: &str| match (Request::parse(text.as_bytes()), Answer::parse(text.as_bytes())) {
            (Err(RecordError::Version { found: 2 }), Err(RecordError::Version { found: 2 })) => true,
            (Err(RecordError::Syntax { .. }), Err(RecordError::Syntax { .. })) => false,
            read => panic!("{text}: {read:?}"),
        };
        assert!(is_other(r#"{"version":2,"action":{"fly":"home"}}"#));
        // What was left before there were versions, half a file, another action.
        for text in [
            r#"{"what":"last","at":"2026-11-28T10:00:00Z"}"#,
            r#"{"version":1,"#,
            r#"{"version":1,"action":"fly"}"#,
            "",
        ] {
            assert!(!is_other(text), "{text}");
        }
    }
}
