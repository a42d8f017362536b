//! The list of what a person does with a bundle, beside its files.

use std::collections::BTreeSet;

use super::bundle::{BundleAsset, BundleName};
use super::selection::{is_ours, selected, selections};
use crate::market::{self, Market, Row};
use crate::model::{Meta, RelPath, escape_bytes};

/// How a line begins that names a file without a row.
const WITHOUT_ROW: &str = "> Do not upload this one, it has no row in the CSV; to sell it, move it to `upload`: ";

/// How a line begins and ends that says what a market does not get of a file's tags.
const CUT: &str = "> The market gets less than the tags say of ";
const CUT_END: &str = "; change its tags to say it otherwise.";

/// How a line begins and ends that names a file that the market would refuse.
const REFUSED: &str = "> Do not upload this one, the market would refuse it: ";
const REFUSED_END: &str = "; with other tags it gets its row back.";

/// How a line begins and ends that says what is too much alike.
const ALIKE: &str = "> Before you upload: ";
const ALIKE_END: &str = "; give files titles and keywords of their own.";

/// What the last step is known by.
const SENT: &str = "make an empty file `SENT`";

/// What a list is about.
pub(super) struct Checklist<'a> {
    pub(super) name: &'a BundleName,
    pub(super) market: &'a Market,
    pub(super) assets: &'a [BundleAsset],
    pub(super) without_row: &'a [String],
    /// Files that the market would refuse by their tags of today, each with why.
    pub(super) refused: &'a [(String, String)],
    /// The parts of the manifest.
    pub(super) manifests: &'a [RelPath],
}

impl Checklist<'_> {
    /// Returns the list, with what a person wrote into the `existing` one, byte for byte.
    pub(super) fn text(&self, rows: &[Row], existing: Option<&[u8]>) -> Vec<u8> {
        let heading = format!("# {} of {}: ", self.market.title, self.name.day);
        let existing = existing.map(|bytes| bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        let end =
            if existing.is_some_and(|bytes| bytes.windows(2).any(|pair| pair == b"\r\n")) { "\r\n" } else { "\n" };
        let all: BTreeSet<&str> = self.assets.iter().map(|asset| asset.file_name.as_str()).collect();
        let told = existing.map(String::from_utf8_lossy).unwrap_or_default();
        let ticked: Vec<&str> = told.lines().filter_map(selected).filter(|(is, _)| *is).map(|(_, line)| line).collect();
        let left = selections(self.market, self.assets).into_iter().filter_map(|one| one.without_ticked(&ticked, &all));
        let left: Vec<String> = left.map(|one| one.line(&all)).collect();
        let is_over = |line: &str| matches!(selected(line), Some((false, line)) if !left.iter().any(|left| *left == line.trim_end()));
        let (mut kept, mut behind_heading): (Vec<u8>, &[u8]) = (Vec::new(), b"");
        for line in existing.unwrap_or(end.as_bytes()).split_inclusive(|byte| *byte == b'\n') {
            // Ticks, notes and other headings are a person's, and so is what stands behind our own words.
            if let Some(rest) = line.strip_prefix(heading.as_bytes()) {
                behind_heading = after_count(rest).trim_ascii_end();
            } else if let Some(rest) = line.strip_prefix(WITHOUT_ROW.as_bytes()) {
                let has_note =
                    rest.splitn(3, |byte| *byte == b'`').nth(2).is_some_and(|note| !note.trim_ascii().is_empty());
                kept.extend(if has_note { rest } else { b"" });
            } else if let Some(rest) = behind_ours(line) {
                kept.extend(if rest.trim_ascii().is_empty() { b"" } else { rest.trim_ascii_start() });
            } else if !std::str::from_utf8(line).is_ok_and(|line| {
                is_over(line) && is_ours(self.market, line.trim_end_matches(['\n', '\r'])) || self.is_of_no_part(line)
            }) {
                kept.extend(line);
            }
        }
        let mut text = format!("{heading}{} files", rows.len()).into_bytes();
        text.extend(behind_heading);
        text.extend(end.as_bytes());
        for line in self.notes(rows) {
            text.extend(format!("{line}{end}").into_bytes());
        }
        let told = String::from_utf8_lossy(&kept).into_owned();
        let new = |step: &&String| !told.contains(step.trim_end_matches('.'));
        let is_old = told.contains(SENT);
        // What is still to be ticked stands before the last step.
        let at = if is_old { line_of(&kept, SENT.as_bytes()) } else { kept.len() };
        text.extend(&kept[..at]);
        let steps = self.steps();
        let (before, last) = steps.split_at(steps.len() - 1);
        let (before, last): (Vec<&String>, Vec<&String>) =
            (before.iter().filter(new).collect(), last.iter().filter(new).collect());
        // A new list has its steps in order; later ones come at the end of an old one.
        let (first, behind) = if is_old { (Vec::new(), [before, last].concat()) } else { (before, last) };
        add(&mut text, first.into_iter().chain(left.iter().filter(new)), end);
        text.extend(&kept[at..]);
        add(&mut text, behind.into_iter(), end);
        text
    }

    /// Returns whether a line is a step with a part of the manifest that there is no more, and that is not done.
    fn is_of_no_part(&self, line: &str) -> bool {
        let step = line.trim_end().strip_prefix("- [ ] Then upload `");
        let name = step.and_then(|step| step.strip_suffix("` in the portal."));
        name.is_some_and(|name| {
            self.name.manifest_part(name).is_some() && self.manifests.iter().all(|part| part.file_name() != name)
        })
    }

    /// Returns what a person does, in order.
    fn steps(&self) -> Vec<String> {
        let csv = self.manifests.iter().map(|part| format!("Then upload `{}` in the portal.", part.file_text()));
        let sent = format!("When all is sent, {SENT} here: later files then go into a new bundle.");
        let first = std::iter::once("Upload everything in `files/`.".to_owned()).chain(csv);
        first.chain(self.market.checklist.iter().cloned()).chain([sent]).collect()
    }

    /// Returns the lines about what is not as a person may expect it.
    fn notes(&self, rows: &[Row]) -> Vec<String> {
        // A name with a line break would leave lines behind that nobody knows as ours.
        let strangers = self.without_row.iter().map(|file| format!("{WITHOUT_ROW}`{}`", escape_bytes(file.as_bytes())));
        let fitted: Vec<&Meta> = rows.iter().map(|row| &row.meta).collect();
        let alike = market::repetition(self.market, &fitted);
        let alike = alike.into_iter().map(|told| format!("{ALIKE}{}{ALIKE_END}", escape_bytes(told.as_bytes())));
        let refused = self.refused.iter().map(|(file, why)| {
            let file = escape_bytes(file.as_bytes());
            format!("{REFUSED}`{file}`: {}{REFUSED_END}", escape_bytes(why.as_bytes()))
        });
        strangers.chain(refused).chain(alike).chain(self.assets.iter().filter_map(cut_line)).collect()
    }
}

