use std::collections::BTreeMap;

use jiff::civil::Date;

use super::BundleFolder;
use super::tags::digest;
use super::{Plan, Product, Recipe};
use crate::market::{Fitted, Market, Row, Warning, WrittenIn, check_tags, manifest_name, row_too_long, wrong_name};
use crate::model::{
    ContentHash, Identity, Kind, Look, MarketName, Meta, People, RelPath, Stage, ThemeSlug, Video, counted,
};
use crate::records::{About, FileRecord, Move, Private, PublishMode, Sidecar};

/// Which bundle: one per market and upload day, and a further one for what comes after that was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BundleName {
    /// The upload day.
    pub day: Date,
    /// The market.
    pub market: MarketName,
    /// 1 for the first.
    pub part: u32,
}

impl BundleName {
    /// Returns the bundle's folder, where it is made.
    pub fn folder(&self) -> RelPath {
        self.in_folder(&Stage::Upload.folder())
    }

    /// Returns where a person moves the bundle once it was sent.
    pub fn sent_folder(&self) -> RelPath {
        self.in_folder(&Stage::Upload.folder().join(BundleFolder::SENT))
    }

    fn in_folder(&self, folder: &RelPath) -> RelPath {
        let name = if self.part == 1 { self.market.to_string() } else { format!("{}-{}", self.market, self.part) };
        folder.join(self.day.to_string()).join(name)
    }

    /// Returns where a part of the bundle's manifest lies; the first one is 1.
    pub fn manifest(&self, part: u32) -> RelPath {
        self.folder().join(manifest_name(&self.market, part))
    }

    /// Returns the bundle that a path lies in, or is the folder of.
    pub fn of(path: &RelPath) -> Option<Self> {
        let is_sent = BundleFolder::is_among_sent(path);
        let mut parts = path.parts().skip(usize::from(is_sent)).map(|part| part.to_str());
        let (area, day, name) = (parts.next()??, parts.next()??, parts.next()??);
        let day = day.parse().ok().filter(|_| is_sent || area == Stage::Upload.name())?;
        let further = name.rsplit_once('-').and_then(|(market, part)| Some((market, part.parse().ok()?)));
        let (market, part) = further.filter(|(_, part)| *part > 1).unwrap_or((name, 1));
        let bundle = Self { day, market: MarketName::new(market).ok()?, part };
        // `-02` is no bundle of ours.
        path.is_in(&if is_sent { bundle.sent_folder() } else { bundle.folder() }).then_some(bundle)
    }

    /// Reads a bundle's folder names.
    pub fn parse(day: &str, name: &str) -> Option<Self> {
        Self::of(&RelPath::new(format!("{}/{day}/{name}", Stage::Upload)).ok()?)
    }
}

/// A bundle as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Which one.
    pub name: BundleName,
    /// How many files it holds; `None` where nobody can tell.
    pub rows: Option<usize>,
    /// How many of these are of each theme.
    pub themes: BTreeMap<ThemeSlug, usize>,
    /// Whether it was sent, or it is gone and nobody can tell; a sent bundle is never touched.
    pub sent: bool,
}

/// How many missing parts of a model are named.
const NAMED_MAX: usize = 5;

/// The parts of a model, as they lie in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Their folder, within the bundle.
    pub folder: RelPath,
    /// Where each lies in that.
    pub names: Vec<RelPath>,
    /// Whether they are kept in `archive`, too.
    pub is_kept: bool,
    /// What the model names and is not among them.
    pub missing: Vec<MissingPart>,
    /// Those that a person changed since they were bundled, or put there, with the bytes that they have now.
    pub by_hand: BTreeMap<RelPath, ContentHash>,
}

/// A file that a model names and that does not lie among its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPart {
    /// How it is named.
    pub name: String,
    /// Where `archive` has it, if it has.
    pub kept: Option<RelPath>,
}

impl Parts {
    /// Returns what is told of the parts that a person changed, if some are.
    pub fn changed(&self) -> Option<String> {
        let (folder, count) = (&self.folder, self.by_hand.len());
        let named: Vec<String> = self.by_hand.keys().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
        let more = count.checked_sub(NAMED_MAX).filter(|more| *more > 0);
        let more = more.map(|more| format!(" and {}", counted(more, "more file"))).unwrap_or_default();
        let [was, it] = if count == 1 { ["was", "it"] } else { ["were", "them"] };
        let told = || {
            let named = named.join(", ");
            let look = format!("look whether anything in {it} is not to be read, and upload {it} again");
            format!("{named}{more} in `{folder}/` of its bundle {was} changed by hand since, or put there: {look}")
        };
        (count > 0).then(told)
    }

