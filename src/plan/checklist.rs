//! The list of what a person does with a bundle, beside its files.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::bundle::{BundleAsset, BundleName};
use super::checklist_files::{RETOUCHED, SOUND, TAGLESS, UNWISE, WENT, of_retouched, of_sound, of_tagless, of_unwise};
use super::checklist_iptc::{SHORT, of_short};
use super::delivered::{self, Delivered};
use super::selection::{Line, left};
use crate::market::{self, Market, Row, manifest_part};
use crate::model::{Meta, RelPath, counted, escape_bytes};
use crate::records::DELIVERED;

/// How a line begins that names a file without a row.
const WITHOUT_ROW: &str = "> Do not upload this one, it has no row in the CSV; to sell it, move it to `upload`: ";

/// How a line begins and ends that says what a market does not get of a file's tags.
const CUT: &str = "> The market gets less than the tags say of ";
const CUT_END: &str = "; change its tags to say it otherwise.";

/// How a line begins and ends that names a file that the market would refuse.
const REFUSED: &str = "> Do not upload this one, the market would refuse it: ";
const REFUSED_END: &str = "; with other tags it gets its row back.";
const REFUSED_AS_IT_IS_END: &str = "; it gets its row back once the market's rules take it.";

/// How a line begins and ends that says what is too much alike.
const ALIKE: &str = "> Before you upload: ";
const ALIKE_END: &str = "; give files titles and keywords of their own.";

/// What is said where files are named by the first and the last of them.
const SORTED: &str = "> Names are sorted: ";
const SORTED_END: &str = "`a-1` to `a-3` are all from the first to the last of them.";

/// What a line is known by that asks for a later manifest.
const AGAIN: &str = " again, with ";
/// What a step is known by whose files are still to be uploaded.
const TO_UPLOAD: &[u8] = b"[ ] Upload `";
/// How a step begins and ends that is about a part of the manifest.
const THEN: (&str, &str) = ("Then upload `", "` in the portal");
/// How the last step begins where a profile does not know what ends an upload: no source says what each portal asks for.
const SUBMIT: &str = "Submit all in the portal, as far as it asks for that; then";
/// What the last step is known by.
const SENT: &str = "make an empty file `SENT`";

/// What a list is about.
pub(super) struct Checklist<'a> {
    pub(super) name: &'a BundleName,
    pub(super) market: &'a Market,
    pub(super) assets: &'a [BundleAsset],
    pub(super) without_row: &'a [String],
    /// A line for each file that the market has, or refused as it is.
    pub(super) went: &'a [String],
    /// Files that the market would refuse today.
    pub(super) refused: &'a [Refused<'a>],
    /// The parts of the manifest.
    pub(super) manifests: &'a [RelPath],
    pub(super) delivered: &'a Delivered,
}

/// A file of a bundle that its market would refuse today.
pub(super) struct Refused<'a> {
    pub(super) file: &'a str,
    pub(super) why: String,
    /// Whether other tags would mend all of it.
    pub(super) is_by_tags: bool,
}

