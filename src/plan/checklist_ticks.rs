//! The lines of a checklist as they lie there, and what those are about that stockmill wrote.

use std::collections::{BTreeMap, BTreeSet};

use super::checklist_done::Done;
use crate::records::{DELIVERED, ListEvent, ListRecord, ListedStep, Versions};

/// A step, and what it is about.
pub(super) type Step = (String, ListedStep);

/// A line that a person has ticked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticked<'a> {
    pub(super) text: &'a str,
    /// What it was about when it was written; `None` if nobody remembers that.
    pub(super) about: Option<&'a ListedStep>,
}

/// A checklist as it lies there.
pub(super) struct Listed<'a> {
    record: Option<&'a ListRecord>,
    /// What happened, with what was ticked since the record was written.
    happened: Vec<ListEvent>,
    /// Its lines on one line each, and whether they are ticked; `None` for those without a box.
    lines: Vec<(Option<bool>, String)>,
}

impl<'a> Listed<'a> {
    pub(super) fn new(text: &str, record: Option<&'a ListRecord>) -> Self {
        let mut listed = Self { record, lines: lines(text), happened: Vec::new() };
        let steps = listed.ticked().filter_map(|ticked| listed.step(ticked.text));
        let steps: Vec<ListEvent> = steps.map(|(text, _)| ListEvent::Ticked(text.to_owned())).collect();
        let known = record.into_iter().flat_map(|record| &record.happened).cloned();
        // A tick may be taken back.
        let is_so = |happened: &ListEvent| matches!(happened, ListEvent::Gone(_)) || steps.contains(happened);
        listed.happened = known.filter(is_so).collect();
        for step in steps {
            if !listed.happened.contains(&step) {
                listed.happened.push(step);
            }
        }
        listed
    }

    /// Returns what a person did.
    pub(super) fn done(&self) -> Done<'_> {
        self.record.map(|record| Done::of(&self.happened, &record.steps)).unwrap_or_default()
    }

    /// Returns how the heading began.
    pub(super) fn heading(&self) -> Option<&'a str> {
        self.record.map(|record| record.heading.as_str()).filter(|heading| !heading.is_empty())
    }

    /// Returns what is ticked.
    pub(super) fn ticked(&self) -> impl Iterator<Item = Ticked<'_>> {
        let ticked = self.lines.iter().filter(|(mark, _)| *mark == Some(true));
        ticked.map(|(_, text)| Ticked { text, about: self.step(text).map(|(_, about)| about) })
    }

    /// Returns the lines with a box.
    pub(super) fn items(&self) -> impl Iterator<Item = (bool, &str)> {
        self.lines.iter().filter_map(|(mark, text)| Some(((*mark)?, text.as_str())))
    }

    /// Returns the step that a line shows, whatever a person wrote around it.
    fn step(&self, line: &str) -> Option<(&'a str, &'a ListedStep)> {
        // What is delivered is told anew each time.
        let steps = self.record.filter(|_| !line.contains(DELIVERED))?.steps.iter();
        let shown = steps.filter(|(text, _)| shows(line, text));
        shown.max_by_key(|(text, _)| text.len()).map(|(text, about)| (text.as_str(), about))
    }

    /// Returns what the step is about that a line shows and nobody wrote on.
    pub(super) fn own(&self, line: &str) -> Option<&'a ListedStep> {
        self.record?.steps.get(line)
    }

    /// Returns what tells whether a step stands in none of the lines that are `kept`. `others` are all that may stand there: a
    /// line that shows a longer one does not show what that has in it.
    pub(super) fn lacking<'b>(
        &'b self,
        kept: &str,
        others: &'b BTreeSet<&'b str>,
    ) -> impl Fn(&str) -> bool + use<'a, 'b> {
        let known = self.record.into_iter().flat_map(|record| record.steps.keys().map(String::as_str));
        let all: BTreeSet<&str> = known.chain(others.iter().copied()).collect();
        let lines = lines(kept);
        move |step| {
            let longer: Vec<&&str> =
                all.iter().filter(|other| other.len() > step.len() && shows(other, step)).collect();
            let is_it = |(_, line): &(Option<bool>, String)| {
                shows(line, step) && !longer.iter().any(|longer| shows(line, longer))
            };
            !lines.iter().any(is_it)
        }
    }

    /// Returns a step that is to be done with a text of its own: one of the same text may be ticked already.
    pub(super) fn distinct(&self, (text, about): Step) -> Step {
        let free = numbered(&text).find(|text| self.ticked_about(text).is_none());
        (free.unwrap_or(text), about)
    }

    /// Returns the step that does something for all files: the one that is ticked, if it was about all that lie there now.
    pub(super) fn for_all(&self, text: &str, files: &Versions) -> Step {
        let is_all = |about: &ListedStep| match about {
            ListedStep::All(done) => files.iter().all(|(name, version)| done.get(name) == Some(version)),
            _ => true,
        };
        let of = |text: String| match self.ticked_about(&text) {
            None => Some((text, ListedStep::All(files.clone()))),
            Some(about) => is_all(about).then(|| (text, about.clone())),
        };
        numbered(text).find_map(of).unwrap_or_else(|| (text.to_owned(), ListedStep::Other))
    }

    /// Returns what the step with a text was about that is ticked.
    fn ticked_about(&self, text: &str) -> Option<&'a ListedStep> {
        let mut shown = self.ticked().filter_map(|ticked| self.step(ticked.text));
        shown.find_map(|(step, about)| (step == text).then_some(about))
    }

    /// Returns the record of a list as it is written now: of each step of ours that stands in it.
    pub(super) fn record_of(
        &self,
        written: &str,
        heading: String,
        steps: Vec<Step>,
        gone: BTreeSet<String>,
    ) -> ListRecord {
        let mut all: BTreeMap<String, ListedStep> = steps.into_iter().collect();
        for (text, about) in self.record.into_iter().flat_map(|record| &record.steps) {
            all.entry(text.clone()).or_insert_with(|| about.clone());
        }
        // What is ticked is about what it was when it was ticked.
        for ticked in self.ticked() {
            if let Some((text, about)) = self.step(ticked.text) {
                all.insert(text.to_owned(), about.clone());
            }
        }
        let lines = lines(written);
        all.retain(|text, _| lines.iter().any(|(_, line)| shows(line, text)));
        let gone = (!gone.is_empty()).then_some(ListEvent::Gone(gone));
        ListRecord::new(heading, all, self.happened.iter().cloned().chain(gone).collect())
    }
}

