use jiff::civil::Date;

use super::{Plan, Product, Recipe, new_version};
use crate::market::{self, Market, MarketError, Row};
use crate::model::{ContentHash, Kind, MarketName, Meta, RelPath, Stage, counted, escape_bytes};
use crate::records::{About, FileRecord, PublishMode, Sidecar};

/// Which bundle: one per market and upload day, in parts where the market's manifest has a limit.
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
    /// Returns the bundle's folder.
    pub fn folder(&self) -> RelPath {
        let name = if self.part == 1 { self.market.to_string() } else { format!("{}-{}", self.market, self.part) };
        Stage::Upload.folder().join(self.day.to_string()).join(name)
    }

    /// Returns the bundle that a path lies in, or is the folder of.
    pub fn of(path: &RelPath) -> Option<Self> {
        let mut parts = path.parts().map(|part| part.to_str());
        let (area, day, name) = (parts.next()??, parts.next()??, parts.next()??);
        let day = day.parse().ok().filter(|_| area == Stage::Upload.name())?;
        let further = name.rsplit_once('-').and_then(|(market, part)| Some((market, part.parse().ok()?)));
        let (market, part) = further.filter(|(_, part)| *part > 1).unwrap_or((name, 1));
        let bundle = Self { day, market: MarketName::new(market).ok()?, part };
        // `-02` is no bundle of ours.
        path.is_in(&bundle.folder()).then_some(bundle)
    }

    /// Reads a bundle's folder names; `markets` are those that are configured.
    pub fn parse(day: &str, name: &str, markets: &[Market]) -> Option<Self> {
        let path = RelPath::new(format!("{}/{day}/{name}", Stage::Upload)).ok()?;
        Self::of(&path).filter(|bundle| markets.iter().any(|market| market.name == bundle.market))
    }
}

/// A bundle as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Which one.
    pub name: BundleName,
    /// How many files it holds.
    pub rows: usize,
    /// About how many bytes its manifest has.
    pub bytes: usize,
    /// Whether it was sent; a sent bundle is never touched.
    pub sent: bool,
}

/// One file of a bundle, with its tags as they resolve today.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleAsset {
    /// The file's name in the bundle.
    pub file_name: String,
    /// Its tags.
    pub meta: Meta,
    /// Its category on the market.
    pub category: Option<String>,
}

impl BundleAsset {
    /// Returns the asset's row of the market's manifest.
    pub fn row(&self, market: &Market) -> Row {
        Row {
            file_name: self.file_name.clone(),
            meta: market::fit(market, &self.meta),
            category: self.category.clone(),
        }
    }
}

/// Plans a bundle's manifest and checklist, each replaced whole; `existing` are their present bytes, in this order.
/// The files `without_row` are not assets of the bundle: a person put them there, or took their sidecars away. `None`
/// if nothing would change.
pub fn plan_manifest(
    name: &BundleName,
    market: &Market,
    assets: &[BundleAsset],
    without_row: &[String],
    existing: [Option<&[u8]>; 2],
) -> Result<Option<Plan>, MarketError> {
    let rows: Vec<Row> = assets.iter().map(|asset| asset.row(market)).collect();
    let ticked = existing[1].map(String::from_utf8_lossy);
    let texts =
        [market::manifest(market, &rows)?, checklist(name, market, &rows, without_row, ticked.as_deref()).into_bytes()];
    let paths = [name.folder().join(format!("{}.csv", market.name)), name.folder().join("CHECKLIST.md")];
    let changed = texts.into_iter().zip(paths).zip(existing).filter(|((text, _), was)| Some(text.as_slice()) != *was);
    let products: Vec<_> =
        changed.map(|((text, path), was)| new_version(path, text, was.map(ContentHash::of))).collect();
    if products.is_empty() {
        return Ok(None);
    }
    let did = match without_row.len() {
        0 => format!("manifest written for {}", counted(rows.len(), "file")),
        1 => format!("manifest written for {}; 1 more lies in `files/` and has no row", counted(rows.len(), "file")),
        more => {
            format!("manifest written for {}; {more} more lie in `files/` and have no row", counted(rows.len(), "file"))
        }
    };
    let about = About { to: Some(name.folder()), ..About::new(Stage::Upload, did) };
    Ok(Some(Plan { products, ..Plan::new(about) }))
}

/// How a line begins that names a file without a row.
const WITHOUT_ROW: &str = "> Do not upload this one, it has no row in the CSV; to sell it, move it to `upload`: ";

