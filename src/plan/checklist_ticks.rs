//! The lines of a checklist as they lie there, and what those are about that stockmill wrote.

use std::collections::{BTreeMap, BTreeSet};

use crate::records::{DELIVERED, ListRecord, ListedStep, Versions};

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
    /// Its lines on one line each, and whether they are ticked; `None` for those without a box.
    lines: Vec<(Option<bool>, String)>,
}

impl<'a> Listed<'a> {
    pub(super) fn new(text: &str, record: Option<&'a ListRecord>) -> Self {
        Self { record, lines: lines(text) }
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

    /// Returns a step with a text of its own: one of the same text that is about something else was ticked.
    pub(super) fn distinct(&self, (text, about): Step) -> Step {
        let bare = text.trim_end_matches('.');
        let numbered = (2..).map(|number| format!("{bare} ({number})."));
        let is_taken = |text: &String| {
            self.record.and_then(|record| record.steps.get(text)).is_some_and(|was| *was != about)
                && self.ticked().any(|ticked| self.step(ticked.text).is_some_and(|(shown, _)| shown == text))
        };
        let text = std::iter::once(text.clone()).chain(numbered).find(|text| !is_taken(text)).unwrap_or(text.clone());
        (text, about)
    }

    /// Returns the record of a list as it is written now: of each step of ours that stands in it.
    pub(super) fn record_of(&self, written: &str, heading: String, steps: Vec<Step>) -> ListRecord {
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
        ListRecord::new(heading, all)
    }
}

/// Returns the names of those that are as they were.
pub(super) fn unchanged<'a>(was: &'a Versions, is: &'a Versions) -> impl Iterator<Item = &'a str> {
    was.iter().filter(|(name, version)| is.get(*name) == Some(version)).map(|(name, _)| name.as_str())
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
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let (mark, rest) = rest.strip_prefix('[')?.split_once(']')?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    match mark {
        "" | " " => Some((false, rest)),
        "x" | "X" => Some((true, rest)),
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
    use crate::market::{Market, built_in};
    use crate::model::Meta;
    use crate::plan::bundle::BundleAsset;
    use crate::plan::{BundleName, Delivered, Existing, Recipe, plan_manifest};

    /// A bundle whose list a person works on.
    struct Bundle {
        market: Market,
        list: String,
        record: Vec<u8>,
    }

    impl Bundle {
        fn new(market: &str) -> Self {
            let market = built_in().unwrap().into_iter().find(|built_in| built_in.name == market).unwrap();
            let market = Market { boxes: None, before: Vec::new(), checklist: Vec::new(), ..market };
            Self { market, list: String::new(), record: Vec::new() }
        }

        /// Has the list follow its files, each of a version, which is its title as well; a second look changes nothing.
        fn holds(&mut self, files: &[(&str, &str)]) {
            let name = BundleName { day: "2026-11-28".parse().unwrap(), market: self.market.name.clone(), part: 1 };
            let asset = |(file, version): &(&str, &str)| {
                let keywords = (0..9).map(|n| format!("k{n}")).collect();
                let meta = Meta { title: (*version).to_owned(), keywords, ..Meta::default() };
                BundleAsset { version: (*version).to_owned(), ..BundleAsset::bare(file, meta) }
            };
            let assets: Vec<BundleAsset> = files.iter().map(asset).collect();
            for round in 0..2 {
                let (list, record) = (self.list.clone(), self.record.clone());
                let checklist = (!list.is_empty()).then_some(list.as_bytes());
                let existing = &Existing { manifests: &[], checklist, record: Some(&record) };
                let plan = plan_manifest(&name, &self.market, &assets, &[], &Delivered::default(), existing).unwrap();
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
            assert_eq!(self.list.matches("make an empty file `SENT`").count(), 1, "{}", self.list);
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

    /// What was ticked counted for whatever lay between two names later on.
    #[test]
    fn a_tick_counts_for_what_its_line_was_about() {
        let csv = "Then upload `adobe-stock.csv` (4 rows) in the portal.";
        let all = "Upload `a-1.jpg` to `a-5.jpg` (4 files) from `files/`.";
        // What is ticked, what lies there then, and what is still to be done.
        type Row<'a> = (&'a [&'a str], Vec<(&'a str, &'a str)>, &'a [&'a str]);
        let rows: [Row<'_>; 7] = [
            (&[all, csv], A.to_vec(), &[]),
            // One went, and another one has its place in the range.
            (
                &[all, csv],
                vec![A[0], ("a-3.jpg", "v"), A[2], A[3]],
                &["Upload `a-3.jpg` (1 file) from `files/`.", "Upload `adobe-stock.csv` again, with 4 rows now."],
            ),
            // Some went: nothing is to be done.
            (&[all, csv], vec![A[0], A[3]], &[]),
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
                    "Upload `a-1.jpg` to `a-5.jpg`, `b-1.jpg` (5 files) from `files/`.",
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
            // What is at the market and not in the bundle any more has no row there.
            let is_gone = |file: &(&str, &str)| !files.iter().any(|(name, _)| *name == file.0);
            let gone = ticked.contains(&all) && A.iter().any(is_gone);
            assert_eq!(bundle.list.contains("; delete them in the portal."), gone, "{files:?}: {}", bundle.list);
        }
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
        assert_eq!(bundle.list.matches("the market would refuse it").count(), 4, "{}", bundle.list);
        assert!(!bundle.list.contains("delete them in the portal"), "{}", bundle.list);
    }
}