/// Returns the texts that a step may have: one of the same text may be ticked already.
fn numbered(text: &str) -> impl Iterator<Item = String> {
    let (bare, end) = text.strip_suffix('.').map_or((text, ""), |bare| (bare, "."));
    std::iter::once(text.to_owned()).chain((2..).map(move |number| format!("{bare} ({number}){end}")))
}

/// Returns whether a line shows a step, whatever stands before and behind it.
fn shows(line: &str, step: &str) -> bool {
    let step = step.trim_end_matches('.');
    let ends = |at: usize| !line[at + step.len()..].starts_with(char::is_alphanumeric);
    !step.is_empty() && line.match_indices(step).any(|(at, _)| ends(at))
}

/// Returns a text on one line with single spaces: editors break lines anew.
pub(super) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns what stands in a line behind its box, and whether that is ticked; `None` for a line without a box.
pub(super) fn boxed(line: &str) -> Option<(bool, &str)> {
    let line = line.trim_start();
    let rest = line.strip_prefix(['-', '*', '+']).or_else(|| {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.strip_prefix(['.', ')']).filter(|_| rest.len() < line.len())
    })?;
    let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
    // Some editors write `\[x\]`.
    let (mark, rest) = rest.strip_prefix('[').or(rest.strip_prefix("\\["))?.split_once(']')?;
    let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
    match mark.trim_end_matches('\\').trim() {
        "" => Some((false, rest)),
        "x" | "X" | "✓" | "✔" | "✔\u{fe0f}" | "✅" | "☑" | "√" => Some((true, rest)),
        _ => None,
    }
}

