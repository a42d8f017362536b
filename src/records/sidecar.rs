use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Derivation, RecordError};
use crate::model::{
    AssetId, C2pa, ContentHash, Identity, Kind, MarketName, RelPath, Size, Stage, Tags, ThemeSlug, Video,
};

/// The newest version that this program knows.
const VERSION: u32 = 9;
/// The version of a sidecar that does not say how the parts of a model were left.
const VERSION_WITHOUT_PARTS: u32 = 8;
/// The version of one that does not say what nobody is to read in a model and its parts, either.
const VERSION_WITHOUT_PRIVATE: u32 = 7;
/// The version of a sidecar that does not say in which state its file was left, either.
const VERSION_WITHOUT_STATE: u32 = 6;
/// The version of one that does not say what is measured of a video, either.
const VERSION_WITHOUT_VIDEO: u32 = 5;
/// The version of one whose asset every market got that was chosen for it, and whose original has no C2PA manifest.
const VERSION_WITHOUT_OWED: u32 = 4;
/// The version of one whose asset nobody let go though it was rejected, either.
const VERSION_WITHOUT_LET_GO: u32 = 3;
/// The version of a sidecar that does not say from what and by which stockmill its file was made.
const VERSION_WITHOUT_INPUT: u32 = 2;
/// The version of one whose asset nobody changed by hand, either: what knows no versions of an asset reads it too.
const VERSION_WITHOUT_CHANGES: u32 = 1;
/// What is added to an asset's file name to name its sidecar.
pub const SIDECAR_SUFFIX: &str = ".yaml";
/// The largest sidecar that is read, in bytes.
pub const SIDECAR_BYTES_MAX: u64 = super::yaml::BYTES_MAX as u64;

/// All that stockmill knows of one asset. A person may write one with nothing but `tags`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sidecar {
    /// Version of this format; absent means 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The asset's identity for life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<AssetId>,
    /// The theme that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<ThemeSlug>,
    /// Its number within the theme; never used again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The asset's own tags: the highest layer before the market.
    pub tags: Tags,
    /// What was dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What a person made of it since, oldest first: the last one is the original from then on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Origin>,
    /// The file that this sidecar stands beside, as stockmill left it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileRecord>,
    /// The hashes of what its files showed, whatever their metadata: of what was dropped, and of each version since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub essences: Vec<ContentHash>,
    /// The hash of the foreign XMP sidecar that marks the asset as rejected, if a person let it go all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub let_go: Option<ContentHash>,
    /// The markets that were chosen when it was bundled and did not get it then: they get it once they would take it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<MarketName>,
    /// The C2PA manifest of its original.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c2pa: Option<C2pa>,
    /// What is measured of it, for videos.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<Video>,
    /// What of a model and its parts nobody is to read, and lies in its bundle.
    #[serde(skip_serializing_if = "Private::is_nothing")]
    pub private: Private,
    /// The parts of a model, as stockmill left them in its bundle: by where each lies in the folder of the parts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<RelPath, FileRecord>,
    /// What happened to the asset, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Happened>,
}

/// What of a model and its parts nobody is to read, and cannot be taken out of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Private {
    /// A folder of a person that the model, or a material of it, names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Parts that may say something: where each lies in the folder of the parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<RelPath>,
}

impl Private {
    /// Returns whether there is nothing of it.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// The file as a person dropped it, or changed it later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Where it was dropped or changed.
    pub path: RelPath,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// What it is.
    pub kind: Kind,
    /// Its size in pixels, for pictures.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<Size>,
    /// Where it is kept untouched, once something was derived from it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub archived: Option<RelPath>,
}

/// The asset's present file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// The hash of its bytes; another hash in the folder means that a person changed it.
    pub hash: ContentHash,
    /// How it was derived from the original; absent for the original itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recipe: Option<Derivation>,
    /// The hash of the bytes that the recipe was applied to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input: Option<ContentHash>,
    /// The version of stockmill that applied it. It is no part of the recipe: a newer one makes nothing stale.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made_by: Option<String>,
    /// The digest of the metadata that is embedded in it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub embedded: Option<ContentHash>,
    /// The state in which it was left, for files of bundles: one in the same state was not written since.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub left: Option<FileState>,
}

