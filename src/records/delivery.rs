use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{AssetId, ContentHash, MarketName, RelPath};

/// The version of the form of a line.
const VERSION: u32 = 1;

/// What stands behind a line of a checklist about what is delivered.
pub const DELIVERED: &str = ", done by `stockmill deliver`";

/// One line of the record of deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum DeliveryRecord {
    /// Something happened to a file.
    File(FileDelivery),
    /// A server refuses to rename, so that its files are sent under their own names.
    NoRename {
        /// Which server.
        to: String,
    },
}

/// What happened to a file on its way to a market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDelivery {
    /// When.
    pub at: Timestamp,
    /// The market.
    pub market: MarketName,
    /// The file in its bundle.
    pub file: RelPath,
    /// The asset that it is of, if its sidecar says that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asset: Option<AssetId>,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// Their number.
    pub bytes: u64,
    /// When they were changed last, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// What happened.
    pub step: DeliveryStep,
    /// Of a manifest, the rows that went: the name of each file, and the checksum of its row.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub rows: BTreeMap<String, u32>,
}

/// How far a file came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStep {
    /// Its bytes begin to go under a temporary name, under which nobody takes them for the file.
    Sending,
    /// From now on the market may have it: its own name is about to appear on the server.
    Begun,
    /// The market has not got it: the server refused, or the connection was cut before its end.
    Undone,
    /// The market has it.
    Delivered,
}

#[derive(Serialize, Deserialize)]
struct Line {
    version: u32,
    #[serde(flatten)]
    record: DeliveryRecord,
}

impl DeliveryRecord {
    /// Returns the record as a line with its checksum.
    pub fn to_line(&self) -> String {
        let line = Line { version: VERSION, record: self.clone() };
        let json = serde_json::to_string(&line).expect("a record holds nothing that JSON cannot write");
        format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()))
    }
}

/// Returns the records of a text up to the first line that is not whole, and the bytes that they have; a line of another
/// version is an error.
pub fn read_deliveries(bytes: &[u8]) -> Result<(Vec<DeliveryRecord>, usize), String> {
    let (mut records, mut used) = (Vec::new(), 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(json) = whole(line) else { break };
        let version = serde_json::from_slice::<serde_json::Value>(json).ok();
        let version = version.and_then(|value| value.get("version")?.as_u64());
        match serde_json::from_slice::<Line>(json) {
            Ok(line) if line.version == VERSION => records.push(line.record),
            _ => {
                let version = version.map_or_else(|| "no".to_owned(), |version| version.to_string());
                return Err(format!("a line has version {version}, and this stockmill knows version {VERSION}"));
            }
        }
        used += line.len();
    }
    Ok((records, used))
}

/// Returns whether a whole line stands in bytes of which the first line is not whole: then records are lost before it.
pub fn hides_deliveries(bytes: &[u8]) -> bool {
    bytes.split_inclusive(|byte| *byte == b'\n').skip(1).any(|line| whole(line).is_some())
}

fn whole(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, json) = line.split_at_checked(9)?;
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?.strip_suffix(' ')?, 16).ok()?;
    (crc32fast::hash(json) == sum).then_some(json)
}

/// A content on its way to a market.
type Content = (MarketName, ContentHash);

/// What is on record of the manifests of a bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Manifests {
    /// Each that was on its way, in the order in which they began. What somebody uploaded by hand has no name on the server.
    begun: Vec<Content>,
    /// The rows that the market has: the checksum of each, by the name of its file.
    rows: BTreeMap<String, u32>,
}

/// What is on record of all deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// The last that happened to each content, for each market.
    contents: BTreeMap<Content, FileDelivery>,
    /// The contents of each file of which nobody can tell whether the market has them.
    in_doubt: BTreeMap<RelPath, BTreeSet<Content>>,
    /// Each file that was delivered, as it was then.
    files: BTreeMap<RelPath, FileDelivery>,
    /// Of each file that was not delivered yet what was sent in parts: the bytes, and when they were written.
    parts: BTreeMap<RelPath, BTreeSet<(ContentHash, i64)>>,
    /// The last file of each asset that was delivered to a market.
    assets: BTreeMap<(MarketName, AssetId), RelPath>,
    /// The manifests of each bundle.
    manifests: BTreeMap<RelPath, Manifests>,
    /// Contents of which nothing was sent, and of which a person says that they are to go.
    wanted: BTreeSet<Content>,
    no_rename: Vec<String>,
}

