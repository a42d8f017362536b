use jiff::civil::Date;

use super::tags::digest;
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
            meta: market::fit(market, &self.meta).meta,
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
    let fitted: Vec<&Meta> = rows.iter().map(|row| &row.meta).collect();
    let alike = market::repetition(market, &fitted)
        .into_iter()
        .map(|told| format!("{ALIKE}{}{ALIKE_END}", escape_bytes(told.as_bytes())));
    let cut: Vec<String> = alike.chain(assets.iter().filter_map(|asset| cut_line(market, asset))).collect();
    let texts = [market::manifest(market, &rows)?, checklist(name, market, &rows, without_row, &cut, existing[1])];
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

/// How a line begins and ends that says what a market does not get of a file's tags.
const CUT: &str = "> The market gets less than the tags say of ";
const CUT_END: &str = "; change its tags to say it otherwise.";

/// How a line begins and ends that says what is too much alike.
const ALIKE: &str = "> Before you upload: ";
const ALIKE_END: &str = "; give files titles and keywords of their own.";

/// Returns the line that says what a market does not get of a file's tags, if it does not get all.
fn cut_line(market: &Market, asset: &BundleAsset) -> Option<String> {
    let told = market::fit(market, &asset.meta).left_out;
    let file = escape_bytes(asset.file_name.as_bytes());
    (!told.is_empty()).then(|| format!("{CUT}`{file}`: {}{CUT_END}", escape_bytes(told.join("; ").as_bytes())))
}

/// Returns what stands behind a line of our own that says what a market does not get; `None` for any other line.
fn behind_cut(line: &[u8]) -> Option<&[u8]> {
    [(CUT, CUT_END), (ALIKE, ALIKE_END)].into_iter().find_map(|(start, end)| {
        let rest = line.strip_prefix(start.as_bytes())?;
        let at = rest.windows(end.len()).rposition(|part| part == end.as_bytes())?;
        Some(&rest[at + end.len()..])
    })
}