/// Adds steps with a box for each.
fn add<'a>(text: &mut Vec<u8>, steps: impl Iterator<Item = &'a String>, end: &str) {
    for step in steps {
        if !text.ends_with(b"\n") {
            text.extend(end.as_bytes());
        }
        text.extend(format!("- [ ] {step}{end}").into_bytes());
    }
}

/// Returns where the line begins that has some words in it.
fn line_of(text: &[u8], words: &[u8]) -> usize {
    let at = text.windows(words.len()).position(|part| part == words).unwrap_or(text.len());
    text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1)
}

/// Returns the line that says what a market does not get of a file's tags, if it does not get all.
fn cut_line(asset: &BundleAsset) -> Option<String> {
    let told = &asset.fitted.left_out;
    let file = escape_bytes(asset.file_name.as_bytes());
    (!told.is_empty()).then(|| format!("{CUT}`{file}`: {}{CUT_END}", escape_bytes(told.join("; ").as_bytes())))
}

/// Returns what stands behind a line of our own that says what a market does not get or wants; `None` for any other line.
fn behind_ours(line: &[u8]) -> Option<&[u8]> {
    [(CUT, CUT_END), (ALIKE, ALIKE_END), (REFUSED, REFUSED_END)].into_iter().find_map(|(start, end)| {
        let rest = line.strip_prefix(start.as_bytes())?;
        // Our own words about repetition begin with a number.
        let is_ours = start != ALIKE || rest.first().is_some_and(u8::is_ascii_digit);
        let at = rest.windows(end.len()).rposition(|part| is_ours && part == end.as_bytes())?;
        Some(&rest[at + end.len()..])
    })
}