impl Deliveries {
    /// Takes a record in.
    pub fn add(&mut self, record: &DeliveryRecord) {
        match record {
            DeliveryRecord::NoRename { to } => self.no_rename.push(to.clone()),
            DeliveryRecord::File(record) => self.add_file(record),
        }
    }

    fn add_file(&mut self, record: &FileDelivery) {
        let FileDelivery { market, file, hash, step, .. } = record;
        let content = (market.clone(), hash.clone());
        if *step == DeliveryStep::Sending {
            self.parts.entry(file.clone()).or_default().insert((hash.clone(), record.modified_ns));
            return;
        }
        if *step == DeliveryStep::Undone && !self.contents.contains_key(&content) {
            self.wanted.insert(content);
            return;
        }
        if *step == DeliveryStep::Delivered {
            if let Some(asset) = &record.asset {
                self.assets.insert((market.clone(), asset.clone()), file.clone());
            }
            self.files.insert(file.clone(), record.clone());
            self.parts.remove(file);
        }
        if let Some(bundle) = file.parent().filter(|_| !record.rows.is_empty()) {
            let manifests = self.manifests.entry(bundle).or_default();
            if *step == DeliveryStep::Begun && !manifests.begun.contains(&content) {
                manifests.begun.push(content.clone());
            }
            if *step == DeliveryStep::Delivered {
                manifests.rows.extend(record.rows.clone());
            }
        }
        if let Some(was) = self.contents.insert(content.clone(), record.clone())
            && let Some(contents) = self.in_doubt.get_mut(&was.file)
        {
            contents.remove(&content);
        }
        if *step == DeliveryStep::Begun {
            self.in_doubt.entry(file.clone()).or_default().insert(content);
        }
    }

    /// Returns the last that happened to a content on its way to a market.
    pub fn of(&self, market: &MarketName, hash: &ContentHash) -> Option<&FileDelivery> {
        self.contents.get(&(market.clone(), hash.clone()))
    }

    /// Returns the file by which a market got the asset of another file and content: that one waits for the word of a person.
    pub fn went_before(
        &self,
        market: &MarketName,
        asset: &AssetId,
        file: &RelPath,
        hash: &ContentHash,
    ) -> Option<&RelPath> {
        let went = self.assets.get(&(market.clone(), asset.clone())).filter(|went| *went != file)?;
        let content = (market.clone(), hash.clone());
        (!self.contents.contains_key(&content) && !self.wanted.contains(&content)).then_some(went)
    }

    /// Returns how a file was when it was delivered.
    pub fn delivered(&self, file: &RelPath) -> Option<&FileDelivery> {
        self.files.get(file)
    }

    /// Returns what was sent in parts of a file that was not delivered since: the bytes, and when they were written.
    pub fn parts(&self, file: &RelPath) -> impl Iterator<Item = &(ContentHash, i64)> {
        self.parts.get(file).into_iter().flatten()
    }

    /// Returns the files of a folder that were delivered, and how.
    pub fn delivered_in(&self, folder: &RelPath) -> impl Iterator<Item = (&RelPath, &FileDelivery)> {
        self.files.range(folder.inside())
    }

    /// Returns the files of a folder of which nobody can tell whether the market has them.
    pub fn in_doubt_in(&self, folder: &RelPath) -> impl Iterator<Item = &RelPath> {
        let files = self.in_doubt.range(folder.inside());
        files.filter(|(_, contents)| !contents.is_empty()).map(|(file, _)| file)
    }

    /// Returns the rows that a market got of the manifests of a bundle: the checksum of each ([`row_sum`]), by the name of its
    /// file.
    pub fn delivered_rows(&self, bundle: &RelPath) -> BTreeMap<String, u32> {
        self.manifests.get(bundle).map(|manifests| manifests.rows.clone()).unwrap_or_default()
    }

