use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Dealing;
use crate::model::{AssetId, ContentHash, Identity, MarketName, RelPath, Stage, ThemeSlug};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Record {
    /// A plan whose products are complete in scratch is about to be carried out.
    Intent(Intent),
    /// The plan was carried out whole.
    Done {
        /// Which plan.
        plan: u64,
    },
    /// The plan was given up; the source stands where it stood.
    Undone {
        /// Which plan.
        plan: u64,
        /// Why, in words.
        why: String,
    },
}

/// All that is needed to finish a plan, or to take it back, whenever the power fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The plan's number.
    pub plan: u64,
    /// When it was begun.
    pub at: Timestamp,
    /// Whether empty files may hold its names until the real ones come.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub claims: bool,
    /// What it does, for people and for the ledger.
    pub about: About,
    /// New files and replaced records, from scratch into place.
    pub publish: Vec<Publish>,
    /// Files that move to a free name.
    pub moves: Vec<Move>,
    /// Files that are removed, last of all.
    pub removes: Vec<Remove>,
}

/// What a plan is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The stage that it takes from.
    pub stage: Stage,
    /// The theme, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub theme: Option<ThemeSlug>,
    /// The asset, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asset: Option<AssetId>,
    /// The asset's number within the theme.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
    /// The file that it was made for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<RelPath>,
    /// The hash of that file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hash: Option<ContentHash>,
    /// The hashes of what that file shows, whatever its metadata, and of what was made from it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub essences: Vec<ContentHash>,
    /// Where the asset stands afterwards.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<RelPath>,
    /// The plan that it takes back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub undoes: Option<u64>,
    /// The markets whose bundles it joined.
    #[serde(rename = "market", with = "joined", skip_serializing_if = "Vec::is_empty", default)]
    pub markets: Vec<MarketName>,
    /// What was done, in words.
    pub did: String,
    /// The steps that it took at once, if they were several.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub steps: Vec<StepTaken>,
    /// What went to a market, or what that answered. An older program reads over it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dealing: Option<Dealing>,
}

/// One of several steps that a plan took at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepTaken {
    /// The stage that it took from.
    pub stage: Stage,
    /// The name that the asset had before it.
    pub from: RelPath,
    /// The name that it gave.
    pub to: RelPath,
    /// The markets whose bundles it joined.
    #[serde(rename = "market", with = "joined", skip_serializing_if = "Vec::is_empty", default)]
    pub markets: Vec<MarketName>,
    /// What was done, in words.
    pub did: String,
}

/// A finished product that gets its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Publish {
    /// The product in scratch.
    pub scratch: RelPath,
    /// The name that it gets.
    pub to: RelPath,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// Whether it may replace a record of stockmill's own.
    pub mode: PublishMode,
}

/// Whether a name must be free.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishMode {
    /// The name must be free.
    New,
    /// The name holds this version of a record, or nothing.
    Replace {
        /// The hash of the version that was read; `None` if there was no file.
        was: Option<ContentHash>,
    },
}

/// A file that gets another name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// Where it stands.
    pub from: RelPath,
    /// The free name that it gets.
    pub to: RelPath,
    /// The state in which it was seen.
    pub seen: Identity,
}

/// A file that is removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remove {
    /// The file.
    pub path: RelPath,
    /// The state in which it was seen; in any other state it stays.
    pub seen: Identity,
    /// Where it is kept for a while, so that `undo` can bring it back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub aside: Option<RelPath>,
    /// Where the plan puts a copy of the same bytes; then none is kept aside.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub copied_to: Option<RelPath>,
}

impl About {
    /// Returns what is said of a plan that is about no asset, no theme and no file.
    pub fn new(stage: Stage, did: impl Into<String>) -> Self {
        Self {
            stage,
            theme: None,
            asset: None,
            seq: None,
            from: None,
            hash: None,
            essences: Vec::new(),
            to: None,
            undoes: None,
            markets: Vec::new(),
            did: did.into(),
            steps: Vec::new(),
            dealing: None,
        }
    }

    /// Returns the steps that it took: one, unless several were taken at once. What is about no file took none.
    pub fn steps(&self) -> impl Iterator<Item = StepTaken> {
        let one = || {
            let (stage, from, to) = (self.stage, self.from.clone()?, self.to.clone()?);
            Some(StepTaken { stage, from, to, markets: self.markets.clone(), did: self.did.clone() })
        };
        let one = if self.steps.is_empty() { one() } else { None };
        self.steps.iter().cloned().chain(one)
    }

    /// Returns what it did step by step, each told as if it had been taken alone.
    pub fn told(&self) -> Vec<About> {
        let alone = |step: &StepTaken| About {
            stage: step.stage,
            from: Some(step.from.clone()),
            to: Some(step.to.clone()),
            markets: step.markets.clone(),
            did: step.did.clone(),
            steps: Vec::new(),
            ..self.clone()
        };
        if self.steps.is_empty() { vec![self.clone()] } else { self.steps.iter().map(alone).collect() }
    }
}

impl Record {
    /// Returns the number of the plan that the record is about.
    pub fn plan(&self) -> u64 {
        match self {
            Self::Intent(intent) => intent.plan,
            Self::Done { plan } | Self::Undone { plan, .. } => *plan,
        }
    }

    /// Returns the record as one line, with its newline.
    pub fn to_line(&self) -> String {
        let json = serde_json::to_string(self).expect("a record holds nothing that JSON cannot write");
        format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()))
    }
}