    /// Returns what tells a model with these parts from other versions of it. `model` tells its own file from those.
    pub fn version(&self, model: String) -> String {
        if self.by_hand.is_empty() {
            return model;
        }
        let parts: Vec<String> = self.by_hand.iter().map(|(name, hash)| format!("{name} {hash}")).collect();
        ContentHash::of(format!("{model}\n{}", parts.join("\n")).as_bytes()).short()
    }

    /// Returns what is told of the parts that are missing, if some are.
    pub fn lacks(&self) -> Option<String> {
        let (folder, count) = (&self.folder, self.missing.len());
        let named: Vec<String> = self.missing.iter().take(NAMED_MAX).map(MissingPart::told).collect();
        let more = count.checked_sub(NAMED_MAX).filter(|more| *more > 0);
        let more = more.map(|more| format!(" and {}", counted(more, "more file"))).unwrap_or_default();
        let [is, it] = if count == 1 { ["is", "it"] } else { ["are", "them"] };
        let told = || {
            let named = named.join(", ");
            format!("it names {named}{more}, which {is} not in `{folder}/` of its bundle; put {it} back there first")
        };
        (count > 0).then(told)
    }
}

impl MissingPart {
    fn told(&self) -> String {
        let kept = self.kept.as_ref().map(|kept| format!(" (kept as `{kept}`)")).unwrap_or_default();
        format!("`{}`{kept}", self.name)
    }
}

/// One file of a bundle, with its tags as they resolve today.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleAsset {
    /// The file's name in the bundle.
    pub file_name: String,
    /// What tells its bytes, as they lie there, from those of another version.
    pub version: String,
    /// Its tags, as its market takes them, and what that leaves out.
    pub fitted: Fitted,
    /// Its category on the market.
    pub category: Option<String>,
    /// Where its tags are written.
    pub written: WrittenIn,
    /// What it looks like.
    pub look: Option<Look>,
    /// Whether people appear in it.
    pub people: Option<People>,
    /// What is unwise in its tags, as its market takes them.
    pub warnings: Vec<Warning>,
    /// What is measured of it, for videos.
    pub video: Option<Video>,
    /// Whether its tags stand in the file too.
    pub is_tagged: bool,
    /// Whether it is a document that its theme claims, and not what stockmill knows by its content.
    pub is_document: bool,
    /// Whether a person changed it since it was bundled.
    pub is_retouched: bool,
    /// The parts of a model.
    pub parts: Option<Parts>,
    /// What of a model and its parts nobody is to read.
    pub private: Private,
    /// What its market has against it today, by what was measured of it and by its tags, or why it cannot be measured; `None` if
    /// nobody tried.
    pub against: Option<Result<Vec<String>, String>>,
    /// Why it is not to be uploaded from here, if it is not.
    pub elsewhere: Option<Elsewhere>,
}

/// Why a file of a bundle is not to be uploaded from there: nothing goes to a market twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// Its market has it, or refused it as it is.
    Went(String),
    /// Its asset has another file for that market that is to be uploaded.
    Lies(String),
    /// A person gave it the name of another file of its bundle, whose row says nothing of it.
    Misnamed(String),
}

impl std::fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Went(why) => write!(f, "do not upload it again: {why}"),
            Self::Lies(why) => write!(f, "do not upload it from here: {why}"),
            Self::Misnamed(why) => write!(f, "do not upload it under this name: {why}"),
        }
    }
}

impl BundleAsset {
    /// Returns a file of which nothing is known but its tags.
    #[cfg(test)]
    pub(super) fn bare(file_name: &str, meta: Meta) -> Self {
        Self {
            file_name: file_name.to_owned(),
            version: String::new(),
            fitted: Fitted { meta, left_out: Vec::new() },
            category: None,
            written: WrittenIn::default(),
            look: None,
            people: None,
            warnings: Vec::new(),
            video: None,
            is_tagged: true,
            is_document: false,
            is_retouched: false,
            parts: None,
            private: Private::default(),
            against: None,
            elsewhere: None,
        }
    }