/// Returns what stands behind `12 files`.
fn after_count(text: &[u8]) -> &[u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text[digits..].strip_prefix(b" files").unwrap_or(b"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Fitted, built_in, fit};
    use crate::model::{Identity, Look, People, SourceType};
    use crate::plan::{Recipe, Written, plan_manifest};

    fn untouched(meta: Meta) -> Fitted {
        Fitted { meta, left_out: Vec::new() }
    }

    fn written(rows: usize, strangers: &[&str], existing: Option<&str>) -> String {
        String::from_utf8(bytes(rows, strangers, existing.map(str::as_bytes))).unwrap()
    }

    /// Returns the list of a market without boxes.
    fn bytes(rows: usize, strangers: &[&str], existing: Option<&[u8]>) -> Vec<u8> {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let market = Market { boxes: None, ..market };
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let row = Row { file_name: "a.jpg".to_owned(), meta: Meta::default(), category: None };
        let strangers: Vec<String> = strangers.iter().map(|name| (*name).to_owned()).collect();
        let list = Checklist {
            name: &name,
            market: &market,
            assets: &[],
            without_row: &strangers,
            refused: &[],
            manifests: &[name.manifest(1)],
        };
        list.text(&vec![row; rows], existing)
    }

    /// Returns a part of a manifest that lies there.
    fn written_as(name: &BundleName, text: &str) -> Written {
        let seen = Identity { device: 1, inode: 2, size: 3, modified_ns: 4 };
        Written { path: name.manifest(1), seen, bytes: text.as_bytes().to_vec() }
    }

    /// What became of an AI mark or a title after a file was bundled went to the market.
    #[test]
    fn what_the_market_would_refuse_today_has_no_row() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "shutterstock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let asset = |file: &str, source_type| BundleAsset {
            file_name: file.to_owned(),
            fitted: untouched(Meta {
                title: "Sea".to_owned(),
                description: "The sea at dawn".to_owned(),
                keywords: (0..9).map(|n| format!("k{n}")).collect(),
                source_type,
                ..Meta::default()
            }),
            category: Some("nature".to_owned()),
            look: None,
            people: None,
        };
        let assets = [asset("a.jpg", SourceType::DigitalCapture), asset("b.jpg", SourceType::TrainedAlgorithmicMedia)];
        let plan = plan_manifest(&name, &market, &assets, &[], (&[], None)).unwrap().unwrap();
        assert!(
            plan.about.did.ends_with("the market refuses 1 file by its tags of today, which has no row"),
            "{}",
            plan.about.did
        );
        let texts: Vec<String> = plan
            .products
            .iter()
            .map(|product| match &product.recipe {
                Recipe::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(texts[0].contains("a.jpg") && !texts[0].contains("b.jpg"), "{}", texts[0]);
        let told = format!("{REFUSED}`b.jpg`: it takes no work made by AI");
        assert!(texts[1].contains(&told), "{}", texts[1]);
        // With its old tags it is as it was.
        let again = [assets[0].clone(), asset("b.jpg", SourceType::DigitalCapture)];
        let written = [written_as(&name, &texts[0])];
        let existing = (&written[..], Some(texts[1].as_bytes()));
        let plan = plan_manifest(&name, &market, &again, &[], existing).unwrap().unwrap();
        let list = plan.products.iter().any(|product| matches!(&product.recipe, Recipe::Bytes(bytes) if String::from_utf8_lossy(bytes).contains(REFUSED)));
        assert!(!list && plan.about.did == "manifest written for 2 files", "{}", plan.about.did);
    }

    /// What a person has ticked stays so, and files that come later are a selection of their own.
    #[test]
    fn selections_grow_beside_those_that_are_ticked() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let list = |files: &[&str], existing: Option<&str>| {
            let asset = |file: &&str| BundleAsset {
                file_name: (*file).to_owned(),
                fitted: untouched(Meta::default()),
                category: None,
                look: Some(Look::Photo),
                people: Some(People::No),
            };
            let assets: Vec<BundleAsset> = files.iter().map(asset).collect();
            let rows: Vec<Row> = assets.iter().map(BundleAsset::row).collect();
            let list = Checklist {
                name: &name,
                market: &market,
                assets: &assets,
                without_row: &[],
                refused: &[],
                manifests: &[name.manifest(1)],
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes))).unwrap()
        };
        let first = list(&["a", "b"], None);
        let line = "- [ ] Select `a` to `b` (2 files): type Photo.\n";
        assert!(first.contains(&format!("{line}- [ ] When all is sent")), "{first}");
        assert_eq!(list(&["a", "b"], Some(&first)), first);
        let grown = list(&["a", "b", "c"], Some(&first));
        assert!(
            !grown.contains(line) && grown.contains("- [ ] Select `a` to `c` (3 files): type Photo.\n- [ ] When"),
            "{grown}"
        );
        let ticked = first.replace(line, &line.replace("[ ]", "[x]"));
        let grown = list(&["a", "b", "c"], Some(&ticked));
        assert!(
            grown.contains("- [x] Select `a` to `b` (2 files): type Photo.\n- [ ] Select `c` (1 file): type Photo.\n"),
            "{grown}"
        );
        // A note stays, with the line that it stands behind.
        let noted = first.replace("type Photo.", "type Photo. Ann looks");
        assert!(list(&["a", "b", "c"], Some(&noted)).contains("(2 files): type Photo. Ann looks\n"));
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
            let file_name = "a.jpg".to_owned();
            let fitted = fit(&market, &meta);
            let assets = [BundleAsset { file_name, fitted, category: None, look: None, people: None }];
            let existing = existing.map(str::as_bytes);
            let plan = plan_manifest(&name, &market, &assets, &[], (&[], existing)).unwrap().unwrap();
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
        let latin = [first.as_bytes(), b"f\xfcr Ann\n"].concat();
        let text = bytes(1, &[], Some(&latin));
        assert!(text.ends_with(b"f\xfcr Ann\n"));
    }
}