/// Returns the lines of a list; one that an editor broke behind a box is one.
pub(super) fn lines(text: &str) -> Vec<(Option<bool>, String)> {
    let mut lines: Vec<(Option<bool>, String)> = Vec::new();
    for line in text.lines() {
        let is_more = line.starts_with([' ', '\t']) && !line.trim_start().starts_with(['-', '*', '+', '#']);
        match (boxed(line), lines.last_mut()) {
            (Some((is_ticked, rest)), _) => lines.push((Some(is_ticked), flat(rest))),
            (None, Some((Some(_), item))) if is_more && !line.trim().is_empty() => {
                item.push(' ');
                item.push_str(&flat(line));
            }
            (None, _) => lines.push((None, flat(line))),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::boxed;
    use crate::market::{Market, built_in};
    use crate::model::{Look, Meta, People, SourceType};
    use crate::plan::bundle::BundleAsset;
    use crate::plan::{BundleName, Delivered, Existing, Recipe, plan_manifest};

    /// A bundle whose list a person works on.
    struct Bundle {
        market: Market,
        strangers: Vec<String>,
        /// What its files show, if that is of interest.
        tags: Vec<(Option<Look>, Option<People>)>,
        /// Whether it has nothing to send.
        is_without_last: bool,
        /// Whether an editor wrote the list otherwise.
        is_changed: bool,
        list: String,
        record: Vec<u8>,
    }

    impl Bundle {
        fn new(market: &str) -> Self {
            let market = built_in().unwrap().into_iter().find(|built_in| built_in.name == market).unwrap();
            let (before, checklist) = (Vec::new(), Vec::new());
            let market = Market { boxes: None, illustration_rule: None, before, checklist, ..market };
            let (strangers, tags) = (Vec::new(), Vec::new());
            Self {
                market,
                strangers,
                tags,
                is_without_last: false,
                is_changed: false,
                list: String::new(),
                record: Vec::new(),
            }
        }

        /// Has the list follow its files, each of a version, which is its title as well; a second look changes nothing.
        fn holds(&mut self, files: &[(&str, &str)]) {
            let name = BundleName { day: "2026-11-28".parse().unwrap(), market: self.market.name.clone(), part: 1 };
            let asset = |(n, (file, version)): (usize, &(&str, &str))| {
                let keywords = (0..9).map(|n| format!("k{n}")).collect();
                let (look, people) = self.tags.get(n).copied().unwrap_or_default();
                let source_type = people.map(|_| SourceType::TrainedAlgorithmicMedia).unwrap_or_default();
                let meta = Meta { title: (*version).to_owned(), keywords, source_type, ..Meta::default() };
                BundleAsset { version: (*version).to_owned(), look, people, ..BundleAsset::bare(file, meta) }
            };
            let assets: Vec<BundleAsset> = files.iter().enumerate().map(asset).collect();
            for round in 0..2 {
                let (list, record) = (self.list.clone(), self.record.clone());
                let checklist = (!list.is_empty()).then_some(list.as_bytes());
                let existing = &Existing { manifests: &[], checklist, record: Some(&record) };
                let plan =
                    plan_manifest(&name, &self.market, &assets, &self.strangers, &Delivered::default(), existing)
                        .unwrap();
                for product in plan.into_iter().flat_map(|plan| plan.products) {
                    let Recipe::Bytes(bytes) = product.recipe else { panic!("{:?}", product.recipe) };
                    match product.to.extension().as_str() {
                        "md" => self.list = String::from_utf8(bytes).unwrap(),
                        "json" => self.record = bytes,
                        _ => (),
                    }
                }
                if round > 0 {
                    assert_eq!((&self.list, &self.record), (&list, &record));
                }
            }
            let mut last = self.list.lines().filter(|line| line.contains("make an empty file `SENT`"));
            let is_there = last.next_back().is_some() != self.is_without_last;
            assert!(is_there && (self.is_changed || last.all(|line| line.starts_with("- [x] "))), "{}", self.list);
        }

        fn tick(&mut self, step: &str) {
            let open = format!("- [ ] {step}");
            assert!(self.list.contains(&open), "{step}: {}", self.list);
            self.list = self.list.replace(&open, &format!("- [x] {step}"));
        }

        /// Returns what is not ticked, but for the last step.
        fn open(&self) -> Vec<&str> {
            let open = self.list.lines().filter_map(|line| line.strip_prefix("- [ ] "));
            open.filter(|step| !step.contains("`SENT`")).collect()
        }
    }

    const A: [(&str, &str); 4] = [("a-1.jpg", "v"), ("a-2.jpg", "v"), ("a-4.jpg", "v"), ("a-5.jpg", "v")];

    /// A box was ticked, and is not to be any more; or it says something else now.
    #[test]
    fn boxes_that_changed_after_they_were_ticked_are_asked_for_again() {
        let mut bundle = Bundle::new("adobe-stock");
        bundle.market.boxes =
            built_in().unwrap().into_iter().find(|one| one.name == "adobe-stock").and_then(|one| one.boxes);
        let people = "tick \"People and Property are fictional\"";
        let of = |look: Look, people: People| (Some(look), Some(people));
        let (photo, drawn) = (of(Look::Photo, People::Yes), of(Look::Illustration, People::No));
        let select = |files: &str, what: &str, number: &str| {
            format!("Select {files}, whose boxes are to change: {what}{number}.")
        };
        let (one, both) = ("`a-1.jpg` (1 file)", "`a-1.jpg` to `a-2.jpg` (2 files)");
        let back = format!("take back where it is done: {people}");
        // What the files look like and whether people appear, and what is to be done then, but for the last step.
        for (tags, left) in [
            ([drawn, photo], vec![select(one, &format!("type Illustration; {back}"), "")]),
            ([photo, photo], vec![select(one, &format!("type Photo; {people}"), "")]),
            ([of(Look::Photo, People::No); 2], vec![select(both, &back, "")]),
            ([photo, photo], vec![select(both, people, "")]),
            ([of(Look::Photo, People::No); 2], vec![select(both, &back, " (2)")]),
        ] {
            if bundle.list.is_empty() {
                bundle.tags = vec![photo, photo];
                bundle.holds(&A[..2]);
            }
            bundle.list = bundle.list.replace("[ ]", "[x]");
            bundle.tags = tags.to_vec();
            bundle.holds(&A[..2]);
            assert_eq!(bundle.open(), left, "{}", bundle.list);
        }
        // The portal still has what is to be deleted there.
        bundle.tags = vec![photo; 3];
        bundle.holds(&A[..3]);
        bundle.list = bundle.list.replace("[ ]", "[x]");
        bundle.tags = vec![drawn; 2];
        bundle.holds(&[A[0], A[2]]);
        let select = select("`a-1.jpg`, `a-4.jpg` (2 files)", &format!("type Illustration; {back}"), "");
        assert_eq!(bundle.open(), [delete("`a-2.jpg` (1 file)"), select], "{}", bundle.list);
    }

    /// The list asked for it "unless still in the portal", which has another one, and not for the boxes of that.
    #[test]
    fn what_comes_back_changed_takes_the_place_of_what_was_uploaded() {
        let of = |people| (Some(Look::Photo), Some(people));
        let again = "Upload `adobe-stock.csv` again, with 2 rows now.";
        let upload = |but: &str| format!("Upload `a-2.jpg` (1 file) from `files/`{but}.");
        let tick = "Select `a-2.jpg` (1 file): tick \"Created using generative AI tools\"; type Photo";
        let people = "tick \"People and Property are fictional\"";
        let back =
            format!("Select `a-2.jpg` (1 file), whose boxes are to change: take back where it is done: {people}.");
        // Whether it was deleted at the market, as what it comes back, whether with people, and what is to be done then.
        for (is_deleted, version, with, left) in [
            (false, "v", People::Yes, vec![upload(", unless still in the portal"), format!("{tick}; {people}.")]),
            (
                false,
                "w",
                People::No,
                vec![upload(", in place of what was uploaded before they changed"), format!("{tick}."), back],
            ),
            (true, "w", People::No, vec![upload(""), format!("{tick}.")]),
        ] {
            let mut bundle = Bundle::new("adobe-stock");
            bundle.market.boxes =
                built_in().unwrap().into_iter().find(|one| one.name == "adobe-stock").and_then(|one| one.boxes);
            bundle.tags = vec![of(People::Yes); 2];
            bundle.holds(&A[..2]);
            bundle.list = bundle.list.replace("[ ]", "[x]");
            bundle.holds(&A[..1]);
            assert_eq!(bundle.open(), [delete("`a-2.jpg` (1 file)")], "{}", bundle.list);
            if is_deleted {
                bundle.list = bundle.list.replace("[ ]", "[x]");
                bundle.holds(&A[..1]);
            }
            bundle.tags[1] = of(with);
            bundle.holds(&[A[0], ("a-2.jpg", version)]);
            let open = bundle.open();
            assert_eq!(
                (open[0], open[1], &open[2..]),
                (&*left[0], again, &*left[1..].iter().map(String::as_str).collect::<Vec<_>>()),
                "{}",
                bundle.list
            );
        }
    }

    /// What was ticked counted for whatever lay between two names later on.
    #[test]
    fn a_tick_counts_for_what_its_line_was_about() {
        let csv = "Then upload `adobe-stock.csv` (4 rows) in the portal.";
        let all = "Upload `a-1.jpg` to `a-2.jpg`, `a-4.jpg` to `a-5.jpg` (4 files) from `files/`.";
        let of_one = &*delete("`a-2.jpg` (1 file)");
        let of_two = &*delete("`a-2.jpg`, `a-4.jpg` (2 files)");
        // What is ticked, what lies there then, and what is still to be done.
        type Row<'a> = (&'a [&'a str], Vec<(&'a str, &'a str)>, &'a [&'a str]);
        let rows: [Row<'_>; 7] = [
            (&[all, csv], A.to_vec(), &[]),
            // One went, and another one has its place in the range.
            (
                &[all, csv],
                vec![A[0], ("a-3.jpg", "v"), A[2], A[3]],
                &[
                    "Upload `a-3.jpg` (1 file) from `files/`.",
                    of_one,
                    "Upload `adobe-stock.csv` again, with 4 rows now.",
                ],
            ),
            // Some went: what is at the market and not in the bundle any more has no row there.
            (&[all, csv], vec![A[0], A[3]], &[of_two]),
            // One has another title: its row and its bytes are others.
            (
                &[all, csv],
                vec![A[0], ("a-2.jpg", "w"), A[2], A[3]],
                &[
                    "Upload `a-2.jpg` (1 file) from `files/`, in place of what was uploaded before they changed.",
                    "Upload `adobe-stock.csv` again, with 4 rows now.",
                ],
            ),
            // The manifest alone was uploaded, and more came.
            (
                &[csv],
                [&A[..], &[("b-1.jpg", "v")]].concat(),
                &[
                    "Upload `a-1.jpg` to `a-2.jpg`, `a-4.jpg` to `a-5.jpg`, `b-1.jpg` (5 files) from `files/`.",
                    "Upload `adobe-stock.csv` again, with 5 rows now.",
                ],
            ),
            // The files alone were.
            (
                &[all],
                [&A[..], &[("b-1.jpg", "v")]].concat(),
                &["Upload `b-1.jpg` (1 file) from `files/`.", "Then upload `adobe-stock.csv` (5 rows) in the portal."],
            ),
            (
                &[],
                vec![A[1]],
                &["Upload `a-2.jpg` (1 file) from `files/`.", "Then upload `adobe-stock.csv` (1 row) in the portal."],
            ),
        ];
        for (ticked, files, left) in rows {
            let mut bundle = Bundle::new("adobe-stock");
            bundle.holds(&A);
            ticked.iter().for_each(|step| bundle.tick(step));
            bundle.holds(&files);
            assert_eq!(bundle.open(), left, "{files:?}: {}", bundle.list);
        }
    }

    /// A file that went made what was ticked a riddle, and the other one was asked for again as if it were new.
    #[test]
    fn what_is_ticked_of_files_that_nobody_remembers_is_told() {
        for (files, is_told) in [(&A[..], false), (&A[..3], true), (&[&A[..], &[("b-1.jpg", "v")]].concat(), false)] {
            let mut bundle = Bundle::new("adobe-stock");
            bundle.holds(&A);
            bundle.tick("Upload `a-1.jpg` to `a-2.jpg`, `a-4.jpg` to `a-5.jpg` (4 files) from `files/`.");
            bundle.record.clear();
            bundle.holds(files);
            let told =
                "was lost: Upload `a-1.jpg` to `a-2.jpg`, `a-4.jpg` to `a-5.jpg` (4 files) from `files/`.; look in";
            assert_eq!(bundle.list.contains(told), is_told, "{files:?}: {}", bundle.list);
        }
    }

    /// What was ticked was asked for again, or a new step stood in the middle of the last one.
    #[test]
    fn a_list_that_an_editor_wrote_otherwise_keeps_its_ticks_and_its_lines() {
        type Change = fn(&str) -> String;
        let changes: [Change; 4] = [
            |list| {
                list.replace(" from", "\n  from")
                    .replace(" or make an", " or make\n  an")
                    .replace(" later", "\n  later")
            },
            |list| list.replace('`', "\\`").replace(".csv", "\\.csv").replace("- [x]", "* \\[X\\]"),
            |list| list.replace(" file `SENT`", "\r\n      file\r\n      `SENT`").replace("- [x] Then", "2. [x] Then"),
            |list| list.replace(" (4 files) from", "\n(4 files) from").replace(" portal, as far", "\nportal, as far"),
        ];
        for change in changes {
            let mut bundle = Bundle::new("adobe-stock");
            bundle.holds(&A);
            let (head, steps) = bundle.list.split_once("\n\n").unwrap();
            let steps = change(&steps.replace("[ ]", "[x]"));
            bundle.list = format!("{head}\n\n{steps}");
            bundle.is_changed = true;
            bundle.holds(&[&A[..], &[("b-1.jpg", "v")]].concat());
            assert_eq!(
                bundle.open(),
                ["Upload `b-1.jpg` (1 file) from `files/`.", "Upload `adobe-stock.csv` again, with 5 rows now."],
                "{}",
                bundle.list
            );
            assert!(bundle.list.replace("\r\n", "\n").contains(&steps.replace("\r\n", "\n")), "{}", bundle.list);
        }
    }

    fn delete(files: &str) -> String {
        format!("Delete {files} in the portal: uploaded, and not to be sold here any more.")
    }

    /// It was a line that nobody could tick, and stood there for good.
    #[test]
    fn what_left_the_bundle_is_to_be_deleted_until_somebody_says_that_it_is() {
        let again = |rows: usize| format!("Upload `adobe-stock.csv` again, with {rows} rows now.");
        let upload = |files: &str, but: &str| format!("Upload {files} from `files/`{but}.");
        let but = ", unless still in the portal";
        // Whether all is ticked before, what lies there then, and what is to be done, but for the last step.
        let rounds: [(bool, &[(&str, &str)], Vec<String>); 7] = [
            (true, &A[..3], vec![delete("`a-5.jpg` (1 file)")]),
            (false, &A[..2], vec![delete("`a-4.jpg` to `a-5.jpg` (2 files)")]),
            // One is back before anybody looked.
            (false, &A[..3], vec![upload("`a-4.jpg` (1 file)", but), delete("`a-5.jpg` (1 file)"), again(3)]),
            (true, &A[..3], vec![]),
            // And the other one after it was deleted.
            (true, &A, vec![upload("`a-5.jpg` (1 file)", ""), again(4)]),
            (true, &A[..3], vec![delete("`a-5.jpg` (1 file)").replace("more.", "more (2).")]),
            (true, &A[..3], vec![]),
        ];
        let mut bundle = Bundle::new("adobe-stock");
        bundle.holds(&A);
        for (is_done, files, left) in rounds {
            if is_done {
                bundle.list = bundle.list.replace("[ ]", "[x]");
            }
            bundle.holds(files);
            assert_eq!(bundle.open(), left, "{files:?}: {}", bundle.list);
        }
    }

    /// A list of no file asked for its boxes, its CSV and `SENT`.
    #[test]
    fn a_bundle_of_which_all_is_gone_has_nothing_left_but_to_delete_that() {
        let mut bundle = Bundle::new("adobe-stock");
        bundle.market.before = vec!["Wash your hands.".to_owned()];
        bundle.market.boxes = built_in().unwrap().into_iter().find_map(|market| market.boxes);
        bundle.holds(&A);
        let whole = bundle.list.clone();
        bundle.tick("Upload `a-1.jpg` to `a-2.jpg`, `a-4.jpg` to `a-5.jpg` (4 files) from `files/`.");
        bundle.is_without_last = true;
        bundle.holds(&[]);
        let nothing = "> Nothing is left to upload from here: no file has a row; what joins later gets its steps.\n";
        assert!(bundle.list.contains(nothing), "{}", bundle.list);
        assert_eq!(
            bundle.open(),
            [delete("`a-1.jpg` to `a-2.jpg`, `a-4.jpg` to `a-5.jpg` (4 files)")],
            "{}",
            bundle.list
        );
        bundle.is_without_last = false;
        bundle.list = bundle.list.replace("[ ]", "[x]");
        bundle.holds(&A);
        let steps =
            |list: &str| list.lines().filter(|line| line.starts_with("- [ ]")).map(str::to_owned).collect::<Vec<_>>();
        let (left, mut all) = (steps(&bundle.list), steps(&whole));
        all[1] = "- [ ] Upload `a-1.jpg` to `a-2.jpg`, `a-4.jpg` to `a-5.jpg` (4 files) from `files/` (2).".to_owned();
        assert_eq!((left, bundle.list.contains(nothing)), (all, false), "{}", bundle.list);
    }

    /// The step for as many rows as before was taken for the one that was ticked.
    #[test]
    fn a_step_that_is_about_something_else_has_a_text_of_its_own() {
        let mut bundle = Bundle::new("adobe-stock");
        bundle.holds(&A);
        bundle.list = bundle.list.replace("[ ]", "[x]");
        let mut files = A.to_vec();
        for (n, again) in [(1, " now."), (2, " now (2)."), (3, " now (3).")] {
            files[n].1 = "w";
            bundle.holds(&files);
            let step = format!("Upload `adobe-stock.csv` again, with 4 rows{again}");
            assert!(bundle.open().contains(&step.as_str()), "{step}: {}", bundle.list);
            bundle.list = bundle.list.replace("[ ] Upload", "[x] Upload");
            bundle.holds(&files);
            assert_eq!(bundle.open(), Vec::<&str>::new(), "{}", bundle.list);
        }
    }

    /// A step with two blanks was added once more in each look, and one that another one has in it was never added.
    #[test]
    fn each_step_of_a_profile_stands_there_once_and_goes_with_the_profile() {
        let mut bundle = Bundle::new("adobe-stock");
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        bundle.market.checklist = text(&["Press  Submit all\n"]);
        bundle.holds(&A);
        assert_eq!(bundle.list.matches("Press Submit all").count(), 1, "{}", bundle.list);
        bundle.market.checklist = text(&["Press Submit all", "Press Submit"]);
        bundle.holds(&A);
        assert!(bundle.open().ends_with(&["Press Submit all", "Press Submit"]), "{}", bundle.list);
        bundle.tick("Press Submit\n");
        bundle.market.title = "Another name".to_owned();
        bundle.market.checklist.clear();
        bundle.holds(&A[..3]);
        assert!(bundle.list.starts_with("# Another name of 2026-11-28: 3 files\n"), "{}", bundle.list);
        assert!(
            bundle.list.contains("- [x] Press Submit\n") && !bundle.list.contains("Submit all\n"),
            "{}",
            bundle.list
        );
        assert_eq!(bundle.list.matches("of 2026-11-28").count(), 1, "{}", bundle.list);
    }

    /// Names without a dash made one range of several themes.
    #[test]
    fn files_that_come_late_are_asked_for_alone_whatever_names_they_have() {
        let mut bundle = Bundle::new("vecteezy");
        let mut files = vec![("sea0001.jpg", "v"), ("sea0002.jpg", "v"), ("sea20001.jpg", "v"), ("zebra0001.jpg", "v")];
        bundle.holds(&files);
        bundle.list = bundle.list.replace("[ ] Upload", "[x] Upload");
        files.push(("sea0003.jpg", "v"));
        bundle.holds(&files);
        assert_eq!(bundle.open()[0], "Upload `sea0003.jpg` (1 file) from `files/`.", "{}", bundle.list);
    }

    /// What was uploaded was to be deleted in the portal once its market's rules changed.
    #[test]
    fn what_is_refused_today_is_not_told_as_gone() {
        let mut bundle = Bundle::new("adobe-stock");
        bundle.holds(&A);
        bundle.list = bundle.list.replace("[ ]", "[x]");
        bundle.market.keywords.min = 10;
        bundle.holds(&A);
        // There was a line for each of them.
        let refused = "the market would refuse them: `a-1.jpg` to `a-2.jpg`, `a-4.jpg` to `a-5.jpg` (4 files): ";
        assert_eq!(bundle.list.matches(refused).count(), 1, "{}", bundle.list);
        assert!(!bundle.list.contains("[ ] Delete"), "{}", bundle.list);
        // The portal has them without a row: that went unsaid.
        let told =
            "> Uploaded, and without a row by now: `a-1.jpg`, `a-2.jpg`, `a-4.jpg`, `a-5.jpg`; look in the portal";
        assert!(bundle.list.contains(told), "{}", bundle.list);
        bundle.market.keywords.min = 1;
        bundle.holds(&A);
        assert!(!bundle.list.contains("without a row by now"), "{}", bundle.list);
    }

    /// What a market has was taken for all that had ever been ticked: what changed and changed back stayed there as it was
    /// in between, and what was to be deleted there and came back was never asked for.
    #[test]
    fn the_market_has_what_was_ticked_last() {
        let anew = "Upload `a-2.jpg` (1 file) from `files/`, in place of what was uploaded before they changed";
        let again = "Upload `adobe-stock.csv` again, with 4 rows now";
        let changed = vec![A[0], ("a-2.jpg", "w"), A[2], A[3]];
        // What lies there after all before is ticked, and what is to be done then, but for the last step.
        let rounds: [(Vec<(&str, &str)>, Vec<String>); 4] = [
            (changed.clone(), vec![format!("{anew}."), format!("{again}.")]),
            (A.to_vec(), vec![format!("{anew} (2)."), format!("{again} (2).")]),
            (changed, vec![format!("{anew} (3)."), format!("{again} (3).")]),
            (
                A[..3].to_vec(),
                vec![
                    format!("{anew} (4)."),
                    delete("`a-5.jpg` (1 file)"),
                    "Upload `adobe-stock.csv` again, with 3 rows now.".to_owned(),
                ],
            ),
        ];
        let mut bundle = Bundle::new("adobe-stock");
        bundle.holds(&A);
        for (files, left) in rounds {
            bundle.list = bundle.list.replace("[ ]", "[x]");
            bundle.holds(&files);
            assert_eq!(bundle.open(), left, "{files:?}: {}", bundle.list);
        }
    }

    /// The step that ends an upload stayed ticked when more came.
    #[test]
    fn what_is_done_for_all_is_done_again_when_more_come() {
        let mut bundle = Bundle::new("adobe-stock");
        bundle.market.checklist = vec!["Press Submit".to_owned()];
        bundle.holds(&A[..2]);
        for count in [3, 4] {
            bundle.list = bundle.list.replace("[ ]", "[x]");
            bundle.holds(&A[..count]);
            let press = format!("Press Submit ({})", count - 1);
            assert_eq!(bundle.open().last(), Some(&press.as_str()), "{}", bundle.list);
            assert_eq!(bundle.list.lines().last().map(|last| last.starts_with("- [ ] When all is sent")), Some(true));
        }
        bundle.list = bundle.list.replace("[ ]", "[x]");
        bundle.holds(&A[1..]);
        assert_eq!(bundle.open(), [delete("`a-1.jpg` (1 file)")], "{}", bundle.list);
        assert_eq!(bundle.list.matches("[ ]").count(), 1, "{}", bundle.list);
    }

    /// What changed was asked for behind the boxes that were not ticked yet, and its row before it: whoever went on from the top
    /// ticked the boxes of files that were not there, and uploaded the row first.
    #[test]
    fn what_is_asked_for_later_stands_before_what_comes_behind_it() {
        let mut bundle = Bundle::new("adobe-stock");
        bundle.market.boxes = built_in().unwrap().into_iter().find_map(|market| market.boxes);
        bundle.market.checklist = vec!["Press Publish.".to_owned()];
        bundle.holds(&A);
        bundle.list = bundle.list.replace("[ ] Upload", "[x] Upload").replace("[ ] Then", "[x] Then");
        let begins =
            |text: &str, step: &str| text.find(&format!("- [ ] {step}")).unwrap_or_else(|| panic!("{step}: {text}"));
        let steps = ["Upload `a", "Upload `adobe-stock.csv` again", "Select `", "Press Publish", "When all is sent"];
        let other = [("a-1.jpg", "w"), A[1], A[2], A[3]];
        for files in [&other[..], &[&other[..], &[("a-6.jpg", "v")]].concat()] {
            bundle.holds(files);
            let places = steps.map(|step| begins(&bundle.list, step));
            assert!(places.is_sorted(), "{files:?}: {}", bundle.list);
        }
    }

    /// Whoever uploaded from the first to the last one uploaded what had no row.
    #[test]
    fn no_range_has_a_file_in_it_that_is_not_to_be_uploaded() {
        let mut bundle = Bundle::new("adobe-stock");
        bundle.strangers = vec!["a-3.jpg".to_owned()];
        bundle.holds(&A);
        let step = "Upload `a-1.jpg` to `a-2.jpg`, `a-4.jpg` to `a-5.jpg` (4 files) from `files/`.";
        assert_eq!(bundle.open()[0], step, "{}", bundle.list);
    }

    #[test]
    fn a_box_is_ticked_as_people_tick_it() {
        for (line, expected) in [
            ("- [ ] Go", Some((false, "Go"))),
            ("* [X] Go", Some((true, "Go"))),
            ("- [x]\u{a0}Go", Some((true, "Go"))),
            ("1. [✓] Go", Some((true, "Go"))),
            ("- [✔\u{fe0f}] Go", Some((true, "Go"))),
            ("- \\[x\\] Go", Some((true, "Go"))),
            ("- \\[ \\] Go", Some((false, "Go"))),
            ("- [?] Go", None),
            ("- [x]Go", None),
            ("[x] Go", None),
        ] {
            assert_eq!(boxed(line), expected, "{line}");
        }
    }
}