    /// Returns which one of the manifests of a bundle a content is, from 1, in the order in which they began. It stays that
    /// one, and no other one is.
    pub fn manifest_number(&self, bundle: &RelPath, market: &MarketName, hash: &ContentHash) -> usize {
        let begun = self.manifests.get(bundle).map_or(&[][..], |manifests| &manifests.begun);
        let known = begun.iter().position(|(of, content)| of == market && content == hash);
        known.unwrap_or(begun.len()) + 1
    }

    /// Returns the contents of a file of which nobody can tell whether the market has them.
    pub fn in_doubt(&self, file: &RelPath) -> impl Iterator<Item = &FileDelivery> {
        self.in_doubt.get(file).into_iter().flatten().filter_map(|content| self.contents.get(content))
    }

    /// Returns the manifest of a bundle by which a market perhaps got the row of a file.
    pub fn row_in_doubt(&self, bundle: &RelPath, name: &str) -> Option<&FileDelivery> {
        let mut begun = self.manifests.get(bundle)?.begun.iter().filter_map(|content| self.contents.get(content));
        begun.find(|was| was.step == DeliveryStep::Begun && was.rows.contains_key(name))
    }

    /// Returns whether a server lets files be renamed, as far as that is known.
    pub fn renames(&self, server: &str) -> bool {
        !self.no_rename.iter().any(|known| known == server)
    }
}