/// Returns what a person has to do, with what a person wrote into the list already, byte for byte.
fn checklist(
    name: &BundleName,
    market: &Market,
    rows: &[Row],
    without_row: &[String],
    cut: &[String],
    existing: Option<&[u8]>,
) -> Vec<u8> {
    let heading = format!("# {} of {}: ", market.title, name.day);
    let mut steps =
        vec!["Upload everything in `files/`.".to_owned(), format!("Then upload `{}.csv` in the portal.", market.name)];
    steps.extend(market.checklist.iter().cloned());
    steps.push("When all is sent, make an empty file `SENT` here: later files then go into a new bundle.".to_owned());
    let existing = existing.map(|bytes| bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let end = if existing.is_some_and(|bytes| bytes.windows(2).any(|pair| pair == b"\r\n")) { "\r\n" } else { "\n" };
    let (mut kept, mut behind_heading): (Vec<u8>, &[u8]) = (Vec::new(), b"");
    for line in existing.unwrap_or(end.as_bytes()).split_inclusive(|byte| *byte == b'\n') {
        // Ticks, notes and other headings are a person's, and so is what stands behind our own words.
        if let Some(rest) = line.strip_prefix(heading.as_bytes()) {
            behind_heading = after_count(rest).trim_ascii_end();
        } else if let Some(rest) = line.strip_prefix(WITHOUT_ROW.as_bytes()) {
            let has_note =
                rest.splitn(3, |byte| *byte == b'`').nth(2).is_some_and(|note| !note.trim_ascii().is_empty());
            kept.extend(if has_note { rest } else { b"" });
        } else if let Some(rest) = behind_cut(line) {
            kept.extend(if rest.trim_ascii().is_empty() { b"" } else { rest.trim_ascii_start() });
        } else {
            kept.extend(line);
        }
    }
    let mut text = format!("{heading}{} files", rows.len()).into_bytes();
    text.extend(behind_heading);
    text.extend(end.as_bytes());
    for file in without_row {
        // A name with a line break would leave lines behind that nobody knows as ours.
        text.extend(format!("{WITHOUT_ROW}`{}`{end}", escape_bytes(file.as_bytes())).into_bytes());
    }
    for line in cut {
        text.extend(format!("{line}{end}").into_bytes());
    }
    text.extend(kept);
    let told = existing.map(String::from_utf8_lossy).unwrap_or_default();
    for step in steps.iter().filter(|step| !told.contains(step.trim_end_matches('.'))) {
        if !text.ends_with(b"\n") {
            text.extend(end.as_bytes());
        }
        text.extend(format!("- [ ] {step}{end}").into_bytes());
    }
    text
}

/// Returns what stands behind `12 files`.
fn after_count(text: &[u8]) -> &[u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text[digits..].strip_prefix(b" files").unwrap_or(b"")
}

/// Plans the metadata `meta` for a bundled file, whose tags changed after it was bundled; its pixels stay byte for byte.
/// `None` if it carries them, or is no picture.
pub fn plan_refresh(
    file: &RelPath,
    record: &RelPath,
    record_bytes: &[u8],
    sidecar: &Sidecar,
    meta: &Meta,
) -> Option<Plan> {
    let present = sidecar.file.as_ref()?;
    let kind =
        Kind::ALL.into_iter().find(|kind| kind.is_image() && kind.extension() == Some(file.extension().as_str()))?;
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

    fn written(rows: usize, strangers: &[&str], existing: Option<&str>) -> String {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let row = Row { file_name: "a.jpg".to_owned(), meta: Meta::default(), category: None };
        let strangers: Vec<String> = strangers.iter().map(|name| (*name).to_owned()).collect();
        let text = checklist(&name, &market, &vec![row; rows], &strangers, &[], existing.map(str::as_bytes));
        String::from_utf8(text).unwrap()
    }

    /// The list was written anew whenever a file joined: ticks and notes were lost.
    #[test]
    fn what_a_person_wrote_into_the_checklist_stays() {
        let first = written(1, &[], None);
        assert!(first.starts_with("# Adobe Stock of 2026-11-28: 1 files\n\n- [ ] Upload everything"), "{first}");
        assert_eq!(written(1, &[], Some(&first)), first);
        let ticked = first.replacen("[ ]", "[x]", 1) + "ask Ann about the second one\n";
        assert_eq!(written(2, &[], Some(&ticked)), ticked.replace("1 files", "2 files"));
        // "Upload everything" is not true of what a person put there: that is named, as long as it lies there.
        let told = written(1, &["b.jpg"], Some(&ticked));
        assert!(told.contains(&format!("{WITHOUT_ROW}`b.jpg`\n")), "{told}");
        assert_eq!(written(1, &[], Some(&told)), ticked);
        let odd = written(1, &["b\n\rc.jpg"], Some(&ticked));
        assert!(odd.contains("`b\\x0a\\x0dc.jpg`\n"), "{odd}");
        assert_eq!(written(1, &[], Some(&odd)), ticked);
    }

    /// Only one line of the log said that the market got 49 of 60 keywords.
    #[test]
    fn what_a_market_does_not_get_is_named_as_long_as_it_is_so() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let list = |keywords: usize, existing: Option<&str>| {
            let keywords = (0..keywords).map(|number| format!("word {number}")).collect();
            let meta = Meta { title: "Sea".to_owned(), keywords, ..Meta::default() };
            let assets = [BundleAsset { file_name: "a.jpg".to_owned(), meta, category: None }];
            let existing = [None, existing.map(str::as_bytes)];
            let plan = plan_manifest(&name, &market, &assets, &[], existing).unwrap().unwrap();
            let list = plan.products.into_iter().find(|product| product.to.file_name() == "CHECKLIST.md");
            list.map(|list| match list.recipe {
                Recipe::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
                other => panic!("{other:?}"),
            })
        };
        let (whole, cut) = (list(9, None).unwrap(), list(60, None).unwrap());
        let line = format!("{CUT}`a.jpg`: the last 11 keywords are left out, since it takes 49{CUT_END}\n");
        assert!(cut.contains(&line) && !whole.contains(CUT), "{cut}");
        assert_eq!((list(60, Some(&cut)), list(9, Some(&cut))), (None, Some(whole.clone())));
        let noted = cut.replace(CUT_END, &format!("{CUT_END} ask Ann"));
        assert!(list(9, Some(&noted)).unwrap().contains("\nask Ann\n"));
    }

    /// What a person made of the list that one file has, and what becomes of it when another one joins.
    #[test]
    fn ticks_and_notes_stay_however_they_are_written() {
        let first = written(1, &[], None);
        type Change = fn(&str) -> String;
        let cases: [(&str, Change); 7] = [
            ("line ends", |text| text.replace("[ ]", "[x]").replace('\n', "\r\n")),
            ("no end", |text| format!("{}\nmine", text.replace("[ ]", "[x]").trim_end())),
            ("behind the heading", |text| text.replacen(" files\n", " files (two are Ann's)\n", 1)),
            ("behind a step", |text| {
                text.replacen("[ ] Upload everything in `files/`.", "[x] Upload everything in `files/`: done", 1)
            }),
            ("in between", |text| text.replacen("\n\n", "\n\n## Ann\n- [x] asked\n\n", 1)),
            ("other order", |text| {
                let (head, steps) = text.split_once("\n\n").unwrap();
                let mut steps: Vec<&str> = steps.lines().collect();
                steps.reverse();
                format!("{head}\n\n{}\n", steps.join("\n"))
            }),
            ("struck out", |text| {
                text.replacen("Upload everything in `files/`.", "~~Upload everything in `files/`.~~", 1)
            }),
        ];
        for (what, change) in cases {
            let changed = change(&first);
            assert_eq!(written(2, &[], Some(&changed)), changed.replacen(": 1 files", ": 2 files", 1), "{what}");
        }
        // A note behind the name of a file that has no row stays when the file goes.
        let told = written(1, &["b.jpg"], Some(&first)).replace("`b.jpg`\n", "`b.jpg` Ann wants it\n");
        assert!(written(1, &[], Some(&told)).contains("`b.jpg` Ann wants it\n"));
        // Bytes of another encoding stay as they are, too.
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let latin = [first.as_bytes(), b"f\xfcr Ann\n"].concat();
        let text = checklist(&name, &market, &[], &[], &[], Some(&latin));
        assert!(text.ends_with(b"f\xfcr Ann\n"));
    }
}