    /// Returns what its market has against it today, by its rules and by the file's tags.
    pub fn reasons(&self, market: &Market) -> Vec<String> {
        let row = self.row();
        let measured = self.against.as_ref().and_then(|against| against.clone().ok());
        let against = measured.unwrap_or_else(|| check_tags(market, row.meta, row.category, self.written));
        let of_row = row_too_long(market, &row).into_iter().chain(wrong_name(market, &self.file_name));
        // What it came with and lacks by now, nobody is to upload or to deliver without.
        let is_kept = |parts: &&Parts| parts.missing.iter().any(|part| part.kept.is_some());
        let of_parts = self.parts.as_ref().filter(is_kept).and_then(Parts::lacks);
        against.into_iter().chain(of_row).chain(of_parts).collect()
    }

    /// Returns the asset's row of the market's manifest.
    pub fn row(&self) -> Row<'_> {
        Row { file_name: &self.file_name, meta: &self.fitted.meta, category: self.category.as_deref() }
    }
}

/// Plans the metadata `meta` for a bundled file, whose tags changed after it was bundled; its pixels stay byte for byte.
/// `None` if it carries them, or holds none.
pub fn plan_refresh(
    file: &RelPath,
    record: &RelPath,
    record_bytes: &[u8],
    sidecar: &Sidecar,
    meta: &Meta,
) -> Option<Plan> {
    let present = sidecar.file.as_ref()?;
    let may_hold = |kind: &Kind| kind.is_image() || (kind.is_video() && present.embedded.is_some());
    let of_file = |kind: &Kind| kind.extension() == Some(file.extension().as_str());
    let kind = Kind::ALL.into_iter().filter(may_hold).find(of_file)?;
    let digest = digest(meta);
    if present.embedded.as_ref() == Some(&digest) {
        return None;
    }
    let mut updated = sidecar.clone();
    updated.file = Some(FileRecord { embedded: Some(digest), ..present.clone() });
    let embed = Recipe::Embed { from: file.clone(), kind, meta: meta.clone() };
    let replace = |was: ContentHash| PublishMode::Replace { was: Some(was) };
    let products = vec![
        Product { to: file.clone(), recipe: embed, mode: replace(present.hash.clone()) },
        Product {
            to: record.clone(),
            recipe: Recipe::SidecarOf { product: 0, sidecar: Box::new(updated) },
            mode: replace(ContentHash::of(record_bytes)),
        },
    ];
    let about = About {
        theme: sidecar.theme.clone(),
        asset: sidecar.id.clone(),
        from: Some(file.clone()),
        to: Some(file.clone()),
        ..About::new(Stage::Upload, "tags changed after it was bundled; embedded anew")
    };
    Some(Plan { products, ..Plan::new(about) })
}

/// Plans its name back for a bundled file that a person renamed. That is no step of its asset: nothing is undone by it.
pub fn plan_name_back(from: &RelPath, to: &RelPath, seen: Identity) -> Plan {
    let did = format!(
        "`{from}` is `{}`, renamed by hand: it has its name back, since its row in the CSV has it; another name is given \
         before it is bundled",
        to.file_text()
    );
    let about = About { from: Some(from.clone()), to: Some(to.clone()), ..About::new(Stage::Upload, did) };
    Plan { moves: vec![Move { from: from.clone(), to: to.clone(), seen }], ..Plan::new(about) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_known_by_its_folder() {
        let cases = [
            ("upload/2026-11-28/adobe-stock", Some(("adobe-stock", 1))),
            ("upload/2026-11-28/adobe-stock-12/sidecars/a.jpg.yaml", Some(("adobe-stock", 12))),
            ("upload/2026-11-28/500px/files/a.jpg", Some(("500px", 1))),
            ("upload/2026-11-28/adobe-stock-1", None),
            ("upload/2026-11-28/adobe-stock-02", None),
            ("upload/2026-11-28", None),
            ("upload/winter/a/b.jpg", None),
            ("failed/2026-11-28/adobe-stock/files/a.jpg", None),
            ("upload/sent/2026-11-28/adobe-stock", Some(("adobe-stock", 1))),
            ("upload/sent/2026-11-28/adobe-stock-3/files/a.jpg", Some(("adobe-stock", 3))),
            ("upload/sent/2026-11-28", None),
            ("upload/sent/winter/adobe-stock", None),
            ("upload/sent/sent/2026-11-28/adobe-stock", None),
            ("keep/sent/2026-11-28/adobe-stock", None),
        ];
        for (path, expected) in cases {
            let found = BundleName::of(&RelPath::new(path).unwrap());
            assert_eq!(found.as_ref().map(|name| (name.market.as_str(), name.part)), expected, "{path}");
        }
    }
}