impl Checklist<'_> {
    /// Returns the list, with what a person wrote into the `existing` one, byte for byte.
    pub(super) fn text(&self, rows: &[Row<'_>], existing: Option<&[u8]>) -> Vec<u8> {
        let heading = format!("# {} of {}: ", self.market.title, self.name.day);
        let existing = existing.map(utf8);
        let existing = existing.as_deref();
        let end =
            if existing.is_some_and(|bytes| bytes.windows(2).any(|pair| pair == b"\r\n")) { "\r\n" } else { "\n" };
        let told = existing.map(String::from_utf8_lossy).unwrap_or_default();
        let to_do = self.to_do(rows.len(), &items(&told));
        let (mut kept, mut behind_heading, mut places): (Vec<u8>, &[u8], Places) = (Vec::new(), b"", Places::default());
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
            } else if let Some(text) = std::str::from_utf8(line).ok().filter(|line| self.is_over(line, &to_do)) {
                let place = if text.contains(" Select `") { &mut places.selections } else { &mut places.uploads };
                place.get_or_insert(kept.len());
            } else {
                kept.extend(line);
            }
        }
        let mut text = format!("{heading}{}", counted(rows.len(), "file")).into_bytes();
        text.extend(behind_heading);
        text.extend(end.as_bytes());
        for line in self.notes(rows, &to_do) {
            text.extend(format!("{line}{end}").into_bytes());
        }
        self.add_steps(&mut text, &kept, &to_do, places, end);
        text
    }

    /// Returns what is still to be done with the files, after what a person has ticked: a line for each.
    fn to_do(&self, rows: usize, items: &[(bool, String)]) -> ToDo {
        let all: BTreeSet<&str> = self.assets.iter().map(|asset| asset.file_name.as_str()).collect();
        let ticked: Vec<String> = items.iter().filter(|(is, _)| *is).map(|(_, text)| text.clone()).collect();
        let left = left(self.market, self.assets, self.delivered, &ticked);
        let mut delivered: Vec<String> = left.delivered.iter().map(|one| one.line(&all)).collect();
        let mut uploads: Vec<String> = left.uploads.iter().map(|one| one.line(&all)).collect();
        // What came after the manifest was uploaded has its row in a later one.
        let manifests: Vec<String> = self.manifests.iter().map(|part| format!("`{}`", part.file_text())).collect();
        let again = format!("Upload {}{AGAIN}{} now.", manifests.join(", "), counted(rows, "row"));
        let mut by_hand = ticked.iter().filter(|text| !text.contains(DELIVERED));
        let is_later = left.is_any_new
            && by_hand.any(|text| manifests.iter().any(|part| text.contains(part)))
            && ticked.iter().any(|text| text.contains("Upload `"));
        let has_rows = rows > 0 && all.iter().all(|name| self.delivered.rows.contains(*name));
        if !has_rows && (is_later || items.iter().any(|(is_ticked, text)| !is_ticked && text.contains(AGAIN))) {
            uploads.push(again);
        }
        let csv = self.csv_steps(has_rows, &ticked);
        let csv = if has_rows {
            delivered.extend(csv);
            Vec::new()
        } else {
            csv
        };
        let selections: Vec<String> = left.selections.iter().map(|one| one.line(&all)).collect();
        let of_files = delivered.iter().chain(&uploads).chain(&selections);
        // What is over goes, and what is delivered is told anew.
        let stays = |(is_ticked, text): &&(bool, String)| {
            let ours = Line::read(self.market, text).filter(|line| line.behind.is_empty());
            ours.is_none_or(|line| *is_ticked && !line.is_delivered)
        };
        let mut lines = of_files.chain(items.iter().filter(stays).map(|(_, text)| text));
        let has_range = lines.any(|line| line.contains("` to `"));
        ToDo { delivered, uploads, csv, selections, has_range }
    }

    /// Returns the steps of the parts of the manifest: those that are done by delivery and that nobody ticked, or all that
    /// are to be uploaded, as far as that can be told.
    fn csv_steps(&self, is_delivered: bool, ticked: &[String]) -> Vec<String> {
        let parts = self.manifests.iter().map(RelPath::file_text);
        let steps = parts.filter(|part| !self.delivered.in_doubt.contains(part)).filter_map(|part| {
            let step = format!("{}{part}{}", THEN.0, THEN.1);
            let is_ticked = || ticked.iter().any(|text| text.contains(&step) && !text.contains(DELIVERED));
            match is_delivered {
                true => (!is_ticked()).then(|| format!("{step}{DELIVERED}.")),
                false => Some(format!("{step}.")),
            }
        });
        steps.collect()
    }

    /// Returns whether a line of a list is one of ours that nobody ticked or wrote on, and that is not to be done any more.
    fn is_over(&self, line: &str, to_do: &ToDo) -> bool {
        let Some((is_ticked, text)) = boxed(line).filter(|_| !line.starts_with(char::is_whitespace)) else {
            return false;
        };
        let text = text.trim_end();
        let says_delivered = text.strip_suffix('.').is_some_and(|text| text.ends_with(DELIVERED));
        if is_ticked || says_delivered {
            let begins = text.starts_with("Upload `") || text.starts_with(THEN.0);
            return says_delivered && begins && !(is_ticked && to_do.delivered.iter().any(|done| done == text));
        }
        let is_again = || text.starts_with("Upload `") && text.contains(AGAIN) && text.ends_with(" now.");
        let is_ours = || {
            let begins = text.starts_with("Upload `") || text.starts_with("Select `");
            begins && Line::read(self.market, text).is_some_and(|line| line.behind.is_empty())
        };
        let is_of_no_part = || {
            let name = text.strip_prefix(THEN.0).and_then(|step| step.strip_suffix(".")?.strip_suffix(THEN.1));
            name.is_some_and(|name: &str| manifest_part(&self.name.market, name).is_some())
        };
        !to_do.all().any(|left| left == text) && (is_ours() || is_again() || is_of_no_part())
    }

    /// Adds what a person kept in a list and the steps that it does not have. A new list has them in order; in an old one
    /// what is still to be done with files stands where it stood, what is to be known before the upload stands before that,
    /// and all else that is new before the last step: whoever works downwards must not tell that all is sent before.
    fn add_steps(&self, text: &mut Vec<u8>, kept: &[u8], to_do: &ToDo, places: Places, end: &str) {
        let told = flat(&String::from_utf8_lossy(kept));
        let new = |step: &&String| !told.contains(step.trim_end_matches('.'));
        let Market { before, checklist, .. } = self.market;
        let ToDo { delivered, uploads: to_upload, csv, selections: to_select, .. } = to_do;
        if !told.contains(SENT) {
            text.extend(kept);
            add(text, NOT_DONE, before.iter().filter(new), end);
            add(text, DONE, delivered.iter().filter(new), end);
            let rest = [to_upload, csv, to_select, checklist].into_iter().flatten();
            return add(text, NOT_DONE, rest.chain([&self.last_step()]).filter(new), end);
        }
        let at = line_of(kept, SENT.as_bytes()).unwrap_or(kept.len());
        let uploads = places.uploads.unwrap_or(at);
        let first = line_of(kept, TO_UPLOAD).unwrap_or(at).min(uploads);
        let selections = places.selections.unwrap_or(at);
        let mut parts = [
            (first, NOT_DONE, &before[..]),
            (uploads, DONE, delivered),
            (uploads, NOT_DONE, to_upload),
            (at, NOT_DONE, csv),
            (selections, NOT_DONE, to_select),
            (at, NOT_DONE, checklist),
        ];
        parts.sort_by_key(|(at, ..)| *at);
        let mut from = 0;
        for (at, mark, lines) in parts {
            text.extend(&kept[from..at]);
            add(text, mark, lines.iter().filter(new), end);
            from = at;
        }
        text.extend(&kept[from..]);
    }

    /// Returns the step that ends a bundle.
    fn last_step(&self) -> String {
        let folder = self.name.folder();
        let name = folder.parts().skip(1).map(std::ffi::OsStr::to_string_lossy).collect::<Vec<_>>().join("/");
        let when = if self.market.checklist.is_empty() { SUBMIT } else { "When all is sent," };
        format!("{when} say `stockmill sent {name}` or {SENT} here: later files then go into a new bundle.")
    }

    /// Returns the lines about what is not as a person may expect it.
    fn notes(&self, rows: &[Row<'_>], to_do: &ToDo) -> Vec<String> {
        // A name with a line break would leave lines behind that nobody knows as ours.
        let strangers = self.without_row.iter().map(|file| format!("{WITHOUT_ROW}`{}`", escape_bytes(file.as_bytes())));
        let fitted: Vec<&Meta> = rows.iter().map(|row| row.meta).collect();
        let alike = market::repetition(self.market, &fitted);
        let alike = alike.into_iter().map(|told| format!("{ALIKE}{}{ALIKE_END}", escape_bytes(told.as_bytes())));
        let refused = self.refused.iter().map(|Refused { file, why, is_by_tags }| {
            let (file, why) = (escape_bytes(file.as_bytes()), escape_bytes(why.as_bytes()));
            format!("{REFUSED}`{file}`: {why}{}", if *is_by_tags { REFUSED_END } else { REFUSED_AS_IT_IS_END })
        });
        let sorted = to_do.has_range.then(|| format!("{SORTED}{SORTED_END}"));
        let delivered = self.delivered.notes(!to_do.uploads.is_empty());
        let notes = delivered
            .chain(sorted)
            .chain(strangers)
            .chain(self.went.iter().cloned())
            .chain(refused)
            .chain(alike)
            .chain(of_unwise(self.assets));
        let videos = of_sound(self.market, self.assets).into_iter().chain(of_tagless(self.assets));
        notes.chain(of_retouched(self.assets)).chain(videos).chain(self.cut()).chain(of_short(self.assets)).collect()
    }

    /// Returns a line for each way in which a market gets less than the tags say.
    fn cut(&self) -> Vec<String> {
        let mut files: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
        for BundleAsset { file_name, fitted, .. } in
            self.assets.iter().filter(|asset| !asset.fitted.left_out.is_empty())
        {
            files.entry(&fitted.left_out).or_default().push(file_name);
        }
        let mut cut: Vec<_> = files.into_iter().map(|(told, files)| (files, told)).collect();
        cut.sort();
        let line = |(files, told): (Vec<&str>, &[String])| {
            let more = if files.len() > 1 { format!(" and {} more", files.len() - 1) } else { String::new() };
            let (file, told) = (escape_bytes(files[0].as_bytes()), escape_bytes(told.join("; ").as_bytes()));
            format!("{CUT}`{file}`{more}: {told}{CUT_END}")
        };
        cut.into_iter().map(line).collect()
    }
}