/// What tells a file that was written since from one that was not, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileState {
    /// Its length.
    pub bytes: u64,
    /// Time of the last change of the bytes, in nanoseconds since 1970.
    pub modified_ns: i64,
}

impl From<Identity> for FileState {
    fn from(seen: Identity) -> Self {
        Self { bytes: seen.size, modified_ns: seen.modified_ns }
    }
}

/// One line of an asset's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// In which stage.
    pub stage: Stage,
    /// What, in words.
    pub did: String,
}

impl FileRecord {
    /// Returns the record of a file that nothing was derived for: the original itself.
    pub fn of_original(hash: ContentHash) -> Self {
        Self { hash, recipe: None, input: None, made_by: None, embedded: None, left: None }
    }

    /// Returns the record of a file that this program derives from `input`; its hash is filled in once it is made.
    pub fn of_derived(input: Option<ContentHash>, recipe: Derivation, embedded: Option<ContentHash>) -> Self {
        let made_by = Some(env!("CARGO_PKG_VERSION").to_owned());
        Self { hash: ContentHash::of(b""), recipe: Some(recipe), input, made_by, embedded, left: None }
    }

    /// Returns a digest of what its bytes follow from: the input, the recipe and the metadata. `None` if that is not
    /// known as a whole.
    pub fn fingerprint(&self) -> Option<ContentHash> {
        let (input, recipe) = (self.input.as_ref()?, self.recipe.as_ref()?);
        let embedded = self.embedded.as_ref().map(ContentHash::to_string).unwrap_or_default();
        Some(ContentHash::of(format!("{input}\n{recipe}\n{embedded}").as_bytes()))
    }
}

impl Sidecar {
    /// Reads a sidecar. One that is empty or only comments is refused: nobody can tell what it is meant to say.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let read = super::yaml::read_versioned::<Option<Self>>(bytes, VERSION).map_err(misplaced_tag);
        let sidecar = read?.ok_or(RecordError::Empty)?;
        match sidecar.version {
            None | Some(VERSION_WITHOUT_CHANGES..=VERSION) => Ok(sidecar),
            Some(found) => Err(RecordError::Version { found: u64::from(found) }),
        }
    }

    /// Returns the sidecar as it lies on disk.
    pub fn to_text(&self) -> String {
        // An older program would not keep what it does not know: it must see that it does not know this sidecar.
        let says_input = self.file.as_ref().is_some_and(|file| file.input.is_some() || file.made_by.is_some());
        let version = match (says_input, self.versions.is_empty()) {
            _ if !self.parts.is_empty() => VERSION,
            _ if !self.private.is_nothing() => VERSION_WITHOUT_PARTS,
            _ if self.file.as_ref().is_some_and(|file| file.left.is_some()) => VERSION_WITHOUT_PRIVATE,
            _ if self.video.is_some() => VERSION_WITHOUT_STATE,
            _ if !self.owed.is_empty() || self.c2pa.is_some() => VERSION_WITHOUT_VIDEO,
            _ if self.let_go.is_some() => VERSION_WITHOUT_OWED,
            (true, _) => VERSION_WITHOUT_LET_GO,
            (false, false) => VERSION_WITHOUT_INPUT,
            (false, true) => VERSION_WITHOUT_CHANGES,
        };
        let whole = Self { version: Some(version), ..self.clone() };
        serde_yaml::to_string(&whole).expect("a sidecar holds nothing that YAML cannot write")
    }

    /// Adds to its history what was found out in the last step from a stage.
    pub fn add_remark(&mut self, stage: Stage, remark: &str) {
        if let Some(line) = self.history.iter_mut().rev().find(|line| line.stage == stage) {
            line.did = format!("{}; {remark}", line.did);
        }
    }

    /// Adds the hash of what a file of this asset shows, whatever its metadata.
    pub fn add_essence(&mut self, essence: Option<ContentHash>) {
        self.essences.extend(essence.filter(|essence| !self.essences.contains(essence)));
    }

    /// Returns what its file is derived from: what was dropped, or what a person made of it last.
    pub fn original(&self) -> Option<&Origin> {
        self.versions.last().or(self.origin.as_ref())
    }

    /// Returns what was dropped and all that a person made of it, oldest first.
    pub fn originals(&self) -> impl Iterator<Item = &Origin> {
        self.origin.iter().chain(&self.versions)
    }

    /// Takes note of where its original is kept.
    pub fn keep_original_at(&mut self, archived: RelPath) {
        if let Some(original) = self.versions.last_mut().or(self.origin.as_mut()) {
            original.archived = Some(archived);
        }
    }

    /// Returns whether `hash` is a file that stockmill derived and can make again from the archive.
    pub fn can_remake(&self, hash: &ContentHash) -> bool {
        let archived = self.original().is_some_and(|original| original.archived.is_some());
        let is_known = |file: &&FileRecord| file.recipe.as_ref().is_some_and(Derivation::can_remake);
        archived && self.file.as_ref().filter(is_known).is_some_and(|file| file.hash == *hash)
    }
}

