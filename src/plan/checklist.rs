//! The list of what a person does with a bundle, beside its files.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::bundle::{BundleAsset, BundleName};
use super::checklist_boxes::Words;
use super::checklist_csv::{AGAIN, Part, THEN, csv_steps};
use super::checklist_files::{
    of_changed_parts, of_doubtful, of_missing_parts, of_names, of_not_cleaned, of_parts, of_personal, of_retouched,
    of_sound, of_tagless, of_unmeasured, of_unwise,
};
use super::checklist_iptc::of_short;
use super::checklist_notes::{ALIKE, ALIKE_END, CUT, CUT_END, EMPTY, SORTED, SORTED_END, behind_ours, of_forgotten};
use super::checklist_rules::{is_look_step, look_steps};
use super::checklist_steps::{Kept, Places, SENT, ToDo, add_steps};
use super::checklist_ticks::{Listed, Step, Ticked, boxed, flat};
use super::checklist_written::{as_written, units, utf8};
use super::delivered::Delivered;
use super::selection::{Line, Selection, forgotten, left, shown, versions};
use super::unwanted::Unwanted;
use crate::market::{self, Market, Row, manifest_part};
use crate::model::{Meta, counted, escape_bytes};
use crate::records::{DELIVERED, ListRecord, ListedStep};

/// How a line begins that names a file without a row.
const WITHOUT_ROW: &str = "> Do not upload this one, it has no row in the CSV; to sell it, move it to `upload`: ";

/// How a step begins and ends that names files which the market may have, though they are not in the bundle any more.
pub(super) const DELETE: &str = "Delete ";
const DELETE_END: &str = " in the portal: uploaded, and not to be sold here any more.";

/// How the last step begins where a profile does not know what ends an upload: no source says what each portal asks for.
const SUBMIT: &str = "Submit all in the portal, as far as it asks for that; then";
/// What a list is about.
pub(super) struct Checklist<'a> {
    pub(super) name: &'a BundleName,
    pub(super) market: &'a Market,
    pub(super) assets: &'a [BundleAsset],
    pub(super) without_row: &'a [String],
    /// The other files, which the market has or would refuse today.
    pub(super) unwanted: &'a Unwanted<'a>,
    /// The parts of the manifest.
    pub(super) parts: &'a [Part],
    pub(super) delivered: &'a Delivered,
}