/// What is still to be done with the files of a bundle, a line for each.
struct ToDo {
    /// What `stockmill deliver` did, and nobody ticked.
    delivered: Vec<String>,
    uploads: Vec<String>,
    /// The steps of the parts of the manifest.
    csv: Vec<String>,
    selections: Vec<String>,
    /// Whether files are named by the first and the last of them.
    has_range: bool,
}

/// Where lines of ours stood in a list that are not to be done any more.
#[derive(Debug, Clone, Copy, Default)]
struct Places {
    uploads: Option<usize>,
    selections: Option<usize>,
}

impl ToDo {
    fn all(&self) -> impl Iterator<Item = &String> {
        self.uploads.iter().chain(&self.csv).chain(&self.selections)
    }
}

/// Returns the bytes of a list without a mark at the start. One that an editor wrote in UTF-16 is UTF-8 from then on.
fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units).into_bytes())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    }
}

/// Returns a text on one line with single spaces: editors break lines anew.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns what stands in a line behind its box, and whether that is ticked; `None` for a line without a box.
fn boxed(line: &str) -> Option<(bool, &str)> {
    let line = line.trim_start();
    let rest = line.strip_prefix(['-', '*', '+']).or_else(|| {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.strip_prefix(['.', ')']).filter(|_| rest.len() < line.len())
    })?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let (mark, rest) = rest.strip_prefix('[')?.split_once(']')?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    match mark {
        "" | " " => Some((false, rest)),
        "x" | "X" => Some((true, rest)),
        _ => None,
    }
}

/// Returns what stands behind each box of a list, and whether it is ticked; a line that an editor broke is one.
fn items(text: &str) -> Vec<(bool, String)> {
    let mut items: Vec<(bool, String)> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let is_more = is_open && line.starts_with([' ', '\t']) && !line.trim_start().starts_with(['-', '*', '+', '#']);
        match (boxed(line), items.last_mut()) {
            (Some((is_ticked, rest)), _) => items.push((is_ticked, flat(rest))),
            (None, Some((_, item))) if is_more && !line.trim().is_empty() => {
                item.push(' ');
                item.push_str(&flat(line));
            }
            (None, _) => {
                is_open = false;
                continue;
            }
        }
        is_open = true;
    }
    items
}

/// The boxes of steps.
const NOT_DONE: &str = "[ ]";
const DONE: &str = "[x]";

/// Adds steps with a box for each.
fn add<'a>(text: &mut Vec<u8>, mark: &str, steps: impl Iterator<Item = &'a String>, end: &str) {
    for step in steps {
        if !text.ends_with(b"\n") {
            text.extend(end.as_bytes());
        }
        text.extend(format!("- {mark} {step}{end}").into_bytes());
    }
}

/// Returns where the first line begins that has some words in it.
fn line_of(text: &[u8], words: &[u8]) -> Option<usize> {
    let at = text.windows(words.len()).position(|part| part == words)?;
    Some(text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1))
}

/// Returns what stands behind a line of our own that says what a market does not get or wants; `None` for any other line.
fn behind_ours(line: &[u8]) -> Option<&[u8]> {
    let ours = [
        (CUT, CUT_END),
        (ALIKE, ALIKE_END),
        UNWISE,
        WENT,
        (REFUSED, REFUSED_END),
        (REFUSED, REFUSED_AS_IT_IS_END),
        (SORTED, SORTED_END),
        SOUND,
        TAGLESS,
        RETOUCHED,
        SHORT,
        delivered::IN_DOUBT,
        delivered::UNKNOWN,
        delivered::BY_ITSELF,
    ];
    ours.into_iter().find_map(|(start, end)| {
        let rest = line.strip_prefix(start.as_bytes())?;
        // Our own words about more files begin with a number.
        let is_ours = ![ALIKE, UNWISE.0].contains(&start) || rest.first().is_some_and(u8::is_ascii_digit);
        let at = rest.windows(end.len()).rposition(|part| is_ours && part == end.as_bytes())?;
        Some(&rest[at + end.len()..])
    })
}