/// Says where a tag belongs that stands beside `tags`, as it would in the file of a theme.
fn misplaced_tag(error: RecordError) -> RecordError {
    let RecordError::Syntax { line, column, what } = error else { return error };
    let key = what.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()).unwrap_or_default();
    let is_tag = matches!(
        key,
        "title"
            | "description"
            | "keywords"
            | "hierarchy"
            | "rating"
            | "creator"
            | "rights"
            | "source_type"
            | "ai"
            | "category"
            | "enhance"
            | "enlarge"
            | "look"
            | "people"
    );
    let what = if is_tag { format!("unknown field `{key}`; write it under `tags:`, indented") } else { what };
    RecordError::Syntax { line, column, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Codec;

    #[test]
    fn what_says_nothing_is_no_sidecar_and_an_empty_one_is() {
        for text in ["", " \n\n", "\u{feff}", "# to do\n", "---\n", "~\n"] {
            assert_eq!(Sidecar::parse(text.as_bytes()), Err(RecordError::Empty), "{text:?}");
            assert!(!RecordError::Empty.of_bundled().contains("delete"));
        }
        for text in ["{}", "tags: {}\n", "version: 1\n"] {
            assert!(Sidecar::parse(text.as_bytes()).is_ok(), "{text:?}");
        }
    }

    /// Of a newer version with keys of its own it was told that a key is wrong, as if a person were to correct that.
    #[test]
    fn another_version_is_told_as_such_and_never_read_in_part() {
        let cases = [
            ("version: 10\n", 10),
            ("version: 10\nid: 0123456789abcdef\nlikeness: [1, 2]\n", 10),
            ("version: 11\ntags: a list once\n", 11),
            ("version: 5000000000\n", 5_000_000_000),
            ("version: 0\n", 0),
        ];
        for (text, found) in cases {
            assert_eq!(Sidecar::parse(text.as_bytes()), Err(RecordError::Version { found }), "{text:?}");
        }
        for text in ["version: 1\nlikeness: [1, 2]\n", "likeness: 2\n", "version: new\n"] {
            let found = Sidecar::parse(text.as_bytes());
            assert!(matches!(found, Err(RecordError::Syntax { .. })), "{text:?}: {found:?}");
        }
    }

    /// A file whose recipe nobody here knows was taken for one that can be made again, and not kept.
    #[test]
    fn only_what_was_made_by_known_steps_can_be_made_again() {
        let hash = ContentHash::of(b"made");
        let cases = [
            ("file: {hash: HASH, recipe: lanczos 10x20 to 30x60}", true),
            ("file: {hash: HASH, recipe: embedded (version 1)}", true),
            ("file: {hash: HASH, recipe: net-4 10x20 to 30x60}", false),
            ("file: {hash: HASH, recipe: embedded (version 2)}", false),
            ("file: {hash: HASH}", false),
            ("{}", false),
        ];
        for (text, can_remake) in cases {
            let mut sidecar = Sidecar::parse(text.replace("HASH", &hash.to_string()).as_bytes()).unwrap();
            assert!(!sidecar.can_remake(&hash), "nothing is in the archive: {text}");
            sidecar.origin = Some(Origin {
                path: RelPath::new("raw/t/a.png").unwrap(),
                hash: ContentHash::of(b"origin"),
                kind: Kind::Png,
                size: None,
                archived: RelPath::new("archive/t/t-0001.png").ok(),
            });
            assert_eq!(sidecar.can_remake(&hash), can_remake, "{text}");
            assert!(!sidecar.can_remake(&ContentHash::of(b"changed")), "{text}");
            assert_eq!(Sidecar::parse(sidecar.to_text().as_bytes()).unwrap().file, sidecar.file, "{text}");
        }
    }

    #[test]
    fn a_remark_stands_in_the_last_line_of_its_stage() {
        let line = |stage, did: &str| Happened { at: Timestamp::UNIX_EPOCH, stage, did: did.to_owned() };
        let history = vec![line(Stage::Keep, "a"), line(Stage::Keep, "b"), line(Stage::Export, "c")];
        let mut sidecar = Sidecar { history, ..Sidecar::default() };
        for (stage, expected) in [
            (Stage::Keep, ["a", "b; found", "c"]),
            (Stage::Export, ["a", "b; found", "c; found"]),
            (Stage::Raw, ["a", "b; found", "c; found"]),
        ] {
            sidecar.add_remark(stage, "found");
            assert_eq!(sidecar.history.iter().map(|line| &line.did[..]).collect::<Vec<_>>(), expected);
        }
    }

    /// Of a picture that was retouched three files ended in the archive as originals.
    #[test]
    fn what_a_person_made_of_an_asset_is_its_original_from_then_on() {
        let original = |name: &str, archived: Option<&str>| Origin {
            path: RelPath::new(format!("raw/t/{name}.png")).unwrap(),
            hash: ContentHash::of(name.as_bytes()),
            kind: Kind::Png,
            size: None,
            archived: archived.map(|path| RelPath::new(path).unwrap()),
        };
        let hash = ContentHash::of(b"made");
        let recipe = Some(Derivation::from("lanczos 10x20 to 30x60".to_owned()));
        let mut sidecar = Sidecar {
            origin: Some(original("dropped", Some("archive/t/t-0001.png"))),
            file: Some(FileRecord { recipe, ..FileRecord::of_original(hash.clone()) }),
            ..Sidecar::default()
        };
        assert!(sidecar.can_remake(&hash) && sidecar.to_text().starts_with("version: 1\n"));
        sidecar.versions.push(original("retouched", None));
        assert!(!sidecar.can_remake(&hash), "the version that it was made of is kept nowhere");
        sidecar.keep_original_at(RelPath::new("archive/t/t-0001-2.png").unwrap());
        assert!(sidecar.can_remake(&hash));
        // A program that knows no versions of an asset must leave it alone.
        let text = sidecar.to_text();
        assert!(text.starts_with("version: 2\n"), "{text}");
        let read = Sidecar::parse(text.as_bytes()).unwrap();
        assert_eq!(read, Sidecar { version: Some(2), ..sidecar });
        let kept: Vec<_> = read.originals().filter_map(|original| original.archived.as_ref()).collect();
        assert_eq!(kept.len(), 2);
        // Nor would a program that knows no input keep it.
        let recipe = Derivation::from("lanczos 10x20 to 30x60".to_owned());
        let file = FileRecord { hash, ..FileRecord::of_derived(Some(ContentHash::of(b"input")), recipe, None) };
        for versions in [Vec::new(), read.versions.clone()] {
            let text = Sidecar { file: Some(file.clone()), versions, ..read.clone() }.to_text();
            assert!(text.starts_with("version: 3\n"), "{text}");
            assert_eq!(Sidecar::parse(text.as_bytes()).unwrap().file.as_ref(), Some(&file));
        }
        let c2pa = C2pa { bytes: 9, hash: ContentHash::of(b"c2pa"), generator: None, source_type: None, at: None };
        let text = Sidecar { c2pa: Some(c2pa.clone()), ..read.clone() }.to_text();
        assert!(text.starts_with("version: 5\n"), "{text}");
        assert_eq!(Sidecar::parse(text.as_bytes()).unwrap().c2pa, Some(c2pa));
        let let_go = Sidecar { let_go: Some(ContentHash::of(b"rejected")), ..read };
        let text = let_go.to_text();
        assert!(text.starts_with("version: 4\n"), "{text}");
        assert_eq!(Sidecar::parse(text.as_bytes()).unwrap().let_go, Some(ContentHash::of(b"rejected")));
        let text = Sidecar { owed: vec![MarketName::recorded("pond5")], ..let_go.clone() }.to_text();
        assert!(text.starts_with("version: 5\n"), "{text}");
        assert_eq!(Sidecar::parse(text.as_bytes()).unwrap().owed, [MarketName::recorded("pond5")]);
        let video = Video { seconds: Some(12.48), codec: Some(Codec::Vp9), sound: Some(false), ..Video::default() };
        let left = Some(FileState { bytes: 9, modified_ns: 1 });
        let part = FileRecord { left, ..FileRecord::of_original(ContentHash::of(b"part")) };
        let parts = BTreeMap::from([(RelPath::new("tex/w.png").unwrap(), part)]);
        let text = Sidecar { parts: parts.clone(), ..let_go.clone() }.to_text();
        assert!(text.starts_with("version: 9\n"), "{text}");
        assert_eq!(Sidecar::parse(text.as_bytes()).unwrap().parts, parts);
        let text = Sidecar { video: Some(video.clone()), ..let_go }.to_text();
        assert!(text.starts_with("version: 6\n") && text.contains("codec: vp9\n"), "{text}");
        assert_eq!(Sidecar::parse(text.as_bytes()).unwrap().video, Some(video));
    }

    #[test]
    fn what_no_honest_program_writes_is_refused_with_the_place() {
        let hash = "0".repeat(64);
        let outside =
            format!("origin: {{path: raw/a.png, hash: '{hash}', kind: png, archived: ../../outside/canary.png}}\n");
        let cases = [
            ("a0: &a0 [lol]\na1: [*a0, *a0]\n", 1, "unknown field `a0`"),
            ("tags: {keywords: &k [&a [x, x], *a, *a]}\n", 1, "expected a word"),
            ("title: a\ntags: {}\n", 1, "unknown field `title`; write it under `tags:`"),
            ("version: 1\nkeywords: [a]\n", 2, "unknown field `keywords`; write it under `tags:`"),
            ("mood: [a]\n", 1, "unknown field `mood`, expected one of"),
            ("tags: {}\ntags: {}\n", 2, "duplicate field `tags`; keep only one of them"),
            ("version: one\n", 1, "expected u32"),
            ("tags: 5\n", 1, "expected"),
            ("- a\n", 1, "expected struct Sidecar"),
            ("tags: {title: a\0b}\n", 1, "control characters"),
            ("!!python/object/apply:os.system [id]\n", 1, "expected struct Sidecar"),
            // Paths, themes and identities that lead elsewhere.
            ("version: 1\ntheme: ../../outside/x\n", 1, "`../../outside/x` cannot be a folder name"),
            ("theme: /etc\n", 1, "`/etc` cannot be a folder name"),
            ("theme: a/b\n", 1, "`a/b` cannot be a folder name"),
            ("theme: ..\n", 1, "`..` cannot be a folder name"),
            ("theme: 2026-11-27\n", 1, "looks like an upload day"),
            (
                "tags: {}\norigin: {path: ../../outside/canary.png, hash: '00', kind: png}\n",
                2,
                "does not stay below the root",
            ),
            (&outside, 1, "`../../outside/canary.png` does not stay below the root"),
            ("id: ../../../x\n", 1, "is no id of 16 hex digits"),
            ("id: zz\n", 1, "is no id of 16 hex digits"),
            ("id: ''\n", 1, "is no id of 16 hex digits"),
            ("id: 0123456789abcdef0\n", 1, "is no id of 16 hex digits"),
        ];
        for (text, expected, part) in cases {
            match Sidecar::parse(text.as_bytes()) {
                Err(RecordError::Syntax { line, what, .. }) => {
                    assert!(line == expected && what.contains(part), "{text}line {line}: {what}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        for bytes in [&b"\xff\xff"[..], &b"tags: {title: \xe9}\n"[..]] {
            assert!(matches!(Sidecar::parse(bytes), Err(RecordError::Syntax { .. })), "{bytes:?}");
        }
        let utf16: Vec<u8> = "tags: {}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(matches!(Sidecar::parse(&utf16), Err(RecordError::Syntax { .. })));
        assert_eq!(Sidecar::parse(b"version: 99\n"), Err(RecordError::Version { found: 99 }));
        for deep in ["[", "{a: ", "- "] {
            assert!(
                matches!(Sidecar::parse(deep.repeat(10_000).as_bytes()), Err(RecordError::Syntax { .. })),
                "{deep}"
            );
        }
    }
}