/// Returns what a person has to do, with what a person wrote into the list already.
fn checklist(
    name: &BundleName,
    market: &Market,
    rows: &[Row],
    without_row: &[String],
    existing: Option<&str>,
) -> String {
    let heading = |files: &str| format!("# {} of {}: {files}", market.title, name.day);
    let mut steps =
        vec!["Upload everything in `files/`.".to_owned(), format!("Then upload `{}.csv` in the portal.", market.name)];
    steps.extend(market.checklist.iter().cloned());
    steps.push("When all is sent, make an empty file `SENT` here: later files then go into a new bundle.".to_owned());
    let mut text = format!("{}{} files\n", heading(""), rows.len());
    for file in without_row {
        text.push_str(WITHOUT_ROW);
        text.push('`');
        // A name with a line break would leave lines behind that nobody knows as ours.
        text.push_str(&escape_bytes(file.as_bytes()));
        text.push_str("`\n");
    }
    // Ticks, notes and other headings are a person's.
    let is_ours = |line: &&str| line.starts_with(&heading("")) || line.starts_with(WITHOUT_ROW);
    let kept = existing.unwrap_or("\n").lines().filter(|line| !is_ours(line));
    for line in kept {
        text.push_str(line);
        text.push('\n');
    }
    let has = |step: &String| existing.is_some_and(|text| text.contains(step.as_str()));
    for step in steps.iter().filter(|step| !has(step)) {
        text.push_str("- [ ] ");
        text.push_str(step);
        text.push('\n');
    }
    text
}

/// Plans new metadata for a bundled file whose tags changed after it was exported; its pixels stay
/// byte for byte. `None` if it carries today's tags, or is no picture.
pub fn plan_refresh(
    file: &RelPath,
    record: &RelPath,
    record_bytes: &[u8],
    sidecar: &Sidecar,
    resolved: &super::tags::Resolved,
) -> Option<Plan> {
    let present = sidecar.file.as_ref()?;
    let kind =
        Kind::ALL.into_iter().find(|kind| kind.is_image() && kind.extension() == Some(file.extension().as_str()))?;
    let digest = resolved.digest();
    if present.embedded.as_ref() == Some(&digest) {
        return None;
    }
    let mut updated = sidecar.clone();
    updated.file = Some(FileRecord { embedded: Some(digest), ..present.clone() });
    let embed = Recipe::Embed { from: file.clone(), kind, meta: resolved.meta() };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;

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
        ];
        for (path, expected) in cases {
            let found = BundleName::of(&RelPath::new(path).unwrap());
            assert_eq!(found.as_ref().map(|name| (name.market.as_str(), name.part)), expected, "{path}");
        }
    }

    /// The list was written anew whenever a file joined: ticks and notes were lost.
    #[test]
    fn what_a_person_wrote_into_the_checklist_stays() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let row = Row { file_name: "a.jpg".to_owned(), meta: Meta::default(), category: None };
        let first = checklist(&name, &market, std::slice::from_ref(&row), &[], None);
        assert!(first.starts_with("# Adobe Stock of 2026-11-28: 1 files\n\n- [ ] Upload everything"), "{first}");
        assert_eq!(checklist(&name, &market, std::slice::from_ref(&row), &[], Some(&first)), first);
        let ticked = first.replacen("[ ]", "[x]", 1) + "ask Ann about the second one\n";
        let later = checklist(&name, &market, &[row.clone(), row], &[], Some(&ticked));
        assert_eq!(later, ticked.replace("1 files", "2 files"));
        // "Upload everything" is not true of what a person put there: that is named, as long as it lies there.
        let row = Row { file_name: "a.jpg".to_owned(), meta: Meta::default(), category: None };
        let told = checklist(&name, &market, std::slice::from_ref(&row), &["b.jpg".to_owned()], Some(&ticked));
        assert!(told.contains(&format!("{WITHOUT_ROW}`b.jpg`\n")), "{told}");
        assert_eq!(checklist(&name, &market, std::slice::from_ref(&row), &[], Some(&told)), ticked);
        let odd = checklist(&name, &market, std::slice::from_ref(&row), &["b\n\rc.jpg".to_owned()], Some(&ticked));
        assert!(odd.contains("`b\\x0a\\x0dc.jpg`\n"), "{odd}");
        assert_eq!(checklist(&name, &market, std::slice::from_ref(&row), &[], Some(&odd)), ticked);
    }
}