impl Checklist<'_> {
    /// Returns the list, with what a person wrote into the `existing` one, byte for byte; and what its steps are about, after
    /// what is on `record` of that one.
    pub(super) fn text(
        &self,
        rows: &[Row<'_>],
        existing: Option<&[u8]>,
        record: Option<&ListRecord>,
    ) -> (Vec<u8>, ListRecord) {
        let heading = format!("# {} of {}: ", self.market.title, self.name.day);
        let existing = existing.map(utf8);
        let existing = existing.as_deref();
        let end =
            if existing.is_some_and(|bytes| bytes.windows(2).any(|pair| pair == b"\r\n")) { "\r\n" } else { "\n" };
        let written = as_written(existing.unwrap_or_default(), record);
        let listed = Listed::new(&String::from_utf8_lossy(&written), record);
        let mut to_do = self.to_do(&listed);
        let headings = [Some(heading.as_str()), listed.heading()];
        let units = units(existing.unwrap_or(end.as_bytes()), record);
        let (kept, places, behind_heading) = self.kept(&units, headings, &to_do, &listed);
        let mut text = format!("{heading}{}", counted(rows.len(), "file")).into_bytes();
        text.extend(behind_heading);
        text.extend(end.as_bytes());
        for line in self.notes(rows, &to_do, &listed) {
            text.extend(format!("{line}{end}").into_bytes());
        }
        add_steps(&mut text, &kept, &to_do, &places, &listed, end);
        let gone = std::mem::take(&mut to_do.gone);
        let steps = to_do.steps().cloned().collect();
        let written = as_written(&text, record);
        let mut record = listed.record_of(&String::from_utf8_lossy(&written), heading, steps, gone);
        record.refused = self.unwanted.refused.iter().map(|refused| refused.file.to_owned()).collect();
        (text, record)
    }

    /// Returns what stays of a list as it lies there, where steps stand in it, and what a person wrote behind its heading.
    fn kept<'b>(
        &self,
        units: &'b [(&'b [u8], Cow<'b, [u8]>)],
        headings: [Option<&str>; 2],
        to_do: &ToDo,
        listed: &Listed<'_>,
    ) -> (Kept, Places, &'b [u8]) {
        let (mut kept, mut behind_heading, mut places) = (Kept::default(), &b""[..], Places::default());
        for (raw, line) in units {
            let is_behind = |heading: &str| line.strip_prefix(heading.as_bytes());
            // Ticks, notes and other headings are a person's, and so is what stands behind our own words.
            if let Some(rest) = headings.into_iter().flatten().find_map(is_behind) {
                behind_heading = after_count(rest).trim_ascii_end();
            } else if let Some(rest) = line.strip_prefix(WITHOUT_ROW.as_bytes()) {
                let has_note =
                    rest.splitn(3, |byte| *byte == b'`').nth(2).is_some_and(|note| !note.trim_ascii().is_empty());
                kept.add(if has_note { rest } else { b"" });
            } else if behind_ours(line).is_some() {
                for rest in line.split_inclusive(|byte| *byte == b'\n').filter_map(behind_ours) {
                    kept.add(if rest.trim_ascii().is_empty() { b"" } else { rest.trim_ascii_start() });
                }
            } else {
                let text = String::from_utf8_lossy(line);
                let is_over = self.is_over(&text, to_do, listed);
                let at = kept.bytes.len();
                kept.bytes.extend(if is_over { b"" } else { *raw });
                kept.written.push_str(if is_over { "" } else { &text });
                places.see(&text, is_over, at..kept.bytes.len(), listed);
            }
        }
        (kept, places, behind_heading)
    }

    /// Returns all that is still to be done, after what a person has ticked.
    fn to_do(&self, listed: &Listed<'_>) -> ToDo {
        let ticked: Vec<Ticked<'_>> = listed.ticked().collect();
        let unknown: Vec<Ticked<'_>> = ticked.iter().copied().filter(|ticked| ticked.about.is_none()).collect();
        let (versions, done) = (versions(self.assets), listed.done());
        let left = left(self.market, self.assets, self.delivered, &done, &unknown);
        let unwanted = self.unwanted.names();
        let others: BTreeSet<&str> =
            unwanted.iter().copied().chain(self.without_row.iter().map(String::as_str)).collect();
        // What is not to be uploaded any more is told as that: the market may have it.
        let is_there = |name: &&str| versions.contains_key(*name) || others.contains(name);
        let up = || done.uploaded.keys().copied().chain(self.delivered.files.keys().map(String::as_str));
        let refused: BTreeSet<&str> = self.unwanted.refused.iter().map(|refused| refused.file).collect();
        let doubtful = up().filter(|name| refused.contains(name)).map(str::to_owned).collect();
        let is_new = |name: &&str| !is_there(name) && !done.deleted.contains_key(name);
        let gone: BTreeSet<&str> = up().filter(is_new).collect();
        let is_left = |name: &&str| !is_there(name) && done.is_to_delete(name);
        let to_delete: BTreeSet<&str> =
            gone.iter().copied().chain(done.deleted.keys().copied().filter(is_left)).collect();
        // A range of what is selected there has none of these in it.
        let in_portal: BTreeSet<&str> = &others | &to_delete;
        let step = |one: &Selection<'_>| listed.distinct(one.step(&versions, &others));
        let mut delivered: Vec<Step> = left.delivered.iter().map(|one| one.step(&versions, &others)).collect();
        let uploads: Vec<Step> =
            left.uploads.iter().chain(&left.with_parts).chain(&left.back).chain(&left.changed).map(step).collect();
        let (sent, csv, again) = csv_steps(self.parts, self.delivered, &done, &ticked, left.is_any_new);
        delivered.extend(sent);
        let csv: Vec<Step> = again.into_iter().chain(csv).map(|step| listed.distinct(step)).collect();
        let select = |one: &Selection<'_>| listed.distinct(one.step(&versions, &in_portal));
        let selections: Vec<Step> = left.selections.iter().map(select).collect();
        let before = self.market.before.iter().map(|line| (flat(line), ListedStep::Other));
        let looks = look_steps(self.market, self.assets, &versions, &others, &done);
        let before: Vec<Step> = before.chain(looks.into_iter().map(|step| listed.distinct(step))).collect();
        let checklist = self.market.checklist.iter().map(|line| listed.for_all(&flat(line), &versions)).collect();
        let last = Some(listed.for_all(&self.last_step(), &versions));
        let all = versions.keys().map(String::as_str).chain(in_portal.iter().copied()).collect();
        let deletes = delete_step(&to_delete, &all).map(|step| listed.distinct(step));
        let gone = gone.into_iter().map(str::to_owned).collect();
        let of_files = delivered.iter().chain(&before).chain(&uploads).chain(&deletes).chain(&selections);
        let has_range = self.has_range(of_files, listed);
        let to_do =
            ToDo { before, delivered, uploads, gone, deletes, doubtful, csv, selections, checklist, last, has_range };
        if self.assets.is_empty() { to_do.of_none() } else { to_do }
    }

    /// Returns the line about what is ticked, and of which nobody knows the files any more.
    fn forgotten(&self, listed: &Listed<'_>) -> Option<String> {
        let unknown: Vec<Ticked<'_>> = listed.ticked().filter(|ticked| ticked.about.is_none()).collect();
        of_forgotten(&forgotten(self.market, self.assets, &unknown))
    }

    /// Returns whether files are named by the first and the last of them, in these steps or in what stays of a list.
    fn has_range<'b>(&self, steps: impl Iterator<Item = &'b Step>, listed: &'b Listed<'_>) -> bool {
        // What is over goes, and what is delivered is told anew.
        let words = Words::of(self.market);
        let stays = |(is_ticked, text): &(bool, &str)| {
            let ours = Line::read(&words, text).filter(|line| line.behind.is_empty());
            ours.is_none_or(|line| *is_ticked && !line.is_delivered)
        };
        let kept = listed.items().filter(stays).map(|(_, text)| text);
        steps.map(|(text, _)| text.as_str()).chain(kept).any(|line| line.contains("` to `"))
    }

    /// Returns whether a line of a list is one of ours that nobody ticked or wrote on, and that is not to be done any more.
    fn is_over(&self, line: &str, to_do: &ToDo, listed: &Listed<'_>) -> bool {
        let Some((is_ticked, text)) = boxed(line).filter(|_| !line.starts_with(char::is_whitespace)) else {
            return false;
        };
        let text = text.trim_end();
        let says_delivered = text.strip_suffix('.').is_some_and(|text| text.ends_with(DELIVERED));
        if is_ticked || says_delivered {
            let begins = text.starts_with("Upload `") || text.starts_with(THEN.0);
            return says_delivered && begins && !(is_ticked && to_do.delivered.iter().any(|(done, _)| done == text));
        }
        let is_again = || text.starts_with("Upload `") && text.contains(AGAIN) && text.ends_with(" now.");
        let is_ours = || {
            let begins = text.starts_with("Upload `") || text.starts_with("Select `");
            begins && Line::read(&Words::of(self.market), text).is_some_and(|line| line.behind.is_empty())
        };
        let is_of_part = || {
            let name = text.strip_prefix(THEN.0).and_then(|step| step.strip_prefix('`')?.split('`').next());
            let is_plain = text.ends_with(&format!("{}.", THEN.1));
            is_plain && name.is_some_and(|name| manifest_part(&self.name.market, name).is_some())
        };
        // What came back is not to be deleted; of what did not, the line may be all that tells.
        let is_deletion = || {
            let is_back = |name: &str| self.assets.iter().any(|asset| asset.file_name == name);
            let is_plain = text.starts_with(&format!("{DELETE}`")) && text.ends_with(DELETE_END);
            is_plain && text.split('`').skip(1).step_by(2).all(is_back)
        };
        let is_look = || is_look_step(self.market, text);
        let is_left = to_do.steps().any(|(left, _)| left == text);
        let is_ours = || is_ours() || is_deletion() || is_look();
        !is_left && (listed.own(text).is_some() || is_ours() || is_again() || is_of_part())
    }

    /// Returns the step that ends a bundle.
    fn last_step(&self) -> String {
        let folder = self.name.folder();
        let name = folder.parts().skip(1).map(std::ffi::OsStr::to_string_lossy).collect::<Vec<_>>().join("/");
        let when = if self.market.checklist.is_empty() { SUBMIT } else { "When all is sent," };
        format!("{when} say `stockmill sent {name}` or {SENT} here: later files then go into a new bundle.")
    }

    /// Returns the lines about what is not as a person may expect it.
    fn notes(&self, rows: &[Row<'_>], to_do: &ToDo, listed: &Listed<'_>) -> Vec<String> {
        // A name with a line break would leave lines behind that nobody knows as ours.
        let strangers = self.without_row.iter().map(|file| format!("{WITHOUT_ROW}`{}`", escape_bytes(file.as_bytes())));
        let fitted: Vec<&Meta> = rows.iter().map(|row| row.meta).collect();
        let alike = market::repetition(self.market, &fitted);
        let alike = alike.into_iter().map(|told| format!("{ALIKE}{}{ALIKE_END}", escape_bytes(told.as_bytes())));
        let empty = self.assets.is_empty().then(|| format!("{}{}", EMPTY.0, EMPTY.1));
        let assets = self.assets.iter().map(|asset| asset.file_name.as_str());
        let all = assets.chain(self.unwanted.names()).chain(self.without_row.iter().map(String::as_str)).collect();
        let unwanted = self.unwanted.notes(&all);
        let has_range = to_do.has_range || unwanted.iter().any(|line| line.contains("` to `"));
        let sorted = has_range.then(|| format!("{SORTED}{SORTED_END}"));
        let is_any_left = !to_do.uploads.is_empty() || to_do.csv.iter().any(|(step, _)| step.contains(AGAIN));
        let delivered = self.delivered.notes(self.assets, is_any_left);
        let notes = delivered
            .chain(empty)
            .chain(sorted)
            .chain(strangers)
            .chain(unwanted)
            .chain(of_doubtful(&to_do.doubtful))
            .chain(self.forgotten(listed))
            .chain(alike)
            .chain(of_unwise(self.assets));
        let videos = of_sound(self.market, self.assets).into_iter().chain(of_tagless(self.assets));
        let notes = notes.chain(of_retouched(self.assets)).chain(of_unmeasured(self.assets));
        let of_names = of_names(self.market, self.assets);
        let private = of_personal(self.assets).into_iter().chain(of_not_cleaned(self.assets));
        let of_parts = of_parts(self.assets, self.delivered.is_going_on);
        let of_parts = of_parts.into_iter().chain(of_missing_parts(self.assets)).chain(of_changed_parts(self.assets));
        notes
            .chain(videos)
            .chain(of_parts)
            .chain(private)
            .chain(self.cut())
            .chain(of_short(self.assets))
            .chain(of_names)
            .collect()
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

/// Returns the step about files that were uploaded and taken out since: without a row they stay at the market.
fn delete_step(names: &BTreeSet<&str>, all: &BTreeSet<&str>) -> Option<Step> {
    let shown = shown(names, all);
    let about = || ListedStep::Delete(names.iter().map(|name| (*name).to_owned()).collect());
    (!names.is_empty()).then(|| (format!("{DELETE}{shown}{DELETE_END}"), about()))
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
    use crate::market::{Warning, WarningKind, built_in, fit};
    use crate::model::{Identity, Look, People, RelPath, SourceType};
    use crate::plan::unwanted::{REFUSED_AS_IT_IS, REFUSED_BY_TAGS};
    use crate::plan::{Existing, Parts, Recipe, Written, delivered, plan_manifest};
    use crate::records::Deliveries;

    fn asset(file_name: &str, meta: Meta) -> BundleAsset {
        BundleAsset::bare(file_name, meta)
    }

    /// Returns the parts of a manifest that takes so many rows.
    fn parts(name: &BundleName, assets: &[BundleAsset], rows_max: usize) -> Vec<Part> {
        let part = |(number, assets): (u32, &[BundleAsset])| Part {
            path: name.manifest(number),
            rows: assets.iter().map(|asset| (asset.file_name.clone(), String::new())).collect(),
            sums: assets.iter().map(|asset| (asset.file_name.clone(), 0)).collect(),
        };
        (1..).zip(assets.chunks(rows_max)).map(part).collect()
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
            unwanted: &Unwanted::default(),
            parts: &parts(&name, &assets, usize::MAX),
            delivered: &Delivered::default(),
        };
        list.text(&rows, existing, None).0
    }

    /// Returns a part of a manifest that lies there.
    fn written_as(name: &BundleName, text: &str) -> Written {
        let seen = Identity { device: 1, inode: 2, size: 3, modified_ns: 4 };
        Written { path: name.manifest(1), seen, bytes: text.as_bytes().to_vec() }
    }

    /// Names were judged only when they were made: rules change, and a person gives a file and its sidecar another one.
    #[test]
    fn a_name_that_its_market_does_not_take_speaks_against_a_file() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let long = format!("{}.jpg", "b".repeat(market.file_name.chars_max));
        let names = [
            ("b.jpg", None),
            ("my sea.jpg", Some("other signs")),
            (long.as_str(), Some("characters, and the market takes")),
        ];
        for (file, expected) in names {
            let meta = Meta { title: "Sea at night".to_owned(), ..Meta::default() };
            let reasons = BundleAsset { against: Some(Ok(Vec::new())), ..asset(file, meta) };
            let reasons = reasons.reasons(&market).join("; ");
            assert!(expected.map_or(reasons.is_empty(), |told| reasons.contains(told)), "{file}: {reasons}");
        }
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
        let plan =
            plan_manifest(&name, &market, &assets, &[], &Delivered::default(), &Existing::default()).unwrap().unwrap();
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
        let told = format!("{}`b.jpg` (1 file): it takes no work made by AI", REFUSED_BY_TAGS.0);
        assert!(texts[1].contains(&told), "{}", texts[1]);
        // Rules change as well: what was measured of a file counts, and no other tags mend that.
        let small = "it has 1.0 megapixels, and the market takes 4 to 100";
        let mut measured = [assets[0].clone(), asset("b.jpg", SourceType::DigitalCapture)];
        measured[1].against = Some(Ok(vec![small.to_owned()]));
        let written = [written_as(&name, &texts[0])];
        let existing = &Existing { manifests: &written, checklist: Some(texts[1].as_bytes()), record: None };
        let plan = plan_manifest(&name, &market, &measured, &[], &Delivered::default(), existing).unwrap().unwrap();
        let [Recipe::Bytes(list), Recipe::Bytes(record)] =
            &plan.products.iter().map(|product| product.recipe.clone()).collect::<Vec<_>>()[..]
        else {
            panic!("{plan}")
        };
        let list = String::from_utf8(list.clone()).unwrap();
        let told = format!("{}`b.jpg` (1 file): {small}{}\n", REFUSED_AS_IT_IS.0, REFUSED_AS_IT_IS.1);
        assert!(list.contains(&told), "{list}");
        assert_eq!(list.matches(REFUSED_BY_TAGS.0).count(), 1, "{list}");
        // What cannot be measured for a moment got its row back.
        measured[1].against = Some(Err("the disk refused".to_owned()));
        let (written, existing) = ([written_as(&name, &texts[0])], Some(list.as_bytes()));
        let existing = &Existing { manifests: &written, checklist: existing, record: Some(record) };
        let plan = plan_manifest(&name, &market, &measured, &[], &Delivered::default(), existing).unwrap().unwrap();
        let before = "it was so before, and cannot be measured now: the disk refused";
        let told = format!("{}`b.jpg` (1 file): {before}{}\n", REFUSED_AS_IT_IS.0, REFUSED_AS_IT_IS.1);
        let texts = plan.products.iter().map(|product| match &product.recipe {
            Recipe::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => panic!("{other:?}"),
        });
        let has_row = plan.products.iter().any(|product| product.to.extension() == "csv");
        assert!(texts.collect::<String>().contains(&told) && !has_row, "{plan}");
        // With its old tags, by its old rules, it is as it was.
        let again = [assets[0].clone(), asset("b.jpg", SourceType::DigitalCapture)];
        let existing = &Existing { manifests: &written, checklist: Some(list.as_bytes()), record: None };
        let plan = plan_manifest(&name, &market, &again, &[], &Delivered::default(), existing).unwrap().unwrap();
        let list = plan.products.iter().any(|product| matches!(&product.recipe, Recipe::Bytes(bytes) if String::from_utf8_lossy(bytes).contains(REFUSED_BY_TAGS.0)));
        assert!(!list && plan.about.did == "manifest written for 2 files", "{}", plan.about.did);
    }

    /// A list without its record had asked for the deletion of what is to be sold, for good.
    #[test]
    fn of_deletions_that_nobody_knows_of_those_stay_of_which_a_file_is_gone() {
        let first = written(2, &[], None);
        for (names, stays) in [("`a-1.jpg`", false), ("`a-1.jpg`, `a-9.jpg`", true), ("`a-9.jpg`", true)] {
            let line = format!("- [ ] {DELETE}{names} (n files){DELETE_END}\n");
            let list = written(2, &[], Some(&format!("{first}{line}")));
            assert_eq!(list.contains(&line), stays, "{list}");
        }
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
                unwanted: &Unwanted::default(),
                parts: &parts(&name, &assets, usize::MAX),
                delivered: &Delivered::default(),
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes), None).0).unwrap()
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

    /// The step of a picture stood behind the CSV that had its row, once a second model had joined.
    #[test]
    fn each_file_is_uploaded_before_the_manifest_with_its_row() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let market = Market { boxes: None, ..market };
        let name = BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let path = |text: &str| RelPath::new(text).unwrap();
        let of = |file: &&str| {
            let has_parts = file.ends_with(".obj");
            let parts = Parts {
                folder: path("parts").join(file),
                by_hand: std::collections::BTreeMap::new(),
                names: vec![path("m.mtl")],
                is_kept: true,
                missing: Vec::new(),
            };
            BundleAsset { parts: has_parts.then_some(parts), ..asset(file, Meta::default()) }
        };
        let list = |files: &[&str], existing: Option<&str>| {
            let assets: Vec<BundleAsset> = files.iter().map(of).collect();
            let rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
            let (name, market, parts) = (&name, &market, &*parts(&name, &assets, usize::MAX));
            let (unwanted, delivered) = (&Unwanted::default(), &Delivered::default());
            let list = Checklist { name, market, assets: &assets, without_row: &[], unwanted, parts, delivered };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes), None).0).unwrap()
        };
        let mut text = list(&["s-1.jpg"], None).replacen("[ ]", "[x]", 2);
        for files in [
            &["c-1.obj", "s-1.jpg"][..],
            &["c-1.obj", "s-1.jpg", "s-3.jpg"],
            &["c-1.obj", "c-2.obj", "s-1.jpg", "s-3.jpg"],
            &["c-1.obj", "c-2.obj", "s-1.jpg", "s-3.jpg", "s-4.jpg"],
        ] {
            text = list(files, Some(&text));
            let at = |words: &str| text.rfind(words).unwrap_or_else(|| panic!("{words}: {text}"));
            let again = at(&format!("- [ ] Upload `adobe-stock.csv` again, with {} rows now.", files.len()));
            assert!(at("from `files/`") < again && text.matches("again").count() == 1, "{text}");
        }
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
            let (name, assets, parts) = (&name, &assets, &*parts(&name, &assets, usize::MAX));
            let list = Checklist {
                name,
                market,
                assets,
                without_row: &[],
                unwanted: &Unwanted::default(),
                parts,
                delivered: &Delivered::default(),
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes), None).0).unwrap()
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
            let (assets, parts) = (&assets, &*super::tests::parts(&name, &assets, 4));
            let list = Checklist {
                name: &name,
                market: &market,
                assets,
                without_row: &[],
                unwanted: &Unwanted::default(),
                parts,
                delivered: &Delivered::default(),
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes), None).0).unwrap()
        };
        let first = list(1, None);
        // What a person did to the list meanwhile.
        let ticked = first.replace("[ ]", "[x]");
        for was in [first.clone(), first.replacen("[ ]", "[x]", 1), ticked, format!("{first}- [ ] ask Ann\n")] {
            let grown = list(3, Some(&was));
            let at = |words: &str| grown.find(words).unwrap_or_else(|| panic!("{words}: {grown}"));
            let ordered = [".csv` (", "-2.csv` (", "-3.csv` (", SENT].map(at);
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
                unwanted: &Unwanted::default(),
                parts: &parts(&name, &assets, usize::MAX),
                delivered: &Delivered::default(),
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes), None).0).unwrap()
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
        let later = "- [ ] Upload `a-2.jpg` (1 file) from `files/`.\n- [ ] Then";
        let grown =
            ticked.replace("28: 1 file", "28: 2 files").replace("(1 row)", "(2 rows)").replace("- [ ] Then", later);
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
        let parts = parts(&name, &assets, usize::MAX);
        let list = Checklist {
            name: &name,
            market: &market,
            assets: &assets,
            without_row: &[],
            unwanted: &Unwanted::default(),
            parts: &parts,
            delivered: &Delivered::default(),
        };
        let text = String::from_utf8(list.text(&rows, None, None).0).unwrap();
        let expected = format!("{CUT}`a-1.jpg` and 2 more: cut{CUT_END}\n{CUT}`a-2.jpg`: short{CUT_END}\n");
        assert!(text.contains(&expected), "{text}");
        assert_eq!(String::from_utf8(list.text(&rows, Some(text.as_bytes()), None).0).unwrap(), text);
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
            let plan = plan_manifest(
                &name,
                &market,
                &assets,
                &[],
                &Delivered::default(),
                &Existing { checklist: existing, ..Existing::default() },
            )
            .unwrap()
            .unwrap();
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
            let parts = parts(&name, &assets, usize::MAX);
            let list = Checklist {
                name: &name,
                market: &market,
                assets: &assets,
                without_row: &[],
                unwanted: &Unwanted::default(),
                parts: &parts,
                delivered: &Delivered::default(),
            };
            String::from_utf8(list.text(&rows, existing.map(str::as_bytes), None).0).unwrap()
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
            for line in
                changed.lines().filter(|line| !line.starts_with("- [ ] Upload") && !line.starts_with("- [ ] Then"))
            {
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

    /// Returns a market with nothing to tick or to know.
    fn plain(name: &str) -> Market {
        let market = built_in().unwrap().into_iter().find(|market| market.name == name).unwrap();
        Market { boxes: None, illustration_rule: None, before: Vec::new(), ..market }
    }

    /// Returns the list of some files of which some files and rows are delivered, or perhaps.
    fn of_delivered(market: &Market, count: u32, names: [&str; 3], existing: Option<&str>) -> String {
        let name = &BundleName { day: "2026-11-28".parse().unwrap(), market: market.name.clone(), part: 1 };
        let assets: Vec<BundleAsset> = (1..=count).map(|n| asset(&format!("a-{n}"), Meta::default())).collect();
        let of_rows: Vec<Row<'_>> = assets.iter().map(BundleAsset::row).collect();
        let names_of = |names: &str| names.split_whitespace().map(str::to_owned).collect::<BTreeSet<String>>();
        let [files, rows, in_doubt] = names.map(names_of);
        let files = files.into_iter().map(|name| (name, String::new())).collect();
        let rows = rows.into_iter().map(|name| (name, 0)).collect();
        let delivered = &Delivered { files, rows, in_doubt, ..Delivered::default() };
        let (assets, parts) = (&assets, &*parts(name, &assets, usize::MAX));
        let list =
            Checklist { name, market, assets, without_row: &[], unwanted: &Unwanted::default(), parts, delivered };
        let text = String::from_utf8(list.text(&of_rows, existing.map(str::as_bytes), None).0).unwrap();
        assert_eq!(String::from_utf8(list.text(&of_rows, Some(text.as_bytes()), None).0).unwrap(), text);
        let doubt = format!("{}`{}`{}\n", delivered::IN_DOUBT.0, names[2], delivered::IN_DOUBT.1);
        assert_eq!(text.contains(&doubt), !names[2].is_empty(), "{text}");
        text
    }

    /// How many files there are, what is delivered (files, rows, in doubt), the list that was there, and its steps but for the
    /// last one.
    type OfDelivered<'a> = (u32, [&'a str; 3], Option<&'a str>, &'a [&'a str]);

    fn check_delivered(market: &Market, rows: &[OfDelivered<'_>]) {
        for (row, (count, delivered, existing, steps)) in rows.iter().enumerate() {
            let text = of_delivered(market, *count, *delivered, *existing);
            let found: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("- ")).collect();
            assert_eq!(found[..found.len() - 1], **steps, "row {row}: {text}");
            assert!(found[steps.len()].starts_with("[ ] Submit all in the portal"), "row {row}: {text}");
        }
    }

    /// What was delivered was to be uploaded again by hand.
    #[test]
    fn what_is_delivered_is_asked_for_no_more() {
        let adobe = &plain("adobe-stock");
        let list = |files| of_delivered(adobe, 2, [files, "", ""], None);
        let (new, there) = (list(""), list("a-1 a-2"));
        let [csv, csv_done, late_csv] = [("[ ]", 2), ("[x]", 2), ("[ ]", 3)]
            .map(|(mark, rows)| format!("{mark} Then upload `adobe-stock.csv` ({rows} rows) in the portal."));
        let (csv, csv_done, late_csv) = (csv.as_str(), csv_done.as_str(), late_csv.as_str());
        let again = "[ ] Upload `adobe-stock.csv` again, with 3 rows now.";
        let both = "[x] Upload `a-1` to `a-2` (2 files) from `files/`, done by `stockmill deliver`.";
        let three = "[x] Upload `a-1` to `a-3` (3 files) from `files/`, done by `stockmill deliver`.";
        let by_hand = new.replacen("[ ]", "[x]", 2);
        let (ticked, noted) =
            (there.replace("[ ] Then", "[x] Then"), there.replace("deliver`.\n", "deliver`. Ann saw them\n"));
        let noted_step = format!("{both} Ann saw them");
        let one = [
            "[x] Upload `a-2` (1 file) from `files/`, done by `stockmill deliver`.",
            "[ ] Upload `a-1` (1 file) from `files/`.",
            csv,
        ];
        let late = [&noted_step, "[x] Upload `a-3` (1 file) from `files/`, done by `stockmill deliver`.", late_csv];
        let uploaded = ["[x] Upload `a-1` to `a-2` (2 files) from `files/`.", csv_done];
        let rows: [OfDelivered<'_>; 8] = [
            (2, ["a-1 a-2", "", ""], None, &[both, csv]),
            // It came after the list was written.
            (2, ["a-1 a-2", "", ""], Some(&new), &[both, csv]),
            (2, ["a-2", "", ""], Some(&new), &one),
            // A person's ticks stay, and say all.
            (2, ["a-1 a-2", "", ""], Some(&by_hand), &uploaded),
            // The record is lost: the list still knows.
            (2, ["", "", ""], Some(&ticked), &[both, csv_done]),
            // One more came, and went: its row did not.
            (3, ["a-1 a-2 a-3", "", ""], Some(&ticked), &[three, csv_done, again]),
            (3, ["a-1 a-2", "", "a-3"], Some(&ticked), &[both, csv_done, again]),
            (3, ["a-1 a-2 a-3", "", ""], Some(&noted), &late),
        ];
        check_delivered(adobe, &rows);
    }

    /// Where rows are delivered, too, nothing is left but the portal's steps.
    #[test]
    fn rows_that_are_delivered_are_asked_for_no_more() {
        let vecteezy = &plain("vecteezy");
        let both = "[x] Upload `a-1` to `a-2` (2 files) from `files/`, done by `stockmill deliver`.";
        let done = "[x] Then upload `vecteezy.csv` (2 rows) in the portal, done by `stockmill deliver`.";
        let all_of = of_delivered(vecteezy, 2, ["a-1 a-2", "a-1 a-2", ""], None);
        let late =
            ["[ ] Upload `a-3` (1 file) from `files/`.", "[ ] Then upload `vecteezy.csv` (3 rows) in the portal."];
        let rows: [OfDelivered<'_>; 4] = [
            (2, ["a-1 a-2", "a-1 a-2", ""], None, &[both, done]),
            (2, ["a-1 a-2", "", "vecteezy.csv"], None, &[both]),
            (
                2,
                ["a-1 a-2", "a-1", ""],
                Some(&all_of),
                &[both, "[ ] Then upload `vecteezy.csv` (2 rows) in the portal."],
            ),
            (3, ["a-1 a-2", "a-1 a-2", ""], Some(&all_of), &[both, late[0], late[1]]),
        ];
        check_delivered(vecteezy, &rows);
    }

    #[test]
    fn who_uploads_by_hand_what_goes_by_itself_is_told() {
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
                Delivered::of(&record, &RelPath::new("upload/d/m").unwrap(), is_going_on).notes(&[], true).collect();
            assert!(told.concat().contains(said) && told.is_empty() == said.is_empty(), "{told:?}");
        }
    }
}