/// Returns the checksum (CRC-32) of a row of a manifest, as deliveries have it.
pub fn row_sum(row: &[u8]) -> u32 {
    crc32fast::hash(row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(file: &str, bytes: &[u8], step: DeliveryStep) -> DeliveryRecord {
        DeliveryRecord::File(FileDelivery {
            at: "2026-11-28T09:00:00Z".parse().unwrap(),
            market: MarketName::recorded("adobe-stock"),
            file: RelPath::new(format!("upload/2026-11-28/adobe-stock/files/{file}")).unwrap(),
            asset: None,
            hash: ContentHash::of(bytes),
            bytes: bytes.len() as u64,
            modified_ns: 7,
            step,
            rows: BTreeMap::new(),
        })
    }

    #[test]
    fn a_torn_end_was_never_written_and_damage_is_seen() {
        let records = [
            record("a.jpg", b"a", DeliveryStep::Begun),
            record("a.jpg", b"a", DeliveryStep::Delivered),
            DeliveryRecord::NoRename { to: "sftp://me@host:22/".to_owned() },
        ];
        let lines = records.each_ref().map(DeliveryRecord::to_line);
        let text = lines.concat();
        assert_eq!(read_deliveries(text.as_bytes()).unwrap(), (records.to_vec(), text.len()));
        for cut in 0..text.len() {
            let (read, used) = read_deliveries(&text.as_bytes()[..cut]).unwrap();
            let whole = lines
                .iter()
                .scan(0, |end, line| {
                    *end += line.len();
                    Some(*end)
                })
                .filter(|end| *end <= cut);
            assert_eq!((read.len(), used), (whole.clone().count(), whole.last().unwrap_or(0)), "{cut}");
            assert!(!hides_deliveries(&text.as_bytes()[used..cut]), "{cut}");
        }
        let mut damaged = text.clone().into_bytes();
        damaged[20] ^= 1;
        assert_eq!(read_deliveries(&damaged).unwrap(), (Vec::new(), 0));
        assert!(hides_deliveries(&damaged));
        let json = r#"{"version":2,"is":"new"}"#;
        let newer = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
        assert!(read_deliveries(newer.as_bytes()).unwrap_err().contains("version 2"));
    }

    #[test]
    fn the_last_that_happened_counts() {
        let mut known = Deliveries::default();
        let [begun, undone, delivered] = [DeliveryStep::Begun, DeliveryStep::Undone, DeliveryStep::Delivered]
            .map(|step| record("a.jpg", b"a", step));
        let DeliveryRecord::File(FileDelivery { market, file, hash, .. }) = &begun else { unreachable!() };
        for (record, step) in [
            (&begun, DeliveryStep::Begun),
            (&undone, DeliveryStep::Undone),
            (&begun, DeliveryStep::Begun),
            (&delivered, DeliveryStep::Delivered),
        ] {
            known.add(record);
            assert_eq!(known.of(market, hash).map(|was| was.step), Some(step));
            assert_eq!(known.in_doubt(file).count(), usize::from(step == DeliveryStep::Begun));
            assert_eq!(known.delivered(file).is_some(), step == DeliveryStep::Delivered);
        }
        assert_eq!(known.of(&MarketName::recorded("canva"), hash), None);
        known.add(&DeliveryRecord::NoRename { to: "a".to_owned() });
        assert!(!known.renames("a") && known.renames("b"));
    }

    proptest! {
        /// What is in doubt was looked for among all contents, for each file.
        #[test]
        fn what_is_in_doubt_is_found_by_its_file(
            happened in proptest::collection::vec((0..3_usize, 0..4_u8, 0..3_usize), 0..30),
        ) {
            let steps = [DeliveryStep::Begun, DeliveryStep::Undone, DeliveryStep::Delivered];
            let mut known = Deliveries::default();
            for (file, bytes, step) in happened {
                known.add(&record(["a.jpg", "b.jpg", "c.jpg"][file], &[bytes], steps[step]));
            }
            for file in ["a.jpg", "b.jpg", "c.jpg"] {
                let DeliveryRecord::File(FileDelivery { file, .. }) = record(file, b"", steps[0]) else { unreachable!() };
                let looked_for = known.contents.values().filter(|was| was.file == file && was.step == steps[0]);
                prop_assert_eq!(known.in_doubt(&file).collect::<Vec<_>>(), looked_for.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_rows_of_a_bundle_gather_and_each_manifest_keeps_its_number() {
        let mut known = Deliveries::default();
        let bundle = RelPath::new("upload/2026-11-28/vecteezy").unwrap();
        let market = MarketName::recorded("adobe-stock");
        let went = |step, manifest: &str, row: &str| {
            let DeliveryRecord::File(record) = record("a.jpg", row.as_bytes(), step) else { unreachable!() };
            let rows = [(row.to_owned(), 7)].into();
            DeliveryRecord::File(FileDelivery { file: bundle.join(manifest), rows, ..record })
        };
        let number =
            |known: &Deliveries, row: &str| known.manifest_number(&bundle, &market, &ContentHash::of(row.as_bytes()));
        assert_eq!(number(&known, "a.jpg"), 1);
        // Uploaded by hand, it had the number that the next one would have.
        known.add(&went(DeliveryStep::Delivered, "vecteezy.csv", "hand.jpg"));
        assert_eq!(number(&known, "a.jpg"), 1);
        known.add(&went(DeliveryStep::Begun, "vecteezy.csv", "a.jpg"));
        known.add(&went(DeliveryStep::Delivered, "vecteezy.csv", "a.jpg"));
        // It is in doubt, so nobody counts on its rows; its number was given to the next one.
        known.add(&went(DeliveryStep::Begun, "vecteezy.csv", "b.jpg"));
        assert_eq!(number(&known, "c.jpg"), 3);
        known.add(&went(DeliveryStep::Begun, "vecteezy-2.csv", "c.jpg"));
        known.add(&went(DeliveryStep::Undone, "vecteezy.csv", "b.jpg"));
        known.add(&went(DeliveryStep::Delivered, "vecteezy-2.csv", "c.jpg"));
        let rows = ["hand.jpg", "a.jpg", "c.jpg"].map(|name| (name.to_owned(), 7)).into();
        assert_eq!(known.delivered_rows(&bundle), rows);
        assert_eq!(["a.jpg", "b.jpg", "c.jpg", "d.jpg"].map(|row| number(&known, row)), [1, 2, 3, 4]);
        let other = bundle.sibling("other");
        assert_eq!(known.delivered_rows(&other), BTreeMap::new());
        assert_eq!(known.manifest_number(&other, &market, &ContentHash::of(b"a.jpg")), 1);
    }
}