/// The names of markets as one text, as every journal has them: an older program reads what this one wrote.
mod joined {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::model::MarketName;

    pub(super) fn serialize<S: Serializer>(markets: &[MarketName], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&markets.iter().map(MarketName::as_str).collect::<Vec<_>>().join(","))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MarketName>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        // A line that cannot be read is a journal that ends there.
        Ok(text.split(',').filter(|name| !name.is_empty()).map(MarketName::recorded).collect())
    }
}

/// Returns the whole records at the start of `bytes`, and how many bytes they take.
pub fn read_records(bytes: &[u8]) -> (Vec<Record>, usize) {
    let mut records = Vec::new();
    let mut used = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let Some(record) = read_line(line) else { break };
        records.push(record);
        used += line.len();
    }
    (records, used)
}

/// Returns whether any whole record lies in `bytes`.
pub fn holds_records(bytes: &[u8]) -> bool {
    bytes.split_inclusive(|b| *b == b'\n').any(|line| read_line(line).is_some())
}

fn read_line(line: &[u8]) -> Option<Record> {
    let line = line.strip_suffix(b"\n")?;
    let (checksum, json) = (line.get(..9)?, line.get(9..)?);
    if format!("{:08x} ", crc32fast::hash(json)).as_bytes() != checksum {
        return None;
    }
    serde_json::from_slice(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines() -> (Vec<Record>, Vec<u8>) {
        let records: Vec<_> = (0..6)
            .map(|plan| match plan % 2 {
                0 => Record::Done { plan },
                _ => Record::Undone { plan, why: "the name was taken \"meanwhile\"\n".to_owned() },
            })
            .collect();
        let bytes = records.iter().map(Record::to_line).collect::<String>().into_bytes();
        (records, bytes)
    }

    #[test]
    fn an_intent_survives_as_it_is() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let seen = Identity { device: 1, inode: 2, size: 3, modified_ns: 1_795_436_400_123_456_789 };
        let hash = ContentHash::of(b"x");
        let mode = PublishMode::Replace { was: Some(hash.clone()) };
        let record = Record::Intent(Intent {
            plan: 7,
            at: "2026-11-23T12:00:00Z".parse().unwrap(),
            claims: true,
            about: About {
                stage: Stage::Raw,
                theme: Some(ThemeSlug::unsorted()),
                asset: Some(AssetId::of(&hash)),
                seq: Some(1),
                from: Some(path("raw/a.png")),
                hash: Some(hash.clone()),
                to: None,
                essences: vec![hash.clone()],
                undoes: None,
                markets: vec![MarketName::recorded("a"), MarketName::recorded("b-c")],
                did: "named".to_owned(),
                steps: vec![StepTaken {
                    stage: Stage::Keep,
                    from: path("keep/a.png"),
                    to: path("export/a.png"),
                    markets: vec![MarketName::recorded("a")],
                    did: "enlarged".to_owned(),
                }],
                dealing: None,
            },
            publish: vec![Publish { scratch: path(".stockmill/scratch/7-0"), to: path("keep/a.yaml"), hash, mode }],
            moves: vec![Move { from: path("raw/a.png"), to: path("keep/a.png"), seen }],
            removes: vec![Remove { path: path("raw/a.png.yaml"), seen, aside: None, copied_to: None }],
        });
        assert_eq!(read_records(record.to_line().as_bytes()).0, [record]);
    }

    /// What was sold is known for ever, whatever the market was called and whichever version wrote the line.
    #[test]
    fn the_markets_of_an_older_journal_are_read() {
        let rows: [(&str, &[&str]); 5] = [
            ("", &[]),
            (r#""market":null,"#, &[]),
            (r#""market":"adobe-stock","#, &["adobe-stock"]),
            (r#""market":"adobe-stock,other","#, &["adobe-stock", "other"]),
            (r#""market":"a-2,.b","#, &["a-2", ".b"]),
        ];
        for (market, expected) in rows {
            let json = format!(
                r#"{{"is":"intent","plan":1,"at":"2026-11-23T12:00:00Z","batch":1,"about":{{"stage":"upload",{market}"did":"bundled"}},"publish":[],"moves":[],"removes":[]}}"#
            );
            let line = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
            let [Record::Intent(intent)] = &read_records(line.as_bytes()).0[..] else { panic!("{json}") };
            assert_eq!(intent.about.markets, expected, "{json}");
            let written = Record::Intent(intent.clone()).to_line();
            assert_eq!(written.contains("market"), !expected.is_empty(), "{written}");
            assert!(market.is_empty() || expected.is_empty() || written.contains(market), "{written}");
        }
    }

    proptest! {
        #[test]
        fn any_truncation_gives_a_prefix(cut in 0_usize..400) {
            let (records, bytes) = lines();
            let (read, used) = read_records(&bytes[..cut.min(bytes.len())]);
            prop_assert!(records.starts_with(&read));
            prop_assert!(used <= cut);
        }

        #[test]
        fn any_bit_flip_gives_a_prefix(at in 0_usize..1000, bit in 0_u8..8) {
            let (records, mut bytes) = lines();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let (read, _) = read_records(&bytes);
            prop_assert!(records.starts_with(&read));
            prop_assert!(read.len() < records.len() || bytes == lines().1);
            // Behind a damaged line that is not the last, the others can still be seen.
            let is_in_last = bytes[at + 1..].split(|b| *b == b'\n').count() < 3;
            let (_, used) = read_records(&bytes);
            prop_assert!(is_in_last || holds_records(&bytes[used..]));
        }
    }
}