/// Returns what stands behind `12 files`.
fn after_count(text: &[u8]) -> &[u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = &text[digits..];
    rest.strip_prefix(b" files").or(rest.strip_prefix(b" file")).unwrap_or(b"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Fitted, Warning, WarningKind, built_in, fit};
    use crate::model::{Identity, Look, People, SourceType};
    use crate::plan::{Recipe, Written, plan_manifest};
    use crate::records::Deliveries;

    fn asset(file_name: &str, meta: Meta) -> BundleAsset {
        let fitted = Fitted { meta, left_out: Vec::new() };
        let file_name = file_name.to_owned();
        BundleAsset {
            file_name,
            fitted,
            category: None,
            look: None,
            people: None,
            warnings: Vec::new(),
            video: None,
            is_tagged: true,
            is_retouched: false,
            against: None,
            went: None,
        }
    }

    fn written(rows: usize, strangers: &[&str], existing: Option<&str>) -> String {
        String::from_utf8(bytes(rows, strangers, existing.map(str::as_bytes))).unwrap()
    }

    /// Returns the list of a market without boxes.
    fn bytes(rows: usize, strangers: &[&str], existing: Option<&[u8]>) -> Vec<u8> {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let market = Market { boxes: None, ..market };
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let assets: Vec<BundleAsset> = (1..=rows).map(|n| asset(&format!("a-{n}.jpg"), Meta::default())).collect();
        let rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
        let strangers: Vec<String> = strangers.iter().map(|name| (*name).to_owned()).collect();
        let list = Checklist {
            name: &name,
            market: &market,
            assets: &assets,
            without_row: &strangers,
            went: &[],
            refused: &[],
            manifests: &[name.manifest(1)],
            delivered: &Delivered::default(),
        };
        list.text(&rows, existing)
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
        let asset = |file: &str, source_type| {
            let meta = Meta {
                title: "Sea".to_owned(),
                description: "The sea at dawn".to_owned(),
                keywords: (0..9).map(|n| format!("k{n}")).collect(),
                source_type,
                ..Meta::default()
            };
            BundleAsset { category: Some("nature".to_owned()), ..asset(file, meta) }
        };
        let assets = [asset("a.jpg", SourceType::DigitalCapture), asset("b.jpg", SourceType::TrainedAlgorithmicMedia)];
        let plan = plan_manifest(&name, &market, &assets, &[], &Delivered::default(), (&[], None)).unwrap().unwrap();
        assert!(
            plan.about.did.ends_with("the market refuses 1 file by its rules or the tags of today, which has no row"),
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
        // So do the rules of names, and a person gives a file and its sidecar another one.
        let names = [
            ("b.jpg", None),
            ("my sea.jpg", Some("other signs")),
            (&*format!("{}.jpg", "b".repeat(market.file_name.chars_max)), Some("characters, and the market takes")),
        ];
        for (file, expected) in names {
            let reasons = BundleAsset { against: Some(Vec::new()), ..asset(file, SourceType::DigitalCapture) };
            let reasons = reasons.reasons(&market).join("; ");
            assert!(expected.map_or(reasons.is_empty(), |told| reasons.contains(told)), "{file}: {reasons}");
        }
        // Rules change as well: what was measured of a file counts, and no other tags mend that.
        let small = "it has 1.0 megapixels, and the market takes 4 to 100";
        let mut measured = [assets[0].clone(), asset("b.jpg", SourceType::DigitalCapture)];
        measured[1].against = Some(vec![small.to_owned()]);
        let written = [written_as(&name, &texts[0])];
        let existing = (&written[..], Some(texts[1].as_bytes()));
        let plan = plan_manifest(&name, &market, &measured, &[], &Delivered::default(), existing).unwrap().unwrap();
        let [Recipe::Bytes(list)] = &plan.products.iter().map(|product| product.recipe.clone()).collect::<Vec<_>>()[..]
        else {
            panic!("{plan}")
        };
        let list = String::from_utf8(list.clone()).unwrap();
        assert!(list.contains(&format!("{REFUSED}`b.jpg`: {small}{REFUSED_AS_IT_IS_END}\n")), "{list}");
        assert_eq!(list.matches(REFUSED).count(), 1, "{list}");
        // With its old tags, by its old rules, it is as it was.
        let again = [assets[0].clone(), asset("b.jpg", SourceType::DigitalCapture)];
        let existing = (&written[..], Some(list.as_bytes()));
        let plan = plan_manifest(&name, &market, &again, &[], &Delivered::default(), existing).unwrap().unwrap();
        let list = plan.products.iter().any(|product| matches!(&product.recipe, Recipe::Bytes(bytes) if String::from_utf8_lossy(bytes).contains(REFUSED)));
        assert!(!list && plan.about.did == "manifest written for 2 files", "{}", plan.about.did);
    }

    /// What a person has ticked stays so, and files that come later are a selection of their own.
    #[test]
    fn selections_grow_beside_those_that_are_ticked() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let list = |files: &[&str], existing: Option<&str>| {
            let meta = || Meta { source_type: SourceType::DigitalCapture, ..Meta::default() };
            let asset =
                |file: &&str| BundleAsset { look: Some(Look::Photo), people: Some(People::No), ..asset(file, meta()) };
            let assets: Vec<BundleAsset> = files.iter().map(asset).collect();
            let rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
            let list = Checklist {
                name: &name,
                market: &market,
                assets: &assets,
                without_row: &[],
                went: &[],
                refused: &[],
                manifests: &[name.manifest(1)],
                delivered: &Delivered::default(),
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes))).unwrap()
        };
        let first = list(&["a-1", "a-2"], None);
        let line = "- [ ] Select `a-1` to `a-2` (2 files): type Photo.\n";
        assert!(first.contains(&format!("{line}- [ ] Submit all")), "{first}");
        assert_eq!(list(&["a-1", "a-2"], Some(&first)), first);
        let grown = list(&["a-1", "a-2", "a-3"], Some(&first));
        assert!(
            !grown.contains(line) && grown.contains("- [ ] Select `a-1` to `a-3` (3 files): type Photo.\n- [ ] Submit"),
            "{grown}"
        );
        let ticked = first.replace(line, &line.replace("[ ]", "[x]"));
        let grown = list(&["a-1", "a-2", "a-3"], Some(&ticked));
        assert!(
            grown.contains(
                "- [x] Select `a-1` to `a-2` (2 files): type Photo.\n- [ ] Select `a-3` (1 file): type Photo.\n"
            ) && grown.contains("\n- [ ] Upload `a-1` to `a-3` (3 files) from `files/`.\n- [ ] Then upload"),
            "{grown}"
        );
        // A note stays, with the line that it stands behind.
        let noted = first.replace("type Photo.", "type Photo. Ann looks");
        assert!(list(&["a-1", "a-2", "a-3"], Some(&noted)).contains("(2 files): type Photo. Ann looks\n"));
    }

    /// Nothing said which files came after all was uploaded, nor that the manifest was another one.
    #[test]
    fn what_came_later_is_to_be_uploaded_with_its_manifest() {
        let uploaded = written(2, &[], None).replacen("[ ]", "[x]", 2);
        assert!(
            uploaded.contains("- [x] Upload `a-1.jpg` to `a-2.jpg` (2 files) from `files/`.\n- [x] Then"),
            "{uploaded}"
        );
        assert_eq!(written(2, &[], Some(&uploaded)), uploaded);
        let grown = written(4, &[], Some(&uploaded));
        let later = "- [ ] Upload `a-3.jpg` to `a-4.jpg` (2 files) from `files/`.\n- [ ] Upload `adobe-stock.csv` again, with 4 \
                     rows now.\n- [ ] Submit";
        assert!(grown.contains(later), "{grown}");
        // What is not done yet is asked for once, with what came since.
        let again = written(5, &[], Some(&grown));
        assert!(
            again.contains("`a-3.jpg` to `a-5.jpg` (3 files)") && again.matches("again, with").count() == 1,
            "{again}"
        );
        // The files are there, and their rows are not yet.
        let half = again.replace("[ ] Upload `a-3", "[x] Upload `a-3");
        assert_eq!(written(5, &[], Some(&half)), half);
        let done = half.replace("[ ] Upload", "[x] Upload");
        assert_eq!(written(5, &[], Some(&done)), done);
        let more = written(6, &[], Some(&done));
        assert!(more.contains("- [ ] Upload `adobe-stock.csv` again, with 6 rows now.\n"), "{more}");
    }

    /// Whoever followed the list published before the boxes were ticked, and read what to leave out after the upload.
    #[test]
    fn what_is_to_be_known_stands_before_the_upload_and_the_rest_behind_the_boxes() {
        let built_in = built_in().unwrap();
        let adobe = built_in.iter().find(|market| market.name == "adobe-stock").unwrap();
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let silent = Market { before: Vec::new(), checklist: Vec::new(), ..adobe.clone() };
        let market =
            Market { before: text(&["Leave out faces."]), checklist: text(&["Press Publish."]), ..adobe.clone() };
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let meta = Meta { source_type: SourceType::TrainedAlgorithmicMedia, ..Meta::default() };
        let list = |market: &Market, count: u32, existing: Option<&str>| {
            let assets: Vec<BundleAsset> = (1..=count).map(|n| asset(&format!("a-{n}.jpg"), meta.clone())).collect();
            let rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
            let (name, assets, manifests) = (&name, &assets, &[name.manifest(1)]);
            let list = Checklist {
                name,
                market,
                assets,
                without_row: &[],
                went: &[],
                refused: &[],
                manifests,
                delivered: &Delivered::default(),
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes))).unwrap()
        };
        let before = list(&silent, 2, None);
        // The list that was there, how many files there are now, and how many of its steps are ticked.
        let rows = [
            (None, 2, 0),
            (Some(before.clone()), 2, 0),
            (Some(before.clone()), 3, 0),
            (Some(list(&market, 2, None).replace("[ ]", "[x]")), 2, 6),
        ];
        for (existing, count, ticked) in rows {
            let text = list(&market, count, existing.as_deref());
            let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
            let ordered =
                ["Leave out faces.", "] Upload `a", "] Then upload `", "] Select `a", "Press Publish.", SENT].map(at);
            assert!(ordered.is_sorted(), "{text}");
            assert_eq!((text.matches("] ").count(), text.matches("[x]").count()), (6, ticked), "{text}");
            assert_eq!(list(&market, count, Some(&text)), text);
        }
        // What the list says anyhow is no line of a profile.
        for Market { name, before, checklist, .. } in &built_in {
            let says_again = |line: &&String| line.contains("then the CSV") || line.contains("Upload the files");
            assert_eq!(before.iter().chain(checklist).find(says_again), None, "{name}");
        }
    }

    /// The CSVs that came later stood below the last step, and the bundle was told as sent without them.
    #[test]
    fn later_steps_stand_before_the_last_one() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let list = |parts: u32, existing: Option<&str>| {
            let count = parts * 4;
            let assets: Vec<BundleAsset> = (1..=count).map(|n| asset(&format!("a-{n}.jpg"), Meta::default())).collect();
            let rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
            let manifests: Vec<RelPath> = (1..=parts).map(|part| name.manifest(part)).collect();
            let (assets, manifests) = (&assets, &manifests);
            let list = Checklist {
                name: &name,
                market: &market,
                assets,
                without_row: &[],
                went: &[],
                refused: &[],
                manifests,
                delivered: &Delivered::default(),
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes))).unwrap()
        };
        let first = list(1, None);
        // What a person did to the list meanwhile.
        let ticked = first.replace("[ ]", "[x]");
        for was in [first.clone(), first.replacen("[ ]", "[x]", 1), ticked, format!("{first}- [ ] ask Ann\n")] {
            let grown = list(3, Some(&was));
            let at = |words: &str| grown.find(words).unwrap_or_else(|| panic!("{words}: {grown}"));
            let ordered = [".csv` in", "-2.csv` in", "-3.csv` in", SENT].map(at);
            assert!(ordered.is_sorted(), "{grown}");
            assert_eq!(grown.matches(SENT).count(), 1, "{grown}");
            let ticks = |text: &str| text.matches("[x]").count();
            assert_eq!((ticks(&grown), grown.contains("ask Ann")), (ticks(&was), was.contains("ask Ann")), "{grown}");
            assert_eq!(list(3, Some(&grown)), grown);
        }
    }

    /// What is unwise was told by `explain` alone once a file was bundled.
    #[test]
    fn what_markets_may_dislike_is_told_once_for_each_kind() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "123rf").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let list = |warned: usize, existing: Option<&str>| {
            let mut assets: Vec<BundleAsset> = (1..=3).map(|n| asset(&format!("a-{n}.jpg"), Meta::default())).collect();
            for asset in assets.iter_mut().take(warned) {
                let text = "its title `x\ny` is odd".to_owned();
                asset.warnings = vec![Warning { kind: WarningKind::Prompt, text }];
            }
            let rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
            let list = Checklist {
                name: &name,
                market: &market,
                assets: &assets,
                without_row: &[],
                went: &[],
                refused: &[],
                manifests: &[name.manifest(1)],
                delivered: &Delivered::default(),
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes))).unwrap()
        };
        let none = list(0, None);
        let all = list(3, Some(&none));
        let line =
            "> Only a warning: 3 files, `a-1.jpg` the first: its title `x\\x0ay` is odd; nothing waits for it.\n";
        assert!(all.contains(line), "{all}");
        assert_eq!((list(3, Some(&all)), list(0, Some(&all))), (all.clone(), none));
        assert!(list(1, Some(&all)).contains("> Only a warning: 1 file, `a-1.jpg`: its title"));
    }

    /// The list was written anew whenever a file joined: ticks and notes were lost.
    #[test]
    fn what_a_person_wrote_into_the_checklist_stays() {
        let first = written(1, &[], None);
        assert!(first.starts_with("# Adobe Stock of 2026-11-28: 1 file\n\n- [ ] Upload `a-1.jpg` (1 file)"), "{first}");
        assert_eq!(written(1, &[], Some(&first)), first);
        let ticked = first.replacen("[ ]", "[x]", 1) + "ask Ann about the second one\n";
        let later = "- [ ] Upload `a-2.jpg` (1 file) from `files/`.\n- [ ] Submit all";
        let grown = ticked.replace("28: 1 file", "28: 2 files").replace("- [ ] Submit all", later);
        assert_eq!(written(2, &[], Some(&ticked)), grown);
        // What a person put there is named, as long as it lies there.
        let told = written(1, &["b.jpg"], Some(&ticked));
        assert!(told.contains(&format!("{WITHOUT_ROW}`b.jpg`\n")), "{told}");
        assert_eq!(written(1, &[], Some(&told)), ticked);
        let odd = written(1, &["b\n\rc.jpg"], Some(&ticked));
        assert!(odd.contains("`b\\x0a\\x0dc.jpg`\n"), "{odd}");
        assert_eq!(written(1, &[], Some(&odd)), ticked);
    }

    /// Each of 200 files had a line of its own that said the same.
    #[test]
    fn what_is_cut_alike_is_one_line() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "123rf").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let mut assets: Vec<BundleAsset> = (1..=4).map(|n| asset(&format!("a-{n}.jpg"), Meta::default())).collect();
        for (asset, told) in assets.iter_mut().zip(["cut", "short", "cut", "cut"]) {
            asset.fitted.left_out = vec![told.to_owned()];
        }
        let rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
        let manifests = [name.manifest(1)];
        let list = Checklist {
            name: &name,
            market: &market,
            assets: &assets,
            without_row: &[],
            went: &[],
            refused: &[],
            manifests: &manifests,
            delivered: &Delivered::default(),
        };
        let text = String::from_utf8(list.text(&rows, None)).unwrap();
        let expected = format!("{CUT}`a-1.jpg` and 2 more: cut{CUT_END}\n{CUT}`a-2.jpg`: short{CUT_END}\n");
        assert!(text.contains(&expected), "{text}");
        assert_eq!(String::from_utf8(list.text(&rows, Some(text.as_bytes()))).unwrap(), text);
    }

    /// Only one line of the log said that the market got 49 of 60 keywords.
    #[test]
    fn what_a_market_does_not_get_is_named_as_long_as_it_is_so() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let list = |keywords: usize, existing: Option<&str>| {
            let keywords = (0..keywords).map(|number| format!("word {number}")).collect();
            let meta = Meta { title: "Sea".to_owned(), keywords, ..Meta::default() };
            let fitted = fit(&market, &meta);
            let assets = [BundleAsset { fitted, ..asset("a.jpg", Meta::default()) }];
            let existing = existing.map(str::as_bytes);
            let plan =
                plan_manifest(&name, &market, &assets, &[], &Delivered::default(), (&[], existing)).unwrap().unwrap();
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

    /// What the list says of IPTC is its own, and goes once it is not so any more.
    #[test]
    fn what_iptc_cuts_is_told_as_long_as_it_is_so() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let list = |title: &str, existing: Option<&str>| {
            let assets = [asset("a.jpg", Meta { title: title.to_owned(), ..Meta::default() })];
            let rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
            let manifests = [name.manifest(1)];
            let (without_row, refused) = (&[], &[]);
            let list = Checklist {
                name: &name,
                market: &market,
                assets: &assets,
                without_row,
                went: &[],
                refused,
                manifests: &manifests,
                delivered: &Delivered::default(),
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes))).unwrap()
        };
        let (whole, cut) = (list("Sea", None), list(&"Sea ".repeat(17), None));
        assert!(
            cut.contains("\n> IPTC has only the beginning of the title of `a.jpg` (64 bytes); XMP has all.\n"),
            "{cut}"
        );
        assert!(list("Sea", Some(&cut)) == whole && !whole.contains("IPTC"), "{whole}");
    }

    /// What a person made of the list that one file has, and what becomes of it when another one joins.
    #[test]
    fn ticks_and_notes_stay_however_they_are_written() {
        let first = written(1, &[], None);
        type Change = fn(&str) -> String;
        let cases: [(&str, Change); 14] = [
            ("line ends", |text| text.replace("[ ]", "[x]").replace('\n', "\r\n")),
            ("no end", |text| format!("{}\nmine", text.replace("[ ]", "[x]").trim_end())),
            ("behind the heading", |text| text.replacen("1 file\n", "1 file (it is Ann's)\n", 1)),
            ("behind a step", |text| {
                text.replacen(
                    "[ ] Upload `a-1.jpg` (1 file) from `files/`.",
                    "[x] Upload `a-1.jpg` (1 file) from `files/`: done",
                    1,
                )
            }),
            ("before a step", |text| text.replacen("[ ] Upload", "[X] (Ann) Upload", 1)),
            ("in between", |text| text.replacen("\n\n", "\n\n## Ann\n- [x] asked\n\n", 1)),
            ("other order", |text| {
                let (head, steps) = text.split_once("\n\n").unwrap();
                let mut steps: Vec<&str> = steps.lines().collect();
                steps.reverse();
                format!("{head}\n\n{}\n", steps.join("\n")).replace("[ ]", "[x]")
            }),
            ("struck out", |text| text.replacen("Then upload", "~~Then upload", 1).replacen("portal.", "portal.~~", 1)),
            ("nested", |text| text.replace("- [ ]", "  - [x]").replacen("\n\n", "\n\n- Ann\n  - [ ] ask\n", 1)),
            ("other bullets", |text| text.replace("- [ ]", "* [x]")),
            ("numbered", |text| text.replace("- [ ]", "1. [X]")),
            ("broken lines", |text| text.replace("- [ ]", "- [x]").replace(" from `files/`", "\n  from\n  `files/`")),
            ("a quotation", |text| text.replace("- [ ]", "- [x]") + "> Ann: do\n> Upload it\n"),
            ("a mark at the start", |text| format!("\u{feff}{}", text.replace("[ ]", "[x]"))),
        ];
        for (what, change) in cases {
            let changed = change(&first);
            let changed = changed.trim_start_matches('\u{feff}');
            let again = written(1, &[], Some(&change(&first)));
            assert_eq!(again, changed, "{what}");
            // When another file comes, all of it stays, in its order.
            let grown = written(2, &[], Some(&change(&first)));
            let grown = grown.replacen(&format!("{SORTED}{SORTED_END}"), "", 1);
            let mut lines = grown.lines();
            let changed = changed.replacen(": 1 file", ": 2 files", 1);
            for line in changed.lines().filter(|line| !line.starts_with("- [ ] Upload")) {
                assert!(lines.any(|other| other == line), "{what}: {line}: {grown}");
            }
            assert!(grown.contains("`a-2.jpg` ("), "{what}: {grown}");
        }
        // A note behind the name of a file that has no row stays when the file goes.
        let told = written(1, &["b.jpg"], Some(&first)).replace("`b.jpg`\n", "`b.jpg` Ann wants it\n");
        assert!(written(1, &[], Some(&told)).contains("`b.jpg` Ann wants it\n"));
        let ticked = first.replace("[ ]", "[x]");
        for (mark, bytes_of) in
            [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
        {
            let wide: Vec<u8> = mark.into_iter().chain(ticked.encode_utf16().flat_map(bytes_of)).collect();
            assert_eq!(String::from_utf8(bytes(1, &[], Some(&wide))).unwrap(), ticked);
        }
        // Bytes of another encoding stay as they are, too.
        let latin = [first.as_bytes(), b"f\xfcr Ann\n"].concat();
        let text = bytes(1, &[], Some(&latin));
        assert!(text.ends_with(b"f\xfcr Ann\n"));
    }

    /// What was delivered was to be uploaded again by hand.
    #[test]
    fn what_is_delivered_is_asked_for_no_more() {
        let built_in = built_in().unwrap();
        let market = |name: &str| built_in.iter().find(|market| market.name == name).unwrap().clone();
        let names = |text: &str| -> BTreeSet<String> { text.split_whitespace().map(str::to_owned).collect() };
        let list = |market: &Market, count: u32, [files, rows, in_doubt]: [&str; 3], existing: Option<&str>| {
            let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
            let assets: Vec<BundleAsset> = (1..=count).map(|n| asset(&format!("a-{n}"), Meta::default())).collect();
            let of_rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
            let (files, rows, in_doubt) = (names(files), names(rows), names(in_doubt));
            let delivered = &Delivered { files, rows, in_doubt, ..Delivered::default() };
            let (name, assets, manifests) = (&name, &assets, &[name.manifest(1)]);
            let list =
                Checklist { name, market, assets, without_row: &[], went: &[], refused: &[], manifests, delivered };
            let text = String::from_utf8(list.text(&of_rows, existing.map(str::as_bytes))).unwrap();
            assert_eq!(String::from_utf8(list.text(&of_rows, Some(text.as_bytes()))).unwrap(), text);
            text
        };
        let (adobe, vecteezy) = (Market { boxes: None, ..market("adobe-stock") }, market("vecteezy"));
        let vecteezy = Market { before: Vec::new(), ..vecteezy };
        let new = list(&adobe, 2, ["", "", ""], None);
        let (csv, sent) = ("[ ] Then upload `adobe-stock.csv` in the portal.", "[x] Upload `a-1` to `a-2` (2 files)");
        let there = format!("{sent} from `files/`, done by `stockmill deliver`.");
        let ticked = list(&adobe, 2, ["a-1 a-2", "", ""], None).replace("[ ] Then", "[x] Then");
        let by_hand = new.replacen("[ ]", "[x]", 2);
        let noted = list(&adobe, 2, ["a-1 a-2", "", ""], None).replace("deliver`.\n", "deliver`. Ann saw them\n");
        let again = "[ ] Upload `adobe-stock.csv` again, with 3 rows now.";
        let three = "[x] Upload `a-1` to `a-3` (3 files) from `files/`, done by `stockmill deliver`.";
        let done = "[x] Then upload `vecteezy.csv` in the portal, done by `stockmill deliver`.";
        let all_of = list(&vecteezy, 2, ["a-1 a-2", "a-1 a-2", ""], None);
        // The market, how many files there are, what is delivered (files, rows, in doubt), the list that was there, and its
        // steps but for the last one.
        let rows: [(&Market, u32, [&str; 3], Option<&String>, &[&str]); 12] = [
            (&adobe, 2, ["a-1 a-2", "", ""], None, &[&there, csv]),
            // It came after the list was written.
            (&adobe, 2, ["a-1 a-2", "", ""], Some(&new), &[&there, csv]),
            (
                &adobe,
                2,
                ["a-2", "", ""],
                Some(&new),
                &[
                    "[x] Upload `a-2` (1 file) from `files/`, done by `stockmill deliver`.",
                    "[ ] Upload `a-1` (1 file) from `files/`.",
                    csv,
                ],
            ),
            // A person's ticks stay, and say all.
            (
                &adobe,
                2,
                ["a-1 a-2", "", ""],
                Some(&by_hand),
                &[
                    "[x] Upload `a-1` to `a-2` (2 files) from `files/`.",
                    "[x] Then upload `adobe-stock.csv` in the portal.",
                ],
            ),
            // The record is lost: the list still knows.
            (&adobe, 2, ["", "", ""], Some(&ticked), &[&there, "[x] Then upload `adobe-stock.csv` in the portal."]),
            // One more came, and went: its row did not.
            (
                &adobe,
                3,
                ["a-1 a-2 a-3", "", ""],
                Some(&ticked),
                &[three, again, "[x] Then upload `adobe-stock.csv` in the portal."],
            ),
            (
                &adobe,
                3,
                ["a-1 a-2", "", "a-3"],
                Some(&ticked),
                &[&there, "[x] Then upload `adobe-stock.csv` in the portal.", again],
            ),
            (
                &adobe,
                3,
                ["a-1 a-2 a-3", "", ""],
                Some(&noted),
                &[
                    "[x] Upload `a-1` to `a-2` (2 files) from `files/`, done by `stockmill deliver`. Ann saw them",
                    csv,
                    "[x] Upload `a-3` (1 file) from `files/`, done by `stockmill deliver`.",
                ],
            ),
            // Where rows are delivered, too, nothing is left but the portal's steps.
            (&vecteezy, 2, ["a-1 a-2", "a-1 a-2", ""], None, &[&there, done]),
            (&vecteezy, 2, ["a-1 a-2", "", "vecteezy.csv"], None, &[&there]),
            (
                &vecteezy,
                2,
                ["a-1 a-2", "a-1", ""],
                Some(&all_of),
                &[&there, "[ ] Then upload `vecteezy.csv` in the portal."],
            ),
            (
                &vecteezy,
                3,
                ["a-1 a-2", "a-1 a-2", ""],
                Some(&all_of),
                &[&there, "[ ] Upload `a-3` (1 file) from `files/`.", "[ ] Then upload `vecteezy.csv` in the portal."],
            ),
        ];
        for (row, (market, count, delivered, existing, steps)) in rows.into_iter().enumerate() {
            let text = list(market, count, delivered, existing.map(String::as_str));
            let found: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("- ")).collect();
            assert_eq!(found[..found.len() - 1], *steps, "row {row}: {text}");
            assert!(found[steps.len()].starts_with("[ ] Submit all in the portal"), "row {row}: {text}");
            let doubt = format!("{}`{}`{}\n", delivered::IN_DOUBT.0, delivered[2], delivered::IN_DOUBT.1);
            assert_eq!(text.contains(&doubt), !delivered[2].is_empty(), "row {row}: {text}");
        }
        // Whoever uploads by hand what goes by itself is told; and that nobody knows what went.
        for (record, is_going_on, said) in [
            (Ok(Deliveries::default()), false, ""),
            (Ok(Deliveries::default()), true, "> `stockmill deliver` sends files of this market: "),
            (
                Err("`x` cannot be\ntrusted".to_owned()),
                false,
                "sent: `x` cannot be\\x0atrusted; look in the portal before",
            ),
        ] {
            let told: Vec<String> =
                Delivered::of(&record, &RelPath::new("upload/d/m").unwrap(), is_going_on).notes(true).collect();
            assert!(told.concat().contains(said) && told.is_empty() == said.is_empty(), "{told:?}");
        }
    }
}
